"""Three exports of one pilot as its systems would write them, and the clean table that they come from.

A service desk's tickets (XLSX with two title rows and a totals row), a German time tracker (CSV with decimal commas,
several entries a ticket and timers that were left running overnight) and the agent's traces (Langfuse JSON Lines, in
UTC). docs/first_hour.md begins with them.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

__all__ = ["ZONE", "Ticket", "draw_tickets", "write_exports"]

ZONE = ZoneInfo("Europe/Berlin")
FIRST, LAST = dt.date(2026, 7, 1), dt.date(2026, 10, 30)
CHANNELS = {
    "E-mail": (0.6, 17.0, 11.0),
    "Chat": (0.4, 11.0, 8.0),
}  # share, minutes before, minutes with the agent
ERRORS = {"baseline": 0.09, "pilot": 0.05}
PEOPLE = (
    "Meyer",
    "Schulz",
    "Kaya",
    "Nowak",
    "Brandt",
    "Öztürk",
    "Klein",
    "Vogel",
    "Lang",
    "Sommer",
    "Ernst",
    "Busch",
)
OVERNIGHT = 130  # one ticket in so many has a timer that ran until the next morning


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One ticket as it truly was.

    Attributes:
        number: Its number.
        arm: baseline or pilot.
        channel: How it came in.
        person: Who worked it.
        opened: When, in local time.
        minutes: Hands-on minutes.
        outcome: correct, error or escalated.
        severity: Of an error; empty otherwise.
        cost: What the agent cost, in dollars; None without it.
    """

    number: int
    arm: str
    channel: str
    person: str
    opened: dt.datetime
    minutes: float
    outcome: str
    severity: str
    cost: float | None


def draw_tickets(seed: int, n: int = 900) -> list[Ticket]:
    """The clean table.

    Args:
        seed: The same seed gives the same tickets.
        n: How many.
    """
    rng = Random(f"first_hour:tickets:{seed}")
    days = [FIRST + dt.timedelta(days=i) for i in range((LAST - FIRST).days + 1)]
    working = [day for day in days if day.weekday() < 5]
    pace = {person: rng.lognormvariate(0, 0.15) for person in PEOPLE}
    starts = sorted(
        dt.datetime.combine(rng.choice(working), dt.time(8), ZONE)
        + dt.timedelta(seconds=rng.randrange(8 * 3600))
        for _ in range(n)
    )
    return [_ticket(1001 + i, opened, rng, pace) for i, opened in enumerate(starts)]


def _ticket(number: int, opened: dt.datetime, rng: Random, pace: dict[str, float]) -> Ticket:
    channel = "E-mail" if rng.random() < CHANNELS["E-mail"][0] else "Chat"
    arm = "pilot" if rng.random() < 0.5 else "baseline"
    person = rng.choice(PEOPLE)
    mean = CHANNELS[channel][2 if arm == "pilot" else 1] * pace[person]
    seconds = max(30, round(60 * mean * rng.lognormvariate(-0.125, 0.5)))
    wrong = rng.random() < ERRORS[arm]
    escalated = not wrong and arm == "pilot" and rng.random() < 0.04
    cost = round(0.03 * rng.lognormvariate(0, 0.4), 6) if arm == "pilot" else None
    return Ticket(
        number=number,
        arm=arm,
        channel=channel,
        person=person,
        opened=opened,
        minutes=seconds / 60,
        outcome="error" if wrong else "escalated" if escalated else "correct",
        severity=("moderate" if rng.random() < 0.15 else "minor") if wrong else "",
        cost=cost,
    )


