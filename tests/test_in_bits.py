"""What large samples tell by bits of their keys is what they tell without: everything that a decision takes of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rest_slow import rest_slow
from sample_projects import Project

import roi.acted
import roi.acted_bits
import roi.case_bits
import roi.coded
import roi.engine
import roi.integration
from roi.acted_bits import acted_bits
from roi.archive import _encoded
from roi.case_bits import case_bits
from roi.controls.logs import Logs
from roi.controls.trail_gaps import _counted
from roi.integration import of_cases
from roi.parameters import load_parameters
from roi.samples import Samples, open_samples
from roi.taken import take

START = dt.datetime(2026, 3, 1)
Rows = list[dict[str, Any]]


def made(seed: int, *, demo: bool, workers: bool, numbers: str) -> tuple[Rows, Rows]:
    """300 cases, and some 900 actions of these alone."""
    rng = np.random.default_rng(seed)
    cases: Rows = []
    actions: Rows = []
    for i in range(300):
        began = START + dt.timedelta(seconds=int(rng.integers(20 * 86400)))
        began = began.replace(hour=0, minute=0, second=0) if rng.random() < 0.1 else began
        pilot = rng.random() < 0.6
        outcome = str(rng.choice(["correct", "error", "escalated", ""], p=[0.6, 0.2, 0.1, 0.1]))
        cases.append(
            {
                "case_id": f"K-{i * 7 + 5}",
                "arm": "pilot" if pilot else "baseline",
                "segment": rng.choice(["email", "post", None], p=[0.5, 0.4, 0.1]),
                "handling_minutes": round(float(rng.lognormal(2, 0.5)), 2),
                "review_minutes": round(float(rng.random() * 3), 2) if pilot else None,
                "rework_minutes": round(float(rng.random() * 9), 1) if rng.random() < 0.2 else 0,
                "outcome": outcome,
                "severity": str(rng.choice(["minor", "major"])) if outcome == "error" else None,
                "used": str(rng.choice(["yes", "edited", "no"])) if pilot else None,
                "started_at": None if rng.random() < 0.05 else began,
                "ended_at": began + dt.timedelta(hours=2) if rng.random() < 0.9 else None,
                "agent_cost": 0.25 if pilot else None,
            }
            | ({"worker": f"w{int(rng.integers(9))}"} if workers else {})
            | ({"setting": "demo" if rng.random() < 0.15 else "production"} if demo else {})
        )
        cut = int(rng.integers(9))
        for k in range(int(rng.integers(6))):
            asked = began + dt.timedelta(seconds=int(rng.integers(-200, 8_000)))
            asked += dt.timedelta(days=int(rng.choice([-1, 0, 1], p=[0.1, 0.8, 0.1])))
            person = rng.random() < 0.3
            number: int | None = k + (seed % 2)
            if numbers == "torn":
                number = None if rng.random() < 0.1 else k + 1 + 2 * (k > cut)
            elif numbers == "twice":
                number = 1 + int(rng.integers(3))
            ran = asked + dt.timedelta(seconds=int(rng.integers(-30, 600))) if rng.random() < 0.9 else None
            actions.append(
                {
                    "action_id": f"A{len(actions):06d}",
                    "case_id": f"K-{i * 7 + 5}",
                    "seq": number,
                    "tool": str(rng.choice(["mail", "crm", "pay"])),
                    "system": rng.choice(np.array(["crm", "erp", None], dtype=object), p=[0.7, 0.2, 0.1]),
                    "scope": "cases",
                    "effect": str(rng.choice(["read", "write", "send"])),
                    "risk": str(rng.choice(["routine", "high"], p=[0.8, 0.2])),
                    "requester": "agent",
                    "decision": str(rng.choice(["approved", "rejected"])) if person else "auto",
                    "approver": f"w{int(rng.integers(9))}" if person else None,
                    "requested_at": asked,
                    "decided_at": asked + dt.timedelta(seconds=int(rng.integers(-9, 90))) if person else None,
                    "executed_at": ran,
                    "status": rng.choice(
                        np.array(["ok", "error", "timeout", "denied", None], dtype=object),
                        p=[0.8, 0.05, 0.05, 0.05, 0.05],
                    ),
                    "attempt": 1 + int(rng.random() < 0.1),
                }
            )
    return cases, actions


def write(project: Project, cases: Rows, actions: Rows) -> None:
    for name, rows in (("cases", cases), ("actions", actions)):
        lines = [",".join("" if x is None else str(x) for x in row.values()) for row in rows]
        project.write(f"{name}.csv", "\n".join([",".join(rows[0]), *lines]) + "\n")


def taken(project: Project, monkeypatch: pytest.MonkeyPatch, zone: str) -> tuple[list[Any], Samples]:
    """All that is taken: by bits, with the samples' keys as numbers but no bits, and as hashes; and the first samples."""
    given = {
        # A name that is told as it is, and has what looks like a place to fill in.
        "actions": {
            "source": "data/actions.csv",
            "columns": {"tool": {"from": "tool", "values": {"crm": "get_{id}"}}},
        },
        "partial_months": "keep",
        "timezone": zone,
        "assignment": "randomised",
    }
    loaded = project.load(samples=given)
    monkeypatch.setattr(roi.engine, "SMALL", -1)
    samples = open_samples(loaded)
    found = [
        _encoded(take(loaded, samples)),
        _encoded(take(loaded, dataclasses.replace(open_samples(loaded), spans={}))),
    ]
    with monkeypatch.context() as patch:
        patch.setattr(roi.coded, "numbers_in", lambda texts, domain: None)
        found.append(_encoded(take(loaded, open_samples(loaded))))
    return found, samples


