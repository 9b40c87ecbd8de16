"""When the money is back, and at what rate it comes back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from roi.cashflow import Monthly

__all__ = ["irr", "middle_payback", "payback"]

Floats = npt.NDArray[np.float64]


def payback(flows: Monthly) -> tuple[Floats, float]:
    """Months until the cumulative flow is no longer negative and stays so.

    Returns:
        Months of the draws that pay back within the horizon (shape (draws that do,)), and the share that never does.
    """
    cumulative = np.cumsum(flows.net, axis=0)
    below = cumulative < 0
    horizon = cumulative.shape[0] - 1
    last_below = np.where(below.any(axis=0), horizon - np.argmax(below[::-1], axis=0), -1)
    months = (last_below + 1).astype(np.float64)
    paid = last_below < horizon
    return months[paid], float(1 - paid.mean())


def middle_payback(months: Floats, never: float) -> float | None:
    """Months within which the money is back in half of all outcomes, those in which it never is among them.

    Args:
        months: Of the draws that pay back.
        never: The share of draws that does not.

    Returns:
        The month; None where the money is back in fewer than half of them.
    """
    if not months.size:
        return None
    outcomes = round(months.size / (1 - never))
    half = (outcomes + 1) // 2
    return float(np.sort(months)[half - 1]) if half <= months.size else None


def irr(flow: Floats) -> tuple[float | None, str | None]:
    """Internal rate of return of one flow, effective per year, where it has exactly one root.

    Args:
        flow: Net flow at month 0, 1, …, shape (months + 1,).

    Returns:
        The rate and None, or None and why there is none.
    """
    signs = np.sign(flow[flow != 0])
    changes = int((np.diff(signs) != 0).sum())
    if changes != 1:
        return (
            None,
            "the cash flow never changes its sign"
            if changes == 0
            else "the cash flow changes its sign more than once",
        )
    months = np.arange(flow.size)
    low, high = -0.5, 1.0  # a month's rate

    def value(rate: float) -> float:
        return float((flow * np.exp(-np.log1p(rate) * months)).sum())

    while value(low) * value(high) > 0 and high < 1e6:
        high *= 4
    if value(low) * value(high) > 0:
        return None, "the rate of return lies outside what can be computed"
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if value(low) * value(middle) > 0 else (low, middle)
    yearly = float(np.expm1(12 * np.log1p(low)))
    return (yearly, None) if yearly < 100 else (None, "almost nothing is paid before it returns")
