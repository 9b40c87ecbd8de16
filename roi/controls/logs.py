"""The logs as the checks ask them: tables, their columns, and the numbers of the rows that a condition finds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from roi.controls.check import MOST_ROWS, Rows
from roi.moments import fetch
from roi.parameters import Policy
from roi.relation import Relation
from roi.samples import Samples

__all__ = ["Logs"]


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
        """A table, each row with its number in the source as `row`; None where it was not given."""
        return self.samples.tables.get(name)

    def has(self, table: str, *columns: str) -> bool:
        """Whether a table was given with all these columns."""
        found = self.samples.tables.get(table)
        return found is not None and set(columns) <= set(found.columns)

    def live_cases(self) -> Relation | None:
        """The production cases that were worked with the agent; None without cases."""
        cases = self.table("cases")
        if cases is None:
            return None
        live = cases.where("arm = 'pilot'")
        return live.where("setting is distinct from 'demo'") if "setting" in cases.columns else live

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return fetch(self.samples, query)

    def count(self, source: str, condition: str = "true") -> int:
        """Rows of what may stand behind `from` of which a condition is true."""
        return int(self.ask(f"select count(*) from {source} where {condition}")[0][0])

    def rows(self, table: str, source: str, condition: str = "true", *, number: str = '"row"') -> Rows:
        """Which rows of a table a condition finds.

        Args:
            table: The sample table whose rows they are.
            source: What may stand behind `from`; it has a column with the number of each row.
            condition: SQL; rows of which it is null are not found.
            number: That column.
        """
        found = self.ask(
            f"select count(*), list(n order by n)[:{MOST_ROWS}] from "
            f"(select {number} as n from {source} where coalesce({condition}, false))"
        )[0]
        return Rows(table=table, count=int(found[0]), first=tuple(int(n) for n in found[1] or ()))

    def counts(self, source: str, conditions: Mapping[str, str]) -> dict[str, int]:
        """Rows of what may stand behind `from` of which each condition (name → SQL) is true, in one pass."""
        found = self.ask(
            "select " + ", ".join(f"count(*) filter ({c})" for c in conditions.values()) + f" from {source}"
        )
        return {name: int(n) for name, n in zip(conditions, found[0], strict=True)}
