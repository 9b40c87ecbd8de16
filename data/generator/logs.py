"""Logs of the controls: actions, access, evaluations, changes and drills."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from random import Random

from data.generator.cases import Row, working_time
from data.generator.truth import Controls, Truth

__all__ = ["draw_access", "draw_actions", "draw_changes", "draw_evals", "draw_incidents"]


def _later(moment: datetime, seconds: float) -> datetime:
    return moment + timedelta(seconds=round(seconds))


def draw_actions(
    truth: Truth, controls: Controls, cases: list[Row], rng: Random, second: Random
) -> list[Row]:
    """What the agent did in each production case: nothing is sent or paid in one that was escalated.

    Args:
        truth: The pilot's truth.
        controls: How it is controlled.
        cases: Its cases; their actions lie within them, where it is known when they end.
        rng: Draws what the agent does.
        second: Draws what is rejected at first.
    """
    rows: list[Row] = []
    number = 0
    for case in cases:
        u = [rng.random() for _ in range(8 * len(controls.tools) + 1)]
        if case["arm"] != "pilot" or case["setting"] == "demo" or u[-1] < controls.unlogged_rate:
            continue
        moment = case["started_at"]
        assert isinstance(moment, datetime)
        seq, first = 0, len(rows)
        for position, tool in enumerate(controls.tools):
            chance, wait, miss, lazy, who, think, denied, slow = u[8 * position : 8 * position + 8]
            if chance >= tool.rate or (tool.high_risk and case["outcome"] == "escalated"):
                continue
            seq += 1
            number += 1
            requested = _later(moment, 4 + 40 * wait)
            is_denied = tool.effect == "read" and denied < controls.denied_rate
            row: Row = {
                "action_id": f"x{number:06d}",
                "case_id": case["case_id"],
                "seq": seq,
                "tool": tool.name,
                "system": tool.system,
                "scope": tool.scope,
                "effect": tool.effect,
                "risk": "high" if tool.high_risk else "routine",
                "requested_at": requested,
                "requester": "agent",
                "decision": "auto",
                "approver": None,
                "decided_at": None,
                "executed_at": None if is_denied else _later(requested, 1 + 4 * slow),
                "status": "denied" if is_denied else "ok",
                "attempt": 1,
                "duration_ms": round(120 + 2200 * slow),
                "version": case["version"],
            }
            if tool.high_risk and miss >= controls.approval_miss_rate:
                after = lazy < controls.lazy_approver_share
                decided = _later(requested, (3600 + 14400 * think) if after else (20 + 280 * think))
                others = [f"a{n + 1:02d}" for n in range(controls.approvers)]
                row |= {
                    "decision": "approved",
                    # The last of the approvers is the lazy one: everything is waved through in the evening.
                    "approver": others[-1]
                    if after
                    else others[int(who * (len(others) - 1))]
                    if others
                    else case["worker"],
                    "decided_at": decided,
                    "executed_at": _later(requested if after else decided, 1 + 4 * slow),
                }
                if not after and second.random() < controls.rejection_rate:
                    rows.append(row | {"decision": "rejected", "executed_at": None, "status": "denied"})
                    seq, number = seq + 1, number + 1
                    row |= {"action_id": f"x{number:06d}", "seq": seq, "attempt": 2}
                    for column in ("requested_at", "decided_at", "executed_at"):
                        row[column] = _later(row[column], 90)  # type: ignore[arg-type]
            executed = row["executed_at"] or row["requested_at"]
            assert isinstance(executed, datetime)
            moment = max(executed, requested)
            rows.append(row)
        _within(case, rows[first:])
    return rows


def _within(case: Row, rows: list[Row]) -> None:
    """Draw the times of a case's actions together, so that what ran in it ran before it was closed."""
    start, ended = case["started_at"], case.get("ended_at")
    times = [t for row in rows if isinstance(t := row["executed_at"], datetime)]
    if not isinstance(start, datetime) or not isinstance(ended, datetime) or not times or max(times) <= ended:
        return
    factor = (ended - start) / (max(times) - start)
    for row in rows:
        for column in ("requested_at", "decided_at", "executed_at"):
            if isinstance(moment := row[column], datetime):
                row[column] = start + timedelta(seconds=int((moment - start).total_seconds() * factor))


def draw_access(truth: Truth, controls: Controls) -> list[Row]:
    """The rights the agent's identity holds: what it needs, less what was forgotten, and spare ones."""
    needed = dict.fromkeys(
        (t.system, t.scope) for t in controls.tools if t.system not in controls.missing_grants
    )
    granted = datetime.combine(truth.changed - timedelta(40), time(9))
    expires = datetime.combine(truth.last + timedelta(120), time(9))
    return [
        {
            "system": system,
            "scope": scope,
            "identity": f"svc-{truth.pilot.replace('_', '-')}",
            "granted_by": "access-board",
            "granted_at": granted,
            "expires": expires,
            "needed": (system, scope) in needed,
            "needed_by": "agent" if (system, scope) in needed else None,
        }
        for system, scope in (*needed, *controls.spare_grants)
    ]


def draw_evals(truth: Truth, controls: Controls, rng: Random) -> list[Row]:
    """The suite ran once on the version before and twice on the live one, which never fails a critical case."""
    difficulty = [rng.random() for _ in range(controls.eval_cases)]
    segments = [segment.name for segment in truth.segments]
    rows: list[Row] = []
    before, live = truth.versions
    earlier, later = controls.eval_pass
    runs = (
        (before, "1", earlier, truth.changed - timedelta(60)),
        (live, "1", later, truth.changed),
        (live, "2", later, truth.changed + timedelta(1)),
    )
    for version, run, rate, when in runs:
        ran = datetime.combine(when, time(14))
        for number, u in enumerate(difficulty, 1):
            critical = number % 10 == 0
            # The same cases are hard for both versions, so that comparing them in pairs is worth it.
            passed = critical or u < rate
            if run == "2" and not critical and number <= controls.eval_flaky:
                passed = not passed
            rows.append(
                {
                    "version": version,
                    "suite": "release",
                    "run_id": f"run-{version}-{run}",
                    "ran_at": ran + timedelta(seconds=7 * number),
                    "eval_case": f"e{number:03d}",
                    "segment": segments[number % len(segments)],
                    "passed": passed,
                    "critical": critical,
                }
            )
    return rows


def draw_changes(truth: Truth) -> list[Row]:
    """The version before and the live one; the suite ran after the change had been made."""
    before, live = truth.versions
    return [
        {
            "version": version,
            "changed_at": datetime.combine(when, time(9, 30)),
            "kind": kind,
            "replaces": replaces,
            "approved_by": "change-board",
        }
        for version, when, kind, replaces in (
            (before, truth.changed - timedelta(60), "model", None),
            (live, truth.changed, "prompt", before),
        )
    ]


def draw_incidents(truth: Truth, controls: Controls) -> list[Row]:
    """One drill, in the last third of the sample: detected, paused, rolled back, restored."""
    if controls.drill_minutes is None:
        return []
    detected = working_time(truth.first, truth.last, 0.71)
    return [
        {
            "detected_at": detected,
            "kind": "drill",
            "started_at": detected - timedelta(minutes=2),
            "paused_at": detected + timedelta(seconds=round(60 * controls.drill_minutes)),
            "restored_at": detected + timedelta(minutes=95),
            "rolled_back_to": truth.versions[0],
        }
    ]
