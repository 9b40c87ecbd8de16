"""Two runs of one suite compared case by case: the exact McNemar test, its power, and the cases that it needs."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from roi.special import bdtrc, betainc, gammaln, xlog1py, xlogy

__all__ = ["ALPHA", "DROP", "POWER", "cases_needed", "power_of", "worse_by_chance"]

Floats = npt.NDArray[np.float64]

ALPHA = 0.05  # of a regression, one-sided
DROP = 0.10  # the fall of the pass rate that a suite has to be able to show
POWER = 0.80  # how often it has to show it
MOST_CASES = 100_000  # beyond which no number of cases is named


def worse_by_chance(worse: int, better: int) -> float:
    """Chance of at least so many cases getting worse, were getting better as likely: exact one-sided McNemar.

    Source:
        McNemar (1947), Psychometrika 12:153, in its exact binomial form.
    """
    return 1.0 if worse == 0 else float(betainc(worse, better + 1, 0.5))


@lru_cache(maxsize=4096)
def power_of(n: int, flips: float, *, drop: float = DROP, alpha: float = ALPHA) -> float:
    """How often the exact one-sided McNemar test shows a fall of the pass rate.

    A case turns from passed to failed with the chance `drop + flips`, and the other way with the chance `flips`. Given
    m cases that turned either way, the test needs the fewest w with P(at least w of m | even chances) < `alpha`.

    Args:
        n: Cases that both versions ran, at least 0.
        flips: Share of cases that turn to the better all the same, at least 0; with the drop at most 1.
        drop: The fall of the pass rate, in (0, 1).
        alpha: Level of the test.

    Returns:
        The power, summed exactly over how many cases turn.

    Source:
        Duffy (1984), Biometrics 40:1005, the exact unconditional power, with one side.
    """
    turned = drop + 2 * flips
    if not (n >= 0 and flips >= 0 and drop > 0 and turned <= 1):
        raise ValueError(f"power_of needs n >= 0 and shares that sum to at most 1, not {n}, {flips}, {drop}")
    m = np.arange(n + 1, dtype=np.float64)
    # Far tails change nothing: 12 standard deviations hold all but 1e-30 of the turned cases.
    spread = 12 * np.sqrt(n * turned * (1 - turned)) + 12
    m = m[np.abs(m - n * turned) <= spread]
    mass = np.exp(
        gammaln(n + 1) - gammaln(m + 1) - gammaln(n - m + 1) + xlogy(m, turned) + xlog1py(n - m, -turned)
    )
    least = _fewest(m, alpha)
    with np.errstate(invalid="ignore"):
        shown = np.where(
            least <= m, bdtrc(np.maximum(least - 1, 0), m.astype(np.int64), (drop + flips) / turned), 0.0
        )
    return float(np.sum(mass * np.where(m > 0, shown, 0.0)))


def _fewest(m: Floats, alpha: float) -> Floats:
    """The fewest worse ones of `m` that even chances bring about less often than `alpha`; m + 1 where none do."""
    low, high = np.zeros_like(m), m + 1  # at least m + 1 of m never happens
    while np.any(open_ := low < high):
        middle = np.floor((low + high) / 2)
        at_least = np.where(
            middle <= 0, 1.0, bdtrc(np.maximum(middle - 1, 0), np.maximum(m, 1).astype(np.int64), 0.5)
        )
        rare = (at_least < alpha) | (middle > m)
        low, high = np.where(open_ & ~rare, middle + 1, low), np.where(open_ & rare, middle, high)
    return low


@lru_cache(maxsize=256)
def cases_needed(
    flips: float, *, drop: float = DROP, power: float = POWER, alpha: float = ALPHA
) -> int | None:
    """Cases from which on the test shows a fall of the pass rate with a stated power.

    Args:
        flips: As in `power_of`.
        drop: The fall.
        power: How often it has to be shown, in (0, 1).
        alpha: Level of the test.

    Returns:
        The fewest; None where so many cases would not do.
    """
    low, high = 1, 64
    while power_of(high, flips, drop=drop, alpha=alpha) < power:
        low, high = high, high * 2
        if high > MOST_CASES:
            return None
    while low < high:
        middle = (low + high) // 2
        if power_of(middle, flips, drop=drop, alpha=alpha) >= power:
            high = middle
        else:
            low = middle + 1
    # The power of an exact test falls now and then by a little as cases are added.
    while power_of(low - 1, flips, drop=drop, alpha=alpha) >= power:
        low -= 1
    return low
