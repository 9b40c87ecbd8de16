"""A guess about a column with its doubts, and what has been found so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from roi.guess.look import Column, Table
from roi.guess.names import scores
from roi.strict_yaml import FILL_IN

__all__ = ["FILL_IN", "Findings", "Guess", "Guesses", "Offer"]


@dataclass(frozen=True, kw_only=True)
class Guess:
    """Where a canonical column comes from.

    Attributes:
        column: The canonical column.
        sources: Their columns; none for a constant.
        unit: Of minutes.
        values: Theirs to ours: ours, None for missing, or FILL_IN.
        between: Whether two times become minutes.
        constant: A value for every row.
        blank: What an empty cell means, zero or missing, where somebody said so.
        doubts: Why it is not certain; none where it is.
    """

    column: str
    sources: tuple[Column, ...] = ()
    unit: str | None = None
    values: Mapping[str, str | None] = field(default_factory=dict)
    between: bool = False
    constant: str | None = None
    blank: str | None = None
    doubts: tuple[str, ...] = ()

    @property
    def sure(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.doubts

    def but(self, *doubts: str) -> Guess:
        """The same with further doubts."""
        return replace(self, doubts=(*self.doubts, *(d for d in doubts if d not in self.doubts)))


@dataclass(frozen=True)
class Guesses:
    """What the columns of the cases mean.

    Attributes:
        columns: Canonical column → where it comes from.
        unused: Their columns that stand for nothing here.
        missing: Marks that mean a missing value.
    """

    columns: Mapping[str, Guess]
    unused: tuple[Column, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Offer:
    """One of their columns as a candidate for one of ours.

    Attributes:
        score: How well it fits, about 0 to 1; below 0.85 its name does not say it clearly.
        guess: What it would be.
    """

    score: float
    guess: Guess


class Findings:
    """What has been found so far; each of their columns is used once.

    Args:
        table: The cases.
        given: Canonical columns that the user named, with theirs.
        arms: Values of the arm column that the user named, to ours.

    Attributes:
        found: Canonical column → guess.
        names: Their column in the engine → how well its name speaks for each canonical column.
    """

    def __init__(self, table: Table, given: Mapping[str, Column], arms: Mapping[str, str]) -> None:
        self.table = table
        self.given = given
        self.arms = arms
        self.found: dict[str, Guess] = {}
        self.names = {c.at: scores(c.name) for c in table.columns}
        self._taken = {c.at for c in given.values()}

    def free(self) -> list[Column]:
        """Their columns that stand for nothing yet."""
        return [c for c in self.table.columns if c.at not in self._taken and c.kind != "empty"]

    def take(self, guess: Guess) -> None:
        """Settle a canonical column."""
        self.found[guess.column] = guess
        self._taken |= {c.at for c in guess.sources}

    @property
    def arm(self) -> Column | None:
        """Their column of the arm, if it was found."""
        guess = self.found.get("arm")
        return guess.sources[0] if guess is not None and guess.sources else None

    def shares(self, column: Column) -> list[float]:
        """The share of an arm's cases in which a column holds something, arm by arm."""
        if self.arm is None:
            return []
        found = self.table.cross(self.arm, column).items()
        return [filled / n for arm, (n, filled) in found if arm is not None and n > 5]
