"""The sections of the proof: does the value survive real inputs, what drives it, what would change the decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from roi import units, words
from roi.drivers import FEW_DRAWS
from roi.issue import current_run
from roi.report import facts, figures, proof_figures
from roi.report.no_demo import no_demo
from roi.report.page import WORKBOOK
from roi.report.sections import Decision, Section, section
from roi.signing import standing

if TYPE_CHECKING:
    from roi.analysis import Analysis

__all__ = [
    "claims", "evidence", "gap", "knowing", "ladder", "opening", "scenarios", "sensitivity", "workbook",
]  # fmt: skip

Record = Mapping[str, Any]


class Asked(Decision, Protocol):
    """A decision that can be asked what would be decided if things were otherwise."""

    @property
    def what_if(self) -> dict[str, Any]: ...

    @property
    def analysis(self) -> Analysis: ...


def opening(decision: Decision) -> Section:
    """What was decided, and the answers that the parts below give."""
    record = decision.record
    known, found = record.get("knowing") or {}, record.get("evidence") or {}
    answers = [
        ("The verdict", facts.verdict_line(record)),
        ("Against the demo", (record.get("demo_gap") or {}).get("text") or no_demo(record)),
        ("What it rests on", found.get("text")),
        ("Is measuring more worth it?", known.get("sentence")),
    ]
    text = f"Does the value hold? {words.verdict_word(record)}"
    shown = [(a, b) for a, b in answers if b]
    return section("proof", decision, text, answers=shown, standing=standing(record))


def gap(decision: Decision) -> Section:
    """The demo beside production, and what the difference is made of."""
    found = decision.record.get("demo_gap")
    lacks = "" if found else no_demo(decision.record)
    text = str(found["text"]) if found else lacks
    figure = proof_figures.gap_figure(decision.record)
    return section(
        "gap", decision, text, g=found, lacks=lacks, figure=figure, said=units.quantity, span=units.span
    )


def claims(decision: Decision) -> Section:
    """What was claimed beside what was measured."""
    rows = decision.record.get("claims") or []
    text = words.plural(len(rows), "claim")
    return section("claims", decision, text, rows=rows, said=units.quantity, span=units.span)


def ladder(decision: Decision) -> Section:
    """From hours saved to worth, and what has to be true for each step."""
    found = decision.record.get("ladder")
    figure = proof_figures.ladder_figure(decision.record)
    text = figure.answer if figure else "The worth of scaling is not known"
    return section("ladder", decision, text, ladder=found, figure=figure)


def sensitivity(decision: Asked) -> Section:
    """What moves the worth, where it turns, and how far everything has to move together for another verdict."""
    record = decision.record
    found = record.get("sensitivity")
    figure = figures.drivers_figure(record, decision.pictures)
    rows = (found or {}).get("break_evens") or []
    turns = [row for row in rows if row.get("worth_at") is not None or row.get("chance_at") is not None]
    rest = [row for row in rows if row not in turns]
    return section(
        "sensitivity",
        decision,
        figure.answer if figure else "Nothing moves a worth that is not known",
        s=found,
        figure=figure,
        turns=turns,
        rest=rest,
        joint=decision.what_if.get("joint_flip"),
        kinds=proof_figures.KINDS,
        few=FEW_DRAWS,
    )


def scenarios(decision: Asked) -> Section:
    """What would be decided if the stated inputs were otherwise."""
    found = decision.what_if
    worst = decision.record.get("pessimistic")
    rows = [*(found.get("scenarios") or []), *([worst] if worst else [])]
    other = sum(not row["same"] for row in rows)
    text = f"{other} of {words.plural(len(rows), 'scenario')} end in another verdict"
    changed = [row for row in rows[1:] if row["changed"] and row["name"] not in BY_RANGE]
    return section(
        "scenarios", decision, text, rows=rows, changed=changed, other=other, verdicts=words.VERDICTS
    )


BY_RANGE = ("pessimistic", "expected", "optimistic", "assumed_at_unkind_end")


def knowing(decision: Decision) -> Section:
    """What knowing more is worth, and whether a sample is worth its price."""
    record = decision.record
    found = record.get("knowing") or {}
    drawn = [f for f in (proof_figures.knowing_figure(record), proof_figures.samples_figure(record)) if f]
    text = str(found.get("sentence") or "What knowing more is worth cannot be said")
    return section("knowing", decision, text, k=found, figures=drawn, kinds=proof_figures.KINDS)


def evidence(decision: Decision) -> Section:
    """What the result rests on, and what of it is too old."""
    found = decision.record.get("evidence") or {}
    figure = proof_figures.evidence_figure(decision.record)
    text = str(found.get("text") or "What the result rests on was not looked at")
    return section("evidence", decision, text, e=found, figure=figure, kinds=proof_figures.KINDS)


def workbook(decision: Asked) -> Section:
    """The workbook, which a run whose report is issued writes beside its pages."""
    run = current_run(str(decision.record["pilot"]))
    if run is not None:
        from roi.workbook import workbook_bytes

        made = workbook_bytes(decision.analysis, decision.record, decision.what_if["scenarios"])
        (run.folder / WORKBOOK).write_bytes(made)
    text = "The workbook lies beside this page" if run is not None else "`roi run` writes the workbook"
    return section("workbook", decision, text, file=WORKBOOK, written=run is not None)
