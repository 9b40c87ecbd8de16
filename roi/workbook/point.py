"""What the workbook holds of a decision: its stated inputs as numbers, and what was measured as averages.

With every stated input a number, a roll-out is worth, over the draws of what was measured, the same sum of products as
its averages are: gains and losses of time are averaged apart, as are errors by severity and what the agent costs by
currency. So the workbook's worth is the mean that `roi decide` reaches with those numbers, and no approximation of it.
A plan's averages are those of the draws in which its gates hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.advice import plan_name
from roi.analysis import Decided, Valued, value_moments
from roi.approving import APPROVAL_MINUTES, WAITING_COST
from roi.assumptions import Assumptions
from roi.corners import fixed_at
from roi.economics import SEVERITIES
from roi.measured import Scope
from roi.measured_at import FX, measured_at
from roi.measures import cost_of, length_of
from roi.options import Option
from roi.plan_at import HORIZON, plan_put_forward
from roi.plans import Plan, mended_again
from roi.remedies import Remedy
from roi.tariff import prices_of

__all__ = ["LIVE", "Point", "RollOut", "means_of", "point_of", "valued_at"]

Floats = npt.NDArray[np.float64]

LIVE = ("demand.", "economics.", "remedies[")  # groups of which the workbook follows some keys
_NOT = ("economics.design_bias.", "economics.severity_mix.")
_MEASURED_WITH = ("samples.baseline.", "economics.design_bias.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RollOut:
    """A roll-out as the workbook values it; every average is over the draws, or those in which its gates hold.

    Attributes:
        name: "scale" or "plan".
        label: In words.
        share: Share of demand, averaged.
        gained: Minutes a case by which it is faster, times the share of demand.
        lost: Minutes a case by which it is slower (0 or below), times the share of demand.
        errors: Errors avoided a case by severity (negative: further ones), times the share of demand.
        usage: What the agent costs a case by currency, each in its own, times the share of demand.
        approving: What the approving that its remedies demand costs a case, times the share of demand.
        remedies: Places of its remedies in the file.
        after: By place, the places of the bought remedies that it waits for.
        measuring: What its measurements cost.
        months: How long they take.
        off: What is taken off its worth for having been picked, as the decision takes it off at these inputs.
        passes: Chance that its gates hold after the fix; None for a roll-out that is no fix.
        decides: Whether the plan decides once more after measuring, so that its own worth isn't this sum.
        errors_follow: Whether the errors' sum follows other costs of an error exactly.
    """

    name: str
    label: str
    share: float
    gained: float
    lost: float
    errors: tuple[float, ...]
    usage: Mapping[str, float]
    approving: float
    remedies: tuple[int, ...]
    after: Mapping[int, tuple[int, ...]]
    measuring: float
    months: float
    off: float
    passes: float | None
    decides: bool
    errors_follow: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A decision at the means of its stated inputs.

    Attributes:
        values: By key of the parameter file, the number that stands for it.
        roll_outs: Scaling everything, and the plan put forward where that is another.
        live: Keys that the workbook follows exactly, in the order of the file.
        fixed: By key, why it doesn't follow another one.
    """

    values: Mapping[str, float]
    roll_outs: tuple[RollOut, ...]
    live: tuple[str, ...]
    fixed: Mapping[str, str]


def means_of(a: Decided) -> dict[str, float]:
    """The mean of each stated input."""
    return {key: entry.value.mean for key, entry in a.assumptions.entries.items()}


def valued_at(a: Decided, values: Mapping[str, float], *, at_rates: bool = True) -> Valued:
    """What values roll-outs where each stated input is a number.

    Args:
        a: The decision.
        values: A number by key.
        at_rates: Whether exchange rates count; without, what the agent costs stays as drawn and must not be used.
    """
    fixed = fixed_at(a, values)
    same = all(
        np.array_equal(fixed.values[key], a.assumptions.values[key])
        for key in fixed.values
        if key.startswith(_MEASURED_WITH) or (at_rates and key.startswith(FX))
    )
    loaded = a.loaded
    if HORIZON in values and int(values[HORIZON]) != a.economics.horizon:
        p = loaded.parameters
        economics = p.economics.model_copy(update={"horizon_months": int(values[HORIZON])})
        loaded = replace(loaded, parameters=p.model_copy(update={"economics": economics}))
    approvals = a.valuer.approvals
    return value_moments(
        loaded,
        a.moments,
        arms=a.arms,
        as_of=a.as_of,
        assumptions=fixed,
        like=a if same else None,
        approval_kinds=None if approvals is None else approvals.kinds,
    )


def point_of(a: Decided) -> Point:
    """Take from a decision what the workbook is made of.

    Args:
        a: The decision.

    Returns:
        The point; without a roll-out where the worth isn't known.
    """
    values = means_of(a)
    found: list[RollOut] = []
    put = plan_put_forward(a)
    if put is not None:
        # What is taken off for being picked rests on all of a worth; all else takes the agent's cost by currency.
        valued = valued_at(a, values, at_rates=put.kind == "scale_segments")
        if a.scale is not None and a.scale.stream is not None:
            found.append(_roll_out(a, valued, a.scale, None, "scale", "Scale everything as it is"))
        plan = a.verdict.plan
        if put is not a.scale or plan is not None:
            label = put.label if plan is None else plan_name(plan)
            found.append(_roll_out(a, valued, put, plan, "plan", label))
    fixed = {key: why for key in values if (why := _why_fixed(key, a, found))}
    return Point(
        values=values,
        roll_outs=tuple(found),
        live=tuple(key for key in values if key not in fixed),
        fixed=fixed,
    )


