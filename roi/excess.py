"""How many losses go with evidence of a cause, beyond those that would have happened without it.

A case may show several kinds of evidence (a failed action, a defective input, a missing approval). Its hazard of a
loss is that of its segment times 1 + the excess of each kind it shows. A kind may have no effect at all: it has one
with a chance of `CHANCE`, and an excess that is log-normal then. Without that chance, noise alone would ascribe losses,
for an excess cannot fall below 0. All sets of kinds are weighed by how well they explain what was seen.

What a kind explains is what would not have happened without it; where several would each have sufficed, they share it
whatever the order in which they are taken away (Shapley 1953). The rest would have happened without any of them.

Source:
    Miettinen (1974), American Journal of Epidemiology 99:325, on the attributable fraction; Mitchell & Beauchamp
    (1988), JASA 83:1023, on a point mass at no effect; Kish (1965) on design effects.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.draws import factor, stream

__all__ = ["CHANCE", "Cells", "Excess", "excess_of", "shapley"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CHANCE = 0.5  # that a kind of evidence has any effect, before losses are seen
USUAL, SPREAD = math.log(4.0), 1.5  # of the logarithm of an excess: from a third of the base to 47 times
OF_BASES = 2.0  # standard deviation of the logarithm of a stratum's hazard around that of all
POINTS = 1500  # at which a set of kinds is weighed
TAIL = 6.0  # degrees of freedom of what they are drawn from
LEAST = 1e-4  # weight of a set of kinds against the best, below which it is left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Cases by stratum and by the evidence that they show; losses need not be whole where cases are alike.

    Attributes:
        stratum: Index of the stratum, shape (cells,).
        shown: Whether a kind of evidence is shown, shape (cells, kinds).
        n: Cases, shape (cells,).
        x: Losses among them, shape (cells,).
    """

    stratum: Ints
    shown: npt.NDArray[np.bool_]
    n: Floats
    x: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """What evidence explains, by cell.

    Attributes:
        part: Share of a cell's losses that each kind explains, shape (cells, kinds, n_draws); 0 where it is not shown.
        risk: Risk of a loss of a cell, shape (cells, n_draws).
        effect: Chance that each kind has an effect at all, shape (kinds,).
        ratio: Hazard with against without each kind, shape (kinds, n_draws); 1 where it has no effect.
    """

    part: Floats
    risk: Floats
    effect: Floats
    ratio: Floats


def excess_of(cells: Cells, *, draws: int, seed: int, name: str) -> Excess:
    """Draw what each kind of evidence explains.

    Args:
        cells: Cases and losses.
        draws: Number of draws.
        seed: Seed of the run.
        name: Of the random stream.

    Returns:
        The draws.
    """
    kinds = cells.shown.shape[1]
    rng = stream(seed, f"excess:{name}")
    # A kind tells nothing unless some cases show it and others do not.
    able = [k for k in range(kinds) if 0 < cells.n[cells.shown[:, k]].sum() < cells.n.sum()]
    sets = [s for size in range(len(able) + 1) for s in itertools.combinations(able, size)]
    fits = [_fit(cells, s) for s in sets]
    rough = np.array([f.evidence for f in fits])
    kept = [f for f, e in zip(fits, rough, strict=True) if e >= rough.max() + math.log(LEAST)]
    drawn = [_weighed(cells, f, rng) for f in kept]
    scores = np.array([score for _, _, score in drawn])
    chance = np.exp(scores - scores.max())
    chance /= chance.sum()
    base = np.empty((fits[0].strata, draws))
    ratio = np.ones((kinds, draws))
    # Every set has its whole number of draws, and its points are met as often as they weigh.
    ends = np.rint(np.cumsum(chance) * draws).astype(np.int64)
    at = 0
    for fit, (points, weight, _), end in zip(kept, drawn, ends, strict=True):
        size = int(end) - at
        if size <= 0:
            continue
        pick = np.searchsorted(np.cumsum(weight), (np.arange(size) + rng.random()) / size * (1 - 1e-12))
        pick = np.minimum(pick, weight.size - 1)
        base[:, at:end] = points[: fit.strata, pick]
        for j, k in enumerate(fit.kinds):
            ratio[k, at:end] = 1 + np.exp(points[fit.strata + j, pick])
        at = int(end)
    turn = rng.permutation(draws)
    base, ratio = np.exp(base[:, turn]), ratio[:, turn]
    effect = np.zeros(kinds)
    for fit, c in zip(kept, chance, strict=True):
        effect[list(fit.kinds)] += c
    part, risk = shapley(base[cells.stratum], ratio - 1, cells.shown)
    return Excess(part=part, risk=risk, effect=effect, ratio=ratio)


