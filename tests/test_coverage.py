"""Simulated pilots of known truth: do 90 % intervals hold it 90 % of the time?

Each cell prints what it measured (`pytest -m slow -s tests/test_coverage.py`). These are the cells that
`benchmarks/coverage.py`, which has more of them and more pilots in each, does not have: unequal loads, segments with few
cases, rates and severe errors on their own; and a few that it has, so that a fault is seen at once.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from made_moments import drawn_pilot, made_moments

from roi.cells import cell_draws
from roi.moments import Moments
from roi.rates import draw_rates, severe_errors

pytestmark = pytest.mark.slow

PILOTS = 1000
DRAWS = 1000
ONE = np.ones(1)
MIX = np.array((0.90, 0.09, 0.0095, 0.0005))

SHAPES = ((0.8, 0.1), (1.2, 0.3))  # log-sd and correlation within a worker
CELLS = list(itertools.product((True, False), (4, 10), SHAPES))


def minutes_missed(pilots: list[Moments], truth: float, weights: np.ndarray = ONE) -> tuple[float, float]:
    """How often minutes saved lie below and above their 90 % interval."""
    missed = np.zeros(2)
    for i, pilot in enumerate(pilots):
        values = cell_draws(pilot, weights, draws=DRAWS, seed=i).values["human_minutes"]
        low, high = np.percentile(((values[0] - values[1]) * weights[:, None]).sum(axis=0), [5, 95])
        missed += truth < low, truth > high
    below, above = missed / len(pilots)
    print(f"covered {1 - below - above:.1%}; truth below {below:.1%}, above {above:.1%}")
    return float(below), float(above)


@pytest.mark.parametrize(("within", "workers", "shape"), CELLS)
def test_minutes_saved_with_workers(within: bool, workers: int, shape: tuple[float, float]):
    log_sd, correlation = shape
    rng = np.random.default_rng([workers, within, int(10 * log_sd), int(10 * correlation)])
    how: dict[str, Any] = {"within": within, "log_sd": log_sd, "correlation": correlation}
    pilots = [
        drawn_pilot(rng, cases=20 * workers, workers=workers, error_rates=None, **how) for _ in range(PILOTS)
    ]
    below, above = minutes_missed(pilots, 5.0)
    least = 0.86
    if shape == (1.2, 0.3):  # workers' means are so skewed that few of them rarely include a slow one
        least = 0.80 if workers <= 6 else least
    assert least <= 1 - below - above <= 0.96
    assert below <= 0.065, "the flattering miss: fewer minutes are saved than the interval says"


@pytest.mark.parametrize(("cases", "log_sd"), [(20, 0.5), (50, 1.2), (300, 0.8)])
def test_minutes_saved_without_workers(cases: int, log_sd: float):
    rng = np.random.default_rng([cases, int(10 * log_sd)])
    pilots = [
        drawn_pilot(rng, cases=cases, workers=None, log_sd=log_sd, error_rates=None) for _ in range(PILOTS)
    ]
    below, above = minutes_missed(pilots, 5.0)
    assert 0.86 <= 1 - below - above <= 0.96


@pytest.mark.parametrize(("workers", "within"), [(6, True), (10, False), (20, True)])
def test_minutes_saved_with_unequal_loads(within: bool, workers: int):
    """The k-th worker has 1/k of the first one's cases; with corrections for equal loads, ten were covered 80 to 83 %."""
    rng = np.random.default_rng([workers, within, 7])
    load = 1 / np.arange(1, workers + 1)
    pilots = []
    for _ in range(PILOTS):
        arm = np.arange(200) % 2
        own = [load * (within | (np.arange(workers) % 2 == a)) for a in (0, 1)]
        drawn = np.stack([rng.choice(workers, 200, p=x / x.sum()) for x in own])
        worker = drawn[arm, np.arange(200)]
        sd = 0.8 * np.sqrt(0.1)
        mean = np.array([15.0, 10.0])[arm] * np.exp(rng.normal(-sd * sd / 2, sd, workers))[worker]
        sd = 0.8 * np.sqrt(0.9)
        pilots.append(made_moments(mean * np.exp(rng.normal(-sd * sd / 2, sd, 200)), arm, worker))
    below, above = minutes_missed(pilots, 5.0)
    assert 0.86 <= 1 - below - above <= 0.97


