"""The sheet *Cash flow*: month by month, what each roll-out brings and costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from roi.plan_at import HORIZON
from roi.workbook.case import ADOPTION, CommonCells, Inputs, RollOutCells, adoption
from roi.workbook.formula import Formula, both, largest, least, literal, text, total, when
from roi.workbook.paper import Sheet
from roi.workbook.point import RollOut

__all__ = ["NEVER", "Flow", "lay_flow"]

NEVER = "not within the months looked ahead"
TITLES = [
    "Adoption", "Time saved", "Errors avoided", "Agent", "Running costs", "Pilot until then", "One-off costs", "Net",
    "All so far", "In today’s money", "Month, if still below 0",
]  # fmt: skip
FIRST = 5  # the row of month 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What the months of a roll-out add up to.

    Attributes:
        npv: Their present value, less what is taken off for having been picked.
        payback: Month from which all so far is no longer negative, or that there is none.
        need: The most money that is out at any time.
    """

    npv: Formula
    payback: Formula
    need: Formula


def lay_flow(
    sheet: Sheet,
    at: Inputs,
    common: CommonCells,
    found: Sequence[RollOutCells],
    plans: Sequence[RollOut],
    months: Formula,
) -> list[Flow]:
    """Lay out the months of every roll-out, side by side; arguments as those of `roll_out_cells`."""
    sheet.title(0, "Cash flow", "If the gates hold. Month 0 is the start; each month is paid at its end.")
    sheet.widths(8)
    sheet.made.freeze_panes(FIRST, 1)
    sheet.head(FIRST - 1, ["Month"], numbers=(0,))
    last = len(months.value)
    for m in range(last + 1):
        sheet.number(FIRST + m, 0, m, "whole")
    flows = []
    for i, (plan, cells) in enumerate(zip(plans, found, strict=True)):
        flows.append(_one(sheet, 1 + i * (len(TITLES) + 1), at, common, cells, plan, last))
    sheet.made.repeat_rows(FIRST - 1)
    return flows


def _one(
    sheet: Sheet, left: int, at: Inputs, common: CommonCells, cells: RollOutCells, plan: RollOut, last: int
) -> Flow:
    sheet.text(FIRST - 2, left, plan.label, most=120, bold=True, text_wrap=False)
    sheet.widths(*(13 for _ in TITLES), first=left)
    sheet.head(FIRST - 1, TITLES, left, numbers=range(len(TITLES)))
    horizon, rate = at[HORIZON], 1 + at["economics.discount_rate"]
    ramp = at[f"{ADOPTION}ramp_months"]
    pilot = at.get("economics.pilot_cost_per_month", literal(0))
    columns: list[list[float]] = [[] for _ in TITLES]
    before: Formula = literal(0)
    for m in range(last + 1):
        row = FIRST + m
        month = sheet.ref(row, 0, float(m))
        inside = month <= horizon
        active, adopted = adoption(month, cells.delay, ramp)
        paid = _paid(m, common, cells, horizon)
        line: list[Formula] = []

        def put(
            formula: Formula, shown: str = "money", row: int = row, line: list[Formula] = line
        ) -> Formula:
            cell = sheet.formula(row, left + len(line), formula, shown)
            columns[len(line)].append(float(cell.value))
            line.append(cell)
            return cell

        if m == 0:
            put(literal(0), "share")
            for _ in range(5):
                put(literal(0))
        else:
            level = put(when(inside, adopted, 0), "share")
            put(level * cells.time)
            put(level * cells.errors)
            put(level * cells.agent * -1)
            put(when(inside, active * (common.monthly + cells.per_month) * -1, 0))
            put(when(inside, (1 - active) * pilot * -1, 0))
        put(paid * -1)
        net = put(line[1] + line[2] + line[3] + line[4] + line[5] + line[6])
        so_far = put(net if m == 0 else before + net)
        put(net * rate ** (month / -12))
        put(when(both(inside, so_far < 0), month, -1), "whole")
        before = so_far

    def column(i: int) -> Formula:
        return sheet.range(FIRST, left + i, FIRST + last, np.array(columns[i]))

    beyond = sheet.paper.book.add_format({"font_color": "#9aa5b1"})
    rule = {"type": "formula", "criteria": f"=$A{FIRST + 1}>{horizon.text}", "format": beyond}
    sheet.made.conditional_format(FIRST, left, FIRST + last, left + len(TITLES) - 1, rule)
    foot = FIRST + last + 2
    off = sheet.formula(foot, left + 8, cells.off, "money")
    sheet.text(foot, left + 7, "Taken off", align="right", text_wrap=False)
    sheet.text(foot + 1, left + 7, "NPV", bold=True, align="right", text_wrap=False)
    npv = sheet.formula(foot + 1, left + 8, total(column(9)) - off, "money", bold=True)
    sheet.text(foot + 2, left + 7, "Pays back in month", align="right", text_wrap=False)
    latest = largest(column(10))
    payback = sheet.formula(foot + 2, left + 8, when(latest >= horizon, text(NEVER), latest + 1), "whole")
    sheet.text(foot + 3, left + 7, "Most money out", align="right", text_wrap=False)
    need = sheet.formula(foot + 3, left + 8, largest(0, least(column(8)) * -1), "money")
    return Flow(npv=npv, payback=payback, need=need)


def _paid(m: int, common: CommonCells, cells: RollOutCells, horizon: Formula) -> Formula:
    """One-off costs of a month: those dated after the horizon fall into its last month."""
    month = float(m)
    found: Formula = cells.extra if m == 0 else literal(0)
    for paid_in, cost in common.one_off.items():
        if paid_in == 0:
            found = found + cost if m == 0 else found
        elif m > 0 and m <= paid_in:
            due = when(least(paid_in, horizon) >= month, when(least(paid_in, horizon) <= month, cost, 0), 0)
            found = found + due
    return found
