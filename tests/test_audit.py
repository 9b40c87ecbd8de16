"""What the agent's calls met and what people did about its work: counted by hand, and None where nobody logged it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from opened_examples import example
from pilots import cases, write_pilot
from sample_projects import Project

from roi.audit_actions import integration_of_record, oversight_of_record
from roi.integration import MOST, REST, take_integration
from roi.oversight import take_oversight
from roi.pilot import open_pilot
from roi.samples import Samples


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


CASES = [
    {"case_id": f"T{i}", "arm": "pilot", "setting": "demo" if i >= 8 else "production", "outcome": outcome, "used": used}
    for i, (outcome, used) in enumerate(
        [
            ("correct", "yes"), ("correct", "no"), ("correct", "edited"), ("error", "yes"), ("escalated", "yes"),
            ("escalated", "edited"), ("escalated", "no"), ("correct", "yes"), ("correct", "no"), ("escalated", "yes"),
        ]
    )
]  # fmt: skip


def opened(
    project: Project,
    actions: list[dict[str, Any]],
    cases: list[dict[str, Any]] = CASES,
    **tables: list[dict[str, Any]],
) -> Samples:
    names = {"cases": cases, "actions": actions, **tables}
    for name, rows in names.items():
        filled = (
            [{"action_id": f"a{i}", "tool": "t"} | row for i, row in enumerate(rows)]
            if name == "actions"
            else rows
        )
        project.write(f"{name}.jsonl", "\n".join(json.dumps(row) for row in filled))
    return project.open("data/cases.jsonl", samples={n: f"data/{n}.jsonl" for n in names if n != "cases"})


def call(case: int, **more: Any) -> dict[str, Any]:
    return {"case_id": f"T{case}", "system": "crm", "scope": "read", "status": "ok", "attempt": 1} | more


CALLS = [
    call(0, duration_ms=100), call(0, status="error", duration_ms=900), call(0, attempt=2, duration_ms=200),
    call(1, status="timeout", duration_ms=30000), call(2, status="denied", scope="write"), call(3, status=None),
    call(8, status="error"), call(9, status="error"),  # of the demo
    {"case_id": "Z1", "system": "crm", "scope": "read", "status": "ok", "attempt": 1},
]  # fmt: skip


def test_calls_are_counted_by_system_and_scope(project: Project) -> None:
    found = integration_of_record(take_integration(opened(project, CALLS)))  # type: ignore[arg-type]
    assert found["actions"] == 7  # without the demo's two, with the one of an unknown case
    failed = found["failed"]
    assert (failed["k"], failed["n"]) == (2, 6)  # an error and a time-out, of six whose status is logged
    assert failed["low"] == pytest.approx(0.0628, abs=5e-5)  # Clopper & Pearson, 2 of 6 at 90 %
    assert failed["high"] == pytest.approx(0.7287, abs=5e-5)
    assert (found["timed_out"]["k"], found["denied"]["k"]) == (1, 1)
    assert (found["retried"]["k"], found["retried"]["n"]) == (1, 7)
    met = found["cases_that_met"]["pilot"]
    assert {name: of["k"] for name, of in met.items()} == {"any": 3, "error": 1, "timeout": 1, "denied": 1}
    assert met["any"]["n"] == 4
    rows = {(r["arm"], r["scope"]): r for r in found["by_system"]}
    assert rows["pilot", "write"]["denied"]["share"] == 1.0
    assert rows[None, "read"]["actions"] == 1
    assert found["not_granted"] is None
    assert any("samples.access" in text for text in found["missing"])
    assert found["headline"] == "50\u00a0% of 6 calls did not go through (2 failed, 1 denied)."


def test_latency_is_an_observed_value_between_observed_values(project: Project) -> None:
    calls = [call(i % 8, duration_ms=1000 * (i + 1)) for i in range(100)]
    x = take_integration(opened(project, calls))
    assert x is not None
    # The 50th and 95th of 100 values; 90 % hold the 42nd to the 59th, and the 91st to the 99th.
    assert x.seconds.tolist() == [[50.0, 42.0, 59.0, 95.0, 91.0, 99.0]]
    few = integration_of_record(take_integration(opened(project, calls[:3])))  # type: ignore[arg-type]
    assert few["by_system"][0]["seconds"] == {"p50": None, "p95": None, "n": 3}


def test_scopes_that_nobody_granted_and_grants_that_had_ended(project: Project) -> None:
    at = {"requested_at": "2026-05-01T10:00:00", "executed_at": "2026-05-01T10:00:04"}
    calls = [
        call(0, **at),
        call(1, scope="write", **at),
        call(2, scope="send", **at),
        call(3, scope="late", **at),
    ]
    calls.append(call(4, scope="write", status="denied", **at))
    access = [
        {"system": "crm", "scope": "read", "granted_at": "2026-01-01", "expires": "2026-12-31"},
        {"system": "crm", "scope": "send", "granted_at": "2026-01-01", "expires": "2026-04-30"},
        {"system": "crm", "scope": "late", "granted_at": "2026-06-01", "expires": None},
    ]
    found = integration_of_record(take_integration(opened(project, calls, access=access)))  # type: ignore[arg-type]
    assert found["scopes_not_granted"] == [{"system": "crm", "scope": "write", "actions": 2, "denied": 1}]
    assert (found["not_granted"]["k"], found["expired"]["k"]) == (2, 2)
    assert "2 calls asked for what nobody granted" in found["headline"]
    # Without durations the log's own times tell: four seconds, too few to bound.
    assert any("read from their times" in text for text in found["missing"])


def test_what_is_not_logged_is_none_with_what_to_log(project: Project) -> None:
    calls = [{"case_id": f"T{i}"} for i in range(8)]
    found = integration_of_record(take_integration(opened(project, calls)))  # type: ignore[arg-type]
    for key in ("failed", "timed_out", "denied", "retried", "not_granted", "expired"):
        assert found[key] is None, key
    assert found["by_system"][0]["system"] == "(unknown)"
    assert len(found["missing"]) == 4
    logged = integration_of_record(take_integration(opened(project, [call(0)])))  # type: ignore[arg-type]
    assert any("word for it to timeout" in text for text in logged["missing"])
    assert not any(
        "`" in text for text in (*found["missing"], *logged["missing"])
    )  # pages show texts as they are
    samples = project.cases("case_id,arm\n" + "\n".join(f"T{i},pilot" for i in range(5)))
    assert take_integration(samples) is None
    x = take_oversight(samples, timezone=None)
    assert x is not None
    said = oversight_of_record(x, min_group=5)
    assert {said[k] for k in said if k not in ("headline", "missing", "before")} == {None}
    assert said["headline"] == "What people did about the agent's work was not logged."
    assert len(said["missing"]) == 5


def test_many_systems_are_put_together(project: Project) -> None:
    calls = [call(i % 8, scope=f"s{i % 10}", system=f"y{i // 10}") for i in range(MOST + 40)]
    calls.append(call(0, scope="s0", system="y0"))
    x = take_integration(opened(project, calls))
    assert x is not None
    assert len(x.system) <= MOST
    assert x.n.sum() == MOST + 41
    assert REST in x.system


def approval(case: int, asked: str, said: str, ran: str, who: str = "p0", **more: Any) -> dict[str, Any]:
    day = "2026-05-04T"
    return call(case, decision="approved", approver=who, requested_at=day + asked, decided_at=day + said, executed_at=day + ran) | more  # fmt: skip


def test_approvals_are_timed_and_late_ones_found(project: Project) -> None:
    actions = [
        approval(0, "10:00:00", "10:05:00", "10:06:00", "p1"),
        approval(1, "10:00:00", "10:30:00", "10:10:00", "p2"),  # after the act
        approval(2, "10:00:00", "10:02:00", "10:03:00", "p3"),
        approval(3, "10:00:00", "09:50:00", "10:03:00", "p4"),  # before it was asked for
        approval(3, "10:00:00", "10:01:00", "10:03:00", "p5", decision="rejected"),
        call(4, decision="auto"),
        approval(8, "10:00:00", "10:59:00", "10:03:00", "p6"),  # of the demo
    ]
    x = take_oversight(opened(project, actions), timezone="Europe/Berlin")
    assert x is not None
    assert (x.approvers, x.waits, x.backwards, x.after, x.rejected) == (5, 4, 1, (1, 4), (1, 5))
    assert x.same_day == (4, 4)
    assert x.rework is None
    assert x.wrong == (1, 4)  # T3 is an error; T0, T1 and T2 are not


def test_waiting_times_of_few_people_are_not_shown(project: Project) -> None:
    actions = [
        approval(i % 8, "10:00:00", f"10:{1 + i % 50:02d}:00", "11:00:00", f"p{i % 4}") for i in range(100)
    ]
    x = take_oversight(opened(project, actions), timezone=None)
    assert x is not None
    assert x.minutes is not None
    # 1 to 50 minutes twice each: the 50th and the 95th of 100 values.
    assert x.minutes[[0, 3]].tolist() == [25.0, 48.0]
    said = oversight_of_record(x, min_group=5)
    assert said["waiting"] is None
    assert any("fewer than 5 people" in text for text in said["missing"])
    assert oversight_of_record(x, min_group=4)["waiting"]["p50"]["value"] == 25.0


def test_a_wait_over_midnight_is_not_of_the_same_day_where_people_live(project: Project) -> None:
    # 23:30 to 00:30 in Berlin is 21:30 to 22:30 in UTC.
    times = {"requested_at": "2026-05-04T21:30:00Z", "decided_at": "2026-05-04T22:30:00Z"}
    samples = opened(project, [call(0, decision="approved", approver="p", **times)])
    for zone, same in (("Europe/Berlin", (0, 1)), (None, (1, 1))):
        x = take_oversight(samples, timezone=zone)
        assert x is not None
        assert x.same_day == same


def test_handovers_and_results_that_nobody_used(project: Project) -> None:
    x = take_oversight(opened(project, CALLS), timezone=None)
    assert x is not None
    # Of T0 to T7: three escalated, one taken as it was (not needed), one edited (needed), one that tells nothing.
    assert (x.handed_over, x.escalations, x.told_by) == ((3, 8), (1, 2), "used")
    assert (x.unused, x.edited) == ((1, 4), (1, 4))
    judged = [dict(c) | {"judge_outcome": "escalated" if i == 4 else None} for i, c in enumerate(CASES)]
    y = take_oversight(opened(project, CALLS, judged), timezone=None)
    assert y is not None
    assert (y.escalations, y.told_by) == (
        (2, 2),
        "both",
    )  # a second look goes before what was done with the result
    untold = [{k: v for k, v in c.items() if k != "used"} for c in CASES]
    said = oversight_of_record(take_oversight(opened(project, CALLS, untold), timezone=None), min_group=5)  # type: ignore[arg-type]
    assert said["right_to_hand_over"] is None
    assert any("judge_outcome" in text for text in said["missing"])


def test_rework_after_approval_leaves_takeovers_out(project: Project) -> None:
    cases = [
        dict(c) | {"rework_minutes": m}
        for c, m in zip(CASES, [0, 5, None, 3, 20, 0, 0, 0, 9, 9], strict=True)
    ]
    actions = [approval(i, "10:00:00", "10:05:00", "10:06:00") for i in (0, 1, 2, 3, 4)] + [
        call(7, decision="auto")
    ]
    x = take_oversight(opened(project, actions, cases), timezone=None)
    assert x is not None
    assert x.rework == (2, 3)  # T1 and T3 of T0, T1 and T3: T2 is not known, T4 was taken over
    assert x.wrong == (1, 4)


@pytest.mark.slow
def test_the_audit_of_the_examples() -> None:
    permits = integration_of_record(take_integration(example("permit_intake").samples))  # type: ignore[arg-type]
    assert permits["scopes_not_granted"] == [
        {"system": "archive", "scope": "plans:read", "actions": 107, "denied": 9}
    ]
    claims = take_oversight(example("claims_intake").samples, timezone="Europe/Berlin")
    assert claims is not None
    assert claims.after == (140, 1205)  # those of the lazy approver
    assert claims.waits == 1236
    assert claims.approvers == 9


@pytest.mark.slow
def test_the_audit_is_the_same_from_the_archive() -> None:
    from roi.archive import _decoded, _encoded
    from roi.audit import audit_of_record

    a = example("claims_intake").decision.analysis
    again = _decoded(json.loads(json.dumps(_encoded(a.taken))))
    for name in ("inputs", "integration", "oversight"):
        for key in getattr(a.taken, name).__dataclass_fields__:
            one, other = (getattr(getattr(t, name), key) for t in (a.taken, again))
            assert np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other, (name, key)
    assert audit_of_record(a) == example("claims_intake").decision.record["audit"]


def test_what_is_not_there_is_none_with_what_to_give(tmp_path: Path) -> None:
    rows = cases(60, workers=6)
    path = write_pilot(tmp_path, rows, {"samples": {"actions": None}, "run": {"draws": 1000}}, name="made")
    audit = open_pilot(path).decision.record["audit"]
    assert (audit["inputs"], audit["integration"]) == (None, None)
    assert audit["oversight"]["handed_over"]["n"] > 0
    assert [text.split(":")[0] for text in audit["missing"]] == [
        "The inputs were not given", "There is no log of the agent's calls",
    ]  # fmt: skip


def test_approvals_in_time_do_not_hide_what_ran_without_one() -> None:
    """Both are said of one log: every approval came before its act, and many acts had none."""
    record = example("payment_repair").decision.record
    said = record["audit"]["oversight"]["headline"]
    check = next(
        c
        for layer in record["controls"]["layers"]
        for c in layer["checks"]
        if c["check"] == "approved_before"
    )
    missed = f"{check['misses']:,} of {check['n']:,} high-risk actions ran without an approval before them"
    assert (check["misses"], check["n"]) == (279, 735)
    assert said.startswith(f"All of 456 approvals came before the act; {missed}; ")
    every = example("support_replies").decision.record["audit"]["oversight"]["headline"]
    assert "without an approval" not in every
