"""Uncertain values as keys of the parameter file hold them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

from roi.scalars import describe, read_number, shorten
from roi.schema.base import RefusedError, nearest, ordinal_list, read_day, read_text
from roi.strict_yaml import YamlPath
from roi.uncertain import Evidence, Family, Form, Uncertain

__all__ = ["UNCERTAIN_SCHEMAS", "Positive", "Real", "Share", "inherit", "is_uncertain_form", "read_uncertain"]

_FORMS: dict[Form, tuple[str, ...]] = {
    "exact": ("value",),
    "interval": ("low", "high"),
    "pert": ("min", "mode", "max"),
    "values": ("values",),
}
_NUMBERS = tuple(key for keys in _FORMS.values() for key in keys)
_ORIGIN = ("source", "owner", "as_of", "evidence", "how", "note")
_EVIDENCE = ("measured", "sourced", "assumed")
_HOW = "{low: …, high: …}, {min: …, mode: …, max: …}, {values: […]} or one number"


def is_uncertain_form(value: Any) -> bool:
    """Whether a mapping is one uncertain value rather than a group of several."""
    return isinstance(value, Mapping) and any(key in value for key in _NUMBERS)


def read_uncertain(value: Any, family: Family) -> Uncertain:
    """An uncertain value in any of its forms.

    Args:
        value: A number, or a mapping with the numbers of one form and its origin.
        family: What the quantity can be.

    Raises:
        ValueError: If it is impossible; a `RefusedError` where several things are wrong.
    """
    if isinstance(value, Uncertain):
        return replace(value, family=family)
    if not isinstance(value, Mapping):
        if isinstance(value, list | tuple):
            raise ValueError(
                f"a list where a value is wanted; write {{values: […]}} for observed values ({_HOW})"
            )
        return Uncertain(form="exact", family=family, numbers=(read_number(value),))
    given = {str(key): item for key, item in value.items() if item is not None}
    parts: list[tuple[YamlPath, str]] = []
    known = [*_NUMBERS, *_ORIGIN]
    for key in given:
        if key not in known:
            meant = nearest(key, known)
            parts.append(
                ((key,), f"unknown key; did you mean '{meant}'?" if meant else f"unknown key; write {_HOW}")
            )
    origin = _read_origin(given, parts)
    form = _form(given, parts)
    numbers = _read_numbers(given, form, family, parts) if form else ()
    if parts or form is None:
        raise RefusedError(parts or [((), f"no value; write {_HOW}")])
    return Uncertain(form=form, family=family, numbers=numbers, **origin)


def _form(given: Mapping[str, Any], parts: list[tuple[YamlPath, str]]) -> Form | None:
    used = [form for form, keys in _FORMS.items() if any(key in given for key in keys)]
    if len(used) != 1:
        if used:
            found = [key for key in _NUMBERS if key in given]
            parts.append(
                ((), f"{ordinal_list(found).replace(' or ', ' and ')} do not go together; write {_HOW}")
            )
        elif not parts:
            parts.append(((), f"no value; write {_HOW}"))
        return None
    absent = [key for key in _FORMS[used[0]] if key not in given]
    if absent:
        parts.append(((), f"'{absent[0]}' is missing; write {_HOW}"))
        return None
    return used[0]


def _read_numbers(
    given: Mapping[str, Any], form: Form, family: Family, parts: list[tuple[YamlPath, str]]
) -> tuple[float, ...]:
    if form == "values":
        items = given["values"]
        if not isinstance(items, list | tuple):
            parts.append((("values",), f"{describe(items)} where a list is wanted; write values: [3, 5, 4]"))
            return ()
        places: list[tuple[YamlPath, Any]] = [(("values", place), item) for place, item in enumerate(items)]
    else:
        places = [((key,), given[key]) for key in _FORMS[form]]
    numbers: list[float] = []
    for path, item in places:
        try:
            number = read_number(item)
            Uncertain(form="exact", family=family, numbers=(number,))
            numbers.append(number)
        except ValueError as error:
            parts.append((path, str(error)))
    if len(numbers) == len(places):
        try:
            Uncertain(form=form, family=family, numbers=tuple(numbers))
        except ValueError as error:
            parts.append(((), str(error)))
    return tuple(numbers)


def _read_origin(given: Mapping[str, Any], parts: list[tuple[YamlPath, str]]) -> dict[str, Any]:
    origin: dict[str, Any] = {}
    readers: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "source": ("source", read_text),
        "owner": ("owner", read_text),
        "as_of": ("as_of", read_day),
        "evidence": ("evidence", _read_evidence),
        "note": ("note", read_text),
        "how": ("note", read_text),
    }
    for key, (attribute, read) in readers.items():
        if key in given:
            try:
                origin[attribute] = read(given[key])
            except ValueError as error:
                parts.append(((key,), str(error)))
    origin.setdefault("evidence", "sourced" if "source" in origin else "assumed")
    return origin


def _read_evidence(value: Any) -> Evidence:
    text = read_text(value)
    for known in _EVIDENCE:
        if text == known:
            return known  # type: ignore[return-value]
    raise ValueError(f"'{shorten(text)}' is not a kind of evidence; write {ordinal_list(_EVIDENCE)}")


def inherit(
    value: Uncertain | None, *, source: str | None = None, owner: str | None = None
) -> Uncertain | None:
    """A value with the source and owner of the line it stands on, where it names none itself."""
    if value is None or value.evidence == "default":
        return value
    sourced = value.source is None and source is not None
    return replace(
        value,
        source=value.source or source,
        owner=value.owner or owner,
        evidence="sourced" if sourced and value.evidence == "assumed" else value.evidence,
    )


def _reader(family: Family) -> Callable[[Any], Uncertain]:
    def read(value: Any) -> Uncertain:
        return read_uncertain(value, family)

    return read


def _schema(number: dict[str, Any], words: str) -> dict[str, Any]:
    origin: dict[str, Any] = {
        "source": {"type": ["string", "number"], "description": "The document or person it comes from."},
        "owner": {"type": "string", "description": "Who answers for it."},
        "as_of": {"type": "string", "format": "date", "description": "When it was true."},
        "evidence": {
            "enum": list(_EVIDENCE),
            "description": "How well it is known; sourced where a source is given.",
        },
        "how": {"type": "string", "description": "How it comes about."},
        "note": {"type": "string", "description": "The same as how."},
    }
    numbers: dict[str, dict[str, Any]] = {
        "value": {**number, "description": "Exactly this."},
        "low": {**number, "description": "5 in 100 are below."},
        "high": {**number, "description": "5 in 100 are above."},
        "min": {**number, "description": "The smallest possible."},
        "mode": {**number, "description": "The most likely."},
        "max": {**number, "description": "The largest possible."},
        "values": {
            "type": "array",
            "items": number,
            "minItems": 1,
            "description": "Observed values, resampled.",
        },
    }
    forms = [
        {
            "type": "object",
            "properties": {**{key: numbers[key] for key in keys}, **origin},
            "required": list(keys),
            "additionalProperties": False,
        }
        for keys in _FORMS.values()
    ]
    return {"description": words, "anyOf": [number, *forms]}


UNCERTAIN_SCHEMAS: dict[str, dict[str, Any]] = {
    "share": _schema({"type": "number", "minimum": 0, "maximum": 1}, f"A share from 0 to 1: {_HOW}."),
    "positive": _schema({"type": "number", "minimum": 0}, f"A value of 0 or more: {_HOW}."),
    "real": _schema({"type": "number"}, f"A value that may be negative: {_HOW}."),
}

Share: TypeAlias = Annotated[
    Uncertain, BeforeValidator(_reader("share")), WithJsonSchema({"x-uncertain": "share"})
]
Positive: TypeAlias = Annotated[
    Uncertain, BeforeValidator(_reader("positive")), WithJsonSchema({"x-uncertain": "positive"})
]
Real: TypeAlias = Annotated[
    Uncertain, BeforeValidator(_reader("real")), WithJsonSchema({"x-uncertain": "real"})
]
