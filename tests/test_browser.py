"""Pages as a reader has them: values under the pointer and the keys, the sketch, hostile texts, and no script at all."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from browser import NEEDS_CHROMIUM, PAPER, SPLIT_NUMBERS, WIDTHS, accessibility, launched, opened
from fixtures_record import FakeDecision, make_decision, make_pictures, make_record
from made_worlds import BROKEN, decided
from moved_sketches import sketched
from opened_examples import PARAMS, example
from test_page import poison, write_notebook

from roi import units, words
from roi.candidates import candidate_of
from roi.locales import LOCALES, localise, signs
from roi.portfolio import portfolio_of
from roi.report import sections
from roi.report.figures import Figure
from roi.report.index import Entry, index_page
from roi.report.page import page as whole_page
from roi.report.page import render
from roi.schema.portfolio import read_portfolio
from roi.sketch import at

pytestmark = [pytest.mark.slow, NEEDS_CHROMIUM]

HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>", "</svg><script>alert(1)</script>",
    "</script><script>alert(1)</script>", "<!--<script>alert(1)</script>", "<iframe src=https://x.invalid></iframe>",
    '" onmouseover="alert(1)', "' autofocus onfocus='alert(1)", "'><b>", "</title><script>alert(1)</script>",
    "</style><script>alert(1)</script>", "<a href=javascript:alert(1)>x</a>", "<base href=https://x.invalid>",
    "<link rel=stylesheet href=https://x.invalid/a.css>", "<meta http-equiv=refresh content=0>", "&lt;script&gt;", "&amp;amp;",
    "&#60;b&#62;", "]]>", "{{7*7}}", "{% include 'page.css' %}", "${alert(1)}", "[x](javascript:alert(1))", "=1+1", "+1+1",
    "-1+1", "@SUM(A1)", "=HYPERLINK('https://x.invalid')", "\u202egnp.exe", "\u2066x\u2069", "\u200fx", "مرحبا", "a\x00b",
    "\x1b[31m", "a\nb\tc", "😀", "ＡＢＣ <b>", "x" * 10_000, "<b>" + "y" * 10_000,
]  # fmt: skip
ALL = [getattr(sections, name) for name in (
    "first_screen", "measured", "money", "options", "gates", "drivers", "causes", "fixing", "assumptions", "left_out",
    "provenance", "fill_in",
)]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def sketch() -> dict[str, Any]:
    return sketched(decided(minutes=(15.0, 8.0), controls=BROKEN))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, sketch: dict[str, Any]) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    decision = FakeDecision(make_record(), make_pictures(), sketch)
    return render(write_notebook(folder / "n.ipynb", decision), folder / "report.html")


def test_a_moved_sketch_says_what_python_says(browser: Any, report: Path, sketch: dict[str, Any]) -> None:
    places = [[0, 0, 0], [3, 40, 7], [60, 10, 90], [100, 1, 30], [20, 55, 70], [90, 90, 90]]
    with opened(browser, report) as page:
        for place in places:
            values = [
                x["low"] + (x["high"] - x["low"]) * p / 100
                for x, p in zip(sketch["inputs"], place, strict=True)
            ]
            ours = at(sketch, values)
            theirs = page.evaluate(
                "v => sketchAt(unpackAll(JSON.parse(document.querySelector('.sketch script').textContent)), v)",
                values,
            )
            assert theirs["verdict"] == ours.verdict
            for i, plan in enumerate(theirs["plans"]):
                assert plan["worth"] == pytest.approx(ours.worth[i], rel=1e-9, abs=1e-6)
                assert plan["chance"] == pytest.approx(ours.chance[i], abs=1e-12)
                assert (plan["low"], plan["high"]) == pytest.approx((ours.low[i], ours.high[i]), rel=1e-9)
        assert page.heard == []


def test_numbers_are_written_as_python_writes_them(browser: Any, report: Path) -> None:
    money = [
        0.0,
        0.4,
        -0.004,
        7.126,
        123.4,
        -1_234.0,
        9_995.0,
        45_678.0,
        -999_400.0,
        999_600.0,
        -12_345_678.0,
        2.5e9,
    ]
    chances = [0.0, 0.009, 0.02, 0.05, 0.149, 0.5, 0.86, 0.95, 0.96, 0.995, 1.0]
    with opened(browser, report) as page:
        page.evaluate("window.w = JSON.parse(document.querySelector('.sketch script').textContent).words")
        said = page.evaluate("x => x.map(y => amounts([y], w.signs))", money)
        assert said == [words.amount(x, "EUR") for x in money]
        assert page.evaluate("x => x.map(y => chanceOf(y, w.chances))", chances) == [
            words.chance(p) for p in chances
        ]
        values = [[0.052, "share"], [0.0064, "share"], [0.9951, "share/year"], [0.126, "share"], [3.4, "min/case"],
                  [41.93, "EUR/hour"], [58_799.4, "EUR"], [0.0762, "EUR/case"], [0.8939, "EUR per USD"], [12.0, "USD/case"]]  # fmt: skip
        told = page.evaluate("x => x.map(([value, unit]) => valueText({unit}, value, w.signs))", values)
        assert told == [units.quantity(*each) for each in values]
        about = [
            [-50_520, 53_910, 608],
            [6_124, 14_827, 9_900],
            [-505.2, 539.1, 50],
            [657_400, 1_361_000, 998_000],
            [657_400, 1_361_000, 1_010_000],
            [-2e6, 12e6, 9e5],
        ]
        told = page.evaluate("x => x.map(([low, high, mean]) => amounts([low, high], w.signs, mean))", about)
        plain = [words.amount_range(low, high, "EUR", mean) for low, high, mean in about]
        assert [x.replace(words.NBSP, " ") for x in told] == [x.replace(words.NBSP, " ") for x in plain]
        ranges = page.evaluate("x => x.map(y => amounts(y, w.signs))", [[-120_000, 610_000], [1e6, 2.5e6]])
        assert [x.replace(words.NBSP, " ") for x in ranges] == [
            words.amount_range(low, high, "EUR").replace(words.NBSP, " ")
            for low, high in ((-120_000, 610_000), (1e6, 2.5e6))
        ]


def test_the_sketch_writes_numbers_as_the_readers_of_the_page_do(
    browser: Any, tmp_path: Path, sketch: dict[str, Any]
) -> None:
    """Every locale and three currencies by the script's own functions, and a whole page before and after it ran."""
    money = [0.0, 7.126, -1_234.0, 45_678.0, -999_400.0, -12_345_678.0]
    spans = [[-120_000.0, 610_000.0], [1e6, 2.5e6], [-3e6, -1e6], [5.0, 5.0], [-2_000.0, 1_500.0]]
    decision = FakeDecision(make_record() | {"locale": "de-DE"}, make_pictures(), sketch)
    file = render(write_notebook(tmp_path / "n.ipynb", decision), tmp_path / "report.html")

    def told(text: str) -> str:
        return text.replace(words.NBSP, " ")

    with opened(browser, file) as page:
        page.evaluate(
            "window.w = JSON.parse(document.querySelector('.sketch script').textContent).words.signs"
        )
        for name in LOCALES:
            for currency in ("EUR", "USD", "XYZ"):
                found = page.evaluate(
                    "([x, s]) => x.map(y => amounts(y, {...w, ...s}))",
                    [[[x] for x in money] + spans, signs(name, currency)],
                )
                wanted = [words.amount(x, currency) for x in money]
                wanted += [words.amount_range(*span, currency) for span in spans]
                assert [told(x) for x in found] == [told(localise(x, name)) for x in wanted], (name, currency)
            share = page.evaluate("s => valueText({unit: 'share'}, 0.126, {...w, ...s})", signs(name, "EUR"))
            assert told(share) == told(localise(words.number(12.6, 2) + " %", name))
        moved = page.locator("section.sketch")
        shown = [moved.locator("tbody").text_content(), moved.locator(".dials").text_content()]
        assert "€" in shown[0]
        assert page.heard == []
    with opened(browser, file, script=False) as page:
        moved = page.locator("section.sketch")
        stood = [moved.locator("tbody").text_content(), moved.locator(".dials").text_content()]
        assert [told(x) for x in shown] == [told(x) for x in stood]


