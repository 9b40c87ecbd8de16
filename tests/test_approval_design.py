"""Which actions should wait for a person: counted and calculated by hand, held against trying every design."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_approvals import drawn_log, made_designs, made_losses, measured_like, random_designs
from opened_examples import example
from pilots import cases, controls, write_pilot
from sample_projects import Project

from roi.analysis import decide_taken
from roi.approval_design import approval_design_of_record
from roi.approval_kinds import ApprovalKinds, take_approval_kinds
from roi.approval_losses import Cut, approval_losses, rise_of
from roi.approval_words import design_headline, missing_of_logs
from roi.pilot import open_pilot
from roi.record import canonical

# Three good cases, two wrong ones, one repaired before release, one of the other arm and one of the demo.
CASES = [
    ("T0", "pilot", "production", "correct", 4.0, 0.0), ("T1", "pilot", "production", "correct", 3.0, 0.0),
    ("T2", "pilot", "production", "error", 2.0, 0.0), ("T3", "pilot", "production", "error", 6.0, 0.0),
    ("T4", "pilot", "production", "correct", 1.0, 5.0), ("T5", "pilot", "production", "escalated", 2.0, 9.0),
    ("T6", "baseline", "production", "error", 0.0, 0.0), ("T7", "pilot", "demo", "error", 2.0, 0.0),
]  # fmt: skip


def action(case: str, tool: str, effect: str, decision: str = "auto", **more: Any) -> dict[str, Any]:
    times = {"requested_at": "2026-05-04T10:00:00", "executed_at": "2026-05-04T12:30:00"}
    if decision != "auto":
        times["decided_at"] = "2026-05-04T12:00:00"
    return {
        "case_id": case,
        "tool": tool,
        "effect": effect,
        "decision": decision,
        "status": "ok",
        **times,
        **more,
    }


ACTIONS = [
    action("T0", "look_up", "read"),
    action("T0", "send", "send", "approved"),
    action("T1", "send", "send", "approved", decided_at="2026-05-04T13:00:00"),  # after it ran
    action("T2", "send", "send", "approved"),
    action("T2", "post", "write"),  # shares the error of T2 with the sending
    action("T3", "post", "write"),
    action("T3", "send", "send", "rejected", executed_at=None),
    action("T4", "send", "send", "approved"),
    action("T4", "post", "write", status="error"),  # did not go through, and so changed nothing
    action("T5", "send", "send", "rejected", executed_at=None),
    action("T6", "send", "send", "approved"),
    action("T7", "send", "send", "approved"),
]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def taken(project: Project, actions: list[dict[str, Any]], rows: list[dict[str, Any]]) -> ApprovalKinds:
    project.write("cases.jsonl", "\n".join(json.dumps(row) for row in rows))
    filled = [{"action_id": f"a{i}"} | row for i, row in enumerate(actions)]
    project.write("actions.jsonl", "\n".join(json.dumps(row) for row in filled))
    samples = project.open("data/cases.jsonl", samples={"actions": "data/actions.jsonl"})
    x = take_approval_kinds(samples, labels="human")
    assert x is not None
    assert (
        take_approval_kinds(samples, labels="human") is not None
    )  # nothing is left behind that is in the way
    return x


def by_hand() -> list[dict[str, Any]]:
    names = ("case_id", "arm", "setting", "outcome", "review_minutes", "rework_minutes")
    return [dict(zip(names, row, strict=True)) for row in CASES]


def test_kinds_are_counted_by_hand(project):
    x = taken(project, ACTIONS, by_hand())
    assert (x.tool, x.effect) == (("send", "post", "look_up"), ("send", "write", "read"))
    assert x.changing.tolist() == [True, True, False]
    assert (x.cases.tolist(), x.labelled.tolist(), x.errors.tolist(), x.loose.tolist()) == (
        [6],
        [6],
        [2],
        [0],
    )
    counted = {
        name: x.count(name)[:, 0].tolist() for name in ("asked", "by_person", "in_time", "caught", "ran")
    }
    assert counted == {
        "asked": [6, 3, 1], "by_person": [6, 0, 0], "in_time": [5, 0, 0], "caught": [2, 0, 0], "ran": [4, 2, 1],
    }  # fmt: skip
    # T2's error is shared by a sending and a posting; T3's is the posting's alone, the sending having been stopped.
    assert x.slipped[:, 0].tolist() == [0.5, 1.5, 0.0]
    assert x.slipped_in_time[:, 0].tolist() == [0.5, 0.0, 0.0]
    assert (x.errors_with.tolist(), x.errors_alone.tolist()) == ([1, 2, 0], [0, 1, 0])
    assert x.mended[:, 0].tolist() == [1.0, 0.0, 0.0]  # T4
    assert (x.looked.tolist(), x.not_looked.tolist()) == ([3, 1], [0, 0])  # T0, T2 and T4; T1 came late
    assert x.review[0].tolist() == [6.0, 18.0, 70.0]  # 4, 3, 2, 6, 1 and 2 minutes
    assert x.mending.tolist() == [3.0, 14.0]  # T3 0, T4 5, T5 9 minutes
    assert x.wait[0].tolist() == [6.0, 13.0]  # two hours each, three of the late one


def test_what_was_rejected_and_ran_was_not_caught_and_repairs_are_of_those_who_looked(project):
    actions = [
        action("T2", "send", "send", "rejected"),  # and ran all the same: the error of T2 is its own
        action("T4", "send", "send", "approved"),
        action("T4", "post", "write"),  # nobody looked at it
        action("T4", "post", "write", "approved", decided_at="2026-05-04T09:00:00"),  # nor could anybody have
    ]
    x = taken(project, actions, by_hand())
    assert x.tool[:2] == ("post", "send")
    assert x.count("caught").sum() == 0
    assert x.slipped[:, 0].tolist() == [0.0, 1.0]
    assert x.mended[:, 0].tolist() == [0.0, 1.0]


def test_a_log_without_effects_tells_kinds_by_system_and_scope(project):
    actions = [
        {k: v for k, v in row.items() if k != "effect"} | {"system": "crm", "scope": row["effect"]}
        for row in ACTIONS
    ]
    x = taken(project, actions, by_hand())
    assert (x.effect, x.scope) == (None, ("send", "write", "read"))
    assert x.changing.all()
    assert x.slipped[:, 0].tolist() == [0.5, 1.5, 0.0]


def test_rare_kinds_are_put_together(project):
    actions = [action("T2", f"t{i}", "write") for i in range(30)] + [action("T2", "t0", "write")] * 3
    x = taken(project, [*actions, action("T2", "look", "read")], by_hand())
    assert len(x.tool) == 21
    assert (x.tool[0], x.tool[19], x.tool[20]) == ("t0", "(other)", "look")
    assert x.count("asked").sum() == 34
    assert x.slipped.sum() == pytest.approx(1.0)


def amounts(rise: float, n: int = 1200, seed: int = 3) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Cases whose errors rise with the amount, and one payment each, some of them stopped."""
    rng = np.random.default_rng(seed)
    rows, actions = [], []
    for i in range(n):
        place = rng.random()
        wrong = rng.random() < 0.05 + rise * (place - 0.5)
        stopped = wrong and rng.random() < 0.5
        row = {"case_id": f"T{i}", "arm": "pilot", "outcome": "error" if wrong and not stopped else "correct"}
        rows.append(row | {"amount": round(1000 * place + 1, 2), "review_minutes": 2.0})
        more = {"executed_at": None} if stopped else {}
        actions.append(action(f"T{i}", "pay", "pay", "rejected" if stopped else "approved", **more))
    return rows, actions


