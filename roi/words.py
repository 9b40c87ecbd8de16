"""Numbers, money, dates and chances as people say them; the one place where rounding happens."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from roi.rounding import as_fine_as, three_digits

__all__ = [
    "CONTROLS",
    "advised",
    "advised_name",
    "amount",
    "amount_range",
    "and_list",
    "as_decided",
    "at_least",
    "at_most",
    "axis_amount",
    "capital",
    "chance",
    "chance_dots",
    "count",
    "day",
    "edges",
    "evidence_word",
    "finite",
    "minutes",
    "month_of",
    "month_word",
    "number",
    "percent",
    "plural",
    "shorten",
    "signed_amount",
    "verdict_word",
]

UNKNOWN = "not known"
NBSP = "\u00a0"
MINUS = "\u2212"
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
CONTROLS = ("bounded_access", "human_approval", "audit_trail", "evaluation", "rollback")
VERDICTS = {"kill": "Kill", "fix": "Fix", "scale": "Scale"}
EVIDENCE = {
    "measured": "measured",
    "sourced": "from a document",
    "assumed": "assumed",
    "default": "package default",
    "missing": "missing",
}

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def finite(x: object) -> float | None:
    """A number that may be shown, or None.

    Args:
        x: A value of a record.

    Returns:
        `x` as a float; None for None, texts, truth values, NaN and infinities.
    """
    if isinstance(x, bool) or not isinstance(x, (int, float)):
        return None
    value = float(x)
    return value if math.isfinite(value) else None


def number(x: object, digits: int = 3, *, unknown: str = UNKNOWN) -> str:
    """A number with so many significant digits, thousands parted by commas.

    Args:
        x: The number; anything that is no finite number counts as unknown.
        digits: Significant digits; whole numbers of more digits keep their thousands rounded.
        unknown: What to say when it is unknown.
    """
    value = finite(x)
    if value is None:
        return unknown
    if abs(value) < 1e-9:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    places = digits - 1 - math.floor(math.log10(abs(rounded)))  # 9.996 becomes 10.0, not 10.00
    text = f"{abs(rounded):,.{max(0, places)}f}"
    return (MINUS if rounded < 0 else "") + text


def minutes(x: object) -> str:
    """Minutes a case to the hundredth, so that small and large ones line up: "2.91", "−0.41", "0.01"."""
    value = finite(x)
    return UNKNOWN if value is None else f"{round(value, 2) + 0.0:.2f}".replace("-", MINUS)


def count(x: object) -> str:
    """A whole number, never rounded: how many cases, rows or people."""
    value = finite(x)
    return UNKNOWN if value is None else f"{value:,.0f}".replace("-", MINUS)


def percent(x: object, *, unknown: str = UNKNOWN) -> str:
    """A share as per cent: 0.304 is "30 %", 0.0064 is "0.64 %"."""
    value = finite(x)
    if value is None:
        return unknown
    hundred = value * 100
    if abs(hundred) < 0.0005:
        text = "0"
    elif abs(hundred) < 1:
        text = number(hundred, 2)
    elif abs(hundred) < 10 or 99 < abs(hundred) < 100:
        text = f"{hundred:.1f}".replace("-", MINUS)
    else:
        text = f"{hundred:,.0f}".replace("-", MINUS)
    return f"{text}{NBSP}%"


def at_most(x: object, limit: float | None = None) -> str:
    """An upper bound of a share as per cent, never less than it is, and on the same side of a limit as it is.

    Args:
        x: The bound: of 0.020038 it is "2.1 %", so that "at most …" is true.
        limit: What it is held against; as many digits are told as it takes not to reach or cross it.
    """
    return _bound(x, limit, ROUND_CEILING)


def at_least(x: object, limit: float | None = None) -> str:
    """A lower bound of a share as per cent, never more than it is: 0.79996 is "79 %"; arguments as of `at_most`."""
    return _bound(x, limit, ROUND_FLOOR)


def _bound(x: object, limit: float | None, towards: str) -> str:
    value = finite(x)
    if value is None:
        return UNKNOWN
    # Twelve places: what differs less is the noise of the arithmetic, which must not move the last digit told.
    bound = Decimal(str(round(value, 12))) * 100
    held = None if limit is None else Decimal(str(round(limit, 12))) * 100
    size = abs(bound)
    places = 0
    if 0 < size < 1:
        places = 1 - max(size.adjusted(), -4)
    elif 0 < size < 10 or 99 < size < 100:
        places = 1
    told = bound.quantize(Decimal(1).scaleb(-places), towards)
    while held is not None and (told > held, told < held) != (bound > held, bound < held) and places < 12:
        places += 1
        told = bound.quantize(Decimal(1).scaleb(-places), towards)
    text = f"{told:,f}"
    if told == told.to_integral_value():
        text = f"{told:,.{1 if 0 < abs(told) < 10 else 0}f}"
    return f"{text.replace('-', MINUS)}{NBSP}%"


def _scale(*values: float) -> tuple[float, str]:
    largest = max(abs(v) for v in values)
    if largest >= 999_500_000:
        return 1e9, " billion"
    if largest >= 999_500:
        return 1e6, " million"
    return 1.0, ""


def _figure(value: float, factor: float, size: float) -> str:
    """One amount in units of `factor`, as fine as `size` (the larger end of its range) deserves."""
    if factor > 1:
        largest = size / factor
        places = 2 if largest < 10 else 1 if largest < 100 else 0
        text = f"{abs(value) / factor:,.{places}f}"
    elif size >= 10_000:
        text = f"{round(abs(value), -3):,.0f}"
    elif size >= 1_000:
        text = f"{round(abs(value), -1):,.0f}"
    elif size >= 100:
        text = f"{abs(value):,.0f}"
    elif size >= 1:
        text = f"{abs(value):,.2f}"
    else:
        text = "0" if abs(value) < 1e-6 else number(abs(value), 2)
    is_zero = not text.strip("0.,")
    return "0" if is_zero else (MINUS if value < 0 else "") + text


def amount(x: object, currency: str, *, unknown: str = UNKNOWN) -> str:
    """An amount of money: "EUR 184,000", "EUR −1.24 million", "EUR 0.042"."""
    value = finite(x)
    if value is None:
        return unknown
    factor, word = _scale(value)
    return f"{currency}{NBSP}{_figure(value, factor, abs(value))}{word.replace(' ', NBSP)}"


def signed_amount(x: object, currency: str, *, unknown: str = UNKNOWN) -> str:
    """An amount with its sign: "+EUR 184,000" or "−EUR 12,000"."""
    value = finite(x)
    if value is None:
        return unknown
    text = amount(abs(value), currency)
    if text == f"{currency}{NBSP}0":
        return text
    return ("+" if value > 0 else MINUS) + text


def amount_range(
    low: object, high: object, currency: str, about: object = None, *, unknown: str = UNKNOWN
) -> str:
    """Two ends of a range in one unit, "EUR −120,000 to 610,000"; one figure where both read the same.

    Args:
        low: The lower end.
        high: The upper end.
        currency: Its code.
        about: The figure beside which the range stands: below "EUR 998,000" it is "EUR 660,000 to 1,360,000", not "0.66
            to 1.36 million", unless an end has ten millions.
        unknown: What to say when an end is unknown.
    """
    a, b, mean = finite(low), finite(high), finite(about)
    if a is None or b is None:
        return unknown
    factor, word = _scale(a, b)
    size = max(abs(a), abs(b))
    if mean is not None and size < 10 * factor:
        factor, word = _scale(mean) if abs(mean) < size else (factor, word)
    fine = as_fine_as(size, mean if mean is not None and abs(mean) >= factor else None)
    if factor == 1 and fine < min(size, 10_000) and size >= 100:
        fine, (a, b) = max(fine, 100), three_digits(a, b)
    return f"{currency}{NBSP}{_span(_figure(x, factor, fine) for x in (a, b))}{word}"


def amounts_between(low: object, high: object, currency: str) -> str:
    """The same after a noun: "between EUR −120,000 and 610,000"; "at about EUR 610,000" where both read the same."""
    found = amount_range(low, high, currency)
    return f"between {found.replace(' to ', ' and ', 1)}" if " to " in found else f"at about {found}"


def edges(low: object, high: object, digits: int = 3, about: object = None) -> str:
    """Two ends of a range without unit, as fine as the larger one or its figure: "3.1 to 6.8", "0.80 to 1.40"."""
    a, b = finite(low), finite(high)
    if a is None or b is None:
        return UNKNOWN
    largest = as_fine_as(max(abs(a), abs(b)), finite(about))
    places = min(9, max(0, digits - 1 - math.floor(math.log10(largest)))) if largest else 0
    texts = [f"{round(x, places) + 0.0:,.{places}f}".replace("-", MINUS) for x in (a, b)]
    return _span(texts)


def _span(texts: Iterable[str]) -> str:
    """Two ends as printed, or one figure where they read the same."""
    return " to ".join(dict.fromkeys(texts))


def axis_amount(value: float) -> str:
    """An amount short enough for an axis, rounded as `amount` rounds: "250k", "−1.24M", "12k"."""
    size = abs(value)
    if size >= 1:
        value = round(value, -3) if 10_000 <= size < 100_000 else float(f"{value:.3g}")
    for factor, letter in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= factor:
            text = f"{abs(value) / factor:.3g}{letter}"
            return (MINUS if value < 0 else "") + text
    return (MINUS if value < 0 else "") + f"{abs(value):.3g}"


def chance_dots(p: object) -> int | None:
    """How many of ten dots a chance fills; None where it is unknown."""
    value = finite(p)
    return None if value is None else min(10, max(0, math.floor(value * 10 + 0.5)))


def chance(p: object, *, unknown: str = "cannot be said") -> str:
    """A chance as a frequency: "about 7 of 10"; near the ends "fewer than 1 of 20", "more than 19 of 20"."""
    value = finite(p)
    if value is None:
        return unknown
    if value < 0.01:
        return "fewer than 1 of 100"
    if value < 0.05:
        return "fewer than 1 of 20"
    if value > 0.99:
        return "more than 99 of 100"
    if value > 0.95:
        return "more than 19 of 20"
    dots = chance_dots(value)
    return f"about {dots} of 10"


def day(text: object, *, unknown: str = "no date set", short: bool = False) -> str:
    """An ISO date as "15 December 2026" ("15 Dec 2026"); a text that is no date comes back shortened."""
    if not isinstance(text, str) or not text:
        return unknown
    try:
        found = date.fromisoformat(text[:10])
    except ValueError:
        return shorten(text, 40)
    month = MONTHS[found.month - 1]
    return f"{found.day}{NBSP}{month[:3] if short else month}{NBSP}{found.year}"


def month_word(month: date) -> str:
    """The month of a day: "October 2026"."""
    return f"{MONTHS[month.month - 1]} {month.year}"


def month_of(text: str) -> str:
    """The month that "2026-10" names: "October 2026"."""
    try:
        return month_word(date.fromisoformat(f"{text[:7]}-01"))
    except ValueError:
        return shorten(text, 20)


def plural(n: object, one: str, many: str | None = None) -> str:
    """A count with its noun: "1 case", "212 cases"."""
    return f"{count(n)} {shorten(one if finite(n) == 1 else many or one + 's', 60)}"


def and_list(words: Iterable[str], last: str = "and") -> str:
    """Words as a list in a sentence: "a, b and c"."""
    items = list(words)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def capital(text: str) -> str:
    """The text with its first letter large."""
    return text[:1].upper() + text[1:]


def plain_cell(value: object) -> str:
    """A value as a cell of a CSV file that no spreadsheet takes for a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def shorten(text: object, most: int = 300) -> str:
    """One line of at most `most` characters; white space runs become one blank, control signs go."""
    kept = "".join(c if c.isprintable() or c.isspace() else " " for c in str(text))
    line = " ".join(kept.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def evidence_word(evidence: object) -> str:
    """Where a number comes from, in words."""
    return EVIDENCE.get(str(evidence), shorten(evidence, 30)) if evidence else UNKNOWN


def verdict_word(record: Mapping[str, Any]) -> str:
    """The verdict as one word with a capital letter."""
    return VERDICTS.get(str(record.get("verdict")), "No verdict")


def advised_name(record: Mapping[str, Any]) -> str:
    """Which option the record puts forward: kill, scale, scale_segments or fix."""
    verdict = str(record.get("verdict"))
    if verdict != "scale":
        return verdict
    plan = (record.get("money") or {}).get("plan")
    if plan in ("scale", "scale_segments"):
        return str(plan)
    return "scale" if (record.get("options") or {}).get("scale") else "scale_segments"


def advised(record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The option that the record puts forward, or None where its worth is unknown."""
    found = (record.get("options") or {}).get(advised_name(record))
    if isinstance(found, list):
        found = max(found, key=lambda o: finite(o.get("mean")) or -math.inf, default=None)
    return found or None


def as_decided(record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The option whose worth is a pilot's, wherever one is told: what is advised, for a kill the best turned down.

    Args:
        record: The record; None comes back where no option of it has a worth.
    """
    if record.get("verdict") != "kill":
        return advised(record)
    found = record.get("options") or {}
    rest = [found.get("scale"), *(found.get("scale_segments") or []), found.get("fix")]
    known = [option for option in rest if option and finite(option.get("mean")) is not None]
    return max(known, key=lambda option: float(option["mean"]), default=None)
