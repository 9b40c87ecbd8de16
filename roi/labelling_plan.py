"""How many labels are worth having, and what the labels there are say of the judge: facts for the report."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from roi.agreement import Agreement, Coefficient, agree
from roi.draws import t_quantile
from roi.label_moments import HUMAN, JUDGE, JudgedMoments
from roi.labels import labelled_rates, why_no_credit
from roi.moments import ARMS, Moments
from roi.rates import severe_errors
from roi.rectify import ENOUGH_EVENTS
from roi.words import percent

__all__ = ["Need", "agreement_by_arm", "label_facts", "label_needs"]

PRECISION = 0.02  # half the width of the interval of an error rate that is aimed at
USUAL_RATE = 0.05  # of errors, where none was looked at
ENOUGH_IN_9_OF_10 = 14.2  # errors expected, so that ten are found in 9 of 10 samples (Poisson)
KINDS = ("correct", "error", "escalated", "abandoned")


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """How many further labels something takes.

    Attributes:
        what: What they would show.
        baseline: Further labels on cases without the agent.
        pilot: Further labels on cases with it; None where no number within a million would do.
        text: The same in a sentence.
    """

    what: str
    baseline: int
    pilot: int | None
    text: str


def label_needs(moments: Moments, *, limit: float) -> tuple[Need, ...]:
    """Further labels by people that would show the severe limit, make rates precise, and let a judge help.

    Args:
        moments: Moments of the production cases.
        limit: The policy's limit of severe errors.

    Returns:
        What each takes; 0 where it is there already.

    Source:
        Cochran (1977), Sampling Techniques, section 4.4, for the precision of a share.
    """
    everything = np.ones(len(moments.segments), dtype=bool)
    judge_only = moments.labels == "judge"
    found = severe_errors(moments, everything)
    shown = found.n > 0 and found.upper <= limit and not judge_only
    severe = 0 if shown else _of_none(limit) if judge_only else found.needed(limit)
    sentence = (
        f"Severe errors are shown to stay below {percent(limit)}."
        if shown
        else f"To show that severe errors stay below {percent(limit)}: {severe:,} more labelled cases with the agent, "
        "none of them severe."
        if severe is not None
        else "No number of labels within a million would show that severe errors stay below the limit."
    )
    needs = [Need(what="severe_limit", baseline=0, pilot=severe, text=sentence)]
    rates, labelled, effect = _now(moments, judge_only)
    z = t_quantile(0.95, np.inf)
    wanted = [z * z * r * (1 - r) / PRECISION**2 * d for r, d in zip(rates, effect, strict=True)]
    more = [max(0, math.ceil(w - n)) for w, n in zip(wanted, labelled, strict=True)]
    sentence = (
        f"To know the error rates to {PRECISION * 100:.0f} points either way: {more[0]:,} more labels without and "
        f"{more[1]:,} with the agent."
        if any(more)
        else f"The error rates are known to about {PRECISION * 100:.0f} points."
    )
    needs.append(Need(what="precision", baseline=more[0], pilot=more[1], text=sentence))
    judged = moments.judged
    if judged is not None and (judged.judge >= 0).any():
        lacking = [
            0 if n * r >= ENOUGH_EVENTS else max(0, math.ceil(ENOUGH_IN_9_OF_10 / r - n))
            for r, n in zip(rates, labelled, strict=True)
        ]
        sentence = (
            f"To correct the judge program by people's labels, ten errors that people find in each arm: about "
            f"{lacking[0]:,} more labels without and {lacking[1]:,} with the agent, chosen at random."
            if any(lacking)
            else "People have found enough errors to correct the judge program by."
        )
        needs.append(Need(what="judge", baseline=lacking[0], pilot=lacking[1], text=sentence))
    return tuple(needs)


def _of_none(limit: float) -> int:
    """Labels without a severe error whose exact upper bound is the limit."""
    return math.ceil(math.log(0.05) / math.log1p(-limit)) if 0 < limit < 1 else 0


def _now(moments: Moments, judge_only: bool) -> tuple[list[float], list[int], list[float]]:
    """By arm: the error rate to plan with, people's labels, and how many labels are worth one independent case."""
    rates, labelled, effect = [], [], []
    found = labelled_rates(moments)
    for arm in (0, 1):
        rows = moments.arm == arm
        n, errors = int(moments.labelled[rows].sum()), int(moments.outcome[rows, 1].sum())
        # The middle of a rate with half an event more, so that none in a few is not taken for never.
        rates.append((errors + 0.5) / (n + 1) if n >= 10 else USUAL_RATE)
        labelled.append(0 if judge_only else n)
        worth = float(found.n[arm].sum()) if found is not None else 0.0
        effect.append(max(1.0, n / worth) if worth > 0 else 1.0)
    return rates, labelled, effect


