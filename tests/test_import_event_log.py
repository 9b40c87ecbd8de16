"""Event logs: minutes from START to COMPLETE, what was left open overnight dropped, cycle time told apart."""

from __future__ import annotations

import os
import statistics
from collections import Counter
from pathlib import Path

import pytest

from roi.importers import read_export, recognise
from roi.importers.export import Export
from roi.readers.base import UnreadableError
from roi.readers.files import Found, look_through

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("ROI_REAL_DATA", ROOT / "../shared/data")).resolve() / "process-logs"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real logs at {DATA} (set ROI_REAL_DATA)")


def read(*paths: Path) -> Export:
    found = [Found(p, p.name) for p in paths]
    assert {recognise(f, asked=True) for f in found} == {"event_log"}
    return read_export("event_log", [(f, look_through(f)) for f in found])


def event(name: str, step: str, at: str, who: str = "Ann") -> str:
    return (
        f'<event><string key="concept:name" value="{name}"/><string key="lifecycle:transition" value="{step}"/>'
        f'<string key="org:resource" value="{who}"><string key="concept:name" value="inside"/></string>'
        f'<date key="time:timestamp" value="2026-01-{at}:00.000+01:00"/></event>'
    )


def log(*events: str, name: str = "7", before: str = "") -> str:
    top = '<global scope="trace"><string key="concept:name" value="UNKNOWN"/></global>'
    attributes = f'<string key="concept:name" value="{name}"/><string key="AMOUNT_REQ" value="2500"/>'
    return f'<?xml version="1.0"?>{before}<log xmlns="http://www.xes-standard.org/">{top}<trace>{attributes}{"".join(events)}</trace></log>'


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_minutes_of_work_and_not_of_waiting(tmp_path: Path) -> None:
    """Ten minutes of Ann, and of Bo 5 within 40 of another activity, and a pair that was left open overnight."""
    events = [
        event("check", "SCHEDULE", "05T08:00"), event("check", "START", "05T09:00"), event("check", "COMPLETE", "05T09:10"),
        event("offer", "START", "05T10:00", "Bo"), event("call", "start", "05T10:10", "Bo"),
        event("call", "complete", "05T10:15", "Bo"), event("offer", "COMPLETE", "05T10:40", "Bo"),
        event("check", "START", "05T17:00"), event("check", "COMPLETE", "06T08:00"),
        event("O_DECLINED", "COMPLETE", "07T09:00"),
    ]  # fmt: skip
    found = read(write(tmp_path / "log.xes", log(*events)))
    (row,) = found.traces.rows
    assert row == {
        "trace_id": "7", "case_id": "7", "handling_minutes": "55.000000", "worker": "Bo", "events": "10", "amount": "2500",
        "started_at": "2026-01-05T07:00:00.000000Z", "ended_at": "2026-01-07T08:00:00.000000Z", "cycle_days": "2.041667",
        "ends.O_DECLINED": "1",
    }  # fmt: skip
    assert found.left_out == {"pairs of events more than eight hours apart, left open overnight": 1}
    assert found.arm == "baseline"


@pytest.mark.parametrize("again", ["one after the other", "all once more"])
def test_work_that_is_told_twice_counts_once(tmp_path: Path, again: str) -> None:
    """As exports that overlap have it, put together in one file."""
    begin, end = event("check", "START", "05T09:00"), event("check", "COMPLETE", "05T09:10")
    later = [event("check", "START", "05T10:00"), event("check", "COMPLETE", "05T10:10")]
    events = [begin, begin, end, end] if again == "one after the other" else [begin, end, begin, end]
    found = read(write(tmp_path / "log.xes", log(*events, *later)))
    assert found.traces.column("handling_minutes") == ["20.000000"]
    told = {"a pair of START and COMPLETE that is told more than once counts once": 1}
    assert found.left_out == (told if again == "all once more" else {})


CHECKED = [("check", "START", "05T09:00"), ("check", "COMPLETE", "05T09:10")]
NOTED = [("note", "COMPLETE", "05T09:05")] * 2
OFFERED = [("offer", "START", "08T10:00"), ("offer", "COMPLETE", "08T10:10")]


