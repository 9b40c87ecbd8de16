"""Signing a record: the ledger first, then the record's file, its page and the page of all pilots."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from roi import words
from roi.chain import append
from roi.ledger import find_ledger, now, read_ledger, record_sha256, signatures, stray_ledgers
from roi.problems import InputError, Problem
from roi.records import file_of, read_record
from roi.signing import Signature, entry_of, remarks

__all__ = ["sign_record"]


def sign_record(
    given: Path, signature: Signature, *, at: str | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Enter a signature in the ledger and show it where the record is shown.

    Args:
        given: The record's file or its report folder.
        signature: Who says what.
        at: The time in UTC; now, unless given.

    Returns:
        The record with everybody's signatures, and what a user should be told.

    Raises:
        InputError: If it may not be signed, with everything that speaks against it; nothing is written then.
    """
    file = file_of(given)
    record = read_record(file)
    ledger = find_ledger(file)
    if ledger is None:
        message = (
            "no ledger.jsonl lies beside its report folder, where `roi run` writes it: sign what it writes"
        )
        raise InputError([Problem(words.shorten(file, 200), "", message)])
    if strays := stray_ledgers(file):
        message = "is a ledger where no run writes one; find out who put it there, and remove it"
        raise InputError(Problem(words.shorten(path, 200), "", message) for path in strays)
    time = at or now()
    today = dt.date.fromisoformat(time[:10])

    told: list[str] = []

    def choose(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        entry = {**entry_of(signature, record, entries, today=today), "at": time}
        told[:] = remarks(signature, record, signatures(entries, record_sha256(record)))
        return [entry]

    _, notes = append(ledger, choose)
    notes = [*told, *notes]
    signed = {**record, "signed": signatures(read_ledger(ledger), record_sha256(record))}
    return signed, [*notes, *show_signed(file, signed)]


def _together(out: Path) -> list[str]:
    """Choose the set to fund anew, where one was chosen: what people or the operation say changes it."""
    from roi.assembled import PORTFOLIO, plan_of
    from roi.batch.listing import together

    if not (out / PORTFOLIO).is_file():
        return []
    try:
        together(out, *plan_of(out))
    except InputError as error:
        why = "; ".join(problem.message for problem in error.problems)
        return [f"The set to fund is not chosen anew: {words.shorten(why, 300)}"]
    return []


def show_signed(file: Path, record: dict[str, Any]) -> list[str]:
    """Write a record with its signatures, and draw its pages again; what could not be drawn is said.

    Args:
        file: The record's file.
        record: The record, its signatures in it.
    """
    from roi.batch.listing import list_pilots
    from roi.batch.outputs import record_text
    from roi.batch.resume import drawn_again
    from roi.batch.worker import since_before
    from roi.operating import OPERATING, months_of, operating_of
    from roi.report.one_worth import running_said
    from roi.report.page import OPERATION, PDF, page_of, pages_in, render, since_decided, write_whole

    write_whole(file, record_text(record))
    folder = file.parent
    beside, drawn = pages_in(folder), []
    lead, runs = operating_of(folder, record), running_said(months_of(folder, record), record)
    since = " ".join(text for text in (since_decided(folder), since_before(folder, record)) if text)
    for notebook in sorted(folder.glob("*.ipynb")):
        name = page_of(notebook.stem)
        if name in beside:
            moved = since if name == "report.html" else ""
            first = None if notebook.stem == OPERATION else lead
            render(
                notebook,
                folder / name,
                since=moved,
                runs=runs if name == "report.html" else "",
                lead=first,
                signed=record["signed"],
                about=record,
                beside=beside,
            )
            drawn.append(name)
    drawn_again(folder, [*drawn, OPERATING])
    notes = (_pdf_again(folder) if PDF in beside else []) + _together(folder.parent)
    list_pilots(folder.parent, {})
    return notes + [
        f"{name} is not drawn again: its notebook is not beside the record."
        for name in beside or ["report.html"]
        if name not in (*drawn, PDF)
    ]


def _pdf_again(folder: Path) -> list[str]:
    """The PDFs from the pages that were drawn again; what they can't be made with is said."""
    from roi.report.page import PDF
    from roi.report.pdf import pages_to_print, write_pdf

    try:
        for page, pdf in pages_to_print(folder):
            if pdf.is_file():
                write_pdf(page, pdf)
    except InputError as error:
        return [f"{PDF} still says who had signed before; write it again with `roi run --pdf`. {error}"]
    return []
