"""Charts of the audit: where defects of the inputs sit, and which calls fail; numbers in, chart out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from roi import words
from roi.report.charts import AGENT, BAND, GRID, INK, LOSS, MUTED, finish, inline

__all__ = ["defect_map", "failing_calls"]

_LABELS = 118  # pixels that the names of rows may take
_WIDER = 1.25  # a reader's font is wider than the one that labels are cut by


def defect_map(
    cells: Sequence[Mapping[str, Any]], *, fields: Sequence[str], columns: Sequence[str], width: int
) -> Any:
    """Shares of cases in which a field is defective: a row a field, a column a segment, the demo before production.

    Args:
        cells: Of each `field`, `column` and `share` in [0, 1], or None where there are no cases to tell.
        fields: Names of the rows, from the top; each once.
        columns: Names of the columns, from the left; each once.
        width: Of the picture, in pixels.
    """
    rows = [
        {
            "field": cell["field"],
            "column": cell["column"],
            "share": cell["share"] or 0.0,
            "known": cell["share"] is not None,
            "text": "?" if cell["share"] is None else f"{100 * cell['share']:.0f}",
            "tip": f"{cell['field']}, {cell['column']}: {_defective(cell['share'])}",
        }
        for cell in cells
    ]
    most = max((row["share"] for row in rows), default=0.0) or 1.0
    down = alt.Y(
        "field:N",
        sort=list(fields),
        axis=alt.Axis(
            title=None, labelLimit=int(_LABELS / _WIDER), minExtent=_LABELS, ticks=False, domain=False
        ),
    )
    longest = max((len(name) for name in columns), default=0)
    across = alt.X(
        "column:N",
        sort=list(columns),
        axis=alt.Axis(
            title=None,
            orient="top",
            labelAngle=-90,
            labelLimit=120,
            minExtent=min(8 * longest, int(120 * _WIDER)),
            ticks=False,
            domain=False,
            labelOverlap=False,
        ),
    )
    base = alt.Chart(inline(rows))
    # Opacity and not colour tells how many, so that one hue is right on light paper and on a dark screen.
    found = (
        base.transform_filter("datum.known")
        .mark_rect(color=LOSS, stroke=GRID, strokeWidth=1)
        .encode(
            across,
            down,
            alt.Description("tip:N"),
            opacity=alt.Opacity("share:Q", legend=None, scale=alt.Scale(domain=[0, most], range=[0.03, 0.6])),
        )
    )
    unknown = base.transform_filter("!datum.known").mark_rect(color=GRID, opacity=0.5)
    unknown = unknown.encode(across, down, alt.Description("tip:N"))
    text = base.mark_text(fontSize=11).encode(across, down, text="text:N")
    plot = max(width - _LABELS - 10, 22 * len(columns))
    return finish(alt.layer(found, unknown, text).properties(width=plot, height=alt.Step(24)))


def _defective(share: float | None) -> str:
    return "no cases to tell" if share is None else f"defective in {words.percent(share)} of cases"


def failing_calls(rows: Sequence[Mapping[str, Any]], *, width: int) -> Any:
    """Shares of calls that did not go through, by system and scope, with 90 % intervals.

    Args:
        rows: Of each `label`, `failed`, `denied` (shares in [0, 1] that add up), `low` and `high` (of their sum).
        width: Of the plot, in pixels.
    """
    kept = [dict(row) | {"y": i, "both": row["failed"] + row["denied"]} for i, row in enumerate(rows)]
    for row in kept:
        row["text"] = words.percent(row["both"])
        label = words.shorten(row["label"], 90)
        row["tip_failed"] = f"{label}: {words.percent(row['failed'])} failed"
        row["tip_both"] = f"{label}: {words.percent(row['denied'])} denied"
        row["tip"] = f"{label}: {row['text']} failed or were denied; 9 in 10 such samples would give "
        row["tip"] += f"{words.percent(row['low'])} to {words.percent(row['high'])}"
    end = max([row["high"] for row in kept] or [1.0])
    x = alt.Scale(domain=[0, end * (1.15 if width > 500 else 1.3)], nice=False)
    y = alt.Y("y:O", axis=None, scale=alt.Scale(paddingInner=0.1))
    base = alt.Chart(inline(kept))
    axis = alt.Axis(title="of calls", format=".1~%", grid=True)
    bars = [
        base.mark_bar(size=14, yOffset=9, color=color, opacity=0.9).encode(
            alt.X(f"{start}:Q", scale=x, axis=axis),
            alt.X2(f"{stop}:Q"),
            alt.Description(f"tip_{stop}:N"),
            y=y,
        )
        for start, stop, color in (("zero", "failed", AGENT), ("failed", "both", BAND))
    ]
    for row in kept:
        row["zero"] = 0.0
    span = base.mark_rule(strokeWidth=2, color=INK, yOffset=9).encode(
        alt.X("low:Q"), alt.X2("high:Q"), alt.Description("tip:N"), y=y
    )
    number = base.mark_text(align="left", dx=6, yOffset=9, fontWeight="bold").encode(
        alt.X("high:Q"), y, text="text:N"
    )
    names = [{"y": row["y"], "name": words.shorten(row["label"], int(width / 7.2))} for row in kept]
    name = alt.Chart(inline(names)).mark_text(align="left", fontSize=13, x=0, yOffset=-11, color=MUTED)
    layers = alt.layer(*bars, span, number, name.encode(y=y, text="name:N"))
    return finish(layers.properties(width=width, height=alt.Step(46)))
