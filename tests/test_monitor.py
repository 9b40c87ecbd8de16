"""`roi monitor` end to end: what each stream of fresh cases asks for, what is said of bad ones, and each step by hand."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from pilots import cases, write_csv, write_pilot

from roi.archive import archive_text
from roi.cli import main
from roi.monitor import Given, monitor
from roi.monitor_basis import Basis, Expected, Limit, far_end
from roi.monitor_tests import ALPHA, questions
from roi.parameters import load_parameters
from roi.pilot import open_pilot
from roi.problems import InputError

START = dt.date(2026, 11, 2)


def fresh(
    days: int = 70,
    *,
    daily: int = 40,
    severe: float = 0.0,
    severe_b: float | None = None,
    minutes: float = 9.0,
    cost: float = 0.2,
    mix_a: float = 0.6,
    change: int = 30,
    seed: int = 3,
    version: str = "v2",
    then: str | None = None,
) -> list[dict[str, Any]]:
    """Fresh cases, as the record expects them until the day of the change and as stated from then on."""
    rng = np.random.default_rng(seed)
    rows = []
    for day in range(days):
        late = day >= change
        for i in range(daily):
            a = rng.random() < (mix_a if late else 0.6)
            harm = severe if a or severe_b is None else severe_b
            grave = late and rng.random() < harm
            wrong = grave or rng.random() < 0.05
            mean = minutes if late else 9.0
            rows.append(
                {
                    "case_id": f"F{day:03d}-{i:02d}",
                    "arm": "pilot",
                    "segment": "a" if a else "b",
                    "worker": f"w{int(rng.integers(20)):02d}",
                    "handling_minutes": round(float(rng.lognormal(np.log(mean) - 0.125, 0.5)), 3),
                    "outcome": "error" if wrong else "correct",
                    "severity": ("major" if grave else "minor") if wrong else "",
                    "input_defects": int(rng.random() < 0.05),
                    "agent_cost": round((cost if late else 0.2) * float(rng.lognormal(-0.02, 0.2)), 6),
                    "setting": "production",
                    "version": (then or version) if late else version,
                    "started_at": f"{START + dt.timedelta(days=day)} {8 + i % 9:02d}:15:00",
                }
            )
    return rows


@pytest.fixture(scope="module")
def decided(tmp_path_factory):
    """A project with a record, its archive beside it."""
    folder = tmp_path_factory.mktemp("operate")
    path = write_pilot(folder, cases(1200), {"run": {"draws": 1000}})
    decision = open_pilot(path).decision
    assert decision.verdict == "scale"
    report = folder / "reports/made"
    report.mkdir(parents=True)
    (report / "decision.json").write_text(decision.json(), encoding="utf-8")
    (report / "moments.json").write_text(archive_text(decision.analysis, decision.record), encoding="utf-8")
    return path


def watched(decided: Path, rows: list[dict[str, Any]], name: str = "fresh", **given: Any) -> dict[str, Any]:
    file = decided.parent.parent / f"{name}.csv"
    write_csv(file, rows)
    return monitor(load_parameters(decided), Given(cases=(str(file),), **given))


def with_change(decided: Path, version: str, day: dt.date) -> None:
    file = decided.parent.parent / "data/changes.csv"
    kept = [row for row in csv.DictReader(file.open()) if row["version"] != version]
    kept.append({"version": version, "changed_at": f"{day} 06:00", "kind": "prompt", "replaces": "v2"})
    write_csv(file, kept)


@pytest.mark.slow
def test_a_stream_that_keeps_to_the_decision_goes_on(decided):
    found = watched(decided, fresh())
    assert found["action"]["action"] == "continue"
    assert found["cases"] == 2800
    assert (found["first"], found["days"]) == ("2026-11-02", 70)
    assert not any(q["crossed"] for q in found["questions"])
    assert sum(q["alpha"] for q in found["questions"]) <= ALPHA + 1e-12
    minutes = next(m for m in found["measures"] if m["measure"] == "human_minutes_pilot")
    assert minutes["all"]["low"] < 9 < minutes["all"]["high"]
    assert minutes["chart"]["kind"] == "XmR"
    assert minutes["chart"]["period"] == "week"
    assert [p["from"] for p in minutes["chart"]["points"]][:2] == ["2026-11-02", "2026-11-09"]
    assert [s["segment"] for s in minutes["by_segment"]] == ["a", "b"]
    assert found["mix"]["worth"]["now"]["verdict"] == "scale"
    volume = found["volume"]
    assert {p["value"] for p in volume["all"]["points"]} == {280.0}
    assert sum(s["n"] for s in volume["by_segment"]) == 2800
    misses = next(m for m in found["measures"] if m["measure"] == "approval_miss_rate")
    assert misses["unknown"] == "there is no log of fresh actions (--actions FILE)"
    assert misses["all"] is None


def test_severe_errors_everywhere_pause_it(decided):
    found = watched(decided, fresh(severe=0.03))
    assert found["action"]["action"] == "pause"
    assert "2026-12-02" <= found["action"]["since"] <= "2026-12-20"
    broken = next(q for q in found["questions"] if q["kind"] == "pause" and q["crossed"])
    assert (broken["measure"], broken["segment"]) == ("severe_error_rate_pilot", None)
    assert abs(dt.date.fromisoformat(broken["began"]) - dt.date(2026, 12, 2)).days <= 7
    assert broken["evidence"] >= broken["threshold"] == pytest.approx(np.log(1 / broken["alpha"]))
    assert any(reason.startswith("Severe errors: ") for reason in found["action"]["because"])


def test_severe_errors_of_one_kind_restrict_it(decided):
    found = watched(decided, fresh(severe=0.0, severe_b=0.06))
    assert found["action"]["action"] == "restrict"
    assert found["action"]["segments"] == ["b"]


@pytest.mark.slow
def test_what_begins_with_a_version_is_rolled_back(decided):
    with_change(decided, "v3", START + dt.timedelta(days=30))
    found = watched(decided, fresh(severe=0.03, then="v3"))
    assert found["action"]["action"] == "roll_back"
    assert (found["action"]["version"], found["action"]["change"]) == ("v2", "v3")
    assert "(version v3 came on 2026-12-02)" in found["action"]["because"][0]
    assert {q["change"] for q in found["questions"] if q["crossed"]} == {"v3"}
    version = next(v for v in found["changes"] if v["version"] == "v3")
    assert version["from"] == "changes"
    assert version["cases"] == 1600
    assert version["measures"]["severe_error_rate_pilot"]["mean"] == pytest.approx(0.03, abs=0.015)
    chart = next(m for m in found["measures"] if m["measure"] == "error_rate_pilot")["chart"]
    assert [r["from"] for r in chart["regimes"]] == ["2026-11-02", "2026-11-30"]


@pytest.mark.slow
def test_a_version_that_only_cases_name_is_rolled_back_too(decided):
    with_change(decided, "v3", dt.date(2026, 8, 20))  # the table knows it as an older one
    found = watched(decided, fresh(severe=0.03, then="v4"))
    assert found["action"]["action"] == "roll_back"
    assert next(v for v in found["changes"] if v["version"] == "v4")["from"] == "cases"


def test_time_that_is_no_longer_saved_pauses_it(decided):
    found = watched(decided, fresh(minutes=15.0))
    assert found["action"]["action"] == "pause"
    assert any("Human minutes" in text for text in found["action"]["because"])


def test_a_dearer_agent_is_looked_into(decided):
    found = watched(decided, fresh(cost=0.4))
    assert found["action"]["action"] == "investigate"
    assert all("Agent cost" in text for text in found["action"]["because"])


@pytest.mark.slow
def test_another_mix_is_seen_and_is_not_taken_for_worse_work(decided):
    found = watched(decided, fresh(120, mix_a=0.2, change=20))
    assert found["action"]["action"] == "investigate"
    crossed = [q for q in found["questions"] if q["crossed"]]
    assert {(q["kind"], q["measure"]) for q in crossed} == {("drift", "segment")}
    assert {q["segment"] for q in crossed} == {"b"}
    assert found["mix"]["fresh"]["b"] == pytest.approx(0.73, abs=0.03)
    assert found["mix"]["worth"]["counted_on"] == 4800
    assert found["mix"]["worth"]["now"]["worth"] != found["mix"]["worth"]["before"]["worth"]


def test_a_kind_of_case_that_nobody_sampled_is_drift_and_earns_nothing(decided):
    rows = fresh(60)
    for row in rows:
        if row["segment"] == "b" and row["started_at"] > "2026-11-20":
            row["segment"] = "c"
    found = watched(decided, rows)
    assert found["action"]["action"] == "investigate"
    assert {q["segment"] for q in found["questions"] if q["crossed"]} == {"(others)"}
    assert found["mix"]["worth"]["now"]["worth"] < found["mix"]["worth"]["before"]["worth"]


def test_worse_inputs_are_drift(decided):
    rows = fresh(60)
    for i, row in enumerate(rows):
        if row["started_at"] > "2026-11-20" and i % 4 == 0:
            row["input_defects"] = 2
    found = watched(decided, rows)
    assert found["action"]["action"] == "investigate"
    assert {q["measure"] for q in found["questions"] if q["crossed"]} == {"inputs:defects"}
    assert found["action"]["because"][0].startswith("Cases with defective inputs")


def test_points_of_few_people_are_withheld_and_limits_taken_anew_on_a_stated_day(decided):
    rows = fresh(120)
    for row in rows:
        if row["started_at"] < "2026-11-09":
            row["worker"] = "w01"
    found = watched(decided, rows, relimit=(dt.date(2027, 1, 4),))
    chart = next(m for m in found["measures"] if m["measure"] == "human_minutes_pilot")["chart"]
    assert chart["withheld"] == 1
    assert chart["points"][0]["value"] is None
    assert chart["points"][1]["value"] is not None
    assert [r["from"] for r in chart["regimes"]] == ["2026-11-02", "2027-01-04"]


def test_missed_approvals_pause_it(decided):
    rows = fresh(40)
    log = [
        {
            "action_id": f"A{i}",
            "case_id": row["case_id"],
            "tool": "post",
            "system": "crm",
            "scope": "write",
            "effect": "write",
            "risk": "high",
            "requester": "agent",
            "decision": "approved" if i % 10 else "auto",
            "approver": "p1" if i % 10 else "",
            "requested_at": row["started_at"],
            "decided_at": row["started_at"],
            "executed_at": row["started_at"].replace(":15:", ":20:"),
            "status": "ok",
        }
        for i, row in enumerate(rows)
    ]
    file = decided.parent.parent / "acts.csv"
    write_csv(file, log)
    found = watched(decided, rows, actions=(str(file),))
    misses = next(m for m in found["measures"] if m["measure"] == "approval_miss_rate")
    assert (misses["all"]["n"], misses["all"]["mean"]) == (1600, 0.1)
    assert found["action"]["action"] == "pause"


@pytest.mark.slow
def test_the_same_inputs_give_the_same_bytes_whatever_the_order_of_rows(decided):
    rows = fresh(30)
    one = json.dumps(watched(decided, rows, "one"), sort_keys=True)
    assert str(decided.parent.parent) not in one
    again = watched(decided, rows[::-1], "two")
    again["provenance"]["samples_sha256"] = json.loads(one)["provenance"]["samples_sha256"]
    assert json.dumps(again, sort_keys=True) == one


def test_one_day_is_enough_to_be_read(decided):
    found = watched(decided, fresh(1))
    assert (found["days"], found["action"]["action"]) == (1, "continue")
    minutes = next(m for m in found["measures"] if m["measure"] == "human_minutes_pilot")
    assert minutes["all"]["low"] is None
    assert minutes["chart"]["period"] == "day"


def test_a_month_without_cases_and_days_without_labels_are_unknown(decided):
    rows = [row for row in fresh(90) if not "2026-11-20" <= row["started_at"] < "2026-12-20"]
    for row in rows:
        if row["started_at"] < "2026-11-05":
            row["outcome"] = row["severity"] = ""
    found = watched(decided, rows, by="day")
    errors = next(m for m in found["measures"] if m["measure"] == "error_rate_pilot")
    assert errors["all"]["unknown_days"] == 3
    points = {p["from"]: p for p in errors["chart"]["points"]}
    assert points["2026-12-01"]["value"] is None
    assert points["2026-11-03"]["value"] is None
    assert found["action"]["action"] == "continue"


def test_late_rows_and_rows_of_the_decision_are_told_apart(decided):
    rows = fresh(30)
    late = [
        {**row, "case_id": f"L{i}", "started_at": "2026-09-02 09:00:00"} for i, row in enumerate(rows[:7])
    ]
    undated = [{**row, "case_id": f"U{i}", "started_at": ""} for i, row in enumerate(rows[:3])]
    found = watched(decided, [*rows, *late, *undated])
    assert found["left_out"] == {"no time of their start": 3, "before the fresh days": 7}
    assert found["cases"] == 1200


@pytest.mark.slow
def test_another_currency_is_converted_or_named(decided):
    rows = fresh(30)
    for row in rows:
        row["cost_currency"] = "USD"
    found = watched(decided, rows)
    cost = next(m for m in found["measures"] if m["measure"] == "agent_cost_per_case")
    assert cost["all"] is None
    assert cost["unknown"] == "it is logged in USD; state economics.fx.USD"
    folder = decided.parent
    text = decided.read_text(encoding="utf-8").replace("economics:\n", "economics:\n  fx: {USD: 0.5}\n")
    (folder / "made.yaml").write_text(text, encoding="utf-8")
    try:
        found = watched(decided, rows)
    finally:
        (folder / "made.yaml").write_text(text.replace("  fx: {USD: 0.5}\n", ""), encoding="utf-8")
    cost = next(m for m in found["measures"] if m["measure"] == "agent_cost_per_case")
    assert cost["all"]["mean"] == pytest.approx(0.1, abs=0.005)


@pytest.mark.slow
def test_labels_by_risk_stand_for_nothing_and_by_stated_chances_for_all(decided):
    text = decided.read_text(encoding="utf-8")
    decided.write_text(text.replace("selection: all", "selection: risk_based"), encoding="utf-8")
    try:
        rows = fresh(30)
        found = watched(decided, rows)
        errors = next(m for m in found["measures"] if m["measure"] == "error_rate_pilot")
        assert errors["all"] is None
        assert "label_probability" in errors["unknown"]
        # Errors were looked at always, half of the others: each of these stands for two.
        for i, row in enumerate(rows):
            wrong = row["outcome"] == "error"
            row["label_probability"] = 1.0 if wrong else 0.5
            row["outcome"] = row["outcome"] if wrong or i % 2 else ""
        errors = next(m for m in watched(decided, rows)["measures"] if m["measure"] == "error_rate_pilot")
        hits = sum(row["outcome"] == "error" for row in rows)
        others = sum(row["outcome"] == "correct" for row in rows)
        assert errors["all"]["mean"] == pytest.approx(hits / (hits + 2 * others), rel=1e-9)
        assert errors["all"]["n"] == hits + 2 * others
    finally:
        decided.write_text(text, encoding="utf-8")


def test_a_rolled_out_agent_has_no_arms_and_labels_may_lag(decided):
    rows = fresh(30)
    for row in rows:
        del row["arm"]
        if row["started_at"] > "2026-11-25":
            row["outcome"] = row["severity"] = ""
    with pytest.raises(InputError, match="arm"):
        watched(decided, rows)
    found = watched(decided, rows, pilot_only=True)
    assert found["cases"] == 1200
    assert "920 of 1,200 fresh cases carry an outcome" in " ".join(found["warnings"])


def refusal(decided: Path, given: Given) -> str:
    with pytest.raises(InputError) as caught:
        monitor(load_parameters(decided), given)
    return str(caught.value)


def test_what_is_missing_is_named_with_the_mend(decided, tmp_path):
    assert "--cases" in refusal(decided, Given())
    assert "began on 2026-" in refusal(decided, Given())
    assert "nofile.csv" in refusal(decided, Given(cases=("nofile.csv",)))
    assert "name a record" in refusal(decided, Given(record=tmp_path))
    write_csv(tmp_path / "empty.csv", [{"case_id": "", "arm": ""}])
    assert "empty.csv" in refusal(decided, Given(cases=(str(tmp_path / "empty.csv"),)))
    assert "--cases" in refusal(decided, Given(actions=("acts.csv",)))
    other = json.loads((decided.parent.parent / "reports/made/decision.json").read_text(encoding="utf-8"))
    (tmp_path / "decision.json").write_text(json.dumps({**other, "pilot": "somebody"}), encoding="utf-8")
    assert "is a record of somebody" in refusal(decided, Given(record=tmp_path))


def test_without_any_record_the_command_says_what_to_run(tmp_path):
    path = write_pilot(tmp_path, cases(60), {"run": {"draws": 1000}})
    result = CliRunner().invoke(main, ["monitor", str(path)])
    assert result.exit_code == 2
    assert "run `roi run made` first" in result.stderr


def test_without_its_archive_the_decision_is_computed_from_samples_that_are_the_same(decided, tmp_path):
    record = (decided.parent.parent / "reports/made/decision.json").read_text(encoding="utf-8")
    (tmp_path / "decision.json").write_text(record, encoding="utf-8")
    with_change(decided, "v3", dt.date(2026, 8, 20))
    found = watched(decided, fresh(20), record=tmp_path)
    assert found["mix"]["worth"] is None  # the table of changes is another one by now
    assert any("cannot be computed again" in w for w in found["warnings"])
    assert found["action"]["action"] == "continue"


def test_what_is_new_is_tested_by_itself_and_left_out(decided):
    """A kind that the record did not have, one in ten of them severely wrong: restrict to the others, and name it."""
    rows = fresh(60)
    for i, r in enumerate(rows):
        if i % 5 == 0:
            r["segment"] = "new"
            if i % 50 == 0:
                r |= {"outcome": "error", "severity": "major"}
    found = watched(decided, rows)
    assert (found["action"]["action"], found["action"]["segments"]) == ("restrict", ["new"])
    assert any("kinds that the decision did not have (new)" in r for r in found["action"]["because"])
    asked = [q["measure"] for q in found["questions"] if q["segment"] == "(others)" and q["kind"] == "pause"]
    assert asked == ["severe_error_rate_pilot", "error_cost_per_case"]  # nobody logs what is approved


@pytest.mark.slow
def test_errors_that_cost_more_than_a_case_brings_pause_it(decided):
    """None of them severe, so that no limit of the policy is broken: money is what says it."""
    rows = fresh(60)
    for i, r in enumerate(rows):
        if i >= 1200 and i % 5 < 4:
            r |= {"outcome": "error", "severity": "moderate"}
    found = watched(decided, rows)
    assert found["action"]["action"] == "pause"
    assert {q["measure"] for q in found["questions"] if q["kind"] == "pause" and q["crossed"]} == {
        "error_cost_per_case"
    }
    row = next(m for m in found["measures"] if m["measure"] == "error_cost_per_case")
    assert row["expected"]["mean"] < row["limit"] < row["all"]["mean"]
    assert row["unit"] == "EUR/case"
    mix = found["mix"]
    assert (mix["shown"], mix["worse"]) == (False, ["errors", "cost of errors per case"])
    assert "It is not what cases are worth today" in mix["keeps"]
    assert watched(decided, fresh(60))["mix"]["worse"] == []


def test_a_year_that_is_mistyped_is_named_and_so_is_a_folder_that_is_not_there(decided, tmp_path):
    rows = fresh(10)
    for year in ("2226", "2029"):
        rows[-1]["started_at"] = f"{year}-01-05 08:15:00"
        file = tmp_path / "now.csv"
        write_csv(file, rows)
        result = CliRunner().invoke(main, ["monitor", str(decided), "--cases", str(file)])
        assert result.exit_code == 2
        assert "now.csv: 1 problem" in result.stderr
        assert (
            f"samples.cases.started_at: 1 case is dated {year}-01-05, more than a year from" in result.stderr
        )
    write_csv(file, fresh(10))
    out = tmp_path / "none" / "x.json"
    result = CliRunner().invoke(main, ["monitor", str(decided), "--cases", str(file), "-o", str(out)])
    assert result.exit_code == 2
    assert "--out: cannot be written" in result.stderr


@pytest.mark.slow
def test_the_command_prints_a_few_lines_and_writes_the_json(decided, tmp_path):
    file = tmp_path / "now.csv"
    write_csv(file, fresh(60, severe=0.03))
    out = tmp_path / "found.json"
    result = CliRunner().invoke(main, ["monitor", str(decided), "--cases", str(file), "-o", str(out)])
    assert result.exit_code == 0, result.output
    assert "PAUSE" in result.stdout
    assert "Severe errors" in result.stdout
    assert len(result.stdout.splitlines()) < 40
    assert json.loads(out.read_text(encoding="utf-8"))["action"]["action"] == "pause"
    again = CliRunner().invoke(main, ["monitor", str(decided), "--cases", str(file), "--json"])
    assert again.stdout == out.read_text(encoding="utf-8")


def test_what_is_expected_at_most_by_hand():
    """P95 at 1.2 times the mean, 1 in 1,000: 1.2^(3.0902 / 1.6449) = 1.4086 times; of no event the exact bound's odds."""
    assert far_end(Expected(10.0, 8.0, 12.0), 0.001) == pytest.approx(14.086, abs=1e-3)
    assert far_end(Expected(0.0, 0.0, 0.003), 0.0025) == pytest.approx(0.006, rel=1e-9)
    assert far_end(Expected(0.9, 0.8, 1.0), 1e-9, share=True) == 1.0


