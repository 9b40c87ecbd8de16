"""The sections of the fix: what each says of examples, of records without remedies, and of texts of users."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from fixtures_record import make_kill, make_pictures
from opened_examples import example
from test_page import Tags, text_of
from test_proof import MARKUP, marked

from roi.pictures import Pictures
from roi.report import fix, remedy_figures, sections

EXAMPLES = ["claims_intake", "contract_summaries", "payment_repair", "permit_intake", "support_replies"]
ALL = [fix.opening, fix.ladder, fix.each, fix.again, fix.ceilings, sections.fixing]


@dataclass
class Made:
    """As much of a decision as the sections need."""

    record: dict[str, Any]
    pictures: Pictures = field(default_factory=lambda: make_pictures(empty=True))


@cache
def record(name: str) -> dict[str, Any]:
    return example(name).decision.record


def step(name: str, order: int, mean: float, paid: float, **more: Any) -> dict[str, Any]:
    worth = {"mean": mean, "p10": mean - 5_000.0, "p50": mean, "p90": mean + 5_000.0}
    row = {"name": name, "order": order, "worth_by_then": worth, "paid_by_then": paid, "opens": True}
    row |= {
        "most": 40_000.0,
        "cost": 15_000.0,
        "cost_per_month": 0.0,
        "bought": True,
        "again": None,
        "step": mean,
    }
    row |= {"addresses": "data", "removes": 0.5, "after": [], "alone": 1.0, "among": 2.0, "weeks": 4.0}
    return row | {"payback_month": 7} | more


def bought(budget: float | None = 60_000.0, **more: Any) -> dict[str, Any]:
    rows = [step("Check numbers", 1, 25_000.0, 15_000.0), step("Clean addresses", 2, 27_000.0, 43_000.0)]
    whole = {"mean": 27_000.0, "start": 0.0, "joint": 27_000.0, "sum_of_alone": 47_000.0, "budget": budget}
    whole |= {"weeks": None, "advised": True, "exact": True, "gap": 0.0, "sets": 4, "payback_month": 9}
    found = {"text": "Buy both.", "list": rows, "set": whole | more, "near": [], "ceilings": [], "why": None}
    return make_kill() | {"remedies": found, "currency": "EUR"}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_section_of_every_example_is_whole(name: str) -> None:
    for make in ALL:
        found = make(Made(record(name)))
        Tags(found.html)
        said = text_of(found.html)
        assert len(said) > 40, make.__name__
        assert not re.search(r"\bNone\b(?! of)|\bnan\b|Undefined|\{\{", said), (make.__name__, said)
        assert found.text


def test_the_ladder_says_its_numbers_and_draws_them() -> None:
    figure = remedy_figures.remedy_ladder_figure(bought())
    assert figure is not None
    alt = figure.alt.replace("\u00a0", " ")
    assert "2. Clean addresses: EUR 27,000" in alt
    assert "paid by then EUR 43,000" in alt
    assert "The budget is EUR 60,000" in alt
    rows = next(d for d in figure.draw(640).to_dict()["datasets"].values() if "paid" in d[0])
    assert [(r["mean"], r["paid"]) for r in rows] == [(0.0, 0.0), (25_000.0, 15_000.0), (27_000.0, 43_000.0)]
    assert ("tick", "budget") in figure.legend
    for drawing in figure.drawings():
        ElementTree.fromstring(drawing)
    free = remedy_figures.remedy_ladder_figure(bought(None))
    assert free is not None
    assert ("tick", "budget") not in free.legend


def test_overlap_and_what_is_not_certain_are_said() -> None:
    said = text_of(fix.ladder(Made(bought())).html)
    assert "together they add EUR 27,000: they overlap" in said
    opening = text_of(fix.opening(Made(bought(exact=False, gap=9_000.0))).html)
    assert "another could be worth EUR 9,000 more at the most" in opening
    unknown = text_of(fix.opening(Made(bought(exact=False, gap=None))).html)
    assert "how much better another could be is not known" in unknown


def test_empty_states_say_why() -> None:
    nothing = {
        "text": "No remedy is stated.",
        "list": [],
        "set": None,
        "near": [],
        "ceilings": [],
        "why": "x",
    }
    for found in (make_kill() | {"remedies": nothing}, make_kill() | {"remedies": None}):
        said = {make.__name__: text_of(make(Made(found)).html) for make in ALL}
        assert "No remedy is stated. Put what could be done" in said["each"]
        assert "nothing to measure again" in said["again"]
        assert "Every closed gate has a remedy with a price" in said["ceilings"]
        assert not any(re.search(r"\bNone\b|\bnan\b", text) for text in said.values())
        assert remedy_figures.remedy_ladder_figure(found) is None
        assert remedy_figures.most_figure(found) is None


def test_a_ceiling_is_said_with_what_it_needs_beside() -> None:
    row = {"gate": "evaluation", "label": "Evaluation suite", "mend": "Run it", "most": 80_000.0, "why": None}
    found = bought()
    found["remedies"]["ceilings"] = [row | {"together_with": ["Rollback"]}]
    said = text_of(fix.ceilings(Made(found)).html)
    assert "EUR 80,000 together with Rollback" in said
    assert "It may cost EUR 80,000 at the most" in text_of(sections.fixing(Made(found)).html)


def test_what_is_offered_for_a_closed_gate_is_held_against_what_it_may_cost() -> None:
    row = {"gate": "rollback", "label": "Rollback", "mend": "Drill", "most": 8_000.0, "why": None}
    found = bought()
    found["remedies"]["ceilings"] = [
        row | {"together_with": [], "remedies": ["A drill a week"], "cost": 20_000.0}
    ]
    said = text_of(fix.ceilings(Made(found)).html)
    assert "EUR 20,000 A drill a week" in said
    assert "Nobody has stated" not in said
    assert "what is offered costs EUR 20,000, and may cost EUR 8,000 at the most" in text_of(
        sections.fixing(Made(found)).html
    )


@pytest.mark.slow
def test_why_a_price_ends_is_said_and_a_step_with_nothing_to_roll_out_pays_nothing_back() -> None:
    found = bought()
    first, then = found["remedies"]["list"]
    first |= {"opens": False, "most_ends": "rule", "payback_month": 13}
    then |= {"most_ends": "worth", "payback_month": 15}
    said = text_of(fix.ladder(Made(found)).html)
    assert "not by itself" in said
    assert "month 13" not in said
    assert "month 15" in said
    assert text_of(fix.each(Made(found)).html).count("beyond it not sure enough") == 1
    assert "do not add up" in text_of(fix.each(Made(found)).html)


def test_the_first_screen_says_that_worths_of_steps_do_not_add_up() -> None:
    decision = example("claims_intake").decision
    assert "without any one of them the worth of EUR 357,000" in text_of(sections.first_screen(decision).html)
    steps = [{**step, "worth": 1000.0 + i} for i, step in enumerate(decision.record["next"])]
    apart = SimpleNamespace(record={**decision.record, "next": steps}, pictures=decision.pictures)
    assert "these do not add up" in text_of(sections.first_screen(apart).html)
    assert "these do not add up" not in text_of(
        sections.first_screen(example("payment_repair").decision).html
    )


@pytest.mark.slow
def test_texts_of_users_are_escaped() -> None:
    found = marked(bought())
    found["remedies"]["set"] = bought()["remedies"]["set"]
    for make in ALL:
        page = make(Made(found)).html
        assert "<script" not in page, make.__name__
    assert html.escape(MARKUP)[:9] in fix.each(Made(found)).html