def test_a_dial_moves_the_table_and_the_verdict_and_back(browser: Any, report: Path) -> None:
    with opened(browser, report) as page:
        section = page.locator("section.sketch")
        assert section.is_visible()
        before, dial = section.locator("tbody").inner_text(), section.locator("input").first
        assert section.locator(".told").inner_text() == "As it was decided: Fix."
        dial.focus()
        page.keyboard.press("Home")
        after = section.locator("tbody").inner_text()
        assert after != before
        assert section.locator(".told").inner_text() != "As it was decided: Fix."
        assert dial.get_attribute("aria-valuetext") == section.locator("output").first.inner_text()
        section.locator("button").click()
        assert section.locator("tbody").inner_text() == before
        page.emulate_media(media="print")
        assert not section.is_visible()


def test_a_moved_range_stands_in_the_unit_of_its_worth(browser: Any, report: Path) -> None:
    with opened(browser, report) as page:
        page.evaluate(
            "const before = sketchAt; sketchAt = (...x) => { const found = before(...x); for (const p of found.plans) "
            "Object.assign(p, {worth: 998000, low: 657400, high: 1361000}); return found; }; true"
        )
        page.locator("section.sketch input").first.focus()
        page.keyboard.press("Home")
        said = page.locator("section.sketch tbody").inner_text().replace(words.NBSP, " ")
        assert "EUR 998,000" in said
        assert "EUR 657,000 to 1,361,000" in said


