"""Worked verdicts: pilots made to order, each with the verdict that its numbers ask for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pilots import CONTROL_TABLES, cases, controls, write_pilot

from roi.pilot import Decision, open_pilot
from roi.words import NBSP, amount, percent


def decide(
    folder: Path, rows: list[dict[str, Any]], changes: dict[str, Any] | None = None, **how: Any
) -> Decision:
    return open_pilot(write_pilot(folder, rows, changes, **how)).decision


def gate(decision: Decision, name: str) -> dict[str, Any]:
    return next(g for g in decision.record["gates"] if g["gate"] == name)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return decide(tmp_path_factory.mktemp("good"), cases())


def test_a_good_pilot_with_every_control_scales(good):
    assert good.verdict == "scale"
    assert good.record["options"]["scale"]["chance_above_hurdle"] >= 0.8
    assert {g["state"] for g in good.record["gates"]} == {"shown"}
    assert good.record["estimates"]["minutes_saved_per_case"]["mean"] == pytest.approx(6.0, abs=1.0)


@pytest.mark.slow
def test_a_good_pilot_with_twenty_cases_does_not_scale(tmp_path):
    found = decide(tmp_path, cases(20))
    assert found.verdict != "scale"
    assert gate(found, "severe_errors")["state"] == "not_shown"
    assert gate(found, "human_approval")["state"] == "not_shown"


@pytest.mark.slow
def test_demo_cases_alone_are_never_thin_value(tmp_path):
    rows = [row | {"setting": "demo"} for row in cases(900)]
    found = decide(tmp_path, rows)
    assert (found.verdict, found.record["fix_kind"]) == ("fix", "measure")
    assert found.record["options"]["scale"] is None
    assert found.record["estimates"]["minutes_saved_per_case"] is None
    slow = [row | {"setting": "demo"} for row in cases(900, baseline=9.0, pilot=15.0)]
    found = decide(tmp_path / "slow", slow)
    assert (found.verdict, found.record["ground"]) == ("kill", "no_data")


def test_without_a_baseline_the_break_even_is_said(tmp_path):
    rows = [row for row in cases() if row["arm"] == "pilot"]
    found = decide(tmp_path, rows)
    assert (found.verdict, found.record["fix_kind"]) == ("fix", "measure")
    assert found.record["estimates"]["minutes_saved_per_case"] is None
    assert found.record["estimates"]["human_minutes_pilot"]["mean"] == pytest.approx(9.0, abs=1.0)
    point = found.record["break_even_minutes"]
    assert 9.0 < point < 20.0
    assert f"{point:.2f} minutes" in found.record["reason"]
    assert any("not known" in w for w in found.record["warnings"])


def test_where_nobody_was_timed_timing_comes_first_and_what_a_case_must_save_is_said(tmp_path):
    """An agent's logs alone: no minutes are no ground to stop, where what a case may take today could pay for it."""
    hidden = ("handling_minutes", "review_minutes", "rework_minutes")
    rows = [{k: v for k, v in row.items() if k not in hidden} for row in cases() if row["arm"] == "pilot"]
    found = decide(tmp_path, rows)
    assert (found.verdict, found.record["fix_kind"]) == ("fix", "measure")
    said = re.fullmatch(
        r"No case has minutes; it pays only if a case saves more than (\d+\.\d\d) minutes; "
        r"time 30 cases in each arm before deciding\.",
        found.record["reason"],
    )
    assert said is not None
    point = float(said[1])

    def stated(folder, minutes):
        return decide(tmp_path / folder, rows, {"samples": {"baseline": {"human_minutes": minutes}}})

    assert stated("more", 2 * point).verdict == "fix"
    less = stated("less", 0.9 * point)  # not even if it then took nobody a minute
    assert (less.verdict, less.record["ground"]) == ("kill", "no_data")
    assert less.record["stopping"][-1]["items"] == [
        "Evidence that a case takes more time today than is stated"
    ]


