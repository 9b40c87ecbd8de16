"""What must hold of estimates whatever the cases are: through `measure`, and through files to the record."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_moments import made_moments
from pilots import cases, controls, write_pilot

from roi.analysis import Decided, decide_moments
from roi.assumptions import Assumptions
from roi.cells import MUCH
from roi.measured import Measured, measure
from roi.moments import Moments
from roi.parameters import load_parameters
from roi.pilot import open_pilot

Floats = npt.NDArray[np.float64]
Rows = dict[str, npt.NDArray[Any]]

MIX = np.array((0.90, 0.09, 0.0095, 0.0005))
MONTE_CARLO = (
    0.1  # of a width: how far the ends of an interval of 4,000 draws lie from those of other draws, at most
)

pilots = st.builds(
    dict,
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from([16, 40, 120]),
    workers=st.sampled_from([None, 4, 9]),
    within=st.booleans(),
    segments=st.sampled_from([1, 3]),
)
in_one_segment = pilots.map(lambda p: p | {"segments": 1})


def rows_of(seed: int, size: int, workers: int | None, within: bool, segments: int) -> Rows:
    """Cases of both arms in every segment, with skewed minutes in whole thousandths."""
    rng = np.random.default_rng(seed)
    arm = np.arange(size) % 2
    worker = np.arange(size)
    if workers is not None:
        worker = rng.integers(workers, size=size)
        worker = worker if within else 2 * worker + arm
    return {
        "minutes": (rng.lognormal(2.5, 0.7, size) + 0.5).round(3),
        "arm": arm,
        "unit": worker,
        "segment": np.array([f"s{i}" for i in np.arange(size) // 2 % segments]),
        "outcome": np.where(rng.random(size) < 0.15, "error", "correct"),
        "cost": np.where(arm == 1, rng.lognormal(-1, 0.5, size).round(4), np.nan),
    }


def measured(rows: Rows, *, draws: int = 4000) -> Measured:
    moments = made_moments(**rows)
    return measure(
        moments,
        assumptions=Assumptions(values={}, entries={}),
        assignment="randomised",
        mix={name: 1 / len(moments.segments) for name in moments.segments},
        stand_in=(),
        currency="EUR",
        severity_mix=MIX,
        bias_sd=0.0,
        draws=draws,
        seed=1,
    )


def saved(rows: Rows, *, draws: int = 4000) -> Floats:
    found = measured(rows, draws=draws).scope().minutes_saved
    assert found is not None
    return found


def ends(draws: Floats) -> Floats:
    return np.asarray(np.percentile(draws, [5, 95]))


def width(rows: Rows) -> float:
    return float(np.diff(ends(saved(rows)))[0])


def repeated(rows: Rows, copies: int, *, as_new: bool = False) -> Rows:
    """The same rows over again, by the same workers or by as many new ones who work alike."""
    more = {k: np.tile(v, copies) for k, v in rows.items()}
    if as_new:
        more["unit"] = np.concatenate([rows["unit"] + i * 1000 for i in range(copies)])
    return more


@settings(max_examples=12, deadline=None)
@given(pilots)
def test_relabelling_the_arms_flips_the_sign(pilot):
    """Mean, standard errors and degrees of freedom to rounding; the ends of the interval as far as draws tell, which are
    other draws in either order of the arms."""
    rows = rows_of(**pilot) | {"cost": np.full(pilot["size"], np.nan)}
    one, other = measured(rows), measured(rows | {"arm": 1 - rows["arm"]})
    here, there = one.scope().minutes_saved, other.scope().minutes_saved
    assert there.mean() == pytest.approx(-here.mean(), abs=1e-9)
    errors = [m.cells.deviation["human_minutes"] for m in (one, other)]
    assert errors[1] == pytest.approx(errors[0][::-1], rel=1e-9, nan_ok=True)
    assert other.cells.df == pytest.approx(one.cells.df, rel=1e-6)
    size = float(np.diff(ends(here))[0])
    assert ends(there) == pytest.approx(-ends(here)[::-1], abs=MONTE_CARLO * size)
    for arm in (0, 1):
        rates = one.scope().error_rate[arm], other.scope().error_rate[1 - arm]
        assert rates[1].mean() == pytest.approx(
            rates[0].mean(), abs=1e-4
        )  # cut at 1, few cases lose some digits
        assert ends(rates[1]) == pytest.approx(
            ends(rates[0]), abs=3 * MONTE_CARLO * float(np.ptp(ends(rates[0])))
        )


@settings(max_examples=12, deadline=None)
@given(pilots)
def test_twice_the_minutes_are_twice_the_draws_to_the_bit(pilot):
    rows = rows_of(**pilot)
    one, two = measured(rows).scope(), measured(rows | {"minutes": 2 * rows["minutes"]}).scope()
    assert np.array_equal(two.minutes_saved, 2 * one.minutes_saved)
    for arm in (0, 1):
        assert np.array_equal(two.error_rate[arm], one.error_rate[arm])
    assert np.array_equal(two.agent_cost, one.agent_cost)


@settings(max_examples=12, deadline=None)
@given(pilots, st.sampled_from([3.0, 60.0, 0.7]))
def test_scaled_minutes_are_scaled_draws(pilot, factor):
    rows = rows_of(**pilot)
    here, there = saved(rows), saved(rows | {"minutes": factor * rows["minutes"]})
    assert np.abs(there - factor * here).max() <= 1e-12 * factor * np.abs(here).max()


@settings(max_examples=12, deadline=None)
@given(in_one_segment, st.sampled_from([0.125, 7.0, 500.0]))
def test_minutes_added_to_both_arms_leave_the_difference(pilot, constant):
    """What is estimated and its error to rounding; the interval as far as draws tell.

    An interval that was shortened to keep few workers' minutes above 0 may be longer, and one of workers in both arms,
    or of an arm that is much less known than the other, leans less: that is a matter of the error as a share of the mean.
    """
    rows = rows_of(**pilot)
    one, other = measured(rows), measured(rows | {"minutes": rows["minutes"] + constant})
    here, there = one.scope().minutes_saved, other.scope().minutes_saved
    assert there.mean() == pytest.approx(here.mean(), abs=1e-9)
    errors = [m.cells.deviation["human_minutes"] for m in (one, other)]
    assert errors[1] == pytest.approx(errors[0], rel=1e-9)
    assert other.cells.df == pytest.approx(one.cells.df, rel=1e-6)
    if pilot["workers"] is None or not pilot["within"]:
        size = float(np.diff(ends(here))[0])
        relative = errors[0] / one.cells.point["human_minutes"]
        if (relative.max(axis=0) > MUCH * relative.min(axis=0)).any():
            return
        assert np.diff(ends(there))[0] >= size * 0.99
        if one.cells.df > 20:
            assert ends(there) == pytest.approx(ends(here), abs=MONTE_CARLO * size)


@settings(max_examples=12, deadline=None)
@given(pilots, st.integers(2, 4))
def test_rows_repeated_by_the_same_workers_narrow_no_interval(pilot, copies):
    """Every row over again: more cases of the same people. (Cases without a worker have a unit each, which is kept.)"""
    rows = rows_of(**pilot)
    once, often = measured(rows), measured(repeated(rows, copies))
    here, there = once.scope(), often.scope()
    assert there.minutes_saved.mean() == pytest.approx(here.minutes_saved.mean(), abs=1e-9)
    assert np.diff(ends(there.minutes_saved))[0] >= np.diff(ends(here.minutes_saved))[0] * (1 - MONTE_CARLO)
    assert often.cells.df <= once.cells.df * (1 + 1e-6)
    errors = [m.cells.deviation["human_minutes"] for m in (once, often)]
    if (
        pilot["segments"] == 1
    ):  # in several, a cell trusts its own spread for its units, and lends by its cases
        assert errors[1] == pytest.approx(errors[0], rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("within", [True, False], ids=["both arms", "one arm"])
def test_one_workers_rows_repeated_narrow_no_interval_on_average(within):
    """Of a single pilot they may, for the mean moves towards that worker; over 40 pilots the widths do not shrink."""
    ratios = []
    for seed in range(40):
        rows = rows_of(seed, 60, 6, within, 1)
        mine = rows["unit"] == rows["unit"][0]
        more = {k: np.concatenate([v, v[mine]]) for k, v in rows.items()}
        ratios.append(np.log(width(more) / width(rows)))
    assert np.mean(ratios) > 0


@settings(max_examples=12, deadline=None)
@given(pilots, st.integers(2, 4))
def test_more_workers_of_the_same_kind_narrow_the_interval(pilot, copies):
    """Copies that are others' cases: the interval shrinks, at least by the root of the copies less what draws tell."""
    rows = rows_of(**pilot)
    few, many = width(rows), width(repeated(rows, copies, as_new=True))
    limit = (
        1.0 if pilot["size"] == 16 else 1.1 / np.sqrt(copies)
    )  # of few workers, nobody falls below 0 minutes
    assert many <= limit * few * (1 + MONTE_CARLO)


