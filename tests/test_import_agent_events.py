"""Agent event streams: what was allowed, what was refused, and each confirmation once though it is written twice."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from roi.importers import read_export, recognise
from roi.importers.export import Export
from roi.readers.base import UnreadableError
from roi.readers.files import Found, look_through

ROOT = Path(__file__).parent.parent
DATA = (
    Path(os.environ.get("ROI_REAL_DATA", ROOT / "../shared/data")).resolve()
    / "trace-formats/anthropic-managed-agents"
)
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real streams at {DATA} (set ROI_REAL_DATA)")


def read(*paths: Path) -> Export:
    found = [Found(p, p.name) for p in paths]
    assert {recognise(f) for f in found} == {"agent_events"}
    return read_export("agent_events", [(f, look_through(f)) for f in found])


def streamed(kind: str, second: int, **more: Any) -> list[Any]:
    return [
        "client.beta.sessions.events.stream",
        {"type": kind, "processed_at": f"2026-01-05T08:00:{second:02d}Z", **more},
    ]


def sent(**event: Any) -> list[Any]:
    return ["client.beta.sessions.events.send", ["s1", {"events": [event]}]]


def session(*lines: Any, **more: Any) -> list[Any]:
    agent = {"name": "helper", "version": 3, "model": {"id": "claude-sonnet-4-5"}}
    created = {"id": "s1", "created_at": "2026-01-05T08:00:00Z", "agent": agent, **more}
    return [["client.beta.sessions.create", created], *lines]


def write(path: Path, values: list[Any]) -> Path:
    path.write_text("\n" + "\n\n".join(json.dumps(v) for v in values), encoding="utf-8")
    return path


def asked(use: str, result: str | None) -> list[Any]:
    """A tool call that asks, its confirmation as sent and as echoed, and its result."""
    lines = [
        streamed(
            "agent.mcp_tool_use", 1, id=use, name="pay", mcp_server_name="bank", evaluated_permission="ask"
        )
    ]
    if result is not None:
        lines.append(sent(type="user.tool_confirmation", tool_use_id=use, result=result))
        lines.append(streamed("user.tool_confirmation", 3, id=f"c{use}", tool_use_id=use, result=result))
    failed = result == "deny"
    return [*lines, streamed("agent.mcp_tool_result", 5, id=f"r{use}", mcp_tool_use_id=use, is_error=failed)]


def test_each_confirmation_counts_once(tmp_path: Path) -> None:
    usage = {
        "input_tokens": 2,
        "cache_read_input_tokens": 900,
        "cache_creation_input_tokens": 98,
        "output_tokens": 100,
    }
    call = [streamed("span.model_request_start", 1, id="m"),
            streamed("span.model_request_end", 2, id="n", model_request_start_id="m", model_usage=usage, is_error=False)]  # fmt: skip
    free = streamed("agent.tool_use", 6, id="f", name="read", evaluated_permission="allow")
    lines = [*call, call[1], *asked("a", "allow"), *asked("b", "deny"), *asked("c", None), free]
    found = read(write(tmp_path / "stream.jsonl", session(*lines)))
    (row,) = found.traces.rows
    names = (
        "case_id",
        "version",
        "model",
        "calls",
        "tool_calls",
        "input_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "output_tokens",
        "agent_cost",
    )
    # claude-sonnet-4-5: 2 × $3 + 900 × $0.30 + 98 × $3.75 + 100 × $15, a million
    assert [row.get(n) for n in names] == [
        "s1",
        "3",
        "claude-sonnet-4-5",
        "1",
        "4",
        "1000",
        "900",
        "98",
        "100",
        "0.002143500",
    ]
    names = ("action_id", "tool", "system", "decision", "status", "decided_at", "executed_at")
    at = "2026-01-05T08:00:05.000000Z"
    assert [
        tuple(r.get(n) for n in names) for r in sorted(found.actions.rows, key=lambda r: str(r["action_id"]))
    ] == [
        ("s1:a", "pay", "bank", "approved", "ok", "2026-01-05T08:00:03Z", at),
        ("s1:b", "pay", "bank", "rejected", "denied", "2026-01-05T08:00:03Z", None),
        ("s1:c", "pay", "bank", None, "ok", None, at),
        ("s1:f", "read", None, "auto", None, None, None),
    ]
    assert found.left_out == {"an event that occurs more than once counts once": 1}
    assert found.warnings == (
        "2 confirmations stand in the stream more than once (as sent and as echoed); each counts once",
        "1 tool call asks for a confirmation that is not in the stream; the decision is blank",
    )


def test_a_confirmation_that_contradicts_itself_decides_nothing(tmp_path: Path) -> None:
    lines = [
        *asked("a", "allow"),
        streamed("user.tool_confirmation", 4, id="x", tool_use_id="a", result="deny"),
    ]
    found = read(write(tmp_path / "stream.jsonl", session(*lines)))
    assert found.actions.column("decision") == [None]
    assert found.left_out == {"decisions of confirmations that contradict each other": 1}


def test_a_session_that_sums_its_tokens_otherwise_is_contradicted(tmp_path: Path) -> None:
    end = streamed("span.model_request_end", 2, id="n", model_usage={"input_tokens": 5, "output_tokens": 7})
    found = read(write(tmp_path / "s.jsonl", session(end, usage={"input_tokens": 9, "output_tokens": 7})))
    assert [(c.what, c.theirs) for c in found.contradictions] == [("input_tokens of a session", "9")]


def test_events_alone_and_a_line_that_is_cut(tmp_path: Path) -> None:
    lines = [line[1] for line in asked("a", "allow") if line[0].endswith("stream")]
    assert read(write(tmp_path / "bare.jsonl", lines)).actions.column("decision") == ["approved"]
    path = write(tmp_path / "cut.jsonl", session(*asked("a", "allow")))
    path.write_text(path.read_text()[:-20])
    with pytest.raises(UnreadableError):
        read(path)


@needs_data
def test_the_real_streams() -> None:
    """Four sessions; of their tool calls one was allowed and one refused by a person (read in the files)."""
    found = read(*sorted(DATA.glob("*.jsonl")))
    assert len(found.traces.rows) == 4
    assert all(row.get("model", "").startswith("claude") for row in found.traces.rows)
    decisions = sorted(str(r.get("decision")) for r in found.actions.rows)
    assert decisions == ["None", "approved", "auto", "auto", "rejected"]
    assert [r.get("status") for r in found.actions.rows if r.get("decision") == "rejected"] == ["denied"]
    assert any(w.startswith("2 confirmations stand in the stream more than once") for w in found.warnings)
    assert found.left_out == {}
