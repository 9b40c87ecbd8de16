"""The page of the operation: whole with and without fresh cases, in its figures' words, and with texts of users."""

from __future__ import annotations

import copy
import csv
import html
import json
import re
from pathlib import Path
from typing import Any

import altair as alt
import nbformat
import pytest
from fixtures_record import make_kill
from nbformat.v4 import new_code_cell, new_notebook, new_output
from opened_examples import example
from pilots import cases, controls, write_csv, write_pilot
from test_page import Tags, text_of
from test_proof import MARKUP

from roi.archive import archive_text
from roi.issue import Run, issuing
from roi.operate import operation_of, soon_of
from roi.pilot import open_pilot
from roi.report import operate as page
from roi.report import operate_charts, operate_figures
from roi.report.page import operation_said, since_decided
from roi.report.sections import SINCE_MIME

pytestmark = pytest.mark.slow  # whole decisions of pilots

ALL = [
    page.opening,
    page.questions,
    page.charts,
    page.drift,
    page.realised,
    page.forecast,
    page.missing,
]
EXAMPLES = ["claims_intake", "contract_summaries", "invoice_coding", "payment_repair", "permit_intake"]


def said(text: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(text)).replace("\u00a0", " ")


def whole(o: page.Operated, *only: str) -> dict[str, str]:
    """The text of every section, or of some, which must be well formed and name nothing that is not there."""
    found = {}
    for make in [make for make in ALL if not only or make.__name__ in only]:
        part = make(o).html
        Tags(part)
        found[make.__name__] = said(text_of(part))
        assert not re.search(r"\bNone\b|\bnan\b|Undefined|\{\{|\.\.", found[make.__name__]), found
    return found


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    """A project without an earlier record: its parameter file, its record, and what its operation shows."""
    folder = tmp_path_factory.mktemp("operate")
    path = write_pilot(folder, cases(400, workers=8), {"run": {"draws": 1000}})
    pilot = open_pilot(path)
    record = pilot.decision.record
    return path, record, operation_of(pilot, record)


@pytest.fixture
def own(decided: tuple[Path, dict[str, Any], dict[str, Any]]) -> page.Operated:
    _, record, operation = decided
    return page.Operated(copy.deepcopy(record), copy.deepcopy(operation))


def as_fresh(o: page.Operated, action: str = "pause") -> page.Operated:
    """The same cases as if they had come in after another decision, and something had broken a limit."""
    operation = copy.deepcopy(o.operation)
    operation |= {"state": "fresh", "why": None}
    monitor = operation["monitor"]
    monitor["action"] |= {
        "action": action,
        "since": "2026-08-20",
        "rule": "a limit is broken",
        "segments": ["a"] if action == "restrict" else [],
        "version": "v1" if action == "roll_back" else None,
        "because": ["Severe errors: 3 % in 400 cases since about 2026-08-14; the limit is 0.50 %"],
    }
    before = {"verdict": "scale", "worth": 1000.0, "chance": 0.9, "scale_worth": 1000.0}
    monitor["mix"]["shown"] = True
    monitor["mix"]["worth"] = {"before": before, "now": before | {"verdict": "fix", "worth": -20.0}}
    return page.Operated(o.record, operation)


def with_months(o: page.Operated, months: dict[str, Any]) -> page.Operated:
    return page.Operated(o.record, o.operation, months)


def band(mean: float, spread: float = 0.2) -> dict[str, float]:
    return {"mean": mean, "p10": mean * (1 - spread), "p50": mean, "p90": mean * (1 + spread)}


def reported(actual: list[float | None], *, holds: bool = True) -> dict[str, Any]:
    """Months as `roi.realised` gives them: 100, 200, 300 … forecast, and what came."""
    months = []
    for i in range(12):
        came = actual[i] if i < len(actual) else None
        months.append(
            {
                "month": f"2027-{i + 1:02d}",
                "number": i + 1,
                "forecast": {"benefit": band(100.0 * (i + 1))},
                "cumulative": {"benefit": band(50.0 * (i + 1) * (i + 2))},
                "actual": None if came is None else {"benefit": band(came, 0.0), "difference": {}},
            }
        )
    known = [x for x in actual if x is not None]
    whole_ = sum(known) - sum(100.0 * (i + 1) for i, x in enumerate(actual) if x is not None)
    return {
        "state": "known",
        "why": None,
        "verdict": "scale",
        "segments": ["a", "b"],
        "currency": "EUR",
        "notes": ["June 2027 is left out: not complete yet."],
        "months": months,
        "held": "The cost of an hour is held as decided.",
        "not_reported": [{"factor": "errors", "label": "Errors", "months": 3, "why": "not reported"}],
        "difference": [
            {
                "factor": "volume",
                "label": "More or fewer cases",
                "amount": whole_ + 10.0,
                "months_reported": 3,
            },
            {
                "factor": "price",
                "label": "What the agent costs a case",
                "amount": -10.0,
                "months_reported": 3,
            },
        ],
        "whole": whole_,
        "text": "3 months brought EUR 480.",
        "updated": {
            "text": "The decision to scale no longer holds." if not holds else "The decision to scale holds.",
            "holds": holds,
            "stops": False,
            "worth": {"before": band(5000.0), "now": band(4000.0)},
            "going_on": None,
            "chances": {"before": 0.9, "now": 0.8, "going_on": None, "needed": 0.8},
        },
    }


