"""A number known before the work (`predicted_minutes`) sharpens the comparison of the arms' minutes.

Each arm's mean is moved along the arm's own slope to the predicted minutes that both arms have together (the interacted
regression adjustment). What is estimated stays the same; what chance put into the arms is taken out.

Source:
    Lin (2013), Annals of Applied Statistics 7:295; Negi & Wooldridge (2021), Econometric Reviews 40:504, for the
    error of the common mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.moments import Moments

__all__ = ["Adjusted", "adjust"]

Floats = npt.NDArray[np.float64]

FEWEST_CASES = 20  # of an arm; fewer tell a slope by chance
FEWEST_UNITS = 4
KNOWN_SHARE = 0.95  # of an arm's timed cases that must have a prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """What the adjustment changes.

    Attributes:
        changes: By column of human minutes: its index, what is added to its mean, what is added to its scores (shape
            (units,)), and by what the scores are stretched for having estimated a slope.
        slopes: Minutes a predicted minute, baseline and pilot.
        known: Share of timed cases with a prediction, baseline and pilot.
    """

    changes: tuple[tuple[int, float, Floats, float], ...]
    slopes: tuple[float, float]
    known: tuple[float, float]


def adjust(moments: Moments, columns: dict[tuple[int, int], int], units: int) -> Adjusted | None:
    """Adjust the means of human minutes for the predicted minutes.

    Args:
        moments: Moments of the production cases.
        columns: Index of the column of human minutes by (arm, segment).
        units: Number of units.

    Returns:
        The changes; None without predictions, or where these are too few or do not vary.
    """
    found = moments.covariate
    human = moments.column("human_minutes")
    if found is None or human is None:
        return None
    slopes, known = [], []
    for arm in (0, 1):
        rows = moments.arm == arm
        k = float(found.count[rows].sum())
        timed = float(moments.count[rows, human].sum())
        who = np.unique(moments.unit[rows & (found.count > 0)]).size
        if k < FEWEST_CASES or who < FEWEST_UNITS or k < KNOWN_SHARE * timed:
            return None
        known.append(k / timed)
        slope = _slope(moments, rows)
        if slope is None:
            return None
        slopes.append(slope)
    changes: list[tuple[int, float, Floats, float]] = []
    stretch = [_stretch(moments, arm) for arm in (0, 1)]
    for s in range(len(moments.segments)):
        here = moments.segment == s
        both = _centred(moments, here, units)
        if (0, s) not in columns or (1, s) not in columns or both is None:
            continue
        for arm in (0, 1):
            own = _centred(moments, here & (moments.arm == arm), units)
            if own is None:
                continue
            shift = -slopes[arm] * (own[0] - both[0])
            changes.append((columns[arm, s], shift, slopes[arm] * (both[1] - own[1]), stretch[arm]))
    if not changes:
        return None
    return Adjusted(changes=tuple(changes), slopes=(slopes[0], slopes[1]), known=(known[0], known[1]))


def _stretch(moments: Moments, arm: int) -> float:
    found = moments.covariate
    assert found is not None
    rows = moments.arm == arm
    left = float(found.count[rows].sum()) - np.unique(moments.segment[rows]).size
    return float(np.sqrt(left / max(left - 1, 1.0)))


def _slope(moments: Moments, rows: npt.NDArray[np.bool_]) -> float | None:
    """Slope of minutes on predicted minutes within segments, by least squares; None where predictions are all alike."""
    found = moments.covariate
    assert found is not None
    below = above = 0.0
    for s in range(len(moments.segments)):
        inside = rows & (moments.segment == s)
        k = float(found.count[inside].sum())
        if k < 2:
            continue
        x, y = float(found.total[inside].sum()), float(found.minutes[inside].sum())
        below += float(found.square[inside].sum()) - x * x / k
        above += float(found.cross[inside].sum()) - x * y / k
    scale = float(found.square[rows].sum())
    return above / below if below > 1e-9 * scale and below > 0 else None


def _centred(moments: Moments, rows: npt.NDArray[np.bool_], units: int) -> tuple[float, Floats] | None:
    """Mean of the predicted minutes and the scores of the units."""
    found = moments.covariate
    assert found is not None
    k = float(found.count[rows].sum())
    if k == 0:
        return None
    mean = float(found.total[rows].sum()) / k
    score = np.zeros(units)
    share = np.zeros(units)
    np.add.at(score, moments.unit[rows], (found.total[rows] - mean * found.count[rows]) / k)
    np.add.at(share, moments.unit[rows], found.count[rows] / k)
    return mean, score / np.sqrt(np.where(share < 1, 1 - share, 1.0))
