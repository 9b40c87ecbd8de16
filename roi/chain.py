"""A file of JSON lines in which each line names the hash of the one before: what was written cannot be changed unseen.

A line is `{"n": 3, "prev": <hash of line 2>, "hash": <hash of this line without `hash`>, …}`. Changing, swapping or
taking out a line breaks the chain at a place that can be named. Lines that were cut off at the end leave the chain
whole, so that its head is written beside it (`<file>.head`): whoever keeps a head elsewhere can prove what came before.
A head stands there before the first line does, so that lines without a head are never what a kill has left.

Lines are only ever appended, under a lock, whole and through to the disk. What a kill or a power cut leaves of a line
stays where it is; the next writer ends it and says in an entry of its own ("mended") which line it was, and its hash.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roi.problems import InputError, Problem

__all__ = [
    "FIRST",
    "Chain",
    "append",
    "canonical_text",
    "entry_hash",
    "entry_of",
    "hold",
    "is_whole",
    "linked",
    "read_chain",
]

FIRST = "0" * 64
"""The predecessor of the first entry."""

MOST_NAMED = 5
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain that holds.

    Attributes:
        entries: Its entries, in order; those that mend a torn line among them.
        torn: What is left of a line at the end that was cut off while it was written; empty where there is none.
        head: Hash of the last entry, `FIRST` without one.
        ended: Whether the last whole entry lacks nothing but the end of its line.
    """

    entries: tuple[dict[str, Any], ...] = ()
    torn: bytes = b""
    head: str = FIRST
    ended: bool = True


def canonical_text(value: Any) -> str:
    """A value as text, the same for the same value; the form in which records are written, too."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(", ", ": "))


def entry_hash(entry: Entry) -> str:
    """SHA-256 of an entry without its own hash, in hexadecimal digits."""
    text = canonical_text({key: value for key, value in entry.items() if key != "hash"})
    return hashlib.sha256(text.encode()).hexdigest()


def linked(payload: Entry, *, n: int, prev: str) -> dict[str, Any]:
    """A payload as an entry of a chain.

    Args:
        payload: Plain JSON values; `n`, `prev` and `hash` are the chain's own keys.
        n: Its place, from 1.
        prev: Hash of the entry before, `FIRST` for the first.
    """
    if {"n", "prev", "hash"} & set(payload):
        raise ValueError("n, prev and hash are the chain's own keys")
    entry = {**payload, "n": n, "prev": prev}
    return {**entry, "hash": entry_hash(entry)}


def read_chain(path: Path) -> Chain:
    """Read a chain and hold every line against the one before.

    Args:
        path: The file; one that is not there is an empty chain.

    Raises:
        InputError: Where a line was changed, swapped or taken out, or lines at the end are gone; each is named.
    """
    # The head first: whoever appends meanwhile writes it last, so that it is never ahead of what is read here.
    head = _bytes_of(_head(path))
    data = _bytes_of(path) or b""
    chain, problems = _checked(data, path.name)
    if head is None and chain.entries and not problems:
        try:  # the first writer of all may have been between the two readings
            head = _head(path).read_bytes()
        except OSError:
            raise InputError(_headless(path, chain)) from None
    if head is not None and not problems:
        problems += _behind_head(path, chain, head)
    if problems:
        mend = "put the file back from a copy; nothing is written to it until it holds"
        raise InputError([*problems, Problem(path.name, "", mend)])
    return chain


def _bytes_of(path: Path) -> bytes | None:
    """What a file holds, None where there is none; a pipe, whose reader would wait for ever, is refused."""
    try:
        if path.is_file():
            return path.read_bytes()
        if not path.exists():
            return None
    except OSError as error:
        raise InputError([Problem(path.name, "", f"cannot be read ({type(error).__name__})")]) from None
    raise InputError([Problem(path.name, "", "is no file: move it away, or put the file back from a copy")])


def _checked(data: bytes, name: str) -> tuple[Chain, list[Problem]]:
    *lines, last = data.split(b"\n")
    entries: list[dict[str, Any]] = []
    problems: list[Problem] = []
    head = FIRST
    for place, line in enumerate(lines, start=1):
        entry = entry_of(line)
        if entry is None or not is_whole(entry, line):
            following = entry_of(lines[place]) if place < len(lines) else None
            if following is not None and _mends(following, line, place):
                continue
            what = "is no entry" if entry is None else "was changed: its hash is not that of what it holds"
            problems.append(Problem(name, f"line {place}", what))
            head = "" if entry is None else str(entry.get("hash"))
        else:
            problems += _link_problem(entry, len(entries) + 1, head, name, place)
            head = str(entry["hash"])
        entries.append(entry or {})
        if len(problems) >= MOST_NAMED:
            break
    whole = entry_of(last) if last else None
    ended = True
    if whole is not None and is_whole(whole, last) and not problems:
        problems += _link_problem(whole, len(entries) + 1, head, name, len(lines) + 1)
        entries.append(whole)
        head, last, ended = str(whole["hash"]), b"", False
    return Chain(tuple(entries), last, head, ended), problems


def entry_of(line: bytes) -> dict[str, Any] | None:
    """A line as an entry, whether or not its hash is right; None where it is no entry."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and "hash" in found else None


