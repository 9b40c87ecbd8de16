"""What each remedy is worth: by itself, among the others, at most, and in which order to buy.

Every figure is a difference of worths of plans, as `roi/plans.py` values them: gates, measurements and delays included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.after_remedy import measured_again
from roi.analysis import Analysis
from roi.cashflow import monthly_flows
from roi.gate import Gate
from roi.measures import cost_of
from roi.money import summary
from roi.options import WEEKS_PER_MONTH, Option, Remedy
from roi.plans import Plan
from roi.prospects import lost_by_then
from roi.remedy_sets import Kind, RemedySets
from roi.words import shorten

__all__ = ["RemedyWorth", "Step", "remedies_of_record", "remedy_worth"]

Floats = npt.NDArray[np.float64]

EVERY_ORDER = 4  # remedies of which every order is tried; more are bought one by one for what they add
NEAR = 4  # other sets that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A remedy on the way to the whole set.

    Attributes:
        remedy: What is bought.
        worth: What everything bought by then is worth, shape (n_draws,); what was paid, lost, where gates stay closed.
        opens: Whether a roll-out is possible by then.
        paid: What was paid by then, expected.
    """

    remedy: Remedy
    worth: Floats
    opens: bool
    paid: float


@dataclass(frozen=True, kw_only=True)
class RemedyWorth:
    """The set of remedies that is put forward, and what each remedy is worth.

    Attributes:
        a: The decision.
        sets: Every set, for the scope of the plan.
        plan: The plan that buys the set; it may buy none.
        kind: Whether it has its prices or waits for some.
    """

    a: Analysis
    sets: RemedySets
    plan: Plan
    kind: Kind

    @cached_property
    def number(self) -> int:
        """The set."""
        return self.sets.number(self.plan.remedies)

    @property
    def advised(self) -> bool:
        """Whether the verdict puts the set forward; else it is the one that comes nearest to paying."""
        return self.a.verdict.plan is self.plan

    def spent(self, number: int) -> float:
        """What is lost where a set is bought and nothing rolled out after all."""
        return lost_by_then(self.a.economics, self.a.valuer.schedule_of(self.sets.chosen(number)))

    def outcome(self, number: int) -> tuple[Floats, bool]:
        """Worth of owning a set, draw by draw, and whether a roll-out is possible with it."""
        plan = self.sets.plan(number)
        if (
            plan is not None
            and (self.kind == "waiting" or not plan.waits)
            and plan.mean() > -self.spent(number)
        ):
            return plan.worth, True
        return np.full(self.a.measured.draws, -self.spent(number)), False

    def worth(self, number: int) -> float:
        """Expected worth of owning a set."""
        return float(self.outcome(number)[0].mean())

    def bits(self, remedy: Remedy, *, dependents: bool = False) -> int:
        """A remedy with all that it waits for, or with all that wait for it."""
        names = {remedy.name}
        while True:
            more = {r.name for r in self.sets.searched if dependents and set(r.after) & names}
            if not dependents:
                more = {n for r in self.sets.searched if r.name in names for n in r.after}
            if more <= names:
                return self.sets.number([r for r in self.sets.searched if r.name in names])
            names |= more

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The set, in the order in which to buy it: at every step what has been bought is worth as much as can be."""
        found = []
        number = 0
        for remedy in self._order():
            number |= self.sets.number([remedy])
            worth, opens = self.outcome(number)
            paid = sum(float(np.mean(r.cost)) for r in self.sets.chosen(number) if r.cost is not None)
            found.append(Step(remedy=remedy, worth=worth, opens=opens, paid=paid))
        return tuple(found)

    def _order(self) -> list[Remedy]:
        bought = list(self.plan.remedies)
        if len(bought) <= EVERY_ORDER:
            return list(self._best_order(self.number)[2])
        order: list[Remedy] = []
        while len(order) < len(bought):
            names = {r.name for r in order}
            free = [r for r in bought if r.name not in names and not _waits(r, bought, names)]
            order.append(max(free, key=lambda r: (self.worth(self.sets.number([*order, r])), -_cost(r))))
        return order

    def _best_order(self, number: int) -> tuple[float, float, tuple[Remedy, ...]]:
        """The order of a set whose steps are worth most in sum (then: the cheapest first), with that sum."""
        bought = self.sets.chosen(number)
        if not bought:
            return 0.0, 0.0, ()
        here = self.worth(number)
        found = []
        for last in bought:
            if any(last.name in r.after for r in bought):
                continue
            value, early, order = self._best_order(number & ~self.sets.number([last]))
            paid = sum(_cost(r) for r in bought)
            found.append((value + here, early - paid, (*order, last)))
        return max(found, key=lambda x: (round(x[0], 6), round(x[1], 6)))

    def alone(self, remedy: Remedy) -> float:
        """What it adds where nothing else is bought than what it waits for."""
        return self.worth(self.bits(remedy)) - max(self.worth(0), 0.0)

    def among(self, remedy: Remedy) -> float:
        """What it adds to the others of the set; of a remedy outside it, to the set."""
        if self.number & self.sets.number([remedy]):
            return self.worth(self.number) - self.worth(self.number & ~self.bits(remedy, dependents=True))
        return self.worth(self.number | self.bits(remedy)) - self.worth(self.number)

    def most(self, remedy: Remedy) -> float:
        """The most to pay for it once: the price at which the best set with it is worth no more than that without.

        A budget caps it at what is left beside the other remedies of the set.
        """
        bit = self.sets.number([remedy])
        without = max(self.sets.best(self.kind, lacks=bit).worth, self.worth(0), 0.0)
        budget = self.sets.policy.fix_budget
        limits = [0.0]
        for number in self._with(bit):
            plan = self.sets.plan(number)
            if plan is None or (plan.waits and self.kind == "priced"):
                continue
            limit = plan.mean() - without + _cost(remedy)
            others = sum(_cost(r) for r in self.sets.chosen(number)) - _cost(remedy)
            limits.append(limit if budget is None else min(limit, budget - others))
        return max(limits)

    def _with(self, bit: int) -> list[int]:
        """Sets that hold a remedy: all of few, of many the best and what was put forward."""
        if not self.sets.many:
            return [int(s) for s in self.sets.sets if int(s) & bit]
        best = self.sets.best(self.kind, holds=bit).plan
        found = [] if best is None else [self.sets.number(best.remedies)]
        return found + ([self.number] if self.number & bit else [])

    def payback(self, remedy: Remedy | None = None) -> int | None:
        """First month from which the set (or a remedy of it) has paid for itself and stays so; None: not in time."""
        flow = self._flow(self.plan.option)
        if remedy is not None:
            rest = self.number & ~self.bits(remedy, dependents=True)
            other = self.sets.plan(rest) if self.outcome(rest)[1] else None
            if other is not None:
                flow = flow - self._flow(other.option)
            else:
                flow[0] += sum(_cost(r) for r in self.sets.chosen(rest))
        below = np.flatnonzero(np.cumsum(flow) < -1e-9)
        month = 0 if below.size == 0 else int(below[-1]) + 1
        return month if month < flow.size else None

    def _flow(self, option: Option) -> Floats:
        """Mean flow month by month, month 0 first."""
        assert option.stream is not None
        e, s = self.a.economics, option.schedule
        if any(np.ndim(x) for x in (e.ramp, s.delay)):
            return np.asarray(monthly_flows(option.stream, e, s).net.mean(axis=1), dtype=np.float64)
        month = np.arange(1, e.horizon + 1)
        active = np.clip(month - s.delay, 0, 1)
        adopted = np.clip((month - s.delay - 0.5) / e.ramp, 0, 1) if e.ramp > 0 else active
        flow = np.zeros(e.horizon + 1)
        monthly = float(np.mean(np.add(e.monthly(), s.per_month)))
        flow[1:] = adopted * float(option.stream.net.mean()) - active * monthly
        flow[1:] -= (1 - active) * float(np.mean(e.pilot_cost))
        flow[0] = -float(np.mean(s.one_off))
        for line in e.lines:
            if line.per == "once":
                flow[min(line.month, e.horizon)] -= float(np.mean(line.one_off(e.contingency)))
        return flow

    def near(self) -> list[tuple[Plan, float]]:
        """Other sets that come near the best, and how much less each is worth."""
        others = [p for p in self.sets.kept() if self.sets.number(p.remedies) != self.number]
        others.sort(key=lambda p: -p.mean())
        return [(p, self.plan.mean() - p.mean()) for p in others[:NEAR]]


def _waits(remedy: Remedy, bought: Sequence[Remedy], names: set[str]) -> bool:
    return any(r.name in remedy.after and r.name not in names for r in bought)


def _cost(remedy: Remedy) -> float:
    return 0.0 if remedy.cost is None else float(np.mean(remedy.cost))


def remedy_worth(a: Analysis) -> RemedyWorth | None:
    """The set of remedies of the plan put forward, or of the best plan there is; None where nothing can be valued."""
    plan = a.verdict.plan or max(a.plans, key=lambda p: p.mean(), default=None) or a.waiting
    if plan is None:
        return None
    sets = next(s for s in a.fixes.sets if s.segments == plan.prospect.segments)
    return RemedyWorth(a=a, sets=sets, plan=plan, kind="waiting" if plan.waits else "priced")


def remedies_of_record(a: Analysis) -> dict[str, Any]:
    """What the record says of remedies: plain values, sums of money in the pilot's currency.

    Returns:
        `list`, those of the set in the order in which to buy, then the others; `set`, what it is worth as a whole;
        `near`, other sets; `ceilings`, closed gates that nobody has priced a mend of, with the most it may cost; `why`,
        where nothing can be valued.
    """
    found = remedy_worth(a)
    stated = a.valuer.remedies
    if found is None:
        why = "no plan opens every gate" if a.fixes.sets else "the worth of scaling is not known"
        why = why if stated else "no remedy is stated"
        none = [_stated(r) for r in stated]
        return {"list": none, "set": None, "near": [], "ceilings": _ceilings(a, None), "why": why}
    rows, before = [], max(found.worth(0), 0.0)
    start = before
    for place, step in enumerate(found.steps):
        after = float(step.worth.mean())
        rows.append(
            _row(found, step.remedy)
            | {
                "order": place + 1,
                "step": after - before,
                "worth_by_then": summary(step.worth),
                "opens": step.opens,
                "paid_by_then": step.paid,
            }
        )
        before = after
    inside = {r.name for r in found.plan.remedies}
    searched = {r.name for r in found.sets.searched}
    rows += [_row(found, r) for r in stated if r.name not in inside and r.name in searched]
    rows += [_stated(r) for r in stated if r.name not in searched]
    alone = sum(r["alone"] for r in rows if r["order"] is not None)
    joint = found.plan.mean() - start
    policy = a.loaded.policy
    gap = a.fixes.gap
    return {
        "list": rows,
        "set": {
            **summary(found.plan.worth),
            "advised": found.advised,
            "start": start,
            "joint": joint,
            "sum_of_alone": alone,
            "cost": sum(_cost(r) for r in found.plan.remedies),
            "per_month": sum(float(np.mean(r.cost_per_month)) for r in found.plan.remedies),
            "months": float(np.mean(found.plan.option.schedule.delay)),
            "measures_cost": cost_of(found.plan.measures, a.prices),
            "payback_month": found.payback(),
            "waits": found.plan.waits,
            "scope": None if found.sets.segments is None else list(found.sets.segments),
            "budget": policy.fix_budget,
            "weeks": policy.fix_weeks,
            "sets": int(found.sets.sets.size),
            "exact": gap == 0,
            "gap": gap,
        },
        "near": [
            {"remedies": [r.name for r in p.remedies], "worth": p.mean(), "less": less}
            for p, less in found.near()
        ],
        "ceilings": _ceilings(a, found),
        "why": None,
    }


def _stated(remedy: Remedy) -> dict[str, Any]:
    return {
        "name": remedy.name,
        "addresses": remedy.addresses,
        "owner": remedy.owner,
        "bought": False,
        "cost": None if remedy.cost is None else _cost(remedy),
        "cost_per_month": float(np.mean(remedy.cost_per_month)),
        "weeks": float(np.mean(remedy.months)) * WEEKS_PER_MONTH,
        "removes": float(np.mean(remedy.removes)),
        "after": list(remedy.after),
        "alone": None,
        "among": None,
        "most": None,
        "payback_month": None,
        "again": None,
        "order": None,
        "step": None,
        "worth_by_then": None,
        "opens": None,
        "paid_by_then": None,
    }


def _row(found: RemedyWorth, remedy: Remedy) -> dict[str, Any]:
    inside = bool(found.number & found.sets.number([remedy]))
    again = None
    if inside:
        done = float(np.mean(found.a.valuer.delay_of(found.sets.chosen(found.bits(remedy)))))
        again = {"month": done, **asdict(measured_again(found.a, remedy, found.sets.segments))}
    return _stated(remedy) | {
        "bought": inside and found.advised,
        "alone": found.alone(remedy),
        "among": found.among(remedy),
        "most": found.most(remedy),
        "payback_month": found.payback(remedy) if inside else None,
        "again": again,
    }


def _ceilings(a: Analysis, found: RemedyWorth | None) -> list[dict[str, Any]]:
    """Closed gates whose mend nobody has priced: the most that it may cost, all of them together."""
    sets = found.sets if found is not None else a.fixes.sets[0] if a.fixes.sets else None
    if sets is None:
        return []
    priced = {r.addresses for r in a.valuer.remedies if r.cost is not None}
    priced |= {"usable_inputs"} if "data" in priced else set()
    open_ = [g for g in sets.failing if g.gate not in priced and sets.waits_for_price(g)]
    if not open_:
        return []
    waiting = a.waiting if a.waiting is not None and a.waiting.prospect.segments == sets.segments else None
    waiting = waiting or sets.best("waiting", above=0.0).plan
    best = max((p.mean() for p in a.plans), default=0.0)
    rows = []
    for gate in open_:
        together = [] if waiting is None else [g.label for g in waiting.unpriced if g.gate != gate.gate]
        most = None if waiting is None else max(waiting.mean() - max(best, 0.0), 0.0)
        rows.append(_ceiling(gate, most, together))
    return rows


def _ceiling(gate: Gate, most: float | None, together: list[str]) -> dict[str, Any]:
    why = None
    if most is None:
        why = "even had for nothing, its mend would not make scaling pass more likely than not"
    elif not most > 0:
        why = "a way that has its price is worth as much"
    return {
        "gate": gate.gate,
        "label": gate.label,
        "mend": shorten(gate.mend, 200) or None,
        "most": most,
        "together_with": together,
        "why": why,
    }
