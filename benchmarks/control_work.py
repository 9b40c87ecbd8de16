"""Cases, and the work of an agent and of those who approve, event by event."""

from __future__ import annotations

import datetime as dt
import heapq
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from control_logs import Log, Rng, Row

__all__ = ["actions_of", "cases_of", "one"]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool of the agent, and how its calls go."""

    name: str
    system: str
    scope: str
    effect: str
    risk: str
    chance: float


TOOLS = (
    Tool("read_customer", "crm", "customer_read", "read", "routine", 1.0),
    Tool("read_document", "docs", "document_read", "read", "routine", 0.7),
    Tool("read_invoice", "billing", "invoice_read", "read", "routine", 0.3),
    Tool("draft_reply", "mail", "draft", "draft", "routine", 0.6),
    Tool("write_note", "crm", "note_write", "write", "routine", 1.0),
    Tool("change_contract", "crm", "contract_write", "write", "high", 0.15),
    Tool("export_file", "docs", "export", "read", "high", 0.15),
    Tool("pay_claim", "billing", "pay", "pay", "high", 0.2),
    Tool("send_reply", "mail", "send", "send", "high", 0.75),
)
"""In the order in which a case uses them: what needs an approval comes last."""


def one(rng: Rng, of: Sequence[str]) -> str:
    """One of several; `rng.choice` takes ten times as long."""
    return of[int(rng.random() * len(of))]


def cases_of(rng: Rng, log: Log, n: int, days: list[dt.date], hours: int) -> list[Row]:
    one_after_the_other = rng.random() < 0.25
    share = float(rng.uniform(0.55, 0.85))
    demo = float(rng.choice([0.0, 0.0, 0.06]))
    whole_minutes = rng.random() < 0.3
    workers = int(rng.integers(2, 13))
    names, below = list(log.mix), np.cumsum(list(log.mix.values()))[:-1].tolist()
    place = np.sort(rng.random(n)) * len(days)
    rows: list[Row] = []
    for i in range(n):
        index, part = int(place[i]), float(place[i] % 1)
        early = place[i] < len(days) * (1 - share)
        baseline = early if one_after_the_other else rng.random() > share
        started = log.local(days[index], log.opens + part * (hours - 1))
        minutes = float(rng.lognormal(2.3, 0.5))
        wrong = rng.random() < 0.05
        other = ("correct", "escalated", "abandoned")[bisect_right((0.95, 0.99), rng.random())]
        live = [c for c in log.tables["changes"] if c["changed_at"] <= started]
        rows.append(
            {
                "case_id": f"T{i:05d}",
                "arm": "baseline" if baseline else "pilot",
                "segment": names[bisect_right(below, rng.random())],
                "worker": f"worker-{int(rng.integers(workers)):02d}",
                "handling_minutes": round(minutes, 2),
                "outcome": "error" if wrong else other,
                "severity": one(rng, ("minor", "moderate")) if wrong else None,
                "setting": "demo" if not baseline and rng.random() < demo else "production",
                "version": None if baseline else live[-1]["version"],
                "started_at": started.replace(second=0) if whole_minutes else started,
                "ended_at": started + dt.timedelta(minutes=minutes),
                "agent_cost": None if baseline else round(float(rng.lognormal(-1.5, 0.3)), 4),
                "cost_currency": None if baseline else "EUR",
            }
        )
    return rows


def actions_of(rng: Rng, log: Log) -> list[Row]:
    """What the agent did in every case of the pilot's arm, and who approved it."""
    return _Working(rng, log).actions()


