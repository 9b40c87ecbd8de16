"""The production mix: what share of demand each segment has, and how well that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.clusters import ASSUMED_CORRELATION, design_effect, intra_unit_correlation, unit_counts
from roi.draws import dirichlet_draws, stream
from roi.moments import ALL, Moments

__all__ = ["Weights", "independent_cases", "production_weights"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Production shares of the sampled segments.

    Attributes:
        share: Share of demand, shape (segments,); sums to at most 1.
        covered: Segments with cases in every arm that is needed, shape (segments,).
        uncovered: Names and shares of demand that earn nothing, because nobody sampled it in both arms.
        stated: Whether the parameter file states the mix; else it is taken from the sample, assumed.
        cases: Independent cases that the shares were counted on; None where they are taken as exact.
        drawn: Draws of the shares, shape (segments, n_draws); None where they are taken as exact.
    """

    share: Floats
    covered: Bools
    uncovered: Mapping[str, float]
    stated: bool
    cases: float | None = None
    drawn: Floats | None = None


def production_weights(
    moments: Moments,
    mix: Mapping[str, float] | None,
    *,
    stand_in: bool,
    counted_on: int | None = None,
    draws: int = 0,
    seed: int = 0,
) -> Weights:
    """Weigh segments to production.

    Args:
        moments: Moments of the production cases.
        mix: Production share by segment, summing to 1; None takes the baseline arm's shares (the pilot arm's where
            there is no baseline).
        stand_in: Whether a stated baseline stands in for a missing baseline arm.
        counted_on: Cases on which the stated mix was counted; None where it is exact.
        draws: Number of draws of shares that are themselves a sample; 0 for none.
        seed: Seed of the run.

    Returns:
        The weights. A mix that is taken from the sample is as uncertain as a count of its independent cases.
    """
    arms = [
        np.bincount(
            moments.segment[moments.arm == a],
            weights=moments.n[moments.arm == a],
            minlength=len(moments.segments),
        )
        for a in (0, 1)
    ]
    covered = (arms[1] > 0) & ((arms[0] > 0) | stand_in)
    if mix is None or moments.segments == (ALL,):
        counts = arms[0] if arms[0].sum() > 0 and not stand_in else arms[1]
        share = counts / counts.sum() if counts.sum() > 0 else np.zeros(len(moments.segments))
        stated = moments.segments == (ALL,) and mix is None
    else:
        share = np.array([mix.get(name, 0.0) for name in moments.segments])
        stated = True
    uncovered = {
        name: float(x)
        for name, x, ok in zip(moments.segments, share, covered, strict=True)
        if not ok and x > 0
    }
    if mix is not None and moments.segments != (ALL,):
        uncovered |= {name: x for name, x in mix.items() if name not in moments.segments and x > 0}
    cases = None if counted_on is None else float(counted_on)
    if mix is None and moments.segments != (ALL,):
        cases = independent_cases(moments, 0 if arms[0].sum() > 0 and not stand_in else 1)
    drawn = None
    if cases is not None and draws > 0 and (share > 0).sum() > 1:
        drawn = _drawn_shares(share, cases, draws=draws, seed=seed)
    return Weights(share=share, covered=covered, uncovered=uncovered, stated=stated, cases=cases, drawn=drawn)


def independent_cases(moments: Moments, arm: int) -> float:
    """How many independent cases the segments of an arm were counted on: workers who specialise count for fewer."""
    rows = moments.arm == arm
    n = unit_counts(moments, rows, moments.n)
    total = float(n.sum())
    if moments.unit_kind == "case" or not total > 0:
        return total
    effects = []
    for s in range(len(moments.segments)):
        own = unit_counts(moments, rows & (moments.segment == s), moments.n)
        seen = max(intra_unit_correlation(own, n), ASSUMED_CORRELATION)
        effects.append((float(own.sum()), design_effect(n, seen)))
    return total / (sum(k * effect for k, effect in effects) / total)


def _drawn_shares(share: Floats, cases: float, *, draws: int, seed: int) -> Floats:
    """Draws of shares that were counted, shape (segments, draws); their means are the shares."""
    known = share > 0
    total = float(share.sum())
    drawn = dirichlet_draws(share[known] / total * cases, draws, stream(seed, "mix")).T
    drawn *= (share[known] / total / drawn.mean(axis=1))[:, None]
    result = np.zeros((share.size, draws))
    result[known] = total * drawn / drawn.sum(axis=0)
    return result
