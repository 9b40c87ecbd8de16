"""What the record says of the quality of inputs: field by field and by segment, the demo beside production."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from roi.input_quality import ANY, COLUMNS, SETTINGS, InputQuality
from roi.input_rules import DEFECTS
from roi.proportions import adjusted, difference, exact_interval, homogeneity
from roi.words import percent, plural

__all__ = ["DRIFT_LEVEL", "inputs_of_record"]

Ints = npt.NDArray[np.int64]

DRIFT_LEVEL = 0.05
LEAST_DRIFT = 20  # cases of either setting below which drift cannot be told


def inputs_of_record(q: InputQuality) -> dict[str, Any]:
    """The quality of the inputs as plain values; shares are of cases, their ends exact 90 % intervals.

    Cases are taken as independent of each other: what arrives does not depend on who works it.
    """
    by_field = q.broken.sum(axis=1)  # (2, fields, columns)
    cases = q.cases.sum(axis=1)
    kept = [i for i, f in enumerate(q.fields) if f.kind != "ignored"]
    drift = _drift(q, kept)
    shares = _shares(by_field[:, :, ANY], cases[:, None])
    missing = _shares(by_field[:, :, 0], cases[:, None])
    cells = _shares(q.broken[..., ANY], q.cases[..., None])  # (2, segments, fields)
    fields = []
    for i in kept:
        f = q.fields[i]
        fields.append(
            {
                "field": f.name,
                "kind": f.kind,
                "rules": [
                    {"defect": r.defect, "text": r.text, "stated": r.stated, "counts": r.counts}
                    for r in f.rules
                ],
                **{
                    name: None
                    if cases[s] == 0
                    else {
                        "defective": shares[s][i],
                        "missing": missing[s][i],
                        "found": {
                            c: int(by_field[s, i, j]) for j, c in enumerate(COLUMNS[:-1]) if by_field[s, i, j]
                        },
                    }
                    for s, name in enumerate(SETTINGS)
                },
                "difference": _gap(by_field[:, i, ANY], cases),
                "drift": drift[i],
                "by_segment": [
                    {"segment": name, **{x: cells[s][g][i] for s, x in enumerate(SETTINGS)}}
                    for g, name in enumerate(q.segments)
                ],
            }
        )
    wrong = q.cases - q.clean
    total, by_segment = _shares(wrong.sum(axis=1), cases), _shares(wrong, q.cases)
    return {
        "cases": _pair(cases),
        "fields": fields,
        "defective": {name: total[s] for s, name in enumerate(SETTINGS)},
        "difference": _gap(wrong.sum(axis=1), cases),
        "defects_per_case": {
            name: float(q.defects[s].sum() / cases[s]) if cases[s] else None
            for s, name in enumerate(SETTINGS)
        },
        "by_segment": [
            {"segment": name, **{x: by_segment[s][g] for s, x in enumerate(SETTINGS)}}
            for g, name in enumerate(q.segments)
        ],
        "rows": _pair(q.rows),
        "rows_of_no_case": _pair(q.unknown),
        "cases_with_several_rows": _pair(q.repeated),
        "cases_whose_rows_differ": _pair(q.differing),
        "cases_like_another": _pair(q.alike),
        "agreement": _agreement(q.agreement),
        "headline": _headline(q, fields, total),
        "notes": _notes(q, cases),
    }


def _pair(values: Ints) -> dict[str, int]:
    return {name: int(values[s]) for s, name in enumerate(SETTINGS)}


def _shares(hits: Ints, n: Ints) -> Any:
    """Nested lists of shares with their ends, in the shape of `hits`; None without cases."""
    k, m = np.broadcast_arrays(hits, n)
    low, high = exact_interval(k, m)

    def laid(k: Any, m: Any, low: Any, high: Any) -> Any:
        if isinstance(k, list):
            return [laid(*each) for each in zip(k, m, low, high, strict=True)]
        return {"n": m, "k": k, "share": k / m, "low": low, "high": high} if m else None

    return laid(k.tolist(), m.tolist(), low.tolist(), high.tolist())


def _gap(hits: Ints, cases: Ints) -> dict[str, float] | None:
    """Production's share less the demo's; None where there are no cases of one of them."""
    if not cases.all():
        return None
    low, high = difference((float(hits[0]), float(hits[1])), (float(cases[0]), float(cases[1])))
    return {"share": float(hits[0] / cases[0] - hits[1] / cases[1]), "low": low, "high": high}


def _drift(q: InputQuality, kept: list[int]) -> dict[int, dict[str, Any] | None]:
    """How far each field's values moved from the demo to production, all fields tested together."""
    found: dict[int, dict[str, Any] | None] = dict.fromkeys(range(len(q.fields)))
    tested: list[tuple[int, float, float]] = []
    for i in kept:
        sizes = q.bins[i].sum(axis=1)
        if not sizes[1]:
            continue
        told = homogeneity(q.bins[i]) if sizes.min() >= LEAST_DRIFT else None
        if told is None:
            found[i] = {"distance": None, "p": None, "q": None, "state": "too_few"}
        else:
            tested.append((i, *told))
    if tested:
        for (i, distance, p), share in zip(
            tested, adjusted(np.array([p for _, _, p in tested])), strict=True
        ):
            state = "drifted" if share <= DRIFT_LEVEL else "no_sign"
            found[i] = {"distance": distance, "p": p, "q": float(share), "state": state}
    return found


