"""A part of `benchmarks/monitoring.py` with each change: stable streams raise no action, and a tripling is seen."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))

from monitoring import World, days_to, false_alarms, oracle, within

pytestmark = pytest.mark.slow


def test_stable_streams_raise_no_action_where_naive_tests_do():
    """At most 5 % of 60 (and two Monte-Carlo errors more), at the limit itself."""
    ours, eager, _ = false_alarms(60, World(), 7)
    assert ours <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 60)
    assert eager[0] > 0.5


def test_a_tripling_at_the_limit_is_acted_on_within_thirty_days():
    """At least 80 % of 40 (less two Monte-Carlo errors), and not sooner than who knows both rates."""
    world = World(severe=0.01, severe_after=0.03, limit=0.01, weekends=False)
    days = days_to(40, world, 8, kinds=("pause",))
    assert within(days) >= 0.8 - 2 * np.sqrt(0.8 * 0.2 / 40)
    assert np.median(days) > np.median(oracle(500, 0.01, 0.03, 9))
