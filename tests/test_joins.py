"""Other exports of the same cases: keys in other forms, time entries as people leave them, moved clocks, missed cases."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sample_projects import Project, column

from roi.problems import ParameterError, SampleError
from roi.samples import Samples
from roi.time_entries import rounded_to


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def joined(project: Project, cases: Sequence[str], theirs: Sequence[tuple[str, str]], **join: Any) -> Samples:
    """Cases by key and a time export of key and minutes."""
    project.write("cases.csv", "case_id,arm\n" + "".join(f'"{c}",pilot\n' for c in cases))
    project.write("time.csv", "ticket;min\n" + "".join(f'"{t}";{m}\n' for t, m in theirs))
    given = {
        "source": "data/time.csv", "on": {"case_id": "ticket"}, "columns": {"handling_minutes": "min"},
        "take": {"handling_minutes": "sum"},
    }  # fmt: skip
    return project.open({"source": "data/cases.csv", "join": [{**given, **join}]})


def minutes(samples: Samples) -> list[float | None]:
    return [None if v is None else float(v) for v in column(samples, "handling_minutes")]


def said(samples: Samples, part: str) -> str:
    found = [w for w in samples.warnings if part in w]
    assert len(found) == 1, samples.warnings
    return found[0]


FORMS = {
    "as they are": (["CLM-1", "CLM-2"], ["CLM-1", "CLM-2"], None),
    "case and spaces": (["CLM-1", "CLM-2"], [" clm-1 ", "Clm -2"], "without regard to case and spaces: 2 of 2"),
    "hash": (["#1042", "#1043"], ["1042", "1043"], "by their number: 2 of 2 cases"),
    "prefix": (["CLM-1042", "CLM-1043"], ["1042", "1043"], "by their number: 2 of 2 cases"),
    "other prefix": (["CLM-1042", "CLM-1043"], ["Ticket 1042", "Ticket 1043"], "by their number"),
    "zeros": (["1042", "7"], ["0001042", "0000007"], "by their number"),
    "all of it": (["1042", "1043"], [" clm-01042 ", "CLM-01043"], "by their number"),
    "numbers that a spreadsheet made of keys": (["1042", "1043"], ["1042.0", "1043.0"], "by their number"),
    "years": (["CLM-2026-0007", "CLM-2025-0007"], ["2026/7", "2025/7"], "by their number"),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(FORMS))
def test_keys_that_differ_in_form(project: Project, what: str) -> None:
    cases, theirs, warning = FORMS[what]
    samples = joined(project, cases, [(t, str(i + 1)) for i, t in enumerate(theirs)])
    assert minutes(samples) == [1, 2]
    assert [(r.cases, r.matched) for r in samples.join_rates] == [(2, 2)]
    if warning is None:
        assert not any("keys were matched" in w for w in samples.warnings)
    else:
        assert warning in said(samples, "keys were matched")
        assert minutes_without(project, cases, theirs) == [None, None]


def minutes_without(project: Project, cases: Sequence[str], theirs: Sequence[str]) -> list[float | None]:
    return minutes(joined(project, cases, [(t, "1") for t in theirs], keys="exact"))


COLLIDE = {
    "of the cases": (["CLM-7", "REF-7"], ["7", "8"], "2 keys of the cases fall together"),
    "of the cases by zeros": (["007", "7"], ["#7"], "2 keys of the cases fall together"),
    "of the others": (["7", "8"], ["CLM-7", "REF-7"], "2 different keys of data/time.csv fall together"),
}


@pytest.mark.parametrize("what", sorted(COLLIDE))
def test_keys_that_fall_together_are_refused_with_the_mend(project: Project, what: str) -> None:
    cases, theirs, message = COLLIDE[what]
    with pytest.raises(SampleError, match=message) as raised:
        joined(project, cases, [(t, "1") for t in theirs])
    assert "keys: exact" in str(raised.value)
    assert "CLM-7" not in str(raised.value)
    assert joined(project, cases, [(t, "1") for t in theirs], keys="exact")


def test_what_is_stated_is_done(project: Project) -> None:
    """With `keys: number` spellings of one ticket are one; two cases never become one."""
    theirs = [("#7", "1"), ("CLM-007", "2"), ("7", "4")]
    assert minutes(joined(project, ["7", "8"], theirs, keys="number")) == [7, None]
    assert minutes(joined(project, ["7", "8"], theirs, keys="folded")) == [4, None]
    with pytest.raises(SampleError, match="2 keys of the cases fall together"):
        joined(project, ["7", "007"], theirs, keys="number")


def test_tickets_of_other_projects_are_not_taken_for_ours(project: Project) -> None:
    """OPS-2 is no CLM-2 where both exports write CLM-…; nor does it make the others ambiguous."""
    samples = joined(project, ["CLM-1", "CLM-2"], [("CLM-1", "5"), ("OPS-1", "50"), ("OPS-2", "70")])
    assert minutes(samples) == [5, None]
    assert not any("keys were matched" in w for w in samples.warnings)


@pytest.mark.slow
def test_random_keys_in_random_forms_come_to_the_right_case(project: Project) -> None:
    """A property: whatever one form an export writes numbers in, each case gets its own minutes."""
    rng = random.Random(4)
    dress = [
        lambda n: f"#{n}", lambda n: f"CLM-{n:06d}", lambda n: f" clm {n} ", lambda n: f"{n}.0", lambda n: f"T/{n}",
    ]  # fmt: skip
    for form in dress:
        numbers = rng.sample(range(1, 10_000), 40)
        theirs = [(form(n), str(n % 400)) for n in rng.sample(numbers, 40)]
        assert minutes(joined(project, [f"REQ-{n}" for n in numbers], theirs)) == [n % 400 for n in numbers]


# Case, person, start, end.
Entry = tuple[str, str, str, str]
DAY = "2026-03-02 "


def tracked(
    project: Project, timers: Sequence[Entry], *, who: bool = True, cap: int | None = None, **join: Any
) -> Samples:
    cases = sorted({e[0] for e in timers})
    project.write("cases.csv", "case_id,arm\n" + "".join(f"{c},pilot\n" for c in cases))
    rows = "".join(",".join(e) + "\n" for e in timers)
    project.write("time.csv", "ticket,person,start,end\n" + rows)
    spent: dict[str, Any] = {"from": ["start", "end"], "as": "minutes"}
    columns = {"handling_minutes": {**spent, **({} if cap is None else {"cap": cap})}}
    given = {
        "source": "data/time.csv", "on": {"case_id": "ticket"}, "take": {"handling_minutes": "sum"},
        "columns": {**columns, **({"worker": "person"} if who else {})},
    }  # fmt: skip
    join_spec = {**given, **join}
    return project.open(
        {"source": "data/cases.csv", "join": [join_spec]}, samples={"timezone": "Europe/Berlin"}
    )


def entry(case: str, start: str, end: str, person: str = "w1") -> Entry:
    return (case, person, DAY + start, DAY + end)


def test_entries_of_a_case_are_summed(project: Project) -> None:
    samples = tracked(project, [entry("1", "09:00", "09:12"), entry("1", "11:00", "11:03:30")])
    assert minutes(samples) == [15.5]
    assert not any("time entr" in w for w in samples.warnings)


def test_minutes_that_overlap_count_once(project: Project) -> None:
    """09:00 to 09:40 in three pieces, one of them inside another."""
    entries = [entry("1", "09:00", "09:30"), entry("1", "09:10", "09:20"), entry("1", "09:20", "09:40")]
    samples = tracked(project, entries)
    assert minutes(samples) == [40]
    text = said(samples, "overlap")
    assert "2 time entries overlap an earlier one of the same case and person (first: rows 2, 3)" in text
    assert "the 20 minutes that overlap count once" in text


def test_two_people_at_once_are_twice_the_work(project: Project) -> None:
    entries = [entry("1", "09:00", "09:30"), entry("1", "09:00", "09:30", "w2"), entry("2", "09:00", "09:30")]
    samples = tracked(project, entries)
    assert minutes(samples) == [60, 30]
    assert "1 of 2 cases has time entries of several people" in said(samples, "several people")
    # Without people it cannot be told from one person's two timers.
    assert minutes(tracked(project, entries, who=False)) == [30, 30]


def test_any_entries_have_the_length_of_their_union(project: Project) -> None:
    """Against a count of the minutes that at least one entry covers."""
    rng = random.Random(7)
    entries, expected = [], []
    for case in range(10, 40):
        covered: set[int] = set()
        for _ in range(rng.randint(1, 8)):
            start, length = rng.randint(0, 300), rng.randint(1, 90)
            covered |= set(range(start, start + length))
            times = [dt.datetime(2026, 3, 2, 8) + dt.timedelta(minutes=m) for m in (start, start + length)]
            entries.append((str(case), "w1", *(t.isoformat(" ") for t in times)))
        expected.append(len(covered))
    rng.shuffle(entries)
    assert minutes(tracked(project, entries)) == expected


OVERNIGHT = [
    ("1", "w1", "2026-03-02 09:00", "2026-03-02 09:12"),
    ("1", "w1", "2026-03-02 17:00", "2026-03-03 08:30"),  # left running: 930 minutes
    ("2", "w1", "2026-03-02 10:00", "2026-03-02 10:10"),
]


@pytest.mark.parametrize(
    ("unusable", "expected", "words"),
    [
        (None, [None, 10], "the minutes of their case are taken as missing"),
        ("missing", [None, 10], "entries: {unusable: leave_out} sums the others, cap counts 480 minutes"),
        ("leave_out", [12, 10], "left out, the other entries of their cases are summed"),
        ("cap", [492, 10], "each counts as 480 minutes"),
    ],
)
def test_a_timer_that_was_left_running(
    project: Project, unusable: str | None, expected: list[float | None], words: str
) -> None:
    more = {} if unusable is None else {"entries": {"unusable": unusable}}
    samples = tracked(project, OVERNIGHT, **more)
    assert minutes(samples) == expected
    text = said(samples, "left running")
    assert "1 of 3 time entries is longer than 480 minutes, as if left running (first: row 2)" in text
    assert words in text


def test_a_stated_cap_holds(project: Project) -> None:
    samples = tracked(project, OVERNIGHT, cap=60)
    assert minutes(samples) == [72, 10]
    assert "1 durations were longer than their cap and were cut to it" in said(samples, "cap")


@pytest.mark.parametrize(
    ("start", "end", "known"),
    [
        ("2026-03-02 21:00", "2026-03-03 05:30", False),  # 8.5 hours over midnight
        ("2026-03-02 21:00", "2026-03-03 04:30", True),  # 7.5 hours over midnight
        ("2026-03-02 08:00", "2026-03-02 17:30", True),  # 9.5 hours of one day
        ("2026-03-02 08:00", "2026-03-02 21:00", False),  # 13 hours of one day
        # 00:30 to 09:00 in Berlin: the same local day, though not in UTC
        ("2026-03-02T23:30:00Z", "2026-03-03T08:00:00Z", True),
    ],
)
def test_midnight_is_where_the_samples_are(project: Project, start: str, end: str, known: bool) -> None:
    samples = tracked(project, [("1", "w1", start, end)], entries={"longest": 720})
    assert (minutes(samples)[0] is not None) == known
    assert known or "or over midnight longer than 480" in said(samples, "left running")


def test_entries_that_end_before_they_start_or_never(project: Project) -> None:
    entries = [entry(str(i), "09:00", "09:10") for i in range(1, 9)]
    entries += [entry("1", "10:00", "09:00"), ("2", "w1", DAY + "10:00", ""), entry("3", "10:00", "10:00")]
    samples = tracked(project, entries)
    assert minutes(samples) == [None, None, 10, 10, 10, 10, 10, 10]
    assert "1 of 11 time entries ends before it starts (first: row 9)" in said(samples, "before it starts")
    assert "2 of 11 time entries have no length (first: rows 9, 10)" in said(samples, "no length")
    assert "1 of 11 time entries lasts 0 minutes (first: row 11) and adds nothing" in said(
        samples, "0 minutes"
    )
    samples = tracked(project, entries, entries={"unusable": "leave_out"})
    assert minutes(samples) == [10] * 8


def test_swapped_columns_are_refused_not_left_out(project: Project) -> None:
    entries = [entry(str(i), "10:00", "09:00") for i in range(1, 9)]
    with pytest.raises(SampleError, match="8 values below 0"):
        tracked(project, entries)


@pytest.mark.parametrize("width", [1, 5, 15])
def test_rounding_is_found_at_its_width_and_not_where_it_is_not(width: int) -> None:
    """200 simulated exports of 200 skewed durations each: in 99 of 100 the width is found, and none where there is none."""
    rng = random.Random(width)
    found = []
    for _ in range(200):
        drawn = [max(width, width * round(rng.lognormvariate(3, 0.6) / width)) for _ in range(200)]
        fives, fifteens = sum(d % 5 == 0 for d in drawn), sum(d % 15 == 0 for d in drawn)
        found.append(rounded_to(200, fives, fifteens)[0])
    assert found.count(0 if width == 1 else width) >= 198


def test_what_rounding_adds_to_an_entry_is_its_width_squared_by_twelve(project: Project) -> None:
    """Against the variance of the rounding errors themselves (5²/12 = 2.08 min²)."""
    rng = random.Random(1)
    true = [rng.uniform(10, 60) for _ in range(20_000)]
    errors = [5 * round(t / 5) - t for t in true]
    assert sum(e * e for e in errors) / len(errors) == pytest.approx(25 / 12, rel=0.03)
    rounded = [(f"{i % 20 + 10}", str(5 * round(t / 5))) for i, t in enumerate(true[:40])]
    samples = joined(project, [str(i) for i in range(10, 30)], rounded)
    text = said(samples, "rounded")
    assert "40 of 40 time entries (100%) are multiples of 5 minutes, 20% would be by chance" in text
    assert "5²/12 = 2.1 min²" in text
    assert "±2.0 minutes to a case of 2.0 entries" in text  # sqrt(2 * 25 / 12)


def test_half_a_sum_is_no_sum(project: Project) -> None:
    theirs = [("1", "5"), ("1", ""), ("2", "5"), ("2", "7")]
    assert minutes(joined(project, ["1", "2", "3"], theirs)) == [None, 12, None]
    columns = {"handling_minutes": {"from": "min", "blank": "zero"}}
    samples = joined(project, ["1", "2", "3"], theirs, columns=columns)
    assert minutes(samples) == [5, 12, 0]
    assert samples.undeclared_blanks == {}


# Local times of the hours in which clocks are moved: how many exist once, in which zone.
CLOCKS = {
    "Europe/Berlin spring": ("Europe/Berlin", "2026-03-29", [("01:59", True), ("02:00", False), ("02:59", False),
                                                           ("03:00", True)]),
    "Europe/Berlin autumn": ("Europe/Berlin", "2026-10-25", [("01:59", True), ("02:00", False), ("02:59", False),
                                                           ("03:00", True)]),
    "America/New_York spring": ("America/New_York", "2026-03-08", [("01:59", True), ("02:30", False), ("03:00", True)]),
    "America/New_York autumn": ("America/New_York", "2026-11-01", [("00:59", True), ("01:00", False), ("01:59", False),
                                                                 ("02:00", True)]),
    "Berlin's days are none in New York": ("America/New_York", "2026-03-29", [("02:30", True)]),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(CLOCKS))
def test_hours_in_which_clocks_are_moved_are_named(project: Project, what: str) -> None:
    zone, day, times = CLOCKS[what]
    rows = "".join(f"{i},pilot,{day} {t}\n" for i, (t, _) in enumerate(times))
    project.write("cases.csv", "case_id,arm,started_at\n" + rows)
    samples = project.open(samples={"timezone": zone})
    for (clock, once), utc in zip(times, column(samples, "started_at"), strict=True):
        local = dt.datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=ZoneInfo(zone))
        # An oracle that is not the engine: a time exists once if both readings of it agree and lead back to it.
        utcs = {local.replace(fold=f).astimezone(dt.UTC) for f in (0, 1)}
        back = {u.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for u in utcs}
        assert (len(utcs) == 1 and back == {local.replace(tzinfo=None)}) == once
        assert utc.replace(tzinfo=dt.UTC) in utcs
    odd = [i + 1 for i, (_, once) in enumerate(times) if not once]
    found = [w for w in samples.warnings if "clocks were moved" in w]
    assert len(found) == bool(odd)
    if odd:
        rows_said = f"rows {', '.join(map(str, odd))}" if len(odd) > 1 else f"row {odd[0]}"
        assert f"{len(odd)} row" in found[0]
        assert f"clocks were moved in {zone} (first: {rows_said})" in found[0]


def test_times_with_an_offset_are_nobodys_guess(project: Project) -> None:
    """02:30 twice in the night of 25 October: with their offsets the two are an hour apart."""
    times = ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25T00:30:00Z"]
    rows = "".join(f"{i},pilot,{t}\n" for i, t in enumerate(times))
    project.write("cases.csv", "case_id,arm,started_at\n" + rows)
    samples = project.open(samples={"timezone": "Europe/Berlin"})
    assert [t.hour for t in column(samples, "started_at")] == [0, 1, 0]
    assert not any("clocks" in w for w in samples.warnings)


def test_traces_in_utc_meet_local_tickets(project: Project) -> None:
    """14:00 in Berlin is 12:00 UTC in summer and 13:00 in winter; an export may have a zone of its own."""
    project.write("cases.csv", "case_id,arm,started_at\n1,pilot,2026-07-01 14:00\n2,pilot,2026-12-01 14:00\n")
    project.write("times.csv", "ticket,ended_at\n1,2026-07-01 12:05\n2,2026-12-01 13:05\n")
    join = {"source": "data/times.csv", "on": {"case_id": "ticket"}, "take": {"ended_at": "max"}}
    samples = project.open(
        {"source": "data/cases.csv", "join": [{**join, "timezone": "UTC"}]},
        samples={"timezone": "Europe/Berlin"},
    )
    apart = [b - a for a, b in zip(column(samples, "started_at"), column(samples, "ended_at"), strict=True)]
    assert apart == [dt.timedelta(minutes=5)] * 2
    with pytest.raises(ParameterError, match="'Berlin' is not a time zone"):
        project.open({"source": "data/cases.csv", "join": [{**join, "timezone": "Berlin"}]})


def arms(
    project: Project, cases: Sequence[tuple[str, str, str, float, str]], matched: set[str], **join: Any
) -> Samples:
    """Cases of arm, segment, minutes and outcome; an export that knows some of them."""
    rows = "".join(",".join(map(str, c)) + "\n" for c in cases)
    project.write("cases.csv", "case_id,arm,segment,handling_minutes,outcome\n" + rows)
    project.write("o.csv", "k,v\n" + "".join(f"{m},2\n" for m in sorted(matched)))
    given = {
        "source": "data/o.csv", "on": {"case_id": "k"}, "columns": {"rework_minutes": "v"},
        "take": {"rework_minutes": "sum"},
    }  # fmt: skip
    return project.open({"source": "data/cases.csv", "join": [{**given, **join}]})


def a_hundred(arm: str) -> list[tuple[str, str, str, float, str]]:
    """By turns e-mail (10 minutes) and portal (20); every tenth case is an error."""
    return [
        (f"{arm[0]}{i}", arm, "email" if i % 2 else "portal", 10.0 if i % 2 else 20.0, "error" if i % 10 == 0 else "correct")
        for i in range(100)
    ]  # fmt: skip


def test_cases_that_an_export_misses_are_compared_with_those_it_matches(project: Project) -> None:
    cases = [*a_hundred("pilot"), *a_hundred("baseline")]
    missed = {f"p{i}" for i in range(0, 40, 2)}  # 20 portal cases, 4 of them errors
    samples = arms(project, cases, {c[0] for c in cases} - missed)
    text = said(samples, "matches")
    assert (
        "data/o.csv: matches 100% of baseline cases (100 of 100) and 80% of pilot cases (80 of 100)" in text
    )
    assert "baseline: none is unmatched" in text
    # 50 × 10 and 30 × 20 minutes over 80; 6 errors of 80 against 4 of 20
    assert "pilot: 13.8 against 20.0 minutes a case (80 and 20 cases)" in text
    assert "8% against 20% errors (80 and 20 cases)" in text
    assert "email 62% against 0%" in text
    rates = {(r.arm, r.segment): (r.cases, r.matched) for r in samples.join_rates}
    assert rates[("pilot", "portal")] == (50, 30)


@pytest.mark.parametrize(
    ("pilot", "baseline", "warned"),
    [(0, 0, False), (9, 9, False), (11, 11, True), (5, 0, False), (6, 0, True), (0, 6, True), (10, 5, False)],
)
def test_the_match_that_is_warned_of(project: Project, pilot: int, baseline: int, warned: bool) -> None:
    """Below 90 % of an arm, or more than 5 points between arms."""
    cases = [*a_hundred("pilot"), *a_hundred("baseline")]
    missed = {f"p{i}" for i in range(pilot)} | {f"b{i}" for i in range(baseline)}
    samples = arms(project, cases, {c[0] for c in cases} - missed)
    assert any("may not stand for" in w for w in samples.warnings) == warned


def test_groups_too_small_to_describe_are_not(project: Project) -> None:
    cases = a_hundred("pilot")[:8]
    text = said(arms(project, cases, {c[0] for c in cases[:5]}), "matches")
    assert "pilot: too few are unmatched to compare (3)" in text
    assert "minutes a case" not in text


def test_traces_are_expected_of_the_pilot_only(project: Project) -> None:
    cases = [*a_hundred("pilot"), *a_hundred("baseline")]
    own = {"columns": {"agent_cost": "v"}, "take": {"agent_cost": "sum"}}
    samples = arms(project, cases, {c[0] for c in cases if c[1] == "pilot"}, **own)
    assert not any("matches" in w for w in samples.warnings)
    samples = arms(
        project, cases, {c[0] for c in cases if c[0] != "b7"} - {f"p{i}" for i in range(20)}, **own
    )
    text = "; ".join(w for w in samples.warnings if "matches" in w)
    assert "matches 99 baseline cases, which no agent should have worked on" in text
    assert "matches 80% of pilot cases (80 of 100); what it adds" in text


def test_of_a_case_in_both_arms_the_pilots_row_takes_the_agents_cost(project: Project) -> None:
    project.write("cases.csv", "case_id,arm\n1,pilot\n1,baseline\n")
    project.write("o.csv", "case_id,agent_cost,cost_currency\n1,0.5,USD\n1,0.25,USD\n")
    join = {"source": "data/o.csv", "on": {"case_id": "case_id"}, "take": {"agent_cost": "sum"}}
    samples = project.open({"source": "data/cases.csv", "join": [join]})
    assert column(samples, "agent_cost") == [Decimal("0.75"), None]
    assert column(samples, "cost_currency") == ["USD", None]


def test_an_amount_keeps_its_own_currency(project: Project) -> None:
    """A cost that the cases state is in theirs, one that the export adds in its own; a mixture is refused."""
    project.write("cases.csv", "case_id,arm,agent_cost\n1,pilot,3\n2,pilot,\n")
    project.write("o.csv", "case_id,agent_cost,cost_currency\n1,0.5,USD\n2,0.25,USD\n")
    join = {"source": "data/o.csv", "on": {"case_id": "case_id"}, "take": {"agent_cost": "sum"}}
    samples = project.open({"source": "data/cases.csv", "join": [join]})
    assert column(samples, "agent_cost") == [Decimal(3), Decimal("0.25")]
    assert column(samples, "cost_currency") == ["EUR", "USD"]
    project.write("o.csv", "case_id,agent_cost,cost_currency\n1,0.5,USD\n1,0.25,GBP\n")
    with pytest.raises(SampleError, match="1 case has costs in several currencies"):
        project.open({"source": "data/cases.csv", "join": [join]})


def test_no_key_of_another_export_stays_in_the_engine(project: Project) -> None:
    theirs = [("1042", "5"), ("Hidden 7", "6"), ("x9", "1")]
    samples = joined(project, ["Secret-1042", "Secret-7"], theirs, keys="number")
    assert minutes(samples) == [5, 6]
    con = samples.con
    names = con.execute("select table_name from duckdb_tables()").fetchall()
    texts = "".join(str(con.execute(f'select * from "{n}"').fetchall()) for (n,) in names)
    assert not any(word in texts.lower() for word in ("secret", "hidden", "1042"))


def test_a_join_does_not_depend_on_the_order_of_rows(project: Project) -> None:
    rng = random.Random(3)
    entries = [entry(str(c), f"{9 + k}:{c:02d}", f"{9 + k}:{c + 20:02d}") for c, k in itertools.product(range(10, 30), range(3))]  # fmt: skip
    first = minutes(tracked(project, entries))
    rng.shuffle(entries)
    assert minutes(tracked(project, entries)) == first


def test_a_timer_over_midnight_that_is_summed_is_named(project: Project) -> None:
    """17:30 to 01:00 is shorter than `longest`, and still nobody's work on one case; a late shift may be."""
    short = [entry(str(i), "09:00", f"09:{5 + i}") for i in range(1, 9)]
    night = ("1", "w1", DAY + "17:30", "2026-03-03 01:00")
    samples = tracked(project, [*short, night])
    assert minutes(samples)[0] == 456
    text = said(samples, "over midnight")
    assert "1 of 9 time entries is over midnight (first: row 9); the 450 minutes stay in the sum" in text
    assert "entries: {longest: N, unusable: leave_out} with N below 450" in text
    samples = tracked(project, [*short, night], entries={"longest": 449, "unusable": "leave_out"})
    assert minutes(samples)[0] == 6
    assert not any("over midnight" in w for w in samples.warnings)


