"""Months whose figures can hardly be meant so: more cash than the hours saved are worth, minutes that no case takes."""

from __future__ import annotations

import numpy as np

from roi import words
from roi.apart import Over
from roi.forecast import Forecast

__all__ = ["implausible"]

WIDE = 3.0  # times what the hours saved are worth that cash may be: hours bought cost more than one's own
FEW = 5.0  # times that minutes a case may differ from what was forecast
MOST = 6  # months that are named


def implausible(forecast: Forecast, held: Over) -> list[str]:
    """What should be looked at before these months are believed, a sentence each.

    Args:
        forecast: Of the decision.
        held: The months that count, against it.
    """
    found, labour = [], float(np.mean(forecast.labour))
    said = float(np.mean(forecast.minutes))
    for i, month in enumerate(held.months):
        if month.cash_released:
            hours = max(0.0, float(np.percentile(held.brought.hours[i], 95)))
            if not month.cash_released <= WIDE * hours * labour:
                cash, worth = (
                    words.amount(x, forecast.currency) for x in (month.cash_released, hours * labour)
                )
                found.append(
                    f"{month.month}: {cash} of cash released, where all hours saved ({words.count(hours)} at most) are "
                    f"worth {worth}; check unit and currency of cash_released"
                )
        if month.human_minutes is not None and month.adopted_cases and said > 0:
            each = month.human_minutes / month.adopted_cases
            if not said / FEW <= each <= said * FEW:
                found.append(
                    f"{month.month}: {words.number(each)} minutes a case, where {words.number(said)} were forecast; "
                    "check the unit of human_minutes, and that it is of the adopted cases"
                )
    more = len(found) - MOST
    return found[:MOST] + ([f"and {words.plural(more, 'more figure')} like these"] if more > 0 else [])
