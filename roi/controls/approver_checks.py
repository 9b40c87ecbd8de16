"""Whether approvers read and decide: of single people no more is said here than how many there are."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from roi.controls.approval_log import ApprovalLog, no_approvals
from roi.controls.approvers import TOLERATED_QUICK, Approvers, approvals_needed
from roi.controls.check import Check, judged, silent
from roi.draws import one_sided_bounds
from roi.words import count, number, plural

__all__ = ["bulk_approvals", "reading_time", "some_rejected"]


def _nobody(name: str, read: ApprovalLog, people: Approvers | None) -> Check | None:
    """What checks of approvers say where there are none."""
    if nothing := no_approvals(name, read):
        return nothing
    if people is None or not people.people:
        return silent(
            name,
            "The log does not say who decided.",
            "Log who decided each action (samples.actions, approver)",
        )
    return None


def _who(read: ApprovalLog, people: Approvers, found: int, does: tuple[str, str]) -> str:
    """How many approvers do what no approver should; of few people no number is told."""
    k, least = len(people.people), read.logs.policy.privacy.min_group
    if k < least:
        return (
            f"There are approvers who {does[1]}; fewer than {least} people approve, so that no more is told here "
            "(privacy.min_group)"
        )
    return f"{count(found)} of {plural(k, 'approver')} {does[0 if found == 1 else 1]}"


def reading_time(read: ApprovalLog, people: Approvers | None) -> Check:
    """Whether approvals are quicker than reading, by anybody or all together, more often than chance explains."""
    name = "reading_time"
    if nothing := _nobody(name, read, people):
        return nothing
    assert people is not None
    if not people.timed or people.quick_chance is None:
        return silent(
            name,
            "Requests and decisions are not timed to the second.",
            "Log when each action was requested and when it was decided (requested_at, decided_at), to the second",
            threshold=TOLERATED_QUICK,
        )
    level = people.quick_level
    one = sum(p.quick_chance is not None and p.quick_chance <= level for p in people.people)
    timed, quick = sum(p.timed for p in people.people), sum(p.quick for p in people.people)
    figures: dict[str, Any] = {"threshold": TOLERATED_QUICK}
    if len(people.people) >= read.logs.policy.privacy.min_group:
        figures |= {"value": quick / timed, "bound": one_sided_bounds(quick, timed)[1], "n": timed}
    seconds = plural(people.seconds, "second") if people.seconds == 1 else f"{number(people.seconds)} seconds"
    takes = f"the {seconds} that a reading takes more often than chance explains"
    if one:
        said = _who(read, people, one, (f"approves in less than {takes}", f"approve in less than {takes}"))
    elif people.quick_chance <= level:
        said = f"The approvers together approve in less than {takes}"
    else:
        needed = approvals_needed(level)
        if timed < needed:
            more = needed - timed
            return silent(
                name,
                "Too few approvals are timed to say whether they take as long as reading does.",
                f"Log {plural(more, 'more approval')} with the times of request and decision",
                more=more,
                **figures,
            )
        return Check(
            name=name,
            status="pass",
            evidence=f"No more approvals take less than {seconds} than an honest reader's may.",
            **figures,
        )
    return Check(
        name=name,
        status="fail",
        evidence=f"{said}.",
        mend="Show the approver what is asked, and hold the button until it can have been read",
        **figures,
    )


def some_rejected(read: ApprovalLog, people: Approvers | None) -> Check:
    """Whether somebody never says no where others do, by the chance of that where all do as often."""
    name = "some_rejected"
    if nothing := _nobody(name, read, people):
        return nothing
    assert people is not None
    k = len(people.people)
    few = k < read.logs.policy.privacy.min_group
    decisions, refused = (sum(getattr(p, what) for p in people.people) for what in ("decisions", "refused"))
    never = [p for p in people.people if not p.refused]
    found = [
        p for p in never if p.no_refusal_chance is not None and p.no_refusal_chance <= people.refusal_level
    ]
    figures: dict[str, Any] = {} if few else {"value": len(never) / k, "n": k}
    if not refused:
        return silent(
            name,
            f"None of {plural(decisions, 'decision')} was a no, so that nothing shows that anybody would say it.",
            "Plant requests that must be rejected, and see that they are",
            **figures,
        )
    if found:
        said = _who(
            read,
            people,
            len(found),
            ("never says no where others do", "never say no where others do"),
        )
        return Check(
            name=name,
            status="fail",
            evidence=f"{said}; chance explains it less than once in 1,000.",
            mend="Plant requests that must be rejected, and see that everybody rejects them",
            **figures,
        )
    if not never:
        return Check(
            name=name, status="pass", evidence="Every approver has said no at least once.", **figures
        )
    needed = max(_decisions_needed(p.decisions, decisions, refused, people.refusal_level) for p in never)
    return silent(
        name,
        "Somebody has never said no, and has decided too little to tell that from chance.",
        f"Log {plural(needed, 'more decision')} of each approver",
        more=needed,
        **figures,
    )


def _decisions_needed(n: int, whole: int, refused: int, level: float) -> int:
    """Further decisions of an approver after which no refusal would be told from chance, at the others' rate."""
    rate = refused / (whole - n)
    if rate >= 1:
        return 1
    return max(1, math.ceil(math.log(level) / math.log1p(-rate)) - n)


def bulk_approvals(read: ApprovalLog, people: Approvers | None) -> Check:
    """Whether anybody decided three actions within a second, or five sooner than four can be read."""
    name = "bulk_approvals"
    if nothing := _nobody(name, read, people):
        return nothing
    assert people is not None
    if all(p.in_bursts is None for p in people.people):
        return silent(
            name,
            "Decisions are not timed to the second.",
            "Log when each action was decided (decided_at), to the second",
        )
    bulk = sum(bool(p.in_bursts) for p in people.people)
    k = len(people.people)
    few = k < read.logs.policy.privacy.min_group
    does = "decided several actions at a pace that no reading allows"
    check = judged(
        name,
        bulk,
        k,
        clean="No approver decided several actions at a pace that no reading allows.",
        found=f"{_who(read, people, bulk, (does, does))}.",
        mend="Ask for each approval by itself",
    )
    return replace(check, value=None, n=None, misses=None) if few else check
