"""Realised against forecast, from a parameter file to plain values: whose forecast, which months, and what still holds."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made_forecasts import row
from made_runs import issued
from opened_examples import example
from pilots import cases, write_pilot

from roi.decided import Basis
from roi.forecast import crps, forecast_of
from roi.parameters import load_parameters
from roi.pilot import open_pilot
from roi.problems import SampleError
from roi.realised import _text, realised_of_archive, realised_of_pilot, realised_of_record
from roi.records import read_record
from roi.replay import verify
from roi.words import amount

pytestmark = pytest.mark.slow  # whole decisions of pilots

MONTHS = [
    {"month": "2027-01", "cases": 900, "adopted_cases": 60, "human_minutes": 600, "errors": 3, "cost": 13, "complete": "yes"},
    {"month": "2027-02", "cases": 950, "adopted_cases": 190, "human_minutes": 1900, "errors": 9, "cost": 40, "complete": "yes"},
    {"month": "2027-03", "cases": 0, "adopted_cases": 0, "human_minutes": 0, "errors": 0, "cost": 0, "complete": "yes"},
    {"month": "2027-04", "cases": 200, "adopted_cases": 10, "human_minutes": 100, "errors": 0, "cost": 2, "complete": "no"},
]  # fmt: skip
SMALL = {
    "run": {"draws": 1000},
    "about": {"prepared_by": "A. Analyst"},
    "economics": {"start": "2027-01"},
    "samples": {"actuals": "data/actuals.csv"},
}


def pilot_with(folder: Path, months: list[dict[str, Any]] | None = None, changes: Any = None) -> Path:
    rows = cases(240, workers=8)
    return write_pilot(
        folder, rows, changes or SMALL, tables={"actuals": MONTHS if months is None else months}
    )


@pytest.fixture(scope="module")
def decided() -> Any:
    return example("support_replies").decision.analysis


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    found = realised_of_pilot(example("support_replies"))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A pilot with its months and an issued run."""
    folder = tmp_path_factory.mktemp("run")
    issued(pilot_with(folder), folder / "reports")
    return folder


def test_the_shipped_example(shipped):
    assert shipped["state"] == "known"
    assert shipped["cumulative"]["months"] == 4
    assert [m["month"] for m in shipped["months"] if m["actual"]] == [
        "2026-07",
        "2026-08",
        "2026-09",
        "2026-10",
    ]
    assert shipped["notes"] == [
        "November 2026 is left out: not complete yet.",
        "August 2026 is given 2 times (rows 2 and 4): row 4 counts.",
    ]
    assert shipped["not_reported"] == []
    assert shipped["updated"]["holds"] is True
    assert shipped["updated"]["how"] == "weights"
    assert sum(d["amount"] for d in shipped["difference"]) == pytest.approx(shipped["whole"], abs=1e-9)
    benefit = shipped["cumulative"]
    assert benefit["actual"]["benefit"]["mean"] - benefit["forecast"]["benefit"]["mean"] == pytest.approx(
        shipped["whole"]
    )


def test_cost_in_dollars_is_in_the_currency_of_the_decision(shipped):
    """February cost 0.02 dollars a case, at the middle of what the file says a dollar is worth."""
    rate = example("support_replies").loaded.parameters.economics.fx["USD"].mean
    text = (Path(__file__).parent.parent / "data/support_replies/actuals.csv").read_text(encoding="utf-8")
    dollars = float(text.splitlines()[1].split(",")[5])
    assert shipped["months"][0]["actual"]["agent_cost"] == pytest.approx(dollars * rate)


def test_it_is_plain_json_and_the_same_again(shipped):
    again = realised_of_pilot(example("support_replies"))
    assert json.dumps(again, allow_nan=False) == json.dumps(shipped, allow_nan=False)


def test_each_month_adds_up_and_so_do_all(shipped):
    for m in shipped["months"]:
        if m["actual"] is not None:
            gap = m["actual"]["benefit"]["mean"] - m["forecast"]["benefit"]["mean"]
            assert sum(m["actual"]["difference"].values()) == pytest.approx(gap, abs=1e-9)


def test_all_months_are_told_beside_the_sum_of_what_was_forecast_for_each(shipped):
    """The sentence said SEK 251,000 where the picture below it said 252,000."""
    together = {
        **shipped["cumulative"],
        "forecast": {"benefit": {"mean": 252_000.0}},
        "shown": {**shipped["cumulative"]["shown"], "forecast": {"mean": 251_000.0, "p10": 1e5, "p90": 3e5}},
    }
    said = _text(SimpleNamespace(currency="SEK"), together, {"volume": 1.0})
    assert f"where {amount(252_000, 'SEK')} were forecast" in said


