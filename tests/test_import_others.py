"""LangSmith, MLflow, Inspect, ATIF and plain tables of runs: each call once, summaries held against what they sum up."""

from __future__ import annotations

import json
import os
import re
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import made_exports
import pytest

from roi.importers import read_export, recognise
from roi.importers.export import Export
from roi.readers.base import UnreadableError
from roi.readers.files import Found, look_through

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("ROI_REAL_DATA", ROOT / "../shared/data")).resolve() / "trace-formats"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real traces at {DATA} (set ROI_REAL_DATA)")


def read(format: str, *paths: Path) -> Export:
    found = [Found(p, p.name) for p in paths]
    assert {recognise(f, asked=True) for f in found} == {format}
    return read_export(format, [(f, look_through(f)) for f in found])


def write(path: Path, *values: Any) -> Path:
    path.write_text("\n".join(json.dumps(v) for v in values), encoding="utf-8")
    return path


def cells(found: Export, *names: str) -> list[tuple[str | None, ...]]:
    return [tuple(row.get(n) for n in names) for row in found.traces.rows]


def runs() -> list[dict[str, Any]]:
    def run(name: str, kind: str, parent: str | None, **more: Any) -> dict[str, Any]:
        return {"id": name, "trace_id": "r", "run_type": kind, "name": f"{kind} {name}", "parent_run_id": parent,
                "start_time": "2026-01-05T08:00:00", "end_time": "2026-01-05T08:00:02", **more}  # fmt: skip

    usage = {"input_tokens": 1000, "output_tokens": 100, "input_token_details": {"cache_read": 400}}
    metadata = {"ls_provider": "openai", "ls_model_name": "gpt-4.1", "thread_id": "s1", "ticket": "CLM-7"}
    return [
        run(
            "r", "chain", None, total_tokens=1100, session_name="p", feedback_stats={"helpful": {"avg": 0.5}}
        ),
        run("a", "llm", "r", outputs={"usage_metadata": usage}, extra={"metadata": metadata}),
        run("t", "tool", "r", error="boom"),
    ]


@pytest.mark.parametrize("shape", ["lines", "a list", "a page", "posted and patched"])
def test_langsmith(tmp_path: Path, shape: str) -> None:
    given = runs()
    begun = [
        {k: v for k, v in r.items() if k not in ("outputs", "end_time", "error", "total_tokens")}
        for r in given
    ]
    values = {
        "lines": given, "a list": [given], "a page": [{"runs": given}],
        "posted and patched": [{"post": begun, "patch": []}, {"post": [], "patch": given}],
    }[shape]  # fmt: skip
    if shape == "posted and patched":
        values = [{"post": begun, "patch": given}]
    found = read("langsmith", write(tmp_path / "runs.jsonl", *values))
    # 600 × 2 + 400 × 0.5 + 100 × 8 millionths
    names = (
        "trace_id",
        "session_id",
        "calls",
        "input_tokens",
        "cache_read_tokens",
        "agent_cost",
        "metadata.ticket",
        "scores.helpful",
    )
    assert cells(found, *names) == [("r", "s1", "1", "1000", "400", "0.002200000", "CLM-7", "0.5")]
    assert [(a.get("tool"), a.get("status")) for a in found.actions.rows] == [("tool t", "error")]
    assert found.contradictions == ()


@pytest.mark.parametrize(
    "place", ["outputs.usage", "outputs.llm_output.token_usage", "outputs.llm_output.usage"]
)
@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}, ("1000", None, "100")),
        (
            {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 400}},
            ("1000", "400", "100"),
        ),
        (
            {"input_tokens": 1000, "output_tokens": 100, "input_tokens_details": {"cached_tokens": 400}},
            ("1000", "400", "100"),
        ),
        (
            {"input_tokens": 600, "output_tokens": 100, "cache_read_input_tokens": 400, "cache_creation_input_tokens": 0},
            ("1000", "400", "100"),
        ),
    ],
)  # fmt: skip
def test_what_a_provider_says_of_a_langsmith_run(
    tmp_path: Path, place: str, usage: dict[str, Any], expected: tuple[str | None, ...]
) -> None:
    """As OpenAI writes its chats and its responses, and Anthropic, whose cached tokens stand beside the others."""
    given = runs()
    inner: Any = usage
    for name in reversed(place.split(".")[1:]):
        inner = {name: inner, "choices": ["a text"]}
    given[1] |= {"outputs": inner, "prompt_tokens": 0, "completion_tokens": 0}
    found = read("langsmith", write(tmp_path / "runs.jsonl", *given))
    assert cells(found, "input_tokens", "cache_read_tokens", "output_tokens") == [expected]
    cost = "0.002800000" if expected[1] is None else "0.002200000"
    assert cells(found, "agent_cost") == [(cost,)]


