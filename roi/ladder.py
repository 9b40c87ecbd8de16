"""The ladder of value: hours saved, capacity, redeployed work, cash and worth, each with what it takes to stand on it.

A rung is a part of the one before it or another kind of money, never a sum on top: cash and redeployed work together
are what becomes of the time; with errors, the agent, running costs and one-offs they make up the worth, draw by draw.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from roi.analysis import Analysis
from roi.assumptions import Number
from roi.cashflow import annuity, ramp_factor
from roi.economics import Economics
from roi.money import plan_flows, summary
from roi.options import Option
from roi.uncertain import Uncertain
from roi.units import quantity
from roi.words import amount, number, percent

__all__ = ["ladder_of_record", "lines_of"]

Floats = npt.NDArray[np.float64]


def lines_of(option: Option, economics: Economics, *, chosen: float = 0.0) -> dict[str, Floats]:
    """What the worth of a roll-out is made of, discounted, draw by draw.

    Args:
        option: A roll-out, with its stream.
        economics: The stated inputs, drawn.
        chosen: What was taken off a scope that would be picked for looking best (`Valuer.picked`).

    Returns:
        By name, each shape (n_draws,): `cash` and `redeployed`, which add up to `realised`; `errors`; the costs
        `agent`, `running`, `waiting` (the pilot, until the roll-out) and `one_off`, positive; `not_stopping`, what
        winding down would have cost; `chosen`.
        realised + errors − agent − running − waiting − one_off + not_stopping − chosen = worth.
    """
    stream, e, schedule = option.stream, economics, option.schedule
    if stream is None:
        raise ValueError(f"{option.label}: no stream of money stands behind this option")
    ramp = ramp_factor(e.discount, e.horizon, e.ramp, schedule.delay)
    late = annuity(e.discount, e.horizon, schedule.delay)
    n = option.worth.size

    def wide(x: Number) -> Floats:
        return np.array(np.broadcast_to(x, (n,)), dtype=np.float64)

    return {
        "cash": wide(stream.time_cash * ramp),
        "redeployed": wide((stream.time - stream.time_cash) * ramp),
        "realised": wide(stream.time * ramp),
        "errors": wide(stream.errors * ramp),
        "agent": wide(stream.agent * ramp),
        "running": wide(np.multiply(np.add(e.monthly(), schedule.per_month), late)),
        "waiting": wide(np.multiply(e.pilot_cost, annuity(e.discount, e.horizon) - late)),
        "one_off": wide(np.add(e.one_off(), schedule.one_off)),
        "not_stopping": wide(e.wind_down),
        "chosen": wide(chosen),
    }


def ladder_of_record(a: Analysis) -> dict[str, Any] | None:
    """The rungs of the plan that is put forward, else of scaling everything; None where its worth is not known.

    Args:
        a: The analysis.

    Returns:
        `rungs`: hours, capacity, redeployed, cash, worth, each a year at the adoption ceiling (undiscounted) and over
        the horizon (money in today's), with its condition, who answers for it and how. `lines`: what the worth is
        made of, as means; they add up to it.
    """
    found = plan_flows(a)
    if found is None:
        return None
    plan, option, schedule = found
    stream, e = option.stream, a.economics
    assert stream is not None
    assert e.labour is not None
    assert e.cases_per_month is not None
    segments = option.scope.segments if option.kind == "scale_segments" and option.scope is not None else None
    lines = lines_of(option, e, chosen=0.0 if segments is None else a.valuer.picked.get(segments, 0.0))
    every = _hours_of_all(option, e)
    adopted = ramp_factor(0.0, e.horizon, e.ramp, schedule.delay)  # months at the ceiling, undiscounted
    ramp = ramp_factor(e.discount, e.horizon, e.ramp, schedule.delay)
    p = a.loaded.parameters.economics
    r = p.realisation
    both = np.clip(np.add(np.clip(e.cash, 0, 1), e.redeployed), 0, 1)
    paid_hours = stream.hours * e.labour
    rungs = [
        _rung(
            "hours",
            "Hours saved, were every case worked with the agent",
            "hours",
            12 * every,
            every * annuity(0.0, e.horizon, schedule.delay),
            _said_of_hours(a, option, every),
            None,
        ),
        _rung(
            "capacity",
            "Hours saved where the agent is used",
            "hours",
            12 * stream.hours,
            stream.hours * adopted,
            f"The agent is given {percent(float(np.mean(e.ceiling)))} of the cases that it can work, "
            f"{quantity(float(np.mean(e.ramp)), 'months')} after the start",
            p.adoption.ceiling,
        )
        | {
            "at_labour_cost": {
                "per_year": summary(12 * paid_hours),
                "horizon": summary(np.asarray(paid_hours * ramp)),
            }
        },
        _rung(
            "redeployed",
            "Other work done in the time saved",
            a.loaded.parameters.about.currency,
            12 * (stream.time - stream.time_cash),
            lines["redeployed"],
            f"{_share_of_time(np.subtract(both, np.clip(e.cash, 0, 1)))} of the time saved becomes other work that "
            "would otherwise have been paid for",
            r.total or r.redeployed,
        ),
        _rung(
            "cash",
            "Cash released by the time saved",
            a.loaded.parameters.about.currency,
            12 * stream.time_cash,
            lines["cash"],
            f"{_share_of_time(np.clip(e.cash, 0, 1))} of the time saved becomes less spending"
            if np.max(e.cash) > 0
            else "Nothing of the time saved is taken to become less spending",
            r.cash if r.total is None else None,
        ),
        _rung(
            "worth",
            "Worth: all of it, less what it costs, beside stopping now",
            a.loaded.parameters.about.currency,
            12 * (stream.net - e.monthly() - schedule.per_month),
            option.worth,
            _said_of_worth(a, option),
            None,
        )
        | {"owner": a.loaded.parameters.about.owner},
    ]
    return {
        "plan": plan,
        "scope": None if option.scope is None else list(option.scope.segments),
        "currency": a.loaded.parameters.about.currency,
        "horizon_months": e.horizon,
        "rungs": rungs,
        "lines": {name: float(draws.mean()) for name, draws in lines.items()},
        "text": "Redeployed work and cash are shares of the same hours, and the worth counts each once. Time that is "
        "lost counts in full, as cash." + _less_than_sure(a, option),
    }


def _less_than_sure(a: Analysis, option: Option) -> str:
    """Why the worth of the advised fix is not that of the roll-out which it leads to; empty where it is."""
    plan, currency = a.verdict.plan, a.loaded.parameters.about.currency
    if plan is None or plan.option is not option:
        return ""
    advised, rolled_out = amount(plan.mean(), currency), amount(float(option.worth.mean()), currency)
    if advised == rolled_out:
        return ""
    return f" The fix counts {advised}, not {rolled_out}: in some outcomes it does not end in this roll-out."


def _rung(
    name: str,
    label: str,
    unit: str,
    per_year: Number,
    horizon: Number,
    condition: str,
    rests_on: Uncertain | None,
) -> dict[str, Any]:
    return {
        "rung": name,
        "label": label,
        "unit": unit,
        "per_year": summary(np.asarray(per_year, dtype=np.float64)),
        "horizon": summary(np.asarray(horizon, dtype=np.float64)),
        "condition": f"{condition}.",
        "owner": None if rests_on is None else rests_on.owner,
        "how": None if rests_on is None else rests_on.note,
        "evidence": None if rests_on is None else rests_on.evidence,
    }


def _hours_of_all(option: Option, e: Economics) -> Floats:
    """Hours a month that would be saved, were every case of the scope worked with the agent."""
    assert option.stream is not None
    assert option.scope is not None
    assert option.scope.minutes_saved is not None
    assert e.cases_per_month is not None
    ceiling = np.broadcast_to(e.ceiling, option.stream.hours.shape)
    used = ceiling > 0
    # Where nobody would use it, the hours at the ceiling say nothing; what was measured does, before any fix.
    measured = option.scope.minutes_saved / 60 * np.multiply(e.cases_per_month, option.scope.share)
    return np.where(used, option.stream.hours / np.where(used, ceiling, 1.0), measured)


def _share_of_time(share: Number) -> str:
    return percent(float(np.mean(share)))


def _said_of_hours(a: Analysis, option: Option, every: Floats) -> str:
    scope = option.scope
    assert scope is not None
    assert scope.minutes_saved is not None
    assert a.economics.cases_per_month is not None
    cases = float(np.mean(np.multiply(a.economics.cases_per_month, scope.share)))
    measured = number(float(scope.minutes_saved.mean()), 3)
    if not np.any(option.schedule.one_off):
        return f"Production stays as sampled: {measured} minutes saved a case, on {number(cases, 3)} cases a month"
    # What the hours come to a case, so that they can be worked out again by hand.
    mended = number(60 * float(every.mean()) / cases, 3)
    of_which = "" if mended == measured else f", {measured} of them as measured"
    return (
        "Production stays as sampled, and the fix does what it is bought for: "
        f"{mended} minutes saved a case{of_which}, "
        f"on {number(cases, 3)} cases a month"
    )


def _said_of_worth(a: Analysis, option: Option) -> str:
    key = option.scope.segments if option.kind == "scale_segments" and option.scope is not None else None
    closed = [g.label for g in a.gates.get(key, ()) if not g.holds]
    held = "Errors, the agent and the costs come out as stated"
    if not closed:
        return f"{held}, and every gate stays open"
    return f"{held}, and these gates open: {', '.join(x[:1].lower() + x[1:] for x in closed)}"
