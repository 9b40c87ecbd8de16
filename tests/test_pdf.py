"""The business case as PDF: the page's words, whole pages, text that stays text, and nothing that is fetched."""

from __future__ import annotations

import io
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdf
import pytest
from click.testing import CliRunner
from fixtures_record import FakeDecision, make_decision, make_kill, make_pictures, make_record
from made_batches import NOTEBOOKS, Found, make_project
from markupsafe import Markup
from pypdf.generic import Destination
from rich.console import Console

from roi import words
from roi.batch.runner import run_batch
from roi.batch.signed import sign_record
from roi.cli import main
from roi.export import export_bytes
from roi.report import pdf, sections
from roi.report.page import _contents, page
from roi.report.page_tree import read_page
from roi.report.pdf import page_pdf
from roi.signing import Signature

pytestmark = pytest.mark.slow  # whole decisions of pilots

PARTS = [
    sections.measured, sections.money, sections.options, sections.gates, sections.drivers, sections.causes,
    sections.fixing, sections.assumptions, sections.left_out, sections.provenance,
]  # fmt: skip
HEADINGS = [f"About {part.__name__}" for part in PARTS]


def whole(decision: FakeDecision, *, extra: str = "") -> str:
    """The page of a decision, as the notebook's cells give it."""
    body = sections.first_screen(decision).html + extra
    for heading, part in zip(HEADINGS, PARTS, strict=True):
        body += f'<div class="prose"><h2>{heading}</h2>\n<p>Words.</p>\n</div>\n{part(decision).html}'
    record = decision.record
    title = f"{words.verdict_word(record)}: {record.get('title')}"
    return page(
        title, _contents(body), above="Business case", footer="Written by roi.", beside=["a"], own="a"
    )


def text_of(made: bytes) -> str:
    return squeezed("".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(made)).pages))


def squeezed(text: object) -> str:
    """Without white space and the breaks put into long words: lines end where the paper does."""
    return re.sub(r"[\s\u200b\u00ad]+", "", str(text))


@pytest.fixture(scope="module")
def html() -> str:
    return whole(make_decision())


@pytest.fixture(scope="module")
def made(html: str) -> bytes:
    return page_pdf(html)


@pytest.fixture(scope="module")
def reader(made: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(made))


def test_the_first_page_holds_the_first_screen(reader: pypdf.PdfReader) -> None:
    record = make_record()
    text, currency = squeezed(reader.pages[0].extract_text()), record["currency"]
    for said in (
        record["headline"],
        record["reason"],
        words.verdict_word(record),
        words.day(record["decide_by"], short=True),
    ):
        assert squeezed(said) in text
    assert squeezed(words.amount(record["sum_asked_for"], currency)) in text
    for name in ("keep", "scale", "fix"):
        option = record["options"][name]
        assert squeezed(words.amount(option["mean"], currency)) in text
        assert squeezed(words.amount_range(option["p10"], option["p90"], currency)) in text
        assert squeezed(words.chance(option["chance_above_hurdle"])) in text
    for step in record["next"]:
        assert squeezed(words.shorten(step["action"], 240)) in text


def test_every_word_of_the_page_is_in_the_document(html: str, made: bytes) -> None:
    """All that is not for screens only, in the order in which it stands in the page."""

    def texts(node: Any) -> Iterator[str]:
        if isinstance(node, str):
            yield from node.split()
        elif node[0] not in ("svg", "nav"):
            for child in node[3]:
                yield from texts(child)

    text = text_of(made)
    missing = {w for node in read_page(html).tree for w in texts(node) if squeezed(w) not in text}
    assert not missing


def test_the_same_page_gives_the_same_bytes_without_a_date(html: str, made: bytes) -> None:
    assert page_pdf(html) == made
    reader = pypdf.PdfReader(io.BytesIO(made))
    assert set(reader.metadata or {}) == {"/Title", "/Creator"}
    assert not re.search(rb"CreateDate|ModifyDate|MetadataDate|CreationDate|ModDate", made)


