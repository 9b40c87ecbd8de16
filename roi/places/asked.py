"""One connection for what lies in the local engine and for tables that stay in their database.

Whoever asks need not know where a table is: a question that names one of theirs goes to their database, in its
language, and every other to the engine. Small tables of ours that such a question names beside theirs (grants, changes)
go with it, as values. What is laid down of theirs for later questions stays there as well: as a query before each
question that names it, or as what the database keeps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from roi.places.tongues import tongue_of
from roi.places.translating import translated
from roi.problems import Problem, SampleError
from roi.readers.base import Connection, UnreadableError, literal, quoted
from roi.readers.database import There

__all__ = ["MOST_SENT", "Answer", "Places"]

MOST_SENT = 10_000
"""Rows of a table of ours that may go along with a question."""


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


@dataclass(frozen=True, slots=True)
class _View:
    """A table of theirs, or what was laid down of theirs.

    Attributes:
        query: A SELECT in the language of the database.
        over: The tables that it names.
        rows: Whether its rows are those of a table, some columns or rows left out or worked out from others of the row.
    """

    query: str
    over: frozenset[str] = frozenset()
    rows: bool = False


class Places:
    """What `execute` a DuckDB connection has, for both places.

    Attributes:
        local: The engine, for everything but the tables that stay.
        there: A source in their database.
    """

    def __init__(self, local: Connection, there: There, made: Mapping[str, str]) -> None:
        """Begin.

        Args:
            local: The engine.
            there: A source in the database, which answers for all tables of it.
            made: Tables that stay there, each with its canonical columns as a SELECT in the database's language.
        """
        self.local, self.there = local, there
        self._views = {name: _View(there.hold(query) or query, rows=True) for name, query in made.items()}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.local, name)

    def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> Any:
        """Ask a question, or lay something down for later ones.

        Args:
            sql: It, in our language.
            parameters: Of a question of the engine alone.

        Raises:
            SampleError: If the database does not answer, or too many rows of both places were needed.
        """
        if not re.search(rf"\b(?:{'|'.join(self._views)})\b", sql):
            return self.local.execute(sql, parameters)
        statements = _parsed(sql)
        if not any(self._is_theirs(tree) for tree in statements):
            return self.local.execute(sql, parameters)
        if parameters:
            raise self._refused()
        answer: Any = None
        for tree in statements:
            answer = self._one(tree) if self._is_theirs(tree) else self.local.execute(tree.sql("duckdb"))
        return answer

    def _is_theirs(self, tree: Any) -> bool:
        return not self._views.keys().isdisjoint(_tables(tree))

    def _one(self, tree: Any) -> Answer:
        from sqlglot import exp

        try:
            if isinstance(tree, exp.Drop):
                for name in _tables(tree):
                    self._forget(name)
            elif isinstance(tree, exp.Create):
                view = self._view(tree.expression)
                kept = self.there.hold(self._with(view))
                self._forget(tree.this.name)
                self._views[tree.this.name] = view if kept is None else _View(kept)
            else:
                return Answer(*self.there.ask(self._with(self._view(tree))))
        except UnreadableError as error:
            raise SampleError(error.problems) from None
        return Answer((), [])

    def _forget(self, name: str) -> None:
        view = self._views.pop(name, None)
        if view is not None:
            self.there.release(view.query)

    def _view(self, tree: Any) -> _View:
        """A question of ours in their language.

        Raises:
            SampleError: If it is none, or cannot be put in it.
        """
        from sqlglot import errors, exp

        if isinstance(tree, exp.Query):
            with suppress(errors.SqlglotError, ValueError):
                query = translated(tree.transform(self._with_variables), self.there.session.dialect)
                more = (
                    exp.AggFunc,
                    exp.Window,
                    exp.Join,
                    exp.Group,
                    exp.Distinct,
                    exp.Limit,
                    exp.In,
                    exp.Exists,
                )
                rows = isinstance(tree, exp.Select) and not any(
                    not isinstance(node, exp.In) or node.args.get("query") for node in tree.find_all(*more)
                )
                return _View(query, frozenset(_tables(tree)), rows)
        raise self._refused()

    def _refused(self) -> SampleError:
        message = (
            "this needs rows that stay in their database (run.engine: source); leave run.engine away to have them "
            "read"
        )
        return SampleError([Problem(self.there.label, "", message)])

    def _with(self, view: _View) -> str:
        """A question with what it names before it."""
        needed, todo = {}, sorted(view.over)
        while todo:
            name = todo.pop()
            if name not in needed:
                needed[name] = self._views.get(name) or self._sent(name)
                todo += sorted(needed[name].over)
        # Each stands behind those that it names: ours name none, and theirs came about in this order.
        order = [name for name in needed if name not in self._views]
        order += [name for name in self._views if name in needed]
        if not order:
            return view.query
        # Of such tables a question needs few columns, which are worked out where they are needed.
        inline = tongue.inline if (tongue := tongue_of(self.there.session.dialect)) else ""
        tables = ", ".join(
            f"{name} as {inline if needed[name].rows else ''}({needed[name].query})" for name in order
        )
        own = re.match(r"\s*with\s", view.query, re.IGNORECASE)
        return f"with {tables}{', ' if own else ' '}{view.query[own.end() if own else 0 :]}"

    def _sent(self, name: str) -> _View:
        """A small table of ours as values in their language.

        Raises:
            SampleError: If it is not small, or no table.
        """
        import duckdb
        import sqlglot

        try:
            kinds = [row[:2] for row in self.local.execute(f"describe {quoted(name)}").fetchall()]
            texts = ", ".join(f"{quoted(column)}::varchar" for column, _ in kinds)
            rows = self.local.execute(f"select {texts} from {quoted(name)} limit {MOST_SENT + 1}").fetchall()
        except duckdb.Error:
            raise self._refused() from None
        if len(rows) > MOST_SENT:
            raise self._refused()
        listed = ", ".join(
            f"({', '.join('null' if cell is None else literal(cell) for cell in row)})" for row in rows
        )
        at = ", ".join(f"c{i}" for i in range(len(kinds)))
        # Texts, so that a column of nulls is one as well; each becomes what it is above them.
        first = f"select {', '.join(f'null::varchar as c{i}' for i in range(len(kinds)))} where false"
        values = f"{first} union all select * from (values {listed}) as v_({at})" if rows else first
        outputs = ", ".join(f"c{i}::{kind} as {quoted(column)}" for i, (column, kind) in enumerate(kinds))
        tree = sqlglot.parse_one(f"select {outputs} from ({values})", dialect="duckdb")
        return _View(translated(tree, self.there.session.dialect))

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


def _parsed(sql: str) -> list[Any]:
    """Questions of ours as trees.

    Raises:
        SampleError: If nobody can tell what they ask.
    """
    import sqlglot

    try:
        return [tree for tree in sqlglot.parse(sql, dialect="duckdb") if tree is not None]
    except sqlglot.errors.SqlglotError:
        message = (
            "a question about rows that stay in their database cannot be told apart; leave run.engine away"
        )
        raise SampleError([Problem("run.engine", "", message)]) from None


def _tables(tree: Any) -> set[str]:
    """The tables that a statement reads from or takes away; a column of another table may be called as one is."""
    from sqlglot import exp

    own = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    made = {tree.this.name} if isinstance(tree, exp.Create) else set()
    return {table.name for table in tree.find_all(exp.Table) if table.name} - own - made
