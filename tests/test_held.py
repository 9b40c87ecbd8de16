"""No new money for what its own operation stops: the set, what it would be without that, and how it is said."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from fixtures_record import make_record
from made_portfolios import DRAWS, candidate, fundable
from rest_slow import rest_slow

from roi.operating import asks_first, holds_back
from roi.portfolio import portfolio_of
from roi.report import portfolio as show
from roi.report.index import Entry, csv_text, index_page, read_together
from roi.schema.portfolio import Portfolio


def plan(**given: object) -> Portfolio:
    return Portfolio.model_validate(given)


def told(action: str, *segments: str) -> dict:
    """What an operation says, as operation.json holds it."""
    return {"action": action, "headline": action.capitalize(), "text": "It comes first.", "since": "2026-11-12",
            "segments": list(segments), "verdict_of": None, "record": "x"}  # fmt: skip


def names(found: dict) -> list[str]:
    return [x["pilot"] for x in found["set"]["funded"]]


def said_of(found: dict) -> str:
    return " ".join(" ".join(show.sentences(found)).split())


def shown(found: dict) -> str:
    class Opened:
        pass

    opened = Opened()
    opened.found = found
    parts = (show.funded(opened), show.overview(opened))
    return " ".join(" ".join(part.html for part in parts).split())


@pytest.mark.parametrize("action", ["pause", "roll_back", "restrict"])
def test_what_is_stopped_gets_no_money_by_hand(action):
    """Budget 100. A brings 80 for 60, B 50 for 50, one of them fits: A, but its operation says to stop, so B.

    Were A released, A would be the best set: 30 more for 10 more, and B gives way.
    """
    a = replace(candidate("a", fundable(80.0, 60), title="Claims"), operating=told(action))
    b = candidate("b", fundable(50.0, 50), title="Bills")
    found = portfolio_of([a, b], plan(budget=100))
    assert names(found) == ["b"]
    [row] = found["set"]["held"]
    assert (row["pilot"], row["action"], row["worth"], row["cost"]) == ("a", action, 80, 60)
    released = found["set"]["if_released"]
    assert (released["brings"], released["cost"]) == (pytest.approx(30), 60)
    assert (released["set"], released["leaves_out"]) == (["a"], ["b"])
    assert found["next"] == []
    assert [(p["pilot"], p["is_funded"], p["is_held"]) for p in found["pilots"]] == [
        ("a", False, True),
        ("b", True, False),
    ]
    assert found["discoveries"]["step_up"] == ["b"]
    assert found["set"]["without_limits"] == 50
    said = said_of(found)
    assert "No new money for Claims, since its own operation says to wait." in said
    assert "worth EUR 30.00 more, for EUR 10.00 more; Bills would then give way." in said
    assert "<em>held back</em>" in shown(found)
    assert "Decide again once it goes on" in shown(found)


def test_where_there_is_room_for_it_nothing_gives_way():
    a = replace(candidate("a", fundable(80.0, 60)), operating=told("pause"))
    found = portfolio_of([a, candidate("b", fundable(50.0, 50))], plan(budget=110))
    assert found["set"]["if_released"]["leaves_out"] == []
    assert "give way" not in said_of(found)


def test_what_would_not_be_in_the_set_anyway_is_named_all_the_same():
    a = replace(candidate("a", fundable(40.0, 60)), operating=told("pause"))
    found = portfolio_of([a, candidate("b", fundable(50.0, 50))], plan(budget=100))
    assert found["set"]["if_released"] is None
    assert [x["pilot"] for x in found["set"]["held"]] == ["a"]
    assert "The set would be the same with it." in said_of(found)


def test_a_restriction_holds_what_is_for_the_segments_that_are_left_out():
    """Everything (100) takes chat along, which is left out; mail alone (60) keeps the limits and is funded."""
    options = (fundable(100.0, 10), fundable(60.0, 10, kind="scale_segments", segments=("mail",)))
    a = replace(candidate("a", *options), operating=told("restrict", "chat"))
    found = portfolio_of([a], plan(budget=100))
    assert [x["kind"] for x in found["set"]["funded"]] == ["scale_segments"]
    assert [x["kind"] for x in found["set"]["held"]] == ["scale"]
    b = replace(a, operating=told("restrict", "mail", "chat"))
    assert names(portfolio_of([b], plan(budget=100))) == []
    assert holds_back(told("restrict"), ("mail",))  # which are left out is not known
    assert not holds_back(None, None)


def test_what_is_to_be_found_out_first_keeps_its_place_on_a_condition():
    a = replace(candidate("a", fundable(80.0, 60), title="Claims"), operating=told("investigate"))
    found = portfolio_of([a, candidate("b", fundable(50.0, 50))], plan(budget=200))
    assert names(found) == ["a", "b"]
    assert [x["first"] and x["first"]["action"] for x in found["set"]["funded"]] == ["investigate", None]
    assert (found["set"]["held"], found["set"]["if_released"]) == ([], None)
    assert "Of this, EUR 60.00 for Claims only once it is known why" in said_of(found)
    assert "Investigate</bdi> first" in shown(found)
    assert not asks_first(told("pause"))


def test_money_for_a_mend_and_money_that_was_signed_for_are_told_apart():
    signed = [
        {"decision": "accept", "name": n, "role": "r", "at": "2026-11-21"} for n in ("A. One", "B. Two")
    ]
    a = replace(
        candidate("a", fundable(80.0, 60, kind="fix"), verdict="fix", signed=signed), operating=told("pause")
    )
    found = portfolio_of([a], plan())
    assert found["set"]["held"][0]["signed"] == "accepted"
    assert (
        "What mends the broken limit may be granted by name; it is signed: stop what is not spent yet"
        in shown(found)
    )


@pytest.mark.parametrize("seed", rest_slow(range(6), at_once=2))
def test_the_set_is_that_of_a_portfolio_without_what_is_held(seed):
    rng = np.random.default_rng(seed)
    pilots = [
        candidate(f"p{i}", fundable(rng.normal(rng.uniform(5, 50), 5, DRAWS), float(rng.uniform(5, 50))))
        for i in range(6)
    ]
    stopped = [replace(c, operating=told("pause")) if i % 2 else c for i, c in enumerate(pilots)]
    budget = plan(budget=70)
    found, without = portfolio_of(stopped, budget)["set"], portfolio_of(pilots[::2], budget)["set"]
    assert [x["pilot"] for x in found["funded"]] == [x["pilot"] for x in without["funded"]]
    for ours, theirs in zip(found["limits"], without["limits"], strict=True):
        assert ours["enough"]["set"] == theirs["enough"]["set"]
        assert ours["left"] == pytest.approx(theirs["left"])
    free = portfolio_of(pilots, budget)["set"]
    if found["if_released"] is not None:
        assert found["if_released"]["set"] == sorted(x["pilot"] for x in free["funded"])
        more = free["worth"]["mean"] - found["worth"]["mean"]
        assert found["if_released"]["brings"] == pytest.approx(more, rel=1e-3)


def test_the_page_and_the_table_say_whose_money_is_held_back(tmp_path):
    record = {**make_record(), "sum_asked_for": 40_000.0}
    a = replace(candidate(record["pilot"], fundable(80.0, 60)), record=record, operating=told("pause"))
    found = portfolio_of([a], plan())
    entry = Entry(pilot=record["pilot"], record=record, operating=told("pause"))
    html = index_page([entry], found)
    assert "own operation says to wait" in html
    assert "<small>held back</small>" in html
    [row] = csv.DictReader(io.StringIO(csv_text([entry], found)))
    assert row["funded"] == "held back"
    assert "held back" not in index_page([Entry(pilot=record["pilot"], record=record)])
    # A set that was chosen before the operation said so is not shown.
    (tmp_path / "portfolio.json").write_text(json.dumps(found, default=str), encoding="utf-8")
    assert read_together(tmp_path, [entry]) is not None
    assert read_together(tmp_path, [replace(entry, operating=None)]) is None
