"""What an explorer moves: the middle of some stated inputs, thresholds of the policy, and which remedies there are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from roi.analysis import Decided
from roi.assumptions import Assumptions
from roi.draws import stream, uniforms
from roi.parameters import LoadedParameters
from roi.special import expit, logit
from roi.uncertain import Form, Uncertain

__all__ = ["THRESHOLDS", "Dial", "Setting", "applied", "dials_of", "middle", "moved", "moved_numbers"]

Value = TypeVar("Value")

STATED = (
    "demand.cases_per_month",
    "economics.labour_cost_per_hour",
    "economics.realisation.total",
    "economics.realisation.cash",
    "economics.realisation.redeployed",
    "economics.adoption.ceiling",
    "economics.adoption.ramp_months",
    *(f"economics.error_cost.{s}" for s in ("minor", "moderate", "major", "critical")),
)
THRESHOLDS = {
    "scale_probability": ("Chance that scaling needs", 0.5, 0.99, 0.01),
    "kill_probability": ("Chance below which it is a kill", 0.01, 0.49, 0.01),
    "max_severe_error_rate": ("Severe errors a case, at most", 0.0005, 0.05, 0.0005),
}
DIGITS = 6  # a moved number is rounded to so many, so that the file that is saved says the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """Something that can be moved.

    Attributes:
        key: Its key in the parameter file; of a threshold that below ``policy``.
        label: In words.
        unit: Its unit.
        value: Where it stands: the middle of a stated input.
        low: The least that its slider can be moved to.
        high: The most.
        step: From one place of its slider to the next; the places are whole multiples of it.
        threshold: Whether it is a threshold of the policy.
        ranged: Whether it is the middle of a range, which is moved to so many digits as are written.
    """

    key: str
    label: str
    unit: str
    value: float
    low: float
    high: float
    step: float
    threshold: bool = False
    ranged: bool = False

    @property
    def written(self) -> float:
        """Where it stands, as it is shown: a stated number to the last digit, the middle of a range rounded."""
        return float(f"{self.value:.{DIGITS}g}") if self.ranged else self.value

    def at(self, place: float) -> float:
        """What a place of its slider means: the round number there, at the place nearest to the file's that value."""
        steps = round(place / self.step)
        return self.written if steps == round(self.value / self.step) else float(f"{steps * self.step:.12g}")

    def is_home(self, value: float) -> bool:
        """Whether a value is the one that the file states."""
        return value in (self.value, self.written)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where everything stands; what is not named stands as the parameter file states it.

    Attributes:
        values: New middle of stated inputs, by key.
        thresholds: New thresholds, by key.
        without: Names of remedies that are left out.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    without: frozenset[str] = frozenset()

    def with_dial(self, dial: Dial, value: float) -> Setting:
        """The same with a dial at another place; back at its own it is as the file states it."""
        known = dict(self.thresholds if dial.threshold else self.values)
        known.pop(dial.key, None)
        if not dial.is_home(value):
            known[dial.key] = float(value)
        return replace(self, thresholds=known) if dial.threshold else replace(self, values=known)


def middle(value: Uncertain) -> float:
    """The number by which an input is moved: of a share's interval that half-way on its own scale, else the mean."""
    if value.form == "interval" and value.family == "share":
        return float(expit(logit(np.array(value.numbers)).mean()))
    return value.mean


def moved(value: Uncertain, to: float) -> Uncertain:
    """An input with its middle elsewhere and as wide as before; the numbers of a range rounded, as it is written.

    Args:
        value: As it is stated.
        to: Where its middle shall be.

    Raises:
        ValueError: If it cannot be there; the message says how to mend it.
    """
    form, numbers = moved_numbers(value, to)
    return replace(value, form=form, numbers=numbers)


