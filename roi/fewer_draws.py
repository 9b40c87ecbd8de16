"""The plan put forward on some of its draws, for questions that ask for its worth many times over.

Half of the draws of what was measured mirror the other half; a draw is kept together with its mirror image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from roi.assumptions import Assumptions
from roi.plan_at import PlanAt, economics_at
from roi.plans import mended_again
from roi.remedies import remedies_of

__all__ = ["on_fewer_draws"]

T = TypeVar("T")
Ints = npt.NDArray[np.int64]


def on_fewer_draws(plan: PlanAt, most: int) -> PlanAt:
    """The same plan on the first draws and their mirror images.

    Args:
        plan: The plan.
        most: How many draws at the most, even.

    Returns:
        A plan whose draws are some of those of `plan`, in the same order.
    """
    n = plan.draws
    if n <= most:
        return plan
    half = np.arange(most // 2)
    rows = np.concatenate([half, n // 2 + half])
    a = plan.decided
    assumptions = Assumptions(_some(dict(a.assumptions.values), rows, n), a.assumptions.entries)
    rates = a.measured.rates
    measured = replace(
        a.measured,
        draws=most,
        bias=_some(a.measured.bias, rows, n),
        rates=rates if rates.severity is None else replace(rates, severity=rates.severity[:, rows]),
    )
    economics = economics_at(a, assumptions)
    causes = _some(a.causes, rows, n)
    bought = plan.plan
    approvals = a.valuer.approvals
    if approvals is not None and bought is not None and (bought.remedies or bought.prospect.approved):
        a.valuer.approving(plan.segments)  # counted now, so that it can be cut
        approvals = replace(
            approvals,
            minutes=_some(approvals.minutes, rows, n),
            waiting=_some(approvals.waiting, rows, n),
            counted={plan.segments: (measured, _some(approvals.counted[plan.segments][1], rows, n))},
        )
    valuer = replace(
        a.valuer,
        measured=measured,
        economics=economics,
        causes=causes,
        remedies=remedies_of(a.loaded.parameters, assumptions),
        approvals=approvals,
    )
    decided = replace(
        a, assumptions=assumptions, measured=measured, economics=economics, causes=causes, valuer=valuer
    )
    at = plan.measured
    found = replace(
        at,
        measured=measured,
        assumptions=assumptions,
        sampled=_some(at.sampled, rows, n),
        bias_minutes=_some(at.bias_minutes, rows, n),
        bias_errors=_some(at.bias_errors, rows, n),
    )
    # What the scope would be asked for again is known already, and is cut in the same way.
    vars(found)["by_currency"] = _some(at.by_currency, rows, n)
    vars(found)["stated_minutes"] = _some(at.stated_minutes, rows, n)
    few = replace(plan, decided=decided, option=_some(plan.option, rows, n), measured=found)
    if bought is None:
        return few
    remedies = tuple(r for r in valuer.remedies if r.name in plan.bought)
    then = replace(bought.prospect, valuer=valuer, remedies=remedies, _bases={}, _told={})
    bought = replace(
        bought,
        option=few.option,
        remedies=remedies,
        worth=bought.worth[rows],
        cash=bought.cash[rows],
        prospect=then,
    )
    if not remedies:
        few = replace(few, plan=bought)
        vars(few)["passing"] = plan.passing[rows]
        return few
    # Whether gates pass is drawn by itself, so it is drawn again for so many draws: changes then differ in what is
    # changed alone.
    failing = [g for g in a.gates[plan.segments] if not g.holds]
    mended = mended_again(bought, valuer, failing)
    return replace(few, plan=replace(bought, prospect=replace(then, mended=mended)))


def _some(value: T, rows: Ints, n: int) -> T:
    """The same with every array over draws cut to some of them, in whatever holds it."""
    found: Any = value
    if isinstance(value, np.ndarray):
        found = value[..., rows] if value.ndim and value.shape[-1] == n else value
    elif is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: _some(getattr(value, f.name), rows, n) for f in fields(value)}
        found = replace(value, **changed)
    elif isinstance(value, Mapping):
        found = {key: _some(item, rows, n) for key, item in value.items()}
    elif isinstance(value, tuple) and any(isinstance(x, np.ndarray) or is_dataclass(x) for x in value):
        found = tuple(_some(item, rows, n) for item in value)
    return found  # type: ignore[no-any-return]
