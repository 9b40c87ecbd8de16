"""A user's SELECT over rows that were read: run where it can see these rows and nothing else."""

from __future__ import annotations

import logging

from roi.problems import Problem
from roi.readers.base import Connection, Rows, UnreadableError, quoted
from roi.readers.held import Sheet, move
from roi.readers.parquet import as_text

__all__ = ["names_in", "one_select", "run_query"]


def one_select(sql: str, *, dialect: str, tables: frozenset[str] | None) -> str | None:
    """What is wrong with a statement that should be one SELECT.

    Args:
        sql: The statement.
        dialect: As sqlglot names it.
        tables: The names it may read from besides its own WITH; None leaves that to the database's permissions.

    Returns:
        A message with the mend, or None.
    """
    import sqlglot
    from sqlglot import exp

    # It logs what it cannot parse whole, with the literals in it.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        statements = [s for s in sqlglot.parse(sql, dialect=dialect) if s is not None]
    except (sqlglot.errors.SqlglotError, ValueError, RecursionError):
        return "cannot be read as SQL; write one SELECT"
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        return "is not one SELECT; nothing else is run"
    tree = statements[0]
    changes = (exp.Insert, exp.Update, exp.Delete, exp.Create, exp.Drop, exp.Command, exp.Into, exp.Copy)
    if tree.find(*changes) is not None:
        return "changes something; write one SELECT that only reads"
    if tables is None:
        return None
    own = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
    for source in tree.find_all(exp.Table):
        plain = isinstance(source.this, exp.Identifier) and not source.db
        if not plain or (source.name.lower() not in own and source.name.lower() not in tables):
            return "reads from something else than 'source'; write select … from source"
    return None


def names_in(sql: str) -> list[str]:
    """The column names that a SELECT mentions; none where it cannot be read."""
    import sqlglot
    from sqlglot import exp

    try:
        return sorted(
            {
                c.name
                for tree in sqlglot.parse(sql, dialect="duckdb")
                if tree
                for c in tree.find_all(exp.Column)
            }
        )
    except (sqlglot.errors.SqlglotError, ValueError, RecursionError):
        return []


def run_query(con: Connection, rows: Rows, sql: str, *, table: str, file: str, place: str) -> Rows:
    """Run a SELECT over a source's rows, which it knows as `source`.

    The statement runs in an engine of its own that holds these rows only: no files, no network, no settings, no names
    of Python. Every cell is a text there (`cast(minutes as double)` makes a number of one).

    Raises:
        UnreadableError: If it is not one SELECT from `source`, or fails.
    """
    import duckdb

    message = one_select(sql, dialect="duckdb", tables=frozenset({"source"}))
    if message:
        raise UnreadableError([Problem(file, place, message)])
    needed = [*rows.columns, *(["_file"] if rows.fingerprints and "_file" not in rows.columns else [])]
    cell = duckdb.connect(config={"threads": 1})
    try:
        move(con, rows.select(needed), cell, "given", len(needed))
        rejected = rows.check()
        if rejected:
            raise UnreadableError(rejected)
        cell.execute("set TimeZone = 'UTC'")
        named = ", ".join(f"c{i} as {quoted(name)}" for i, name in enumerate(needed))
        cell.execute(f"create table source as select {named} from given")
        cell.execute("drop table given")
        cell.execute("set python_enable_replacements = false")
        cell.execute("set autoload_known_extensions = false; set autoinstall_known_extensions = false")
        cell.execute("set enable_external_access = false")
        cell.execute("set lock_configuration = true")
        cell.execute(f"create table result as {sql.strip().rstrip(';')}")
        described = cell.execute("describe result").fetchall()
        outputs = ", ".join(as_text(quoted(name), kind) for name, kind, *_ in described)
        move(cell, f"select {outputs} from result", con, f"{table}_query", len(described))
    except duckdb.BinderException:
        message = (
            "names a column that 'source' lacks, or mixes texts and numbers; every cell of 'source' is a text: "
            "cast(minutes as double) makes a number of it"
        )
        raise UnreadableError([Problem(file, place, message)]) from None
    except duckdb.Error as error:
        # What the engine answers may repeat a cell.
        raise UnreadableError([Problem(file, place, f"fails ({type(error).__name__})")]) from None
    finally:
        cell.close()
    names = tuple(str(name) for name, *_ in described)
    held = Sheet(f"{table}_query", names, "")

    return Rows(
        label=rows.label,
        columns=names,
        select=held.select_part,
        fingerprints=rows.fingerprints,
        warnings=rows.warnings,
        left_out=rows.left_out,
    )
