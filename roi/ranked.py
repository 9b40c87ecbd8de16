"""A sampled quantity by the rank of its draws: normal scores, and groups of neighbours over which a curve is taken."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from roi.same import Same
from roi.special import ndtri

__all__ = ["Scores"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

KNOTS = 64  # groups of neighbouring draws over which what a quantity says is averaged


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """A quantity as a normal one: its draws' normal scores, and groups of neighbouring draws.

    Attributes:
        each: Score of each draw, shape (n_draws,).
        group: Its group, shape (n_draws,).
        size: Draws of each group, shape (groups,).
        middle: Mean score of each group, shape (groups,).
    """

    each: Floats
    group: Ints
    size: Ints
    middle: Floats

    @classmethod
    def of(cls, draws: Floats) -> Scores:
        """Rank draws, shape (n_draws,), by a table of their quantiles."""
        at = np.unique(np.linspace(0, draws.size - 1, 8 * KNOTS).astype(np.int64))
        ranks = ndtri((at + 0.5) / draws.size)
        each = np.interp(draws, np.sort(draws)[at], ranks)
        group = np.searchsorted(_edges(), each)
        size = np.bincount(group, minlength=KNOTS)
        filled = size > 0  # ties leave some groups empty
        group, size = (np.cumsum(filled) - 1)[group], size[filled]
        return cls(each=each, group=group, size=size, middle=np.bincount(group, each) / size)

    def slope(self, values: Floats) -> Floats:
        """How fast values of the groups, shape (groups,), change with the score: `numpy.gradient` to the last bit."""
        if self.size.size < 2:
            return np.zeros(1)
        apart, *inner = _differences(Same(self.middle))
        if not inner:
            return np.asarray(np.gradient(values, self.middle))
        found, change = np.empty(values.size), np.diff(values)
        found[0], found[-1] = change[0] / apart[0], change[-1] / apart[-1]
        found[1:-1] = inner[0] * values[:-2] + inner[1] * values[1:-1] + inner[2] * values[2:]
        return found


@lru_cache(maxsize=48)
def _differences(at: Same[Floats]) -> tuple[Floats, ...]:
    """Distances of places, and how much the values before, at and after each inner one count for the slope there.

    Of places that are all as far apart as each other, which numpy treats in a way of its own, the distances alone.

    Source:
        Quarteroni, Sacco & Saleri (2007), Numerical Mathematics, section 10.10 (differences on uneven grids).
    """
    apart = np.diff(at.it)
    if (apart == apart[0]).all():
        return (apart,)
    before, after = apart[:-1], apart[1:]
    both = before + after
    return apart, -after / (before * both), (after - before) / (before * after), before / (after * both)


@lru_cache(maxsize=1)
def _edges() -> Floats:
    """Scores between equally large groups of draws."""
    return np.asarray(ndtri(np.arange(1, KNOTS) / KNOTS), dtype=np.float64)
