"""The ledger of all records: every one ever issued, its predecessor, the looks at a pilot's data, and who signed.

`reports/ledger.jsonl` is a chain (`roi.chain`). A record's entry names it by the hash of its text, with the hashes of
what it was made from; the time at which it was issued stands in the entry and in no record. A run that gives a pilot's
last record again adds nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from roi.chain import append, canonical_text, read_chain
from roi.problems import InputError, Problem

__all__ = [
    "LEDGER",
    "SCHEMA",
    "current",
    "data_sha256",
    "find_ledger",
    "issue",
    "look_of",
    "now",
    "read_ledger",
    "record_entry",
    "record_sha256",
    "refuse_newer",
    "report_folder",
    "signatures",
    "stray_ledgers",
]

SCHEMA = 1
"""Form of a record; a newer one is refused."""

LEDGER = "ledger.jsonl"
MADE_FROM = ("roi", "params_sha256", "policy_sha256", "samples_sha256", "seed", "draws")
Record = Mapping[str, Any]
Entry = Mapping[str, Any]


def now() -> str:
    """The time in UTC, to the second."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def record_sha256(record: Record) -> str:
    """Hash of a record's text as it was computed: who signed it since is no part of it."""
    return hashlib.sha256(canonical_text({**record, "signed": []}).encode()).hexdigest()


def data_sha256(fingerprints: Mapping[str, str]) -> str:
    """Hash of what the samples hold, whatever their files are called."""
    return hashlib.sha256("\n".join(sorted(fingerprints.values())).encode()).hexdigest()


def read_ledger(path: Path) -> tuple[dict[str, Any], ...]:
    """The entries of a ledger; none where there is none.

    Raises:
        InputError: Where its chain is broken, or a newer version of the package wrote it.
    """
    entries = read_chain(path).entries
    _known(entries, path)
    return entries


# What is read of an entry by its kind; a key that ends in "?" may be absent or null.
READ = {
    "record": ("pilot", "record", "data", "verdict?", "as_of?", "moments?", "previous?"),
    "sign": ("record", "as", "decision", "at", "role?", "reason?", "expires?", "instead?"),
    "mended": (),
}


def _known(entries: Sequence[Entry], path: Path) -> None:
    for e in entries:
        if e.get("kind") not in READ:
            message = (
                "a kind of entry that this version of roi does not know; a newer one wrote it: install that"
            )
            raise InputError([Problem(path.name, f"entry {e.get('n')}", message)])
        odd = [
            key.rstrip("?")
            for key in READ[str(e["kind"])]
            if not isinstance(e.get(key.rstrip("?")), str)
            and not (key.endswith("?") and e.get(key.rstrip("?")) is None)
        ]
        if odd and not _is_newer(e):
            message = f"{', '.join(odd)}: no text where one is wanted; no roi wrote that: put the file back from a copy"
            raise InputError([Problem(path.name, f"entry {e.get('n')}", message)])


def _is_newer(entry: Entry) -> bool:
    form = entry.get("schema")
    return entry.get("kind") == "record" and form is not None and not (type(form) is int and form <= SCHEMA)


def refuse_newer(entries: Sequence[Entry], path: Path, pilot: str) -> None:
    """Let nothing be written over what a newer version of the package wrote.

    Args:
        entries: Of the ledger.
        path: The ledger.
        pilot: Whose record is to be entered.

    Raises:
        InputError: If any record of the pilot is of a form that this version does not know.
    """
    newer = [e for e in entries if _is_newer(e) and e.get("pilot") == pilot]
    if newer:
        n, form, by = (newer[-1].get(key) for key in ("n", "schema", "roi"))
        message = f"the record of {pilot} is of form {form}, written by roi {str(by)[:40]}; this version knows form "
        message += f"{SCHEMA}: install that one; nothing of {pilot} was run or overwritten"
        raise InputError([Problem(path.name, f"entry {n}", message)])


