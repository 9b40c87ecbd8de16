"""What a decision forecast, month by month: the roll-out that was decided, in the draws that decided it.

A month's benefit is cases × the share of them that the agent works × (time + errors − agent), each a case: the closed
form of `roi.cashflow`, taken apart into the five factors that a month can be held against. Costs that do not depend on
cases (licences, watching) are no part of a month's benefit; they are of the worth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.actuals import month_name
from roi.analysis import Decided
from roi.assumptions import Number
from roi.options import Option
from roi.pooling import weighted

__all__ = [
    "FACTORS",
    "QUANTITIES",
    "Forecast",
    "Levels",
    "Parts",
    "band",
    "bands",
    "crps",
    "forecast_of",
]

Floats = npt.NDArray[np.float64]
FACTORS = ("volume", "adoption", "minutes", "errors", "price")
QUANTITIES = ("cases", "adopted_cases", "hours_saved", "errors", "agent_cost", "cash_released", "benefit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """The five factors of some months, each a number, or of shape (months, 1) or (months, n_draws).

    Attributes:
        volume: Cases a month.
        adoption: Share of them that the agent works.
        minutes: Human minutes of a case that the agent works.
        errors: Share of these cases that go wrong; None where it is not known.
        price: What the agent costs a case, in the forecast's currency.
    """

    volume: Floats
    adoption: Floats
    minutes: Floats
    errors: Floats | None
    price: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What some months bring, each of shape (months, n_draws), in the forecast's currency.

    Attributes:
        time: Time saved, as far as it is realised; extra time in full.
        cash: What of it becomes cash.
        errors: Errors avoided.
        agent: The agent's cost.
        hours: Hours saved, realised or not.
    """

    time: Floats
    cash: Floats
    errors: Floats
    agent: Floats
    hours: Floats

    @property
    def benefit(self) -> Floats:
        """Time and errors less the agent."""
        return self.time + self.errors - self.agent


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A roll-out as it was decided. Numbers, or draws of shape (n_draws,); money in `currency`.

    Attributes:
        label: The roll-out's name in words.
        verdict: The verdict that it was decided with.
        segments: What it covers.
        start: Year and month of its month 1.
        horizon: Months.
        currency: Of all money.
        hurdle: What its worth had to exceed.
        needed: The chance that scaling needs.
        stops_at: The chance below which no option is worth going on with.
        n: Draws.
        demand: Cases of the whole workflow a month.
        share: Share of them that the roll-out covers.
        ceiling: Share of the covered cases that the agent gets in the end.
        ramp: Months until then.
        delay: Months before it begins.
        before: Human minutes a case without the agent.
        minutes: Human minutes a case with it.
        errors: Share of cases that go wrong with it; None where it is not known or not priced.
        errors_before: Cost of errors a case without it.
        error_cost: Cost of an error with it.
        error_credit: Whether fewer errors count as a gain.
        price: What the agent costs a case.
        labour: Cost of an hour.
        cash: Share of a saved hour that becomes cash.
        both: Share that becomes cash or other work.
        smallest: Minutes a case below which a saving does not count.
        monthly: Costs a month from the roll-out on.
        pilot: Costs a month until then.
        at_once: Present value of one-off costs, less that of winding down; with what was taken off for choosing.
        wind_down: What stopping costs.
        discount: Effective yearly rate.
    """

    label: str
    verdict: str
    segments: tuple[str, ...]
    start: tuple[int, int]
    horizon: int
    currency: str
    hurdle: float
    needed: float
    stops_at: float
    n: int
    demand: Number
    share: Number
    ceiling: Number
    ramp: Number
    delay: Number
    before: Number
    minutes: Number
    errors: Number | None
    errors_before: Number
    error_cost: Number
    error_credit: bool
    price: Number
    labour: Number
    cash: Number
    both: Number
    smallest: float
    monthly: Number
    pilot: Number
    at_once: Number
    wind_down: Number
    discount: Number

    def months(self) -> Floats:
        """The months of the plan, 1 … horizon."""
        return np.arange(1.0, self.horizon + 1)

    def active(self, months: Floats) -> Floats:
        """Share of each month after the delay, shape (months, 1) or (months, n_draws)."""
        return np.clip(months[:, None] - self.delay, 0.0, 1.0)

    def levels(self, months: Floats, *, covered_only: bool = False) -> Levels:
        """The factors of some months of the plan, each of shape (months, n_draws).

        Args:
            months: Numbers of months from 1, shape (months,).
            covered_only: Whether cases are counted of the covered segments only, and not of the whole workflow.
        """
        m = months[:, None]
        ramp = np.asarray(self.ramp, dtype=np.float64)
        rising = np.clip((m - self.delay - 0.5) / np.where(ramp > 0, ramp, 1.0), 0.0, 1.0)
        adopted = np.where(ramp > 0, rising, self.active(months)) * self.ceiling
        share = (self.share, 1.0) if covered_only else (1.0, self.share)
        shape = (months.size, self.n)

        def spread(x: Number) -> Floats:
            return np.broadcast_to(np.asarray(x, dtype=np.float64), shape)

        return Levels(
            volume=spread(np.multiply(self.demand, share[0])),
            adoption=spread(adopted * share[1]),
            minutes=spread(self.minutes),
            errors=None if self.errors is None else spread(self.errors),
            price=spread(self.price),
        )

    def time_of(self, minutes: Floats) -> tuple[Floats, Floats, Floats]:
        """A case's time in money as far as it is realised, what of it becomes cash, and its hours."""
        saved = self.before - minutes
        gained = np.maximum(saved, 0.0)
        if self.smallest > 0:
            gained = gained * (saved >= self.smallest)
        per_minute = np.divide(self.labour, 60)
        money = per_minute * (gained * self.both + np.minimum(saved, 0.0))
        return money, per_minute * gained * self.cash, saved / 60

    def errors_of(self, errors: Floats | None) -> Floats:
        """Money of the errors that a case avoids."""
        if errors is None or self.errors is None:
            return np.zeros((1, 1))
        avoided = np.asarray(self.errors_before - errors * self.error_cost, dtype=np.float64)
        return avoided if self.error_credit else np.minimum(avoided, 0.0)

    def parts(self, levels: Levels) -> Parts:
        """What months of these factors bring."""
        cases = levels.volume * levels.adoption
        time, cash, hours = self.time_of(levels.minutes)
        return Parts(
            time=cases * time,
            cash=cases * cash,
            errors=cases * self.errors_of(levels.errors),
            agent=cases * levels.price,
            hours=cases * hours,
        )

    def worth(self, realised: Mapping[int, Floats] | None = None, *, after: int = 0) -> Floats:
        """Worth against stopping.

        Args:
            realised: Month of the plan → its benefit where it is over, a number or draws.
            after: Months that are over: what they brought and cost is then left out, and the rest is discounted to
                their end. 0 for the whole.

        Returns:
            Shape (n_draws,).
        """
        months = self.months()[after:]
        benefit = self.parts(self.levels(months)).benefit
        if realised:
            benefit = benefit.copy()
            for month, brought in realised.items():
                if month > after:
                    benefit[month - after - 1] = brought
        active = self.active(months)
        net = benefit - active * self.monthly - (1 - active) * self.pilot
        fallen = np.exp(np.multiply(-np.log1p(self.discount) / 12, (months - after)[:, None]))
        total = (net * fallen).sum(axis=0)
        return np.asarray(total + (self.wind_down if after else -np.asarray(self.at_once)), dtype=np.float64)

    def at(self, chosen: npt.NDArray[np.int64]) -> Forecast:
        """The same in some of its draws, each as often as it is chosen."""
        drawn = {
            f.name: value[chosen]
            for f in fields(self)
            if isinstance(value := getattr(self, f.name), np.ndarray) and value.ndim == 1
        }
        changed: dict[str, Any] = {**drawn, "n": int(chosen.size)}
        return replace(self, **changed)


