"""The sheet *Summary*: the verdict as the report gives it, and the point case as the workbook computes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from roi import words
from roi.workbook.case import RollOutCells
from roi.workbook.flows import Flow
from roi.workbook.formula import literal, text, when
from roi.workbook.paper import Sheet
from roi.workbook.point import Point, RollOut

__all__ = ["lay_summary"]

NOTE = (
    "The point case holds every stated input at one number and averages what was measured. The report draws the stated "
    "inputs too, which moves its mean a little and gives the range and the chance; the verdict rests on those, and on "
    "the gates, not on this sheet alone."
)


def lay_summary(
    sheet: Sheet,
    record: Mapping[str, Any],
    point: Point,
    found: Sequence[RollOutCells],
    flows: Sequence[Flow],
) -> None:
    """Lay out the first sheet.

    Args:
        sheet: Where.
        record: The record.
        point: What the workbook is made of.
        found: The roll-outs as edited.
        flows: Their months.
    """
    sheet.widths(50, 26, 26, 26)
    currency = str(record.get("currency") or "")
    sheet.title(
        0, str(record.get("title") or record["pilot"]), f"Amounts in {currency}. Change yellow cells only."
    )
    rows = [
        ("Verdict of the report", words.verdict_word(record)),
        ("In a sentence", record.get("headline")),
        ("Why", record.get("reason")),
        ("As of", words.day(record.get("as_of"))),
        ("Owner", record.get("owner")),
    ]
    row = 3
    for label, said in rows:
        if said:
            sheet.text(row, 0, label, bold=True)
            sheet.across(row, 1, 3, said, bold=row == 3)
            row += 1
    row += 1
    if not point.roll_outs:
        sheet.text(
            row, 0, "The worth of scaling is not known, so there is no point case; the report says why."
        )
        return
    titles = ["The point case, as edited", *(plan.label for plan in point.roll_outs)]
    sheet.head(row, titles, numbers=range(1, len(titles)))
    hurdle = words.finite(record.get("hurdle")) or 0.0
    lines: list[tuple[str, str]] = [
        ("Worth against stopping now", "worth"),
        ("The same at the file’s means", "delivered"),
        ("Changed by", "changed"),
        ("Present value (NPV)", "npv"),
        ("Pays back in month", "payback"),
        ("Most money out at any time", "need"),
        ("Sum of the months less the formula (0 if all is well)", "check"),
        ("The point case", "says"),
        ("Gates, as the report found them", "gates"),
        ("Mean worth in the report", "reported"),
    ]
    controlled = words.finite(((record.get("options") or {}).get("controlled") or {}).get("mean"))
    if controlled is not None:
        lines.append(("Mean worth in the report with the controls it needs", "controlled"))
    row += 1
    for i, (label, _) in enumerate(lines):
        sheet.text(row + i, 0, label, bold=i == 0)
    for column, (plan, cells, flow) in enumerate(zip(point.roll_outs, found, flows, strict=True), 1):
        worth = sheet.formula(row, column, cells.plan_worth, "money", bold=True)
        delivered = sheet.number(row + 1, column, float(cells.plan_worth.value), "money")
        sheet.formula(row + 2, column, worth - delivered, "money")
        sheet.formula(row + 3, column, flow.npv, "money")
        sheet.formula(row + 4, column, flow.payback, "whole", align="right")
        sheet.formula(row + 5, column, flow.need, "money")
        sheet.formula(row + 6, column, flow.npv - cells.npv, "cents")
        # However much it is worth, it may not be rolled out while a gate is closed.
        pays = (
            "worth it" if plan.passes is not None or not _closed(record) else "worth it, but gates are closed"
        )
        says = when(worth > literal(hurdle), text(pays), text("not worth it"))
        sheet.formula(row + 7, column, says, align="right")
        sheet.text(row + 8, column, _gates(record, plan), align="right")
        sheet.number(row + 9, column, _reported(record, plan), "money")
        if controlled is not None and plan.name == "scale":
            sheet.number(row + 10, column, controlled, "money")
    row += len(lines) + 1
    notes = [
        NOTE,
        "A worth is above 0 where the roll-out beats stopping now; the hurdle is " + f"{hurdle:,.0f}.",
    ]
    if any(plan.passes is not None for plan in point.roll_outs):
        notes.append(
            "Of a fix, the worth counts the chance that its gates hold; NPV, payback and money out are as if they do."
        )
    if any(plan.decides for plan in point.roll_outs):
        notes.append(
            "This fix decides once more after measuring. That can't be computed in cells: the worth here is the "
            "roll-out's own, and the mean worth in the report is the plan's."
        )
    if any(plan.off for plan in point.roll_outs):
        notes.append(
            "What is taken off for having been picked is weighed anew in a new decision; here it stays as it was."
        )
    for i, note in enumerate(notes):
        sheet.across(row + i, 0, 3, note, italic=True)


def _gates(record: Mapping[str, Any], plan: RollOut) -> str:
    if plan.passes is not None:
        fix = (record.get("options") or {}).get("fix") or {}
        return f"hold after the fix in {words.percent(fix.get('chance_gates_pass'))}"
    closed = _closed(record)
    return f"{closed} closed" if closed else "all open"


def _closed(record: Mapping[str, Any]) -> int:
    return sum(gate.get("state") != "shown" for gate in record.get("gates") or [])


def _reported(record: Mapping[str, Any], plan: RollOut) -> float | None:
    options = record.get("options") or {}
    if plan.name == "scale":
        return words.finite((options.get("scale") or {}).get("mean"))
    return words.finite((words.advised(record) or {}).get("mean"))
