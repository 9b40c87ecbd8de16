"""Pilots made to order for tests: cases drawn from a stated truth, and every control in place unless taken away."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import yaml

CONTROL_TABLES = ("actions", "access", "evals", "changes", "incidents")

BASE: dict[str, Any] = {
    "samples": {
        "assignment": "randomised",
        "labels": {"selection": "all", "blind": True},
        "cases": "data/cases.csv",
        "actions": "data/actions.csv",
        "access": "data/access.csv",
        "evals": "data/evals.csv",
        "changes": "data/changes.csv",
        "incidents": "data/incidents.csv",
    },
    "demand": {
        "cases_per_month": {"low": 1800, "high": 2200, "source": "ledger"},
        "mix": {"a": 0.6, "b": 0.4},
    },
    "economics": {
        "start": "2027-01",
        "labour_cost_per_hour": {"low": 40, "high": 44, "source": "payroll"},
        "realisation": {
            "cash": {"min": 0.1, "mode": 0.2, "max": 0.3, "owner": "Head"},
            "redeployed": {"min": 0.2, "mode": 0.3, "max": 0.4, "owner": "Head"},
        },
        "adoption": {"ceiling": {"low": 0.6, "high": 0.9}, "ramp_months": 6},
        "error_cost": {"minor": 5, "moderate": 60, "major": 1200, "critical": 25000},
        "costs": [
            {"name": "Connector", "kind": "integration", "amount": 30000, "per": "once", "source": "quote"},
            {"name": "Support", "kind": "support", "amount": 500, "per": "month", "source": "quote"},
        ],
        "pilot_cost_per_month": 1000,
        "wind_down_cost": 2000,
    },
    "measurement": {
        "per_case": 12,
        "per_label": 8,
        "per_baseline_case": 15,
        "setup": 1500,
        "cases_per_week": 80,
    },
    "run": {"draws": 4000},
}


def cases(
    n: int = 1500,
    *,
    baseline: float = 15.0,
    pilot: float = 9.0,
    error_baseline: float = 0.05,
    error_pilot: float = 0.05,
    severe: float = 0.0,
    workers: int = 20,
    segments: Mapping[str, float] | None = None,
    by_segment: Mapping[str, tuple[float, float]] | None = None,
    share_pilot: float = 0.7,
    defects: float = 0.05,
    log_sd: float = 0.5,
    agent_cost: float = 0.2,
    seed: int = 1,
) -> list[dict[str, Any]]:
    """Rows of a cases table, randomised within workers; minutes are log-normal with the stated arithmetic means."""
    rng = np.random.default_rng(seed)
    shares = segments or {"a": 0.6, "b": 0.4}
    effect = np.exp(rng.normal(0, 0.15, workers))
    effect /= effect.mean()
    # What rng.choice does with these shares, without its overhead; the draws are the same.
    names, below = list(shares), np.cumsum(list(shares.values())) / sum(shares.values())
    rows = []
    start = dt.datetime(2026, 9, 1, 8)
    for i in range(n):
        arm = "pilot" if i % 10 < share_pilot * 10 else "baseline"
        segment = names[int(below.searchsorted(rng.random(), side="right"))]
        means = by_segment[segment] if by_segment else (baseline, pilot)
        worker = int(rng.integers(workers))
        mean = means[arm == "pilot"] * effect[worker]
        minutes = float(np.exp(rng.normal(np.log(mean) - log_sd**2 / 2, log_sd)))
        wrong = rng.random() < (error_pilot if arm == "pilot" else error_baseline)
        grave = wrong and rng.random() < severe
        rows.append(
            {
                "case_id": f"T{i:05d}",
                "arm": arm,
                "segment": segment,
                "worker": f"w{worker:02d}",
                "handling_minutes": round(minutes, 3),
                "outcome": "error" if wrong else "correct",
                "severity": ("major" if grave else "minor") if wrong else "",
                "cause": "",
                "input_defects": int(rng.random() < defects),
                "agent_cost": round(agent_cost * float(np.exp(rng.normal(-0.02, 0.2))), 6)
                if arm == "pilot"
                else "",
                "setting": "production",
                "version": "v2" if arm == "pilot" else "",
                "started_at": (start + dt.timedelta(minutes=30 * i)).isoformat(sep=" "),
            }
        )
    return rows


def controls(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Logs in which every control holds."""
    actions = []
    for i, row in enumerate(r for r in rows if r["arm"] == "pilot" and r["setting"] == "production"):
        at = dt.datetime.fromisoformat(row["started_at"])
        actions.append(
            {
                "action_id": f"A{i:05d}",
                "case_id": row["case_id"],
                "tool": "post",
                "system": "crm",
                "scope": "write",
                "effect": "write",
                "risk": "high",
                "requested_at": at.isoformat(sep=" "),
                "requester": "agent",
                "decision": "approved",
                "approver": f"p{i % 7}",
                "decided_at": (at + dt.timedelta(minutes=3)).isoformat(sep=" "),
                "executed_at": (at + dt.timedelta(minutes=4)).isoformat(sep=" "),
                "status": "ok",
            }
        )
    evals = [
        {
            "version": v,
            "eval_case": f"e{i}",
            "passed": int(i % 10 != 0 or v == "v2"),
            "ran_at": when,
            "critical": 0,
        }
        for v, when in (("v1", "2026-07-01 10:00"), ("v2", "2026-08-20 10:00"))
        for i in range(120)
    ]
    changes = [
        {"version": "v1", "changed_at": "2026-06-30 09:00", "kind": "model", "replaces": ""},
        {"version": "v2", "changed_at": "2026-08-19 09:00", "kind": "prompt", "replaces": "v1"},
    ]
    incidents = [
        {
            "detected_at": "2026-09-05 10:00",
            "kind": "drill",
            "paused_at": "2026-09-05 10:06",
            "restored_at": "2026-09-05 11:00",
        }
    ]
    access = [{"system": "crm", "scope": "write", "identity": "agent", "needed": 1}]
    return {"actions": actions, "access": access, "evals": evals, "changes": changes, "incidents": incidents}


