"""Rows that sum up a table are no cases of it."""

from __future__ import annotations

import re

from roi.readers.base import literal

__all__ = ["is_total", "is_total_of", "total_sql"]

_SUMS = (
    "total",
    "totals",
    "grand total",
    "sub total",
    "subtotal",
    "sub-total",
    "summe",
    "gesamt",
    "gesamtsumme",
    "gesamtergebnis",
    "zwischensumme",
    "zwischenergebnis",
    "insgesamt",
    "totale",
    "totale generale",
    "total général",
    "total general",
    "sous-total",
    "somme",
    "suma",
    "suma total",
    "totaal",
    "eindtotaal",
    "subtotaal",
)
_MEANS = (
    "average",
    "mean",
    "mittelwert",
    "durchschnitt",
    "moyenne",
    "promedio",
    "gemiddelde",
    "overall average",
)
_OTHERS = (
    "sum",
    "ergebnis",
    "ensemble",
    "all",
    "alle",
    "ø",
    "avg",
    "avg.",
    "median",
    "médiane",
    "mediana",
    "media",
    "count",
    "anzahl",
    "nombre",
    "min",
    "max",
    "minimum",
    "maximum",
    "∑",
    "σ",
)
_EXACT = frozenset((*_SUMS, *_MEANS, *_OTHERS))
_STARTS = tuple(sorted(f"{word} " for word in (*_SUMS, *_MEANS)))
_ENDS = (
    " total",
    " totals",
    " subtotal",
    " ergebnis",
    " summe",
    " gesamt",
    " totale",
    " average",
    " mittelwert",
)
_TRIMMED = re.compile(r"[\s:=.*]+$")


def _plain(text: str) -> str:
    return _TRIMMED.sub("", text.strip()).lower()


def is_total(text: str, *, sums_only: bool = False) -> bool:
    """Whether a text is a word for a sum, a mean or a count, in the languages of Western European spreadsheets.

    Args:
        text: A cell.
        sums_only: Whether `Total` and the like count, but not words such as `all` and `max` that are values, too.
    """
    return _plain(text) in (_SUMS if sums_only else _EXACT)


def is_total_of(text: str) -> bool:
    """Whether a text in place of a key names a sum: `Total`, `Total e-mail`, `e-mail Total`."""
    plain = _plain(text)
    return plain in _EXACT or plain.startswith(_STARTS) or plain.endswith(_ENDS)


def total_sql(text: str) -> str:
    """`is_total_of` as SQL that is true, false or NULL where the text is."""
    plain = f"lower(regexp_replace({text}, '[\\s:=.*]+$', ''))"
    listed = ", ".join(literal(word) for word in sorted(_EXACT))
    starts = " or ".join(f"starts_with({plain}, {literal(word)})" for word in _STARTS)
    ends = " or ".join(f"ends_with({plain}, {literal(word)})" for word in _ENDS)
    # Few keys hold more than one word or no digit, and only those are looked at closely.
    close = f"{plain} in ({listed}) or {starts} or {ends}"
    return f"(case when regexp_matches({text}, '^[^0-9]*$|[ \\t]') then {close} else false end)"