def _agreement(table: Ints | None) -> dict[str, Any] | None:
    """The cases' own column beside what was counted."""
    if table is None:
        return None
    n = int(table.sum())
    both, own, ours, neither = (int(table[1, 1]), int(table[1, 0]), int(table[0, 1]), int(table[0, 0]))
    same = (both + neither) / n
    by_chance = (table.sum(axis=0) * table.sum(axis=1)).sum() / n**2
    return {
        "n": n,
        "both": both,
        "column_only": own,
        "inputs_only": ours,
        "neither": neither,
        "share": same,
        "kappa": None if by_chance >= 1 else float((same - by_chance) / (1 - by_chance)),
    }


def _headline(q: InputQuality, fields: list[dict[str, Any]], total: list[dict[str, Any] | None]) -> str:
    live, shown = total
    if live is None:
        return "There are no inputs of production cases."
    text = f"{percent(live['share'])} of {plural(live['n'], 'production case')} came with a defect in their inputs"
    if shown is not None:
        text += f", and {percent(shown['share'])} of {plural(shown['n'], 'demo case')}"
    worst = max(
        fields, key=lambda f: f["production"]["defective"]["k"] if f["production"] else 0, default=None
    )
    if worst is not None and worst["production"] and worst["production"]["defective"]["k"]:
        text += f"; most often in {worst['field']} ({percent(worst['production']['defective']['share'])})"
    return text + "."


def _notes(q: InputQuality, cases: Ints) -> list[str]:
    """What a reader has to know before trusting the counts."""
    counted = [r for f in q.fields for r in f.rules if r.counts]
    inferred = sum(not r.stated for r in counted)
    notes = [
        f"{inferred} of {plural(len(counted), 'rule')} that count were inferred from the fields' own values; state "
        "those that matter under samples.inputs.fields."
    ]
    if not cases[1]:
        notes.append("No inputs of a demo were given, so nothing is known of what changed since.")
    for what, n, words in (
        ("row", q.unknown, "of no case of the sample"),
        ("case", q.repeated, "with more than one row of inputs: a field is wrong where it is in any of them"),
        ("case", q.alike, "whose fields are all those of another case"),
    ):
        if n[0]:
            notes.append(f"{plural(int(n[0]), f'production {what}')} {words}.")
    unclear = [f.name for f in q.fields if f.kind == "unclear"]
    if unclear:
        notes.append(f"{plural(len(unclear), 'field')} with too few values for a rule of their own.")
    return notes


assert len(COLUMNS) == len(DEFECTS) + 2
