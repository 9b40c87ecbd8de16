"""Tables that stay in their database: their columns are mapped there, and looked through before anything rests on them.

The cases may stay, and with them the log of actions of the same database. What reading row by row would settle by
looking at texts (marks of decimals, orders of dates, dressed numbers) is not settled here: a cell that is no plain
value of its column is a problem, and so is whatever else cannot be known to come out the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from roi.canonical import CANONICAL
from roi.checks import Checked
from roi.mapping import TableSpec, resolve, sources_of
from roi.places.asked import Places
from roi.places.columns import Cell, Made, UnsupportedError, cells_sql, make
from roi.places.looking import LEAVE, check, look
from roi.places.tongues import Tongue, tongue_of
from roi.privacy import ALIKE
from roi.problems import Problem, SampleError
from roi.readers.base import Rows, Shape, UnreadableError
from roi.readers.database import There, ask_there
from roi.sample_tables import ReadTable, Surroundings
from roi.typed import Flag

if TYPE_CHECKING:
    from roi.parameters import LoadedParameters
    from roi.privacy import Keys

__all__ = ["Away", "apart_words", "open_away", "tables_away"]


@dataclass(frozen=True, slots=True)
class Away:
    """Tables, opened where they are.

    Attributes:
        con: What answers for them and for the local engine.
        reads: By name their canonical columns, as of a table that was read.
        checked: By name what was found in them.
    """

    con: Places
    reads: Mapping[str, ReadTable]
    checked: Mapping[str, Checked]


def tables_away(
    loaded: LoadedParameters, specs: Mapping[str, TableSpec], around: Surroundings, keys: Keys
) -> Away | None:
    """The tables that are to be reduced where they are, as `run.engine` says; None if all are read.

    Args:
        loaded: The checked parameters.
        specs: All tables of samples as their parameters describe them.
        around: The local engine and where things are.
        keys: Of pseudonyms.

    Raises:
        SampleError: With everything that keeps them from being reduced there.
    """
    if loaded.parameters.run.engine != "source":
        return None
    if "cases" not in specs:
        message = "source is for samples.cases in a database, and there are none; leave it away"
        raise SampleError([Problem(loaded.name, "run.engine", message)])
    where = specs["cases"].source.connect
    staying = [name for name in ("cases", "actions") if name in specs and specs[name].source.connect == where]
    try:
        return open_away([specs[name] for name in staying], around, keys)
    except UnreadableError as error:
        raise SampleError(error.problems) from None


def open_away(specs: Collection[TableSpec], around: Surroundings, keys: Keys) -> Away:
    """Open tables of one database where they are, and look them through.

    Args:
        specs: The tables as their parameters describe them; the cases come first.
        around: The local engine and where things are.
        keys: Of pseudonyms.

    Raises:
        UnreadableError: With everything that keeps them from being reduced there.
    """
    problems = [Problem(around.file, place, message) for spec in specs for place, message in _not_there(spec)]
    if problems:
        raise UnreadableError(problems)
    first: There | None = None
    try:
        opened: list[_Opened] = []
        for spec in specs:
            there = _ask(spec, around, first)
            if first is None:
                first = there
                there.session.keep(keys.by_domain)
            try:
                opened.append(_opened(spec, around, there))
            except UnreadableError as error:
                problems += error.problems
        if problems or first is None:
            raise UnreadableError(problems)
        con = Places(around.con, first, {one.read.name: one.view for one in opened})
        reads = {one.read.spec.table: one.read for one in opened}
        checked = {name: check(con, read) for name, read in reads.items()}
        # Where each row holds something and has a key, no later question has to ask for it.
        reads = {name: replace(read, plain=checked[name].used == read.total) for name, read in reads.items()}
        return Away(con, reads, checked)
    except BaseException:
        if first is not None:
            first.session.close()
        raise


def apart_words(tables: Collection[str]) -> list[str]:
    """What to know of cases that stay where they are: a sentence for each table that is not joined with them."""
    known = {
        "actions": "which failures, missing approvals and repairs belong to which case is not known, nor what a "
        "person's approval of each kind of action would change",
        "inputs": "the defects of a case's inputs are known only where the cases state them (input_defects)",
    }
    return [
        f"The cases were reduced in their database (run.engine: source), and {name} are read here, so that the two are "
        f"not joined: {what}. Leave run.engine away to have them joined"
        for name, what in known.items()
        if name in tables
    ]


def _not_there(spec: TableSpec) -> list[tuple[str, str]]:
    """What of a table's description is done here and nowhere else."""
    found = []
    if spec.source.connect is None:
        found.append(
            (
                "run.engine",
                f"source is for cases in a database, and {spec.place}.source is a file; leave it away",
            )
        )
    said = {
        "query": (spec.query, "is run here; write it as the source's sql"),
        "format": (spec.format, "reads an export, which is done here"),
        "join": (spec.joins, "joins other exports, which is done here; join them in the source's sql"),
    }
    found += [(f"{spec.place}.{key}", f"{why}, {LEAVE}") for key, (given, why) in said.items() if given]
    return found


