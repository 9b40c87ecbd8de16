"""What each canonical column holds once it is read, and how DuckDB stores it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from roi.schema.tables import TABLE_COLUMNS
from roi.schema.tables import Column as Listed

__all__ = ["CANONICAL", "KEYS", "NAMES_HIDDEN", "CanonicalColumn", "Kind", "required"]

Kind = Literal[
    "case",
    "worker",
    "pair",
    "action",
    "evaluation",
    "run",
    "category",
    "choice",
    "currency",
    "minutes",
    "cost",
    "number",
    "count",
    "share",
    "time",
    "month",
    "flag",
    "defects",
]

NAMES_HIDDEN: tuple[Kind, ...] = ("case", "worker", "pair", "action", "evaluation", "run")
"""The kinds whose texts become pseudonyms."""

_BY_NAME: Mapping[str, Kind] = {
    "case_id": "case",
    "worker": "worker",
    "pair_id": "pair",
    "action_id": "action",
    "requester": "worker",
    "approver": "worker",
    "identity": "worker",
    "granted_by": "worker",
    "needed_by": "worker",
    "approved_by": "worker",
    "eval_case": "evaluation",
    "run_id": "run",
    "agent_cost": "cost",
    "cost_currency": "currency",
    "input_defects": "defects",
    "confidence": "share",
    "seq": "count",
}
_BY_KIND: Mapping[str, Kind] = {
    "text": "category",
    "category": "choice",
    "key": "case",
    "minutes": "minutes",
    "number": "number",
    "money": "number",
    "share": "share",
    "tokens": "count",
    "count": "count",
    "time": "time",
    "month": "month",
    "flag": "flag",
}
_SQL_TYPES: Mapping[Kind, str] = {
    "minutes": "decimal(18,6)",
    "cost": "decimal(18,9)",
    "number": "decimal(18,6)",
    "count": "bigint",
    "defects": "bigint",
    "share": "double",
    "time": "timestamp",
    "month": "date",
    "flag": "boolean",
}


@dataclass(frozen=True, slots=True)
class CanonicalColumn:
    """A column of a sample table.

    Attributes:
        name: Its name; minutes carry their unit in it.
        kind: What it holds. Money is in the currency that the parameters or the row state.
        choices: The values that a choice may take.
        required: Whether the table cannot be read without it.
    """

    name: str
    kind: Kind
    choices: tuple[str, ...]
    required: bool


def _column(name: str, listed: Listed) -> CanonicalColumn:
    kind = _BY_NAME.get(name) or _BY_KIND[listed.kind]
    return CanonicalColumn(name, kind, listed.values, listed.required)


KEYS: Mapping[str, str] = {"cases": "case_id", "actions": "action_id", "inputs": "case_id"}
"""Table → the column without which one of its rows says nothing."""
CANONICAL: Mapping[str, Mapping[str, CanonicalColumn]] = {
    table: {name: _column(name, listed) for name, listed in columns.items()}
    for table, columns in TABLE_COLUMNS.items()
}


def required(table: str) -> tuple[str, ...]:
    """The columns without which a table cannot be read."""
    return tuple(name for name, column in CANONICAL[table].items() if column.required)
