"""Records on the disk: in report folders, in their archives, or in files of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from roi import words
from roi.ledger import SCHEMA, record_sha256
from roi.problems import InputError, Problem

__all__ = ["file_of", "find_files", "find_records", "previous_record", "read_record"]

RECORD, ARCHIVE = "decision.json", "archive"
Record = Mapping[str, Any]


def find_files(old: str, new: str) -> tuple[Path, Path]:
    """The files of the two records that a command names.

    Args:
        old: A record's file, a report folder; or the folder of all reports.
        new: A record's file, a report folder; or a pilot in the folder of all reports, whose last record is held
            against the one before.

    Raises:
        InputError: Where a record is missing or cannot be read.
    """
    folder = Path(old)
    inside = folder / new
    is_pilot = re.fullmatch(r"[a-z0-9_]{1,80}", new) is not None and folder.is_dir()
    if is_pilot and not (folder / RECORD).is_file() and (inside / RECORD).is_file():
        earlier = _previous(inside, read_record(inside))
        if earlier is None:
            message = "has no earlier record; run it again when something has changed, or name two records"
            raise InputError([Problem(str(inside), "", message)])
        return earlier, file_of(inside)
    problems: list[Problem] = []
    found: list[dict[str, Any]] = []
    for given in (old, new):
        try:
            found.append(read_record(Path(given)))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    if found[0].get("pilot") != found[1].get("pilot"):
        message = "the records are of two pilots; a difference is told between two records of one pilot"
        raise InputError([Problem(new, "pilot", message)])
    return file_of(Path(old)), file_of(Path(new))


def find_records(old: str, new: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two records that a command names; arguments and errors as those of `find_files`."""
    earlier, later = find_files(old, new)
    return read_record(earlier), read_record(later)


def file_of(path: Path) -> Path:
    """The file of a record that is named by it or by its folder."""
    return path / RECORD if path.is_dir() else path


def read_record(path: Path) -> dict[str, Any]:
    """A record, from its file or its report folder.

    Raises:
        InputError: If it is not there, is no record, or a newer version of the package wrote it.
    """
    file = file_of(path)
    name = words.shorten(file, 200)
    mend = "name a record (decision.json), a report folder, or the folder of all reports and a pilot"
    try:
        lines = [line for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]
        found = (
            [json.loads(line) for line in lines[:1]] if len(lines) == 1 else [json.loads("\n".join(lines))]
        )
    except OSError:
        raise InputError([Problem(name, "", f"does not exist; {mend}")]) from None
    except (ValueError, RecursionError):
        raise InputError([Problem(name, "", f"is not one record; {mend}")]) from None
    record = found[0]
    form = record.get("schema") if isinstance(record, dict) else None
    if isinstance(form, int) and form > SCHEMA:
        by = words.shorten((record.get("provenance") or {}).get("roi") or "a newer version", 40)
        message = f"a record of form {form}, written by roi {by}; this version knows form {SCHEMA}: install that one"
        raise InputError([Problem(name, "schema", message)])
    whole = isinstance(record, dict) and {"pilot", "verdict", "schema", "provenance"} <= set(record)
    whole = whole and isinstance(record["provenance"], dict)
    # The name is looked up in params/ later on, so that it must be a name and not a way elsewhere.
    if not whole or re.fullmatch(r"[a-z0-9_]{1,80}", str(record["pilot"])) is None:
        raise InputError([Problem(name, "", f"is not a record; {mend}")])
    return dict(record)


def previous_record(folder: Path, record: Record) -> dict[str, Any] | None:
    """The newest earlier record of a report folder that is not the given one; None where there is none.

    Args:
        folder: ``reports/<pilot>``: what stands there, else what lies in its archive.
        record: The record that is looked back from.
    """
    file = _previous(folder, record)
    return None if file is None else read_record(file)


def _previous(folder: Path, record: Record) -> Path | None:
    files = [folder / RECORD, *sorted((folder / ARCHIVE).glob(f"*/{RECORD}"), key=_age, reverse=True)]
    for file in files:
        try:
            found = read_record(file)
        except InputError:
            continue
        if record_sha256(found) != record_sha256(record):
            return file
    return None


def _age(file: Path) -> tuple[int, str]:
    """When a record was written: an archive keeps the time, and names break a tie."""
    try:
        return file.stat().st_mtime_ns, file.parent.name
    except OSError:
        return 0, file.parent.name
