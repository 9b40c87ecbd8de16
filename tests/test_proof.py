"""The sections of the proof: what each says of the six examples, of edge records, and of texts of users."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from xml.etree import ElementTree

import pytest
from fixtures_record import make_kill, make_pictures
from opened_examples import EXAMPLES, PARAMS
from test_page import Tags, contrast, text_of

import roi
from roi.pictures import Pictures
from roi.report import proof, proof_charts, proof_figures
from roi.report.sections import style_sheet

OF_RECORD = [proof.opening, proof.gap, proof.claims, proof.ladder, proof.evidence, proof.knowing]
ASKED = [proof.sensitivity, proof.scenarios]
MARKUP = "<script>alert(1)</script>"


def row(name: str, verdict: str = "kill", **more: Any) -> dict[str, Any]:
    found = {"name": name, "label": name, "verdict": verdict, "same": verdict == "kill", "changed": []}
    return found | {"worth": -5_000.0, "chance": 0.2, "scale_worth": -5_000.0} | more


NOTHING = {
    "scenarios": [row("file")],
    "joint_flip": {"spreads": None, "reason": "the worth is not known", "before": None, "at": None},
}
CHANGE = {"label": "Cases per month", "from": "100 cases", "to": "80 cases"}
ASKED_OF = {
    "scenarios": [row("file"), row("quiet year", "fix", changed=[CHANGE])],
    "joint_flip": {
        "spreads": 0.62,
        "inputs": 10,
        "as_one": 1.96,
        "reason": None,
        "direction": "unkind",
        "before": row("before"),
        "at": row("flipped", "fix", changed=[CHANGE]),
    },
}


@dataclass
class Made:
    """As much of a decision as the sections need."""

    record: dict[str, Any]
    pictures: Pictures = field(default_factory=lambda: make_pictures(empty=True))
    what_if: dict[str, Any] = field(default_factory=lambda: NOTHING)


@cache
def example(name: str) -> Made:
    found = roi.open_pilot(PARAMS / f"{name}.yaml").decision
    return Made(found.record, found.pictures, ASKED_OF)


def edge() -> Made:
    """A record of which nothing is known."""
    record = make_kill() | {"demo_gap": None, "claims": [], "self_reports": None, "ladder": None}
    known = {"evpi": None, "why": "the worth of scaling is not known", "inputs": [], "groups": []}
    evidence = {"value": None, "variance": None, "why": "the worth of scaling is not known", "factors": []}
    return Made(
        record
        | {"sensitivity": None, "knowing": known | {"samples": [], "sentence": ""}, "evidence": evidence}
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_section_of_every_example_is_whole(name: str) -> None:
    made = example(name)
    for make in (*OF_RECORD, *ASKED):
        found = make(made)  # type: ignore[operator]
        Tags(found.html)
        said = text_of(found.html)
        assert len(said) > 60, make.__name__
        assert not re.search(r"\bNone\b(?! of)|\bnan\b|Undefined|\{\{", said), (make.__name__, said)
        assert found.text
    for figure in drawn(made.record):
        assert figure.question.endswith("?")
        assert len(re.findall(r"\d", figure.alt)) >= 2
        for drawing in figure.drawings():
            ElementTree.fromstring(f"<div>{drawing}</div>")  # of several rows, perhaps


def drawn(record: dict[str, Any]) -> list[Any]:
    makers = [getattr(proof_figures, n) for n in proof_figures.__all__ if n.endswith("_figure")]
    return [figure for figure in (make(record) for make in makers) if figure is not None]


def test_empty_states_say_why() -> None:
    made = edge()
    said = {make.__name__: text_of(make(made).html) for make in (*OF_RECORD, *ASKED)}  # type: ignore[operator]
    assert "No demo case is among the samples" in said["gap"]
    assert "Nobody’s claim is in the parameter file" in said["claims"]
    assert "cannot be worked out from these inputs" in said["ladder"]
    assert "cannot be worked out from these inputs" in said["sensitivity"]
    assert "There is nothing to vary" in said["scenarios"]
    assert "the worth of scaling is not known" in said["knowing"]
    assert "the worth of scaling is not known" in said["evidence"]
    assert drawn(made.record) == []
    assert not any(re.search(r"\bNone\b|\bnan\b", text) for text in said.values())


def test_the_steps_from_demo_to_production_add_up() -> None:
    parts = {
        "mix": {"label": "other kinds of cases", "mean": -3.0, "p05": -4.0, "p95": -2.0, "why": None},
        "judge": {"label": "who judged", "mean": None, "p05": None, "p95": None, "why": "no pairs"},
        "true_drop": {"label": "the agent itself", "mean": 1.0, "p05": 0.0, "p95": 2.0, "why": None},
    }
    level = {"mean": 8.0, "p05": 7.0, "p95": 9.0}
    q = {"label": "Minutes saved", "unit": "min/case", "better": "more", "parts": parts, "demo": level}
    q |= {"production": level | {"mean": 6.0}, "gap": level, "demo_reweighted": None}
    figure = proof_figures.gap_figure({"demo_gap": {"quantities": {"minutes_saved_per_case": q}}})
    assert figure is not None
    rows = next(data for data in figure.draw(640).to_dict()["datasets"].values() if "kind" in data[0])
    assert [(r["start"], r["end"], r["kind"]) for r in rows] == [
        (0, 8, "level"),
        (8, 5, "worse"),
        (5, 6, "better"),
        (0, 6, "level"),
    ]
    assert "not told apart: who judged" in figure.alt


def test_a_sample_pays_where_it_is_worth_more_than_its_price() -> None:
    def sample(what: str, most: float, price: float | None) -> dict[str, Any]:
        return {"what": what, "most": most, "price": price}

    def answer(*samples: dict[str, Any]) -> str:
        found = proof_figures.samples_figure({"currency": "EUR", "knowing": {"samples": samples}})
        assert found is not None
        return found.answer.replace("\u00a0", " ")

    small, large = sample("Label 10", 500.0, 400.0), sample("Label 20", 700.0, 900.0)
    assert answer(small, large) == "Label 10: worth EUR 500, price EUR 400"
    assert answer(large) == "None of 1 sample with a price is worth it"
    assert answer(sample("A document", 5.0, None)) == "Nobody has stated a price for any of 1 sample"


def test_what_rounding_leaves_is_no_worth_of_knowing() -> None:
    inputs = [{"label": "Cases", "value": 20.0}, {"label": "Losses", "value": 5.8e-11}]
    record = {"currency": "EUR", "knowing": {"evpi": 20.0, "inputs": inputs}}
    figure = proof_figures.knowing_figure(record)
    assert figure is not None
    assert "Losses" not in figure.alt
    assert proof_figures.knowing_figure({"knowing": {"inputs": inputs[1:]}}) is None


def marked(value: Any) -> Any:
    """Every text of a record with markup in it, keys and units left as they are."""
    kept = {"unit", "currency", "evidence", "group", "kind", "rung", "name", "verdict", "direction"}
    if isinstance(value, dict):
        return {k: v if k in kept else marked(v) for k, v in value.items()}
    if isinstance(value, list):
        return [marked(v) for v in value]
    return f"{MARKUP}{value}" if isinstance(value, str) else value


@pytest.mark.slow
@pytest.mark.parametrize("name", ["claims_intake", "permit_intake"])
def test_texts_of_users_are_escaped(name: str) -> None:
    found = example(name)
    made = Made(marked(found.record), found.pictures, marked(ASKED_OF))
    for make in (*OF_RECORD, *ASKED):
        page = make(made).html  # type: ignore[operator]
        assert "<script" not in page, make.__name__
        if make is not proof.gap or made.record["demo_gap"]:
            assert html.escape(MARKUP)[:9] in page or make is proof.evidence, make.__name__


def test_numbers_on_parts_are_read_in_both_colour_schemes():
    """WCAG 2.2, 1.4.3: at least 4.5 to 1 between a number and the part that it stands on, light and dark."""
    css = style_sheet()
    dark = dict(re.findall(r'\.drawing (?:text)?\[fill="(#\w+)"\]\{fill:(#\w+)\}', css))
    assert {kind for kinds in proof_charts.ON_PART.values() for kind in kinds} == set(proof_charts.KINDS)
    for ink, kinds in proof_charts.ON_PART.items():
        for kind in kinds:
            part = proof_charts.KINDS[kind]
            assert contrast(ink, part) >= 4.5, (kind, "light")
            assert contrast(dark.get(ink, ink), dark[part]) >= 4.5, (kind, "dark")


@pytest.mark.slow
def test_columns_of_money_stand_apart_in_print():
    """Amounts are not broken, so that only their padding keeps two columns apart."""
    (printed,) = re.findall(r"@media print\{(.*)\}\n?$", style_sheet(), re.M)
    narrow, wide = (
        re.findall(rf"{c}\{{padding-left:([\d.]+)rem", printed) for c in (r"\.stack \.n", r"\.small \.n\.r")
    )
    assert float(wide[0]) > 2 * float(narrow[0])
    assert printed.index(".stack .n{") < printed.index(".small .n.r{")
    html = proof.knowing(example("claims_intake")).html
    assert '<table class="stack small">' in html
    assert html.count('class="n r"') >= 4


def test_of_a_demo_whose_inputs_alone_were_given_that_is_said() -> None:
    """The generated claims have 90 demo cases among their inputs, and none among their cases."""
    decision = example("claims_intake")
    n = decision.record["audit"]["inputs"]["cases"]["demo"]
    said = text_of(proof.gap(decision).html)
    assert n == 90
    assert decision.record["demo_gap"] is None
    assert f"Of {n} demo cases there are inputs" in said
    assert "no times, outcomes or costs" in said
    assert "No demo" not in said
    assert f"Of {n} demo cases there are inputs" in text_of(proof.opening(decision).html)
