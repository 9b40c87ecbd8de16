"""The goal and the claims in sentences, each beside what was measured of the same cases as far as that is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roi import units, words
from roi.named import kind_words

__all__ = ["claimed", "goal", "quantity"]

Record = Mapping[str, Any]


def goal(record: Record) -> str | None:
    """What the pilot set out to reach, by when, and what was measured of it; None without a goal."""
    stated = record.get("goal")
    if not stated:
        return None
    text = words.shorten(stated.get("text") or "a goal without words", 140)
    if stated.get("by"):
        text += f", by {words.day(stated['by'])}"
    target = words.finite(stated.get("target"))
    if target is None:
        return f"{text}."
    metric = stated.get("metric")
    wanted = f"{quantity(record, metric, target)} wanted"
    scope = stated.get("in_scope")
    if not scope:
        return f"{text}: {quantity(record, metric, stated.get('measured'))} measured, {wanted}."
    return f"{text}: {_both(record, metric, stated.get('measured'), scope)}; {wanted}, of which kinds is not stated."


def claimed(record: Record, claim: Mapping[str, Any]) -> str:
    """Who claimed what, where, and what was measured of it; without its full stop."""
    by = words.capital(words.shorten(claim.get("by") or "someone", 60))
    name = claim.get("quantity")
    what = words.shorten(str(name).replace("_", " "), 60)
    text = f"{by} claimed {quantity(record, name, claim.get('claimed'))} ({what})"
    scope = claim.get("in_scope")
    if not scope:
        return f"{text}; {quantity(record, name, claim.get('measured'))} was measured"
    source = f", by its source “{words.shorten(claim['source'], 90)}”" if claim.get("source") else ""
    told = _both(record, name, claim.get("measured"), scope)
    return f"{text}{source}; {told}. The claim is held against neither: its kinds of cases are not stated"


def _both(record: Record, name: object, every: object, scope: Mapping[str, Any]) -> str:
    """What was measured where it is to be rolled out, and over all kinds of cases."""
    kinds = kind_words(scope["segments"])
    here, whole = quantity(record, name, scope["mean"]), quantity(record, name, every)
    return f"measured {here} in {kinds}, which is to be rolled out, and {whole} over all kinds of cases"


def quantity(record: Record, name: object, value: object) -> str:
    """A value of a named estimate in the way its unit is said: a share in per cent."""
    unit = ((record.get("estimates") or {}).get(str(name)) or {}).get("unit")
    return units.figure(value, unit)
