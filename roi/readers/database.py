"""Databases: a table or one SELECT, read in a session that cannot write, and fingerprinted where the rows are."""

from __future__ import annotations

import hashlib
import re
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from roi.problems import Problem
from roi.readers.addresses import Address, find_address
from roi.readers.base import Connection, Rows, Shape, UnreadableError, quoted
from roi.readers.query import one_select

__all__ = ["TIMEOUT", "Asking", "There", "ask_there", "database_print", "read_database"]

TIMEOUT = 600
"""Seconds that a statement may take unless the source says otherwise."""


class Session(Protocol):
    """What is open in a database: the rows of one source."""

    columns: tuple[str, ...]

    def fingerprint(self) -> str:
        """Changes with any row."""

    def pull(self, con: Connection, table: str, names: Sequence[str]) -> None:
        """Hand some columns to the engine, as texts c0, c1, … of a table of this name."""

    def close(self) -> None:
        """End it."""


@runtime_checkable
class Asking(Session, Protocol):
    """A session that questions can be put to, whose answers are small."""

    dialect: str

    @property
    def rows(self) -> str:
        """What may stand behind `from`: the rows with columns c0, c1, …."""

    def shapes(self) -> tuple[Shape | None, ...]:
        """What each column holds; None of a kind that nothing is made of."""

    def keep(self, keys: Mapping[str, str]) -> None:
        """Give the session the keys of pseudonyms."""

    def ask(self, statement: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Names and rows of a small result."""


class There:
    """A source whose rows stay where they are.

    Attributes:
        session: What is open.
        label: A name that says which of a database's tables or queries this is.
        fingerprint: Of its rows.
        stated: Its address as the parameter file has it.
    """

    def __init__(self, asked: _Asked, session: Asking, fingerprint: str) -> None:
        self._asked, self.session, self.fingerprint = asked, session, fingerprint
        self.label, self.stated = asked.label, asked.address.stated

    def ask(self, statement: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Names and rows of a small result.

        Raises:
            UnreadableError: If it fails; what the database said of it is not repeated.
        """
        try:
            return self.session.ask(statement)
        except Exception as error:
            raise self._asked.refusal(error) from None

    def hold(self, query: str) -> str | None:
        """SELECT from what the database keeps of a query's rows for later questions; None where it keeps nothing.

        Raises:
            UnreadableError: As `ask`.
        """
        keeps = getattr(self.session, "hold", None)
        try:
            return None if keeps is None else str(keeps(query))
        except Exception as error:
            raise self._asked.refusal(error) from None

    def release(self, query: str) -> None:
        """Let the database forget what it keeps under a query that `hold` gave; another is left alone."""
        release = getattr(self.session, "release", None)
        if release is not None:
            release(query)


def ask_there(
    *,
    connect: str,
    table_name: str | None,
    sql: str | None,
    project: Path,
    folder: Path,
    file: str,
    place: str,
    timeout: int | None = None,
    beside: There | None = None,
) -> There | None:
    """Open a source to put questions to it; None where its rows can only be read.

    Args:
        connect: As of `read_database`, likewise the others.
        beside: Another source of the same address, in whose session and snapshot it is opened.

    Raises:
        UnreadableError: As `read_database`.
    """
    asked = _Asked(connect, table_name, sql, project, folder, file, place, timeout or TIMEOUT, None)
    session = asked.session(beside)
    if not isinstance(session, Asking):
        session.close()
        return None
    try:
        return There(asked, session, session.fingerprint())
    except BaseException as error:
        session.close()
        raise asked.refusal(error) from None


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
    timeout: int | None = None,
    limit: int | None = None,
) -> Rows:
    """Read a table, or what one SELECT gives; only the columns that are asked for come over.

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
        timeout: Seconds that a statement may take.
        limit: Rows that are looked at, for a preview; None reads all.

    Raises:
        UnreadableError: If the database cannot be reached or the SELECT is not one. The messages hold neither the
            address nor what the database answered, since both may carry secrets or cells.
    """
    asked = _Asked(connect, table_name, sql, project, folder, file, place, timeout or TIMEOUT, limit)
    session = asked.session()
    try:
        digest = session.fingerprint() if limit is None else ""
    except BaseException as error:
        session.close()
        raise asked.refusal(error) from None
    held: dict[tuple[str, ...], str] = {}

    def select(needed: Sequence[str]) -> str:
        names = tuple(dict.fromkeys(n for n in needed if n in session.columns))
        source = next((k for k in held if set(names) <= set(k)), None)
        if source is None:
            source, held[names] = names, f"{table}_{len(held)}"
            try:
                session.pull(con, held[names], names or session.columns[:1])
            except Exception as error:
                raise asked.refusal(error) from None
        at = {name: f"c{i}" for i, name in enumerate(source)}
        outputs = [f"{at.get(n, 'null::varchar')} as {quoted(n)}" for n in needed]
        return f"select {', '.join(outputs)} from {held[source]}"

    weakref.finalize(select, session.close)  # the snapshot stays as long as somebody may ask for rows
    prints = {} if limit is not None else {asked.label: digest}
    return Rows(label=asked.label, columns=session.columns, select=select, fingerprints=prints)


def database_print(
    *,
    connect: str,
    table_name: str | None,
    sql: str | None,
    project: Path,
    folder: Path,
    file: str,
    place: str,
    timeout: int | None = None,
) -> tuple[str, str]:
    """The label of a source and its fingerprint, without reading its rows.

    Raises:
        UnreadableError: As `read_database`.
    """
    asked = _Asked(connect, table_name, sql, project, folder, file, place, timeout or TIMEOUT, None)
    session = asked.session()
    try:
        return asked.label, session.fingerprint()
    except Exception as error:
        raise asked.refusal(error) from None
    finally:
        session.close()


