"""Rows, and things by key, of which what memory does not hold lies in a temporary file.

An export may be larger than memory, and what belongs together may lie far apart in it. What is read is therefore kept
by key until it is too much, written to a file in parts by key, and read back part by part: a part is small, and holds
all that was ever said of its keys. Rows that are made of a part come with the number of what they were made of, and are
put into that order when they are read.
"""

from __future__ import annotations

import gc
import heapq
import marshal
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from operator import eq
from typing import IO, Any, Generic, Protocol, TypeAlias, TypeVar, overload

from roi.problems import Problem
from roi.readers.base import UnreadableError

__all__ = [
    "MOST_CELLS",
    "Gathered",
    "Held",
    "InOrder",
    "Names",
    "Rows",
    "Said",
    "cells_of",
    "no_collection",
    "no_room",
]

MOST_CELLS = 600_000
"""How many cells, or parts of a weight like theirs, are held in memory by one of these; about 100 bytes each."""

_PARTS = 64
_BLOCK = 4000  # cells that are read at once
_LAYOUTS = 10_000  # different names of rows, of which each is held once
_LOOK = 10_000  # additions, after which what is held is weighed

_Packed: TypeAlias = tuple[int, int | tuple[str, ...], tuple[Any, ...]]  # number, names or their place, cells
R = TypeVar("R", bound=Mapping[str, Any])


@contextmanager
def no_collection() -> Iterator[None]:
    """Leave objects that refer to each other in a ring until later.

    What is made of exports holds none, and is so much that looking for them takes a sixth of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def no_room(error: Exception) -> UnreadableError:
    """That what memory does not hold cannot be put aside."""
    why = (isinstance(error, OSError) and error.strerror) or type(error).__name__
    message = f"cannot be written ({why}); make room there, or name another folder in the variable TMPDIR"
    return UnreadableError([Problem("temporary files", tempfile.gettempdir(), message)])


class _Spill:
    """Values in a temporary file without a name, which goes when nobody holds it any more."""

    def __init__(self) -> None:
        try:
            self._file: IO[bytes] = tempfile.TemporaryFile(prefix="roi-")  # noqa: SIM115
        except OSError as error:
            raise no_room(error) from None
        self._end = 0

    def write(self, value: Any) -> tuple[int, int]:
        """Write a value; where it lies."""
        data = marshal.dumps(value)
        try:
            self._file.seek(self._end)
            self._file.write(data)
        except OSError as error:
            raise no_room(error) from None
        place = (self._end, len(data))
        self._end += len(data)
        return place

    def read(self, place: tuple[int, int]) -> Any:
        """The value that lies at a place."""
        try:
            self._file.seek(place[0])  # which may write what was held back
        except OSError as error:
            raise no_room(error) from None
        return marshal.loads(self._file.read(place[1]))


class Names:
    """Names in the order in which rows show them first, in whatever order these come."""

    def __init__(self, most: int = 1 << 62) -> None:
        self._most = most
        self._first: dict[str, tuple[int, int]] = {}
        self._run: dict[str, tuple[int, int]] = {}
        self._noted: set[tuple[str, ...]] = set()

    def note(self, at: int, names: tuple[str, ...]) -> None:
        """Note the names of a row; rows of one run come in their order."""
        if names in self._noted:
            return
        if len(self._noted) < _LAYOUTS:
            self._noted.add(names)
        run = self._run
        for name in names:
            if name not in run:
                run[name] = (at, len(run))

    def end_run(self) -> list[str]:
        """Let rows begin anew, from lower numbers on; the names that they showed since the last time."""
        shown = list(self._run)
        for name, at in self._run.items():
            self._first[name] = min(at, self._first.get(name, at))
        self._run = {}
        self._noted.clear()
        if len(self._first) > 4 * self._most:
            self._first = dict(sorted(self._first.items(), key=lambda item: item[1])[: self._most])
        return shown

    def __iter__(self) -> Iterator[str]:
        self.end_run()
        return iter(sorted(self._first, key=self._first.__getitem__))


class InOrder(Sequence[R]):
    """Rows that are read one after another."""

    @overload
    def __getitem__(self, at: int) -> R: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[R]: ...
    def __getitem__(self, at: int | slice) -> R | Sequence[R]:
        if isinstance(at, slice):
            return list(self)[at]
        place = at if at >= 0 else len(self) + at
        if not 0 <= place < len(self):
            raise IndexError(at)
        return next(islice(self, place, None))


class Rows(InOrder[R]):
    """Rows by number, in whatever order they come; read in the order of their numbers.

    Most rows have the names of many others: these are held once, and of a row its cells.
    """

    def __init__(self, rows: Iterable[R] = (), *, most: int = MOST_CELLS) -> None:
        self._most, self._cells, self._n, self._last = most, 0, 0, -1
        self._held: list[_Packed] = []
        self._layouts: list[tuple[str, ...]] = []
        self._layout_of: dict[tuple[str, ...], int] = {}
        self._in_order = True
        self._spill: _Spill | None = None
        self._runs: list[list[tuple[int, int]]] = []
        for at, row in enumerate(rows):
            self.add(at, row)

    def add(self, at: int, row: R) -> None:
        """Add a row under a number; those of one number keep their order."""
        self.add_cells(at, tuple(row), tuple(row.values()))

    def add_cells(self, at: int, names: tuple[str, ...], cells: tuple[Any, ...]) -> None:
        """Add a row of these names and cells."""
        layout: int | tuple[str, ...] | None = self._layout_of.get(names)
        if layout is None:
            layout = names
            if len(self._layouts) < _LAYOUTS:
                layout = self._layout_of[names] = len(self._layouts)
                self._layouts.append(names)
        held = self._held
        if held and at < held[-1][0]:
            self._in_order = False
        held.append((at, layout, cells))
        self._n += 1
        self._cells += len(cells)
        if self._cells > self._most:
            self._write()

    def _sort(self) -> None:
        if not self._in_order:
            self._held.sort(key=_number)
            self._in_order = True

    def _write(self) -> None:
        self._sort()
        self._spill = self._spill or _Spill()
        if not self._runs or self._held[0][0] < self._last:
            self._runs.append([])
        self._last = self._held[-1][0]
        size = max(1, _BLOCK * len(self._held) // self._cells)
        for start in range(0, len(self._held), size):
            self._runs[-1].append(self._spill.write(self._held[start : start + size]))
        self._held, self._cells = [], 0

    def cells(self) -> Iterator[tuple[tuple[str, ...], tuple[Any, ...]]]:
        """Names and cells of the rows, in order."""
        self._sort()
        layouts = self._layouts
        runs = [self._run(run) for run in self._runs]
        merged = heapq.merge(*runs, iter(self._held), key=_number) if runs else iter(self._held)
        for _, layout, cells in merged:
            yield layouts[layout] if type(layout) is int else layout, cells  # type: ignore[misc]

    def _run(self, places: Sequence[tuple[int, int]]) -> Iterator[_Packed]:
        assert self._spill is not None
        for place in places:
            yield from self._spill.read(place)

    def __iter__(self) -> Iterator[R]:
        for names, cells in self.cells():
            yield dict(zip(names, cells, strict=True))  # type: ignore[misc]

    def __len__(self) -> int:
        return self._n

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment]


def cells_of(
    rows: Iterable[Mapping[str, str | None]],
) -> Iterator[tuple[tuple[str, ...], tuple[str | None, ...]]]:
    """Names and cells of rows, in order."""
    if isinstance(rows, Rows):
        return rows.cells()
    return ((tuple(row), tuple(row.values())) for row in rows)


def _number(pair: _Packed) -> int:
    return pair[0]


class Held(Protocol):
    """What is said of a key, as far as it was read; `first` is the key's number in the order of their first mention."""

    first: int

    def __init__(self, first: int) -> None: ...

    def weight(self) -> int:
        """About how many cells it holds."""
        ...

    def pack(self) -> Any:
        """It as plain tuples, lists, texts and numbers."""
        ...

    @classmethod
    def unpack(cls, first: int, packed: Any) -> Any:
        """It from what `pack` gave."""
        ...

    def join(self, later: Any) -> None:
        """Add what was said later."""
        ...


