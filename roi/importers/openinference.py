"""OpenInference: spans as Phoenix and others export them, and Phoenix' tables of evaluations and annotations.

Read are spans as JSON, JSON Lines or Parquet: with `context` and `attributes` (dotted names or nested objects), as flat
columns (`context.trace_id`, `attributes.llm.model_name`), as OpenTelemetry's JavaScript packages print them
(`spanContext`, times as `[seconds, nanoseconds]`), or attributes alone, each of which is a trace of its own, named by
its file and place. Attributes with the names of OpenTelemetry's conventions count as in `otlp`.

| column (see `tables`) | from |
|---|---|
| trace_id | `context.trace_id`, `spanContext.traceId` |
| the span around | `parent_id`, `parentSpanId`, `parentSpanContext.spanId` |
| attributes.… , resource.… | attributes of the root span, then of the others by start; of the resource |
| a model call, a tool call | `openinference.span.kind` (or `span_kind`) LLM, EMBEDDING; TOOL |
| model, provider | `llm.model_name`, `llm.provider`, or as in `otlp` |
| tokens, cost | `llm.token_count.…`, `llm.cost.total`, or as in `otlp` |
| errors | status code ERROR or 2 |

| column of `evals` | from |
|---|---|
| eval_case | `context.span_id` or `span_id`, else `context.trace_id` or `trace_id`, else `document_position`, the row |
| suite | the name of the evaluation or annotation, else of the file |
| passed | the label, where it is a known word; else the score (1 yes, 0 no); of an annotation those of its `result` |
| label, score | as they are; a judge's label is not a person's |
| version | blank: the table says nothing of it |

`NOT_PARSABLE` and blank labels are missing, not wrong: such rows are left out and counted. A label that is no known
word is passed where the score is 1; whether 1 is good is known for the known words only.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from roi.importers.attributes import add_span
from roi.importers.documents import json_values
from roi.importers.export import Export, Table, left_out, table_of
from roi.importers.spans import Traces, flat, text_of
from roi.importers.tables import export_of
from roi.importers.times import from_iso, from_number
from roi.prices import OwnPrices
from roi.problems import Problem
from roi.readers.base import UnreadableError, literal, quoted
from roi.readers.files import Found, Seen, open_bytes

__all__ = ["knows", "knows_file", "read"]

_PASSED = (
    "correct", "factual", "relevant", "pass", "passed", "true", "yes", "good", "non-toxic", "helpful", "safe",
    "readable",
)  # fmt: skip
_FAILED = (
    "incorrect", "hallucinated", "unrelated", "irrelevant", "fail", "failed", "false", "no", "bad", "toxic",
    "unhelpful", "unsafe", "unreadable",
)  # fmt: skip
_NOT_PARSABLE = ("not_parsable", "not_parseable", "nan", "none", "null", "")
_EVAL_KEYS = ("context.span_id", "span_id", "context.trace_id", "trace_id", "document_position")
_RESULT = {"result", "result.label", "result.score", "label", "score"}
_AT_ONCE = 512


def knows(value: Any) -> bool:
    """Whether a value of a file is a span, the attributes of one, or a row of evaluations."""
    if not isinstance(value, Mapping):
        return False
    if isinstance(value.get("data"), list) and value["data"]:
        return knows(value["data"][0])
    shape = _shape(tuple(value))
    return _is_span(value, shape) or _is_bare(value) or shape.is_eval


def knows_file(found: Found) -> bool:
    """Whether a Parquet or CSV file has the columns of spans or evaluations."""
    names = set(_columns(found))
    spans = {"context.trace_id", "context.span_id"} <= names and any(
        n.startswith("attributes.") or n == "span_kind" for n in names
    )
    return spans or _shape(tuple(sorted(names))).is_eval


def read(files: Sequence[tuple[Found, Seen]], own: OwnPrices | None = None) -> Export:
    """Read spans and evaluations.

    Args:
        files: Each with what a look through its bytes showed.
        own: Prices of one's own, by model.

    Returns:
        A row for each trace and each tool call, and one for each graded span.

    Raises:
        UnreadableError: If a file cannot be read to its end.
    """
    found = Traces()
    evals: list[dict[str, str | None]] = []
    lost: dict[str, int] = {}
    for file, seen in files:
        for place, value in enumerate(_values(file, seen), start=1):
            found.relieve()
            shape = _shape(tuple(value))
            if shape.is_eval:
                _grade(value, file, place, evals, lost)
            elif _is_span(value, shape):
                _take(value, shape, found, lost)
            elif _is_bare(value):
                _take_bare(value, file, place, found)
            else:
                left_out(lost, "is neither a span nor an evaluation")
    return export_of(found, own=own, evals=_evals(evals), left_out=lost)


def _evals(rows: list[dict[str, str | None]]) -> Table:
    return table_of(rows, first=("version", "eval_case", "passed", "suite", "label", "score"))


def _columns(found: Found) -> list[str]:
    if found.path.name.lower().endswith((".csv", ".csv.gz")):
        try:
            with open_bytes(found.path) as raw:
                line = raw.readline(1 << 20).decode("utf-8-sig", errors="replace")
            return next(csv.reader([line]), [])
        except (OSError, EOFError, csv.Error):
            return []
    import duckdb

    try:
        return [name for name, _ in _described(found)]
    except duckdb.Error:
        return []


def _described(found: Found) -> list[tuple[str, str]]:
    """Names and types of the columns of a Parquet file."""
    import duckdb

    with duckdb.connect() as con:
        listed = con.execute(f"describe select * from read_parquet({literal(str(found.path))})").fetchall()
    return [(str(row[0]), str(row[1])) for row in listed]


def _values(found: Found, seen: Seen) -> Iterator[Mapping[str, Any]]:
    name = found.path.name.lower()
    if name.endswith((".parquet", ".pq")):
        yield from _parquet(found)
    elif name.endswith((".csv", ".csv.gz")):
        with open_bytes(found.path) as raw:
            text = io.TextIOWrapper(raw, encoding=seen.encoding or "utf-8", errors="replace", newline="")
            try:
                yield from csv.DictReader(text)
            except csv.Error:
                raise UnreadableError(
                    [Problem(found.name, "", "is no CSV that can be read to its end; export it anew")]
                ) from None
    else:
        for value in json_values(found, seen):
            if isinstance(value, dict):
                listed = value.get("data")
                if isinstance(listed, list):
                    yield from (item for item in listed if isinstance(item, dict))
                else:
                    yield value


def _parquet(found: Found) -> Iterator[Mapping[str, Any]]:
    import duckdb

    try:
        # Nested columns hold prompts and documents, which no column of ours is made of.
        columns = [
            (n, t) for n, t in _described(found) if not t.startswith(("STRUCT", "MAP")) and "[" not in t
        ]
        cells = [_cell(n, t) for n, t in columns]
        names = [n for n, _ in columns]
        with duckdb.connect() as con:
            rows = con.execute(f"select {', '.join(cells)} from read_parquet({literal(str(found.path))})")
            while some := rows.fetchmany(_AT_ONCE):
                yield from (dict(zip(names, row, strict=True)) for row in some)
    except duckdb.Error as error:
        message = f"is no Parquet that can be read to its end ({type(error).__name__}); export it anew"
        raise UnreadableError([Problem(found.name, "", message)]) from None


def _cell(name: str, kind: str) -> str:
    """SQL of a cell; times are microseconds since 1970 behind a mark, for their zone is of no account."""
    if kind.startswith("TIMESTAMP"):
        return f"'us:' || epoch_us({quoted(name)})"
    return (
        quoted(name)
        if kind in ("BOOLEAN", "INTEGER", "BIGINT", "DOUBLE", "FLOAT")
        else f"{quoted(name)}::varchar"
    )


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a value may say whose fields have these names: most of an export share theirs.

    Attributes:
        is_eval: Whether it is a row of evaluations.
        has_attributes: Whether it holds attributes.
        start: The field that says when it began; likewise end.
        parents: Fields that name the span around it, before all others.
        apart: Columns that are an attribute each, with its name.
    """

    is_eval: bool
    has_attributes: bool
    start: str | None
    end: str | None
    parents: tuple[str, ...]
    apart: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1024)
