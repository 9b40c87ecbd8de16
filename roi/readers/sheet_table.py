"""The cells of a table in a sheet as texts, or why they cannot be read without guessing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roi.problems import Problem
from roi.readers.base import Roles, UnreadableError
from roi.readers.files import Found
from roi.readers.names import Wanted
from roi.readers.sheet_layout import Body, Header, Merges, body_of, filled
from roi.readers.sheet_marks import Marks, address, look_for_marks

__all__ = ["Table", "table_of"]

_SLASHED = re.compile(r"\s*\d{1,2}[/-]\d{1,2}[/-]\d{2,4}\b")
_WRITTEN_MARK = re.compile(r"\d[.,]\d|\d[\s'’]\d{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of a sheet.

    Attributes:
        names: Its columns.
        rows: Its data rows as texts.
        places: The row of the sheet, from 1, of each.
        left_out: Why rows were left out → how many.
        errors: Column → cells that hold a formula's error, and the first of them.
        warnings: What the user should know.
    """

    names: tuple[str, ...]
    rows: list[list[str | None]]
    places: list[int]
    left_out: Mapping[str, int]
    errors: Mapping[str, tuple[int, str]]
    warnings: tuple[str, ...]


def table_of(
    found: Found,
    sheet: str,
    cells: list[list[Any]],
    header: Header,
    merges: Merges,
    wanted: Wanted,
    roles: Roles,
) -> Table:
    """Take the table out of a sheet.

    Args:
        found: The workbook.
        sheet: The sheet's name.
        cells: Its cells; merged ones are filled down in place.
        header: Its header.
        merges: Its merged cells.
        wanted: The names that the mapping uses.
        roles: What the mapping uses them for.

    Raises:
        UnreadableError: With every place where it would have to be guessed what is meant.
    """
    at = {c: n for c, n in enumerate(header.names) if n and wanted.find(n) == n}
    problems = [
        Problem(found.name, n, f"{many} columns have this name; rename one")
        for n, many in header.doubled.items()
    ]
    marks = look_for_marks(found.path, sheet)
    filled_down = _fill_down(cells, header, merges, roles)
    body = body_of(cells, header, merges, marks or Marks(), wanted, roles)
    if body.again is not None:
        message = "a second table with these columns begins here; put it on a sheet of its own, or delete it"
        problems.append(Problem(found.name, _place(sheet, body.again, 0), message))
    kept = set(body.kept)
    problems += _merged_numbers(found, sheet, cells, header, merges, at, kept, roles)
    problems += _unsaved(found, sheet, header, marks, at, body)
    problems += _mixed_dates(found, sheet, cells, at, body, roles)
    if problems:
        raise UnreadableError(problems)
    errors, warnings = _errors(sheet, marks, at, kept)
    warnings += _about(header, cells, marks, at, body, filled_down)
    if marks is None:
        warnings.append(
            "in a workbook of this kind errors of formulas look like empty cells, and hidden rows like others; save it "
            "as .xlsx to have them counted"
        )
    mixed = _numbers_as_texts(cells, at, body, roles)
    neutral = [mixed and name in roles.numbers for name in header.names]
    width = len(header.names)
    rows = [list(map(_text, _cut(cells[r], width), neutral)) for r in body.kept]
    return Table(
        names=header.names,
        rows=rows,
        places=[r + 1 for r in body.kept],
        left_out={reason: len(which) for reason, which in body.left_out.items() if which},
        errors=errors,
        warnings=tuple(f"{found.name}, sheet '{sheet}': {w}" for w in warnings),
    )


def _cut(row: Sequence[Any], width: int) -> list[Any]:
    return [*row[:width], *([None] * (width - len(row)))]


def _place(sheet: str, row: int, column: int) -> str:
    return f"sheet '{sheet}', cell {address(row, column)}"


def _fill_down(cells: list[list[Any]], header: Header, merges: Merges, roles: Roles) -> int:
    """Repeat what stands in a cell that is merged over several rows, except numbers; how many cells were filled."""
    n = 0
    for (top, left), (bottom, _) in merges.ranges:
        if top <= header.last or bottom == top or left >= len(header.names) or top >= len(cells):
            continue
        value = cells[top][left]
        if not filled(value) or header.names[left] in roles.numbers:
            continue
        for row in cells[top + 1 : bottom + 1]:
            row[left] = value
            n += 1
    return n


def _merged_numbers(
    found: Found,
    sheet: str,
    cells: Sequence[Sequence[Any]],
    header: Header,
    merges: Merges,
    at: Mapping[int, str],
    kept: set[int],
    roles: Roles,
) -> list[Problem]:
    for first, last in merges.ranges:
        rows = [r for r in range(max(first[0], header.last + 1), last[0] + 1) if r in kept]
        columns = [c for c in range(first[1], last[1] + 1) if c in at]
        if not rows or len(rows) * len(columns) < 2 or not filled(cells[first[0]][first[1]]):
            continue
        if any(at[c] in roles.numbers for c in columns):
            message = (
                "a number stands in merged cells, which may mean each of them or all together; unmerge them and "
                "write what each row has"
            )
            span = f"sheet '{sheet}', cells {address(*first)}:{address(*last)}"
            return [Problem(found.name, span, message)]
    return []


