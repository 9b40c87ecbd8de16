"""Means, their joint error and degrees of freedom, against published numbers and hand calculations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_moments import drawn_pilot, made_moments
from scipy import stats

from roi.cells import assumed_spread, cell_draws
from roi.clusters import degrees_of_a_mean, design_effect, intra_unit_correlation
from roi.moments import Moments

ONE = np.ones(1)


def draw(moments: Moments, weights=ONE, draws: int = 2000, seed: int = 1):
    return cell_draws(moments, weights, draws=draws, seed=seed)


def saved(moments: Moments, draws: int = 2000) -> np.ndarray:
    values = draw(moments, draws=draws).values["human_minutes"][:, 0]
    return values[0] - values[1]


def test_clustered_standard_error_of_0_to_19():
    """Values 0..19 in clusters i mod 4: 0.645, with the variance times G / (G − 1) (0.559 without)."""
    values = np.arange(20.0)
    moments = made_moments(values, np.zeros(20), unit=values % 4)
    assert draw(moments).deviation["human_minutes"][0, 0] == pytest.approx(0.645, abs=5e-4)
    # By hand: the clusters' sums deviate from 5 × 9.5 by −7.5, −2.5, 2.5 and 7.5.
    by_hand = np.sqrt(4 / 3 * (7.5**2 + 2.5**2 + 2.5**2 + 7.5**2)) / 20
    assert draw(moments).deviation["human_minutes"][0, 0] == pytest.approx(by_hand, rel=1e-12)


def values_with(n: int, total: float, squares: float) -> np.ndarray:
    """n values of at least 0 with a sum and a sum of squares: mostly zeros, k of one value and one of another."""
    k = int(total**2 / squares)
    # k a + b = total and k a² + b² = squares
    a = (k * total + np.sqrt(k * ((k + 1) * squares - total**2))) / (k * (k + 1))
    b = total - k * a
    found = np.zeros(n)
    found[:k], found[k] = a, b
    assert found.min() >= 0
    assert [found.sum(), (found**2).sum()] == pytest.approx([total, squares])
    return found


def test_growthbook_published_pair():
    """GrowthBook's gbstats, two-sample t: A 3407, 1396.87, 52377.9767; B 3461, 2422.7, 134698.29; B − A."""
    a, b = values_with(3407, 1396.87, 52377.9767), values_with(3461, 2422.7, 134698.29)
    moments = made_moments(np.concatenate([a, b]), np.repeat([0, 1], [3407, 3461]))
    cells = draw(moments, draws=100_000)
    low, high = cells.point["human_minutes"][:, 0]
    assert high - low == pytest.approx(0.29, abs=1e-6)
    error = np.hypot(*cells.deviation["human_minutes"][:, 0])
    half = stats.t.ppf(0.975, cells.df) * error
    assert [high - low - half, high - low + half] == pytest.approx([0.04538, 0.53462], abs=5e-6)
    values = cells.values["human_minutes"][:, 0]
    found = np.percentile(values[1] - values[0], [2.5, 97.5])
    assert found == pytest.approx([0.04538, 0.53462], abs=4e-3)


@pytest.mark.parametrize(("n", "m"), [(12, 30), (5, 8), (200, 160)])
def test_cases_without_workers_are_welch(n, m):
    """scipy.stats.ttest_ind(equal_var=False): standard error, degrees of freedom and interval."""
    rng = np.random.default_rng(n)
    a, b = rng.gamma(9, 2, n).round(3), rng.gamma(4, 2, m).round(3)
    cells = draw(made_moments(np.concatenate([a, b]), np.repeat([0, 1], [n, m])), draws=60_000)
    oracle = stats.ttest_ind(a, b, equal_var=False)
    interval = oracle.confidence_interval(0.90)
    assert cells.df == pytest.approx(oracle.df, rel=1e-6)
    values = cells.values["human_minutes"][:, 0]
    width = interval.high - interval.low
    assert np.percentile(values[0] - values[1], [5, 95]) == pytest.approx(
        [interval.low, interval.high], abs=0.02 * width
    )