def losses_of(x: ApprovalKinds, draws: int = 2000) -> Any:
    measured, scope = measured_like(x, (1.0,) * len(x.segments), draws=draws, seed=1)
    return approval_losses(x, measured, scope, effect=1.0, stated=None, seed=1)


def test_a_threshold_is_offered_where_errors_rise_with_the_amount(project):
    rows, actions = amounts(0.09)
    x = taken(project, actions, rows)
    assert len(x.edges[0][0]) == 9
    assert all(edge == float(f"{edge:.3g}") for edge in x.edges[0][0])
    assert x.binned.sum() == 1200
    assert x.binned_caught.sum() == x.count("caught").sum()
    assert x.binned_slipped.sum() == pytest.approx(x.slipped.sum())
    found = losses_of(x)
    rise = found.trend[0][0]
    assert rise is not None
    assert rise > 4
    half = min(found.cuts[0], key=lambda cut: abs(cut.actions - 0.5))
    # Above the middle lie 0.5 × (0.05 + 0.0225) of 0.05, 73 % of what is wrong.
    assert half.wrong == pytest.approx(0.725, abs=0.08)
    shares = [cut.wrong for cut in found.cuts[0]]
    assert shares == sorted(shares, reverse=True)


def test_a_rise_along_bins_is_a_correlation():
    """Cochran's and Armitage's trend is the correlation of hit and place, times the root of the actions."""
    hits, n = np.array([2.0, 5.0, 4.0, 9.0]), np.array([40.0, 50.0, 30.0, 60.0])
    place = np.repeat(np.arange(4), n.astype(int))
    hit = np.concatenate([np.arange(k) < h for k, h in zip(n, hits, strict=True)]).astype(float)
    assert rise_of(hits, n) == pytest.approx(np.corrcoef(place, hit)[0, 1] * np.sqrt(180))
    assert rise_of(np.zeros(4), n) is None


