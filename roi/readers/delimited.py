"""Delimited text: CSV, TSV, semicolons; every cell is a text until it is mapped."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple

from roi.problems import Problem
from roi.readers.base import LONGEST_LINE, Connection, Part, Rows, UnreadableError, literal, quoted
from roi.readers.files import Found, Seen, look_through, open_bytes
from roi.readers.held import Sheet, hold
from roi.readers.names import Wanted

__all__ = ["read_delimited"]

_DELIMITERS = (",", ";", "\t", "|")
_LOOKED_AT = 30
_QUOTED = re.compile(r'"[^"]*"')
_ERRORS = {
    "MISSING COLUMNS": "has fewer cells than the header",
    "TOO MANY COLUMNS": "has more cells than the header",
    "LINE SIZE OVER MAXIMUM": "is longer than 1 MB",
    "UNQUOTED VALUE": "has a quotation mark that is opened or closed in the wrong place",
    "INVALID ENCODING": "is not UTF-8",
    "INVALID STATE": "has a quotation mark that is opened or closed in the wrong place",
}


class _Head:
    """The dialect and header of one file."""

    __slots__ = ("delimiter", "encoding", "found", "mixed", "names", "sha256", "skip")

    def __init__(self, found: Found, seen: Seen, wanted: Sequence[str], header_row: int | None) -> None:
        self.found = found
        self.sha256 = seen.sha256
        if seen.size == 0:
            raise UnreadableError([Problem(found.name, "", "is empty")])
        if seen.encoding is None:
            raise UnreadableError([Problem(found.name, "", "is not a text file; export it as CSV in UTF-8")])
        self.encoding = seen.encoding
        with open_bytes(found.path) as stream:
            start = stream.read(2 * LONGEST_LINE + 64)
        text = start.decode(self.encoding.removesuffix("-sig"), errors="replace").removeprefix("\ufeff")
        bare = _QUOTED.sub("", text)  # line breaks within cells are their own business
        both = bare.count("\r\n")
        self.mixed = sum(n > 0 for n in (both, bare.count("\n") - both, bare.count("\r") - both)) > 1
        self.delimiter, self.names, self.skip = self._header(text, wanted, header_row)

    def _header(
        self, text: str, wanted: Sequence[str], header_row: int | None
    ) -> tuple[str, tuple[str, ...], int]:
        """The delimiter, the column names and the lines above them.

        The header is the first row, unless a later one near the top holds the wanted names and the first none: exports
        have titles.
        """
        known = Wanted(wanted)
        tab_first = ".tsv" in [s.lower() for s in self.found.path.suffixes]
        best: tuple[tuple[int, int, int, int], str, tuple[str, ...], int] | None = None
        for rank, delimiter in enumerate(_DELIMITERS):
            for at, row in enumerate(_top(text, delimiter, header_row)):
                names = known.spell(row.cells)
                cells = len(names) + (1000 if tab_first and delimiter == "\t" else 0)
                score = (len(set(names) & set(wanted)), -at, cells, -rank)
                if best is None or score > best[0]:
                    best = (score, delimiter, names, row.above)
        if best is None:
            raise UnreadableError([Problem(self.found.name, "", "has no header row that can be read")])
        return best[1:]


class _TopRow(NamedTuple):
    cells: list[str]
    above: int  # lines


def _top(text: str, delimiter: str, header_row: int | None) -> list[_TopRow]:
    """The rows near the top that hold something."""
    lines = text.splitlines(keepends=True)
    skip = (header_row or 1) - 1
    reader = csv.reader(lines[skip:], delimiter=delimiter)
    rows: list[_TopRow] = []
    above = skip
    try:
        for cells in reader:
            if any(c.strip() for c in cells):
                rows.append(_TopRow(cells, above))
            above = skip + reader.line_num
            if len(rows) == (1 if header_row is not None else _LOOKED_AT):
                break
    except csv.Error:
        pass
    return rows


def read_delimited(
    con: Connection, files: Sequence[Found], *, wanted: Sequence[str], header_row: int | None, table: str
) -> Rows:
    """Read delimited text files, united by column name.

    Args:
        con: The engine.
        files: At least one.
        wanted: Their column names that the mapping uses, which tell the header from a title and settle the delimiter.
        header_row: The line that holds the names, from 1; lines above it are left out.
        table: A name for what the engine has to hold.

    Raises:
        UnreadableError: If a file is empty, no text, or names a needed column twice.
    """
    heads: list[_Head] = []
    problems: list[Problem] = []
    warnings: list[str] = []
    for found in files:
        try:
            head = _Head(found, look_through(found), wanted, header_row)
        except UnreadableError as error:
            problems += error.problems
            continue
        twice = sorted({n for n in head.names if n and head.names.count(n) > 1 and n in wanted})
        problems += [
            Problem(found.name, n, f"{head.names.count(n)} columns have this name; rename one") for n in twice
        ]
        if head.encoding == "cp1252":
            warnings.append(f"{found.name} is not UTF-8; it was read as Windows-1252 (Western European)")
        heads.append(head)
    if problems:
        raise UnreadableError(problems)
    held = {
        h.found.path: _held(con, h, f"{table}_{i}")
        for i, h in enumerate(heads)
        if h.mixed or h.encoding in ("utf-16", "cp1252")
    }
    rejects = f"{table}_rejects"

    def select(needed: Sequence[str]) -> str:
        parts = []
        for key, group in groupby(
            heads,
            key=lambda h: (
                h.delimiter,
                h.names,
                h.skip,
                h.found.path in held,
                h.found.name if h.found.path in held else "",
            ),
        ):
            same = list(group)
            if key[3]:
                parts.append(held[same[0].found.path].select_part(needed))
            else:
                parts.append(_scan(same, needed, rejects))
        return " union all ".join(parts)

    def part(head: _Head) -> Part:
        alone = held.get(head.found.path)
        return Part(head.found.name, alone.select_part if alone else lambda n: _scan([head], n, rejects))

    def check() -> list[Problem]:
        return _rejected(con, rejects, {str(h.found.path): h.found.name for h in heads})

    return Rows(
        label=heads[0].found.name,
        columns=tuple(dict.fromkeys(n for h in heads for n in h.names if n)),
        select=select,
        check=check,
        fingerprints={h.found.name: h.sha256 for h in heads},
        warnings=tuple(warnings),
        parts=tuple(map(part, heads)) if len(heads) > 1 else (),
    )


def _scan(heads: Sequence[_Head], needed: Sequence[str], rejects: str) -> str:
    head = heads[0]
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(head.names)))
    at = {name: i for i, name in reversed(list(enumerate(head.names)))}
    outputs = [
        "parse_filename(_path) as _file"
        if name == "_file" and name not in at
        else f"{f'c{at[name]}' if name in at else 'null::varchar'} as {quoted(name)}"
        for name in needed
    ]
    paths = ", ".join(literal(str(h.found.path)) for h in heads)
    return (
        f"select {', '.join(outputs)} from read_csv([{paths}], auto_detect=false, header=true, skip={head.skip}, "
        f"delim={literal(head.delimiter)}, quote='\"', escape='\"', columns={{{columns}}}, filename='_path', "
        f"store_rejects=true, rejects_table='{rejects}', rejects_scan='{rejects}_scan', rejects_limit=1000, "
        f"max_line_size={LONGEST_LINE}, strict_mode=true)"
    )


def _rejected(con: Connection, rejects: str, names: dict[str, str]) -> list[Problem]:
    # Bound parameters would make the engine import pandas.
    if not con.execute(f"select 1 from duckdb_tables() where table_name = {literal(rejects)}").fetchall():
        return []
    rows = con.execute(
        f"select s.file_path, e.error_type::varchar, count(distinct e.line), min(e.line) from {rejects} e "
        f"join {rejects}_scan s using (scan_id, file_id) group by all order by 1, 4"
    ).fetchall()
    problems = []
    for path, kind, count, line in rows:
        what = _ERRORS.get(kind, "cannot be read")
        more = f" ({count:,} such rows)" if count > 1 else ""
        mend = "; put cells that hold the delimiter or a line break into quotation marks"
        if "1 MB" in what:
            mend = ""
        elif "fewer cells" in what:
            mend += ", and delete notes that stand around the table"
        problems.append(Problem(names.get(path, Path(path).name), f"line {line}", f"{what}{more}{mend}"))
    return problems


def _held(con: Connection, head: _Head, name: str) -> Sheet:
    """A file that the engine cannot read by itself: its encoding, or line ends of several kinds."""
    with open_bytes(head.found.path) as stream:
        text = stream.read().decode(head.encoding, errors="replace")
    lines = io.StringIO(text, newline="")
    for _ in range(head.skip):
        lines.readline()
    before = csv.field_size_limit(LONGEST_LINE)
    try:
        rows: Iterable[list[str]] = csv.reader(lines, delimiter=head.delimiter)
        body = list(islice((r for r in rows if r), 1, None))
    except csv.Error:
        raise UnreadableError(
            [
                Problem(
                    head.found.name, "", "has a cell longer than 1 MB, or quotation marks that do not match"
                )
            ]
        ) from None
    finally:
        csv.field_size_limit(before)
    ragged = [i for i, row in enumerate(body, start=1) if len(row) != len(head.names)]
    if ragged:
        message = f"has more or fewer cells than the header ({len(ragged):,} such rows)"
        raise UnreadableError([Problem(head.found.name, f"row {ragged[0]}", message)])
    return hold(con, name, head.names, body, file=head.found.path.name)
