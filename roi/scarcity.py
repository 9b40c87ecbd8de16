"""What more of something scarce would really bring: the best set is found again with more, of one limit or of several.

A multiplier of the linear relaxation is a slope that whole pilots need not follow: a euro more may bring nothing,
since what it would fund lacks people too. So each limit is raised by a tenth, then by as much as anyone could use, then
two or three of them together where each by itself holds the set back.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from roi.funded import Choice, Limit
from roi.funding import FIRST, Best, Problem, best_set

__all__ = ["STEP", "scarcity_of"]

STEP = 0.1  # the share by which a limit is raised first
AT_ONCE = 3  # limits that are raised together at most
SAME = 1e-9  # relative difference below which two worths are the same


def scarcity_of(choices: Sequence[Choice], limits: Sequence[Limit], best: Best) -> dict[str, Any]:
    """What more of each limit would bring, by itself and with others.

    Args:
        choices: What can be funded.
        limits: What there is to give.
        best: The best set within them.

    Returns:
        `limits`: of each limit but the bar its `tenth` (a tenth more of it alone) and `enough` (as much of it alone as
        anyone could use): what it `brings`, what it brings `at_most` (more where not every set could be looked at),
        what the set then `takes` beyond what there is, by name, and the pilots of that `set`. `together`: groups of
        limits of which each is needed, fewest first, with the same and `names`. The bar on those that do not pay may
        be in a group.
    """
    problem = Choice.problem(choices, limits)
    found: dict[tuple[tuple[int, ...], bool], dict[str, Any]] = {}
    # Where the choice is a hard one a shorter search has to do, and tells what it may miss.
    most = None if best.kept < FIRST else FIRST

    def lifted(which: tuple[int, ...], *, whole: bool = True) -> dict[str, Any]:
        if (which, whole) not in found:
            found[which, whole] = _with(choices, problem, limits, best, which, most, whole)
        return found[which, whole]

    least = SAME * max(1.0, float(np.abs(problem.worth).sum()))
    places = range(len(limits))
    rows = [
        {
            "name": limit.name,
            "tenth": lifted((k,), whole=False),
            "enough": lifted((k,)),
        }
        for k, limit in enumerate(limits)
        if limit.what != "bar"
    ]
    together: list[dict[str, Any]] = []
    for size in range(2, min(AT_ONCE, len(limits)) + 1):
        for which in itertools.combinations(places, size):
            if any(set(x["places"]) < set(which) for x in together):
                continue
            gain = lifted(which)
            parts = [lifted(tuple(k for k in which if k != out))["brings"] for out in which]
            # Each is needed, and each is used beyond what there is: what others bring without it is no reason for it.
            if (
                gain["brings"] > max(parts) + least
                and gain["brings"] > sum(lifted((k,))["brings"] for k in which) + least
            ):
                together.append({**gain, "places": list(which), "names": [limits[k].name for k in which]})
    return {
        "limits": rows,
        "together": [{k: v for k, v in x.items() if k != "places"} for x in together],
    }


def _with(
    choices: Sequence[Choice],
    problem: Problem,
    limits: Sequence[Limit],
    best: Best,
    which: tuple[int, ...],
    most: int | None,
    whole: bool,
) -> dict[str, Any]:
    """The best set with more of some limits."""
    limit = problem.limit.copy()
    for k in which:
        everything = float(problem.use[:, k].clip(0).sum())
        limit[k] = limit[k] + everything if whole else limit[k] * (1 + STEP)
    other = best_set(
        Problem(worth=problem.worth, use=problem.use, group=problem.group, limit=limit), most=most
    )
    # A set that is allowed with less is allowed with more; the search may have been the shorter one.
    better = other.worth > best.worth + SAME * max(1.0, abs(best.worth))
    chosen = other.chosen if better else best.chosen
    used = problem.use[list(chosen)].sum(axis=0) if chosen else np.zeros(len(limits))
    takes: Mapping[str, float] = {
        limits[k].name: float(used[k] - problem.limit[k])
        for k in which
        if limits[k].what != "bar" and used[k] > problem.limit[k] * (1 + SAME)
    }
    brings = other.worth - best.worth if better else 0.0
    return {
        "brings": brings,
        "at_most": max(brings, other.bound - best.worth) if not other.is_best else brings,
        "takes": dict(takes),
        "set": sorted(choices[i].candidate.pilot for i in chosen),
    }
