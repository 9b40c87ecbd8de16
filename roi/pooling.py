"""Segments together: weighted to production, and drawn towards each other as far as their differences are noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["overstatement", "own_share", "partially_pooled", "weighted"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def weighted(weight: Floats, values: Floats, drawn: Floats | None = None) -> Floats:
    """Weighted sum over the first axis.

    Args:
        weight: Shape (k,).
        values: Shape (k, n_draws).
        drawn: Draws of the weights around `weight`, shape (k, n_draws); None where these are exact.

    Returns:
        Shape (n_draws,). Its mean is that under the exact weights: drawn ones are independent of the values, and what
        they share by chance is taken out.
    """
    exact = np.asarray((weight[:, None] * values).sum(axis=0), dtype=np.float64)
    if drawn is None:
        return exact
    total = (drawn * values).sum(axis=0)
    return np.asarray(total + (exact.mean() - total.mean()), dtype=np.float64)


def partially_pooled(values: Floats, known: Bools) -> Floats:
    """Draw segment effects towards their common mean (empirical Bayes, method of moments).

    Args:
        values: Shape (segments, n_draws).
        known: Segments that have a value, shape (segments,).

    Returns:
        Shape of `values`; the share of the spread between segments that sampling alone would give is removed.

    Source:
        DerSimonian & Laird (1986), Controlled Clinical Trials 7:177, for the variance between segments.
    """
    kept = own_share(values, known)
    if kept is None:
        return values
    x = values[known]
    mean, precision = x.mean(axis=1), 1 / x.var(axis=1)
    keep = kept[known][:, None]
    middle = (precision[:, None] * x).sum(axis=0) / precision.sum()
    # The pooled draw keeps the posterior spread sqrt(keep) of a segment's own, not keep of it.
    pooled = keep * mean[:, None] + (1 - keep) * middle + np.sqrt(keep) * (x - mean[:, None])
    result = values.copy()
    result[known] = pooled
    return result


def own_share(values: Floats, known: Bools) -> Floats | None:
    """How much of its distance from the common mean each segment keeps when it is drawn towards it.

    Args:
        values: Shape (segments, n_draws).
        known: Segments that have a value, shape (segments,).

    Returns:
        In [0, 1], shape (segments,), NaN for the others; None where fewer than three are known or one does not vary.
    """
    if known.sum() < 3:
        return None
    mean, variance = values[known].mean(axis=1), values[known].var(axis=1)
    if not (variance > 0).all():
        return None
    precision = 1 / variance
    centre = float((precision * mean).sum() / precision.sum())
    q = float((precision * (mean - centre) ** 2).sum())
    scale = float(precision.sum() - (precision**2).sum() / precision.sum())
    between = max(0.0, (q - (mean.size - 1)) / scale)
    kept = np.full(known.size, np.nan)
    kept[known] = between / (between + variance)
    return kept


def overstatement(noise: Floats, means: Floats) -> Floats:
    """By how much the best of several options looks better than it is, because it was picked for looking best.

    What happened is taken to happen again: each draw of the noise is added to the means, the best is picked, and what
    noise did for those that were picked is averaged.

    Args:
        noise: What measuring adds to the worth of each option, jointly, mean 0, shape (options, n_draws).
        means: Expected worth of each option, shape (options,).

    Returns:
        Shape (options,), each at least 0: nothing for an option that is always picked, or never.

    Source:
        Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 10 (bias by resampling); Andrews, Kitagawa
        & McCloskey (2024), Quarterly Journal of Economics 139:305, on the winner's curse.
    """
    best = np.argmax(means[:, None] + noise, axis=0)
    found = np.zeros(means.size)
    for k in range(means.size):
        picked = best == k
        if picked.any():
            found[k] = max(float(noise[k, picked].mean()), 0.0)
    return found
