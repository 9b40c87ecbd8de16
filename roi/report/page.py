"""The rendered report: one HTML file from an executed notebook, without code or requests."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from roi import words
from roi.locales import LOCALES, localise_html, said_by_users, signs
from roi.pictures import Pictures
from roi.report.sections import RECORD_MIME, SINCE_MIME, TEMPLATES, environment, first_screen, style_sheet
from roi.signing import standing

__all__ = [
    "OPERATION",
    "PAGES",
    "PDF",
    "WORKBOOK",
    "as_written",
    "beside_of",
    "notebook_record",
    "operation_said",
    "page",
    "page_of",
    "pages_in",
    "render",
    "since_decided",
    "write_whole",
]

CONTENTS = "<!-- contents -->"
WORKBOOK = "workbook.xlsx"  # no page, but it lies and is listed beside them
PDF = "report.pdf"  # the business case again, where it was asked for; each other page has its own beside it
# The pages of a pilot by file name, in the order in which they are listed.
PAGES = {
    "report.html": "Business case",
    PDF: "PDF",
    "1_audit.html": "Audit",
    "3_fix.html": "Fix",
    "4_controls.html": "Controls",
    "5_prove_roi.html": "Proof",
    "6_operate.html": "Operation",
    WORKBOOK: "Workbook",
}
OPERATION = "6_operate"  # the notebook whose page may have something for the business case to open with
# Where a page that is no business case shows who has signed: it was drawn before anybody had.
STANDING = re.compile(r"(?<=<!-- standing -->).*?(?=<!-- end of standing -->)", re.S)
# What a first screen says while nothing is decided yet, and what of a plan that runs: it was decided, then.
THEN = (
    ('<dt class="asked">The sum asked for</dt>', '<dt class="asked">Was asked for</dt>'),
    ("<dt>Decide by</dt>", "<dt>Was due</dt>"),
    ("<dt>Worth against stopping</dt>", "<dt>Worth as it was decided</dt>"),
    ('<h2 id="next">What to do next', '<h2 id="next">What was to be done'),
)
SKETCH = re.compile(r'<section\b[^>]*\bclass="sketch"')
HEADING = re.compile(r"<h2\b[^>]*>(.*?)</h2>", re.S)


def notebook_record(notebook: Any) -> dict[str, Any] | None:
    """The record that an executed notebook carries.

    Args:
        notebook: The executed notebook, as nbformat reads it.

    Returns:
        The record of the last output that holds one; None where there is none.
    """
    found: dict[str, Any] | None = None
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            record = output.get("data", {}).get(RECORD_MIME)
            if isinstance(record, Mapping):
                found = dict(record)
    return found


def since_decided(folder: Path) -> str:
    """What the operation says that the business case should open with, in a sentence; empty for nothing.

    Args:
        folder: Of the pilot, with the executed notebooks.
    """
    return words.shorten(_said(folder).get("since") or "", 400)


def _said(folder: Path) -> Mapping[str, Any]:
    import nbformat

    file = folder / f"{OPERATION}.ipynb"
    if not file.is_file():
        return {}
    read: Any = nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]
    found: Mapping[str, Any] = {}
    for cell in read.cells:
        for output in cell.get("outputs", []):
            said = output.get("data", {}).get(SINCE_MIME)
            found = said if isinstance(said, Mapping) else found
    return found


def operation_said(folder: Path) -> dict[str, Any] | None:
    """What is to be done in operation before what the verdict says, as the executed notebook has it.

    Args:
        folder: Of the pilot, with the executed notebooks.
    """
    found = _said(folder).get("operation")
    return dict(found) if isinstance(found, Mapping) else None


def page_of(notebook: str) -> str:
    """The file name of a notebook's page; that of the business case is the report."""
    return "report.html" if notebook == "2_decide" else f"{notebook}.html"


def beside_of(notebooks: Sequence[str], *, issued: bool, pdf: bool = False) -> list[str]:
    """What lies beside a page once all notebooks have run; the proof of an issued one writes the workbook."""
    found = [page_of(name) for name in notebooks]
    found += [PDF] if pdf and "2_decide" in notebooks else []
    return [*found, WORKBOOK] if issued and "5_prove_roi" in notebooks else found


def pages_in(folder: Path) -> list[str]:
    """The pages of a pilot that lie in its folder, and its workbook."""
    return [name for name in PAGES if (folder / name).is_file()]


