"""Which workflow is next: by what the set brings that is found again with what it lacks, one at a time."""

from __future__ import annotations

import numpy as np
import pytest
from made_portfolios import candidate, fundable, shown
from rest_slow import rest_slow

from roi.portfolio import portfolio_of
from roi.report import portfolio as show
from roi.schema.portfolio import Portfolio


def plan(**given: object) -> Portfolio:
    return Portfolio.model_validate(given)


def lacks(row: dict) -> dict[str, float]:
    return {x["name"]: x["lacks"] for x in row["lacks"]}


def test_the_order_and_what_each_lacks_after_those_before_it_by_hand():
    """Budget 100, IT 5 weeks; A (80 for 60, 4 weeks) is funded, 40 and 1 are left.

    B (50 for 50, 3 weeks) lacks 10 and 2: 10 % + 40 %, 50 for 50 hundredths. C (45 for 60) lacks 20: 45 for 20. C is next;
    after it nothing is left of the money, so that B lacks 50 and 2.
    """
    a = candidate("a", fundable(80.0, 60, weeks={"IT": 4.0}))
    b = candidate("b", fundable(50.0, 50, weeks={"IT": 3.0}))
    c = candidate("c", fundable(45.0, 60))
    found = portfolio_of([a, b, c], plan(budget=100, builders={"IT": {"weeks": 5}}))
    first, second = found["next"]
    assert (first["pilot"], second["pilot"]) == ("c", "b")
    assert (lacks(first), first["brings"], first["per_percent"]) == ({"Budget": 20}, 45, pytest.approx(2.25))
    assert lacks(second) == {"Budget": 50, "IT": 2}
    assert second["per_percent"] == pytest.approx(50 / 90)
    # The same people build A first: four weeks.
    assert (second["start_week"], second["end_week"], first["start_week"]) == (4, 7, 0)
    assert "EUR 45.00, EUR 2.25 a hundredth of what there is" in shown(found, show.order)


def test_what_the_set_found_again_would_not_hold_comes_after():
    """Budget 100: A (60 for 60) and, of 110, C (130 for 110) in its place. B (15 for 50) lacks as much, 10, but with 10
    more the best set is C: so C is next although it lacks 70 beside A, and A gives way."""
    a, b, c = (
        candidate(p, fundable(w, x), title=p.upper())
        for p, w, x in (("a", 60.0, 60), ("b", 15.0, 50), ("c", 130.0, 110))
    )
    found = portfolio_of([a, b, c], plan(budget=100))
    assert [x["pilot"] for x in found["set"]["funded"]] == ["a"]
    first, second = found["next"]
    assert (first["pilot"], first["is_in_set"], first["gives_way"]) == ("c", True, [])
    assert first["brings"] == 130
    assert second["pilot"] == "b"
    alone = portfolio_of([a, b], plan(budget=100))["next"][0]
    assert (alone["pilot"], alone["brings"], alone["is_in_set"]) == ("b", 15, True)


def test_where_those_before_would_rather_do_more_that_is_said():
    """A (60 for 60, or 130 for 110) is funded of 100. B (15 for 50) lacks 10, with which A would be done for 110."""
    a = candidate("a", fundable(60.0, 60), fundable(130.0, 110), title="Claims")
    found = portfolio_of([a, candidate("b", fundable(15.0, 50))], plan(budget=100))
    [row] = found["next"]
    assert (row["pilot"], row["is_in_set"], row["brings"], row["instead"]) == ("b", False, 70, [])
    assert "the best set would rather do more of those before" in shown(found, show.order)


def test_the_same_people_build_one_at_a_time_after_the_set():
    pilots = [
        candidate(p, fundable(w, 10, weeks={"IT": 3.0})) for p, w in (("a", 9.0), ("b", 6.0), ("c", 3.0))
    ]
    found = portfolio_of(pilots, plan(builders={"IT": {"weeks": 4}}))
    assert [(x["pilot"], x["start_week"], x["end_week"]) for x in found["order"] + found["next"]] == [
        ("a", 0, 3),
        ("b", 3, 6),
        ("c", 6, 9),
    ]
    assert [lacks(x) for x in found["next"]] == [{"IT": 2}, {"IT": 3}]
    assert "waits for IT until week 3" in " ".join(" ".join(show.sentences(found)).split())


def test_what_only_lacks_surer_pilots_comes_after_what_can_be_given():
    unsure = np.where(np.arange(4000) % 2, 200.0, -40.0)
    pilots = [
        candidate("a", fundable(50.0, 0)),
        candidate("u", fundable(unsure, 0)),
        candidate("c", fundable(5.0, 30)),
    ]
    found = portfolio_of(pilots, plan(budget=20, max_share_not_paying=0.1))
    assert [x["pilot"] for x in found["next"]] == ["c", "u"]
    assert found["next"][1]["per_percent"] is None
    assert "nothing that can be given brings it" in shown(found, show.order)


@pytest.mark.parametrize("seed", rest_slow(range(6), at_once=2))
def test_the_first_brings_no_less_than_its_own_worth_and_everyone_comes_once(seed):
    rng = np.random.default_rng(seed)
    pilots = [
        candidate(
            f"p{i}",
            fundable(
                float(rng.uniform(5, 50)), float(rng.uniform(5, 50)), weeks={"IT": float(rng.integers(0, 5))}
            ),
        )
        for i in range(9)
    ]
    found = portfolio_of(pilots, plan(budget=60, builders={"IT": {"weeks": 6}}))
    rows, funded = found["next"], {x["pilot"] for x in found["set"]["funded"]}
    assert sorted(x["pilot"] for x in rows) == sorted({c.pilot for c in pilots} - funded)
    for row in rows[:6]:
        assert row["brings"] >= row["worth"] - 1e-6 or not row["is_in_set"]
    assert all(row["brings"] is None for row in rows[6:])
