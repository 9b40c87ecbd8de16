"""What people write around a number: units, currencies, brackets for what is below zero."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from roi.readers.base import literal

__all__ = ["CURRENCY_SIGNS", "GAPS", "UNIT_WORDS", "Dress", "one_of", "undress"]

GAPS = r"\s\x{00A0}\x{202F}\x{2009}\x{2007}"
"""White space of every width, inside a character class."""

UNIT_WORDS: Mapping[str, tuple[str, ...]] = {
    "milliseconds": ("ms", "msec", "millisecond", "milliseconds", "millisekunden"),
    "seconds": (
        *("s", "sec", "sec.", "secs", "second", "seconds", "sek", "sek.", "sekunde", "sekunden"),
        *("seconde", "secondes", "segundo", "segundos"),
    ),
    "minutes": ("m", "min", "min.", "mins", "mins.", "minute", "minutes", "minuten", "minuto", "minutos"),
    "hours": (
        *("h", "hr", "hrs", "hour", "hours", "std", "std.", "stunde", "stunden"),
        *("heure", "heures", "hora", "horas"),
    ),
    "days": ("d", "day", "days", "tag", "tage", "jour", "jours", "día", "días"),
}
"""How a text says the unit of its number, in English, German, French and Spanish."""

_DOLLARS = ("AUD", "CAD", "HKD", "MXN", "NZD", "SGD", "USD")
CURRENCY_SIGNS: Mapping[str, tuple[str, ...]] = {
    "EUR": ("€", "EUR", "euro", "euros"),
    "GBP": ("£", "GBP"),
    "JPY": ("¥", "JPY"),
    "CNY": ("¥", "CNY", "RMB"),
    "CHF": ("CHF", "Fr.", "SFr."),
    "PLN": ("zł", "PLN"),
    "INR": ("₹", "INR"),
    **{code: ("kr", "kr.", code) for code in ("DKK", "NOK", "SEK")},
    **{code: ("$", f"{code[:2]}$", code) for code in _DOLLARS},
}
"""How a text says the currency of its amount."""


@dataclass(frozen=True, slots=True)
class Dress:
    """What may stand around the numbers of a column, as patterns; "" for nothing.

    Attributes:
        before: Signs before the number.
        after: Signs and words after it.
    """

    before: str = ""
    after: str = ""


def one_of(words: tuple[str, ...]) -> str:
    """A pattern of any of some words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda w: (-len(w), w)))


def undress(text: str, dress: Dress) -> str:
    """SQL of a number's text without what may stand around it, and with a plain minus before it.

    `(12.00)`, `12.00-` and a typographic minus are below zero; an apostrophe before a number is how a spreadsheet
    keeps it a text.

    Args:
        text: SQL of the text.
        dress: What may stand around it.
    """
    bare = f"ltrim(replace({text}, chr(8722), '-'), chr(39))"
    bare = f"regexp_replace({bare}, '^\\(([^()-]+)\\)$', '-\\1')"
    if dress.before:
        before = literal(f"(?i)^([-+]?)[{GAPS}]*(?:{dress.before})[{GAPS}]*")
        bare = f"regexp_replace({bare}, {before}, '\\1')"
    if dress.after:
        after = literal(f"(?i)[{GAPS}]*(?:{dress.after})$")
        bare = f"regexp_replace({bare}, {after}, '')"
    return f"regexp_replace({bare}, '^([0-9][^-]*)-$', '-\\1')"
