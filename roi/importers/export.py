"""What an importer makes of files: tables of texts, and what was seen on the way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from roi.importers.gathered import Names, Rows
from roi.importers.laid import Laid

__all__ = ["NOTHING", "Contradiction", "Export", "Filled", "Table", "left_out", "machine_name", "table_of"]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts.

    Attributes:
        names: Of the columns.
        rows: Of each row the cells that are not blank, by column; perhaps in a file rather than in memory.
    """

    names: tuple[str, ...]
    rows: Sequence[Mapping[str, str | None]]

    def column(self, name: str) -> list[str | None]:
        """The cells of a column."""
        if name not in self.names:
            return [None] * len(self.rows)
        return self.rows.column(name) if isinstance(self.rows, Laid) else [row.get(name) for row in self.rows]


NOTHING = Table((), ())


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What a source says of itself and what its rows say.

    Attributes:
        what: The quantity, in words, with where it is said.
        theirs: As the source's own summary states it.
        ours: As its rows give it.
        then: What was done about it.
    """

    what: str
    theirs: str
    ours: str
    then: str = "the rows stand"

    def __str__(self) -> str:
        return f"{self.what}: the source says {self.theirs}, its rows give {self.ours}; {self.then}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What an importer makes of files.

    Attributes:
        traces: One row a trace, or whatever stands for a case.
        actions: One row a tool call.
        evals: One row a graded run of a suite's case.
        versions: One row a version, with what its source sums up of it.
        warnings: What a reader should know, a sentence each, without a cell's text.
        left_out: Why something was left out → how many.
        contradictions: Where a source's summary and its rows differ.
        arm: The arm that all cases are of, where the format decides it: people's work as before is `baseline`.
    """

    traces: Table
    actions: Table = NOTHING
    evals: Table = NOTHING
    versions: Table = NOTHING
    warnings: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    contradictions: tuple[Contradiction, ...] = ()
    arm: str | None = None

    @property
    def told(self) -> list[str]:
        """All that a reader should know, a sentence each."""
        lost = [f"{n:,} left out: {why}" for why, n in self.left_out.items()]
        return [*self.warnings, *lost, *(f"contradiction in {c}" for c in self.contradictions)]


def table_of(rows: Iterable[Mapping[str, str | None]], *, first: Iterable[str] = ()) -> Table:
    """Rows with the columns that at least one of them fills.

    Args:
        rows: Cells by column.
        first: Columns that stand first, in this order, where they are filled; the others follow as they occur.
    """
    filled = Filled()
    for at, row in enumerate(rows):
        filled.add(at, row)
    return filled.table(first=first)


class Filled:
    """A table as its rows come in, by number, each of them without its blank cells."""

    def __init__(self) -> None:
        self._rows: Rows[Mapping[str, str | None]] = Rows()
        self._names = Names()

    def add(self, at: int, row: Mapping[str, str | None]) -> None:
        """Add a row under a number."""
        self.add_cells(at, tuple(row), tuple(row.values()))

    def add_cells(self, at: int, names: tuple[str, ...], cells: tuple[str | None, ...]) -> None:
        """Add a row of these names and cells under a number."""
        if not all(cells):
            filled = [i for i, cell in enumerate(cells) if cell]
            names, cells = tuple([names[i] for i in filled]), tuple([cells[i] for i in filled])
        self._names.note(at, names)
        self._rows.add_cells(at, names, cells)

    def end_run(self) -> list[str]:
        """Let rows begin anew, from lower numbers on; the columns that they filled since the last time."""
        return self._names.end_run()

    def __len__(self) -> int:
        return len(self._rows)

    def table(self, *, first: Iterable[str] = ()) -> Table:
        """The rows in the order of their numbers, with the columns that at least one of them fills.

        Args:
            first: Columns that stand first, in this order, where they are filled; the others follow as they occur.
        """
        found = dict.fromkeys(self._names)
        return Table(tuple(dict.fromkeys([*(n for n in first if n in found), *found])), self._rows)


def left_out(into: dict[str, int], why: str, n: int = 1) -> None:
    """Count what is left out for a reason."""
    if n:
        into[why] = into.get(why, 0) + n


def machine_name(name: str | None, otherwise: str) -> str:
    """A name that reads like a machine's, such as a model's; other texts of a source are told in no message."""
    return name if name is not None and re.fullmatch(r"[\w.:/@+~-]{1,80}", name) else otherwise
