"""Spreadsheets as they are: the sheet that holds the table, and its cells as texts."""

from __future__ import annotations

import re
import zipfile
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from roi.problems import Problem
from roi.readers.base import LONGEST_LINE, Connection, Part, Roles, Rows, UnreadableError
from roi.readers.files import Found, look_through
from roi.readers.held import Sheet, hold
from roi.readers.names import Wanted
from roi.readers.sheet_layout import Header, Merges, find_header
from roi.readers.sheet_table import Table, table_of

__all__ = ["read_spreadsheet"]

_MOST_CELLS = 50_000_000
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_SPAN = re.compile(rb'<(?:\w+:)?dimension ref="[A-Z]+\d+:([A-Z]{1,3})(\d{1,7})"')


@dataclass(frozen=True, slots=True)
class _Page:
    """A sheet as it was opened."""

    name: str
    rows: list[list[Any]]
    merges: Merges
    header: Header | None
    visible: bool

    def missing(self, needed: Sequence[str]) -> list[str]:
        names = self.header.names if self.header else ()
        return [n for n in needed if n not in names]


def read_spreadsheet(
    con: Connection,
    files: Sequence[Found],
    *,
    wanted: Sequence[str],
    sheet: str | None,
    header_row: int | None,
    table: str,
    roles: Roles | None = None,
) -> Rows:
    """Read a sheet of each workbook, united by column name.

    Args:
        con: The engine.
        files: At least one.
        wanted: Their column names that the mapping uses; the header is the first row that holds most of them.
        sheet: The sheet's name; by default the only one that holds the needed columns.
        header_row: The row that holds the names, from 1, where it is stated.
        table: A name for what the engine has to hold.
        roles: What the mapping uses the columns for.

    Raises:
        UnreadableError: If a file is no workbook, lacks the sheet or holds no table that can be read without guessing.
    """
    names = Wanted(wanted)
    held: list[Sheet] = []
    tables: list[tuple[Found, Table]] = []
    fingerprints: dict[str, str] = {}
    problems: list[Problem] = []
    warnings: list[str] = []
    for i, found in enumerate(files):
        fingerprints[found.name] = look_through(found).sha256
        try:
            page = _page(found, names, sheet, header_row, roles or Roles(), warnings)
            assert page.header is not None
            read = table_of(found, page.name, page.rows, page.header, page.merges, names, roles or Roles())
            _refuse_long(found, read)
        except UnreadableError as error:
            problems += error.problems
            continue
        warnings += read.warnings
        tables.append((found, read))
        held.append(hold(con, f"{table}_{i}", read.names, read.rows, file=found.path.name))
    if problems:
        raise UnreadableError(problems)
    left_out: dict[str, int] = {}
    errors: dict[str, tuple[int, str]] = {}
    for _, read in tables:
        for reason, n in read.left_out.items():
            left_out[reason] = left_out.get(reason, 0) + n
        for name, (n, first) in read.errors.items():
            errors[name] = (n + errors.get(name, (0, ""))[0], errors.get(name, (0, first))[1])
    return Rows(
        label=files[0].name,
        columns=tuple(dict.fromkeys(n for h in held for n in h.names if n)),
        select=lambda needed: " union all ".join(h.select_part(needed) for h in held),
        fingerprints=fingerprints,
        warnings=tuple(warnings),
        parts=tuple(Part(f.name, h.select_part) for (f, _), h in zip(tables, held, strict=True))
        if len(held) > 1
        else (),
        left_out=left_out,
        errors=errors,
        where=_Places(tables).name,
    )


class _Places:
    """Where the rows that the engine numbers stand in the sheets."""

    def __init__(self, tables: Sequence[tuple[Found, Table]]) -> None:
        self.tables = tables
        self.starts = list(accumulate((len(t.rows) for _, t in tables), initial=0))

    def name(self, i: int) -> str:
        at = min(bisect_right(self.starts, i) - 1, len(self.tables) - 1)
        found, table = self.tables[at]
        of = f" of {found.path.name}" if len(self.tables) > 1 else ""
        inside = i - self.starts[at]
        if not 0 <= inside < len(table.places):
            return f"row {i + 1:,}"
        return f"row {i + 1:,} (sheet row {table.places[inside]:,}{of})"


def _refuse_long(found: Found, table: Table) -> None:
    for row, place in zip(table.rows, table.places, strict=True):
        if sum(len(c) for c in row if c) > LONGEST_LINE:
            raise UnreadableError([Problem(found.name, f"row {place}", "is longer than 1 MB")])


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


