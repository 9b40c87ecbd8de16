"""All rows of each finding of the controls, as a file."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest
from made_controls import clean, logs_of
from pilots import cases, controls, write_pilot

from roi.controls.catalogue import CATALOGUE
from roi.controls.check import Check, Rows
from roi.controls.findings_list import COLUMNS, write_findings
from roi.controls.scorecard import Scorecard, look
from roi.pilot import open_pilot


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == COLUMNS
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def written(logs, folder):
    card = look(logs)
    return card, read(write_findings(card, logs.samples, folder / "findings.csv"))


@pytest.fixture
def tables():
    return clean()


def test_every_row_is_named_with_its_case_and_action(tables, tmp_path):
    at = [i for i, row in enumerate(tables["actions"]) if row["decision"] == "approved"][100:145]
    for i in at:
        tables["actions"][i] |= {"decision": "auto", "approver": None, "decided_at": None}
    card, rows = written(logs_of(tables), tmp_path)
    own = [row for row in rows if row["check"] == "approved_before"]
    assert [int(row["row"]) for row in own] == [i + 1 for i in at]  # 45, of which the record names 20
    assert [row["action_id"] for row in own] == [f"A{i:05d}" for i in at]
    assert [row["case_id"] for row in own] == [f"T{i:05d}" for i in at]
    (check,) = (c for c in card.checks if c.name == "approved_before")
    assert {(row["layer"], row["status"], row["what"], row["mend"]) for row in own} == {
        ("Approval by a person before risky actions", "fail", check.evidence, check.mend)
    }


def test_each_check_that_does_not_pass_has_its_rows_or_a_line_and_no_other_has(tables, tmp_path):
    for i, row in enumerate(tables["actions"]):
        row["case_id"] = None if i % 3 == 0 else row["case_id"]
        row["status"] = None if i % 5 == 0 else row["status"]
        row["decided_at"] = row["requested_at"] if i % 7 == 0 else row["decided_at"]
    for i, row in enumerate(tables["evals"]):
        row["passed"] = row["passed"] and i % 4 > 0
    card, rows = written(logs_of(tables), tmp_path)
    by_check = {c.name: [r for r in rows if r["check"] == c.name] for c in card.checks}
    for c in card.checks:
        told = by_check[c.name]
        if c.status == "pass" or CATALOGUE[c.name].personal:
            assert not told, c.name
        elif c.rows is None or not c.rows.count:
            assert [(r["table"], r["row"]) for r in told] == [("", "")], c.name
        else:
            numbers = [int(r["row"]) for r in told if r["row"].isdigit()]
            more = c.rows.count - len(c.rows.first) if c.status != "fail" else 0
            assert [r["row"] for r in told if not r["row"].isdigit()] == (
                [f"{more:,} more"] if more else []
            ), c.name
            assert len(numbers) == c.rows.count - more, c.name
            assert tuple(numbers[:20]) == c.rows.first, c.name
    assert sum(len(r) > 21 for r in by_check.values()) >= 4
    assert any(r["row"].endswith(" more") for r in rows)


def test_nothing_of_single_people_and_no_formula(tables, tmp_path):
    for row in tables["actions"]:
        if row["decision"] == "approved":
            row["requester"] = row["approver"]
        row["action_id"] = "=1+" + row["action_id"]
        row["version"] = None
    _, rows = written(logs_of(tables), tmp_path)
    assert not {r["check"] for r in rows} & {n for n, asked in CATALOGUE.items() if asked.personal}
    assert any(r["action_id"].startswith("'=1+") for r in rows)
    assert not any(cell.startswith(tuple("=+-@\t\r")) for r in rows for cell in r.values())


def test_rows_that_nobody_can_name_are_counted(tables, tmp_path):
    logs = logs_of(tables)
    check = Check(
        name="sealed",
        status="fail",
        evidence="It is not what was sealed.",
        mend="Restore it",
        rows=Rows(table="actions", count=5, first=(2, 3)),
    )
    rows = read(write_findings(Scorecard(checks=(check,)), logs.samples, tmp_path / "f.csv"))
    assert [r["row"] for r in rows] == ["2", "3", "3 more, of which no row is known"]


def test_a_file_that_fails_half_way_leaves_the_old_one(tables, tmp_path):
    logs = logs_of(tables)
    card = look(logs)
    target = tmp_path / "findings.csv"
    target.write_text("old")
    rows = Rows(table="actions", count=1, first=(1,), every="select nonsense")
    bad = replace(card.checks[0], status="fail", mend="Mend it", rows=rows)
    with pytest.raises(Exception, match="nonsense"):
        write_findings(Scorecard(checks=(bad,)), logs.samples, target)
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["findings.csv"]


@pytest.mark.slow
def test_the_list_of_a_pilot_holds_pseudonyms(tmp_path):
    rows = cases(200)
    logs = controls(rows)
    for action in logs["actions"][:30]:
        action["decided_at"] = ""
    decision = open_pilot(write_pilot(tmp_path, rows, tables=logs)).decision
    a = decision.analysis
    found = read(write_findings(a.taken.controls, a.samples, tmp_path / "findings.csv"))
    own = [r for r in found if r["check"] == "approved_before"]
    assert [int(r["row"]) for r in own] == list(range(1, 31))
    assert all(r["case_id"].startswith("c-") and r["action_id"].startswith("a-") for r in own)
