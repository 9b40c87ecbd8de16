"""What pydantic found wrong, in the words of a reader who has to mend a file."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from roi.problems import Problem
from roi.scalars import describe, shorten
from roi.schema.base import RefusedError, nearest, ordinal_list
from roi.strict_yaml import Document, YamlPath, dotted

__all__ = ["keys_of", "problem_at", "problems_of", "submodel"]

_KINDS = {
    "model_type": "a group of keys",
    "model_attributes_type": "a group of keys",
    "dict_type": "a group of keys",
    "mapping_type": "a group of keys",
    "tuple_type": "a list",
    "list_type": "a list",
}


def problems_of(
    error: ValidationError, model: type[BaseModel], document: Document, *, file: str
) -> list[Problem]:
    """Every problem of a validation, with its key and, where the file is known, its line.

    Args:
        error: What pydantic raised.
        model: The model that was validated.
        document: Where the value was read; its lines are looked up by path.
        file: How messages call the file.
    """
    found: list[Problem] = []
    for item in error.errors(include_url=False):
        path: YamlPath = tuple(part for part in item["loc"] if part != "[key]")
        context: Mapping[str, Any] = item.get("ctx") or {}
        cause = context.get("error")
        if isinstance(cause, RefusedError):
            parts = [((*path, *below), message) for below, message in cause.parts]
        else:
            parts = [(path, _message(item, model, path, context))]
        for place, message in parts:
            line = document.line(place)
            found.append(Problem(file, dotted(place), f"{message} (line {line})" if line else message))
    return sorted(found, key=lambda problem: _line(problem, document))


def problem_at(file: str, path: YamlPath, message: str, document: Document) -> Problem:
    """A problem at a path, with its line where the file has one."""
    line = document.line(path)
    return Problem(file, dotted(path), f"{message} (line {line})" if line else message)


def _line(problem: Problem, document: Document) -> int:
    tail = problem.message.rpartition("(line ")[2]
    return int(tail[:-1]) if tail[:-1].isdigit() and tail.endswith(")") else 0


def _message(item: Any, model: type[BaseModel], path: YamlPath, context: Mapping[str, Any]) -> str:
    kind, value = item["type"], item.get("input")
    if kind == "extra_forbidden":
        known = keys_of(submodel(model, path[:-1]))
        meant = nearest(str(path[-1]), known)
        return (
            f"unknown key; did you mean '{meant}'?" if meant else f"unknown key; known are {', '.join(known)}"
        )
    if kind == "missing":
        parent = submodel(model, path[:-1])
        field = _field(parent, path[-1])
        words = (field.description or "").split(". ")[0].rstrip(".") if field is not None else ""
        return f"is required ({words})" if words else "is required"
    if kind == "literal_error":
        allowed = [
            part.strip().strip("'") for part in str(context["expected"]).replace(" or ", ", ").split(", ")
        ]
        meant = nearest(str(value), allowed) if isinstance(value, str) else None
        hint = f"; did you mean '{meant}'?" if meant else ""
        return f"{_shown(value)} is not one of {ordinal_list(allowed)}{hint}"
    if kind in _KINDS:
        return f"{describe(value)} where {_KINDS[kind]} is wanted"
    if kind in ("value_error", "assertion_error"):
        return str(context.get("error", item["msg"]))
    return shorten(str(item["msg"]), 200)


def _shown(value: Any) -> str:
    return f"'{shorten(value)}'" if isinstance(value, str) else describe(value)


def keys_of(model: type[BaseModel] | None) -> list[str]:
    """The keys that a group knows, as a file writes them."""
    if model is None:
        return ["(none)"]
    return [field.alias or name for name, field in model.model_fields.items()]


def _field(model: type[BaseModel] | None, key: str | int) -> Any:
    if model is None:
        return None
    for name, field in model.model_fields.items():
        if (field.alias or name) == key:
            return field
    return None


def submodel(model: type[BaseModel], path: YamlPath) -> type[BaseModel] | None:
    """The group that stands at a path; None where none does."""
    current: Any = model
    for part in path:
        current = _group(current)
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = _field(current, part)
            if field is None:
                return None
            current = field.annotation
        else:
            current = _item(current)
    current = _group(current)
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _group(annotation: Any) -> Any:
    """An annotation without its optional and annotated wrappings."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, types.UnionType):
            annotation = next(arg for arg in get_args(annotation) if arg is not type(None))
        else:
            return annotation


def _item(annotation: Any) -> Any:
    args = get_args(annotation)
    if get_origin(annotation) is dict:
        return args[1]
    return args[0] if args else None
