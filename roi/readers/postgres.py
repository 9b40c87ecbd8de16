"""PostgreSQL: a session that only reads, in one snapshot, one statement at a time and not for ever."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from roi.readers.base import Connection, Shape

if TYPE_CHECKING:
    import psycopg

__all__ = ["Postgres", "why_not"]

_WAIT = 10  # seconds for somebody to answer at all
_BLOCK = 8 << 20  # bytes that are parsed at a time; no row may be longer
# Texts of values must not depend on who asks, and backslashes mean what the check of the statement took them for.
# Without synchronised scans a table is read from its beginning, so that its rows come in the same order every time.
_SETTINGS = (
    "set local timezone = 'UTC'; set local datestyle = 'ISO, YMD'; set local intervalstyle = 'postgres'; "
    "set local extra_float_digits = 1; set local bytea_output = 'hex'; set local standard_conforming_strings = on; "
    "set local synchronize_seqscans = off; "
    "set local jit = off; "  # compiling long expressions takes longer than they do
    # Of queries that stand before a question nobody knows how many rows they give; row by row against row by row of
    # such is what may take for ever.
    "set local enable_nestloop = off; "
    # With less, whether a key is among those of a million rows is looked up row by row in all of them.
    "set local work_mem = '128MB'; "
    "set local statement_timeout = {milliseconds}"
)

# Of who asked and was killed a server hears when it answers, and works on until then.
_ALONE = "set local client_connection_check_interval = '5s'"


class Postgres:
    """A table, or what one SELECT gives, in a PostgreSQL database.

    Everything is asked in one transaction that is read-only and sees one snapshot, so that the fingerprint is of the
    rows that are read. What is asked goes to the server as a prepared statement first, which takes one statement and
    not two.
    """

    def __init__(
        self,
        address: str,
        *,
        table: str | None,
        sql: str | None,
        timeout: int,
        limit: int | None,
        con: psycopg.Connection[Any] | None = None,
    ) -> None:
        """Connect, and find the columns.

        Args:
            address: `postgresql://…`, or what else libpq understands.
            table: The table, with its schema before a dot if need be, or
            sql: one SELECT.
            timeout: Seconds that a statement may take.
            limit: Rows that are looked at, for a preview; None looks at all.
            con: What another source of the address opened, with its snapshot and its time; None connects anew.

        Raises:
            psycopg.Error: Of which only `why_not` may be shown.
        """
        import psycopg

        self.con: psycopg.Connection[Any] = con or psycopg.connect(
            address, connect_timeout=_WAIT, application_name="roi", client_encoding="UTF8"
        )
        try:
            if con is None:
                self.con.read_only = True
                self.con.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                self.con.execute(_SETTINGS.format(milliseconds=timeout * 1000).encode())
                with (
                    suppress(psycopg.Error),
                    self.con.transaction(),
                ):  # servers before 14, and some systems, cannot
                    self.con.execute(_ALONE)
            body = f"select * from {_named(table)}" if table is not None else (sql or "").strip().rstrip(";")
            self.body = f"{body}\n" if limit is None else f"select * from ({body}\n) as all_ limit {limit}"
            found = self.con.execute(
                f"select * from ({self.body}) as rows_ limit 0".encode(), prepare=True
            ).description
            self.columns = tuple(column.name for column in found or ())
            self.kinds = tuple(column.type_code for column in found or ())
        except BaseException:
            self.con.close()
            raise

    @property
    def _rows(self) -> str:
        """The rows with columns c0, c1, …, for two columns of a SELECT may have one name."""
        return f"({self.body}) as rows_({', '.join(f'c{i}' for i in range(len(self.columns)))})"

    def fingerprint(self) -> str:
        """A sha256 over the columns, the number of rows and the sums of two 60-bit parts of each row's md5.

        The server computes it in one scan, and nothing but three numbers leaves it. Any changed, added or removed row
        changes it; the order of the rows, which a table does not have, does not. It notices changes; it is no proof
        against somebody who looks for rows with the same sums.
        """
        parts = ", ".join(
            f"coalesce(sum(('x' || substr(h, {start}, 15))::bit(60)::bigint), 0)" for start in (1, 16)
        )
        count, one, other = self.con.execute(
            f"select count(*), {parts} from (select md5(rows_::text) as h from {self._rows}) as hashed_".encode()
        ).fetchall()[0]
        told = "\n".join(["postgres 1", *map(str, zip(self.columns, self.kinds, strict=True))])
        return hashlib.sha256(f"{told}\n{count} {one} {other}".encode()).hexdigest()

    def pull(self, con: Connection, table: str, names: Sequence[str]) -> None:
        """Hand some columns to the engine, as texts c0, c1, … of a table of this name."""
        at = {name: i for i, name in reversed(list(enumerate(self.columns)))}
        texts = [self._text(at[name]) for name in names]
        statement = f"copy (select {', '.join(texts)} from {self._rows}) to stdout (format csv)"
        listed = ", ".join(f"c{i} varchar" for i in range(len(names)))
        con.execute(f"create or replace table {table} ({listed})")
        with self.con.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            stream = _Stream(iter(copy))
            try:
                if stream.begin():
                    _insert(con, table, stream, len(names))
            except Exception:
                # What the engine says of it is about the engine; the reason is what the server answered.
                if stream.failed is not None:
                    raise stream.failed from None
                raise

    def _text(self, i: int) -> str:
        known = self.con.adapters.types.get(self.kinds[i])
        listed = known is not None and known.array_oid == self.kinds[i]
        return f"array_to_string(c{i}, ';')" if listed else f"c{i}::text"

    dialect = "postgres"

    @property
    def rows(self) -> str:
        """What may stand behind `from`: the rows with columns c0, c1, …."""
        return self._rows

    def shapes(self) -> tuple[Shape | None, ...]:
        """What each column holds; None of a kind that nothing is made of."""
        known = [self.con.adapters.types.get(kind) for kind in self.kinds]
        return tuple(
            None if info is None or info.array_oid == kind else _SHAPES.get(info.name)
            for info, kind in zip(known, self.kinds, strict=True)
        )

    def keep(self, keys: Mapping[str, str]) -> None:
        """Give the session the keys of pseudonyms, as parameters of a statement that ends with the transaction."""
        for name, key in keys.items():
            self.con.execute("select set_config(%s, %s, true)", (f"roi.key_{name}", key))

    def ask(self, statement: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Names and rows of a small result."""
        cursor = self.con.execute(statement.encode(), prepare=True)
        return tuple(c.name for c in cursor.description or ()), cursor.fetchall()

    def close(self) -> None:
        """End the session."""
        self.con.close()


