"""What each remedy is worth: by itself, among the others, at most, and in which order to buy.

Every figure is a difference of worths of plans, as `roi/plans.py` values them: gates, measurements and delays included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from roi.analysis import Analysis
from roi.cashflow import monthly_flows
from roi.options import Option, Remedy
from roi.plans import Plan
from roi.prospects import lost_by_then
from roi.remedy_sets import Kind, RemedySets

__all__ = ["RemedyWorth", "Step", "price_of", "remedy_worth"]

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
            order.append(max(free, key=lambda r: (self.worth(self.sets.number([*order, r])), -price_of(r))))
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
            paid = sum(price_of(r) for r in bought)
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
            limit = plan.mean() - without + price_of(remedy)
            others = sum(price_of(r) for r in self.sets.chosen(number)) - price_of(remedy)
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
                flow[0] += sum(price_of(r) for r in self.sets.chosen(rest))
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


def price_of(remedy: Remedy) -> float:
    """Its expected price; what has none counts 0."""
    return 0.0 if remedy.cost is None else float(np.mean(remedy.cost))


def remedy_worth(a: Analysis) -> RemedyWorth | None:
    """The set of remedies of the plan put forward, or of the best plan there is; None where nothing can be valued."""
    plan = a.verdict.plan or max(a.plans, key=lambda p: p.mean(), default=None) or a.waiting
    if plan is None:
        return None
    sets = next(s for s in a.fixes.sets if s.segments == plan.prospect.segments)
    return RemedyWorth(a=a, sets=sets, plan=plan, kind="waiting" if plan.waits else "priced")
