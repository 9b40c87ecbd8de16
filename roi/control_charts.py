"""Control charts by day or week: XmR of means, Laney's p' of shares, u of rare events. They show; they raise no action.

A chart's limits come from a stated stretch of points at its start, and stay: they are taken anew only at a day that the
caller names, such as that of a change of the agent. Two rules mark a point, and no others:

- ``outside``: it lies beyond a limit, three standard deviations of routine variation from the centre;
- ``eight on one side``: it and the seven before it lie on one side of the centre.

A stable chart marks about one point in 150, so that looked at long enough each of them marks some. What is acted on is
decided by `sequences`.

Source:
    Wheeler (2000), Understanding Variation, for XmR; Laney (2002), Quality Engineering 14:531, for p'; Montgomery
    (2009), Introduction to Statistical Quality Control, section 7.3.2, for u.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["FEWEST", "RULES", "Chart", "Kind", "Mark", "Regime", "p_prime", "u", "xmr"]

Floats = npt.NDArray[np.float64]
Kind: TypeAlias = Literal["XmR", "p'", "u"]

RULES = ("outside", "eight on one side")
FEWEST = 8  # points that limits are taken from; with fewer a regime has none
RUN = 8
D2 = 1.128  # mean of the range of two normal values, in standard deviations
D4 = 3.267  # upper limit of a moving range, in mean moving ranges


@dataclass(frozen=True, slots=True)
class Mark:
    """A point that a rule marks.

    Attributes:
        point: Its index.
        rule: One of `RULES`.
        side: "above" or "below" the centre.
    """

    point: int
    rule: str
    side: str


@dataclass(frozen=True, slots=True)
class Regime:
    """A stretch of points with limits of their own.

    Attributes:
        first: Its first point.
        last: Its last point.
        baseline: Points that its limits were taken from; 0 where it has none.
        centre: Their mean; None without limits.
        sigma: Of routine variation: that of a value (XmR), or by how much shares vary more than chance has it (Laney's
            sigma z; 1 for u); None without limits.
    """

    first: int
    last: int
    baseline: int
    centre: float | None
    sigma: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart; not a number is what is not known.

    Attributes:
        kind: Which.
        value: By point, shape (points,); not a number where nothing was counted.
        centre: Shape (points,).
        low: Lower limit, shape (points,).
        high: Upper limit, shape (points,).
        moving_range: XmR only, shape (points,): how far each value is from the one before.
        range_high: XmR only, its upper limit, shape (points,).
        marks: What the rules mark, in order.
        regimes: Stretches with limits of their own.
    """

    kind: Kind
    value: Floats
    centre: Floats
    low: Floats
    high: Floats
    moving_range: Floats | None
    range_high: Floats | None
    marks: tuple[Mark, ...]
    regimes: tuple[Regime, ...]


def xmr(value: Floats, *, baseline: int, again_at: Sequence[int] = (), least: float | None = 0.0) -> Chart:
    """A chart of single values: mean ± 3 · mean moving range / 1.128.

    Args:
        value: By point, shape (points,); not a number where there is none.
        baseline: Points with a value from the start of a regime that its limits are taken from.
        again_at: Points from which limits are taken anew.
        least: The smallest possible value; None where there is none.
    """
    known = np.isfinite(value)
    moving = np.full(value.size, np.nan)
    places = np.flatnonzero(known)
    moving[places[1:]] = np.abs(np.diff(value[places]))

    def limits(inside: npt.NDArray[np.int64]) -> tuple[float, float]:
        return float(value[inside].mean()), float(np.abs(np.diff(value[inside])).mean() / D2)

    def spread(centre: float, sigma: float) -> Floats:
        return np.full(value.size, sigma)

    return _chart("XmR", value, limits, spread, baseline, again_at, (least, None), moving)


