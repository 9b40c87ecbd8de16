"""Violations of monitoring and rollback, to be planted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
from control_logs import Log, Row
from control_plants import Kind, Planted, Rng
from plants_suite import SILENT

__all__ = ["STOPPING_KINDS"]

MINUTE = dt.timedelta(minutes=1)


def _last(log: Log) -> Row:
    return max(log.tables["incidents"], key=lambda row: row["detected_at"])


TIMES = ("started_at", "detected_at", "paused_at", "restricted_at", "restored_at")


def _old_drill(log: Log, rng: Rng, k: int) -> Planted:
    for row in log.tables["incidents"]:
        for column in TIMES:
            row[column] = row[column] and row[column] - dt.timedelta(days=220)
    return Planted(must={("drill_recent",): []}, touched={"incidents": log.tables["incidents"]})


def _incident(check: str, change: Callable[[Row, Rng], None]) -> Callable[[Log, Rng, int], Planted]:
    """The newest drill changed in a way that a check must find."""

    def plant(log: Log, rng: Rng, k: int) -> Planted:
        row = _last(log)
        change(row, rng)
        return Planted(must={(check,): [{"incidents": [row]}]})

    return plant


def _slow(row: Row, rng: Rng) -> None:
    row["paused_at"] = row["detected_at"] + int(rng.integers(20, 90)) * MINUTE
    row["restored_at"] = row["paused_at"] + 60 * MINUTE


def _to(**given: Any) -> Callable[[Row, Rng], None]:
    return lambda row, rng: row.update(given)


def _early_pause(row: Row, rng: Rng) -> None:
    row["started_at"] = row["detected_at"] - 30 * MINUTE
    row["paused_at"] = row["detected_at"] - 5 * MINUTE


def _early_restore(row: Row, rng: Rng) -> None:
    row["restored_at"] = row["detected_at"] + (row["paused_at"] - row["detected_at"]) / 2
    row["restored_at"] = row["restored_at"].replace(microsecond=0)


def _late_start(row: Row, rng: Rng) -> None:
    row["started_at"] = row["paused_at"] + MINUTE


def _unanswered(log: Log, rng: Rng, k: int) -> Planted:
    last = _last(log)
    rows = []
    for _ in range(k):
        at = last["detected_at"] - dt.timedelta(days=int(rng.integers(2, 25)))
        row = {**dict.fromkeys(last), "detected_at": at, "kind": "incident", "started_at": at - 3 * MINUTE}
        row["severity"] = "critical" if rng.random() < 0.5 else "major"
        log.tables["incidents"].append(row)
        rows.append(row)
    return Planted(must={("incidents_answered",): [{"incidents": [row]} for row in rows]})


def _days(check: str, *columns: str) -> Callable[[Log, Rng, int], Planted]:
    """On every other day of work nothing says how good, or how dear, it was."""

    def plant(log: Log, rng: Rng, k: int) -> Planted:
        days = sorted({log.day(row["started_at"]) for row in log.live()})
        gone = set(np.array(days)[rng.permutation(len(days))[: (len(days) + 1) // 2]].tolist())
        rows = [
            row
            for row in log.tables["cases"]
            if row["arm"] == "pilot" and gone & {log.day(row["started_at"]), log.day(row["ended_at"])}
        ]
        for row in rows:
            row.update(dict.fromkeys(columns))
        return Planted(must={(check,): []}, touched={"cases": rows})

    return plant


_IN_TIME, _BACK = "pause_in_time", "restored"
STOPPING_KINDS = (
    Kind(
        name="no drill of late",
        plant=_old_drill,
        strength="221 to 369 days old",
        follows=(_IN_TIME, _BACK),
        accepts=SILENT,
        most=1,
        area="incidents",
    ),
    Kind(
        name="a pause that came late",
        plant=_incident(_IN_TIME, _slow),
        strength="20 to 90 minutes",
        most=1,
        area="incidents",
    ),
    Kind(
        name="service that was never restored",
        plant=_incident(_BACK, _to(restored_at=None, rolled_back_to=None)),
        strength="1 drill",
        most=1,
        area="incidents",
    ),
    Kind(
        name="a pause before its detection",
        plant=_incident("incident_times", _early_pause),
        strength="1 drill",
        follows=(_IN_TIME,),
        most=1,
        area="incidents",
    ),
    Kind(
        name="service restored before the pause",
        plant=_incident("incident_times", _early_restore),
        strength="1 drill",
        follows=(_BACK,),
        most=1,
        area="incidents",
    ),
    Kind(
        name="an incident that starts after its detection",
        plant=_incident("incident_times", _late_start),
        strength="1 drill",
        most=1,
        area="incidents",
    ),
    Kind(
        name="a severe incident without an answer",
        plant=_unanswered,
        strength="1 or 3 incidents",
        follows=(_IN_TIME, _BACK),
        most=3,
        area="incidents",
    ),
    Kind(
        name="a way back to an unknown version",
        plant=_incident("way_back", _to(rolled_back_to="build-78")),
        strength="1 drill",
        most=1,
        area="incidents",
    ),
    Kind(
        name="days of unknown quality",
        plant=_days("quality_by_day", "outcome", "severity"),
        strength="every other day",
        accepts=SILENT,
        most=1,
        area="quality",
    ),
    Kind(
        name="days of unknown cost",
        plant=_days("cost_by_day", "agent_cost"),
        strength="every other day",
        accepts=SILENT,
        most=1,
        area="cost",
    ),
)
