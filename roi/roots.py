"""Where a function changes its sign: Brent's method."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["root_between"]

ROUNDING = 4 * 2.0**-52  # no root is asked for more exactly than numbers of this size can be told apart


def root_between(
    of: Callable[[float], float],
    low: float,
    high: float,
    *,
    within: float,
    relative: float = ROUNDING,
    most: int = 100,
) -> float:
    """A place between two others at which a function changes its sign.

    Step for step, and to the last digit, what `scipy.optimize.brentq` finds, whose package takes longer to import than
    a pilot's cases take to be decided on.

    Args:
        of: The function; its values at the ends differ in sign, or one of them is 0.
        low: One end.
        high: The other end.
        within: How far off the root may be, above 0.
        relative: The same, as a share of the root.
        most: Steps after which the search is given up.

    Raises:
        ValueError: If both ends lie on one side, or the function has no value somewhere.
        RuntimeError: If so many steps do not suffice.

    Source:
        Brent (1973), Algorithms for Minimization without Derivatives, chapter 4.
    """

    def value(x: float) -> float:
        found = float(of(x))
        if not found == found:
            raise ValueError(f"the function has no value at {x}")
        return found

    before, now = float(low), float(high)
    at_before, at_now = value(before), value(now)
    if at_before == 0:
        return before
    if at_now == 0:
        return now
    if (at_before < 0) == (at_now < 0):
        raise ValueError(f"the function has one sign at {low} and {high}")
    across, at_across = 0.0, 0.0  # the end on the other side of the root
    last = step = 0.0
    for _ in range(most):
        if at_before != 0 and at_now != 0 and (at_before < 0) != (at_now < 0):
            across, at_across = before, at_before
            last = step = now - before
        if abs(at_across) < abs(at_now):  # the nearer end is the one to go on from
            before, now, across = now, across, now
            at_before, at_now, at_across = at_now, at_across, at_now
        enough = (within + relative * abs(now)) / 2
        half = (across - now) / 2
        if at_now == 0 or abs(half) < enough:
            return now
        tried = None
        if abs(last) > enough and abs(at_now) < abs(at_before):
            if before == across:  # a straight line through both ends
                tried = -at_now * (now - before) / (at_now - at_before)
            else:  # a parabola on its side through three points
                slope = (at_before - at_now) / (before - now)
                slope_across = (at_across - at_now) / (across - now)
                tried = (
                    -at_now
                    * (at_across * slope_across - at_before * slope)
                    / (slope_across * slope * (at_across - at_before))
                )
        if tried is not None and 2 * abs(tried) < min(abs(last), 3 * abs(half) - enough):
            last, step = step, tried
        else:
            last = step = half
        before, at_before = now, at_now
        now += step if abs(step) > enough else (enough if half > 0 else -enough)
        at_now = value(now)
    raise RuntimeError(f"no root between {low} and {high} after {most} steps")
