"""What moves the worth of the plan put forward: one input at a time, and the value at which it no longer pays.

An input is fixed at a value in every draw, the others stay as they were drawn. Most inputs enter a draw's worth in a
straight line, worth = a + b · x with a and b of the draw; two valuations tell a and b, and every other value of x with
them. The others are searched for by valuing the plan again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.levers import Lever
from roi.plan_at import HORIZON, PlanAt
from roi.roots import root_between

__all__ = ["BreakEven", "Fewer", "Response", "break_even", "respond", "rule_of"]

Floats = npt.NDArray[np.float64]

_STRAIGHT = re.compile(
    r"economics\.(contingency|pilot_cost_per_month|wind_down_cost|labour_cost_per_hour|adoption\.ceiling)"
    r"|economics\.(costs\[|error_cost\.|fx\.|realisation\.total).*"
    r"|demand\.cases_per_month|remedies\[\d+\]\.(cost|cost_per_month)|measurement\.(per_case|per_label|per_baseline_case)"
    r"|agent_cost_per_case|demand_share|gates_pass"
)
_STRAIGHT_WHERE_ERRORS_EARN = re.compile(r"error_rate_baseline|severity.*")
NO_VALUE = "none between its smallest and largest possible value"
NO_MATTER = "it does not matter to this plan"
NEAR = 1e-6
FAR = 40  # spreads beyond its own P5 or P95 up to which a value is searched for


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """How the plan's worth answers to one input.

    Attributes:
        lever: The input.
        low: Expected worth with the input at its P5, and the chance that it exceeds the hurdle.
        high: The same at its P95.
        line: a and b of each draw's worth a + b · x, each shape (n_draws,); None where it is no straight line.
    """

    lever: Lever
    low: tuple[float, float]
    high: tuple[float, float]
    line: tuple[Floats, Floats] | None

    @property
    def swing(self) -> float:
        """How far the expected worth moves from one end to the other."""
        return abs(self.high[0] - self.low[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """A value of an input at which something changes.

    Attributes:
        value: The value; None where there is none.
        reason: Why there is none.
    """

    value: float | None
    reason: str | None


def is_straight(plan: PlanAt, key: str) -> bool:
    """Whether each draw's worth is a straight line in an input."""
    if _STRAIGHT.fullmatch(key):
        return True
    earns = plan.decided.economics.error_credit and not plan.measured.sampled.errors_stated
    return earns and _STRAIGHT_WHERE_ERRORS_EARN.fullmatch(key) is not None


def respond(plan: PlanAt, lever: Lever) -> Response:
    """Value the plan with an input at its P5 and at its P95; an exact one at its value and beside it.

    Where the plan measures before it is decided, what is valued is the roll-out that it leads to.
    """
    low, high = lever.ends
    straight = is_straight(plan, lever.key)
    if not high > low:
        base = plan.worth_at({}, undecided=True)
        low = lever.mean
        at_low = base if not lever.varies else plan.worth_at({lever.key: low}, undecided=True)
        found = _told(plan, at_low)
        if not straight:
            return Response(lever=lever, low=found, high=found, line=None)
        high = _beside(lever)
        at_high = plan.worth_at({lever.key: high}, undecided=True)
        return Response(lever=lever, low=found, high=found, line=_line(low, at_low, high, at_high))
    at_low, at_high = (plan.worth_at({lever.key: x}, undecided=True) for x in (low, high))
    ends = _told(plan, at_low), _told(plan, at_high)
    if straight and not high - low > NEAR * max(abs(lever.mean), 1.0):
        # A rare class whose ends all but coincide: their difference is rounding, so a far value draws the line.
        high = _beside(lever)
        at_high = plan.worth_at({lever.key: high}, undecided=True)
    line = _line(low, at_low, high, at_high) if straight else None
    return Response(lever=lever, low=ends[0], high=ends[1], line=line)


def _told(plan: PlanAt, worth: Floats) -> tuple[float, float]:
    return float(np.mean(worth)), plan.chance(worth)


def _beside(lever: Lever) -> float:
    """Another possible value of an exact input."""
    if lever.largest == 1:
        return 0.5 if lever.mean < 0.25 else lever.mean / 2
    return lever.mean / 2 if lever.mean != 0 else 1.0


def _line(x0: float, w0: Floats, x1: float, w1: Floats) -> tuple[Floats, Floats]:
    slope = (w1 - w0) / (x1 - x0)
    return w0 - slope * x0, slope


def rule_of(plan: PlanAt) -> float:
    """The chance at which the verdict is at stake: what scale needs, or where a plan is too unlikely to pay.

    A scale, and a fix that rolls out once its gates are open, stand as long as the chance suffices for a roll-out. A
    fix that measures how surely it pays first, or a kill for thin value, turns where the chance that the plan pays
    passes `kill_probability`; any other kill is asked whether it would be sure enough to scale. What scale needs it
    needs where the gates open, so that outcomes in which they stay shut are no part of it.
    """
    v, policy = plan.decided.verdict, plan.policy
    learns = v.verdict == "fix" and any(plan.learned)
    if learns or (v.verdict == "kill" and plan.chance(plan.worth) <= policy.kill_probability):
        return policy.kill_probability
    opened = 1.0 if plan.plan is None else float(np.mean(plan.passing > 0))
    return policy.scale_probability * opened


