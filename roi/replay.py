"""A record, verified: everything it was made from is held against its hashes, and it is computed again.

From parameters and samples where these are still what they were; else from the archive of the run. What is computed is
compared byte for byte.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from roi import words
from roi.analysis import analyse
from roi.archive import MOMENTS, Archive, read_archive
from roi.ledger import now, record_sha256
from roi.parameters import LoadedParameters, Policy, load_parameters
from roi.problems import InputError, Problem
from roi.record import build_record, canonical
from roi.records import file_of, read_record
from roi.samples import open_samples
from roi.schema.injected import sha256_of
from roi.vouched import Check, of_ledger

__all__ = ["Check", "Verification", "differences", "verify"]

Record = Mapping[str, Any]
MOST_NAMED = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was found of a record.

    Attributes:
        record: The record.
        file: Its file.
        checks: What it rests on, and last the record itself.
    """

    record: Record
    file: Path
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """Whether the record is what its inputs give, and nothing speaks against it."""
        return not any(check.is_bad for check in self.checks)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What lies there of a record's inputs."""

    path: Path | None
    checks: tuple[Check, ...]

    @property
    def are_there(self) -> bool:
        return self.path is not None and all(c.state in ("held", "unknown") for c in self.checks)


def verify(given: Path, *, today: dt.date | None = None) -> Verification:
    """Verify a record.

    Args:
        given: Its file, or the report folder in which it lies.
        today: The day by which an override may have lapsed; the clock's unless given.

    Returns:
        What was found, whether it holds or not.

    Raises:
        InputError: If it is no record, or a newer version of the package wrote it.
    """
    file = file_of(given)
    record = read_record(file)
    entry, checks = of_ledger(file, record, today or dt.date.fromisoformat(now()[:10]))
    # Inputs go on; only of the record that stands for the pilot now must they be what they were.
    is_current = file.parent.parent.name != "archive"
    archive, of_archive = _of_archive(file, record, entry)
    inputs = _of_inputs(file, record, archive, is_current)
    versions = _of_versions(record, entry)
    checks += [*inputs.checks, *of_archive, *versions]
    checks += _recomputed(file, record, inputs, archive, vouched=entry is not None, is_current=is_current)
    return Verification(record=record, file=file, checks=tuple(checks))


def _of_archive(
    file: Path, record: Record, entry: Mapping[str, Any] | None
) -> tuple[Archive | None, list[Check]]:
    place = file.parent / MOMENTS
    mend = "put it back from a copy, or run the pilot again"
    if not place.is_file():
        lost = entry is not None and entry.get("moments") is not None
        says = f"{MOMENTS} is not beside the record"
        return None, [Check("archive", "gone", says, lost, mend)] if lost else []
    if entry is not None and entry.get("moments") != _sha256(place):
        says = f"{MOMENTS} is not what was issued with this record"
        return None, [Check("archive", "changed", says, True, mend)]
    try:
        archive = read_archive(place)
        if archive.content["record"] != record_sha256(record):
            raise InputError([Problem(MOMENTS, "record", "belongs to another record")])
    except InputError as error:
        problem = error.problems[0]
        return None, [Check("archive", "cannot", f"{problem.file} {problem.message}", entry is None, mend)]
    says = f"{MOMENTS}: {archive.withheld}" if archive.withheld else MOMENTS
    return archive, [Check("archive", "held", says)]


