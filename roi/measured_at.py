"""What was measured in a scope, with some of it at other values: minutes, errors, severities, what the agent costs.

A quantity is held at its level in the scope: minutes saved a case, weighted to production, not those of each segment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from roi.assumptions import Assumptions, Number
from roi.economics import SEVERITIES
from roi.measured import Measured, Scope
from roi.moments import COMPONENTS

__all__ = ["AGENT", "FX", "STATED_ERRORS", "STATED_MINUTES", "Changes", "MeasuredAt", "measured_at"]

Floats = npt.NDArray[np.float64]
Changes = Mapping[str, Number]

AGENT = "agent_cost_per_case"
FX = "economics.fx."
STATED_ERRORS = "samples.baseline.error_rate"
STATED_MINUTES = tuple(f"samples.baseline.{name}" for name in ("human_minutes", *COMPONENTS))


@dataclass(frozen=True, kw_only=True)
class MeasuredAt:
    """A scope as a function of what was measured in it.

    Attributes:
        measured: What was measured.
        assumptions: The stated inputs, drawn; exchange rates and a stated baseline are used.
        currency: The pilot's.
        segments: The scope; None for everything.
        sampled: The scope as it was sampled, before any bias of the design.
        bias_minutes: Minutes a case by which the design flatters the pilot, draws or 0.
        bias_errors: Error rate by which it does, draws or 0.
    """

    measured: Measured
    assumptions: Assumptions
    currency: str
    segments: tuple[str, ...] | None
    sampled: Scope
    bias_minutes: Number
    bias_errors: Number

    def scope(self, changes: Changes) -> Scope:
        """The scope with some quantities at other values, numbers or draws by key."""
        s, draws = self.sampled, self.measured.draws

        def level(key: str, values: Floats | None) -> Floats | None:
            if values is None or key not in changes:
                return values
            return np.broadcast_to(changes[key], (draws,))

        saved = level("minutes_saved_per_case", s.minutes_saved)
        if self.stated_minutes is not None:
            counted, total = self.stated_minutes
            pilot = level("human_minutes_pilot", self.pilot_minutes)
            assert pilot is not None
            for key, x in changes.items():
                if key in STATED_MINUTES:
                    total = total + np.subtract(x, self.assumptions.require(key))
            saved = counted * total - pilot
        if saved is not None and self.measured.bias_sd > 0:
            saved = saved - changes.get("bias_minutes", self.bias_minutes)
        base = level(STATED_ERRORS if s.errors_stated else "error_rate_baseline", s.error_rate[0])
        rate = level("error_rate_pilot", s.error_rate[1])
        if rate is not None and self.measured.bias_sd > 0:
            rate = np.clip(rate + changes.get("bias_errors", self.bias_errors), 0, 1)
        agent = s.agent_cost
        if agent is not None and any(key == AGENT or key.startswith(FX) for key in changes):
            agent = np.multiply(changes.get(AGENT, self.usage), self._exchange(changes))
            agent = np.broadcast_to(agent, (draws,))
        share = changes.get("demand_share", s.share)
        return replace(s, share=share, minutes_saved=saved, error_rate=(base, rate), agent_cost=agent)

    def severities(self, changes: Changes) -> Floats | None:
        """Shares of errors by severity with some of them at other values, the others in proportion."""
        moved = {k: x for k, x in changes.items() if k.startswith("severity")}
        if self.severity is None or not moved:
            return self.severity
        severity = self.severity.copy(order="K")
        for key, x in moved.items():
            kind, _, name = key.partition(":")
            i = SEVERITIES.index(name)
            for arm in (0, 1) if kind == "severity" else (int(kind == "severity_pilot"),):
                rest = 1 - severity[arm, :, i]
                severity[arm] *= np.divide(np.subtract(1, x), np.where(rest > 0, rest, 1.0))[..., None]
                severity[arm, :, i] = x
        return severity

    @cached_property
    def severity(self) -> Floats | None:
        """Shares of errors by severity as drawn, each class in one piece of memory: it is read class by class."""
        drawn = self.measured.rates.severity
        return None if drawn is None else np.ascontiguousarray(drawn.transpose(0, 2, 1)).transpose(0, 2, 1)

    @cached_property
    def pilot_minutes(self) -> Floats | None:
        """Human minutes a case with the agent, where the baseline is stated and only these were measured."""
        if self.stated_minutes is None or self.sampled.minutes_saved is None:
            return None
        counted, total = self.stated_minutes
        return np.asarray(counted * total - self.sampled.minutes_saved, dtype=np.float64)

    @cached_property
    def usage(self) -> Floats:
        """What the agent costs a case at mean exchange rates, in the pilot's currency, shape (n_draws,)."""
        assert self.sampled.agent_cost is not None
        return np.asarray(self.sampled.agent_cost / self._exchange({}), dtype=np.float64)

    @cached_property
    def stated_minutes(self) -> tuple[float, Floats] | None:
        """A stated baseline's minutes, and how often they count a case: once less the takeovers charged with them."""
        m = self.measured
        stated = [key for key in STATED_MINUTES if key in self.assumptions.values]
        if not m.stand_in or not stated or self.sampled.minutes_saved is None:
            return None
        stated = [key for key in stated if key.endswith(".human_minutes")] or stated
        total = np.zeros(m.draws)
        for key in stated:
            total = total + self.assumptions.require(key)
        column = m.moments.column("human_minutes")
        inside = np.isin(m.moments.segments, self.sampled.segments)
        weight = np.where(inside, m.weights.share, 0.0)
        counted = 1.0
        for s in np.flatnonzero(weight > 0):
            rows = (m.moments.arm == 1) & (m.moments.segment == s)
            n = int(m.moments.count[rows, column].sum()) if column is not None else 0
            if n:
                counted -= float(weight[s] / weight.sum()) * int(m.moments.imputed[rows].sum()) / n
        return counted, total

    @cached_property
    def by_currency(self) -> dict[str, Floats]:
        """What the agent costs a case by currency, each in its own, shape (n_draws,)."""
        parts = {
            name.partition(":")[2] or self.currency: values[1]
            for name, values in self.measured.cells.values.items()
            if name.startswith("agent_cost:")
        }
        if set(parts) <= {self.currency}:
            return {}
        missing = np.isnan(sum(parts.values(), start=np.zeros(1)))
        found = {}
        for currency, values in parts.items():
            # As in the total, a segment whose costs were not logged costs what the others do on average.
            mean = values[~missing[:, 0]].mean(axis=0)
            filled = np.where(missing, mean, values)
            cost = replace(self.measured, agent_cost=filled).scope(self.segments).agent_cost
            assert cost is not None
            found[currency] = cost
        return found

    def _exchange(self, changes: Changes) -> Number:
        """What the agent costs in the pilot's currency, against what it would at mean exchange rates."""
        total: Number = 0.0
        at_means: Number = 0.0
        for currency, cost in self.by_currency.items():
            key = f"{FX}{currency}"
            stated = self.assumptions.get(key)
            rate: Number = 1.0 if stated is None else changes.get(key, stated)
            total = total + cost * rate
            at_means = at_means + cost * (1.0 if stated is None else float(np.mean(stated)))
        return np.divide(total, at_means) if self.by_currency else 1.0


def measured_at(
    measured: Measured,
    assumptions: Assumptions,
    scope: Scope,
    *,
    segments: tuple[str, ...] | None,
    currency: str,
) -> MeasuredAt:
    """A scope as a function of what was measured in it.

    Args:
        measured: What was measured.
        assumptions: The stated inputs, drawn.
        scope: The scope as the plan uses it.
        segments: Its segments; None for everything.
        currency: The pilot's.
    """
    sampled = scope
    bias: tuple[Number, Number] = (0.0, 0.0)
    if measured.bias_sd > 0:
        sampled = measured.without_bias().scope(segments)
        base = scope.error_rate[0]
        bias = (
            0.0
            if sampled.minutes_saved is None or scope.minutes_saved is None
            else sampled.minutes_saved - scope.minutes_saved,
            0.0 if base is None else measured.bias[1] * measured.bias_sd * float(base.mean()),
        )
    return MeasuredAt(
        measured=measured,
        assumptions=assumptions,
        currency=currency,
        segments=segments,
        sampled=sampled,
        bias_minutes=bias[0],
        bias_errors=bias[1],
    )
