"""The plan at other values of its inputs: as a whole new decision has it, by hand, and where it turns."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from made_worlds import BROKEN, decided, loaded_of, parameters

from roi.again import decide_again
from roi.corners import fixed_at
from roi.drivers import FEW_DRAWS, sensitivity_of_record
from roi.fewer_draws import on_fewer_draws
from roi.levers import Lever, levers_of
from roi.pilot import open_pilot
from roi.plan_at import plan_at
from roi.price_change import price_change
from roi.sensitivity import Fewer, Response, break_even, is_straight, respond, rule_of

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def plans():
    """A scale, a fix by remedies, a fix by a larger sample, and a kill; then a stated baseline and a weaker design."""
    found = {
        "scale": decided(minutes=(15.0, 8.0)),
        "fix": decided(minutes=(15.0, 8.0), controls=BROKEN),
        "kill": decided(minutes=(15.0, 14.5)),
    }
    for seed in range(40):
        measured = decided(minutes=(15.0, 11.5), cases=60, seed=seed)
        if measured.verdict.plan is not None and any(any(m.learned) for m in measured.verdict.plan.measures):
            found["measure"] = measured
            break
    observed = loaded_of(
        parameters(
            samples={
                "assignment": "observational",
                "labels": {"selection": "all", "blind": True},
                "cases": "x.csv",
            }
        )
    )
    found["observational"] = decided(minutes=(15.0, 7.0), loaded=observed)
    assert {"measure"} <= set(found)
    return {name: plan_at(a) for name, a in found.items()}


NAMES = ("scale", "fix", "kill", "measure", "observational")


@pytest.mark.parametrize("name", NAMES)
def test_every_input_at_its_own_draws_is_the_plan_itself(plans, name):
    plan = plans[name]
    scale = float(np.abs(plan.worth).max())
    assert plan.worth_at({}) == pytest.approx(plan.worth, rel=1e-12, abs=1e-9 * scale)
    every = {lever.key: lever.values for lever in levers_of(plan)}
    assert {"minutes_saved_per_case", "error_rate_pilot", "severity:critical"} <= set(every)
    assert plan.worth_at(every) == pytest.approx(plan.worth, rel=1e-9, abs=1e-9 * scale)


@pytest.mark.slow
def test_a_severity_that_both_arms_share_is_one_input():
    """claims_intake: moderate errors are told apart by arm, critical ones are one and the same draw."""
    plan = plan_at(open_pilot(ROOT / "params" / "claims_intake.yaml").decision.analysis)
    severity = plan.decided.measured.rates.severity
    keys = {lever.key for lever in levers_of(plan)}
    shared = [np.array_equal(severity[0, :, i], severity[1, :, i]) for i in (1, 2, 3)]
    assert shared == [False, True, True]
    assert {k for k in keys if k.startswith("severity")} == {
        "severity_baseline:moderate",
        "severity_pilot:moderate",
        "severity:major",
        "severity:critical",
    }


@pytest.mark.slow
def test_a_fix_turns_where_its_break_even_says():
    """The demand at which the chance of claims_intake's fix is what scale needs, put into the file, ends the fix."""
    case = open_pilot(ROOT / "params" / "claims_intake.yaml")
    rows = case.decision.record["sensitivity"]["break_evens"]
    at = next(row["chance_at"] for row in rows if row["key"] == "demand.cases_per_month")
    mix = dict(case.loaded.parameters.demand.mix)
    named = {tuple(r.name for r in case.decision.analysis.verdict.plan.remedies)}
    found = []
    for factor in (1.02, 0.98):
        again = open_pilot(
            ROOT / "params" / "claims_intake.yaml",
            demand={"cases_per_month": round(at * factor), "mix": mix},
        ).decision.analysis
        plan = again.verdict.plan
        found.append(plan is not None and tuple(r.name for r in plan.remedies) in named)
    assert found == [True, False]


def test_the_inputs_of_a_fix_are_those_that_it_buys(plans):
    keys = {lever.key for lever in levers_of(plans["fix"])}
    assert {"remedies[0].cost", "remedies[0].removes_share"} <= keys
    assert not any(key.startswith("remedies[") for key in (x.key for x in levers_of(plans["scale"])))
    assert {"measurement.per_case", "gates_pass"} <= {x.key for x in levers_of(plans["measure"])} | {
        "gates_pass"
    }
    assert {"bias_minutes", "bias_errors"} <= {x.key for x in levers_of(plans["observational"])}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("demand.cases_per_month", 7000.0),
        ("economics.labour_cost_per_hour", 30.0),
        ("economics.adoption.ceiling", 0.5),
        ("economics.adoption.ramp_months", 14.0),
        ("economics.discount_rate", 0.2),
        ("economics.error_cost.critical", 90000.0),
        ("economics.costs[0].amount", 300000.0),
        ("economics.costs[2].amount", 0.4),
        ("economics.wind_down_cost", 0.0),
    ],
)
def test_a_stated_input_elsewhere_is_what_a_new_decision_finds(plans, key, value):
    """The roll-out of everything in a whole new decision, draw by draw."""
    plan = plans["scale"]
    again = decide_again(plan.decided, assumptions=fixed_at(plan.decided, {key: value}))
    assert again.scale is not None
    assert plan.worth_at({key: value}) == pytest.approx(again.scale.worth, rel=1e-9, abs=1e-6)