def forecast_of(a: Decided, *, instead: str | None = None) -> Forecast | None:
    """The forecast of a decision: of what it advises, or of scaling everything where it advises to stop.

    Args:
        a: The decision, made from its samples or from its archive.
        instead: What was decided in its place by an override; scaling is then that of everything, unfixed.

    Returns:
        The forecast; None where the worth of the roll-out is not known.
    """
    verdict, plan = instead or a.verdict.verdict, a.verdict.plan if instead is None else None
    option = (
        a.scale if instead is not None else a.verdict.option or (plan.option if plan else None) or a.scale
    )
    if option is None or option.stream is None or option.scope is None or option.scope.minutes_saved is None:
        return None
    e, scope, schedule = a.economics, option.scope, option.schedule
    assert scope.minutes_saved is not None
    assert e.cases_per_month is not None
    assert e.labour is not None
    remedies = plan.remedies if plan is not None else ()
    segments = scope.segments if option.kind == "scale_segments" else None
    effect = a.valuer.effect_of(remedies, segments, approved=plan is not None and plan.prospect.approved)
    cash = np.clip(e.cash, 0, 1)
    saved = scope.minutes_saved + effect.minutes
    took = _minutes_with(a, option) - effect.minutes
    errors, before, cost = _errors(a, option, effect.kept)
    off = a.valuer.picked.get(scope.segments, 0.0) if option.kind == "scale_segments" else 0.0
    return Forecast(
        label=option.label,
        verdict=verdict,
        segments=scope.segments,
        start=a.start,
        horizon=e.horizon,
        currency=a.loaded.parameters.about.currency,
        hurdle=a.loaded.policy.hurdle,
        needed=a.scale_needs,
        stops_at=a.loaded.policy.kill_probability,
        n=a.measured.draws,
        demand=e.cases_per_month,
        share=scope.share,
        ceiling=e.ceiling,
        ramp=e.ramp,
        delay=schedule.delay,
        before=saved + took,
        minutes=took,
        errors=errors,
        errors_before=before,
        error_cost=cost,
        error_credit=e.error_credit and not scope.errors_stated,
        price=np.add(e.per_case(), 0.0 if scope.agent_cost is None else scope.agent_cost) + effect.cost,
        labour=e.labour,
        cash=cash,
        both=np.clip(np.add(cash, e.redeployed), 0, 1),
        smallest=0.0 if e.realisation_known else e.smallest_saving,
        monthly=np.add(e.monthly(), schedule.per_month),
        pilot=e.pilot_cost,
        at_once=np.add(e.one_off(), schedule.one_off) - e.wind_down + off,
        wind_down=e.wind_down,
        discount=e.discount,
    )


