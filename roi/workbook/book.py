"""The sheets of the workbook: Summary, Assumptions, Measured, Cash flow, Scenarios, Sensitivity."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from roi import words
from roi.analysis import Decided
from roi.corners import ends_of
from roi.economics import SEVERITIES
from roi.plan_at import HORIZON
from roi.workbook.case import CommonCells, Inputs, RollOutCells, common_cells, roll_out_cells
from roi.workbook.flows import Flow, lay_flow
from roi.workbook.formula import Formula
from roi.workbook.front import lay_summary
from roi.workbook.paper import AFTER, Paper, Sheet
from roi.workbook.point import Point, RollOut, point_of
from roi.workbook.prices import lay_prices

__all__ = ["workbook_bytes"]

MOST_MONTHS, FEWEST_MONTHS, FURTHER = 240, 60, 24
BY_RANGE = {"pessimistic", "expected", "optimistic"}
OF_PILOT = "cost_per_correct_case"  # the same as that of its own arm, where both are told


@dataclass(slots=True)
class _Book:
    """What is being written."""

    a: Decided
    record: Mapping[str, Any]
    paper: Paper
    point: Point
    inputs: dict[str, Formula]
    measured: dict[str, dict[str, Formula]]
    months: Formula


def workbook_bytes(a: Decided, record: Mapping[str, Any], scenarios: Sequence[Mapping[str, Any]]) -> bytes:
    """The workbook of a decision.

    Args:
        a: The decision.
        record: Its record, of which the workbook shows the verdict, the gates and the estimates.
        scenarios: Rows of `roi.what_if.scenarios`; the first is the file itself.

    Returns:
        An XLSX file; the same inputs give the same bytes.
    """
    paper = Paper(f"{words.shorten(record.get('title') or record['pilot'], 120)}: workbook", record)
    point = point_of(a)
    summary, assumptions, measured = (paper.sheet(n) for n in ("Summary", "Assumptions", "Measured"))
    book = _Book(a, record, paper, point, {}, {}, Formula("", np.zeros(0)))
    _assumptions(book, assumptions)
    _measured(book, measured)
    flow, cases, moved = (paper.sheet(n) for n in ("Cash flow", "Scenarios", "Sensitivity"))
    flows: list[Flow] = []
    if not point.roll_outs:
        why = "The worth of scaling is not known, so there is nothing to compute: see the report."
        for sheet, title in ((flow, "Cash flow"), (cases, "Scenarios"), (moved, "Sensitivity")):
            sheet.title(0, title, why)
    else:
        last = min(MOST_MONTHS, max(FEWEST_MONTHS, a.economics.horizon + FURTHER))
        book.months = flow.range(6, 0, 5 + last, np.arange(1, last + 1, dtype=np.float64))
        paper.name("Months", book.months)
        common, found = _scenarios(book, cases, scenarios)
        flows = lay_flow(flow, book.inputs, common, found, point.roll_outs, book.months)
        _sensitivity(book, moved, found[-1])
        for plan, cells, laid in zip(point.roll_outs, found, flows, strict=True):
            paper.name(f"NPV_{plan.name}", laid.npv)
            paper.name(f"Worth_{plan.name}", cells.plan_worth)
            paper.name(f"Payback_{plan.name}", laid.payback)
        lay_summary(summary, record, point, found, flows)
        return paper.done()
    lay_summary(summary, record, point, [], [])
    return paper.done()


def _name_of(key: str) -> str:
    """The name of an input's cell: its key with low lines."""
    return re.sub(r"\W+", "_", key, flags=re.ASCII).strip("_")


def _shown(unit: str) -> str:
    return "share" if unit.partition("/")[0] == "share" else "plain"


