"""A table that the engine holds, written as SQL; nothing is read before its rows are fetched.

The canonical tables lie in an engine of their own, whatever they were read from, so that its own language serves:
building the same questions as Ibis expressions and compiling them took longer than answering them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from roi.readers.base import literal, quoted

__all__ = ["Relation"]


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, or a SELECT over one.

    Attributes:
        sql: What may stand behind `from`.
        columns: The names of its columns, in order.
        codes: Column that is held in codes of words → these words, where they are few.
    """

    sql: str
    columns: tuple[str, ...]
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    @classmethod
    def named(
        cls, name: str, columns: tuple[str, ...], codes: Mapping[str, tuple[str, ...]] | None = None
    ) -> Relation:
        """The engine's table or view of this name."""
        return cls(quoted(name), columns, codes or {})

    def word(self, column: str, word: str) -> str:
        """SQL of a word that a column is compared with.

        Beside a text, the engine makes a text of each code before it compares them; beside a code it does not.
        """
        known = self.codes.get(column, ())
        return f"{literal(word)}::ENUM({', '.join(map(literal, known))})" if word in known else literal(word)

    def says(self, column: str, *words: str) -> str:
        """SQL of whether a column says one of some words."""
        listed = [self.word(column, word) for word in words]
        return f"{column} = {listed[0]}" if len(listed) == 1 else f"{column} in ({', '.join(listed)})"

    def where(self, condition: str) -> Relation:
        """The rows of which an SQL condition is true."""
        return Relation(f"(select * from {self.sql} where {condition})", self.columns, self.codes)

    def having(self, **values: str) -> Relation:
        """The same rows with further columns, or with other values in columns that are there.

        Args:
            values: Name → SQL over the columns that are there already.
        """
        new = [name for name in values if name not in self.columns]
        listed = "*"
        if len(new) < len(values):  # spelled out, since few languages know how to replace some of all
            listed = ", ".join(
                f"{values[name]} as {quoted(name)}" if name in values else quoted(name)
                for name in self.columns
            )
        added = "".join(f", {values[name]} as {quoted(name)}" for name in new)
        codes = {column: words for column, words in self.codes.items() if column not in values}
        return Relation(f"(select {listed}{added} from {self.sql})", (*self.columns, *new), codes)

    def grouped(self, keys: Sequence[str], aggregates: Mapping[str, str]) -> str:
        """A query of keys and aggregates (name → SQL) by these keys, in the order of the keys."""
        listed = ", ".join(quoted(key) for key in keys)
        taken = "".join(f", {sql} as {quoted(name)}" for name, sql in aggregates.items())
        return f"select {listed}{taken} from {self.sql} group by {listed} order by {listed}"

    def distinct(self, *names: str) -> str:
        """A query of the different values of some columns, in order."""
        listed = ", ".join(quoted(name) for name in names)
        return f"select distinct {listed} from {self.sql} order by {listed}"
