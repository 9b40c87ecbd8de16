"""The two tables of traces whose spans the engine holds: what spans say of traces and calls is put together there.

What counts and what it costs is found as everywhere (`tables`): for that a few cells of each span go through Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from roi.importers.attributes import (
    COSTS,
    MODELS,
    OWN,
    PROVIDERS,
    TELL,
    TIERS,
    TOKENS,
    TOOLS,
    kind_of,
    tokens_as,
    tool_of,
)
from roi.importers.export import Export
from roi.importers.laid import Laid, LaidSpans
from roi.importers.spans import Span, Trace, amount, provider_of
from roi.importers.tables import OWN as OWN_CELLS
from roi.importers.tables import OWN_OF_CALLS, Made
from roi.prices import OwnPrices
from roi.readers.base import Connection, literal, quoted
from roi.readers.held import hold_columns

__all__ = ["export_laid"]

_AT_ONCE = 4000
_LONGEST = 200  # characters: longer texts are no keys of cases
_NEVER = 1 << 62
_NAMES_A_TOOL = "gen_ai.tool.name"
_ORDER = ("_first", "_began", "_id")


def export_laid(laid: LaidSpans, own: OwnPrices | None = None) -> Export:
    """The tables of spans that were laid down.

    Args:
        laid: They.
        own: Prices of one's own, by model.
    """
    con = laid.con
    facts = _lay_facts(laid)
    _lay_kinds(laid)
    _lay_steps(laid)
    ((calls,),) = con.execute(
        "select bool_or(kind = 'call' or coalesce(input, output) is not null or spent <> 0) from (select *, "
        "coalesce(cache_read, 0) + coalesce(cache_write, cache_write_1h, 0) + coalesce(try_cast(cost as double), 0) as spent "
        "from steps)"
    ).fetchall()
    made = Made(own)
    names = (*facts, *OWN_CELLS)
    gone: list[int] = []
    said = _rows(con, f"select first, {', '.join(facts.values())} from facts order by first")
    steps = groupby(_rows(con, "select * from steps order by first, n"), key=itemgetter(0))
    for (first, theirs), (_, *texts) in zip(steps, said, strict=True):
        trace_id, trace, places = _trace(first, theirs, gone)
        counted = made.count(trace_id, trace, blind=not calls)
        if counted is not None:
            cells, nested = counted
            made.rows.add_cells(first, names, (*texts, *cells))
            gone += [places[key] for key in nested]
    return made.export(_actions(laid, list(facts), facts, gone), list(facts))


def _rows(con: Connection, query: str) -> Iterator[Sequence[Any]]:
    rows = con.cursor().execute(query)
    while some := rows.fetchmany(_AT_ONCE):
        yield from some


def _trace(
    first: int, steps: Iterable[Sequence[Any]], gone: list[int]
) -> tuple[str, Trace, dict[str, int]]:
    """A trace, its name, and the places of its spans; those of spans that came twice are gone."""
    trace = Trace(first)
    trace_id = ""
    places: dict[str, int] = {}
    for (
        _, trace_id, n, span_id, parent, kind, tool, began, ended, failed, batch, cost, model, embedded, *rest
    ) in steps:  # fmt: skip
        numbers = rest[: len(TOKENS)]
        if embedded and numbers[1] is None:
            numbers[1] = 0
        tokens = tokens_as(numbers)
        provider = next((p for name in rest[len(TOKENS) :] if (p := provider_of(name))), None)
        spent = None if cost is None else amount(cost)
        span = Span(parent, kind, tool, began, ended, tokens, spent, model, provider, failed, None, batch)
        before = places.get(span_id)
        if trace.add(span_id, span):
            if before is not None:
                gone.append(before)
            places[span_id] = n
        else:
            gone.append(n)
    return trace_id, trace, places


def _lay_facts(laid: LaidSpans) -> dict[str, str]:
    """Lay down what spans say of their traces: of each name what is said nearest to the trace; columns by name."""
    said: dict[str, str] = {"name": "called"}
    for attributes, resources in [*laid.shapes, (tuple(laid.attributes), tuple(laid.resources))]:
        for own, names in OWN.items():
            if any(n in attributes or n in resources for n in names):
                every = [c for n in names for of in (laid.attributes, laid.resources) if (c := of.get(n))]
                said[own] = f"coalesce({', '.join(every)})"
        said |= {f"attributes.{n}": laid.attributes[n] for n in attributes if n in laid.attributes}
        said |= {f"resource.{n}": laid.resources[n] for n in resources if n in laid.resources}
    columns = {name: f"f{i}" for i, name in enumerate(said)}
    key = "row(parent is not null, coalesce(began, 0), n)"
    nearest = ", ".join(
        f"arg_min({_short(value)}, {key}) filter ({_short(value)} is not null) as {columns[name]}"
        for name, value in said.items()
    )
    laid.con.execute(
        f"create table facts as select trace, min(n) as first, {nearest} from spans group by trace"
    )
    counts = ", ".join(f"count({c})" for c in columns.values())
    (filled,) = laid.con.execute(f"select {counts} from facts").fetchall()
    return {name: column for (name, column), n in zip(columns.items(), filled, strict=True) if n}


def _short(value: str) -> str:
    """SQL of a text that may be a key."""
    return f"case when strlen({value}) <= {_LONGEST} or length({value}) <= {_LONGEST} then {value} end"


def _lay_kinds(laid: LaidSpans) -> None:
    """Lay down which spans are calls, by what tells."""
    tell = {n: laid.attributes[n] for n in TELL if n in laid.attributes and n != _NAMES_A_TOOL}
    given = list(tell.values())
    for names in ((_NAMES_A_TOOL,), MODELS):
        there = [laid.attributes[n] for n in names if n in laid.attributes]
        given.append(f"case when coalesce({', '.join([*there, 'null'])}) is not null then 'x' end")
    found = laid.con.execute(f"select distinct {', '.join(given)} from spans").fetchall()
    keys = (*tell, _NAMES_A_TOOL, MODELS[0])
    kinds = [kind_of({k: v for k, v in zip(keys, row, strict=True) if v is not None}) for row in found]
    hold_columns(laid.con, "kinds", [*_by_column(found), kinds])
    same = " and ".join(f"{value} is not distinct from c{i}" for i, value in enumerate(given))
    laid.con.execute(
        f"create table kind_of as select n, c{len(given)} as kind from spans join kinds on {same}"
    )


def _by_column(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _lay_steps(laid: LaidSpans) -> None:
    """Lay down the cells of spans that tell what counts and what it costs."""
    at = laid.attributes
    named = [n for n in TOOLS if n in at]
    given = [*(at[n] for n in named), "called"]
    tools = laid.con.execute(
        f"select distinct {', '.join(given)} from spans join kind_of using (n) where kind = 'tool'"
    ).fetchall()
    called = [tool_of(dict(zip(named, row, strict=False)), row[-1]) for row in tools]
    hold_columns(laid.con, "tools", [*(_by_column(tools) or [[]] * len(given)), called])
    same = " and ".join(f"{value} is not distinct from c{i}" for i, value in enumerate(given))

    def first_of(names: Iterable[str], kind: str = "varchar") -> str:
        there = [at[n] for n in names if n in at]
        return f"coalesce({', '.join([*there, 'null'])})::{kind}"

    tokens = ", ".join(f"{first_of(names, 'bigint')} as {kind}" for kind, names in TOKENS.items())
    batch = " or ".join(f"coalesce({at[n]} = 'batch', false)" for n in TIERS if n in at) or "false"
    providers = "".join(f", {at[n]} as p{i}" for i, n in enumerate(PROVIDERS) if n in at)
    laid.con.execute(
        "create table steps as select f.first, trace, s.n, s.id, s.parent, kind, "
        f"case when kind = 'tool' then t.c{len(given)} end as tool, s.began, s.ended, s.failed, {batch} as batch, "
        f"{first_of(COSTS)} as cost, {first_of(MODELS)} as model, {first_of(['ai.usage.tokens'])} is not null as embedded, "
        f"{tokens}{providers} from spans s join facts f using (trace) join kind_of using (n) "
        f"left join tools t on kind = 'tool' and {same}"
    )


def _actions(laid: LaidSpans, names: Sequence[str], facts: dict[str, str], gone: Sequence[int]) -> Laid:
    """The rows of calls of tools: what they say of themselves, and what is said of their traces."""
    con = laid.con
    hold_columns(con, "gone", [list(map(str, gone))])
    own = {f"attributes.{n}": c for n, c in laid.attributes.items()}
    own |= {f"resource.{n}": c for n, c in laid.resources.items()}
    cells = [
        f"coalesce({_short(f's.{own[n]}')}, f.{c}) as {quoted(n)}" if n in own else f"f.{c} as {quoted(n)}"
        for n, c in facts.items()
    ]

    def moment(column: str) -> str:
        return f"strftime(make_timestamp(t.{column}), '%Y-%m-%dT%H:%M:%S.%f') || 'Z'"

    calls = (
        "t.trace || ':' || t.id", "t.trace", "t.tool", moment("began"), moment("ended"),
        "case when t.failed then 'error' else 'ok' end", "format('{:.3f}', (t.ended - t.began) / 1000.0)",
    )  # fmt: skip
    cells += [f"{value} as {name}" for value, name in zip(calls, OWN_OF_CALLS, strict=True)]
    order = ", ".join(
        f"{value} as {name}"
        for value, name in zip(("t.first", f"coalesce(t.began, {_NEVER})", "t.id"), _ORDER, strict=True)
    )
    con.execute(
        f"create table actions as select {', '.join(cells)}, {order} from steps t join spans s using (n) "
        "join facts f on f.trace = t.trace where t.kind = 'tool' and t.n not in (select c0::bigint from gone)"
    )
    return Laid(con, "actions", (*names, *OWN_OF_CALLS), ", ".join(_ORDER))
