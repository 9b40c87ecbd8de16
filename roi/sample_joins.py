"""What other exports and price lists add to the cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from roi.canonical import CANONICAL
from roi.checks import check_table
from roi.join_keys import align_keys
from roi.join_rates import AGENT_COLUMNS, Joined
from roi.mapping import ColumnMap, JoinSpec, TableSpec
from roi.prices import CURRENCY, TokenUse, price_tokens, token_prices
from roi.problems import Problem
from roi.readers.base import Connection, UnreadableError, literal, quoted
from roi.readers.held import hold_columns
from roi.sample_tables import ReadTable, Surroundings, read_table
from roi.schema.prices import TokenPrices
from roi.time_entries import OUT, drop_negative, settle_entries, with_times

__all__ = ["add_joins", "add_prices", "align_tables", "with_key"]

_TOKENS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "cache_write_1h_tokens",
)


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
    takes: dict[str, frozenset[str]] = {}
    for i, join in enumerate(cases.spec.joins):
        try:
            other = _other(join, around, i)
        except UnreadableError as error:
            problems += error.problems
            continue
        warnings += other.rows.warnings
        warnings += [
            f"{other.rows.label}: {n:,} rows left out: {why}" for why, n in other.rows.left_out.items()
        ]
        forward = drop_negative(con, other, join)
        look = check_table(con, forward.other)
        problems += look.problems
        warnings += [*forward.warnings, *look.warnings]
        keys = list(join.on)
        lost = [k for k in keys if k not in cases.columns]
        if lost:
            message = f"the cases have no column {lost[0]} to join on"
            problems.append(Problem(around.file, f"{join.rows.place}.on", message))
            continue
        aligned = align_keys(con, cases, forward.other, keys, join.keys, place=f"{join.rows.place}.on")
        problems += aligned.problems
        warnings += [f"{warning}; keys: exact turns this off" for warning in aligned.warnings]
        if look.problems or aligned.problems:
            continue
        zone = join.rows.timezone or around.timezone
        warnings += _of_no_case(con, cases, aligned.other, keys)
        settled = settle_entries(con, cases, aligned.other, join, timezone=zone)
        warnings += settled.warnings
        cases, taken = _joined(con, cases, settled.other, join, i, [*matched], problems)
        if taken:
            matched[f"matched_{i}"] = other.rows.label
            takes[f"matched_{i}"] = taken
    return Joined(cases, matched, takes)


def _of_no_case(con: Connection, cases: ReadTable, other: ReadTable, keys: list[str]) -> list[str]:
    """What is said of rows of an export whose case the sample does not hold."""
    alike = " and ".join(f"c.{key} = o.{key}" for key in keys)
    named = " and ".join(f"o.{key} is not null" for key in keys)
    lost, total = con.execute(
        f"select count(*) filter ({named} and not exists (select 1 from {cases.name} c where {alike})), "
        f"count(*) from {other.name} o"
    ).fetchall()[0]
    if not lost:
        return []
    belong, add = ("rows belongs", "adds") if lost == 1 else ("rows belong", "add")
    return [
        f"{other.rows.label}: {lost:,} of {total:,} {belong} to no case of the sample ({lost / total:.1%}) and {add} "
        "nothing; is an extract of the cases too short, or are keys written in another way?"
    ]


def with_key(actions: TableSpec, cases: TableSpec) -> TableSpec:
    """The actions' table, whose case is the cases' own key where both come from the same export.

    Args:
        actions: What is asked for of the actions.
        cases: What is asked for of the cases, which may be, or be joined with, the same export.
    """
    if "case_id" in actions.columns:
        return actions
    key = cases.columns.get("case_id") if cases.source == actions.source else None
    for join in cases.joins:
        if key is None and join.rows.source == actions.source and "case_id" in join.on:
            key = ColumnMap(name="case_id", sources=(join.on["case_id"],))
    return actions if key is None else replace(actions, columns={**actions.columns, "case_id": key})


def align_tables(
    con: Connection, reads: Mapping[str, ReadTable], warnings: list[str]
) -> dict[str, ReadTable]:
    """The tables, with the cases' keys where theirs differ in form only; keys that fall together stay as they are.

    Args:
        con: The engine.
        reads: The tables, `cases` among them.
        warnings: Takes how keys were compared.
    """
    aligned = dict(reads)
    for name in ("actions", "inputs"):
        if name in reads and "case_id" in reads[name].columns:
            place = f"samples.{name}.columns"
            found = align_keys(con, reads["cases"], reads[name], ["case_id"], "auto", place=place)
            aligned[name] = found.other
            warnings += [f"{name}: {warning}" for warning in found.warnings]
    return aligned


def _other(join: JoinSpec, around: Surroundings, i: int) -> ReadTable:
    columns = dict(join.rows.columns)
    for ours, theirs in join.on.items():
        columns[ours] = ColumnMap(name=ours, sources=(theirs,))
    for name in join.take:
        columns.setdefault(name, ColumnMap(name=name, sources=(name,)))
    columns = with_times(join, columns)
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
) -> tuple[ReadTable, frozenset[str]]:
    """The cases with an export's columns, and which these are; none where it cannot be joined."""
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
        place = f"join[{i}].take.{words[0]}"
        problems.append(Problem(other.rows.label, place, "only numbers are summed; write first or max"))
        return cases, frozenset()
    if "agent_cost" in takes and "cost_currency" in other.columns and "cost_currency" not in takes:
        takes["cost_currency"] = "first"  # an amount goes nowhere without its currency
    if "agent_cost" in takes and not _one_currency(con, other, listed, problems):
        return cases, frozenset()
    types = {name: f"::{_type(con, other.name, name)}" for name in takes}
    counted = f" filter (not {OUT})" if _has(con, other.name, OUT) else ""
    # Half a sum is no sum: where a part is not known, the whole is not.
    whole = f"case when count({{0}}){counted} = count(*){counted} then sum({{0}}){counted} end"
    how = {"sum": whole, "max": "max({0})", "first": "arg_min({0}, rowid)"}
    outputs = ", ".join(f"{how[way].format(quoted(name))} as {quoted(name)}" for name, way in takes.items())
    con.execute(
        f"create or replace table d_join_{i} as select {listed}, {outputs} from {other.name} "
        f"where {' and '.join(f'{k} is not null' for k in keys)} group by {listed}"
    )
    name = f"{cases.name}_{i}"
    own = [c for c in cases.columns if c not in takes]
    maps = {m.name: m for m in other.maps}
    filled = [f"{_filled(t, cases, maps[t], keys[0])}{types[t]} as {quoted(t)}" for t in takes]
    mine = ", ".join(f"c.{quoted(c)}" for c in own)
    kept = "".join(f"c.{m}, " for m in before)
    alike = " and ".join(f"c.{k} = j.{k}" for k in keys)
    may = "true"
    if set(takes) <= AGENT_COLUMNS and "case_id" in keys and "arm" not in keys:
        # Of a case that both arms worked on, what an agent used belongs to the pilot's row.
        twins = f"select case_id from {cases.name} where arm = 'pilot' and case_id is not null"
        may = f"(arm is distinct from 'baseline' or case_id not in ({twins}))"
    con.execute(
        f"create or replace table {name} as select {mine}, {', '.join(filled)}, c.flags_, "
        f"{kept}j.{keys[0]} is not null as matched_{i} from (select *, rowid as row_, {may} as may_ from "
        f"{cases.name}) c left join d_join_{i} j on {alike} and c.may_ order by c.row_"
    )
    columns = {**cases.columns, **{t: CANONICAL["cases"][t] for t in takes}}
    had = {m.name for m in cases.maps}
    joined = replace(
        cases,
        name=name,
        maps=(*cases.maps, *(maps[t] for t in takes if t not in had)),
        columns={c: columns[c] for c in [*own, *takes]},
        rows=replace(cases.rows, fingerprints={**cases.rows.fingerprints, **other.rows.fingerprints}),
    )
    return joined, frozenset(takes)


