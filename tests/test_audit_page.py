"""The sections of the audit: what each says of examples, of records that know little, and of texts of users."""

from __future__ import annotations

import copy
import html
import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from fixtures_record import make_kill, make_pictures
from opened_examples import EXAMPLES, example
from test_page import Tags, text_of
from test_proof import MARKUP, marked

from roi import words
from roi.pictures import Pictures
from roi.report import audit, audit_words, cause_figures, quality_figures, sections
from roi.report.decided import decided

ALL = [
    audit.opening,
    audit.causes,
    audit.inputs,
    audit.integration,
    audit.oversight,
    audit.clean,
    audit.missing,
    sections.causes,
]
LABEL = "No log of calls: add samples.actions."


@dataclass
class Made:
    """As much of a decision as the sections need."""

    record: dict[str, Any]
    pictures: Pictures = field(default_factory=lambda: make_pictures(empty=True))


@cache
def record(name: str) -> dict[str, Any]:
    return example(name).decision.record


def share(k: int, n: int) -> dict[str, Any]:
    return {"n": n, "k": k, "share": k / n, "low": 0.9 * k / n, "high": min(1.0, 1.1 * k / n)}


def near(mean: float) -> dict[str, float]:
    return {"mean": mean, "p05": 0.8 * mean, "p95": 1.2 * mean}


def cause(name: str, of: float, cost: float, **more: Any) -> dict[str, Any]:
    row = {"cause": name, "share_of_losses": near(of), "share_of_errors": near(of), "labels": 0}
    row |= {"minutes_per_case": near(0.004), "evidence": None, "parts": {"errors": cost}}
    return row | {"per_year": {"mean": cost, "p10": 0.5 * cost, "p50": cost, "p90": 2 * cost}} | more


def field_of(name: str, k: int) -> dict[str, Any]:
    side = {"defective": share(k, 100), "missing": share(k, 100), "found": {"missing": k, "late": 3}}
    rules = [
        {"defect": "missing", "text": "required", "stated": True, "counts": True},
        {"defect": "late", "text": "no later than the start", "stated": False, "counts": False},
    ]
    drift = {"distance": 0.3, "p": 0.001, "q": 0.002, "state": "drifted"}
    segments = [{"segment": s, "production": share(k, 100), "demo": None} for s in ("mail", "phone")]
    found = {"field": name, "kind": "code", "rules": rules, "production": side, "demo": None}
    return found | {"difference": None, "drift": drift, "by_segment": segments}


def known() -> dict[str, Any]:
    """A record that knows something of everything."""
    rows = [
        cause("data", 0.6, 6_000.0, evidence={"cases": 40, "losses": 30, "chance": 0.97}, labels=12),
        cause("model", 0.2, 3_000.0),
        cause("unexplained", 0.2, 1_000.0),
    ]
    agreed = {"value": 0.8, "p05": 0.7, "p95": 0.9}
    causes = {"losses": 60, "labelled": 12, "evidence": "both", "design_effect": 1.4, "by_cause": rows}
    causes |= {"by_kind": {"error": 40, "handed_over": 15, "unused": 5}, "text": "Mostly not: data."}
    causes |= {"named": {"state": "named", "first": "data", "among": ["data"], "sure": 1.0}}
    causes |= {"agreement": {"n": 12, "share": agreed, "kappa": agreed, "ac1": agreed}}
    inputs = {"cases": {"demo": 0, "production": 100}, "fields": [field_of("Policy", 12), field_of("Day", 0)]}
    inputs |= {"defective": {"production": share(14, 100), "demo": None}, "difference": None}
    inputs |= {
        "by_segment": [{"segment": s, "production": share(7, 50), "demo": None} for s in ("mail", "phone")]
    }
    inputs |= {"agreement": None, "headline": "14 % came with a defect.", "notes": ["No inputs of a demo."]}
    call = {"arm": "pilot", "system": "crm", "scope": "crm:read", "actions": 50, "failed": share(10, 50)}
    call |= {"denied": share(5, 50), "timed_out": None, "retried": None, "not_granted": share(50, 50)}
    call |= {"expired": None, "seconds": {"p50": None, "p95": None, "n": 0}}
    calls = {"headline": "30 % of 50 calls did not go through.", "by_system": [call], "missing": [LABEL]}
    calls |= {"cases_that_met": {"pilot": {"any": share(12, 40)}}, "not_granted": share(50, 50)}
    calls["scopes_not_granted"] = [{"system": "crm", "scope": "crm:read", "actions": 50, "denied": 5}]
    people = dict.fromkeys(
        (
            "approved_after_the_act",
            "rejected",
            "reworked_after_approval",
            "wrong_after_approval",
            "right_to_hand_over",
            "right_and_not_used",
            "right_and_edited",
            "waiting",
            "told_by",
        )
    )
    people |= {"handed_over": share(15, 100), "before": {"handed_over": None, "right_to_hand_over": None}}
    people |= {"headline": "15 % of cases were handed over.", "missing": ["Log used."]}
    rates = {"losses": {"all": near(0.3), "clean": near(0.1), "gone": near(0.66)}}
    rates["errors"] = {"all": near(0.2), "clean": near(0.16), "gone": near(0.2)}
    remedy = {
        "name": "Check numbers",
        "removes_share": 0.8,
        "of_all_errors": near(0.48),
        "measured": near(0.2),
    }
    world = {"cause": "data", "cases_with": 40, "cases_without": 160, "covered": 0.9, "rates": rates}
    world |= {"minutes": None, "remedies": [remedy | {"chance_above": 0.95, "exceeds": True}]}
    return make_kill() | {
        "causes": causes,
        "model_the_problem": "Mostly not: data.",
        "clean_world": [world],
        "audit": {"inputs": inputs, "integration": calls, "oversight": people, "missing": []},
        "currency": "EUR",
    }


