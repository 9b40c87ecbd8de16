"""Keys of cases that differ in form between exports: `#1042`, `CLM-1042`, `1042`, ` clm-01042 `.

Three forms are compared, in this order: the text as it is; without case and spaces; by its number, without what stands
before it and without leading zeros (`CLM-2026-007` is 2026-7). A looser form is taken only where it matches more and no
two keys fall together that the texts keep apart. All of this happens inside the engine; what stays are pseudonyms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from roi.blocks import missing_keys
from roi.mapping import ColumnMap, text_sql, texts_sql
from roi.numbered import number_of
from roi.privacy import pseudonym
from roi.problems import Problem
from roi.readers.base import Connection
from roi.sample_tables import ReadTable

__all__ = ["Aligned", "Keys", "align_keys"]

Keys = Literal["auto", "exact", "folded", "number"]

_FORMS: tuple[Literal["exact", "folded", "number"], ...] = ("exact", "folded", "number")
_SAID = {"folded": "without regard to case and spaces", "number": "by their number"}
_NUMBERED = "regexp_matches(folded, '[0-9]')"
_SPACES = r"'[\s\x{00A0}\x{202F}]+'"


@dataclass(frozen=True, slots=True)
class Aligned:
    """Another table whose keys are those of the cases.

    Attributes:
        other: The table.
        warnings: How its keys were compared, where that is not exactly.
        problems: Keys that fall together.
    """

    other: ReadTable
    warnings: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Match:
    cases: int
    keys: int
    ours_together: int
    theirs_together: int

    @property
    def score(self) -> int:
        return self.cases + self.keys


def align_keys(
    con: Connection, cases: ReadTable, other: ReadTable, keys: Sequence[str], how: Keys, *, place: str
) -> Aligned:
    """Give another table the keys of the cases, where theirs differ in form only.

    Args:
        con: The engine.
        cases: The cases.
        other: The other table, which has the same columns as keys.
        keys: These columns.
        how: The form to compare, or `auto`.
        place: The key that says what is joined on, for messages.
    """
    warnings: list[str] = []
    problems: list[Problem] = []
    for key in keys:
        if how == "exact" or cases.columns[key].kind not in ("case", "pair"):
            continue
        maps = [next((m for m in table.maps if m.name == key), None) for table in (cases, other)]
        if any(m is None or not m.sources for m in maps):
            continue
        if _complete(con, cases, other, key):
            other = replace(other, known=other.known or key == "case_id")
            continue
        other = _one_key(con, cases, other, key, how, place, warnings, problems)
    return Aligned(other, tuple(warnings), tuple(problems))


def _complete(con: Connection, cases: ReadTable, other: ReadTable, key: str) -> bool:
    """Whether every key of the other table is one of the cases' as it is."""
    if key == "case_id" and cases.span is not None:
        return not missing_keys(con, other.name, key, cases.name)
    unmatched = con.execute(
        f"select exists(select 1 from {other.name} where {key} is not null and {key} not in "
        f"(select {key} from {cases.name} where {key} is not null))"
    ).fetchall()
    return not unmatched[0][0]


def _one_key(
    con: Connection,
    cases: ReadTable,
    other: ReadTable,
    key: str,
    how: Keys,
    place: str,
    warnings: list[str],
    problems: list[Problem],
) -> ReadTable:
    try:
        _hold_forms(con, cases, key, "forms_ours")
        _hold_forms(con, other, key, "forms_theirs")
        if how == "auto":
            _drop_foreign_prefixes(con)
        prefixes = _prefixes(con)
        held = con.execute(f"select typeof({key}) from {other.name} limit 1").fetchall()
        _pseudonyms(con, other.columns[key].kind, coded=held == [("UBIGINT",)])
        found = {form: _match(con, form) for form in _FORMS}
        form: Literal["exact", "folded", "number"] = "exact" if how == "auto" else how
        for looser in _FORMS[1:] if how == "auto" else ():
            if found[looser].score <= found[form].score:
                continue
            if found[looser].ours_together or found[looser].theirs_together:
                problems.append(_collision(found[looser], looser, other, key, place))
                return other
            form = looser
        if form == "exact":
            return other
        if found[form].ours_together:
            problems.append(_collision(found[form], form, other, key, place))
            return other
        total = con.execute(f"select count(distinct {key}) from {cases.name}").fetchall()[0][0]
        warnings.append(
            f"{other.rows.label}: keys were matched {_SAID[form]}: {found[form].cases:,} of {total:,} cases "
            f"(as they are written: {found['exact'].cases:,})"
        )
        if form == "number" and max(prefixes) > 1:
            warnings.append(_several(con, other, key, prefixes))
        name = f"{other.name}_{key}"
        con.execute(
            f"create or replace table {name} as select o.* replace (coalesce(m.ours, o.{key}) as {key}) "
            f"from {other.name} o left join (select t.exact as theirs, min(c.exact) as ours from forms_theirs t "
            f"join forms_ours c on c.{form} = t.{form} group by 1) m on m.theirs = o.{key} order by o.rowid"
        )
        return replace(other, name=name)
    finally:
        con.execute("drop table if exists forms_ours; drop table if exists forms_theirs")


