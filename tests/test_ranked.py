"""Slopes over ranked draws, and what is remembered of draws: the same as numpy says, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from roi.ranked import Scores
from roi.same import somewhere


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("made", [np.exp, np.round, np.sign, np.zeros_like])
def test_a_slope_is_numpys_to_the_last_bit(seed, made):
    rng = np.random.default_rng(seed)
    scores = Scores.of(made(rng.normal(size=2000)))
    values = rng.normal(size=scores.middle.size)
    wanted = np.gradient(values, scores.middle) if values.size > 1 else np.zeros(1)
    assert scores.slope(values).tobytes() == wanted.tobytes()


def test_places_that_are_evenly_apart_are_no_other_case():
    middle, values = np.linspace(-1, 1, 9), np.arange(9.0) ** 3 / 7
    scores = Scores(each=middle, group=np.arange(9), size=np.ones(9, dtype=np.int64), middle=middle)
    assert scores.slope(values).tobytes() == np.gradient(values, middle).tobytes()


def test_a_slope_by_hand():
    """Places 0, 1 and 3 with values 0, 1 and 9: 1 and 4 at the ends; between, (2·1/1 + 1·8/2)/3 = 2."""
    ones = np.ones(3, dtype=np.int64)
    scores = Scores(each=np.zeros(3), group=np.arange(3), size=ones, middle=np.array([0.0, 1.0, 3.0]))
    assert scores.slope(np.array([0.0, 1.0, 9.0])) == pytest.approx([1, 2, 4])


def test_whether_draws_are_above_nothing_anywhere():
    assert somewhere(np.array([0.0, 1e-9]))
    assert not somewhere(np.array([0.0, -1.0, np.nan]))
    assert somewhere(0.1)
    assert not somewhere(0.0)
    assert not somewhere(float("nan"))
