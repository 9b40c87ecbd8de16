"""OTLP: spans as OpenTelemetry exports them in JSON, with the attributes for generative AI, current and former.

Read are `resourceSpans` → `scopeSpans` (formerly `instrumentationLibrarySpans`) → `spans`, in one document, one a line,
or in a list; in camel case or snake case. So are Tempo's `batches`, and `resourceSpans` that Tempo and Jaeger put in
`trace` or `result`. Logs and metrics in the same files are passed over.

| column (see `tables`) | from |
|---|---|
| attributes.… | attributes of the root span, then of the others by start |
| resource.… | attributes of the resource |
| session_id | `session.id`, `gen_ai.conversation.id`, `langfuse.session.id`, `traceloop.….session_id` |
| user_id | `user.id`, `enduser.id`, `traceloop.….user_id` |
| environment, version | `deployment.environment.name` (`deployment.environment`), `service.version` |
| a model call | `gen_ai.operation.name` chat …; `llm.request.type`; span kind LLM or EMBEDDING; else a model |
| a tool call | `gen_ai.operation.name` execute_tool; span kind TOOL; `gen_ai.tool.name`; `mcp.method.name` tools/call |
| model | `gen_ai.response.model`, `gen_ai.request.model`, `llm.model_name`, `ai.response.model`, `ai.model.id` |
| provider | `gen_ai.provider.name`, `gen_ai.system`, `llm.provider`, `ai.model.provider` |
| tokens | `gen_ai.usage.input_tokens`, formerly `prompt_tokens`, and so on; see `_TOKENS` in `attributes` |
| cost | `gen_ai.usage.cost`, `gen_ai.usage.total_cost`, `llm.cost.total`, `operation.cost`, else list prices |
| errors | status code 2 |

Claude Code's spans are told by `span.type`, with `input_tokens`, `cache_read_tokens` and so on beside each other.
A tool call within a span of the same tool is the same call, told by its client and its server.
Input tokens hold the cached ones, as the conventions say; where the cached ones are more than all, or a total says so,
they are added. Integers may be texts, which is how this format writes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from roi.importers.attributes import Described, add_spans
from roi.importers.documents import json_values
from roi.importers.export import Export
from roi.importers.spans import Traces, field_of, flat, text_of
from roi.importers.tables import export_of
from roi.prices import OwnPrices
from roi.readers.files import Found, Seen

__all__ = ["knows", "read"]

_AT_ONCE = 512
_SCOPES = ("scopeSpans", "instrumentationLibrarySpans")
_WRAPPERS = ("trace", "result")
_PLAIN = ("stringValue", "intValue", "doubleValue", "boolValue")


def knows(value: Any) -> bool:
    """Whether a value of a file is an OTLP document that holds spans."""
    return any(
        isinstance(field_of(given, "resourceSpans"), list)
        or any(_list(batch, name) for batch in _list(given, "batches")[:1] for name in _SCOPES)
        for given in _unwrapped(value)
    )


def read(files: Sequence[tuple[Found, Seen]], own: OwnPrices | None = None) -> Export:
    """Read an export.

    Args:
        files: Its files, each with what a look through its bytes showed.
        own: Prices of one's own, by model.

    Returns:
        A row for each trace and each tool call; none where the files hold no span.

    Raises:
        UnreadableError: If a file is no JSON to its end.
    """
    found = Traces()
    for file, seen in files:
        spans = (pair for document in json_values(file, seen) for pair in _spans(document))
        while some := list(islice(spans, _AT_ONCE)):
            found.relieve(len(some))
            rows = [row for resource, span in some if (row := _row(resource, span)) is not None]
            if rows:
                add_spans(found, Described(*zip(*rows, strict=True)))
    return export_of(found, own=own)


def _spans(document: Any) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for given in _unwrapped(document):
        yield from _spans_of(_list(given, "resourceSpans") or _list(given, "batches"))


def _unwrapped(document: Any) -> list[Mapping[str, Any]]:
    """A document, and what stands inside it where an answer is wrapped."""
    if not isinstance(document, dict):
        return []
    return [document, *(inner for name in _WRAPPERS if isinstance(inner := document.get(name), dict))]


def _spans_of(listed: list[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for outer in listed:
        resource = _attributes(outer.get("resource"))
        for name in _SCOPES:
            for scope in _list(outer, name):
                for span in _list(scope, "spans"):
                    yield resource, span


def _list(value: Any, name: str) -> list[Mapping[str, Any]]:
    items = field_of(value, name) if isinstance(value, dict) else None
    if not isinstance(items, list):
        return []
    return [item for item in items if type(item) is dict]


def _row(resource: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The cells of a span in the order of `Described`."""
    identifier = text_of(field_of(given, "traceId"))
    if identifier is None:
        return None
    status = given.get("status")
    code = status.get("code") if isinstance(status, dict) else None
    return (
        identifier,
        text_of(field_of(given, "spanId")),
        text_of(field_of(given, "parentSpanId")),
        given.get("name"),
        _micro(field_of(given, "startTimeUnixNano")),
        _micro(field_of(given, "endTimeUnixNano")),
        str(code) in ("2", "STATUS_CODE_ERROR"),
        _attributes(given),
        resource,
    )


def _attributes(given: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in _list(given, "attributes"):
        key, value = item.get("key"), item.get("value")
        if not isinstance(key, str):
            continue
        if type(value) is dict and len(value) == 1:
            ((kind, plain),) = value.items()
            if kind in _PLAIN and type(plain) is not dict:
                found[key] = plain
                continue
        found.update(flat(key, _value(value)))
    return found


def _value(given: Any) -> Any:
    """A value of an attribute: `{"stringValue": …}`, `{"intValue": "42"}` and so on."""
    if not isinstance(given, Mapping):
        return given
    for name in _PLAIN:
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
