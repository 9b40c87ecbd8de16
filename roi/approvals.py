"""What counts as an approval before a risky action, in SQL: the one definition that the gate and the causes share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from roi.readers.base import literal

__all__ = ["Approvals", "approvals_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """Conditions on a row of the action log.

    Attributes:
        risky: It is a high-risk action that ran: its log says so, it sends or pays, or the policy lists its tool.
        proper: A person other than who asked approved it before it ran.
        late: It was approved after it ran.
        early: It was decided before it was requested.
    """

    risky: str
    proper: str
    late: str
    early: str


def approvals_of(columns: Collection[str], high_risk_tools: Sequence[str]) -> Approvals | None:
    """The conditions for a log with these columns; None where it does not say who decided what and when.

    Args:
        columns: Columns of the action log.
        high_risk_tools: Tools that the policy calls high-risk.
    """
    wanted = {"decision", "decided_at", "executed_at", "approver", "requester"}
    if not wanted <= set(columns) or not (set(columns) & {"risk", "effect"} or high_risk_tools):
        return None
    risky = [f"tool in ({', '.join(literal(tool) for tool in high_risk_tools)})"] if high_risk_tools else []
    if "risk" in columns:
        risky.append("coalesce(risk = 'high', false)")
    if "effect" in columns:
        risky.append("coalesce(effect in ('send', 'pay'), false)")
    ran = "executed_at is not null"
    if "status" in columns:
        ran += " and coalesce(status, 'ok') <> 'denied'"
    proper = "decision = 'approved' and decided_at <= executed_at"
    late = "decision = 'approved' and decided_at > executed_at"
    proper += " and approver is not null and approver <> coalesce(requester, '')"
    early = "false"
    if "requested_at" in columns:
        # Requested after it ran is covered too: such a decision is either late or before its request.
        early = "coalesce(decision = 'approved' and decided_at < requested_at, false)"
        proper += f" and not {early}"
    return Approvals(risky=f"({' or '.join(risky)}) and {ran}", proper=proper, late=late, early=early)
