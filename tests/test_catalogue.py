"""The fixed words of the pages: collected in one file, and replaced by those of another language."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fixtures_record import make_decision, make_record
from opened_examples import example

from roi.report import catalogue, sections
from roi.report.catalogue import catalogue_text, share_known, texts_by_place, texts_of_page, translated
from roi.report.page import as_written, page


@pytest.fixture(scope="module")
def texts() -> set[str]:
    return {text for found in texts_by_place().values() for text in found}


@pytest.fixture(scope="module")
def first() -> str:
    return sections.first_screen(make_decision(empty=True)).html


def test_all_of_it_is_printed_as_one_file():
    assert json.loads(catalogue_text()) == texts_by_place()


def test_what_stands_where_is_told_with_holes_for_figures():
    found = texts_by_place()
    assert {"Decide by", "Done when:", "What to do next", "advised"} <= set(
        found["report/templates/first_screen.html.j2"]
    )
    assert {"Kill", "Fix", "Scale", "not known"} <= set(found["words.py"])
    assert "{} of {} gates are shown." in found["report/templates/gates.html.j2"]


def test_headings_labels_and_verdicts_of_the_first_screen_are_in_it(texts: set[str], first: str):
    """Of a real one three quarters of the words: of the others most are users' own."""
    wanted = {
        "Fix",
        "The sum asked for",
        "Decide by",
        "Who answers for it",
        "What to do next",
        "Before you decide",
        "Owner",
    }
    assert wanted <= texts & set(texts_of_page(first))
    assert share_known(sections.first_screen(example("claims_intake").decision).html, texts) > 0.75
    assert share_known("<p>Nothing of ours is here</p>", texts) == 0
    assert share_known("<p>EUR 5,000</p>", texts) == 0


def test_another_language_takes_the_place_of_ours(first: str):
    theirs = {
        "Decide by": "Zu entscheiden bis",
        "{} of {} gates are shown.": "Von {2} Bedingungen sind {1} <b>.",
        "advised": "empfohlen",
    }
    found = translated(first, theirs)
    assert "<dt>Zu entscheiden bis</dt>" in found
    assert "Decide by" not in found
    assert "<em>empfohlen</em>" in found
    assert found.count("<") == first.count("<")
    assert (
        translated("<p>11 of 12 gates are shown. More.</p>", theirs)
        == "<p>Von 12 Bedingungen sind 11 &lt;b&gt;. More.</p>"
    )
    assert (
        translated("<p>Decide by</p><code>Decide by</code>", theirs, keep={"Decide by"}).count("Decide by")
        == 2
    )
    assert translated(first, {}) == first


def test_a_sentence_that_is_put_together_is_taken_apart_again():
    """What fills a hole is looked up by itself, a list part by part; what users wrote stays, within a sentence, too."""
    theirs = {
        "{} more often than {}": "{1} häufiger als {2}",
        "It costs {}": "Das kostet {}",
        "bounded access": "begrenzter Zugriff",
        "evaluation": "Prüfung",
        " and ": " und ",
        "and": "und",
        "cost": "Kosten",
    }
    told = translated("<p>It costs bounded access, evaluation and EUR 5,000</p>", theirs)
    assert told == "<p>Das kostet begrenzter Zugriff, Prüfung und EUR 5,000</p>"
    assert translated("<p>it costs evaluation</p>", theirs) == "<p>Das kostet Prüfung</p>"
    assert translated("<p>Evaluation</p>", theirs) == "<p>Prüfung</p>"
    kept = translated("<p>It costs evaluation</p>", theirs, keep={"evaluation"})
    assert kept == "<p>Das kostet evaluation</p>"
    assert translated("<p>cost {} 3 more often than x {1}</p>", theirs).startswith(
        "<p>cost {} 3 häufiger als"
    )
    assert share_known("<p>It costs bounded access and nothing else</p>", theirs) == pytest.approx(4 / 7)


def test_a_file_beside_the_templates_is_all_it_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, first: str
):
    monkeypatch.setattr(catalogue, "LANGUAGES", tmp_path)
    record = {**make_record(), "locale": "de-DE", "owner": "Costs"}
    html = page("x", sections.first_screen(make_decision(record, empty=True)).html)
    assert 'lang="en"' in as_written(html, record)
    (tmp_path / "de.json").write_text(json.dumps({"Decide by": "Zu entscheiden bis", "Costs": "Kosten"}))
    found = as_written(html, record)
    assert '<html lang="de">' in found
    assert "<dt>Zu entscheiden bis</dt><dd>15.12.2026</dd>" in found
    assert "<bdi>Costs</bdi>" in found
    assert 'lang="en"' in as_written(html, {**record, "locale": "fr-FR"})


def test_every_text_of_the_page_without_users_words_is_collected(texts: set[str]):
    """What a template says by itself can't be missing: an empty record shows little else."""
    html = sections.gates(make_decision({"gates": []}, empty=True)).html
    assert set(texts_of_page(html)) <= texts
