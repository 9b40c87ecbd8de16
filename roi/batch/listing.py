"""What is written of all pilots in a folder together: the page, the table, the portfolio."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roi.batch.outputs import alone, read_record
from roi.problems import InputError
from roi.records import check_form

if TYPE_CHECKING:
    from roi.schema.portfolio import Portfolio

__all__ = ["MOMENTS", "list_all", "list_pilots", "together"]

MOMENTS = "moments.json"  # as roi.archive calls it, without importing what that imports


def list_all(folder: Path, plan: Portfolio, files: Sequence[Path], failed: Mapping[str, str]) -> list[str]:
    """Write what is said of all pilots together; what could not be written, for a reader."""
    try:
        with alone(folder):
            together(folder, plan, files)
            list_pilots(folder, failed)
    except OSError as error:
        return [f"The page of all pilots could not be written: {error.strerror or type(error).__name__}."]
    return []


def together(out: Path, plan: Portfolio, files: Sequence[Path] = ()) -> None:
    """Write `portfolio.json`, what is said of all pilots in the folder together; not where no archive is there."""
    if not any(out.glob(f"*/{MOMENTS}")):
        return
    from roi.assembled import PORTFOLIO, portfolio_text
    from roi.report.page import write_whole

    text = portfolio_text(out, plan, files)
    if text is not None:
        write_whole(out / PORTFOLIO, text)


def list_pilots(out: Path, failed: Mapping[str, str]) -> None:
    """Write the page and the table of every pilot in the folder, those of earlier runs included.

    Args:
        out: The folder.
        failed: Why a pilot of this batch is not done, by pilot; empty for one that is.
    """
    from roi.operating import months_of, operating_of
    from roi.report.index import Entry, write_index
    from roi.report.page import pages_in

    names = {entry.name for entry in os.scandir(out) if entry.is_dir() and not entry.name.startswith(".")}
    entries = []
    for name in sorted(names | set(failed)):
        why = failed[name] if name in failed else _why(out / name)
        record, odd = _record(out / name)
        why = why or odd
        if record is not None or why:
            pages = [page for page in pages_in(out / name) if page != "report.html"]
            now, months = operating_of(out / name, record), months_of(out / name, record)
            entries.append(
                Entry(pilot=name, record=record, why=why, pages=pages, operating=now, months=months)
            )
    write_index(entries, out)


def _record(folder: Path) -> tuple[dict[str, Any] | None, str]:
    """The record of a report folder, or why it cannot be shown; neither where there is none."""
    record = read_record(folder)
    try:
        if record is not None:
            check_form(record, f"{folder.name}/decision.json")
    except InputError as error:
        return None, str(error)
    return record, ""


def _why(folder: Path) -> str:
    try:
        return (folder / "why.txt").read_text(encoding="utf-8")
    except OSError:
        return ""
