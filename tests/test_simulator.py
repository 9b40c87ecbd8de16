"""The simulator of pilots with known truth, and the bars that verdicts on them are held to."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pilots import cases, write_pilot

from roi.analysis import decide_moments
from roi.cashflow import Schedule, present_value, stream_of
from roi.error_rates import minutes_correlation
from roi.measured import Scope
from roi.moments import ALL
from roi.pilot import open_pilot

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))

from simulator import PricedRemedy, Truth, World, decided, draw_cases
from verdict_bars import Share, held
from verdict_money import PLACES, Cell, outcomes_of, run_money, trivial_bars


@pytest.mark.parametrize("means", [(15.0, 10.5), (15.0, 15.0), (15.0, 17.0)])
@pytest.mark.parametrize("remedied", [False, True])
def test_the_true_worth_is_what_the_package_makes_of_the_truth(means, remedied):
    """Month by month here, in closed form there."""
    world = World(rollout_cost=120_000.0, remedy=PricedRemedy(removes=0.9, cost=30_000.0))
    truth = Truth(means=means, error_rates=(0.05, 0.08), by_data=0.5)
    drawn = draw_cases(np.random.default_rng(1), truth, cases=40, workers=4, design="within")
    found = decided(world, drawn.moments())
    one = np.ones(1)
    scope = Scope(
        segments=(ALL,),
        share=1.0,
        minutes_saved=(means[0] - means[1]) * one,
        error_rate=(0.05 * one, 0.08 * one),
        agent_cost=None,
    )
    kept, schedule = 1.0, Schedule()
    if remedied:
        kept = 1 - 0.5 * 0.9
        schedule = Schedule(delay=4 * 7 / (365.25 / 12), one_off=30_000.0)
    severity = np.broadcast_to(np.asarray(truth.severities), (2, 1, 4))
    stream = stream_of(scope, found.economics, severity, error_kept=kept)
    assert stream is not None
    worth = present_value(stream, found.economics, schedule)[0]
    assert truth.worth(world, remedied=remedied) == pytest.approx(worth, rel=1e-9)


@pytest.mark.parametrize(
    ("design", "workers"), [("cases", None), ("within", 1000), ("between", 1000), ("pairs", None)]
)
def test_drawn_cases_are_as_the_truth_says(design, workers):
    truth = Truth(error_rates=(0.2, 0.1), correlation=0.3, by_data=0.5)
    drawn = draw_cases(np.random.default_rng(2), truth, cases=40_000, workers=workers, design=design)
    pilot = drawn.arm == 1
    for arm in (0, 1):
        assert drawn.minutes[drawn.arm == arm].mean() == pytest.approx(truth.means[arm], rel=0.15)
        assert drawn.wrong[drawn.arm == arm].mean() == pytest.approx(truth.error_rates[arm], rel=0.2)
    assert drawn.by_data[pilot].sum() == pytest.approx(drawn.wrong[pilot].sum() / 2, rel=0.1)
    moments = drawn.moments()
    assert moments.unit_kind == {"cases": "case", "pairs": "pair"}.get(design, "worker")
    if workers is not None:
        assert minutes_correlation(moments) == pytest.approx(0.236, abs=0.07)
        of_arm = [set(drawn.unit[drawn.arm == a].tolist()) for a in (0, 1)]
        assert len(of_arm[0] & of_arm[1]) == (workers if design == "within" else 0)


def test_later_cases_come_from_other_people():
    rng = np.random.default_rng(3)
    first, more = (
        draw_cases(rng, Truth(), cases=n, workers=w, design="within") for n, w in ((20, 2), (40, 4))
    )
    both = first.followed_by(more)
    assert np.unique(both.unit).size == 6
    assert (both.first(20).minutes == first.minutes).all()


@pytest.mark.slow
def test_moments_reach_the_verdict_that_files_reach(tmp_path):
    from_files = open_pilot(write_pilot(tmp_path, cases(300))).decision.analysis
    again = decide_moments(
        from_files.loaded,
        from_files.moments,
        controls=tuple(g for g in from_files.gates[None] if g.is_control),
        as_of=from_files.as_of,
    )
    assert (again.verdict.verdict, again.verdict.ground) == (
        from_files.verdict.verdict,
        from_files.verdict.ground,
    )
    assert (again.scale.worth == from_files.scale.worth).all()


def test_a_fix_counts_as_right_only_where_its_remedy_truly_pays():
    truth = Truth(means=(15.0, 15.0), error_rates=(0.02, 0.2), by_data=0.9)
    rng = np.random.default_rng(4)
    moments = draw_cases(rng, truth, cases=2000, workers=20, design="within").moments()
    gain = truth.worth(World(remedy=PricedRemedy(removes=0.9, cost=0.0)), remedied=True) - truth.worth(
        World()
    )
    # Worth 0.3 of the gain below nothing without the remedy, and so 0.6 above with it.
    world = World(remedy=PricedRemedy(removes=0.9, cost=0.1 * gain)).at(-0.3 * gain - truth.worth(World()))
    found = decided(world, moments)
    assert outcomes_of(found, truth, world) == ["fix", "right fix"]
    not_by_data = replace(truth, by_data=0.0)
    assert outcomes_of(found, not_by_data, world) == ["fix", "wrong fix"]


@pytest.mark.slow
def test_the_number_of_processes_changes_nothing():
    cell = Cell(cases=20, workers=5, design="within")
    once, twice = (run_money([cell], pilots=4, seed=1, processes=n) for n in (1, 2))
    assert once == twice
    counts = once[cell]
    assert len(counts) == len(PLACES)
    assert all(c["kill"] + c["fix"] + c["scale"] == 4 for c in counts)
    assert not any(c["no action"] for c in counts)


def test_a_bar_is_held_cell_by_cell_and_over_all():
    fine = Share(cell="fine", hits=10, n=400)
    within_error = Share(cell="near", hits=28, n=400)  # 7 %; two Monte-Carlo errors at 5 % are 2.2 points
    outside = Share(cell="out", hits=30, n=400)
    assert held("x", "<=", 0.05, [fine, within_error]).passes
    assert not held("x", "<=", 0.05, [fine, fine, outside]).passes
    assert not held("x", "<=", 0.05, [within_error, within_error]).passes  # over all cells it is 7 %
    assert held("x", ">=", 0.8, [Share(cell="a", hits=33, n=40)]).passes
    assert held("never", "<=", 0.0, [Share(cell="a", hits=0, n=400)]).passes
    assert not held("never", "<=", 0.0, [fine, Share(cell="a", hits=1, n=400)]).passes


def test_rules_that_always_say_the_same_miss_bars():
    assert [name for name, missed in trivial_bars() if missed] == [
        "always kill",
        "always fix",
        "always scale",
    ]
