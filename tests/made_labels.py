"""Cases that people and a judge labelled, drawn from a stated truth, without files or an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from made_moments import made_moments

from roi.label_moments import HUMAN, JUDGE, JudgedMoments
from roi.moments import Moments

Array = npt.NDArray[np.generic]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def labelled_moments(
    arm: Sequence[int] | Ints,
    human: Sequence[str] | Array,
    judge: Sequence[str] | Array,
    *,
    unit: Sequence[object] | Array | None = None,
    segment: Sequence[str] | Array | None = None,
    probability: Sequence[float] | Floats | None = None,
    selection: str = "random",
) -> Moments:
    """Moments of cases by both words, each argument one value a case.

    Args:
        arm: 0 baseline, 1 pilot.
        human: People's word (see `HUMAN`), "" where they said nothing.
        judge: The judge's (see `JUDGE`), "" likewise.
        unit: The worker; None makes every case a unit.
        segment: Segment names; None for none.
        probability: Of being chosen for checking, NaN where not stated; None where nobody states one.
        selection: all, random, risk_based or unknown.
    """
    a, h, j = np.asarray(arm, dtype=np.int64), np.asarray(human), np.asarray(judge)
    errors = np.isin(h, HUMAN[1:6])
    moments = made_moments(
        np.ones(a.size),
        a,
        unit,
        segment,
        outcome=np.where(errors, "error", h),
        severity=np.where(errors & (h != "unknown"), h, ""),
    )
    _, s = np.unique(np.full(a.size, "") if segment is None else np.asarray(segment), return_inverse=True)
    _, u = np.unique(np.arange(a.size) if unit is None else np.asarray(unit), return_inverse=True)
    p = np.full(a.size, np.nan) if probability is None else np.asarray(probability, dtype=np.float64)
    stated = (h != "") & ~np.isnan(p)
    weight = np.where(stated, 1 / np.where(stated, p, 1.0), 0.0)
    word, said = (_indices(said_of, names) for said_of, names in ((h, HUMAN), (j, JUDGE)))
    # One number for all five: sorted it has their order, and it is found ten times as fast as distinct columns are.
    sizes = (2, int(s.max(initial=0)) + 1, int(u.max(initial=0)) + 1, len(HUMAN) + 1, len(JUDGE) + 1)
    key, row = np.unique(np.ravel_multi_index((a, s, u, word + 1, said + 1), sizes), return_inverse=True)
    rows = np.array(np.unravel_index(key, sizes)) - np.array([[0], [0], [0], [1], [1]])

    def summed(values: Floats) -> Floats:
        return np.bincount(row, weights=values, minlength=rows.shape[1])

    heaviest = np.zeros(rows.shape[1])
    np.maximum.at(heaviest, row, weight)
    judged = JudgedMoments(
        selection=selection,
        arm=rows[0],
        segment=rows[1],
        unit=rows[2],
        human=rows[3],
        judge=rows[4],
        n=summed(np.ones(a.size)).astype(np.int64),
        probable=summed(stated.astype(np.float64)).astype(np.int64),
        weight=summed(weight),
        weight2=summed(weight**2),
        heaviest=heaviest,
    )
    people = "human" if (h != "").any() else "judge"
    return replace(moments, judged=judged, labels=people)


def _indices(said: Array, names: Sequence[str]) -> Ints:
    """Where each word stands among the names, -1 for none."""
    at = {"": -1} | {name: i for i, name in enumerate(names)}
    return np.array([at[x] for x in said.tolist()], dtype=np.int64)


def drawn_labels(
    rng: np.random.Generator,
    *,
    cases: int,
    labelled: int,
    rates: tuple[float, float] = (0.15, 0.10),
    sees: float = 0.9,
    cries_wolf: float = 0.05,
    workers: int | None = None,
    correlation: float = 0.1,
    risk_based: bool = False,
) -> Moments:
    """A pilot of known error rates, half of its cases in each arm, of which people label a sample.

    Args:
        rng: Random stream.
        cases: Cases of both arms, each judged.
        labelled: Cases of both arms that people label; the expected number where chosen by risk.
        rates: True error rate by arm.
        sees: Share of errors that the judge calls errors.
        cries_wolf: Share of right results that it calls errors.
        workers: People who worked the cases, each both arms; None for none.
        correlation: Of errors within a worker.
        risk_based: Whether a case that the judge calls an error is five times as likely to be chosen.
    """
    arm = np.arange(cases) % 2
    p = np.asarray(rates)
    worker = None
    rate = p[arm]
    if workers is not None:
        worker = (np.arange(cases) // 2) % workers
        weight = 1 / correlation - 1
        rate = rng.beta(p * weight, (1 - p) * weight, (workers, 2))[worker, arm]
    wrong = rng.random(cases) < rate
    said = rng.random(cases) < np.where(wrong, sees, cries_wolf)
    if risk_based:
        score = np.where(said, 5.0, 1.0)
        chance = np.minimum(labelled * score / score.sum(), 1.0)
        chosen = rng.random(cases) < chance
    else:
        chance = np.full(cases, np.nan)
        chosen = np.zeros(cases, dtype=bool)
        for a in (0, 1):
            chosen[rng.permutation(np.flatnonzero(arm == a))[: labelled // 2]] = True
    human = np.where(chosen, np.where(wrong, "minor", "correct"), "")
    return labelled_moments(
        arm,
        human,
        np.where(said, "error", "correct"),
        unit=worker,
        probability=chance if risk_based else None,
        selection="risk_based" if risk_based else "random",
    )
