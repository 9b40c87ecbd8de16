"""What attributes of a span say, under the names of OpenTelemetry's conventions (current and former), OpenInference,
Vercel and others: whether it is a model call or a tool call, of which model, with which tokens and cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Any, TypeAlias, TypeVar

from roi.importers.attribute_names import (
    AROUND,
    BARE,
    CALLS,
    COSTS,
    KINDS,
    MODELS,
    OWN,
    PROVIDERS,
    TELL,
    TIERS,
    TOKENS,
    TOOLS,
    TYPE,
    TYPES,
)
from roi.importers.facts import Heading, heading, shorts, texts_of
from roi.importers.spans import (
    MOST_TOKENS,
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

__all__ = ["Described", "add_spans", "kind_of", "tokens_as", "tokens_of", "tool_of"]

_T = TypeVar("_T")
_Names: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]  # of attributes, and of those of the resource
_Read: TypeAlias = tuple[Span, Heading, tuple[str | None, ...]]


@dataclass(frozen=True, slots=True)
class Described:
    """Spans that their attributes describe, in the order in which they came: a column each of as many values.

    Attributes:
        traces: The names of their traces.
        ids: Their own names, or None.
        parents: Names of the spans that they lie in, or None.
        names: What they are called.
        starts: Microseconds since 1970, or None; likewise ends.
        failed: Whether they ended in an error.
        attributes: Their attributes, flat, with dotted names.
        resources: Those of what they ran on.
    """

    traces: Sequence[str]
    ids: Sequence[str | None]
    parents: Sequence[str | None]
    names: Sequence[Any]
    starts: Sequence[int | None]
    ends: Sequence[int | None]
    failed: Sequence[bool]
    attributes: Sequence[Mapping[str, Any]]
    resources: Sequence[Mapping[str, Any]]


def add_spans(found: Traces, given: Described) -> None:
    """Add spans that their attributes describe.

    Those whose attributes have the same names are read together, column by column: that costs a fraction of reading
    them one by one.
    """
    alike: dict[_Names, list[int]] = {}
    for i, names in enumerate(zip(map(tuple, given.attributes), map(tuple, given.resources), strict=True)):
        if (places := alike.get(names)) is None:
            places = alike[names] = []
        places.append(i)
    read: list[_Read | None] = [None] * len(given.traces)
    for names, places in alike.items():
        for i, found_at in zip(places, _read(_shape(*names), given, names, places), strict=True):
            read[i] = found_at
    for trace_id, span_id, one in zip(given.traces, given.ids, read, strict=True):
        assert one is not None
        span, under, texts = one
        facts = found.add(trace_id, span_id, span).facts
        rank: Rank = (1 if span.parent is None else 2, span.start or 0)
        if facts.lacks(under, rank):
            facts.add_texts(under, texts, rank)


def _read(shape: _Shape, given: Described, names: _Names, places: Sequence[int]) -> Iterator[_Read]:
    """Spans whose attributes have the same names, each with what it says of its trace, under which heading."""

    def of(column: Sequence[_T]) -> Sequence[_T]:
        return [column[i] for i in places]

    every = of(given.attributes)
    column = _columns(names[0], every)
    around = _columns(names[1], of(given.resources))
    called = of(given.names)
    own = [
        _first([(around if is_resource else column)[key] for is_resource, key in keys]) for keys in shape.own
    ]
    said = [shorts(values) for values in (called, *own, *column.values(), *around.values())]
    texts = list(zip(*said, strict=True))
    nothing = (None,) * len(places)
    kinds = _kinds(column, every)
    tools: Sequence[str | None] = nothing
    facts: Sequence[Facts | None] = nothing
    starts = of(given.starts)
    if "tool" in kinds:
        tools = [
            tool_of(a, name) if kind == "tool" else None
            for kind, a, name in zip(kinds, every, called, strict=True)
        ]
        facts = [
            Facts.of(shape.of_call, of_one[1 + len(own) :]) if kind == "tool" else None
            for kind, of_one in zip(kinds, texts, strict=True)
        ]
    spans = map(
        Span,
        of(given.parents),
        kinds,
        tools,
        starts,
        of(given.ends),
        nothing if shape.tokens is None else _token_column(column, every, shape.tokens),
        _known([list(map(amount, column[key])) for key in shape.costs]) or nothing,
        _first([texts_of(column[key]) for key in shape.models]) or nothing,
        _first([list(map(provider_of, column[key])) for key in shape.providers]) or nothing,
        of(given.failed),
        facts,
        [any(a[key] == "batch" for key in shape.tiers) for a in every]
        if shape.tiers
        else [False] * len(places),
    )
    return zip(spans, repeat(shape.of_trace), texts)


def _columns(names: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[Any]]:
    """Values by name, of rows that all have these names in this order."""
    return dict(zip(names, zip(*[row.values() for row in rows], strict=True), strict=True))


def _first(columns: Sequence[Sequence[Any]]) -> Sequence[Any]:
    """Of each row the first value that is not blank; nothing without a column."""
    if len(columns) < 2:
        return columns[0] if columns else ()
    return [next((v for v in row if not _is_blank(v)), row[-1]) for row in zip(*columns, strict=True)]


def _is_blank(value: Any) -> bool:
    """Whether a value says nothing; 0 and false do."""
    return value is None or (isinstance(value, str) and not value.strip())


def _known(columns: Sequence[Sequence[Any]]) -> Sequence[Any]:
    """Of each row the first value that is known; nothing without a column."""
    if len(columns) < 2:
        return columns[0] if columns else ()
    return [next((v for v in row if v is not None), None) for row in zip(*columns, strict=True)]


def _kinds(column: Mapping[str, Sequence[Any]], every: Sequence[Mapping[str, Any]]) -> Sequence[SpanKind]:
    """What each span is; mostly all whose attributes have the same names are the same."""
    told = [tuple(column[key]) for key in TELL if key in column]
    alike = all(values.count(values[0]) == len(values) for values in told)
    # Where nothing tells but a model's name, a blank one tells otherwise.
    if alike and (told or not any(key in column for key in MODELS)):
        return [kind_of(every[0])] * len(every)
    return list(map(kind_of, every))


def _token_column(
    column: Mapping[str, Sequence[Any]],
    every: Sequence[Mapping[str, Any]],
    names: tuple[tuple[str, ...], ...],
) -> Sequence[Tokens | None]:
    sent, received, read, write, hour, _ = names
    if len(sent) == len(received) == 1 and not (read or write or hour):
        numbers = column[sent[0]], column[received[0]]
        if all(set(map(type, n)) == {int} and min(n) >= 0 and max(n) < MOST_TOKENS for n in numbers):
            nothing = repeat(None)
            return list(map(Tokens, numbers[0], nothing, nothing, numbers[1]))
    return [_tokens(a, names) for a in every]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What may be said where attributes have these names: most spans of an export share theirs.

    Attributes:
        tokens: Of each of `KINDS` the names that say it; None where nothing does.
        costs: Names that say a cost; likewise models, providers and tiers.
        own: Where what `OWN` names may be said: whether by the resource, and under which name.
        of_trace: What is noted of a trace: the span's name, those of `OWN` that may be said, then as `of_call`.
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

    bare = BARE if TYPE in there else {}
    tokens = tuple(of(TOKENS[kind]) or of(bare.get(kind, ())) for kind in KINDS)
    own = {
        own: where
        for own, names in OWN.items()
        if (where := tuple((n not in there, n) for n in names if n in there or n in around))
    }
    of_call = (*(f"attributes.{n}" for n in attributes), *(f"resource.{n}" for n in resource))
    return _Shape(
        tokens=tokens if any(tokens) else None,
        costs=of(COSTS),
        models=of(MODELS) or of(("model",) if bare else ()),
        providers=of(PROVIDERS),
        tiers=of(TIERS),
        own=tuple(own.values()),
        of_trace=heading(("name", *own, *of_call)),
        of_call=heading(of_call),
    )


def kind_of(attributes: Mapping[str, Any]) -> SpanKind:
    operation = attributes.get("gen_ai.operation.name") or attributes.get("llm.request.type") or ""
    operation = operation or attributes.get("traceloop.span.kind") or TYPES.get(str(attributes.get(TYPE)), "")
    inference = attributes.get("openinference.span.kind") or ""
    framework = attributes.get("ai.operationId") or ""
    if operation or inference or framework:
        told = _kind(str(operation), str(inference), str(framework))
        if told != "other" or inference or framework or str(operation).lower() in AROUND:
            return told
    elif attributes.get("gen_ai.tool.name") or attributes.get("mcp.method.name") == "tools/call":
        return "tool"
    # Former conventions named no operation, and some exporters one of their own: what names a model is a call. Where
    # it logs no tokens, its cost is not known.
    return "call" if any(attributes.get(k) for k in MODELS) else "other"


@lru_cache(maxsize=1024)
def _kind(operation: str, inference: str, framework: str) -> SpanKind:
    operation, inference = operation.lower(), inference.upper()
    if operation in ("execute_tool", "tool") or inference == "TOOL" or framework == "ai.toolCall":
        return "tool"
    # ai.generateText.doGenerate, not ai.generateText
    inner = framework.startswith("ai.") and "." in framework[3:]
    return "call" if operation in CALLS or inference in ("LLM", "EMBEDDING") or inner else "other"


def tool_of(attributes: Mapping[str, Any], span_name: Any) -> str | None:
    for key in TOOLS:
        if name := text_of(attributes.get(key)):
            return name
    name = text_of(span_name) or ""
    return name.removeprefix("execute_tool ").removeprefix("tools/call ").strip() or None


def tokens_of(attributes: Mapping[str, Any]) -> Tokens | None:
    return _tokens(attributes, tuple(tuple(k for k in TOKENS[kind] if k in attributes) for kind in KINDS))


def _tokens(attributes: Mapping[str, Any], names: tuple[tuple[str, ...], ...]) -> Tokens | None:
    numbers: list[int | None] = []
    for keys in names:
        n = None
        for key in keys:
            if (n := count(attributes[key])) is not None:
                break
        numbers.append(n)
    if numbers[1] is None and count(attributes.get("ai.usage.tokens")) is not None:
        numbers[1] = 0  # an embedding has nothing to answer
    return tokens_as(numbers, apart=names[0] == BARE["input"])


def tokens_as(numbers: Sequence[int | None], *, apart: bool = False) -> Tokens | None:
    """Tokens from what is said under the names of each of `TOKENS`; None where that is nothing.

    Args:
        numbers: As many, each None where nothing says it.
        apart: Whether cached tokens stand beside those that are sent, and are no part of them.
    """
    sent, received, read, write, hour, total = numbers
    if hour and write is None:
        write = hour
    cached = (read or 0) + (write or 0)
    if sent is None and received is None and not cached:
        return None
    if sent is not None and cached:
        apart = apart or total == sent + (received or 0) + cached
        sent += cached if cached > sent or apart else 0
    return Tokens(sent, read, write, received, hour)
