"""Why a pilot that is stopped is not fixed instead, and what it did and does not meet, in a few words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from roi.analysis import Analysis
from roi.gate import Gate

__all__ = ["not_met", "went", "why_no_fix"]


def why_no_fix(a: Analysis) -> str:
    """Why no fix is advised: none pays, none is sure enough, none opens every gate, or none is stated."""
    found = [plan for plan in (*a.plans, a.fixes.waiting) if plan is not None]
    if found:
        pays = max(plan.mean() for plan in found) > 0
        return "no fix is likely enough to pay" if pays else "no fix pays for itself"
    if any(not gate.holds for gate in a.gates[None]):
        return "no priced fix opens every gate"
    return "no fix would make it pay" if a.valuer.remedies else "no fix is stated"


def not_met(closed: Sequence[Gate]) -> str:
    """What stands in the way of a roll-out as it is: its name where it is one, else how many; empty without any."""
    if not closed:
        return ""
    if len(closed) > 1:
        return f", and {len(closed)} conditions for scaling are not met"
    label = closed[0].label
    return f", and {label[:1].lower() + label[1:]} is not shown"


def went(a: Analysis, minutes: float | None) -> str:
    """What became of time and, where that is beyond doubt, of errors: quality that falls is no detail."""
    before, after = a.measured.scope(None).error_rate
    worse = before is not None and after is not None and float(np.quantile(before - after, 0.95)) < 0
    if minutes is not None and minutes >= 0:
        return f"It saves {minutes:.2f} minutes a case{', but more cases go wrong' if worse else ''}"
    return f"A case takes longer {'and goes wrong more often ' if worse else ''}than before"