def test_an_arm_of_few_skewed_cases_reaches_further_on_its_long_side():
    """20 cases with the agent beside 400: Welch's interval says too often that more is saved than is (Johnson 1978)."""
    rng = np.random.default_rng(5)
    a, b = rng.lognormal(2.5, 0.8, 400).round(3), rng.lognormal(2.2, 0.8, 20).round(3)
    cells = draw(made_moments(np.concatenate([a, b]), np.repeat([0, 1], [400, 20])), draws=60_000)
    interval = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.90)
    values = cells.values["human_minutes"][:, 0]
    low, high = np.percentile(values[0] - values[1], [5, 95])
    width = interval.high - interval.low
    assert low < interval.low - 0.05 * width
    assert high == pytest.approx(interval.high, abs=0.05 * width)
    assert values[1].mean() == pytest.approx(b.mean())


def test_pairs_are_the_paired_t_test():
    """scipy.stats.ttest_rel: a pair that is worked both ways is one unit, and what it shares cancels."""
    rng = np.random.default_rng(3)
    base = rng.gamma(9, 2, 25).round(3)
    pilot = (0.7 * base + rng.normal(0, 1, 25)).round(3).clip(0)
    pairs = np.tile(np.arange(25), 2)
    moments = made_moments(np.concatenate([base, pilot]), np.repeat([0, 1], 25), pairs, unit_kind="pair")
    interval = stats.ttest_rel(base, pilot).confidence_interval(0.90)
    assert draw(moments).df == 24
    found = np.percentile(saved(moments, 60_000), [5, 95])
    assert found == pytest.approx([interval.low, interval.high], abs=0.02 * (interval.high - interval.low))


def test_units_of_both_arms_by_hand():
    """Two pairs, one case in each arm: the difference is 4 ± |6 − 2| / 2 with 1 degree of freedom."""
    moments = made_moments([10, 20, 4, 18], [0, 0, 1, 1], ["x", "y", "x", "y"], unit_kind="pair")
    cells = draw(moments, draws=40_000)
    assert cells.df == 1
    assert cells.point["human_minutes"][:, 0].tolist() == [15.0, 11.0]
    q = np.percentile(
        saved(moments, 40_000), [25, 75]
    )  # quartiles of a t with 1 degree of freedom: ± the scale
    assert q == pytest.approx([4 - 2, 4 + 2], abs=0.1)


@pytest.mark.parametrize("units", [2, 4, 10, 300])
def test_units_that_are_alike_leave_one_degree_less(units):
    assert degrees_of_a_mean(np.full(units, 7.0)) == units - 1


@pytest.mark.parametrize("n", [[30, 15, 10, 7, 6, 5], [1, 1, 50], [3, 2]])
def test_degrees_of_freedom_are_satterthwaite_of_the_quadratic_form(n):
    """Bell & McCaffrey (2002): (Σ λ)² / Σ λ² over the eigenvalues of the form, written out as a matrix."""
    n = np.array(n, dtype=float)
    share = n / n.sum()
    residual = np.eye(n.size) - np.outer(share, np.ones(n.size))
    form = residual.T @ np.diag(1 / (1 - share)) @ residual @ np.diag(n * (1 + (n - 1) * 0.1))
    oracle = np.trace(form) ** 2 / np.trace(form @ form)
    assert degrees_of_a_mean(n) == pytest.approx(max(oracle, 1.0))
    assert degrees_of_a_mean(n) <= n.size - 1


def test_unequal_loads_correct_each_worker_by_their_share():
    """CR2 by hand: three workers with 2, 1 and 1 cases; residual sums 0, −3 and 3 over 4 cases, shares ½, ¼, ¼."""
    moments = made_moments([9, 11, 7, 13], np.zeros(4), ["x", "x", "y", "z"])
    by_hand = np.sqrt((0 / 0.5 + 9 / 0.75 + 9 / 0.75) / 16)
    assert draw(moments).deviation["human_minutes"][0, 0] == pytest.approx(by_hand)


