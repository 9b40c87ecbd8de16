"""Charts of the proof: numbers in, chart out, in the look of `roi/report/charts.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from roi import words
from roi.report.charts import (
    AGENT,
    BAND,
    BEFORE,
    GAIN,
    GRID,
    INK,
    LOSS,
    MUTED,
    amount_axis,
    finish,
    inline,
    outcomes_tip,
    ticks,
)

__all__ = ["ladder", "samples", "shares", "steps", "values"]

DARK = "#16181b"
KINDS = {"measured": AGENT, "sourced": BAND, "assumed": BEFORE, "default": LOSS, "together": MUTED}

# What numbers on a part are written in, to be read on it in both colour schemes: in the dark one every part but that of
# documents turns light. White turns dark there, the ink turns light, and on orange a dark number stands in both.
ON_PART = {"#ffffff": ("measured", "default", "together"), INK: ("sourced",), DARK: ("assumed",)}


def _rows() -> Any:
    return alt.Y("y:O", axis=None, scale=alt.Scale(paddingInner=0.1))


def _names(rows: Sequence[Mapping[str, Any]], width: int) -> Any:
    """What each row is called, above its bar."""
    texts = [{"y": row["y"], "text": words.shorten(row["label"], int(width / 7.2))} for row in rows]
    mark = alt.Chart(inline(texts)).mark_text(align="left", fontSize=13, x=0, yOffset=-11)
    return mark.encode(y=_rows(), text="text:N")


def _domain(ends: Sequence[float], width: int, *, more: float = 1.0) -> list[float]:
    """Both ends of an axis that holds every end, 0, and room for a number at either side."""
    low, high = min([*ends, 0.0]), max([*ends, 0.0])
    room = ((high - low) or 1.0) * (0.12 if width > 500 else 0.24) * more
    return [low - room if low < 0 else 0.0, high + room if high > 0 or low == 0 else 0.0]


def ladder(rows: Sequence[Mapping[str, Any]], *, currency: str, width: int) -> Any:
    """What each rung is worth over the plan, with the range of 8 in 10 outcomes.

    Args:
        rows: Of each rung `label`, `mean`, `p10`, `p90` and `last` (whether it is the worth).
        currency: For the axis.
        width: Of the plot, in pixels.
    """
    kept = [
        dict(r)
        | {"y": i, "text": words.axis_amount(r["mean"])}
        | {"tip": outcomes_tip(r["label"], r["mean"], r["p10"], r["p90"], currency)}
        for i, r in enumerate(rows)
    ]
    x = alt.Scale(domain=_domain([row[k] for row in kept for k in ("mean", "p10", "p90")], width), nice=False)
    axis = amount_axis(f"over the plan, in today’s money, {currency}", grid=True)
    base = alt.Chart(inline(kept))
    color = alt.condition("datum.last", alt.value(GAIN), alt.value(AGENT))
    bars = base.mark_bar(size=15, yOffset=9, opacity=0.85).encode(
        alt.X("mean:Q", scale=x, axis=axis),
        alt.Description("tip:N"),
        x2=alt.X2Datum(0),
        y=_rows(),
        color=color,
    )
    span = base.mark_rule(strokeWidth=2, color=INK, yOffset=9).encode(
        alt.X("p10:Q"), alt.X2("p90:Q"), y=_rows()
    )
    text = base.transform_calculate(end="max(datum.p90, datum.mean, 0)").mark_text(
        align="left", dx=6, yOffset=9, fontWeight="bold"
    )
    layers = alt.layer(
        bars, span, ticks(len(kept), 0.0, 9), text.encode(alt.X("end:Q"), _rows(), text="text:N"),
        _names(kept, width),
    )  # fmt: skip
    return finish(layers.properties(width=width, height=alt.Step(48)))


def steps(rows: Sequence[Mapping[str, Any]], *, title: str, width: int) -> Any:
    """From one level to another in steps: a bar for each level, and for each step from where to where it leads.

    Args:
        rows: Of each `label`, `start`, `end`, `kind` ("level", "worse" or "better") and `text`.
        title: Of the axis.
        width: Of the plot, in pixels.
    """
    kept = [dict(row) | {"y": i} for i, row in enumerate(rows)]
    for row in kept:
        # The number stands at the end that the step leads to, on the side away from the bar.
        row["right"] = row["end"] >= row["start"]
        row["tip"] = f"{words.shorten(row['label'], 60)}: {row['text']}"
    ends = [float(row[k]) for row in kept for k in ("start", "end")]
    x = alt.Scale(domain=_domain(ends, width, more=1.8), nice=False)
    base = alt.Chart(inline(kept))
    color = alt.Color(
        "kind:N",
        legend=None,
        scale=alt.Scale(domain=["level", "worse", "better"], range=[AGENT, LOSS, GAIN]),
    )
    bars = base.mark_bar(size=15, yOffset=9, opacity=0.9).encode(
        alt.X("start:Q", scale=x, axis=alt.Axis(title=title, grid=True)),
        alt.X2("end:Q"),
        alt.Description("tip:N"),
        y=_rows(),
        color=color,
    )
    texts = [
        base.transform_filter(f"datum.right == {str(right).lower()}")
        .mark_text(align="left" if right else "right", dx=6 if right else -6, yOffset=9, fontWeight="bold")
        .encode(alt.X("end:Q"), _rows(), text="text:N")
        for right in (True, False)
    ]
    layers = alt.layer(bars, ticks(len(kept), 0.0, 9), *texts, _names(kept, width))
    return finish(layers.properties(width=width, height=alt.Step(48)))


def values(rows: Sequence[Mapping[str, Any]], *, currency: str, width: int) -> Any:
    """What knowing each input exactly is worth.

    Args:
        rows: Of each `label`, `value` and `bought` (whether it can be looked up).
        currency: For the axis.
        width: Of the plot, in pixels.
    """
    kept = [
        dict(r)
        | {"y": i, "text": words.axis_amount(r["value"])}
        | {"tip": f"{words.shorten(r['label'], 60)}: at most {words.amount(r['value'], currency)}"}
        for i, r in enumerate(rows)
    ]
    x = alt.Scale(domain=_domain([row["value"] for row in kept], width), nice=False)
    base = alt.Chart(inline(kept))
    bars = base.mark_bar(size=15, yOffset=9, color=AGENT, opacity=0.9).encode(
        alt.X("value:Q", scale=x, axis=amount_axis(f"worth of knowing it exactly, {currency}", grid=True)),
        alt.Description("tip:N"),
        x2=alt.X2Datum(0),
        y=_rows(),
    )
    text = base.mark_text(align="left", dx=6, yOffset=9, fontWeight="bold")
    layers = alt.layer(bars, text.encode(alt.X("value:Q"), _rows(), text="text:N"), _names(kept, width))
    return finish(layers.properties(width=width, height=alt.Step(44)))


def samples(
    rows: Sequence[Mapping[str, Any]],
    *,
    currency: str,
    width: int,
    among: Sequence[Mapping[str, Any]] = (),
) -> Any:
    """What further samples are worth and what they cost, a row each size.

    Args:
        rows: Of each `label`, `worth` (the most worth paying) and `price` (None where nobody has stated one).
        currency: For the axis.
        width: Of the plot, in pixels.
        among: All rows of which these are a part, where they are: parts have one axis.
    """
    kept = [dict(row) | {"y": i} for i, row in enumerate(rows)]
    for row in kept:
        name = words.shorten(row["label"], 60)
        row["tip"] = f"{name}: at most {words.amount(row['worth'], currency)} worth paying"
        row["tip_price"] = f"{name}: its price is {words.amount(row['price'], currency)}"
    ends = [float(row[k]) for row in among or rows for k in ("worth", "price") if row[k] is not None]
    x = alt.Scale(domain=_domain(ends, width), nice=False)
    bars = (
        alt.Chart(inline(kept))
        .mark_bar(size=13, yOffset=9, color=AGENT, opacity=0.9)
        .encode(
            alt.X("worth:Q", scale=x, axis=amount_axis(currency, grid=True)),
            alt.Description("tip:N"),
            x2=alt.X2Datum(0),
            y=_rows(),
        )
    )
    priced = alt.Chart(inline([row for row in kept if row["price"] is not None]))
    price = priced.mark_point(filled=False, shape="diamond", size=90, strokeWidth=2, opacity=1, yOffset=9)
    layers = alt.layer(
        bars,
        ticks(len(kept), 0.0, 9),
        price.encode(alt.X("price:Q"), _rows(), alt.Description("tip_price:N"), stroke=alt.value(INK)),
        _names(kept, width),
    )
    return finish(layers.properties(width=width, height=alt.Step(44)))


def shares(rows: Sequence[Mapping[str, Any]], *, kinds: Mapping[str, str], width: int) -> Any:
    """Shares of wholes by kind of evidence, a bar a whole.

    Args:
        rows: Of each whole `label` and `shares` by kind.
        kinds: What to call each kind.
        width: Of the plot, in pixels.
    """
    parts: list[dict[str, Any]] = []
    for place, row in enumerate(rows):
        start = 0.0
        for kind in KINDS:
            share = float(row["shares"].get(kind) or 0.0)
            if share > 0:
                parts.append({"y": place, "start": start, "end": start + share, "kind": kind})
                parts[-1] |= {"middle": start + share / 2, "text": words.percent(share), "share": share}
                parts[-1]["tip"] = f"{words.shorten(row['label'], 60)}: {words.percent(share)} {kinds[kind]}"
            start += share
    whole = max([1.0, *(part["end"] for part in parts)])
    x = alt.X(
        "start:Q", scale=alt.Scale(domain=[0, whole], nice=False), axis=alt.Axis(title=None, format=".0%")
    )
    color = alt.Color("kind:N", legend=None, scale=alt.Scale(domain=list(KINDS), range=list(KINDS.values())))
    base = alt.Chart(inline(parts))
    bars = base.mark_bar(size=20, yOffset=9, stroke=GRID, strokeWidth=1).encode(
        x, alt.X2("end:Q"), alt.Description("tip:N"), y=_rows(), color=color
    )
    names = _names([{"y": i, "label": row["label"]} for i, row in enumerate(rows)], width)
    layers = [bars, names]
    # A number stands on its part where there is room; the table holds them all.
    for color_of, own in ON_PART.items():
        kept = base.transform_filter(
            f"datum.share >= {46 / width:.3f} && indexof({list(own)}, datum.kind) >= 0"
        ).mark_text(yOffset=9, fontWeight="bold", color=color_of)
        layers.append(kept.encode(alt.X("middle:Q"), _rows(), text="text:N"))
    return finish(alt.layer(*layers).properties(width=width, height=alt.Step(52)))
