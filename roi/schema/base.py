"""The kinds of value that keys hold, each read from what the file says and described for the JSON Schema."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema, model_validator

from roi.scalars import Plain, as_share, describe, read_flag, read_number, shorten
from roi.strict_yaml import YamlPath

__all__ = [
    "Anything",
    "Currency",
    "Day",
    "Flag",
    "Group",
    "Integer",
    "Label",
    "Month",
    "Names",
    "Number",
    "RefusedError",
    "Slug",
    "Text",
    "Unit",
    "WholeShare",
    "nearest",
    "ordinal_list",
    "shorthand",
]


LONGEST = 10_000  # characters of a text; pages cut what is long where it stands, and none takes more


class RefusedError(ValueError):
    """Several things wrong with one value.

    Attributes:
        parts: For each the path below the value, and the message.
    """

    def __init__(self, parts: list[tuple[YamlPath, str]]) -> None:
        self.parts = tuple(parts)
        super().__init__("; ".join(message for _, message in parts))


class Unit(str):
    """Marks an uncertain value with its unit; ``{currency}`` stands for the pilot's."""

    __slots__ = ()


class Label(str):
    """Marks a key with the words that a reader of the assumptions register meets."""

    __slots__ = ()


class Group(BaseModel):
    """A group of keys. An empty key (``owner:``) is the same as an absent one."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        populate_by_name=False,
        defer_build=True,  # most groups are checked as part of a file only, whose model holds theirs
    )

    @model_validator(mode="before")
    @classmethod
    def _leave_out_empty_keys(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: item for key, item in value.items() if item is not None}
        return value


def nearest(word: str, known: list[str]) -> str | None:
    """The known name that a mistyped one most probably means."""
    from rapidfuzz import fuzz, process

    found = process.extractOne(word.lower(), known, scorer=fuzz.ratio, score_cutoff=60)
    return str(found[0]) if found else None


def ordinal_list(names: list[str] | tuple[str, ...]) -> str:
    """Names as a sentence lists them: ``a, b or c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def shorthand(key: str) -> Callable[[Any], Any]:
    """A reader that takes anything but a group as the value of `key` of that group."""

    def read(value: Any) -> Any:
        return value if isinstance(value, Mapping | BaseModel) or value is None else {key: value}

    return read


def read_text(value: Any) -> str:
    """A text; an unquoted number is the text it was written as."""
    if isinstance(value, str):
        text = str(value).strip()
        if not text:
            raise ValueError("is an empty text; leave the key out if it is unknown")
        if len(text) > LONGEST:
            raise ValueError(f"is a text of {len(text):,} characters; at most {LONGEST:,} are read")
        return text
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    hint = "; put it into quotes" if isinstance(value, bool | float) else ""
    raise ValueError(f"{describe(value)} where a text is wanted{hint}")


def _matching(pattern: str, wanted: str) -> Callable[[Any], str]:
    compiled = re.compile(pattern)

    def read(value: Any) -> str:
        text = read_text(value)
        if not compiled.fullmatch(text):
            raise ValueError(f"'{shorten(text)}' is not {wanted}")
        return text

    return read


def read_names(value: Any) -> tuple[str, ...]:
    """One text or a list of them."""
    items = value if isinstance(value, list | tuple) else [value]
    found: list[str] = []
    parts: list[tuple[YamlPath, str]] = []
    for place, item in enumerate(items):
        try:
            found.append(read_text(item))
        except ValueError as error:
            parts.append(((place,) if isinstance(value, list | tuple) else (), str(error)))
    if parts:
        raise RefusedError(parts)
    return tuple(found)


def read_integer(value: Any) -> int:
    """A whole number; ``1e4`` is one too."""
    number = read_number(value, largest=math.inf)  # a seed may be long
    if not number.is_integer():
        raise ValueError(f"{shorten(value)} is not a whole number")
    # A long whole number is not sent through floating point, which would round it.
    return int(value) if isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]+", value) else int(number)


def read_day(value: Any) -> date:
    """A calendar date, as YAML or ISO 8601 write it."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = str(value).strip() if isinstance(value, str) else describe(value)
    if isinstance(value, str) and (match := re.fullmatch(r"(\d{4}-\d{2}-\d{2})(?:[T ]00:00(:00)?)?", text)):
        try:
            return date.fromisoformat(match[1])
        except ValueError:
            raise ValueError(f"'{shorten(text)}' is no day of the calendar") from None
    if match := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text):
        raise ValueError(f"'{shorten(text)}' is not a date; write {match[3]}-{match[2]:0>2}-{match[1]:0>2}")
    raise ValueError(f"'{shorten(text)}' is not a date; write it as 2026-12-31")


def read_month(value: Any) -> str:
    if isinstance(value, date):
        return f"{value:%Y-%m}"
    text = read_text(value)
    if match := re.fullmatch(r"(\d{4}-(?:0[1-9]|1[0-2]))(?:-01)?", text):
        return match[1]
    raise ValueError(f"'{shorten(text)}' is not a month; write it as 2027-01")


def read_whole_share(value: Any) -> float:
    number = read_number(value)
    if not 0.0 <= number <= 1.0:
        percent = f"; {number:g} % is {as_share(number)}" if 1.0 < number <= 100.0 else ""
        raise ValueError(f"{number:g} is not a share (0..1){percent}")
    return number


def read_any(value: Any) -> Any:
    """A value of no declared kind: unquoted scalars become numbers or switches where they are written so."""
    if isinstance(value, Plain):
        try:
            number = read_number(value)
        except ValueError:
            return {"true": True, "false": False}.get(value.lower(), str(value))
        return int(number) if re.fullmatch(r"[-+]?[0-9]+", value) else number
    if isinstance(value, Mapping):
        return {str(key): read_any(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(read_any(item) for item in value)
    return value


_TEXT: dict[str, Any] = {"type": ["string", "number"]}

Text: TypeAlias = Annotated[str, BeforeValidator(read_text), WithJsonSchema(_TEXT)]
Names: TypeAlias = Annotated[
    tuple[str, ...],
    BeforeValidator(read_names),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}),
]
Slug: TypeAlias = Annotated[
    str,
    BeforeValidator(_matching(r"[a-z0-9_]{1,80}", "a name of a-z, 0-9 and _ (at most 80)")),
    WithJsonSchema({"type": "string", "pattern": "^[a-z0-9_]{1,80}$"}),
]
Currency: TypeAlias = Annotated[
    str,
    BeforeValidator(_matching(r"[A-Z]{3}", "a currency; write its three capitals, such as EUR")),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"}),
]
Flag: TypeAlias = Annotated[bool, BeforeValidator(read_flag), WithJsonSchema({"type": "boolean"})]
Number: TypeAlias = Annotated[float, BeforeValidator(read_number), WithJsonSchema({"type": "number"})]
Integer: TypeAlias = Annotated[int, BeforeValidator(read_integer), WithJsonSchema({"type": "integer"})]
WholeShare: TypeAlias = Annotated[
    float,
    BeforeValidator(read_whole_share),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1}),
]
Day: TypeAlias = Annotated[
    date, BeforeValidator(read_day), WithJsonSchema({"type": "string", "format": "date"})
]
Month: TypeAlias = Annotated[
    str,
    BeforeValidator(read_month),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"}),
]
Anything: TypeAlias = Annotated[Any, BeforeValidator(read_any), WithJsonSchema({})]
