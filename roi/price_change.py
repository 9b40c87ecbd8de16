"""What a change of the agent's prices does to the plan: models become cheaper, dearer, or are replaced by others.

A draw's worth is a straight line a + b · x in what the agent costs a case. Prices at f times those of the samples make
f · u of a draw's cost u, so that its worth is a + (b · u) · f: another straight line, which needs no further valuation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.levers import Lever
from roi.measured_at import AGENT
from roi.plan_at import PlanAt
from roi.sensitivity import BreakEven, Response, break_even

__all__ = ["FACTORS", "PriceChange", "price_change", "price_change_of_record"]

Floats = npt.NDArray[np.float64]
FACTORS = (0.5, 0.8, 1.25, 2.0, 5.0)
"""Times the prices of the samples; a model of the next size up or down is several times as dear or cheap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """A plan as the agent's prices change.

    Attributes:
        cost: What the agent costs a case now, on average, in the pilot's currency.
        changes: Factor → expected worth, and the chance that it exceeds the hurdle.
        worth_at: The factor at which the expected worth is the hurdle.
        chance_at: The factor at which the rule's chance is met.
    """

    cost: float
    changes: dict[float, tuple[float, float]]
    worth_at: BreakEven
    chance_at: BreakEven


def price_change(plan: PlanAt, agent: Response, chance: float) -> PriceChange:
    """Let the agent's prices change, and with them its cost of every case.

    Args:
        plan: The plan.
        agent: Its response to the agent's cost per case, a straight line.
        chance: The chance at stake.
    """
    assert agent.line is not None
    a, slope = agent.line
    line = (a, slope * agent.lever.values)
    worths = {f: a + line[1] * f for f in FACTORS}
    told = {f: (float(w.mean()), plan.chance(w)) for f, w in worths.items()}
    factor = Lever(
        key="agent_prices", label="Agent's prices, times those of the samples", unit="times", group="default",
        values=1.0, smallest=0.0, largest=np.inf,
    )  # fmt: skip
    response = Response(lever=factor, low=told[FACTORS[0]], high=told[FACTORS[-1]], line=line)
    return PriceChange(
        cost=agent.lever.mean,
        changes=told,
        worth_at=break_even(plan, response),
        chance_at=break_even(plan, response, chance),
    )


def price_change_of_record(
    plan: PlanAt, responses: tuple[Response, ...], chance: float
) -> dict[str, Any] | None:
    """The same as plain JSON values; None where the agent's cost was not measured by case.

    Args:
        plan: The plan.
        responses: Its responses to its inputs.
        chance: The chance at stake.
    """
    agent = next((r for r in responses if r.lever.key == AGENT), None)
    if agent is None or agent.line is None:
        return None
    found = price_change(plan, agent, chance)
    return {
        "cost_per_case": found.cost,
        "changes": [{"factor": f, "worth": w, "chance": c} for f, (w, c) in found.changes.items()],
        "worth_at": found.worth_at.value,
        "worth_reason": found.worth_at.reason,
        "chance_at": found.chance_at.value,
        "chance_reason": found.chance_at.reason,
    }
