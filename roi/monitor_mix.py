"""Whether what comes in is still what the decision rested on: kinds of cases, and the state of their inputs.

A share that is larger than the decision had it is tested as any rate is, but a day has four units at most, so that
kinds of cases may come in bursts, on Mondays say: no day wins much (which is slower where cases are many). A
kind of case that becomes rarer shows in the others. Of a number known before the work, the quarters of the decision's
cases are the kinds.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from roi.again import decide_again
from roi.analysis import Analysis, Decided
from roi.input_quality import ANY
from roi.moments import fetch
from roi.monitor_basis import Basis
from roi.monitor_columns import DEFECTS
from roi.monitor_days import Counted, Stream, fresh_cases
from roi.monitor_tests import Asked
from roi.plan_at import plan_put_forward
from roi.readers.base import quoted
from roi.special import betaincinv
from roi.words import number

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["NUMBERS", "Drift", "input_questions", "mix_questions", "share_question", "worth_under"]

OFF = 0.001  # the chance that a share which was counted lies beyond what it is held against
LEAST = 0.002  # of the cases: a share below it is no drift that matters
BUNDLES = 4  # of a day's cases, each a unit
FEWEST = 40  # cases of the decision, before quarters of a number are told apart
NUMBERS = ("predicted_minutes", "amount")
MOST_FIELDS = 40

Drift = tuple[list[Asked], dict[str, Counted]]


def share_question(measure: str, name: str, share: float, cases: float | None, part: float) -> Asked:
    """A question about a share: is it larger than where it was counted?

    Args:
        measure: "segment", or "inputs:" and what of them.
        name: Which share.
        share: Of the cases that the decision rested on.
        cases: How many these were; None where the share is stated as exact.
        part: Of the part of its measure, in (0, 1].
    """
    far = share
    if cases is not None:
        far = float(betaincinv(share * cases + 0.5, (1 - share) * cases + 0.5, 1 - OFF))
    return Asked(
        kind="drift",
        measure=measure,
        segment=name,
        alpha=part,
        limit=min(max(far, LEAST), 0.999),
        by_segment={},
        expected=share,
        why="the share that the decision rested on"
        + ("" if cases is None else ", and what counting it leaves open"),
    )


def mix_questions(basis: Basis, stream: Stream, *, cases: float | None = None) -> Drift:
    """Questions about the kinds of cases.

    Args:
        basis: What the record rested on.
        stream: The stream.
        cases: Cases that the record's shares were counted on, where they are the sample's own.

    Returns:
        A question for each segment of the record and one for all that it did not have; and what they count.
    """
    if not basis.mix:
        return [], {}
    counted_on = basis.mix_cases if cases is None else cases
    names = [*sorted(basis.mix), None]
    asked, counts = [], {}
    for name in names:
        label = "(others)" if name is None else name
        share = 0.0 if name is None else basis.mix[name]
        asked.append(share_question("segment", label, share, counted_on, 1 / len(names)))
        inside = np.array([n not in basis.mix if name is None else n == name for n in stream.segments])
        counts[f"segment {label}"] = by_day(stream.volume, inside)
    return asked, counts


def input_questions(
    a: Analysis | None,
    decided_on: Samples | None,
    until: dt.date | None,
    fresh: Samples,
    stream: Stream,
    timezone: str,
) -> Drift:
    """Questions about the inputs: defects, field by field too, and numbers known before the work.

    Args:
        a: The decision; None where neither its archive nor its samples are there.
        decided_on: The samples that it rested on; None where they are gone.
        until: Its day, after which no case of these samples is its own; None where no time is known.
        fresh: The samples of the stream.
        stream: The stream.
        timezone: In which days begin.
    """
    found: list[tuple[str, str, float, float, Counted]] = []  # measure, name, share, cases, counts
    if a is not None and DEFECTS in stream.measures and (known := int(a.moments.inputs_known.sum())):
        share = 1 - float(a.moments.inputs_clean.sum()) / known
        found.append(
            ("inputs:defects", "defective inputs", share, known, by_day(stream.measures[DEFECTS], None))
        )
    found += _of_fields(a, fresh, stream, timezone)
    if decided_on is not None:
        for column in NUMBERS:
            found += _of_number(column, decided_on, until, fresh, stream, timezone)
    asked, counts = [], {}
    for measure, name, share, cases, counted in found:
        asked.append(share_question(measure, name, share, cases, 1 / len(found)))
        counts[f"{measure} {name}"] = counted
    return asked, counts


def _of_fields(
    a: Analysis | None, fresh: Samples, stream: Stream, timezone: str
) -> list[tuple[str, str, float, float, Counted]]:
    """Fields of the inputs that both the decision and the stream have: cases whose field has a defect."""
    quality = None if a is None else a.taken.inputs
    if quality is None or fresh.inputs is None or "case_id" not in fresh.tables["cases"].columns:
        return []
    cases = float(quality.cases[0].sum())
    now = {f.name: (i, f.counts) for i, f in enumerate(fresh.inputs.fields) if f.counts}
    both = [(k, f.name) for k, f in enumerate(quality.fields) if f.counts and f.name in now][:MOST_FIELDS]
    if not both or not cases > 0:
        return []
    sums = ", ".join(f"count(*) filter (f{j})" for j in range(len(both)))
    fields = ", ".join(
        f"(bit_or(b{now[name][0]}) & {now[name][1]}) <> 0 as f{j}" for j, (_, name) in enumerate(both)
    )
    live = fresh_cases(fresh, timezone, stream.first)
    query = (
        f"select c.day_, count(*), {sums} from {live.sql} c join (select case_id, {fields} from inputs "
        "where setting is distinct from 'demo' group by case_id) i on i.case_id = c.case_id group by 1 order by 1"
    )
    rows = fetch(fresh, query)
    return [
        (
            f"inputs:{name}",
            f"a defect in {name}",
            float(quality.broken[0, :, k, ANY].sum()) / cases,
            cases,
            _daily(rows, stream.first, j),
        )
        for j, (k, name) in enumerate(both)
    ]


def _of_number(
    column: str, decided_on: Samples, until: dt.date | None, fresh: Samples, stream: Stream, timezone: str
) -> list[tuple[str, str, float, float, Counted]]:
    """The quarters of a number among the decision's cases."""
    both = (decided_on.tables["cases"], fresh.tables["cases"])
    if any(column not in table.columns for table in both):
        return []
    own = both[0].where(f"{quoted(column)} is not null")
    if "setting" in own.columns:
        own = own.where("setting is distinct from 'demo'")
    if until is not None and "started_at" in own.columns:
        own = own.where(f"started_at < timestamp '{until.isoformat()}' + interval 1 day")
    value = f"{quoted(column)}::double"
    n, cuts = fetch(decided_on, f"select count(*), quantile_cont({value}, [0.25, 0.5, 0.75]) from {own.sql}")[
        0
    ]
    if not n >= FEWEST or not cuts[0] < cuts[2]:
        return []
    edges = [None, *sorted(set(cuts)), None]
    kinds = []
    for low, high in itertools.pairwise(edges):
        above = "true" if low is None else f"{value} > {low!r}"
        below = "true" if high is None else f"{value} <= {high!r}"
        text = f"up to {number(high)}" if low is None else f"over {number(low)}"
        if low is not None and high is not None:
            text += f", up to {number(high)}"
        kinds.append((f"{column.replace('_', ' ')} {text}", f"{above} and {below}"))
    sums = ", ".join(f"count(*) filter ({condition})" for _, condition in kinds)
    was = [int(x) for x in fetch(decided_on, f"select {sums} from {own.sql}")[0]]
    live = fresh_cases(fresh, timezone, stream.first).where(f"{quoted(column)} is not null")
    rows = fetch(fresh, f"select day_, count(*), {sums} from {live.sql} group by 1 order by 1")
    return [
        (f"inputs:{column}", name, was[j] / n, float(n), _daily(rows, stream.first, j))
        for j, (name, _) in enumerate(kinds)
    ]


