"""JSON Lines: one object a line; fields of nested objects are named with dots (`metadata.ticket`)."""

from __future__ import annotations

from collections.abc import Sequence

from roi.problems import Problem
from roi.readers.base import Connection, Rows, UnreadableError, literal, quoted
from roi.readers.files import Found, look_through
from roi.readers.held import Sheet, hold

__all__ = ["read_json_lines"]


def read_json_lines(con: Connection, files: Sequence[Found], *, wanted: Sequence[str], table: str) -> Rows:
    """Read JSON Lines files, united by field name.

    Args:
        con: The engine.
        files: At least one.
        wanted: Their field names that the mapping uses; dotted ones are looked up within objects.
        table: A name for what the engine has to hold.

    Raises:
        UnreadableError: If a line is no JSON object.
    """
    import duckdb

    problems: list[Problem] = []
    fingerprints: dict[str, str] = {}
    sources: list[str] = []
    for i, found in enumerate(files):
        seen = look_through(found)
        fingerprints[found.name] = seen.sha256
        if seen.size == 0:
            problems.append(Problem(found.name, "", "is empty"))
        elif seen.encoding is None or seen.encoding == "cp1252":
            problems.append(Problem(found.name, "", "is not UTF-8 text; JSON Lines are written in UTF-8"))
        elif seen.encoding == "utf-8":
            # `auto` also reads one array of objects, which is what some exports of this ending are.
            way = "auto" if ".json" in [s.lower() for s in found.path.suffixes] else "newline_delimited"
            sources.append(
                f"select json as j, {literal(found.path.name)} as f "
                f"from read_json_objects([{literal(str(found.path))}], "
                f"format='{way}', ignore_errors={'false' if way == 'auto' else 'true'}, maximum_object_size=1000000)"
            )
        else:
            sources.append(_decoded(con, found, seen.encoding, f"{table}_{i}"))
    if problems:
        raise UnreadableError(problems)
    every = " union all ".join(sources)
    try:
        bad, first, total = con.execute(
            "select count(*) filter (not ok), min(n) filter (not ok), count(*) from (select row_number() over () as n, "
            f"coalesce(json_type(j), '') = 'OBJECT' as ok from ({every}))"
        ).fetchall()[0]
        names = con.execute(
            f"select k, min(n) from (select unnest(json_keys(j)) as k, row_number() over () as n from ({every}) "
            "where json_type(j) = 'OBJECT') group by k order by 2, 1"
        ).fetchall()
    except duckdb.Error:
        message = "holds text that is no JSON, or an object longer than 1 MB"
        raise UnreadableError([Problem(files[0].name, "", message)]) from None
    label = files[0].name
    if total == 0:
        raise UnreadableError([Problem(label, "", "holds no rows")])
    if bad:
        raise UnreadableError(
            [Problem(label, f"row {first}", f"is no JSON object ({bad:,} such rows); write one {{…}} a line")]
        )
    top = [str(name) for name, _ in names]
    dotted = [w for w in wanted if w not in top and "." in w and w.split(".")[0] in top]

    def select(needed: Sequence[str]) -> str:
        outputs = [
            f"f as {quoted(name)}"
            if name == "_file" and name not in top
            else f"{_text(name, top)} as {quoted(name)}"
            for name in needed
        ]
        return f"select {', '.join(outputs)} from ({every})"

    return Rows(label=label, columns=(*top, *dotted), select=select, fingerprints=fingerprints)


def _text(name: str, top: Sequence[str]) -> str:
    steps = [name] if name in top else name.split(".")
    path = "$" + "".join('."' + s.replace("\\", "\\\\").replace('"', '\\"') + '"' for s in steps)
    return f"json_extract_string(j, {literal(path)})"


def _decoded(con: Connection, found: Found, encoding: str, table: str) -> str:
    text = found.path.read_bytes() if found.path.suffix.lower() != ".gz" else _unzipped(found)
    lines = [line for line in text.decode(encoding, errors="replace").splitlines() if line.strip()]
    held: Sheet = hold(con, table, ("line",), [[line] for line in lines], file=found.path.name)
    return f"select case when json_valid(c0) then c0::json end as j, {literal(found.path.name)} as f from {held.table}"


def _unzipped(found: Found) -> bytes:
    from roi.readers.files import open_bytes

    with open_bytes(found.path) as stream:
        return stream.read()
