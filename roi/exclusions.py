"""What is said of rows that are left out: of which table, why and how many."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Exclusion"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """Rows that were left out.

    Attributes:
        table: Of which table.
        reason: Why, in words.
        rows: How many.
        arm: Of which arm; None where a row has none or the table knows none.
    """

    table: str
    reason: str
    rows: int
    arm: str | None = None
