"""tau2 simulations: outcomes and costs before and after a change; a cost of 0 beside tokens is unknown, not free."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sample_projects import Project, column

from roi.importers import read_export, recognise
from roi.importers.export import Export
from roi.readers.files import Found, look_through

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("ROI_REAL_DATA", ROOT / "../shared/data")).resolve() / "tau2-before-after"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real runs at {DATA} (set ROI_REAL_DATA)")
BASE, CHANGED = "gpt-4.1", "ft:gpt-4.1-2025-04-14:sierra:tau2-full-sft:BzrYdMNm"


def read(*paths: Path) -> Export:
    found = [Found(p, p.name) for p in paths]
    assert {recognise(f) for f in found} == {"tau2"}
    return read_export("tau2", [(f, look_through(f)) for f in found])


def simulation(identifier: str, **more: Any) -> dict[str, Any]:
    """Two calls of 1,000 and 100 tokens, one tool call, at a logged cost of 0.002 each."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 100}
    call = {
        "id": f"c{identifier}",
        "name": "transfer_to_human_agents",
        "arguments": {},
        "requestor": "assistant",
    }
    messages = [
        {"role": "assistant", "content": "Hi", "cost": 0.0, "usage": None, "timestamp": "2026-01-05T08:00:00"},
        {"role": "user", "content": "x", "cost": 0.5, "usage": usage, "tool_calls": [{"id": "u", "name": "look", "requestor": "user"}]},
        {"role": "assistant", "cost": 0.002, "usage": usage, "tool_calls": [call], "timestamp": "2026-01-05T08:00:01"},
        {"role": "tool", "id": f"c{identifier}", "error": True, "timestamp": "2026-01-05T08:00:03"},
        {"role": "assistant", "cost": 0.002, "usage": usage, "timestamp": "2026-01-05T08:00:04"},
    ]  # fmt: skip
    return {
        "id": identifier, "task_id": 7, "trial": 0, "seed": 1, "start_time": "2026-01-05T08:00:00", "end_time": "2026-01-05T08:00:10",
        "termination_reason": "user_stop", "agent_cost": 0.004, "user_cost": 0.5, "reward_info": {"reward": 1.0},
        "messages": messages, **more,
    }  # fmt: skip


def runs(*simulations: Any, llm: str = BASE, implementation: str = "llm_agent") -> dict[str, Any]:
    info = {
        "num_trials": 1,
        "agent_info": {"llm": llm, "implementation": implementation},
        "environment_info": {"domain_name": "retail"},
    }
    return {"timestamp": "2026-01-05T08:00:00", "info": info, "tasks": [], "simulations": list(simulations)}


def write(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_one_run(tmp_path: Path) -> None:
    found = read(write(tmp_path / "a.json", runs(simulation("1"))))
    (row,) = found.traces.rows
    names = (
        "case_id",
        "outcome",
        "segment",
        "version",
        "pair_id",
        "agent_cost",
        "input_tokens",
        "calls",
        "tool_calls",
        "transferred",
        "latency",
        "user_cost",
    )
    assert [row.get(n) for n in names] == [
        "1", "correct", "retail", BASE, "retail / 7", "0.004000000", "2000", "2", "1", "true", "10.000000", "0.5"
    ]  # fmt: skip
    (action,) = found.actions.rows
    names = ("action_id", "case_id", "tool", "status", "requested_at", "duration_ms", "seq")
    assert [action.get(n) for n in names] == [
        "1:c1", "1", "transfer_to_human_agents", "error", "2026-01-05T08:00:01.000000Z", "2000.000", "2"
    ]  # fmt: skip
    assert found.left_out == {"tool calls of the simulated user": 1}
    # 2,000 tokens in at $2 a million and 200 out at $8 are 0.0056.
    assert [str(c) for c in found.contradictions] == [
        "costs of gpt-4.1: the source says USD 0.004000, its rows give USD 0.005600 at list prices; logged costs stand: "
        "logs often leave out that tokens were read from a cache, which is cheaper"
    ]


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({"reward_info": {"reward": 0.0}}, "error"),
        ({"reward_info": {"reward": 0.0}, "termination_reason": "max_steps"}, "abandoned"),
        ({"reward_info": {"reward": 1.0}, "termination_reason": "too_many_errors"}, "correct"),
        ({"reward_info": None}, None),
    ],
)
def test_outcomes(tmp_path: Path, more: dict[str, Any], outcome: str | None) -> None:
    found = read(write(tmp_path / "a.json", runs(simulation("1", **more))))
    assert found.traces.column("outcome") == [outcome]
    assert len(found.evals.rows) == (outcome is not None)


