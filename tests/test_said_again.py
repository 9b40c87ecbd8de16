"""What a reader works out again from a sentence of the report comes out, and no sentence asks for what cannot be."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from fixtures_record import FakeDecision, make_pictures, make_record
from opened_examples import EXAMPLES, example
from openpyxl import load_workbook
from pilots import cases, write_pilot
from test_page import write_notebook

from roi import words
from roi.candidates import candidate_of
from roi.gates import _kinds
from roi.pilot import open_pilot
from roi.portfolio import portfolio_of
from roi.report import facts, sections
from roi.report.page import render
from roi.schema.base import read_text
from roi.schema.portfolio import Portfolio
from roi.stopping import stopping
from roi.workbook import workbook_bytes


def number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_ladder_s_hours_are_its_minutes_times_its_cases(name: str) -> None:
    ladder = example(name).decision.record["ladder"]
    if ladder is None:
        pytest.skip("its worth is not known")
    hours = next(r for r in ladder["rungs"] if r["rung"] == "hours")
    minutes = number(re.search(r"([−\d.,]+) minutes saved", hours["condition"])[1])
    monthly = number(re.search(r"on ([\d.,]+) cases", hours["condition"])[1])
    # Both are said with three digits.
    assert hours["per_year"]["mean"] == pytest.approx(12 * minutes * monthly / 60, rel=0.012)


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_case_is_asked_to_save_more_than_it_takes(name: str) -> None:
    decision = example(name).decision
    if decision.verdict != "kill":
        pytest.skip("nothing is asked of what is not stopped")
    (said,) = decision.record["stopping"][-1]["items"]
    asked = re.search(r"at least ([\d.]+) minutes", said)
    today = decision.analysis.measured.arm_mean("human_minutes", 0)
    if asked and today is not None:
        assert float(asked[1]) <= today.mean()
    if name == "contract_summaries":  # 389 minutes of a case that takes 39
        assert said.startswith("No saving of time alone")


def test_cases_of_the_demo_are_none_that_a_verdict_rests_on() -> None:
    decision = example("permit_intake").decision
    counted = decision.record["sample"]["cases"]
    assert counted["demo"] == 60
    found = portfolio_of([candidate_of(decision.analysis, decision.record)], Portfolio())
    assert found["pilots"][0]["cases"] == counted["baseline"] + counted["pilot"] == 336


def test_the_workbook_says_of_the_gates_what_the_report_found() -> None:
    decision = example("claims_intake").decision
    chance = decision.record["options"]["fix"]["chance_gates_pass"]
    assert 0.99 < chance < 1
    sheet = load_workbook(
        io.BytesIO(workbook_bytes(decision.analysis, decision.record, decision.what_if["scenarios"]))
    )["Summary"]
    (row,) = [r for r in sheet.iter_rows(values_only=True) if r[0] == "Gates, as the report found them"]
    assert str(row[2]).replace("\u00a0", " ") == f"hold after the fix in {100 * chance:.1f} %"


def test_the_workbook_of_a_kill_says_that_closed_gates_forbid_what_would_pay() -> None:
    """A sheet that says "worth it" of what the report stops would be read alone, and believed."""
    decision = example("payment_repair").decision
    book = load_workbook(
        io.BytesIO(workbook_bytes(decision.analysis, decision.record, decision.what_if["scenarios"])),
        data_only=True,
    )
    told = {row[0]: row[1] for row in book["Summary"].iter_rows(values_only=True) if row[0]}
    assert told["The point case"] == "worth it, but gates are closed"
    named = told["Mean worth in the report with the controls it needs"]
    assert named == pytest.approx(decision.record["options"]["controlled"]["mean"])


def test_one_outcome_is_told_without_a_range_and_costs_are_named_in_words() -> None:
    decision = example("payment_repair").decision
    fix = decision.record["options"]["fix"]
    assert fix["p10"] == fix["p90"]
    assert sections.first_screen(decision).html.count(words.amount(fix["mean"], "USD")) == 1
    # Stopping, the yardstick, has none either.
    assert sections.options(decision).html.count('data-label="8 in 10 outcomes"></td>') == 2
    assert "security and legal" in str(decision.record["unknowns"])
    assert "security legal" not in sections.left_out(decision).html


def test_of_one_arm_nothing_is_said_that_takes_two(tmp_path) -> None:
    rows = [{k: v for k, v in row.items() if k != "segment"} for row in cases(120) if row["arm"] == "pilot"]
    changes = {"samples": {"assignment": "before_after"}, "demand": {"cases_per_month": 1000}}
    record = open_pilot(write_pilot(tmp_path, rows, changes)).decision.record
    said = facts.measured_sentence(record)
    assert "0 as before" in said
    assert "came later" not in said
    assert "No kind of case was sampled in both arms" in str(record["unknowns"])
    assert (_kinds(["(all)"]), _kinds([]), _kinds(["post", "web"])) == (
        "every kind",
        "every kind",
        "post, web",
    )
    assert "(all)" not in str(record["unknowns"]) + str([gate["mend"] for gate in record["gates"]])
    assert not str(record["tipping_point"]["text"]).startswith("Even without any bias")


def test_inputs_that_nobody_recorded_reopen_nothing() -> None:
    analysis = example("permit_intake").decision.analysis
    assert analysis.verdict.ground == "no_data"
    asked = "of production cases with usable inputs"
    assert asked in stopping(analysis)[-1]["items"][0]
    unknown = tuple(replace(g, value=None) if g.gate == "usable_inputs" else g for g in analysis.gates[None])
    without = replace(analysis, gates={**analysis.gates, None: unknown})
    assert stopping(without)[-1]["items"] == ["The missing measurement at a lower price"]


def test_pages_say_no_scope_without_a_name_no_worth_without_a_choice_and_no_day_that_is_not_known() -> None:
    record = make_record()
    whole = {**record["options"]["scale"], "scope": ["(all)"]}
    nothing = {**record, "options": {**record["options"], "scale": whole}, "as_of": None}
    nothing["knowing"] = {**(record.get("knowing") or {}), "why": "there is nothing to choose"}
    nothing["evpi"] = 0.0
    decision = FakeDecision(nothing, make_pictures(empty=True))
    assert "(all)" not in sections.options(decision).html
    assert "To know everything before deciding" not in sections.money(decision).html
    known = FakeDecision({**nothing, "knowing": {"why": None}, "evpi": 5.0}, make_pictures(empty=True))
    assert "To know everything before deciding" in sections.money(known).html
    first = sections.first_screen(decision).html
    assert "as of an unknown day: no case has a time" in first
    assert " main options, side by side" in first


def test_above_a_page_of_samples_without_a_time_no_day_is_made_up(tmp_path) -> None:
    decision = FakeDecision(make_record() | {"as_of": None}, make_pictures(empty=True))
    written = render(write_notebook(tmp_path / "n.ipynb", decision), tmp_path / "report.html")
    assert "Kill, fix or scale? As of an unknown day: no case has a time" in written.read_text(
        encoding="utf-8"
    )


def test_a_text_of_ten_thousand_characters_is_read() -> None:
    assert read_text("x" * 10_000) == "x" * 10_000
    with pytest.raises(ValueError, match="at most 10,000"):
        read_text("x" * 10_001)


def test_hand_overs_of_the_sample_are_counts() -> None:
    """Beside a rate that is weighted to production, so that the two are not taken for one figure."""
    told = example("invoice_coding").decision.record["audit"]["oversight"]
    counted = re.search(r"([\d,]+) of ([\d,]+) sampled cases were handed over", told["headline"])
    assert number(counted[1]) / number(counted[2]) == pytest.approx(told["handed_over"]["share"])
    assert number(counted[2]) == told["handed_over"]["n"]
