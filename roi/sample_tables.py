"""One sample table: opened, mapped and held by the engine with canonical columns; not yet judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from roi.blocks import Span, span_of
from roi.canonical import CANONICAL, KEYS, CanonicalColumn
from roi.casts import Styles
from roi.coded import coded_sql, key_forms
from roi.conventions import roles_of, settle
from roi.importers import open_export
from roi.mapping import ColumnMap, TableSpec, resolve, sources_of, texts_sql
from roi.prices import token_prices
from roi.privacy import describe_text
from roi.problems import Problem
from roi.readers import open_source
from roi.readers.base import Connection, Rows, UnreadableError
from roi.readers.query import names_in, run_query
from roi.schema.prices import TokenPrices
from roi.styles import clock_shifts
from roi.typed import Flag, Typed, typed_sql

__all__ = ["ReadTable", "Surroundings", "UncastError", "read_table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What reading needs to know besides the table.

    Attributes:
        con: The engine.
        project: The project folder.
        folder: The folder of the parameter file.
        file: The parameter file's name, for messages.
        timezone: Of times that carry none.
        currency: Of amounts that carry none.
        prices: Of tokens, by model, as `samples.prices` states them.
        coded: Whether the samples are large, so that cases and actions are held in codes.
        words: Canonical column → words that its codes have besides those of the table.
    """

    con: Connection
    project: Path
    folder: Path
    file: str
    timezone: str
    currency: str | None = None
    prices: Mapping[str, TokenPrices] = field(default_factory=dict)
    coded: bool = False
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTable:
    """A table as the engine holds it.

    Attributes:
        spec: What was asked for.
        name: Its name in the engine; besides the canonical columns it has `flags_`.
        maps: How its columns came about.
        columns: Its canonical columns by name.
        flags: What each bit of `flags_` means.
        rows: Its source.
        total: Data rows read.
        set_flags: The bits that at least one row carries.
        words: Canonical column → the type of its codes, in a large table.
        known: Whether each of its cases was looked for among the cases, and found.
        plain: Whether no row of it is empty, sums up others or lacks the table's key, so that all may be used.
        span: From where to where its own keys go, if they are numbers that lie close together; only if it is plain.
    """

    spec: TableSpec
    name: str
    maps: tuple[ColumnMap, ...]
    columns: Mapping[str, CanonicalColumn]
    flags: tuple[Flag, ...]
    rows: Rows
    total: int
    set_flags: int
    words: Mapping[str, str] = field(default_factory=dict)
    known: bool = False
    plain: bool = False
    span: Span | None = None

    @property
    def key(self) -> str | None:
        """The column without which a row of the table says nothing."""
        key = KEYS.get(self.spec.table)
        return key if key in self.columns else None  # another export may be joined on something else

    def bit(self, what: str) -> int:
        """The bits of flags of one meaning."""
        return sum(1 << k for k, flag in enumerate(self.flags) if flag.what == what)


class UncastError(UnreadableError):
    """A table was read, but some columns hold cells that are no value of theirs.

    Attributes:
        read: The table with the other columns, good for being checked and for nothing else.
    """

    def __init__(self, problems: Sequence[Problem], read: ReadTable) -> None:
        super().__init__(problems)
        self.read = read


