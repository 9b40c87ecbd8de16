"""Stated changes of list prices: by hand, against a month-by-month sum, and in what each part of the package says."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fixtures_record import make_kill, make_pictures
from made_worlds import decided, parameters

from roi.archive import _decoded, _encoded
from roi.drivers import sensitivity_of_record
from roi.levers import Lever, levers_of
from roi.model_costs import ModelCosts, take_model_costs
from roi.parameters import load_parameters
from roi.pilot import open_pilot
from roi.plan_at import plan_at
from roi.price_scenarios import Part, _row, later_share, months_before, part_of, price_scenarios_of_record
from roi.problems import InputError
from roi.report import proof
from roi.samples import open_samples
from roi.schema.prices import PriceScenario
from roi.sensitivity import Response, respond

ROOT = Path(__file__).parent.parent


def scenario(**given):
    return PriceScenario.model_validate(given)


def flat(**changes):
    """No discount, no ramp, twelve months."""
    e = SimpleNamespace(**({"discount": 0.0, "horizon": 12, "ramp": 0.0, "lines": ()} | changes))
    return SimpleNamespace(economics=e, start=(2027, 1))


def test_a_scenario_by_hand():
    """Two draws cost 10 and 20 over twelve level months and are worth 100 and 15 with that.

    From July on half of it falls, 5 and 10; half as much again there takes 2.5 and 5 off: 97.5 and 10, on average
    53.75. At a change of x they are worth 115 / 2 - 7.5 x on average, which is nothing at x = 57.5 / 7.5 = 7.6667; the
    second is worth nothing at x = 1.5.
    """
    agent = Lever(
        key="agent_cost_per_case", label="", unit="EUR", group="measured", values=np.array([2.0, 4.0]),
        smallest=0, largest=math.inf,
    )  # fmt: skip
    line = (np.array([110.0, 35.0]), np.array([-5.0, -5.0]))
    responses = (Response(lever=agent, low=(0.0, 0.0), high=(0.0, 0.0), line=line),)
    plan = SimpleNamespace(
        decided=flat(),
        draws=2,
        hurdle=0.0,
        option=SimpleNamespace(schedule=SimpleNamespace(delay=0.0)),
        worth_at=lambda changes, undecided: np.array([100.0, 15.0]),
        chance=lambda worth: float((worth > 0).mean()),
    )
    s = scenario(**{"from": "2027-07", "change": 0.5})
    row = _row(plan, responses, 1.0, "dearer_in_july", s, part_of(s, None, None, {}))
    assert (row["label"], row["months"], row["worth"], row["chance"]) == ("dearer in july", 6, 53.75, 1.0)
    assert row["worth_at"] == pytest.approx(57.5 / 7.5)
    assert row["chance_at"] == pytest.approx(1.5)
    half = _row(plan, responses, 1.0, "half_of_it", s, Part(share=0.5, change=0.5))
    assert (half["share"], half["worth"]) == (0.5, 55.625)


@pytest.mark.parametrize(
    ("start", "month", "before"),
    [((2027, 1), "2027-07", 6), ((2027, 6), "2028-01", 7), ((2027, 6), "2027-02", 0), ((2027, 1), None, 0)],
)
def test_months_before(start, month, before):
    assert months_before(scenario(**{"from": month, "change": 0.1}), start) == before


@pytest.mark.parametrize("per_case", [True, False])
def test_the_share_that_falls_later_is_that_of_the_months(per_case):
    """Discount, ramp and delay as draws, against a sum over the months."""
    rate, ramp, delay = np.array([0.0, 0.08, 0.2]), np.array([0.0, 6.0, 3.5]), np.array([0.0, 2.25, 1.0])
    a = flat(discount=rate, ramp=ramp, horizon=24)
    found = later_share(a, delay, 9, per_case=per_case)
    for i in range(3):
        month = np.arange(1, 25)
        active = np.clip(month - delay[i], 0, 1)
        rising = np.clip((month - delay[i] - 0.5) / ramp[i], 0, 1) if ramp[i] else active
        value = (rising if per_case else active) * (1 + rate[i]) ** (-month / 12)
        assert found[i] == pytest.approx(value[9:].sum() / value.sum(), rel=1e-9)
    assert (later_share(a, delay, 40, per_case=per_case) == 0).all()
    assert later_share(a, delay, 0, per_case=per_case) == pytest.approx([1, 1, 1])
    assert later_share(flat(), 12.0, 3, per_case=per_case) == 0  # it never begins


def costs(**changes):
    """Model a: EUR 6 and USD 4 in ten cases; b: USD 8; cases of no one model: EUR 2."""
    found = {
        "model": ("", "a", "a", "b"),
        "currency": ("", "", "USD", "USD"),
        "cost": np.array([2.0, 6.0, 4.0, 8.0]),
        "counted": np.array([1, 6, 4, 5]),
        "metered": np.array([0, 6, 4, 5]),
        "tokens": np.array([[0, 0, 0, 0], [2_000_000, 1_000_000, 0, 300_000], [1_000_000, 0, 500_000, 200_000], [9, 9, 9, 9]]),
    }  # fmt: skip
    return ModelCosts(**(found | changes))


P = SimpleNamespace(about=SimpleNamespace(currency="EUR"))


def test_one_models_part_by_hand():
    """At a dollar of 0.5: 2 + 6 + 2 + 4 = 14 in all, of which a's are 8, b's 4 and nobody's 2."""
    found = part_of(scenario(model="a", change=-0.25), costs(), P, {"USD": 0.5})
    assert (found.share, found.change, found.unnamed) == (8 / 14, -0.25, 2 / 14)
    # 3 M afresh at 1, 1 M read at 0.1, 0.5 M written as input, 0.5 M out at 8: 3 + 0.1 + 0.5 + 4 = 7.6 USD, 3.8 EUR.
    prices = {"input": 1, "output": 8, "cache_read": 0.1}
    found = part_of(scenario(model="a", prices=prices), costs(), P, {"USD": 0.5})
    assert (found.share, found.change) == (8 / 14, pytest.approx(3.8 / 8 - 1))
    # Without a rate the dollars are no part of the measured cost, and new prices have none either.
    assert part_of(scenario(model="a", change=0.1), costs(), P, {}).share == 6 / 8
    assert "economics.fx.USD" in part_of(scenario(model="a", prices=prices), costs(), P, {}).reason


