"""The verdict: kill, fix or scale, with its ground or kind.

Scale when, for some scope, every gate passes and the chance that its worth exceeds the hurdle is high enough. Otherwise
kill on the first ground that applies: no data, uncontrollable risk, thin value. Otherwise fix, with at least one
action whose expected worth is positive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from roi.gate import Gate
from roi.measures import Measure
from roi.options import Option
from roi.parameters import Policy
from roi.plans import Plan

__all__ = ["FixKind", "Ground", "Unknown", "Verdict", "decide"]

Ground = Literal["thin_value", "no_data", "uncontrollable_risk"]
FixKind = Literal["repair", "control", "measure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """What can be said where the worth cannot be computed.

    Attributes:
        why: What is missing, in a sentence.
        measure: The measurement that would tell; None where none is known.
        upside: What the roll-out would be worth at the flattering end of what is known (twice the break-even,
            all the minutes that a case is stated to take today, or the demo's own figures);
            None where even that cannot be computed.
        upside_means: What that end is, in words.
    """

    why: str
    measure: Measure | None
    upside: float | None
    upside_means: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do, and why.

    Attributes:
        verdict: kill, fix or scale.
        ground: Why a kill.
        fix_kind: The kind of the fix's first action.
        option: The roll-out that is advised or that a fix leads to.
        plan: The plan of a fix.
        unknown: Why the worth cannot be computed, if so.
    """

    verdict: Literal["kill", "fix", "scale"]
    ground: Ground | None = None
    fix_kind: FixKind | None = None
    option: Option | None = None
    plan: Plan | None = None
    unknown: Unknown | None = None


FIRST_VIEW = Unknown(
    why="this is a first view, which rests on the package's defaults",
    measure=Measure(
        gate="value",
        what="State what becomes of saved time (economics.realisation) and how many cases the agent gets "
        "(economics.adoption)",
        n=0,
        price=0.0,
        months=0.0,
        pool="words",
    ),
    upside=None,
    upside_means="",
)


def decide(
    options: Sequence[Option],
    gates: Mapping[tuple[str, ...] | None, Sequence[Gate]],
    plans: Sequence[Plan],
    waiting: Plan | None,
    policy: Policy,
    *,
    unknown: Unknown | None,
    thin_value_can_be_claimed: bool,
    mended: Callable[[], float | None] = lambda: None,
    may_scale: bool = True,
    instead: Unknown = FIRST_VIEW,
) -> Verdict:
    """Apply the rule.

    Args:
        options: Roll-outs as they stand, each with its scope: everything first, then narrower ones.
        gates: The gates by scope: None for everything, else the segments' names.
        plans: Fixes with every mend priced: repairs and controls, measurements.
        waiting: A fix that waits for the price of a mend, if scale would pass with it for nothing.
        policy: The thresholds.
        unknown: Why the worth cannot be computed; None where it can.
        thin_value_can_be_claimed: False without a measured baseline or production cases.
        mended: Tells what is expected at the most with the closed controls and severe errors mended at their price,
            whatever chance the rule asks for: None where they cannot be mended, or a plan has a positive worth. It is
            asked only where the verdict rests on it.
        may_scale: False for a first view, and for a report in place of cases.
        instead: What has to be known first, where nothing may be scaled but it may well pay.

    Returns:
        The verdict.
    """
    passing = [
        o
        for o in options
        if may_scale
        and unknown is None
        and all(g.holds for g in gates[key_of(o)])
        and o.chance(policy.hurdle) >= policy.scale_probability
    ]
    if passing:
        return Verdict(verdict="scale", option=max(passing, key=lambda o: o.mean()))
    if unknown is not None:
        measure = unknown.measure
        # What nobody has priced is asked for, with the most that it may cost; it is no ground to stop.
        worth_it = (
            measure is not None and unknown.upside is not None and unknown.upside > (measure.price or 0.0)
        )
        if worth_it:
            return Verdict(verdict="fix", fix_kind="measure", unknown=unknown)
        return Verdict(verdict="kill", ground="no_data", unknown=unknown)

    good = [p for p in plans if p.mean() > 0]
    best = max(good, key=lambda p: p.mean()) if good else None
    # What waits for a price counts only if, had for nothing, it would let scale pass.
    waiting = waiting if waiting is not None and waiting.mean() > 0 else None
    whole = list(gates[None])
    inputs = next((g for g in whole if g.gate == "usable_inputs"), None)
    if inputs is not None and inputs.state == "exceeded" and best is None:
        return Verdict(verdict="kill", ground="no_data", option=options[0] if options else None)
    # What nobody recorded is missing, not a risk that was seen.
    risky = any(g.guards and g.state in ("exceeded", "not_shown") for g in whole)
    without_gates = max((o.mean() for o in options), default=0.0)
    if risky and best is None and waiting is None and without_gates > 0:
        # Where mending would bring something, and the rule only wants a higher chance, the risk is not what stops it.
        brings = mended()
        if brings is not None and brings <= 0:
            return Verdict(
                verdict="kill", ground="uncontrollable_risk", option=max(options, key=lambda o: o.mean())
            )
    chances = [o.chance(policy.hurdle) for o in options] + [
        float(np.mean(p.worth > policy.hurdle)) for p in plans
    ]
    if waiting is not None:
        chances.append(waiting.chance)
    thin = max(chances, default=0.0) <= policy.kill_probability
    if not may_scale and best is None and not thin:
        # A first view stops nothing that may well pay: stating two inputs costs nothing.
        return Verdict(verdict="fix", fix_kind="measure", unknown=instead)
    if (best is None and waiting is None) or thin:
        ground: Ground = "thin_value" if thin_value_can_be_claimed else "no_data"
        return Verdict(verdict="kill", ground=ground, option=options[0] if options else None)
    plan = best if best is not None else waiting
    assert plan is not None
    return Verdict(verdict="fix", fix_kind=_kind(plan), option=plan.option, plan=plan)


def key_of(option: Option) -> tuple[str, ...] | None:
    """The key of an option's gates: None for everything."""
    if option.kind != "scale_segments" or option.scope is None:
        return None
    return option.scope.segments


def _kind(plan: Plan) -> FixKind:
    causes = ("model", "workflow", "data", "integration", "oversight", "usable_inputs", "severe_errors")
    if any(r.addresses in causes for r in plan.remedies):
        return "repair"
    if plan.remedies or (plan.unpriced and not plan.measures):
        return "control"
    return "measure"
