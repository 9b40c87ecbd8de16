"""The event log of BPI Challenge 2012, read line by line: an application, who worked on it for how long, how it ended."""

from __future__ import annotations

import datetime as dt
import gzip
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

LONGEST = 480  # minutes; what was left open for more than eight hours is no work
_ATTRIBUTE = re.compile(r'key="([^"]+)" value="([^"]*)"')


@dataclass
class Application:
    """A case of the log.

    Attributes:
        name: Its number.
        started: When it was registered.
        amount: Asked for.
        spent: Minutes by who worked.
        states: How often each state of the application, such as A_DECLINED, was reached.
        events: Of the log.
    """

    name: str = ""
    started: dt.datetime | None = None
    amount: float | None = None
    spent: dict[str, float] = field(default_factory=dict)
    states: Counter[str] = field(default_factory=Counter)
    events: int = 0

    @property
    def minutes(self) -> float | None:
        """Of people's work; None where none is logged."""
        return round(sum(self.spent.values()), 6) if self.spent else None

    @property
    def resource(self) -> str:
        """Who worked longest."""
        return max(self.spent, key=lambda who: (self.spent[who], who)) if self.spent else ""


def loan_applications(file: Path) -> list[Application]:
    """All applications of the log, in its order."""
    found: list[Application] = []
    trace: dict[str, str] | None = None
    event: dict[str, str] | None = None
    opened: dict[str, dt.datetime] = {}
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in map(str.strip, lines):
            if line.startswith("<trace"):
                trace, opened = {}, {}
                found.append(Application())
            elif line.startswith("<event"):
                event = {}
            elif line.startswith("</event") and event is not None:
                found[-1].events += 1
                _work_item(event, opened, found[-1])
                event = None
            elif line.startswith("</trace") and trace is not None:
                found[-1].name = trace["concept:name"]
                found[-1].started = dt.datetime.fromisoformat(trace["REG_DATE"])
                found[-1].amount = float(trace["AMOUNT_REQ"])
                trace = None
            elif trace is not None and (hit := _ATTRIBUTE.search(line)):
                (trace if event is None else event)[hit[1]] = hit[2]
    return found


def _work_item(event: dict[str, str], opened: dict[str, dt.datetime], into: Application) -> None:
    """Minutes from START to COMPLETE of a work item."""
    name, at = event["concept:name"], dt.datetime.fromisoformat(event["time:timestamp"])
    if name.startswith("A_"):
        into.states[name] += 1
    if name.startswith("W_") and event["lifecycle:transition"] == "START":
        opened[name] = at
    elif name in opened and event["lifecycle:transition"] == "COMPLETE":
        minutes = (at - opened.pop(name)).total_seconds() / 60
        if minutes <= LONGEST:
            who = event.get("org:resource", "")
            into.spent[who] = into.spent.get(who, 0.0) + minutes
