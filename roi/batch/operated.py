"""What `roi monitor` found, taken into the report that it was held against: every page then leads with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from roi.batch.signed import show_signed
from roi.operating import OPERATING, lead_of, months_of, operating_text
from roi.problems import InputError, Problem
from roi.records import RECORD, read_record
from roi.report.monitoring import headline
from roi.report.page import write_whole
from roi.words import shorten

__all__ = ["show_operation"]


def show_operation(folder: Path, found: Mapping[str, Any]) -> list[str]:
    """Let the pages of a report, the page of all pilots and the set to fund go by what fresh cases came to.

    What months said before stays. An action is taken back by *continue*.

    Args:
        folder: The report folder that holds the record.
        found: As `roi.monitor.monitor` gives it.

    Returns:
        What a user should be told.

    Raises:
        InputError: If no record lies there.
    """
    file = folder / RECORD
    if not file.is_file():
        message = "holds no decision.json, so that there is no report to take it into; name it with --record"
        raise InputError([Problem(shorten(folder, 200), "", message)])
    record = read_record(file)
    lead = lead_of(found, record, headline(found), months_of(folder, record))
    if lead is None:
        (folder / OPERATING).unlink(missing_ok=True)
    else:
        write_whole(folder / OPERATING, operating_text(lead))
    return [*show_signed(file, record), f"{shorten(folder, 200)} goes by it now: {headline(found)}."]