def is_whole(entry: Entry, line: bytes) -> bool:
    """Whether a line is what was written, to the byte: other blanks would leave its hash as it is."""
    try:
        return canonical_text(entry).encode() == line and entry.get("hash") == entry_hash(entry)
    except (ValueError, RecursionError):  # numbers and signs that JSON does not know
        return False


def _mends(entry: Entry, line: bytes, place: int) -> bool:
    """Whether an entry says of the line before that it was torn, and what it holds."""
    same = entry.get("torn_sha256") == hashlib.sha256(line).hexdigest()
    return entry.get("kind") == "mended" and entry.get("line") == place and same


def _link_problem(entry: Entry, n: int, head: str, name: str, place: int) -> list[Problem]:
    if entry.get("n") != n:
        message = (
            f"is entry {entry.get('n')} where entry {n} belongs: lines were swapped, taken out or put in"
        )
    elif entry.get("prev") != head and head:
        message = "follows another entry than the one before it: a line was put in place of another"
    else:
        return []
    return [Problem(name, f"line {place}", message)]


def _headless(path: Path, chain: Chain) -> list[Problem]:
    """A chain whose end nothing vouches for, and how its owner accepts it all the same."""
    n, name = len(chain.entries), _head(path).name
    message = f"is gone, so that entries may be gone from the end of {path.name} unseen"
    mend = f"put {name} back from a copy; or, if its owner is sure that entry {n} is the last that was written, let "
    mend += f"them write this line into {name}: {_head_text(n, chain.head)}"
    return [Problem(path.name, name, message), Problem(path.name, "", mend)]


def _behind_head(path: Path, chain: Chain, written: bytes) -> list[Problem]:
    """Whether the chain holds the head that was written beside it."""
    try:
        head = json.loads(written)
        n, digest = int(head["n"]), str(head["hash"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return [Problem(_head(path).name, "", "cannot be read; put it back from a copy")]
    if n > len(chain.entries):
        here = len(chain.entries)
        message = f"{n - here} of {n} entries are gone from the end: entry {n} was written and is not there"
        return [Problem(path.name, f"line {here + 1}", message)]
    if n >= 1 and chain.entries[n - 1].get("hash") != digest:
        message = f"entry {n} is another one than was written (the hash in {_head(path).name} differs)"
        return [Problem(path.name, f"entry {n}", message)]
    return []


def _head(path: Path) -> Path:
    return path.with_name(f"{path.name}.head")


def append(
    path: Path, choose: Callable[[Sequence[Entry]], Sequence[Entry]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Append to a chain, alone with it: what is there is read, held against itself, and only then written to.

    Args:
        path: The file; its folder is there.
        choose: From the entries that are there, the payloads to append; it may raise to write nothing.

    Returns:
        The new entries, and what a user should be told (of a line that had been torn).

    Raises:
        InputError: Where the chain does not hold; nothing is written then.
    """
    with _alone(path) as descriptor:
        chain = read_chain(path)
        payloads = list(choose(chain.entries))
        if not payloads:
            return [], []
        if not chain.entries:
            _write_head(path, 0, FIRST)
        said: list[str] = []
        start = b""
        if chain.torn or not chain.ended:
            place = path.read_bytes().count(b"\n") + 1
            start = b"\n"
            said = [_said(path, place, len(chain.torn))]
            payloads.insert(0, _mended(chain.torn, place))
        entries: list[dict[str, Any]] = []
        head = chain.head
        for payload in payloads:
            entries.append(linked(payload, n=len(chain.entries) + len(entries) + 1, prev=head))
            head = entries[-1]["hash"]
        data = start + b"".join(canonical_text(entry).encode() + b"\n" for entry in entries)
        _write_through(descriptor, data)
        _write_head(path, entries[-1]["n"], entries[-1]["hash"])
    return [entry for entry in entries if entry.get("kind") != "mended"], said


def _mended(torn: bytes, place: int) -> dict[str, Any]:
    return {
        "kind": "mended",
        "line": place,
        "torn_sha256": hashlib.sha256(torn).hexdigest() if torn else None,
        "torn_bytes": len(torn),
    }


def _said(path: Path, place: int, size: int) -> str:
    if size:
        return f"{path.name}, line {place}: was cut off while it was written ({size} bytes are left); ended and noted"
    return (
        f"{path.name}, line {place}: its end was cut off while it was written; it is whole, ended and noted"
    )


def _write_through(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.fsync(descriptor)


def _head_text(n: int, digest: str) -> str:
    return canonical_text({"n": n, "hash": digest})


def _write_head(path: Path, n: int, digest: str) -> None:
    partial = path.with_name(f".{path.name}.head.part")  # whoever writes is alone with the chain
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        file.write(_head_text(n, digest) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, _head(path))


@contextmanager
def _alone(path: Path) -> Iterator[int]:
    """The file, opened for appending and locked against every other writer until the end, however that comes."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
    try:
        hold(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)  # which ends the lock


def hold(descriptor: int, *, wait: bool = True) -> bool:
    """Lock an open file against every other process; the lock ends with the process, however that ends.

    Args:
        descriptor: Of the file, opened for writing.
        wait: Whether to wait until nobody else holds it.

    Returns:
        Whether it is held; False only without waiting.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, 2**30, os.SEEK_SET)  # a byte that is never written, so that others may read
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if wait:
            raise
        return False
    return True