def test_it_is_tagged_named_and_listed(reader: pypdf.PdfReader) -> None:
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert b"pdfuaid" in root["/Metadata"].get_data()
    assert reader.metadata is not None
    assert reader.metadata.title == f"Fix: {make_record()['title']}"
    found = [x.title for x in flat(reader.outline)]
    assert found[0].startswith("Fix")
    assert [x for x in found if x in HEADINGS] == HEADINGS
    assert {"What to do next", "Before you decide"} < set(found)


def flat(outline: list[Any]) -> Iterator[Destination]:
    for item in outline:
        if isinstance(item, list):
            yield from flat(item)
        else:
            yield item


def test_links_lead_to_the_headings(reader: pypdf.PdfReader) -> None:
    links = [
        annotation.get_object()
        for sheet in reader.pages
        for annotation in sheet.get("/Annots", [])
        if annotation.get_object()["/Subtype"] == "/Link"
    ]
    assert len(links) >= len(HEADINGS)
    assert all("/URI" not in (link.get("/A") or {}) for link in links)


def test_fonts_are_embedded(reader: pypdf.PdfReader) -> None:
    fonts = {}
    for sheet in reader.pages:
        resources: Any = sheet["/Resources"]
        for font in (resources.get("/Font") or {}).values():
            below = font.get_object()["/DescendantFonts"][0].get_object()
            fonts[str(font.get_object()["/BaseFont"])] = below["/FontDescriptor"]
    assert fonts
    assert all("/FontFile2" in d or "/FontFile3" in d for d in fonts.values())


def test_pages_break_where_a_reader_wants_them(reader: pypdf.PdfReader) -> None:
    assert 4 <= len(reader.pages) <= 12
    for number, sheet in enumerate(reader.pages, 1):
        assert f"{number} / {len(reader.pages)}" in sheet.extract_text()
    # A heading keeps at least 35 mm of what it stands above on its page.
    height = float(reader.pages[0].mediabox.height)
    for item in flat(reader.outline):
        assert item.top is not None
        assert float(item.top) > 35 / 25.4 * 72, item.title
        assert float(item.top) < height


def test_a_long_table_has_its_head_on_every_page() -> None:
    record = make_record()
    row = record["assumptions"][0]
    record["assumptions"] = [{**row, "label": f"Line {i:03d} of the list"} for i in range(90)]
    decision = FakeDecision(record, make_pictures())
    body = f'<div class="roi first"><h1>x</h1></div>{sections.assumptions(decision).html}'
    sheets = [p.extract_text() for p in pypdf.PdfReader(io.BytesIO(page_pdf(page("x", body)))).pages]
    with_rows = [sheet for sheet in sheets if re.search(r"Line\s\d{3}", sheet)]
    assert len(with_rows) > 2
    assert all("Source or reason" in sheet for sheet in with_rows)
    assert {int(x) for sheet in with_rows for x in re.findall(r"Line\s(\d{3})", sheet)} == set(range(90))


def row(cells: list[str], tag: str = "td") -> str:
    return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"


def test_no_cell_is_printed_over_its_neighbour() -> None:
    """Ten columns with days that are not broken, as the versions of an agent have: each word has its own place."""
    cells = [
        "v1",
        "25\u00a0June\u00a02026",
        "1,440",
        "0.00 %",
        "7.0 %",
        "16 %",
        "14.68 minutes",
        "0.0761 EUR",
    ]
    head = ["Version", "Since", "Cases", "Severe errors", "Errors", "Escalated or abandoned", "Human minutes"]
    table = f"<table><thead>{row([*head, 'Agent cost', 'Cost of errors per case', 'High-risk actions'], 'th')}</thead>"
    table += f"<tbody>{row([*cells, '0.924 EUR', '12 %'])}</tbody></table>"
    sheet = pypdf.PdfReader(io.BytesIO(page_pdf(page("x", f"<h1>x</h1>{table}")))).pages[0]
    found: list[tuple[float, str]] = []
    sheet.extract_text(visitor_text=lambda text, by, at, *_: found.append((by[4] + at[4], text)))
    (day,), (count,) = ([x for x, text in found if wanted in text] for wanted in ("June", "1,440"))
    # At 8.3 points the day takes 49, and cells keep 4 on each side.
    assert count - day > 55


