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
from functools import cached_property, lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt

from roi.conditional import orthonormal
from roi.draws import stream
from roi.ranked import Scores
from roi.special import ndtri

__all__ = [
    "DEGREE",
    "Basis",
    "Told",
    "after_sampling",
    "basis_of",
    "evsi",
    "expected_after",
    "left_open",
    "sure_after",
    "taken_after",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DEGREE = 4
NOTHING = 1e-5  # share of the variance below which a part counts to the rest
FAR = 3.0  # standard deviations up to which samples are told apart
GRID = {0: 1, 1: 25, 2: 9, 3: 6}  # samples by the number of quantities that they tell of
WITHIN = 256  # worths that may be true after one and the same sample


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
        basis: What the parts are taken from.
    """

    mean: float
    weights: tuple[float, ...]
    parts: tuple[Floats, ...]
    signal: tuple[int, ...]
    degree: tuple[int, ...]
    rest: Floats
    basis: Basis

    @property
    def scores(self) -> tuple[Scores, ...]:
        """Of each quantity."""
        return self.basis.scores

    def fitted(self) -> Floats:
        """The worth as far as the quantities explain it, shape (n_draws,)."""
        return self.mean + self.said()

    def said(self, by: Sequence[float] | None = None) -> Floats:
        """What the parts say together, each moved that far (None: all of it), shape (n_draws,)."""
        found, moved = np.zeros(self.rest.size), np.empty(self.rest.size)
        for weight, part, far in zip(self.weights, self.parts, by or [1.0] * len(self.parts), strict=True):
            found += np.multiply(part, far * weight, out=moved)
        return found

    def moved(self, learned: Sequence[float]) -> list[float]:
        """How far each part is moved by a sample that removes such shares of the quantities' variances."""
        return [float(learned[s]) ** (k / 2) for s, k in zip(self.signal, self.degree, strict=True)]


class Basis:
    """Polynomials of some sampled quantities, ready to split any worth over the same draws."""

    def __init__(self, signals: Sequence[Floats], degree: int = DEGREE) -> None:
        """Take the quantities' draws, each of shape (n_draws,); one that does not vary says nothing."""
        self._signals = tuple(signals)
        self._corners: dict[tuple[tuple[int, ...], int], list[tuple[Ints, Floats]]] = {}
        made = [
            (i, k + 1, row) for i, x in enumerate(signals) for k, row in enumerate(orthonormal(x, degree))
        ]
        self._signal = tuple(i for i, _, _ in made)
        self._degree = tuple(k for _, k, _ in made)
        self._columns = np.stack([row for *_, row in made]) if made else np.zeros((0, 0))
        gram = np.einsum("in,jn->ij", self._columns, self._columns, optimize=False)
        n = max(self._columns.shape[1], 1)
        self._inverse = np.linalg.inv(gram / n + 1e-9 * np.eye(len(made))) if made else gram

    @cached_property
    def scores(self) -> tuple[Scores, ...]:
        """Of each quantity, which only what weighs samples asks for."""
        return tuple(Scores.of(x) for x in self._signals)

    def corners(self, telling: Sequence[int], steps: int) -> list[tuple[Ints, Floats]]:
        """Of each draw the corners of its place on a grid of the scores of some quantities, and their weights.

        Args:
            telling: The quantities, at least one.
            steps: Steps of the grid from -FAR to FAR along each.

        Returns:
            Places in the flattened grid and weights, each of shape (n_draws,), for each corner.
        """
        key = tuple(telling), steps
        if key not in self._corners:
            below, part = [], []
            for s in telling:
                x = (np.clip(self.scores[s].each, -FAR, FAR) + FAR) * (steps / (2 * FAR))
                below.append(np.minimum(x.astype(np.int64), steps - 1))
                part.append(x - below[-1])
            found = []
            for corner in product((0, 1), repeat=len(below)):
                place = np.zeros(below[0].size, dtype=np.int64)
                weight = np.ones(below[0].size)
                for up, at, share in zip(corner, below, part, strict=True):
                    place = place * (steps + 1) + (at + up)
                    weight = weight * (share if up else 1 - share)
                found.append((place, weight))
            self._corners[key] = found
        return self._corners[key]

    def split(self, worth: Floats) -> Told:
        """Split a worth, shape (n_draws,), by regression on the polynomials."""
        mean = float(worth.mean())
        rest = worth - mean
        weights, kept = self._weights(rest)
        part = np.empty(rest.size)
        for i in kept:
            rest -= np.multiply(self._columns[i], weights[i], out=part)
        return Told(
            mean=mean,
            weights=tuple(float(weights[i]) for i in kept),
            parts=tuple(self._columns[i] for i in kept),
            signal=tuple(self._signal[i] for i in kept),
            degree=tuple(self._degree[i] for i in kept),
            rest=rest,
            basis=self,
        )

    def said(self, worth: Floats) -> Floats:
        """What the polynomials say together of a worth, shape (n_draws,), as `split` has it."""
        found = np.zeros(worth.size)
        weights, kept = self._weights(worth - float(worth.mean()))
        for i in kept:
            found += float(weights[i]) * self._columns[i]
        return found

    def _weights(self, rest: Floats) -> tuple[Floats, list[int]]:
        """How much each polynomial says of a worth less its mean, and which of them say anything."""
        if not self._signal:
            return np.zeros(0), []
        least = NOTHING * float((rest * rest).mean())
        right = np.einsum("in,n->i", self._columns, rest, optimize=False) / rest.size
        weights = (self._inverse * right).sum(axis=1)
        return weights, [i for i, w in enumerate(weights) if w * w > least]


def basis_of(signals: Sequence[Floats], degree: int = DEGREE) -> Basis:
    """The polynomials of some quantities; one roll-out after another asks for the same."""
    return _basis_of(tuple(np.ascontiguousarray(x, dtype=np.float64).tobytes() for x in signals), degree)


@lru_cache(maxsize=48)
def _basis_of(signals: tuple[bytes, ...], degree: int) -> Basis:
    return Basis([np.frombuffer(x) for x in signals], degree)


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
    expected, left = expected_after(told, learned), left_open(told, learned)
    return expected, left, taken_after(told, learned, expected, left, probability=probability, hurdle=hurdle)


def taken_after(
    told: Told, learned: Sequence[float], expected: Floats, left: Floats, *, probability: float, hurdle: float
) -> Floats:
    """Whether the option would be taken after each possible sample (0 or 1), shape (n_draws,).

    Arguments are those of `after_sampling`, and what `expected_after` and `left_open` find.
    """
    if not float(np.ptp(left)) > 0:
        return (expected > hurdle).astype(np.float64)
    return (_sure_of(told, learned, probability) >= hurdle).astype(np.float64)


def sure_after(told: Told, learned: Sequence[float], probability: float) -> tuple[Floats, Floats]:
    """The worth after each possible sample, and the one that is exceeded with some probability then.

    Arguments are those of `after_sampling`, which takes the option where the second is no less than the hurdle.

    Returns:
        Two arrays of shape (n_draws,).
    """
    expected, left = expected_after(told, learned), left_open(told, learned)
    if not float(np.ptp(left)) > 0:
        return expected + left, expected
    return expected + left, _sure_of(told, learned, probability)


def _sure_of(told: Told, learned: Sequence[float], probability: float) -> Floats:
    """The worth that is exceeded with some probability after each possible sample, shape (n_draws,).

    What stays open depends on what was learned, for a worth bends: gains are cut, losses count in full. So after each
    of some samples, a grid, the worths that may still be true are laid out; in between lie straight lines.
    """
    n = told.rest.size
    curves, rest = _curves(told)
    worth = (told.mean + np.sort(rest)[_spread(n, WITHIN)])[_open()[0]]
    telling = [s for s in curves if learned[s] > 0]
    grid: Floats = np.linspace(-FAR, FAR, GRID[len(telling)])
    for k, s in enumerate([*telling, *(s for s in curves if s not in telling)]):
        open_, curve = _open()[1][k], (told.scores[s].middle, curves[s])
        if s in telling:
            moved, left = math.sqrt(learned[s]), math.sqrt(max(1 - learned[s], 0.0))
            worth = worth[..., None, :] + np.interp(moved * grid[:, None] + left * open_, *curve)
        else:
            worth = worth + np.interp(open_, *curve)
    place = (1 - probability) * (WITHIN - 1)
    low = min(int(place), WITHIN - 2)
    worth = np.partition(worth, (low, low + 1), axis=-1)
    sure = worth[..., low] + (place - low) * (worth[..., low + 1] - worth[..., low])
    return _between(sure, told.basis, telling, n)


def _between(values: Floats, basis: Basis, telling: Sequence[int], n: int) -> Floats:
    """Values on a grid of scores from -FAR to FAR in each axis, at the scores of n draws, linear in between."""
    if not telling:
        return np.full(n, float(values))
    found, flat = np.zeros(n), values.reshape(-1)
    for place, weight in basis.corners(telling, values.shape[0] - 1):
        found += weight * flat[place]
    return found


def _curves(told: Told) -> tuple[dict[int, Floats], Floats]:
    """What each quantity says by its own rank, and what none of them says.

    Means over neighbouring draws, so that a bend stays as sharp as it is.

    Returns:
        By quantity a value for the `middle` of each group of draws; and the rest, shape (n_draws,).
    """
    found, rest = dict[int, Floats](), told.rest
    for s in sorted(set(told.signal)):
        scores = told.scores[s]
        said = np.zeros(rest.size)
        for weight, part, of in zip(told.weights, told.parts, told.signal, strict=True):
            if of == s:
                said += weight * part
        found[s] = np.bincount(scores.group, told.rest + said) / scores.size
        slope = scores.slope(found[s])
        level = found[s] - slope * scores.middle
        rest = rest + (said - level[scores.group] - slope[scores.group] * scores.each)
    return found, rest


@lru_cache(maxsize=16)
def _spread(n: int, count: int) -> Ints:
    """Places of some of n draws in order, each in the middle of an equal part."""
    return np.minimum(((np.arange(count) + 0.5) * n / count).astype(np.int64), n - 1)


@lru_cache(maxsize=1)
def _open() -> tuple[Ints, Floats]:
    """Places in what no quantity says, and normal scores for each quantity: points that fill the space evenly.

    Source:
        Roberts (2018), The unreasonable effectiveness of quasirandom sequences: additive recurrences whose steps are
        powers of the root of x^(d+1) = x + 1.
    """
    dimensions = len(GRID)
    root = 2.0
    for _ in range(64):
        root = (1 + root) ** (1 / (dimensions + 1))
    steps = root ** -np.arange(1.0, dimensions + 1)
    points = (0.5 + np.arange(WITHIN)[:, None] * steps) % 1
    ranks = np.argsort(np.argsort(points, axis=0, kind="stable"), axis=0, kind="stable")
    return ranks[:, 0], np.asarray(ndtri((ranks[:, 1:].T + 0.5) / WITHIN), dtype=np.float64)


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
