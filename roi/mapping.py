"""From their columns to ours: what each canonical column is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from roi.canonical import CANONICAL
from roi.casts import clean
from roi.named_units import unit_in_name
from roi.privacy import looks_personal
from roi.problems import Problem
from roi.readers import Source
from roi.readers.base import literal, quoted
from roi.scalars import shorten
from roi.schema.base import nearest

if TYPE_CHECKING:
    from roi.schema import samples as schema

__all__ = [
    "ColumnMap",
    "JoinSpec",
    "TableSpec",
    "resolve",
    "sources_of",
    "text_sql",
    "texts_sql",
    "to_spec",
]

_VALUE = re.compile(r"[-+]?[\d.,:/ T-]*\d[\d.,:/ TZ-]*")  # a number, a date or a time


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """How one canonical column comes from theirs.

    Attributes:
        name: The canonical column.
        sources: Their columns; several are joined into one key, or are a start and an end.
        unit: Of their numbers, for minutes.
        values: Their values to ours; None of ours means missing.
        blank: What an empty cell means, where that is declared.
        between: Whether two times in `sources` become the minutes between them.
        cap: The most minutes that `between` may count, as a decimal text.
        constant: A value for every row, in place of `sources`.
    """

    name: str
    sources: tuple[str, ...] = ()
    unit: str | None = None
    values: Mapping[str, str | None] | None = None
    blank: Literal["zero", "missing"] | None = None
    between: bool = False
    cap: str | None = None
    constant: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinSpec:
    """Another export of the same cases.

    Attributes:
        rows: Its source, mapping, marks and query, as of a table.
        on: Canonical key → their column.
        take: Canonical column → how several rows of one case become one value.
        keys: How keys are compared.
        longest: Minutes beyond which a time entry was left running.
        unusable: What becomes of time entries that cannot be right.
    """

    rows: TableSpec
    on: Mapping[str, str]
    take: Mapping[str, Literal["sum", "first", "max"]]
    keys: Literal["auto", "exact", "folded", "number"] = "auto"
    longest: float = 480.0
    unusable: Literal["missing", "leave_out", "cap"] = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """A sample table as its parameters describe it, in the form that reading uses.

    Attributes:
        table: Its canonical name.
        place: The key that describes it, for messages.
        source: Where the rows lie.
        columns: Canonical column → how it comes from theirs, as far as that is stated.
        missing: Marks that mean a missing value.
        query: One SELECT over the rows.
        format: The name of a trace export's format.
        timezone: Of its times that carry none, where it is its own.
        joins: Other exports of the same cases.
    """

    table: str
    place: str
    source: Source
    columns: Mapping[str, ColumnMap] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    query: str | None = None
    format: str | None = None
    timezone: str | None = None
    joins: tuple[JoinSpec, ...] = ()


def to_spec(table: str, given: schema.TableSpec | schema.JoinSpec, place: str) -> TableSpec:
    """The checked parameters of a table in the form that reading uses."""
    from roi.schema.samples import TableSpec as Given

    source = given.source
    joins = given.join if isinstance(given, Given) else ()
    return TableSpec(
        table=table,
        place=place,
        source=Source(
            files=source.file,
            sheet=source.sheet,
            header_row=source.header_row,
            connect=source.connect,
            table=source.table,
            sql=source.sql,
            timeout=source.timeout,
        ),
        columns={name: _column_map(name, column) for name, column in given.columns.items()},
        missing=given.missing,
        query=given.query,
        format=given.format,
        timezone=given.timezone,
        joins=tuple(
            JoinSpec(
                rows=to_spec(table, join, f"{place}.join[{i}]"),
                on=join.on,
                take=join.take,
                keys=join.keys,
                longest=join.entries.longest,
                unusable=join.entries.unusable,
            )
            for i, join in enumerate(joins)
        ),
    )


def _column_map(name: str, column: schema.ColumnSpec) -> ColumnMap:
    constant = column.value
    if isinstance(constant, bool):
        constant = "true" if constant else "false"
    return ColumnMap(
        name=name,
        sources=column.from_,
        unit=column.unit,
        values=column.values,
        blank=column.blank,
        between=column.as_ is not None,
        cap=None if column.cap is None else f"{column.cap:.6f}",
        constant=None if constant is None else str(constant),
    )


def resolve(
    spec: TableSpec, available: Sequence[str], *, file: str, label: str, also: Sequence[str] = ()
) -> tuple[list[ColumnMap], list[Problem]]:
    """Settle which canonical columns there are: the mapped ones, and those that have our name already.

    Args:
        spec: The table.
        available: Their columns.
        file: The parameter file's name, for messages.
        label: The source's name, for messages.
        also: Canonical columns that another export brings, and so are not missed.

    Returns:
        The columns in canonical order, and what is wrong.
    """
    problems: list[Problem] = []
    maps: list[ColumnMap] = []
    known = {*available, "_file"}
    if not _is_header(spec, available):
        message = "the names of the columns look like data; write names above the first case"
        return [], [Problem(label, "", message)]
    listed = [name for name in available if looks_personal(name, dates_allowed=True) is None]
    shown = ", ".join(listed[:8]) + (", …" if len(available) > len(listed[:8]) else "")
    for name, column in CANONICAL[spec.table].items():
        given = spec.columns.get(name)
        if given is None:
            if name in available:
                maps.append(ColumnMap(name=name, sources=(name,)))
            elif column.required and name not in also:
                message = f"{label} has no column '{name}'; name theirs under {spec.place}.columns.{name}"
                problems.append(Problem(file, f"{spec.place}.columns", f"{message} (it has {shown})"))
            continue
        place = f"{spec.place}.columns.{name}"
        if given.unit is not None and column.kind != "minutes":
            problems.append(
                Problem(file, f"{place}.unit", "only columns of minutes have a unit; leave it out")
            )
        if column.kind == "minutes" and given.unit is None and not given.between and len(given.sources) == 1:
            stated = unit_in_name(given.sources[0])
            if stated is not None and given.sources[0] in known:
                message = (
                    f"'{shorten(given.sources[0], 60)}' names {stated} and would be read as minutes; set "
                )
                message += f"unit: {stated}, or unit: minutes if minutes are what it holds"
                problems.append(Problem(file, place, message))
        if given.between and column.kind != "minutes":
            problems.append(Problem(file, f"{place}.as", "only columns of minutes are made from two times"))
        for source in given.sources:
            if source not in known:
                meant = nearest(source, listed)
                hint = f"did you mean '{meant}'?" if meant else f"it has {shown}"
                problems.append(Problem(file, place, f"{label} has no column '{source}'; {hint}"))
        maps.append(given)
    return maps, problems


def _is_header(spec: TableSpec, available: Sequence[str]) -> bool:
    """Whether these are names of columns. A file without them begins with a case, which no message may repeat."""
    expected = {*CANONICAL[spec.table], *sources_of(tuple(spec.columns.values()))}
    if expected & set(available):
        return True
    values = {choice for column in CANONICAL[spec.table].values() for choice in column.choices}
    return not any(
        looks_personal(name) or _VALUE.fullmatch(name[:60]) or name.lower() in values for name in available
    )


def texts_sql(select: str, sources: Sequence[str], missing: tuple[str, ...]) -> str:
    """SELECT of their needed columns as t0, t1, …: trimmed, blank cells and missing marks NULL."""
    cells = ", ".join(f"{clean(quoted(name), missing)} as t{i}" for i, name in enumerate(sources))
    return f"select {cells} from ({select})"


def sources_of(maps: Sequence[ColumnMap]) -> list[str]:
    """Their columns that a mapping needs, each once."""
    return list(dict.fromkeys(source for m in maps for source in m.sources))


def text_sql(m: ColumnMap, at: Mapping[str, str], *, joint: str) -> str:
    """The text of a column after its value map.

    Args:
        m: How the column comes from theirs.
        at: Their column → its name among the cleaned texts.
        joint: What stands between the parts of a key.
    """
    if m.constant is not None:
        return f"{literal(m.constant)}::varchar"
    if len(m.sources) > 1:
        # Between the parts of a key stands what cannot be typed, so that no two different keys become one.
        between = f", {literal(joint)}, " if joint.isprintable() else f", chr({ord(joint)}), "
        cells = between.join(f"coalesce({at[s]}, '')" for s in m.sources)
        none = f"coalesce({', '.join(at[s] for s in m.sources)}) is null"
        joined = f"concat({cells})"
        return f"case when {none} then null else {joined} end"
    text = at[m.sources[0]]
    if not m.values:
        return text
    folded = {key.strip().lower(): ours for key, ours in m.values.items()}
    exact = len(folded) != len(m.values)
    pairs = {k.strip(): v for k, v in m.values.items()} if exact else folded
    cases = " ".join(
        f"when {literal(k)} then {'null' if v is None else literal(v)}" for k, v in pairs.items()
    )
    return f"case {text if exact else f'lower({text})'} {cases} else {text} end"
