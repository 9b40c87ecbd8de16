"""Charts of the operation: control charts as small multiples, mixes, months against their forecast; numbers in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import roi.light_imports  # noqa: F401

# isort: split

import altair as alt

from roi import words
from roi.report.charts import (
    AGENT,
    AMOUNT_LABELS,
    BAND,
    FONT,
    GAIN,
    GRID,
    INK,
    LOSS,
    MUTED,
    amount_axis,
    amounts_up,
    finish,
    inline,
    outcomes_tip,
    ticks,
)

__all__ = ["control_panels", "differences", "mixes", "realised"]

_AXIS = 44  # pixels that the labels of values take, the same in all panels so that days lie below each other
_HEIGHT = 104
_BETWEEN = 30
Rows = list[dict[str, Any]]


class _Drawn:
    """A chart that is its specification: two dozen panels of altair's objects take five seconds to make, and this none.

    Tests hold it against altair's schema.
    """

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec

    def configure(self, **config: Any) -> _Drawn:
        return _Drawn({**self.spec, "config": config})

    def to_dict(self, *, validate: bool = True) -> dict[str, Any]:
        """The specification, as altair's charts give theirs."""
        return self.spec


def control_panels(panels: Sequence[Mapping[str, Any]], *, width: int) -> Any:
    """Control charts, two beside each other where there is room.

    Args:
        panels: Of each `title`, `note`, `axis` (a format of d3, or None for amounts), `points` (of each the days `from`
            and `to`, `value`, `low`, `high`, `centre`, None where not known, `regime` and `marked`), `limit` (None
            without one), `top` of the axis and `changes` (of each `date` and `text`). All cover the same days.
        width: Of the picture, in pixels.
    """
    columns = 2 if width > 500 else 1
    plot = (width - _BETWEEN * (columns - 1)) // columns - _AXIS - 12
    drawn = [_panel(panel, plot) for panel in panels]
    spec = {"concat": drawn, "columns": columns, "spacing": {"row": 16, "column": _BETWEEN}}
    return finish(_Drawn(spec))


def _panel(panel: Mapping[str, Any], width: int) -> dict[str, Any]:
    points = [dict(p) for p in panel["points"]]
    days = [p["from"] for p in points] + [p["to"] for p in points]
    scale = {"type": "utc", "domain": [min(days), max(days)], "nice": False}
    bottom = {"title": None, "format": "%-d %b", "grid": False, "tickCount": 4 if width > 220 else 3}
    across = {"field": "from", "type": "temporal", "scale": scale, "axis": bottom}
    left: dict[str, Any] = {"title": None, "tickCount": 4, "minExtent": _AXIS, "maxExtent": _AXIS}
    left |= {"gridColor": GRID, "domain": False, "ticks": False}
    left["labelExpr"] = f"format(datum.value, '{panel['axis']}')" if panel["axis"] else AMOUNT_LABELS
    down = {"type": "quantitative", "scale": {"domain": [0, panel["top"]], "nice": False}, "axis": left}

    def layer(rows: Rows, mark: dict[str, Any], **encoding: Any) -> dict[str, Any]:
        return {"data": {"values": rows}, "mark": mark, "encoding": encoding}

    few = len(points) <= 60
    dots = {"filled": True, "size": 16, "color": AGENT, "opacity": 1} if few else False
    line = {"type": "line", "color": AGENT, "strokeWidth": 1.5, "point": dots}
    known = [
        {"from": p["from"], "value": p["value"], "marked": p["marked"], "inside": p.get("inside", False)}
        for p in points
        if p["value"] is not None
    ]
    own = {"field": "regime", "type": "nominal"}
    steps = _steps([p for p in points if p["low"] is not None and p["high"] is not None])
    layers: list[dict[str, Any]] = []
    if steps:
        span = {"y": {"field": "low", **down}, "y2": {"field": "high"}}
        layers.append(
            layer(steps, {"type": "area", "color": BAND, "opacity": 0.45}, x=across, **span, detail=own)
        )
        thin = {"type": "line", "color": MUTED, "strokeWidth": 1}
        layers.append(layer(steps, thin, x=across, y={"field": "centre", **down}, detail=own))
    if panel["limit"] is not None and panel["limit"] <= panel["top"]:
        dashed = {"type": "rule", "color": INK, "strokeWidth": 1.5, "strokeDash": [5, 3]}
        layers.append(layer([{"limit": panel["limit"]}], dashed, y={"field": "limit", **down}))
    if panel["changes"]:
        at = {"field": "date", "type": "temporal", "scale": scale}
        dotted = {"type": "rule", "color": MUTED, "strokeWidth": 1.5, "strokeDash": [2, 2]}
        named = {"type": "text", "align": "left", "dx": 4, "baseline": "top", "fontSize": 11, "color": MUTED}
        changes = [dict(c) for c in panel["changes"]]
        layers.append(layer(changes, dotted, x=at))
        text = {"field": "text", "type": "nominal"}
        layers.append(layer(changes, named, x=at, y={"value": 0}, text=text))
    layers.append(layer(known, line, x=across, y={"field": "value", **down}))
    # A line has one mark for all its points: each gets one that is not seen until it is pointed at.
    seen = {"type": "rule", "color": INK, "opacity": 0, "strokeWidth": max(width / len(points), 2)}
    told = {"field": "tip", "type": "nominal"}
    layers.append(
        layer([{"from": p["from"], "tip": p["tip"]} for p in points], seen, x=across, description=told)
    )
    for inside in (True, False):
        marked = [row for row in known if row["marked"] and row["inside"] is inside]
        if marked:
            diamond: dict[str, Any] = {
                "type": "point",
                "shape": "diamond",
                "size": 75 if few else 40,
                "opacity": 1,
            }
            # Hollow inside the band: each alone is chance, and only so many in a row are not.
            diamond |= {
                "filled": True,
                "stroke": INK,
                "strokeWidth": 1.6,
                "fill": "transparent" if inside else INK,
            }
            layers.append(layer(marked, diamond, x=across, y={"field": "value", **down}))
    title = {
        "text": panel["title"],
        "subtitle": panel["note"],
        "anchor": "start",
        "frame": "bounds",
        "fontSize": 13,
    }
    title |= {
        "color": INK,
        "subtitleColor": MUTED,
        "subtitleFontSize": 11,
        "font": FONT,
        "subtitleFont": FONT,
    }
    title |= {"offset": 6, "subtitlePadding": 2}
    return {"title": title, "layer": layers, "width": width, "height": _HEIGHT}


