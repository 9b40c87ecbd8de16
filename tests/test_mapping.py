"""From their columns to ours: units, marks, keys, durations, decimals, times."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_projects import Project, column

from roi.canonical import CANONICAL
from roi.mapping import ColumnMap, TableSpec, resolve
from roi.named_units import unit_in_name
from roi.readers import Source


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def one_column(
    project: Project, values: list[str], spec: Any = None, name: str = "handling_minutes"
) -> list[Any]:
    """Read one column of texts."""
    rows = "".join(f"T-{i};pilot;{value}\n" for i, value in enumerate(values))
    return column(project.cases("case_id;arm;x\n" + rows, {name: spec or "x"}), name)


def refused_column(
    project: Project, values: list[str], spec: Any = None, name: str = "handling_minutes"
) -> str:
    rows = "".join(f"T-{i};pilot;{value}\n" for i, value in enumerate(values))
    return project.refusal("case_id;arm;x\n" + rows, {name: spec or "x"})


@pytest.mark.parametrize(
    ("unit", "text", "minutes"),
    [
        ("milliseconds", "90000", "1.5"),
        ("seconds", "100", "1.666667"),
        ("seconds", "0.00015", "0.000002"),  # 2.5 millionths: half to even
        ("seconds", "0.00021", "0.000004"),  # 3.5 millionths
        ("minutes", "3.5", "3.5"),
        ("hours", "1.25", "75"),
        ("days", "0.5", "720"),
        ("duration", "1m31s", "1.516667"),
        ("duration", "00:01:31", "1.516667"),
        ("duration", "PT1M31S", "1.516667"),
        ("duration", "1h 02m", "62"),
        ("duration", "P1DT2H", "1560"),
        ("duration", "1 day, 0:30:00", "1470"),
        ("duration", "90 sec", "1.5"),
        ("duration", "1.5h", "90"),
        ("duration", "500ms", "0.008333"),
        ("duration", "2 minutes 30 seconds", "2.5"),
    ],
)
def test_units_become_minutes(project: Project, unit: str, text: str, minutes: str) -> None:
    assert one_column(project, [text], {"from": "x", "unit": unit}) == [Decimal(minutes)]


@pytest.mark.parametrize("text", ["1:31", "999999999d", "soon", "1m 31", "PT", "-1m", "01:75:00"])
def test_what_is_no_clear_duration_is_refused(project: Project, text: str) -> None:
    message = refused_column(project, ["1m31s", text], {"from": "x", "unit": "duration"})
    assert (
        f"row 2, a text of {len(text)} characters, is no duration such as 1m31s, 00:01:31 or PT1M31S"
        in message
    )


ENGINE = duckdb.connect()


@given(st.decimals(min_value=0, max_value=86400 * 50, places=6))
@settings(max_examples=60, deadline=None)
def test_seconds_become_exact_minutes(seconds: Decimal) -> None:
    """Against exact fractions, rounded half to even at the sixth place."""
    from roi.casts import Styles, cast

    sql = cast(
        CANONICAL["cases"]["handling_minutes"],
        f"'{seconds}'",
        unit="seconds",
        theirs="x",
        styles=Styles({}, {}, "UTC"),
    )
    found = ENGINE.execute(f"select {sql}").fetchall()[0][0]
    assert Fraction(found) == Fraction(round(Fraction(seconds) / 60 * 10**6), 10**6)


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["3,5", "12"], ["3.5", "12"]),
        (["1.234,5", "1.234"], ["1234.5", "1234"]),
        (["1,234.5", "1,234"], ["1234.5", "1234"]),
        (["1 234,5"], ["1234.5"]),
        (["0,125", "1,234"], ["0.125", "1.234"]),
        (["1'234.5"], ["1234.5"]),
        ([" 3.5 ", "+2", "1.5E2", "1.234"], ["3.5", "2", "150", "1.234"]),
    ],
)
def test_decimal_marks_are_settled_from_the_column(
    project: Project, texts: list[str], values: list[str]
) -> None:
    assert one_column(project, texts) == [Decimal(v) for v in values]


def test_another_column_of_the_file_settles_an_unclear_one(project: Project) -> None:
    text = "case_id;arm;handling_minutes;agent_cost\nA;pilot;1,234;0,05\nB;pilot;2,345;0,06\n"
    assert column(project.cases(text), "handling_minutes") == [Decimal("1.234"), Decimal("2.345")]


def test_a_comma_that_may_be_either_is_refused(project: Project) -> None:
    message = refused_column(project, ["1,234", "5"])
    assert "1 values may have a decimal comma or a comma between thousands; write them in one way" in message
    assert "have a decimal point and 1 a decimal comma" in refused_column(project, ["3,5", "3.5"])


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "n/a"])
def test_marks_that_are_no_numbers_are_refused_with_the_mend(project: Project, text: str) -> None:
    message = refused_column(project, ["4", text])
    assert "handling_minutes: 1 value cannot be read; row 2" in message
    assert "name it under samples.cases.missing" in message
    samples = project.cases(
        f"case_id,arm,handling_minutes\nA,pilot,4\nB,pilot,{text}\n", spec={"missing": [text]}
    )
    assert column(samples, "handling_minutes") == [Decimal(4), None]


@pytest.mark.parametrize(
    ("texts", "times"),
    [
        (["2026-03-01 10:00", "2026-03-01T10:00:00Z"], ["2026-03-01 09:00", "2026-03-01 10:00"]),
        (
            ["2026-03-01 10:00+01:00", "2026-03-01T10:00:00,5 +0100"],
            ["2026-03-01 09:00", "2026-03-01 09:00:00.5"],
        ),
        (["2026-07-01 10:00:00.5+02:00", "2026/07/01"], ["2026-07-01 08:00:00.5", "2026-06-30 22:00"]),
        (["01.03.2026 10:00", "28.02.2026"], ["2026-03-01 09:00", "2026-02-27 23:00"]),
        (["3/14/2026 2:05 PM", "3/1/2026 10:00 AM"], ["2026-03-14 13:05", "2026-03-01 09:00"]),
        (["14/3/2026 10:00", "1/3/2026"], ["2026-03-14 09:00", "2026-02-28 23:00"]),
        (["14 Mar 2026 10:00", "Mar 1, 2026"], ["2026-03-14 09:00", "2026-02-28 23:00"]),
    ],
)
def test_times_become_utc(project: Project, texts: list[str], times: list[str]) -> None:
    rows = "".join(f'T-{i},pilot,"{text}"\n' for i, text in enumerate(texts))
    samples = project.cases("case_id,arm,started_at\n" + rows, samples={"timezone": "Europe/Berlin"})
    assert column(samples, "started_at") == [dt.datetime.fromisoformat(t) for t in times]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (
            ["03/04/2026", "05/06/2026"],
            "2 values may have the day or the month first (03/04/2026); write dates as",
        ),
        (["13/04/2026", "04/13/2026"], "1 values have the day first and 1 the month"),
        (["yesterday"], "is no time that can be read; write 2026-03-01 14:05"),
        (["infinity"], "is no time that can be read"),
        (["2026-13-01"], "is no time that can be read"),
    ],
)
def test_dates_that_may_be_either_are_refused(project: Project, texts: list[str], said: str) -> None:
    assert said in refused_column(project, texts, name="started_at")


def test_hours_at_which_clocks_move_are_counted(project: Project) -> None:
    text = (
        "case_id,arm,started_at\nA,pilot,2026-03-29 02:30\nB,pilot,2026-10-25 02:30\nC,pilot,2026-10-25 03:30\n"
        "D,pilot,2026-10-25 02:30+02:00\n"
    )
    samples = project.cases(text, samples={"timezone": "Europe/Berlin"})
    assert any("2 rows have times at which clocks were moved in Europe/Berlin" in w for w in samples.warnings)
    assert column(samples, "started_at")[3] == dt.datetime(2026, 10, 25, 0, 30)


def test_minutes_from_two_times(project: Project) -> None:
    text = "case_id,arm,a,b\nA,pilot,2026-01-01 10:00,2026-01-01 10:01:30\nB,pilot,2026-01-01 10:00,2026-01-02 10:00\n"
    spec = {"from": ["a", "b"], "as": "minutes", "cap": 480}
    samples = project.cases(text, {"handling_minutes": spec})
    assert column(samples, "handling_minutes") == [Decimal("1.5"), Decimal(480)]
    assert any("1 durations were longer than their cap" in w for w in samples.warnings)
    assert "below 0" in project.refusal(text, {"handling_minutes": {"from": ["b", "a"], "as": "minutes"}})


def test_a_case_without_an_end_has_no_minutes_and_not_the_cap(project: Project) -> None:
    text = "case_id,arm,a,b\nA,pilot,2026-01-01 10:00,\nB,pilot,2026-01-01 10:00,2026-01-01 10:02\n"
    spec = {"from": ["a", "b"], "as": "minutes", "cap": 480}
    assert column(project.cases(text, {"handling_minutes": spec}), "handling_minutes") == [None, Decimal(2)]


def test_values_constants_and_joined_keys(project: Project) -> None:
    text = "reader,scan,group,done,def\n1,11,X,True,a;b\n11,1,x,False,\n2,2,y,,0\n"
    samples = project.cases(
        text,
        {
            "case_id": ["reader", "scan"],
            "arm": {"from": "group", "values": {"x": "pilot", "y": "baseline"}},
            "setting": {"value": "production"},
            "segment": {"value": "scans"},
            "used": "done",
            "input_defects": "def",
        },
    )
    assert column(samples, "arm") == ["pilot", "pilot", "baseline"]
    assert len(set(column(samples, "case_id"))) == 3
    assert column(samples, "setting") == ["production"] * 3
    assert column(samples, "segment") == ["scans"] * 3
    assert column(samples, "used") == ["yes", "no", None]
    assert column(samples, "input_defects") == [2, None, 0]


def test_values_that_differ_in_case_alone_are_kept_apart(project: Project) -> None:
    spec = {"from": "g", "values": {"a": "pilot", "A": "baseline"}}
    assert column(project.cases("case_id,g\n1,a\n2,A\n", {"arm": spec}), "arm") == ["pilot", "baseline"]


def test_an_empty_value_of_ours_means_missing(project: Project) -> None:
    spec = {"from": "o", "values": {"open": None, "done": "correct"}}
    samples = project.cases("case_id,arm,o\n1,pilot,open\n2,pilot,Done\n", {"outcome": spec})
    assert column(samples, "outcome") == [None, "correct"]


def test_blanks_are_zero_only_where_declared(project: Project) -> None:
    text = "case_id,arm,handling_minutes,review_minutes,rework_minutes\n1,pilot,1,,\n2,pilot,,2,3\n"
    columns = {
        "rework_minutes": {"from": "rework_minutes", "blank": "zero"},
        "review_minutes": {"from": "review_minutes", "blank": "missing"},
    }
    samples = project.cases(text, columns)
    assert column(samples, "rework_minutes") == [Decimal(0), Decimal(3)]
    assert column(samples, "review_minutes") == [None, Decimal(2)]
    assert samples.undeclared_blanks == {"handling_minutes": 1}


def test_canonical_types(project: Project) -> None:
    names = "case_id,arm,handling_minutes,agent_cost,confidence,input_tokens,output_tokens,started_at"
    text = f"{names}\n1,pilot,1,0.1,0.5,7,1,2026-01-01\n"
    schema = project.cases(text).con.execute("describe cases").fetchall()
    assert {name: kind for name, kind, *_ in schema} == {
        "case_id": "VARCHAR",
        "arm": "VARCHAR",
        "handling_minutes": "DECIMAL(18,6)",
        "agent_cost": "DECIMAL(18,9)",
        "confidence": "DOUBLE",
        "input_tokens": "BIGINT",
        "output_tokens": "BIGINT",
        "started_at": "TIMESTAMP",
        "cost_currency": "VARCHAR",
        "row": "BIGINT",
    }


def test_resolving_finds_ours_by_name_and_says_what_is_missing() -> None:
    spec = TableSpec(
        table="cases",
        place="samples.cases",
        source=Source(files=("x.csv",)),
        columns={
            "worker": ColumnMap(name="worker", sources=("agnt",)),
            "arm": ColumnMap(name="arm", constant="pilot"),
        },
    )
    maps, problems = resolve(spec, ["case_id", "agent", "outcome"], file="params/p.yaml", label="x.csv")
    assert [m.name for m in maps] == ["case_id", "arm", "outcome", "worker"]
    assert [(p.place, p.message) for p in problems] == [
        ("samples.cases.columns.worker", "x.csv has no column 'agnt'; did you mean 'agent'?")
    ]


def test_a_unit_belongs_to_minutes(project: Project) -> None:
    said = refused_column(project, ["1"], {"from": "x", "unit": "seconds"}, name="amount")
    assert "samples.cases.columns.amount.unit: only columns of minutes have a unit; leave it out" in said


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("talk_sec", "seconds"),
        ("handle_s", "seconds"),
        ("Bearbeitungszeit (Sek.)", "seconds"),
        ("Dauer (h)", "hours"),
        ("hours", "hours"),
        ("Arbeitszeit Std", "hours"),
        ("durationMs", "milliseconds"),
        ("DURATION_MS", "milliseconds"),
        ("Days open", "days"),
        ("Dauer (Min.)", None),
        ("minutes of business hours", None),
        ("second review", None),
        ("Handling time", None),
        ("s", None),
        ("Hardware cost", None),
    ],
)
def test_a_unit_is_read_from_a_name(name, unit):
    assert unit_in_name(name) == unit


def test_minutes_are_not_read_from_a_column_that_names_another_unit(project):
    """`handling_minutes: talk_sec` made a call of nine minutes one of nine hours, without a word."""
    text = "case_id,arm,talk_sec\nT1,baseline,540\nT2,pilot,480\n"
    said = project.refusal(text, {"handling_minutes": "talk_sec"})
    assert "samples.cases.columns.handling_minutes" in said
    assert (
        "'talk_sec' names seconds and would be read as minutes; set unit: seconds, or unit: minutes" in said
    )
    for unit, minutes in (("seconds", [9, 8]), ("minutes", [540, 480])):
        found = project.cases(text, {"handling_minutes": {"from": "talk_sec", "unit": unit}})
        assert [float(x) for x in column(found, "handling_minutes")] == minutes
