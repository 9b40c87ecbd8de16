"""Weighted sums of cell means with what each independent unit adds to their errors, in one arm of one setting.

Source:
    Liang & Zeger (1986), Biometrika 73:13; Bell & McCaffrey (2002), Survey Methodology 28:169 (a unit's score is
    divided by the root of 1 − its share of the cell).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.clusters import ASSUMED_CORRELATION, degrees_of_a_mean

__all__ = ["Cells", "Linear", "cells_of", "covariances"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

POOLING = 2.0  # cases' worth of trust in the arm's relative variance, where a cell has few cases
OF_PEOPLE = 0.25  # of a mean, that people are taken to differ by where fewer than four were seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """An estimate and its error.

    Attributes:
        value: The estimate.
        score: What each unit adds to its error, shape (units,).
        own: Standard deviations that no unit carries, shape (own,); those of one block are the same chances.
        block: Which chances these are.
    """

    value: float
    score: Floats
    own: Floats
    block: str

    @property
    def variance(self) -> float:
        """Its sampling variance."""
        return float((self.score * self.score).sum() + (self.own * self.own).sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Means of cells.

    Attributes:
        count: Cases, shape (cells,).
        mean: Their mean, 0 where there is no case, shape (cells,).
        variance: Variance of a single case about it, shape (cells,).
        score: What each unit adds to the error of each mean, shape (cells, units).
        units: Units with a case in any of the cells.
        df: Degrees of freedom of a mean over all cells.
        people: Workers behind the cases where they are fewer than four; 0 where units are as they were sampled.
        is_rate: Whether the mean is a share.
        block: Name of the chances that no unit carries.
    """

    count: Floats
    mean: Floats
    variance: Floats
    score: Floats
    units: int
    df: float
    people: int
    is_rate: bool
    block: str

    def sum_of(self, weights: Floats) -> Linear:
        """Σ weight · mean over the cells.

        Args:
            weights: Shape (cells,); 0 for cells without a case.

        Returns:
            The sum. Its variance is never less than were cases independent; where fewer than four people worked them
            it is that, and how unlike people are is assumed.
        """
        used = weights != 0
        value = float((weights[used] * self.mean[used]).sum())
        score = np.einsum("c,cu->u", weights, self.score, optimize=False)
        alone = np.abs(weights) * np.sqrt(self.variance / np.maximum(self.count, 1.0))
        sign = np.sign(weights)
        own = np.zeros(weights.size + 1)
        least = float((alone * alone).sum())
        if self.people:
            score = np.zeros_like(score)
            own[:-1] = sign * alone
            if self.is_rate:
                size = float(self.count.sum()) / self.people
                own[:-1] *= np.sqrt(1 + max(size - 1, 0.0) * ASSUMED_CORRELATION)
            else:
                own[-1] = OF_PEOPLE * value / np.sqrt(self.people)
        elif least > 0:
            lacking = max(least - float((score * score).sum()), 0.0)
            own[:-1] = sign * alone * np.sqrt(lacking / least)
        return Linear(value=value, score=score, own=own, block=self.block)


def cells_of(
    total: Floats,
    count: Floats,
    square: Floats,
    cell: Ints,
    unit: Ints,
    *,
    cells: int,
    units: int,
    people: int = 0,
    is_rate: bool = False,
    block: str,
) -> Cells:
    """Means of cells from sums by unit.

    Args:
        total: Sums, shape (rows,).
        count: Cases behind them, shape (rows,).
        square: Sums of squares, shape (rows,).
        cell: Index of the cell, shape (rows,).
        unit: Index of the unit, shape (rows,).
        cells: Number of cells.
        units: Number of units.
        people: Workers behind the cases where these are fewer than four; 0 otherwise.
        is_rate: Whether the sums are counts of hits among cases.
        block: Name of the chances that no unit carries.

    Returns:
        The means; a cell of few cases is lent the relative variance of all.
    """
    k, t, q = (
        np.bincount(cell, weights=x, minlength=cells).astype(np.float64) for x in (count, total, square)
    )
    mean = t / np.where(k > 0, k, 1.0)
    every, whole = float(k.sum()), float(t.sum())
    if is_rate:
        rate = (whole + 0.5) / (every + 1)
        shrunk = (t + rate) / (k + 1)
        variance = shrunk * (1 - shrunk)
    else:
        within = np.maximum(q - k * mean * mean, 0.0)
        freedom = float(np.maximum(k - 1, 0).sum())
        overall = whole / every if every > 0 else 0.0
        relative = float(within.sum()) / freedom / overall**2 if freedom > 0 and overall != 0 else 1.0
        variance = (within + POOLING * relative * mean * mean) / (np.maximum(k - 1, 0) + POOLING)
    score = np.zeros((cells, units))
    share = np.zeros((cells, units))
    np.add.at(score, (cell, unit), (total - mean[cell] * count) / np.where(k > 0, k, 1.0)[cell])
    np.add.at(share, (cell, unit), count / np.where(k > 0, k, 1.0)[cell])
    score /= np.sqrt(np.where(share < 1, 1 - share, 1.0))
    by_unit = np.bincount(unit, weights=count, minlength=units).astype(np.float64)
    return Cells(
        count=k,
        mean=mean,
        variance=variance,
        score=score,
        units=int((by_unit > 0).sum()),
        df=max(every - 1, 1.0) if people else degrees_of_a_mean(by_unit),
        people=people,
        is_rate=is_rate,
        block=block,
    )


def covariances(estimates: Sequence[Linear]) -> Floats:
    """Covariance of some estimates, shape (estimates, estimates)."""
    sizes: dict[str, int] = {}
    for x in estimates:
        sizes[x.block] = max(sizes.get(x.block, 0), x.own.size)
    starts, width = {}, 0
    for name, size in sizes.items():
        starts[name], width = width, width + size
    rows = np.zeros((len(estimates), width))
    for i, x in enumerate(estimates):
        rows[i, starts[x.block] : starts[x.block] + x.own.size] = x.own
    whole = np.concatenate([np.stack([x.score for x in estimates]), rows], axis=1)
    return np.asarray(np.einsum("iu,ju->ij", whole, whole, optimize=False), dtype=np.float64)