def _steps(points: Sequence[Mapping[str, Any]]) -> Rows:
    """Limits hold for the whole of a point's days: each has two ends."""
    kept = ("low", "high", "centre", "regime")
    return [{"from": p[end], **{key: p[key] for key in kept}} for p in points for end in ("from", "to")]


def mixes(rows: Sequence[Mapping[str, Any]], *, width: int) -> Any:
    """Shares of the kinds of cases: where the decision had them, and where they are.

    Args:
        rows: Of each `label`, `was` and `now`, in [0, 1].
        width: Of the plot, in pixels.
    """
    kept = [dict(row) | {"y": place} for place, row in enumerate(rows)]
    for row in kept:
        row["tip_was"] = f"{row['label']}: {words.percent(row['was'])} in the decision"
        row["tip_now"] = f"{row['label']}: {words.percent(row['now'])} now"
    most = max([row[key] for row in kept for key in ("was", "now")] or [1.0])
    y = alt.Y("y:O", axis=None, scale=alt.Scale(paddingInner=0.1))
    x = alt.Scale(domain=[0, most * 1.15], nice=False)
    axis = alt.Axis(title="of the cases", format=".0%", grid=True)
    base = alt.Chart(inline(kept))
    span = base.mark_rule(strokeWidth=4, color=BAND, yOffset=8).encode(
        alt.X("was:Q", scale=x, axis=axis), alt.X2("now:Q"), y=y
    )
    was = base.mark_point(shape="diamond", size=90, strokeWidth=2, opacity=1, filled=False, yOffset=8).encode(
        alt.X("was:Q", scale=x, axis=axis), y, alt.Description("tip_was:N"), stroke=alt.value(INK)
    )
    now = base.mark_point(filled=True, size=110, color=AGENT, opacity=1, yOffset=8).encode(
        alt.X("now:Q", scale=x, axis=axis), y, alt.Description("tip_now:N")
    )
    names = base.mark_text(align="left", fontSize=13, x=0, yOffset=-11, color=INK).encode(y=y, text="label:N")
    return finish(alt.layer(span, now, was, names).properties(width=width, height=alt.Step(44)))


