"""Spans of OpenInference that stand on lines of JSON, laid down in the engine without a value of theirs in Python.

That takes a fraction of reading them one by one, and gives the same. It is done with what most exports hold: `context`,
times with at most six digits of a second, attributes with dotted names that are texts, numbers or truth values. Where a
single line is otherwise, `laid` gives nothing, and all are read by `openinference`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from glob import has_magic

from roi.importers.attribute_names import COSTS, MODELS, PROVIDERS, TELL, TIERS, TOKENS
from roi.importers.contents import is_content
from roi.importers.laid import WHITE, LaidSpans, ask, start
from roi.importers.times import EARLIEST, LATEST
from roi.readers.base import Connection, UnreadableError, literal, quoted
from roi.readers.files import SMALL, Found, Seen, open_bytes, weigh

__all__ = ["laid"]

_MOST_NAMES = 400
_APART = b'"attributes.'
_CHUNK = 1 << 20
_KIND = "openinference.span.kind"
_MAP = "MAP(VARCHAR, JSON)"
_TEXTS = ("parent_id", "span_kind", "start_time", "end_time", "status_code")
_ELSEWHERE = (
    "data", "label", "score", "annotator_kind", "result", "spanContext", "parentSpanContext", "parentSpanId",
    "startTime", "endTime", "span_id", "trace_id", "context.span_id", "context.trace_id", "document_position",
)  # fmt: skip
"""Fields that other forms have."""

_TIME = r"\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)?"
_TOKENS = r"\d{1,15}"
_COST = r"-?\d{1,9}(\.\d{1,30})?([eE][+-]?\d{1,2})?"
_WORD = "[A-Za-z_]*"
# What may be no text: of the values 0, false and 1e5 Python makes something else than the engine does.
_NO_ID = r"-?0|false|-?\d+\.\d.*|-?\d{1,9}[eE][+-]?\d{1,5}"
_NO_NUMBERS = (
    "('NaN', 'nan', 'Infinity', 'inf', '-Infinity', '-inf')"  # which JSON does not have, and some write
)
_TELLING = (*TELL, *MODELS, *TIERS)
_LONGEST_NUMBER = 16  # characters, of what `_NO_ID` takes without a point
_KINDS = "('LLM', 'TOOL', 'AGENT', 'CHAIN', 'RETRIEVER', 'EMBEDDING', 'RERANKER', 'GUARDRAIL', 'EVALUATOR', 'UNKNOWN')"
_NUL = r"\x00"
_BLANK = f"[{re.escape(WHITE)}]"


def laid(files: Sequence[tuple[Found, Seen]]) -> LaidSpans | None:
    """Lay spans down.

    Args:
        files: Each with what a look through its bytes showed.

    Returns:
        The spans; None where the files are small, or hold anything else than plain spans on lines.
    """
    import duckdb

    if weigh([file for file, _ in files]) < SMALL or any(seen.encoding != "utf-8" for _, seen in files):
        return None
    if any(has_magic(str(file.path)) for file, _ in files):
        return None  # the engine would take such a name for several
    if any(_holds_apart(file) for file, _ in files):
        return None
    try:
        return _laid(start(), [str(file.path) for file, _ in files])
    except (duckdb.Error, UnreadableError):
        return None  # whoever reads them one by one says what is wrong


def _holds_apart(file: Found) -> bool:
    """Whether a file may have a field for each attribute."""
    rest = b""
    with open_bytes(file.path) as stream:
        while chunk := stream.read(_CHUNK):
            block, at = rest + chunk, -1
            while (at := block.find(_APART, at + 1)) >= 0:
                # Within a text it would have a sign before it.
                if block[at - 1 : at] != b"\\":
                    return True
            rest = block[-len(_APART) :]
    return False


def _laid(con: Connection, paths: Sequence[str]) -> LaidSpans | None:
    shapes = _shapes(con, paths)
    attributes = _columns("a", (n for names, _ in shapes for n in names if not is_content(f"attributes.{n}")))
    resources = _columns("r", (n for _, names in shapes for n in names))
    attributes.setdefault(_KIND, "kind_told")
    every = [n for names, _ in shapes for n in names] + [n for _, names in shapes for n in names]
    if not shapes or len(attributes) + len(resources) > _MOST_NAMES or "span.type" in every:
        return None
    # The engine tells names apart without regard to case.
    if any(len({n.lower() for n in names}) < len(names) for names in (attributes, resources)):
        return None
    _lay_spans(con, paths, attributes, resources)
    ((odd,),) = ask(con, "select bool_or(is_odd) from spans").fetchall()
    if odd or _are_numbers(con, paths):
        return None
    telling = [attributes[n] for n in _TELLING if n in attributes]
    providers = [attributes[n] for n in PROVIDERS if n in attributes]
    columns = ["trace", "id", "parent", "called", *attributes.values(), *resources.values()]
    return LaidSpans(con, shapes, attributes, resources) if _strip(con, columns, telling, providers) else None


def _lines(paths: Sequence[str], fields: Mapping[str, str]) -> str:
    """SQL of the lines of files, with some of their fields."""
    listed = ", ".join(map(literal, paths))
    given = ", ".join(f"{quoted(name)}: {literal(kind)}" for name, kind in fields.items())
    return f"read_json([{listed}], format = 'newline_delimited', records = 'true', columns = {{{given}}})"


def _shapes(con: Connection, paths: Sequence[str]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Names of attributes and of those of the resource; none where a span has no attributes, or a name twice."""
    lines = _lines(paths, {"attributes": _MAP, "resource": f"STRUCT(attributes {_MAP})"})
    rows = ask(
        con,
        "select a, r from (select map_keys(attributes) as a, map_keys(resource.attributes) as r, row_number() over () "
        f"as n from {lines}) group by a, r order by min(n)",
    ).fetchall()
    if any(a is None or len(set(a)) < len(a) or len(set(r or ())) < len(r or ()) for a, r in rows):
        return []
    return [(tuple(a), tuple(r or ())) for a, r in rows]


