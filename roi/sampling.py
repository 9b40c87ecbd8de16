"""What a sample tells of a worth, and what the rule then decides.

The worth is split into what the sampled quantities say of it and the rest. A sample moves each of them only part of the
way from what is known now to the truth: where it removes the share l of its variance, the linear part of what it says
is moved by √l and a part of degree k by √l to the power of k. For quantities and samples that are normal this is exact
(Mehler's formula for Hermite polynomials); else it matches the first two moments of the linear part.

Source:
    Raiffa & Schlaifer (1961), Applied Statistical Decision Theory (preposterior analysis); Heath, Manolopoulou & Baio
    (2018), Medical Decision Making 38:163 (a sample's value, by shrinking what knowing would tell).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from roi.conditional import orthonormal
from roi.draws import stream

__all__ = ["Basis", "Told", "after_sampling", "evsi", "left_open"]

Floats = npt.NDArray[np.float64]

DEGREE = 4
NOTHING = 1e-5  # share of the variance below which a part counts to the rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A worth, split: mean + what sampled quantities say + the rest.

    Attributes:
        mean: Expected worth.
        weights: How much each part says, one a part.
        parts: Polynomials of the quantities, each of shape (n_draws,), mean 0 and variance 1.
        signal: Which quantity each part belongs to.
        degree: Its degree.
        rest: What they do not say, shape (n_draws,), of mean 0.
    """

    mean: float
    weights: tuple[float, ...]
    parts: tuple[Floats, ...]
    signal: tuple[int, ...]
    degree: tuple[int, ...]
    rest: Floats

    def fitted(self) -> Floats:
        """The worth as far as the quantities explain it, shape (n_draws,)."""
        return self.mean + self.said()

    def said(self, by: Sequence[float] | None = None) -> Floats:
        """What the parts say together, each moved that far (None: all of it), shape (n_draws,)."""
        found = np.zeros(self.rest.size)
        for weight, part, far in zip(self.weights, self.parts, by or [1.0] * len(self.parts), strict=True):
            found += (far * weight) * part
        return found

    def moved(self, learned: Sequence[float]) -> list[float]:
        """How far each part is moved by a sample that removes such shares of the quantities' variances."""
        return [float(learned[s]) ** (k / 2) for s, k in zip(self.signal, self.degree, strict=True)]


class Basis:
    """Polynomials of some sampled quantities, ready to split any worth over the same draws."""

    def __init__(self, signals: Sequence[Floats], degree: int = DEGREE) -> None:
        """Take the quantities' draws, each of shape (n_draws,); one that does not vary says nothing."""
        made = [
            (i, k + 1, row) for i, x in enumerate(signals) for k, row in enumerate(orthonormal(x, degree))
        ]
        self._signal = tuple(i for i, _, _ in made)
        self._degree = tuple(k for _, k, _ in made)
        self._columns = np.stack([row for *_, row in made]) if made else np.zeros((0, 0))
        gram = np.einsum("in,jn->ij", self._columns, self._columns, optimize=False)
        n = max(self._columns.shape[1], 1)
        self._inverse = np.linalg.inv(gram / n + 1e-9 * np.eye(len(made))) if made else gram

    def split(self, worth: Floats) -> Told:
        """Split a worth, shape (n_draws,), by regression on the polynomials."""
        mean = float(worth.mean())
        rest = worth - mean
        if not self._signal:
            return Told(mean=mean, weights=(), parts=(), signal=(), degree=(), rest=rest)
        least = NOTHING * float((rest * rest).mean())
        right = np.einsum("in,n->i", self._columns, rest, optimize=False) / worth.size
        weights = (self._inverse * right).sum(axis=1)
        kept = [i for i, w in enumerate(weights) if w * w > least]
        for i in kept:
            rest -= weights[i] * self._columns[i]
        return Told(
            mean=mean,
            weights=tuple(float(weights[i]) for i in kept),
            parts=tuple(self._columns[i] for i in kept),
            signal=tuple(self._signal[i] for i in kept),
            degree=tuple(self._degree[i] for i in kept),
            rest=rest,
        )


def expected_after(told: Told, learned: Sequence[float]) -> Floats:
    """The expected worth after each possible sample, shape (n_draws,); see `after_sampling`."""
    return told.mean + told.said(told.moved(learned))


def left_open(told: Told, learned: Sequence[float]) -> Floats:
    """What a sample leaves open about the worth: as skewed as the costs of errors are, so it is drawn, not a normal.

    Args:
        told: The worth, split.
        learned: Share of each quantity's variance that the sample removes, in [0, 1].

    Returns:
        Deviations from the expected worth after the sample, shape (n_draws,); independent of what is learned.
    """
    left = told.said([math.sqrt(max(1 - by * by, 0.0)) for by in told.moved(learned)])
    return np.asarray(left[_order(left.size)] + told.rest, dtype=np.float64)


@lru_cache(maxsize=8)
def _order(n: int) -> npt.NDArray[np.int64]:
    return stream(0, "left_open").permutation(n)


def after_sampling(
    told: Told, learned: Sequence[float], *, probability: float, hurdle: float
) -> tuple[Floats, Floats, Floats]:
    """What would be decided after a sample, draw by draw.

    Args:
        told: Worth of the option, split by what is sampled.
        learned: Share of each quantity's variance that the sample removes, in [0, 1].
        probability: The chance of exceeding the hurdle at which the option is taken.
        hurdle: The hurdle.

    Returns:
        The expected worth after each possible sample, what then stays open, and whether the option would be taken (0
        or 1), each of shape (n_draws,).
    """
    expected = expected_after(told, learned)
    left = left_open(told, learned)
    spare = _quantile(left, 1 - probability)
    taken = expected + spare >= hurdle if float(np.ptp(left)) > 0 else expected > hurdle
    return expected, left, taken.astype(np.float64)


def _quantile(draws: Floats, level: float) -> float:
    """Numpy's own, without what it takes beside the partition."""
    place = level * (draws.size - 1)
    low = int(np.floor(place))
    parted = np.partition(draws, low)
    here = float(parted[low])
    above = float(parted[low + 1 :].min()) if low + 1 < draws.size else here
    return here + (place - low) * (above - here)


def evsi(told: Sequence[Told], learned: Sequence[float]) -> float:
    """Expected value of a sample for whoever takes the option of the highest mean, stopping now (worth 0) among them.

    Args:
        told: Worth of each option, split by the same quantities.
        learned: Share of each quantity's variance that the sample removes, in [0, 1].

    Returns:
        At least 0, in the currency of the worths; before any price or delay.
    """
    if not told:
        return 0.0
    after = np.stack([expected_after(t, learned) for t in told])
    now = max(0.0, *(t.mean for t in told))
    return max(0.0, float(np.maximum(after.max(axis=0), 0.0).mean()) - now)
