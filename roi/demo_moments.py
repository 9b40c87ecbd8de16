"""Demo cases beside production's, counted by segment, unit and state of inputs: one further query, if there is a demo.

Demo cases carry no value. They are counted together with production's, so that a person who worked both counts as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from roi.label_moments import human_word, judge_word
from roi.moments import fetch
from roi.readers.base import literal
from roi.relation import Relation

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["CLEAN", "DEFECTIVE", "DEMO", "PRODUCTION", "DemoMoments", "take_demo"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PRODUCTION, DEMO = 0, 1
CLEAN, DEFECTIVE = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoMoments:
    """Counts and sums of all cases; rows are setting × arm × segment × unit × state of the inputs.

    Attributes:
        segments: Names, those of production's moments first and in their order.
        setting: 0 production, 1 demo, shape (rows,).
        arm: 0 baseline, 1 pilot, shape (rows,).
        segment: Index into `segments`, shape (rows,).
        unit: Index of the unit, shape (rows,); the same index in both settings is the same unit.
        state: 0 clean inputs, 1 defective ones, -1 not known, shape (rows,).
        n: Cases, shape (rows,).
        timed: Cases with human minutes, shape (rows,).
        minutes: Sum of human minutes over them, shape (rows,).
        minutes2: Sum of their squares, shape (rows,).
        imputed: Escalated or abandoned pilot cases without the minutes of who took over, shape (rows,).
        imputed_minutes: Sum of their own minutes, shape (rows,).
        currencies: Currencies of the agent's cost.
        costed: Cases whose agent cost is known, shape (rows,).
        cost: Sum of it by currency, shape (rows, currencies).
        cost2: Sum of its squares, shape (rows, currencies).
        people: Cases that people labelled, how many of these are errors, and how many were escalated or abandoned,
            shape (rows, 3).
        judge: The same of what a judge program judged, shape (rows, 3).
        workers: Named workers of the demo by arm, shape (2,); 0 where none is named.
    """

    segments: tuple[str, ...]
    setting: Ints
    arm: Ints
    segment: Ints
    unit: Ints
    state: Ints
    n: Ints
    timed: Ints
    minutes: Floats
    minutes2: Floats
    imputed: Ints
    imputed_minutes: Floats
    currencies: tuple[str, ...]
    costed: Ints
    cost: Floats
    cost2: Floats
    people: Ints
    judge: Ints
    workers: tuple[int, int]

    def cases(self, setting: int, arm: int) -> int:
        """Cases of an arm in a setting."""
        return int(self.n[(self.setting == setting) & (self.arm == arm)].sum())


def take_demo(
    samples: Samples,
    cases: Relation,
    *,
    segments: Sequence[str],
    units: Mapping[str, int],
    currencies: Sequence[str],
) -> DemoMoments:
    """Count demo and production cases by the state of their inputs.

    Args:
        samples: The opened samples.
        cases: The cases of both settings with the columns `demo`, `segment_`, `unit_`, `human_` and `imputed_`.
        segments: The moments' segments.
        units: Index of each of the moments' units.
        currencies: Currencies of the agent's cost; "" where cases name none.

    Returns:
        The counts.
    """
    present = cases.columns
    defects = "case when input_defects is null then null when input_defects > 0 then 1 else 0 end"
    cases = cases.having(
        state_=defects if "input_defects" in present else "null::bigint",
        people_=human_word(cases),
        judge_=judge_word(cases),
    )
    keys = ["demo", "arm", "segment_", "unit_", "state_"]
    aggregates = {
        "n": "count(*)",
        "timed": "count(human_)",
        "minutes": "sum(human_)::double",
        "minutes2": f"sum({_square('human_')})::double",
        "imputed": "count(*) filter (imputed_)",
        "own": "(sum(human_) filter (imputed_))::double",
        "costed": "count(agent_cost)" if "agent_cost" in present else "0",
    }
    for j, currency in enumerate(currencies):
        own = f" filter (cost_currency = {literal(currency)})" if "cost_currency" in present else ""
        aggregates[f"cost{j}"] = f"(sum(agent_cost){own})::double"
        aggregates[f"square{j}"] = f"(sum({_square('agent_cost::decimal(18,6)')}){own})::double"
    for who in ("people", "judge"):
        word = f"{who}_"
        aggregates[who] = f"count({word})"
        aggregates[f"{who}_wrong"] = f"count(*) filter ({word} not in ('correct', 'escalated', 'abandoned'))"
        aggregates[f"{who}_gone"] = f"count(*) filter ({word} in ('escalated', 'abandoned'))"
    rows = fetch(samples, cases.grouped(keys, aggregates))
    names = [*keys, *aggregates]

    def ints(*wanted: str) -> Ints:
        block = [[int(row[names.index(w)] or 0) for w in wanted] for row in rows]
        return np.array(block, dtype=np.int64).reshape(len(rows), len(wanted))

    def floats(*wanted: str) -> Floats:
        block = [[float(row[names.index(w)] or 0.0) for w in wanted] for row in rows]
        return np.array(block, dtype=np.float64).reshape(len(rows), len(wanted))

    every = [*segments, *sorted({str(row[2]) for row in rows} - set(segments))]
    at_segment = {name: i for i, name in enumerate(every)}
    new = sorted({str(row[3]) for row in rows} - set(units))
    at_unit = {**units, **{name: len(units) + i for i, name in enumerate(new)}}
    return DemoMoments(
        segments=tuple(every),
        setting=np.array([DEMO if row[0] else PRODUCTION for row in rows], dtype=np.int64),
        arm=np.array([int(row[1] == "pilot") for row in rows], dtype=np.int64),
        segment=np.array([at_segment[str(row[2])] for row in rows], dtype=np.int64),
        unit=np.array([at_unit[str(row[3])] for row in rows], dtype=np.int64),
        state=np.array([-1 if row[4] is None else int(row[4]) for row in rows], dtype=np.int64),
        n=ints("n")[:, 0],
        timed=ints("timed")[:, 0],
        minutes=floats("minutes")[:, 0],
        minutes2=floats("minutes2")[:, 0],
        imputed=ints("imputed")[:, 0],
        imputed_minutes=floats("own")[:, 0],
        currencies=tuple(currencies),
        costed=ints("costed")[:, 0],
        cost=floats(*(f"cost{j}" for j in range(len(currencies)))),
        cost2=floats(*(f"square{j}" for j in range(len(currencies)))),
        people=ints("people", "people_wrong", "people_gone"),
        judge=ints("judge", "judge_wrong", "judge_gone"),
        workers=_workers(samples, cases),
    )


def _square(value: str) -> str:
    """With twelve places; one factor has a digit more, for the engine keeps 18 digits of two that have 18."""
    return f"{value} * ({value})::decimal(19,6)"


def _workers(samples: Samples, cases: Relation) -> tuple[int, int]:
    """Named workers of the demo, by arm."""
    if "worker" not in cases.columns:
        return 0, 0
    found = fetch(samples, cases.where("demo").grouped(["arm"], {"n": "count(distinct worker)"}))
    by_arm = {str(arm): int(n) for arm, n in found}
    return by_arm.get("baseline", 0), by_arm.get("pilot", 0)
