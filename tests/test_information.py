"""Values of information against closed forms of normal problems, and McNemar's test against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from roi.controls.suite_power import worse_by_chance
from roi.draws import normal_draws, stream
from roi.information import evpi
from roi.sampling import Basis, after_sampling, left_open
from roi.tariff import Prices

N = 40_000


def normal(mean: float, sd: float, name: str = "worth") -> np.ndarray:
    return mean + sd * normal_draws(N, stream(1, name))


def unit_normal_loss(z: float) -> float:
    """L(z) = φ(z) − z (1 − Φ(z))."""
    return float(stats.norm.pdf(z) - z * stats.norm.sf(z))


@pytest.mark.parametrize("mean", [-50.0, 0.0, 30.0])
def test_evpi_matches_unit_normal_loss(mean):
    """Two options, one worth 0, one Normal(mean, sd): EVPI = sd × L(|mean| / sd)."""
    assert evpi([normal(mean, 40.0)]) == pytest.approx(40.0 * unit_normal_loss(abs(mean) / 40.0), rel=2e-3)


def test_unit_normal_loss_of_the_published_table():
    """Raiffa & Schlaifer (1961), table of the unit normal loss integral: L(0) .3989, L(0.5) .1978, L(1) .08332."""
    assert [unit_normal_loss(z) for z in (0, 0.5, 1)] == pytest.approx([0.3989, 0.1978, 0.08332], abs=5e-5)


def test_evpi_by_hand():
    """Worth 10 or −6 at even odds: knowing gives 5 instead of 2; without options nothing."""
    assert evpi([np.array([10.0, -6.0])]) == 3.0
    assert evpi([]) == 0.0
    assert evpi([np.array([1.0, 2.0])]) == 0.0


@pytest.mark.parametrize("mean", [-30.0, 0.0, 20.0])
@pytest.mark.parametrize("learned", [0.2, 0.5, 0.9])
def test_evsi_of_a_normal_normal_problem(mean, learned):
    """Preposterior analysis: the mean after the sample is Normal(mean, learned × variance); EVSI = s L(|mean| / s).

    `learned` = n / (n + n₀) for n cases added to n₀. Taking the option at a chance of ½ is taking it when its mean is
    above 0.
    """
    worth = normal(mean, 40.0)
    expected, _, taken = after_sampling(Basis([worth]).split(worth), [learned], probability=0.5, hurdle=0.0)
    s = 40.0 * np.sqrt(learned)
    found = float((taken * expected).mean()) - max(mean, 0.0)
    assert found == pytest.approx(s * unit_normal_loss(abs(mean) / s), abs=0.15)


@pytest.mark.parametrize("probability", [0.5, 0.8, 0.95])
def test_after_a_sample_the_rule_takes_what_it_is_sure_enough_of(probability):
    """Taken when the mean after it exceeds z(p) × the deviation that is left: E[m; m > t] = μ Φ((μ−t)/s) + s φ((μ−t)/s)."""
    worth = normal(10.0, 40.0)
    expected, _, taken = after_sampling(
        Basis([worth]).split(worth), [0.6], probability=probability, hurdle=5.0
    )
    s, left = 40.0 * np.sqrt(0.6), 40.0 * np.sqrt(0.4)
    d = (10.0 - 5.0 - stats.norm.ppf(probability) * left) / s
    assert taken.mean() == pytest.approx(stats.norm.cdf(d), abs=0.01)
    by_hand = 10.0 * stats.norm.cdf(d) + s * stats.norm.pdf(d)
    assert float((taken * expected).mean()) == pytest.approx(by_hand, abs=0.25)


BENT = [(3, 2, 900), (2, 2, 800), (1, 2, 300), (1.5, 1, 500), (3, 3, 1500), (0.5, 3, -200), (1, 2, 0)]


@pytest.mark.parametrize(("mean", "sd", "cost"), BENT)
@pytest.mark.parametrize("learned", [0.2, 0.5, 0.8])
def test_under_the_rule_a_sample_is_worth_what_two_levels_of_draws_say(mean, sd, cost, learned):
    """Gains count at 40 %, losses in full: what stays open is wider where the sample points to a loss."""
    n, noise = 10_000, 300.0
    theta = mean + sd * normal_draws(n, stream(1, "theta"))

    def worth(t):
        return 1000 * (0.4 * np.maximum(t, 0) + np.minimum(t, 0)) - cost

    told = Basis([theta]).split(worth(theta) + noise * normal_draws(n, stream(1, "noise")))
    expected, _, taken = after_sampling(told, [learned], probability=0.8, hurdle=0.0)
    found = float((taken * expected).mean())

    z = stats.norm.ppf((np.arange(500) + 0.5) / 500)
    after = worth((mean + sd * np.sqrt(learned) * z)[:, None] + sd * np.sqrt(1 - learned) * z)
    pays = stats.norm.cdf(after / noise).mean(axis=1)
    true = float((after.mean(axis=1) * (pays >= 0.8)).mean())
    assert found == pytest.approx(true, rel=0.06, abs=0.012 * float(worth(theta).std()))


def test_what_a_sample_tells_of_two_quantities_is_decided_on_both():
    """Worth = x + y, each normal: after a sample of x alone, y is as open as before."""
    x, y = normal(5.0, 20.0, "x"), normal(0.0, 15.0, "y")
    told = Basis([x, y]).split(x + y)
    for learned, s, left in (
        ((0.6, 0.6), np.sqrt(375), np.sqrt(250)),
        ((0.6, 0.0), np.sqrt(240), np.sqrt(385)),
    ):
        expected, _, taken = after_sampling(told, learned, probability=0.8, hurdle=0.0)
        d = (5.0 - stats.norm.ppf(0.8) * left) / s
        assert taken.mean() == pytest.approx(stats.norm.cdf(d), abs=0.02)
        by_hand = 5.0 * stats.norm.cdf(d) + s * stats.norm.pdf(d)
        assert float((taken * expected).mean()) == pytest.approx(by_hand, abs=0.3)


def test_what_a_sample_leaves_open_has_the_rest_of_the_variance():
    fitted = normal(10.0, 30.0)
    worth = fitted + normal(0.0, 15.0, "rest")
    told = Basis([fitted]).split(worth)
    expected, rest, _ = after_sampling(told, [0.75], probability=0.8, hurdle=0.0)
    assert rest == pytest.approx(left_open(told, [0.75]))
    assert expected.var() == pytest.approx(0.75 * 900, rel=0.02)
    assert rest.var() == pytest.approx(0.25 * 900 + 225, rel=0.02)
    assert abs(np.corrcoef(expected, rest)[0, 1]) < 0.02
    assert rest.mean() == pytest.approx(0.0, abs=0.01)


def test_what_is_explained_is_the_regression():
    """Worth = 3 x² − 2 y + noise: the squares and the lines come back, the noise does not."""
    x, y = normal(1.0, 2.0, "x"), normal(-4.0, 1.0, "y")
    signal = 3 * x**2 - 2 * y
    found = Basis([x, y]).split(signal + normal(0.0, 5.0, "noise")).fitted()
    assert np.sqrt(np.mean((found - signal) ** 2)) < 0.1
    assert Basis([np.ones(N)]).split(y).fitted() == pytest.approx(np.full(N, y.mean()), abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(st.floats(-50, 50), st.floats(1, 60), st.floats(0.01, 0.99))
def test_a_sample_is_worth_something_and_less_than_certainty(mean, sd, learned):
    worth = normal(mean, sd)
    expected, _, taken = after_sampling(Basis([worth]).split(worth), [learned], probability=0.5, hurdle=0.0)
    value = float((taken * expected).mean()) - max(float(worth.mean()), 0.0)
    assert -0.01 * sd <= value <= evpi([worth]) + 0.01 * sd


def test_prices_of_measuring():
    """80 cases a week: 347.9 a month, so 400 take 1.15 months. A label without its own price costs a case."""
    prices = Prices(per_case=12.0, per_label=8.0, per_baseline_case=None, setup=500.0, cases_per_week=80.0)
    assert prices.cases(10) == 120.0
    assert prices.baseline(10) == 120.0
    assert prices.months(400) == pytest.approx(400 / (80 * 365.25 / 12 / 7))
    free = Prices(per_case=None, per_label=None, per_baseline_case=None, setup=0.0, cases_per_week=None)
    assert free.cases(10) is None
    assert free.months(10) == 0.0


@pytest.mark.parametrize(("worse", "better"), [(0, 0), (0, 5), (5, 0), (7, 3), (11, 40), (40, 11), (1, 1)])
def test_mcnemar_matches_scipy(worse, better):
    """scipy.stats.binomtest(worse, worse + better, 0.5, alternative="greater")."""
    oracle = (
        stats.binomtest(worse, worse + better, 0.5, alternative="greater").pvalue if worse + better else 1.0
    )
    assert worse_by_chance(worse, better) == pytest.approx(oracle)