def _why_fixed(key: str, a: Decided, found: list[RollOut]) -> str:
    """Why the workbook doesn't follow an input; empty where it does."""
    if not found:
        return "the worth is not known, so nothing follows"
    if key.startswith("samples.") or key.startswith(_NOT):
        return "it has a part in measuring; change it in the parameter file"
    if not key.startswith(LIVE):
        return "no roll-out rests on it"
    if key.startswith("remedies["):
        place, _, what = key.removeprefix("remedies[").partition("].")
        if all(int(place) not in x.remedies for x in found):
            return "the plan put forward does not buy it"
        if what == "removes_share":
            return (
                "it stands at its mean; the gates are weighed draw by draw. Change it in the parameter file"
            )
    if key in (APPROVAL_MINUTES, WAITING_COST):
        return "what approving takes is weighed draw by draw; change it in the parameter file"
    if key.startswith("economics.error_cost.") and not all(x.errors_follow for x in found):
        return "fewer errors earn nothing here, draw by draw; change it in the parameter file"
    if key.startswith(FX) and all(key.removeprefix(FX) not in x.usage for x in found):
        return "nothing is paid in this currency"
    return ""


def _roll_out(
    a: Decided, valued: Valued, option: Option, plan: Plan | None, name: str, label: str
) -> RollOut:
    valuer, assumptions = valued.valuer, valued.assumptions
    assert option.scope is not None
    segments = option.scope.segments if option.kind == "scale_segments" else None
    scope = valuer.scope(segments)
    assert scope.minutes_saved is not None
    places = {r.name: i for i, r in enumerate(valuer.remedies)}
    bought = () if plan is None else tuple(places[r.name] for r in plan.remedies)
    remedies = tuple(valuer.remedies[i] for i in bought)
    approved = plan is not None and plan.prospect.approved
    effect = valuer.effect_of(remedies, segments, approved=approved)
    n = valuer.measured.draws
    go = np.ones(n) if plan is None else _passing(a, valued, plan)
    measures = () if plan is None else plan.measures
    decides = any(any(m.learned) for m in measures)
    weight = np.ones(n) if decides else go
    weight = weight / weight.mean() if weight.mean() > 0 else np.ones(n)
    weight = np.asarray(weight * scope.share, dtype=np.float64)
    e = valuer.economics
    saved = scope.minutes_saved + effect.minutes
    gained = np.maximum(saved, 0.0)
    if not e.realisation_known and e.smallest_saving > 0:
        gained = gained * (saved >= e.smallest_saving)
    errors, follow = _errors(valued, scope, effect.kept, weight)
    prices = prices_of(assumptions)
    return RollOut(
        name=name,
        label=label,
        share=float(weight.mean()),
        gained=float((weight * gained).mean()),
        lost=float((weight * np.minimum(saved, 0.0)).mean()),
        errors=errors,
        usage={k: float((weight * x).mean()) for k, x in _usage(a, valued, scope, segments).items()},
        approving=float((weight * effect.cost).mean()),
        remedies=bought,
        after={i: tuple(places[x] for x in valuer.remedies[i].after if _among(x, remedies)) for i in bought},
        measuring=float(cost_of(measures, prices)),
        months=float(length_of(measures)),
        off=0.0 if segments is None else float(valuer.picked.get(segments, 0.0)),
        passes=None if plan is None else float(go.mean()),
        decides=decides,
        errors_follow=follow,
    )


def _among(name: str, remedies: tuple[Remedy, ...]) -> bool:
    return any(r.name == name for r in remedies)


def _passing(a: Decided, valued: Valued, plan: Plan) -> Floats:
    """Whether the gates hold after what the plan buys and measures, at these inputs, shape (n_draws,)."""
    failing = [g for g in a.gates[plan.prospect.segments] if not g.holds]
    mended = mended_again(plan, valued.valuer, failing)
    return np.asarray(replace(plan.prospect, mended=mended).passing(plan.measures), dtype=np.float64)


def _errors(valued: Valued, scope: Scope, kept: Any, weight: Floats) -> tuple[tuple[float, ...], bool]:
    """Errors avoided a case by severity, averaged so that their cost adds up, and whether it does at any cost."""
    e, severity = valued.valuer.economics, valued.valuer.measured.rates.severity
    base, pilot = scope.error_rate
    none = (0.0,) * len(SEVERITIES)
    if pilot is None or severity is None or e.error_cost is None:
        return none, True
    pilot = pilot * kept
    before = np.zeros_like(pilot) if base is None else base
    less = before[:, None] * severity[0] - pilot[:, None] * severity[1]  # (draws, severities)
    follows = True
    if not e.error_credit or scope.errors_stated:
        costs = np.array([float(np.mean(c)) for c in e.error_cost])
        counted = less @ costs < 0
        # The sign is the same whatever an error costs where both arms share their severities, or none went before.
        follows = base is None or bool(np.array_equal(severity[0], severity[1]))
        less = less * (before - pilot < 0 if follows else counted)[:, None]
    return tuple(float(x) for x in (weight[:, None] * less).mean(axis=0)), follows


def _usage(a: Decided, valued: Valued, scope: Scope, segments: tuple[str, ...] | None) -> dict[str, Floats]:
    """What the agent costs a case by currency, each in its own."""
    if scope.agent_cost is None:
        return {}
    currency = a.loaded.parameters.about.currency
    fixed: Assumptions = valued.assumptions
    at = measured_at(valued.valuer.measured, fixed, scope, segments=segments, currency=currency)
    return dict(at.by_currency) or {currency: scope.agent_cost}
