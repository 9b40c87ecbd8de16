"""Scalars as their author meant them: numbers, switches and texts, or how else to write them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["LARGEST_NUMBER", "Plain", "as_share", "describe", "plain", "read_flag", "read_number", "shorten"]

LARGEST_NUMBER = 1e15
"""No amount of money, cases or minutes is beyond it, and products of such numbers stay finite."""

_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")

# As thousands are written in much of Europe; nobody writes a decimal 1.2 so.
_TWO_WAYS = re.compile(r"[-+]?[1-9][0-9]{0,2}\.[0-9]{2}0")


class Plain(str):
    """An unquoted scalar of a YAML file: a text whose type the key it stands under decides."""

    __slots__ = ()


def shorten(value: object, limit: int = 60) -> str:
    """A parameter file's own value as it may stand in a message: one line, at most `limit` characters."""
    text = " ".join(str(value).split())
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def plain(value: Any) -> Any:
    """Values that came through Papermill or a notebook, with every text open to interpretation.

    Papermill reads ``1e6`` as a text and hands dates on as texts, so a text given from a notebook is read
    like an unquoted scalar of the file.
    """
    if isinstance(value, str):
        return Plain(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def read_flag(value: Any) -> bool:
    """True or false, also written yes/no and on/off.

    Raises:
        ValueError: If it is anything else; the message says what was found.
    """
    if isinstance(value, bool):
        return value
    if (
        isinstance(value, Plain)
        and value.lower() in _FLAGS
        and value in (value.lower(), value.title(), value.upper())
    ):
        return _FLAGS[value.lower()]
    raise ValueError(f"{describe(value)} is neither true nor false")


def read_number(value: Any, *, largest: float = LARGEST_NUMBER) -> float:
    """A finite number, written as YAML 1.2 and JSON write it.

    Args:
        value: What the file or a notebook holds.
        largest: How far from 0 it may be.

    Raises:
        ValueError: If it is anything else; the message says what was found and how to write it.
    """
    if not isinstance(value, str):
        kind = type(value).__name__
        if isinstance(value, bool) or (not isinstance(value, int | float) and kind not in _NUMPY):
            raise ValueError(f"{describe(value)} where a number is wanted")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ValueError(f"{shorten(value)} is not a finite number; leave the key out if it is unknown")
        return _in_reach(number, value, largest)
    text = str(value)
    if isinstance(value, Plain) and _NUMBER.fullmatch(text) and not _TWO_WAYS.fullmatch(text):
        number = float(text)
        return _in_reach(number, text, largest)
    raise ValueError(_not_a_number(text, quoted=not isinstance(value, Plain)))


def _in_reach(number: float, value: Any, largest: float) -> float:
    if not abs(number) <= largest or not math.isfinite(number):
        raise ValueError(f"{shorten(value)} is too large for a number; is it in the right unit?")
    return number


_NUMPY = frozenset(
    {
        "float64",
        "float32",
        "float16",
        "int64",
        "int32",
        "int16",
        "int8",
        "uint64",
        "uint32",
        "uint16",
        "uint8",
    }
)


def _not_a_number(text: str, *, quoted: bool) -> str:
    shown = f"'{shorten(text)}'"
    bare = text.strip()
    if _TWO_WAYS.fullmatch(bare):
        less = bare.lstrip("+").rstrip("0").rstrip(".")
        return f"{shown} can be read in two ways; write {bare.lstrip('+').replace('.', '')}, or {less}"
    if re.fullmatch(r"[-+]?[1-9][0-9]{0,2}(\.[0-9]{3}){2,}(,[0-9]*)?", bare) or re.fullmatch(
        r"[-+]?[1-9][0-9]{0,2}(\.[0-9]{3})+,[0-9]*", bare
    ):
        return f"{shown} is a text; write {bare.replace('.', '').replace(',', '.')}, without thousands marks"
    if quoted and _NUMBER.fullmatch(bare):
        return f"{shown} is a text; write {bare} without quotes"
    if re.fullmatch(r"[-+]?0[0-9]+(\.[0-9]*)?", bare):
        return f"{shown} can be read in two ways; write {bare.replace('+', '').lstrip('0') or '0'}"
    if match := re.fullmatch(r"([-+]?[0-9.]+)\s*%", bare):
        with_point = match[1]
        if _NUMBER.fullmatch(with_point):
            return f"{shown} is a text; {with_point} % is {as_share(float(with_point))}"
    if re.fullmatch(r"[-+]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?", bare):
        return f"{shown} is a text; write {bare.replace(',', '')}, without thousands marks"
    if re.fullmatch(r"[-+]?[0-9]+([_ '][0-9]{3})+(\.[0-9]*)?", bare):
        return f"{shown} is a text; write {re.sub('[_ ]|' + chr(39), '', bare)}, without thousands marks"
    if re.fullmatch(r"[-+]?[0-9]+,[0-9]+", bare):
        return f"{shown} is a text; write {bare.replace(',', '.')}, with a decimal point"
    if match := re.fullmatch(r"([0-9.]+)\s*(?:-|–|to|\.\.+)\s*([0-9.]+)", bare):
        return f"{shown} is a text; write {{low: {match[1]}, high: {match[2]}}}"
    if re.fullmatch(r"[0-9]+(:[0-9]+)+", bare):
        return f"{shown} is a time of day or a duration, not a number"
    if re.fullmatch(r"[-+]?\.?(nan|inf|infinity)", bare, re.IGNORECASE):
        return f"{shown} is not a finite number; leave the key out if it is unknown"
    if re.fullmatch(r"0[xXoObB][0-9a-fA-F]+", bare):
        return f"{shown} is not a decimal number"
    return f"{shown} is a text, not a number"


def as_share(percent: float) -> str:
    """A percentage as the share it is: 60 -> 0.60."""
    text = f"{percent / 100:.6f}".rstrip("0")
    return text if len(text.split(".")[1]) >= 2 else f"{percent / 100:.2f}"


def describe(value: Any) -> str:
    """A value as a message names it: scalars as written, the rest by their kind."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a group of keys"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, str):
        return f"'{shorten(value)}'"
    return shorten(value)