def _ask(spec: TableSpec, around: Surroundings, beside: There | None) -> There:
    source = spec.source
    assert source.connect is not None
    there = ask_there(
        connect=source.connect,
        table_name=source.table,
        sql=source.sql,
        project=around.project,
        folder=around.folder,
        file=around.file,
        place=f"{spec.place}.source",
        timeout=source.timeout,
        beside=beside,
    )
    if there is not None and tongue_of(there.session.dialect) is not None:
        return there
    if there is not None:
        there.session.close()
    message = f"{source.connect} is of a kind whose rows can only be read; leave run.engine away"
    raise UnreadableError([Problem(around.file, "run.engine", message)])


@dataclass(frozen=True, slots=True)
class _Opened:
    """A table where it is: its canonical columns as a SELECT, and what is known of it."""

    view: str
    read: ReadTable


def _opened(spec: TableSpec, around: Surroundings, there: There) -> _Opened:
    tongue = tongue_of(there.session.dialect)
    assert tongue is not None
    columns = there.session.columns
    maps, problems = resolve(spec, columns, file=around.file, label=there.label)
    if {"model", "input_tokens", "output_tokens"} <= {m.name for m in maps}:
        message = (
            f"tokens are priced row by row, which is done here; give agent_cost in the source's sql, {LEAVE}"
        )
        problems.append(Problem(around.file, f"{spec.place}.columns", message))
    sources = sources_of(maps)
    if not sources and not problems:
        problems.append(Problem(around.file, f"{spec.place}.columns", "maps no column of the source"))
    shapes: list[Shape] = []
    at: dict[str, Cell] = {}
    known = dict(zip(columns, there.session.shapes(), strict=True))
    for i, name in enumerate(sources):
        shape = known.get(name)
        if shape is None:
            if name in known:
                users = ", ".join(m.name for m in maps if name in m.sources)
                message = f"is of a type that is not reduced there; cast it in the source's sql, {LEAVE}"
                problems.append(Problem(there.label, users, message))
            shape = "text"
        shapes.append(shape)
        at[name] = Cell(f"x{i}", shape)
    if problems:
        raise UnreadableError(problems)
    made: list[Made] = []
    for m in maps:
        try:
            made.append(make(spec.table, m, at, tongue, timezone=spec.timezone or around.timezone))
        except UnsupportedError as error:
            problems.append(Problem(there.label, m.name, f"{error}, {LEAVE}"))
    try:
        places = [columns.index(name) for name in sources]
        cells = cells_sql(there.session.rows, shapes, places, spec.missing, tongue)
    except UnsupportedError as error:
        problems.append(Problem(around.file, f"{spec.place}.missing", f"{error}, {LEAVE}"))
    if problems:
        raise UnreadableError(problems)
    every = [cell.value for cell in at.values()]
    empty = f"coalesce({', '.join(f'case when {x} is not null then 1 end' for x in every)}) is null"
    before = ", ".join(f"{m.before} as b_{m.name}" for m in made)
    cells = f"select cells_.*, {before} from ({cells}{tongue.once}) as cells_{tongue.once}"
    total, problems = look(there, maps, made, at, cells, empty, tongue, spec)
    if problems:
        raise UnreadableError(problems)
    read = ReadTable(
        spec=spec,
        name=f"t_{spec.table}",
        maps=tuple(maps),
        columns={m.name: CANONICAL[spec.table][m.name] for m in maps},
        flags=(Flag("empty", "", ""),),
        rows=Rows(
            label=there.label,
            columns=columns,
            select=lambda needed: "",
            fingerprints={there.label: there.fingerprint},
        ),
        total=total,
        set_flags=0,
    )
    return _Opened(_view(made, cells, empty, tongue, spec.table), read)


def _view(made: list[Made], cells: str, empty: str, tongue: Tongue, table: str) -> str:
    """The canonical columns as a SELECT."""
    listed = [f"{m.value} as {m.name}" for m in made]
    if table == "actions":
        names = {m.name for m in made}
        both = {"requester", "approver"} <= names
        listed.append(f"{tongue.alike('b_requester', 'b_approver') if both else 'false'} as {ALIKE}")
    listed.append(f"{tongue.cast(f'case when {empty} then 1 else 0 end', 'bigint')} as flags_")
    listed.append(f"{tongue.cast('null', 'bigint')} as rowid")
    return f"select {', '.join(listed)} from ({cells}) as held_{tongue.once}"
