"""Runs without a notebook: a pilot decided as a batch decides it, its record issued and its report folder published."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from pathlib import Path
from typing import Any

from pilots import cases, write_csv, write_pilot

from roi.batch.outputs import publish, record_text, staging
from roi.issue import Run, issuing
from roi.ledger import LEDGER, issue
from roi.pilot import open_pilot

REMEDY = {
    "name": "Validate inputs",
    "addresses": "data",
    "removes_share": {"low": 0.5, "high": 0.9},
    "cost": 20000,
    "cost_per_month": 0,
    "weeks": 6,
    "owner": "IT",
}


def issued(parameters: Path, out: Path, **groups: Any) -> Path:
    """Decide a pilot, enter its record and publish its folder, which is returned."""
    name = parameters.stem
    with staging(out, name) as folder:
        with issuing(Run(pilot=name, folder=folder, ledger=out / LEDGER)):
            record = open_pilot(parameters, **groups).decision.record
        (folder / "decision.json").write_text(record_text(record), encoding="utf-8", newline="\n")
        digest = hashlib.sha256((folder / "moments.json").read_bytes()).hexdigest()
        issue(out / LEDGER, record, moments_sha256=digest)
        publish(folder, out / name)
    return out / name


def random_rows(rng: random.Random) -> list[dict[str, Any]]:
    """Cases of every make: with and without people, pairs, labels, a judge, predictions, costs, a demo, times."""
    rows = cases(
        rng.randrange(60, 400),
        baseline=rng.uniform(8, 20),
        pilot=rng.uniform(5, 15),
        error_baseline=rng.uniform(0.01, 0.15),
        error_pilot=rng.uniform(0.01, 0.15),
        severe=rng.choice([0.0, 0.2]),
        workers=rng.choice([1, 2, 3, 4, 6, 9, 20]),
        share_pilot=rng.choice([0.5, 0.7]),
        log_sd=rng.choice([0.3, 0.5, 1.2]),
        seed=rng.randrange(10**6),
    )
    for name in ("worker", "severity", "cause", "input_defects", "agent_cost", "version"):
        if rng.random() < 0.25:
            for row in rows:
                row.pop(name)
    if rng.random() < 0.1:
        rows = [row for row in rows if row["arm"] == "pilot"]
    if rng.random() < 0.2:
        for i, row in enumerate(rows):
            row["pair_id"] = f"P{i // 2}"
    for row in rows if rng.random() < 0.3 else []:
        row["predicted_minutes"] = round(row["handling_minutes"] * rng.uniform(0.7, 1.4) + 1, 2)
    for row in rows if rng.random() < 0.3 else []:
        row["judge_outcome"] = row["outcome"] if rng.random() < 0.9 else "error"
        if rng.random() < 0.5:
            row["outcome"] = row["severity"] = ""
    for row in rows if rng.random() < 0.3 else []:
        row["rework_minutes"] = "" if rng.random() < 0.1 else round(rng.expovariate(1.0), 3)
    for i, row in enumerate(rows if rng.random() < 0.2 else []):
        row["setting"] = "demo" if i % 9 == 0 else "production"
    return rows


def random_pilot(folder: Path, seed: int) -> Path:
    """A small pilot of any kind; the same seed gives the same files."""
    rng = random.Random(seed)
    rows = random_rows(rng)
    changes: dict[str, Any] = {
        "run": {"draws": 1000, "seed": rng.randrange(10**6), "looks": rng.choice([1, 1, 3])}
    }
    changes["samples"] = {"assignment": rng.choice(["randomised", "before_after", "observational"])}
    changes["samples"]["labels"] = {"selection": rng.choice(["all", "random", "unknown"]), "blind": True}
    changes["about"] = {
        "title": "Prüfung – «ß» № 7",
        "prepared_by": "A. Müller",
        "started": dt.date(2026, 3, 1),
    }
    if rng.random() < 0.4:
        changes["remedies"] = [REMEDY | {"cost": rng.choice([5000, {"low": 4000, "high": 90000}])}]
    if rng.random() < 0.3:
        changes["demand"] = {"mix": None}
    if rng.random() < 0.2:
        changes["economics"] = {"realisation": None, "adoption": None}
    if rng.random() < 0.2:
        changes["economics"] = {
            "labour_cost_per_hour": {"low": None, "high": None, "values": [38.5, 41.0, 44.25]}
        }
    without = tuple(t for t in ("actions", "access", "evals", "changes", "incidents") if rng.random() < 0.2)
    policy = {
        "approved_by": "Board",
        "privacy": {"min_group": 2},
        "scale_probability": rng.choice([0.8, 0.9]),
    }
    path = write_pilot(folder, rows, changes, name=f"made_{seed}", without=without, policy=policy)
    if rng.random() < 0.15:  # its logs carry times, its cases none
        write_csv(
            folder / "data/cases.csv", [{k: v for k, v in r.items() if k != "started_at"} for r in rows]
        )
    return path
