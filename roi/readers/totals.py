"""Rows that sum up a table are no cases of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from roi.readers.base import literal

__all__ = ["TOTAL", "is_sum", "is_total", "no_total_sql", "plain_sql", "total_sql"]

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
_DIGITS = tuple(f"'{digit}'" for digit in range(10))
_WHITE = tuple(f"chr({code})" for code in (9, 10, 12, 13, 32, 160))
_EXACT = (*_SUMS, *_MEANS, *_OTHERS)
_ENDS = ("total", "totals", "subtotal", "ergebnis", "summe", "gesamt", "totale", "average", "mittelwert")


def _any(words: tuple[str, ...]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=lambda w: (-len(w), w)))


_CLOSED = r"[\s:=.*]*"
_SUM = re.compile(rf"\s*(?:{_any(_SUMS)}){_CLOSED}", re.IGNORECASE)
# The same pattern for Python and for the engine.
TOTAL = rf"\s*(?:{_any(_EXACT)}|(?:{_any((*_SUMS, *_MEANS))})\s.*|.*\s(?:{_any(_ENDS)})){_CLOSED}"
"""Of a text in small letters; the dot is any sign."""
_TOTAL = f"(?i){TOTAL}"
_TOTAL_OF = re.compile(_TOTAL, re.DOTALL)


def is_sum(text: str) -> bool:
    """Whether a text is a word for a sum and hardly anything else, unlike `all` or `max`."""
    return _SUM.fullmatch(text) is not None


def is_total(text: str) -> bool:
    """Whether a text in place of a key names a sum or a mean: `Total`, `Total e-mail`, `e-mail Total`, `Summe:`."""
    return _TOTAL_OF.fullmatch(text) is not None


def total_sql(text: str) -> str:
    """`is_total` as SQL that is true, false or NULL where the text is."""
    # One pattern, for the engine turns a long list of words into a join, which loses the order of the rows.
    return f"regexp_full_match({text}, {literal(_TOTAL)}, 's')"


def no_total_sql(text: str) -> str:
    """SQL that is true of most texts that are no total: one word that ends in a digit, as no word for a sum does."""
    return f"(({_any_of('ends_with', text, _DIGITS)}) and not ({_any_of('contains', text, _WHITE)}))"


def plain_sql(text: str, head: str) -> str:
    """SQL that is true of most texts that are no total and have no blanks around them.

    Such a text is one word with a digit in it; or it begins as no word for a sum does, and ends in a digit.

    Args:
        text: SQL of the text.
        head: What most of the texts begin with.
    """
    word = f"not ({_any_of('contains', text, _WHITE)}) and ({_any_of('contains', text, _DIGITS)})"
    small = head.casefold()
    if not small[:1].isalnum() or any(w.startswith(small) or small.startswith(w) for w in _EXACT):
        return f"({word})"
    return f"(starts_with({text}, {literal(head)}) and ({_any_of('ends_with', text, _DIGITS)}) or {word})"


def _any_of(test: str, text: str, signs: Sequence[str]) -> str:
    return " or ".join(f"{test}({text}, {sign})" for sign in signs)
