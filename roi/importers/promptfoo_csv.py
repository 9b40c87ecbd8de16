"""promptfoo's results as CSV: a column a prompt and model, with its grade in the cell or in a column beside it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from roi.importers.export import left_out
from roi.importers.graded import GRADES, Cells, Version, free_name, graded, named
from roi.importers.spans import text_of
from roi.problems import Problem
from roi.readers.base import UnreadableError
from roi.readers.files import Found, Seen, open_bytes

__all__ = ["knows_table", "read_table"]

_LONGEST_CELL = 16 << 20
_BEGINNING = 1 << 20
_BESIDE = (["Status", "Score", "Named Scores"], ["Status", "Score", "Grader Reason"])
_STATES = ("PASS", "FAIL", "ERROR")
_NO_GRADE = "a cell that is neither [PASS] nor [FAIL] is not graded"
_SEGMENTS = ("label", "segment", "category")


def knows_table(found: Found) -> bool:
    """Whether a CSV file has results: headers of JSON, grades below the header, or columns of grades."""
    try:
        with open_bytes(found.path) as raw:
            head = raw.read(_BEGINNING).decode("utf-8-sig", errors="replace")
    except (OSError, EOFError):
        return False
    marks = ('"{""raw""', *(",".join(names) for names in _BESIDE), *GRADES)
    if not any(mark in head for mark in marks):
        return False
    try:
        rows = _rows(io.StringIO(head, newline=""))
        header, first = next(rows, []), next(rows, [])
    except csv.Error:
        return False
    if any(_header(h) for h in header) or any(cell.lstrip().startswith(GRADES) for cell in first):
        return True
    return any(
        _has_grade_beside(header, at) and first[at + 1 : at + 2] and first[at + 1] in _STATES
        for at in range(len(header))
    )


def _rows(text: Any) -> Iterator[list[str]]:
    csv.field_size_limit(_LONGEST_CELL)
    return csv.reader(text)


def _has_grade_beside(header: list[str], at: int) -> bool:
    return header[at + 1 : at + 4] in _BESIDE


def _header(text: str) -> Mapping[str, Any] | None:
    """A header of JSON; pandas puts `.1` and so on behind those that repeat."""
    given = text.strip()
    if not given.startswith("{"):
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(given)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, Mapping) and ("provider" in value or "metrics" in value) else None


def read_table(
    file: Found, seen: Seen, suite: str, evals: list[Cells], lost: dict[str, int]
) -> list[Version]:
    """Read a table of results.

    Args:
        file: It.
        seen: What a look through its bytes showed.
        suite: Its name.
        evals: Where rows are added.
        lost: Where what is left out is counted.

    Raises:
        UnreadableError: If it is no CSV, or has no results.
    """
    if seen.encoding is None:
        raise UnreadableError([Problem(file.name, "", "is no text; export the results as CSV anew")])
    with open_bytes(file.path) as raw:
        rows = _rows(io.TextIOWrapper(raw, encoding=seen.encoding, errors="replace", newline=""))
        try:
            header = next(rows, [])
            listed = [row for row in rows if row]
        except csv.Error:
            message = f"line {getattr(rows, 'line_num', 0):,}"
            raise UnreadableError(
                [Problem(file.name, message, "is no CSV that can be read; export it anew")]
            ) from None
    taken: set[str] = set()
    columns: dict[int, Version] = {}
    beside: set[int] = set()
    for at, name in enumerate(header):
        if (told := _header(name)) is not None:
            columns[at] = named(told, taken, suite)
        elif _has_grade_beside(header, at):
            columns[at] = Version(free_name(text_of(name) or f"column {at + 1}", taken), suite)
            beside.add(at)
        elif any(at < len(row) and row[at].lstrip().startswith(GRADES) for row in listed):
            columns[at] = Version(free_name(text_of(name) or f"column {at + 1}", taken), suite)
    if not columns:
        raise UnreadableError([Problem(file.name, "", "has no column of results ([PASS], [FAIL], Status)")])
    segment = next((i for i, n in enumerate(header) if n.strip() in _SEGMENTS), None)
    for place, row in enumerate(listed, start=1):
        for at, version in columns.items():
            grade = _grade(row, at + 1, "") if at in beside else _grade(row, at, "[")
            if grade is None:
                left_out(lost, _NO_GRADE)
                continue
            version.count(grade)
            by = row[segment] if segment is not None and segment < len(row) else None
            evals.append(graded(version, str(place), grade, by))
    return list(columns.values())


def _grade(row: list[str], at: int, bracket: str) -> bool | None:
    """Whether a cell says that an output passed; None where it says nothing."""
    cell = row[at].lstrip() if at < len(row) else ""
    if bracket:
        return cell.startswith(GRADES[0]) if cell.startswith(GRADES) else None
    return cell.rstrip() == _STATES[0] if cell.rstrip() in _STATES else None