def test_a_langsmith_root_that_sums_otherwise(tmp_path: Path) -> None:
    given = runs()
    given[0]["total_tokens"] = 5000
    found = read("langsmith", write(tmp_path / "runs.jsonl", *given))
    assert [(c.theirs, c.ours) for c in found.contradictions] == [("5,000", "1,100")]


def test_langsmith_roots_alone_have_the_cost_that_they_state_and_never_0(tmp_path: Path) -> None:
    """What `list_runs(is_root=True)` gives, beside a root that is itself a call."""
    call = {**runs()[1], "id": "c", "trace_id": "c", "parent_run_id": None}
    stated = {**runs()[0], "total_cost": "0.0031"}
    silent = {**runs()[0], "id": "s", "trace_id": "s"}
    found = read("langsmith", write(tmp_path / "runs.jsonl", call, stated, silent))
    assert cells(found, "trace_id", "agent_cost") == [("c", "0.002200000"), ("r", "0.0031"), ("s", None)]
    assert found.contradictions == ()
    assert [w for w in found.warnings if "hold" in w] == [
        "1 trace has an unknown cost: it sums up model calls that the files do not hold",
        "1 trace has the cost that it states: the files hold no model call of it",
    ]


def test_langsmiths_costs_stand_wherever_they_are_logged(tmp_path: Path) -> None:
    given = runs()
    given[0]["total_cost"] = 0.5
    given[1]["outputs"]["usage_metadata"]["total_cost"] = 0.25
    found = read("langsmith", write(tmp_path / "runs.jsonl", *given))
    assert cells(found, "agent_cost") == [("0.250000000",)]
    assert next((c.theirs, c.ours) for c in found.contradictions) == ("USD 0.500000", "USD 0.250000")


@needs_data
def test_real_langsmith_runs() -> None:
    """Four runs; one of them streamed without usage, whose cost nobody knows."""
    found = read("langsmith", *sorted((DATA / "langsmith").glob("*.json")))
    assert sorted(cells(found, "input_tokens", "output_tokens"), key=str) == [
        ("43", "2497"), ("9", "9"), ("9", "9"), (None, None)
    ]  # fmt: skip
    assert [c for (c,) in cells(found, "agent_cost")].count(None) == 1


