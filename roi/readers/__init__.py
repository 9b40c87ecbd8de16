"""Reading sample tables: one module per kind of source, each giving rows of texts under their own names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from roi.problems import Problem
from roi.readers.base import Connection, Roles, Rows, UnreadableError
from roi.readers.files import Found, find_files, give_all, give_threads, look_through

__all__ = ["Source", "open_source"]

_TEXT = (".csv", ".tsv", ".txt", ".tab", ".psv")
_JSON = (".jsonl", ".ndjson", ".json")
_PARQUET = (".parquet", ".pq")
_SHEETS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the rows of a table lie.

    Attributes:
        files: Paths or globs, relative to the project folder; empty for a database.
        sheet: Of a workbook.
        header_row: The row that holds the column names, from 1.
        connect: `${NAME}` or the path of a database file.
        table: The database's table, or
        sql: one SELECT.
        timeout: Seconds that a statement may take there; None for the usual.
        limit: Rows of a database that are looked at, for a preview; None reads all.
    """

    files: tuple[str, ...] = ()
    sheet: str | None = None
    header_row: int | None = None
    connect: str | None = None
    table: str | None = None
    sql: str | None = None
    timeout: int | None = None
    limit: int | None = None


def open_source(
    con: Connection,
    source: Source,
    *,
    wanted: Sequence[str],
    project: Path,
    folder: Path,
    name: str,
    file: str,
    place: str,
    roles: Roles | None = None,
) -> Rows:
    """Open a source, whatever kind it is.

    Args:
        con: The engine.
        source: Where the rows lie.
        wanted: Their column names that the mapping uses.
        project: The project folder.
        folder: The folder of the parameter file.
        name: A plain name for what the engine has to hold.
        file: The parameter file's name, for messages.
        place: The key that names the source, for messages.
        roles: What the mapping uses the columns for.

    Raises:
        UnreadableError: With everything that keeps it from being read.
    """
    if source.connect is not None:
        from roi.readers.database import read_database

        give_all(con)  # nobody knows yet how much it holds
        return read_database(
            con,
            connect=source.connect,
            table_name=source.table,
            sql=source.sql,
            project=project,
            folder=folder,
            table=name,
            file=file,
            place=place,
            timeout=source.timeout,
            limit=source.limit,
        )
    files = find_files(source.files, project=project, folder=folder, file=file, place=place)
    give_threads(con, files)
    kinds = {kind for found in files if (kind := _kind(found))}
    unknown = sorted(
        f.name for f in files if not any(_ending(f.path) in k for k in (_TEXT, _JSON, _PARQUET, _SHEETS))
    )
    if unknown:
        known = "CSV, TSV, Parquet, JSON Lines or XLSX, with or without .gz for texts"
        raise UnreadableError([Problem(file, place, f"{unknown[0]} is of no kind that is read ({known})")])
    if len(kinds) != 1:
        raise UnreadableError(
            [Problem(file, place, "names files of several kinds; give each kind its own table or export")]
        )
    if _PARQUET in kinds:
        from roi.readers.parquet import read_parquet

        return read_parquet(con, files)
    if _JSON in kinds:
        from roi.readers.json_lines import read_json_lines

        return read_json_lines(con, files, wanted=wanted, table=name)
    if _SHEETS in kinds:
        from roi.readers.spreadsheet import read_spreadsheet

        rows = read_spreadsheet(
            con,
            files,
            wanted=wanted,
            sheet=source.sheet,
            header_row=source.header_row,
            table=name,
            roles=roles,
        )
    else:
        from roi.readers.delimited import read_delimited

        rows = read_delimited(con, files, wanted=wanted, header_row=source.header_row, table=name)
    return replace(rows, warnings=(*_misnamed(files), *rows.warnings))


def _kind(found: Found) -> tuple[str, ...] | None:
    """The kind of a file by its ending, unless it is a workbook under the name of a text or the other way round."""
    ending = _ending(found.path)
    kind = next((kind for kind in (_TEXT, _JSON, _PARQUET, _SHEETS) if ending in kind), None)
    if kind not in (_TEXT, _SHEETS) or found.path.suffix.lower() == ".gz":
        return kind
    try:
        with found.path.open("rb") as stream:
            start = stream.read(512)
    except OSError:
        return kind
    if start.startswith(_WORKBOOKS):
        return _SHEETS
    if kind is _TEXT or not start:
        return kind
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        message = (
            "is a web page or XML under a spreadsheet's name; open it in a spreadsheet and save it as .xlsx"
        )
        raise UnreadableError([Problem(found.name, "", message)])
    return _SHEETS if look_through(found).encoding is None else _TEXT


def _misnamed(files: Sequence[Found]) -> list[str]:
    said = []
    for found in files:
        text = _ending(found.path) in _TEXT
        if text and _kind(found) is _SHEETS:
            said.append(f"{found.name} is a workbook under the name of a text, and was read as a workbook")
        elif not text and _kind(found) is _TEXT:
            said.append(f"{found.name} is a text under the name of a workbook, and was read as CSV")
    return said


def _ending(path: Path) -> str:
    suffixes = [s.lower() for s in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        inner = suffixes[-2] if len(suffixes) > 1 else ""
        return inner if inner in (*_TEXT, *_JSON) else ".gz"
    return suffixes[-1] if suffixes else ""