@pytest.mark.slow
def test_without_fresh_cases_the_page_says_what_will_be_watched(own: page.Operated) -> None:
    text = whole(own)
    assert own.operation["state"] == "own"
    assert "What will be watched from now on" in text["opening"]
    assert "Nothing yet: the sample holds no case after" in text["opening"]
    assert "the policy's limit for severe errors" in text["questions"]
    assert f"{len(own.found['questions'])} questions are asked every day" in text["questions"]
    assert "within" in text["questions"]
    assert "No month has been reported. Add samples.actuals" in text["realised"]
    assert "give samples.actuals" in text["missing"]
    assert page.opening(own).since == ""


def test_what_is_to_be_done_comes_first_and_opens_the_business_case(own: page.Operated) -> None:
    for action, head in (
        ("pause", "Pause"),
        ("restrict", "Restrict, leave out a"),
        ("roll_back", "Roll back to version v1"),
    ):
        o = as_fresh(own, action)
        text = whole(o, "opening")["opening"]
        assert re.match(rf"\s*{head} ", text), text
        assert text.index("Severe errors: 3 %") < text.index("Held against")
        lead = page.opening(o).operation
        assert lead["headline"] == head
        assert lead["rule"] == "a limit is broken"
        assert "comes first" in lead["text"]
    going_on = as_fresh(own, "continue")
    assert page.opening(going_on).since == ""
    assert SINCE_MIME not in page.opening(going_on)._repr_mimebundle_()


def test_no_decision_holds_beside_an_action_that_stops_it(own: page.Operated) -> None:
    months = reported([80.0, 160.0, 240.0])
    assert (
        "The decision to scale holds."
        in whole(with_months(as_fresh(own, "continue"), months), "forecast")["forecast"]
    )
    for action in ("pause", "restrict", "roll_back"):
        o = with_months(as_fresh(own, action), months)
        text = whole(o, "forecast")["forecast"]
        assert "holds" not in text
        assert "comes first: until then no decision stands" in text
        assert "holds" not in whole(o, "opening")["opening"]


def test_months_without_their_cases_are_told_apart_from_cases(own: page.Operated) -> None:
    """What is known from totals is no case that came in, and the page does not say that nothing did."""
    months = {
        **reported([80.0, 160.0, 240.0]),
        "cumulative": {"months": 3, "actual": {"adopted_cases": 2500.0}},
    }
    text = whole(page.Operated(own.record, own.operation, months), "opening")["opening"]
    assert "no case has come in" not in text
    assert "known from the totals of 3 months" in text
    assert "2,500 cases that the agent worked in them" in text


def test_a_mark_inside_the_band_looks_unlike_one_outside() -> None:
    def point(value: float, *marks: str) -> dict[str, object]:
        return {"value": value, "low": 1.0, "high": 3.0, "marks": list(marks)}

    inside = operate_figures._inside
    assert inside(point(2.5, "eight on one side"))
    assert not inside(point(3.5, "outside"))
    assert not inside(point(3.5, "eight on one side", "outside"))
    assert not inside(point(2.5))


def test_the_worth_under_todays_mix_stands_beside_that_of_the_decision(own: page.Operated) -> None:
    text = whole(as_fresh(own), "drift")["drift"]
    assert re.search(r"the mix of the decision scale EUR 1,000", text)
    assert re.search(r"today’s mix fix EUR −20", text)
    assert "once cases have come in" in whole(own, "drift")["drift"]


