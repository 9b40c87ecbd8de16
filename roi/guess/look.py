"""A look at the files: which columns they have, and what stands in them, through the readers that samples use."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from roi.casts import clean
from roi.guess.names import Name, read_name
from roi.guess.values import MISSING_MARKS, kind_of
from roi.importers import open_export
from roi.problems import Problem, SampleError
from roi.readers import Source, open_source
from roi.readers.base import Connection, Rows, UnreadableError, literal, quoted

__all__ = ["Column", "Table", "look_at"]

_MOST_VALUES = 2_000
_HEADER_WITHIN = 12


@dataclass(frozen=True)
class Column:
    """One of their columns.

    Attributes:
        name: What the name says.
        at: Its column in the engine's table.
        rows: Rows of the table.
        blank: Rows without a value; marks such as `n/a` count as blank.
        distinct: Different values.
        values: Value → rows, the most frequent first; at most 2,000 of them.
        examples: The first values that occur.
        marks: The marks for missing values that occur.
    """

    name: Name
    at: str
    rows: int
    blank: int
    distinct: int
    values: dict[str, int]
    examples: tuple[str, ...]
    marks: tuple[str, ...] = ()

    @cached_property
    def kind(self) -> str:
        """number, duration, time, mail, text or empty; what nearly all values are."""
        if not self.values:
            return "empty"
        kinds: dict[str, int] = {}
        for value, n in self.values.items():
            kind = kind_of(value)
            kinds[kind] = kinds.get(kind, 0) + n
        best = max(kinds, key=lambda kind: (kinds[kind], kind))
        return best if kinds[best] >= 0.98 * sum(kinds.values()) else "text"

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """Its numbers in ascending order, each as often as it occurs, a decimal comma read as one."""
        found: list[float] = []
        for value, n in self.values.items():
            if kind_of(value) == "number":
                plain = value.replace("\u00a0", "").replace("\u202f", "").replace(" ", "").replace("'", "")
                if "," in plain:
                    plain = (
                        plain.replace(".", "").replace(",", ".")
                        if plain.rfind(",") > plain.rfind(".")
                        else plain.replace(",", "")
                    )
                try:
                    found += [float(plain)] * min(n, 50)
                except ValueError:
                    continue
        return tuple(sorted(found))

    @property
    def filled(self) -> int:
        """Rows with a value."""
        return self.rows - self.blank


@dataclass(frozen=True)
class Table:
    """What lies in the files of one export.

    Attributes:
        source: How the parameter file names it: a path, a list, or a group of keys.
        label: Its name in messages.
        con: The engine.
        name: Its name there.
        columns: Its columns in order.
        rows: Data rows.
        warnings: What the readers say.
    """

    source: Source
    label: str
    con: Connection
    name: str
    columns: tuple[Column, ...]
    rows: int
    warnings: tuple[str, ...] = field(default=())

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Their columns by name."""
        return {c.name.text: c for c in self.columns}

    @cached_property
    def different(self) -> int:
        """Rows that differ from each other in some cell."""
        return self.count(f"select count(*) from (select distinct * from {self.name})")

    def count(self, sql: str) -> int:
        """The single number that a query yields."""
        return int(self.con.execute(sql).fetchall()[0][0])

    def keys(self, columns: Sequence[Column], *more: Column) -> int:
        """Different combinations of columns among rows that have them all."""
        listed = ", ".join(c.at for c in (*columns, *more))
        there = " and ".join(f"{c.at} is not null" for c in columns)
        return self.count(f"select count(*) from (select distinct {listed} from {self.name} where {there})")

    def cross(self, column: Column, other: Column) -> dict[str | None, tuple[int, int]]:
        """Value of a column → (its rows, those of them in which the other column holds something)."""
        rows = self.con.execute(
            f"select {column.at}, count(*), count({other.at}) from {self.name} group by 1 order by 1"
        ).fetchall()
        return {value: (int(n), int(filled)) for value, n, filled in rows}


def look_at(con: Connection, given: Sequence[str], *, project: Path, name: str, option: str) -> Table:
    """Read files and look at their columns.

    Args:
        con: The engine.
        given: Paths or globs as the user typed them, relative to the working directory.
        project: The project folder, to which the parameter file's paths are relative.
        name: A plain name for the engine's table.
        option: The command's option, for messages.

    Raises:
        SampleError: If they cannot be read as a table with column names.
    """
    files = tuple(_relative(path, project) for path in given)

    def opened(header_row: int | None, wanted: Sequence[str] = ()) -> Rows:
        source = Source(files=files, header_row=header_row)
        traces = open_export(
            con,
            source,
            format=None,
            table="cases",
            name=f"source_{name}",
            project=project,
            folder=Path.cwd(),
            file=option,
            place="",
        )
        return traces or open_source(
            con,
            source,
            wanted=wanted,
            project=project,
            folder=Path.cwd(),
            name=f"source_{name}",
            file=option,
            place="",
        )

    rows, header_row = _with_header(opened)
    taken = _take(con, rows, name)
    nested = [c for c in taken[0] if c.values and all(v.startswith("{") for v in list(c.values)[:50])]
    if nested:
        wanted = [f"{c.name.text}.{key}" for c in nested for key in _fields(con, name, c)]
        rows = opened(header_row, wanted)
        taken = _take(con, rows, name)
    if not taken[1]:
        raise SampleError([Problem(rows.label, "", "holds no data rows")])
    source = Source(files=files, header_row=header_row)
    return Table(source, ", ".join(files), con, name, taken[0], taken[1], tuple(rows.warnings))


