"""One connection for what lies in the local engine and for cases that stay in their database.

Whoever asks need not know where the cases are: a question that names them goes to their database, in its language, and
every other to the engine. A question that names both has no place where it could be answered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from roi.places.tongues import translated
from roi.problems import Problem, SampleError
from roi.readers.base import Connection, UnreadableError
from roi.readers.database import There

__all__ = ["CASES", "READ", "Answer", "Places"]

CASES = "cases"
"""The cases that may be used, as they may be shown."""
READ = "t_cases"
"""The canonical columns of every row."""

_NAMED = re.compile(rf"\b(?:{CASES}|{READ})\b")
_VIEW = re.compile(rf'\s*create or replace view "{CASES}" as (.*)', re.DOTALL)


class Answer:
    """Rows that came back, as a cursor gives them."""

    def __init__(self, names: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
        self.description = [(name,) for name in names]
        self._rows = rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows that are left."""
        rows, self._rows = self._rows, []
        return rows

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row."""
        return self._rows.pop(0) if self._rows else None


class Places:
    """What `execute` a DuckDB connection has, for both places.

    Attributes:
        local: The engine, for everything but the cases.
        there: The cases' source.
        made: Its canonical columns as a SELECT in the language of the database.
    """

    def __init__(self, local: Connection, there: There, made: str) -> None:
        self.local, self.there, self.made = local, there, there.hold(made) or made
        self._used = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.local, name)

    def execute(self, sql: str) -> Any:
        """Ask one question, or say what the view of the usable cases is.

        Raises:
            SampleError: If the database does not answer, or rows of both places were needed.
        """
        view = _VIEW.fullmatch(sql)
        if view is not None:
            used = self._theirs(view[1])
            self._used = self.there.hold(self._with(used)) or used
            return Answer((), [])
        if not _NAMED.search(sql) or not _tables(_parsed(sql)) & {CASES, READ}:
            return self.local.execute(sql)
        whole = self._with(self._theirs(sql), used=bool(re.search(rf"\b{CASES}\b", sql) and self._used))
        try:
            return Answer(*self.there.ask(whole))
        except UnreadableError as error:
            raise SampleError(error.problems) from None

    def _with(self, query: str, *, used: bool = False) -> str:
        """A question of theirs with the views that it names before it."""
        ctes = f"with {READ} as ({self.made})" + (f", {CASES} as ({self._used})" if used else "")
        own = re.match(r"\s*with\s", query, re.IGNORECASE)
        return f"{ctes}, {query[own.end() :]}" if own else f"{ctes} {query}"

    def _theirs(self, sql: str) -> str:
        from sqlglot import errors, exp

        tree = _parsed(sql)
        if _tables(tree) <= {CASES, READ} and isinstance(tree, exp.Query):
            with suppress(errors.SqlglotError, ValueError):
                return translated(tree.transform(self._with_variables), self.there.session.dialect)
        message = (
            "this needs the rows of the cases, which stay in their database (run.engine: source); leave run.engine "
            "away to have them read"
        )
        raise SampleError([Problem(self.there.label, "", message)])

    def _with_variables(self, node: Any) -> Any:
        """What the engine holds in a variable, spelled out where the engine is not asked."""
        from sqlglot import exp

        if isinstance(node, exp.Bracket) and node.this.name.lower() == "getvariable":
            found = self.local.execute("select map_entries(getvariable('segments'))").fetchall()[0][0]
            case = exp.Case(this=node.expressions[0].copy())
            for entry in found:
                case = case.when(exp.Literal.string(entry["key"]), exp.Literal.string(entry["value"]))
            return case
        return node

    def close(self) -> None:
        """Close both."""
        self.there.session.close()
        self.local.close()


def _parsed(sql: str) -> Any:
    """A question of ours as a tree; None where nobody can tell what it asks."""
    import sqlglot

    try:
        return sqlglot.parse_one(sql, dialect="duckdb")
    except sqlglot.errors.SqlglotError:
        return None


def _tables(tree: Any) -> set[str]:
    """The tables that a question reads from; a column of another table may be called cases as well."""
    from sqlglot import exp

    if tree is None:
        return {CASES}  # which is refused
    own = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    return {table.name for table in tree.find_all(exp.Table) if table.name} - own
