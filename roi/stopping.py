"""What stopping means, and what alone would reopen the question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from roi.analysis import Analysis
from roi.measures import cost_of, length_of
from roi.plans import Plan
from roi.remedy_set import mended_of
from roi.words import amount, capital, percent, shorten

__all__ = ["Needed", "needed_minutes", "stopping"]

MOST_MINUTES = 600.0


def stopping(a: Analysis) -> list[dict[str, Any]]:
    """For a kill: what stopping means."""
    if a.verdict.verdict != "kill":
        return []
    p = a.loaded.parameters
    grants = [f"{shorten(system, 40)}: {shorten(scope, 40)}" for system, scope in a.taken.grants[:12]]
    contracts = [
        shorten(line.name, 60)
        for line in p.economics.costs
        if line.per in ("month", "seat_month", "year") or line.kind in ("licence", "support")
    ]
    people = [x for x in (p.about.owner, p.about.budget_owner, p.about.finance_reviewer) if x]
    inputs = next((g for g in a.gates[None] if g.gate == "usable_inputs"), None)
    usable = f"At least {percent(a.loaded.policy.min_usable_inputs)} of production cases with usable inputs"
    reopen = {
        "thin_value": _reopens(a),
        "no_data": capital(_missing(a))
        # Else nothing says that the inputs are what is not there.
        if inputs is None or inputs.value is None or inputs.holds
        else f"{usable}, or {_missing(a)}",
        "uncontrollable_risk": "Controls that cost less than the value they protect",
    }[a.verdict.ground or "thin_value"]
    return [
        {
            "what": "Access to revoke",
            "items": grants or ["Every grant of the agent (no list of grants was provided)"],
        },
        {"what": "Contracts to end, with their notice", "items": contracts or ["None stated"]},
        {
            "what": "Data to keep or delete",
            "items": [
                "Keep the samples, the record and the action log for the audit",
                "Delete what the agent stored of its cases",
            ],
        },
        {"what": "Whom to tell", "items": [*people, "The people who worked with the agent"]},
        {"what": "What alone would reopen it", "items": [reopen]},
    ]


def _missing(a: Analysis) -> str:
    """What is not known, and what it would take to find out, where the data is not there."""
    unknown = a.verdict.unknown
    if unknown is not None and unknown.measure is not None:
        stated = a.loaded.parameters.samples.baseline is not None
        if (
            unknown.upside is not None
            and unknown.upside <= 0
            and unknown.measure.gate == "complete_minutes"
            and stated
        ):
            return "evidence that a case takes more time today than is stated"
        if unknown.measure.price is None:
            return "the missing measurement, once its price is stated"
    return "the missing measurement at a lower price"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What a case would have to save for the rule to let everything be scaled.

    Attributes:
        minutes: Minutes a case, before what the mends themselves save.
        price: What mending the closed controls and showing them costs beside the roll-out, expected; 0 where nothing
            closed has a price.
        unpriced: Whether something that is closed has no price, so that the minutes do not hold it.
    """

    minutes: float
    price: float
    unpriced: bool


def needed_minutes(a: Analysis) -> Needed | None:
    """Minutes that a case would have to save for the rule to let everything be scaled, mends paid.

    A roll-out with closed controls is none that the rule allows: where these can be mended at a stated price, that
    price, their cost a month and the wait for them are part of what the minutes have to earn.

    Returns:
        The minutes; None where the worth is not known, or where no number up to `MOST_MINUTES` more would do.
    """
    scope = a.measured.scope()
    if a.scale is None or scope.minutes_saved is None:
        return None
    plan, needs, hurdle = _mending(a), a.scale_needs, a.loaded.policy.hurdle
    priced = plan is not None and not plan.waits
    bought = () if plan is None else plan.remedies
    measures = () if plan is None else plan.measures
    passes = np.ones(a.measured.draws) if plan is None else plan.prospect.passing(measures)
    if not passes.sum() > 0:
        passes = np.ones(a.measured.draws)

    def enough(extra: float) -> bool:
        option = a.valuer.roll_out(
            remedies=bought,
            approved=plan is not None and plan.prospect.approved,
            one_off=cost_of(measures, a.prices),
            delay=length_of(measures),
            extra_minutes=extra,
        )
        assert option is not None
        return float((passes * (option.worth > hurdle)).sum()) >= needs * float(passes.sum())

    low, high = 0.0, MOST_MINUTES
    if not enough(high):
        return None
    for _ in range(25):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    closed = any(g.guards and not g.holds for g in a.gates[None])
    return Needed(
        minutes=float(scope.minutes_saved.mean()) + high,
        price=0.0 if plan is None else plan.price,
        unpriced=closed and not priced,
    )


def _mending(a: Analysis) -> Plan | None:
    """The best way to mend what is closed of everything, had the rule no say; None where nothing mends it."""
    found = a.fixes.mended
    if found is not None and found.prospect.segments is None:
        return found
    whole = next((s for s in a.fixes.sets if s.segments is None), None)
    return None if whole is None else mended_of(whole)


def _reopens(a: Analysis) -> str:
    needed = needed_minutes(a)
    if needed is None:
        return "Evidence that a case saves many more minutes, measured on production cases"
    today = a.measured.arm_mean("human_minutes", 0)
    if today is not None and needed.minutes > (most := float(today.mean())):
        return (
            f"No saving of time alone: even if a case took nobody a minute ({most:.2f} minutes today), it would not "
            "pay. Evidence of more cases, dearer errors avoided or lower costs would have to come with it"
        )
    text = f"Evidence that a case saves at least {needed.minutes:.2f} minutes, measured on production cases"
    if needed.price > 0:
        paid = amount(needed.price, str(a.loaded.parameters.about.currency)).replace("\u00a0", " ")
        text += f", which also pays for mending what is closed ({paid})"
    if needed.unpriced:
        text += f"{' and' if needed.price > 0 else ';'} what is closed and has no price yet comes on top"
    return text
