"""Langfuse as it is exported of late: observations that name their trace, lists of traces, scores, Parquet and CSV.

Fields are those of its reference of exports to storage and of its API; all values are made up.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from made_exports import lines, parquet

from roi.importers import read_export, recognise
from roi.importers.conversations import group
from roi.importers.export import Export
from roi.readers.files import Found, look_through


def read(*paths: Path) -> Export:
    found = [Found(p, p.name) for p in paths]
    assert {recognise(f, asked=True) for f in found} == {"langfuse"}
    return read_export("langfuse", [(f, look_through(f)) for f in found])


def observation(i: int, session: str, **more: Any) -> dict[str, Any]:
    """A row of `observations_v2/`: blank texts where nothing was set, the trace's own fields beside its."""
    at = f"2026-03-0{i} 10:00:0"
    return {
        "id": f"o{i}", "trace_id": f"t{i}", "project_id": "p", "environment": "default", "type": "GENERATION", "parent_observation_id": "",
        "start_time": f"{at}0.000000", "end_time": f"{at}5.000000", "name": "llm", "metadata": {"step": "1"}, "level": "DEFAULT",
        "version": "", "input": "private", "output": "private", "provided_model_name": "gpt-4.1-mini",
        "usage_details": {"input": 400, "input_cached_tokens": 600, "output": 100, "total": 1100},
        "cost_details": {"input": 0.0004, "total": 0.00056}, "total_cost": 0.00056, "latency": 5.0, "user_id": "u", "session_id": session,
        "trace_name": "answer", "tags": ["vip", "mail"], "release": "r1", "bookmarked": False, "public": False, **more,
    }  # fmt: skip


OF_TRACE = ("user_id", "session_id", "trace_name", "tags", "release", "bookmarked", "public")
OBSERVATIONS = [observation(1, "s"), observation(2, "s"), observation(3, "")]
LEGACY = [{k: v for k, v in o.items() if k not in OF_TRACE} for o in OBSERVATIONS]
TRACES = [
    {"id": f"t{i}", "timestamp": f"2026-03-0{i} 10:00:00.000000", "name": "answer", "environment": "default", "project_id": "p",
     "metadata": {"ticket": f"T{i}"}, "user_id": "u", "session_id": "s" if i < 3 else None, "release": "r1", "version": None,
     "public": False, "bookmarked": False, "tags": ["vip", "mail"], "input": "private", "output": "private"}
    for i in (1, 2, 3)
]  # fmt: skip
SCORES = [
    {"id": f"c{i}", "timestamp": "2026-03-04 10:00:00.000000", "project_id": "p", "environment": "default",
     "trace_id": f"t{i}" if i < 5 else None, "observation_id": None, "name": "right", "value": 1, "source": "ANNOTATION",
     "data_type": "CATEGORICAL", "string_value": "yes"}
    for i in (1, 4, 5)
]  # fmt: skip


def table(path: Path, rows: list[dict[str, Any]]) -> Path:
    """The same rows as Parquet with types of its own, or as CSV with lists and objects as JSON."""
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            write = csv.DictWriter(file, list(rows[0]))
            write.writeheader()
            write.writerows(
                {
                    k: json.dumps(v) if isinstance(v, dict | list | bool) else "" if v is None else v
                    for k, v in r.items()
                }
                for r in rows
            )
        return path
    kinds = {"start_time": "TIMESTAMPTZ", "end_time": "TIMESTAMP", "timestamp": "TIMESTAMP", "tags": "VARCHAR[]", "public": "BOOLEAN",
             "metadata": "MAP(VARCHAR, VARCHAR)", "usage_details": "MAP(VARCHAR, UBIGINT)", "cost_details": "MAP(VARCHAR, DECIMAL(18, 12))",
             "total_cost": "DECIMAL(18, 12)", "bookmarked": "BOOLEAN", "value": "DOUBLE", "latency": "DOUBLE"}  # fmt: skip
    return parquet(path, rows, kinds)


def written(folder: Path, ending: str) -> list[Path]:
    parts = {"observations": LEGACY, "traces": TRACES, "scores": SCORES}
    if ending == ".jsonl":
        return [lines(folder / f"{n}.jsonl", *rows) for n, rows in parts.items()]
    return [table(folder / f"{n}{ending}", rows) for n, rows in parts.items()]


