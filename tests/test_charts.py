"""Charts and figures: numbers in, static pictures out, the same numbers in words beside them."""

from __future__ import annotations

import ast
import re
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from fixtures_record import make_kill, make_pictures, make_record, make_scale

from roi import words
from roi.pictures import Histogram, Pictures
from roi.report import charts, figures, money_charts

FIGURES = [
    figures.minutes_figure,
    figures.worth_figure,
    figures.cash_figure,
    figures.years_figure,
    figures.options_figure,
    figures.drivers_figure,
]


@cache
def drawings(make: object) -> tuple[str, str]:
    found: tuple[str, str] = make(make_record(), make_pictures()).drawings()  # type: ignore[operator]
    return found


@pytest.mark.parametrize("make", FIGURES)
def test_a_figure_is_static_and_says_its_numbers(make: object) -> None:
    figure = make(make_record(), make_pictures())  # type: ignore[operator]
    assert figure is not None
    assert figure.question.endswith("?")
    assert re.search(r"\d", figure.answer)
    assert len(re.findall(r"\d", figure.alt)) >= 4
    figure.draw(figures.NARROW).to_dict()  # raises where the schema of charts is not kept
    for drawing in drawings(make):
        ElementTree.fromstring(drawing)
        assert not re.search(r"<script|<image|<foreignObject|href=|url\(http|@import|data:", drawing)
        assert set(re.findall(r"url\(#([^)]+)\)", drawing)) <= set(re.findall(r'\bid="([^"]+)"', drawing))


@pytest.mark.parametrize("make", FIGURES)
def test_ids_of_two_drawings_never_meet(make: object) -> None:
    wide, narrow = (set(re.findall(r'\bid="([^"]+)"', d)) for d in drawings(make))
    assert not wide & narrow


@pytest.mark.parametrize("make", FIGURES)
def test_nothing_to_draw_is_no_figure(make: object) -> None:
    assert make(make_kill(), make_pictures(empty=True)) is None  # type: ignore[operator]


def test_a_chart_grows_with_bins_not_with_cases() -> None:
    """The spec of a histogram of many cases is as long as that of few: no row is in it."""
    lengths = []
    for cases in (100, 100_000):
        values = np.random.default_rng(1).gamma(3, 4, cases)
        edges = np.linspace(0, 40, 21)
        counts = np.histogram(np.clip(values, 0, 40), edges)[0]
        chart = charts.minutes(
            {"pilot": Histogram(edges, counts / counts.sum())}, {"pilot": 12.0}, {"pilot": "With"}, width=300
        )
        lengths.append(len(str(chart.to_dict())))
    assert abs(lengths[0] - lengths[1]) < 0.2 * lengths[0]


def test_a_bar_is_cut_where_the_hurdle_is() -> None:
    rows = charts._split(Histogram(np.array([-10.0, 10.0]), np.array([1.0])), 4.0, "EUR")
    assert [(r["from"], r["to"], r["side"]) for r in rows] == [(-10.0, 4.0, False), (4.0, 10.0, True)]


def test_payback_beyond_the_plan_has_no_mark() -> None:
    band = make_pictures().cumulative
    assert band is not None
    marked = charts.svg(money_charts.cumulative_cash(band, payback=17, currency="EUR", width=300), "a")
    never = charts.svg(money_charts.cumulative_cash(band, payback=None, currency="EUR", width=300), "a")
    assert "month 17" in marked
    assert "month 17" not in never
    money = {**make_record()["money"], "payback_months": {"p50": None, "never": 0.7}}
    figure = figures.cash_figure(make_record(money=money), make_pictures())
    assert figure is not None
    assert "not within the 36 months" in figure.answer


def test_a_scope_is_drawn_under_its_own_name() -> None:
    pictures = make_pictures()
    worth = Pictures(
        minutes=None,
        worth={"scale_segments": pictures.worth["scale"]},
        cumulative=None,
        fiscal_years=(),
        drivers=(),
    )
    figure = figures.worth_figure(make_scale(), worth)
    assert figure is not None
    assert "Scale in e-mail only" in figure.answer


def test_user_texts_in_a_chart_stay_texts() -> None:
    record = make_record()
    record["options"]["scale"]["label"] = "<script>alert(1)</script>&\"'"
    figure = figures.options_figure(record, make_pictures())
    assert figure is not None
    for drawing in figure.drawings():
        ElementTree.fromstring(drawing)
        assert "<script" not in drawing


@pytest.mark.slow
def test_only_charts_imports_altair() -> None:
    """`roi decide` prints a record without paying for a drawing library."""
    for path in Path(charts.__file__).parent.parent.rglob("*.py"):
        if path.name in ("charts.py", "painting.py") or path.name.endswith("_charts.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] in ("altair", "vl_convert") for name in names), path


def test_axes_of_billions_are_labelled_as_amounts_of_billions():
    """10,000 million is no label: an axis rounds and shortens as `words.axis_amount` does."""
    band = make_pictures().cumulative
    assert band is not None
    band = replace(
        band, **{f.name: 1e5 * np.asarray(getattr(band, f.name)) for f in fields(band) if f.name[0] == "p"}
    )
    drawn = charts.svg(money_charts.cumulative_cash(band, payback=None, currency="EUR", width=600), "a")
    labels = re.findall(r">([^<>]*\dbn)<", drawn)
    assert words.axis_amount(1e10) in labels
    assert "e+" not in re.sub(r'd="[^"]*"', "", drawn)