def _assumptions(book: _Book, sheet: Sheet) -> None:
    sheet.title(
        0,
        "Assumptions",
        "Change the yellow cells: everything else follows. Each begins at the mean of what the parameter file states; "
        "the others say why they stay as they are.",
    )
    titles = ["Assumption", "Value", "Unit", "As the file states it", "Low (P5)", "High (P95)"]
    titles += ["Evidence", "Source", "Owner", "As of", "Followed here", "Key"]
    sheet.head(3, titles, numbers=(1, 4, 5))
    sheet.widths(44, 13, 19, 24, 12, 12, 17, 30, 20, 11, 34, 44)
    sheet.made.freeze_panes(4, 1)
    for i, (key, entry) in enumerate(book.a.assumptions.entries.items()):
        row, value, live = 4 + i, entry.value, key in book.point.live
        shown = _shown(entry.unit)
        sheet.text(row, 0, entry.label)
        cell = sheet.number(row, 1, book.point.values[key], shown, opened=live)
        sheet.text(row, 2, entry.unit, most=60, **AFTER)
        sheet.text(row, 3, value.text, most=120)
        if not value.is_exact:
            sheet.number(row, 4, value.p05, shown)
            sheet.number(row, 5, value.p95, shown)
        sheet.text(row, 6, words.evidence_word(value.evidence), **AFTER)
        sheet.text(row, 7, value.source)
        sheet.text(row, 8, value.owner, most=240)
        sheet.text(row, 9, None if value.as_of is None else value.as_of.isoformat())
        sheet.text(row, 10, "yes" if live else book.point.fixed[key])
        sheet.text(row, 11, key, most=120, font_color="#52606d")
        if live:
            book.inputs[key] = cell
            book.paper.name(_name_of(key), cell)
            _guard(sheet, row, entry.value.family, key, book)
    sheet.prints(len(titles) - 1, 3)


def _guard(sheet: Sheet, row: int, family: str, key: str, book: _Book) -> None:
    """Refuse what the parameter file would refuse."""
    rule: dict[str, Any] = {"validate": "decimal", "error_title": "Not possible here"}
    if key == HORIZON:
        most = min(MOST_MONTHS, max(FEWEST_MONTHS, book.a.economics.horizon + FURTHER))
        rule |= {"validate": "integer", "criteria": "between", "minimum": 1, "maximum": most}
        rule["error_message"] = f"A whole number of months from 1 to {most}."
    elif family == "share":
        rule |= {"criteria": "between", "minimum": 0, "maximum": 1, "error_message": "A share from 0 to 1."}
    elif family == "positive":
        rule |= {"criteria": ">=", "value": 0, "error_message": "A number of 0 or more."}
    else:
        rule |= {"criteria": ">", "value": -1e15, "error_message": "A number."}
    sheet.made.data_validation(row, 1, row, 1, rule)


def _measured(book: _Book, sheet: Sheet) -> None:
    sheet.title(
        0,
        "Measured",
        "Averages over the draws of what was measured, per case of all demand. Gains and losses of time stand apart, "
        "because only gains are cut by what becomes of a saved hour.",
    )
    sheet.widths(52, 20, 20, 14, 16, 12, 22)
    sheet.made.fit_to_pages(1, 1)
    row = 4
    if book.point.roll_outs:
        titles = ["What", *(plan.label for plan in book.point.roll_outs)]
        sheet.head(3, titles, numbers=range(1, len(titles)))
        names: dict[str, str] = {}
        for plan in book.point.roll_outs:
            names |= {name: label for name, (label, _) in _averages(plan).items()}
        for name, label in names.items():
            sheet.text(row, 0, label)
            for i, plan in enumerate(book.point.roll_outs):
                known = _averages(plan).get(name)
                if known is not None:
                    cell = sheet.number(row, 1 + i, known[1], "fine")
                    book.measured.setdefault(plan.name, {})[name] = cell
                    book.paper.name(f"{name}_{plan.name}", cell)
            row += 1
    row += 2
    titles = ["As the report states it", "Mean", "Low (P5)", "High (P95)", "In", "Units", "Evidence"]
    sheet.head(row, titles, numbers=(1, 2, 3, 5))
    estimates = book.record.get("estimates") or {}
    for name, found in estimates.items():
        if isinstance(found, Mapping) and not (name == OF_PILOT and f"{OF_PILOT}_pilot" in estimates):
            row += 1
            shown = "rate" if found.get("unit") == "share" else "fine"
            sheet.text(row, 0, found.get("label") or words.capital(name.replace("_", " ")))
            for column, key in enumerate(("mean", "p05", "p95"), 1):
                sheet.number(row, column, words.finite(found.get(key)), shown)
            sheet.text(row, 4, found.get("unit"), most=60, **AFTER)
            sheet.number(row, 5, words.finite(found.get("n")), "whole")
            sheet.text(row, 6, found.get("evidence"), most=120, **AFTER)


