"""Monitoring and rollback: was stopping practised, was it quick, is there a way back, and is the need for it seen?"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from roi.controls.check import Check, Rows, judge, unknown, verb
from roi.controls.incident_log import HOLD_A_DRILL, Incident, IncidentLog
from roi.controls.logs import Logs
from roi.periods import local_day
from roi.schema.tables import SEVERE
from roi.words import count, percent, plural
from roi.words import day as said_day

__all__ = ["stopping_checks"]

VISIBLE_DAYS = 0.9  # the least share of days with work on which a result, or a cost, is known

SEVERITY = "Log the severity of each incident (samples.incidents, severity)"
TIMES = ("started_at", "paused_at", "restricted_at", "restored_at")


def stopping_checks(logs: Logs) -> tuple[Check, ...]:
    """Every check of monitoring and rollback, in the order of the catalogue.

    Args:
        logs: The logs; reads `incidents`, `changes` and `cases`.
    """
    log = IncidentLog(logs)
    return (
        _drill_recent(log),
        _pause_in_time(log),
        _restored(log),
        _incident_times(log),
        _incidents_answered(log),
        _way_back(log),
        *_by_day(logs),
    )


def _rows(found: list[Incident]) -> Rows:
    return Rows.of("incidents", [x.row for x in found])


def _drill_recent(log: IncidentLog) -> Check:
    name, most = "drill_recent", log.logs.policy.drill_max_age_days
    if nothing := log.nothing(name, threshold=float(most)):
        return nothing
    if log.logs.as_of is None:
        return unknown(
            name,
            "Nothing says of which day the decision is, so that a drill has no age.",
            "State the day of the decision (run.as_of), or log when cases were worked",
            threshold=float(most),
        )
    newest = log.paused[-1]
    assert newest.detected_at is not None
    day = log.day(newest.detected_at)
    age = (log.logs.as_of - day).days
    figures: dict[str, Any] = {"value": float(age), "threshold": float(most), "n": len(log.paused)}
    if age <= most:
        return Check(
            name=name,
            status="pass",
            evidence=f"The agent was last paused on {said_day(day.isoformat())}, {plural(age, 'day')} before the "
            "decision.",
            **figures,
        )
    return Check(
        name=name,
        status="fail",
        evidence=f"No drill or incident of the last {plural(most, 'day')} shows a pause; the newest is of "
        f"{said_day(day.isoformat())}.",
        rows=_rows([newest]),
        mend=HOLD_A_DRILL,
        **figures,
    )


def _pause_in_time(log: IncidentLog) -> Check:
    """The newest pause: what was too slow is mended by a drill that is not, but is told beside it."""
    name, most = "pause_in_time", log.logs.policy.max_minutes_to_pause
    if nothing := log.nothing(name, threshold=most):
        return nothing
    newest = log.paused[-1]
    assert newest.detected_at is not None
    minutes = newest.minutes
    on = f"On {said_day(log.day(newest.detected_at).isoformat())} the agent was paused"
    figures: dict[str, Any] = {"value": minutes, "threshold": most, "n": len(log.paused)}
    if 0 <= minutes <= most:
        return Check(
            name=name,
            status="pass",
            evidence=f"{on} {plural(_shown(minutes), 'minute')} after detection{_slowest(log)}.",
            **figures,
        )
    if minutes < 0:
        evidence = (
            f"{on} {plural(_shown(-minutes), 'minute')} before detection: the times contradict each other."
        )
        mend = "Mend the times in the log, or repeat the drill and log them as they are"
    else:
        evidence = (
            f"{on} {plural(_shown(minutes), 'minute')} after detection, of {plural(most, 'minute')} at most."
        )
        mend = "Repeat the drill until the pause is quick enough"
    return Check(name=name, status="fail", evidence=evidence, rows=_rows([newest]), mend=mend, **figures)


def _slowest(log: IncidentLog) -> str:
    """The slowest pause of an incident of late, where the newest pause of all was another and quicker."""
    newest = log.paused[-1]
    real = [x for x in log.paused if x.kind != "drill" and log.recent(x) and x.minutes > newest.minutes]
    if not real:
        return ""
    worst = max(real, key=lambda x: x.minutes)
    assert worst.detected_at is not None
    of = f"of {said_day(log.day(worst.detected_at).isoformat())}, took {plural(_shown(worst.minutes), 'minute')}"
    return f"; the slowest pause of an incident, {of}"


def _restored(log: IncidentLog) -> Check:
    name = "restored"
    if nothing := log.nothing(name):
        return nothing
    if not log.has & {"restored_at", "rolled_back_to"}:
        return unknown(
            name,
            "The incidents do not say whether service was restored.",
            "Log when service was restored and to which version (restored_at, rolled_back_to)",
        )
    newest = log.paused[-1]
    assert newest.detected_at is not None
    on = f"After the pause of {said_day(log.day(newest.detected_at).isoformat())}"
    if newest.restored_at is not None:
        minutes = (newest.restored_at - newest.detected_at).total_seconds() / 60
        if minutes < 0:
            return Check(
                name=name,
                status="fail",
                evidence=f"{on} service was restored {plural(_shown(-minutes), 'minute')} before detection: the times "
                "contradict each other.",
                value=minutes,
                n=len(log.paused),
                rows=_rows([newest]),
                mend="Mend the times in the log, or repeat the drill and log them as they are",
            )
        evidence = f"{on} service was restored, {plural(_shown(minutes), 'minute')} after detection."
        return Check(name=name, status="pass", evidence=evidence, value=minutes, n=len(log.paused))
    if newest.rolled_back_to is not None:
        return Check(
            name=name, status="pass", evidence=f"{on} an earlier version was restored.", n=len(log.paused)
        )
    return Check(
        name=name,
        status="fail",
        evidence=f"{on} nothing says that service was restored.",
        n=len(log.paused),
        rows=_rows([newest]),
        mend="Repeat the drill until service is restored",
    )


def _incident_times(log: IncidentLog) -> Check:
    """Begin, detection, what was done about it, restoration: in this order, as far as they are logged."""
    name = "incident_times"
    if not log.all:
        return unknown(name, "There is no record of a drill or an incident.", HOLD_A_DRILL)
    timed = [
        x for x in log.all if x.detected_at is not None and any(getattr(x, t) is not None for t in TIMES)
    ]
    if not timed:
        return unknown(
            name,
            "The incidents have no time beside that of their detection.",
            "Log when each incident began, when the agent was paused and when service was restored",
        )
    wrong = []
    for x in timed:
        steps = [[x.started_at], [x.detected_at], [x.paused_at, x.restricted_at], [x.restored_at]]
        known = [[t for t in step if t is not None] for step in steps]
        known = [step for step in known if step]
        if any(max(a) > min(b) for a, b in pairwise(known)):
            wrong.append(x)
    return judge(
        name,
        _rows(wrong),
        len(timed),
        good=f"The times of {plural(len(timed), 'drill or incident', 'drills and incidents')} are in order.",
        bad=f"The times of {count(len(wrong))} of {plural(len(timed), 'drill or incident', 'drills and incidents')} "
        "contradict each other.",
        mend="Mend the times in the log, or repeat the drill and log them as they are",
    )


def _incidents_answered(log: IncidentLog) -> Check:
    name = "incidents_answered"
    if not log.all:
        return unknown(name, "There is no record of a drill or an incident.", HOLD_A_DRILL)
    real = [x for x in log.all if x.kind != "drill"]
    if not real:
        return Check(
            name=name, status="pass", evidence="No incident is logged that was not a drill.", n=0, misses=0
        )
    if not any(x.severity is not None for x in real):
        return unknown(
            name,
            "The incidents do not say how severe they were.",
            SEVERITY,
        )
    most = log.logs.policy.max_minutes_to_pause
    grave = [
        x for x in real if x.severity is None or x.severity in SEVERE
    ]  # nobody says that it was not severe
    severe = [x for x in grave if x.severity is not None]
    if severe and not log.has & {"paused_at", "restricted_at", "rolled_back_to"}:
        return unknown(
            name,
            "The incidents do not say what was done about them.",
            "Log when the agent was paused or restricted, and what it was rolled back to",
        )
    idle = {x for x in grave if not x.answered}
    took = {x: x.answer_minutes for x in grave if x.answered}
    late = {x for x, minutes in took.items() if minutes is not None and minutes > most and log.recent(x)}
    untimed = [x for x in severe if x.answered and took[x] is None]
    unsure = None
    if vague := [x for x in grave if x.severity is None and x in idle | late]:
        were = verb(len(vague), "it was", "they were")
        evidence = f"Of {plural(len(vague), 'incident')} without a pause, a restriction or a rollback within "
        evidence += f"{plural(most, 'minute')} nobody says how severe {were}."
        unsure = unknown(name, evidence, SEVERITY, _rows(vague))
    elif untimed:
        evidence = f"Of {plural(len(untimed), 'severe incident')} no time says how soon it was answered."
        mend = "Log when the agent was paused or restricted at each incident"
        unsure = unknown(name, evidence, mend, _rows(untimed))
    if not severe:
        none = f"None of {plural(len(real), 'incident')} was severe."
        if any(x.severity is None for x in real):
            none = "No incident is logged as severe, and those of which nobody says were answered in time."
        return unsure or Check(name=name, status="pass", evidence=none, n=0, misses=0)
    unanswered, slow = [x for x in severe if x in idle], [x for x in severe if x in late]
    told = []
    if unanswered:
        were = verb(len(unanswered), "was", "were")
        told.append(f"{count(len(unanswered))} {were} answered by no pause, no restriction and no rollback")
    if slow:
        slowest = _shown(max(took[x] or 0.0 for x in slow))
        of = f"{plural(most, 'minute')} that a pause may take: {'' if len(slow) == 1 else 'up to '}"
        told.append(f"{count(len(slow))} later than the {of}{plural(slowest, 'minute')}")
    known = [minutes for x in severe if (minutes := took.get(x)) is not None]
    after = f", at most {plural(_shown(max(known)), 'minute')} after detection" if known else ""
    return judge(
        name,
        _rows([*unanswered, *slow]),
        len(severe),
        good=f"Every severe incident was answered ({count(len(severe))} of {count(len(severe))}){after}.",
        bad=f"Of {plural(len(severe), 'severe incident')} {', and '.join(told)}.",
        mend="Pause or restrict the agent at every severe incident as soon as a drill asks, and log when",
        unsure=unsure,
    )


def _way_back(log: IncidentLog) -> Check:
    name = "way_back"
    if not log.all:
        return unknown(name, "There is no record of a drill or an incident.", HOLD_A_DRILL)
    back = [x for x in log.all if x.rolled_back_to is not None]
    if not back:
        return unknown(
            name,
            "No drill or incident says which version the agent went back to.",
            "Go back to the version before in a drill, and log which it was (rolled_back_to)",
        )
    changes = log.logs.table("changes")
    if changes is None:
        return unknown(name, "There is no list of changes.", "Provide the list of changes (samples.changes)")
    query = f"select version from {changes.sql}"
    if "replaces" in changes.columns:
        query += f" union select replaces from {changes.sql}"
    listed = {version for (version,) in log.logs.ask(query)}
    lost = [x for x in back if x.rolled_back_to not in listed]
    return judge(
        name,
        _rows(lost),
        len(back),
        good="Every rollback went to a version that is among the changes "
        f"({count(len(back))} of {count(len(back))}).",
        bad=f"{count(len(lost))} of {plural(len(back), 'rollback')} went to a version that is not among the changes.",
        mend="Keep the version before ready and listed, so that there is a way back to it",
    )


def _by_day(logs: Logs) -> tuple[Check, Check]:
    """On how many days with work a result is known, and a cost."""
    names = ("quality_by_day", "cost_by_day")
    live = logs.live_cases(alone=True)
    if live is None:
        lacking = ("There are no cases.", "Provide the cases themselves (samples.cases)")
        first, second = (unknown(name, *lacking, threshold=VISIBLE_DAYS) for name in names)
        return first, second
    times = [c for c in ("started_at", "ended_at") if c in live.columns]
    at = f"coalesce({', '.join(times)})" if times else "null::timestamp"
    day = local_day(at, logs.timezone or "UTC")
    results = [c for c in ("outcome", "judge_outcome") if c in live.columns]
    result = " or ".join(f"{c} is not null" for c in results) or "false"
    cost = "agent_cost is not null" if "agent_cost" in live.columns else "false"
    by_day = (
        f'(select "row", bool_or({result}) over (partition by {day}) as result, '
        f"bool_or({cost}) over (partition by {day}) as cost, {day} as day from {live.sql} where {at} is not null)"
    )
    each = (
        f"select bool_or({result}) as result, bool_or({cost}) as cost from {live.sql} where {at} is not null "
        f"group by {day}"
    )
    ((days, results_known, costs_known),) = logs.ask(
        f"select count(*), count(*) filter (result), count(*) filter (cost) from ({each})"
    )
    told = (
        (results_known, "result", "an outcome", "Label some cases of each day (samples.cases, outcome)"),
        (costs_known, "cost", "what the agent cost", "Log the agent's cost, or its tokens, with each case"),
    )
    first, second = (
        _visible(logs, name, by_day, days=int(days), known=int(known), which=which, what=what, mend=mend)
        for name, (known, which, what, mend) in zip(names, told, strict=True)
    )
    return first, second


def _visible(
    logs: Logs, name: str, by_day: str, *, days: int, known: int, which: str, what: str, mend: str
) -> Check:
    if not days:
        return unknown(
            name,
            "The cases do not say when they were worked.",
            "Log when each case was worked (samples.cases, started_at)",
            threshold=VISIBLE_DAYS,
        )
    if not known:
        return unknown(name, f"No case says {what}.", mend, threshold=VISIBLE_DAYS)
    share = known / days
    figures: dict[str, Any] = {"value": share, "threshold": VISIBLE_DAYS, "n": days}
    evidence = f"On {count(known)} of {plural(days, 'day')} with cases of the agent, {what} is known"
    if share >= VISIBLE_DAYS:
        return Check(name=name, status="pass", evidence=f"{evidence}.", **figures)
    return Check(
        name=name,
        status="fail",
        evidence=f"{evidence}; {percent(VISIBLE_DAYS)} of them are asked for.",
        rows=logs.rows("cases", by_day, f"not {which}"),
        mend=mend,
        **figures,
    )


def _shown(minutes: float) -> float:
    """Minutes as they are printed: whole, and never 0 where there were some."""
    return max(1.0, round(minutes)) if minutes > 0 else 0.0
