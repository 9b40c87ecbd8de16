"""What the cases show: moments through real files, weights, pooling of segments, and the bias of weaker designs."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_moments import made_moments
from pilots import cases, write_pilot

from roi.assumptions import Assumptions
from roi.measured import Measured, measure
from roi.mix import production_weights
from roi.moments import Moments, fetch
from roi.parameters import load_parameters
from roi.pooling import partially_pooled
from roi.reduce import take_moments
from roi.samples import open_samples

MIX = np.array((0.90, 0.09, 0.0095, 0.0005))


def from_files(folder: Path, rows: list[dict[str, Any]]) -> Moments:
    return take_moments(open_samples(load_parameters(write_pilot(folder, rows))))


def same(one: Moments, other: Moments) -> None:
    for field in dataclasses.fields(Moments):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype, field.name
            assert a.shape == b.shape, field.name
            assert a.tobytes() == b.tobytes(), field.name
        elif field.name == "losses":
            assert all(np.array_equal(getattr(a, f), getattr(b, f)) for f in ("n", "minutes", "timed"))
            assert (a.outcome, a.cause, a.defective) == (b.outcome, b.cause, b.defective)
        else:
            assert a == b, field.name


def measured(moments: Moments, **how: Any) -> Measured:
    given: dict[str, Any] = {
        "assumptions": Assumptions(values={}, entries={}),
        "assignment": "randomised",
        "mix": None,
        "stand_in": (),
        "currency": "EUR",
        "severity_mix": MIX,
        "bias_sd": 0.0,
        "draws": 4000,
        "seed": 1,
    }
    return measure(moments, **(given | how))


def test_files_and_arrays_give_the_same_moments(tmp_path):
    rows = cases(400, error_pilot=0.2, severe=0.3, workers=7)
    rows[5]["handling_minutes"] = ""
    samples = open_samples(load_parameters(write_pilot(tmp_path, rows)))
    found = take_moments(samples)
    names = fetch(samples, 'select "row", worker from cases order by "row"')
    made = made_moments(
        [float(r["handling_minutes"] or "nan") for r in rows],
        [int(r["arm"] == "pilot") for r in rows],
        [name for _, name in names],
        [r["segment"] for r in rows],
        [r["outcome"] for r in rows],
        [r["severity"] for r in rows],
        [float(r["agent_cost"] or "nan") for r in rows],
        currency="EUR",
    )
    skipped = {"losses", "first", "last", "present", "inputs_known", "inputs_clean", "if_zero", "spread"}
    for name in skipped:  # what arrays of minutes and outcomes do not hold
        made = dataclasses.replace(made, **{name: getattr(found, name)})
    same(found, made)
    assert found.cases("pilot") == 280
    assert found.spread["pilot"].mean == pytest.approx(
        np.mean([float(r["handling_minutes"]) for r in rows if r["arm"] == "pilot" and r["handling_minutes"]])
    )


def test_the_order_of_rows_changes_no_byte_of_the_moments(tmp_path):
    rows = cases(300, workers=7, error_pilot=0.2, severe=0.3)
    shuffled = rows.copy()
    random.Random(1).shuffle(shuffled)
    same(from_files(tmp_path / "one", rows), from_files(tmp_path / "other", shuffled))


def test_minutes_saved_are_weighted_to_production():
    """By hand: a saves 10 − 6, b saves 20 − 10; in production b is three times as frequent: (4 + 3 × 10) / 4."""
    minutes = [9, 11, 5, 7, 19, 21, 9, 11]
    moments = made_moments(minutes, [0, 0, 1, 1] * 2, segment=[*"aaaabbbb"])
    found = measured(moments, mix={"a": 0.25, "b": 0.75}).scope()
    assert found.share == 1.0
    assert found.minutes_saved.mean() == pytest.approx(8.5)
    only = measured(moments, mix={"a": 0.25, "b": 0.75}).scope(["b"])
    assert (only.segments, only.share) == (("b",), 0.75)
    assert only.minutes_saved.mean() == pytest.approx(10.0)
    assert measured(moments).scope().minutes_saved.mean() == pytest.approx(7.0)  # the baseline arm's own mix


def test_what_nobody_sampled_in_both_arms_earns_nothing():
    moments = made_moments([9, 11, 5, 7, 8, 8], [0, 0, 1, 1, 1, 1], segment=[*"aaaabb"])
    found = production_weights(moments, {"a": 0.5, "b": 0.3, "c": 0.2}, stand_in=False)
    assert found.covered.tolist() == [True, False]
    assert found.uncovered == {"b": 0.3, "c": 0.2}
    assert measured(moments, mix={"a": 0.5, "b": 0.3, "c": 0.2}).scope().share == 0.5


def test_pooling_is_dersimonian_laird_by_hand():
    """Means 2, 4, 9, each with variance 1: Q = 26, so τ² = (26 − 2) / (3 − 3/3) = 12; each keeps 12/13 of its own."""
    z = np.random.default_rng(1).normal(size=(3, 20_000))
    z = (z - z.mean(axis=1, keepdims=True)) / z.std(axis=1, keepdims=True)
    values = z + np.array([2.0, 4.0, 9.0])[:, None]
    pooled = partially_pooled(values, np.ones(3, dtype=bool))
    by_hand = 12 / 13 * np.array([2.0, 4.0, 9.0]) + 1 / 13 * 5
    assert pooled.mean(axis=1) == pytest.approx(by_hand)
    # Means 2, 4, 6: Q = 8, τ² = 3, each keeps ¾: √¾ of its own deviation and ¼ of the common mean's (variance ⅓).
    pooled = partially_pooled(z + np.array([[2.0], [4.0], [6.0]]), np.ones(3, dtype=bool))
    by_hand = 0.75 + 0.25**2 / 3 + 2 * np.sqrt(0.75) * 0.25 / 3
    assert pooled.var(axis=1) == pytest.approx(np.full(3, by_hand), rel=0.02)


def test_segments_that_differ_by_noise_alone_are_pooled_to_one():
    rng = np.random.default_rng(2)
    values = 5 + rng.normal(size=(4, 1)) * 0.1 + rng.normal(size=(4, 5000))
    pooled = partially_pooled(values, np.ones(4, dtype=bool))
    assert np.ptp(pooled.mean(axis=1)) < 1e-9
    two = values[:2]
    assert partially_pooled(two, np.ones(2, dtype=bool)) is two  # two say nothing of a spread


def test_weaker_designs_widen_by_their_bias():
    """Observational: 20 % of the baseline mean on top, in quadrature; a constant bias shifts by as much."""
    rng = np.random.default_rng(3)
    minutes = rng.lognormal(3, 0.4, 400)
    arm = np.arange(400) % 2
    outcome = np.where(rng.random(400) < 0.2, "error", "correct")
    moments = made_moments(minutes, arm, outcome=outcome)
    plain = measured(moments)
    weak = measured(moments, assignment="observational", bias_sd=0.2)
    base = minutes[arm == 0].mean()
    sampled, found = (x.scope().minutes_saved for x in (plain, weak))
    assert found.mean() == pytest.approx(sampled.mean(), abs=1e-6)
    assert found.std() == pytest.approx(np.hypot(sampled.std(), 0.2 * base), rel=0.02)
    assert np.array_equal(weak.without_bias().scope().minutes_saved, sampled)
    shifted = weak.shifted(1.5).scope()
    assert sampled - shifted.minutes_saved == pytest.approx(np.full(4000, 0.3 * base))
    errors = plain.scope().error_rate
    assert shifted.error_rate[1].mean() == pytest.approx(errors[1].mean() + 0.3 * errors[0].mean())
    assert weak.evidence == "measured, observational"


def test_a_stated_baseline_stands_in_for_a_missing_arm():
    moments = made_moments([5.0, 7.0, 6.0], [1, 1, 1])
    stated = Assumptions(values={"samples.baseline.handling_minutes": 15.0}, entries={})
    found = measured(moments, assumptions=stated, stand_in=["handling_minutes"])
    assert found.stand_in
    assert found.scope().minutes_saved.mean() == pytest.approx(9.0)
    assert measured(moments).scope().minutes_saved is None


def test_pilot_cases_that_a_person_took_over_are_charged_the_baseline():
    """By hand: 2 of 4 pilot cases were taken over unlogged; their own 1 minute plus the baseline's 10: (4+4+1+1)/4 + 5."""
    moments = made_moments([8, 12, 4, 4, 1, 1], [0, 0, 1, 1, 1, 1])
    imputed = np.where((moments.arm == 1) & (moments.total[:, 1] == 1), 1, 0)
    found = measured(dataclasses.replace(moments, imputed=imputed))
    assert found.arm_mean("human_minutes", 1).mean() == pytest.approx(2.5 + 5.0)
    # Half of the baseline's error is the pilot's, too, and cancels: what is left is (1 − ½)² of its variance and the
    # pilot's own, 3 / 4 by hand (4, 4, 1, 1 about 2.5).
    saved = measured(dataclasses.replace(moments, imputed=imputed)).cells
    assert saved.deviation["human_minutes"][:, 0] ** 2 == pytest.approx([4.0, 4.0 / 4 + 3.0 / 4])


