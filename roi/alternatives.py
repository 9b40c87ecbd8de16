"""What is shown beside the options of the pilot: those without AI, and keeping it as it is."""

from __future__ import annotations

import numpy as np

from roi.assumptions import Assumptions, Number
from roi.cashflow import Schedule, Stream, annuity, ramp_factor
from roi.economics import Economics
from roi.options import Option, Valuer
from roi.parameters import Parameters

__all__ = ["alternatives", "keep_as_it_is"]


def _or_zero(number: Number | None) -> Number:
    return 0.0 if number is None else number


def alternatives(
    parameters: Parameters, assumptions: Assumptions, economics: Economics, draws: int
) -> list[Option]:
    """Options without AI, valued with the same demand, labour cost, adoption and realisation; they are only shown."""
    found: list[Option] = []
    e = economics
    if e.cases_per_month is None or e.labour is None:
        return found
    for i, a in enumerate(parameters.alternatives or ()):
        saved = assumptions.get(f"alternatives[{i}].minutes_saved")
        cost = assumptions.get(f"alternatives[{i}].cost")
        monthly = assumptions.get(f"alternatives[{i}].cost_per_month")
        if saved is None:
            continue
        cases = np.broadcast_to(np.multiply(e.cases_per_month, e.ceiling), (draws,))
        cash = np.clip(e.cash, 0, 1)
        both = np.clip(np.add(cash, e.redeployed), 0, 1)
        gain = cases * np.multiply(saved, np.divide(e.labour, 60))
        nothing = np.zeros(draws)
        stream = Stream(
            time=np.where(gain > 0, gain * both, gain),
            time_cash=np.where(gain > 0, gain * cash, gain),
            errors=nothing,
            agent=nothing,
            hours=cases * np.divide(saved, 60),
        )
        factor = ramp_factor(e.discount, e.horizon, e.ramp)
        paid = np.add(_or_zero(cost), np.multiply(_or_zero(monthly), annuity(e.discount, e.horizon)))
        found.append(
            Option(
                kind="alternative",
                label=a.name,
                scope=None,
                stream=stream,
                schedule=Schedule(
                    one_off=_or_zero(cost),
                    per_month=_or_zero(monthly),
                ),
                worth=np.asarray(stream.time * factor - paid, dtype=np.float64),
                cash=np.asarray(stream.time_cash * factor - paid, dtype=np.float64),
                note="" if cost is not None else "its cost is not stated",
            )
        )
    return found


def keep_as_it_is(valuer: Valuer, option: Option | None) -> Option | None:
    """Keeping the pilot at the volume of its sample, `option` being its roll-out; None where a volume is not known."""
    moments, e = valuer.measured.moments, valuer.economics
    if option is None or option.stream is None or moments.first is None or moments.last is None:
        return None
    months = ((moments.last - moments.first).days + 1) / (365.25 / 12)
    if e.cases_per_month is None or months < 0.5:
        return None
    with np.errstate(divide="ignore"):  # where nobody is to use it, the sample is more than all
        share = moments.cases("pilot") / months / np.multiply(e.cases_per_month, e.ceiling)
    scale_ = ramp_factor(e.discount, e.horizon, 0.0) * np.minimum(share, 1.0)
    cost = e.pilot_cost * annuity(e.discount, e.horizon)
    worth = option.stream.net * scale_ - cost + e.wind_down
    cash = option.stream.net_cash * scale_ - cost + e.wind_down
    return Option(
        kind="keep",
        label="Keep the pilot as it is",
        scope=option.scope,
        stream=None,
        schedule=option.schedule,
        worth=np.asarray(worth, dtype=np.float64),
        cash=np.asarray(cash, dtype=np.float64),
        note="shown for comparison; a pilot that goes on undecided is never advised",
    )