def test_a_threshold_is_seldom_offered_where_the_amount_tells_nothing(project):
    rows, actions = amounts(0.0)
    x = taken(project, actions, rows)
    rng = np.random.default_rng(5)
    offered = 0
    for _ in range(200):
        shuffled = rng.multinomial(60, x.binned / x.binned.sum()).astype(float)
        offered += bool(losses_of(replace(x, binned_caught=shuffled, binned_slipped=0 * shuffled), 4).cuts[0])
    assert offered <= 20  # one in twenty by the test itself


TWO = {
    "asked": [1.0, 0.5],
    "slipped": [0.02, 0.01],
    "caught": [0.02, 0.03],
    "minutes": [2.0, 6.0],
    "by_person": [1.0, 0.25],
    "wait": [2.0, 4.0],
    "mend": 10.0,
    "loose": 0.005,
}


def test_two_kinds_by_hand():
    """1,000 cases a month, an error costs 100, an hour 60, a tenth of the errors is severe.

    Wrong a case: 0.04 and 0.04. Approval catches 0.05 of 0.05 + 0.03, five eighths.
    a: held, 1,000 × 0.04 × 3/8 × 100 = 1,500 of errors; 1,000 × 2 min = 33.3 hours = 2,000; what is caught is mended,
    1,000 × 0.025 × 10 min = 250; in all 3,750 against 4,000 of errors where nothing is held.
    b: held, 1,500 of errors, 500 × 6 min = 50 hours = 3,000, and 250: 4,750 against 4,000.
    """
    designs = made_designs(made_losses(**TWO))
    assert designs.losses.catch()[0] == pytest.approx(0.625)
    both, nothing, first = designs.of((1, 1)), designs.of((0, 0)), designs.of((1, 0))
    assert nothing.loss[0] == pytest.approx(8000 + 500)
    assert nothing.total() == pytest.approx(8500)
    assert (both.loss[0], both.approval[0]) == (pytest.approx(3000 + 500), pytest.approx(2250 + 3250))
    assert (first.loss[0], first.approval[0]) == (pytest.approx(5500 + 500), pytest.approx(2250))
    assert (both.hours[0], both.minutes[0]) == (pytest.approx(83.333, abs=1e-3), pytest.approx(5.5))
    assert both.severe[0] == pytest.approx(0.1 * (0.03 + 0.005))
    assert both.waiting == pytest.approx(2 + 0.5 * 4)
    best = designs.cheapest(limit=1.0)
    assert best is not None
    assert best.picks == (1, 0)
    assert best.cost == pytest.approx(first.total() - 500)  # errors that no action made are in no choice
    # A limit below 0.1 × (0.015 + 0.04 + 0.005) asks for both; below 0.0035 nothing helps.
    tight = designs.cheapest(limit=0.0059)
    assert tight is not None
    assert tight.picks == (1, 1)
    assert designs.cheapest(limit=0.0034) is None
    assert designs.least_severe().picks == (1, 1)
    held = designs.cheapest(limit=1.0, required=[1])
    assert held is not None
    assert held.picks == (1, 1)
    assert held.cost - best.cost == pytest.approx(750)  # the price of the rule
    # Holding a kind pays where it catches 2,000 of 1,000 × 0.04 × (100 − 10), and 3,000 of as much.
    assert designs.catch_needed(0) == pytest.approx(2000 / 3600)
    assert designs.catch_needed(1) == pytest.approx(3000 / 3600)
    assert [x.picks for x in designs.frontier()] == [(0, 0), (1, 0), (1, 1)]
    today = designs.practised()
    assert today.loss[0] == pytest.approx(1000 * (0.03 + 0.005) * 100)
    assert today.hours[0] == pytest.approx((2000 + 250 * 6) / 60)
    assert today.minutes[0] == pytest.approx(2 + 1.5 + 0.05 * 10)
    assert today.waiting == pytest.approx(2 + 1)


