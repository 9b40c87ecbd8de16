"""MLflow: traces with their spans, of version 2 and 3, as `to_json`, the API and search results write them.

| column (see `tables`) | from |
|---|---|
| trace_id | `info.trace_id`, formerly `info.request_id` |
| session_id, user_id | `mlflow.trace.session`, `mlflow.trace.user` of the trace's metadata |
| version | `mlflow.modelId`, else `mlflow.source.git.commit` of the metadata or tags |
| name | tag `mlflow.traceName` |
| metadata.… , tags.… | `info.trace_metadata` (formerly `request_metadata`), `info.tags`; those of MLflow itself not |
| scores.… | `info.assessments` by name: feedback or expectation |
| a model call, a tool call | `mlflow.spanType` LLM, CHAT_MODEL, EMBEDDING; TOOL |
| tokens | `mlflow.chat.tokenUsage`, else attributes with the names of OpenTelemetry or OpenInference |
| model, provider | `mlflow.llm.model`, `mlflow.llm.provider`, `mlflow.chat.model`, or as in `otlp` |
| cost | `mlflow.llm.cost` |
| errors | status ERROR |

Attributes are JSON in texts. Cached tokens are part of the input, but where `mlflow.message.format` is `anthropic`,
or a sum says so. `mlflow.trace.tokenUsage` and `mlflow.trace.cost` of a trace are set against the sums of
its calls.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from roi.importers.attributes import kind_of, tokens_of
from roi.importers.documents import json_values
from roi.importers.export import Export, left_out
from roi.importers.spans import (
    Facts,
    Rank,
    Span,
    SpanKind,
    Tokens,
    Traces,
    amount,
    count,
    hour_of,
    provider_of,
    text_of,
)
from roi.importers.tables import export_of
from roi.importers.times import from_iso, from_number
from roi.prices import OwnPrices
from roi.readers.files import Found, Seen

__all__ = ["knows", "read"]

_KINDS: Mapping[str, SpanKind] = {
    "LLM": "call", "CHAT_MODEL": "call", "EMBEDDING": "call", "TOOL": "tool",
}  # fmt: skip
_MODELS = (
    "mlflow.llm.model",
    "mlflow.chat.model",
    "gen_ai.response.model",
    "gen_ai.request.model",
    "llm.model_name",
)
_PROVIDERS = ("mlflow.llm.provider", "gen_ai.provider.name", "gen_ai.system", "llm.provider")


def knows(value: Any) -> bool:
    """Whether a value of a file is a trace, or a page of them."""
    if isinstance(value, Mapping) and isinstance(value.get("traces"), list) and value["traces"]:
        return knows(value["traces"][0])
    return isinstance(value, Mapping) and _is_trace(value)


def _is_trace(value: Mapping[str, Any]) -> bool:
    info = value.get("info") or value.get("trace_info")
    if not isinstance(info, Mapping) or not (info.get("trace_id") or info.get("request_id")):
        return False
    return isinstance(value.get("data"), Mapping) or isinstance(value.get("spans"), list)


def read(files: Sequence[tuple[Found, Seen]], own: OwnPrices | None = None) -> Export:
    """Read traces.

    Args:
        files: Each with what a look through its bytes showed.
        own: Prices of one's own, by model.

    Returns:
        A row for each trace and each tool call.

    Raises:
        UnreadableError: If a file is no JSON to its end.
    """
    found = Traces()
    lost: dict[str, int] = {}
    for file, seen in files:
        for value in json_values(file, seen):
            for trace in _traces(value):
                found.relieve()
                if not _is_trace(trace):
                    left_out(lost, "is no trace with its spans")
                    continue
                _take(trace, found)
    return export_of(found, own=own, left_out=lost)


def _traces(value: Any) -> Iterator[Mapping[str, Any]]:
    listed = value.get("traces") if isinstance(value, Mapping) else None
    if isinstance(listed, list):
        yield from (item for item in listed if isinstance(item, Mapping))
    else:
        yield value if isinstance(value, Mapping) else {}


def _inner(value: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        if isinstance(value.get(name), Mapping):
            inner: Mapping[str, Any] = value[name]
            return inner
    return {}


def _opened(value: Any) -> Any:
    """What is JSON in a text, as a value."""
    if isinstance(value, str) and value[:1] in '{["' and value:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _take(given: Mapping[str, Any], found: Traces) -> None:
    info = _inner(given, "info", "trace_info")
    identifier = text_of(info.get("trace_id") or info.get("request_id"))
    if identifier is None:
        return
    trace = found.trace(identifier)
    rank: Rank = (0, 0)
    began = from_iso(info.get("request_time")) or from_number(info.get("timestamp_ms"), per_second=1000)
    trace.began = trace.began if began is None else began
    metadata, tags = _inner(info, "trace_metadata", "request_metadata"), _inner(info, "tags")
    said = {**tags, **metadata}
    for name, keys in (
        ("session_id", ("mlflow.trace.session",)), ("user_id", ("mlflow.trace.user",)),
        ("name", ("mlflow.traceName",)), ("version", ("mlflow.modelId", "mlflow.source.git.commit")),
    ):  # fmt: skip
        trace.facts.add(name, next((said[k] for k in keys if said.get(k)), None), rank)
    for prefix, pairs in (("metadata", metadata), ("tags", tags)):
        for key, value in pairs.items():
            if not str(key).startswith("mlflow."):
                trace.facts.add(f"{prefix}.{key}", value, rank)
    assessments = info.get("assessments")
    for item in assessments if isinstance(assessments, list) else ():
        if isinstance(item, Mapping):
            called = text_of(item.get("assessment_name") or item.get("name"))
            trace.facts.add(f"scores.{called}", _inner(item, "feedback", "expectation").get("value"), rank)
    usage = _opened(metadata.get("mlflow.trace.tokenUsage"))
    stated = count(usage.get("total_tokens")) if isinstance(usage, Mapping) else None
    cost = _cost(_opened(metadata.get("mlflow.trace.cost")))
    trace.total_cost = trace.total_cost if cost is None else cost
    data = _inner(given, "data")
    spans = data.get("spans", given.get("spans"))
    beside = False
    for span in spans if isinstance(spans, list) else ():
        if isinstance(span, Mapping):
            beside = _observe(span, identifier, found) or beside
    if stated:
        trace.total_tokens = stated + (_cached(usage) if beside else 0)


def _observe(given: Mapping[str, Any], trace_id: str, found: Traces) -> bool:
    """Take a span; whether its cached tokens stand beside its input."""
    attributes = {str(k): _opened(v) for k, v in _inner(given, "attributes").items()}
    kind = _KINDS.get(str(attributes.get("mlflow.spanType") or given.get("span_type") or "").upper())
    context, status = _inner(given, "context"), given.get("status")
    code = (status.get("code") if isinstance(status, Mapping) else None) or given.get("status_code")
    told: SpanKind = kind if kind is not None else kind_of(attributes)
    found.add(
        trace_id,
        text_of(given.get("span_id") or context.get("span_id")),
        Span(
            parent=text_of(given.get("parent_span_id") or given.get("parent_id")),
            kind=told,
            name=text_of(given.get("name")) if told == "tool" else None,
            start=_when(given, "start_time_unix_nano", "start_time_ns", "start_time"),
            end=_when(given, "end_time_unix_nano", "end_time_ns", "end_time"),
            tokens=_tokens(attributes),
            cost=_cost(attributes.get("mlflow.llm.cost")),
            model=next((t for k in _MODELS if (t := text_of(attributes.get(k)))), None),
            provider=next((p for k in _PROVIDERS if (p := provider_of(attributes.get(k)))), None),
            failed=str(code).upper().removeprefix("STATUS_CODE_") == "ERROR" or code == 2,
            facts=Facts() if told == "tool" else None,
        ),
    )
    return _is_anthropic(attributes)


def _when(given: Mapping[str, Any], *names: str) -> int | None:
    value = next((given[n] for n in names if given.get(n)), None)
    return (
        from_iso(value) if isinstance(value, str) and "-" in value else from_number(value, per_second=10**9)
    )


def _tokens(attributes: Mapping[str, Any]) -> Tokens | None:
    usage = attributes.get("mlflow.chat.tokenUsage")
    if not isinstance(usage, Mapping):
        return tokens_of(attributes)
    sent, received = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
    if sent is None and received is None:
        return None
    read, write = count(usage.get("cache_read_input_tokens")), count(usage.get("cache_creation_input_tokens"))
    cached = _cached(usage)
    if sent is not None and (
        _is_anthropic(attributes)
        or cached > sent
        or count(usage.get("total_tokens")) == sent + (received or 0) + cached
    ):
        sent += cached  # some providers count what is cached beside the input
    return Tokens(sent, read, write, received, hour_of(usage))


def _cached(usage: Mapping[str, Any]) -> int:
    names = ("cache_read_input_tokens", "cache_creation_input_tokens")
    return sum(count(usage.get(name)) or 0 for name in names)


def _is_anthropic(attributes: Mapping[str, Any]) -> bool:
    """Whether usage stands as Anthropic's own client gave it: input, and beside it what is cached; no sum has both."""
    return attributes.get("mlflow.message.format") == "anthropic"


def _cost(value: Any) -> Decimal | None:
    return amount(value.get("total_cost")) if isinstance(value, Mapping) else amount(value)
