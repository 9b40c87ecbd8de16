"""How soon an increase would be seen: by hand, by properties, and against the sequences themselves."""

from __future__ import annotations

import numpy as np
import pytest

from roi.detection import DAYS, QUIET, days_to_see
from roi.sequences import log_evidence, log_growth, rate_bets, start_weights


def test_a_rate_that_is_certain_is_seen_on_the_day_that_arithmetic_says() -> None:
    """Every one of 400 cases a day is a hit: the first day alone multiplies the bets by far more than is needed.

    By hand: a hit multiplies the bet on 10 times the odds of 1 % by 1 + b · 0.99 / 0.01, b = (q − 0.01) / 0.99 with
    q = 0.1 / 1.09 = 0.0917, so by 9.17; 400 hits by 10^385, of a stake of 0.75 / 365 · 0.1: seen on day 1.
    """
    found = days_to_see([(0.01, 0.01)], 0.0, 0.999, 400.0, streams=20)
    assert (found.half, found.most, found.seen) == (1, 1, 1.0)


def test_the_wealth_is_that_of_the_sequences() -> None:
    """With cases as units, the closed form over a day is what `log_growth` sums up."""
    limit = 0.02
    bets = rate_bets(limit)
    total = np.array([1.0] * 3 + [0.0] * 37)
    by_case = log_growth(
        np.zeros(40, dtype=np.int64), total, np.full(40, limit), scale=limit, bets=list(bets), days=1
    )[:, 0]
    stake = np.array(list(bets))
    assert by_case == pytest.approx(3 * np.log1p(stake * (1 - limit) / limit) + 37 * np.log1p(-stake))
    assert log_evidence(by_case[:, None], list(bets.values()), start_weights(1)).shape == (1,)


def test_more_cases_a_larger_rise_and_a_milder_level_are_seen_sooner() -> None:
    base = days_to_see([(0.01, 0.01)], 0.01, 0.03, 20.0)
    more = days_to_see([(0.01, 0.01)], 0.01, 0.03, 60.0)
    larger = days_to_see([(0.01, 0.01)], 0.01, 0.06, 20.0)
    milder = days_to_see([(0.01, 0.04)], 0.01, 0.03, 20.0)
    both = days_to_see([(0.01, 0.01), (0.005, 0.01)], 0.004, 0.03, 20.0)
    assert base.half is not None
    assert base.most is not None
    for other in (more, larger, milder, both):
        assert other.half is not None
        assert other.half < base.half
    assert base.half <= base.most


def test_what_cannot_be_seen_within_a_year_is_none_and_not_a_number() -> None:
    found = days_to_see([(0.01, 0.01)], 0.0, 0.011, 0.5)
    assert (found.half, found.most) == (None, None)
    assert found.seen < 0.05
    assert DAYS == 365
    assert QUIET == 30


def test_the_same_inputs_give_the_same_days() -> None:
    assert days_to_see([(0.01, 0.01)], 0.01, 0.03, 20.0) == days_to_see([(0.01, 0.01)], 0.01, 0.03, 20.0)


@pytest.mark.parametrize(
    ("asked", "before", "rate", "per_day"),
    [
        ([], 0.0, 0.1, 1.0),
        ([(0.01, 0.01)], 0.0, 0.1, 0.0),
        ([(0.01, 0.01)], 0.0, float("nan"), 1.0),
        ([(0.01, 1.0)], 0.0, 0.1, 1.0),
        ([(0.0, 0.01)], 0.0, 0.1, 1.0),
    ],
)
def test_what_is_outside_its_range_is_refused(
    asked: list[tuple[float, float]], before: float, rate: float, per_day: float
) -> None:
    with pytest.raises(ValueError, match=r"."):
        days_to_see(asked, before, rate, per_day)


@pytest.mark.slow
def test_the_benchmark_of_forty_cases_a_day_is_seen_in_time() -> None:
    """Limit 1 %, tripling, 40 cases a day, the level that all cases have: within 30 days in 8 of 10."""
    found = days_to_see([(0.01, 0.05 * 0.45 * 0.6)], 0.01, 0.03, 40.0, streams=500)
    assert found.most is not None
    assert found.most <= 30