def test_every_control_chart_is_told_in_numbers(own: page.Operated) -> None:
    figure = operate_figures.charts_figure(own.found)
    assert figure is not None
    for row in own.found["measures"]:
        if row["all"] is not None:
            assert f"{row['label']}: " in figure.alt
    assert re.search(
        r"Human minutes per case: [\d.]+ minutes in the first day, [\d.]+ minutes in the last", figure.alt
    )
    assert "the limit is" in figure.alt
    assert len(figure.draw(640).to_dict()["concat"]) == len(figure.draw(296).to_dict()["concat"]) == 8
    assert (figure.draw(640).to_dict()["columns"], figure.draw(296).to_dict()["columns"]) == (2, 1)


def test_control_charts_are_drawn_in_rows_of_two_that_say_what_they_show(own: page.Operated) -> None:
    """So that a sheet of paper may end between two rows; nothing is drawn or said twice."""
    figure = operate_figures.charts_figure(own.found)
    assert figure is not None
    drawn = [draw(640).to_dict()["concat"] for _, draw in figure.rows]
    assert [len(row) for row in drawn] == [2, 2, 2, 2]
    titles = [panel["title"]["text"] for row in drawn for panel in row]
    assert titles == [panel["title"]["text"] for panel in figure.draw(640).to_dict()["concat"]]
    for (told, _), row in zip(figure.rows, drawn, strict=True):
        named = [title for title in titles if f"{title}: " in told]
        assert named == [panel["title"]["text"] for panel in row]


@pytest.mark.slow
def test_the_panels_keep_to_the_schema_of_charts(own: page.Operated) -> None:
    found = {**own.found, "measures": own.found["measures"][:1]}
    found["changes"] = [{**own.found["changes"][0], "date": own.found["volume"]["all"]["points"][3]["from"]}]
    figure = operate_figures.charts_figure(found)
    assert figure is not None
    alt.ConcatChart.from_dict(figure.draw(640).to_dict())
    months = operate_figures.realised_figure(reported([90.0, 150.0, 240.0]))
    assert months is not None
    assert "<svg" in months.drawings()[0]


def test_a_version_that_came_and_marked_points_are_in_the_legend_and_the_words(own: page.Operated) -> None:
    found = copy.deepcopy(own.found)
    volume = found["volume"]["all"]
    day = volume["points"][3]["from"]
    found["changes"] = [{**found["changes"][0], "version": "v9", "date": day}]
    for point in volume["points"]:
        point["marks"] = []
    for row in found["measures"]:
        for point in (row["chart"] or {"points": []})["points"]:
            point["marks"] = []
    calm = operate_figures.charts_figure(found)
    assert calm is not None
    assert "all that moves is what chance does" in calm.answer
    assert "full-diamond" not in dict(calm.legend)
    volume["points"][4]["marks"] = ["outside, above"]
    marked = operate_figures.charts_figure(found)
    assert marked is not None
    assert "Cases (1)" in marked.answer
    assert {"full-diamond", "dots-line"} <= set(dict(marked.legend))
    assert "outside, above" in marked.alt
    assert f"Version v9 came on {day}." in marked.alt


def test_points_without_cases_have_no_limits_and_the_axis_holds_what_is_drawn() -> None:
    def point(day: int, value: float | None, high: float) -> dict[str, Any]:
        drawn = {"centre": 0.1, "low": 0.0, "high": high, "marks": []}
        return {"from": f"2026-07-{day:02d}", "n": 1.0, "value": value, **drawn}

    chart = {
        "kind": "p'",
        "period": "day",
        "withheld": 2,
        "points": [point(1, 0.1, 0.2), point(2, None, 1.0), point(3, 0.15, 0.2)],
        "regimes": [{"from": "2026-07-01"}],
    }
    row = {"measure": "error_rate_pilot", "limit": 0.9}
    panel = operate_figures._panel("Errors", chart, row, {"changes": [], "currency": "EUR", "cases": 3})
    assert panel is not None
    assert panel["top"] == pytest.approx(1.08 * 0.2)
    assert [p["high"] for p in panel["points"]] == [0.2, None, 0.2]
    assert said(panel["note"]) == "limit 90 %, above the picture; 2 days withheld"
    never = [{**point(day, 0.0, 0.0), "centre": 0.0} for day in (1, 2, 3)]
    quiet = operate_figures._panel(
        "Escalated", {**chart, "points": never}, {"measure": "escalation_rate_pilot"}, {"changes": []}
    )
    assert quiet is not None
    assert quiet["top"] < 0.2  # an axis to 200 % was drawn of a share that nothing ever was of
    drawn = operate_charts.control_panels([panel], width=640).to_dict()
    layers = drawn["concat"][0]["layer"]
    told = [layer for layer in layers if "description" in layer["encoding"]]
    assert not any(layer["mark"]["type"] == "rule" for layer in layers if layer not in told)
    assert [said(row["tip"]) for layer in told for row in layer["data"]["values"]] == [
        "Errors, 1 Jul 2026: 10 %; chance alone gives 0 % to 20 %",
        "Errors, 2 Jul 2026: not known",
        "Errors, 3 Jul 2026: 15 %; chance alone gives 0 % to 20 %",
    ]
    assert (
        operate_figures._panel("Errors", {**chart, "points": chart["points"][:2]}, row, {"changes": []})
        is None
    )


