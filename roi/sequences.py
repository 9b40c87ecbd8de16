"""Evidence and ranges that may be looked at every day: e-processes and confidence sequences, in numpy alone.

A test at 5 % that is made every day fires sooner or later on a stream that nothing is wrong with. Here the chance that
it *ever* fires is at most alpha. Evidence against "the mean is at most the limit" is the wealth of somebody who bets
against it at fair odds: where it is true, wealth is multiplied by 1 on average, so that the chance of ever having
1 / alpha times the stake is at most alpha (Ville 1939). Nothing else is asked of minutes, costs and shares than that
they are not negative: no distribution, no variance, no end to the skew.

Several bets share the stake (how far above the limit?), and so do several starts (since when?): a sum of wealths whose
stakes add up to 1 is such a wealth, too. That is what finds a change on day 150 soon.

Source:
    Ville (1939), Étude critique de la notion de collectif; Robbins (1970), Ann. Math. Statist. 41:1397; Howard, Ramdas,
    McAuliffe & Sekhon (2021), Ann. Statist. 49:1055; Waudby-Smith & Ramdas (2024), JRSS B 86:1, for betting; Shin,
    Ramdas & Rinaldo (2023), NEJSDS 2:229, for mixtures over starts; Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas
    (2024), Ann. Statist. 52:2613, for means at large numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from roi.special import betainc, betaln

__all__ = [
    "MEAN_BETS",
    "RATE_BETS",
    "alpha_shares",
    "best_rho",
    "log_beta_mixture",
    "log_evidence",
    "log_growth",
    "mean_range",
    "normal_bound",
    "rate_bets",
    "rate_range",
    "share_range",
    "start_weights",
    "started",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST = 0.9  # of the wealth is ever staked on one unit, so that one case cannot ruin it
YEAR = 365
FOR_CHANGES = 0.25  # of the stake is kept for the days on which the agent was changed
RATE_BETS = {1.5: 0.15, 2.0: 0.25, 3.0: 0.3, 5.0: 0.2, 10.0: 0.1}
"""How many times the limit's odds those of a rate may be, and the share of the stake that bets on it."""
MEAN_BETS = {1 / 16: 0.15, 1 / 8: 0.2, 1 / 4: 0.25, 1 / 2: 0.25, 0.9: 0.15}
"""What a case that takes twice the limit adds to the wealth of its bet, and the share of the stake."""
FIRST_DAYS = 20  # with cases, before a range of a mean is given: it holds at large numbers only
AIMED_DAYS = 60  # with cases, at which that range is narrowest
PER_SKEW = (
    10.0  # days that it takes by the square of their skew (Cochran 1977 has 25 for a range at one look)
)
UNLIKE = (
    2.0  # times the variance of a binomial, from which days are unlike each other and not a rate's own chance
)


def rate_bets(limit: float) -> dict[float, float]:
    """Bets against "the rate is at most the limit": that of the likelihood ratio for each multiple of the limit's odds.

    Args:
        limit: In (0, 1).

    Returns:
        The stake on a case, as a share of the wealth → share of all of the stake. With one case a unit the wealth is
        multiplied by q / limit on a hit and by (1 − q) / (1 − limit) otherwise, q the rate of so many times the odds.

    Raises:
        ValueError: If the limit is outside (0, 1).
    """
    if not 0 < limit < 1:
        raise ValueError(f"a limit of {limit}")
    rates = {times * limit / (1 - limit + times * limit): share for times, share in RATE_BETS.items()}
    return {(q - limit) / (1 - limit): share for q, share in rates.items()}


