"""A table of the sheet *Sensitivity*: the roll-out put forward beside the stated changes of list prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from roi.economics import Economics
from roi.measured_at import FX
from roi.plan_at import HORIZON
from roi.workbook.case import ADOPTION, Inputs, RollOutCells, adopted_in
from roi.workbook.formula import Formula, literal, total_product
from roi.workbook.paper import Sheet
from roi.workbook.point import RollOut

__all__ = ["lay_prices"]

TITLES = ["Prices", "Months before", "Change", "Worth", "Change of worth", "Part of the agent's cost"]


def lay_prices(
    sheet: Sheet,
    row: int,
    at: Inputs,
    measured: Inputs,
    cells: RollOutCells,
    plan: RollOut,
    e: Economics,
    months: Formula,
    scenarios: Sequence[Mapping[str, Any]],
) -> None:
    """Lay the price scenarios out, each with its month and its change to be edited.

    Args:
        sheet: The sheet.
        row: Where the table begins.
        at: The inputs as edited, by key.
        measured: What was measured of the roll-out, by name.
        cells: The roll-out as edited.
        plan: The roll-out.
        e: The economics, for their structure alone.
        months: The range of months, 1 and following.
        scenarios: Rows of `price_scenarios` of the record's sensitivity.
    """
    sheet.text(row, 0, "If list prices change (the working is above, as edited)", bold=True)
    sheet.head(row + 1, TITLES, numbers=range(1, len(TITLES)))
    horizon = at[HORIZON]
    now = (months <= horizon) * (1 + at["economics.discount_rate"]) ** (months / -12)
    active, adopted = adopted_in(months, cells.delay, at[f"{ADOPTION}ramp_months"])
    cases = at["demand.cases_per_month"] * at[f"{ADOPTION}ceiling"]
    a_case, a_month = _metered(at, measured, plan, e)
    for i, found in enumerate(scenarios, row + 2):
        sheet.text(i, 0, found["label"])
        if found["change"] is None:
            sheet.text(i, 1, f"not known: {found['reason']}")
            continue
        before = sheet.number(i, 1, float(e.horizon - found["months"]), "whole", opened=True)
        change = sheet.number(i, 2, found["change"], "share", opened=True)
        share = sheet.number(i, 5, found["share"], "share")
        later = now * (months > before)
        cost = cases * a_case * total_product(later * adopted) + a_month * total_product(later * active)
        more = change * share * cost
        if plan.passes is not None and not plan.decides:
            more = measured["passes"] * more
        sheet.formula(i, 3, cells.plan_worth - more, "money", bold=True)
        sheet.formula(i, 4, more * -1, "money")


def _metered(at: Inputs, measured: Inputs, plan: RollOut, e: Economics) -> tuple[Formula, Formula]:
    """What follows list prices: a case, and a month whatever the volume."""
    a_case: Formula = literal(0)
    a_month: Formula = literal(0)
    for currency in plan.usage:
        a_case = a_case + measured[f"usage_{currency}"] * at.get(f"{FX}{currency}", literal(1))
    for i, line in enumerate(e.lines):
        if plan.usage or line.kind != "model_usage" or line.per == "once":
            continue
        amount = at[f"economics.costs[{i}].amount"]
        if line.per == "case":
            a_case = a_case + amount * measured["share"]
        elif line.per == "seat_month":
            a_month = a_month + amount * at.get(f"economics.costs[{i}].seats", literal(0))
        else:
            a_month = a_month + (amount / 12 if line.per == "year" else amount)
    return a_case, a_month
