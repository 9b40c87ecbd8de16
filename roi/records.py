"""Records on the disk: in report folders, in their archives, or in files of their own."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from roi import words
from roi.json_object import read_object
from roi.ledger import SCHEMA, record_sha256
from roi.problems import InputError, Problem

__all__ = [
    "check_form",
    "file_of",
    "find_files",
    "find_records",
    "previous_record",
    "read_record",
    "refuse_newer_record",
]

RECORD, ARCHIVE = "decision.json", "archive"
Record = Mapping[str, Any]

MOST_NAMED = 5
TEXT: tuple[type, ...] = (str, type(None))
NUMBER: tuple[type, ...] = (int, float, type(None))
COUNT: tuple[type, ...] = (int, type(None))
OPTION = {"label": TEXT, "mean": NUMBER}
# The form of what is read of a record when it is verified, signed, compared or listed: kinds of a value, the keys of
# a group, in a list what its items are, and under "*" what every value of a group is. Any key may be absent or null.
FORM: dict[str, Any] = {
    **dict.fromkeys(
        ("as_of", "title", "currency", "prepared_by", "headline", "reason", "fix_kind", "ground"), TEXT
    ),
    "verdict": (str,),
    "cost_of_waiting_per_month": NUMBER,
    "sum_asked_for": NUMBER,
    "warnings": [TEXT],
    "signed": [dict.fromkeys(("as", "role", "decision", "at", "reason", "expires", "instead"), TEXT)],
    "options": {
        "scale": OPTION,
        "fix": OPTION,
        "keep": OPTION,
        "controlled": OPTION,
        "scale_segments": [OPTION],
    },
    "chances": {"*": NUMBER},
    "estimates": {"*": {"label": TEXT, "unit": TEXT, "mean": NUMBER}},
    "assumptions": [{"key": TEXT, "label": TEXT, "unit": TEXT, "evidence": TEXT, "mean": NUMBER}],
    "gates": [{"gate": (str,), "label": TEXT, "state": TEXT}],
    "settings": {},
    "policy": {},
    "money": {"plan": TEXT},
    "sample": {"by_month": {"*": {"*": COUNT}}},
    "provenance": {
        **dict.fromkeys(("roi", "params_file", "params_sha256", "policy_sha256"), TEXT),
        **dict.fromkeys(("seed", "draws", "looks", "looks_stated"), COUNT),
        "samples_sha256": {"*": (str,)},
        "versions": {"*": TEXT},
        "overrides": [(str,)],
    },
}
KINDS = {str: "a text", int: "a whole number", float: "a number", dict: "a group", list: "a list"}


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
        InputError: If it is not there, is no record, has another form than a record, or a newer version of the package
            wrote it.
    """
    file = file_of(path)
    name = words.shorten(file, 200)
    mend = "name a record (decision.json), a report folder, or the folder of all reports and a pilot"
    try:
        lines = [line for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]
        record = _parsed(lines[0] if len(lines) == 1 else "\n".join(lines))
    except OSError:
        raise InputError([Problem(name, "", f"does not exist; {mend}")]) from None
    except (ValueError, RecursionError):
        raise InputError([Problem(name, "", f"is not one record; {mend}")]) from None
    if isinstance(record, dict) and _is_newer(record):  # whose keys may be other ones
        raise InputError([_newer(record, name)])
    whole = isinstance(record, dict) and {"pilot", "verdict", "schema", "provenance"} <= set(record)
    # The name is looked up in params/ later on, so that it must be a name and not a way elsewhere.
    if not whole or re.fullmatch(r"[a-z0-9_]{1,80}", str(record["pilot"])) is None:
        raise InputError([Problem(name, "", f"is not a record; {mend}")])
    check_form(record, name)
    return dict(record)


def _parsed(text: str) -> Any:
    """The JSON value of a text; a number too large to be one (1e999), which no record holds, is none."""

    def finite(written: str) -> float:
        if not math.isfinite(value := float(written)):
            raise ValueError(f"{written} is no number of a record")
        return value

    return json.loads(text, parse_float=finite, parse_constant=finite)


def check_form(record: Record, name: str) -> None:
    """Hold what is read of a record against the form that it must have.

    Args:
        record: The record.
        name: What it is called in messages.

    Raises:
        InputError: If a newer version of the package wrote it, or with all that has another form than it must have.
    """
    if _is_newer(record):
        raise InputError([_newer(record, name)])
    odd = list(_odd(record, FORM, ""))
    if record.get("provenance") is None:
        odd.append(("provenance", "is empty where a group is wanted"))
    if odd:
        more = [("", f"and {len(odd) - MOST_NAMED} more")] if len(odd) > MOST_NAMED else []
        mend = ("", "no roi wrote it like that: put the record back from a copy, or run the pilot again")
        raise InputError(Problem(name, *said) for said in (*odd[:MOST_NAMED], *more, mend))


def _is_newer(record: Record) -> bool:
    form = record.get("schema")
    return "schema" in record and not (type(form) is int and form <= SCHEMA)


def _newer(record: Record, name: str) -> Problem:
    made = record.get("provenance")
    by = words.shorten((made.get("roi") if isinstance(made, dict) else None) or "a newer version", 40)
    form = words.shorten(record["schema"], 20)
    message = (
        f"a record of form {form}, written by roi {by}; this version knows form {SCHEMA}: install that one"
    )
    return Problem(name, "schema", message)


def refuse_newer_record(folder: Path) -> None:
    """Let nothing be written over a record that a newer version of the package wrote.

    Args:
        folder: A report folder; one without a record, or whose file is none, is nobody's loss.

    Raises:
        InputError: If its record is of a form that this version does not know.
    """
    found = read_object(folder / RECORD)
    if found is not None and _is_newer(found):
        problem = _newer(found, f"{folder.name}/{RECORD}")
        raise InputError([problem, Problem(problem.file, "", "nothing was run or overwritten")])


def _odd(value: Any, form: Any, key: str) -> Iterator[tuple[str, str]]:
    """What of a value has another form than it must have to be read, by dotted keys."""
    if isinstance(form, tuple):
        if type(value) not in form:
            wanted = " or ".join(KINDS[kind] for kind in form if kind in KINDS)
            yield (
                words.shorten(key, 120),
                f"is {KINDS.get(type(value), 'something else')} where {wanted} is wanted",
            )
    elif value is None:
        return
    elif isinstance(form, list):
        if not isinstance(value, list):
            yield (
                words.shorten(key, 120),
                f"is {KINDS.get(type(value), 'something else')} where a list is wanted",
            )
            return
        for place, item in enumerate(value):
            if item is None:
                yield f"{words.shorten(key, 120)}[{place}]", "is empty"
            else:
                yield from _odd(item, form[0], f"{key}[{place}]")
    elif not isinstance(value, dict):
        yield (
            words.shorten(key, 120),
            f"is {KINDS.get(type(value), 'something else')} where a group is wanted",
        )
    else:
        for name in value if "*" in form else form:
            if name in value:
                yield from _odd(value[name], form.get("*", form.get(name)), f"{key}.{name}" if key else name)


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