def mlflow(version: int, tokens: int = 1100) -> dict[str, Any]:
    usage = json.dumps({"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100})
    attributes = {
        "mlflow.spanType": '"CHAT_MODEL"',
        "mlflow.chat.tokenUsage": usage,
        "mlflow.llm.model": '"gpt-4.1"',
    }
    said = {
        "mlflow.trace.session": "s1",
        "mlflow.trace.tokenUsage": json.dumps({"total_tokens": tokens}),
        "ticket": "CLM-7",
    }
    at = 1_767_600_000_000_000_000
    if version == 3:
        times = [{"start_time_unix_nano": at, "end_time_unix_nano": at + 10**9}] * 3
        info: dict[str, Any] = {"trace_id": "r", "request_time": "2026-01-05T08:00:00Z", "trace_metadata": said,
                                "assessments": [{"assessment_name": "right", "feedback": {"value": True}}]}  # fmt: skip
        keys, status = ("span_id", "parent_span_id"), {"code": "STATUS_CODE_ERROR"}
    else:
        times = [{"start_time": at, "end_time": at + 10**9}] * 3
        info = {
            "request_id": "r",
            "timestamp_ms": 1_767_600_000_000,
            "request_metadata": said,
            "tags": {"mlflow.traceName": "x"},
        }
        keys, status = ("", "parent_id"), {}
    spans = []
    for name, parent, given in (
        ("r", None, {}),
        ("a", "r", attributes),
        ("t", "r", {"mlflow.spanType": '"TOOL"'}),
    ):
        span = {
            "name": name,
            keys[1]: parent,
            **times[0],
            "attributes": given,
            "status": status if name == "t" else {},
        }
        span |= {"span_id": name} if version == 3 else {"context": {"span_id": name, "trace_id": "r"}}
        span |= {"status_code": "ERROR"} if version == 2 and name == "t" else {}
        spans.append(span)
    return {"info": info, "data": {"spans": spans}}


@pytest.mark.parametrize(
    ("format", "sent", "cost"), [("anthropic", "1800", "0.005430000"), ("openai", "1000", "0.003030000")]
)
def test_cached_tokens_stand_beside_the_input_where_the_client_was_anthropics(
    tmp_path: Path, format: str, sent: str, cost: str
) -> None:
    """By hand, at USD 3 / 0.30 / 3.75 / 15 a million: (1000 * 3 + 600 * 0.3 + 200 * 3.75 + 100 * 15) / 1e6 = 0.00543.

    Where they are part of the input, 200 are fresh: (200 * 3 + 180 + 750 + 1500) / 1e6 = 0.00303. MLflow's own total
    leaves them out in both, which is no contradiction.
    """
    usage = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100, "cache_read_input_tokens": 600,
             "cache_creation_input_tokens": 200}  # fmt: skip
    given = mlflow(3)
    given["info"]["trace_metadata"]["mlflow.trace.tokenUsage"] = json.dumps(usage)
    given["data"]["spans"][1]["attributes"].update(
        {"mlflow.chat.tokenUsage": json.dumps(usage), "mlflow.llm.model": '"claude-sonnet-4-5"', "mlflow.message.format": f'"{format}"'}
    )  # fmt: skip
    found = read("mlflow", write(tmp_path / "t.jsonl", given))
    assert cells(found, "input_tokens", "cache_read_tokens", "cache_write_tokens", "agent_cost") == [
        (sent, "600", "200", cost)
    ]
    assert found.contradictions == ()


@pytest.mark.parametrize("version", [2, 3])
def test_mlflow(tmp_path: Path, version: int) -> None:
    found = read("mlflow", write(tmp_path / "t.jsonl", mlflow(version)))
    names = (
        "trace_id",
        "session_id",
        "calls",
        "input_tokens",
        "agent_cost",
        "metadata.ticket",
        "latency",
        "model",
    )
    assert cells(found, *names) == [("r", "s1", "1", "1000", "0.002800000", "CLM-7", "1.000000", "gpt-4.1")]
    assert [(a.get("tool"), a.get("status")) for a in found.actions.rows] == [("t", "error")]
    assert cells(found, "scores.right") == [("true" if version == 3 else None,)]
    other = read("mlflow", write(tmp_path / "u.json", {"traces": [mlflow(version, tokens=7)]}))
    assert [(c.theirs, c.ours) for c in other.contradictions] == [("7", "1,100")]


def log(*samples: Any, **results: Any) -> dict[str, Any]:
    head = {
        "task": "quiz",
        "run_id": "run",
        "model": "openai/gpt-4.1",
        "created": "2026-01-05T08:00:00+00:00",
    }
    stats = {
        "model_usage": {
            "openai/gpt-4.1": {"input_tokens": 1000 * len(samples), "output_tokens": 100 * len(samples)}
        }
    }
    done = {"completed_samples": len(samples), **results}
    return {
        "version": 2,
        "status": "success",
        "eval": head,
        "results": done,
        "stats": stats,
        "samples": list(samples),
    }


def sample(name: int, value: Any, *events: Any, **more: Any) -> dict[str, Any]:
    usage = {"openai/gpt-4.1": {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}}
    return {
        "id": name,
        "epoch": 1,
        "scores": {"match": {"value": value}},
        "model_usage": usage,
        "events": list(events),
        **more,
    }


def test_inspect(tmp_path: Path) -> None:
    def tool(key: str) -> dict[str, Any]:
        return {
            "event": "tool",
            "id": key,
            "function": "bash",
            "timestamp": "2026-01-05T08:00:00Z",
            "completed": "2026-01-05T08:00:01Z",
        }

    def approval(key: str, decision: str, who: str) -> dict[str, Any]:
        return {
            "event": "approval",
            "call": {"id": key},
            "decision": decision,
            "approver": who,
            "timestamp": "2026-01-05T08:00:00Z",
        }

    events = [tool(k) for k in "abcd"]
    events += [
        approval("a", "approve", "auto"),
        approval("b", "approve", "human"),
        approval("c", "reject", "human"),
    ]
    values = [
        sample(1, "C", *events),
        sample(2, "I"),
        sample(3, "N"),
        sample(4, 0.4),
        sample(5, 1.0),
        sample(5, 1.0),
    ]
    found = read("inspect", write(tmp_path / "log.json", log(*values)))
    assert cells(found, "pair_id", "outcome", "agent_cost", "model", "provider") == [
        (f"quiz:{i}:1", o, "0.002800000", "gpt-4.1", "openai")
        for i, o in enumerate(["correct", "error", "abandoned", None, "correct"], start=1)
    ]
    assert found.evals.column("passed") == ["true", "false", "false", "true"]
    assert [tuple(a.get(k) for k in ("decision", "approver", "status")) for a in found.actions.rows] == [
        ("auto", None, "ok"), ("approved", "human", "ok"), ("rejected", "human", "denied"), (None, None, "ok")
    ]  # fmt: skip
    assert sorted(found.left_out.values()) == [1, 1]


def test_inspects_logged_cost_stands(tmp_path: Path) -> None:
    """`ModelUsage.total_cost` of inspect_ai, in dollars; a model without one has list prices."""
    usage = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100, "total_cost": 0.5}
    logged = sample(1, "C", model_usage={"openai/gpt-4.1": usage})
    found = read("inspect", write(tmp_path / "log.json", log(logged, sample(2, "C"))))
    assert [float(str(c)) for (c,) in cells(found, "agent_cost")] == [0.5, 0.0028]