def page(
    title: str,
    body: str,
    *,
    above: str = "",
    since: str = "",
    lead: Mapping[str, Any] | None = None,
    footer: str = "",
    beside: Sequence[str] = (),
    own: str = "",
) -> str:
    """A whole page around a body.

    Args:
        title: Of the window.
        body: HTML made by the templates of this package; it is not escaped again.
        above: A line above the body.
        since: What moved since the record before, in a sentence; the report opens with it.
        lead: What is to be done in operation before what the body says; it opens the page.
        footer: A line below it.
        beside: Names of the pages of the same pilot, this one among them.
        own: The name of this one.

    Returns:
        HTML that forbids every request, and every script but its own, including those that a mistake might add.
    """
    from markupsafe import Markup

    sheet = style_sheet() + (TEMPLATES / "page.css").read_text(encoding="utf-8")
    return environment().get_template("page.html.j2").render(
        title=words.shorten(title, 120), body=Markup(body), above=above, since=since, footer=footer, lead=lead,
        style=Markup(sheet), script=Markup(script()), script_hash=_hash(script()), own=own,
        pages=[(_printed(name, own), label) for name, label in PAGES.items() if name in beside],
    ) + "\n"  # fmt: skip


def _printed(name: str, own: str) -> str:
    """What a link of a page leads to: its PDF is its own."""
    return own.replace(".html", ".pdf") if name == PDF and own in PAGES else name


@cache
def script() -> str:
    """The script that every page carries, which adds values under the pointer and lets assumptions be moved."""
    return (TEMPLATES / "page.js").read_text(encoding="utf-8")


@cache
def _hash(text: str) -> str:
    """What a content security policy calls a script by."""
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _contents(body: str) -> str:
    """The body with a name on each heading after the first screen, and a list of them where that ends."""
    from markupsafe import Markup

    before, mark, after = body.partition(CONTENTS)
    if not mark:
        before, after = "", body
    links: list[str] = []
    names: set[str] = {"main", "next", "stopping", "know", "sketch"}

    def named(heading: re.Match[str]) -> str:
        # As JupyterLab names them, so that a link of the first screen finds its part in both.
        name = slug = "-".join(re.sub(r"[^\w\s-]", "", str(Markup(heading[1]).striptags())).split()) or "part"
        while name in names:
            name = f"{slug}-{len(names) + 1}"
        names.add(name)
        links.append(Markup('<li><a href="#{}">{}</a></li>').format(name, Markup(heading[1]).striptags()))
        return f'<h2 id="{name}">{heading[1]}</h2>'

    after = HEADING.sub(named, after)
    if not links:
        return before + after
    nav = f'<nav class="contents" aria-label="Contents"><b>In this report</b><ol>{"".join(links)}</ol></nav>'
    return before + nav + after


def render(
    notebook: str | Path,
    target: str | Path,
    *,
    since: str = "",
    runs: str = "",
    lead: Mapping[str, Any] | None = None,
    signed: Sequence[Mapping[str, Any]] = (),
    about: Mapping[str, Any] | None = None,
    beside: Sequence[str] = (),
) -> Path:
    """Render an executed notebook as a report: its words and outputs, none of its code.

    Args:
        notebook: The executed notebook.
        target: The HTML file to write; it appears whole or not at all.
        since: What moved since the record before, in a sentence; empty where there is none.
        runs: What the months of a plan that runs already say; empty where none does, or it asks for money all the same.
        lead: What is to be done in operation before what the verdict says; None for nothing.
        signed: Who has signed the record since the notebook was executed.
        about: The record, for a notebook that shows some of it and carries none; such a page is no business case.
        beside: Names of the pages of the same pilot, which each links to.

    Returns:
        The file that was written.
    """
    exporter = _exporter()

    import nbformat

    read: Any = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    if signed:
        _show_signed(read, signed)
    body = exporter(read)
    # One page has one main heading, that of the first screen; a notebook's own are one step down.
    record = notebook_record(read)
    title, above, footer = "Business case", "", ""
    what = "Kill, fix or scale?"
    if record is None and about is not None:
        record, what = dict(about), "What stands behind the business case."
    if record is not None:
        title = f"{words.verdict_word(record)}: {record.get('title') or record.get('pilot')}"
        above = f"{what} As of {words.day(record.get('as_of'), unknown='an unknown day: no case has a time')}"
        version = (record.get("provenance") or {}).get("roi")
        name = words.shorten(record.get("pilot") or "the pilot", 60)
        footer = (
            f"Written by roi {words.shorten(version or '', 40)} from {name}’s own cases. Every figure is a summary of "
            "the same draws, rounded by itself, so that sums and differences of what is shown may be off in their last "
            "digit; ranges hold 8 in 10 outcomes unless they say more."
        )
        body = STANDING.sub(lambda _: _standing_html(record), body)
    if runs:
        since = " ".join(filter(None, (runs, since)))
        for before, then in THEN:
            body = body.replace(before, then, 1)
    own = Path(target).name
    whole = page(
        title, _contents(body), above=above, since=since, lead=lead, footer=footer, beside=beside, own=own
    )
    return write_whole(target, as_written(whole, record))