def test_updating_narrows_what_is_to_come(shipped):
    was = {m["number"]: m["forecast"]["benefit"] for m in shipped["months"]}
    for m in shipped["updated"]["months"]:
        before = was[m["number"]]
        assert m["benefit"]["p90"] - m["benefit"]["p10"] < before["p90"] - before["p10"]


def test_a_verdict_that_no_longer_holds_says_so(decided):
    """Nobody uses it: 2 in 100 cases after four months, where a third were to come."""
    rows = [
        row(i, f"2026-{i + 6:02d}", cases=70_000, adopted_cases=400, human_minutes=3600, errors=40, cost=30)
        for i in range(1, 5)
    ]
    found = realised_of_record(decided, rows)["updated"]
    assert found["holds"] is False
    assert found["text"].startswith("The decision to scale no longer holds: it pays in")
    assert "are needed" in found["text"]
    assert found["chances"]["now"] < found["chances"]["needed"] <= found["chances"]["before"]
    assert "adoption" in found["far"]
    assert "state what it rests on anew" in found["text"]


def test_what_is_spent_is_left_out_of_going_on(decided):
    """To go on costs no more one-offs, so that its worth differs from the whole's by what is behind."""
    f = forecast_of(decided)
    months = f.months()
    fallen = np.exp(-np.log1p(f.discount) / 12 * months[:3, None])
    net = f.parts(f.levels(months[:3])).benefit - f.monthly
    behind = (net * fallen).sum(axis=0) - np.asarray(f.at_once)
    rest = (f.worth(after=3) - np.asarray(f.wind_down)) * np.exp(-np.log1p(f.discount) / 12 * 3)
    assert behind + rest == pytest.approx(f.worth())


def test_a_pilot_without_actuals_has_none():
    assert realised_of_pilot(example("invoice_coding")) is None


def test_no_month_counts_yet(decided):
    found = realised_of_record(decided, [row(1, "2026-07", cases=5, complete=False)])
    assert found["state"] == "too_early"
    assert len(found["months"]) == 36
    assert found["notes"] == ["July 2026 is left out: not complete yet."]


def test_minutes_in_another_unit_are_refused_with_the_mend(decided):
    with pytest.raises(SampleError, match="in minutes or with its unit"):
        realised_of_record(decided, [row(1, "2026-07", cases=70_000, adopted_cases=4000, human_minutes=400)])


@pytest.mark.slow
def test_a_segment_that_was_decided_on_is_held_against_its_own_cases():
    """Scaled in catalogue alone: rows by segment count its cases, a row of all counts all of them."""
    a = example("invoice_coding").decision.analysis
    numbers = {"cases": 30_000, "adopted_cases": 2400, "human_minutes": 6000}
    alone = realised_of_record(
        a, [row(1, "2027-01", segment="catalogue", **numbers), row(2, "2027-01", segment="foreign", cases=9)]
    )
    whole = realised_of_record(a, [row(1, "2027-01", **numbers)])
    assert alone["months"][0]["forecast"]["cases"]["mean"] == pytest.approx(
        0.62 * whole["months"][0]["forecast"]["cases"]["mean"]
    )
    assert alone["months"][0]["forecast"]["benefit"] == pytest.approx(
        whole["months"][0]["forecast"]["benefit"]
    )
    assert alone["notes"] == ["Left out: foreign, which the decision does not cover."]
    share = [next(d["amount"] for d in r["difference"] if d["factor"] == "volume") for r in (alone, whole)]
    assert share[0] > share[1]  # 30,000 are as many catalogue goods as were forecast, and few of all invoices


@pytest.mark.slow
def test_the_forecast_is_that_of_the_archived_decision(run, tmp_path, monkeypatch):
    """Today's parameters forecast twice the cases; the decision did not."""
    shutil.copytree(run, tmp_path / "p")
    monkeypatch.chdir(tmp_path / "p")
    then = realised_of_pilot(open_pilot("params/made.yaml"), reports=Path("reports"))
    assert then is not None
    changed = {**SMALL, "demand": {"cases_per_month": 4000}}
    pilot_with(tmp_path / "p", changes=changed)
    now = open_pilot("params/made.yaml")
    found = realised_of_pilot(now, reports=Path("reports"))
    assert found is not None
    assert found["months"] == then["months"]
    assert found["decision"]["says"].startswith("The forecast is that of the decision of 2026-")
    assert "nobody signed" in found["decision"]["says"]
    alone = realised_of_pilot(now)
    assert alone is not None
    assert alone["months"][0]["forecast"]["cases"]["mean"] == pytest.approx(4000)


@pytest.mark.slow
def test_it_is_made_again_from_the_archive_when_the_samples_are_gone(run, tmp_path, monkeypatch):
    shutil.copytree(run, tmp_path / "p")
    monkeypatch.chdir(tmp_path / "p")
    there = realised_of_pilot(open_pilot("params/made.yaml"), reports=Path("reports"))
    for file in Path("data").iterdir():
        if file.name != "actuals.csv":
            file.unlink()
    found = realised_of_archive(load_parameters("params/made.yaml"), Path("reports"))
    assert json.dumps(found) == json.dumps(there)