def _one_currency(con: Connection, other: ReadTable, listed: str, problems: list[Problem]) -> bool:
    if "cost_currency" not in other.columns:
        return True
    mixed = con.execute(
        f"select count(*) from (select 1 from {other.name} where agent_cost is not null group by {listed} "
        "having count(distinct cost_currency) > 1)"
    ).fetchall()[0][0]
    if mixed:
        have = "case has" if mixed == 1 else "cases have"
        message = f"{mixed:,} {have} costs in several currencies; bring them into one with query:"
        problems.append(Problem(other.rows.label, "cost_currency", message))
    return not mixed


def _filled(column: str, cases: ReadTable, m: ColumnMap, key: str) -> str:
    """What the cases say themselves stands; the other export fills what they leave blank."""
    theirs = f"j.{quoted(column)}"
    if column == "cost_currency" and "agent_cost" in cases.columns:
        own = "c.cost_currency" if column in cases.columns else "null"
        return f"case when c.agent_cost is not null then {own} else {theirs} end"
    if column not in cases.columns:
        # `blank: zero` also says what a case without a row has.
        return f"case when j.{key} is null then 0 else {theirs} end" if m.blank == "zero" else theirs
    return f"coalesce(c.{quoted(column)}, {theirs})"


def _has(con: Connection, table: str, column: str) -> bool:
    return bool(
        con.execute(
            "select count(*) from duckdb_columns() "
            f"where table_name = {literal(table)} and column_name = {literal(column)}"
        ).fetchall()[0][0]
    )


