"""Months that can hardly be meant so are told on the page, and what is refused later is refused by `roi check`."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from made_forecasts import row
from opened_examples import example
from pilots import cases, write_pilot

from roi.cli import main
from roi.forecast import forecast_of
from roi.realised import realised_of_record
from roi.report import operate as page


@pytest.fixture(scope="module")
def decided():
    return example("support_replies").decision.analysis


def month(cash: float | None, minutes: float = 6.0) -> list:
    """July 2026: 4,000 cases with the agent."""
    return [
        row(1, "2026-07", cases=70_000, adopted_cases=4000, human_minutes=4000 * minutes, cash_released=cash)
    ]


@pytest.mark.slow
def test_more_cash_than_hours_could_be_worth_is_told(decided):
    assert realised_of_record(decided, month(None))["implausible"] == []
    assert realised_of_record(decided, month(100.0))["implausible"] == []
    found = realised_of_record(decided, month(99_999_999_999.0))
    [text] = found["implausible"]
    assert text.startswith("2026-07: EUR")
    assert "check unit and currency of cash_released" in text
    shown = page.realised(page.Operated({}, {}, found)).html
    assert "Hardly meant so" in shown
    assert "cash_released" in shown


@pytest.mark.slow
def test_the_margin_by_hand(decided):
    """Three times what the hours saved are worth passes, a little more does not."""
    f = forecast_of(decided)
    saved = np.percentile((np.asarray(f.before) - 6.0) * 4000 / 60, 95)
    worth = float(saved * np.mean(f.labour))
    assert realised_of_record(decided, month(2.9 * worth))["implausible"] == []
    assert len(realised_of_record(decided, month(3.1 * worth))["implausible"]) == 1


@pytest.mark.slow
def test_minutes_far_from_what_was_forecast_are_told(decided):
    said = float(np.mean(forecast_of(decided).minutes))
    [text] = realised_of_record(decided, month(None, said / 8))["implausible"]
    assert "check the unit of human_minutes" in text
    assert realised_of_record(decided, month(None, said / 4))["implausible"] == []


def test_check_names_at_once_what_would_be_refused_later(tmp_path, monkeypatch):
    """Yen without a rate, and more adopted cases than cases: both at once, exit 2; a rate mends the first."""
    rows = [
        {
            "month": "2027-01",
            "cases": 10,
            "adopted_cases": 20,
            "cost": 13,
            "cost_currency": "JPY",
            "complete": "yes",
        }
    ]
    small = {"run": {"draws": 1000}, "samples": {"actuals": "data/actuals.csv"}}
    write_pilot(tmp_path, cases(200, workers=8), small, tables={"actuals": rows})
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["check", "params/made.yaml"])
    assert done.exit_code != 0
    said = str(done.exception) + done.output
    assert "JPY" in said
    assert "economics.fx" in said
    assert "the agent cannot have worked more" in said.replace("\n", " ")
