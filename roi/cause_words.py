"""Is the model the problem? Which cause is named, when none is, and how it is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from roi.causes import UNEXPLAINED, Causes
from roi.words import amount, percent, plural

__all__ = ["Named", "in_words", "named"]

LEAST = 5  # losses whose cause something tells, below which none is named however alike they are
ENOUGH = 50  # losses, from which the largest cause is named unless another is about as large
SURE = 0.9  # chance to be the largest that a cause needs with fewer losses
AHEAD = 0.55  # and with as many: below, both are named


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Which cause is behind most losses.

    Attributes:
        state: "named", "close" (two that cannot be told apart), "few" (too few losses to tell), "unknown" (nothing
            tells causes), or "no_losses".
        first: The cause that is named; None unless the state is "named".
        among: The cause or causes that lead, the largest first.
        sure: Chance that the first of them is the largest.
    """

    state: Literal["named", "close", "few", "unknown", "no_losses"]
    first: str | None
    among: tuple[str, ...]
    sure: float


def named(causes: Causes) -> Named:
    """Name the dominant cause.

    Args:
        causes: Shares of the losses.

    Returns:
        With 50 losses or more the largest cause, unless another is as likely as not to be larger; with fewer only one
        that is the largest with a chance of 90 %, and none where something tells of fewer than five losses.
    """
    if causes.losses == 0:
        return Named(state="no_losses", first=None, among=(), sure=0.0)
    told = {c: s for c, s in causes.loss_share.items() if c != UNEXPLAINED and s.any()}
    if causes.evidence == "none" or not told:
        return Named(state="unknown", first=None, among=(), sure=0.0)
    order = sorted(told, key=lambda c: -float(told[c].mean()))
    first = order[0]
    others = [told[c] for c in order[1:]]
    sure = float((told[first] > np.max(others, axis=0)).mean()) if others else 1.0
    unknown = causes.loss_share.get(UNEXPLAINED)
    # What is unexplained may all be of another cause.
    if unknown is not None and float(unknown.mean()) > float(told[first].mean()):
        return Named(state="unknown", first=None, among=tuple(order[:1]), sure=sure)
    if causes.losses < ENOUGH or _told(causes) < LEAST:
        ok = sure >= SURE and _told(causes) >= LEAST
        return Named(
            state="named" if ok else "few", first=first if ok else None, among=tuple(order[:2]), sure=sure
        )
    if sure < AHEAD:
        return Named(state="close", first=None, among=tuple(order[:2]), sure=sure)
    return Named(state="named", first=first, among=(first,), sure=sure)


def _told(causes: Causes) -> int:
    return causes.losses if causes.told is None else causes.told


def in_words(
    causes: Causes, *, per_year: Mapping[str, float] | None = None, currency: str = "", judged: bool = True
) -> str:
    """One sentence: is the model the problem?

    Args:
        causes: Shares of the losses.
        per_year: Expected price of each cause a year, where it is known.
        currency: Of the price.
        judged: Whether the outcome of any case is known.
    """
    found = named(causes)
    if found.state == "no_losses":
        if not judged:
            return "Not known: no single case says how it came out, so that no loss could be looked at."
        return "No losses were seen, so there is no cause to name."
    shares = causes.loss_share
    seen = plural(causes.losses, "loss", "losses")
    if found.state == "unknown" and not found.among:
        return f"Not known: {seen} carry no label of their cause, and nothing else explains them."
    first = found.among[0]
    about = f"about {percent(float(shares[first].mean()))}"
    by = {
        "label": "by the reviewers' labels",
        "evidence": "judging by cases with and without evidence of it",
        "both": "by labels, and by evidence where there is none",
    }[causes.evidence]
    if found.state == "unknown":
        rest = percent(float(shares[UNEXPLAINED].mean()))
        return f"Not known for most: {rest} of losses stay unexplained; {first} is behind {about}, {by}."
    if found.state == "few":
        of = _told(causes)
        text = f"Too few to tell: only {seen} {'was' if causes.losses == 1 else 'were'} seen"
        if 0 < of < causes.losses:
            have = "has" if of == 1 else "have"
            text = f"Too few to tell: only {of:,} of {seen} {have} a label or evidence of a cause"
        return f"{text}; {first} may be behind most, {by}." if found.sure > AHEAD else f"{text}."
    if found.state == "close":
        other = found.among[1]
        rest = f"about {percent(float(shares[first].mean()))} and {percent(float(shares[other].mean()))}"
        return f"Partly: {first} and {other} are behind {rest} of losses, too close to tell apart, {by}."
    low = percent(float(np.percentile(shares[first], 5)))
    verb = "Yes" if first == "model" else "Mostly not"
    text = f"{verb}: {first} is behind {about} of all losses by number (at least {low}), {by}"
    if per_year and first in per_year:
        text += f"; it costs {amount(per_year[first], currency)} a year"
        if first != "model" and "model" in per_year:
            text += f", the model {amount(per_year['model'], currency)}"
    return text + "."
