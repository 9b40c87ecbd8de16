"""Choosing one option of each kind: the cheapest choice under a limit, and every choice that none beats, both exactly.

Whatever is chosen of one kind adds to a cost and to a harm, whatever is chosen of the others. The cheapest choice whose
harm keeps to a limit is then a multiple-choice knapsack. Kinds are taken one after the other, and of the choices so far
only those are kept that no other beats in both sums: what beats a choice now still beats it after any further kinds. A
price of harm (a Lagrange multiplier) tells in advance which of them cannot become the cheapest any more.

Source:
    Nemhauser & Ullmann (1969), Management Science 15:494, on dominance; Sinha & Zoltners (1979), Operations Research
    27:503, on the multiple-choice knapsack and its bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Choice", "cheapest", "frontier", "least_harm"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SLACK = 1e-9  # relative; bounds are summed in another order than choices, and must never cut off an optimum


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An option of each kind.

    Attributes:
        picks: Index of the option of each kind.
        cost: Sum of their costs.
        harm: Sum of their harms.
    """

    picks: tuple[int, ...]
    cost: float
    harm: float


def cheapest(cost: Sequence[Floats], harm: Sequence[Floats], *, limit: float = np.inf) -> Choice | None:
    """The choice of least cost whose harm is at most `limit`; of equals the one of less harm, then of lower options.

    Args:
        cost: Of each kind, the cost of its options, shape (options,), finite.
        harm: Of each kind, their harms likewise.
        limit: The most harm; infinite for none.

    Returns:
        The choice; None where no choice keeps to the limit.
    """
    _check(cost, harm)
    if not least_harm(cost, harm).harm <= limit:
        return None
    picks = _at_price(cost, harm, 0.0)
    found = _sum(cost, harm, picks)
    if found.harm <= limit:
        return found
    price, incumbent = _price(cost, harm, limit)
    return _searched(cost, harm, limit, price, incumbent)


def least_harm(cost: Sequence[Floats], harm: Sequence[Floats]) -> Choice:
    """The choice of least harm; of equals the cheapest."""
    _check(cost, harm)
    picks = tuple(int(np.lexsort((c, h))[0]) for c, h in zip(cost, harm, strict=True))
    return _sum(cost, harm, picks)


def frontier(cost: Sequence[Floats], harm: Sequence[Floats]) -> tuple[Choice, ...]:
    """Every choice to which none is as cheap with less harm or cheaper with as little, by rising cost; of equals one.

    Args:
        cost: Of each kind, the cost of its options, shape (options,), finite.
        harm: Of each kind, their harms likewise.
    """
    _check(cost, harm)
    steps: list[tuple[Ints, Ints]] = []
    c, h = np.zeros(1), np.zeros(1)
    for own_cost, own_harm in zip(cost, harm, strict=True):
        c, h, step = _step(c, h, own_cost, own_harm)
        steps.append(step)
    return tuple(Choice(picks=_picks(steps, i), cost=float(c[i]), harm=float(h[i])) for i in range(c.size))


def _check(cost: Sequence[Floats], harm: Sequence[Floats]) -> None:
    if len(cost) != len(harm):
        raise ValueError(f"{len(cost)} kinds have a cost and {len(harm)} a harm")
    for c, h in zip(cost, harm, strict=True):
        if not (c.ndim == 1 and c.size >= 1 and c.shape == h.shape):
            raise ValueError("a kind needs at least one option, and a cost and a harm of each")
        if not (np.isfinite(c).all() and np.isfinite(h).all()):
            raise ValueError("costs and harms are finite numbers")


def _sum(cost: Sequence[Floats], harm: Sequence[Floats], picks: Sequence[int]) -> Choice:
    c = h = 0.0
    for i, pick in enumerate(picks):  # in this order everywhere, so that sums are the same to the last digit
        c, h = c + float(cost[i][pick]), h + float(harm[i][pick])
    return Choice(picks=tuple(picks), cost=c, harm=h)


def _at_price(cost: Sequence[Floats], harm: Sequence[Floats], price: float) -> tuple[int, ...]:
    """What is cheapest of each kind where harm has a price; of equals what harms less."""
    return tuple(int(np.lexsort((h, c + price * h))[0]) for c, h in zip(cost, harm, strict=True))


def _price(cost: Sequence[Floats], harm: Sequence[Floats], limit: float) -> tuple[float, float]:
    """A price of harm that bounds costs from below well, and the cost of the best choice met while looking for it."""
    low, high = 0.0, 1.0
    best = least_harm(cost, harm).cost
    for _ in range(200):
        found = _sum(cost, harm, _at_price(cost, harm, high))
        if found.harm <= limit:
            break
        low, high = high, high * 4
    for _ in range(60):
        price = (low + high) / 2
        found = _sum(cost, harm, _at_price(cost, harm, price))
        if found.harm <= limit:
            best, high = min(best, found.cost), price
        else:
            low = price
    return high, best


def _searched(
    cost: Sequence[Floats], harm: Sequence[Floats], limit: float, price: float, incumbent: float
) -> Choice:
    """The cheapest choice within the limit, among those that a bound does not rule out."""
    least = np.array([h.min() for h in harm])
    bound = np.array([(c + price * h).min() for c, h in zip(cost, harm, strict=True)])
    size = sum(float(np.abs(c).max() + price * np.abs(h).max()) for c, h in zip(cost, harm, strict=True))
    harm_slack = SLACK * (sum(float(np.abs(h).max()) for h in harm) + abs(limit))
    cost_slack = SLACK * (size + abs(incumbent) + price * abs(limit))
    steps: list[tuple[Ints, Ints]] = []
    c, h = np.zeros(1), np.zeros(1)
    for i, (own_cost, own_harm) in enumerate(zip(cost, harm, strict=True)):
        c, h, (before, pick) = _step(c, h, own_cost, own_harm)
        rest = h + least[i + 1 :].sum() <= limit + harm_slack
        rest &= c + price * (h - limit) + bound[i + 1 :].sum() <= incumbent + cost_slack
        c, h = c[rest], h[rest]
        steps.append((before[rest], pick[rest]))
    within = np.flatnonzero(h <= limit)
    i = int(within[0])  # the cheapest: they come by rising cost
    return Choice(picks=_picks(steps, i), cost=float(c[i]), harm=float(h[i]))


def _step(
    cost: Floats, harm: Floats, own_cost: Floats, own_harm: Floats
) -> tuple[Floats, Floats, tuple[Ints, Ints]]:
    """Add one kind to the choices so far, and keep what no other beats, by rising cost and falling harm."""
    c = (cost[:, None] + own_cost).ravel()
    h = (harm[:, None] + own_harm).ravel()
    order = np.lexsort((h, c))
    least = np.minimum.accumulate(h[order])
    kept = np.ones(order.size, dtype=bool)
    kept[1:] = h[order][1:] < least[:-1]
    order = order[kept]
    before, pick = np.divmod(order, own_cost.size)
    return c[order], h[order], (before, pick)


def _picks(steps: Sequence[tuple[Ints, Ints]], i: int) -> tuple[int, ...]:
    """The options behind the choice with this number after the last step."""
    found = []
    for before, pick in reversed(steps):
        found.append(int(pick[i]))
        i = int(before[i])
    return tuple(reversed(found))
