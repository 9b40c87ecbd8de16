"""Names of people, compared as people compare them: by their words, in any order, without titles and brackets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

__all__ = ["distinct", "is_same", "name_words", "names_a_person", "people", "plain"]

Name = frozenset[str]

TITLES = frozenset(
    """
    dr prof dipl ing mag mr mrs ms mx miss sir herr frau mme mlle sr sra phd md mba
    """.split()  # noqa: SIM905 – a list to read
)
# Words of which names of teams are made, in the languages of those who wrote the parameter files so far.
TEAMS = frozenset(
    """
    abteilung accounting administration analyse analysis analyst analysts analytics analytik audit bereich
    bureau business buro center centre committee company compliance consulting controlling corporate council
    crew customer data delivery department dept design desk development digital direction division engineering
    enterprise excellence finance finanzen fachbereich gmbh group gruppe head hub human innovation insights
    intelligence internal intake it knowledge lab labs leitung ltd management marketing office operations ops
    organisation organization partners planning pmo portfolio procurement process product programme program
    project quality referat research resources revision risk sales science service services solutions squad
    staff stab strategy support task taskforce team teams technology transformation unit vendor workflow
    """.split()  # noqa: SIM905 – a list to read
)
BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]|\{([^{}]*)\}|<([^<>]*)>")
BETWEEN = re.compile(r"[;/&+|\n]|\s[-–—]\s|\b(?:and|und|et|y|with|mit)\b", re.IGNORECASE)


def plain(text: str) -> str:
    """A text of a user without control signs and with single blanks."""
    shown = "".join(
        c if unicodedata.category(c)[0] != "C" else " " for c in unicodedata.normalize("NFC", text)
    )
    return " ".join(shown.split())


def name_words(name: str) -> Name:
    """The words of a name: without what stands in brackets, titles, accents, case and a middle initial.

    A name that is all brackets is what stands in them. Two names are one person's where their words match (`is_same`).
    """
    bare = unicodedata.normalize("NFKD", plain(name)).casefold()
    bare = "".join(c for c in bare if not unicodedata.combining(c))
    found = _split(_outside(bare)) or _split(bare)
    named = [word for word in found if word not in TITLES] or found
    written_out = [word for word in named if len(word) > 1]
    return frozenset(written_out if len(written_out) > 1 else named)


def _outside(text: str) -> str:
    """A text without what stands in brackets, within others or never closed ones too."""
    before = ""
    while before != text:
        before, text = text, BRACKETS.sub(" ", text)
    return re.sub(r"[(\[{<].*", " ", text)


def _split(text: str) -> list[str]:
    return re.sub(r"[^\w ]", " ", text).split()


def is_same(one: Name, other: Name) -> bool:
    """Whether two names may be one person's: the same words in any order, or initials in place of some of them."""
    left, right = one - other, other - one
    if not left and not right:
        return bool(one)
    if len(left) != len(right) or not any(len(word) > 1 for word in one & other):
        return False
    pairs = zip(sorted(left), sorted(right), strict=True)  # by their first letters
    return all(a[0] == b[0] and 1 in (len(a), len(b)) for a, b in pairs)


def distinct(names: Iterable[str]) -> list[str]:
    """The names of different people, each once, in order."""
    found: list[str] = []
    for name in names:
        if not any(is_same(name_words(name), name_words(other)) for other in found):
            found.append(name)
    return found


def people(text: str) -> list[str]:
    """Everybody whom a text may name: its parts, the whole of it, and what stands in brackets.

    "Bell, Ann" is one name and may be two; it is read as all of these, since it is asked only who is among them.
    """
    inside = [part for found in BRACKETS.findall(text) for part in found if part]
    parts = [text, *BETWEEN.split(_outside(text)), *inside]
    parts += [piece for part in parts for piece in part.split(",")]
    return list(
        dict.fromkeys(kept for part in parts if (kept := plain(part).strip(" ,")) and name_words(kept))
    )


def names_a_person(text: str) -> bool:
    """Whether any part of a text reads like a person's name: two words or more, none of which is a team's."""
    parts: Sequence[str] = [p for p in people(text) if not BETWEEN.search(p)]
    return any(len(_all_words(part)) > 1 and not _all_words(part) & TEAMS for part in parts)


def _all_words(name: str) -> Name:
    bare = unicodedata.normalize("NFKD", plain(_outside(name))).casefold()
    return frozenset(_split("".join(c for c in bare if not unicodedata.combining(c))))
