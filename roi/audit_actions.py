"""What the record says of integration, oversight and workflow: counts of the logs with exact intervals."""

from __future__ import annotations

from typing import Any

import numpy as np

from roi.integration import FAILED, Integration
from roi.oversight import Counts, Oversight
from roi.proportions import exact_interval
from roi.words import percent, plural

__all__ = ["integration_of_record", "oversight_of_record"]

_STATUS = "log each call's status, and map what your log calls it under samples.actions.columns.status.values"
_ARMS = ("baseline", "pilot")


def _rate(hits: int, n: int) -> dict[str, Any] | None:
    """A share with its exact 90 % interval; None of nothing."""
    if n == 0:
        return None
    low, high = exact_interval(hits, n)
    return {"n": n, "k": hits, "share": hits / n, "low": float(low), "high": float(high)}


def _of(counts: Counts | None) -> dict[str, Any] | None:
    return None if counts is None else _rate(*counts)


def _time(values: Any, unit: str) -> dict[str, Any] | None:
    """An order statistic with the values that bound it; None where too few are timed to bound it."""
    middle, low, high = (float(x) for x in values)
    return None if middle < 0 else {"value": middle, "low": low, "high": high, "unit": unit}


def integration_of_record(x: Integration) -> dict[str, Any]:
    """What the agent's calls met, over all and by arm, system and scope; None is not logged, and `missing` says why."""
    pilot = x.arm != 0
    systems = [_row(x, i) for i in range(len(x.system))]
    missing = []
    if "status" not in x.has:
        missing.append(f"Nothing is known of failed calls: {_STATUS}.")
    elif not x.status[:, 1].any():
        missing.append(
            "No call is marked as timed out; map your log's word for it to timeout "
            "(samples.actions.columns.status.values) to tell time-outs from other failures."
        )
    if "attempt" not in x.has:
        missing.append("Nothing is known of retries: log the attempt of each call (1, 2, …).")
    if "access" not in x.has:
        missing.append(
            "Nothing is known of scopes without a grant: give the list of grants (samples.access)."
        )
    elif "expiry" not in x.has:
        missing.append("Whether grants had expired is not known: give granted_at and expires of each grant.")
    if not {"duration", "times"} & x.has:
        missing.append("Nothing is known of how long calls take: log duration_ms.")
    elif "duration" not in x.has:
        missing.append(
            "How long calls take was read from their times, which are as fine as the log writes them."
        )
    return {
        "actions": int(x.n[pilot].sum()),
        "cases": {name: int(x.cases[i]) for i, name in enumerate(_ARMS)},
        **_counts(x, pilot),
        "cases_that_met": {
            name: None
            if "status" not in x.has
            else {
                kind: _rate(int(x.failing[i, j]), int(x.cases[i]))
                for j, kind in enumerate(("any", *FAILED))
                if kind != "timeout" or x.status[:, 1].any()
            }
            for i, name in enumerate(_ARMS)
        },
        "by_system": systems,
        "scopes_not_granted": [
            {
                "system": r["system"],
                "scope": r["scope"],
                "actions": r["not_granted"]["k"],
                "denied": r["denied"]["k"] if r["denied"] else None,
            }
            for r in systems
            if r["not_granted"] and r["not_granted"]["k"]
        ],
        "headline": _headline(x, pilot),
        "missing": missing,
    }


def _counts(x: Integration, rows: Any) -> dict[str, Any]:
    """The shares of some rows together."""
    n, known, attempts = (int(values[rows].sum()) for values in (x.n, x.known, x.attempts))
    status = x.status[rows].sum(axis=0)
    out = x.status[:, 1].any()
    return {
        "failed": _rate(int(status[0] + status[1]), known),
        "timed_out": _rate(int(status[1]), known) if out else None,
        "denied": _rate(int(status[2]), known),
        "retried": _rate(int(x.retried[rows].sum()), attempts),
        "not_granted": _rate(int(x.ungranted[rows].sum()), n) if "access" in x.has else None,
        "expired": _rate(int(x.expired[rows].sum()), n) if "expiry" in x.has else None,
    }


def _row(x: Integration, i: int) -> dict[str, Any]:
    only = np.arange(x.n.size) == i
    return {
        "arm": None if x.arm[i] < 0 else _ARMS[int(x.arm[i])],
        "system": x.system[i],
        "scope": x.scope[i],
        "actions": int(x.n[i]),
        **_counts(x, only),
        "seconds": {
            "p50": _time(x.seconds[i, :3], "s"),
            "p95": _time(x.seconds[i, 3:], "s"),
            "n": int(x.timed[i]),
        },
    }


