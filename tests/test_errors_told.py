"""What became of errors stands on the first screen, and steps come in the order of their days."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pilots import CONTROL_TABLES, cases, write_pilot

from roi.cause_words import in_words
from roi.causes import find_causes
from roi.pilot import open_pilot
from roi.report.facts import facts
from roi.report.quality import errors_sentence
from roi.words import NBSP, amount


@pytest.fixture(scope="module")
def worse(tmp_path_factory):
    """Quality falls and time rises."""
    rng = np.random.default_rng(3)
    rows = cases(baseline=12.0, pilot=15.0)
    for row in rows:
        wrong = rng.random() < (0.04 if row["arm"] == "baseline" else 0.16)
        row |= {"outcome": "error" if wrong else "correct", "severity": "minor" if wrong else ""}
    return open_pilot(write_pilot(tmp_path_factory.mktemp("worse"), rows)).decision


def test_more_errors_are_told_in_the_reason_and_on_the_first_screen(worse):
    record = worse.record
    assert record["verdict"] == "kill"
    assert record["reason"].startswith("A case takes longer and goes wrong more often than before;")
    said = next(f.text for f in facts(record) if f.label == "Errors").replace(NBSP, " ")
    assert " more" in said
    assert "fewer" not in said
    assert "further errors cost" in said
    assert "lost time costs" in said


def test_errors_are_told_beside_what_they_and_the_time_come_to():
    money = {"errors_per_year": 892_000.0, "cash_per_year": 134_000.0, "redeployed_per_year": 94_000.0}
    record = {
        "currency": "USD",
        "estimates": {
            "error_rate_baseline": {"mean": 0.0499},
            "error_rate_pilot": {"mean": 0.0399},
            "errors_avoided_per_case": {"mean": 0.01, "p05": -0.0019, "p95": 0.022},
        },
        "money": {key: {"mean": value} for key, value in money.items()},
    }
    assert errors_sentence(record).replace(NBSP, " ") == (
        "4.0 % of cases go wrong with the agent, 5.0 % as before (9 in 10 chances: 0.19 points more to 2.2 points "
        f"fewer). A year at full adoption, errors avoided bring {amount(892_000, 'USD')} and saved time brings "
        f"{amount(228_000, 'USD')}.".replace(NBSP, " ")
    )
    for plan, first in (("fix", "With the fix, a year"), ("scale_segments", "In the chosen part, a year")):
        of_plan = {**record, "money": {**record["money"], "plan": plan}}
        assert f"fewer). {first} at full adoption, errors avoided bring" in errors_sentence(of_plan)
    assert errors_sentence({**record, "money": {}}).endswith("fewer).")
    seen = {**record, "money": {}, "labels": {"blind": False}}
    assert errors_sentence(seen).endswith(
        "fewer). Whoever judged them knew which cases the agent had worked."
    )
    assert errors_sentence({"estimates": {"error_rate_pilot": {"mean": 0.1}}}) == ""


def test_nothing_is_decided_again_before_its_quotes_are_in(tmp_path):
    rows = cases(900)
    changes = {"about": {"decide_by": "2027-01-15"}}
    without = tuple(t for t in CONTROL_TABLES if t != "inputs")
    record = open_pilot(write_pilot(tmp_path, rows, changes, without=without)).decision.record
    steps = {step["kind"]: step for step in record["next"]}
    assert record["verdict"] == "fix"
    assert "quote" in steps["control"]["action"]
    assert steps["go"]["by"] >= max(step["by"] for step in record["next"])


@pytest.mark.parametrize("stated", [True, False])
def test_a_cost_that_a_line_states_is_not_said_to_be_left_out(tmp_path, stated):
    rows = [{k: v for k, v in row.items() if k != "agent_cost"} for row in cases(60)]
    line = {"name": "Model", "kind": "model_usage", "amount": 0.6, "per": "case"}
    usual = {"name": "Roll-out", "kind": "change", "amount": 5000, "per": "once"}
    changes = {"economics": {"costs": [usual, line] if stated else [usual], "run_cost_per_month": None}}
    record = open_pilot(write_pilot(tmp_path, rows, changes)).decision.record
    gate = next(g for g in record["gates"] if g["gate"] == "known_cost")
    assert (gate["state"] == "shown") == stated
    assert any("left out of the money" in w for w in record["warnings"]) != stated


def test_where_no_outcome_is_known_no_loss_could_be_seen():
    none = find_causes(None, draws=10, seed=1)
    assert in_words(none, judged=False).startswith("Not known")
    assert in_words(replace(none, losses=0)) == "No losses were seen, so there is no cause to name."
