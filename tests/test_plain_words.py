"""Words for who decides on money: a verdict said once, whole months, analysts' words only in the detail."""

from __future__ import annotations

import re

import pytest
from fixtures_record import FakeDecision, make_pictures, make_record
from opened_examples import EXAMPLES, example
from test_signs import shown

from roi import named, units
from roi.narrower import why_not_alone
from roi.report import audit, controls, fix, proof
from roi.report.facts import headline_alone, verdict_line
from roi.report.sections import first_screen, gates, measured, options
from roi.schema.policy import Policy


@pytest.mark.parametrize(
    ("verdict", "headline", "line"),
    [
        ("scale", "Scale: it pays, and its controls hold", "Scale: it pays, and its controls hold"),
        ("scale", "Scale in catalogue only", "Scale in catalogue only"),
        ("kill", "Stop: the value is too thin", "Kill: the value is too thin"),
        ("fix", "Fix first, then scale", "Fix first, then scale"),
        ("fix", "Add the missing controls, then scale", "Fix: Add the missing controls, then scale"),
        ("fix", None, "Fix"),
    ],
)
def test_a_verdict_is_said_once(verdict: str, headline: str | None, line: str) -> None:
    assert verdict_line({"verdict": verdict, "headline": headline}) == line
    assert headline_alone({"verdict": verdict, "headline": headline}) in line


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_page_opens_with_the_verdict_said_once(name: str) -> None:
    decision = example(name).decision
    line = verdict_line(decision.record)
    for opening in (audit.opening, controls.opening, fix.opening, proof.opening):
        text = shown(opening(decision))
        assert line in text
        assert not re.search(r"\b(Scale: Scale|Kill: Stop|Fix: Fix)\b", text)


def test_whole_months_have_no_decimals() -> None:
    assert units.quantity(6.0, "months") == "6 months"
    assert units.quantity(36, "months") == "36 months"
    assert units.quantity(8.25, "months") == "8.25 months"
    assert units.quantity(6.0, "min/case") == "6.00 min"
    for rung in example("claims_intake").decision.record["ladder"]["rungs"]:
        assert "6.0 months" not in rung["condition"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_gates_and_figures_are_named_in_plain_words(name: str) -> None:
    decision = example(name).decision
    text = shown(gates(decision)) + shown(options(decision)) + shown(measured(decision))
    assert "Fair comparison" in text
    assert not re.search(r"Arms comparable|Geometric|sampled in both arms", text)


def test_a_kind_without_a_worth_of_its_own_says_why() -> None:
    record = make_record()
    row = dict(record["by_segment"][0]) | {"covered": True, "worth_scale": None}
    record["by_segment"] = [row | {"worth_scale_why": "fewer than 4 people worked it each way"}]
    text = shown(measured(FakeDecision(record, make_pictures())))
    assert "fewer than 4 people worked it each way" in text
    found = example("permit_intake")
    rows = {row["segment"]: row for row in found.decision.record["by_segment"]}
    assert rows["heritage"]["worth_scale_why"] == "not sampled both as before and with the agent"
    assert rows["signage"]["worth_scale_why"] is None
    assert why_not_alone(found.decision.analysis.measured, "heritage") == rows["heritage"]["worth_scale_why"]


def test_kinds_and_limits_are_named_as_people_say_them() -> None:
    assert named.kind_word("change_of_use") == "change of use"
    assert named.kind_word("_x") == "_x"
    assert named.kind_word("(unknown)") == "(unknown)"
    assert named.kind_words(["cross_border", "domestic"]) == "cross border and domestic"
    assert named.policy_word("max_severe_error_rate") == "limit for severe errors"
    fields = set(Policy.model_fields) - {"exception", "approved_by", "approved_on", "privacy"}
    assert {key for key in fields if named.policy_word(key) == key} == set()


@pytest.mark.parametrize(
    ("name", "kind"), [("permit_intake", "change_of_use"), ("payment_repair", "cross_border")]
)
def test_no_section_shows_a_kind_of_case_as_code(name: str, kind: str) -> None:
    decision = example(name).decision
    sections = (measured, options, audit.inputs, proof.claims, first_screen)
    texts = [str(part(decision).html) for part in sections]
    told = " ".join(texts)
    assert kind.replace("_", " ") in told
    assert kind not in told


def test_two_figures_of_one_thing_say_what_each_counts() -> None:
    """The gate goes by the cases' own column, the audit by the raw fields; parts are rounded each by itself."""
    decision = example("claims_intake").decision
    text = shown(audit.inputs(decision))
    gate = next(g for g in decision.record["gates"] if g["gate"] == "usable_inputs")
    assert "1,635 of 2,280 production cases came with usable inputs" in gate["evidence"]
    assert "“Usable inputs” counts 28 % as defective, and this page 27 %" in text
    assert "rounded by itself" in shown(audit.causes(decision))
    assert "reckoned on all draws and not on 2,000" in shown(proof.sensitivity(decision))