def test_months_stand_beside_their_band_and_a_missing_one_ends_the_sum() -> None:
    """By hand: 90 + 150 + 240 = 480 where 100 + 200 + 300 = 600 were forecast; 150 is below 160, the band's low end."""
    figure = operate_figures.realised_figure(reported([90.0, 150.0, 240.0]))
    assert figure is not None
    assert said(figure.answer) == "3 months brought EUR 480 where EUR 600 were forecast"
    assert "Month 2: forecast EUR 200, 8 in 10 outcomes EUR 160 to 240; brought EUR 150." in said(figure.alt)
    assert "Month 4: forecast EUR 400, 8 in 10 outcomes EUR 320 to 480; not reported." in said(figure.alt)
    gap = operate_figures.realised_figure(reported([90.0, None, 240.0]))
    assert gap is not None
    drawn = gap.draw(640).to_dict(validate=False)
    points = drawn["datasets"][drawn["hconcat"][1]["layer"][4]["data"]["name"]]
    assert [(p["number"], p["actual"]) for p in points] == [(1, 90.0)]
    assert operate_figures.realised_figure(reported([])) is None


def test_what_explains_the_difference_sums_up_and_says_what_no_longer_holds(own: page.Operated) -> None:
    o = page.Operated(own.record, own.operation, reported([90.0, 150.0, 240.0], holds=False))
    text = whole(o, "realised", "forecast", "missing")
    figure = operate_figures.difference_figure(o.realised or {})
    assert figure is not None
    assert said(figure.answer) == "−EUR 120 against the forecast; most of it: more or fewer cases (−EUR 110)"
    assert "Together: −EUR 120." in said(figure.alt)
    assert "no longer holds" in text["forecast"]
    assert "EUR 4,000" in text["forecast"]
    opening = page.opening(o)
    assert (opening.since, opening.operation["action"]) == ("", "decide_again")
    assert opening.operation["text"] == "The decision to scale no longer holds."
    assert opening.operation["months"]["now"]["mean"] == 4000.0
    assert "June 2027 is left out" in text["missing"]
    early = page.Operated(
        own.record, own.operation, {"state": "too_early", "why": "No month counts yet.", "months": []}
    )
    assert "No month counts yet." in whole(early, "realised")["realised"]


def test_cases_without_a_time_show_the_limits_alone(tmp_path: Path) -> None:
    path = write_pilot(tmp_path, cases(120, workers=6), {"run": {"draws": 1000}}, without=tuple(controls([])))
    file = tmp_path / "data/cases.csv"
    timeless = [{k: v for k, v in row.items() if k != "started_at"} for row in csv.DictReader(file.open())]
    write_csv(file, timeless)
    pilot = open_pilot(path)
    record = pilot.decision.record
    o = page.Operated(record, operation_of(pilot, record))
    text = whole(o)
    assert o.operation["state"] == "unknown"
    assert "the policy's limit for severe errors" in text["questions"]
    assert "started_at" in text["opening"]
    assert "nothing to draw" in text["charts"]


@pytest.mark.slow
def test_cases_after_an_earlier_decision_are_held_against_it(
    decided: tuple[Path, dict[str, Any], dict[str, Any]], tmp_path: Path
) -> None:
    path, record, _ = decided
    pilot = open_pilot(path)
    run = tmp_path / "run"
    run.mkdir()
    (run / "decision.json").write_text(pilot.decision.json(), encoding="utf-8")
    (run / "moments.json").write_text(archive_text(pilot.decision.analysis, record), encoding="utf-8")
    middle = str(record["sample"]["last"])[:8] + "01"
    for name, day in (
        ("made", record["as_of"]),
        ("made/archive/a", middle),
        ("made/archive/b", "2020-01-01"),
    ):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        text = json.dumps({**record, "as_of": day})
        (tmp_path / name / "decision.json").write_text(text, encoding="utf-8")
    with issuing(Run(pilot="made", folder=run, ledger=tmp_path / "ledger.jsonl")):
        found = operation_of(pilot, record)
    assert found["state"] == "fresh"
    assert found["monitor"]["record"]["as_of"] == middle
    assert found["monitor"]["first"] > middle
    assert "against the decision of" in whole(page.Operated(record, found), "opening")["opening"]


