"""Numbers, money and dates as they are written where a pilot's readers are; held against the Unicode CLDR by Babel."""

from __future__ import annotations

import datetime as dt
import html
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from babel.dates import format_date
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent
from fixtures_record import make_decision, make_record
from hypothesis import given
from hypothesis import strategies as st
from nbformat import from_dict, write
from nbformat.v4 import new_code_cell, new_notebook

from roi import words
from roi.locales import LOCALES, localise, localise_html, said_by_users, signs
from roi.pilot import open_pilot
from roi.problems import ParameterError
from roi.record import build_record
from roi.report import sections
from roi.report.index import Entry, index_page
from roi.report.page import as_written, page, render
from roi.workbook.paper import Paper

NAMES = sorted(LOCALES)
MINUS = "\u2212"


def same(text: str) -> str:
    """Without what is a matter of typography: which blank, which minus."""
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace(MINUS, "-")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [1.5, 1234.5, 12345.25, 1234567.0])
def test_numbers_are_those_of_the_cldr(name: str, value: float) -> None:
    neutral = f"{value:,.2f}".rstrip("0").rstrip(".")
    wanted = same(format_decimal(value, locale=name.replace("-", "_")))
    if value < 10_000 and LOCALES[name].least == 5:  # "minimumGroupingDigits", which Babel leaves out
        wanted = re.sub(r"(?<=^1)\D(?=\d{3}\D)", "", wanted)
    assert same(localise(neutral, name)) == wanted


@pytest.mark.parametrize("name", NAMES)
def test_shares_and_money_are_those_of_the_cldr(name: str) -> None:
    babel = name.replace("-", "_")
    assert same(localise(words.percent(0.55), name)) == same(format_percent(0.55, locale=babel))
    home = {"en-US": "USD", "en-GB": "GBP", "de-CH": "CHF"}.get(name, "EUR")
    told = format_currency(
        55000, home, format=None, locale=babel, currency_digits=False, decimal_quantization=False
    )
    assert same(localise(words.amount(55000, home), name)) == re.sub(r"[.,]00(?!\d)", "", same(told))


@pytest.mark.parametrize("name", NAMES)
def test_days_are_those_of_the_cldr(name: str) -> None:
    """Where the CLDR's own short form has two digits of the year, four are written."""
    day = dt.date(2026, 3, 5)
    babel = name.replace("-", "_")
    found = same(localise(words.day("2026-03-05"), name))
    if name.startswith("en"):
        assert found == format_date(day, "long", locale=babel)
    else:
        short = format_date(day, "short", locale=babel)
        digits = lambda text: [int(x) % 100 for x in text.replace("/", ".").replace("-", ".").split(".")]  # noqa: E731
        assert digits(found) == digits(short)
        assert "2026" in found


@pytest.mark.parametrize(
    ("neutral", "german", "american", "swiss"),
    [
        ("EUR\u00a0−1,500", "−1.500\u00a0€", "−€1,500", "EUR\u00a0−1’500"),
        ("+EUR 184,000", "+184.000\u00a0€", "+€184,000", "EUR\u00a0+184’000"),
        ("EUR −208,000 to 217,000", "−208.000 to 217.000\u00a0€", "−€208,000 to €217,000", "EUR\u00a0−208’000 to 217’000"),
        ("EUR 1.2 to 3.4 million", "1,2 to 3,4\u00a0Mio.\u00a0€", "€1.2 to €3.4 million", "EUR\u00a01.2 to 3.4\u00a0Mio."),
        ("between EUR 1,000 and 2,000", "between 1.000 and 2.000\u00a0€", "between €1,000 and €2,000", "between EUR\u00a01’000 and 2’000"),
        ("EUR 1,000 and 2,500 cases", "1.000\u00a0€ and 2.500 cases", "€1,000 and 2,500 cases", "EUR\u00a01’000 and 2’500 cases"),
        ("fell from EUR 5,000 to 17 % of 1,440.", "fell from 5.000\u00a0€ to 17\u00a0% of 1.440.", "fell from €5,000 to 17% of 1,440.", "fell from EUR\u00a05’000 to 17% of 1’440."),
        ("−1.24M, 250k, 2.45 min", "−1,24\u00a0Mio., 250.000, 2,45 min", "−1.24M, 250k, 2.45 min", "−1.24\u00a0Mio., 250’000, 2.45 min"),
        ("roi 0.6.0, v1.2, T-1042, 2026-10-12, a.b[0].c, 3.x", *["roi 0.6.0, v1.2, T-1042, 2026-10-12, a.b[0].c, 3.x"] * 3),
    ],
)  # fmt: skip
def test_texts_by_hand(neutral: str, german: str, american: str, swiss: str) -> None:
    assert localise(neutral, "de-DE") == german
    assert localise(neutral, "en-US") == american
    assert localise(neutral, "de-CH") == swiss


