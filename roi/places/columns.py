"""Typed columns of a database → canonical columns, in the database's own language.

What comes out is what reading the same cells as texts gives (`roi.mapping`, `roi.casts`), cell by cell, or the column
is refused: a reduced sample that silently differs from the same sample read row by row would be worth nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from roi.canonical import CANONICAL, NAMES_HIDDEN, CanonicalColumn
from roi.casts import UNITS
from roi.mapping import ColumnMap
from roi.places.letters import known_letters, letter_class
from roi.places.tongues import NUMBER, Tongue
from roi.readers.base import Shape

__all__ = ["Cell", "Made", "UnsupportedError", "cells_sql", "make"]

_SHAPES: Mapping[Shape, str] = {
    "text": "a text",
    "whole": "a whole number",
    "decimal": "a decimal",
    "float": "a floating-point number",
    "flag": "a boolean",
    "instant": "a time",
    "clock": "a time without an offset",
    "day": "a day",
}
_NUMBERS: tuple[Shape, ...] = ("whole", "decimal", "float", "text")


class UnsupportedError(Exception):
    """Why a column cannot be made in its database, with the mend."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A column of theirs.

    Attributes:
        value: SQL of it, typed; blank texts and missing marks are null.
        shape: What it holds.
    """

    value: str
    shape: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A canonical column as SQL.

    Attributes:
        name: Its name.
        before: What is worked out once for a row, over the cells; it is called `b_` and the name.
        value: What the column holds, over that.
        unread: True of a row whose cell is no value of the column; None where that cannot be.
        strange: Of a person's name: true of a row whose name holds a sign that is not folded alike everywhere.
    """

    name: str
    before: str
    value: str
    unread: str | None = None
    strange: str | None = None


def cells_sql(
    rows: str, shapes: Sequence[Shape], places: Sequence[int], missing: Sequence[str], tongue: Tongue
) -> str:
    """SELECT of their needed columns as x0, x1, …; blank cells and missing marks are null.

    Args:
        rows: What may stand behind `from`, with columns c0, c1, ….
        shapes: What the needed columns hold.
        places: Their numbers among the columns of `rows`.
        missing: Marks that mean a missing value.
        tongue: The database's language.

    Raises:
        UnsupportedError: If a mark may be a number that databases write differently.
    """
    marks = [mark.strip() for mark in missing]
    listed = ", ".join(map(tongue.string, marks))
    outputs = []
    for i, (shape, place) in enumerate(zip(shapes, places, strict=True)):
        cell = f"c{place}"
        value = tongue.trimmed(tongue.text(cell)) if shape == "text" else cell
        if marks:
            if shape != "text" and any(re.search(r"\d", mark) for mark in marks):
                raise UnsupportedError(
                    "a mark that is a number is looked for among texts alone; write null in its place in the SELECT"
                )
            text = value if shape == "text" else tongue.text(cell)
            value = f"case when {text} in ({listed}) then null else {value} end"
        outputs.append(f"{value} as x{i}")
    return f"select {', '.join(outputs)} from {rows}"


def make(table: str, m: ColumnMap, cells: Mapping[str, Cell], tongue: Tongue, *, timezone: str) -> Made:
    """One canonical column.

    Args:
        table: The canonical table.
        m: How it comes from theirs.
        cells: Their columns by name.
        tongue: The database's language.
        timezone: Of times without an offset.

    Raises:
        UnsupportedError: If it cannot be made there as it would be here.
    """
    column = CANONICAL[table][m.name]
    kind = column.kind
    held = f"b_{m.name}"
    strange = None
    if m.between:
        before, value, cell = _between(m, cells, held, tongue, timezone)
    else:
        found = _mapped(m, cells, tongue, joint=" / " if kind == "category" else "\x1f")
        cell = found.value
        before, value = _value(column, found, m, held, tongue, timezone)
        if kind == "worker":
            strange = tongue.matches(held, f"[^{letter_class()}]")
    unread = None if kind in (*NAMES_HIDDEN, "category") else f"{cell} is not null and {value} is null"
    if m.blank == "zero":
        value = f"coalesce({value}, 0)"
    return Made(name=m.name, before=before, value=value, unread=unread, strange=strange)


