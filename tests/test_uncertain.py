"""Uncertain values against hand calculations, published shapes and properties."""

from __future__ import annotations

import math
import re
import time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import betainc, betaincinv

from roi.uncertain import Uncertain, exact, interval, observed, pert

U = np.sort(np.random.default_rng(7).random(10_000))


def test_exact():
    value = exact(42)
    assert (value.mean, value.p05, value.p50, value.p95, value.text) == (42, 42, 42, 42, "42")
    assert np.all(value.quantile(U) == 42)


def test_log_normal_by_hand():
    """P5 = 10, P95 = 40: median 20, log-sd = ln(4) / 2 / 1.6448536 = 0.42140, mean 20 exp(0.088789) = 21.8570."""
    value = interval(10, 40, "positive")
    assert value.p50 == pytest.approx(20, rel=1e-12)
    assert value.mean == pytest.approx(21.8570, abs=1e-3)
    assert value.quantile(np.array([0.05, 0.5, 0.95])) == pytest.approx([10, 20, 40], rel=1e-9)


def test_normal_by_hand():
    """P5 = -1, P95 = 3: mean 1, sd = 2 / 1.6448536 = 1.21591; P84.134 is one sd above."""
    value = interval(-1, 3, "real")
    assert (value.mean, value.p50) == (1, 1)
    assert value.quantile(np.array([0.8413447460685429])) == pytest.approx([2.21591], abs=1e-5)


def test_pert_by_hand():
    """min 0, mode 1, max 4: a = 1 + 4/4 = 2, b = 4; mean (0 + 4 + 4) / 6; median of Beta(2, 4) is 0.31381."""
    value = pert(0, 1, 4, "positive")
    assert value.mean == pytest.approx(8 / 6, abs=1e-15)
    assert value.p50 == pytest.approx(4 * 0.31381017, abs=1e-7)
    assert value.quantile(U).mean() == pytest.approx(8 / 6, abs=0.03)


def test_beta_from_its_percentiles():
    """The interval is made from Beta(3, 7), whose P5 and P95 are 0.0977 and 0.5496, and gives those shapes back."""
    low, high = betaincinv(3, 7, [0.05, 0.95])
    value = interval(low, high, "share")
    assert value.mean == pytest.approx(0.3, abs=1e-9)
    assert value.p50 == pytest.approx(betaincinv(3, 7, 0.5), abs=1e-9)


shares = st.floats(1e-6, 1 - 1e-6)


@settings(max_examples=200, deadline=None)
@given(shares, shares)
def test_beta_percentiles_are_met(first, second):
    low, high = sorted((first, second))
    assume(high - low > 1e-5)
    value = interval(low, high, "share")
    mean = value.mean
    assert 0 < mean < 1
    found = value.quantile(np.array([0.05, 0.95]))
    # Both ways round: the percentile itself, and the probability below it.
    assert found == pytest.approx([low, high], rel=1e-5, abs=1e-9)


def test_beta_is_solved_to_a_billionth():
    from roi.uncertain import _beta_from_interval

    for low, high in [(0.6, 0.9), (0.02, 0.1), (1e-4, 0.9999), (1e-4, 0.01), (0.499, 0.501), (0.9, 0.999)]:
        a, b = _beta_from_interval(low, high)
        assert abs(betainc(a, b, low) - 0.05) <= 1e-9
        assert abs(betainc(a, b, high) - 0.95) <= 1e-9


SHAPES = [
    pert(0, 0.3, 1, "share"),
    pert(0, 0, 1, "share"),
    pert(0, 1, 1, "share"),
    pert(10, 30, 50, "positive"),
    interval(0.6, 0.9, "share"),
    interval(0.001, 0.9, "share"),
    interval(0.49, 0.51, "share"),
    interval(38, 46, "positive"),
    interval(-3, 3, "real"),
    observed([3, 1, 2, 2], "positive"),
    exact(3),
]


@pytest.mark.parametrize("value", SHAPES, ids=lambda value: f"{value.family} {value.text}")
def test_quantiles_are_monotone_finite_and_keep_their_ends(value):
    drawn = value.quantile(np.concatenate([[0.0], U, [1.0]]))
    assert np.all(np.diff(drawn) >= 0)
    assert np.all(np.isfinite(drawn))
    assert drawn.min() >= value.smallest
    assert drawn.max() <= value.largest
    if value.form == "pert":
        assert (drawn[0], drawn[-1]) == (value.numbers[0], value.numbers[2])