class _Asked:
    """A source, and how to say what is wrong with it."""

    def __init__(
        self,
        connect: str,
        table: str | None,
        sql: str | None,
        project: Path,
        folder: Path,
        file: str,
        place: str,
        timeout: int,
        limit: int | None,
    ) -> None:
        self.address: Address = find_address(connect, file=file, place=place)
        self.table, self.sql = table, sql
        self.project, self.folder = project, folder
        self.file, self.place = file, place
        self.timeout, self.limit = timeout, limit

    @property
    def label(self) -> str:
        """A name that says which of a database's tables or queries this is."""
        digest = hashlib.sha256((self.sql or "").encode()).hexdigest()[:8]
        return f"{self.address.stated} {self.table or f'query {digest}'}"

    def session(self, beside: There | None = None) -> Session:
        """Open it.

        Args:
            beside: A source whose connection it takes.

        Raises:
            UnreadableError: With what keeps it from being opened.
        """
        if self.sql is not None:
            message = one_select(self.sql, dialect=self.address.dialect, tables=None)
            if message:
                raise self._refused("sql", message)
        try:
            return self._open(beside)
        except FileNotFoundError:
            raise self._refused("connect", f"{self.address.stated} does not exist") from None
        except ImportError as error:
            extra = {"postgres": "postgres", "sqlite": "sqlite", "spark": "spark"}.get(self.address.kind)
            name = error.name or "Ibis with the backend for such an address"
            mend = f"pip install 'roi[{extra}]'" if extra else f"install {error.name or 'that'}"
            raise self._refused("connect", f"{self.address.stated} needs {name} ({mend})") from None
        except Exception as error:  # whatever the driver raises may repeat the address
            raise self.refusal(error, opening=True) from None

    def _open(self, beside: There | None) -> Session:
        how: dict[str, Any] = {
            "table": self.table,
            "sql": self.sql,
            "timeout": self.timeout,
            "limit": self.limit,
        }
        held = None if beside is None else getattr(beside.session, "con", None)
        if self.address.kind == "postgres":
            from roi.readers.postgres import Postgres

            return Postgres(self.address.value, con=held, **how)
        if self.address.kind == "spark":
            from roi.readers.spark import Spark

            return Spark(self.address.value, folders=(self.project, self.folder), **how)
        from roi.readers.embedded import DuckDB, Other, find_database, is_sqlite

        if self.address.kind == "motherduck":
            return DuckDB(self.address.value, **how)
        import ibis

        if self.address.kind == "ibis":
            return Other(ibis.connect(self.address.value), **how)
        path = find_database(self.address.value, self.project, self.folder)
        if not is_sqlite(path):
            return DuckDB(path, con=held, **how)
        import sqlite3

        # Opened read-only by SQLite itself, which still allows the temporary view that Ibis makes of a SELECT.
        # It is interrupted from another thread when it takes too long.
        uri = f"{path.resolve().as_uri()}?mode=ro"
        con = sqlite3.connect(uri, uri=True, check_same_thread=False)
        con.execute(
            "select count(*) from sqlite_master"
        )  # what fails from here on is the SELECT, not the file
        try:
            return Other(ibis.sqlite.from_connection(con), **how)
        except Exception as error:
            con.close()
            raise self.refusal(error) from None

    def _refused(self, key: str, message: str) -> UnreadableError:
        return UnreadableError([Problem(self.file, f"{self.place}.{key}" if key else self.place, message)])

    def refusal(self, error: BaseException, *, opening: bool = False) -> UnreadableError:
        """What is said of an error: its kind, in words where it has some, and nothing that it says itself."""
        from roi.readers.postgres import why_not

        if isinstance(error, UnreadableError):
            return error
        kind, stated = type(error).__name__, self.address.stated
        words = why_not(error) if self.address.kind == "postgres" else None
        key = "table" if self.sql is None else "sql"
        if isinstance(error, TimeoutError):
            words = f"took longer than {self.timeout} s; give it longer with {self.place}.timeout, or ask for less"
        if words is not None and "timeout, in seconds" in words:
            words = f"took longer than {self.timeout} s; give it longer with {self.place}.timeout, or ask for less"
        if words is not None:
            return self._refused("connect" if "cannot be reached" in words else "", f"{stated} {words}")
        if kind == "PermissionException":
            message = (
                "reads from outside the database, which is not allowed; write select … from its own tables"
            )
            return self._refused(key, message)
        if (
            opening
            and self.address.kind == "motherduck"
            and re.search(r"[Ee]xtension\b.* not found", str(error))
        ):
            message = (
                f"{stated} needs DuckDB's extension motherduck, which is not installed here and is never fetched while "
                "a pilot runs; install it once beforehand (INSTALL motherduck, in DuckDB)"
            )
            return self._refused("connect", message)
        if opening and kind in _NOT_OPENED:
            return self._refused("connect", f"{stated} cannot be opened ({kind})")
        what = f"table {self.table}" if self.sql is None else "the SELECT"
        return self._refused("", f"{what} cannot be read from {stated} ({kind}); check the names")


_NOT_OPENED = (
    "IOException", "OperationalError", "HTTPException", "ConnectionException", "DatabaseError", "ValueError",
    "SerializationException", "InternalException", "ProgrammingError", "FatalException",
)  # fmt: skip
