"""Uncertain values: one number, a 90 % interval, a PERT triple or observed values, each with its origin.

A `{low, high}` is the P5 and P95 of a beta distribution for a share, of a log-normal for what is positive
and of a normal otherwise. A `{min, mode, max}` is PERT. Uniforms in `Uncertain.quantile` give draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from roi.scalars import as_share
from roi.special import betainc, betaincc, betaincinv, expit, logit, ndtri

__all__ = ["Evidence", "Family", "Floats", "Form", "Uncertain", "exact", "interval", "observed", "pert"]

Floats: TypeAlias = NDArray[np.float64]
Form: TypeAlias = Literal["exact", "interval", "pert", "values"]
Family: TypeAlias = Literal["share", "positive", "real"]
Evidence: TypeAlias = Literal["measured", "sourced", "assumed", "default"]

_Z95 = float(ndtri(0.95))
_TINY = 2.0**-53
_GRID_STEPS = np.linspace(0.0, 1.0, 513)
# A septic smooth step: points crowd at both ends, where an inverse beta bends most.
_GRID: Floats = _GRID_STEPS**4 * (35.0 - 84.0 * _GRID_STEPS + 70.0 * _GRID_STEPS**2 - 20.0 * _GRID_STEPS**3)
_EDGE = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertain:
    """A quantity with its uncertainty and its origin.

    Attributes:
        form: How it was written.
        family: What the quantity can be: a share (0..1), positive (0 or more) or any real number.
        numbers: ``(value,)``, ``(low, high)``, ``(min, mode, max)`` or all observed values, ascending.
        evidence: How well it is known; "default" for what the package filled in.
        source: The document or person it comes from.
        owner: Who answers for it.
        as_of: When it was true.
        note: How it comes about, in the author's words.
    """

    form: Form
    family: Family
    numbers: tuple[float, ...]
    evidence: Evidence = "assumed"
    source: str | None = None
    owner: str | None = None
    as_of: date | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        if message := _refusal(self.form, self.family, self.numbers):
            raise ValueError(message)
        if self.form == "values":
            object.__setattr__(self, "numbers", tuple(sorted(self.numbers)))

    @property
    def is_exact(self) -> bool:
        """Whether it is a single number."""
        return self.form == "exact"

    def quantile(self, u: Floats) -> Floats:
        """Inverse distribution function.

        Args:
            u: Probabilities in [0, 1], of any shape; uniforms give draws.

        Returns:
            Values of the shape of `u`, never falling in `u`. Beta and PERT are interpolated to within 1e-4
            of their range. For PERT, raising the mode never lowers a value at the same `u`.
        """
        u = np.asarray(u, dtype=np.float64)
        if self.form == "exact":
            return np.full(u.shape, self.numbers[0])
        if self.form == "values":
            observed_values = np.array(self.numbers)
            places = np.minimum((u * observed_values.size).astype(np.int64), observed_values.size - 1)
            return np.asarray(observed_values[places], dtype=np.float64)
        if self.form == "pert":
            low, _, high = self.numbers
            drawn = low + (high - low) * _beta_quantile(*_pert_shape(*self.numbers), u)
            return np.clip(drawn, low, high)
        if self.family == "share":
            return _beta_quantile(*_beta_from_interval(*self.numbers), u)
        z = ndtri(np.clip(u, _TINY, 1.0 - _TINY))
        centre, spread = self._normal
        drawn = centre + spread * z
        return np.asarray(np.exp(drawn) if self.family == "positive" else drawn, dtype=np.float64)

    @property
    def _normal(self) -> tuple[float, float]:
        """Centre and spread of the normal behind an interval, on the log scale for what is positive."""
        low, high = self.numbers
        if self.family == "positive":
            low, high = math.log(low), math.log(high)
        return (low + high) / 2.0, (high - low) / 2.0 / _Z95

    @property
    def mean(self) -> float:
        """Expected value."""
        if self.form == "exact":
            return self.numbers[0]
        if self.form == "values":
            return math.fsum(self.numbers) / len(self.numbers)
        if self.form == "pert":
            low, mode, high = self.numbers
            return (low + 4.0 * mode + high) / 6.0
        if self.family == "share":
            a, b = _beta_from_interval(*self.numbers)
            return a / (a + b)
        centre, spread = self._normal
        return math.exp(centre + spread**2 / 2.0) if self.family == "positive" else centre

    @property
    def p05(self) -> float:
        """5th percentile."""
        return self.numbers[0] if self.form in ("exact", "interval") else self._percentile(0.05)

    @property
    def p50(self) -> float:
        """Median."""
        return self._percentile(0.5)

    @property
    def p95(self) -> float:
        """95th percentile."""
        return self.numbers[-1] if self.form in ("exact", "interval") else self._percentile(0.95)

    def _percentile(self, u: float) -> float:
        if self.form == "pert":
            low, _, high = self.numbers
            return low + (high - low) * float(betaincinv(*_pert_shape(*self.numbers), u))
        if self.form == "interval" and self.family == "share":
            return float(betaincinv(*_beta_from_interval(*self.numbers), u))
        return float(self.quantile(np.array([u]))[0])

    @property
    def smallest(self) -> float:
        """The least value it can take; minus infinity for a normal."""
        if self.form == "interval":
            return -math.inf if self.family == "real" else 0.0
        return self.numbers[0]

    @property
    def largest(self) -> float:
        """The greatest value it can take; infinity for a normal or log-normal."""
        if self.form == "interval":
            return 1.0 if self.family == "share" else math.inf
        return self.numbers[-1]

    @property
    def text(self) -> str:
        """The value in words: ``38 to 46``, ``42`` or ``0.1 to 0.5, most likely 0.3``."""
        shown = [_show(number) for number in self.numbers]
        if self.form == "exact":
            return shown[0]
        if self.form == "interval":
            return f"{shown[0]} to {shown[1]}"
        if self.form == "pert":
            return f"{shown[0]} to {shown[2]}, most likely {shown[1]}"
        return f"{len(shown)} observed, {shown[0]} to {shown[-1]}"


def exact(value: float, family: Family = "positive", *, evidence: Evidence = "assumed") -> Uncertain:
    """A number that is taken as known."""
    return Uncertain(form="exact", family=family, numbers=(float(value),), evidence=evidence)


def interval(low: float, high: float, family: Family, *, evidence: Evidence = "assumed") -> Uncertain:
    """A 90 % interval, P5 to P95."""
    return Uncertain(form="interval", family=family, numbers=(float(low), float(high)), evidence=evidence)


def pert(
    low: float, mode: float, high: float, family: Family, *, evidence: Evidence = "assumed"
) -> Uncertain:
    """Smallest, most likely and largest possible value (beta-PERT of shape 4)."""
    return Uncertain(
        form="pert", family=family, numbers=(float(low), float(mode), float(high)), evidence=evidence
    )


def observed(values: Sequence[float], family: Family, *, evidence: Evidence = "assumed") -> Uncertain:
    """Observed values, resampled."""
    return Uncertain(form="values", family=family, numbers=tuple(map(float, values)), evidence=evidence)


def _show(number: float) -> str:
    return f"{number:,.0f}" if number == round(number) and abs(number) < 1e15 else f"{number:,.6g}"


def _refusal(form: Form, family: Family, numbers: tuple[float, ...]) -> str | None:
    """Why the numbers are impossible and how to mend them; None where they are possible."""
    if not numbers:
        return "values is empty; give the observed values, or leave the key out"
    for number in numbers:
        if not math.isfinite(number):
            return f"{number} is not a finite number; leave the key out if it is unknown"
        if family == "share" and not 0.0 <= number <= 1.0:
            percent = f"; {_show(number)} % is {as_share(number)}" if 1.0 < number <= 100.0 else ""
            return f"{_show(number)} is not a share (0..1){percent}"
        if family == "positive" and not number >= 0.0:
            return f"{_show(number)} is below 0, which is impossible here"
    if form == "interval":
        return _refuse_interval(family, *numbers)
    if form == "pert":
        low, mode, high = numbers
        if low == high:
            return f"min and max are both {_show(low)}; write the single number {_show(low)}"
        if low > high:
            return f"min {_show(low)} is above max {_show(high)}; exchange them"
        if not low <= mode <= high:
            return f"mode {_show(mode)} is outside min {_show(low)} to max {_show(high)}"
    return None


def _refuse_interval(family: Family, low: float, high: float) -> str | None:
    if low == high:
        return f"low and high are both {_show(low)}; write the single number {_show(low)}"
    if low > high:
        return f"low {_show(low)} is above high {_show(high)}; exchange them"
    mend = f"write {{min: {_show(low)}, mode: …, max: {_show(high)}}} if the ends are possible"
    if family == "share":
        if not 0.0 < low < high < 1.0:
            return f"a 90 % interval of a share lies between 0 and 1 without touching them; {mend}"
        try:
            _beta_from_interval(low, high)
        except ValueError as error:
            return f"{error}; {mend}"
    if family == "positive":
        if not low > 0.0:
            return f"a 90 % interval of a positive value begins above 0; {mend}"
        if not high / low <= 1e6:
            return f"low {_show(low)} and high {_show(high)} are more than a million times apart; {mend}"
    return None


def _pert_shape(low: float, mode: float, high: float) -> tuple[float, float]:
    """Shapes of the beta distribution behind PERT.

    Source:
        Malcolm, Roseboom, Clark & Fazar (1959), Operations Research 7:646; Clark (1962).
    """
    share = (mode - low) / (high - low)
    return 1.0 + 4.0 * share, 1.0 + 4.0 * (1.0 - share)


def _beta_quantile(a: float, b: float, u: Floats) -> Floats:
    """Quantiles of a beta distribution: interpolated in the bulk, solved for in the outermost tails.

    Straight lines between the same probabilities keep the order of two distributions wherever one lies above
    the other, which a smoother interpolation would not.
    """
    if u.size <= 2 * _GRID.size:
        return np.asarray(betaincinv(a, b, u), dtype=np.float64)
    drawn = np.interp(u, _GRID, _beta_grid(a, b))
    outer = (u < _GRID[_EDGE]) | (u > _GRID[-_EDGE - 1])
    if outer.any():
        drawn[outer] = betaincinv(a, b, u[outer])
    return np.asarray(drawn, dtype=np.float64)


@lru_cache(maxsize=256)
def _beta_grid(a: float, b: float) -> Floats:
    return np.asarray(np.maximum.accumulate(betaincinv(a, b, _GRID)), dtype=np.float64)


@lru_cache(maxsize=1024)
def _beta_from_interval(low: float, high: float) -> tuple[float, float]:
    """Shapes of the beta distribution with P5 `low` and P95 `high`.

    Newton's method on the logit of the mean and the log of the weight, from the normal approximation on
    the logit scale.

    Raises:
        ValueError: If no distribution with these percentiles can be computed.

    Source:
        van Dorp & Mazzuchi (2000), J. Statist. Comput. Simul. 67:189 (existence and uniqueness).
    """
    low_logit, high_logit = float(logit(low)), float(logit(high))
    centre = float(expit((low_logit + high_logit) / 2.0))
    sd = (high_logit - low_logit) / 2.0 / _Z95
    # A beta of weight w about m has var(logit) near 1 / (w m (1 - m)); wide ones need a start below that.
    weight = max(1.0 / (sd * sd * centre * (1.0 - centre)), 0.1)
    point = np.array([(low_logit + high_logit) / 2.0, math.log(weight)])
    miss = _miss(point, low, high)
    for _ in range(200):
        if not np.abs(miss).max() > 1e-13:
            break
        jacobian = np.empty((2, 2))
        for column in range(2):
            step = np.zeros(2)
            step[column] = 1e-6 * max(1.0, abs(point[column]))
            jacobian[:, column] = (_miss(point + step, low, high) - _miss(point - step, low, high)) / (
                2.0 * step[column]
            )
        determinant = jacobian[0, 0] * jacobian[1, 1] - jacobian[0, 1] * jacobian[1, 0]
        if not abs(determinant) > 0.0:
            break
        move = -np.linalg.solve(jacobian, miss)
        move *= min(1.0, 2.0 / float(np.abs(move).max()))
        for _ in range(40):
            tried = _miss(point + move, low, high)
            if float(np.abs(tried).max()) < float(np.abs(miss).max()):
                break
            move = move / 2.0
        else:
            break
        point, miss = point + move, tried
    a, b = _shapes(point)
    missed = float(np.abs(betainc(a, b, [low, high]) - [0.05, 0.95]).max())
    if not missed <= 1e-9:
        raise ValueError(
            f"no beta distribution has its P5 at {low:g} and its P95 at {high:g} that can be computed"
        )
    return a, b


def _shapes(point: Floats) -> tuple[float, float]:
    mean, weight = float(expit(point[0])), math.exp(min(float(point[1]), 600.0))
    return max(mean * weight, 1e-300), max(float(expit(-point[0])) * weight, 1e-300)


def _miss(point: Floats, low: float, high: float) -> Floats:
    """How far the tail probabilities are from 5 %, as logarithms, so that a far start still has a slope."""
    a, b = _shapes(point)
    tails = np.array([betainc(a, b, low), betaincc(a, b, high)])
    return np.asarray(np.log(np.maximum(tails, 1e-300) / 0.05), dtype=np.float64)
