"""The plan beside list prices as the parameter file says they may become: from a month on, of one model or of all.

The agent's cost stays what it was measured at until the month of the change. From then on the part of it that follows
the prices is 1 + x times as much, so that a draw's worth is a straight line in x: a + b · x, with b what the months
from then on cost in today's money. Nothing is valued anew: the plan's answer to the agent's cost tells b.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.analysis import Decided
from roi.assumptions import Number
from roi.cashflow import annuity, ramp_factor
from roi.levers import Lever
from roi.measured_at import AGENT, FX
from roi.model_costs import ModelCosts
from roi.parameters import Parameters
from roi.plan_at import PlanAt
from roi.prices import CURRENCY
from roi.schema.prices import PriceScenario
from roi.sensitivity import Response, break_even

__all__ = ["Part", "later_share", "months_before", "part_of", "price_scenarios_of_record"]

Floats = npt.NDArray[np.float64]
NOT_PRICED = "the agent's cost is neither measured nor in a cost line of kind model_usage"
IN_A_LINE = "the model's cost is in a cost line, which names no model; leave `model` out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The part of the agent's cost that follows the prices of a scenario.

    Attributes:
        share: Of the cost as it was measured; None where it cannot be told.
        change: What these prices change by, as a share.
        unnamed: Share of the cost of cases that name no model, or several, and are left as they are.
        reason: Why it cannot be told.
    """

    share: float | None
    change: float | None
    unnamed: float = 0.0
    reason: str | None = None


def months_before(scenario: PriceScenario, start: tuple[int, int]) -> int:
    """Whole months of the plan before the prices change, at least 0.

    Args:
        scenario: The scenario.
        start: Year and month in which month 1 begins.
    """
    if scenario.month is None:
        return 0
    year, month = (int(x) for x in scenario.month.split("-"))
    return max(0, (year - start[0]) * 12 + month - start[1])


def part_of(
    scenario: PriceScenario, costs: ModelCosts | None, p: Parameters, rates: dict[str, float]
) -> Part:
    """The part of a measured agent cost that a scenario changes.

    Args:
        scenario: The scenario.
        costs: Costs by model; None where they were not taken.
        p: The parameters.
        rates: What one unit of another currency is in the pilot's, on average.
    """
    if scenario.model is None:
        return Part(share=1.0, change=scenario.change)

    def rate(currency: str) -> float | None:
        return 1.0 if currency in ("", p.about.currency) else rates.get(currency)

    def unknown(reason: str) -> Part:
        return Part(share=None, change=None, reason=reason)

    rows = [] if costs is None else [(i, rate(costs.currency[i])) for i in range(len(costs.model))]
    # What has no rate is no part of the cost that was measured either.
    known = [(i, r) for i, r in rows if r is not None]
    whole = sum(float(costs.cost[i]) * r for i, r in known) if costs is not None else 0.0
    if costs is None or not whole > 0:
        return unknown("the cost of the pilot's cases is not known by model")
    mine = [(i, r) for i, r in known if costs.model[i] == scenario.model]
    unnamed = sum(float(costs.cost[i]) * r for i, r in known if not costs.model[i]) / whole
    if not mine:
        named = sorted({m for m in costs.model if m})
        return unknown(f"no case of the pilot names it; they name {', '.join(named[:5]) or 'no model'}")
    was = sum(float(costs.cost[i]) * r for i, r in mine)
    if scenario.prices is None:
        return Part(share=was / whole, change=scenario.change, unnamed=unnamed)
    dollar = rate(CURRENCY)
    if dollar is None:
        return unknown(f"its prices are in {CURRENCY}; state economics.fx.{CURRENCY}")
    new = [costs.at(i, scenario.prices) for i, _ in mine]
    found = [x for x in new if x is not None]
    if len(found) < len(new):
        return unknown("some of its cases log a cost and no tokens; state `change` instead")
    if not was > 0:
        return unknown("it cost nothing so far")
    return Part(share=was / whole, change=sum(found) * dollar / was - 1, unnamed=unnamed)


