"""The sketch that a page computes: by hand, against whole decisions, and where it does not tell."""

from __future__ import annotations

import json

import numpy as np
import pytest
from made_worlds import BROKEN, decided
from moved_sketches import decided_at, moves, sketched
from opened_examples import example

from roi.drivers import sensitivity_of_record
from roi.sketch import _packed, at, sketch_of


@pytest.fixture(scope="module")
def worlds():
    return {
        "scale": decided(minutes=(15.0, 8.0)),
        "fix": decided(minutes=(15.0, 8.0), controls=BROKEN),
        "kill": decided(minutes=(15.0, 16.5)),
    }


def by_hand(**more):
    """Worth of two draws = −100 + t · (60, 180): as stated −40 and 80."""
    terms = {"0": _packed(np.full(2, -100.0), -100.0), "1": _packed(np.array([60.0, 180.0]), 120.0)}
    x = {"form": "times", "base": 10.0, "low": 5.0, "high": 20.0, "step": 0.5, "drawn": None}
    plan = {"name": "scale", "open": True, "passes": 1.0, "terms": terms}
    plan["stated"] = {"chance": 0.5, "low": -40.0, "high": 80.0}
    rule = {"needs": 0.8, "stops": 0.2, "hurdle": 0.0, "margin": 0.02, "sure": 0.03, "may_scale": True}
    return {"verdict": "kill", "draws": 2, "inputs": [x], "plans": [plan], **rule, **more}


def test_a_move_by_hand():
    """t = 2 is −100 + 2 · 60 = 20 and −100 + 2 · 180 = 260: mean 140, both above 0."""
    found = at(by_hand(), [20.0])
    assert found.worth[0] == pytest.approx(140.0)
    assert (found.low[0], found.high[0]) == pytest.approx((20.0, 260.0), rel=1e-4)
    assert (found.chance[0], found.verdict) == (1.0, "scale")
    assert at(by_hand(may_scale=False), [20.0]).verdict == "fix"  # a first view never scales


def test_a_share_goes_no_further_than_all_and_odds_move_by_their_logarithm():
    """Drawn 0.5 and 0.8: twice as much is 1 and 1 (2 and 1.25 times); odds of 0.5 to 0.8 are four times as high."""
    drawn = _packed(np.array([0.5, 0.8]), 0.65)
    x = {"form": "share", "base": 0.4, "low": 0.1, "high": 0.9, "step": 0.1, "drawn": drawn}
    found = at(by_hand(inputs=[x]), [0.8])
    assert found.worth[0] == pytest.approx(-100 + (2 * 60 + 1.25 * 180) / 2, rel=1e-4)
    found = at(by_hand(inputs=[x | {"form": "odds", "base": 0.5}]), [0.8])
    moved = [0.8, 0.8 * 4 / (0.8 * 4 + 0.2)]
    assert found.worth[0] == pytest.approx(-100 + (moved[0] / 0.5 * 60 + moved[1] / 0.8 * 180) / 2, rel=1e-4)


@pytest.mark.parametrize("name", ["scale", "fix", "kill"])
def test_where_nothing_is_moved_it_is_what_was_decided(worlds, name):
    a = worlds[name]
    sketch = sketched(a)
    found = at(sketch, [x["base"] for x in sketch["inputs"]])
    assert found.verdict == a.verdict.verdict == name
    assert a.scale is not None
    assert found.worth[0] == pytest.approx(a.scale.mean(), rel=1e-6)
    assert found.chance[0] == pytest.approx(a.scale.chance(0.0), abs=1e-9)
    ends = np.percentile(a.scale.worth, [10, 90])
    assert (found.low[0], found.high[0]) == pytest.approx(tuple(ends), abs=0.01 * float(np.ptp(ends)))
    for x in sketch["inputs"]:
        assert x["low"] < x["base"] < x["high"]
        assert (x["base"] - x["low"]) / x["step"] == pytest.approx(round((x["base"] - x["low"]) / x["step"]))
    assert len(json.dumps(sketch, allow_nan=False)) < 80_000
    assert json.dumps(sketch) == json.dumps(sketched(a))


@pytest.mark.parametrize("name", ["scale", "fix", "kill"])
def test_a_factor_is_met_to_the_last_digit_and_every_told_verdict_is_that_of_the_decision(worlds, name):
    a = worlds[name]
    sketch = sketched(a)
    one = next(i for i, x in enumerate(sketch["inputs"]) if x["form"] == "times")
    values = [x["base"] for x in sketch["inputs"]]
    values[one] *= 0.75
    scale = decided_at(a, sketch, values).scale
    assert scale is not None
    # Numbers of a moved input are rounded to six digits, as a file would state them.
    assert at(sketch, values).worth[0] == pytest.approx(scale.mean(), rel=1e-4)
    for found, again in moves(a, sketch, 4, seed=5):
        assert found.verdict in (None, again.verdict.verdict)


def test_near_a_limit_it_does_not_tell(worlds):
    """Between clearly enough and clearly too little there is a stretch in which it says that it cannot tell."""
    sketch = sketched(worlds["scale"])
    one = next(i for i, x in enumerate(sketch["inputs"]) if x["form"] == "times")
    told = []
    for share in np.linspace(1.2, 0.02, 60):
        values = [x["base"] for x in sketch["inputs"]]
        values[one] *= float(share)
        told.append(at(sketch, values).verdict)
    assert told[0] == "scale"
    assert None in told


def test_there_is_none_where_no_worth_is_known(worlds):
    assert sketch_of(worlds["scale"], None) is None
    no_input = sensitivity_of_record(worlds["scale"]) | {"tornado": []}
    assert sketch_of(worlds["scale"], no_input) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["claims_intake", "payment_repair"])
def test_the_sketch_of_an_example_agrees_with_whole_decisions(name):
    """25 random moves each; docs/method.md says what benchmarks/sketch.py found over all examples."""
    a = example(name).decision.analysis
    sketch = sketched(a)
    told = 0
    for found, again in moves(a, sketch, 25, seed=9):
        assert found.verdict in (None, again.verdict.verdict)
        told += found.verdict is not None
        worth = again.scale.worth
        wide = float(np.ptp(np.percentile(worth, [10, 90])))
        assert abs(found.worth[0] - worth.mean()) < 0.05 * wide
        assert abs(found.chance[0] - (worth > 0).mean()) < 0.03
    assert told >= 15