def test_mlflows_cost_of_a_trace_is_held_against_its_calls(tmp_path: Path) -> None:
    """`mlflow.trace.cost`, a JSON text as mlflow.tracing.constant.TraceMetadataKey has it."""
    given = mlflow(3)
    given["info"]["trace_metadata"]["mlflow.trace.cost"] = json.dumps({"input_cost": 0.5, "total_cost": 1.25})
    found = read("mlflow", write(tmp_path / "t.json", given))
    assert "costs" in str(found.contradictions[-1])
    assert "1.25" in str(found.contradictions[-1])


def test_an_inspect_log_that_contradicts_its_samples(tmp_path: Path) -> None:
    said = log(
        sample(1, "C"),
        sample(2, "I"),
        completed_samples=3,
        scores=[{"metrics": {"accuracy": {"value": 0.9}}}],
    )
    said["stats"]["model_usage"]["openai/gpt-4.1"]["output_tokens"] = 7
    found = read("inspect", write(tmp_path / "log.json", said))
    assert [(c.what.split(" of ")[0], c.theirs, c.ours) for c in found.contradictions] == [
        ("samples", "3 completed", "2 in the file"), ("accuracy", "0.900", "0.500"),
        ("tokens", "2,007", "2,200 as sum of the samples"),
    ]  # fmt: skip


def test_an_inspect_archive_gives_what_its_json_gives(tmp_path: Path) -> None:
    value = log(sample(1, "C"), sample(2, "I"))
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps({k: v for k, v in value.items() if k != "samples"}))
        for i, one in enumerate(value["samples"], start=1):
            archive.writestr(f"samples/{i}_epoch_1.json", json.dumps(one))
    whole = read("inspect", path)
    assert whole.traces == read("inspect", write(tmp_path / "log.json", value)).traces
    path.write_bytes(path.read_bytes()[:-30])
    assert recognise(Found(path, "log.eval")) is None
    with pytest.raises(UnreadableError):
        read_export("inspect", [(Found(path, "log.eval"), look_through(Found(path, "log.eval")))])


@needs_data
def test_real_inspect_logs() -> None:
    """Eight logs, 32 samples; one of them says that three were completed and holds none."""
    found = read("inspect", *sorted((DATA / "inspect-ai").glob("*[!E]")))
    assert (len(found.traces.rows), len(found.actions.rows), len(found.evals.rows)) == (32, 4, 22)
    assert [(c.theirs, c.ours) for c in found.contradictions] == [("3 completed", "0 in the file")]
    assert sum("did not end (status cancelled)" in w for w in found.warnings) == 2


def test_contradictions_of_trajectories_name_their_file(tmp_path: Path) -> None:
    step = {"source": "agent", "metrics": {"prompt_tokens": 10, "completion_tokens": 1, "cost_usd": 0.5}}
    final = {"total_prompt_tokens": 11, "total_cost_usd": 0.75}
    files = [
        write(
            tmp_path / f"{name}.json",
            {"schema_version": "ATIF-v1.4", "session_id": name, "steps": [step], "final_metrics": final},
        )
        for name in "ab"
    ]
    found = read("atif", *files)
    assert [c.what for c in found.contradictions] == [
        f"{what} of a trajectory in {name}.json" for name in "ab" for what in ("prompt_tokens", "cost")
    ]


@needs_data
def test_real_trajectories() -> None:
    """15 documents; the totals of three are not those of their steps (README: they look constructed)."""
    found = read("atif", *sorted((DATA / "atif").glob("*.json")))
    assert len(found.traces.rows) == 15
    assert sum(1 for c in found.contradictions if c.what.startswith("prompt_tokens of a trajectory in ")) == 3
    known = {str(r["case_id"]): r for r in found.traces.rows}
    multi = known["sess-def456-multi"]
    assert [multi.get(k) for k in ("input_tokens", "cache_read_tokens", "output_tokens", "tool_calls")] == [
        "9150",
        "5562",
        "635",
        "4",
    ]
    assert Decimal(multi["agent_cost"] or 0) == Decimal("0.0074")
    # What sub-agents of one document use is of the same case: 2,000 + 600 and 130 + 80.
    parent = known["sess-parent-001"]
    assert [parent.get(k) for k in ("input_tokens", "output_tokens", "models")] == [
        "2600",
        "210",
        "gpt-4 + gpt-4o-mini",
    ]
    assert {a.get("status") for a in found.actions.rows} == {None}