def report_folder(record: Path) -> Path:
    """The report folder that a record's file belongs to: its own, or the one whose archive it lies in."""
    folder = record.resolve().parent
    # The name of an archived run has a hyphen (its day), the name of a pilot never has.
    archived = folder.parent.name == "archive" and "-" in folder.name
    return folder.parent.parent if archived else folder


def find_ledger(record: Path) -> Path | None:
    """The ledger that a record's file belongs to, where a run writes it: beside the report folder; None without one."""
    path = report_folder(record).parent / LEDGER
    return path if path.is_file() else None


def stray_ledgers(record: Path) -> list[Path]:
    """Ledgers where no run writes one, at or below the report folder of a record; none of them is read."""
    inner, top = record.resolve().parent, report_folder(record)
    folders = [folder for folder in (inner, *inner.parents) if folder == top or top in folder.parents]
    return [folder / LEDGER for folder in folders if (folder / LEDGER).exists()]


def record_entry(entries: Sequence[Entry], digest: str) -> Entry | None:
    """The last entry of a record; None where it was never issued."""
    return next(
        (e for e in reversed(entries) if e.get("kind") == "record" and e.get("record") == digest), None
    )


def current(entries: Sequence[Entry], pilot: str) -> Entry | None:
    """The entry of a pilot's last record; None without one."""
    return next((e for e in reversed(entries) if e.get("kind") == "record" and e.get("pilot") == pilot), None)


def look_of(entries: Sequence[Entry], pilot: str, data: str) -> int:
    """Which look at a pilot's data this is, from 1: data that were seen before keep the number they had.

    Args:
        entries: Of the ledger.
        pilot: Its name.
        data: As `data_sha256` makes it.
    """
    of_pilot = (e for e in entries if e.get("kind") == "record" and e.get("pilot") == pilot)
    seen = list(dict.fromkeys(str(e.get("data")) for e in of_pilot))
    return seen.index(data) + 1 if data in seen else len(seen) + 1


def issue(
    path: Path, record: Record, *, moments_sha256: str | None = None, at: str | None = None
) -> list[str]:
    """Enter a record, unless it is the pilot's last one already.

    Args:
        path: The ledger.
        record: The record.
        moments_sha256: Of the file with its archived moments, if there is one.
        at: When it was issued; now, unless given.

    Returns:
        What a user should be told.

    Raises:
        InputError: If the chain is broken, or somebody else's run entered a look meanwhile; nothing is written then.
    """
    digest, pilot = record_sha256(record), str(record.get("pilot"))
    made: Mapping[str, Any] = record.get("provenance") or {}
    data = data_sha256(made.get("samples_sha256") or {})

    def choose(entries: Sequence[Entry]) -> list[dict[str, Any]]:
        _known(entries, path)
        refuse_newer(entries, path, pilot)
        last = current(entries, pilot)
        if last is not None and last.get("record") == digest:
            return []
        look = look_of(entries, pilot, data)
        if min(look, 60) > int(made.get("looks") or 1):
            message = f"another run entered a look at its data meanwhile (this is look {look}); run it again"
            raise InputError([Problem(path.name, pilot, message)])
        payload = {
            "kind": "record",
            "at": at or now(),
            "pilot": pilot,
            "record": digest,
            "previous": None if last is None else last.get("record"),
            "look": look,
            "data": data,
            "moments": moments_sha256,
            **{key: record.get(key) for key in ("as_of", "verdict", "fix_kind", "ground", "schema")},
            **{key: made.get(key) for key in MADE_FROM},
        }
        return [payload]

    return append(path, choose)[1]


def signatures(entries: Sequence[Entry], digest: str) -> list[dict[str, Any]]:
    """Who signed a record, as the record and its report show it, in order."""
    shown = ("as", "role", "decision", "at", "reason", "expires", "instead")
    return [
        {key: e.get(key) for key in shown}
        for e in entries
        if e.get("kind") == "sign" and e.get("record") == digest
    ]
