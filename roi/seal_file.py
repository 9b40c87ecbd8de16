"""The file beside a log that seals it: `<log>.seal`, a chain of entries as the ledger's, a line each.

An entry of kind `lines` holds the SHA-256 over the full SHA-256 hashes of up to `LINES_AN_ENTRY` lines of the log, and
the first 12 bytes of each of these hashes. The former shows at full strength that something was changed; the latter
only tell where, so that they may be short. `begins` marks the lines with which a row begins, where not all do. `file`
holds the hash of a log that is no text. `sealed` ends a sealing and says when it was. As each entry names the hash of
the one before, the hash of the last `sealed`, the head, stands for everything before it.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from roi.chain import FIRST, canonical_text, entry_of, is_whole, linked

__all__ = [
    "DIGEST",
    "LINES_AN_ENTRY",
    "Block",
    "BrokenSealError",
    "Seal",
    "SealWriter",
    "Sealing",
    "read_digests",
    "read_seal",
    "seal_of",
]

DIGEST = 12
"""Bytes of a line's hash that are kept to tell where something was changed."""

LINES_AN_ENTRY = 1024
FORMAT = 1
_LONGEST = 1 << 20
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.A)


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of the log that one entry seals.

    Attributes:
        first: Its first line, from 0.
        lines: How many.
        sha256: Over their hashes.
        is_open: Whether the last of them had no end when it was sealed; its hash is of what stood there.
    """

    first: int
    lines: int
    sha256: bytes
    is_open: bool


@dataclass(frozen=True, slots=True)
class Sealing:
    """One time that the log was sealed.

    Attributes:
        at: When, in UTC, by the clock of who sealed.
        lines: Lines of the log that were sealed by then; 1 for a log that is no text.
        rows: Rows; None for a log that is no text.
        head: Hash of the entry.
    """

    at: str
    lines: int
    rows: int | None
    head: str


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal whose chain holds.

    Attributes:
        blocks: What it says of lines, in order; empty for a log that is no text.
        sealings: At least one.
        entries: How many entries it has.
        file_sha256: Of a log that is no text.
    """

    blocks: tuple[Block, ...]
    sealings: tuple[Sealing, ...]
    entries: int
    file_sha256: str | None = None

    @property
    def last(self) -> Sealing:
        return self.sealings[-1]

    @property
    def is_open(self) -> bool:
        """Whether the last sealed line had no end."""
        return bool(self.blocks) and self.blocks[-1].is_open


class BrokenSealError(Exception):
    """A seal that does not hold in itself.

    Attributes:
        line: Of the seal's file, from 1.
        what: What is wrong with it.
    """

    def __init__(self, line: int, what: str) -> None:
        self.line, self.what = line, what
        super().__init__(f"line {line}: {what}")


def seal_of(log: Path) -> Path:
    """Where the seal of a log lies."""
    return log.with_name(f"{log.name}.seal")


def read_seal(path: Path) -> Seal:
    """Read a seal and hold each entry against the one before.

    Raises:
        BrokenSealError: At the first line that is not what was written.
        OSError: If it cannot be read.
    """
    blocks: list[Block] = []
    sealings: list[Sealing] = []
    file_sha256: str | None = None
    line = total = 0
    closed = False
    for line, entry in _entries(path):
        closed = False
        try:
            if entry["kind"] == "lines" and file_sha256 is None:
                block = _block(entry, total, follows_open=bool(blocks) and blocks[-1].is_open)
                total = block.first + block.lines
                blocks.append(block)
            elif entry["kind"] == "file" and not total:
                file_sha256, total = str(entry["sha256"]), 1
            elif entry["kind"] == "sealed" and total and entry["lines"] == total:
                rows = None if file_sha256 else int(entry["rows"])
                if not _TIME.fullmatch(entry["at"]):
                    raise ValueError("is no time")
                sealings.append(Sealing(entry["at"], total, rows, str(entry["hash"])))
                closed = True
            else:
                raise ValueError(entry["kind"])
        except (KeyError, ValueError, TypeError):
            raise BrokenSealError(
                line, "is nothing that this version writes into a seal; was it sealed by a newer one?"
            ) from None
    if not closed:
        raise BrokenSealError(line + 1, "is missing: the seal was cut off")
    return Seal(tuple(blocks), tuple(sealings), line, file_sha256)


def _block(entry: dict[str, Any], total: int, *, follows_open: bool) -> Block:
    first, lines, sha256 = entry["first"] - 1, entry["lines"], bytes.fromhex(entry["sha256"])
    if type(first) is not int or type(lines) is not int:
        raise TypeError("are no whole numbers")
    # A line that got its end after it was sealed is sealed once more.
    if first != (total - 1 if follows_open else total) or not lines >= 1 or len(sha256) != 32:
        raise ValueError("does not go on where the entry before ended")
    return Block(first, lines, sha256, entry.get("open") is True)


