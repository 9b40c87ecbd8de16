"""A forecast updated by months: towards the truth, never wider on average, and by the normal rule where draws run out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from made_forecasts import drawn, forecast, month

from roi.actuals import Month
from roi.forecast import Forecast
from roi.learnt import LEAST_DRAWS, MONTHLY_SPREAD, learn, weights_of


def months_of(f: Forecast, draw: int, numbers: range, rng: np.random.Generator | None = None) -> list[Month]:
    """What months show where one draw of the forecast is true, each month off by the spread that is guessed."""
    levels = f.levels(np.array([float(n) for n in numbers]))
    found = []
    for i, number in enumerate(numbers):
        off = {
            name: 1.0 if rng is None else float(np.exp(s * rng.standard_normal()))
            for name, s in MONTHLY_SPREAD.items()
        }
        cases = float(levels.volume[i, draw]) * off["volume"]
        adopted = cases * min(1.0, float(levels.adoption[i, draw]) * off["adoption"])
        assert levels.errors is not None
        mean = adopted * float(levels.errors[i, draw]) * off["errors"]
        found.append(
            month(
                number,
                cases=cases,
                adopted_cases=adopted,
                human_minutes=adopted * float(levels.minutes[i, draw]) * off["minutes"],
                errors=mean if rng is None else min(adopted, float(rng.poisson(mean))),
                cost=adopted * float(levels.price[i, draw]) * off["price"],
            )
        )
    return found


def test_weights_by_hand():
    """Two draws of the volume, 1,000 and 1,200, and one month of 1,000, which spreads by the guess of 0.1.

    The second is off by ln 1.2, so that exp(−ln² 1.2 / (2 × 0.1²)) is its weight against 1.
    """
    f = forecast(demand=np.array([1000.0, 1200.0]))
    weight = weights_of(f, f.levels(np.array([5.0])), [month(5, cases=1000)], ["volume", "price"])
    ratio = math.exp(-(math.log(1.2) ** 2) / 0.02)
    assert weight == pytest.approx([1 / (1 + ratio), ratio / (1 + ratio)])


def test_months_that_lie_apart_weigh_less():
    """1,000 and 1,440, √1.44 = 1.2 times 1,200 apart from it: (4 × 0.01 + 2 ln² 1.2) / 5 in place of 0.01."""
    f = forecast(demand=np.array([1200.0, 1000.0]))
    months = [month(5, cases=1000), month(6, cases=1440)]
    weight = weights_of(f, f.levels(np.array([5.0, 6.0])), months, ["volume"])
    spread = (0.04 + 2 * math.log(1.2) ** 2) / 5
    squares = 2 * math.log(1.2) ** 2, math.log(1.44) ** 2
    assert weight[1] / weight[0] == pytest.approx(math.exp((squares[0] - squares[1]) / (2 * spread)))


def test_errors_weigh_as_counts_that_spread_more_than_poisson():
    """Negative binomial of shape 25: 8 of 100 cases with 10 and with 20 expected; scipy has the same ratio."""
    from scipy.stats import nbinom

    f = forecast(errors=np.array([0.1, 0.2]), demand=1000.0, ceiling=0.5, share=1.0, ramp=0.0)
    given = month(5, adopted_cases=100, errors=8)
    weight = weights_of(f, f.levels(np.array([5.0])), [given], ["errors"])
    chance = [nbinom.pmf(8, 25, 25 / (25 + mean)) for mean in (10, 20)]
    assert weight[1] / weight[0] == pytest.approx(chance[1] / chance[0])


def test_the_normal_rule_by_hand():
    """Log demand of the draws: sd s around ln 1000; three months at 3,000 leave noise W of the mean.

    The months agree to the digit with one another, so the guess 0.1² counts 4 of 6 degrees: W = 0.04 / 6 / 3.
    """
    rng = np.random.default_rng(5)
    f = drawn(4000, demand=1000 * np.exp(0.1 * rng.standard_normal(4000)))
    found = learn(f, [month(n, cases=3000) for n in (5, 6, 7)])
    logs = np.log(np.asarray(f.demand))
    noise = 0.04 / 6 / 3
    gain = logs.var() / (logs.var() + noise)
    now = np.log(np.asarray(found.forecast.demand))
    assert (found.shifted, found.far) == (("volume",), ("volume",))
    assert found.effective["demand"] < LEAST_DRAWS
    assert now.mean() == pytest.approx(logs.mean() + gain * (math.log(3000) - logs.mean()))
    assert now.std() == pytest.approx(logs.std() * math.sqrt(1 - gain))
    assert np.argsort(now).tolist() == np.argsort(logs).tolist()


def test_months_that_came_as_forecast_leave_enough_draws():
    f = drawn(10_000)
    found = learn(f, months_of(f, 5, range(3, 6)))
    assert found.shifted == found.far == ()
    assert list(found.effective) == ["demand", "adoption", "cases"]
    assert min(found.effective.values()) > LEAST_DRAWS
    assert found.factors == ("volume", "adoption", "minutes", "errors", "price")


def test_what_no_month_reports_teaches_nothing():
    f = drawn(300)
    found = learn(f, [month(3, cash_released=100)])
    assert (found.shifted, found.factors, found.effective) == ((), (), {})
    assert np.array_equal(np.asarray(found.forecast.demand), np.asarray(f.demand))


def test_a_month_of_no_case_has_no_logarithm_and_still_counts():
    f = drawn(1000)
    found = learn(f, [month(3, cases=0, adopted_cases=0)])
    assert np.isfinite(np.asarray(found.forecast.demand)).all()
    assert np.asarray(found.forecast.demand).mean() < np.asarray(f.demand).mean()


def test_what_is_drawn_together_stays_together():
    f = drawn(10_000)
    found = learn(f, months_of(f, 7, range(3, 6))).forecast
    was = {(x, y) for x, y in zip(np.asarray(f.before), np.asarray(f.minutes), strict=True)}
    assert all(pair in was for pair in zip(np.asarray(found.before), np.asarray(found.minutes), strict=True))
    assert np.array_equal(np.asarray(found.labour), np.asarray(f.labour))  # no month tells of it


def test_the_same_months_give_the_same_draws():
    f = drawn(2000)
    months = months_of(f, 3, range(2, 6))
    one, other = (learn(f, months).forecast for _ in range(2))
    assert np.array_equal(np.asarray(one.minutes), np.asarray(other.minutes))


@pytest.mark.slow
def test_updating_goes_to_the_truth_and_never_widens_on_average():
    """300 truths drawn from the forecast, six months each: the worth is nearer to the truth's, and known better."""
    rng = np.random.default_rng(11)
    f = drawn(4000, 2)
    before = f.worth()
    nearer, widths, inside = [], [], []
    for _ in range(300):
        draw = int(rng.integers(f.n))
        now = learn(f, months_of(f, draw, range(1, 7), rng)).forecast.worth()
        truth = before[draw]
        nearer.append((abs(before.mean() - truth), abs(now.mean() - truth)))
        low, high = np.quantile(now, (0.1, 0.9))
        widths.append((high - low) / (np.quantile(before, 0.9) - np.quantile(before, 0.1)))
        inside.append(low <= truth <= high)
    was, is_now = np.mean(nearer, axis=0)
    print(
        f"mean distance {was:.0f} -> {is_now:.0f}, width {np.mean(widths):.2f}, inside {np.mean(inside):.3f}"
    )
    assert is_now < 0.9 * was
    assert np.mean(widths) < 1
    assert 0.72 <= np.mean(inside) <= 0.95


@pytest.mark.slow
def test_the_band_holds_eight_in_ten_months_where_a_draw_is_true():
    """2,000 truths of a forecast whose draws are others: P10 to P90 of each month holds 80 ± 3 % of months."""
    f, truths = drawn(10_000, 3), drawn(2000, 4)
    said = f.parts(f.levels(f.months())).benefit
    came = truths.parts(truths.levels(truths.months())).benefit
    low, high = np.quantile(said, (0.1, 0.9), axis=1)
    share = float(((came >= low[:, None]) & (came <= high[:, None])).mean())
    print(f"inside {share:.3f}")
    assert abs(share - 0.80) <= 0.03