def _relative(path: str, project: Path) -> str:
    """A path as the parameter file names it: relative to the project folder, with forward slashes."""
    return Path(os.path.relpath(Path(path).absolute(), project)).as_posix()


def _with_header(opened: Callable[[int | None], Rows]) -> tuple[Rows, int | None]:
    """The rows, and where the names stand if that is not where a reader finds them by itself."""
    problems: Sequence[Problem] = ()
    first: Rows | None = None
    try:
        first = opened(None)
        if _header_score(first.columns) >= 2:
            return first, None
    except UnreadableError as error:
        problems = error.problems
        if any(
            "does not exist" in p.message or "no file" in p.message or "of no kind" in p.message
            for p in problems
        ):
            # Whoever named the file on the command line knows of no key of a parameter file.
            raise SampleError([replace(p, place=p.place.removesuffix(".source")) for p in problems]) from None
    best: tuple[float, int, Rows] | None = None
    for row in range(1, _HEADER_WITHIN + 1):
        try:
            rows = opened(row)
        except UnreadableError:
            continue
        score = _header_score(rows.columns)
        if best is None or score > best[0]:
            best = (score, row, rows)
        if best[0] >= 3 and row > best[1]:
            break  # a title has fewer cells than the names below it, and the rows below those hold data
    if best is not None and best[0] >= 2 and (first is None or best[0] > _header_score(first.columns)):
        return opened(best[1]), best[1]
    if first is not None and first.columns:
        return first, None
    raise SampleError(problems or [Problem("", "", "has no row of column names in its first rows")])


def _header_score(names: Sequence[str]) -> float:
    """How many of these are names of columns; cells of data (numbers, dates, addresses) count against it."""
    named = [n for n in dict.fromkeys(names) if n.strip()]
    return sum(1.0 if kind_of(n) == "text" and len(n) <= 80 else -2.0 for n in named)


def _take(con: Connection, rows: Rows, name: str) -> tuple[tuple[Column, ...], int]:
    import duckdb

    names = [n for n in rows.columns if n != "_file"]
    cells = ", ".join(f"{clean(quoted(n), ())} as c{i}" for i, n in enumerate(names))
    try:
        con.execute(f"create or replace table {name} as select {cells} from ({rows.select(names)})")
    except duckdb.Error as error:
        message = f"cannot be read to its end ({type(error).__name__}); export it anew"
        raise SampleError([Problem(rows.label, "", message)]) from None
    if rejected := rows.check():
        raise SampleError(rejected)
    if names:  # a row without anything is no case of which something is missing
        con.execute(
            f"delete from {name} where coalesce({', '.join(f'c{i}' for i in range(len(names)))}) is null"
        )
    total = int(con.execute(f"select count(*) from {name}").fetchall()[0][0])
    marks = ", ".join(literal(m) for m in sorted(MISSING_MARKS))
    columns = []
    for i, text in enumerate(names):
        found = con.execute(f"select distinct c{i} from {name} where c{i} in ({marks}) order by 1").fetchall()
        if found:
            con.execute(f"update {name} set c{i} = null where c{i} in ({marks})")
        counts = con.execute(
            f"select c{i}, count(*), min(rowid) from {name} where c{i} is not null group by 1 "
            f"order by 2 desc, 1 limit {_MOST_VALUES}"
        ).fetchall()
        distinct, filled = con.execute(f"select count(distinct c{i}), count(c{i}) from {name}").fetchall()[0]
        first = sorted(counts, key=lambda row: row[2])[:3]
        columns.append(
            Column(
                name=read_name(text),
                at=f"c{i}",
                rows=total,
                blank=total - int(filled),
                distinct=int(distinct),
                values={str(v): int(n) for v, n, _ in counts},
                examples=tuple(str(v) for v, _, _ in first),
                marks=tuple(str(m) for (m,) in found),
            )
        )
    return tuple(columns), total


def _fields(con: Connection, name: str, column: Column) -> list[str]:
    keys = con.execute(
        f"select k, min(r) from (select unnest(json_keys({column.at})) as k, rowid as r from {name} "
        f"where json_valid({column.at})) group by 1 order by 2, 1 limit 40"
    ).fetchall()
    return [str(k) for k, _ in keys]
