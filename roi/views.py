"""The tables as everything after reading sees them: rows that may be used, values that may be shown."""

from __future__ import annotations

from roi.categories import Categories
from roi.checks import zero_cost
from roi.privacy import ALIKE
from roi.readers.base import Connection, literal, quoted
from roi.sample_tables import ReadTable

__all__ = ["lay_view"]


def lay_view(
    con: Connection, name: str, read: ReadTable, keep: str, categories: Categories, *, currency: str | None
) -> None:
    """Make the view of a table.

    Args:
        con: The engine.
        name: Of the table.
        read: What the engine holds of it.
        keep: SQL that is true of the rows that may be used.
        categories: Which texts may be shown.
        currency: Of costs that name none; None where the parameters name none either.
    """
    outputs = [ALIKE] if name == "actions" else []
    costed = name == "cases" and "agent_cost" in read.columns
    for column in read.columns:
        value = categories.shown(read, column)
        if column == "agent_cost":
            value = f"case when {zero_cost(read)} then null else agent_cost end"
        if not (costed and column == "cost_currency"):
            outputs.append(f"{value} as {quoted(column)}")
    if costed:
        own = literal(currency) if currency else "null::varchar"
        if currency and "cost_currency" in read.words:
            own = f"{own}::{read.words['cost_currency']}"
        logged = "cost_currency" if "cost_currency" in read.columns else "null"
        known = f"agent_cost is not null and not ({zero_cost(read)})"
        outputs.append(f"case when {known} then coalesce({logged}, {own}) end as cost_currency")
    con.execute(
        f'create or replace view "{name}" as select {", ".join(outputs)}, rowid + 1 as "row" '
        f"from {read.name} where {keep}"
    )
