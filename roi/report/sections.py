"""The sections of the business case: a decision in, something a notebook can show out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from roi import units, words
from roi.pictures import Pictures
from roi.report import audit_words, cause_figures, facts, figures, next_steps, promises
from roi.report.formats import FORMATS
from roi.report.labelling import judging
from roi.report.sketching import sketched
from roi.report.turned_down import turned_down
from roi.report.where import WHERE
from roi.signing import standing

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

__all__ = [
    "RECORD_MIME",
    "SINCE_MIME",
    "Section",
    "Style",
    "assumptions",
    "causes",
    "drivers",
    "environment",
    "fill_in",
    "first_screen",
    "fixing",
    "gates",
    "left_out",
    "measured",
    "money",
    "options",
    "provenance",
    "section",
    "style",
    "style_sheet",
]

RECORD_MIME = "application/vnd.roi.record+json"
SINCE_MIME = "application/vnd.roi.since+json"
TEMPLATES = Path(__file__).parent / "templates"


class Decision(Protocol):
    """What the sections need of a decision."""

    @property
    def record(self) -> dict[str, Any]: ...

    @property
    def pictures(self) -> Pictures: ...


class Sketched(Decision, Protocol):
    """A decision that can be sketched at other assumptions."""

    @property
    def sketch(self) -> dict[str, Any] | None: ...


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the business case, shown by a notebook cell that ends with it.

    Attributes:
        name: Which part.
        html: The part as an HTML fragment, every text of a user escaped.
        text: The part in a line, for where HTML is not shown.
        record: The whole record, where this section carries it into the executed notebook.
        since: What the business case should open with because of this section, in a sentence; empty for nothing.
        operation: What is to be done in operation before what the verdict says; None for nothing.
    """

    name: str
    html: str
    text: str
    record: Mapping[str, Any] | None = field(default=None, repr=False)
    since: str = ""
    operation: Mapping[str, Any] | None = field(default=None, repr=False)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/html": self.html, "text/plain": self.text}
        if self.record is not None:
            # Through JSON and back, so that what the notebook holds is what a file of it would hold.
            bundle[RECORD_MIME] = json.loads(json.dumps(self.record, allow_nan=False))
        if self.since or self.operation:
            operation = None if self.operation is None else dict(self.operation)
            bundle[SINCE_MIME] = {"since": self.since, "operation": operation}
        return bundle


@dataclass(frozen=True, slots=True)
class Style:
    """The style sheet for JupyterLab; the rendered page carries its own and drops this output."""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> tuple[Any, Any]:
        # Colours belong to the outputs alone, with their own ground: JupyterLab has a theme of its own.
        sheet = style_sheet().replace(":root", ".roi") + ".roi{background:var(--paper);padding:1rem}"
        return {"text/html": f"<style>{sheet}</style>", "text/plain": ""}, {"roi": "style"}


@cache
def style_sheet() -> str:
    """The style sheet of pages and notebook outputs."""
    return (TEMPLATES / "style.css").read_text(encoding="utf-8")


@cache
def environment() -> Environment:
    """The templates, with every text escaped unless it is marked as HTML made here."""
    from jinja2 import ChainableUndefined, Environment, FileSystemLoader
    from markupsafe import Markup

    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def say(text: object, most: int = 300) -> Markup:
        if text is None or text == "":
            return Markup("")
        return Markup("<bdi>{}</bdi>").format(words.shorten(text, most).replace(" %", f"{words.NBSP}%"))

    found.filters |= FORMATS | {"say": say, "dots": _dots, "drawn": _drawn, "gate_word": facts.gate_word}
    found.filters["finding_word"] = facts.finding_word
    found.globals |= {"controls": words.CONTROLS, "kinds": facts.KINDS, "claimed": promises.claimed}
    return found


def _dots(p: object) -> Markup:
    """Ten dots, as many filled as there are chances in ten."""
    from markupsafe import Markup

    filled = words.chance_dots(p)
    if filled is None:
        return Markup("")
    # Ten full dots are for what is all but sure; "more than 19 of 20" has a smaller one at its end.
    last = 4.6 if filled < 10 or (words.finite(p) or 0.0) > 0.99 else 2.6
    circles = "".join(
        f'<circle cx="{7 + 13 * i}" cy="7" r="{4.6 if i < 9 else last}" class="{"on" if i < filled else "off"}"/>'
        for i in range(10)
    )
    return Markup(
        f'<svg class="dots" viewBox="0 0 131 14" width="131" height="14" aria-hidden="true">{circles}</svg>'
    )


