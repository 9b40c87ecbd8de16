"""The money of the plan that is put forward, as the record holds it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from roi.analysis import Analysis
from roi.cashflow import Schedule, annuity, monthly_flows, ramp_factor
from roi.options import Option
from roi.returns import irr, middle_payback, payback
from roi.uncertain import Uncertain

__all__ = ["cost_of_waiting", "money", "plan_flows", "price_of_caution", "share_assumed", "summary"]

Floats = npt.NDArray[np.float64]


def summary(draws: Floats) -> dict[str, float]:
    p10, p50, p90 = np.percentile(draws, [10, 50, 90])
    return {"mean": float(draws.mean()), "p10": float(p10), "p50": float(p50), "p90": float(p90)}


def plan_flows(a: Analysis) -> tuple[str, Option, Schedule] | None:
    """The roll-out that pictures and money are about: the advised one, the fix's, or scaling everything."""
    v = a.verdict
    option = v.option or a.scale
    if option is None or option.stream is None:
        return None
    name = "fix" if v.verdict == "fix" else option.kind
    return name, option, option.schedule


def money(a: Analysis) -> dict[str, Any] | None:
    found = plan_flows(a)
    if found is None:
        return None
    name, option, schedule = found
    stream = option.stream
    assert stream is not None
    flows = monthly_flows(stream, a.economics, schedule)
    months, never = payback(flows)
    rate, why = irr(flows.net.mean(axis=1))
    cumulative = np.cumsum(flows.net, axis=0)
    need = -np.minimum(cumulative.min(axis=0), 0.0)
    mean = cumulative.mean(axis=1)
    npv = option.worth - a.economics.wind_down
    labour = a.economics.labour
    assert labour is not None
    return {
        "plan": name,
        "scope": None if option.scope is None else list(option.scope.segments),
        "hours_saved_per_year": summary(12 * stream.hours),
        "cash_per_year": summary(12 * stream.time_cash),
        "redeployed_per_year": summary(12 * (stream.time - stream.time_cash)),
        "errors_per_year": summary(12 * stream.errors),
        "agent_cost_per_year": summary(12 * stream.agent),
        "running_cost_per_year": float(np.mean(12 * np.asarray(a.economics.monthly()))),
        "one_off": float(np.mean(a.economics.one_off()) + np.mean(schedule.one_off)),
        "npv": summary(np.asarray(npv, dtype=np.float64)),
        "payback_months": {"p50": middle_payback(months, never), "never": never},
        "irr": rate,
        "irr_reason": why,
        "peak_funding": {"mean": float(need.mean()), "p90": float(np.percentile(need, 90))},
        "peak_month": int(np.argmin(mean)) if mean.min() < 0 else None,
    }


def cost_of_waiting(a: Analysis) -> float | None:
    """What a month's delay of the decision costs: benefit forgone and the pilot's cost."""
    v, e = a.verdict, a.economics
    pilot = float(np.mean(e.pilot_cost))
    if v.verdict == "kill":
        return pilot if a.loaded.parameters.economics.pilot_cost_per_month is not None else None
    option = v.option
    if option is None or option.stream is None:
        return pilot if a.loaded.parameters.economics.pilot_cost_per_month is not None else None
    value = option.stream.net
    at = option.schedule.delay
    lost = value * (
        ramp_factor(e.discount, e.horizon, e.ramp, at)
        - ramp_factor(e.discount, e.horizon, e.ramp, np.add(at, 1))
    )
    saved = np.add(e.monthly(), option.schedule.per_month) * (
        annuity(e.discount, e.horizon, at) - annuity(e.discount, e.horizon, np.add(at, 1))
    )
    return float(np.mean(lost - saved)) + pilot


def price_of_caution(a: Analysis) -> float | None:
    """Expected worth forgone because the rule wants more certainty than the highest mean."""
    v = a.verdict
    options = [o.mean() for o in (a.scale, *a.segments) if o is not None]
    if not options or v.unknown is not None:
        return None
    chosen = 0.0
    if v.verdict == "scale" and v.option is not None:
        chosen = v.option.mean()
    elif v.plan is not None:
        chosen = v.plan.mean()
    gap = max(0.0, *options) - chosen
    return gap if gap > 0 else None


def share_assumed(a: Analysis) -> tuple[float | None, list[str]]:
    """How much of the expected gain rests on assumptions.

    A gain is a product: minutes (or errors) × demand × adoption × price × realisation. Each factor carries an equal
    part of it; the parts of factors that are assumed, or package defaults, are added up over the gains.

    Returns:
        The share, None without a gain, and the names of the assumed factors.
    """
    found = plan_flows(a)
    if found is None or found[1].stream is None:
        return None, []
    stream = found[1].stream
    p = a.loaded.parameters
    e = p.economics

    def assumed(*values: Uncertain | None) -> bool:
        return any(
            x is not None and x.mean != 0 and x.evidence not in ("measured", "sourced") for x in values
        )

    r = e.realisation
    costs = () if e.error_cost is None else tuple(x for _, x in e.error_cost.items())
    common = [("demand", assumed(p.demand.cases_per_month)), ("adoption", assumed(e.adoption.ceiling))]
    factors = {
        "time": [
            ("minutes saved", a.measured.stand_in),
            *common,
            ("labour cost", assumed(e.labour_cost_per_hour)),
            ("what becomes of saved time", assumed(r.total, r.cash, r.redeployed)),
        ],
        "errors": [("errors avoided", False), *common, ("cost of an error", assumed(*costs))],
    }
    gains = {"time": max(float(stream.time.mean()), 0.0), "errors": max(float(stream.errors.mean()), 0.0)}
    total = sum(gains.values())
    if not total > 0:
        return None, []
    share = sum(gains[k] * sum(x for _, x in factors[k]) / len(factors[k]) for k in gains) / total
    names = dict.fromkeys(name for k in gains if gains[k] > 0 for name, x in factors[k] if x)
    return share, list(names)
