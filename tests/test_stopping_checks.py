"""Checks of monitoring and rollback: each finds its planted fault with exactly its rows, and nothing on clean logs."""

from __future__ import annotations

import datetime as dt

import pytest
from made_controls import by_name, clean, clean_cases, logs_of, rows_of

from roi.controls.scorecard import gate_of
from roi.controls.stopping_checks import VISIBLE_DAYS, stopping_checks

LAYER = "rollback"


@pytest.fixture
def tables():
    return clean(200)


def checks(tables, **given):
    return by_name(stopping_checks(logs_of(tables, **given)), LAYER)


def failing(found):
    return {name for name, check in found.items() if check.status == "fail"}


def test_clean_logs_pass_every_check(tables):
    found = checks(tables)
    assert {name: c.status for name, c in found.items()} == dict.fromkeys(found, "pass")
    gate = gate_of(LAYER, tuple(found.values()))
    assert (gate.state, gate.value, gate.threshold) == ("shown", 6.0, 15.0)
    assert gate.evidence == (
        "On 5\u00a0October\u00a02026 the agent was paused 6 minutes after detection; the slowest pause of an incident, of "
        "20\u00a0September\u00a02026, took 9 minutes."
    )
    assert found["drill_recent"].value == (dt.date(2026, 11, 30) - dt.date(2026, 10, 5)).days
    assert found["restored"].value == 60.0


def test_an_old_drill_is_found(tables):
    found = checks(tables, as_of=dt.date(2027, 4, 4))  # 181 days later
    assert failing(found) == {"drill_recent"}
    assert found["drill_recent"].rows == rows_of("incidents", 2)
    assert found["drill_recent"].value == 181
    assert checks(tables, as_of=dt.date(2027, 4, 3))["drill_recent"].status == "pass"


def test_a_drill_after_the_day_of_the_decision_does_not_count(tables):
    found = checks(tables, as_of=dt.date(2026, 10, 1))
    assert found["drill_recent"].value == 11  # the incident of 20 September
    assert found["pause_in_time"].value == 9


def test_days_are_those_of_the_pilots_timezone(tables):
    """22:30 in London's winter is the next day in Tokyo."""
    tables["incidents"] = tables["incidents"][1:]
    tables["incidents"][0]["detected_at"] = dt.datetime(2026, 10, 4, 22, 30)
    assert "5\u00a0October\u00a02026" in checks(tables, timezone="Asia/Tokyo")["drill_recent"].evidence
    assert "4\u00a0October\u00a02026" in checks(tables)["drill_recent"].evidence


@pytest.mark.parametrize(
    ("minutes", "text", "also"),
    [
        (16, "16 minutes after detection, of 15 minutes at most.", set()),
        (-20, "20 minutes before detection: the times contradict each other.", {"incident_times"}),
    ],
)
def test_a_pause_that_was_too_slow_or_too_early_is_found(tables, minutes, text, also):
    drill = tables["incidents"][1]
    drill["paused_at"] = drill["detected_at"] + dt.timedelta(minutes=minutes)
    found = checks(tables)
    assert failing(found) == {"pause_in_time", *also}
    assert found["pause_in_time"].evidence.endswith(text)
    for name in ("pause_in_time", *also):
        assert found[name].rows == rows_of("incidents", 2)


def test_a_slow_pause_is_mended_by_a_quick_drill_but_not_hidden(tables):
    """Stopping works now; that an incident of late waited for ten hours is a finding all the same."""
    incident = tables["incidents"][0]
    incident |= {"paused_at": incident["detected_at"] + dt.timedelta(hours=10), "restored_at": None}
    assert not failing(checks(tables))  # it was restricted after 4 minutes
    incident["restricted_at"] = None
    found = checks(tables)
    assert failing(found) == {"incidents_answered"}
    assert found["incidents_answered"].rows == rows_of("incidents", 1)
    assert (
        "1 later than the 15 minutes that a pause may take: 600 minutes"
        in found["incidents_answered"].evidence
    )
    assert (
        "the slowest pause of an incident, of 20\u00a0September\u00a02026, took 600 minutes"
        in found["pause_in_time"].evidence
    )
    assert gate_of(LAYER, tuple(found.values())).state == "shown"
    incident["severity"] = None
    assert checks(tables)["incidents_answered"].status == "missing_evidence"
    late = checks(tables, policy={"drill_max_age_days": 60})  # 71 days before the decision
    assert "slowest" not in late["pause_in_time"].evidence


