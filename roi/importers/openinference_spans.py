"""Spans of OpenInference as rows of cells: plain ones read together with those that have the same fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Any, TypeAlias

from roi.importers.export import left_out
from roi.importers.facts import flat, text_of, texts_of
from roi.importers.times import from_iso, from_isos, from_number

__all__ = ["EVAL_KEYS", "Row", "Shape", "is_bare", "is_span", "plain_rows", "shape_of", "span_row"]

EVAL_KEYS = ("context.span_id", "span_id", "context.trace_id", "trace_id", "document_position")
"""What a row of evaluations may be of."""

_RESULT = {"result", "result.label", "result.score", "label", "score"}

Row: TypeAlias = tuple[Any, ...]
"""The cells of a span in the order of `Described`."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value may say whose fields have these names: most of an export share theirs.

    Attributes:
        is_eval: Whether it is a row of evaluations.
        has_attributes: Whether it holds attributes.
        start: The field that says when it began; likewise end.
        parents: Fields that name the span around it, before all others.
        apart: Columns that are an attribute each, with its name.
        is_plain: Whether it may be read together with others: a span with `context` and `attributes`.
    """

    is_plain: bool
    is_eval: bool
    has_attributes: bool
    start: str | None
    end: str | None
    parents: tuple[str, ...]
    apart: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1024)
def shape_of(names: tuple[str, ...]) -> Shape:
    def first(*wanted: str) -> str | None:
        return next((n for n in wanted if n in names), None)

    graded = {"label", "score"} <= set(names) or ("annotator_kind" in names and not _RESULT.isdisjoint(names))
    is_eval = graded and any(k in names for k in EVAL_KEYS)
    apart = _under(names, "attributes.")
    return Shape(
        is_plain="context" in names and "attributes" in names and not is_eval and not apart,
        is_eval=is_eval,
        has_attributes="attributes" in names,
        start=first("start_time", "startTime"),
        end=first("end_time", "endTime"),
        parents=tuple(n for n in ("parentSpanContext", "parent_id") if n in names),
        apart=apart,
    )


def is_span(value: Mapping[str, Any], shape: Shape) -> bool:
    context = value.get("context")
    if type(context) is dict and text_of(context.get("trace_id")):
        return shape.has_attributes or "span_kind" in value
    if isinstance(value.get("spanContext"), dict):
        return shape.has_attributes
    return bool(value.get("context.trace_id")) and not shape.is_eval


def is_bare(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("openinference.span.kind"), str) or isinstance(
        value.get("gen_ai.operation.name"), str
    )


def _attributes(inner: Any, value: Mapping[str, Any], apart: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Attributes with dotted names, those of columns that are one each among them; nobody changes them."""
    if isinstance(inner, dict) and dict not in map(type, inner.values()):
        if not apart:
            return inner
        found = dict(inner)
    else:
        found = {}
        for key, item in inner.items() if isinstance(inner, Mapping) else ():
            found.update(flat(str(key), item))
    for key, short in apart:
        if (item := value[key]) is not None:
            found.update(flat(short, item))
    return found


def _under(names: Sequence[str], start: str) -> tuple[tuple[str, str], ...]:
    """The names that begin so, with what follows."""
    return tuple((n, n.removeprefix(start)) for n in names if n and n.startswith(start))


def plain_rows(values: Sequence[Mapping[str, Any]]) -> list[Row | None]:
    """The rows of plain spans, of which those with the same fields are read together; None for all others."""
    rows: list[Row | None] = [None] * len(values)
    alike: dict[tuple[str, ...], list[int]] = {}
    for i, names in enumerate(map(tuple, values)):
        if (places := alike.get(names)) is None:
            places = alike[names] = []
        places.append(i)
    for names, places in alike.items():
        shape = shape_of(names)
        if shape.is_plain:
            for i, row in zip(places, _plain(shape, names, [values[i] for i in places]), strict=False):
                rows[i] = row
    return rows