def _columns(letter: str, names: Iterable[str]) -> dict[str, str]:
    return {name: f"{letter}{i}" for i, name in enumerate(dict.fromkeys(names))}


def _lay_spans(
    con: Connection, paths: Sequence[str], attributes: Mapping[str, str], resources: Mapping[str, str]
) -> None:
    """Lay down the table `spans`, and of each whether anything in it is not as it is read here."""

    def structure(names: Mapping[str, str]) -> str:
        return f"STRUCT({', '.join(f'{quoted(n)} JSON' for n in names)})"

    fields = {
        "context": "STRUCT(trace_id VARCHAR, span_id VARCHAR)",
        **dict.fromkeys(_TEXTS, "VARCHAR"),
        **dict.fromkeys(("name", "status", *_ELSEWHERE), "JSON"),
        "attributes": structure(attributes),
        **({"resource": f"STRUCT(attributes {structure(resources)})"} if resources else {}),
    }
    plain = {
        "trace": "context.trace_id",
        "id": "context.span_id",
        "parent": "parent_id",
        "kind": "span_kind",
        "began": "start_time",
        "ended": "end_time",
        "code": "case when starts_with(status::varchar, '{') then status->>'code' else status_code end",
    }
    told = {"called": "name"}
    told |= {column: f"attributes.{quoted(name)}" for name, column in attributes.items()}
    told |= {column: f"resource.attributes.{quoted(name)}" for name, column in resources.items()}
    texts = [f"{value} as {column}" for column, value in plain.items()]
    texts += [f"{_text(value)} as {column}" for column, value in told.items()]
    odd = [f"{quoted(name)} is not null" for name in _ELSEWHERE]
    odd += [f"ord({value}) in (91, 123) or {value} in {_NO_NUMBERS}" for value in plain.values()]  # [ and {
    odd += [
        f"(ord({v}) >= 58 and {v} not in ('true', 'false')) or (ord({v}) = 45 and contains({v}, 'n'))"
        for v in (f"({value})::varchar" for value in told.values())
    ]
    # Of these Python takes the value as it is: true is no kind, 0 is no model.
    telling = [attributes[n] for n in (*_TELLING, *PROVIDERS) if n in attributes]
    odd += [f"ord({told[column]}::varchar) <> 34" for column in telling]
    read = f"select row_number() over () as n, {', '.join(texts)}, {_any(odd)} as is_odd from {_lines(paths, fields)}"
    odd = ["is_odd", "trace is null", "id is null"]
    blank = literal(rf"({_BLANK}|\x00)*")
    odd += [
        f"case when {_begins_plainly(c)} then false else regexp_full_match({c}, {blank}) end"
        for c in ("trace", "id")
    ]
    odd.append(f"case when kind in {_KINDS} then false else {_is_other('kind', _WORD)} end")
    odd += [_is_no_time(c) for c in ("began", "ended")]
    odd += [_is_other(attributes[n], _TOKENS) for names in TOKENS.values() for n in names if n in attributes]
    odd += [_is_other(attributes[n], _COST) for n in COSTS if n in attributes]
    kind = attributes[_KIND]
    columns = [*attributes.values(), *resources.values()]
    cells = [c if c != kind else f"coalesce({c}, nullif(kind, 'UNKNOWN')) as {c}" for c in columns]
    ask(
        con,
        f"create table spans as select n, trace, id, parent, called, {_moment('began')} as began, "
        f"{_moment('ended')} as ended, coalesce(upper(code) in ('ERROR', '2', 'STATUS_CODE_ERROR'), false) as failed, "
        f"{', '.join(cells)}, {_any(odd)} as is_odd from ({read})",
    )


