"""The one worth of a pilot on the page of all pilots: as it was decided; what differs from it is told as a difference.

A budget owner who meets three worths of one pilot trusts none of them. So each list, picture and sentence tells that of
the pilot's own first screen, in its own money. Where something else counts in the set (what is left of what runs, a
plan for less money, what waiting costs), the page says by how much, and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from roi import words
from roi.signing import governing

__all__ = ["Decided", "apart", "by_months", "decided", "rows_of_set", "running_said"]

Found = Mapping[str, Any]
NOISE = 0.005  # of a worth: what two means of the same option, one turned into other money draw by draw, may differ by


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A pilot's worth as it was decided.

    Attributes:
        text: The worth, in the pilot's own money.
        range: Of 8 in 10 outcomes.
        about: The worth in the portfolio's money, where that is another; empty otherwise.
        mean: The worth in the portfolio's money.
        low: The lower end of the range in the portfolio's money.
        high: The upper end of the range in the portfolio's money.
        chance: That it pays; None where that is not known.
    """

    text: str
    range: str
    about: str
    mean: float
    low: float
    high: float
    chance: float | None

    @property
    def whole(self) -> str:
        """The worth with what it is about in the portfolio's money."""
        return f"{self.text} ({self.about})" if self.about else self.text


def decided(found: Found, pilot: str) -> Decided | None:
    """A pilot's worth as it was decided; None where it has none, or none in the portfolio's money.

    Args:
        found: What `portfolio.json` holds; one of an earlier version tells the worth that it has.
        pilot: Its name.
    """
    row = next((p for p in found["pilots"] if p["pilot"] == pilot), None)
    if row is None:
        return None
    common = str(found["currency"])
    told, rate = row.get("as_decided"), words.finite(row.get("rate"))
    if told is None:
        if row["worth"] is None:
            return None
        told, rate = {**row["worth"], "chance": row["chance"], "currency": common}, 1.0
    if rate is None:
        return None
    mean, low, high, currency = told["mean"], told["p10"], told["p90"], str(told["currency"])
    return Decided(
        text=words.amount(mean, currency),
        range=words.amount_range(low, high, currency, mean),
        about="" if currency == common else f"about {words.amount(mean * rate, common)}",
        mean=mean * rate,
        low=low * rate,
        high=high * rate,
        chance=told["chance"],
    )


def apart(row: Found, found: Found) -> str:
    """By how much what counts in the set differs from a pilot's worth, and why; empty where it does not.

    Args:
        row: Of the set, of what is held back or of what is next: `pilot`, `worth`, `running` and `kind` where known.
        found: What `portfolio.json` holds.
    """
    own = decided(found, row["pilot"])
    counts = row["worth"]["mean"] if isinstance(row["worth"], Mapping) else row["worth"]
    if own is None or counts is None:
        return ""
    more = counts - own.mean
    if abs(more) <= NOISE * max(abs(own.mean), abs(counts)):
        return ""
    pilot = next(p for p in found["pilots"] if p["pilot"] == row["pilot"])
    if row.get("running"):
        why = f"only what is left of it, what {words.plural(row['running'], 'month')} cost and brought being behind"
    elif pilot["decided"] != pilot["verdict"]:
        why = "as people decided in place of the verdict"
    else:
        why = "another plan than the one advised"
    return f"counts here with {words.amount(abs(more), found['currency'])} {'more' if more > 0 else 'less'}: {why}"


def by_months(months: Found | None, currency: str) -> str:
    """By how much what months show of a whole plan differs from what was decided; empty without months."""
    gap = _gap(months, currency)
    return (
        f"by {words.plural(months['count'], 'month')}, the whole plan is worth {gap}"
        if months and gap
        else ""
    )


def _gap(months: Found | None, currency: str) -> str:
    now, before = (words.finite(((months or {}).get(key) or {}).get("mean")) for key in ("now", "before"))
    if now is None or before is None:
        return ""
    return f"{words.amount(abs(now - before), currency)} {'more' if now > before else 'less'} than decided"


def running_said(months: Found | None, record: Mapping[str, Any]) -> str:
    """What a business case opens with whose plan runs already, as its months show; empty where none is known.

    Args:
        months: As `roi.operating.months_of` gives it.
        record: The record of the decision.
    """
    currency = str(record.get("currency"))
    gap = _gap(months, currency)
    if not months or not gap or governing(record) != months.get("verdict"):
        return ""
    left = months.get("going_on")
    on = "" if not left else f"; from here on {words.amount(left['mean'], currency)}"
    return (
        f"In operation: by its {words.plural(months['count'], 'month')} the plan is worth "
        f"{words.amount(months['now']['mean'], currency)}, {gap}{on}. Nothing new is asked for."
    )


def rows_of_set(found: Found) -> list[dict[str, Any]]:
    """The rows of the set: each pilot's one worth, and what counts beside it as a difference with its reason."""
    order = {x["pilot"]: x for x in found["order"]}
    rows = []
    for x in found["set"]["funded"]:
        own, wait = decided(found, x["pilot"]), order.get(x["pilot"]) or {}
        notes = [text] if (text := apart(x, found)) else []
        if (wait.get("lost_while_waiting") or 0.0) > 0:
            lost = words.amount(wait["lost_while_waiting"], found["currency"])
            who = words.and_list(words.shorten(name, 40) for name in wait["builders"])
            notes.append(f"about {lost} less while it waits for {who}")
        raw = next((y["raw"] for y in found["shrinkage"]["pilots"] if y["pilot"] == x["pilot"]), None)
        luck = None if raw is None or x["shrunk"] is None else x["shrunk"] - raw
        chance = x["chance"] if own is None or own.chance is None else own.chance
        rows.append({**x, "own": own, "notes": notes, "luck": luck, "chance": chance})
    return rows
