"""The page of the controls: what it says of examples, of a record that knows little, and of texts of users."""

from __future__ import annotations

import copy
import html
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fixtures_record import make_kill, make_pictures
from opened_examples import example
from pilots import cases, controls, write_pilot
from test_page import Tags, text_of
from test_proof import MARKUP, marked

from roi.cli import main
from roi.controls.catalogue import CATALOGUE, uncovered_risks
from roi.parameters import load_parameters
from roi.pictures import Pictures
from roi.report import controls as page
from roi.report.control_charts import with_room
from roi.report.control_figures import frontier_figure
from roi.report.facts import controls_line
from roi.report.restricted import restricted_page
from roi.samples import open_samples

ALL = [
    page.opening,
    page.scorecard,
    page.findings,
    page.silent,
    page.access,
    page.design,
    page.checks,
    page.own_sample,
]
EXAMPLES = ["claims_intake", "contract_summaries", "payment_repair", "permit_intake", "support_replies"]


@dataclass
class Made:
    """As much of a decision as the sections need."""

    record: dict[str, Any]
    pictures: Pictures = field(default_factory=lambda: make_pictures(empty=True))


def whole(record: dict[str, Any]) -> dict[str, str]:
    """The text of every section, which must be well formed and name nothing that is not there."""
    said = {}
    for make in ALL:
        part = make(Made(record)).html
        Tags(part)
        said[make.__name__] = re.sub(r"\s+", " ", html.unescape(text_of(part)))
        assert not re.search(r"\bNone\b(?! of)|\bnan\b|Undefined|\{\{|\.\.", said[make.__name__]), said
    return said


def checks_of(record: dict[str, Any]) -> list[dict[str, Any]]:
    return [check for layer in record["controls"]["layers"] for check in layer["checks"]]


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_section_of_every_example_is_whole(name: str) -> None:
    record = example(name).decision.record
    said = whole(record)
    checks = checks_of(record)
    assert len(checks) == len(CATALOGUE)
    assert all(check["label"] in said["checks"] and check["label"] in said["scorecard"] for check in checks)
    for check in checks:
        assert (check["fails"] in said["findings"]) == (check["status"] == "fail")
        assert check["label"] not in said["findings"]
        assert (check["label"] in said["silent"]) == (check["status"] == "missing_evidence")


def test_a_finding_names_its_rows_and_those_about_single_people_name_none() -> None:
    record = example("claims_intake").decision.record
    late = next(check for check in checks_of(record) if check["check"] == "approved_late")
    said = whole(record)["findings"]
    assert late["rows"]["count"] == 140
    assert re.search(rf"Rows of actions ?: {late['rows']['first'][0]}, {late['rows']['first'][1]},", said)
    assert "and 120 more" in said
    assert "stops scaling" in said
    assert all(check["rows"] is None for check in checks_of(record) if check["personal"])


@pytest.mark.slow
def test_what_stops_scaling_comes_first_and_is_what_the_gates_say() -> None:
    record = example("permit_intake").decision.record
    closed = {gate["gate"] for gate in record["gates"] if gate["state"] != "shown"}
    for layer in record["controls"]["layers"]:
        stops = any(
            check["hard"] if check["status"] == "fail" else check["required"] and check["status"] != "pass"
            for check in layer["checks"]
        )
        assert stops == (layer["layer"] in closed), layer["layer"]
    assert "Provide" not in whole(example("support_replies").decision.record)["opening"]


@pytest.mark.slow
def test_the_line_on_controls_counts_what_does_not_stop_scaling() -> None:
    record = example("support_replies").decision.record
    soft = sum(check["status"] == "fail" and not check["hard"] for check in checks_of(record))
    assert soft > 1
    assert controls_line(record).endswith(f"; {soft} further findings do not stop scaling.")


def test_what_had_nothing_to_check_is_neither_counted_nor_marked_as_a_pass() -> None:
    decision = example("support_replies").decision
    found = checks_of(decision.record)
    idle = {check["label"] for check in found if check["status"] == "pass" and check["n"] == 0}
    assert idle
    counts = decision.record["controls"]["counts"]
    assert counts["not_applicable"] == len(idle)
    assert sum(counts.values()) == len(found)
    shown = page.scorecard(decision)
    assert shown.html.count('<li class="gate-idle') == shown.html.count(": nothing to check<") == len(idle)
    said = [(int(k), int(n)) for k, n in re.findall(r"(\d+) of (\d+) checks pass", shown.html)]
    assert sum(k for k, _ in said) == counts["pass"]
    assert sum(n for _, n in said) == len(found) - len(idle)
    assert shown.text.endswith(f"{len(idle)} with nothing to check")


