"""Moments of a pilot of which there are no cases, only a report: counts, means and sums by arm.

The independent unit is the case, or the worker where the rows name workers. What a report says of n cases, a mean and
a standard deviation, is said by n units, half of them above the mean and half below, so far that both come out
exactly. All that follows works on sums over units, and so gives what the cases themselves would have given: a standard
error of the standard deviation over the root of n, with n − 1 degrees of freedom.

What is not in a report is not known. That the cause of an error, the shape of the times or the covariance of times and
errors are missing leaves those out; where a standard deviation is missing, one is assumed, and said so.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from roi.draws import stream
from roi.moments import ALL, ARMS, COMPONENTS, MAX_UNITS, MIN_WORKERS, Losses, Moments, fetch

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["moments_of_report"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Four: TypeAlias = tuple[int, int, int, int]

FEWEST_UNITS = 8  # that stand for the cases of a row, where it has as many
ASSUMED_SPREAD = 1.0  # standard deviation of a case over its mean, where no row of a report states one
SHARE_MODERATE = (
    0.09 / 0.99
)  # of errors that are not severe, where a report does not tell minor from moderate
SHARE_CRITICAL = 0.0005 / 0.01  # of severe ones likewise: the shares of the default severity mix
CLASSES = ("minor_errors", "moderate_errors", "major_errors", "critical_errors")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A row of a report: n cases of an arm.

    Attributes:
        arm: 0 baseline, 1 pilot.
        segment: Name of the segment.
        worker: Pseudonym of the worker, or None.
        n: Cases.
        parts: Mean of each minute component, or None.
        human: Mean of human minutes, or None.
        sd: Standard deviation of a case's human minutes, or None.
        labelled: Cases whose outcome is known.
        outcome: Of these, correct, error, escalated and abandoned ones.
        severity: Errors by severity, as far as that is known.
        cost: Agent cost of all its cases, or None.
        currency: Of the cost; "" is the pilot's own.
    """

    arm: int
    segment: str
    worker: str | None
    n: int
    parts: tuple[float | None, ...]
    human: float | None
    sd: float | None
    labelled: int
    outcome: Four
    severity: Four
    cost: float | None
    currency: str


def moments_of_report(samples: Samples) -> Moments:
    """Lay the rows of `samples.aggregates` out as moments.

    Args:
        samples: The opened samples; the `aggregates` table is read, nothing else.

    Returns:
        Counts and sums by unit, arm and segment, marked as sourced. Months are added up.
    """
    table = samples.tables["aggregates"]
    present = frozenset(table.columns)
    order = [c for c in ("arm", "segment", "worker", "month") if c in present]
    found = fetch(samples, f"select * from {table.sql} order by {', '.join(order)}")
    cells = [dict(zip(table.columns, row, strict=True)) for row in found]
    components = [c for c in COMPONENTS if f"{c}_mean" in present]
    rows = [_row(cell, components) for cell in cells]
    workers = {arm: len({r.worker for r in rows if r.arm == a}) for a, arm in enumerate(ARMS)}
    people = len({r.worker for r in rows if r.worker is not None})
    by_worker = people >= MIN_WORKERS
    timed = any(r.human is not None for r in rows)
    currencies = sorted({r.currency for r in rows if r.cost is not None})
    statistics = [
        *components,
        *(["human_minutes"] if timed else []),
        *(f"agent_cost:{c}" for c in currencies),
    ]
    spreads, assumed = _spreads(rows, wanted=timed and not by_worker)
    units = _Units(rows, statistics, components, spreads, by_worker=by_worker)
    months = sorted(cell["month"] for cell in cells if cell.get("month") is not None)
    return Moments(
        unit_kind="worker" if by_worker else "case",
        few_workers=0 < people < MIN_WORKERS,
        workers=workers if "worker" in present else None,
        segments=units.segments,
        statistics=tuple(statistics),
        arm=units.ints("arm"),
        segment=units.ints("segment"),
        unit=units.ints("unit"),
        n=units.ints("n"),
        count=units.ints("count", len(statistics)),
        total=units.floats("total", len(statistics)),
        square=units.floats("square", len(statistics)),
        labelled=units.ints("labelled"),
        outcome=units.ints("outcome", 4),
        severity=units.ints("severity", 4),
        imputed=np.zeros(units.size, dtype=np.int64),
        if_zero=None,
        inputs_known=np.zeros(units.size, dtype=np.int64),
        inputs_clean=np.zeros(units.size, dtype=np.int64),
        cost_known=units.ints("cost_known"),
        spread={},
        losses=_losses(rows),
        demo={},
        labels="human" if any(r.labelled for r in rows) else "none",
        first=months[0] if months else None,
        last=_last_day(months[-1]) if months else None,
        present=present,
        sourced=True,
        spread_assumed=assumed,
    )