def _text(cell: Cell, tongue: Tongue) -> str:
    if cell.shape == "text":
        return cell.value
    if cell.shape in ("float", "instant", "clock", "day"):
        raise UnsupportedError(
            f"is {_SHAPES[cell.shape]} there, which databases write differently as a text; cast it to a text in the "
            "SELECT"
        )
    return tongue.text(cell.value)


def _mapped(m: ColumnMap, cells: Mapping[str, Cell], tongue: Tongue, *, joint: str) -> Cell:
    """The cell after its value map; a constant and a joined key are texts."""
    if m.constant is not None:
        return Cell(tongue.cast(tongue.string(m.constant), "varchar"), "text")
    if len(m.sources) > 1:
        texts = [_text(cells[source], tongue) for source in m.sources]
        between = f", {tongue.string(joint)}, " if joint.isprintable() else f", chr({ord(joint)}), "
        parts = between.join(f"coalesce({text}, '')" for text in texts)
        return Cell(f"case when coalesce({', '.join(texts)}) is not null then concat({parts}) end", "text")
    cell = cells[m.sources[0]]
    if not m.values:
        return cell
    text = _text(cell, tongue)
    folded = {key.strip().lower(): ours for key, ours in m.values.items()}
    exact = len(folded) != len(m.values)
    pairs = {key.strip(): ours for key, ours in m.values.items()} if exact else folded
    strange = [key for key in pairs if not set(key) <= set(known_letters())]
    if strange and not exact:
        raise UnsupportedError(
            "maps texts with letters whose large and small forms databases do not tell alike; map them in the SELECT"
        )
    whens = " ".join(
        f"when {tongue.string(key)} then {'null' if ours is None else tongue.string(ours)}"
        for key, ours in pairs.items()
    )
    return Cell(f"(case {text if exact else tongue.small(text)} {whens} else {text} end)", "text")


def _value(
    column: CanonicalColumn, cell: Cell, m: ColumnMap, held: str, tongue: Tongue, timezone: str
) -> tuple[str, str]:
    """What is worked out once, as `held`, and the value that rests on it."""
    kind = column.kind
    if kind in ("minutes", "cost", "number", "count", "share"):
        _hold(cell, _NUMBERS, "number")
    if kind == "minutes":
        return _minutes(cell, m.unit or "minutes", held, tongue)
    if kind == "cost":
        return tongue.decimal(cell.value, cell.shape, 18, 9), held
    if kind == "number":
        return tongue.decimal(cell.value, cell.shape, 18, 6), held
    if kind == "count":
        return tongue.decimal(cell.value, cell.shape, 18, 6), _whole(held, tongue)
    if kind == "share":
        return tongue.double(cell.value, cell.shape), held
    if kind == "time":
        return _time(cell, tongue, timezone), held
    if kind == "defects":
        return _defects(cell, held, tongue)
    text = _text(cell, tongue)
    if kind in NAMES_HIDDEN:
        return text, tongue.ordered(tongue.pseudonym(held, kind))
    if kind == "category":
        return text, tongue.ordered(held)
    if kind == "currency":
        letters = "abcdefghijklmnopqrstuvwxyz"
        large = f"translate({text}, '{letters}', '{letters.upper()}')"
        return large, tongue.ordered(f"case when {tongue.matches(held, '^[A-Z]{3}$')} then {held} end")
    if kind == "choice":
        value = f"case when {held} in ({', '.join(map(tongue.string, column.choices))}) then {held} end"
        if column.name == "used":
            value = f"case {held} when 'true' then 'yes' when 'false' then 'no' else {value} end"
        return tongue.small(text), tongue.ordered(value)
    raise UnsupportedError("is not made in its database")


