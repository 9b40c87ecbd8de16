"""Pilots that are good until a test breaks them, and what the command line says of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pilots import cases

from roi.cli import main

COLUMNS = ("case_id", "arm", "handling_minutes", "outcome", "severity", "segment", "worker", "started_at")
PARAMETERS = """\
pilot: made
about: {title: A pilot, currency: EUR}
samples:
  assignment: randomised
  cases: data/cases.csv
demand:
  cases_per_month: 2000
  mix: {a: 0.6, b: 0.4}
economics:
  labour_cost_per_hour: 40
  error_cost: 50
  run_cost_per_month: 300
  rollout_cost: 20000
run: {draws: 1000}
"""


def good_rows(n: int = 40) -> list[dict[str, Any]]:
    return [{name: row[name] for name in COLUMNS} for row in cases(n, workers=4)]


def as_csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(dict.fromkeys(k for row in rows for k in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@dataclass(frozen=True, kw_only=True)
class Bad:
    """One thing that is wrong with an otherwise good pilot.

    Attributes:
        says: What the message has to hold: the place and the mend.
        text: (old, new) in the parameter file, or all of it.
        cells: Column → value, in the fourth data row.
        rows: Makes other rows of the good ones.
        files: Files (relative to the project) → content, after everything else.
        policy: The policy file.
        hides: What no message may repeat.
    """

    says: tuple[str, ...]
    text: tuple[str, str] | str | bytes | None = None
    cells: dict[str, str] = field(default_factory=dict)
    rows: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] | None = None
    files: dict[str, str | bytes] = field(default_factory=dict)
    policy: str = "approved_by: Board\n"
    hides: tuple[str, ...] = ()


def lay(folder: Path, bad: Bad) -> Path:
    """Write a pilot with what is wrong with it; returns its parameter file."""
    rows = good_rows()
    rows[3] |= bad.cells
    if bad.rows is not None:
        rows = bad.rows(rows)
    text: str | bytes = PARAMETERS
    if isinstance(bad.text, tuple):
        old, new = bad.text
        assert old in PARAMETERS
        text = PARAMETERS.replace(old, new)
    elif bad.text is not None:
        text = bad.text
    files = {
        "data/cases.csv": as_csv(rows),
        "params/made.yaml": text,
        "params/_policy.yaml": bad.policy,
        **bad.files,
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / "params/made.yaml"


def held(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(p.relative_to(folder)): (p.stat().st_size, p.stat().st_mtime_ns)
        for p in folder.rglob("*")
        if p.is_file()
    }


def invoke(*arguments: str) -> Result:
    done = CliRunner().invoke(main, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(name="project")
def in_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which the command line is called."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


MARKUP = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> & {{ 7*7 }} [a](javascript:alert(3)) **b**"
)
RICH: dict[str, Any] = {
    "about": {
        "title": "A pilot",
        "workflow": "Post",
        "goal": {"text": "Five minutes", "metric": "minutes_saved_per_case", "target": 5, "by": "2026-12-31"},
        "owner": "Head",
        "prepared_by": "Analyst",
        "budget_owner": "Chief",
        "finance_reviewer": "Controller",
        "currency": "EUR",
        "started": "2026-03-01",
        "decide_by": "2026-12-15",
        "spent_to_date": 180000,
    },
    "remedies": [
        {"name": f"Mend {MARKUP}", "addresses": "data", "removes_share": {"low": 0.5, "high": 0.9, "source": "x"}, "cost": 4000, "weeks": 6},
        {"name": f"Control {MARKUP}", "addresses": "severe_errors", "cost": 900, "owner": "Head"},
    ],
    "alternatives": [{"name": f"Form {MARKUP}", "minutes_saved": {"low": 1, "high": 3}, "cost": 30000, "cost_per_month": 200}],
    "claims": [{"quantity": "minutes_saved_per_case", "value": 11, "by": "vendor", "source": "demo"}],
}  # fmt: skip
