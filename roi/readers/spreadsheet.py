"""Spreadsheets, with the titles and empty rows that people put around a table."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Sequence
from typing import Any

from roi.problems import Problem
from roi.readers.base import LONGEST_LINE, Connection, Rows, UnreadableError
from roi.readers.files import Found, look_through
from roi.readers.held import Sheet, hold

__all__ = ["read_spreadsheet"]

_MOST_CELLS = 50_000_000
_SPAN = re.compile(rb'<dimension ref="[A-Z]+\d+:([A-Z]{1,3})(\d{1,7})"')


def read_spreadsheet(
    con: Connection,
    files: Sequence[Found],
    *,
    wanted: Sequence[str],
    sheet: str | None,
    header_row: int | None,
    table: str,
) -> Rows:
    """Read a sheet of each workbook, united by column name.

    Args:
        con: The engine.
        files: At least one.
        wanted: Their column names that the mapping uses; the header is the first row that holds most of them.
        sheet: The sheet's name; by default the first.
        header_row: The row that holds the names, from 1, where it is stated.
        table: A name for what the engine has to hold.

    Raises:
        UnreadableError: If a file is no workbook, lacks the sheet or holds no table.
    """
    held: list[Sheet] = []
    fingerprints: dict[str, str] = {}
    problems: list[Problem] = []
    for i, found in enumerate(files):
        fingerprints[found.name] = look_through(found).sha256
        try:
            names, body = _table(found, wanted, sheet, header_row)
        except UnreadableError as error:
            problems += error.problems
            continue
        held.append(hold(con, f"{table}_{i}", names, body, file=found.path.name))
    if problems:
        raise UnreadableError(problems)
    return Rows(
        label=files[0].name,
        columns=tuple(dict.fromkeys(n for h in held for n in h.names if n)),
        select=lambda needed: " union all ".join(h.select_part(needed) for h in held),
        fingerprints=fingerprints,
    )


def _table(
    found: Found, wanted: Sequence[str], sheet: str | None, header_row: int | None
) -> tuple[tuple[str, ...], list[list[str | None]]]:
    rows = _cells(found, sheet)
    while rows and not any(cell is not None for cell in rows[-1]):
        rows.pop()
    if not rows:
        raise UnreadableError([Problem(found.name, sheet or "", "the sheet is empty")])
    if header_row is not None:
        if header_row > len(rows):
            message = f"the sheet has {len(rows):,} rows, so row {header_row:,} holds no column names"
            raise UnreadableError([Problem(found.name, "header_row", message)])
        at = header_row - 1
    else:
        hits = [len({c.strip() for c in row if c} & set(wanted)) for row in rows[:100]]
        at = hits.index(max(hits))
        if not max(hits):
            message = "no row holds the mapped column names; name the header's row with header_row"
            raise UnreadableError([Problem(found.name, sheet or "", message)])
    names = [(c or "").strip() for c in rows[at]]
    twice = sorted({n for n in names if n and n in wanted and names.count(n) > 1})
    if twice:
        raise UnreadableError(
            [Problem(found.name, n, f"{names.count(n)} columns have this name; rename one") for n in twice]
        )
    width = len(names)
    body = [[*row[:width], *([None] * (width - len(row)))] for row in rows[at + 1 :]]
    long = next((i for i, r in enumerate(body, 1) if sum(len(c) for c in r if c) > LONGEST_LINE), None)
    if long is not None:
        raise UnreadableError([Problem(found.name, f"row {at + 1 + long}", "is longer than 1 MB")])
    return tuple(names), body


def _refuse_vast(found: Found) -> None:
    """Refuse a sheet that a stray cell at its far end makes vast: all between would be read, too.

    Raises:
        UnreadableError: If a sheet of an .xlsx says that it holds more than `_MOST_CELLS`.
    """
    if not zipfile.is_zipfile(found.path):
        return
    with zipfile.ZipFile(found.path) as book:
        for name in (n for n in book.namelist() if n.startswith("xl/worksheets/") and n.endswith(".xml")):
            with book.open(name) as sheet:
                span = _SPAN.search(sheet.read(4096))
            if span is None:
                continue
            rows = int(span[2])
            columns = sum((byte - 64) * 26**i for i, byte in enumerate(reversed(span[1])))
            if rows * columns > _MOST_CELLS:
                message = (
                    f"a sheet spans {rows:,} rows and {columns:,} columns; delete what stands at its far end "
                    "(Ctrl+End goes there), or export it as CSV"
                )
                raise UnreadableError([Problem(found.name, "", message)])


def _cells(found: Found, sheet: str | None) -> list[list[str | None]]:
    import python_calamine as calamine

    try:
        _refuse_vast(found)
        book = calamine.CalamineWorkbook.from_path(str(found.path))
        named = list(book.sheet_names)
        known = sheet in named if sheet is not None else bool(named)
        chosen = (
            (book.get_sheet_by_index(0) if sheet is None else book.get_sheet_by_name(sheet))
            if known
            else None
        )
        # With the empty area the rows count as the spreadsheet shows them.
        rows = chosen.to_python(skip_empty_area=False) if chosen is not None else []
    except UnreadableError:
        raise
    except Exception:  # calamine has no common error for what is wrong with a damaged file
        raise UnreadableError(
            [Problem(found.name, "", "is not a workbook that can be read; save it as .xlsx")]
        ) from None
    if not named:
        raise UnreadableError([Problem(found.name, "", "the workbook has no sheet")])
    if not known:
        listed = ", ".join(f"'{n}'" for n in named[:5])
        message = f"there is no sheet of this name; the workbook has {listed}"
        raise UnreadableError([Problem(found.name, "sheet", message)])
    return [[_text(cell) for cell in row] for row in rows]


def _text(cell: Any) -> str | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "True" if cell else "False"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, dt.timedelta):
        seconds = cell.total_seconds()
        return f"PT{seconds:f}S" if seconds >= 0 else repr(seconds)
    return str(cell)
