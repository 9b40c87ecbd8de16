"""OTLP: spans as OpenTelemetry exports them in JSON, with the attributes for generative AI, current and former.

Read are `resourceSpans` → `scopeSpans` (formerly `instrumentationLibrarySpans`) → `spans`, in one document, one a line,
or in a list; in camel case or snake case. Logs and metrics in the same files are passed over.

| column (see `tables`) | from |
|---|---|
| attributes.… | attributes of the root span, then of the others by start |
| resource.… | attributes of the resource |
| session_id | `session.id`, `gen_ai.conversation.id`, `langfuse.session.id` |
| user_id | `user.id`, `enduser.id` |
| environment, version | `deployment.environment.name` (`deployment.environment`), `service.version` |
| a model call | `gen_ai.operation.name` chat, text_completion, embeddings …; span kind LLM or EMBEDDING |
| a tool call | `gen_ai.operation.name` execute_tool, span kind TOOL, or a `gen_ai.tool.name` |
| model | `gen_ai.response.model`, `gen_ai.request.model`, `llm.model_name`, `ai.response.model`, `ai.model.id` |
| provider | `gen_ai.provider.name`, `gen_ai.system`, `llm.provider`, `ai.model.provider` |
| tokens | `gen_ai.usage.input_tokens`, formerly `prompt_tokens`, and so on; see `_TOKENS` |
| cost | `gen_ai.usage.cost`, `gen_ai.usage.total_cost`, `llm.cost.total`, `operation.cost`, else list prices |
| errors | status code 2 |

Input tokens hold the cached ones, as the conventions say; where the cached ones are more than all, or a total says so,
they are added. Integers may be texts, which is how this format writes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from roi.importers.documents import json_values
from roi.importers.spans import (
    Facts,
    Rank,
    Span,
    SpanKind,
    Tokens,
    Traces,
    amount,
    count,
    field_of,
    flat,
    provider_of,
    text_of,
)
from roi.importers.tables import Export, export_of
from roi.readers.files import Found, Seen

__all__ = ["knows", "read"]

_CALLS = ("chat", "generate_content", "text_completion", "embeddings", "completion", "embedding")
_TOKENS: Mapping[str, tuple[str, ...]] = {
    "input": (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.usage.prompt_tokens",
        "llm.token_count.prompt",
        "ai.usage.inputTokens",
        "ai.usage.promptTokens",
    ),
    "output": (
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.usage.completion_tokens",
        "llm.token_count.completion",
        "ai.usage.outputTokens",
        "ai.usage.completionTokens",
    ),
    "cache_read": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.input_tokens.cached",
        "gen_ai.usage.cached_tokens",
        "gen_ai.usage.details.cache_read_tokens",
        "gen_ai.usage.details.cache_read_input_tokens",
        "gen_ai.usage.details.cached_tokens",
        "llm.token_count.prompt_details.cache_read",
        "ai.usage.cachedInputTokens",
    ),
    "cache_write": (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.details.cache_write_tokens",
        "gen_ai.usage.details.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
    ),
    "total": (
        "gen_ai.usage.total_tokens",
        "llm.usage.total_tokens",
        "llm.token_count.total",
        "ai.usage.totalTokens",
    ),
}
_COSTS = ("gen_ai.usage.cost", "gen_ai.usage.total_cost", "llm.cost.total", "operation.cost")
_MODELS = (
    "gen_ai.response.model",
    "gen_ai.request.model",
    "llm.model_name",
    "llm.response.model",
    "llm.request.model",
    "ai.response.model",
    "ai.model.id",
)
_PROVIDERS = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider")
_OWN: Mapping[str, tuple[str, ...]] = {
    "session_id": ("session.id", "gen_ai.conversation.id", "langfuse.session.id"),
    "user_id": ("user.id", "enduser.id", "langfuse.user.id"),
    "environment": ("deployment.environment.name", "deployment.environment", "langfuse.environment"),
    "version": ("langfuse.version", "service.version"),
    "release": ("langfuse.release",),
    "tags": ("langfuse.trace.tags", "tag.tags"),
}


def knows(value: Any) -> bool:
    """Whether a value of a file is an OTLP document that holds spans."""
    return isinstance(value, Mapping) and isinstance(field_of(value, "resourceSpans"), list)


def read(files: Sequence[tuple[Found, Seen]]) -> Export:
    """Read an export.

    Args:
        files: Its files, each with what a look through its bytes showed.

    Returns:
        A row for each trace and each tool call; none where the files hold no span.

    Raises:
        UnreadableError: If a file is no JSON to its end.
    """
    found = Traces()
    for file, seen in files:
        for document in json_values(file, seen):
            for resource, span in _spans(document):
                _take(resource, span, found)
    return export_of(found)


def _spans(document: Any) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for outer in _list(document, "resourceSpans"):
        resource = _attributes(outer.get("resource"))
        for name in ("scopeSpans", "instrumentationLibrarySpans"):
            for scope in _list(outer, name):
                for span in _list(scope, "spans"):
                    yield resource, span


def _list(value: Any, name: str) -> list[Mapping[str, Any]]:
    items = field_of(value, name) if isinstance(value, Mapping) else None
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []


def _take(resource: Mapping[str, Any], given: Mapping[str, Any], found: Traces) -> None:
    identifier = text_of(field_of(given, "traceId"))
    if identifier is None:
        return
    attributes = _attributes(given)
    kind = _kind(attributes)
    start = _micro(field_of(given, "startTimeUnixNano"))
    parent = text_of(field_of(given, "parentSpanId"))
    status = given.get("status")
    code = status.get("code") if isinstance(status, Mapping) else None
    provider = next((p for k in _PROVIDERS if (p := provider_of(attributes.get(k)))), None)
    span = Span(
        parent=parent,
        kind=kind,
        name=_tool(attributes, given) if kind == "tool" else None,
        start=start,
        end=_micro(field_of(given, "endTimeUnixNano")),
        tokens=_tokens(attributes),
        cost=next((a for k in _COSTS if (a := amount(attributes.get(k))) is not None), None),
        model=next((t for k in _MODELS if (t := text_of(attributes.get(k)))), None),
        provider=provider,
        failed=str(code) in ("2", "STATUS_CODE_ERROR"),
        facts=Facts() if kind == "tool" else None,
    )
    found.add(identifier, text_of(field_of(given, "spanId")), span)
    rank: Rank = (1 if parent is None else 2, start or 0)
    trace = found.trace(identifier)
    trace.facts.add("name", given.get("name"), rank)
    for name, keys in _OWN.items():
        trace.facts.add(
            name, next((v for k in keys if (v := attributes.get(k, resource.get(k)))), None), rank
        )
    for facts in (trace.facts, span.facts):
        if facts is not None:
            for key, value in attributes.items():
                facts.add(f"attributes.{key}", value, rank)
            for key, value in resource.items():
                facts.add(f"resource.{key}", value, rank)


def _kind(attributes: Mapping[str, Any]) -> SpanKind:
    operation = str(attributes.get("gen_ai.operation.name") or "").lower()
    inference = str(attributes.get("openinference.span.kind") or "").upper()
    framework = str(attributes.get("ai.operationId") or "")
    if operation == "execute_tool" or inference == "TOOL" or framework == "ai.toolCall":
        return "tool"
    inner = (
        framework.startswith("ai.") and "." in framework[3:]
    )  # ai.generateText.doGenerate, not ai.generateText
    if operation in _CALLS or inference in ("LLM", "EMBEDDING") or inner:
        return "call"
    if not operation and not inference and not framework:
        if attributes.get("gen_ai.tool.name"):
            return "tool"
        # Former conventions named no operation: what names a model and tokens is a call.
        if any(k in attributes for k in _MODELS) and any(k in attributes for k in _TOKENS["input"]):
            return "call"
    return "other"


def _tool(attributes: Mapping[str, Any], given: Mapping[str, Any]) -> str | None:
    for key in ("gen_ai.tool.name", "tool.name", "ai.toolCall.name"):
        if name := text_of(attributes.get(key)):
            return name
    name = text_of(given.get("name")) or ""
    return name.removeprefix("execute_tool ").strip() or None


def _tokens(attributes: Mapping[str, Any]) -> Tokens | None:
    found = {
        kind: next((n for k in keys if (n := count(attributes.get(k))) is not None), None)
        for kind, keys in _TOKENS.items()
    }
    sent, received, read, write = (found[k] for k in ("input", "output", "cache_read", "cache_write"))
    cached = (read or 0) + (write or 0)
    if sent is None and received is None and not cached:
        return None
    if sent is not None and cached:
        apart = found["total"] == sent + (received or 0) + cached
        sent += cached if cached > sent or apart else 0
    return Tokens(sent, read, write, received)


def _attributes(given: Any) -> dict[str, Any]:
    return {
        name: value
        for item in _list(given, "attributes")
        if isinstance(item.get("key"), str)
        for name, value in flat(item["key"], _value(item.get("value")))
    }


def _value(given: Any) -> Any:
    """A value of an attribute: `{"stringValue": …}`, `{"intValue": "42"}` and so on."""
    if not isinstance(given, Mapping):
        return given
    for name in ("stringValue", "intValue", "doubleValue", "boolValue"):
        if (value := field_of(given, name)) is not None:
            return value
    if (listed := field_of(given, "arrayValue")) is not None:
        return [_value(v) for v in _list(listed, "values")]
    if (pairs := field_of(given, "kvlistValue")) is not None:
        return {str(p.get("key")): _value(p.get("value")) for p in _list(pairs, "values")}
    return None


def _micro(value: Any) -> int | None:
    """Nanoseconds since 1970 as microseconds; 0 is no time."""
    nanoseconds = None if isinstance(value, bool) else value
    if not isinstance(nanoseconds, int | str):
        return None
    try:
        number = int(nanoseconds)
    except ValueError:
        return None
    return number // 1000 if 0 < number < 1 << 63 else None
