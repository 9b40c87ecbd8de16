"""Rates, severities and the exact bounds of severe errors, against scipy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_moments import drawn_pilot, made_moments
from scipy import stats

from roi.clusters import correlation_within
from roi.draws import one_sided_bounds
from roi.moments import Moments
from roi.rates import draw_rates, severe_errors

MIX = np.array((0.90, 0.09, 0.0095, 0.0005))
EVERYWHERE = np.ones(1, dtype=bool)


def cases(
    errors: tuple[int, int], n: tuple[int, int], *, severity: str = "minor", workers: int | None = None
) -> Moments:
    """Cases of both arms, errors first; with workers, dealt out in turn."""
    arm = np.repeat([0, 1], n)
    outcome = np.concatenate(
        [np.where(np.arange(m) < x, "error", "correct") for x, m in zip(errors, n, strict=True)]
    )
    unit = None if workers is None else np.arange(arm.size) % workers
    return made_moments(
        np.ones(arm.size),
        arm,
        unit,
        outcome=outcome,
        severity=np.where(outcome == "error", severity, ""),
    )


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (1, 29), (15, 148), (81, 263), (148, 148)])
def test_bounds_are_clopper_pearson(hits, n):
    """scipy.stats.binomtest(...).proportion_ci(method="exact"): two-sided 90 % is one-sided 95 % each."""
    oracle = stats.binomtest(hits, n).proportion_ci(confidence_level=0.90, method="exact")
    assert one_sided_bounds(hits, n) == pytest.approx((oracle.low, oracle.high), rel=1e-9)


def test_no_event_in_twenty_leaves_fourteen_per_cent():
    """By hand: 1 − 0.05^(1/20) = 13.9 %."""
    assert one_sided_bounds(0, 20)[1] == pytest.approx(1 - 0.05 ** (1 / 20))


def test_severe_errors_of_independent_cases_are_clopper_pearson():
    found = severe_errors(cases((0, 3), (100, 400), severity="major"), EVERYWHERE)
    oracle = stats.binomtest(3, 400).proportion_ci(confidence_level=0.90, method="exact")
    assert (found.events, found.n, found.effect) == (3, 400, 1.0)
    assert (found.lower, found.upper) == pytest.approx((oracle.low, oracle.high))
    assert found.needed(0.005) is not None
    more = found.needed(0.02)
    assert more is not None
    assert one_sided_bounds(3, 400 + more)[1] < 0.02 <= one_sided_bounds(3, 400 + more - 1)[1] or more == 0


def test_cases_needed_without_an_event():
    """Rule of three: 0 events in n show less than 1 % from 1 − 0.05^(1/n) < 0.01 on, which is n = 299."""
    found = severe_errors(cases((0, 0), (1, 1)), EVERYWHERE)
    assert found.needed(0.01) == 299 - 1


def test_errors_of_unknown_severity_count_as_severe():
    found = severe_errors(cases((0, 4), (50, 100), severity=""), EVERYWHERE)
    assert (found.events, found.unknown) == (4, 4)
    assert severe_errors(cases((0, 4), (50, 100)), EVERYWHERE).events == 0


def test_clustered_severe_errors_count_for_less():
    """Every worker has 20 labelled pilot cases; the correlation of any error is 0.1 at the least, scaled by the odds."""
    moments = cases((10, 10), (200, 200), severity="major", workers=10)
    found = severe_errors(moments, EVERYWHERE)
    assert found.effect == pytest.approx(1 + 19 * correlation_within(moments, 1))
    assert found.upper > one_sided_bounds(10, 200)[1]


def test_an_arm_without_labels_is_unknown_not_zero():
    moments = made_moments(np.ones(20), np.arange(20) % 2)
    rates = draw_rates(moments, MIX, draws=100, seed=1)
    assert np.isnan(rates.error).all()
    found = severe_errors(moments, EVERYWHERE)
    assert (found.rate, found.lower, found.upper) == (None, 0.0, 1.0)


def test_rate_draws_by_hand():
    """3 of 40 and 9 of 60: half an event on a case more in the larger arm, on as many as there are there in the smaller,
    but no more than half an event needs at the rate of both (12.5 / 101); the ends are Clopper & Pearson's."""
    rates = draw_rates(cases((3, 9), (40, 60)), MIX, draws=20_000, seed=1)
    assert rates.error[1, 0].mean() == pytest.approx(9.5 / 61, rel=1e-9)
    assert np.percentile(rates.error[1, 0], [5, 95]) == pytest.approx(
        [stats.beta(9, 52).ppf(0.05), stats.beta(10, 51).ppf(0.95)], rel=0.02
    )
    lent = 0.5 / (12.5 / 101)  # fewer than 1 + 20
    assert rates.error[0, 0].mean() == pytest.approx(3.5 / (40 + lent), rel=1e-9)
    assert rates.effective == (40, 60)


