"""One quantity of one pilot is told in one way on every page of a batch: its worth as decided, and none beside it."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_portfolios import DRAWS, candidate, fundable
from test_as_it_stands import runs

from roi import units, words
from roi.locales import localise
from roi.portfolio import portfolio_of
from roi.report.index import Entry, index_page
from roi.report.one_worth import decided, rows_of_set
from roi.schema.portfolio import Portfolio

ROOT = Path(__file__).parents[1]
OPTION = {
    "label": "Scale",
    "mean": 1_000_000.0,
    "p10": 700_000.0,
    "p90": 1_300_000.0,
    "chance_above_hurdle": 0.9,
}


def said(page: str) -> str:
    """All that a page says, also in its drawings and aloud; blanks made single."""
    page = re.sub(r"<(style|script)\b.*?</\1>", "", page, flags=re.S)
    aloud = " ".join(re.findall(r'(?:aria-label|data-tip)="([^"]*)"', page))
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page) + " " + aloud).split()).replace("\xa0", " ")


def together(*pilots, **stated) -> tuple[dict, str]:
    found = json.loads(json.dumps(portfolio_of(pilots, Portfolio.model_validate(stated))))
    entries = [Entry(pilot=c.pilot, record=c.record, months=c.months) for c in pilots]
    return found, said(index_page(entries, found))


def test_a_pilot_in_other_money_has_the_worth_of_its_report_by_hand():
    """Its draws in the portfolio's money come to 1.07 million; the report says CHF 1.00 million, and so does the page."""
    worth = fundable(1_000_000.0, 10)
    c = candidate("a", worth, title="Bills", currency="CHF", options={"scale": OPTION}, next=[])
    found, text = together(c, currency="EUR", fx={"CHF": 1.07})
    told = found["pilots"][0]["as_decided"]
    assert told == {
        "option": "Scale",
        "mean": 1e6,
        "p10": 7e5,
        "p90": 1.3e6,
        "chance": 0.9,
        "currency": "CHF",
    }
    one = decided(found, "a")
    assert one.whole.replace("\xa0", " ") == "CHF 1.00 million (about EUR 1.07 million)"
    assert (
        text.count("CHF 1.00 million") >= 4
    )  # two tables, the picture's words, and its mark (wide and narrow)
    # The set has one pilot: its sum is in the portfolio's money; nowhere else does that figure stand without "about".
    for place in re.finditer("EUR 1.07 million", text):
        before = text[max(0, place.start() - 40) : place.start()]
        assert re.search(
            r"about $|together worth $|Together $|together worth EUR 1.07 million \($|Together EUR 1.07 million $|With nothing scarce, $",
            before,
        ), before


def test_what_counts_otherwise_is_a_difference_with_its_reason_by_hand():
    """Decided at 80, 40 are left of it by its months; B waits for A's builders: neither has a second worth."""
    option = {**OPTION, "mean": 80.0, "p10": 60.0, "p90": 100.0, "scope": ["y", "x"]}
    a = runs(40.0)
    a = type(a)(
        **{**{k: getattr(a, k) for k in a.__slots__}, "record": {**a.record, "options": {"scale": option}}}
    )
    b = candidate("b", fundable(500.0, 5, weeks={"IT": 3.0}, delay_cost=9.0), title="B")
    c = candidate("c", fundable(700.0, 5, weeks={"IT": 5.0}, delay_cost=30.0), title="C")
    _, text = together(a, b, c)
    assert "EUR 80.00" in text
    assert (
        "counts here with EUR 40.00 less: only what is left of it, what 5 months cost and brought being behind"
        in text
    )
    assert not re.search(r"(?<!with )EUR 40\.00", text)
    assert "by 5 months, the whole plan is worth EUR 10.00 less than decided" in text
    assert "about EUR 45.00 less while it waits for IT" in text  # five weeks at 9
    assert "EUR 455" not in text


def test_a_pilot_without_worth_tells_none():
    bare = candidate("a", title="Bare", verdict="fix", options={})
    found, text = together(bare)
    assert found["pilots"][0]["as_decided"] is None
    assert decided(found, "a") is None
    assert "cannot be worked out" in text


