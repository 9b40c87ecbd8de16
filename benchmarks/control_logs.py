"""Logs of a pilot in which every control holds, drawn from a seed: what violations are planted into.

Nothing here reads how the checks decide. A log is clean in the sense of an auditor who knows the issue, the design and
the labels of the catalogue, and it stays clear of what could be read either way: a call that was denied never ran and
has no time at which it did; a rejected action likewise; a retry is an action of its own, with a place of its own in the
sequence; every version was tested before and after it went live. What differs between seeds: 60 to 2,000 cases, 2 to 12
approvers who read for 40 to 120 s (log-normal, a person's own median) and reject about one request in 25, one decision
after the other; which tools there are; randomised or one arm after the other; hours, weekends, holidays and time zones;
decisions of people who ask for one action and approve another; renewed grants; two or three versions; demo cases;
times in whole seconds or not; rows in order or not; columns that a log may lack.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

__all__ = ["Log", "Row", "clean_log"]

Row = dict[str, Any]
Rng = np.random.Generator

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Sydney",
    "America/Los_Angeles",
)
SEGMENTS = ("email", "portal", "post", "phone", "partner")
SECOND = dt.timedelta(seconds=1)


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


@dataclass(slots=True, kw_only=True)
class Log:
    """The tables of a pilot and what they are held against.

    Attributes:
        tables: Name → rows; times are naive and in UTC, None is blank.
        as_of: Day of the decision, in the pilot's time zone.
        timezone: In which days begin and end, and in which times without an offset are written.
        mix: Production share of each segment.
        high_risk_tools: What the policy lists.
        agents: Identities of the agent.
        people: Approvers.
        opens: Hour at which work begins, local.
        naive: Whether times are written in local time and without an offset.
        taken: Cases that something was planted into.
    """

    tables: dict[str, list[Row]]
    as_of: dt.date
    timezone: str
    mix: dict[str, float]
    high_risk_tools: tuple[str, ...]
    agents: tuple[str, ...]
    people: tuple[str, ...]
    opens: int
    naive: bool
    taken: set[str] = field(default_factory=set)

    def local(self, day: dt.date, hour: float) -> dt.datetime:
        """The UTC time of an hour of a local day."""
        return _utc(day, hour, ZoneInfo(self.timezone))

    def day(self, moment: dt.datetime) -> dt.date:
        """The local day of a UTC time."""
        return moment.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(self.timezone)).date()

    def of_cases(self) -> dict[str, list[Row]]:
        """Case → its actions, in their sequence."""
        found: dict[str, list[Row]] = {}
        for row in self.tables["actions"]:
            found.setdefault(row["case_id"], []).append(row)
        for rows in found.values():
            rows.sort(key=lambda row: row["seq"])
        return found

    def live(self) -> list[Row]:
        """The production cases that were worked with the agent."""
        return [r for r in self.tables["cases"] if r["arm"] == "pilot" and r["setting"] == "production"]

    def risky(self, row: Row) -> bool:
        """Whether an action is high-risk: the log says so, it sends or pays, or the policy lists its tool."""
        named = row["tool"] in self.high_risk_tools
        return named or row["risk"] == "high" or row["effect"] in ("send", "pay")

    def versions(self) -> list[str]:
        """The listed versions, oldest first."""
        return [r["version"] for r in sorted(self.tables["changes"], key=lambda r: r["changed_at"])]


def _one(rng: Rng, of: Sequence[str]) -> str:
    """One of several; `rng.choice` takes ten times as long."""
    return of[int(rng.random() * len(of))]


def _utc(day: dt.date, hour: float, zone: ZoneInfo) -> dt.datetime:
    there = dt.datetime.combine(day, dt.time(), zone) + dt.timedelta(hours=hour)
    return there.astimezone(dt.UTC).replace(tzinfo=None, microsecond=0)


def clean_log(seed: int, *, cases: tuple[int, int] = (60, 2000), people: tuple[int, int] = (2, 12)) -> Log:
    """A pilot's logs in which every control holds.

    Args:
        seed: The same seed gives the same rows.
        cases: Fewest and most cases of both arms; log-uniform between.
        people: Fewest and most approvers.
    """
    rng = np.random.default_rng([20261127, seed])
    n = round(float(np.exp(rng.uniform(*np.log(cases)))))
    timezone = str(rng.choice(ZONES))
    evening = rng.random() < 0.3
    opens, hours = (12, 9) if evening else (int(rng.integers(7, 10)), 8)
    days = _work_days(rng, n)
    last = days[-1]
    # The day of the decision may be the last day itself, whose evening is the next day in UTC.
    as_of = last + dt.timedelta(days=int(rng.integers(0, 15)))
    shares = rng.dirichlet(np.full(int(rng.integers(2, len(SEGMENTS) + 1)), 8.0))
    mix = dict(zip(SEGMENTS, np.round(shares[:-1], 3).tolist(), strict=False))
    mix = {**mix, SEGMENTS[len(shares) - 1]: round(1.0 - sum(mix.values()), 3)}
    log = Log(
        tables={},
        as_of=as_of,
        timezone=timezone,
        mix=mix,
        high_risk_tools=("export_file",) if rng.random() < 0.5 else (),
        agents=("agent-main", "agent-night") if rng.random() < 0.2 else ("agent-main",),
        people=tuple(f"person-{i:02d}" for i in range(int(rng.integers(people[0], people[1] + 1)))),
        opens=opens,
        naive=bool(rng.random() < 0.5),
    )
    log.tables["changes"] = _changes(rng, log, days)
    log.tables["cases"] = _cases(rng, log, n, days, hours)
    log.tables["actions"] = _Working(rng, log).actions()
    log.tables["access"] = _access(rng, log)
    log.tables["evals"] = _evals(rng, log)
    log.tables["incidents"] = _incidents(rng, log)
    return log


def _work_days(rng: Rng, n: int) -> list[dt.date]:
    wanted = int(np.clip(n / rng.uniform(6, 45), 12, 90))
    day = dt.date(2026, 3, 2) + dt.timedelta(days=int(rng.integers(0, 120)))
    weekends, holidays = rng.random() < 0.2, rng.random() < 0.3
    days: list[dt.date] = []
    while len(days) < wanted:
        if (weekends or day.weekday() < 5) and not (holidays and rng.random() < 0.05):
            days.append(day)
        day += dt.timedelta(days=1)
    return days


def _changes(rng: Rng, log: Log, days: list[dt.date]) -> list[Row]:
    count = int(rng.integers(2, 4))
    style = str(rng.choice(["v{}", "release-{}", "1.{}.0"]))
    # All before the first case, or the later ones while work goes on; always at night.
    if rng.random() < 0.5:
        when = sorted(days[0] - dt.timedelta(days=int(d)) for d in rng.choice(np.arange(3, 60), count, False))
    else:
        inside = sorted(rng.choice(np.arange(2, len(days) - 2), count - 1, False).tolist())
        when = [days[0] - dt.timedelta(days=5), *(days[i] for i in inside)]
    return [
        {
            "version": style.format(i + 1),
            "changed_at": log.local(day, 23.5),
            "kind": str(rng.choice(["prompt", "model", "tool", "data"])),
            "replaces": style.format(i),
            "approved_by": str(rng.choice(["owner-1", "owner-2"])),
            "rolled_back_at": None,
        }
        for i, day in enumerate(when)
    ]


def _cases(rng: Rng, log: Log, n: int, days: list[dt.date], hours: int) -> list[Row]:
    one_after_the_other = rng.random() < 0.25
    share = float(rng.uniform(0.55, 0.85))
    demo = float(rng.choice([0.0, 0.0, 0.06]))
    whole_minutes = rng.random() < 0.3
    workers = int(rng.integers(2, 13))
    names, below = list(log.mix), np.cumsum(list(log.mix.values()))[:-1]
    place = np.sort(rng.random(n)) * len(days)
    rows: list[Row] = []
    for i in range(n):
        index, part = int(place[i]), float(place[i] % 1)
        early = place[i] < len(days) * (1 - share)
        baseline = early if one_after_the_other else rng.random() > share
        started = log.local(days[index], log.opens + part * (hours - 1))
        minutes = float(rng.lognormal(2.3, 0.5))
        wrong = rng.random() < 0.05
        other = ("correct", "escalated", "abandoned")[int(np.searchsorted([0.95, 0.99], rng.random()))]
        live = [c for c in log.tables["changes"] if c["changed_at"] <= started]
        rows.append(
            {
                "case_id": f"T{i:05d}",
                "arm": "baseline" if baseline else "pilot",
                "segment": names[int(np.searchsorted(below, rng.random()))],
                "worker": f"worker-{int(rng.integers(workers)):02d}",
                "handling_minutes": round(minutes, 2),
                "outcome": "error" if wrong else other,
                "severity": _one(rng, ("minor", "moderate")) if wrong else None,
                "setting": "demo" if not baseline and rng.random() < demo else "production",
                "version": None if baseline else live[-1]["version"],
                "started_at": started.replace(second=0) if whole_minutes else started,
                "ended_at": started + dt.timedelta(minutes=minutes),
                "agent_cost": None if baseline else round(float(rng.lognormal(-1.5, 0.3)), 4),
                "cost_currency": "EUR",
            }
        )
    return rows


class _Working:
    """The pilot's work, event by event, so that an approver decides on one request after the other."""

    def __init__(self, rng: Rng, log: Log) -> None:
        self.rng, self.log = rng, log
        self.rejects = float(rng.uniform(0.03, 0.05))
        self.reading = {p: (float(rng.uniform(40, 120)), float(rng.uniform(0.3, 0.5))) for p in log.people}
        self.free: dict[str, dt.datetime] = {}
        self.peers = len(log.agents) == 1 and rng.random() < 0.4
        self.escalates = 0.01 if rng.random() < 0.3 else 0.0
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
                cases[i]["ended_at"] = done.replace(second=0, microsecond=0) + dt.timedelta(minutes=1)
        if self.rng.random() < 0.2:
            found = [found[i] for i in self.rng.permutation(len(found))]
        return found

    def _steps(self, case: Row) -> list[Row]:
        agent = _one(self.rng, self.log.agents)
        rows: list[Row] = []
        for tool in self.tools:
            # A demo shows the plain way, so that no right is used by demo cases alone.
            if self.rng.random() >= (tool.chance if case["setting"] == "production" else int(tool.chance)):
                continue
            status = "ok"
            if tool.risk == "routine":
                ends = (0.02, 0.025, 0.04 if tool.effect == "read" else 0.025)
                status = ("error", "timeout", "denied", "ok")[
                    int(np.searchsorted(ends, self.rng.random(), "right"))
                ]
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
                    "requester": _one(self.rng, self.log.people) if asks else agent,
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
        ms = round(1000 * float(self.rng.uniform(least, most)))
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
        approver = _one(self.rng, others)
        median, spread = self.reading[approver]
        starts = max(moment, self.free.get(approver, moment))
        seconds = max(12.0, float(self.rng.lognormal(np.log(median), spread)))
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


