"""Rates from the labels of people and the word of a judge: weighted, rectified, or not believed.

Where a judge judged (nearly) all cases and people a sample of them whose probabilities are known, the judge's mean
over all cases is corrected by what people found in their sample (prediction-powered inference). That holds however
bad the judge is; a bad one is only worth nothing. Nobody believes a judge whom nobody checked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.clusters import rate_effect
from roi.label_moments import HUMAN, JUDGE, JudgedMoments
from roi.moments import Moments
from roi.rectify import ENOUGH_EVENTS, arm_rates
from roi.words import and_list, percent

__all__ = [
    "LabelledRates",
    "WeightedEvents",
    "by_cell",
    "earns_credit",
    "labelled_rates",
    "weighted_severe",
    "why_no_credit",
]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NEARLY_ALL = 0.95  # of the cases judged, labelled or not; of an arm's cases labelled, to be all
STANDS_FOR = (0.8, 1.25)  # times an arm's cases: what weighted labels may add up to
SAMPLING_ERRORS = 3  # of that sum, within which it may be chance
SIDES = ("without the agent", "with the agent")

ERROR = tuple(HUMAN.index(x) for x in ("minor", "moderate", "major", "critical", "unknown"))
SEVERE = tuple(HUMAN.index(x) for x in ("major", "critical", "unknown"))
GONE = tuple(HUMAN.index(x) for x in ("escalated", "abandoned"))
JUDGED_ERROR = tuple(JUDGE.index(x) for x in ("error", "severe"))
JUDGED_GONE = tuple(JUDGE.index(x) for x in ("escalated", "abandoned"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledRates:
    """What labels say of rates, as effective numbers of independent cases.

    Attributes:
        kind: "human" (plain labels by people), "weighted" (by the probability of being chosen), "rectified" (a judge's
            word corrected by people) or "unchecked" (nobody knows how far these labels can be believed: no credit).
        hits: Effective errors, shape (2 arms, segments).
        n: Effective labelled cases, shape (2, segments): rate · (1 − rate) / variance. Design effect and the penalty
            for few units are in it already; 0 where the cell has no label.
        score: Influence of each unit on the cell's error rate, shape (2, segments, units), no small-sample correction;
            None where plain counts are used.
        gone_hits: Effective escalated and abandoned cases, shape (2, segments).
        gone_n: Effective cases behind them, shape (2, segments).
        severe_hits: Severe errors (major, critical, of unknown severity) that people found in the pilot arm, shape
            (segments,), before any design effect.
        severe_n: Cases that people labelled there; effective where they are weighted, shape (segments,).
        severity: Errors that people found by severity (minor, moderate, major, critical), weighted to sum to their
            number, shape (2, 4); None where plain counts are used.
        human_labels: Cases that people labelled, by arm.
        judge_labels: Cases that the judge judged, by arm.
        power: How much of the judge's word is taken, by arm, in [0, 1]; 0 where people's alone counts.
        gain: Share of the error rate's variance that the judge saves, by arm; 0 where people's word alone counts.
        text: What was done and why, in a sentence.
    """

    kind: str
    hits: Floats
    n: Floats
    score: Floats | None
    gone_hits: Floats
    gone_n: Floats
    severe_hits: Floats
    severe_n: Floats
    severity: Floats | None
    human_labels: tuple[int, int]
    judge_labels: tuple[int, int]
    power: tuple[float, float]
    gain: tuple[float, float]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedEvents:
    """Severe errors of the pilot arm where people's cases were chosen with unlike probabilities.

    Attributes:
        rate: Weighted share of labelled cases.
        n: Effective number of labelled cases: the smaller of Kish's and the linearised variance's.
    """

    rate: float
    n: float


def labelled_rates(moments: Moments) -> LabelledRates | None:
    """What people's labels and a judge's word together say of the rates.

    Args:
        moments: Moments of the production cases.

    Returns:
        Effective numbers by cell; None where people's plain labels are all there is.
    """
    judged = moments.judged
    if judged is None:
        return None
    human = _by_arm(judged, judged.human >= 0)
    judge = _by_arm(judged, judged.judge >= 0)
    cases = _by_arm(judged, np.ones(judged.n.size, dtype=bool))
    doubt = _doubt(judged, human, cases)
    if doubt is not None or judged.selection in ("all", "unknown") or human == cases:
        return _plain(moments, "human" if doubt is None else "unchecked", human, judge, doubt or "")
    weighted = _unlike(judged, len(moments.segments))
    covers = min(human) > 0 and _covers(judged)
    errors = [int(judged.n[(judged.arm == a) & np.isin(judged.human, ERROR)].sum()) for a in (0, 1)]
    rectified = tuple(covers and n >= ENOUGH_EVENTS for n in errors)
    if not weighted and not any(rectified):
        return _plain(moments, "human", human, judge, _why_alone(judge, covers, errors))
    found = [arm_rates(moments, judged, a, ERROR, JUDGED_ERROR, weighted, rectified[a]) for a in (0, 1)]
    gone = [arm_rates(moments, judged, a, GONE, JUDGED_GONE, weighted, covers) for a in (0, 1)]
    each = np.eye(len(moments.segments), dtype=bool)
    severe = [_severe(judged, one) or WeightedEvents(rate=0.0, n=0.0) for one in each]
    return LabelledRates(
        kind="rectified" if any(rectified) else "weighted",
        hits=np.stack([x.hits for x in found]),
        n=np.stack([x.n for x in found]),
        score=np.stack([x.score for x in found]),
        gone_hits=np.stack([x.hits for x in gone]),
        gone_n=np.stack([x.n for x in gone]),
        severe_hits=np.array([x.rate * x.n for x in severe]),
        severe_n=np.array([x.n for x in severe]),
        severity=_severities(judged, weighted),
        human_labels=human,
        judge_labels=judge,
        power=(found[0].power, found[1].power),
        gain=(found[0].gain, found[1].gain),
        text=_said(human, judge, cases, rectified, weighted, errors, (found[0].gain, found[1].gain)),
    )


def earns_credit(moments: Moments, selection: str) -> bool:
    """Whether it is known how the labelled cases were chosen, so that fewer errors may earn money.

    Args:
        moments: Moments of the production cases.
        selection: How people chose the cases they labelled, as the parameter file says.
    """
    if moments.labels == "judge" or why_no_credit(moments, selection) is not None:
        return False
    if labelled_rates(moments) is not None:
        return True
    nearly_all = int(moments.labelled.sum()) >= NEARLY_ALL * max(int(moments.n.sum()), 1)
    return selection in ("all", "random") or (selection == "unknown" and nearly_all)


def why_no_credit(moments: Moments, selection: str) -> str | None:
    """What is wrong with the labels, in a sentence; None where nothing is, or nobody says how they were chosen.

    Args:
        moments: Moments of the production cases.
        selection: How people chose the cases they labelled, as the parameter file says.
    """
    found = labelled_rates(moments)
    if found is not None:
        return found.text if found.kind == "unchecked" else None
    if selection != "all" or moments.labels == "judge":
        return None
    labelled, cases = (
        [int(x[moments.arm == arm].sum()) for arm in (0, 1)] for x in (moments.labelled, moments.n)
    )
    return _not_all((labelled[0], labelled[1]), (cases[0], cases[1]))


def weighted_severe(moments: Moments, segments: Bools) -> WeightedEvents | None:
    """Severe errors of the pilot arm in some segments, weighted; None where labelled cases were chosen alike."""
    judged = moments.judged
    if judged is None or judged.selection not in ("random", "risk_based"):
        return None
    human, cases = _by_arm(judged, judged.human >= 0), _by_arm(judged, np.ones(judged.n.size, dtype=bool))
    if _doubt(judged, human, cases) is not None or not _unlike(judged, len(moments.segments)):
        return None
    return _severe(judged, segments)


def _by_arm(judged: JudgedMoments, rows: Bools) -> tuple[int, int]:
    return int(judged.n[rows & (judged.arm == 0)].sum()), int(judged.n[rows & (judged.arm == 1)].sum())


def _doubt(judged: JudgedMoments, human: tuple[int, int], cases: tuple[int, int]) -> str | None:
    """Why the labels cannot be believed; None where they can."""
    labelled = sum(human)
    if labelled == 0:
        return "Only a program judged the outcomes, and nobody checked it: its rates are shown and earn no credit."
    if judged.selection == "unknown" and labelled < NEARLY_ALL * sum(cases):
        return (
            f"People labelled {labelled:,} of {sum(cases):,} cases and nobody says how these were chosen: their rates "
            "are shown and earn no credit."
        )
    if judged.selection == "all":
        return _not_all(human, cases)
    probable = int(judged.probable[judged.human >= 0].sum())
    if judged.selection == "risk_based" and probable < labelled:
        return (
            f"Cases were chosen for checking by risk, and {labelled - probable:,} of {labelled:,} labelled cases do "
            "not say with which probability (label_probability): their rates are shown and earn no credit."
        )
    if judged.selection == "random" and 0 < probable < labelled:
        return (
            f"{labelled - probable:,} of {labelled:,} labelled cases do not say with which probability they were "
            "chosen (label_probability), the others do: their rates are shown and earn no credit."
        )
    if judged.selection in ("random", "risk_based") and probable and human != cases:
        return _adds_up_to_others(judged, human, cases)
    return None


def _not_all(labelled: tuple[int, int], cases: tuple[int, int]) -> str | None:
    """Why not all cases can be said to be labelled; None where nearly all of each arm are, or none of it is."""
    if all(n == 0 or n >= NEARLY_ALL * of for n, of in zip(labelled, cases, strict=True)):
        return None
    shares = and_list(
        f"{percent(n / of)} of the {of:,} cases {side}"
        for n, of, side in zip(labelled, cases, SIDES, strict=True)
        if of > 0
    )
    return (
        f"Labels are said to be on all cases (samples.labels.selection), but only {shares} have one, so nobody says "
        "how these were chosen: their rates are shown and earn no credit. Label the others, or a random sample, and "
        "say so."
    )


def _adds_up_to_others(judged: JudgedMoments, human: tuple[int, int], cases: tuple[int, int]) -> str | None:
    """Why the labels are no sample by the chances they state; None where they stand for as many cases as there are.

    The sum of 1 / chance over a sample estimates the number of cases it was drawn from (Horvitz & Thompson 1952), with
    the variance Σ (1 − p) / p² where each case is drawn by itself.
    """
    wrong = []
    for arm in (0, 1):
        if human[arm] == 0:
            continue
        rows = (judged.arm == arm) & (judged.human >= 0)
        total = float(judged.weight[rows].sum())
        error = max(float(judged.weight2[rows].sum()) - total, 0.0) ** 0.5
        near = STANDS_FOR[0] * cases[arm] <= total <= STANDS_FOR[1] * cases[arm]
        if not near and abs(total - cases[arm]) > SAMPLING_ERRORS * error:
            wrong.append(f"{total:,.0f} cases {SIDES[arm]}, where {cases[arm]:,} could have been drawn")
    if not wrong:
        return None
    return (
        f"By their label_probability people's labels stand for {and_list(wrong)}: that is not how they were chosen, "
        "and their rates are shown and earn no credit. State the probability with which each case was chosen, or "
        "label a random sample."
    )


def _unlike(judged: JudgedMoments, s_count: int) -> bool:
    """Whether cases of one arm and segment were chosen with unlike probabilities."""
    rows = judged.probable > 0
    cell = (judged.arm * s_count + judged.segment)[rows]
    most = np.zeros(2 * s_count)
    np.maximum.at(most, cell, judged.heaviest[rows])
    total = np.bincount(cell, weights=judged.weight[rows], minlength=2 * s_count)
    n = np.bincount(cell, weights=judged.probable[rows], minlength=2 * s_count)
    return bool((most * n > total * (1 + 1e-9)).any())


def _covers(judged: JudgedMoments) -> bool:
    """Whether the judge judged nearly all cases of both arms, of those that people labelled and of the others."""
    for arm in (0, 1):
        for labelled in (True, False):
            rows = (judged.arm == arm) & ((judged.human >= 0) == labelled)
            n = int(judged.n[rows].sum())
            if int(judged.n[rows & (judged.judge >= 0)].sum()) < NEARLY_ALL * n:
                return False
    return bool((judged.judge >= 0).any())


def _severe(judged: JudgedMoments, segments: Bools) -> WeightedEvents | None:
    """Severe errors that people found in the pilot arm; weighted where all labelled cases state a probability."""
    rows = (judged.arm == 1) & segments[judged.segment] & (judged.human >= 0)
    n = float(judged.n[rows].sum())
    if n == 0:
        return None
    weighted = int(judged.probable[rows].sum()) == n
    w = judged.weight[rows] if weighted else judged.n[rows].astype(np.float64)
    w2 = judged.weight2[rows] if weighted else w
    hit = np.isin(judged.human[rows], SEVERE).astype(np.float64)
    rate = float((w * hit).sum() / w.sum())
    effective = float(w.sum() ** 2 / w2.sum())
    variance = float((w2 * (hit - rate) ** 2).sum() / w.sum() ** 2)
    if variance > 0:
        effective = min(effective, rate * (1 - rate) / variance)
    return WeightedEvents(rate=rate, n=effective)


def _severities(judged: JudgedMoments, weighted: bool) -> Floats | None:
    if not weighted:
        return None
    result = np.zeros((2, 4))
    for arm in (0, 1):
        n = 0
        for k, word in enumerate(HUMAN[1:5]):
            rows = (judged.arm == arm) & (judged.human == HUMAN.index(word))
            result[arm, k] = judged.weight[rows].sum()
            n += int(judged.n[rows].sum())
        if result[arm].sum() > 0:
            result[arm] *= n / result[arm].sum()
    return result


def _plain(
    moments: Moments, kind: str, human: tuple[int, int], judge: tuple[int, int], text: str
) -> LabelledRates:
    """Plain counts: people's where there are any, else the judge's."""
    errors = moments.outcome[:, 1]
    severe = moments.severity[:, 2:].sum(axis=1) + errors - moments.severity.sum(axis=1)
    counts = np.stack(
        [
            by_cell(moments, moments.labelled),
            by_cell(moments, errors),
            by_cell(moments, moments.outcome[:, 2] + moments.outcome[:, 3]),
        ]
    )
    for arm in (0, 1):
        counts[:, arm] /= rate_effect(moments, arm)
    people = float(moments.labels != "judge")
    return LabelledRates(
        kind=kind,
        hits=counts[1],
        n=counts[0],
        score=None,
        gone_hits=counts[2],
        gone_n=counts[0],
        severe_hits=by_cell(moments, severe)[1] * people,
        severe_n=by_cell(moments, moments.labelled)[1] * people,
        severity=None,
        human_labels=human,
        judge_labels=judge,
        power=(0.0, 0.0),
        gain=(0.0, 0.0),
        text=text,
    )


def by_cell(moments: Moments, values: npt.NDArray[np.int64]) -> Floats:
    """Sums by arm and segment, shape (2, segments)."""
    s_count = len(moments.segments)
    cell = moments.arm * s_count + moments.segment
    return np.bincount(cell, weights=values, minlength=2 * s_count).astype(np.float64).reshape(2, s_count)


def _why_alone(judge: tuple[int, int], covers: bool, errors: list[int]) -> str:
    if sum(judge) == 0:
        return ""
    if not covers:
        return (
            "A judge program judged some of the cases; it is not believed where people did not label in both arms or "
            "where it left out more than one case in twenty: people's labels alone count."
        )
    return (
        f"People found {errors[0]:,} errors without and {errors[1]:,} with the agent, fewer than ten in each: too few "
        "to check the judge program by, so people's labels alone count."
    )


def _said(
    human: tuple[int, int],
    judge: tuple[int, int],
    cases: tuple[int, int],
    rectified: tuple[bool, ...],
    weighted: bool,
    errors: list[int],
    gain: tuple[float, float],
) -> str:
    how = "with known probabilities, by which their labels are weighted" if weighted else "at random"
    text = f"People labelled {sum(human):,} of {sum(cases):,} cases, chosen {how}"
    if not any(rectified):
        more = _why_alone(judge, False, errors) if sum(judge) else ""
        return f"{text}. {more}".strip()
    saved = and_list(f"{percent(gain[a])} {('without', 'with')[a]} the agent" for a in (0, 1) if rectified[a])
    text += f"; a judge program judged {sum(judge):,}. Its word is corrected by theirs, which takes away {saved} of "
    text += "the variance of the error rate."
    if not all(rectified):
        arm = rectified.index(False)
        text += f" {('Without', 'With')[arm]} the agent people found only {errors[arm]:,} errors, so their labels "
        text += "alone count there."
    return text