def log_growth(
    day: Ints, total: Floats, due: Floats, *, scale: float, bets: Sequence[float], days: int
) -> Floats:
    """What the cases of each day multiply the wealth of each bet by, as logarithms.

    A unit (the cases of a person on a day, say) multiplies it by 1 + b · (total − due) / scale, where b is the bet, or
    less where a unit is so large that it could take more than 90 % of the wealth. Cases of one unit may depend on each
    other in any way; units of a day may differ in their mean, of which only the sum has to keep to what is due.

    Args:
        day: Day of each unit from 0, shape (units,).
        total: Sum over its cases, not negative, shape (units,).
        due: What the limit allows of it: its cases times the limit (or their weights, or each kind's own limit), not
            negative, shape (units,).
        scale: The limit of a case, above 0 (of several kinds, their mean).
        bets: Stakes on a case, each in (0, 1).
        days: Days in all.

    Returns:
        Shape (bets, days); 0 on days without cases.

    Raises:
        ValueError: If the scale is not above 0, or a total or what is due is negative.
    """
    if not scale > 0:
        raise ValueError(f"a limit of {scale}")
    if not bool((total >= 0).all() and (due >= 0).all()):
        raise ValueError("a total below 0")
    found = np.zeros((len(bets), days))
    for row, bet in enumerate(bets):
        stake = np.minimum(bet, MOST * scale / np.maximum(due, 1e-300))
        found[row] = np.bincount(day, np.log1p(stake * (total - due) / scale), minlength=days)[:days]
    return found


def start_weights(days: int, changes: Sequence[int] = ()) -> Floats:
    """The share of the stake that is laid on each day as the first one of a change for the worse.

    Three quarters are spread evenly over the days of the first year, and in year y over 1 / (y (y + 1)) of it; of the
    last quarter half goes to the day of the first change of the agent, half of the rest to the next one, and so on.

    Args:
        days: Days of the stream so far.
        changes: Days from 0 on which the agent was changed, in order; others are ignored.

    Returns:
        Shape (days,); for ever it sums to at most 1.
    """
    year = np.arange(days) // YEAR + 1
    weight = (1 - FOR_CHANGES) / (YEAR * year * (year + 1.0))
    for k, at in enumerate(sorted({c for c in changes if 0 <= c < days}), start=1):
        weight[at] += FOR_CHANGES / 2.0**k
    return np.asarray(weight, dtype=np.float64)


def log_evidence(growth: Floats, shares: npt.ArrayLike, starts: Floats) -> Floats:
    """Logarithm of the wealth at the end of each day.

    Args:
        growth: As `log_growth` gives it, shape (..., bets, days).
        shares: Of the stake by bet, shape (bets,) or (..., bets); they sum to 1.
        starts: Of the stake by first day, shape (days,).

    Returns:
        Shape (..., days). Where the limit is kept, the chance that it ever reaches log(1 / alpha) is at most alpha.
    """
    weight = np.log(np.asarray(shares, dtype=np.float64))
    with np.errstate(divide="ignore"):
        enter = np.log(starts)
        rest = np.log(np.maximum(1 - np.cumsum(starts), 0.0))
    wealth = np.full(growth.shape[:-1], -np.inf)
    found = np.empty((*growth.shape[:-2], growth.shape[-1]))
    for t in range(growth.shape[-1]):
        wealth = np.logaddexp(wealth, enter[t]) + growth[..., t]
        found[..., t] = np.logaddexp(np.logaddexp.reduce(wealth + weight, axis=-1), rest[t])
    return found


def started(growth: Floats, shares: Sequence[float], starts: Floats) -> int:
    """The day on which a change for the worse most likely began: the start that has won the most by the last day.

    Args:
        growth: Shape (bets, days).
        shares: As those of `log_evidence`.
        starts: Likewise.
    """
    after = np.cumsum(growth[:, ::-1], axis=1)[:, ::-1]
    won = np.logaddexp.reduce(after + np.log(np.asarray(shares))[:, None], axis=0)
    return int(np.argmax(won))


def alpha_shares(weights: Mapping[str, float], alpha: float) -> dict[str, float]:
    """A level for each of several tests that together err at most at alpha (Bonferroni), by stated weights.

    Raises:
        ValueError: If a weight is not above 0.
    """
    if not all(w > 0 for w in weights.values()):
        raise ValueError("a weight that is not above 0")
    total = sum(weights.values())
    return {name: alpha * w / total for name, w in weights.items()}


