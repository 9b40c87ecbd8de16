"""Monitoring and rollback: was stopping practised, was it quick, is there a way back, and is the need for it seen?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from roi.controls.check import Check, Rows, judge, unknown, verb
from roi.controls.logs import Logs
from roi.readers.base import literal
from roi.schema.tables import SEVERE
from roi.words import count, percent, plural

__all__ = ["stopping_checks"]

VISIBLE_DAYS = 0.9  # the least share of days with work on which a result, or a cost, is known

SEVERITY = "Log the severity of each incident (samples.incidents, severity)"
HOLD_A_DRILL = "Hold a drill: pause the agent, go back to the version before, and log the times"
TIMES = ("started_at", "paused_at", "restricted_at", "restored_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Incident:
    """A row of the incidents; what has no column is None."""

    row: int
    detected_at: dt.datetime | None
    kind: str | None
    severity: str | None
    started_at: dt.datetime | None
    paused_at: dt.datetime | None
    restricted_at: dt.datetime | None
    restored_at: dt.datetime | None
    rolled_back_to: str | None

    @property
    def answered(self) -> bool:
        """Whether anything was done about it."""
        done = (self.paused_at, self.restricted_at, self.restored_at, self.rolled_back_to)
        return any(x is not None for x in done)

    @property
    def minutes(self) -> float:
        """From detection to pause."""
        assert self.detected_at is not None
        assert self.paused_at is not None
        return (self.paused_at - self.detected_at).total_seconds() / 60


class _Log:
    """The incidents, and the newest of them in which the agent was paused."""

    def __init__(self, logs: Logs) -> None:
        self.logs = logs
        incidents = logs.table("incidents")
        self.has = frozenset(incidents.columns if incidents else ())
        self.all: list[_Incident] = []
        if incidents is not None:
            names = [name for name in _Incident.__dataclass_fields__ if name != "row"]
            listed = ", ".join(name if name in self.has else "null" for name in names)
            rows = logs.ask(
                f'select "row", {listed} from {incidents.sql} order by detected_at nulls first, "row"'
            )
            self.all = [_Incident(row=row, **dict(zip(names, values, strict=True))) for row, *values in rows]
        self.paused = [
            x
            for x in self.all
            if x.detected_at is not None
            and x.paused_at is not None
            and (logs.as_of is None or self.day(x.detected_at) <= logs.as_of)
        ]

    def day(self, at: dt.datetime) -> dt.date:
        """The day of a time, where the pilot is."""
        return at.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(self.logs.timezone or "UTC")).date()

    def nothing(self, name: str, **figures: Any) -> Check | None:
        """What checks of a pause say where there was none."""
        if not self.all:
            return unknown(name, "There is no record of a drill or an incident.", HOLD_A_DRILL, **figures)
        if "paused_at" not in self.has or not any(x.paused_at is not None for x in self.all):
            return unknown(name, "There is no time of a pause in the incidents.", HOLD_A_DRILL, **figures)
        if not self.paused:
            return unknown(
                name,
                "No pause in the incidents is timed together with its detection, by the day of the decision.",
                HOLD_A_DRILL,
                **figures,
            )
        return None


def stopping_checks(logs: Logs) -> tuple[Check, ...]:
    """Every check of monitoring and rollback, in the order of the catalogue.

    Args:
        logs: The logs; reads `incidents`, `changes` and `cases`.
    """
    log = _Log(logs)
    return (
        _drill_recent(log),
        _pause_in_time(log),
        _restored(log),
        _incident_times(log),
        _incidents_answered(log),
        _way_back(log),
        *_by_day(logs),
    )


def _rows(found: list[_Incident]) -> Rows:
    return Rows.of("incidents", [x.row for x in found])


def _drill_recent(log: _Log) -> Check:
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
            evidence=f"The agent was last paused on {day.isoformat()}, {plural(age, 'day')} before the decision.",
            **figures,
        )
    return Check(
        name=name,
        status="fail",
        evidence=f"No drill or incident of the last {plural(most, 'day')} shows a pause; the newest is of "
        f"{day.isoformat()}.",
        rows=_rows([newest]),
        mend=HOLD_A_DRILL,
        **figures,
    )


def _pause_in_time(log: _Log) -> Check:
    """The newest pause: what was too slow is mended by a drill that is not."""
    name, most = "pause_in_time", log.logs.policy.max_minutes_to_pause
    if nothing := log.nothing(name, threshold=most):
        return nothing
    newest = log.paused[-1]
    assert newest.detected_at is not None
    minutes = newest.minutes
    on = f"On {log.day(newest.detected_at).isoformat()} the agent was paused"
    figures: dict[str, Any] = {"value": minutes, "threshold": most, "n": len(log.paused)}
    if 0 <= minutes <= most:
        return Check(
            name=name,
            status="pass",
            evidence=f"{on} {plural(_shown(minutes), 'minute')} after detection.",
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


def _restored(log: _Log) -> Check:
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
    on = f"After the pause of {log.day(newest.detected_at).isoformat()}"
    if newest.restored_at is not None:
        minutes = (newest.restored_at - newest.detected_at).total_seconds() / 60
        evidence = f"{on} service was restored"
        if minutes >= 0:
            evidence += f", {plural(_shown(minutes), 'minute')} after detection"
        return Check(name=name, status="pass", evidence=f"{evidence}.", value=minutes, n=len(log.paused))
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


def _incident_times(log: _Log) -> Check:
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


def _incidents_answered(log: _Log) -> Check:
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
    severe = [x for x in real if x.severity in SEVERE]
    unanswered = [x for x in real if not x.answered]
    unsure = None
    if vague := [x for x in unanswered if x.severity is None]:
        evidence = (
            f"Of {plural(len(vague), 'incident')} without a pause, a restriction or a rollback nobody says "
        )
        evidence += f"how severe {verb(len(vague), 'it was', 'they were')}."
        unsure = unknown(name, evidence, SEVERITY, _rows(vague))
    if not severe:
        none = f"None of {plural(len(real), 'incident')} was severe."
        return unsure or Check(name=name, status="pass", evidence=none, n=0, misses=0)
    if not log.has & {"paused_at", "restricted_at", "rolled_back_to", "restored_at"}:
        return unknown(
            name,
            "The incidents do not say what was done about them.",
            "Log when the agent was paused or restricted, and what it was rolled back to",
        )
    idle = [x for x in unanswered if x.severity in SEVERE]
    return judge(
        name,
        _rows(idle),
        len(severe),
        good=f"Every severe incident was answered ({count(len(severe))} of {count(len(severe))}).",
        bad=f"{count(len(idle))} of {plural(len(severe), 'severe incident')} {verb(len(idle), 'was', 'were')} "
        "answered by no pause, no restriction and no rollback.",
        mend="Pause or restrict the agent at every severe incident, and log when",
        unsure=unsure,
    )


def _way_back(log: _Log) -> Check:
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
    live = logs.live_cases()
    if live is None:
        lacking = ("There are no cases.", "Provide the cases themselves (samples.cases)")
        first, second = (unknown(name, *lacking, threshold=VISIBLE_DAYS) for name in names)
        return first, second
    times = [c for c in ("started_at", "ended_at") if c in live.columns]
    at = f"coalesce({', '.join(times)})" if times else "null::timestamp"
    day = f"timezone({literal(logs.timezone or 'UTC')}, timezone('UTC', {at}))::date"
    results = [c for c in ("outcome", "judge_outcome") if c in live.columns]
    result = " or ".join(f"{c} is not null" for c in results) or "false"
    cost = "agent_cost is not null" if "agent_cost" in live.columns else "false"
    by_day = (
        f'(select "row", bool_or({result}) over (partition by {day}) as result, '
        f"bool_or({cost}) over (partition by {day}) as cost, {day} as day from {live.sql} where {at} is not null)"
    )
    ((days, results_known, costs_known),) = logs.ask(
        "select count(distinct day), count(distinct day) filter (result), count(distinct day) filter (cost) "
        f"from {by_day}"
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