@pytest.mark.parametrize("ending", [".jsonl", ".parquet", ".csv"])
def test_traces_observations_and_scores_apart(tmp_path: Path, ending: str) -> None:
    """Three observations of three traces, two of them of one session; one score of three finds its trace."""
    found = read(*written(tmp_path, ending))
    names = ("trace_id", "session_id", "name", "tags", "release", "metadata.ticket", "scores.right", "input_tokens", "cache_read_tokens",
             "agent_cost", "started_at", "latency")  # fmt: skip
    same = ("vip;mail", "r1")
    assert [tuple(r.get(n) for n in names) for r in found.traces.rows] == [
        (f"t{i}", "s" if i < 3 else None, "answer", *same, f"T{i}", "yes" if i == 1 else None, "1000", "600", "0.000560000",
         f"2026-03-0{i}T10:00:00.000000Z", "5.000000")
        for i in (1, 2, 3)
    ]  # fmt: skip
    assert found.left_out == {
        "a score of no trace": 1,
        "traces of which the files hold only what others say of them, such as scores": 1,
    }
    assert not any("private" in str(v) for r in found.traces.rows for v in r.values())
    assert [r["case_id"] for r in group(found.traces).cases.rows] == ["s", "t3"]


@pytest.mark.parametrize("ending", [".jsonl", ".parquet", ".csv"])
def test_observations_that_name_their_trace(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"observations_v2{ending}"
    found = read(lines(path, *OBSERVATIONS) if ending == ".jsonl" else table(path, OBSERVATIONS))
    names = ("trace_id", "session_id", "user_id", "name", "tags", "release")
    assert [tuple(r.get(n) for n in names) for r in found.traces.rows] == [
        (f"t{i}", "s" if i < 3 else None, "u", "answer", "vip;mail", "r1") for i in (1, 2, 3)
    ]


def test_observations_in_camel_case(tmp_path: Path) -> None:
    """As version 2 of the API pages them."""
    one = {"id": "o", "traceId": "t", "type": "TOOL", "startTime": "2026-03-01T10:00:00.000Z", "endTime": None, "name": "pay",
           "traceName": "answer", "sessionId": "s", "userId": "u"}  # fmt: skip
    path = tmp_path / "page.json"
    path.write_text(json.dumps({"data": [one], "meta": {"cursor": None}}))
    assert [(r["session_id"], r["name"]) for r in read(path).traces.rows] == [("s", "answer")]


def test_a_list_of_traces_has_the_costs_that_they_state(tmp_path: Path) -> None:
    """The API lists traces with the names of their observations: what these did and used is not known, never 0."""
    listed = [
        {"id": f"t{i}", "timestamp": "2026-03-01T10:00:00.000Z", "name": "answer", "sessionId": None, "projectId": "p",
         "htmlPath": "/x", "latency": 5.0, "totalCost": cost, "observations": ["o1", "o2"], "scores": ["c"]}
        for i, cost in enumerate([0.0123, 0])
    ]  # fmt: skip
    path = tmp_path / "page.json"
    path.write_text(json.dumps({"data": listed, "meta": {"page": 1}}))
    found = read(path)
    names = ("trace_id", "agent_cost", "calls", "tool_calls", "errors", "input_tokens")
    assert [tuple(r.get(n) for n in names) for r in found.traces.rows] == [
        ("t0", "0.0123", None, None, None, None), ("t1", None, None, None, None, None)
    ]  # fmt: skip
    assert found.warnings == ("1 trace has an unknown cost: the files hold the trace without its spans",)


def test_a_list_of_traces_beside_their_observations_counts_once(tmp_path: Path) -> None:
    trace = {**TRACES[0], "totalCost": 0.00056}
    found = read(lines(tmp_path / "a.jsonl", trace), lines(tmp_path / "b.jsonl", LEGACY[0]))
    assert [(r["agent_cost"], r["calls"]) for r in found.traces.rows] == [("0.000560000", "1")]
    assert not [c for c in found.contradictions if "sums up" in c.what]


def test_a_table_that_is_cut_off_is_named(tmp_path: Path) -> None:
    whole = table(tmp_path / "o.parquet", LEGACY)
    whole.write_bytes(whole.read_bytes()[:-100])
    assert recognise(Found(whole, whole.name)) is None


def test_another_table_is_none_of_langfuses(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text("id,trace_id,type,start_time,bookmarked,data_type\n1,t,GENERATION,2026-01-01,x,y\n")
    assert recognise(Found(path, path.name), asked=True) != "langfuse"
