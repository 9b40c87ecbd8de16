"""Langfuse: traces with their observations, as the interface, the API and the exports to storage write them.

Read are `{"trace": …, "observations": […]}`, a trace that holds its observations, pages of either (`{"data": […]}`),
and observations, traces and scores alone, which are put together by the trace's id; in camel case or snake case. A
trace that comes without its observations has the cost that it states. Exports to storage may be Parquet or CSV as well.

| column (see `tables`) | from |
|---|---|
| trace_id, name, session_id, user_id, environment, tags, version, release | the trace's, else its observations' |
| metadata.… | `metadata` (also where it is JSON in a text) of the trace, then of its observations, outermost first |
| scores.… | the trace's `scores` by name, or scores of their own |
| a model call | type GENERATION or EMBEDDING, but for BeeAI's notes that a call ended (`backend.….finish-3`) |
| a tool call | type TOOL, or a span whose attributes say so, as in `otlp` |
| tokens | `usageDetails`, else `usage`, `promptTokens` and `completionTokens`, `inputUsage` and `outputUsage` |
| cost | `costDetails` or `totalCost`, else `calculatedTotalCost`; `totalCost: 0` without details is no logged cost |
| errors | level ERROR |

Usage details: `total` is never added. Kinds of input and output (`input_cache_read`, `cache_read_input_tokens`,
`output_reasoning` …) stand beside `input` and `output` and are added, those named `…_details.…` are parts of them;
where a `total` is logged it decides which of the two holds. A trace's own `totalCost` is set against the sum of its
observations.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import Any

from roi.importers.documents import json_values
from roi.importers.export import Export, left_out
from roi.importers.facts import heading
from roi.importers.spans import (
    Facts,
    Rank,
    Span,
    SpanKind,
    Tokens,
    Trace,
    Traces,
    amount,
    count,
    field_of,
    flat,
    provider_of,
    text_of,
)
from roi.importers.stored import is_table, stored_columns, stored_rows
from roi.importers.tables import export_of
from roi.importers.times import from_iso
from roi.prices import OwnPrices
from roi.readers.files import Found, Seen

__all__ = ["knows", "knows_file", "read"]

_CALLS = ("GENERATION", "EMBEDDING")
_TYPES = (
    *_CALLS, "SPAN", "EVENT", "TOOL", "AGENT", "CHAIN", "RETRIEVER", "EVALUATOR", "GUARDRAIL",
)  # fmt: skip
_ALONE = ("projectId", "project_id", "htmlPath", "bookmarked")
_SHARED = (
    ("session_id", "sessionId"),
    ("user_id", "userId"),
    ("name", "traceName"),
    ("tags", "tags"),
    ("release", "release"),
)
_OF_TRACE = ("timestamp", "htmlPath", "projectId", "project_id", "sessionId", "session_id", "bookmarked")
_OWN = ("version", "environment", "name")
_STORED = (
    {"id", "trace_id", "type", "start_time", "parent_observation_id"},
    {"id", "timestamp", "name", "project_id", "bookmarked"},
    {"trace_id", "name", "value", "source", "data_type"},
)
_LONG = frozenset(
    {"input", "output", "tool_calls", "tool_definitions", "model_parameters", "status_message", "comment"}
)
_INPUTS = ("input", "input_tokens", "prompt_tokens", "promptTokens", "inputTokens")
_OUTPUTS = ("output", "output_tokens", "completion_tokens", "completionTokens", "outputTokens")
_TOTALS = ("total", "total_tokens", "totalTokens")
_FORMER = {
    "input": ("promptTokens", "inputUsage"),
    "output": ("completionTokens", "outputUsage"),
    "total": ("totalTokens", "totalUsage"),
}
_KEPT = ("_5m", "_1h")
_ENDED = re.compile(r"backend\..*\.(?:success|finish)(?:-\d+)?")
_TOOL_PREFIXES = ("execute_tool ", "running tool: ", "running tools: ", "tool: ")


def knows(value: Any) -> bool:
    """Whether a value of a file is one that Langfuse writes."""
    if not isinstance(value, Mapping):
        return False
    if isinstance(value.get("trace"), Mapping) and isinstance(value.get("observations"), list):
        return True
    if isinstance(value.get("data"), list):
        return any(knows(item) for item in value["data"][:1])
    return _is_observation(value) or _is_trace(value) or _is_score(value)


def knows_file(found: Found) -> bool:
    """Whether a table has the columns that exports to storage give to observations, traces or scores."""
    names = set(stored_columns(found))
    return any(columns <= names for columns in _STORED)


def read(files: Sequence[tuple[Found, Seen]], own: OwnPrices | None = None) -> Export:
    """Read an export.

    Args:
        files: Its files, each with what a look through its bytes showed.
        own: Prices of one's own, by model.

    Returns:
        A row for each trace and each tool call; none where the files hold no trace.

    Raises:
        UnreadableError: If a file is no JSON to its end.
    """
    found = Traces()
    lost: dict[str, int] = {}
    for file, seen in files:
        table = is_table(file)
        for value in stored_rows(file, seen, without=_LONG) if table else json_values(file, seen):
            for item in (_unpacked(value),) if table else _items(value):
                found.relieve()
                _take(item, found, lost)
    return export_of(found, own=own, left_out=lost)


def _unpacked(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row of a table; in CSV, lists are JSON in texts."""
    tags = row.get("tags")
    if not isinstance(tags, str) or not tags.startswith("["):
        return row
    try:
        return {**row, "tags": json.loads(tags)}
    except (ValueError, RecursionError):
        return row