class _Working:
    """The pilot's work, event by event, so that an approver decides on one request after the other."""

    def __init__(self, rng: Rng, log: Log) -> None:
        self.rng, self.log = rng, log
        self.rejects = float(rng.uniform(0.03, 0.05))
        self.reading = {p: (float(rng.uniform(40, 120)), float(rng.uniform(0.3, 0.5))) for p in log.people}
        self.free: dict[str, dt.datetime] = {}
        self.peers = len(log.agents) == 1 and rng.random() < 0.4
        self.escalates = 0.01 if rng.random() < 0.3 else 0.0
        # Honest people decide at once what they have just talked about, and close a case before its last note.
        self.known, self.hasty = (0.01 if self.rng.random() < 0.5 else 0.0 for _ in range(2))
        self.first = int(rng.random() < 0.8)
        self.exact = rng.random() < 0.5
        self.versioned = rng.random() < 0.5
        self.logs_auto = rng.random() < 0.5
        self.tools = [t for t in TOOLS if t.chance == 1.0 or rng.random() < 0.85]

    def actions(self) -> list[Row]:
        demo = self.rng.random() < 0.5
        steps: list[list[Row]] = []
        cases: list[Row] = []
        waiting: list[tuple[dt.datetime, int, int]] = []
        for case in self.log.tables["cases"]:
            if case["arm"] == "pilot" and (demo or case["setting"] == "production"):
                waiting.append((self._after(case["started_at"], 2, 20), len(cases), 0))
                cases.append(case)
                steps.append(self._steps(case))
        heapq.heapify(waiting)
        found: list[Row] = []
        while waiting:
            moment, i, k = heapq.heappop(waiting)
            row = steps[i][k]
            ends = self._run(row, moment)
            row["action_id"], row["seq"] = f"A{len(found):06d}", self.first + k
            found.append(row)
            if row["status"] == "error":
                again = {**row, "attempt": row["attempt"] + 1, "status": "ok"}
                steps[i].insert(k + 1, again)
            if k + 1 < len(steps[i]):
                heapq.heappush(waiting, (self._after(ends, 2, 25), i, k + 1))
            else:
                done = self._after(ends, 20, 400)
                if self.rng.random() < self.hasty:
                    done = max(cases[i]["started_at"], self._after(ends, -400, -90))
                cases[i]["ended_at"] = done.replace(second=0, microsecond=0) + dt.timedelta(minutes=1)
        if self.rng.random() < 0.2:
            found = [found[i] for i in self.rng.permutation(len(found))]
        return found

    def _steps(self, case: Row) -> list[Row]:
        agent = one(self.rng, self.log.agents)
        rows: list[Row] = []
        for tool in self.tools:
            # A demo shows the plain way, so that no right is used by demo cases alone.
            if self.rng.random() >= (tool.chance if case["setting"] == "production" else int(tool.chance)):
                continue
            status = "ok"
            if tool.risk == "routine":
                ends = (0.02, 0.025, 0.04 if tool.effect == "read" else 0.025)
                status = ("error", "timeout", "denied", "ok")[bisect_right(ends, self.rng.random())]
            asks = self.peers and tool.risk == "high" and self.rng.random() < 0.15
            rows.append(
                {
                    "action_id": "",
                    "case_id": case["case_id"],
                    "tool": tool.name,
                    "system": tool.system,
                    "scope": tool.scope,
                    "effect": tool.effect,
                    "risk": tool.risk,
                    "seq": 0,
                    "requested_at": None,
                    "requester": one(self.rng, self.log.people) if asks else agent,
                    "decision": "auto",
                    "approver": None,
                    "decided_at": None,
                    "executed_at": None,
                    "status": status,
                    "attempt": 1,
                    "duration_ms": None,
                    **({"version": case["version"]} if self.versioned else {}),
                }
            )
        return rows

    def _after(self, moment: dt.datetime, least: float, most: float) -> dt.datetime:
        ms = round(1000 * (least + (most - least) * self.rng.random()))
        later = moment + dt.timedelta(milliseconds=ms)
        return later if self.exact else later.replace(microsecond=0)

    def _run(self, row: Row, moment: dt.datetime) -> dt.datetime:
        """Fill in an action that is requested now; returns when it is over."""
        row["requested_at"] = moment
        if row["risk"] != "high":
            row["decided_at"] = moment if self.logs_auto else None
            if row["status"] == "denied":
                return moment
            row["executed_at"] = self._after(moment, 0, 2)
            row["duration_ms"] = int(self.rng.integers(50, 3000))
            return self._after(row["executed_at"], 1, 4)
        others = [p for p in self.log.people if p != row["requester"]]
        approver = one(self.rng, others)
        median, spread = self.reading[approver]
        starts = max(moment, self.free.get(approver, moment))
        known = self.rng.random() < self.known
        seconds = self.rng.uniform(2, 5) if known else max(8.0, self.rng.lognormal(np.log(median), spread))
        decided = self._after(starts, seconds + 1, seconds + 1)
        self.free[approver] = decided
        row["approver"], row["decided_at"] = approver, decided
        chance = self.rng.random()
        if chance < self.rejects + self.escalates:
            row["decision"] = "rejected" if chance < self.rejects else "escalated"
            row["status"] = "denied"
            return decided
        row["decision"] = "approved"
        row["executed_at"] = self._after(decided, 1, 5)
        row["duration_ms"] = int(self.rng.integers(50, 3000))
        return self._after(row["executed_at"], 1, 4)
