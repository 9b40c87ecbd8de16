"""Finding the files that a source names, and taking their fingerprints and encoding in one pass."""

from __future__ import annotations

import codecs
import glob
import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

from roi.problems import Problem
from roi.readers.base import Connection, UnreadableError, literal

__all__ = [
    "SMALL",
    "Found",
    "Seen",
    "find_files",
    "give_all",
    "give_threads",
    "look_through",
    "open_bytes",
    "unbound",
    "weigh",
]

_CHUNK = 1 << 20
SMALL = 8 << 20
"""Bytes, from which on reading with all threads saves more than they cost afterwards."""
_PACKED = (".gz", ".parquet", ".pq", ".xlsx", ".xlsm", ".xlsb", ".ods")
_CONTROLS = tuple(bytes([c]) for c in range(32) if c not in (9, 10, 12, 13, 27))
_UNDEFINED = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")

Encoding = Literal["utf-8", "utf-8-sig", "utf-16", "cp1252"]


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a source.

    Attributes:
        path: Where it is.
        name: Its path relative to the project folder, with forward slashes.
    """

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What one pass over a file's bytes shows.

    Attributes:
        sha256: Of the bytes as they lie on the disk.
        size: Bytes after decompression.
        encoding: How its text is written; None where it is no text.
    """

    sha256: str
    size: int
    encoding: Encoding | None


def find_files(patterns: Sequence[str], *, project: Path, folder: Path, file: str, place: str) -> list[Found]:
    """The files that paths and globs name, in the order given and sorted within a glob.

    Args:
        patterns: Paths or globs relative to the project folder; the parameter file's own folder is looked into too.
        project: The project folder.
        folder: The folder of the parameter file.
        file: The parameter file's name, for messages.
        place: The key that names the source, for messages.

    Raises:
        UnreadableError: With every path that leads to no file.
    """
    found: dict[Path, Found] = {}
    problems: list[Problem] = []
    for pattern in patterns:
        paths = _matches(pattern, project) or _matches(pattern, folder)
        if not paths:
            looked = "looked in the project folder and the folder of this file"
            what = "matches no file" if glob.has_magic(pattern) else "does not exist"
            problems.append(Problem(file, place, f"{pattern} {what} ({looked})"))
        for path in paths:
            if path.is_dir():
                hint = f"{pattern.rstrip('/')}/*.csv"
                problems.append(
                    Problem(file, place, f"{pattern} is a folder; name the file, or a glob such as {hint}")
                )
            elif not path.is_file():
                problems.append(Problem(file, place, f"{pattern} is not a regular file"))
            else:
                found.setdefault(path, Found(path, Path(os.path.relpath(path, project)).as_posix()))
    if problems:
        raise UnreadableError(problems)
    return list(found.values())


def _matches(pattern: str, base: Path) -> list[Path]:
    path = base / pattern
    if os.path.exists(path):
        return [path]
    if not glob.has_magic(pattern):
        return []
    found = (base / p for p in glob.glob(pattern, root_dir=base, recursive=True) if not p.endswith(".seal"))
    return sorted(path for path in found if path.is_file())


def give_threads(con: Connection, files: Sequence[Found]) -> None:
    """Let the engine use all that it has where a source is large."""
    if weigh(files) > SMALL:
        give_all(con)


def give_all(con: Connection) -> None:
    """Give the engine its threads and all its ways to make a query quick back."""
    con.execute("reset threads; reset disabled_optimizers")


def unbound(con: Connection) -> None:
    """Take the bound off an engine's memory."""
    con.execute("reset memory_limit")  # which alters what is said of it alone (DuckDB 1.5)
    ((most,),) = con.execute("select current_setting('memory_limit')").fetchall()
    con.execute(f"set memory_limit = {literal(most)}")


def weigh(files: Sequence[Found]) -> int:
    """Bytes of some files; a packed byte counts as eight."""
    return sum(f.path.stat().st_size * (8 if f.path.suffix.lower() in _PACKED else 1) for f in files)


def open_bytes(path: Path) -> IO[bytes]:
    """The bytes of a file, decompressed where its name ends in .gz."""
    return cast(IO[bytes], gzip.open(path, "rb")) if path.suffix.lower() == ".gz" else path.open("rb")


def look_through(found: Found) -> Seen:
    """Fingerprint a file and find out how its text is written.

    UTF-8 (with or without a byte-order mark) and UTF-16 with one are recognised. Text that is not UTF-8 is taken as
    Windows-1252, which Western European spreadsheets write.

    Raises:
        UnreadableError: If the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        if found.path.suffix.lower() == ".gz":
            with found.path.open("rb") as raw:
                for chunk in _chunks(raw):
                    digest.update(chunk)
            with open_bytes(found.path) as text:
                size, encoding = _encoding(_chunks(text))
        else:
            with found.path.open("rb") as text:
                size, encoding = _encoding(_hashed(_chunks(text), digest))
    except (OSError, EOFError, zlib.error) as error:
        mend = "; is it whole, and what its ending says?" if found.path.suffix.lower() == ".gz" else ""
        message = f"cannot be read ({type(error).__name__}){mend}"
        raise UnreadableError([Problem(found.name, "", message)]) from None
    return Seen(digest.hexdigest(), size, encoding)


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk


def _hashed(chunks: Iterator[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk


def _encoding(chunks: Iterator[bytes]) -> tuple[int, Encoding | None]:
    size = 0
    first = True
    utf8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
    western = True
    found: Encoding = "utf-8"
    binary = False
    for chunk in chunks:
        if first:
            first = False
            if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                found = "utf-16"
            elif chunk.startswith(codecs.BOM_UTF8):
                found = "utf-8-sig"
        size += len(chunk)
        if found == "utf-16" or binary:
            continue
        if any(c in chunk for c in _CONTROLS):
            binary = True
            continue
        ascii_ = chunk.isascii()
        if utf8 is not None and not (ascii_ and not utf8.getstate()[0]):
            try:
                utf8.decode(chunk)
            except UnicodeDecodeError:
                utf8 = None
        # The five bytes that Windows-1252 leaves undefined do not occur in a text of it.
        western = western and (ascii_ or not any(b in chunk for b in _UNDEFINED))
    if found == "utf-16":
        return size, found
    if utf8 is not None and not binary:
        try:
            utf8.decode(b"", True)
        except UnicodeDecodeError:
            utf8 = None
    if binary:
        return size, None
    if utf8 is not None:
        return size, found
    return size, "cp1252" if western and found == "utf-8" else None