def best_rho(v: float, alpha: float, *, above: bool = False) -> float:
    """The mixture's precision at which its bound is (nearly) lowest where the variance has summed up to v.

    Args:
        v: Sum of variances, above 0.
        alpha: Level.
        above: Whether only sums above 0 count.
    """
    twice = 2 * np.log(1 / (2 * alpha if above else alpha))
    return float(v / (twice + np.log1p(twice)))


def normal_bound(v: Floats, alpha: float, rho: float) -> Floats:
    """How far a sum of mean 0 ever strays from 0, either way, where its variance has summed up to v."""
    return np.asarray(np.sqrt((v + rho) * (np.log((v + rho) / rho) + 2 * np.log(1 / alpha))))


def log_beta_mixture(
    hits: Floats, n: Floats, p: Floats | float, a: float, b: float, *, above: bool = False
) -> Floats:
    """Logarithm of the likelihood of a rate mixed over a beta, in relation to that of the rate p.

    Args:
        hits: Cases with the property; need not be whole.
        n: Cases.
        p: The rate that is held against them, in (0, 1).
        a: Of the beta.
        b: Of the beta.
        above: Whether only rates above p are mixed.
    """
    log_ratio = betaln(a + hits, b + n - hits) - betaln(a, b)
    if above:
        log_ratio = log_ratio + np.log(betainc(b + n - hits, a + hits, 1 - np.asarray(p)))
        log_ratio = log_ratio - np.log(betainc(b, a, 1 - np.asarray(p)))
    return np.asarray(log_ratio - hits * np.log(p) - (n - hits) * np.log1p(-np.asarray(p)))


def rate_range(hits: Floats, n: Floats, *, alpha: float) -> tuple[Floats, Floats]:
    """Where a rate lies, at all looks together: the rates that a Jeffreys mixture has not bet 1 / alpha against.

    Args:
        hits: Cases with the property up to each look, shape (looks,); need not be whole.
        n: Cases up to it, shape (looks,).
        alpha: The chance that the rate is ever outside.

    Returns:
        Both ends, shape (looks,) each; 0 and 1 where there is no case yet.
    """
    mean = np.where(n > 0, hits / np.maximum(n, 1e-12), 0.5)
    ends = []
    for outer in (np.zeros_like(mean), np.ones_like(mean)):
        inner, outer = mean.copy(), outer.copy()
        for _ in range(60):
            middle = np.clip((inner + outer) / 2, 1e-15, 1 - 1e-15)
            holds = log_beta_mixture(hits, n, middle, 0.5, 0.5) < np.log(1 / alpha)
            inner, outer = np.where(holds, middle, inner), np.where(holds, outer, middle)
        ends.append(outer)
    return np.where(n > 0, ends[0], 0.0), np.where(n > 0, ends[1], 1.0)


def mean_range(n: Floats, total: Floats, *, alpha: float) -> tuple[Floats, Floats]:
    """Where a mean lies, at all looks together, at large numbers; the days are what is independent.

    The sum of what the days' totals are off by stays within Robbins's bound. Its variance is the sum of their squares,
    so that cases of one day may depend on each other, and of the largest of these twice more. How many days are many
    depends on how skewed they are: ten times the square of their skew, which is that of the days so far or, if larger,
    that of a log-normal of the same spread (the largest days of a long tail have not been seen yet). Without that one
    range in four of log-normal minutes of log-sd 1.5, one case a day, lost the mean some day, where one in twenty may.

    Args:
        n: Cases by day, shape (days,).
        total: Sum over them, shape (days,).
        alpha: The chance that the mean is ever outside.

    Returns:
        Both ends at the end of each day, shape (days,) each; not a number as long as the days are not many.

    Source:
        Robbins (1970); Cochran (1977), Sampling Techniques, section 2.15, for numbers by the square of the skew.
    """
    low, high = _robust(n, total, alpha)
    many = np.cumsum(n > 0) >= PER_SKEW * _skew(n, total) ** 2
    return np.where(many, low, np.nan), np.where(many, high, np.nan)


