"""What the last run took of the samples, taken over where, and only where, taking it again could not differ.

Reading and reducing large samples takes most of a run; a changed price changes nothing of it. So a run keeps by what it
read, part by part: the parameters, but for a short list of groups and keys that nothing reads while samples are read
and reduced (`FREE`; `tests/test_taken_over.py` refuses them to it), the policy, the bytes of every sample file and of
the seal beside it, what of the environment counts, and all that computes. The next run takes over what the archive
holds if all of that is the same as it stands now, in its own process and from the files' own bytes; if the ledger knows
the archive by its hash; and if what the archive says of the samples' bytes is what they are. Samples in a database are
always read: whether it would give the same rows in the same order, nobody can tell without reading them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import TZPATH

from roi.archive import MOMENTS, archive_of
from roi.controls.findings_list import FINDINGS
from roi.engine import MEMORY
from roi.issue import Run
from roi.json_object import read_object
from roi.ledger import read_ledger
from roi.made_with import INPUTS, TAKEN, file_sha256, program, taken_note
from roi.parameters import LoadedParameters
from roi.problems import InputError
from roi.readers.base import UnreadableError
from roi.readers.files import Found, find_files
from roi.taken import Taken

__all__ = [
    "FREE",
    "Former",
    "Reading",
    "former_of",
    "keep_note",
    "reading_of",
    "say_over",
]

FREE: Mapping[str, frozenset[str]] = {
    "demand": frozenset({"cases_per_month"}),
    "economics": frozenset(
        {
            "adoption", "approval_minutes", "contingency", "costs", "design_bias", "discount_rate", "error_cost", "fx",
            "horizon_months", "labour_cost_per_hour", "pilot_cost_per_month", "realisation", "rollout_cost",
            "run_cost_per_month", "severity_mix", "start", "waiting_cost_per_hour", "wind_down_cost",
        }
    ),
    "measurement": frozenset({"*"}),
    "remedies": frozenset({"*"}),
    "alternatives": frozenset({"*"}),
    "claims": frozenset({"*"}),
    "scenarios": frozenset({"*"}),
}  # fmt: skip
"""Group of the parameter file → its keys that nothing reads while samples are read and reduced; `*` is all of it.

