"""Bars and how they are printed; runs of many simulated pilots over the processors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

__all__ = ["Bar", "Share", "each", "held", "show"]

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How often something happened in a cell of simulated pilots.

    Attributes:
        cell: The cell in words.
        hits: How often.
        n: Of how many pilots.
    """

    cell: str
    hits: int
    n: int

    @property
    def rate(self) -> float:
        """The share."""
        return self.hits / self.n

    def error(self, rate: float | None = None) -> float:
        """Monte-Carlo standard error, at a rate or at the share found."""
        p = self.rate if rate is None else rate
        return math.sqrt(p * (1 - p) / self.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar and what was found.

    Attributes:
        name: What it asks.
        sense: Whether the figure has to be at most or at least the limit.
        limit: The limit.
        figure: What was found, over all cells.
        error: Its Monte-Carlo error; None where it is not a share of simulated pilots.
        worst: The cell farthest on the wrong side, in words.
        passes: Whether it is held.
        unit: "%" for shares; else printed after the plain number.
    """

    name: str
    sense: Literal["<=", ">="]
    limit: float
    figure: float
    error: float | None
    worst: str
    passes: bool
    unit: str = "%"

    def line(self) -> str:
        """One line of the summary."""

        def text(value: float) -> str:
            return f"{100 * value:.1f} %" if self.unit == "%" else f"{value:,.2f}{self.unit}"

        error = "" if self.error is None else f" (± {text(self.error)})"
        worst = f"; worst: {self.worst}" if self.worst else ""
        state = "PASS" if self.passes else "FAIL"
        return f"{state}  {self.name}: {text(self.figure)}{error}, bar {self.sense} {text(self.limit)}{worst}"


def held(name: str, sense: Literal["<=", ">="], limit: float, shares: Sequence[Share]) -> Bar:
    """Hold shares of several cells to a bar.

    Args:
        name: What it asks.
        sense: At most or at least.
        limit: The limit.
        shares: One a cell, at least one.

    Returns:
        Held where the share over all cells keeps the limit and no cell misses it by more than two Monte-Carlo errors
        (at the limit): of many cells that lie near it some miss it by chance.
    """
    sign = 1.0 if sense == "<=" else -1.0
    n = sum(s.n for s in shares)
    whole = Share(cell="all", hits=sum(s.hits for s in shares), n=n)
    at = min(max(limit, 1 / n), 1 - 1 / n)
    worst = max(shares, key=lambda s: sign * (s.rate - limit) / s.error(at))
    out = (
        sign * (worst.rate - limit) > 2 * worst.error(at)
        if 0 < limit < 1
        else sign * (worst.rate - limit) > 0
    )
    return Bar(
        name=name,
        sense=sense,
        limit=limit,
        figure=whole.rate,
        error=whole.error(),
        worst=f"{worst.cell}, {100 * worst.rate:.1f} % (± {100 * worst.error():.1f})"
        if len(shares) > 1
        else "",
        passes=not out and not sign * (whole.rate - limit) > 0,
    )


def each(function: Callable[[T], R], tasks: Iterable[T], *, processes: int) -> list[R]:
    """Apply a function to tasks that carry their own seeds, so that the number of processes changes nothing."""
    found = list(tasks)
    if processes <= 1:
        return [function(task) for task in found]
    with ProcessPoolExecutor(max_workers=processes) as pool:
        return list(pool.map(function, found))


def show(title: str, rows: Sequence[Sequence[Any]], head: Sequence[str]) -> None:
    """Print a table with its title."""
    table = [[str(x) for x in head], *[[str(x) for x in row] for row in rows]]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    print(f"\n{title}")
    for row in table:
        first = row[0].ljust(widths[0])
        print("  ".join([first, *[x.rjust(w) for x, w in zip(row[1:], widths[1:], strict=True)]]), flush=True)
