"""A pilot's files appear whole or not at all; what they replace goes to its archive."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from roi.chain import hold
from roi.json_object import read_object
from roi.ledger import record_sha256
from roi.problems import InputError, Problem
from roi.report.page import write_whole
from roi.words import shorten

__all__ = [
    "WHY", "alone", "keep_partial", "make_ready", "publish", "read_record", "record_text", "recover", "remove_unused",
    "settle", "staging",
]  # fmt: skip

RECORD, WHY, ARCHIVE = "decision.json", "why.txt", "archive"
STAGED, LOCK = ".new-", ".lock"
A_DAY = 86_400


@contextmanager
def staging(out: Path, pilot: str) -> Iterator[Path]:
    """A folder beside the target, in the same file system, gone afterwards unless it was published.

    What a kill leaves of it goes with the next run (`recover`), which knows by a lock that nobody works there any more.

    Args:
        out: The folder of all reports.
        pilot: The pilot's name.
    """
    out.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{pilot}{STAGED}", suffix=LOCK, dir=out)
    folder = Path(name.removesuffix(LOCK))
    try:
        hold(descriptor)  # the lock first: a folder never lies there without one
        folder.mkdir()
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)
        Path(name).unlink(missing_ok=True)


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Publish while nobody else does, of this batch or of another one into the same folder.

    Args:
        out: The folder of all reports.
    """
    out.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(out / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        hold(descriptor)
        yield
    finally:
        os.close(descriptor)


def remove_unused(out: Path) -> None:
    """Remove a folder of reports in which nothing lies but its lock, for no pilot came so far."""
    if out.is_dir() and all(path.name == LOCK for path in out.iterdir()):
        (out / LOCK).unlink(missing_ok=True)
        out.rmdir()


def settle(folder: Path) -> None:
    """Have the disk hold a finished folder's files before its name does: a power cut leaves no half of a report.

    Args:
        folder: The finished folder.
    """
    for file in folder.iterdir():
        if file.is_file():
            with file.open("r+b") as written:
                os.fsync(written.fileno())


def publish(folder: Path, target: Path) -> None:
    """Put a finished folder in the place of a pilot's earlier one.

    Args:
        folder: The finished folder; it is moved.
        target: ``reports/<pilot>``. Its files move to ``archive/<as_of>-<hash>/`` unless the record is the same.
    """
    if target.exists():
        _take_over_archive(folder, target)
        old = target.with_name(f".{target.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        os.rename(target, old)
        os.rename(folder, target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        os.rename(folder, target)


def make_ready(out: Path) -> None:
    """Recover what an earlier batch left in a folder.

    Args:
        out: The folder of all reports.

    Raises:
        InputError: If nobody can write there.
    """
    try:
        with alone(out):
            recover(out)
    except OSError as error:
        why = f"{shorten(out, 200)} cannot be written ({error.strerror or type(error).__name__})"
        raise InputError(
            [Problem("roi batch", "--out", f"{why}; name a folder where you may write")]
        ) from None


def recover(out: Path) -> None:
    """Put back what a run that was cut off between its two renames had moved aside, and sweep up the rest.

    Args:
        out: The folder of all reports.
    """
    for old in out.glob(".*.old") if out.is_dir() else ():
        target = out / old.name[1:-4]
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.rename(old, target)
    for place in out.glob(f".*{STAGED}*") if out.is_dir() else ():
        _sweep(place)


def _sweep(place: Path) -> None:
    """Remove a staging folder, or its lock, whose process was killed."""
    lock = place if place.name.endswith(LOCK) else place.with_name(place.name + LOCK)
    folder = place.with_name(place.name.removesuffix(LOCK))
    try:
        descriptor = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        # Of a version without locks; whoever might still work there has had a day.
        if folder.is_dir() and time.time() - folder.stat().st_mtime > A_DAY:
            shutil.rmtree(folder, ignore_errors=True)
        return
    except OSError:
        return
    try:
        if hold(descriptor, wait=False):
            shutil.rmtree(folder, ignore_errors=True)
            lock.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _take_over_archive(folder: Path, target: Path) -> None:
    archive = folder / ARCHIVE
    if (target / ARCHIVE).is_dir():
        shutil.copytree(target / ARCHIVE, archive, copy_function=_link)
    before = target / RECORD
    if not before.is_file() or before.read_bytes() == _bytes(folder / RECORD):
        return
    record, new = read_record(target) or {}, read_record(folder)
    if record and new and record_sha256(record) == record_sha256(new):
        return  # the same record, signed since
    digest = record_sha256(record) if record else hashlib.sha256(before.read_bytes()).hexdigest()
    place = archive / f"{str(record.get('as_of') or 'undated')[:10]}-{digest[:12]}"
    if not place.exists():
        ignore = shutil.ignore_patterns(ARCHIVE, WHY, "*.partial.ipynb", ".*")
        shutil.copytree(target, place, copy_function=_link, ignore=ignore)


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _link(source: str, target: str) -> None:
    """A hard link where the file system has them: an archive costs no room then."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def keep_partial(folder: Path, target: Path, notebook: str, why: str) -> None:
    """Keep what a failed run had done beside the earlier, whole report.

    On a full disk, why it failed takes the room of what it had done; where that does not do, neither is kept.

    Args:
        folder: Where it ran.
        target: ``reports/<pilot>``; nothing else in it is touched.
        notebook: Name of the notebook that failed, without its ending.
        why: What went wrong.

    Raises:
        OSError: If there is no room for it.
    """
    partial, kept, text = (
        folder / f"{notebook}.ipynb",
        target / f"{notebook}.partial.ipynb",
        why.rstrip() + "\n",
    )
    try:
        write_whole(target / WHY, text)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        kept.unlink(missing_ok=True)
        write_whole(target / WHY, text)
    if partial.is_file():
        os.replace(partial, kept)


def record_text(record: Mapping[str, Any]) -> str:
    """What `decision.json` holds: the same bytes as `roi decide --json`, without importing what it imports.

    Args:
        record: The record, as the notebook carries it.
    """
    return json.dumps(record, ensure_ascii=False, allow_nan=False, sort_keys=True) + "\n"


def read_record(folder: Path) -> dict[str, Any] | None:
    """The record in a pilot's folder, or None where there is none that can be read."""
    return read_object(folder / RECORD)
