"""Estimates behind a demo's gap: its level, its level at production's mix, and what defects and the judge account for.

Each is a weighted sum of cell means with what every unit adds to its error (`roi.linear`); drawing comes later.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from roi.assumptions import Assumptions
from roi.demo_effects import effect_of_defects, effect_of_judge
from roi.demo_moments import DEMO, PRODUCTION, DemoMoments
from roi.linear import Cells, Linear, cells_of
from roi.measured import Measured
from roi.moments import MIN_WORKERS, Moments
from roi.pooling import weighted

__all__ = ["LEAST_DEMO", "Draft", "drafts_of", "judged_by"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

LEAST_DEMO = 10  # demo cases, before anything is split


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sums:
    """Total, count and sum of squares of a quantity, each shape (rows,) of the demo's moments."""

    total: Floats
    count: Floats
    square: Floats


@dataclass(slots=True, kw_only=True)
class Draft:
    """A side before it is drawn.

    Attributes:
        key: Quantity ("human_minutes", "error", "gone", "agent_cost") and arm.
        n: Demo cases behind it.
        covers: Share of production's covered demand in kinds that the demo showed.
        production: Draws of production's figure; None where it is not known.
        common: The same over kinds that the demo showed, too.
        shift: What an uncertain production mix does to the reweighted demo.
        of_production: Production's figure with its scores.
        demo: The demo's figure.
        reweighted: The same at the production mix.
        defects: What production's more frequent defects account for.
        judge: What people find on production cases beyond the judge.
        n_production: Production cases behind it.
        hits: Of a rate, the demo's events.
        df: Degrees of freedom of the demo's figure.
        why: By part why it cannot be told.
    """

    key: tuple[str, int]
    n: int
    covers: float
    production: Floats | None = None
    common: Floats | None = None
    shift: Floats | None = None  # of the reweighted demo, by an uncertain mix
    of_production: Linear | None = None
    demo: Linear | None = None
    reweighted: Linear | None = None
    defects: Linear | None = None
    judge: Linear | None = None
    n_production: float = 0.0
    hits: float = 0.0
    df: float = np.inf
    why: dict[str, str] = field(default_factory=dict)


def drafts_of(
    measured: Measured, assumptions: Assumptions, d: DemoMoments, *, currency: str
) -> tuple[list[Draft], Floats | None, bool]:
    """Estimates of every quantity that the demo shows.

    Args:
        measured: What was measured in production.
        assumptions: Draws of the stated inputs (exchange rates are used).
        d: Demo and production cases.
        currency: The pilot's currency.

    Returns:
        The estimates; what uncertain exchange rates do to the agent's cost, shape (n_draws,) or None; and whether a
        rate lacks.
    """
    judged = (judged_by(d, PRODUCTION), judged_by(d, DEMO))
    sums = {
        ("human_minutes", 0): _minutes(d, measured, 0),
        ("human_minutes", 1): _minutes(d, measured, 1),
        ("error", 0): _labels(d, judged, 1),
        ("error", 1): _labels(d, judged, 1),
        ("gone", 1): _labels(d, judged, 2),
    }
    cost, scale, unpriced = _cost(d, assumptions, currency, measured.draws)
    if cost is not None:
        sums["agent_cost", 1] = cost
    drafts = [_draft(measured, d, key, each, judged) for key, each in sums.items()]
    return [x for x in drafts if x is not None], scale, unpriced


def judged_by(d: DemoMoments, setting: int) -> str | None:
    """Who labelled a setting: people where they labelled at least as many cases as the judge."""
    inside = d.setting == setting
    people, judge = int(d.people[inside, 0].sum()), int(d.judge[inside, 0].sum())
    if people + judge == 0:
        return None
    if setting == PRODUCTION:
        return "people" if people > 0 else "judge"  # a sample of people's labels corrects the judge's
    return "people" if people >= judge else "judge"


def _minutes(d: DemoMoments, measured: Measured, arm: int) -> _Sums:
    """Human minutes; who took over without logging it is charged what a case takes without the agent."""
    base = np.zeros(len(d.segments))
    if arm == 1 and measured.human is not None:
        known = measured.human[0].mean(axis=1) if measured.human[0].size else np.zeros(0)
        finite = np.isfinite(known)
        if finite.any():
            base[:] = float(known[finite].mean())
            base[: known.size][finite] = known[finite]
    each = base[d.segment] * (arm == 1)
    return _Sums(
        total=d.minutes + each * d.imputed,
        count=d.timed.astype(np.float64),
        square=d.minutes2 + 2 * each * d.imputed_minutes + each * each * d.imputed,
    )


def _labels(d: DemoMoments, judged: tuple[str | None, str | None], column: int) -> _Sums:
    """Hits among labelled cases, by whoever labelled the setting."""
    total, count = np.zeros(d.n.size), np.zeros(d.n.size)
    for setting in (PRODUCTION, DEMO):
        inside = d.setting == setting
        words = d.judge if judged[setting] == "judge" else d.people
        total[inside], count[inside] = words[inside, column], words[inside, 0]
    return _Sums(total=total, count=count, square=total)