def _access(rng: Rng, log: Log) -> list[Row]:
    """A grant of each right that was used, some of them renewed while work went on."""
    asked: dict[tuple[str, str, str], list[Row]] = {}
    live = {row["case_id"] for row in log.live()}
    for row in log.tables["actions"]:
        if row["case_id"] not in live:
            continue
        agent = row["requester"] if row["requester"] in log.agents else log.agents[0]
        asked.setdefault((row["system"], row["scope"], agent), []).append(row)
    first = min(row["started_at"] for row in log.tables["cases"])
    rows: list[Row] = []
    for (system, scope, agent), calls in sorted(asked.items()):
        if not any(call["status"] == "ok" for call in calls):  # or its grant would be unused
            call = calls[0]
            call["status"] = "ok"
            call["decision"] = "auto" if call["approver"] is None else "approved"
            call["executed_at"] = call["decided_at"] or call["requested_at"]
        times = sorted(call["executed_at"] for call in calls if call["status"] == "ok")
        since = first - dt.timedelta(days=int(rng.integers(3, 60)))
        until = log.local(log.as_of, 12) + dt.timedelta(days=int(rng.integers(60, 400)))
        row = {
            "system": system,
            "scope": scope,
            "identity": agent,
            "granted_by": str(rng.choice(["admin-1", "admin-2"])),
            "granted_at": since,
            "expires": until,
            "needed": 1,
            "needed_by": "handling",
        }
        rows.append(row)
        if len(times) > 12 and rng.random() < 0.25:  # renewed in time, so that both were used
            middle = times[len(times) // 2]
            overlap = dt.timedelta(hours=float(rng.choice([0, 30])))
            row["expires"] = min(middle + overlap, times[-3])
            rows.append({**row, "granted_at": middle, "expires": until})
    return rows


def _evals(rng: Rng, log: Log) -> list[Row]:
    """Each version before and after it went live; a little better each time, the same at every run of it."""
    shares = np.array(list(log.mix.values()))
    size = int(rng.integers(150, 300))
    counts = np.maximum(np.round(shares / shares.sum() * size).astype(int), 15)
    segments = [name for name, k in zip(log.mix, counts, strict=True) for _ in range(k)]
    size = len(segments)
    critical = rng.random(size) < 0.08
    passes = (rng.random(size) < rng.uniform(0.75, 0.85)) | critical
    changes = log.tables["changes"]
    rows: list[Row] = []

    def run(version: str, when: dt.datetime) -> None:
        name = f"run-{len(rows) // size:03d}"
        rows.extend(
            {
                "version": version,
                "eval_case": f"E{i:04d}",
                "passed": int(passes[i]),
                "suite": "acceptance",
                "run_id": name,
                "ran_at": when,
                "segment": segments[i],
                "critical": int(critical[i]),
            }
            for i in range(size)
        )

    run(changes[0]["replaces"], changes[0]["changed_at"] - dt.timedelta(days=2))
    for change in changes:
        held, failed = np.flatnonzero(passes & ~critical), np.flatnonzero(~passes)
        worse = int(rng.integers(0, 4))
        better = int(min(worse + rng.integers(2, 6), len(failed) - 6))
        passes = passes.copy()
        passes[rng.choice(held, worse, False)] = False
        passes[rng.choice(failed, better, False)] = True
        run(change["version"], change["changed_at"] - dt.timedelta(hours=20))
        run(change["version"], change["changed_at"] + dt.timedelta(hours=float(rng.uniform(0.2, 0.4))))
        if rng.random() < 0.4:
            run(change["version"], change["changed_at"] + dt.timedelta(hours=10))
    return rows


def _incidents(rng: Rng, log: Log) -> list[Row]:
    """Older incidents and drills, and a drill of late; each detected before work began and over before it did."""
    days = sorted(int(d) for d in rng.choice(np.arange(170, 400), int(rng.integers(0, 4)), False))[::-1]
    rows: list[Row] = []
    since = (log.as_of - log.day(log.tables["changes"][0]["changed_at"])).days
    for age in (*days, int(rng.integers(1, min(since, 150)))):
        kind = str(rng.choice(["drill", "incident"])) if age > 150 else "drill"
        detected = log.local(log.as_of - dt.timedelta(days=age), 3.5 + float(rng.random()))
        paused = detected + dt.timedelta(minutes=float(rng.uniform(1, 12)))
        listed = [c["version"] for c in log.tables["changes"] if c["changed_at"] < detected]
        rows.append(
            {
                "detected_at": detected,
                "kind": kind,
                "started_at": detected - dt.timedelta(minutes=float(rng.uniform(1, 30))),
                "paused_at": paused.replace(microsecond=0),
                "restricted_at": None,
                "restored_at": (paused + dt.timedelta(minutes=float(rng.uniform(15, 90)))).replace(
                    microsecond=0
                ),
                "rolled_back_to": _one(rng, listed) if listed else None,
                "severity": str(rng.choice(["minor", "moderate", "major"])) if kind == "incident" else None,
                "cost": round(float(rng.uniform(0, 500)), 2) if kind == "incident" else None,
            }
        )
        rows[-1]["started_at"] = rows[-1]["started_at"].replace(microsecond=0)
    return rows
