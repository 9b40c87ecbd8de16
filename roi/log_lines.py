"""The lines of a log, byte for byte, and which of them begin a row.

A line ends after a line feed, a carriage return, or both, as readers of CSV take it; its end is part of it, so that no
byte of a log is in no line. Lines are what is hashed: where they end is told by the line alone, so that one stray
quotation mark spoils one line. Rows are what people count: from 1, without header and blank lines, a cell with line
breaks being one row.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

from roi.readers.files import open_bytes

__all__ = ["Form", "RowCounter", "UnreadableLineError", "form_of", "lines_of", "without_end"]

Form = Literal["cells", "objects", "text", "file"]
"""How a log is read: cells with a header, objects a line, other text by its lines, or nothing but a file."""

_CHUNK = 1 << 20
LONGEST_PIECE = 1 << 24
"""Bytes of a line that are held at once; a longer one is taken in pieces, counted from where it begins."""

_CELLS = (".csv", ".tsv", ".txt", ".tab", ".psv")
_OBJECTS = (".jsonl", ".ndjson")
_BINARY = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".parquet", ".pq")
_BINARY_STARTS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PAR1")


class UnreadableLineError(Exception):
    """The rest of a log cannot be read; what came before was."""


def form_of(path: Path) -> Form:
    """How a log is read, by its ending and its first bytes.

    Raises:
        OSError: If it cannot be read.
    """
    suffixes = [s.lower() for s in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    ending = suffixes[-1] if suffixes else ""
    with path.open("rb") as stream:
        start = stream.read(8)
    if ending in _BINARY or start.startswith(_BINARY_STARTS):
        return "file"
    return "cells" if ending in _CELLS else "objects" if ending in _OBJECTS else "text"


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a text, unpacked where it ends in .gz, each with its end; UTF-16 as UTF-8.

    Lines longer than `LONGEST_PIECE` bytes come in pieces of that length.

    Raises:
        UnreadableLineError: Where the rest cannot be read, after the lines before.
    """
    rest = b""
    for chunk in _texts(path):
        whole = rest + chunk
        found = whole.splitlines(keepends=True)
        # The last may go on, and a carriage return may have its line feed in the next chunk.
        rest = found.pop() if found and not found[-1].endswith(b"\n") else b""
        yield from found if len(whole) <= LONGEST_PIECE else _cut(found)
        while len(rest) > LONGEST_PIECE:
            yield rest[:LONGEST_PIECE]
            rest = rest[LONGEST_PIECE:]
    if rest:
        yield rest


def _cut(lines: list[bytes]) -> Iterator[bytes]:
    for line in lines:
        if len(line) <= LONGEST_PIECE:
            yield line
        else:
            yield from (line[i : i + LONGEST_PIECE] for i in range(0, len(line), LONGEST_PIECE))


def without_end(line: bytes) -> bytes:
    """A line without the sign or signs that end it."""
    return line[:-2] if line.endswith(b"\r\n") else line[:-1] if line.endswith((b"\n", b"\r")) else line


def _texts(path: Path) -> Iterator[bytes]:
    with open_bytes(path) as stream:
        first = _read(stream)
        if not first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            while first:
                yield first
                first = _read(stream)
            return
        # Without the encoding that looks for a mark: each pair of bytes, right or wrong, has a text of its own.
        name = "utf-16-le" if first.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
        decoder = codecs.getincrementaldecoder(name)("surrogatepass")
        odd = b""
        while first:
            whole = odd + first
            odd = whole[len(whole) // 2 * 2 :]
            yield decoder.decode(whole[: len(whole) // 2 * 2]).encode("utf-8", "surrogatepass")
            first = _read(stream)
        if left := decoder.getstate()[0] + odd:
            yield b"\xff" + left  # half a sign, which no text of UTF-8 begins with


def _read(stream: IO[bytes]) -> bytes:
    try:
        return stream.read1(_CHUNK)  # type: ignore[attr-defined,no-any-return]  # what came before a damage counts
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableLineError(type(error).__name__) from None


class RowCounter:
    """Tells of each line of a log, in order, whether a row begins with it.

    Args:
        form: How the log is read; only cells have a header and line breaks within them.
    """

    def __init__(self, form: Form) -> None:
        self._cells = form == "cells"
        self._header = self._cells
        self._inside = False
        self._goes_on = False

    def begins(self, lines: list[bytes]) -> list[bool]:
        """Whether each line begins a row; the next call goes on where this one ended."""
        return [self._begins(line) for line in lines]

    def _begins(self, line: bytes) -> bool:
        within = self._inside or self._goes_on
        self._goes_on = not line.endswith((b"\n", b"\r"))
        if not self._cells:
            return not within and not line.isspace()
        if b'"' in line and line.count(b'"') % 2:
            self._inside = not self._inside
        if within or not line.strip(b"\r\n"):
            return False
        if self._header:
            self._header = False
            return False
        return True
