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
    rows = m.arm.size
    if rows == 0:
        return m
    own = int(m.unit.max()) + 1
    units = own if m.demo_cells is None else max(own, int(m.demo_cells.unit.max(initial=-1)) + 1)
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
    said: list[list[tuple[float, ...]]] = [[] for _ in range(units)]
    for kind, more in enumerate((m.judged, m.demo_cells)):
        if more is not None:
            block = np.column_stack([more.arm, more.segment, *_columns(more, more.arm.size)])
            for u, row in zip(more.unit.tolist(), block.tolist(), strict=True):
                said[u].append((kind, *row))
    # Units of the demo alone come after those of production, whose numbers have no gap.
    order = sorted(range(units), key=lambda u: (u >= own, held[u], sorted(said[u])))
    number = np.empty(units, dtype=np.int64)
    number[order] = np.arange(units)
    found: Moments = _renamed(m, number, m.segment, m.arm)
    if (j := m.judged) is not None:
        found = replace(found, judged=_renamed(j, number, j.segment, j.arm, also=(j.judge, j.human)))
    if (d := m.demo_cells) is not None:
        cells = _renamed(d, number, d.segment, d.arm, d.setting, also=(d.state,))
        found = replace(found, demo_cells=cells)
    return found


def _renamed(holder: Any, number: Ints, *keys: Ints, also: tuple[Ints, ...] = ()) -> Any:
    """A dataclass with other numbers of its units, its rows in the order of these after the keys before `unit`."""
    unit = number[holder.unit]
    return _permuted(holder, np.lexsort((*also, unit, *keys)), unit.size, unit=unit)


def _columns(m: Any, rows: int) -> list[npt.NDArray[np.float64]]:
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
