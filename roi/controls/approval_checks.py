"""Human approval: were risky actions approved before they ran, by a person other than who asked?"""

from __future__ import annotations

from typing import Any

from roi.controls.approval_log import (
    LOG_DECISIONS,
    NO_DECISIONS,
    NO_LOG,
    SAID,
    WHO,
    ApprovalLog,
    may_be_one,
    no_approvals,
)
from roi.controls.approvers import approver_findings, bulk_approvals, reading_time, some_rejected
from roi.controls.check import Check, further_clean, judge, unknown
from roi.controls.logs import Logs
from roi.draws import one_sided_bounds
from roi.gate import rate_state
from roi.words import and_list, at_least, at_most, count, plural

__all__ = ["approval_checks"]

TIMES = "Log when each action was decided and when it ran (decided_at, executed_at)"
WAITS = "Log when each action was requested and when it was decided (requested_at, decided_at)"
NAMES = "Log who asked for each action and who approved it (requester, approver)"
APPROVER = "Log who approved each action (samples.actions, approver)"
HOW_RISKY = (
    "Log the effect or the risk of each action (samples.actions, effect, risk), or list the tool in "
    "policy.high_risk_tools"
)
RISK = "Log the risk of each action (samples.actions, risk)"


def approval_checks(logs: Logs) -> tuple[Check, ...]:
    """Every check of human approval, in the order of the catalogue.

    Args:
        logs: The logs; reads `actions` and `access`.
    """
    read = ApprovalLog(logs)
    people = approver_findings(logs)
    return (
        _approved_before(read),
        _approved_late(read),
        _decided_early(read),
        _self_approved(read),
        _approved_by_agent(read),
        _rejected_ran(read),
        _understated_risk(read),
        reading_time(read, people),
        some_rejected(read, people),
        bulk_approvals(read, people),
    )


def _approved_before(read: ApprovalLog) -> Check:
    name, limit = "approved_before", read.logs.policy.max_approval_miss_rate
    if not read.given:
        return unknown(name, *NO_LOG, threshold=limit)
    unsaid = [say for column, say in WHO.items() if column not in read.has]
    if read.rule is None:
        if (
            unsaid
            and {"decision", "decided_at", "executed_at"} <= read.has
            and (read.effect or "risk" in read.has)
        ):
            return _unsaid(unsaid, limit)
        return unknown(
            name,
            "There is no record of decisions and their times in the action log.",
            LOG_DECISIONS,
            threshold=limit,
        )
    n, misses, unsure = read.n("risky"), read.n("missed"), read.n("undecided")
    if n == 0 and unsure:
        return unknown(name, _undecided(unsure, ""), HOW_RISKY, read.rows("undecided"), threshold=limit, n=0)
    if n == 0:
        return unknown(
            name,
            "The log holds no high-risk action that ran.",
            "Log high-risk actions, or state in the policy which tools are high-risk",
            threshold=limit,
            n=0,
        )
    # A column without a single entry says as little as none.
    if not read.n("decided") or not read.n("risky at a time"):
        return unknown(
            name, "The log does not say what was decided, or when it ran.", LOG_DECISIONS, threshold=limit
        )
    blank = [say for column, say in SAID.items() if not read.n(column)]
    if blank and read.n("risky approved"):
        return _unsaid(blank, limit)
    lower, upper = one_sided_bounds(misses, n)
    evidence = (
        f"{count(misses)} of {plural(n, 'high-risk action')} ran without a person's approval before them"
    )
    if after := read.n("risky late"):
        evidence += f", {count(after)} of them {'was' if after == 1 else 'were'} approved afterwards"
    if own := read.n("risky own"):
        evidence += f"; {count(own)} {'was' if own == 1 else 'were'} approved by who had asked"
    if unasked := read.n("risky unasked"):
        of = "of 1 approval" if unasked == 1 else f"of {count(unasked)} approvals"
        evidence += f"; {of} nobody knows who had asked"
    if early := read.n("risky early"):
        were, they = ("was", "it was") if early == 1 else ("were", "they were")
        evidence += f"; {plural(early, 'action')} {were} decided before {they} requested"
    state = rate_state(lower, upper, limit)
    proven = f"least {at_least(lower, limit)}" if state == "exceeded" else f"most {at_most(upper, limit)}"
    figures: dict[str, Any] = {
        "evidence": f"{evidence}; the true share is at {proven}.{may_be_one(read.n('risky alike'))}",
        "value": misses / n,
        "bound": lower if state == "exceeded" else upper,
        "threshold": limit,
        "n": n,
        "misses": misses,
        "rows": read.rows("missed otherwise") if read.n("missed otherwise") else None,
    }
    # Were all of them high-risk, they would be misses: only where even that stays below the limit they do not matter.
    if unsure and state != "exceeded" and one_sided_bounds(misses + unsure, n + unsure)[1] > limit:
        figures |= {"evidence": f"{figures['evidence']} {_undecided(unsure, 'further ')}"}
        figures["rows"] = figures["rows"] or read.rows("undecided")
        return Check(name=name, status="missing_evidence", mend=HOW_RISKY, **figures)
    match state:
        case "shown":
            return Check(name=name, status="pass", **figures)
        case "exceeded":
            return Check(
                name=name,
                status="fail",
                mend="Block high-risk actions until a second person has approved them",
                **figures,
            )
    more = further_clean(misses, n, limit)
    mend = (
        f"Log {plural(more, 'more high-risk action')}, none missed" if more else "Log more high-risk actions"
    )
    return Check(name=name, status="missing_evidence", mend=mend, more=more, **figures)


