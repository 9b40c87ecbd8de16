"""What a raw cell looks like: SQL that gives each a kind, and the numbers, times and units in it. Texts stay inside.

Nothing is settled here: which kind a field has, and so which of its cells are defective, follows from all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from roi.casts import DateStyle, number, time_value
from roi.dress import CURRENCY_SIGNS, GAPS, UNIT_WORDS, one_of
from roi.readers.base import literal

__all__ = [
    "AMBIGUOUS",
    "BLANK",
    "COMMA",
    "DATES",
    "DAY_FIRST",
    "EMAIL",
    "FLAG",
    "IBAN",
    "IMPOSSIBLE",
    "ISO",
    "KINDS",
    "MARK",
    "MONTH_FIRST",
    "NUMBERS",
    "POINT",
    "UNIT",
    "WHOLE",
    "among",
    "kind_of_cell",
    "number_in",
    "shape_of_cell",
    "time_in",
    "unit_in",
    "unit_name",
]

BLANK, MARK, WHOLE, POINT, COMMA, THREE, UNIT = range(7)
ISO, ISO_TIME, DOTTED, DAY_FIRST, MONTH_FIRST, AMBIGUOUS, NAMED, IMPOSSIBLE = range(7, 15)
EMAIL, IBAN, FLAG, TEXT = range(15, 19)
KINDS = (
    "blank", "placeholder", "whole number", "number with a point", "number with a comma", "number",
    "number with a unit", "ISO date", "ISO time", "dotted date", "day/month/year", "month/day/year",
    "date with slashes", "date with a month's name", "impossible date", "e-mail address", "IBAN",
    "yes or no", "text",
)  # fmt: skip
NUMBERS = (WHOLE, POINT, COMMA, THREE, UNIT)
DATES = (ISO, ISO_TIME, DOTTED, DAY_FIRST, MONTH_FIRST, AMBIGUOUS, NAMED)

# Words and signs that people write where they have no value. Words that are somebody's value ("none", "other") are none
# of them; a field's own marks are stated under `missing`.
_MARKS = (
    "-", "--", "---", "–", "—", ".", "..", "...", "?", "??", "???", "/", "//", "_", "*", "#", "x",
    "xx", "xxx", "xxxx", "n/a", "n.a.", "n. a.", "n/v", "#n/a", "#nv", "#wert!", "#value!", "#ref!",
    "#div/0!", "#name?", "null", "(null)", "nil", "nan", "undefined", "unknown", "(unknown)",
    "unbekannt", "inconnu", "desconocido", "tbd", "t.b.d.", "tba", "tbc", "todo", "to do", "missing",
    "fehlt", "(blank)", "(leer)", "(empty)", "empty", "leer", "k.a.", "k. a.", "keine angabe",
    "not available", "not applicable", "not known", "nicht bekannt", "non disponible", "asdf",
    "qwertz", "qwerty",
)  # fmt: skip
_EXACT_MARKS = ("None", "NA")  # as programs print what they do not have; "na" and "none" are words
_EPOCHS = (
    "0001-01-01", "1111-11-11", "1899-12-30", "1899-12-31", "1900-01-00", "1900-01-01", "1970-01-01",
    "2999-12-31", "9999-12-31",
)  # fmt: skip

_MEASURES = {
    **{
        u: (u,)
        for u in ("mm", "cm", "km", "mg", "g", "kg", "t", "ml", "cl", "l", "kw", "kwh", "mb", "gb", "pt")
    },
    "m²": ("m²", "m2", "qm", "sqm"),
    "m³": ("m³", "m3", "cbm"),
    "%": ("%", "percent", "prozent"),
    "miles": ("mi", "mile", "miles", "meilen"),
    "feet": ("ft", "feet", "foot"),
    "inches": ("in", "inch", "inches", "zoll"),
    "pounds": ("lb", "lbs", "pound", "pounds"),
    "pieces": ("pc", "pcs", "piece", "pieces", "stk", "stk.", "stück"),
    "°C": ("°c",),
    "°F": ("°f",),
}
# A sign that several currencies share is a unit of its own: two signs differ, two readings of one sign do not.
_SIGNS = {
    "€": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "¥": "¥", "$": "$", "zł": "PLN", "₹": "INR",
    "kr": "kr", "kr.": "kr", "fr.": "CHF", "sfr.": "CHF",
}  # fmt: skip
_UNITS: dict[str, str] = {
    **{
        word: name for name, words in UNIT_WORDS.items() for word in words if word not in ("m", "s", "d", "t")
    },
    **{code.lower(): code for code in CURRENCY_SIGNS},
    **_SIGNS,
    **{word: name for name, words in _MEASURES.items() for word in words},
    "m": "m",
}
_FIGURE = rf"[-+]?\d[\d.,'’{GAPS}]*"
_SUFFIX = rf"(?i)^{_FIGURE}({one_of(tuple(_UNITS))})$"
_BEFORE = tuple(w for w in _UNITS if _UNITS[w] in {*CURRENCY_SIGNS, *_SIGNS.values()})
_PREFIX = rf"(?i)^({one_of(_BEFORE)})[{GAPS}]*{_FIGURE}$"
_IBAN_FORM = rf"(?i)[a-z]{{2}}\d{{2}}[{GAPS}]?([a-z0-9]{{4}}[{GAPS}]?){{2,7}}[a-z0-9]{{1,4}}"
_EMAIL_FORM = r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+"
_CLOCK = r"\d{1,2}:\d{2}.*"
_ISO_FORM = rf"[12]\d{{3}}-\d{{2}}-\d{{2}}([T ]{_CLOCK})?"
_DOTTED_FORM = rf"\d{{1,2}}\.\d{{1,2}}\.(\d{{4}}|\d{{2}})( {_CLOCK})?"
_SLASHED_FORM = rf"\d{{1,2}}[/-]\d{{1,2}}[/-](\d{{4}}|\d{{2}})( {_CLOCK})?"
_NAMED_FORM = r"(\d{1,2}\.?[ -][A-Za-zä]{3,9}\.?[ -]|[A-Za-z]{3,9} \d{1,2},? )[12]\d{3}( .*)?"
_WHOLE_FORM = r"[-+]?\d{1,30}"
_THREE_FORM = r"[-+]?[1-9]\d{0,2}[.,]\d{3}"  # thousands or decimals: the other values of the field tell
_POINT_FORM = (
    rf"[-+]?((\d{{1,3}}([,'’{GAPS}]\d{{3}})+|\d+)?\.\d+([eE][-+]?\d{{1,3}})?|\d{{1,3}}(,\d{{3}}){{2,}})"
)
_COMMA_FORM = rf"[-+]?((\d{{1,3}}([.'’{GAPS}]\d{{3}})+|\d+)?,\d+|\d{{1,3}}(\.\d{{3}}){{2,}})"
_SPACED_FORM = rf"[-+]?\d{{1,3}}(['’{GAPS}]\d{{3}})+"
_SLASHED = r"^(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d{2})\b"


def among(kind: str, group: Sequence[int]) -> str:
    """SQL that is true of a kind of a group. Not `in`, of which the engine makes a join that takes long to plan."""
    return f"({sum(1 << k for k in group)} >> {kind}::int) & 1 = 1"


def unit_name(word: str) -> str:
    """A unit as this module names it, whatever way it is written."""
    return _UNITS.get(word.lower(), word)


def _any(texts: Sequence[str], cell: str) -> str:
    return f"list_contains([{', '.join(literal(t) for t in texts)}], {cell})"


def kind_of_cell(t: str) -> str:
    """SQL of the kind of a cleaned cell (NULL where blank), a small number; `t` is a name, for it is repeated."""

    def full(pattern: str) -> str:
        return f"regexp_full_match({t}, {literal(pattern)})"

    one, two = (f"try_cast(regexp_extract({t}, {literal(_SLASHED)}, {i}) as integer)" for i in (1, 2))
    day = f"try_strptime(regexp_extract({t}, '^[0-9.]+'), ['%d.%m.%Y', '%d.%m.%y'])"
    dated = (
        f"case when {full(_ISO_FORM)} then case when try_cast(left({t}, 10) as date) is null then {IMPOSSIBLE} "
        f"when length({t}) = 10 then {ISO} else {ISO_TIME} end "
        f"when {full(_DOTTED_FORM)} then case when {day} is null then {IMPOSSIBLE} else {DOTTED} end "
        f"when {full(_SLASHED_FORM)} then case "
        f"when {one} > 31 or {two} > 31 or ({one} > 12 and {two} > 12) or {one} = 0 or {two} = 0 then {IMPOSSIBLE} "
        f"when {one} > 12 then {DAY_FIRST} when {two} > 12 then {MONTH_FIRST} else {AMBIGUOUS} end "
        f"when {full(_NAMED_FORM)} then {NAMED}"
    )
    figures = (
        f"case when {full(_WHOLE_FORM)} then {WHOLE} when {full(_THREE_FORM)} then {THREE} "
        f"when {full(_POINT_FORM)} then {POINT} when {full(_COMMA_FORM)} then {COMMA} "
        f"when {full(_SPACED_FORM)} then {WHOLE} end"
    )
    united = f"regexp_matches({t}, {literal(_SUFFIX)}) or regexp_matches({t}, {literal(_PREFIX)})"
    digits = f"regexp_matches({t}, '[0-9]')"
    words = _any(("true", "false", "yes", "no", "ja", "nein", "oui", "non", "y", "n", "j"), f"lower({t})")
    # Each cell meets few patterns: what its first sign tells is asked before.
    return (
        f"case when {t} is null then {BLANK} when length({t}) > 300 then {TEXT} "
        f"when {_any(_MARKS, f'lower({t})')} or {_any(_EXACT_MARKS, t)} or {_epoch(t)} then {MARK} "
        f"when regexp_matches({t}, '^[-+0-9.,]') and {digits} "
        f"then coalesce({figures}, {dated} when {united} then {UNIT} end, {TEXT}) "
        f"when {full(_EMAIL_FORM)} then {EMAIL} "
        f"when {digits} then case when {full(_IBAN_FORM)} then {IBAN} "
        f"when {united} then {UNIT} else coalesce({dated} end, {TEXT}) end "
        f"when {words} then {FLAG} else {TEXT} end::utinyint"
    )


def _epoch(t: str) -> str:
    """Whether a date is one that programs write for none."""
    forms = [*_EPOCHS]
    for date in _EPOCHS:
        year, month, day = date.split("-")
        forms += [f"{day}.{month}.{year}", f"{day}/{month}/{year}", f"{month}/{day}/{year}"]
    midnight = r"[T ]00:00(:00(\.0+)?)?(Z|[+-]\d\d:?\d\d)?$"
    bare = f"regexp_replace({t}, {literal(midnight)}, '')"
    return f"{_any(sorted(set(forms)), bare)}"


def shape_of_cell(t: str) -> str:
    """SQL of the form of a cell: letters are A, digits 9, other signs themselves; A… are four letters and more.

    Up to three digits in a row are 9…: numbers that count upwards have one more some day, and are no other form then.
    """
    shape = f"regexp_replace(regexp_replace({t}, '\\p{{L}}', 'A', 'g'), '[0-9]', '9', 'g')"
    shape = f"regexp_replace({shape}, 'A{{4,}}', 'A…', 'g')"
    few = "'(^|[^9])9{1,3}($|[^9…])', '\\1_\\2', 'g'"  # twice, for a sign between two numbers ends one match
    return f"replace(regexp_replace(regexp_replace({shape}, {few}), {few}), '_', '9…')"


def unit_in(t: str) -> str:
    """SQL of the unit beside a number, as this module names it; NULL without one."""
    word = (
        f"lower(coalesce(nullif(regexp_extract({t}, {literal(_SUFFIX)}, 1), ''), "
        f"nullif(regexp_extract({t}, {literal(_PREFIX)}, 1), '')))"
    )
    keys, values = ", ".join(literal(w) for w in _UNITS), ", ".join(literal(u) for u in _UNITS.values())
    return f"map([{keys}], [{values}])[{word}]"


def number_in(t: str, style: Literal["dot", "comma"]) -> str:
    """SQL of the number in a cell, with or without a unit; NULL where it is none in this style."""
    figure = f"regexp_extract({t}, '[-+]?[0-9.,][0-9.,''’]*')"
    return number(figure, style, 18, 6)


def time_in(t: str, kind: str, style: DateStyle, timezone: str) -> str:
    """SQL of the UTC time in a cell of a kind; dates with slashes are read in `style`."""
    iso, other = (
        time_value(t, "iso", timezone),
        time_value(t, "day_first" if style == "iso" else style, timezone),
    )
    named = time_value(t, "day_first", timezone)
    return (
        f"case when {among(kind, (ISO, ISO_TIME))} then {iso} when {among(kind, (DOTTED, NAMED))} then {named} "
        f"when {among(kind, (DAY_FIRST, MONTH_FIRST, AMBIGUOUS))} then {other} end"
    )
