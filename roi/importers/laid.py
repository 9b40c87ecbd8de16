"""Spans that the engine holds as columns, and the rows of a table that it makes of them."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import overload

from roi.readers.base import Connection, literal, quoted
from roi.readers.held import hold_columns

__all__ = ["Laid", "LaidSpans", "start"]

_MOST = "140MB"
_AT_ONCE = 2000


def start() -> Connection:
    """An engine of one thread and bounded memory, which puts aside what is more in a folder that goes with it."""
    import duckdb

    folder = tempfile.mkdtemp(prefix="roi-engine-")
    try:
        con = duckdb.connect(config={"threads": 1, "memory_limit": _MOST, "temp_directory": folder})
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(con, shutil.rmtree, folder, ignore_errors=True)
    con.execute("set enable_progress_bar = false")
    return con


@dataclass(frozen=True, slots=True)
class LaidSpans:
    """Spans in the table `spans` of an engine, which has for each its place `n`, `trace`, `id`, `parent`, `called`,
    `began` and `ended` (microseconds since 1970), `failed`, and its attributes as texts.

    Attributes:
        con: The engine.
        shapes: Names of attributes, and of those of the resource, that some spans have, in the order of the first of them.
        attributes: Name of an attribute → its column.
        resources: Likewise of an attribute of what it ran on.
    """

    con: Connection
    shapes: Sequence[tuple[tuple[str, ...], tuple[str, ...]]]
    attributes: Mapping[str, str]
    resources: Mapping[str, str]


class Laid(Sequence[Mapping[str, str | None]]):
    """Rows of a table that the engine holds: texts, or nothing where a cell is blank."""

    def __init__(self, con: Connection, table: str, names: Sequence[str], order: str) -> None:
        """Begin.

        Args:
            con: The engine.
            table: What holds them, as SQL of a FROM clause; its columns have these names.
            names: Of the columns.
            order: The order of the rows, as SQL of an ORDER BY clause.
        """
        self.names = tuple(names)
        self.con, self.table, self._order = con, table, order
        ((self._n,),) = con.execute(f"select count(*) from {table}").fetchall()

    def with_cases(self, case_of: Mapping[str, str], resent: frozenset[str]) -> Laid:
        """Rows of traces that were not sent again, with their cases."""
        hold_columns(self.con, "laid_cases", [list(case_of), list(case_of.values())])
        hold_columns(self.con, "laid_resent", [list(resent)])
        kept = ", ".join(f"a.{quoted(n)}" for n in self.names)
        table = (
            f"(select {kept}, c.c1 as case_id, {self._order} from {self.table} a left join laid_cases c on c.c0 = a.trace_id "
            "where a.trace_id not in (from laid_resent))"
        )
        return Laid(self.con, table, (*self.names, "case_id"), self._order)

    def column(self, name: str) -> list[str | None]:
        """The cells of a column."""
        return [cell for (cell,) in self.con.execute(self._select([name])).fetchall()]

    def filled(self) -> frozenset[str]:
        """The columns that at least one row fills."""
        counts = ", ".join(f"count({quoted(n)})" for n in self.names)
        (found,) = self.con.execute(f"select {counts} from {self.table}").fetchall()
        return frozenset(n for n, some in zip(self.names, found, strict=True) if some)

    def write(self, target: Path, names: Sequence[str]) -> None:
        """Write some columns as a CSV file."""
        self.con.execute(
            f"copy ({self._select(names)}) to {literal(str(target))} (format csv, header, nullstr '')"
        )

    def _select(self, names: Sequence[str]) -> str:
        return f"select {', '.join(map(quoted, names))} from {self.table} order by {self._order}"

    def cells(self) -> Iterator[tuple[tuple[str, ...], tuple[str | None, ...]]]:
        """Names and cells of the rows, in order."""
        rows = self.con.cursor().execute(self._select(self.names))
        while some := rows.fetchmany(_AT_ONCE):
            for cells in some:
                yield self.names, cells

    def __iter__(self) -> Iterator[Mapping[str, str | None]]:
        for names, cells in self.cells():
            yield {n: c for n, c in zip(names, cells, strict=True) if c is not None}

    def __len__(self) -> int:
        return int(self._n)

    @overload
    def __getitem__(self, at: int) -> Mapping[str, str | None]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Mapping[str, str | None]]: ...
    def __getitem__(self, at: int | slice) -> Mapping[str, str | None] | Sequence[Mapping[str, str | None]]:
        if isinstance(at, slice):
            return list(self)[at]
        place = at if at >= 0 else self._n + at
        if not 0 <= place < self._n:
            raise IndexError(at)
        return next(islice(self, place, None))
