"""Tests that compare the arms or follow them through time, from small arrays of counts and sums.

Source:
    Fabijan et al. (2019), KDD, for shares; Liang & Zeger (1986), Biometrika 73:13, and Bell & McCaffrey (2002), Survey
    Methodology 28:169, for variances over units and their degrees of freedom; Satterthwaite (1946), Biometrics
    Bulletin 2:110, for two arms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.draws import stream, t_quantile
from roi.special import bdtr, bdtrc, chdtrc, stdtr

__all__ = [
    "Contrast",
    "Trend",
    "binomial_p",
    "chance_apart",
    "contrast",
    "homogeneity_p",
    "permutation_p",
    "pooled_groups",
    "trend",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEAST_EXPECTED = (
    5.0  # cases of the smaller arm in a group, below which the chi-squared distribution does not hold
)
SHUFFLES = (199, 4800)  # workers' arms are shuffled so often, the second time only where the first looks odd
FEWEST_UNITS = 4  # for a variance over units
FEWEST_CASES = 20  # for a trend


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A difference between the arms.

    Attributes:
        means: Of the baseline and the pilot arm.
        difference: Pilot minus baseline.
        standardised: The difference in standard deviations of a case.
        p: Two-sided, over independent units.
    """

    means: tuple[float, float]
    difference: float
    standardised: float
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A linear trend of human minutes over an arm's time, people and kinds of case held fixed.

    Attributes:
        slope: Minutes an hour of the calendar.
        change: From the arm's first to its last case, minutes.
        low: Low end of the 90 % interval of the change.
        high: Its high end.
        p: Two-sided.
        df: Degrees of freedom.
        n: Cases.
    """

    slope: float
    change: float
    low: float
    high: float
    p: float
    df: float
    n: int


def binomial_p(hits: int, n: int, share: float) -> float:
    """Exact two-sided p of `hits` out of `n` at a stated share: twice the smaller tail."""
    if n == 0:
        return 1.0
    below, above = float(bdtr(hits, n, share)), float(bdtrc(hits - 1, n, share)) if hits else 1.0
    return min(1.0, 2 * min(below, above))


def chance_apart(first: int, second: int) -> float:
    """Chance that, in random order, all of one group come before all of the other."""
    few, total = min(first, second), first + second
    return min(
        1.0, 2 * math.exp(math.lgamma(few + 1) + math.lgamma(total - few + 1) - math.lgamma(total + 1))
    )


def pooled_groups(counts: Floats, *, ordered: bool) -> Ints:
    """Take columns together until each group may expect enough cases of both arms.

    Args:
        counts: Cases, shape (2, columns).
        ordered: Whether only neighbours may be taken together.

    Returns:
        The group of each column, shape (columns,).
    """
    size = counts.sum(axis=0)
    smaller = float(counts.sum(axis=1).min() / max(counts.sum(), 1.0))
    enough = size * smaller >= LEAST_EXPECTED
    if not ordered:
        if not enough.any():
            return np.zeros(size.size, dtype=np.int64)
        groups = np.cumsum(enough) - 1
        rest = ~enough
        if rest.any():
            alone = float(size[rest].sum()) * smaller >= LEAST_EXPECTED
            smallest = int(groups[enough][np.argmin(size[enough])])
            groups[rest] = int(enough.sum()) if alone else smallest
        return groups.astype(np.int64)
    groups = np.zeros(size.size, dtype=np.int64)
    group, held = 0, 0.0
    for i, n in enumerate(size):
        groups[i] = group
        held += float(n) * smaller
        if held >= LEAST_EXPECTED:
            group, held = group + 1, 0.0
    if held > 0 and group > 0:
        groups[groups == group] = group - 1
    return groups


def _pearson(counts: Floats) -> Floats:
    """Pearson's chi-squared of homogeneity; shape (..., 2, groups) to (...)."""
    row, column = counts.sum(axis=-1, keepdims=True), counts.sum(axis=-2, keepdims=True)
    expected = row * column / counts.sum(axis=(-2, -1), keepdims=True)
    gap = np.where(expected > 0, (counts - expected) ** 2 / np.where(expected > 0, expected, 1.0), 0.0)
    return np.asarray(gap.sum(axis=(-2, -1)), dtype=np.float64)


def _grouped(counts: Floats, groups: Ints) -> Floats:
    """Sum the last axis by group."""
    return np.stack([counts[..., groups == g].sum(axis=-1) for g in np.unique(groups)], axis=-1)


def homogeneity_p(counts: Floats, groups: Ints) -> float | None:
    """Is the arms' share the same in every group, cases being independent?

    Args:
        counts: Cases, shape (2, columns).
        groups: Group of each column.

    Returns:
        p of Pearson's chi-squared; None where there is nothing to compare.
    """
    table = _grouped(counts, groups)
    if table.shape[1] < 2 or (table.sum(axis=1) == 0).any():
        return None
    return float(chdtrc(table.shape[1] - 1, float(_pearson(table))))


