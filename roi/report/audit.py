"""The sections of the audit: is it the model, or the inputs, the systems, the people around it, and at what price."""

from __future__ import annotations

from typing import Any

from roi import words
from roi.report import audit_words, cause_figures, facts, quality_figures
from roi.report.sections import Decision, Section, section
from roi.signing import standing

__all__ = ["causes", "clean", "inputs", "integration", "missing", "opening", "oversight"]

MET = {
    "failed": "Failed",
    "denied": "Denied",
    "timed_out": "Timed out",
    "retried": "Tried again",
    "not_granted": "Not granted",
    "expired": "Grant expired",
}
MOST_FIELDS, MOST_SYSTEMS, MOST_SEGMENTS = 25, 30, 12


def opening(decision: Decision) -> Section:
    """The verdict, whether the model is the problem, and what was found of inputs, calls and people."""
    record = decision.record
    answers = [
        ("The verdict", facts.verdict_line(record)),
        ("Is the model the problem?", record.get("model_the_problem")),
        *audit_words.headlines(record),
    ]
    if not (record.get("audit") or {}).get("inputs"):
        answers.append(("Inputs", "Not given, so nothing is known of their defects."))
    if not (record.get("audit") or {}).get("integration"):
        answers.append(("Integration", "No log of the agent’s calls was given."))
    gaps = sum(len(texts) for _, texts in audit_words.missing(record))
    if gaps:
        answers.append(("Not known", f"{words.plural(gaps, 'gap')}; the last part says what to log."))
    text = str(record.get("model_the_problem") or "")
    shown = [(label, said) for label, said in answers if said]
    return section("audit", decision, text, answers=shown, standing=standing(record))


def causes(decision: Decision) -> Section:
    """What each cause costs and what tells of it, how far coders agree, and what stays unexplained."""
    record = decision.record
    found = record.get("causes") or {}
    rows = [row for row in found.get("by_cause") or [] if row.get("share_of_losses") or row.get("per_year")]
    rest = next((row for row in rows if row["cause"] == "unexplained"), None)
    return section(
        "audit_causes",
        decision,
        str(found.get("text") or "No losses were looked at"),
        c=found,
        rows=[(row, audit_words.told_by(row, found)) for row in rows],
        rest=(rest or {}).get("share_of_losses"),
        figure=cause_figures.causes_figure(record),
        kinds_of_loss=_kinds(found.get("by_kind") or {}),
    )


def _kinds(counted: dict[str, int]) -> list[str]:
    named = (("error", "error", None), ("handed_over", "hand-over", None))
    said = [words.plural(counted[key], one, many) for key, one, many in named if counted.get(key)]
    if counted.get("unused"):
        said.append(f"{words.plural(counted['unused'], 'right result')} that nobody used")
    return said


def inputs(decision: Decision) -> Section:
    """What is wrong with the inputs, field by field and by segment, the demo beside production."""
    record = decision.record
    found = (record.get("audit") or {}).get("inputs")
    text = str(found["headline"]) if found else "The inputs were not given"
    fields: list[Any] = []
    left = 0
    if found:
        order = sorted(found["fields"], key=lambda f: -_broken(f))
        fields, left = audit_words.kept_words(order, MOST_FIELDS)
    segments, more = audit_words.kept_words((found or {}).get("by_segment") or [], MOST_SEGMENTS)
    return section(
        "audit_inputs",
        decision,
        text,
        q=found,
        figure=quality_figures.defects_figure(record),
        rows=[(f, audit_words.found_words(f, "production"), audit_words.moved(f["drift"])) for f in fields],
        left=left,
        segments=segments,
        more=more,
        absent=_absent(record, "samples.inputs"),
    )


def _broken(field: dict[str, Any]) -> int:
    return sum((field[s] or {"defective": {"k": 0}})["defective"]["k"] for s in ("production", "demo"))


def _absent(record: dict[str, Any], key: str) -> str:
    """Why a part of the audit is not there."""
    said = (record.get("audit") or {}).get("missing") or []
    return next((str(text) for text in said if key in text), "")


def integration(decision: Decision) -> Section:
    """Which calls fail, are denied, are tried again or take long, by system and scope, and what nobody granted."""
    record = decision.record
    found = (record.get("audit") or {}).get("integration")
    text = str(found["headline"]) if found else "There is no log of the agent's calls"
    order = sorted((found or {}).get("by_system") or [], key=_through)
    rows, left = audit_words.kept_words(order, MOST_SYSTEMS)
    calm = not any((row.get(key) or {}).get("k") for row in order for key in ("failed", "denied"))
    return section(
        "audit_integration",
        decision,
        text,
        i=found,
        figure=None if calm else quality_figures.calls_figure(record),
        rows=rows,
        left=left,
        shares=[(key, head) for key, head in MET.items() if any(row.get(key) for row in rows)],
        unknown=[head for key, head in MET.items() if rows and not any(row.get(key) for row in rows)],
        arms=len({row["arm"] for row in rows}) > 1,
        met=((found or {}).get("cases_that_met") or {}).get("pilot"),
        absent=_absent(record, "samples.actions"),
    )


def _through(row: dict[str, Any]) -> float:
    return -sum(
        float((row.get(key) or {"share": 0.0})["share"]) for key in ("failed", "denied", "not_granted")
    )


def oversight(decision: Decision) -> Section:
    """Waiting, approvals after the act, hand-overs, results that nobody used, rework after approval."""
    record = decision.record
    found = (record.get("audit") or {}).get("oversight")
    text = str(found["headline"]) if found else "What people did about the agent's work is not known"
    before = (found or {}).get("before") or {}
    rows: list[tuple[str, str, Any]] = []
    if found:
        rows = [
            ("Approved only after the act", "of approvals", found["approved_after_the_act"]),
            ("Rejected", "of decisions", found["rejected"]),
            ("Reworked after approval", "of approved cases", found["reworked_after_approval"]),
            ("Wrong after approval", "of approved cases", found["wrong_after_approval"]),
            ("Handed over to a person", "of cases with the agent", found["handed_over"]),
            ("Handed over before the agent", "of cases without it", before.get("handed_over")),
            ("Hand-overs that were right", "of hand-overs", found["right_to_hand_over"]),
            ("Right results that nobody used", "of right results", found["right_and_not_used"]),
            ("Right results that were edited", "of right results", found["right_and_edited"]),
        ]
        if before.get("right_to_hand_over"):
            rows.append(("Right hand-overs before", "of hand-overs", before["right_to_hand_over"]))
    return section(
        "audit_oversight",
        decision,
        text,
        o=found,
        known=[row for row in rows if row[2]],
        unknown=[label for label, _, rate in rows if not rate and "before" not in label],
        absent=_absent(record, "in place of cases"),
    )


def clean(decision: Decision) -> Section:
    """What would be gone were every case clean, and what remedies are taken to remove beside it."""
    record = decision.record
    worlds = record.get("clean_world") or []
    figure = cause_figures.clean_figure(record)
    rows = [(world["cause"], remedy) for world in worlds for remedy in world["remedies"]]
    text = figure.answer if figure else "No log tells clean cases from others"
    return section("audit_clean", decision, text, worlds=worlds, figure=figure, remedies=rows)


def missing(decision: Decision) -> Section:
    """What nobody logs, and how to."""
    parts = audit_words.missing(decision.record)
    text = words.plural(sum(len(texts) for _, texts in parts), "gap")
    return section("audit_missing", decision, text, parts=parts)
