"""Trace exports: each call counted once and priced once, whatever shape it comes in; real exports' known figures."""

from __future__ import annotations

import gzip
import json
import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sample_projects import Project, column

from roi.importers import read_export, recognise
from roi.importers.documents import json_values
from roi.importers.export import Export
from roi.problems import InputError, SampleError
from roi.readers.base import UnreadableError
from roi.readers.files import Found, look_through

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("ROI_REAL_DATA", ROOT / "../shared/data")).resolve()
needs_data = pytest.mark.skipif(
    not (DATA / "trace-formats").is_dir(), reason=f"no real traces at {DATA} (set ROI_REAL_DATA)"
)
AT = 1_767_600_000_000_000_000  # 2026-01-05 08:00 UTC, in nanoseconds


def write(folder: Path, name: str, *values: Any, lines: bool = True) -> Found:
    path = folder / name
    path.write_text(
        "\n".join(json.dumps(v) for v in values) if lines else json.dumps(values[0], indent=1),
        encoding="utf-8",
    )
    return Found(path, name)


def read(format: str, *files: Found) -> Export:
    assert recognise(files[0]) == format
    return read_export(format, [(f, look_through(f)) for f in files])


def rows(export: Export, *names: str) -> list[tuple[str | None, ...]]:
    return list(zip(*(export.traces.column(n) for n in names), strict=True))


def observation(
    identifier: str, parent: str | None = None, kind: str = "GENERATION", **more: Any
) -> dict[str, Any]:
    return {
        "id": identifier, "traceId": "t1", "parentObservationId": parent, "type": kind, "name": f"step {identifier}",
        "startTime": "2026-01-05T08:00:00.000Z", "endTime": "2026-01-05T08:00:02.500Z", "level": "DEFAULT", **more,
    }  # fmt: skip


def call(
    identifier: str, parent: str | None = None, sent: int = 1000, received: int = 100, **more: Any
) -> Any:
    given = {
        "model": "gpt-4.1",
        "usageDetails": {"input": sent, "output": received, "total": sent + received},
    }
    return observation(identifier, parent, **{**given, **more})


def trace(*observations: Any, identifier: str = "t1", **more: Any) -> dict[str, Any]:
    head = {"id": identifier, "name": "run", "timestamp": "2026-01-05T08:00:00Z", "projectId": "p", **more}
    return {"trace": head, "observations": [{**o, "traceId": identifier} for o in observations]}


def span(
    identifier: str, parent: str | None = None, trace_id: str = "a" * 32, **attributes: Any
) -> dict[str, Any]:
    def value(v: Any) -> dict[str, Any]:
        kinds = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}
        if isinstance(v, list):
            return {"arrayValue": {"values": [value(x) for x in v]}}
        # Integers are texts in this format.
        return {kinds[type(v)]: str(v) if type(v) is int else v}

    name = attributes.pop("name", f"span {identifier}")
    status = attributes.pop("status", {})
    listed = [{"key": k.replace("__", "."), "value": value(v)} for k, v in attributes.items()]
    times = {"startTimeUnixNano": str(AT), "endTimeUnixNano": str(AT + 1_500_000_000)}
    home = {} if parent is None else {"parentSpanId": parent}
    return {
        "traceId": trace_id, "spanId": identifier, "name": name, **times, **home, "attributes": listed, "status": status,
    }  # fmt: skip


def document(*spans: Any, scope: str = "scopeSpans", **resource: str) -> dict[str, Any]:
    attributes = [{"key": k.replace("__", "."), "value": {"stringValue": v}} for k, v in resource.items()]
    return {
        "resourceSpans": [
            {"resource": {"attributes": attributes}, scope: [{"scope": {}, "spans": list(spans)}]}
        ]
    }


def chat(
    identifier: str, parent: str | None = None, sent: int = 1000, received: int = 100, **more: Any
) -> Any:
    given: dict[str, Any] = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4.1",
        "gen_ai.usage.input_tokens": sent, "gen_ai.usage.output_tokens": received,
    }  # fmt: skip
    given.update(more)
    return span(identifier, parent, **{k: v for k, v in given.items() if v is not None})


# Token details of one call → input, read from cache, written to it, output.
USAGE = {
    "a total is not added": ({"input": 10, "output": 5, "total": 15}, ("10", None, None, "5")),
    "cached beside": ({"input": 10, "input_cache_read": 90, "output": 5, "total": 105}, ("100", "90", "0", "5")),
    "cached beside, no total": ({"input": 10, "input_cached_tokens": 90, "output": 5}, ("100", "90", "0", "5")),
    "cached inside, told by the total": (
        {"input": 100, "input_cache_read": 90, "output": 5, "total": 105},
        ("100", "90", "0", "5"),
    ),
    "cached inside, by its name": (
        {"input": 100, "prompt_details.cache_read": 90, "output": 5},
        ("100", "90", "0", "5"),
    ),
    "details that are more than the whole": (
        {"input": 10, "prompt_details.cache_read": 90, "output": 5},
        ("100", "90", "0", "5"),
    ),
    "as Anthropic counts": (
        {"input_tokens": 10, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 60, "output_tokens": 5},
        ("100", "60", "30", "5"),
    ),
    "reasoning beside": ({"input": 10, "output": 5, "output_reasoning": 64, "total": 79}, ("10", None, None, "69")),
    "reasoning inside": ({"input": 6, "output": 2055, "completion_details.reasoning": 1104, "total": 2061},
                         ("6", None, None, "2055")),
    "as OpenAI counts": (
        {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105,
         "prompt_tokens_details": {"cached_tokens": 90}, "completion_tokens_details": {"reasoning_tokens": 4}},
        ("100", "90", "0", "5"),
    ),
    "split up once more": (
        {"input_tokens": 10, "cache_creation_input_tokens": 30, "cache_creation": {"ephemeral_5m_input_tokens": 30},
         "output_tokens": 5},
        ("40", "0", "30", "5"),
    ),
    "texts": ({"input": "10", "output": "5", "total": "15"}, ("10", None, None, "5")),
    "no output": ({"input": 10, "total": 10}, ("10", None, None, None)),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(USAGE))
