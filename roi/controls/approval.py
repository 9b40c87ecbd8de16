"""Human approval: were risky actions approved before they ran, by somebody else?"""

from __future__ import annotations

import math

from roi.approvals import approvals_of
from roi.draws import one_sided_bounds
from roi.gate import Gate, missing_evidence, rate_state
from roi.moments import fetch
from roi.samples import Samples
from roi.words import and_list, percent, plural

__all__ = ["human_approval"]

LABEL = "Approval by a person before risky actions"
WHO = {"approver": "who approved", "requester": "who asked"}


def human_approval(samples: Samples, *, limit: float, high_risk_tools: tuple[str, ...]) -> Gate:
    """Count high-risk actions that ran without an approval before them.

    An action is high-risk when its log says so, when it sends or pays, or when the policy lists its tool.

    Args:
        samples: The opened samples; reads `actions`.
        limit: Share of misses that the policy tolerates.
        high_risk_tools: Tools that the policy calls high-risk.

    Returns:
        The gate, by the exact one-sided 95 % bounds of the share of misses. Where the log does not say who approved
        or who asked, nothing shows that it was somebody else, and the evidence is missing.
    """
    actions = samples.tables.get("actions")
    columns = set() if actions is None else set(actions.columns)
    wanted = {"decision", "decided_at", "executed_at"}
    if actions is None or not wanted <= columns or (not columns & {"risk", "effect"} and not high_risk_tools):
        lacks = (
            "no action log" if actions is None else "no record of decisions and their times in the action log"
        )
        return missing_evidence(
            "human_approval",
            LABEL,
            threshold=limit,
            evidence=f"There is {lacks}.",
            mend="Log each risky action with its decision, approver and times",
        )
    unsaid = [say for column, say in WHO.items() if column not in columns]
    if unsaid:
        return _unsaid(unsaid, limit)
    rule = approvals_of(columns, high_risk_tools)
    assert rule is not None  # every column that it asks for is there
    counts = (
        f"count(*), count(*) filter ({rule.proper}), count(*) filter ({rule.late}), "
        f"count(*) filter ({rule.early}), count(requester), count(approver)"
    )
    query = f"select {counts} from {actions.sql} where {rule.risky}"
    n, good, after, before, asked, allowed = (int(x) for x in fetch(samples, query)[0])
    blank = [say for say, said in zip(WHO.values(), (allowed, asked), strict=True) if not said]
    if n and good and blank:  # a column without a single entry says as little as none
        return _unsaid(blank, limit)
    misses = n - good
    lower, upper = one_sided_bounds(misses, n)
    state = rate_state(lower, upper, limit)
    needed = None
    if state == "not_shown":
        needed = _further(misses, n, limit)
    if n == 0:
        evidence = "The log holds no high-risk action that ran."
    else:
        evidence = (
            f"{misses:,} of {plural(n, 'high-risk action')} ran without a person's approval before them"
        )
        evidence += (
            f", {after:,} of them {'was' if after == 1 else 'were'} approved afterwards" if after else ""
        )
        if before:
            were, they = ("was", "it was") if before == 1 else ("were", "they were")
            evidence += f"; {plural(before, 'action')} {were} decided before {they} requested"
        evidence += f"; the true share is at most {percent(upper)}."
    mend = {
        "shown": "",
        "exceeded": "Block high-risk actions until a second person has approved them",
        "not_shown": f"Log {plural(needed, 'more high-risk action')}, none missed"
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


def _unsaid(who: list[str], limit: float) -> Gate:
    return missing_evidence(
        "human_approval",
        LABEL,
        threshold=limit,
        evidence=f"The log does not say {and_list(who, 'or')}.",
        mend="Log each risky action with who asked, who approved, and the times",
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