def test_waiting_is_paid_where_it_has_a_price():
    """2 hours of each of 1,000 actions at 0.10 are 200 a month more; 250 were gained by holding the first kind."""
    designs = made_designs(made_losses(**TWO), waiting=0.1)
    assert designs.of((1, 0)).approval[0] == pytest.approx(2250 + 200)
    assert designs.cheapest(limit=1.0).picks == (1, 0)
    assert made_designs(made_losses(**TWO), waiting=0.2).cheapest(limit=1.0).picks == (0, 0)
    assert made_designs(made_losses(**(TWO | {"wait": [np.nan, np.nan]}))).of((1, 0)).waiting is None


def test_a_threshold_by_hand():
    """A fifth of the actions holds half of what is wrong: 0.2 × 2,000 of minutes for half of what holding all gains."""
    cut = Cut(column="amount", at=500.0, actions=0.2, wrong=0.5, events=np.inf)
    designs = made_designs(made_losses(**(TWO | {"cuts": [(cut,), ()]})))
    part = designs.of((2, 0))
    assert (part.loss[0], part.approval[0]) == (pytest.approx(8500 - 1250), pytest.approx(400 + 125))
    assert part.hours[0] == pytest.approx(1000 * 0.2 * 2 / 60)
    assert designs.cheapest(limit=1.0).picks == (2, 0)  # 725 gained, against 250 by holding all
    drawn = made_designs(made_losses(**(TWO | {"cuts": [(replace(cut, events=30.0),), ()], "draws": 4000})))
    assert drawn.of((2, 0)).loss.mean() == pytest.approx(7250, rel=0.01)
    assert drawn.of((2, 0)).loss.std() > 50


@pytest.mark.parametrize("first", range(0, 320, 80))
def test_designs_are_those_of_trying_every_one(first):
    for seed in range(first, first + 80):
        rng = np.random.default_rng(seed)
        designs = random_designs(rng)
        kinds = range(len(designs.losses.kinds))
        required = [k for k in kinds if rng.random() < 0.2]
        tried = [
            (x.total(), float(x.severe.mean()), float(x.hours.mean()), float(x.loss.mean()), x.picks)
            for x in (
                designs.of(p) for p in itertools.product(*(range(len(designs.options(k))) for k in kinds))
            )
            if x.picks is not None
        ]
        kept = [x for x in tried if all(x[4][k] == 1 for k in required)]
        limit = float(rng.uniform(0.8, 1.3) * np.mean([x[1] for x in tried]))
        within = [x for x in kept if x[1] <= limit]
        found = designs.cheapest(limit=limit, required=required)
        if found is None:
            assert not within
            assert designs.of(designs.least_severe(required=required).picks).severe.mean() > limit
            continue
        assert designs.of(found.picks).total() == pytest.approx(min(within)[0])
        assert all(found.picks[k] == 1 for k in required)
        unbeaten = [x for x in tried if not any(y[2] < x[2] - 1e-9 and y[3] < x[3] - 1e-9 for y in tried)]
        curve = [designs.of(x.picks) for x in designs.frontier()]
        assert {x.picks for x in curve} <= {x[4] for x in unbeaten}
        assert all(a.loss.mean() > b.loss.mean() for a, b in itertools.pairwise(curve))


