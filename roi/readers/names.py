"""Names of columns as people write them: with line breaks, stray spaces and capitals."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

__all__ = ["Wanted", "tidy"]

_UNSEEN = re.compile("[\ufeff\u200b\u200c\u200d\u2060\u00ad]")
_SPACES = re.compile(r"\s+")


@lru_cache(maxsize=4096)  # each row near the top is tried as a header with each delimiter
def tidy(name: str) -> str:
    """A name on one line, without the spaces around it and without what cannot be seen."""
    return _SPACES.sub(" ", _UNSEEN.sub("", name)).strip()


class Wanted:
    """The names that a mapping uses, whatever their case and spacing in a file.

    Args:
        names: The names as the mapping spells them.
    """

    __slots__ = ("_by_form",)

    def __init__(self, names: Sequence[str]) -> None:
        by_form: dict[str, str | None] = {}
        for name in names:
            form = tidy(name).casefold()
            # Two names that differ only in case stay apart: each is found by its own spelling.
            by_form[form] = name if by_form.get(form, name) == name else None
        self._by_form: Mapping[str, str | None] = {
            **by_form,
            **{tidy(name): name for name in names},
            **{name: name for name in names},
        }

    def find(self, name: str) -> str | None:
        """The wanted name that a file's name is, if any."""
        return (
            self._by_form.get(name)
            or self._by_form.get(tidy(name))
            or self._by_form.get(tidy(name).casefold())
        )

    def hits(self, names: Sequence[str]) -> int:
        """How many of the wanted names there are among a file's."""
        return len({found for n in names if n and (found := self.find(n)) is not None})

    def spell(self, names: Sequence[str]) -> tuple[str, ...]:
        """A file's names, those that are wanted spelled as the mapping spells them.

        A name that is spelled right is not doubled by one that differs from it in case only.
        """
        tidied = [tidy(n) for n in names]
        found = [self.find(n) if n.strip() else None for n in names]
        right = {w for n, w in zip(tidied, found, strict=True) if w is not None and n == tidy(w)}
        return tuple(
            n if w is None or (w in right and n != tidy(w)) else w for n, w in zip(tidied, found, strict=True)
        )