def test_a_record_without_controls_says_what_to_give() -> None:
    said = whole(make_kill())
    assert "no rights can be proposed" in said["access"]
    assert "Nothing that could be checked fails" in said["findings"]


def test_the_frontier_is_drawn_from_the_record_and_thinned() -> None:
    def point(hours: float, loss: float) -> dict[str, Any]:
        spread = {"mean": loss, "p05": loss / 2, "p95": loss * 2}
        return {
            "gates": [f"kind {hours:.0f}"] if hours else [],
            "hours_per_month": hours,
            "loss_per_month": spread,
            "severe_rate": {"mean": 0.01, "p05": 0.0, "p95": 0.02},
        }

    curve = [point(10.0 * k, 1_000.0 - 40 * k) for k in range(20)]
    record = {"currency": "EUR", "approval_design": {"curve": curve, "chosen": curve[3], "today": None}}
    found = frontier_figure(record)
    assert found is not None
    assert found.alt.count("hours of approving a month") == 8
    assert (
        found.answer.replace("\u00a0", " ") == "190 hours a month take the errors from EUR 1,000 to EUR 240"
    )
    assert "<svg" in found.drawings()[0]
    assert frontier_figure({"currency": "EUR", "approval_design": {"curve": curve[:1]}}) is None


def test_each_figure_says_what_it_counts() -> None:
    none: dict[str, Any] = {"unit": "share", "n": 3952, "misses": None, "value": 0.0, "bound": None}

    def said(**check: Any) -> tuple[str, str]:
        found = {**none, "figure": CATALOGUE[check.pop("name")].figure, **check}
        return page.told(found).replace("\u00a0", " "), page.bounded(found).replace("\u00a0", " ")

    assert said(name="needed_share", misses=0, bound=0.00076) == ("0 of 3,952 broke it", "at most 0.076 %")
    assert said(name="no_regression", value=0.92, n=150) == ("92 % of 150 pass", "")
    assert said(name="can_fail", value=131 / 150, n=150, misses=131)[0] == "131 of 150 never failed"
    assert said(name="quality_by_day", value=0.5, n=103)[0] == "50 % of days show it"
    assert said(name="sealed", value=3.0, n=10)[0] == "3 faults"
    assert said(name="drill_recent", unit="day", value=39.0, n=1)[0] == "39 days ago"
    assert said(name="live_tested", value=None)[0] == ""


@pytest.mark.slow
def test_a_check_has_words_for_its_failing_and_the_page_names_risks_that_none_looks_at() -> None:
    assert len({asked.fails for asked in CATALOGUE.values()}) == len(CATALOGUE)
    assert not {asked.fails for asked in CATALOGUE.values()} & {asked.label for asked in CATALOGUE.values()}
    assert uncovered_risks() == ("ASI05", "ASI06", "ASI07")
    record = example("permit_intake").decision.record
    said = whole(record)
    assert "No check looks at ASI05, ASI06 and ASI07" in said["checks"]
    failed = [check for check in checks_of(record) if check["status"] == "fail"]
    assert failed
    assert all(check["fails"] in said["findings"] for check in failed)
    assert all(check["label"] not in said["findings"] for check in failed)


def test_figures_are_told_in_their_unit() -> None:
    assert page.figure({"unit": "minute", "value": 6.0}, "value") == "6 minutes"
    assert page.figure({"unit": "day", "value": 1.0}, "value") == "1 day"
    assert page.figure({"unit": "share", "value": 0.0073}, "value").replace("\u00a0", " ") == "0.73 %"
    assert page.figure({"unit": "share", "value": None}, "value") == ""


@pytest.mark.slow
def test_texts_of_users_are_escaped() -> None:
    made = Made(marked_texts(example("claims_intake").decision.record))
    for make in ALL:
        assert "<script" not in make(made).html, make.__name__
    assert html.escape(MARKUP)[:9] in page.access(made).html


