"""The SQL that makes a table's canonical columns from the texts of theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from roi.canonical import CANONICAL, KEYS, NAMES_HIDDEN, CanonicalColumn
from roi.casts import Styles, cast, clock_change, minutes_between, time_value
from roi.mapping import ColumnMap, sources_of, text_sql
from roi.privacy import ALIKE, alike, pseudonym
from roi.readers.base import quoted
from roi.readers.totals import no_total_sql, total_sql

__all__ = ["Flag", "Form", "Typed", "typed_sql"]


@dataclass(frozen=True, slots=True)
class Flag:
    """One bit that a row may carry.

    Attributes:
        what: "unread" (a text that is no value of its column), "clock" (a time that clocks were moved over),
            "capped" (minutes cut), "empty" (a row without any cell), "total" (a row that sums up others).
        column: The canonical column, or "".
        source: Their column, or "".
    """

    what: Literal["unread", "clock", "capped", "empty", "total"]
    column: str
    source: str


@dataclass(frozen=True, slots=True)
class Typed:
    """The SELECT that makes a table's canonical columns.

    Attributes:
        sql: Its text; besides the columns it yields `flags_`, a bit set.
        flags: What each bit of `flags_` means, from the lowest.
        columns: The canonical columns in order.
    """

    sql: str
    flags: tuple[Flag, ...]
    columns: tuple[CanonicalColumn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a column of a large table comes about, other than from its cleaned text.

    Attributes:
        value: SQL of its value over the texts; None casts the text as ever.
        shown: SQL of what the table holds of `v`, its value; None is what it holds as ever.
        unread: SQL that is true where a cell is no value of it; None where there is none such.
        odd: SQL that is true where clocks were moved; None where they were not.
        name: Of a person, SQL of the name as it is written.
        marked: Whether any such name holds more than plain letters.
    """

    value: str | None = None
    shown: str | None = None
    unread: str | None = None
    odd: str | None = None
    name: str | None = None
    marked: bool = True


_PLAIN = Form()
_NO_FORMS: Mapping[str, Form] = {}


def typed_sql(
    table: str,
    maps: Sequence[ColumnMap],
    texts: str,
    styles: Styles,
    *,
    forms: Mapping[str, Form] = _NO_FORMS,
    at: Mapping[str, str] | None = None,
    plain: bool = False,
) -> Typed:
    """The SELECT that turns texts into canonical values.

    Args:
        table: The canonical table.
        maps: Its columns.
        texts: SELECT of the cleaned texts, as `texts_sql` gives it for `sources_of(maps)`.
        styles: How its columns write numbers and dates.
        forms: Canonical column → how it comes about instead, of a large table.
        at: Their column → SQL of its cleaned text, where that is not what `texts` has.
        plain: Whether each row is known to have a key, and one that is no word for a sum.
    """
    at = at or {name: f"t{i}" for i, name in enumerate(sources_of(maps))}
    mapped: list[str] = []  # texts after the value map
    values: list[str] = []
    outputs: list[str] = []
    flags: list[tuple[Flag, str]] = []
    columns: list[CanonicalColumn] = []
    total = None if plain else _total(table, maps, at, soon=bool(forms))
    no_total = " and not total_" if total else ""
    if total:
        mapped.append(f"{total} as total_")
        flags.append((Flag("total", "", ""), "total_"))
    for i, m in enumerate(maps):
        column = CANONICAL[table][m.name]
        columns.append(column)
        form = forms.get(m.name, _PLAIN)
        if form.value is not None:
            theirs = m.sources[0]
            values.append(f"{form.value} as v{i}")
            if form.unread is not None:
                flags.append((Flag("unread", m.name, theirs), f"{form.unread}{no_total}"))
            if form.odd is not None:
                flags.append((Flag("clock", m.name, theirs), form.odd))
        elif m.between:
            _between(m, i, at, styles, values, flags, no_total)
        else:
            text = text_sql(m, at, joint=" / " if column.kind == "category" else "\x1f")
            mapped.append(f"{text} as m{i}")
            theirs = m.sources[0] if m.sources else ""
            values.append(f"{cast(column, f'm{i}', unit=m.unit, theirs=theirs, styles=styles)} as v{i}")
            if column.kind not in NAMES_HIDDEN and column.kind != "category":
                flags.append((Flag("unread", m.name, theirs), f"m{i} is not null and v{i} is null{no_total}"))
            if column.kind == "time":
                odd = clock_change(f"m{i}", styles.dates.get(theirs, "iso"), styles)
                if odd is not None:
                    flags.append((Flag("clock", m.name, theirs), odd))
        value = f"v{i}"
        if m.blank == "zero":
            value = f"coalesce({value}, 0)"
        if form.shown is not None:
            value = form.shown.format(v=f"v{i}")
        elif column.kind in NAMES_HIDDEN:
            value = f"case when v{i} is not null then {pseudonym(f'v{i}', column.kind)} end"
        outputs.append(f"{value} as {quoted(m.name)}")
    if (
        table == "actions"
    ):  # told while names are read: pseudonyms are either the same or have nothing in common
        names = [_name_of(maps, forms, name) for name in ("requester", "approver")]
        marked = any(forms.get(name, _PLAIN).marked for name in ("requester", "approver"))
        outputs.append(f"{alike(*names) if marked else 'false'} as {ALIKE}")
    cells = list(at.values())
    if cells and not plain:
        flags.append((Flag("empty", "", ""), f"coalesce({', '.join(cells)}) is null"))
    bits = (
        " + ".join(f"(case when {sql} then {1 << k}::bigint else 0 end)" for k, (_, sql) in enumerate(flags))
        or "0"
    )
    if forms:  # of most rows of a large table one look says that nothing is to be told
        seldom = [f"({sql})" for flag, sql in flags if flag.what != "empty"]
        seldom += [f"{cells[0]} is null"] if cells and not plain else []
        bits = f"case when {' or '.join(seldom) or 'false'} then {bits} else 0 end"
    sql = (
        f"select {', '.join(outputs)}, {bits} as flags_ from (select *, {', '.join(values)} from "
        f"(select *{''.join(', ' + m for m in mapped)} from ({texts})))"
    )
    return Typed(sql, tuple(flag for flag, _ in flags), tuple(columns))