def share_range(n: Floats, hits: Floats, *, alpha: float) -> tuple[Floats, Floats]:
    """Where a rate lies, at all looks together, though days are unlike each other.

    The wider of `rate_range`, which holds at any number where cases are alike, and of the bound on the days' totals,
    which holds at large numbers whatever days have in common. Where days are more unlike each other than twice what
    chance makes them they have to be many, as those of `mean_range`.

    Args:
        n: Cases by day, shape (days,).
        hits: Those with the property, shape (days,).
        alpha: The chance that the rate is ever outside.

    Returns:
        Both ends at the end of each day, shape (days,) each; not a number before twenty days with cases, or as long as
        days that unlike are not many.
    """
    cases, found = np.cumsum(n), np.cumsum(hits)
    alike, robust = rate_range(found, cases, alpha=alpha), _robust(n, hits, alpha)
    rate = found / np.maximum(cases, 1e-300)
    unlike = _squares(n, hits) > UNLIKE * cases * rate * (1 - rate)
    few = unlike & (np.cumsum(n > 0) < PER_SKEW * _skew(n, hits) ** 2)
    low, high = np.minimum(alike[0], robust[0]), np.maximum(alike[1], robust[1])
    return np.where(few, np.nan, low), np.where(few, np.nan, high)


def _mean(n: Floats, total: Floats) -> Floats:
    """The mean up to each day."""
    return np.asarray(np.cumsum(total) / np.maximum(np.cumsum(n), 1e-300))


def _squares(n: Floats, total: Floats) -> Floats:
    """Σ (S − m n)² over the days so far, for the mean m so far."""
    mean = _mean(n, total)
    squares, cross, counts = np.cumsum(total**2), np.cumsum(total * n), np.cumsum(n**2)
    return np.asarray(np.maximum(squares - 2 * mean * cross + mean**2 * counts, 0.0))


def _skew(n: Floats, total: Floats) -> Floats:
    """How skewed what days are off by is, up to each day: as it was, or as a log-normal of their spread is if more."""
    mean, held = _mean(n, total), np.cumsum(n > 0)
    cubes = np.cumsum(total**3) - 3 * mean * np.cumsum(total**2 * n)
    cubes += 3 * mean**2 * np.cumsum(total * n**2) - mean**3 * np.cumsum(n**3)
    squares = _squares(n, total)
    was = np.abs(cubes) * np.sqrt(held) / np.maximum(squares, 1e-150) ** 1.5
    some = (total > 0) & (n > 0)
    logs = np.log(np.where(some, total, 1.0) / np.where(some, n, 1.0))
    k = np.maximum(np.cumsum(some), 1)
    spread = np.cumsum(logs**2) / k - (np.cumsum(logs) / k) ** 2
    grown = np.exp(np.clip(spread * k / np.maximum(k - 1, 1), 0.0, 50.0))
    return np.asarray(np.maximum(np.where(squares > 0, was, 0.0), (grown + 2) * np.sqrt(grown - 1)))


def _robust(n: Floats, total: Floats, alpha: float) -> tuple[Floats, Floats]:
    """Robbins's bound on the sum of what days are off by, around the mean; from twenty days with cases on."""
    low, high = np.full(n.size, np.nan), np.full(n.size, np.nan)
    held = np.flatnonzero(n > 0)
    if held.size < FIRST_DAYS:
        return low, high
    mean, cases = _mean(n, total), np.cumsum(n)
    # Skewed days make it too small, as long as one like the largest so far may come: two such days are added.
    v = _squares(n, total) + 2 * np.maximum.accumulate((total - mean * n) ** 2)
    first = held[FIRST_DAYS - 1]
    rho = best_rho(max(float(v[first]), 1e-12) * AIMED_DAYS / FIRST_DAYS, alpha)
    half = normal_bound(v[first:], alpha, rho) / cases[first:]
    low[first:], high[first:] = mean[first:] - half, mean[first:] + half
    return low, high
