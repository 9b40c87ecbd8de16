"""What counts as an approval before a risky action, in SQL: the one definition that the checks and the causes share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from roi.readers.base import literal
from roi.relation import Relation

__all__ = ["BY_A_PERSON", "LATE", "Approvals", "agents_of", "approvals_of", "effect_risk", "ran_of"]

LATE = "decision = 'approved' and decided_at > executed_at"
BY_A_PERSON = "decision in ('approved', 'rejected', 'escalated')"


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


def effect_risk(columns: Collection[str], high_risk_tools: Sequence[str]) -> str | None:
    """High-risk whatever the log calls it: it sends or pays, or the policy lists its tool; None where neither tells."""
    said = [f"tool in ({', '.join(literal(tool) for tool in high_risk_tools)})"] if high_risk_tools else []
    if "effect" in columns:
        said.append("coalesce(effect in ('send', 'pay'), false)")
    return f"({' or '.join(said)})" if said else None


def ran_of(columns: Collection[str]) -> str | None:
    """Whether an action ran: it says when, or that it went well, and was not denied; None where neither tells."""
    said = ["executed_at is not null"] if "executed_at" in columns else []
    if "status" in columns:
        said.append("coalesce(status = 'ok', false)")
    if not said:
        return None
    ran = f"({' or '.join(said)})"
    return f"{ran} and coalesce(status, 'ok') <> 'denied'" if "status" in columns else ran


def agents_of(tables: Mapping[str, Relation]) -> str | None:
    """A query of the identities that an agent acts under: those that rights were granted to; None where none is named.

    Who approves under an identity that the agent holds, too, is not shown to be a person.
    """
    access = tables.get("access")
    if access is None or "identity" not in access.columns:
        return None
    return f"select identity from {access.sql} where identity is not null"


def approvals_of(
    columns: Collection[str], high_risk_tools: Sequence[str], *, agents: str | None = None
) -> Approvals | None:
    """The conditions for a log with these columns; None where it does not say who decided what and when.

    Args:
        columns: Columns of the action log.
        high_risk_tools: Tools that the policy calls high-risk.
        agents: The identities that an agent acts under, which are no persons: a query or a list; None where none is
            known.
    """
    wanted = {"decision", "decided_at", "executed_at", "approver", "requester"}
    if not wanted <= set(columns) or not (set(columns) & {"risk", "effect"} or high_risk_tools):
        return None
    risky = [said] if (said := effect_risk(columns, high_risk_tools)) else []
    if "risk" in columns:
        risky.append("coalesce(risk = 'high', false)")
    proper = "decision = 'approved' and decided_at <= executed_at"
    proper += " and approver is not null and approver <> coalesce(requester, '')"
    if agents is not None:
        proper += f" and approver not in ({agents})"
    early = "false"
    if "requested_at" in columns:
        # Requested after it ran is covered too: such a decision is either late or before its request.
        early = "coalesce(decision = 'approved' and decided_at < requested_at, false)"
        proper += f" and not {early}"
    return Approvals(
        risky=f"({' or '.join(risky)}) and {ran_of(columns)}", proper=proper, late=LATE, early=early
    )
