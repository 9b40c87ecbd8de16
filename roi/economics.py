"""The stated inputs as money needs them: numbers or draws, nothing that is not stated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.assumptions import Assumptions, Number
from roi.parameters import Parameters

__all__ = ["COST_KINDS", "CostLine", "Economics", "economics_of", "not_stated"]

Floats = npt.NDArray[np.float64]

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


@dataclass(frozen=True, kw_only=True)
class Economics:
    """Everything money needs beside what was measured; each a number or draws of shape (n_draws,).

    What one roll-out after another asks for is worked out once.

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
        return self._monthly

    @cached_property
    def _monthly(self) -> Number:
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
        return self._per_case

    @cached_property
    def _per_case(self) -> Number:
        total: Number = 0.0
        for line in self.lines:
            if line.per == "case":
                total = total + line.amount
        return total

    def one_off(self) -> Number:
        """Present value of the one-off cost lines with their contingency."""
        return self._one_off

    @cached_property
    def _one_off(self) -> Number:
        total: Number = 0.0
        for line in self.lines:
            if line.per == "once":
                months = min(line.month, self.horizon)
                discounted = np.exp(-np.log1p(self.discount) / 12 * months) if months else 1.0
                total = total + line.one_off(self.contingency) * discounted
        return total

    @cached_property
    def volume(self) -> Number:
        """Cases a month at the ceiling, were every segment covered; only where demand is stated."""
        assert self.cases_per_month is not None
        return np.multiply(self.cases_per_month, self.ceiling)

    @cached_property
    def realised(self) -> tuple[Number, Number]:
        """Share of a saved hour that becomes cash, and that which becomes cash or redeployed work."""
        cash = np.clip(self.cash, 0, 1)
        return cash, np.clip(np.add(cash, self.redeployed), 0, 1)

    def error_costs(self, severity: Floats) -> tuple[Number, Number]:
        """What an error costs in each arm, where the cost is stated.

        Args:
            severity: Shares of errors by severity, shape (2 arms, n_draws, 4).
        """
        if self._priced.get("severity") is not severity:
            assert self.error_cost is not None
            costs = self.error_cost
            self._priced["cost"] = tuple(
                sum(severity[a, :, i] * c for i, c in enumerate(costs)) for a in (0, 1)
            )
            self._priced["severity"] = severity
        found: tuple[Number, Number] = self._priced["cost"]
        return found

    @cached_property
    def _priced(self) -> dict[str, Any]:
        return {}

    @cached_property
    def factors(self) -> dict[float, tuple[Number, Number]]:
        """What `cashflow` has worked out by delay."""
        return {}


def economics_of(
    parameters: Parameters,
    assumptions: Assumptions,
    *,
    smallest_saving: float,
    error_credit: bool,
    start: tuple[int, int],
) -> Economics:
    """Read the stated inputs off a parameter file.

    Args:
        parameters: The checked parameters.
        assumptions: Draws of their uncertain values.
        smallest_saving: Minutes a case below which a saving is not counted.
        error_credit: Whether fewer errors count as a gain.
        start: Year and month in which month 1 begins, from which dated one-offs are counted.

    Returns:
        The inputs as numbers and draws.
    """
    e = parameters.economics
    costs = [assumptions.get(f"economics.error_cost.{s}") for s in SEVERITIES]
    lines = []
    for i, line in enumerate(e.costs):
        month = 0
        if line.date is not None:
            year, number = (int(x) for x in str(line.date).split("-")[:2])
            month = max(0, (year - start[0]) * 12 + number - start[1])
        lines.append(
            CostLine(
                name=line.name,
                kind=line.kind,
                amount=assumptions.require(f"economics.costs[{i}].amount"),
                per=line.per,
                seats=assumptions.require(f"economics.costs[{i}].seats") if line.seats is not None else 0.0,
                month=month,
                contingent=line.amount.evidence != "measured",
            )
        )
    total = assumptions.get("economics.realisation.total")
    stated = e.realisation.total or e.realisation.redeployed
    known = e.realisation.cash or stated
    evidenced = all(
        x is not None and (x.evidence in ("measured", "sourced") or x.largest == 0) for x in (stated, known)
    )
    pilot = assumptions.get("economics.pilot_cost_per_month")
    return Economics(
        horizon=e.horizon_months,
        discount=assumptions.require("economics.discount_rate"),
        labour=assumptions.get("economics.labour_cost_per_hour"),
        cases_per_month=assumptions.get("demand.cases_per_month"),
        cash=0.0 if total is not None else assumptions.require("economics.realisation.cash"),
        redeployed=total if total is not None else assumptions.require("economics.realisation.redeployed"),
        realisation_known=evidenced,
        ceiling=assumptions.require("economics.adoption.ceiling"),
        ramp=assumptions.require("economics.adoption.ramp_months"),
        error_cost=None if any(c is None for c in costs) else tuple(c for c in costs if c is not None),
        error_credit=error_credit,
        lines=tuple(lines),
        contingency=assumptions.require("economics.contingency"),
        pilot_cost=0.0 if pilot is None else pilot,
        wind_down=assumptions.require("economics.wind_down_cost"),
        smallest_saving=smallest_saving,
    )


def not_stated(economics: Economics, *, metered: bool) -> list[str]:
    """Cost kinds that are neither priced nor declared 0; metered agent cost counts as model usage."""
    stated = {line.kind for line in economics.lines} | ({"model_usage"} if metered else set())
    return [kind for kind in COST_KINDS if kind not in stated]