def test_token_details_are_put_together_once(tmp_path: Path, what: str) -> None:
    details, expected = USAGE[what]
    found = read("langfuse", write(tmp_path, "t.jsonl", trace(call("a", usageDetails=details))))
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
    assert rows(found, *names) == [expected]


def test_a_call_that_is_seen_twice_is_counted_once(tmp_path: Path) -> None:
    """An agent carries the sum of its calls; a framework's span surrounds the provider's own."""
    agent = observation("agent", None, "AGENT", usageDetails={"input": 2000, "output": 200, "total": 2200})
    both = trace(agent, call("a", "agent"), call("wrapped", "agent"), call("b", "wrapped"))
    found = read("langfuse", write(tmp_path, "t.jsonl", both))
    # gpt-4.1: $2 a million tokens in, $8 out
    assert rows(found, "input_tokens", "output_tokens", "calls", "agent_cost") == [
        ("2000", "200", "2", "0.005600000")
    ]


def test_an_agent_that_used_more_than_its_calls_show_is_believed(tmp_path: Path) -> None:
    agent = observation("agent", None, "AGENT", model="gpt-4.1", usageDetails={"input": 5000, "output": 500})
    found = read("langfuse", write(tmp_path, "t.jsonl", trace(agent, call("a", "agent"))))
    assert rows(found, "input_tokens", "output_tokens", "calls") == [("5000", "500", "1")]


def test_what_an_agent_below_a_tool_uses_is_added_to_the_call_above_it(tmp_path: Path) -> None:
    inner = [call("a"), observation("tool", "a", "TOOL"), call("b", "tool", sent=10, received=1)]
    found = read("langfuse", write(tmp_path, "t.jsonl", trace(*inner)))
    assert rows(found, "input_tokens", "output_tokens", "calls", "tool_calls") == [("1010", "101", "2", "1")]


def test_a_cost_that_only_the_agent_knows_is_taken_once(tmp_path: Path) -> None:
    agent = observation("agent", None, "AGENT", totalCost=0.5, usageDetails={"input": 2000, "output": 200})
    calls = [call(c, "agent", model="house-model") for c in "ab"]
    found = read("langfuse", write(tmp_path, "t.jsonl", trace(agent, *calls)))
    assert rows(found, "agent_cost", "input_tokens") == [("0.500000000", "2000")]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_spans_that_lie_in_a_ring_are_counted_all_the_same(tmp_path: Path, order: tuple[int, ...]) -> None:
    ring = [observation("x", "y", "SPAN"), observation("y", "x", "SPAN"), call("a", "x")]
    found = read("langfuse", write(tmp_path, "t.jsonl", trace(*(ring[i] for i in order))))
    assert rows(found, "input_tokens") == [("1000",)]


COSTS = {
    # logged costs stand, and are added
    "logged": ([call("a", costDetails={"input": 0.1, "output": 0.2, "total": 0.3}), call("b", totalCost=0.04)],
               "0.340000000"),
    "parts without a total": ([call("a", costDetails={"input": 0.1, "output": 0.2})], "0.300000000"),
    # $2 a million in, $0.50 cached, $8 out
    "priced": ([call("a")], "0.002800000"),
    "cached tokens": ([call("a", usageDetails={"input": 600, "input_cache_read": 400, "output": 100})], "0.002200000"),
    # claude-sonnet-4-5: $3 in, $3.75 written to the cache, $0.30 read from it, $15 out
    "written to the cache": (
        [call("a", model="claude-sonnet-4-5",
              usageDetails={"input": 500, "cache_read_input_tokens": 400, "cache_creation_input_tokens": 100, "output": 50})],
        "0.002745000",
    ),
    "several models at their own rates": ([call("a"), call("b", model="claude-sonnet-4-5")], "0.007300000"),
    "unknown model": ([call("a"), call("b", model="house-model")], None),
    "no model": ([call("a", model=None)], None),
    "a cost of 0 that is logged": ([call("a", totalCost=0, costDetails={"total": 0})], None),
    "a 0 that is no log": ([call("a", totalCost=0, costDetails={})], "0.002800000"),
    "a cost below 0": ([call("a", costDetails={"total": -1})], None),
    "no tokens, no cost": ([observation("a")], None),
    "a call that failed": ([call("a"), observation("b", level="ERROR")], "0.002800000"),
    "no output tokens": ([call("a", usageDetails={"input": 10})], None),
    "no call in one of them": ([observation("a", None, "SPAN")], "0"),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(COSTS))
