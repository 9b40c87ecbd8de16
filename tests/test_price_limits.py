"""The highest price of a remedy: by hand, and where the search stops buying it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made_remedies import Problem, decided, problem

from roi.parameters import Policy
from roi.price_limits import Limit, bound_of, limit_of
from roi.remedy_worth import RemedyWorth

POLICY = Policy.model_validate({"scale_probability": 0.8, "kill_probability": 0.2, "hurdle": 0})


def prospect(
    worth: list[float], sure: list[float] | None = None, passes: float = 1.0, lost: float = 0.0
) -> Any:
    """A roll-out of so much worth draw by draw, the thing in question for nothing."""
    draws = np.array(worth)
    return SimpleNamespace(
        option=SimpleNamespace(worth=draws),
        mended=np.full(draws.size, passes),
        policy=POLICY,
        passing=lambda measures: np.full(draws.size, passes),
        lost=lambda option: lost,
        sure_of=lambda measures, refund: (
            draws,
            np.array(sure) if sure is not None and measures else None,
            lost,
        ),
    )


TEN = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0]


def test_the_rule_may_refuse_before_the_worth_is_gone():
    """On average the plan is worth 55 less the price. Eight of ten draws have to be above 0: at 30 it is over."""
    found = limit_of(prospect(TEN), (), (), 0.0, over=0.0)
    assert found == Limit(most=pytest.approx(30.0), ends="rule")
    # Beside a plan that is worth 40 without it, it pays up to 15 only, and the rule has no say.
    assert limit_of(prospect(TEN), (), (), 0.0, over=40.0) == Limit(most=pytest.approx(15.0), ends="worth")
    # Gates that open in half of the draws: 0.5 · 55 − 0.5 · 10 that are lost, less what the other is worth.
    half = prospect(TEN, passes=0.5, lost=10.0)
    assert limit_of(half, (), (), 0.0, over=5.0) == Limit(most=pytest.approx(17.5), ends="worth")
    assert bound_of(half, 0.0) == pytest.approx(0.5 * 65 - 10)


def test_a_sample_lets_it_go_on_where_the_rule_would_refuse():
    """A sample for nothing tells 40 that are worth 100 from 60 that are worth -10.

    Without it the rule refuses at once. With it, in 4 of 10 outcomes the roll-out goes ahead: 40 less the price.
    """
    worth, sure = [100.0] * 4 + [-10.0] * 6, [90.0] * 4 + [-20.0] * 6
    sample = SimpleNamespace(learned=(1.0, 1.0))
    found = limit_of(prospect(worth, sure), (), [sample], 0.0, over=0.0)  # type: ignore[list-item]
    assert found == Limit(most=pytest.approx(40.0), ends="worth")
    assert limit_of(prospect(worth, sure), (), (), 0.0, over=0.0) == Limit(most=0.0, ends="rule")
    # Were it sure of no more than 25, it would not go ahead above that.
    few = limit_of(prospect(worth, [25.0] * 4 + [-20.0] * 6), (), [sample], 0.0, over=0.0)  # type: ignore[list-item]
    assert few == Limit(most=pytest.approx(25.0), ends="rule")


def test_a_plan_that_hardly_ever_pays_is_too_thin():
    """Gates open in one outcome of ten, which alone pays; two in ten are asked for."""
    rare = SimpleNamespace(**(vars(prospect([100.0] * 10)) | {"passing": lambda m: np.eye(10)[0]}))
    assert limit_of(rare, (), (), 0.0, over=0.0).most == pytest.approx(10.0)  # type: ignore[arg-type]
    assert limit_of(rare, (), (), 0.0, over=0.0, thin=0.2) == Limit(most=0.0, ends="rule")  # type: ignore[arg-type]


def test_a_budget_caps_a_limit():
    assert Limit(most=10.0, ends="rule").capped(4.0) == Limit(most=4.0, ends="budget")
    assert Limit(most=10.0, ends="rule").capped(None).ends == "rule"
    assert Limit(most=10.0, ends="rule").capped(-3.0).most == 0


def at_price(found: Problem, name: str, price: float) -> Problem:
    remedies = tuple(replace(r, cost=price) if r.name == name else r for r in found.valuer.remedies)
    return replace(found, valuer=replace(found.valuer, remedies=remedies))


def buys(found: Problem, name: str) -> bool:
    """Whether the best plan at its price, and not rolling out as it stands, or stopping, buys a remedy."""
    sets = found.sets()
    best, as_it_is = sets.best("priced"), sets.plan(0)
    start = 0.0 if as_it_is is None or as_it_is.waits else as_it_is.mean()
    if best.plan is None or not best.worth > max(start, 0):
        return False
    scale, policy = found.decided.scale, found.policy
    assert scale is not None
    chance = max(scale.chance(policy.hurdle), float(np.mean(best.plan.worth > policy.hurdle)))
    return chance > policy.kill_probability and name in {r.name for r in best.plan.remedies}


def check(seed: int) -> str | None:
    """One random problem: its first remedy is bought just below its limit, and not just above; why it ends there."""
    rng = np.random.default_rng(seed)
    pilot = decided(seed % 4, 1000, (8.0, None)[seed % 2], 30_000.0, 700, (0.14, 0.06)[seed % 3 > 0])
    found = problem(rng, 3, pilot=pilot, gates=1)
    first, *others = found.valuer.remedies  # one of them mends the gate
    mend = replace(first, addresses=found.failing[0].gate, removes=float(rng.uniform(0.7, 1.0)))
    found = replace(found, valuer=replace(found.valuer, remedies=(mend, *others)))
    sets = found.sets()
    best = sets.best("priced").plan
    if best is None or not sets.searched:
        return None
    a = replace(pilot, fixes=replace(pilot.fixes, sets=(sets,)), segments=())
    worth = RemedyWorth(a=a, sets=sets, plan=best, kind="priced")  # type: ignore[arg-type]
    remedy = sets.searched[int(rng.integers(len(sets.searched)))]
    limit = worth.most(remedy)
    if limit.most > 100:
        assert buys(at_price(found, remedy.name, 0.99 * limit.most), remedy.name)
    above = 1.01 * limit.most + 1
    assert not buys(at_price(found, remedy.name, above), remedy.name)
    return limit.ends if limit.most > 100 else None


@pytest.mark.parametrize("part", range(4))
def test_a_remedy_is_bought_below_its_limit_and_not_above(part):
    ends = [check(seed) for seed in range(8 * part, 8 * part + 8)]
    assert any(ends)


@pytest.mark.slow
def test_limits_hold_on_many_problems():
    ends = [check(seed) for seed in range(100, 500)]
    assert all(ends.count(end) > 15 for end in ("worth", "rule", "budget"))
