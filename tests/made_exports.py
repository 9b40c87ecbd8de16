"""A small export of every format that is imported, made up, and ways to spoil it."""

from __future__ import annotations

import copy
import csv
import io
import json
import random
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

AT = "2026-01-05T08:00:0{}Z"
_NANO = 1_767_600_000_000_000_000
_USAGE = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}


def _langfuse() -> list[Any]:
    call = {"id": "a", "traceId": "t", "type": "GENERATION", "name": "x", "startTime": AT.format(0), "endTime": AT.format(2),
            "model": "gpt-4.1", "usageDetails": {"input": 1000, "output": 100, "total": 1100}, "costDetails": {"total": 0.003}}  # fmt: skip
    tool = {
        "id": "b",
        "traceId": "t",
        "type": "TOOL",
        "name": "pay",
        "startTime": AT.format(1),
        "parentObservationId": "a",
    }
    head = {"id": "t", "name": "run", "timestamp": AT.format(0), "projectId": "p", "sessionId": "s", "metadata": {"ticket": "T-1"},
            "scores": [{"name": "ok", "value": 1}]}  # fmt: skip
    return [
        {"trace": head, "observations": [call, tool]},
        {"trace": {**head, "id": "u"}, "observations": [{**call, "traceId": "u"}]},
    ]