def test_what_a_trace_costs(tmp_path: Path, what: str) -> None:
    """Half a bill is no bill: where one call's cost is unknown the trace's is, and never 0."""
    observations, expected = COSTS[what]
    other = trace(call("z"), identifier="t2")
    found = read("langfuse", write(tmp_path, "t.jsonl", trace(*observations), other))
    cost = found.traces.column("agent_cost")[0]
    assert (None if cost is None else Decimal(cost)) == (None if expected is None else Decimal(expected))
    assert found.traces.column("cost_currency")[0] == (None if expected is None else "USD")
    assert any("unknown cost" in w for w in found.warnings) == (expected is None)


def test_where_no_call_is_logged_at_all_the_cost_is_not_0(tmp_path: Path) -> None:
    found = read("otlp", write(tmp_path, "t.jsonl", document(span("1", name="GET /claims"))))
    assert rows(found, "agent_cost", "calls") == [(None, "0")]
    assert found.warnings == ("1 trace has an unknown cost: no model call is logged",)


def shapes(folder: Path) -> dict[str, Found]:
    """One trace in every shape that Langfuse writes it in."""
    inner = [call("a", None), observation("b", None, "TOOL", name="execute_tool pay", level="ERROR")]
    whole = trace(*inner, sessionId="s1", metadata=json.dumps({"ticket": "CLM-7", "more": {"deep": True}}))
    apart = [{**o, "traceId": "t1"} for o in inner]
    snake = {
        "id": "a", "trace_id": "t1", "type": "GENERATION", "name": "step a", "start_time": "2026-01-05 08:00:00.000",
        "end_time": "2026-01-05 08:00:02.500", "provided_model_name": "gpt-4.1",
        "usage_details": {"input": 1000, "output": 100, "total": 1100}, "cost_details": {}, "metadata": {"ticket": "CLM-7"},
    }  # fmt: skip
    tool = {
        "id": "b", "trace_id": "t1", "type": "TOOL", "name": "pay", "start_time": "2026-01-05 08:00:00",
        "end_time": "2026-01-05 08:00:02.5", "level": "ERROR",
    }  # fmt: skip
    legacy = {k: v for k, v in inner[0].items() if k != "usageDetails"} | {
        "usage": {"input": 1000, "output": 100, "total": 1100, "unit": "TOKENS"}
    }
    head = whole["trace"]
    return {
        "one a line": write(folder, "a.jsonl", whole),
        "one document": write(folder, "b.json", whole, lines=False),
        "a list": write(folder, "c.json", [whole], lines=False),
        "a trace that holds them": write(folder, "d.json", {**head, "observations": apart}, lines=False),
        "a page": write(folder, "e.json", {"data": [whole], "meta": {"page": 1}}, lines=False),
        "observations alone": write(folder, "f.jsonl", *({**o, "metadata": head["metadata"]} for o in apart)),
        "traces and observations apart": write(folder, "g.jsonl", head, *apart),
        "snake case": write(folder, "h.jsonl", snake, tool),
        "former usage": write(
            folder, "i.json", trace(legacy, inner[1], metadata={"ticket": "CLM-7"}), lines=False
        ),
    }