@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith("en")])
@pytest.mark.parametrize("value", [250e3, 1.43e6, 12e6, 1.43e9])
def test_shortened_money_is_that_of_the_cldr(name: str, value: float) -> None:
    """But where thousands go on ("1430 M", "14.000"), and of "1,43 mil M", which is "1430 M" there."""
    short = words.axis_amount(value)
    told = format_compact_decimal(value, locale=name.replace("-", "_"), fraction_digits=2)
    plain = same(told).replace("\u2019", "’")
    if name == "es-ES" and value > 1e9:
        assert same(localise(short, name)) == "1,43 mil M"
    elif LOCALES[name].shortened[0] is None and value < 1e6:
        assert localise(short, name) == localise("250,000", name)
    else:
        assert same(localise(short, name)) == plain
    text = localise(words.amount(value, "EUR"), name)
    assert value < 1e6 or localise(short, name).replace(" ", "\u00a0").partition("\u00a0")[2] in text


@pytest.mark.parametrize("name", ["en-GB", "en-IE", "en-US"])
def test_english_shortens_as_the_neutral_form_does(name: str) -> None:
    assert localise("1.43M, 250k", name) == "1.43M, 250k"
    assert "million" not in signs(name, "EUR")


@given(st.floats(-1e12, 1e12), st.sampled_from(NAMES))
def test_no_amount_gains_or_loses_a_digit(value: float, name: str) -> None:
    neutral = words.amount(value, "EUR")
    found = localise(neutral, name)
    assert [c for c in found if c.isdigit()] == [c for c in neutral if c.isdigit()]
    assert (MINUS in found) == (MINUS in neutral)


def test_what_users_wrote_and_what_is_code_stays() -> None:
    record = {**make_record(), "locale": "de-DE", "owner": "Team 1,200 <of> 4.1"}
    body = (
        "<h1>x</h1><p><bdi>Team 1,200 &lt;of&gt; 4.1</bdi> has 1,200 cases</p><code>1,200</code>"
        '<svg role="img" aria-label="mean 1,200"><text>1,200</text></svg><pre>4.1</pre>'
    )
    found = as_written(page("Version 4.1", body), record)
    assert "<bdi>Team 1,200 &lt;of&gt; 4.1</bdi> has 1.200 cases" in found
    assert "<code>1,200</code>" in found
    assert "<pre>4.1</pre>" in found
    assert 'aria-label="mean 1.200"><text>1.200</text>' in found
    assert "<title>Version 4.1</title>" in found
    assert as_written(found, {**record, "locale": None}) == found
    assert "Team 1,200 <of> 4.1" in said_by_users(record)


def test_every_figure_of_the_first_screen_is_written_anew() -> None:
    record = make_record()
    html = sections.first_screen(make_decision(record, empty=True)).html
    german = localise_html(html, "de-DE", keep=said_by_users(record))
    assert localise(words.amount(record["sum_asked_for"], "EUR"), "de-DE") in german
    assert "EUR" in html
    assert "EUR\u00a0" not in german
    assert "EUR " not in german
    assert html.count("<") == german.count("<")


def test_the_page_of_all_pilots_follows_only_where_they_agree() -> None:
    a, b = ({**make_record(), "pilot": x, "locale": "de-DE"} for x in "ab")
    assert "\u00a0€" in index_page([Entry(pilot=x["pilot"], record=x) for x in (a, b)])
    assert "€" not in index_page([Entry(pilot=x["pilot"], record=x) for x in (a, {**b, "locale": "en-US"})])


