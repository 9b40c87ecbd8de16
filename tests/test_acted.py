"""What is asked of cases through what is kept of each equals what their actions say when all of them are looked at."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_logs import clean, lay
from rest_slow import rest_slow
from sample_projects import Project

import roi.acted
import roi.coded
import roi.engine
from roi.acted import BEYOND, FAILURES, MOST_SYSTEMS, acted
from roi.controls.check import Rows as CheckedRows
from roi.controls.logs import Logs, hold
from roi.controls.trail_gaps import _counted
from roi.controls.trail_times import SLACK, TOLERANCE_SECONDS, _heard, _in_step, clock_skew
from roi.integration import QUANTILES, of_cases, take_integration
from roi.parameters import Policy, load_parameters
from roi.proportions import ranks
from roi.samples import Samples
from roi.taken import take

START = dt.datetime(2026, 3, 1)
Rows = list[dict[str, Any]]


def made(seed: int, *, twice: bool) -> tuple[Rows, Rows]:
    """150 cases over ten days, and some 500 actions: torn, repeated and far numbers, odd clocks, strangers."""
    rng = np.random.default_rng(seed)
    cases: Rows = []
    for i in range(150):
        began = START + dt.timedelta(seconds=int(rng.integers(10 * 86400)))
        arms = ["pilot", "baseline"] if twice and i % 10 == 0 else [str(rng.choice(["pilot", "baseline"]))]
        cases += [
            {"case_id": f"c{i}", "arm": arm, "handling_minutes": 5, "started_at": began}
            | {"ended_at": began + dt.timedelta(hours=2)}
            for arm in arms
        ]
    actions: Rows = []
    for i in range(155):
        began = (
            cases[i % 150]["started_at"]
            if rng.random() < 0.9
            else START + dt.timedelta(days=int(rng.integers(10)))
        )
        for k in range(int(rng.integers(6))):
            asked = began + dt.timedelta(seconds=int(rng.integers(-300, 90_000)))
            asked += dt.timedelta(days=int(rng.choice([-2, 0, 2], p=[0.2, 0.6, 0.2])))
            ran = asked + dt.timedelta(seconds=int(rng.integers(-400, 600))) if rng.random() < 0.9 else None
            number = (
                k + 1 + (rng.random() < 0.05) + (100 if rng.random() < 0.03 else 0) - (rng.random() < 0.05)
            )
            actions.append(
                {
                    "action_id": f"a{i}-{k}",
                    "case_id": f"c{i}" if rng.random() < 0.98 else None,
                    "seq": None if rng.random() < 0.03 else int(number),
                    "attempt": int(rng.integers(1, 3)),
                    "tool": "search",
                    "system": rng.choice(
                        np.array(["crm", "erp", "mail", None], dtype=object), p=[0.5, 0.2, 0.2, 0.1]
                    ),
                    "scope": "read",
                    "status": str(rng.choice(["ok", "error", "timeout", "denied"])),
                    "requested_at": asked,
                    "executed_at": ran,
                }
            )
    return cases, actions


def hash_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large samples are held as they are where their keys are no numbers."""
    monkeypatch.setattr(roi.coded, "numbers_in", lambda texts, domain: None)


def opened(folder: Path, cases: Rows, actions: Rows) -> Samples:
    folder.mkdir()
    project = Project(folder)
    for name, rows in (("cases", cases), ("actions", actions)):
        lines = [",".join("" if x is None else str(x) for x in row.values()) for row in rows]
        project.write(f"{name}.csv", "\n".join([",".join(rows[0]), *lines]) + "\n")
    return project.open(samples={"actions": "data/actions.csv", "partial_months": "keep"})