def _plain(shape: Shape, names: tuple[str, ...], values: Sequence[Mapping[str, Any]]) -> Iterable[Row]:
    """The rows of spans that have the same fields; none where one of them is odd."""
    contexts = [value["context"] for value in values]
    if set(map(type, contexts)) != {dict}:
        return ()
    named = [context.get("trace_id") for context in contexts]
    traces = texts_of(named)
    if None in traces or not all(named):
        return ()
    nothing = (None,) * len(values)
    inner = [_attributes(value["attributes"], value, ()) for value in values]
    if "span_kind" in names:
        inner = [_with_kind(a, value["span_kind"]) for a, value in zip(inner, values, strict=True)]
    return zip(
        traces,
        texts_of([_own_name(context, value) for context, value in zip(contexts, values, strict=True)]),
        texts_of([_parent(value, shape) for value in values]),
        [value["name"] for value in values] if "name" in names else nothing,
        nothing if shape.start is None else _whens([value[shape.start] for value in values]),
        nothing if shape.end is None else _whens([value[shape.end] for value in values]),
        [_failed(value) for value in values],
        inner,
        [_resource(value["resource"]) for value in values] if "resource" in names else repeat({}, len(values)),
        strict=True,
    )  # fmt: skip


def span_row(value: Mapping[str, Any], shape: Shape, lost: dict[str, int]) -> Row | None:
    context = value.get("context") or value.get("spanContext")
    inner: Mapping[str, Any] = context if isinstance(context, dict) else {}
    trace_id = text_of(inner.get("trace_id") or inner.get("traceId") or value.get("context.trace_id"))
    if trace_id is None:
        left_out(lost, "a span without the name of its trace")
        return None
    return (
        trace_id,
        text_of(_own_name(inner, value)),
        text_of(_parent(value, shape)),
        value.get("name"),
        None if shape.start is None else _when(value[shape.start]),
        None if shape.end is None else _when(value[shape.end]),
        _failed(value),
        _with_kind(_attributes(value.get("attributes"), value, shape.apart), value.get("span_kind")),
        _resource(value.get("resource")),
    )


def _own_name(context: Mapping[str, Any], value: Mapping[str, Any]) -> Any:
    return context.get("span_id") or context.get("spanId") or value.get("context.span_id")


def _parent(value: Mapping[str, Any], shape: Shape) -> Any:
    for name in shape.parents:
        parent = value[name]
        if name == "parentSpanContext":
            parent = parent.get("spanId") if isinstance(parent, dict) else None
        if parent:
            return parent
    return value.get("parentSpanId")


def _with_kind(attributes: dict[str, Any], kind: Any) -> dict[str, Any]:
    """Attributes with the kind that stands beside them."""
    if kind is None or attributes.get("openinference.span.kind") is not None:
        return attributes
    told = text_of(kind)
    return {**attributes, "openinference.span.kind": told} if told and told != "UNKNOWN" else attributes


def _failed(value: Mapping[str, Any]) -> bool:
    status = value.get("status")
    code = status.get("code") if isinstance(status, dict) else value.get("status_code")
    return code is not None and str(code).upper() in ("ERROR", "2", "STATUS_CODE_ERROR")


def _resource(around: Any) -> dict[str, Any]:
    if not isinstance(around, dict):
        return {}
    return _attributes(around.get("attributes"), around, _under(tuple(around), "attributes."))


def _whens(values: Sequence[Any]) -> Sequence[int | None]:
    return (
        from_isos(values)
        if set(map(type, values)) == {str} and "us:" not in {v[:3] for v in values}
        else list(map(_when, values))
    )


def _when(value: Any) -> int | None:
    if type(value) is str:
        return from_number(value[3:], per_second=1_000_000) if value[:3] == "us:" else from_iso(value)
    if isinstance(value, list | tuple):
        # OpenTelemetry's JavaScript packages write seconds and nanoseconds apart.
        if len(value) != 2 or not all(isinstance(v, int) and not isinstance(v, bool) for v in value):
            return None
        return from_number(value[0] * 1_000_000_000 + value[1], per_second=1_000_000_000)
    if isinstance(value, int):
        return from_number(value, per_second=1_000_000_000 if value > 10**15 else 1000)
    return from_iso(value)
