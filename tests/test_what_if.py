"""Scenarios, corners of what is stated, and the nearest other verdict, through whole decisions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fixtures_parameters import SIX
from hypothesis import HealthCheck, given, settings
from made_worlds import BROKEN, decided, loaded_of, parameters, worlds

from roi.again import decide_again
from roi.corners import corner, directions, ends_of, fixed_at, moved_by, stated_inputs
from roi.parameters import load_parameters
from roi.plan_at import plan_at
from roi.problems import ParameterError
from roi.uncertain import interval
from roi.what_if import joint_flip, pessimistic, scenarios, what_if

RANK = {"kill": 0, "fix": 1, "scale": 2}


@pytest.fixture(scope="module")
def scaled():
    return decided(minutes=(15.0, 8.0))


@pytest.fixture(scope="module")
def fixed():
    return decided(minutes=(15.0, 8.0), controls=BROKEN)


def test_directions_are_found_from_the_model(scaled, fixed):
    found = directions(fixed, stated_inputs(fixed))
    assert found["demand.cases_per_month"] == 1
    assert found["economics.costs[0].amount"] == -1
    assert found["economics.wind_down_cost"] == 1  # what stopping costs speaks for going on
    assert found["remedies[0].cost"] == -1
    assert directions(scaled, ["measurement.per_case"]) == {"measurement.per_case": 0}  # no plan measures


def test_more_volume_is_unkind_where_a_case_loses_money():
    losing = decided(minutes=(15.0, 16.5))
    keys = ["demand.cases_per_month", "economics.costs[1].amount"]
    found = corner(losing, keys, kind=False)
    ends = ends_of(losing.assumptions.entries["demand.cases_per_month"].value)
    assert found["demand.cases_per_month"] == ends[1]


def test_a_corner_turns_an_end_that_turns_with_the_others():
    """At the unkind ends of everything else a case loses money, and then less volume is no longer unkind."""
    close = decided(minutes=(15.0, 13.4))
    found = corner(close, stated_inputs(close), kind=False)
    assert (
        found["demand.cases_per_month"]
        == ends_of(close.assumptions.entries["demand.cases_per_month"].value)[1]
    )


def test_an_extremely_skewed_end_is_no_kinder_than_its_mean():
    skewed = interval(1.0, 900_000.0, "positive")
    assert skewed.mean > skewed.p95
    assert ends_of(skewed) == (1.0, skewed.mean)


def test_each_scenario_is_a_whole_decision(scaled):
    rows = {row["name"]: row for row in scenarios(scaled)}
    assert list(rows) == ["file", "pessimistic", "expected", "optimistic"]
    values = corner(scaled, stated_inputs(scaled), kind=False)
    again = decide_again(scaled, assumptions=fixed_at(scaled, values))
    assert rows["pessimistic"]["verdict"] == again.verdict.verdict
    assert rows["pessimistic"]["scale_worth"] == again.scale.mean()
    assert {c["key"] for c in rows["pessimistic"]["changed"]} == set(values)
    assert rows["pessimistic"]["worth"] < rows["file"]["worth"] < rows["optimistic"]["worth"]
    assert rows["expected"]["worth"] == pytest.approx(rows["file"]["worth"], rel=0.1)


def test_named_scenarios_are_decided_as_a_file_of_their_own_would_be():
    quiet = parameters()
    quiet["demand"] = {"cases_per_month": 2000}
    loaded = replace(loaded_of(parameters()), scenarios={"quiet_year": loaded_of(quiet).parameters})
    a = decided(minutes=(15.0, 8.0), loaded=loaded)
    row = scenarios(a)[-1]
    own = decided(quiet, minutes=(15.0, 8.0))
    assert (row["name"], row["verdict"]) == ("quiet_year", own.verdict.verdict)
    assert row["scale_worth"] == own.scale.mean()
    assert [(c["key"], c["to"]) for c in row["changed"]] == [("demand.cases_per_month", "2,000")]


def test_a_scenario_that_changes_what_is_measured_with_is_measured_again():
    prior = parameters()
    prior["economics"] = prior["economics"] | {
        "severity_mix": {"minor": 0.5, "moderate": 0.3, "major": 0.1, "critical": 0.1}
    }
    a = decided(minutes=(15.0, 8.0))
    found = decide_again(a, loaded=loaded_of(prior))
    assert found.measured is not a.measured
    assert found.scale.mean() == decided(prior, minutes=(15.0, 8.0)).scale.mean()


def test_assumed_inputs_alone_go_to_their_unkind_ends(scaled):
    row = pessimistic(scaled)
    assert {c["evidence"] for c in row["changed"]} == {"assumed"}
    assert row["worth"] < scaled.verdict.option.mean()


def test_moving_by_spreads_moves_draws_by_their_own_quantiles(scaled):
    moved = moved_by(scaled, 1.0, {"demand.cases_per_month": -1, "economics.wind_down_cost": 0})
    log = np.log(moved.values["demand.cases_per_month"]) - np.log(
        scaled.assumptions.values["demand.cases_per_month"]
    )
    spread = (np.log(12000) - np.log(8000)) / 2 / 1.6448536269514722
    assert log == pytest.approx(
        np.full(log.size, -spread), abs=1e-9
    )  # a log-normal moves by its own deviation
    assert moved.values["economics.wind_down_cost"] is scaled.assumptions.values["economics.wind_down_cost"]
    for key in stated_inputs(scaled):
        same = moved_by(scaled, 0.0, {key: 1}).values[key]
        assert same == pytest.approx(scaled.assumptions.values[key], rel=1e-3, abs=1e-6)


def test_the_joint_flip_is_decided_on_both_sides(scaled):
    found = joint_flip(scaled)
    assert 0 < found["spreads"] <= 3
    assert found["before"]["verdict"] == "scale" != found["at"]["verdict"]
    signs = {k: -s for k, s in directions(scaled, stated_inputs(scaled)).items()}
    for spreads, same in ((found["spreads"], False), (found["spreads"] - 0.011, True)):
        again = decide_again(scaled, assumptions=moved_by(scaled, spreads, signs))
        assert (again.verdict.verdict == "scale") == same


def test_a_kill_is_flipped_by_kindness_or_not_at_all():
    lost = joint_flip(decided(minutes=(15.0, 15.5)))
    assert (lost["spreads"], lost["direction"]) == (None, "kind")
    assert "no joint change" in lost["reason"]
    near = decided(minutes=(15.0, 12.8))
    assert near.verdict.verdict == "kill"
    found = joint_flip(near)
    assert found["spreads"] is not None
    assert found["at"]["verdict"] != "kill"


def test_where_the_worth_is_not_known_nothing_is_made_up():
    given_ = parameters()
    del given_["demand"]
    unknown = decided(given_)
    found = what_if(unknown)
    assert [row["name"] for row in found["scenarios"]] == ["file"]
    assert pessimistic(unknown) is None
    assert (found["joint_flip"]["spreads"], found["joint_flip"]["reason"]) == (None, "the worth is not known")


def never_more_favourable(arguments) -> None:
    a = decided(**arguments)
    plan = plan_at(a)
    assert plan is not None
    for keys in (stated_inputs(a), stated_inputs(a, ("assumed", "default"))):
        values = corner(a, keys, kind=False)
        again = decide_again(a, assumptions=fixed_at(a, values))
        assert RANK[again.verdict.verdict] <= RANK[a.verdict.verdict]
        worth = plan.worth_at(values)
        assert worth.mean() <= plan.worth.mean() + 1e-6
        # A plan that loses money loses less where volume is low, and one draw in twenty lies beyond the corner.
        if plan.worth.mean() > 0 and plan.chance(plan.worth) <= 0.95:
            assert plan.chance(worth) <= plan.chance(plan.worth)
        kind = fixed_at(a, corner(a, keys, kind=True))
        assert plan.worth_at({k: kind.values[k] for k in values}).mean() >= plan.worth.mean() - 1e-6


QUICK = settings(
    max_examples=4, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.mark.slow
@given(worlds())
@QUICK
def test_the_worst_corner_is_never_more_favourable(arguments):
    never_more_favourable(arguments)


@pytest.mark.slow
@given(worlds())
@settings(QUICK, max_examples=250)
def test_the_worst_corner_is_never_more_favourable_in_many_worlds(arguments):
    never_more_favourable(arguments)


BAD = [
    ("{a: {based_on: b}, b: {based_on: a}}", "scenarios.a.based_on", "runs in a circle: a → b → a"),
    ("{a: {based_on: a}}", "scenarios.a.based_on", "runs in a circle: a → a"),
    ("{quiet: {}, a: {based_on: quite}}", "scenarios.a.based_on", "did you mean 'quiet'?"),
    ("{a: {scenarios: {b: {}}}}", "scenarios.a.scenarios", "a scenario holds no scenarios"),
    ("{a: {rum: {draws: 3}}}", "scenarios.a.rum", "unknown key"),
    ("{a: {run: {draws: 3}}}", "scenarios.a.run", "unknown key"),
    ("{a: {samples: {cases: other.csv}}}", "scenarios.a.samples.cases", "weighs the same samples"),
    ("{pessimistic: {}}", "scenarios.pessimistic", "choose another name"),
    ("{a: 3}", "scenarios.a", "where a group of keys is wanted"),
    ("{a: {demand: {cases_per_month: -3}}}", "scenarios.a.demand.cases_per_month", "below 0"),
    (
        "{b: {demand: {cases_per_month: -3}}, a: {based_on: b}}",
        "scenarios.a.demand.cases_per_month",
        "below 0",
    ),
]


@pytest.mark.parametrize(("scenario", "place", "message"), BAD)
def test_bad_scenarios_are_named(tmp_path, scenario, place, message):
    path = tmp_path / "params" / "six.yaml"
    path.parent.mkdir()
    path.write_text(SIX.replace("pilot: p\n", "pilot: six\n") + f"\nscenarios: {scenario}\n", "utf-8")
    with pytest.raises(ParameterError) as caught:
        load_parameters(path)
    assert any(p.place == place and message in p.message for p in caught.value.problems), (
        caught.value.problems
    )


def test_scenarios_start_from_one_another(tmp_path):
    path = tmp_path / "params" / "six.yaml"
    path.parent.mkdir()
    text = "{quiet: {demand: {cases_per_month: 900}}, dear: {based_on: quiet, economics: {labour_cost_per_hour: 90}}}"
    path.write_text(SIX.replace("pilot: p\n", "pilot: six\n") + f"\nscenarios: {text}\n", "utf-8")
    loaded = load_parameters(path)
    assert not any("scenarios" in w for w in loaded.warnings)
    dear = loaded.scenarios["dear"]
    assert dear.demand.cases_per_month.mean == 900
    assert dear.economics.labour_cost_per_hour.mean == 90
    assert (
        loaded.scenarios["quiet"].economics.labour_cost_per_hour
        == loaded.parameters.economics.labour_cost_per_hour
    )
