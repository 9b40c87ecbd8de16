"""Figures of causes: what each costs a year, and how much would be gone were every case clean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roi import words
from roi.report.figures import Figure

__all__ = ["causes_figure", "clean_figure"]

MARKS = {"errors": "before", "minutes": "agent", "agent_cost": "muted"}

Record = Mapping[str, Any]


def causes_figure(record: Record) -> Figure | None:
    """What each cause costs a year, with its range; None where no cause has a price."""
    from roi.cause_pictures import PARTS, cause_bars, parts_seen, says_causes

    found = record.get("causes") or {}
    bars = cause_bars(record) if found.get("by_cause") else ()
    if not bars:
        return None
    currency = str(record.get("currency") or "")
    whole = sum(row["per_year"]["mean"] for row in found["by_cause"] if row["per_year"])
    first = next((b for b in bars if b.cause == (found.get("named") or {}).get("first")), None)
    if first is None:
        answer = (
            f"All of them cost {words.amount(whole, currency)} a year; no single cause stands out for sure"
        )
    else:
        answer = f"{words.capital(first.cause)} costs {words.amount(first.mean, currency)} a year, of "
        answer += f"{words.amount(whole, currency)} that all causes cost"

    def draw(width: int) -> Any:
        from roi.report import audit_charts

        return audit_charts.causes_in_money(bars, currency=currency, width=width)

    return Figure(
        name="causes",
        question="What does each cause of losses cost?",
        answer=answer,
        alt=says_causes(bars, currency=currency),
        draw=draw,
        legend=(*((MARKS[part], PARTS[part]) for part in parts_seen(bars)), ("line", "8 in 10 outcomes")),
    )


def clean_figure(record: Record) -> Figure | None:
    """Losses of all cases beside those of clean ones; None where no log tells clean cases from others."""
    from roi.cause_pictures import clean_bars, says_clean

    bars = clean_bars(record) if record.get("clean_world") else ()
    if not bars:
        return None
    most = max(bars, key=lambda b: b.whole - b.clean)
    answer = f"Without evidence of {most.cause} {words.percent(most.clean)} of cases are lost, "
    answer += f"of all cases {words.percent(most.whole)}"

    def draw(width: int) -> Any:
        from roi.report import audit_charts

        return audit_charts.clean_world(bars, width=width)

    return Figure(
        name="clean",
        question="How many cases would be lost in a clean world?",
        answer=answer,
        alt=says_clean(bars),
        draw=draw,
        legend=(("before", "all cases"), ("gain", "cases without the evidence"), ("line", "9 in 10 chances")),
    )
