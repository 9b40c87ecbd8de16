"""The next step of measuring: the one that the verdict asks for, or the cheapest that would be worth its price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from roi.analysis import Analysis
from roi.measures import cost_of, length_of
from roi.words import amount, capital, plural, shorten

__all__ = ["Sample", "Step", "next_step", "sentence"]

DOING = {
    "Sample": "Sampling",
    "Label": "Labelling",
    "Time": "Timing",
    "Record": "Recording",
    "Log": "Logging",
    "State": "Stating",
    "Assign": "Assigning",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A further sample of one size, or a document, and what it is worth.

    Attributes:
        kind: "cases", "labels", "baseline", "document", or the gate that a plan measures something else for.
        what: What to do, in words.
        key: The input that a document is for; None for samples.
        n: Cases; None for a document.
        months: How long it takes.
        evsi: What it is worth under the rule before its price and delay; below 0 where it would only make the rule
            more cautious.
        waiting: What its delay costs: benefit forgone and the pilot's cost.
        price: With the set-up; None where nobody states it.
        net: evsi - waiting - price; None without a price.
        most: The most that it may cost: evsi - waiting, at least 0.
        chosen: Whether the verdict's own plan asks for it.
    """

    kind: str
    what: str
    key: str | None
    n: int | None
    months: float
    evsi: float
    waiting: float
    price: float | None
    net: float | None
    most: float
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A measurement to take next.

    Attributes:
        what: What to do, in words.
        n: Cases; None for a document, or where several measurements belong together.
        price: With the set-up; None where nobody states it.
        worth: What it is worth before its price, its delay counted; None where that cannot be computed.
        months: How long it takes.
        asked_for: Whether the verdict asks for it; else it would be worth its price, and the rule decides without.
    """

    what: str
    n: int | None
    price: float | None
    worth: float | None
    months: float
    asked_for: bool


def next_step(a: Analysis, samples: Sequence[Sample]) -> Step | None:
    """The measurement that the verdict asks for; else the cheapest that would be worth its price, at its best size.

    Args:
        a: The analysis.
        samples: What could be measured.

    Returns:
        The step, with the price of the record's next actions where the verdict asks for it; None where no measurement
        is worth its price, or a price that nobody has stated.
    """
    v, plan = a.verdict, a.verdict.plan
    if v.unknown is not None:
        m = v.unknown.measure
        if v.verdict != "fix" or m is None:
            return None
        return Step(what=m.what, n=m.n or None, price=m.price, worth=None, months=m.months, asked_for=True)
    wanted = () if plan is None else tuple(m for m in plan.measures if m.n)
    if plan is not None and wanted:
        cost = cost_of(wanted, a.prices)
        return Step(
            what="; ".join(m.what for m in wanted),
            n=wanted[0].n if len(wanted) == 1 else None,
            price=None if any(m.price is None for m in wanted) else cost,
            worth=plan.mean() + cost,
            months=length_of(wanted),
            asked_for=True,
        )
    least = 0.0 if a.economics.labour is None else float(np.mean(a.economics.labour))
    worth_it: dict[str, tuple[float, float, Sample]] = {}  # an hour of labour is what asking takes
    for s in samples:
        of = s.key or s.kind
        if s.price is None or s.net is None or s.net <= least:
            continue
        if of not in worth_it or s.net > worth_it[of][0]:
            worth_it[of] = (s.net, s.price, s)
    if worth_it:
        net, price, s = min(worth_it.values(), key=lambda x: (x[1], -x[0]))
        return Step(what=s.what, n=s.n, price=price, worth=net + price, months=s.months, asked_for=False)
    unpriced = [s for s in samples if s.price is None and s.most > least]
    if unpriced:
        s = max(unpriced, key=lambda s: s.most)
        return Step(what=s.what, n=s.n, price=None, worth=s.most, months=s.months, asked_for=False)
    return None


def sentence(a: Analysis, step: Step | None, *, choice: bool = True) -> str:
    """What a budget owner has to know of further measuring, in plain words.

    Args:
        a: The analysis.
        step: The measurement to take next; None for none.
        choice: Whether there is anything to choose beside stopping, so that samples were weighed.
    """
    currency = str(a.loaded.parameters.about.currency)
    if step is None:
        if a.verdict.unknown is not None:
            return "Decide now: no measurement is shown to be worth its cost."
        if not choice:
            return "Decide now: measuring alone changes nothing, for no priced fix opens every gate."
        return "Decide now: no measurement is worth its cost."
    doing = gerund(step.what)
    worth = None if step.worth is None else amount(step.worth, currency)
    if step.worth is None:
        if step.price == 0:
            return capital(f"{doing} costs nothing and comes first.")
        price = "a price that nobody has stated" if step.price is None else amount(step.price, currency)
        return capital(f"{doing} comes first, at {price}; what it is worth cannot be worked out before.")
    if step.price is None:
        text = f"{doing} has no stated price; it may cost at most {worth}"
    elif step.asked_for:
        text = f"{doing} costs {amount(step.price, currency)} and is worth {worth}"
    else:
        text = f"{doing} would cost {amount(step.price, currency)} and be worth {worth}"
    waits = ", the wait counted" if step.months > 0 else ""
    if step.asked_for:
        plan = a.verdict.plan
        unpriced = 0 if plan is None else len(plan.unpriced)
        free = f", as long as what mends {plural(unpriced, 'other gate')} costs nothing" if unpriced else ""
        return capital(f"{text}{waits}{free}.")
    return f"Decide now; the rule asks for no more. Even so, {text}{waits}."


def gerund(what: str) -> str:
    """ "Sample 40 cases" as the beginning of a sentence about it."""
    parts = []
    for part in shorten(what, 240).split("; "):
        verb, _, rest = part.partition(" ")
        part = f"{DOING[verb]} {rest}" if verb in DOING else part
        parts.append(f"{part[:1].lower()}{part[1:]}")
    return " and ".join(parts)