def test_how_soon_is_told_for_the_cases_that_are_judged(own: page.Operated) -> None:
    """By hand: half of the cases judged, so half of the roll-out's 100 a day count."""
    found = copy.deepcopy(dict(own.found))
    row = next(r for r in found["measures"] if r["measure"] == "severe_error_rate_pilot")
    row["all"]["n"] = found["cases"] / 2
    soon = soon_of(found, 100.0)
    assert soon["judged"] == 0.5
    assert {r["per_day"] for r in soon["rows"] if r["what"] == "in the roll-out"} == {50.0}
    row["all"] = None
    assert soon_of(found, 100.0)["rows"] == []
    assert "not known" in str(soon_of(found, 100.0)["why"])


def test_texts_of_users_are_escaped(own: page.Operated) -> None:
    o = as_fresh(own)
    o.record["title"] = MARKUP
    monitor = o.operation["monitor"]
    monitor["action"]["because"] = [MARKUP]
    monitor["warnings"] = [MARKUP]
    for version in monitor["changes"]:
        version["version"] = MARKUP
    for question in monitor["questions"]:
        question["segment"] = MARKUP if question["segment"] else None
        question["crossed"] = "2026-08-20"
    for row in monitor["measures"]:
        for of in row["by_segment"]:
            of["segment"] = MARKUP
    mix = monitor["mix"]
    mix |= {"decision": {MARKUP: 0.4, "b": 0.6}, "fresh": {MARKUP: 0.5, "b": 0.5}}
    for make in ALL:
        assert "<script" not in make(o).html, make.__name__
    assert html.escape(MARKUP)[:9] in page.opening(o).html


def test_the_business_case_reads_from_the_executed_notebook_what_it_opens_with(
    own: page.Operated, tmp_path: Path
) -> None:
    assert since_decided(tmp_path) == ""
    for shown, what in ((own, ""), (as_fresh(own), "")):
        bundle = page.opening(shown)._repr_mimebundle_()
        cell = new_code_cell("x", outputs=[new_output("display_data", data=bundle)])
        nbformat.write(new_notebook(cells=[cell]), tmp_path / "6_operate.ipynb")
        assert since_decided(tmp_path) == what
        said = operation_said(tmp_path)
        assert (said is None) == (shown is own)
        assert said is None or said["headline"] == "Pause"


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_section_of_every_example_is_whole(name: str) -> None:
    pilot = example(name)
    record = pilot.decision.record
    found = operation_of(pilot, record)
    text = whole(page.Operated(record, found))
    assert all(row["label"] in text["questions"] for row in found["limits"])
    assert found == operation_of(pilot, record)


def test_a_record_without_anything_is_whole() -> None:
    limits = [
        {"measure": "error_rate_pilot", "label": "Errors", "unit": "share", "limit": None}
        | {"limit_why": None, "expected": None, "unknown": "no case has a time"}
    ]
    nothing = {"state": "unknown", "why": "No day can be watched.", "monitor": None, "limits": limits}
    whole(page.Operated(make_kill(), {**nothing, "soon": {"rows": [], "why": "No day can be watched."}}))


def test_the_two_ranges_of_a_month_are_named_apart():
    """The dot at 50 lies in the picture's band (40 to 80), and outside what the month alone shows: each by its name."""
    planned = {"p10": 40.0, "mean": 60.0, "p90": 80.0}
    months = [
        {
            "number": 1,
            "forecast": {"benefit": planned},
            "cumulative": {"benefit": planned},
            "actual": {"benefit": {"mean": 50.0}, "shown": {"inside": False}},
        }
    ]
    figure = operate_figures.realised_figure({"currency": "EUR", "months": months})
    assert figure is not None
    assert figure.answer.endswith("none of 1 inside the range of what a month alone shows")
    assert ("band", "8 in 10 outcomes, with what no month shows") in figure.legend


def test_a_picture_of_rows_is_drawn_row_by_row_each_with_what_it_says(own: page.Operated) -> None:
    figure = operate_figures.charts_figure(own.found)
    assert figure is not None
    wide, narrow = figure.drawings()
    told = [html.unescape(x) for x in re.findall(r'<svg role="img" aria-label="([^"]*)"', wide)]
    assert told == [alt for alt, _ in figure.rows]
    assert len(told) == 4
    assert [html.unescape(x) for x in re.findall(r'role="img" aria-label="([^"]*)"', narrow)] == [figure.alt]
