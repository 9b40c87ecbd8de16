"""What the panel says, as text, tables and a style sheet; without scripts, and whatever people wrote stays words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from roi import words
from roi.explore.allowed import Refusal
from roi.explore.explorer import Seen

__all__ = ["STYLE", "gates_html", "note_html", "refused_html", "said_html", "table_html", "verdict_html"]

STYLE = """<style>
.roi-explore { container-type: inline-size; width: 100%; overflow: hidden; }
.roi-explore .roi-columns { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 7fr); gap: 0 28px; }
.roi-explore .roi-dial { margin: 0 0 4px; overflow: visible; }
.roi-explore .roi-dial > * { margin: 0 2px; width: auto; }
.roi-explore .roi-dial .widget-text { height: auto; align-items: center; }
.roi-explore .roi-dial .widget-text > .widget-label { flex: 1 1 auto; width: auto; height: auto; line-height: 1.3;
  text-align: left; white-space: normal; overflow: visible; }
.roi-explore .roi-dial .widget-text > input { flex: 0 0 7.5em; width: 7.5em; text-align: right; }
.roi-explore .roi-dial .widget-slider { height: 22px; }
.roi-explore .roi-note { margin: 0 0 2px; font-size: 0.9em; line-height: 1.3; }
.roi-explore .roi-refused { padding-left: 8px; border-left: 4px solid #c04a00; }
.roi-explore .widget-checkbox { width: auto; height: auto; }
.roi-explore .widget-checkbox label { white-space: normal; line-height: 1.3; overflow-wrap: anywhere; }
.roi-explore .widget-html { width: auto; }
.roi-explore .widget-html-content { overflow-wrap: anywhere; line-height: 1.4; }
.roi-explore h2 { margin: 0 0 4px; font-size: 1.35rem; line-height: 1.25; }
.roi-explore h3 { margin: 10px 0 4px; font-size: 1rem; }
.roi-explore p { margin: 4px 0; }
.roi-explore ul { margin: 2px 0; padding-left: 18px; }
.roi-explore table { width: 100%; margin: 0; border-collapse: collapse; font-size: inherit; table-layout: auto; }
.roi-explore th, .roi-explore td { padding: 3px 6px; text-align: right; vertical-align: top; background: none; }
.roi-explore td { overflow-wrap: normal; }
.roi-explore th:first-child { padding-left: 0; text-align: left; font-weight: normal; }
.roi-explore th[scope=row] { min-width: 8.5em; overflow-wrap: break-word; }
.roi-explore tr { border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); background: none; }
.roi-explore .roi-line { margin: 8px 0 2px; font-weight: bold; }
.roi-explore .roi-picture svg { display: block; }
.roi-explore .roi-axis { position: relative; height: 1.6em; border-top: 1px solid currentColor; }
.roi-explore .roi-axis span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
@container (max-width: 640px) {
  .roi-explore .roi-columns { grid-template-columns: minmax(0, 1fr); }
  .roi-explore .roi-shown { order: -1; }
}
</style>"""
STATES = {"open": "●", "missing evidence": "○"}


def note_html(file: str | None, refused: Sequence[str]) -> str:
    """What is said beside something that can be moved: why it may not be there, and where the file has it.

    Args:
        file: What the file states, where it was moved.
        refused: Why it may not be where it is.
    """
    line = Markup("").join(
        Markup("<p class='roi-note roi-refused' role='alert'>Not allowed: {}</p>").format(
            words.shorten(said, 400)
        )
        for said in refused
    )
    if file is not None:
        line += Markup("<p class='roi-note'>In the file: {}</p>").format(file)
    return str(line)


def refused_html(title: str, refused: Sequence[Refusal], labels: Mapping[str, str]) -> str:
    """In place of a verdict: that there is none, and what has to be mended."""
    head = Markup(
        "<div role='status'><h2><bdi>{}</bdi>: no verdict</h2><p class='roi-refused'>A parameter file may not say "
        "this, so nothing is decided. Mend it where it is marked, or reset.</p></div>"
    ).format(words.shorten(title, 90))
    items = Markup("").join(
        Markup("<li>{}<bdi>{}</bdi></li>").format(
            f"{' and '.join(labels[k] for k in x.keys if k in labels)}: "
            if any(k in labels for k in x.keys)
            else "",
            words.shorten(x.said, 400),
        )
        for x in refused
    )
    return str(head + Markup("<ul>{}</ul>").format(items))


def said_html(error: object) -> str:
    """What a button could not do, with the mend."""
    return str(
        Markup("<pre role='alert' style='white-space:pre-wrap'>{}</pre>").format(words.shorten(error, 600))
    )


def verdict_html(seen: Seen, kept: Seen | None, title: str) -> str:
    """The verdict in words; a sketch says that it does not decide."""
    name = "deciding …" if seen.verdict is None else words.VERDICTS.get(seen.verdict, seen.verdict)
    why = f", {words.shorten(seen.why, 120)}" if seen.why else ""
    line = Markup("<h2><bdi>{}</bdi>: {}{}</h2>").format(words.shorten(title, 90), name, why)
    if kept is not None:
        before = words.VERDICTS.get(str(kept.verdict), "")
        line += Markup("<p>Kept: {}{}</p>").format(
            before, f", {words.shorten(kept.why, 120)}" if kept.why else ""
        )
    return str(line)


def table_html(seen: Seen, kept: Seen | None) -> str:
    """The options: expected worth, 8 in 10 outcomes, and how often it pays; the kept setting beside."""
    currency = words.shorten(seen.currency, 10)
    before = {} if kept is None else {choice.label: choice for choice in kept.choices}
    rows = Markup("")
    for choice in seen.choices:
        cells = [
            words.amount(choice.mean, currency),
            words.amount_range(choice.p10, choice.p90, currency),
            words.chance(choice.chance),
        ]
        if kept is not None:
            old = before.get(choice.label)
            cells.append("not there" if old is None else words.amount(old.mean, currency))
        rows += Markup("<tr><th scope='row'><bdi>{}</bdi></th>").format(words.shorten(choice.label, 90))
        rows += Markup("").join(Markup("<td>{}</td>").format(cell) for cell in cells)
        rows += Markup("</tr>")
    heads = [
        "Worth against stopping now",
        "8 in 10 outcomes",
        "Pays in",
        *([] if kept is None else ["Kept: worth"]),
    ]
    head = Markup("").join(Markup("<th scope='col'>{}</th>").format(h) for h in heads)
    return str(Markup("<table><tr><td></td>{}</tr>{}</table>").format(head, rows))


def gates_html(seen: Seen) -> str:
    """The gates that are closed, and how many are open."""
    closed = [(label, state) for label, state in seen.gates if state != "open"]
    said = Markup("<p><b>{} of {} gates open.</b></p>").format(len(seen.gates) - len(closed), len(seen.gates))
    items = Markup("").join(
        Markup("<li>{} <bdi>{}</bdi>: {}</li>").format(
            STATES.get(state, "✕"), words.shorten(label, 90), words.shorten(state, 60)
        )
        for label, state in closed
    )
    return str(said + (Markup("<ul>{}</ul>").format(items) if closed else Markup("")))