def drawn(page: Any) -> None:
    """Wait until the browser has drawn the page as it stands, and told what scrolled."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_charts_say_their_values_to_the_pointer_and_to_the_keys(browser: Any, report: Path) -> None:
    with opened(browser, report) as page:
        drawing = page.locator(".figure-cash .drawing.wide")
        drawing.scroll_into_view_if_needed()
        drawing.focus()
        drawn(page)  # what is said goes when the page scrolls, as it has just done
        page.keyboard.press("End")
        assert re.match(
            r"Month 36: EUR .*; 8 in 10 outcomes EUR ",
            page.locator(".tip").inner_text().replace(words.NBSP, " "),
        )
        assert drawing.locator("[role=status]").inner_text() == page.locator(".tip").inner_text()
        page.keyboard.press("ArrowLeft")
        assert page.locator(".tip").inner_text().startswith("Month 35: ")
        page.keyboard.press("Escape")
        assert not page.locator(".tip").is_visible()
        mark = page.locator(".figure-drivers .wide [data-tip]").first
        mark.scroll_into_view_if_needed()
        drawn(page)
        mark.hover()
        page.locator(".tip").wait_for(state="visible")
        assert page.heard == []


def test_without_scripts_nothing_is_offered_that_does_not_work(browser: Any, report: Path) -> None:
    with opened(browser, report, script=False) as page:
        assert not page.locator("section.sketch").is_visible()
        assert page.locator(".drawing[tabindex]").count() == 0
        assert page.locator(".tip").count() == 0
        assert page.locator("svg[role=img]").count() >= 10


@pytest.mark.parametrize("dark", [False, True])
def test_the_moved_sketch_and_a_shown_value_are_accessible(browser: Any, report: Path, dark: bool) -> None:
    with opened(browser, report, width=390, dark=dark) as page:
        page.locator("section.sketch input").first.focus()
        page.keyboard.press("Home")
        page.locator(".figure-worth .narrow").focus()
        page.keyboard.press("ArrowRight")
        assert accessibility(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def shape(page: Any) -> list[str]:
    """Every element of a page with the names of its attributes, once each."""
    return page.evaluate(
        "[...new Set([...document.querySelectorAll('*')].map("
        "e => e.tagName + ' ' + e.getAttributeNames().sort().join(' ')))].sort()"
    )


def test_forty_hostile_texts_are_texts_in_every_field(
    browser: Any, tmp_path: Path, sketch: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No element, no attribute, no request and no script comes of one, and its words are there to read."""
    assert len(HOSTILE) == len(set(HOSTILE)) == 40
    monkeypatch.setattr(Figure, "drawings", lambda self: ("<svg></svg>", "<svg></svg>"))

    def made(text: str) -> Path:
        own = {"currency": words.shorten(text, 10), **{k: v for k, v in sketch.items() if k != "currency"}}
        own["inputs"] = [x | {"label": text, "unit": text} for x in sketch["inputs"]]
        own["plans"] = [x | {"label": text} for x in sketch["plans"]]
        decision = FakeDecision(poison(make_record(), text), make_pictures(), own)
        body = "".join(make(decision).html for make in ALL)
        found = tmp_path / f"{abs(hash(text))}.html"
        lead = {"headline": text, "text": text, "since": "2026-01-01"}
        found.write_text(
            whole_page(text, body, above=text[:60], since=text, lead=lead, footer=text[:60]), encoding="utf-8"
        )
        return found

    with opened(browser, made("plain words")) as page:
        wanted, parts = shape(page), page.locator("body *").count()
    for text in HOSTILE:
        with opened(browser, made(text)) as page:
            assert set(shape(page)) <= set(wanted), text
            assert page.locator("body *").count() == parts, text
            assert page.locator(".kicker bdi").first.text_content() == words.shorten(text, 200).replace(
                " %", f"{words.NBSP}%"
            )
            assert page.heard == [], text
            assert page.evaluate("document.documentElement.scrollWidth") == 1280, text


