"""An estimate: a summary of draws, with its unit and its origin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Estimate", "summarise"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its interval, its unit and its origin.

    Attributes:
        label: What it is, in words.
        mean: Mean of the draws, in `unit`.
        p05: 5th percentile of the draws, in `unit`.
        p50: Median, in `unit`.
        p95: 95th percentile, in `unit`.
        unit: Such as "min/case", "share", "EUR/case".
        evidence: "measured" (with its design where that is weaker), "sourced", "assumed".
        n: Independent units behind it.
        unit_of_n: "worker", "pair" or "case".
        upper: Exact one-sided 95 % upper bound, for rates of rare events.
    """

    label: str
    mean: float
    p05: float
    p50: float
    p95: float
    unit: str
    evidence: str
    n: int
    unit_of_n: str
    upper: float | None = None

    def __post_init__(self) -> None:
        if not self.p05 <= self.p50 <= self.p95:  # written so that NaN fails too
            raise ValueError(f"{self.label}: {self.p05} <= {self.p50} <= {self.p95} is false")
        if not np.isfinite(self.mean):
            raise ValueError(f"{self.label}: the mean is {self.mean}")


def summarise(
    draws: Floats, *, label: str, unit: str, evidence: str, n: int, unit_of_n: str, upper: float | None = None
) -> Estimate:
    """Summarise draws as an estimate.

    Args:
        draws: Shape (n_draws,), in `unit`, finite.
        label: What it is.
        unit: Its unit.
        evidence: Its origin.
        n: Independent units behind it.
        unit_of_n: What these units are.
        upper: Exact upper bound, if there is one.

    Raises:
        ValueError: If a draw is not finite.
    """
    p05, p50, p95 = np.percentile(draws, [5, 50, 95])
    return Estimate(
        label=label,
        mean=float(np.mean(draws)),
        p05=float(p05),
        p50=float(p50),
        p95=float(p95),
        unit=unit,
        evidence=evidence,
        n=n,
        unit_of_n=unit_of_n,
        upper=upper,
    )