def agreement_by_arm(judged: JudgedMoments) -> dict[str, Agreement | None]:
    """The judge's word against people's on the cases that both labelled, by arm; weighted where chosen by weights."""
    human = np.array([KINDS.index(x) if x in KINDS else KINDS.index("error") for x in HUMAN])
    judge = np.array([KINDS.index(x) if x in KINDS else KINDS.index("error") for x in JUDGE])
    result: dict[str, Agreement | None] = {}
    for arm, name in enumerate(ARMS):
        rows = (judged.arm == arm) & (judged.human >= 0) & (judged.judge >= 0)
        n = judged.n[rows].astype(np.float64)
        known = bool(rows.any()) and int(judged.probable[rows].sum()) == int(n.sum())
        weight = judged.weight[rows] if known else n
        table = np.zeros((len(KINDS), len(KINDS)))
        np.add.at(table, (human[judged.human[rows]], judge[judged.judge[rows]]), weight)
        used = (table.sum(axis=0) + table.sum(axis=1)) > 0
        used[:2] = True  # right and wrong are told apart even where only one was seen
        names = [k for k, u in zip(KINDS, used, strict=True) if u]
        squares = float(judged.weight2[rows].sum()) if known else float(n.sum())
        effective = float(weight.sum()) ** 2 / squares if squares > 0 else 0.0
        result[name] = agree(
            table[np.ix_(used, used)] * (n.sum() / max(weight.sum(), 1e-9)), names, n=effective
        )
    return result


def label_facts(moments: Moments, *, limit: float, selection: str, blind: bool | None) -> dict[str, Any]:
    """What the record says of labels.

    Args:
        moments: Moments of the production cases.
        limit: The policy's limit of severe errors.
        selection: How people chose the cases they labelled, as the parameter file says.
        blind: Whether they did not know the arm; None where nobody says.

    Returns:
        Plain values: `selection`, `blind`, `kind`, `people`, `judge`, `text`, `power`, `gain`, `agreement` and `needs`.
    """
    found = labelled_rates(moments)
    doubt = why_no_credit(moments, selection)
    people = {
        name: int(moments.labelled[moments.arm == a].sum()) if moments.labels != "judge" else 0
        for a, name in enumerate(ARMS)
    }
    facts: dict[str, Any] = {
        "selection": selection,
        "blind": blind,
        "kind": "none"
        if moments.labels == "none"
        else "unchecked"
        if doubt is not None
        else "human"
        if found is None
        else found.kind,
        "people": people,
        "judge": dict(zip(ARMS, found.judge_labels if found is not None else (0, 0), strict=True)),
        "text": doubt if found is None else found.text or None,
        "power": None if found is None else dict(zip(ARMS, found.power, strict=True)),
        "gain": None if found is None else dict(zip(ARMS, found.gain, strict=True)),
        "agreement": None,
        "needs": [
            {"what": x.what, "baseline": x.baseline, "pilot": x.pilot, "text": x.text}
            for x in label_needs(moments, limit=limit)
        ],
    }
    if moments.judged is not None:
        both = agreement_by_arm(moments.judged)
        if any(both.values()):
            facts["agreement"] = {arm: None if x is None else _plain(x) for arm, x in both.items()}
    return facts


def _plain(found: Agreement) -> dict[str, Any]:
    return {
        "names": list(found.names),
        "table": [[round(float(x), 3) for x in row] for row in found.table],
        "n": found.n,
        "share": _coefficient(found.share),
        "kappa": _coefficient(found.kappa),
        "ac1": _coefficient(found.ac1),
    }


def _coefficient(found: Coefficient | None) -> dict[str, float] | None:
    return None if found is None else {"mean": found.value, "p05": found.low, "p95": found.high}
