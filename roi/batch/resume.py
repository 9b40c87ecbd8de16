"""What a report was made from, so that what has the same inputs is not made again."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from roi.batch.outputs import RECORD, WHY, read_record
from roi.json_object import read_object
from roi.ledger import data_sha256, look_of, record_sha256
from roi.made_with import ASKED, INPUTS, TAKEN, file_sha256, program, taken_note
from roi.problems import InputError
from roi.readers.addresses import without_secret
from roi.readers.base import UnreadableError
from roi.report.page import write_whole

__all__ = ["INPUTS", "drawn_again", "inputs_of", "note_of", "program", "why_again"]

MOST_LOOKS = 60  # as many as a decision is held to
VARIABLE = re.compile(r"\$\{(\w+)\}")


def inputs_of(
    path: Path,
    project: Path,
    notebooks: Sequence[Path],
    parameters: Mapping[str, Any],
    entries: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any] | None:
    """Everything that a pilot's report is made from, by part and as hashes.

    Args:
        path: The parameter file.
        project: The project folder.
        notebooks: The notebooks that will be run.
        parameters: What these get.
        entries: Of the ledger: what was signed shows on the pages, and what was looked at counts.

    Returns:
        Parts by name; None where a file cannot be read, its samples cannot be told or a database cannot be asked, so
        that it is better run.
    """
    import yaml

    try:
        text = path.read_bytes()
        raw = yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
        samples = raw.get("samples") if isinstance(raw, Mapping) else None
        strings = list(_strings(samples))
        files = sorted(set(_files(strings, project, path.resolve().parent)))
        policy = path.with_name("_policy.yaml")
        return {
            "parameters": _sha256(text),
            "policy": _of_file(policy) if policy.is_file() else None,
            "samples": {os.path.relpath(file, project): _of_file(file) for file in files},
            "tables": _tables(path) if "connect" in _keys(samples) else {},
            "notebooks": {notebook.name: _of_file(notebook) for notebook in notebooks},
            "given": _sha256(repr(sorted(parameters.items())).encode()),
            "environment": _environment(text, policy),
            "signed": _sha256(json.dumps(_others(entries, path.stem), sort_keys=True).encode()),
            "program": program(),
        }
    except (OSError, ValueError, yaml.YAMLError, InputError, UnreadableError):
        return None


def note_of(inputs: Mapping[str, Any], folder: Path) -> str:
    """What is kept beside a report that was made from these inputs.

    Args:
        inputs: As they were before anything ran.
        folder: The finished report, its record in it.
    """
    record = read_record(folder) or {}
    names = sorted(
        file.name for file in folder.iterdir() if file.is_file() and file.name not in (INPUTS, TAKEN, ASKED)
    )
    taken = taken_note(folder)
    made = {
        "schema": 1,
        "inputs": inputs,
        "record": record_sha256(record),
        "files": names,
        "sha256": {name: file_sha256(folder / name) for name in names if _is_shown(name)},
        "taken": None if taken is None else taken["of"],
        "asked": file_sha256(folder / ASKED) if (folder / ASKED).is_file() else None,
    }
    return json.dumps(made, sort_keys=True) + "\n"


def drawn_again(folder: Path, names: Iterable[str]) -> None:
    """Note that files of a report were written anew on purpose, so that it is still whole.

    Args:
        folder: The report folder.
        names: What was written, or taken away.
    """
    note = read_object(folder / INPUTS) or {}
    if not isinstance(told := note.get("sha256"), dict):
        return
    anew = {name for name in names if name in told}
    note["sha256"] = {name: digest for name, digest in told.items() if name not in anew} | {
        name: file_sha256(folder / name) for name in anew if (folder / name).is_file()
    }
    write_whole(folder / INPUTS, json.dumps(note, sort_keys=True) + "\n")


def why_again(
    folder: Path, inputs: Mapping[str, Any] | None, entries: Sequence[Mapping[str, Any]] = ()
) -> str:
    """Why a report is to be made again; empty where it need not be.

    Args:
        folder: The report folder as it stands.
        inputs: What it would be made from now.
        entries: Of the ledger.
    """
    if inputs is None:
        return "its inputs cannot be told"
    if (folder / WHY).exists():
        return "its last run failed"
    note = read_object(folder / INPUTS) or {}
    made, names, digest = (note.get(key) for key in ("inputs", "files", "record"))
    if not (isinstance(made, dict) and isinstance(names, list) and all(isinstance(x, str) for x in names)):
        return "nothing says what it was made from"
    changed = [part for part in inputs if made.get(part) != inputs[part]]
    if changed:
        return f"changed since: {', '.join(changed)}"
    if missing := [
        name for name in names if not (folder / name).is_file() or not (folder / name).stat().st_size
    ]:
        return f"{missing[0]} is gone"
    told = note.get("sha256") or {}
    if other := [name for name in names if name in told and file_sha256(folder / name) != told[name]]:
        return f"{other[0]} is not what was written"
    record = read_record(folder)
    if record is None or record_sha256(record) != digest:
        return "its record was changed"
    pilot, made_of = str(record.get("pilot")), record.get("provenance") or {}
    if not any(entry.get("record") == digest for entry in entries):
        return "the ledger does not know its record"
    looks = min(look_of(entries, pilot, data_sha256(made_of.get("samples_sha256") or {})), MOST_LOOKS)
    counted = made_of.get("looks")
    more = isinstance(counted, int) and looks > counted
    return "the ledger counts more looks at its cases" if more else ""


def _is_shown(name: str) -> bool:
    """Whether a file is read and not worked in: notebooks and the workbook are for people to change."""
    return name.endswith((".html", ".json", ".csv")) and name != RECORD


def _tables(path: Path) -> dict[str, str]:
    """Every table and query in a database → its fingerprint, which the database computes."""
    from roi.mapping import to_spec
    from roi.parameters import load_parameters
    from roi.readers.database import database_print

    loaded = load_parameters(path)
    tables = [to_spec(name, t, f"samples.{name}") for name, t in loaded.parameters.samples.tables().items()]
    found: dict[str, str] = {}
    for spec in (each for table in tables for each in (table, *(join.rows for join in table.joins))):
        source = spec.source
        if source.connect is not None:
            label, digest = database_print(
                connect=source.connect,
                table_name=source.table,
                sql=source.sql,
                project=loaded.project,
                folder=loaded.path.parent,
                file=loaded.name,
                place=f"{spec.place}.source",
                timeout=source.timeout,
            )
            found[label] = digest
    return found


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield str(key)
            yield from _keys(part)
    elif isinstance(value, list):
        for part in value:
            yield from _keys(part)


def _files(strings: Iterable[str], project: Path, folder: Path) -> Iterator[Path]:
    """Every file that a text of the samples could mean, and the seal beside it; too many do no harm."""
    import glob

    for text in strings:
        if not text or len(text) > 1000 or "\0" in text or "\n" in text:
            continue
        for base in (project, folder):
            exact = base / text
            names = [exact] if exact.exists() else []
            if not names and glob.has_magic(text) and ("/" in text or "." in text):
                names = [base / name for name in glob.glob(text, root_dir=base, recursive=True)]
            for name in names:
                for file in (name, name.with_name(name.name + ".seal")):
                    if file.is_file():
                        yield file.resolve()


def _environment(text: bytes, policy: Path) -> str:
    """One hash over the variables that the files name; of an address without what its password is."""
    both = text.decode("utf-8", "replace") + (policy.read_text("utf-8") if policy.is_file() else "")
    named = {*VARIABLE.findall(both), *re.findall(r"key_env:\s*[\"']?(\w+)", both)}
    values = [(name, os.environ.get(name)) for name in sorted(named)]
    told = [(name, value if value is None else without_secret(value)) for name, value in values]
    return _sha256(both.encode() + repr(told).encode())


def _others(entries: Sequence[Mapping[str, Any]], pilot: str) -> list[Any]:
    about = [entry for entry in entries if entry.get("pilot") == pilot and entry.get("kind") != "record"]
    return [str(entry.get("hash") or json.dumps(dict(entry), sort_keys=True)) for entry in about]


@cache
def _of_known(file: str, size: int, changed: int) -> str:
    return file_sha256(Path(file))


def _of_file(file: Path) -> str:
    """The hash of a file; within one batch it is read once, as long as it stays as it is."""
    found = file.stat()
    return _of_known(str(file), found.st_size, found.st_mtime_ns)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
