"""What is missing is said, priced or asked for: it is never guessed, never free money and never a reason to stop."""

from __future__ import annotations

import pytest
from pilots import cases, write_pilot

from roi.pilot import open_pilot


def record(folder, rows, changes=None, **how):
    return open_pilot(write_pilot(folder, rows, changes, **how)).decision.record


def gates(found):
    return {g["gate"]: g["state"] for g in found["gates"]}


@pytest.mark.slow
def test_an_undeclared_blank_asks_what_it_means_instead_of_stopping(tmp_path):
    rows = [
        r | {"rework_minutes": "3" if r["arm"] == "pilot" and i % 4 == 0 else ""}
        for i, r in enumerate(cases(1500, baseline=30, pilot=12))
    ]
    found = record(tmp_path, rows)
    assert (found["verdict"], found["fix_kind"]) == ("fix", "measure")
    assert "rework_minutes" in found["reason"]
    assert found["next"][0]["cost"] == 0
    zero = {
        "samples": {
            "cases": {
                "source": "data/cases.csv",
                "columns": {"rework_minutes": {"from": "rework_minutes", "blank": "zero"}},
            }
        }
    }
    assert record(tmp_path / "zero", rows, zero)["verdict"] == "scale"


@pytest.mark.slow
def test_a_remedy_without_a_price_asks_for_a_quote(tmp_path):
    rows = cases(1500, pilot=7.0, error_pilot=0.25, error_baseline=0.02)
    rows = [r | {"cause": "data" if r["outcome"] == "error" and r["arm"] == "pilot" else ""} for r in rows]
    remedy = {"name": "Validate", "addresses": "data", "removes_share": {"low": 0.6, "high": 0.9}, "weeks": 4}
    dear = {"economics": {"error_cost": {"minor": 15, "moderate": 60, "major": 1200, "critical": 25000}}}
    found = record(tmp_path, rows, dear | {"remedies": [remedy]})
    assert found["verdict"] == "fix"
    action = found["next"][0]
    assert action["action"] == "Get a quote: Validate"
    assert action["cost"] is None
    assert action["max_price"] > 0


@pytest.mark.slow
def test_a_measurement_without_a_price_saves_no_pilot_that_would_hardly_pass(tmp_path):
    lines = [
        {"name": "Connector", "kind": "integration", "amount": 47000, "per": "once", "source": "quote"},
        {"name": "Support", "kind": "support", "amount": 500, "per": "month", "source": "quote"},
    ]
    found = record(
        tmp_path, cases(1500, baseline=15, pilot=10), {"measurement": None, "economics": {"costs": lines}}
    )
    assert 0.2 < found["chances"]["scale_pays"] < 0.5
    assert found["verdict"] == "kill"


@pytest.mark.slow
def test_without_outcomes_there_is_no_risk_to_claim(tmp_path):
    rows = [
        {k: v for k, v in r.items() if k not in ("outcome", "severity", "cause")}
        for r in cases(2500, baseline=30, pilot=9)
    ]
    found = record(tmp_path, rows)
    assert gates(found)["severe_errors"] == "missing_evidence"
    assert found["ground"] != "uncontrollable_risk"
    assert found["verdict"] == "fix"


@pytest.mark.slow
def test_with_the_pilot_arm_alone_its_quality_and_cost_are_reported(tmp_path):
    found = record(tmp_path, [r for r in cases(600) if r["arm"] == "pilot"])
    for name in ("error_rate_pilot", "agent_cost_per_case", "escalation_rate_pilot", "cost_per_correct_case"):
        assert found["estimates"][name] is not None, name
    assert found["estimates"]["minutes_saved_per_case"] is None


@pytest.mark.slow
def test_a_takeover_that_nobody_logged_is_charged_and_a_logged_one_is_not_charged_twice(tmp_path):
    """A fifth of the pilot's cases handed back: own minutes + 30, or what the log says."""
    plain = cases(1500, baseline=30, pilot=10)

    def handed_back(**logged):
        taken = [r["arm"] == "pilot" and i % 5 == 0 for i, r in enumerate(plain)]
        return [
            r | {"rework_minutes": 0} | ({"outcome": "escalated", "severity": ""} | logged if t else {})
            for r, t in zip(plain, taken, strict=True)
        ]

    unlogged = record(tmp_path / "a", handed_back(handling_minutes=2))
    assert unlogged["imputed"][0]["rows"] == sum(r["outcome"] == "escalated" for r in handed_back())
    logged = record(tmp_path / "b", handed_back(handling_minutes=2, rework_minutes=30))
    assert logged["imputed"] == []
    saved = [found["estimates"]["minutes_saved_per_case"]["mean"] for found in (unlogged, logged)]
    assert saved[0] == pytest.approx(saved[1], abs=0.5)


@pytest.mark.slow
def test_what_the_agent_costs_must_be_known(tmp_path):
    rows = [{k: v for k, v in r.items() if k != "agent_cost"} for r in cases(1500, baseline=30, pilot=9)]
    found = record(tmp_path, rows)
    assert gates(found)["known_cost"] == "missing_evidence"
    assert found["verdict"] != "scale"
    assert found["estimates"]["cost_per_correct_case"] is None


@pytest.mark.slow
def test_errors_without_a_price_close_a_gate_that_a_statement_opens(tmp_path):
    found = record(tmp_path, cases(1500), {"economics": {"error_cost": None}})
    assert gates(found)["known_cost"] == "missing_evidence"
    assert (found["verdict"], found["next"][0]["action"]) == ("fix", "State economics.error_cost")
