"""Spans that the engine holds as columns, and the rows of the tables that it makes of them."""

from __future__ import annotations

import errno
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roi.importers.gathered import InOrder, no_room
from roi.readers.base import Connection, UnreadableError, literal, quoted
from roi.readers.files import unbound

__all__ = ["WHITE", "Laid", "LaidSpans", "ask", "start", "streamed"]

WHITE = "".join(c for c in map(chr, range(0x3001)) if c.isspace())
"""All that Python takes for white space."""

_MOST = "140MB"
_AT_ONCE = 4000


def start() -> Connection:
    """An engine of one thread and bounded memory, which puts aside what is more in a folder that goes with it."""
    import duckdb

    folder = tempfile.mkdtemp(prefix="roi-engine-")
    try:
        con = duckdb.connect(config={"threads": 1, "memory_limit": _MOST, "temp_directory": folder})
        con.execute("set enable_progress_bar = false")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(con, shutil.rmtree, folder, ignore_errors=True)
    return con


def ask(con: Connection, query: str) -> Any:
    """Ask the engine; where its memory is too little, without the bound."""
    import duckdb

    try:
        try:
            return con.execute(query)
        except duckdb.OutOfMemoryException:
            unbound(con)
            return con.execute(query)
    except duckdb.IOException as error:
        raise no_room(error) from None
    except RuntimeError as error:
        if "interrupted" in str(error).lower():
            raise KeyboardInterrupt from None  # as the engine has it when someone ends the command
        raise


def streamed(con: Connection, query: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a query; the engine may be asked other things meanwhile."""
    rows = ask(con.cursor(), query)
    while some := rows.fetchmany(_AT_ONCE):
        yield from some


@dataclass(frozen=True, slots=True)
class LaidSpans:
    """Spans in the table `spans` of an engine.

    It has for each its place `n`, `trace`, `id`, `parent`, `called`, `began` and `ended` (microseconds since 1970),
    `failed`, and its attributes as texts.

    Attributes:
        con: The engine.
        shapes: Names of attributes, and of those of the resource, that some spans have, in the order of the first of
            these spans.
        attributes: Name of an attribute → its column.
        resources: Likewise of an attribute of what it ran on.
    """

    con: Connection
    shapes: Sequence[tuple[tuple[str, ...], tuple[str, ...]]]
    attributes: Mapping[str, str]
    resources: Mapping[str, str]


class Laid(InOrder[Mapping[str, str | None]]):
    """Rows of a table that the engine holds: texts, or nothing where a cell is blank.

    Attributes:
        con: The engine.
        table: What holds them, as SQL of a FROM clause.
        names: Of its columns.
    """

    def __init__(self, con: Connection, table: str, names: Sequence[str], order: str) -> None:
        """Begin.

        Args:
            con: The engine.
            table: What holds them, as SQL of a FROM clause.
            names: Of its columns.
            order: The order of the rows, as SQL of an ORDER BY clause; columns of the table.
        """
        self.con, self.table, self.names, self._order = con, table, tuple(names), order
        ((self._n,),) = ask(con, f"select count(*) from {table}").fetchall()

    def with_cases(self) -> Laid:
        """Rows of traces with their cases, as `laid_cases` laid them down; without those that were sent again."""
        kept = ", ".join(f"a.{quoted(n)}" for n in self.names)
        table = (
            f"(select {kept}, c._case as case_id, {self._order} from {self.table} a join cased c using (trace_id) "
            "where not c._again)"
        )
        return Laid(self.con, table, (*self.names, "case_id"), self._order)

    def column(self, name: str) -> list[str | None]:
        """The cells of a column."""
        return [cell for (cell,) in streamed(self.con, self._select([name]))]

    def filled(self) -> frozenset[str]:
        """The columns that at least one row fills."""
        counts = ", ".join(f"count({quoted(n)})" for n in self.names)
        (found,) = ask(self.con, f"select {counts} from {self.table}").fetchall()
        return frozenset(n for n, some in zip(self.names, found, strict=True) if some)

    def write(self, target: Path, names: Sequence[str]) -> None:
        """Write some columns as a CSV file.

        Raises:
            OSError: If it cannot be written.
        """
        told = "format csv, header, nullstr ''"
        try:
            ask(self.con, f"copy ({self._select(names)}) to {literal(str(target))} ({told})")
        except UnreadableError:
            raise OSError(errno.EIO, "is the folder there, and the disk not full?") from None

    def _select(self, names: Sequence[str]) -> str:
        return f"select {', '.join(map(quoted, names))} from {self.table} order by {self._order}"

    def cells(self) -> Iterator[tuple[tuple[str, ...], tuple[str | None, ...]]]:
        """Names and cells of the rows, in order."""
        for cells in streamed(self.con, self._select(self.names)):
            yield self.names, cells

    def __iter__(self) -> Iterator[Mapping[str, str | None]]:
        for names, cells in self.cells():
            yield {n: c for n, c in zip(names, cells, strict=True) if c is not None}

    def __len__(self) -> int:
        return int(self._n)