SHAPES = (
    "one a line", "one document", "a list", "a trace that holds them", "a page", "observations alone",
    "traces and observations apart", "snake case", "former usage",
)  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_a_langfuse_export_gives_the_same_row(tmp_path: Path, shape: str) -> None:
    found = read("langfuse", shapes(tmp_path)[shape])
    names = ("trace_id", "metadata.ticket", "input_tokens", "output_tokens", "agent_cost", "model", "errors")
    assert rows(found, *names, "started_at", "ended_at", "latency") == [
        ("t1", "CLM-7", "1000", "100", "0.002800000", "gpt-4.1", "1",
         "2026-01-05T08:00:00.000000Z", "2026-01-05T08:00:02.500000Z", "2.500000")
    ]  # fmt: skip
    action = {
        n: found.actions.column(n) for n in ("action_id", "tool", "status", "duration_ms", "metadata.ticket")
    }
    assert action == {
        "action_id": ["t1:b"], "tool": ["pay"], "status": ["error"], "duration_ms": ["2500.000"],
        "metadata.ticket": ["CLM-7"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "names",
    [("promptTokens", "completionTokens", "totalTokens"), ("inputUsage", "outputUsage", "totalUsage")],
)
@pytest.mark.parametrize("written", ["camel", "snake"])
def test_langfuses_former_names_of_tokens(tmp_path: Path, names: tuple[str, ...], written: str) -> None:
    plain = {k: v for k, v in call("a").items() if k != "usageDetails"}
    keys = names if written == "camel" else tuple(re.sub("([A-Z])", r"_\1", n).lower() for n in names)
    said = dict(zip(keys, (1000, 100, 1100), strict=True))
    empty = {"usageDetails": {}, "costDetails": {}, "totalCost": 0}
    found = read("langfuse", write(tmp_path, "t.jsonl", trace({**plain, **empty, **said})))
    assert rows(found, "input_tokens", "output_tokens", "agent_cost") == [("1000", "100", "0.002800000")]


def test_an_export_that_overlaps_itself_counts_once(tmp_path: Path) -> None:
    files = [write(tmp_path, f"{i}.jsonl", trace(call("a"))) for i in range(2)]
    found = read("langfuse", *files)
    assert rows(found, "input_tokens") == [("1000",)]
    assert found.warnings == ("1 span occurs more than once; each counts once",)


NAMES = {
    "current": {},
    "former": {
        "gen_ai.operation.name": None, "gen_ai.provider.name": None, "gen_ai.system": "openai",
        "gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None, "gen_ai.usage.prompt_tokens": 1000,
        "gen_ai.usage.completion_tokens": 100,
    },
    "OpenInference": {
        "gen_ai.operation.name": None, "gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None,
        "gen_ai.request.model": None, "openinference.span.kind": "LLM", "llm.model_name": "gpt-4.1",
        "llm.token_count.prompt": 1000, "llm.token_count.completion": 100, "llm.token_count.total": 1100,
    },
    "Vercel": {
        "gen_ai.operation.name": None, "gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None,
        "ai.operationId": "ai.generateText.doGenerate", "ai.usage.promptTokens": 1000, "ai.usage.completionTokens": 100,
    },
    "OpenLLMetry": {
        "gen_ai.operation.name": None, "gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None,
        "llm.request.type": "chat", "gen_ai.usage.prompt_tokens": 1000, "gen_ai.usage.completion_tokens": 100,
        "llm.usage.total_tokens": 1100,
    },
    "an operation of one's own": {"gen_ai.operation.name": "chat.completions"},
    "a framework as provider": {"gen_ai.provider.name": "langchain"},
    "another name of the provider": {"gen_ai.provider.name": "azure.ai.inference"},
}  # fmt: skip


@pytest.mark.parametrize("scope", ["scopeSpans", "instrumentationLibrarySpans"])
@pytest.mark.parametrize("names", sorted(NAMES))
def test_current_and_former_names_of_attributes(tmp_path: Path, names: str, scope: str) -> None:
    parent = span("r", **{"ticket.id": "CLM-7", "session.id": "s1", "gen_ai.operation.name": "invoke_agent"})
    given = document(parent, chat("a", "r", **NAMES[names]), scope=scope, service__version="v3")
    found = read("otlp", write(tmp_path, "t.json", given, lines=False))
    columns = (
        "attributes.ticket.id",
        "session_id",
        "version",
        "input_tokens",
        "output_tokens",
        "agent_cost",
        "calls",
    )
    assert rows(found, *columns) == [("CLM-7", "s1", "v3", "1000", "100", "0.002800000", "1")]


CLAUDE = {"gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5"}
# Those written to a cache: 600 × 3 + 400 × 3.75 + 100 × 15 millionths
CACHED = {
    "inside, as the conventions say": ({"gen_ai.usage.cache_read.input_tokens": 400}, "0.002200000"),
    "former name": ({"gen_ai.usage.cache_read_input_tokens": 400}, "0.002200000"),
    "written, by its current name": (
        {**CLAUDE, "gen_ai.usage.cache_write.input_tokens": 400}, "0.004800000"),
    "written, by its former name": (
        {**CLAUDE, "gen_ai.usage.cache_creation.input_tokens": 400}, "0.004800000"),
    "written, as Strands names it": (
        {**CLAUDE, "gen_ai.usage.cache_write_input_tokens": 400}, "0.004800000"),
    "beside, since they are more": (
        {"gen_ai.usage.input_tokens": 300, "gen_ai.usage.cache_read_input_tokens": 400}, "0.001600000"),
    "beside, since the total says so": (
        {"gen_ai.usage.input_tokens": 600, "gen_ai.usage.cache_read_input_tokens": 400,
         "gen_ai.usage.total_tokens": 1100}, "0.002200000"),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(CACHED))
def test_cached_tokens_are_priced_as_such(tmp_path: Path, what: str) -> None:
    attributes, expected = CACHED[what]
    found = read("otlp", write(tmp_path, "t.jsonl", document(chat("a", **attributes))))
    assert rows(found, "agent_cost") == [(expected,)]


def test_spans_of_a_trace_may_lie_on_several_lines_and_in_several_files(tmp_path: Path) -> None:
    agent = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.usage.input_tokens": 2000,
        "gen_ai.usage.output_tokens": 200,
    }
    first = write(
        tmp_path, "1.jsonl", document(chat("b", "a")), {"resourceLogs": []}, document(chat("c", "a"))
    )
    second = write(tmp_path, "2.jsonl", document(span("a", **agent)), document(chat("x", trace_id="b" * 32)))
    found = read("otlp", first, second)
    assert rows(found, "trace_id", "input_tokens", "calls") == [
        ("a" * 32, "2000", "2"),
        ("b" * 32, "1000", "1"),
    ]


def test_tool_spans_become_actions(tmp_path: Path) -> None:
    tool = span("t", "r", **{"name": "execute_tool pay", "gen_ai.operation.name": "execute_tool",
                             "gen_ai.tool.name": "pay", "status": {"code": 2}})  # fmt: skip
    found = read("otlp", write(tmp_path, "t.jsonl", document(span("r", ticket=7), tool)))
    names = ("action_id", "tool", "status", "requested_at", "executed_at", "duration_ms", "attributes.ticket")
    assert [found.actions.column(n) for n in names] == [
        ["a" * 32 + ":t"], ["pay"], ["error"], ["2026-01-05T08:00:00.000000Z"], ["2026-01-05T08:00:01.500000Z"],
        ["1500.000"], ["7"],
    ]  # fmt: skip


