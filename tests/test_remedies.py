"""The set of remedies: against every set valued in turn, and what must hold whatever the remedies are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_remedies import Problem, brute_force, decided, problem
from rest_slow import rest_slow

import roi.remedy_sets
from roi.remedies import Remedy
from roi.remedy_set import mended_of
from roi.set_bounds import affordable_sets

seeds = st.integers(0, 2**32 - 1)
SMALL = settings(max_examples=12, deadline=None)


def remedy(name: str, addresses: str, removes: float, cost: float | None = 0.0, **how: object) -> Remedy:
    given = {"cost_per_month": 0.0, "months": 0.0, "after": (), "owner": None} | how
    return Remedy(name=name, addresses=addresses, removes=removes, cost=cost, **given)  # type: ignore[arg-type]


def with_remedies(found: Problem, *remedies: Remedy) -> Problem:
    return replace(found, valuer=replace(found.valuer, remedies=remedies))


def value(found: Problem) -> float:
    """Worth of the best plan at its price; that of stopping now where there is none."""
    return max(found.sets().best("priced").worth, 0.0)


def check(found: Problem) -> None:
    sets = found.sets()
    for best, brute in zip((sets.best("priced"), sets.best("waiting")), brute_force(found), strict=True):
        assert best.gap == 0
        assert (best.plan is None) == (brute is None)
        if best.plan is not None and brute is not None:
            assert best.worth == pytest.approx(brute.mean(), rel=1e-9)
            assert len(best.plan.remedies) <= len(brute.remedies)


@pytest.mark.parametrize("seed", rest_slow(range(12), at_once=4))
def test_the_set_found_is_the_best_of_all(seed, monkeypatch):
    monkeypatch.setattr(roi.remedy_sets, "FEW", 0)
    rng = np.random.default_rng(seed)
    check(problem(rng, int(rng.integers(1, 6))))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_the_set_found_is_the_best_of_all_up_to_twelve_remedies(part, monkeypatch):
    monkeypatch.setattr(roi.remedy_sets, "FEW", 0)
    for seed in range(1000 + 5 * part, 1005 + 5 * part):
        rng = np.random.default_rng(seed)
        check(problem(rng, int(rng.integers(8, 13))))


def test_bounds_hold_for_every_set():
    for seed in (2, 3, 7, 8, 11, 12):
        rng = np.random.default_rng(seed)
        # In the last two nothing but the causes matters, so that the bounds are close.
        sets = problem(rng, 5, **({"pilot": decided(rollout=0.0), "gates": 0} if seed > 8 else {})).sets()
        bounds = sets.bounds
        for number, priced, waiting in zip(bounds.sets, bounds.priced, bounds.waiting, strict=True):
            plan = sets.plan(int(number))
            if plan is not None and (plan.remedies or plan.measures):
                assert plan.mean() <= (waiting if plan.waits else priced) + 1e-6


def test_bounds_are_close_where_each_cause_has_one_remedy():
    found = problem(
        np.random.default_rng(4), 1, pilot=decided(rollout=0.0, per_case=None), gates=0, budget=1e9
    )
    policy = found.policy.model_copy(update={"fix_weeks": None, "scale_probability": 0.01})
    made = [remedy(c, c, 0.8, 1_000.0) for c in ("data", "model", "workflow", "integration")]
    sets = replace(with_remedies(found, *made), policy=policy).sets()
    for number, bound in zip(sets.bounds.sets, sets.bounds.priced, strict=True):
        plan = sets.plan(int(number))
        if plan is not None and plan.remedies and not plan.measures:
            assert plan.mean() <= bound <= plan.mean() + 0.03 * abs(plan.mean()) + 500


@pytest.mark.slow
@SMALL
@given(seeds)
def test_a_remedy_that_removes_nothing_is_never_bought(seed):
    rng = np.random.default_rng(seed)
    found = problem(rng, 3)
    useless = remedy("useless", str(rng.choice(["data", "model", "human_approval"])), 0.0)
    found = with_remedies(found, *found.valuer.remedies, useless)
    for kind in ("priced", "waiting"):
        plan = found.sets().best(kind).plan
        assert plan is None or "useless" not in {r.name for r in plan.remedies}


@pytest.mark.slow
@SMALL
@given(seeds, st.floats(0.05, 1.0), st.sampled_from(["data", "model", "human_approval", "severe_errors"]))
def test_a_free_remedy_that_removes_something_never_lowers_the_value(seed, removes, addresses):
    found = problem(np.random.default_rng(seed), 3)
    without = value(found)
    assert value(with_remedies(found, *found.valuer.remedies, remedy("free", addresses, removes))) >= without


@pytest.mark.slow
@SMALL
@given(seeds, st.floats(0.02, 0.98), st.floats(0.02, 0.98))
def test_worth_is_monotone_in_what_a_remedy_removes(seed, one, other):
    rng = np.random.default_rng(seed)
    found = problem(rng, 3)
    changed, *others = found.valuer.remedies
    less, more = (
        value(with_remedies(found, replace(changed, removes=x), *others)) for x in sorted((one, other))
    )
    assert more >= less - 1e-6 * abs(less)


def test_a_remedy_that_others_wait_for_comes_with_them(monkeypatch):
    monkeypatch.setattr(roi.remedy_sets, "FEW", 0)
    found = problem(np.random.default_rng(1), 1, pilot=decided(), gates=0, budget=1e9)
    first = remedy("first", "workflow", 0.0, 1000.0)
    then = remedy("then", "data", 0.9, 1000.0, after=("first",))
    sets = with_remedies(found, then, first).sets()
    assert {r.name for r in sets.remedies} == {"first", "then"}
    assert sorted(int(s) for s in affordable_sets(sets.searched, sets.policy, sets.valuer)) == [0, 2, 3]


def test_beyond_twenty_remedies_it_says_what_the_others_could_add(monkeypatch):
    found = problem(np.random.default_rng(5), 1, pilot=decided(rollout=30_000.0), gates=0, budget=60_000.0)
    causes = ("data", "model", "workflow", "integration", "oversight")
    made = [remedy(f"r{i}", causes[i % 5], 0.02 + i / 100, 9_000.0 + 400 * i) for i in range(23)]
    sets = with_remedies(found, *made).sets()
    assert len(sets.searched) == 20
    best = sets.best("priced")
    assert best.gap is not None
    assert best.gap >= 0
    gates = [remedy(f"g{i}", "severe_errors", 0.1, 9_000.0) for i in range(21)]
    closed = replace(found.decided.gates[None][0], gate="severe_errors", state="exceeded", value=0.1)
    assert replace(with_remedies(found, *gates), failing=(closed,)).sets().left_out is None


def closed(found: Problem, name: str, **how: object) -> Problem:
    """With one gate closed that nothing measures."""
    given = {"gate": name, "label": name, "state": "exceeded", "mend": "mend it", "more_cases": None} | how
    gate = replace(found.decided.gates[None][0], **given)  # type: ignore[arg-type]
    policy = found.policy.model_copy(
        update={
            "fix_budget": None,
            "fix_weeks": None,
            "scale_probability": 0.8,
            "max_severe_error_rate": 0.001,
        }
    )
    return replace(found, failing=(gate,), policy=policy)


def test_what_has_a_price_is_not_asked_for_a_quote(monkeypatch):
    """The roll-out is worth W. A remedy opens the gate for certain and at once, for 10,000 more than that.

    Bought, the plan is worth W − (W + 10,000) = −10,000; not bought, the gate stays closed, and there is no plan at
    all. Without a price there are two that wait: the remedy's, and a mend that nobody has named, each worth W. The rule
    asks for hardly any chance here; where it asks for more, it does not let that plan be, but knows what it is worth.
    """
    pilot = decided(rollout=0.0, per_case=None, errors=0.05)
    assert pilot.scale is not None
    found = closed(problem(np.random.default_rng(1), 1, pilot=pilot, gates=0), "rollback")
    worth = pilot.scale.mean()
    assert worth > 0
    dear = with_remedies(found, remedy("drill", "rollback", 1.0, worth + 10_000))
    strict = dear.sets()
    assert strict.best("priced").plan is None
    mended = mended_of(strict)
    assert mended is not None
    assert mended.mean() == pytest.approx(-10_000)
    found, dear = (
        replace(x, policy=x.policy.model_copy(update={"scale_probability": 0.02})) for x in (found, dear)
    )
    asked = with_remedies(found, remedy("drill", "rollback", 1.0, None))
    useless = with_remedies(found, remedy("drill", "rollback", 0.0, 5.0))
    for few in (64, 0):
        monkeypatch.setattr(roi.remedy_sets, "FEW", few)
        sets = dear.sets()
        assert sets.best("priced").worth == pytest.approx(-10_000)
        assert sets.best("waiting").plan is None
        assert sets.plan(0) is None
        assert not sets.waits_for_price(dear.failing[0])
        for other in (asked, useless):  # a remedy that removes nothing is no mend
            sets = other.sets()
            assert sets.best("priced").plan is None
            assert sets.best("waiting").worth == pytest.approx(worth)
            assert sets.waits_for_price(other.failing[0])


@pytest.mark.parametrize(
    ("gate", "addresses", "removes", "known"),
    [
        ("usable_inputs", "data", 0.9, True),
        ("usable_inputs", "usable_inputs", 0.9, True),
        ("usable_inputs", "model", 0.9, False),
        ("severe_errors", "severe_errors", 0.2, True),
        ("severe_errors", "data", 0.99, True),  # leaves few enough
        (
            "severe_errors",
            "data",
            0.05,
            False,
        ),  # hardly any fewer: that it has a price says nothing of a mend
        ("audit_trail", "rollback", 1.0, False),
    ],
)
def test_which_remedies_price_a_gate(gate, addresses, removes, known):
    pilot = decided(rollout=0.0, per_case=None)
    found = problem(np.random.default_rng(1), 1, pilot=pilot, gates=0)
    shares = {"data": np.ones(pilot.measured.draws)}
    causes = replace(found.valuer.causes, error_share=shares, excess_minutes={})
    found = closed(replace(found, valuer=replace(found.valuer, causes=causes)), gate, value=0.05)
    sets = with_remedies(found, remedy("mend", addresses, removes, 1_000.0)).sets()
    assert sets.waits_for_price(found.failing[0]) is not known
    if gate == "severe_errors":  # of gates that nobody knows to be exceeded, labels tell
        unknown = closed(found, gate, value=0.05, state="missing_evidence")
        sets = with_remedies(unknown, remedy("mend", addresses, removes, 1_000.0)).sets()
        assert sets.waits_for_price(unknown.failing[0])


def test_what_mending_costs_is_told_of_mends_that_work():
    """A cheap remedy that hardly ever opens the gate loses less than the dear one that does, and is no answer."""
    pilot = decided(rollout=0.0, per_case=None, errors=0.05)
    assert pilot.scale is not None
    found = closed(problem(np.random.default_rng(1), 1, pilot=pilot, gates=0), "rollback")
    dear = remedy("dear", "rollback", 1.0, pilot.scale.mean() + 400_000)
    mended = mended_of(with_remedies(found, remedy("cheap", "rollback", 0.0001, 90_000.0), dear).sets())
    assert mended is not None
    assert [r.name for r in mended.remedies] == ["dear"]
    assert mended.mean() == pytest.approx(-400_000)
