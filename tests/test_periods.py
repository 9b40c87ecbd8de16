"""A last month that is not over is left out and counted by arm; a short pilot keeps everything."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from zoneinfo import ZoneInfo

import duckdb
import pytest
from sample_projects import Project, column

from roi.periods import day_of, local_day, months_of, working_days_after
from roi.reduce import take_moments
from roi.taken import newest_day

HEADER = "case_id,arm,handling_minutes,started_at"


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def month(
    year: int, number: int, last_day: int, *, every: int = 2, arms: str = "both"
) -> list[tuple[str, str]]:
    """A case of each arm on every second day up to one, at noon."""
    days = range(1, last_day + 1, every)
    kinds = ("baseline", "pilot") if arms == "both" else (arms,)
    return [(arm, f"{year}-{number:02d}-{day:02d} 12:00:00") for day in days for arm in kinds]


def text(*months: list[tuple[str, str]]) -> str:
    rows = [row for part in months for row in part]
    return "\n".join([HEADER, *(f"T{i},{arm},5,{at}" for i, (arm, at) in enumerate(rows))]) + "\n"


def opened(project, *months, **samples):
    found = project.cases(text(*months), samples=samples)
    left = {e.arm: e.rows for e in found.exclusions if "not over" in e.reason}
    return found, left


WHOLE = [month(2026, 8, 31), month(2026, 9, 30), month(2026, 10, 31)]
BASELINE = [month(2026, m, 30, arms="baseline", every=1) for m in (9, 10)]
LATE = [month(2026, 9, 30, every=15), month(2026, 10, 30, every=15), *BASELINE]


def test_a_month_that_is_not_over_is_left_out_and_counted_by_arm(project):
    found, left = opened(project, *WHOLE, month(2026, 11, 17))
    assert left == {"baseline": 9, "pilot": 9}
    assert max(column(found, "started_at")) == dt.datetime(2026, 10, 31, 12)
    said = next(w for w in found.warnings if "not over" in w)
    assert said.startswith("November 2026 is not over and is left out (9 baseline and 9 pilot cases)")
    assert "partial_months: keep" in said
    assert "2026-11-17" in said


def test_it_is_kept_where_the_file_says_so(project):
    found, left = opened(project, *WHOLE, month(2026, 11, 17), partial_months="keep")
    assert left == {}
    assert len(column(found, "case_id")) == sum(len(m) for m in WHOLE) + 18


@pytest.mark.parametrize(
    ("months", "why"),
    [
        ([month(2026, 10, 31), month(2026, 11, 17)], "fewer than two months before it"),
        ([month(2026, 11, 17)], "one month only"),
        ([*WHOLE, month(2026, 11, 25)], "only three working days are left, which may be holidays"),
        ([*WHOLE, month(2026, 11, 17, every=1)], "it holds more than the months before"),
        ([*LATE, month(2026, 11, 9, arms="pilot", every=1)], "it would cost half of the pilot's cases"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_everything_is_kept(project, months, why):
    assert opened(project, *months)[1] == {}, why


def test_a_pilot_that_began_last_month_keeps_everything(project):
    """A long baseline before it does not make a short pilot long."""
    before = [month(2026, m, 28, arms="baseline", every=1) for m in (6, 7, 8, 9)]
    assert opened(project, *before, month(2026, 10, 31), month(2026, 11, 17))[1] == {}


def test_months_are_those_of_the_samples_own_calendar(project):
    """23:30 UTC on 30 September is October in Berlin."""
    found = project.cases(
        f"{HEADER}\n1,pilot,5,2026-09-30T23:30:00Z\n2,pilot,5,2026-09-30T21:30:00Z\n",
        samples={"timezone": "Europe/Berlin"},
    )
    con = found.con
    assert months_of(con, "cases", "true", "Europe/Berlin") == {
        "2026-09": {"pilot": 1},
        "2026-10": {"pilot": 1},
    }
    assert months_of(con, "cases", "true", "UTC") == {"2026-09": {"pilot": 2}}


def test_actions_follow_their_cases(project):
    project.write("cases.csv", text(*WHOLE, month(2026, 11, 17)))
    n = len(text(*WHOLE, month(2026, 11, 17)).splitlines()) - 1
    project.write("actions.csv", "action_id,case_id,tool\n" + "".join(f"A{i},T{i},send\n" for i in range(n)))
    found = project.open(samples={"actions": "data/actions.csv"})
    left = {(e.table, e.rows) for e in found.exclusions if e.table == "actions"}
    assert left == {("actions", 18)}
    assert len(column(found, "action_id", "actions")) == len(column(found, "case_id"))


@pytest.mark.parametrize(
    ("day", "left"),
    [
        ("2026-11-30", 0),
        ("2026-11-27", 1),
        ("2026-11-20", 6),
        ("2026-10-30", 0),
        ("2026-12-24", 5),
        ("2026-02-25", 2),
    ],
)
def test_working_days_after_a_day(day, left):
    """Counted on a calendar: 30 November 2026 is a Monday."""
    assert working_days_after(dt.date.fromisoformat(day)) == left


def test_cases_without_a_time_are_kept(project):
    rows = text(*WHOLE, month(2026, 11, 17)) + "X1,pilot,5,\nX2,baseline,5,\n"
    found = project.cases(rows)
    assert {"X1", "X2"} & set(column(found, "case_id")) == set()  # pseudonyms
    assert sum(at is None for at in column(found, "started_at")) == 2


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_a_case_at_the_edge_of_a_month_belongs_to_the_month_that_begins(zone):
    """By the calendar of Python, for edges and middles of fifteen months, one of them without a case."""
    edges = [
        dt.datetime(2025 + m // 12, m % 12 + 1, 1, tzinfo=ZoneInfo(zone))
        .astimezone(dt.UTC)
        .replace(tzinfo=None)
        for m in range(15)
    ]
    moment = dt.timedelta(microseconds=1)
    times = [
        t for e in edges if e != edges[4] for t in (e - moment, e, e + moment, e + dt.timedelta(days=14))
    ]
    times.remove(edges[5] - moment)
    con = duckdb.connect(config={"threads": 1})
    con.execute("set TimeZone = 'UTC'; create table c (arm varchar, started_at timestamp)")
    con.executemany("insert into c values ('pilot', ?)", [[t] for t in times])
    con.execute("insert into c values ('pilot', null), ('baseline', timestamp '2025-03-15')")
    counted = Counter(t.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(zone)).strftime("%Y-%m") for t in times)
    found = months_of(con, "c", "true", zone)
    assert {month: of["pilot"] for month, of in found.items()} == counted
    assert found["2025-03"]["baseline"] == 1
    assert "2025-05" not in found
    assert list(found) == sorted(found)
    days = con.execute(
        f"select started_at, {local_day('started_at', zone)} from c where arm = 'pilot'"
    ).fetchall()
    assert all(day == t.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(zone)).date() for t, day in days if t)


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        ("Asia/Tokyo", "2026-04-01", "2026-06-30"),  # midnight there is the day before in UTC
        ("America/Chicago", "2026-04-01 21:30:00", "2026-06-30 21:30:00"),  # and this evening the day after
        ("UTC", "2026-04-01", "2026-06-30"),
    ],
)
def test_first_and_newest_day_are_those_of_the_samples_time_zone(project, zone, first, last):
    """Seen as 31 March to 29 June in a report on Tokyo, and as a decision in July in one on Chicago."""
    found = project.cases(
        f"{HEADER}\nT1,baseline,5,{first}\nT2,pilot,5,{last}\n",
        samples={"timezone": zone},
    )
    moments = take_moments(found)
    assert (moments.first, moments.last) == (dt.date(2026, 4, 1), dt.date(2026, 6, 30))
    assert newest_day(found, moments) == dt.date(2026, 6, 30)


def test_the_newest_day_of_a_log_is_that_of_the_samples_time_zone(project):
    project.write("changes.csv", "version,changed_at\nv1,2026-05-02\n")
    found = project.cases(
        f"{HEADER}\nT1,baseline,5,2026-04-01\nT2,pilot,5,2026-04-02\n",
        samples={"timezone": "Asia/Tokyo", "changes": "data/changes.csv"},
    )
    assert newest_day(found, take_moments(found)) == dt.date(2026, 5, 2)


def test_a_day_at_the_end_of_the_calendar_stays_a_day():
    assert day_of(dt.datetime(9999, 12, 31, 23), "Asia/Tokyo") == dt.date(9999, 12, 31)
    assert day_of(dt.datetime(1, 1, 1), "America/Chicago") == dt.date(1, 1, 1)
