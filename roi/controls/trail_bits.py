"""How the times of actions lie to those of their cases, as bits of the cases' keys: one pass over a large log.

It tells what `roi.controls.trail_times` asks of each case; where there is no room for bits, the log is grouped by case.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from roi.acted import at_of, is_laid, shares_of
from roi.acted_bits import ActedBits, acted_bits
from roi.blocks import NO_BITS, Blocks, bits_of, block_of
from roi.controls.logs import Logs
from roi.periods import local_day
from roi.readers.base import literal
from roi.relation import Relation

__all__ = ["TOLERANCE_SECONDS", "heard_in_bits", "hour", "in_step_in_bits"]

TOLERANCE_SECONDS = 120
"""Times that people enter are rounded; no clock is called wrong for less."""

DAY = 86_400_000_000  # in microseconds
LAID = "timed_in_bits"


def hour(column: str, timezone: str | None, where: str = "") -> str:
    """SQL of a time; none at midnight, which is a day, nor where a condition does not hold that ends with and."""
    zone = timezone or "UTC"
    local = column if zone == "UTC" else f"timezone({literal(zone)}, timezone('UTC', {column}))"
    return f"case when {where}epoch_us({local}) % {DAY} <> 0 then {column} end"


def in_step_in_bits(
    logs: Logs, actions: Relation, held: Sequence[str], ordered: bool
) -> tuple[dict[str | None, list[int]], str] | None:
    """Of each system, cases by kind that can be told and those out of order (none), of cases that are surely in order.

    And a condition on `case_id` of the other cases, empty where there are none.
    """
    bits, cases = _timed(logs, actions), logs.table("cases")
    if bits is None or cases is None:
        return None
    odd = [bit for bit, c in (("early_", "started_at"), ("late_", "ended_at")) if c in held]
    odd += ["apart_"] if ordered else []
    off = f"({' | '.join(odd) or NO_BITS})"
    told = [f"ran_{k} & {bit} & ~{off}" for k in range(len(bits.systems)) for bit in ("begun_", "ended_")]
    n, *counts = bits.count(logs.samples, off, *told)
    found = {system: [counts[2 * k], 0, counts[2 * k + 1], 0, 0, 0] for k, system in enumerate(bits.systems)}
    some = " or ".join(bits.blocks.has(bit, "case_id") for bit in odd)
    rows = bits.blocks.beside(cases.sql, "case_id")
    return found, f"case_id in (select case_id from {rows} where {some})" if n else ""


def heard_in_bits(logs: Logs, actions: Relation, begun: str) -> list[tuple[dt.date, int, int]] | None:
    """Of each day on which cases began, in order, these, and those of them that left no action on it.

    Args:
        logs: What is read.
        actions: The log of actions.
        begun: The pilot's cases that say when they began, with that day as `day_`.
    """
    bits = _timed(logs, actions)
    if bits is None:
        return None
    silent = f"not {bits.blocks.has('heard_', 'case_id')}"
    rows = bits.blocks.beside(begun, "case_id")
    by_day = f"select day_, count(*), count(*) filter ({silent}) from {rows} group by 1 order by 1"
    return [(day, int(n), int(unheard)) for day, n, unheard in logs.ask(by_day)]


def _timed(logs: Logs, actions: Relation) -> ActedBits | None:
    """The bits of what acted, and of the pilot's cases among it `begun_` and `ended_` (it is known at which hour),
    `early_` (an action ran before it began), `late_` (one that ran was asked for after it ended) and `heard_` (one was
    on the day on which it began)."""
    acts, cases = acted_bits(logs.samples, actions), logs.table("cases")
    if acts is None or cases is None:
        return None
    timed = replace(acts, blocks=Blocks(LAID, {}, {}))
    samples, con = logs.samples, logs.samples.con
    if is_laid(samples, LAID):
        return timed
    start, end = (
        hour(c, logs.timezone) if c in cases.columns else "null::timestamp"
        for c in ("started_at", "ended_at")
    )
    zone, at = logs.timezone or "UTC", at_of(actions.columns) or "null::timestamp"
    day = local_day("started_at", zone) if "started_at" in cases.columns else "null::date"
    ran = "executed_at" if "executed_at" in actions.columns else "null::timestamp"
    asked = f"coalesce(requested_at, {ran})" if "requested_at" in actions.columns else ran
    slack = TOLERANCE_SECONDS * 1_000_000
    told = {
        "begun_": "start_ is not null",
        "ended_": "end_ is not null",
        "early_": f"epoch_us({at}) < epoch_us(start_) - {slack}",
        "late_": f"{ran} is not null and epoch_us({asked}) > epoch_us(end_) + {slack}",
        "heard_": f"{local_day(at, zone)} = day_",
    }
    rows = "".join(f", {sql} as {name}" for name, sql in told.items())
    bits = "".join(f", {bits_of('case_id')} filter ({name}) as {name}" for name in told)
    part = f"{LAID}_part"
    for i, some in enumerate(shares_of(samples)):
        pilot = f"{some}{' and' if some else ' where'} {cases.says('arm', 'pilot')}"
        of = f"(select case_id, {start} as start_, {end} as end_, {day} as day_ from {cases.sql}{pilot})"
        beside = (
            f"select a.case_id{rows} from (from {actions.sql}{some}) a join {of} c on a.case_id = c.case_id"
        )
        share = f"select {block_of('case_id')} as block_{bits} from ({beside}) group by 1"
        con.execute(f"insert into {part} {share}" if i else f"create or replace temp table {part} as {share}")
    # Two shares may have a part of one block each.
    whole = "".join(f", coalesce(bit_or({name}), {NO_BITS}) as {name}" for name in told)
    none = "".join(f", coalesce({name}, {NO_BITS}) as {name}" for name in told)
    con.execute(
        f"create or replace temp table {LAID} as select a.*{none} from {acts.blocks.name} a left join "
        f"(select block_{whole} from {part} group by 1) using (block_); drop table {part}"
    )
    return timed