def _name_of(maps: Sequence[ColumnMap], forms: Mapping[str, Form], name: str) -> str | None:
    i = next((i for i, m in enumerate(maps) if m.name == name), None)
    return None if i is None else forms.get(name, _PLAIN).name or f"v{i}"


def _total(table: str, maps: Sequence[ColumnMap], at: Mapping[str, str], *, soon: bool) -> str | None:
    """SQL that is true of rows that sum up others: their key, or a cell of a row without one, is a word for it.

    Args:
        table: The canonical table.
        maps: Its columns.
        at: Their column → SQL of its cleaned text.
        soon: Whether keys are first asked what is soon answered.
    """
    if table == "aggregates":
        # Its rows have no key: what says of which cases they are must not be a word for all of them.
        named = [m for m in maps if m.name in ("arm", "segment", "month", "worker") and len(m.sources) == 1]
        words = [f"coalesce({total_sql(at[m.sources[0]])}, false)" for m in named]
        return " or ".join(words) or None
    key = next((m.sources for m in maps if m.name == KEYS.get(table)), ())
    if not key:
        return None
    none = f"coalesce({', '.join(at[s] for s in key)}) is null"
    keyed = " and ".join(f"coalesce({total_sql(at[s])}, true)" for s in key)
    # What is asked first is asked of all rows at once, which takes half as long as of those that are left.
    first = f"when {' or '.join(no_total_sql(at[s]) for s in key)} then false " if soon else ""
    others = [at[s] for s in at if s not in key]
    if not others:
        return f"case {first}when {none} then false else {keyed} end"
    # One pattern for all the cells: the engine compiles each pattern anew, and this one is long.
    some = f"list_filter([{', '.join(others)}], lambda cell: coalesce({total_sql('cell')}, false))"
    return f"case {first}when {none} then len({some}) > 0 else {keyed} end"


def _between(
    m: ColumnMap,
    i: int,
    at: Mapping[str, str],
    styles: Styles,
    values: list[str],
    flags: list[tuple[Flag, str]],
    no_total: str,
) -> None:
    start, end = (at[s] for s in m.sources)
    times = [
        time_value(text, styles.dates.get(source, "iso"), styles.timezone)
        for text, source in zip((start, end), m.sources, strict=True)
    ]
    whole = minutes_between(times[0], times[1], None)
    values.append(f"{minutes_between(times[0], times[1], m.cap) if m.cap else whole} as v{i}")
    for source, text, time in zip(m.sources, (start, end), times, strict=True):
        flags.append((Flag("unread", m.name, source), f"{text} is not null and ({time}) is null{no_total}"))
        odd = clock_change(text, styles.dates.get(source, "iso"), styles)
        if odd is not None:
            flags.append((Flag("clock", m.name, source), odd))
    if m.cap is not None:
        flags.append((Flag("capped", m.name, ""), f"coalesce({whole} > {m.cap}::decimal(18,6), false)"))