def differing(one: Any, other: Any, where: str = "") -> list[str]:
    """Where two encoded values differ."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [w for key in one for w in differing(one[key], other[key], f"{where}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            w
            for i, (a, b) in enumerate(zip(one, other, strict=True))
            for w in differing(a, b, f"{where}[{i}]")
        ]
    return [] if one == other else [f"{where}: {str(one)[:80]} | {str(other)[:80]}"]


@pytest.mark.parametrize(
    "sample",
    rest_slow(
        [
            ("torn", False, "America/St_Johns"),
            *product(["plain", "torn", "twice"], [True, False], ["UTC", "America/St_Johns"]),
        ],
        at_once=2,
    ),
)
def test_a_decision_takes_the_same_by_bits(
    tmp_path: Path, sample: tuple[str, bool, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers, demo, zone = sample
    project = Project(tmp_path)
    monkeypatch.setattr(roi.acted, "AT_ONCE", 200)  # several shares
    write(project, *made(len(numbers) + demo, demo=demo, workers=numbers != "torn", numbers=numbers))
    (by_bits, by_numbers, by_hashes), samples = taken(project, monkeypatch, zone)
    bits = acted_bits(samples, samples.tables["actions"])
    assert bits is not None
    assert (bits.numbers is None) == (numbers == "twice")
    assert differing(by_bits, by_numbers) == []
    assert differing(by_bits, by_hashes) == []


@pytest.mark.parametrize(
    "what",
    rest_slow(["stranger", "amount", "nobody", "systems", "words", "numbers", "twice"], at_once=2),
)
def test_where_bits_do_not_tell_it_rows_do(
    tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An action of an unknown case or of none, many systems, words or numbers, cases of several rows, a case's number."""
    project = Project(tmp_path)
    cases, actions = made(3, demo=False, workers=True, numbers="plain")
    if what in ("stranger", "nobody"):
        actions[5]["case_id"] = "K-9" if what == "stranger" else None
    elif what == "systems":
        monkeypatch.setattr(roi.acted_bits, "MOST_SYSTEMS", 2)
    elif what == "words":
        monkeypatch.setattr(roi.case_bits, "MOST_WORDS", 2)
    elif what == "numbers":
        actions[7]["seq"] = 60
    elif what == "twice":
        cases.append(cases[0] | {"arm": "baseline" if cases[0]["arm"] == "pilot" else "pilot"})
    else:
        for i, case in enumerate(cases):
            case["amount"] = 100 + i % 17
    write(project, cases, actions)
    (by_bits, by_numbers, by_hashes), samples = taken(project, monkeypatch, "UTC")
    bits = acted_bits(samples, samples.tables["actions"])
    assert (bits is None) == (what not in ("numbers", "amount"))
    assert bits is None or (bits.numbers is None) == (what == "numbers")
    assert differing(by_bits, by_numbers) == []
    assert differing(by_bits, by_hashes) == []