def shapley(base: Floats, excess: Floats, shown: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Share of a cell's losses that each kind explains, and the cell's risk.

    Args:
        base: Hazard of each cell without evidence, shape (cells, n_draws).
        excess: What each kind adds to it, in bases, shape (kinds, n_draws).
        shown: Kinds that a cell shows, shape (cells, kinds).

    Returns:
        Shape (cells, kinds, n_draws) and (cells, n_draws).
    """
    count, kinds = shown.shape
    part = np.zeros((count, kinds, base.shape[1]))
    risk = np.empty_like(base)
    for c in range(count):
        own = np.flatnonzero(shown[c])
        value: dict[tuple[int, ...], Floats] = {}
        for size in range(own.size + 1):
            for chosen in itertools.combinations(own.tolist(), size):
                added = np.zeros(base.shape[1])
                for k in chosen:
                    added = added + excess[k]
                value[chosen] = -np.expm1(-base[c] * (1 + added))
        whole = value[tuple(own.tolist())]
        risk[c] = whole
        for k in own.tolist():
            gain = np.zeros(base.shape[1])
            for size in range(own.size):
                weight = 1 / (own.size * math.comb(own.size - 1, size))
                for chosen in itertools.combinations([o for o in own.tolist() if o != k], size):
                    gain = gain + weight * (value[tuple(sorted((*chosen, k)))] - value[chosen])
            part[c, k] = gain / whole
    return part, risk


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """A set of kinds at its most likely point."""

    kinds: tuple[int, ...]
    strata: int
    centre: float
    mode: Floats
    covariance: Floats
    evidence: float


def _density(cells: Cells, kinds: Sequence[int], strata: int, centre: float, at: Floats) -> Floats:
    """Log density of points, shape (parameters, points) → (points,); but for a constant that all sets share."""
    added = np.exp(at[strata:])
    result = np.zeros(at.shape[1])
    base = np.exp(at[:strata])
    for c in range(cells.n.size):
        factor_ = np.ones(at.shape[1])
        for j, k in enumerate(kinds):
            if cells.shown[c, k]:
                factor_ = factor_ + added[j]
        hazard = base[cells.stratum[c]] * factor_
        if cells.x[c] > 0:
            result += cells.x[c] * np.log(-np.expm1(-hazard))
        result -= (cells.n[c] - cells.x[c]) * hazard
    for g in range(strata):
        result -= 0.5 * ((at[g] - centre) / OF_BASES) ** 2
    for j in range(len(kinds)):
        result -= 0.5 * ((at[strata + j] - USUAL) / SPREAD) ** 2 + math.log(SPREAD)
    return result - 0.5 * math.log(2 * math.pi) * len(kinds)


def _fit(cells: Cells, kinds: tuple[int, ...]) -> _Fit:
    strata = int(cells.stratum.max()) + 1
    total = float(cells.n.sum())
    rate = (float(cells.x.sum()) + 0.5) / (total + 1)
    centre = math.log(-math.log1p(-rate))
    size = strata + len(kinds)
    at = np.concatenate([np.full(strata, centre), np.full(len(kinds), 0.0)])
    shown = cells.shown[:, list(kinds)]
    best, slope, curve = _slopes(cells, shown, strata, centre, at)
    for _ in range(40):
        step = np.linalg.solve(curve, slope)
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        while True:
            value, new_slope, new_curve = _slopes(cells, shown, strata, centre, at + step)
            if value >= best - 1e-9 or float(np.abs(step).max()) < 1e-5:
                break
            step = step / 4
        at, best, slope, curve = at + step, value, new_slope, new_curve
        if float(np.abs(step).max()) < 1e-3:
            break
    covariance = np.asarray(np.linalg.inv(curve), dtype=np.float64)
    density = float(_density(cells, kinds, strata, centre, at[:, None])[0])
    _, log_det = np.linalg.slogdet(covariance)
    evidence = density + 0.5 * float(log_det) + 0.5 * size * math.log(2 * math.pi) + _prior(cells, kinds)
    return _Fit(kinds=kinds, strata=strata, centre=centre, mode=at, covariance=covariance, evidence=evidence)


def _prior(cells: Cells, kinds: tuple[int, ...]) -> float:
    return len(kinds) * (math.log(CHANCE) - math.log1p(-CHANCE))


def _slopes(
    cells: Cells, shown: npt.NDArray[np.bool_], strata: int, centre: float, at: Floats
) -> tuple[float, Floats, Floats]:
    """Log density, its slope and an upper bound of its negative curvature (expected, Fisher scoring)."""
    added = np.exp(at[strata:])
    part = shown * added
    factor_ = 1 + part.sum(axis=1)
    base = np.exp(at[:strata])
    hazard = base[cells.stratum] * factor_
    risk = -np.expm1(-hazard)
    odds = np.exp(-hazard) / risk
    value = float((cells.x * np.log(risk) - (cells.n - cells.x) * hazard).sum())
    first = cells.x * odds - (cells.n - cells.x)
    second = cells.n * odds
    size = at.size
    turn = np.zeros((cells.n.size, size))
    turn[np.arange(cells.n.size), cells.stratum] = hazard
    turn[:, strata:] = base[cells.stratum][:, None] * part
    slope = (first[:, None] * turn).sum(axis=0)
    curve = (second[:, None, None] * turn[:, :, None] * turn[:, None, :]).sum(axis=0)
    place = np.concatenate([np.full(strata, centre), np.full(size - strata, USUAL)])
    spread = np.concatenate([np.full(strata, OF_BASES), np.full(size - strata, SPREAD)])
    off = (at - place) / spread
    value -= 0.5 * float((off**2).sum())
    slope = slope - off / spread
    curve = curve + np.diag(1 / spread**2)
    return value, slope, curve


def _weighed(cells: Cells, fit: _Fit, rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    """Points of a set of kinds, their weights, and the logarithm of how well the set explains what was seen."""
    size = fit.mode.size
    scale = factor(fit.covariance)
    normal = rng.standard_normal((size, POINTS))
    stretch = np.sqrt(TAIL / rng.chisquare(TAIL, POINTS))
    off = np.zeros((size, POINTS))
    for j in range(scale.shape[1]):
        off += scale[:, j, None] * normal[j]
    points = fit.mode[:, None] + off * stretch
    length = (normal**2).sum(axis=0) * stretch**2
    _, log_det = np.linalg.slogdet(fit.covariance)
    proposal = (
        math.lgamma((TAIL + size) / 2)
        - math.lgamma(TAIL / 2)
        - 0.5 * size * math.log(TAIL * math.pi)
        - 0.5 * float(log_det)
        - 0.5 * (TAIL + size) * np.log1p(length / TAIL)
    )
    log_weight = _density(cells, fit.kinds, fit.strata, fit.centre, points) - proposal
    most = float(log_weight.max())
    weight = np.exp(log_weight - most)
    score = most + math.log(float(weight.mean())) + _prior(cells, fit.kinds)
    return points, weight / weight.sum(), score
