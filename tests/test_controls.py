"""Controls read from logs: what a log does not say is missing evidence, and what contradicts itself does not hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pilots import cases, controls, write_pilot

from roi.controls import audit_trail, bounded_access, evaluation, human_approval, rollback
from roi.gate import Gate
from roi.parameters import load_parameters
from roi.samples import Samples, open_samples

Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    return cases(60, workers=6)


def opened(
    folder: Path, rows: list[dict[str, Any]], tables: Tables, without: tuple[str, ...] = ()
) -> Samples:
    return open_samples(load_parameters(write_pilot(folder, rows, tables=tables, without=without)))


def approved(folder: Path, rows: list[dict[str, Any]], tables: Tables) -> Gate:
    return human_approval(opened(folder, rows, tables), limit=0.5, high_risk_tools=())


def without(tables: Tables, table: str, *columns: str) -> Tables:
    kept = [{k: v for k, v in row.items() if k not in columns} for row in tables[table]]
    return tables | {table: kept}


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        (("approver",), "does not say who approved."),
        (("requester",), "does not say who asked."),
        (("approver", "requester"), "does not say who approved or who asked."),
    ],
)
def test_approval_by_nobody_known_is_missing_evidence(tmp_path, rows, columns, text):
    tables = controls(rows)
    assert approved(tmp_path / "whole", rows, tables).state == "shown"
    gate = approved(tmp_path / "cut", rows, without(tables, "actions", *columns))
    assert gate.state == "missing_evidence"
    assert text in gate.evidence
    assert gate.mend


def test_a_column_of_requesters_without_an_entry_says_as_little_as_none(tmp_path, rows):
    tables = controls(rows)
    for action in tables["actions"]:
        action["requester"] = ""
    assert approved(tmp_path, rows, tables).state == "missing_evidence"


def test_what_was_decided_before_it_was_requested_was_not_approved(tmp_path, rows):
    tables = controls(rows)
    for action in tables["actions"][:2]:
        action["requested_at"] = "2026-12-24 10:00"
    gate = approved(tmp_path, rows, tables)
    assert gate.counts == (2, len(tables["actions"]))
    assert "2 actions were decided before they were requested" in gate.evidence
    tables["actions"][0]["requested_at"] = ""  # where nobody logged it, nothing contradicts
    gate = approved(tmp_path / "one", rows, tables)
    assert "1 action was decided before it was requested" in gate.evidence


def test_runs_without_a_time_are_missing_evidence(tmp_path, rows):
    tables = controls(rows)
    assert evaluation(opened(tmp_path / "whole", rows, tables)).state == "shown"
    gate = evaluation(opened(tmp_path / "cut", rows, without(tables, "evals", "ran_at")))
    assert (gate.state, bool(gate.mend)) == ("missing_evidence", True)


def test_the_live_version_is_never_guessed_from_the_order_of_runs(tmp_path, rows):
    gate = evaluation(opened(tmp_path, rows, controls(rows), ("changes",)))
    assert gate.state == "missing_evidence"
    assert gate.evidence == "No list of changes says which version is live and what it replaced."
    assert "samples.changes" in gate.mend


def test_one_critical_case_fails_in_the_singular(tmp_path, rows):
    tables = controls(rows)
    last = tables["evals"][-1]
    last["critical"], last["passed"] = 1, 0
    gate = evaluation(opened(tmp_path, rows, tables))
    assert gate.state == "exceeded"
    assert gate.evidence.endswith("; 1 critical case fails.")


@pytest.mark.parametrize(
    ("paused", "state", "text"),
    [
        ("2026-09-05 10:01", "shown", "paused 1 minute after detection and service was restored."),
        (
            "2026-09-05 09:40",
            "exceeded",
            "paused 20 minutes before detection: the times contradict each other.",
        ),
    ],
)
def test_a_pause_before_its_detection_contradicts_itself(tmp_path, rows, paused, state, text):
    tables = controls(rows)
    tables["incidents"][0]["paused_at"] = paused
    gate = rollback(opened(tmp_path, rows, tables), as_of=None, max_age_days=180, max_minutes=15)
    assert gate.state == state
    assert gate.evidence.endswith(text)
    assert bool(gate.mend) is (state == "exceeded")


def test_one_action_id_occurs_in_the_singular(tmp_path, rows):
    tables = controls(rows)
    copy = dict(tables["actions"][0])
    copy["tool"], copy["executed_at"] = "send", tables["actions"][1]["executed_at"]
    tables["actions"].append(copy)
    gate = audit_trail(opened(tmp_path, rows, tables))
    assert gate.state == "exceeded"
    assert gate.evidence == "1 action id occurs more than once."


def test_one_idle_grant_is_in_the_singular(tmp_path, rows):
    tables = controls(rows)
    spare = {"system": "mail", "scope": "send", "identity": "agent", "needed": 0}
    gate = bounded_access(opened(tmp_path, rows, tables | {"access": [*tables["access"], spare]}))
    assert gate.evidence.endswith("1 of 2 grants was never used and 1 is marked as not needed.")
