"""Means of cells and what each independent unit adds to their errors.

A cell is an arm in a segment. A column is a mean in a cell: of minutes, of cost, or the rate of an outcome. The score
of a unit is its linearised influence on a column, so that the covariance of all columns is the sum over units of the
products of their scores, and whatever is built from the columns later keeps its correlation.

Source:
    Liang & Zeger (1986), Biometrika 73:13; Bell & McCaffrey (2002), Survey Methodology 28:169 (a unit's score is
    divided by the root of 1 − its share of the cell).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.covariate import Adjusted, adjust
from roi.labels import labelled_rates
from roi.moments import Moments

__all__ = ["RATES", "Column", "Scores", "scores_of"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

RATES = ("error", "gone")  # any error; escalated or abandoned
ASSUMED_VARIATION = 0.25  # of single cases about their mean, where an arm's are all alike
POOLING = 2.0  # units' worth of trust in the arm's own relative variance, where a cell has few units


@dataclass(frozen=True, slots=True)
class Column:
    """A mean in a cell.

    Attributes:
        arm: 0 baseline, 1 pilot.
        segment: Index of the segment.
        name: Name of a statistic, or one of `RATES`.
    """

    arm: int
    segment: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Columns and their errors.

    Attributes:
        columns: What they are.
        means: Their estimates, shape (columns,).
        matrix: Scores, shape (columns, units).
        alone: Variance that no score can carry, shape (columns,).
        adjusted: What a covariate did to the minutes; None where there is none to use.
        gain: Share of the variance of minutes saved that the covariate takes away; None likewise.
    """

    columns: tuple[Column, ...]
    means: Floats
    matrix: Floats
    alone: Floats
    adjusted: Adjusted | None
    gain: float | None

    @property
    def covariance(self) -> Floats:
        """Covariance of the columns, shape (columns, columns)."""
        products = np.einsum("iu,ju->ij", self.matrix, self.matrix, optimize=False)
        return np.asarray(products + np.diag(self.alone), dtype=np.float64)

    def at(self, arm: int, segment: int, name: str) -> int | None:
        """Where a column is, or None."""
        wanted = Column(arm, segment, name)
        return self.columns.index(wanted) if wanted in self.columns else None


def scores_of(moments: Moments, weights: Floats) -> Scores:
    """Means and scores of every cell.

    Args:
        moments: Moments of the production cases.
        weights: Production share of each segment, shape (segments,).

    Returns:
        The columns of minutes and costs, then those of rates.
    """
    units = int(moments.unit.max()) + 1 if moments.unit.size else 0
    columns: list[Column] = []
    rows: list[Floats] = []
    means: list[float] = []
    for arm in (0, 1):
        for s in range(len(moments.segments)):
            inside = (moments.arm == arm) & (moments.segment == s)
            for j, name in enumerate(moments.statistics):
                mean, score = _mean(moments, inside, moments.total[:, j], moments.count[:, j], units)
                if mean is not None:
                    columns.append(Column(arm, s, name))
                    rows.append(score)
                    means.append(mean)
    at = {column: i for i, column in enumerate(columns)}
    matrix = np.stack(rows) if rows else np.zeros((0, units))
    centre = np.array(means)
    human = {(c.arm, c.segment): i for c, i in at.items() if c.name == "human_minutes"}
    adjusted, gain = adjust(moments, human, units), None
    if adjusted is not None:
        before = _variance_of_difference(matrix, human, weights)
        for i, shift, score, stretch in adjusted.changes:
            centre[i] += shift
            matrix[i] = stretch * (matrix[i] + score)
        gain = 1 - _variance_of_difference(matrix, human, weights) / before if before > 0 else None
    labels = labelled_rates(moments)
    alone = _steady(matrix, columns, centre, moments)
    _impute(matrix, at, centre, moments)
    for arm in (0, 1):
        for s in range(len(moments.segments)):
            inside = (moments.arm == arm) & (moments.segment == s)
            for name in RATES:
                hits = (
                    moments.outcome[:, 1]
                    if name == "error"
                    else moments.outcome[:, 2] + moments.outcome[:, 3]
                )
                mean, score = _mean(moments, inside, hits, moments.labelled, units)
                if mean is not None and labels is not None and labels.score is not None and name == "error":
                    # Labels weighted by their chance, or a judge's word rectified by them.
                    mean = float(labels.hits[arm, s] / labels.n[arm, s]) if labels.n[arm, s] > 0 else mean
                    score = labels.score[arm, s]
                if mean is not None:
                    columns.append(Column(arm, s, name))
                    matrix = np.concatenate([matrix, score[None, :]])
                    centre = np.append(centre, mean)
    more = len(columns) - alone.size
    return Scores(
        columns=tuple(columns),
        means=centre,
        matrix=matrix,
        alone=np.concatenate([alone, np.zeros(more)]),
        adjusted=adjusted,
        gain=gain,
    )