def write_exports(folder: Path, seed: int) -> list[Path]:
    """Write the three exports.

    Args:
        folder: Where to; made if it is not there.
        seed: The same seed gives the same bytes.

    Returns:
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tickets = draw_tickets(seed)
    files = [folder / name for name in ("tickets.xlsx", "time.csv", "langfuse.jsonl")]
    _write_tickets(files[0], tickets)
    _write_time(files[1], tickets, Random(f"first_hour:time:{seed}"))
    _write_traces(files[2], tickets, Random(f"first_hour:traces:{seed}"))
    return files


_RESULTS = {"correct": "solved", "error": "wrong", "escalated": "handed over"}


def _write_tickets(path: Path, tickets: list[Ticket]) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    book.properties.created = book.properties.modified = dt.datetime(2026, 11, 2, 9)
    sheet = book.active
    sheet.title = "Tickets"
    sheet.append(["Service desk: tickets of the assistant's trial"])
    sheet.append(["Exported 2 November 2026 · filter: closed, July to October"])
    names = ["Ticket", "Opened", "Channel", "Handled", "Agent", "Result", "Severity"]
    sheet.append(names)
    for cell in (sheet["A1"], *sheet[3]):
        cell.font = Font(bold=True)
    for t in tickets:
        handled = "with assistant" if t.arm == "pilot" else "without assistant"
        opened = t.opened.replace(tzinfo=None, microsecond=0)
        sheet.append(
            [f"#{t.number}", opened, t.channel, handled, t.person, _RESULTS[t.outcome], t.severity or None]
        )
    sheet.append([f"Total: {len(tickets)} tickets"])
    for row in sheet.iter_rows(min_row=4, min_col=2, max_col=2):
        row[0].number_format = "yyyy-mm-dd hh:mm:ss"
    sheet.column_dimensions["B"].width = 20
    _save(book, path)


def _save(book: object, path: Path) -> None:
    """Save a workbook so that the same cells give the same bytes: a workbook is an archive with times in it."""
    import io
    import re
    import zipfile

    raw = io.BytesIO()
    book.save(raw)  # type: ignore[attr-defined]
    with zipfile.ZipFile(raw) as found, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in sorted(found.namelist()):
            content = found.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", b"2026-11-02T09:00:00Z", content)
            info = zipfile.ZipInfo(name, (2026, 11, 2, 9, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            kept.writestr(info, content)


def _write_time(path: Path, tickets: list[Ticket], rng: Random) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(["Ticketnummer", "Mitarbeiter", "Beginn", "Ende", "Dauer (Min.)"])
        entries = sorted((e for t in tickets for e in _entries(t, rng)), key=lambda e: (e[2], e[0]))
        for number, person, start, end in entries:
            minutes = f"{(end - start).total_seconds() / 60:.2f}".replace(".", ",")
            writer.writerow(
                [f"SD-{number}", person, f"{start:%d.%m.%Y %H:%M:%S}", f"{end:%d.%m.%Y %H:%M:%S}", minutes]
            )


def _entries(ticket: Ticket, rng: Random) -> Iterator[tuple[int, str, dt.datetime, dt.datetime]]:
    """The entries of a ticket: its minutes in one to three pieces, and sometimes a timer that nobody stopped."""
    left = round(ticket.minutes * 60)
    start = ticket.opened.replace(tzinfo=None)
    for piece in range(rng.choice((1, 1, 2, 3)), 0, -1):
        seconds = left if piece == 1 else min(left, max(10, math.floor(left * rng.uniform(0.3, 0.6))))
        if seconds <= 0:
            break
        yield ticket.number, ticket.person, start, start + dt.timedelta(seconds=seconds)
        left -= seconds
        start += dt.timedelta(seconds=seconds + rng.randrange(60, 900))
    if rng.randrange(OVERNIGHT) == 0:
        evening = start.replace(hour=17, minute=rng.randrange(30, 59), second=0)
        morning = (evening + dt.timedelta(days=1)).replace(hour=8, minute=rng.randrange(59))
        yield ticket.number, ticket.person, evening, morning


def _write_traces(path: Path, tickets: list[Ticket], rng: Random) -> None:
    lines = []
    for t in tickets:
        if t.cost is None:
            continue
        calls = rng.choice((1, 2, 2, 3))
        parts = [round(t.cost / calls, 6)] * (calls - 1)
        parts.append(round(t.cost - sum(parts), 6))
        per_trace = [parts[:1], parts[1:]] if calls > 1 and rng.random() < 0.3 else [parts]
        for place, costs in enumerate(per_trace):
            at = t.opened.astimezone(dt.UTC) + dt.timedelta(seconds=20 + 240 * place)
            lines.append(json.dumps(_trace(f"t{t.number}-{place}", t, at, costs), ensure_ascii=False))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _trace(identifier: str, ticket: Ticket, at: dt.datetime, costs: list[float]) -> dict[str, object]:
    observations = []
    for i, cost in enumerate(costs):
        start = at + dt.timedelta(seconds=8 * i)
        sent, received = round(cost * 120_000), round(cost * 9_000)
        observations.append(
            {
                "id": f"{identifier}-{i}",
                "traceId": identifier,
                "type": "GENERATION",
                "name": "reply",
                "startTime": _utc(start),
                "endTime": _utc(start + dt.timedelta(seconds=5)),
                "model": "gpt-4.1",
                "usageDetails": {"input": sent, "output": received, "total": sent + received},
                "costDetails": {
                    "input": round(cost * 0.7, 6),
                    "output": round(cost - round(cost * 0.7, 6), 6),
                    "total": cost,
                },
            }
        )
    head = {
        "id": identifier,
        "name": "assistant",
        "timestamp": _utc(at),
        "projectId": "service-desk",
        "release": "2026-06",
        "metadata": {"ticket": f"{ticket.number:06d}", "channel": ticket.channel.lower()},
    }
    return {"trace": head, "observations": observations}


def _utc(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
