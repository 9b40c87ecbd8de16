"""A pilot as it stands now: what people decided in place of its verdict, and what its months say of its worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.candidates import Candidate, Fundable
from roi.signing import governing, standing

__all__ = ["as_it_stands", "is_deferred"]

Floats = npt.NDArray[np.float64]
KINDS = {"scale": ("scale", "scale_segments"), "fix": ("fix",), "kill": ()}


def as_it_stands(c: Candidate) -> Candidate:
    """A pilot with the decision of people in place of the verdict, and what runs already valued by its months.

    What runs asks for no new money, and nobody builds it any more; its worth is what is left of the plan, what was
    spent and brought so far being past. What its months say to stop is held back by its operation.

    Args:
        c: The pilot as it was decided.
    """
    decided, verdict = governing(c.record), c.record.get("verdict")
    options, notes = c.options, [c.note] if c.note else []
    if decided != verdict:
        kinds = KINDS.get(str(decided), ())
        # An override to scale is one of everything, whatever the rule lets pass.
        wanted = tuple(o for o in c.others if o.kind in kinds[:1])
        options = tuple(o for o in wanted if o.mean() > 0)
        notes.append(f"decided in place of the verdict ({verdict}): {decided}")
        if kinds and not options:
            notes.append(
                "nothing of that kind is worth more than stopping" if wanted else "that has no worth yet"
            )
    shown = c.shown if decided == verdict else max(options, key=lambda o: o.mean(), default=c.shown)
    if c.months is not None and (place := _running(c, options)) is not None:
        left = _going_on(options[place], c.months)
        # What runs is not funded a second time, and goes on or stops; there is no other choice.
        options = () if left is None else (left,)
        shown = shown if left is None else left
        if left is None:
            over = c.months["going_on"] is None
            notes.append("its plan is over" if over else "by its months going on does not pay on average")
    return replace(c, options=options, shown=shown, note="; ".join(notes))


def is_deferred(c: Candidate) -> bool:
    """Whether people have put the decision off."""
    return standing(c.record).state == "deferred"


def _running(c: Candidate, options: Iterable[Fundable]) -> int | None:
    """The place of the option whose months are known; None where they are of another."""
    assert c.months is not None
    whole = ((c.record.get("options") or {}).get("scale") or {}).get("scope")
    of = set(c.months["segments"])
    for place, o in enumerate(options):
        kind = "fix" if o.kind == "fix" else "scale"
        scope = whole if o.segments is None else o.segments
        if kind == c.months["verdict"] and scope is not None and set(scope) == of:
            return place
    return None


def _going_on(o: Fundable, months: Mapping[str, Any]) -> Fundable | None:
    """What is left of what runs: its draws in their order, at the mean and the width that the months leave."""
    left = months["going_on"]
    if left is None or not left["mean"] > 0:
        return None
    low, high = np.quantile(o.worth, (0.1, 0.9))
    width = (left["p90"] - left["p10"]) / (high - low) if high > low else 0.0
    worth: Floats = left["mean"] + (o.worth - o.worth.mean()) * width
    return replace(
        o,
        worth=worth,
        cost=0.0,
        now=0.0,
        weeks={},
        spans=None,
        lines={},
        chance=float(months["on"]) if months["on"] is not None else float(np.mean(worth > 0)),
        running=int(months["count"]),
    )
