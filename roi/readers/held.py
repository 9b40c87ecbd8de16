"""Rows that were read in Python and handed to the engine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from roi.readers.base import Connection, literal, quoted

__all__ = ["Sheet", "hold", "hold_columns", "hold_rows", "move"]

_AT_ONCE = 20_000
_MOVED_AS_TEXT = 50_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of texts that the engine holds under a name.

    Attributes:
        table: The name.
        names: Their column names; the columns are c0, c1, … in the engine.
        file: The name of the file they come from.
    """

    table: str
    names: tuple[str, ...]
    file: str

    def select_part(self, needed: Sequence[str]) -> str:
        """A SELECT of the needed columns, blank where this source lacks one."""
        at = {name: f"c{i}" for i, name in reversed(list(enumerate(self.names)))}
        at.setdefault("_file", literal(self.file))
        outputs = [f"{at.get(name, 'null::varchar')} as {quoted(name)}" for name in needed]
        return f"select {', '.join(outputs)} from {self.table}"


def hold_columns(con: Connection, table: str, columns: Sequence[Sequence[str | None]]) -> None:
    """Give columns of equal length to the engine as c0, c1, …

    They go as JSON inside a statement: handing over Arrow tables or bound parameters makes the engine import pandas,
    which costs more than reading.

    Args:
        con: The engine.
        table: A plain name; what had it before is replaced.
        columns: At least one.
    """
    _begin(con, table, len(columns))
    for start in range(0, len(columns[0]), _AT_ONCE):
        _insert(con, table, [column[start : start + _AT_ONCE] for column in columns])


def hold_rows(
    con: Connection, table: str, names: Sequence[str], rows: Iterable[Mapping[str, str | None]]
) -> None:
    """Give cells of rows to the engine as c0, c1, …, a block of rows at a time.

    Args:
        con: The engine.
        table: A plain name; what had it before is replaced.
        names: The cells, at least one.
        rows: Cells by name; one that is not there is blank.
    """
    _begin(con, table, len(names))
    left = iter(rows)
    while block := list(islice(left, _AT_ONCE)):
        _insert(con, table, [[row.get(n) for row in block] for n in names])


def _begin(con: Connection, table: str, width: int) -> None:
    listed = ", ".join(f"c{i} varchar" for i in range(width))
    con.execute(f"create or replace table {table} ({listed})")


def _insert(con: Connection, table: str, columns: Sequence[Sequence[str | None]]) -> None:
    parts = [f"unnest(from_json({literal(json.dumps(column))}, '[\"VARCHAR\"]'))" for column in columns]
    con.execute(f"insert into {table} select {', '.join(parts)}")


def hold(
    con: Connection, table: str, names: Sequence[str], rows: Sequence[Sequence[str | None]], *, file: str
) -> Sheet:
    """Give rows of equal length to the engine.

    Args:
        con: The engine.
        table: A plain name; what had it before is replaced.
        names: Column names, one a cell.
        rows: Cells as texts, or None.
        file: The name of the file they come from.
    """
    hold_columns(con, table, [[row[i] for row in rows] for i in range(len(names))])
    return Sheet(table, tuple(names), file)


def move(source: Connection, select: str, target: Connection, table: str, width: int) -> None:
    """Move texts from one engine to another, where they become c0, c1, …

    Args:
        source: The engine that holds them.
        select: SELECT of `width` text columns.
        target: The engine that takes them.
        table: A plain name there.
        width: Columns.
    """
    first = source.execute(select).fetchmany(_MOVED_AS_TEXT)
    if len(first) < _MOVED_AS_TEXT:
        hold_columns(target, table, [[row[i] for row in first] for i in range(width)])
        return
    # Asked anew: of a result that was begun row by row, batches leave out the rest of the block that was at hand.
    _begin(target, table, width)
    target.register(f"{table}_view", source.execute(select).fetch_record_batch())
    target.execute(f"insert into {table} select * from {table}_view")
    target.unregister(f"{table}_view")
