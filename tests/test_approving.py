"""What a remedy of human_approval demands of people, and catches: by hand, against every set, and in the verdict."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_remedies import brute_force, problem
from opened_examples import example
from pilots import cases, controls, write_pilot

import roi.remedy_sets
from roi.analysis import Analysis
from roi.cashflow import ramp_factor
from roi.fewer_draws import on_fewer_draws
from roi.forecast import forecast_of
from roi.mended import mended_share
from roi.pilot import open_pilot
from roi.plan_at import plan_at
from roi.remedies import Remedy

ROWS = cases(n=1000, seed=3, baseline=30.0, pilot=12.0, error_pilot=0.08)
PILOT = [r for r in ROWS if r["arm"] == "pilot"]


def remedy(**more: Any) -> dict[str, Any]:
    return {
        "name": "Hold",
        "addresses": "human_approval",
        "removes_share": 1.0,
        "cost": 4000,
        "weeks": 0,
    } | more


def log(every: int = 4, *, late: int = 0, rejected: int = 0) -> list[dict[str, Any]]:
    """Actions of which each so many-th runs undecided, the ones after it are decided late, and some are rejected."""
    actions = controls(ROWS)["actions"]
    for i, row in enumerate(actions):
        if i % every == 0:
            row |= {"decision": "auto", "decided_at": "", "approver": ""}
        elif late and i % every == 1:
            row["decided_at"] = str(dt.datetime.fromisoformat(row["executed_at"]) + dt.timedelta(minutes=9))
        elif rejected and i % rejected == 2:
            row |= {"decision": "rejected", "executed_at": "", "status": "denied"}
    return actions


def analysed(
    folder: Path, *remedies: dict[str, Any], actions: list[dict[str, Any]], **economics: Any
) -> Analysis:
    changes = {"remedies": list(remedies), "economics": economics, "run": {"draws": 2000}}
    path = write_pilot(folder, ROWS, changes, tables={"actions": actions})
    return open_pilot(path).decision.analysis


def test_further_decisions_are_counted_by_hand(tmp_path):
    a = analysed(tmp_path, remedy(), actions=log(late=1), approval_minutes=3)
    x = a.valuer.approving()
    assert x is not None
    n = len(PILOT)
    # Segments weigh 0.6 and 0.4 in production, and a seventh of the sample is no longer the pilot's.
    share = {"a": 0.6, "b": 0.4}
    undecided, late = (
        sum(
            share[s] * sum(r["segment"] == s for r in PILOT[first::4]) / sum(r["segment"] == s for r in PILOT)
            for s in share
        )
        for first in (0, 1)
    )
    assert x.decisions == pytest.approx(undecided, rel=1e-12)
    assert x.actions == pytest.approx(undecided + late, rel=1e-12)
    assert x.minutes == pytest.approx(3 * undecided, rel=1e-12)
    assert 0.2 < undecided < 0.3
    assert n == 700


def test_the_worth_of_a_fix_pays_for_the_deciding(tmp_path):
    """By hand: a month's cases times labour times minutes, at the realised share, discounted over the ramp."""
    a = analysed(tmp_path, remedy(removes_share=0.9), actions=log(), approval_minutes=2)
    e, x = a.economics, a.valuer.approving()
    assert x is not None
    assert e.cases_per_month is not None
    assert e.labour is not None
    assert np.all(a.valuer.scope().minutes_saved > 2)  # type: ignore[operator]
    bought = a.valuer.remedies
    both = np.clip(np.add(e.cash, e.redeployed), 0, 1)
    month = np.multiply(e.cases_per_month, e.ceiling) * e.labour / 60 * bought[0].removes * x.minutes * both
    lost = month * ramp_factor(e.discount, e.horizon, e.ramp)
    without = replace(a.valuer, approvals=None).roll_out(remedies=bought)
    with_it = a.valuer.roll_out(remedies=bought)
    assert without is not None
    assert with_it is not None
    paid = (without.stream.time - with_it.stream.time) * ramp_factor(e.discount, e.horizon, e.ramp)  # type: ignore[union-attr]
    np.testing.assert_allclose(paid, lost, rtol=1e-9)
    # Nobody has rejected or repaired anything: next to nothing is counted as caught.
    assert float(np.mean(x.caught)) < 0.01
    more = float(np.mean(with_it.worth - without.worth + lost))
    assert 0 <= more < 0.05 * float(np.mean(lost))


