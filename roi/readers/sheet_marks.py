"""What an .xlsx says of its cells besides their values: hidden rows, errors, formulas that were never worked out."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

__all__ = ["Marks", "address", "look_for_marks"]

_CHUNK = 8 << 20
_ROW = re.compile(rb'<(?:\w+:)?row\b([^>]*\bhidden="(?:1|true)"[^>]*)>')
_COLUMN = re.compile(rb'<(?:\w+:)?col\b([^>]*\bhidden="(?:1|true)"[^>]*)>')
_ERROR = re.compile(rb'<(?:\w+:)?c\b([^>]*\bt="e"[^>]*)>')
_FORMULA = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b[^>]*?(?:/>|>([^<]*)</(?:\w+:)?f>)\s*(<(?:\w+:)?v>[^<]|)"
)
_PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_NUMBER = re.compile(rb'\b(r|min|max)="(\d{1,7})"')
_SUMMED = re.compile(
    rb"^(?:_xlfn\.)?(?:SUM|SUBTOTAL|AGGREGATE|AVERAGE|MEDIAN|MIN|MAX|COUNT|COUNTA|STDEV(?:\.S)?)"
    rb"\((?:\d+,){0,2}\$?([A-Z]{1,3})\$?(\d{1,7}):\$?([A-Z]{1,3})\$?(\d{1,7})\)$"
)


@dataclass(frozen=True, slots=True)
class Marks:
    """Cells and rows of a sheet that are special; rows and columns count from 0.

    Attributes:
        hidden_rows: Rows that are not shown.
        hidden_columns: Columns that are not shown.
        errors: Cells that hold a formula's error.
        unsaved: Cells with a formula whose value was never worked out and saved.
        totals: Cells whose formula sums up cells of their own column.
    """

    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    errors: frozenset[tuple[int, int]] = frozenset()
    unsaved: frozenset[tuple[int, int]] = frozenset()
    totals: frozenset[tuple[int, int]] = frozenset()


def address(row: int, column: int) -> str:
    """A cell as spreadsheets name it, such as C7; row and column count from 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"


def look_for_marks(path: Path, sheet: str) -> Marks | None:
    """Look through a sheet of an .xlsx.

    Args:
        path: The workbook.
        sheet: The sheet's name.

    Returns:
        What is special; None where the workbook is of another kind, which does not say.
    """
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as book:
        part = _part(book, sheet)
        if part is None:
            return None
        hidden_rows: set[int] = set()
        hidden_columns: set[int] = set()
        errors: set[tuple[int, int]] = set()
        unsaved: set[tuple[int, int]] = set()
        totals: set[tuple[int, int]] = set()
        for chunk in _chunks(book, part):
            for found in _COLUMN.finditer(chunk):
                ends = {key: int(n) for key, n in _NUMBER.findall(found[1])}
                if b"min" in ends:
                    hidden_columns.update(range(ends[b"min"] - 1, min(ends.get(b"max", ends[b"min"]), 16384)))
            if b"hidden" in chunk:
                for found in _ROW.finditer(chunk):
                    hidden_rows.update(int(n) - 1 for key, n in _NUMBER.findall(found[1]) if key == b"r")
            if b't="e"' in chunk:
                errors.update(at for found in _ERROR.finditer(chunk) if (at := _at(found[1])))
            if not re.search(rb"<(?:\w+:)?f\b", chunk):
                continue
            for found in _FORMULA.finditer(chunk):
                at = _at(found[1])
                if at is None:
                    continue
                if not found[3] and b't="str"' not in found[1]:
                    unsaved.add(at)
                if found[2] and _sums_its_column(found[2], at):
                    totals.add(at)
    return Marks(
        frozenset(hidden_rows),
        frozenset(hidden_columns),
        frozenset(errors),
        frozenset(unsaved),
        frozenset(totals),
    )


def _at(attributes: bytes) -> tuple[int, int] | None:
    place = _PLACE.search(attributes)
    return None if place is None else (int(place[2]) - 1, _index(place[1]))


def _index(letters: bytes) -> int:
    place = 0
    for byte in letters:
        place = 26 * place + byte - 64
    return place - 1


def _sums_its_column(formula: bytes, at: tuple[int, int]) -> bool:
    found = _SUMMED.match(formula.replace(b" ", b"").upper())
    if found is None:
        return False
    first, last = int(found[2]), int(found[4])
    return _index(found[1]) == _index(found[3]) == at[1] and not first <= at[0] + 1 <= last


def _part(book: zipfile.ZipFile, sheet: str) -> str | None:
    """The file within a workbook that holds a sheet."""
    try:
        listed = ElementTree.fromstring(book.read("xl/workbook.xml"))
        related = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
    except (KeyError, ElementTree.ParseError):
        return None
    key = next(
        (
            value
            for element in listed.iter()
            if element.tag.endswith("}sheet") and element.get("name") == sheet
            for name, value in element.items()
            if name.endswith("}id")
        ),
        None,
    )
    target = next((str(r.get("Target")) for r in related.iter() if r.get("Id") == key), None)
    if key is None or target is None:
        return None
    part = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
    return part if part in book.namelist() else None


def _chunks(book: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """The sheet in pieces that end with whole rows."""
    rest = b""
    with book.open(part) as stream:
        while read := stream.read(_CHUNK):
            rest += read
            end = rest.rfind(b"row>") + 4
            if end > 4:
                yield rest[:end]
                rest = rest[end:]
    yield rest
