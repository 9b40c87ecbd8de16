"""Something that is itself and equal to nothing else, so that what follows from it can be remembered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Same"]

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