def test_restoring_alone_answers_no_incident(tables):
    lost = tables["incidents"][0] | {"severity": "critical"}
    lost |= dict.fromkeys(("paused_at", "restricted_at", "rolled_back_to"))
    tables["incidents"].append(lost | {"restored_at": lost["detected_at"] + dt.timedelta(days=19)})
    found = checks(tables)
    assert failing(found) == {"incidents_answered"}
    assert found["incidents_answered"].rows == rows_of("incidents", 3)
    tables["incidents"][2] |= {"rolled_back_to": "v1", "restored_at": None}
    assert (
        checks(tables)["incidents_answered"].status == "missing_evidence"
    )  # answered, but nobody says how soon


def test_service_restored_before_detection_is_a_contradiction(tables):
    drill = tables["incidents"][1]
    drill["restored_at"] = drill["detected_at"] - dt.timedelta(minutes=30)
    found = checks(tables)
    assert failing(found) == {"restored", "incident_times"}
    assert found["restored"].rows == rows_of("incidents", 2)


def test_what_came_after_the_day_of_the_decision_is_no_evidence(tables):
    drill, later = tables["incidents"][1], dt.datetime(2027, 3, 1)
    drill |= {"restored_at": later, "rolled_back_to": None}
    assert failing(checks(tables)) == {"restored"}
    drill["paused_at"] = later
    assert checks(tables)["pause_in_time"].value == 9  # of the incident before
    tables["incidents"][0] |= {"detected_at": later, "paused_at": later}
    assert checks(tables)["pause_in_time"].status == "missing_evidence"


def test_a_pause_at_the_limit_is_in_time(tables):
    drill = tables["incidents"][1]
    drill["paused_at"] = drill["detected_at"] + dt.timedelta(minutes=15)
    assert checks(tables)["pause_in_time"].status == "pass"
    assert checks(tables, policy={"max_minutes_to_pause": 14})["pause_in_time"].status == "fail"


def test_service_that_was_not_restored_is_found(tables):
    tables["incidents"][1] |= {"restored_at": None, "rolled_back_to": None}
    found = checks(tables)
    assert failing(found) == {"restored"}
    assert found["restored"].rows == rows_of("incidents", 2)
    tables["incidents"][1]["rolled_back_to"] = "v1"
    assert checks(tables)["restored"].status == "pass"


@pytest.mark.parametrize(
    ("column", "minutes"),
    [("started_at", 5), ("restricted_at", -5), ("restricted_at", 130), ("restored_at", 2)],
)
def test_times_out_of_order_are_found(tables, column, minutes):
    incident = tables["incidents"][0]
    incident[column] = incident["detected_at"] + dt.timedelta(minutes=minutes)
    found = checks(tables)
    assert failing(found) == {"incident_times"}
    assert found["incident_times"].rows == rows_of("incidents", 1)


def test_a_severe_incident_that_nobody_answered_is_found(tables):
    lost = tables["incidents"][0] | {"severity": "critical"}
    lost |= dict.fromkeys(("paused_at", "restricted_at", "restored_at", "rolled_back_to"))
    mild = lost | {"severity": "minor"}
    tables["incidents"] += [mild, lost]
    found = checks(tables)
    assert failing(found) == {"incidents_answered"}
    assert found["incidents_answered"].rows == rows_of("incidents", 4)
    tables["incidents"][3]["restricted_at"] = lost["detected_at"]
    assert not failing(checks(tables))


def test_a_way_back_to_an_unlisted_version_is_found(tables):
    tables["incidents"][0]["rolled_back_to"] = "v0"
    found = checks(tables)
    assert failing(found) == {"way_back"}
    assert found["way_back"].rows == rows_of("incidents", 1)


