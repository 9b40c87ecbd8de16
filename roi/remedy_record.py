"""What the record says of remedies, in plain values and in a sentence."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from roi.after_remedy import measured_again
from roi.analysis import Analysis
from roi.gate import Gate
from roi.measures import cost_of
from roi.money import summary
from roi.options import WEEKS_PER_MONTH, Remedy
from roi.remedy_worth import RemedyWorth, price_of, remedy_worth
from roi.words import amount, and_list, shorten

__all__ = ["remedies_of_record"]


def remedies_of_record(a: Analysis) -> dict[str, Any]:
    """What the record says of remedies: plain values, sums of money in the pilot's currency.

    Returns:
        `text`, a sentence; `list`, those of the set in the order in which to buy, then the others; `set`, what it is
        worth as a whole;
        `near`, other sets; `ceilings`, closed gates that nobody has priced a mend of, with the most it may cost; `why`,
        where nothing can be valued.
    """
    found = remedy_worth(a)
    stated = a.valuer.remedies
    if found is None:
        why = "no plan opens every gate" if a.fixes.sets else "the worth of scaling is not known"
        why = why if stated else "no remedy is stated"
        none = [_stated(r) for r in stated]
        text = f"No set of remedies can be put forward: {why}."
        return {
            "text": text,
            "list": none,
            "set": None,
            "near": [],
            "ceilings": _ceilings(a, None),
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
    rows += [_stated(r) for r in stated if r.name not in searched]
    alone = sum(r["alone"] for r in rows if r["order"] is not None)
    joint = found.worth(found.number) - start
    policy = a.loaded.policy
    gap = a.fixes.gap
    return {
        "text": _sentence(found, start),
        "list": rows,
        "set": {
            **summary(found.plan.worth),
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
            {"remedies": [r.name for r in p.remedies], "worth": p.mean(), "less": less}
            for p, less in found.near()
        ],
        "ceilings": _ceilings(a, found),
        "why": None,
    }


def _sentence(found: RemedyWorth, start: float) -> str:
    """Which remedies to buy, for how much, and what they are worth."""
    currency = found.a.loaded.parameters.about.currency
    bought = [shorten(s.remedy.name, 60) for s in found.steps]
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
        return f"No set of remedies pays: the nearest, {and_list(bought)}, costs {paid} and leaves {worth}."
    first = f"Buy {bought[0]}" if len(bought) == 1 else f"Buy {bought[0]} first, then {and_list(bought[1:])}"
    if found.kind == "waiting":
        return f"{first}: worth {worth} at the most, before what has no price yet."
    month = found.payback()
    back = "" if month is None else f", and is paid back in month {month}"
    return f"{first}: for {paid} the pilot is worth {worth}{back}."


def _stated(remedy: Remedy) -> dict[str, Any]:
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
        "alone": None,
        "among": None,
        "most": None,
        "most_ends": None,
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
    return _stated(remedy) | {
        "bought": inside and found.advised,
        "alone": found.alone(remedy),
        "among": found.among(remedy),
        "most": limit.most,
        "most_ends": limit.ends,
        "payback_month": found.payback(remedy) if inside else None,
        "again": again,
    }


def _ceilings(a: Analysis, found: RemedyWorth | None) -> list[dict[str, Any]]:
    """Closed gates whose mend nobody has priced: the most that it may cost, all of them together."""
    sets = found.sets if found is not None else a.fixes.sets[0] if a.fixes.sets else None
    if sets is None:
        return []
    priced = {r.addresses for r in a.valuer.remedies if r.cost is not None}
    priced |= {"usable_inputs"} if "data" in priced else set()
    open_ = [g for g in sets.failing if g.gate not in priced and sets.waits_for_price(g)]
    if not open_:
        return []
    waiting = a.waiting if a.waiting is not None and a.waiting.prospect.segments == sets.segments else None
    waiting = waiting or sets.best("waiting", above=0.0).plan
    best = max((p.mean() for p in a.plans), default=0.0)
    rows = []
    for gate in open_:
        together = [] if waiting is None else [g.label for g in waiting.unpriced if g.gate != gate.gate]
        most = None if waiting is None else max(waiting.mean() - max(best, 0.0), 0.0)
        rows.append(_ceiling(gate, most, together))
    return rows


def _ceiling(gate: Gate, most: float | None, together: list[str]) -> dict[str, Any]:
    why = None
    if most is None:
        why = "even had for nothing, its mend would not make scaling pass more likely than not"
    elif not most > 0:
        why = "a way that has its price is worth as much"
    return {
        "gate": gate.gate,
        "label": gate.label,
        "mend": shorten(gate.mend, 200) or None,
        "most": most,
        "together_with": together,
        "why": why,
    }
