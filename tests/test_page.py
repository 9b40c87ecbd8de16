"""Sections, the rendered page, the index and the terminal."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from fixtures_record import FakeDecision, make_decision, make_kill, make_pictures, make_record, make_scale
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from rich.console import Console

from roi.report import facts, sections
from roi.report.figures import Figure
from roi.report.index import Entry, csv_text, index_page
from roi.report.page import notebook_record, page, render
from roi.report.terminal import print_record
from roi.report.where import WHERE

ALL = [
    sections.first_screen,
    sections.measured,
    sections.money,
    sections.options,
    sections.gates,
    sections.drivers,
    sections.causes,
    sections.fixing,
    sections.assumptions,
    sections.left_out,
    sections.provenance,
]
VOID = {"meta", "br", "hr", "img", "input", "link", "circle", "path", "line", "rect"}


class Tags(HTMLParser):
    """Every tag with its attributes; complains about one that is not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def text_of(html: str) -> str:
    bare = re.sub(r"<style.*?</style>|<script.*?</script>|<svg.*?</svg>|<[^>]+>", " ", html, flags=re.S)
    return " ".join(bare.replace("\u00a0", " ").split())


def write_notebook(path: Path, decision: FakeDecision) -> Path:
    """A notebook as it looks once it has run."""
    cells = [new_markdown_cell("# Only for JupyterLab", metadata={"tags": ["lab"]})]
    for make in ALL:
        cell = new_code_cell("secret_code()")
        data = make(decision)._repr_mimebundle_()
        output = {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data}
        cell.outputs = [nbformat.from_dict(output)]
        if make is not sections.first_screen:
            cells.append(new_markdown_cell(f"## About {make.__name__}\n\nWords."))
        cells.append(cell)
    data, metadata = sections.style()._repr_mimebundle_()
    styled = new_code_cell("show.style()")
    styled.outputs = [
        nbformat.from_dict(
            {"output_type": "execute_result", "execution_count": 1, "metadata": metadata, "data": data}
        ),
        nbformat.from_dict({"output_type": "stream", "name": "stderr", "text": "a secret warning"}),
    ]
    nbformat.write(new_notebook(cells=[*cells, styled]), path)
    return path


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    notebook = write_notebook(folder / "n.ipynb", make_decision())
    return render(notebook, folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_page_asks_for_nothing(report: str) -> None:
    tags = Tags(report)
    for tag, attrs in tags.found:
        assert tag not in ("link", "iframe", "img", "object", "embed", "base", "form")
        assert not any(name.startswith("on") for name in attrs)
        for name in ("href", "src", "xlink:href", "action", "srcset"):
            assert (attrs.get(name) or "#").startswith("#")
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org)", report)
    policy = next(a["content"] for t, a in tags.found if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert set(re.findall(r"[\w-]+-src [^;]+", policy)) - {own_script(report)} == {
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src data:",
    }
    assert len(report.encode()) < 1_500_000


def own_script(html: str) -> str:
    """The one script of a page, as a policy allows it; what else is marked as one holds data."""
    others = re.findall(r"<script([^>]*)>(.*?)</script>", html, re.S)
    own = [text for attributes, text in others if not attributes]
    assert len(own) == 1
    assert all(a in ("", ' type="application/json"') for a, _ in others)
    return f"script-src 'sha256-{base64.b64encode(hashlib.sha256(own[0].encode()).digest()).decode()}'"


def test_the_page_shows_no_code_and_no_stream(report: str) -> None:
    assert "secret" not in report
    assert "Only for JupyterLab" not in report
    assert report.count("<style") == 1


def test_the_page_has_landmarks_one_title_and_a_contents_list(report: str) -> None:
    tags = [tag for tag, _ in Tags(report).found]
    assert tags.count("main") == tags.count("h1") == 1
    assert "nav" in tags
    ids = re.findall(r'<a href="#([^"]+)">About', report)
    assert len(ids) == len(ALL) - 1
    assert all(f'id="{name}"' in report for name in ids)
    every = [attrs["id"] for _, attrs in Tags(report).found if attrs.get("id")]
    assert len(every) == len(set(every))


def test_every_link_of_the_first_screen_names_a_heading_of_the_notebook() -> None:
    notebook = nbformat.read(Path(__file__).parent.parent / "notebooks" / "2_decide.ipynb", as_version=4)
    headings = {"-".join(h.split()) for c in notebook.cells for h in re.findall(r"^## (.*)$", c.source, re.M)}
    html = (
        sections.first_screen(make_decision()).html + sections.first_screen(make_decision(make_kill())).html
    )
    links = set(re.findall(r'href="#([^"]*)"', html))
    assert len(links) >= 6
    assert 'id="weigh"' in html
    assert links - {"weigh"} <= headings
    assert set(WHERE.values()) <= headings
    labels = {
        fact.label for record in (make_record(), make_kill(), make_scale()) for fact in facts.facts(record)
    }
    assert labels <= set(WHERE)


def test_every_chart_has_words_with_numbers(report: str) -> None:
    charts = [a for tag, a in Tags(report).found if tag == "svg" and a.get("role") == "img"]
    assert len(charts) == 12
    assert all(re.search(r"\d", a["aria-label"] or "") for a in charts)
    others = [a for tag, a in Tags(report).found if tag == "svg" and a.get("role") != "img"]
    assert all(a.get("aria-hidden") == "true" for a in others)


def test_the_first_screen_says_what_a_budget_owner_asks() -> None:
    text = text_of(sections.first_screen(make_decision()).html)
    for part in (
        "Fix Mend the inputs first, then scale",
        "EUR 52,000",
        "15 Dec 2026",
        "about 9 of 10",
        "in cash: about 5 of 10",
        "EUR −12,000 to 571,000",
        "212 cases with the agent and 188 as before, worked by 14 and 14 people",
        "38 % of the expected benefit rests on assumptions, not on measurement (each factor counted alike).",
        "none were sampled",
        "Validate policy numbers at intake",
        "25 Jan 2027",
        "At least 60 % of claims arrive",
        "no quote yet; at most EUR 133,000",
        "Each month without a decision costs EUR 7,400.",
        "2 of 5 are shown",
        "No: 18 % of the losses come from the model",
        "EUR 180,000. It is gone whatever is decided",
        "the rule scales about 4",
        "Nobody has signed yet.",
    ):
        assert part in text, part
    for jargon in ("NPV", "EVPI", "posterior", "P(", "net present"):
        assert jargon.lower() not in text.lower()


def test_a_scale_in_part_tells_its_minutes_from_those_of_all_cases() -> None:
    text = text_of(sections.first_screen(make_decision(make_scale())).html)
    assert "In email a case takes 6.80 minutes less with the agent" in text
    assert "over all kinds of cases it takes 5.13 minutes less" in text


def test_minutes_lost_carry_their_interval_in_words() -> None:
    record = make_record()
    record["estimates"]["minutes_saved_per_case"] |= {"mean": -0.25, "p05": -0.58, "p95": 0.07}
    text = text_of(sections.first_screen(make_decision(record)).html)
    assert "0.25 minutes longer with the agent (9 in 10 chances: 0.58 more to 0.07 less)" in text


def test_a_kill_says_what_stopping_means() -> None:
    text = text_of(sections.first_screen(make_decision(make_kill(), empty=True)).html)
    for part in ("Kill", "claims-db: read", "Works council", "Only this would reopen it", "no date set"):
        assert part in text
    assert "Cost of stopping EUR 5,000" in text


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """No picture is drawn: for tests that look at the words beside them."""
    monkeypatch.setattr(Figure, "drawings", lambda self: ("<svg></svg>", "<svg></svg>"))


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("record", [make_record(), make_kill(), make_scale()])
@pytest.mark.parametrize("make", ALL)
def test_what_is_unknown_is_never_shown_as_a_number(make: Any, record: dict[str, Any]) -> None:
    decision = FakeDecision(record, make_pictures(empty=record["verdict"] == "kill"))
    html = make(decision).html
    Tags(html)
    assert not re.search(r"\b(None|nan|NaN|inf|Undefined)\b", text_of(html))


@pytest.mark.parametrize("make", ALL)
def test_sections_stand_a_record_with_nothing_in_it(make: Any) -> None:
    html = make(FakeDecision({"schema": 1, "pilot": "x", "verdict": "kill"}, make_pictures(empty=True))).html
    assert not re.search(r"\b(None|nan)\b", text_of(html))


NASTY = ["<script>alert(1)</script>\"'><img src=x onerror=alert(1)>a\u202eb\u2066c{{ 7*7 }}", "w" * 10_000]


def poison(value: Any, text: str) -> Any:
    """The record with every text replaced that a user could have written."""
    fixed = {
        "verdict",
        "fix_kind",
        "state",
        "gate",
        "kind",
        "plan",
        "evidence",
        "unit",
        "assignment",
        "currency",
    }
    if isinstance(value, dict):
        return {k: v if k in fixed and isinstance(v, str) else poison(v, text) for k, v in value.items()}
    if isinstance(value, list):
        return [poison(v, text) for v in value]
    return text if isinstance(value, str) else value


@pytest.mark.slow
@pytest.mark.parametrize("text", NASTY)
def test_every_text_is_escaped_and_short(tmp_path: Path, text: str) -> None:
    decision = FakeDecision(poison(make_record(), text), make_pictures())
    target = render(write_notebook(tmp_path / "n.ipynb", decision), tmp_path / "report.html")
    html = target.read_text(encoding="utf-8")
    assert own_script(html)
    for tag, attrs in Tags(html).found:
        assert tag != "img"
        assert "onerror" not in attrs
    assert "\u202e" not in html
    assert "\u2066" not in html
    assert "w" * 1000 not in html
    assert ("{{ 7*7 }}" in text_of(html)) == ("7*7" in text)
    index = index_page([Entry(pilot="x", record=decision.record, why=text)])
    assert own_script(index)
    assert all(tag != "img" for tag, _ in Tags(index).found)


@pytest.mark.usefixtures("undrawn")
def test_the_record_travels_in_the_notebook(tmp_path: Path) -> None:
    record = make_record()
    path = write_notebook(tmp_path / "n.ipynb", make_decision(record))
    assert notebook_record(nbformat.read(path, 4)) == record


def test_a_record_with_a_number_json_has_not_is_refused() -> None:
    section = sections.first_screen(make_decision(make_record(evpi=float("nan"))))
    with pytest.raises(ValueError, match="not JSON compliant"):
        section._repr_mimebundle_()


def test_a_failed_write_leaves_the_old_page(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("old")
    (tmp_path / "bad.ipynb").write_text("no notebook")
    with pytest.raises(Exception, match="JSON"):
        render(tmp_path / "bad.ipynb", target)
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_contrast_of_both_colour_schemes() -> None:
    """WCAG 2.2, 1.4.3: small text at least 4.5 to 1, on paper and on cards, light and dark."""
    css = sections.style_sheet()
    blocks = re.findall(r":root\{([^}]*)\}", css)
    light = dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", blocks[0]))
    dark = light | dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", blocks[1]))
    for colours in (light, dark):
        for name in ("ink", "muted", "kill", "fix", "scale"):
            for ground in ("paper", "card"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
        for name in ("before", "agent", "gain", "loss"):
            assert contrast(colours[name], colours["paper"]) >= 3.0, name


def contrast(a: str, b: str) -> float:
    def light(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(a), light(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_every_colour_of_the_charts_has_a_dark_twin() -> None:
    from roi.report import charts

    css = sections.style_sheet()
    for colour in (
        charts.INK,
        charts.MUTED,
        charts.BEFORE,
        charts.AGENT,
        charts.GAIN,
        charts.LOSS,
        charts.BAND,
    ):
        assert f'[fill="{colour}"]' in css


def test_the_index_lists_every_pilot_and_every_failure() -> None:
    entries = [
        Entry(pilot="claims_intake", record=make_record()),
        Entry(pilot="thin", record=make_kill(), why="It took longer than the 600 seconds allowed."),
        Entry(pilot="never_ran", record=None, why="params/never_ran.yaml: 1 problem"),
    ]
    html = index_page(entries)
    text = text_of(html)
    assert 'href="claims_intake/report.html"' in html
    assert "never_ran" in text
    assert "2 pilots: 0 to scale, 1 to fix, 1 to stop; 2 with a run that failed" in text
    assert "600 seconds" in text
    assert "about 9 of 10" in text
    assert "EUR 268,000" in text


def test_the_pages_of_a_pilot_link_to_one_another() -> None:
    both = ["report.html", "5_prove_roi.html"]
    html = page("t", "<p>b</p>", above="x", beside=both, own="5_prove_roi.html")
    links = [attrs for tag, attrs in Tags(html).found if tag == "a" and attrs["href"] in both]
    assert [a["href"] for a in links] == both
    assert [a.get("aria-current") for a in links] == [None, "page"]
    assert "nav" not in {tag for tag, _ in Tags(page("t", "", beside=both[:1], own=both[0])).found}
    listed = index_page([Entry(pilot="a", record=make_record(), pages=both[1:])])
    assert 'href="a/5_prove_roi.html"' in listed


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "\t="])
def test_no_cell_of_the_table_is_a_formula(start: str) -> None:
    text = f"{start}HYPERLINK(0)"
    rows = list(
        csv.DictReader(io.StringIO(csv_text([Entry(pilot="p", record=make_record(title=text), why=text)])))
    )
    assert len(rows) == 1
    assert rows[0]["title"].startswith("'")
    assert rows[0]["failed_because"].startswith("'")
    assert float(rows[0]["worth_p10"]) == -12_000


def test_the_table_keeps_what_is_unknown_empty() -> None:
    row = next(csv.DictReader(io.StringIO(csv_text([Entry(pilot="p", record=make_kill())]))))
    assert row["verdict"] == "kill"
    assert (row["worth_of"], float(row["worth_mean"])) == ("stopping", 0)
    assert row["chance_it_pays"] == row["best_rejected_worth"] == ""


def test_a_kill_in_the_table_has_the_worth_of_stopping_and_names_what_was_turned_down() -> None:
    turned_down = make_record(verdict="kill")
    entries = [Entry(pilot="p", record=turned_down), Entry(pilot="q", record=make_record())]
    killed, fixed = csv.DictReader(io.StringIO(csv_text(entries)))
    assert (killed["worth_of"], killed["worth_mean"], killed["worth_p90"]) == ("stopping", "0", "0")
    assert float(killed["best_rejected_worth"]) == 268_300
    assert (fixed["worth_of"], fixed["best_rejected_worth"]) == ("fix", "")


@pytest.mark.parametrize(
    ("both", "text"),
    [
        (14, "worked by the same 14 people"),
        (9, "worked by 14 and 14 people, 9 of them both ways"),
        (0, "worked by 14 and 14 people, none of them both ways"),
        (None, "worked by 14 and 14 people,"),
    ],
)
def test_people_who_worked_both_ways_are_counted_once(both: int | None, text: str) -> None:
    record = make_record()
    record["sample"] = record["sample"] | {"workers_in_both": both}
    assert text in facts.measured_sentence(record)


def test_the_fix_says_how_its_sum_is_made_up() -> None:
    note = "of the one-off sum, EUR 55,000 is the fix; the rest follows if it works"
    decision = make_decision()
    decision.record["options"]["fix"] |= {"note": note, "one_off": 173_988.7, "per_month": 5_550.0}
    text = text_of(sections.options(decision).html)
    assert note in text
    assert "EUR 174,000" in text.replace("\u00a0", " ")


def test_the_labels_of_the_years_round_as_the_answer_does() -> None:
    from roi import words

    for value, label in ((12_345, "12k"), (348_123, "348k"), (-1_236_000, "−1.24M"), (999_700, "1M")):
        assert words.axis_amount(value) == label


@pytest.mark.parametrize("record", [make_record(), make_kill(), make_scale()])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_terminal_fits_and_needs_no_colour(record: dict[str, Any], width: int) -> None:
    out = io.StringIO()
    print_record(record, Console(file=out, width=width, color_system=None))
    lines = out.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    text = " ".join(out.getvalue().replace("│", " ").split())
    assert record["verdict"].upper() in text
    assert record["headline"] in text
    assert "Nobody has signed yet." in text
    assert "None" not in text


def test_the_terminal_says_what_the_mix_costs_and_predictions_gain() -> None:
    more = {"mix": {"effective_n": 199.6}, "covariate": {"gain": 0.34, "text": "x"}}
    texts = []
    for record in (make_record(**more), make_record(mix=None, covariate=None)):
        out = io.StringIO()
        print_record(record, Console(file=out, width=80, color_system=None))
        texts.append(out.getvalue().replace("\u00a0", " "))
    lines = [line.strip() for line in texts[0].splitlines()]
    assert "Weighted to the mix: 400 cases say as much as 200 would." in lines
    assert "Predicted minutes: take away 34 % of the variance of the minutes saved." in lines
    assert "Weighted to the mix" not in texts[1]
    assert "Predicted minutes" not in texts[1]
    record = make_record(mix={"text": "As 200 would."}, covariate={"text": "A third is gone."})
    record["design"] = {"text": "400 cases"}
    html = text_of(sections.measured(make_decision(record)).html)
    assert "As 200 would." in html
    assert "A third is gone." in html


def test_markup_in_a_text_does_not_reach_the_terminal() -> None:
    out = io.StringIO()
    print_record(make_record(title="[red]x[/red] \x1b[31m", headline="[/]"), Console(file=out, width=80))
    assert "[red]x[/red]" in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_the_record_is_json(report: str) -> None:
    json.dumps(make_record(), allow_nan=False)


@pytest.mark.slow
@pytest.mark.parametrize("width", [56, 80, 100])
def test_figures_and_ranges_stand_on_one_line_of_the_terminal(width: int) -> None:
    """rich breaks lines at no-break blanks, too; "EUR" at an end of a line, or a lone "1 to", is what nobody can read."""
    said = "EUR 1.20 million to 3.40 million in 3 of 10 cases, 23 % to 17 % of 1,440, \u2212120 to 610 by 12\u00a0Jan\u00a02027"
    for shift in range(0, width, 3):
        out = io.StringIO()
        record = make_record(reason=f"{'x' * shift} {said}", headline=said)
        print_record(record, Console(file=out, width=width, color_system=None))
        text = out.getvalue()
        assert "\ue000" not in text
        lines = [line.strip(" \u2502") for line in text.splitlines()]
        assert [
            x
            for x in lines
            if re.search(r"\bEUR$|(?<! 20\d\d)(?<=[\d%]) to$|\d of$|\bmillion to$|\b12(?: Jan)?$", x)
        ] == []
        for whole in (
            "EUR 1.20 million to 3.40 million",
            "3 of 10",
            "23 % to 17 % ",
            "\u2212120 to 610",
            "12 Jan 2027",
        ):
            assert sum(whole.strip() in line for line in lines) >= 2, whole