_SHAPES: Mapping[str, Shape] = {
    "text": "text", "varchar": "text", "bpchar": "text", "uuid": "text", "name": "text",
    "int2": "whole", "int4": "whole", "int8": "whole", "numeric": "decimal", "float4": "float", "float8": "float",
    "bool": "flag", "timestamptz": "instant", "timestamp": "clock", "date": "day",
}  # fmt: skip


class _Stream(io.RawIOBase):
    """What the server sends, as a file that remembers why it broke off."""

    def __init__(self, chunks: Iterator[Any]) -> None:
        self.chunks = chunks
        self.left = b""
        self.failed: BaseException | None = None

    def begin(self) -> bool:
        """Whether there is anything."""
        self.left = bytes(next(self.chunks, b""))
        return bool(self.left)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        parts, have = [self.left], len(self.left)
        try:
            while size < 0 or have < size:
                chunk = next(self.chunks, None)
                if chunk is None:
                    break
                parts.append(bytes(chunk))
                have += len(chunk)
        except BaseException as error:
            self.failed = error
            raise
        whole = b"".join(parts)
        end = len(whole) if size < 0 else size
        self.left = whole[end:]
        return whole[:end]


def _insert(con: Connection, table: str, stream: _Stream, width: int) -> None:
    import pyarrow as pa
    from pyarrow import csv

    names = [f"c{i}" for i in range(width)]
    reader = csv.open_csv(
        stream,
        read_options=csv.ReadOptions(column_names=names, block_size=_BLOCK, use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,  # "" is an empty text, and nothing at all is none
        ),
    )
    con.register(f"{table}_view", reader)
    try:
        con.execute(f"insert into {table} select * from {table}_view")
    finally:
        con.unregister(f"{table}_view")


def _named(table: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in table.split("."))


_STATES = {
    "28": "refuses the user or the password",
    "3D": "has no database of that name",
    "42P01": "has no table of that name",
    "42703": "has no column of a name that the SELECT uses",
    "42501": "does not let this user read it",
    "42601": "cannot read the SELECT as SQL",
    "25": "was asked to change something, which the session does not allow",
    "57014": "took longer than the statement may take (samples.….source.timeout, in seconds)",
    "53300": "has no connection left",
}
_SAID = {  # of a connection that did not come about, for which there is no state
    "password authentication failed": "refuses the user or the password",
    "no password supplied": "wants a password, and the address has none",
    "does not exist": "has no such database or user",
    "refused": "cannot be reached (nobody answers at that host and port)",
    "no such file": "cannot be reached (nobody answers at that socket)",
    "timeout": f"does not answer within {_WAIT} seconds",
    "could not translate": "cannot be reached (no host of that name)",
    "failed to resolve": "cannot be reached (no host of that name)",
    "name or service": "cannot be reached (no host of that name)",
}


def why_not(error: BaseException) -> str | None:
    """What went wrong, in words of ours; the server's own may repeat the address or a cell. None: nobody knows."""
    state = str(getattr(error, "sqlstate", None) or "")
    for known, words in _STATES.items():
        if state and state.startswith(known):
            return words
    said = str(error).lower()
    return next((words for part, words in _SAID.items() if not state and part in said), None)
