"""A check of a control: one question to the logs, its three answers, and the rows that show one."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from roi.draws import one_sided_bounds

__all__ = ["MOST_ROWS", "Check", "Rows", "Status", "all_missing", "further_clean", "judge", "unknown", "verb"]

Status = Literal["pass", "fail", "missing_evidence"]

MOST_ROWS = 20
"""Rows that a finding names; the rest is counted, and stands in `findings.csv`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Which rows show a finding.

    Attributes:
        table: The sample table they are rows of.
        count: How many there are.
        first: Numbers of the first of them in their source, data rows from 1, ascending; at most `MOST_ROWS`.
        every: Numbers of all of them, or the query that gives these while the samples are open; in no archive, so that
            what was read from one knows of no more than the first.
    """

    table: str
    count: int
    first: tuple[int, ...] = ()
    every: tuple[int, ...] | str = field(default=(), compare=False, repr=False, metadata={"archived": False})

    def __post_init__(self) -> None:
        if not 0 <= len(self.first) <= min(self.count, MOST_ROWS):
            raise ValueError(f"{len(self.first)} rows are named of {self.count}")

    @classmethod
    def of(cls, table: str, numbers: Collection[int]) -> Rows:
        """Rows of a table by their numbers, in any order."""
        every = tuple(sorted(numbers))
        return cls(table=table, count=len(every), first=every[:MOST_ROWS], every=every)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What one check found.

    Attributes:
        name: Its name in the catalogue, which says its layer, what it asks and whether it is hard.
        status: pass, fail, or missing_evidence where the logs are too few, too short or silent to tell.
        evidence: What was seen, in a sentence; of a check of single people, no more than how many.
        value: The figure that was looked at, in the unit of the catalogue; None without evidence.
        bound: The exact one-sided 95 % bound of the figure on its unkind side, and of what fails the one on its kind
            side, which proves it; None where nothing was sampled (a rule).
        threshold: What it is held against; None where any finding fails.
        n: Rows, cases or people behind the figure; None without evidence.
        rows: Where it was seen; None where no single row shows it. A check of single people names no rows.
        mend: What would make it pass; empty where it passes.
        more: Further clean rows, cases or runs that would show it, where more of the same is all that is missing.
        misses: Rows against it of `n`, where the figure is a share of misses; None for any other figure.
        waits: Whether scaling waits for this evidence, though the catalogue does not ask every pilot for it.
    """

    name: str
    status: Status
    evidence: str
    value: float | None = None
    bound: float | None = None
    threshold: float | None = None
    n: int | None = None
    rows: Rows | None = None
    mend: str = ""
    more: int | None = None
    misses: int | None = None
    waits: bool = False

    def __post_init__(self) -> None:
        if self.status == "pass" and self.mend:
            raise ValueError(f"{self.name} passes and asks for a mend")
        if self.status != "pass" and not self.mend:
            raise ValueError(f"{self.name} does not pass and names no mend")
        for value in (self.value, self.bound, self.threshold):
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{self.name}: {value} is no figure")

    @property
    def idle(self) -> bool:
        """Whether it passes only because there was nothing to look at, which is not told as a pass."""
        return self.status == "pass" and self.n == 0


def unknown(name: str, evidence: str, mend: str, rows: Rows | None = None, **figures: Any) -> Check:
    """The answer where the logs are too few, too short or silent to tell; arguments as `Check`'s attributes."""
    return Check(name=name, status="missing_evidence", evidence=evidence, mend=mend, rows=rows, **figures)


def all_missing(names: Sequence[str], evidence: str, mend: str) -> dict[str, Check]:
    """The same missing evidence for several checks."""
    return {name: unknown(name, evidence, mend) for name in names}


def judge(
    name: str,
    found: Rows | int,
    n: int,
    *,
    good: str,
    bad: str,
    mend: str,
    unsure: Check | None = None,
    **figures: Any,
) -> Check:
    """The answer of a rule, which any row breaks.

    Args:
        name: The check.
        found: The rows that break it; how many, where no single row may be named or shows it.
        n: What was looked at, at least 1.
        good: What was seen where nothing breaks it, in a sentence.
        bad: What was seen where something does, in a sentence.
        mend: What would make it pass.
        unsure: The answer where nothing breaks it, but of some rows the logs do not say; None where they say of all.
        figures: Other attributes of `Check`.
    """
    rows = found if isinstance(found, Rows) else None
    misses = found.count if isinstance(found, Rows) else found
    shown = {"value": misses / n, "n": n, "misses": misses} | figures
    if misses:
        return Check(name=name, status="fail", evidence=bad, rows=rows, mend=mend, **shown)
    return unsure or Check(name=name, status="pass", evidence=good, **shown)


def further_clean(misses: int, n: int, limit: float, level: float = 0.95) -> int | None:
    """The least number of further rows without a miss that brings the bound of the share of misses to a limit.

    Args:
        misses: Rows against it so far.
        n: Rows so far.
        limit: The share that must not be exceeded.
        level: Confidence of the exact one-sided bound.

    Returns:
        How many; None where no number would do, as for a limit of 0.
    """
    if not limit > 0:
        return None

    def shown(more: int) -> bool:
        return one_sided_bounds(misses, n + more, level)[1] <= limit

    if shown(0):
        return 0
    high = 1
    while not shown(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high


def verb(n: int, one: str, many: str) -> str:
    """The form of a word that a count asks for."""
    return one if n == 1 else many