def _otlp() -> list[Any]:
    attributes = [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                  {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4.1"}},
                  {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "1000"}},
                  {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "100"}}]  # fmt: skip
    span = {"traceId": "t", "spanId": "a", "name": "x", "startTimeUnixNano": str(_NANO), "endTimeUnixNano": str(_NANO + 9), "attributes": attributes,
            "status": {"code": 2}}  # fmt: skip
    tool = {
        **span,
        "spanId": "b",
        "parentSpanId": "a",
        "attributes": [{"key": "gen_ai.tool.name", "value": {"stringValue": "pay"}}],
    }
    return [{"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"spans": [span, tool]}]}]}]


def _openinference() -> list[Any]:
    span = {"name": "x", "context": {"trace_id": "t", "span_id": "a"}, "span_kind": "LLM", "parent_id": None, "start_time": AT.format(0),
            "end_time": AT.format(1), "status_code": "OK", "attributes": {"llm.model_name": "gpt-4.1", "llm.token_count.prompt": 1000,
                                                                          "llm.token_count.completion": 100}}  # fmt: skip
    tool = {
        **span,
        "context": {"trace_id": "t", "span_id": "b"},
        "span_kind": "TOOL",
        "parent_id": "a",
        "attributes": {"tool": {"name": "pay"}},
    }
    return [span, tool, {"context.span_id": "a", "label": "correct", "score": 1}]


def _tau2() -> list[Any]:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100}
    call = {"id": "c", "name": "pay", "arguments": {}, "requestor": "assistant"}
    said = [{"role": "assistant", "cost": 0.002, "usage": usage, "tool_calls": [call], "timestamp": AT.format(0)},
            {"role": "tool", "id": "c", "error": False, "timestamp": AT.format(1)},
            {"role": "user", "cost": 0.1, "usage": usage, "tool_calls": [call]}]  # fmt: skip
    run = {"id": "1", "task_id": "t", "start_time": AT.format(0), "end_time": AT.format(9), "termination_reason": "user_stop",
           "agent_cost": 0.002, "user_cost": 0.1, "reward_info": {"reward": 1.0}, "messages": said, "trial": 0, "seed": 1}  # fmt: skip
    info = {
        "num_trials": 1,
        "agent_info": {"llm": "gpt-4.1", "implementation": "llm_agent"},
        "environment_info": {"domain_name": "retail"},
    }
    return [
        {"info": info, "tasks": [], "simulations": [run, {**run, "id": "2", "reward_info": {"reward": 0.0}}]}
    ]


def _promptfoo() -> list[Any]:
    result = {"provider": {"id": "gpt"}, "promptId": "p", "success": True, "testIdx": 0, "vars": {"label": "x"}, "cost": 0.01, "latencyMs": 5,
              "response": {"tokenUsage": {"total": 11, "prompt": 10, "completion": 1}}}  # fmt: skip
    prompts = [
        {"provider": "gpt", "id": "p", "metrics": {"testPassCount": 1, "testFailCount": 1, "cost": 0.02}}
    ]
    return [
        {
            "evalId": "e",
            "results": {"results": [result, {**result, "success": False, "testIdx": 1}], "prompts": prompts},
        }
    ]


def _agent_events() -> list[Any]:
    def event(kind: str, second: int, **more: Any) -> list[Any]:
        return [
            "client.beta.sessions.events.stream",
            {"type": kind, "processed_at": AT.format(second), **more},
        ]

    agent = {"name": "x", "model": {"id": "claude-sonnet-4-5"}}
    return [
        [
            "client.beta.sessions.create",
            {"id": "s", "agent": agent, "created_at": AT.format(0), "usage": {"input_tokens": 9}},
        ],
        event("span.model_request_start", 1, id="m"),
        event(
            "agent.mcp_tool_use", 2, id="u", name="pay", mcp_server_name="bank", evaluated_permission="ask"
        ),
        event(
            "span.model_request_end",
            3,
            id="n",
            model_request_start_id="m",
            model_usage={"input_tokens": 9, "output_tokens": 2},
        ),
        [
            "client.beta.sessions.events.send",
            ["s", {"events": [{"type": "user.tool_confirmation", "tool_use_id": "u", "result": "allow"}]}],
        ],
        event("user.tool_confirmation", 4, id="c", tool_use_id="u", result="allow"),
        event("agent.mcp_tool_result", 5, id="r", mcp_tool_use_id="u", is_error=False),
    ]


def _langsmith() -> list[Any]:
    run = {
        "id": "r",
        "trace_id": "r",
        "run_type": "chain",
        "name": "x",
        "start_time": AT.format(0),
        "end_time": AT.format(9),
        "total_tokens": 1100,
    }
    call = {**run, "id": "a", "run_type": "llm", "parent_run_id": "r", "outputs": {"usage_metadata": _USAGE},
            "extra": {"metadata": {"ls_provider": "openai", "ls_model_name": "gpt-4.1"}}}  # fmt: skip
    return [
        {"post": [run, call], "patch": [{"id": "a", "end_time": AT.format(8)}]},
        {**run, "id": "t", "run_type": "tool", "error": "x"},
    ]


def _mlflow() -> list[Any]:
    attributes = {
        "mlflow.spanType": '"LLM"',
        "mlflow.chat.tokenUsage": json.dumps(_USAGE),
        "mlflow.llm.model": '"gpt-4.1"',
    }
    span = {"name": "x", "span_id": "a", "parent_span_id": None, "start_time_unix_nano": _NANO, "end_time_unix_nano": _NANO + 9, "attributes": attributes,
            "status": {"code": "STATUS_CODE_OK"}}  # fmt: skip
    tool = {**span, "span_id": "b", "parent_span_id": "a", "attributes": {"mlflow.spanType": '"TOOL"'}}
    info = {"trace_id": "t", "request_time": AT.format(0), "trace_metadata": {"mlflow.trace.tokenUsage": json.dumps(_USAGE)},
            "assessments": [{"assessment_name": "ok", "feedback": {"value": True}}]}  # fmt: skip
    return [{"info": info, "data": {"spans": [span, tool]}}]


def _inspect() -> list[Any]:
    events = [{"event": "tool", "id": "c", "function": "pay", "timestamp": AT.format(0), "completed": AT.format(1)},
              {"event": "approval", "call": {"id": "c"}, "decision": "approve", "approver": "human"}]  # fmt: skip
    sample = {
        "id": 1,
        "epoch": 1,
        "scores": {"match": {"value": "C"}},
        "model_usage": {"openai/gpt-4.1": _USAGE},
        "events": events,
    }
    head = {"task": "quiz", "run_id": "r", "model": "openai/gpt-4.1", "created": AT.format(0)}
    return [{"version": 2, "status": "success", "eval": head, "results": {"completed_samples": 2}, "stats": {"model_usage": {}},
             "samples": [sample, {**sample, "id": 2, "scores": {"match": {"value": "I"}}}]}]  # fmt: skip


def _atif() -> list[Any]:
    steps = [{"step_id": 1, "source": "user", "timestamp": AT.format(0)},
             {"step_id": 2, "source": "agent", "timestamp": AT.format(1), "model_name": "openai/gpt-4.1", "tool_calls": [{"function_name": "pay"}],
              "metrics": {"prompt_tokens": 1000, "completion_tokens": 100, "cached_tokens": 5, "cost_usd": 0.01}}]  # fmt: skip
    one = {"schema_version": "ATIF-v1.6", "session_id": "s", "agent": {"name": "x", "version": "1"}, "steps": steps,
           "final_metrics": {"total_prompt_tokens": 1000, "total_completion_tokens": 100, "total_cost_usd": 0.01}}  # fmt: skip
    return [{**one, "subagent_trajectories": [{**one, "session_id": "t"}]}]


def _mini_swe_agent() -> list[Any]:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 5}}
    extra = {"actions": [{"command": "ls", "tool_call_id": "k"}], "cost": 0.01, "timestamp": 1775802395.3,
             "response": {"model": "gpt-4.1", "created": 1775802391, "usage": usage}}  # fmt: skip
    messages = [{"role": "system", "content": "say"}, {"role": "assistant", "content": "x", "extra": extra},
                {"role": "tool", "tool_call_id": "k", "content": "y", "extra": {"returncode": 0, "timestamp": 1775802396.5}}]  # fmt: skip
    info = {"model_stats": {"instance_cost": 0.01, "api_calls": 1}, "config": {"model": {"model_name": "openai/gpt-4.1"}},
            "mini_version": "2.2.7", "exit_status": "Submitted"}  # fmt: skip
    return [
        {"info": info, "messages": messages, "trajectory_format": "mini-swe-agent-1.1", "instance_id": "t"}
    ]


