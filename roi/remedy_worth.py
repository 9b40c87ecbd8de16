"""What each remedy is worth: by itself, among the others, at most, and in which order to buy.

Every figure is a difference of worths of plans, as `roi/plans.py` values them: gates, measurements and delays included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from roi.analysis import Analysis
from roi.cashflow import monthly_flows
from roi.measures import Measure
from roi.options import Option
from roi.plans import Opening, Plan
from roi.price_limits import Limit, bound_of, limit_of
from roi.prospects import lost_by_then
from roi.remedies import Remedy
from roi.remedy_sets import RemedySets
from roi.set_bounds import affordable_sets
from roi.set_order import Kind

__all__ = ["RemedyWorth", "Step", "price_of", "remedy_worth", "sets_of", "thin_below"]

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
        """What it adds to the others: what a plan that is advised would be worth less without it.

        Without it the plan would be another one, or none. Of a set that is not advised, the others are owned all the
        same; of a remedy outside the set, the set is.
        """
        if not self.number & self.sets.number([remedy]):
            return self.worth(self.number | self.bits(remedy)) - self.worth(self.number)
        if self.advised:
            return self.plan.mean() - self._without(remedy, self.kind)
        return self.worth(self.number) - self.worth(self.number & ~self.bits(remedy, dependents=True))

    def most(self, remedy: Remedy) -> Limit:
        """The most to pay for it once, its other costs as they are stated: where the search no longer buys it.

        That is where the best plan with it is worth no more than the best without, or before that, where the rule does
        not allow the plan. A budget caps it at what is left beside the other remedies.
        """
        over = {kind: self._without(remedy, kind) for kind in self._kinds}
        best = Limit(most=0.0, ends="worth")
        for sets in self._scopes:
            here = next((r for r in sets.searched if r.name == remedy.name), None)
            if here is None:
                continue
            refund = 0.0 if here.cost is None else here.cost
            thens = {number: then for number in self._with(sets, here) if (then := sets.then(number))}
            bounds = {n: bound_of(then[0], refund) - min(over.values()) for n, then in thens.items()}
            for number in sorted(thens, key=lambda n: (-bounds[n], n)):
                if bounds[number] <= best.most:
                    break
                prospect, opened = thens[number]
                rest = [r for r in sets.chosen(number) if r.name != here.name]
                left = sets.policy.fix_budget
                left = None if left is None else left - sum(price_of(r) for r in rest)
                for kind in self._kinds:
                    fits, further = _samples(opened, rest, sets.further, kind)
                    if not fits:
                        continue
                    limit = limit_of(
                        prospect,
                        opened.measures,
                        further,
                        refund,
                        over=over[kind],
                        thin=thin_below(self.a),
                        waits=kind == "waiting",
                    ).capped(left)
                    best = max(best, limit, key=lambda x: (x.most, x.ends != "worth"))
        return best

    @property
    def _kinds(self) -> tuple[Kind, ...]:
        return ("priced", "waiting") if self.kind == "waiting" else ("priced",)

    @cached_property
    def _scopes(self) -> list[RemedySets]:
        """The scope of the plan, and others with few sets."""
        return [self.sets, *(s for s in self.a.fixes.sets if s is not self.sets and not s.many)]

    def _without(self, remedy: Remedy, kind: Kind) -> float:
        """What is best without a remedy: a plan, rolling out as it stands, or stopping."""
        found = [0.0]
        for sets in self._scopes:
            bit = sets.number([remedy])
            found.append(sets.best(kind, lacks=bit).worth)
            as_it_is = sets.plan(0)
            found += [] if as_it_is is None or as_it_is.waits else [as_it_is.mean()]
        return max(found)

    def _with(self, sets: RemedySets, remedy: Remedy) -> list[int]:
        """Sets that hold a remedy, were it for nothing: all of few, of many the best and what was put forward."""
        bit = sets.number([remedy])
        if not sets.many:
            free = tuple(replace(r, cost=0.0) if r is remedy else r for r in sets.searched)
            return [int(s) for s in affordable_sets(free, sets.policy, sets.valuer) if int(s) & bit]
        best = sets.best(self.kind, holds=bit).plan
        found = {self.number | self.bits(remedy)}
        return sorted(found | (set() if best is None else {sets.number(best.remedies)}))

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

    def near(self) -> list[tuple[int, float, bool]]:
        """Other sets that come near the best: what owning each is worth, and whether it can be rolled out."""
        others = {
            n: self.worth(n) for p in self.sets.kept() if (n := self.sets.number(p.remedies)) != self.number
        }
        order = sorted(others, key=lambda n: (-others[n], n))
        return [(n, others[n], self.outcome(n)[1]) for n in order[:NEAR]]


def _samples(
    opened: Opening, rest: Sequence[Remedy], further: Sequence[Measure], kind: Kind
) -> tuple[bool, list[Measure]]:
    """Whether a set is a plan of that kind, apart from one remedy's price, and the further samples that keep it so."""
    waits = bool(opened.unpriced) or any(m.price is None for m in opened.measures)
    waits = waits or not all(r.priced for r in rest)
    if kind == "priced":
        return not waits, [m for m in further if m.price is not None]
    return waits or any(m.price is None for m in further), list(further)


def _waits(remedy: Remedy, bought: Sequence[Remedy], names: set[str]) -> bool:
    return any(r.name in remedy.after and r.name not in names for r in bought)


def price_of(remedy: Remedy) -> float:
    """Its expected price; what has none counts 0."""
    return 0.0 if remedy.cost is None else float(np.mean(remedy.cost))


def thin_below(a: Analysis) -> float | None:
    """The chance up to which a plan is too thin for the rule; None where a roll-out as it stands has a higher one."""
    policy = a.loaded.policy
    chances = [o.chance(policy.hurdle) for o in (a.scale, *a.segments) if o is not None]
    return None if max(chances, default=0.0) > policy.kill_probability else policy.kill_probability


def sets_of(a: Analysis, plan: Plan) -> RemedySets:
    """Every set of remedies for the scope of a plan."""
    return next(s for s in a.fixes.sets if s.segments == plan.prospect.segments)


def remedy_worth(a: Analysis) -> RemedyWorth | None:
    """The set of remedies of the plan put forward, or of the best plan there is; None where nothing can be valued."""
    plan = a.verdict.plan or max(a.plans, key=lambda p: p.mean(), default=None) or a.waiting
    if plan is None:
        return None
    return RemedyWorth(a=a, sets=sets_of(a, plan), plan=plan, kind="waiting" if plan.waits else "priced")
