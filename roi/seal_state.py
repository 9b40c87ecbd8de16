"""Whether a log is what was sealed: it is read once, line by line, beside its seal.

A log may grow: rows after the sealed ones are no fault. Where something differs, it is read once more, to say where.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from roi.log_lines import Form, RowCounter, UnreadableLineError, form_of, lines_of, without_end
from roi.seal_faults import Fault, find_faults
from roi.seal_file import (
    LINES_AN_ENTRY,
    Block,
    BrokenSealError,
    Seal,
    Sealing,
    SealWriter,
    read_seal,
    seal_of,
)

__all__ = ["LogWalk", "SealState", "file_sha256", "held_state", "located", "read_own_seal", "seal_state"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealState:
    """Whether a log is what was sealed.

    Attributes:
        state: `holds`; `broken`; `none` where no seal lies beside it.
        rows: Rows that are sealed; None for a log that is no text, which is sealed as a file, and where nobody knows.
        beyond: Rows after the sealed ones, which nothing is said of; 0 where the seal is broken.
        lines_beyond: Lines, blank ones among them.
        faults: Where it is not what was sealed, by row; at most `MOST_FAULTS`.
        more: How many faults there are beside these.
        head: The last link of the chain, 64 hexadecimal digits; None where there is none to rely on.
        sealed_at: When it was sealed last, in UTC, by the clock of who sealed it.
        sealings: Each time it was sealed, with the head then.
    """

    state: Literal["holds", "broken", "none"]
    rows: int | None = None
    beyond: int = 0
    lines_beyond: int = 0
    faults: tuple[Fault, ...] = ()
    more: int = 0
    head: str | None = None
    sealed_at: str | None = None
    sealings: tuple[Sealing, ...] = ()


class LogWalk:
    """One pass over a log's lines: first those that are sealed, then those that follow."""

    def __init__(self, log: Path, form: Form) -> None:
        self._lines = lines_of(log)
        self._counter = RowCounter(form)
        self._again: list[tuple[bytes, bool]] = []

    def take(self, n: int) -> tuple[list[bytes], list[bool], bool]:
        """The next lines, whether rows begin with them, and whether the first was taken before without its end."""
        lines = list(islice(self._lines, n - len(self._again)))
        begins = self._counter.begins(lines)
        if again := self._again:
            lines, begins = [again[0][0], *lines], [again[0][1], *begins]
            self._again = []
        return lines, begins, bool(again)

    def broken_block(self, seal: Seal) -> Block | None:
        """The first sealed lines that are not what they were; None where all are.

        Raises:
            UnreadableLineError: Where the log cannot be read to the end of what was sealed.
        """
        for block in seal.blocks:
            lines, begins, _ = self.take(block.lines)
            if len(lines) != block.lines:
                return block
            hashes = [hashlib.sha256(line).digest() for line in lines]
            if block.is_open:
                bare = without_end(lines[-1])
                hashes[-1] = hashlib.sha256(bare).digest()
                self._again = [(lines[-1], begins[-1])]
            if hashlib.sha256(b"".join(hashes)).digest() != block.sha256:
                return block
        if self._again and not self._has_end(self._again[0][0]):
            self._again = []
        return None

    @staticmethod
    def _has_end(line: bytes) -> bool:
        return line.endswith((b"\n", b"\r"))

    def rest(self) -> tuple[int, int]:
        """How many lines and rows follow."""
        lines = rows = 0
        while True:
            taken, begins, again = self.take(LINES_AN_ENTRY)
            if not taken:
                return lines, rows
            lines += len(taken) - again
            rows += sum(begins[again:])

    def put_rest(self, writer: SealWriter) -> int:
        """Seal the lines that follow; how many there are, a line that only got its end among them."""
        put = 0
        taken, begins, again = self.take(LINES_AN_ENTRY)
        while taken:
            put += len(taken)
            following = self.take(LINES_AN_ENTRY)
            hashes = [hashlib.sha256(line).digest() for line in taken]
            whole = hashlib.sha256(b"".join(hashes)).digest()
            is_open = not following[0] and not self._has_end(taken[-1])
            writer.put_lines(whole, hashes, begins, again=again, is_open=is_open)
            taken, begins, again = following
        return put


def seal_state(log: Path) -> SealState:
    """Hold a log against the seal beside it.

    Args:
        log: The log; nothing is written.

    Returns:
        What became of it. No fault holds the text of a row.
    """
    place = seal_of(log)
    if not os.path.lexists(place) and log.is_symlink():
        log = log.resolve()
        place = seal_of(log)
    if not os.path.lexists(place):
        return SealState(state="none")
    try:
        seal = read_own_seal(place)
    except BrokenSealError as error:
        return SealState(
            state="broken", faults=(Fault(row=None, kind="seal", line=error.line or None, what=error.what),)
        )
    if not log.is_file():
        return _broken(seal, [Fault(row=None, kind="gone")])
    try:
        return _compared(log, seal, place)
    except OSError as error:
        what = error.strerror or type(error).__name__
        return _broken(seal, [Fault(row=None, kind="unreadable", what=what)])


def _compared(log: Path, seal: Seal, place: Path) -> SealState:
    if seal.file_sha256 is not None:
        same = file_sha256(log) == seal.file_sha256
        return held_state(seal) if same else _broken(seal, [Fault(row=None, kind="changed")])
    form = form_of(log)
    walk = LogWalk(log, form)
    block = seal.blocks[-1]
    with suppress(UnreadableLineError):
        differs = walk.broken_block(seal)
        if differs is None:
            return held_state(seal, *walk.rest())
        block = differs
    return located(log, form, seal, place, block)


def located(log: Path, form: Form, seal: Seal, place: Path, block: Block) -> SealState:
    """The state of a log that differs from its seal in some lines: where."""
    try:
        faults, more = find_faults(log, form, seal, place, block)
    except BrokenSealError as error:
        faults, more = [Fault(row=None, kind="seal", line=error.line, what=error.what)], 0
    return _broken(seal, faults, more)


def read_own_seal(place: Path) -> Seal:
    """Read a seal, which has to be a file of its own: no link leads elsewhere.

    Raises:
        BrokenSealError: Where it is none, or does not hold in itself.
    """
    if place.is_symlink() or not place.is_file():
        raise BrokenSealError(0, "is a link or a folder, where a file of its own belongs")
    try:
        return read_seal(place)
    except OSError as error:
        raise BrokenSealError(0, f"cannot be read ({error.strerror or type(error).__name__})") from None


def held_state(seal: Seal, lines: int = 0, rows: int = 0) -> SealState:
    """The state of a log that is what was sealed, and of the lines and rows that follow."""
    return SealState(
        state="holds",
        rows=seal.last.rows,
        beyond=rows,
        lines_beyond=lines,
        head=seal.last.head,
        sealed_at=seal.last.at,
        sealings=seal.sealings,
    )


def _broken(seal: Seal, faults: list[Fault], more: int = 0) -> SealState:
    return SealState(
        state="broken",
        rows=seal.last.rows,
        faults=tuple(faults),
        more=more,
        head=seal.last.head,
        sealed_at=seal.last.at,
        sealings=seal.sealings,
    )


def file_sha256(path: Path) -> str:
    """The hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
