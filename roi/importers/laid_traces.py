"""The two tables of traces whose spans the engine holds: what spans say of traces and calls is put together there.

What counts and what it costs is found for plain traces at once (`laid_bills`), for others as everywhere (`tables`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from roi.importers.attribute_names import OWN
from roi.importers.export import Export
from roi.importers.laid import Laid, LaidSpans, ask, streamed
from roi.importers.laid_bills import lay_bills, moment
from roi.importers.laid_steps import lay_steps
from roi.importers.spans import Span, Tokens, Trace, amount
from roi.importers.tables import OWN as OWN_OF_TRACES
from roi.importers.tables import OWN_OF_CALLS, Made
from roi.importers.times import EARLIEST
from roi.prices import OwnPrices
from roi.readers.base import Connection, quoted
from roi.readers.held import hold_columns

__all__ = ["export_laid"]

_AT_ONCE = 20_000  # traces
_LONGEST = 200  # characters: longer texts are no keys of cases
_NEVER = 1 << 62
_STEP = (
    "first", "n", "id", "parent", "kind", "tool", "began", "ended", "failed", "batch", "cost", "model",
    "provider", "used", "input", "cache_read", "cache_write", "output", "cache_write_1h",
)  # fmt: skip
# How near a span is to its trace: whether it is a root, then its start, then its place, in one number.
_NEAR = (
    f"(case when parent is null then 0::hugeint else {1 << 120}::hugeint end "
    f"+ (coalesce(began, 0) - ({EARLIEST}))::hugeint * {1 << 50} + n)"
)
_ORDER = ("_first", "_began", "_id")


def export_laid(laid: LaidSpans, own: OwnPrices | None = None) -> Export:
    """The tables of spans that were laid down.

    Args:
        laid: They.
        own: Prices of one's own, by model.
    """
    con = laid.con
    facts = _lay_facts(laid)
    lay_steps(laid)
    lay_bills(laid, own)
    made = Made(own)
    made.free = _count_free(con)
    gone = _count_others(con, made)
    cells = ", ".join(f"{column} as {quoted(name)}" for name, column in facts.items())
    ask(con, f"create table traces as select {cells}, b.* from facts join bills b using (first)")
    traces = Laid(con, "traces", (*facts, *OWN_OF_TRACES), "first")
    return made.export(traces, _lay_actions(laid, facts, gone), list(facts))


def _count_free(con: Connection) -> int:
    """How many plain traces log no call."""
    ((n,),) = ask(con, "select count(*) from bills where calls = '0'").fetchall()
    return int(n)


def _count_others(con: Connection, made: Made) -> list[int]:
    """Count the traces that are not plain and add them to `bills`; the places of spans that are no call themselves."""
    ((blind,),) = ask(
        con,
        "select not bool_or(kind = 'call' or used or coalesce(try_cast(cost as double), 0) <> 0) from steps",
    ).fetchall()
    if blind:
        made.free = 0
        ask(con, "delete from bills")
    ask(con, "create table others as select first from facts where first not in (select first from bills)")
    wanted = f"select {', '.join(_STEP)} from steps where first in (from others) order by first, n"
    gone: list[int] = []
    found: list[tuple[str | None, ...]] = []
    for first, theirs in groupby(streamed(con, wanted), key=itemgetter(0)):
        trace, places = _trace(first, theirs, gone)
        counted = made.count("", trace, blind=blind)
        assert counted is not None  # it has spans
        cells, nested = counted
        found.append((str(first), *cells))
        gone += [places[key] for key in nested]
        if len(found) >= _AT_ONCE:
            _add_bills(con, found)
    _add_bills(con, found)
    return gone


def _add_bills(con: Connection, found: list[tuple[str | None, ...]]) -> None:
    if found:
        hold_columns(con, "bills_", [list(column) for column in zip(*found, strict=True)])
        cells = enumerate(OWN_OF_TRACES, start=1)
        listed = ", ".join("trace as trace_id" if n == "trace_id" else f"c{i} as {n}" for i, n in cells)
        ask(
            con,
            f"insert into bills by name select first, {listed} from bills_ join facts on first = c0::bigint",
        )
        found.clear()


def _trace(first: int, steps: Iterable[Sequence[Any]], gone: list[int]) -> tuple[Trace, dict[str, int]]:
    """A trace, and the places of its spans; those of spans that came twice are gone."""
    trace = Trace(first)
    places: dict[str, int] = {}
    for step in steps:
        n, span_id, parent, kind, tool, began, ended, failed, batch, cost, model, provider, used = step[1:14]
        tokens = Tokens(*step[14:]) if used else None
        spent = None if cost is None else amount(cost)
        span = Span(parent, kind, tool, began, ended, tokens, spent, model, provider, failed, None, batch)
        before = places.get(span_id)
        if trace.add(span_id, span):
            places[span_id] = n
            if before is not None:
                gone.append(before)
        else:
            gone.append(n)
    return trace, places


def _lay_facts(laid: LaidSpans) -> dict[str, str]:
    """Lay down what spans say of their traces: of each name what is said nearest to the trace; columns by name."""
    said: dict[str, str] = {"name": "called"}
    for attributes, resources in [*laid.shapes, (tuple(laid.attributes), tuple(laid.resources))]:
        for own, names in OWN.items():
            if own not in said and any(n in attributes or n in resources for n in names):
                every = [c for n in names for of in (laid.attributes, laid.resources) if (c := of.get(n))]
                said[own] = f"coalesce({', '.join(every)})"
        said |= {f"attributes.{n}": laid.attributes[n] for n in attributes if n in laid.attributes}
        said |= {f"resource.{n}": laid.resources[n] for n in resources if n in laid.resources}
    columns = {name: f"f{i}" for i, name in enumerate(said)}
    nearest = ", ".join(
        f"arg_min({_short(value)}, near) filter ({_short(value)} is not null) as {columns[name]}"
        for name, value in said.items()
    )
    ask(
        laid.con,
        f"create table facts as select trace, min(n) as first, {nearest} from (select *, {_NEAR} as near from spans) "
        "group by trace",
    )
    counts = ", ".join(f"count({c})" for c in columns.values())
    (filled,) = ask(laid.con, f"select {counts} from facts").fetchall()
    return {name: column for (name, column), n in zip(columns.items(), filled, strict=True) if n}


def _short(value: str) -> str:
    """SQL of a text that may be a key."""
    return f"case when strlen({value}) <= {_LONGEST} or length({value}) <= {_LONGEST} then {value} end"


def _lay_actions(laid: LaidSpans, facts: Mapping[str, str], gone: Sequence[int]) -> Laid:
    """Lay down the rows of calls of tools: what they say of themselves, and what is said of their traces."""
    con = laid.con
    hold_columns(con, "gone", [list(map(str, gone))])
    own = {f"attributes.{n}": c for n, c in laid.attributes.items()}
    own |= {f"resource.{n}": c for n, c in laid.resources.items()}
    cells = [
        f"coalesce({_short(f's.{own[n]}')}, f.{c}) as {quoted(n)}" if n in own else f"f.{c} as {quoted(n)}"
        for n, c in facts.items()
    ]

    calls = (
        "f.trace || ':' || t.id", "f.trace", "t.tool", moment("t.began"), moment("t.ended"),
        "case when t.failed then 'error' else 'ok' end", "format('{:.3f}', (t.ended - t.began) / 1000.0)",
    )  # fmt: skip
    cells += [f"{value} as {name}" for value, name in zip(calls, OWN_OF_CALLS, strict=True)]
    places = ("t.first", f"coalesce(t.began, {_NEVER})", "t.id")
    cells += [f"{value} as {name}" for value, name in zip(places, _ORDER, strict=True)]
    ask(
        con,
        f"create table actions as select {', '.join(cells)} from steps t join spans s using (n) "
        "join facts f on f.first = t.first where t.kind = 'tool' and t.n not in (select c0::bigint from gone)",
    )
    return Laid(con, "actions", (*facts, *OWN_OF_CALLS), ", ".join(_ORDER))
