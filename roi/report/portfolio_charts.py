"""The map of all pilots: numbers in, chart out, in the look of `roi/report/charts.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from roi import words
from roi.report.charts import BAND, BEFORE, GAIN, INK, MUTED, amount_axis, finish, inline

__all__ = ["came_of_forecasts", "portfolio_map", "verdict_trend"]

HEIGHT = 340
LINE = 16  # pixels between two labels
ASIDE = 4  # pixels between a name and the line that leads to it
SHAPES = {"scale": "circle", "fix": "diamond", "kill": "square"}
FILLS = {"scale": GAIN, "fix": BEFORE, "kill": "transparent"}


def portfolio_map(rows: Sequence[Mapping[str, Any]], *, currency: str, width: int) -> Any:
    """Worth against the chance that it pays; a pilot's area is what it costs, its shape the verdict.

    Args:
        rows: Of each pilot `label`, `verdict`, `worth`, `p10`, `p90`, `chance`, `cost`, and the worth as it is `said`.
        currency: For the axis.
        width: Of the plot, in pixels.
    """
    ends = [float(r[k]) for r in rows for k in ("p10", "p90")]
    low, high = min([*ends, 0.0]), max([*ends, 0.0])
    room = ((high - low) or 1.0) * 0.05
    domain = (low - room, high + room)
    sizes = _sizes(rows)
    kept = [
        {
            **{k: float(r[k]) for k in ("worth", "p10", "p90", "chance")},
            "verdict": r["verdict"],
            "size": size,
            "tip": f"{words.shorten(r['label'], 60)}, {r['verdict']}: {r['said']}"
            + f"; pays in {words.chance(r['chance'])}; costs {words.amount(r['cost'], currency)} once",
        }
        for r, size in sorted(zip(rows, sizes, strict=True), key=lambda x: -x[1])  # small ones lie on top
    ]
    x = alt.Scale(domain=list(domain), nice=False)
    y = alt.Scale(domain=[-0.05, 1.07], nice=False)
    up = alt.Axis(title="chance that it pays", format="%", values=[0, 0.25, 0.5, 0.75, 1], grid=True)
    base = alt.Chart(inline(kept))
    spans = base.mark_rule(strokeWidth=2, color=MUTED, opacity=0.55).encode(
        alt.X("p10:Q", scale=x, axis=amount_axis(f"worth against stopping, {currency}", grid=True)),
        alt.X2("p90:Q"),
        alt.Y("chance:Q", scale=y, axis=up),
    )
    names = list(SHAPES)
    marks = base.mark_point(filled=True, opacity=0.8, stroke=INK, strokeWidth=1.5).encode(
        alt.X("worth:Q", scale=x),
        alt.Y("chance:Q", scale=y),
        alt.Description("tip:N"),
        size=alt.Size("size:Q", scale=None, legend=None),
        shape=alt.Shape("verdict:N", scale=alt.Scale(domain=names, range=list(SHAPES.values())), legend=None),
        fill=alt.Fill("verdict:N", scale=alt.Scale(domain=names, range=list(FILLS.values())), legend=None),
    )
    zero = alt.Chart(inline([{"at": 0.0}])).mark_rule(color=INK).encode(alt.X("at:Q", scale=x))
    labels = _labels(rows, domain, width)
    leads = alt.Chart(inline(labels)).mark_rule(color=MUTED, strokeWidth=1)
    layers = [
        zero,
        spans,
        marks,
        leads.encode(alt.X("worth:Q", scale=x), alt.Y("chance:Q", scale=y), alt.X2("x"), alt.Y2("y")),
    ]
    for side in ("left", "right"):
        own = [row for row in labels if row["align"] == side]
        if own:
            # Beside the line that leads to it, which would else run through the first letter.
            aside = ASIDE if side == "left" else -ASIDE
            texts = alt.Chart(inline(own)).mark_text(fontSize=12, baseline="middle", align=side, dx=aside)
            layers.append(texts.encode(alt.X("x:Q", scale=x), alt.Y("y:Q", scale=y), text="text:N"))
    return finish(alt.layer(*layers).properties(width=width, height=HEIGHT))


def _sizes(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    """The area of each mark, in square pixels: by what the pilot costs."""
    most = max([float(r["cost"]) for r in rows] + [1.0])
    return [60 + 840 * max(float(r["cost"]), 0.0) / most for r in rows]


def _labels(
    rows: Sequence[Mapping[str, Any]], domain: tuple[float, float], width: int
) -> list[dict[str, Any]]:
    """A place for each name, below or above its mark, where it covers no other name."""
    span, tall = domain[1] - domain[0], 1.12
    taken = list[tuple[float, float, float, float]]()  # from, to, at and how far off others must stay
    for r, size in zip(rows, _sizes(rows), strict=True):
        half = (size / 3.1416) ** 0.5
        middle = (float(r["worth"]) - domain[0]) / span * width
        taken.append((middle - half, middle + half, (1.07 - float(r["chance"])) / tall * HEIGHT, half + 8))
    found = []
    ranked = sorted(
        enumerate(zip(rows, _sizes(rows), strict=True), start=1),
        key=lambda x: (-float(x[1][0]["chance"]), float(x[1][0]["worth"])),
    )
    for number, (r, size) in ranked:
        # On a narrow screen there is room for a number only; the names stand below the picture.
        text = words.shorten(r["label"], 30) if width > 500 else str(number)
        away = (size / 3.1416) ** 0.5 + 9
        px = (float(r["worth"]) - domain[0]) / span * width
        py = (1.07 - float(r["chance"])) / tall * HEIGHT
        long = 6.6 * len(text) + ASIDE
        right = px > width / 2  # the text ends at the mark
        start = px - long if right else px
        start = min(max(start, 0.0), max(width - long, 0.0))
        tries = sorted(
            (d * k for k in range(1, int(HEIGHT / LINE)) for d in (1, -1)), key=lambda s: (abs(s), -s)
        )
        at = py + away
        for step in tries:
            at = py + (away if step > 0 else -away) + (step - (1 if step > 0 else -1)) * LINE
            free = all(abs(at - y) >= off or start + long < a or start > b for a, b, y, off in taken)
            if free and 6 < at < HEIGHT - 8:
                break
        taken.append((start, start + long, at, LINE))
        end = start + long if right else start
        found.append(
            {
                "worth": float(r["worth"]),
                "chance": float(r["chance"]),
                "x": domain[0] + end / width * span,
                "y": 1.07 - at / HEIGHT * tall,
                "align": "right" if right else "left",
                "text": text,
            }
        )
    return found


def verdict_trend(months: Sequence[Mapping[str, Any]], *, width: int) -> Any:
    """How many pilots stood at each verdict at the end of each month.

    Args:
        months: Of each `month`, `scale`, `fix` and `kill`.
        width: Of the plot, in pixels.
    """
    rows = [
        {"month": m["month"], "verdict": v, "n": int(m[v]), "order": i, "tip": f"{m['month']}: {m[v]} {v}"}
        for m in months
        for i, v in enumerate(SHAPES)
    ]
    x = alt.X("month:O", axis=alt.Axis(title=None, labelAngle=0), scale=alt.Scale(paddingInner=0.3))
    axis = alt.Axis(title="pilots", tickMinStep=1, format="d", grid=True)
    bars = (
        alt.Chart(inline(rows))
        .mark_bar(stroke=INK, strokeWidth=1)
        .encode(
            x,
            alt.Y("n:Q", stack="zero", axis=axis),
            alt.Description("tip:N"),
            order=alt.Order("order:O"),
            fill=alt.Fill(
                "verdict:N", scale=alt.Scale(domain=list(FILLS), range=list(FILLS.values())), legend=None
            ),
        )
    )
    return finish(bars.properties(width=width, height=150))


def came_of_forecasts(rows: Sequence[Mapping[str, Any]], *, width: int) -> Any:
    """What came of each forecast, as a share of its mean, on the range that was to hold 8 in 10.

    Args:
        rows: Of each `label`, `low`, `high` and `came`.
        width: Of the plot, in pixels.
    """
    kept = [dict(row) | {"y": place} for place, row in enumerate(rows)]
    for row in kept:
        row["tip"] = f"{row['label']}: {words.percent(row['came'])} of the forecast came; 8 in 10 outcomes "
        row["tip"] += f"{words.percent(row['low'])} to {words.percent(row['high'])}"
    ends = [float(r[key]) for r in kept for key in ("low", "high", "came")] + [0.0, 1.0]
    room = (max(ends) - min(ends)) * 0.05
    x = alt.Scale(domain=[min(ends) - (room if min(ends) < 0 else 0.0), max(ends) + room], nice=False)
    axis = alt.Axis(title="of the forecast benefit", format=".0%", grid=True, tickCount=5)
    y = alt.Y("y:O", axis=None, scale=alt.Scale(paddingInner=0.1))
    base = alt.Chart(inline(kept))
    span = base.mark_rule(strokeWidth=12, color=BAND, yOffset=8).encode(
        alt.X("low:Q", scale=x, axis=axis), alt.X2("high:Q"), y=y
    )
    said = alt.Chart(inline([{"at": 1.0}])).mark_rule(color=INK, strokeWidth=1.5)
    came = base.mark_point(filled=True, size=110, color=INK, opacity=1, yOffset=8).encode(
        alt.X("came:Q", scale=x, axis=axis), y, alt.Description("tip:N")
    )
    names = base.mark_text(align="left", fontSize=13, x=0, yOffset=-11, color=INK).encode(y=y, text="label:N")
    layers = alt.layer(span, said.encode(alt.X("at:Q", scale=x, axis=axis)), came, names)
    return finish(layers.properties(width=width, height=alt.Step(44)))
