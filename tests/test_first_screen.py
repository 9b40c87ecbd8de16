"""The first screen in a browser: what, why, how much and what to do within 1280 x 720 and 390 x 844, however long its texts."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pypdf
import pytest
from browser import NEEDS_CHROMIUM, WIDTHS, launched, opened
from fixtures_record import FakeDecision, make_pictures
from opened_examples import EXAMPLES, example

from roi.operate import realised_of
from roi.operating import months_said
from roi.report.one_worth import running_said
from roi.report.page import PAGES, page
from roi.report.sections import first_screen

pytestmark = [pytest.mark.slow, NEEDS_CHROMIUM]

# What must be seen without scrolling, by what it is; {} is the first step of what to do next.
WHAT = {
    "the verdict": "h1 .word",
    "its headline": "h1 .headline",
    "whether it is signed": ".standing",
    "the reason": ".reason .clip",
    "the sum asked for": ".ask div:nth-child(1) dd",
    "the day": ".ask div:nth-child(2) dd",
    "who answers": ".ask div:nth-child(3) .clip",
    "what to do": ".next li strong .clip",
    "its mark": ".next li .pass .clip",
    "its owner": ".next li dd .clip",
    "its day": ".next li dl div:nth-child(2) dd",
    "its costs": ".next li dl div:nth-child(3) dd",
}
HOW_MUCH = {
    1280: {"each option's worth": ".option:not(.head) .worth", "each option's chance": ".option:not(.head) .pays"},
    390: {"the plan's worth": ".plan div:nth-child(1) dd", "its chance": ".plan div:nth-child(2) dd", "the way to the others": ".all a"},
}  # fmt: skip
# What they rest on, where there is room for it beside the rest.
RESTS = {1280: {"measured, assumed, not known": ".rests"}, 390: {}}
# Of each: where the lowest of what is drawn of it ends, and whether anything is.
ENDS = """what => Object.fromEntries(Object.entries(what).map(([name, selector]) => {
  const first = selector.startsWith(".option") ? -1 : 1;
  const found = [...document.querySelectorAll(".first " + selector)].slice(0, first === 1 ? 1 : undefined);
  const ends = found.map(e => e.getBoundingClientRect()).filter(r => r.width && r.height).map(r => r.bottom);
  return [name, ends.length ? Math.max(...ends) : null];
}))"""
SMALLEST = """Math.min(...[...document.querySelectorAll(".first *")].filter(e => e.getClientRects().length &&
  [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())).map(e => parseFloat(getComputedStyle(e).fontSize)))"""
# Texts of which something is hidden, and whether a button that is to be seen says so.
CUT = """[...document.querySelectorAll(".first .clip")].flatMap((text, i) => {
  if (!text.getClientRects().length || text.scrollHeight <= text.clientHeight + 2) return [];
  return [!!document.querySelectorAll("button.more")[i].getClientRects().length];
})"""


@pytest.fixture(scope="module")
def browser() -> Any:
    with launched() as found:
        yield found


def written(folder: Path, record: dict[str, Any], since: str = "") -> Path:
    """A page of a first screen with the links to all other pages above it."""
    body = first_screen(FakeDecision(record, make_pictures(empty=True))).html
    above = "Kill, fix or scale? As of 30 September 2026"
    file = folder / f"{record['pilot']}.html"
    file.write_text(page("x", body, above=above, beside=list(PAGES), own="report.html", since=since), "utf-8")
    return file


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_what_why_how_much_and_what_to_do_are_seen_without_scrolling(
    browser: Any, tmp_path: Path, name: str, width: int
) -> None:
    record = example(name).decision.record
    months = months_said(realised_of(example(name), record))
    since = running_said(months, record)
    assert bool(since) == (name == "support_replies")
    with opened(browser, written(tmp_path, record, since), width=width) as page:
        seen = WHAT | HOW_MUCH[width] | RESTS[width]
        ends = page.evaluate(ENDS, seen)
        assert {what: end for what, end in ends.items() if end is None or end > WIDTHS[width]} == {}
        if record["verdict"] == "kill":
            stopping = page.evaluate(ENDS, {"what stopping means": ".stopping h2", "all of it": ".stopping"})
            assert max(x for x in list(stopping.values())[: 2 if width == 1280 else 1]) <= WIDTHS[width]
        assert page.evaluate(CUT).count(False) == 0
        assert page.evaluate(SMALLEST) >= 12
        assert page.heard == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_on_paper_no_heading_stands_alone_at_the_foot_of_a_sheet(
    browser: Any, tmp_path: Path, name: str
) -> None:
    """As Chromium prints it: what one should know stands below its heading, on its sheet."""
    with opened(browser, written(tmp_path, example(name).decision.record), width=1280) as page:
        first = page.locator(".know dt").first.inner_text()
        made = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    texts = [" ".join(sheet.extract_text().split()) for sheet in made.pages]
    (at,) = [i for i, text in enumerate(texts) if "Before you decide" in text]
    assert first in texts[at].partition("Before you decide")[2]


def long_case() -> dict[str, Any]:
    """A record whose texts are as long as they come, with many options and many steps."""
    record = dict(example("claims_intake").decision.record)
    word = "Schadensregulierungsunterstützung für gewerbliche Gebäudeversicherungen "
    step = record["next"][0]
    return record | {
        "pilot": "long",
        "title": word * 4,
        "workflow": word * 6,
        "headline": "Mend the inputs, the approvals and the access first, then scale in everything but letters",
        "reason": "As it is, scaling is worth EUR −1,500 with 3 gates closed; fixed for EUR 55,000 it is worth EUR 357,000 "
        "on average, and it pays in more than 19 of 20 outcomes of all that were drawn.",
        "owner": "Vice President of Claims Handling and Customer Experience, Central Europe",
        "next": [step | {"action": f"{i}. {word * 5}", "pass_mark": word * 5, "owner": word * 2} for i in range(9)],
        "options": {
            key: option | {"label": word * 2} if isinstance(option, dict) else [x | {"label": word} for x in option]
            for key, option in record["options"].items()
            if option
        },
    }  # fmt: skip


@pytest.mark.parametrize("width", WIDTHS)
def test_of_long_texts_the_beginning_is_seen_and_the_rest_is_a_tap_away(
    browser: Any, tmp_path: Path, width: int
) -> None:
    file = written(tmp_path, long_case())
    with opened(browser, file, width=width) as page:
        ends = page.evaluate(ENDS, WHAT | HOW_MUCH[width])
        assert {what: end for what, end in ends.items() if end is None or end > WIDTHS[width]} == {}
        cut = page.evaluate(CUT)
        assert len(cut) >= 4
        assert all(cut)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.locator(".next li:visible").count() == 3
        page.locator("button.rest").click()
        assert page.locator(".next li:visible").count() == 9
        assert page.locator("button.rest").get_attribute("aria-expanded") == "true"
        for button in page.locator(".first button.more:visible").all():
            button.click()
        assert page.evaluate(CUT) == []
        page.locator("button.rest").click()
        page.locator(".first button.more:visible").first.click()
        assert len(page.evaluate(CUT)) == 1
        page.emulate_media(media="print")
        assert page.evaluate(CUT) == []
        assert page.locator(".next li:visible").count() == 9
        assert page.locator(".first button:visible").count() == 0
    with opened(browser, file, width=width, script=False) as page:
        assert page.locator(".first button:visible").count() == 0
        assert page.locator(".next li:visible").count() == 9