def _shape(names: tuple[str, ...]) -> _Shape:
    def first(*wanted: str) -> str | None:
        return next((n for n in wanted if n in names), None)

    return _Shape(
        is_eval=any(k in names for k in _EVAL_KEYS)
        and (
            {"label", "score"} <= set(names) or ("annotator_kind" in names and _RESULT & set(names) != set())
        ),
        has_attributes="attributes" in names,
        start=first("start_time", "startTime"),
        end=first("end_time", "endTime"),
        parents=tuple(n for n in ("parentSpanContext", "parent_id") if n in names),
        apart=_under(names, "attributes."),
    )


def _is_span(value: Mapping[str, Any], shape: _Shape) -> bool:
    context = value.get("context")
    if type(context) is dict and text_of(context.get("trace_id")):
        return shape.has_attributes or "span_kind" in value
    if isinstance(value.get("spanContext"), dict):
        return shape.has_attributes
    return bool(value.get("context.trace_id")) and not shape.is_eval


def _is_bare(value: Mapping[str, Any]) -> bool:
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


def _take_bare(value: Mapping[str, Any], file: Found, place: int, found: Traces) -> None:
    """Take attributes alone: a trace of its own, named by its file and place."""
    add_span(
        found, trace_id=f"{Path(file.name).stem}#{place}", span_id="1", parent=None, name=None, start=None, end=None,
        failed=False, attributes=dict(value), resource={},
    )  # fmt: skip