@pytest.mark.parametrize(
    "gone", [("executed_at",), ("executed_at", "decided_at", "requested_at"), ("status",)]
)
def test_bits_tell_of_logs_that_say_neither_what_ran_nor_in_which_order(
    tmp_path: Path, gone: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(tmp_path)
    cases, actions = made(4, demo=False, workers=True, numbers="plain")
    write(project, cases, [{k: v for k, v in row.items() if k not in (*gone, "seq")} for row in actions])
    (by_bits, by_numbers, by_hashes), samples = taken(project, monkeypatch, "UTC")
    bits = acted_bits(samples, samples.tables["actions"])
    assert bits is not None
    assert bits.numbers == ()
    assert (bits.systems == ()) == ("executed_at" in gone)
    assert differing(by_bits, by_numbers) == []
    assert differing(by_bits, by_hashes) == []


def test_a_demo_that_acted_makes_up_for_no_case_without_actions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(tmp_path)
    cases, actions = made(5, demo=True, workers=False, numbers="plain")
    acted = {a["case_id"] for a in actions}
    bare = [c for c in cases if c["arm"] == "pilot" and c["case_id"] not in acted]
    worked = [c for c in cases if c["arm"] == "pilot" and c["case_id"] in acted]
    for i, case in enumerate(bare + worked):
        case["setting"] = "demo" if len(bare) <= i < 2 * len(bare) else "production"
    write(project, cases, actions)
    (by_bits, by_numbers, by_hashes), _ = taken(project, monkeypatch, "UTC")
    assert len(bare) > 9
    assert differing(by_bits, by_numbers) == []
    assert differing(by_bits, by_hashes) == []


@pytest.mark.parametrize("read", [("read",), ("read", "write")])
def test_what_nobody_decides_on_is_told_of_cases_with_an_error_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: tuple[str, ...]
) -> None:
    """Of the agent's cases, not of the baseline's; whether drafts and reads are most of the log or all but what is sent."""
    project = Project(tmp_path)
    cases, actions = made(6, demo=True, workers=True, numbers="plain")
    for row in actions:
        if row["effect"] in read:
            row |= {"effect": "read" if row["effect"] == "read" else "draft", "decision": "auto"}
            row |= {"approver": None, "decided_at": None}
    arms = {case["case_id"]: case["arm"] for case in cases if case["outcome"] == "error"}
    assert {arms.get(a["case_id"]) for a in actions if a["decision"] == "auto"} == {"pilot", "baseline", None}
    write(project, cases, actions)
    (by_bits, by_numbers, by_hashes), samples = taken(project, monkeypatch, "UTC")
    assert "wrong_" in of_cases(samples, samples.tables["actions"]).columns
    assert differing(by_bits, by_numbers) == []
    assert differing(by_bits, by_hashes) == []
    monkeypatch.setattr(roi.engine, "SMALL", 8 << 20)
    loaded = load_parameters(tmp_path / "params" / "p.yaml")
    few = take(loaded, open_samples(loaded))
    assert few.approval_kinds is not None
    assert differing(by_bits["approval_kinds"], _encoded(few)["approval_kinds"]) == []


def test_bits_that_lie_there_already_have_the_same_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words with quotes and braces, one alone, and none at all; in one order, which is that of their numbers."""
    project = Project(tmp_path)
    lines = [f"K-{i},{('pilot', 'baseline')[i % 2]},4,{'ab'[i % 3 % 2]},correct," for i in range(90)]
    project.write(
        "cases.csv", "\n".join(["case_id,arm,handling_minutes,segment,outcome,used", *lines]) + "\n"
    )
    columns = {"segment": {"from": "segment", "values": {"a": "it's", "b": '"{0}" \\n'}}}
    monkeypatch.setattr(roi.engine, "SMALL", -1)
    samples = project.open({"source": "data/cases.csv", "columns": columns})
    laid = case_bits(samples)
    assert laid is not None
    assert {column: sorted(words) for column, words in laid.words.items()} == {
        "segment": ['"{0}" \\n', "it's"],
        "outcome": ["correct"],
        "used": [],
    }
    assert case_bits(samples) == laid
    told = f"select segment, {laid.word('segment', 'case_id')} from {laid.beside('cases', 'case_id')}"
    assert {one == other for one, other in samples.con.execute(told).fetchall()} == {True}


def test_numbers_are_counted_in_bits_as_they_are_by_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A case for each set of the numbers 0 to 5, and one that none of its actions has."""
    project = Project(tmp_path)
    sets = [[n for n in range(6) if which >> n & 1] for which in range(64)]
    cases: Rows = [{"case_id": f"K-{i}", "arm": "pilot", "handling_minutes": 4} for i in range(64)]
    actions: Rows = [
        {"action_id": f"A-{i}-{n}", "case_id": f"K-{i}", "tool": "crm", "seq": n}
        for i, numbers in enumerate(sets)
        for n in [*numbers, None]
    ]
    write(project, cases, actions)
    loaded = project.load(samples={"actions": "data/actions.csv", "partial_months": "keep"})
    monkeypatch.setattr(roi.engine, "SMALL", -1)
    samples = open_samples(loaded)
    counted = []
    for of in (samples, dataclasses.replace(samples, spans={})):
        logs = Logs(samples=of, policy=loaded.policy, as_of=None, timezone=None)
        assert (acted_bits(of, of.tables["actions"]) is None) == (of is not samples)
        counted.append(_counted(logs, of.tables["actions"], "seq"))
    torn = sum(bool(s) and s[-1] - s[0] + 1 > len(s) for s in sets)
    above = [sum(bool(s) and s[0] > n for s in sets) for n in (0, 1)]
    assert counted[0] == counted[1] == [63, 32, 16, 192, 0, torn, *above, 192]