def _cost(
    d: DemoMoments, assumptions: Assumptions, currency: str, draws: int
) -> tuple[_Sums | None, Floats | None, bool]:
    """Agent cost at expected exchange rates, what uncertain rates do to it, and whether a rate lacks."""
    rates = []
    for name in d.currencies:
        rate = 1.0 if name in ("", currency) else assumptions.get(f"economics.fx.{name}")
        if rate is None:
            return None, None, True
        rates.append(rate)
    if not rates:
        return None, None, False
    mean = np.array([float(np.mean(r)) for r in rates])
    scale = None
    if len(rates) == 1 and isinstance(rates[0], np.ndarray) and mean[0] > 0:
        scale = np.broadcast_to(rates[0] / mean[0], (draws,))
    sums = _Sums(
        total=(d.cost * mean).sum(axis=1),
        count=d.costed.astype(np.float64),
        square=(d.cost2 * mean * mean).sum(axis=1),
    )
    return sums, scale, False


def _chosen(measured: Measured, values: Floats | None) -> Bools:
    """Segments of production that a quantity is weighted over: the covered ones, else those that have it."""
    m = measured.moments
    if values is None or not m.segments:
        return np.zeros(len(m.segments), dtype=bool)
    known = np.isfinite(values).all(axis=1)
    covered = measured.covered() & known
    return covered if covered.any() else known & (measured.weights.share > 0)


def _production(measured: Measured, key: tuple[str, int]) -> Floats | None:
    """Draws of a quantity by segment, shape (segments, n_draws)."""
    name, arm = key
    if name == "human_minutes":
        return None if measured.human is None else measured.human[arm]
    if name == "agent_cost":
        return measured.agent_cost
    return measured.rates.error[arm] if name == "error" else measured.rates.escalated


def _draft(
    measured: Measured,
    d: DemoMoments,
    key: tuple[str, int],
    sums: _Sums,
    judged: tuple[str | None, str | None],
) -> Draft | None:
    """Estimates of a side; None where the demo has no such case."""
    name, arm = key
    rate = name in ("error", "gone")
    units = int(d.unit.max()) + 1
    mine = (d.arm == arm) & (d.setting == DEMO) & (sums.count > 0)
    n = int(sums.count[mine].sum())
    if n == 0:
        return None
    s_count = len(d.segments)
    moments = measured.moments
    few = _few(moments, d, arm)

    def cells(rows: Bools, cell: Ints, many: int, people: int, block: str) -> Cells:
        return cells_of(
            sums.total[rows],
            sums.count[rows],
            sums.square[rows],
            cell[rows],
            d.unit[rows],
            cells=many,
            units=units,
            people=people,
            is_rate=rate,
            block=f"{name}:{arm}:{block}",
        )

    demo = cells(mine, d.segment, s_count, few, "demo")
    draft = Draft(key=key, n=n, covers=0.0)
    draft.demo = demo.sum_of(demo.count / n)
    draft.df, draft.hits = demo.df, float(sums.total[mine].sum())
    values = _production(measured, key)
    chosen = _chosen(measured, values)
    why = draft.why
    if not chosen.any() or values is None:
        return draft
    share = measured.weights.share[chosen]
    weight = share / share.sum()
    drawn = None
    if measured.weights.drawn is not None:
        drawn = measured.weights.drawn[chosen] / measured.weights.drawn[chosen].sum(axis=0)
    draft.production = weighted(weight, values[chosen], drawn)
    w = np.zeros(s_count)
    w[: chosen.size][chosen] = weight
    live = (d.arm == arm) & (d.setting == PRODUCTION) & (sums.count > 0)
    seen = cells(live, d.segment, s_count, 0, "production")
    draft.n_production = float(seen.count.sum())
    draft.of_production = seen.sum_of(np.where(seen.count > 0, w, 0.0))
    common = (demo.count > 0) & (w > 0)
    draft.covers = float(w[common].sum())
    if not common.any() or n < LEAST_DEMO:
        return draft
    omega = np.where(common, w, 0.0) / w[common].sum()
    draft.reweighted = demo.sum_of(omega)
    inside = common[: chosen.size][chosen]
    both = None if drawn is None else drawn[inside] / drawn[inside].sum(axis=0)
    draft.common = weighted(weight[inside] / weight[inside].sum(), values[chosen][inside], both)
    if both is not None:
        draft.shift = ((both - omega[common][:, None]) * demo.mean[common][:, None]).sum(axis=0)
    draft.defects = effect_of_defects(
        d, arm, omega, cells, live & (d.state >= 0), why, rate=rate, moments=moments
    )
    if name == "error":
        draft.judge = effect_of_judge(moments, arm, omega, units, judged, why)
    return draft


def _few(moments: Moments, d: DemoMoments, arm: int) -> int:
    """Workers of the demo where they are fewer than four, so that people's differences are assumed; else 0."""
    people = d.workers[arm]
    named = moments.unit_kind == "worker" or moments.few_workers
    return max(people, 1) if named and people < MIN_WORKERS else 0
