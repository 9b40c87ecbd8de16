"""Logs of a pilot in which every control holds, drawn from a seed: what violations are planted into.

Nothing here reads how the checks decide. A log is clean in the sense of an auditor who knows the issue, the design and
the labels of the catalogue, and it stays clear of what could be read either way: a call that was denied never ran and
has no time at which it did; a rejected action likewise; a retry is an action of its own, with a place of its own in the
sequence; every version was tested before and after it went live. What differs between seeds: 60 to 2,000 cases, 2 to 12
approvers who read for 40 to 120 s (log-normal, a person's own median) and reject about one request in 25, one decision
after the other, and one in a hundred in haste; people who ask for one action and approve another; which
tools there are; randomised or one arm after the other; hours, weekends, holidays and time zones; renewed grants; two or
three versions; demo cases; cases that are closed before their last note; times in whole seconds or not; rows in order
or not; columns that a log may lack.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from control_tables import access_of, changes_of, evals_of, incidents_of
from control_work import actions_of, cases_of

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
    log.tables["changes"] = changes_of(rng, log, days)
    log.tables["cases"] = cases_of(rng, log, n, days, hours)
    log.tables["actions"] = actions_of(rng, log)
    log.tables["access"] = access_of(rng, log)
    log.tables["evals"] = evals_of(rng, log)
    log.tables["incidents"] = incidents_of(rng, log)
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
