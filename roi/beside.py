"""What many actions and their cases tell of each other, laid down beside both in the order of their rows.

Each action is given the number of its case's row once. From then on nothing has to be joined or grouped: a case's value
is taken from its place, and what actions tell is gathered at the places of their cases. A table that is laid so holds
nothing but that; its rows stand in the order of the table that it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from roi.moments import fetch
from roi.readers.base import quoted
from roi.relation import Relation

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["CASES", "Places", "beside", "lay_cases", "places_of", "shares"]

CASES = "words_of_cases"  # what a case's words are, by their code
AT_ONCE = 2_500_000  # rows that are joined or handed over at a time
MOST_CODES = 2**16
EXACT = 1e15  # a decimal of so many digits is told from every other as a double
SIDES = 4  # parts of a table that are put beside another at the same time
FEW = 200_000  # rows that are not worth it

Words = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the case of each action stands.

    Attributes:
        of_actions: Of each action, in the order of their rows, the row of its case; 0 where it has none.
        actions: Rows of the actions that there are, in order; None where there are all.
        cases: As `actions`, of the cases.
        most: The last row of a case.
    """

    of_actions: Words
    actions: Words | None
    cases: Words | None
    most: int


def shares(rows: int) -> list[str]:
    """Conditions on `case_id`, from where on, of as many shares of all cases as take little memory each."""
    n = max(1, -(-rows // AT_ONCE))
    edges = [k * 2**64 // n for k in range(1, n)]  # keys are as good as drawn from all numbers of 64 bits
    found = []
    for low, high in zip([None, *edges], [*edges, None], strict=True):
        inside = [f"case_id >= {low}"] * (low is not None) + [f"case_id < {high}"] * (high is not None)
        found.append(f" where {' and '.join(inside)}" if inside else "")
    return found


def places_of(samples: Samples) -> Places | None:
    """Join actions and cases once; None where they have too many rows for their numbers.

    Args:
        samples: The opened samples, whose cases go by numbers and occur once each.
    """
    actions, cases = samples.tables["actions"].sql, samples.tables["cases"].sql
    (n, last), (cases_n, most) = (
        fetch(samples, f'select count(*), coalesce(max("row"), 0) from {table}')[0]
        for table in (actions, cases)
    )
    if max(last, most) >= 2**32:
        return None
    found = np.zeros(last + 1, dtype=np.uint32)
    for share in shares(max(n, cases_n)):
        pairs = samples.con.execute(
            f'select a.r::uinteger as a, c.r::uinteger as c from (select case_id, "row" as r from {actions}{share}) a '
            f'join (select case_id, "row" as r from {cases}{share}) c on a.case_id = c.case_id'
        ).fetchnumpy()
        found[pairs["a"]] = pairs["c"]
    given, held = (
        None
        if whole
        else samples.con.execute(f'select "row"::uinteger as r from {table} order by 1').fetchnumpy()["r"]
        for table, whole in ((actions, n == last), (cases, cases_n == most))
    )
    return Places(found[1:] if given is None else found[given], given, held, most)


def beside(samples: Samples, places: Places, name: str, wanted: Sequence[str]) -> bool:
    """Lay a view of the actions with `arm_case` and some columns of their cases as `of_…`.

    Args:
        samples: The opened samples.
        places: As of `places_of`.
        name: Of the view.
        wanted: The columns of the cases.

    Returns:
        Whether it was laid: not where a column is neither of codes nor of numbers that are exact as doubles.
    """
    cases = samples.tables["cases"].sql
    types = {row[0]: str(row[1]) for row in fetch(samples, f"describe select * from {cases}")}
    words = [c for c in wanted if types[c].startswith("ENUM")]
    numbers = [c for c in wanted if types[c] == "DOUBLE" or types[c].startswith("DECIMAL")]
    if len(words) + len(numbers) < len(wanted):
        return False
    sizes = [int(fetch(samples, f"select len(enum_range(null::{types[c]}))")[0][0]) for c in words]
    code, read, radix = "(arm = 'pilot')::uinteger", [], 2
    for column, size in zip(words, sizes, strict=True):
        code += f" + {radix} * coalesce(enum_code({column})::uinteger + 1, 0)"
        read.append(f"enum_range(null::{types[column]})[code_ // {radix} % {size + 1}] as of_{column}")
        radix *= size + 1
    if radix >= MOST_CODES:
        return False
    for column in numbers:
        if types[column].startswith("DECIMAL"):
            width, scale = (int(x) for x in types[column][8:-1].split(","))
            ((largest,),) = fetch(samples, f"select max(abs({column}))::double from {cases}")
            if width > 18 or (largest or 0) * 10**scale >= EXACT:
                return False
        elif fetch(samples, f"select 1 from {cases} where isnan({column}) limit 1"):
            return False
    small = np.uint8 if radix < 2**8 else np.uint16
    kept = _by_row(samples, places, f"({code} + 1)::{_NAMES[small]}", np.zeros(places.most + 1, dtype=small))
    samples.con.execute(
        f"create or replace table {CASES} as select (code_ + 1)::{_NAMES[small]} as code_, "
        f"(code_ % 2)::tinyint as arm_case{''.join(f', {x}' for x in read)} from range({radix}) as t(code_)"
    )
    laid = [f"{name}_code"]
    _put(samples, laid[0], "code_", _parts(places.of_actions, kept))
    for column in numbers:
        empty = np.full(places.most + 1, np.nan)
        kept = _by_row(samples, places, column, empty)
        laid.append(f"{name}_{column}")
        value = f"case when not isnan(v) then v::{types[column]} end"
        _put(samples, laid[-1], f"of_{column}", _parts(places.of_actions, kept), value)
        del kept, empty
    actions = samples.tables["actions"]
    listed = ", ".join(quoted(c) for c in actions.columns)
    of = "".join(f", of_{c}" for c in wanted)
    samples.con.execute(
        f"create or replace view {name} as select {listed}, arm_case{of} from "
        f"{_sides(samples, actions, laid, len(places.of_actions))} left join {CASES} using (code_)"
    )
    return True


def lay_cases(samples: Samples, places: Places, name: str, values: Mapping[str, Any]) -> str:
    """Lay what was gathered of the cases beside them.

    Args:
        samples: The opened samples.
        places: As of `places_of`.
        name: What the names of the tables begin with.
        values: Name → a function that gives an array, a value for each row of a case from 0.

    Returns:
        What may stand behind `from`: the cases with these values.
    """
    laid = []
    for column, gathered in values.items():
        laid.append(f"{name}_{column}")
        kept = gathered()
        rows = np.arange(1, places.most + 1, dtype=np.uint32) if places.cases is None else places.cases
        _put(samples, laid[-1], column, _parts(rows, kept))
        del kept
    rows_n = places.most if places.cases is None else len(places.cases)
    return _sides(samples, samples.tables["cases"], laid, rows_n)


_NAMES: Mapping[Any, str] = {
    np.uint8: "utinyint",
    np.uint16: "usmallint",
    np.uint32: "uinteger",
    np.uint64: "ubigint",
}


def narrow(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Whole numbers from 0 in as few bytes as hold them."""
    most = int(values.max(initial=0))
    return values.astype(next(kind for kind in _NAMES if most <= np.iinfo(kind).max), copy=False)


def gather(
    samples: Samples,
    places: Places,
    value: str,
    empty: npt.NDArray[Any],
    put: Callable[[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]], None],
) -> npt.NDArray[Any]:
    """Gather what actions tell at the places of their cases.

    Args:
        samples: The opened samples.
        places: As of `places_of`.
        value: SQL of what an action tells.
        empty: What is told of each case without an action; it is filled.
        put: Given these, places and values, puts the values there; a value that is NULL is put nowhere.
    """
    for start, found in _values(
        samples, samples.tables["actions"], value, places.actions, len(places.of_actions)
    ):
        at = places.of_actions[start : start + len(found)]
        if isinstance(found, np.ma.MaskedArray):
            known = ~np.ma.getmaskarray(found)
            at, found = at[known], found.data[known]
        put(empty, at, found)
    return empty


def _by_row(samples: Samples, places: Places, value: str, empty: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A value of each case at the place of its row."""
    n = places.most if places.cases is None else len(places.cases)
    for start, found in _values(samples, samples.tables["cases"], value, places.cases, n):
        at: Any = (
            slice(start + 1, start + 1 + len(found))
            if places.cases is None
            else places.cases[start : start + len(found)]
        )
        empty[at] = np.ma.filled(found, np.nan) if isinstance(found, np.ma.MaskedArray) else found
    return empty


def _values(
    samples: Samples, table: Relation, value: str, rows: Words | None, n: int
) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """A value of each row of a table in order, in parts, each with its place."""
    for start in range(0, n, AT_ONCE):
        end = min(start + AT_ONCE, n)
        first, last = (start + 1, end) if rows is None else (int(rows[start]), int(rows[end - 1]))
        part = f' where "row" between {first} and {last}' if n > AT_ONCE else ""
        found = samples.con.execute(f"select {value} as v from {table.sql}{part}").fetchnumpy()["v"]
        yield start, found


def _parts(at: Words, kept: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    """The values at some places, in parts."""
    for start in range(0, max(len(at), 1), AT_ONCE):
        yield kept[at[start : start + AT_ONCE]]


def _put(
    samples: Samples, table: str, column: str, parts: Iterator[npt.NDArray[Any]], value: str = "v"
) -> None:
    """Lay a table of one column, in order."""
    begun = f"create or replace table {table} as"
    for part in parts:
        samples.con.register("part_", {"v": part})
        samples.con.execute(f"{begun} select {value} as {column} from part_")
        samples.con.unregister("part_")
        begun = f"insert into {table}"


def _sides(samples: Samples, table: Relation, laid: Sequence[str], n: int) -> str:
    """A table with what is laid beside it; in parts that the engine may take at the same time."""
    ((threads,),) = fetch(samples, "select current_setting('threads')")
    parts = 1 if n < FEW else min(SIDES, int(threads))
    size = -(-n // parts)
    sides = []
    for k in range(parts):
        part = f" limit {size} offset {k * size}" if parts > 1 else ""
        joined = " positional join ".join(f"(from {name}{part})" for name in (table.sql, *laid))
        sides.append(f"select * from {joined}")
    return f"({' union all '.join(sides)})"