def test_clustered_rates_widen_by_design_effect_and_degrees_of_freedom():
    """4 workers of 20 cases who are alike: 0.1 with the weight of 10 units against 3, deff 1 + 19 × 1 / 13; what is seen
    beyond 0.1 counts for fewer units, (t(3) / z)² at 95 % = (2.353 / 1.645)² (Korn & Graubard 1998)."""
    alike = draw_rates(cases((16, 16), (80, 80), workers=4), MIX, draws=100, seed=1)
    assert alike.correlation == pytest.approx(1 / 13)
    assert alike.effective[1] == pytest.approx(80 / (1 + 19 / 13), rel=1e-9)
    worker = np.repeat(np.arange(4), 20)
    wrong = np.where((worker == 0) & (np.arange(80) % 20 < 16), "error", "correct")
    unlike = made_moments(
        np.full(160, 10.0), np.repeat([0, 1], 80), np.tile(worker, 2), outcome=np.tile(wrong, 2)
    )
    rates = draw_rates(unlike, MIX, draws=100, seed=1)
    seen = rates.correlation
    assert seen > 0.5
    fewer = 1 + ((2.3534 / 1.6449) ** 2 - 1) * (1 - 0.1 / seen)
    assert rates.effective[1] == pytest.approx(80 / ((1 + 19 * seen) * fewer), rel=1e-3)


def test_nothing_seen_is_small_and_alike_in_both_arms_but_not_zero():
    """No event in 400 against 40: separate Jeffreys priors would see a gain of 1.1 points."""
    rates = draw_rates(cases((0, 0), (400, 40)), MIX, draws=4000, seed=1)
    base, pilot = rates.error[:, 0]
    assert 0 < base.mean() < 0.002
    assert pilot.mean() == pytest.approx(base.mean(), rel=1e-9)
    assert np.percentile(pilot, 95) > 0.005
    jeffreys = 0.5 / 41 - 0.5 / 401
    assert abs(pilot.mean() - base.mean()) < jeffreys / 10


def test_severities_are_shared_until_the_pilot_shows_its_own():
    few = draw_rates(cases((4, 4), (100, 100), severity="major"), MIX, draws=500, seed=1).severity
    assert np.array_equal(few[0], few[1])
    own = draw_rates(cases((0, 20), (100, 100), severity="major"), MIX, draws=4000, seed=1).severity
    # Twenty of twenty: next to all, less what the expected 0.95 % still weighs.
    assert 0.85 < own[1, :, 2].mean() < 20 / 20.5
    assert own[0, :, 2].mean() < 0.1
    assert own.sum(axis=2) == pytest.approx(1.0)


def test_severities_stay_finite_where_next_to_nothing_is_left_to_share():
    """Only `critical` (prior 0.0005) is left over: its draws are 0 to the last digit most of the time."""
    names = np.repeat(["minor", "moderate", "major"], 40)
    moments = made_moments(
        np.ones(240),
        np.arange(240) % 2,
        outcome=np.full(240, "error"),
        severity=np.tile(names, 2),
    )
    severity = draw_rates(moments, MIX, draws=4000, seed=1).severity
    assert np.isfinite(severity).all()
    assert severity.sum(axis=2) == pytest.approx(1.0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 30), st.integers(0, 30), st.integers(30, 200), st.integers(30, 200), st.integers(0, 99))
def test_rates_keep_their_range_and_pull_towards_each_other(x, y, n, m, seed):
    rates = draw_rates(cases((x, y), (n, m)), MIX, draws=200, seed=seed)
    base, pilot = (float(v.mean()) for v in rates.error[:, 0])
    assert rates.error.min() >= 0
    assert rates.error.max() <= 1
    assert abs(base - pilot) <= abs(x / n - y / m) + 0.5 / min(n, m)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_copies_of_the_rows_narrow_no_rate(seed, copies):
    """Twice the cases of the same workers: counts per design effect grow by no more than cases alike would give."""
    rng = np.random.default_rng(seed)
    worker, arm = np.arange(80) % 8, np.arange(80) // 8 % 2
    outcome = np.where(rng.random(80) < 0.3, "error", "correct")
    often = [np.tile(v, copies) for v in (arm, worker, outcome)]
    once = made_moments(np.ones(80), arm, worker, outcome=outcome)
    more = made_moments(np.ones(80 * copies), often[0], often[1], outcome=often[2])
    few, many = (draw_rates(m, MIX, draws=100, seed=1).effective[1] for m in (once, more))
    # Eight workers are eight: however many cases each has, they are worth at most 8 / 0.1 independent ones.
    assert many <= 8 / 0.1
    assert many <= few * copies


def test_moments_of_a_drawn_pilot_have_the_truth_they_were_drawn_from():
    moments = drawn_pilot(
        np.random.default_rng(1), cases=40_000, workers=400, error_rates=(0.2, 0.05), correlation=0.1
    )
    rates = draw_rates(moments, MIX, draws=100, seed=1)
    assert rates.error[:, 0].mean(axis=1) == pytest.approx([0.2, 0.05], abs=0.02)
    assert correlation_within(moments, 0) == pytest.approx(0.1, abs=0.03)
