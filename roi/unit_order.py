"""Units numbered by what they hold, so that a number says nothing of a name.

Rows come from the engine in the order of pseudonyms. Whoever has a list of names, and the weak key, could tell from
that order which unit is whose; moments are archived, so they must not. Numbers follow the units' own counts and sums.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.moments import Moments

__all__ = ["numbered_by_content"]

Ints = npt.NDArray[np.int64]


def numbered_by_content(moments: Moments) -> Moments:
    """The same moments, their units and rows in the order of arm, segment and what they hold.

    Args:
        moments: Rows in any order, a unit's number the same in both arms and in `judged`.

    Returns:
        The same whatever the order of the rows and the numbers of the units were; units that hold the same may stand
        for each other.
    """
    m = moments
    rows, units = m.arm.size, int(m.unit.max(initial=-1)) + 1
    if rows == 0:
        return m
    content = np.column_stack([m.arm, m.segment, *_columns(m, rows)])
    content = content[:, (content != content[0]).any(axis=0)]
    rank = np.zeros(rows, dtype=np.int64)
    if content.shape[1]:
        turn = np.lexsort(content.T[::-1])
        rank[turn] = np.cumsum(np.append(False, (np.diff(content[turn], axis=0) != 0).any(axis=1)))
    # A unit's ranks, ascending: with the row that is first in the order of the content, then the next.
    held: list[list[int]] = [[] for _ in range(units)]
    for unit, place in zip(
        m.unit[np.argsort(rank, kind="stable")].tolist(), np.sort(rank).tolist(), strict=True
    ):
        held[unit].append(place)
    said: list[list[tuple[int, ...]]] = [[] for _ in range(units)]
    if m.judged is not None:
        j = m.judged
        words = np.column_stack([j.arm, j.segment, j.human, j.judge, j.n, j.probable])
        for u, word in zip(j.unit.tolist(), words.tolist(), strict=True):
            said[u].append(tuple(word))
    order = sorted(range(units), key=lambda u: (held[u], sorted(said[u])))
    number = np.empty(units, dtype=np.int64)
    number[order] = np.arange(units)
    unit = number[m.unit]
    found: Moments = _permuted(m, np.lexsort((unit, m.segment, m.arm)), rows, unit=unit)
    if m.judged is None:
        return found
    j, renamed = m.judged, number[m.judged.unit]
    turn = np.lexsort((j.judge, j.human, renamed, j.segment, j.arm))
    return replace(found, judged=_permuted(j, turn, j.arm.size, unit=renamed))


def _columns(m: Moments, rows: int) -> list[npt.NDArray[np.float64]]:
    """Every array of numbers that a row holds, but for the unit's number."""
    found = []
    for field in fields(m):
        value = getattr(m, field.name)
        parts = (
            [getattr(value, f.name) for f in fields(value)]
            if field.name == "covariate" and value
            else [value]
        )
        if field.name in ("arm", "segment", "unit"):
            continue
        found += [np.asarray(x, np.float64).reshape(rows, -1) for x in parts if isinstance(x, np.ndarray)]
    return found


def _permuted(holder: Any, order: Ints, rows: int, **changed: Any) -> Any:
    """A dataclass with its arrays of rows, and those of what it holds by rows, in another order."""
    new: dict[str, Any] = {}
    for field in fields(holder):
        value = changed.get(field.name, getattr(holder, field.name))
        if isinstance(value, np.ndarray) and value.shape[:1] == (rows,):
            new[field.name] = value[order]
        elif field.name == "covariate" and is_dataclass(value):
            new[field.name] = _permuted(value, order, rows)
    return replace(holder, **new)