def read_table(spec: TableSpec, around: Surroundings, *, name: str, also: Sequence[str] = ()) -> ReadTable:
    """Read a table into the engine.

    Args:
        spec: The table.
        around: The engine and where things are.
        name: Its name in the engine.
        also: Canonical columns that another export brings.

    Raises:
        UnreadableError: With everything that keeps it from being read; an `UncastError` where that is cells that are
            no value of their column.
    """
    import duckdb

    con = around.con
    wanted = [*dict.fromkeys([*sources_of(tuple(spec.columns.values())), *CANONICAL[spec.table]])]
    if spec.query is not None:
        wanted += names_in(spec.query)
    rows = open_export(
        con,
        spec.source,
        format=spec.format,
        table=spec.table,
        project=around.project,
        folder=around.folder,
        name=f"source_{name}",
        file=around.file,
        place=spec.place,
        own=token_prices(around.prices),
    ) or open_source(
        con,
        spec.source,
        wanted=wanted,
        project=around.project,
        folder=around.folder,
        name=f"source_{name}",
        file=around.file,
        place=f"{spec.place}.source",
        roles=roles_of(spec, also),
    )
    if spec.query is not None:
        rows = run_query(con, rows, spec.query, table=name, file=around.file, place=f"{spec.place}.query")
    maps, problems = resolve(spec, rows.columns, file=around.file, label=rows.label, also=also)
    problems += [
        Problem(
            rows.label,
            first,
            f"{n:,} {'cell holds' if n == 1 else 'cells hold'} the error of a formula in {source}, whose blanks mean 0 "
            f"({spec.place}.columns.{m.name}.blank); mend the formula, or set blank: missing",
        )
        for m in maps
        for source in m.sources
        if m.blank == "zero" and source in rows.errors
        for n, first in [rows.errors[source]]
    ]
    if problems:
        raise UnreadableError(problems)
    sources = sources_of(maps)
    if not sources:
        raise UnreadableError([Problem(around.file, f"{spec.place}.columns", "maps no column of the source")])
    select = rows.select(sources)
    texts = texts_sql(select, sources, spec.missing)
    zone = spec.timezone or around.timezone
    styles = Styles({}, {}, zone, clock_shifts(zone))
    coded = around.coded and spec.table in ("cases", "actions")
    forms = key_forms(spec.table, maps) if coded else {}
    typed = typed_sql(spec.table, maps, texts, styles, forms=forms)
    words: Mapping[str, str] = {}
    numbered = False
    try:
        made = _make_coded(con, name, maps, rows, styles, spec, around) if coded else None
        if made is not None:
            typed, words, numbered, counted = made
        else:
            counted = _make(con, name, spec.table, typed)
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException):
        raise  # a mistake of ours, not of the file
    except duckdb.Error as error:
        message = f"cannot be read to its end ({type(error).__name__}); export it anew"
        raise UnreadableError([Problem(rows.label, "", message)]) from None
    rejected = rows.check()
    if rejected:
        raise UnreadableError(rejected)
    unsettled: Mapping[str, tuple[str, str]] = {}
    failing = frozenset(flag.source for _, flag in _unread(typed, counted.bits))
    if failing:
        settled = settle(con, spec, maps, rows, styles, failing, currency=around.currency, forms=forms)
        unsettled = settled.unsettled
        if settled.typed is not None:
            typed = settled.typed
            counted = _make(con, name, spec.table, typed)
        rows = replace(rows, warnings=(*rows.warnings, *settled.doubts))
    read = ReadTable(
        spec=spec,
        name=name,
        maps=tuple(maps),
        columns={column.name: column for column in typed.columns},
        flags=typed.flags,
        rows=rows,
        total=counted.rows,
        set_flags=counted.bits,
        words=words,
    )
    plain = not counted.bits & (read.bit("empty") | read.bit("total")) and counted.keys == counted.rows
    span = span_of(con, name, KEYS[spec.table], counted.rows) if plain and numbered else None
    read = replace(read, plain=plain, span=span)
    unread = _unread(typed, counted.bits)
    if unread:
        lost = {flag.column for _, flag in unread}
        # Whether a severity belongs to an error cannot be said without the outcome.
        lost |= {s for s, o in (("severity", "outcome"), ("judge_severity", "judge_outcome")) if o in lost}
        others = {name: column for name, column in read.columns.items() if name not in lost}
        raise UncastError(
            _unread_problems(con, read, unread, texts, sources, unsettled), replace(read, columns=others)
        )
    if counted.rows == 0:
        raise UnreadableError([Problem(rows.label, "", "holds no data rows")])
    if zone == "UTC" or not counted.bits & read.bit("clock"):
        return read
    warning = f"{rows.label}: {_moved_clocks(con, read, zone)}"
    return replace(read, rows=replace(rows, warnings=(*rows.warnings, warning)))


def _moved_clocks(con: Connection, read: ReadTable, zone: str) -> str:
    """What is said of local times that do not exist or exist twice; which hour was meant is nobody's guess."""
    at = f"flags_ & {read.bit('clock')} <> 0"
    odd, days = con.execute(
        f"select count(*), (select list(rowid + 1 order by rowid) from (select rowid from {read.name} where {at} "
        f"order by rowid limit 3)) from {read.name} where {at}"
    ).fetchall()[0]
    have = "row has" if odd == 1 else "rows have"
    rows = (
        "row " + ", ".join(f"{row:,}" for row in days)
        if odd == 1
        else "rows " + ", ".join(f"{r:,}" for r in days)
    )
    return (
        f"{odd:,} {have} times at which clocks were moved in {zone} (first: {rows}); they do not exist or exist "
        "twice, and an hour more or less was taken: export times with their offset, or in UTC with timezone: UTC"
    )


@dataclass(frozen=True, slots=True)
class _Counted:
    """Of a table that was made: its rows, the bits that one of them carries, and the rows that hold its key."""

    rows: int
    bits: int
    keys: int


def _make(con: Connection, name: str, table: str, typed: Typed) -> _Counted:
    con.execute(f"create or replace table {name} as {typed.sql}")
    key = next((c.name for c in typed.columns if c.name == KEYS.get(table)), "*")
    rows, bits, keys = con.execute(f"select count(*), bit_or(flags_), count({key}) from {name}").fetchall()[0]
    return _Counted(int(rows), int(bits or 0), int(keys))