@pytest.mark.parametrize(("last", "named"), [("11:01", True), ("11:00", False), ("10:00", False)])
def test_an_entry_far_above_the_others_is_named(project: Project, last: str, named: bool) -> None:
    """Entries of 10 minutes: more than ten times these, and more than 120 minutes."""
    timers = [entry(str(i), "08:00", "08:10") for i in range(10, 30)] + [entry("10", "09:00", last)]
    samples = tracked(project, timers)
    assert minutes(samples)[0] is not None
    found = [w for w in samples.warnings if "longer than 120 minutes" in w]
    assert len(found) == named
    assert not named or "(first: row 21); the 121 minutes stay in the sum" in found[0]


def test_other_prefixes_are_said_and_not_matched_by_number(project: Project) -> None:
    """Of 1, OPS-2 and XX-3 only the bare number may be one of CLM-…; cases without a prefix cannot tell."""
    theirs = [("1", "5"), ("OPS-2", "50"), ("OPS-2", "60"), ("XX-3", "70")]
    samples = joined(project, ["CLM-1", "CLM-2", "CLM-3"], theirs)
    assert minutes(samples) == [5, None, None]
    text = said(samples, "prefixes than the cases")
    assert "numbers stand after 3 kinds of prefix" in text
    assert "those of the cases after 1 kind of prefix" in text
    assert "3 entries carry other prefixes than the cases, 0 of them matched by number" in text
    assert "OPS" not in text.upper().replace("PREFIX", "")
    samples = joined(project, ["1", "2", "3"], [("CLM-1", "5"), *theirs[1:]])
    assert minutes(samples) == [5, 110, 70]
    assert "4 entries carry other prefixes than the cases, 4 of them" in said(
        samples, "prefixes than the cases"
    )