def _of_inputs(file: Path, record: Record, archive: Archive | None, is_current: bool) -> _Inputs:
    """Parameters, policy and samples as they lie in the project, held against the hashes of the record."""
    made: Mapping[str, Any] = record["provenance"]
    name = str(made.get("params_file"))
    folders = [f for base in (Path.cwd().resolve(), file.resolve().parent) for f in (base, *base.parents)]
    project = next((f for f in dict.fromkeys(folders) if (f / name).is_file()), None)
    mend = (
        "put it back from a copy to verify this record, or run the pilot again for a new one"
        if is_current
        else ""
    )

    def check(what: str, state: str, says: str) -> Check:
        bad = state == "changed" and is_current
        return Check(what, state, says, bad, mend if bad else "")

    checks = []
    path = None if project is None else project / name
    overrides = tuple(made.get("overrides") or ())
    given = {} if archive is None else archive.content["parameters"]["given"]
    if path is None:
        checks.append(check("parameters", "gone", name))
    elif set(overrides) - set(given):
        replaced = words.and_list(sorted(overrides))
        checks.append(
            check(
                "parameters", "gone", f"{name}; a notebook replaced {replaced}, which only its archive holds"
            )
        )
    else:
        same = sha256_of(path, overrides, given) == made.get("params_sha256")
        checks.append(check("parameters", "held" if same else "changed", name))
    checks.append(_of_policy(path, made, check))
    known = made.get("samples_sha256") or {}
    checks += [
        check("sample", *_of_sample(label, str(digest), project, folders)) for label, digest in known.items()
    ]
    return _Inputs(path, tuple(checks))


def _of_policy(path: Path | None, made: Mapping[str, Any], check: Any) -> Check:
    place = None if path is None else path.with_name("_policy.yaml")
    name = Path(str(made.get("params_file"))).with_name("_policy.yaml").as_posix()
    default = hashlib.sha256(Policy().as_json().encode()).hexdigest()
    if place is not None and place.is_file():
        found: Check = check(
            "policy", "held" if _sha256(place) == made.get("policy_sha256") else "changed", name
        )
    elif place is not None and made.get("policy_sha256") == default:
        found = check("policy", "held", f"{name} is not there; the package's own policy applied")
    else:
        found = check("policy", "gone", name)
    return found


def _of_sample(label: str, digest: str, project: Path | None, folders: Sequence[Path]) -> tuple[str, str]:
    """The state of a sample's file, and its name; what is no file lies in a database or is gone."""
    place = next((f / label for f in ([project] if project else folders) if (f / label).is_file()), None)
    if place is None:
        address = label.rpartition(" ")[0]
        in_database = address.startswith("${") or address.endswith((".duckdb", ".db", ".sqlite", ".sqlite3"))
        return ("unknown" if in_database else "gone"), words.shorten(label, 160)
    return ("held" if _sha256(place) == digest else "changed"), words.shorten(label, 160)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of_versions(record: Record, entry: Mapping[str, Any] | None) -> list[Check]:
    made: Mapping[str, Any] = record["provenance"]
    wanted = {"roi": made.get("roi"), **(made.get("versions") or {})}
    here = {name: _installed(name) for name in wanted}
    other = [
        f"{name} {wanted[name]} then, {here[name] or 'none'} now"
        for name in wanted
        if wanted[name] != here[name]
    ]
    if not other:
        return [Check("versions", "held", ", ".join(f"{name} {v}" for name, v in wanted.items()))]
    # Of a record that the ledger vouches for, another version is no fault as long as its figures come out the same.
    mend = "install those versions, or show the record's issue by its ledger" if entry is None else ""
    return [Check("versions", "differs", "; ".join(other), entry is None, mend)]


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _recomputed(
    file: Path, record: Record, inputs: _Inputs, archive: Archive | None, *, vouched: bool, is_current: bool
) -> list[Check]:
    """The record, computed again and compared; the samples' own findings before it."""
    found: list[Check] = []
    if inputs.are_there and inputs.path is not None:
        try:
            again, more = _from_samples(inputs.path, record, archive, is_current)
            found += more
            if not more:
                return [_compared(file, record, again, "parameters and samples", vouched)]
        except InputError as error:
            problem = error.problems[0]
            says = f"{problem.file} {problem.place}: {problem.message}"
            found.append(
                Check(
                    "sample",
                    "cannot",
                    says,
                    archive is None,
                    "mend them (roi check), or install that version",
                )
            )
    if archive is None:
        mend = "bring parameters and samples back, or the archive of the run (moments.json)"
        return [
            *found,
            Check("record", "cannot", "neither all its inputs nor its archive are there", True, mend),
        ]
    try:
        again = build_record(archive.analysis())
    except InputError as error:
        problem = error.problems[0]
        says = f"{problem.file} {problem.place}: {problem.message}"
        return [*found, Check("record", "cannot", says, True, "bring parameters and samples back")]
    return [*found, _compared(file, record, again, "the archive of the run", vouched)]


