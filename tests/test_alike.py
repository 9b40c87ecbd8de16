"""What one row of each kind of action tells equals what every row of the log tells."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rest_slow import rest_slow
from sample_projects import Project
from test_acted import START, Rows, log_of_all_kinds, plain

import roi.alike
import roi.engine
import roi.told_actions
from roi.alike import MOST_IN_HEAD, ROWS_NAMED, alike, how_many
from roi.controls.check import Check
from roi.integration import of_cases
from roi.samples import Samples
from roi.taken import take

ACCESS: Rows = [
    {
        "system": "crm",
        "scope": "all",
        "identity": "agent",
        "granted_at": START,
        "expires": None,
        "needed": True,
    },
    {
        "system": "erp",
        "scope": "all",
        "identity": "bot",
        "granted_at": START + dt.timedelta(days=2),
        "expires": START + dt.timedelta(days=6),
        "needed": False,
    },
]


def opened(folder: Path, tables: dict[str, Rows], **given: Any) -> tuple[Any, Samples]:
    folder.mkdir()
    project = Project(folder)
    for name, rows in tables.items():
        lines = [",".join("" if x is None else str(x) for x in row.values()) for row in rows]
        project.write(f"{name}.csv", "\n".join([",".join(rows[0]), *lines]) + "\n")
    others = {name: f"data/{name}.csv" for name in tables if name != "cases"}
    samples = {**others, "partial_months": "keep", "timezone": given.pop("timezone", "UTC")}
    loaded = project.load(samples=samples, **given)
    return loaded, project.open(samples=samples, **given)


def logged(without: tuple[str, ...] = ()) -> dict[str, Rows]:
    """Cases and actions of all kinds, with attempts, with two who ask under an identity of the list, and none of a demo
    unless it is left in; "tools" leaves but six, three of which read without a person."""
    cases, actions = log_of_all_kinds(11)
    for i, row in enumerate(actions):
        row["attempt"] = [1, 1, 2, None][i % 4]
        row["requester"] = ["agent", "bot", "Ann", None][i % 7 % 4]
        if "tools" in without:
            row["tool"] = f"tool{int(row['tool'][4:]) % 6}"
            if row["tool"] in ("tool0", "tool1", "tool5") and row["effect"] == "read":
                row |= {"decision": "auto", "approver": None, "decided_at": None}
    keep = "demo" in without
    cases = [{k: v for k, v in row.items() if k != "setting" or keep} for row in cases]
    actions = [{k: v for k, v in row.items() if k not in without} for row in actions]
    return {"cases": cases, "actions": actions} | ({} if "access" in without else {"access": ACCESS})


def told(loaded: Any, samples: Samples) -> dict[str, Any]:
    """All that is taken, and the first rows of each finding."""
    taken = take(loaded, samples)
    rows: dict[str, Any] = {}
    for check in taken.controls.checks:
        assert isinstance(check, Check)
        rows[check.name] = check.rows.first if check.rows else None
    return {**plain(dataclasses.replace(taken, fingerprints={})), "first": rows}


@pytest.mark.parametrize(
    "log",
    rest_slow(
        [
            ((), "Europe/Berlin"),
            (("demo", "tools"), "UTC"),
            (("access",), "UTC"),
            (("approver", "decided_at"), "UTC"),
            (("effect", "risk"), "America/Havana"),
            (("executed_at", "status"), "UTC"),
            (("system", "requester"), "UTC"),
        ],
        at_once=2,
    ),
)
def test_what_is_taken_of_kinds_is_what_is_taken_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: tuple[tuple[str, ...], str]
) -> None:
    """Also where there are too many kinds, as the head of the log or all of it shows; and where nothing is laid down."""
    without, zone = log
    tables, found = logged(without), {}
    given = {"timezone": zone, "run": {"as_of": "2026-03-08"}}  # some actions are later than that
    patches: dict[str, dict[str, int]] = {
        "few": {},
        "many": {},
        "too many in the head": {"alike.MOST_IN_HEAD": 0},
        "too many": {"alike.MOST": 0, "told_actions.MOST_LAID": 0},
    }
    for name, limits in patches.items():
        with monkeypatch.context() as patch:
            patch.setattr(roi.engine, "SMALL", 8 << 20 if name == "few" else -1)
            for place, value in limits.items():
                patch.setattr(f"roi.{place}", value)
            loaded, samples = opened(tmp_path / name, tables, **dict(given))
            assert samples.coded == (name != "few")
            found[name] = told(loaded, samples)
            laid = samples.con.execute("select table_name from duckdb_tables() where temporary").fetchall()
            kinds = {table for (table,) in laid if table.startswith("actions_alike")}
            assert bool(kinds) == (name in ("many", "too many"))
            assert not {table for (table,) in laid if table.startswith(("told_", "kinds_"))}
            samples.con.close()
    few = found.pop("few")
    assert any(few["first"].values())
    for name, others in found.items():
        assert (name, others) == (name, few)


def test_kinds_are_counted_and_their_first_rows_named_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = logged(("access",))
    monkeypatch.setattr(roi.engine, "SMALL", -1)
    _, samples = opened(tmp_path / "p", tables)
    source = samples.tables["actions"]
    kinds = alike(samples, source)
    assert kinds is not None

    def kind(row: dict[str, Any]) -> tuple[Any, ...]:
        asked, said, ran = (row[c] for c in ("requested_at", "decided_at", "executed_at"))
        words = tuple(row[c] for c in ("tool", "system", "effect", "risk", "decision", "status"))
        who, by = row["requester"], row["approver"]
        attempt = row["attempt"] and row["attempt"] > 1
        order = (said and ran and said <= ran, said and said < asked, ran and ran < asked)
        return (
            *words,
            who and True,
            by and True,
            who and by and who == by,
            attempt,
            *order,
            bool(said),
            bool(ran),
        )

    numbered = [(kind(row), i) for i, row in enumerate(tables["actions"], 1)]
    expected = {
        tuple([i for k, i in numbered if k == key][:ROWS_NAMED]): n
        for key, n in Counter(k for k, _ in numbered).items()
    }
    rows = samples.con.execute(f"select rows_, n_ from {kinds.sql}").fetchall()
    assert {tuple(first): n for first, n in rows} == expected
    assert 1 < len(expected) < min(len(numbered), MOST_IN_HEAD)
    asked = "status = 'error' and tool <> 'tool3'"
    both = [
        samples.con.execute(
            f"select {how_many(k, asked)}, {how_many(k)}, {how_many(k, 'false')} from {sql}"
        ).fetchall()
        for k, sql in ((kinds, kinds.sql), (None, source.sql))
    ]
    assert both[0] == both[1]
    last = max(row["executed_at"] for row in tables["actions"] if row["executed_at"])
    assert samples.con.execute(f"select max(latest_executed_at) from {kinds.sql}").fetchall() == [(last,)]
    assert alike(samples, source) == kinds
    beside = alike(samples, of_cases(samples, source))
    assert beside is not None
    assert {"arm_", "of_segment", "of_outcome"} <= set(beside.columns)
    monkeypatch.setattr(roi.engine, "SMALL", 8 << 20)
    _, small = opened(tmp_path / "q", tables)
    assert alike(small, small.tables["actions"]) is None


@pytest.mark.parametrize("differ", [(), ("status",), ("attempt", "approver"), ("scope", "decided_at")])
def test_what_is_the_same_in_every_row_tells_kinds_apart_as_ever(
    differ: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a log in which all rows are alike; blank everywhere, here and there, and nowhere."""
    monkeypatch.setattr(roi.engine, "SMALL", -1)
    cases = [
        {"case_id": f"C-{i}", "arm": ("baseline", "pilot")[i % 2], "handling_minutes": 5} for i in range(20)
    ]
    same = {
        "tool": "search",
        "scope": None,
        "status": "ok",
        "attempt": 2,
        "approver": None,
        "requester": "agent",
    }
    others = {"status": "error", "attempt": 1, "approver": "Ann", "scope": "all", "decided_at": START}
    actions = []
    for i in range(20):
        row = {"action_id": f"A-{i}", "case_id": f"C-{i}", "decision": "auto", "requested_at": START, **same}
        row |= {"decided_at": None, "executed_at": START}
        actions.append(row | {c: others[c] for k, c in enumerate(differ) if i >> k & 1})
    asked_of = {"tool": "tool", "scope": "scope", "status": "status", "attempt": "attempt > 1"}
    asked_of |= {c: f"{c} is null" for c in ("approver", "decided_at")}
    if not differ:  # a log that holds little more
        actions = [
            {c: row[c] for c in ("action_id", "case_id", "tool", "status", "attempt")} for row in actions
        ]
    listed = ", ".join(sql for column, sql in asked_of.items() if column in actions[0])
    _, samples = opened(tmp_path / "p", {"cases": cases, "actions": actions})
    source = samples.tables["actions"]
    for asked in (source, of_cases(samples, source)):
        kinds = alike(samples, asked)
        assert kinds is not None
        ways = 2 ** len(differ) * (1 if asked is source else 2)
        by_kind = samples.con.execute(
            f"select {listed}, sum(n_) from {kinds.sql} group by all order by all"
        ).fetchall()
        by_row = samples.con.execute(
            f"select {listed}, count(*) from {source.sql} group by all order by all"
        ).fetchall()
        assert by_kind == by_row
        assert samples.con.execute(f"select count(*) from {kinds.sql}").fetchall()[0][0] <= ways
