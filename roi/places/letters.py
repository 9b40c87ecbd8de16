"""Letters of names that can be folded the same in every database, whatever its collation says of them.

Names of people are hashed where they lie, and must get the pseudonym that they would get here. What `lower` makes of a
letter beyond ASCII depends on a database's settings, and not every one composes Unicode; so letters are exchanged one
by one by a list of ours, and a name with any other sign is not folded but refused.
"""

from __future__ import annotations

import unicodedata
from functools import cache

__all__ = ["SPACES", "accented_and_bare", "known_letters", "large_and_small", "letter_class"]

SPACES = (
    "\t\n\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000"
)
"""White space besides the plain blank, as `roi.privacy.person` has it."""

_CASED = ((0x00C0, 0x024F), (0x0386, 0x03CE), (0x0400, 0x045F))  # Latin, Greek, Cyrillic
# Signs without large and small forms, of which none changes when a text is composed.
_PLAIN = (
    (0x0020, 0x007E),
    (0x00A1, 0x00BF),
    (0x05D0, 0x05EA),  # Hebrew
    (0x0621, 0x064A),  # Arabic
    (0x0E01, 0x0E30),  # Thai
    (0x3041, 0x3096),  # Hiragana
    (0x30A1, 0x30FC),  # Katakana
    (0x4E00, 0x9FFF),  # Han
    (0xAC00, 0xD7A3),  # Hangul
)


def _folds(letter: str) -> bool:
    """Whether a letter is one sign composed, and its small form is one sign."""
    small = letter.lower()
    same = unicodedata.normalize("NFC", letter) == letter and unicodedata.normalize("NFC", small) == small
    return same and len(small) == 1 and unicodedata.category(letter) in ("Lu", "Ll", "Lo", "Lt", "Pd", "Sm")


@cache
def known_letters() -> tuple[str, ...]:
    """Every sign that a name may hold."""
    cased = [chr(i) for low, high in _CASED for i in range(low, high + 1) if _folds(chr(i))]
    plain = [chr(i) for low, high in _PLAIN for i in range(low, high + 1)]
    return tuple(sorted({*cased, *plain, *SPACES}))


def letter_class() -> str:
    """The inside of a bracket of a regular expression that matches a known sign; ranges, so that it stays short."""
    runs: list[list[int]] = []
    for code in map(ord, known_letters()):
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    parts = []
    for low, high in runs:
        ends = [_escaped(chr(low)), _escaped(chr(high))]
        parts.append(ends[0] if low == high else f"{ends[0]}-{ends[1]}")
    return "".join(parts)


def _escaped(sign: str) -> str:
    return "\\" + sign if sign in "\\]^-[" else sign


@cache
def large_and_small() -> tuple[str, str]:
    """Letters that have a small form, and that form of each."""
    cased = (chr(i) for low, high in ((0x41, 0x5A), *_CASED) for i in range(low, high + 1))
    pairs = [(x, x.lower()) for x in cased if _folds(x) and x.lower() != x]
    return "".join(large for large, _ in pairs), "".join(small for _, small in pairs)


@cache
def accented_and_bare() -> tuple[str, str]:
    """Letters with accents, and what is left of each without."""
    marked = [
        (letter, bare)
        for letter in known_letters()
        if len(parts := unicodedata.normalize("NFD", letter)) > 1
        and len(bare := "".join(p for p in parts if unicodedata.category(p) != "Mn")) == 1
    ]
    return "".join(letter for letter, _ in marked), "".join(bare for _, bare in marked)
