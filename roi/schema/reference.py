"""The schema for editors and the table for readers, both made from the models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from roi.schema.model import Parameters
from roi.schema.policy import Policy
from roi.schema.portfolio import Portfolio
from roi.schema.tables import TABLE_COLUMNS
from roi.schema.values import UNCERTAIN_SCHEMAS

__all__ = ["parameter_schema", "reference_page"]


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


_FORMS = {
    "share": "share 0..1, may be uncertain",
    "positive": "0 or more, may be uncertain",
    "real": "number, may be uncertain",
}

_OPENING = """# Parameters

Every key of a parameter file (`params/<pilot>.yaml`), of the policy file (`params/_policy.yaml`) and of the portfolio
file (`params/_portfolio.yaml`). This page is made from the code; so is
[parameters.schema.json](parameters.schema.json), which editors complete and check parameter files by.
Begin a file with `# yaml-language-server: $schema=../docs/parameters.schema.json` to have it so.

A value that *may be uncertain* is one number, `{low, high}` (a 90 % interval), `{min, mode, max}` or
`{values: [...]}`; as a group (then one number is `{value: ...}`) it may carry `source`, `owner`, `as_of`, `evidence`
(measured, sourced, assumed) and `how`. An empty key is the same as an absent one. `name[]` stands for each item of
a list, `<name>` for a name of your own.
"""


def reference_page() -> str:
    """Every key as a Markdown page: what it means, how it is written, what holds unless it is."""
    parts = [_OPENING]
    schema = parameter_schema()
    shown: set[str] = set()
    for group, child in schema["properties"].items():
        required = "yes" if group in schema.get("required", []) else ""
        parts.append(f"## `{group}`\n\n{_meaning(child, schema['$defs'])}\n")
        rows = [*_rows(child, group, schema["$defs"], shown)] or [
            _row(group, child, schema["$defs"], required)
        ]
        parts.append(_TABLE_HEAD + "\n".join(rows) + "\n")
    policy = _tidy(Policy.model_json_schema(mode="validation"))
    parts.append(
        "## The policy file\n\nIt belongs to the portfolio's owner; a pilot's `policy` may only tighten it.\n"
    )
    parts.append(_TABLE_HEAD + "\n".join(_rows(policy, "", policy["$defs"], set())) + "\n")
    whole = _tidy(Portfolio.model_json_schema(mode="validation"))
    parts.append(
        "## The portfolio file\n\n`params/_portfolio.yaml` says what there is to give to all pilots together, for the "
        "page of all pilots and `portfolio.ipynb`; what is left out limits nothing.\n"
    )
    parts.append(_TABLE_HEAD + "\n".join(_rows(whole, "", whole["$defs"], set())) + "\n")
    parts.append(
        "## Columns of the sample tables\n\nRequired ones are bold; `inputs` takes up to 200 further columns, "
        "the raw fields.\n"
    )
    lines = ["| table | columns |", "|---|---|"]
    for table, columns in TABLE_COLUMNS.items():
        names = [
            (f"**{name}**" if column.required else name)
            + (f" ({', '.join(column.values)})" if column.values else "")
            for name, column in columns.items()
        ]
        lines.append(f"| {table} | {', '.join(names)} |")
    return "\n".join([*parts, "\n".join(lines)]) + "\n"


_TABLE_HEAD = "| key | meaning | form | default |\n|---|---|---|---|\n"


def _rows(schema: dict[str, Any], prefix: str, definitions: dict[str, Any], shown: set[str]) -> Iterator[str]:
    """The rows of a group's keys; a group that has been shown in full is not shown again."""
    name, group, suffix = _group(schema, definitions)
    if group is None or "properties" not in group:
        return
    if name in shown and name in ("TableSpec", "SourceSpec", "ColumnSpec", "PolicyException"):
        return
    shown.add(name)
    # What `inputs` has beyond any other table.
    known = definitions["TableSpec"]["properties"] if name == "InputsSpec" else {}
    for key, child in group["properties"].items():
        if key in known:
            continue
        path = f"{prefix}{suffix}.{key}" if prefix else key
        below = list(_rows(child, path, definitions, shown))
        required = "yes" if key in group.get("required", []) else ""
        yield _row(path, child, definitions, required)
        yield from below


def _group(schema: dict[str, Any], definitions: dict[str, Any]) -> tuple[str, dict[str, Any] | None, str]:
    """The group that a schema leads to, its name, and how a path into it is written."""
    # The fullest way of writing a key comes last among its forms.
    for option in [*reversed(schema.get("anyOf", [])), schema]:
        reference = option.get("$ref", "").rpartition("/")[2]
        if reference and reference not in _FORMS:
            return reference, definitions[reference], ""
        for holder, suffix in (("items", "[]"), ("additionalProperties", ".<name>")):
            inside = option.get(holder)
            if isinstance(inside, dict):
                name, group, further = _group(inside, definitions)
                if group is not None:
                    return name, group, suffix + further
    return ("", schema, "") if "properties" in schema else ("", None, "")


def _row(path: str, schema: dict[str, Any], definitions: dict[str, Any], required: str) -> str:
    default = schema.get("default")
    if required:
        words = "required"
    elif default in (None, [], {}, ()):
        words = ""
    elif isinstance(default, dict) and not default.keys() <= {"low", "high", "min", "mode", "max"}:
        words = "see below"
    else:
        words = _written(default)
    return f"| `{path}` | {_meaning(schema, definitions)} | {_form(schema, definitions)} | {words} |"


def _meaning(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """A key's description; pydantic leaves out one that repeats its group's."""
    words = schema.get("description")
    if words is None:
        words = definitions.get(schema.get("$ref", "").rpartition("/")[2], {}).get("description", "")
    return " ".join(words.split()).replace("|", "\\|")


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return "`{" + ", ".join(f"{key}: {item:g}" for key, item in value.items()) + "}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _form(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _FORMS.get(name, "group of keys")
    if "enum" in schema:
        return ", ".join(f"`{item}`" for item in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "anyOf" in schema:
        forms = [_form(option, definitions) for option in schema["anyOf"] if option.get("type") != "null"]
        return " or ".join(dict.fromkeys(forms))
    kind = schema.get("type")
    if kind == "array":
        return "list of groups" if "$ref" in schema.get("items", {}) else "list"
    if kind == "object":
        return "group: name to value"
    if kind == "string" and schema.get("format") == "date":
        return "date"
    if kind == "string" and "pattern" in schema:
        return {"^[A-Z]{3}$": "three capitals", "^[0-9]{4}-(0[1-9]|1[0-2])$": "month, 2027-01"}.get(
            schema["pattern"], "name"
        )
    if kind == "number" and schema.get("maximum") == 1:
        return "share 0..1"
    words = {"string": "text", "number": "number", "integer": "whole number", "boolean": "true or false"}
    return "text" if isinstance(kind, list) else words.get(str(kind), "anything")
