"""What every reader gives: rows of texts under their own column names, ready to be mapped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from roi.problems import Problem

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "LONGEST_LINE",
    "Connection",
    "Part",
    "Roles",
    "Rows",
    "Shape",
    "UnreadableError",
    "literal",
    "named_row",
    "quoted",
]

Shape = Literal["text", "whole", "decimal", "float", "flag", "instant", "clock", "day"]
"""What a database's typed column holds: instants are times with an offset, clocks times without one."""

LONGEST_LINE = 1_000_000
"""Bytes of one row of a text file; longer ones are no sample of cases."""

if TYPE_CHECKING:
    Connection = duckdb.DuckDBPyConnection
else:
    Connection = object


class UnreadableError(Exception):
    """A source cannot be read; carries the problems, which name no cell's text."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{len(self.problems)} problems")


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """What a mapping wants of a source's columns; a reader may know none of it.

    Attributes:
        needed: The columns without which the table cannot be read.
        key: Those that make the key of a row.
        numbers: Those that hold numbers.
    """

    needed: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One file of several, which writes numbers and dates in its own way.

    Attributes:
        label: Its name in messages.
        select: As of `Rows`, for this file alone.
    """

    label: str
    select: Callable[[Sequence[str]], str]


def _data_row(i: int) -> str:
    return f"row {i + 1:,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of a source, not yet read or held by the engine.

    Attributes:
        label: The source's name in messages: a file, the first of several, or a database's variable.
        columns: Their column names, in order; `_file` besides them where rows come from files.
        select: Given their columns that are needed (all in `columns`), an SQL SELECT that yields them as texts under
            those names, in the order of the rows. It may be run more than once.
        check: Looks for what went wrong in the last run of `select`, such as rows with too few cells.
        fingerprints: File (relative to the project) → sha256 of its bytes.
        warnings: What the reader decided that the user should know.
        parts: The files one by one, in their order, where there are several; together they are what `select` yields.
        left_out: Why rows were left out by the reader → how many.
        types: Their column → the engine's type, where the source has types; others hold texts.
        raw: As `select`, of columns in these types; None where all are texts.
        apart: Gives those of these columns whose different values lie apart from the rows, once each.
        errors: Their column → how many cells hold a formula's error (missing, never 0) and where the first is.
        where: Given the index of a data row over all files, how a message names it.
    """

    label: str
    columns: tuple[str, ...]
    select: Callable[[Sequence[str]], str]
    check: Callable[[], Sequence[Problem]] = field(default=lambda: ())
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    raw: Callable[[Sequence[str]], str] | None = None
    apart: Callable[[], frozenset[str]] = field(default=frozenset)
    errors: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    where: Callable[[int], str] = _data_row


def named_row(con: Connection, rows: Rows, index: int) -> tuple[str, str]:
    """The file that a row is in, and how a message names the row: of several files with the file's own count.

    Args:
        con: The engine.
        rows: Of the files.
        index: Of the row over all files, from 0.
    """
    if not rows.parts:
        return rows.label, f"row {index + 1:,}"
    for part in rows.parts:
        (n,) = con.execute(f"select count(*) from ({part.select(rows.columns[:1])})").fetchall()[0]
        if index < n:
            break
        index -= int(n)
    return part.label, f"row {index + 1:,} of {part.label}"


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
