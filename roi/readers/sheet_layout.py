"""Where in a sheet the table is: its header, its rows, and what people put above, between and below them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from roi.readers.base import Roles
from roi.readers.names import Wanted, tidy
from roi.readers.sheet_marks import Marks
from roi.readers.totals import is_sum, is_total

__all__ = ["Body", "Header", "Merges", "body_of", "filled", "find_header"]

Cells = Sequence[Sequence[Any]]
_LOOKED_AT = 100


def filled(cell: Any) -> bool:
    """Whether a cell shows anything."""
    return cell is not None and not (isinstance(cell, str) and not cell.strip())


class Merges:
    """The merged cells of a sheet; rows and columns count from 0.

    Args:
        ranges: First and last cell of each.
    """

    __slots__ = ("_home", "ranges")

    def __init__(self, ranges: Iterable[tuple[tuple[int, int], tuple[int, int]]]) -> None:
        self.ranges = sorted(ranges)
        self._home = {
            (r, c): (first, last)
            for first, last in self.ranges
            if (last[0] - first[0] + 1) * (last[1] - first[1] + 1) <= 100_000
            for r in range(first[0], last[0] + 1)
            for c in range(first[1], last[1] + 1)
        }

    def at(self, row: int, column: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """First and last cell of what a cell is merged into; itself where it is not merged."""
        return self._home.get((row, column), ((row, column), (row, column)))


@dataclass(frozen=True, slots=True)
class Header:
    """The names of a table's columns.

    Attributes:
        names: One a column, "" where there is none.
        first: The row that holds them, from 0.
        last: The last row of the header, which may have two.
        hits: How many of the wanted names are among them.
        doubled: Wanted names that two columns have, and how many.
    """

    names: tuple[str, ...]
    first: int
    last: int
    hits: int
    doubled: Mapping[str, int]


def find_header(rows: Cells, merges: Merges, wanted: Wanted, header_row: int | None) -> Header | None:
    """The header: the first row near the top that holds most of the wanted names, or the stated one.

    Where names repeat under merged titles (`Time | handling | minutes`), a column is called by both.

    Args:
        rows: The cells of the sheet.
        merges: Its merged cells.
        wanted: The names that the mapping uses.
        header_row: The row that holds the names, from 1, where it is stated.

    Returns:
        None where no row holds a wanted name.
    """
    places = range(min(len(rows), _LOOKED_AT)) if header_row is None else [header_row - 1]
    best: Header | None = None
    for at in places:
        header = _header(rows, merges, wanted, at)
        if best is None or header.hits > best.hits:
            best = header
    return best if best is not None and (best.hits or header_row is not None) else None


def _header(rows: Cells, merges: Merges, wanted: Wanted, at: int) -> Header:
    lower = [_name(rows, merges, at, c) for c in range(len(rows[at]))]
    repeated = {n for n in lower if n and lower.count(n) > 1}
    names = []
    for c, name in enumerate(lower):
        both = f"{_group(rows, merges, at, c)} {name}".strip()
        names.append(both if name and both != name and (name in repeated or wanted.find(both)) else name)
    spelled = wanted.spell(names)
    bare = wanted.spell(lower)
    known = [w for n in spelled if n and (w := wanted.find(n))]
    doubled = {n: spelled.count(n) for n in known if spelled.count(n) > 1}
    # A name under two titles, of which one column only goes by both, says no better which is meant.
    doubled |= {n: bare.count(n) for n in known if spelled.count(n) == 1 and bare.count(n) > 1}
    last = max(
        (merges.at(at, c)[1][0] for c, n in enumerate(lower) if n and merges.at(at, c)[0][0] == at),
        default=at,
    )
    return Header(spelled, at, last, max(len(set(known)), wanted.hits(bare)), doubled)


def _text(cell: Any) -> str:
    return tidy(cell if isinstance(cell, str) else "" if cell is None else _shown(cell))


def _shown(cell: Any) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _name(rows: Cells, merges: Merges, at: int, column: int) -> str:
    """The text of a header's cell; a cell merged with those above it shows theirs."""
    (row, left), _ = merges.at(at, column)
    if row < at and left != column:
        return ""
    if left != column and not any(filled(r[column]) for r in rows[at + 1 :]):
        return ""
    return _text(rows[row][left])


def _group(rows: Cells, merges: Merges, at: int, column: int) -> str:
    """The title above a header's cell, which may stand over several."""
    (own, _), _ = merges.at(at, column)
    if own == 0 or own < at:
        return ""
    (row, left), _ = merges.at(own - 1, column)
    return _text(rows[row][left])