def _page(
    found: Found,
    wanted: Wanted,
    sheet: str | None,
    header_row: int | None,
    roles: Roles,
    warnings: list[str],
) -> _Page:
    """The sheet that holds the table."""
    pages = _pages(found, sheet, wanted, header_row)
    if sheet is not None or len(pages) == 1:
        return _checked(found, pages[0], header_row)
    most = max((p.header.hits for p in pages if p.header), default=0)
    having = [
        p
        for p in pages
        if p.header and (not p.missing(roles.needed) if roles.needed else p.header.hits == most)
    ]
    shown = [p for p in having if p.visible]
    if len(shown) == 1:
        others = [p.name for p in having if not p.visible]
        if others:
            warnings.append(
                f"{found.name}: hidden sheets hold the same columns and are not read ({_listed(others)}); "
                "name one with sheet: to read it"
            )
        return _checked(found, shown[0], header_row)
    if len(shown) > 1:
        message = (
            f"{len(shown)} sheets hold the columns ({_listed([p.name for p in shown])}); name one with sheet:"
        )
        raise UnreadableError([Problem(found.name, "sheet", message)])
    if having:
        message = (
            f"only hidden sheets hold the columns ({_listed([p.name for p in having])}); name one with sheet:"
        )
        raise UnreadableError([Problem(found.name, "sheet", message)])
    # None holds all of them: of the one that comes closest it is said what it lacks.
    close = [p for p in pages if p.visible and p.header and p.header.hits == most]
    if len(close) == 1:
        return _checked(found, close[0], header_row)
    listed = _listed([p.name for p in pages if p.visible])
    lack = ", ".join(f"'{n}'" for n in roles.needed[:8]) or "the mapped names"
    message = f"no sheet has a row with the columns {lack}; the workbook has {listed}: name one with sheet:"
    raise UnreadableError([Problem(found.name, "sheet", message)])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{n}'" for n in names[:5]) + (", …" if len(names) > 5 else "")


def _checked(found: Found, page: _Page, header_row: int | None) -> _Page:
    if not page.rows:
        raise UnreadableError([Problem(found.name, page.name, "the sheet is empty")])
    if header_row is not None and header_row > len(page.rows):
        message = f"the sheet has {len(page.rows):,} rows, so row {header_row:,} holds no column names"
        raise UnreadableError([Problem(found.name, "header_row", message)])
    if page.header is None:
        message = "no row holds the mapped column names; name the header's row with header_row"
        raise UnreadableError([Problem(found.name, page.name, message)])
    return page


def _pages(found: Found, sheet: str | None, wanted: Wanted, header_row: int | None) -> list[_Page]:
    import python_calamine as calamine

    try:
        _refuse_vast(found)
        with found.path.open("rb") as stream:
            book = calamine.CalamineWorkbook.from_filelike(stream)
            about = [m for m in book.sheets_metadata if m.typ == calamine.SheetTypeEnum.WorkSheet]
            opened = [(m, book.get_sheet_by_name(m.name)) for m in about if sheet is None or m.name == sheet]
            # With the empty area the rows count as the spreadsheet shows them.
            raw = [(m, s.to_python(skip_empty_area=False), s.merged_cell_ranges or ()) for m, s in opened]
    except UnreadableError:
        raise
    except Exception as error:  # calamine has no common error for what is wrong with a damaged file
        message = "is not a workbook that can be read; save it as .xlsx"
        if isinstance(error, calamine.PasswordError) or _ENCRYPTED in found.path.read_bytes():
            message = "is protected with a password; save it without one, or export it as CSV"
        raise UnreadableError([Problem(found.name, "", message)]) from None
    if not about:
        raise UnreadableError([Problem(found.name, "", "the workbook has no sheet")])
    if not raw:
        message = f"there is no sheet of this name; the workbook has {_listed([m.name for m in about])}"
        raise UnreadableError([Problem(found.name, "sheet", message)])
    pages = []
    for m, rows, ranges in raw:
        merges = Merges(ranges)
        usable = bool(rows) and (header_row is None or header_row <= len(rows))
        header = find_header(rows, merges, wanted, header_row) if usable else None
        pages.append(_Page(m.name, rows, merges, header, m.visible == calamine.SheetVisibleEnum.Visible))
    return pages
