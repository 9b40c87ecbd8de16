"""What counts as an approval before a risky action, in SQL: the one definition that the checks and the causes share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roi.relation import Relation
from roi.words import and_list, shorten

__all__ = [
    "BY_A_PERSON",
    "LATE",
    "RAN",
    "Approvals",
    "ToolRisk",
    "agents_of",
    "approvals_of",
    "effect_risk",
    "listed_risk",
    "ran_of",
    "tool_risk",
    "unlogged_tools",
]

LATE = "decision = 'approved' and decided_at > executed_at"
BY_A_PERSON = "decision in ('approved', 'rejected', 'escalated')"
RAN = ("ok", "error", "timeout")
"""How an action ends that ran: one that failed, or that nobody waited for, may have done something all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRisk:
    """What the whole log tells of its tools, each a query of names or a list of them.

    A tool is as risky as anything it is seen to do: rows that leave their effect and risk blank, or call it routine,
    hide nothing.

    Attributes:
        acting: Tools that send or pay.
        high: These, and tools of an action that is marked as high-risk.
        told: Tools of which any row names an effect or a risk.
    """

    acting: str
    high: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """Conditions on a row of the action log.

    Attributes:
        risky: It is a high-risk action that ran: its tool sends or pays or is marked so anywhere in the log, or the
            policy lists it.
        undecided: It ran, and nothing tells how risky it is: neither effect nor risk of its tool, nor the policy.
        proper: A person other than who asked approved it before it ran; who asked is named.
        late: It was approved after it ran.
        early: It was decided before it was requested.
        own: Who asked approved it.
        unasked: It was approved, and who asked is not named, so that nothing shows that it was somebody else.
    """

    risky: str
    undecided: str
    proper: str
    late: str
    early: str
    own: str
    unasked: str


def tool_risk(actions: Relation) -> ToolRisk:
    """What the log tells of its tools, as queries."""

    def tools(*conditions: str | None) -> str:
        said = " or ".join(c for c in conditions if c) or "false"
        return f"select distinct tool from {actions.sql} where tool is not null and ({said})"

    has = {c: c in actions.columns for c in ("effect", "risk")}
    acts = actions.says("effect", "send", "pay") if has["effect"] else None
    return ToolRisk(
        acting=tools(acts),
        high=tools(acts, actions.says("risk", "high") if has["risk"] else None),
        told=tools(*(f"{column} is not null" for column, given in has.items() if given)),
    )


def listed_risk(ask: Callable[[str], Sequence[tuple[Any, ...]]], actions: Relation) -> ToolRisk:
    """What the log tells of its tools, as lists: asked once, and not in every condition anew.

    Args:
        ask: Gives the rows of a query.
        actions: The action log, the whole of it.
    """
    found = tool_risk(actions)

    def listed(query: str) -> str:
        return ", ".join(actions.word("tool", name) for (name,) in ask(f"{query} order by 1")) or "null"

    return ToolRisk(acting=listed(found.acting), high=listed(found.high), told=listed(found.told))


def effect_risk(actions: Relation, high_risk_tools: Sequence[str], tools: ToolRisk) -> str | None:
    """High-risk whatever the log calls it: its tool sends or pays, or the policy lists it; None where neither tells."""
    said = [f"coalesce({actions.says('tool', *high_risk_tools)}, false)"] if high_risk_tools else []
    if "effect" in actions.columns:
        acts = actions.says("effect", "send", "pay")
        said += [f"coalesce({acts}, false)", f"coalesce(tool in ({tools.acting}), false)"]
    return f"({' or '.join(said)})" if said else None


def ran_of(actions: Relation) -> str:
    """Whether an action ran, the one definition: it ended in one of `RAN`, or says no end, but a time at which it ran.

    Where the log has no column for the time, what does not say how it ended ran unless it was rejected. What was denied
    did not run; that it ran all the same is a finding of its own (`denied_ran`).
    """
    silent, columns = "executed_at is not null", actions.columns
    if "executed_at" not in columns:
        silent = "decision is distinct from 'rejected'" if "decision" in columns else "true"
    if "status" not in columns:
        return f"({silent})"
    return f"coalesce({actions.says('status', *RAN)}, {silent})"


def agents_of(tables: Mapping[str, Relation]) -> str | None:
    """A query of the identities that an agent acts under: those that rights were granted to; None where none is named.

    Who approves under an identity that the agent holds, too, is not shown to be a person.
    """
    access = tables.get("access")
    if access is None or "identity" not in access.columns:
        return None
    return f"select identity from {access.sql} where identity is not null"


def approvals_of(
    actions: Relation,
    high_risk_tools: Sequence[str],
    *,
    agents: str | None = None,
    tools: ToolRisk | None = None,
) -> Approvals | None:
    """The conditions for a log; None where it does not say who decided what and when.

    Args:
        actions: The action log, the whole of it.
        high_risk_tools: Tools that the policy calls high-risk.
        agents: The identities that an agent acts under, which are no persons: a query or a list; None where none is
            known.
        tools: What it tells of its tools, where that has been asked already.
    """
    columns = set(actions.columns)
    wanted = {"decision", "decided_at", "executed_at", "approver", "requester"}
    if not wanted <= columns or not (columns & {"risk", "effect"} or high_risk_tools):
        return None
    tools = tools or tool_risk(actions)
    high = [said] if (said := effect_risk(actions, high_risk_tools, tools)) else []
    if "risk" in columns:
        high += [
            f"coalesce({actions.says('risk', 'high')}, false)",
            f"coalesce(tool in ({tools.high}), false)",
        ]
    silent = [f"{column} is null" for column in ("effect", "risk") if column in columns]
    silent.append(f"not coalesce(tool in ({tools.told}), false)")
    approved = actions.says("decision", "approved")
    own = f"coalesce({approved} and approver = requester, false)"
    proper = f"{approved} and decided_at <= executed_at and approver <> requester"
    if agents is not None:
        proper += f" and approver not in ({agents})"
    early = "false"
    if "requested_at" in columns:
        # Requested after it ran is covered too: such a decision is either late or before its request.
        early = f"coalesce({approved} and decided_at < requested_at, false)"
        proper += f" and not {early}"
    ran, any_of = ran_of(actions), " or ".join(high)
    return Approvals(
        risky=f"({any_of}) and {ran}",
        undecided=f"not ({any_of}) and {ran} and {' and '.join(silent)}",
        proper=proper,
        late=LATE,
        early=early,
        own=own,
        unasked=f"coalesce({approved} and requester is null, false)",
    )


def unlogged_tools(con: Any, actions: Relation | None, high_risk_tools: Sequence[str]) -> list[str]:
    """What to know of tools that the policy calls high-risk and that no action is of: at most one sentence.

    Args:
        con: The engine that holds the log.
        actions: The action log; None where none is given.
        high_risk_tools: Tools that the policy calls high-risk.
    """
    if actions is None or not high_risk_tools:
        return []
    known = {tool for (tool,) in con.execute(f"select distinct tool from {actions.sql}").fetchall()}
    absent = [shorten(tool, 60) for tool in high_risk_tools if tool not in known]
    if not absent:
        return []
    named = [*absent[:5], f"{len(absent) - 5:,} more"] if len(absent) > 5 else absent
    return [
        f"No action in the log is of {and_list(named, 'or')}, which the policy calls high-risk: write each tool as the "
        "log does, in large or small letters, too (policy.high_risk_tools)"
    ]
