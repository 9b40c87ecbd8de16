"""Deciding again with other stated inputs, on what was measured already."""

from __future__ import annotations

import numpy as np

from roi.analysis import Decided, decide_moments
from roi.assumptions import Assumptions, draw_assumptions
from roi.parameters import LoadedParameters, Parameters, register

__all__ = ["decide_again"]

_MEASURED_WITH = ("samples.baseline.", "economics.fx.", "economics.design_bias.")


def decide_again(
    a: Decided,
    *,
    loaded: LoadedParameters | None = None,
    assumptions: Assumptions | None = None,
    every_plan: bool = True,
) -> Decided:
    """Decide on the same cases with other stated inputs.

    Args:
        a: The decision.
        loaded: Other parameters; None for its own.
        assumptions: Other draws of the stated inputs; None draws them as the parameters state them.
        every_plan: Whether all of few plans are valued, as a record lists them; the verdict needs only the best.

    Returns:
        What `decide_moments` makes of them. What was measured is taken over where none of them has a part in it.
    """
    loaded = a.loaded if loaded is None else loaded
    if assumptions is None:
        run = loaded.parameters.run
        assumptions = draw_assumptions(
            register(loaded.parameters), draws=run.draws + run.draws % 2, seed=run.seed
        )
    return decide_moments(
        loaded,
        a.moments,
        controls=tuple(gate for gate in a.gates[None] if gate.is_control),
        arms=a.arms,
        as_of=a.as_of,
        undeclared=a.undeclared,
        assumptions=assumptions,
        like=a if _measured_alike(a, loaded.parameters, assumptions) else None,
        every_plan=every_plan,
        approval_kinds=None if a.valuer.approvals is None else a.valuer.approvals.kinds,
    )


def _measured_alike(a: Decided, p: Parameters, assumptions: Assumptions) -> bool:
    """Whether nothing that differs has a part in measuring."""
    was = a.loaded.parameters
    if (
        p.samples != was.samples
        or p.demand.mix != was.demand.mix
        or p.demand.mix_cases != was.demand.mix_cases
        or p.economics.severity_mix != was.economics.severity_mix
        or p.run != was.run
    ):
        return False
    keys = {key for key in (*assumptions.values, *a.assumptions.values) if key.startswith(_MEASURED_WITH)}
    return all(
        key in assumptions.values
        and key in a.assumptions.values
        and np.array_equal(assumptions.values[key], a.assumptions.values[key])
        for key in keys
    )
