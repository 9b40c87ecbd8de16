"""Shapes of single quantities: what a joint t becomes for a skewed mean and for a rate.

The joint draws carry how quantities move together. Here some of them get a shape of their own: the mean of costs, which
are skewed and cannot be set off against another arm's, a long right side; a rate its exact interval.

Source:
    Johnson (1978), JASA 73:536, on why the t interval of a skewed mean has to reach further on the long side; Clopper &
    Pearson (1934), Biometrika 26:404, and Kerman (2011), Electronic Journal of Statistics 5:1450, for the ends and the
    middle of a rate.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from roi.special import betaincinv, ndtr, ndtri, stdtrit

__all__ = ["rate_draws", "stretched"]

Floats = npt.NDArray[np.float64]

_Z: Floats = np.linspace(-4.0, 4.0, 81)
_U: Floats = ndtr(_Z)
_WIDTH: Floats = np.diff(ndtr(np.concatenate([[-np.inf], (_Z[1:] + _Z[:-1]) / 2, [np.inf]])))
_Z95 = float(ndtri(0.95))
_PATH: Floats = np.log(np.minimum(_U / 0.95, 1.0))
MOST_STRETCH = 2.6  # no log-normal is much more lopsided about its mean
LOWEST = 0.95  # of the mean, that the P5 lies below it at the most


@lru_cache(maxsize=512)
def _t_grid(df: float) -> Floats:
    return _Z if np.isinf(df) else np.asarray(stdtrit(df, _U), dtype=np.float64)


def stretched(standard: Floats, df: float, own_df: float, relative_error: float, *, stretch: float) -> Floats:
    """Give t draws the long right side that the mean of a few skewed values has: the mean stays 0, the P95 moves up.

    A few cases rarely hold one of the dear ones, and then both the mean and its error are too small. By how much the
    upper end has to move was calibrated on log-normal minutes and costs (`benchmarks/coverage.py`).

    Args:
        standard: Draws of a t with `df` degrees of freedom, shape (n_draws,).
        df: Degrees of freedom of the joint draws; may be infinite.
        own_df: Degrees of freedom of this mean.
        relative_error: Standard error of the mean over the mean, above 0.
        stretch: The P95 lies 1 + stretch × relative_error times as far from the mean as the t's.

    Returns:
        Deviations as a share of the mean, above −1, shape (n_draws,): a shifted log-normal whose P5 is that of the
        mean's own t.
    """
    t = _Z95 if np.isinf(own_df) else float(stdtrit(own_df, 0.95))
    below = min(t * relative_error, LOWEST)
    ratio = min(max(t * relative_error * (1 + stretch * relative_error) / below, 1.005), MOST_STRETCH)
    sigma = _sigma_of(round(ratio, 4))
    middle = float(np.exp(sigma * sigma / 2))
    shape = below * (np.exp(sigma * _Z) - middle) / (middle - np.exp(-sigma * _Z95))
    drawn = np.maximum(1 + np.interp(standard, _t_grid(df), shape), 0.0)
    return np.asarray(drawn / drawn.mean() - 1, dtype=np.float64)


@lru_cache(maxsize=1024)
def _sigma_of(ratio: float) -> float:
    """Spread of the log-normal whose P95 is `ratio` times as far from its mean as its P5."""
    low, high = 1e-6, 1.4
    for _ in range(60):
        sigma = (low + high) / 2
        middle = np.exp(sigma * sigma / 2)
        found = (np.exp(sigma * _Z95) - middle) / (middle - np.exp(-sigma * _Z95))
        low, high = (sigma, high) if found < ratio else (low, sigma)
    return low


def rate_draws(standard: Floats, df: float, hits: float, others: float, reach: float) -> Floats:
    """Draws of a rate with the exact interval at its ends and the mean of its beta distribution.

    Args:
        standard: Draws of a t with `df` degrees of freedom, shape (n_draws,), which say where each draw lies.
        df: Degrees of freedom; may be infinite.
        hits: Events and half an event (or the segment's part of it), above 0.
        others: The others likewise, above 0.
        reach: By how much of an event the ends reach further than the beta's; with the half that is in `hits` and
            `others` they are the bounds of Clopper & Pearson, at 95 % each.

    Returns:
        Shape (n_draws,), in [0, 1]; the mean is hits / (hits + others).
    """
    if not (hits >= reach >= 0 and others >= reach and hits > 0 and others > 0):
        raise ValueError(
            f"a rate needs hits and others above 0 and at least reach, not {hits}, {others}, {reach}"
        )
    mean = hits / (hits + others)
    drawn = np.interp(standard, _t_grid(df), _rate_grid(hits, others, reach))
    found = float(drawn.mean())
    return np.minimum(drawn * (mean / found), 1.0) if found > 0 else np.full(drawn.size, mean)


@lru_cache(maxsize=512)
def _rate_grid(hits: float, others: float, reach: float) -> Floats:
    """Quantiles of a rate at those of the grid; kept, for one decision asks for the same ones time and again."""
    low = _beta_quantiles(hits - reach, others + reach)
    high = _beta_quantiles(hits + reach, others - reach)
    mean = hits / (hits + others)
    # From the lower end's quantiles to the upper's by a power that puts the mean where it belongs.
    missing, gap = mean - float((_WIDTH * low).sum()), _WIDTH * (high - low)
    least, most = 0.1, 60.0
    for _ in range(30):
        power = (least + most) / 2
        least, most = (
            (power, most) if float((np.exp(power * _PATH) * gap).sum()) > missing else (least, power)
        )
    return np.asarray(low + np.exp(least * _PATH) * (high - low), dtype=np.float64)


def _beta_quantiles(a: float, b: float) -> Floats:
    if not a > 1e-12:
        return np.zeros(_U.size)
    if not b > 1e-12:
        return np.ones(_U.size)
    return np.asarray(betaincinv(a, b, _U), dtype=np.float64)
