"""A look at the roll-out after a set of remedies: what its plan can be worth, before samples are weighed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from roi.measures import Measure, cost_of
from roi.mended import MORE_LIKELY
from roi.plans import Opening
from roi.prospects import Prospect, untaught
from roi.sampling import Basis, expected_after

__all__ = ["Look", "look"]

SELDOM = 0.8  # a rule that asks for some chance goes ahead in (chance now / asked for) of cases at the most; a margin
NOISE = 4.0  # standard errors by which what is drawn anew may favour a set


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a set of remedies can be worth at the most.

    Attributes:
        direct: The worth of its plan where no further sample is needed and nothing is learned (else the most it can be,
            or minus infinity where one is needed).
        glance: The most that it can be with a further sample, to somebody who knew everything then.
        waits: Whether something has no price.
        closer: Tells what a further sample itself can make of it at the most, which takes longer to find.
    """

    direct: float
    waits: bool
    glance: float = -np.inf
    closer: Callable[[], float] | None = None

    @cached_property
    def most(self) -> float:
        """The most that it can be with a further sample."""
        return self.glance if self.closer is None else min(self.closer(), self.glance)


def look(prospect: Prospect, opened: Opening, further: Sequence[Measure], basis: Basis) -> Look:
    """Look at a set of remedies.

    Args:
        prospect: The roll-out after the remedies; its worth can be computed.
        opened: How the closed gates fare after them.
        further: Further samples that would make the worth surer.
        basis: What these tell of.
    """
    policy, prices = prospect.policy, prospect.prices
    found = prospect.laid_out([untaught(m) for m in opened.measures], in_cash=False)
    worth, passes, lost = found.option.worth, found.passes, found.lost
    priced = all(m.price is not None for m in opened.measures) and all(r.priced for r in prospect.remedies)
    waits = bool(opened.unpriced) or not priced
    learned = any(any(m.learned) for m in opened.measures)
    total, needed = float(passes.sum()), policy.scale_probability
    chance = float((passes * (worth > policy.hurdle)).sum()) / total if total > 0 else 0.0
    # A sample tells no more than the largest does; who knows that much stops where going on loses.
    telling = opened.measures if learned else further
    shares = [max((m.learned[i] for m in telling), default=0.0) for i in (0, 1)]

    def knowing() -> float:
        told = basis.split(worth)
        expected = expected_after(told, shares)
        # What is left open may go together with the gates: both may rest on how much a remedy removes.
        together = max(float((passes * told.rest).mean()), 0.0)
        spare = NOISE * float(np.std(worth - expected)) / worth.size**0.5 + together
        kept: float = (passes * np.maximum(expected + lost, 0.0)).mean()
        return float(kept + spare - lost)

    if learned:
        return Look(direct=knowing(), waits=waits)
    if chance >= needed:
        return Look(direct=float((passes * worth - (1 - passes) * lost).mean()), waits=waits)
    if not further or (waits and chance < SELDOM * MORE_LIKELY * needed):
        return Look(direct=-np.inf, waits=waits)
    dearer = max(min(cost_of([m], prices) for m in further) - found.price, 0.0)
    spare = NOISE * float(np.std(worth)) / worth.size**0.5
    everything = float((passes * np.maximum(worth + lost, 0.0)).mean()) + spare - lost
    return Look(direct=-np.inf, waits=waits, glance=everything - dearer, closer=lambda: knowing() - dearer)
