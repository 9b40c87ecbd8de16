"""Figures of the controls: a question, its answer in a number, a drawing, and the same said in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from roi import words
from roi.report.figures import Figure

__all__ = ["frontier_figure", "gated", "mean_of"]

Record = Mapping[str, Any]
MOST_POINTS = 8


def gated(design: Mapping[str, Any]) -> str:
    """What a design lets wait for a person, in words."""
    gates = [gate if isinstance(gate, str) else str(gate["text"]) for gate in design.get("gates") or []]
    if design.get("gates") is None:
        return "as it is done today"
    return words.and_list(gates) if gates else "nothing waits"


def mean_of(value: Any) -> float | None:
    """A figure of a design that is told with its range, or without one; None where it is not known."""
    return words.finite(value.get("mean") if isinstance(value, Mapping) else value)


def _thinned(points: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """So many points that their names can be read, both ends among them."""
    if len(points) <= MOST_POINTS:
        return list(points)
    step = (len(points) - 1) / (MOST_POINTS - 1)
    return [points[round(k * step)] for k in range(MOST_POINTS)]


def frontier_figure(record: Record) -> Figure | None:
    """What errors still cost a month against the hours of approving; None where there is no curve."""
    found = record.get("approval_design") or {}
    curve = _thinned(found.get("curve") or [])
    if len(curve) < 2:
        return None
    currency = str(record.get("currency"))
    chosen, today = (
        found.get(k) if mean_of((found.get(k) or {}).get("hours_per_month")) is not None else None
        for k in ("chosen", "today")
    )
    rows = [_point(point, "curve") for point in curve]
    if chosen:
        rows.append(_point(chosen, "chosen"))
    if today:
        rows.append(_point(today, "today"))
    first, last = curve[0], curve[-1]
    answer = (
        f"{words.capital(words.number(_hours(last) - _hours(first)))} hours a "
        f"month take the errors from {words.amount(first['loss_per_month']['mean'], currency)} to "
        f"{words.amount(last['loss_per_month']['mean'], currency)}"
    )
    alt = " ".join(
        f"{words.capital(gated(point))}: {words.number(_hours(point))} hours of approving a month, "
        f"errors cost {words.amount(loss['mean'], currency)} "
        f"({words.amount_range(loss['p05'], loss['p95'], currency, loss['mean'])}), "
        f"severe errors in {words.percent(point['severe_rate']['mean'])} of cases."
        for point, loss in ((point, point["loss_per_month"]) for point in curve)
    )
    if today:
        alt += f" Today: {words.number(_hours(today))} hours, errors cost "
        alt += f"{words.amount(today['loss_per_month']['mean'], currency)}."

    def draw(width: int) -> Any:
        from roi.report import control_charts

        return control_charts.frontier(rows, currency=currency, width=width)

    legend = [("agent", "the least that errors cost for so many hours"), ("span", "9 in 10 outcomes")]
    if chosen:
        legend.append(("dot", "the design advised"))
    if today:
        legend.append(("diamond", "as it is done today"))
    return Figure(
        name="frontier",
        question="What does more approving take off the cost of errors?",
        answer=answer,
        alt=alt,
        draw=draw,
        legend=tuple(legend),
    )


def _hours(design: Mapping[str, Any]) -> float:
    return mean_of(design["hours_per_month"]) or 0.0


def _point(design: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "hours": _hours(design),
        "loss": float(design["loss_per_month"]["mean"]),
        "low": float(design["loss_per_month"]["p05"]),
        "high": float(design["loss_per_month"]["p95"]),
        "text": words.shorten(gated(design), 34),
    }
