"""A rate from a judge's word on all cases and people's on a sample of them, and how many cases it is worth.

The judge's mean over all cases is corrected by what people found in their sample (prediction-powered inference), which
holds however bad the judge is; a bad one is only worth nothing. Without a judge it is the mean of people's labels,
weighted by the inverse probability of being chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.clusters import degrees_of_a_mean, rate_effect
from roi.draws import t_quantile
from roi.label_moments import JudgedMoments
from roi.moments import Moments

__all__ = ["ENOUGH_EVENTS", "ArmRates", "Cell", "Rectified", "arm_rates", "rectify", "tuned_power"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

ENOUGH_EVENTS = 10  # found by people in an arm, before a judge or a variance may be believed
UNSEEN = 1.0  # events of the heaviest case that a sample may have missed


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectified:
    """A rate in one cell.

    Attributes:
        rate: The estimate; may lie outside [0, 1].
        people: Variance that comes from the cases that people labelled, cases taken as independent.
        judge: Variance that comes from the cases that only the judge saw.
        score: Influence of each row on the rate, shape (rows,).
    """

    rate: float
    people: float
    judge: float
    score: Floats

    @property
    def error(self) -> float:
        """Standard error, cases taken as independent."""
        return float(np.sqrt(max(self.people + self.judge, 0.0)))


@dataclass(frozen=True, slots=True)
class Cell:
    """Cases of one arm in one segment by both words, as one event sees them.

    Attributes:
        hit: Share of the row's cases in which people found the event; 0 where they said nothing, shape (rows,).
        said: Share in which the judge did, likewise.
        n: Cases, shape (rows,).
        weight: Sum of 1 / probability of being chosen; the number of cases where that is not used, shape (rows,).
        weight2: Sum of its square, likewise.
        labelled: Whether people labelled the cases, shape (rows,).
        unit: Index of the unit, shape (rows,).
        heaviest: Largest 1 / probability; 1 where that is not used.
    """

    hit: Floats
    said: Floats
    n: Floats
    weight: Floats
    weight2: Floats
    labelled: Bools
    unit: Ints
    heaviest: float


@dataclass(frozen=True, slots=True)
class ArmRates:
    """One event's rates in one arm.

    Attributes:
        hits: Effective events, shape (segments,).
        n: Effective cases, shape (segments,).
        score: Influence of each unit on the rate of each segment, shape (segments, units).
        power: How much of the judge's word was taken.
        gain: Share of the variance that it saves.
    """

    hits: Floats
    n: Floats
    score: Floats
    power: float
    gain: float


def rectify(
    hit: Floats,
    said: Floats,
    n: Floats,
    labelled: Bools,
    *,
    power: float,
    weight: Floats | None = None,
    weight2: Floats | None = None,
) -> Rectified:
    """Correct a judge's mean over all cases by what people found in their sample.

    rate = power · mean of `said` over all cases + weighted mean of (`hit` − power · `said`) over labelled ones.

    Args:
        hit: Whether people found the event, 0 or 1, shape (rows,); not read where they said nothing.
        said: Whether the judge said so, shape (rows,); 0 where it said nothing, which is a prediction as well.
        n: Cases in each row, shape (rows,).
        labelled: Whether people labelled them, shape (rows,).
        power: How much of the judge's word to take; 0 leaves people's labels alone.
        weight: Sum of 1 / probability of being chosen over the cases of a row; None where all were chosen alike.
        weight2: Sum of its square.

    Returns:
        The rate with the two parts of its variance.

    Raises:
        ValueError: If no case is labelled.

    Source:
        Angelopoulos et al. (2023), Science 382:669; Angelopoulos, Duchi & Zrnic (2023), arXiv:2311.01453 (PPI++), of
        which `power` · (1 − labelled / all) is the lambda; Hájek (1971) for the weighted mean.
    """
    w = n if weight is None else weight
    total, mass = float(n.sum()), float(w[labelled].sum())
    if not mass > 0:
        raise ValueError("a rate needs a labelled case")
    people, judge = np.where(labelled, w, 0.0), np.where(labelled, 0.0, n)
    everywhere = float((n * said).sum()) / total
    rest = float(judge.sum())
    found = float((people * hit).sum()) / mass
    predicted = float((people * said).sum()) / mass
    rate = found + power * (everywhere - predicted)
    if weight is None or weight2 is None:
        own = power * rest / total
        residual = hit - own * said - (found - own * predicted)
        middle = float((judge * said).sum()) / rest if rest > 0 else 0.0
        away = own * (said - middle)
        return Rectified(
            rate=rate,
            people=float((people * residual**2).sum()) / mass**2,
            judge=float((judge * away**2).sum()) / rest**2 if rest > 0 else 0.0,
            score=people * residual / mass + (judge * away / rest if rest > 0 else 0.0),
        )
    residual = hit - power * said - (found - power * predicted)
    away = power * (said - everywhere)
    squares = np.where(labelled, weight2, 0.0) * residual**2
    both = float((people * residual * away).sum()) / (mass * total)
    return Rectified(
        rate=rate,
        people=max(float(squares.sum()) / mass**2 + 2 * both, 0.0),
        judge=float((n * away**2).sum()) / total**2,
        score=people * residual / mass + n * away / total,
    )


def tuned_power(cells: list[Cell], *, weighted: bool) -> float:
    """How much of the judge's word makes the rate of an arm most precise; shared by the arm's segments.

    It is the slope of people's word on the judge's among the labelled cases, within segments. (With the judge's
    variance over all cases below the line, as PPI++ has it, a sample that happens to hold many errors takes more of the
    judge's word, which then says "fewer": rates of 15 % came out as 14.4 % with 100 labels.)

    Args:
        cells: The arm's cells.
        weighted: Whether labelled cases weigh 1 / probability of being chosen.

    Returns:
        In [0, 1]; 0 where the judge said the same of all labelled cases.

    Source:
        Angelopoulos, Duchi & Zrnic (2023), arXiv:2311.01453, section 6; Cassel, Särndal & Wretman (1976), Biometrika
        63:615, for the slope.
    """
    together = own = 0.0
    for cell in cells:
        w = np.where(cell.labelled, cell.weight, 0.0)
        if not w.sum() > 0:
            continue
        square = np.where(cell.labelled, cell.weight2 if weighted else cell.n, 0.0)
        hit = cell.hit - float((w * cell.hit).sum() / w.sum())
        said = cell.said - float((w * cell.said).sum() / w.sum())
        together += float((square * hit * said).sum())
        own += float((square * said * said).sum())
    return float(np.clip(together / own, 0, 1)) if own > 0 else 0.0


def arm_rates(
    moments: Moments,
    judged: JudgedMoments,
    arm: int,
    event: tuple[int, ...],
    judged_event: tuple[int, ...],
    weighted: bool,
    rectified: bool,
) -> ArmRates:
    """Effective numbers of one arm's cells for one event.

    Args:
        moments: Moments of the production cases.
        judged: Their counts by what people and the judge said.
        arm: 0 baseline, 1 pilot.
        event: What people say of it, as indices into `HUMAN`.
        judged_event: What the judge says of it, as indices into `JUDGE`.
        weighted: Whether labelled cases weigh 1 / probability of being chosen.
        rectified: Whether the judge may be believed.

    Returns:
        Effective events and cases: rate · (1 − rate) / variance where people found ten events; else the weighted
        counts over Kish's and the units' design effect.
    """
    s_count = len(moments.segments)
    units = int(moments.unit.max()) + 1 if moments.unit.size else 0
    cells = [_rows(judged, arm, s, event, judged_event, weighted) for s in range(s_count)]
    events = np.array([float((c.n * c.hit)[c.labelled].sum()) for c in cells])
    labelled = np.array([float(c.n[c.labelled].sum()) for c in cells])
    cases = np.array([float(c.n.sum()) for c in cells])
    enough = events.sum() >= ENOUGH_EVENTS
    power = tuned_power(cells, weighted=weighted) if rectified and enough else 0.0
    nothing = ArmRates(np.zeros(s_count), np.zeros(s_count), np.zeros((s_count, units)), 0.0, 0.0)
    if not labelled.any():
        return nothing
    found = {s: _rate(c, power, weighted) for s, c in enumerate(cells) if labelled[s] > 0}
    alone = {s: _rate(cells[s], 0.0, weighted) for s in found}
    share = np.where(labelled > 0, cases, 0.0) / cases[labelled > 0].sum()
    score = np.zeros((s_count, units))
    for s, x in found.items():
        score[s] = np.bincount(cells[s].unit, weights=x.score, minlength=units)
    rate = sum(share[s] * x.rate for s, x in found.items())
    variance = sum(share[s] ** 2 * (x.people + x.judge) for s, x in found.items())
    by_people = sum(share[s] ** 2 * x.people for s, x in alone.items())
    by_hand = effect = rate_effect(moments, arm)
    if moments.unit_kind != "case" and enough and variance > 0:
        together = np.array([(share * column).sum() for column in score.T])
        units_of: Floats = np.bincount(
            np.concatenate([c.unit[c.labelled] for c in cells]),
            weights=np.concatenate([c.n[c.labelled] for c in cells]),
            minlength=units,
        ).astype(np.float64)
        g = int((units_of > 0).sum())
        if g > 1:
            seen = float((together**2).sum()) * g / (g - 1) / variance
            # What is seen of how few units differ pays for their number; what is taken for granted does not.
            few = t_quantile(0.95, degrees_of_a_mean(units_of)) / t_quantile(0.95, np.inf)
            effect = max(effect, seen * few**2)
    hits, n = np.zeros(s_count), np.zeros(s_count)
    usual = _relative(found, alone, labelled)
    for s, x in found.items():
        kish = float(cells[s].weight[cells[s].labelled].sum()) ** 2 / _squares(cells[s])
        if enough and 0 < x.rate < 1 and 0 < rate < 1:
            n[s] = 1 / (effect * _variance(cells[s], x, alone[s], usual, rate, events[s], labelled[s]))
            hits[s] = x.rate * n[s]
        else:
            n[s] = kish / by_hand
            hits[s] = min(max(alone[s].rate, 0.0), 1.0) * n[s]
    gain = max(0.0, 1 - variance / by_people) if power > 0 and by_people > 0 else 0.0
    return ArmRates(hits, n, score, power, gain)


def _rows(
    judged: JudgedMoments,
    arm: int,
    segment: int,
    event: tuple[int, ...],
    judged_event: tuple[int, ...],
    weighted: bool,
) -> Cell:
    at = (judged.arm == arm) & (judged.segment == segment)
    n = judged.n[at].astype(np.float64)
    labelled = judged.human[at] >= 0
    heaviest = float(judged.heaviest[at][labelled].max(initial=0.0)) if weighted else 1.0
    return Cell(
        hit=np.isin(judged.human[at], event).astype(np.float64),
        said=np.isin(judged.judge[at], judged_event).astype(np.float64),
        n=n,
        weight=judged.weight[at] if weighted else n,
        weight2=judged.weight2[at] if weighted else n,
        labelled=labelled,
        unit=judged.unit[at],
        heaviest=heaviest,
    )


def _rate(cell: Cell, power: float, weighted: bool) -> Rectified:
    return rectify(
        cell.hit,
        cell.said,
        cell.n,
        cell.labelled,
        power=power,
        weight=cell.weight if weighted else None,
        weight2=cell.weight2 if weighted else None,
    )


def _squares(cell: Cell) -> float:
    return float(cell.weight2[cell.labelled].sum())


def _relative(found: dict[int, Rectified], alone: dict[int, Rectified], labelled: Floats) -> float:
    """Variance a labelled case of the arm, against that of plain labels of as many cases chosen alike."""
    top = sum(x.people * labelled[s] ** 2 for s, x in found.items())
    bottom = sum(max(x.rate * (1 - x.rate), 0.0) * labelled[s] for s, x in alone.items())
    return float(top / bottom) if bottom > 0 else 1.0


def _variance(
    cell: Cell, x: Rectified, alone: Rectified, usual: float, rate: float, events: float, labelled: float
) -> float:
    """Variance of a cell's rate against that of one independent case.

    A cell with few events borrows what a label is worth from its arm, with the weight of ten events. Some events of the
    heaviest case are added: a judge without a mistake in the sample is not one without mistakes.

    Source:
        Wilson (1927), JASA 22:209; Agresti & Coull (1998), The American Statistician 52:119, on adding z²/2 events.
    """
    plain = alone.rate * (1 - alone.rate)
    own = x.people * labelled / plain if plain > 0 else usual
    part = (events * own + ENOUGH_EVENTS * usual) / (events + ENOUGH_EVENTS)
    usual_rate = (events * x.rate + ENOUGH_EVENTS * rate) / (events + ENOUGH_EVENTS)
    single = usual_rate * (1 - usual_rate)
    mass = float(cell.weight[cell.labelled].sum())
    unseen = UNSEEN * (cell.heaviest / mass) ** 2
    return part / labelled + (x.judge + unseen) / single
