"""Many pilots at once: how many of the funded will not pay, and how much the winners owe to luck."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["LEAST_TO_SHRINK", "Shrunk", "expected_failures", "shrink", "step_up"]

Floats = npt.NDArray[np.float64]

LEAST_TO_SHRINK = 4  # fewer pilots say too little of how unlike pilots are


def expected_failures(chances: Floats) -> tuple[float, float | None]:
    """Of pilots that are funded, how many will not pay, and their share.

    Args:
        chances: Chance that each of them pays, shape (n,).

    Returns:
        Their expected number, and the share of all (the Bayesian false discovery rate); None of no pilots.

    Source:
        Newton, Noueiry, Sarkar & Ahlquist (2004), Biostatistics 5:155.
    """
    fails = float(np.sum(1 - chances))
    return fails, fails / chances.size if chances.size else None


def step_up(chances: Floats, share: float) -> npt.NDArray[np.bool_]:
    """Benjamini and Hochberg's rule, the chance of not paying taken as a one-sided p-value.

    Args:
        chances: Shape (n,).
        share: The false discovery rate it is held to, in (0, 1].

    Returns:
        Pilots that it lets pass, shape (n,).

    Source:
        Benjamini & Hochberg (1995), JRSS B 57:289.
    """
    p = 1 - chances
    order = np.argsort(p, kind="stable")
    small = p[order] <= share * np.arange(1, p.size + 1) / max(p.size, 1)
    kept = np.zeros(p.size, dtype=bool)
    kept[order[: int(np.max(np.flatnonzero(small) + 1, initial=0))]] = True
    return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """Worths, shrunk towards what such pilots are worth.

    Attributes:
        mean: Shrunk worths, shape (n,).
        sd: Their standard deviations, shape (n,).
        weight: Weight that each worth's own evidence keeps, shape (n,).
        centre: What such pilots are worth on average.
        spread: Standard deviation between pilots.
    """

    mean: Floats
    sd: Floats
    weight: Floats
    centre: float
    spread: float


def shrink(worth: Floats, sd: Floats) -> Shrunk | None:
    """Shrink worths by how unlike pilots are: of many uncertain worths the largest are too large.

    Args:
        worth: Mean worth of each pilot, shape (n,).
        sd: Its standard deviation, shape (n,); above 0.

    Returns:
        The shrunk worths; None of fewer than four pilots.

    Source:
        Morris (1983), JASA 78:47, for the normal-normal model; Paule & Mandel (1982), J Res NBS 87:377, for the spread.
    """
    if worth.size < LEAST_TO_SHRINK:
        return None
    if not np.all(sd > 0):
        raise ValueError("a worth needs a standard deviation above 0")
    between = _between(worth, sd)
    w = 1 / (between + sd * sd)
    centre = float(np.sum(w * worth) / np.sum(w))
    weight = between / (between + sd * sd)
    return Shrunk(
        mean=centre + weight * (worth - centre),
        # The centre is estimated, too: what is shrunk onto it carries its error.
        sd=np.sqrt(weight * sd * sd + (1 - weight) ** 2 / np.sum(w)),
        weight=weight,
        centre=centre,
        spread=float(np.sqrt(between)),
    )


def _between(worth: Floats, sd: Floats) -> float:
    """The variance between pilots at which the weighted squares are as many as their degrees of freedom."""

    def over(between: float) -> float:
        w = 1 / (between + sd * sd)
        return float(np.sum(w * (worth - np.sum(w * worth) / np.sum(w)) ** 2)) - (worth.size - 1)

    if over(0.0) <= 0:
        return 0.0
    low, high = 0.0, float(np.var(worth)) + float(np.max(sd)) ** 2
    while over(high) > 0:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if over(middle) > 0 else (low, middle)
    return (low + high) / 2
