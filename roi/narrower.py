"""Sets of segments that can be scaled on their own."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from roi.measured import Measured
from roi.same import Same

__all__ = ["scopes_of", "why_not_alone"]

UNITS_FOR_A_SEGMENT = 4  # a segment stands alone only with as many independent units in each arm


def scopes_of(measured: Measured) -> list[tuple[str, ...]]:
    """Sets of segments that can be scaled on their own: one dropped, or one only; largest first.

    Only where every segment of the set has at least four independent units in each arm that was sampled.
    """
    return list(_scopes(Same(measured)))


@lru_cache(maxsize=2)
def _scopes(of: Same[Measured]) -> tuple[tuple[str, ...], ...]:
    measured, moments = of.it, of.it.moments
    covered = [n for n, ok in zip(moments.segments, measured.covered(), strict=True) if ok]
    sure = [n for n in covered if _units(measured, n) >= UNITS_FOR_A_SEGMENT]
    uncovered_too = bool(measured.weights.uncovered)
    found: list[tuple[str, ...]] = []
    if uncovered_too and len(covered) >= 1:
        found.append(tuple(covered))
    if len(covered) >= 2:
        if len(covered) > 2:
            found += [tuple(n for n in covered if n != gone) for gone in covered]
        found += [(n,) for n in covered]
    return tuple(f for f in dict.fromkeys(found) if all(n in sure for n in f))


def _units(measured: Measured, segment: str) -> int:
    moments = measured.moments
    s = moments.segments.index(segment)
    arms = [1] if measured.stand_in else [0, 1]
    return min(np.unique(moments.unit[(moments.arm == a) & (moments.segment == s)]).size for a in arms)


def why_not_alone(measured: Measured, segment: str) -> str:
    """Why a kind of case has no worth of its own: too few, the only one, or not sampled both ways."""
    covered = [n for n, ok in zip(measured.moments.segments, measured.covered(), strict=True) if ok]
    if segment not in covered:
        return "not sampled both as before and with the agent"
    if _units(measured, segment) < UNITS_FOR_A_SEGMENT:
        kind = measured.moments.unit_kind
        return f"fewer than {UNITS_FOR_A_SEGMENT} {'people' if kind == 'worker' else f'{kind}s'} worked it each way"
    if len(covered) == 1:
        return "the only kind that was sampled: as scaling all of them"
    return "what scaling is worth cannot be worked out"