def test_a_table_goes_on_where_the_sheet_ends_and_leaves_no_gap_before_it() -> None:
    """Eleven rows that would fit a sheet of their own begin where there is room, with three of them at least."""
    rows = "".join(row([f"Row\u00a0{i:02d}", "any row breaks it " * 16]) for i in range(11))
    table = f"<table><caption>Checks</caption><thead>{row(['Check', 'Why'], 'th')}</thead><tbody>{rows}</tbody></table>"

    def sheets(lines: int) -> list[list[str]]:
        above = "".join(f"<p>{i}</p>" for i in range(lines))
        made = pypdf.PdfReader(io.BytesIO(page_pdf(page("x", f"<h1>x</h1>{above}{table}"))))
        return [re.findall(r"Row\s(\d\d)", sheet.extract_text()) for sheet in made.pages]

    half, full = sheets(33), sheets(48)
    assert len(half) == 2
    assert 3 <= len(half[0]) < 11
    assert full[0] == []
    assert len(full[1]) == 11


def rows_drawn(many: int) -> str:
    """A figure of rows of 200 points, each with its name in it."""
    drawn = "".join(
        f'<svg role="img" aria-label="Row {i}" viewBox="0 0 640 294"><text x="9" y="40" font-family="x" '
        f'font-size="16">Row{i:02d}</text></svg>'
        for i in range(many)
    )
    caption = '<figcaption><span class="question">Asked?</span> <strong>Answered.</strong></figcaption>'
    return f'<figure role="group" class="figure">{caption}<div class="drawing wide">{drawn}</div></figure>'


def test_a_picture_of_rows_goes_on_where_the_sheet_ends_and_its_question_stays_with_the_first() -> None:
    """Three rows that would fit a sheet of their own begin below the words before them, where one has room."""

    def sheets(lines: int) -> list[tuple[list[str], bool]]:
        above = "".join(f"<p>{i}</p>" for i in range(lines))
        made = pypdf.PdfReader(io.BytesIO(page_pdf(page("x", f"<h1>x</h1>{above}{rows_drawn(3)}"))))
        texts = [sheet.extract_text() for sheet in made.pages]
        return [(re.findall(r"Row(\d\d)", text), "Asked?" in text) for text in texts]

    assert sheets(24) == [(["00"], True), (["01", "02"], False)]
    assert sheets(40) == [([], False), (["00", "01", "02"], True)]


@pytest.mark.parametrize(("many", "beside"), [(2, 2), (3, 3), (4, 2), (5, 3)])
def test_lists_beside_each_other_share_a_line_as_evenly_as_they_can(many: int, beside: int) -> None:
    """Four are two and two, and one that has much to say has more room than two that have little."""
    items = "".join(f"<div><p>List{i}{' and more' * 90 * (i == 0)}</p></div>" for i in range(many))
    sheet = pypdf.PdfReader(
        io.BytesIO(page_pdf(page("x", f'<h1>x</h1><div class="columns">{items}</div>')))
    ).pages[0]
    found: dict[str, tuple[float, float]] = {}

    def visit(text: str, by: list[float], at: list[float], *_: Any) -> None:
        for name in re.findall(r"List\d", text):
            found[name] = (by[4] + at[4], round(by[5] + at[5]))

    sheet.extract_text(visitor_text=visit)
    assert len([x for _, x in found.values() if x == found["List0"][1]]) == beside
    if many == 3:
        assert found["List1"][0] - found["List0"][0] > 1.4 * (found["List2"][0] - found["List1"][0])


