"""Hours that a set saves against the hours that teams have: in how many outcomes there are more than that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from roi.candidates import Candidate
from roi.draws import stream, uniforms
from roi.funded import Choice, Limit, plain_name
from roi.joint import Joint
from roi.schema.portfolio import Portfolio
from roi.words import and_list, number, shorten

__all__ = ["SELDOM", "hours_above", "unheld_hours"]

Floats = npt.NDArray[np.float64]

SELDOM = 0.1  # a tenth lies above the range of 8 in 10 outcomes that every page tells; more than that is not "rare"


def hours_above(funded: Sequence[Choice], limit: Limit, joint: Joint) -> float | None:
    """The share of outcomes in which a set saves more hours a month than a team has; None of another limit.

    The set keeps to the team's hours on average. Of a fix hours are saved only in outcomes in which its gates pass.

    Args:
        funded: The set.
        limit: The team.
        joint: What brings the draws of its pilots together.
    """
    if limit.what != "team":
        return None
    total: Floats = np.zeros(joint.draws)
    for x in funded:
        pilot = x.candidate.pilot
        if plain_name(x.candidate.record.get("owner")) == plain_name(limit.name):
            drawn = np.full(1, x.option.hours) if x.option.drawn_hours is None else x.option.drawn_hours
            order = joint.order[pilot] if drawn.size > 1 else np.zeros(joint.draws, dtype=np.int64)
            luck = uniforms(joint.draws, stream(joint.seed, f"portfolio:passes:{pilot}"))
            total += np.where(luck < x.option.passes, drawn[order], 0.0)
    # Equal but for the last bits of a sum is not more.
    return float(np.mean(total > limit.amount * (1 + 1e-9)))


def unheld_hours(candidates: Sequence[Candidate], joint: Joint, plan: Portfolio) -> list[str]:
    """Pilots whose saved hours are held against no team, with the mend; nothing where no team is stated."""
    teams = {plain_name(name) for name in plan.teams}
    if not teams:
        return []
    listed = and_list(shorten(name, 60) for name in plan.teams)
    found = []
    for c in candidates:
        hours = max((o.hours for o in c.options), default=0.0)
        owner = " ".join(str(c.record.get("owner") or "").split())
        if c.pilot not in joint.worths or hours <= 0 or plain_name(owner) in teams:
            continue
        why = f"its owner '{shorten(owner, 60)}' is no team there" if owner else "it names no owner"
        found.append(
            f"{c.pilot}: the {number(hours, 2)} hours a month that it saves are held against no team of "
            f"params/_portfolio.yaml: {why}. Write its about.owner as one of them ({listed}), or add its team there."
        )
    return found
