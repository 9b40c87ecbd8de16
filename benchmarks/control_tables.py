"""Changes, grants, runs of a suite, and drills: the tables of a log beside its cases and actions."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
from control_work import one

if TYPE_CHECKING:
    from control_logs import Log, Rng, Row

__all__ = ["access_of", "changes_of", "evals_of", "incidents_of"]


def changes_of(rng: Rng, log: Log, days: list[dt.date]) -> list[Row]:
    count = int(rng.integers(2, 4))
    style = str(rng.choice(["v{}", "release-{}", "1.{}.0"]))
    # All before the first case, or the later ones while work goes on; always at night.
    if rng.random() < 0.5:
        when = sorted(days[0] - dt.timedelta(days=int(d)) for d in rng.choice(np.arange(3, 60), count, False))
    else:
        inside = sorted(rng.choice(np.arange(2, len(days) - 2), count - 1, False).tolist())
        when = [days[0] - dt.timedelta(days=5), *(days[i] for i in inside)]
    return [
        {
            "version": style.format(i + 1),
            "changed_at": log.local(day, 23.5),
            "kind": str(rng.choice(["prompt", "model", "tool", "data"])),
            "replaces": style.format(i),
            "approved_by": str(rng.choice(["owner-1", "owner-2"])),
            "rolled_back_at": None,
        }
        for i, day in enumerate(when)
    ]


def access_of(rng: Rng, log: Log) -> list[Row]:
    """A grant of each right that was used, some of them renewed while work went on."""
    asked: dict[tuple[str, str, str], list[Row]] = {}
    live = {row["case_id"] for row in log.live()}
    for row in log.tables["actions"]:
        if row["case_id"] not in live:
            continue
        agent = row["requester"] if row["requester"] in log.agents else log.agents[0]
        asked.setdefault((row["system"], row["scope"], agent), []).append(row)
    first = min(row["started_at"] for row in log.tables["cases"])
    rows: list[Row] = []
    for (system, scope, agent), calls in sorted(asked.items()):
        if not any(call["status"] == "ok" for call in calls):  # or its grant would be unused
            call = calls[0]
            call["status"] = "ok"
            call["decision"] = "auto" if call["approver"] is None else "approved"
            call["executed_at"] = call["decided_at"] or call["requested_at"]
        times = sorted(call["executed_at"] for call in calls if call["status"] == "ok")
        since = first - dt.timedelta(days=int(rng.integers(3, 60)))
        until = log.local(log.as_of, 12) + dt.timedelta(days=int(rng.integers(60, 400)))
        row = {
            "system": system,
            "scope": scope,
            "identity": agent,
            "granted_by": str(rng.choice(["admin-1", "admin-2"])),
            "granted_at": since,
            "expires": until,
            "needed": 1,
            "needed_by": "handling",
        }
        rows.append(row)
        if len(times) > 12 and rng.random() < 0.25:  # renewed in time, so that both were used
            middle = times[len(times) // 2]
            overlap = dt.timedelta(hours=float(rng.choice([0, 30])))
            row["expires"] = min(middle + overlap, times[-3])
            rows.append({**row, "granted_at": middle, "expires": until})
    return rows


def evals_of(rng: Rng, log: Log) -> list[Row]:
    """Each version before and after it went live; a little better each time, the same at every run of it."""
    shares = np.array(list(log.mix.values()))
    size = int(rng.integers(150, 300))
    counts = np.maximum(np.round(shares / shares.sum() * size).astype(int), 15)
    segments = [name for name, k in zip(log.mix, counts, strict=True) for _ in range(k)]
    size = len(segments)
    critical = rng.random(size) < 0.08
    passes = (rng.random(size) < rng.uniform(0.75, 0.85)) | critical
    changes = log.tables["changes"]
    rows: list[Row] = []

    def run(version: str, when: dt.datetime) -> None:
        name = f"run-{len(rows) // size:03d}"
        rows.extend(
            {
                "version": version,
                "eval_case": f"E{i:04d}",
                "passed": int(passes[i]),
                "suite": "acceptance",
                "run_id": name,
                "ran_at": when,
                "segment": segments[i],
                "critical": int(critical[i]),
            }
            for i in range(size)
        )

    run(changes[0]["replaces"], changes[0]["changed_at"] - dt.timedelta(days=2))
    for change in changes:
        held, failed = np.flatnonzero(passes & ~critical), np.flatnonzero(~passes)
        worse = int(rng.integers(0, 4))
        better = int(min(worse + rng.integers(2, 6), len(failed) - 6))
        passes = passes.copy()
        passes[rng.choice(held, worse, False)] = False
        passes[rng.choice(failed, better, False)] = True
        run(change["version"], change["changed_at"] - dt.timedelta(hours=20))
        run(change["version"], change["changed_at"] + dt.timedelta(hours=float(rng.uniform(0.2, 0.4))))
        if rng.random() < 0.4:
            run(change["version"], change["changed_at"] + dt.timedelta(hours=10))
    return rows


def incidents_of(rng: Rng, log: Log) -> list[Row]:
    """Older incidents and drills, and a drill of late; each detected before work began and over before it did."""
    days = sorted(int(d) for d in rng.choice(np.arange(170, 400), int(rng.integers(0, 4)), False))[::-1]
    rows: list[Row] = []
    since = (log.as_of - log.day(log.tables["changes"][0]["changed_at"])).days
    for age in (*days, int(rng.integers(1, min(since, 150)))):
        kind = str(rng.choice(["drill", "incident"])) if age > 150 else "drill"
        detected = log.local(log.as_of - dt.timedelta(days=age), 3.5 + float(rng.random()))
        paused = detected + dt.timedelta(minutes=float(rng.uniform(1, 12)))
        listed = [c["version"] for c in log.tables["changes"] if c["changed_at"] < detected]
        rows.append(
            {
                "detected_at": detected,
                "kind": kind,
                "started_at": detected - dt.timedelta(minutes=float(rng.uniform(1, 30))),
                "paused_at": paused.replace(microsecond=0),
                "restricted_at": None,
                "restored_at": (paused + dt.timedelta(minutes=float(rng.uniform(15, 90)))).replace(
                    microsecond=0
                ),
                "rolled_back_to": one(rng, listed) if listed else None,
                "severity": str(rng.choice(["minor", "moderate", "major"])) if kind == "incident" else None,
                "cost": round(float(rng.uniform(0, 500)), 2) if kind == "incident" else None,
            }
        )
        rows[-1]["started_at"] = rows[-1]["started_at"].replace(microsecond=0)
    return rows
