"""Each kind of action as the record holds it: what it did wrong, what approving takes, and what may be held of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.analysis import Analysis
from roi.approval_designs import ALL, Designs
from roi.approval_kinds import COUNTS, ApprovalKinds
from roi.approval_losses import TREND, ApprovalLosses, label_of
from roi.told_actions import COLUMNS
from roi.words import shorten

__all__ = ["many", "rows_of_kinds", "spread"]

Floats = npt.NDArray[np.float64]


def many(a: Analysis, approvers: int | None = None) -> bool:
    """Whether so many people decided that how long they take tells of none of them."""
    oversight = a.taken.oversight
    n = approvers if approvers is not None else (oversight.approvers if oversight is not None else None)
    return (n or 0) >= a.loaded.policy.privacy.min_group


def spread(draws: Floats) -> dict[str, float]:
    ordered = np.sort(draws)  # as `np.percentile` interpolates, in a third of its time
    ends = []
    for share in (0.05, 0.95):
        below, part = divmod(share * (ordered.size - 1), 1)
        low, high = ordered[int(below)], ordered[min(int(below) + 1, ordered.size - 1)]
        ends.append(float(low + part * (high - low)))
    return {"mean": float(draws.mean()), "p05": ends[0], "p95": ends[1]}


def rows_of_kinds(
    a: Analysis,
    x: ApprovalKinds,
    losses: ApprovalLosses | None,
    designs: Designs | None,
    required: Sequence[int],
) -> list[dict[str, Any]]:
    """Every kind of action, those that may be held first."""
    rows = []
    for kind in range(len(x.tool)):
        at = losses.kinds.index(kind) if losses is not None and kind in losses.kinds else None
        rows.append(
            {
                "label": shorten(label_of(x, kind), 80),
                "tool": x.tool[kind],
                "effect": None if x.effect is None else x.effect[kind],
                "system": None if x.system is None else x.system[kind],
                "scope": None if x.scope is None else x.scope[kind],
                "may_be_held": bool(x.changing[kind]),
                "required": kind in required,
                "required_by": x.required_by(kind, a.loaded.policy.high_risk_tools),
                "actions": {name: int(x.count(name)[kind].sum()) for name in COUNTS},
                "errors": {
                    "shared": float(x.slipped[kind].sum()),
                    "at_most": int(x.errors_with[kind]),
                    "alone": int(x.errors_alone[kind]),
                    "repaired": float(x.mended[kind].sum()),
                },
                **(
                    _of_kind(losses, designs, at, many(a, int(x.approvers[kind])))
                    if losses is not None and at is not None
                    else {}
                ),
            }
        )
    return rows


def _of_kind(losses: ApprovalLosses, designs: Designs | None, k: int, waits: bool) -> dict[str, Any]:
    wrong = losses.wrong()[k]
    asked = float(losses.asked[k])
    minutes = None
    if losses.minutes is not None and losses.minutes_from is not None:
        minutes = {**spread(np.atleast_1d(losses.minutes[k])), "from": losses.minutes_from[k]}
    wait = float(losses.wait[k])
    found: dict[str, Any] = {
        "actions_per_case": asked,
        "wrong_rate": spread(wrong / asked) if asked > 0 else None,
        "wrong_per_case": spread(wrong),
        "minutes": minutes,
        "waiting_hours": None if np.isnan(wait) or not waits else wait,
        "thresholds": {
            column: None if trend is None else {"rise": trend, "offered": trend >= TREND}
            for column, trend in zip(COLUMNS, losses.trend[k], strict=True)
        },
        "loss_per_case": None,
        "loss_per_month": None,
        "approval_cost_per_month": None,
        "hours_per_month": None,
        "catch_needed": None,
        "options": [],
    }
    if designs is not None:
        m = designs.monthly
        lost = np.asarray(wrong * m.error_cost)
        held = designs.of(tuple(ALL if i == k else 0 for i in range(len(losses.kinds))))
        found |= {
            "loss_per_case": spread(lost),
            "loss_per_month": spread(np.asarray(m.cases * lost)),
            "approval_cost_per_month": float(held.approval.mean()),
            "hours_per_month": float(held.hours.mean()),
            "catch_needed": designs.catch_needed(k),
            "options": [
                {"gate": o.gate, "at": o.at, "actions": o.actions, "wrong": o.wrong}
                for o in designs.options(k)
            ],
        }
    return found
