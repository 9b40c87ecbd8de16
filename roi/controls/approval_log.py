"""The action log as the checks of approval ask it: one pass finds the rows of every condition."""

from __future__ import annotations

from roi.approvals import BY_A_PERSON, LATE, agents_of, approvals_of, effect_risk, listed_risk, ran_of
from roi.controls.catalogue import CATALOGUE
from roi.controls.check import Check, Rows, unknown
from roi.controls.logs import Logs
from roi.privacy import ALIKE
from roi.readers.base import literal
from roi.words import plural

__all__ = [
    "LOG_DECISIONS",
    "NO_DECISIONS",
    "NO_LOG",
    "SAID",
    "WHO",
    "ApprovalLog",
    "agent_identities",
    "may_be_one",
    "no_approvals",
]

WHO = {"approver": "who approved", "requester": "who asked"}
SAID = {**WHO, "decided_at": "when it was decided"}
LOG_DECISIONS = "Log each risky action with its decision, approver and times"
NO_LOG = ("There is no action log.", LOG_DECISIONS)
NO_DECISIONS = ("The log does not say what was decided.", LOG_DECISIONS)


def agent_identities(logs: Logs) -> str | None:
    """The identities that an agent acts under, as a list in SQL; None where none is named."""
    query = agents_of(logs.samples.tables)
    found = logs.ask(f"select distinct * from ({query}) order by 1") if query else []
    return ", ".join(literal(name) for (name,) in found) or None


class ApprovalLog:
    """What one pass over the action log finds: the rows that meet each condition."""

    def __init__(self, logs: Logs) -> None:
        self.logs = logs
        actions = logs.table("actions")
        self.has = frozenset(actions.columns if actions else ())
        self.given = actions is not None
        self.agents = agent_identities(logs)
        tools = tuple(logs.policy.high_risk_tools)
        kinds = logs.kinds()
        told = None if actions is None else listed_risk(logs.ask, kinds or actions)
        self.rule = None if actions is None else approvals_of(actions, tools, agents=self.agents, tools=told)
        self.effect = None if actions is None or told is None else effect_risk(actions, tools, told)
        self.ran = "false" if actions is None else ran_of(actions)
        wanted: dict[str, str] = {"rows": "true"}
        if self.rule:
            missed = f"{self.rule.risky} and not coalesce({self.rule.proper}, false)"
            wanted |= {
                "risky": self.rule.risky,
                "missed": missed,
                # Rows of who approved their own request are named nowhere: a check of single people counts them.
                "missed otherwise": f"{missed} and not {self.rule.own}",
                "risky own": f"{self.rule.risky} and {self.rule.own}",
                "risky unasked": f"{self.rule.risky} and {self.rule.unasked}",
                "risky alike": f"{self.rule.risky} and {self.rule.proper} and {ALIKE}"
                if ALIKE in self.has
                else "false",
                "undecided": f"{self.rule.undecided} and not coalesce({self.rule.proper}, false)",
                "risky late": f"{self.rule.risky} and {self.rule.late}",
                "risky early": f"{self.rule.risky} and {self.rule.early}",
            }
            wanted["risky at a time"] = f"{self.rule.risky} and executed_at is not null"
            asked = f"{self.rule.risky} and decision = 'approved'"
            wanted["risky approved"] = asked
            wanted |= {column: f"{asked} and {column} is not null" for column in SAID}
        if "decision" in self.has:
            wanted |= self._of_decisions()
        if "risk" in self.has:
            wanted["risk"] = "risk is not null"
            if self.effect:
                wanted |= {"known grave": "true" if tools else "effect is not null"}
                mild = "false" if tools else f"(effect is null and risk = 'routine' and not {self.effect})"
                wanted["risk unsaid"] = f"(({self.effect} and risk is null) or {mild})"
                wanted |= {"grave": self.effect, "understated": f"{self.effect} and risk = 'routine'"}
        self._found = logs.find("actions", actions.sql, wanted, kinds=kinds) if actions else {}

    def _of_decisions(self) -> dict[str, str]:
        """What is asked of decisions; named where the log has the columns for it."""
        approved = "decision = 'approved'"
        wanted = {
            "decided": "decision is not null",
            "approved": approved,
            "rejected": "decision = 'rejected'",
        }
        wanted["ran"] = "executed_at is not null" if "executed_at" in self.has else "false"
        wanted["rejected ran"] = f"decision = 'rejected' and {self.ran}"
        if {"decided_at", "executed_at"} <= self.has:
            wanted |= {
                "both times": f"{approved} and decided_at is not null and executed_at is not null",
                "late": LATE,
                "times unsaid": f"{approved} and {self.ran} and (decided_at is null or executed_at is null)",
            }
        if {"decided_at", "requested_at"} <= self.has:
            wanted |= {
                "waits": f"{BY_A_PERSON} and decided_at is not null and requested_at is not null",
                "early": f"{BY_A_PERSON} and decided_at < requested_at",
                "waits unsaid": f"{BY_A_PERSON} and (decided_at is null or requested_at is null)",
            }
        if {"approver", "requester"} <= self.has:
            wanted |= {
                "both named": f"{approved} and approver is not null and requester is not null",
                "own": f"{approved} and approver = requester",
                "alike": f"{approved} and {ALIKE}" if ALIKE in self.has else "false",
                "names unsaid": f"{approved} and (approver is null or requester is null)",
            }
        if "approver" in self.has:
            wanted["named"] = f"{approved} and approver is not null"
            wanted["approver unsaid"] = f"{approved} and approver is null"
            if "decided_at" in self.has:
                wanted["pace unsaid"] = f"{BY_A_PERSON} and (approver is null or decided_at is null)"
            if self.agents:
                wanted["agents"] = f"{approved} and approver in ({self.agents})"
        return wanted

    def n(self, name: str) -> int:
        """How many rows; 0 where the log cannot say."""
        return self.rows(name).count

    def rows(self, name: str) -> Rows:
        """Which rows; none where the log cannot say."""
        return self._found.get(name, Rows(table="actions", count=0))

    def unsure(self, check: str, name: str, what: str, mend: str) -> Check | None:
        """What a check says where rows of which the log does not say it could be against it; None without any."""
        n = self.n(name)
        evidence = f"Of {plural(n, 'action')} the log does not say {what}."
        rows = None if CATALOGUE[check].personal else self.rows(name)
        return unknown(check, evidence, mend, rows) if n else None


def may_be_one(n: int) -> str:
    """A remark on approvals by somebody whose name is spelled like that of who asked: a hint that closes nothing."""
    if not n:
        return ""
    return (
        f" Of {plural(n, 'approval')} the names of who asked and who approved differ only in how an umlaut or an "
        "accent is spelled: they may be one person."
    )


def no_approvals(name: str, read: ApprovalLog) -> Check | None:
    """What checks of approvals say where there is nothing to look at."""
    if not read.given:
        return unknown(name, *NO_LOG)
    if not read.n("decided"):
        return unknown(name, *NO_DECISIONS)
    if not read.n("approved"):
        return unknown(name, "The log holds no approval.", LOG_DECISIONS, n=0)
    return None
