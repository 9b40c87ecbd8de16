"""The arms' shares: as planned, the same in every kind of case and week, and nothing seen in one arm only.

Source:
    Fabijan et al. (2019), KDD, for sample-ratio mismatch and its level of 0.1 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.case_sums import CaseSums
from roi.contrasts import binomial_p, homogeneity_p, permutation_p, pooled_groups
from roi.designs import Design
from roi.moments import ALL, ARMS, Moments
from roi.words import and_list, percent, plural

__all__ = [
    "MISMATCH",
    "ONE_ARM_SHARE",
    "Finding",
    "even_shares",
    "lone_cases",
    "one_arm_periods",
    "one_arm_segments",
    "planned_shares",
]

Floats = npt.NDArray[np.float64]

MISMATCH = 0.001
ONE_ARM_SHARE = 0.2  # of the cases in periods of one arm only, from which on the arms are not comparable


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that keeps the arms from being compared, or might.

    Attributes:
        check: allocation, homogeneity, periods, segments, learning, drift, balance, missing, pairs or contradiction.
        level: "stops" (the design gate does not hold), "warning" or "note".
        text: What was seen, in a sentence or two.
        mend: What to do about it; empty where nothing is to be done.
        p: How often chance alone would show as much; None where the check is no test.
        value: The figure that was looked at.
    """

    check: str
    level: str
    text: str
    mend: str = ""
    p: float | None = None
    value: float | None = None


def planned_shares(moments: Moments, design: Design, stated: float | None) -> list[Finding]:
    if design.layout == "pairs":
        return []  # both cases of a pair are worked; pairs of one arm are looked at apart
    planned = 0.5 if stated is None else stated
    if design.layout == "between":
        sizes = [int(np.unique(moments.unit[moments.arm == arm]).size) for arm in (0, 1)]
        noun = {"worker": "workers", "pair": "pairs", "case": "cases"}[design.unit]
    else:
        sizes = [moments.cases(arm) for arm in ARMS]
        noun = "cases"
    total = sum(sizes)
    p = binomial_p(sizes[1], total, planned)
    if p >= MISMATCH:
        return []
    share = sizes[1] / total
    seen = f"{percent(share)} of {total:,} {noun} are in the pilot arm"
    if stated is None:
        return [
            Finding(
                check="allocation",
                level="warning",
                text=f"{seen}, which is not half. No planned share is stated, so nobody can tell whether cases are "
                "missing.",
                mend="State samples.allocation if this was planned; else find which cases were lost",
                p=p,
                value=share,
            )
        ]
    return [
        Finding(
            check="allocation",
            level="stops",
            text=f"{seen}; {percent(stated)} were planned, and chance hardly ever misses by so much. Something decides "
            "which cases are in the sample.",
            mend="Find which cases were lost or went to the other arm, then sample again, assigned at random",
            p=p,
            value=share,
        )
    ]


def even_shares(moments: Moments, sums: CaseSums, design: Design) -> list[Finding]:
    """Are the arms' shares the same in every segment and in every week, as chance would have it?"""
    if design.layout == "pairs":
        return []
    tables = []
    if moments.segments != (ALL,):
        tables.append(("kinds of case", "segment", *_by_unit(moments)))
    if sums.weeks.size > 1:
        tables.append(("weeks", "week", sums.week_counts, sums.week_counts_by_unit))
    found = []
    for words, check, counts, by_unit in tables:
        groups = pooled_groups(counts, ordered=check == "week")
        shuffled = design.layout == "between"
        p = permutation_p(by_unit, groups) if shuffled else homogeneity_p(counts, groups)
        if p is None or p >= MISMATCH:
            continue
        shares = [
            float(counts[1, groups == g].sum() / counts[:, groups == g].sum()) for g in np.unique(groups)
        ]
        text = (
            f"The pilot arm's share is not the same in all {words}: it runs from {percent(min(shares))} to "
        )
        text += f"{percent(max(shares))}, more than cases drawn with one share would differ."
        # Each kind of case is compared by itself, so that shares that were planned to differ do no harm.
        by_kind = check == "segment"
        if by_kind:
            text += " Each kind is compared by itself, so that this does no harm where it was planned."
        found.append(
            Finding(
                check="homogeneity",
                level="note" if by_kind else "warning",
                text=text,
                mend=f"Find out who or what chose the arm; assign at random within each {check}",
                p=p,
                value=max(shares) - min(shares),
            )
        )
    return found


def _by_unit(moments: Moments) -> tuple[Floats, Floats]:
    """Cases by arm and segment, and by unit × arm × segment where there are few enough units to shuffle."""
    counts = np.zeros((2, len(moments.segments)))
    np.add.at(counts, (moments.arm, moments.segment), moments.n)
    units = int(moments.unit.max()) + 1
    by_unit = np.zeros((units, 2, len(moments.segments)))
    np.add.at(by_unit, (moments.unit, moments.arm, moments.segment), moments.n)
    return counts, by_unit


def one_arm_segments(moments: Moments) -> list[Finding]:
    counts = np.zeros((2, len(moments.segments)))
    np.add.at(counts, (moments.arm, moments.segment), moments.n)
    alone = (counts == 0).any(axis=0)
    if not alone.any():
        return []
    share = float(counts[:, alone].sum() / counts.sum())
    names = and_list(name for name, ok in zip(moments.segments, alone, strict=True) if ok)
    return [
        Finding(
            check="segments",
            level="note",
            text=f"Sampled in one arm only: {names}, {percent(share)} of all cases. They show no difference and earn "
            "nothing.",
            mend=f"Sample {names} in both arms",
            value=share,
        )
    ]


def one_arm_periods(sums: CaseSums, assignment: str) -> list[Finding]:
    """Weeks in which only one arm worked; weeks of few cases are taken together."""
    groups = pooled_groups(sums.week_counts, ordered=True)
    alone = 0.0
    for g in np.unique(groups):
        counts = sums.week_counts[:, groups == g].sum(axis=1)
        if (counts == 0).any():
            alone += float(counts.sum())
    share = alone / float(sums.week_counts.sum())
    if not share > 0:
        return []
    stops = share > ONE_ARM_SHARE and assignment == "randomised"
    return [
        Finding(
            check="periods",
            level="stops" if stops else "warning" if share > ONE_ARM_SHARE else "note",
            text=f"{percent(share)} of the cases lie in weeks in which only one arm worked; "
            "what else changed with these weeks counts as an effect of the agent.",
            mend="Work both arms in the same weeks, cases assigned at random",
            value=share,
        )
    ]


def lone_cases(moments: Moments) -> list[Finding]:
    """Pairs of which one case is missing, more often in one arm than in the other."""
    units = [np.unique(moments.unit[moments.arm == arm]) for arm in (0, 1)]
    alone = [int(np.setdiff1d(units[i], units[1 - i]).size) for i in (0, 1)]
    p = binomial_p(alone[1], sum(alone), 0.5) if sum(alone) else 1.0
    if p >= MISMATCH:
        return []
    fewer = "with" if alone[0] > alone[1] else "without"
    return [
        Finding(
            check="pairs",
            level="warning",
            text=f"{plural(sum(alone), 'pair')} lack one of their cases, mostly the one {fewer} the agent "
            f"({max(alone):,} against {min(alone):,}).",
            mend="Find out why these cases are missing",
            p=p,
            value=float(sum(alone)),
        )
    ]
