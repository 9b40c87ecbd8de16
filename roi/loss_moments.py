"""Pilot cases by outcome, cause and evidence of a cause: one query in the engine, joined with the action log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from roi.approvals import agents_of, approvals_of, listed_risk
from roi.blocks import Span, lay_blocks
from roi.moments import Losses, fetch
from roi.readers.base import quoted
from roi.relation import Relation
from roi.spreads import square_sum

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["take_losses"]

Ints = npt.NDArray[np.int64]

MOST_WORKERS = 200  # more of them are bundled by the head of their pseudonym, which is a hash already


def take_losses(
    samples: Samples,
    production: Relation,
    *,
    segments: Sequence[str],
    by_worker: bool,
    high_risk_tools: Sequence[str] = (),
    small: bool = False,
) -> Losses:
    """Count pilot cases with a usable outcome.

    Args:
        samples: The opened samples; the `actions` table is read, if there is one.
        production: Production cases with the columns `counts_`, `human_`, `segment_` and `unit_`.
        segments: The moments' segments.
        by_worker: Whether `unit_` is the worker, so that cases of one are not independent.
        high_risk_tools: Tools that the policy calls high-risk.
        small: Whether it is known that no `human_` is beyond 999.

    Returns:
        The counts; rows and workers are numbered by what they hold.
    """
    present = production.columns
    pilot = production.where(f"{production.says('arm', 'pilot')} and counts_")
    priced = "agent_cost" in present
    one = priced and len(_currencies(samples, pilot)) == 1
    unit = "unit_" if by_worker else "null::varchar"
    if by_worker:
        workers = fetch(samples, f"select count(distinct unit_) from {pilot.sql}")[0][0]
        unit = "unit_" if int(workers) <= MOST_WORKERS else "substr(unit_, 3, 2)"
    # What was asked so far is of the cases alone; the log is gone through once.
    pilot = _with_actions(samples, pilot, high_risk_tools).having(
        cause_="cause" if "cause" in present else "null::varchar",
        second_="cause_2" if "cause_2" in present else "null::varchar",
        defective_="input_defects > 0" if "input_defects" in present else "null::boolean",
        unused_="used = 'no'" if "used" in present else "null::boolean",
    )
    keys = ["outcome", "cause_", "second_", "defective_", "failed_", "unapproved_", "unused_", "segment_"]
    square = square_sum("human_", small=small) if samples.coded else "sum(human_ * human_::decimal(19,6))"
    sums = {
        "n": "count(*)",
        "minutes": "sum(human_)",
        "minutes2": square,
        "timed": "count(human_)",
        "costed": "count(agent_cost)" if priced else "0",
        "cost": "sum(agent_cost)" if one else "null::double",
    }
    if by_worker and samples.coded:
        # A name is cut once for all of a worker's cases that are alike, and not for each case.
        alike = [*keys, "unit_"]
        pilot = Relation(f"({pilot.grouped(alike, sums)})", (*alike, *sums))
        sums = {name: f"sum({name})" for name in sums}
    pilot = pilot.having(worker_=unit)
    aggregates = sums | {name: f"({sums[name]})::double" for name in ("minutes", "minutes2", "cost")}
    rows = fetch(samples, pilot.grouped([*keys, "worker_"], aggregates))
    workers_of = _numbered([row[8] for row in rows], [(*row[:8], *row[9:]) for row in rows])
    rows = sorted(
        ((*row[:8], number, *row[9:]) for row, number in zip(rows, workers_of, strict=True)), key=_sortable
    )
    at = {name: i for i, name in enumerate(segments)}

    def flags(column: int) -> Ints:
        return np.array([-1 if row[column] is None else int(row[column]) for row in rows], dtype=np.int64)

    return Losses(
        outcome=tuple(row[0] for row in rows),
        cause=tuple(row[1] for row in rows),
        second=tuple(row[2] for row in rows),
        defective=tuple(None if row[3] is None else bool(row[3]) for row in rows),
        failed=flags(4),
        unapproved=flags(5),
        unused=flags(6),
        segment=np.array([at[str(row[7])] for row in rows], dtype=np.int64),
        worker=np.array([row[8] for row in rows], dtype=np.int64),
        n=np.array([row[9] for row in rows], dtype=np.int64),
        minutes=np.array([row[10] or 0.0 for row in rows], dtype=np.float64),
        minutes2=np.array([row[11] or 0.0 for row in rows], dtype=np.float64),
        timed=np.array([row[12] for row in rows], dtype=np.int64),
        costed=np.array([row[13] for row in rows], dtype=np.int64),
        cost=np.array([row[14] or 0.0 for row in rows], dtype=np.float64) if one else None,
        segments=tuple(segments),
    )


def _sortable(row: Sequence[Any]) -> tuple[tuple[bool, Any], ...]:
    return tuple((x is not None, 0 if x is None else x) for x in row)


def _numbered(workers: Sequence[str | None], rows: Sequence[tuple[Any, ...]]) -> list[int]:
    """A number for each row's worker that follows from what a worker's rows hold, not from a name; -1 for none."""
    held: dict[str, list[Any]] = defaultdict(list)
    for worker, row in zip(workers, rows, strict=True):
        if worker is not None:
            held[worker].append(_sortable(row))
    order = sorted(held, key=lambda w: sorted(held[w]))
    number = {worker: i for i, worker in enumerate(order)}
    return [-1 if w is None else number[w] for w in workers]


def _with_actions(samples: Samples, pilot: Relation, high_risk_tools: Sequence[str]) -> Relation:
    """The cases with `failed_` and `unapproved_`, null where no action is logged."""
    actions = None if samples.apart else samples.tables.get("actions")
    if actions is None:
        return pilot.having(failed_="null::boolean", unapproved_="null::boolean")
    columns = actions.columns
    status = "status" in columns
    failed = actions.says("status", "error", "denied") if status else "false"
    tools = listed_risk(partial(fetch, samples), actions)
    rule = approvals_of(actions, high_risk_tools, agents=agents_of(samples.tables), tools=tools)
    missed = undecided = "false"
    if rule is not None:
        improper = f"not coalesce({rule.proper}, false)"
        # Who approved is asked of few: to hold names of two columns against each other makes texts of their codes.
        missed = f"case when {rule.risky} then {improper} else false end"
        undecided = f"case when {rule.undecided} then {improper} else false end"
    silent = "status is null" if status else "false"
    told = {"f": f"coalesce({failed}, false)", "m": missed, "u": undecided}
    span = samples.spans.get("cases")
    # An end that is not logged says nothing at all, and its case is asked whether another one of its actions does.
    says = "true"
    if status and fetch(samples, f"select 1 from {actions.sql} where {silent} limit 1"):
        ended = f"select case_id from {actions.sql} where case_id is not null and status is not null"
        says = f"(not coalesce(s, false) or case_id in ({ended}))"
        if span is not None:
            says, told = "e", told | {"e": "status is not null"}
    if span is not None:
        beside = _as_bits(samples, actions, pilot, span, told)
    else:
        beside = _grouped(actions, pilot, told | {"s": silent})
    # Where nobody can say how risky an unapproved action was, nothing is known of its case.
    unapproved = "case when m then true when not coalesce(u, false) then false end"
    added = {
        "failed_": f"case when worked_ and {says} then coalesce(f, false) end" if status else "null::boolean",
        "unapproved_": f"case when worked_ then {unapproved} end" if rule is not None else "null::boolean",
    }
    listed = ", ".join(f"{sql} as {name}" for name, sql in added.items())
    joined = f"(select {', '.join(map(quoted, pilot.columns))}, {listed} from {beside})"
    return Relation(joined, (*pilot.columns, *added))


def _grouped(actions: Relation, pilot: Relation, told: Mapping[str, str]) -> str:
    """The cases with `worked_`, whether they have an action, and whether one of these tells what is asked.

    Most actions say nothing but that their case has some: the others alone are grouped by case.
    """
    rows = ", ".join(f"{sql} as {name}" for name, sql in told.items())
    any_of = ", ".join(f"bool_or({name}) as {name}" for name in told)
    seen = (
        f"select case_id as case_, {any_of} from (select case_id, {rows} from {actions.sql}) "
        f"where {' or '.join(told)} group by case_id"
    )
    worked = f"case_id in (select case_id from {actions.sql} where case_id is not null)"
    return f"(select *, {worked} as worked_ from {pilot.sql}) p left join ({seen}) e on p.case_id = e.case_"


def _as_bits(
    samples: Samples, actions: Relation, pilot: Relation, span: Span, told: Mapping[str, str]
) -> str:
    """The same of cases whose keys have room for bits of what their actions tell."""
    rows = ", ".join(f"{sql} as {name}" for name, sql in told.items())
    of_cases = f"(select case_id, {rows} from {actions.sql} where {span.holds('case_id')})"
    marks = {"worked_": None, **{name: name for name in told}}
    alike = tuple(told) if span.takes(2 ** len(told)) else ()
    bits = lay_blocks(samples.con, "losses_in_bits", of_cases, "case_id", marks, alike=alike)
    listed = ", ".join(f"{bits.has(name, 'case_id')} as {name}" for name in ("worked_", *told))
    rows = bits.beside(f"(from {pilot.sql}) p", "case_id")
    return f"(select p.*, {listed} from {rows})"


def _currencies(samples: Samples, pilot: Relation) -> list[tuple[Any, ...]]:
    if "cost_currency" not in pilot.columns:
        return [("",)]
    return fetch(samples, f"select distinct cost_currency from {pilot.sql} where agent_cost is not null")