def _drawn(figure: figures.Figure) -> Markup:
    """A figure with its caption and both drawings."""
    from markupsafe import Markup

    wide, narrow = map(Markup, figure.drawings())
    return Markup(
        environment().get_template("figure.html.j2").render(figure=figure, wide=wide, narrow=narrow)
    )


def section(
    name: str, decision: Decision, text: str, *, carries_record: bool = False, **more: Any
) -> Section:
    record = decision.record
    template = environment().get_template(f"{name}.html.j2")
    html = template.render(r=record, currency=str(record.get("currency") or ""), **more)
    return Section(name, html, text, record if carries_record else None)


def style() -> Style:
    """The look of the sections below; a notebook shows it once, at the top."""
    return Style()


def _bars(rows: list[facts.Choice]) -> dict[str, Any]:
    """Where on a common axis each option's range and mean lie, in per cent of its length."""
    numbers = [words.finite((c.option or {}).get(key)) for c in rows for key in ("p10", "p90", "mean")]
    ends = [x for x in numbers if x is not None] + [0.0]
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0

    def at(x: object) -> float | None:
        value = words.finite(x)
        return None if value is None else round(2 + 96 * (value - low) / span, 2)

    return {"at": at, "zero": at(0.0)}


def first_screen(decision: Decision) -> Section:
    """The verdict, its reason, the options, what to do next, and what to know before believing it."""
    record = decision.record
    rows = facts.choices(record)
    say = f"{facts.verdict_line(record)}. {record.get('reason')}"
    bars = _bars(rows)
    known = facts.facts(record)
    key = [
        fact
        for fact in known
        if fact.label in ("A first view", "What was measured", "How much is assumed", "What is not known")
    ]
    # One worth stands for a pilot, here and on the page of all pilots.
    lead = next((c for c in rows if c.option is not None and c.option is words.as_decided(record)), None)
    asked = {"kill": "Cost of stopping", "fix": "The sum asked for", "scale": "The sum asked for"}
    return section(
        "first_screen",
        decision,
        words.shorten(say, 400),
        carries_record=True,
        word=words.verdict_word(record),
        verdict=str(record.get("verdict")),
        mark=facts.first_view_mark(record),
        standing=standing(record),
        choices=rows,
        lead=lead or next((c for c in rows if c.name.startswith("scale") and c.option), None),
        in_all=len(facts.choices(record, every=True)),
        key=key,
        facts=[fact for fact in known if fact not in key],
        stopping=facts.stops(record),
        where=WHERE,
        same=next_steps.same_worth(record),
        several=next_steps.several(record),
        lacks=partial(turned_down, record),
        asked=asked.get(str(record.get("verdict")), "The sum asked for"),
        **bars,
    )


def measured(decision: Decision) -> Section:
    """Time, quality and cost by arm, and by segment."""
    record = decision.record
    figure = figures.minutes_figure(record, decision.pictures)
    found = record.get("estimates") or {}
    pairs = [
        ("Human minutes a case", "human_minutes_baseline", "human_minutes_pilot"),
        ("of these handling", "handling_minutes_baseline", "handling_minutes_pilot"),
        ("of these review", "review_minutes_baseline", "review_minutes_pilot"),
        ("of these rework", "rework_minutes_baseline", "rework_minutes_pilot"),
        ("Errors, of all cases", "error_rate_baseline", "error_rate_pilot"),
        ("Severe errors", None, "severe_error_rate_pilot"),
        ("Taken over by a person", "escalation_rate_baseline", "escalation_rate_pilot"),
        ("Agent cost a case", None, "agent_cost_per_case"),
        ("Cost of a correct case", "cost_per_correct_case_baseline", "cost_per_correct_case_pilot"),
    ]
    rows = [
        (label, found.get(before or ""), found.get(after))
        for label, before, after in pairs
        if found.get(before or "") or found.get(after)
    ]
    sentence = facts.measured_sentence(record)
    return section(
        "measured",
        decision,
        sentence,
        est=_estimate,
        sentence=words.capital(sentence),
        figure=figure,
        rows=rows,
        saved=found.get("minutes_saved_per_case"),
        design=record.get("design") or {},
        assigned=facts.assigned(record),
        drawn_together=[
            row for row in record.get("by_segment") or [] if words.finite(row.get("shrinkage")) is not None
        ],
        relative=found.get("relative_time_saved"),
        judging=judging(record),
    )