def _items(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if isinstance(value.get("data"), list):
            yield from (item for item in value["data"] if isinstance(item, Mapping))
        else:
            yield value


def _is_observation(value: Mapping[str, Any]) -> bool:
    return (
        field_of(value, "traceId") is not None
        and "type" in value
        and str(value["type"]).upper() in _TYPES
        and ("startTime" in value or "start_time" in value)
    )


def _is_trace(value: Mapping[str, Any]) -> bool:
    if not value.get("id") or not any(name in value for name in _OF_TRACE):
        return False
    inner = value.get("observations")
    if isinstance(inner, list) and (not inner or isinstance(inner[0], Mapping)):
        return not inner or _is_observation(inner[0])
    # Alone, or as lists of traces have it: with the names of its observations.
    return "timestamp" in value and "name" in value and any(name in value for name in _ALONE)


def _is_score(value: Mapping[str, Any]) -> bool:
    """Whether a value is a score of its own, as exports to storage and the API list them."""
    named = isinstance(value.get("name"), str) and "source" in value and "value" in value
    return (
        named
        and ("dataType" in value or "data_type" in value)
        and ("traceId" in value or "trace_id" in value)
    )


def _take(value: Mapping[str, Any], found: Traces, lost: dict[str, int]) -> None:
    inner = value.get("observations")
    trace = value.get("trace") if isinstance(value.get("trace"), Mapping) else None
    if _is_observation(value):
        _observe(value, found)
        return
    if trace is None and _is_score(value):
        of = text_of(field_of(value, "traceId"))
        if of is None:
            left_out(lost, "a score of no trace")
        else:
            _score(value, found.trace(of))
        return
    if trace is None and not _is_trace(value):
        return
    outer: Mapping[str, Any] = trace if trace is not None else value
    identifier = text_of(outer.get("id"))
    if identifier is None:
        return
    _describe(outer, found.trace(identifier))
    for observation in inner if isinstance(inner, list) else ():
        if isinstance(observation, Mapping):
            _observe(observation, found, identifier)


def _describe(given: Mapping[str, Any], trace: Trace) -> None:
    rank: Rank = (0, 0)
    for name, theirs in (("session_id", "sessionId"), ("user_id", "userId")):
        trace.facts.add(name, field_of(given, theirs), rank)
    for name in ("name", "environment", "tags", "version", "release"):
        trace.facts.add(name, given.get(name), rank)
    for name, value in flat("metadata", _opened(given.get("metadata"))):
        trace.facts.add(name, value, rank)
    scores = given.get("scores")
    for score in scores if isinstance(scores, list) else ():
        if isinstance(score, Mapping) and isinstance(score.get("name"), str):
            _score(score, trace)
    if (began := from_iso(given.get("timestamp"))) is not None:
        trace.began = began
    if (stated := amount(field_of(given, "totalCost"))) is not None:
        trace.total_cost = stated


def _score(given: Mapping[str, Any], trace: Trace) -> None:
    word = field_of(given, "stringValue")
    trace.facts.add(f"scores.{given['name']}", word or given.get("value"), (0, 0))


def _observe(given: Mapping[str, Any], found: Traces, within: str | None = None) -> None:
    identifier = text_of(field_of(given, "traceId")) or within
    if identifier is None:
        return
    metadata = _opened(given.get("metadata"))
    said = metadata.get("attributes") if isinstance(metadata, Mapping) else None
    attributes: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
    kind = _kind(given, attributes)
    start = from_iso(field_of(given, "startTime"))
    parent = text_of(field_of(given, "parentObservationId"))
    used, charged = _says(tuple(given))
    tokens, cost = _tokens(given) if used else None, _cost(given) if charged else None
    if kind == "call" and tokens is None and not cost and _ENDED.fullmatch(str(given.get("name"))):
        kind = "other"  # the call itself, which logs, is a span of its own
    span = Span(
        parent=parent,
        kind=kind,
        name=_tool(given, attributes) if kind == "tool" else None,
        start=start,
        end=from_iso(field_of(given, "endTime")),
        tokens=tokens,
        cost=cost,
        model=text_of(given.get("model") or field_of(given, "providedModelName")),
        provider=provider_of(attributes.get("gen_ai.provider.name") or attributes.get("gen_ai.system")),
        failed=str(given.get("level") or "").upper() == "ERROR",
        facts=Facts() if kind == "tool" else None,
    )
    trace = found.add(identifier, text_of(given.get("id")), span)
    for ours, theirs in _SHARED:
        # Observations of late name what their trace is of; what the trace itself says stands before it.
        if of_trace := field_of(given, theirs):
            trace.facts.add(ours, of_trace, (0, 1))
    rank: Rank = (1 if parent is None else 2, start or 0)
    leaves = list(flat("metadata", metadata))
    names = tuple([name for name, _ in leaves])
    said = [value for _, value in leaves]
    if span.facts is not None:
        span.facts.add_all(heading(names), said, rank)
    said += [given.get(name) for name in _OWN]
    trace.facts.add_all(heading((*names, *_OWN)), said, rank)


@lru_cache(maxsize=1024)
def _says(names: tuple[str, ...]) -> tuple[bool, bool]:
    """Whether fields of these names may say what was used, and what it cost."""
    theirs = dict.fromkeys(names, True)
    used, charged = (
        any(field_of(theirs, n) for n in wanted)
        for wanted in (
            ("usageDetails", "usage", *chain(*_FORMER.values())),
            ("costDetails", "totalCost", "calculatedTotalCost", "usage"),
        )
    )
    return used, charged


def _kind(given: Mapping[str, Any], attributes: Mapping[str, Any]) -> SpanKind:
    kind = str(given.get("type") or "").upper()
    if kind in _CALLS:
        return "call"
    says = str(attributes.get("openinference.span.kind") or "").upper() == "TOOL"
    says = says or attributes.get("gen_ai.operation.name") == "execute_tool"
    says = says or (kind == "SPAN" and bool(attributes.get("gen_ai.tool.name")))
    return "tool" if kind == "TOOL" or says else "other"


def _tool(given: Mapping[str, Any], attributes: Mapping[str, Any]) -> str | None:
    named = attributes.get("gen_ai.tool.name") or attributes.get("tool.name")
    if isinstance(named, str) and named:
        return named
    name = str(given.get("name") or "")
    prefix = next((p for p in _TOOL_PREFIXES if name.lower().startswith(p)), "")
    return name[len(prefix) :].strip() or None


def _tokens(given: Mapping[str, Any]) -> Tokens | None:
    details = _opened(field_of(given, "usageDetails"))
    if not isinstance(details, Mapping) or not details:
        usage = _opened(given.get("usage"))
        details = usage if isinstance(usage, Mapping) and any(count(v) for v in usage.values()) else None
    if details is None:
        details = {
            side: n
            for side, names in _FORMER.items()
            if (n := next((n for name in names if (n := count(field_of(given, name)))), None)) is not None
        }
    # Details in objects are parts of what stands beside them; other objects split it up once more.
    leaves = [
        pair
        for k, v in details.items()
        if not isinstance(v, Mapping) or "details" in k or k == "cache_creation"
        for pair in flat(k, v)
    ]
    numbers = {str(k): n for k, v in leaves if (n := count(v)) is not None}
    return _split(numbers) if numbers else None


def _split(numbers: Mapping[str, int]) -> Tokens:
    sent = next((numbers[k] for k in _INPUTS if k in numbers), None)
    received = next((numbers[k] for k in _OUTPUTS if k in numbers), None)
    total = next((numbers[k] for k in _TOTALS if k in numbers), None)
    parts = {k: n for k, n in numbers.items() if k not in (*_INPUTS, *_OUTPUTS, *_TOTALS) and n}
    read = {k for k in parts if "cache" in k.lower() and not _is_write(k)}
    write = {k for k in parts if _is_write(k)}
    kept = {k for k in write if any(mark in k.lower() for mark in _KEPT)}
    hours = sum(parts[k] for k in kept if "1h" in k.lower())
    plain = (sent or 0) + (received or 0)
    if kept and write - kept and total != plain + sum(parts.values()):
        # What is kept for minutes and for an hour stands beside the sum of both.
        write -= kept
        parts = {k: n for k, n in parts.items() if k not in kept}
    others = {k for k in parts if k.lower().startswith(("input", "prompt"))}
    sides = {k: "in" if k in read | write | others else "out" for k in parts}
    inside = {k for k in parts if "details" in k.lower()}
    if total is not None and parts:
        if total == plain:
            inside = set(parts)
        elif total == plain + sum(parts.values()):
            inside = set()
    if sum(parts[k] for k in inside if sides[k] == "in") > (sent or 0):
        inside = {k for k in inside if sides[k] == "out"}  # parts are not more than the whole
    more_in = sum(n for k, n in parts.items() if sides[k] == "in" and k not in inside)
    more_out = sum(n for k, n in parts.items() if sides[k] == "out" and k not in inside)
    cached = any("cache" in k.lower() for k in numbers)
    return Tokens(
        input=None if sent is None and not more_in else (sent or 0) + more_in,
        cache_read=sum(parts[k] for k in read) if cached else None,
        cache_write=sum(parts[k] for k in write) if cached else None,
        output=None if received is None and not more_out else (received or 0) + more_out,
        cache_write_1h=hours or None,
    )


def _is_write(name: str) -> bool:
    lower = name.lower()
    return "ephemeral_" in lower or ("cache" in lower and ("creat" in lower or "write" in lower))


def _cost(given: Mapping[str, Any]) -> Decimal | None:
    details = _opened(field_of(given, "costDetails"))
    if isinstance(details, Mapping) and details:
        total = amount(details.get("total"))
        parts = [a for k, v in details.items() if k != "total" and (a := amount(v)) is not None]
        return total if total is not None else sum(parts, Decimal(0)) if parts else None
    for name in ("totalCost", "calculatedTotalCost"):
        total = amount(field_of(given, name))
        if total:
            return total
        if total is not None and "costDetails" not in given and "cost_details" not in given:
            return total
    usage = _opened(given.get("usage"))
    return amount(field_of(usage, "totalCost")) if isinstance(usage, Mapping) else None


def _opened(value: Any) -> Any:
    """What is JSON in a text, as objects."""
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value