@pytest.mark.parametrize("width", WIDTHS)
def test_no_number_of_a_table_stands_on_two_lines(browser: Any, tmp_path: Path, width: int) -> None:
    body = "".join(make(example("invoice_coding").decision).html for make in ALL)
    file = tmp_path / "report.html"
    file.write_text(whole_page("x", body), encoding="utf-8")
    with opened(browser, file, width=width) as page:
        assert page.locator("td.n").count() > 100
        assert page.evaluate(SPLIT_NUMBERS) == []
        page.set_viewport_size(PAPER)
        page.emulate_media(media="print")
        assert page.evaluate(SPLIT_NUMBERS) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PAPER["width"]


@pytest.mark.parametrize("width", [1200, 1000, 885, 870, 768, 650])
def test_tables_of_a_report_fit_into_windows_of_small_computers(
    browser: Any, tmp_path: Path, width: int
) -> None:
    body = "".join(make(example("invoice_coding").decision).html for make in ALL)
    file = tmp_path / "report.html"
    file.write_text(whole_page("x", body), encoding="utf-8")
    with opened(browser, file, width=1280) as page:
        page.set_viewport_size({"width": width, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(SPLIT_NUMBERS) == []


@pytest.mark.parametrize("text", [HOSTILE[0], HOSTILE[29]])
def test_hostile_names_in_charts_and_in_the_index_are_texts(browser: Any, tmp_path: Path, text: str) -> None:
    decision = make_decision(poison(make_record(), text))
    report = render(write_notebook(tmp_path / "n.ipynb", decision), tmp_path / "report.html")
    index = tmp_path / "index.html"
    index.write_text(index_page([Entry(pilot="x", record=decision.record, why=text)]), encoding="utf-8")
    for file in (report, index):
        with opened(browser, file) as page:
            assert page.heard == []
            assert page.locator("img, iframe, base, link").count() == 0
            assert text[:8] in page.locator("main").inner_text() or "\u202e" in text


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_of_all_pilots_is_as_wide_as_its_window(browser: Any, tmp_path: Path, width: int) -> None:
    """With a pilot that runs, one in other money and one that waits for who builds, all of which say so."""
    names = ("claims_intake", "invoice_coding", "support_replies")
    found = [example(name).decision for name in names]
    plan = read_portfolio(PARAMS / "_portfolio.yaml")
    told = portfolio_of([candidate_of(d.analysis, d.record) for d in found], plan)
    file = tmp_path / "index.html"
    entries = [Entry(pilot=name, record=d.record) for name, d in zip(names, found, strict=True)]
    file.write_text(index_page(entries, json.loads(json.dumps(told))), encoding="utf-8")
    with opened(browser, file, width=width) as page:
        assert page.locator(".set tbody tr").count() >= 4
        assert page.locator(".set small.wrap").count() >= 1
        for wide in (width, 885, 870, 700, 650):  # as it is, and as half a screen and a tablet have it
            page.set_viewport_size({"width": wide, "height": 700})
            assert page.evaluate("document.documentElement.scrollWidth") == wide
