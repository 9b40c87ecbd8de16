"""Parquet files; their typed values become texts, so that one mapping serves every kind of source."""

from __future__ import annotations

from collections.abc import Sequence

from roi.problems import Problem
from roi.readers.base import Connection, Rows, UnreadableError, literal, quoted
from roi.readers.files import Found, look_through

__all__ = ["as_text", "read_parquet"]


def as_text(column: str, type_name: str) -> str:
    """SQL that gives a typed column as the text that the mapping reads."""
    if type_name.endswith("[]"):
        return f"array_to_string({column}, ';')"
    return column if type_name == "VARCHAR" else f"{column}::varchar"


def read_parquet(con: Connection, files: Sequence[Found]) -> Rows:
    """Read Parquet files, united by column name.

    Raises:
        UnreadableError: If a file is no Parquet file.
    """
    import duckdb

    fingerprints = {found.name: look_through(found).sha256 for found in files}
    paths = ", ".join(literal(str(found.path)) for found in files)
    scan = f"read_parquet([{paths}], union_by_name=true, filename='_path')"
    try:
        described = con.execute(f"describe select * exclude (_path) from {scan}").fetchall()
    except duckdb.Error:
        raise UnreadableError(
            [Problem(files[0].name, "", "is not a Parquet file that can be read; export it anew")]
        ) from None
    types = {str(name): str(kind) for name, kind, *_ in described}

    def select(needed: Sequence[str]) -> str:
        outputs = [
            f"parse_filename(_path) as {quoted(n)}"
            if n == "_file" and n not in types
            else f"{as_text(quoted(n), types[n])} as {quoted(n)}"
            for n in needed
        ]
        return f"select {', '.join(outputs)} from {scan}"

    def raw(needed: Sequence[str]) -> str:
        outputs = [
            f"parse_filename(_path) as {quoted(n)}" if n == "_file" and n not in types else quoted(n)
            for n in needed
        ]
        return f"select {', '.join(outputs)} from {scan}"

    def apart() -> frozenset[str]:
        coded = "bool_and(contains(encodings::varchar, 'DICTIONARY'))"
        listed = f"select path_in_schema from parquet_metadata([{paths}]) group by 1 having {coded}"
        return frozenset(str(name) for (name,) in con.execute(listed).fetchall())

    return Rows(
        label=files[0].name,
        columns=tuple(types),
        select=select,
        fingerprints=fingerprints,
        types=types,
        raw=raw,
        apart=apart,
    )
