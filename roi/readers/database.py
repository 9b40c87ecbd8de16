"""Databases: a table or one SELECT, read through Ibis and never written to."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from roi.problems import Problem
from roi.readers.base import Connection, Rows, UnreadableError, quoted
from roi.readers.parquet import as_text
from roi.readers.query import one_select

__all__ = ["read_database"]


def read_database(
    con: Connection,
    *,
    connect: str,
    table_name: str | None,
    sql: str | None,
    project: Path,
    folder: Path,
    table: str,
    file: str,
    place: str,
) -> Rows:
    """Read a table, or what one SELECT gives.

    Args:
        con: The local engine, which takes the rows.
        connect: `${NAME}` of an environment variable that holds the address, or the path of a DuckDB or SQLite file.
        table_name: The table to read, or
        sql: one SELECT.
        project: The project folder.
        folder: The folder of the parameter file.
        table: A name for what the engine has to hold.
        file: The parameter file's name, for messages.
        place: The key that names the source, for messages.

    Raises:
        UnreadableError: If the database cannot be reached or the SELECT is not one. The messages hold neither the
            address nor what the database answered, since both may carry secrets or cells.
    """
    variable = re.fullmatch(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", connect)
    if variable:
        address = os.environ.get(variable[1], "")
        if not address:
            raise UnreadableError(
                [Problem(file, f"{place}.connect", f"the environment has no variable {variable[1]}")]
            )
    else:
        address = connect
    if sql is not None:
        message = one_select(sql, dialect=_dialect(address), tables=None)
        if message:
            raise UnreadableError([Problem(file, f"{place}.sql", message)])
    try:
        backend = _open(address, project, folder)
    except FileNotFoundError:
        raise UnreadableError([Problem(file, f"{place}.connect", f"{connect} does not exist")]) from None
    except Exception as error:  # whatever the driver raises may repeat the address
        raise UnreadableError(
            [Problem(file, f"{place}.connect", f"{connect} cannot be opened ({type(error).__name__})")]
        ) from None
    try:
        rows = backend.sql(sql) if sql is not None else backend.table(table_name)
        names = tuple(rows.columns)
        reader = rows.to_pyarrow_batches()
        # `reader` is picked up by its name; the engine turns every type into the text that mapping reads.
        con.register(f"{table}_view", reader)
        types = {
            str(n): str(t) for n, t, *_ in con.execute(f"describe select * from {table}_view").fetchall()
        }
        outputs = [f"{as_text(quoted(n), types[n])} as c{i}" for i, n in enumerate(names)]
        con.execute(f"create or replace table {table} as select {', '.join(outputs)} from {table}_view")
        con.unregister(f"{table}_view")
    except Exception as error:
        if type(error).__name__ == "PermissionException":
            message = (
                "reads from outside the database, which is not allowed; write select … from its own tables"
            )
            key = "table" if sql is None else "sql"
            raise UnreadableError([Problem(file, f"{place}.{key}", message)]) from None
        what = f"table {table_name}" if sql is None else "the SELECT"
        raise UnreadableError(
            [
                Problem(
                    file,
                    place,
                    f"{what} cannot be read from {connect} ({type(error).__name__}); check the names",
                )
            ]
        ) from None
    finally:
        backend.disconnect()
    at = {name: i for i, name in enumerate(names)}

    def select(needed: Sequence[str]) -> str:
        outputs = [f"{f'c{at[n]}' if n in at else 'null::varchar'} as {quoted(n)}" for n in needed]
        return f"select {', '.join(outputs)} from {table}"

    return Rows(label=f"{connect} {table_name or 'query'}", columns=names, select=select)


def _dialect(address: str) -> str:
    scheme = address.split("://")[0].lower() if "://" in address else ""
    if scheme in ("postgres", "postgresql"):
        return "postgres"
    if scheme:
        return scheme
    return "sqlite" if Path(address).suffix.lower() in (".sqlite", ".sqlite3", ".db") else "duckdb"


def _open(address: str, project: Path, folder: Path) -> Any:
    import ibis

    if "://" in address and not address.startswith(("duckdb://", "sqlite://")):
        backend = ibis.connect(address)
        if backend.name == "postgres":
            backend.raw_sql("set session characteristics as transaction read only").close()
        return backend
    path = Path(re.sub(r"^(duckdb|sqlite)://", "", address))
    path = next((p for p in (project / path, folder / path) if p.is_file()), project / path)
    with path.open("rb") as stream:
        head = stream.read(16)
    if head.startswith(b"SQLite format 3"):
        import sqlite3

        # Opened read-only by SQLite itself, which still allows the temporary view that Ibis makes of a SELECT.
        return ibis.sqlite.from_connection(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True))
    backend = ibis.duckdb.connect(path, read_only=True)
    # A SELECT may call read_csv and its like; it sees the database's own tables and nothing else.
    backend.con.execute("set python_enable_replacements = false")
    backend.con.execute("set autoload_known_extensions = false; set autoinstall_known_extensions = false")
    backend.con.execute("set enable_external_access = false")
    backend.con.execute("set lock_configuration = true")
    return backend
