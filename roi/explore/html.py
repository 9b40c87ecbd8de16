"""What the panel says, as text, tables and a style sheet; without scripts, and whatever people wrote stays words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from roi import words
from roi.explore.allowed import Refusal
from roi.explore.explorer import Choice, Seen, paired

__all__ = ["STYLE", "gates_html", "note_html", "refused_html", "said_html", "table_html", "verdict_html"]

STYLE = """<style>
.roi-explore { container-type: inline-size; width: 100%; overflow: clip; }
.roi-explore .roi-columns { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 7fr); gap: 0 28px; }
.jp-Cell:has(.roi-explore), .jp-Cell :has(.roi-explore), .roi-explore .roi-columns, .roi-explore .roi-shown {
  overflow: visible; }
.roi-explore .roi-shown { position: sticky; top: 0; align-self: start; }
.roi-explore .roi-file > .widget-label { width: auto; }
.roi-explore .widget-button { width: auto; padding: 0 16px; }
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
.roi-explore .roi-moved h2 { margin: 10px 0 4px; font-size: 1.05rem; }
.roi-explore p { margin: 4px 0; }
.roi-explore ul { margin: 2px 0; padding-left: 18px; }
.roi-explore table { width: 100%; margin: 0; border-collapse: collapse; font-size: inherit; table-layout: auto; }
.roi-explore th, .roi-explore td { padding: 3px 6px; text-align: right; vertical-align: top; background: none; }
.roi-explore td { overflow-wrap: normal; white-space: nowrap; }
.roi-explore td:last-child { white-space: normal; }
.roi-explore th[scope=row], .roi-explore th[scope=rowgroup] { padding-left: 0; text-align: left; font-weight: normal;
  overflow-wrap: break-word; }
.roi-explore tr.roi-name > th { font-weight: bold; }
.roi-explore tr:is(.roi-name, .roi-now) + tr > :is(th, td) { padding-top: 0; }
.roi-explore p.roi-kept { font-size: 1.05em; }
.roi-explore tr { background: none; }
.roi-explore tr:not(.roi-name, .roi-now) { border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
.roi-explore .roi-line { margin: 8px 0 2px; font-weight: bold; }
.roi-explore .roi-picture svg { display: block; }
.roi-explore .roi-axis { position: relative; height: 1.6em; border-top: 1px solid currentColor; }
.roi-explore .roi-axis span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
@container (max-width: 640px) {
  .roi-explore .roi-columns { grid-template-columns: minmax(0, 1fr); }
  .roi-explore .roi-shown { order: -1; position: static; }
}
</style>"""
STATES = {"open": "●", "missing evidence": "○"}


def note_html(stated: str | None, refused: Sequence[str]) -> str:
    """What is said beside something that can be moved: why it may not be there, and what is stated.

    Args:
        stated: What the file states, where it was moved.
        refused: Why it may not be where it is.
    """
    line = Markup("").join(
        Markup("<p class='roi-note roi-refused' role='alert'>Not allowed: {}</p>").format(
            words.shorten(said, 400)
        )
        for said in refused
    )
    if stated is not None:
        line += Markup("<p class='roi-note'>{}</p>").format(words.shorten(stated, 200))
    return str(line)


def refused_html(title: str, refused: Sequence[Refusal], labels: Mapping[str, str]) -> str:
    """In place of a verdict: that there is none, and what has to be mended."""
    head = Markup(
        "<div role='status'><h2><bdi>{}</bdi>: no verdict</h2><p class='roi-refused'>A parameter file may not say "
        "this, so nothing is decided. Mend it where it is marked, or reset.</p></div>"
    ).format(words.shorten(title, 90))
    items = Markup("")
    for one in refused:
        named = words.and_list(words.shorten(labels[key], 60) for key in one.keys if key in labels)
        items += Markup("<li>{}<bdi>{}</bdi></li>").format(
            f"{named}: " if named else "", words.shorten(one.said, 400)
        )
    return str(head + Markup("<ul>{}</ul>").format(items))


def said_html(error: object) -> str:
    """What a button could not do, with the mend."""
    return str(
        Markup("<pre role='alert' style='white-space:pre-wrap'>{}</pre>").format(words.shorten(error, 600))
    )


def verdict_html(seen: Seen, kept: Seen | None, title: str) -> str:
    """The verdict in words; a sketch says that it does not decide."""
    head = Markup("<div role='status'><h2><bdi>{}</bdi>: {}</h2></div>").format(
        words.shorten(title, 90), _verdict(seen)
    )
    return str(
        head if kept is None else head + Markup("<p class='roi-kept'>Kept: {}</p>").format(_verdict(kept))
    )


def _verdict(seen: Seen) -> str:
    name = "deciding …" if seen.verdict is None else words.VERDICTS.get(seen.verdict, seen.verdict)
    return f"{name}, {words.shorten(seen.why, 120)}" if seen.why else name


def table_html(seen: Seen, kept: Seen | None) -> str:
    """The options: expected worth, 8 in 10 outcomes, and how often it pays; under each what was kept of it."""
    currency = words.shorten(seen.currency, 10)
    heads = [f"Worth, {currency}", f"8 in 10 outcomes, {currency}", "Pays in"]
    head = Markup("").join(Markup("<th scope='col'>{}</th>").format(h) for h in heads)
    rows = Markup("").join(
        _rows(label, now, then, kept is not None) for label, now, then in paired(seen, kept)
    )
    return str(Markup("<table><tr><td></td>{}</tr>{}</table>").format(head, rows))


def _rows(label: str, now: Choice | None, kept: Choice | None, comparing: bool) -> Markup:
    name = words.shorten(label, 90)
    if not comparing:
        return Markup("<tr><th scope='row'><bdi>{}</bdi></th>{}</tr>").format(name, _cells(now))
    return Markup(
        "<tr class='roi-name'><th scope='rowgroup' colspan='4'><bdi>{}</bdi></th></tr>"
        "<tr class='roi-now'><th scope='row'>now</th>{}</tr><tr><th scope='row'>kept</th>{}</tr>"
    ).format(name, _cells(now), _cells(kept))


def _cells(choice: Choice | None) -> Markup:
    if choice is None:
        return Markup("<td colspan='3' class='roi-none'>not put forward</td>")
    cells = [
        words.amount(choice.mean, "").strip(),
        words.amount_range(choice.p10, choice.p90, "", choice.mean).strip(),
        words.chance(choice.chance),
    ]
    return Markup("").join(Markup("<td>{}</td>").format(cell) for cell in cells)


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
