"""The drills and incidents, as far as they had happened by the day of the decision."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from roi.controls.check import Check, unknown
from roi.controls.logs import Logs

__all__ = ["HOLD_A_DRILL", "Incident", "IncidentLog"]

HOLD_A_DRILL = "Hold a drill: pause the agent, go back to the version before, and log the times"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A row of the incidents; what has no column is None."""

    row: int
    detected_at: dt.datetime | None
    kind: str | None
    severity: str | None
    started_at: dt.datetime | None
    paused_at: dt.datetime | None
    restricted_at: dt.datetime | None
    restored_at: dt.datetime | None
    rolled_back_to: str | None

    @property
    def answered(self) -> bool:
        """Whether the agent was paused, restricted or rolled back; that service came back by itself is no answer."""
        done = (self.paused_at, self.restricted_at, self.rolled_back_to)
        return any(x is not None for x in done)

    @property
    def answer_minutes(self) -> float | None:
        """From detection to the first pause or restriction, of a rollback to restoration; None where no time tells."""
        steps = [x for x in (self.paused_at, self.restricted_at) if x is not None]
        if not steps and self.rolled_back_to is not None and self.restored_at is not None:
            steps = [self.restored_at]
        if not steps or self.detected_at is None:
            return None
        return (min(steps) - self.detected_at).total_seconds() / 60

    @property
    def minutes(self) -> float:
        """From detection to pause."""
        assert self.detected_at is not None
        assert self.paused_at is not None
        return (self.paused_at - self.detected_at).total_seconds() / 60


class IncidentLog:
    """The incidents, and the newest of them in which the agent was paused."""

    def __init__(self, logs: Logs) -> None:
        self.logs = logs
        incidents = logs.table("incidents")
        self.has = frozenset(incidents.columns if incidents else ())
        self.all: list[Incident] = []
        if incidents is not None:
            names = [name for name in Incident.__dataclass_fields__ if name != "row"]
            listed = ", ".join(name if name in self.has else "null" for name in names)
            rows = logs.ask(
                f'select "row", {listed} from {incidents.sql} order by detected_at nulls first, "row"'
            )
            found = (Incident(row=row, **dict(zip(names, values, strict=True))) for row, *values in rows)
            self.all = [self.until_decided(x) for x in found if not self.later(x.detected_at)]
        self.paused = [x for x in self.all if x.detected_at is not None and x.paused_at is not None]

    def later(self, at: dt.datetime | None) -> bool:
        """Whether a time is after the day of the decision, so that it is no evidence for it."""
        return at is not None and self.logs.as_of is not None and self.day(at) > self.logs.as_of

    def until_decided(self, x: Incident) -> Incident:
        """An incident as far as it had happened by the day of the decision."""
        return replace(
            x,
            paused_at=None if self.later(x.paused_at) else x.paused_at,
            restricted_at=None if self.later(x.restricted_at) else x.restricted_at,
            restored_at=None if self.later(x.restored_at) else x.restored_at,
        )

    def recent(self, x: Incident) -> bool:
        """Whether an incident is of the time that drills have to be of; one without a day may be."""
        if x.detected_at is None or self.logs.as_of is None:
            return True
        return (self.logs.as_of - self.day(x.detected_at)).days <= self.logs.policy.drill_max_age_days

    def day(self, at: dt.datetime) -> dt.date:
        """The day of a time, where the pilot is."""
        return at.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(self.logs.timezone or "UTC")).date()

    def nothing(self, name: str, **figures: Any) -> Check | None:
        """What checks of a pause say where there was none."""
        if not self.all:
            return unknown(name, "There is no record of a drill or an incident.", HOLD_A_DRILL, **figures)
        if "paused_at" not in self.has or not any(x.paused_at is not None for x in self.all):
            return unknown(name, "There is no time of a pause in the incidents.", HOLD_A_DRILL, **figures)
        if not self.paused:
            return unknown(
                name,
                "No pause in the incidents is timed together with its detection, by the day of the decision.",
                HOLD_A_DRILL,
                **figures,
            )
        return None
