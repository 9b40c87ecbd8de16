"""Rows of an export to storage that are no JSON, but Parquet or CSV: values by column, as JSON has them."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from roi.importers.times import to_iso
from roi.problems import Problem
from roi.readers.base import UnreadableError, literal, quoted
from roi.readers.files import Found, Seen, open_bytes

__all__ = ["is_table", "stored_columns", "stored_rows"]

_AT_ONCE = 2_000
_LONGEST_CELL = 16 << 20
_PARQUET = (".parquet", ".pq")
_CSV = (".csv", ".csv.gz")


def is_table(found: Found) -> bool:
    """Whether a file is Parquet or CSV by its ending."""
    return found.path.name.lower().endswith((*_PARQUET, *_CSV))


def stored_columns(found: Found) -> list[str]:
    """The names of a table's columns; none where it cannot be read."""
    if not found.path.name.lower().endswith(_PARQUET):
        try:
            with open_bytes(found.path) as raw:
                line = raw.readline(1 << 20).decode("utf-8-sig", errors="replace")
            return next(csv.reader([line]), [])
        except (OSError, EOFError, zlib.error, csv.Error):
            return []
    import duckdb

    try:
        return [name for name, _ in _described(found)]
    except duckdb.Error:
        return []


def stored_rows(found: Found, seen: Seen, *, without: frozenset[str]) -> Iterator[Mapping[str, Any]]:
    """The rows of a table, a few at a time.

    Args:
        found: Its file.
        seen: What a look through its bytes showed.
        without: Columns that are not wanted, such as prompts and answers.

    Raises:
        UnreadableError: If it cannot be read to its end.
    """
    if found.path.name.lower().endswith(_PARQUET):
        yield from _parquet(found, without)
        return
    csv.field_size_limit(_LONGEST_CELL)
    try:
        with open_bytes(found.path) as raw:
            encoding = "utf-8-sig" if seen.encoding in (None, "utf-8") else seen.encoding
            text = io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline="")
            for row in csv.DictReader(text):
                yield {k: v for k, v in row.items() if k is not None and k not in without}
    except (csv.Error, EOFError, OSError, zlib.error):
        raise UnreadableError(
            [Problem(found.name, "", "is no CSV that can be read to its end; export it anew")]
        ) from None


def _described(found: Found) -> list[tuple[str, str]]:
    """Names and types of the columns of a Parquet file."""
    import duckdb

    with duckdb.connect() as con:
        listed = con.execute(f"describe select * from read_parquet({literal(str(found.path))})").fetchall()
    return [(str(row[0]), str(row[1])) for row in listed]


def _parquet(found: Found, without: frozenset[str]) -> Iterator[Mapping[str, Any]]:
    import duckdb

    try:
        columns = [(name, kind) for name, kind in _described(found) if name not in without]
        times = {name for name, kind in columns if kind.startswith("TIMESTAMP")}
        # Times as numbers: with a zone they would need another package, and their zone is of no account.
        cells = [f"epoch_us({quoted(n)})" if n in times else quoted(n) for n, _ in columns]
        names = [name for name, _ in columns]
        with duckdb.connect() as con:
            rows = con.execute(f"select {', '.join(cells)} from read_parquet({literal(str(found.path))})")
            while some := rows.fetchmany(_AT_ONCE):
                for row in some:
                    told = zip(names, row, strict=True)
                    yield {n: to_iso(v) if n in times else _plain(v) for n, v in told}
    except duckdb.Error as error:
        message = f"is no Parquet that can be read to its end ({type(error).__name__}); export it anew"
        raise UnreadableError([Problem(found.name, "", message)]) from None


def _plain(value: Any) -> Any:
    """A value as JSON has it: texts may come as bytes, amounts as decimals."""
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", errors="replace")
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return {str(_plain(k)): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value
