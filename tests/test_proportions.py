"""Shares of counted things, against published tables and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from roi.draws import one_sided_bounds
from roi.proportions import adjusted, difference, exact_interval, homogeneity, ranks


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)],
)
def test_exact_intervals_match_newcombe_1998(hits, n, low, high):
    """Newcombe (1998), Stat Med 17:857, Table I, method 5."""
    assert np.array(exact_interval(hits, n, 0.95)) == pytest.approx([low, high], abs=5e-5)


def test_exact_intervals_are_two_one_sided_bounds_and_take_arrays():
    hits, n = np.array([[0, 3], [7, 12]]), np.array([[0, 30], [7, 40]])
    low, high = exact_interval(hits, n)
    for at in np.ndindex(hits.shape):
        assert (low[at], high[at]) == pytest.approx(one_sided_bounds(float(hits[at]), float(n[at])))
    assert (low[0, 0], high[0, 0]) == (0.0, 1.0)
    for bad in ((3, 2), (-1, 4), (float("nan"), 4)):
        with pytest.raises(ValueError, match="exact_interval"):
            exact_interval(*bad)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        ((56, 48), (70, 80), 0.0524, 0.3339),
        ((9, 3), (10, 10), 0.1705, 0.8090),
        ((6, 2), (7, 7), 0.0582, 0.8062),
        ((5, 0), (56, 29), -0.0381, 0.1926),
        ((0, 0), (10, 20), -0.1611, 0.2775),
        ((10, 0), (10, 20), 0.6791, 1.0000),
        ((10, 0), (10, 10), 0.6075, 1.0000),
    ],
)
def test_differences_match_newcombe_1998(hits, n, low, high):
    """Newcombe (1998), Stat Med 17:873, Table II, method 10."""
    assert difference(hits, n, 0.95) == pytest.approx((low, high), abs=5e-5)


def test_the_difference_that_the_method_page_works_out_by_hand():
    """626 of 2,280 less 3 of 90, with the steps as docs/method.md prints them."""
    low, high = 100 * np.array(difference((626, 3), (2280, 90)))
    assert low == pytest.approx(24.1 - 100 * np.hypot(0.0151, 0.0472), abs=0.05)
    assert high == pytest.approx(24.1 + 100 * np.hypot(0.0156, 0.0199), abs=0.05)
    assert (round(low, 1), round(high, 1)) == (19.2, 26.7)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 30), st.integers(0, 30))
def test_a_difference_turns_round(a, b):
    one, other = difference((a, b), (30, 30)), difference((b, a), (30, 30))
    assert one == pytest.approx((-other[1], -other[0]))
    assert one[0] <= a / 30 - b / 30 <= one[1]


def test_ranks_of_the_median_are_those_of_the_sign_test():
    """David & Nagaraja (2003): of ten values the 2nd and the 9th hold the median 97.9 % of the time."""
    assert ranks(10, 0.5, 0.95) == (2, 9)
    assert ranks(100, 0.5, 0.95) == (40, 61)
    assert ranks(0, 0.5) is None
    assert ranks(20, 0.95) is None  # the largest of twenty is below it more than 5 % of the time


def test_ranks_hold_the_quantile_as_often_as_they_say():
    """4,000 samples of 200 skewed values: the 95th percentile lies between them 90 % of the time or more."""
    rng = np.random.default_rng(5)
    low, high = ranks(200, 0.95) or (0, 0)
    values = np.sort(rng.exponential(size=(4000, 200)), axis=1)
    true = -np.log(0.05)
    held = np.mean((values[:, low - 1] <= true) & (true <= values[:, high - 1]))
    assert 0.895 <= held <= 0.96


def test_homogeneity_is_pearsons_test_where_counts_are_large():
    counts = np.array([[40, 25, 35], [20, 30, 50]])
    distance, p = homogeneity(counts) or (0.0, 0.0)
    assert distance == pytest.approx(0.2)  # |.40 − .20| + |.25 − .30| + |.35 − .50| = .40, and half of it
    assert p == pytest.approx(stats.chi2_contingency(counts, correction=False).pvalue)


def test_homogeneity_says_when_there_is_too_little():
    assert homogeneity(np.array([[0, 0], [3, 4]])) is None
    assert homogeneity(np.array([[500, 8], [20, 0]])) is None  # 0.3 expected of the second bin
    assert homogeneity(np.array([[500, 0], [20, 0]])) == (0.0, 1.0)
    merged = homogeneity(np.array([[300, 3, 4, 200], [90, 1, 0, 60]]))
    assert merged is not None
    assert merged[1] > 0.5


def test_homogeneity_errs_as_often_as_it_says():
    """2,000 pairs of samples of one skewed distribution, small and large: 5 % are called different, or fewer."""
    rng = np.random.default_rng(7)
    shares = np.array([0.5, 0.25, 0.12, 0.08, 0.03, 0.02])
    for sizes in ((40, 600), (300, 2000)):
        found = [homogeneity(np.array([rng.multinomial(n, shares) for n in sizes])) for _ in range(1000)]
        p = np.array([f[1] for f in found if f is not None])
        assert 0.03 <= np.mean(p <= 0.05) <= 0.07


def test_adjusted_matches_benjamini_hochberg_1995():
    """Their example of thrombolysis: four of fifteen hypotheses are rejected at 5 %."""
    p = np.array(
        [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    )  # fmt: skip
    assert int((adjusted(p) <= 0.05).sum()) == 4
    order = np.random.default_rng(1).permutation(p.size)
    assert adjusted(p[order]) == pytest.approx(adjusted(p)[order])
    assert adjusted(p) == pytest.approx(stats.false_discovery_control(p))
