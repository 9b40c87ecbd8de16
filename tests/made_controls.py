"""Logs of the controls made to order, straight into an engine: clean ones, to plant one fault at a time in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from made_engine import empty_engine

from roi.controls.catalogue import CATALOGUE
from roi.controls.check import Check, Rows
from roi.controls.logs import Logs
from roi.parameters import Policy
from roi.relation import Relation
from roi.samples import Samples

Tables = dict[str, list[dict[str, Any]]]

TIMES = ("_at", "expires")
FLAGS = ("passed", "critical", "needed", "alike_")
NUMBERS = ("handling_minutes", "agent_cost", "seq", "attempt")
START = dt.datetime(2026, 9, 1, 8)
AS_OF = dt.date(2026, 11, 30)
MIX = {"a": 0.6, "b": 0.4}


def logs_of(tables: Tables, *, without: Mapping[str, Sequence[str]] | None = None, **given: Any) -> Logs:
    """Tables of plain rows as the checks read them; `row` counts from 1.

    Args:
        tables: Name → rows.
        without: Table → columns to leave out.
        given: What else of `Logs` differs from the usual; `policy` as its keys.
    """
    con = empty_engine()
    relations = {}
    for name, rows in tables.items():
        gone = set((without or {}).get(name, ()))
        columns = [c for c in dict.fromkeys(k for row in rows for k in row) if c not in gone]
        arrays = {c: pa.array([row.get(c) for row in rows], type=_type(c)) for c in columns}
        arrays["row"] = pa.array(range(1, len(rows) + 1), type=pa.int64())
        con.register("made", pa.table(arrays))
        con.execute(f'create table "{name}" as select * from made')
        con.unregister("made")
        relations[name] = Relation.named(name, (*columns, "row"))
    policy = Policy(**given.pop("policy", {}))
    usual: dict[str, Any] = {"as_of": AS_OF, "timezone": "UTC", "mix": MIX}
    return Logs(samples=Samples(tables=relations, con=con), policy=policy, **(usual | given))


def _type(column: str) -> Any:
    if column.endswith(TIMES):
        return pa.timestamp("us")
    if column in FLAGS:
        return pa.bool_()
    return pa.float64() if column in NUMBERS else pa.string()


def clean_actions(
    n: int = 600, *, seed: int = 1, approvers: int = 6, rejects: float = 0.06, quick: float = 0.02
) -> list[dict[str, Any]]:
    """High-risk actions, a few of them rejected, all of them decided by people who read what they decide."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        asked = START + dt.timedelta(minutes=20 * i, seconds=int(rng.integers(60)))
        wait = 3.0 if rng.random() < quick else float(rng.uniform(20, 400))
        decided = asked + dt.timedelta(seconds=wait)
        ran = rng.random() >= rejects
        rows.append(
            {
                "action_id": f"A{i:05d}",
                "case_id": f"T{i:05d}",
                "tool": "send_letter" if i % 2 else "pay_claim",
                "system": "crm",
                "scope": "write",
                "effect": "send" if i % 2 else "pay",
                "risk": "high",
                "requested_at": asked,
                "requester": "agent",
                "decision": "approved" if ran else "rejected",
                "approver": f"p{int(rng.integers(approvers))}",
                "decided_at": decided,
                "executed_at": decided + dt.timedelta(seconds=2) if ran else None,
                "status": "ok" if ran else "denied",
                "version": "v2",
            }
        )
    return rows


def clean_evals(
    cases: int = 150, *, seed: int = 1, rates: Mapping[str, float] | None = None, flips: float = 0.01
) -> list[dict[str, Any]]:
    """Runs of a suite after each change; hard cases are hard for every version, and the last version ran twice."""
    rng = np.random.default_rng(seed)
    rows = []
    hard = rng.random(cases)
    for version, rate in (rates or {"v1": 0.85, "v2": 0.9}).items():
        turned = rng.random(cases) < flips
        for run, at in RUNS[version]:
            for i in range(cases):
                passed = bool(hard[i] < rate) != bool(turned[i])
                critical = i % 15 == 0
                rows.append(
                    {
                        "version": version,
                        "suite": "release",
                        "run_id": run,
                        "ran_at": at + dt.timedelta(seconds=5 * i),
                        "eval_case": f"e{i:03d}",
                        "passed": critical or passed,
                        "critical": critical,
                        "segment": "a" if i % 3 else "b",
                    }
                )
    return rows


