"""A category stays in clear where the parameters name it or it reads like a machine's name; others are not shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from roi.parameters import LoadedParameters
from roi.privacy import (
    LONGEST_CATEGORY,
    MOST_CATEGORIES,
    describe_text,
    identifier_like,
    looks_personal,
    pseudonym,
)
from roi.problems import Problem
from roi.readers.base import Connection, literal, quoted
from roi.sample_tables import ReadTable

__all__ = ["OTHER", "UNKNOWN", "Categories", "settle_categories"]

UNKNOWN = "(unknown)"
OTHER = "(other)"
_FAMILY = {"replaces": "version", "rolled_back_to": "version"}
_DATED = ("version", "model", "suite")


@dataclass(frozen=True, slots=True)
class Categories:
    """Which texts may be shown.

    Attributes:
        known: Family of columns → its values that may be shown.
        hidden: (table, column) pairs that hold others, too.
        numbered: Segments that get a number in place of their name; the engine holds the names.
        problems: What must be mended.
        warnings: What was hidden.
    """

    known: Mapping[str, frozenset[str]]
    hidden: frozenset[tuple[str, str]]
    numbered: bool
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]

    def shown(self, read: ReadTable, column: str) -> str:
        """SQL of a column's value as it may be shown."""
        name = quoted(column)
        kind = read.columns[column].kind
        if kind != "category":
            return name
        value = name
        if (read.spec.table, column) in self.hidden:
            family = _FAMILY.get(column, column)
            listed = ", ".join(literal(v) for v in sorted(self.known[family])) or "''"
            if family == "segment":
                number = f"getvariable('segments')[{name}], " if self.numbered else ""
                other = f"coalesce({number}{literal(OTHER)})"
            else:
                other = pseudonym(name, "category")
            value = f"case when {name} is null or {name} in ({listed}) then {name} else {other} end"
        if column == "segment" and read.spec.table == "cases":
            codes = read.words.get(column)
            unknown = literal(UNKNOWN)
            if codes and (read.spec.table, column) not in self.hidden:
                unknown = f"{unknown}::{codes}"
            value = f"coalesce({value}, {unknown})"
        return value


@dataclass(frozen=True, slots=True)
class _Value:
    table: str
    column: str
    text: str
    rows: int
    first: int | None  # None of rows that stay in their database


def settle_categories(
    con: Connection,
    reads: Mapping[str, ReadTable],
    keep: Mapping[str, str],
    loaded: LoadedParameters,
    *,
    min_group: int,
) -> Categories:
    """Decide which values of the category columns may be shown.

    A value may be shown where the parameters name it, or where it reads like a machine's name and is nobody's name in
    the tables. Segments that may not are numbered, or become "(other)" where fewer than `min_group` cases share them;
    everything else becomes a pseudonym, so that versions still match between tables.

    Args:
        con: The engine.
        reads: The tables, with what other exports bring.
        keep: Table → SQL that is true of its rows that may be used.
        loaded: The parameters, whose own words may be shown.
        min_group: Cases that make a segment of its own.
    """
    problems: list[Problem] = []
    found: list[_Value] = []
    for name, read in reads.items():
        values, refused = _values(con, name, read, keep[name])
        found += values
        problems += refused
    declared = _declared(reads, loaded)
    problems += _personal(reads, found, declared)
    names = _names(con, reads, found)
    known: dict[str, set[str]] = {}
    hidden: dict[tuple[str, str], int] = {}
    for v in found:
        family = _FAMILY.get(v.column, v.column)
        group = known.setdefault(family, set())
        machine = identifier_like(v.text) and v.text not in names
        if v.text in declared.get(family, ()) or machine:
            group.add(v.text)
        else:
            hidden[v.table, v.column] = hidden.get((v.table, v.column), 0) + 1
    worked = reads["cases" if "cases" in reads else "aggregates"]
    problems += _against_mix(worked, found, known.get("segment", set()), loaded)
    numbers = _numbers(found, known.get("segment", set()), min_group)
    if numbers:
        theirs, ours = (
            ", ".join(literal(text) for text in texts) for texts in zip(*numbers.items(), strict=True)
        )
        con.execute(f"set variable segments = map([{theirs}], [{ours}])")
    warnings = [_warning(reads[table], column, n) for (table, column), n in hidden.items()]
    shown = {family: frozenset(values) for family, values in known.items()}
    return Categories(shown, frozenset(hidden), bool(numbers), tuple(problems), tuple(warnings))


def _names(con: Connection, reads: Mapping[str, ReadTable], found: Sequence[_Value]) -> set[str]:
    """Which of the values are names of people in the tables, too, such as a worker's."""
    # Codes are the words of their column: none has to be looked for among the rows.
    people = [
        ("word", f"(select unnest(enum_range(null::{read.words[column.name]}))::varchar as word)")
        if column.name in read.words
        else (quoted(column.name), read.name)
        for read in reads.values()
        for column in read.columns.values()
        if column.kind == "worker"
    ]
    texts = sorted({v.text for v in found if identifier_like(v.text)})
    if not people or not texts:
        return set()
    listed = f"unnest([{', '.join(literal(t) for t in texts)}])"
    rows = con.execute(f"select t, {pseudonym('t', 'worker')} from (select {listed} as t)").fetchall()
    hidden = {str(name): str(text) for text, name in rows}
    asked = ", ".join(map(literal, hidden))
    # One table after the other, for they need not lie in one place.
    there = {
        str(name)
        for column, table in people
        for (name,) in con.execute(
            f"select distinct {column} from {table} where {column} in ({asked})"
        ).fetchall()
    }
    return {text for name, text in hidden.items() if name in there}


