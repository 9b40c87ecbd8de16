"""Human approval: were risky actions approved before they ran, by somebody else?"""

from __future__ import annotations

import math

import ibis

from roi.draws import one_sided_bounds
from roi.gate import Gate, rate_state
from roi.moments import fetch
from roi.samples import Samples
from roi.words import percent

__all__ = ["human_approval"]

LABEL = "Approval by a person before risky actions"


def human_approval(samples: Samples, *, limit: float, high_risk_tools: tuple[str, ...]) -> Gate:
    """Count high-risk actions that ran without an approval before them.

    An action is high-risk when its log says so, when it sends or pays, or when the policy lists its tool.

    Args:
        samples: The opened samples; reads `actions`.
        limit: Share of misses that the policy tolerates.
        high_risk_tools: Tools that the policy calls high-risk.

    Returns:
        The gate, by the exact one-sided 95 % bounds of the share of misses.
    """
    actions = samples.tables.get("actions")
    columns = set() if actions is None else set(actions.columns)
    wanted = {"decision", "decided_at", "executed_at"}
    if actions is None or not wanted <= columns or (not columns & {"risk", "effect"} and not high_risk_tools):
        lacks = (
            "no action log" if actions is None else "no record of decisions and their times in the action log"
        )
        return Gate(
            gate="human_approval",
            label=LABEL,
            state="missing_evidence",
            value=None,
            threshold=limit,
            evidence=f"There is {lacks}.",
            mend="Log each risky action with its decision, approver and times",
        )
    risky = actions.tool.isin(list(high_risk_tools)) if high_risk_tools else ibis.literal(False)
    if "risk" in columns:
        risky = risky | (actions.risk == "high").fill_null(False)
    if "effect" in columns:
        risky = risky | actions.effect.isin(["send", "pay"]).fill_null(False)
    ran = actions.executed_at.notnull()
    if "status" in columns:
        ran = ran & (actions.status.fill_null("ok") != "denied")
    approved = (actions.decision == "approved") & (actions.decided_at <= actions.executed_at)
    late = (actions.decision == "approved") & (actions.decided_at > actions.executed_at)
    if "approver" in columns:
        approved = approved & actions.approver.notnull()
        if "requester" in columns:
            approved = approved & (actions.approver != actions.requester.fill_null(""))
    checked = actions.filter(risky & ran).aggregate(
        n=ibis._.count(), good=approved.fill_null(False).sum(), late=late.fill_null(False).sum()
    )
    n, good, after = (int(x or 0) for x in fetch(samples, checked)[0])
    misses = n - good
    lower, upper = one_sided_bounds(misses, n)
    state = rate_state(lower, upper, limit)
    needed = None
    if state == "not_shown":
        needed = _further(misses, n, limit)
    if n == 0:
        evidence = "The log holds no high-risk action that ran."
    else:
        evidence = f"{misses} of {n:,} high-risk actions ran without a person's approval before them"
        evidence += f", {after} of them were approved afterwards" if after else ""
        evidence += f"; the true share is at most {percent(upper)}."
    mend = {
        "shown": "",
        "exceeded": "Block high-risk actions until a second person has approved them",
        "not_shown": f"Log {needed:,} more high-risk actions, none missed"
        if needed
        else "Log more high-risk actions",
        "missing_evidence": "",
    }[state]
    return Gate(
        gate="human_approval",
        label=LABEL,
        state="missing_evidence" if n == 0 else state,
        value=misses / n if n else None,
        threshold=limit,
        evidence=evidence,
        mend=mend if n else "Log high-risk actions, or state in the policy which tools are high-risk",
        more_cases=needed,
        counts=(misses, n),
    )


def _further(misses: int, n: int, limit: float) -> int | None:
    """Further clean actions that would show the limit."""
    low, high = 0, max(10 * math.ceil((misses + 3) / max(limit, 1e-9)), 1)
    if one_sided_bounds(misses, n + high)[1] > limit:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if one_sided_bounds(misses, n + middle)[1] <= limit else (middle + 1, high)
    return low