def test_fewer_than_four_workers_widen_by_an_assumed_spread():
    rng = np.random.default_rng(4)
    minutes, arm = rng.lognormal(3, 0.4, 200), np.arange(200) % 2
    alone = made_moments(minutes, arm)
    few = dataclasses.replace(alone, few_workers=True, workers={"baseline": 2, "pilot": 2}, people=2)
    one, other = measured(alone).scope().minutes_saved, measured(few).scope().minutes_saved
    base, pilot = (measured(alone).arm_mean("human_minutes", arm).mean() for arm in (0, 1))
    spread = 0.25 * max(abs(one.mean()), 0.4 * base) / np.sqrt(2)
    assert other.std() == pytest.approx(np.hypot(one.std(), spread), rel=0.02)
    # Two people, one in each arm: whatever they differ in goes into the difference.
    apart = dataclasses.replace(few, workers={"baseline": 1, "pilot": 1})
    wide = 0.4 * np.hypot(base, pilot)
    assert measured(apart).scope().minutes_saved.std() == pytest.approx(np.hypot(one.std(), wide), rel=0.02)
    assert apart.person_is_arm
    assert not few.person_is_arm
    assert measured(few).evidence == "measured, few workers"


def test_agent_cost_needs_a_rate_of_exchange():
    cost = [np.nan, np.nan, 0.2, 0.4]
    moments = made_moments([5.0, 6.0, 4.0, 4.0], [0, 0, 1, 1], cost=cost)
    assert measured(moments).scope().agent_cost.mean() == pytest.approx(0.3)
    dollars = made_moments([5.0, 6.0, 4.0, 4.0], [0, 0, 1, 1], cost=cost, currency="USD")
    assert measured(dollars).unpriced == ("USD",)
    assert measured(dollars).scope().agent_cost is None
    rate = Assumptions(values={"economics.fx.USD": 0.9}, entries={})
    assert measured(dollars, assumptions=rate).scope().agent_cost.mean() == pytest.approx(0.27)
