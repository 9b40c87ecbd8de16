"""What plain traces cost whose spans the engine holds: all of them at once.

Plain is a trace whose calls alone log tokens, one step below the same span, none of them a cost, with nothing in them
and with prices at list; nothing is in its tools, and no span of it comes twice. What `charges` and `tables` make of such
a trace needs no look at each span. All others go their way.
"""

from __future__ import annotations

import datetime as dt

from roi.importers.laid import LaidSpans, ask
from roi.prices import CURRENCY, Known, OwnPrices, rates_of
from roi.readers.base import literal
from roi.readers.held import hold_columns

__all__ = ["lay_bills"]

_UNIT = 10**15  # parts of a dollar in which rates are whole
_DAY = 86_400_000_000  # microseconds
_EPOCH = dt.date(1970, 1, 1)
_PARTS = ("input - read - write", "read", "write - hour", "hour", "output")  # as `Rates` are


def lay_bills(laid: LaidSpans, own: OwnPrices | None = None) -> None:
    """Lay down the table `bills`: what is known of plain traces besides what they say (the cells of `OWN`), and `first`.

    Args:
        laid: Spans, whose table `steps` was laid down.
        own: Prices of one's own, by model; what it names is not priced here.
    """
    con = laid.con
    _lay_rates(laid, own or {})
    counts = (
        "select *, coalesce(cache_read, 0) as read, coalesce(cache_write, 0) as write, "
        "coalesce(cache_write_1h, 0) as hour from steps where used"
    )
    parts = [f"({part})" for part in _PARTS]
    # A rate that is not known does no harm where there is nothing to pay by it.
    total = " + ".join(f"case when {p} = 0 then 0 else {p}::hugeint * r{i} end" for i, p in enumerate(parts))
    some = " and ".join(f"{part} >= 0" for part in parts)
    # Half of a billionth goes to the even one, as `Decimal.quantize` has it.
    step = _UNIT // 10**9
    even = f"(t // {step} + case when t % {step} * 2 > {step} or (t % {step} * 2 = {step} and t // {step} % 2 = 1) then 1 else 0 end)"
    ask(
        con,
        f"create table priced as select first, model, provider, count(*) as calls, sum({even}) as cost, "
        "bool_and(t is not null and kind = 'call') as known, min(coalesce(parent, '')) as home, max(coalesce(parent, '')) as other, "
        "sum(input) as input, sum(output) as output, sum(cache_read) as cache_read, sum(cache_write) as cache_write, "
        "sum(cache_write_1h) as cache_write_1h "
        f"from (select c.*, case when {some} and input < below then {total} end as t from ({counts}) c "
        "left join rates on c.model = rates.model and c.provider is not distinct from rates.provider and "
        f"c.began // {_DAY} is not distinct from rates.day and c.batch = rates.batch) group by first, model, provider",
    )
    ask(
        con,
        "create table calls as select first, sum(calls)::bigint as calls, sum(cost) as cost, "
        "bool_and(known) and min(home) = max(other) as known, min(home) as home, "
        "sum(input) as input_tokens, sum(output) as output_tokens, sum(cache_read) as cache_read_tokens, "
        "sum(cache_write) as cache_write_tokens, nullif(sum(cache_write_1h), 0) as cache_write_1h_tokens, "
        "case when min(model) = max(model) then min(model) end as model, "
        "case when min(provider) = max(provider) then min(provider) end as provider, "
        "case when min(model) = max(model) then min(model) else array_to_string(list_sort(list(distinct model)), ' + ') end as models "
        "from priced group by first",
    )
    ask(con, "drop table priced")
    # What lies in what: nothing in a call that logs tokens, nothing in a tool.
    ask(
        con,
        "create table filled as select distinct c.first from steps c join steps p on c.first = p.first and c.parent = p.id "
        "where p.used or p.kind = 'tool'",
    )
    ask(
        con,
        "create table twice as select distinct first from (select first from steps group by first, id having count(*) > 1)",
    )
    # Where calls lie in a ring of spans, it is cut somewhere.
    ask(
        con,
        "create table deep as select c.first from calls c join steps h on c.first = h.first and c.home = h.id "
        "join steps a on h.first = a.first and h.parent = a.id "
        "join steps b on a.first = b.first and a.parent = b.id",
    )
    ask(
        con,
        "create table bills as select first, trace as trace_id, strftime(make_timestamp(began), '%Y-%m-%dT%H:%M:%S.%f') || 'Z' as started_at, "
        "strftime(make_timestamp(ended), '%Y-%m-%dT%H:%M:%S.%f') || 'Z' as ended_at, "
        "format('{:.6f}', (ended - began) / 1000000.0) as latency, "
        "provider, model, models, coalesce(calls, 0)::varchar as calls, tools::varchar as tool_calls, "
        "errors::varchar as errors, input_tokens::varchar as input_tokens, output_tokens::varchar as output_tokens, "
        "cache_read_tokens::varchar as cache_read_tokens, cache_write_tokens::varchar as cache_write_tokens, "
        "cache_write_1h_tokens::varchar as cache_write_1h_tokens, "
        "case when calls is null then '0' else (cost // 1000000000) || '.' || lpad((cost % 1000000000)::varchar, 9, '0') end as agent_cost, "
        f"{literal(CURRENCY)} as cost_currency from (select first, any_value(trace) as trace, min(began) as began, "
        "max(ended) as ended, count(*) filter (kind = 'tool') as tools, count(*) filter (failed) as errors, "
        "bool_or(cost is not null or (kind = 'call' and not used and not failed)) as is_odd from steps group by first) t "
        "left join calls c using (first) where not is_odd and coalesce(known, true) "
        "and first not in (from filled) and first not in (from deep) and first not in (from twice)",
    )
    for table in ("calls", "filled", "deep", "twice"):
        ask(con, f"drop table {table}")


def _lay_rates(laid: LaidSpans, own: OwnPrices) -> None:
    """Lay down what a token costs, by model, provider, day and whether it is part of a batch, where that is all there is to it."""
    con = laid.con
    kinds = ask(
        con,
        f"select distinct model, provider, began // {_DAY}, batch from steps where used and model is not null",
    ).fetchall()
    rows: list[tuple[str | None, ...]] = []
    known: dict[int, Known] = {}
    for model, provider, day, batch in kinds:
        if model in own:
            continue
        when = None if day is None else _EPOCH + dt.timedelta(days=day)
        rates, below = rates_of(provider, model, when, batch=batch, known=known)
        whole = [] if rates is None else [None if r is None else r * _UNIT for r in rates]
        if whole and all(r is None or r == r.to_integral_value() for r in whole):
            told = (model, provider, day, batch, below, *(None if r is None else int(r) for r in whole))
            rows.append(tuple(None if cell is None else str(cell) for cell in told))
    hold_columns(con, "rates_", [[row[i] for row in rows] for i in range(10)])
    ask(
        con,
        "create table rates as select c0 as model, c1 as provider, c2::bigint as day, c3::boolean as batch, c4::bigint as below, "
        + ", ".join(f"c{5 + i}::hugeint as r{i}" for i in range(5))
        + " from rates_",
    )
