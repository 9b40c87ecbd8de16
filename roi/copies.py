"""Rows that stand twice: exact copies are left out, and a case that stands twice with other values is a problem."""

from __future__ import annotations

from dataclasses import dataclass

from roi.problems import Problem
from roi.readers.base import Connection, named_row, quoted
from roi.sample_tables import ReadTable

__all__ = ["COPY", "Kept", "leave_copies"]

COPY = "exact copy of another row"
"""Why a copy is left out."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What remains of a table.

    Attributes:
        keep: SQL that is true of the rows that may be used.
        copies: SQL that is true of the copies, which are left out.
        problems: Cases that stand twice with other values.
    """

    keep: str
    copies: str
    problems: tuple[Problem, ...] = ()


def leave_copies(con: Connection, read: ReadTable, keep: str) -> Kept:
    """Leave out exact copies of earlier rows, whose numbers the engine keeps in a table `d_` and the table's name.

    Args:
        con: The engine.
        read: The table.
        keep: SQL that is true of the rows that may be used so far.
    """
    names = ", ".join(quoted(c) for c in read.columns)
    drop = f"d_{read.spec.table}"
    con.execute(
        f"create or replace table {drop} as select r from (select rowid as r, "
        f"row_number() over (partition by {names} order by rowid) as n from {read.name} where {keep}) where n > 1"
    )
    copies = f"rowid in (select r from {drop})"
    found = Kept(f"{keep} and not {copies}", f"{keep} and {copies}")
    if read.spec.table != "cases":
        return found
    listed = ", ".join(c for c in ("case_id", "arm", "setting", "version") if c in read.columns)
    n, first, before = con.execute(
        f"select count(*), min(r), min_by(before, r) from (select rowid as r, "
        f"row_number() over (partition by {listed} order by rowid) as n, "
        f"first_value(rowid) over (partition by {listed} order by rowid) as before "
        f"from {read.name} where {found.keep}) where n > 1"
    ).fetchall()[0]
    if not n:
        return found
    repeat = "row repeats" if n == 1 else "rows repeat"
    label, place = named_row(con, read.rows, first)  # the newer file is the one to mend
    place += f", {named_row(con, read.rows, before)[1]} before it" if read.rows.parts else ""
    message = (
        f"{n:,} {repeat} the case of an earlier row of their arm with other values (first: {place}); "
        "one row is one case: give the newest export alone or keep the newest row with query:, or name the key"
    )
    return Kept(found.keep, found.copies, (Problem(label, "case_id", message),))