@pytest.mark.parametrize("workers", [None, 4, 10])
def test_minutes_saved_over_segments_with_few_cases(workers: int | None):
    """Four segments, one of which has about four cases in each arm."""
    share = np.array([0.5, 0.3, 0.15, 0.05])
    means = np.array([[15, 10], [30, 22], [8, 7], [20, 10]], dtype=float)
    truth = float((share * (means[:, 0] - means[:, 1])).sum())
    rng = np.random.default_rng([workers or 0, 4])
    pilots = []
    while len(pilots) < PILOTS:
        arm, segment = np.arange(160) % 2, rng.choice(4, 160, p=share)
        if np.unique(2 * segment + arm).size < 8:
            continue
        worker = None if workers is None else rng.integers(workers, size=160)
        effect = np.ones(160)
        if workers is not None:
            effect = np.exp(rng.normal(-0.03, np.sqrt(0.06), workers))[worker]
        minutes = means[segment, arm] * effect * np.exp(rng.normal(-0.32, 0.8, 160))
        pilots.append(made_moments(minutes, arm, worker, segment))
    below, above = minutes_missed(pilots, truth, share)
    assert 0.86 <= 1 - below - above <= 0.96


def rates_missed(rng: np.random.Generator, pilots: int, **how: Any) -> np.ndarray:
    """Misses (below, above) of the 90 % intervals of the baseline's rate, the pilot's and their difference."""
    missed = np.zeros((3, 2))
    truth = how["error_rates"]
    for i in range(pilots):
        error = draw_rates(drawn_pilot(rng, **how), MIX, draws=DRAWS, seed=i).error[:, 0]
        for j, (values, true) in enumerate(
            ((error[0], truth[0]), (error[1], truth[1]), (error[0] - error[1], truth[0] - truth[1]))
        ):
            low, high = np.percentile(values, [5, 95])
            missed[j] += true < low, true > high
    missed /= pilots
    print("; ".join(f"covered {1 - m.sum():.1%} ({m[0]:.1%} below, {m[1]:.1%} above)" for m in missed))
    return missed


@pytest.mark.parametrize("correlation", [0.0, 0.1])
@pytest.mark.parametrize(("workers", "cases"), [(None, 100), (4, 100), (10, 300)])
@pytest.mark.parametrize("error_rates", [(0.2, 0.1), (0.05, 0.05)])
def test_error_rates(correlation: float, workers: int | None, cases: int, error_rates: tuple[float, float]):
    """No upper bar: a correlation of 0.1 is taken for granted, so that uncorrelated cases are covered more often."""
    if workers is None and correlation > 0:
        pytest.skip("cases without workers do not correlate")
    rng = np.random.default_rng([workers or 0, cases, int(100 * error_rates[0])])
    missed = rates_missed(
        rng, 1000, cases=cases, workers=workers, correlation=correlation, error_rates=error_rates
    )
    assert (1 - missed.sum(axis=1) >= 0.86).all()


@pytest.mark.parametrize(("workers", "cases"), [(4, 100), (20, 600)])
def test_error_rates_of_workers_who_differ_much(workers: int, cases: int):
    """Correlation 0.3, of which few workers show little: intervals are too narrow, by no more than this."""
    rng = np.random.default_rng([workers, cases, 3])
    missed = rates_missed(rng, 1000, cases=cases, workers=workers, correlation=0.3, error_rates=(0.2, 0.1))
    assert (1 - missed.sum(axis=1) >= 0.79).all()


@pytest.mark.parametrize("correlation", [0.0, 0.1])
@pytest.mark.parametrize(("workers", "cases"), [(None, 600), (6, 600), (20, 1500)])
@pytest.mark.parametrize("severe", [0.005, 0.02])
def test_the_severe_bound_is_missed_rarely(
    correlation: float, workers: int | None, cases: int, severe: float
):
    """The one-sided 95 % bound lies below the true rate at most 6.5 % of the time."""
    if workers is None and correlation > 0:
        pytest.skip("cases without workers do not correlate")
    rng = np.random.default_rng([workers or 0, cases, int(1000 * severe)])
    everywhere = np.ones(1, dtype=bool)
    missed = 0
    for _ in range(1000):
        pilot = drawn_pilot(
            rng,
            cases=cases,
            workers=workers,
            correlation=correlation,
            error_rates=(0.05, 0.05),
            severities=(0.9 - severe * 20, 0.1, severe * 20, 0.0),
        )
        missed += severe_errors(pilot, everywhere).upper < severe
    print(f"missed {missed / 1000:.1%}")
    assert missed / 1000 <= 0.065
