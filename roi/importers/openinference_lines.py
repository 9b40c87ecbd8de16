"""Spans of OpenInference that stand on lines of JSON, laid down in the engine without a value of theirs in Python.

That costs a fraction of reading them one by one, and gives the same. It is done with what most exports hold: `context`,
times with at most six digits of a second, attributes with dotted names that are texts, numbers or truth values. Where a
single line is otherwise, `laid` gives nothing, and all are read by `openinference`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from glob import has_magic

from roi.importers.attributes import COSTS, TOKENS
from roi.importers.contents import is_content
from roi.importers.laid import LaidSpans, start
from roi.importers.times import EARLIEST, LATEST
from roi.readers.base import Connection, literal, quoted
from roi.readers.files import SMALL, Found, Seen, open_bytes, weigh

__all__ = ["laid"]

_MOST_NAMES = 400
_APART = b'"attributes.'
_CHUNK = 1 << 20
_ELSEWHERE = (
    "data", "label", "score", "annotator_kind", "result", "spanContext", "parentSpanContext", "parentSpanId",
    "startTime", "endTime", "span_id", "trace_id", "context.span_id", "context.trace_id", "document_position",
)  # fmt: skip
"""Fields that other forms have."""

_TIME = r"\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)?"
_WHITE = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"  # noqa: E501


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
    if any(has_magic(str(file.path)) or _holds_apart(file) for file, _ in files):
        return None  # of a name with such signs the engine would make several
    con = start()
    try:
        return _laid(con, [str(file.path) for file, _ in files])
    except duckdb.Error:
        return None  # whoever reads them one by one says what is wrong


def _holds_apart(file: Found) -> bool:
    """Whether a file may have a field for each attribute."""
    with open_bytes(file.path) as stream:
        rest = b""
        while chunk := stream.read(_CHUNK):
            block, at = rest + chunk, -1
            while (at := block.find(_APART, at + 1)) >= 0:
                # Within a text it would have a sign before it.
                if block[at - 1 : at] != b"\\":
                    return True
            rest = block[-len(_APART) :]
    return False


def _laid(con: Connection, paths: Sequence[str]) -> LaidSpans | None:
    listed = ", ".join(map(literal, paths))

    def lines(columns: Mapping[str, str]) -> str:
        given = ", ".join(f"{quoted(name)}: {literal(kind)}" for name, kind in columns.items())
        return f"read_json([{listed}], format = 'newline_delimited', records = 'true', columns = {{{given}}})"

    any_map = "MAP(VARCHAR, JSON)"
    con.execute(
        "create table shapes as select map_keys(attributes) as a, map_keys(resource.attributes) as r, min(n) as n from "
        f"(select *, row_number() over () as n from {lines({'attributes': any_map, 'resource': f'STRUCT(attributes {any_map})'})}) "
        "group by 1, 2"
    )
    found = con.execute("select a, r from shapes order by n").fetchall()
    if any(keys is None or len(set(keys)) < len(keys) for keys, _ in found):
        return None
    if any(keys is not None and len(set(keys)) < len(keys) for _, keys in found):
        return None
    shapes = [(tuple(a), tuple(r or ())) for a, r in found]
    attributes = _columns("a", [n for a, _ in shapes for n in a if not is_content(f"attributes.{n}")])
    resources = _columns("r", [n for _, r in shapes for n in r])
    if len(attributes) + len(resources) > _MOST_NAMES or "span.type" in attributes:
        return None
    # Names of a structure are told apart without regard to case.
    if any(len({n.lower() for n in names}) < len(names) for names in (attributes, resources)):
        return None
    attributes.setdefault("openinference.span.kind", "a_kind")
    fields = {
        "context": "STRUCT(trace_id VARCHAR, span_id VARCHAR)",
        **dict.fromkeys(("parent_id", "span_kind", "start_time", "end_time", "status_code"), "VARCHAR"),
        "name": "JSON",
        "status": "JSON",
        "attributes": _structure(attributes),
        **({"resource": f"STRUCT(attributes {_structure(resources)})"} if resources else {}),
        **dict.fromkeys(_ELSEWHERE, "JSON"),
    }
    plain = {
        "trace": "context.trace_id",
        "id": "context.span_id",
        "parent": "parent_id",
        "kind_": "span_kind",
        "began_": "start_time",
        "ended_": "end_time",
        "code_": "case when starts_with(status::varchar, '{') then status->>'code' else status_code end",
    }
    told = {"called": "name"}
    told |= {column: f"attributes.{quoted(name)}" for name, column in attributes.items()}
    told |= {column: f"resource.attributes.{quoted(name)}" for name, column in resources.items()}
    texts = ", ".join(
        [
            *(f"{value} as {column}" for column, value in plain.items()),
            *(f"{_text(v)} as {c}" for c, v in told.items()),
        ]
    )
    nested = " or ".join(f"ord({value}::varchar) in (91, 123)" for value in [*plain.values(), *told.values()])
    elsewhere = " or ".join(f"{quoted(name)} is not null" for name in _ELSEWHERE)
    numbers = [attributes[n] for names in TOKENS.values() for n in names if n in attributes]
    amounts = [attributes[n] for n in COSTS if n in attributes]
    odd = [
        "is_odd",
        "trace is null",
        "id is null",
        *(f"not regexp_full_match({c}, {literal(_TIME)})" for c in ("began_", "ended_")),
        *(f"not regexp_full_match({c}, '\\d{{1,15}}')" for c in numbers),
        *(
            f"not regexp_full_match({c}, '-?\\d{{1,9}}(\\.\\d{{1,30}})?([eE][+-]?\\d{{1,2}})?')"
            for c in amounts
        ),
    ]
    columns = [*attributes.values(), *resources.values()]
    kind = attributes["openinference.span.kind"]
    cells = [c if c != kind else f"coalesce({c}, nullif(kind_, 'UNKNOWN')) as {c}" for c in columns]
    con.execute(
        f"create table spans as select n, trace, id, parent, called, {_moment('began_')} as began, {_moment('ended_')} as ended, "
        "coalesce(upper(code_) in ('ERROR', '2', 'STATUS_CODE_ERROR'), false) as failed, "
        f"{', '.join(cells)}, {' or '.join(f'coalesce({o}, false)' for o in odd)} as is_odd from (select row_number() over () as n, {texts}, "
        f"({elsewhere} or coalesce({nested}, false)) as is_odd from {lines(fields)})"
    )
    ((some,),) = con.execute("select bool_or(is_odd) from spans").fetchall()
    if some:
        return None
    _strip(con, ["trace", "id", "parent", "called", *columns])
    return LaidSpans(con, shapes, attributes, resources)


def _columns(letter: str, names: Sequence[str]) -> dict[str, str]:
    return {name: f"{letter}{i}" for i, name in enumerate(dict.fromkeys(names))}


def _structure(names: Mapping[str, str]) -> str:
    return f"STRUCT({', '.join(f'{quoted(n)} JSON' for n in names)})"


def _text(value: str) -> str:
    """SQL of a JSON value as a text; numbers as Python writes them."""
    told = f"({value})::varchar"
    return (
        f"case when ord({told}) = 34 then from_json({value}, '\"VARCHAR\"') when ord({told}) < 58 and "
        f"regexp_matches({told}, '[.eE]') then try_cast({told} as double)::varchar else {told} end"
    )


def _strip(con: Connection, columns: Sequence[str]) -> None:
    """Take white space and the sign that ends a text in C off the texts; few have any."""
    every = f"concat_ws('|', '', {', '.join(columns)}, '')"
    blank = f"[{re.escape(_WHITE)}]"
    odd = f"regexp_matches({every}, '(\\|{blank}|{blank}\\||\\|\\||\\x00)')"
    ((some,),) = con.execute(f"select coalesce(bool_or({odd}), false) from spans").fetchall()
    if some:
        cells = ", ".join(
            f"{c} = nullif(trim(replace({c}, chr(0), ''), {literal(_WHITE)}), '')" for c in columns
        )
        con.execute(f"update spans set {cells} where {odd}")


def _moment(column: str) -> str:
    """SQL of a time as microseconds since 1970, of which those outside of 1900 to 2100 are none."""
    # Without an offset it is UTC.
    number = (
        f"case when ord({column}[-6]) in (43, 45) then epoch_us(try_cast({column} as timestamptz)) "
        f"else epoch_us(try_cast({column} as timestamp)) end"
    )
    return f"case when {number} > {EARLIEST} and {number} < {LATEST} then {number} end"
