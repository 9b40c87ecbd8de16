"""Shares of severities: what is expected stays until errors say otherwise, and then gives way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roi.severities import severity_draws

MIX = np.array((0.9, 0.09, 0.0095, 0.0005))


def drawn(baseline, pilot, mix=MIX, draws=4000):
    return severity_draws(np.array([baseline, pilot], dtype=float), np.asarray(mix), draws=draws, seed=1)


def test_without_errors_the_mean_is_what_is_expected():
    assert drawn([0] * 4, [0] * 4).mean(axis=1) == pytest.approx(np.stack([MIX, MIX]), rel=1e-3)


@pytest.mark.parametrize(
    "mix", [(0.0, 1.0, 0.0, 0.0), (0.2, 0.3, 0.3, 0.2), (0.0, 0.9, 0.1, 0.0), (0.5, 0.5, 0.0, 0.0)]
)
def test_any_stated_mix_is_kept(mix):
    found = drawn([0] * 4, [0] * 4, mix)
    assert found.sum(axis=2) == pytest.approx(1.0)
    assert (found >= 0).all()
    assert found[0].mean(axis=0) == pytest.approx(mix, abs=0.002)


def test_few_errors_without_a_critical_one_say_next_to_nothing_about_them():
    """Under 20 errors a critical share of 0.05 % goes unseen in 99 of 100 pilots: the expected share has to stay."""
    critical = drawn([9, 1, 0, 0], [9, 1, 0, 0])[0, :, 3]
    assert 0.85 * 0.0005 < critical.mean() < 0.0005
    assert np.percentile(critical, 95) > 3 * 0.0005  # and may well be several times as large
    assert np.percentile(critical, 5) < 0.0005 / 20  # or next to none


def test_what_is_seen_often_outweighs_what_was_expected():
    """5 critical of 100 errors, where 0.05 % were expected."""
    critical = drawn([0] * 4, [80, 10, 5, 5])[1, :, 3]
    assert 0.025 < critical.mean() < 0.05
    low, high = np.percentile(critical, [5, 95])
    assert low < 0.05 < high


def test_the_posterior_by_hand():
    """Mean of the share among milder ones by plain quadrature over the odds: prior o^(-1/2) (1 + o/b)^(-5/2), likelihood of 2 of 30."""
    from scipy.integrate import quad
    from scipy.optimize import brentq

    def prior(odds, b):
        return odds**-0.5 * (1 + odds / b) ** -2.5

    def mean(b, hits, n):
        def weight(log_odds):
            odds = np.exp(log_odds)
            share = odds / (1 + odds)
            return prior(odds, b) * odds * share**hits * (1 - share) ** (n - hits)

        of = [
            quad(lambda x, k=k: weight(x) * (np.exp(x) / (1 + np.exp(x))) ** k, -40, 25, limit=400)[0]
            for k in (0, 1)
        ]
        return of[1] / of[0]

    b = brentq(lambda x: mean(x, 0, 0) - 0.1, 1e-3, 10)
    found = drawn([28, 2, 0, 0], [0] * 4, (0.9, 0.1, 0.0, 0.0))
    assert found[0, :, 1].mean() == pytest.approx(mean(b, 2, 30), rel=2e-3)


def test_a_class_said_never_to_happen_is_0_until_it_is_seen():
    assert (drawn([5, 0, 0, 0], [5, 0, 0, 0], (0.9, 0.1, 0.0, 0.0))[:, :, 2:] == 0).all()
    seen = drawn([20, 0, 0, 3], [20, 0, 0, 0], (0.9, 0.1, 0.0, 0.0))[0, :, 3]
    assert 0.02 < seen.mean() < 0.1


def test_harm_is_charged_to_the_arm_that_shows_it():
    found = drawn([50, 0, 0, 0], [45, 0, 5, 0])
    assert found[1, :, 2].mean() > 4 * found[0, :, 2].mean()
    few = drawn([50, 0, 0, 0], [46, 0, 4, 0])
    assert np.array_equal(few[0], few[1])
    baselines = drawn([45, 0, 5, 0], [50, 0, 0, 0])  # that the agent does less harm has to be shown in both
    assert np.array_equal(baselines[0], baselines[1])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 20), st.integers(0, 60), st.integers(1, 60))
def test_more_events_never_mean_less_and_more_errors_without_one_never_more(hits, others, more):
    def critical(k, rest):
        return drawn([0] * 4, [rest, 0, 0, k], draws=400)[1, :, 3].mean()

    assert critical(hits + 1, others) > critical(hits, others)
    assert critical(hits, others + more) < critical(hits, others)


def test_the_weight_of_a_rare_class_lies_between_what_was_expected_and_what_was_seen():
    for hits, errors in ((1, 10), (3, 50), (10, 60)):
        mean = drawn([0] * 4, [errors - hits, 0, 0, hits])[1, :, 3].mean()
        assert MIX[3] < mean < hits / errors


@pytest.mark.parametrize(
    ("minor", "critical", "mean", "low", "high"),
    [(0, 0, 0.050, 0.0001, 0.19), (20, 0, 0.046, 0.0001, 0.18), (147, 3, 0.92, 0.16, 2.3)],
)
def test_the_table_of_the_method_page(minor, critical, mean, low, high):
    share = 100 * drawn([minor, 0, 0, critical], [0] * 4, draws=10_000)[0, :, 3]
    assert share.mean() == pytest.approx(mean, rel=0.02)
    assert np.percentile(share, 5) == pytest.approx(low, rel=0.2)
    assert np.percentile(share, 95) == pytest.approx(high, rel=0.04)
