"""What the approving that a remedy demands takes and catches a month, for the record."""

from __future__ import annotations

from typing import Any

import numpy as np

from roi.analysis import Analysis
from roi.remedies import Remedy
from roi.words import amount, count, percent

__all__ = ["demanded_approving"]

Segments = tuple[str, ...] | None


def demanded_approving(a: Analysis, remedy: Remedy, segments: Segments) -> dict[str, Any] | None:
    """What the approving takes that a remedy of `human_approval` demands, at the adoption ceiling.

    Args:
        a: The analysis.
        remedy: The remedy, bought alone.
        segments: The scope; None for everything.

    Returns:
        `decisions_per_month` that nobody takes today, `late_per_month` that come after the act today, `hours_per_month`
        of people that are taken off those saved, `waiting_cost_per_month`, the share of errors that it `catches`, and
        all of it in sentences, `text`. None for a remedy of anything else; what is not known is None.
    """
    if remedy.addresses != "human_approval":
        return None
    e, found, currency = a.economics, a.valuer.approving(segments), a.loaded.parameters.about.currency
    if found is None or e.cases_per_month is None:
        names = (
            "decisions_per_month",
            "late_per_month",
            "hours_per_month",
            "waiting_cost_per_month",
            "catches",
        )
        why = "there is no log of actions" if found is None else "how many cases there are is not known"
        return dict.fromkeys(names) | {"text": f"What its approving takes is not counted: {why}."}
    share = np.subtract(1, a.valuer.left_of("human_approval", (remedy,)))
    effect = a.valuer.approving_of((remedy,), segments)
    cases = np.multiply(e.cases_per_month, e.ceiling) * a.valuer.scope(segments).share
    decisions = float(np.mean(cases * share * found.decisions))
    late = float(np.mean(cases * share * found.actions)) - decisions
    hours = float(np.mean(cases * -np.asarray(effect.minutes))) / 60 if remedy.approving_known else None
    waiting = None if found.waiting is None else float(np.mean(cases * effect.cost))
    catches = float(np.mean(1 - np.asarray(effect.kept))) if found.catch_known else None
    said = [f"It demands {count(decisions)} more approvals a month"] if decisions >= 0.5 else []
    if late >= 0.5:
        of = count(late) if said else f"{count(late)} actions a month"
        said.append(f"{'and has' if said else 'It has'} {of} decided before they run, not after")
    sentences = [" ".join(said) or "It demands no approval that is not given today"]
    if hours is None:
        sentences.append(
            "What one takes is not known (economics.approval_minutes), so its worth is the most that it can be"
        )
    elif remedy.pays_approvers:
        sentences.append("Its running cost pays the people who approve")
    if hours is not None and hours >= 0.5:
        deciding = decisions >= 0.5 and not remedy.pays_approvers
        what = "Deciding, and mending what is caught," if deciding else "Mending what is caught"
        sentences.append(f"{what} takes {count(hours)} hours a month off those saved")
    if waiting:
        sentences.append(f"Waiting costs {amount(waiting, currency)} a month")
    if catches is None:
        sentences.append("What approval catches is not known, and nothing is counted for it")
    elif catches > 0:
        sentences.append(f"Of the agent's errors it catches {percent(catches)}")
    return {
        "decisions_per_month": decisions,
        "late_per_month": late,
        "hours_per_month": hours,
        "waiting_cost_per_month": waiting,
        "catches": catches,
        "text": ". ".join(sentences) + ".",
    }