@pytest.mark.parametrize(
    ("low", "high", "unit", "about", "text"),
    [
        (0.0312, 0.1238, "share", 0.052, "3.1 % to 12.4 %"),
        (0.0312, 0.1238, "share", 0.12, "3 % to 12 %"),
        (0.0012, 0.0195, "share", 0.0064, "0.12 % to 1.95 %"),
        (0.0, 0.95, "share", 0.004, "0.0 % to 95.0 %"),
        (2.449, 14.351, "min/case", 8.0, "2.45 to 14.35 min"),
        (0.5, 0.5, "min/case", 0.5, "0.50 min"),
        (100.0, 12_000.0, "EUR", 950.0, "EUR 100 to 12,000"),
        (658_000.0, 1_356_400.0, "CHF", 998_000.0, "CHF 658,000 to 1,356,000"),
        (0.1, 12.34, "hours", 1.5, "0.10 to 12.34 hours"),
        (None, 1.0, "share", None, "not known"),
    ],
)
def test_a_range_is_as_fine_as_its_figure_by_hand(low, high, unit, about, text):
    assert units.span(low, high, unit, about).replace("\xa0", " ") == text


@pytest.mark.parametrize(("x", "text"), [(3.4, "3.40 min"), (0.0, "0.00 min"), (-12.345, "−12.35 min")])
def test_minutes_have_two_decimals(x, text):
    assert units.quantity(x, "min/case") == text


@pytest.mark.slow
def test_every_page_of_a_batch_tells_a_pilots_worth_in_one_way(tmp_path):
    """A pilot in another money with a German locale and one that is stopped: real pages, all of them."""
    (tmp_path / "params").mkdir()
    names = ("invoice_coding", "permit_intake")
    for name in (*names, "_portfolio", "_policy"):
        text = (ROOT / "params" / f"{name}.yaml").read_text(encoding="utf-8")
        text = (
            re.sub(r"(?m)^  currency:", "  locale: de-DE\n  currency:", text, count=1)
            if name in names
            else text
        )
        (tmp_path / "params" / f"{name}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "data").symlink_to(ROOT / "data")
    code = "from roi.cli import main; main()"
    given = [sys.executable, "-c", code, "batch", "params/", "-o", "reports"]
    done = subprocess.run(given, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    out = tmp_path / "reports"
    found = json.loads((out / "portfolio.json").read_text(encoding="utf-8"))
    pages = {p.relative_to(out).as_posix(): said(p.read_text(encoding="utf-8")) for p in out.rglob("*.html")}
    assert {"index.html", *(f"{name}/report.html" for name in names)} < set(pages)
    for name in names:
        record = json.loads((out / name / "decision.json").read_text(encoding="utf-8"))
        told = next(p["as_decided"] for p in found["pilots"] if p["pilot"] == name)
        assert told["mean"] == words.as_decided(record)["mean"]
        text = localise(words.amount(told["mean"], told["currency"]), "de-DE").replace("\xa0", " ")
        span = words.amount_range(told["p10"], told["p90"], told["currency"], told["mean"])
        span = localise(span, "de-DE").replace("\xa0", " ")
        for page in ("index.html", f"{name}/report.html"):
            assert text in pages[page], (page, text)
            assert span in pages[page], (page, span)
    for page, text in pages.items():
        assert not re.search(r"\d(?:k|M|bn)\b|\d million", text), (
            page
        )  # in German nothing is told in English units
        # Minutes a case have two decimals, whatever made the sentence.
        for minutes in re.findall(r"(\d[\d.]*(?:,\d+)?) minutes (?:less|longer|a case)", text):
            assert re.fullmatch(r"[\d.]+,\d\d", minutes), (page, minutes)


def test_what_is_owed_to_luck_is_taken_off():
    """The best of six uncertain pilots is shrunk towards the others: less is to be expected of it than it shows."""
    rng = np.random.default_rng(3)
    pilots = [
        candidate(name, fundable(mean + rng.normal(0, 300, DRAWS), 5), title=name.upper())
        for name, mean in (("a", 900.0), ("b", 500.0), ("c", 450.0), ("d", 400.0), ("e", 350.0), ("f", 300.0))
    ]
    found, _ = together(*pilots)
    best = next(row for row in rows_of_set(found) if row["pilot"] == "a")
    shrunk = {x["pilot"]: x["shrunk"] - x["raw"] for x in found["shrinkage"]["pilots"]}
    assert best["luck"] == pytest.approx(shrunk["a"])
    assert best["luck"] < 0