@pytest.fixture(params=["few", "many", "hashed"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param != "few":
        monkeypatch.setattr(roi.engine, "SMALL", -1)
    if request.param == "hashed":
        hash_keys(monkeypatch)
    return str(request.param)


@pytest.mark.parametrize("twice", [False, True])
def test_questions_of_cases_are_answered_as_by_all_their_actions(
    tmp_path: Path, size: str, twice: bool
) -> None:
    cases, actions = made(3, twice=twice)
    samples = opened(tmp_path / "p", cases, actions)
    assert samples.coded == (size != "few")
    assert samples.once == ({"actions"} if twice else {"cases", "actions"})
    logs = hold(Logs(samples=samples, policy=Policy(), as_of=None))
    log = logs.table("actions")
    assert log is not None
    by_case: dict[str | None, Rows] = defaultdict(list)
    for row in actions:
        by_case[row["case_id"]].append(row)

    expected = np.zeros(9, dtype=int)
    for case, rows in by_case.items():
        numbers = [r["seq"] for r in rows if r["seq"] is not None]
        if case is not None and numbers:
            kinds, low = set(numbers), min(numbers)
            own = {(r["seq"], r["attempt"]) for r in rows if r["seq"] is not None}
            torn = max(numbers) - low + 1 != len(kinds)
            expected += [1, low == 0, low == 1, len(numbers), 0, torn, low > 0, low > 1, len(own)]
    assert _counted(logs, log, "seq, attempt") == expected.tolist()
    assert expected[5] > 0
    assert expected[8] < expected[3]

    begun = {row["case_id"]: row["started_at"] for row in cases if row["arm"] == "pilot"}
    days: dict[dt.date, list[int]] = defaultdict(lambda: [0, 0])
    acted_on = {
        c: {(r["executed_at"] or r["requested_at"]).date() for r in rows} for c, rows in by_case.items()
    }
    for case, at in begun.items():
        days[at.date()][0] += 1
        days[at.date()][1] += at.date() not in acted_on.get(case, set())
    loud = {day for of in acted_on.values() for day in of}
    live = logs.live_cases()
    assert live is not None
    source = f"(select case_id, started_at::date as day_ from {live.sql})"
    found = _heard(logs, log, source, lambda column: f"({column})::date")
    assert found == [(day, *days[day], day in loud) for day in sorted(days)]
    assert sum(x[2] for x in found) > 0

    arms = {row["case_id"]: 1 if row["case_id"] in begun else 0 for row in cases}
    ended = {
        arm: [{r["status"] for r in by_case[c]} for c in by_case if arms.get(str(c)) == arm] for arm in (0, 1)
    }
    took = take_integration(samples)
    assert took is not None
    assert took.cases.tolist() == [len(ended[0]), len(ended[1])]
    assert took.failing.tolist() == [
        [
            sum(bool(s & set(FAILURES)) for s in ended[arm]),
            *(sum(f in s for s in ended[arm]) for f in FAILURES),
        ]
        for arm in (0, 1)
    ]
    for k, (arm, system) in enumerate(zip(took.arm.tolist(), took.system, strict=True)):
        waits = sorted(
            (r["executed_at"] - r["requested_at"]).total_seconds()
            for r in actions
            if r["executed_at"]
            and r["executed_at"] >= r["requested_at"]
            and (r["system"] or "(unknown)", arms.get(r["case_id"], -1)) == (system, arm)
        )
        assert took.timed[k] == len(waits)
        for j, share in enumerate(QUANTILES):
            ends = ranks(len(waits), share)
            wanted = [-1.0] * 3
            if ends is not None:
                wanted = [waits[rank - 1] for rank in (max(int(np.ceil(share * len(waits))), 1), *ends)]
            assert took.seconds[k, 3 * j : 3 * j + 3].tolist() == wanted


def test_cases_in_step_and_those_that_are_looked_at_are_all_cases(tmp_path: Path, size: str) -> None:
    """Counted by hand; and a log of which every case is looked at says the same."""
    cases, actions = made(5, twice=False)
    logs = hold(Logs(samples=opened(tmp_path / "p", cases, actions), policy=Policy(), as_of=None))
    log = logs.table("actions")
    assert log is not None
    sound, among = _in_step(logs, log, ["started_at", "ended_at"], True)
    assert among
    (n_odd,) = logs.ask(f"select count(distinct case_id) from {log.sql} where {among}")[0]
    slack, spans = (
        dt.timedelta(seconds=TOLERANCE_SECONDS),
        {c["case_id"]: (c["started_at"], c["ended_at"]) for c in cases if c["arm"] == "pilot"},
    )
    known: dict[tuple[Any, str], bool] = {}
    for row in actions:
        case, ran, system = row["case_id"], row["executed_at"], row["system"]
        if ran is None or case not in spans:
            continue
        own = [r for r in actions if r["case_id"] == case]
        start, end = spans[case]
        on = {r["system"] for r in own if r["system"]}
        odd = any((r["executed_at"] or r["requested_at"]) < start - slack for r in own) or len(on) > 1
        odd = odd or any(r["executed_at"] and r["requested_at"] > end + slack for r in own)
        known[system, case] = odd
    for system, counts in sound.items():
        n = sum(not odd for (s, _), odd in known.items() if s == system)
        assert counts == [n, 0, n, 0, 0, 0]
    assert 0 < n_odd < len(by := {r["case_id"] for r in actions}), by
    told = clock_skew(logs, log)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("roi.acted.MOST_SYSTEMS", 0)
        all_of_them = clock_skew(logs, log)
    assert (told.status, told.evidence, told.value, told.n) == (
        (all_of_them.status, all_of_them.evidence, all_of_them.value, all_of_them.n)
    )
    assert told.status == "fail"
    assert told.rows is not None
    assert all_of_them.rows is not None
    assert (told.rows.count, told.rows.first) == (all_of_them.rows.count, all_of_them.rows.first)


def test_bits_of_numbers_and_systems(tmp_path: Path, size: str) -> None:
    """By hand: numbers 1, 2 and 70; one failure of each kind; systems in the order of their names, and none at all."""
    at, hour = START, dt.timedelta(hours=1)
    base = {"case_id": "c0", "tool": "t", "scope": "s", "requested_at": at, "executed_at": at}
    actions = [
        {"action_id": "a1", "seq": 1, "system": "erp", "status": "error", **base},
        {
            "action_id": "a2",
            "seq": 2,
            "system": "crm",
            "status": "denied",
            **base,
            "requested_at": at + hour,
            "executed_at": at + 2 * hour,
        },
        {"action_id": "a3", "seq": 70, "system": None, "status": "ok", **base},
        {"action_id": "a4", "seq": None, "system": "mail", "status": "ok", **base, "executed_at": None},
    ]
    cases = [
        {"case_id": c, "arm": arm, "handling_minutes": 1, "started_at": at, "ended_at": at}
        for c, arm in (("c0", "pilot"), ("c1", "baseline"))
    ]
    samples = opened(tmp_path / "p", cases, actions)
    of = acted(samples, samples.tables["actions"])
    assert of.systems == ("crm", "erp", None)
    assert of.known
    names = ("failed_", "numbered_", "numbers_", "ran_on_", "first_", "last_", "asked_")
    row = samples.con.execute(f"select {', '.join(names)} from {of.cases.sql}").fetchall()
    assert row == [(1 + 4, 3, 2 + 4 + (1 << BEYOND), 1 + 2 + 4, at, at + 2 * hour, at + hour)]
    assert MOST_SYSTEMS < BEYOND
    assert str(TOLERANCE_SECONDS) in SLACK


def test_a_number_with_a_fraction_is_odd_and_has_no_bit() -> None:
    """1 and 1.5 are two numbers, though 1.5 rounds to 2, and a case with 1.5 has no whole numbers."""
    tables = clean(days=1, a_day=1)
    for row, number in zip(tables["actions"], (1, 1.5, 2.5), strict=False):
        row["seq"] = number
    logs = lay(tables)
    log = logs.table("actions")
    assert log is not None
    assert _counted(logs, log, "seq")[3:5] == [3, 2]


def log_of_all_kinds(seed: int) -> tuple[Rows, Rows]:
    """400 cases with outcomes, some of a demo, and 1,200 actions: ends that are not logged, strangers, late approvals."""
    rng = np.random.default_rng(seed)

    def one_of(*values: Any) -> Any:
        return values[int(rng.integers(len(values)))]

    cases: Rows = []
    for i in range(400):
        arm = one_of("pilot", "pilot", "baseline")
        outcome = one_of("correct", "correct", "error", "escalated", None)
        cases.append(
            {
                "case_id": f"c{i}",
                "arm": arm,
                "segment": one_of("email", "post", None),
                "worker": f"w{int(rng.integers(6))}",
                "setting": one_of("production", "production", "production", "demo"),
                "handling_minutes": int(rng.integers(1, 30)),
                "review_minutes": one_of(0, 1, 2, None),
                "rework_minutes": one_of(0, 0, 3),
                "outcome": outcome,
                "severity": one_of("minor", "major") if outcome == "error" else None,
                "used": one_of("yes", "edited", "no"),
                "confidence": round(float(rng.random()), 3),
                "started_at": START + dt.timedelta(minutes=int(rng.integers(10 * 1440))),
            }
        )
    actions: Rows = []
    for i in range(1200):
        asked = START + dt.timedelta(seconds=int(rng.integers(10 * 86400)))
        decision = one_of("auto", "auto", "approved", "rejected", None)
        said = asked + dt.timedelta(seconds=int(rng.integers(-30, 300)))
        ran = decision != "rejected" or i % 9 == 0
        tool = int(rng.integers(25))
        actions.append(
            {
                "action_id": f"a{i}",
                "case_id": one_of(f"c{int(rng.integers(300))}", f"c{int(rng.integers(300))}", f"x{i}", None)
                if i % 20 == 0
                else f"c{int(rng.integers(380))}",
                "tool": f"tool{tool}",
                "system": one_of("crm", "erp", None),
                "scope": "all",
                "effect": None if tool == 3 else "send" if tool == 4 else one_of("read", "draft", "write"),
                "risk": None if tool == 3 else one_of("routine", "routine", "high"),
                "requester": one_of("agent", "agent", None),
                "decision": decision,
                "approver": one_of("Ann", "Bob", "agent") if decision in ("approved", "rejected") else None,
                "requested_at": asked,
                "decided_at": said if decision in ("approved", "rejected") else None,
                "executed_at": asked + dt.timedelta(seconds=int(rng.integers(1, 400))) if ran else None,
                "status": one_of("ok", "ok", "ok", "error", "denied", None),
            }
        )
    return cases, actions


def plain(value: Any) -> Any:
    """What was taken, to be compared: no row's number or query, which name the same rows in other words."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        if isinstance(value, CheckedRows):
            return value.count
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    return [plain(x) for x in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize(
    "without", rest_slow([(), ("status",), ("effect",), ("approver", "decided_at")], at_once=1)
)
def test_all_that_is_taken_of_many_is_what_is_taken_of_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without: tuple[str, ...]
) -> None:
    cases, actions = log_of_all_kinds(7)
    actions = [{k: v for k, v in row.items() if k not in without} for row in actions]
    found = []
    for size in ("few", "many", "many at little memory"):
        if size != "few":
            monkeypatch.setattr(roi.engine, "SMALL", -1)
        monkeypatch.setattr(roi.acted, "AT_ONCE", 1_500_000 if size != "many at little memory" else 100)
        samples = opened(tmp_path / size, cases, actions)
        assert samples.coded == (size != "few")
        if size == "many at little memory":
            samples.con.execute("set memory_limit = '2MB'")
        loaded = load_parameters(tmp_path / size / "params" / "p.yaml")
        found.append(plain(dataclasses.replace(take(loaded, samples), fingerprints={})))
        if size == "many at little memory":
            limit = samples.con.execute("select memory_limit from pragma_database_size()").fetchall()
            assert limit[0][0].endswith("GiB")  # which it did not do with
        samples.con.close()
    assert found[1] == found[0]
    assert found[2] == found[0]
    assert found[0]["moments"]["losses"]["n"]
    assert without or {-1, 0, 1} <= set(found[0]["moments"]["losses"]["failed"])


@pytest.mark.parametrize("size", ["few", "many"], indirect=True)
def test_what_failed_and_what_people_saw_by_hand(tmp_path: Path, size: str) -> None:
    """An end that is not logged tells nothing, unless another action of the case does; a kind that a person decided on
    may be held, even among those that are put together."""
    cases, actions = log_of_all_kinds(7)
    samples = opened(tmp_path / "p", cases, actions)
    taken = take(load_parameters(tmp_path / "p" / "params" / "p.yaml"), samples)
    live = {row["case_id"]: row for row in cases if row["arm"] == "pilot" and row["setting"] == "production"}
    labelled = {case for case, row in live.items() if row["outcome"] is not None}
    ends: dict[str, set[str | None]] = defaultdict(set)
    for row in actions:
        ends[row["case_id"]].add(row["status"])
    told = [ends[case] - {None} for case in labelled]
    failed = [bool(said & {"error", "denied"}) if said else -1 for said in told]
    silent = [case for case in labelled if None in ends[case]]
    assert {len(ends[case]) > 1 for case in silent} == {True, False}
    losses, kinds = taken.moments.losses, taken.approval_kinds
    assert losses is not None
    assert losses.failed is not None
    assert kinds is not None
    assert [int(losses.n[losses.failed == x].sum()) for x in (-1, 0, 1)] == [
        failed.count(x) for x in (-1, False, True)
    ]

    mine = [row for row in actions if row["case_id"] in live]
    seen = {(row["tool"], row["effect"]) for row in mine if row["decision"] in ("approved", "rejected")}
    held = [
        row for row in mine if row["effect"] not in ("read", "draft") or (row["tool"], row["effect"]) in seen
    ]
    assert kinds.changing.sum() == 20  # the last of which are those put together
    assert len({(row["tool"], row["effect"]) for row in held}) > 20
    assert int(kinds.count("asked")[kinds.changing].sum()) == len(held) < len(mine)
    ran = {row["case_id"] for row in held if row["executed_at"] and row["status"] in ("ok", None)}
    decided = {row["case_id"] for row in mine if row["decision"] in ("approved", "rejected")}
    assert kinds.not_looked[0] == len((ran - decided) & labelled) > 0


def test_of_many_nothing_is_laid_that_each_action_holds_and_no_time_without_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One system, one scope and no attempt are said, not laid; one of two that a blank stands beside is laid."""
    monkeypatch.setattr(roi.engine, "SMALL", -1)
    hash_keys(monkeypatch)
    at = {"requested_at": START, "executed_at": START}
    of_all = {"tool": "t", "system": "crm", "scope": "read", "attempt": None, "status": "ok"}
    actions = [
        {"action_id": f"a{i}", "case_id": f"c{i}", **of_all, "effect": effect, **at}
        for i, effect in enumerate(["read", None])
    ]
    cases = [
        {"case_id": f"c{i}", "arm": arm, "handling_minutes": 1, "started_at": START}
        for i, arm in enumerate(["pilot", "baseline"])
    ]
    samples = opened(tmp_path / "p", cases, actions)
    log = samples.tables["actions"]
    of = of_cases(samples, log)
    laid = [c[0] for c in samples.con.execute("select * from actions_of_cases_rows limit 0").description]
    assert not {"tool", "system", "scope", "attempt", "status", "alike_"} & set(laid)
    assert {"case_id", "effect", "arm_"} <= set(laid)
    told = "tool, system, scope, attempt, status, effect, arm_"
    rows = samples.con.execute(f"select {told} from {of.sql} order by effect").fetchall()
    assert rows == [
        ("t", "crm", "read", None, "ok", "read", 1),
        ("t", "crm", "read", None, "ok", None, 0),
    ]
    found = acted(samples, log)
    assert found.systems == acted(samples, log).systems == ("crm",)
    names = "failed_, ran_on_, apart_, first_, asked_"
    assert samples.con.execute(f"select {names} from {found.cases.sql}").fetchall() == (
        [(0, 1, False, START, None)] * 2
    )


def test_marks_of_cases_that_lie_in_one_number_are_those_of_their_actions(tmp_path: Path, size: str) -> None:
    """A system on which nothing ran counts for a case's systems, and not for those on which something ran."""
    logged: dict[
        str, list[tuple[str | None, bool, str | None]]
    ] = {  # case → system, whether it ran, how it ended
        "c0": [("crm", True, "ok"), ("fax", False, "denied")],
        "c1": [("fax", False, None)],
        "c2": [("crm", True, "error"), (None, True, "timeout")],
        "c3": [("crm", True, "ok"), ("crm", False, "ok")],
        "c4": [("erp", True, "ok"), ("crm", True, "error")],
    }
    cases: Rows = [
        {"case_id": c, "arm": "pilot", "handling_minutes": 5, "started_at": START, "ended_at": START}
        for c in logged
    ]
    actions: Rows = [
        {"action_id": f"{case}-{k}", "case_id": case, "tool": "a", "system": system, "status": status}
        | {"requested_at": START, "executed_at": START if ran else None, "risk": "high" if k else None}
        for case, rows in logged.items()
        for k, (system, ran, status) in enumerate(rows)
    ]
    samples = opened(tmp_path / "p", cases, actions)
    of = acted(samples, samples.tables["actions"])
    found = samples.con.execute(
        "select ran_on_, failed_, coalesce(apart_, false) from cases c "
        f'join (select * from {of.cases.sql}) a on a.case_id = c.case_id order by c."row"'
    ).fetchall()
    bit = {system: 1 << k for k, system in enumerate(of.systems)}
    assert set(bit) == {"crm", "erp", None}
    told = [
        (bit["crm"], 4, True),
        (None, 0, False),
        (bit["crm"] | bit[None], 3, False),
        (bit["crm"], 0, False),
        (bit["crm"] | bit["erp"], 1, True),
    ]
    assert found == told
    # What is blank in some rows is no constant.
    beside = of_cases(samples, samples.tables["actions"])
    risks = samples.con.execute(
        f"select risk, count(*) from {beside.sql} group by 1 order by 1 nulls first"
    ).fetchall()
    assert risks == [(None, 5), ("high", 4)]
