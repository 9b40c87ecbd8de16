"""What people decided and what months say govern the set: by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_portfolios import DRAWS, candidate, fundable

from roi.as_it_stands import as_it_stands
from roi.candidates import Returned
from roi.operating import lead_of, months_said
from roi.portfolio import portfolio_of
from roi.report import portfolio as show
from roi.schema.portfolio import Portfolio


def plan(**given: object) -> Portfolio:
    return Portfolio.model_validate(given)


def names(found: dict) -> list[str]:
    return [x["pilot"] for x in found["set"]["funded"]]


def said_of(found: dict) -> str:
    return " ".join(" ".join(show.sentences(found)).split())


def signed(decision: str, *people: str, **more: object) -> list[dict]:
    return [
        {"decision": decision, "as": p, "role": "CFO", "at": "2026-11-21", "reason": "budget cut", **more}
        for p in people
    ]


def months(mean: float | None, *, holds: bool = True, stops: bool = False, on: float = 0.9) -> dict:
    band = None if mean is None else {"mean": mean, "p10": mean - 10, "p50": mean, "p90": mean + 10}
    return {"count": 5, "holds": holds, "stops": stops, "text": "The months say so.", "before": {"mean": 80.0},
            "now": {"mean": 70.0}, "going_on": band, "on": on, "verdict": "scale", "segments": ["x", "y"]}  # fmt: skip


def runs(mean: float | None = 40.0, **more: object):
    """A (80 ± for 60 and 4 weeks), rolled out everywhere, five months of it known."""
    worth = 80 + np.linspace(-25, 25, DRAWS)
    a = candidate(
        "a", fundable(worth, 60, weeks={"IT": 4.0}), title="Claims", options={"scale": {"scope": ["y", "x"]}}
    )
    return replace(a, months=months(mean, **more))


def test_what_runs_takes_no_new_money_and_is_worth_what_is_left_by_hand():
    """Draws of 55 to 105 have P10 60 and P90 100: half as wide around 40, from 27.5 to 52.5."""
    [left] = as_it_stands(runs()).options
    assert (left.cost, left.now, left.weeks, left.running, left.chance) == (0, 0, {}, 5, 0.9)
    assert (left.worth.min(), left.worth.mean(), left.worth.max()) == pytest.approx((27.5, 40, 52.5))
    b = candidate("b", fundable(50.0, 50, weeks={"IT": 3.0}), title="Bills")
    found = portfolio_of([runs(), b], plan(budget=50, builders={"IT": {"weeks": 3}}))
    assert names(found) == ["a", "b"]
    assert found["set"]["cost"] == 50
    assert found["set"]["worth"]["mean"] == pytest.approx(90)
    assert [(x["pilot"], x["start_week"]) for x in found["order"]] == [("a", 0), ("b", 0)]
    assert "Already running, for no new money, counted in the set by what is left of it: Claims." in said_of(
        found
    )
    assert found["pilots"][0]["worth"]["mean"] == pytest.approx(40)
    assert found["pilots"][0]["months"]["now"]["mean"] == 70


def test_months_of_another_roll_out_change_nothing():
    other = replace(runs(), months={**months(40.0), "segments": ["x"]})
    assert as_it_stands(other).options[0].cost == 60


@pytest.mark.parametrize(
    ("mean", "why"), [(None, "its plan is over"), (-5.0, "going on does not pay on average")]
)
def test_what_brings_nothing_more_is_in_no_set(mean, why):
    found = portfolio_of([runs(mean)], plan())
    assert names(found) == []
    assert why in found["pilots"][0]["note"]


@pytest.mark.parametrize(("stops", "action"), [(True, "stop"), (False, "decide_again")])
def test_what_months_do_not_bear_out_leads_every_page_and_is_held_back(stops, action):
    said = months(20.0, holds=False, stops=stops, on=0.1)
    record = {"pilot": "a", "verdict": "scale"}
    lead = lead_of(None, record, "", said)
    assert lead is not None
    assert (lead["action"], lead["text"], lead["months"]) == (action, "The months say so.", said)
    calm = {"action": {"action": "continue", "rule": "x", "since": None}, "changes": []}
    assert lead_of(calm, record, "Continue", said)["action"] == action
    broken = {"action": {"action": "pause", "rule": "x", "since": None}, "changes": []}
    assert lead_of(broken, record, "Pause", said)["action"] == "pause"  # a limit comes before money
    assert lead_of(calm, record, "Continue", months(20.0))["action"] == "continue"
    a = replace(runs(20.0), operating=lead)
    found = portfolio_of([a, candidate("b", fundable(50.0, 50))], plan())
    assert names(found) == ["b"]
    assert [x["pilot"] for x in found["set"]["held"]] == ["a"]


def test_months_in_short():
    band = {"mean": 1.0, "p10": 0.0, "p50": 1.0, "p90": 2.0}
    now = {"text": "t", "holds": True, "stops": False, "worth": {"before": band, "now": band}, "going_on": None,
           "chances": {"going_on": None}}  # fmt: skip
    whole = {
        "months": [
            {"month": "2026-11", "actual": {}},
            {"month": "2026-12", "actual": {}},
            {"month": "2027-01", "actual": None},
        ],
        "updated": now,
        "verdict": "scale",
        "segments": ["x"],
    }
    said = months_said(whole)
    assert said is not None
    assert (said["count"], said["until"]) == (2, "2026-12-31")
    assert months_said(None) is None
    assert months_said({"state": "unknown", "why": "x"}) is None


def test_the_page_of_all_pilots_is_of_the_newest_day_that_is_known_and_what_runs_is_not_overdue():
    """Months of January are known: what was to be decided in December is late, and a plan that runs is not."""
    late = candidate("b", fundable(50.0, 50), as_of="2026-11-20", decide_by="2026-12-15")
    running = runs(20.0)
    running = replace(running, record={**running.record, "as_of": "2026-05-01", "decide_by": "2026-05-22"})
    found = portfolio_of([running, late], plan())
    assert found["as_of"] == "2026-11-20"
    known = {**running.months, "until": "2027-01-31"}
    found = portfolio_of([replace(running, months=known), late], plan())
    rows = {p["pilot"]: p for p in found["pilots"]}
    assert found["as_of"] == "2027-01-31"
    assert (rows["b"]["overdue"], rows["b"]["days_left"], rows["b"]["runs"]) == (True, -47, False)
    assert (rows["a"]["overdue"], rows["a"]["runs"]) == (False, True)


def test_an_override_governs_the_set_and_the_money_that_stopping_returns():
    people = signed("override", "M. Weber", instead="kill", expires="2027-03-31")
    a = candidate("a", fundable(80.0, 60), signed=people, returned=Returned(per_month=10.0, once=5.0))
    found = portfolio_of([a, candidate("b", fundable(50.0, 50))], plan())
    assert names(found) == ["b"]
    assert (found["kills"]["pilots"], found["kills"]["per_year"]) == (["a"], 120)
    assert [(p["verdict"], p["decided"]) for p in found["pilots"]] == [("scale", "kill"), ("scale", "scale")]
    assert "decided in place of the verdict (scale): kill" in found["pilots"][0]["note"]
    lapsed = signed("override", "M. Weber", instead="kill", expires="2026-11-20")
    again = replace(a, record={**a.record, "signed": lapsed})
    assert names(portfolio_of([again], plan())) == ["a"]


def test_a_kill_that_people_scale_can_be_funded_and_returns_nothing():
    people = signed("override", "M. Weber", "A. Chen", instead="scale", expires="2027-03-31")
    options = (fundable(30.0, 10), fundable(90.0, 10, kind="scale_segments", segments=("x",)))
    a = replace(candidate("a", *options, verdict="kill", signed=people), others=options)
    found = portfolio_of([a], plan())
    assert [(x["pilot"], x["kind"]) for x in found["set"]["funded"]] == [("a", "scale")]
    assert found["kills"]["pilots"] == []
    poor = replace(a, others=(fundable(-5.0, 10),))
    assert (
        "nothing of that kind is worth more than stopping"
        in portfolio_of([poor], plan())["pilots"][0]["note"]
    )


def test_what_is_deferred_is_held_back():
    a = candidate("a", fundable(80.0, 60), title="Claims", signed=signed("defer", "M. Weber"))
    found = portfolio_of([a], plan())
    assert names(found) == []
    assert [(x["pilot"], x["action"]) for x in found["set"]["held"]] == [("a", "deferred")]
    assert "No new money for Claims, which was deferred." in said_of(found)
    assert found["discoveries"]["step_up"] == []
