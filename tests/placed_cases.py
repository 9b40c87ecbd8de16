"""Cases with typed columns, as a database has them, the parameters of a pilot that has them there, and its record."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from roi.analysis import analyse
from roi.parameters import LoadedParameters
from roi.record import build_record
from roi.samples import Samples

needs_spark = pytest.mark.skipif(
    importlib.util.find_spec("pyspark") is None or shutil.which("java") is None,
    reason="pyspark (pip install 'roi[spark]') or Java is not installed",
)

NAMES = ("Ann Lee", "ann  lee ", "Jörg Groß", "JÖRG GROSS", "Ελένη Σάς", "李雷", "O'Neil, P.", "Zoë")
TYPES = {
    "ticket": "varchar", "variant": "varchar", "handling_s": "bigint", "review": "double", "rework": "decimal(10,4)",
    "result": "varchar", "severity": "varchar", "cause": "varchar", "used": "boolean", "input_defects": "integer",
    "channel": "varchar", "clerk": "varchar", "setting": "varchar", "version": "varchar", "started_at": "timestamptz",
    "ended_at": "timestamptz", "predicted_minutes": "double", "amount": "decimal(14,2)", "agent_cost": "double",
    "cost_currency": "varchar", "judge_outcome": "varchar", "judge_severity": "varchar",
}  # fmt: skip
COLUMNS: dict[str, Any] = {
    "case_id": "ticket",
    "arm": {"from": "variant", "values": {"Früher": "baseline", "KI": "pilot"}},
    "handling_minutes": {"from": "handling_s", "unit": "seconds"},
    "review_minutes": {"from": "review", "blank": "zero"},
    "rework_minutes": {"from": "rework", "blank": "missing"},
    "outcome": {"from": "result", "values": {"Übergeben": "escalated", "": None}},
    "segment": "channel",
    "worker": "clerk",
}


def rows(n: int, *, workers: int = 24, seed: int = 1) -> list[tuple[Any, ...]]:
    """So many cases."""
    rng = np.random.default_rng(seed)
    found = []
    start = dt.datetime(2026, 3, 2, 7, 30, tzinfo=dt.UTC)
    for i in range(n):
        pilot, demo = bool(rng.random() < 0.6), bool(rng.random() < 0.08)
        result = str(rng.choice(["correct", "error", "übergeben", "abandoned"], p=[0.82, 0.1, 0.06, 0.02]))
        wrong = result == "error"
        at = start + dt.timedelta(hours=float(rng.uniform(0, 24 * 90)))
        clerk = int(rng.integers(workers))
        found.append((
            f" T-{i} " if i % 7 == 0 else f"T-{i}",
            "ki" if pilot else "FRÜHER",
            None if rng.random() < 0.03 else int(rng.lognormal(6.0 if pilot else 6.4, 0.6)),
            None if not pilot or rng.random() < 0.1 else float(rng.lognormal(0.2, 0.5)),
            None if rng.random() < 0.05 else Decimal(int(rng.integers(0, 60000))) / 10000 * int(rng.random() < 0.3),
            None if rng.random() < 0.04 else result,
            str(rng.choice(["minor", "moderate", "major"], p=[0.7, 0.25, 0.05])) if wrong else None,
            str(rng.choice(["model", "data", "workflow"])) if wrong and rng.random() < 0.7 else None,
            bool(rng.random() < 0.9),
            None if rng.random() < 0.1 else int(rng.integers(0, 3)),
            str(rng.choice(["email", "portal", "Post / Fax"], p=[0.55, 0.35, 0.1])),
            NAMES[clerk] if clerk < len(NAMES) else f"w{clerk:04d}",
            "demo" if demo else "production",
            None if not pilot else "v1" if at < start + dt.timedelta(days=20) else "v2",
            at,
            at + dt.timedelta(minutes=float(rng.uniform(5, 90))),
            float(rng.lognormal(2.0, 0.4)),
            Decimal(int(rng.integers(100, 9_000_000))) / 100,
            None if not pilot or rng.random() < 0.02 else float(rng.lognormal(-2.0, 0.5)),
            None if not pilot else str(rng.choice(["usd", "EUR"], p=[0.9, 0.1])),
            None, None,
        ))  # fmt: skip
    return [
        (*r[:5], None if r[6] and r[5] != "error" else r[5], r[6] if r[5] == "error" else None, *r[7:])
        for r in found
    ]


def write(
    folder: Path,
    source: dict[str, Any],
    *,
    engine: str | None,
    columns: dict[str, Any] | None = None,
    **groups: Any,
) -> Path:
    """A parameter file whose cases lie in a database."""
    given = {
        "pilot": "placed",
        "about": {"currency": "EUR"},
        "samples": {
            "assignment": "randomised",
            "timezone": "Europe/Berlin",
            "labels": {"selection": "all"},
            "cases": {"source": source, "columns": COLUMNS if columns is None else columns},
            **groups.pop("samples", {}),
        },
        "demand": {"cases_per_month": {"low": 3800, "high": 5200}},
        "economics": {
            "labour_cost_per_hour": {"low": 38, "high": 46},
            "error_cost": {"minor": 5, "moderate": 60, "major": 1200, "critical": 25000},
            "run_cost_per_month": 900,
            "rollout_cost": 12000,
            "realisation": {"cash": {"min": 0.1, "mode": 0.2, "max": 0.35}, "redeployed": {"min": 0.1, "mode": 0.3, "max": 0.5}},
            "adoption": {"ceiling": {"low": 0.6, "high": 0.9}, "ramp_months": 6},
            "fx": {"USD": 0.9},
        },
        "run": {"draws": 2000, **({} if engine is None else {"engine": engine})},
        **groups,
    }  # fmt: skip
    (folder / "params").mkdir(exist_ok=True)
    path = folder / "params" / "placed.yaml"
    path.write_text(yaml.safe_dump(given, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def record_of(loaded: LoadedParameters, samples: Samples) -> dict[str, Any]:
    """The record as JSON has it, without what says where its rows came from and were reduced."""
    record: dict[str, Any] = json.loads(json.dumps(build_record(analyse(loaded, samples))))
    del record["provenance"]
    for key in ("samples.cases (files and columns)", "samples.actions (files and columns)"):
        record["settings"].pop(key, None)
    assert record["settings"].pop("run.engine", None) == loaded.parameters.run.engine
    return record