def held(designs: Any) -> list[float]:
    """Share of what is wrong that the cheapest design holds, by kind."""
    found = designs.cheapest(limit=np.inf)
    return [designs.options(k)[pick].wrong for k, pick in enumerate(found.picks)]


@pytest.mark.parametrize("seed", range(40))
def test_dearer_errors_never_hold_less(seed):
    designs = random_designs(np.random.default_rng(seed))
    m = designs.monthly
    dearer = [
        replace(designs, monthly=replace(m, error_cost=m.error_cost * f), known={}) for f in (1, 1.5, 4, 40)
    ]
    for less, more in itertools.pairwise(held(x) for x in dearer):
        assert all(a <= b for a, b in zip(less, more, strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_where_approval_costs_nothing_all_is_held_and_where_it_catches_nothing_only_what_has_to_be(seed):
    free = random_designs(np.random.default_rng(seed), zero_minutes=True)
    assert held(free) == [1.0] * len(free.losses.kinds)
    blind = random_designs(np.random.default_rng(seed), catches=False)
    n = len(blind.losses.kinds)
    assert held(blind) == [0.0] * n
    assert blind.cheapest(limit=np.inf, required=[0]).picks == (1, *[0] * (n - 1))


def test_what_was_practised_leaves_what_was_measured():
    """Draw by draw: the errors that got through are those of the run, whatever approval caught before them."""
    x = drawn_log(
        np.random.default_rng(2), cases=(400, 300), wrong=((0.1, 0.2), (0.05, 0.1)), second=0.4, catch=0.5
    )
    measured, scope = measured_like(x, (0.7, 0.3), draws=1000, seed=2)
    found = approval_losses(x, measured, scope, effect=1.0, stated=2.0, seed=2)
    assert found is not None
    designs = made_designs(found)
    assert designs.practised().errors == pytest.approx(scope.error_rate[1])
    # Every action was held in time: so does holding everything.
    assert designs.of((1, 1)).errors == pytest.approx(scope.error_rate[1])
    assert np.mean(found.catch()) == pytest.approx(0.5, abs=0.12)


def test_repairs_that_are_made_anyway_are_no_merit_of_approval():
    """10 % of the results are repaired after a look and 8 % without one: a fifth of the repairs is left."""
    x = drawn_log(np.random.default_rng(3), cases=(4000,), wrong=((0.05, 0.0),), second=0.0, catch=0.0)
    x = replace(
        x, mended=np.array([[400.0], [0.0]]), looked=np.array([4000, 400]), not_looked=np.array([4000, 320])
    )
    measured, scope = measured_like(x, (1.0,), draws=4000, seed=3)
    found = approval_losses(x, measured, scope, effect=1.0, stated=2.0, seed=3)
    assert found is not None
    assert found.repaired[0].mean() == pytest.approx(0.1 * 0.2, abs=0.003)
    credited = approval_losses(
        replace(x, not_looked=np.zeros(2, int)), measured, scope, effect=1.0, stated=2.0, seed=3
    )
    assert credited is not None
    assert credited.repaired[0].mean() == pytest.approx(0.1, abs=0.001)


@pytest.mark.slow
def test_the_interval_of_the_loss_without_approval_covers_it():
    """Two segments sampled alike of which one is most of production; two kinds that share the errors they have made."""
    wrong, share = ((0.03, 0.08), (0.08, 0.02)), (0.8, 0.2)
    big = drawn_log(
        np.random.default_rng(0), cases=(4_000_000, 4_000_000), wrong=wrong, second=0.4, catch=0.5
    )
    caught = big.count("caught") / big.cases
    truth = (big.slipped / big.cases + caught) @ np.array(share)
    hit = np.zeros(2)
    runs = 600
    for seed in range(runs):
        x = drawn_log(np.random.default_rng(seed), cases=(400, 400), wrong=wrong, second=0.4, catch=0.5)
        measured, scope = measured_like(x, share, draws=2000, seed=seed)
        found = approval_losses(x, measured, scope, effect=1.0, stated=2.0, seed=seed)
        assert found is not None
        low, high = np.percentile(found.wrong(), [5, 95], axis=1)
        hit += (low <= truth) & (truth <= high)
    assert np.all((hit / runs >= 0.85) & (hit / runs <= 0.95)), hit / runs


FEW: dict[str, Any] = {"run": {"draws": 1000}}


def rejecting(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Logs in which a twentieth of the actions is rejected and a second kind pays."""
    logs = controls(rows)
    for i, row in enumerate(logs["actions"]):
        if i % 20 == 0:
            row |= {"decision": "rejected", "executed_at": "", "status": "denied"}
        row["tool"], row["effect"] = ("pay", "pay") if i % 4 == 1 else ("post", "write")
    return logs


@pytest.mark.slow
def test_a_record_holds_the_design(tmp_path):
    rows = [row | {"review_minutes": 2.0 if row["arm"] == "pilot" else 0.0} for row in cases(seed=5)]
    path = write_pilot(tmp_path, rows, tables=rejecting(rows), changes=FEW)
    found = open_pilot(path).decision.analysis
    x = approval_design_of_record(found)
    assert [k["label"] for k in x["kinds"]] == ["post", "pay"]
    assert x["required"]["kinds"] == ["pay", "post"] or x["required"]["kinds"] == ["post", "pay"]
    assert x["kinds"][0]["required_by"] == ["log"]
    assert x["kinds"][1]["required_by"] == ["effect", "log"]
    assert x["catch"]["rejected"] > 40
    assert {g["kind"] for g in x["chosen"]["gates"]} == {"post", "pay"}
    assert x["chosen"]["hours_per_month"] == x["hours_per_month"]
    assert found.scale is not None
    worth = found.scale.mean()
    assert x["npv"]["today"]["worth"]["mean"] == pytest.approx(worth)
    assert x["npv"]["today"]["against_today"]["mean"] == 0
    assert x["chosen"]["waiting_hours_per_month"] > 0  # seven people decided
    # Everything was decided in time: holding everything is what was done.
    assert x["everything"]["loss_per_month"]["mean"] == pytest.approx(x["today"]["loss_per_month"]["mean"])
    assert x["npv"]["everything"]["worth"]["mean"] == pytest.approx(worth, rel=1e-6)
    assert x["npv"]["everything"]["chance_better"] == 0
    hours = [p["hours_per_month"] for p in x["curve"]]
    assert hours == sorted(hours)
    assert x["headline"].count(". ") == 0
    again = approval_design_of_record(open_pilot(path).decision.analysis)
    assert canonical(again) == canonical(x)
    kept = decide_taken(found.loaded, found.taken)  # without the samples
    assert canonical(approval_design_of_record(kept)) == canonical(x)


@pytest.mark.slow
def test_what_is_not_logged_is_missing_and_not_made_up(tmp_path):
    rows = cases(n=300, seed=6)

    def design(name: str, changes: dict[str, Any] = FEW, **more: Any) -> dict[str, Any]:
        return approval_design_of_record(
            open_pilot(write_pilot(tmp_path / name, rows, changes, **more)).decision.analysis
        )

    x = design("a", without=("actions",))
    assert (x["chosen"], x["npv"], x["kinds"]) == (None, None, [])
    assert "not logged" in x["headline"]
    logs = controls(rows)
    for row in logs["actions"]:
        row["decision"], row["decided_at"], row["approver"] = "auto", "", ""
    x = design("b", tables=logs)
    assert (x["chosen"], x["catch"], x["curve"]) == (None, None, [])
    assert x["kinds"][0]["wrong_rate"] is not None
    assert "No decision of a person is logged" in x["headline"]
    x = design("c")
    assert x["chosen"] is None  # nobody's minutes are known
    assert any("economics.approval_minutes" in m for m in x["missing"])
    for row in (few := controls(rows))["actions"]:
        row["approver"] = f"p{int(row['approver'][1:]) % 3}"
    x = design("few", FEW | {"economics": {"approval_minutes": 2}}, tables=few)
    assert x["kinds"][0]["waiting_hours"] is None  # of three people it would tell how each works
    assert x["chosen"]["waiting_hours_per_month"] is None
    assert any("privacy.min_group" in m for m in x["missing"])
    x = design("d", FEW | {"economics": {"approval_minutes": 2}})
    assert x["kinds"][0]["minutes"]["from"] == "stated"
    assert x["chosen"] is not None
    # No review was timed: letting everything run unseen frees no minute that was ever counted, whatever is stated.
    y = design("e", FEW | {"economics": {"approval_minutes": 20}})
    assert x["npv"]["nothing"]["worth"] == pytest.approx(y["npv"]["nothing"]["worth"])
    assert x["npv"]["nothing"]["against_today"]["mean"] <= 0
    assert any("is not credited with them" in m for m in y["missing"])


@pytest.mark.slow
def test_the_examples_say_what_they_can():
    insurer = example("claims_intake").decision.record["approval_design"]
    assert insurer["catch"]["repaired"] == 117
    assert insurer["headline"].startswith("Let a person approve acknowledge_claim: about 465 hours")
    assert insurer["npv"]["nothing"]["against_today"]["mean"] < 0
    bank = example("payment_repair").decision.record["approval_design"]
    assert bank["residual"]["short_by"] > 0
    assert bank["headline"].startswith("No approval keeps severe errors to")
    assert bank["kinds"][0]["thresholds"]["amount"]["offered"] is False
    town = example("permit_intake").decision.record["approval_design"]
    assert "only reads and drafts" in town["headline"]
    assert approval_design_of_record(example("permit_intake").decision.analysis) == town


def test_the_headline_holds_the_advice_against_what_is_done_today():
    def design(loss: float, hours: float, *gates: str) -> dict[str, Any]:
        return {
            "loss_per_month": {"mean": loss},
            "hours_per_month": {"mean": hours},
            "gates": [{"text": gate} for gate in gates],
            "within_limit": True,
        }

    more = {"price_of_rule": 0.0, "pays": True, "strictest": 0.0, "limit": 0.01, "currency": "EUR"}
    nothing, today = design(45_000, 0), design(18_000, 465)
    said = design_headline(chosen=design(17_000, 465, "refund"), nothing=nothing, today=today, **more)
    assert said.replace("\u00a0", " ") == (
        "Let a person approve refund: about 465 hours of approving a month; errors are expected to cost EUR 17,000 a "
        "month, as practised today EUR 18,000, and EUR 45,000 were nothing to wait."
    )
    said = design_headline(chosen=nothing, nothing=nothing, today=today, **more).replace("\u00a0", " ")
    assert "EUR 45,000 a month without, as practised today EUR 18,000" in said


def test_stated_minutes_that_no_log_holds_are_said_to_be_so():
    x = drawn_log(
        np.random.default_rng(2), cases=(40, 30), wrong=((0.1, 0.2), (0.05, 0.1)), second=0.4, catch=0.5
    )
    x = replace(x, has=x.has - {"review"})
    assert any(m.startswith("How long an approval takes") for m in missing_of_logs(x))
    said = missing_of_logs(x, stated=True)
    assert any("stated and not logged" in m for m in said)
    assert not any(m.startswith("How long an approval takes") for m in said)
