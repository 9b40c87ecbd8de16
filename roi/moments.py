"""Moments: what is left of the cases after the only pass over their rows.

What comes back is small: one row a unit, arm and segment (a unit is a worker, a pair of cases or a case), with
counts and sums that are taken in decimals and so are exact, whatever the order of rows or threads.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from roi.demo_moments import DemoMoments
    from roi.label_moments import JudgedMoments
    from roi.samples import Samples

__all__ = [
    "ALL",
    "ARMS",
    "COMPONENTS",
    "MAX_UNITS",
    "MIN_WORKERS",
    "Covariate",
    "Losses",
    "Moments",
    "Spread",
    "fetch",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

ARMS = ("baseline", "pilot")
COMPONENTS = ("handling_minutes", "review_minutes", "rework_minutes")
MAX_UNITS = (
    10_000  # more units than this are bundled: by the head of their pseudonym, which is a hash already
)
MIN_WORKERS = 4  # fewer workers say too little about how workers differ
ALL = "(all)"  # the one segment of a sample that names none


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How human minutes of complete cases are spread in one arm.

    Attributes:
        p05: 5th percentile, minutes.
        p50: Median, minutes.
        p95: 95th percentile, minutes.
        mean: Arithmetic mean, minutes.
        log_mean: Mean of the logarithm over cases above 0 minutes; None where there is none.
    """

    p05: float
    p50: float
    p95: float
    mean: float
    log_mean: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Pilot production cases by outcome, cause label and evidence of a cause; one row a combination that occurs.

    What an array of -1, 0 and 1 says is not known, no, and yes. An array that is None is as one of -1.

    Attributes:
        outcome: correct, error, escalated, abandoned or None, one a row.
        cause: The label, or None.
        defective: Whether the case's inputs had a defect; None where that is not known.
        n: Cases, shape (rows,).
        minutes: Sum of human minutes over the cases that have them, shape (rows,).
        timed: Cases that have them, shape (rows,).
        minutes2: Sum of their squares, shape (rows,).
        second: The label of a second coder, or None.
        failed: Whether an action failed or was denied, shape (rows,).
        unapproved: Whether a high-risk action ran without an approval before it, shape (rows,).
        unused: Whether nobody used the agent's result, shape (rows,).
        segment: Index of the segment, shape (rows,); -1 where rows are not told apart by it.
        worker: Index of the worker, or of a bundle of workers, shape (rows,); -1 where cases are independent.
        costed: Cases whose agent cost is known, shape (rows,).
        cost: Sum of it, shape (rows,); None where it is in several currencies.
        segments: Names of the segments.
    """

    outcome: tuple[str | None, ...]
    cause: tuple[str | None, ...]
    defective: tuple[bool | None, ...]
    n: Ints
    minutes: Floats
    timed: Ints
    minutes2: Floats | None = None
    second: tuple[str | None, ...] = ()
    failed: Ints | None = None
    unapproved: Ints | None = None
    unused: Ints | None = None
    segment: Ints | None = None
    worker: Ints | None = None
    costed: Ints | None = None
    cost: Floats | None = None
    segments: tuple[str, ...] = ()

    def state(self, name: str) -> Ints:
        """An array of -1, 0 and 1 by name, or of indices; -1 where it was not taken. Shape (rows,)."""
        if name == "defective":
            return np.array([-1 if d is None else int(d) for d in self.defective], dtype=np.int64)
        known = getattr(self, name)
        return np.full(self.n.size, -1, dtype=np.int64) if known is None else np.asarray(known, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariate:
    """Sums of a number known before the work, over the cases that have it and human minutes; each shape (rows,).

    Attributes:
        count: Such cases.
        total: Sum of the number.
        square: Sum of its squares.
        minutes: Sum of their human minutes.
        cross: Sum of the products of both.
    """

    count: Ints
    total: Floats
    square: Floats
    minutes: Floats
    cross: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Counts and sums of the production cases; rows are unit × arm × segment.

    Attributes:
        unit_kind: "worker", "pair" or "case": what is independent.
        few_workers: Workers are named, but fewer than four: cases are the unit and a spread is assumed.
        workers: Workers in each arm, or None where no column names them.
        segments: Names, the order of the column indices.
        statistics: Names of the columns of `count` and `total`: minute components, `human_minutes`, and
            `agent_cost:CUR` for each currency.
        arm: 0 baseline, 1 pilot, shape (rows,).
        segment: Index into `segments`, shape (rows,).
        unit: Index of the unit, shape (rows,); the same index in both arms is the same unit.
        n: Cases, shape (rows,).
        count: Cases that have the statistic, shape (rows, statistics).
        total: Sum over them, shape (rows, statistics); minutes, or money in its currency.
        square: Sum of the squares over them, shape (rows, statistics); None where it was not taken.
        covariate: Sums of the predicted minutes; None without them.
        people: Workers of both arms together; None where no column names them.
        labelled: Cases with a usable outcome, shape (rows,).
        outcome: Cases by outcome (correct, error, escalated, abandoned), shape (rows, 4).
        severity: Errors by severity (minor, moderate, major, critical), shape (rows, 4).
        imputed: Escalated or abandoned pilot cases without the minutes of who took over, shape (rows,).
        if_zero: Sum of human minutes with undeclared blanks read as 0 and cases behind it, shape (rows, 2), or None.
        inputs_known: Cases whose input defects are known, shape (rows,).
        inputs_clean: Of these, cases without a defect, shape (rows,).
        cost_known: Cases whose agent cost is known, shape (rows,).
        spread: Spread of human minutes by arm, of complete cases.
        losses: Pilot cases by outcome and cause.
        demo: By arm, the demo cases: their number, mean human minutes or None, share of errors or None.
        labels: Where outcomes come from: "human", "judge", "mixed" or "none".
        first: Day of the first case, or None.
        last: Day of the newest case, or None.
        present: Columns the cases table has.
        judged: What people and a judge said of the cases; None where plain labels by people are all there is.
        sourced: Whether these are counts and sums of a report, so that nobody has looked at a case.
        demo_cells: Demo and production cases by the state of their inputs; None where there are no demo cases.
        spread_assumed: Whether a report gives means without their standard deviation, so that one is assumed.
    """

    unit_kind: str
    few_workers: bool
    workers: Mapping[str, int] | None
    segments: tuple[str, ...]
    statistics: tuple[str, ...]
    arm: Ints
    segment: Ints
    unit: Ints
    n: Ints
    count: Ints
    total: Floats
    labelled: Ints
    outcome: Ints
    severity: Ints
    imputed: Ints
    if_zero: Floats | None
    inputs_known: Ints
    inputs_clean: Ints
    cost_known: Ints
    spread: Mapping[str, Spread]
    losses: Losses | None
    demo: Mapping[str, tuple[int, float | None, float | None]]
    labels: str
    first: dt.date | None
    last: dt.date | None
    present: frozenset[str]
    square: Floats | None = None
    covariate: Covariate | None = None
    people: int | None = None
    judged: JudgedMoments | None = None
    sourced: bool = False
    spread_assumed: bool = False
    demo_cells: DemoMoments | None = None

    @property
    def person_is_arm(self) -> bool:
        """Whether fewer than four people worked the cases, each of them in one arm only."""
        return self.few_workers and self.workers is not None and sum(self.workers.values()) == self.people

    def column(self, statistic: str) -> int | None:
        """Index of a statistic, or None where it was not recorded."""
        return self.statistics.index(statistic) if statistic in self.statistics else None

    def chosen(self, segments: Collection[str] | None) -> Bools:
        """Which segments are named, shape (segments,); all of them where `segments` is None."""
        return np.array([segments is None or name in segments for name in self.segments], dtype=bool)

    def cases(self, arm: str) -> int:
        """Production cases of an arm."""
        return int(self.n[self.arm == ARMS.index(arm)].sum())


def fetch(samples: Samples, query: str) -> list[tuple[Any, ...]]:
    """Rows of a small result, as plain Python values."""
    return list(samples.con.execute(query).fetchall())
