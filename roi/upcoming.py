"""What comes next: workflows that are not funded, one after another, by what the set brings with what each lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.funded import Choice, Limit, Queue
from roi.funding import FIRST, Best, Problem, best_set
from roi.words import shorten

__all__ = ["PLACES", "what_is_next"]

Floats = npt.NDArray[np.float64]

PLACES = 6  # for which the set is found again; those behind stand by their own worth
TRIED = 3  # workflows that are tried for each of these places, the best by their own worth


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """A workflow that might be next.

    Attributes:
        choice: Its option that brings most for what it lacks.
        more: What it lacks beyond what is left, shape (n_limits,).
        share: The same as shares of what there is, added up; the bar, which nobody can give, is not in it.
        found: The best set with so much more; None where it is not found again.
    """

    choice: Choice
    more: Floats
    share: float
    found: Best | None = None

    def per_share(self, worth: float) -> float:
        return worth / self.share if self.share > 0 else float("inf")


@dataclass(slots=True)
class _State:
    """What is taken so far, and what there is for it."""

    taken: list[Choice]
    limit: Floats
    left: Floats
    worth: float
    queue: Queue = field(default_factory=Queue)


def what_is_next(
    choices: Sequence[Choice], funded: Sequence[Choice], limits: Sequence[Limit], best: Best, queue: Queue
) -> list[dict[str, Any]]:
    """Workflows that are not funded, in the order in which they would come.

    One at a time: each in turn is given what it lacks beyond what those before it leave, the best set is found again
    with so much more, and next is what brings the most for each hundredth of what there is that has to be added. What
    the set found again would not hold comes after what it holds. Where the same people build, it waits for them.

    Args:
        choices: What can be funded.
        funded: The best set.
        limits: What there is to give.
        best: The same set, as it was found.
        queue: Until when who builds is at work on the set.

    Returns:
        Of each the pilot with its best `option`, `worth` and `cost`; what it `lacks` after those before it; what that
        much more `brings` (`at_most`, where not every set could be looked at; None where the set was not found again),
        also `per_percent` of what there is (None where it lacks nothing that could be given); whether the set
        would hold it (`is_in_set`), what it would hold `instead`, and what of those before `gives_way`; `builders`,
        `start_week` and `end_week`.
    """
    problem = Choice.problem(choices, limits)
    used = np.sum([x.use for x in funded], axis=0) if funded else np.zeros(len(limits))
    state = _State(list(funded), problem.limit.copy(), problem.limit - used, best.worth, queue)
    unit = np.where(problem.limit > 0, problem.limit, problem.use.clip(0).sum(axis=0).clip(1e-300))
    given = np.array([limit.what != "bar" for limit in limits], dtype=bool)
    most = None if best.kept < FIRST else FIRST  # where the choice is a hard one a shorter search has to do
    rows: list[dict[str, Any]] = []
    while tries := _tries(choices, state, unit, given):
        if len(rows) < PLACES:
            tries = [_found(t, problem, state, given, most) for t in tries[:TRIED]]
            tries.sort(key=lambda t: _rank(t, choices, state))
        chosen = tries[0]
        rows.append(_row(chosen, choices, limits, state))
        state.taken.append(chosen.choice)
        state.limit = state.limit + np.where(given, chosen.more, 0.0)
        state.left = state.left + chosen.more - chosen.choice.use
        state.worth = max(state.worth, chosen.found.worth if chosen.found is not None else -np.inf)
    return rows


def _tries(
    choices: Sequence[Choice], state: _State, unit: Floats, given: npt.NDArray[np.bool_]
) -> list[_Try]:
    """The best option of each workflow that is not taken, by its own worth for what it lacks."""
    taken = {x.candidate.workflow for x in state.taken}
    found: dict[str, _Try] = {}
    for x in choices:
        if x.candidate.workflow in taken or x.mean() <= 0:
            continue
        more = np.maximum(x.use - state.left, 0.0)
        more[more <= 1e-9 * np.maximum(unit, 1.0)] = 0.0
        own = _Try(choice=x, more=more, share=float(np.sum((more / unit)[given])))
        known = found.get(x.candidate.workflow)
        if known is None or _by_itself(own) < _by_itself(known):
            found[x.candidate.workflow] = own
    return sorted(found.values(), key=_by_itself)


def _by_itself(t: _Try) -> tuple[float, float, str]:
    return -t.per_share(t.choice.mean()), -t.choice.mean(), t.choice.candidate.pilot


def _found(t: _Try, problem: Problem, state: _State, given: npt.NDArray[np.bool_], most: int | None) -> _Try:
    """The best set with what it lacks."""
    limit = state.limit + np.where(given, t.more, 0.0)
    more = Problem(worth=problem.worth, use=problem.use, group=problem.group, limit=limit)
    return _Try(choice=t.choice, more=t.more, share=t.share, found=best_set(more, most=most))


def _pilots(found: Best, choices: Sequence[Choice]) -> set[str]:
    return {choices[i].candidate.pilot for i in found.chosen}


def _rank(t: _Try, choices: Sequence[Choice], state: _State) -> tuple[bool, float, float, str]:
    assert t.found is not None
    held = t.choice.candidate.pilot in _pilots(t.found, choices)
    # What others bring with what it lacks is not its own.
    brings = t.found.worth - state.worth if held else t.choice.mean()
    return not held, -t.per_share(brings), -t.choice.mean(), t.choice.candidate.pilot


def _row(t: _Try, choices: Sequence[Choice], limits: Sequence[Limit], state: _State) -> dict[str, Any]:
    x = t.choice
    start, end = state.queue.add(x.spans)
    return {
        "pilot": x.candidate.pilot,
        "title": shorten(x.candidate.record.get("title") or x.candidate.pilot, 120),
        "option": shorten(x.option.label, 200),
        "worth": x.mean(),
        "cost": x.cost,
        "now": x.now,
        "lacks": [
            {"what": limit.what, "name": limit.name, "unit": limit.unit, "lacks": float(t.more[k])}
            for k, limit in enumerate(limits)
            if t.more[k] > 0
        ],
        **_solved(t, choices, state),
        "builders": sorted(x.spans),
        "start_week": start,
        "end_week": end,
    }


def _solved(t: _Try, choices: Sequence[Choice], state: _State) -> Mapping[str, Any]:
    """What the set that was found again says."""
    if t.found is None:
        names = ("brings", "at_most", "per_percent", "is_in_set", "instead", "gives_way")
        return dict.fromkeys(names)
    before = {y.candidate.pilot for y in state.taken}
    own, pilots = t.choice.candidate.pilot, _pilots(t.found, choices)
    brings = max(0.0, t.found.worth - state.worth)
    return {
        "brings": brings,
        "at_most": brings if t.found.is_best else max(brings, t.found.bound - state.worth),
        "per_percent": None if t.share <= 0 else brings / (100 * t.share),
        "is_in_set": own in pilots,
        "instead": sorted(pilots - before - {own}),
        "gives_way": sorted(before - pilots),
    }
