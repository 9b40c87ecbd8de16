"""promptfoo: grades counted from rows and held against the header's own counts; costs of 0 are unknown."""

from __future__ import annotations

import csv
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from roi.importers import read_export, recognise
from roi.importers.export import Export
from roi.readers.files import Found, look_through

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("ROI_REAL_DATA", ROOT / "../shared/data")).resolve() / "promptfoo-classification"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real results at {DATA} (set ROI_REAL_DATA)")


def read(*paths: Path) -> Export:
    found = [Found(p, p.name) for p in paths]
    assert {recognise(f) for f in found} == {"promptfoo"}
    return read_export("promptfoo", [(f, look_through(f)) for f in found])


def header(provider: str, passed: int, failed: int, **more: Any) -> str:
    metrics = {"testPassCount": passed, "testFailCount": failed, "totalLatencyMs": 900, "cost": 0.03,
               "tokenUsage": {"total": 330, "prompt": 300, "completion": 30, "cached": 0}}  # fmt: skip
    return json.dumps(
        {"raw": "be\nkind", "id": "abcdef0123456789", "provider": provider, "metrics": {**metrics, **more}}
    )


def write(path: Path, names: list[str], *rows: list[str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["label", "text", *names], *rows])
    return path


def test_a_table_of_results(tmp_path: Path) -> None:
    """Two models with three tests; the second one's header counts a pass that is not in its rows."""
    rows = [
        ["billing", "a", "[PASS] (1.00)\n\nx", "[PASS] (1.00)\n\nx"],
        ["claims", "b", "[FAIL] (0.00)\n\nx", "[ERROR] time-out"],
        ["claims", "c", "[PASS] (1.00)\n\nx", "stopped"],
    ]
    names = [header("small", 2, 1), header("large", 2, 1, cost=0) + ".1"]  # as pandas renames it
    found = read(write(tmp_path / "suite.csv", names, *rows))
    assert [tuple(r.get(k) for k in ("version", "eval_case", "passed", "segment", "suite")) for r in found.evals.rows] == [
        ("small · abcdef01", "1", "true", "billing", "suite"), ("large · abcdef01", "1", "true", "billing", "suite"),
        ("small · abcdef01", "2", "false", "claims", "suite"), ("large · abcdef01", "2", "false", "claims", "suite"),
        ("small · abcdef01", "3", "true", "claims", "suite"),
    ]  # fmt: skip
    names = [
        "version",
        "cases",
        "passed",
        "failed",
        "agent_cost",
        "input_tokens",
        "output_tokens",
        "latency_ms",
    ]
    assert [tuple(r.get(k) for k in names) for r in found.versions.rows] == [
        ("small · abcdef01", "3", "2", "1", "0.030000000", "300", "30", "900"),
        ("large · abcdef01", "2", "1", "1", None, "300", "30", "900"),
    ]
    assert found.left_out == {"a cell that is neither [PASS] nor [FAIL] is not graded": 1}
    assert [str(c) for c in found.contradictions] == [
        "cases that passed of large · abcdef01: the source says 2, its rows give 1; the rows stand"
    ]
    assert found.warnings == ("1 version has an unknown cost: a cost of 0 is logged",)
    assert found.traces.column("outcome") == ["correct", "correct", "error", "error", "correct"]


def test_a_plain_header_is_a_version_and_may_repeat(tmp_path: Path) -> None:
    found = read(
        write(tmp_path / "s.csv", ["[3 Haiku] p", "[3 Haiku] p"], ["x", "y", "[PASS] (1.00)", "[FAIL] (0)"])
    )
    assert found.evals.column("version") == ["[3 Haiku] p", "[3 Haiku] p (2)"]


@pytest.mark.parametrize("nested", [True, False])
def test_results_as_json(tmp_path: Path, nested: bool) -> None:
    results = [
        {"provider": {"id": "openai:gpt"}, "promptId": "abcdef0123456789", "success": ok, "testIdx": i, "vars": {"label": "x"},
         "cost": 0.01 * i, "latencyMs": 12, "response": {"tokenUsage": {"total": 11, "prompt": 10, "completion": 1}}}
        for i, ok in enumerate([True, False])
    ]  # fmt: skip
    prompts = [json.loads(header("openai:gpt", 2, 0))]
    inner = {"version": 3, "results": [*results, {"provider": "x"}], "prompts": prompts}
    value = {"evalId": "e1", "results": inner} if nested else {"evalId": "e1", **inner}
    path = tmp_path / "out.json"
    path.write_text(json.dumps(value))
    found = read(path)
    assert [tuple(r.get(k) for k in ("eval_case", "passed", "run_id", "agent_cost", "input_tokens")) for r in found.evals.rows] == [
        ("1", "true", "e1", None, "10"), ("2", "false", "e1", "0.010000000", "10")
    ]  # fmt: skip
    assert {c.what.split(" of ")[0] for c in found.contradictions} == {
        "cases that passed",
        "cases that failed",
    }
    assert sum(found.left_out.values()) == 1


PASSED = [48, 48, 47, 49, 48, 64, 63, 64, 64, 61, 65, 65, 64, 64, 65]


@needs_data
def test_the_real_results() -> None:
    """Counts of [PASS] equal the header in 15 of 15 columns; shares and costs at T = 0 as the README of the data has them."""
    found = read(DATA / "results.csv")
    assert len(found.evals.rows) == 1020
    assert len(found.versions.rows) == 15
    assert found.contradictions == ()
    at_zero = [r for r in found.versions.rows if r["provider"] == "Haiku: T-0.0"]
    shares = [round(int(r["passed"] or 0) / int(r["cases"] or 0), 3) for r in at_zero]
    costs = [round(Decimal(r["agent_cost"] or 0), 5) for r in at_zero]
    assert (shares, costs) == (
        [0.706, 0.941, 0.956],
        [Decimal("0.01355"), Decimal("0.01829"), Decimal("0.03910")],
    )
    assert [int(r["passed"] or 0) for r in found.versions.rows] == PASSED


@needs_data
def test_the_earlier_results_have_no_known_cost() -> None:
    found = read(DATA / "results_earlier_version.csv")
    assert (len(found.evals.rows), len(found.versions.rows), found.contradictions) == (25 * 15, 15, ())
    assert "agent_cost" not in found.versions.names
    assert found.warnings == ("15 versions have an unknown cost: a cost of 0 is logged",)


@needs_data
def test_the_results_without_json_in_their_header() -> None:
    found = read(DATA / "text_to_sql_results.csv")
    assert (len(found.evals.rows), len(found.versions.rows)) == (30, 10)
    assert [recognise(Found(DATA / n, n), asked=True) for n in ("dataset.csv", "test.tsv")] == [None, None]
