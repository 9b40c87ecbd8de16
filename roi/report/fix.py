"""The sections of the fix: which remedies pay, in what order, for how much at most, and how it will be seen."""

from __future__ import annotations

from roi import words
from roi.after_remedy import LEAST_CASES
from roi.report import facts, remedy_figures
from roi.report.sections import Decision, Section, section
from roi.signing import standing

__all__ = ["again", "ceilings", "each", "ladder", "opening"]

ENDS = {"rule": "beyond it not sure enough", "budget": "beyond it over the budget"}


def opening(decision: Decision) -> Section:
    """What was decided, and what fixing can do about it."""
    record = decision.record
    found = record.get("remedies") or {}
    whole = found.get("set") or {}
    answers = [
        ("The verdict", facts.verdict_line(record)),
        ("Is the model the problem?", record.get("model_the_problem")),
        ("Which remedies", found.get("text")),
        ("How sure the set is", _sure(whole, str(record.get("currency")))),
    ]
    text = str(found.get("text") or "")
    return section(
        "fix", decision, text, answers=[(a, b) for a, b in answers if b], standing=standing(record)
    )


def _sure(whole: dict[str, object], currency: str) -> str | None:
    if not whole:
        return None
    sets = words.plural(whole["sets"], "affordable set")
    if whole["exact"] and not whole["advised"]:
        return f"{words.capital(sets)} of remedies, each valued or shown to be worth less."
    if whole["exact"]:
        return f"None of {sets} of remedies is worth more."
    gap = whole["gap"]
    if gap is None:
        return f"Of {sets} not all were valued, and how much better another could be is not known."
    return f"Of {sets} not all were valued; another could be worth {words.amount(gap, currency)} more at the most."


def ladder(decision: Decision) -> Section:
    """The set in the order in which to buy, step by step."""
    record = decision.record
    figure = remedy_figures.remedy_ladder_figure(record)
    found = record.get("remedies") or {}
    rows = [r for r in found.get("list") or [] if r["order"] is not None]
    text = figure.answer if figure else f"No set of remedies: {found.get('why') or 'none pays'}"
    return section("remedies", decision, text, f=found, figure=figure, rows=rows)


def each(decision: Decision) -> Section:
    """Each remedy by itself, among the others, and at most; and sets that come near."""
    record = decision.record
    found = record.get("remedies") or {}
    rows = found.get("list") or []
    figure = remedy_figures.most_figure(record)
    text = words.plural(len(rows), "remedy", "remedies")
    return section("each_remedy", decision, text, f=found, figure=figure, rows=rows, ends=ENDS)


def again(decision: Decision) -> Section:
    """When to measure again, what, and on how many cases."""
    rows = [r for r in (decision.record.get("remedies") or {}).get("list") or [] if r["again"]]
    return section("again", decision, words.plural(len(rows), "measurement"), rows=rows, least=LEAST_CASES)


def ceilings(decision: Decision) -> Section:
    """Closed gates that nobody has priced a mend of."""
    found = decision.record.get("remedies") or {}
    rows = found.get("ceilings") or []
    text = f"{words.plural(len(rows), 'closed gate')} without a mend that is bought"
    return section("ceilings", decision, text, rows=rows)
