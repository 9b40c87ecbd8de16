"""The distributions of worth as a small picture that is drawn anew at every move, in under a millisecond.

The charts of the report go through Vega-Lite, which takes a tenth of a second a picture; a hand on a slider feels that.
Only the bars are drawn, and as wide as there is room; words and numbers are text of the page, in its size and colour.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from roi import words
from roi.explore.explorer import Choice, Seen

__all__ = ["picture_of"]

GAIN, LOSS = "#00846b", "#c04a00"  # gains and losses as in the report
WIDE, HIGH, THIN = 1000, 60, 6  # of the drawing, which is stretched to the room that there is
TICKS = 4  # as many numbers as have room beside each other on a telephone


def picture_of(seen: Mapping[str, Seen], *, hurdle: float) -> str:
    """The worth of every choice of one setting, or of two, on one axis.

    Args:
        seen: What settings come to, by what they are called; the name goes before each label where there are two.
        hurdle: What worth has to exceed; what does is drawn in another colour.

    Returns:
        HTML without scripts, with what it shows in words as its name; empty where nothing has a worth.
    """
    rows = [
        (f"{name}: {choice.label}" if len(seen) > 1 else choice.label, choice, one.currency)
        for name, one in seen.items()
        for choice in one.choices
    ]
    if not rows:
        return ""
    ends = [float(x) for _, c, _ in rows for x in (c.histogram.edges[0], c.histogram.edges[-1])]
    low, high = min(*ends, 0.0, hurdle), max(*ends, 0.0, hurdle)
    scale = WIDE / ((high - low) or 1.0)
    parts, said = [], []
    for label, choice, currency in rows:
        line = f"{words.shorten(label, 70)}: pays in {words.chance(choice.chance)}"
        said.append(f"{line}, {words.amount(choice.mean, words.shorten(currency, 10))} expected")
        parts.append(
            Markup("<p class='roi-line'>{}</p>").format(line)
            + Markup(
                "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {} {}' width='100%' height='{}' "
                "preserveAspectRatio='none' aria-hidden='true'>{}<path d='M{:.1f} 0V{}' stroke='currentColor' "
                "vector-effect='non-scaling-stroke'/></svg>"
            ).format(WIDE, HIGH, HIGH, _bars(choice, hurdle, low, scale), (0.0 - low) * scale, HIGH)
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
    axis = Markup("<div class='roi-axis' aria-hidden='true'>{}</div></div>").format(ticks)
    return str(head + Markup("").join(parts) + axis)


def _bars(choice: Choice, hurdle: float, low: float, scale: float) -> Markup:
    """The bars as two outlines, cut at the hurdle."""
    edges, cut = (choice.histogram.edges - low) * scale, (hurdle - low) * scale
    if edges[-1] - edges[0] < THIN:  # as good as certain: a line
        edges = np.linspace(-THIN / 2, THIN / 2, edges.size) + edges.mean()
    heights = choice.histogram.share / float(choice.histogram.share.max()) * HIGH
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