def drawn(found: dict[str, Any]) -> list[Any]:
    makers = [cause_figures.causes_figure, cause_figures.clean_figure]
    makers += [quality_figures.defects_figure, quality_figures.calls_figure]
    return [figure for figure in (make(found) for make in makers) if figure is not None]


def whole(found: dict[str, Any]) -> dict[str, str]:
    """The text of every section, which must be well formed and name nothing that is not there."""
    said = {}
    for make in ALL:
        part = make(Made(found))
        Tags(part.html)
        said[make.__name__ if make is not sections.causes else "main"] = text_of(part.html)
    for name, text in said.items():
        assert not re.search(r"\bNone\b(?! of)|\bnan\b|Undefined|\{\{|\.\.", text), (name, text)
    return {name: text.replace("\u00a0", " ") for name, text in said.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_section_of_every_example_is_whole(name: str) -> None:
    found = record(name)
    assert all(len(text) > 40 for text in whole(found).values())
    for figure in drawn(found):
        assert figure.question.endswith("?")
        assert not figure.answer.endswith(".")
        assert len(re.findall(r"\d", figure.alt)) >= 2
        for drawing in figure.drawings():
            ElementTree.fromstring(drawing)


@pytest.mark.slow
def test_what_is_known_is_said() -> None:
    said = whole(known())
    assert "12 labels; 40 cases show evidence, 30 of them lost; that it has an effect" in said["causes"]
    assert "20 % of losses stay unexplained" in said["causes"]
    assert "60 losses: 40 errors, 15 hand-overs and 5 right results that nobody used" in said["causes"]
    assert "AC1 0.80 (0.70 to 0.90)" in said["causes"]
    assert "12 missing; 3 late (shown only)" in said["inputs"]
    assert "yes: 30 % of cases" in said["inputs"]
    assert "50 calls, 5 of them denied" in said["integration"]
    assert "30 % of 40 cases met at least one call" in said["integration"]
    assert "Not known of any call: timed out, tried again and grant expired" in said["integration"]
    assert "15 of 100" in said["oversight"]
    assert "assumes more than was measured" in said["clean"]
    assert "about 20 % of them would be gone, at most 24 %" in said["clean"]
    assert "14 % came with a defect. 30 % of 50 calls did not go through." in said["main"]


def test_gaps_are_listed_with_what_to_log() -> None:
    parts = dict(audit_words.missing(known()))
    assert parts["Causes"][0].startswith("48 of 60 losses carry no label")
    assert any("samples.actions" in text for text in parts["Causes"])  # no evidence of integration was logged
    assert not any("samples.inputs" in text for text in parts["Causes"])  # of data there was
    assert parts["Integration"] == [LABEL]
    assert "4 gaps" not in audit.missing(Made(known())).text
    assert audit.missing(Made(known())).text == "5 gaps"


def test_figures_carry_their_numbers_in_words() -> None:
    causes, clean, defects, calls = drawn(known())
    assert (
        causes.answer.replace("\u00a0", " ")
        == "Data costs EUR 6,000 a year, of EUR 10,000 that all causes cost"
    )
    assert "data EUR 6,000 a year" in causes.alt.replace("\u00a0", " ")
    assert "10 %" in clean.alt.replace("\u00a0", " ")
    assert "Policy: 12 % in production" in defects.alt.replace("\u00a0", " ")
    assert calls.answer.replace("\u00a0", " ") == "Most often those to crm, crm:read: 30 % of them"
    for figure in (causes, clean, defects, calls):
        for drawing in figure.drawings():
            ElementTree.fromstring(drawing)


def test_no_cause_is_named_that_is_not_sure() -> None:
    found = known()
    found["causes"]["named"] = {"state": "few", "first": None, "among": ["data"], "sure": 0.5}
    figure = cause_figures.causes_figure(found)
    assert figure is not None
    assert "no single cause stands out" in figure.answer


def test_empty_states_say_what_to_log() -> None:
    absent = {"inputs": None, "integration": None, "oversight": None}
    absent["missing"] = [
        "The inputs were not given: add samples.inputs.",
        LABEL,
        "A report in place of cases.",
    ]  # type: ignore[assignment]
    none = {"losses": 0, "labelled": 0, "evidence": "none", "by_cause": [], "by_kind": {}, "agreement": None}
    none |= {
        "design_effect": 1.0,
        "named": {"state": "no_losses", "first": None},
        "text": "No losses were seen.",
    }
    bare = make_kill() | {"audit": absent, "causes": none, "clean_world": []}
    said = whole(bare)
    assert "No losses were seen." in said["causes"]
    assert "there is nothing to ascribe" in said["causes"]
    assert "add samples.inputs" in said["inputs"]
    assert "add samples.actions" in said["integration"]
    assert "A report in place of cases" in said["oversight"]
    assert "No log tells clean cases from others" in said["clean"]
    assert "add samples.inputs" in said["missing"]
    assert "Not given, so nothing is known" in said["opening"]
    assert drawn(bare) == []
    older = make_kill()
    for key in ("audit", "causes", "clean_world"):
        older.pop(key, None)
    said = whole(older)
    assert "was not looked at" in said["causes"]
    assert drawn(older) == []


@pytest.mark.slow
def test_all_that_is_asked_for_may_be_logged() -> None:
    found = known()
    found["causes"] |= {"losses": 0}
    for key in ("integration", "oversight"):
        found["audit"][key]["missing"] = []
    assert "All that this audit asks for is logged" in whole(found)["missing"]


@pytest.mark.slow
def test_without_a_price_the_shares_are_still_told() -> None:
    found = known()
    for row in found["causes"]["by_cause"]:
        row |= {"per_year": None, "parts": None}
    said = whole(found)
    assert "No cause has a price" in said["causes"]
    assert "60 %" in said["causes"]
    assert cause_figures.causes_figure(found) is None
    found["causes"]["by_cause"] = []
    assert "12 labels" not in whole(found)["causes"]


@pytest.mark.slow
def test_long_lists_are_cut_and_say_so() -> None:
    found = known()
    inputs, calls = found["audit"]["inputs"], found["audit"]["integration"]
    inputs["fields"] = [field_of(f"field {i}", 40 - i) for i in range(40)]
    calls["by_system"] = [copy.deepcopy(calls["by_system"][0]) | {"scope": f"s{i}"} for i in range(50)]
    said = whole(found)
    assert "15 fields with fewer defects are left out" in said["inputs"]
    assert "20 further systems and scopes in the record" in said["integration"]


@pytest.mark.slow
def test_texts_of_users_are_escaped_and_short() -> None:
    found = known()
    for f in found["audit"]["inputs"]["fields"]:
        f["field"] = MARKUP + "x" * 200
    for row in (
        *found["audit"]["integration"]["by_system"],
        *found["audit"]["integration"]["scopes_not_granted"],
    ):
        row |= {"system": MARKUP, "scope": MARKUP + "y" * 200}
    inputs = found["audit"]["inputs"]
    for rows in (inputs["by_segment"], *(f["by_segment"] for f in inputs["fields"])):
        for i, row in enumerate(rows):
            row["segment"] = f"{MARKUP}{i}"
    found["clean_world"][0]["remedies"][0]["name"] = MARKUP
    everywhere = marked({"audit": copy.deepcopy(found["audit"])})["audit"]
    for made in (found, found | {"audit": found["audit"] | {"missing": everywhere.get("missing")}}):
        for make in ALL:
            page = make(Made(made)).html
            assert "<script" not in page, make.__name__
            assert "x" * 100 not in page
            assert "y" * 100 not in page
    assert html.escape(MARKUP)[:9] in audit.inputs(Made(found)).html
    for figure in drawn(found):
        assert not any("<script" in drawing for drawing in figure.drawings())


def test_minutes_line_up() -> None:
    assert [words.minutes(x) for x in (2.9057, -0.407, 0.0061, -0.001, None)] == [
        "2.91",
        "−0.41",
        "0.01",
        "0.00",
        words.UNKNOWN,
    ]


def test_a_run_that_has_decided_does_not_decide_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Opened:
        decision = Made(known())
        loaded = SimpleNamespace(parameters=SimpleNamespace(pilot="made"))

    opened: Any = Opened()
    assert decided(opened) is Opened.decision
    told = {"pilot": "made", "folder": str(tmp_path), "ledger": str(tmp_path / "ledger.jsonl")}
    monkeypatch.setenv("ROI_RUN", json.dumps(told))
    assert decided(opened) is Opened.decision  # nothing has been decided yet
    (tmp_path / "decision.json").write_text(
        json.dumps({"schema": 1, "pilot": "made", "verdict": "kill", "provenance": {}}), encoding="utf-8"
    )
    assert decided(opened).record["pilot"] == "made"
    monkeypatch.setenv("ROI_RUN", json.dumps(told | {"pilot": "another"}))
    assert decided(opened) is Opened.decision
