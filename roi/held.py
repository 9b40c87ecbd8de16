"""Money that waits: options of pilots whose own operation says to stop, and what the set would be without that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from roi.as_it_stands import is_deferred
from roi.funded import Choice, Limit
from roi.funding import FIRST, Best, best_set
from roi.operating import asks_first, holds_back
from roi.signing import standing
from roi.words import shorten

__all__ = ["asked_first", "held_of", "is_held"]

SAME = 1e-9  # relative difference below which two worths are the same


def is_held(x: Choice) -> bool:
    """Whether no new money goes to an option while its operation says what it says, or people put the decision off."""
    return holds_back(x.candidate.operating, x.option.segments) or is_deferred(x.candidate)


def asked_first(x: Choice) -> dict[str, Any] | None:
    """What has to be found out before the money of an option is given; None where nothing has."""
    said = x.candidate.operating
    if said is None or not asks_first(said):
        return None
    return {"action": said["action"], "headline": shorten(said["headline"], 120)}


def held_of(
    everything: Sequence[Choice], limits: Sequence[Limit], funded: Sequence[Choice], best: Best
) -> dict[str, Any]:
    """The pilots that are held back, and the set that would be the best if they were not.

    Args:
        everything: What could be funded, held back or not.
        limits: What there is to give.
        funded: The set that is chosen without what is held back.
        best: The same, as it was found.

    Returns:
        `held`: the best option of each pilot that has one held back, with what its operation says, its worth and its
        money (all of it new: what was spent before is in no sum here). `if_released`: the best set of all; what it
        `brings` more (`at_most`, where not every set could be looked at), its `cost`, the pilots that it funds and
        those of the present set that it leaves out. None where it would be the same set.
    """
    by_pilot: dict[str, Choice] = {}
    for x in everything:
        name = x.candidate.pilot
        if is_held(x) and (name not in by_pilot or x.mean() > by_pilot[name].mean()):
            by_pilot[name] = x
    if not by_pilot:
        return {"held": [], "if_released": None}
    problem = Choice.problem(everything, limits)
    other = best_set(problem, most=None if best.kept < FIRST else FIRST)
    rows = [_row(x) for _, x in sorted(by_pilot.items())]
    # What is allowed without them is allowed with them; the search may have been the shorter one.
    if not other.worth > best.worth + SAME * max(1.0, abs(best.worth)):
        return {"held": rows, "if_released": None}
    chosen = [everything[i] for i in other.chosen]
    now, then = ({x.candidate.pilot for x in some} for some in (funded, chosen))
    brings = other.worth - best.worth
    return {
        "held": rows,
        "if_released": {
            "brings": brings,
            "at_most": brings if other.is_best else other.bound - best.worth,
            "worth": float(np.sum([x.mean() for x in chosen])),
            "cost": sum(x.cost for x in chosen),
            "set": sorted(then),
            "leaves_out": sorted(now - then),
        },
    }


def _row(x: Choice) -> dict[str, Any]:
    said = x.candidate.operating or {}
    if not holds_back(x.candidate.operating, x.option.segments):
        said = {"action": "deferred", "headline": "Deferred"}
    return {
        "pilot": x.candidate.pilot,
        "title": shorten(x.candidate.record.get("title") or x.candidate.pilot, 120),
        "option": shorten(x.option.label, 200),
        "kind": x.option.kind,
        "action": said.get("action"),
        "headline": shorten(said.get("headline"), 120),
        "since": said.get("since"),
        "worth": x.mean(),
        "cost": x.cost,
        "now": x.now,
        "signed": standing(x.candidate.record).state,
    }