Whatever stands nowhere here counts, also what may come to be a key one day. That model usage is not priced twice
(`economics.costs`) is held against what was taken, whenever that is decided on.
"""
VARIABLES = (MEMORY, "TZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that taking from the samples rests on, as it stands before they are read.

    Attributes:
        key: By part as hashes: equal ones give the same.
        fingerprints: Source → sha256 of its bytes, as a record states them.
        stamps: Of each file that was looked at, what the system says of it; None where it is not there.
    """

    key: Mapping[str, Any]
    fingerprints: Mapping[str, str]
    stamps: Mapping[Path, tuple[int, ...] | None]

    def stands(self) -> bool:
        """Whether no file was touched since."""
        return all(_stamp(path) == stamp for path, stamp in self.stamps.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """What the last run took of the same samples.

    Attributes:
        taken: What a decision needs of them.
        beside: What else pages show of them, as the archive holds it.
    """

    taken: Taken
    beside: Mapping[str, Any]


def reading_of(loaded: LoadedParameters) -> Reading | None:
    """What taking from a pilot's samples rests on.

    Args:
        loaded: The checked parameters.

    Returns:
        None where it cannot be told without reading: a sample lies in a database, or a file is not there.
    """
    p = loaded.parameters
    given = p.samples.tables()
    sources = [(name, s.source) for name, table in given.items() for s in (table, *table.join)]
    if p.run.engine == "source" or any(source.connect is not None for _, source in sources):
        return None
    hashes: dict[str, str | None] = {}
    prints: dict[str, str] = {}
    stamps: dict[Path, tuple[int, ...] | None] = {loaded.path: _stamp(loaded.path)}
    try:
        for name, source in sources:
            for file in find_files(
                source.file, project=loaded.project, folder=loaded.path.parent, file="", place=""
            ):
                _look_at(file, hashes, stamps)
                if name != "actuals":  # which come after a decision; no record states their bytes
                    prints[file.name] = str(hashes[file.name])
    except (OSError, UnreadableError):
        return None
    key = {
        "file": loaded.name,
        "parameters": _sha256(repr(list(_counting(loaded)))),
        "policy": loaded.policy_sha256,
        "samples": dict(sorted(hashes.items())),
        "environment": _environment(loaded),
        "zones": _zones({p.samples.timezone, *(s.timezone for t in given.values() for s in (t, *t.join))}),
        "program": _sha256(json.dumps(program(), sort_keys=True)),
    }
    return Reading(key=key, fingerprints=dict(sorted(prints.items())), stamps=stamps)


def _look_at(file: Found, hashes: dict[str, str | None], stamps: dict[Path, tuple[int, ...] | None]) -> None:
    """Note a sample's bytes and those of the seal beside it, which may be missing."""
    for path, name in (
        (file.path, file.name),
        (seal := file.path.with_name(file.path.name + ".seal"), f"{file.name}.seal"),
    ):
        if name not in hashes:
            stamps[path] = _stamp(path)  # before the bytes: what changes meanwhile is seen to have
            hashes[name] = None if path == seal and not seal.is_file() else file_sha256(path)


def _counting(loaded: LoadedParameters) -> Iterator[tuple[str, Any]]:
    """The checked values, defaults filled in, but for those that are free."""
    for name in type(loaded.parameters).model_fields:
        group, free = getattr(loaded.parameters, name), FREE.get(name, frozenset())
        if not free:
            yield name, group
        elif "*" not in free:
            yield from ((f"{name}.{k}", getattr(group, k)) for k in type(group).model_fields if k not in free)


def _environment(loaded: LoadedParameters) -> str:
    """One hash over the variables that count: the key of pseudonyms, and what the engine is given."""
    names = [name for name in (loaded.policy.privacy.key_env, *VARIABLES) if name]
    return _sha256(repr([(name, os.environ.get(name)) for name in names]))


def _zones(names: set[str | None]) -> dict[str, str | None]:
    """The system's rules of the time zones that are named; None where a library's hold."""
    found = {}
    for name in sorted(name for name in names if name):
        places = (Path(folder, name) for folder in TZPATH)
        place = next((place for place in places if place.is_file()), None)
        found[name] = None if place is None else file_sha256(place)
    return found


def former_of(run: Run, loaded: LoadedParameters, reading: Reading | None) -> Former | None:
    """What the last run took, and the rows of what its controls found, which are put into this run's folder.

    Args:
        run: The run that would otherwise read the samples.
        loaded: The checked parameters.
        reading: What taking from the samples rests on now.

    Returns:
        None where anything of it is not there, not whole or not of the same; then the samples are to be read.
    """
    if run.before is None or reading is None:
        return None
    try:
        note = read_object(run.before / INPUTS) or {}
        if note["taken"] != json.loads(json.dumps(reading.key)):
            return None
        data = (run.before / MOMENTS).read_bytes()
        archive = archive_of(data, MOMENTS)
        if archive.withheld is not None or not _is_issued(run, archive.content["record"], data):
            return None
        former = Former(taken=archive.taken(), beside=archive.content["beside"])
        if dict(former.taken.fingerprints) != reading.fingerprints:
            return None
        return former if _brought(run.before / FINDINGS, run.folder / FINDINGS, former) else None
    except (InputError, OSError, ValueError, KeyError, TypeError):
        return None


def _is_issued(run: Run, record: str, archive: bytes) -> bool:
    """Whether the ledger knows an archive, byte for byte, as that of a record of the pilot."""
    digest = hashlib.sha256(archive).hexdigest()
    return any(
        entry.get("kind") == "record"
        and (entry.get("pilot"), entry.get("record"), entry.get("moments")) == (run.pilot, record, digest)
        for entry in read_ledger(run.ledger)
    )


def _brought(source: Path, target: Path, former: Former) -> bool:
    """Whether the rows of the findings are in this run's folder, byte for byte as the archive knows them."""
    try:
        try:
            os.link(source, target)  # of many rows they take much room
        except OSError:
            shutil.copyfile(source, target)
        if file_sha256(target) == former.beside["findings"]:
            return True
    except OSError:
        pass
    with suppress(OSError):
        target.unlink()
    return False


def keep_note(run: Run, reading: Reading | None, *, over: bool) -> None:
    """Keep beside a run's archive by what it was taken, unless a file was touched meanwhile.

    Args:
        run: The run, whose archive is written.
        reading: What taking rested on before anything was read.
        over: Whether it was taken over.
    """
    if reading is not None and reading.stands():
        text = json.dumps({"of": reading.key, "over": over}, sort_keys=True)
        (run.folder / TAKEN).write_text(text + "\n", encoding="utf-8")


def say_over(run: Run) -> None:
    """Say in a run's note that its pages asked nothing of the samples either."""
    if (note := taken_note(run.folder)) is not None:
        text = json.dumps({**note, "asked_over": True}, sort_keys=True)
        (run.folder / TAKEN).write_text(text + "\n", encoding="utf-8")


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
