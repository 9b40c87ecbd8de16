"""Drawing: exact moments, published bounds, streams that do not disturb each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from roi.draws import (
    dirichlet_draws,
    factor,
    joint_t_draws,
    normal_draws,
    one_sided_bounds,
    stream,
    t_quantile,
    uniforms,
)


def test_uniforms_fill_every_stratum_once():
    u = np.sort(uniforms(1000, stream(1, "x")))
    assert np.array_equal(np.floor(u * 1000), np.arange(1000))


def test_streams_depend_on_the_name_and_the_seed_only():
    first = uniforms(10, stream(1, "economics.discount_rate"))
    assert np.array_equal(first, uniforms(10, stream(1, "economics.discount_rate")))
    assert not np.array_equal(first, uniforms(10, stream(1, "economics.labour")))
    assert not np.array_equal(first, uniforms(10, stream(2, "economics.discount_rate")))


@given(st.integers(1, 8), st.integers(1, 12), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_factor_rebuilds_a_covariance_of_any_rank(p, rank, seed):
    a = np.random.default_rng(seed).normal(size=(p, rank))
    covariance = a @ a.T
    low = factor(covariance)
    assert low @ low.T == pytest.approx(covariance, abs=1e-9 * max(1, np.abs(covariance).max()))


@pytest.mark.parametrize("df", [3.0, 9.0, np.inf])
def test_joint_t_draws_have_the_t_interval_and_no_bias(df):
    covariance = np.array([[4.0, 1.2], [1.2, 1.0]])
    d = joint_t_draws(covariance, df, 40_000, stream(7, "t"))
    assert d.mean(axis=0) == pytest.approx([0, 0], abs=1e-12)
    t95 = stats.t.ppf(0.95, df)
    assert t_quantile(0.95, df) == pytest.approx(t95, rel=1e-9)
    for combination in ([1, 0], [0, 1], [1, -1]):
        sd = np.sqrt(np.array(combination) @ covariance @ np.array(combination))
        p05, p95 = np.percentile(d @ np.array(combination), [5, 95])
        assert (p05, p95) == pytest.approx((-t95 * sd, t95 * sd), rel=0.03)


def test_dirichlet_draws_are_shares_even_where_weights_are_tiny():
    drawn = dirichlet_draws([0.9, 0.09, 0.0095, 0.0005], 5000, stream(3, "d"))
    assert drawn.sum(axis=1) == pytest.approx(np.ones(5000))
    assert drawn.mean(axis=0) == pytest.approx([0.9, 0.09, 0.0095, 0.0005], abs=0.01)


def test_normal_draws_are_nearly_exact():
    z = normal_draws(10_000, stream(1, "z"))
    assert z.mean() == pytest.approx(0, abs=1e-9)
    assert z.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("hits", "n", "upper"), [(0, 412, 0.00724), (0, 149, 0.01991), (1, 29, 0.15339), (0, 598, 0.004997)]
)
def test_upper_bound_agrees_with_scipy_and_known_figures(hits, n, upper):
    """0 in 412 is 'under 0.73 %', 149 clean ones show 2 %, 598 show 0.5 %."""
    exact = stats.binomtest(hits, n).proportion_ci(0.90, method="exact").high
    assert one_sided_bounds(hits, n)[1] == pytest.approx(exact, rel=1e-9)
    assert one_sided_bounds(hits, n)[1] == pytest.approx(upper, abs=2e-5)


def test_bounds_refuse_what_cannot_be():
    for hits, n in ((3, 2), (-1, 5), (float("nan"), 5)):
        with pytest.raises(ValueError, match="trials"):
            one_sided_bounds(hits, n)