def test_correlation_within_workers_is_the_one_way_anova():
    """Clusters 4 of 4 and 0 of 4: between 2, within 0, so 1; 3 of 4 and 1 of 4: (0.5 − 0.25) / (0.5 + 3 × 0.25)."""
    four = np.array([4.0, 4.0])
    assert intra_unit_correlation(np.array([4.0, 0.0]), four) == pytest.approx(1.0)
    assert intra_unit_correlation(np.array([3.0, 1.0]), four) == pytest.approx(
        (0.5 - 0.25) / (0.5 + 3 * 0.25)
    )
    assert intra_unit_correlation(np.array([2.0, 2.0]), four) == 0.0
    assert intra_unit_correlation(np.array([1.0, 0.0]), np.ones(2)) == 0.0


def test_correlation_agrees_with_scipys_mean_squares():
    """scipy.stats.f_oneway's F gives the same ANOVA estimate with equal clusters: (F − 1) / (F + n − 1)."""
    groups = [[1, 1, 0, 1, 1], [0, 0, 0, 1, 0], [1, 0, 1, 1, 1], [0, 0, 1, 0, 0]]
    f = stats.f_oneway(*groups).statistic
    hits = np.array([float(sum(g)) for g in groups])
    assert intra_unit_correlation(hits, np.full(4, 5.0)) == pytest.approx((f - 1) / (f + 4))


def test_design_effect_by_hand():
    """Kish: 1 + (mean size − 1) ρ, the mean weighted by size: (4 × 4 + 2 × 2) / 6 = 10 / 3."""
    assert design_effect(np.array([4.0, 2.0]), 0.3) == pytest.approx(1 + (10 / 3 - 1) * 0.3)
    assert design_effect(np.ones(9), 0.3) == 1.0
    assert design_effect(np.zeros(3), 0.3) == 1.0


def test_assumed_spread_is_a_quarter_of_the_effect():
    spread = assumed_spread(-8.0, 2, draws=20_000, seed=1)
    assert spread.std() == pytest.approx(0.25 * 8 / np.sqrt(2), rel=0.01)
    assert spread.mean() == pytest.approx(0, abs=1e-9)


def test_a_cell_of_one_unit_borrows_the_spread_of_its_arm():
    """Segments a and b show a relative variance a case of 0.04 and 0.08 (3 and 1 degrees of freedom); c shows none."""
    a, b = [8.0, 12.0, 8.0, 12.0], [4.0, 6.0]
    moments = made_moments([*a, *b, 20.0], np.zeros(7), segment=[*"aaaa", *"bb", "c"])
    relative = [np.var(x, ddof=1) / np.mean(x) ** 2 for x in (a, b)]
    shared = (3 * relative[0] + 1 * relative[1]) / 4
    found = draw(moments, np.array([0.5, 0.3, 0.2])).deviation["human_minutes"][0] ** 2
    assert found[2] == pytest.approx(shared * 20**2)
    own = (3 * relative[0] + 2 * shared) / 5
    assert found[0] == pytest.approx(own * 10**2 / 4)


def test_draws_keep_the_estimate_and_their_range():
    moments = drawn_pilot(np.random.default_rng(2), cases=20, workers=4, log_sd=1.2, correlation=0.3)
    cells = draw(moments)
    for arm in (0, 1):
        values, mean = cells.values["human_minutes"][arm, 0], cells.point["human_minutes"][arm, 0]
        assert values.mean() == pytest.approx(mean, rel=1e-9)
        assert values.min() >= 0
        assert np.percentile(values, 95) - mean < 3 * (mean - np.percentile(values, 5))


def test_an_absent_cell_is_nan_and_an_empty_sample_gives_no_draws():
    moments = made_moments([5.0, 6.0, 7.0], [0, 0, 1], segment=["a", "b", "a"])
    cells = draw(moments, np.array([0.5, 0.5]))
    assert np.isnan(cells.values["human_minutes"][1, 1]).all()
    assert np.isnan(cells.point["human_minutes"][1, 1])
    missing = draw(made_moments([np.nan, np.nan], [0, 1]))
    assert np.isnan(missing.values["human_minutes"]).all()