def permutation_p(by_unit: Floats, groups: Ints, *, least: float = 0.001) -> float | None:
    """The same where whole workers were assigned: workers' arms are shuffled.

    Args:
        by_unit: Cases by unit, arm and column, shape (units, 2, columns).
        groups: Group of each column.
        least: The level to be reached.

    Returns:
        p; None where so few units cannot show anything at that level.

    Source:
        Fisher (1935), The Design of Experiments, section 21.
    """
    cases = by_unit.sum(axis=(1, 2))
    by_unit = by_unit[cases > 0]
    arm = by_unit[:, 1].sum(axis=1) > by_unit[:, 0].sum(axis=1)
    few = min(int(arm.sum()), int((~arm).sum()))
    if few == 0 or math.comb(arm.size, few) * least < 2 or np.unique(groups).size < 2:
        return None
    table = _grouped(by_unit.sum(axis=1), groups)  # (units, groups)

    def statistic(pilot: Floats) -> Floats:
        inside = np.einsum("pu,ug->pg", pilot, table, optimize=False)
        return _pearson(np.stack([table.sum(axis=0) - inside, inside], axis=-2))

    seen = float(statistic(arm[None, :].astype(np.float64))[0])
    rng = stream(0, "comparability")
    hits, made = 0, 0
    for more in SHUFFLES:
        shuffled = rng.permuted(np.tile(arm, (more, 1)), axis=1).astype(np.float64)
        hits += int((statistic(shuffled) >= seen * (1 - 1e-12)).sum())
        made += more
        if hits > 4:
            break
    return (hits + 1) / (made + 1)


def contrast(n: Floats, total: Floats, squares: Floats) -> Contrast | None:
    """Difference of an arm's mean from the other's, over independent units.

    Args:
        n: Cases by unit and arm, shape (units, 2).
        total: Sums over them.
        squares: Sums of squares.

    Returns:
        The difference; None with fewer than two units in an arm, four in all, or nothing that varies.
    """
    size = n.sum(axis=0)
    units = (n > 0).sum(axis=0)
    everyone = int((n.sum(axis=1) > 0).sum())
    if (units < 2).any() or everyone < FEWEST_UNITS:
        return None
    mean = total.sum(axis=0) / size
    variance = np.maximum(squares.sum(axis=0) / size - mean**2, 0.0)
    sd = math.sqrt(float(variance.mean()))
    share = n / size
    score = (total - mean * n) / size / np.sqrt(np.where(share < 1, 1 - share, 1.0))
    difference = float(mean[1] - mean[0])
    both = int(((n > 0).all(axis=1)).sum())
    if 2 * both >= everyone:
        spread, df = float(((score[:, 1] - score[:, 0]) ** 2).sum()), max(both - 1.0, 1.0)
    else:
        each = (score**2).sum(axis=0)
        spread = float(each.sum())
        lower = float((each**2 / (units - 1)).sum())
        df = spread**2 / lower if lower > 0 else float(units.min() - 1)
    if not sd > 0 or not spread > 0:
        return None
    return Contrast(
        means=(float(mean[0]), float(mean[1])),
        difference=difference,
        standardised=difference / sd,
        p=float(2 * stdtr(df, -abs(difference) / math.sqrt(spread))),
    )


def trend(
    unit: Ints, cell: Ints, n: Floats, t: Floats, tt: Floats, y: Floats, ty: Floats, *, span: float
) -> Trend | None:
    """Slope of minutes over time within cells, robust to whatever units have in common.

    Args:
        unit: The independent unit of each row, shape (rows,).
        cell: What is held fixed (a person's cases of a kind), shape (rows,).
        n: Cases, shape (rows,); the others are sums over them.
        t: Sum of time.
        tt: Sum of squared time.
        y: Sum of minutes.
        ty: Sum of time × minutes.
        span: Time from the first to the last case.

    Returns:
        The trend; None with too few cases or units, or without two times.
    """
    if not n.size or n.sum() < FEWEST_CASES or not span > 0:
        return None
    some = n > 0
    n, t, tt, y, ty = (values[some] for values in (n, t, tt, y, ty))
    _, cell = np.unique(cell[some], return_inverse=True)
    _, unit = np.unique(unit[some], return_inverse=True)

    def mean_of(values: Floats) -> Floats:
        return (np.bincount(cell, weights=values) / np.bincount(cell, weights=n))[cell]

    t0, y0 = mean_of(t), mean_of(y)
    stt = tt - 2 * t0 * t + n * t0 * t0  # about the cell's mean, whichever rows it is spread over
    sty = ty - t0 * y - y0 * t + n * t0 * y0
    whole = float(stt.sum())
    g = np.bincount(unit, weights=stt)
    units = int((g > 1e-9 * whole).sum())
    if units < FEWEST_UNITS or not whole > 0:
        return None
    slope = float(sty.sum()) / whole
    score = np.bincount(unit, weights=sty - slope * stt)
    share = g / whole
    if (share > 0.9).any():
        return None
    adjust = 1 / (1 - share)
    variance = float((score**2 * adjust).sum()) / whole**2
    square = adjust * share**2
    off = float(square.sum()) ** 2 - float((square**2).sum())
    df = 1 / (float((share**2).sum()) + off)
    if not variance > 0:
        return None
    error = math.sqrt(variance)
    half = t_quantile(0.95, df) * error
    return Trend(
        slope=slope,
        change=slope * span,
        low=(slope - half) * span,
        high=(slope + half) * span,
        p=float(2 * stdtr(df, -abs(slope) / error)),
        df=df,
        n=int(n.sum()),
    )
