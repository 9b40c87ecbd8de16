"""What people did about the agent's work: waiting for approval, approval after the act, hand-overs, results not used.

Waiting is time on the clock, nights and weekends with it: it tells how long a case stood still and not how long
anybody worked. Only production cases count, and of those worked as before only how many were handed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from roi.alike import how_many
from roi.integration import QUANTILES, of_cases, values_at
from roi.moments import fetch
from roi.periods import local_day
from roi.proportions import ranks
from roi.relation import Relation

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["Oversight", "take_oversight"]

Floats = npt.NDArray[np.float64]
Counts = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Oversight:
    """Counts of what people decided about the agent's work; a pair is (of which, of how many), None is not logged.

    Attributes:
        approvers: People who decided; None where the log names nobody.
        waits: Decisions by people whose request and decision are timed.
        minutes: Median and 95th percentile of their waiting in minutes, each with both ends of its interval, shape
            (6,); None where too few are timed.
        same_day: Of the timed decisions, those of the day of the request.
        backwards: Decisions that are logged before they were requested; they are no waits.
        after: Approvals given after the act, of those whose times are both known.
        rejected: Rejections, of decisions by people.
        handed_over: Cases that were escalated, of those with an outcome.
        escalations: Escalated cases that were right to hand over, of those of which it is told.
        handed_over_before: As `handed_over`, of the cases worked as before.
        escalations_before: As `escalations`, likewise.
        told_by: What tells: "judge" (a second look), "used" (whether the agent's result was taken) or "both"; None.
        unused: Correct results that nobody used, of correct ones of which it is known.
        edited: Correct results that were edited first, of the same.
        rework: Cases with rework minutes, of cases with an approved action whose rework is known; escalated ones aside.
        wrong: Cases with an error, of cases with an approved action that have an outcome; escalated ones aside.
    """

    approvers: int | None
    waits: int | None
    minutes: Floats | None
    same_day: Counts | None
    backwards: int | None
    after: Counts | None
    rejected: Counts | None
    handed_over: Counts | None
    escalations: Counts | None
    handed_over_before: Counts | None
    escalations_before: Counts | None
    told_by: str | None
    unused: Counts | None
    edited: Counts | None
    rework: Counts | None
    wrong: Counts | None


def take_oversight(samples: Samples, *, timezone: str | None) -> Oversight | None:
    """Count what people did about the agent's work.

    Args:
        samples: The opened samples; reads `cases` and `actions`.
        timezone: In which days begin and end.

    Returns:
        The counts; None without cases.
    """
    if "cases" not in samples.tables:
        return None
    found: dict[str, Any] = dict.fromkeys(Oversight.__dataclass_fields__)
    found |= _of_actions(samples, timezone or "UTC")
    found |= _of_results(samples)
    return Oversight(**found)


def _pair(hits: Any, n: Any) -> Counts | None:
    return (int(hits), int(n)) if n else None


def _of_actions(samples: Samples, zone: str) -> dict[str, Any]:
    actions = samples.tables.get("actions")
    if actions is None or samples.apart or "decision" not in actions.columns:
        return {}
    present = set(actions.columns)
    live = of_cases(samples, actions).where("arm_ <> 0")
    asked = "requested_at" if "requested_at" in present else "null::timestamp"
    said = "decided_at" if "decided_at" in present else "null::timestamp"
    ran = "executed_at" if "executed_at" in present else "null::timestamp"
    person = actions.says("decision", "approved", "rejected", "escalated")
    who = "count(distinct approver)" if "approver" in present else "null"
    wait = f"(epoch_us({said}) - epoch_us({asked})) / 60000000.0"
    by_people = live.where(person)

    (row,) = fetch(
        samples,
        f"select count(*), {who}, count(*) filter ({wait} >= 0), count(*) filter ({wait} < 0), "
        f"count(*) filter ({wait} >= 0 and {local_day(said, zone)} = {local_day(asked, zone)}), "
        f"count(*) filter (decision = 'approved' and {said} is not null and {ran} is not null), "
        f"count(*) filter (decision = 'approved' and {said} > {ran}), count(*) filter (decision = 'rejected') "
        f"from {by_people.sql}",
    )
    decided, people, waits, backwards, same, timed, after, rejected = row
    times = "requested_at" in present and "decided_at" in present
    minutes = None
    if times and waits:
        query = f"select {wait} as v, 1 as n from {by_people.sql} where {wait} >= 0"
        minutes = _minutes(samples, query, int(waits))
    return {
        "approvers": None if not people else int(people),
        "waits": int(waits) if times else None,
        "minutes": minutes,
        "same_day": _pair(same, waits) if times else None,
        "backwards": int(backwards) if times else None,
        "after": _pair(after, timed),
        "rejected": _pair(rejected, decided),
        **_of_approved(samples, of_cases(samples, actions, numbers=True).where("arm_ <> 0")),
    }


def _minutes(samples: Samples, query: str, n: int) -> Floats | None:
    wanted: list[int] = []
    for share in QUANTILES:
        ends = ranks(n, share)
        wanted += [0, 0, 0] if ends is None else [int(np.ceil(share * n)), *ends]
    if not any(wanted):
        return None
    at = values_at(samples, query, (), [(rank,) for rank in sorted(set(wanted) - {0})])
    return np.array([at[rank,] if rank else -1.0 for rank in wanted])


def _of_approved(samples: Samples, live: Relation) -> dict[str, Any]:
    """What became of cases with an action that a person approved; who takes a case over does not repair it."""
    reworked = "max(of_rework_minutes)" if "of_rework_minutes" in live.columns else "null::decimal(18,6)"
    ended = "max(of_outcome)" if "of_outcome" in live.columns else "null::varchar"
    stayed = "o is distinct from 'escalated'"
    ((hits, known, wrong, labelled),) = fetch(
        samples,
        f"select count(*) filter (r > 0 and {stayed}), count(r) filter ({stayed}), count(*) filter (o = 'error'), "
        f"count(o) filter ({stayed}) from (select {reworked} as r, {ended} as o from {live.sql} "
        f"where arm_ = 1 and {live.says('decision', 'approved')} group by case_id)",
    )
    return {"rework": _pair(hits, known), "wrong": _pair(wrong, labelled)}


def _of_results(samples: Samples) -> dict[str, Any]:
    cases = samples.tables["cases"]
    present = set(cases.columns)
    if "outcome" not in present:
        return {}
    live = cases.where("setting is distinct from 'demo'") if "setting" in present else cases
    used = "used" if "used" in present else "null::varchar"
    judge = "judge_outcome" if "judge_outcome" in present else "null::varchar"
    # A second look goes before what was done with the result: of a result that nobody took, it is not told why.
    by_judge = f"case {judge} when 'correct' then false when 'error' then true when 'escalated' then true end"
    by_use = f"case {used} when 'yes' then false when 'edited' then true end"
    right = f"coalesce({by_judge}, {by_use})"
    gone, correct = "outcome = 'escalated'", "outcome = 'correct'"
    asked = (
        "outcome is not null",
        gone,
        f"{gone} and {right}",
        f"{gone} and ({right}) is not null",
        f"{gone} and ({by_judge}) is not null",
        f"{gone} and ({by_judge}) is null and ({by_use}) is not null",
        f"{correct} and {used} is not null",
        f"{correct} and {used} = 'no'",
        f"{correct} and {used} = 'edited'",
    )
    kinds = None
    if samples.coded:
        columns = ("arm", *(c for c in ("outcome", "used", "judge_outcome") if c in present))
        kinds = Relation(
            f"(select {', '.join(columns)}, count(*) as n_ from {live.sql} group by all)", columns
        )
    listed = ", ".join(how_many(kinds, condition) for condition in asked)
    rows = fetch(samples, f"select arm, {listed} from {(kinds or live).sql} group by arm order by arm")
    found: dict[str, Any] = {}
    for arm, *counts in rows:
        labelled, escalated, good, told, judged, by_used, known, unused, edited = (int(x) for x in counts)
        if arm == "baseline":
            found |= {
                "handed_over_before": _pair(escalated, labelled),
                "escalations_before": _pair(good, told),
            }
            continue
        tells = "both" if judged and by_used else "judge" if judged else "used" if by_used else None
        found |= {
            "handed_over": _pair(escalated, labelled),
            "escalations": _pair(good, told),
            "told_by": tells,
            "unused": _pair(unused, known),
            "edited": _pair(edited, known),
        }
    return found
