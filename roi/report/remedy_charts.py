"""Charts of remedies: numbers in, chart out, in the look of `roi/report/charts.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from roi import words
from roi.report.charts import BEFORE, GAIN, INK, LOSS, MUTED, amount_axis, finish, inline, outcomes_tip, ticks

__all__ = ["remedy_ladder", "ways"]

STEP = 62


def _rows() -> Any:
    return alt.Y("y:O", axis=None, scale=alt.Scale(paddingInner=0.1))


def _names(rows: Sequence[Mapping[str, Any]], width: int) -> Any:
    """What each row is called, above its bars."""
    texts = [{"y": row["y"], "text": words.shorten(row["label"], int(width / 7.2))} for row in rows]
    mark = alt.Chart(inline(texts)).mark_text(align="left", fontSize=13, x=0, yOffset=-16)
    return mark.encode(y=_rows(), text="text:N")


def _scale(ends: Sequence[float], width: int) -> Any:
    low, high = min([*ends, 0.0]), max([*ends, 0.0])
    room = ((high - low) or 1.0) * (0.12 if width > 500 else 0.26)
    return alt.Scale(domain=[low - room if low < 0 else 0.0, high + room], nice=False)


def remedy_ladder(
    rows: Sequence[Mapping[str, Any]], *, budget: float | None, currency: str, width: int
) -> Any:
    """What has been bought is worth, step by step, with what it has cost by then and the budget.

    Args:
        rows: Of each step `label`, `mean`, `p10`, `p90` and `paid`.
        budget: What may be spent; None without a limit.
        currency: For the axis.
        width: Of the plot, in pixels.
    """
    kept = [
        dict(r)
        | {"y": i, "text": words.axis_amount(r["mean"]), "cost": words.axis_amount(r["paid"])}
        | {"tip": outcomes_tip(r["label"], r["mean"], r["p10"], r["p90"], currency)}
        | {"tip_paid": f"{words.shorten(r['label'], 60)}: {words.amount(r['paid'], currency)} paid by then"}
        for i, r in enumerate(rows)
    ]
    ends = [float(row[k]) for row in kept for k in ("mean", "p10", "p90", "paid")]
    axis = amount_axis(f"over the plan, in today’s money, {currency}", grid=True)
    scale = _scale([*ends, budget or 0.0], width)
    base = alt.Chart(inline(kept))
    color = alt.condition("datum.mean < 0", alt.value(LOSS), alt.value(GAIN))
    bars = base.mark_bar(size=15, yOffset=3, opacity=0.85).encode(
        alt.X("mean:Q", scale=scale, axis=axis),
        alt.Description("tip:N"),
        x2=alt.X2Datum(0),
        y=_rows(),
        color=color,
    )
    span = base.mark_rule(strokeWidth=2, color=INK, yOffset=3).encode(
        alt.X("p10:Q"), alt.X2("p90:Q"), y=_rows()
    )
    text = base.transform_calculate(end="max(datum.p90, datum.mean, 0)").mark_text(
        align="left", dx=6, yOffset=3, fontWeight="bold"
    )
    paid = base.transform_filter("datum.paid > 0")
    layers = [
        bars,
        span,
        paid.mark_bar(size=7, yOffset=18, color=BEFORE, opacity=0.9).encode(
            alt.X("paid:Q"), alt.Description("tip_paid:N"), x2=alt.X2Datum(0), y=_rows()
        ),
        paid.mark_text(align="left", dx=6, yOffset=18, color=MUTED).encode(
            alt.X("paid:Q"), _rows(), text="cost:N"
        ),
        ticks(len(kept), 0.0, 8),
        text.encode(alt.X("end:Q"), _rows(), text="text:N"),
    ]
    if budget is not None:
        limit = [{"y": i, "at": budget} for i in range(len(kept))]
        mark = alt.Chart(inline(limit)).mark_tick(
            orient="vertical", color=BEFORE, size=20, thickness=2.5, yOffset=18
        )
        layers.append(mark.encode(alt.X("at:Q"), _rows()))
    layers.append(_names(kept, width))
    return finish(alt.layer(*layers).properties(width=width, height=alt.Step(STEP)))


def ways(rows: Sequence[Mapping[str, Any]], *, currency: str, width: int) -> Any:
    """What each remedy may cost at the most beside what it costs.

    Args:
        rows: Of each `label`, `most` and `cost` (None where nobody has stated one).
        currency: For the axis.
        width: Of the plot, in pixels.
    """
    kept = [dict(row) | {"y": i} for i, row in enumerate(rows)]
    for row in kept:
        name = words.shorten(row["label"], 60)
        row["tip"] = f"{name}: at most {words.amount(row['most'], currency)} worth paying"
        row["tip_cost"] = f"{name}: its price is {words.amount(row['cost'], currency)}"
    ends = [float(row[k]) for row in kept for k in ("most", "cost") if row[k] is not None]
    base = alt.Chart(inline(kept))
    bars = base.mark_bar(size=13, yOffset=4, color=GAIN, opacity=0.85).encode(
        alt.X("most:Q", scale=_scale(ends, width), axis=amount_axis(currency, grid=True)),
        alt.Description("tip:N"),
        x2=alt.X2Datum(0),
        y=_rows(),
    )
    priced = alt.Chart(inline([row for row in kept if row["cost"] is not None]))
    price = priced.mark_point(filled=False, shape="diamond", size=90, strokeWidth=2, opacity=1, yOffset=4)
    layers = alt.layer(
        bars,
        ticks(len(kept), 0.0, 4),
        price.encode(alt.X("cost:Q"), _rows(), alt.Description("tip_cost:N"), stroke=alt.value(INK)),
        _names(kept, width),
    )
    return finish(layers.properties(width=width, height=alt.Step(50)))