def as_written(html: str, record: Mapping[str, Any] | None) -> str:
    """A page with its numbers, money and dates as the pilot's readers write them (`about.locale`).

    Args:
        html: The page, in the neutral form of `roi.words`.
        record: Whose locale it is; none is stated where today's form is wanted.
    """
    locale = str((record or {}).get("locale") or "")
    if record is None or locale not in LOCALES:
        return html
    from roi.report.catalogue import language_of, translated

    language, theirs = language_of(locale)
    if theirs:
        said = said_by_users(record, figures_only=False)
        html = translated(html, theirs, keep=said).replace('<html lang="en">', f'<html lang="{language}">', 1)
    html = localise_html(html, locale, keep=said_by_users(record))
    # The script of a sketch writes numbers itself.
    written = escape(json.dumps(signs(locale, str(record.get("currency") or "")), ensure_ascii=False))
    return SKETCH.sub(lambda found: f'{found[0]} data-written="{written}"', html, count=1)


@cache
def _exporter() -> Callable[[Any], str]:
    """What makes HTML of notebooks; it reads its templates once."""
    import roi.light_imports  # noqa: F401

    # isort: split

    from nbconvert import HTMLExporter
    from nbconvert.exporters import TemplateExporter

    # What it would do to a notebook before its template, and to the page after, is of no use to this template, which
    # shows no code and no picture without words; reading the whole page again costs most.
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="roi",
        extra_template_basedirs=[str(TEMPLATES / "nbconvert")],
        exclude_anchor_links=True,
        default_preprocessors=[],
    )
    return lambda notebook: str(TemplateExporter.from_notebook_node(exporter, notebook)[0])


def warm_up() -> None:
    """Read the templates and what notebooks are checked by, for processes that are forked from this one."""
    exporter = _exporter()

    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    shown = {"output_type": "display_data", "data": {"text/html": "<p>a</p>"}, "metadata": {}}
    cells = [new_markdown_cell("# A\n\nb"), new_code_cell("1", outputs=[nbformat.from_dict(shown)])]  # type: ignore[no-untyped-call]
    notebook = new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    exporter(notebook)
    page("A", "")


def _standing_html(record: Mapping[str, Any]) -> str:
    from markupsafe import Markup

    found = standing(record)
    text = words.shorten(found.text, 600)
    return str(Markup('<p class="standing {}"><bdi>{}</bdi></p>').format(found.state, text))


@dataclass(frozen=True, slots=True)
class _Signed:
    """As much of a decision as its first screen needs."""

    record: dict[str, Any]

    @property
    def pictures(self) -> Pictures:
        raise NotImplementedError("the first screen has no pictures")


def _show_signed(notebook: Any, signed: Sequence[Mapping[str, Any]]) -> None:
    """Draw the first screen again, which the notebook drew when nobody had signed."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            record = output.get("data", {}).get(RECORD_MIME)
            if isinstance(record, Mapping):
                shown = _Signed({**record, "signed": [dict(entry) for entry in signed]})
                output["data"]["text/html"] = first_screen(shown).html


def write_whole(target: str | Path, text: str) -> Path:
    """Write a text file so that a reader sees the old one or the new one, never a half.

    Args:
        target: The file.
        text: What it shall hold, in UTF-8.
    """
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.write_text(text, encoding="utf-8", newline="\n")
        os.replace(partial, path)
    except OSError:  # a full disk has no room for halves
        partial.unlink(missing_ok=True)
        raise
    return path
