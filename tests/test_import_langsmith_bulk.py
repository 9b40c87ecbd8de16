"""LangSmith's runs as bulk exports and its later API have them: Parquet, threads and cached tokens of the run itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_exports import parquet

from roi.importers import read_export, recognise
from roi.importers.export import Export
from roi.readers.files import Found, look_through


def read(path: Path) -> Export:
    found = Found(path, path.name)
    assert recognise(found) == "langsmith"
    return read_export("langsmith", [(found, look_through(found))])


def run(name: str, kind: str, order: str, **more: Any) -> dict[str, Any]:
    """A row of the documented format, of which `session_id` is the project and no session."""
    return {
        "id": name, "name": f"step {name}", "run_type": kind, "start_time": "2026-03-01 10:00:00", "end_time": "2026-03-01 10:00:09",
        "inputs": {"q": "private"}, "outputs": {}, "extra": {"metadata": {}}, "error": None, "trace_id": "root", "dotted_order": order,
        "session_id": "project", "status": "success", "tags": ["vip"], "total_tokens": 0, "prompt_tokens": 0, "completion_tokens": 0,
        "prompt_token_details": {}, "feedback_stats": {}, "thread_id": "talk", **more,
    }  # fmt: skip


ROOT_ORDER = "20260301T100000000000Zroot"
RUNS = [
    run("root", "chain", ROOT_ORDER, total_tokens=1100, feedback_stats={"right": {"n": 1, "avg": 1.0}}),
    run("call", "llm", f"{ROOT_ORDER}.20260301T100001000000Zcall", prompt_tokens=1000, completion_tokens=100, total_tokens=1100,
        prompt_token_details={"cache_read": 600}, extra={"metadata": {"ls_provider": "openai", "ls_model_name": "gpt-4.1"}}),
    run("tool", "tool", f"{ROOT_ORDER}.20260301T100002000000Ztool", error="private"),
]  # fmt: skip


def stored_runs(path: Path) -> Path:
    """Objects as JSON in texts, times as times."""
    flat = [{k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in r.items()} for r in RUNS]
    kinds = {"start_time": "TIMESTAMP", "end_time": "TIMESTAMPTZ", "total_tokens": "BIGINT", "prompt_tokens": "BIGINT",
             "completion_tokens": "BIGINT"}  # fmt: skip
    return parquet(path, flat, kinds)


@pytest.mark.parametrize("stored", [False, True])
def test_runs_of_a_bulk_export(tmp_path: Path, stored: bool) -> None:
    """400 fresh at USD 2, 600 cached at 0.50 and 100 out at 8 a million: 0.0008 + 0.0003 + 0.0008 = 0.0019."""
    path = tmp_path / "runs.parquet"
    if stored:
        found = read(stored_runs(path))
    else:
        path = tmp_path / "runs.jsonl"
        path.write_text("".join(json.dumps(r) + "\n" for r in RUNS))
        found = read(path)
    names = (
        "trace_id",
        "session_id",
        "tags",
        "input_tokens",
        "cache_read_tokens",
        "agent_cost",
        "tool_calls",
        "errors",
        "scores.right",
    )
    assert [tuple(r.get(n) for n in names) for r in found.traces.rows] == [
        ("root", "talk", "vip", "1000", "600", "0.001900000", "1", "1", "1.0")
    ]  # fmt: skip
    assert [(r["tool"], r["status"]) for r in found.actions.rows] == [("step tool", "error")]
    assert found.contradictions == ()
    assert not any(
        "private" in str(v) for t in (found.traces, found.actions) for r in t.rows for v in r.values()
    )


def test_a_session_of_the_metadata_stands_before_the_thread(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps(run("root", "chain", ROOT_ORDER, extra={"metadata": {"session_id": "own"}})))
    assert [r["session_id"] for r in read(path).traces.rows] == ["own"]


@pytest.mark.parametrize(
    ("details", "written"),
    [
        ({"cache_creation": 0, "ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100}, "300"),
        ({"cache_creation": 300, "ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100}, "300"),
        ({"cache_creation": 0}, "0"),
        ({"cache_read": 5}, None),
    ],
)
def test_writes_to_a_cache_by_how_long_they_are_kept(
    tmp_path: Path, details: dict[str, int], written: str | None
) -> None:
    usage = {"input_tokens": 1000, "output_tokens": 10, "input_token_details": details}
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps(run("root", "llm", ROOT_ORDER, outputs={"usage_metadata": usage})))
    (row,) = read(path).traces.rows
    assert row.get("cache_write_tokens") == written


def test_a_run_lies_in_the_one_before_it_in_its_order(tmp_path: Path) -> None:
    """A framework's call around the provider's own: the tokens of both are the same ones."""
    used = {"prompt_tokens": 1000, "completion_tokens": 100}
    outer = run("outer", "llm", f"{ROOT_ORDER}.20260301T100001000000Zouter", **used)
    inner = run("inner", "llm", f"{outer['dotted_order']}.20260301T100002000000Zinner", **used)
    path = tmp_path / "runs.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in (RUNS[0], outer, inner)))
    (row,) = read(path).traces.rows
    assert (row["calls"], row["input_tokens"]) == ("1", "1000")
