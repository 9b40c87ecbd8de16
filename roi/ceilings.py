"""Closed gates whose mend nobody has priced, or whose mend costs too much: the most that it may cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from roi.analysis import Analysis
from roi.assumptions import Number
from roi.gate import Gate
from roi.measures import cost_of
from roi.mended import targets_of
from roi.plans import Plan
from roi.price_limits import Limit, bound_of, limit_of
from roi.remedies import Remedy
from roi.remedy_sets import RemedySets
from roi.remedy_worth import RemedyWorth, price_of, sets_of, thin_below
from roi.set_bounds import affordable_sets
from roi.words import shorten

__all__ = ["asked", "ceilings", "whole_fix"]


def asked(a: Analysis, plan: Plan) -> Limit:
    """The most worth paying, together, for everything of which a plan waits for the price."""
    sets = sets_of(a, plan)
    then = sets.then(sets.number(plan.remedies))
    assert then is not None
    prospect, opened = then
    over = max((p.mean() for p in a.plans), default=0.0)
    limit = limit_of(prospect, opened.measures, sets.further, 0.0, over=max(over, 0.0), thin=thin_below(a))
    return limit.capped(_left(sets, plan.remedies))


def whole_fix(a: Analysis, plan: Plan) -> Limit:
    """The most worth paying for a plan: remedies, measurements and what has no price, together."""
    refund = _paid(plan.remedies) + cost_of(plan.measures, a.prices)
    return limit_of(plan.prospect, plan.measures, (), refund, over=0.0, thin=thin_below(a))


def ceilings(a: Analysis, found: RemedyWorth | None) -> list[dict[str, Any]]:
    """Closed gates without an affordable mend, each with the most that mending all of them together may cost.

    Args:
        a: The decision.
        found: The set that is put forward, if any.

    Returns:
        One row a gate: of those that nobody has priced a mend of, and of those with a remedy that is not bought.
    """
    sets = found.sets if found is not None else a.fixes.sets[0] if a.fixes.sets else None
    if sets is None:
        return []
    unpriced = [g for g in sets.failing if sets.waits_for_price(g)]
    dear = [] if found is not None and found.advised else _dear(a, sets)
    return [*_unpriced(a, sets, unpriced), *dear]


def _unpriced(a: Analysis, sets: RemedySets, gates: Sequence[Gate]) -> list[dict[str, Any]]:
    if not gates:
        return []
    waiting = a.waiting if a.waiting is not None and a.waiting.prospect.segments == sets.segments else None
    waiting = waiting or sets.best("waiting", above=0.0).plan
    if waiting is None:
        why = "even had for nothing, its mend would not make scaling pass more likely than not"
        return [_row(g, None, why) for g in gates]
    limit = asked(a, waiting)
    nothing = {
        "worth": "a way that has its price is worth as much",
        "rule": "even had for nothing, its mend would not make scaling sure enough",
        "budget": "the remedies that it takes use up the budget",
    }
    names = [g.label for g in waiting.unpriced]
    no = None if limit.most > 0 else nothing[limit.ends]
    return [_row(g, limit, no, together=[x for x in names if x != g.label]) for g in gates]


def _dear(a: Analysis, sets: RemedySets) -> list[dict[str, Any]]:
    """Of gates that only a remedy opens which has its price and is not bought: what all of them may cost together.

    In the scope in which that is most, else in the one given.
    """
    best: tuple[Limit, tuple[Remedy, ...]] | None = None
    gates = [g for g in sets.failing if sets.only_bought(g)]
    for scope in (sets, *(s for s in a.fixes.sets if s is not sets and not s.many)):
        closed = [g for g in scope.failing if scope.only_bought(g)]
        found = _most_for_mends(a, scope, closed) if closed else None
        if found is not None and (best is None or found[0].most > best[0].most):
            best, gates = found, closed
    if best is None:
        why = "no set of remedies opens every gate at a known price"
        return [_row(g, None, why) for g in gates]
    limit, mends = best
    nothing = {
        "worth": "even had for nothing, its mend would not pay",
        "rule": "even had for nothing, its mend would not make scaling sure enough",
        "budget": "the other remedies that it takes use up the budget",
    }
    no = None if limit.most > 0 else nothing[limit.ends]
    rows = []
    for gate in gates:
        others = [g.label for g in gates if g is not gate]
        rows.append(_row(gate, limit, no, together=others, mends=mends))
    return rows


def _most_for_mends(
    a: Analysis, sets: RemedySets, gates: Sequence[Gate]
) -> tuple[Limit, tuple[Remedy, ...]] | None:
    """The highest price of the remedies that open some gates, over every set that does so, with those remedies."""
    targets = {t for g in gates for t in targets_of(g.gate)}
    if any(g.gate == "severe_errors" for g in gates) and not any(
        r.addresses == "severe_errors" for r in sets.searched
    ):
        targets |= set(sets.valuer.causes.error_share)
    free = tuple(replace(r, cost=0.0) if r.addresses in targets else r for r in sets.searched)
    numbers = sets.sets if sets.many else affordable_sets(free, sets.policy, sets.valuer)
    if sets.many:  # the sets that come nearest, as the search has them
        plan = sets.best("priced").plan
        numbers = np.array([] if plan is None else [sets.number(plan.remedies)], dtype=np.int64)
    v = a.verdict
    over = v.option.mean() if v.verdict == "scale" and v.option is not None else 0.0
    further = [m for m in sets.further if m.price is not None]
    best: tuple[Limit, tuple[Remedy, ...]] | None = None
    for number in numbers:
        then, chosen = sets.then(int(number)), sets.chosen(int(number))
        mends = tuple(r for r in chosen if r.addresses in targets)
        if then is None or not mends or not all(r.priced for r in chosen):
            continue
        prospect, opened = then
        if opened.unpriced or any(m.price is None for m in opened.measures):
            continue
        refund = _paid(mends)
        if best is not None and bound_of(prospect, refund) - over <= best[0].most:
            continue
        limit = limit_of(prospect, opened.measures, further, refund, over=over, thin=thin_below(a))
        limit = limit.capped(_left(sets, [r for r in chosen if r not in mends]))
        if best is None or limit.most > best[0].most:
            best = limit, mends
    return best


def _paid(remedies: Sequence[Remedy]) -> Number:
    """The price of remedies, draw by draw; what has none counts 0."""
    total: Number = 0.0
    for remedy in remedies:
        total = np.add(total, 0.0 if remedy.cost is None else remedy.cost)
    return total


def _left(sets: RemedySets, bought: Sequence[Remedy]) -> float | None:
    """What is left of the budget beside some remedies."""
    budget = sets.policy.fix_budget
    return None if budget is None else budget - sum(price_of(r) for r in bought)


def _row(
    gate: Gate,
    limit: Limit | None,
    why: str | None,
    *,
    together: Sequence[str] = (),
    mends: Sequence[Remedy] = (),
) -> dict[str, Any]:
    return {
        "gate": gate.gate,
        "label": gate.label,
        "mend": shorten(gate.mend, 200) or None,
        "most": None if limit is None else limit.most,
        "ends": None if limit is None else limit.ends,
        "together_with": list(together),
        "remedies": [r.name for r in mends],
        "cost": sum(price_of(r) for r in mends) if mends else None,
        "why": why,
    }
