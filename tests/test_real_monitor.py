"""Real handling times as a stream: BPI Challenge 2012, 13,087 loan applications of half a year."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import numpy as np
import pytest
from event_logs import loan_applications
from pilots import write_csv

from roi.archive import archive_text
from roi.monitor import Given, monitor
from roi.parameters import load_parameters
from roi.pilot import open_pilot

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("ROI_REAL_DATA", ROOT / "../shared/data")).resolve()
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data at {DATA} (set ROI_REAL_DATA)")

pytestmark = [needs_data, pytest.mark.slow]
DECIDED = dt.date(2011, 11, 30)

PARAMETERS = """
pilot: loans
about: {title: Loan applications, owner: Test, currency: EUR}
samples:
  assignment: observational
  timezone: Europe/Amsterdam
  version: all
  partial_months: keep
  baseline: {human_minutes: 70}
  cases:
    source: SOURCE
    columns:
      case_id: application
      worker: resource
      arm: {value: pilot}
      amount: amount
      started_at: registered
      handling_minutes: {from: minutes, blank: missing}
demand: {cases_per_month: {low: 1500, high: 2500}}
economics:
  start: 2012-01
  labour_cost_per_hour: {low: 40, high: 50}
  realisation: {cash: 0, redeployed: 0.4}
  adoption: {ceiling: 0.8, ramp_months: 3}
run: {draws: 2000}
"""


@pytest.fixture(scope="module")
def log():
    return loan_applications(DATA / "process-logs/bpic2012.xes.gz")


@pytest.fixture(scope="module")
def loans(log, tmp_path_factory):
    """A project whose decision rests on the applications of October and November 2011."""
    folder = tmp_path_factory.mktemp("loans")
    rows = [
        {
            "application": a.name,
            "registered": a.started.isoformat(sep=" "),
            "minutes": "" if a.minutes is None else a.minutes,
            "resource": a.resource,
            "amount": a.amount,
        }
        for a in log
    ]
    write_csv(folder / "data/all.csv", rows)
    write_csv(folder / "data/decided.csv", [r for r in rows if r["registered"][:10] <= DECIDED.isoformat()])
    path = folder / "params/loans.yaml"
    path.parent.mkdir()
    path.write_text(PARAMETERS.replace("SOURCE", "data/decided.csv"), encoding="utf-8")
    decision = open_pilot(path).decision
    report = folder / "reports/loans"
    report.mkdir(parents=True)
    (report / "decision.json").write_text(decision.json(), encoding="utf-8")
    (report / "moments.json").write_text(archive_text(decision.analysis, decision.record), encoding="utf-8")
    return path


def test_the_log_holds_what_its_readme_says(log):
    """13,087 cases, 262,200 events; approved 2,246, declined 7,635, cancelled 2,807; 9,657 with minutes, mean 45.5."""
    assert len(log) == 13_087
    assert sum(a.events for a in log) == 262_200
    for state, n in (("A_APPROVED", 2246), ("A_DECLINED", 7635), ("A_CANCELLED", 2807)):
        assert sum(a.states[state] for a in log) == n
    minutes = [a.minutes for a in log if a.minutes is not None]
    assert len(minutes) == 9657
    assert np.mean(minutes) == pytest.approx(45.5, abs=0.05)


def test_all_of_it_is_read_as_a_stream(loans):
    """Known counts are reproduced by the stream: every application, and the minutes of 9,657 of them."""
    found = monitor(
        load_parameters(loans),
        Given(cases=(str(loans.parent.parent / "data/all.csv"),), since=dt.date(2011, 1, 1)),
    )
    assert found["cases"] == 13_087
    assert (found["first"], found["last"]) == ("2011-10-01", "2012-02-29")
    minutes = next(m for m in found["measures"] if m["measure"] == "human_minutes_pilot")
    assert minutes["all"]["n"] == 9657
    assert minutes["all"]["mean"] == pytest.approx(45.5, abs=0.05)
    assert minutes["all"]["low"] < 45.5 < minutes["all"]["high"]
    points = minutes["chart"]["points"]
    assert len(points) == 23  # weeks from Monday, 26 September 2011
    assert sum(p["n"] for p in points) == 9657
    for name in ("error_rate_pilot", "severe_error_rate_pilot", "agent_cost_per_case"):
        measure = next(m for m in found["measures"] if m["measure"] == name)
        assert measure["all"] is None
        assert measure["unknown"]


def test_what_came_after_the_decision_is_held_against_it(loans):
    """December to February beside October and November: nothing here is known to be wrong, and none of it is a pause."""
    found = monitor(load_parameters(loans), Given(cases=(str(loans.parent.parent / "data/all.csv"),)))
    assert found["since"] == "2011-12-01"
    assert found["left_out"] == {"before the fresh days": 13_087 - found["cases"]}
    assert found["action"]["action"] in ("continue", "investigate")
    asked = {q["measure"] for q in found["questions"]}
    assert asked == {"human_minutes_pilot", "inputs:amount"}
