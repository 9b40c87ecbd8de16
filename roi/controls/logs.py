"""The logs as the checks ask them: tables, columns, and the rows that conditions find; and how they are laid down."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from roi.alike import alike
from roi.controls.check import MOST_ROWS, Rows
from roi.integration import of_cases
from roi.moments import fetch
from roi.parameters import Policy
from roi.readers.base import quoted
from roi.relation import Relation
from roi.samples import Samples

__all__ = ["Logs", "hold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """What the checks read, and what they hold it against.

    Attributes:
        samples: The opened samples; `cases`, `actions`, `access`, `evals`, `changes` and `incidents` are read.
        policy: The thresholds.
        as_of: Day of the decision; None where no sample says when it is from.
        timezone: In which days begin and end.
        mix: Production share of each segment; None where none is stated.
    """

    samples: Samples
    policy: Policy
    as_of: dt.date | None
    timezone: str | None = None
    mix: Mapping[str, float] | None = None

    def table(self, name: str) -> Relation | None:
        """A table, each row with its number in the source as `row`; None where it was not given.

        Cases that stay in their database are none, for nothing here can be joined with them.
        """
        return None if name == "cases" and self.samples.apart else self.samples.tables.get(name)

    def has(self, table: str, *columns: str) -> bool:
        """Whether a table was given with all these columns."""
        found = self.table(table)
        return found is not None and set(columns) <= set(found.columns)

    def live_cases(self, *, alone: bool = False) -> Relation | None:
        """The production cases that were worked with the agent; None without cases.

        Args:
            alone: Whether they are asked for by themselves and joined with nothing.
        """
        cases = self.samples.tables.get("cases") if alone else self.table("cases")
        if cases is None:
            return None
        live = cases.where(cases.says("arm", "pilot"))
        return live.where("setting is distinct from 'demo'") if "setting" in cases.columns else live

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return fetch(self.samples, query)

    def kinds(self) -> Relation | None:
        """One row of each kind of action, as of `roi.alike.alike`; None where each row is asked."""
        actions, cases = self.table("actions"), self.table("cases")
        if not self.samples.coded or actions is None or cases is None:
            return None
        # Beside their cases, only the actions of a demo are left out.
        return alike(self.samples, actions if "setting" in cases.columns else of_cases(self.samples, actions))

    def find(
        self,
        table: str,
        source: str,
        conditions: Mapping[str, str],
        *,
        number: str = '"row"',
        kinds: Relation | None = None,
    ) -> dict[str, Rows]:
        """The rows that each of several conditions finds, in one pass.

        Args:
            table: The sample table whose rows they are.
            source: What may stand behind `from`; it has a column with the number of each row.
            conditions: Name → SQL; rows of which it is null are not found.
            number: That column.
            kinds: As of `kinds`, where the conditions ask no more than these tell.
        """
        # One number for all answers of a row: an aggregate a condition takes the engine longer to plan than to run.
        code = " + ".join(
            f"case when {sql} then {1 << i} else 0 end" for i, sql in enumerate(conditions.values())
        )
        # Rows that stay in their database have no number.
        stay = table in self.samples.staying
        least = "null" if stay else f"min(n, {MOST_ROWS})"
        query = f"select code, count(*), {least} from (select {number} as n, {code} as code from {source}) group by 1"
        if kinds is not None:
            coded = f"(select n_, rows_, {code} as code from {kinds.sql})"
            query = f"select code, sum(n_), flatten(list(rows_)) from {coded} group by 1"
        found = self.ask(query)
        rows = {}
        for i, (name, sql) in enumerate(conditions.items()):
            hits = [x for x in found if int(x[0]) >> i & 1]
            first = sorted(int(n) for x in hits for n in x[2] or ())[:MOST_ROWS]
            every = () if stay else f"select {number} as n from {source} where {sql}"
            rows[name] = Rows(
                table=table, count=sum(int(x[1]) for x in hits), first=tuple(first), every=every
            )
        return rows

    def rows(self, table: str, source: str, condition: str) -> Rows:
        """The rows that one condition finds; arguments as of `find`."""
        return self.find(table, source, {"": condition})[""]


HELD = ("cases", "actions")


def hold(logs: Logs) -> Logs:
    """The same logs, with the larger tables laid down beside the views that they are.

    A view works out anew, each time that it is asked, which rows may be used: with five layers that ask several times
    each, that is most of the time.
    """
    tables = dict(logs.samples.tables)
    for name in () if logs.samples.coded else HELD:  # where codes are compared, laying rows down takes longer
        table = logs.table(name)
        if table is None:
            continue
        held = f"logs_{name}"
        logs.samples.con.execute(f"create or replace temp table {quoted(held)} as select * from {table.sql}")
        tables[name] = Relation.named(held, table.columns)
    return replace(logs, samples=replace(logs.samples, tables=tables))