def _headline(x: Integration, rows: Any) -> str:
    known = int(x.known[rows].sum())
    if not known:
        return "What became of the agent's calls was not logged."
    errors, late, denied = (int(n) for n in x.status[rows].sum(axis=0))
    text = f"All of {plural(known, 'call')} went through"
    if errors + late + denied:
        text = f"{percent((errors + late + denied) / known)} of {plural(known, 'call')} did not go through"
        text += f" ({errors + late:,} failed, {denied:,} denied)"
    ungranted = int(x.ungranted[rows].sum())
    if ungranted:
        text += f"; {plural(ungranted, 'call')} asked for what nobody granted"
    return text + "."


def oversight_of_record(
    x: Oversight, *, min_group: int, unapproved: tuple[int, int] | None = None
) -> dict[str, Any]:
    """What people did about the agent's work; None is not logged, and `missing` says what to log.

    Args:
        x: The counts.
        min_group: People below whom their times are not shown.
        unapproved: High-risk actions that ran without an approval before them, of how many; None is not known.
    """
    missing = []
    few = x.approvers is not None and x.approvers < min_group
    waiting = None
    if x.waits is None:
        missing.append(
            "Nothing is known of waiting for approval: log requested_at and decided_at of each action."
        )
    elif x.approvers is None:
        missing.append(
            "Waiting times are not shown: the log does not say who approved, and few people could be told."
        )
    elif few:
        missing.append(
            f"Waiting times are not shown: fewer than {min_group} people approved (privacy.min_group)."
        )
    elif x.minutes is None:
        missing.append("Too few approvals are timed to say how long they take.")
    else:
        waiting = {
            "n": x.waits,
            "p50": _time(x.minutes[:3], "min"),
            "p95": _time(x.minutes[3:], "min"),
            "same_day": _of(x.same_day),
            "note": "Time on the clock, nights and weekends with it; it is not working time.",
        }
    if x.backwards:
        missing.append(f"{plural(x.backwards, 'decision')} logged before the request; they are no waits.")
    if x.after is None:
        missing.append("Whether approvals came in time is not known: log decided_at and executed_at.")
    if x.handed_over is None:
        missing.append("Nothing is known of hand-overs: log the outcome of each case.")
    elif x.handed_over[0] and x.escalations is None:
        missing.append(
            "Whether hand-overs were right is not known: log for escalated cases whether the agent's result was used "
            "(used: yes, edited), or have a second look say what it should have been (judge_outcome)."
        )
    if x.unused is None:
        missing.append(
            "Whether right results were used is not known: log used (yes, edited, no) of each case."
        )
    if x.rework is None and x.wrong is None:
        missing.append(
            "What became of approved work is not known: log decisions, rework minutes and outcomes."
        )
    return {
        "waiting": waiting,
        "approved_after_the_act": _of(x.after),
        "rejected": _of(x.rejected),
        "handed_over": _of(x.handed_over),
        "right_to_hand_over": _of(x.escalations),
        "before": {
            "handed_over": _of(x.handed_over_before),
            "right_to_hand_over": _of(x.escalations_before),
        },
        "told_by": x.told_by,
        "right_and_not_used": _of(x.unused),
        "right_and_edited": _of(x.edited),
        "reworked_after_approval": _of(x.rework),
        "wrong_after_approval": _of(x.wrong),
        "headline": _in_words(x, unapproved),
        "missing": missing,
    }


def _in_words(x: Oversight, unapproved: tuple[int, int] | None) -> str:
    said = []
    if x.after is not None and x.after[0]:
        said.append(
            f"{percent(x.after[0] / x.after[1])} of {plural(x.after[1], 'approval')} came after the act"
        )
    elif x.after is not None:
        said.append(f"all of {plural(x.after[1], 'approval')} came before the act")
    # Approvals in time say nothing of what ran without one.
    if unapproved is not None and unapproved[0]:
        said.append(
            f"{unapproved[0]:,} of {plural(unapproved[1], 'high-risk action')} ran without an approval before them"
        )
    if x.handed_over is not None:
        said.append(f"{x.handed_over[0]:,} of {plural(x.handed_over[1], 'sampled case')} were handed over")
    if x.unused is not None:
        said.append(f"{percent(x.unused[0] / x.unused[1])} of right results were not used")
    text = "; ".join(said)
    return (
        f"{text[:1].upper()}{text[1:]}." if text else "What people did about the agent's work was not logged."
    )