def _row(cell: Mapping[str, Any], components: Sequence[str]) -> _Row:
    """A row as the rules of `roi.checks` leave it."""
    n = int(cell["n"])
    parts = tuple(_number(cell[f"{name}_mean"]) for name in components)
    arm = ARMS.index(str(cell["arm"]))
    human = _number(cell.get("minutes_mean"))
    if human is None and components:
        # Without an agent there is nothing to review.
        known = [
            0.0 if x is None and arm == 0 and name == "review_minutes" else x
            for name, x in zip(components, parts, strict=True)
        ]
        human = None if any(x is None for x in known) else float(sum(x for x in known if x is not None))
    cost = _number(cell.get("cost"))
    mean = _number(cell.get("cost_mean"))
    if cost is None and mean is not None:
        cost = mean * n
    labelled, outcome, severity = _outcomes(cell, n)
    return _Row(
        arm=arm,
        segment=str(cell["segment"]) if cell.get("segment") is not None else ALL,
        worker=None if cell.get("worker") is None else str(cell["worker"]),
        n=n,
        parts=parts,
        human=human,
        sd=_number(cell.get("minutes_sd")) if n > 1 else 0.0,
        labelled=labelled,
        outcome=outcome,
        severity=severity,
        cost=cost,
        currency=str(cell.get("cost_currency") or ""),
    )


def _outcomes(cell: Mapping[str, Any], n: int) -> tuple[int, Four, Four]:
    """Cases whose outcome is known, their outcomes, and errors by severity."""
    classes = [int(cell.get(name) or 0) for name in CLASSES]
    known = cell.get("errors") is not None or any(cell.get(name) is not None for name in CLASSES)
    if not known:
        return 0, (0, 0, 0, 0), (0, 0, 0, 0)
    errors = int(cell["errors"]) if cell.get("errors") is not None else sum(classes)
    labelled = n if cell.get("labelled") is None else int(cell["labelled"])
    escalated, abandoned = int(cell.get("escalations") or 0), int(cell.get("abandoned") or 0)
    if cell.get("severe_errors") is not None:
        severe = int(cell["severe_errors"])
        more, less = severe - classes[2] - classes[3], errors - severe - classes[0] - classes[1]
        critical, moderate = round(more * SHARE_CRITICAL), round(less * SHARE_MODERATE)
        classes = [
            classes[0] + less - moderate,
            classes[1] + moderate,
            classes[2] + more - critical,
            classes[3] + critical,
        ]
    correct = labelled - errors - escalated - abandoned
    return labelled, (correct, errors, escalated, abandoned), (classes[0], classes[1], classes[2], classes[3])


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _spreads(rows: Sequence[_Row], *, wanted: bool) -> tuple[list[float], bool]:
    """Standard deviation of a case's human minutes by row, and whether one had to be assumed.

    Where a row states none, cases vary, relative to their mean, as those of its arm's rows that do; else as those of
    the other arm; else by `ASSUMED_SPREAD`.
    """
    relative: list[float | None] = []
    for arm in (0, 1):
        known = [r for r in rows if r.arm == arm and r.human is not None and r.sd is not None and r.n > 1]
        squares = sum(r.n * (r.human or 0.0) ** 2 for r in known)
        relative.append(
            float(np.sqrt(sum(r.n * (r.sd or 0.0) ** 2 for r in known) / squares)) if squares > 0 else None
        )
    found, assumed = [], False
    for r in rows:
        if r.sd is not None or r.human is None:
            found.append(r.sd or 0.0)
            continue
        own, other = relative[r.arm], relative[1 - r.arm]
        share = own if own is not None else other if other is not None else ASSUMED_SPREAD
        found.append(share * r.human)
        assumed = assumed or wanted
    return found, assumed


