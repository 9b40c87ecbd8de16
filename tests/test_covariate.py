"""A number known before the work sharpens the comparison: against least squares, by simulation, and where it must not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_moments import made_moments

from roi.cells import CellDraws, cell_draws
from roi.moments import Moments

ONE = np.ones(1)


def pilot(
    seed: int, n: int = 120, workers: int | None = None, slope: float = 1.0, noise: float = 4.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """Minutes, arms, predicted minutes and workers of a pilot that truly saves 5 minutes a case."""
    rng = np.random.default_rng(seed)
    arm = rng.permutation(np.arange(n) % 2)
    x = rng.gamma(4.0, 5.0, n)
    worker = None if workers is None else rng.integers(workers, size=n)
    own = 0.0 if worker is None else rng.normal(0, 2, workers)[worker]
    y = np.maximum(12 + slope * x + own + rng.normal(0, noise, n) - 5 * arm, 0.1)
    return y, arm, x, worker


def drawn(moments: Moments, weights: np.ndarray = ONE, draws: int = 4000) -> CellDraws:
    return cell_draws(moments, weights, draws=draws, seed=1)


@pytest.mark.parametrize("seed", range(4))
def test_the_estimate_is_that_of_the_interacted_regression(seed: int):
    """Lin (2013): the coefficient of the arm in minutes on arm, centred prediction and their product, by least squares."""
    y, arm, x, _ = pilot(seed)
    cells = drawn(made_moments(y, arm, predicted=x))
    centred = x - x.mean()
    design = np.stack([np.ones(y.size), arm, centred, arm * centred], axis=1)
    weights, *_ = np.linalg.lstsq(design, y, rcond=None)
    base, with_agent = cells.point["human_minutes"][:, 0]
    assert with_agent - base == pytest.approx(weights[1], abs=1e-5)
    assert cells.adjusted.slopes == pytest.approx((weights[2], weights[2] + weights[3]), abs=1e-5)


def test_its_error_is_close_to_that_of_the_regression():
    """HC2 errors of the interacted regression, by hand; the common mean adds (slope difference)² × its variance."""
    y, arm, x, _ = pilot(9, n=400)
    cells = drawn(made_moments(y, arm, predicted=x), draws=40_000)
    centred = x - x.mean()
    design = np.stack([np.ones(y.size), arm, centred, arm * centred], axis=1)
    bread = np.linalg.inv(design.T @ design)
    weights = bread @ design.T @ y
    left = y - design @ weights
    leverage = np.einsum("ij,jk,ik->i", design, bread, design)
    meat = (design * (left**2 / (1 - leverage))[:, None]).T @ design
    error = np.sqrt((bread @ meat @ bread)[1, 1] + weights[3] ** 2 * x.var() / x.size)
    values = cells.values["human_minutes"][:, 0]
    assert (values[0] - values[1]).std() == pytest.approx(error, rel=0.02)


def test_the_gain_is_the_share_of_the_variance_that_predictions_explain():
    """Variance of minutes 100 + 16, of which predictions explain 100: a gain of 86 %."""
    y, arm, x, _ = pilot(3, n=2000)
    cells = drawn(made_moments(y, arm, predicted=x))
    assert cells.covariate_gain == pytest.approx(100 / 116, abs=0.03)


def test_useless_predictions_gain_nothing_and_cost_next_to_nothing():
    y, arm, x, _ = pilot(4, n=200, slope=0.0)
    cells = drawn(made_moments(y, arm, predicted=x))
    assert abs(cells.covariate_gain) < 0.03


@pytest.mark.parametrize(
    "predictions", ["alike", "few", "none"], ids=["all the same", "known for half of the cases", "not known"]
)
def test_predictions_that_say_nothing_are_not_used(predictions: str):
    y, arm, x, _ = pilot(5)
    if predictions == "alike":
        x = np.full(x.size, 20.0)
    elif predictions == "few":
        x = np.where(np.arange(x.size) % 4 < 2, x, np.nan)
    else:
        x = np.full(x.size, np.nan)
    cells, plain = drawn(made_moments(y, arm, predicted=x)), drawn(made_moments(y, arm))
    assert cells.adjusted is None
    assert cells.covariate_gain is None
    assert np.array_equal(cells.values["human_minutes"], plain.values["human_minutes"])


def test_a_small_sample_is_not_adjusted():
    y, arm, x, _ = pilot(6, n=30)
    assert drawn(made_moments(y, arm, predicted=x)).adjusted is None


@given(
    seed=st.integers(0, 50), scale=st.sampled_from([0.5, 2.0, 8.0]), shift=st.sampled_from([0.0, 16.0, 256.0])
)
@settings(max_examples=25, deadline=None)
def test_the_unit_of_the_predictions_does_not_matter(seed: int, scale: float, shift: float):
    """Minutes, hours or points: only how they go with the minutes counts."""
    y, arm, x, worker = pilot(seed, n=80, workers=8)
    one = drawn(made_moments(y, arm, worker, predicted=x), draws=200).values["human_minutes"]
    other = drawn(made_moments(y, arm, worker, predicted=scale * x + shift), draws=200).values[
        "human_minutes"
    ]
    assert other == pytest.approx(one, rel=1e-4)


def test_segments_are_adjusted_each_for_itself():
    """Two segments whose predictions differ much: adjusting across them would move their means."""
    rng = np.random.default_rng(8)
    n = 400
    arm, segment = np.arange(n) % 2, (np.arange(n) // 2) % 2
    x = 10.0 + 40.0 * segment + rng.normal(0, 3, n)
    y = x + rng.normal(0, 1, n) - 5 * arm + 20
    names = np.array(["easy", "hard"])[segment]
    cells = drawn(made_moments(y, arm, segment=names, predicted=x), np.array([0.5, 0.5]))
    saved = cells.point["human_minutes"][0] - cells.point["human_minutes"][1]
    assert saved == pytest.approx([5.0, 5.0], abs=0.4)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [None, 6, 12])
def test_adjusted_intervals_hold_the_truth(workers: int | None):
    """90 % intervals of 1,500 simulated pilots, and how much shorter they are than without predictions."""
    missed, width = np.zeros(2), np.zeros(2)
    for seed in range(1500):
        y, arm, x, worker = pilot(seed, n=80, workers=workers)
        for j, predicted in enumerate((x, None)):
            values = drawn(made_moments(y, arm, worker, predicted=predicted), draws=1000).values[
                "human_minutes"
            ][:, 0]
            low, high = np.percentile(values[0] - values[1], [5, 95])
            width[j] += high - low
            if j == 0:
                missed += low > 5.0, high < 5.0
    missed /= 1500
    print(
        f"covered {1 - missed.sum():.1%}, below {missed[0]:.1%}; width {width[0] / width[1]:.2f} of that without"
    )
    assert 0.88 - 0.0155 <= 1 - missed.sum() <= 0.94 + 0.0125
    assert width[0] < 0.6 * width[1]