def test_the_workbook_writes_money_with_its_sign() -> None:
    paper = Paper("x", {"locale": "de-DE", "currency": "EUR", "title": "At 1,200"})
    sheet = paper.sheet("S")
    sheet.number(0, 0, 1234.5, "money")
    sheet.text(1, 0, "worth EUR 1,500")
    sheet.text(2, 0, "At 1,200")
    made = openpyxl.load_workbook(io.BytesIO(paper.done()))["S"]
    assert made["A1"].value == 1234.5
    assert made["A1"].number_format == '#,##0" ""€";[Red]-#,##0" ""€"'
    assert (made["A2"].value, made["A3"].value) == ("worth 1.500\u00a0€", "At 1,200")


@pytest.mark.parametrize(
    ("given_", "meant"),
    [("de_de", "did you mean 'de-DE'?"), ("xx-YY", "is no locale"), ("de", "is no locale")],
)
def test_an_unknown_locale_is_a_problem(tmp_path, given_: str, meant: str) -> None:
    from roi.parameters import load_parameters

    (tmp_path / "params").mkdir()
    file = tmp_path / "params" / "x.yaml"
    file.write_text(f"pilot: x\nabout: {{locale: {given_}}}\nsamples: {{cases: x.csv}}\n")
    with pytest.raises(ParameterError) as error:
        load_parameters(file)
    problem = next(p for p in error.value.problems if p.place == "about.locale")
    assert meant in problem.message


def test_the_record_says_its_locale_and_nothing_else_changes() -> None:
    """Texts of a record stay neutral: only what is shown is written anew."""
    record = make_record()
    shown = {**record, "locale": "fr-FR"}
    as_written(page("x", sections.first_screen(make_decision(shown, empty=True)).html), shown)
    assert json.dumps({k: v for k, v in shown.items() if k != "locale"}) == json.dumps(record)


def test_a_rendered_page_follows_its_record(tmp_path: Path) -> None:
    record = {**make_record(), "locale": "de-DE"}
    cell = new_code_cell("x")
    data = sections.first_screen(make_decision(record, empty=True))._repr_mimebundle_()
    cell.outputs = [
        from_dict({"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data})
    ]
    write(new_notebook(cells=[cell]), tmp_path / "n.ipynb")
    html = render(tmp_path / "n.ipynb", tmp_path / "report.html").read_text(encoding="utf-8")
    assert f">{localise(words.amount(record['sum_asked_for'], 'EUR'), 'de-DE')}</a></dd>" in html
    assert "15.12.2026" in html
    assert "15\u00a0December" not in html


@pytest.mark.parametrize("name", NAMES)
def test_a_script_gets_the_signs_that_the_page_is_written_with(name: str) -> None:
    found = signs(name, "EUR")
    assert localise("1,234.5", name).startswith(f"1{found['group']}" if found["least"] == 4 else "1234")
    assert localise("1,234.5", name).endswith(f"{found['point']}5")
    assert localise("55 %", name) == f"55{found['percent']}"
    figure = localise("12,345", name)
    form = str(found["form"]).replace("¤", str(found["currency"]))
    for value, unit in ((1.5e6, "million"), (1.5e9, "billion")):
        word = found.get(unit, f"\u00a0{unit}")
        assert localise(words.amount(value, "EUR"), name) == form.replace(
            "#", localise("1.50", name) + str(word)
        )
    assert localise("EUR 12,345", name) == form.replace("#", figure)
    assert signs(name, "XYZ") | {"form": "¤\u00a0#", "currency": "XYZ"} == signs(name, "XYZ")


def test_only_a_page_with_a_sketch_carries_signs() -> None:
    """What a user writes is no section, and an unknown locale adds nothing."""
    record = {**make_record(), "locale": "en-US"}
    bare = '<section class="sketch" hidden>'
    assert "&quot;point&quot;: &quot;.&quot;" in as_written(bare, record)
    assert "data-written" not in as_written(html.escape(bare), record)
    assert as_written(bare, make_record()) == bare


@pytest.mark.slow
def test_only_the_key_itself_is_new_in_a_record() -> None:
    a = open_pilot("permit_intake").decision.analysis
    stated = a.loaded.parameters
    about = stated.about.model_copy(update={"locale": "de-DE"})
    loaded = replace(a.loaded, parameters=stated.model_copy(update={"about": about}))
    shown = build_record(replace(a, loaded=loaded))
    assert shown.pop("locale") == "de-DE"
    assert shown == build_record(a)
