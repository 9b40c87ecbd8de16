"""What fresh cases are held against: the limits that a decision must keep to, and what it expected.

*Pause* asks whether a limit is broken: the policy's for severe errors and for missed approvals; for minutes, what a
case takes without the agent less what must be saved for running it to pay; for the agent's cost, what a case brings.
*Investigate* asks whether the stream is worse than the record thought possible: beyond the far end of its own estimate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from roi.analysis import Analysis
from roi.economics import SEVERITIES
from roi.moments import ALL
from roi.named import policy_word
from roi.parameters import Policy
from roi.special import ndtri

__all__ = ["Basis", "Expected", "Limit", "basis_of", "far_end"]

Z95 = 1.6448536269514722
LEAST_LIMIT = (
    1e-4  # a limit of 0 is watched as 1 in 10,000: two events suffice, and a bet needs a limit to bet against
)
ESTIMATES = (
    "severe_error_rate_pilot",
    "error_rate_pilot",
    "escalation_rate_pilot",
    "human_minutes_pilot",
    "agent_cost_per_case",
)


@dataclass(frozen=True, slots=True)
class Expected:
    """An estimate of the record.

    Attributes:
        mean: In the unit of its measure.
        p05: Of its draws.
        p95: Of its draws; for severe errors the exact bound.
    """

    mean: float
    p05: float
    p95: float


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of a measure.

    Attributes:
        value: That a case may have on average, in the unit of the measure.
        by_segment: That of a segment, where it has one of its own.
        why: What it rests on, in words.
    """

    value: float
    why: str
    by_segment: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a record rested on, by measure.

    Attributes:
        limits: Limits whose breach is a reason to pause.
        expected: What the record expected of all cases.
        by_segment: Measure → segment → what it expected of it.
        no_limit: Measure → why it has no limit, in words.
        baseline_minutes: Segment (or `ALL`) → minutes of a case without the agent.
        mix: Segment → share of cases that the worth was computed with; empty where cases name no segment.
        mix_cases: Cases that the shares rest on; None where the file states them as exact.
        error_costs: Severity → what an error of it costs, "" that of one whose severity nobody gave; None where that
            is not known.
    """

    limits: Mapping[str, Limit]
    expected: Mapping[str, Expected]
    by_segment: Mapping[str, Mapping[str, Expected]]
    no_limit: Mapping[str, str]
    baseline_minutes: Mapping[str, float]
    mix: Mapping[str, float]
    mix_cases: float | None
    error_costs: Mapping[str, float] | None = None


def far_end(expected: Expected, beta: float, *, share: bool = False) -> float:
    """The value that an estimate exceeds with the chance beta.

    Its P95 is taken as far on as a log-normal's would be, whose tail is heavier than a normal's and a beta's; that of
    an event that was never seen as the exact bound goes, by the logarithm of beta.

    Args:
        expected: The estimate.
        beta: A chance below 0.05.
        share: Whether it is a share, which is at most 1.
    """
    if expected.mean == 0:
        found = expected.p95 * float(np.log(beta) / np.log(0.05))
    elif not expected.p95 > expected.mean > 0:
        found = max(expected.mean, expected.p95)
    else:
        found = expected.mean * (expected.p95 / expected.mean) ** (-float(ndtri(beta)) / Z95)
    return min(found, 1.0) if share else found


def basis_of(record: Mapping[str, Any], policy: Policy, a: Analysis | None) -> Basis:
    """What a record rested on.

    Args:
        record: The record of the decision.
        policy: The policy as it holds today.
        a: The decision, computed again from its archive or its samples; None where neither is there, so that segments
            have no minutes of their own and nothing says what a case brings.
    """
    estimates: Mapping[str, Any] = record.get("estimates") or {}
    expected = {name: found for name in ESTIMATES if (found := _expected(estimates.get(name))) is not None}
    by_segment: dict[str, dict[str, Expected]] = {}
    keys = {
        "error_rate_pilot": "error_rate_pilot",
        "escalation_rate_pilot": "escalation_rate_pilot",
        "agent_cost_per_case": "agent_cost",
    }
    rows = record.get("by_segment") or []
    for measure, key in keys.items():
        found_ = {str(row["segment"]): _expected(row.get(key)) for row in rows}
        by_segment[measure] = {name: e for name, e in found_.items() if e is not None}
    baseline: dict[str, float] = {}
    before = _expected(estimates.get("human_minutes_baseline"))
    if before is not None:
        baseline[ALL] = before.mean
    if a is not None and a.measured.human is not None:
        by_segment["human_minutes_pilot"] = {}
        for s, name in enumerate(a.moments.segments):
            base, pilot = a.measured.human[:, s]
            if np.isfinite(base).all() and name != ALL:
                baseline[name] = float(base.mean())
            if np.isfinite(pilot).all() and name != ALL:
                low, high = np.quantile(pilot, [0.05, 0.95])
                by_segment["human_minutes_pilot"][name] = Expected(
                    float(pilot.mean()), float(low), float(high)
                )
    limits = {
        "severe_error_rate_pilot": Limit(
            max(policy.max_severe_error_rate, LEAST_LIMIT),
            f"the policy's {policy_word('max_severe_error_rate')}",
        ),
        "approval_miss_rate": Limit(
            max(policy.max_approval_miss_rate, LEAST_LIMIT),
            f"the policy's {policy_word('max_approval_miss_rate')}",
        ),
    }
    no_limit: dict[str, str] = {}
    spare = None if a is None else _spare(a)
    _limit_minutes(limits, no_limit, expected, baseline, policy, spare)
    _limit_cost(limits, no_limit, expected, spare)
    error_costs = None if a is None else _limit_errors(limits, no_limit, expected, by_segment, spare, a)
    if a is None:
        no_limit["error_cost_per_case"] = "the record does not say what a case brings"
    shares = {str(row["segment"]): float(row["share"] or 0.0) for row in rows}
    counted = (record.get("mix") or {}).get("counted_on")
    return Basis(
        limits=limits,
        expected=expected,
        by_segment=by_segment,
        no_limit=no_limit,
        baseline_minutes=baseline,
        mix={name: share for name, share in shares.items() if share > 0},
        mix_cases=None if counted is None else float(counted),
        error_costs=error_costs,
    )


def _expected(found: Any) -> Expected | None:
    if not isinstance(found, Mapping) or any(found.get(k) is None for k in ("mean", "p05", "p95")):
        return None
    return Expected(float(found["mean"]), float(found["p05"]), float(found["p95"]))


def _spare(a: Analysis) -> tuple[float, float] | None:
    """What a case brings beyond what running costs, at full adoption, and what a saved minute brings; expected values.

    None where the worth is not known. One-off costs are spent by then and in neither.
    """
    option = a.verdict.option if a.verdict.option is not None and a.verdict.verdict == "scale" else a.scale
    e = a.economics
    if option is None or option.stream is None or e.labour is None or e.cases_per_month is None:
        return None
    share = 1.0 if option.scope is None else option.scope.share
    cases = float(np.mean(np.multiply(np.multiply(e.cases_per_month, e.ceiling), share)))
    both = np.clip(np.add(np.clip(e.cash, 0, 1), e.redeployed), 0, 1)
    minute = float(np.mean(np.multiply(e.labour, both) / 60))
    if not cases > 0:
        return None
    return (float(option.stream.net.mean()) - float(np.mean(e.monthly()))) / cases, minute


def _limit_minutes(
    limits: dict[str, Limit],
    no_limit: dict[str, str],
    expected: Mapping[str, Expected],
    baseline: Mapping[str, float],
    policy: Policy,
    spare: tuple[float, float] | None,
) -> None:
    name = "human_minutes_pilot"
    if ALL not in baseline:
        no_limit[name] = "nobody measured what a case takes without the agent"
        return
    needed, why = policy.smallest_saving_minutes, f"the policy's {policy_word('smallest_saving_minutes')}"
    now = expected.get(name)
    if spare is not None and now is not None and spare[0] > 0 and spare[1] > 0:
        # What may be lost before a case no longer pays for running the agent.
        must = baseline[ALL] - now.mean - spare[0] / spare[1]
        if must > needed:
            needed, why = must, "less than that does not pay for running the agent"
    values = {segment: minutes - needed for segment, minutes in baseline.items() if minutes > needed}
    if ALL not in values:
        no_limit[name] = "a case takes less without the agent than would have to be saved"
        return
    text = f"{baseline[ALL]:.2f} minutes without the agent less {needed:.2f} that must be saved: {why}"
    limits[name] = Limit(values.pop(ALL), text, values)


def _limit_cost(
    limits: dict[str, Limit],
    no_limit: dict[str, str],
    expected: Mapping[str, Expected],
    spare: tuple[float, float] | None,
) -> None:
    name = "agent_cost_per_case"
    now = expected.get(name)
    if now is None or spare is None:
        no_limit[name] = "the record does not say what a case brings"
    elif not spare[0] > 0:
        no_limit[name] = "by the record a case brings no more than it costs already"
    else:
        limits[name] = Limit(now.mean + spare[0], "with more than that a case costs more than it brings")


def _limit_errors(
    limits: dict[str, Limit],
    no_limit: dict[str, str],
    expected: dict[str, Expected],
    by_segment: dict[str, dict[str, Expected]],
    spare: tuple[float, float] | None,
    a: Analysis,
) -> dict[str, float] | None:
    """The most that errors may cost a case: what they were expected to cost, and what a case brings beyond that."""
    name = "error_cost_per_case"
    e, severity = a.economics, a.measured.rates.severity
    option = a.verdict.option if a.verdict.option is not None and a.verdict.verdict == "scale" else a.scale
    rates = (None, None) if option is None or option.scope is None else option.scope.error_rate
    if e.error_cost is None or severity is None or rates[1] is None:
        no_limit[name] = "the decision does not say how often a case goes wrong, or what that costs"
        return None
    before, each = (
        np.asarray(sum((severity[arm, :, i] * c for i, c in enumerate(e.error_cost)), 0.0)) for arm in (0, 1)
    )
    draws = np.multiply(rates[1], each)
    low, high = np.quantile(draws, [0.05, 0.95])
    expected[name] = Expected(float(draws.mean()), float(low), float(high))
    cost = float(each.mean())
    by_segment[name] = {
        segment: Expected(x.mean * cost, x.p05 * cost, x.p95 * cost)
        for segment, x in by_segment.get("error_rate_pilot", {}).items()
    }
    if spare is None:
        no_limit[name] = "the record does not say what a case brings"
    elif not spare[0] > 0:
        no_limit[name] = "by the record a case brings no more than it costs already"
    else:
        room = spare[0]
        if (
            not e.error_credit and rates[0] is not None
        ):  # errors avoided brought nothing, so that losing them costs none
            room += max(float(np.mean(np.multiply(rates[0], before))) - expected[name].mean, 0.0)
        own = {segment: x.mean + room for segment, x in by_segment[name].items()}
        why = "with more than that errors cost more than a case brings"
        limits[name] = Limit(expected[name].mean + room, why, own)
    named = {s: float(np.mean(c)) for s, c in zip(SEVERITIES, e.error_cost, strict=True)}
    return {**named, "": cost}
