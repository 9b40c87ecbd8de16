"""The stated inputs as money needs them: numbers or draws, nothing that is not stated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roi.assumptions import Assumptions, Number
from roi.parameters import Parameters

__all__ = ["COST_KINDS", "CostLine", "Economics", "economics_of", "not_stated"]

SEVERITIES = ("minor", "moderate", "major", "critical")
COST_KINDS = (
    "integration",
    "data",
    "licence",
    "model_usage",
    "infrastructure",
    "security_legal",
    "training",
    "change",
    "support",
    "evaluation",
    "monitoring",
    "model_migration",
    "decommissioning",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """One line of cost.

    Attributes:
        name: As the parameter file calls it.
        kind: Cost kind.
        amount: Per `per`, in the pilot's currency.
        per: once, month, case, seat_month or year.
        seats: Seats, for seat_month.
        month: Months after the start at which a one-off falls; 0 unless dated.
        contingent: Whether the contingency is added: its amount is assumed or sourced, not measured.
    """

    name: str
    kind: str
    amount: Number
    per: str
    seats: Number
    month: int
    contingent: bool

    def one_off(self, contingency: Number) -> Number:
        """The amount of a one-off with its contingency."""
        return self.amount * (np.add(1, contingency) if self.contingent else 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Economics:
    """Everything money needs beside what was measured; each a number or draws of shape (n_draws,).

    Attributes:
        horizon: Months.
        discount: Effective yearly rate.
        labour: Cost of an hour of labour; None where not stated.
        cases_per_month: Demand; None where not stated.
        cash: Share of a saved hour that becomes cash.
        redeployed: Share that becomes redeployed work, beside cash.
        realisation_known: Whether the realisation rests on a measurement or a document.
        ceiling: Share of eligible cases that the agent gets in the end.
        ramp: Months until then.
        error_cost: Cost of an error by severity; None where not stated.
        error_credit: Whether fewer errors count as a gain (they do not where only a judge saw them).
        lines: Cost lines.
        contingency: Share added to one-off costs.
        pilot_cost: What the pilot costs a month while it goes on.
        wind_down: What stopping costs.
        smallest_saving: Minutes a case below which a saving is not counted, unless the realisation is known.
    """

    horizon: int
    discount: Number
    labour: Number | None
    cases_per_month: Number | None
    cash: Number
    redeployed: Number
    realisation_known: bool
    ceiling: Number
    ramp: Number
    error_cost: tuple[Number, ...] | None
    error_credit: bool
    lines: tuple[CostLine, ...]
    contingency: Number
    pilot_cost: Number
    wind_down: Number
    smallest_saving: float

    def monthly(self) -> Number:
        """Costs a month, whatever the volume."""
        total: Number = 0.0
        for line in self.lines:
            if line.per == "month":
                total = total + line.amount
            elif line.per == "seat_month":
                total = total + np.multiply(line.amount, line.seats)
            elif line.per == "year":
                total = total + np.divide(line.amount, 12)
        return total

    def per_case(self) -> Number:
        """Cost lines a case."""
        total: Number = 0.0
        for line in self.lines:
            if line.per == "case":
                total = total + line.amount
        return total

    def one_off(self) -> Number:
        """Present value of the one-off cost lines with their contingency."""
        total: Number = 0.0
        for line in self.lines:
            if line.per == "once":
                discounted = np.exp(-np.log1p(self.discount) / 12 * min(line.month, self.horizon))
                total = total + line.one_off(self.contingency) * discounted
        return total