def p_prime(hits: Floats, n: Floats, *, baseline: int, again_at: Sequence[int] = ()) -> Chart:
    """Laney's chart of shares: p̄ ± 3 · σ_z · √(p̄ (1 − p̄) / n), σ_z from the moving range of the standardised shares.

    Args:
        hits: Cases with the property by point, shape (points,).
        n: Cases by point, shape (points,); 0 is unknown.
        baseline: As for `xmr`.
        again_at: Likewise.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(n > 0, hits / n, np.nan)

    def limits(inside: npt.NDArray[np.int64]) -> tuple[float, float]:
        centre = float(hits[inside].sum() / n[inside].sum())
        if not 0 < centre < 1:
            return centre, float("nan")
        z = (value[inside] - centre) / np.sqrt(centre * (1 - centre) / n[inside])
        return centre, float(np.abs(np.diff(z)).mean() / D2)

    def spread(centre: float, sigma: float) -> Floats:
        return np.asarray(sigma * np.sqrt(centre * (1 - centre) / np.maximum(n, 1e-12)))

    return _chart("p'", value, limits, spread, baseline, again_at, (0.0, 1.0), None)


def u(events: Floats, n: Floats, *, baseline: int, again_at: Sequence[int] = ()) -> Chart:
    """A chart of rare events by case: ū ± 3 · √(ū / n).

    Args:
        events: By point, shape (points,).
        n: Cases by point, shape (points,); 0 is unknown.
        baseline: As for `xmr`.
        again_at: Likewise.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(n > 0, events / n, np.nan)

    def limits(inside: npt.NDArray[np.int64]) -> tuple[float, float]:
        centre = float(events[inside].sum() / n[inside].sum())
        return centre, 1.0 if centre > 0 else float("nan")

    def spread(centre: float, sigma: float) -> Floats:
        return np.asarray(sigma * np.sqrt(centre / np.maximum(n, 1e-12)))

    return _chart("u", value, limits, spread, baseline, again_at, (0.0, None), None)


def _chart(
    kind: Kind,
    value: Floats,
    limits: Callable[[npt.NDArray[np.int64]], tuple[float, float]],
    spread: Callable[[float, float], Floats],
    baseline: int,
    again_at: Sequence[int],
    ends: tuple[float | None, float | None],
    moving: Floats | None,
) -> Chart:
    if not baseline >= FEWEST:
        raise ValueError(f"limits from {baseline} points; take at least {FEWEST}")
    points = value.size
    centre, low, high, top = (np.full(points, np.nan) for _ in range(4))
    regimes: list[Regime] = []
    edges = sorted({0, *(k for k in again_at if 0 < k < points)})
    for first, end in zip(edges, [*edges[1:], points], strict=True):
        if end == first:
            continue
        inside = first + np.flatnonzero(np.isfinite(value[first:end]))[:baseline]
        middle, sigma = limits(inside) if inside.size >= FEWEST else (float("nan"), float("nan"))
        if not np.isfinite(middle + sigma):
            regimes.append(Regime(first, end - 1, 0, None, None))
            continue
        regimes.append(Regime(first, end - 1, int(inside.size), middle, sigma))
        part = slice(first, end)
        centre[part] = middle
        off = 3 * spread(middle, sigma)[part]
        low[part] = middle - off if ends[0] is None else np.maximum(middle - off, ends[0])
        high[part] = middle + off if ends[1] is None else np.minimum(middle + off, ends[1])
        top[part] = D4 * D2 * sigma
    return Chart(
        kind=kind,
        value=value,
        centre=centre,
        low=low,
        high=high,
        moving_range=moving,
        range_high=top if moving is not None else None,
        marks=tuple(_marks(value, centre, low, high, regimes)),
        regimes=tuple(regimes),
    )


def _marks(value: Floats, centre: Floats, low: Floats, high: Floats, regimes: Sequence[Regime]) -> list[Mark]:
    found: list[Mark] = []
    for regime in regimes:
        run, was = 0, 0
        for point in range(regime.first, regime.last + 1):
            if not np.isfinite(value[point] + centre[point]):
                continue  # a day without cases neither makes a run nor breaks one
            side = int(np.sign(value[point] - centre[point]))
            run = run + 1 if side == was and side != 0 else int(side != 0)
            was = side
            word = "above" if side > 0 else "below"
            if value[point] > high[point] or value[point] < low[point]:
                found.append(Mark(point, RULES[0], word))
            if run >= RUN:
                found.append(Mark(point, RULES[1], word))
    return found
