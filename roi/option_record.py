"""What the record says of the options: what each is worth against stopping now, and what it costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from roi.advice import HARDLY_EVER, plan_name, rolled_out_chance, rolled_out_controlled
from roi.analysis import Analysis
from roi.ceilings import whole_fix
from roi.money import summary
from roi.options import Option
from roi.plans import Plan
from roi.words import amount, and_list

__all__ = ["fix_of_record", "options_of_record"]

Floats = npt.NDArray[np.float64]


def options_of_record(a: Analysis) -> dict[str, Any]:
    """The options in plain values, sums of money in the pilot's currency; what cannot be valued is null."""
    p, v = a.loaded.parameters, a.verdict
    # A scale needs no fix; what a further measurement would be worth is told by the value of information.
    others = [x for x in a.plans if v.verdict != "scale" or x.remedies]
    fix = v.plan or max(others, key=lambda x: x.mean(), default=None)
    return {
        "kill": _option(
            a, "Stop now", np.zeros(2), np.zeros(2), one_off=float(np.mean(a.economics.wind_down))
        ),
        "keep": None
        if a.keep is None or p.economics.pilot_cost_per_month is None
        else _option(a, a.keep.label, a.keep.worth, a.keep.cash, note=a.keep.note),
        "scale": None if a.scale is None else _roll_out(a, a.scale, "Scale"),
        "scale_segments": [_roll_out(a, o, o.label) for o in a.segments],
        "fix": None
        if fix is None
        else {
            **_of_plan(a, fix),
            **fix_of_record(fix, p.about.currency),
            "price": fix.price,
            "measures": [m.what for m in fix.measures],
            "unpriced": [g.gate for g in fix.unpriced],
            "max_worth_paying": whole_fix(a, fix).most,
            "scope": list(fix.option.scope.segments)
            if fix.option.kind == "scale_segments" and fix.option.scope
            else None,
        },
        "controlled": _controlled(a),
        "alternatives": [
            {"name": o.label, **_option(a, o.label, o.worth, o.cash, note=o.note)} for o in a.others
        ],
    }


def _controlled(a: Analysis) -> dict[str, Any] | None:
    """The roll-out with its controls mended that the reason of a kill names, as a line to compare with."""
    plan = rolled_out_controlled(a)
    if plan is None:
        return None
    bought = f" with {and_list(f'“{r.name}”' for r in plan.remedies)}" if plan.remedies else ""
    note = f"rolled out{bought}, to compare with: the rule would stop instead"
    return {**_of_plan(a, plan), "label": "Scale with the controls it needs", "note": note}


def _of_plan(a: Analysis, plan: Plan) -> dict[str, Any]:
    """What a roll-out after remedies is worth and takes, its remedies and its own costs in it."""
    one_off = plan.price + float(np.mean(a.economics.one_off()))
    return {
        **_option(a, "", plan.worth, plan.cash, one_off=one_off),
        "per_month": float(np.mean(np.add(a.economics.monthly(), plan.option.schedule.per_month))),
        "remedies": [r.name for r in plan.remedies],
        "chance_gates_pass": plan.passes,
    }


def fix_of_record(plan: Plan, currency: str) -> dict[str, Any]:
    """What the record's fix is called, the note beside it, and the chance that anything is rolled out after it.

    A fix after which the rule would stop is worth what it costs, and not what a roll-out with it would bring: it says
    so, for the reason may name the latter.
    """
    rolled_out, price = rolled_out_chance(plan), amount(plan.price, currency)
    if rolled_out < HARDLY_EVER:
        note = f"{price} for the fix, and the pilot until it works; then the rule would stop"
        return {"label": plan_name(plan), "note": note, "chance_rolled_out": rolled_out, "stops_after": True}
    note = f"of the one-off sum, {price} is the fix; the rest follows if it works"
    return {"label": plan_name(plan), "note": note, "chance_rolled_out": rolled_out, "stops_after": False}


def _option(
    a: Analysis, label: str, worth: Floats, cash: Floats, *, one_off: float | None = None, note: str = ""
) -> dict[str, Any]:
    hurdle = a.loaded.policy.hurdle
    return {
        "label": label,
        **summary(worth),
        "chance_above_hurdle": float(np.mean(worth > hurdle)),
        "cash_mean": float(cash.mean()),
        "cash_chance": float(np.mean(cash > hurdle)),
        "currency": a.loaded.parameters.about.currency,
        "one_off": one_off,
        "note": note or None,
    }


def _roll_out(a: Analysis, option: Option, label: str) -> dict[str, Any]:
    e = a.economics
    found = _option(a, label, option.worth, option.cash, one_off=float(np.mean(e.one_off())))
    found["per_month"] = float(np.mean(e.monthly()))
    found["scope"] = None if option.scope is None else list(option.scope.segments)
    found["demand_share"] = None if option.scope is None else float(np.mean(option.scope.share))
    key = option.scope.segments if option.kind == "scale_segments" and option.scope is not None else None
    closed = [g.label for g in a.gates[key] if not g.holds]
    found["closed_gates"] = closed
    return found
