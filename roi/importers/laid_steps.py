"""What each span that the engine holds is, and what it used: the cells that tell what counts and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from roi.importers.attribute_names import COSTS, MODELS, PROVIDERS, TELL, TIERS, TOKENS, TOOLS
from roi.importers.attributes import kind_of
from roi.importers.charges import model_of
from roi.importers.laid import WHITE, LaidSpans, ask
from roi.importers.spans import provider_of
from roi.readers.base import literal
from roi.readers.held import hold_columns

__all__ = ["lay_steps"]

_NAMES_A_TOOL = "gen_ai.tool.name"


def lay_steps(laid: LaidSpans) -> None:
    """Lay down the table `steps`.

    Its columns: `first` (the place of the first span of the trace), `n`, `id`, `parent`, `kind`, `tool`,
    `began`, `ended`, `failed`, `batch`, `cost` (as logged), `model`, `provider`, `used` (whether tokens are logged),
    and the tokens as `Tokens` has them.

    Args:
        laid: Spans, whose table `facts` was laid down.
    """
    at = laid.attributes

    def of(names: Iterable[str]) -> str:
        """The first of some attributes that says anything."""
        return f"coalesce({', '.join([*(at[n] for n in names if n in at), 'null::varchar'])})"

    def flag(names: Sequence[str]) -> str:
        return f"case when {of(names)} is not null then 'x' end"

    tell = [n for n in TELL if n in at and n != _NAMES_A_TOOL]
    # As `tool_of` has it; looked up it would be for each of as many names as there may be spans.
    called = (
        f"nullif(trim(regexp_replace(called, '^(execute_tool )?(tools/call )?', ''), {literal(WHITE)}), '')"
    )
    tool = f"coalesce({', '.join([*(at[n] for n in TOOLS if n in at), called])})"
    tool = f"case when kinds.found = 'tool' then {tool} end"

    def kind(cells: Sequence[Any]) -> str:
        names = (*tell, _NAMES_A_TOOL, MODELS[0])
        return kind_of({n: c for n, c in zip(names, cells, strict=True) if c is not None})

    def provider(cells: Sequence[Any]) -> str | None:
        return next((p for name in cells if (p := provider_of(name))), None)

    joins = [
        _look_up(laid, "kinds", [*(at[n] for n in tell), flag([_NAMES_A_TOOL]), flag(MODELS)], kind),
        _look_up(laid, "models", [of(MODELS)], lambda cells: model_of(cells[0])),
        _look_up(laid, "providers", [*(at[n] for n in PROVIDERS if n in at), "null::varchar"], provider),
    ]
    batch = " or ".join(f"coalesce({at[n]} = 'batch', false)" for n in TIERS if n in at) or "false"
    tokens = ", ".join(f"{of(names)}::bigint as {name}_" for name, names in TOKENS.items())
    read = (
        f"select f.first, s.n, s.id, s.parent, kinds.found as kind, {tool} as tool, s.began, s.ended, "
        f"s.failed, {batch} as batch, {of(COSTS)} as cost, models.found as model, providers.found as provider, "
        f"case when {of(['ai.usage.tokens'])} is not null then 0 end as embedded, {tokens} "
        f"from spans s join facts f using (trace) {' '.join(joins)}"
    )
    written = (
        "case when cache_write_ is null and cache_write_1h_ > 0 then cache_write_1h_ else cache_write_ end"
    )
    said = f"select *, coalesce(output_, embedded) as output, {written} as cache_write from ({read})"
    summed = f"select *, coalesce(cache_read_, 0) + coalesce(cache_write, 0) as cached from ({said})"
    # Cached tokens are told beside those that were sent by some, and as a part of them by others.
    apart = "cached > input_ or (cached > 0 and total_ = input_ + coalesce(output, 0) + cached)"
    ask(
        laid.con,
        "create table steps as select first, n, id, parent, kind, tool, "
        "began, ended, failed, batch, cost, model, provider, coalesce(input_, output) is not null or cached > 0 "
        f"as used, input_ + case when {apart} then cached else 0 end as input, cache_read_ as cache_read, cache_write, "
        f"output, cache_write_1h_ as cache_write_1h from ({summed})",
    )


def _look_up(
    laid: LaidSpans, table: str, values: Sequence[str], find: Callable[[Sequence[Any]], str | None]
) -> str:
    """Find out something of spans once for all that have the same values; SQL that joins it to them, as `found`."""
    rows = ask(laid.con, f"select distinct {', '.join(values)} from spans").fetchall()
    columns = [list(column) for column in zip(*rows, strict=True)]
    hold_columns(laid.con, f"{table}_", [*columns, [find(row) for row in rows]])
    listed = ", ".join(f"c{i} as {table}{i}" for i in range(len(values)))
    same = " and ".join(f"{value} is not distinct from {table}.{table}{i}" for i, value in enumerate(values))
    return f"left join (select {listed}, c{len(values)} as found from {table}_) {table} on {same}"