pilots = st.tuples(
    st.integers(0, 2**32 - 1), st.sampled_from([20, 60]), st.sampled_from([None, 4, 7]), st.booleans()
)


def rows_of(pilot) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    seed, cases, workers, within = pilot
    rng = np.random.default_rng(seed)
    arm = np.arange(cases) % 2
    worker = None
    if workers is not None:
        worker = rng.integers(workers, size=cases)
        worker = worker if within else 2 * worker + arm
    return rng.lognormal(2, 0.8, cases).round(4), arm, worker


@settings(max_examples=40, deadline=None)
@given(pilots)
def test_swapping_the_arms_flips_the_sign(pilot):
    minutes, arm, worker = rows_of(pilot)
    one, other = made_moments(minutes, arm, worker), made_moments(minutes, 1 - arm, worker)
    here, there = draw(one), draw(other)
    assert np.array_equal(here.point["human_minutes"], there.point["human_minutes"][::-1])
    assert here.deviation["human_minutes"] == pytest.approx(there.deviation["human_minutes"][::-1], rel=1e-12)
    assert here.df == pytest.approx(there.df)
    assert saved(one).mean() == pytest.approx(-saved(other).mean(), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(pilots, st.sampled_from([0.25, 2.0, 60.0]))
def test_scaling_minutes_scales_the_draws(pilot, factor):
    minutes, arm, worker = rows_of(pilot)
    here, there = (
        saved(made_moments(minutes, arm, worker)),
        saved(made_moments(factor * minutes, arm, worker)),
    )
    np.testing.assert_allclose(there, factor * here, rtol=5e-7, atol=5e-7 * factor * np.abs(here).max())


@settings(max_examples=40, deadline=None)
@given(pilots, st.integers(2, 5))
def test_copies_of_the_rows_narrow_no_interval(pilot, copies):
    """Copying every row of every worker adds cases, not people: the same interval, to the last digit that counts."""
    minutes, arm, worker = rows_of(pilot)
    worker = np.arange(minutes.size) if worker is None else worker
    once = draw(made_moments(minutes, arm, worker))
    often = draw(made_moments(*(np.tile(x, copies) for x in (minutes, arm, worker))))
    assert often.deviation["human_minutes"] == pytest.approx(once.deviation["human_minutes"])
    # More cases a worker are taken to be more alike, which may cost degrees of freedom but never adds any.
    assert often.df <= once.df + 1e-6


@settings(max_examples=40, deadline=None)
@given(pilots, st.integers(0, 19))
def test_copies_of_one_workers_rows_count_as_that_worker_not_as_a_new_one(pilot, who):
    """(A copy shifts weight to that worker, so that the error itself may move either way.)"""
    minutes, arm, worker = rows_of(pilot)
    worker = np.arange(minutes.size) if worker is None else worker
    mine = worker == worker[who]
    m, a = (np.concatenate([x, x[mine]]) for x in (minutes, arm))
    known = draw(made_moments(m, a, np.concatenate([worker, worker[mine]]))).deviation["human_minutes"]
    posing = draw(made_moments(m, a, np.concatenate([worker, worker[mine] + 100]))).deviation["human_minutes"]
    assert (known >= posing * (1 - 1e-9)).all()


@settings(max_examples=25, deadline=None)
@given(pilots, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_byte(pilot, random):
    minutes, arm, worker = rows_of(pilot)
    order = list(range(minutes.size))
    unit = np.arange(minutes.size) if worker is None else worker
    random.shuffle(order)
    here = made_moments(minutes, arm, unit)
    there = made_moments(minutes[order], arm[order], unit[order])
    assert here.total.tobytes() == there.total.tobytes()
    assert saved(here).tobytes() == saved(there).tobytes()
