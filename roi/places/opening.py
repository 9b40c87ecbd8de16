"""Cases that stay in their database: their columns are mapped there, and looked through before anything rests on them.

What reading row by row would settle by looking at texts (marks of decimals, orders of dates, dressed numbers) is not
settled here: a cell that is no plain value of its column is a problem, and so is whatever else cannot be known to come
out the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roi.canonical import CANONICAL
from roi.checks import Checked, key_of, long_medians, rules_of, used_rows, zero_cost
from roi.mapping import ColumnMap, TableSpec, resolve, sources_of, to_spec
from roi.parameters import LoadedParameters
from roi.places.asked import READ, Places
from roi.places.columns import Cell, Made, UnsupportedError, cells_sql, make
from roi.places.tongues import Tongue, tongue_of
from roi.problems import Problem, SampleError
from roi.readers.base import Rows, Shape, UnreadableError
from roi.readers.database import There, ask_there
from roi.readers.totals import TOTAL
from roi.sample_tables import ReadTable, Surroundings
from roi.typed import Flag

if TYPE_CHECKING:
    from roi.privacy import Keys

__all__ = ["Away", "apart_words", "cases_away", "open_away"]

LEAVE = "or leave run.engine away, and the rows are read"


@dataclass(frozen=True, slots=True)
class Away:
    """The cases, opened where they are.

    Attributes:
        con: What answers for them and for the local engine.
        read: Their canonical columns, as of a table that was read.
        checked: What was found in them.
    """

    con: Places
    read: ReadTable
    checked: Checked


def cases_away(loaded: LoadedParameters, around: Surroundings, keys: Keys) -> Away | None:
    """The cases where they are, if they are to be reduced there; None if they are read.

    Args:
        loaded: The checked parameters, whose `run.engine` says so.
        around: The local engine and where things are.
        keys: Of pseudonyms.

    Raises:
        SampleError: With everything that keeps them from being reduced there.
    """
    if loaded.parameters.run.engine != "source":
        return None
    given = loaded.parameters.samples.cases
    if given is None:
        message = "source is for samples.cases in a database, and there are none; leave it away"
        raise SampleError([Problem(loaded.name, "run.engine", message)])
    try:
        return open_away(to_spec("cases", given, "samples.cases"), around, keys)
    except UnreadableError as error:
        raise SampleError(error.problems) from None


def open_away(spec: TableSpec, around: Surroundings, keys: Keys) -> Away:
    """Open the cases where they are, and look them through.

    Args:
        spec: The table `cases` as its parameters describe it.
        around: The local engine and where things are.
        keys: Of pseudonyms.

    Raises:
        UnreadableError: With everything that keeps them from being reduced there.
    """
    source = spec.source
    problems = [Problem(around.file, place, message) for place, message in _not_there(spec)]
    if problems or source.connect is None:
        raise UnreadableError(problems)
    there = ask_there(
        connect=source.connect,
        table_name=source.table,
        sql=source.sql,
        project=around.project,
        folder=around.folder,
        file=around.file,
        place=f"{spec.place}.source",
        timeout=source.timeout,
    )
    tongue = None if there is None else tongue_of(there.session.dialect)
    if there is None or tongue is None:
        message = f"{source.connect} is of a kind whose rows can only be read; leave run.engine away"
        raise UnreadableError([Problem(around.file, "run.engine", message)])
    try:
        return _opened(spec, around, keys, there, tongue)
    except BaseException:
        there.session.close()
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


def _opened(spec: TableSpec, around: Surroundings, keys: Keys, there: There, tongue: Tongue) -> Away:
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
            made.append(make(m, at, tongue, timezone=spec.timezone or around.timezone))
        except UnsupportedError as error:
            problems.append(Problem(there.label, m.name, f"{error}, {LEAVE}"))
    try:
        places = [columns.index(name) for name in sources]
        cells = cells_sql(there.session.rows, shapes, places, spec.missing, tongue)
    except UnsupportedError as error:
        problems.append(Problem(around.file, f"{spec.place}.missing", f"{error}, {LEAVE}"))
    if problems:
        raise UnreadableError(problems)
    there.session.keep(keys.by_domain)
    every = [cell.value for cell in at.values()]
    empty = f"coalesce({', '.join(f'case when {x} is not null then 1 end' for x in every)}) is null"
    listed = ", ".join(f"{made_.value} as {made_.name}" for made_ in made)
    flag = tongue.cast(f"case when {empty} then 1 else 0 end", "bigint")
    null = tongue.cast("null", "bigint")
    before = ", ".join(f"{m.before} as b_{m.name}" for m in made)
    cells = f"select cells_.*, {before} from ({cells}) as cells_"
    view = f"select {listed}, {flag} as flags_, {null} as rowid from ({cells}) as held_"
    total, problems = _look(there, maps, made, at, cells, empty, tongue, spec)
    if problems:
        raise UnreadableError(problems)
    con = Places(around.con, there, view)
    read = ReadTable(
        spec=spec,
        name=READ,
        maps=tuple(maps),
        columns={m.name: CANONICAL["cases"][m.name] for m in maps},
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
    return Away(con, read, _check(con, read))


def _look(
    there: There,
    maps: Sequence[ColumnMap],
    made: Sequence[Made],
    at: dict[str, Cell],
    cells: str,
    empty: str,
    tongue: Tongue,
    spec: TableSpec,
) -> tuple[int, list[Problem]]:
    """One pass over the cells as they are: what is no value, sums up other rows or names a case twice."""
    columns = CANONICAL["cases"]
    key = next(m for m in maps if m.name == "case_id")
    parts = [at[source] for source in key.sources]
    texts = [cell.value if cell.shape == "text" else tongue.text(cell.value) for cell in parts]
    keyed = f"not ({empty}) and coalesce({', '.join(texts) or tongue.string('-')}) is not null"
    identity = [m.name for m in maps if m.name in ("arm", "setting", "version")]
    values = {m.name: m.value for m in made}
    same = ", ".join([*texts, *(values[name] for name in identity)]) or "1"
    others = [cell.value for name, cell in at.items() if cell.shape == "text" and name not in key.sources]
    total = " and ".join(tongue.matches(tongue.small(text), f"^{TOTAL}$") for text in texts) or "false"
    lone = " or ".join(f"coalesce({tongue.matches(tongue.small(x), f'^{TOTAL}$')}, false)" for x in others)
    asked = [
        "count(*)",
        f"count(*) filter (where {keyed} and {total})",
        f"count(*) filter (where case when not ({keyed}) then {lone or 'false'} else false end)",
    ]
    once = f"select {same} from ({cells}) as cells_ where {keyed}"
    names = [f"k{i}" for i in range(len(texts) + len(identity))] or ["k0"]
    each = f"select distinct * from ({once}) as once_({', '.join(names)})"
    copies = f"select count(*) - (select count(*) from ({each}) as each_) from ({once}) as all_"
    checks = [
        (m, what, sql) for m in made for what, sql in (("unread", m.unread), ("strange", m.strange)) if sql
    ]
    asked += [f"count(*) filter (where {sql})" for _, _, sql in checks]
    counts = [int(x or 0) for x in there.ask(f"select {', '.join(asked)} from ({cells}) as cells_")[1][0]]
    doubled = int(there.ask(copies)[1][0][0])
    problems = []
    label = there.label
    if counts[0] == 0:
        problems.append(Problem(label, "", "holds no data rows"))
    sums = counts[1] + counts[2]
    if sums:
        message = (
            f"{_rows(sums)} that sum up others (Total, say); leave them out in the source's sql, {LEAVE}"
        )
        problems.append(Problem(label, "case_id", message))
    if doubled:
        message = (
            f"{doubled:,} {'row repeats' if doubled == 1 else 'rows repeat'} the case of another row of their arm; "
            f"one row is one case: keep the newest in the source's sql (select distinct drops exact copies), {LEAVE}"
        )
        problems.append(Problem(label, "case_id", message))
    for (m, what, _), n in zip(checks, counts[3:], strict=True):
        if n and what == "strange":
            mend = f"give a number in place of the name, {LEAVE}"
            message = f"{_values(n)} of signs that databases do not fold alike; {mend}"
            problems.append(Problem(label, m.name, message))
        elif n:
            choices = columns[m.name].choices
            mend = (
                f"map them under {spec.place}.columns.{m.name}.values"
                if choices
                else "mend them in the source's sql"
            )
            wanted = f"none of {', '.join(choices)}" if choices else "no plain value of this column"
            problems.append(
                Problem(label, m.name, f"{_values(n)} {'is' if n == 1 else 'are'} {wanted}; {mend}, {LEAVE}")
            )
    return counts[0], problems


def _rows(n: int) -> str:
    return f"holds {n:,} {'row' if n == 1 else 'rows'}"


def _values(n: int) -> str:
    return f"{n:,} {'value' if n == 1 else 'values'}"


def _check(con: Places, read: ReadTable) -> Checked:
    """Hold the rows against the rules, as `roi.checks.check_table`, in one further pass."""
    used, key = used_rows(read), key_of(read)
    rules = rules_of(read)
    empty = read.bit("empty")
    timed = [c.name for c in read.columns.values() if c.kind == "minutes"]
    parts = [
        f"count(*) filter ({used})",
        f"count(*) filter ((flags_ & {empty}) <> 0)",
        f"count(*) filter ((flags_ & {empty}) = 0 and {key} is null)",
        f"count(*) filter ({used} and {zero_cost(read)})",
        *(f"count(*) filter ({used} and ({rule.broken}))" for rule in rules),
    ]
    counts = [int(x or 0) for x in con.execute(f"select {', '.join(parts)} from {READ}").fetchall()[0]]
    n_used, n_empty, keyless, zero_costs = counts[:4]
    problems = [
        Problem(read.rows.label, rule.column, f"{_values(n)} {rule.text}")
        for rule, n in zip(rules, counts[4:], strict=True)
        if n
    ]
    if n_used == 0:
        rows = "1 row was" if read.total == 1 else f"{read.total:,} rows were"
        problems.append(Problem(read.rows.label, "", f"no row holds a case ({rows} looked at)"))
    medians: list[tuple[str, float | None]] = []
    if timed and n_used:
        listed = ", ".join(f"quantile_disc({name}, 0.5) filter ({used})" for name in timed)
        found = con.execute(f"select {listed} from {READ}").fetchall()[0]
        medians = [(name, None if x is None else float(x)) for name, x in zip(timed, found, strict=True)]
    more, warnings = long_medians(read.rows.label, medians)
    return Checked((*problems, *more), tuple(warnings), n_used, n_empty, keyless, 0, zero_costs)
