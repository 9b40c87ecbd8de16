"""Measuring again after a remedy: what would show that it worked, on how many cases, and what that takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roi.analysis import Analysis
from roi.draws import one_sided_bounds
from roi.rates import severe_errors
from roi.remedies import Remedy
from roi.special import ndtri
from roi.words import percent

__all__ = ["LEAST_CASES", "Again", "cases_to_see", "cases_to_show", "measured_again"]

MOST_CASES = 1_000_000
LEAST_CASES = 30  # of a cause's losses: in fewer cases a share is too far from normal for the sum below


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What to measure after a remedy.

    Attributes:
        what: What is looked at, in words.
        before: The rate now; None where it is not known, or no rate.
        after: The rate that is expected then.
        pass_at: The rate up to which it counts as fallen: by half of what is expected; None where a limit tells.
        n: Cases (of approvals: high-risk actions); None where none or no number would do.
        price: What they cost, set-up included; None where that is not stated.
        months: How long they take.
        why: Why there is no number of cases.
    """

    what: str
    before: float | None = None
    after: float | None = None
    pass_at: float | None = None
    n: int | None = None
    price: float | None = None
    months: float | None = None
    why: str | None = None


def cases_to_see(before: float, after: float, known: float, probability: float) -> int | None:
    """New cases that show a rate to have fallen, held against the cases that there are.

    Args:
        before: The rate now.
        after: The rate that is expected then.
        known: Independent cases that the rate now rests on.
        probability: How sure it has to be to count as fallen, and the chance to find it so if it has.

    Returns:
        The smallest number at which (before − after) is 2 z standard errors of the difference, z the normal quantile
        of `probability`; None where the cases there are say too little, however many are added.
    """
    z = float(ndtri(probability))
    if not (before > after >= 0 and known > 0 and z > 0):
        return None
    left = ((before - after) / (2 * z)) ** 2 - before * (1 - before) / known
    if not left > 0:
        return None
    return max(int(np.ceil(after * (1 - after) / left)), 1)


def cases_to_show(rate: float, limit: float) -> int | None:
    """Cases that show a rate below a limit, where it is as expected: its exact upper bound (95 %) is no higher then.

    Returns:
        The smallest number from which on they do; None where the rate is not below the limit.
    """

    def shows(n: int) -> bool:
        return one_sided_bounds(min(np.ceil(rate * n), n), n)[1] <= limit

    if not 0 <= rate < limit or not shows(MOST_CASES):
        return None
    low, high = 0, MOST_CASES
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if shows(middle) else (middle + 1, high)
    return low


def measured_again(a: Analysis, remedy: Remedy, segments: tuple[str, ...] | None) -> Again:
    """What to measure after a remedy, at the policy's probabilities.

    Args:
        a: The decision.
        remedy: The remedy.
        segments: The scope; None for everything.

    Returns:
        For a cause: errors and hand-overs, held against those of the sample there is. For a gate that is a rate: that
        rate, held against its limit. For any other: that it is looked at again.
    """
    policy, valuer, moments = a.loaded.policy, a.valuer, a.moments
    inside = moments.chosen(segments)
    target = remedy.addresses
    left = float(np.mean(valuer.left_of(target, (remedy,))))
    gate = next((g for g in a.gates[segments] if g.gate == target), None)
    if gate is None:
        return _losses(a, remedy, segments)
    if target == "severe_errors":
        rate = severe_errors(moments, inside).rate
        limit, what = policy.max_severe_error_rate, "severe errors"
    elif target == "usable_inputs":
        rate = None if gate.value is None else 1 - gate.value
        limit, what = 1 - policy.min_usable_inputs, "cases with defective inputs"
    elif target == "human_approval":
        rate = None if gate.counts is None else gate.counts[0] / max(gate.counts[1], 1)
        limit, what = policy.max_approval_miss_rate, "high-risk actions without approval"
    else:
        return Again(what=f"Look at it again: {gate.label.lower()}", why="one look shows it")
    if rate is None:
        return Again(what=f"Count {what}", why="nothing was counted before")
    n = cases_to_show(rate * left, limit)
    of = "actions" if target == "human_approval" else "cases"
    return Again(
        what=f"Show {what} to stay below {percent(limit)}",
        before=rate,
        after=rate * left,
        n=n,
        price=_price(a, a.prices.cases(n) if of == "actions" else a.prices.labels(n)) if n else None,
        months=a.prices.months(n) if n else None,
        why=None if n else f"it leaves {percent(rate * left)}, which is not below the limit",
    )


def _losses(a: Analysis, remedy: Remedy, segments: tuple[str, ...] | None) -> Again:
    """Errors and hand-overs, of which a cause has its share."""
    moments = a.moments
    rows = (moments.arm == 1) & moments.chosen(segments)[moments.segment]
    labelled = float(moments.labelled[rows].sum())
    lost = float(moments.outcome[rows, 1:].sum())
    what = "Count errors and hand-overs on new cases"
    share = a.causes.loss_share.get(remedy.addresses)
    if not labelled or not lost or share is None:
        return Again(what=what, why="none of its losses were seen")
    before = lost / labelled
    after = before * (1 - float(np.mean(share * np.asarray(remedy.removes))))
    effective = a.measured.rates.effective[1] * labelled / max(a.measured.rates.labelled[1], 1)
    n = cases_to_see(before, after, effective, a.scale_needs)
    why = None
    if n is not None:
        n = max(int(np.ceil(n * labelled / effective)), LEAST_CASES)
        if n > MOST_CASES:
            n = None
    if n is None:
        why = "the cases there are say too little to see so small a change, however many are added"
    price = None if n is None else _price(a, a.prices.labels(n))
    return Again(
        what=what,
        before=before,
        after=after,
        # At that number of cases the change is seen where the rate lies as far below the one now as above the one then.
        pass_at=None if n is None else (before + after) / 2,
        n=n,
        price=price,
        months=None if n is None else a.prices.months(n),
        why=why,
    )


def _price(a: Analysis, cases: float | None) -> float | None:
    return None if cases is None else cases + a.prices.setup