def test_a_last_sheet_that_is_all_but_empty_is_spared() -> None:
    """A line too many for a sheet is drawn back to it; half a sheet too many is not."""

    def sheets(lines: int) -> int:
        body = "".join(f"<p>{i}</p>" for i in range(lines))
        return len(pypdf.PdfReader(io.BytesIO(page_pdf(page("x", f"<h1>x</h1>{body}")))).pages)

    one = next(lines for lines in range(40, 70) if sheets(lines) > 1)
    pdf_tightest, pdf.TIGHTEST = pdf.TIGHTEST, 0
    try:
        loose = next(lines for lines in range(40, 70) if sheets(lines) > 1)
    finally:
        pdf.TIGHTEST = pdf_tightest
    assert one >= loose + 3


def test_a_kill_and_an_almost_empty_record_are_set_too() -> None:
    kill = sections.first_screen(FakeDecision(make_kill(), make_pictures(empty=True))).html
    assert squeezed("What stopping means") in text_of(page_pdf(page("x", kill)))
    bare = FakeDecision({"pilot": "x", "verdict": "fix"}, make_pictures(empty=True))
    assert pypdf.PdfReader(io.BytesIO(page_pdf(page("x", sections.first_screen(bare).html)))).pages


HOSTILE = [
    '#read("{file}")', '#image("{file}")', '#image("{url}a.png")', '#include "{file}"', '#import "{file}"', '#import "@preview/x:0.1.0": *',
    '#plugin("{file}")', '#json("{file}")', "#sys.inputs", "#panic()", "#while true {{}}", "#let x(y) = x(y + 1)", "= Heading", "*bold*",
    "_x_", "$x^2$", "`raw`", "<label>", "@ref", "\\u{{202E}}", "\\", "]", "#[", "// gone", "/* gone", "#set page(width: 1pt)",
    "<script>alert(1)</script>", '<img src="{url}b.png">', '<img src="file://{file}">', '<link rel="stylesheet" href="{url}c.css">',
    '<svg><image href="{url}d.png"/></svg>', "</td></table><h1>x</h1>", "&lt;b&gt;", "{{{{7*7}}}}", "a\u202egnp.exe\u2066x", "\u202bshalom",
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 12", "\u4f60\u597d \U0001f600", "\x1b[31m\x00x", "w" * 10_000,
]  # fmt: skip


@pytest.fixture
def asked() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a server of this machine, and what it was asked for."""
    heard: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)
    done = threading.Event()

    def listen() -> None:
        while not done.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            heard.append(connection.recv(1000))
            connection.close()

    thread = threading.Thread(target=listen)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/", heard
    done.set()
    thread.join()
    server.close()


def test_forty_hostile_texts_are_texts_and_nothing_is_fetched(
    tmp_path: Path, asked: tuple[str, list[bytes]]
) -> None:
    url, heard = asked
    secret = tmp_path / "secret.txt"
    secret.write_text("nobody may read this")
    texts = [x.format(file=secret, url=url) for x in HOSTILE]
    assert len(texts) == 40
    record = make_record()
    row, step = record["assumptions"][0], record["next"][0]
    record["assumptions"] = [{**row, "label": x, "source": x, "owner": x, "key": x} for x in texts]
    record["next"] = [{**step, "action": x, "owner": x, "pass_mark": x} for x in texts]
    record |= dict.fromkeys(("title", "workflow", "headline", "reason", "owner"), texts[0])
    # As if a template had forgotten to escape: what is no text of ours is left out, not obeyed.
    careless = (
        f'<img src="{url}e.png"><iframe src="{url}f"></iframe><p style="background:url({url}g)">careless</p>'
        f'<svg viewBox="0 0 9 9" aria-label="x"><image href="{url}h.png"/><image href="file://{secret}"></image>'
        f'<use href="{url}i.svg#x"/><style>@import url({url}j);</style></svg><a href="{url}k">away</a>'
    )
    decision = FakeDecision(record, make_pictures())
    body = sections.first_screen(decision).html + sections.assumptions(decision).html + careless
    made = page_pdf(page(texts[0], body))
    text = text_of(made)
    for x in texts:
        if x.isascii() and x.isprintable():
            assert squeezed(words.shorten(x, 40)).rstrip("…") in text, x
    assert "nobodymayreadthis" not in text
    assert "careless" in text
    assert "w" * 400 not in text
    assert not set("\u202e\u202b\u2066") & set(text)
    assert not heard
    links = [a.get_object() for p in pypdf.PdfReader(io.BytesIO(made)).pages for a in p.get("/Annots", [])]
    assert not any("/URI" in (link.get("/A") or {}) for link in links)


def test_signs_that_no_font_has_cost_the_claim_and_not_the_document() -> None:
    made = page_pdf(
        page(
            "x", "<h1>x</h1><p>Ich sage \u4f60\u597d – \u20ac\u00a0\u00a3 \u2265 \u00e4\u00f6\u00fc\u00df</p>"
        )
    )
    root: Any = pypdf.PdfReader(io.BytesIO(made)).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert b"pdfuaid" not in root["/Metadata"].get_data()
    assert "\u20ac\u00a3\u2265\u00e4\u00f6\u00fc\u00df" in text_of(made)


def test_a_text_from_right_to_left_keeps_its_letters_and_turns_nothing_beside_it() -> None:
    shalom = "\u05e9\u05dc\u05d5\u05dd"
    made = page_pdf(
        page("x", f"<h1>x</h1><p><bdi>{shalom}</bdi> 12 of 40 \u0645\u0631\u062d\u0628\u0627</p>")
    )
    text = pypdf.PdfReader(io.BytesIO(made)).pages[0].extract_text()
    assert {*shalom} <= {*text}
    assert re.search(r"12 of 40", text)


def test_the_tree_leaves_out_what_acts_and_what_is_for_screens() -> None:
    tree = read_page(
        "<html lang=de><title>T</title><body><a class=skip href=#m>Skip</a><p>a <b>b</b>\n c</p><form><input></form>"
        '<script>x</script><p hidden>no</p><button>go</button><div class="drawing narrow"><svg></svg></div></body></html>'
    )
    assert (tree.title, tree.language, tree.drawings) == ("T", "de", {})
    assert tree.tree == [["p", [], {}, ["a ", ["b", [], {}, ["b"]], " c"]]]
    (turned,) = read_page("<p>a\u202egnp\u2066 EUR 5</p>").tree
    assert turned[3] == ["agnp EUR\u00a05"]
    (drawn,) = read_page(
        '<svg viewBox="0 0 9 9" aria-label="x &amp; y"><image href="http://a/b.png"/><use href="http://a/c.svg#x"/>'
        '<use href="#own"/><script>1</script></svg>'
    ).drawings.values()
    assert b"http://a" not in drawn
    assert b"script" not in drawn
    assert b'href="#own"' in drawn
    # What a link could not lead to is a text.
    (heads, _, link) = read_page('<h2 id="a">A</h2><h2 id="a">B</h2><p><a href="#a">x</a></p>').tree
    assert heads[2] == {}
    assert link[3] == [["a", [], {}, ["x"]]]


def test_without_the_extra_nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pdf, "find_spec", lambda _: None)
    done = CliRunner().invoke(main, ["batch", "nowhere", "-o", str(tmp_path / "out"), "--pdf"])
    assert done.exit_code == 2
    assert "pip install 'roi[pdf]'" in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_batch_writes_it_on_request_and_signing_writes_it_again(tmp_path: Path) -> None:
    project, out = make_project(tmp_path / "project", "good"), tmp_path / "reports"
    made = out / "good" / "report.pdf"

    def run(*, pdf: bool) -> tuple[str, bytes | None]:
        by_name = lambda path: Found(path.stem, path.stem, path.parent.parent)  # noqa: E731
        console = Console(file=io.StringIO())
        (outcome,) = run_batch(
            [project / "params" / "good.yaml"],
            out,
            notebooks=NOTEBOOKS,
            check=by_name,
            console=console,
            pdf=pdf,
        ).outcomes
        return outcome.state, made.read_bytes() if made.exists() else None

    assert run(pdf=False) == ("done", None)
    state, later = run(pdf=True)  # what is kept gets one without being run again
    assert state == "kept"
    assert later is not None
    shutil.rmtree(out)
    assert run(pdf=True) == ("done", later)
    assert 'href="1_audit.pdf"' in (out / "good" / "1_audit.html").read_text(encoding="utf-8")
    assert (out / "good" / "1_audit.pdf").read_bytes()[:5] == b"%PDF-"
    assert 'href="good/report.pdf"' in (out / "index.html").read_text(encoding="utf-8")
    assert "good/report.pdf" in export_bytes(out / "good")[1]
    assert squeezed("DRAFT: nobody has signed this") in text_of(later)
    sign_record(out / "good", Signature(name="B. Owner", role="Head", decision="accept"))
    signed = text_of(made.read_bytes())
    assert squeezed("Signed by B. Owner (Head)") in signed
    assert "DRAFT" not in signed


def test_markup_of_ours_is_escaped_before_it_is_read() -> None:
    body = Markup("<h1>x</h1><p><bdi>{}</bdi></p>").format("<b>1 < 2 & 3</b>")
    assert squeezed("<b>1 < 2 & 3</b>") in text_of(page_pdf(page("x", body)))


CARD = """<ul class="card"><li class="gate-exceeded"><div class="layer"><svg class="mark" viewBox="0 0 16 16"></svg><div>
<strong>Approval</strong><span class="state">Fails</span><small>1 of 3 checks pass</small></div></div>
<ol class="marks"><li class="gate-shown" title="Nobody approved: twice: passes"><svg class="mark" viewBox="0 0 16 16"></svg>
<span>Nobody approved: twice<span class="aside">: passes</span></span></li><li class="gate-missing_evidence hard"
title="Said no: no evidence"><svg class="mark" viewBox="0 0 16 16"></svg><span>Said no</span></li><li
class="gate-exceeded" title="In time: fails"><span>In time</span></li></ol></li></ul>"""


def test_a_check_that_did_not_pass_says_so_in_words_and_not_by_its_mark_alone() -> None:
    text = text_of(page_pdf(page("x", f"<h1>x</h1>{CARD}")))
    for wanted in ("ApprovalFails1of3checkspass", "Nobodyapproved:twiceSaidno:noevidence", "Intime:fails"):
        assert wanted in text
    assert "passes" not in text


def test_a_caption_and_what_stands_small_below_it_are_two_lines() -> None:
    table = "<table><caption>Access <small>Where else</small></caption><tr><td>a</td></tr></table>"
    read = pypdf.PdfReader(io.BytesIO(page_pdf(page("x", f"<h1>x</h1>{table}"))))
    assert re.search(r"Access *\n *Where else", read.pages[0].extract_text())


def test_each_page_has_its_own_pdf_and_links_to_it(tmp_path: Path) -> None:
    beside = ["report.html", "report.pdf", "4_controls.html"]
    for name in ("report.html", "4_controls.html"):
        made = page("x", f"<h1>{name}</h1>", beside=beside, own=name)
        (tmp_path / name).write_text(made, encoding="utf-8")
        assert f'<a href="{name.replace("html", "pdf")}">PDF</a>' in made
    (tmp_path / "why.html").write_text("no page of a pilot", encoding="utf-8")
    own = [tmp_path / "report.pdf", tmp_path / "4_controls.pdf"]
    assert pdf.write_pdfs(tmp_path) == own
    assert "4_controls.html" in text_of(own[1].read_bytes())
    own[0].unlink()
    assert pdf.write_pdfs(tmp_path, missing=True) == own[:1]
    assert {file.suffix for file in tmp_path.iterdir()} == {".html", ".pdf"}
