"""Who approves: how much, how fast, and whether they ever say no.

One by one they are for a restricted page only; of the checks of single people no more is said than how many there are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from roi.approvals import BY_A_PERSON
from roi.controls.approval_log import ApprovalLog, agent_identities, no_approvals
from roi.controls.check import Check, judge, unknown
from roi.controls.logs import Logs
from roi.draws import one_sided_bounds
from roi.special import bdtrc, gammaln
from roi.words import count, number, plural

__all__ = [
    "LEVEL",
    "TOLERATED_QUICK",
    "Approver",
    "Approvers",
    "approvals_needed",
    "approver_findings",
    "bulk_approvals",
    "reading_time",
    "some_rejected",
]

LEVEL = 0.001  # of each test, over all approvers together
TOLERATED_QUICK = 0.05  # of an honest reader's approvals, those that are quicker than a reading takes
QUICK_TO_SHOW = 0.20  # the share that the log has to be long enough to show
MINUTE = 60_000_000  # in microseconds
PACE = "partition by approver order by said, n"
AT_ONCE = 3  # decisions of one approver within a second
IN_A_ROW = 5  # decisions of one approver in less time than reading all but the first of them takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """What one approver did.

    Attributes:
        approver: The pseudonym.
        decisions: How often they decided.
        approved: Of these, how often they said yes.
        refused: How often they said no: rejected, or handed over.
        own: Approvals of what they had asked for themselves; None where the log does not say who asked.
        timed: Approvals of which request and decision are timed, in this order.
        median_seconds: From request to approval; None where none is timed.
        quick: Of the timed ones, those that took less than a reading does.
        quick_chance: Chance of at least so many quick ones where `TOLERATED_QUICK` of all are; None without a time.
        no_refusal_chance: Chance of no refusal among so many decisions of all those that there are, where everybody
            refuses as often; None for who has refused, and where nobody else has.
        in_bursts: Decisions at a pace that no reading allows; None where decisions are not timed finely enough.
    """

    approver: str
    decisions: int
    approved: int
    refused: int
    own: int | None
    timed: int
    median_seconds: float | None
    quick: int
    quick_chance: float | None
    no_refusal_chance: float | None
    in_bursts: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvers:
    """All approvers, and what they are held against.

    Attributes:
        people: In the order of their pseudonyms; identities that an agent acts under are none of them.
        seconds: The shortest time in which an approval can have been read.
        timed: Whether requests and decisions are timed, and more finely than to the minute.
        quick_chance: As of an approver, of all together; None where none is timed.
        quick_level: What the chance of quick approvals must not fall below, of anybody or of all.
        refusal_level: What the chance of no refusal must not fall below, of anybody.
    """

    people: tuple[Approver, ...]
    seconds: float
    timed: bool
    quick_chance: float | None
    quick_level: float
    refusal_level: float


def _at_least(hits: int, n: int, share: float) -> float:
    """Chance of at least so many of `n`, each with the same chance."""
    return 1.0 if hits == 0 else float(bdtrc(hits - 1, n, share))


def _none_of(n: int, whole: int, hits: int) -> float:
    """Chance that none of `hits` among `whole` falls on `n` of them (hypergeometric)."""
    if hits > whole - n:
        return 0.0
    logs = gammaln(
        np.array([whole - n + 1, whole - hits + 1, whole - n - hits + 1, whole + 1], dtype=np.float64)
    )
    return float(min(1.0, math.exp(logs[0] + logs[1] - logs[2] - logs[3])))


@lru_cache(maxsize=64)
def approvals_needed(level: float, *, power: float = 0.8) -> int:
    """Timed approvals among which a share of `QUICK_TO_SHOW` quick ones would be found with the power."""
    n = most = 0
    found = 0.0
    while found < power:
        n += 1
        while float(bdtrc(most, n, TOLERATED_QUICK)) > level:  # so many quick ones may still be chance
            most += 1
        found = float(bdtrc(most, n, QUICK_TO_SHOW)) if most < n else 0.0
    return n


def _in_burst(seconds: float, *, whole: bool) -> str:
    """SQL of whether a decision begins a burst; with `whole` of whether it is part of one."""

    def away(steps: int) -> str:
        return "said" if not steps else f"({'lead' if steps > 0 else 'lag'}(said, {abs(steps)}) over (w))"

    return " or ".join(
        f"{away(size - 1 - k)} - {away(-k)} < {within}"
        for size, within in ((AT_ONCE, 1_000_000), (IN_A_ROW, round((IN_A_ROW - 1) * seconds * 1e6)))
        for k in range(size if whole else 1)
    )


def approver_findings(logs: Logs) -> Approvers | None:
    """What each approver did, and how far chance explains it.

    Args:
        logs: The logs; reads `actions` and `access`.

    Returns:
        The approvers; None where the log does not say who decided what.

    Source:
        The refusals of all being what they are, those of one are hypergeometric if everybody refuses as often (Fisher's
        exact test). Five seconds for twenty words: 238 words a minute, Brysbaert (2019), J Mem Lang 109:104047.
    """
    actions = logs.table("actions")
    if actions is None or not {"decision", "approver"} <= set(actions.columns):
        return None
    has = set(actions.columns)
    agents = agent_identities(logs)
    asked = "requested_at" if "requested_at" in has else "null::timestamp"
    said = "decided_at" if "decided_at" in has else "null::timestamp"
    own = "decision = 'approved' and approver = requester" if "requester" in has else "false"
    seconds = logs.policy.min_reading_seconds
    people = f"{BY_A_PERSON} and approver is not null" + (
        f" and approver not in ({agents})" if agents else ""
    )
    wait = (
        f"case when decision = 'approved' and {said} >= {asked} then epoch_us({said}) - epoch_us({asked}) end"
    )
    decided = (
        f"select approver, decision, {own} as own, {wait} as wait, epoch_us({said}) as said, "
        f'epoch_us({asked}) as asked, "row" as n from {actions.sql} where {people}'
    )

    def asked_for(*, whole: bool) -> list[tuple[Any, ...]]:
        paced = f"select *, {_in_burst(seconds, whole=whole)} as burst from ({decided}) window w as ({PACE})"
        return logs.ask(
            "select approver, count(*), count(*) filter (decision = 'approved'), count(*) filter (own), count(wait), "
            f"median(wait) / 1e6, count(*) filter (wait < {seconds * 1e6!r}), count(*) filter (burst), "
            f"count(*) filter (said % {MINUTE} <> 0), count(*) filter (asked % {MINUTE} <> 0) "
            f"from ({paced}) group by approver order by approver"
        )

    # Of few decisions it is soon told that none begins a burst; many are put in order once.
    rows = asked_for(whole=logs.samples.coded)
    if not logs.samples.coded and any(row[7] for row in rows):
        rows = asked_for(whole=True)
    decisions = sum(int(row[1]) for row in rows)
    refused = sum(int(row[1]) - int(row[2]) for row in rows)
    fine = any(row[8] for row in rows)  # times of whole minutes alone tell nothing of seconds
    timed = fine and any(row[9] for row in rows)
    k = max(len(rows), 1)
    found = []
    for who, n, yes, mine, known, middle, quick, burst, *_ in rows:
        no = n - yes
        found.append(
            Approver(
                approver=who,
                decisions=n,
                approved=yes,
                refused=no,
                own=mine if "requester" in has else None,
                timed=known,
                median_seconds=None if middle is None else float(middle),
                quick=quick,
                quick_chance=_at_least(quick, known, TOLERATED_QUICK) if known else None,
                no_refusal_chance=None if no or not refused else _none_of(n, decisions, refused),
                in_bursts=burst if fine else None,
            )
        )
    all_timed = sum(p.timed for p in found)
    return Approvers(
        people=tuple(found),
        seconds=seconds,
        timed=timed,
        quick_chance=_at_least(sum(p.quick for p in found), all_timed, TOLERATED_QUICK)
        if all_timed
        else None,
        quick_level=LEVEL / (k + 1),
        refusal_level=LEVEL / k,
    )


def _nobody(name: str, read: ApprovalLog, people: Approvers | None) -> Check | None:
    """What checks of approvers say where there are none."""
    if nothing := no_approvals(name, read):
        return nothing
    if people is None or not people.people:
        return unknown(
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
    if found < least:
        return f"Fewer than {least} of {plural(k, 'approver')} {does[1]}"
    return f"{count(found)} of {plural(k, 'approver')} {does[0 if found == 1 else 1]}"


def reading_time(read: ApprovalLog, people: Approvers | None) -> Check:
    """Whether approvals are quicker than reading, by anybody or all together, more often than chance explains."""
    name = "reading_time"
    if nothing := _nobody(name, read, people):
        return nothing
    assert people is not None
    if not people.timed or people.quick_chance is None:
        return unknown(
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
        figures |= {
            "value": quick / timed,
            "bound": one_sided_bounds(quick, timed)[1],
            "n": timed,
            "misses": quick,
        }
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
            return unknown(
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
    decisions, refused = (sum(getattr(p, what) for p in people.people) for what in ("decisions", "refused"))
    never = [p for p in people.people if not p.refused]
    found = [
        p for p in never if p.no_refusal_chance is not None and p.no_refusal_chance <= people.refusal_level
    ]
    least = read.logs.policy.privacy.min_group
    few = k < least or 0 < len(never) < least  # of fewer people no number
    figures: dict[str, Any] = {} if few else {"value": len(never) / k, "n": k, "misses": len(never)}
    if not refused:
        return unknown(
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
    if few:
        return unknown(
            name,
            f"Fewer than {least} approvers have never said no, and have decided too little to tell that from chance.",
            "Plant requests that must be rejected, and see that everybody rejects them; or log the decisions of a "
            "longer time",
        )
    needed = max(_decisions_needed(p.decisions, decisions, refused, people.refusal_level) for p in never)
    return unknown(
        name,
        f"{count(len(never))} of {plural(k, 'approver')} have never said no, and have decided too little to tell that "
        "from chance.",
        f"Log {plural(needed, 'more decision')} of each approver who has never said no",
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
        return unknown(
            name,
            "Decisions are not timed to the second.",
            "Log when each action was decided (decided_at), to the second",
        )
    bulk = sum(bool(p.in_bursts) for p in people.people)
    k = len(people.people)
    few = k < read.logs.policy.privacy.min_group or 0 < bulk < read.logs.policy.privacy.min_group
    does = "decided several actions at a pace that no reading allows"
    check = judge(
        name,
        bulk,
        k,
        good="No approver decided several actions at a pace that no reading allows.",
        bad=f"{_who(read, people, bulk, (does, does))}.",
        mend="Ask for each approval by itself",
        unsure=read.unsure(
            name,
            "pace unsaid",
            "who decided it and when",
            "Log who decided each action and when (approver, decided_at), to the second",
        ),
    )
    return replace(check, value=None, n=None, misses=None) if few else check
