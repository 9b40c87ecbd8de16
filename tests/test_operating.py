"""One advice on all pages: what is to be done in operation leads, wherever a verdict is shown."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import nbformat
import pytest
from fixtures_record import FakeDecision, make_kill, make_pictures, make_scale
from made_portfolios import candidate, fundable
from nbformat.v4 import new_code_cell, new_notebook, new_output

from roi.batch.listing import list_pilots
from roi.batch.operated import show_operation
from roi.batch.signed import show_signed
from roi.operating import OPERATING, lead_of, months_of, operating_of, operating_text
from roi.portfolio import portfolio_of
from roi.problems import InputError
from roi.report import portfolio as show
from roi.report.one_worth import running_said
from roi.report.page import page, render
from roi.report.sections import first_screen
from roi.schema.portfolio import Portfolio


def monitored(action: str, *, version: str | None = None) -> dict:
    return {
        "action": {"action": action, "version": version, "segments": ["chat"], "rule": "it began with v3", "since": None},
        "changes": [{"version": "v2", "date": "2026-09-01"}, {"version": "v3", "date": "2026-12-20"}],
    }  # fmt: skip


def killed(version: str = "latest") -> dict:
    return {**make_kill(), "settings": {"samples.version": version}}


def test_a_kill_of_a_new_version_says_of_which_and_that_rolling_back_comes_first():
    lead = lead_of(monitored("roll_back", version="v2"), killed(), "Roll back to version v2")
    assert lead is not None
    assert lead["verdict_of"] == "v3"
    assert lead["text"] == (
        "Rolling back comes first. The verdict (kill) is of version v3, whose cases it rests on, and comes after: it "
        "stops no more than that version; what becomes of version v2 is decided once it runs again."
    )
    pooled = lead_of(monitored("roll_back", version="v2"), killed("all"), "Roll back to version v2")
    assert pooled is not None
    assert pooled["verdict_of"] is None
    assert "v3" not in pooled["text"]


@pytest.mark.parametrize(
    ("action", "first", "there"), [("pause", "Pausing", ""), ("restrict", "Leaving these out", "there ")]
)
def test_what_stops_the_agent_comes_before_the_verdict(action, first, there):
    lead = lead_of(monitored(action), {**killed(), "verdict": "scale"}, "x")
    assert lead is not None
    assert lead["text"].startswith(f"{first} comes first. The verdict (scale)")
    assert lead["text"].endswith(f"nothing of it is carried out {there}while a limit is broken.")
    assert lead["segments"] == (["chat"] if action == "restrict" else [])
    fixed = lead_of(monitored(action), {**killed(), "verdict": "fix"}, "x")
    assert fixed is not None
    assert fixed["text"].endswith("while a limit is broken, but what mends that.")


@pytest.mark.parametrize("stops", [True, False])
def test_a_broken_limit_comes_before_months_and_months_before_the_rest(stops):
    months = {"holds": False, "stops": stops, "text": "no longer holds"}
    by_months = "stop" if stops else "decide_again"
    said = {"pause": "pause", "roll_back": "roll_back", "investigate": by_months, "continue": by_months}
    for action, first in said.items():
        lead = lead_of(monitored(action, version="v2"), {**killed(), "verdict": "scale"}, "x", months)
        assert lead is not None
        assert (lead["action"], lead["months"]) == (first, months)


def test_nothing_leads_while_all_goes_on():
    assert lead_of(monitored("continue"), killed(), "Continue") is None


def test_the_file_is_of_one_record(tmp_path):
    lead = lead_of(monitored("pause"), killed(), "Pause")
    assert lead is not None
    (tmp_path / OPERATING).write_text(operating_text(lead), encoding="utf-8")
    assert operating_of(tmp_path, killed()) == lead
    assert operating_of(tmp_path, {**killed(), "headline": "another"}) is None
    assert operating_of(tmp_path, None) is None
    for text in ("", "[]", "{}", '{"action": 1}'):
        (tmp_path / OPERATING).write_text(text, encoding="utf-8")
        assert operating_of(tmp_path, killed()) is None


def test_every_page_leads_with_it(tmp_path):
    """The page, the list of pilots, its table and what is said of all of them."""
    record, folder = killed(), tmp_path / make_kill()["pilot"]
    lead = lead_of(monitored("roll_back", version="v2"), record, "Roll back to version v2")
    assert lead is not None
    html = page("t", "<h1>Kill</h1>", lead=lead)
    assert html.index("In operation:") < html.index("<h1>Kill")
    folder.mkdir()
    (folder / "decision.json").write_text(json.dumps(record), encoding="utf-8")
    (folder / OPERATING).write_text(operating_text(lead), encoding="utf-8")
    list_pilots(tmp_path, {})
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    row = index[index.index("<tbody>") :]
    assert row.index("Roll back to version v2") < row.index("Kill")
    assert "of version <bdi>v3</bdi>, after that" in row
    [entry] = csv.DictReader(io.StringIO((tmp_path / "decisions.csv").read_text(encoding="utf-8")))
    assert entry["in_operation"] == "Roll back to version v2"


def test_the_portfolio_carries_it_and_says_it_first():
    lead = lead_of(monitored("pause"), killed(), "Pause")
    a = replace(candidate("a", fundable(10.0, 1), title="Claims"), operating=lead)
    found = portfolio_of([a, candidate("b", fundable(5.0, 1))], Portfolio())
    assert [p["operating"] and p["operating"]["action"] for p in found["pilots"]] == ["pause", None]
    assert show.sentences(found)[0].startswith("First, in operation – Claims: Pause. Pausing comes first.")


def test_what_monitoring_found_is_taken_into_the_report_and_back(tmp_path):
    """`roi monitor --to-report`: the page of all pilots leads with it until it goes on; what months said stays."""
    record, folder = {**killed(), "verdict": "scale"}, tmp_path / make_kill()["pilot"]
    folder.mkdir()
    with pytest.raises(InputError, match=r"holds no decision\.json"):
        show_operation(folder, monitored("pause"))
    (folder / "decision.json").write_text(json.dumps(record), encoding="utf-8")
    notes = show_operation(folder, monitored("pause"))
    assert notes[-1].endswith("goes by it now: Pause.")
    assert operating_of(folder, record)["action"] == "pause"
    assert "In operation: <bdi>Pause</bdi>" in (tmp_path / "index.html").read_text(encoding="utf-8")
    show_operation(folder, monitored("continue"))
    assert not (folder / OPERATING).exists()
    assert "In operation" not in (tmp_path / "index.html").read_text(encoding="utf-8")
    months = {"holds": True, "stops": False, "text": "It holds.", "count": 3, "verdict": "kill",
              "now": {"mean": 5.0}}  # fmt: skip
    lead = lead_of(None, record, "", months)
    assert lead is not None
    (folder / OPERATING).write_text(operating_text(lead), encoding="utf-8")
    show_operation(folder, monitored("pause"))
    assert months_of(folder, record) == months
    assert operating_of(folder, record)["action"] == "pause"
    show_operation(folder, monitored("continue"))
    assert (operating_of(folder, record), months_of(folder, record)) == (None, months)


RUNNING = {"verdict": "scale", "count": 4, "now": {"mean": 770_480.0}, "going_on": {"mean": 1_018_000.0}, "before": {"mean": 990_650.0}, "holds": True,
           "stops": False, "text": "It holds."}  # fmt: skip


def test_a_business_case_whose_plan_runs_says_so_and_asks_for_nothing_new(tmp_path):
    """A reader of the report alone must not grant again what was granted, nor take a forecast for what came of it."""
    record = {**make_scale(), "currency": "EUR"}
    body = first_screen(FakeDecision(record, make_pictures(empty=True)))
    cell = new_code_cell("x", outputs=[new_output("display_data", data=body._repr_mimebundle_())])
    nbformat.write(new_notebook(cells=[cell]), tmp_path / "2_decide.ipynb")
    asked = '<dt class="asked">The sum asked for</dt>'
    said = running_said(RUNNING, record)
    assert said == (
        "In operation: by its 4 months the plan is worth EUR\u00a0770,000, EUR\u00a0220,000 less than decided; "
        "from here on EUR\u00a01.02\u00a0million. Nothing new is asked for."
    )
    for runs in ("", said):
        html = render(
            tmp_path / "2_decide.ipynb", tmp_path / "report.html", runs=runs, since="Moved."
        ).read_text("utf-8")
        assert (asked in html, "Was asked for" in html) == (not runs, bool(runs))
        assert ("What to do next" in html, "What was to be done" in html) == (not runs, bool(runs))
        assert f"{runs} Moved.".strip().replace("\u00a0", " ") in html.replace("\u00a0", " ")


def test_what_people_decided_instead_or_no_month_knows_runs_nowhere():
    record = {**make_kill(), "currency": "EUR"}
    assert running_said(RUNNING, record) == ""  # the plan that runs is not what is decided now
    assert running_said(None, record | {"verdict": "scale"}) == ""
    assert running_said(RUNNING | {"before": None}, record | {"verdict": "scale"}) == ""


def test_signing_a_report_keeps_what_its_months_say(tmp_path):
    record = {**make_kill(), "verdict": "scale", "currency": "EUR", "signed": []}
    folder = tmp_path / record["pilot"]
    folder.mkdir()
    body = first_screen(FakeDecision(record, make_pictures(empty=True)))
    cell = new_code_cell("x", outputs=[new_output("display_data", data=body._repr_mimebundle_())])
    nbformat.write(new_notebook(cells=[cell]), folder / "2_decide.ipynb")
    (folder / "report.html").write_text("before", encoding="utf-8")
    lead = lead_of(None, record, "", RUNNING)
    assert lead is not None
    (folder / OPERATING).write_text(operating_text(lead), encoding="utf-8")
    show_signed(folder / "decision.json", record)
    assert "by its 4 months the plan is worth" in (folder / "report.html").read_text("utf-8")
