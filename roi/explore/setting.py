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
from roi.uncertain import Uncertain

__all__ = ["THRESHOLDS", "Dial", "Setting", "applied", "dials_of", "middle", "moved"]

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
    "max_severe_error_rate": ("Most severe errors", 0.0005, 0.05, 0.0005),
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
        low: The least it can be moved to.
        high: The most.
        step: From one place to the next.
        threshold: Whether it is a threshold of the policy.
    """

    key: str
    label: str
    unit: str
    value: float
    low: float
    high: float
    step: float
    threshold: bool = False


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
        if not math.isclose(value, dial.value, rel_tol=1e-9, abs_tol=dial.step / 1000):
            known[dial.key] = float(value)
        return replace(self, thresholds=known) if dial.threshold else replace(self, values=known)


def middle(value: Uncertain) -> float:
    """The number by which an input is moved: of a share's interval that half-way on its own scale, else the mean."""
    if value.form == "interval" and value.family == "share":
        return float(expit(logit(np.array(value.numbers)).mean()))
    return value.mean


def moved(value: Uncertain, to: float) -> Uncertain:
    """An input with its middle elsewhere and the same relative width; rounded, as it would be written.

    Args:
        value: As it is stated.
        to: Where its middle shall be.
    """
    if value.form == "exact":
        numbers: tuple[float, ...] = (to,)
    elif value.form == "interval" and value.family == "share":
        shift = logit(to) - logit(middle(value))
        numbers = tuple(float(x) for x in expit(logit(np.array(value.numbers)) + shift))
    elif value.form == "interval" and value.family == "real":
        numbers = tuple(x + to - value.mean for x in value.numbers)
    else:
        factor = to / value.mean
        most = 1.0 if value.family == "share" else math.inf
        numbers = tuple(min(x * factor, most) for x in value.numbers)
    numbers = tuple(float(f"{x:.{DIGITS}g}") for x in numbers)
    if value.form != "exact" and numbers[0] == numbers[-1]:
        return replace(value, form="exact", numbers=numbers[:1])
    return replace(value, numbers=numbers)


def dials_of(a: Decided) -> tuple[Dial, ...]:
    """The dials of a pilot: the stated inputs that matter most to people, then thresholds."""
    found = []
    for key in STATED:
        entry = a.assumptions.entries.get(key)
        if entry is None or entry.value.form == "values":
            continue
        at = middle(entry.value)
        if entry.value.family == "share":
            low, high, step = (0.01, 0.99, 0.01) if entry.value.form == "interval" else (0.0, 1.0, 0.01)
            if entry.value.form == "pert" and at == 0:
                continue
        elif key.endswith("ramp_months"):
            low, high, step = (0.0 if entry.value.is_exact else 0.5), 36.0, 0.5
        elif at == 0:
            low, high, step = 0.0, 100.0, 1.0
        else:
            low, high, step = at / 4, at * 4, at / 100
        if entry.value.form == "pert" and low == 0:
            low = step
        low, high = _ends(low, high, at, step)
        found.append(
            Dial(key=key, label=entry.label, unit=entry.unit, value=at, low=low, high=high, step=step)
        )
    for key, (label, least, most, step) in THRESHOLDS.items():
        value = float(getattr(a.loaded.policy, key))
        low, high = _ends(least, most, value, step)
        found.append(
            Dial(
                key=key, label=label, unit="share", value=value, low=low, high=high, step=step, threshold=True
            )
        )
    return tuple(found)


def _ends(low: float, high: float, at: float, step: float) -> tuple[float, float]:
    """The ends of a dial, a whole number of steps from where it stands, which a browser would otherwise round."""
    below, above = (math.floor(max(x, 0.0) / step + 1e-9) for x in (at - low, high - at))
    return at - below * step, at + above * step


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
