"""Confidence sequences and e-processes: printed values of others, calculations by hand, and what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from roi.sequences import (
    MEAN_BETS,
    RATE_BETS,
    alpha_shares,
    best_rho,
    log_beta_mixture,
    log_evidence,
    log_growth,
    mean_range,
    normal_bound,
    rate_bets,
    rate_range,
    start_weights,
    started,
)

# What ConfSeq 0.0.11 (Howard, Waudby-Smith & Ramdas) holds itself against, from its authors' reference in R:
# test/uniform_boundaries_unittest.cpp, at v = 100, alpha = 0.05 and s = 10.


def test_the_bound_of_the_normal_mixture_is_that_of_confseq():
    rho = best_rho(100, 0.05)
    assert rho == pytest.approx(12.60056, abs=1e-5)
    assert normal_bound(np.array(100.0), 0.05, rho) == pytest.approx(30.35209, abs=1e-5)


@pytest.mark.parametrize(
    ("above", "log_value", "bound"), [(False, -0.6941012, 31.4308), (True, -0.07134019, 28.41238)]
)
def test_beta_binomial_mixture_is_that_of_confseq(above, log_value, bound):
    """Its g = 0.2 and h = 0.8 are 625 cases held against a rate of 20 %, its s what is more than 125 hits."""
    p, n = 0.2, 625.0
    r = best_rho(100, 0.05, above=above) - p * (1 - p)

    def at(s: float) -> float:
        return float(log_beta_mixture(np.array(125 + s), np.array(n), p, r / (1 - p), r / p, above=above))

    assert at(10) == pytest.approx(log_value, abs=1e-6)
    assert at(bound) == pytest.approx(math.log(20), abs=1e-4)


def test_a_range_of_means_is_the_printed_formula():
    """Waudby-Smith et al. (2024), (9): σ √(2 (t ρ² + 1) / (t² ρ²) · log(√(t ρ² + 1) / α)), with ρ² = σ² / our rho."""
    t, sigma2, alpha, rho = 80.0, 4.0, 0.05, 7.0
    rho2 = sigma2 / rho
    printed = math.sqrt(sigma2) * math.sqrt(
        2 * (t * rho2 + 1) / (t * t * rho2) * math.log(math.sqrt(t * rho2 + 1) / alpha)
    )
    assert normal_bound(np.array(t * sigma2), alpha, rho) / t == pytest.approx(printed, rel=1e-12)


def test_wealth_by_hand():
    """Limit 10 %, 3 cases and 1 hit on the first day, then 2 and 0; the bet on twice the odds (18.2 %) stakes 1/11.

    Case by case: a hit multiplies it by 20/11, no hit by 10/11. As one unit: 1 + 1/11 · (1 − 0.3) / 0.1 = 18/11.
    """
    bet = list(rate_bets(0.1))[1]
    assert bet == pytest.approx(1 / 11)
    due = np.full(5, 0.1)
    single = log_growth(
        np.array([0, 0, 0, 1, 1]), np.array([0.0, 1, 0, 0, 0]), due, scale=0.1, bets=[bet], days=3
    )
    assert np.exp(single[0]) == pytest.approx([20 / 11 * 10 / 11 * 10 / 11, (10 / 11) ** 2, 1])
    due = np.array([0.3, 0.2])
    unit = log_growth(np.array([0, 1]), np.array([1.0, 0]), due, scale=0.1, bets=[bet], days=3)
    assert np.exp(unit[0]) == pytest.approx([18 / 11, 9 / 11, 1])
    # Half of the stake starts on the first day and a quarter on the second; the rest waits.
    wealth = np.exp(log_evidence(unit, [1.0], np.array([0.5, 0.25, 0.0])))
    first = 0.5 * 18 / 11
    assert wealth == pytest.approx([first + 0.5, *[(first + 0.25) * 9 / 11 + 0.25] * 2])


def test_the_worked_example_of_the_method():
    """docs/method.md, "Operating", by hand."""
    limit, bet = 0.01, list(rate_bets(0.01))[2]
    assert bet == pytest.approx(0.0196, abs=5e-5)
    day = np.zeros(40, dtype=np.int64)
    for hits, wins in ((2, 4.08), (0, 0.453)):
        total = np.r_[np.ones(hits), np.zeros(40 - hits)]
        grown = log_growth(day, total, np.full(40, limit), scale=limit, bets=[bet], days=1)
        assert math.exp(grown[0, 0]) == pytest.approx(wins, rel=2e-3)
    assert 0.3 * start_weights(1)[0] == pytest.approx(0.000308, abs=1e-6)
    needed = math.log(1 / 0.0135 / (0.3 * start_weights(1)[0]))
    a_day = 40 * (0.03 * math.log(1 + bet * 99) + 0.97 * math.log1p(-bet))
    assert needed == pytest.approx(12.4, abs=0.05)
    assert a_day == pytest.approx(0.53, abs=0.005)
    assert needed / a_day == pytest.approx(23, abs=1)


def test_the_start_that_won_most():
    growth = np.array([[-0.1] * 20 + [0.5] * 5])
    assert started(growth, [1.0], start_weights(25)) == 20


@given(st.integers(1, 3000), st.lists(st.integers(-5, 3000), max_size=6))
def test_stakes_never_add_up_to_more_than_one(days, changes):
    weights = start_weights(days, changes)
    assert (weights > 0).all()
    assert weights.sum() < 1


@given(st.integers(0, 10_000), st.integers(1, 39))
def test_what_was_said_yesterday_is_said_today(seed, cut):
    """The evidence up to a day is the same, however much of the stream is known by then."""
    rng = np.random.default_rng(seed)
    growth = rng.normal(0, 0.3, (2, 40))
    changes = [5, 17, 30]
    whole = log_evidence(growth, [0.6, 0.4], start_weights(40, changes))
    part = log_evidence(growth[:, :cut], [0.6, 0.4], start_weights(cut, changes))
    assert part == pytest.approx(whole[:cut], abs=1e-12)


def test_shares_of_the_stake_are_whole():
    assert sum(RATE_BETS.values()) == pytest.approx(1)
    assert sum(MEAN_BETS.values()) == pytest.approx(1)
    assert alpha_shares({"a": 3, "b": 1}, 0.04) == pytest.approx({"a": 0.03, "b": 0.01})
    with pytest.raises(ValueError, match="above 0"):
        alpha_shares({"a": 0}, 0.05)


@given(st.floats(0.001, 0.6), st.integers(1, 30), st.floats(0.01, 0.95))
def test_a_unit_is_a_fair_bet_at_the_limit(limit, n, bet):
    """At the limit the mean of the factor is 1, whatever depends on what within the unit: all hits or none, here."""
    day = np.zeros(1, dtype=np.int64)
    factor = [
        math.exp(
            log_growth(
                day, np.array([hits]), np.array([n * limit]), scale=limit, bets=[min(bet, 0.9)], days=1
            )[0, 0]
        )
        for hits in (0.0, float(n))
    ]
    assert (1 - limit) * factor[0] + limit * factor[1] == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("limit", [0.0, 1.0, float("nan")])
def test_a_limit_has_to_be_one(limit):
    with pytest.raises(ValueError, match="limit"):
        rate_bets(limit)


def test_growth_refuses_what_it_cannot_bet_on():
    day, one = np.zeros(1, dtype=np.int64), np.ones(1)
    with pytest.raises(ValueError, match="below 0"):
        log_growth(day, -one, one, scale=1.0, bets=[0.5], days=1)
    with pytest.raises(ValueError, match="limit"):
        log_growth(day, one, one, scale=float("nan"), bets=[0.5], days=1)


@given(st.integers(0, 40), st.integers(1, 200), st.floats(0.001, 0.3))
@settings(max_examples=50, deadline=None)
def test_a_range_of_a_rate_is_what_the_mixture_allows(hits, more, alpha):
    n = float(hits + more)
    low, high = rate_range(np.array([float(hits)]), np.array([n]), alpha=alpha)
    assert 0 <= low[0] <= hits / n <= high[0] <= 1
    for end in (low[0], high[0]):
        if 1e-9 < end < 1 - 1e-9:
            value = float(log_beta_mixture(np.array([float(hits)]), np.array([n]), end, 0.5, 0.5)[0])
            assert value == pytest.approx(math.log(1 / alpha), abs=1e-5)


def test_no_case_says_nothing():
    low, high = rate_range(np.zeros(2), np.array([0.0, 0.0]), alpha=0.05)
    assert (low.tolist(), high.tolist()) == ([0, 0], [1, 1])
    low, high = mean_range(np.r_[np.ones(19), np.zeros(5)], np.ones(24), alpha=0.05)
    assert np.isnan(low).all()
    assert np.isnan(high).all()


@pytest.mark.slow
@pytest.mark.parametrize("p", [0.005, 0.05, 0.4])
def test_a_rate_stays_in_its_range_at_every_look_together(p):
    """1,000 streams of 250 days with 40 cases: at most 5 % of the ranges ever lose the rate (and two errors more)."""
    rng = np.random.default_rng(8)
    lost = 0
    for _ in range(1000):
        hits = np.cumsum(rng.binomial(40, p, 250)).astype(float)
        n = 40.0 * np.arange(1, 251)
        # The rate is outside where the mixture has bet more than 1 / alpha against it.
        lost += bool((log_beta_mixture(hits, n, p, 0.5, 0.5) >= math.log(20)).any())
    assert lost / 1000 <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 1000)


@pytest.mark.slow
@pytest.mark.parametrize(("log_sd", "between"), [(0.8, 0.0), (1.0, 0.3)])
def test_a_mean_stays_in_its_range_at_every_look_together(log_sd, between):
    """600 streams of 250 days of log-normal minutes, days unlike each other, weekends quiet: covers at its level."""
    rng = np.random.default_rng(9)
    lost = 0
    n = np.where(np.arange(250) % 7 < 5, 40, 8).astype(float)
    mean = math.exp(log_sd**2 / 2 + between**2 / 2)
    for _ in range(600):
        shift = np.exp(rng.normal(0, between, 250))
        total = np.array([rng.lognormal(0, log_sd, int(k)).sum() for k in n]) * shift
        low, high = mean_range(n, total, alpha=0.05)
        lost += bool(((mean < low) | (mean > high)).any())
    assert lost / 600 <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 600)


@pytest.mark.slow
def test_evidence_at_the_limit_hardly_ever_reaches_its_level():
    """2,000 streams at the limit itself, persons unlike each other: log(1 / alpha) is reached by at most alpha."""
    rng = np.random.default_rng(10)
    days, people, cases = 250, 8, 5
    apart = expit(rng.normal(math.log(0.01 / 0.99), 0.8, people))
    apart *= 0.01 / apart.mean()
    day = np.repeat(np.arange(days), people)
    bets = rate_bets(0.01)
    reached = 0
    for _ in range(2000):
        hits = rng.binomial(cases, np.tile(apart, days)).astype(float)
        due = np.full(hits.size, 0.01 * cases)
        grown = log_growth(day, hits, due, scale=0.01, bets=list(bets), days=days)
        reached += bool((log_evidence(grown, list(bets.values()), start_weights(days)) >= math.log(20)).any())
    assert reached / 2000 <= 0.05
