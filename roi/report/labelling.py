"""What the report says of who judged the outcomes, and what a judge program's word was worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from roi import units, words

__all__ = ["Judging", "judging"]

CHOSEN = {
    "all": "as is said of all cases",
    "random": "chosen at random",
    "risk_based": "chosen by risk",
    "unknown": "nobody says how these were chosen",
}
ARMS = {"baseline": "Without the agent", "pilot": "With the agent"}
SAID = {"correct": "right", "error": "error", "escalated": "taken over", "abandoned": "abandoned"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """Who judged the outcomes.

    Attributes:
        sentences: What was done, in reading order.
        agreement: By arm: its name, and the share, kappa and AC1 with their intervals as texts.
        tables: By arm: its name, the kinds, and rows of a kind and how often the judge said what.
        needs: What further labels would show.
    """

    sentences: tuple[str, ...]
    agreement: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    tables: tuple[tuple[str, tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]], ...]
    needs: tuple[str, ...]


def judging(record: Mapping[str, Any]) -> Judging | None:
    """The part on labels, from a record; None where it says nothing of them."""
    found: Mapping[str, Any] = record.get("labels") or {}
    if not found or found.get("kind") == "none":
        return None
    both = {arm: x for arm, x in (found.get("agreement") or {}).items() if x}
    return Judging(
        sentences=tuple(_sentences(found)),
        agreement=tuple((ARMS.get(arm, arm), _coefficients(x)) for arm, x in both.items()),
        tables=tuple((ARMS.get(arm, arm), _names(x), _rows(x)) for arm, x in both.items()),
        needs=tuple(str(x.get("text")) for x in found.get("needs") or [] if x.get("text")),
    )


def _sentences(found: Mapping[str, Any]) -> list[str]:
    people: Mapping[str, Any] = found.get("people") or {}
    n = sum(words.finite(people.get(arm)) or 0 for arm in ARMS)
    said = []
    if found.get("text"):
        said.append(str(found["text"]))
    elif n:
        how = CHOSEN.get(str(found.get("selection")), "")
        said.append(
            f"People judged the outcome of {words.plural(people.get('pilot'), 'case')} with the agent and "
            f"{words.count(people.get('baseline'))} without; {how}."
        )
    gain: Mapping[str, Any] = found.get("gain") or {}
    for arm, name in ARMS.items():
        share = words.finite(gain.get(arm)) or 0.0
        labels = words.finite(people.get(arm)) or 0.0
        if share > 0 and labels:
            worth = labels * share / (1 - share) if share < 1 else None
            if worth is not None:
                said.append(
                    f"{name} the judge program's word was worth about {words.plural(round(worth), 'further label')}."
                )
    if n and found.get("blind") is not True:
        said.append(
            "They knew which cases the agent had worked, which can colour a judgement."
            if found.get("blind") is False
            else "Nobody says whether they knew which cases the agent had worked (samples.labels.blind)."
        )
    return said


def _coefficients(found: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    rows = []
    for key in ("share", "kappa", "ac1"):
        x = found.get(key)
        if not x:
            rows.append(("–", "says nothing where all cases are of one kind"))
        elif key == "share":
            rows.append((words.percent(x["mean"]), units.percents(x["p05"], x["p95"], x["mean"])))
        else:
            rows.append((words.number(x["mean"], 2), words.edges(x["p05"], x["p95"], 2)))
    return tuple(rows)


def _names(found: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(SAID.get(str(x), str(x)) for x in found.get("names") or ())


def _rows(found: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    rows = found.get("table") or []
    return tuple(
        (name, tuple(words.count(round(x)) for x in row))
        for name, row in zip(_names(found), rows, strict=True)
    )