def merged(base: Any, changes: Any) -> Any:
    """`base` with `changes` laid over it; None takes a key away."""
    if not (isinstance(base, dict) and isinstance(changes, dict)):
        return changes
    result = {k: v for k, v in base.items() if not (k in changes and changes[k] is None)}
    for key, value in changes.items():
        if value is not None:
            result[key] = merged(base.get(key), value)
    return result


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(dict.fromkeys(k for row in rows for k in row)))
        writer.writeheader()
        writer.writerows(rows)


def write_pilot(
    folder: Path,
    rows: list[dict[str, Any]],
    changes: dict[str, Any] | None = None,
    *,
    name: str = "made",
    without: tuple[str, ...] = (),
    policy: dict[str, Any] | None = None,
    tables: dict[str, list[dict[str, Any]]] | None = None,
) -> Path:
    """Write a pilot's parameter file, policy and tables into a folder of their own.

    Args:
        folder: An empty folder.
        rows: The cases.
        changes: What to lay over the parameters; None takes a key away.
        name: The pilot's name.
        without: Tables to leave out.
        policy: The policy file's keys.
        tables: Tables in place of the ones in which every control holds.

    Returns:
        The parameter file.
    """
    parameters = merged({"pilot": name, **deepcopy(BASE)}, changes or {})
    logs = {k: v for k, v in (controls(rows) | (tables or {})).items() if v and k not in without}
    for table in CONTROL_TABLES:
        if table not in logs:
            parameters["samples"].pop(table, None)
    write_csv(folder / "data/cases.csv", rows)
    for table, content in logs.items():
        write_csv(folder / f"data/{table}.csv", content)
    path = folder / "params" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(parameters, sort_keys=False), encoding="utf-8")
    (path.parent / "_policy.yaml").write_text(
        yaml.safe_dump(policy or {"approved_by": "Board"}), encoding="utf-8"
    )
    return path