class _Units:
    """The rows of a report as unit × arm × segment."""

    def __init__(
        self,
        rows: Sequence[_Row],
        statistics: Sequence[str],
        components: Sequence[str],
        spreads: Sequence[float],
        *,
        by_worker: bool,
    ) -> None:
        self.segments = tuple(sorted({r.segment for r in rows}))
        self.statistics = list(statistics)
        self.components = len(components)
        self.found: dict[str, list[Any]] = {}
        self.size = 0
        if by_worker:
            self._by_worker(rows, spreads)
            return
        most = -(-sum(r.n for r in rows) // MAX_UNITS)  # cases a unit
        for i, (row, sd) in enumerate(zip(rows, spreads, strict=True)):
            self._split(row, sd, most, i)

    def ints(self, name: str, width: int | None = None) -> Ints:
        """A column of whole numbers, shape (rows,) or (rows, width)."""
        shape = self.size if width is None else (self.size, width)
        return np.array(self.found[name], dtype=np.int64).reshape(shape)

    def floats(self, name: str, width: int) -> Floats:
        """Columns of sums, shape (rows, width)."""
        return np.array(self.found[name], dtype=np.float64).reshape(self.size, width)

    def _add(self, **values: Any) -> None:
        for name, value in values.items():
            self.found.setdefault(name, []).append(value)
        self.size += 1

    def _means(self, row: _Row, sd: float) -> list[tuple[float, float] | None]:
        """Mean and standard deviation of a case by statistic; None where the row lacks it."""
        found: list[tuple[float, float] | None] = []
        for name in self.statistics:
            currency = name.partition(":")[2] if name.startswith("agent_cost:") else None
            if currency is not None:
                own = 0.0 if row.currency != currency else (row.cost or 0.0) / row.n
                found.append(None if row.cost is None else (own, ASSUMED_SPREAD * own if row.n > 1 else 0.0))
                continue
            mean = row.human if name == "human_minutes" else row.parts[self.statistics.index(name)]
            # Parts are taken to vary as the whole does: a report says nothing of them.
            share = mean / row.human if mean is not None and row.human else 0.0
            found.append(None if mean is None else (mean, sd * share))
        return found

    def _by_worker(self, rows: Sequence[_Row], spreads: Sequence[float]) -> None:
        people = {name: i for i, name in enumerate(sorted({r.worker or "" for r in rows}))}
        groups: dict[tuple[int, str, str], list[int]] = {}
        for i, r in enumerate(rows):
            groups.setdefault((r.arm, r.segment, r.worker or ""), []).append(i)
        for (arm, segment, worker), inside in sorted(groups.items()):
            count, total, square = (np.zeros(len(self.statistics)) for _ in range(3))
            for i in inside:
                n = rows[i].n
                for j, known in enumerate(self._means(rows[i], spreads[i])):
                    if known is not None:
                        mean, sd = known
                        count[j] += n
                        total[j] += n * mean
                        square[j] += n * mean**2 + (n - 1) * sd**2
            self._add(
                arm=arm,
                segment=self.segments.index(segment),
                unit=people[worker],
                n=sum(rows[i].n for i in inside),
                count=count,
                total=total,
                square=square,
                labelled=sum(rows[i].labelled for i in inside),
                outcome=np.sum([rows[i].outcome for i in inside], axis=0),
                severity=np.sum([rows[i].severity for i in inside], axis=0),
                cost_known=sum(rows[i].n for i in inside if rows[i].cost is not None),
            )

    def _split(self, row: _Row, sd: float, most: int, place: int) -> None:
        """A row as units that give its n, its means and their standard errors back."""
        n = row.n
        size = min(n, max(-(-n // most), FEWEST_UNITS))
        sizes = np.full(size, n // size) + (np.arange(size) < n % size)
        # Minutes and cost lie on both sides in different orders, so that neither goes with the other.
        above, apart = _sides(size, 1), _sides(size, 2)
        lean = 1 / np.where(
            sizes < n, 1 - sizes / n, 1.0
        )  # what `roi.scores` divides a unit's score by, squared
        totals, counts, squares = [], [], []
        for name, known in zip(self.statistics, self._means(row, sd), strict=True):
            sides = apart if name.startswith("agent_cost:") else above
            mean, deviation = known or (0.0, 0.0)
            whole = float((sides**2 * lean).sum())
            step = deviation * np.sqrt(n / whole) if whole > 0 else 0.0
            counts.append(sizes if known is not None else 0 * sizes)
            totals.append(sizes * mean + step * sides)
            squares.append(sizes / n * (n * mean**2 + (n - 1) * deviation**2))
        rng = stream(0, f"report:{place}")
        left = sizes.copy()
        outcome = np.zeros((size, 4), dtype=np.int64)
        for k in (1, 2, 3, 0):
            outcome[:, k] = _dealt(left, row.outcome[k], rng)
            left = left - outcome[:, k]
        wrong = outcome[:, 1].copy()
        severity = np.zeros((size, 4), dtype=np.int64)
        for k in (3, 2, 1, 0):
            severity[:, k] = _dealt(wrong, row.severity[k], rng)
            wrong = wrong - severity[:, k]
        first = self.size
        for u in range(size):
            self._add(
                arm=row.arm,
                segment=self.segments.index(row.segment),
                unit=first + u,
                n=sizes[u],
                count=[x[u] for x in counts],
                total=[x[u] for x in totals],
                square=[x[u] for x in squares],
                labelled=outcome[u].sum(),
                outcome=outcome[u],
                severity=severity[u],
                cost_known=sizes[u] if row.cost is not None else 0,
            )


def _sides(size: int, run: int) -> Floats:
    """+1 and −1 in turn, `run` of each at a time, as many of one as of the other; 0 for a unit that is left over."""
    sides = np.where(np.arange(size) // run % 2 == 0, 1.0, -1.0)
    rest = size % (2 * run)
    sides[size - rest :] = [1.0, -1.0, 0.0][:rest] if rest > 1 else [0.0] * rest
    return sides


def _dealt(room: Ints, hits: int, rng: np.random.Generator) -> Ints:
    """`hits` cases of `room` by unit, shape (units,): the first ones, or at random where units are bundles of cases."""
    if room.max(initial=0) <= 1:
        return np.where(np.cumsum(room) <= hits, room, 0)
    return np.asarray(rng.multivariate_hypergeometric(room, hits, method="marginals"), dtype=np.int64)


def _losses(rows: Sequence[_Row]) -> Losses | None:
    """Pilot cases by outcome; of their causes, inputs and minutes a report says nothing."""
    counts = [sum(r.outcome[k] for r in rows if r.arm == 1) for k in range(4)]
    if not any(r.labelled for r in rows):
        return None
    kept = [k for k in range(4) if counts[k]]
    nothing = np.zeros(len(kept), dtype=np.int64)
    return Losses(
        outcome=tuple(("correct", "error", "escalated", "abandoned")[k] for k in kept),
        cause=(None,) * len(kept),
        defective=(None,) * len(kept),
        n=np.array([counts[k] for k in kept], dtype=np.int64),
        minutes=nothing.astype(np.float64),
        timed=nothing,
    )


def _last_day(month: dt.date) -> dt.date:
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])
