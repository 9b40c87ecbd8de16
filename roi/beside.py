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

__all__ = ["Places", "beside", "lay_cases", "places_of", "shares"]

AT_ONCE = 2_500_000  # rows that are joined or handed over at a time
MOST_CODES = 2**16
LEAST = -(2**31)  # what stands for no number among whole ones
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


def beside(
    samples: Samples, places: Places, name: str, kept: Sequence[str], wanted: Sequence[str], where: str
) -> bool:
    """Lay a table of the actions with `arm_` (0, 1; -1 of no case) and some columns of their cases as `of_…`.

    Args:
        samples: The opened samples.
        places: As of `places_of`.
        name: Of the table.
        kept: The columns of the actions.
        wanted: The columns of the cases.
        where: A condition on these, from where on.

    Returns:
        Whether it was laid: not where a column is neither of codes nor of numbers that are exact as doubles.
    """
    cases, actions = samples.tables["cases"].sql, samples.tables["actions"]
    types = {row[0]: str(row[1]) for row in fetch(samples, f"describe select * from {cases}")}
    words = [c for c in wanted if types[c].startswith("ENUM")]
    numbers = [c for c in wanted if c not in words]
    forms = [_form(samples, c, types[c]) for c in numbers]
    sizes = [int(fetch(samples, f"select len(enum_range(null::{types[c]}))")[0][0]) for c in words]
    code, values, radix = "(arm = 'pilot')::uinteger + 1", "", 3
    for column, size in zip(words, sizes, strict=True):
        code += f" + {radix} * coalesce(enum_code({column})::uinteger + 1, 0)"
        # A place of 0 in a list is none.
        listed = f"enum_range(null::{types[column]})::{types[column]}[]"
        values += f", ({listed})[code_ // {radix} % {size + 1}] as of_{column}"
        radix *= size + 1
    if radix >= MOST_CODES or None in forms:
        return False
    empty = np.zeros(places.most + 1, dtype=np.uint8 if radix < 2**8 else np.uint16)
    held = {"code_": _by_row(samples, places, f"({code})::{_NAMES[empty.dtype.type]}", empty)}
    for column, form in zip(numbers, filter(None, forms), strict=True):
        kind, sql, back = form
        blank = np.full(places.most + 1, np.nan if kind is np.float64 else LEAST, dtype=kind)
        held[column] = _by_row(samples, places, sql, blank)
        values += f", {back.format(v=quoted(column))} as of_{column}"
    listed = ", ".join(quoted(c) for c in kept)
    of = "".join(f", of_{c}" for c in wanted)
    laid = f"{name}_"  # what was begun and not finished is none
    begun = f"create or replace table {laid} as"
    for part in _sides(samples, places.actions, len(places.of_actions)):
        sides = []
        for k, (start, end, rows) in enumerate(part):
            at = places.of_actions[start:end]
            samples.con.register(f"side_{k}", {column: found[at] for column, found in held.items()})
            told = f"(select code_::integer % 3 - 1 as arm_{values} from side_{k})"
            these = f"(select {listed} from {actions.sql}{rows})"
            sides.append(f"select {listed}, arm_{of} from {these} positional join {told}{where}")
        samples.con.execute(f"{begun} {' union all '.join(sides)}")
        begun = f"insert into {laid}"
        for k in range(len(part)):
            samples.con.unregister(f"side_{k}")
    samples.con.execute(f"alter table {laid} rename to {name}")
    return True


def _form(samples: Samples, column: str, kind: str) -> tuple[Any, str, str] | None:
    """How a number of the cases is held: its type, what is read, and how it is made of that again."""
    cases = samples.tables["cases"].sql
    if kind == "DOUBLE":
        if fetch(samples, f"select 1 from {cases} where isnan({column}) limit 1"):
            return None
        return np.float64, column, "case when not isnan({v}) then {v} end"
    if not kind.startswith("DECIMAL"):
        return None
    width, scale = (int(x) for x in kind[8:-1].split(","))
    ((largest,),) = fetch(samples, f"select max(abs({column}))::double from {cases}")
    most = (largest or 0) * 10**scale
    if width > 18 or most >= EXACT:
        return None
    if most < 2**31 - 1:
        read = f"coalesce(round({column}::double * {10**scale})::integer, {LEAST})"
        return np.int32, read, f"case when {{v}} <> {LEAST} then ({{v}} / {10**scale}::double)::{kind} end"
    return np.float64, column, f"case when not isnan({{v}}) then {{v}}::{kind} end"


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
    # One pipeline: each part that stands beside is read in order.
    sides = "".join(f" positional join {table}" for table in laid)
    return f"(select * from {samples.tables['cases'].sql}{sides})"


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


def _sides(samples: Samples, rows: Words | None, n: int) -> Iterator[list[tuple[int, int, str]]]:
    """Parts of a table, each of such as the engine takes at the same time: from and to, and a condition on `row`."""
    ((threads,),) = fetch(samples, "select current_setting('threads')")
    for start in range(0, max(n, 1), AT_ONCE):
        whole = min(n - start, AT_ONCE)
        parts = 1 if whole < FEW else min(SIDES, int(threads))
        found = []
        for k in range(parts):
            low, high = start + k * whole // parts, start + (k + 1) * whole // parts
            first, last = (low + 1, high) if rows is None else (int(rows[low]), int(rows[high - 1]))
            found.append(
                (low, high, f' where "row" between {first} and {last}' if whole < n or parts > 1 else "")
            )
        yield found