def as_table(events: list[tuple[str, str, str]]) -> str:
    header = "case:concept:name,concept:name,lifecycle:transition,org:resource,time:timestamp,case:AMOUNT_REQ"
    return "\n".join([header, *(f"7,{n},{s},Ann,2026-01-{at}:00+01:00,2500" for n, s, at in events)])


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("kind", ["xes", "csv", "both", "one file"])
def test_what_two_files_tell_of_a_case_counts_once(tmp_path: Path, kind: str, order: int) -> None:
    """January's log holds a check and two notes of one minute, February's all of it and an offer as well."""
    told = [CHECKED + NOTED, CHECKED + NOTED + OFFERED][::order]
    texts = [log(*(event(*e) for e in events)) for events in told]
    if kind == "one file":
        (trace,) = texts[1][texts[1].index("<trace>") :].split("</log>")[:1]
        paths = [write(tmp_path / "log.xes", texts[0].replace("</log>", f"{trace}</log>"))]
    else:
        tables = {"xes": (), "csv": (0, 1), "both": (1,)}[kind]
        paths = [
            write(tmp_path / f"{i}.csv", as_table(told[i]))
            if i in tables
            else write(tmp_path / f"{i}.xes", texts[i])
            for i in range(2)
        ]
    found = read(*paths)
    (row,) = found.traces.rows
    got = {k: row[k] for k in ("case_id", "handling_minutes", "events", "cycle_days", "worker", "amount")}
    assert got == {
        "case_id": "7", "handling_minutes": "20.000000", "events": "6", "cycle_days": "3.048611", "worker": "Ann",
        "amount": "2500",
    }  # fmt: skip
    assert found.left_out == {"events that another file or trace tells of the same case count once": 4}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("blank", ["no column", "no cell"])
def test_events_of_a_file_that_leaves_out_who_did_them_count_once(
    tmp_path: Path, order: int, blank: str
) -> None:
    """January's log does not say who did it; two notes of one minute are Ann's and Bob's, of which it has one."""
    whole = as_table([*CHECKED, *NOTED, *OFFERED])
    head, *lines = whole.replace("note,COMPLETE,Ann", "note,COMPLETE,Bob", 1).split("\n")
    cells = [line.split(",") for line in [head, *lines[:2], lines[2]]]
    if blank == "no column":
        short = "\n".join(",".join(c for i, c in enumerate(row) if i != 3) for row in cells)
    else:
        short = "\n".join([head, *(",".join([*row[:3], "", *row[4:]]) for row in cells[1:])])
    texts = [short, "\n".join([head, *lines])][::order]
    found = read(*(write(tmp_path / f"{i}.csv", text) for i, text in enumerate(texts)))
    (row,) = found.traces.rows
    got = {k: row[k] for k in ("handling_minutes", "events", "worker")}
    assert got == {"handling_minutes": "20.000000", "events": "6", "worker": "Ann"}
    assert found.left_out == {"events that another file or trace tells of the same case count once": 3}


def test_a_pair_that_begins_in_one_file_and_ends_in_another(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / f"{i}.xes", log(event(*CHECKED[1 - i]))) for i in range(2)
    ]  # the later month comes first
    (row,) = read(*paths).traces.rows
    assert (row["handling_minutes"], row["events"]) == ("10.000000", "2")


@pytest.mark.parametrize(
    ("steps", "minutes"),
    [
        ("start 09:00 suspend 09:10 resume 10:10 complete 10:20", "20.000000"),
        ("start 09:00 suspend 09:10 resume 09:20 SUSPEND 09:25 suspend 09:40 resume 10:00 complete 10:05", "20.000000"),
        ("start 09:00 suspend 09:20 complete 10:20", "20.000000"),
        ("start 08:00 suspend 08:10 resume 17:00 complete 17:10", "20.000000"),
        ("resume 08:00 start 09:00 resume 09:05 complete 09:20 suspend 10:00 resume 11:00", "20.000000"),
        ("start 08:00 suspend 08:30 start 09:00 complete 09:20", "20.000000"),
        ("start 09:00 suspend 09:10 resume 09:20 ate_abort 09:30 complete 10:20", "20.000000"),
        ("start 09:00 pi_abort 09:20", "20.000000"),
        ("suspend 09:00 resume 09:10 complete 09:20", None),
    ],
)  # fmt: skip
def test_time_that_an_activity_is_suspended_is_no_work(
    tmp_path: Path, steps: str, minutes: str | None
) -> None:
    told = steps.split()
    events = [event("check", step, f"05T{at}") for step, at in zip(told[::2], told[1::2], strict=True)]
    found = read(write(tmp_path / "log.xes", log(*events)))
    assert found.traces.column("handling_minutes") == [minutes]
    assert found.left_out == {}


