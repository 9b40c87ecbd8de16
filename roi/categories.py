"""Categories stay in clear while they are few, short and shared by several rows; others are refused or hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
_PLACEHOLDER = "samples.{table}.columns.{column}"


@dataclass(frozen=True, slots=True)
class Categories:
    """Which texts may be shown.

    Attributes:
        known: Family of columns → its values that may be shown.
        hidden: (table, column) pairs that hold others, too.
        problems: What must be mended.
        warnings: What was hidden.
    """

    known: Mapping[str, frozenset[str]]
    hidden: frozenset[tuple[str, str]]
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
            other = literal(OTHER) if family == "segment" else pseudonym(name, "category")
            value = f"case when {name} is null or {name} in ({listed}) then {name} else {other} end"
        if column == "segment" and read.spec.table == "cases":
            value = f"coalesce({value}, {literal(UNKNOWN)})"
        return value


@dataclass(frozen=True, slots=True)
class _Value:
    table: str
    column: str
    text: str
    rows: int
    first: int


def settle_categories(
    con: Connection,
    reads: Mapping[str, ReadTable],
    keep: Mapping[str, str],
    loaded: LoadedParameters,
    *,
    min_group: int,
) -> Categories:
    """Decide which values of the category columns may be shown.

    A value may be shown where the parameters name it, where at least `min_group` rows share it, or where it reads like a
    machine's name. Segments that may not become "(other)"; everything else becomes a pseudonym, so that versions still
    match between tables.

    Args:
        con: The engine.
        reads: The tables.
        keep: Table → SQL that is true of its rows that may be used.
        loaded: The parameters, whose own words may be shown.
        min_group: Rows that make a value common.
    """
    problems: list[Problem] = []
    found: list[_Value] = []
    for name, read in reads.items():
        values, refused = _values(con, name, read, keep[name])
        found += values
        problems += refused
    declared = _declared(reads, loaded)
    problems += _personal(reads, found, declared)
    rows: dict[tuple[str, str], int] = {}
    for v in found:
        key = (_FAMILY.get(v.column, v.column), v.text)
        rows[key] = max(rows.get(key, 0), v.rows)
    known: dict[str, set[str]] = {}
    hidden: dict[tuple[str, str], int] = {}
    for v in found:
        family = _FAMILY.get(v.column, v.column)
        group = known.setdefault(family, set())
        common = rows[family, v.text] >= min_group
        if v.text in declared.get(family, ()) or common or identifier_like(v.text):
            group.add(v.text)
        else:
            hidden[v.table, v.column] = hidden.get((v.table, v.column), 0) + 1
    problems += _against_mix(reads["cases"], found, known.get("segment", set()), loaded)
    warnings = [
        f"{n:,} rare values of {column} in {table} are {'put together as (other)' if column == 'segment' else 'shown as pseudonyms'}, since fewer than "
        f"{min_group} rows share each"
        for (table, column), n in hidden.items()
    ]
    shown = {family: frozenset(values) for family, values in known.items()}
    return Categories(shown, frozenset(hidden), tuple(problems), tuple(warnings))


def _values(con: Connection, name: str, read: ReadTable, keep: str) -> tuple[list[_Value], list[Problem]]:
    columns = [c.name for c in read.columns.values() if c.kind == "category"]
    if not columns:
        return [], []
    parts = [
        f"(select '{c}', {quoted(c)}, count(*), min(rowid) + 1 from {read.name} where {keep} and {quoted(c)} is not null "
        f"group by 2 order by 3 desc, 2 limit {MOST_CATEGORIES + 1})"
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
        first = min(v.first for v in values)
        message = (
            f"{len(values):,} different values look like {what} (first: row {first:,}); such texts may appear in reports: map "
            f"them to kinds under {reads[table].spec.place}.columns.{column}.values, name another column, or leave it out"
        )
        problems.append(Problem(reads[table].rows.label, column, message))
    return problems


def _declared(reads: Mapping[str, ReadTable], loaded: LoadedParameters) -> dict[str, frozenset[str]]:
    """Words that the parameter file itself uses; they are the author's, not a cell's."""
    declared: dict[str, set[str]] = {
        "segment": set(loaded.parameters.demand.mix or ()),
        "version": set(loaded.parameters.samples.version),
        "tool": set(loaded.policy.high_risk_tools),
    }
    for read in reads.values():
        for m in read.maps:
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
    strange = [v for v in found if v.table == "cases" and v.column == "segment" and v.text not in mix]
    problems = []
    for i, v in enumerate(strange[:5]):
        personal = looks_personal(v.text) is not None or len(v.text) > LONGEST_CATEGORY
        named = f"'{v.text}'" if v.text in known and not personal else describe_text(len(v.text))
        more = f", and {len(strange) - 5} more such segments" if i == 4 and len(strange) > 5 else ""
        message = (
            f"{v.rows:,} cases are of segment {named} (first: row {v.first:,}), which demand.mix lacks{more}; give its share "
            f"there (0 if it will not be worked), or map it under {cases.spec.place}.columns.segment.values"
        )
        problems.append(Problem(cases.rows.label, "segment", message))
    return problems