@pytest.mark.parametrize(
    ("given", "made", "said"),
    [
        ({"model": "c", "change": 0.1}, costs(), "they name a, b"),
        ({"model": "a", "change": 0.1}, None, "not known by model"),
        ({"model": "a", "prices": {"input": 1, "output": 2}}, costs(metered=np.array([0, 5, 4, 5])), "no tokens"),
        ({"model": "b", "prices": {"input": 1, "output": 2}}, costs(cost=np.array([2.0, 6.0, 4.0, 0.0])), "cost nothing"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_has_a_reason(given, made, said):
    found = part_of(scenario(**given), made, P, {"USD": 0.5})
    assert found.share is None
    assert found.change is None
    assert said in found.reason


def stated(**price_scenarios):
    given = parameters()
    given["economics"]["price_scenarios"] = price_scenarios
    return given


def test_a_cost_line_of_model_usage_follows_and_the_rest_stays():
    """The same plan with the line's amount paid month by month at its new price, summed without the package."""
    given = stated(later={"from": "2027-10", "change": 1.0}, now={"change": 1.0}, free={"change": -1.0})
    a = decided(given, minutes=(15.0, 8.0))
    plan = plan_at(a)
    rows = sensitivity_of_record(a)["price_scenarios"]
    assert [row["name"] for row in rows] == ["later", "now", "free"]
    e = a.economics
    line = next(i for i, x in enumerate(e.lines) if x.kind == "model_usage")
    key = f"economics.costs[{line}].amount"
    amount = a.assumptions.require(key)
    twice = plan.worth_at({key: 2 * amount}, undecided=True)
    assert rows[1]["worth"] == pytest.approx(twice.mean(), rel=1e-9)
    assert rows[2]["worth"] == pytest.approx(
        plan.worth_at({key: 0 * amount}, undecided=True).mean(), rel=1e-9
    )
    month = np.arange(1, e.horizon + 1)[:, None]
    rising = np.clip((month - 0.5 - plan.option.schedule.delay) / e.ramp, 0, 1)
    paid = e.volume * amount * plan.option.scope.share * rising * (1 + e.discount) ** (-month / 12)
    base = plan.worth_at({}, undecided=True)
    assert rows[0]["worth"] == pytest.approx(float((base - paid[9:].sum(axis=0)).mean()), rel=1e-9)
    assert rows[0]["chance"] == plan.chance(base - paid[9:].sum(axis=0))
    # They change nothing by themselves.
    plain = decided(parameters(), minutes=(15.0, 8.0))
    assert (plan.worth == plan_at(plain).worth).all()


def test_a_line_names_no_model_and_no_line_has_no_price():
    plan = plan_at(decided(stated(one={"model": "a", "change": 0.1}, all={"change": 0.1})))
    line = next(x for x in levers_of(plan) if x.key == "economics.costs[2].amount")
    one, every = price_scenarios_of_record(plan, (respond(plan, line),), 0.8, None)
    assert one["worth"] is None
    assert one["change"] is None
    assert "leave `model` out" in one["reason"]
    assert every["reason"] is None
    assert every["share"] == 1
    row = price_scenarios_of_record(plan, (), 0.8, None)[1]
    assert row["worth"] is None
    assert "model_usage" in row["reason"]


def test_the_costs_of_models_are_taken_from_production_cases_of_the_pilot(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "p.yaml").write_text(
        "pilot: p\nsamples: {cases: cases.csv}\neconomics:\n  price_scenarios:\n    s: {model: a, change: 0.1}\n"
    )
    head = "case_id,arm,setting,agent_cost,cost_currency,model,input_tokens,cache_read_tokens,output_tokens\n"
    rows = ["1,pilot,production,0.5,EUR,a,100,40,10", "2,pilot,production,0.25,EUR,a,50,,5", "3,pilot,demo,9,EUR,a,1,1,1",
            "4,baseline,production,9,EUR,a,1,,1", "5,pilot,production,1,EUR,,7,,7", "6,pilot,production,2,EUR,b,,,", "7,pilot,production,,,a,5,,"]  # fmt: skip
    (tmp_path / "cases.csv").write_text(head + "\n".join(rows) + "\n")
    loaded = load_parameters("p")
    samples = open_samples(loaded)
    asked = loaded.parameters.economics.price_scenarios.values()
    found = take_model_costs(samples, asked)
    assert (found.model, found.currency) == (("", "a", "b"), ("EUR", "EUR", "EUR"))
    assert found.cost.tolist() == [1, 0.75, 2]
    assert found.counted.tolist() == [1, 2, 1]
    assert found.metered.tolist() == [1, 2, 0]
    assert found.tokens[1].tolist() == [110, 40, 0, 15]
    assert take_model_costs(samples, [scenario(change=0.1)]) is None
    again = _decoded(_encoded(found))
    assert again.model == found.model
    assert (again.tokens == found.tokens).all()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{}", "states no change"),
        ("{change: 0.1, prices: {input: 1, output: 2}, model: a}", "keep one of them"),
        ("{change: 30}", "30 % is 0.3"),
        ("{change: -1.5}", "no change of prices"),
        ("{prices: {input: 1, output: 2}}", "whose they are"),
        ("{change: 0.1, from: June}", "not a month"),
        ("{change: 0.1, month: 2027-06}", "unknown key"),
        ("{model: a, prices: {input: -1, output: 2}}", "no price of a million tokens"),
    ],
)
def test_wrong_scenarios_say_what_is_wrong(tmp_path, given, said):
    file = tmp_path / "p.yaml"
    file.write_text(f"pilot: p\nsamples: {{cases: x.csv}}\neconomics: {{price_scenarios: {{s: {given}}}}}\n")
    with pytest.raises(InputError) as error:
        load_parameters(file)
    assert said in str(error.value)
    assert "price_scenarios.s" in str(error.value)


def test_a_scenario_holds_no_price_scenarios(tmp_path):
    file = tmp_path / "p.yaml"
    inside = "scenarios: {x: {economics: {price_scenarios: {s: {change: 0.1}}}}}"
    file.write_text(f"pilot: p\nsamples: {{cases: x.csv}}\n{inside}\n")
    with pytest.raises(InputError, match="write it under economics"):
        load_parameters(file)


@pytest.mark.slow
def test_a_metered_cost_follows_in_a_whole_pilot():
    """claims_intake: twice the prices from the start is the plan valued at twice its cost per case."""
    a = open_pilot(ROOT / "params" / "claims_intake.yaml").decision.analysis
    asked = {"double": scenario(change=1.0), "never": scenario(**{"from": "2040-01", "change": 1.0})}
    p = a.loaded.parameters
    p = p.model_copy(update={"economics": p.economics.model_copy(update={"price_scenarios": asked})})
    plan = replace(plan_at(a), decided=replace(a, loaded=replace(a.loaded, parameters=p)))
    responses = tuple(respond(plan, x) for x in levers_of(plan) if x.key == "agent_cost_per_case")
    double, never = price_scenarios_of_record(plan, responses, 0.8, None)
    worth = plan.worth_at({"agent_cost_per_case": 2 * plan.measured.usage}, undecided=True)
    assert double["worth"] == pytest.approx(worth.mean(), rel=1e-9, abs=1e-6)
    assert (never["months"], never["worth"]) == (0, pytest.approx(plan.worth_at({}, undecided=True).mean()))


def test_the_page_shows_them_escaped():
    given = stated(
        **{
            "a<b": {"from": "2027-10", "change": 1.0, "source": "<i>letter</i>"},
            "m": {"model": "x", "change": 0.1},
        }
    )
    a = decided(given)
    record = make_kill() | {"sensitivity": sensitivity_of_record(a)}
    html = proof.sensitivity(
        SimpleNamespace(record=record, pictures=make_pictures(empty=True), what_if={})
    ).html
    text = " ".join(re.sub(r"<[^>]*>", " ", html).split())
    assert "If list prices change as the parameter file says they may" in text
    assert "a&lt;b" in html
    assert "&lt;i&gt;letter" in html
    assert "2027-10 +100" in text
    assert "Not known: " in text
    assert "which names no model" in text
