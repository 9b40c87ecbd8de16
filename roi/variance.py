"""How much of the spread of a worth each input and each group of inputs is behind.

A **first-order** share is what the worth would lose of its variance on average if that input alone were known; a
**total** share is what would be left of it if everything else were known. Groups do not depend on each other: what was
measured is drawn together, what is stated is drawn by itself. Their shares count every group in every order (Shapley):
what several bring about together is split evenly, and they add up to the whole.

Source:
    Sobol' (1993), Mathematical Modelling and Computational Experiments 1:407; Homma & Saltelli (1996), Reliability
    Engineering & System Safety 52:1; Jansen (1999), Computer Physics Communications 117:35 (totals by drawing again);
    Owen (2014), SIAM/ASA Journal on Uncertainty Quantification 2:245 (Shapley).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.draws import stream
from roi.sampling import Basis

__all__ = ["Share", "first_order", "group_shares", "line_shares", "own_part", "total_share"]

Floats = npt.NDArray[np.float64]
DEGREE = 2
Model = Callable[[Mapping[str, Floats]], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Shares of a variance.

    Attributes:
        first_order: Of one input or group alone.
        total: Of all that it has a part in.
        error: Standard error of the total, from the number of draws.
        first_error: Of the first-order share; None where it is no less certain than the total.
        shapley: Its part when what several bring about together is split evenly; None for single inputs.
    """

    first_order: float
    total: float
    error: float
    first_error: float | None = None
    shapley: float | None = None


def line_shares(slope: Floats, values: Floats, variance: float) -> Share:
    """Shares of an independent input in which each draw's worth is a straight line.

    With worth = a + b · x and x independent of a and b, the mean given x is ā + b̄ · x and the variance given all else
    is b² · var(x): both are exact but for the averages over b.

    Args:
        slope: b, shape (n_draws,).
        values: x, shape (n_draws,).
        variance: Of the worth, above 0.
    """
    of_x = float(values.var()) / variance
    squares = slope * slope
    return Share(
        first_order=float(slope.mean()) ** 2 * of_x,
        total=float(squares.mean()) * of_x,
        error=float(squares.std()) * of_x / math.sqrt(slope.size),
    )


def first_order(worth: Floats, values: Floats) -> float:
    """Share of the variance that an input explains: a parabola through the draws, less what chance explains.

    Args:
        worth: Shape (n_draws,).
        values: Shape (n_draws,).
    """
    n, variance = worth.size, float(worth.var())
    if not (variance > 0 and float(np.ptp(values)) > 0):
        return 0.0
    told = Basis([values], degree=DEGREE).split(worth)
    share = float(told.said().var()) / variance
    return max(0.0, 1 - (1 - share) * (n - 1) / (n - 1 - DEGREE))


def total_share(worth: Floats, again: Floats) -> tuple[float, float]:
    """Share of the variance that is left where everything but some inputs is known, and its standard error.

    Args:
        worth: Shape (n_draws,).
        again: The same with these inputs drawn again and the others kept, shape (n_draws,).
    """
    variance = float(worth.var())
    if not variance > 0:
        return 0.0, 0.0
    halves = (worth - again) ** 2 / (2 * variance)
    return float(halves.mean()), float(halves.std()) / math.sqrt(halves.size)


def own_part(values: Sequence[Floats], place: int) -> tuple[Floats, Floats]:
    """What the other quantities tell of one of them, by regression in straight lines, and what they do not.

    Args:
        values: Quantities that were drawn together, each shape (n_draws,).
        place: Which of them.

    Returns:
        The part that the others tell, and the rest; they add up to the quantity.
    """
    own = values[place]
    others = [v - v.mean() for i, v in enumerate(values) if i != place and float(np.ptp(v)) > 0]
    others = [v / float(v.std()) for v in others]
    if not others:
        return np.full_like(own, own.mean()), own - own.mean()
    gram = np.array([[float((u * v).mean()) for v in others] for u in others])
    target = np.array([float((u * own).mean()) for u in others])
    weights = np.linalg.solve(gram + 1e-9 * np.eye(len(others)), target)
    told = np.full_like(own, own.mean())
    for weight, v in zip(weights, others, strict=True):
        told = told + weight * v
    return told, own - told


def group_shares(
    model: Model, groups: Mapping[str, Mapping[str, Floats]], worth: Floats, *, seed: int
) -> dict[str, Share]:
    """Shares of groups of inputs that do not depend on each other, whatever the inputs of a group have in common.

    Every set of groups is drawn again, the others kept: that the same draws serve in another order is what drawing
    again means here, so the share of each set costs one valuation.

    Args:
        model: The worth with some inputs at other draws.
        groups: The inputs of each group by key, each shape (n_draws,).
        worth: The worth as drawn, shape (n_draws,).
        seed: Seed of the run.

    Returns:
        By group; empty where nothing varies.
    """
    names = tuple(name for name, inputs in groups.items() if inputs)
    if not names or not float(worth.var()) > 0:
        return {}
    orders = {name: stream(seed, f"variance:{name}").permutation(worth.size) for name in names}
    totals: dict[frozenset[str], tuple[float, float]] = {frozenset(): (0.0, 0.0)}
    for size in range(1, len(names) + 1):
        for chosen in itertools.combinations(names, size):
            again = {k: x[orders[name]] for name in chosen for k, x in groups[name].items()}
            totals[frozenset(chosen)] = total_share(worth, model(again))
    everything = frozenset(names)
    # What all of them bring about is the whole; that drawing it again misses it a little is the draws' own error.
    whole = totals[everything][0] or 1.0

    def known(some: frozenset[str]) -> float:
        """Share of the variance that knowing some groups takes away."""
        return 1.0 - totals[everything - some][0] / whole

    found = {}
    for name in names:
        others = [n for n in names if n != name]
        shapley = math.fsum(
            (known(frozenset(some) | {name}) - known(frozenset(some)))
            / (len(names) * math.comb(len(others), size))
            for size in range(len(names))
            for some in itertools.combinations(others, size)
        )
        total, error = totals[frozenset({name})]
        found[name] = Share(
            first_order=max(0.0, known(frozenset({name}))),
            total=total / whole,
            error=error / whole,
            first_error=totals[everything - {name}][1] / whole,
            shapley=shapley,
        )
    return found