def _langfuse_storage() -> list[Any]:
    """Observations that name their trace, a trace of a list, and scores: one a row."""
    call = {"id": "a", "trace_id": "t", "type": "GENERATION", "parent_observation_id": "", "name": "x", "start_time": "2026-01-05 08:00:00.000",
            "end_time": "2026-01-05 08:00:02.000", "provided_model_name": "gpt-4.1", "usage_details": {"input": 1000, "output": 100, "total": 1100},
            "cost_details": {"total": 0.003}, "total_cost": 0.003, "session_id": "s", "trace_name": "run", "tags": ["vip"], "metadata": {"k": "v"}}  # fmt: skip
    tool = {**call, "id": "b", "type": "TOOL", "usage_details": {}, "cost_details": {}, "total_cost": None}
    head = {
        "id": "u",
        "timestamp": "2026-01-05 08:00:00.000",
        "name": "run",
        "project_id": "p",
        "bookmarked": False,
        "totalCost": 0.01,
    }
    score = {
        "id": "c",
        "trace_id": "t",
        "name": "ok",
        "value": 1,
        "source": "API",
        "data_type": "NUMERIC",
        "string_value": None,
    }
    return [call, tool, head, score, {**score, "trace_id": "nobody"}]


def _promptfoo_older() -> list[Any]:
    """Version 2: prompts in the head of a table, outputs that are told by texts only."""
    result = {"provider": {"id": "gpt"}, "prompt": {"raw": "say 1", "label": "one"}, "success": True, "vars": {"q": "1"}, "cost": 0.01,
              "latencyMs": 5, "response": {"tokenUsage": {"total": 11, "prompt": 10, "completion": 1}}, "gradingResult": None}  # fmt: skip
    other = {**result, "prompt": {"raw": "tell 1", "label": "two"}, "success": False}
    head = {
        "prompts": [
            {"provider": "gpt", "raw": f"{n} {{{{q}}}}", "label": n, "metrics": {"testPassCount": 1}}
            for n in ("one", "two")
        ]
    }
    inner = {
        "version": 2,
        "timestamp": AT.format(0),
        "results": [result, other],
        "table": {"head": head, "body": []},
        "stats": {},
    }
    return [{"evalId": "e", "results": inner, "config": {}}]