def break_even(
    plan: PlanAt, response: Response, chance: float | None = None, *, on: Fewer | None = None
) -> BreakEven:
    """The value of an input at which the expected worth is the hurdle, or the chance to exceed it is `chance`.

    Args:
        plan: The plan.
        response: Its response to the input.
        chance: None for the expected worth.
        on: The plan on fewer draws, where an input that is no straight line is searched for; None for all of them.

    Returns:
        Of several such values the one nearest to the input's mean.
    """
    lever = response.lever
    if response.line is None:
        on = Fewer(plan, plan) if on is None else on
        if lever.key == HORIZON:
            return _months(on, lever, chance)
        return _searched(on, lever, chance)
    found = _on_line(response.line, plan.hurdle, lever.mean, chance)
    if found is None:
        return BreakEven(value=None, reason=NO_VALUE if np.any(response.line[1] != 0) else NO_MATTER)
    inside = lever.smallest <= found <= lever.largest
    return BreakEven(value=found if inside else None, reason=None if inside else NO_VALUE)


def _on_line(line: tuple[Floats, Floats], hurdle: float, near: float, chance: float | None) -> float | None:
    """Where the mean of a + b · x, or its upper quantile, is the hurdle."""
    a, b = line
    if chance is None:
        slope = float(b.mean())
        return (hurdle - float(a.mean())) / slope if slope != 0 else None
    moves = b != 0
    if not moves.any():
        return None
    always = int((a[~moves] > hurdle).sum())
    if not moves.all():
        a, b = a[moves], b[moves]
    # Each draw passes the hurdle at one value: from it on where b rises, up to it where b falls.
    x = (hurdle - a) / b
    rises = b > 0
    n = moves.size
    if rises.all() or not rises.any():
        needed = int(np.ceil(chance * n - 1e-9)) - always
        if not 0 < needed <= x.size:
            return None
        place = needed - 1 if rises.all() else x.size - needed
        return float(np.partition(x, place)[place])
    before = int((~rises).sum()) + always
    order = np.argsort(x, kind="stable")
    pays = before + np.cumsum(np.where(rises[order], 1, -1))
    enough = np.concatenate([[before], pays]) >= chance * n - 1e-9
    turns = x[order][enough[1:] != enough[:-1]]
    return float(turns[np.argmin(np.abs(turns - near))]) if turns.size else None


class Fewer:
    """A plan on some of its draws, held to what all of them say of it as it stands.

    Args:
        plan: The plan.
        few: The same on fewer draws.
    """

    def __init__(self, plan: PlanAt, few: PlanAt) -> None:
        self.few = few
        every, some = plan.worth_at({}, undecided=True), few.worth_at({}, undecided=True)
        self._hurdle = plan.hurdle + float(some.mean() - every.mean())
        self._chance = few.chance(some) - plan.chance(every)
        self._worths: dict[
            tuple[str, float], Floats
        ] = {}  # the mean and the chance are asked at the same ends

    def miss(self, key: str, x: float, chance: float | None) -> float:
        """How far the expected worth, or the quantile that a chance is about, is above the hurdle at a value."""
        worth = self._worth_at(key, x)
        if chance is None:
            return float(np.mean(worth)) - self._hurdle
        place = int(np.floor((1 - chance - self._chance) * worth.size))
        place = min(max(place, 0), worth.size - 1)
        return float(np.partition(worth, place)[place]) - self.few.hurdle

    def _worth_at(self, key: str, x: float) -> Floats:
        found = self._worths.get((key, x))
        if found is None:
            found = self._worths[key, x] = self.few.worth_at({key: x}, undecided=True)
        return found


def _searched(on: Fewer, lever: Lever, chance: float | None) -> BreakEven:
    """Look between P5 and P95, then as far as the input goes; what is found is where the sign changes."""
    seen: dict[float, float] = {}

    def miss(x: float) -> float:
        if x not in seen:
            seen[x] = on.miss(lever.key, x, chance)
        return seen[x]

    low, high = lever.ends
    spread = max(high - low, abs(lever.mean) / 2, 1e-3)
    smallest = max(lever.smallest, low - FAR * spread)
    largest = min(lever.largest, high + FAR * spread)
    ends = (low, high)
    if miss(low) * miss(high) > 0:
        # Both lie on one side: look at the far ends, the nearer one first.
        for far in sorted((smallest, largest), key=lambda x: abs(x - lever.mean)):
            ends = (far, low) if far < low else (high, far)
            if miss(ends[0]) * miss(ends[1]) <= 0:
                break
        else:
            return BreakEven(value=None, reason=NO_MATTER if len(set(seen.values())) == 1 else NO_VALUE)
    if not ends[0] < ends[1]:
        return BreakEven(value=float(ends[0]), reason=None)
    root = root_between(miss, *ends, within=1e-4 * spread, relative=1e-4, most=60)
    return BreakEven(value=root, reason=None)


def _months(on: Fewer, lever: Lever, chance: float | None) -> BreakEven:
    """The shortest horizon from which on it pays, or the longest at which it does, by halving."""
    low, high = int(lever.smallest), int(lever.largest)
    pays = on.miss(lever.key, low, chance) > 0
    if pays == (on.miss(lever.key, high, chance) > 0):
        return BreakEven(value=None, reason=NO_VALUE)
    while high - low > 1:
        middle = (low + high) // 2
        same = (on.miss(lever.key, middle, chance) > 0) == pays
        low, high = (middle, high) if same else (low, middle)
    return BreakEven(value=float(low if pays else high), reason=None)
