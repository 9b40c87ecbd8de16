"""What other exports and price lists add to the cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from roi.canonical import CANONICAL
from roi.categories import Categories
from roi.checks import check_table, used_rows
from roi.mapping import ColumnMap, JoinSpec, TableSpec
from roi.prices import CURRENCY, TokenUse, price_tokens
from roi.problems import Problem
from roi.readers.base import Connection, UnreadableError, literal, quoted
from roi.readers.held import hold_columns
from roi.sample_tables import ReadTable, Surroundings, read_table

__all__ = ["JoinRate", "Joined", "add_joins", "add_prices", "join_rates"]

_TOKENS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRate:
    """How many cases of an arm and segment another export matched.

    Attributes:
        source: The other export.
        arm: The arm.
        segment: The segment, or None without segments.
        cases: Cases there are.
        matched: Of these, how many it has.
    """

    source: str
    arm: str
    segment: str | None
    cases: int
    matched: int


@dataclass(frozen=True, slots=True)
class Joined:
    """The cases with what other exports add.

    Attributes:
        cases: The cases; besides its columns the engine's table holds one `matched_…` column an export.
        matched: Such a column → the export's name.
    """

    cases: ReadTable
    matched: Mapping[str, str]


def add_joins(
    con: Connection,
    cases: ReadTable,
    around: Surroundings,
    problems: list[Problem],
    warnings: list[str],
) -> Joined:
    """Join the other exports of the cases, in the order in which they are named.

    Args:
        con: The engine.
        cases: The cases.
        around: The engine and where things are.
        problems: Takes what is wrong.
        warnings: Takes what the readers say.
    """
    matched: dict[str, str] = {}
    for i, join in enumerate(cases.spec.joins):
        try:
            other = _other(join, around, i)
        except UnreadableError as error:
            problems += error.problems
            continue
        warnings += other.rows.warnings
        look = check_table(con, other)
        problems += look.problems
        warnings += look.warnings
        keys = list(join.on)
        lost = [k for k in keys if k not in cases.columns]
        if lost:
            message = f"the cases have no column {lost[0]} to join on"
            problems.append(Problem(around.file, f"{join.rows.place}.on", message))
            continue
        cases = _joined(con, cases, other, join, i, [*matched], problems)
        matched[f"matched_{i}"] = other.rows.label
    return Joined(cases, matched)


def join_rates(con: Connection, joined: Joined, categories: Categories) -> list[JoinRate]:
    """How many cases each other export matched, by arm and segment."""
    cases = joined.cases
    segment = categories.shown(cases, "segment") if "segment" in cases.columns else "null"
    return [
        JoinRate(source=label, arm=arm, segment=shown, cases=int(n), matched=int(m))
        for column, label in joined.matched.items()
        for arm, shown, n, m in con.execute(
            f"select arm, {segment}, count(*), count(*) filter ({column}) from {cases.name} "
            f"where {used_rows(cases)} group by 1, 2 order by 1, 2"
        ).fetchall()
    ]


def _other(join: JoinSpec, around: Surroundings, i: int) -> ReadTable:
    columns = dict(join.rows.columns)
    for ours, theirs in join.on.items():
        columns[ours] = ColumnMap(name=ours, sources=(theirs,))
    for name in join.take:
        columns.setdefault(name, ColumnMap(name=name, sources=(name,)))
    also = [name for name, column in CANONICAL["cases"].items() if column.required]
    spec: TableSpec = replace(join.rows, columns=columns)
    return read_table(spec, around, name=f"t_join_{i}", also=also)


def _joined(
    con: Connection,
    cases: ReadTable,
    other: ReadTable,
    join: JoinSpec,
    i: int,
    before: list[str],
    problems: list[Problem],
) -> ReadTable:
    keys = list(join.on)
    takes = dict(join.take) or {name: "first" for name in join.rows.columns if name not in keys}
    listed = ", ".join(keys)
    if not join.take:
        twice = con.execute(
            f"select count(*) from (select 1 from {other.name} group by {listed} having count(*) > 1)"
        ).fetchall()
        if twice[0][0]:
            have = "case has" if twice[0][0] == 1 else "cases have"
            message = f"{twice[0][0]:,} {have} several rows; say under take: whether sum, first or max counts"
            problems.append(Problem(other.rows.label, ", ".join(keys), message))
    words = [
        n
        for n, how in takes.items()
        if how == "sum" and other.columns[n].kind not in ("minutes", "cost", "number", "count", "defects")
    ]
    if words:
        problems.append(
            Problem(
                other.rows.label, f"join[{i}].take.{words[0]}", "only numbers are summed; write first or max"
            )
        )
        return cases
    how = {"sum": "sum({0})", "max": "max({0})", "first": "arg_min({0}, rowid)"}
    outputs = ", ".join(f"{how[way].format(quoted(name))} as {quoted(name)}" for name, way in takes.items())
    types = {name: f"::{_type(con, other.name, name)}" for name in takes}
    con.execute(
        f"create or replace table d_join_{i} as select {listed}, {outputs} from {other.name} "
        f"where {' and '.join(f'{k} is not null' for k in keys)} group by {listed}"
    )
    name = f"{cases.name}_{i}"
    own = [c for c in cases.columns if c not in takes]
    # What the cases say themselves stands; the other export fills what they leave blank.
    filled = [
        f"coalesce({f'c.{quoted(t)}, ' if t in cases.columns else ''}j.{quoted(t)}){types[t]} as {quoted(t)}"
        for t in takes
    ]
    mine = ", ".join(f"c.{quoted(c)}" for c in own)
    kept = "".join(f"c.{m}, " for m in before)
    con.execute(
        f"create or replace table {name} as select {mine}, {', '.join(filled)}, c.flags_, "
        f"{kept}j.{keys[0]} is not null as matched_{i} from {cases.name} c left join d_join_{i} j on "
        f"{' and '.join(f'c.{k} = j.{k}' for k in keys)} order by c.rowid"
    )
    columns = {**cases.columns, **{t: CANONICAL["cases"][t] for t in takes}}
    return replace(
        cases,
        name=name,
        columns={c: columns[c] for c in [*own, *takes]},
        rows=replace(cases.rows, fingerprints={**cases.rows.fingerprints, **other.rows.fingerprints}),
    )


def _type(con: Connection, table: str, column: str) -> str:
    rows = con.execute(
        "select data_type from duckdb_columns() "
        f"where table_name = {literal(table)} and column_name = {literal(column)}"
    ).fetchall()
    return str(rows[0][0])


def add_prices(con: Connection, cases: ReadTable, keep: str) -> tuple[ReadTable, Mapping[str, int]]:
    """Price the tokens of cases without a cost; each distinct use is priced once.

    Args:
        con: The engine.
        cases: The cases.
        keep: SQL that is true of the rows that may be used.

    Returns:
        The cases, and why how many costs stay unknown.
    """
    present = [c for c in _TOKENS if c in cases.columns]
    if "model" not in cases.columns or not {"input_tokens", "output_tokens"} <= set(present):
        return cases, {}
    bare = "agent_cost is null and" if "agent_cost" in cases.columns else ""
    any_tokens = " or ".join(f"coalesce({c}, 0) > 0" for c in present)
    parts = [quoted(c) if c in cases.columns else "null" for c in ("provider", "model")]
    parts.append("started_at::date" if "started_at" in cases.columns else "null")
    parts += [c if c in cases.columns else "null" for c in _TOKENS]
    names = ("provider", "model", "day", *_TOKENS)
    uses = ", ".join(f"{p} as u_{n}" for p, n in zip(parts, names, strict=True))
    where = f"{keep} and {bare} ({any_tokens})"
    rows = con.execute(
        f"select {uses}, count(*) from {cases.name} where {where} group by all order by all"
    ).fetchall()
    if not rows:
        return cases, {}
    counts = {TokenUse(*row[:-1]): int(row[-1]) for row in rows}
    priced = price_tokens(counts)
    unknown: dict[str, int] = {}
    for use, n in counts.items():
        if use not in priced.cost:
            why = priced.why[use]
            unknown[why] = unknown.get(why, 0) + n
    if not priced.cost:
        return cases, unknown
    return _with_prices(con, cases, priced.cost, parts, bare), unknown


def _with_prices(
    con: Connection, cases: ReadTable, cost: Mapping[TokenUse, Any], parts: list[str], bare: str
) -> ReadTable:
    uses = list(cost)
    fields = ("provider", "model", "day", "input", "cache_read", "cache_write", "output")
    cells = [[None if (v := getattr(use, f)) is None else str(v) for use in uses] for f in fields]
    hold_columns(con, "priced", [*cells, [str(cost[use]) for use in uses]])
    same = " and ".join(f"p.c{i} is not distinct from {part}" for i, part in enumerate(_qualified(parts)))
    name = f"{cases.name}_priced"
    others = [c for c in cases.columns if c not in ("agent_cost", "cost_currency")]
    logged = "c.agent_cost" if bare else "null::decimal(18,9)"
    currency = "c.cost_currency" if "cost_currency" in cases.columns else "null::varchar"
    con.execute(
        f"create or replace table {name} as select {', '.join(f'c.{quoted(c)}' for c in others)}, "
        f"coalesce({logged}, p.c7::decimal(18,9))::decimal(18,9) as agent_cost, "
        f"case when {logged} is null and p.c7 is not null then '{CURRENCY}' else {currency} end as cost_currency, "
        f"c.flags_ from {cases.name} c left join priced p on {same} order by c.rowid"
    )
    kinds = {**cases.columns, **{c: CANONICAL["cases"][c] for c in ("agent_cost", "cost_currency")}}
    return replace(cases, name=name, columns={c: kinds[c] for c in [*others, "agent_cost", "cost_currency"]})


def _qualified(parts: list[str]) -> list[str]:
    return [p if p == "null" else f"(c.{p})::varchar" for p in parts]
