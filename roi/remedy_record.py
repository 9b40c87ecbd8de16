"""What the record says of remedies, in plain values and in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from roi.after_remedy import measured_again
from roi.analysis import Analysis
from roi.ceilings import ceilings
from roi.demanded_approving import demanded_approving
from roi.measures import cost_of
from roi.money import summary
from roi.remedies import WEEKS_PER_MONTH, Remedy
from roi.remedy_worth import RemedyWorth, price_of, remedy_worth
from roi.words import amount, and_list, shorten

__all__ = ["remedies_of_record"]


def remedies_of_record(a: Analysis) -> dict[str, Any]:
    """What the record says of remedies: plain values, sums of money in the pilot's currency.

    Returns:
        `text`, a sentence; `list`, those of the set in the order in which to buy, then the others; `set`, what it is
        worth as a whole;
        `near`, other sets; `ceilings`, closed gates without a mend that has a price and pays, with the most it may
        cost; `why`, where nothing can be valued.
    """
    found = remedy_worth(a)
    stated = a.valuer.remedies
    if found is None:
        why = "no plan opens every gate" if a.fixes.sets else "the worth of scaling is not known"
        why = why if stated else "no remedy is stated"
        none = [_stated(a, r, None, nothing=not _removes(r, stated)) for r in stated]
        text = f"No set of remedies can be put forward: {why}."
        return {
            "text": text,
            "list": none,
            "set": None,
            "near": [],
            "ceilings": ceilings(a, None),
            "why": why,
        }
    rows, before = [], max(found.worth(0), 0.0)
    start = before
    for place, step in enumerate(found.steps):
        after = float(step.worth.mean())
        rows.append(
            _row(found, step.remedy)
            | {
                "order": place + 1,
                "step": after - before,
                "worth_by_then": summary(step.worth),
                "opens": step.opens,
                "paid_by_then": step.paid,
            }
        )
        before = after
    inside = {r.name for r in found.plan.remedies}
    searched = {r.name for r in found.sets.searched}
    rows += [_row(found, r) for r in stated if r.name not in inside and r.name in searched]
    counts = {r.name for r in found.sets.remedies}
    scope = found.sets.segments
    rows += [_stated(a, r, scope, nothing=r.name not in counts) for r in stated if r.name not in searched]
    alone = sum(r["alone"] for r in rows if r["order"] is not None)
    joint = found.worth(found.number) - start
    policy = a.loaded.policy
    gap = a.fixes.gap
    return {
        "text": _sentence(found, start),
        "list": rows,
        "set": {
            **summary(found.outcome(found.number)[0]),
            "advised": found.advised,
            "start": start,
            "joint": joint,
            "sum_of_alone": alone,
            "cost": sum(price_of(r) for r in found.plan.remedies),
            "per_month": sum(float(np.mean(r.cost_per_month)) for r in found.plan.remedies),
            "months": float(np.mean(found.plan.option.schedule.delay)),
            "measures_cost": cost_of(found.plan.measures, a.prices),
            "payback_month": found.payback(),
            "waits": found.plan.waits,
            "scope": None if found.sets.segments is None else list(found.sets.segments),
            "budget": policy.fix_budget,
            "weeks": policy.fix_weeks,
            "sets": int(found.sets.sets.size),
            "exact": gap == 0,
            "gap": gap,
        },
        "near": [
            {
                "remedies": [r.name for r in found.sets.chosen(number)],
                "worth": worth,
                "less": found.worth(found.number) - worth,
                "opens": opens,
            }
            for number, worth, opens in found.near()
        ],
        "ceilings": ceilings(a, found),
        "why": None,
    }


def _sentence(found: RemedyWorth, start: float) -> str:
    """Which remedies to buy, for how much, and what they are worth."""
    currency = found.a.loaded.parameters.about.currency
    bought = [f"“{shorten(s.remedy.name, 60)}”" for s in found.steps]
    worth = amount(found.worth(found.number), currency)
    paid = amount(sum(price_of(r) for r in found.plan.remedies), currency)
    if not found.sets.remedies:
        return "No remedy is stated that something of the losses or a closed gate answers to."
    if not bought:
        return "No remedy is worth its price: the best plan buys none."
    if not found.advised:
        if start > 0:
            less = amount(start - found.worth(found.number), currency)
            return f"No remedy is needed: even the best, {and_list(bought)}, would make the pilot worth {less} less."
        # The fix among the options takes the plan's samples as well, and so comes to less than the set alone.
        sampled = cost_of(found.plan.measures, found.a.prices)
        whole = amount(found.plan.mean(), currency)
        rest = (
            f"; with the sample it needs, for {amount(sampled, currency)}, and the pilot until that is done, {whole}"
            if sampled > 0
            else ""
        )
        return f"No set of remedies pays: the nearest, {and_list(bought)}, costs {paid} and leaves {worth}{rest}."
    first = f"Buy {bought[0]}" if len(bought) == 1 else f"Buy {bought[0]} first, then {and_list(bought[1:])}"
    if found.kind == "waiting":
        return f"{first}: worth {worth} at the most, before what has no price yet."
    month = found.payback()
    back = "" if month is None else f", and is paid back in month {month}"
    return f"{first}: for {paid}, and with the roll-out that follows, the pilot is worth {worth}{back}."


def _removes(remedy: Remedy, stated: Sequence[Remedy]) -> bool:
    """Whether a remedy removes something, or another has to wait for it."""
    return bool(np.any(np.greater(remedy.removes, 0))) or any(remedy.name in r.after for r in stated)


def _stated(
    a: Analysis, remedy: Remedy, segments: tuple[str, ...] | None, *, nothing: bool = False
) -> dict[str, Any]:
    """What is stated of a remedy; that it removes nothing that counts is known without valuing it."""
    return {
        "name": remedy.name,
        "addresses": remedy.addresses,
        "owner": remedy.owner,
        "bought": False,
        "cost": None if remedy.cost is None else price_of(remedy),
        "cost_per_month": float(np.mean(remedy.cost_per_month)),
        "weeks": float(np.mean(remedy.months)) * WEEKS_PER_MONTH,
        "removes": float(np.mean(remedy.removes)),
        "after": list(remedy.after),
        "approving": demanded_approving(a, remedy, segments),
        "alone": None,
        "among": None,
        "most": 0.0 if nothing else None,
        "most_ends": "worth" if nothing else None,
        "payback_month": None,
        "again": None,
        "order": None,
        "step": None,
        "worth_by_then": None,
        "opens": None,
        "paid_by_then": None,
    }


def _row(found: RemedyWorth, remedy: Remedy) -> dict[str, Any]:
    inside = bool(found.number & found.sets.number([remedy]))
    again = None
    if inside:
        done = float(np.mean(found.a.valuer.delay_of(found.sets.chosen(found.bits(remedy)))))
        again = {"month": done, **asdict(measured_again(found.a, remedy, found.sets.segments))}
    limit = found.most(remedy)
    return _stated(found.a, remedy, found.sets.segments) | {
        "bought": inside and found.advised,
        "alone": found.alone(remedy),
        "among": found.among(remedy),
        "most": limit.most,
        "most_ends": limit.ends,
        "payback_month": found.payback(remedy) if inside else None,
        "again": again,
    }