def test_without_archive_and_samples_nothing_is_made_up(run, tmp_path, monkeypatch):
    shutil.copytree(run, tmp_path / "p")
    monkeypatch.chdir(tmp_path / "p")
    Path("reports/made/moments.json").unlink()
    found = realised_of_archive(load_parameters("params/made.yaml"), Path("reports"))
    assert found["state"] == "unknown"
    assert "the samples are gone" in found["why"]


@pytest.mark.slow
def test_a_decision_made_after_the_months_is_not_theirs(run, tmp_path, monkeypatch):
    shutil.copytree(run, tmp_path / "p")
    monkeypatch.chdir(tmp_path / "p")
    found = realised_of_pilot(
        open_pilot("params/made.yaml", run={"draws": 1000, "as_of": "2027-06-30"}), reports=Path("elsewhere")
    )
    assert found is not None
    assert found["decision"]["says"].startswith("No earlier record is kept")


@pytest.mark.slow
def test_months_change_no_record_and_are_no_look(run, tmp_path, monkeypatch):
    """A decision that was signed still holds when the next month comes in."""
    shutil.copytree(run, tmp_path / "p")
    monkeypatch.chdir(tmp_path / "p")
    before = read_record(Path("reports/made"))
    assert not any("actuals" in name for name in before["provenance"]["samples_sha256"])
    rows = Path("data/actuals.csv").read_text(encoding="utf-8")
    Path("data/actuals.csv").write_text(rows + "2027-05,1000,,,,,yes\n", encoding="utf-8")
    assert verify(Path("reports/made")).holds
    issued(Path("params/made.yaml").resolve(), Path("reports").resolve())
    assert read_record(Path("reports/made")) == before


@pytest.mark.slow
def test_months_that_are_not_over_by_today(run, monkeypatch):
    monkeypatch.chdir(run)
    found = realised_of_pilot(open_pilot("params/made.yaml"), today=dt.date(2027, 2, 10))
    assert found is not None
    assert [x["why"] for x in found["left_out"]] == ["not over yet", "not over yet", "not complete yet"]


def test_crps_of_a_normal_forecast():
    """The closed form for a standard normal: y (2 Φ(y) − 1) + 2 φ(y) − 1 / √π; 0.2337 at 0 and 0.6024 at 1."""
    from scipy.special import ndtri

    draws = ndtri((np.arange(20_000) + 0.5) / 20_000)
    assert crps(draws, 0.0) == pytest.approx((np.sqrt(2) - 1) / np.sqrt(np.pi), abs=1e-3)
    assert crps(draws, 1.0) == pytest.approx(0.6024, abs=1e-3)
    assert crps(np.array([3.0]), 5.0) == 2.0


@pytest.mark.slow
def test_a_signed_decision_goes_before_a_later_one_that_nobody_signed(run, tmp_path, monkeypatch):
    """Decided again on twice the cases, before any month came in; what people signed is what months are held against."""
    shutil.copytree(run, tmp_path / "p")
    monkeypatch.chdir(tmp_path / "p")
    file = Path("reports/made/decision.json")
    record = json.loads(file.read_text(encoding="utf-8"))
    record["signed"] = [
        {"as": name, "role": "x", "decision": "accept", "at": "2026-12-01T00:00:00Z"}
        for name in ("B. Owner", "C. Finance")
    ]
    file.write_text(json.dumps(record), encoding="utf-8")
    path = pilot_with(tmp_path / "p", changes={**SMALL, "demand": {"cases_per_month": 4000}})
    issued(path, Path("reports").resolve())
    found = realised_of_pilot(open_pilot("params/made.yaml"), reports=Path("reports"))
    assert found is not None
    assert "nobody signed" not in found["decision"]["says"]
    assert found["decision"]["signed"].startswith("Signed by B. Owner")
    assert 1900 < found["months"][0]["forecast"]["cases"]["mean"] < 2100


@pytest.mark.slow
def test_an_override_that_stands_is_what_was_decided():
    """A pilot that was to be stopped and is scaled all the same is held to scaling, and asked whether that holds."""
    basis = Basis(decided=None, as_of="2026-11-20", signed="Overridden", says="", instead="scale")
    a = example("permit_intake").decision.analysis
    rows = [row(1, "2027-01", cases=300, adopted_cases=20, human_minutes=600)]
    assert realised_of_record(a, rows)["updated"]["holds"] is None
    found = realised_of_record(a, rows, basis=basis)
    assert (found["verdict"], found["updated"]["holds"]) == ("scale", False)
