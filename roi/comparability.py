"""Whether the arms can be compared: shares, periods, learning, covariates, and what is missing in one arm only.

One further query over the cases; everything after it works on its small result. Statistical checks run at 0.1 % and the
trends at 1 %, so that a sound pilot is hardly ever accused.

Source:
    Fabijan et al. (2019), KDD, for sample-ratio mismatch and its level; Bell & McCaffrey (2002), Survey Methodology
    28:169, for the slope's variance and degrees of freedom; Austin (2009), Statistics in Medicine 28:3083, for
    standardised differences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from roi.arm_shares import (
    MISMATCH,
    Finding,
    even_shares,
    lone_cases,
    one_arm_periods,
    one_arm_segments,
    planned_shares,
)
from roi.case_sums import COVARIATES, CaseSums, count_pairs, sum_cases
from roi.contrasts import Contrast, Trend, chance_apart, contrast, trend
from roi.designs import Design, design_of
from roi.moments import ARMS, Moments
from roi.words import minutes, number, percent

if TYPE_CHECKING:
    from roi.samples import Samples
    from roi.schema.samples import Samples as Given

__all__ = ["Comparability", "Finding", "check_arms", "compare_arms", "contradiction", "unseen"]

TREND = 0.01
IMBALANCE = 0.25  # standard deviations between the arms' means of a covariate
UNEVEN_SHARE = 0.03  # of difference between the arms in what is missing
SHARED_WEEKS = 0.05  # of the cases lie in weeks of both arms, at the least, where whole workers were assigned


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparability:
    """What the checks of the arms found.

    Attributes:
        design: The design, with what the arms are treated as: what is declared, or before_after where the data
            contradict it.
        against: What in the data contradicts the declared design; None where nothing does.
        findings: What was found, the gravest first.
        trends: By arm, the trend of human minutes over its time; absent where it cannot be told.
        looked_at: Checks that could be made.
        not_possible: Checks that could not, with the reason.
    """

    design: Design
    against: str | None
    findings: tuple[Finding, ...]
    trends: Mapping[str, Trend]
    looked_at: tuple[str, ...]
    not_possible: tuple[str, ...]

    @property
    def assignment(self) -> str:
        """randomised, before_after or observational: what the arms are treated as."""
        return self.design.assignment

    def stops(self) -> tuple[Finding, ...]:
        """Findings with which the design gate does not hold."""
        return tuple(f for f in self.findings if f.level == "stops")


def compare_arms(samples: Samples, moments: Moments, given: Given) -> Comparability:
    """Name the design and look whether its arms can be compared; one query over the cases.

    Args:
        samples: The opened samples.
        moments: Moments of their cases.
        given: What the parameter file says of the samples.
    """
    design = design_of(moments, declared=given.assignment, pairs=count_pairs(samples, moments))
    sums = sum_cases(samples, moments, workers_assigned=design.layout == "between")
    return check_arms(
        moments,
        sums,
        design,
        allocation=None if given.allocation is None else given.allocation.pilot,
        labels_by_plan=given.labels.selection in ("random", "risk_based"),
    )


def unseen(moments: Moments, declared: str) -> Comparability:
    """The declared design as it is, where there are no rows to check it against."""
    return Comparability(
        design=design_of(moments, declared=declared),
        against=None,
        findings=(),
        trends={},
        looked_at=(),
        not_possible=("only sums of the cases are known",),
    )


def contradiction(moments: Moments, sums: CaseSums, design: Design) -> str | None:
    """What in the data speaks against cases having been assigned at random; None where nothing does.

    Args:
        moments: Moments of the production cases.
        sums: Sums of the same cases by week and unit.
        design: The declared design.
    """
    if design.declared != "randomised" or design.layout in ("one_arm", "none"):
        return None
    cases = (moments.cases("baseline"), moments.cases("pilot"))
    spans = sums.spans
    seen: str | None = None
    if spans[0] is not None and spans[1] is not None:
        apart = spans[0][1] < spans[1][0] or spans[1][1] < spans[0][0]
        # So few cases that chance alone would part them are left in peace.
        if apart and chance_apart(*cases) < MISMATCH:
            first = "before the first with it" if spans[0][1] < spans[1][0] else "after the last with it"
            seen = f"every case without the agent was worked {first}"
        elif design.layout == "between" and sums.weeks.size > 1:
            shared = sums.share_in_shared_weeks()
            by_chance = chance_apart(*(min(n, sums.weeks.size) for n in cases))
            if shared < SHARED_WEEKS and by_chance < 10 * MISMATCH:
                seen = "each worker is in one arm, and hardly a week has cases of both arms"
    if seen is None and moments.unit_kind == "pair" and design.in_both == 0 and design.units > 7:
        seen = "no pair_id has a case in each arm"
    return seen


def _contradicted(seen: str) -> Finding:
    return Finding(
        check="contradiction",
        level="warning",
        text=f"The cases are declared as randomised, but {seen}. They are taken as a comparison of before and after, "
        "with the bias that such a comparison may have.",
        mend="Assign cases to the arms at random within the same weeks, or declare samples.assignment: before_after",
    )


def check_arms(
    moments: Moments,
    sums: CaseSums,
    design: Design,
    *,
    allocation: float | None = None,
    labels_by_plan: bool = False,
) -> Comparability:
    """Look for whatever keeps the arms from being compared.

    Args:
        moments: Moments of the production cases.
        sums: Sums of the same cases by week and unit.
        design: The design, as declared.
        allocation: Planned share of the pilot arm; None where none is stated.
        labels_by_plan: Whether only a chosen part of the cases was to be labelled.

    Returns:
        What was found.
    """
    against = contradiction(moments, sums, design)
    assignment = design.declared if against is None else "before_after"
    design = replace(design, assignment=assignment)
    found: list[Finding] = [] if against is None else [_contradicted(against)]
    looked_at: list[str] = []
    impossible: list[str] = []
    if design.layout in ("one_arm", "none"):
        return Comparability(
            design=design,
            against=None,
            findings=(),
            trends={},
            looked_at=(),
            not_possible=("one arm has no case",),
        )
    if assignment == "randomised":
        found += planned_shares(moments, design, allocation)
        found += even_shares(moments, sums, design)
        looked_at += ["the arms' shares", "their shares by segment"]
    found += one_arm_segments(moments)
    if sums.weeks.size == 0:
        impossible.append(
            "whether the arms ran at the same time and whether minutes changed with time: no case has a time"
        )
    else:
        looked_at.append("the weeks of both arms")
        if assignment != "before_after":
            found += one_arm_periods(sums, assignment)
    trends = {arm: t for i, arm in enumerate(ARMS) if (t := _trend(sums, i)) is not None}
    if trends:
        looked_at.append("minutes against time")
        found += _learning(trends, sums, assignment)
    balanced = [_balance(name, sums) for name in COVARIATES]
    if any(b is not None for b in balanced):
        looked_at.append("what was known of a case before")
    found += [f for b in balanced if b is not None for f in b]
    found += _missing(sums, labels_by_plan=labels_by_plan)
    if design.layout == "pairs":
        found += lone_cases(moments)
    order = ("stops", "warning", "note")
    return Comparability(
        design=design,
        against=against,
        findings=tuple(sorted(found, key=lambda f: order.index(f.level))),
        trends=trends,
        looked_at=tuple(looked_at),
        not_possible=tuple(impossible),
    )


def _trend(sums: CaseSums, arm: int) -> Trend | None:
    rows, span = sums.arm == arm, sums.spans[arm]
    if span is None:
        return None
    n, t, tt, y, ty = (sums.sums[name][rows] for name in ("n_t", "t", "tt", "y", "ty"))
    return trend(sums.unit[rows], sums.cell[rows], n, t, tt, y, ty, span=(span[1] - span[0]) / 3600)


def _learning(trends: Mapping[str, Trend], sums: CaseSums, assignment: str) -> list[Finding]:
    found = []
    pilot, base = trends.get("pilot"), trends.get("baseline")
    if pilot is not None and pilot.p < TREND:
        falling = pilot.slope < 0
        late = sums.late[1]
        text = f"Human minutes with the agent {'fell' if falling else 'rose'} over the pilot, by {_over(pilot)}; "
        text += "the average " + (
            "says less than what practised people save."
            if falling
            else "flatters what to expect from now on."
        )
        if late is not None:
            text += (
                f" In the last third of its cases a case took {minutes(late[0])} minutes, over all of them "
            )
            text += f"{minutes(late[1])}."
        found.append(
            Finding(
                check="learning",
                level="warning",
                text=text,
                mend="" if falling else "Find out what got slower; sample the newest weeks again",
                p=pilot.p,
                value=pilot.change,
            )
        )
    if base is not None and base.p < TREND:
        falling = base.slope < 0
        text = f"Human minutes without the agent {'fell' if falling else 'rose'} over the sample, by {_over(base)}"
        if assignment == "before_after":
            text += "; a comparison of before and after takes what went on of it for the agent's effect."
        else:
            text += ", so that more than the agent changed in this time."
        found.append(Finding(check="drift", level="warning", text=text, p=base.p, value=base.change))
    return found


def _over(t: Trend) -> str:
    low, high = sorted((abs(t.low), abs(t.high)))
    return (
        f"{minutes(abs(t.change))} minutes from its first to its last day (9 in 10 chances: "
        f"{minutes(low)} to {minutes(high)})"
    )


def _balance(name: str, sums: CaseSums) -> list[Finding] | None:
    found: Contrast | None = None
    if f"{name}:n" in sums.sums:
        found = contrast(*sums.by_unit(f"{name}:n", f"{name}:s", f"{name}:q"))
    if found is None:
        return None
    if not (abs(found.standardised) > IMBALANCE and found.p < MISMATCH):
        return []
    higher = "higher" if found.difference > 0 else "lower"
    words = f"{higher} predicted minutes" if name == "predicted_minutes" else f"a {higher} amount"
    return [
        Finding(
            check="balance",
            level="warning",
            text=f"Cases of the pilot arm had {words} to begin with: "
            f"{number(found.means[1])} against {number(found.means[0])} on average, "
            f"{number(abs(found.standardised), 2)} standard deviations apart.",
            mend="Find out who or what chose the arm",
            p=found.p,
            value=found.standardised,
        )
    ]


def _missing(sums: CaseSums, *, labels_by_plan: bool) -> list[Finding]:
    found = []
    for name, words in (("timed", "minutes"), ("labelled", "outcome")):
        if name == "labelled" and labels_by_plan:
            continue
        n, there = sums.by_unit("n", name)
        c = contrast(n, n - there, n - there)  # a case that lacks it counts 1, and so does its square
        # An arm that has none at all is no attrition; its gate speaks of it.
        if c is None or 1.0 in c.means or not (abs(c.difference) > UNEVEN_SHARE and c.p < MISMATCH):
            continue
        found.append(
            Finding(
                check="missing",
                level="warning",
                text=f"{percent(c.means[0])} of the cases without the agent have no {words}, and {percent(c.means[1])} "
                "of those with it; what is missing more in one arm may be what would have spoken against it.",
                mend=f"Record the {words} of every case",
                p=c.p,
                value=c.difference,
            )
        )
    return found
