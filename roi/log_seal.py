"""Sealing a log: what it holds now can be shown later to be unchanged, and where it is not.

The seal is a file of its own beside the log, which itself stays as it is. Sealing a log that grew adds to the chain,
provided that what was sealed before is still there.
"""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from roi.chain import hold
from roi.ledger import now
from roi.log_lines import UnreadableLineError, form_of
from roi.problems import InputError, Problem
from roi.readers.base import UnreadableError
from roi.readers.files import find_files
from roi.seal_file import BrokenSealError, SealWriter, seal_of
from roi.seal_state import LogWalk, SealState, file_sha256, held_state, located, read_own_seal, seal_state
from roi.seal_words import head_problem, in_words, problems_of

if TYPE_CHECKING:
    from roi.parameters import LoadedParameters

__all__ = ["checked_log", "checked_seals", "not_sealable", "seal_log", "seals_of"]


def seal_log(log: Path, *, at: str | None = None) -> tuple[SealState, int]:
    """Seal a log, or what it has grown by since it was sealed.

    Args:
        log: The log, which is only read. The seal is written beside it, whole or not at all.
        at: The time that the seal names, in UTC; by default that of the clock.

    Returns:
        What is sealed now, and how many lines of it newly: 0 where none had come, and nothing was written.

    Raises:
        InputError: Where it is nothing that can be sealed, is not what was sealed before, or cannot be read or written.
    """
    if problem := not_sealable(log):
        raise InputError([Problem(str(log), "", problem)])
    try:
        with _beside(log) as (file, part):
            return _sealed(log, file, part, at or now())
    except UnreadableLineError as error:
        if found := problems_of(str(log), seal_state(log)):
            raise InputError(found) from None
        message = f"cannot be read to its end ({error}); is it whole, and what its ending says?"
        raise InputError([Problem(str(log), "", message)]) from None
    except OSError as error:
        raise InputError([Problem(str(log), "", f"cannot be sealed ({_why(error)})")]) from None


def not_sealable(log: Path) -> str:
    """Why a log cannot be sealed, and what to do instead; empty where it can."""
    name = str(log)
    if not os.path.lexists(log):
        if name.startswith("${"):
            return _DATABASE
        if glob.has_magic(name):
            return "is a pattern, and a seal is of one log; name the files, without quotation marks around the pattern"
        return "does not exist"
    if log.is_symlink():
        return f"is a link; seal the log that it leads to: roi seal {os.path.relpath(log.resolve())}"
    if log.is_dir():
        return f"is a folder, and a seal is of one log; name its files: roi seal {name.rstrip('/')}/*.csv"
    if not log.is_file():
        return "is not a regular file; write the log to one, and seal that"
    if log.suffix == ".seal":
        return f"is a seal itself; name the log beside it: roi seal {log.with_suffix('')}"
    try:
        with log.open("rb") as stream:
            start = stream.read(16)
    except OSError as error:
        return f"cannot be read ({_why(error)})"
    if start.startswith(b"SQLite format 3") or start[8:12] == b"DUCK" or log.suffix.lower() in _DATABASES:
        return _DATABASE
    return "" if start else "is empty; seal it once there is something in it"


_DATABASES = (".duckdb", ".ddb", ".db", ".sqlite", ".sqlite3")
_DATABASE = (
    "is a database, whose rows lie in no order that could be sealed; export the log as CSV or JSON lines, in the order "
    "of its times, and seal that"
)


def _sealed(log: Path, file: IO[bytes], part: Path, at: str) -> tuple[SealState, int]:
    place, form = seal_of(log), form_of(log)
    try:
        before = read_own_seal(place) if os.path.lexists(place) else None
    except BrokenSealError:
        raise InputError(problems_of(str(log), seal_state(log))) from None
    if before is None:
        writer = SealWriter(file)
    else:
        last = before.last
        writer = SealWriter(
            file, entries=before.entries, head=last.head, lines=last.lines, rows=last.rows or 0
        )
        with place.open("rb") as old:
            shutil.copyfileobj(old, file)
    is_file = form == "file" if before is None else before.file_sha256 is not None
    if is_file:
        sha256 = file_sha256(log)
        if before is not None and before.file_sha256 != sha256:
            raise InputError(problems_of(str(log), seal_state(log)))
        put = 0 if before is not None else 1
        if put:
            writer.put_file(sha256, log.stat().st_size)
    else:
        walk = LogWalk(log, form)
        if before is not None and (block := walk.broken_block(before)) is not None:
            raise InputError(problems_of(str(log), located(log, form, before, place, block)))
        put = walk.put_rest(writer)
    if before is not None and not put:
        return held_state(before), 0
    writer.close(at, is_file=is_file)
    sealed = read_own_seal(part)
    os.replace(part, place)
    with suppress(OSError):  # not every system lets a folder be opened
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return held_state(sealed), put


@contextmanager
def _beside(log: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """A file beside the log to write its seal into, alone with it; it is gone afterwards unless it became the seal."""
    part = log.with_name(f".{log.name}.seal.part")
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(part, flags, 0o644)
    with open(descriptor, "r+b") as file:

        def is_ours() -> bool:
            # Whoever held it before may have made it the seal meanwhile.
            return part.exists() and os.path.samestat(os.fstat(descriptor), part.stat())

        if not hold(descriptor, wait=False) or not is_ours():
            raise InputError([Problem(str(log), "", "is just being sealed by another process; try again")])
        try:
            file.truncate()
            yield file, part
        finally:
            if is_ours():
                part.unlink()


def _why(error: OSError) -> str:
    """The system's words, without the path that some add."""
    return error.strerror or type(error).__name__


def checked_log(log: Path, head: str | None = None) -> SealState:
    """Hold a log against its seal, and that against a head that was kept elsewhere; nothing is written.

    Raises:
        InputError: Where the seal is not there, does not hold, or has no such head.
    """
    state = seal_state(log)
    problems = problems_of(str(log), state)
    if state.state == "none":
        message = not_sealable(log) or f"has no seal beside it; make one: roi seal {log}"
        problems.append(Problem(str(log), "", message))
    elif head is not None:
        problems += head_problem(str(log), state, head)
    if problems:
        raise InputError(problems)
    return state


def seals_of(loaded: LoadedParameters, table: str | None = None) -> tuple[tuple[str, SealState], ...]:
    """The seals of a pilot's sample files, joined exports among them.

    Args:
        loaded: The pilot's parameters.
        table: Of one table alone, such as `actions`; by default of all.

    Returns:
        File (relative to the project folder) → what became of it, in the order of the parameter file; `none` where no
        seal lies beside it. Databases have no files, and files that are not there are left out.
    """
    found: dict[str, SealState] = {}
    for name, spec in loaded.parameters.samples.tables().items():
        if table not in (None, name):
            continue
        for source in (spec.source, *(join.source for join in spec.join)):
            with suppress(UnreadableError):  # which opening the samples says
                for file in find_files(
                    source.file,
                    project=loaded.project,
                    folder=loaded.path.parent,
                    file=loaded.name,
                    place=f"samples.{name}",
                ):
                    if file.name not in found:
                        found[file.name] = seal_state(file.path)
    return tuple(found.items())


def checked_seals(loaded: LoadedParameters) -> tuple[list[str], list[Problem]]:
    """The seals of a pilot's sample files in words: those that hold, a line each, and what is wrong with the others."""
    said: list[str] = []
    problems: list[Problem] = []
    for name, state in seals_of(loaded):
        problems += problems_of(name, state)
        if state.state == "holds":
            said.append(f"{name} is {in_words(state)}")
    return said, problems
