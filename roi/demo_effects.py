"""What more defective inputs do to a figure, and what people find beyond a judge program: learned in production.

Source:
    Kitagawa (1955), JASA 50:1168: the part of a difference that unlike compositions account for.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from roi.demo_moments import CLEAN, DEFECTIVE, DEMO, PRODUCTION, DemoMoments
from roi.label_moments import HUMAN, JUDGE
from roi.linear import Cells, Linear, cells_of
from roi.moments import Moments

__all__ = ["LEAST_JUDGED", "LEAST_STATE", "effect_of_defects", "effect_of_judge"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

LEAST_STATE = 5  # clean and defective production cases of a kind, before it tells what a defect does
LEAST_JUDGED = 20  # production cases that both people and the judge labelled


def effect_of_defects(
    d: DemoMoments,
    arm: int,
    omega: Floats,
    cells: Callable[[Bools, Ints, int, int, str], Cells],
    live: Bools,
    why: dict[str, str],
    *,
    rate: bool,
    moments: Moments,
) -> Linear | None:
    """What it does that production's inputs are defective more often: Σ ω (q − q of the demo) · what a defect does.

    What a defect does is learned in production, for a demo rarely has one; a kind of case with too few of either is
    taken to be like the others.
    """
    if rate and moments.judged is not None and moments.judged.selection == "risk_based":
        why["input_defects"] = "labelled cases were chosen by risk, so what a defect does cannot be counted"
        return None
    known = (d.arm == arm) & (d.state >= 0)
    s_count, units = len(d.segments), int(d.unit.max()) + 1
    shares = []
    for setting in (PRODUCTION, DEMO):
        rows = known & (d.setting == setting)
        n = d.n[rows].astype(np.float64)
        bad = n * (d.state[rows] == DEFECTIVE)
        shares.append(
            cells_of(
                bad,
                n,
                bad,
                d.segment[rows],
                d.unit[rows],
                cells=s_count,
                units=units,
                is_rate=True,
                block=f"defects:{arm}:{setting}",
            )
        )
    used = omega > 0
    if (shares[1].count[used] == 0).any() or (shares[0].count[used] == 0).any():
        if not (d.state >= 0).any():
            why["input_defects"] = "no column says whether a case's inputs were defective"
        else:
            lacking = "the demo" if (shares[1].count[used] == 0).any() else "production"
            why["input_defects"] = f"for some kinds {lacking} does not say whether inputs were defective"
        return None
    state = cells(live, d.segment * 2 + d.state, 2 * s_count, 0, "state")
    clean, bad_ = np.arange(s_count) * 2 + CLEAN, np.arange(s_count) * 2 + DEFECTIVE
    able = used & (state.count[clean] >= LEAST_STATE) & (state.count[bad_] >= LEAST_STATE)
    if not able.any():
        why["input_defects"] = (
            f"too few to tell: no kind of case has {LEAST_STATE} clean and {LEAST_STATE} defective ones in production"
        )
        return None
    more = np.where(used, shares[0].mean - shares[1].mean, 0.0)
    effect = state.mean[bad_] - state.mean[clean]
    pooled = float((omega[able] * effect[able]).sum() / omega[able].sum())
    effect = np.where(able, effect, pooled)
    slope = np.where(able, omega * more, 0.0)
    slope = slope + np.where(able, omega, 0.0) / omega[able].sum() * float((omega * more)[~able].sum())
    weights = np.zeros(2 * s_count)
    weights[bad_], weights[clean] = slope, -slope
    of_effect = state.sum_of(weights)
    of_share = shares[0].sum_of(np.where(used, omega * effect, 0.0))
    of_cell = state.variance / np.maximum(state.count, 1.0)
    both = np.where(able, of_cell[bad_] + of_cell[clean], 0.0) * shares[0].variance
    product = float((omega**2 * both / np.maximum(shares[0].count, 1.0)).sum())
    return Linear(
        value=float((omega * more * effect).sum()),
        score=of_effect.score + of_share.score,
        own=np.concatenate([of_effect.own, of_share.own, [np.sqrt(product)]]),
        block=f"{of_effect.block}:defects",
    )


def effect_of_judge(
    moments: Moments,
    arm: int,
    omega: Floats,
    units: int,
    judged: tuple[str | None, str | None],
    why: dict[str, str],
) -> Linear | None:
    """How much more people find than the judge does on the same production cases, where it alone judged the demo."""
    nothing = Linear(value=0.0, score=np.zeros(units), own=np.zeros(1), block="nothing")
    if judged == ("people", "people"):
        why["judge"] = "people judged both"
        return nothing
    if judged[0] != "people":
        why["judge"] = "people labelled no production case, so nothing can be held against the judge's word"
        return None
    j = moments.judged
    rows = None
    if j is not None:
        rows = (j.arm == arm) & (j.human >= 0) & (j.judge >= 0)
    if j is None or rows is None or int(j.n[rows].sum()) < LEAST_JUDGED:
        n = 0 if j is None or rows is None else int(j.n[rows].sum())
        why["judge"] = f"too few to tell: people and the judge both labelled {n} production cases"
        return None
    n_all = j.n.astype(np.float64)
    if j.selection in ("unknown", "risk_based") and (j.probable[rows] < j.n[rows]).any():
        why["judge"] = "nobody says with which chance people's cases were chosen"
        return None
    size = np.where(j.probable == j.n, j.weight, n_all) if j.selection == "risk_based" else n_all
    wrong = np.isin(j.human, [HUMAN.index(x) for x in HUMAN[1:6]]).astype(np.float64)
    said = np.isin(j.judge, [JUDGE.index(x) for x in JUDGE[1:3]]).astype(np.float64)
    excess = wrong - said
    found = cells_of(
        (size * excess)[rows],
        size[rows],
        (size * excess * excess)[rows],
        j.segment[rows],
        j.unit[rows],
        cells=omega.size,
        units=units,
        block=f"judge:{arm}",
    )
    known = (found.count > 0) & (omega > 0)
    if not known.any():
        why["judge"] = "people and the judge both labelled no case of a kind that the demo showed"
        return None
    linear = found.sum_of(np.where(known, omega, 0.0) / omega[known].sum())
    one = 1 / float(j.n[rows].sum())  # a judge that never erred in the sample is not one that never errs
    return Linear(
        value=linear.value,
        score=linear.score,
        own=np.concatenate([linear.own, [one]]),
        block=linear.block,
    )
