"""What months can show of a forecast: by hand, and that months drawn from a forecast are scored as it says."""

from __future__ import annotations

import numpy as np
import pytest
from made_forecasts import drawn, forecast, month
from opened_examples import example

from roi.apart import over
from roi.forecast import Forecast, forecast_of
from roi.realised import realised_of_record
from roi.shown import ratios_of, scored, shown_in, shown_of

ALL = ("cases", "adopted_cases", "human_minutes", "errors", "cost")


def months_of(f: Forecast, draw: int, names: tuple[str, ...] = ALL, last: int = 6):
    """Months as one draw of a forecast says that they will be."""
    levels = f.levels(np.arange(1.0, last + 1))
    cash = f.parts(levels).cash
    found = []
    for i in range(last):
        adopted = levels.volume[i, draw] * levels.adoption[i, draw]
        told = {
            "cases": levels.volume[i, draw],
            "adopted_cases": adopted,
            "human_minutes": levels.minutes[i, draw] * adopted,
            "errors": 0.0 if levels.errors is None else levels.errors[i, draw] * adopted,
            "cost": levels.price[i, draw] * adopted,
            "cash_released": cash[i, draw],
        }
        found.append(month(i + 1, **{name: float(told[name]) for name in names}))
    return found


def test_the_spread_of_what_no_month_shows_is_left_out_by_hand():
    """Two draws, a saved hour brings 0.5 or 1.5 of its cost: 4 minutes × 1.00 × (0.5 + 1.5) / 2, in each of them.

    The draws differ in cases, 1,000 and 2,000, and month 4 adopts 0.35: 350 and 700 cases × (4 + 0 − 0.50).
    """
    f = forecast(n=2, demand=np.array([1000.0, 2000.0]), both=np.array([0.5, 1.5]))
    shown = shown_of(f, [month(4, cases=1000, adopted_cases=350, human_minutes=2100, errors=35, cost=175)])
    assert shown[0] == pytest.approx([350 * 3.5, 700 * 3.5])
    assert f.parts(f.levels(np.array([4.0]))).benefit[0] == pytest.approx([350 * 1.5, 700 * 5.5])


@pytest.mark.parametrize(
    "names",
    [ALL, (*ALL, "cash_released"), ("cases",), ("adopted_cases", "human_minutes"), ("cash_released",)],
)
@pytest.mark.parametrize("changes", [{}, {"error_credit": False}, {"smallest": 3.0}])
def test_what_a_draw_brought_is_scored_as_that_draw(names, changes):
    """So the score of months that come as any draw says is that draw's place among the draws: 8 in 10 lie inside."""
    f = drawn(300, **changes)
    shown = shown_of(f, months_of(f, 0, names)).sum(axis=0)
    for draw in (0, 7, 130, 299):
        brought = over(f, months_of(f, draw, names)).benefit().mean(axis=1).sum()
        assert brought == pytest.approx(shown[draw], rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["support_replies", "invoice_coding"])
def test_eight_in_ten_months_of_an_examples_own_forecast_lie_inside(name):
    """300 truths drawn from it; held against the whole spread of the forecast 97 % would."""
    f = forecast_of(example(name).decision.analysis)
    assert f is not None
    chosen = np.random.default_rng(4).choice(f.n, 300, replace=False)
    shown = shown_of(f, months_of(f, 0)).sum(axis=0)
    for draw in chosen[:3]:
        held = over(f, months_of(f, int(draw)))
        assert held.benefit().mean(axis=1).sum() == pytest.approx(shown[draw], rel=1e-9)
    inside = [scored(shown, np.full(1, shown[draw]), [])["inside"] for draw in chosen]
    assert 0.8 - 0.07 <= np.mean(inside) <= 0.8 + 0.07
    whole = f.parts(f.levels(np.arange(1.0, 7))).benefit.sum(axis=0)
    assert shown.std() < 0.8 * whole.std()


def test_what_a_month_shows():
    assert shown_in(month(1, cases=10)) == ("volume",)
    assert shown_in(month(1, adopted_cases=10, errors=1, cash_released=4)) == ("adoption", "errors", "cash")
    assert shown_in(month(1, cases=10, human_minutes=10)) == ("volume",)


def test_ratios_by_hand():
    """Month 4: 900 of 1,000 cases; 270 worked where 35 % of 900 are 315; 3 minutes saved of 4; 27 in cash, 540 due."""
    f = forecast()
    held = over(f, [month(4, cases=900, adopted_cases=270, human_minutes=7 * 270, cash_released=81.0)])
    assert ratios_of(f, held) == pytest.approx(
        {"volume": 0.9, "adoption": 270 / 315, "hours": 0.75, "cash": 81 / (270 * 3 * 0.2)}
    )
    assert ratios_of(f, over(f, [month(4, cases=900)])) == {
        "volume": 0.9,
        "adoption": None,
        "hours": None,
        "cash": None,
    }


def test_a_record_says_what_its_months_show():
    from made_forecasts import row

    from roi.actual_rows import ActualRow

    a = example("support_replies").decision.analysis
    f = forecast_of(a)
    start = f"{f.start[0]}-{f.start[1]:02d}"
    blank: list[ActualRow] = [row(1, start)]
    assert realised_of_record(a, blank)["state"] == "too_early"
    found = realised_of_record(a, [row(1, start, cases=3000)])
    assert found["cumulative"]["shown"]["of"] == ["volume"]
    assert "by what they show (cases)" in found["text"]