def later_share(a: Decided, delay: Number, before: int, *, per_case: bool) -> Number:
    """Of a cost's present value, the share that falls after so many months, draws or a number.

    Args:
        a: The decision.
        delay: Months before the roll-out.
        before: Months of the plan before the prices change.
        per_case: Whether the cost rises with adoption; else it is the same each month.
    """
    e = a.economics
    upto = min(before, e.horizon)
    if per_case:
        whole = ramp_factor(e.discount, e.horizon, e.ramp, delay)
        early: Number = ramp_factor(e.discount, upto, e.ramp, delay) if upto else 0.0
    else:
        whole = annuity(e.discount, e.horizon, delay)
        early = annuity(e.discount, upto, delay) if upto else 0.0
    some = np.greater(whole, 0)
    return np.where(some, np.subtract(whole, early) / np.where(some, whole, 1.0), 0.0)


def price_scenarios_of_record(
    plan: PlanAt, responses: tuple[Response, ...], chance: float, costs: ModelCosts | None
) -> list[dict[str, Any]]:
    """The plan beside each price scenario of the parameter file, as plain JSON values.

    Args:
        plan: The plan.
        responses: Its responses to its inputs.
        chance: The chance at stake.
        costs: Costs of the pilot's cases by model, where a scenario names one.

    Returns:
        A row each: `name`, `label`, `model`, `from`, `months` of the horizon with these prices, `source`, the `change`
        of these prices (None with a `reason`), the `share` of the agent's cost that follows them and the `unnamed`
        one, `worth` and `chance` beside it, and the change at which the expected worth is the hurdle and at which the
        chance is the one at stake, each with its reason where there is none.
    """
    a = plan.decided
    p = a.loaded.parameters
    rates = {c: float(np.mean(a.assumptions.require(f"{FX}{c}"))) for c in p.economics.fx}
    return [
        _row(plan, responses, chance, name, scenario, part_of(scenario, costs, p, rates))
        for name, scenario in p.economics.price_scenarios.items()
    ]


def _row(
    plan: PlanAt, responses: tuple[Response, ...], chance: float, name: str, s: PriceScenario, part: Part
) -> dict[str, Any]:
    a = plan.decided
    before = months_before(s, a.start)
    row: dict[str, Any] = {
        "name": name,
        "label": name.replace("_", " "),
        "model": s.model,
        "from": s.month,
        "months": max(0, a.economics.horizon - before),
        "source": s.source,
    }
    empty = dict.fromkeys(
        (
            "change",
            "share",
            "unnamed",
            "worth",
            "chance",
            "worth_at",
            "worth_reason",
            "chance_at",
            "chance_reason",
        )
    )
    metered = any(r.lever.key == AGENT for r in responses)
    if not metered:
        part = (
            Part(share=1.0, change=s.change)
            if s.model is None
            else Part(share=None, change=None, reason=IN_A_LINE)
        )
    slopes = [*_slopes(plan, responses, before, metered=metered)]
    reason = part.reason if slopes else NOT_PRICED
    if reason is not None or part.share is None or part.change is None:
        return row | empty | {"reason": reason}
    base = plan.worth_at({}, undecided=True)
    slope = np.zeros(plan.draws)
    for x in slopes:
        slope = slope + x
    slope = part.share * slope
    worth = base + slope * part.change
    told = float(worth.mean()), plan.chance(worth)
    lever = Lever(
        key="price_change", label="Change of these prices", unit="share", group="default", values=part.change,
        smallest=-1.0, largest=np.inf,
    )  # fmt: skip
    response = Response(lever=lever, low=told, high=told, line=(base, slope))
    worth_at, chance_at = break_even(plan, response), break_even(plan, response, chance)
    return row | {
        "change": part.change,
        "share": part.share,
        "unnamed": part.unnamed,
        "worth": told[0],
        "chance": told[1],
        "worth_at": worth_at.value,
        "worth_reason": worth_at.reason,
        "chance_at": chance_at.value,
        "chance_reason": chance_at.reason,
        "reason": None,
    }


def _slopes(plan: PlanAt, responses: tuple[Response, ...], before: int, *, metered: bool) -> Iterator[Floats]:
    """What a draw's worth changes by where the agent's cost doubles after so many months, part by part."""
    a = plan.decided
    delay = plan.option.schedule.delay
    lines = {f"economics.costs[{i}].amount": line for i, line in enumerate(a.economics.lines)}
    for response in responses:
        key = response.lever.key
        line = lines.get(key)
        if key == AGENT:
            per_case = True
        elif not metered and line is not None and line.kind == "model_usage" and line.per != "once":
            per_case = line.per == "case"
        else:
            continue
        assert response.line is not None  # both are straight
        later = later_share(a, delay, before, per_case=per_case)
        yield np.asarray(response.line[1] * response.lever.values * later, dtype=np.float64)