def test_openllmetry_names_tools_sessions_and_users(tmp_path: Path) -> None:
    parent = span(
        "r",
        **{
            "traceloop.span.kind": "workflow",
            "traceloop.entity.name": "claims",
            "traceloop.association.properties.session_id": "s1",
            "traceloop.association.properties.user_id": "u1",
        },
    )
    tool = span("t", "r", name="pay.tool", **{"traceloop.span.kind": "tool", "traceloop.entity.name": "pay"})
    found = read("otlp", write(tmp_path, "t.jsonl", document(parent, tool, chat("a", "r"))))
    assert rows(found, "session_id", "user_id", "calls", "tool_calls") == [("s1", "u1", "1", "1")]
    assert found.actions.column("tool") == ["pay"]


def test_claude_code_names_its_numbers_barely(tmp_path: Path) -> None:
    """As its spans have them: what is cached stands beside the input, and a tool's own steps are no calls of it."""
    said = {"span.type": "llm_request", "model": "claude-sonnet-4-5", "gen_ai.system": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5", "input_tokens": 1000, "output_tokens": 100,
            "cache_read_tokens": 400, "cache_creation_tokens": 200}  # fmt: skip
    tool = span("t", "r", name="claude_code.tool", **{"span.type": "tool", "tool_name": "Bash"})
    run = span("e", "t", name="claude_code.tool.execution", **{"span.type": "tool.execution"})
    root = span("r", **{"span.type": "interaction", "session.id": "s1"})
    other = chat("x", trace_id="b" * 32)
    found = read("otlp", write(tmp_path, "t.jsonl", document(root, span("a", "r", **said), tool, run, other)))
    # 1,000 × 3 + 400 × 0.3 + 200 × 3.75 + 100 × 15 millionths
    names = ("session_id", "calls", "tool_calls", "input_tokens", "cache_read_tokens", "agent_cost")
    assert rows(found, *names)[0] == ("s1", "1", "1", "1600", "400", "0.005370000")
    assert found.actions.column("tool") == ["Bash"]


@pytest.mark.parametrize(
    "operation", [{}, {"gen_ai.operation.name": "chat.completions"}, {"llm.request.type": "chat"}]
)
def test_a_call_without_tokens_has_no_cost_of_0_whatever_its_operation_is_called(
    tmp_path: Path, operation: dict[str, str]
) -> None:
    silent = span("b", trace_id="b" * 32, **{"gen_ai.request.model": "gpt-4.1", **operation})
    found = read("otlp", write(tmp_path, "t.jsonl", document(chat("a"), silent)))
    assert rows(found, "agent_cost") == [("0.002800000",), (None,)]


