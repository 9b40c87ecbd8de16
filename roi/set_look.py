"""A look at the roll-out after a set of remedies: what its plan can be worth, before samples are weighed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from roi.cashflow import present_value, stream_of
from roi.measures import Measure, cost_of, length_of, show_severe
from roi.mended import MORE_LIKELY
from roi.options import Valuer
from roi.parameters import Policy
from roi.plans import Opening
from roi.prospects import lost_by_then
from roi.remedies import Remedy
from roi.sampling import Basis, expected_after
from roi.tariff import Prices

__all__ = ["look"]

SELDOM = 0.8  # a rule that asks for some chance goes ahead in (chance now / asked for) of cases at the most; a margin
NOISE = 2.0  # standard errors by which what is drawn anew may favour a set


def look(
    valuer: Valuer,
    chosen: tuple[Remedy, ...],
    opened: Opening,
    further: Sequence[Measure],
    basis: Basis,
    segments: tuple[str, ...] | None,
    prices: Prices,
    policy: Policy,
    seed: int,
) -> tuple[float, float, bool]:
    """What a set of remedies can be worth at the most.

    Args:
        valuer: Values roll-outs.
        chosen: The remedies.
        opened: How the closed gates fare after them.
        further: Further samples that would make the worth surer.
        basis: What these tell of.
        segments: The scope; None for everything.
        prices: What measuring costs.
        policy: The thresholds.
        seed: Seed of the run.

    Returns:
        The worth of its plan where no further sample is needed and nothing is learned (else the most it can be, or
        minus infinity where one is needed), the most that it can be with a further sample, and whether something has
        no price.
    """
    e = valuer.economics
    effect = valuer.effect_of(chosen, segments, approved=opened.approved)
    scope = valuer.scope(segments)
    brings = stream_of(
        scope,
        e,
        valuer.measured.rates.severity,
        extra_minutes=effect.minutes,
        error_kept=effect.kept,
        extra_cost=effect.cost,
    )
    assert brings is not None
    paid = cost_of(opened.measures, prices)
    schedule = valuer.schedule_of(chosen, one_off=paid, delay=length_of(opened.measures))
    off = 0.0 if segments is None else valuer.picked.get(segments, 0.0)
    worth = present_value(brings, e, schedule) - off
    passes = opened.mended
    for m in opened.measures:
        if m.gate == "severe_errors":
            passes = passes * show_severe(m.n, segments, valuer, policy, seed)
    lost = lost_by_then(e, schedule)
    priced = all(m.price is not None for m in opened.measures) and all(r.priced for r in chosen)
    waits = bool(opened.unpriced) or not priced
    learned = any(any(m.learned) for m in opened.measures)
    total, needed = float(passes.sum()), policy.scale_probability
    chance = float((passes * (worth > policy.hurdle)).sum()) / total if total > 0 else 0.0
    if chance >= needed and not learned:
        return float((passes * worth - (1 - passes) * lost).mean()), -np.inf, waits
    # A sample tells no more than the largest does; who knows that much stops where going on loses.
    shares = [
        max((m.learned[i] for m in (opened.measures if learned else further)), default=0.0) for i in (0, 1)
    ]
    told = basis.split(worth)
    expected = expected_after(told, shares)
    spare = NOISE * float(np.std(worth - expected)) / worth.size**0.5
    knowing = float((passes * np.maximum(expected + lost, 0.0)).mean()) + spare - lost
    if learned:
        return knowing, -np.inf, waits
    if waits and chance < SELDOM * MORE_LIKELY * needed:
        return -np.inf, -np.inf, waits
    cheapest = min((cost_of([m], prices) for m in further), default=np.inf)
    return -np.inf, knowing - max(cheapest - paid, 0.0), waits
