"""OpenInference: the same spans in every shape, evaluations whose judge could not be read, Phoenix' own example."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from roi.importers import read_export, recognise
from roi.importers.export import Export
from roi.importers.openinference_spans import plain_rows, shape_of, span_row
from roi.readers.files import Found, look_through

ROOT = Path(__file__).parent.parent
DATA = (
    Path(os.environ.get("ROI_REAL_DATA", ROOT / "../shared/data")).resolve() / "trace-formats/openinference"
)
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real traces at {DATA} (set ROI_REAL_DATA)")


def read(*paths: Path, format: str | None = "openinference") -> Export:
    found = [Found(p, p.name) for p in paths]
    assert all(recognise(f, asked=True) == format for f in found)
    return read_export(str(format), [(f, look_through(f)) for f in found])


def write(path: Path, *values: Any) -> Path:
    path.write_text("\n".join(json.dumps(v) for v in values), encoding="utf-8")
    return path


ATTRIBUTES = {
    "llm.model_name": "gpt-4.1", "llm.provider": "openai", "llm.token_count.prompt": 1000,
    "llm.token_count.completion": 100, "session.id": "s1",
}  # fmt: skip


def shapes(folder: Path) -> dict[str, Path]:
    """A model call below an agent, as each exporter writes it."""
    times = {"start_time": "2026-01-05T08:00:00Z", "end_time": "2026-01-05T08:00:02.500+00:00"}
    root = {
        "name": "run",
        "context": {"trace_id": "t", "span_id": "r"},
        "span_kind": "AGENT",
        "parent_id": None,
        **times,
        "attributes": {},
    }
    call = {
        "name": "llm",
        "context": {"trace_id": "t", "span_id": "a"},
        "span_kind": "LLM",
        "parent_id": "r",
        **times,
        "attributes": ATTRIBUTES,
    }
    nested: dict[str, Any] = {
        "llm": {
            "model_name": "gpt-4.1",
            "provider": "openai",
            "token_count": {"prompt": 1000, "completion": 100},
        },
        "session": {"id": "s1"},
    }
    flat = [
        {"name": s["name"], "span_kind": s["span_kind"], "parent_id": s["parent_id"], **times,
         **{f"context.{k}": v for k, v in s["context"].items()}, **{f"attributes.{k}": v for k, v in s["attributes"].items()}}
        for s in (root, call)
    ]  # fmt: skip
    script = [
        {"name": s["name"], "spanContext": {"traceId": "t", "spanId": s["context"]["span_id"]},
         "parentSpanContext": {"traceId": "t", "spanId": s["parent_id"]} if s["parent_id"] else None,
         "attributes": {**s["attributes"], "openinference.span.kind": s["span_kind"]}, "status": {"code": 0},
         "startTime": [1767600000, 0], "endTime": [1767600002, 500_000_000]}
        for s in (root, call)
    ]  # fmt: skip
    files = {
        "lines": write(folder / "a.jsonl", root, call),
        "a list": write(folder / "b.json", [root, call]),
        "nested attributes": write(folder / "c.jsonl", root, {**call, "attributes": nested}),
        "a page": write(folder / "d.json", {"data": [root, call]}),
        "flat names": write(folder / "e.jsonl", *flat),
        "JavaScript": write(folder / "f.json", script),
    }
    import duckdb

    files["Parquet"] = folder / "g.parquet"
    duckdb.sql(
        f"copy (select * from read_json('{files['flat names']}')) to '{files['Parquet']}' (format parquet)"
    )
    return files


@pytest.mark.parametrize(
    "shape", ["lines", "a list", "nested attributes", "a page", "flat names", "JavaScript", "Parquet"]
)
def test_every_shape_gives_the_same_row(tmp_path: Path, shape: str) -> None:
    """gpt-4.1 at $2 a million tokens in and $8 out: 1,000 × 2 + 100 × 8 millionths."""
    found = read(shapes(tmp_path)[shape])
    names = (
        "trace_id",
        "session_id",
        "input_tokens",
        "output_tokens",
        "calls",
        "agent_cost",
        "model",
        "latency",
        "started_at",
    )
    assert [found.traces.column(n) for n in names] == [
        ["t"], ["s1"], ["1000"], ["100"], ["1"], ["0.002800000"], ["gpt-4.1"], ["2.500000"], ["2026-01-05T08:00:00.000000Z"]
    ]  # fmt: skip


def test_what_a_judge_said_that_cannot_be_read_is_missing(tmp_path: Path) -> None:
    rows = [
        {"context.span_id": "1", "label": "correct", "score": 1},
        {"context.span_id": "2", "label": "incorrect", "score": 0},
        {"context.span_id": "3", "label": "hallucinated", "score": 1},  # whose score of 1 is bad
        {"context.span_id": "4", "label": "NOT_PARSABLE", "score": 0},
        {"context.span_id": "5", "label": None, "score": None},
        {"context.span_id": "6", "label": "house word", "score": 1.0},
        {"context.span_id": "7", "label": "house word", "score": 0.4},
    ]
    for name in ("grades.jsonl", "grades.csv"):
        path = tmp_path / name
        if name.endswith("csv"):
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
        else:
            write(path, *rows)
        found = read(path)
        assert list(zip(found.evals.column("eval_case"), found.evals.column("passed"), strict=True)) == [
            ("1", "true"), ("2", "false"), ("3", "false"), ("6", "true")
        ]  # fmt: skip
        assert sorted(found.left_out.values()) == [1, 2]
        assert set(found.evals.column("suite")) == {"grades"}


ANNOTATIONS: list[dict[str, Any]] = [
    {
        "id": "A1",
        "span_id": "1",
        "name": "quality",
        "annotator_kind": "HUMAN",
        "result": {"label": "correct", "score": 1},
    },
    {
        "id": "A2",
        "span_id": "2",
        "name": "quality",
        "annotator_kind": "HUMAN",
        "result": {"label": None, "score": 0.0},
    },
    {
        "id": "A3",
        "span_id": "3",
        "name": "quality",
        "annotator_kind": "LLM",
        "result": {"label": "NOT_PARSABLE", "score": 0},
    },
    {
        "id": "A4",
        "span_id": "4",
        "name": "quality",
        "annotator_kind": "CODE",
        "result": {"label": None, "score": 0.4},
    },
    {"id": "A5", "span_id": "5", "name": "quality", "annotator_kind": "HUMAN", "result": None},
]


@pytest.mark.parametrize("name", ["page.json", "lines.jsonl", "dotted.jsonl", "table.csv", "table.parquet"])
def test_annotations_of_phoenix_are_recognised_and_graded(tmp_path: Path, name: str) -> None:
    """As the API lists them, and as its client makes a table of them, whose key is `span_id`."""
    path = tmp_path / name
    dotted = [
        {"span_id": a["span_id"], "annotation_name": a["name"], "annotator_kind": a["annotator_kind"]}
        | {f"result.{k}": (a["result"] or {}).get(k) for k in ("label", "score")}
        for a in ANNOTATIONS
    ]
    if name == "page.json":
        write(path, {"data": ANNOTATIONS, "next_cursor": None})
    elif name.startswith("table"):
        import pandas as pd

        table = pd.DataFrame(dotted)
        table.to_csv(path, index=False) if name.endswith("csv") else table.to_parquet(path)
    else:
        write(path, *(dotted if name.startswith("dotted") else ANNOTATIONS))
    assert recognise(Found(path, name), asked=True) == "openinference"
    found = read(path)
    columns = [found.evals.column(n) for n in ("eval_case", "passed", "suite")]
    assert list(zip(*columns, strict=True)) == [("1", "true", "quality"), ("2", "false", "quality")]
    assert sorted(found.left_out.values()) == [1, 2]


@pytest.mark.parametrize("key", ["span_id", "trace_id"])
def test_evaluations_by_their_span_are_recognised(tmp_path: Path, key: str) -> None:
    path = tmp_path / "grades.jsonl"
    write(path, {key: "1", "label": "correct", "score": 1})
    assert recognise(Found(path, path.name)) == "openinference"
    assert read(path).evals.column("eval_case") == ["1"]


@needs_data
def test_phoenix_evaluations() -> None:
    """Hallucination 80 and 20, questions answered 84 and 15 and one that no one can read (README of the data)."""
    known = {"hallucination": (80, 20, 0), "qa_correctness": (84, 15, 1), "relevance": (47, 53, 0)}
    for name, (good, bad, unreadable) in known.items():
        found = read(DATA / f"phoenix_evals_{name}.parquet")
        passed = Counter(found.evals.column("passed"))
        assert (passed["true"], passed["false"], sum(found.left_out.values())) == (good, bad, unreadable)


@needs_data
def test_phoenix_spans() -> None:
    """1,000 spans of 61 traces; the 116 model calls name a model and log no tokens, so that no cost is known."""
    found = read(DATA / "phoenix_spans_1000.parquet")
    assert len(found.traces.rows) == 61
    # What holds no model call at all cost nothing; what holds one has a cost that nobody knows.
    for calls, cost in zip(found.traces.column("calls"), found.traces.column("agent_cost"), strict=True):
        assert cost in ((None, "0") if calls == "0" else (None,))
    assert any("log neither tokens nor cost" in w for w in found.warnings)
    assert {m for m in found.traces.column("model") if m} <= {"gpt-3.5-turbo"}


@needs_data
@pytest.mark.parametrize(
    ("name", "traces", "sent", "received"),
    [
        ("openinference_client_span_input_output_only.json", 1, 97, 52),
        ("openinference_client_span_tool_calls.json", 1, 97, 52),
        ("otel_genai_client_span_tool_calls.json", 1, 97, 52),
        ("otel_genai_deprecated_client_span_tool_calls.json", 1, 97, 52),
        ("otel_genai_tool_execution_span.json", 1, 0, 0),
        ("phoenix_trace.jsonl", 3, 0, 0),
        ("vercel_v6_all-spans.json", 10, 304, 594),
    ],
)
def test_real_spans(name: str, traces: int, sent: int, received: int) -> None:
    """Tokens read with one's own eyes out of the files, each call once."""
    found = read(DATA / name)
    assert len(found.traces.rows) == traces
    assert sum(int(n or 0) for n in found.traces.column("input_tokens")) == sent
    assert sum(int(n or 0) for n in found.traces.column("output_tokens")) == received
    for calls, cost in zip(found.traces.column("calls"), found.traces.column("agent_cost"), strict=True):
        assert cost is None or (Decimal(cost) > 0) == (calls != "0")


def test_the_first_field_that_names_a_parent_counts() -> None:
    """OpenTelemetry's JavaScript packages may print an empty context of it beside the older field."""
    for stated, parent in (
        ({"parentSpanContext": None, "parent_id": None, "parentSpanId": "7"}, "7"),
        ({"parentSpanContext": {}, "parent_id": "8", "parentSpanId": "7"}, "8"),
        ({"parentSpanContext": {"spanId": "9"}, "parent_id": "8"}, "9"),
        ({"parent_id": ""}, None),
    ):
        value = {"name": "a", "context": {"trace_id": "t", "span_id": "1"}, "attributes": {}, **stated}
        shape = shape_of(tuple(value))
        alone = span_row(value, shape, {})
        assert alone is not None
        assert alone[2] == parent
        assert plain_rows([value]) == [alone]
