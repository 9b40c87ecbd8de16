"""One conversation, one case, where the engine holds the traces; by the rule of `conversations`."""

from __future__ import annotations

from roi.importers.conversations import FIRST, NONE, SAME, SUMS, Grouped, grouped
from roi.importers.export import Table
from roi.importers.laid import Laid
from roi.readers.base import literal, quoted

__all__ = ["group_laid"]


def group_laid(rows: Laid, key: str | None = None) -> Grouped:
    """Group traces into cases.

    Args:
        rows: Traces.
        key: The column that names a case; told by the rule unless given.

    Raises:
        KeyError: If no trace has the column.
    """
    filled = rows.filled()
    if key is not None and key not in filled:
        raise KeyError(key)
    con = rows.con
    keys = [n for n in ([key] if key is not None else ["case_id", "session_id"]) if n in filled]
    told = " ".join(f"when {quoted(n)} is not null then {{}}" for n in keys)
    by = f"case {told.format(*map(literal, keys))} else 'trace_id' end" if keys else "'trace_id'"
    case = f"coalesce({', '.join(map(quoted, [*keys, 'trace_id']))})"
    # What agrees in all of these was sent twice, if it is known when it was.
    again = f"partition by _case, {', '.join(quoted(n) for n in SAME if n in rows.names)} order by first"
    con.execute(
        f"create table cased as select * from (select *, row_number() over ({again}) > 1 and started_at is not null and "
        f"ended_at is not null as _again from (select *, {case} as _case, {by} as _by from {rows.table}))"
    )
    con.execute(
        "create table ranked as select *, row_number() over (partition by _case order by coalesce(started_at, ''), first) as _at "
        "from cased where not _again"
    )
    counts = con.execute("select _by, count(*) from cased group by _by order by min(first)").fetchall()
    resent = con.execute("select trace_id from cased where _again").fetchall()
    case_of = con.execute("select trace_id, _case from ranked where tool_calls is distinct from '0'").fetchall()
    own = ("trace_id", "case_id", "started_at", "ended_at", "version", "provider", "model", "models", *SUMS)
    said = [n for n in rows.names if n not in own and n != "cost_currency"]
    columns = {n: f"arg_max({quoted(n)}, _at) filter ({quoted(n)} is not null)" for n in said}
    columns |= {n: _sum(n) for n in SUMS if n in rows.names}
    columns |= {"started_at": "min(started_at)", "ended_at": "max(ended_at)"}
    columns |= {n: _only(n) for n in ("provider", "model", "version") if n in rows.names}
    columns["versions"] = (
        "case when min(version) < max(version) then string_agg(version, ' + ' order by _at) filter (_newly) end"
        if "version" in filled
        else "null::varchar"
    )
    columns["models"] = (
        "case when min(models) = max(models) then min(models) else array_to_string(list_sort(list_distinct(flatten("
        "list(string_split(models, ' + ')) filter (models is not null)))), ' + ') end"
    )
    columns["cost_currency"] = f"case when {_sum('agent_cost')} is not null then max(cost_currency) end"
    columns["traces"] = "case when count(*) > 1 then count(*)::varchar end"
    columns["retries"] = "nullif(count(*) filter (_retried), 0)::varchar"
    listed = ", ".join(f"{value} as {quoted(n)}" for n, value in columns.items())
    before = "lag({}) over (partition by _case order by _at)"
    newly = "row_number() over (partition by _case, version order by _at) = 1" if "version" in filled else "true"
    con.execute(
        f"create table cases as select _case as case_id, {listed}, f.first from (select * exclude (first), coalesce("
        f"{before.format('errors')} <> '0' and {before.format('name')} = name, false) as _retried, {newly} as _newly from ranked) r "
        "join (select _case, min(first) as first from cased group by _case) f using (_case) group by _case, f.first"
    )
    ((shared, retries),) = con.execute("select count(traces), coalesce(sum(retries::bigint), 0) from cases").fetchall()
    cases = Laid(con, "cases", ("case_id", *columns), "first")
    there = cases.filled()
    names = dict.fromkeys(n for n in (*FIRST, *rows.names, *cases.names) if n in there)
    return grouped(
        Table(tuple(names), cases), dict(case_of), frozenset(t for (t,) in resent), dict(counts),
        traces=len(rows), shared=int(shared), retries=int(retries),
    )  # fmt: skip


def _sum(name: str) -> str:
    """SQL of a sum as a text; where one part is not known, it is not known, unless nothing is meant by that."""
    if name == "latency":
        total = f"sum({name}::decimal(38, 6))::varchar"
    elif name == "agent_cost":
        # A trace without a call costs 0; only of these alone the sum is as plain.
        total = f"case when bool_and({name} = '0') then '0' else sum({name}::decimal(38, 9))::varchar end"
    else:
        total = f"sum({name}::bigint)::varchar"
    return total if name in NONE else f"case when count({name}) = count(*) then {total} end"


def _only(name: str) -> str:
    """SQL of what is the same in all traces that have it."""
    return f"case when min({name}) = max({name}) then min({name}) end"
