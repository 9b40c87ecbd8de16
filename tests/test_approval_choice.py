"""Choosing what waits for a person, held against trying every choice."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from roi.approval_choice import cheapest, frontier, least_harm


def made(seed: int) -> tuple[list[np.ndarray], list[np.ndarray], float]:
    """A small problem; every other one of whole numbers, so that there are ties and limits that are just met."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, rng.integers(1, 7))
    cost, harm = ([rng.uniform(0, 9, n) for n in sizes] for _ in range(2))
    if seed % 2:
        cost, harm = [np.round(x) for x in cost], [np.round(x) for x in harm]
    limit = sum(float(x.min()) for x in harm) + (
        rng.uniform(-2, 12) if seed % 2 == 0 else rng.integers(-2, 12)
    )
    return cost, harm, float(limit)


def every(cost: list[np.ndarray], harm: list[np.ndarray]) -> list[tuple[float, float, tuple[int, ...]]]:
    found = []
    for picks in itertools.product(*(range(x.size) for x in cost)):
        c = h = 0.0
        for i, pick in enumerate(picks):
            c, h = c + float(cost[i][pick]), h + float(harm[i][pick])
        found.append((c, h, picks))
    return found


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_the_cheapest_choice_is_that_of_trying_every_one(first):
    for seed in range(first, first + 100):
        cost, harm, limit = made(seed)
        within = [x for x in every(cost, harm) if x[1] <= limit]
        found = cheapest(cost, harm, limit=limit)
        if not within:
            assert found is None
            continue
        best = min(within)
        assert found is not None
        assert (found.cost, found.harm) == best[:2]
        assert (found.cost, found.harm, found.picks) in within
        assert cheapest(cost, harm).cost == min(every(cost, harm))[0]


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_the_frontier_is_that_of_trying_every_choice(first):
    for seed in range(first, first + 100):
        cost, harm, _ = made(seed)
        tried = every(cost, harm)
        wanted = sorted(
            {
                (c, h)
                for c, h, _ in tried
                if not any(d <= c and g <= h and (d, g) != (c, h) for d, g, _ in tried)
            }
        )
        found = frontier(cost, harm)
        assert [(x.cost, x.harm) for x in found] == wanted
        assert all((x.cost, x.harm, x.picks) in tried for x in found)
        least = min((h, c) for c, h, _ in tried)
        assert (least_harm(cost, harm).harm, least_harm(cost, harm).cost) == pytest.approx(least)


def test_a_choice_by_hand():
    """Two kinds: not gating costs (in errors) 10 and 6, gating 4 and 7; harms 3 and 2, gated 1 and 1.

    Free: gate the first only, 4 + 6 = 10, harm 1 + 2 = 3. With at most 2 of harm both have to be: 4 + 7 = 11.
    """
    cost, harm = [np.array([10.0, 4.0]), np.array([6.0, 7.0])], [np.array([3.0, 1.0]), np.array([2.0, 1.0])]
    free = cheapest(cost, harm)
    assert free is not None
    assert (free.picks, free.cost, free.harm) == ((1, 0), 10.0, 3.0)
    held = cheapest(cost, harm, limit=2.0)
    assert held is not None
    assert (held.picks, held.cost, held.harm) == ((1, 1), 11.0, 2.0)
    assert cheapest(cost, harm, limit=1.9) is None
    assert [x.picks for x in frontier(cost, harm)] == [(1, 0), (1, 1)]


def test_large_problems_are_exact_too():
    """20 kinds of 12 options, whole numbers below 20: held against a table over every sum of costs."""
    rng = np.random.default_rng(7)
    cost = [np.round(rng.uniform(0, 20, 12)) for _ in range(20)]
    harm = [np.round(rng.uniform(0, 20, 12)) for _ in range(20)]
    least = np.full(401, np.inf)
    least[0] = 0.0
    for c, h in zip(cost, harm, strict=True):
        further = np.full(401, np.inf)
        for i in range(c.size):
            step = int(c[i])
            further[step:] = np.minimum(further[step:], least[: 401 - step] + h[i])
        least = further
    lowest = least_harm(cost, harm).harm
    for limit in (lowest, lowest + 7, lowest + 30, lowest + 90):
        found = cheapest(cost, harm, limit=limit)
        assert found is not None
        assert found.cost == float(np.flatnonzero(least <= limit)[0])


def test_what_is_no_number_is_refused():
    one = [np.array([1.0])]
    assert cheapest(one, one, limit=float("nan")) is None
    for bad in ([np.array([np.nan])], [np.array([])], [np.array([[1.0]])]):
        with pytest.raises(ValueError, match=r"kind|finite"):
            cheapest(bad, bad)
    with pytest.raises(ValueError, match="2 kinds"):
        frontier(one * 2, one)
