"""Event logs of processes, as XES or as a CSV of its attributes: what people spent on a case, not how long it lay.

One trace of the log becomes one case, of the baseline arm: people's work without an agent.

| column of `traces` | from |
|---|---|
| case_id | the trace's `concept:name` (`case:concept:name` in a CSV) |
| handling_minutes | minutes from START to COMPLETE of an activity, less those it is suspended; blank without a pair |
| started_at, ended_at, cycle_days | first and last event; the days between them, which are no handling time |
| worker | who spent the most minutes, else who did the most events (`org:resource`) |
| events | of the case |
| amount | the trace's only attribute whose name begins with `amount`, if there is one |
| trace.… | the trace's other attributes, such as `trace.REG_DATE` |
| ends.… | how often each activity occurred whose name is an outcome's (approved, declined, cancelled …) |

The rule for times: a COMPLETE is paired with the last START of the same activity in the same case since the COMPLETE
before it; a START that another one follows is a second try, and forgotten. A pair of more than eight hours was left
open overnight: it is dropped and counted, for nobody knows how much of it was work. A case whose pairs are all dropped
has no handling time. What lies between SUSPEND and RESUME (or the end) is taken out of a pair, before the eight hours
are looked at; ATE_ABORT and PI_ABORT end a pair as COMPLETE does, for who gives up has worked until then. SCHEDULE and
other transitions pair with nothing. A pair that is told twice counts once.

A case that several files tell, or several traces of one file, is one case. What each of them tells of the same
activity, transition, worker and time is one event: it counts as often as it stands in the one that has it most often.
Where one of them leaves out the worker, the rest tells that it is the same, and the other says who it was.
Their events are put in the order of their times; the first that names an attribute says what it is.

The log's own totals (`meta_concept:named_events_total`) are set against its events.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.parsers import expat

from roi.importers.export import Contradiction, Export, Filled, left_out
from roi.importers.gathered import Gathered
from roi.importers.spans import amount, count, text_of
from roi.importers.times import to_iso
from roi.importers.worked import MOST_CHARACTERS, Event, Told, Worked, event_of
from roi.prices import OwnPrices
from roi.problems import Problem
from roi.readers.base import UnreadableError
from roi.readers.files import Found, Seen, open_bytes

__all__ = ["knows_file", "read"]

_CHUNK = 1 << 18
_LOOKED_AT = 1 << 16
_TOTALS = "meta_concept:named_events_total"
_TAGS: Mapping[str, str] = {
    **dict.fromkeys(("string", "date", "int", "float", "boolean", "id", "list", "container"), "value"),
    **{tag: tag for tag in ("event", "trace", "global")},
}
_EVENT_KEYS = ("concept:name", "org:resource", "time:timestamp", "lifecycle:transition")


class _Log:
    """What is read of logs, file after file."""

    def __init__(self) -> None:
        self.told = Gathered(Told)
        self.lost: dict[str, int] = {}
        self.money = set[str]()  # attributes that may be the amount at stake
        self.teller = 0
        self.events = 0  # of the file at hand
        self.stated: int | None = None  # by it

    def add(self, name: str, said: Mapping[str, str], events: Sequence[Event]) -> None:
        """Add what the teller at hand tells of a case."""
        _, at, into = self.told.of(name).by(self.teller)
        for key, value in said.items():
            if key not in at:
                at[key] = value[:MOST_CHARACTERS]
                if key.lower().startswith("amount"):
                    self.money.add(key)
        into += events
        self.told.relieve(len(events))


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
    log = _Log()
    contradictions: list[Contradiction] = []
    for file, seen in files:
        log.events, log.stated = 0, None
        log.teller += 1
        if file.path.name.lower().endswith((".csv", ".csv.gz")):
            _from_csv(file, seen, log)
        else:
            _from_xes(file, log)
        if log.stated is not None and log.stated != log.events:
            what = "events of the log" if len(files) == 1 else f"events of the log {file.name}"
            contradictions.append(Contradiction(what, f"{log.stated:,}", f"{log.events:,}"))
    money = log.money.pop() if len(log.money) == 1 else None
    rows, timed = Filled(), 0
    for part in log.told.parts():
        for name, told in part:
            row = _row(name, told, money, log.lost)
            rows.add(told.first, row)
            timed += "handling_minutes" in row
        rows.end_run()
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
        left_out=dict(sorted(log.lost.items())),  # parts come in no order of their own
        contradictions=tuple(contradictions),
        arm="baseline",
    )


def _row(name: str, told: Told, money: str | None, lost: dict[str, int]) -> dict[str, str | None]:
    case, events = Worked(), told.events(lost)
    for event in events:
        case.add(event, lost)
    by = case.spent or case.workers
    who = max(by, key=lambda w: (by[w], w), default=None)
    row: dict[str, str | None] = {
        "trace_id": name, "case_id": name, "worker": who or None,
        "started_at": to_iso(case.first), "ended_at": to_iso(case.last), "events": str(len(events)),
    }  # fmt: skip
    if case.spent:
        row["handling_minutes"] = f"{sum(case.spent.values()) / 60_000_000:.6f}"
    if case.first is not None and case.last is not None:
        row["cycle_days"] = f"{(case.last - case.first) / 86_400_000_000:.6f}"
    for key, value in told.attributes().items():
        if key == money and amount(value) is not None:
            row["amount"] = value
        elif key != "concept:name":
            row[f"trace.{key}"] = value
    row.update({f"ends.{key}": str(n) for key, n in case.ends.items()})
    return row


class _Reader:
    """An XES document, element by element; nothing of it is held but the case at hand."""

    def __init__(self, log: _Log, parser: Any) -> None:
        self.log = log
        self.case: dict[str, str] | None = None
        self.events: list[Event] = []
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
                    self.case[key] = given["value"]
                elif key == _TOTALS:
                    self.log.stated = count(given["value"])
        elif kind == "event":
            self.event = {}
        elif kind == "trace":
            self.case, self.events = {}, []
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
                self.events.append(event_of(self.event))
                self.log.events += 1
            self.event = None
        elif kind == "trace" and self.case is not None:
            self.log.teller += 1
            if (name := text_of(self.case.get("concept:name"))) is None:
                left_out(self.log.lost, "a case without a name")
            else:
                self.log.add(name, self.case, self.events)
            self.case = None
        elif kind == "global":
            self.aside -= 1


def _plain(tag: str) -> str:
    """A tag without the prefix of its namespace."""
    plain = tag.rpartition(":")[2]
    return _TAGS.get(plain, plain)


def _from_xes(file: Found, log: _Log) -> None:
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


def _from_csv(file: Found, seen: Seen, log: _Log) -> None:
    if seen.encoding is None:
        raise UnreadableError([Problem(file.name, "", "is no text; export the log as CSV anew")])
    with open_bytes(file.path) as raw:
        text = io.TextIOWrapper(raw, encoding=seen.encoding, errors="replace", newline="")
        try:
            for row in _cells(text):
                name = text_of(row.get("case:concept:name"))
                if name is None:
                    left_out(log.lost, "events that name no case")
                    continue
                said = {k[5:]: v for k, v in row.items() if k[:5] == "case:" and v}
                log.add(name, said, (event_of(row),))
        except csv.Error as error:
            message = f"is no CSV that can be read to its end ({error}); export it anew"
            raise UnreadableError([Problem(file.name, "", message)]) from None


def _cells(text: Any) -> Iterator[dict[str, str]]:
    csv.field_size_limit(_CHUNK)
    rows = csv.reader(text)
    header = next(rows, [])
    for row in rows:
        if row:
            yield dict(zip(header, row, strict=False))