@pytest.mark.parametrize(("a", "b"), [(1, 5), (2, 4), (3, 3), (5, 1), (0.3, 0.4), (20, 30), (2000, 3000)])
def test_interpolation_is_within_a_ten_thousandth(a, b):
    from roi.uncertain import _beta_quantile

    u = np.random.default_rng(1).random(50_000)
    assert np.abs(_beta_quantile(a, b, u) - betaincinv(a, b, u)).max() < 1.2e-4


def test_a_few_probabilities_and_many_agree():
    value = interval(0.6, 0.9, "share")
    assert value.quantile(U)[::100] == pytest.approx(value.quantile(U[::100]), abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 100))
def test_raising_the_mode_lowers_nothing(first, second, width):
    """For every uniform, so that a dearer assumption is dearer in every draw."""
    low, high = sorted((first, second))
    under = pert(1, 1 + low * width, 1 + width, "positive").quantile(U)
    over = pert(1, 1 + high * width, 1 + width, "positive").quantile(U)
    assert np.all(over >= under - 1e-12 * width)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.1, 10), st.floats(1.1, 5), st.floats(1, 3))
def test_scaling_scales(low, ratio, factor):
    once = interval(low, low * ratio, "positive").quantile(U)
    scaled = interval(low * factor, low * ratio * factor, "positive").quantile(U)
    np.testing.assert_allclose(scaled, once * factor, rtol=1e-6)


def test_observed_values_are_resampled():
    value = observed([5, 1, 3, 1], "positive")
    assert value.quantile(np.array([0.0, 0.24, 0.26, 0.5, 0.74, 0.76, 1.0])).tolist() == [1, 1, 1, 3, 3, 5, 5]
    assert value.mean == 2.5


@pytest.mark.parametrize(
    ("make", "mend"),
    [
        (lambda: exact(60, "share"), "60 % is 0.60"),
        (lambda: exact(-0.1, "share"), "not a share"),
        (lambda: exact(150, "share"), "not a share"),
        (lambda: exact(-1), "below 0"),
        (lambda: exact(math.nan), "finite"),
        (lambda: exact(math.inf, "real"), "finite"),
        (lambda: interval(46, 38, "positive"), "exchange them"),
        (lambda: interval(5, 5, "positive"), "the single number 5"),
        (lambda: interval(0, 5, "positive"), "min: 0, mode"),
        (lambda: interval(0, 0.5, "share"), "min: 0, mode"),
        (lambda: interval(0.5, 1, "share"), "max: 1"),
        (lambda: interval(1e-9, 1e9, "positive"), "million times"),
        (lambda: pert(1, 5, 4, "positive"), "outside"),
        (lambda: pert(4, 4, 4, "positive"), "the single number 4"),
        (lambda: pert(4, 3, 2, "positive"), "exchange them"),
        (lambda: observed([], "positive"), "values is empty"),
        (lambda: observed([1, math.nan], "positive"), "finite"),
    ],
)
def test_the_impossible_is_refused_with_the_mend(make, mend):
    with pytest.raises(ValueError, match=re.escape(mend)):
        make()


def test_texts():
    assert interval(38, 46, "positive").text == "38 to 46"
    assert pert(0.1, 0.3, 0.5, "share").text == "0.1 to 0.5, most likely 0.3"
    assert exact(180_000).text == "180,000"
    assert observed([3, 1], "real").text == "2 observed, 1 to 3"


def test_a_pilots_inputs_are_drawn_in_no_time():
    """25 inputs at 10,000 draws take about 9 ms; the bar leaves room for a busy machine."""
    values: list[Uncertain] = [interval(0.1 + i / 50, 0.5 + i / 50, "share") for i in range(6)]
    values += [pert(0.1, 0.2 + i / 50, 0.5, "share") for i in range(7)]
    values += [interval(3 + i, 40, "positive") for i in range(12)]
    uniforms = np.random.default_rng(0).random((25, 10_000))
    best = math.inf
    for _ in range(5):
        begun = time.process_time()
        for value, u in zip(values, uniforms, strict=True):
            value.quantile(u)
        best = min(best, time.process_time() - begun)
    assert best < 0.04
