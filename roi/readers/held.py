"""Rows that were read in Python and handed to the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from roi.readers.base import Connection, literal, quoted

__all__ = ["Sheet", "hold"]


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
        at = {name: i for i, name in reversed(list(enumerate(self.names)))}
        outputs = [
            f"{f'c{at[name]}' if name in at else literal(self.file) if name == '_file' else 'null::varchar'} as {quoted(name)}"
            for name in needed
        ]
        return f"select {', '.join(outputs)} from {self.table}"


def hold(
    con: Connection, table: str, names: Sequence[str], rows: Sequence[Sequence[str | None]], *, file: str
) -> Sheet:
    """Give rows of equal length to the engine.

    Args:
        con: The engine.
        table: A plain name that is free.
        names: Column names, one a cell.
        rows: Cells as texts, or None.
        file: The name of the file they come from.
    """
    import pyarrow as pa

    columns = {f"c{i}": pa.array([row[i] for row in rows], type=pa.string()) for i in range(len(names))}
    con.register(f"{table}_view", pa.table(columns))
    con.execute(f"create or replace table {table} as select * from {table}_view")
    con.unregister(f"{table}_view")
    return Sheet(table, tuple(names), file)