@pytest.mark.slow
def test_a_stated_baseline_values_but_neither_scales_nor_claims_thin_value(tmp_path):
    rows = [row for row in cases() if row["arm"] == "pilot"]
    stated = {"samples": {"baseline": {"handling_minutes": {"low": 16, "high": 20, "source": "team lead"}}}}
    found = decide(tmp_path, rows, stated)
    assert found.record["estimates"]["minutes_saved_per_case"]["mean"] == pytest.approx(9.0, abs=1.0)
    assert gate(found, "measured_baseline")["state"] == "not_shown"
    assert found.verdict == "fix"
    low = {"samples": {"baseline": {"handling_minutes": {"low": 8, "high": 9.5, "source": "team lead"}}}}
    found = decide(tmp_path / "low", rows, low)
    assert found.verdict != "scale"
    assert found.record["ground"] != "thin_value"


@pytest.mark.slow
def test_observational_with_an_effect_that_bias_could_explain_does_not_scale(tmp_path):
    rows = cases(baseline=15.0, pilot=12.9)
    changes = {
        "samples": {"assignment": "observational"},
        "demand": {"cases_per_month": 40000},
        "economics": {"realisation": {"cash": 0.5, "redeployed": 0.3}},
    }
    found = decide(tmp_path, rows, changes)
    assert found.verdict != "scale"
    assert gate(found, "design")["state"] == "not_shown"
    assert found.record["estimates"]["minutes_saved_per_case"]["evidence"] == "measured, observational"
    assert decide(tmp_path / "randomised", rows, merge(changes, "randomised")).verdict == "scale"


def merge(changes: dict[str, Any], assignment: str) -> dict[str, Any]:
    return changes | {"samples": {"assignment": assignment}}


@pytest.mark.slow
def test_slower_but_with_far_fewer_errors_money_decides(tmp_path):
    rows = cases(baseline=12.0, pilot=13.0, error_baseline=0.12, error_pilot=0.01)
    dear = {"economics": {"error_cost": {"minor": 60, "moderate": 200, "major": 1200, "critical": 25000}}}
    found = decide(tmp_path, rows, dear)
    assert found.record["estimates"]["minutes_saved_per_case"]["mean"] < 0
    assert found.verdict == "scale"
    cheap = {"economics": {"error_cost": {"minor": 1, "moderate": 2, "major": 3, "critical": 4}}}
    assert decide(tmp_path / "cheap", rows, cheap).verdict == "kill"


@pytest.mark.slow
def test_a_tiny_saving_on_a_huge_volume_is_not_cash(tmp_path):
    rows = cases(
        3000, baseline=6.0, pilot=5.85, workers=40, log_sd=0.1, error_baseline=0.02, error_pilot=0.02
    )
    huge = {"demand": {"cases_per_month": 900000}, "policy": {"smallest_saving_minutes": 0.3}}
    found = decide(tmp_path, rows, huge)
    assert found.verdict != "scale"
    documented = {
        "economics": {
            "realisation": {
                "cash": {"min": 0.1, "mode": 0.2, "max": 0.3, "source": "signed contract change"},
                "redeployed": {"min": 0.2, "mode": 0.3, "max": 0.4, "source": "planning"},
            }
        }
    }
    counted = decide(tmp_path / "counted", rows, huge | documented)
    assert counted.record["options"]["scale"]["mean"] > found.record["options"]["scale"]["mean"]


@pytest.mark.slow
def test_good_in_one_segment_and_bad_in_the_others_scales_there_only(tmp_path):
    segments = {"a": 0.4, "b": 0.3, "c": 0.3}
    rows = cases(3000, segments=segments, by_segment={"a": (16, 8), "b": (12, 15), "c": (10, 13)}, workers=30)
    found = decide(tmp_path, rows, {"demand": {"mix": segments, "cases_per_month": 6000}})
    assert found.verdict == "scale"
    assert found.record["headline"] == "Scale in a only"
    assert found.record["money"]["scope"] == ["a"]
    assert found.record["options"]["scale"]["mean"] < 0


@pytest.mark.slow
def test_an_uncertain_value_that_no_measurement_is_worth_is_a_kill_not_a_fix(tmp_path):
    rows = cases(160, baseline=12.0, pilot=9.3, workers=8, error_baseline=0.0, error_pilot=0.0)
    loose = {"max_severe_error_rate": 0.3, "max_approval_miss_rate": 0.1, "approved_by": "Board"}
    dear = {"measurement": {"per_case": 900, "per_label": 900, "setup": 40000}}
    found = decide(tmp_path, rows, dear, policy=loose)
    chance = found.record["chances"]["scale_pays"]
    assert 0.2 < chance < 0.8, chance
    assert {g["state"] for g in found.record["gates"]} == {"shown"}
    assert (found.verdict, found.record["ground"]) == ("kill", "thin_value")
    cheap = {"measurement": {"per_case": 1, "per_label": 1, "setup": 10, "cases_per_week": 800}}
    found = decide(tmp_path / "cheap", rows, cheap, policy=loose)
    assert (found.verdict, found.record["fix_kind"]) == ("fix", "measure")
    assert found.record["next"][0]["worth"] > 0