def test_rows_of_no_case_are_counted(project: Project) -> None:
    samples = joined(project, ["1", "2"], [("1", "5"), ("2", "5"), ("8", "5"), ("9", "5"), ("9", "5")])
    assert "3 of 5 rows belong to no case of the sample (60.0%)" in said(samples, "to no case")
    samples = joined(project, ["1", "2"], [("1", "5"), ("2", "5")])
    assert not any("to no case" in w for w in samples.warnings)


@pytest.mark.slow
def test_hours_and_minutes_are_durations_where_all_are_written_so(project: Project) -> None:
    columns = {"handling_minutes": {"from": "min", "unit": "duration"}}
    samples = joined(project, ["1", "2", "3"], [("1", "0:07"), ("2", "1:30"), ("3", "")], columns=columns)
    assert minutes(samples) == [7, 90, None]
    assert "2 values are written as 1:30 and read as hours and minutes" in said(samples, "hours and minutes")
    with pytest.raises(SampleError, match="1 value is written with more than 23 before the colon") as raised:
        joined(project, ["1", "2"], [("1", "0:07"), ("2", "24:10")], columns=columns)
    assert "query: and set" in str(raised.value)
    with pytest.raises(SampleError, match="is no duration such as"):
        joined(project, ["1", "2"], [("1", "0:07"), ("2", "1m31s")], columns=columns)
