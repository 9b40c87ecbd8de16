"""What is asked of each case, as bits: a block for so many keys that follow each other, a bit in it for each key.

Where keys are numbers that lie close together (`roi.numbered`), one answer for each of ten million cases takes little
more than a megabyte, and to look one up costs a fraction of what finding its case by the key costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from roi.readers.base import Connection, literal, quoted

__all__ = [
    "MOST_WORDS",
    "NO_BITS",
    "Blocks",
    "Span",
    "bits_of",
    "block_of",
    "distinct_keys",
    "lay_blocks",
    "missing_keys",
    "span_of",
]

MOST_WORDS = 63  # of a column, so that six bits tell which
_BITS = 14  # of a key that say where in its block it is
_PLACE = (1 << _BITS) - 1
_APART = 8  # places of blocks for each key that there is, at most
_ROOM = 1 << 20  # places that any table may have
_BITS_AT_ONCE = 1 << 29  # 64 MB
NO_BITS = f"repeat('0', {1 << _BITS})::bit"
"""SQL of a block without a bit."""


@dataclass(frozen=True, slots=True)
class Span:
    """The least and the largest of a table's keys, which are numbers that lie close together."""

    low: int
    high: int

    def takes(self, ways: int) -> bool:
        """Whether bits of all keys, so many times over, take little memory."""
        return (self.high - self.low) * ways <= _BITS_AT_ONCE

    def holds(self, key: str) -> str:
        """SQL that is true of keys that may be of the table."""
        return f"{key} between {self.low} and {self.high}"


@dataclass(frozen=True, slots=True)
class Blocks:
    """A table of bits in the engine.

    Attributes:
        name: Of the table.
        words: Column → its values, of which the bits of each key say which it has.
        types: Column → the type of its values.
    """

    name: str
    words: Mapping[str, tuple[str, ...]]
    types: Mapping[str, str]

    def beside(self, rows: str, key: str) -> str:
        """What may stand behind `from`: rows beside the blocks that their keys are in, to ask `has` and `word` of.

        Args:
            rows: What may stand there by itself.
            key: SQL of their key; one that is NULL or in no block has no bit.
        """
        return f"{rows} left join {quoted(self.name)} blocks_ on blocks_.block_ = {block_of(key)}"

    def has(self, bit: str, key: str) -> str:
        """SQL of whether a key's bit is set."""
        return f"(coalesce({self._bit(bit, key)}, 0) = 1)"

    def word(self, column: str, key: str) -> str:
        """SQL of what a key has of a column; NULL where nothing."""
        return self.named(column, self.number(column, key))

    def named(self, column: str, number: str) -> str:
        """SQL of the word that has a number."""
        words = ", ".join(("null", *map(literal, self.words[column])))
        return f"([{words}]::{self.types[column]}[])[1 + {number}]"

    def number(self, column: str, key: str) -> str:
        """SQL of the number of that word, from 1; 0 where there is none."""
        bits = range(len(self.words[column]).bit_length())
        told = " + ".join(f"{1 << j} * {self._bit(f'{column}_{j}', key)}" for j in bits)
        return f"coalesce({told}, 0)" if told else "0"  # a block has every bit

    def _bit(self, bit: str, key: str) -> str:
        return f"get_bit(blocks_.{quoted(bit)}, ({key} & {_PLACE})::integer)"


def span_of(con: Connection, table: str, key: str, rows: int) -> Span | None:
    """From where to where the keys of a table, which are numbers, go; None where they lie far from each other.

    Args:
        con: The engine.
        table: Each row of which has a key.
        key: The column.
        rows: How many rows there are.
    """
    low, high = con.execute(f"select min({key}), max({key}) from {quoted(table)}").fetchall()[0]
    if low is None or high - low > _APART * rows + _ROOM:
        return None
    return Span(int(low), int(high))


def distinct_keys(con: Connection, table: str, key: str) -> int:
    """How many keys of a table that has a `Span` are different; which they are stays laid down for `missing_keys`."""
    here = lay_blocks(con, _keys_of(table), quoted(table), key, {"here": None})
    return int(con.execute(f"select coalesce(sum(bit_count(here)), 0) from {here.name}").fetchall()[0][0])


def missing_keys(con: Connection, table: str, key: str, among: str) -> bool:
    """Whether a table has a key that is none of those of another table, of which `distinct_keys` was asked."""
    here = Blocks(_keys_of(among), {}, {})
    found = f"select 1 from {here.beside(quoted(table), key)} where {key} is not null and not {here.has('here', key)}"
    return bool(con.execute(f"select exists({found})").fetchall()[0][0])


def _keys_of(table: str) -> str:
    return f"keys_of_{table}"


def lay_blocks(
    con: Connection,
    name: str,
    rows: str,
    key: str,
    bits: Mapping[str, str | None],
    *,
    words: Mapping[str, tuple[str, ...]] | None = None,
    types: Mapping[str, str] | None = None,
    alike: Sequence[str] = (),
) -> Blocks:
    """Lay down bits of keys; a bit is set if it is so of a row that has the key.

    Args:
        con: The engine.
        name: Of the table.
        rows: What may stand behind `from`.
        key: SQL of the key, within a `Span`.
        bits: Name → SQL of what it says; None says that the key is there.
        words: Column → all its values, at most `MOST_WORDS`; of rows that have a key of their own.
        types: Column → the type of its values.
        alike: Columns that tell all that the bits say, if rows differ in few ways in these (`Span.takes`): then each
            row sets one bit, and not one for each that is so of it.
    """
    told: dict[str, str | None] = dict(bits)
    for column, values in (words or {}).items():
        for j in range(len(values).bit_length()):
            # In the column's own type, so that no code is turned into a text.
            kind = (types or {})[column]
            these = ", ".join(f"{literal(value)}::{kind}" for i, value in enumerate(values, 1) if i >> j & 1)
            told[f"{column}_{j}"] = f"{quoted(column)} in ({these})"
    block, here = block_of(key), bits_of(key)
    if alike:
        columns = ", ".join(map(quoted, alike))
        rows = f"(select {block} as block_, {columns}, {here} as here_ from {rows} group by all)"
        block, here = "block_", "bit_or(here_)"
    some = {bit: "" if sql is None else f" filter ({sql})" for bit, sql in told.items()}
    listed = "".join(f", coalesce({here}{among}, {NO_BITS}) as {quoted(bit)}" for bit, among in some.items())
    con.execute(
        f"create or replace temp table {quoted(name)} as select {block} as block_{listed} from {rows} group by 1"
    )
    return Blocks(name, words or {}, types or {})


def block_of(key: str) -> str:
    """SQL of the block that a key is in."""
    return f"({key} >> {_BITS})::bigint"


def bits_of(key: str) -> str:
    """SQL of the bits of a block's keys, grouped by it."""
    return f"bitstring_agg(({key} & {_PLACE})::integer, 0, {_PLACE})"