def _variance_of_difference(matrix: Floats, human: dict[tuple[int, int], int], weights: Floats) -> float:
    """Variance of the weighted difference of the arms' minutes over segments that have both."""
    score = np.zeros(matrix.shape[1])
    for (arm, s), i in human.items():
        if (1 - arm, s) in human:
            score = score + (1 - 2 * arm) * weights[s] * matrix[i]
    return float((score * score).sum())


def _mean(
    moments: Moments, inside: Bools, total: Floats | Ints, count: Ints, units: int
) -> tuple[float | None, Floats]:
    """A cell's mean and the scores of its units; None without a case."""
    score = np.zeros(units)
    k = float(count[inside].sum())
    if k == 0:
        return None, score
    mean = float(total[inside].sum()) / k
    score[moments.unit[inside]] = (total[inside] - mean * count[inside]) / k
    leverage = np.zeros(units)
    leverage[moments.unit[inside]] = count[inside] / k
    return mean, score / np.sqrt(np.where(leverage < 1, 1 - leverage, 1.0))


def _steady(matrix: Floats, columns: list[Column], means: Floats, moments: Moments) -> Floats:
    """Lend a cell of few units the relative variance of its arm; one unit alone shows none.

    Scores are scaled in place. Returned is the variance that no score can carry, shape (columns,).
    """
    alone = np.zeros(len(columns))
    variance = np.einsum("iu,iu->i", matrix, matrix, optimize=False)
    for j, name in enumerate(moments.statistics):
        for arm in (0, 1):
            mine = [i for i, c in enumerate(columns) if c.name == name and c.arm == arm]
            sizes = np.array([_cases(moments, columns[i], j) for i in mine], dtype=np.float64)
            trust = np.array([_units(moments, columns[i]) - 1 for i in mine], dtype=np.float64)
            relative = np.array(
                [
                    variance[i] * k / means[i] ** 2 if means[i] > 0 else 0.0
                    for i, k in zip(mine, sizes, strict=True)
                ]
            )
            lent_by, lent_trust = relative, trust
            if trust.sum() > 0 and not relative.sum() > 0:
                # Cases that are all alike were not timed one by one: they are taken to vary all the same.
                alone[mine] = (ASSUMED_VARIATION * means[mine]) ** 2 / np.maximum(sizes, 1)
                continue
            if not trust.sum() > 0:
                # Nobody in this arm can be compared with anybody: it varies as the other arm does, or by its mean.
                lent_by, lent_trust = _other_arm(matrix, columns, moments, means, j, 1 - arm)
            elif len(mine) < 2:
                continue
            shared = float((lent_trust * lent_by).sum() / lent_trust.sum()) if lent_trust.sum() > 0 else 1.0
            for i, k, g in zip(mine, sizes, trust, strict=True):
                lent = shared * means[i] ** 2 / k
                wanted = (g * variance[i] + POOLING * lent) / (g + POOLING)
                if variance[i] > 0 and g > 0:
                    matrix[i] *= np.sqrt(wanted / variance[i])
                else:
                    alone[i] = lent
    return alone


def _other_arm(
    matrix: Floats, columns: list[Column], moments: Moments, means: Floats, statistic: int, arm: int
) -> tuple[Floats, Floats]:
    """Relative variance a case of the cells of an arm, and the units behind each less one."""
    name = moments.statistics[statistic]
    mine = [i for i, c in enumerate(columns) if c.name == name and c.arm == arm and means[i] > 0]
    trust = np.array([_units(moments, columns[i]) - 1 for i in mine], dtype=np.float64)
    relative = [
        float((matrix[i] ** 2).sum()) * _cases(moments, columns[i], statistic) / means[i] ** 2 for i in mine
    ]
    return np.array(relative, dtype=np.float64), trust


def _inside(moments: Moments, column: Column) -> Bools:
    return np.asarray((moments.arm == column.arm) & (moments.segment == column.segment))


def _cases(moments: Moments, column: Column, statistic: int) -> int:
    return int(moments.count[_inside(moments, column), statistic].sum())


def _units(moments: Moments, column: Column) -> int:
    return int(np.unique(moments.unit[_inside(moments, column)]).size)


def _impute(matrix: Floats, at: dict[Column, int], means: Floats, moments: Moments) -> None:
    """Charge pilot cases without the minutes of who took over with their segment's baseline mean, in place."""
    human = moments.column("human_minutes")
    if human is None:
        return
    for s in range(len(moments.segments)):
        pilot, base = at.get(Column(1, s, "human_minutes")), at.get(Column(0, s, "human_minutes"))
        rows = (moments.arm == 1) & (moments.segment == s)
        imputed = int(moments.imputed[rows].sum())
        if pilot is None or base is None or imputed == 0:
            continue
        share = imputed / int(moments.count[rows, human].sum())
        means[pilot] += share * means[base]
        matrix[pilot] += share * matrix[base]
