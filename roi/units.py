"""A value and its range in the way their unit is said, rounded alike; the one place where a unit becomes text."""

from __future__ import annotations

import re

from roi import words
from roi.rounding import as_fine_as

__all__ = ["figure", "percents", "quantity", "span"]

# Whole ones of these are told as such: nobody waits "6.00 months".
COUNTED = ("months", "month", "weeks", "week", "days", "day", "years", "seats")
WHOLE = 1e-9


def quantity(x: object, unit: object, *, unknown: str = words.UNKNOWN) -> str:
    """A value in the way its unit is said: "5.2 %", "3.40 min", "EUR 0.12", "EUR 0.894 per USD".

    Args:
        x: The value.
        unit: As records have it: `share`, `min/case`, `EUR/hour`, `EUR per USD`; what it is by is left to the label.
        unknown: What to say when it is unknown.
    """
    value = words.finite(x)
    if value is None:
        return unknown
    first, per = _parts(unit)
    if first in ("share", "1"):
        return words.percent(value)
    if re.fullmatch("[A-Z]{3}", first):
        return f"{first}{words.NBSP}{words.number(value)} per {per}" if per else words.amount(value, first)
    return f"{figure(value, unit)} {first}".strip()


def figure(x: object, unit: object) -> str:
    """The same without the name of its unit where that is no money and no share: "3.40" of minutes, always so fine."""
    first, _ = _parts(unit)
    if first in ("share", "1") or re.fullmatch("[A-Z]{3}", first):
        return quantity(x, unit)
    value = words.finite(x)
    if first in COUNTED and value is not None and abs(value - round(value)) < WHOLE:
        return words.count(value)  # "6 months", not "6.00 months"
    return words.minutes(x) if first == "min" else words.number(x)


def span(low: object, high: object, unit: object, about: object = None, *, bare: bool = False) -> str:
    """Two ends of a range as fine as the figure beside them, the unit said once: "2.45 to 4.35 min".

    Args:
        low: The lower end.
        high: The upper end.
        unit: As of `quantity`.
        about: The figure beside which the range stands.
        bare: Leave the unit out where it is no money and no share.
    """
    first, per = _parts(unit)
    a, b = words.finite(low), words.finite(high)
    if a is None or b is None:
        return words.UNKNOWN
    if first in ("share", "1"):
        return percents(a, b, about)
    if re.fullmatch("[A-Z]{3}", first):
        if per:
            return f"{first}{words.NBSP}{words.edges(a, b, about=about)} per {per}"
        return words.amount_range(a, b, first, about)
    ends = [words.minutes(x) for x in (a, b)]
    text = " to ".join(dict.fromkeys(ends)) if first == "min" else words.edges(a, b, about=about)
    return text if bare else f"{text} {first}".strip()


def percents(low: object, high: object, about: object = None) -> str:
    """Two shares as per cent, as fine as the figure beside them: of 5.2 % it is "3.1 % to 12.4 %"."""
    a, b, mean = words.finite(low), words.finite(high), words.finite(about)
    if a is None or b is None:
        return words.UNKNOWN
    if mean is None:
        return f"{words.percent(a)} to {words.percent(b)}"
    size = as_fine_as(max(abs(a), abs(b)), mean)
    told = words.percent(size).rstrip(f"{words.NBSP}%")
    places = len(told.partition(".")[2])
    ends = [f"{round(100 * x, places) + 0.0:,.{places}f}".replace("-", words.MINUS) for x in (a, b)]
    return " to ".join(f"{end}{words.NBSP}%" for end in dict.fromkeys(ends))


def _parts(unit: object) -> tuple[str, str]:
    first, _, per = str(unit or "").partition("/")[0].partition(" per ")
    return first, per
