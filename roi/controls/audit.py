"""Audit trail: can every case be followed through its actions?"""

from __future__ import annotations

from roi.gate import Gate, missing_evidence
from roi.moments import fetch
from roi.samples import Samples
from roi.words import plural

__all__ = ["audit_trail"]

LABEL = "Action log and audit trail"


def audit_trail(samples: Samples) -> Gate:
    """Reconcile the action log with the cases, both ways.

    Args:
        samples: The opened samples; reads `cases` and `actions`.

    Returns:
        The gate: it holds when every production pilot case has an action, every action a case, no action id occurs
        twice and each action says when it ran and how it ended.
    """
    cases, actions = samples.tables.get("cases"), samples.tables.get("actions")
    if actions is None:
        return missing_evidence(
            "audit_trail",
            LABEL,
            threshold=0.0,
            evidence="There is no action log.",
            mend="Provide the log of the agent's actions (samples.actions)",
        )
    if cases is None:
        return missing_evidence(
            "audit_trail",
            LABEL,
            threshold=0.0,
            evidence="There are no cases that the actions could be held against, only a report of them.",
            mend="Provide the cases themselves (samples.cases)",
        )
    live = cases.where("arm = 'pilot'")
    if "setting" in cases.columns:
        live = live.where("setting <> 'demo'")
    blank = []
    for column in ("executed_at", "status"):
        if column not in actions.columns:
            blank.append("true")
        elif column == "executed_at" and "status" in actions.columns:
            # What was denied or rejected never ran, and has no time at which it did.
            stopped = "status = 'denied'"
            if "decision" in actions.columns:
                stopped += " or decision = 'rejected'"
            blank.append(f"executed_at is null and not coalesce({stopped}, false)")
        else:
            blank.append(f"{column} is null")
    missing = " or ".join(f"({condition})" for condition in blank)
    query = f"select count(*), count(distinct action_id), count(*) filter ({missing}) from {actions.sql}"
    total, ids, blanks = (int(x) for x in fetch(samples, query)[0])
    unlogged = f"select count(*) from {live.sql} anti join {actions.sql} using (case_id)"
    orphans = f"select count(*) from {actions.sql} anti join {cases.sql} using (case_id)"
    cases_n = int(fetch(samples, f"select count(*) from {live.sql}")[0][0])
    without, lost = int(fetch(samples, unlogged)[0][0]), int(fetch(samples, orphans)[0][0])
    faults = []
    if without:
        faults.append(
            f"{without:,} of {plural(cases_n, 'case')} {'has' if without == 1 else 'have'} no action"
        )
    if lost:
        belong = "belongs" if lost == 1 else "belong"
        faults.append(f"{lost:,} of {plural(total, 'action')} {belong} to no known case")
    if total - ids:
        occur = "occurs" if total - ids == 1 else "occur"
        faults.append(f"{plural(total - ids, 'action id')} {occur} more than once")
    if blanks:
        say = "does not say when it ran or how it" if blanks == 1 else "do not say when they ran or how they"
        faults.append(f"{blanks:,} of {plural(total, 'action')} {say} ended")
    whole = max(cases_n + total, 1)
    return Gate(
        gate="audit_trail",
        label=LABEL,
        state="exceeded" if faults else "shown",
        value=(without + lost + (total - ids) + blanks) / whole,
        threshold=0.0,
        evidence="; ".join(faults).capitalize() + "."
        if faults
        else f"All {plural(cases_n, 'case')} and {plural(total, 'action')} can be followed both ways.",
        mend="Log every action of every case, once and whole" if faults else "",
    )