def _from_samples(
    path: Path, record: Record, archive: Archive | None, is_current: bool
) -> tuple[dict[str, Any], list[Check]]:
    made: Mapping[str, Any] = record["provenance"]
    given = {} if archive is None else archive.content["parameters"]["given"]
    loaded = _counted(load_parameters(path, overrides=given), made)
    _same_key(loaded, record)
    samples = open_samples(loaded)
    known = made.get("samples_sha256") or {}
    other = [
        n for n in sorted({*known, *samples.fingerprints}) if known.get(n) != samples.fingerprints.get(n)
    ]
    mend = "put the samples back as they were, or run the pilot again"
    if other:
        names = [f"{words.shorten(n, 120)} {'was added' if n not in known else 'changed'}" for n in other]
        return {}, [Check("sample", "changed", name, is_current, mend) for name in names]
    return build_record(analyse(loaded, samples)), []


def _same_key(loaded: LoadedParameters, record: Record) -> None:
    """Refuse to read samples with another key of their pseudonyms than the record's run had."""
    name = loaded.policy.privacy.key_env
    if name is None:
        return
    here = bool(os.environ.get(name))
    then = not any(f"no variable {name};" in str(warning) for warning in record.get("warnings") or [])
    if here != then:
        message = (
            f"the environment {'has' if here else 'lacks'} {name}, the key of the pseudonyms, other than then"
        )
        raise InputError([Problem("params/_policy.yaml", "privacy.key_env", message)])


def _counted(loaded: LoadedParameters, made: Mapping[str, Any]) -> LoadedParameters:
    """Held to as many looks as the record was."""
    looks = made.get("looks")
    more = isinstance(looks, int) and looks > loaded.parameters.run.looks
    return replace(loaded, looks_counted=looks) if more else loaded


def _compared(file: Path, record: Record, again: dict[str, Any], source: str, vouched: bool) -> Check:
    again = {**again, "signed": record.get("signed", [])}
    if vouched:
        kept = {key: record["provenance"].get(key) for key in ("roi", "versions")}
        again["provenance"] = {**again["provenance"], **kept}
    text = (canonical(again) + "\n").encode()
    written = file.read_bytes()
    if written == text:
        return Check("record", "held", f"computed again from {source}: the same {len(text):,} bytes")
    other = [*differences(record, again)]
    if not other:
        place = next(
            (i for i, (a, b) in enumerate(zip(written, text, strict=False)) if a != b),
            min(len(written), len(text)),
        )
        other = [f"the same values, written otherwise from byte {place + 1:,}"]
    more = f"; and {len(other) - MOST_NAMED} more" if len(other) > MOST_NAMED else ""
    says = f"computed again from {source}: {'; '.join(other[:MOST_NAMED])}{more}"
    mend = "put the record back from a copy, or run the pilot again"
    return Check("record", "differs", says, True, mend)


def differences(one: Any, other: Any, key: str = "") -> Iterator[str]:
    """What differs between a record and one computed again, by dotted keys.

    Args:
        one: The record, or a part of it.
        other: The same, computed again.
        key: Where the part stands.
    """
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in sorted({*one, *other}):
            place = f"{key}.{name}" if key else str(name)
            if name not in one or name not in other:
                where = "not in the record" if name not in one else "in the record alone"
                yield f"{words.shorten(place, 120)} is {where}"
            else:
                yield from differences(one[name], other[name], place)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from differences(a, b, f"{key}[{i}]")
    elif one != other or type(one) is not type(other):
        yield f"{words.shorten(key, 120)} is {_said(one)}, computed again {_said(other)}"


def _said(value: Any) -> str:
    return words.shorten(value if isinstance(value, str) else canonical({"": value})[5:-1], 60)