def test_a_run_that_contradicts_its_messages_and_one_that_comes_twice(tmp_path: Path) -> None:
    twice = runs(simulation("1"), simulation("1"), simulation("2", agent_cost=0.1), {"task_id": 3})
    found = read(write(tmp_path / "a.json", twice))
    assert len(found.traces.rows) == 2
    assert found.left_out["a simulation that occurs more than once counts once"] == 1
    assert found.left_out["a simulation without an id"] == 1
    said = str(found.contradictions[0])
    assert "agent_cost of 1 simulation: the source says USD 0.100000, its rows give USD 0.004000" in said


def test_a_cost_of_0_beside_tokens_is_unknown_and_bounded(tmp_path: Path) -> None:
    """2,000 tokens in, 200 out: $0.50 a million in where cached and $2 where not, $8 out."""
    free = simulation("1", agent_cost=0.0)
    for message in free["messages"]:
        message["cost"] = 0.0
    found = read(write(tmp_path / "a.json", runs(free, llm="ft:gpt-4.1:house::x")))
    assert found.traces.column("agent_cost") == [None]
    assert "1 trace has an unknown cost: a cost of 0 is logged beside tokens" in found.warnings
    assert any("USD 0.002600 (all input read from a cache) to 0.005600 (none)" in w for w in found.warnings)


@pytest.mark.slow
@needs_data
def test_the_real_runs() -> None:
    """Success, costs and tokens as the README of the data has them."""
    found = read(*sorted(DATA.glob("*.json")))
    assert len(found.traces.rows) == 280
    shares: dict[tuple[str | None, str | None], list[bool]] = {}
    for row in found.traces.rows:
        shares.setdefault((row["segment"], row["version"]), []).append(row["outcome"] == "correct")
    assert {k: sum(v) / len(v) for k, v in shares.items()} == pytest.approx(
        {
            ("airline", BASE): 0.50, ("airline", CHANGED): 0.65, ("retail", BASE): 0.85, ("retail", CHANGED): 0.85,
            ("telecom", BASE): 0.45, ("telecom", CHANGED): 0.75, ("telecom without user", BASE): 0.50,
            ("telecom without user", CHANGED): 0.85,
        }
    )  # fmt: skip
    paired: dict[str | None, dict[str | None, bool]] = {}
    for row in found.traces.rows:
        paired.setdefault(row["pair_id"], {})[row["version"]] = row["outcome"] == "correct"
    assert len(paired) == 140
    assert sum(p[CHANGED] and not p[BASE] for p in paired.values()) == 40
    assert sum(p[BASE] and not p[CHANGED] for p in paired.values()) == 11
    costs = {
        v: [r.get("agent_cost") for r in found.traces.rows if r["version"] == v] for v in (BASE, CHANGED)
    }
    assert round(sum(Decimal(c or "NaN") for c in costs[BASE]), 2) == Decimal("8.82")
    assert set(costs[CHANGED]) == {None}
    assert any(
        "140 traces have an unknown cost: a cost of 0 is logged beside tokens" in w for w in found.warnings
    )
    # 19.19 million prompt and 97.8 thousand completion tokens: × 0.50 or 2.00, and × 8.00 a million.
    (bound,) = [w for w in found.warnings if "derived from" in w]
    assert (
        "USD 10.38 (all input read from a cache) to 39.15 (none) at the list price of gpt-4.1-2025-04-14"
        in bound
    )
    assert [(c.theirs, c.ours) for c in found.contradictions] == [("USD 8.82", "USD 27.55 at list prices")]
    moved = {
        k: sum(r["transferred"] == "true" for r in found.traces.rows if (r["segment"], r["version"]) == k)
        / len(v)
        for k, v in shares.items()
    }
    assert (moved["airline", BASE], moved["airline", CHANGED]) == (0.15, 0.30)
    assert (moved["telecom without user", BASE], moved["telecom without user", CHANGED]) == (0.325, 0.45)


@needs_data
def test_the_real_runs_are_samples_as_they_are(tmp_path: Path) -> None:
    project = Project(tmp_path)
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "runs").symlink_to(DATA)
    arm = {"from": "version", "values": {BASE: "baseline", CHANGED: "pilot"}}
    cases = {
        "source": "data/runs/*airline*.json",
        "columns": {"arm": arm, "setting": {"value": "production"}},
    }
    samples = project.open(cases, samples={"actions": "data/runs/*airline*.json"})
    assert len(column(samples, "outcome")) == 40
    assert samples.unknown_cases == {}