@dataclass(slots=True)
class Body:
    """The rows of a table.

    Attributes:
        kept: Those that are data, by their row in the sheet from 0.
        left_out: Why rows were left out → which, by their row in the sheet from 0.
        again: A later row that holds the wanted names in another order, if any.
    """

    kept: list[int] = field(default_factory=list)
    left_out: dict[str, list[int]] = field(default_factory=dict)
    again: int | None = None

    def leave_out(self, reason: str, rows: Iterable[int]) -> None:
        """Leave out rows."""
        self.left_out.setdefault(reason, []).extend(rows)


TOTALS = "totals row"
NOTES = "title or note in place of a row"
HEADERS = "header repeated among the rows"
BELOW = "below the end of the table"


def body_of(rows: Cells, header: Header, merges: Merges, marks: Marks, wanted: Wanted, roles: Roles) -> Body:
    """Tell the data rows of a table from totals, repeated headers, notes and whatever stands below.

    A totals row has no key, or a key that is a word for a sum, or sums up its column with a formula.

    Args:
        rows: The cells of the sheet.
        header: Its header.
        merges: Its merged cells.
        marks: What else is known of its cells.
        wanted: The names that the mapping uses.
        roles: What the mapping uses them for.
    """
    names = header.names
    named = [c for c, n in enumerate(names) if n]
    mapped = [c for c in named if wanted.find(names[c])]
    keys = [c for c in named if names[c] in roles.key]
    forms = [tidy(n).casefold() for n in names]
    body = Body()
    end = len(rows)
    while end > header.last + 1 and not any(filled(rows[end - 1][c]) for c in range(len(rows[end - 1]))):
        end -= 1
    spaced = False  # whether a key has held a space
    seen: list[set[str]] = [set() for _ in names]
    after_blank = False
    loose: list[int] = []  # rows with one text only, notes if nothing follows
    for r in range(header.last + 1, end):
        row = rows[r]
        full = [c for c in range(len(row)) if filled(row[c])]
        if not full:
            body.kept.append(r)
            after_blank = True
            continue
        if any((r, c) in marks.totals for c in mapped) or _is_totals_row(row, full, keys):
            body.leave_out(TOTALS, [r])
            continue
        if _repeats(row, forms, named):
            body.leave_out(HEADERS, [r])
            after_blank = False
            continue
        texts = [row[c] for c in full if isinstance(row[c], str)]
        alone = len(full) == 1 and len(texts) == 1 and len(mapped) > 1
        wide = alone and merges.at(r, full[0])[1][1] > full[0]
        if wide or (alone and after_blank) or (alone and not keys):
            body.leave_out(NOTES, [r])
            continue
        if after_blank and len(full) > 1 and len(texts) == len(full):
            if wanted.hits(texts) >= max(2, len(set(mapped)) - 1):
                body.again = r
                return body
            if any(seen) and _is_other_header(row, full, seen):
                body.leave_out(BELOW, (i for i in range(r, end) if any(map(filled, rows[i]))))
                break
        if alone and not spaced and " " in texts[0].strip():
            loose.append(r)
            body.kept.append(r)
            continue
        loose.clear()
        after_blank = False
        body.kept.append(r)
        spaced = spaced or any(" " in str(row[c]).strip() for c in keys)
        for c in full:
            if c < len(seen) and isinstance(row[c], str):
                seen[c].add(row[c].strip().casefold())
    if loose:
        body.leave_out(NOTES, loose)
        body.kept = [r for r in body.kept if r not in set(loose)]
    while body.kept and not any(map(filled, rows[body.kept[-1]])):
        body.kept.pop()
    return body


def _is_totals_row(row: Sequence[Any], full: Sequence[int], keys: Sequence[int]) -> bool:
    if not keys:
        first = row[full[0]]
        return isinstance(first, str) and is_sum(first)
    given = [row[c] for c in keys if filled(row[c])]
    if given:
        return all(isinstance(cell, str) and is_total(cell) for cell in given)
    return any(isinstance(row[c], str) and is_total(row[c]) for c in full)


def _repeats(row: Sequence[Any], forms: Sequence[str], named: Sequence[int]) -> bool:
    """Whether a row holds the header's names again, each above its own column."""
    same = 0
    for c in named:
        if filled(row[c]):
            if not (isinstance(row[c], str) and tidy(row[c]).casefold() == forms[c]):
                return False
            same += 1
    return same > 1 and 2 * same >= len(named)


def _is_other_header(row: Sequence[Any], full: Sequence[int], seen: Sequence[set[str]]) -> bool:
    """Whether a row of texts is no row of the table: no digit in it, and no cell that its column held before."""
    texts = [str(row[c]).strip() for c in full]
    if any(any(ch.isdigit() for ch in t) for t in texts):
        return False
    return not any(c < len(seen) and t.casefold() in seen[c] for c, t in zip(full, texts, strict=True))