H = TypeVar("H", bound=Held)


class Gathered(Generic[H]):
    """What is said of keys, in the order of their first mention."""

    def __init__(self, kind: type[H], *, most: int | None = MOST_CELLS) -> None:
        """Begin with nothing.

        Args:
            kind: What is held of a key.
            most: The weight above which it goes to a file; None holds all in memory.
        """
        self.held: dict[str, H] = {}
        self._kind, self._most = kind, most
        self._begun = self._since = 0
        self._spill: _Spill | None = None
        self._parts: list[list[tuple[int, int]]] = [[] for _ in range(_PARTS)]

    def of(self, key: str) -> H:
        """What is said of a key since the last `relieve`."""
        held = self.held.get(key)
        if held is None:
            held = self.held[key] = self._kind(self._begun)
            self._begun += 1
        return held

    def relieve(self, added: int = 1) -> None:
        """Write what is held to a file if it is too much; nobody holds what `of` gave beyond this.

        Args:
            added: About how many spans or events came since the last time.
        """
        self._since += added
        if self._since < _LOOK:
            return
        self._since = 0
        if self._most is not None and sum(h.weight() for h in self.held.values()) > self._most:
            self._write()

    def _write(self) -> None:
        self._spill = self._spill or _Spill()
        parts: list[list[tuple[int, str, Any]]] = [[] for _ in range(_PARTS)]
        for key, held in self.held.items():
            parts[hash(key) % _PARTS].append((held.first, key, held.pack()))
        self.held.clear()
        for places, part in zip(self._parts, parts, strict=True):
            if part:
                places.append(self._spill.write(part))

    def parts(self) -> Iterator[list[tuple[str, H]]]:
        """Keys with all that was said of them, in parts; those of a part in the order of first mention."""
        if self._spill is None:
            yield list(self.held.items())
            return
        self._write()
        for places in self._parts:
            found: dict[str, H] = {}
            for place in places:
                for first, key, packed in self._spill.read(place):
                    later = self._kind.unpack(first, packed)
                    if key in found:
                        found[key].join(later)
                    else:
                        found[key] = later
            yield sorted(found.items(), key=lambda item: item[1].first)


class Said:
    """What is said of a key, in the order in which it was said: plain objects."""

    __slots__ = ("first", "said")

    def __init__(self, first: int) -> None:
        self.first = first
        self.said: list[dict[str, Any]] = []

    def weight(self) -> int:
        """About how many cells it holds."""
        return 8 + 12 * len(self.said)

    def pack(self) -> list[dict[str, Any]]:
        """It as plain values."""
        return self.said

    @classmethod
    def unpack(cls, first: int, packed: list[dict[str, Any]]) -> Said:
        """It from what `pack` gave."""
        held = cls(first)
        held.said = packed
        return held

    def join(self, later: Said) -> None:
        """Add what was said later."""
        self.said += later.said

    def row(self, key: str) -> tuple[tuple[str, ...], tuple[Any, ...]]:
        """Names and cells of a row: the key, then a cell each, and blanks, so that few rows have names of their own."""
        width = 1 << len(self.said).bit_length()
        return _numbered(width), (key, *self.said, *[None] * (width - len(self.said)))


@cache
def _numbered(width: int) -> tuple[str, ...]:
    return tuple(str(i) for i in range(width + 1))
