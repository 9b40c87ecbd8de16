"""Months beside their forecast, and the difference taken apart: by hand, to the last digit, in every order."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from made_forecasts import THREE, drawn, forecast, month
from opened_examples import example

from roi.actuals import month_name
from roi.apart import ROWS, over, take_apart
from roi.cashflow import monthly_flows
from roi.forecast import FACTORS, Levels, bands, forecast_of


def test_three_months_by_hand():
    """Each case was to bring 4 min × 1.00 × ½ + (2 − 0.1 × 20) − 0.50 = 1.50.

    In the second month V 1000 → 800, A 0.15 → 0.2, time 2 → 1.5, errors 0 → 1, price 0.5 → 0.25. A factor inside the
    brackets meets 150, 120, 200 and 160 cases with the Shapley weights 1/3, 1/6, 1/6, 1/3: 156⅔ of them.
    """
    f = forecast()
    found = over(f, THREE)
    assert found.planned.benefit.mean(axis=1) == pytest.approx([75, 225, 375])
    # 160 cases × (3 × ½ + 1 − 0.25) = 360, and 200 in cash where 160 × 3 × 0.2 = 96 were to come of so many minutes.
    assert found.benefit().mean(axis=1) == pytest.approx([75, 360 + 104, 0])
    apart = take_apart(f, found)
    assert apart.months[0] == pytest.approx(dict.fromkeys(ROWS, 0.0), abs=1e-12)
    met = 150 / 3 + 120 / 6 + 200 / 6 + 160 / 3
    volume = -200 * (0.15 * 1.5 / 3 + 0.2 * 1.5 / 6 + 0.15 * 2.25 / 6 + 0.2 * 2.25 / 3)
    adoption = 0.05 * (1000 * 1.5 / 3 + 800 * 1.5 / 6 + 1000 * 2.25 / 6 + 800 * 2.25 / 3)
    assert (volume, adoption) == pytest.approx((-66.25, 83.75))
    assert apart.months[1] == pytest.approx(
        {
            "volume": volume,
            "adoption": adoption,
            "minutes": -0.5 * met,
            "errors": met,
            "price": 0.25 * met,
            "cash": 104.0,
        }
    )
    assert apart.months[2] == pytest.approx({**dict.fromkeys(ROWS, 0.0), "volume": -375.0})
    assert apart.whole == pytest.approx(539 - 675)
    assert math.fsum(apart.total.values()) == pytest.approx(apart.whole, abs=1e-9)


def test_it_is_the_mean_over_every_order():
    """120 orders of the five factors, each changed for good once its turn has come."""
    f = drawn(40)
    found = over(f, THREE[1:2])
    gains = dict.fromkeys(FACTORS, 0.0)
    for order in itertools.permutations(FACTORS):
        levels = {name: getattr(found.forecast, name) for name in FACTORS}
        before = f.parts(Levels(**levels)).benefit.mean()
        for name in order:
            levels[name] = getattr(found.actual, name)
            after = f.parts(Levels(**levels)).benefit.mean()
            gains[name] += (after - before) / 120
            before = after
    rows = take_apart(f, found).months[0]
    assert {name: rows[name] for name in FACTORS} == pytest.approx(gains, abs=1e-9)


def test_rows_add_up_to_the_difference_in_200_random_cases():
    rng = np.random.default_rng(8)
    worst = 0.0
    for seed in range(200):
        f = drawn(30, seed, error_credit=bool(rng.integers(2)), smallest=float(rng.choice([0.0, 0.25])))
        months = []
        for number in range(1, rng.integers(2, 9)):
            cases = float(rng.choice([0.0, rng.uniform(100, 1e5)]))
            adopted = float(rng.choice([0.0, rng.uniform(0, cases)]))
            given = {
                "cases": cases,
                "adopted_cases": adopted,
                "human_minutes": adopted * rng.uniform(2, 15),
                "errors": adopted * rng.uniform(0, 0.5),
                "cost": adopted * rng.uniform(0, 3),
                "cash_released": rng.uniform(-1e3, 1e6),
            }
            months.append(month(number, **{k: v for k, v in given.items() if rng.random() < 0.8}))
        found = over(f, months)
        apart = take_apart(f, found)
        whole = found.benefit().mean(axis=1) - found.planned.benefit.mean(axis=1)
        for rows, difference in zip(apart.months, whole, strict=True):
            worst = max(worst, abs(math.fsum(rows.values()) - difference))
        worst = max(worst, abs(math.fsum(apart.total.values()) - apart.whole))
    assert worst < 1e-9


def test_a_factor_that_nobody_reported_is_held_and_explains_nothing():
    f = drawn(50)
    found = over(f, [month(2, cases=900, adopted_cases=150)])
    rows = take_apart(f, found).months[0]
    assert [name for name in ROWS if found.reported[name]] == ["volume", "adoption"]
    assert all(rows[name] == 0 for name in ("minutes", "errors", "price", "cash"))
    assert rows["volume"] < 0


def test_cases_worked_count_though_all_cases_are_not_known():
    f = drawn(50)
    found = over(f, [month(2, adopted_cases=150, human_minutes=900)])
    assert found.brought.hours[0] == pytest.approx(150 * (np.asarray(f.before) - 6) / 60)
    assert found.reported["volume"] == 0


def test_minutes_without_the_cases_worked_show_nothing():
    found = over(forecast(), [month(2, cases=1000, human_minutes=900)])
    assert found.reported["minutes"] == 0
    assert found.benefit() == pytest.approx(found.planned.benefit)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["support_replies", "invoice_coding", "claims_intake", "permit_intake"])
def test_the_forecast_is_the_worth_of_the_decision(name):
    """To the cent, draw by draw: nothing of a roll-out is lost by taking it apart."""
    a = example(name).decision.analysis
    f = forecast_of(a)
    assert f is not None
    option = a.verdict.option or a.scale
    assert np.abs(f.worth() - option.worth).max() < 1e-6
    flows = monthly_flows(option.stream, a.economics, option.schedule)
    parts = f.parts(f.levels(f.months()))
    assert np.abs(parts.time + parts.errors - flows.benefit[1:]).max() < 1e-6


def test_a_month_is_a_month_of_the_calendar():
    assert [month_name((2026, 11), m) for m in (1, 2, 3, 15)] == ["2026-11", "2026-12", "2027-01", "2028-01"]


def test_bands_are_of_months_and_of_all_until_then():
    f = drawn(500)
    rows = bands(f)
    parts = f.parts(f.levels(f.months())).benefit
    assert [r["number"] for r in rows] == list(range(1, 13))
    assert rows[4]["benefit"]["p90"] == pytest.approx(np.quantile(parts[4], 0.9))
    assert rows[4]["cumulative"]["benefit"]["p10"] == pytest.approx(np.quantile(parts[:5].sum(axis=0), 0.1))


def test_covered_cases_alone_bring_the_same():
    f = drawn(50)
    whole, covered = (f.parts(f.levels(f.months(), covered_only=c)).benefit for c in (False, True))
    assert covered == pytest.approx(whole)
    assert f.levels(f.months(), covered_only=True).volume[0] == pytest.approx(0.8 * np.asarray(f.demand))


def test_what_the_agent_cost_without_a_case_counts_in_full():
    """Month 1 was to bring 75; no case was worked, and 40 were paid all the same: −115, of which −40 is the price."""
    f = forecast()
    none = month(1, cases=1000, adopted_cases=0, human_minutes=0, errors=0, cost=0)
    paid = month(1, cases=1000, adopted_cases=0, human_minutes=0, errors=0, cost=40)
    free, dear = (take_apart(f, over(f, [m])) for m in (none, paid))
    assert (free.whole, dear.whole) == (pytest.approx(-75), pytest.approx(-115))
    assert dear.total["price"] - free.total["price"] == pytest.approx(-40)
    assert math.fsum(dear.total.values()) == pytest.approx(dear.whole, abs=1e-9)
