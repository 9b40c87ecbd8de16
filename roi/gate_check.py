"""Every gate of a scope, together: what was measured, the design's tipping point, and the five controls."""

from __future__ import annotations

from roi.comparability import Comparability
from roi.design_gate import design
from roi.gate import Gate
from roi.gates import (
    complete_minutes,
    covered_demand,
    known_cost,
    measured_baseline,
    severe_error_gate,
    unkind_shift,
    usable_inputs,
)
from roi.options import Valuer
from roi.parameters import Policy

__all__ = ["gates_of_scope", "tipping_point"]

Scope = tuple[str, ...] | None


def gates_of_scope(
    valuer: Valuer,
    scope: Scope,
    policy: Policy,
    controls: tuple[Gate, ...],
    tipping: float | None,
    undeclared: tuple[str, ...] = (),
    arms: Comparability | None = None,
) -> tuple[Gate, ...]:
    """Every gate for scaling in a scope."""
    measured = valuer.measured
    segments = valuer.scope(scope).segments or measured.moments.segments
    flips = False
    shift = valuer.held("unkind_shift", lambda: unkind_shift(measured.moments))
    plain = valuer.roll_out(scope)
    if plain is not None and shift > 0:
        needed = policy.scale_probability
        if plain.chance(policy.hurdle) >= needed:
            unkind = valuer.roll_out(scope, extra_minutes=-shift)
            assert unkind is not None
            flips = unkind.chance(policy.hurdle) < needed
    found = [
        valuer.held(
            ("complete_minutes", flips, undeclared),
            lambda: complete_minutes(measured, flips=flips, undeclared=undeclared),
        ),
        valuer.held("measured_baseline", lambda: measured_baseline(measured)),
    ]
    if scope is None:
        covered = policy.min_covered_demand
        found.append(
            valuer.held(("covered_demand", covered), lambda: covered_demand(measured, least=covered))
        )
    usable, limit, e = policy.min_usable_inputs, policy.max_severe_error_rate, valuer.economics
    known = e.error_credit or measured.moments.labels == "judge"
    found += [
        valuer.held(
            ("usable_inputs", segments, usable), lambda: usable_inputs(measured, segments, least=usable)
        ),
        known_cost(measured, e),
        valuer.held(
            ("severe_errors", segments, limit, known),
            lambda: severe_error_gate(measured, segments, limit=limit, labels_known=known),
        ),
        design(measured, tipping=tipping, arms=arms),
        *controls,
    ]
    return tuple(found)


def tipping_point(valuer: Valuer, scope: Scope, policy: Policy, most: float = 6.0) -> float | None:
    """Constant bias, in standard deviations of the design's, at which the chance no longer suffices.

    Returns:
        None where it does not suffice without any bias; infinite where no bias up to `most` matters, or the arms were
        assigned at random.
    """
    if valuer.measured.bias_sd == 0:
        return float("inf")

    def enough(sds: float) -> bool:
        option = valuer.roll_out(scope, measured=valuer.measured.shifted(sds))
        return option is not None and option.chance(policy.hurdle) >= policy.scale_probability

    if not enough(0.0):
        return None
    if enough(most):
        return float("inf")
    low, high = 0.0, most
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if enough(middle) else (low, middle)
    return low
