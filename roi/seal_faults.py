"""Where a log is not what was sealed: rows that were changed, moved, put in or taken out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from roi.log_lines import Form, UnreadableLineError, lines_of, without_end
from roi.row_changes import Change, Ints, changes
from roi.seal_file import DIGEST, Block, Seal, read_digests

__all__ = ["MOST_FAULTS", "Fault", "Kind", "find_faults"]

Kind: TypeAlias = Literal["changed", "inserted", "deleted", "moved", "unreadable", "gone", "seal"]

MOST_FAULTS = 1_000
"""Faults that are named one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a row, or with rows that follow each other.

    Attributes:
        row: The first row it is in, from 1, without header and blank lines: as it was sealed, or as it is now where it
            was put in. 0 for a header; None where it is in no row (`gone`, `seal`, a log that is no text).
        kind: `changed`, `inserted`, `deleted` or `moved` rows; `unreadable` from there on; the log is `gone`; or the
            `seal` is wrong in itself.
        last: The last row it is in.
        line: The line of the log, from 1, on which it lies now; of what is gone, on which it lay. Of the seal, for
            `seal`.
        moved_to: The row that the first one is now, if it was moved.
        begins: Whether a row begins there; a blank line and a part of a cell are no rows of their own.
        what: What is wrong, for `seal` and `unreadable`.
    """

    row: int | None
    kind: Kind
    last: int | None = None
    line: int | None = None
    moved_to: int | None = None
    begins: bool = True
    what: str = ""

    @property
    def rows(self) -> int:
        """How many rows."""
        return 0 if self.row is None or self.last is None else self.last - self.row + 1


@dataclass(frozen=True, slots=True)
class _Log:
    """A log's lines as they are now: digests, and which are blank or hold an odd number of quotation marks."""

    digests: bytes
    blank: bytes
    odd: bytes
    damage: str


def find_faults(log: Path, form: Form, seal: Seal, seal_path: Path, block: Block) -> tuple[list[Fault], int]:
    """Where a log differs from what its seal says.

    Args:
        log: The log, which is a text.
        form: How it is read.
        seal: Its seal, which holds in itself.
        seal_path: Where that lies.
        block: The first lines that differ.

    Returns:
        At most `MOST_FAULTS` faults, by their rows, and how many more there are.

    Raises:
        BrokenSealError: If the seal does not hold what it should.
    """
    was, begins = read_digests(seal_path)
    now = _read_now(log, was[-1].tobytes() if seal.is_open else None)
    made = changes(*_numbered(was, np.frombuffer(now.digests, f"V{DIGEST}")))
    found, rows = list(made.found), np.cumsum(begins)
    end = was.size
    if now.damage:  # what cannot be read any more was not taken out
        gone = {c.old for c in found if c.kind == "deleted"}
        while end - 1 in gone:
            end -= 1
        found = [c for c in found if c.kind != "deleted" or (c.old or 0) < end]
    faults = list(_joined(_faults(found, made.stays, begins, now, form)))
    if now.damage:
        last = int(rows[-1]) if rows.size else 0
        first = int(rows[end]) if end < rows.size else last + 1
        faults.append(
            Fault(
                row=first,
                kind="unreadable",
                last=max(first, last),
                line=len(now.blank) + 1,
                what=now.damage,
            )
        )
    elif not found:
        # Alike in the part of the hashes that is kept, and not in the whole: somebody made them alike.
        of_block = rows[block.first : block.first + block.lines]
        faults.append(
            Fault(row=int(of_block[0]), kind="changed", last=int(of_block[-1]), line=block.first + 1)
        )
    return faults[:MOST_FAULTS], max(len(faults) - MOST_FAULTS, 0)


def _faults(
    found: Sequence[Change], stays: Ints, begins: NDArray[np.bool_], now: _Log, form: Form
) -> Iterator[Fault]:
    begins_now = np.zeros(len(now.blank), np.bool_)
    begins_now[stays[stays >= 0]] = begins[stays >= 0]
    top = int(stays[0]) if stays.size else 0
    inside, before = False, -2
    for change in found:
        if change.new is None:
            continue
        if change.old is not None:
            begins_now[change.new] = begins[change.old]
            continue
        inside = inside and change.new == before + 1
        above_header = form == "cells" and change.new < top
        begins_now[change.new] = not (inside or now.blank[change.new] or above_header)
        inside ^= form == "cells" and bool(now.odd[change.new])
        before = change.new
    rows, rows_now = np.cumsum(begins), np.cumsum(begins_now)
    for change in found:
        at = change.new if change.old is None else change.old
        counted, marks = (rows_now, begins_now) if change.old is None else (rows, begins)
        assert at is not None
        line = at if change.new is None else change.new
        yield Fault(
            row=int(counted[at]),
            kind=cast(Kind, change.kind),
            last=int(counted[at]),
            line=line + 1,
            moved_to=int(rows_now[line]) if change.kind == "moved" else None,
            begins=bool(marks[at]),
        )


def _joined(faults: Iterable[Fault]) -> Iterator[Fault]:
    """Faults of one kind in rows that follow each other, as one."""
    before: Fault | None = None
    lines = 0
    for fault in faults:
        if before is not None and _follows(fault, before, lines):
            lines += 1
            before = replace(before, last=fault.last)
            continue
        if before is not None:
            yield before
        before, lines = fault, 1
    if before is not None:
        yield before


def _follows(fault: Fault, before: Fault, lines: int) -> bool:
    alike = fault.kind == before.kind and (before.begins or not fault.begins)
    if not alike or before.line is None or fault.line != before.line + lines:
        return False
    if fault.row is None or before.row is None or before.last is None:
        return False
    moved = fault.moved_to is None or fault.moved_to - fault.row == (before.moved_to or 0) - before.row
    return moved and fault.row in (before.last, before.last + 1)


def _read_now(log: Path, open_digest: bytes | None) -> _Log:
    digests, blank, odd, damage = bytearray(), bytearray(), bytearray(), ""
    sha256 = hashlib.sha256
    try:
        for line in lines_of(log):
            digest = sha256(line).digest()[:DIGEST]
            if open_digest is not None and digest != open_digest:
                bare = sha256(without_end(line)).digest()[:DIGEST]
                digest = bare if bare == open_digest else digest
            digests += digest
            blank.append(line.isspace())
            odd.append(line.count(b'"') % 2)
    except UnreadableLineError as error:
        damage = str(error)
    return _Log(bytes(digests), bytes(blank), bytes(odd), damage)


def _numbered(was: NDArray[np.void], is_now: NDArray[np.void]) -> tuple[Ints, Ints]:
    """Digests as numbers, the same for the same; those alike at the beginning are not sorted."""
    n = min(was.size, is_now.size)
    differ = np.flatnonzero(was[:n] != is_now[:n])
    start = int(differ[0]) if differ.size else n
    _, numbers = np.unique(np.concatenate([was[start:], is_now[start:]]), return_inverse=True)
    same = -1 - np.arange(start, dtype=np.int64)
    numbers = numbers.astype(np.int64)
    cut = was.size - start
    return np.concatenate([same, numbers[:cut]]), np.concatenate([same, numbers[cut:]])
