"""Sensitivity as the record holds it: the tornado, the shares of the variance, and the break-even of every input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.analysis import Decided
from roi.draws import stream
from roi.fewer_draws import on_fewer_draws
from roi.levers import GROUPS, Lever, levers_of
from roi.model_costs import ModelCosts
from roi.plan_at import PlanAt, plan_at
from roi.price_change import price_change_of_record
from roi.price_scenarios import price_scenarios_of_record
from roi.sensitivity import BreakEven, Fewer, Response, break_even, respond, rule_of
from roi.units import quantity
from roi.variance import Share, first_order, group_shares, line_shares, own_part, total_share

__all__ = ["FEW_DRAWS", "check_of", "sensitivity_of_record"]

Floats = npt.NDArray[np.float64]
FEW_DRAWS = 2000
"""Draws on which a curve is searched and variance is shared out; what that errs is said in docs/method.md."""


def sensitivity_of_record(a: Decided, costs: ModelCosts | None = None) -> dict[str, Any] | None:
    """What the record says of sensitivity; None where the worth is not known.

    Args:
        a: The decision.
        costs: Costs of the pilot's cases by model, where a price scenario names one.

    Returns:
        Plain JSON values: `plan` (the plan put forward, or the roll-out that its measurements lead to), its `mean`
        and `chance`, `hurdle`, `chance_needed`, `tornado` (strongest first), `break_evens`, `agent_prices`,
        `price_scenarios` and `variance`.
    """
    plan = plan_at(a)
    if plan is None:
        return None
    few = on_fewer_draws(plan, FEW_DRAWS)
    levers = levers_of(plan)
    responses = tuple(respond(plan, lever) for lever in levers)
    chance = rule_of(plan)
    base = plan.worth_at({}, undecided=True)
    on = Fewer(plan, few)
    order = sorted((r for r in responses if r.lever.varies), key=lambda r: (-r.swing, r.lever.key))
    return {
        "plan": "roll_out" if any(plan.learned) else "plan",
        "mean": float(base.mean()),
        "chance": plan.chance(base),
        "hurdle": plan.hurdle,
        "chance_needed": chance,
        "tornado": [_bar(r) for r in order],
        "break_evens": [
            _named(r.lever)
            | {"now": r.lever.mean, "now_text": quantity(r.lever.mean, r.lever.unit)}
            | _at("worth", break_even(plan, r, on=on), r.lever)
            | _at("chance", break_even(plan, r, chance, on=on), r.lever)
            for r in responses
        ],
        "agent_prices": price_change_of_record(plan, responses, chance),
        "price_scenarios": price_scenarios_of_record(plan, responses, chance, costs),
        "variance": _variance(plan, few, responses, seed=a.loaded.parameters.run.seed),
    }


def _named(lever: Lever) -> dict[str, Any]:
    return {"key": lever.key, "label": lever.label, "unit": lever.unit, "evidence": lever.group}


def _bar(response: Response) -> dict[str, Any]:
    lever = response.lever
    low, high = lever.ends
    return _named(lever) | {
        "low": low,
        "high": high,
        "low_text": quantity(low, lever.unit),
        "high_text": quantity(high, lever.unit),
        "worth_low": response.low[0],
        "worth_high": response.high[0],
        "chance_low": response.low[1],
        "chance_high": response.high[1],
    }


def _at(what: str, found: BreakEven, lever: Lever) -> dict[str, Any]:
    text = None if found.value is None else quantity(found.value, lever.unit)
    return {f"{what}_at": found.value, f"{what}_text": text, f"{what}_reason": found.reason}


def _variance(
    plan: PlanAt, few: PlanAt, responses: Sequence[Response], *, seed: int
) -> dict[str, Any] | None:
    """Shares of the variance of the worth by input and by group; None where it does not vary.

    A stated input in which the worth is a straight line has them from all draws, in closed form. The others are drawn
    again on fewer: a stated one by itself; of a measured one the part that the other measured ones do not tell.
    """
    whole = float(plan.worth_at({}, undecided=True).var())
    worth = few.worth_at({}, undecided=True)
    if not (whole > 0 and float(worth.var()) > 0):
        return None
    levers = [lever for lever in levers_of(few) if lever.varies]
    drawn = {lever.key: np.asarray(lever.values) for lever in levers}
    together = [x.key for x in levers if x.stated is None and not x.key.startswith("bias_")]
    known = {r.lever.key: r for r in responses}

    def model(changes: Mapping[str, Floats]) -> Floats:
        return few.worth_at(changes, undecided=True)

    found: dict[str, Share] = {}
    for lever in levers:
        key = lever.key
        if key in together:
            told, own = own_part([drawn[k] for k in together], together.index(key))
        else:
            told, own = np.zeros(few.draws), drawn[key]
            line = known[key].line
            if line is not None:
                found[key] = line_shares(line[1], np.asarray(known[key].lever.values), whole)
                continue
        order = stream(seed, f"variance:{key}").permutation(few.draws)
        again = np.clip(told + own[order], lever.smallest, lever.largest)
        total, error = total_share(worth, model({key: again}))
        found[key] = Share(first_order=first_order(worth, drawn[key]), total=total, error=error)
    members: dict[str, dict[str, Floats]] = {
        group: {x.key: drawn[x.key] for x in levers if x.group == group} for group in GROUPS
    }
    groups = group_shares(model, members, worth, seed=seed)
    return {
        "inputs": [
            _named(known[key].lever)
            | {"first_order": share.first_order, "total": share.total, "error": share.error}
            for key, share in sorted(found.items(), key=lambda item: (-item[1].total, item[0]))
        ],
        "groups": [
            {
                "evidence": group,
                "first_order": share.first_order,
                "total": share.total,
                "share": share.shapley,
                "error": share.error,
                "inputs": len(members[group]),
            }
            for group, share in groups.items()
        ],
        "check": check_of(groups),
    }


def check_of(groups: Mapping[str, Share]) -> dict[str, Any]:
    """Whether shares of groups are as they must be but for the error of the draws: sums and order."""
    first = sum(share.first_order for share in groups.values())
    errors = {name: 3 * (share.error + (share.first_error or 0.0)) for name, share in groups.items()}
    return {
        "sum_first_order": first,
        "sum_total": sum(share.total for share in groups.values()),
        "ok": first <= 1 + sum(errors.values())
        and all(share.total >= share.first_order - errors[name] for name, share in groups.items()),
    }
