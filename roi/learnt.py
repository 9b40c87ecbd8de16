"""A forecast, updated by the months that are over.

Each draw of the decision is weighed by how well it foretold the months: cases, adoption, minutes and cost on the log
scale, errors as counts that spread more than Poisson. Demand, adoption and what was measured of cases were drawn apart,
so that each of the three is weighed by what is reported of it alone, and many draws stay. Where the months lie so far
out that too few carry the weight, the factors are moved and narrowed by the normal rule instead, which needs no draw to
have been near; that is said.

Source:
    Gelman et al. (2013), Bayesian Data Analysis, sections 2.5 and 10.4; Kong, Liu & Wong (1994), JASA 89:278, for the
    effective number of draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.actuals import Month
from roi.forecast import FACTORS, Forecast, Levels

__all__ = ["LEAST_DRAWS", "MONTHLY_SPREAD", "Learnt", "factor_of", "learn", "weights_of"]

Floats = npt.NDArray[np.float64]

LEAST_DRAWS = 200
"""Effective draws below which weights are not used: a P10 then rests on fewer than 20 of them."""

MONTHLY_SPREAD: Mapping[str, float] = {
    "volume": 0.10,
    "adoption": 0.15,
    "minutes": 0.05,
    "errors": 0.20,
    "price": 0.15,
}
"""Guess of how far a month lies off what is true in the long run, as a share (sd of the log)."""

WEIGHT_OF_GUESS = 4.0  # months that the guess of the spread counts for
LEAST = 0.1  # of what was forecast: a month of less counts as this, since nothing has no logarithm


BLOCKS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "demand": (("volume",), ("demand",)),
    "adoption": (("adoption",), ("ceiling", "ramp", "delay")),
    "cases": (
        ("minutes", "errors", "price"),
        ("before", "minutes", "errors", "errors_before", "error_cost", "price"),
    ),
}
"""What is drawn apart from the rest: the factors that tell of it, and the draws of a forecast that belong to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What the months taught.

    Attributes:
        forecast: The forecast as it stands now.
        effective: Draws that the weights amount to, of `forecast.n`, by block that months tell of.
        shifted: Factors that too few draws are near, moved by the normal rule.
        factors: The factors that were learnt from.
        far: Those of them that lie further off than 19 of 20 draws would, month to month spread included.
    """

    forecast: Forecast
    effective: Mapping[str, float]
    shifted: tuple[str, ...]
    factors: tuple[str, ...]
    far: tuple[str, ...]


def factor_of(month: Month, name: str) -> float | None:
    """A factor of a month as it was reported; None where it was not, or where no case could show it."""
    cases, adopted = month.cases, month.adopted_cases
    if name == "volume":
        return cases
    if name == "adoption":
        return None if not cases or adopted is None else adopted / cases
    total = {"minutes": month.human_minutes, "errors": month.errors, "price": month.cost}[name]
    return None if not adopted or total is None else total / adopted


def weights_of(forecast: Forecast, levels: Levels, months: Sequence[Month], names: Sequence[str]) -> Floats:
    """How well each draw foretold some factors of some months.

    Args:
        forecast: The forecast.
        levels: Its factors in these months.
        months: What was reported.
        names: Factors; those that are not reported weigh nothing.

    Returns:
        Weights that sum to 1, shape (n_draws,).
    """
    score = np.zeros(forecast.n)
    for name in names:
        off = _off(forecast, levels, months, name)
        if off is not None:
            score += off.score
    weight = np.exp(score - score.max())
    return np.asarray(weight / weight.sum(), dtype=np.float64)


def learn(forecast: Forecast, months: Sequence[Month], *, covered_only: bool = False) -> Learnt:
    """Update a forecast by months that are over.

    Args:
        forecast: As it was decided.
        months: What was reported, at least one month.
        covered_only: Whether cases are of the covered segments only.
    """
    numbers = np.array([float(m.number) for m in months])
    levels = forecast.levels(numbers, covered_only=covered_only)
    off = {name: x for name in FACTORS if (x := _off(forecast, levels, months, name)) is not None}
    changed: dict[str, Any] = {}
    effective: dict[str, float] = {}
    shifted: list[str] = []
    for block, (names, fields) in BLOCKS.items():
        told = [name for name in names if name in off]
        if not told:
            continue
        weight = weights_of(forecast, levels, months, told)
        effective[block] = float(1 / (weight**2).sum())
        if effective[block] >= LEAST_DRAWS:
            # Each draw as often as its weight asks, one comb over all of them: no chance, equal weights afterwards.
            comb = (np.arange(forecast.n) + 0.5) / forecast.n
            chosen = np.minimum(np.searchsorted(np.cumsum(weight), comb), forecast.n - 1)
            for field in fields:
                value = getattr(forecast, field)
                if np.ndim(value) == 1:
                    changed[field] = value[chosen]
            continue
        shifted += told
        for name in told:
            field = {"volume": "demand", "adoption": "ceiling"}.get(name, name)
            changed[field] = np.multiply(getattr(forecast, field), off[name].shift())
            if name in ("adoption", "errors"):
                changed[field] = np.clip(changed[field], 0.0, 1.0)
    return Learnt(
        forecast=replace(forecast, **changed),
        effective=effective,
        shifted=tuple(shifted),
        factors=tuple(off),
        far=tuple(name for name, x in off.items() if x.is_far),
    )


def _known(
    forecast: Forecast, levels: Levels, months: Sequence[Month], name: str
) -> tuple[Floats, Floats] | None:
    """What was reported of a factor, shape (months, 1), and what was forecast; of errors their numbers."""
    level: Floats | None = getattr(levels, name)
    if level is None or (name == "price" and not np.any(np.asarray(forecast.price) > 0)):
        return None
    rows = [i for i, m in enumerate(months) if factor_of(m, name) is not None]
    if not rows:
        return None
    if name == "errors":
        adopted = np.array([[months[i].adopted_cases] for i in rows], dtype=np.float64)
        counts = np.array([[months[i].errors] for i in rows], dtype=np.float64)
        return counts, np.maximum(level[rows] * adopted, 1e-9)
    return np.array([[factor_of(months[i], name)] for i in rows], dtype=np.float64), level[rows]


def _log_ratio(actual: Floats, level: Floats) -> Floats:
    """Log of reported over forecast, where either may be nothing."""
    floor = np.maximum(LEAST * level.mean(axis=1, keepdims=True), 1e-12)
    return np.asarray(np.log(np.maximum(actual, floor) / np.maximum(level, floor)), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Off:
    """How far a factor was off its forecast, on the log scale.

    Attributes:
        by_draw: Mean over the months, shape (n_draws,).
        noise: Variance of that mean where a draw is true.
        score: Log likelihood of the months by draw, but for a constant.
    """

    by_draw: Floats
    noise: float
    score: Floats

    @property
    def is_far(self) -> bool:
        return float(abs(self.by_draw.mean())) > 1.96 * float(np.sqrt(self.by_draw.var() + self.noise))

    def shift(self) -> Floats:
        """What each draw is multiplied by, shape (n_draws,): the normal rule.

        With draws that vary by V and the noise W, the share V / (V + W) of what they are off by is made up, and their
        spread falls by the square root of the rest.
        """
        x, variance = self.by_draw, float(self.by_draw.var())
        middle, gain = float(x.mean()), variance / (variance + self.noise)
        return np.asarray(np.exp(gain * middle + (1 - np.sqrt(1 - gain)) * (x - middle)), dtype=np.float64)


def _off(forecast: Forecast, levels: Levels, months: Sequence[Month], name: str) -> _Off | None:
    found = _known(forecast, levels, months, name)
    if found is None:
        return None
    actual, level = found
    m, guess = actual.shape[0], MONTHLY_SPREAD[name] ** 2
    if name == "errors":
        x = np.log((actual.sum() + 0.5) / (level.sum(axis=0) + 0.5))
        score = (actual * np.log(level) - (actual + 1 / guess) * np.log(level + 1 / guess)).sum(axis=0)
        return _Off(x, 1 / (float(actual.sum()) + 0.5) + guess / m, score)
    off = _log_ratio(actual, level)
    x = off.mean(axis=0)
    # How far months lie off one another, in the draw that bends with them best; the guess counts as four of them.
    apart = float(((off - x) ** 2).sum(axis=0).min())
    spread = (WEIGHT_OF_GUESS * guess + apart) / (WEIGHT_OF_GUESS + m - 1)
    return _Off(x, spread / m, -(off**2).sum(axis=0) / (2 * spread))
