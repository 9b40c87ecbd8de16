"""How fine a range is told: as its figure, and no end with more digits than it deserves."""

from __future__ import annotations

import math

__all__ = ["as_fine_as", "three_digits"]


def as_fine_as(size: float, about: float | None) -> float:
    """What a range is rounded by: its figure, so that it is as fine and no finer; an end ten times it is not drawn out.

    Args:
        size: The larger end.
        about: The figure beside which the range stands; None where there is none.
    """
    return size if about is None else min(size, max(abs(about), size / 10))


def three_digits(low: float, high: float) -> tuple[float, float]:
    """Both ends to the place of the third digit of the larger one: −50,520 and 53,910 are −50,500 and 53,900."""
    size = max(abs(low), abs(high))
    step = 10.0 ** (math.floor(math.log10(size)) - 2) if size else 1.0
    return round(low / step) * step, round(high / step) * step
