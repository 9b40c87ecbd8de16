"""How far two who label the same cases agree: a judge and people, or two coders of causes.

Two coefficients that take out agreement by chance. Cohen's kappa is known best, and falls towards 0 where nearly all
cases are of one kind, however well the two agree; Gwet's AC1 does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.draws import t_quantile

__all__ = ["Agreement", "Coefficient", "agree"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """A coefficient of agreement with its interval.

    Attributes:
        value: At most 1.
        error: Standard error.
        low: Lower end of the interval.
        high: Upper end, at most 1.
    """

    value: float
    error: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (self.low <= self.value <= self.high <= 1 and self.error >= 0):
            raise ValueError(f"{self.low} <= {self.value} <= {self.high} <= 1 is false")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far two agree.

    Attributes:
        names: The kinds that they told apart.
        table: Cases by kind, rows the first's word and columns the second's, shape (kinds, kinds); weighted where the
            cases were not chosen alike.
        n: Cases both labelled; the effective number where they are weighted.
        share: Share on which they agree.
        kappa: Cohen's kappa; None where both always say one and the same kind, of which it says nothing.
        ac1: Gwet's AC1; None likewise, where only one kind is known at all.
    """

    names: tuple[str, ...]
    table: Floats
    n: float
    share: Coefficient
    kappa: Coefficient | None
    ac1: Coefficient | None


def agree(
    table: Sequence[Sequence[float]] | Floats,
    names: Sequence[str],
    *,
    n: float | None = None,
    level: float = 0.9,
) -> Agreement | None:
    """Hold the words of two against each other.

    Args:
        table: Cases by the first's word (rows) and the second's (columns), shape (kinds, kinds), each at least 0.
        names: The kinds, as many as there are rows.
        n: Effective number of cases, where the table holds weights; their sum unless given.
        level: Nominal coverage of the intervals, in (0, 1).

    Returns:
        The agreement; None without a case.

    Raises:
        ValueError: If the table is not square, a count is below 0, or `level` is outside (0, 1).

    Source:
        Cohen (1960), Educational and Psychological Measurement 20:37; Fleiss, Cohen & Everitt (1969), Psychological
        Bulletin 72:323, for kappa's standard error; Gwet (2008), British Journal of Mathematical and Statistical
        Psychology 61:29, for AC1 and its standard error; Wilson (1927), JASA 22:209, for the share.
    """
    counts = np.asarray(table, dtype=np.float64)
    kinds = len(names)
    if counts.shape != (kinds, kinds) or not (counts >= 0).all() or not 0 < level < 1:
        raise ValueError(
            f"a table of {kinds} kinds with counts of at least 0 is wanted, and a level in (0, 1)"
        )
    total = float(counts.sum())
    if not total > 0:
        return None
    size = total if n is None else n
    z = t_quantile((1 + level) / 2, np.inf)
    p = counts / total
    share = _wilson(float(np.trace(p)), size, z)
    return Agreement(
        names=tuple(names),
        table=counts,
        n=size,
        share=share,
        kappa=_kappa(p, size, z, share),
        ac1=_ac1(p, size, z, share) if kinds > 1 else None,
    )


def _kappa(p: Floats, n: float, z: float, share: Coefficient) -> Coefficient | None:
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed, chance = float(np.trace(p)), float((rows * columns).sum())
    if not chance < 1:
        return None
    both = np.diag(p) * ((1 - chance) - (rows + columns) * (1 - observed)) ** 2
    apart = p * (columns[:, None] + rows[None, :]) ** 2
    np.fill_diagonal(apart, 0.0)
    rest = (observed * chance - 2 * chance + observed) ** 2
    spread = float(both.sum()) + (1 - observed) ** 2 * float(apart.sum()) - rest
    error = np.sqrt(max(spread, 0.0) / n) / (1 - chance) ** 2
    return _coefficient((observed - chance) / (1 - chance), float(error), chance, z, share)


def _ac1(p: Floats, n: float, z: float, share: Coefficient) -> Coefficient:
    kinds = p.shape[0]
    mean = (p.sum(axis=1) + p.sum(axis=0)) / 2
    observed = float(np.trace(p))
    chance = float((mean * (1 - mean)).sum()) / (kinds - 1)
    value = (observed - chance) / (1 - chance)
    on_both = float((np.diag(p) * (1 - mean)).sum()) / (kinds - 1) - observed * chance
    pairs = (1 - (mean[:, None] + mean[None, :]) / 2) ** 2
    on_any = float((p * pairs).sum()) / (kinds - 1) ** 2 - chance**2
    spread = observed * (1 - observed) - 4 * (1 - value) * on_both + 4 * (1 - value) ** 2 * on_any
    error = float(np.sqrt(max(spread, 0.0) / n)) / (1 - chance)
    return _coefficient(value, error, chance, z, share)


def _coefficient(value: float, error: float, chance: float, z: float, share: Coefficient) -> Coefficient:
    """A coefficient with its interval; where all cases agree it shows no spread, and the share's interval stands in."""
    if error > 1e-6:  # below, what rounding leaves
        low, high = max(value - z * error, -1.0), min(value + z * error, 1.0)
    else:
        low, high = ((x - chance) / (1 - chance) for x in (share.low, share.high))
    value = min(value, 1.0)
    return Coefficient(
        value=value, error=error, low=min(max(low, -1.0), value), high=min(max(high, value), 1.0)
    )


def _wilson(share: float, n: float, z: float) -> Coefficient:
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low, high = max(float(middle - half), 0.0), min(float(middle + half), 1.0)
    error = float(np.sqrt(share * (1 - share) / n))
    return Coefficient(value=share, error=error, low=min(low, share), high=max(high, share))
