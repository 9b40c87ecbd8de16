"""mini-swe-agent's trajectories: both formats, bare lists of messages, and runs of one task by several models."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from roi.importers import read_export, recognise
from roi.importers.export import Export
from roi.importing import import_files
from roi.readers.files import Found, look_through

DATA = Path(os.environ.get("ROI_REAL_DATA", "none")) / "trace-formats"
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 600}}


def answer(second: int, command: str = "ls", cost: float | None = 0.0019, **more: Any) -> dict[str, Any]:
    """An answer that calls a tool, as format 1.1 keeps it."""
    identifier = f"call_{second}"
    extra: dict[str, Any] = {
        "actions": [{"command": command, "tool_call_id": identifier}],
        "response": {"model": "gpt-4.1-2025-04-14", "created": 1775802391 + second, "usage": USAGE},
        "timestamp": 1775802392.5 + second,
    }
    if cost is not None:
        extra["cost"] = cost
    return {
        "role": "assistant", "content": "private", "extra": {**extra, **more},
        "tool_calls": [{"id": identifier, "type": "function", "function": {"name": "bash", "arguments": "private"}}],
    }  # fmt: skip


def result(second: int, code: int) -> dict[str, Any]:
    extra = {"raw_output": "private", "returncode": code, "timestamp": 1775802393.0 + second}
    return {"role": "tool", "tool_call_id": f"call_{second}", "content": "private", "extra": extra}


TOLD = [
    {"role": "system", "content": "private"},
    {"role": "user", "content": "private"},
]
MESSAGES = [
    *TOLD,
    answer(0),
    result(0, 0),
    answer(3, "false"),
    result(3, 1),
    answer(6, "submit"),
    {"role": "exit", "content": "private", "extra": {"exit_status": "Submitted", "submission": "private"}},
]


def trajectory(
    messages: list[Any] = MESSAGES, spent: float | None = 0.0057, calls: int = 3, **more: Any
) -> dict[str, Any]:
    return {
        "info": {
            "model_stats": {"instance_cost": spent, "api_calls": calls},
            "config": {"model": {"model_name": "openai/gpt-4.1"}, "agent": {"system_template": "private"}},
            "mini_version": "2.2.7", "exit_status": "Submitted", "submission": "private",
        },
        "messages": messages, "trajectory_format": "mini-swe-agent-1.1", "instance_id": "astropy__astropy-1", **more,
    }  # fmt: skip


def read(*given: tuple[Path, Any]) -> Export:
    files = []
    for path, value in given:
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(json.dumps(value, indent=2))
        found = Found(path, "/".join(path.parts[-2:]))
        assert recognise(found) == "mini_swe_agent"
        files.append((found, look_through(found)))
    export = read_export("mini_swe_agent", files)
    assert "private" not in str([*export.traces.rows, *export.actions.rows])
    return export


def test_a_trajectory(tmp_path: Path) -> None:
    """Three calls of 1,000 and 100 tokens that each log USD 0.0019, the list's price of them."""
    found = read((tmp_path / "a" / "astropy__astropy-1.traj.json", trajectory()))
    (row,) = found.traces.rows
    want = {
        "trace_id": "astropy__astropy-1", "case_id": "astropy__astropy-1", "pair_id": "astropy__astropy-1",
        "version": "2.2.7", "model": "gpt-4.1-2025-04-14", "provider": "openai", "exit_status": "Submitted",
        "calls": "3", "tool_calls": "3", "errors": "1", "input_tokens": "3000", "cache_read_tokens": "1800",
        "output_tokens": "300", "started_at": "2026-04-10T06:26:31.000000Z", "ended_at": "2026-04-10T06:26:38.500000Z",
    }  # fmt: skip
    assert {k: row.get(k) for k in want} == want
    assert float(row["agent_cost"] or 0) == pytest.approx(0.0057)
    assert [(a["tool"], a["status"], a["duration_ms"]) for a in found.actions.rows] == [
        ("bash", "ok", "500.000"), ("bash", "error", "500.000"), ("bash", None, None),
    ]  # fmt: skip
    assert found.contradictions == ()
    assert found.left_out == {}


def test_an_answer_that_could_not_be_read_makes_half_a_bill(tmp_path: Path) -> None:
    """Format 1.1 keeps nothing of what it used, and leaves it out of `instance_cost`."""
    asked = {"role": "user", "content": "private", "extra": {"interrupt_type": "FormatError"}}
    found = read((tmp_path / "x.traj.json", trajectory([*MESSAGES[:4], asked, *MESSAGES[4:]], calls=4)))
    (row,) = found.traces.rows
    assert (row["agent_cost"], row["input_tokens"]) == (None, None)
    assert any("one of its model calls logs neither tokens nor cost" in w for w in found.warnings)
    assert sum(found.left_out.values()) == 1


