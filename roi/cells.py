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

from roi.draws import joint_t_draws, normal_draws, stream
from roi.moments import Moments

__all__ = [
    "CellDraws",
    "cell_draws",
    "degrees_of_a_mean",
    "degrees_of_freedom",
    "design_effect",
    "intra_unit_correlation",
]

Floats = npt.NDArray[np.float64]

POOLING = 2.0  # units' worth of trust in the arm's own relative variance, where a cell has few units
ASSUMED_CORRELATION = 0.1  # of outcomes within a worker, at the least


@dataclass(frozen=True, slots=True, kw_only=True)
class CellDraws:
    """Draws of the mean of each statistic in each cell.

    Attributes:
        values: By statistic: shape (2 arms, segments, n_draws), NaN where the cell has no such case.
        point: By statistic: the estimates, shape (2, segments), NaN likewise.
        deviation: By statistic: standard error, shape (2, segments), NaN likewise.
        df: Degrees of freedom of the difference between arms.
        units: Independent units in each arm, shape (2,).
    """

    values: dict[str, Floats]
    point: dict[str, Floats]
    deviation: dict[str, Floats]
    df: float
    units: tuple[int, int]


def cell_draws(moments: Moments, weights: Floats, *, draws: int, seed: int) -> CellDraws:
    """Draw the cell means jointly.

    Args:
        moments: Moments of the production cases.
        weights: Production share of each segment, shape (segments,).
        draws: Number of draws, even.
        seed: Seed of the run.

    Returns:
        Draws of every cell mean; their P5 and P95 are the t interval, their mean is the estimate, and they stay
        between 0 and twice the estimate.
    """
    s_count = len(moments.segments)
    units = int(moments.unit.max()) + 1 if moments.unit.size else 0
    cell = moments.arm * s_count + moments.segment
    n_cells = 2 * s_count
    in_cell = np.array([np.unique(moments.unit[cell == c]).size for c in range(n_cells)])
    index: list[tuple[int, int]] = []  # (cell, statistic) of each column of the scores
    scores: list[Floats] = []
    point = {name: np.full((2, s_count), np.nan) for name in moments.statistics}
    for c in range(n_cells):
        rows = cell == c
        for j, name in enumerate(moments.statistics):
            k = float(moments.count[rows, j].sum())
            if k == 0:
                continue
            mean = float(moments.total[rows, j].sum()) / k
            score = np.zeros(units)
            score[moments.unit[rows]] = (moments.total[rows, j] - mean * moments.count[rows, j]) / k
            leverage = np.zeros(units)
            leverage[moments.unit[rows]] = moments.count[rows, j] / k
            score /= np.sqrt(np.where(leverage < 1, 1 - leverage, 1.0))
            index.append((c, j))
            scores.append(score)
            point[name][c // s_count, c % s_count] = mean
    matrix = np.stack(scores) if scores else np.zeros((0, units))
    means = np.array([point[moments.statistics[j]][c // s_count, c % s_count] for c, j in index])
    alone = _steady(matrix, index, in_cell, moments, means, s_count)
    _impute(matrix, index, means, point, moments, s_count)
    df = degrees_of_freedom(matrix, index, moments, weights)
    covariance = np.einsum("iu,ju->ij", matrix, matrix, optimize=False) + np.diag(alone)
    deviations = joint_t_draws(covariance, df, draws, stream(seed, "cells"))
    kept = means[:, None] + _in_range(deviations.T, means, index, s_count)
    values = {name: np.full((2, s_count, draws), np.nan) for name in moments.statistics}
    deviation = {name: np.full((2, s_count), np.nan) for name in moments.statistics}
    for i, (c, j) in enumerate(index):
        values[moments.statistics[j]][c // s_count, c % s_count] = kept[i]
        deviation[moments.statistics[j]][c // s_count, c % s_count] = np.sqrt(covariance[i, i])
    both = tuple(int(np.unique(moments.unit[moments.arm == a]).size) for a in (0, 1))
    return CellDraws(values=values, point=point, deviation=deviation, df=df, units=(both[0], both[1]))


def _in_range(deviations: Floats, means: Floats, index: list[tuple[int, int]], s_count: int) -> Floats:
    """Shorten deviations of times and costs, which cannot be negative, to between 0 and twice the estimate.

    Both sides are cut at the same distance, which keeps the mean where it is, and both arms of a segment are shortened
    by the same factor, for what workers have in common must go on cancelling in the difference.

    Args:
        deviations: Shape (columns, n_draws).
        means: Shape (columns,).
        index: (cell, statistic) of each column.
        s_count: Number of segments.

    Returns:
        Shape of `deviations`.
    """
    result = deviations.copy()
    pairs: dict[tuple[int, int], list[int]] = {}
    for i, (c, j) in enumerate(index):
        pairs.setdefault((c % s_count, j), []).append(i)
    for columns in pairs.values():
        factor = np.ones(deviations.shape[1])
        for i in columns:
            size = np.abs(deviations[i])
            out = size > means[i]
            factor[out] = np.minimum(factor[out], means[i] / size[out])
        result[columns] *= factor
    return np.clip(result, -means[:, None], means[:, None])  # a product may end a last digit outside


def _steady(
    matrix: Floats,
    index: list[tuple[int, int]],
    in_cell: Floats,
    moments: Moments,
    means: Floats,
    s_count: int,
) -> Floats:
    """Lend a cell of few units the relative variance of its arm; one unit alone shows none.

    Scores are scaled in place. Returned is the variance that no score can carry, shape (columns,).
    """
    alone = np.zeros(len(index))
    variance = np.einsum("iu,iu->i", matrix, matrix, optimize=False)
    for j in range(len(moments.statistics)):
        for arm in (0, 1):
            columns = [i for i, (c, jj) in enumerate(index) if jj == j and c // s_count == arm]
            cells = [index[i][0] for i in columns]
            sizes = np.array([_cases(moments, c, j, s_count) for c in cells], dtype=np.float64)
            trust = np.array([in_cell[c] - 1 for c in cells], dtype=np.float64)
            relative = np.array(
                [
                    variance[i] * k / means[i] ** 2 if means[i] > 0 else 0.0
                    for i, k in zip(columns, sizes, strict=True)
                ]
            )
            if not trust.sum() > 0:
                # Nobody in this arm can be compared with anybody: it varies as the other arm does, or by its mean.
                relative, trust = _other_arm(matrix, index, moments, means, in_cell, j, 1 - arm, s_count)
            elif len(columns) < 2:
                continue
            shared = float((trust * relative).sum() / trust.sum()) if trust.sum() > 0 else 1.0
            trust = np.array([in_cell[c] - 1 for c in cells], dtype=np.float64)
            for i, k, g in zip(columns, sizes, trust, strict=True):
                lent = shared * means[i] ** 2 / k
                wanted = (g * variance[i] + POOLING * lent) / (g + POOLING)
                if variance[i] > 0 and g > 0:
                    matrix[i] *= np.sqrt(wanted / variance[i])
                else:
                    alone[i] = lent
    return alone


def _other_arm(
    matrix: Floats,
    index: list[tuple[int, int]],
    moments: Moments,
    means: Floats,
    in_cell: Floats,
    statistic: int,
    arm: int,
    s_count: int,
) -> tuple[Floats, Floats]:
    """Relative variance a case of the cells of an arm, and the units behind each less one."""
    columns = [i for i, (c, j) in enumerate(index) if j == statistic and c // s_count == arm and means[i] > 0]
    trust = np.array([in_cell[index[i][0]] - 1 for i in columns], dtype=np.float64)
    relative = [
        float((matrix[i] ** 2).sum()) * _cases(moments, index[i][0], statistic, s_count) / means[i] ** 2
        for i in columns
    ]
    return np.array(relative, dtype=np.float64), trust


def _cases(moments: Moments, cell: int, statistic: int, s_count: int) -> int:
    rows = (moments.arm == cell // s_count) & (moments.segment == cell % s_count)
    return int(moments.count[rows, statistic].sum())


def _impute(
    matrix: Floats,
    index: list[tuple[int, int]],
    means: Floats,
    point: dict[str, Floats],
    moments: Moments,
    s_count: int,
) -> None:
    """Charge pilot cases without the minutes of who took over with their segment's baseline mean, in place."""
    human = moments.column("human_minutes")
    if human is None:
        return
    at = {key: i for i, key in enumerate(index)}
    for s in range(s_count):
        pilot, base = at.get((s_count + s, human)), at.get((s, human))
        rows = (moments.arm == 1) & (moments.segment == s)
        imputed = int(moments.imputed[rows].sum())
        if pilot is None or base is None or imputed == 0:
            continue
        share = imputed / int(moments.count[rows, human].sum())
        means[pilot] += share * means[base]
        point["human_minutes"][1, s] = means[pilot]
        matrix[pilot] += share * matrix[base]


def degrees_of_freedom(
    matrix: Floats, index: list[tuple[int, int]], moments: Moments, weights: Floats
) -> float:
    """Degrees of freedom of the difference between arms.

    Those of the units in both arms where most units worked both; else Satterthwaite's, from those of each arm.

    Args:
        matrix: Scores, shape (columns, units).
        index: (cell, statistic) of each column.
        moments: The moments.
        weights: Production share of each segment, shape (segments,).

    Returns:
        At least 1.
    """
    units = matrix.shape[1]
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
    s_count = len(moments.segments)
    statistic = moments.column("human_minutes")
    statistic = 0 if statistic is None else statistic
    variance = np.zeros(2)
    for arm in (0, 1):
        score = np.zeros(units)
        for i, (c, j) in enumerate(index):
            if j == statistic and c // s_count == arm:
                score = score + weights[c % s_count] * matrix[i]
        variance[arm] = float((score * score).sum())
    each = [degrees_of_a_mean(cases[a]) for a in (0, 1)]
    spread = sum(variance[a] ** 2 / each[a] for a in (0, 1))
    return float(max(variance.sum() ** 2 / spread if spread > 0 else min(each), 1.0))


def degrees_of_a_mean(n: Floats) -> float:
    """Degrees of freedom of a mean's cluster-robust variance; units minus 1 where units are alike.

    Few units that do most of the cases leave fewer. What is taken for granted is that cases of a unit correlate by
    `ASSUMED_CORRELATION`; the formula is Satterthwaite's for the quadratic form of the scores, in closed form.

    Args:
        n: Cases a unit, shape (units,).

    Returns:
        At least 1.

    Source:
        Bell & McCaffrey (2002), Survey Methodology 28:169, section 4.
    """
    n = n[n > 0]
    if n.size < 2:
        return 1.0
    share = n / n.sum()
    scale = 1 / (1 - share)
    variance = share * (1 + (n - 1) * ASSUMED_CORRELATION)
    # The form is diag(scale) − b1ᵀ − 1bᵀ + c11ᵀ over the units' sums.
    b = scale * share
    c = float((b * share).sum())
    zero, one, two = (float((variance * b**k).sum()) for k in (0, 1, 2))
    own = scale - 2 * b + c
    trace = float((variance * own).sum())
    square = (c * zero) ** 2 + 2 * zero * two + 2 * one**2 - 4 * c * zero * one
    square += float((variance**2 * (own**2 - (c - 2 * b) ** 2)).sum())
    return (
        round(max(trace**2 / square, 1.0), 9) if square > 0 else 1.0
    )  # 9.0 for ten alike, not 9.000000000000005


def intra_unit_correlation(hits: Floats, n: Floats) -> float:
    """Correlation of outcomes within a unit, by analysis of variance; 0 where it cannot be seen.

    Args:
        hits: Events a unit, shape (units,).
        n: Cases a unit, shape (units,).

    Returns:
        In [0, 1].

    Source:
        Ridout, Demétrio & Firth (1999), Biometrics 55:137, the ANOVA estimator.
    """
    hits, n = hits[n > 0], n[n > 0]
    k, total = n.size, float(n.sum())
    if k < 2 or total <= k:
        return 0.0
    rate = hits / n
    overall = float(hits.sum()) / total
    between = float((n * (rate - overall) ** 2).sum()) / (k - 1)
    within = float((n * rate * (1 - rate)).sum()) / (total - k)
    size = (total - float((n * n).sum()) / total) / (k - 1)
    below = between + (size - 1) * within
    return float(np.clip((between - within) / below, 0, 1)) if below > 0 else 0.0


def design_effect(n: Floats, correlation: float) -> float:
    """How many clustered cases are worth one independent case; `n` holds cases a unit, shape (units,).

    Source:
        Kish (1965), Survey Sampling, chapter 5, with the size-weighted mean cluster size.
    """
    total = float(n.sum())
    if not total > 0:
        return 1.0
    return 1 + (float((n * n).sum()) / total - 1) * correlation


def assumed_spread(effect: float, workers: int, *, draws: int, seed: int) -> Floats:
    """Spread of an effect between workers where fewer than four were seen: 25 % of it, assumed; shape (draws,)."""
    scale = 0.25 * abs(effect) / math.sqrt(max(workers, 1))
    return scale * normal_draws(draws, stream(seed, "few_workers"))