def _averages(plan: RollOut) -> dict[str, tuple[str, float]]:
    """Names, words and values of what was measured of a roll-out."""
    found = {
        "share": ("Share of demand that is covered", plan.share),
        "gained": ("Minutes saved a case, where it is faster", plan.gained),
        "lost": ("Minutes lost a case, where it is slower (0 or below)", plan.lost),
    }
    for severity, x in zip(SEVERITIES, plan.errors, strict=True):
        found[f"errors_{severity}"] = (f"Errors avoided a case: {severity} (below 0: further ones)", x)
    for currency, x in plan.usage.items():
        found[f"usage_{currency}"] = (f"What the agent costs a case, in {currency}", x)
    found["approving"] = ("What the approving that remedies demand costs a case", plan.approving)
    found["measuring"] = ("What measuring costs first", plan.measuring)
    found["months"] = ("Months that measuring takes first", plan.months)
    found["off"] = ("Taken off for having been picked among several", plan.off)
    if plan.passes is not None:
        found["passes"] = ("Chance that the gates hold after the fix", plan.passes)
    return found


def _scenarios(
    book: _Book, sheet: Sheet, scenarios: Sequence[Mapping[str, Any]]
) -> tuple[CommonCells, list[RollOutCells]]:
    """The case as edited, which the other sheets use, and each scenario beside it."""
    sheet.title(
        0,
        "Scenarios",
        "The first column follows the sheet Assumptions. In the others, change the yellow cells. What was measured "
        "stays as it is.",
    )
    rows: list[tuple[str, dict[str, float], Mapping[str, Any] | None]] = [("As edited", {}, None)]
    live = book.inputs
    for found in scenarios[1:]:
        values = {c["key"]: c["value"] for c in found["changed"] if c.get("value") is not None}
        label = "As the file states it, at its means" if found["name"] == "expected" else found["label"]
        rows.append((label, values, found))
    sheet.widths(48, *(18 for _ in rows))
    sheet.made.repeat_rows(3)
    sheet.made.freeze_panes(4, 1)
    sheet.head(3, ["", *(label for label, _, _ in rows)], numbers=range(1, len(rows) + 1))
    first: tuple[CommonCells, list[RollOutCells]] | None = None
    for column, (_, values, reported) in enumerate(rows, 1):
        row = 4
        at: dict[str, Formula] = {}
        for key, cell in live.items():
            entry = book.a.assumptions.entries[key]
            if column == 1:
                sheet.text(row, 0, f"{entry.label}" + (f" ({entry.unit})" if entry.unit else ""))
                at[key] = sheet.formula(row, column, cell, _shown(entry.unit))
            else:
                value = float(values.get(key, book.point.values[key]))
                at[key] = sheet.number(row, column, value, _shown(entry.unit), opened=True)
            row += 1
        row += 1
        place = _Place(sheet, row, column, column == 1)
        laid = _laid(book, place, at, book.point.roll_outs)
        row = place.row + 1
        if column == 1:
            sheet.text(row, 0, "Worth of scaling everything, as the report has it", italic=True)
        elif reported is not None:
            sheet.number(row, column, words.finite(reported.get("scale_worth")), "money")
        first = laid if first is None else first
    assert first is not None
    return first