def _months(rows: Sequence[Mapping[str, Any]], *, title: str, currency: str, width: int) -> Any:
    """Months beside the band of their forecast.

    Args:
        rows: Of each `number` of the plan, `low`, `mid` and `high` of the forecast, and `actual`, which may be None.
        title: Of the panel.
        currency: Of the axis.
        width: Of the plot, in pixels.
    """
    kept = [dict(row) for row in rows]
    for row in kept:
        brought = "" if row["actual"] is None else f"{words.amount(row['actual'], currency)}; "
        forecast = outcomes_tip("forecast", row["mid"], row["low"], row["high"], currency)
        row["tip"] = f"{title}, month {row['number']}: {brought}{forecast}"
    x = alt.X(
        "number:Q",
        scale=alt.Scale(domain=[kept[0]["number"] - 0.5, kept[-1]["number"] + 0.5], nice=False),
        axis=alt.Axis(title="month of the plan", grid=False, tickMinStep=1, format="d"),
    )
    axis = amounts_up(None, grid=True, gridColor=GRID)
    base = alt.Chart(inline(kept))
    band = base.mark_area(color=BAND, opacity=0.55).encode(x, alt.Y("low:Q", axis=axis), alt.Y2("high:Q"))
    middle = base.mark_line(color=AGENT, strokeWidth=2).encode(x, alt.Y("mid:Q", axis=axis))
    came = alt.Chart(inline([row for row in kept if row["actual"] is not None]))
    line = came.mark_line(color=INK, strokeWidth=1.5, strokeDash=[4, 3]).encode(
        x, alt.Y("actual:Q", axis=axis)
    )
    dots = came.mark_point(filled=True, size=70, color=INK, opacity=1).encode(x, alt.Y("actual:Q", axis=axis))
    zero = (
        alt.Chart(inline([{"zero": 0}]))
        .mark_rule(color=INK, strokeWidth=1)
        .encode(alt.Y("zero:Q", axis=axis))
    )
    label = alt.Chart(inline([{"text": f"{title}, {currency}"}])).mark_text(
        align="left", baseline="bottom", fontWeight="bold", fontSize=13, color=INK, x=0, y=-6
    )
    seen = base.mark_rule(strokeWidth=width / len(kept), color=INK, opacity=0)
    hover = seen.encode(x, alt.Description("tip:N"))
    layers = alt.layer(band, zero, middle, line, dots, hover, label.encode(text="text:N"))
    return layers.properties(width=width, height=170)


def realised(panels: Sequence[tuple[str, Sequence[Mapping[str, Any]]]], *, currency: str, width: int) -> Any:
    """Months, and their sum so far, each beside its forecast.

    Args:
        panels: Title and rows of each, as `_months` takes them.
        currency: Of the axes.
        width: Of the picture, in pixels.
    """
    drawn = [
        _months(
            rows, title=title, currency=currency, width=(width - 70) // 2 - 30 if width > 500 else width - 30
        )
        for title, rows in panels
    ]
    side_by_side = alt.hconcat if width > 500 else alt.vconcat
    return finish(side_by_side(*drawn, spacing=30))


def differences(rows: Sequence[Mapping[str, Any]], *, currency: str, width: int) -> Any:
    """What months differ by from their forecast: a bar a factor, the whole last.

    Args:
        rows: Of each `label`, `amount` and whether it is the `whole`.
        currency: For the axis.
        width: Of the plot, in pixels.
    """
    kept = [
        dict(row)
        | {
            "y": place,
            "zero": 0.0,
            "text": words.axis_amount(row["amount"]),
            "tip": f"{words.shorten(row['label'], 60)}: {words.signed_amount(row['amount'], currency)}",
            "of": "whole" if row["whole"] else "more" if row["amount"] >= 0 else "less",
        }
        for place, row in enumerate(rows)
    ]
    ends = [row["amount"] for row in kept] + [0.0]
    room = (max(ends) - min(ends) or 1.0) * (0.1 if width > 500 else 0.22)
    x = alt.Scale(domain=[min(ends) - room, max(ends) + room], nice=False)
    axis = amount_axis(f"against the forecast, {currency}", grid=True)
    y = alt.Y("y:O", axis=None, scale=alt.Scale(paddingInner=0.1))
    bars = []
    for of, color in (("more", GAIN), ("less", LOSS), ("whole", INK)):
        own = [row for row in kept if row["of"] == of]
        if own:
            chart = alt.Chart(inline(own)).mark_bar(size=15, yOffset=9, color=color)
            placed = alt.X("zero:Q", scale=x, axis=axis)
            bars.append(chart.encode(placed, alt.X2("amount:Q"), alt.Description("tip:N"), y=y))
    texts = [
        alt.Chart(inline([row for row in kept if (row["amount"] >= 0) == right]))
        .mark_text(align="left" if right else "right", dx=5 if right else -5, yOffset=9, color=INK)
        .encode(alt.X("amount:Q", scale=x, axis=axis), y, text="text:N")
        for right in (True, False)
    ]
    names = alt.Chart(inline(kept)).mark_text(align="left", fontSize=13, x=0, yOffset=-11, color=INK)
    layers = alt.layer(*bars, ticks(len(kept), 0.0, 9), *texts, names.encode(y=y, text="label:N"))
    return finish(layers.properties(width=width, height=alt.Step(46)))
