"""The distributions of worth as a small picture that is drawn anew at every move, in under a millisecond.

The charts of the report go through Vega-Lite, which takes a tenth of a second a picture; a hand on a slider feels that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from roi import words
from roi.explore.explorer import Choice, Seen

__all__ = ["picture_of"]

GAIN, LOSS, INK, LINE = "#00846b", "#c04a00", "currentColor", "#8a93a0"  # gains and losses as in the report
HIGH, GAP, LEFT, RIGHT, FOOT, THIN = 62, 30, 12, 12, 30, 4


def picture_of(seen: Mapping[str, Seen], *, hurdle: float, width: int = 540) -> str:
    """The worth of every choice of one setting, or of two, on one axis.

    Args:
        seen: What settings come to, by what they are called; the name goes before each label where there are two.
        hurdle: What worth has to exceed; what does is drawn in another colour.
        width: In pixels.

    Returns:
        An SVG element without scripts, with what it shows in words as its name; empty where nothing has a worth.
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
    scale = (width - LEFT - RIGHT) / ((high - low) or 1.0)

    def at(x: float) -> float:
        return LEFT + (x - low) * scale

    parts, said = [], []
    for i, (label, choice, currency) in enumerate(rows):
        top = GAP + i * (HIGH + GAP)
        line = f"{words.shorten(label, 70)}: pays in {words.chance(choice.chance)}"
        said.append(f"{line}, {words.amount(choice.mean, words.shorten(currency, 10))} expected")
        parts.append(
            Markup('<text x="{}" y="{}" font-weight="bold">{}</text>').format(LEFT, top - 6, line)
            + _bars(choice, top, at(hurdle), low, scale)
            + Markup('<path d="M{:.1f} {}V{}" stroke="{}"/>').format(at(0.0), top, top + HIGH, INK)
        )
    bottom = GAP + len(rows) * (HIGH + GAP) - GAP
    for tick in _ticks(low, high):
        parts.append(
            Markup(
                '<path d="M{:.1f} {}v5" stroke="{}"/><text x="{:.1f}" y="{}" text-anchor="middle">{}</text>'
            ).format(at(tick), bottom, LINE, at(tick), bottom + 18, words.axis_amount(tick))
        )
    axis = Markup('<path d="M{} {}H{}" stroke="{}"/>').format(LEFT, bottom, width - RIGHT, LINE)
    head = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{}" width="{}" height="{}" fill="{}" '
        'font-family="system-ui, sans-serif" font-size="12">'
    ).format("Worth against stopping now. " + ". ".join(said), width, bottom + FOOT, INK)
    return str(head + Markup("").join(parts) + axis + Markup("</svg>"))


def _bars(choice: Choice, top: int, hurdle: float, low: float, scale: float) -> Markup:
    """The bars as two outlines, cut at the hurdle."""
    edges = LEFT + (choice.histogram.edges - low) * scale
    if edges[-1] - edges[0] < THIN:  # as good as certain: a line
        edges = np.linspace(-THIN / 2, THIN / 2, edges.size) + edges.mean()
    heights = choice.histogram.share / float(choice.histogram.share.max()) * HIGH
    found = Markup("")
    for colour, part in ((LOSS, np.minimum(edges, hurdle)), (GAIN, np.maximum(edges, hurdle))):
        drawn = "".join(
            f"M{a:.1f} {top + HIGH}V{top + HIGH - h:.1f}H{b:.1f}V{top + HIGH}Z"
            for a, b, h in zip(part[:-1], part[1:], heights, strict=True)
            if b > a and h > 0
        )
        if drawn:
            found += Markup('<path d="{}" fill="{}"/>').format(drawn, colour)
    return found


def _ticks(low: float, high: float) -> Sequence[float]:
    """Five or so round numbers."""
    rough = (high - low) / 5 or 1.0
    size = 10.0 ** math.floor(math.log10(rough))
    step = size * min((m for m in (1, 2, 5, 10) if m * size >= rough), default=10)
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