def test_a_sum_that_is_not_that_of_its_calls_is_told(tmp_path: Path) -> None:
    found = read((tmp_path / "x.traj.json", trajectory(spent=0.5)))
    (told,) = found.contradictions
    assert ("0.5" in told.theirs, "0.0057" in told.ours) == (True, True)


def test_a_model_whose_price_the_agent_did_not_know_costs_what_lists_say(tmp_path: Path) -> None:
    """It logs 0 for each call: that is unknown, never 0."""
    calls = [answer(0, cost=0.0), result(0, 0)]
    found = read((tmp_path / "x.traj.json", trajectory([*TOLD, *calls], spent=0.0, calls=1)))
    (row,) = found.traces.rows
    assert row["agent_cost"] is None
    assert any("a cost of 0 is logged beside tokens" in w for w in found.warnings)


def test_format_1_tells_the_cost_of_all_calls_together(tmp_path: Path) -> None:
    shell = {
        "role": "assistant",
        "content": "THOUGHT: x\n\n```bash\nprivate\n```",
        "extra": {"response": {"usage": USAGE}},
    }
    unread = {"role": "assistant", "content": "no command", "extra": {"response": {"usage": USAGE}}}
    said = {"role": "user", "content": "<returncode>2</returncode>\n<output>\nprivate\n</output>"}
    told = trajectory([*TOLD, shell, said, unread, *TOLD[1:], shell], spent=0.05, calls=3)
    told["trajectory_format"] = "mini-swe-agent-1"
    found = read((tmp_path / "x.traj.json", told))
    (row,) = found.traces.rows
    assert (row["agent_cost"], row["calls"], row["input_tokens"]) == ("0.050000000", "3", "3000")
    assert [(a["tool"], a["status"]) for a in found.actions.rows] == [("bash", "error"), ("bash", None)]


@pytest.mark.parametrize("spent", [0.05, None])
def test_a_format_1_without_responses_costs_what_it_states_and_never_0(
    tmp_path: Path, spent: float | None
) -> None:
    told = trajectory(
        [*TOLD, {"role": "assistant", "content": "```bash\nprivate\n```"}], spent=spent or 0.0, calls=1
    )
    found = read((tmp_path / "x.traj.json", {**told, "trajectory_format": "mini-swe-agent-1"}))
    assert found.traces.column("agent_cost") == [None if spent is None else "0.050000000"]


def test_two_models_on_one_task_are_two_cases_and_a_pair(tmp_path: Path) -> None:
    again = trajectory(spent=0.0056)
    paths = [tmp_path / f / "x.traj.json" for f in ("one", "two", "three")]
    found = read((paths[0], trajectory()), (paths[1], again), (paths[2], trajectory()))
    assert found.traces.column("case_id") == ["astropy__astropy-1", "two/x"]
    assert found.traces.column("pair_id") == ["astropy__astropy-1"] * 2
    assert found.left_out == {"a trajectory that occurs more than once counts once": 1}


def test_a_bare_list_of_messages_tells_commands_and_no_cost(tmp_path: Path) -> None:
    system = {"role": "system", "content": "private; write a mswea_bash_command"}
    shell = {"role": "assistant", "content": "x\n```mswea_bash_command\nprivate\n```"}
    said = {"role": "user", "content": "<returncode>0</returncode>\n<output>\nprivate\n</output>"}
    path = tmp_path / "one.traj.json"
    found = read((path, [system, TOLD[1], shell, said]))
    assert [dict(r).get("agent_cost") for r in found.traces.rows] == [None]
    assert found.traces.column("case_id") == ["one"]
    assert found.traces.column("calls") == [None]  # there was one, which logs nothing: not 0
    assert found.actions.column("status") == ["ok"]
    (source,) = import_files([path.name], here=tmp_path).sources
    assert source.format == "mini_swe_agent"


def test_a_conversation_of_something_else_is_none(tmp_path: Path) -> None:
    path = tmp_path / "talk.traj.json"
    path.write_text(json.dumps([{"role": "user", "content": "hello"}]))
    assert recognise(Found(path, path.name)) is None


@pytest.mark.skipif(not DATA.exists(), reason="needs the files named in ROI_REAL_DATA")
def test_real_trajectories() -> None:
    found = import_files(["mini-swe-agent"], here=DATA)
    assert {name: len(table.rows) for name, table in found.tables.items()} == {"cases": 2, "actions": 12}
    assert not any(found.tables["cases"].column("agent_cost"))