def moved_numbers(value: Uncertain, to: float) -> tuple[Form, tuple[float, ...]]:
    """Form and numbers of `moved`, whether they are possible or not."""
    possible = math.isfinite(to) and (value.family == "real" or to >= 0)
    if value.family == "share":
        possible = possible and to <= 1
    if value.form == "exact" or not possible:
        return "exact", (to,)
    if value.form == "interval" and value.family == "share":
        if to in (0, 1):
            return "exact", (to,)
        shift = logit(to) - logit(middle(value))
        numbers = tuple(float(x) for x in expit(logit(np.array(value.numbers)) + shift))
    elif value.form == "interval" and value.family == "real":
        numbers = tuple(x + to - value.mean for x in value.numbers)
    else:
        # As wide for its middle as before; of a share narrower where it would reach beyond 1.
        factor = to / value.mean
        if value.family == "share" and value.numbers[-1] > value.mean:
            factor = min(factor, (1 - to) / (value.numbers[-1] - value.mean))
        numbers = tuple(to + (x - value.mean) * factor for x in value.numbers)
    numbers = tuple(float(f"{max(x, 0.0) if value.family != 'real' else x:.{DIGITS}g}") for x in numbers)
    return ("exact", (float(f"{to:.{DIGITS}g}"),)) if numbers[0] == numbers[-1] else (value.form, numbers)


def dials_of(a: Decided) -> tuple[Dial, ...]:
    """The dials of a pilot: the stated inputs that matter most to people, then thresholds."""
    found = []
    for key in STATED:
        entry = a.assumptions.entries.get(key)
        if entry is None or entry.value.form == "values":
            continue
        value, at = entry.value, middle(entry.value)
        if value.form != "exact" and at == 0:
            continue
        if value.family == "share":
            low, high, step = 0.0, 1.0, 0.01
        elif key.endswith("ramp_months"):
            low, high, step = 0.0, 36.0, 0.5
        elif at == 0:
            low, high, step = 0.0, 100.0, 1.0
        else:
            low, high, step = at / 4, at * 4, _round_step(at / 50)
        low, high = _ends(low, high, at, step)
        found.append(
            Dial(
                key=key, label=entry.label, unit=entry.unit, value=at, low=low, high=high, step=step,
                ranged=value.form != "exact",
            )
        )  # fmt: skip
    for key, (label, least, most, step) in THRESHOLDS.items():
        at = float(getattr(a.loaded.policy, key))
        low, high = _ends(least, most, at, step)
        found.append(
            Dial(key=key, label=label, unit="share", value=at, low=low, high=high, step=step, threshold=True)
        )
    return tuple(found)


def _round_step(rough: float) -> float:
    """The largest of 1, 2 and 5 with any number of zeros that is not above a step."""
    size = 10.0 ** math.floor(math.log10(rough))
    return float(f"{max(m for m in (1, 2, 5) if m * size <= rough * (1 + 1e-9)) * size:.1g}")


def _ends(low: float, high: float, at: float, step: float) -> tuple[float, float]:
    """The ends of a dial: whole multiples of its step, with where it stands between them."""
    below, above = math.floor(min(low, at) / step + 1e-9), math.ceil(max(high, at) / step - 1e-9)
    return float(f"{below * step:.12g}"), float(f"{above * step:.12g}")


def applied(a: Decided, setting: Setting) -> tuple[LoadedParameters, Assumptions]:
    """Parameters and draws of a setting; only what was moved is drawn anew.

    Args:
        a: The decision of the pilot as it is stated.
        setting: What was moved.

    Returns:
        What `decide_again` takes.
    """
    loaded, p = a.loaded, a.loaded.parameters
    values, entries = dict(a.assumptions.values), dict(a.assumptions.entries)
    for key, to in setting.values.items():
        value = moved(entries[key].value, to)
        entries[key] = replace(entries[key], value=value)
        drawn = (
            value.mean
            if value.is_exact
            else value.quantile(uniforms(a.measured.draws, stream(p.run.seed, key)))
        )
        values[key] = drawn
    if setting.thresholds:
        loaded = replace(loaded, policy=loaded.policy.model_copy(update=dict(setting.thresholds)))
    kept = [i for i, r in enumerate(p.remedies or ()) if r.name not in setting.without]
    if len(kept) < len(p.remedies or ()):
        remedies = tuple((p.remedies or ())[i] for i in kept)
        loaded = replace(loaded, parameters=p.model_copy(update={"remedies": remedies}))
        values, entries = _renumbered(values, kept), _renumbered(entries, kept)
    return loaded, Assumptions(values, entries)


def _renumbered(known: Mapping[str, Value], kept: Sequence[int]) -> dict[str, Value]:
    """What is known by key when only some remedies are kept, which are counted anew."""
    found = {key: x for key, x in known.items() if not key.startswith("remedies[")}
    for new, old in enumerate(kept):
        before = f"remedies[{old}]."
        for key, x in known.items():
            if key.startswith(before):
                found[f"remedies[{new}].{key.removeprefix(before)}"] = x
    return found