def _estimate(found: Mapping[str, Any] | None) -> tuple[str, str]:
    """A measured quantity and its interval, in the unit in which people say it."""
    if not found:
        return "–", ""
    unit = str(found.get("unit") or "")
    low, high = found.get("p05"), found.get("p95")
    if low is not None and low == high == found.get("mean"):
        return units.figure(low, unit), ""
    mean = found.get("mean")
    return units.figure(mean, unit), units.span(low, high, unit, mean, bare=True)


def money(decision: Decision) -> Section:
    """What the plan brings, when the money is back, and how wide the range is."""
    record, pictures = decision.record, decision.pictures
    drawn = [
        found
        for found in (
            figures.worth_figure(record, pictures),
            figures.cash_figure(record, pictures),
            figures.years_figure(record, pictures),
        )
        if found
    ]
    plan = words.advised(record) if words.advised_name(record) != "kill" else None
    plan_name = (record.get("money") or {}).get("plan")
    if plan is None and plan_name:
        found = (record.get("options") or {}).get(plan_name)
        plan = found[0] if isinstance(found, list) and found else found or None
    text = words.amount((plan or {}).get("mean"), str(record.get("currency")))
    lacks = turned_down(record, plan)
    return section(
        "money", decision, f"Worth {text}", figures=drawn, plan=plan, lacks=lacks, m=record.get("money")
    )


def options(decision: Decision) -> Section:
    """Every option, scope and alternative side by side."""
    record = decision.record
    figure = figures.options_figure(record, decision.pictures)
    rows = facts.choices(record, every=True)
    return section("options", decision, f"{len(rows)} options", figure=figure, choices=rows)


def gates(decision: Decision) -> Section:
    """What has to be shown before the pilot may be scaled."""
    rows = decision.record.get("gates") or []
    shown = sum(gate.get("state") == "shown" for gate in rows)
    return section("gates", decision, f"{shown} of {len(rows)} gates are shown", rows=rows, shown=shown)


def drivers(decision: Sketched) -> Section:
    """What would change the answer, and in the rendered page a sketch of the answer at other assumptions."""
    figure = figures.drivers_figure(decision.record, decision.pictures)
    text = figure.answer if figure else "Nothing to draw"
    return section("drivers", decision, text, figure=figure, sketch=sketched(decision.sketch))


def causes(decision: Decision) -> Section:
    """Where what goes wrong comes from."""
    record = decision.record
    return section(
        "causes",
        decision,
        str(record.get("model_the_problem") or ""),
        figure=cause_figures.causes_figure(record),
        audited=[text for _, text in audit_words.headlines(record)],
    )


def fixing(decision: Decision) -> Section:
    """Which remedies pay; the page of the fix has the rest."""
    found = decision.record.get("remedies") or {}
    return section("fixing", decision, str(found.get("text") or ""), f=found)


def assumptions(decision: Decision) -> Section:
    """The assumptions register: every number that was not measured."""
    rows = decision.record.get("assumptions") or []
    return section("assumptions", decision, words.plural(len(rows), "assumption"))


def left_out(decision: Decision) -> Section:
    """What is not in the figures: excluded rows, filled-in numbers, unstated costs, warnings."""
    return section("left_out", decision, words.plural(len(decision.record.get("unknowns") or []), "unknown"))


def fill_in(decision: Decision) -> Section:
    """What to fill in next, for a first view; nothing for any other."""
    rows = (decision.record.get("first_view") or {}).get("fill_in") or []
    text = f"{words.plural(len(rows), 'input')} to fill in next" if rows else "This is no first view"
    return section("fill_in", decision, text, rows=rows, sentence=facts.first_view_sentence(decision.record))


def provenance(decision: Decision) -> Section:
    """From what this was computed, so that it can be computed again."""
    return section("provenance", decision, f"roi {(decision.record.get('provenance') or {}).get('roi')}")
