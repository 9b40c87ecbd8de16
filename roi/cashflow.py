"""Money: what a scope is worth a month, discounted in closed form over the draws.

Month m = 1 … H is paid at its end and discounted by (1 + r)^(−m/12); one-off costs fall at 0 unless dated. Adoption in
month m is the ceiling × min(1, (m − ½) / ramp), counted from the end of any delay. Gains of time are cut by the
realisation; losses count in full, draw by draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from roi.assumptions import Number
from roi.economics import Economics
from roi.measured import Scope

__all__ = [
    "Monthly",
    "Schedule",
    "Stream",
    "annuity",
    "monthly_flows",
    "present_value",
    "present_values",
    "ramp_factor",
    "stream_of",
]

Floats = npt.NDArray[np.float64]

DELAYS = 64  # whose factors are kept at the most


class _Discounting:
    """Sums of vᵐ and m·vᵐ with v = (1 + rate)^(−1/12), whose logarithm and powers are taken once.

    Args:
        rate: Effective yearly discount rate, above -1; a number or shape (n_draws,).
    """

    def __init__(self, rate: Number) -> None:
        log_v = np.log1p(rate) / -12
        flat = np.abs(log_v) < 1e-10
        self.flat = flat if np.any(flat) else None
        self.log_v = log_v if self.flat is None else np.where(flat, -1.0, log_v)
        self.less = np.expm1(self.log_v)  # v − 1
        self.v = self.less + 1

    def sums(self, k: Number) -> tuple[Number, Number]:
        """Σ vᵐ and Σ m·vᵐ for m = 1 … k; k is whole and at least 0."""
        fallen = np.expm1(self.log_v * k)  # vᵏ − 1
        zero = self.v * fallen / self.less
        one = (k * self.v * (fallen + 1) - zero) / self.less
        if self.flat is not None:
            zero = np.where(self.flat, k, zero)
            one = np.where(self.flat, np.multiply(k, np.add(k, 1)) / 2, one)
        return zero, one

    def months(self, k: Number) -> Number:
        """Σ vᵐ for m = 1 … k alone."""
        zero = self.v * np.expm1(self.log_v * k) / self.less
        return zero if self.flat is None else np.where(self.flat, k, zero)

    def power(self, k: Number) -> Number:
        """vᵏ."""
        power = np.exp(self.log_v * k)
        return power if self.flat is None else np.where(self.flat, 1.0, power)


def annuity(rate: Number, horizon: int, delay: Number = 0.0) -> Number:
    """Present value of 1 a month, paid at the end of each month from `delay` on.

    Args:
        rate: Effective yearly discount rate, above -1.
        horizon: Months.
        delay: Months before the first payment starts to accrue; a month that has begun is paid in part.

    Returns:
        A number, or shape (n_draws,).
    """
    if _are_numbers(rate, delay):
        return _annuity_of(float(rate), horizon, float(delay))
    return _annuity(rate, horizon, delay)


def _are_numbers(*inputs: Number) -> bool:
    return all(isinstance(x, float | int) or np.ndim(x) == 0 for x in inputs)  # plain ones are told at once


@lru_cache(maxsize=1024)
def _annuity_of(rate: float, horizon: int, delay: float) -> float:
    """The same of numbers, which every option asks for again."""
    return float(_annuity(rate, horizon, delay))


def _annuity(rate: Number, horizon: int, delay: Number, at: _Discounting | None = None) -> Number:
    at = _Discounting(rate) if at is None else at
    if _are_numbers(delay) and delay <= 0:
        return at.months(float(horizon))
    delay = np.clip(delay, 0, horizon)
    whole = np.floor(delay)
    begun = at.power(whole + 1) * (1 - (delay - whole))
    # Every month after the one that has begun when the delay ends.
    rest = at.months(float(horizon)) - at.months(np.minimum(whole + 1, horizon))
    return np.where(whole + 1 <= horizon, rest + begun, 0.0)


def ramp_factor(rate: Number, horizon: int, ramp: Number, delay: Number = 0.0) -> Number:
    """Present value of a monthly 1 that is reached over a linear ramp.

    Args:
        rate: Effective yearly discount rate, above -1.
        horizon: Months.
        ramp: Months until the ceiling is reached; 0 starts at the ceiling.
        delay: Months before the ramp starts.

    Returns:
        Σ min(1, max(0, m − delay − ½) / ramp) · vᵐ over m = 1 … horizon; with a ramp of 0 the annuity from `delay`.
    """
    if _are_numbers(rate, ramp, delay):
        return _ramp_factor_of(float(rate), horizon, float(ramp), float(delay))
    return _ramp_factor(rate, horizon, ramp, delay)


@lru_cache(maxsize=1024)
def _ramp_factor_of(rate: float, horizon: int, ramp: float, delay: float) -> float:
    """The same of numbers, which every option asks for again."""
    return float(_ramp_factor(rate, horizon, ramp, delay))


def _ramp_factor(
    rate: Number, horizon: int, ramp: Number, delay: Number, at: _Discounting | None = None
) -> Number:
    at = _Discounting(rate) if at is None else at
    ramp = np.asarray(ramp, dtype=np.float64)
    start = np.add(delay, 0.5)
    first = np.minimum(np.floor(start) + 1, horizon + 1)  # the first month with adoption above 0
    full = np.clip(np.ceil(start + ramp), first, horizon + 1)  # the first month at the ceiling
    zero, one = at.sums(full - 1)
    flat = at.months(float(horizon)) - zero
    if not (_are_numbers(delay) and delay <= 0):  # with no delay the first month is the first to count
        before = at.sums(first - 1)
        zero, one = zero - before[0], one - before[1]
    sudden = ~(ramp > 0)
    if not sudden.any():
        return (one - start * zero) / ramp + flat
    rising = (one - start * zero) / np.where(sudden, 1.0, ramp)
    return np.where(sudden, _annuity(rate, horizon, delay, at), rising + flat)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What a scope brings a month at the adoption ceiling, in the pilot's currency; each shape (n_draws,).

    Attributes:
        time: Time saved, realised (cash and redeployed); time lost, in full.
        time_cash: Of this, cash; time lost, in full.
        errors: Errors avoided × their cost; further errors negative.
        agent: Agent cost and costs a case, positive.
        hours: Hours saved.
    """

    time: Floats
    time_cash: Floats
    errors: Floats
    agent: Floats
    hours: Floats

    @property
    def net(self) -> Floats:
        """Value a month at the ceiling, before monthly costs."""
        return self.time + self.errors - self.agent

    @property
    def net_cash(self) -> Floats:
        """The same, counting only cash of the time saved."""
        return self.time_cash + self.errors - self.agent


