"""Letters of names that can be folded the same in every database, whatever its collation says of them.

Names of people are hashed where they lie, and must get the pseudonym that they would get here. What `lower` makes of a
letter beyond ASCII depends on a database's settings, and not every one composes Unicode; so letters are exchanged one
by one by a list of ours, and a name with any other sign is not folded but refused.
"""

from __future__ import annotations

import unicodedata
from functools import cache

__all__ = ["ACCENTED", "BARE", "LARGE", "SMALL", "SPACES", "known_letters", "letter_class"]

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


_PAIRS = [
    (letter, small)
    for letter in (chr(i) for low, high in ((0x41, 0x5A), *_CASED) for i in range(low, high + 1))
    if _folds(letter) and (small := letter.lower()) != letter
]
LARGE = "".join(large for large, _ in _PAIRS)
SMALL = "".join(small for _, small in _PAIRS)
_MARKED = [
    (letter, bare)
    for letter in known_letters()
    if len(parts := unicodedata.normalize("NFD", letter)) > 1
    and len(bare := "".join(p for p in parts if unicodedata.category(p) != "Mn")) == 1
]
ACCENTED = "".join(letter for letter, _ in _MARKED)
"""Letters with accents, and what is left of each without."""
BARE = "".join(bare for _, bare in _MARKED)
