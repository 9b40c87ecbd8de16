"""Forecasts and months made by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from roi.actual_rows import NUMBERS, ActualRow
from roi.actuals import Month
from roi.forecast import Forecast

BASE: dict[str, Any] = {
    "label": "Scale",
    "verdict": "scale",
    "segments": (),
    "start": (2027, 1),
    "horizon": 12,
    "currency": "EUR",
    "hurdle": 0.0,
    "needed": 0.8,
    "stops_at": 0.2,
    "n": 2,
    "demand": 1000.0,
    "share": 0.8,
    "ceiling": 0.5,
    "ramp": 4.0,
    "delay": 0.0,
    "before": 10.0,
    "minutes": 6.0,
    "errors": 0.1,
    "errors_before": 2.0,
    "error_cost": 20.0,
    "error_credit": True,
    "price": 0.5,
    "labour": 60.0,
    "cash": 0.2,
    "both": 0.5,
    "smallest": 0.0,
    "monthly": 100.0,
    "pilot": 50.0,
    "at_once": 1000.0,
    "wind_down": 0.0,
    "discount": 0.0,
}


def forecast(**changes: Any) -> Forecast:
    """A month of 1,000 cases, of which 50, 150, 250, 350, 400 … are worked; each saves 4 minutes and brings 1.50."""
    return Forecast(**(BASE | changes))


def drawn(n: int, seed: int = 1, **changes: Any) -> Forecast:
    """The same with draws of everything that months teach of."""
    rng = np.random.default_rng(seed)

    def around(middle: float, spread: float) -> Any:
        return middle * np.exp(spread * rng.standard_normal(n))

    values = {
        "n": n,
        "demand": around(1000, 0.1),
        "ceiling": np.clip(around(0.5, 0.12), 0, 1),
        "ramp": rng.uniform(2, 6, n),
        "before": around(10, 0.05),
        "minutes": around(6, 0.08),
        "errors": np.clip(around(0.1, 0.2), 0, 1),
        "price": around(0.5, 0.1),
        "labour": around(60, 0.05),
        "both": rng.uniform(0.3, 0.7, n),
    }
    return forecast(**(values | changes))


def month(number: int, **given: float | None) -> Month:
    values = {name: given.get(name) for name in NUMBERS}
    return Month(month=f"2027-{number:02d}", number=number, **values)


def row(number: int, of: str, **given: Any) -> ActualRow:
    """Row `number`, of a month such as 2027-01."""
    return ActualRow(
        row=number,
        month=dt.date.fromisoformat(f"{of}-01"),
        segment=given.get("segment"),
        complete=given.get("complete"),
        currency=given.get("currency", "EUR"),
        own=given.get("own", "EUR"),
        numbers={name: given.get(name) for name in NUMBERS},
    )


THREE = (
    month(1, cases=1000, adopted_cases=50, human_minutes=300, errors=5, cost=25),
    month(2, cases=800, adopted_cases=160, human_minutes=1120, errors=8, cost=40, cash_released=200),
    month(3, cases=0, adopted_cases=0, human_minutes=0, errors=0, cost=0),
)
"""A month as forecast; one of fewer cases, of which more are worked, longer, better and cheaper; and one of no case."""