@pytest.mark.slow
def test_dear_approving_turns_a_fix_into_a_kill(tmp_path):
    cheap = analysed(tmp_path / "a", remedy(), actions=log(2), approval_minutes=0.5)
    dear = analysed(tmp_path / "b", remedy(), actions=log(2), approval_minutes=90)
    assert (cheap.verdict.verdict, dear.verdict.verdict) == ("fix", "kill")
    assert dear.verdict.ground == "uncontrollable_risk"
    paid = analysed(tmp_path / "c", remedy(pays_approvers=True), actions=log(2), approval_minutes=90)
    assert paid.verdict.verdict == "fix"


@pytest.mark.slow
def test_where_nobody_knows_what_an_approval_takes_it_has_no_price(tmp_path):
    decided = open_pilot(
        write_pilot(
            tmp_path, ROWS, {"remedies": [remedy()], "run": {"draws": 2000}}, tables={"actions": log()}
        )
    ).decision
    a, record = decided.analysis, decided.record
    assert a.verdict.plan is not None
    assert a.verdict.plan.waits
    row = record["remedies"]["list"][0]
    assert row["approving"]["hours_per_month"] is None
    assert row["approving"]["decisions_per_month"] > 100
    assert "economics.approval_minutes" in row["approving"]["text"]
    first = record["next"][0]
    assert first["action"].startswith("State what an approval takes (economics.approval_minutes)")
    assert first["worth"] is None
    assert record["reason"].startswith(
        "It would pay after Hold, whose approving nobody has timed: at most EUR"
    )


@pytest.mark.slow
def test_what_is_caught_is_what_slipped_undecided_and_is_rejected_elsewhere(tmp_path):
    a = analysed(tmp_path, remedy(), actions=log(rejected=40), approval_minutes=1)
    x, rate = a.valuer.approving(), a.measured.scope().error_rate[1]
    assert x is not None
    assert rate is not None
    assert x.catch_known
    caught = np.asarray(x.caught)
    rejected = sum(r["decision"] == "rejected" for r in log(rejected=40))
    wrong = [r["outcome"] == "error" for r in PILOT]
    kept = [r["decision"] == "approved" for r in log(rejected=40)]
    let_pass = sum(w and k for w, k in zip(wrong, kept, strict=True))
    undecided = sum(w for i, w in enumerate(wrong) if i % 4 == 0)
    by_hand = (
        rejected
        / (rejected + let_pass)
        * undecided
        / sum(w for w, r in zip(wrong, log(rejected=40), strict=True) if r["decision"] != "rejected")
    )
    assert float(caught.mean()) == pytest.approx(by_hand, rel=0.15)
    effect = a.valuer.effect_of(tuple(r for r in a.valuer.remedies))
    np.testing.assert_allclose(np.asarray(effect.kept), 1 - caught)


@pytest.mark.slow
def test_two_remedies_let_less_slip_and_only_the_one_that_pays_nobody_is_charged(tmp_path):
    a = analysed(
        tmp_path,
        remedy(removes_share=0.5),
        remedy(name="Desk", removes_share=0.6, pays_approvers=True, cost_per_month=900),
        actions=log(),
        approval_minutes=2,
    )
    x = a.valuer.approving()
    assert x is not None
    hold, desk = a.valuer.remedies
    minutes = [float(np.mean(a.valuer.effect_of(s).minutes)) for s in ((hold,), (desk,), (hold, desk))]
    # Together 0.5 + 0.5 x 0.6 = 0.8 are decided on; the desk's 0.6 are paid already.
    assert minutes == pytest.approx([-0.5 * float(x.minutes), 0.0, -0.2 * float(x.minutes)], abs=1e-12)  # type: ignore[arg-type]


