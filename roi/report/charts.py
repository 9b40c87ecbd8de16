"""Charts: numbers in, chart out. Nothing here sees a row, a record or a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import pairwise
from typing import Any

import roi.light_imports  # noqa: F401

# isort: split

import altair as alt
import numpy as np
import numpy.typing as npt
from altair.utils.schemapi import debug_mode

from roi import words
from roi.pictures import Driver, Histogram
from roi.report.painting import svg

__all__ = [
    "amount_axis",
    "amounts_up",
    "drivers",
    "finish",
    "inline",
    "minutes",
    "options",
    "outcomes_tip",
    "svg",
    "ticks",
    "unchecked",
    "warm_up",
    "worth",
]

# The style sheet of the page repeats these as selectors, to give each its dark twin.
INK, MUTED, GRID = "#1f2328", "#5b6470", "#dcd8ce"
BEFORE, AGENT, GAIN, LOSS, BAND = "#c77700", "#0072b2", "#00846b", "#c04a00", "#a9cce3"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
AMOUNT_LABELS = (
    "(datum.value < 0 ? '\u2212' : '') + (abs(datum.value) >= 1e9"
    " ? format(abs(datum.value) / 1e9, '.3~g') + 'bn' : abs(datum.value) >= 1e6"
    " ? format(abs(datum.value) / 1e6, '.3~g') + 'M' : abs(datum.value) >= 1e3"
    " ? format(abs(datum.value) / 1e3, '.3~g') + 'k' : format(abs(datum.value), '.3~g'))"
)
LONGER, WIDEST = 34, 64  # pixels: by which a label grows in the longest of its forms; which that takes in all

Rows = list[dict[str, Any]]
Floats = npt.NDArray[np.float64]


def unchecked() -> AbstractContextManager[None]:
    """Build charts without holding each of their parts against the schema, which takes a third of the time.

    They are all made here, and tests hold them against it.
    """
    return debug_mode(False)


def warm_up() -> None:
    """Have a chart of a table checked, for processes that are forked from this one; altair reads its schema then."""
    import pandas as pd

    table = pd.DataFrame({"a": [1.0], "b": ["x"]})
    table._repr_html_()  # type: ignore[operator]
    alt.Chart(table).mark_bar().encode(alt.X("a:Q"), alt.Y("b:N")).to_dict()


def finish(chart: Any) -> Any:
    """The chart in the look that all of them have."""
    axis = {
        "labelColor": MUTED, "titleColor": MUTED, "tickColor": GRID, "domainColor": GRID, "gridColor": GRID,
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "titleFont": FONT,
        "labelFont": FONT,
        "tickCount": 5, "labelOverlap": True, "titlePadding": 8,
    }  # fmt: skip
    # Labels at either end of an axis are written longer where thousands are not shortened ("250.000" for "250k").
    room = {"left": 14, "right": 16, "top": 4, "bottom": 4}
    return chart.configure(
        aria=False, background="transparent", font=FONT, axis=axis, padding=room,
        view={"stroke": None}, text={"font": FONT, "fontSize": 12, "color": INK},
    )  # fmt: skip


def inline(rows: Rows) -> alt.InlineData:
    """Rows as the data of a chart."""
    return alt.InlineData(values=rows)


def _rule(at: float, domain: Sequence[float], color: str = INK, **more: Any) -> Any:
    scale = alt.Scale(domain=list(domain), nice=False)
    return alt.Chart(inline([{"at": at}])).mark_rule(color=color, **more).encode(alt.X("at:Q", scale=scale))


def ticks(rows: int, at: float, offset: int) -> Any:
    """A short line in each row, instead of one line through all of them that would strike the labels out."""
    marks = [{"y": place, "at": at} for place in range(rows)]
    mark = alt.Chart(inline(marks)).mark_tick(
        orient="vertical", color=INK, size=26, thickness=1.5, yOffset=offset
    )
    return mark.encode(alt.X("at:Q"), alt.Y("y:O", axis=None, scale=alt.Scale(paddingInner=0.1)))


def outcomes_tip(label: object, mean: float, low: float, high: float, currency: str) -> str:
    """What a mark says of an amount with its range, under the pointer and the keys."""
    text = f"{words.shorten(label, 60)}: {words.amount(mean, currency)}"
    return (
        text if low == high else f"{text}; 8 in 10 outcomes {words.amount_range(low, high, currency, mean)}"
    )


def amount_axis(title: str | None, **more: Any) -> alt.Axis:
    """An axis of money, in short amounts, as far from each other as their longest form takes."""
    return alt.Axis(title=title, labelExpr=AMOUNT_LABELS, **({"labelSeparation": LONGER} | more))


def amounts_up(title: str | None, **more: Any) -> alt.Axis:
    """The same upwards, at the left of a picture: as wide as the longest form of its labels ("−1,25 Mio.")."""
    return amount_axis(title, domain=False, ticks=False, minExtent=WIDEST, labelSeparation=0, **more)


def minutes(
    histograms: Mapping[str, Histogram],
    means: Mapping[str, float | None],
    labels: Mapping[str, str],
    *,
    width: int,
) -> Any:
    """Human minutes per case, one panel an arm over common edges, with the mean as a line.

    Args:
        histograms: By arm, in the order in which the panels stand.
        means: Mean minutes by arm; None draws no line.
        labels: What to call each arm.
        width: Of the panel, in pixels.
    """
    title = "minutes per case (the last bar: this and more)"
    top = max(float(h.share.max()) for h in histograms.values()) * 1.2
    first = next(iter(histograms.values()))
    domain = [float(first.edges[0]), float(first.edges[-1])]
    panels = []
    for place, (arm, histogram) in enumerate(histograms.items()):
        last = place == len(histograms) - 1
        color = BEFORE if arm == "baseline" else AGENT
        rows = [
            {
                "from": float(a),
                "to": float(b),
                "share": float(s),
                "tip": f"{words.edges(a, b, 2)} minutes: {words.percent(s)} of cases",
            }
            for a, b, s in zip(histogram.edges[:-1], histogram.edges[1:], histogram.share, strict=True)
        ]
        x = alt.X(
            "from:Q",
            scale=alt.Scale(domain=domain, nice=False),
            axis=alt.Axis(title=title if last else None, labels=last, grid=False),
        )
        y = alt.Y(
            "share:Q",
            scale=alt.Scale(domain=[0, top], nice=False),
            axis=alt.Axis(title=None, format=".0%", tickCount=3, domain=False, ticks=False),
        )
        bars = (
            alt.Chart(inline(rows))
            .mark_bar(color=color, binSpacing=1)
            .encode(x, alt.Description("tip:N"), x2="to:Q", y=y, y2=alt.Y2Datum(0))
        )
        label = alt.Chart(inline([{"text": labels[arm]}])).mark_text(
            align="left", baseline="bottom", fontWeight="bold", fontSize=13, color=INK, x=0, y=-5
        )
        layers: list[alt.Chart] = [bars, label.encode(text="text:N")]
        mean = means.get(arm)
        if mean is not None and domain[0] <= mean <= domain[1]:
            layers.append(_rule(mean, domain, strokeWidth=2, strokeDash=[5, 3]))
            marks: Rows = [{"at": mean, "text": f"mean {words.number(mean)}"}]
            on_left = mean > domain[0] + 0.7 * (domain[1] - domain[0])
            text = alt.Chart(inline(marks)).mark_text(
                align="right" if on_left else "left", dx=-6 if on_left else 6, baseline="top", y=0
            )
            layers.append(text.encode(alt.X("at:Q"), text="text:N"))
        panels.append(alt.layer(*layers).properties(width=width, height=104))
    return finish(alt.vconcat(*panels, spacing=14).resolve_scale(x="shared"))


def _split(histogram: Histogram, at: float, currency: str) -> Rows:
    """Bars of a histogram, the one that holds `at` cut there so that colours change exactly there."""
    rows: Rows = []
    for a, b, share in zip(histogram.edges[:-1], histogram.edges[1:], histogram.share, strict=True):
        cuts = [float(a), *([at] if a < at < b else []), float(b)]
        for low, high in pairwise(cuts):
            tip = f"{words.amount_range(a, b, currency)}: {words.percent(share)} of outcomes"
            rows.append({"from": low, "to": high, "share": float(share), "side": high > at, "tip": tip})
    return rows


def worth(
    histograms: Mapping[str, Histogram],
    labels: Mapping[str, str],
    *,
    currency: str,
    hurdle: float = 0.0,
    width: int,
) -> Any:
    """Worth of each option against stopping now, what clears the hurdle in another colour.

    Args:
        histograms: By option.
        labels: What to call each option, with its chance.
        currency: For the axis.
        hurdle: What worth has to exceed.
        width: Of the panel, in pixels.
    """
    low = min(float(h.edges[0]) for h in histograms.values())
    high = max(float(h.edges[-1]) for h in histograms.values())
    domain = [min(low, 0.0, hurdle), max(high, 0.0, hurdle)]
    panels = []
    for place, (name, histogram) in enumerate(histograms.items()):
        last = place == len(histograms) - 1
        title = f"worth against stopping now, {currency}" if last else None
        x = alt.X(
            "from:Q",
            scale=alt.Scale(domain=domain, nice=False),
            axis=amount_axis(title, labels=last, grid=False),
        )
        y = alt.Y("share:Q", axis=None, scale=alt.Scale(domain=[0, float(histogram.share.max()) * 1.05]))
        bars = (
            alt.Chart(inline(_split(histogram, hurdle, currency)))
            .mark_bar(binSpacing=0.5)
            .encode(
                x,
                alt.Description("tip:N"),
                x2="to:Q",
                y=y,
                y2=alt.Y2Datum(0),
                color=alt.condition("datum.side", alt.value(GAIN), alt.value(LOSS)),
            )
        )
        label = alt.Chart(inline([{"text": labels[name]}])).mark_text(
            align="left", baseline="bottom", fontWeight="bold", fontSize=13, color=INK, x=0, y=-5
        )
        layers: list[alt.Chart] = [bars, label.encode(text="text:N"), _rule(0.0, domain, strokeWidth=1.5)]
        if hurdle != 0:
            layers.append(_rule(hurdle, domain, MUTED, strokeWidth=1.5, strokeDash=[4, 3]))
        panels.append(alt.layer(*layers).properties(width=width, height=92))
    return finish(alt.vconcat(*panels, spacing=14).resolve_scale(x="shared"))


def options(rows: Sequence[Mapping[str, Any]], *, currency: str, width: int) -> Any:
    """Every option on one axis: mean worth, the range of 8 in 10 outcomes, and the mean in cash alone.

    Args:
        rows: Of each option `label`, `mean`, `p10`, `p90`, `cash` (None where unknown) and `advised`.
        currency: For the axis.
        width: Of the plot, in pixels.
    """
    kept = [
        dict(row)
        | {
            "y": place,
            "tip": outcomes_tip(row["label"], row["mean"], row["p10"], row["p90"], currency),
            "cash_tip": f"{row['label']}: {words.amount(row['cash'], currency)} in cash alone",
        }
        for place, row in enumerate(rows)
    ]
    ends = [float(row[k]) for row in kept for k in ("p10", "p90", "mean", "cash") if row[k] is not None]
    y = alt.Y("y:O", axis=None, scale=alt.Scale(paddingInner=0.1))
    domain = [min([*ends, 0.0]), max([*ends, 0.0])]
    x = alt.X(
        "p10:Q",
        scale=alt.Scale(domain=domain, nice=True),
        axis=amount_axis(f"worth against stopping now, {currency}", grid=True),
    )
    base = alt.Chart(inline(kept))
    color = alt.condition("datum.advised", alt.value(AGENT), alt.value(MUTED))
    span = base.mark_rule(strokeWidth=7, opacity=0.4, yOffset=8).encode(x, alt.X2("p90:Q"), y=y, color=color)
    dot = base.mark_point(filled=True, size=130, opacity=1, yOffset=8).encode(
        alt.X("mean:Q"), y, alt.Description("tip:N"), color=color
    )
    cash = (
        alt.Chart(inline([row for row in kept if row["cash"] is not None]))
        .mark_point(shape="diamond", size=80, strokeWidth=2, opacity=1, filled=False, yOffset=8)
        .encode(alt.X("cash:Q"), y, alt.Description("cash_tip:N"), stroke=alt.value(INK))
    )
    texts = [
        alt.Chart(inline([row for row in kept if bool(row["advised"]) == bold]))
        .mark_text(align="left", fontSize=13, x=0, yOffset=-11, fontWeight="bold" if bold else "normal")
        .encode(y=y, text="label:N")
        for bold in (True, False)
    ]
    zero = ticks(len(kept), 0.0, 8)
    layers = alt.layer(zero, span, dot, cash, *texts)
    return finish(layers.properties(width=width, height=alt.Step(46)))


def drivers(found: Sequence[Driver], *, middle: float, currency: str, width: int) -> Any:
    """What moves the worth: a bar an input, from its low to its high end.

    Args:
        found: The strongest first.
        middle: Mean worth of the plan, in `currency`.
        currency: For the axis.
        width: Of the plot, in pixels.
    """
    rows: Rows = []
    names: Rows = []
    per_letter = width / 7.2
    for place, driver in enumerate(found):
        for what, end, value in (
            ("low", driver.low, driver.low_text),
            ("high", driver.high, driver.high_text),
        ):
            tip = f"{words.shorten(driver.label, 60)} at {value}: {words.amount(end, currency)}"
            rows.append({"y": place, "end": end, "what": what, "text": value, "tip": tip})
        names.append({"y": place, "text": words.shorten(driver.label, int(per_letter))})
    ends = [row["end"] for row in rows] + [middle, 0.0]
    span = max(ends) - min(ends)
    room = span * (0.10 if width > 500 else 0.24)
    y = alt.Y("y:O", axis=None, scale=alt.Scale(paddingInner=0.1))
    x = alt.X(
        "middle:Q",
        scale=alt.Scale(domain=[min(ends) - room, max(ends) + room], nice=False),
        axis=amount_axis(f"mean worth against stopping now, {currency}", grid=True),
    )
    base = alt.Chart(inline(rows)).transform_calculate(middle=str(middle))
    color = alt.condition("datum.what == 'low'", alt.value(BEFORE), alt.value(AGENT))
    bars = base.mark_bar(size=15, yOffset=9).encode(
        x, alt.X2("end:Q"), alt.Description("tip:N"), y=y, color=color
    )
    right = base.transform_filter("datum.end >= datum.middle").mark_text(
        align="left", dx=5, yOffset=9, color=INK
    )
    left = base.transform_filter("datum.end < datum.middle").mark_text(
        align="right", dx=-5, yOffset=9, color=INK
    )
    text = alt.Chart(inline(names)).mark_text(align="left", fontSize=13, x=0, yOffset=-11)
    mean = ticks(len(found), middle, 9)
    labels = [part.encode(alt.X("end:Q"), y, text="text:N") for part in (right, left)]
    layers = alt.layer(bars, mean, *labels, text.encode(y=y, text="text:N"))
    return finish(layers.properties(width=width, height=alt.Step(48)))
