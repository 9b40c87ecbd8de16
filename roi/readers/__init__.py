"""Reading sample tables: one module per kind of source, each giving rows of texts under their own names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from roi.problems import Problem
from roi.readers.base import Connection, Rows, UnreadableError
from roi.readers.files import find_files

__all__ = ["Source", "open_source"]

_TEXT = (".csv", ".tsv", ".txt", ".tab", ".psv")
_JSON = (".jsonl", ".ndjson", ".json")
_PARQUET = (".parquet", ".pq")
_SHEETS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")


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
    """

    files: tuple[str, ...] = ()
    sheet: str | None = None
    header_row: int | None = None
    connect: str | None = None
    table: str | None = None
    sql: str | None = None


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

    Raises:
        UnreadableError: With everything that keeps it from being read.
    """
    if source.connect is not None:
        from roi.readers.database import read_database

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
        )
    files = find_files(source.files, project=project, folder=folder, file=file, place=place)
    endings = {_ending(found.path) for found in files}
    kinds = {kind for ending in endings for kind in (_TEXT, _JSON, _PARQUET, _SHEETS) if ending in kind}
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

        return read_spreadsheet(
            con, files, wanted=wanted, sheet=source.sheet, header_row=source.header_row, table=name
        )
    from roi.readers.delimited import read_delimited

    return read_delimited(con, files, wanted=wanted, header_row=source.header_row, table=name)


def _ending(path: Path) -> str:
    suffixes = [s.lower() for s in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        inner = suffixes[-2] if len(suffixes) > 1 else ""
        return inner if inner in (*_TEXT, *_JSON) else ".gz"
    return suffixes[-1] if suffixes else ""
