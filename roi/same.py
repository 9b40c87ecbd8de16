"""Something that is itself and equal to nothing else, so that what follows from it can be remembered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

import numpy as np

__all__ = ["Same", "somewhere"]

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True, eq=False)
class Same(Generic[Thing]):
    """A thing by its identity: a key for `functools.lru_cache` of what never changes and cannot be hashed.

    Attributes:
        it: The thing; it lives as long as what is remembered of it.
    """

    it: Thing

    def __hash__(self) -> int:
        return id(self.it)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.it is other.it


def somewhere(x: float | np.ndarray[Any, Any]) -> bool:
    """Whether a number is above 0, or draws of one are anywhere; of draws, which never change, it is remembered."""
    return _somewhere(Same(x)) if isinstance(x, np.ndarray) else bool(x > 0)


@lru_cache(maxsize=256)
def _somewhere(draws: Same[np.ndarray[Any, Any]]) -> bool:
    return bool(np.any(draws.it > 0))
