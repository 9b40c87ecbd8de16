"""What happened to a list of rows: which stayed in their order, and which were changed, moved, put in or taken out.

Rows are told apart by their digests. What stayed is found from both ends, then by the rows that occur once in either
list (patience), of which a longest part in order stays; between them by the shortest script of edits (Myers 1986,
Algorithmica 1:251) where it is short. It is a description that accounts for every row, and of few edits the
shortest; of what was rewritten at large it is one of several.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Change", "Changes", "Ints", "changes", "same_order"]

Ints: TypeAlias = NDArray[np.int64]

MOST_EDITS = 200
"""Insertions and deletions between two rows that occur once, above which no shortest script is looked for."""

MOST_GAPS = 20_000
"""Stretches that are looked at one by one; what is beyond them counts as changed."""


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one row.

    Attributes:
        kind: changed, moved, inserted or deleted.
        old: Its index in the old list, from 0; None for what was inserted.
        new: Its index in the new list; None for what was deleted.
    """

    kind: str
    old: int | None
    new: int | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What makes one list of another.

    Attributes:
        found: The changes, by where they are in the old list.
        stays: Of each old row, the index of the new row that it is; −1 for what was changed, moved or deleted.
        appended: How many new rows follow the last of the old ones.
    """

    found: tuple[Change, ...]
    stays: Ints
    appended: int


def changes(old: Ints, new: Ints) -> Changes:
    """What makes the new list of the old one, where rows may also have been appended.

    Args:
        old: Rows as they were, shape (n_old,); equal numbers are equal rows.
        new: Rows as they are, shape (n_new,).
    """
    stays = same_order(old, new)
    gone = np.flatnonzero(stays < 0)
    is_new = np.ones(new.size, bool)
    is_new[stays[stays >= 0]] = False
    come = np.flatnonzero(is_new)
    moved = _moved(old, new, gone, come)
    from_, to = set(moved), set(moved.values())
    # A gap is what lies between two rows that stayed: its number is how many of them lie before it.
    gaps: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    before_old, before_new = np.cumsum(stays >= 0), np.cumsum(~is_new)
    for i in gone.tolist():
        if i not in from_:
            gaps[int(before_old[i])][0].append(i)
    for j in come.tolist():
        if j not in to:
            gaps[int(before_new[j])][1].append(j)
    last = int((stays >= 0).sum())
    found = [(i, j, Change("moved", i, j)) for i, j in moved.items()]
    appended = 0
    ends = np.append(np.flatnonzero(stays >= 0), old.size)
    for gap, (out, into) in gaps.items():
        both = min(len(out), len(into))
        found += [(i, j, Change("changed", i, j)) for i, j in zip(out, into, strict=False)]
        found += [(i, -1, Change("deleted", i, None)) for i in out[both:]]
        if gap == last:
            appended = len(into) - both
        else:
            found += [(int(ends[gap]), j, Change("inserted", None, j)) for j in into[both:]]
    ordered = sorted(found, key=lambda x: x[:2])
    return Changes(tuple(change for *_, change in ordered), stays, appended)


def _moved(old: Ints, new: Ints, gone: Ints, come: Ints) -> dict[int, int]:
    """Rows that are gone here and have come there, in order."""
    places: dict[int, list[int]] = defaultdict(list)
    for j in come[::-1].tolist():
        places[int(new[j])].append(j)
    return {
        i: places[x].pop() for i, x in zip(gone.tolist(), old[gone].tolist(), strict=True) if places.get(x)
    }


def same_order(old: Ints, new: Ints) -> Ints:
    """Of each old row, the index of the new row that it is; −1 for what did not stay. Where ≥ 0, it rises."""
    stays = np.full(old.size, -1, np.int64)
    # What is in one list only stays nowhere, and would only keep others apart.
    in_both_old = np.flatnonzero(np.isin(old, new))
    in_both_new = np.flatnonzero(np.isin(new, old))
    a, b = old[in_both_old], new[in_both_new]
    found = np.full(a.size, -1, np.int64)
    gaps = [(0, a.size, 0, b.size)]
    for _ in range(MOST_GAPS):
        if not gaps:
            break
        gaps += _look(a, b, gaps.pop(), found)
    hits = found >= 0
    stays[in_both_old[hits]] = in_both_new[found[hits]]
    return stays


def _look(a: Ints, b: Ints, gap: tuple[int, int, int, int], found: Ints) -> list[tuple[int, int, int, int]]:
    """Match what can be matched in a gap; returns the gaps that are left within it."""
    a0, a1, b0, b1 = gap
    n = _run(a[a0:a1], b[b0:b1])
    found[a0 : a0 + n] = np.arange(b0, b0 + n)
    a0, b0 = a0 + n, b0 + n
    n = _run(a[a0:a1][::-1], b[b0:b1][::-1])
    found[a1 - n : a1] = np.arange(b1 - n, b1)
    a1, b1 = a1 - n, b1 - n
    if a0 == a1 or b0 == b1:
        return []
    at, into = _once_in_both(a[a0:a1], b[b0:b1])
    if not at.size:
        _myers(a[a0:a1], b[b0:b1], found[a0:a1], b0)
        return []
    # Rows beside which their neighbour still lies settle first: of rows that changed places, both have moved, not what
    # is between them.
    beside = (np.diff(at) == 1) & (np.diff(into) == 1)
    firm = np.append(beside, False) | np.append(False, beside)
    if firm.any():
        at, into = at[firm], into[firm]
    stay = _rising(into.tolist())
    for same in (np.flatnonzero(into == at), np.flatnonzero(into - at == (b1 - b0) - (a1 - a0))):
        stay = same if same.size >= stay.size else stay
    at, into = at[stay] + a0, into[stay] + b0
    found[at] = into
    edges_a = np.concatenate(([a0 - 1], at, [a1]))
    edges_b = np.concatenate(([b0 - 1], into, [b1]))
    open_ = (np.diff(edges_a) > 1) & (np.diff(edges_b) > 1)
    return [
        (int(edges_a[i]) + 1, int(edges_a[i + 1]), int(edges_b[i]) + 1, int(edges_b[i + 1]))
        for i in np.flatnonzero(open_)[::-1]
    ]


def _run(a: Ints, b: Ints) -> int:
    """How many rows at the beginning are alike."""
    n, at, step = min(a.size, b.size), 0, 16
    while at < n:
        here = min(step, n - at)
        differ = np.flatnonzero(a[at : at + here] != b[at : at + here])
        if differ.size:
            return at + int(differ[0])
        at, step = at + here, step * 4
    return n


def _once_in_both(a: Ints, b: Ints) -> tuple[Ints, Ints]:
    """Indices in `a`, rising, and in `b` of what occurs once in each."""
    rows_a, at_a, n_a = np.unique(a, return_index=True, return_counts=True)
    rows_b, at_b, n_b = np.unique(b, return_index=True, return_counts=True)
    _, i, j = np.intersect1d(rows_a[n_a == 1], rows_b[n_b == 1], assume_unique=True, return_indices=True)
    at, into = at_a[n_a == 1][i], at_b[n_b == 1][j]
    order = np.argsort(at)
    return at[order], into[order]


def _rising(values: list[int]) -> Ints:
    """Indices of a longest rising part of different numbers."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for i, value in enumerate(values):
        length = bisect_left(tails, value)
        before.append(ends[length - 1] if length else -1)
        if length == len(tails):
            tails.append(value)
            ends.append(i)
        else:
            tails[length], ends[length] = value, i
    out: list[int] = []
    i = ends[-1] if ends else -1
    while i >= 0:
        out.append(i)
        i = before[i]
    return np.array(out[::-1], np.int64)


