"""The roll-outs as formulas: the same money as `roi.cashflow`, with numbers in place of draws.

A case is a set of values of the stated inputs. Its formulas are laid out by whoever asks, a column or a row at a time:
`put` gets a name, words and a formula, and returns the cell that holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from roi.economics import SEVERITIES, Economics
from roi.measured_at import FX
from roi.plan_at import HORIZON
from roi.remedies import WEEKS_PER_MONTH
from roi.workbook.formula import (
    Formula,
    Operand,
    above_zero,
    largest,
    least,
    literal,
    share_of,
    total_product,
    when,
)
from roi.workbook.point import RollOut

__all__ = ["CommonCells", "Inputs", "Put", "RollOutCells", "adopted_in", "common_cells", "roll_out_cells"]

Inputs = Mapping[str, Formula]
Put = Callable[[str, str, Formula], Formula]

ADOPTION = "economics.adoption."
REALISATION = "economics.realisation."


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonCells:
    """What all roll-outs of a case share.

    Attributes:
        cash: Share of saved time that becomes cash.
        realised: Share that becomes cash or other work.
        monthly: Running costs a month.
        per_case: Cost lines a case.
        one_off: One-off cost lines with their contingency, by month in which they are paid.
        one_off_now: Their present value.
        annuity: Present value of 1 a month over the horizon.
    """

    cash: Formula
    realised: Formula
    monthly: Formula
    per_case: Formula
    one_off: Mapping[int, Formula]
    one_off_now: Formula
    annuity: Formula


@dataclass(frozen=True, slots=True, kw_only=True)
class RollOutCells:
    """A roll-out of a case.

    Attributes:
        time: Time saved a month at the ceiling, in money.
        cash: Of this, cash.
        errors: Errors avoided a month, in money.
        agent: What the agent costs a month.
        per_month: What its remedies cost a month.
        delay: Months until it begins.
        extra: What remedies and measurements cost at the start.
        worth: Worth against stopping now, if its gates hold.
        off: What is taken off for having been picked.
        npv: Present value: the worth without what stopping would have cost.
        plan_worth: Worth with the chance that the gates do not hold; the same as `worth` where there is none.
    """

    time: Formula
    cash: Formula
    errors: Formula
    agent: Formula
    per_month: Formula
    delay: Formula
    extra: Formula
    worth: Formula
    off: Formula
    npv: Formula
    plan_worth: Formula


def common_cells(put: Put, at: Inputs, e: Economics, months: Formula) -> CommonCells:
    """Lay out what all roll-outs of a case share.

    Args:
        put: Places a formula.
        at: The inputs by key.
        e: The economics, for their structure alone: which cost line is paid when.
        months: The range of months, 1 and following.
    """
    total = at.get(f"{REALISATION}total")
    cash = put(
        "cash",
        "Share of a saved hour that becomes cash",
        literal(0) if total is not None else share_of(at[f"{REALISATION}cash"]),
    )
    rest = at[f"{REALISATION}redeployed"] if total is None else total
    realised = put("realised", "Share that becomes cash or other work", share_of(cash + rest))
    monthly: Formula = literal(0)
    per_case: Formula = literal(0)
    one_off: dict[int, Formula] = {}
    for i, line in enumerate(e.lines):
        amount = at[f"economics.costs[{i}].amount"]
        if line.per == "month":
            monthly = monthly + amount
        elif line.per == "seat_month":
            seats = at.get(f"economics.costs[{i}].seats", literal(0))
            monthly = monthly + amount * seats
        elif line.per == "year":
            monthly = monthly + amount / 12
        elif line.per == "case":
            per_case = per_case + amount
        elif line.per == "once":
            paid = amount * (1 + at["economics.contingency"]) if line.contingent else amount
            one_off[line.month] = one_off[line.month] + paid if line.month in one_off else paid
    horizon, rate = at[HORIZON], 1 + at["economics.discount_rate"]
    now: Formula = literal(0)
    paid_in: dict[int, Formula] = {}
    for month, paid in sorted(one_off.items()):
        place = f"one_off_{month}"
        label = "One-off costs" if month == 0 else f"One-off costs of month {month}"
        paid_in[month] = put(place, label, paid)
        now = now + (paid_in[month] if month == 0 else paid_in[month] * rate ** (least(month, horizon) / -12))
    return CommonCells(
        cash=cash,
        realised=realised,
        monthly=put("monthly", "Running costs a month", monthly),
        per_case=put("per_case", "Cost lines a case", per_case),
        one_off=paid_in,
        one_off_now=put("one_off_now", "One-off costs in today’s money", now),
        annuity=put(
            "annuity",
            "1 a month over the horizon, in today’s money",
            total_product((months <= horizon) * rate ** (months / -12)),
        ),
    )


def roll_out_cells(
    put: Put, at: Inputs, common: CommonCells, plan: RollOut, measured: Inputs, months: Formula
) -> RollOutCells:
    """Lay out a roll-out of a case.

    Args:
        put: Places a formula.
        at: The inputs by key.
        common: What it shares with others.
        plan: The roll-out.
        measured: Its measured averages by name: share, gained, lost, errors_…, usage_…, approving, measuring, months,
            off, passes.
        months: The range of months, 1 and following.
    """
    cases = put(
        "cases", "Cases a month at full adoption", at["demand.cases_per_month"] * at[f"{ADOPTION}ceiling"]
    )
    paid = at["economics.labour_cost_per_hour"] / 60 * cases
    time = put("time", "Time saved a month", paid * (measured["gained"] * common.realised + measured["lost"]))
    cash = put("time_cash", "of which cash", paid * (measured["gained"] * common.cash + measured["lost"]))
    errors: Formula = literal(0)
    for severity in SEVERITIES:
        cost = at.get(f"economics.error_cost.{severity}")
        if cost is not None:
            errors = errors + measured[f"errors_{severity}"] * cost
    errors = put("errors", "Errors avoided a month", cases * errors)
    usage: Formula = common.per_case * measured["share"] + measured["approving"]
    for currency in plan.usage:
        rate: Operand = at.get(f"{FX}{currency}", literal(1))
        usage = usage + measured[f"usage_{currency}"] * rate
    agent = put("agent", "Agent and costs a case, a month", cases * usage)
    extra: Formula = measured["measuring"]
    per_month: Formula = literal(0)
    for i in plan.remedies:
        extra = extra + at.get(f"remedies[{i}].cost", literal(0))
        per_month = per_month + at.get(f"remedies[{i}].cost_per_month", literal(0))
    extra = put("extra", "Remedies and measurements", extra)
    per_month = put("per_month", "Remedies a month", per_month)
    delay = put("delay", "Months until it begins", _done(plan, at) + measured["months"])
    horizon, ramp = at[HORIZON], at[f"{ADOPTION}ramp_months"]
    now = (months <= horizon) * (1 + at["economics.discount_rate"]) ** (months / -12)
    active, adopted = adopted_in(months, delay, ramp)
    late = put("late", "1 a month from then on, in today’s money", total_product(now * active))
    factor = put("ramp", "The same as adoption rises", total_product(now * adopted))
    waiting = put(
        "waiting",
        "The pilot until then",
        at.get("economics.pilot_cost_per_month", literal(0)) * (common.annuity - late),
    )
    npv = put(
        "npv",
        "Present value (NPV)",
        (time + errors - agent) * factor
        - (common.monthly + per_month) * late
        - waiting
        - common.one_off_now
        - extra
        - measured["off"],
    )
    worth = put("worth", "Worth against stopping now", npv + at["economics.wind_down_cost"])
    whole = worth
    if plan.passes is not None and not plan.decides:
        passes = measured["passes"]
        whole = put(
            "plan_worth",
            "Worth with the chance that the gates stay closed",
            passes * worth - (1 - passes) * (extra + waiting),
        )
    return RollOutCells(
        time=time,
        cash=cash,
        errors=errors,
        agent=agent,
        per_month=per_month,
        delay=delay,
        extra=extra,
        worth=worth,
        off=measured["off"],
        npv=npv,
        plan_worth=whole,
    )


def _done(plan: RollOut, at: Inputs) -> Formula:
    """Months until all remedies work; they run in parallel unless one waits for another."""

    def done(i: int) -> Formula:
        before = [done(j) for j in plan.after[i]]
        own = at.get(f"remedies[{i}].weeks", literal(0)) / WEEKS_PER_MONTH
        return own if not before else largest(0, *before) + own

    return largest(0, *(done(i) for i in plan.remedies)) if plan.remedies else literal(0)


def adopted_in(months: Formula, delay: Formula, ramp: Formula) -> tuple[Formula, Formula]:
    """The same as `adoption`, of a range of months at once."""
    active = above_zero(months - delay)
    sudden = ramp <= 0
    rising = above_zero((months - delay - 0.5) / (ramp + sudden))
    return active, (ramp > 0) * rising + sudden * active


def adoption(month: Formula, delay: Formula, ramp: Formula) -> tuple[Formula, Formula]:
    """The share of a month in which the roll-out runs, and the adoption in it as a share of the ceiling."""
    active = share_of(month - delay)
    sudden = ramp <= 0
    return active, when(sudden, active, share_of((month - delay - 0.5) / (ramp + sudden)))