def causes(rows: list[dict[str, Any]], cause: str) -> list[dict[str, Any]]:
    return [
        row | {"cause": cause if row["outcome"] == "error" and row["arm"] == "pilot" else ""} for row in rows
    ]


@pytest.mark.slow
def test_a_remedy_that_costs_more_than_it_gives_is_never_bought(tmp_path):
    rows = causes(cases(pilot=7.0, error_pilot=0.25, error_baseline=0.02), "data")
    costly = {"economics": {"error_cost": {"minor": 15, "moderate": 60, "major": 600, "critical": 6000}}}
    remedy = {"name": "Validate", "addresses": "data", "removes_share": {"low": 0.6, "high": 0.9}, "weeks": 6}
    found = decide(tmp_path, rows, costly | {"remedies": [remedy | {"cost": 9000, "owner": "IT"}]})
    assert (found.verdict, found.record["fix_kind"]) == ("fix", "repair")
    assert found.record["options"]["fix"]["remedies"] == ["Validate"]
    action = found.record["next"][0]
    assert action["owner"] == "IT"
    assert action["by"] is not None
    assert action["cost"] == 9000
    assert action["worth"] > 0
    dear = decide(tmp_path / "dear", rows, costly | {"remedies": [remedy | {"cost": 5_000_000}]})
    assert dear.verdict == "kill"
    fix = dear.record["options"]["fix"]
    assert fix is None or fix["remedies"] == []


@pytest.mark.slow
def test_a_valuable_pilot_with_an_unpriced_missing_control_is_fixed_up_to_a_ceiling(tmp_path):
    found = decide(tmp_path, cases(), without=("incidents",))
    assert (found.verdict, found.record["fix_kind"]) == ("fix", "control")
    assert gate(found, "rollback")["state"] == "missing_evidence"
    action = found.record["next"][0]
    assert action["cost"] is None
    # On average it is worth more, but beyond that price fewer than 85 of 100 outcomes would be above 0.
    scale = found.analysis.scale
    assert action["max_price"] == pytest.approx(
        np.quantile(scale.worth, 1 - found.analysis.scale_needs), rel=1e-2
    )
    assert action["max_price"] < scale.mean()


@pytest.mark.slow
def test_controls_that_cost_more_than_the_value_are_uncontrollable_risk(tmp_path):
    rows = cases()
    logs = controls(rows)
    for i, action in enumerate(logs["actions"]):
        if i % 4 == 0:
            action["decision"], action["approver"], action["decided_at"] = "auto", "", ""
    remedy = {
        "name": "Four eyes",
        "addresses": "human_approval",
        "removes_share": 1,
        "cost": 400000,
        "weeks": 12,
    }
    known = {"economics": {"approval_minutes": 0.05}}
    found = decide(tmp_path, rows, known | {"remedies": [remedy]}, tables=logs)
    assert gate(found, "human_approval")["state"] == "exceeded"
    assert (found.verdict, found.record["ground"]) == ("kill", "uncontrollable_risk")
    # The mend has its price: no quote is asked for, and what it may cost is the remedy's own figure.
    (ceiling,) = found.record["remedies"]["ceilings"]
    assert (ceiling["gate"], ceiling["remedies"]) == ("human_approval", ["Four eyes"])
    assert ceiling["cost"] == pytest.approx(400_000)
    # At 80 of 100 outcomes above 0 the rule stops; after the twelve weeks that the remedy takes.
    sets = found.analysis.fixes.sets[0]
    worth = sets.then(1)[0].option.worth + 400_000
    assert ceiling["most"] == pytest.approx(np.quantile(worth, 0.2), rel=5e-3)
    assert ceiling["most"] == found.record["remedies"]["list"][0]["most"]
    assert ceiling["ends"] == "rule"
    # The approvals then hold for certain: mended, it is worth what the roll-out is, less the price.
    mended = found.analysis.fixes.mended
    assert mended.mean() == pytest.approx(worth.mean() - 400_000)
    lost = amount(-mended.mean(), "EUR").replace(NBSP, " ")
    assert found.record["reason"].endswith(f"needs, it would lose {lost}.")
    # At a price between the rule's end and the mean it brings something on average, but not often enough.
    price = float((ceiling["most"] + worth.mean()) / 2)
    unsure = decide(tmp_path / "unsure", rows, known | {"remedies": [remedy | {"cost": price}]}, tables=logs)
    assert (unsure.verdict, unsure.record["ground"]) == ("kill", "thin_value")
    brings, pays = worth.mean() - price, np.mean(worth > price)
    assert brings > 0
    assert pays < unsure.analysis.scale_needs
    assert unsure.record["reason"] == (
        f"With its controls mended it would bring {amount(brings, 'EUR')} on average, but where they hold it "
        f"pays in only {percent(pays)} of outcomes; the rule asks for 80 %."
    ).replace("EUR\u00a0", "EUR ").replace(" 80 %", " 80\u00a0%")
    cheap = decide(tmp_path / "cheap", rows, known | {"remedies": [remedy | {"cost": 3000}]}, tables=logs)
    assert (cheap.verdict, cheap.record["fix_kind"]) == ("fix", "control")