@pytest.mark.slow
def test_where_people_decide_too_late_only_mending_takes_more():
    """The insurer's people decide on every letter, some after it went out."""
    said = example("claims_intake").decision.record["remedies"]["list"][0]["approving"]
    assert said["decisions_per_month"] == 0
    assert said["late_per_month"] > 1000
    assert said["text"].startswith(
        "It has 1,198 actions a month decided before they run, not after. Mending what is"
    )


@pytest.mark.slow
def test_approval_is_no_mend_of_severe_errors_by_itself(tmp_path):
    """It catches some of them beside a remedy that addresses them."""
    other = {"name": "Check twice", "addresses": "severe_errors", "removes_share": 0.5, "cost": 1, "weeks": 0}
    a = analysed(tmp_path, remedy(), other, actions=log(rejected=40), approval_minutes=1)
    hold, twice = a.valuer.remedies
    gate = replace(a.gates[None][0], gate="severe_errors", state="exceeded", value=0.05)

    def opens(*chosen: Remedy) -> Any:
        policy = a.loaded.policy.model_copy(update={"max_severe_error_rate": 0.001})
        return mended_share(gate, None, chosen, a.valuer, policy, 1)

    assert opens(hold) is None
    alone, both = opens(twice), opens(hold, twice)
    assert alone is not None
    assert both is not None
    assert np.all(both >= alone)
    assert both.sum() > alone.sum()


def test_what_waiting_costs_is_a_cost_a_case(tmp_path):
    a = analysed(tmp_path, remedy(), actions=log(), approval_minutes=2, waiting_cost_per_hour=4)
    x = a.valuer.approving()
    assert x is not None
    assert x.waiting == pytest.approx(x.decisions * 3 / 60 * 4)  # each waits three minutes
    effect = a.valuer.effect_of(a.valuer.remedies)
    assert effect.cost == pytest.approx(x.waiting)
    plan = a.verdict.plan
    assert plan is not None
    found = forecast_of(a)
    assert found is not None
    np.testing.assert_allclose(found.worth(), plan.option.worth, rtol=1e-6)


@pytest.mark.slow
def test_minutes_of_an_approval_are_an_input_like_any_other(tmp_path):
    """Moved alone they give the worth that a run with them gives."""
    a = analysed(tmp_path / "a", remedy(), actions=log(), approval_minutes=2)
    b = analysed(tmp_path / "b", remedy(), actions=log(), approval_minutes=5)
    moved = plan_at(a)
    assert moved is not None
    assert b.verdict.plan is not None
    np.testing.assert_allclose(
        moved.worth_at({"economics.approval_minutes": 5.0}), b.verdict.plan.worth, rtol=1e-9
    )


