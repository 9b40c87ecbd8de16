"""What it does to counts that cases of one unit are alike, and that units are few or unequal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from roi.draws import t_quantile
from roi.moments import Moments

__all__ = [
    "ASSUMED_CORRELATION",
    "correlation_within",
    "degrees_of_a_mean",
    "design_effect",
    "effect_on_counts",
    "effective_units",
    "intra_unit_correlation",
    "likely_correlation",
    "rate_effect",
    "unit_counts",
    "worked_both",
]

Floats = npt.NDArray[np.float64]

ASSUMED_CORRELATION = 0.1  # of outcomes within a worker
WORTH_OF_ASSUMED = 10.0  # units' worth of trust in it, before units show that they are more alike than that


def unit_counts(moments: Moments, rows: npt.NDArray[np.bool_], values: npt.NDArray[np.int64]) -> Floats:
    """Sums of `values` over the rows of each unit, shape (units,)."""
    size = int(moments.unit.max()) + 1 if moments.unit.size else 0
    return np.bincount(moments.unit[rows], weights=values[rows], minlength=size).astype(np.float64)


def effective_units(n: Floats) -> float:
    """Units of equal size that say as much, (Σ n)² / Σ n² (Kish 1965); `n` holds cases a unit, shape (units,)."""
    return float(n.sum()) ** 2 / float((n * n).sum())


def worked_both(moments: Moments) -> bool:
    """Whether at least half of the units have cases in both arms."""
    base, pilot = (np.unique(moments.unit[moments.arm == a]) for a in (0, 1))
    both = np.intersect1d(base, pilot).size
    return bool(both > 0 and 2 * both >= np.union1d(base, pilot).size)


def correlation_within(moments: Moments, arm: int, outcome: int = 1) -> float:
    """Correlation of an outcome within a worker: as sampled, at the least 0.1; 0 where cases are the unit.

    This is for bounds that must hold. For money, see `rate_effect`.
    """
    if moments.unit_kind == "case" and not moments.few_workers:
        return 0.0
    return max(_seen_correlation(moments, arm, outcome), ASSUMED_CORRELATION)


def _seen_correlation(moments: Moments, arm: int, outcome: int = 1) -> float:
    rows = moments.arm == arm
    return intra_unit_correlation(
        unit_counts(moments, rows, moments.outcome[:, outcome]), unit_counts(moments, rows, moments.labelled)
    )


def effect_on_counts(moments: Moments, arm: int, rows: npt.NDArray[np.bool_], correlation: float) -> float:
    """How many labelled cases of an arm among some rows are worth one independent case."""
    n = unit_counts(moments, rows & (moments.arm == arm), moments.labelled)
    if moments.few_workers and moments.workers:
        workers = max(moments.workers.get(("baseline", "pilot")[arm], 0), 1)
        n = np.full(workers, n.sum() / workers)
    return design_effect(n, correlation)


def _for_few_units(moments: Moments, arm: int, seen: float) -> float:
    """How much less cases are worth whose units are few: the squared ratio of t's to the normal's quantile.

    Only for what was seen of how units differ; what is taken for granted is not estimated from few of them.
    """
    if moments.unit_kind == "case" or moments.few_workers or not seen > ASSUMED_CORRELATION:
        return 1.0
    df = degrees_of_a_mean(unit_counts(moments, moments.arm == arm, moments.labelled))
    ratio = float((t_quantile(0.95, df) / t_quantile(0.95, np.inf)) ** 2)
    return 1 + (ratio - 1) * (1 - ASSUMED_CORRELATION / seen)


def likely_correlation(moments: Moments, arm: int) -> float:
    """Correlation of errors within a worker: as sampled where that is more than 0.1, else drawn towards 0.1.

    What is assumed weighs ten units, so that four workers say little against it and thirty say much.
    """
    if moments.unit_kind == "case" and not moments.few_workers:
        return 0.0
    seen = _seen_correlation(moments, arm)
    units = np.unique(moments.unit[(moments.arm == arm) & (moments.labelled > 0)]).size
    known = 0.0 if moments.few_workers else max(units - 1.0, 0.0)
    drawn = (WORTH_OF_ASSUMED * ASSUMED_CORRELATION + known * seen) / (WORTH_OF_ASSUMED + known)
    return max(seen, drawn) if known > 0 else max(seen, ASSUMED_CORRELATION)


def rate_effect(moments: Moments, arm: int) -> float:
    """How many labelled cases of an arm are worth one independent case, when the rate of any error is drawn."""
    rows = np.ones(moments.arm.size, dtype=bool)
    effect = effect_on_counts(moments, arm, rows, likely_correlation(moments, arm))
    return effect * _for_few_units(moments, arm, _seen_correlation(moments, arm))


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
