"""Other values laid over checked parameters, by the keys of their register."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from roi.parameters import Parameters
from roi.schema.base import Group
from roi.uncertain import Uncertain

__all__ = ["group_of", "holder_of", "with_values"]

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def _steps(key: str) -> list[str | int]:
    return [name or int(place) for name, place in _STEP.findall(key)]


def holder_of(parameters: Parameters, key: str) -> object | None:
    """What holds the last step of a dotted key; None where the way there ends earlier."""
    here: Any = parameters
    for step in _steps(key)[:-1]:
        if isinstance(step, int):
            here = here[step] if isinstance(here, tuple) and step < len(here) else None
        elif isinstance(here, Mapping):
            here = here.get(step)
        else:
            here = getattr(here, "from_" if step == "from" else step, None)
    return here if isinstance(here, Group | Mapping) else None


def with_values(parameters: Parameters, values: Mapping[str, Uncertain | None]) -> Parameters:
    """Parameters with other values at some dotted keys; None takes a value away, an item of a list as a whole.

    Args:
        parameters: Checked parameters; they stay as they are.
        values: By the keys of their own register.
    """
    gone = {key for key, value in values.items() if value is None and "[" in key}
    for key, value in values.items():
        if key not in gone:
            parameters = _laid(parameters, _steps(key), value)
    items = {tuple(_steps(key))[: _steps(key).index(_place(key)) + 1] for key in gone}
    for steps in sorted(items, key=lambda s: [str(x) for x in s], reverse=True):
        parameters = _laid(parameters, list(steps), None)
    return parameters


def _place(key: str) -> int:
    return next(step for step in _steps(key) if isinstance(step, int))


def _laid(here: Any, steps: Sequence[str | int], value: Uncertain | None) -> Any:
    """A copy of a group with something else at the end of the way; validators have seen both values before."""
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        items = list(here)
        if not rest and value is None:
            del items[step]
        else:
            items[step] = _laid(items[step], rest, value)
        return tuple(items)
    if isinstance(here, Mapping):
        return {**{k: v for k, v in here.items() if k != step}, **({} if value is None else {step: value})}
    if rest:
        return here.model_copy(update={step: _laid(getattr(here, step), rest, value)})
    whole = step == "horizon_months" and value is not None
    return here.model_copy(update={step: int(value.mean) if whole and value is not None else value})


def group_of(key: str) -> str:
    """Values that are changed together, because what they are is one thing: the costs of errors, say."""
    return re.sub(r"^(economics\.(?:error_cost|realisation))\..*", r"\1", key)