def _undecided(n: int, further: str) -> str:
    return (
        f"Of {plural(n, f'{further}action')} that ran without such an approval neither the log nor the policy says how "
        "risky their tools are."
    )


def _unsaid(who: list[str], limit: float) -> Check:
    return unknown(
        "approved_before",
        f"The log does not say {and_list(who, 'or')}.",
        "Log each risky action with who asked, who approved, and the times",
        threshold=limit,
    )


def _approved_late(read: ApprovalLog) -> Check:
    name = "approved_late"
    if nothing := no_approvals(name, read):
        return nothing
    n, late = read.n("both times"), read.n("late")
    if not n:
        return unknown(
            name,
            "The log does not say when it was approved and when it ran.",
            TIMES,
        )
    return judge(
        name,
        read.rows("late"),
        n,
        good=f"All of {plural(n, 'approval')} came before the act.",
        bad=f"{count(late)} of {plural(n, 'approval')} came after the act.",
        mend="Let nothing run that waits for an approval",
        unsure=read.unsure(name, "times unsaid", "when it was approved and when it ran", TIMES),
    )


def _decided_early(read: ApprovalLog) -> Check:
    name = "decided_early"
    if nothing := no_approvals(name, read):
        return nothing
    n, early = read.n("waits"), read.n("early")
    if not n:
        return unknown(
            name,
            "The log does not say when it was asked and when it was decided.",
            WAITS,
        )
    return judge(
        name,
        read.rows("early"),
        n,
        good=f"Each of {plural(n, 'decision')} came after its request.",
        bad=f"{count(early)} of {plural(n, 'decision')} came before {'its' if early == 1 else 'their'} request.",
        mend="Mend the clocks of the log, or tie each approval to the one request that it is for",
        unsure=read.unsure(name, "waits unsaid", "when it was asked and when it was decided", WAITS),
    )


def _self_approved(read: ApprovalLog) -> Check:
    name = "self_approved"
    if nothing := no_approvals(name, read):
        return nothing
    n, own = read.n("both named"), read.n("own")
    if not n:
        blank = [say for who, say in WHO.items() if who not in read.has or not read.n(who)]
        return unknown(
            name,
            f"The log does not say {and_list(blank or list(WHO.values()), 'or')}.",
            NAMES,
        )
    was, remark = "was" if own == 1 else "were", may_be_one(read.n("alike"))
    return judge(
        name,
        own,
        n,
        good=f"None of {plural(n, 'approval')} was given by who had asked.{remark}",
        bad=f"{count(own)} of {plural(n, 'approval')} {was} given by who had asked.{remark}",
        mend="Have each action approved by somebody other than who asks for it",
        unsure=read.unsure(name, "names unsaid", "who asked and who approved", NAMES),
    )


def _approved_by_agent(read: ApprovalLog) -> Check:
    name = "approved_by_agent"
    if nothing := no_approvals(name, read):
        return nothing
    n = read.n("named")
    if not n:
        return unknown(
            name,
            "The log does not say who approved.",
            APPROVER,
        )
    if read.agents is None:
        return unknown(
            name,
            "The list of grants does not say under which identities the agent acts.",
            "Name the agent's identity with each grant (samples.access, identity)",
        )
    by = read.n("agents")
    return judge(
        name,
        read.rows("agents"),
        n,
        good=f"None of {plural(n, 'approval')} was given under an identity that the agent acts under.",
        bad=f"{count(by)} of {plural(n, 'approval')} {'was' if by == 1 else 'were'} given under an identity that the "
        "agent acts under.",
        mend="Let only people approve, under identities that no agent holds",
        unsure=read.unsure(name, "approver unsaid", "who approved", APPROVER),
    )


def _rejected_ran(read: ApprovalLog) -> Check:
    name = "rejected_ran"
    if not read.given:
        return unknown(name, *NO_LOG)
    if not read.n("decided"):
        return unknown(name, *NO_DECISIONS)
    n, ran = read.n("rejected"), read.n("rejected ran")
    if not ran and not read.n("ran"):
        return unknown(
            name,
            "The log does not say what ran.",
            "Log when each action ran and how it ended (executed_at, status)",
        )
    if not n:
        return Check(name=name, status="pass", evidence="Nothing was rejected.", n=0, misses=0)
    return judge(
        name,
        read.rows("rejected ran"),
        n,
        good=f"None of {plural(n, 'rejected action')} ran.",
        bad=f"{count(ran)} of {plural(n, 'rejected action')} ran all the same.",
        mend="Have the system refuse what was rejected, not only the agent",
    )


def _understated_risk(read: ApprovalLog) -> Check:
    name = "understated_risk"
    if not read.given:
        return unknown(name, *NO_LOG)
    if not read.n("risk"):
        return unknown(
            name,
            "The log does not say which actions it takes for high-risk.",
            RISK,
        )
    if not read.n("known grave"):
        return unknown(
            name,
            "Neither an effect in the log nor the policy says which actions are high-risk.",
            "Log the effect of each action, or state in the policy which tools are high-risk",
        )
    n, low = read.n("grave"), read.n("understated")
    if not n:
        return Check(
            name=name,
            status="pass",
            evidence="No action sends or pays, or is of a tool that the policy lists.",
            n=0,
            misses=0,
        )
    that = "that sends, pays or is of a listed tool" if n == 1 else "that send, pay or are of a listed tool"
    return judge(
        name,
        read.rows("understated"),
        n,
        good=f"The log calls none of {plural(n, 'action')} {that} routine.",
        bad=f"The log calls {count(low)} of {plural(n, 'action')} {that} routine.",
        mend="Take the risk of an action from its effect and the policy, not from the agent",
        unsure=read.unsure(name, "risk unsaid", "how risky it is", RISK),
    )
