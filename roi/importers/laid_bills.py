"""What plain traces cost whose spans the engine holds: all of them at once.

Plain is a trace of which calls alone log tokens, all of these in the same span, with nothing in them and with prices at
list; no cost is logged, no call is silent, nothing is in its tools, and no span of it comes twice. What `charges` and
`tables` make of such a trace needs no look at each span. All others go their way.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from roi.importers.laid import LaidSpans, ask
from roi.prices import CURRENCY, Known, OwnPrices, rates_of
from roi.readers.base import Connection, literal
from roi.readers.held import hold_columns

__all__ = ["lay_bills", "moment"]

_UNIT = 10**15  # parts of a dollar in which rates are whole
_BILLIONTH = _UNIT // 10**9
_DAY = 86_400_000_000  # microseconds
_EPOCH = dt.date(1970, 1, 1)
_PARTS = ("(input - read - write)", "read", "(write - hour)", "hour", "output")  # as `Rates` are


def moment(column: str) -> str:
    """SQL of a time as text in UTC."""
    return f"strftime(make_timestamp({column}), '%Y-%m-%dT%H:%M:%S.%f') || 'Z'"


def lay_bills(laid: LaidSpans, own: OwnPrices | None = None) -> None:
    """Lay down the table `bills`: of plain traces `first`, and what is known of them besides what they say.

    Args:
        laid: Spans, whose table `steps` was laid down.
        own: Prices of one's own, by model; what these name is not priced here.
    """
    con = laid.con
    _lay_rates(con, own or {})
    _lay_calls(con)
    _lay_others(con)
    of_traces = (
        "select first, min(began) as began, max(ended) as ended, "
        "count(*) filter (kind = 'tool') as tools, count(*) filter (failed) as errors, "
        "bool_or(cost is not null or (kind = 'call' and not used and not failed)) as is_odd from steps group by first"
    )
    spent = "(cost // 1000000000) || '.' || lpad((cost % 1000000000)::varchar, 9, '0')"
    ask(
        con,
        f"create table bills as select first, trace as trace_id, {moment('began')} as started_at, {moment('ended')} as "
        "ended_at, format('{:.6f}', (ended - began) / 1000000.0) as latency, provider, model, models, "
        "coalesce(calls, 0)::varchar as calls, tools::varchar as tool_calls, errors::varchar as errors, "
        "input::varchar as input_tokens, output::varchar as output_tokens, cache_read::varchar as cache_read_tokens, "
        "cache_write::varchar as cache_write_tokens, cache_write_1h::varchar as cache_write_1h_tokens, "
        f"case when calls is null then '0' else {spent} end as agent_cost, {literal(CURRENCY)} as cost_currency "
        f"from ({of_traces}) join (select first, trace from facts) using (first) left join calls using (first) "
        "where not is_odd and coalesce(is_plain, true) and first not in (from odd)",
    )
    for table in ("rates", "calls", "odd"):
        ask(con, f"drop table {table}")


def _lay_rates(con: Connection, own: OwnPrices) -> None:
    """Lay down what a token costs by model, provider, day and whether it is part of a batch, where that is all."""
    kinds = ask(
        con,
        f"select distinct model, provider, began // {_DAY}, batch from steps where used and model is not null",
    ).fetchall()
    known: dict[int, Known] = {}
    rows: list[list[str | None]] = []
    for model, provider, day, batch in kinds:
        when = None if day is None else _EPOCH + dt.timedelta(days=day)
        rates, below = rates_of(provider, model, when, batch=batch, known=known)
        whole = [_whole(rate) for rate in rates or ()]
        if model not in own and whole and None not in whole:
            rows.append([None if c is None else str(c) for c in (model, provider, day, batch, below, *whole)])
    hold_columns(con, "rates_", [[row[i] for row in rows] for i in range(5 + len(_PARTS))])
    rates_told = ", ".join(f"nullif(c{5 + i}::hugeint, -1) as r{i}" for i in range(len(_PARTS)))
    ask(
        con,
        "create table rates as select c0 as model, c1 as provider, c2::bigint as day, c3::boolean as batch, "
        f"c4::bigint as below, {rates_told} from rates_",
    )
    ask(con, "drop table rates_")


def _whole(rate: Decimal | None) -> int | None:
    """A rate in units, -1 where it is not known; None where it is no whole number of them."""
    if rate is None:
        return -1
    units = rate * _UNIT
    return int(units) if units == units.to_integral_value() else None


def _lay_calls(con: Connection) -> None:
    """Lay down sums over the calls of each trace that log tokens, and whether they are priced and lie side by side."""
    # A rate that is not known does no harm where there is nothing to pay by it.
    total = " + ".join(f"case when {p} = 0 then 0 else {p}::hugeint * r{i} end" for i, p in enumerate(_PARTS))
    sound = " and ".join(f"{part} >= 0" for part in _PARTS)
    # Half of a billionth goes to the even one, as `Decimal.quantize` has it.
    half = f"units % {_BILLIONTH} * 2"
    up = f"{half} > {_BILLIONTH} or ({half} = {_BILLIONTH} and units // {_BILLIONTH} % 2 = 1)"
    counts = ("input", "output", "cache_read", "cache_write", "cache_write_1h")
    priced = (
        f"select c.*, case when {sound} and input < below then {total} end as units from (select *, "
        "coalesce(cache_read, 0) as read, coalesce(cache_write, 0) as write, coalesce(cache_write_1h, 0) as hour "
        "from steps where used) c left join rates on c.model = rates.model and c.batch = rates.batch and "
        f"c.provider is not distinct from rates.provider and c.began // {_DAY} is not distinct from rates.day"
    )
    by_model = (
        f"select first, model, provider, count(*) as calls, sum(units // {_BILLIONTH} + case when {up} then 1 else 0 "
        "end) as cost, bool_and(units is not null and kind = 'call') as is_plain, min(coalesce(parent, '')) as home, "
        f"max(coalesce(parent, '')) as other, {', '.join(f'sum({c}) as {c}' for c in counts)} "
        f"from ({priced}) group by first, model, provider"
    )
    alike = "case when min({0}) = max({0}) then min({0}) end as {0}"
    ask(
        con,
        "create table calls as select first, sum(calls)::bigint as calls, sum(cost) as cost, "
        "bool_and(is_plain) and min(home) = max(other) as is_plain, "
        f"{', '.join(f'sum({c}) as {c}' for c in counts[:-1])}, nullif(sum(cache_write_1h), 0) as cache_write_1h, "
        f"{alike.format('model')}, {alike.format('provider')}, case when min(model) = max(model) then min(model) "
        f"else array_to_string(list_sort(list(distinct model)), ' + ') end as models from ({by_model}) group by first",
    )


def _lay_others(con: Connection) -> None:
    """Lay down which traces are not plain by what lies in what."""
    ask(
        con,
        "create table odd as select distinct c.first from steps c join steps p on c.first = p.first and "
        "c.parent = p.id where p.used or p.kind = 'tool'",
    )
    twice = "select first from steps group by first, id having count(*) > 1"
    ask(con, f"insert into odd select distinct first from ({twice})")
