"""Pictures of the audit: arrays from the record, charts that hold the schema, words that hold the numbers."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from roi.cause_pictures import cause_bars, clean_bars, parts_seen, says_causes, says_clean
from roi.report import audit_charts
from roi.report.cause_figures import causes_figure
from roi.report.charts import svg


def share(mean: float) -> dict[str, float]:
    return {"mean": mean, "p05": 0.8 * mean, "p95": 1.2 * mean}


def row(cause: str, of: float, errors: float, minutes: float) -> dict[str, object]:
    whole = errors + minutes
    return {
        "cause": cause,
        "share_of_losses": share(of),
        "per_year": {"mean": whole, "p10": 0.7 * whole, "p50": whole, "p90": 1.4 * whole},
        "parts": {"errors": errors, "minutes": minutes},
    }


RECORD = {
    "causes": {
        "by_cause": [
            row("data", 0.6, 5_000.0, 4_000.0),
            row("model", 0.2, 12_000.0, 2_000.0),
            row("unexplained", 0.19, 20_000.0, 0.0),
            row("oversight", 0.01, 1.0, 0.0),
            {"cause": "workflow", "share_of_losses": None, "per_year": None, "parts": None},
        ]
    },
    "clean_world": [
        {"cause": "data", "rates": {"losses": {"all": share(0.25), "clean": share(0.1)}}},
    ],
}


def test_causes_stand_by_their_price_and_what_is_unexplained_last():
    bars = cause_bars(RECORD)
    assert [b.cause for b in bars] == ["model", "data", "unexplained"]  # one euro in 20,000 is no bar
    assert (
        says_causes(bars, currency="EUR")
        .replace("\xa0", " ")
        .startswith(
            "3 causes of losses by what they cost: model EUR 14,000 a year (8 in 10: EUR 9,800 to EUR 20,000; 20 % of losses)"
        )
    )
    assert says_causes((), currency="EUR") == "No cause of losses has a price."


@pytest.mark.slow
def test_the_legend_names_the_parts_that_can_be_seen_and_stands_outside_the_picture():
    """In a picture of 296 pixels it would be cut; as text above it, it wraps."""
    bars = cause_bars(RECORD)
    assert parts_seen(bars) == ("errors", "minutes")
    small, large = (replace(bars[0], parts=bars[0].parts | {"agent_cost": x}) for x in (20.0, 2_000.0))
    assert parts_seen((*bars[1:], small)) == ("errors", "minutes")
    assert parts_seen((*bars[1:], large)) == ("errors", "minutes", "agent_cost")
    figure = causes_figure(RECORD | {"currency": "EUR"})
    assert figure is not None
    assert figure.legend == (("before", "errors"), ("agent", "people’s time"), ("line", "8 in 10 outcomes"))
    for width in (296, 640):
        picture = svg(audit_charts.causes_in_money(bars, currency="EUR", width=width), "c")
        written = re.findall(r"<text[^>]*>([^<]*)", picture)  # not what the pointer is told
        assert written
        assert not any("people" in text for text in written)


def test_clean_cases_in_words():
    assert says_clean(clean_bars(RECORD)).replace("\xa0", " ") == (
        "data: 25 % of all cases are lost, and 10 % (9 in 10: 8.0 % to 12 %) of those without evidence of it."
    )
    assert says_clean(()) == "No log tells clean cases from others."


@pytest.mark.parametrize("width", [320, 700])
def test_charts_hold_the_schema_and_show_the_numbers(width):
    drawn = svg(audit_charts.causes_in_money(cause_bars(RECORD), currency="EUR", width=width), "c")
    assert "14k" in drawn
    assert "of losses" in drawn
    audit_charts.causes_in_money(cause_bars(RECORD), currency="EUR", width=width).to_dict()
    clean = audit_charts.clean_world(clean_bars(RECORD), width=width)
    clean.to_dict()
    assert "all cases: 25" in svg(clean, "d")
