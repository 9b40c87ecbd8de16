"""The small arrays that pictures are drawn from: binned, never rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Band", "Driver", "FiscalYear", "Histogram", "Pictures"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Shares of a whole in bins.

    Attributes:
        edges: Bin edges, shape (bins + 1,), rising; the last bin holds everything from its left edge on.
        share: Share of the whole in each bin, shape (bins,); sums to 1.
    """

    edges: Floats
    share: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A quantity over months with the range of 8 in 10 outcomes.

    Attributes:
        month: Months since the start, shape (months + 1,), from 0.
        p10: 10th percentile over the draws, shape (months + 1,), in the pilot's currency.
        p50: Median, likewise.
        p90: 90th percentile, likewise.
        mean: Mean, likewise.
    """

    month: npt.NDArray[np.int64]
    p10: Floats
    p50: Floats
    p90: Floats
    mean: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class FiscalYear:
    """Cash of one calendar year of the plan, undiscounted, in the pilot's currency.

    Attributes:
        label: The year, for instance "2027".
        benefit: Mean cash and redeployed value gained.
        cost: Mean cost paid, positive.
        net_p10: 10th percentile of benefit minus cost.
        net_mean: Mean of benefit minus cost.
        net_p90: 90th percentile of benefit minus cost.
    """

    label: str
    benefit: float
    cost: float
    net_p10: float
    net_mean: float
    net_p90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """How far one input moves the worth of the plan.

    Attributes:
        key: The input's key in the parameter file, or the name of a measured quantity.
        label: The input in words.
        low_text: Its value at P5, with unit, as text.
        high_text: Its value at P95.
        low: Mean worth with the input at its P5 in every draw, in the pilot's currency.
        high: Mean worth with it at its P95.
        evidence: measured, sourced, assumed or default.
    """

    key: str
    label: str
    low_text: str
    high_text: str
    low: float
    high: float
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """What the report draws.

    Attributes:
        minutes: Human minutes per case by arm, on common edges; None where minutes were not recorded, or the samples
            are not at hand.
        worth: Worth against stopping now by option ("scale", "fix"), in the pilot's currency.
        cumulative: Cumulative undiscounted cash of the plan put forward; None where worth is unknown.
        fiscal_years: Cash of that plan by calendar year.
        drivers: Inputs that move its worth, the strongest first.
    """

    minutes: Mapping[str, Histogram] | None
    worth: Mapping[str, Histogram]
    cumulative: Band | None
    fiscal_years: tuple[FiscalYear, ...]
    drivers: tuple[Driver, ...]