def test_deciding_again_is_deciding(plans):
    for plan in plans.values():
        a = plan.decided
        again = decide_again(a)
        assert again.measured is a.measured
        assert again.verdict.verdict == a.verdict.verdict
        assert (plan_at(again).worth == plan.worth).all()


def test_one_input_by_hand(plans):
    """A fixed minute saved is worth its labour, realised, over the ramp; nothing else moves."""
    plan = plans["scale"]
    a = plan.decided
    e = a.economics
    both = np.clip(e.cash + e.redeployed, 0, 1)
    months = np.arange(1, 37)[:, None]
    ramp = np.clip((months - 0.5) / e.ramp, 0, 1)
    factor = (ramp * (1 + e.discount) ** (-months / 12)).sum(axis=0)
    one = e.labour / 60 * e.cases_per_month * e.ceiling * both * factor
    worth = {x: plan.worth_at({"minutes_saved_per_case": x}) for x in (2.0, 3.0)}
    assert worth[3.0] - worth[2.0] == pytest.approx(one, rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_straight_inputs_are_straight(plans, name):
    plan = plans[name]
    straight = [lever for lever in levers_of(plan) if is_straight(plan, lever.key)]
    assert len(straight) >= 10
    scale = float(np.abs(plan.worth).max())
    for lever in straight:
        a, b = respond(plan, lever).line
        x = lever.mean * 1.3 + 0.05
        if lever.smallest <= x <= lever.largest:
            worth = plan.worth_at({lever.key: x}, undecided=True)
            line = a + b * x
            assert np.all(np.abs(worth - line) <= 1e-9 * np.maximum(np.abs(line), scale)), lever.key


@pytest.mark.parametrize("name", NAMES)
def test_break_evens_are_where_the_plan_turns(plans, name):
    """At the value the expected worth is the hurdle; just beside it the chance is on the other side."""
    plan = plans[name]
    chance = rule_of(plan)
    found = 0
    for lever in levers_of(plan):
        response = respond(plan, lever)
        even, turn = break_even(plan, response), break_even(plan, response, chance)
        for point in (even, turn):
            assert (point.value is None) == (point.reason is not None)
            assert point.value is None or lever.smallest <= point.value <= lever.largest
        if lever.key == "economics.horizon_months" or lever.key.endswith("removes_share"):
            continue
        spread = max(lever.ends[1] - lever.ends[0], abs(lever.mean) / 2, 1e-3)
        if even.value is not None:
            found += 1
            sides = [
                float(plan.worth_at({lever.key: even.value + d * 1e-3 * spread}, undecided=True).mean())
                for d in (-1, 1)
            ]
            assert sides[0] * sides[1] <= 0, lever.key
        if turn.value is not None:
            sides = [
                plan.chance(plan.worth_at({lever.key: turn.value + d * 2e-3 * spread}, undecided=True))
                - chance
                for d in (-1, 1)
            ]
            assert min(sides) <= 2e-3, (lever.key, sides)
            assert max(sides) >= -2e-3, (lever.key, sides)
    assert found >= 3


def test_no_value_says_why(plans):
    responses = {x.key: respond(plans["scale"], x) for x in levers_of(plans["scale"])}
    nowhere = break_even(plans["scale"], responses["economics.realisation.cash"])
    assert (nowhere.value, nowhere.reason) == (None, "none between its smallest and largest possible value")
    idle = break_even(plans["scale"], responses["economics.pilot_cost_per_month"])
    assert (idle.value, idle.reason) == (None, "it does not matter to this plan")


@pytest.mark.parametrize("name", NAMES)
def test_fewer_draws_are_the_same_plan(plans, name):
    few = on_fewer_draws(plans[name], 400)
    rows = np.concatenate([np.arange(200), 500 + np.arange(200)])
    assert few.draws == 400
    worth = plans[name].worth_at({"economics.labour_cost_per_hour": 40.0}, undecided=True)
    if not plans[name].bought:  # whether gates pass is drawn again for so many draws
        thin = few.worth_at({"economics.labour_cost_per_hour": 40.0}, undecided=True)
        assert thin == pytest.approx(worth[rows], rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_record_says_it_all(plans, name):
    found = sensitivity_of_record(plans[name].decided)
    assert found is not None
    assert found == sensitivity_of_record(plans[name].decided)
    assert found["plan"] == ("roll_out" if any(plans[name].learned) else "plan")
    tornado = found["tornado"]
    swings = [abs(x["worth_high"] - x["worth_low"]) for x in tornado]
    assert swings == sorted(swings, reverse=True)
    assert {x["evidence"] for x in tornado} >= {"measured", "sourced", "assumed"}
    assert len(found["break_evens"]) > len(tornado)
    groups = {x["evidence"]: x for x in found["variance"]["groups"]}
    assert math.fsum(x["share"] for x in groups.values()) == pytest.approx(1, abs=1e-9)
    assert found["variance"]["check"]["ok"]
    for row in found["variance"]["inputs"]:
        assert row["total"] >= 0
        if row["evidence"] != "measured":
            assert row["total"] >= row["first_order"] - 4 * row["error"] - 0.02, row["key"]


def test_a_plan_whose_worth_is_not_known_has_no_sensitivity():
    given = parameters()
    del given["demand"]
    a = decided(given)
    assert plan_at(a) is None
    assert sensitivity_of_record(a) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(p.stem for p in (ROOT / "params").glob("[!_]*.yaml")))
def test_what_is_searched_on_fewer_draws_is_what_all_draws_say(name):
    """Within 5 % of the distance from the input's mean; docs/method.md says so."""
    plan = plan_at(open_pilot(ROOT / "params" / f"{name}.yaml").decision.analysis)
    every, few = Fewer(plan, plan), Fewer(plan, on_fewer_draws(plan, FEW_DRAWS))
    for lever in levers_of(plan):
        response = respond(plan, lever)
        if response.line is not None or lever.key == "economics.horizon_months":
            continue
        for chance in (None, rule_of(plan)):
            found, exact = (break_even(plan, response, chance, on=on) for on in (few, every))
            assert (found.value is None) == (exact.value is None), lever.key
            if found.value is not None and exact.value is not None:
                distance = abs(exact.value - lever.mean)
                assert found.value == pytest.approx(exact.value, abs=0.05 * distance), lever.key


def test_every_plan_is_valued_on_fewer_draws_whatever_it_measures(plans):
    """A plan that measures decides among the draws there are, and every plan that was weighed can be asked."""
    a = plans["measure"].decided
    for plan in (plan_at(a), *(plan_at(a, other) for other in a.plans)):
        few = on_fewer_draws(plan, 400)
        for decided_too in ({}, {"economics.labour_cost_per_hour": 40.0}, {"minutes_saved_per_case": 2.0}):
            assert few.worth_at(decided_too).size == 400
    whole = float(plans["measure"].worth_at({}).mean())
    half = float(on_fewer_draws(plans["measure"], 800).worth_at({}).mean())
    assert half == pytest.approx(whole, rel=0.5)


def test_agents_prices_by_hand():
    """Worths of 10 - 2 f and 20 - 4 f: 15 - 3 f on average, which is 9 at twice the prices and nothing at five times."""
    agent = Lever(
        key="agent_cost_per_case",
        label="",
        unit="EUR",
        group="measured",
        values=np.array([2.0, 4.0]),
        smallest=0,
        largest=math.inf,
    )
    response = Response(
        lever=agent, low=(0.0, 0.0), high=(0.0, 0.0), line=(np.array([10.0, 20.0]), np.array([-1.0, -1.0]))
    )
    plan = SimpleNamespace(hurdle=0.0, chance=lambda worth: float((worth > 0).mean()))
    found = price_change(plan, response, 0.5)
    assert found.cost == 3
    assert found.changes[2.0] == (9, 1)
    assert found.changes[5.0] == (0, 0)
    assert (found.worth_at.value, found.chance_at.value) == (5, 5)


@pytest.mark.slow
def test_agents_prices_are_the_plan_valued_at_them(plans):
    assert sensitivity_of_record(plans["kill"].decided)["agent_prices"] is None
    plan = plan_at(open_pilot(ROOT / "params" / "claims_intake.yaml").decision.analysis)
    agent = next(respond(plan, lever) for lever in levers_of(plan) if lever.key == "agent_cost_per_case")
    found = price_change(plan, agent, rule_of(plan))
    usage = plan.measured.usage
    for factor, (mean, chance) in found.changes.items():
        worth = plan.worth_at({"agent_cost_per_case": factor * usage}, undecided=True)
        assert mean == pytest.approx(worth.mean(), rel=1e-9, abs=1e-6)
        assert chance == pytest.approx(plan.chance(worth), abs=1e-3)
    if found.worth_at.value is not None:
        turned = plan.worth_at({"agent_cost_per_case": found.worth_at.value * usage}, undecided=True)
        assert turned.mean() == pytest.approx(plan.hurdle, abs=1e-6 * np.abs(plan.worth).max())
