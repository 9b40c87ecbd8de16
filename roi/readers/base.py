"""What every reader gives: rows of texts under their own column names, ready to be mapped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from roi.problems import Problem

if TYPE_CHECKING:
    import duckdb

__all__ = ["LONGEST_LINE", "Connection", "Rows", "UnreadableError", "literal", "quoted"]

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
class Rows:
    """The rows of a source, not yet read or held by the engine.

    Attributes:
        label: The source's name in messages: a file, the first of several, or a database's variable.
        columns: Their column names, in order; `_file` besides them where rows come from files.
        select: Given their columns that are needed (all in `columns`), an SQL SELECT that yields them as texts under
            those names, in the order of the rows. It may be run more than once.
        check: Looks for what went wrong in the last run of `select`, such as rows with too few cells.
        fingerprints: File (relative to the project) → sha256 of its bytes.
        first_line: Adds to a data row's number to give the line of a file or row of a sheet, where there is one.
        warnings: What the reader decided that the user should know.
    """

    label: str
    columns: tuple[str, ...]
    select: Callable[[Sequence[str]], str]
    check: Callable[[], Sequence[Problem]] = field(default=lambda: ())
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
