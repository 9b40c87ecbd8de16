"""Which decision months are held against: the one that was signed before them, from its archive; not one made since."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roi.analysis import Decided
from roi.archive import MOMENTS, read_archive
from roi.ledger import record_sha256
from roi.pilot import Pilot
from roi.problems import InputError
from roi.records import ARCHIVE, RECORD, read_record
from roi.signing import standing

__all__ = ["Basis", "basis_of"]

Record = Mapping[str, Any]
STANDS = ("accepted", "overridden")


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The decision that months are held against.

    Attributes:
        decided: It, made again from its archive or from the samples; None where neither is there.
        as_of: Its day.
        signed: What its signatures amount to; None where no record of it is kept.
        instead: What was decided in place of its verdict, by an override that stands; None without one.
        says: Which it is, in a sentence.
    """

    decided: Decided | None
    as_of: str | None
    signed: str | None
    says: str
    instead: str | None = None


def basis_of(pilot: Pilot | None, folder: Path | None, first: dt.date | None) -> Basis:
    """The last signed decision before some months, else the last one before them, else the pilot as it stands.

    Args:
        pilot: The opened pilot; None where its samples are gone.
        folder: Its report folder, ``reports/<pilot>``; None without one.
        first: The first month that was reported; None takes any decision.

    Returns:
        The decision; without one where its archive holds no moments and the samples have moved on.
    """
    records = [] if folder is None else _records(folder, first)
    signed = [r for r in records if standing(r[1]).state in STANDS]
    if not records and pilot is None:
        return Basis(
            decided=None, as_of=None, signed=None, says="No earlier record is kept, and no sample either."
        )
    if not records:
        assert pilot is not None
        now = pilot.decision.analysis
        return Basis(
            decided=now,
            as_of=None if now.as_of is None else now.as_of.isoformat(),
            signed=None,
            says="No earlier record is kept, so the forecast is that of the parameters and samples as they stand.",
        )
    file, record = (signed or records)[-1]
    says = f"The forecast is that of the decision of {record.get('as_of')}"
    says += "." if signed else ", which nobody signed."
    decided, why = _again(pilot, file, record)
    return Basis(
        decided=decided,
        as_of=record.get("as_of"),
        signed=standing(record).text,
        instead=_instead(record),
        says=says if decided is not None else f"{says} It cannot be made again: {why}.",
    )


def _instead(record: Record) -> str | None:
    if standing(record).state != "overridden":
        return None
    return next(str(e.get("instead")) for e in record["signed"] if e.get("decision") == "override")


def _records(folder: Path, first: dt.date | None) -> list[tuple[Path, Record]]:
    """The records of a report folder that were made before a month, oldest first."""
    found = []
    for file in (*(folder / ARCHIVE).glob(f"*/{RECORD}"), folder / RECORD):
        try:
            record = read_record(file)
        except InputError:
            continue
        day = str(record.get("as_of") or "")[:10]
        if first is None or day[:7] < f"{first:%Y-%m}":
            found.append((day, file.parent == folder, file.parent.name, file, record))
    return [(file, record) for *_, file, record in sorted(found, key=lambda x: x[:3])]


def _again(pilot: Pilot | None, file: Path, record: Record) -> tuple[Decided | None, str]:
    try:
        archive = read_archive(file.parent / MOMENTS)
        if archive.content["record"] == record_sha256(record) and archive.withheld is None:
            return archive.analysis(), ""
        why = archive.withheld or "its archive belongs to another record"
    except InputError as error:
        why = f"{error.problems[0].file} {error.problems[0].message}"
    # Samples that still give the very same record are as good as its archive.
    if pilot is not None and record_sha256(pilot.decision.record) == record_sha256(record):
        return pilot.decision.analysis, ""
    return None, f"{why}, and the samples {'give another record by now' if pilot else 'are gone'}"