def _unsaved(
    found: Found, sheet: str, header: Header, marks: Marks | None, at: Mapping[int, str], body: Body
) -> list[Problem]:
    gone = {r for which in body.left_out.values() for r in which}
    open_ = sorted(
        (r, c) for r, c in (marks.unsaved if marks else ()) if c in at and r > header.last and r not in gone
    )
    if not open_:
        return []
    many = "1 formula was" if len(open_) == 1 else f"{len(open_):,} formulas were"
    message = (
        f"{many} saved without a value (first: this one, of {at[open_[0][1]]}); open the workbook in Excel or "
        "LibreOffice and save it"
    )
    return [Problem(found.name, _place(sheet, *open_[0]), message)]


def _mixed_dates(
    found: Found,
    sheet: str,
    cells: Sequence[Sequence[Any]],
    at: Mapping[int, str],
    body: Body,
    roles: Roles,
) -> list[Problem]:
    """A program that takes 03/04 for the wrong one of two days leaves 13/04 as a text beside it."""
    problems = []
    for c, name in at.items():
        if name in roles.numbers or name in roles.key:
            continue
        column = [(r, cells[r][c]) for r in body.kept if c < len(cells[r])]
        dates = sum(isinstance(cell, dt.date) for _, cell in column)
        texts = [r for r, cell in column if isinstance(cell, str) and _SLASHED.match(cell)]
        if dates and texts:
            message = (
                f"{name}: {dates:,} cells are dates and {len(texts):,} are texts with day and month (first: this one), "
                "as when a program took days for months; import the export anew with the column as text, or write "
                "2026-03-01"
            )
            problems.append(Problem(found.name, _place(sheet, texts[0], c), message))
    return problems


def _errors(
    sheet: str, marks: Marks | None, at: Mapping[int, str], kept: set[int]
) -> tuple[dict[str, tuple[int, str]], list[str]]:
    by_name: dict[str, list[tuple[int, int]]] = {}
    for r, c in sorted(marks.errors if marks else ()):
        if c in at and r in kept:
            by_name.setdefault(at[c], []).append((r, c))
    errors = {name: (len(cells), _place(sheet, *cells[0])) for name, cells in by_name.items()}
    warnings = [
        f"{name}: {len(cells):,} {'cell holds' if len(cells) == 1 else 'cells hold'} the error of a formula, such as "
        f"#N/A, and {'is' if len(cells) == 1 else 'are'} missing (first: {address(*cells[0])})"
        for name, cells in by_name.items()
    ]
    return errors, warnings


def _about(
    header: Header,
    cells: Sequence[Sequence[Any]],
    marks: Marks | None,
    at: Mapping[int, str],
    body: Body,
    filled_down: int,
) -> list[str]:
    said = [
        f"{_rows(len(which))} left out: {reason} (first: row {which[0] + 1:,})"
        for reason, which in body.left_out.items()
        if which
    ]
    if filled_down:
        cells_are = "1 cell was" if filled_down == 1 else f"{filled_down:,} cells were"
        said.append(f"{cells_are} filled from the merged cell they belong to")
    nameless = [
        c
        for c, name in enumerate(header.names)
        if not name and any(c < len(cells[r]) and filled(cells[r][c]) for r in body.kept)
    ]
    if nameless:
        which = ", ".join(address(0, c).rstrip("1") for c in nameless[:5])
        have = "1 column holds" if len(nameless) == 1 else f"{len(nameless):,} columns hold"
        said.append(f"{have} something but no name in row {header.last + 1:,}, and are not read ({which})")
    if marks is None:
        return said
    hidden = [r for r in body.kept if r in marks.hidden_rows]
    if hidden:
        said.append(
            f"{_rows(len(hidden))} hidden or filtered out, and read like the others (first: row {hidden[0] + 1:,})"
        )
    columns = [name for c, name in at.items() if c in marks.hidden_columns]
    if columns:
        are = "column is" if len(columns) == 1 else "columns are"
        said.append(f"{len(columns):,} {are} hidden, and read like the others ({', '.join(columns[:5])})")
    return said


def _rows(n: int) -> str:
    return "1 row is" if n == 1 else f"{n:,} rows are"


def _numbers_as_texts(
    cells: Sequence[Sequence[Any]], at: Mapping[int, str], body: Body, roles: Roles
) -> bool:
    """Whether numbers stand as texts with marks somewhere, whose convention must not touch the real numbers."""
    columns = [c for c, name in at.items() if name in roles.numbers]
    return any(
        isinstance(cells[r][c], str) and _WRITTEN_MARK.search(cells[r][c]) is not None
        for r in body.kept
        for c in columns
        if c < len(cells[r])
    )


def _text(cell: Any, neutral: bool) -> str | None:
    if type(cell) is str:
        return cell or None
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "True" if cell else "False"
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        # `casts` reads what stands behind the sign as it is, whatever the marks of the texts beside it mean.
        return f"={cell!r}" if neutral else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, dt.timedelta):
        seconds = cell.total_seconds()
        return f"PT{seconds:f}S" if seconds >= 0 else repr(seconds)
    return str(cell)