def _make_coded(
    con: Connection,
    name: str,
    maps: Sequence[ColumnMap],
    rows: Rows,
    styles: Styles,
    spec: TableSpec,
    around: Surroundings,
) -> tuple[Typed, Mapping[str, str], bool, _Counted] | None:
    """The table in codes, and whether its own keys are held as numbers; None where some cell is no value of its column,
    which is told of texts."""
    whole, numbers = bool(rows.types), True
    while True:
        found = coded_sql(
            con,
            spec.table,
            name,
            maps,
            rows,
            styles,
            missing=spec.missing,
            whole=whole,
            numbers=numbers,
            also=around.words,
        )
        counted = _make(con, name, spec.table, found.typed)
        unread = {flag.column for _, flag in _unread(found.typed, counted.bits)}
        if not unread:
            return found.typed, found.words, KEYS[spec.table] in found.numbers, counted
        late = set() if whole else unread & found.words.keys()
        if not unread <= late | found.numbers:
            return None
        # A word that comes late has all rows looked through; a key that is no number has all held as hashes.
        whole, numbers = whole or bool(late), numbers and not unread & found.numbers


def _unread(typed: Typed, bits: int) -> list[tuple[int, Flag]]:
    return [(k, f) for k, f in enumerate(typed.flags) if f.what == "unread" and bits >> k & 1]


_MARKS = (
    "'nan', 'inf', '-inf', 'infinity', '-infinity', 'null', 'none', 'na', 'n/a', "
    "'#n/a', '#nv', '#wert!', '#value!', '#ref!', '#div/0!'"
)
_WANTED = {
    "minutes": "is no number of minutes",
    "cost": "is no amount",
    "number": "is no number",
    "share": "is no number",
    "count": "is no whole number",
    "defects": "is no number of defects",
    "time": "is no time that can be read; write 2026-03-01 14:05",
    "month": "is no month; write 2026-03",
    "flag": "is neither true nor false",
    "currency": "is no currency of three letters, such as EUR",
}


def _unread_problems(
    con: Connection,
    read: ReadTable,
    unread: Sequence[tuple[int, Flag]],
    texts: str,
    sources: Sequence[str],
    unsettled: Mapping[str, tuple[str, str]],
) -> list[Problem]:
    counts = ", ".join(
        f"count(*) filter (flags_ >> {k} & 1 = 1), min(rowid) filter (flags_ >> {k} & 1 = 1)"
        for k, _ in unread
    )
    found = con.execute(f"select {counts} from {read.name}").fetchall()[0]
    problems = []
    for i, (_, flag) in enumerate(unread):
        n, first = found[2 * i], found[2 * i + 1]
        column = read.columns[flag.column]
        if flag.source in unsettled:
            problems.append(Problem(unsettled[flag.source][0], flag.column, unsettled[flag.source][1]))
            continue
        m = next(m for m in read.maps if m.name == flag.column)
        cell = f"t{list(sources).index(flag.source)}" if flag.source else "null::varchar"
        length, special, serial = con.execute(
            f"select length({cell}), list_contains([{_MARKS}], lower({cell})), "
            f"regexp_full_match({cell}, '[34]\\d{{4}}([.]\\d+)?') from ({texts}) limit 1 offset {first}"
        ).fetchall()[0]
        shown, where = describe_text(length), read.rows.where(first)
        many = f"{n:,} value{'s' if n != 1 else ''}"
        if column.kind == "choice":
            listed = " nor ".join(f"'{c}'" for c in column.choices)
            either = "neither " if len(column.choices) == 2 else "none of " if len(column.choices) > 2 else ""
            listed = listed if len(column.choices) == 2 else ", ".join(column.choices)
            verb = "is" if n == 1 else "are"
            text = f"{many} {verb} {either}{listed} (first: {where}, {shown})"
            problems.append(
                Problem(
                    read.rows.label,
                    flag.column,
                    f"{text}; map them under {read.spec.place}.columns.{flag.column}.values",
                )
            )
            continue
        wanted = _WANTED.get(column.kind, "cannot be read")
        if m.between:
            wanted = _WANTED["time"]
        elif m.unit == "duration":
            wanted = "is no duration such as 1m31s, 00:01:31 or PT1M31S"
        if serial and wanted == _WANTED["time"]:
            wanted += "; where a spreadsheet shows numbers for dates, format the column as dates and save it"
        text = f"{many} cannot be read; {where}, {shown}, {wanted}"
        if special:
            text += f"; if such a mark means missing, name it under {read.spec.place}.missing"
        elif column.kind == "minutes" and not m.between and m.unit != "duration":
            text += f"; for texts such as 1m31s set {read.spec.place}.columns.{flag.column}.unit: duration"
        problems.append(Problem(read.rows.label, flag.column, text))
    return problems