def _promptfoo_lines() -> list[Any]:
    result = {"provider": {"id": "openai:gpt-4.1", "label": ""}, "promptId": "p", "promptIdx": 0, "testIdx": 0, "success": True,
              "prompt": {"raw": "say", "label": "one"}, "vars": {"q": "1"}, "testCase": {"metadata": {"category": "x"}}, "cost": 0.01,
              "gradingResult": {}, "response": {"tokenUsage": {"total": 11, "prompt": 10, "completion": 1}, "cached": False}}  # fmt: skip
    return [result, {**result, "testIdx": 1, "success": False}, {**result, "promptIdx": 1, "promptId": "q"}]


def _langsmith_bulk() -> list[Any]:
    run = {"id": "r", "trace_id": "r", "dotted_order": "1Zr", "run_type": "chain", "name": "x", "start_time": AT.format(0), "end_time": AT.format(9),
           "thread_id": "s", "total_tokens": 1100, "extra": {"metadata": {}}, "session_id": "project"}  # fmt: skip
    call = {**run, "id": "a", "run_type": "llm", "dotted_order": "1Zr.2Za", "prompt_tokens": 1000, "completion_tokens": 100,
            "prompt_token_details": {"cache_read": 5}, "extra": {"metadata": {"ls_model_name": "gpt-4.1"}}}  # fmt: skip
    return [run, call, {**run, "id": "k", "run_type": "tool", "dotted_order": "1Zr.3Zk", "total_tokens": 0}]


JSON = {
    "langfuse storage": _langfuse_storage, "promptfoo older": _promptfoo_older, "promptfoo lines": _promptfoo_lines, "langsmith bulk": _langsmith_bulk,
    "langfuse": _langfuse, "otlp": _otlp, "openinference": _openinference, "tau2": _tau2, "promptfoo": _promptfoo,
    "agent_events": _agent_events, "langsmith": _langsmith, "mlflow": _mlflow, "inspect": _inspect, "atif": _atif,
    "mini_swe_agent": _mini_swe_agent,
}  # fmt: skip