RUNS = {
    "v1": (("r1", dt.datetime(2026, 6, 30, 12)),),
    "v2": (("r2", dt.datetime(2026, 8, 19, 12)), ("r2b", dt.datetime(2026, 8, 24, 12))),
    "v3": (("r3", dt.datetime(2026, 9, 1, 12)),),
}
CHANGES = [
    {
        "version": "v1",
        "changed_at": dt.datetime(2026, 6, 30, 9),
        "kind": "model",
        "replaces": None,
        "approved_by": "board",
    },
    {
        "version": "v2",
        "changed_at": dt.datetime(2026, 8, 19, 9),
        "kind": "prompt",
        "replaces": "v1",
        "approved_by": "board",
    },
]
INCIDENTS = [
    {
        "detected_at": dt.datetime(2026, 9, 20, 10),
        "kind": "incident",
        "started_at": dt.datetime(2026, 9, 20, 9, 50),
        "paused_at": dt.datetime(2026, 9, 20, 10, 9),
        "restricted_at": dt.datetime(2026, 9, 20, 10, 4),
        "restored_at": dt.datetime(2026, 9, 20, 12),
        "rolled_back_to": "v1",
        "severity": "major",
    },
    {
        "detected_at": dt.datetime(2026, 10, 5, 10),
        "kind": "drill",
        "started_at": dt.datetime(2026, 10, 5, 9, 58),
        "paused_at": dt.datetime(2026, 10, 5, 10, 6),
        "restricted_at": None,
        "restored_at": dt.datetime(2026, 10, 5, 11),
        "rolled_back_to": "v1",
        "severity": None,
    },
]


def clean_cases(n: int = 600, *, seed: int = 1) -> list[dict[str, Any]]:
    """Production cases, of which four in five were worked with the agent."""
    rng = np.random.default_rng(seed)
    return [
        {
            "case_id": f"T{i:05d}",
            "arm": "pilot" if i % 5 else "baseline",
            "segment": "a" if rng.random() < 0.6 else "b",
            "outcome": "error" if rng.random() < 0.05 else "correct",
            "agent_cost": round(float(rng.uniform(0.1, 0.3)), 4) if i % 5 else None,
            "setting": "production",
            "version": "v2" if i % 5 else None,
            "started_at": START + dt.timedelta(minutes=20 * i),
        }
        for i in range(n)
    ]


def clean(n: int = 600, *, seed: int = 1, evals: int = 150) -> Tables:
    """Logs in which every control holds."""
    return {
        "cases": clean_cases(n, seed=seed),
        "actions": clean_actions(n, seed=seed),
        "access": [{"system": "crm", "scope": "write", "identity": "svc-agent", "needed": True}],
        "evals": clean_evals(evals, seed=seed),
        "changes": [dict(row) for row in CHANGES],
        "incidents": [dict(row) for row in INCIDENTS],
    }


def by_name(checks: Sequence[Check], layer: str) -> dict[str, Check]:
    """The checks of a layer by name; they are those of the catalogue, in its order."""
    assert [c.name for c in checks] == [name for name, asked in CATALOGUE.items() if asked.layer == layer]
    for check in checks:
        assert check.evidence.endswith("."), check
        if CATALOGUE[check.name].personal:
            assert check.rows is None, check
    return {check.name: check for check in checks}


def rows_of(table: str, *numbers: int) -> Rows:
    """So many rows, named as far as a finding names them."""
    return Rows(table=table, count=len(numbers), first=tuple(sorted(numbers)[:20]))
