"""Charts of money over time: numbers in, chart out, in the look of `roi/report/charts.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import roi.light_imports  # noqa: F401

# isort: split

import altair as alt

from roi import words
from roi.pictures import Band, FiscalYear
from roi.report.charts import AGENT, BAND, BEFORE, INK, Rows, amounts_up, finish, inline

__all__ = ["cumulative_cash", "fiscal_years"]


def cumulative_cash(band: Band, *, payback: float | None, currency: str, width: int) -> Any:
    """Cumulative cash with the range of 8 in 10 outcomes and the month the money is back.

    Args:
        band: Months and percentiles.
        payback: Median month of payback; None where it is not within the plan.
        currency: For the axis.
        width: Of the plot, in pixels.
    """
    columns = zip(band.month, band.p10, band.p50, band.p90, strict=True)
    rows = [{"m": int(m), "low": float(a), "mid": float(b), "high": float(c)} for m, a, b, c in columns]
    x = alt.X(
        "m:Q",
        scale=alt.Scale(domain=[0, int(band.month[-1])], nice=False),
        axis=alt.Axis(
            title="months after the start", grid=False, values=list(range(0, int(band.month[-1]) + 1, 6))
        ),
    )
    axis = amounts_up(currency, titleAngle=0, titleAlign="left", titleY=-10, titleX=-60)
    base = alt.Chart(inline(rows))
    area = base.mark_area(color=BAND, opacity=0.55).encode(x, alt.Y("low:Q", axis=axis), alt.Y2("high:Q"))
    line = base.mark_line(color=AGENT, strokeWidth=2.5).encode(x, alt.Y("mid:Q"))
    zero = alt.Chart(inline([{"zero": 0}])).mark_rule(color=INK, strokeWidth=1.5).encode(alt.Y("zero:Q"))
    # A line has one mark for all months: each month gets one that is not seen until it is pointed at.
    tips = [
        {
            "m": row["m"],
            "tip": f"Month {row['m']}: {words.amount(row['mid'], currency)}; "
            f"8 in 10 outcomes {words.amount_range(row['low'], row['high'], currency, row['mid'])}",
        }
        for row in rows
    ]
    each = width / max(len(rows) - 1, 1)
    hover = alt.Chart(inline(tips)).mark_rule(strokeWidth=each, color=INK, opacity=0)
    layers: list[alt.Chart] = [area, zero, line, hover.encode(x, alt.Description("tip:N"))]
    if payback is not None and 0 < payback <= band.month[-1]:
        mark = [{"m": float(payback), "y": 0.0, "text": f"month {payback:.0f}"}]
        point = alt.Chart(inline(mark)).mark_point(filled=True, size=110, color=INK, opacity=1)
        on_left = payback > band.month[-1] * 0.8
        text = alt.Chart(inline(mark)).mark_text(
            align="right" if on_left else "left",
            dx=-10 if on_left else 10,
            dy=14,
            fontWeight="bold",
            fontSize=13,
        )
        layers += [point.encode(x, alt.Y("y:Q")), text.encode(x, alt.Y("y:Q"), text="text:N")]
    return finish(alt.layer(*layers).properties(width=width, height=230))


def fiscal_years(years: Sequence[FiscalYear], *, currency: str, width: int) -> Any:
    """Benefit and cost of each calendar year, and what remains with its range.

    Args:
        years: In order.
        currency: For the axis.
        width: Of the plot, in pixels.
    """
    rows: Rows = []
    for year in years:
        for what, value in (("benefit", year.benefit), ("cost", -year.cost)):
            tip = f"{year.label}: {what} {words.amount(abs(value), currency)}"
            rows.append({"year": year.label, "y": value, "what": what, "tip": tip})
    nets = [
        {
            "year": y.label,
            "low": y.net_p10,
            "mid": y.net_mean,
            "high": y.net_p90,
            "text": words.axis_amount(y.net_mean),
            "tip": f"{y.label}: {words.amount(y.net_mean, currency)} remain; "
            f"8 in 10 outcomes {words.amount_range(y.net_p10, y.net_p90, currency, y.net_mean)}",
        }
        for y in years
    ]
    x = alt.X(
        "year:N",
        sort=None,
        scale=alt.Scale(paddingOuter=0.4),
        axis=alt.Axis(title=None, labelAngle=0, domain=False, ticks=False),
    )
    axis = amounts_up(currency, titleAngle=0, titleAlign="left", titleY=-10, titleX=-60)
    size = min(46, int(width / max(1, len(years)) * (0.4 if width > 500 else 0.18)))
    color = alt.condition("datum.what == 'benefit'", alt.value(AGENT), alt.value(BEFORE))
    bars = (
        alt.Chart(inline(rows))
        .mark_bar(size=size, opacity=0.85)
        .encode(x, alt.Y("y:Q", axis=axis), alt.Description("tip:N"), color=color)
    )
    base = alt.Chart(inline(nets))
    span = base.mark_rule(color=INK, strokeWidth=2).encode(x, alt.Y("low:Q"), alt.Y2("high:Q"))
    dot = base.mark_point(filled=True, size=90, color=INK, opacity=1)
    dot = dot.encode(x, alt.Y("mid:Q"), alt.Description("tip:N"))
    text = base.mark_text(align="left", dx=size / 2 + 4, fontWeight="bold").encode(
        x, alt.Y("mid:Q"), text="text:N"
    )
    zero = alt.Chart(inline([{"zero": 0}])).mark_rule(color=INK, strokeWidth=1.5).encode(alt.Y("zero:Q"))
    return finish(alt.layer(bars, zero, span, dot, text).properties(width=width, height=230))
