"""One conversation, one case, where the engine holds the traces; by the rule of `conversations`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from roi.importers.conversations import FIRST, NONE, SAME, SUMS, Grouped, grouped
from roi.importers.export import Table
from roi.importers.laid import Laid, ask
from roi.importers.spans import MOST_AMOUNT
from roi.readers.base import Connection, literal, quoted

__all__ = ["group_laid"]

_ONE = ("provider", "model", "version")
_ENDS = {"started_at": "min(started_at)", "ended_at": "max(ended_at)"}
_DECIMALS = {"latency": 6, "agent_cost": 9}
_BEFORE = "lag({}) over (partition by _case order by _at)"


def group_laid(traces: Table, rows: Laid, key: str | None = None) -> Grouped:
    """Group traces into cases; the table `cased` tells of each trace its case, and whether it was sent again.

    Args:
        traces: As importers give them.
        rows: Theirs.
        key: The column that names a case; told by the rule unless given.

    Raises:
        KeyError: If no trace has the column.
    """
    if key is not None and key not in traces.names:
        raise KeyError(key)
    con, filled = rows.con, rows.filled()
    keys = [n for n in ([key] if key is not None else ["case_id", "session_id"]) if n in filled]
    told = "".join(f"when {quoted(n)} is not null then {literal(n)} " for n in keys)
    case = f"coalesce({', '.join(map(quoted, [*keys, 'trace_id']))})"
    # What agrees in all of these was sent twice, if it is known when it was.
    same = ", ".join(quoted(n) for n in SAME if n in rows.names)
    again = f"row_number() over (partition by _case, {same} order by first) > 1"
    ask(
        con,
        f"create table cased as select *, {again} and started_at is not null and ended_at is not null as _again from "
        f"(select *, {case} as _case, case {told}when true then 'trace_id' end as _by from {rows.table})",
    )
    ask(
        con,
        "create table ranked as select *, row_number() over (partition by _case order by coalesce(started_at, ''), "
        "first) as _at from cased where not _again",
    )
    by = ask(con, "select _by, count(*) from cased group by _by order by min(first)").fetchall()
    resent = ask(con, "select trace_id from cased where _again").fetchall()
    columns = _columns(rows, filled)
    listed = ", ".join(f"{value} as {quoted(n)}" for n, value in columns.items())
    newly = (
        "row_number() over (partition by _case, version order by _at) = 1" if "version" in filled else "false"
    )
    retried = (
        f"{_BEFORE.format('errors')} <> '0' and {_BEFORE.format('name')} = name"
        if "name" in filled
        else "false"
    )
    ask(
        con,
        f"create table cases as select _case as case_id, {listed}, f.first from (select * exclude (first), "
        f"coalesce({retried}, false) as _retried, {newly} as _newly from ranked) join "
        "(select _case, min(first) as first from cased group by _case) f using (_case) group by _case, f.first",
    )
    ((shared, retries),) = ask(
        con, "select count(traces), coalesce(sum(retries::bigint), 0) from cases"
    ).fetchall()
    cases = Laid(con, "cases", ("case_id", *columns), "first")
    there = cases.filled()
    names = dict.fromkeys(n for n in (*FIRST, *rows.names, *cases.names) if n in there)
    return grouped(
        Table(tuple(names), cases), _CaseOf(con), frozenset(t for (t,) in resent), dict(by),
        traces=len(rows), shared=int(shared), retries=int(retries),
    )  # fmt: skip


def _columns(rows: Laid, filled: frozenset[str]) -> dict[str, str]:
    """SQL of a case's cells."""
    own = {*_ONE, *_ENDS, *SUMS, "trace_id", "case_id", "models", "cost_currency"}
    columns = {
        n: f"arg_max({quoted(n)}, _at) filter ({quoted(n)} is not null)" for n in rows.names if n not in own
    }
    columns |= _ENDS
    columns |= {n: _sum(n) for n in SUMS if n in filled}
    columns |= {n: f"case when min({n}) = max({n}) then min({n}) end" for n in _ONE if n in filled}
    if "version" in filled:
        many = "string_agg(version, ' + ' order by _at) filter (_newly)"
        columns["versions"] = f"case when min(version) < max(version) then {many} end"
    if "models" in filled:
        named = "flatten(list(string_split(models, ' + ')) filter (models is not null))"
        many = f"array_to_string(list_sort(list_distinct({named})), ' + ')"
        columns["models"] = f"case when min(models) = max(models) then min(models) else {many} end"
    if "agent_cost" in filled:
        columns["cost_currency"] = f"case when {_sum('agent_cost')} is not null then max(cost_currency) end"
    columns["traces"] = "case when count(*) > 1 then count(*)::varchar end"
    columns["retries"] = "nullif(count(*) filter (_retried), 0)::varchar"
    return columns


def _sum(name: str) -> str:
    """SQL of a sum as a text; where one part is not known, it is not known, unless nothing is meant by that."""
    digits = _DECIMALS.get(name)
    part = f"{name}::{'bigint' if digits is None else f'decimal(38, {digits})'}"
    part = f"case when abs({part}) < {MOST_AMOUNT} then {part} end"
    total = f"sum({part})::varchar"
    if name == "agent_cost":
        # A trace without a call costs 0; the sum of these alone is as plain.
        total = f"case when bool_and({name} = '0') then '0' else {total} end"
    summed = f"when count({part}) = count(*) then {total}"
    if name in NONE:
        summed = f"when count({name}) > 0 then coalesce({total}, '0')"
    return f"case when count(*) = 1 then max({name}) {summed} end"


class _CaseOf(Mapping[str, str]):
    """Trace → its case, of traces that were not sent again; read when it is asked for."""

    def __init__(self, con: Connection) -> None:
        self._con = con

    @cached_property
    def _read(self) -> dict[str, str]:
        return dict(ask(self._con, "select trace_id, _case from cased where not _again").fetchall())

    def __getitem__(self, trace: str) -> str:
        return self._read[trace]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)
