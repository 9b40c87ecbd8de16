"""A pilot that is decided as the first notebooks of a batch do it, again and again, and what may change between."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from made_runs import REMEDY
from pilots import cases, write_pilot

from roi.batch.outputs import publish, record_text, staging
from roi.batch.resume import note_of
from roi.issue import Run, issuing
from roi.ledger import LEDGER, issue
from roi.made_with import INPUTS, TAKEN, taken_note
from roi.pilot import open_pilot
from roi.report.operate import Operated, operated


def made(folder: Path, rows: Sequence[dict[str, Any]] | None = None) -> Path:
    """A pilot that states all that is free, and a price scenario that is not."""
    changes = {
        "remedies": [REMEDY],
        "claims": [{"quantity": "minutes_saved_per_case", "value": 5, "by": "vendor", "source": "demo"}],
        "alternatives": [{"name": "Form", "minutes_saved": 1, "cost": 3000, "cost_per_month": 20, "source": "quote"}],
        "scenarios": {"downturn": {"demand": {"cases_per_month": 900}}},
        "economics": {"fx": {"USD": 0.9}, "price_scenarios": {"dearer": {"model": "gpt-4o", "change": 0.3}}},
        "about": {"currency": "EUR"},
        "run": {"draws": 1000},
    }  # fmt: skip
    return write_pilot(folder, rows or cases(240, workers=8), changes)


FREE_EDITS: dict[str, Any] = {
    "a cost": lambda p: p["economics"]["costs"][0].update(amount=90000),
    "the demand": lambda p: p["demand"].update(cases_per_month=777),
    "an effect": lambda p: p["remedies"][0].update(removes_share=0.2),
    "a rate": lambda p: p["economics"]["fx"].update(USD=0.8),
    "the start": lambda p: p["economics"].update(start="2027-05"),
    "a scenario": lambda p: p["scenarios"]["downturn"].update(economics={"discount_rate": 0.2}),
    "what errors cost": lambda p: p["economics"].update(error_cost=70),
}


def edit(path: Path, change: Any) -> None:
    value = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(value)
    path.write_text(yaml.safe_dump(value, sort_keys=False), encoding="utf-8")


def run(parameters: Path, out: Path, *, force: bool = False, **groups: Any) -> bool:
    """Decide a pilot as the first notebook of a batch does, and publish it; whether what was taken was taken over."""
    return bool((decided(parameters, out, force=force, **groups)[0] or {}).get("over"))


def decided(
    parameters: Path, out: Path, *, force: bool = False, operates: bool = False, **groups: Any
) -> tuple[dict[str, Any] | None, Operated | None]:
    """The same, and as the last one does where it `operates`: the run's note, and what that shows."""
    name = parameters.stem
    before = None if force else out / name
    with staging(out, name) as folder:
        with issuing(Run(pilot=name, folder=folder, ledger=out / LEDGER, before=before)):
            decision = open_pilot(parameters, **groups).decision
            pictures = decision.pictures
        assert pictures.minutes is not None
        (folder / "decision.json").write_text(record_text(decision.record), encoding="utf-8", newline="\n")
        issue(out / LEDGER, decision.record, moments_sha256=sha256(folder / "moments.json"))
        shown = None
        if operates:
            with issuing(Run(pilot=name, folder=folder, ledger=out / LEDGER, before=before)):
                shown = operated(open_pilot(parameters, **groups))
        note = taken_note(folder)
        (folder / INPUTS).write_text(note_of({}, folder), encoding="utf-8")
        (folder / "minutes").write_text(repr(pictures.minutes))
        (folder / TAKEN).unlink(missing_ok=True)
        publish(folder, out / name)
    return note, shown


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
