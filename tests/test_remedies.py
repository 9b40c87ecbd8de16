"""The set of remedies: against every set valued in turn, and what must hold whatever the remedies are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_remedies import Problem, brute_force, decided, problem

import roi.remedy_sets
from roi.options import Remedy
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


@pytest.mark.parametrize("seed", range(12))
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


@SMALL
@given(seeds, st.floats(0.05, 1.0), st.sampled_from(["data", "model", "human_approval", "severe_errors"]))
def test_a_free_remedy_that_removes_something_never_lowers_the_value(seed, removes, addresses):
    found = problem(np.random.default_rng(seed), 3)
    without = value(found)
    assert value(with_remedies(found, *found.valuer.remedies, remedy("free", addresses, removes))) >= without


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
