"""Charts of the audit: numbers in, chart out, in the look of `roi/report/charts.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import roi.light_imports  # noqa: F401

# isort: split

import altair as alt

from roi import words
from roi.cause_pictures import PARTS, CauseBar, CleanBar
from roi.report.charts import AGENT, BEFORE, GAIN, GRID, INK, MUTED, amount_axis, finish, inline, outcomes_tip

__all__ = ["causes_in_money", "clean_world"]

COLORS = dict(zip(PARTS, (BEFORE, AGENT, MUTED), strict=True))


def _rows() -> Any:
    return alt.Y("y:O", axis=None, scale=alt.Scale(paddingInner=0.1))


def causes_in_money(bars: Sequence[CauseBar], *, currency: str, width: int) -> Any:
    """What each cause costs a year by part, with the range of 8 in 10 outcomes.

    Args:
        bars: Causes, at least one, in the order in which they stand.
        currency: For the axis.
        width: Of the plot, in pixels.
    """
    high = max(max(b.p90, b.mean) for b in bars) or 1.0
    scale = alt.Scale(domain=[0.0, high * (1.12 if width > 500 else 1.24)], nice=False)
    pieces, spans = [], []
    for y, b in enumerate(bars):
        start = 0.0
        for part in PARTS:
            size = max(b.parts.get(part, 0.0), 0.0)
            if size > 0:
                tip = f"{words.capital(b.cause)}, {PARTS[part]}: {words.amount(size, currency)} a year"
                pieces.append({"y": y, "from": start, "to": start + size, "part": part, "tip": tip})
                start += size
        label = f"{words.capital(b.cause)} · {words.percent(b.share)} of losses"
        text = words.axis_amount(b.mean)
        spans.append(
            {"y": y, "p10": b.p10, "p90": b.p90, "end": max(b.p90, start), "label": label, "text": text}
            | {"tip": outcomes_tip(label, b.mean, b.p10, b.p90, currency) + " a year"}
        )
    # The words of the colours stand above the picture, where they wrap in a narrow window.
    color = alt.Color(
        "part:N", scale=alt.Scale(domain=list(COLORS), range=list(COLORS.values())), legend=None
    )
    axis = amount_axis(f"a year at full use, {currency}", grid=True)
    bar = alt.Chart(inline(pieces)).mark_bar(size=15, yOffset=9, opacity=0.85)
    placed = alt.X("from:Q", scale=scale, axis=axis)
    layers = [bar.encode(placed, alt.Description("tip:N"), x2="to:Q", y=_rows(), color=color)]
    base = alt.Chart(inline(spans))
    layers.append(
        base.mark_rule(strokeWidth=2, color=INK, yOffset=9).encode(
            alt.X("p10:Q", scale=scale), alt.X2("p90:Q"), alt.Description("tip:N"), y=_rows()
        )
    )
    layers.append(
        base.mark_text(align="left", dx=6, yOffset=9, fontWeight="bold").encode(
            alt.X("end:Q", scale=scale), y=_rows(), text="text:N"
        )
    )
    layers.append(
        base.mark_text(align="left", fontSize=13, x=0, yOffset=-11).encode(y=_rows(), text="label:N")
    )
    return finish(alt.layer(*layers).properties(width=width, height=56 * len(bars)))


def clean_world(bars: Sequence[CleanBar], *, width: int) -> Any:
    """Losses of all cases and of those that show no evidence of a cause, with 90 % intervals.

    Args:
        bars: Kinds of evidence, at least one.
        width: Of the plot, in pixels.
    """
    high = max(max(b.whole_high, b.clean_high) for b in bars) or 1.0
    scale = alt.Scale(domain=[0.0, high * 1.12], nice=False)
    points, names = [], []
    for y, b in enumerate(bars):
        d = asdict(b)
        for kind, name in (("whole", "all cases"), ("clean", f"without evidence of {b.cause}")):
            which = "all cases" if kind == "whole" else "clean cases"
            points.append(
                {
                    "y": 2 * y + (kind == "clean"),
                    "at": d[kind],
                    "low": d[f"{kind}_low"],
                    "high": d[f"{kind}_high"],
                    "of": which,
                    "tip": f"{words.capital(name)}: {words.percent(d[kind])} are lost; 9 in 10 chances "
                    f"{words.percent(d[f'{kind}_low'])} to {words.percent(d[f'{kind}_high'])}",
                }
            )
            names.append(
                {"y": 2 * y + (kind == "clean"), "text": f"{name}: {words.percent(d[kind])} are lost"}
            )
    color = alt.Color(
        "of:N", scale=alt.Scale(domain=["all cases", "clean cases"], range=[BEFORE, GAIN]), legend=None
    )
    axis = alt.Axis(title="share of cases that are lost", format="%", grid=True, gridColor=GRID)
    base = alt.Chart(inline(points))
    rule = base.mark_rule(strokeWidth=3, yOffset=9).encode(
        alt.X("low:Q", scale=scale, axis=axis), alt.X2("high:Q"), y=_rows(), color=color
    )
    dot = base.mark_point(filled=True, size=70, yOffset=9).encode(
        alt.X("at:Q", scale=scale), alt.Description("tip:N"), y=_rows(), color=color
    )
    text = (
        alt.Chart(inline(names))
        .mark_text(align="left", fontSize=13, x=0, yOffset=-11)
        .encode(y=_rows(), text="text:N")
    )
    return finish(alt.layer(rule, dot, text).properties(width=width, height=52 * 2 * len(bars)))