@pytest.mark.parametrize("mark", [",", ";"])
def test_a_table_of_runs(tmp_path: Path, mark: str) -> None:
    lines = [
        ["Run ID", "Conversation ID", "Model", "Prompt Tokens", "Completion Tokens", "Cost USD", "Status", "Started At", "Queue"],
        ["1", "c1", "gpt-4.1", "1000", "100", "", "ok", "2026-01-05T08:00:00", "a"],
        ["1", "c1", "gpt-4.1", "1000", "100", "", "ok", "2026-01-05T08:00:00", "a"],  # sent again
        ["1", "c1", "gpt-4.1", "2000", "100", "", "ok", "2026-01-05T08:00:05", "a"],  # another call of the run
        ["2", "c1", "gpt-4.1", "1000", "100", "0", "failed", "1767600000", "a"],
        ["3", "c2", "house", "1000", "100", "0.25", "ok", "", "b"],
        ["", "", "house", "1", "1", "", "", "", ""],
        ["4", "c2"],
    ]  # fmt: skip
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(mark.join(line) for line in lines))
    found = read("runs", path)
    # 3,000 × 2 + 200 × 8 millionths
    assert cells(
        found, "trace_id", "session_id", "calls", "agent_cost", "errors", "column.Queue", "started_at"
    ) == [
        ("1", "c1", "2", "0.007600000", "0", "a", "2026-01-05T08:00:00.000000Z"),
        ("2", "c1", "1", None, "1", "a", "2026-01-05T08:00:00.000000Z"),
        ("3", "c2", "1", "0.250000000", "0", "b", None),
    ]
    assert found.left_out == {"rows that name no run": 1, "rows with more or fewer cells than the header": 1}
    assert "1 span occurs more than once; each counts once" in found.warnings


def test_numbers_of_a_table_of_runs_are_read_or_counted(tmp_path: Path) -> None:
    """pandas writes 1000.0 beside gaps; what is no number is not taken for a blank without a word."""
    path = tmp_path / "runs.csv"
    path.write_text(
        "run_id,model,input_tokens,output_tokens,cost_usd,started_at\n"
        "1,gpt-4.1,1000.0,100.0,,2026-01-05 08:00:00\n"
        '2,gpt-4.1,"1,000",100,"0,5",05/01/2026\n'
        "3,gpt-4.1,1000.5,100,$0.5,\n"
    )
    found = read("runs", path)
    assert cells(found, "input_tokens", "agent_cost") == [("1000", "0.002800000"), (None, None), (None, None)]
    assert found.left_out == {
        f"cells that are no {what} in a form that is read, taken as blank": n
        for what, n in (("numbers of tokens", 2), ("costs", 2), ("times", 1))
    }


def test_an_archive_packed_with_zstandard_is_read(tmp_path: Path) -> None:
    from backports.zstd import zipfile as later

    plain = made_exports.write("inspect archive", tmp_path)
    expected = read("inspect", plain)
    packed = tmp_path / "packed.eval"
    with zipfile.ZipFile(plain) as old, later.ZipFile(packed, "w", later.ZIP_ZSTANDARD) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    found = read("inspect", packed)
    assert [dict(r) for r in found.evals.rows] == [dict(r) for r in expected.evals.rows] != []
    assert [dict(r) for r in found.traces.rows] == [dict(r) for r in expected.traces.rows]
    data = bytearray(packed.read_bytes())
    data[len(data) // 4] ^= 255
    packed.write_bytes(bytes(data))
    with pytest.raises(UnreadableError) as caught:
        read("inspect", packed)
    assert re.search("copy it anew|copy the file anew", caught.value.problems[0].message)


def test_an_archive_of_a_later_method_says_how_to_write_it_anew(tmp_path: Path) -> None:
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", "{}")
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = data.index(mark) + at
        data[place : place + 2] = (97).to_bytes(2, "little")
    path.write_bytes(bytes(data))
    with pytest.raises(UnreadableError) as caught:
        read("inspect", path)
    assert "inspect log convert --to json" in caught.value.problems[0].message
