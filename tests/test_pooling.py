"""Shapes of costs and rates, a mix that was counted, and the price of having picked the best."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_moments import made_moments
from scipy import stats

from roi.cells import cell_draws
from roi.draws import joint_t_draws, stream
from roi.marginals import rate_draws, stretched
from roi.mix import independent_cases, production_weights
from roi.pooling import overstatement, weighted
from roi.scores import Column


def t_of(df: float, n: int = 40_000) -> np.ndarray:
    return joint_t_draws(np.eye(1), df, n, stream(1, "t"))[:, 0]


@pytest.mark.parametrize("df", [3.0, 9.0, np.inf])
@pytest.mark.parametrize(("hits", "n"), [(0, 30), (1, 30), (7, 60), (59, 60)])
def test_a_rate_has_the_exact_ends_and_the_mean_of_its_beta(df: float, hits: int, n: int):
    """Clopper & Pearson (1934) at both ends, Kerman's (2011) neutral mean in between; scipy is the oracle."""
    drawn = rate_draws(t_of(df), df, hits + 0.5, n - hits + 0.5, 0.5)
    exact = stats.binomtest(hits, n).proportion_ci(0.9, "exact")
    assert np.percentile(drawn, [5, 95]) == pytest.approx([exact.low, exact.high], rel=0.04, abs=1e-3)
    assert drawn.mean() == pytest.approx((hits + 0.5) / (n + 1), rel=1e-6)
    assert 0 <= drawn.min() <= drawn.max() <= 1


def test_without_reach_a_rate_is_its_beta():
    drawn = rate_draws(t_of(np.inf), np.inf, 4.5, 36.5, 0.0)
    assert np.percentile(drawn, [5, 50, 95]) == pytest.approx(
        stats.beta(4.5, 36.5).ppf([0.05, 0.5, 0.95]), rel=0.02
    )


@pytest.mark.parametrize("bad", [(0.0, 1.0, 0.0), (1.0, 1.0, 2.0), (1.0, np.nan, 0.5), (1.0, 1.0, -0.1)])
def test_impossible_rates_are_refused(bad: tuple[float, float, float]):
    with pytest.raises(ValueError, match="a rate needs"):
        rate_draws(t_of(np.inf, 100), np.inf, *bad)


@pytest.mark.parametrize(("own", "error"), [(4.0, 0.05), (9.0, 0.1), (29.0, 0.2), (np.inf, 0.15)])
def test_costs_keep_their_mean_and_p5_and_reach_further_up(own: float, error: float):
    """P5 at the t's; P95 1 + 2.5 × the relative error as far; mean 0."""
    drawn = stretched(t_of(7.0), 7.0, own, error, stretch=2.5)
    t = stats.norm.ppf(0.95) if np.isinf(own) else stats.t(own).ppf(0.95)
    low, high = np.percentile(drawn, [5, 95])
    assert drawn.mean() == pytest.approx(0, abs=1e-12)
    assert low == pytest.approx(-t * error, rel=0.03)
    assert high == pytest.approx(t * error * (1 + 2.5 * error), rel=0.04)


def test_no_cost_is_negative_however_little_is_known():
    drawn = stretched(t_of(1.0), 1.0, 1.0, 0.8, stretch=2.5)
    assert drawn.min() >= -1
    assert drawn.mean() == pytest.approx(0, abs=1e-9)


def test_a_stated_mix_is_exact_and_a_counted_one_is_drawn():
    """1,000 cases counted, half of them in a: the share's standard error is √(½ · ½ / 1,001)."""
    moments = made_moments([10, 6, 20, 10] * 10, [0, 1] * 20, segment=[*"aabb"] * 10)
    mix = {"a": 0.5, "b": 0.5}
    assert production_weights(moments, mix, stand_in=False, draws=4000).drawn is None
    drawn = production_weights(moments, mix, stand_in=False, counted_on=1000, draws=4000, seed=1).drawn
    assert drawn.sum(axis=0) == pytest.approx(np.ones(4000))
    assert drawn.mean(axis=1) == pytest.approx([0.5, 0.5], abs=1e-3)
    assert drawn[0].std() == pytest.approx(np.sqrt(0.25 / 1001), rel=0.05)


def test_a_mix_of_the_sample_counts_its_independent_cases():
    arm, segment = np.zeros(80), np.tile([*"ab"], 40)
    alone = made_moments(np.full(80, 5.0), arm, segment=segment)
    assert independent_cases(alone, 0) == 80
    generalists = made_moments(np.full(80, 5.0), arm, np.arange(80) // 2 % 8, segment)
    specialists = made_moments(np.full(80, 5.0), arm, np.arange(80) % 8, segment)
    assert independent_cases(generalists, 0) == pytest.approx(80 / 1.9)  # ten cases each: 1 + 9 × 0.1
    assert independent_cases(specialists, 0) == pytest.approx(8)  # each is one answer


def test_drawn_weights_do_not_move_the_mean():
    rng = np.random.default_rng(2)
    values = rng.normal(size=(3, 2000)) + np.array([[5.0], [1.0], [3.0]])
    share = np.array([0.5, 0.3, 0.2])
    drawn = rng.dirichlet(share * 50, 2000).T
    assert weighted(share, values, drawn).mean() == pytest.approx(float((share * values.mean(axis=1)).sum()))
    assert weighted(share, values, drawn).std() > weighted(share, values).std()


def test_the_best_of_equals_is_overstated_by_the_expected_maximum():
    """k equally good options with standard normal noise: the best looks better by E[max of k] (Teichroew 1956)."""
    for k, expected in ((2, 0.56419), (3, 0.84628), (5, 1.16296)):
        noise = np.random.default_rng(k).normal(size=(k, 200_000))
        assert overstatement(noise, np.zeros(k)) == pytest.approx(np.full(k, expected), abs=0.02)


def test_a_clear_best_is_not_overstated():
    noise = np.random.default_rng(1).normal(size=(2, 4000))
    assert overstatement(noise, np.array([0.0, 100.0])) == pytest.approx([0, 0], abs=0.05)


@given(seed=st.integers(0, 100), gap=st.floats(0, 3))
@settings(max_examples=30, deadline=None)
def test_taking_off_the_overstatement_removes_most_of_the_winners_curse(seed: int, gap: float):
    """Never above what the best of equals would be overstated by, and never below nothing."""
    noise = np.random.default_rng(seed).normal(size=(2, 4000))
    off = overstatement(noise - noise.mean(axis=1, keepdims=True), np.array([0.0, gap]))
    assert (off >= 0).all()
    assert off[1] <= 0.65


def test_errors_of_arms_that_show_none_move_together():
    """No error in 30 cases of each arm: each rate keeps its exact interval, the difference is narrower than apart."""
    outcome = np.full(60, "correct")
    moments = made_moments(np.tile([9.0, 11.0], 30), np.arange(60) % 2, outcome=outcome)
    cells = cell_draws(moments, np.ones(1), draws=4000, seed=1)
    base, pilot = (cells.rates[Column(arm, 0, "error")] for arm in (0, 1))
    k = 0.5 * 30.5 / 31
    shared = 1.3**2 / (k + 1.3) ** 2
    assert np.corrcoef(base, pilot)[0, 1] == pytest.approx(shared, abs=0.05)