def _minutes_with(a: Decided, option: Option) -> Floats:
    """Human minutes of a pilot case in the option's segments, weighted to production, shape (n_draws,)."""
    m, scope = a.measured, option.scope
    assert m.human is not None
    assert scope is not None
    chosen = m.moments.chosen(scope.segments)
    share = m.weights.share[chosen]
    drawn = None
    if m.weights.drawn is not None:
        drawn = m.weights.drawn[chosen] / m.weights.drawn[chosen].sum(axis=0)
    return weighted(share / share.sum(), m.human[1][chosen], drawn)


def _errors(a: Decided, option: Option, kept: Number) -> tuple[Number | None, Number, Number]:
    """Share of cases that go wrong with the agent, cost of errors a case without it, and cost of one with it."""
    scope, e, severity = option.scope, a.economics, a.measured.rates.severity
    assert scope is not None
    if scope.error_rate[1] is None or e.error_cost is None or severity is None:
        return None, 0.0, 0.0
    cost = [sum((severity[arm, :, i] * c for i, c in enumerate(e.error_cost)), 0.0) for arm in (0, 1)]
    base = scope.error_rate[0]
    return (
        np.multiply(scope.error_rate[1], kept),
        0.0 if base is None else np.multiply(base, cost[0]),
        cost[1],
    )


def band(draws: Floats) -> dict[str, float]:
    """Mean, P10, P50 and P90 of draws."""
    low, middle, high = np.quantile(draws, (0.1, 0.5, 0.9))
    return {"mean": float(np.mean(draws)), "p10": float(low), "p50": float(middle), "p90": float(high)}


def crps(draws: Floats, actual: float) -> float:
    """Continuous ranked probability score of draws: E|X − y| − ½ E|X − X'|, in the unit of the draws; 0 is best.

    Source:
        Gneiting & Raftery (2007), JASA 102:359, equation 21.
    """
    ordered = np.sort(draws)
    n = ordered.size
    among = float((ordered * (2 * np.arange(1, n + 1) - n - 1)).sum()) / n**2
    return float(np.abs(ordered - actual).mean()) - among


def quantities(forecast: Forecast, levels: Levels) -> dict[str, Floats]:
    """Everything that a month is held against, by name, each of shape (months, n_draws)."""
    parts, adopted = forecast.parts(levels), levels.volume * levels.adoption
    found = {
        "cases": levels.volume,
        "adopted_cases": adopted,
        "hours_saved": parts.hours,
        "agent_cost": parts.agent,
        "cash_released": parts.cash,
        "benefit": parts.benefit,
    }
    if levels.errors is not None:
        found["errors"] = adopted * levels.errors
    return {name: found[name] for name in QUANTITIES if name in found}


def bands(forecast: Forecast, *, covered_only: bool = False) -> list[dict[str, Any]]:
    """The forecast month by month, in plain JSON values.

    Args:
        forecast: The forecast.
        covered_only: Whether cases are counted of the covered segments only.

    Returns:
        Of each month of the plan `month`, `number` from 1, and by quantity mean, P10, P50 and P90 of the month and,
        under `cumulative`, of the months until then.
    """
    found = quantities(forecast, forecast.levels(forecast.months(), covered_only=covered_only))
    summed = {name: np.cumsum(draws, axis=0) for name, draws in found.items()}
    return [
        {
            "month": month_name(forecast.start, i + 1),
            "number": i + 1,
            **{name: band(draws[i]) for name, draws in found.items()},
            "cumulative": {name: band(draws[i]) for name, draws in summed.items()},
        }
        for i in range(forecast.horizon)
    ]
