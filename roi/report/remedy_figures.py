"""Figures of remedies: a question, its answer in a number, a drawing, and the same said in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roi import words
from roi.report.figures import Figure

__all__ = ["ladder_of_remedies", "most_figure", "remedy_ladder_figure"]

Record = Mapping[str, Any]
MOST_ROWS = 12


def ladder_of_remedies(record: Record) -> list[dict[str, Any]]:
    """What is worth what as remedies are bought, one row a step and the first before any; empty without a set."""
    found = record.get("remedies") or {}
    steps = [r for r in found.get("list") or [] if r["order"] is not None]
    if not found.get("set") or not steps:
        return []
    start = float(found["set"]["start"])
    label = "No remedy: as it stands" if start > 0 else "No remedy: stop now"
    rows = [{"label": label, "mean": start, "p10": start, "p90": start, "paid": 0.0, "opens": start > 0}]
    for r in steps:
        worth = r["worth_by_then"]
        rows.append(
            {
                "label": f"{r['order']}. {r['name']}",
                "mean": float(worth["mean"]),
                "p10": float(worth["p10"]),
                "p90": float(worth["p90"]),
                "paid": float(r["paid_by_then"]),
                "opens": bool(r["opens"]),
            }
        )
    return rows


def remedy_ladder_figure(record: Record) -> Figure | None:
    """What owning more and more of the set is worth; None where there is no set."""
    rows = ladder_of_remedies(record)
    if not rows:
        return None
    currency = str(record.get("currency"))
    whole = record["remedies"]["set"]
    budget = whole["budget"]
    paid = rows[-1]["paid"]
    answer = f"{words.capital(words.amount(rows[-1]['mean'], currency))} for {words.amount(paid, currency)} of remedies"
    if not whole["advised"]:
        answer = f"Not by any: the best of them leave {words.amount(rows[-1]['mean'], currency)}"
    alt = " ".join(
        f"{r['label']}: {words.amount(r['mean'], currency)}"
        + (
            f", 8 in 10 outcomes {words.amount_range(r['p10'], r['p90'], currency, r['mean'])}"
            if r["p10"] != r["p90"]
            else ""
        )
        + (f", paid by then {words.amount(r['paid'], currency)}" if r["paid"] else "")
        + (
            "."
            if r["opens"] or not r["paid"]
            else "; nothing to roll out yet, and what was paid would be lost."
        )
        for r in rows
    )
    limit = "" if budget is None else f" The budget is {words.amount(budget, currency)}."

    def draw(width: int) -> Any:
        from roi.report import remedy_charts

        return remedy_charts.remedy_ladder(rows, budget=budget, currency=currency, width=width)

    legend = [("gain", "worth by then"), ("line", "8 in 10 outcomes"), ("before", "paid by then")]
    if any(r["mean"] < 0 for r in rows):
        legend.insert(1, ("loss", "lost if it ended there"))
    if budget is not None:
        legend.append(("tick", "budget"))
    return Figure(
        name="remedies",
        question="What is the pilot worth, as remedies are bought?",
        answer=answer,
        alt=f"Worth against stopping now, step by step. {alt}{limit}",
        draw=draw,
        legend=tuple(legend),
    )


def most_figure(record: Record) -> Figure | None:
    """What each remedy may cost at the most, beside its price; None where that is known of none."""
    found = [r for r in (record.get("remedies") or {}).get("list") or [] if r["most"] is not None][:MOST_ROWS]
    if not found:
        return None
    currency = str(record.get("currency"))
    rows = [{"label": r["name"], "most": float(r["most"]), "cost": r["cost"]} for r in found]
    pays = [r for r in rows if r["cost"] is not None and r["most"] > r["cost"]]
    of = words.plural(len(rows), "remedy", "remedies")
    answer = f"{len(pays)} of {of} may cost more than its price" if len(pays) == 1 else ""
    if len(rows) == 1:
        answer = f"The remedy may {'cost more' if pays else 'not cost more'} than its price"
    answer = answer or f"{len(pays) or 'None'} of {of} may cost more than their price"
    alt = " ".join(
        f"{r['label']}: at most {words.amount(r['most'], currency)}, price "
        f"{words.amount(r['cost'], currency, unknown='not stated')}."
        for r in rows
    )

    def draw(width: int) -> Any:
        from roi.report import remedy_charts

        return remedy_charts.ways(rows, currency=currency, width=width)

    return Figure(
        name="most",
        question="What may each remedy cost at the most?",
        answer=answer,
        alt=alt,
        draw=draw,
        legend=(("gain", "the most worth paying, once"), ("diamond", "its price")),
    )