def _are_numbers(con: Connection, paths: Sequence[str]) -> bool:
    """Whether a trace or span is named by a number; which is looked for where a name looks like one."""
    doubts = _any(
        [
            f"case when strlen({c}) > {_LONGEST_NUMBER} and not contains({c}, '.') then false "
            f"else regexp_full_match({c}, {literal(_NO_ID)}) end"
            for c in ("trace", "id", "parent")
        ]
    )
    ((some,),) = ask(con, f"select bool_or({doubts}) from spans").fetchall()
    if not some:
        return False
    lines = _lines(paths, {"context": "STRUCT(trace_id JSON, span_id JSON)", "parent_id": "JSON"})
    names = ("context.trace_id", "context.span_id", "parent_id")
    numbers = _any([f"ord({name}::varchar) <> 34" for name in names])
    ((found,),) = ask(con, f"select bool_or({numbers}) from {lines}").fetchall()
    return bool(found)


def _any(conditions: Sequence[str]) -> str:
    return " or ".join(f"coalesce({condition}, false)" for condition in conditions)


def _begins_plainly(column: str) -> str:
    return f"ord({column}) between 33 and 126"


def _is_other(column: str, pattern: str) -> str:
    return f"not regexp_full_match({column}, {literal(pattern)})"


def _is_no_time(column: str) -> str:
    """SQL of whether a time is written otherwise than it is read here; most are told by a look that costs little."""
    usual = " or ".join(f"{column} like '____-__-__T{tens}_:__:__.______+00:00'" for tens in (0, 1))
    return f"case when {usual} then false else {_is_other(column, _TIME)} end"


def _text(value: str) -> str:
    """SQL of a JSON value as a text; numbers as Python writes them."""
    told = f"({value})::varchar"
    return (
        f"case when ord({told}) = 34 then from_json({value}, '\"VARCHAR\"') when ord({told}) < 58 and "
        f"regexp_matches({told}, '[.eE]') then try_cast({told} as double)::varchar else {told} end"
    )


def _strip(con: Connection, columns: Sequence[str], telling: Sequence[str], providers: Sequence[str]) -> bool:
    """Take white space, and the sign that ends a text in C, off the texts, of which few have any.

    Args:
        con: The engine.
        columns: With texts.
        telling: Of these those that Python takes as they are: ` TOOL ` is no kind.
        providers: Those that it takes without the white space alone.

    Returns:
        Whether that was all.
    """
    every = f"concat_ws('|', '', {', '.join(columns)}, '')"
    odd = f"regexp_matches({every}, {literal(rf'({_BLANK}[|]|[|]{_BLANK}|[|][|]|{_NUL})')})"
    framed = literal(rf"^{_BLANK}|{_BLANK}$|{_NUL}")
    taken = [f"regexp_matches({c}, {framed})" for c in telling]
    taken += [f"regexp_matches({c}, {literal(_NUL)})" for c in providers]
    ((some, told),) = ask(
        con, f"select count(*), bool_or({_any(taken) or 'false'}) from (select * from spans where {odd})"
    ).fetchall()
    if some and not told:
        cells = (f"{c} = nullif(trim(replace({c}, chr(0), ''), {literal(WHITE)}), '')" for c in columns)
        ask(con, f"update spans set {', '.join(cells)} where {odd}")
    return not told


def _moment(column: str) -> str:
    """SQL of a time as microseconds since 1970; without an offset it is UTC, outside of 1900 to 2100 it is none."""
    number = (
        f"case when not ends_with({column}, '+00:00') and ord({column}[-6]) in (43, 45) "
        f"then epoch_us(try_cast({column} as timestamptz)) "
        f"else epoch_us(try_cast({column} as timestamp)) end"
    )
    return f"case when {number} > {EARLIEST} and {number} < {LATEST} then {number} end"
