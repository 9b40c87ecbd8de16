"""What attributes of a span say, under the names of OpenTelemetry's conventions (current and former), OpenInference,
Vercel and others: whether it is a model call or a tool call, of which model, with which tokens and cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from roi.importers.facts import Heading, heading
from roi.importers.spans import (
    Facts,
    Rank,
    Span,
    SpanKind,
    Tokens,
    Traces,
    amount,
    count,
    provider_of,
    text_of,
)

__all__ = ["add_span", "kind_of", "tokens_of", "tool_of"]

_CALLS = ("chat", "generate_content", "text_completion", "embeddings", "completion", "embedding")
_TOKENS: Mapping[str, tuple[str, ...]] = {
    "input": (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.usage.prompt_tokens",
        "llm.token_count.prompt",
        "ai.usage.inputTokens",
        "ai.usage.promptTokens",
        "ai.usage.tokens",
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
    "cache_write_1h": (
        "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens",
        "gen_ai.usage.cache_creation_ephemeral_1h_input_tokens",
        "gen_ai.usage.details.cache_creation.ephemeral_1h_input_tokens",
        "gen_ai.usage.details.ephemeral_1h_input_tokens",
        "gen_ai.usage.details.cache_write_1h_tokens",
        "llm.token_count.prompt_details.cache_write_1h",
    ),
    "total": (
        "gen_ai.usage.total_tokens",
        "llm.usage.total_tokens",
        "llm.token_count.total",
        "ai.usage.totalTokens",
    ),
}
_KINDS = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "total")
_COSTS = ("gen_ai.usage.cost", "gen_ai.usage.total_cost", "llm.cost.total", "operation.cost")
_MODELS = (
    "gen_ai.response.model",
    "gen_ai.request.model",
    "llm.model_name",
    "embedding.model_name",
    "llm.response.model",
    "llm.request.model",
    "ai.response.model",
    "ai.model.id",
)
_PROVIDERS = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider")
_TIERS = (
    "gen_ai.response.service_tier",
    "gen_ai.request.service_tier",
    "gen_ai.openai.response.service_tier",
    "openai.response.service_tier",
    "gen_ai.usage.service_tier",
)
_OWN: Mapping[str, tuple[str, ...]] = {
    "session_id": ("session.id", "gen_ai.conversation.id", "langfuse.session.id"),
    "user_id": ("user.id", "enduser.id", "langfuse.user.id"),
    "environment": ("deployment.environment.name", "deployment.environment", "langfuse.environment"),
    "version": ("langfuse.version", "service.version"),
    "release": ("langfuse.release",),
    "tags": ("langfuse.trace.tags", "tag.tags"),
}


def add_span(
    found: Traces,
    *,
    trace_id: str,
    span_id: str | None,
    parent: str | None,
    name: Any,
    start: int | None,
    end: int | None,
    failed: bool,
    attributes: Mapping[str, Any],
    resource: Mapping[str, Any],
) -> Span:
    """Add a span that its attributes describe.

    Args:
        found: What it is added to.
        trace_id: Its trace.
        span_id: Its own name, or None.
        parent: The span that it lies in, or None.
        name: What it is called.
        start: Microseconds since 1970, or None.
        end: Likewise.
        failed: Whether it ended in an error.
        attributes: Its attributes, flat, with dotted names.
        resource: Those of what it ran on.
    """
    shape = _shape(tuple(attributes), tuple(resource))
    kind = kind_of(attributes)
    tool = kind == "tool"
    cost = model = provider = None
    for key in shape.costs:
        if (cost := amount(attributes[key])) is not None:
            break
    for key in shape.models:
        if model := text_of(attributes[key]):
            break
    for key in shape.providers:
        if provider := provider_of(attributes[key]):
            break
    span = Span(
        parent=parent,
        kind=kind,
        name=tool_of(attributes, name) if tool else None,
        start=start,
        end=end,
        tokens=None if shape.tokens is None else _tokens(attributes, shape.tokens),
        cost=cost,
        model=model,
        provider=provider,
        failed=failed,
        facts=Facts() if tool else None,
        batch=bool(shape.tiers) and any(attributes[k] == "batch" for k in shape.tiers),
    )
    trace = found.add(trace_id, span_id, span)
    rank: Rank = (1 if parent is None else 2, start or 0)
    if trace.facts.lacks(shape.of_trace, rank):
        said = [name]
        for keys in shape.own:
            value = None
            for is_resource, key in keys:
                if value := (resource if is_resource else attributes)[key]:
                    break
            said.append(value)
        trace.facts.add_all(shape.of_trace, [*said, *attributes.values(), *resource.values()], rank)
    if span.facts is not None:
        span.facts.add_all(shape.of_call, [*attributes.values(), *resource.values()], rank)
    return span


@dataclass(frozen=True, slots=True)
class _Shape:
    """What may be said where attributes have these names: most spans of an export share theirs.

    Attributes:
        tokens: Of each of `_KINDS` the names that say it; None where nothing does.
        costs: Names that say a cost; likewise models, providers and tiers.
        own: Where what `_OWN` names may be said: whether by the resource, and under which name.
        of_trace: What is noted of a trace: the span's name, those of `_OWN` that may be said, then as `of_call`.
        of_call: What is noted of a tool call: attributes, then those of the resource.
    """

    tokens: tuple[tuple[str, ...], ...] | None
    costs: tuple[str, ...]
    models: tuple[str, ...]
    providers: tuple[str, ...]
    tiers: tuple[str, ...]
    own: tuple[tuple[tuple[bool, str], ...], ...]
    of_trace: Heading
    of_call: Heading


@lru_cache(maxsize=4096)
def _shape(attributes: tuple[str, ...], resource: tuple[str, ...]) -> _Shape:
    there, around = set(attributes), set(resource)

    def of(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(n for n in names if n in there)

    tokens = tuple(of(_TOKENS[kind]) for kind in _KINDS)
    own = {
        own: where
        for own, names in _OWN.items()
        if (where := tuple((n not in there, n) for n in names if n in there or n in around))
    }
    of_call = (*(f"attributes.{n}" for n in attributes), *(f"resource.{n}" for n in resource))
    return _Shape(
        tokens=tokens if any(tokens) else None,
        costs=of(_COSTS),
        models=of(_MODELS),
        providers=of(_PROVIDERS),
        tiers=of(_TIERS),
        own=tuple(own.values()),
        of_trace=heading(("name", *own, *of_call)),
        of_call=heading(of_call),
    )


def kind_of(attributes: Mapping[str, Any]) -> SpanKind:
    operation = attributes.get("gen_ai.operation.name") or ""
    inference = attributes.get("openinference.span.kind") or ""
    framework = attributes.get("ai.operationId") or ""
    if operation or inference or framework:
        return _kind(str(operation), str(inference), str(framework))
    if attributes.get("gen_ai.tool.name"):
        return "tool"
    # Former conventions named no operation: what names a model and tokens is a call.
    named = any(k in attributes for k in _MODELS) and any(k in attributes for k in _TOKENS["input"])
    return "call" if named else "other"


@lru_cache(maxsize=1024)
def _kind(operation: str, inference: str, framework: str) -> SpanKind:
    operation, inference = operation.lower(), inference.upper()
    if operation == "execute_tool" or inference == "TOOL" or framework == "ai.toolCall":
        return "tool"
    # ai.generateText.doGenerate, not ai.generateText
    inner = framework.startswith("ai.") and "." in framework[3:]
    return "call" if operation in _CALLS or inference in ("LLM", "EMBEDDING") or inner else "other"


def tool_of(attributes: Mapping[str, Any], span_name: Any) -> str | None:
    for key in ("gen_ai.tool.name", "tool.name", "ai.toolCall.name"):
        if name := text_of(attributes.get(key)):
            return name
    name = text_of(span_name) or ""
    return name.removeprefix("execute_tool ").strip() or None


def tokens_of(attributes: Mapping[str, Any]) -> Tokens | None:
    return _tokens(attributes, tuple(tuple(k for k in _TOKENS[kind] if k in attributes) for kind in _KINDS))


def _tokens(attributes: Mapping[str, Any], names: tuple[tuple[str, ...], ...]) -> Tokens | None:
    numbers: list[int | None] = []
    for keys in names:
        n = None
        for key in keys:
            if (n := count(attributes[key])) is not None:
                break
        numbers.append(n)
    sent, received, read, write, hour, total = numbers
    if hour and write is None:
        write = hour
    if received is None and count(attributes.get("ai.usage.tokens")) is not None:
        received = 0  # an embedding has nothing to answer
    cached = (read or 0) + (write or 0)
    if sent is None and received is None and not cached:
        return None
    if sent is not None and cached:
        apart = total == sent + (received or 0) + cached
        sent += cached if cached > sent or apart else 0
    return Tokens(sent, read, write, received, hour)
