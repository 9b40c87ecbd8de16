"""What people and a judge program said of the cases, counted in the engine: the one pass over their words.

A case may hold a person's word (`outcome` that is not the judge's), a judge's (`judge_outcome`, or `outcome` where
`label_source` says judge), both or none. Only their counts by unit, and the sums of the inverse probabilities with
which people's cases were chosen, are taken out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from roi.moments import fetch
from roi.relation import Relation

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["HUMAN", "JUDGE", "JudgedMoments", "human_word", "judge_alone", "judge_word", "take_judged"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HUMAN = ("correct", "minor", "moderate", "major", "critical", "unknown", "escalated", "abandoned")
"""What a person may have said: an error by its severity, "unknown" where none is given."""

JUDGE = ("correct", "error", "severe", "escalated", "abandoned")
"""What a judge may have said; "severe" is an error that it calls major or critical."""

LEAST_PROBABILITY = (
    1e-6  # of being chosen; a smaller one is taken as not stated, so that sums of squares stay exact
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedMoments:
    """Production cases by what people and a judge said of them; a row is arm × segment × unit × both words.

    Attributes:
        selection: How people's cases were chosen: all, random, risk_based or unknown.
        arm: 0 baseline, 1 pilot, shape (rows,).
        segment: Index into the moments' segments, shape (rows,).
        unit: Index of the moments' unit, shape (rows,).
        human: Index into `HUMAN`, -1 where no person labelled, shape (rows,).
        judge: Index into `JUDGE`, -1 where the judge said nothing, shape (rows,).
        n: Cases, shape (rows,).
        probable: Of these, cases whose probability of being chosen is stated, shape (rows,).
        weight: Sum of 1 / probability over these, shape (rows,).
        weight2: Sum of its square, shape (rows,).
        heaviest: Largest 1 / probability among them, 0 where there is none, shape (rows,).
    """

    selection: str
    arm: Ints
    segment: Ints
    unit: Ints
    human: Ints
    judge: Ints
    n: Ints
    probable: Ints
    weight: Floats
    weight2: Floats
    heaviest: Floats


def judge_alone(samples: Samples, cases: Relation) -> Relation:
    """Where no person labelled a case, put the judge's word in the place of the outcome, marked as the judge's."""
    if "judge_outcome" not in cases.columns:
        return cases
    query = f"select count({human_word(cases)}), count(judge_outcome) from {cases.sql}"
    human, judged = fetch(samples, query)[0]
    if int(human) > 0 or int(judged) == 0:
        return cases
    severity = "judge_severity" if "judge_severity" in cases.columns else "null::varchar"
    return cases.having(outcome="judge_outcome", severity=severity, label_source="'judge'")


def take_judged(
    samples: Samples, production: Relation, segments: Sequence[str], units: Mapping[str, int]
) -> JudgedMoments | None:
    """Count people's and the judge's words.

    Args:
        samples: The opened samples.
        production: The production cases, with the columns `segment_` and `unit_` of the moments.
        segments: The moments' segments.
        units: Index of each of the moments' units.

    Returns:
        The counts; None where no judge spoke and no probability of being chosen matters.
    """
    present = production.columns
    selection = samples.selection
    risky = selection == "risk_based" and "outcome" in present
    if not risky and not {"judge_outcome", "label_source", "label_probability"} & set(present):
        return None
    share = "label_probability::double" if "label_probability" in present else "null::double"
    counted = production.having(
        human_word_=human_word(production), judge_word_=judge_word(production), share_=share
    )
    usable = f"human_word_ is not null and share_ >= {LEAST_PROBABILITY} and share_ <= 1"
    counted = counted.having(weight_=f"case when {usable} then (1 / share_)::decimal(18,6) end")
    aggregates = {
        "n": "count(*)",
        "probable": "count(weight_)",
        "w": "sum(weight_)::double",
        "w2": "sum(weight_ * weight_)::double",
        "most": "max(weight_)::double",
    }
    keys = ["arm", "segment_", "unit_", "human_word_", "judge_word_"]
    rows = fetch(samples, counted.grouped(keys, aggregates))
    if not risky and all(row[4] is None and not row[6] for row in rows):
        return None

    def column(at: int) -> Floats:
        return np.array([row[at] or 0 for row in rows], dtype=np.float64)

    def word(at: int, known: tuple[str, ...]) -> Ints:
        return np.array([-1 if row[at] is None else known.index(row[at]) for row in rows], dtype=np.int64)

    return JudgedMoments(
        selection=selection,
        arm=np.array([int(row[0] == "pilot") for row in rows], dtype=np.int64),
        segment=np.array([segments.index(str(row[1])) for row in rows], dtype=np.int64),
        unit=np.array([units[str(row[2])] for row in rows], dtype=np.int64),
        human=word(3, HUMAN),
        judge=word(4, JUDGE),
        n=column(5).astype(np.int64),
        probable=column(6).astype(np.int64),
        weight=column(7),
        weight2=column(8),
        heaviest=column(9),
    )


def human_word(cases: Relation) -> str:
    """A person's word; null where there is none."""
    if "outcome" not in cases.columns:
        return "null::varchar"
    severity = "coalesce(severity, 'unknown')" if "severity" in cases.columns else "'unknown'"
    word = f"case when outcome = 'error' then {severity} else outcome end"
    if "label_source" not in cases.columns:
        return word
    return f"case when coalesce(label_source, 'human') <> 'judge' then {word} end"


def judge_word(cases: Relation) -> str:
    """The judge's word; null where there is none."""
    columns = cases.columns
    outcome = "judge_outcome" if "judge_outcome" in columns else "null::varchar"
    severity = "judge_severity" if "judge_severity" in columns else "null::varchar"
    if {"outcome", "label_source"} <= set(columns):
        own = "coalesce(label_source, 'human') = 'judge'"
        outcome = f"coalesce({outcome}, case when {own} then outcome end)"
        if "severity" in columns:
            severity = f"coalesce({severity}, case when {own} then severity end)"
    grave = f"{outcome} = 'error' and coalesce({severity} in ('major', 'critical'), false)"
    return f"case when {grave} then 'severe' else {outcome} end"
