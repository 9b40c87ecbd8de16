"""A decision of a moved slider: as much cheaper as it may be, and the same to the last bit."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from made_worlds import BROKEN, decided, worlds
from opened_examples import EXAMPLES, example

from roi import plans
from roi.again import decide_again
from roi.analysis import Decided
from roi.explore import Explorer, Setting
from roi.explore.setting import applied
from roi.gate import Gate
from roi.mended import mended_with
from roi.options import Option
from roi.plans import Plan, at_once
from roi.prospects import LaidOut
from roi.remedy_set import best_plans
from roi.remedy_sets import RemedySets
from roi.set_order import Best
from roi.verdict import decide


def told(x: Option | Plan | None) -> object:
    """An option or a plan to the last bit of every draw."""
    if x is None:
        return None
    bought = () if isinstance(x, Option) else (x.remedies, x.measures, x.unpriced, x.passes, x.sure, x.price)
    return (
        x.worth.tobytes(),
        x.cash.tobytes(),
        [getattr(y, "name", getattr(y, "what", None)) for part in bought[:2] for y in part],
        bought[3:],
    )


def everything(a: Decided) -> tuple[object, ...]:
    v = a.verdict
    return (
        (v.verdict, v.ground, v.fix_kind),
        *(told(x) for x in (a.scale, *a.segments, v.plan, v.option, a.fixes.priced, a.fixes.mended)),
        a.gates,
        a.fixes.gap,
    )


def afresh(a: Decided) -> Decided:
    """The same decision with nothing remembered of any other."""
    return replace(a, valuer=replace(a.valuer, scopes={}, plain={}, findings={}))


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_after_each_of_many_moves_it_is_what_a_whole_decision_says_bit_for_bit(name):
    """Inputs, thresholds and remedies at random places, one move after another in one explorer."""
    explorer = Explorer(example(name).decision.analysis)
    rng = np.random.default_rng(9)
    for k in range(12):
        gone = rng.choice(explorer.remedies, min(k % 2, len(explorer.remedies)), replace=False)
        setting = Setting(without=frozenset(gone))
        for one in rng.choice(np.array(explorer.dials, dtype=object), 1 + k % 3, replace=False):
            while explorer.refusals(moved := setting.with_dial(one, rng.uniform(one.low, one.high))):
                pass  # what may not be said is not decided
            setting = moved
        found = explorer.decide(setting)
        loaded, assumptions = applied(explorer.a, setting)
        whole = decide_again(afresh(explorer.a), loaded=loaded, assumptions=assumptions)
        assert everything(found) == everything(whole), setting
        assert repr(explorer.seen(found)) == repr(explorer.seen(whole)), setting


@settings(max_examples=12, deadline=None)
@given(world=worlds())
def test_only_the_best_asked_for_it_is_that_of_all_of_them(world):
    a = decided(**world)
    assert everything(decide_again(a, assumptions=a.assumptions, every_plan=False)) == everything(a)


@settings(max_examples=12, deadline=None)
@given(world=worlds())
def test_a_sample_that_is_not_weighed_could_not_have_been_the_best(world):
    """Every sample of every set valued in full, as nothing but the definition would have it."""
    a = decided(**world)
    for sets in a.fixes.sets:
        for number in sets.sets:
            then = sets.prospect(sets.chosen(int(number)))
            if then is None or then[0].option is None:
                continue
            prospect, opened = then
            direct = at_once(prospect, opened)
            wanted: Plan | None = direct
            if direct.chance < prospect.policy.scale_probability:
                every = []
                for more in sets.further:
                    measures = (*opened.measures, more)
                    every.append(plans._valued(prospect, measures, opened.unpriced))
                    assert every[-1].mean() <= prospect.laid_out(measures).most
                wanted = max(every, key=lambda p: p.mean(), default=None)
            assert told(sets.plan(int(number))) == told(wanted)


def test_of_samples_that_are_worth_nothing_one_is_weighed(monkeypatch):
    """Far below 0 every sample costs its price and its months: after the smallest, none can be better."""
    weighed = []
    settled = plans.Prospect.settled

    def counting(self, found):
        weighed.append(found.price)
        return settled(self, found)

    monkeypatch.setattr(plans.Prospect, "settled", counting)
    a = decided(minutes=(15.0, 18.0), controls=BROKEN)
    hold = next(s for s in a.fixes.sets if s.segments is None)
    weighed.clear()
    plan = replace(hold, _plans={}, _thens={}).plan(1)
    assert plan is not None
    assert len(hold.further) == 4
    assert [m.gate for m in plan.measures] == ["value"]
    assert plan.measures[0] == hold.further[0]
    assert len(weighed) == 1


def test_thresholds_alone_leave_the_valuing_as_it_is(monkeypatch):
    explorer = Explorer(decided(minutes=(15.0, 8.0), controls=BROKEN))
    dials = {one.key: one for one in explorer.dials}
    moved = explorer.decide(Setting().with_dial(dials["scale_probability"], 0.9))
    assert moved.valuer is explorer.a.valuer
    assert explorer.decide(Setting(thresholds={"max_severe_error_rate": 0.01})).gates != explorer.a.gates
    other = explorer.decide(Setting().with_dial(dials["economics.labour_cost_per_hour"], 60.0))
    assert other.valuer is not explorer.a.valuer


def test_what_is_remembered_of_the_measuring_is_of_that_measuring_and_bounded():
    valuer = decided().valuer
    assert valuer.held("x", lambda: 1) == 1
    assert valuer.held("x", lambda: 2) == 1
    assert replace(valuer, measured=valuer.measured.without_bias()).held("x", lambda: 3) == 3
    for k in range(600):
        valuer.held(("many", k), lambda: 0)
    assert len(valuer.findings) <= 256


def gate(state: str) -> Gate:
    said = {"value": None, "threshold": None, "evidence": "", "mend": ""}
    return Gate(gate="human_approval", label="human approval", state=state, **said)


@pytest.mark.parametrize(
    ("state", "brings", "ground", "asked"),
    [
        ("exceeded", -1.0, "uncontrollable_risk", True),
        ("exceeded", 1.0, "thin_value", True),
        ("exceeded", None, "thin_value", True),
        ("missing_evidence", -1.0, "thin_value", False),
    ],
)
def test_what_mending_brings_is_asked_where_the_verdict_rests_on_it(state, brings, ground, asked):
    a = decided(minutes=(15.0, 8.0))
    questions = []

    def mended() -> float | None:
        questions.append(1)
        return brings

    assert a.scale is not None
    found = decide(
        [a.scale], {None: [gate(state)]}, (), None, a.loaded.policy,
        unknown=None, thin_value_can_be_claimed=True, mended=mended,
    )  # fmt: skip
    assert (found.verdict, found.ground) == ("kill", ground)
    assert bool(questions) == asked


def test_a_glance_promises_at_least_what_a_look_does():
    a = decided(minutes=(15.0, 13.5), controls=BROKEN)
    for sets in a.fixes.sets:
        few = replace(sets, every=False, _looks={}, _plans={}, _thens={})
        for number in few.sets:
            glance = few._at_most(int(number), "priced", glance=True)
            look = few._at_most(int(number), "priced")
            plan = few.plan(int(number))
            assert look <= glance
            if plan is not None and RemedySets.best(few, "priced").plan is plan:
                assert plan.mean() <= look * (1 + 1e-9)


def test_what_a_roll_out_can_bring_at_the_most_by_hand():
    """Worth 10 and -4, of which 6 are lost where it stops: kept is 1/2·(½·16 + 1·2) = 5, less 6."""
    a = decided()
    assert a.scale is not None
    option = replace(a.scale, worth=np.array([10.0, -4.0]))
    found = LaidOut(option=option, price=0.0, passes=np.array([0.5, 1.0]), lost=6.0, split=None)
    assert found.most == pytest.approx(-1.0, abs=1e-7)


def test_how_much_a_remedy_removes_is_part_of_what_is_remembered_of_it():
    a = decided(controls=BROKEN)
    closed = next(g for g in a.gates[None] if not g.holds)
    hold = a.valuer.remedies[0]
    others = replace(hold, removes=0.5), replace(hold, removes=0.6), replace(hold, removes=hold.removes * 1)
    where = a.valuer, a.loaded.policy, 1
    keys = {mended_with(closed, None, (r,), *where) for r in (hold, *others)}
    assert len(keys) == 4
    assert mended_with(closed, None, (replace(hold, cost=0.0),), *where) in keys
    stricter = a.loaded.policy.model_copy(update={"max_approval_miss_rate": 0.01})
    assert mended_with(closed, None, (hold,), a.valuer, stricter, 1) not in keys


@pytest.mark.parametrize("every", [True, False])
def test_of_scopes_whose_best_plans_are_worth_the_same_the_first_is_taken(monkeypatch, every):
    a = decided(controls=BROKEN)

    def best(self, kind, *, above=-np.inf):
        plan = SimpleNamespace(of=self.segments, worth=np.array([5.0]), mean=lambda: 5.0)
        return Best(plan=plan if kind == "priced" and above < 5.0 else None, gap=0.0)

    monkeypatch.setattr(RemedySets, "best", best)
    monkeypatch.setattr(RemedySets, "as_it_is", property(lambda self: 1.0 if self.segments is None else 2.0))
    found = best_plans(
        a.valuer, [None, ("x",)], lambda _: a.gates[None], a.prices, a.loaded.policy, seed=1, every_plan=every
    )
    assert found.priced is not None
    assert found.priced.of is None


def test_what_is_taken_off_a_picked_scope_is_off_its_worth_however_it_is_asked_for():
    a = decided()
    scope = tuple(a.measured.moments.segments)[:1]
    plain, picked = (replace(a.valuer, plain={}, picked=off) for off in ({}, {scope: 5.0}))
    found = []
    for valuer in (plain, picked):
        option = valuer.roll_out(scope, kind="scale_segments")
        later = valuer.postponed(option, one_off=100.0, delay=1.0)
        found.append((option, valuer.roll_out(scope, remedies=valuer.remedies[:1]), later))
    for whole, less in zip(*found, strict=True):
        assert np.array_equal(less.worth, whole.worth - 5.0)
        assert np.array_equal(less.cash, whole.cash - 5.0)
