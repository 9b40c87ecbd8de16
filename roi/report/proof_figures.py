"""Figures of the proof: a question, its answer in a number, a drawing, and the same said in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from roi import signs, units, words
from roi.report.figures import Figure

__all__ = [
    "evidence_figure",
    "gap_figure",
    "knowing_figure",
    "ladder_figure",
    "samples_figure",
]

Record = Mapping[str, Any]
KINDS = {
    "measured": "measured",
    "sourced": "from a document",
    "assumed": "assumed",
    "default": "package default",
    "together": "several together",
}
KEYS = {"measured": "agent", "sourced": "band", "assumed": "before", "default": "loss", "together": "muted"}
MOST_INPUTS = 8
MOST_TOGETHER = 8  # rows of samples that are drawn as one picture
A_CENT = 0.005


def ladder_figure(record: Record) -> Figure | None:
    """What the hours saved become, step by step; None where there is no ladder."""
    found = record.get("ladder")
    if not found:
        return None
    currency = str(found.get("currency"))
    rows = []
    for rung in found["rungs"]:
        of = rung.get("at_labour_cost") or rung
        label = rung["label"]
        if rung["rung"] == "capacity":
            label = "Those hours, at what they cost"
        elif rung["rung"] == "hours":
            continue
        elif rung["rung"] == "worth":
            label = "Worth, after every cost"
        rows.append({"label": label, "last": rung["rung"] == "worth"} | _outcomes(of["horizon"]))
    hours, worth = rows[0]["mean"], rows[-1]["mean"]
    told = f"the worth is {signs.against_stopping(worth, currency)}"
    if hours > 0:
        answer = f"The hours saved would have cost {words.amount(hours, currency)}; after every cost {told}"
    elif hours < 0:
        answer = f"The agent costs hours on average, for {words.amount(-hours, currency)} in all; {told}"
    else:
        answer = f"No hours are saved on average; {told}"
    alt = " ".join(
        f"{r['label']}: mean {words.amount(r['mean'], currency)}, 8 in 10 outcomes "
        f"{words.amount_range(r['p10'], r['p90'], currency, r['mean'])}."
        for r in rows
    )

    def draw(width: int) -> Any:
        from roi.report import proof_charts

        return proof_charts.ladder(rows, currency=currency, width=width)

    return Figure(
        name="ladder",
        question="What becomes of the hours saved?",
        answer=answer,
        alt=f"Value over {found['horizon_months']} months, in today’s money. {alt}",
        draw=draw,
        legend=(("agent", "value of the time"), ("gain", "worth"), ("line", "8 in 10 outcomes")),
    )


def _outcomes(found: Mapping[str, Any]) -> dict[str, float]:
    return {key: float(found[key]) for key in ("mean", "p10", "p90")}


def gap_figure(record: Record) -> Figure | None:
    """From the demo to production in steps; None where nothing can be held against each other."""
    quantities = (record.get("demo_gap") or {}).get("quantities") or {}
    for name in ("minutes_saved_per_case", "error_rate_pilot", *quantities):
        q = quantities.get(name)
        if q and q["demo"] and q["production"]:
            break
    else:
        return None
    scale = 100.0 if q["unit"] == "share" else 1.0
    more = q["better"] == "more"

    def level(label: str, value: float) -> dict[str, Any]:
        return {"label": label, "start": 0.0, "end": scale * value, "kind": "level", "text": say(value)}

    def say(value: float, sign: str = "") -> str:
        return f"{sign}{units.quantity(value, q['unit'])}"

    at = q["demo"]["mean"]
    rows = [level("In the demo", at)]
    untold = []
    for part in q["parts"].values():
        if part["mean"] is None:
            untold.append(part["label"])
            continue
        if part["mean"] == 0:
            continue
        end = at + part["mean"]
        kind = "better" if (part["mean"] > 0) == more else "worse"
        text = say(part["mean"], "+" if part["mean"] > 0 else "")
        row = {"label": words.capital(part["label"]), "start": scale * at, "end": scale * end}
        rows.append(row | {"kind": kind, "text": text})
        at = end
    rows.append(level("In production", q["production"]["mean"]))
    label = q["label"][:1].lower() + q["label"][1:]
    answer = f"{words.capital(label)}: {say(q['demo']['mean'])} in the demo, "
    answer += f"{say(q['production']['mean'])} in production"
    alt = "; ".join(f"{r['label']}: {r['text']}" for r in rows)
    if untold:
        alt += f"; not told apart: {words.and_list(untold)}"
    title = f"{label}, %" if q["unit"] == "share" else f"{label}, {q['unit'].split('/')[0]}"

    def draw(width: int) -> Any:
        from roi.report import proof_charts

        return proof_charts.steps(rows, title=title, width=width)

    return Figure(
        name="gap",
        question="What became of the demo?",
        answer=answer,
        alt=f"From the demo to production. {alt}.",
        draw=draw,
        legend=(("agent", "level"), ("loss", "step for the worse"), ("gain", "for the better")),
    )


def knowing_figure(record: Record) -> Figure | None:
    """What knowing each input exactly is worth; None where knowing is worth nothing."""
    known, currency = record.get("knowing") or {}, str(record.get("currency"))
    rows = [
        {"label": row["label"], "value": float(row["value"])}
        for row in (known.get("inputs") or [])[:MOST_INPUTS]
        if row["value"] >= A_CENT  # less is what rounding leaves
    ]
    if not rows:
        return None
    answer = f"Most of all {words.shorten(rows[0]['label'], 80)}: at most "
    answer += f"{words.amount(rows[0]['value'], currency)}; everything at once: "
    answer += words.amount(known.get("evpi"), currency)
    alt = " ".join(f"{words.shorten(r['label'], 80)}: {words.amount(r['value'], currency)}." for r in rows)

    def draw(width: int) -> Any:
        from roi.report import proof_charts

        return proof_charts.values(rows, currency=currency, width=width)

    return Figure(
        name="knowing",
        question="What would it be worth to know better?",
        answer=answer,
        alt="The most that knowing each input exactly is worth. " + alt,
        draw=draw,
    )


def samples_figure(record: Record) -> Figure | None:
    """What further samples are worth beside what they cost; None where none can be valued."""
    currency = str(record.get("currency"))
    rows = [
        {
            "label": sample["what"],
            "worth": max(float(sample["most"]), 0.0),
            "price": words.finite(sample["price"]),
        }
        for sample in (record.get("knowing") or {}).get("samples") or []
    ]
    if not rows:
        return None
    pays = [row for row in rows if row["price"] is not None and row["worth"] > row["price"]]
    priced = sum(row["price"] is not None for row in rows)
    if pays:
        best = max(pays, key=lambda row: row["worth"] - row["price"])
        answer = f"{best['label']}: worth {words.amount(best['worth'], currency)}, "
        answer += f"price {words.amount(best['price'], currency)}"
    elif priced:
        answer = f"None of {words.plural(priced, 'sample')} with a price is worth it"
    else:
        answer = f"Nobody has stated a price for any of {words.plural(len(rows), 'sample')}"

    def told(shown: Sequence[Mapping[str, Any]]) -> str:
        return "The most that each further sample is worth, after what waiting for it costs. " + " ".join(
            f"{words.shorten(r['label'], 100)}: worth {words.amount(r['worth'], currency)}, price "
            f"{words.amount(r['price'], currency, unknown='not stated')}."
            for r in shown
        )

    def draw(width: int, shown: Sequence[Mapping[str, Any]] = rows) -> Any:
        from roi.report import proof_charts

        return proof_charts.samples(shown, currency=currency, width=width, among=rows)

    # As even as it goes: of nine rows five and four, not eight and one.
    size = math.ceil(len(rows) / math.ceil(len(rows) / MOST_TOGETHER))
    parts = [rows[at : at + size] for at in range(0, len(rows), size)]

    return Figure(
        name="samples",
        question="Is a further sample worth its price?",
        answer=answer,
        alt=told(rows),
        draw=draw,
        rows=tuple((told(part), partial(draw, shown=part)) for part in parts) if len(parts) > 1 else (),
        legend=(("agent", "the most it is worth, after the delay"), ("diamond", "its price")),
    )


def evidence_figure(record: Record) -> Figure | None:
    """What the gain, and what is uncertain about it, rest on; None where there is neither."""
    found = record.get("evidence") or {}
    rows = [
        {"label": label, "shares": found[key]}
        for key, label in (
            ("value", "Of the gain, every factor counted alike"),
            ("variance", "Of what is uncertain about the worth"),
        )
        if found.get(key)
    ]
    if not rows:
        return None
    kinds = [kind for kind in KINDS if any((row["shares"].get(kind) or 0) > 0 for row in rows)]
    alt = " ".join(
        f"{row['label']}: "
        + words.and_list(f"{words.percent(row['shares'].get(kind) or 0)} {KINDS[kind]}" for kind in kinds)
        + "."
        for row in rows
    )
    loose = sum(rows[-1]["shares"].get(kind) or 0.0 for kind in ("assumed", "default"))
    answer = f"Assumptions make {words.percent(loose)} of what is uncertain about the worth"
    if not found.get("variance"):
        answer = f"Counting every factor alike, {words.percent(loose)} of the gain is assumed"

    def draw(width: int) -> Any:
        from roi.report import proof_charts

        return proof_charts.shares(rows, kinds=KINDS, width=width)

    return Figure(
        name="evidence",
        question="What does the result rest on?",
        answer=answer,
        alt=alt,
        draw=draw,
        legend=tuple((KEYS[kind], KINDS[kind]) for kind in kinds),
    )
