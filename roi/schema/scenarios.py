"""What is wrong with a parameter file as each of its scenarios would change it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from roi.problems import Problem
from roi.scalars import describe
from roi.schema.base import nearest
from roi.schema.errors import problem_at, problems_of
from roi.schema.model import SCENARIO_GROUPS, Parameters
from roi.schema.values import is_uncertain_form
from roi.strict_yaml import Document, YamlPath, dotted

__all__ = ["laid_over", "scenario_problems"]


def scenario_problems(
    raw: Mapping[str, Any], document: Document, name: str, known: set[str]
) -> list[Problem]:
    """What is wrong with the file as each scenario would change it, beyond what is wrong anyway."""
    scenarios = raw.get("scenarios")
    if not isinstance(scenarios, Mapping):
        return []
    found: list[Problem] = []
    for scenario, changes in scenarios.items():
        prefix: YamlPath = ("scenarios", scenario)
        if not isinstance(changes, Mapping):
            found.append(
                problem_at(name, prefix, f"{describe(changes)} where a group of keys is wanted", document)
            )
            continue
        for group in changes:
            if group not in SCENARIO_GROUPS:
                meant = nearest(group, list(SCENARIO_GROUPS))
                hint = f"did you mean '{meant}'?" if meant else f"it may change {', '.join(SCENARIO_GROUPS)}"
                found.append(problem_at(name, (*prefix, group), f"unknown key; {hint}", document))
        changed = laid_over(
            {**raw, "scenarios": None}, {k: v for k, v in changes.items() if k in SCENARIO_GROUPS}
        )
        try:
            Parameters.model_validate(changed)
        except ValidationError as error:
            for problem in problems_of(error, Parameters, Document(None), file=name):
                if problem.place not in known:
                    line = document.line(prefix)
                    where = f" (line {line})" if line else ""
                    found.append(Problem(name, f"{dotted(prefix)}.{problem.place}", problem.message + where))
    return found


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
