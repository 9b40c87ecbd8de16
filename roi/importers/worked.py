"""Events of a case of an event log: which count, and how long people worked by them (see `event_log`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from sys import intern
from typing import TypeAlias

from roi.importers.export import left_out
from roi.importers.times import from_iso

__all__ = ["LONGEST_MINUTES", "MOST_CHARACTERS", "Event", "Told", "Worked", "event_of"]

LONGEST_MINUTES = 480
"""A pair of events that are further apart was left open; it is no work."""

MOST_CHARACTERS = 200
"""Of an attribute, or the name of an outcome, that are kept."""

_OUTCOMES = (
    "approved", "accepted", "declined", "rejected", "denied", "cancelled", "canceled", "registered", "activated",
    "withdrawn", "resolved", "closed",
)  # fmt: skip
_RESENT = "a pair of START and COMPLETE that is told more than once counts once"
_TOLD = "events that another file or trace tells of the same case count once"
_DROPPED = "pairs of events more than eight hours apart, left open overnight"
_ENDS = ("complete", "ate_abort", "pi_abort")  # who gives up has worked until then

Event: TypeAlias = tuple[str, str, str, int | None]  # activity, worker, transition, microseconds since 1970
_Telling: TypeAlias = tuple[int, dict[str, str], list[Event]]  # who tells, attributes of the case, its events


def event_of(given: Mapping[str, str]) -> Event:
    """An event of these attributes."""
    step = given.get("lifecycle:transition", "").lower()
    at = from_iso(given.get("time:timestamp"))
    # Names stand in many events: they are held once.
    return intern(given.get("concept:name", "")), intern(given.get("org:resource", "")), intern(step), at


class Told:
    """What is told of a case, by each file or trace that tells of it: its attributes and its events."""

    __slots__ = ("first", "tellings")

    def __init__(self, first: int) -> None:
        self.first = first
        self.tellings: list[_Telling] = []

    def by(self, teller: int) -> _Telling:
        """What one of them tells."""
        if not self.tellings or self.tellings[-1][0] != teller:
            self.tellings.append((teller, {}, []))
        return self.tellings[-1]

    def weight(self) -> int:
        """About how many cells it holds."""
        return 8 + sum(4 + 2 * len(said) + 4 * len(events) for _, said, events in self.tellings)

    def pack(self) -> list[_Telling]:
        """It as plain values."""
        return self.tellings

    @classmethod
    def unpack(cls, first: int, packed: list[_Telling]) -> Told:
        """It from what `pack` gave."""
        told = cls(first)
        told.tellings = packed
        return told

    def join(self, later: Told) -> None:
        """Add what was told later."""
        for teller, said, events in later.tellings:
            _, at, into = self.by(teller)
            for name, value in said.items():
                at.setdefault(name, value)
            into += events

    def attributes(self) -> dict[str, str]:
        """Of the case, as the first that names one says it."""
        found: dict[str, str] = {}
        for _, said, _ in self.tellings:
            found = {**said, **found} if found else said
        return found

    def events(self, lost: dict[str, int]) -> Sequence[Event]:
        """Its events; those that several tell count once."""
        if len(self.tellings) == 1:
            return self.tellings[0][2]
        found: list[Event] = []
        for _, _, events in self.tellings:
            _add_told(found, events, lost)
        return sorted(found, key=lambda event: event[3] or 0)


def _add_told(found: list[Event], events: Sequence[Event], lost: dict[str, int]) -> None:
    """Add to the events of a case those of one more that tells of it, which is told of each at most once as it stands.

    Some exports leave out who did it: then the rest tells that it is the same event, and who did it is taken from the
    one that says so.
    """
    free: dict[Event, list[int]] = {}
    for i, event in enumerate(found):
        free.setdefault(event, []).append(i)
    more: list[Event] = []
    for event in events:
        if alike := free.get(event):
            alike.pop()
            left_out(lost, _TOLD)
        else:
            more.append(event)
    named: dict[tuple[str, str, int | None], list[int]] = {}
    for (name, who, step, at), places in free.items() if more else ():
        if who:
            named.setdefault((name, step, at), []).extend(places)
    for event in more:
        name, who, step, at = event
        alike = free.get((name, "", step, at)) if who else named.get((name, step, at))
        if alike:
            place = alike.pop()
            left_out(lost, _TOLD)
            found[place] = event if who else found[place]
        else:
            found.append(event)


@dataclass(slots=True)
class Worked:
    """What people did in a case, as its events are gone through."""

    open: dict[str, int] = field(
        default_factory=dict
    )  # when begun, the time since it was suspended taken out
    suspended: dict[str, int] = field(default_factory=dict)
    pairs: set[tuple[str, str, int, int]] = field(default_factory=set)  # activity, worker, end and duration
    spent: dict[str, int] = field(default_factory=dict)  # microseconds by who worked
    workers: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    first: int | None = None
    last: int | None = None

    def add(self, event: Event, lost: dict[str, int]) -> None:
        """Note an event."""
        name, who, step, at = event
        if who:
            self.workers[who] += 1
        if _is_outcome(name):
            self.ends[name[:MOST_CHARACTERS]] += 1
        if at is None:
            left_out(lost, "events without a time that can be read pair with nothing")
            return
        self.first = at if self.first is None else min(self.first, at)
        self.last = at if self.last is None else max(self.last, at)
        if step == "start":
            self.open[name] = at
            self.suspended.pop(name, None)
        elif step == "suspend" and name in self.open:
            self.suspended.setdefault(name, at)
        elif step == "resume" and name in self.suspended:
            self.open[name] += max(0, at - self.suspended.pop(name))
        elif step in _ENDS and name in self.open:
            took = self.suspended.pop(name, at) - self.open.pop(name)
            if took < 0:
                left_out(lost, "pairs of events that end before they start")
            elif took > LONGEST_MINUTES * 60_000_000:
                left_out(lost, _DROPPED)
            elif (pair := (name, who, at, took)) in self.pairs:
                left_out(lost, _RESENT)
            else:
                self.pairs.add(pair)
                self.spent[who] = self.spent.get(who, 0) + took


@lru_cache(maxsize=4096)
def _is_outcome(name: str) -> bool:
    return any(word in name.lower() for word in _OUTCOMES)
