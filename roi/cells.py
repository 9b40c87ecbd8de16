"""Means of arms and segments with their joint sampling error, from moments.

A cell is an arm in a segment. The linearised (delta-method) covariance of all cell means is taken over the
independent units, so that whatever is built from the means later keeps its correlation.

Source:
    Liang & Zeger (1986), Biometrika 73:13, for the cluster-robust covariance; Bell & McCaffrey (2002), Survey
    Methodology 28:169, for its correction (a unit's score is divided by the root of 1 − its share of the cell; where
    units are alike the variance grows by units / (units − 1)) and its degrees of freedom; Satterthwaite (1946),
    Biometrics Bulletin 2:110, for two arms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.clusters import degrees_of_a_mean, effective_units, rate_effect, unit_counts, worked_both
from roi.covariate import Adjusted
from roi.draws import joint_t_draws, normal_draws, stream
from roi.marginals import stretched
from roi.moments import Moments
from roi.scores import RATES, Column, Scores, scores_of

__all__ = [
    "CellDraws",
    "cell_draws",
    "degrees_of_freedom",
]

Floats = npt.NDArray[np.float64]

OF_COSTS = 2.5  # stretch of the upper end of the mean of costs, for which no other arm makes up
OF_SHARED_WORKERS = (
    1.0  # of minutes whose workers worked both arms: a slow one saves more, and few samples hold one
)
OF_SMALL_ARM = 8.0  # of minutes of an arm much smaller than the other: their skews do not cancel
MUCH = 1.5  # times the other arm's relative error, as their numbers of units let expect it
PRIOR_WEIGHT = 1.3  # events' worth of trust, before any is seen, in both arms erring alike


@dataclass(frozen=True, slots=True, kw_only=True)
class CellDraws:
    """Draws of the mean of each statistic in each cell.

    Attributes:
        values: By statistic: shape (2 arms, segments, n_draws), NaN where the cell has no such case.
        point: By statistic: the estimates, shape (2, segments), NaN likewise.
        deviation: By statistic: standard error, shape (2, segments), NaN likewise.
        df: Degrees of freedom of the difference between arms.
        units: Independent units in each arm, shape (2,).
        rates: By column of a rate: where its draws lie, as a standard t with these degrees of freedom, shape
            (n_draws,).
        adjusted: What a covariate did to the minutes; None where there is none to use.
        covariate_gain: Share of the variance of minutes saved that it takes away; None likewise.
    """

    values: dict[str, Floats]
    point: dict[str, Floats]
    deviation: dict[str, Floats]
    df: float
    units: tuple[int, int]
    rates: dict[Column, Floats]
    adjusted: Adjusted | None
    covariate_gain: float | None


def cell_draws(moments: Moments, weights: Floats, *, draws: int, seed: int) -> CellDraws:
    """Draw the cell means jointly.

    Args:
        moments: Moments of the production cases.
        weights: Production share of each segment, shape (segments,).
        draws: Number of draws, even.
        seed: Seed of the run.

    Returns:
        Draws of every cell mean: their mean is the estimate, their P5 and P95 are the t interval, moved up for what is
        skewed, and they are never negative.
    """
    s_count = len(moments.segments)
    scores = scores_of(moments, weights)
    covariance = scores.covariance
    errors = np.sqrt(np.diag(covariance)) if covariance.size else np.zeros(0)
    df = degrees_of_freedom(scores, moments, weights)
    seen = errors > 0
    scale = np.where(seen, errors, 1.0)
    correlation = _errors_alike(covariance / scale / scale[:, None], seen, scores, moments)
    standard = joint_t_draws(correlation, df, draws, stream(seed, "cells")).T
    values = {name: np.full((2, s_count, draws), np.nan) for name in moments.statistics}
    point = {name: np.full((2, s_count), np.nan) for name in moments.statistics}
    deviation = {name: np.full((2, s_count), np.nan) for name in moments.statistics}
    means = [i for i, c in enumerate(scores.columns) if c.name not in RATES]
    shared = worked_both(moments)
    together = shared and moments.unit_kind == "worker"
    kept = _in_range(
        errors[means, None] * standard[means], scores.means[means], [scores.columns[i] for i in means]
    )
    for own, i in zip(kept, means, strict=True):
        column, mean, error = scores.columns[i], float(scores.means[i]), float(errors[i])
        if error > 0 and mean > 0 and column.name.startswith("agent_cost:"):
            alone = degrees_of_a_mean(unit_counts(moments, moments.arm == column.arm, moments.n))
            own = mean * stretched(own / error, df, alone, error / mean, stretch=OF_COSTS)
        elif error > 0 and mean > 0 and together:
            own = mean * stretched(own / error, df, df, error / mean, stretch=OF_SHARED_WORKERS)
        elif error > 0 and mean > 0 and not shared and (more := _less_known(scores, moments, i)) > 0:
            own = mean * stretched(own / error, df, df, error / mean, stretch=OF_SMALL_ARM * more)
        values[column.name][column.arm, column.segment] = np.maximum(mean + own, 0.0)
        point[column.name][column.arm, column.segment] = mean
        deviation[column.name][column.arm, column.segment] = error
    rates = {c: standard[i] for i, c in enumerate(scores.columns) if c.name in RATES}
    both = tuple(int(np.unique(moments.unit[moments.arm == a]).size) for a in (0, 1))
    return CellDraws(
        values=values,
        point=point,
        deviation=deviation,
        df=df,
        units=(both[0], both[1]),
        rates=rates,
        adjusted=scores.adjusted,
        covariate_gain=scores.gain,
    )


def _errors_alike(
    correlation: Floats, seen: npt.NDArray[np.bool_], scores: Scores, moments: Moments
) -> Floats:
    """Let the arms' error rates move together as far as too few events were seen to tell them apart.

    Each arm keeps its own interval. Before anything is seen both are taken to err alike: that is worth `PRIOR_WEIGHT`
    events in each arm, and the product of its shares of what is known there is what the rates have in common
    (calibrated by `benchmarks/coverage.py`).

    Args:
        correlation: Correlation of the columns, shape (columns, columns); rows of columns without an error are 0.
        seen: Whether a column has an error, shape (columns,).
        scores: What the columns are.
        moments: The moments.

    Returns:
        Shape of `correlation`, with a diagonal of 1.
    """
    result = correlation.copy()
    np.fill_diagonal(result, 1.0)
    for s in range(len(moments.segments)):
        pair = [scores.at(arm, s, "error") for arm in (0, 1)]
        if pair[0] is None or pair[1] is None:
            continue
        known = []
        for arm in (0, 1):
            rows = (moments.arm == arm) & (moments.segment == s)
            n, hits = float(moments.labelled[rows].sum()), float(moments.outcome[rows, 1].sum())
            known.append((hits + 0.5) * (n - hits + 0.5) / (n + 1) / rate_effect(moments, arm))
        shared = PRIOR_WEIGHT**2 / ((known[0] + PRIOR_WEIGHT) * (known[1] + PRIOR_WEIGHT))
        for i in pair:
            result[i] *= np.sqrt(1 - shared)
            result[:, i] *= np.sqrt(1 - shared)
        for i in pair:
            for j in pair:
                result[i, j] += shared
    return result


def _less_known(scores: Scores, moments: Moments, i: int) -> float:
    """By how much an arm's mean is less known than the other's in its segment, as a share of its own relative error.

    Told from the numbers of units, not from their estimated errors: of two or three units, one arm always looks much
    less known than the other.
    """
    column = scores.columns[i]
    other = scores.at(1 - column.arm, column.segment, column.name)
    if other is None or not scores.means[other] > 0:
        return 0.0
    own, theirs = (_like_units(moments, scores.columns[j]) for j in (i, other))
    return max(1 - MUCH * math.sqrt(own / theirs), 0.0)


def _like_units(moments: Moments, column: Column) -> float:
    """Units of equal size that say as much as those of a cell (Kish 1965)."""
    inside = (moments.arm == column.arm) & (moments.segment == column.segment)
    return effective_units(unit_counts(moments, inside, moments.n))


def _in_range(deviations: Floats, means: Floats, columns: list[Column]) -> Floats:
    """Shorten deviations of times and costs, which cannot be negative, to between 0 and twice the estimate.

    Both sides are cut at the same distance, which keeps the mean where it is, and both arms of a segment are shortened
    by the same factor, for what workers have in common must go on cancelling in the difference.

    Args:
        deviations: Shape (columns, n_draws).
        means: Shape (columns,).
        columns: What the columns are.

    Returns:
        Shape of `deviations`.
    """
    result = deviations.copy()
    pairs: dict[tuple[int, str], list[int]] = {}
    for i, c in enumerate(columns):
        pairs.setdefault((c.segment, c.name), []).append(i)
    for mine in pairs.values():
        factor = np.ones(deviations.shape[1])
        for i in mine:
            size = np.abs(deviations[i])
            out = size > means[i]
            factor[out] = np.minimum(factor[out], means[i] / size[out])
        result[mine] *= factor
    return np.clip(result, -means[:, None], means[:, None])  # a product may end a last digit outside


def degrees_of_freedom(scores: Scores, moments: Moments, weights: Floats) -> float:
    """Degrees of freedom of the difference between arms.

    Those of the units in both arms where most units worked both; else Satterthwaite's, from those of each arm.

    Args:
        scores: The scores of the columns.
        moments: The moments.
        weights: Production share of each segment, shape (segments,).

    Returns:
        At least 1.
    """
    units = scores.matrix.shape[1]
    cases = [
        np.bincount(
            moments.unit[moments.arm == a], weights=moments.n[moments.arm == a], minlength=units
        ).astype(np.float64)
        for a in (0, 1)
    ]
    both = (cases[0] > 0) & (cases[1] > 0)
    everyone = (cases[0] > 0) | (cases[1] > 0)
    if not cases[0].any() or not cases[1].any() or 2 * both.sum() >= everyone.sum():
        together = np.where(both if both.any() else everyone, cases[0] + cases[1], 0)
        return degrees_of_a_mean(together)
    name = next((n for n in ("human_minutes", *moments.statistics) if n in moments.statistics), "error")
    variance = np.zeros(2)
    for arm in (0, 1):
        score = np.zeros(units)
        for i, c in enumerate(scores.columns):
            if c.name == name and c.arm == arm:
                score = score + weights[c.segment] * scores.matrix[i]
        variance[arm] = float((score * score).sum())
    each = [degrees_of_a_mean(cases[a]) for a in (0, 1)]
    spread = sum(variance[a] ** 2 / each[a] for a in (0, 1))
    return float(max(variance.sum() ** 2 / spread if spread > 0 else min(each), 1.0))


def assumed_spread(
    effect: float, workers: int, *, draws: int, seed: int, name: str = "few_workers", share: float = 0.25
) -> Floats:
    """Spread of an effect between workers where fewer than four were seen: a share of it, assumed; shape (draws,)."""
    scale = share * abs(effect) / math.sqrt(max(workers, 1))
    return scale * normal_draws(draws, stream(seed, name))
