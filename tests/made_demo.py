"""Moments of a demo and of production from arrays, and pilots whose gap is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from made_moments import made_moments

from roi.assumptions import Assumptions
from roi.demo_moments import DemoMoments
from roi.demo_split import Gap, split_demo
from roi.label_moments import HUMAN, JUDGE, JudgedMoments
from roi.measured import Measured, measure
from roi.moments import Moments

MIX = np.array((0.90, 0.09, 0.0095, 0.0005))
NOTHING = Assumptions(values={}, entries={})


def made_demo(
    *,
    demo: Sequence[bool],
    minutes: Sequence[float],
    arm: Sequence[int],
    segment: Sequence[str] | None = None,
    unit: Sequence[object] | None = None,
    state: Sequence[int] | None = None,
    people: Sequence[str] | None = None,
    judge: Sequence[str] | None = None,
    selection: str = "all",
    demo_workers: tuple[int, int] | None = None,
) -> Moments:
    """What `roi.reduce.take_moments` makes of such cases.

    Args:
        demo: Whether a case is of the demo; each argument holds one value a case.
        minutes: Human minutes, NaN where not recorded.
        arm: 0 baseline, 1 pilot.
        segment: Kind of case; None for a sample without.
        unit: Worker; None makes every case a unit.
        state: 0 clean inputs, 1 defective, -1 not known; None for a sample without.
        people: correct, error, escalated or abandoned, "" where no person labelled; None for a sample without.
        judge: The same of a judge program.
        selection: How people's cases were chosen.
        demo_workers: Named workers of the demo by arm; counted where units are given.
    """
    show = np.asarray(demo, dtype=bool)
    m, a = np.asarray(minutes, dtype=np.float64), np.asarray(arm, dtype=np.int64)
    size = m.size
    s = np.full(size, "(all)") if segment is None else np.asarray(segment)
    bad = np.full(size, -1) if state is None else np.asarray(state)
    said = np.full(size, "") if people is None else np.asarray(people)
    word = np.full(size, "") if judge is None else np.asarray(judge)
    u = np.arange(size) if unit is None else np.asarray(unit)
    live = ~show
    production = made_moments(
        m[live], a[live], None if unit is None else u[live], None if segment is None else s[live],
        None if people is None else said[live],
    )  # fmt: skip
    names = list(production.segments) + sorted(set(s[show]) - set(production.segments))
    units = {name: i for i, name in enumerate(np.unique(u[live]))}
    units |= {name: len(units) + i for i, name in enumerate(x for x in np.unique(u) if x not in units)}
    keys = np.stack(
        [show, a, [names.index(x) for x in s], [units[x] for x in u], bad], axis=1
    ).astype(np.int64)  # fmt: skip
    rows, row = np.unique(keys, axis=0, return_inverse=True)
    row = row.ravel()

    def counted(hit: Any) -> npt.NDArray[np.int64]:
        return np.bincount(row, weights=np.asarray(hit, dtype=float), minlength=len(rows)).astype(np.int64)

    def words(w: Any) -> npt.NDArray[np.int64]:
        gone = np.isin(w, ["escalated", "abandoned"])
        return np.stack([counted(w != ""), counted(w == "error"), counted(gone)], axis=1)

    timed = ~np.isnan(m)
    zero = np.where(timed, m, 0.0)
    cells = DemoMoments(
        segments=tuple(str(x) for x in names),
        setting=rows[:, 0],
        arm=rows[:, 1],
        segment=rows[:, 2],
        unit=rows[:, 3],
        state=rows[:, 4],
        n=counted(np.ones(size)),
        timed=counted(timed),
        minutes=np.bincount(row, weights=zero, minlength=len(rows)),
        minutes2=np.bincount(row, weights=zero**2, minlength=len(rows)),
        imputed=np.zeros(len(rows), dtype=np.int64),
        imputed_minutes=np.zeros(len(rows)),
        currencies=(),
        costed=np.zeros(len(rows), dtype=np.int64),
        cost=np.zeros((len(rows), 0)),
        cost2=np.zeros((len(rows), 0)),
        people=words(said),
        judge=words(word),
        workers=demo_workers
        or ((0, 0) if unit is None else tuple(len(set(u[show & (a == i)])) for i in (0, 1))),
    )
    judged = None
    if judge is not None:
        judged = JudgedMoments(
            selection=selection,
            arm=a[live],
            segment=np.array([names.index(x) for x in s[live]]),
            unit=np.array([units[x] for x in u[live]]),
            human=np.array([_index(x, HUMAN, "minor") for x in said[live]]),
            judge=np.array([_index(x, JUDGE, "error") for x in word[live]]),
            n=np.ones(int(live.sum()), dtype=np.int64),
            probable=np.zeros(int(live.sum()), dtype=np.int64),
            weight=np.zeros(int(live.sum())),
            weight2=np.zeros(int(live.sum())),
            heaviest=np.zeros(int(live.sum())),
        )
    return replace(production, demo_cells=cells, judged=judged)


def _index(word: str, known: tuple[str, ...], error: str) -> int:
    return -1 if word == "" else known.index(error if word == "error" else word)


def measured_of(moments: Moments, mix: dict[str, float] | None, *, draws: int = 4000, **how: Any) -> Measured:
    return measure(
        moments,
        **{
            "assumptions": NOTHING,
            "assignment": "randomised",
            "mix": mix,
            "stand_in": (),
            "currency": "EUR",
            "severity_mix": MIX,
            "bias_sd": 0.0,
            "draws": draws,
            "seed": 1,
            **how,
        },
    )


def gap_of(moments: Moments, mix: dict[str, float] | None, *, draws: int = 4000) -> Gap:
    found = split_demo(measured_of(moments, mix, draws=draws), NOTHING, currency="EUR", seed=1)
    assert found is not None
    return found


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A pilot arm of known gap, in kinds a and b (and c, which the demo leaves out).

    Attributes:
        mean: Minutes of a clean production case by kind.
        defect: Minutes that a defect adds.
        drop: Minutes that a production case takes longer than a demo case, all else alike.
        wrong: Error rate of a clean production case by kind; a defect adds `wrong_defect`, production `wrong_drop`.
        misses: Share of errors that the judge does not see.
    """

    mean: tuple[float, float, float] = (14.0, 22.0, 26.0)
    defect: float = 8.0
    drop: float = 3.0
    wrong: tuple[float, float, float] = (0.10, 0.16, 0.18)
    wrong_defect: float = 0.12
    wrong_drop: float = 0.04
    misses: float = 0.4
    defective: tuple[float, float, float] = (0.3, 0.4, 0.5)
    mix: tuple[float, float, float] = (0.5, 0.3, 0.2)
    demo: tuple[int, int] = (60, 20)
    log_sd: float = 0.6
    correlation: float = 0.1

    def parts(self) -> dict[str, dict[str, float]]:
        """The true parts of minutes and of the error rate."""
        w, q = np.array(self.mix), np.array(self.defective)
        of_demo = np.array([*self.demo, 0]) / sum(self.demo)
        omega = np.array([w[0], w[1], 0]) / (w[0] + w[1])
        found = {}
        for name, level, defect, drop, misses in (
            ("human_minutes", np.array(self.mean), self.defect, self.drop, 0.0),
            ("error", np.array(self.wrong), self.wrong_defect, self.wrong_drop, self.misses),
        ):
            production = level + q * defect
            demo = (level - drop) * (1 - misses)
            whole = float((w * production).sum() - (of_demo * demo).sum())
            mix = float(((omega - of_demo) * demo).sum() + ((w - omega) * production).sum())
            defects = float((omega * q).sum() * defect)
            judge = float((omega * production).sum() * misses)
            found[name] = {
                "mix": mix,
                "input_defects": defects,
                "judge": judge,
                "true_drop": whole - mix - defects - judge,
                "gap": whole,
                "demo": float((of_demo * demo).sum()),
                "reweighted": float((omega * demo).sum()),
            }
        return found

    def pilot(self, rng: np.random.Generator, cases: int, workers: int | None, judge: bool) -> Moments:
        """One sample: production cases of the pilot arm (and few of the baseline), and the demo."""
        kinds = np.array(["a", "b", "c"])
        base = 60
        kind = np.concatenate(
            [np.arange(base) % 3, rng.choice(3, cases, p=[0.4, 0.35, 0.25]), np.repeat([0, 1], self.demo)]
        )
        show = np.arange(kind.size) >= base + cases
        arm = (np.arange(kind.size) >= base).astype(int)
        state = np.where(show, 0, rng.random(kind.size) < np.array(self.defective)[kind]).astype(int)
        unit = None if workers is None else rng.integers(0, workers, kind.size)
        sd = self.log_sd if workers is None else self.log_sd * np.sqrt(1 - self.correlation)
        person = np.ones(kind.size)
        if workers is not None:
            own = self.log_sd * np.sqrt(self.correlation)
            person = np.exp(rng.normal(-own * own / 2, own, workers))[unit]
        mean = (np.array(self.mean)[kind] + state * self.defect - show * self.drop) * person
        minutes = mean * np.exp(rng.normal(-sd * sd / 2, sd, kind.size))
        rate = np.array(self.wrong)[kind] + state * self.wrong_defect - show * self.wrong_drop
        wrong = rng.random(kind.size) < rate
        people = np.where(wrong, "error", "correct")
        seen = wrong & (rng.random(kind.size) >= self.misses)
        word = np.where(seen, "error", "correct") if judge else None
        if judge:
            people = np.where(show, "", people)
        return made_demo(
            demo=show,
            minutes=minutes,
            arm=arm,
            segment=kinds[kind],
            unit=unit,
            state=state,
            people=people,
            judge=word,
        )
