"""OpenInference: spans as Phoenix and others export them, and Phoenix' tables of evaluations and annotations.

Large files of plain spans on lines are read by the engine (`openinference_lines`), all others here.

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
from itertools import islice
from pathlib import Path
from typing import Any

from roi.importers.attributes import Described, add_spans
from roi.importers.documents import json_blocks
from roi.importers.export import Export, Table, left_out, table_of
from roi.importers.facts import text_of
from roi.importers.laid_traces import export_laid
from roi.importers.openinference_lines import laid
from roi.importers.openinference_spans import (
    EVAL_KEYS,
    Row,
    is_bare,
    is_span,
    plain_rows,
    shape_of,
    span_row,
)
from roi.importers.spans import Traces
from roi.importers.tables import export_of
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
_AT_ONCE = 512


def knows(value: Any) -> bool:
    """Whether a value of a file is a span, the attributes of one, or a row of evaluations."""
    if not isinstance(value, Mapping):
        return False
    if isinstance(value.get("data"), list) and value["data"]:
        return knows(value["data"][0])
    shape = shape_of(tuple(value))
    return is_span(value, shape) or is_bare(value) or shape.is_eval


def knows_file(found: Found) -> bool:
    """Whether a Parquet or CSV file has the columns of spans or evaluations."""
    names = set(_columns(found))
    spans = {"context.trace_id", "context.span_id"} <= names and any(
        n.startswith("attributes.") or n == "span_kind" for n in names
    )
    return spans or shape_of(tuple(sorted(names))).is_eval


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
    if (plain := laid(files)) is not None:
        return export_laid(plain, own)
    found = Traces()
    evals: list[dict[str, str | None]] = []
    lost: dict[str, int] = {}
    for file, seen in files:
        place = 1
        for values in _blocks(file, seen):
            found.relieve(len(values))
            rows = plain_rows(values)
            for i, value in enumerate(values):
                if rows[i] is None:
                    rows[i] = _row(value, file, place + i, evals, lost)
            if spans := [row for row in rows if row is not None]:
                add_spans(found, Described(*zip(*spans, strict=True)))
            place += len(values)
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


def _blocks(found: Found, seen: Seen) -> Iterator[Sequence[Mapping[str, Any]]]:
    name = found.path.name.lower()
    if name.endswith((".parquet", ".pq")):
        yield from _parquet(found)
    elif name.endswith((".csv", ".csv.gz")):
        with open_bytes(found.path) as raw:
            text = io.TextIOWrapper(raw, encoding=seen.encoding or "utf-8", errors="replace", newline="")
            rows = csv.DictReader(text)
            try:
                while some := list(islice(rows, _AT_ONCE)):
                    yield some
            except csv.Error:
                raise UnreadableError(
                    [Problem(found.name, "", "is no CSV that can be read to its end; export it anew")]
                ) from None
    else:
        for values in json_blocks(found, seen):
            plain: list[Mapping[str, Any]] = []
            for value in values:
                if type(value) is dict:
                    if type(value.get("data")) is not list:
                        plain.append(value)
                        continue
                    listed = [item for item in value["data"] if type(item) is dict]
                    items: Iterator[Mapping[str, Any]] = iter([*plain, *listed])
                    plain = []
                    while part := list(islice(items, _AT_ONCE)):
                        yield part
            yield plain


def _parquet(found: Found) -> Iterator[Sequence[Mapping[str, Any]]]:
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
                yield [dict(zip(names, row, strict=True)) for row in some]
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


def _row(
    value: Mapping[str, Any],
    file: Found,
    place: int,
    evals: list[dict[str, str | None]],
    lost: dict[str, int],
) -> Row | None:
    """The row of a span of any kind; None where it is none, or an evaluation."""
    shape = shape_of(tuple(value))
    if shape.is_eval:
        _grade(value, file, place, evals, lost)
        return None
    if is_span(value, shape):
        return span_row(value, shape, lost)
    if is_bare(value):
        # Attributes alone: a trace of its own, named by its file and place.
        return f"{Path(file.name).stem}#{place}", "1", None, None, None, None, False, dict(value), {}
    left_out(lost, "is neither a span nor an evaluation")
    return None


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
    case = next((t for k in EVAL_KEYS if (t := text_of(value.get(k)))), None)
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