def _hold(cell: Cell, shapes: Sequence[Shape], what: str) -> None:
    if cell.shape not in shapes:
        raise UnsupportedError(f"is {_SHAPES[cell.shape]} there and no {what}; make it one in the SELECT")


def _minutes(cell: Cell, unit: str, held: str, tongue: Tongue) -> tuple[str, str]:
    if unit == "duration":
        raise UnsupportedError(
            "reads texts such as 1m31s, which is done here and not there; give minutes or seconds as a number"
        )
    up, down = UNITS[unit]
    if down > 1:
        value = tongue.cast(tongue.decimal(cell.value, cell.shape, 18, 6), "decimal(24,6)")
        micro = tongue.cast(f"{value} * {tongue.cast('1000000', 'decimal(7,0)')}", "bigint")
        return micro, _micro_to_minutes(held, down, tongue)
    if up == 1:
        return tongue.decimal(cell.value, cell.shape, 18, 6), held
    wide = tongue.cast(held, "decimal(34,12)")
    product = f"({wide} * {tongue.cast(str(up), 'decimal(4,0)')})"
    return tongue.decimal(cell.value, cell.shape, 30, 12), tongue.decimal(product, "decimal", 18, 6)


def _micro_to_minutes(micro: str, down: int, tongue: Tongue) -> str:
    """Millionths of a unit as minutes, rounded half to even at the sixth place."""
    q, r = tongue.whole_part(micro, down), f"abs(({micro}) % {down})"
    sign = f"case when {micro} < 0 then -1 else 1 end"
    carry = f"case when 2 * {r} > {down} or (2 * {r} = {down} and {q} % 2 <> 0) then {sign} else 0 end"
    whole = tongue.cast(f"({q} + ({carry}))", "decimal(18,0)")
    return tongue.cast(f"{whole} * {tongue.cast('0.000001', 'decimal(7,6)')}", "decimal(18,6)")


def _time(cell: Cell, tongue: Tongue, timezone: str) -> str:
    _hold(cell, ("instant", "clock", "day"), "time")
    if cell.shape != "instant" and timezone != "UTC":
        raise UnsupportedError(
            f"is {_SHAPES[cell.shape]} there and means {timezone}, where clocks are moved; give times with their "
            "offset, or in UTC with timezone: UTC"
        )
    return tongue.time(cell.value, cell.shape)


def _between(
    m: ColumnMap, cells: Mapping[str, Cell], held: str, tongue: Tongue, timezone: str
) -> tuple[str, str, str]:
    """As `_value`, and the cells of which one is unread where both are there and the value is not."""
    if m.cap is not None:
        raise UnsupportedError(
            "caps what lies between two times, which is counted here and not there; cap it in the SELECT"
        )
    start, end = (cells[source] for source in m.sources)
    micro = tongue.micros(_time(start, tongue, timezone), _time(end, tongue, timezone))
    both = f"case when {start.value} is not null then {end.value} end"
    return micro, _micro_to_minutes(held, 60, tongue), both


def _whole(value: str, tongue: Tongue) -> str:
    return f"case when {value} = floor({value}) then {tongue.cast(value, 'bigint')} end"


def _defects(cell: Cell, held: str, tongue: Tongue) -> tuple[str, str]:
    if cell.shape == "flag":
        return tongue.cast(f"case {cell.value} when true then 1 when false then 0 end", "bigint"), held
    _hold(cell, _NUMBERS, "number")
    number = _whole(tongue.decimal(cell.value, cell.shape, 18, 6), tongue)
    if cell.shape != "text":
        return number, held
    small = tongue.small(cell.value)
    words = f"when {small} in ('true', 'yes') then 1 when {small} in ('false', 'no', 'none', '[]') then 0"
    return f"case {words} when {tongue.matches(cell.value, NUMBER)} then {number} end", held
