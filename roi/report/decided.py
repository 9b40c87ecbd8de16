"""The decision that a page of a run shows: the one that the same run has made already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from roi.issue import current_run
from roi.pictures import Pictures
from roi.records import read_record
from roi.report.sections import Decision

if TYPE_CHECKING:
    from roi.pilot import Pilot

__all__ = ["Decided", "decided"]


@dataclass(frozen=True, slots=True)
class Decided:
    """As much of a decision as such a page shows: its record."""

    record: dict[str, Any]

    @property
    def pictures(self) -> Pictures:
        raise NotImplementedError("these pages draw from the record alone")


def decided(pilot: Pilot) -> Decision:
    """The decision that this very run has made already, or else made now.

    Args:
        pilot: The opened pilot; it is decided only where this is no run, or one that has no record yet.
    """
    run = current_run(pilot.loaded.parameters.pilot)
    if run is not None and run.record.is_file():
        return Decided(read_record(run.record))
    return pilot.decision