def test_levels_of_all_questions_add_up_and_severe_errors_have_the_most():
    basis = Basis(
        limits={"severe_error_rate_pilot": Limit(0.01, "policy"), "human_minutes_pilot": Limit(12.0, "less")},
        expected={
            "human_minutes_pilot": Expected(9.0, 8.0, 10.0),
            "error_rate_pilot": Expected(0.05, 0.03, 0.07),
        },
        by_segment={},
        no_limit={},
        baseline_minutes={},
        mix={"a": 0.7, "b": 0.3},
        mix_cases=None,
    )
    asked = questions(basis, ["severe_error_rate_pilot", "human_minutes_pilot", "error_rate_pilot"])
    # Severe errors 0.45, minutes 0.06 twice, errors 0.06; of the record's own the segments have no estimate.
    parts = 0.45 + 0.06 + 0.6 * (0.06 + 0.06)
    severe = next(q for q in asked if q.measure == "severe_error_rate_pilot" and q.segment is None)
    assert severe.alpha == pytest.approx(ALPHA * 0.45 * 0.6 / parts)
    # What is new has the part of a kind like the others, of what may be asked of it.
    kinds = {q.segment: q.alpha for q in asked if q.measure == "severe_error_rate_pilot" and q.segment}
    assert kinds == pytest.approx(dict.fromkeys(["a", "b", "(others)"], ALPHA * 0.45 * 0.4 / 3 / parts))
    assert [q.segment for q in asked if q.measure == "human_minutes_pilot" and q.kind == "pause"] == [
        None,
        "a",
        "b",
    ]
    spent = sum(q.alpha * (2 if q.kind == "investigate" else 1) for q in asked)
    assert spent == pytest.approx(ALPHA)
