"""Shares of a variance against functions whose shares are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roi.drivers import check_of
from roi.variance import first_order, group_shares, line_shares, own_part, total_share

N = 20_000


def uniform(n: int, *seeds: int) -> list[np.ndarray]:
    return [np.random.default_rng(s).random(n) for s in seeds]


def test_ishigami_by_drawing_again():
    """sin x + 7 sin² y + 0.1 z⁴ sin x on (-π, π): totals 0.5576, 0.4424, 0.2437 (Ishigami & Homma 1990)."""
    x, y, z = (np.pi * (2 * u - 1) for u in uniform(N, 1, 2, 3))

    def model(changes):
        a, b, c = (changes.get(k, v) for k, v in (("x", x), ("y", y), ("z", z)))
        return np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a)

    worth = model({})
    order = np.random.default_rng(4).permutation(N)
    for key, values, total in (("x", x, 0.5576), ("y", y, 0.4424), ("z", z, 0.2437)):
        found, error = total_share(worth, model({key: values[order]}))
        assert found == pytest.approx(total, abs=4 * error)
        assert error < 0.02
    groups = group_shares(model, {"x": {"x": x}, "y": {"y": y}, "z": {"z": z}}, worth, seed=1)
    assert groups["x"].first_order == pytest.approx(0.3139, abs=0.03)
    assert groups["y"].first_order == pytest.approx(0.4424, abs=0.03)
    assert groups["z"].first_order == pytest.approx(0.0, abs=0.03)
    # x and z share what they bring about together: 0.2437 split evenly.
    assert groups["x"].shapley == pytest.approx(0.3139 + 0.2437 / 2, abs=0.03)
    assert groups["z"].shapley == pytest.approx(0.2437 / 2, abs=0.03)
    assert sum(s.shapley or 0 for s in groups.values()) == pytest.approx(1, abs=1e-12)
    assert check_of(groups)["ok"]


def test_a_product_by_hand_in_closed_form():
    """x · y with means 2 and 3 and variances 0.25 and 1: the variance is 4 · 1 + 9 · 0.25 + 0.25 = 6.5."""
    rng = np.random.default_rng(5)
    x, y = rng.normal(2, 0.5, 400_000), rng.normal(3, 1, 400_000)
    share = line_shares(y, x, float((x * y).var()))
    assert share.first_order == pytest.approx(9 * 0.25 / 6.5, abs=0.005)
    assert share.total == pytest.approx((9 + 1) * 0.25 / 6.5, abs=0.005)
    assert first_order(x * y, y) == pytest.approx(4 / 6.5, abs=0.005)


def test_quantities_drawn_together_keep_what_they_have_in_common():
    """x + y with correlation 0.6: alone each explains (1 + 0.6)² / 3.2 = 0.8, and adds (1 - 0.36) / 3.2 = 0.2."""
    rng = np.random.default_rng(6)
    x = rng.normal(size=N)
    y = 0.6 * x + 0.8 * rng.normal(size=N)
    told, own = own_part([x, y], 0)
    assert told + own == pytest.approx(x)
    again = told + own[rng.permutation(N)]
    total, error = total_share(x + y, again + y)
    assert total == pytest.approx(0.2, abs=4 * error)
    assert first_order(x + y, x) == pytest.approx(0.8, abs=0.01)


def test_nothing_varies():
    flat = np.ones(100)
    assert first_order(flat, flat) == 0
    assert total_share(flat, flat) == (0.0, 0.0)
    assert group_shares(lambda changes: flat, {"a": {"x": flat}}, flat, seed=1) == {}


def test_noise_explains_nothing():
    a, b = uniform(2000, 7, 8)
    assert first_order(a, b) < 0.01


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=4), st.floats(0, 3), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_shares_of_groups_are_as_they_must_be(weights, together, seed):
    """Sums and one product: first-order shares add up to at most 1, totals to at least 1, Shapley's to 1."""
    rng = np.random.default_rng(seed)
    inputs = {f"x{i}": rng.normal(1, 1, 1000) for i in range(len(weights))}

    def model(changes):
        x = [changes.get(k, v) for k, v in inputs.items()]
        return sum(w * v for w, v in zip(weights, x, strict=True)) + together * x[0] * x[1] + 1e-3 * x[0]

    groups = group_shares(model, {k: {k: v} for k, v in inputs.items()}, model({}), seed=seed)
    assert sum(s.shapley or 0 for s in groups.values()) == pytest.approx(1, abs=1e-9)
    assert check_of(groups)["ok"]