def _csv(rows: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _results() -> str:
    metrics = {
        "testPassCount": 1,
        "testFailCount": 1,
        "cost": 0.02,
        "tokenUsage": {"total": 11, "prompt": 10, "completion": 1},
    }
    head = json.dumps({"raw": "x\ny", "id": "p", "provider": "gpt", "metrics": metrics})
    return _csv([["label", head], ["a", "[PASS] (1.00)\n\nx"], ["b", "[FAIL] (0.00)\n\nx"]])


def _statuses() -> str:
    names = ["q", "[gpt] p", "Status", "Score", "Named Scores", "Grader Reason", "Comment"]
    return _csv([names, ["1", "x", "PASS", "1.00", "", "", ""], ["2", "x", "ERROR", "0.00", "", "", ""]])


def _storage_csv() -> str:
    rows = [
        {k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in r.items()}
        for r in _langfuse_storage()[:2]
    ]
    return _csv([list(rows[0]), *([str(v or "") for v in r.values()] for r in rows)])


def _runs() -> str:
    head = [
        "run_id",
        "session_id",
        "model",
        "prompt_tokens",
        "completion_tokens",
        "cost_usd",
        "started_at",
        "status",
        "queue",
    ]
    return _csv(
        [head, *([str(i), "s", "gpt-4.1", "1000", "100", "0.01", AT.format(i), "ok", "a"] for i in range(4))]
    )


def _xes() -> str:
    def event(step: str, second: int) -> str:
        return (f'<event><string key="concept:name" value="check"/><string key="lifecycle:transition" value="{step}"/>'
                f'<string key="org:resource" value="Ann"/><date key="time:timestamp" value="{AT.format(second)}"/></event>\n')  # fmt: skip

    case = (
        '<trace><string key="concept:name" value="{}"/><int key="AMOUNT" value="5"/>\n'
        + event("START", 0)
        + event("COMPLETE", 9)
        + "</trace>\n"
    )
    return f'<?xml version="1.0"?>\n<log><int key="meta_concept:named_events_total" value="4"/>{case.format(1)}{case.format(2)}</log>'


def _log_table() -> str:
    head = ["case:concept:name", "concept:name", "lifecycle:transition", "org:resource", "time:timestamp"]
    return _csv(
        [head, ["1", "check", "START", "Ann", AT.format(0)], ["1", "check", "COMPLETE", "Ann", AT.format(5)]]
    )


TEXT = {
    "promptfoo": ("out.csv", _results), "runs": ("runs.csv", _runs), "event_log": ("log.xes", _xes),
    "event_log table": ("log.csv", _log_table), "openinference grades": ("grades.csv", lambda: _csv(
        [["context.span_id", "label", "score"], ["a", "correct", "1"], ["b", "NOT_PARSABLE", "0"]])),
    "promptfoo states": ("out.csv", _statuses), "langfuse table": ("observations.csv", _storage_csv),
}  # fmt: skip
STORED = {"langfuse parquet": lambda: _langfuse_storage()[:2], "langsmith parquet": _langsmith_bulk}
KINDS = (*(f"{name} as JSON" for name in JSON), *TEXT, "inspect archive", "openinference parquet", *STORED)


def format_of(kind: str) -> str:
    return kind.split(" ")[0]


def write(kind: str, folder: Path, rng: random.Random | None = None) -> Path:
    """A whole export of a kind, or with a generator one that is spoilt."""
    if kind.endswith(" as JSON"):
        values = JSON[kind.removesuffix(" as JSON")]()
        path = folder / "export.jsonl"
        values = values if rng is None or rng.random() < 0.4 else spoil(values, rng)
        text = "\n".join(json.dumps(v) for v in (values if isinstance(values, list) else [values]))
    elif kind == "inspect archive":
        (value,) = JSON["inspect"]()
        value = value if rng is None or rng.random() < 0.4 else spoil(value, rng)
        return _archive(value, folder, rng)
    elif kind == "openinference parquet":
        return _parquet(folder, rng)
    elif kind in STORED:
        return _stored(STORED[kind](), folder, rng)
    else:
        name, make = TEXT[kind]
        path, text = folder / name, make()
    data = text.encode()
    path.write_bytes(data if rng is None else _scratched(data, rng))
    return path


def _archive(value: Any, folder: Path, rng: random.Random | None) -> Path:
    path = folder / "log.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        given = value if isinstance(value, dict) else {"eval": value}
        archive.writestr("header.json", json.dumps({k: v for k, v in given.items() if k != "samples"}))
        listed = given.get("samples")
        for i, sample in enumerate(listed if isinstance(listed, list) else [listed]):
            archive.writestr(f"samples/{i}_epoch_1.json", json.dumps(sample))
    if rng is not None and rng.random() < 0.5:
        path.write_bytes(_scratched(path.read_bytes(), rng))
    return path


def _parquet(folder: Path, rng: random.Random | None) -> Path:
    spans = [
        {"name": s["name"], "span_kind": s["span_kind"], "parent_id": s["parent_id"], "start_time": s["start_time"],
         **{f"context.{k}": v for k, v in s["context"].items()}, **{f"attributes.{k}": v for k, v in s["attributes"].items()}}
        for s in _openinference()[:2]
    ]  # fmt: skip
    return _stored(spans, folder, rng)


def _stored(spans: list[Any], folder: Path, rng: random.Random | None) -> Path:
    import duckdb

    path, lines = folder / "spans.parquet", folder / "spans.jsonl"
    spans = spans if rng is None else [spoil(s, rng) if rng.random() < 0.5 else s for s in spans]
    lines.write_text("\n".join(json.dumps(s) for s in spans if isinstance(s, dict)))
    try:
        duckdb.sql(f"copy (select * from read_json('{lines}')) to '{path}' (format parquet)")
    except duckdb.Error:
        path.write_bytes(b"PAR1 nothing")
    if rng is not None and rng.random() < 0.4:
        path.write_bytes(_scratched(path.read_bytes(), rng))
    return path


ODD = (
    None, True, -1, 0, 1e308, float("nan"), float("inf"), 10**30, "", " ", "x" * 5000, "-5", "1e400", "\x00", "\ud800", [], {}, [[]], [None],
    {"value": {"value": []}}, "2026-13-45", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", ["a", 1, None], {"": None},
)  # fmt: skip


def spoil(value: Any, rng: random.Random) -> Any:
    """A copy in which one to four places hold something else, nothing, or twice the same."""
    spoilt = copy.deepcopy(value)
    for _ in range(rng.randint(1, 4)):
        places = list(_places(spoilt))
        if not places:
            return spoilt
        home, key = rng.choice(places)
        what = rng.random()
        if what < 0.55:
            home[key] = copy.deepcopy(rng.choice(ODD))
        elif what < 0.7 and isinstance(home, dict):
            del home[key]
        elif what < 0.8 and isinstance(home, list):
            home.append(copy.deepcopy(home[key]))
        elif what < 0.9:
            home[key] = [copy.deepcopy(home[key])]
        else:
            home[key] = _deep(rng.randint(1, 60), copy.deepcopy(home[key]))
    return spoilt


def _deep(depth: int, value: Any) -> Any:
    for _ in range(depth):
        value = {"value": value}
    return value


def _places(value: Any) -> Any:
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield value, key
            yield from _places(inner)


def _scratched(data: bytes, rng: random.Random) -> bytes:
    """Bytes cut off, changed, doubled, left out, or the whole as it is."""
    what, at = rng.random(), rng.randrange(max(1, len(data)))
    if what < 0.2:
        return data[:at]
    if what < 0.45:
        changed = bytearray(data)
        for _ in range(rng.randint(1, 6)):
            if changed:
                changed[rng.randrange(len(changed))] = rng.choice(b'\x00\xff{}[]",:<>/&;0a\n')
        return bytes(changed)
    lines = data.splitlines(keepends=True)
    if what < 0.6 and lines:
        lines.insert(rng.randrange(len(lines)), rng.choice(lines))
        return b"".join(lines)
    if what < 0.75 and lines:
        del lines[rng.randrange(len(lines))]
        return b"".join(lines)
    if what < 0.85:
        return data[:at] + data[min(len(data), at + rng.randint(1, 40)) :]
    return data


def lines(path: Path, *rows: Any) -> Path:
    """Rows as JSON Lines."""
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


def parquet(path: Path, rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]) -> Path:
    """Rows as Parquet: columns of `kinds` with the type that it names, the others as texts."""
    source = lines(path.with_suffix(".jsonl"), *rows)
    columns = ", ".join(f"{k}: '{kinds.get(k, 'VARCHAR')}'" for k in rows[0])
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        read = f"select * from read_json('{source}', columns = {{{columns}}})"
        con.execute(f"copy ({read}) to '{path}' (format parquet)")
    return path
