"""The policy's thresholds as the decision needs them: plain numbers."""

from __future__ import annotations

from dataclasses import dataclass

from roi.parameters import Policy

__all__ = ["Terms", "terms_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Thresholds of the decision; see params/_policy.yaml."""

    scale_probability: float
    kill_probability: float
    hurdle: float
    max_severe_error_rate: float
    min_covered_demand: float
    min_usable_inputs: float
    max_approval_miss_rate: float
    high_risk_tools: tuple[str, ...]
    max_minutes_to_pause: float
    drill_max_age_days: float
    smallest_saving_minutes: float
    fix_budget: float | None
    fix_weeks: float | None


def terms_of(policy: Policy) -> Terms:
    """Read the thresholds off a policy."""
    return Terms(
        scale_probability=policy.scale_probability,
        kill_probability=policy.kill_probability,
        hurdle=policy.hurdle,
        max_severe_error_rate=policy.max_severe_error_rate,
        min_covered_demand=policy.min_covered_demand,
        min_usable_inputs=policy.min_usable_inputs,
        max_approval_miss_rate=policy.max_approval_miss_rate,
        high_risk_tools=tuple(policy.high_risk_tools),
        max_minutes_to_pause=policy.max_minutes_to_pause,
        drill_max_age_days=policy.drill_max_age_days,
        smallest_saving_minutes=policy.smallest_saving_minutes,
        fix_budget=policy.fix_budget,
        fix_weeks=policy.fix_weeks,
    )
