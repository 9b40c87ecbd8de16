"""The best set of remedies of a search, and the order in which sets are preferred and tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from roi.mended import MORE_LIKELY
from roi.plans import Plan

__all__ = ["Best", "Kind", "falling", "is_of", "rank"]

Floats = npt.NDArray[np.float64]
Kind = Literal["priced", "waiting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best set of a search.

    Attributes:
        plan: Its plan; None where there is none.
        gap: How much more a set that was not valued could be worth at the most; 0 where the best is certain, None
            where nothing can be said.
    """

    plan: Plan | None
    gap: float | None

    @property
    def worth(self) -> float:
        """Expected worth; minus infinity where there is no plan."""
        return -np.inf if self.plan is None else self.plan.mean()


def rank(number: int) -> tuple[int, tuple[int, ...]]:
    """Smaller sets first; of one size in the order of their remedies."""
    members = tuple(i for i in range(number.bit_length()) if number >> i & 1)
    return len(members), members


def is_of(plan: Plan, kind: Kind) -> bool:
    """Whether a plan is one of that kind that counts; doing nothing is none."""
    if not (plan.remedies or plan.measures or plan.unpriced):
        return False
    return not plan.waits if kind == "priced" else plan.waits and plan.sure >= MORE_LIKELY


def falling(bound: Floats) -> npt.NDArray[np.int64]:
    """Places in the order of falling bounds, those of no plan left out."""
    found = np.flatnonzero(bound > -np.inf)
    return found[np.argsort(-bound[found], kind="stable")]
