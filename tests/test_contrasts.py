"""Tests of shares, trends and contrasts against published numbers and oracles of another make."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from made_sums import made_sums
from scipy import stats

from roi.contrasts import (
    binomial_p,
    chance_apart,
    contrast,
    homogeneity_p,
    permutation_p,
    pooled_groups,
    trend,
)


def test_a_sample_ratio_mismatch_matches_kohavi_2020():
    """Kohavi, Tang & Xu (2020), Trustworthy Online Controlled Experiments, chapter 3: 821,588 against 815,482, 1.8e-6."""
    p = binomial_p(815_482, 821_588 + 815_482, 0.5)
    assert p == pytest.approx(1.8e-6, rel=0.03)
    assert p == pytest.approx(stats.chisquare([821_588, 815_482]).pvalue, rel=0.01)


@pytest.mark.parametrize(("hits", "n"), [(0, 9), (3, 20), (17, 20), (10, 20), (41, 60)])
def test_small_shares_are_exact(hits, n):
    """A symmetric binomial: twice the smaller tail is the exact test."""
    assert binomial_p(hits, n, 0.5) == pytest.approx(stats.binomtest(hits, n, 0.5).pvalue, rel=1e-12)
    assert binomial_p(0, 0, 0.5) == 1


def test_homogeneity_matches_the_chi_squared_test():
    counts = np.array([[31.0, 42, 18, 55], [44, 40, 37, 41]])
    expected = stats.chi2_contingency(counts, correction=False).pvalue
    assert homogeneity_p(counts, np.arange(4)) == pytest.approx(expected, rel=1e-12)
    pooled = stats.chi2_contingency([[73, 73], [84, 78]], correction=False).pvalue
    assert homogeneity_p(counts, np.array([0, 0, 1, 1])) == pytest.approx(pooled, rel=1e-12)
    assert homogeneity_p(counts[:, :1], np.array([0])) is None
    assert homogeneity_p(np.array([[3.0, 4], [0, 0]]), np.arange(2)) is None


def test_columns_are_taken_together_until_both_arms_may_be_expected():
    counts = np.array([[4.0, 3, 3, 20, 1], [4, 3, 3, 20, 1]])
    assert pooled_groups(counts, ordered=True).tolist() == [0, 0, 1, 1, 1]
    assert pooled_groups(counts, ordered=False).tolist() == [1, 1, 1, 0, 1]
    assert pooled_groups(np.ones((2, 3)), ordered=True).tolist() == [0, 0, 0]
    assert pooled_groups(np.ones((2, 3)), ordered=False).tolist() == [0, 0, 0]


def test_shuffled_workers_match_every_assignment_there_is():
    """Eight of sixteen workers: all 12,870 assignments, against the shuffles."""
    rng = np.random.default_rng(5)
    cases = rng.poisson(6, (16, 3)) + np.array([[3, 0, 0]] * 6 + [[0, 0, 0]] * 10)
    by_unit = np.zeros((16, 2, 3))
    by_unit[:8, 1], by_unit[8:, 0] = cases[:8], cases[8:]

    def statistic(chosen):
        inside = cases[list(chosen)].sum(axis=0)
        table = np.stack([cases.sum(axis=0) - inside, inside])
        return stats.chi2_contingency(table, correction=False).statistic

    seen = statistic(range(8))
    sample = list(itertools.combinations(range(16), 8))[::20]
    exact = np.mean([statistic(c) >= seen - 1e-9 for c in sample])
    assert 0.0 < exact < 0.2
    assert permutation_p(by_unit, np.arange(3)) == pytest.approx(exact, abs=4 * math.sqrt(exact / 200))
    assert (
        permutation_p(by_unit[[0, 1, 2, 13, 14, 15]], np.arange(3)) is None
    )  # 20 assignments show nothing at 0.1 %


def test_cases_alone_are_compared_as_welch_does():
    rng = np.random.default_rng(2)
    a, b = rng.lognormal(2, 0.5, 40), rng.lognormal(2.4, 0.9, 25)
    n, total = np.zeros((65, 2)), np.zeros((65, 2))
    n[:40, 0], n[40:, 1] = 1, 1
    total[:40, 0], total[40:, 1] = a, b
    found = contrast(n, total, total**2)
    oracle = stats.ttest_ind(b, a, equal_var=False)
    assert found is not None
    assert found.p == pytest.approx(oracle.pvalue, rel=1e-9)
    assert found.difference == pytest.approx(b.mean() - a.mean(), rel=1e-12)
    assert found.standardised == pytest.approx(
        (b.mean() - a.mean()) / math.sqrt((a.var() + b.var()) / 2), rel=1e-9
    )


def test_workers_of_both_arms_are_compared_as_pairs():
    """One case of each worker in each arm: the paired t test."""
    rng = np.random.default_rng(3)
    own = rng.normal(20, 5, 12)
    total = np.stack([own + rng.normal(0, 1, 12), own + rng.normal(0.8, 1, 12)], axis=1)
    found = contrast(np.ones((12, 2)), total, total**2)
    assert found is not None
    assert found.p == pytest.approx(stats.ttest_rel(total[:, 1], total[:, 0]).pvalue, rel=1e-9)


def cr2(minutes, time, cell, unit):
    """Slope, its CR2 standard error and Bell & McCaffrey's degrees of freedom, with whole matrices.

    Cells lie within units, so that both may be taken out before; else the matrices are those of cases.
    """
    x = np.stack([time, *(cell == c for c in np.unique(cell))], axis=1).astype(float)
    bread = np.linalg.pinv(x.T @ x)
    beta = bread @ x.T @ minutes
    residual = minutes - x @ beta
    hat = x @ bread @ x.T
    rows, gs = [], []
    for u in np.unique(unit):
        inside = unit == u
        block = np.eye(inside.sum()) - hat[np.ix_(inside, inside)]
        values, vectors = np.linalg.eigh(block)
        root = vectors @ np.diag([v**-0.5 if v > 1e-9 else 0 for v in values]) @ vectors.T
        weight = root @ x[inside] @ bread[:, 0]
        rows.append(float(weight @ residual[inside]))
        gs.append((np.eye(minutes.size) - hat)[:, inside] @ weight)
    g = np.stack(gs, axis=1)
    eigen = np.linalg.eigvalsh(g.T @ g)
    return beta[0], math.sqrt(sum(r * r for r in rows)), eigen.sum() ** 2 / (eigen**2).sum()


@pytest.mark.parametrize("sizes", [[10] * 6, [4, 8, 8, 12, 30, 7]])
def test_a_trend_within_workers_matches_cr2_with_whole_matrices(sizes):
    rng = np.random.default_rng(sum(sizes))
    unit = np.repeat(np.arange(len(sizes)), sizes)
    time = rng.integers(0, 2000, unit.size).astype(float)
    minutes = 12 + rng.normal(0, 4, len(sizes))[unit] - 0.002 * time + rng.normal(0, 3, unit.size)
    sums = made_sums(minutes, np.ones(unit.size, dtype=int), time, unit=unit)
    s = sums.sums
    found = trend(sums.unit, sums.cell, s["n_t"], s["t"], s["tt"], s["y"], s["ty"], span=1000.0)
    slope, error, df = cr2(minutes, time, unit, unit)
    assert found is not None
    assert found.slope == pytest.approx(slope, rel=1e-9)
    assert (found.high - found.low) / 2000 == pytest.approx(stats.t.ppf(0.95, df) * error, rel=1e-6)
    assert found.df == pytest.approx(df, rel=1e-6)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(slope) / error, df), rel=1e-6)


@pytest.mark.slow
def test_a_trend_of_cases_alone_is_robust_to_unequal_spread():
    """Without workers: HC2 as in MacKinnon & White (1985), but for the constant, which is taken out before."""
    rng = np.random.default_rng(9)
    time = rng.integers(0, 2000, 400).astype(float)
    minutes = 12 + rng.normal(0, 1 + time / 500)
    sums = made_sums(minutes, np.zeros(400, dtype=int), time)
    s = sums.sums
    found = trend(sums.unit, sums.cell, s["n_t"], s["t"], s["tt"], s["y"], s["ty"], span=2000.0)
    slope, error, _ = cr2(minutes, time, np.zeros(400), np.arange(400))
    assert found is not None
    assert found.slope == pytest.approx(slope, rel=1e-9)
    assert (found.high - found.low) / 2 / stats.t.ppf(0.95, found.df) == pytest.approx(2000 * error, rel=0.01)


def test_too_little_gives_no_trend_and_no_contrast():
    few = made_sums(np.arange(10.0), np.ones(10, dtype=int), np.arange(10.0))
    s = few.sums
    assert trend(few.unit, few.cell, s["n_t"], s["t"], s["tt"], s["y"], s["ty"], span=9.0) is None
    assert contrast(np.ones((1, 2)), np.ones((1, 2)), np.ones((1, 2))) is None
    assert contrast(np.ones((9, 2)), np.ones((9, 2)), np.ones((9, 2))) is None


@pytest.mark.parametrize(("a", "b"), [(2, 3), (4, 4), (8, 5)])
def test_groups_rarely_lie_apart_by_chance(a, b):
    assert chance_apart(a, b) == pytest.approx(2 / math.comb(a + b, a), rel=1e-9)
