"""What scaling would be worth if a figure held that somebody promised: everything else stays as measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from roi.assumptions import Number
from roi.measured import Measured
from roi.options import Option, Valuer

__all__ = ["supposed", "worth_if"]

Floats = npt.NDArray[np.float64]


def supposed(
    measured: Measured,
    *,
    minutes_saved: Number | None = None,
    error_rate: tuple[Number | None, Number | None] = (None, None),
    agent_cost: Number | None = None,
) -> Measured:
    """The same draws with some quantities put in place of what was measured, alike in every segment.

    Args:
        measured: What was measured.
        minutes_saved: Human minutes saved a case, a number or shape (n_draws,); None leaves them. It holds without
            the bias of the design.
        error_rate: Rate of any error without and with the agent; None leaves an arm's. What is put in place of the
            pilot's holds without the bias of the design.
        agent_cost: Agent cost a pilot case, in the pilot's currency; None leaves it.

    Returns:
        Draws that the same `Valuer` values.
    """
    zero = np.zeros(measured.draws)
    human, rates, bias = measured.human, measured.rates, measured.bias
    if minutes_saved is not None and human is not None:
        human = human.copy()
        human[1] = human[0] - minutes_saved
        bias = (zero, bias[1])
    if any(rate is not None for rate in error_rate):
        error = rates.error.copy()
        for arm, rate in enumerate(error_rate):
            if rate is not None:
                error[arm] = np.clip(rate, 0, 1)
        rates = replace(rates, error=error)
        if error_rate[1] is not None:
            bias = (bias[0], zero)
    cost = measured.agent_cost
    if agent_cost is not None:
        shape = (len(measured.moments.segments), measured.draws)
        cost = np.array(np.broadcast_to(agent_cost, shape), dtype=np.float64)
    return replace(measured, human=human, rates=rates, bias=bias, agent_cost=cost)


def worth_if(valuer: Valuer, measured: Measured) -> Option | None:
    """Scaling everything that is covered, valued as the verdict values it; None where that cannot be computed."""
    return valuer.roll_out(measured=measured)
