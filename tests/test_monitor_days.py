"""What is summed of fresh cases by day, each by hand on a few rows."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from sample_projects import Project

from roi.moments import ALL
from roi.monitor_columns import half_labelled
from roi.monitor_days import Stream, read_stream

HEAD = "case_id,arm,started_at,worker,segment,handling_minutes,rework_minutes,outcome,severity,label_source,setting,version"


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def stream(project: Project, rows: list[str], **given: object) -> Stream:
    samples = project.cases("\n".join([HEAD, *rows]) + "\n", samples={"version": "all"})
    found = read_stream(
        samples, **({"since": None, "timezone": "UTC", "selection": "all", "currency": "EUR"} | given)
    )
    assert found is not None
    return found


def by_day(found: Stream, measure: str) -> tuple[list[float], list[float]]:
    rows = found.measures[measure]
    return (
        np.bincount(rows.day, rows.n, minlength=found.days).tolist(),
        np.bincount(rows.day, rows.total, minlength=found.days).tolist(),
    )


def test_minutes_errors_and_hand_overs_by_day(project):
    """The second day has nothing: unknown. A hand-over that nobody logged is charged what a case took before."""
    rows = [
        "1,pilot,2026-12-01 09:00,w1,a,5,1,correct,,human,production,v1",
        "2,pilot,2026-12-01 23:30,w2,b,7,0,error,minor,human,production,v1",
        "3,pilot,2026-12-03 09:00,w1,a,2,,escalated,,human,production,v2",
        "4,pilot,2026-12-03 09:30,w1,a,,,correct,,human,production,v2",
        "5,baseline,2026-12-03 09:40,w1,a,20,0,error,critical,human,production,",
        "6,pilot,2026-12-03 09:50,w1,a,1,1,error,critical,human,demo,v2",
    ]
    found = stream(project, rows, baseline_minutes={ALL: 10.0, "a": 12.0})
    assert (found.first, found.days) == (dt.date(2026, 12, 1), 3)
    assert by_day(found, "human_minutes_pilot") == ([2, 0, 1], [13, 0, 14])  # 2 of its own and 12
    assert by_day(found, "error_rate_pilot") == ([2, 0, 2], [1, 0, 0])
    assert by_day(found, "escalation_rate_pilot") == ([2, 0, 2], [0, 0, 1])
    assert found.volume.n.sum() == 4
    assert [(v.name, v.day, v.from_table) for v in found.changes] == [("v1", 0, False), ("v2", 2, False)]
    assert found.people
    assert found.unknown["agent_cost_per_case"].startswith("the cases carry no agent cost")


def test_a_hand_over_without_a_baseline_has_no_known_minutes(project):
    rows = [
        "1,pilot,2026-12-01 09:00,w1,a,5,1,correct,,human,production,v1",
        "2,pilot,2026-12-01 09:10,w1,a,2,,escalated,,human,production,v1",
    ]
    assert by_day(stream(project, rows), "human_minutes_pilot") == ([1], [6])


def test_errors_of_unknown_severity_are_severe_and_a_judge_s_word_is_none(project):
    rows = [
        "1,pilot,2026-12-01 09:00,w1,a,5,0,error,,human,production,v1",
        "2,pilot,2026-12-01 09:10,w1,a,5,0,error,moderate,human,production,v1",
        "3,pilot,2026-12-01 09:20,w1,a,5,0,error,critical,judge,production,v1",
    ]
    found = stream(project, rows)
    assert by_day(found, "severe_error_rate_pilot") == ([2], [1])
    only = stream(project, rows[2:])
    assert only.unknown["error_rate_pilot"] == "no fresh case says it"


def test_days_are_those_of_the_pilot_s_time_zone(project):
    """23:30 in UTC is the next day in Berlin."""
    rows = ["1,pilot,2026-12-01T23:30:00Z,w1,a,5,0,correct,,human,production,v1"]
    assert stream(project, rows, timezone="Europe/Berlin").first == dt.date(2026, 12, 2)
    assert stream(project, rows).first == dt.date(2026, 12, 1)


def test_nothing_fresh_is_no_stream(project):
    samples = project.cases(f"{HEAD}\n1,pilot,2026-12-01 09:00,w1,a,5,0,correct,,human,production,v1\n")
    assert (
        read_stream(samples, since=dt.date(2026, 12, 2), timezone="UTC", selection="all", currency="EUR")
        is None
    )


def test_days_half_labelled_by_hand():
    """Of ten cases a day all are labelled, but three and nine on two days, none on one: three of ten tell nothing."""
    labelled = np.array([10.0, 10, 10, 3, 9, 0, 10, 10])
    assert half_labelled(labelled, np.full(8, 10.0)).tolist() == [
        False,
        False,
        False,
        True,
        False,
        False,
        False,
        False,
    ]
    # Where never more than seven of ten are, seven are usual, and six of ten are too few.
    assert half_labelled(np.array([7.0, 7, 7, 6, 7]), np.full(5, 10.0)).tolist() == [
        False,
        False,
        False,
        True,
        False,
    ]
    assert not half_labelled(np.zeros(3), np.full(3, 10.0)).any()
