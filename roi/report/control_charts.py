"""Charts of the controls: numbers in, chart out, in the look of `roi/report/charts.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import roi.light_imports  # noqa: F401

# isort: split

import altair as alt

from roi.report.charts import AGENT, BAND, GRID, INK, amount_axis, finish, inline

__all__ = ["frontier"]


def frontier(points: Sequence[Mapping[str, Any]], *, currency: str, width: int) -> Any:
    """What errors cost against hours of approving, with what is done today and what is advised.

    Args:
        points: Of each `kind` ("curve", "chosen" or "today"), `hours`, `loss`, `low`, `high` and `text`.
        currency: For the axis.
        width: Of the plot, in pixels.
    """
    curve = [dict(p) for p in points if p["kind"] == "curve"]
    most = max(p["hours"] for p in points) or 1.0
    x = alt.X(
        "hours:Q",
        title="hours of approving a month",
        axis=alt.Axis(grid=False, tickCount=5),
        scale=alt.Scale(domain=[-0.03 * most, most * (1.12 if width > 500 else 1.2)], nice=False),
    )
    y = alt.Y(
        "loss:Q",
        axis=amount_axis(f"errors cost a month, {currency}", grid=True, gridColor=GRID),
        scale=alt.Scale(domainMin=0),
    )
    base = alt.Chart(inline(curve))
    spans = base.mark_rule(strokeWidth=5, color=BAND, opacity=0.7).encode(x, alt.Y("low:Q"), alt.Y2("high:Q"))
    line = base.mark_line(color=AGENT, strokeWidth=2.5).encode(x, y)
    dots = base.mark_point(filled=True, size=55, color=AGENT, opacity=1).encode(x, y)
    layers = [spans, line, dots]
    for kind, shape, size, filled in (("chosen", "circle", 150, True), ("today", "diamond", 130, False)):
        own = [dict(p) for p in points if p["kind"] == kind]
        if own:
            mark = alt.Chart(inline(own)).mark_point(
                shape=shape, size=size, filled=filled, color=INK, strokeWidth=2, opacity=1
            )
            layers.append(mark.encode(x, y))
    if width > 500:
        half = most / 2
        left = alt.Chart(inline([p for p in curve if p["hours"] <= half]))
        right = alt.Chart(inline([p for p in curve if p["hours"] > half]))
        for names in (
            left.mark_text(align="left", dx=9, dy=-10, color=INK),
            right.mark_text(align="right", dx=-2, dy=18, color=INK),
        ):
            layers.append(names.encode(x, y, text="text:N"))
    return finish(alt.layer(*layers).properties(width=width, height=250))
