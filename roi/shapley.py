"""How much of the way from no change to every change each change goes, whatever the order in which they are made.

Of few changes every order counts, exactly. Of more, orders are drawn by a fixed seed, each together with its reverse:
the gains of any one order add up to the whole, so that the means of several orders do, too.

Source:
    Shapley (1953); Castro, Gómez & Tejada (2009), Computers & Operations Research 36:1726, for drawing orders; Mitchell
    et al. (2022), JMLR 23:43, for taking each with its reverse.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

__all__ = ["MOST_EXACT", "Point", "Shares", "closed", "shares"]

Point = tuple[float, float]
MOST_EXACT = 5  # changes whose every order is tried: 2^5 valuations
VALUATIONS = 64  # about as many where orders are drawn
SEED = 20260101

Shares = dict[str, Point]


def shares(names: Sequence[str], value: Callable[[frozenset[str]], Point]) -> tuple[Shares, int | None]:
    """How much each change does.

    Args:
        names: The changes, each once.
        value: The worth and chance with some changes made and the others not.

    Returns:
        By name its share of worth and of chance, which add up to the whole; and the number of orders they are the mean
        of, None where it is every order.
    """
    n = len(names)
    if n <= MOST_EXACT:
        return _exact(names, value), None
    half = max(1, VALUATIONS // (2 * (n - 1)))
    rng = np.random.default_rng(SEED)
    drawn = [[names[i] for i in rng.permutation(n)] for _ in range(half)]
    orders = [order for one in drawn for order in (one, one[::-1])]
    gains: dict[str, list[Point]] = {name: [] for name in names}
    for order in orders:
        before = value(frozenset())
        for place, name in enumerate(order, start=1):
            after = value(frozenset(order[:place]))
            gains[name].append((after[0] - before[0], after[1] - before[1]))
            before = after
    found = {
        name: (math.fsum(x for x, _ in got) / len(orders), math.fsum(y for _, y in got) / len(orders))
        for name, got in gains.items()
    }
    return found, len(orders)


def _exact(names: Sequence[str], value: Callable[[frozenset[str]], Point]) -> Shares:
    n = len(names)
    found: Shares = {}
    for name in names:
        gains: list[tuple[float, Point, Point]] = []
        for size in range(n):
            weight = 1 / (n * math.comb(n - 1, size))
            for chosen in itertools.combinations(sorted(set(names) - {name}), size):
                others = frozenset(chosen)
                gains.append((weight, value(others), value(others | {name})))
        found[name] = (
            math.fsum(w * (after[0] - before[0]) for w, before, after in gains),
            math.fsum(w * (after[1] - before[1]) for w, before, after in gains),
        )
    return found


def closed(parts: Sequence[Point], whole: Point) -> list[Point]:
    """Parts that add up to a whole to the last digit: what rounding left over goes to the largest.

    Args:
        parts: At least one.
        whole: What they add up to but for rounding.
    """
    columns = []
    for i in (0, 1):
        column = [part[i] for part in parts]
        largest = max(range(len(column)), key=lambda j: abs(column[j]))
        for _ in range(3):
            column[largest] += math.fsum([whole[i], *(-x for x in column)])
        columns.append(column)
    return list(zip(*columns, strict=True))
