"""What the marks of charts say under the pointer and the keys: all numbers of the chart, and texts of users as texts."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from fixtures_record import make_pictures

from roi import report
from roi.cause_pictures import CauseBar, CleanBar
from roi.report import (
    audit_charts,
    charts,
    control_charts,
    money_charts,
    operate_charts,
    portfolio_charts,
    proof_charts,
    quality_charts,
    remedy_charts,
)

NAME = "<b onclick=x>&\"'"
MONEY: dict[str, Any] = {"currency": "EUR", "width": 640}
PICTURES = make_pictures()
OUTCOMES = {"mean": 50_000.0, "p10": -10_000.0, "p90": 120_000.0}
SAID = f"{NAME}: EUR 50,000; 8 in 10 outcomes EUR −10,000 to 120,000"
DAY = {"from": "2026-07-01", "to": "2026-07-02", "value": 0.1, "low": 0.0, "high": 0.2, "centre": 0.1}
PANEL = {
    "title": "Errors", "note": "", "axis": ".1~%", "limit": None, "top": 0.3, "changes": [],
    "points": [DAY | {"regime": 1, "marked": False, "inside": False, "tip": f"{NAME}: 10 %"}],
}  # fmt: skip
DESIGN = {"hours": 12.0, "loss": 3_000.0, "low": 2_000.0, "high": 4_500.0, "text": NAME}
DESIGNED = f"{NAME}: 12.0 hours a month, errors cost EUR 3,000; 9 in 10 outcomes EUR 2,000 to 4,500"
PILOT = {
    "label": NAME,
    "verdict": "fix",
    "worth": 50_000.0,
    "p10": -10_000.0,
    "p90": 120_000.0,
    "chance": 0.7,
    "cost": 9_000.0,
    "said": SAID.removeprefix(f"{NAME}: "),
}
PARTS = {"errors": 5_000.0, "minutes": 4_000.0}
CAUSE = CauseBar(cause="data", share=0.6, mean=9_000.0, p10=6_000.0, p90=12_000.0, parts=PARTS)
CLEAN = CleanBar(
    cause="data", whole=0.25, whole_low=0.2, whole_high=0.3, clean=0.1, clean_low=0.08, clean_high=0.12
)

# Each chart that a page may hold, and what its marks say, in the order in which the arrow keys go through them.
CHARTS: dict[Callable[..., Any], tuple[tuple[Any, ...], dict[str, Any], list[str]]] = {
    audit_charts.causes_in_money: (
        ([CAUSE],),
        MONEY,
        [
            "Data, errors: EUR 5,000 a year",
            "Data, people’s time: EUR 4,000 a year",
            "Data · 60 % of losses: EUR 9,000; 8 in 10 outcomes EUR 6,000 to 12,000 a year",
        ],
    ),
    audit_charts.clean_world: (
        ([CLEAN],),
        {"width": 640},
        [
            "All cases: 25 % are lost; 9 in 10 chances 20 % to 30 %",
            "Without evidence of data: 10 % are lost; 9 in 10 chances 8.0 % to 12 %",
        ],
    ),
    quality_charts.defect_map: (
        ([{"field": NAME, "column": "demo", "share": 0.12}, {"field": NAME, "column": "real", "share": None}],),
        {"fields": [NAME], "columns": ["demo", "real"], "width": 640},
        [f"{NAME}, demo: defective in 12 % of cases", f"{NAME}, real: no cases to tell"],
    ),
    quality_charts.failing_calls: (
        ([{"label": NAME, "failed": 0.05, "denied": 0.01, "low": 0.03, "high": 0.1}],),
        {"width": 640},
        [
            f"{NAME}: 5.0 % failed",
            f"{NAME}: 1.0 % denied",
            f"{NAME}: 6.0 % failed or were denied; 9 in 10 such samples would give 3.0 % to 10 %",
        ],
    ),
    control_charts.frontier: (
        ([DESIGN | {"kind": kind} for kind in ("curve", "chosen", "today")],),
        MONEY,
        [DESIGNED, f"Advised: {DESIGNED}", f"Today: {DESIGNED}"],
    ),
    remedy_charts.remedy_ladder: (
        ([{"label": NAME, "paid": 30_000.0} | OUTCOMES],),
        {"budget": 40_000.0} | MONEY,
        [SAID, f"{NAME}: EUR 30,000 paid by then"],
    ),
    remedy_charts.ways: (
        ([{"label": NAME, "most": 50_000.0, "cost": 40_000.0}],),
        MONEY,
        [f"{NAME}: at most EUR 50,000 worth paying", f"{NAME}: its price is EUR 40,000"],
    ),
    proof_charts.ladder: (([{"label": NAME, "last": True} | OUTCOMES],), MONEY, [SAID]),
    proof_charts.steps: (
        ([{"label": NAME, "start": 0.0, "end": 5.2, "kind": "level", "text": "5.20 min"}],),
        {"title": "minutes", "width": 640},
        [f"{NAME}: 5.20 min"],
    ),
    proof_charts.values: (([{"label": NAME, "value": 4_200.0}],), MONEY, [f"{NAME}: at most EUR 4,200"]),
    proof_charts.samples: (
        ([{"label": NAME, "worth": 4_200.0, "price": 900.0}],),
        MONEY,
        [f"{NAME}: at most EUR 4,200 worth paying", f"{NAME}: its price is EUR 900"],
    ),
    proof_charts.shares: (
        ([{"label": NAME, "shares": {"measured": 0.7, "assumed": 0.3}}],),
        {"kinds": {"measured": "measured", "assumed": "assumed"}, "width": 640},
        [f"{NAME}: 70 % measured", f"{NAME}: 30 % assumed"],
    ),
    operate_charts.control_panels: (([PANEL],), {"width": 640}, [f"{NAME}: 10 %"]),
    operate_charts.mixes: (
        ([{"label": NAME, "was": 0.4, "now": 0.55}],),
        {"width": 640},
        [f"{NAME}: 55 % now", f"{NAME}: 40 % in the decision"],
    ),
    operate_charts.realised: (
        ([("A month", [{"number": 2, "low": 160.0, "mid": 200.0, "high": 240.0, "actual": 150.0}])],),
        MONEY,
        ["A month, month 2: EUR 150; forecast: EUR 200; 8 in 10 outcomes EUR 160 to 240"],
    ),
    operate_charts.differences: (
        ([{"label": NAME, "amount": -1_200.0, "whole": False}],),
        MONEY,
        [f"{NAME}: −EUR 1,200"],
    ),
    portfolio_charts.portfolio_map: (
        ([PILOT],),
        MONEY,
        [f"{NAME}, fix{SAID.removeprefix(NAME)}; pays in about 7 of 10; costs EUR 9,000 once"],
    ),
    portfolio_charts.verdict_trend: (
        ([{"month": "2026-05", "scale": 3, "fix": 1, "kill": 2}],),
        {"width": 640},
        ["2026-05: 3 scale", "2026-05: 1 fix", "2026-05: 2 kill"],
    ),
    portfolio_charts.came_of_forecasts: (
        ([{"label": NAME, "low": 0.8, "high": 1.2, "came": 0.9}],),
        {"width": 640},
        [f"{NAME}: 90 % of the forecast came; 8 in 10 outcomes 80 % to 120 %"],
    ),
    charts.options: (
        ([{"label": NAME, "cash": None, "advised": True} | OUTCOMES],),
        MONEY,
        [SAID],
    ),
    charts.minutes: (
        ({"pilot": next(iter(PICTURES.minutes.values()))}, {"pilot": 9.0}, {"pilot": NAME}),  # type: ignore[union-attr]
        {"width": 640},
        [],
    ),
    charts.worth: ((PICTURES.worth, dict.fromkeys(PICTURES.worth, NAME)), MONEY, []),
    charts.drivers: ((PICTURES.drivers,), {"middle": 0.0} | MONEY, []),
    money_charts.cumulative_cash: ((PICTURES.cumulative,), {"payback": 17.0} | MONEY, []),
    money_charts.fiscal_years: ((PICTURES.fiscal_years,), MONEY, []),
}  # fmt: skip


def test_every_chart_of_every_module_is_held_here() -> None:
    """A chart that somebody adds is asked for its tips, too: what takes a width draws."""
    folder = Path(report.__file__).parent
    modules = [import_module(f"roi.report.{f.stem}") for f in folder.glob("*charts.py")]
    draws = {
        getattr(module, name)
        for module in modules
        for name in module.__all__
        if inspect.isfunction(getattr(module, name))
        and "width" in inspect.signature(getattr(module, name)).parameters
    }
    assert len(modules) >= 9
    assert draws - {control_charts.with_room} == set(CHARTS)


@pytest.mark.parametrize("draw", CHARTS, ids=lambda draw: draw.__name__)
def test_marks_say_the_numbers_and_what_users_wrote_is_a_text(draw: Callable[..., Any]) -> None:
    given, options, told = CHARTS[draw]
    chart = draw(*given, **options)
    chart.to_dict()  # raises where the schema of charts is not kept
    drawn = charts.svg(chart, "x")
    ElementTree.fromstring(drawn)
    assert "<b" not in drawn
    tips = [html.unescape(tip).replace("\u00a0", " ") for tip in re.findall(r'data-tip="([^"]*)"', drawn)]
    assert tips
    assert all(re.search(r"\d", tip) or tip.endswith("no cases to tell") for tip in tips)
    if told:
        assert tips == told


def test_a_long_name_is_short_in_a_tip_and_one_figure_has_no_range() -> None:
    assert (
        charts.outcomes_tip("x" * 200, 5.0, 5.0, 5.0, "EUR").replace("\u00a0", " ")
        == f"{'x' * 59}…: EUR 5.00"
    )
    assert np.all([len(charts.outcomes_tip("y" * k, 1.0, 0.0, 2.0, "EUR")) < 120 for k in (10, 1000)])