def _type(con: Connection, table: str, column: str) -> str:
    rows = con.execute(
        "select data_type from duckdb_columns() "
        f"where table_name = {literal(table)} and column_name = {literal(column)}"
    ).fetchall()
    return str(rows[0][0])


def add_prices(
    con: Connection, cases: ReadTable, keep: str, prices: Mapping[str, TokenPrices] | None = None
) -> tuple[ReadTable, Mapping[str, int]]:
    """Price the tokens of cases without a cost; each distinct use is priced once.

    Args:
        con: The engine.
        cases: The cases.
        keep: SQL that is true of the rows that may be used.
        prices: Of tokens, by model, as `samples.prices` states them.

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
    priced = price_tokens(counts, token_prices(prices or {}))
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
    fields = ("provider", "model", "day", "input", "cache_read", "cache_write", "output", "cache_write_1h")
    cells = [[None if (v := getattr(use, f)) is None else str(v) for use in uses] for f in fields]
    hold_columns(con, "priced", [*cells, [str(cost[use]) for use in uses]])
    same = " and ".join(f"p.c{i} is not distinct from {part}" for i, part in enumerate(_qualified(parts)))
    name = f"{cases.name}_priced"
    others = [c for c in cases.columns if c not in ("agent_cost", "cost_currency")]
    logged = "c.agent_cost" if bare else "null::decimal(18,9)"
    currency = "c.cost_currency" if "cost_currency" in cases.columns else "null::varchar"
    con.execute(
        f"create or replace table {name} as select {', '.join(f'c.{quoted(c)}' for c in others)}, "
        f"coalesce({logged}, p.c8::decimal(18,9))::decimal(18,9) as agent_cost, "
        f"case when {logged} is null and p.c8 is not null then '{CURRENCY}' else {currency} end as cost_currency, "
        f"c.flags_ from {cases.name} c left join priced p on {same} order by c.rowid"
    )
    kinds = {**cases.columns, **{c: CANONICAL["cases"][c] for c in ("agent_cost", "cost_currency")}}
    return replace(cases, name=name, columns={c: kinds[c] for c in [*others, "agent_cost", "cost_currency"]})


def _qualified(parts: list[str]) -> list[str]:
    return [p if p == "null" else f"(c.{p})::varchar" for p in parts]
