"""Every input that the plan put forward rests on: what was measured, and what the parameter file states."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from roi.assumptions import Number
from roi.economics import SEVERITIES
from roi.measured_at import AGENT, FX, STATED_ERRORS, STATED_MINUTES
from roi.plan_at import HORIZON, PlanAt
from roi.uncertain import Uncertain

__all__ = ["GROUPS", "Group", "Lever", "levers_of"]

Floats = npt.NDArray[np.float64]
Group = Literal["measured", "sourced", "assumed", "default"]

GROUPS: tuple[Group, ...] = ("measured", "sourced", "assumed", "default")
MOST_MONTHS = 240.0  # of a horizon, as the parameter file allows


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """An input of the plan.

    Attributes:
        key: Its key in the parameter file, or the name of a measured quantity.
        label: What it is, in words.
        unit: Its unit.
        group: Where it comes from.
        values: Its draws, shape (n_draws,); a number where it is exact.
        smallest: The least value that it can take; may be infinite.
        largest: The greatest; may be infinite.
        stated: The value of the parameter file; None for what was measured.
    """

    key: str
    label: str
    unit: str
    group: Group
    values: Number
    smallest: float
    largest: float
    stated: Uncertain | None = None

    @property
    def varies(self) -> bool:
        """Whether it is uncertain."""
        return isinstance(self.values, np.ndarray) and bool(np.ptp(self.values) > 0)

    @property
    def ends(self) -> tuple[float, float]:
        """Its P5 and P95: as stated, else of the draws."""
        if self.stated is not None:
            return self.stated.p05, self.stated.p95
        low, high = np.percentile(self.values, [5, 95])
        return float(low), float(high)

    @property
    def mean(self) -> float:
        """Its mean: as stated, else of the draws."""
        return self.stated.mean if self.stated is not None else float(np.mean(self.values))


def levers_of(plan: PlanAt) -> tuple[Lever, ...]:
    """The inputs of a plan, measured ones first; those of remedies that it does not buy are none of them."""
    return (*_measured(plan), *_stated(plan))


def _measured(plan: PlanAt) -> Iterator[Lever]:
    at, a = plan.measured, plan.decided
    s, m = at.sampled, a.measured
    group: Group = "sourced" if m.moments.sourced else "measured"
    endless = math.inf

    def lever(
        key: str, label: str, unit: str, values: Number | None, low: float, high: float, origin: Group = group
    ) -> Iterator[Lever]:
        if values is not None and np.isfinite(values).all():
            yield Lever(
                key=key, label=label, unit=unit, group=origin, values=values, smallest=low, largest=high
            )

    if at.pilot_minutes is not None:
        yield from lever(
            "human_minutes_pilot",
            "Human minutes per case with the agent",
            "min",
            at.pilot_minutes,
            0,
            endless,
        )
    else:
        before = m.arm_mean("human_minutes", 0)
        most = endless if before is None else float(before.mean())
        yield from lever(
            "minutes_saved_per_case", "Minutes saved per case", "min", s.minutes_saved, -endless, most
        )
    if s.error_rate[1] is not None and a.economics.error_cost is not None:
        if not s.errors_stated:
            yield from lever(
                "error_rate_baseline", "Error rate without the agent", "share", s.error_rate[0], 0, 1
            )
        yield from lever("error_rate_pilot", "Error rate with the agent", "share", s.error_rate[1], 0, 1)
        severity = m.rates.severity
        for i, name in enumerate(SEVERITIES[1:], 1):
            # One quantity where both arms share it: moving an arm's share alone would be another world.
            one = severity is None or np.array_equal(severity[0, :, i], severity[1, :, i])
            arms = {"severity": ("", 1)}
            if not one:
                arms = {
                    "severity_baseline": (" without the agent", 0),
                    "severity_pilot": (" with the agent", 1),
                }
            for kind, (of, arm) in arms.items():
                yield from lever(
                    f"{kind}:{name}",
                    f"Share of errors{of} that are {name}",
                    "share",
                    None if severity is None else severity[arm, :, i],
                    0,
                    1,
                )
    if s.agent_cost is not None:
        yield from lever(AGENT, "Agent cost per case", at.currency, at.usage, 0, endless)
    if isinstance(s.share, np.ndarray):
        yield from lever("demand_share", "Share of cases in these segments", "share", s.share, 0, 1)
    addressed = {r.addresses for r in a.valuer.remedies if r.name in plan.bought}
    causes = a.valuer.causes
    for cause in sorted(addressed & set(causes.error_share)):
        shares = causes.error_share[cause]
        yield from lever(f"errors_due_to:{cause}", f"Share of errors due to {cause}", "share", shares, 0, 1)
        lost = causes.excess_minutes.get(cause)
        yield from lever(
            f"minutes_lost_to:{cause}", f"Minutes per case lost to {cause}", "min", lost, 0, endless
        )
    failing = {g.gate for g in a.gates[plan.segments] if not g.holds}
    # Where a remedy opens a gate, whether it does is the remedy's share, an input of its own.
    if plan.plan is not None and not addressed & (
        failing | ({"data"} if "usable_inputs" in failing else set())
    ):
        yield from lever(
            "gates_pass", "Chance that the gates hold after the fix", "share", plan.passing, 0, 1
        )
    if m.bias_sd > 0:
        origin = a.assumptions.entries[f"economics.design_bias.{m.design}"].value.evidence
        minutes, errors = "Bias of the comparison: minutes per case", "Bias of the comparison: error rate"
        yield from lever("bias_minutes", minutes, "min", at.bias_minutes, -endless, endless, origin)
        yield from lever("bias_errors", errors, "share", at.bias_errors, -endless, endless, origin)


def _stated(plan: PlanAt) -> Iterator[Lever]:
    a = plan.decided
    places = {f"remedies[{i}]." for i, r in enumerate(a.valuer.remedies) if r.name in plan.bought}
    measures = plan.plan is not None and any(m.n for m in plan.plan.measures)
    for key, entry in a.assumptions.entries.items():
        used = (
            (key.startswith(("economics.", "demand.")) and not key.startswith(("economics.design_bias.", FX)))
            or (key.startswith(FX) and key[len(FX) :] in plan.measured.by_currency)
            or any(key.startswith(place) for place in places)
            or (key.startswith("measurement.") and measures)
            or (key in STATED_MINUTES and plan.measured.stated_minutes is not None)
            or (key == STATED_ERRORS and plan.measured.sampled.errors_stated)
        )
        value = entry.value
        if not used:
            continue
        low, high = value.smallest, value.largest
        if value.form == "exact":  # an exact number might have been any other of its kind
            low, high = {"share": (0.0, 1.0), "positive": (0.0, math.inf)}.get(
                value.family, (-math.inf, math.inf)
            )
        if key == HORIZON:
            low, high = 1.0, MOST_MONTHS
        yield Lever(
            key=key,
            label=entry.label,
            unit=entry.unit,
            group=value.evidence,
            values=a.assumptions.require(key),
            smallest=low,
            largest=high,
            stated=value,
        )
