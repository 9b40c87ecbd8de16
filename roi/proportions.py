"""Shares of counted things, many at once: exact intervals, differences of two, and tests of many of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from roi.special import bdtr, betaincinv, chdtrc, ndtri

__all__ = ["adjusted", "difference", "exact_interval", "homogeneity", "ranks"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def exact_interval(hits: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.90) -> tuple[Floats, Floats]:
    """Exact (Clopper & Pearson) two-sided intervals of shares.

    Args:
        hits: Events, any shape, `0 <= hits <= n`.
        n: Trials, the same shape.
        level: Coverage in (0, 1); each end alone holds with (1 + level) / 2.

    Returns:
        Lower and upper ends, of that shape; (0, 1) without trials.

    Source:
        Clopper & Pearson (1934), Biometrika 26:404.
    """
    x, m = np.broadcast_arrays(np.asarray(hits, dtype=np.float64), np.asarray(n, dtype=np.float64))
    if not (np.all(x >= 0) and np.all(x <= m) and 0 < level < 1):
        raise ValueError(f"exact_interval needs 0 <= hits <= n and a level in (0, 1), not {level}")
    tail = (1 - level) / 2
    low = np.where(x > 0, betaincinv(np.maximum(x, 1.0), m - x + 1, tail), 0.0)
    high = np.where(x < m, betaincinv(x + 1, np.maximum(m - x, 1.0), 1 - tail), 1.0)
    return low, high


def difference(hits: tuple[float, float], n: tuple[float, float], level: float = 0.90) -> tuple[float, float]:
    """Interval of one share minus another of independent samples: Newcombe's hybrid of two score intervals.

    Args:
        hits: Events of both.
        n: Trials of both, at least 1 each.
        level: Coverage in (0, 1).

    Source:
        Newcombe (1998), Statistics in Medicine 17:873, method 10.
    """
    if not all(0 <= x <= m and m >= 1 for x, m in zip(hits, n, strict=True)):
        raise ValueError(f"difference needs 0 <= hits <= n and n >= 1, not {hits} of {n}")
    z = float(ndtri((1 + level) / 2))
    (p, l1, u1), (q, l2, u2) = (_score(x, m, z) for x, m in zip(hits, n, strict=True))
    gap = p - q
    return (
        float(gap - np.sqrt((p - l1) ** 2 + (u2 - q) ** 2)),
        float(gap + np.sqrt((u1 - p) ** 2 + (q - l2) ** 2)),
    )


def _score(x: float, m: float, z: float) -> tuple[float, float, float]:
    """A share and both ends of Wilson's interval."""
    p = x / m
    middle = (p + z * z / (2 * m)) / (1 + z * z / m)
    half = z * np.sqrt(p * (1 - p) / m + z * z / (4 * m * m)) / (1 + z * z / m)
    return p, max(middle - half, 0.0), min(middle + half, 1.0)


def ranks(n: int, share: float, level: float = 0.90) -> tuple[int, int] | None:
    """Which of `n` sorted values bound a quantile, whatever they are distributed like.

    Args:
        n: How many values.
        share: Which quantile, in (0, 1).
        level: Coverage, at least.

    Returns:
        Ranks from 1 to `n` of both ends; None where so few values cannot bound it on both sides.

    Source:
        David & Nagaraja (2003), Order Statistics, section 7.1: the number of values below the quantile is binomial.
    """
    if not (n >= 0 and 0 < share < 1 and 0 < level < 1):
        raise ValueError(f"ranks needs n >= 0 and shares in (0, 1), not {n}, {share}, {level}")
    tail = (1 - level) / 2
    spread = 12 * np.sqrt(n * share * (1 - share)) + 12
    k = np.arange(max(0, int(n * share - spread)), min(n, int(n * share + spread)) + 1)
    if not n:
        return None
    below = bdtr(k.astype(np.float64), n, share)  # P(at most k values lie below the quantile)
    low = k[below <= tail]
    high = k[below >= 1 - tail]
    # The value of rank r lies above the quantile where fewer than r values lie below it.
    if not low.size or not high.size or high[0] + 1 > n:
        return None
    return int(low[-1]) + 1, int(high[0]) + 1


def homogeneity(counts: Ints, least: float = 5.0) -> tuple[float, float] | None:
    """How far two distributions over the same bins are apart, and how often chance alone brings that about.

    Bins that few are expected in are put together, the rarest with the next, so that the test keeps its level.

    Args:
        counts: Shape (2, bins): how many of each sample fall into each bin.
        least: Fewest expected in a bin of either sample (Cochran's rule).

    Returns:
        Total-variation distance of the shares in [0, 1] over the bins as they are, and the p-value of Pearson's
        chi-squared test; None where fewer than two bins are left to compare.

    Source:
        Cochran (1954), Biometrics 10:417.
    """
    # Plain numbers: bins are few and fields many, and an array of a dozen costs more than it saves.
    first, second = (list(map(float, row)) for row in np.asarray(counts).tolist())
    sizes = sum(first), sum(second)
    bins = sorted((pair for pair in zip(first, second, strict=True) if sum(pair) > 0), key=sum)
    if not min(sizes) > 0:
        return None
    distance = sum(abs(x / sizes[0] - y / sizes[1]) for x, y in bins) / 2
    whole = sum(sizes)
    needed, several = least * whole / min(sizes), len(bins) > 1
    while len(bins) > 1 and sum(bins[0]) < needed:
        bins[1] = (bins[0][0] + bins[1][0], bins[0][1] + bins[1][1])
        bins = sorted(bins[1:], key=sum)
    if len(bins) < 2:
        # One value throughout cannot have moved; several of which nothing is left to compare are too few.
        return None if several or min(sizes) < least else (0.0, 1.0)
    statistic = 0.0
    for pair in bins:
        for x, size in zip(pair, sizes, strict=True):
            expected = size * sum(pair) / whole
            statistic += (x - expected) ** 2 / expected
    return distance, float(chdtrc(len(bins) - 1, statistic))


def adjusted(p: Floats) -> Floats:
    """P-values of many tests as shares of false findings: what is at most q finds at most q of them falsely.

    Args:
        p: Shape (tests,), each in [0, 1].

    Source:
        Benjamini & Hochberg (1995), JRSS B 57:289.
    """
    n = p.size
    order = np.argsort(p, kind="stable")
    steps = p[order] * n / np.arange(1, n + 1)
    found = np.empty(n)
    found[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return found
