"""What the audit says in words: its headlines, what tells of each cause, and how to log what is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from roi import words

__all__ = ["DEFECT_WORDS", "found_words", "headlines", "kept_words", "missing", "moved", "told_by"]

Record = Mapping[str, Any]

DEFECT_WORDS = {
    "missing": "missing",
    "kind": "of another kind",
    "format": "in another form",
    "unit": "in another unit",
    "range": "far from the others",
    "contradiction": "contradicting another field",
    "duplicate": "used before",
    "late": "late",
}
_LOG = {
    "data": "Losses from data show only by label: give the raw inputs (samples.inputs), or input_defects of each case.",
    "integration": "Losses from integration show only by label: log the status of each call (samples.actions).",
    "oversight": "Losses from oversight show only by label: log decision, decided_at and executed_at of each call.",
}


def headlines(record: Record) -> list[tuple[str, str]]:
    """What the audit found of inputs, calls and people: a name and a sentence each, those that are known."""
    found = record.get("audit") or {}
    names = (("Inputs", "inputs"), ("Integration", "integration"), ("People and workflow", "oversight"))
    said = [(label, (found.get(key) or {}).get("headline")) for label, key in names]
    return [(label, str(text)) for label, text in said if text]


def told_by(row: Mapping[str, Any], causes: Mapping[str, Any]) -> str:
    """What tells of a cause: labels, cases that show evidence, or nothing."""
    said, seen, cause = [], row.get("evidence"), row.get("cause")
    if row.get("labels"):
        said.append(words.plural(row["labels"], "label"))
    if seen and seen["cases"]:
        text = f"{words.plural(seen['cases'], 'case')} {'shows' if seen['cases'] == 1 else 'show'} evidence, "
        text += f"{words.count(seen['losses'])} of them lost"
        if seen["chance"] is not None:
            text += f"; that it has an effect: {words.chance(seen['chance'])}"
        said.append(text)
    elif seen:
        said.append("no case shows evidence")
    elif cause in _LOG:
        said.append("no log tells of it")
    if said:
        return "; ".join(said)
    if cause == "unexplained":
        return "neither label nor evidence"
    if cause == "model" and causes.get("evidence") in ("evidence", "both"):
        return "what is left where inputs were clean"
    return "no label"


def found_words(field: Mapping[str, Any], setting: str) -> list[tuple[str, int, bool]]:
    """What is wrong with a field: words, number of cases, and whether it counts as a defect."""
    counted = {rule["defect"] for rule in field["rules"] if rule["counts"]}
    found = (field.get(setting) or {}).get("found") or {}
    rows = []
    for defect, text in DEFECT_WORDS.items():
        if found.get(defect):
            placed = found.get("placeholder") if defect == "missing" else None
            more = f" (a placeholder in {words.count(placed)})" if placed else ""
            rows.append((f"{text}{more}", int(found[defect]), defect in counted))
    return sorted(rows, key=lambda row: (not row[2], -row[1]))


def moved(drift: Mapping[str, Any] | None) -> str:
    """Whether a field's values moved from the demo to production."""
    if drift is None:
        return "no demo to compare"
    if drift["state"] == "too_few":
        return "too few to tell"
    if drift["state"] == "no_sign":
        return "no sign of it"
    return f"yes: {words.percent(drift['distance'])} of cases"


def kept_words(rows: Sequence[Any], most: int) -> tuple[list[Any], int]:
    """The first so many, and how many are left."""
    return list(rows[:most]), max(len(rows) - most, 0)


def missing(record: Record) -> list[tuple[str, list[str]]]:
    """What is not known and how to log it, by part of the audit; parts of which all is known are left out."""
    found = record.get("audit") or {}
    causes = record.get("causes") or {}
    of_causes = []
    losses, labelled = causes.get("losses") or 0, causes.get("labelled") or 0
    if labelled < losses:
        of_causes.append(
            f"{words.count(losses - labelled)} of {words.plural(losses, 'loss', 'losses')} "
            f"{'carries' if losses - labelled == 1 else 'carry'} no label: let a reviewer write down the cause of each."
        )
    tell = {row["cause"] for row in causes.get("by_cause") or [] if row.get("evidence")}
    if losses:
        of_causes += [text for cause, text in _LOG.items() if cause not in tell]
        if not causes.get("agreement"):
            of_causes.append(
                "Nobody knows how far two people agree on causes: let a second one label some of the losses (cause_2)."
            )
    parts = [("Causes", of_causes), ("Tables that were not given", list(found.get("missing") or []))]
    for label, key in (("Integration", "integration"), ("People and workflow", "oversight")):
        parts.append((label, list((found.get(key) or {}).get("missing") or [])))
    return [(label, texts) for label, texts in parts if texts]