def test_eight_hours_count_and_a_minute_more_does_not(tmp_path: Path) -> None:
    for end, minutes in (("05T16:00", ["480.000000"]), ("05T16:01", [None])):
        events = [event("x", "START", "05T08:00"), event("x", "COMPLETE", end)]
        found = read(write(tmp_path / "log.xes", log(*events)))
        assert found.traces.column("handling_minutes") == minutes


def test_a_log_that_counts_itself_otherwise(tmp_path: Path) -> None:
    text = log(event("x", "complete", "05T08:00"))
    text = text.replace(
        "<trace>",
        '<int key="meta_concept:named_events_total" value="9"><int key="x" value="3"/></int><trace>',
    )
    found = read(write(tmp_path / "log.xes", text))
    assert [str(c) for c in found.contradictions] == [
        "events of the log: the source says 9, its rows give 1; the rows stand"
    ]
    assert found.warnings == (
        "no activity has both a START and a COMPLETE, so that no handling time is known",
    )


def test_what_no_log_needs_or_what_is_cut_is_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE log [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    for name, text, said in (("a.xes", log(before=bomb), "entities"), ("b.xes", log()[:-10], "line 1")):
        with pytest.raises(UnreadableError) as raised:
            read(write(tmp_path / name, text))
        assert said in f"{raised.value.problems[0].place} {raised.value.problems[0].message}"


@needs_data
@pytest.mark.slow
def test_bpic_2012() -> None:
    """13,087 cases and 262,200 events; minutes as the README of the data has them."""
    found = read(DATA / "bpic2012.xes.gz")
    rows = found.traces.rows
    assert (len(rows), sum(int(r["events"] or 0) for r in rows)) == (13_087, 262_200)
    minutes = [float(r["handling_minutes"] or 0) for r in rows if "handling_minutes" in r]
    assert len(minutes) == 9_657
    assert round(statistics.mean(minutes), 1) == 45.5
    assert statistics.median(minutes) == pytest.approx(25.9716)  # which the README cuts off to 25.9
    assert found.left_out == {"pairs of events more than eight hours apart, left open overnight": 295}
    assert round(statistics.mean(float(r["cycle_days"] or 0) for r in rows), 2) == 8.62
    ends = Counter[str]()
    for row in rows:
        ends.update({k: int(v or 0) for k, v in row.items() if k.startswith("ends.A_")})
    assert (ends["ends.A_APPROVED"], ends["ends.A_DECLINED"], ends["ends.A_CANCELLED"]) == (2246, 7635, 2807)
    assert found.contradictions == ()


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "cases", "events"),
    [
        ("07_bpic2013_incidents.xes.gz", 7554, 65533),
        ("helpdesk.xes.gz", 4580, 21348),
        ("receipt.csv", 1434, 8577),
    ],
)
def test_other_real_logs(name: str, cases: int, events: int) -> None:
    found = read(DATA / name)
    assert (len(found.traces.rows), sum(int(r["events"] or 0) for r in found.traces.rows)) == (cases, events)


@needs_data
def test_small_real_logs() -> None:
    """An excerpt of 100 cases says that it holds the 561,470 events of the whole log."""
    found = read(DATA / "roadtraffic100traces.xes")
    assert (len(found.traces.rows), sum(int(r["events"] or 0) for r in found.traces.rows)) == (100, 390)
    assert [(c.theirs, c.ours) for c in found.contradictions] == [("561,470", "390")]
    both = [read(DATA / f"running-example.{kind}").traces for kind in ("xes", "csv")]
    assert both[0].column("case_id") == both[1].column("case_id")
    assert both[0].column("events") == both[1].column("events")