@pytest.mark.slow
def test_unusable_inputs_without_a_remedy_are_no_data(tmp_path):
    found = decide(tmp_path, cases(defects=0.7))
    assert (found.verdict, found.record["ground"]) == ("kill", "no_data")
    assert gate(found, "usable_inputs")["state"] == "exceeded"


def test_little_value_is_thin_value(tmp_path):
    found = decide(tmp_path, cases(baseline=9.5, pilot=9.0))
    assert (found.verdict, found.record["ground"]) == ("kill", "thin_value")


def test_severe_errors_above_the_limit_close_the_gate(tmp_path):
    found = decide(tmp_path, cases(error_pilot=0.1, severe=0.3))
    assert gate(found, "severe_errors")["state"] == "exceeded"
    assert found.verdict != "scale"


def test_no_events_in_many_against_few_cases_earn_nothing(tmp_path):
    """400 baseline and 40 pilot cases without an error: worth less than EUR 1 a case either way."""
    rows = cases(440, error_baseline=0.0, error_pilot=0.0, share_pilot=0.1)
    found = decide(tmp_path, rows)
    scope = found.analysis.measured.scope()
    stream = found.analysis.scale.stream
    cases_a_month = 2000 * 0.75
    assert scope.error_rate[0] is not None
    assert abs(stream.errors.mean()) / cases_a_month < 1.0


@pytest.mark.slow
def test_extra_minutes_cost_in_full(tmp_path):
    found = decide(tmp_path, cases(baseline=9.0, pilot=15.0))
    stream = found.analysis.scale.stream
    a = found.analysis
    cases_a_month = a.economics.cases_per_month * a.economics.ceiling
    lost = a.scale.scope.minutes_saved * a.economics.labour / 60 * cases_a_month
    worse = a.scale.scope.minutes_saved < 0
    assert worse.mean() > 0.99
    assert stream.time[worse] == pytest.approx(lost[worse])
    assert stream.time_cash[worse] == pytest.approx(lost[worse])


@pytest.mark.slow
@pytest.mark.parametrize("missing", CONTROL_TABLES)
def test_a_missing_table_is_missing_evidence_never_a_pass(tmp_path, missing):
    found = decide(tmp_path, cases(), without=(missing,))
    states = {g["gate"]: g["state"] for g in found.record["gates"]}
    assert found.verdict != "scale"
    assert "missing_evidence" in states.values()


def test_the_mean_of_the_draws_is_the_estimate(good):
    a = good.analysis
    m, share = a.moments, a.measured.weights.share
    human = m.statistics.index("human_minutes")
    for arm in (0, 1):
        by_hand = 0.0
        for s in range(len(m.segments)):
            rows = (m.arm == arm) & (m.segment == s)
            by_hand += share[s] * m.total[rows, human].sum() / m.count[rows, human].sum()
        assert a.measured.arm_mean("human_minutes", arm).mean() == pytest.approx(by_hand, rel=0.01)