def _myers(a: Ints, b: Ints, found: Ints, shift: int) -> None:
    """A shortest script between two stretches; above `MOST_EDITS` rows stay where they lie alike."""
    n, m = a.size, b.size
    reach = {1: 0}
    trail: list[dict[int, int]] = []
    for d in range(min(n + m, MOST_EDITS) + 1):
        trail.append(dict(reach))
        for k in range(-d, d + 1, 2):
            down = k == -d or (k != d and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            if x <= n and 0 <= x - k <= m:
                x += _run(a[x:], b[x - k :])
            reach[k] = x
            if x >= n and x - k >= m:
                _walk_back(trail, n, m, found, shift)
                return
    both = min(n, m)
    alike = np.flatnonzero(a[:both] == b[:both])
    found[alike] = alike + shift


def _walk_back(trail: list[dict[int, int]], x: int, y: int, found: Ints, shift: int) -> None:
    for d in range(len(trail) - 1, -1, -1):
        reach, k = trail[d], x - y
        down = k == -d or (k != d and reach[k - 1] < reach[k + 1])
        from_k = k + 1 if down else k - 1
        from_x = reach[from_k]
        from_y = from_x - from_k
        start = from_x if down else from_x + 1
        if d == 0:
            start = 0
        found[start:x] = np.arange(start - k, x - k) + shift
        x, y = from_x, from_y
