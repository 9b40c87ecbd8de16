"""Scenarios: a parameter file as each of its named sets of keys would change it, and what is wrong with that.

A scenario may be `based_on` another one, whose keys it starts from. It weighs the same samples: of these it may change
the stated baseline alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from roi.problems import Problem
from roi.scalars import describe, shorten
from roi.schema.base import nearest
from roi.schema.errors import problem_at, problems_of
from roi.schema.model import BASED_ON, SCENARIO_GROUPS, Parameters
from roi.schema.values import is_uncertain_form
from roi.strict_yaml import Document, YamlPath, dotted

__all__ = ["COMPUTED_SCENARIOS", "laid_over", "read_scenarios"]

COMPUTED_SCENARIOS = ("pessimistic", "expected", "optimistic")
OF_SAMPLES = ("baseline",)
BESIDE = "price_scenarios"


def read_scenarios(
    raw: Mapping[str, Any], document: Document, name: str, known: set[str]
) -> tuple[dict[str, Parameters], list[Problem]]:
    """The parameters of each scenario, and what is wrong with them beyond what is wrong anyway.

    Args:
        raw: The file's value.
        document: Where things stand in it.
        name: As messages call the file.
        known: Places of problems that the file has without its scenarios.

    Returns:
        By name the parameters of each scenario that is in order, in the file's order; and the problems.
    """
    scenarios = raw.get("scenarios")
    if not isinstance(scenarios, Mapping):
        return {}, []
    read: dict[str, Parameters] = {}
    found: list[Problem] = []
    for scenario, changes in scenarios.items():
        prefix: YamlPath = ("scenarios", scenario)
        if scenario in COMPUTED_SCENARIOS:
            message = (
                f"'{scenario}' is computed for every pilot from the file's own ranges; choose another name"
            )
            found.append(problem_at(name, prefix, message, document))
        if not isinstance(changes, Mapping):
            found.append(
                problem_at(name, prefix, f"{describe(changes)} where a group of keys is wanted", document)
            )
            continue
        found += [problem_at(name, (*prefix, *path), message, document) for path, message in _keys(changes)]
        below, problem = _below(scenarios, scenario)
        if problem is not None:
            found.append(problem_at(name, (*prefix, BASED_ON), problem, document))
            continue
        changed: dict[str, Any] = {**raw, "scenarios": None}
        for layer in (*below, changes):
            changed = laid_over(changed, {k: v for k, v in layer.items() if k in SCENARIO_GROUPS})
        try:
            read[str(scenario)] = Parameters.model_validate(changed)
        except ValidationError as error:
            for wrong in problems_of(error, Parameters, Document(None), file=name):
                if wrong.place not in known:
                    line = document.line(prefix)
                    where = f" (line {line})" if line else ""
                    found.append(Problem(name, f"{dotted(prefix)}.{wrong.place}", wrong.message + where))
    return read, found


def _keys(changes: Mapping[str, Any]) -> list[tuple[YamlPath, str]]:
    """Keys that a scenario may not change."""
    found: list[tuple[YamlPath, str]] = []
    for group, value in changes.items():
        if group == "scenarios":
            found.append(
                ((group,), f"a scenario holds no scenarios; write `{BASED_ON}: name` to start from one")
            )
        elif group not in (*SCENARIO_GROUPS, BASED_ON):
            meant = nearest(group, [*SCENARIO_GROUPS, BASED_ON])
            hint = f"did you mean '{meant}'?" if meant else f"it may change {', '.join(SCENARIO_GROUPS)}"
            found.append(((group,), f"unknown key; {hint}"))
        elif group == "samples" and isinstance(value, Mapping):
            message = "a scenario weighs the same samples; of these it may change the stated baseline alone"
            found += [((group, key), message) for key in value if key not in OF_SAMPLES]
        elif group == "economics" and isinstance(value, Mapping) and BESIDE in value:
            message = (
                "is valued beside the file's own values, not within a scenario; write it under economics"
            )
            found.append(((group, BESIDE), message))
    return found


def _below(scenarios: Mapping[str, Any], scenario: str) -> tuple[list[Mapping[str, Any]], str | None]:
    """The scenarios that one is based on, the lowest first, or why that cannot be told."""
    way = [scenario]
    layers: list[Mapping[str, Any]] = []
    while True:
        here = scenarios[way[-1]]
        base = here.get(BASED_ON) if isinstance(here, Mapping) else None
        if base is None:
            return layers[::-1], None
        if not isinstance(base, str) or base not in scenarios:
            meant = nearest(str(base), list(map(str, scenarios)))
            hint = f"; did you mean '{meant}'?" if meant else ""
            return [], f"'{shorten(str(base))}' is no scenario of this file{hint}"
        if base in way:
            circle = " → ".join(shorten(name) for name in [*way[way.index(base) :], base])
            return [], f"runs in a circle: {circle}; base one of them on none"
        way.append(base)
        if isinstance(scenarios[base], Mapping):
            layers.append(scenarios[base])


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Groups merged key by key; an uncertain value, a list or a scalar replaces what was there."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(old, Mapping)
        if both and not is_uncertain_form(value) and not is_uncertain_form(old):
            merged[key] = laid_over(old, value)  # type: ignore[arg-type]
        else:
            merged[key] = value
    return merged
