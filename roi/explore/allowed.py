"""Whether a setting is allowed: by the rules of the parameter file itself, as if it had been saved and were read.

Where it is not, each problem is told with its mend and with what was moved that it concerns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roi.analysis import Decided
from roi.explore.setting import Setting, moved_numbers
from roi.parameters import problems_at
from roi.problems import Problem
from roi.schema.tables import SEVERITIES
from roi.schema.values import is_uncertain_form
from roi.uncertain import Form, Uncertain

__all__ = ["NUMBERS", "Refusal", "raw_at", "refusals"]

NUMBERS: Mapping[Form, tuple[str, ...]] = {
    "exact": ("value",),
    "interval": ("low", "high"),
    "pert": ("min", "mode", "max"),
}
_OF_A_SCENARIO = re.compile(r"^scenarios\.([^.]+)\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a setting is not allowed.

    Attributes:
        keys: Keys of the dials that it concerns: of those that were moved where there are any; "remedies" for what was
            left out. Empty where it concerns none of them.
        said: What is wrong and how to mend it.
    """

    keys: tuple[str, ...]
    said: str


def refusals(a: Decided, setting: Setting, dials: Sequence[str]) -> tuple[Refusal, ...]:
    """Everything that `roi decide` would refuse of a setting.

    Args:
        a: The decision of the pilot as it is stated.
        setting: What was moved.
        dials: Keys of what can be moved; of a threshold that below ``policy``.

    Raises:
        ValueError: If the parameters were not read from a file.
    """
    if setting == Setting():
        return ()
    if not a.loaded.raw:
        raise ValueError("these parameters were not read from a file")
    wrong = problems_at(a.loaded, raw_at(a, setting), a.as_of)
    keys = tuple(dials)
    return tuple(_refusal(problem, setting, keys) for problem in wrong)


def _refusal(problem: Problem, setting: Setting, dials: tuple[str, ...]) -> Refusal:
    place, said = problem.place, problem.message
    if scenario := _OF_A_SCENARIO.match(place):
        place, said = place[scenario.end() :], f"scenario {scenario[1]}: {said}"
    if place.startswith("remedies"):
        return Refusal(keys=("remedies",), said=said)
    place = place.removeprefix("policy.")
    concerned = tuple(
        key for key in dials if f"{key}.".startswith(f"{place}.") or place.startswith(f"{key}.")
    )
    changed = tuple(key for key in concerned if key in setting.values or key in setting.thresholds)
    if not concerned:
        said = f"{problem.place}: {said}"
    return Refusal(keys=changed or concerned, said=said)


def raw_at(a: Decided, setting: Setting) -> dict[str, Any]:
    """The parameter file's value at a setting; nothing of it is checked.

    Args:
        a: The decision of the pilot as it is stated.
        setting: What was moved.
    """
    raw = dict(a.loaded.raw)
    for key, to in setting.values.items():
        _move(raw, key, to, a)
    for key, value in setting.thresholds.items():
        raw["policy"] = {**(raw.get("policy") or {}), key: value}
    if setting.without:
        named = zip(raw["remedies"], a.loaded.parameters.remedies, strict=True)
        raw["remedies"] = [remedy for remedy, known in named if known.name not in setting.without]
    return raw


def _move(raw: dict[str, Any], key: str, to: float, a: Decided) -> None:
    """Put the numbers of a moved input in their place; what stands beside them, such as its source, stays."""
    entries = a.assumptions.entries
    *above, last = key.split(".")
    group = raw
    for part in above:
        inner = group.get(part)
        if part == "realisation" and inner is not None and not _is_group(inner):
            last = part  # a single value is cash and redeployed together
            break
        if part == "error_cost" and inner is not None and not _is_group(inner):
            inner = {s: _written(entries[f"economics.error_cost.{s}"].value) for s in SEVERITIES}
        group[part] = dict(inner or {})
        group = group[part]
    old = group.get(last)
    beside = {k: x for k, x in old.items() if k not in _EVERY} if isinstance(old, Mapping) else {}
    form, numbers = moved_numbers(entries[key].value, to)
    group[last] = {**beside, **dict(zip(NUMBERS[form], numbers, strict=True))}


def _is_group(value: Any) -> bool:
    return isinstance(value, Mapping) and not is_uncertain_form(value)


def _written(value: Uncertain) -> dict[str, Any]:
    """A value as a file may write it."""
    if value.form == "values":
        return {"values": list(value.numbers)}
    return dict(zip(NUMBERS[value.form], value.numbers, strict=True))


_EVERY = {name for names in NUMBERS.values() for name in names}
