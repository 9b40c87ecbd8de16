"""The distributions of worth as a small picture that is drawn anew at every move, in under a millisecond.

The charts of the report go through Vega-Lite, which takes a tenth of a second a picture; a hand on a slider feels that.
Only the bars are drawn, and as wide as there is room; words and numbers are text of the page, in its size and colour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from roi import words
from roi.explore.explorer import Choice, Seen, paired

__all__ = ["picture_of"]

GAIN, LOSS = "#00846b", "#c04a00"  # gains and losses as in the report
WIDE, HIGH, THIN = 1000, 60, 6  # of the drawing, which is stretched to the room that there is
SMALL = 36  # the height of each of two that are compared
TICKS = 4  # as many numbers as have room beside each other on a telephone


def picture_of(seen: Seen, kept: Seen | None = None, *, hurdle: float) -> str:
    """The worth of every choice of one setting, or of two one below the other, on one axis.

    Args:
        seen: What a setting comes to.
        kept: What the one that was kept comes to.
        hurdle: What worth has to exceed; what does is drawn in another colour.

    Returns:
        HTML without scripts, with what it shows in words as its name; empty where nothing has a worth.
    """
    rows = []
    for label, now, then in paired(seen, kept):
        for choice, of in ((now, ", now"), (then, ", kept")):
            if choice is not None:
                rows.append((words.shorten(label, 70) + (of if kept is not None else ""), choice))
    if not rows:
        return ""
    ends = [float(x) for _, c in rows for x in (c.histogram.edges[0], c.histogram.edges[-1])]
    low, high = min(*ends, 0.0, hurdle), max(*ends, 0.0, hurdle)
    scale = WIDE / ((high - low) or 1.0)
    currency = words.shorten(seen.currency, 10)
    tall = HIGH if kept is None else SMALL
    parts, said = [], []
    for label, choice in rows:
        line = f"{label}: pays in {words.chance(choice.chance)}"
        said.append(f"{line}, {words.amount(choice.mean, currency)} expected")
        parts.append(
            Markup("<p class='roi-line'>{}</p>").format(line)
            + Markup(
                "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {} {}' width='100%' height='{}' "
                "preserveAspectRatio='none' aria-hidden='true'>{}<path d='M{:.1f} 0V{}' stroke='currentColor' "
                "vector-effect='non-scaling-stroke'/></svg>"
            ).format(WIDE, HIGH, tall, _bars(choice, hurdle, low, scale), (0.0 - low) * scale, HIGH)
        )
    ticks = Markup("").join(
        Markup("<span style='left:{:.2f}%'>{}</span>").format(
            (tick - low) * scale / WIDE * 100, words.axis_amount(tick)
        )
        for tick in _ticks(low, high)
    )
    head = Markup("<div class='roi-picture' role='img' aria-label='{}'>").format(
        "Worth against stopping now. " + ". ".join(said)
    )
    axis = Markup(
        "<div class='roi-axis' aria-hidden='true'>{}</div><p class='roi-note'>Worth against stopping now, {}; "
        "99 of 100 outcomes</p></div>"
    ).format(ticks, currency)
    return str(head + Markup("").join(parts) + axis)


def _bars(choice: Choice, hurdle: float, low: float, scale: float) -> Markup:
    """The bars as two outlines, cut at the hurdle."""
    edges, cut = (choice.histogram.edges - low) * scale, (hurdle - low) * scale
    heights = choice.histogram.share / float(choice.histogram.share.max()) * HIGH
    if edges[-1] - edges[0] < THIN:  # as good as certain: one bar, wide enough to be seen
        edges, heights = edges.mean() + np.array([-THIN / 2, THIN / 2]), np.array([float(HIGH)])
    found = Markup("")
    for colour, part in ((LOSS, np.minimum(edges, cut)), (GAIN, np.maximum(edges, cut))):
        drawn = "".join(
            f"M{a:.1f} {HIGH}V{HIGH - h:.1f}H{b:.1f}V{HIGH}Z"
            for a, b, h in zip(part[:-1], part[1:], heights, strict=True)
            if b > a and h > 0
        )
        if drawn:
            found += Markup("<path d='{}' fill='{}'/>").format(drawn, colour)
    return found


def _ticks(low: float, high: float) -> Sequence[float]:
    """A few round numbers, none so near an end that its text would be cut."""
    rough = (high - low) / TICKS or 1.0
    size = 10.0 ** math.floor(math.log10(rough))
    step = size * min((m for m in (1, 2, 5, 10) if m * size >= rough), default=10)
    edge = (high - low) * 0.04
    return [k * step for k in range(math.ceil((low + edge) / step), math.floor((high - edge) / step) + 1)]
