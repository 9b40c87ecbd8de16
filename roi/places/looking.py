"""Rows that stay in their database, looked through before anything rests on them: first as they are, then by rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from roi.canonical import CANONICAL, KEYS
from roi.checks import Checked, long_medians, rules_of, used_rows, zero_cost
from roi.mapping import ColumnMap, TableSpec
from roi.places.asked import Places
from roi.places.columns import Cell, Made
from roi.places.tongues import Tongue
from roi.problems import Problem
from roi.readers.database import There
from roi.readers.totals import TOTAL
from roi.sample_tables import ReadTable

__all__ = ["LEAVE", "check", "look"]

LEAVE = "or leave run.engine away, and the rows are read"


def look(
    there: There,
    maps: Sequence[ColumnMap],
    made: Sequence[Made],
    at: Mapping[str, Cell],
    cells: str,
    empty: str,
    tongue: Tongue,
    spec: TableSpec,
) -> tuple[int, list[Problem]]:
    """One pass over the cells as they are: what is no value, sums up other rows or stands twice.

    Args:
        there: The source.
        maps: Its columns.
        made: They as SQL.
        at: Their column → its cell.
        cells: SELECT of the cells, with what is worked out once for a row.
        empty: SQL that is true of a row without any cell.
        tongue: The language.
        spec: What was asked for.

    Returns:
        Rows, and what must be mended.
    """
    columns = CANONICAL[spec.table]
    key = next(m for m in maps if m.name == KEYS[spec.table])
    parts = [at[source] for source in key.sources]
    texts = [cell.value if cell.shape == "text" else tongue.text(cell.value) for cell in parts]
    keyed = f"not ({empty}) and coalesce({', '.join(texts) or tongue.string('-')}) is not null"
    others = [cell.value for name, cell in at.items() if cell.shape == "text" and name not in key.sources]
    total = " and ".join(tongue.matches(tongue.small(text), f"^{TOTAL}$") for text in texts) or "false"
    lone = " or ".join(f"coalesce({tongue.matches(tongue.small(x), f'^{TOTAL}$')}, false)" for x in others)
    asked = [
        "count(*)",
        f"count(*) filter (where {keyed} and {total})",
        f"count(*) filter (where case when not ({keyed}) then {lone or 'false'} else false end)",
    ]
    checks = [
        (m, what, sql) for m in made for what, sql in (("unread", m.unread), ("strange", m.strange)) if sql
    ]
    asked += [f"count(*) filter (where {sql})" for _, _, sql in checks]
    counts = [int(x or 0) for x in there.ask(f"select {', '.join(asked)} from ({cells}) as cells_")[1][0]]
    problems = []
    label = there.label
    if counts[0] == 0:
        problems.append(Problem(label, "", "holds no data rows"))
    sums = counts[1] + counts[2]
    if sums:
        message = (
            f"{_rows(sums)} that sum up others (Total, say); leave them out in the source's sql, {LEAVE}"
        )
        problems.append(Problem(label, key.name, message))
    problems += _twice(there, made, texts, f"({cells}) as cells_ where {keyed}", spec)
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


def _twice(
    there: There, made: Sequence[Made], key: Sequence[str], rows: str, spec: TableSpec
) -> list[Problem]:
    """What is said of a case that stands twice in an arm, and of an action of which one row is like another."""

    def beyond(values: Sequence[str]) -> int:
        names = ", ".join(f"k{i}" for i in range(len(values)))
        once = f"select {', '.join(values)} from {rows}"
        each = f"select distinct * from ({once}) as once_({names})"
        copies = f"select count(*) - (select count(*) from ({each}) as each_) from ({once}) as all_"
        return int(there.ask(copies)[1][0][0])

    values = {m.name: m.value for m in made}
    if spec.table == "cases":
        identity = [values[name] for name in values if name in ("arm", "setting", "version")]
        n, same = beyond([*key, *identity] or ["1"]), "repeats the case of another row of their arm"
        mend = "one row is one case: keep the newest in the source's sql (select distinct drops exact copies)"
    else:  # a further attempt may go by the number of the first
        n, same = beyond(key or ["1"]) and beyond(list(values.values())), "repeats another row in every cell"
        mend = "leave them out in the source's sql (select distinct)"
    if not n:
        return []
    many = f"{n:,} row {same}" if n == 1 else f"{n:,} rows {same.replace('repeats', 'repeat', 1)}"
    return [Problem(there.label, KEYS[spec.table], f"{many}; {mend}, {LEAVE}")]


def _rows(n: int) -> str:
    return f"holds {n:,} {'row' if n == 1 else 'rows'}"


def _values(n: int) -> str:
    return f"{n:,} {'value' if n == 1 else 'values'}"


def check(con: Places, read: ReadTable) -> Checked:
    """Hold the rows against the rules, as `roi.checks.check_table`, in one further pass."""
    used, key = used_rows(read), read.key
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
    counts = [int(x or 0) for x in con.execute(f"select {', '.join(parts)} from {read.name}").fetchall()[0]]
    n_used, n_empty, keyless, zero_costs = counts[:4]
    problems = [
        Problem(read.rows.label, rule.column, f"{_values(n)} {rule.text}")
        for rule, n in zip(rules, counts[4:], strict=True)
        if n
    ]
    if n_used == 0:
        rows = "1 row was" if read.total == 1 else f"{read.total:,} rows were"
        what = "a case" if read.spec.table == "cases" else "anything"
        problems.append(Problem(read.rows.label, "", f"no row holds {what} ({rows} looked at)"))
    medians: list[tuple[str, float | None]] = []
    if timed and n_used:
        listed = ", ".join(f"quantile_disc({name}, 0.5) filter ({used})" for name in timed)
        found = con.execute(f"select {listed} from {read.name}").fetchall()[0]
        medians = [(name, None if x is None else float(x)) for name, x in zip(timed, found, strict=True)]
    more, warnings = long_medians(read.rows.label, medians)
    return Checked((*problems, *more), tuple(warnings), n_used, n_empty, keyless, 0, zero_costs)
