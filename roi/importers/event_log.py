"""Event logs of processes, as XES or as a CSV of its attributes: what people spent on a case, not how long it lay.

One trace of the log becomes one case, of the baseline arm: people's work without an agent.

| column of `traces` | from |
|---|---|
| case_id | the trace's `concept:name` (`case:concept:name` in a CSV) |
| handling_minutes | sum of the minutes from START to COMPLETE of the same activity; blank where no pair is logged |
| started_at, ended_at, cycle_days | first and last event; the days between them, which are no handling time |
| worker | who spent the most minutes, else who did the most events (`org:resource`) |
| events | of the case |
| amount | the trace's only attribute whose name begins with `amount`, if there is one |
| trace.… | the trace's other attributes, such as `trace.REG_DATE` |
| ends.… | how often each activity occurred whose name is an outcome's (approved, declined, cancelled …) |

The rule for times: a COMPLETE is paired with the last START of the same activity in the same case since the COMPLETE
before it; a START that another one follows is a second try, and forgotten. A pair of more than eight hours was left
open overnight: it is dropped and counted, for nobody knows how much of it was work. A case whose pairs are all dropped
has no handling time. SCHEDULE and other transitions pair with nothing. A pair that is told twice counts once.

The log's own totals (`meta_concept:named_events_total`) are set against its events.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from xml.parsers import expat

from roi.importers.export import Contradiction, Export, Filled, left_out
from roi.importers.gathered import MOST_CELLS, Gathered, Rows, Said
from roi.importers.spans import amount, count, text_of
from roi.importers.times import from_iso, to_iso
from roi.prices import OwnPrices
from roi.problems import Problem
from roi.readers.base import UnreadableError
from roi.readers.files import Found, Seen, open_bytes

__all__ = ["LONGEST_MINUTES", "knows_file", "read"]

LONGEST_MINUTES = 480
"""A pair of events that are further apart was left open; it is no work."""

_CHUNK = 1 << 18
_LOOKED_AT = 1 << 16
_MOST_HELD = MOST_CELLS // 8
_MOST_CELLS = 200  # characters of an attribute that is kept
_TOTALS = "meta_concept:named_events_total"
_TAGS: Mapping[str, str] = {
    **dict.fromkeys(("string", "date", "int", "float", "boolean", "id", "list", "container"), "value"),
    **{tag: tag for tag in ("event", "trace", "global")},
}
_OUTCOMES = (
    "approved", "accepted", "declined", "rejected", "denied", "cancelled", "canceled", "registered", "activated",
    "withdrawn", "resolved", "closed",
)  # fmt: skip
_EVENT_KEYS = ("concept:name", "org:resource", "time:timestamp", "lifecycle:transition")
_RESENT = "a pair of START and COMPLETE that is told more than once counts once"
_DROPPED = "pairs of events more than eight hours apart, left open overnight"


@dataclass(slots=True)
class _Case:
    """A case as its events come in."""

    attributes: dict[str, str] = field(default_factory=dict)
    open: dict[str, int] = field(default_factory=dict)
    pairs: set[tuple[str, str, int, int]] = field(default_factory=set)  # activity, worker, end and duration
    spent: dict[str, int] = field(default_factory=dict)  # microseconds by who worked
    workers: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    first: int | None = None
    last: int | None = None
    events: int = 0

    def pack(self) -> dict[str, Any]:
        """It as plain values, but for what is only needed as long as events come."""
        return {
            "attributes": self.attributes, "spent": self.spent, "workers": dict(self.workers),
            "ends": dict(self.ends), "first": self.first, "last": self.last, "events": self.events,
        }  # fmt: skip

    @classmethod
    def unpack(cls, packed: Mapping[str, Any]) -> _Case:
        """It from what `pack` gave."""
        return cls(**{**packed, "workers": Counter(packed["workers"]), "ends": Counter(packed["ends"])})


@dataclass(slots=True)
class _Log:
    """What is found of a log."""

    cases: Rows[dict[str, Any]]
    lost: dict[str, int] = field(default_factory=dict)
    stated: int | None = None
    events: int = 0

    def add(self, event: Mapping[str, str], case: _Case) -> None:
        """Note an event of a case."""
        self.events += 1
        at = from_iso(event.get("time:timestamp"))
        name, who = event.get("concept:name", ""), event.get("org:resource", "")
        case.events += 1
        if who:
            case.workers[who] += 1
        if _is_outcome(name):
            case.ends[name[:_MOST_CELLS]] += 1
        if at is None:
            left_out(self.lost, "events without a time that can be read pair with nothing")
            return
        case.first = at if case.first is None else min(case.first, at)
        case.last = at if case.last is None else max(case.last, at)
        step = event.get("lifecycle:transition", "").lower()
        if step == "start":
            case.open[name] = at
        elif step == "complete" and name in case.open:
            took = at - case.open.pop(name)
            if took < 0:
                left_out(self.lost, "pairs of events that end before they start")
            elif took > LONGEST_MINUTES * 60_000_000:
                left_out(self.lost, _DROPPED)
            elif (pair := (name, who, at, took)) in case.pairs:
                left_out(self.lost, _RESENT)
            else:
                case.pairs.add(pair)
                case.spent[who] = case.spent.get(who, 0) + took


@lru_cache(maxsize=4096)
def _is_outcome(name: str) -> bool:
    return any(word in name.lower() for word in _OUTCOMES)


def knows_file(found: Found) -> bool:
    """Whether a file is an XES log, or a CSV with its columns."""
    try:
        with open_bytes(found.path) as raw:
            head = raw.read(_LOOKED_AT)
    except (OSError, EOFError, zlib.error):
        return False
    if not found.path.name.lower().endswith((".csv", ".csv.gz")):
        return b"<log" in head
    try:
        header = next(
            csv.reader([head.decode("utf-8-sig", errors="replace").split("\n", 1)[0].rstrip("\r")]), []
        )
    except csv.Error:
        return False
    return {"case:concept:name", "concept:name", "time:timestamp"} <= set(header)


def read(files: Sequence[tuple[Found, Seen]], own: OwnPrices | None = None) -> Export:
    """Read event logs.

    Args:
        files: Each with what a look through its bytes showed.
        own: Prices of one's own; costs are the source's or none.

    Returns:
        A row for each case of the log.

    Raises:
        UnreadableError: If a file cannot be read to its end.
    """
    cases = Rows[dict[str, Any]](most=_MOST_HELD)
    lost: dict[str, int] = {}
    contradictions: list[Contradiction] = []
    for file, seen in files:
        is_csv = file.path.name.lower().endswith((".csv", ".csv.gz"))
        log = _from_csv(file, seen, cases) if is_csv else _from_xes(file, cases)
        for why, n in log.lost.items():
            left_out(lost, why, n)
        if log.stated is not None and log.stated != log.events:
            contradictions.append(Contradiction("events of the log", f"{log.stated:,}", f"{log.events:,}"))
    named = {name for case in cases for name in case["attributes"] if name.lower().startswith("amount")}
    money = named.pop() if len(named) == 1 else None
    rows, timed = Filled(), 0
    for case in cases:
        if (row := _row(_Case.unpack(case), money, lost)) is not None:
            rows.add(len(rows), row)
            timed += "handling_minutes" in row
    warnings = []
    if len(rows) and not timed:
        warnings.append("no activity has both a START and a COMPLETE, so that no handling time is known")
    elif timed < len(rows):
        have = "case has" if len(rows) - timed == 1 else "cases have"
        warnings.append(
            f"{len(rows) - timed:,} {have} no pair of START and COMPLETE that counts: handling time unknown"
        )
    first = (
        "trace_id",
        "case_id",
        "handling_minutes",
        "worker",
        "started_at",
        "ended_at",
        "cycle_days",
        "events",
    )
    return Export(
        traces=rows.table(first=first),
        warnings=tuple(warnings),
        left_out=lost,
        contradictions=tuple(contradictions),
        arm="baseline",
    )


def _row(case: _Case, money: str | None, lost: dict[str, int]) -> dict[str, str | None] | None:
    name = case.attributes.get("concept:name")
    if not name:
        left_out(lost, "a case without a name")
        return None
    by = case.spent or case.workers
    who = max(by, key=lambda w: (by[w], w), default=None)
    row: dict[str, str | None] = {
        "trace_id": name, "case_id": name, "worker": who or None,
        "started_at": to_iso(case.first), "ended_at": to_iso(case.last), "events": str(case.events),
    }  # fmt: skip
    if case.spent:
        row["handling_minutes"] = f"{sum(case.spent.values()) / 60_000_000:.6f}"
    if case.first is not None and case.last is not None:
        row["cycle_days"] = f"{(case.last - case.first) / 86_400_000_000:.6f}"
    for key, value in case.attributes.items():
        if key == money and amount(value) is not None:
            row["amount"] = value
        elif key != "concept:name":
            row[f"trace.{key}"] = value[:_MOST_CELLS]
    row.update({f"ends.{key}": str(n) for key, n in case.ends.items()})
    return row


class _Reader:
    """An XES document, element by element; nothing of it is held but the case at hand."""

    def __init__(self, log: _Log, parser: Any) -> None:
        self.log = log
        self.case: _Case | None = None
        self.event: dict[str, str] | None = None
        self.depth = 0  # of attributes: those inside attributes are none of the case's
        self.aside = 0  # inside `global` and `classifier`, which hold defaults
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end

    def start(self, tag: str, given: dict[str, str]) -> None:
        kind = _TAGS.get(tag) or _plain(tag)
        if kind == "value":
            self.depth += 1
            if self.depth > 1 or self.aside:
                return
            key = given.get("key")
            if self.event is not None:
                if key in _EVENT_KEYS:
                    self.event[key] = given.get("value", "")
            elif key is not None and "value" in given:
                if self.case is not None:
                    self.case.attributes[key] = given["value"]
                elif key == _TOTALS:
                    self.log.stated = count(given["value"])
        elif kind == "event":
            self.event = {}
        elif kind == "trace":
            self.case = _Case()
        elif kind == "global":
            self.aside += 1

    def end(self, tag: str) -> None:
        kind = _TAGS.get(tag) or _plain(tag)
        if kind == "value":
            self.depth -= 1
        elif kind == "event":
            if self.case is None:
                left_out(self.log.lost, "events outside of any case")
            elif self.event is not None:
                self.log.add(self.event, self.case)
            self.event = None
        elif kind == "trace" and self.case is not None:
            self.log.cases.add(len(self.log.cases), self.case.pack())
            self.case = None
        elif kind == "global":
            self.aside -= 1


def _plain(tag: str) -> str:
    """A tag without the prefix of its namespace."""
    plain = tag.rpartition(":")[2]
    return _TAGS.get(plain, plain)


def _from_xes(file: Found, cases: Rows[dict[str, Any]]) -> _Log:
    log = _Log(cases)
    parser = expat.ParserCreate()
    _Reader(log, parser)

    def refuse(*_: Any) -> None:
        raise UnreadableError(
            [Problem(file.name, "", "declares entities of its own, which no event log needs")]
        )

    parser.EntityDeclHandler = refuse
    try:
        with open_bytes(file.path) as raw:
            while chunk := raw.read(_CHUNK):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        message = "is no XML that can be read, or not to its end; export it anew"
        raise UnreadableError([Problem(file.name, f"line {error.lineno:,}", message)]) from None
    except (OSError, EOFError, zlib.error) as error:
        message = f"cannot be read to its end ({type(error).__name__}); export it anew"
        raise UnreadableError([Problem(file.name, "", message)]) from None
    return log


def _from_csv(file: Found, seen: Seen, into: Rows[dict[str, Any]]) -> _Log:
    if seen.encoding is None:
        raise UnreadableError([Problem(file.name, "", "is no text; export the log as CSV anew")])
    log = _Log(into)
    begun, told = len(into), Gathered(Said)
    with open_bytes(file.path) as raw:
        text = io.TextIOWrapper(raw, encoding=seen.encoding, errors="replace", newline="")
        try:
            for row in _cells(text):
                name = text_of(row.get("case:concept:name"))
                if name is None:
                    left_out(log.lost, "events that name no case")
                    continue
                said = told.of(name).said
                event = {k: row[k] for k in _EVENT_KEYS if k in row}
                # The attributes stand in the first row of a case, of which those in memory are perhaps not the first.
                said.append(
                    event if said else event | {k: v for k, v in row.items() if k.startswith("case:") and v}
                )
                told.relieve()
        except csv.Error as error:
            message = f"is no CSV that can be read to its end ({error}); export it anew"
            raise UnreadableError([Problem(file.name, "", message)]) from None
    for part in told.parts():
        for _, held in part:
            case = _Case()
            case.attributes = {
                k.removeprefix("case:"): v for k, v in held.said[0].items() if k.startswith("case:")
            }
            for event in held.said:
                log.add(event, case)
            log.cases.add(begun + held.first, case.pack())
    return log


def _cells(text: Any) -> Iterator[dict[str, str]]:
    csv.field_size_limit(_CHUNK)
    rows = csv.reader(text)
    header = next(rows, [])
    for row in rows:
        if row:
            yield dict(zip(header, row, strict=False))
