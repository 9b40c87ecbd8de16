"""Calendar months of a sample: which the newest cases leave unfinished, and how many cases each holds.

The last calendar month is partial when its newest case leaves more than three of its working days (Monday to Friday)
without a case, and it holds fewer cases than each whole month before it. It is left out unless the file says
`partial_months: keep`; a pilot that has worked in fewer than two months before it keeps everything, and so does one
that would lose half of an arm.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from roi.readers.base import Connection, literal

__all__ = [
    "PartialMonth",
    "day_of",
    "end_of_day",
    "local_day",
    "months_of",
    "partial_month",
    "working_days_after",
]

WORKING_DAYS = 3  # public holidays at the end of a month are no sign that it is unfinished
MONTHS_BEFORE = 2
MOST_LOST = 0.5
LONGEST = 1200  # months; a sample whose times span more holds a mistyped year

Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialMonth:
    """The last calendar month of a sample, if it is unfinished.

    Attributes:
        month: Its first day.
        newest: Day of its newest case.
        start: When it begins, as the naive UTC time that samples carry.
        rows: Cases it holds, by arm.
    """

    month: dt.date
    newest: dt.date
    start: dt.datetime
    rows: Mapping[str, int]


def months_of(con: Connection, cases: str, condition: str, timezone: str) -> dict[str, dict[str, int]]:
    """Cases by calendar month and arm.

    Args:
        con: The engine.
        cases: The table of the cases, with `arm` and naive UTC `started_at`.
        condition: SQL that is true of the cases to count.
        timezone: Whose calendar.

    Returns:
        "2026-09" → arm → cases, in the order of the months; empty months between are left out. Empty without times.
    """
    first, last = con.execute(
        f"select min(started_at), max(started_at) from {cases} where {condition}"
    ).fetchall()[0]
    if first is None or last is None:
        return {}
    edges = _edges(first, last, timezone)
    if edges is None:
        return {}
    found = con.execute(
        f"select {_place([begin for _, begin, _ in edges])}, arm, count(*) from {cases} "
        f"where {condition} and started_at is not null group by 1, 2 order by 1, 2"
    ).fetchall()
    months: dict[str, dict[str, int]] = {}
    for place, arm, n in found:
        months.setdefault(f"{edges[place][0]:%Y-%m}", {})[str(arm)] = int(n)
    return months


def local_day(time: str, timezone: str) -> str:
    """SQL of the day of a naive UTC time in a time zone; UTC itself needs no calendar, which is dear."""
    if timezone == "UTC":
        return f"({time})::date"
    return f"timezone({literal(timezone)}, timezone('UTC', {time}))::date"


def end_of_day(day: dt.date, timezone: str | None) -> dt.datetime:
    """When a day is over, in naive UTC: at home and in UTC, whichever is later, as days are told by either."""
    after = dt.datetime.combine(day + dt.timedelta(days=1), dt.time())
    home = after.replace(tzinfo=ZoneInfo(timezone or "UTC")).astimezone(dt.UTC).replace(tzinfo=None)
    return max(after, home)


def day_of(time: dt.datetime, timezone: str) -> dt.date:
    """The day of a naive UTC time in a time zone."""
    try:
        return time.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(timezone)).date()
    except OverflowError:  # a mistyped year at either end of the calendar
        return time.date()


def partial_month(con: Connection, cases: str, condition: str, timezone: str) -> PartialMonth | None:
    """The unfinished last month that is to be left out; None where there is none.

    Args:
        con: The engine.
        cases: The table of the cases, with `arm` and naive UTC `started_at`.
        condition: SQL that is true of the production cases that may be used.
        timezone: Whose calendar.
    """
    months = months_of(con, cases, condition, timezone)
    if len(months) <= MONTHS_BEFORE:
        return None
    *earlier, last = sorted(months)
    newest_utc = con.execute(f"select max(started_at) from {cases} where {condition}").fetchall()[0][0]
    newest = newest_utc.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(timezone)).date()
    rows = months[last]
    # The first month is as likely cut off at its beginning, so that it says nothing about a usual month.
    usual = [sum(months[m].values()) for m in earlier[1:]] or [sum(months[earlier[0]].values())]
    worked = sum("pilot" in months[m] for m in earlier)
    whole = {arm: sum(months[m].get(arm, 0) for m in months) for arm in rows}
    if (
        working_days_after(newest) <= WORKING_DAYS
        or sum(rows.values()) >= min(usual)
        or worked < MONTHS_BEFORE
        or any(n > MOST_LOST * whole[arm] for arm, n in rows.items())
    ):
        return None
    month = newest.replace(day=1)
    return PartialMonth(month=month, newest=newest, start=_utc(month, timezone), rows=rows)


def working_days_after(day: dt.date) -> int:
    """Working days (Monday to Friday) of its month after a day."""
    rest = (day + dt.timedelta(days=n) for n in range(1, 31))
    return sum(d.month == day.month and d.weekday() < 5 for d in rest)


def _edges(
    first: dt.datetime, last: dt.datetime, timezone: str
) -> list[tuple[dt.date, dt.datetime, dt.datetime]] | None:
    zone = ZoneInfo(timezone)
    if first.year < 2 or last.year > 9998:  # no calendar reaches beyond
        return None
    month = first.replace(tzinfo=dt.UTC).astimezone(zone).date().replace(day=1)
    end = last.replace(tzinfo=dt.UTC).astimezone(zone).date()
    edges = []
    while month <= end:
        following = (month + dt.timedelta(days=32)).replace(day=1)
        edges.append((month, _utc(month, timezone), _utc(following, timezone)))
        month = following
        if len(edges) > LONGEST:
            return None
    return edges


def _place(begins: Sequence[dt.datetime], first: int = 0) -> str:
    """SQL of the place of `started_at` among times in order, halved at each step; earlier ones belong to the first."""
    if len(begins) == 1:
        return str(first)
    half = len(begins) // 2
    below, above = _place(begins[:half], first), _place(begins[half:], first + half)
    return f"case when started_at < timestamp '{begins[half]}' then {below} else {above} end"


def _utc(month: dt.date, timezone: str) -> dt.datetime:
    local = dt.datetime(month.year, month.month, 1, tzinfo=ZoneInfo(timezone))
    return local.astimezone(dt.UTC).replace(tzinfo=None)