class _Place:
    """Where the next formula goes: down a column."""

    def __init__(self, sheet: Sheet, row: int, column: int, labelled: bool) -> None:
        self.sheet, self.row, self.column, self.labelled = sheet, row, column, labelled

    def __call__(self, name: str, label: str, formula: Formula) -> Formula:
        main = name in ("worth", "plan_worth", "npv")
        if self.labelled:
            self.sheet.text(self.row, 0, label, bold=main)
        cell = self.sheet.formula(self.row, self.column, formula, _kind(name), bold=main)
        self.row += 1
        return cell

    def heading(self, label: str) -> None:
        if self.labelled:
            self.sheet.text(self.row, 0, label, bold=True, bg_color="#eef2f6")
        self.row += 1


def _kind(name: str) -> str:
    if name in ("cash", "realised"):
        return "share"
    return "fine" if name in ("annuity", "late", "ramp", "delay", "per_case") else "money"


def _laid(
    book: _Book, place: _Place, at: Inputs, plans: Sequence[RollOut]
) -> tuple[CommonCells, list[RollOutCells]]:
    place.heading("All roll-outs")
    common = common_cells(place, at, book.a.economics, book.months)
    found = []
    for plan in plans:
        place.heading(plan.label)
        found.append(roll_out_cells(place, at, common, plan, book.measured[plan.name], book.months))
    return common, found


class _Across(_Place):
    """The same along a row."""

    def __call__(self, name: str, label: str, formula: Formula) -> Formula:
        if self.labelled:
            self.sheet.head(3, [label], self.column, numbers=(0,))
        cell = self.sheet.formula(self.row, self.column, formula, _kind(name))
        self.column += 1
        return cell

    def heading(self, label: str) -> None:
        del label


def _sensitivity(book: _Book, sheet: Sheet, as_edited: RollOutCells) -> None:
    """The roll-out put forward with one input at a time at its ends, the others as edited; then other list prices."""
    plan = book.point.roll_outs[-1]
    sheet.title(
        0,
        "Sensitivity",
        f"{plan.label}: one input at a time at its low (P5) and its high (P95) end, the others as the sheet "
        "Assumptions has them. The working is to the right.",
    )
    sheet.head(3, ["Input", "End", "Set to", "Worth", "Change"], numbers=(2, 3, 4))
    sheet.widths(48, 16, 14, 18, 18, 14)
    sheet.made.freeze_panes(4, 5)
    rows: list[tuple[str, str, float]] = []
    for key in book.inputs:
        value = book.a.assumptions.entries[key].value
        if not value.is_exact:
            low, high = ends_of(value)
            rows += [(key, "low", low), (key, "high", high)]
    if not rows:
        sheet.text(4, 0, "No stated input is uncertain.")
    titled = False
    worth_now: Formula | None = None
    last = 6
    for i, (key, end, number) in enumerate([("", "", 0.0), *rows] if rows else []):
        row, at = 4 + i, dict(book.inputs)
        if key:
            entry = book.a.assumptions.entries[key]
            sheet.text(row, 0, entry.label)
            sheet.text(row, 1, end)
            at[key] = sheet.number(row, 2, number, _shown(entry.unit))
        else:
            sheet.text(row, 0, "As edited")
        place = _Across(sheet, row, 6, not titled)
        titled = True
        _, (cells,) = _laid(book, place, at, [plan])
        last = place.column
        worth = sheet.formula(row, 3, cells.plan_worth, "money", bold=True)
        worth_now = worth if worth_now is None else worth_now
        sheet.formula(row, 4, worth - worth_now, "money")
    sheet.widths(*(24 for _ in range(6, last)), first=6)
    prices = (book.record.get("sensitivity") or {}).get("price_scenarios")
    if prices:
        lay_prices(
            sheet,
            7 + len(rows),
            book.inputs,
            book.measured[plan.name],
            as_edited,
            plan,
            book.a.economics,
            book.months,
            prices,
        )
    sheet.prints(6, 3)
