"""A check of a control: one question to the logs, its answer, and the rows that answer it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["MOST_ROWS", "Check", "Rows", "Status", "judged", "silent"]

Status = Literal["pass", "fail", "missing_evidence"]

MOST_ROWS = 20
"""Rows that a finding names; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Which rows show a finding.

    Attributes:
        table: The sample table they are rows of.
        count: How many there are.
        first: Numbers of the first of them in their source, data rows from 1, ascending; at most `MOST_ROWS`.
    """

    table: str
    count: int
    first: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= len(self.first) <= min(self.count, MOST_ROWS):
            raise ValueError(f"{len(self.first)} rows are named of {self.count}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What one check found.

    Attributes:
        name: Its name in the catalogue, which says its layer, what it asks and whether it is hard.
        status: pass, fail, or missing_evidence where the logs are too few, too short or silent to tell.
        evidence: What was seen, in a sentence; of a check of single people, no more than how many.
        value: The figure that was looked at, in the unit of the catalogue; None without evidence.
        bound: The exact one-sided 95 % bound of the figure on its unkind side; None where nothing was sampled (a rule).
        threshold: What it is held against; None where any finding fails.
        n: Rows, cases or people behind the figure; None without evidence.
        rows: Where it was seen; None where no single row shows it. A check of single people names no rows.
        mend: What would make it pass; empty where it passes.
        more: Further clean rows, cases or runs that would show it, where more of the same is all that is missing.
        misses: Rows against it of `n`, where the figure is a share of misses; None for any other figure.
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

    def __post_init__(self) -> None:
        if self.status == "pass" and self.mend:
            raise ValueError(f"{self.name} passes and asks for a mend")
        if self.status != "pass" and not self.mend:
            raise ValueError(f"{self.name} does not pass and names no mend")
        for value in (self.value, self.bound, self.threshold):
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{self.name}: {value} is no figure")


def silent(name: str, evidence: str, mend: str, **figures: Any) -> Check:
    """A check that the logs are too few, too short or silent to answer; arguments as `Check`'s attributes."""
    return Check(name=name, status="missing_evidence", evidence=evidence, mend=mend, **figures)


def judged(
    name: str,
    misses: int,
    n: int,
    *,
    clean: str,
    found: str,
    mend: str,
    rows: Rows | None = None,
    **figures: Any,
) -> Check:
    """A check that any miss breaks.

    Args:
        name: Its name.
        misses: What breaks it, of `n`.
        n: What was looked at.
        clean: What is said where nothing does.
        found: What is said where something does.
        mend: What would make it pass.
        rows: Where it was seen.
        figures: Other attributes of `Check`.
    """
    shown = {"value": misses / n if n else None, "n": n, "misses": misses} | figures
    if not misses:
        return Check(name=name, status="pass", evidence=clean, **shown)
    return Check(name=name, status="fail", evidence=found, mend=mend, rows=rows, **shown)
