"""Databases that are files (DuckDB, SQLite), MotherDuck, and whatever else Ibis speaks: opened to be read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

from roi.readers.base import Connection, Shape, literal, quoted
from roi.readers.held import move
from roi.readers.parquet import as_text

__all__ = ["DuckDB", "Other", "at_most", "find_database", "is_sqlite"]

_FETCHES_NOTHING = "set autoload_known_extensions = false; set autoinstall_known_extensions = false"
_AT_ONCE = 100_000  # rows that come over at a time


def find_database(value: str, project: Path, folder: Path) -> Path:
    """The file of a database, beside the project or the parameter file.

    Raises:
        FileNotFoundError: If there is none.
    """
    path = Path(re.sub(r"^(duckdb|sqlite)://", "", value))
    found = next((p for p in (project / path, folder / path) if p.is_file()), None)
    if found is None:
        raise FileNotFoundError
    return found


def is_sqlite(path: Path) -> bool:
    """Whether a file is SQLite's, whatever its name says."""
    with path.open("rb") as stream:
        return stream.read(16).startswith(b"SQLite format 3")


class DuckDB:
    """A table, or what one SELECT gives, in a DuckDB file or at MotherDuck."""

    def __init__(
        self,
        where: Path | str,
        *,
        table: str | None,
        sql: str | None,
        timeout: int,
        limit: int | None,
        con: Connection | None = None,
    ) -> None:
        """Open it, and find the columns.

        Args:
            where: The file, or MotherDuck's address.
            table: The table, with its schema before a dot if need be, or
            sql: one SELECT.
            timeout: Seconds that a statement may take.
            limit: Rows that are looked at, for a preview; None looks at all.
            con: What another source of the file opened; None opens it anew.

        Raises:
            duckdb.Error: Whose message may repeat a cell or the address.
        """
        import duckdb

        # Each in an engine of its own, whose settings nobody shares. MotherDuck's extension must have been installed
        # before, since nothing is fetched.
        self.timeout = timeout
        self.con = con or (duckdb.connect() if isinstance(where, Path) else _motherduck(where))
        try:
            if con is None:
                self._settle(where)
            body = f"select * from {_named(table)}" if table is not None else (sql or "").strip().rstrip(";")
            self.body = f"{body}\n" if limit is None else f"select * from ({body}\n) limit {limit}"
            described = self.con.execute(f"describe select * from ({self.body})").fetchall()
            self.columns = tuple(str(name) for name, *_ in described)
            self.kinds = tuple(str(kind) for _, kind, *_ in described)
        except BaseException:
            self.con.close()
            raise

    def _settle(self, where: Path | str) -> None:
        """Let a session see the database and nothing else."""
        self.con.execute("set python_enable_replacements = false; set TimeZone = 'UTC'")
        if isinstance(where, Path):
            self.con.execute(_FETCHES_NOTHING)
            self.con.execute(f"attach {literal(str(where))} as {quoted(where.stem)} (read_only)")
            self.con.execute(f"use {quoted(where.stem)}")
            # A SELECT may call read_csv and its like; it sees the database's own tables and nothing else.
            self.con.execute("set enable_external_access = false")
        self.con.execute("set lock_configuration = true")

    def fingerprint(self) -> str:
        """A sha256 over the columns, the number of rows and the sums of the two halves of each row's md5."""
        texts = [_text(i, kind) for i, kind in enumerate(self.kinds)]
        with at_most(self.timeout, self.con.interrupt):
            return _summed(self.con, self._rows, texts, self.columns, self.kinds)

    @property
    def _rows(self) -> str:
        return f"({self.body}) as rows_({', '.join(f'c{i}' for i in range(len(self.columns)))})"

    def pull(self, con: Connection, table: str, names: Sequence[str]) -> None:
        """Hand some columns to the engine, as texts c0, c1, … of a table of this name."""
        at = {name: i for i, name in reversed(list(enumerate(self.columns)))}
        texts = ", ".join(_text(at[name], self.kinds[at[name]]) for name in names)
        with at_most(self.timeout, self.con.interrupt):
            move(self.con, f"select {texts} from {self._rows}", con, table, len(names))

    dialect = "duckdb"

    @property
    def rows(self) -> str:
        """What may stand behind `from`: the rows with columns c0, c1, …."""
        return self._rows

    def shapes(self) -> tuple[Shape | None, ...]:
        """What each column holds; None of a kind that nothing is made of."""
        return tuple(_shape(kind) for kind in self.kinds)

    def keep(self, keys: Mapping[str, str]) -> None:
        """Give the session the keys of pseudonyms."""
        for name, key in keys.items():
            self.con.execute(f"set variable key_{name} = {literal(key)}")

    def ask(self, statement: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Names and rows of a small result."""
        with at_most(self.timeout, self.con.interrupt):
            found = self.con.execute(statement)
            return tuple(str(c[0]) for c in found.description or ()), found.fetchall()

    def close(self) -> None:
        """Close it."""
        self.con.close()


class Other:
    """A table, or what one SELECT gives, in any database that Ibis opens: SQLite, Snowflake, BigQuery, Spark …

    Its rows come over as Arrow batches and are fingerprinted here, since no hash is the same everywhere.
    """

    def __init__(
        self, backend: Any, *, table: str | None, sql: str | None, timeout: int, limit: int | None
    ) -> None:
        """Find the columns.

        Args:
            backend: As Ibis opened it.
            table: The table, with its schema before a dot if need be, or
            sql: one SELECT.
            timeout: Seconds that a statement may take, where the driver can be interrupted.
            limit: Rows that are looked at, for a preview; None looks at all.
        """
        self.backend = backend
        self.timeout = timeout
        self._interrupt = getattr(getattr(backend, "con", None), "interrupt", None)
        # SQLite tells the kinds of a SELECT's columns by running it.
        with at_most(timeout, self._interrupt):
            if sql is not None:
                rows = backend.sql(sql.strip().rstrip(";"))
            else:
                *schema, name = (table or "").split(".")
                rows = backend.table(
                    name, database=tuple(schema) if len(schema) > 1 else next(iter(schema), None)
                )
        self.all = rows if limit is None else rows.limit(limit)
        self.columns = tuple(str(name) for name in rows.columns)

    def fingerprint(self) -> str:
        """A sha256 over the columns, the number of rows and the sums of the two halves of each row's md5.

        The rows come over for it, and are gone afterwards.
        """
        import duckdb

        con = duckdb.connect(config={"threads": 1})
        try:
            self.pull(con, "hashed", self.columns)
            texts = [f"c{i}" for i in range(len(self.columns))]
            return _summed(con, "hashed", texts, self.columns, ())
        finally:
            con.close()

    def pull(self, con: Connection, table: str, names: Sequence[str]) -> None:
        """Hand some columns to the engine, as texts c0, c1, … of a table of this name."""
        with at_most(self.timeout, self._interrupt):
            reader = self.all.select(*names).to_pyarrow_batches(chunk_size=_AT_ONCE)
            con.register(f"{table}_view", reader)
            try:
                described = con.execute(f"describe select * from {table}_view").fetchall()
                texts = ", ".join(
                    f"{as_text(quoted(str(name)), str(kind))} as c{i}"
                    for i, (name, kind, *_) in enumerate(described)
                )
                con.execute(f"create or replace table {table} as select {texts} from {table}_view")
            finally:
                con.unregister(f"{table}_view")

    def close(self) -> None:
        """Close it."""
        self.backend.disconnect()


def _shape(kind: str) -> Shape | None:
    if kind.startswith("DECIMAL"):
        return "decimal"
    if kind.startswith("ENUM"):
        return "text"
    return _SHAPES.get(kind)


_SHAPES: Mapping[str, Shape] = {
    "VARCHAR": "text", "UUID": "text",
    "TINYINT": "whole", "SMALLINT": "whole", "INTEGER": "whole", "BIGINT": "whole", "UTINYINT": "whole",
    "USMALLINT": "whole", "UINTEGER": "whole", "FLOAT": "float", "DOUBLE": "float", "BOOLEAN": "flag",
    "TIMESTAMP WITH TIME ZONE": "instant", "TIMESTAMP": "clock", "DATE": "day",
}  # fmt: skip


def _motherduck(address: str) -> Connection:
    import duckdb

    return duckdb.connect(address, config={"autoinstall_known_extensions": "false"})


def _text(i: int, kind: str) -> str:
    return as_text(f"c{i}", kind)


def _summed(
    con: Connection, rows: str, texts: Sequence[str], columns: Sequence[str], kinds: Sequence[str]
) -> str:
    # Each cell says how long it is, so that no two rows of different cells have one text.
    cells = ", ".join(f"coalesce(length({t})::varchar || ':' || {t}, '-')" for t in texts)
    count, one, other = con.execute(
        "select count(*), coalesce(sum(md5_number_lower(t)::hugeint), 0)::varchar, "
        f"coalesce(sum(md5_number_upper(t)::hugeint), 0)::varchar from (select concat({cells}) as t from {rows})"
    ).fetchall()[0]
    told = "\n".join(["duckdb 1", *columns, *kinds])
    return hashlib.sha256(f"{told}\n{count} {one} {other}".encode()).hexdigest()


def _named(table: str) -> str:
    return ".".join(quoted(part) for part in table.split("."))


@contextmanager
def at_most(seconds: int, interrupt: Callable[[], Any] | None) -> Iterator[None]:
    """Interrupt what takes longer."""
    late: list[bool] = []

    def stop() -> None:
        late.append(True)
        if interrupt is not None:
            interrupt()

    timer = Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception:
        if late:
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
