"""How many clean labelled cases would show that severe errors are rare enough, before any is collected."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LabelsNeeded", "labels_needed"]

_ASSUMED_CORRELATION = 0.1  # of outcomes within a worker, as measuring assumes it at the least


@dataclass(frozen=True, slots=True)
class LabelsNeeded:
    """Labelled cases that show a rate of severe errors below a limit at one-sided 95 %.

    Attributes:
        events: Severe errors among them.
        independent: Cases, were all independent.
        with_workers: Cases where they come from the known number of workers; None where that many workers cannot show
            it at the assumed correlation, or none is known.
    """

    events: int
    independent: int
    with_workers: int | None


def labels_needed(limit: float, *, workers: int | None) -> tuple[LabelsNeeded, ...]:
    """The numbers for 0, 1 and 2 severe errors.

    Args:
        limit: The limit, in (0, 1).
        workers: People who worked the pilot's cases, if known. Their cases resemble each other: n cases of G workers
            count as n / (1 + (n / G - 1) · 0.1).

    Source:
        Clopper & Pearson (1934), Biometrika 26:404: the smallest n at which P(events or fewer | n, limit) ≤ 5 %.
    """
    from roi.special import bdtr

    if not 0 < limit < 1:
        raise ValueError(f"{limit} is not between 0 and 1")
    found = []
    for events in (0, 1, 2):
        low, high = events + 1, events + 1
        while bdtr(events, high, limit) > 0.05:
            high *= 2
        while low < high:
            middle = (low + high) // 2
            if bdtr(events, middle, limit) <= 0.05:
                high = middle
            else:
                low = middle + 1
        found.append(LabelsNeeded(events, low, _clustered(low, workers)))
    return tuple(found)


def _clustered(independent: int, workers: int | None) -> int | None:
    if not workers:
        return None
    room = 1 - _ASSUMED_CORRELATION * independent / workers
    if room <= 0:
        return None
    exact = independent * (1 - _ASSUMED_CORRELATION) / room
    return max(independent, -int(-exact // 1))
