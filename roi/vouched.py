"""What the ledger says of a record that is verified: that it was issued, and who signed it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roi import words
from roi.chain import FIRST
from roi.ledger import (
    LEDGER,
    find_ledger,
    read_ledger,
    record_entry,
    record_sha256,
    report_folder,
    signatures,
    stray_ledgers,
)
from roi.problems import InputError
from roi.signing import standing

__all__ = ["Check", "of_ledger"]

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a record rests on.

    Attributes:
        what: ledger, signatures, parameters, policy, sample, archive, versions or record.
        state: held, changed, gone, unknown, broken, differs, lapsed or cannot.
        says: Which, and what was found.
        is_bad: Whether the record does not hold with it.
        mend: What to do about it; empty where nothing is to be done.
    """

    what: str
    state: str
    says: str
    is_bad: bool = False
    mend: str = ""


def of_ledger(file: Path, record: Record, today: dt.date) -> tuple[Mapping[str, Any] | None, list[Check]]:
    """What the ledger of a record says of it and of its signatures.

    Args:
        file: The record's file.
        record: The record.
        today: The day by which an override may have lapsed; pages cannot know, since they have no clock.

    Returns:
        The record's entry, None where no ledger that holds has one, and what was found.
    """
    entry, found = _entry(file, record)
    top = report_folder(file).parent
    mend = "find out who put it there, and remove it"
    for path in stray_ledgers(file):
        says = f"{path.relative_to(top).as_posix()}: no run writes a ledger there; it is not read"
        found.append(Check("ledger", "differs", says, True, mend))
    now_worth = standing(record, today)
    if now_worth.state == "lapsed":
        found.append(Check("signatures", "lapsed", now_worth.text))
    return entry, found


def _entry(file: Path, record: Record) -> tuple[Mapping[str, Any] | None, list[Check]]:
    signed = record.get("signed") or []
    ledger = find_ledger(file)
    if ledger is None:
        says = f"no {LEDGER} lies beside its report folder, so its issue cannot be shown"
        found = [Check("ledger", "gone", says)]
        if signed:
            mend = f"put {LEDGER} back from a copy"
            found.append(Check("signatures", "cannot", "without a ledger nobody's can be shown", True, mend))
        return None, found
    try:
        entries = read_ledger(ledger)
    except InputError as error:
        broken = [f"{p.file}, {p.place}: {p.message}" for p in error.problems if p.place]
        mend = error.problems[-1].message
        return None, [Check("ledger", "broken", text, True, mend) for text in broken or [mend]]
    digest = record_sha256(record)
    entry = record_entry(entries, digest)
    if entry is None:
        says = "this record is not in it: it was changed since it was issued, or issued elsewhere"
        return None, [
            Check("ledger", "differs", says, True, "put the record back from a copy, or run the pilot again")
        ]
    head = str(entries[-1].get("hash") if entries else FIRST)[:12]
    found = [
        Check("ledger", "held", f"entry {entry['n']} of {len(entries)}, the chain is whole, its head {head}")
    ]
    if signed != signatures(entries, digest):
        mend = "run the pilot again, which shows those of the ledger; or put the record back from a copy"
        found.append(Check("signatures", "differs", "the record shows others than the ledger", True, mend))
    elif signed:
        found.append(Check("signatures", "held", words.plural(len(signed), "signature")))
    return entry, found
