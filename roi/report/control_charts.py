"""Charts of the controls: numbers in, chart out, in the look of `roi/report/charts.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import roi.light_imports  # noqa: F401

# isort: split

import altair as alt

from roi import words
from roi.report.charts import AGENT, BAND, GRID, INK, WIDEST, amount_axis, finish, inline

__all__ = ["frontier", "with_room"]

HEIGHT = 250
WIDE, LINE = 6.6, 17.0  # pixels that a letter and a line of a name take


def frontier(points: Sequence[Mapping[str, Any]], *, currency: str, width: int) -> Any:
    """What errors cost against hours of approving, with what is done today and what is advised.

    Args:
        points: Of each `kind` ("curve", "chosen" or "today"), `hours`, `loss`, `low`, `high` and `text`.
        currency: For the axis.
        width: Of the plot, in pixels.
    """
    marks = [dict(p) | {"tip": _told(p, currency)} for p in points]
    curve = [p for p in marks if p["kind"] == "curve"]
    most = max(p["hours"] for p in points) or 1.0
    x = alt.X(
        "hours:Q",
        title="hours of approving a month",
        axis=alt.Axis(grid=False, tickCount=5),
        scale=alt.Scale(domain=[-0.03 * most, most * (1.12 if width > 500 else 1.2)], nice=False),
    )
    y = alt.Y(
        "loss:Q",
        axis=amount_axis(
            f"errors cost a month, {currency}", grid=True, gridColor=GRID, minExtent=WIDEST, labelSeparation=0
        ),
        scale=alt.Scale(domainMin=0),
    )
    base = alt.Chart(inline(curve))
    spans = base.mark_rule(strokeWidth=5, color=BAND, opacity=0.7).encode(x, alt.Y("low:Q"), alt.Y2("high:Q"))
    line = base.mark_line(color=AGENT, strokeWidth=2.5).encode(x, y)
    dots = base.mark_point(filled=True, size=55, color=AGENT, opacity=1).encode(
        x, y, alt.Description("tip:N")
    )
    layers = [spans, line, dots]
    for kind, shape, size, filled in (("chosen", "circle", 150, True), ("today", "diamond", 130, False)):
        own = [p for p in marks if p["kind"] == kind]
        if own:
            mark = alt.Chart(inline(own)).mark_point(
                shape=shape, size=size, filled=filled, color=INK, strokeWidth=2, opacity=1
            )
            layers.append(mark.encode(x, y, alt.Description("tip:N")))
    named = with_room(points, most=most, width=width)
    left = alt.Chart(inline([p for p in named if p["hours"] <= most / 2]))
    right = alt.Chart(inline([p for p in named if p["hours"] > most / 2]))
    for names in (
        left.mark_text(align="left", dx=9, dy=-10, color=INK),
        right.mark_text(align="right", dx=-2, dy=18, color=INK),
    ):
        layers.append(names.encode(x, y, text="text:N"))
    return finish(alt.layer(*layers).properties(width=width, height=HEIGHT))


def _told(point: Mapping[str, Any], currency: str) -> str:
    """What a mark says under the pointer and the keys."""
    what = {"curve": "", "chosen": "Advised: ", "today": "Today: "}[point["kind"]]
    return (
        f"{what}{words.shorten(point['text'], 60)}: {words.number(point['hours'])} hours a month, errors cost "
        f"{words.amount(point['loss'], currency)}; 9 in 10 outcomes "
        f"{words.amount_range(point['low'], point['high'], currency)}"
    )


def with_room(points: Sequence[Mapping[str, Any]], *, most: float, width: int) -> list[dict[str, Any]]:
    """The points that are named: both ends and the advised one first, then those whose name meets no other.

    Args:
        points: As of `frontier`.
        most: Hours of the point furthest to the right.
        width: Of the plot, in pixels.
    """
    curve = [p for p in points if p["kind"] == "curve"]
    first = [curve[0], curve[-1], *(p for p in points if p["kind"] == "chosen")]
    high = max(p["high"] for p in points) or 1.0
    taken: list[tuple[float, float, float, float]] = []
    named = []
    for point in (*first, *curve):
        left = point["hours"] <= most / 2
        long = WIDE * len(str(point["text"]))
        at = point["hours"] / most * width * 0.85
        x = at + 9 if left else at - 2 - long
        y = HEIGHT * (1 - point["loss"] / high) + (-10 if left else 18)
        box = (x, x + long, y - LINE / 2, y + LINE / 2)
        inside = x >= -4 and x + long <= width
        if inside and not any(
            box[0] < b[1] and b[0] < box[1] and box[2] < b[3] and b[2] < box[3] for b in taken
        ):
            taken.append(box)
            named.append(dict(point))
    return named
