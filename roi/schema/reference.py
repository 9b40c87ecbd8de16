"""The schema for editors and the table for readers, both made from the models."""

from __future__ import annotations

from typing import Any

from roi.schema.model import Parameters
from roi.schema.values import UNCERTAIN_SCHEMAS

__all__ = ["parameter_schema"]


def parameter_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the parameter file."""
    schema = _tidy(Parameters.model_json_schema(mode="validation"))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameter file of an AI pilot",
        **{key: value for key, value in schema.items() if key not in ("$defs", "title")},
        "$defs": {**schema["$defs"], **UNCERTAIN_SCHEMAS},
    }


def _tidy(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() >= {"form", "family", "numbers"}:
            return short_form(value["form"], list(value["numbers"]))
        kept = {key: _tidy(item) for key, item in value.items() if not (key == "default" and item is None)}
        # pydantic insists on knowing every definition, so ours are marked and referred to only here.
        family = kept.pop("x-uncertain", None)
        return {"$ref": f"#/$defs/{family}", **kept} if family else kept
    return [_tidy(item) for item in value] if isinstance(value, list | tuple) else value


def short_form(form: str, numbers: list[float]) -> Any:
    """An uncertain value as a file writes it."""
    match form:
        case "exact":
            return numbers[0]
        case "interval":
            return {"low": numbers[0], "high": numbers[1]}
        case "pert":
            return {"min": numbers[0], "mode": numbers[1], "max": numbers[2]}
        case _:
            return {"values": numbers}
