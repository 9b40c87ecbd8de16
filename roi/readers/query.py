"""A user's SELECT over rows that were read: run where it can see these rows and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from roi.problems import Problem
from roi.readers.base import Connection, Rows, Unreadable, quoted
from roi.readers.parquet import as_text

__all__ = ["one_select", "run_query"]


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


def run_query(con: Connection, rows: Rows, sql: str, *, table: str, file: str, place: str) -> Rows:
    """Run a SELECT over a source's rows, which it knows as `source`.

    The statement runs in an engine of its own that holds these rows only: no files, no network, no settings, no names of
    Python. Texts stay texts there (`cast(minutes as double)` makes a number of one).

    Raises:
        Unreadable: If it is not one SELECT from `source`, or fails.
    """
    import duckdb

    message = one_select(sql, dialect="duckdb", tables=frozenset({"source"}))
    if message:
        raise Unreadable([Problem(file, place, message)])
    needed = [*rows.columns, *(["_file"] if rows.fingerprints and "_file" not in rows.columns else [])]
    given = con.execute(rows.select(needed)).to_arrow_table()
    rejected = rows.check()
    if rejected:
        raise Unreadable(rejected)
    cell = duckdb.connect(config={"threads": 1})
    try:
        cell.execute("set TimeZone = 'UTC'")
        cell.register("given", given)
        cell.execute("create table source as select * from given")
        cell.unregister("given")
        cell.execute("set python_enable_replacements = false")
        cell.execute("set autoload_known_extensions = false; set autoinstall_known_extensions = false")
        cell.execute("set enable_external_access = false")
        cell.execute("set lock_configuration = true")
        result = cell.execute(sql).to_arrow_table()
    except duckdb.BinderException:
        message = "names a column that 'source' lacks, or mixes texts and numbers; cells of text files are texts: cast(minutes as double)"
        raise Unreadable([Problem(file, place, message)]) from None
    except duckdb.Error as error:
        # What the engine answers may repeat a cell.
        raise Unreadable([Problem(file, place, f"fails ({type(error).__name__})")]) from None
    finally:
        cell.close()
    names = tuple(result.column_names)
    con.register(f"{table}_view", result)
    types = {str(n): str(t) for n, t, *_ in con.execute(f"describe select * from {table}_view").fetchall()}
    outputs = [f"{as_text(quoted(n), types[n])} as {quoted(n)}" for n in names]
    con.execute(f"create or replace table {table}_query as select {', '.join(outputs)} from {table}_view")
    con.unregister(f"{table}_view")

    def select(columns: Sequence[str]) -> str:
        listed = ", ".join(quoted(n) if n in names else f"null::varchar as {quoted(n)}" for n in columns)
        return f"select {listed} from {table}_query"

    return Rows(
        label=rows.label, columns=names, select=select, fingerprints=rows.fingerprints, warnings=rows.warnings
    )