@settings(max_examples=12, deadline=None)
@given(pilots, st.sampled_from([0, 1]), st.sampled_from([0.0, 5.0]))
def test_an_arm_of_equal_minutes_has_the_other_arms_interval(pilot, arm, same):
    rows = rows_of(**pilot)
    rows["minutes"] = np.where(rows["arm"] == arm, same, rows["minutes"])
    found = measured(rows)
    values = found.scope().minutes_saved
    assert np.isfinite(values).all()
    low, high = ends(values)
    assert low < values.mean() < high
    other = found.cells.values["human_minutes"][1 - arm].mean(axis=0)
    assert high - low >= np.diff(ends(other))[0] * (1 - MONTE_CARLO)


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(pilots, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_bit(pilot, rng):
    """Rows shuffled: segments and workers come in any order."""
    rows = rows_of(**pilot)
    order = list(range(pilot["size"]))
    rng.shuffle(order)
    one, other = measured(rows).scope(), measured({k: v[order] for k, v in rows.items()}).scope()
    assert other.minutes_saved.tobytes() == one.minutes_saved.tobytes()
    assert other.agent_cost.tobytes() == one.agent_cost.tobytes()
    assert [x.tobytes() for x in other.error_rate] == [x.tobytes() for x in one.error_rate]


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(pilots)
def test_names_change_digits_not_estimates(pilot):
    """Sums run over units and segments in the order of their names: other names move last digits, and, where their order
    turns, which draws a segment has; never an estimate or an error."""
    rows = rows_of(**pilot)
    one = measured(rows)
    workers = measured(rows | {"unit": rows["unit"].max() - rows["unit"]})
    size = float(np.diff(ends(one.scope().minutes_saved))[0])
    assert workers.scope().minutes_saved == pytest.approx(
        one.scope().minutes_saved, rel=1e-9, abs=1e-9 * size
    )
    turned = np.array([f"t{9 - int(name[1:])}" for name in rows["segment"]])
    segments = measured(rows | {"segment": turned})
    assert segments.scope().minutes_saved.mean() == pytest.approx(one.scope().minutes_saved.mean(), abs=1e-9)
    errors = [m.cells.deviation["human_minutes"] for m in (one, segments)]
    assert errors[1][:, ::-1] == pytest.approx(errors[0], rel=1e-9)
    assert ends(segments.scope().minutes_saved) == pytest.approx(
        ends(one.scope().minutes_saved), abs=MONTE_CARLO * size
    )


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Parameters at two costs of labour; the share of demand is what `measured` takes it to be."""

    def at(labour: float) -> Any:
        folder = tmp_path_factory.mktemp("parameters")
        changes = {
            "economics": {"labour_cost_per_hour": labour},
            "demand": {"mix": {"a": None, "b": None, "s0": 0.5, "s1": 0.5}},
            "run": {"draws": 2000},
        }
        rows = cases(40, segments={"s0": 0.5, "s1": 0.5})
        policy = {"approved_by": "Board", "smallest_saving_minutes": 0}  # the one threshold that minutes have
        return load_parameters(write_pilot(folder, rows, changes, policy=policy))

    return {labour: at(labour) for labour in (42.0, 21.0)}


def decided(parameters: Any, moments: Moments) -> Decided:
    return decide_moments(parameters, moments, controls=())


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([None, 6]))
def test_twice_the_minutes_at_half_the_labour_cost_are_the_same_case(loaded, seed, workers):
    """The verdict and every draw of the worth: every step from minutes to money is linear in them."""
    rows = rows_of(seed, 60, workers, True, 2)
    one = decided(loaded[42.0], made_moments(**rows))
    two = decided(loaded[21.0], made_moments(**rows | {"minutes": 2 * rows["minutes"]}))
    assert one.scale is not None
    assert two.scale is not None
    assert np.allclose(two.scale.worth, one.scale.worth, rtol=1e-9, atol=1e-6)
    assert two.verdict.verdict == one.verdict.verdict
    assert two.verdict.ground == one.verdict.ground


def record(folder: Path, rows: list[dict[str, Any]], tables: dict[str, list[dict[str, Any]]]) -> str:
    """The record of a pilot written to files, without the hashes of the files' bytes."""
    found = open_pilot(write_pilot(folder, rows, {"run": {"draws": 1000}}, tables=tables)).decision.record
    found = found | {"provenance": {k: v for k, v in found["provenance"].items() if k != "samples_sha256"}}
    return json.dumps(found)


@pytest.mark.slow
def test_the_order_of_rows_in_files_changes_no_byte_of_the_record(tmp_path):
    """Cases and logs shuffled, by segment backwards, and by worker: only the hashes of the files themselves differ."""
    rows = cases(200, workers=6, error_pilot=0.2, severe=0.3)
    logs = controls(rows)
    plain = record(tmp_path / "plain", rows, logs)
    orders = {
        "shuffled": random.Random(1).sample(rows, len(rows)),
        "by segment": sorted(rows, key=lambda r: (r["segment"], r["worker"]), reverse=True),
        "by worker": sorted(rows, key=lambda r: (r["worker"], r["case_id"])),
    }
    for name, order in orders.items():
        turned = {table: random.Random(2).sample(log, len(log)) for table, log in logs.items()}
        assert record(tmp_path / name, order, turned) == plain, name
