"""What more of something scarce would bring: by hand, and against every set there is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from made_portfolios import candidate, fundable, shown
from rest_slow import rest_slow

from roi.portfolio import portfolio_of
from roi.report import portfolio as show
from roi.schema.portfolio import Portfolio


def plan(**given: object) -> Portfolio:
    return Portfolio.model_validate(given)


def test_what_must_be_raised_together_by_hand():
    """A (80 for 60 and 4 weeks) is funded of 100 and 5 weeks. B (50 for 50 and 3 weeks) lacks 10 and 2 weeks: neither
    110 alone nor 7 weeks alone brings anything, both bring 50. No multiplier says so."""
    a = candidate("a", fundable(80.0, 60, weeks={"IT": 4.0}))
    b = candidate("b", fundable(50.0, 50, weeks={"IT": 3.0}))
    found = portfolio_of([a, b], plan(budget=100, builders={"IT": {"weeks": 5}}))
    assert [x["enough"]["brings"] for x in found["set"]["limits"]] == [0, 0]
    [both] = found["set"]["together"]
    assert both["names"] == ["Budget", "IT"]
    assert both["brings"] == both["at_most"] == 50
    assert both["takes"] == {"Budget": pytest.approx(10), "IT": pytest.approx(2)}
    assert both["set"] == ["a", "b"]
    text = "Budget and IT hold the set back together: raised at once (EUR 10.00 more and 2.0 weeks more of IT) they would"
    assert f"{text} bring EUR 50.00." in shown(found, show.funded)


def test_a_tenth_more_and_enough_by_hand():
    """Budget 100, A 80 for 60: B (50 for 50) takes 110, C (30 for 80) takes 140 with A, all three 190."""
    pilots = [candidate(p, fundable(w, c)) for p, w, c in (("a", 80.0, 60), ("b", 50.0, 50), ("c", 30.0, 80))]
    found = portfolio_of(pilots, plan(budget=100))
    [budget] = found["set"]["limits"]
    assert (budget["tenth"]["brings"], budget["tenth"]["takes"]) == (50, {"Budget": pytest.approx(10)})
    assert (budget["enough"]["brings"], budget["enough"]["takes"]) == (80, {"Budget": pytest.approx(90)})
    assert found["set"]["together"] == []
    assert "EUR 80.00, with EUR 90.00 more" in shown(found, show.funded)
    assert "No set that the limits allow is worth more." in shown(found, show.funded)


def brute(worth, use, limit):
    """The best worth over all sets."""
    sets = itertools.product((0, 1), repeat=len(worth))
    return max(float(np.dot(s, worth)) for s in sets if np.all(np.dot(s, use) <= limit + 1e-9))


@pytest.mark.parametrize("seed", rest_slow(range(12), at_once=4))
def test_more_brings_what_every_set_looked_at_says(seed):
    rng = np.random.default_rng(seed)
    worth, cost = rng.uniform(5, 50, 6).round(2), rng.uniform(5, 50, 6).round(2)
    it, data = rng.integers(0, 6, 6), rng.integers(0, 6, 6)
    pilots = [
        candidate(f"p{i}", fundable(worth[i], cost[i], weeks={"IT": float(it[i]), "Data": float(data[i])}))
        for i in range(6)
    ]
    amounts = np.array([60.0, 7.0, 7.0])
    builders = {"IT": {"weeks": 7}, "Data": {"weeks": 7}}
    found = portfolio_of(pilots, plan(budget=60, builders=builders))["set"]
    use = np.stack([cost, it, data], axis=1)
    before = brute(worth, use, amounts)
    for k, limit in enumerate(found["limits"]):
        for key, amount in (("tenth", amounts[k] * 1.1), ("enough", 1e6)):
            more = amounts.copy()
            more[k] = amount
            assert limit[key]["brings"] == pytest.approx(brute(worth, use, more) - before, abs=1e-6)
    names = [x["name"] for x in found["limits"]]
    for group in found["together"]:
        more = np.where(np.isin(names, group["names"]), 1e6, amounts)
        assert group["brings"] == pytest.approx(brute(worth, use, more) - before, abs=1e-6)
        chosen = [int(p[1:]) for p in group["set"]]
        for k, name in enumerate(names):
            over = max(0.0, float(use[chosen, k].sum()) - amounts[k])
            assert group["takes"].get(name, 0.0) == pytest.approx(over if name in group["names"] else 0.0)


@pytest.mark.slow
def test_a_set_that_may_be_missed_is_said(monkeypatch):
    """Of one partial choice held at a time the best set cannot be proven: the page says by how much at most."""
    monkeypatch.setattr("roi.funding.MANY", 0)
    monkeypatch.setattr("roi.funding.FIRST", 1)
    monkeypatch.setattr("roi.funding.WORK", 0)
    rng = np.random.default_rng(3)
    use = rng.uniform(10, 100, (14, 3))
    pilots = [
        candidate(
            f"p{i:02}",
            fundable(
                use[i].mean() * rng.uniform(0.95, 1.05), use[i, 0], weeks={"IT": use[i, 1], "Data": use[i, 2]}
            ),
        )
        for i in range(14)
    ]
    builders = {"IT": {"weeks": 250}, "Data": {"weeks": 250}}
    found = portfolio_of(pilots, plan(budget=250, builders=builders))
    assert found["set"]["at_most_more"] > 0
    assert "too many sets to look at all of them" in shown(found, show.funded)