def _numbers(found: Sequence[_Value], known: set[str], min_group: int) -> dict[str, str]:
    """Segments without a name that may be shown: the largest is number 1."""
    nameless = [
        v
        for v in found
        if v.table in ("cases", "aggregates")
        and v.column == "segment"
        and v.text not in known
        and v.rows >= min_group
    ]
    nameless.sort(key=lambda v: (-v.rows, v.text))
    free = (name for i in count(1) if (name := f"segment {i}") not in known)
    return {v.text: next(free) for v in nameless}


def _warning(read: ReadTable, column: str, n: int) -> str:
    """What was hidden, and how to have it shown."""
    many = f"{n:,} value{'s' if n != 1 else ''} of {column} in {read.spec.table}"
    verb = "reads" if n == 1 else "read"
    if column == "segment":
        return (
            f"{many} {verb} like free text and may name people, so that they are shown as numbers or as (other); "
            "list the names under demand.mix to have them shown"
        )
    return (
        f"{many} {verb} like free text and may name people, so that pseudonyms are shown; to have a name shown, list "
        f"it under {read.spec.place}.columns.{column}.values"
    )


def _values(con: Connection, name: str, read: ReadTable, keep: str) -> tuple[list[_Value], list[Problem]]:
    columns = [c.name for c in read.columns.values() if c.kind == "category"]
    if not columns:
        return [], []
    size = "sum(n)::bigint" if name == "aggregates" else "count(*)"  # of a report's row, its cases
    parts = [
        f"(select '{c}', {quoted(c)}, {size}, min(rowid) + 1 from {read.name} "
        f"where {keep} and {quoted(c)} is not null group by 2 order by 3 desc, 2 limit {MOST_CATEGORIES + 1})"
        for c in columns
    ]
    values = [_Value(name, *row) for row in con.execute(" union all ".join(parts)).fetchall()]
    problems = []
    for column in columns:
        own = [v for v in values if v.column == column]
        if len(own) > MOST_CATEGORIES:
            message = (
                f"more than {MOST_CATEGORIES} different values; a {column} is one of a few kinds: group them under "
                f"{read.spec.place}.columns.{column}.values, or with query:"
            )
            problems.append(Problem(read.rows.label, column, message))
    return values, problems


def _personal(
    reads: Mapping[str, ReadTable], found: Sequence[_Value], declared: Mapping[str, frozenset[str]]
) -> list[Problem]:
    worst: dict[tuple[str, str, str], list[_Value]] = {}
    for v in found:
        family = _FAMILY.get(v.column, v.column)
        if v.text in declared.get(family, ()):
            continue
        what = looks_personal(v.text, dates_allowed=family in _DATED)
        if what is None and len(v.text) > LONGEST_CATEGORY:
            what = f"free text (longer than {LONGEST_CATEGORY} characters)"
        if what is not None:
            worst.setdefault((v.table, v.column, what), []).append(v)
    problems = []
    for (table, column, what), values in worst.items():
        message = (
            f"{len(values):,} different values look like {what}{_first(values)}; such texts may appear in "
            f"reports: map them to kinds under {reads[table].spec.place}.columns.{column}.values, name another "
            "column, or leave it out"
        )
        problems.append(Problem(reads[table].rows.label, column, message))
    return problems


def _first(values: Sequence[_Value]) -> str:
    rows = [v.first for v in values if v.first is not None]
    return f" (first: row {min(rows):,})" if rows else ""


def _declared(reads: Mapping[str, ReadTable], loaded: LoadedParameters) -> dict[str, frozenset[str]]:
    """Words that the parameter file itself uses; they are the author's, not a cell's."""
    declared: dict[str, set[str]] = {
        "segment": set(loaded.parameters.demand.mix or ()),
        "version": {versions}
        if isinstance(versions := loaded.parameters.samples.version, str)
        else set(versions),
        "tool": set(loaded.policy.high_risk_tools),
    }
    joins = reads["cases"].spec.joins if "cases" in reads else ()
    joined = [m for join in joins for m in join.rows.columns.values()]
    for maps in [*(read.maps for read in reads.values()), joined]:
        for m in maps:
            words = declared.setdefault(_FAMILY.get(m.name, m.name), set())
            words |= {ours for ours in (m.values or {}).values() if ours is not None}
            if m.constant is not None:
                words.add(m.constant)
    return {family: frozenset(words) for family, words in declared.items()}


def _against_mix(
    cases: ReadTable, found: Sequence[_Value], known: set[str], loaded: LoadedParameters
) -> list[Problem]:
    mix = loaded.parameters.demand.mix
    if not mix:
        return []
    strange = [
        v for v in found if v.table == cases.spec.table and v.column == "segment" and v.text not in mix
    ]
    problems = []
    for i, v in enumerate(strange[:5]):
        personal = looks_personal(v.text) is not None or len(v.text) > LONGEST_CATEGORY
        named = f"'{v.text}'" if v.text in known and not personal else describe_text(len(v.text))
        case, be = ("case", "is") if v.rows == 1 else ("cases", "are")
        more = f", and {len(strange) - 5} more such segments" if i == 4 and len(strange) > 5 else ""
        message = (
            f"{v.rows:,} {case}{_first([v])} {be} of a segment that demand.mix lacks: {named}{more}; "
            "give its share there (0 if it will not be worked), or map it under "
            f"{cases.spec.place}.columns.segment.values"
        )
        problems.append(Problem(cases.rows.label, "segment", message))
    return problems
