"""A verdict that is looked at every month until it says scale says so too often: what each further look asks for.

One look scales at a chance of at least P. A truth one standard error below the hurdle then passes with the chance
1 − Φ(z(P) + 1), 3.3 % at 80 %. With L looks at data that grow by equal parts, the chance that scale needs is raised
until a truth one standard error (of all the data) below the hurdle passes at any of them as rarely as with one look.
One bound serves all of the looks, so that it may be announced before the first.

Source:
    Armitage, McPherson & Rowe (1969), JRSS A 132:235, for the recursion over looks; Pocock (1977), Biometrika 64:191,
    for one bound at every look; Lan & DeMets (1983), Biometrika 70:659, for looks at other times than planned.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from roi.special import ndtr, ndtri

__all__ = ["MOST_LOOKS", "chance_needed", "passing_chance", "words_of"]

Floats = npt.NDArray[np.float64]

MOST_LOOKS = 60  # data watched more often than that are for control charts, not for a verdict
BELOW = 1.0  # standard errors below the hurdle at which the error is held
REACH = 7.0  # standard deviations of a path that are followed below its drift
STRETCH = 3.0  # of standard deviations of a step, integrated with ten points
NODES, WEIGHTS = np.polynomial.legendre.leggauss(10)


def passing_chance(bound: float, looks: int, drift: float) -> float:
    """Chance that the standardised estimate exceeds a bound at any of several looks at equally growing data.

    Args:
        bound: The bound at every look, in standard errors of that look.
        looks: Number of looks, at least 1.
        drift: True worth over the hurdle in standard errors of the last look.

    Returns:
        In [0, 1], to about 1e-6.

    Raises:
        ValueError: If there is no look.
    """
    if not looks >= 1:
        raise ValueError(f"{looks} looks")
    # The path of sums of data has independent steps of variance 1; the last look's standardised mean is `drift`.
    step = drift / np.sqrt(looks)
    stayed = float(ndtr(bound - step))
    x, weight = _stretch(bound, step, 1)
    density = weight * _normal(x - step)
    for look in range(2, looks + 1):
        y, weight = _stretch(bound, step, look)
        moves = _normal(y[:, None] - x[None, :] - step)
        density = weight * (moves * density[None, :]).sum(axis=1)
        stayed = float(density.sum())
        x = y
    return 1 - stayed


def _stretch(bound: float, step: float, look: int) -> tuple[Floats, Floats]:
    """Gauss-Legendre points and weights over the sums that have not passed, shape (points,) each."""
    root = np.sqrt(look)
    low, high = min(step * look - REACH * root, bound * root - 1), bound * root
    parts = int(np.ceil((high - low) / STRETCH))
    edges = np.linspace(low, high, parts + 1)
    half = np.diff(edges) / 2
    points = (edges[:-1, None] + half[:, None] * (NODES + 1)).ravel()
    return points, (half[:, None] * WEIGHTS).ravel()


def _normal(x: Floats) -> Floats:
    return np.asarray(np.exp(-x * x / 2) / np.sqrt(2 * np.pi), dtype=np.float64)


@lru_cache(maxsize=256)
def chance_needed(scale_probability: float, looks: int) -> float:
    """The chance that scale needs at each of several looks.

    Args:
        scale_probability: The chance that it needs at a single look.
        looks: Looks at this pilot's data in all.

    Returns:
        `scale_probability` with one look; more with more, below 1 unless that is 1.

    Raises:
        ValueError: If `looks` is outside 1 to 60.
    """
    if not 1 <= looks <= MOST_LOOKS:
        raise ValueError(f"{looks} looks")
    if looks == 1 or not 0 < scale_probability < 1:
        return scale_probability
    single = float(ndtri(scale_probability))
    target = float(ndtr(-(single + BELOW)))
    low, high = single, single + 3.0
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if passing_chance(middle, looks, -BELOW) > target else (low, middle)
    return round(float(ndtr(high)), 4)


def words_of(looks: int, scale_probability: float, *, stated: int | None = None) -> str | None:
    """What the looks ask for, in a sentence; None with one look.

    Args:
        looks: Looks at this pilot's data in all.
        scale_probability: The chance that scale needs at a single look.
        stated: Looks that the parameter file states, where a ledger may have counted more.
    """
    if looks == 1:
        return None
    needed = 100 * chance_needed(scale_probability, looks)
    # Rounded up: what is said to be enough has to be enough.
    text = f"{np.ceil(round(needed, 2)):.0f}" if needed < 99 else f"{needed:.2f}"
    usual = f"{100 * scale_probability:.0f} %"
    whose = "" if stated is None or stated >= looks else f" in the ledger, where the file states {stated}"
    return f"Counted as {looks} looks at its data{whose}: scale needs a chance of {text} %, not {usual}."