def _take(value: Mapping[str, Any], shape: _Shape, found: Traces, lost: dict[str, int]) -> None:
    context = value.get("context") or value.get("spanContext")
    inner: Mapping[str, Any] = context if isinstance(context, dict) else {}
    trace_id = text_of(inner.get("trace_id") or inner.get("traceId") or value.get("context.trace_id"))
    if trace_id is None:
        left_out(lost, "a span without the name of its trace")
        return
    for name in shape.parents:
        parent = value[name]
        if name == "parentSpanContext":
            parent = parent.get("spanId") if isinstance(parent, dict) else None
        if parent:
            break
    else:
        parent = value.get("parentSpanId")
    attributes = _attributes(value.get("attributes"), value, shape.apart)
    kind = value.get("span_kind")
    if kind is not None and "openinference.span.kind" not in attributes:
        kind = text_of(kind)
        if kind and kind != "UNKNOWN":
            attributes = {**attributes, "openinference.span.kind": kind}
    status = value.get("status")
    code = status.get("code") if isinstance(status, dict) else value.get("status_code")
    around = value.get("resource")
    add_span(
        found,
        trace_id=trace_id,
        span_id=text_of(inner.get("span_id") or inner.get("spanId") or value.get("context.span_id")),
        parent=text_of(parent),
        name=value.get("name"),
        start=None if shape.start is None else _when(value[shape.start]),
        end=None if shape.end is None else _when(value[shape.end]),
        failed=code is not None and str(code).upper() in ("ERROR", "2", "STATUS_CODE_ERROR"),
        attributes=attributes,
        resource=_resource(around) if isinstance(around, dict) else {},
    )


def _resource(around: Mapping[str, Any]) -> dict[str, Any]:
    return _attributes(around.get("attributes"), around, _under(tuple(around), "attributes."))


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


def _grade(
    value: Mapping[str, Any],
    file: Found,
    place: int,
    evals: list[dict[str, str | None]],
    lost: dict[str, int],
) -> None:
    inner = value.get("result")
    given = inner if isinstance(inner, Mapping) else value

    def of(name: str) -> str | None:
        """A field of the result, which tables have under a dotted name."""
        return text_of(given.get(name, value.get(f"result.{name}")))

    label, score = of("label"), _number(of("score"))
    word = (label or "").lower()
    # Who annotates may give a number and no word; a judge that gives no word could not be read.
    if word in _NOT_PARSABLE and not (label is None and score is not None and "annotator_kind" in value):
        left_out(lost, "evaluations whose label is NOT_PARSABLE or blank are missing, not wrong")
        return
    passed = True if word in _PASSED else False if word in _FAILED else None
    if passed is None and score in (0, 1):
        passed = score == 1
    if passed is None:
        left_out(lost, "evaluations whose label is no known word and whose score is neither 0 nor 1")
        return
    case = next((t for k in _EVAL_KEYS if (t := text_of(value.get(k)))), None)
    evals.append(
        {
            "eval_case": case or f"row {place}",
            "passed": "true" if passed else "false",
            "suite": text_of(value.get("name"))
            or text_of(value.get("annotation_name"))
            or Path(file.name).name.split(".")[0],
            "label": label,
            "score": of("score"),
            "trace_id": text_of(value.get("context.trace_id") or value.get("trace_id")),
        }
    )


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