@pytest.mark.parametrize(("name", "column"), [("quality_by_day", "outcome"), ("cost_by_day", "agent_cost")])
def test_days_of_which_nothing_is_known_are_found(tables, name, column):
    tables["cases"] = clean_cases(1440)  # twenty days, 72 cases each, the days from 8 to 8 o'clock
    dark = {dt.date(2026, 9, 5), dt.date(2026, 9, 9), dt.date(2026, 9, 10)}
    rows = []
    for i, row in enumerate(tables["cases"], 1):
        if row["started_at"].date() in dark:
            row[column] = None
            rows += [i] if row["arm"] == "pilot" else []
    found = checks(tables)
    assert failing(found) == {name}
    days = len({r["started_at"].date() for r in tables["cases"]})
    assert found[name].value == pytest.approx((days - 3) / days)
    assert found[name].value < VISIBLE_DAYS
    assert found[name].rows == rows_of("cases", *rows)


def test_one_known_case_makes_a_day_visible(tables):
    seen = set()
    for row in tables["cases"]:
        day = row["started_at"].date()
        if row["arm"] == "pilot" and day in seen:
            row["outcome"] = None
        seen |= {day} if row["arm"] == "pilot" else set()
    assert checks(tables)["quality_by_day"].value == 1


# What is not there


def test_without_incidents_nothing_is_shown(tables):
    del tables["incidents"]
    found = checks(tables)
    assert {n for n, c in found.items() if c.status == "pass"} == {"quality_by_day", "cost_by_day"}
    assert gate_of(LAYER, tuple(found.values())).state == "missing_evidence"
    del tables["cases"]
    assert {c.status for c in checks(tables).values()} == {"missing_evidence"}


WITHOUT = [
    ("drill_recent", "incidents", ["paused_at"]),
    ("pause_in_time", "incidents", ["paused_at"]),
    ("restored", "incidents", ["paused_at"]),
    ("restored", "incidents", ["restored_at", "rolled_back_to"]),
    ("incident_times", "incidents", ["started_at", "paused_at", "restricted_at", "restored_at"]),
    ("incidents_answered", "incidents", ["severity"]),
    ("way_back", "incidents", ["rolled_back_to"]),
    ("quality_by_day", "cases", ["started_at"]),
    ("quality_by_day", "cases", ["outcome"]),
    ("cost_by_day", "cases", ["agent_cost"]),
]


@pytest.mark.parametrize(("name", "table", "columns"), WITHOUT)
def test_what_a_table_does_not_say_is_missing_evidence(tables, name, table, columns):
    check = checks(tables, without={table: columns})[name]
    assert (check.status, bool(check.mend)) == ("missing_evidence", True)
    if columns == ["restored_at", "rolled_back_to"]:
        return  # what is there and blank of the newest drill was not restored
    for row in tables[table]:
        row |= dict.fromkeys(columns)
    assert checks(tables)[name].status == "missing_evidence"


def test_without_a_day_of_the_decision_a_drill_has_no_age(tables):
    found = checks(tables, as_of=None)
    assert {n for n, c in found.items() if c.status != "pass"} == {"drill_recent"}
    assert found["drill_recent"].status == "missing_evidence"


def test_without_changes_no_way_back_is_listed(tables):
    del tables["changes"]
    assert checks(tables)["way_back"].status == "missing_evidence"


def test_an_unanswered_incident_of_unknown_severity_leaves_it_open(tables):
    vague = {"detected_at": tables["incidents"][0]["detected_at"], "kind": "incident", "severity": None}
    tables["incidents"].append(vague | {"paused_at": None})
    check = by_name(stopping_checks(logs_of(tables)), LAYER)["incidents_answered"]
    assert check.status == "missing_evidence"
    assert check.rows == rows_of("incidents", len(tables["incidents"]))


def test_drills_alone_are_no_incidents(tables):
    tables["incidents"] = tables["incidents"][1:]
    found = checks(tables, without={"incidents": ["severity"]})
    assert found["incidents_answered"].status == "pass"
    assert found["incidents_answered"].n == 0