@pytest.mark.slow
def test_what_opens_the_gate_at_an_unknown_price_demands_the_same(tmp_path):
    """Nobody has stated a remedy: the most that one may cost is after what approving takes."""
    cheap, dear = (
        open_pilot(
            write_pilot(
                tmp_path / str(minutes),
                ROWS,
                {"economics": {"approval_minutes": minutes}, "run": {"draws": 2000}},
                tables={"actions": log()},
            )
        ).decision
        for minutes in (1, 5)
    )
    most = [d.record["next"][0]["max_price"] for d in (cheap, dear)]
    plans = [d.analysis.verdict.plan for d in (cheap, dear)]
    assert plans[0] is not None
    assert plans[1] is not None
    assert [g.gate for g in plans[0].unpriced] == ["human_approval"]
    lost = plans[0].option.worth - plans[1].option.worth
    x = [d.analysis.valuer.approving() for d in (cheap, dear)]
    assert x[0] is not None
    assert x[1] is not None
    assert np.subtract(x[1].minutes, x[0].minutes) == pytest.approx(4 * x[0].decisions)  # type: ignore[arg-type]
    assert float(lost.mean()) > 5000
    assert most[0] - most[1] > 0.5 * float(lost.mean())  # where the rule ends it, it falls by about as much
    moved = plan_at(cheap.analysis)
    assert moved is not None
    np.testing.assert_allclose(moved.worth_at({"economics.approval_minutes": 5.0}), plans[1].worth, rtol=1e-9)
    # With an input that changes every month, at the draws that it has, it is the plan itself.
    same = moved.worth_at(
        {"demand.cases_per_month": cheap.analysis.assumptions.require("demand.cases_per_month")}
    )
    np.testing.assert_allclose(same, plans[0].worth, rtol=1e-9)
    # On fewer draws it is the same plan.
    few = on_fewer_draws(moved, 500)
    rows = np.r_[:250, 1000:1250]
    np.testing.assert_allclose(
        few.worth_at({"demand.cases_per_month": 2000.0}, undecided=True).mean(),
        moved.worth_at({"demand.cases_per_month": 2000.0}, undecided=True)[rows].mean(),
        rtol=1e-6,
    )


def test_without_a_log_nothing_is_counted_and_that_is_said(tmp_path):
    path = write_pilot(tmp_path, ROWS, {"remedies": [remedy()], "run": {"draws": 1000}}, without=("actions",))
    decided = open_pilot(path).decision
    assert decided.analysis.valuer.approving() is None
    assert "there is no log of actions" in decided.record["remedies"]["list"][0]["approving"]["text"]


def with_approval(first: int, last: int, most: int) -> Any:
    for seed in range(first, last):
        rng = np.random.default_rng(seed)
        found = problem(rng, int(rng.integers(2, most)), gates=3, approving=True)
        if any(gate.gate == "human_approval" for gate in found.failing):
            yield found


def as_every_set(found: Any) -> None:
    sets = found.sets()
    for best, brute in zip((sets.best("priced"), sets.best("waiting")), brute_force(found), strict=True):
        assert best.gap == 0
        assert (best.plan is None) == (brute is None)
        if brute is not None:
            assert best.worth == pytest.approx(brute.mean(), rel=1e-9)


@pytest.mark.parametrize(
    ("first", "last", "most", "at_least"),
    [(0, 24, 5, 4), pytest.param(1000, 1120, 9, 20, marks=pytest.mark.slow)],
)
def test_the_set_found_is_the_best_of_all_with_approving(first, last, most, at_least, monkeypatch):
    monkeypatch.setattr(roi.remedy_sets, "FEW", 0)
    tried = 0
    for found in with_approval(first, last, most):
        as_every_set(found)
        tried += 1
    assert tried >= at_least


@pytest.mark.slow
def test_bounds_hold_where_approving_takes_time():
    for found in with_approval(0, 40, 6):
        sets = found.sets()
        for number, priced, waiting in zip(
            sets.bounds.sets, sets.bounds.priced, sets.bounds.waiting, strict=True
        ):
            plan = sets.plan(int(number))
            if plan is None or not (plan.remedies or plan.measures or plan.unpriced):
                continue
            bound = waiting if plan.waits else priced
            assert plan.mean() <= bound + 1e-6 * abs(plan.mean()) + 1e-6


def test_a_remedy_says_what_has_no_price():
    known = Remedy(
        name="a",
        addresses="human_approval",
        removes=1.0,
        cost=1.0,
        cost_per_month=0.0,
        months=0.0,
        after=(),
        owner=None,
    )
    assert known.priced
    assert not replace(known, approving_known=False).priced
    assert not replace(known, cost=None).priced