SILENT = {"gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None}
FAILED = {"status": {"code": 2}}
HALF_A_BILL: dict[str, tuple[list[Any], bool]] = {
    "beside one that logs": ([span("r"), chat("a", "r"), chat("b", "r", **SILENT)], False),
    "it failed": ([span("r"), chat("a", "r"), chat("b", "r", **SILENT, **FAILED)], True),
    "around one that logs": ([span("r"), chat("b", "r", **SILENT), span("s", "b"), chat("a", "s")], True),
    "around a step that logs nothing": ([span("r"), chat("a", "r"), chat("b", "r", **SILENT), span("s", "b")], False),
    "around a tool whose agent logs": (
        [span("r"), chat("b", "r", **SILENT), span("t", "b", **{"gen_ai.operation.name": "execute_tool"}), chat("a", "t")],
        False,
    ),
    "in an agent that logs all": (
        [span("r", **{"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100, "gen_ai.response.model": "gpt-4.1",
                      "gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "openai"}), chat("b", "r", **SILENT)],
        True,
    ),
    "in a call that logs all": ([span("r"), chat("a", "r"), span("s", "a"), chat("b", "s", **SILENT)], True),
    "below a tool of a call that logs": (
        [span("r"), chat("a", "r"), span("t", "a", **{"gen_ai.operation.name": "execute_tool"}), chat("b", "t", **SILENT)],
        False,
    ),
}  # fmt: skip


def test_a_document_that_is_wrapped_again_and_again_is_none(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text('{"trace":' * 900 + '{"resourceSpans":[]}' + "}" * 900)
    assert recognise(Found(path, path.name)) is None


@pytest.mark.parametrize("shape", ["batches", "trace", "result", "trace of batches"])
def test_traces_that_tempo_and_jaeger_answer_with(tmp_path: Path, shape: str) -> None:
    whole = document(chat("a"), service__name="claims")
    batches = {"batches": whole["resourceSpans"]}
    told = {
        "batches": batches,
        "trace": {"trace": whole},
        "result": {"result": whole},
        "trace of batches": {"trace": batches},
    }
    found = read("otlp", write(tmp_path, "t.json", told[shape], lines=False))
    assert rows(found, "agent_cost", "resource.service.name") == [("0.002800000", "claims")]


@pytest.mark.parametrize(("spans", "known"), HALF_A_BILL.values(), ids=HALF_A_BILL)
def test_half_a_bill_is_no_bill(tmp_path: Path, spans: list[Any], known: bool) -> None:
    """A model call that says nothing of what it used, beside one of USD 0.0028."""
    found = read("otlp", write(tmp_path, "t.jsonl", document(*spans)))
    ((cost, sent),) = rows(found, "agent_cost", "input_tokens")
    assert (cost, sent) == (("0.002800000", "1000") if known else (None, None))
    why = "1 trace has an unknown cost: one of its model calls logs neither tokens nor cost"
    assert (why in found.warnings) is not known


def test_an_agent_that_names_its_model_is_no_call(tmp_path: Path) -> None:
    agent = span("r", **{"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "gpt-4.1"})
    other = chat("x", trace_id="b" * 32)
    found = read("otlp", write(tmp_path, "t.jsonl", document(agent, other)))
    assert rows(found, "agent_cost") == [("0",), ("0.002800000",)]
    assert found.warnings == (
        "1 trace logs no model call and is taken to cost 0; where calls were made, they are not in the export",
    )


def test_a_tool_call_that_client_and_server_tell_counts_once(tmp_path: Path) -> None:
    def call_of(identifier: str, parent: str, tool: str = "pay") -> dict[str, Any]:
        told = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool}
        return span(identifier, parent, **told)

    spans = (
        span("r"), call_of("client", "r"), span("post", "client"), call_of("server", "post"),
        call_of("another", "server", "look_up"), call_of("agent", "r"), chat("a", "agent"), call_of("own", "a"),
    )  # fmt: skip
    found = read("otlp", write(tmp_path, "t.jsonl", document(*spans)))
    named = [str(i).split(":")[1] for i in found.actions.column("action_id")]
    assert named == ["agent", "another", "client", "own"]
    assert rows(found, "tool_calls") == [("4",)]
    assert "1 tool call is told by a span within a span of the same call; each counts once" in found.warnings


CONTENTS = (
    "input.value", "output.value", "llm.input_messages.0.message.content", "llm.prompts", "gen_ai.prompt.0.content",
    "gen_ai.completion.0.content", "gen_ai.output.messages", "gen_ai.tool.call.arguments", "traceloop.entity.input",
    "ai.prompt.messages", "ai.response.text", "retrieval.documents.0.document.content",
)  # fmt: skip


@pytest.mark.parametrize("format", ["otlp", "langfuse"])
def test_no_table_has_what_people_and_models_wrote(tmp_path: Path, format: str) -> None:
    said = {**dict.fromkeys(CONTENTS, "Ms Doe's knee hurts"), "ticket": "CLM-7"}
    if format == "otlp":
        tool = {**said, "gen_ai.tool.name": "pay", "gen_ai.tool.call.arguments.amount": 7}
        given: Any = document(span("r", **said), span("t", "r", **tool))
    else:
        given = trace(
            observation("r", kind="SPAN", metadata={"attributes": said}),
            observation("t", "r", "TOOL", metadata={"attributes": said}),
        )
    found = read(format, write(tmp_path, "t.jsonl", given))
    for table in (found.traces, found.actions):
        cells = [c for row in table.rows for c in row.values() if c is not None]
        assert "CLM-7" in cells
        assert not [c for c in cells if "Doe" in c]
    if format == "otlp":
        assert found.actions.column("attributes.gen_ai.tool.call.arguments.amount") == ["7"]


def test_other_json_is_not_taken_for_a_trace(tmp_path: Path) -> None:
    values = [
        {"case_id": "1", "arm": "pilot", "observations": "none"},
        {"case_id": "1", "traceId": "t1"},
        {"id": "1", "observations": [1, 2]},
        {"resourceSpans": "many"},
        {"trace_id": "t", "type": "refund", "start_time": "2026-01-05"},
    ]
    for i, value in enumerate(values):
        assert recognise(write(tmp_path, f"{i}.jsonl", value)) is None
    (tmp_path / "x.jsonl").write_text('{"traceId": ')
    assert recognise(Found(tmp_path / "x.jsonl", "x")) is None
    whole = gzip.compress(json.dumps(trace(call("a"))).encode())
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    assert recognise(Found(tmp_path / "cut.jsonl.gz", "cut")) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1}\n{"a": \n', "line 2"),
        ('{"a": 1}\nnonsense and more\n{"a": 2}\n', "line 2"),
        ('[{"a": 1},\n{"a": 2}', "line 2"),
        ("[" * 100_000, "line 1"),
    ],
)
def test_what_is_no_json_is_named_by_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    found = Found(path, "x.json")
    with pytest.raises(UnreadableError) as raised:
        list(json_values(found, look_through(found)))
    assert raised.value.problems[0].place.startswith(said)


def test_one_value_at_a_time_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values that are longer than a read, cut anywhere, and lists of them: the same as read at once."""
    from roi.importers import documents as module

    values = [{"n": i, "text": 'a "quoted" ] } , ä\n' * (i % 7)} for i in range(200)]
    texts = ["\n".join(map(json.dumps, values)), json.dumps(values), json.dumps(values, indent=2)]
    texts.append("[\n" + ",\n".join(json.dumps(v, ensure_ascii=False) for v in values) + "\n]\n")
    for size in (17, 100, 1 << 20):
        monkeypatch.setattr(module, "_CHUNK", size)
        for i, text in enumerate(texts):
            path = tmp_path / f"{i}.json.gz"
            path.write_bytes(gzip.compress(text.encode()))
            found = Found(path, path.name)
            assert list(json_values(found, look_through(found))) == values


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def many(project: Project) -> None:
    """Three tickets: one with two traces, one whose model is unknown, one in the other arm."""
    tool = observation("tool", "a", "TOOL", name="crm.write")
    values = [
        trace(call("a"), tool, identifier="t1", metadata={"ticket": "CLM-0001"}),
        trace(call("b", sent=500, received=50), identifier="t2", metadata={"ticket": "clm-1"}),
        trace(call("c", model="house-model"), call("d"), identifier="t3", metadata={"ticket": "CLM-0002"}),
    ]
    project.write("traces.jsonl", "\n".join(json.dumps(v) for v in values))
    project.write("cases.csv", "case_id,arm\n#1,pilot\n#2,pilot\n#3,baseline\n")


def test_a_case_may_hold_several_traces(project: Project) -> None:
    """Its costs are summed in their own currency; keys are matched by their number when that is asked for."""
    many(project)
    join = {
        "source": "data/traces.jsonl", "on": {"case_id": "metadata.ticket"}, "keys": "number",
        "take": {"agent_cost": "sum", "input_tokens": "sum"},
    }  # fmt: skip
    samples = project.open(
        {"source": "data/cases.csv", "join": [join]}, samples={"actions": "data/traces.jsonl"}
    )
    assert column(samples, "agent_cost") == [Decimal("0.0042"), None, None]
    assert column(samples, "cost_currency") == ["USD", None, None]
    assert column(samples, "input_tokens") == [1500, 2000, None]
    assert any("1 trace has an unknown cost: the model has no known price" in w for w in samples.warnings)
    # The actions' case is what the join says a case is in this export, in whatever form.
    assert column(samples, "tool", "actions") == ["crm.write"]
    assert samples.unknown_cases == {}
    assert column(samples, "case_id", "actions") == column(samples, "case_id")[:1]
    assert sorted(samples.fingerprints) == ["data/cases.csv", "data/traces.jsonl"]


@pytest.mark.parametrize("logged", [None, {"total": 0}])
def test_a_price_of_ones_own_makes_an_unknown_cost_known(project: Project, logged: Any) -> None:
    """1,000 tokens in at $1 a million and 100 out at $5, where the log has no cost, or a 0 beside the tokens."""
    value = trace(call("a", model="house-model", costDetails=logged), metadata={"ticket": "1"})
    project.write("traces.jsonl", json.dumps(value))
    project.write(
        "tokens.csv",
        "case_id,arm,model,input_tokens,output_tokens,agent_cost\n1,pilot,house-model,1000,100,\n",
    )
    columns = {"case_id": "metadata.ticket", "arm": {"value": "pilot"}}
    for cases in ({"source": "data/traces.jsonl", "columns": columns}, "data/tokens.csv"):
        assert column(project.open(cases), "agent_cost") in ([None], []) or logged is not None
        samples = project.open(cases, samples={"prices": {"house-model": {"input": 1, "output": 5}}})
        assert column(samples, "agent_cost") == [Decimal("0.0015")]
    with pytest.raises(InputError, match="is no price of a million tokens"):
        project.open("data/tokens.csv", samples={"prices": {"house-model": {"input": -1, "output": 5}}})


def test_two_spellings_of_one_ticket_are_asked_about(project: Project) -> None:
    many(project)
    join = {
        "source": "data/traces.jsonl",
        "on": {"case_id": "metadata.ticket"},
        "take": {"agent_cost": "sum"},
    }
    with pytest.raises(
        SampleError, match=r"2 different keys .* fall together .* write keys: number, if not keys: exact"
    ):
        project.open({"source": "data/cases.csv", "join": [join]})


def test_actions_name_their_case_or_are_asked_for_it(project: Project) -> None:
    many(project)
    with pytest.raises(SampleError, match=r"name theirs under samples\.actions\.columns\.case_id"):
        project.open("data/cases.csv", samples={"actions": "data/traces.jsonl"})
    actions = {"source": "data/traces.jsonl", "columns": {"case_id": "metadata.ticket"}}
    samples = project.open("data/cases.csv", samples={"actions": actions})
    assert column(samples, "case_id", "actions") == column(samples, "case_id")[:1]


def test_traces_are_cases_themselves(project: Project) -> None:
    lines = [trace(call("a"), identifier=f"t{i}", metadata={"ticket": str(i)}) for i in range(3)]
    for i, line in enumerate(lines):
        project.write(f"exports/{i}.json", json.dumps(line, indent=1))
    columns = {"case_id": "metadata.ticket", "arm": {"value": "pilot"}}
    for source in ("data/exports", "data/exports/*.json"):
        samples = project.open({"source": source, "columns": columns, "format": "langfuse"})
        assert column(samples, "agent_cost") == [Decimal("0.0028")] * 3
        assert column(samples, "model") == ["gpt-4.1"] * 3
        assert len(samples.fingerprints) == 3


def test_a_format_that_is_not_read_and_one_that_does_not_fit(project: Project) -> None:
    many(project)
    for given, said in (("nothing", "is none that is read"), ("otlp", "holds no trace of the format otlp")):
        with pytest.raises(SampleError, match=said):
            project.open({"source": "data/traces.jsonl", "format": given})
    project.write("none.jsonl", json.dumps(trace(call("a"))))
    with pytest.raises(SampleError, match="holds no tool call"):
        project.open("data/cases.csv", samples={"actions": "data/none.jsonl"})


# Read with one's own eyes out of the exports: input and output tokens, cost in USD, model calls, tool calls.
REAL = {
    "claude-agent-2025-12-22": ("34", "232", "0.003582", "4", "2"),
    "csharp-agent-with-gemini-2026-03-09": ("8047", "414", "0.0034491", "3", "2"),
    "google-adk-2025-08-28": ("67", "9", "0.0000103", "2", "1"),
    "google-gemini-2025-08-01": ("6", "2055", "0.0051393", "1", "0"),  # of which 1,104 are reasoning
    "langgraph-js-2025-10-30": ("321", "123", "0.00032625", "2", "0"),  # 35 + 24 and 64 of reasoning
    "microsoft-agent-2025-12-17": ("293", "106", "0.00028525", "2", "1"),  # the agent's own 44 + 180 are in these
    "openai-agents-2025-09-30": ("140", "44", "0.000632", "2", "1"),
    "pydantic-ai-tools-2025-12-04": ("1315", "209", "0.00032265", "4", "3"),
}  # fmt: skip


@needs_data
@pytest.mark.parametrize("name", sorted(REAL))
def test_real_langfuse_traces(name: str) -> None:
    path = DATA / "trace-formats" / "langfuse" / f"{name}.trace.json"
    found = read("langfuse", Found(path, path.name))
    sent, received, cost, calls, tools = REAL[name]
    assert rows(found, "input_tokens", "output_tokens", "calls", "tool_calls") == [
        (sent, received, calls, tools)
    ]
    assert Decimal(found.traces.column("agent_cost")[0] or 0) == Decimal(cost)


@needs_data
def test_all_real_langfuse_traces_have_a_cost() -> None:
    """20 of 20 files, .000010 to .0051 USD (README of the data); two of them hold the same trace."""
    paths = sorted((DATA / "trace-formats" / "langfuse").glob("*.json"))
    assert len(paths) == 20
    found = read("langfuse", *(Found(p, p.name) for p in paths))
    costs = [Decimal(c) for c in found.traces.column("agent_cost") if c is not None]
    assert len(costs) == len(found.traces.rows) == 19
    assert (round(min(costs), 6), round(max(costs), 4)) == (Decimal("0.000010"), Decimal("0.0051"))
    assert any("3 spans occur more than once" in w for w in found.warnings)


@needs_data
def test_the_example_of_otlp() -> None:
    path = DATA / "trace-formats" / "otlp" / "trace.json"
    found = read("otlp", Found(path, path.name))
    names = ("attributes.my.span.attr", "resource.service.name", "started_at", "latency")
    assert rows(found, *names) == [("some value", "my.service", "2018-12-13T14:51:00.000000Z", "1.000000")]
    assert recognise(Found(DATA / "trace-formats" / "otlp" / "logs.json", "logs.json")) is None


@needs_data
def test_spans_of_the_conventions_own_examples_cost_what_langfuse_says() -> None:
    """Costs that Langfuse logged for models with one plain price, against ours from the same tokens."""
    known = 0
    for path in sorted((DATA / "trace-formats" / "langfuse").glob("*.json")):
        for o in json.loads(path.read_text(encoding="utf-8"))["observations"]:
            details, logged = o.get("usageDetails") or {}, (o.get("costDetails") or {})
            if (
                o.get("model") not in ("gpt-4o", "gpt-4o-mini", "gpt-5-mini-2025-08-07")
                or "input" not in logged
            ):
                continue
            if "output" not in details:
                continue
            line = {**o, "costDetails": {}, "totalCost": None, "parentObservationId": None}
            found = priced(line)
            assert abs(found - Decimal(str(logged["total"]))) < Decimal("0.0000001"), (path.name, o["id"])
            known += 1
    assert known >= 8


def priced(line: dict[str, Any]) -> Decimal:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        found = read("langfuse", write(Path(folder), "o.jsonl", line))
    return Decimal(found.traces.column("agent_cost")[0] or "-1")


@pytest.mark.skipif(not (DATA / "llm-prices").is_dir(), reason=f"no prices at {DATA} (set ROI_REAL_DATA)")
@pytest.mark.parametrize(
    ("provider", "flavor", "bodies"), [("anthropic", "default", 226), ("openai", "chat", 183)]
)
def test_real_usage_bodies_cost_what_their_record_says(
    tmp_path: Path, provider: str, flavor: str, bodies: int
) -> None:
    """Bodies of answers with the prices that were worked out from them, read as details of an observation."""
    records = json.loads((DATA / "llm-prices" / "genai-prices_usages.json").read_text(encoding="utf-8"))
    lines, expected = [], {}
    for i, record in enumerate(records):
        known = [
            Decimal(e["input_price"]) + Decimal(e["output_price"])
            for group in record["extracted"]
            for e in group["extractors"]
            if (e["provider_id"], e.get("api_flavor")) == (provider, flavor) and "input_price" in e
        ]
        usage = record["body"].get("usage")
        if known and isinstance(usage, dict):
            expected[f"u{i}"] = known[0]
            said = {"attributes": {"gen_ai.system": provider}}
            line = call(f"o{i}", usageDetails=usage, model=record["body"]["model"], metadata=said)
            lines.append({**line, "traceId": f"u{i}", "startTime": "2026-06-01T00:00:00Z"})
    found = read("langfuse", write(tmp_path, "u.jsonl", *lines))
    assert {t: Decimal(c or -1) for t, c in rows(found, "trace_id", "agent_cost")} == expected
    assert len(expected) == bodies
