"""Controls read from logs: what a log does not say is missing evidence, and what contradicts itself does not hold."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pilots import cases, controls, write_pilot

from roi.controls import Logs, look
from roi.gate import Gate
from roi.parameters import Policy, load_parameters
from roi.samples import Samples, open_samples

Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    return cases(60, workers=6)


def opened(
    folder: Path, rows: list[dict[str, Any]], tables: Tables, without: tuple[str, ...] = ()
) -> Samples:
    return open_samples(load_parameters(write_pilot(folder, rows, tables=tables, without=without)))


def gate(name: str, samples: Samples) -> Gate:
    logs = Logs(samples=samples, policy=Policy(max_approval_miss_rate=0.5), as_of=date(2026, 12, 1))
    return next(found for found in look(logs).gates() if found.gate == name)


def approved(folder: Path, rows: list[dict[str, Any]], tables: Tables) -> Gate:
    return gate("human_approval", opened(folder, rows, tables))


def without(tables: Tables, table: str, *columns: str) -> Tables:
    kept = [{k: v for k, v in row.items() if k not in columns} for row in tables[table]]
    return tables | {table: kept}


@pytest.mark.slow
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
    found = approved(tmp_path / "cut", rows, without(tables, "actions", *columns))
    assert found.state == "missing_evidence"
    assert text in found.evidence
    assert found.mend


def test_a_column_of_requesters_without_an_entry_says_as_little_as_none(tmp_path, rows):
    tables = controls(rows)
    for action in tables["actions"]:
        action["requester"] = ""
    assert approved(tmp_path, rows, tables).state == "missing_evidence"


@pytest.mark.slow
def test_what_was_decided_before_it_was_requested_was_not_approved(tmp_path, rows):
    tables = controls(rows)
    for action in tables["actions"][:2]:
        action["requested_at"] = "2026-12-24 10:00"
    found = approved(tmp_path, rows, tables)
    assert found.counts == (2, len(tables["actions"]))
    assert "2 actions were decided before they were requested" in found.evidence
    tables["actions"][0]["requested_at"] = ""  # where nobody logged it, nothing contradicts
    found = approved(tmp_path / "one", rows, tables)
    assert "1 action was decided before it was requested" in found.evidence


@pytest.mark.slow
def test_runs_without_a_time_are_missing_evidence(tmp_path, rows):
    tables = controls(rows)
    assert gate("evaluation", opened(tmp_path / "whole", rows, tables)).state == "shown"
    found = gate("evaluation", opened(tmp_path / "cut", rows, without(tables, "evals", "ran_at")))
    assert (found.state, bool(found.mend)) == ("missing_evidence", True)


def test_the_live_version_is_never_guessed_from_the_order_of_runs(tmp_path, rows):
    found = gate("evaluation", opened(tmp_path, rows, controls(rows), ("changes",)))
    assert found.state == "missing_evidence"
    assert found.evidence == "No list of changes says which version is live and what it replaced."
    assert "samples.changes" in found.mend


def test_one_critical_case_fails_in_the_singular(tmp_path, rows):
    tables = controls(rows)
    last = tables["evals"][-1]
    last["critical"], last["passed"] = 1, 0
    found = gate("evaluation", opened(tmp_path, rows, tables))
    assert found.state == "exceeded"
    assert found.evidence.startswith("1 of 1 critical case fails on the live version.")


@pytest.mark.parametrize(
    ("paused", "state", "text"),
    [
        ("2026-09-05 10:01", "shown", "paused 1 minute after detection."),
        (
            "2026-09-05 09:40",
            "exceeded",
            "The times of 1 of 1 drill or incident contradict each other.",
        ),
    ],
)
def test_a_pause_before_its_detection_contradicts_itself(tmp_path, rows, paused, state, text):
    tables = controls(rows)
    tables["incidents"][0]["paused_at"] = paused
    found = gate("rollback", opened(tmp_path, rows, tables))
    assert found.state == state
    assert found.evidence.endswith(text)
    assert bool(found.mend) is (state == "exceeded")


def test_one_action_id_occurs_in_the_singular(tmp_path, rows):
    tables = controls(rows)
    copy = dict(tables["actions"][0])
    copy["tool"], copy["executed_at"] = "send", tables["actions"][1]["executed_at"]
    tables["actions"].append(copy)
    found = gate("audit_trail", opened(tmp_path, rows, tables))
    assert found.state == "exceeded"
    assert found.evidence == "1 of 43 actions repeats the id of an earlier one."


def test_spare_grants_are_told_and_close_nothing(tmp_path, rows):
    tables = controls(rows)
    spare = {"system": "mail", "scope": "send", "identity": "agent", "needed": 0}
    found = gate("bounded_access", opened(tmp_path, rows, tables | {"access": [*tables["access"], spare]}))
    assert found.state == "shown"
    assert found.evidence.endswith("2 further findings do not close the gate.")