def _daily(rows: Sequence[tuple[Any, ...]], first: dt.date, j: int) -> Counted:
    day = np.array([(row[0] - first).days for row in rows], dtype=np.int64)
    zero = np.zeros(day.size, dtype=np.int64)
    return Counted(
        day=day,
        segment=zero,
        person=zero,
        version=zero - 1,
        n=np.array([row[1] for row in rows], dtype=np.float64),
        total=np.array([row[2 + j] for row in rows], dtype=np.float64),
    )


def by_day(counted: Counted, inside: npt.NDArray[np.bool_] | None) -> Counted:
    """Cases by day in a few bundles, and of these the hits; or, given which segments count, those in them."""
    hits = counted.total if inside is None else counted.n * inside[counted.segment]
    key = counted.day * BUNDLES + counted.person % BUNDLES
    size = (int(counted.day.max(initial=-1)) + 1) * BUNDLES
    n, found = (np.asarray(np.bincount(key, x, minlength=size), dtype=np.float64) for x in (counted.n, hits))
    at = np.flatnonzero(n > 0)
    zero = np.zeros(at.size, dtype=np.int64)
    return Counted(
        day=at // BUNDLES, segment=zero, person=at % BUNDLES, version=zero - 1, n=n[at], total=found[at]
    )


def worth_under(a: Decided, shares: Mapping[str, float], cases: int) -> dict[str, Any]:
    """The decision on the same cases with another mix of them.

    Args:
        a: The decision.
        shares: Segment → share of the fresh cases; sums to 1. What the decision did not sample earns nothing.
        cases: That the shares were counted on.

    Returns:
        `mix`, `counted_on`, and `before` and `now`: the `verdict`, `worth` of what is put forward (None where unknown)
        and the `chance` that it exceeds the hurdle.
    """
    demand = a.loaded.parameters.demand.model_copy(update={"mix": dict(shares), "mix_cases": cases})
    parameters = a.loaded.parameters.model_copy(update={"demand": demand})
    found = decide_again(a, loaded=replace(a.loaded, parameters=parameters, scenarios={}))
    return {
        "mix": dict(shares),
        "counted_on": cases,
        "before": _worth(a),
        "now": _worth(found),
    }


def _worth(a: Decided) -> dict[str, Any]:
    option = plan_put_forward(a)
    worth = a.verdict.plan.worth if a.verdict.plan is not None else None if option is None else option.worth
    return {
        "verdict": a.verdict.verdict,
        "worth": None if worth is None else float(worth.mean()),
        "chance": None if worth is None else float((worth > a.loaded.policy.hurdle).mean()),
        "scale_worth": None if a.scale is None else a.scale.mean(),
    }