def stream_of(
    scope: Scope,
    economics: Economics,
    severity: Floats | None,
    *,
    extra_minutes: Number = 0.0,
    error_kept: Number = 1.0,
    extra_cost: Number = 0.0,
) -> Stream | None:
    """Turn what was measured in a scope into money a month.

    Args:
        scope: What was measured, weighted to production.
        economics: The stated inputs, drawn.
        severity: Shares of errors by severity, shape (2 arms, n_draws, 4); None without labels.
        extra_minutes: Minutes a case that remedies save on top, draws or a number.
        error_kept: Share of the pilot's errors that remedies leave, draws or a number.
        extra_cost: What they cost a case, draws or a number.

    Returns:
        The stream; None where minutes, demand or labour cost are unknown.
    """
    if scope.minutes_saved is None or economics.cases_per_month is None or economics.labour is None:
        return None
    n = scope.minutes_saved.size
    cases = np.broadcast_to(economics.volume * scope.share, (n,))
    saved = scope.minutes_saved + extra_minutes
    paid = economics.labour / 60 * cases
    gained = np.maximum(saved, 0.0)
    if not economics.realisation_known and economics.smallest_saving > 0:
        gained = gained * (saved >= economics.smallest_saving)
    lost = np.minimum(saved, 0.0)
    cash, both = economics.realised
    errors = np.zeros(n)
    if scope.error_rate[1] is not None and economics.error_cost is not None and severity is not None:
        base = scope.error_rate[0]
        cost = economics.error_costs(severity)
        before = base * cost[0] if base is not None else 0.0
        errors = before - scope.error_rate[1] * error_kept * cost[1]
        if not economics.error_credit or scope.errors_stated:
            errors = np.minimum(errors, 0.0)
    agent = economics.per_case() + (scope.agent_cost if scope.agent_cost is not None else 0.0) + extra_cost
    return Stream(
        time=paid * (gained * both + lost),
        time_cash=paid * (gained * cash + lost),
        errors=cases * errors,
        agent=np.broadcast_to(cases * agent, (n,)),
        hours=cases * saved / 60,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a plan pays what.

    Attributes:
        delay: Months before the roll-out, during which the pilot goes on.
        one_off: Further one-off costs at 0 (remedies, measurements).
        per_month: Further costs a month from the roll-out on.
    """

    delay: Number = 0.0
    one_off: Number = 0.0
    per_month: Number = 0.0


def present_value(stream: Stream, economics: Economics, schedule: Schedule) -> Floats:
    """Present value of a roll-out minus that of stopping now; see `present_values`."""
    return present_values(stream, economics, schedule, in_cash=False)[0]


def present_values(
    stream: Stream, economics: Economics, schedule: Schedule, *, in_cash: bool = True
) -> tuple[Floats, Floats]:
    """Present value of a roll-out minus that of stopping now, and the same counting only the cash of the time saved.

    Args:
        stream: What it brings a month at the ceiling.
        economics: The stated inputs, drawn.
        schedule: Delay and further costs.
        in_cash: Whether the second is asked for; else it is the first.

    Returns:
        Each of shape (n_draws,), in the pilot's currency; stopping now costs the winding down.
    """
    e = economics
    delay = schedule.delay
    late, factor = _factors(e, delay)
    further = (e.monthly() + schedule.per_month) * late
    waits = not (_are_numbers(delay) and delay <= 0)
    waiting = e.pilot_cost * (annuity(e.discount, e.horizon) - late) if waits else 0.0
    once = e.one_off()

    def of(value: Floats) -> Floats:
        worth: Floats = np.asarray(value * factor, dtype=np.float64)  # our own from here on
        worth -= further
        if waits:
            worth -= waiting
        worth -= once
        worth -= schedule.one_off
        worth += e.wind_down
        return worth

    worth = of(stream.net)
    return worth, of(stream.net_cash) if in_cash else worth


def _factors(e: Economics, delay: Number) -> tuple[Number, Number]:
    """Present values of 1 a month from a delay on, and of a ramp to 1; one plan after another asks for the same."""
    key = float(delay) if _are_numbers(delay) else None
    if key is not None and key in e.factors:
        return e.factors[key]
    if _are_numbers(e.discount):
        found = annuity(e.discount, e.horizon, delay), ramp_factor(e.discount, e.horizon, e.ramp, delay)
    else:
        at = _Discounting(e.discount)
        found = (
            _annuity(e.discount, e.horizon, delay, at),
            _ramp_factor(e.discount, e.horizon, e.ramp, delay, at),
        )
    if key is not None:
        if len(e.factors) >= DELAYS:
            e.factors.clear()
        e.factors[key] = found
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Monthly:
    """Undiscounted flows of a plan; shapes (horizon + 1, n_draws), row 0 is the start.

    Attributes:
        benefit: Time and errors, gains less losses.
        cost: Agent, monthly and one-off costs, positive.
    """

    benefit: Floats
    cost: Floats

    @property
    def net(self) -> Floats:
        """Benefit minus cost."""
        return self.benefit - self.cost


def monthly_flows(stream: Stream, economics: Economics, schedule: Schedule) -> Monthly:
    """The flows month by month, for pictures, payback, peak funding and fiscal years; see `present_value`."""
    e = economics
    n = stream.time.size
    month = np.arange(1, e.horizon + 1)[:, None]
    delay, ramp = np.asarray(schedule.delay), np.asarray(e.ramp, dtype=np.float64)
    active = np.clip(month - delay, 0, 1)
    rising = np.clip((month - delay - 0.5) / np.where(ramp > 0, ramp, 1.0), 0, 1)
    adopted = np.where(ramp > 0, rising, active)
    benefit = np.zeros((e.horizon + 1, n))
    cost = np.zeros((e.horizon + 1, n))
    benefit[1:] = adopted * (stream.time + stream.errors)
    cost[1:] = (
        adopted * stream.agent + active * (e.monthly() + schedule.per_month) + (1 - active) * e.pilot_cost
    )
    cost[0] += schedule.one_off
    for line in e.lines:
        if line.per == "once":
            cost[min(line.month, e.horizon)] += line.one_off(e.contingency)
    return Monthly(benefit=benefit, cost=cost)