def _entries(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    head = FIRST
    with path.open("rb") as file:
        place = 0
        while text := file.readline(_LONGEST):
            place += 1
            entry = entry_of(text[:-1])
            if not text.endswith(b"\n"):
                raise BrokenSealError(place, "was cut off")
            if entry is None:
                raise BrokenSealError(place, "is no entry of a seal")
            if not is_whole(entry, text[:-1]):
                raise BrokenSealError(place, "was changed: its hash is not that of what it holds")
            if entry.get("n") != place or entry.get("prev") != head:
                raise BrokenSealError(
                    place, "does not follow the line before: lines were swapped, put in or taken out"
                )
            head = str(entry["hash"])
            yield place, entry


def read_digests(path: Path) -> tuple[NDArray[np.void], NDArray[np.bool_]]:
    """The digest of each sealed line, and whether a row begins with it.

    Args:
        path: A seal that holds.

    Returns:
        Digests of `DIGEST` bytes, shape (n_lines,), and marks of the same shape.

    Raises:
        BrokenSealError: Where they are not as many as the entry says.
    """
    digests, begins = bytearray(), bytearray()
    for line, entry in _entries(path):
        if entry["kind"] != "lines":
            continue
        n, first = entry["lines"], entry["first"] - 1
        try:
            found = base64.b64decode(entry["digests"], validate=True)
            marks = _unpacked(entry.get("begins"), n) if len(found) == n * DIGEST else b""
        except (KeyError, ValueError, TypeError):
            marks = b""
        if len(marks) != n:
            raise BrokenSealError(line, "does not hold a digest of each line")
        digests[first * DIGEST :] = found
        begins[first:] = marks
    return np.frombuffer(bytes(digests), f"V{DIGEST}"), np.frombuffer(bytes(begins), np.bool_)


def _unpacked(packed: str | None, n: int) -> bytes:
    if packed is None:
        return b"\1" * n
    bits = np.frombuffer(base64.b64decode(packed, validate=True), np.uint8)
    return np.unpackbits(bits, count=n).tobytes() if bits.size * 8 >= n else b""


class SealWriter:
    """Writes the entries of one sealing.

    Args:
        file: Where they go; what was there before stays before them.
        entries: How many stand before them.
        head: Hash of the last of these.
        lines: Lines of the log that are sealed by them.
        rows: Rows among these.
    """

    def __init__(
        self, file: IO[bytes], *, entries: int = 0, head: str = FIRST, lines: int = 0, rows: int = 0
    ) -> None:
        self._file = file
        self._n = entries
        self.head = head
        self.lines = lines
        self.rows = rows

    def put_lines(
        self, sha256: bytes, hashes: Sequence[bytes], begins: Sequence[bool], *, again: bool, is_open: bool
    ) -> None:
        """Seal lines.

        Args:
            sha256: Over their hashes.
            hashes: Their full hashes.
            begins: Whether a row begins with each.
            again: Whether the first of them was sealed before, without its end.
            is_open: Whether the last has no end.
        """
        entry: dict[str, Any] = {
            "kind": "lines",
            "first": self.lines + (0 if again else 1),
            "lines": len(hashes),
            "sha256": sha256.hex(),
            "digests": base64.b64encode(b"".join(h[:DIGEST] for h in hashes)).decode(),
        }
        if not all(begins):
            entry["begins"] = base64.b64encode(np.packbits(begins).tobytes()).decode()
        if is_open:
            entry["open"] = True
        self._put(entry)
        self.lines += len(hashes) - again
        self.rows += sum(begins[1:] if again else begins)

    def put_file(self, sha256: str, size: int) -> None:
        """Seal a log that is no text by its hash and its size in bytes."""
        self._put({"kind": "file", "sha256": sha256, "bytes": size})
        self.lines = 1

    def close(self, at: str, *, is_file: bool = False) -> str:
        """End the sealing and force it to the disk; returns the head."""
        rows = None if is_file else self.rows
        self._put({"kind": "sealed", "seal": FORMAT, "at": at, "lines": self.lines, "rows": rows})
        self._file.flush()
        os.fsync(self._file.fileno())
        return self.head

    def _put(self, payload: dict[str, Any]) -> None:
        self._n += 1
        entry = linked(payload, n=self._n, prev=self.head)
        self.head = str(entry["hash"])
        self._file.write(canonical_text(entry).encode() + b"\n")