def marked_texts(record: dict[str, Any]) -> dict[str, Any]:
    """A record whose texts of users hold markup; the words that templates decide by are left."""
    found = {**record, "controls": marked(record["controls"]), "title": MARKUP}
    kept = ("status", "basis", "check", "unit", "layer", "state", "proposal", "table")
    for layer, was in zip(found["controls"]["layers"], record["controls"]["layers"], strict=True):
        layer |= {key: was[key] for key in kept if key in was}
        for check, old in zip(layer["checks"], was["checks"], strict=True):
            check |= {key: old[key] for key in kept if key in old}
    rights = zip(found["controls"]["access_proposed"], record["controls"]["access_proposed"], strict=True)
    for right, old in rights:
        right["proposal"] = old["proposal"]
    return found


def test_the_restricted_page_names_pseudonyms_and_what_stands_out(tmp_path: Path) -> None:
    rows = cases(200, workers=6)
    tables = controls(rows)
    for action in tables["actions"][:3]:
        action["approver"] = action["requester"] = "w-secret"
    path = write_pilot(tmp_path, rows, tables=tables)
    loaded = load_parameters(path)
    said = text_of(restricted_page(loaded, open_samples(loaded)))
    assert "w-secret" not in said
    assert re.search(r"w-[0-9a-f]{12}", said)
    assert "Approved 3 actions that they had asked for." in said
    assert "hear the person first" in said


@pytest.mark.slow
def test_the_restricted_page_is_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = cases(40, workers=6)
    path = write_pilot(tmp_path, rows)
    monkeypatch.setattr("roi.cli_batch._batch", lambda *_, **__: 0)
    target = tmp_path / "few" / "people.html"
    done = CliRunner().invoke(main, ["run", str(path), "--restricted", str(target)])
    assert (done.exit_code, target.stat().st_mode & 0o777) == (0, 0o600)
    (tmp_path / "file").write_text("x")
    done = CliRunner().invoke(main, ["run", str(path), "--restricted", str(tmp_path / "file" / "x.html")])
    assert done.exit_code == 2
    assert "cannot be written" in done.output


def test_names_of_points_never_lie_on_each_other_and_both_ends_have_theirs() -> None:
    def point(hours: float, loss: float, kind: str = "curve") -> dict[str, Any]:
        text = f"{'as it is, and so much more ' if hours else ''}{hours:.0f}"
        return {
            "hours": hours,
            "loss": loss,
            "low": 0.5 * loss,
            "high": 1.2 * loss,
            "kind": kind,
            "text": text,
        }

    curve = [point(h, 40_000 / (1 + h / 10)) for h in (0, 5, 10, 12, 14, 80, 90, 100)]
    named = with_room([*curve, point(12, 40_000 / 2.2, "chosen")], most=100, width=640)
    assert [p["hours"] for p in named[:3]] == [0, 100, 12]
    assert 3 <= len(named) < len(curve)
    assert len({(p["hours"], p["loss"]) for p in named}) == len(named)


def test_the_design_says_what_waits_what_was_rejected_and_joins_equal_designs() -> None:
    record = copy.deepcopy(example("claims_intake").decision.record)
    said = whole(record)["design"].replace("\u00a0", " ")
    assert re.search(r"Median time to approve ?0\.0\d+ hours", said)
    assert re.search(r"Actions rejected in the log ?31 ?What they would have cost ?about EUR", said)
    assert "the policy’s limit, 0.50 % of cases" in said or "the policy’s limit, 0.5 % of cases" in said
    assert "Advised; cheapest, were no rule to ask for approval; everything waits" in said
    assert said.count("acknowledge_claim") < 9
    cost = record["approval_design"]["catch"]["error_cost"]
    assert cost["p05"] <= cost["mean"] <= cost["p95"]
    record["approval_design"]["catch"] = None
    assert re.search(r"What they would have cost ?not known", whole(record)["design"])


def test_where_else_to_look_is_told_once_a_layer_and_again_only_where_it_differs() -> None:
    record = example("claims_intake").decision.record
    part = page.checks(Made(record)).html
    own = 0
    for layer in record["controls"]["layers"]:
        places = [check["crosswalk"] for check in layer["checks"]]
        own += len(places) - max(places.count(x) for x in places)
    assert part.count('data-label="Other places"') == own < len(CATALOGUE) / 2
    assert part.count("Where else to look:") == len(record["controls"]["layers"])
