"""The raw fields of the inputs: read, looked at as a whole, judged cell by cell, and forgotten.

What is left is a row of small numbers for each row of inputs: which rules its fields break, and in which bin each value
falls. No text of a cell is in it, nor in any message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from roi import input_kinds as kinds
from roi.casts import clean
from roi.input_rules import Facts, FieldPlan, plan_field
from roi.mapping import sources_of
from roi.privacy import looks_personal
from roi.problems import Problem
from roi.readers.base import Connection, literal, quoted
from roi.sample_tables import ReadTable
from roi.schema.input_fields import FieldRule
from roi.schema.tables import TABLE_COLUMNS
from roi.words import shorten

__all__ = ["MOST_FIELDS", "RawFields", "hold_raw", "look_at"]

MOST_FIELDS = 200
CASE_TIMES = ("started_at", "ended_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFields:
    """The raw fields of a pilot's inputs, in the engine as `raw_inputs` with one list of texts a row.

    Attributes:
        columns: The fields' own names.
        names: What each is called where it is shown.
        given: What is stated of each.
    """

    columns: tuple[str, ...]
    names: tuple[str, ...]
    given: tuple[FieldRule, ...]

    def index(self, column: str) -> int:
        """The place of a field, from 0."""
        return self.columns.index(column)


def hold_raw(
    con: Connection,
    read: ReadTable,
    rules: Mapping[str, FieldRule],
    *,
    file: str,
    case_columns: Sequence[str],
) -> tuple[RawFields | None, list[Problem]]:
    """Hold the raw fields of the inputs, row by row beside the table that has been read.

    Args:
        con: The engine.
        read: The inputs' canonical columns.
        rules: What is stated of fields, by name.
        file: The parameter file's name, for messages.
        case_columns: Columns of the cases that a rule may name.

    Returns:
        The fields, and what is wrong with them or with the rules.
    """
    place, own = read.spec.place, TABLE_COLUMNS["inputs"]
    named = {n: m.sources[0] for n, m in read.spec.columns.items() if n not in own and m.sources}
    mapped = {*sources_of(read.maps), "_file"}
    available = {name: name for name in read.rows.columns if name not in mapped and name.strip()}
    fields = named or available
    problems = [
        Problem(file, f"{place}.columns.{name}", f"{read.rows.label} has no column '{shorten(source, 60)}'")
        for name, source in named.items()
        if source not in read.rows.columns
    ]
    if not fields:
        message = "has no field besides its keys; inputs are the raw fields as the agent received them, a column each"
        problems.append(Problem(read.rows.label, "", message))
    if len(fields) > MOST_FIELDS:
        message = (
            f"has {len(fields):,} fields, and at most {MOST_FIELDS} are looked at; name those that the agent's work "
            f"rests on under {place}.columns (policy_no: policy_no, say)"
        )
        problems.append(Problem(read.rows.label, "", message))
    problems += _wrong_rules(con, rules, tuple(fields), case_columns, file=file, place=f"{place}.fields")
    if problems:
        return None, problems
    given = tuple(rules.get(name, FieldRule()) for name in fields)
    sources = list(dict.fromkeys(fields.values()))
    cells = ", ".join(
        clean(quoted(source), (*read.spec.missing, *rule.missing))
        for source, rule in zip(fields.values(), given, strict=True)
    )
    con.execute(
        f"create or replace table raw_inputs as select [{cells}] as v from ({read.rows.select(sources)})"
    )
    shown = tuple(
        f"field {i + 1}" if looks_personal(name, dates_allowed=True) else shorten(name, 60)
        for i, name in enumerate(fields)
    )
    return RawFields(columns=tuple(fields), names=shown, given=given), []


def _wrong_rules(
    con: Connection,
    rules: Mapping[str, FieldRule],
    fields: Sequence[str],
    case_columns: Sequence[str],
    *,
    file: str,
    place: str,
) -> list[Problem]:
    import duckdb

    from roi.schema.base import nearest

    found = []

    def unknown(key: str, name: str, known: Sequence[str]) -> None:
        safe = [f for f in known if looks_personal(f, dates_allowed=True) is None]
        meant = nearest(name, safe)
        hint = f"did you mean '{meant}'?" if meant else "its fields are the columns besides its keys"
        found.append(Problem(file, key, f"'{shorten(name, 60)}' is no field of the inputs; {hint}"))

    for name, rule in rules.items():
        if name not in fields:
            unknown(f"{place}.{name}", name, fields)
        for part in rule.sum_of:
            if part not in fields:
                unknown(f"{place}.{name}.sum_of", part, fields)
        for key in ("not_after", "not_before"):
            other = getattr(rule, key)
            if other in CASE_TIMES and other not in fields:
                if other not in case_columns:
                    found.append(Problem(file, f"{place}.{name}.{key}", f"the cases have no column {other}"))
            elif other is not None and other not in fields:
                unknown(f"{place}.{name}.{key}", other, fields)
        if rule.max_age_days is not None and "started_at" not in case_columns:
            found.append(Problem(file, f"{place}.{name}.max_age_days", "the cases have no column started_at"))
        if rule.pattern is not None:
            try:
                con.execute(f"select regexp_full_match('', {literal(rule.pattern)})")
            except duckdb.Error:
                message = (
                    "is no regular expression that the engine reads (RE2: no look-around, no back references)"
                )
                found.append(Problem(file, f"{place}.{name}.pattern", message))
    return found


def look_at(con: Connection, raw: RawFields) -> tuple[FieldPlan, ...]:
    """Give each cell its kind, and settle from all of them what each field must be.

    Args:
        con: The engine; its `linked_inputs` holds the rows that count with `v` and `demo`. Leaves `kinds_inputs`,
            the same rows with the kinds `k` beside `v`.
        raw: The fields.
    """
    con.execute(
        "create or replace table kinds_inputs as select *, "
        f"list_transform(v, lambda t: {kinds.kind_of_cell('t')}) as k from linked_inputs"
    )
    n = len(raw.names)
    cells = "(select demo, unnest(v) as t, unnest(k) as k, generate_subscripts(v, 1) as i from kinds_inputs)"
    counts = np.zeros((n, 2, len(kinds.KINDS)), dtype=np.int64)
    for i, demo, kind, rows in con.execute(
        f"select i, demo, k, count(*) from {cells} group by 1, 2, 3"
    ).fetchall():
        counts[int(i) - 1, int(demo), int(kind)] = int(rows)
    distinct = dict(
        con.execute(f"select i, count(distinct t) from {cells} where k > {kinds.MARK} group by 1").fetchall()
    )
    short = f"k in ({kinds.WHOLE}, {kinds.TEXT}) and length(t) <= 40"
    shapes: dict[tuple[int, int], tuple[str, int]] = {}
    for which, condition in ((0, "true"), (1, "demo")):
        rows_ = con.execute(
            f"select i, s, n from (select i, {kinds.shape_of_cell('t')} as s, count(*) as n from {cells} "
            f"where {short} and {condition} group by 1, 2) "
            "qualify row_number() over (partition by i order by n desc, s) = 1"
        ).fetchall()
        for i, shape, rows in rows_:
            shapes[int(i) - 1, which] = (str(shape), int(rows))
    units: list[dict[str, tuple[int, int]]] = [{} for _ in range(n)]
    numbers = ", ".join(str(k) for k in kinds.NUMBERS)
    dressed = f"select distinct i from {cells} where k = {kinds.UNIT}"
    for i, unit, rows, demo in con.execute(
        f"select i, coalesce(case when k = {kinds.UNIT} then {kinds.unit_in('t')} end, '') as u, count(*), "
        f"count(*) filter (demo) from {cells} where k in ({numbers}) and i in ({dressed}) group by 1, 2 order by 1, 2"
    ).fetchall():
        units[int(i) - 1][str(unit)] = (int(rows), int(demo))
    none = ("", 0)
    facts = [
        Facts(
            counts=counts[i],
            shapes=(shapes.get((i, 0), none), shapes.get((i, 1), none)),
            units=units[i],
            distinct=int(distinct.get(i + 1, 0)),
        )
        for i in range(n)
    ]
    plans = [plan_field(*one) for one in zip(raw.names, facts, raw.given, strict=True)]
    # What two fields must be to each other can be judged only where both can be read.
    parts = {part for p in plans for part in p.given.sum_of}
    return tuple(
        replace(p, kind="number", accepted=kinds.NUMBERS)
        if column in parts and p.kind not in ("number", "ignored")
        else p
        for column, p in zip(raw.columns, plans, strict=True)
    )