def _hold_forms(con: Connection, table: ReadTable, key: str, name: str) -> None:
    m: ColumnMap = next(m for m in table.maps if m.name == key)
    sources = list(dict.fromkeys(m.sources))
    texts = texts_sql(table.rows.select(sources), sources, table.spec.missing)
    text = text_sql(m, {s: f"t{i}" for i, s in enumerate(sources)}, joint="\x1f")
    folded = f"regexp_replace(lower(v), {_SPACES}, '', 'g')"
    con.execute(
        f"create or replace table {name} as select v as exact, f as folded, "
        "regexp_replace(regexp_extract(f, '^[^0-9]*'), '[^\\p{L}]', '', 'g') as prefix, "
        f"{_number('f')} as number from (select v, {folded} as f from "
        f"(select distinct v from (select {text} as v from ({texts})) where v is not null))"
    )


def _number(folded: str) -> str:
    """The digits of a folded key; keys with letters after them, or of several parts, stay as they are."""
    last = f"ltrim(regexp_extract({folded}, '([0-9]+)(\\.0+)?$', 1), '0')"
    groups = f"regexp_replace(regexp_replace({folded}, '^[^0-9]*', ''), '[-_/.:]+', '-', 'g')"
    short = f"regexp_replace({groups}, '(^|-)0+([0-9])', '\\1\\2', 'g')"
    return (
        f"case when contains({folded}, chr(31)) then {folded} "
        f"when regexp_full_match({folded}, '[^0-9]*[0-9]+(\\.0+)?') then coalesce(nullif({last}, ''), '0') "
        f"when regexp_full_match({folded}, '[^0-9]*[0-9]+([-_/.:]+[0-9]+)+') then {short} else {folded} end"
    )


def _drop_foreign_prefixes(con: Connection) -> None:
    """Where both sides write the same letters before numbers, or none, other letters name other things."""
    ours, theirs = "select prefix from forms_ours", "select prefix from forms_theirs"
    shared = con.execute(f"select exists({ours} intersect {theirs})").fetchall()[0][0]
    if shared:
        for side, mine, others in (("theirs", theirs, ours), ("ours", ours, theirs)):
            foreign = f"select * from ({mine} where prefix <> '' except {others})"
            con.execute(f"create or replace table foreign_{side} as {foreign}")
        for side in ("theirs", "ours"):
            # OPS-7 is no CLM-7 where tickets are written CLM-… on both sides.
            con.execute(
                f"update forms_{side} set number = folded where prefix in (select prefix from foreign_{side})"
            )
            con.execute(f"drop table foreign_{side}")
        return
    # One other prefix may be another name of the same things; several are several things, of which none is known.
    several = con.execute(
        f"select (select count(distinct prefix) from forms_theirs where {_NUMBERED}) > 1 "
        f"and exists(select 1 from forms_ours where prefix <> '' and {_NUMBERED})"
    ).fetchall()[0][0]
    if several:
        con.execute("update forms_theirs set number = folded where prefix <> ''")


def _prefixes(con: Connection) -> tuple[int, int]:
    """How many kinds of letters stand before the numbers of the cases, and of the others; none is one of them."""
    con.execute(
        "alter table forms_ours add column other boolean; alter table forms_theirs add column other boolean; "
        "update forms_ours set other = false; "
        f"update forms_theirs set other = {_NUMBERED} and prefix <> '' "
        "and prefix not in (select prefix from forms_ours)"
    )
    counts = [
        int(con.execute(f"select count(distinct prefix) from {side} where {_NUMBERED}").fetchall()[0][0])
        for side in ("forms_ours", "forms_theirs")
    ]
    return counts[0], counts[1]


def _several(con: Connection, other: ReadTable, key: str, prefixes: tuple[int, int]) -> str:
    rows, matched = con.execute(
        "select count(*), count(*) filter (t.number in (select number from forms_ours)) "
        f"from {other.name} o join forms_theirs t on t.exact = o.{key} where t.other"
    ).fetchall()[0]
    ours, theirs = (f"{n:,} kind{'s' if n != 1 else ''} of prefix" for n in prefixes)
    entries = "entry carries" if rows == 1 else "entries carry"
    return (
        f"{other.rows.label}: numbers stand after {theirs} (none counts as one), those of the cases after {ours}; "
        f"{rows:,} {entries} other prefixes than the cases, {matched:,} of them matched by number all the same"
    )


def _pseudonyms(con: Connection, domain: str, *, coded: bool) -> None:
    hidden = number_of if coded else pseudonym
    for side in ("forms_ours", "forms_theirs"):
        forms = ", ".join(f"{hidden(form, domain)} as {form}" for form in _FORMS)
        con.execute(f"create or replace table {side} as select {forms}, other from {side}")


def _match(con: Connection, form: str) -> _Match:
    together = (
        "select coalesce(sum(n), 0) from (select count(*) as n from {0} where {2} in (select {2} from {1}) "
        "group by {2} having count(*) > 1)"
    )
    counts = con.execute(
        f"select (select count(*) from forms_ours where {form} in (select {form} from forms_theirs)), "
        f"(select count(*) from forms_theirs where {form} in (select {form} from forms_ours)), "
        f"({together.format('forms_ours', 'forms_theirs', form)}), "
        f"({together.format('forms_theirs', 'forms_ours', form)})"
    ).fetchall()[0]
    return _Match(*(int(n) for n in counts))


def _collision(match: _Match, form: str, other: ReadTable, key: str, place: str) -> Problem:
    said = _SAID[form]
    if match.ours_together:
        message = (
            f"{match.ours_together:,} keys of the cases fall together when keys are compared {said}; write "
            "keys: exact, or make the keys alike with query:"
        )
    else:
        message = (
            f"{match.theirs_together:,} different keys of {other.rows.label} fall together when keys are compared "
            f"{said}; if they are the same cases write keys: {form}, if not keys: exact, or say it with query:"
        )
    return Problem(other.rows.label, place.rpartition(".")[2] + f".{key}", message)
