"""The set of remedies to buy: that of the plan of the highest expected worth, within `fix_budget` and `fix_weeks`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from roi.gate import Gate
from roi.mended import MORE_LIKELY
from roi.options import Valuer
from roi.parameters import Policy
from roi.plans import Plan, at_once
from roi.prospects import untaught
from roi.remedy_sets import FEW, RemedySets
from roi.tariff import Prices

__all__ = ["Found", "best_plans", "mended_of"]

Segments = tuple[str, ...] | None
GatesOf = Callable[[Segments], Sequence[Gate]]


@dataclass(frozen=True, kw_only=True)
class Found:
    """The best plans of all scopes.

    Attributes:
        priced: The plan of highest expected worth with every mend priced; None where there is none.
        waiting: That with an unpriced mend which, had for nothing, would let `scale` pass.
        every: Plans with every mend priced that were valued: all of few, the best of many.
        gap: How much more than `priced` a set that was not valued could be worth at the most.
        sets: The sets of remedies, scope by scope.
    """

    priced: Plan | None
    waiting: Plan | None
    every: tuple[Plan, ...]
    gap: float | None
    sets: tuple[RemedySets, ...]

    @cached_property
    def mended(self) -> Plan | None:
        """Where no plan is worth anything, what mending the closed controls and severe errors would bring at the most.

        That is at their price, had the rule no say: then mending costs more than it brings, or it brings something and
        the rule wants more. None by no set, or where a plan is worth something. Found where it is asked for.
        """
        if any(plan is not None and plan.mean() > 0 for plan in (self.priced, self.waiting)):
            return None
        found = [plan for s in self.sets if (plan := mended_of(s)) is not None]
        return max(found, key=lambda plan: plan.mean(), default=None)


def best_plans(
    valuer: Valuer,
    scopes: Sequence[Segments],
    gates_of: GatesOf,
    prices: Prices,
    policy: Policy,
    *,
    seed: int,
    every_plan: bool = True,
) -> Found:
    """The best plan at its price, the best one that waits for a price, and those with a price that were valued.

    Args:
        valuer: Values roll-outs.
        scopes: Sets of segments to consider; None is all of them.
        gates_of: The gates of a scope as they stand.
        prices: What measuring costs.
        policy: The thresholds.
        seed: Seed of the run.
        every_plan: Whether all of few plans are valued, so that they can be listed; else only those that can be the
            best, which are the same.

    Returns:
        The plans. Doing nothing is not a plan, and a remedy is bought only where the plan is worth more with it than
        without.
    """
    priced: Plan | None = None
    waiting: Plan | None = None
    every: list[Plan] = []
    gap: float | None = 0.0
    sets = [
        RemedySets(
            valuer=valuer,
            segments=segments,
            failing=tuple(g for g in gates_of(segments) if not g.holds),
            prices=prices,
            policy=policy,
            seed=seed,
            every=every_plan,
        )
        for segments in scopes
    ]
    order = list(range(len(sets)))
    if not every_plan:  # the more is found first, the less has to be valued
        order.sort(key=lambda i: -sets[i].as_it_is)
    first = len(sets)
    for i in order:
        above = -np.inf if priced is None else priced.mean()
        if i < first:  # of plans that are worth the same, that of the earlier scope
            above = float(np.nextafter(above, -np.inf))
        found = sets[i].best("priced", above=above)
        if found.plan is not None and found.plan.mean() > above:
            priced, first = found.plan, i
        gap = None if gap is None or found.gap is None else max(gap, found.gap)
    sure = priced is not None and float(np.mean(priced.worth > policy.hurdle)) > policy.kill_probability
    for of_scope in sets:
        every += of_scope.kept()
        if of_scope.many and priced is not None and priced.mean() > 0 and sure:
            continue  # nothing rests on a plan that waits for a price
        # Of many sets one that waits is looked for only where it is worth something.
        above = -np.inf if waiting is None else waiting.mean()
        other = of_scope.best("waiting", above=max(above, 0.0) if of_scope.many else above)
        if other.plan is not None and (waiting is None or other.plan.mean() > waiting.mean()):
            waiting = other.plan
    return Found(priced=priced, waiting=waiting, every=tuple(every), gap=gap, sets=tuple(sets))


def mended_of(sets: RemedySets) -> Plan | None:
    """The best plan that mends the closed controls and severe errors, and goes ahead wherever they then pass.

    The rule has no say: its chance is not asked for, no sample is taken beside those that open these gates, and the
    other gates do not count. What nobody has priced costs nothing. Of many sets those that can be worth most are asked.

    Returns:
        The plan; None where no set mends them all. Where none of these gates is closed, rolling out at once.
    """
    guards = tuple(g for g in sets.failing if g.guards)
    at = RemedySets(
        valuer=sets.valuer,
        segments=sets.segments,
        failing=guards,
        prices=sets.prices,
        policy=sets.policy,
        seed=sets.seed,
    )
    numbers = at.sets
    if at.many:
        most = np.fmax(at.bounds.priced, at.bounds.waiting)
        numbers = numbers[np.argsort(-most, kind="stable")[:FEW]]
    found = []
    for number in numbers:
        # Where no other gate is closed, it is a roll-out that was looked at already.
        alike = guards == sets.failing
        then = sets.then(int(number)) if alike else at.prospect(at.chosen(int(number)))
        if then is not None and then[0].option is not None:
            prospect, opened = then
            needed = tuple(untaught(m) for m in opened.measures)
            found.append(at_once(prospect, replace(opened, measures=needed)))
    best = max(found, key=lambda plan: plan.mean(), default=None)
    if best is None or best.mean() > 0:
        return best
    # Where nothing brings anything, what is told is what the mends cost that do what they are for.
    likely = [plan for plan in found if plan.passes >= MORE_LIKELY]
    return max(likely, key=lambda plan: plan.mean(), default=best)
