"""A look at the first rows of samples that lie in databases: which columns they have, what the mapping makes of them.

Nothing else is read: the number of rows stands in the statement that the database gets, and no fingerprint is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from roi import words
from roi.engine import start
from roi.mapping import TableSpec, sources_of, to_spec
from roi.parameters import LoadedParameters
from roi.problems import Problem, SampleError
from roi.readers import open_source
from roi.readers.base import UnreadableError
from roi.schema.samples import TableSpec as Given
from roi.schema.tables import TABLE_COLUMNS

__all__ = ["preview"]

_EXAMPLES = 3
_LONGEST = 24  # characters of a cell


def preview(loaded: LoadedParameters, rows: int) -> list[str]:
    """What the first rows of every database source say, as lines for the terminal.

    Args:
        loaded: The checked parameters.
        rows: How many rows of each are looked at.

    Raises:
        SampleError: With everything that keeps a source from being read.
    """
    lines: list[str] = []
    problems: list[Problem] = []
    con = start()
    try:
        for i, spec in enumerate(_specs(loaded)):
            if spec.source.connect is None:
                named = words.shorten(", ".join(spec.source.files), 80)
                lines.append(
                    f"{spec.place.removeprefix('samples.')}: {named} is no database; it is not looked at"
                )
                continue
            try:
                found = open_source(
                    con,
                    replace(spec.source, limit=rows),
                    wanted=(),
                    project=loaded.project,
                    folder=loaded.path.parent,
                    name=f"preview_{i}",
                    file=loaded.name,
                    place=f"{spec.place}.source",
                )
                seen = con.execute(found.select(found.columns)).fetchall()
            except UnreadableError as error:
                problems += error.problems
                continue
            many = words.plural(len(seen), "row")
            lines.append(f"{spec.place.removeprefix('samples.')}: {found.label}, the first {many}")
            lines += _columns(spec, found.columns, seen)
    finally:
        con.close()
    if problems:
        raise SampleError(problems)
    return lines


def _specs(loaded: LoadedParameters) -> Iterator[TableSpec]:
    for table in TABLE_COLUMNS:
        given = getattr(loaded.parameters.samples, table, None)
        if isinstance(given, Given):
            spec = to_spec(table, given, f"samples.{table}")
            yield spec
            yield from (join.rows for join in spec.joins)


def _columns(spec: TableSpec, names: tuple[str, ...], seen: list[tuple[object, ...]]) -> Iterator[str]:
    """A line for each of their columns, then what the mapping asks for and the source does not have."""
    used: dict[str, list[str]] = {}
    for ours, column in spec.columns.items():
        for theirs in column.sources:
            used.setdefault(theirs, []).append(ours)
    for ours in TABLE_COLUMNS[spec.table]:
        if ours not in spec.columns:
            used.setdefault(ours, []).append(ours)
    for place, name in enumerate(names):
        cells = dict.fromkeys(str(row[place]) for row in seen if row[place] not in (None, ""))
        shown = ", ".join(words.shorten(cell, _LONGEST) for cell in list(cells)[:_EXAMPLES]) or "blank"
        meant = f" → {', '.join(used[name])}" if name in used else " (not used)"
        yield f"  {words.shorten(name, 60)}{meant}: {shown}"
    lacking = [c for c in sources_of(tuple(spec.columns.values())) if c not in names]
    if lacking and spec.query is None:
        yield f"  not there: {words.shorten(', '.join(lacking), 200)}"
