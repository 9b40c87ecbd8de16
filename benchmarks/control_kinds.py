"""Every kind of violation, planted alone and together."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from control_logs import Log, clean_log
from control_plants import ImpossibleError, Kind, Planted, copy_of, together
from plants_access import ACCESS_KINDS
from plants_approval import APPROVAL_KINDS
from plants_stopping import STOPPING_KINDS
from plants_suite import SUITE_KINDS
from plants_trail import TRAIL_KINDS

__all__ = ["KINDS", "TIMES", "planted_alone", "planted_together"]

KINDS = (*ACCESS_KINDS, *APPROVAL_KINDS, *TRAIL_KINDS, *SUITE_KINDS, *STOPPING_KINDS)
TIMES = (1, 3, 25)
MOST_TOGETHER = 8
TRIES = 60


@lru_cache(maxsize=64)
def clean(seed: int, cases: tuple[int, int], people: tuple[int, int]) -> Log:
    """A clean log, drawn once."""
    return clean_log(seed, cases=cases, people=people)


def planted_alone(kind: Kind, i: int) -> tuple[Log, Planted]:
    """The i-th log with one kind of violation.

    Raises:
        ImpossibleError: Where no log of the kind's sizes has what it needs.
    """
    k = min(TIMES[i % len(TIMES)], kind.most)
    for attempt in range(TRIES):
        log = copy_of(clean(1000 + i + 100 * attempt, kind.cases, kind.people))
        try:
            return log, kind.plant(log, np.random.default_rng([1, i, attempt]), k)
        except ImpossibleError:
            continue
    raise ImpossibleError(kind.name)


def planted_together(i: int) -> tuple[Log, dict[str, tuple[Kind, Planted]]]:
    """The i-th log with two to eight kinds of violation."""
    rng = np.random.default_rng([2, i])
    while True:
        kinds = together(KINDS, rng, MOST_TOGETHER)
        cases = (max(kind.cases[0] for kind in kinds), max(kind.cases[1] for kind in kinds))
        people = (max(kind.people[0] for kind in kinds), min(kind.people[1] for kind in kinds))
        log = copy_of(clean(5000 + i, cases, people))
        planted: dict[str, tuple[Kind, Planted]] = {}
        # What moves times comes first, then what changes whole tables, so that single rows stay as they were planted.
        for kind in sorted(kinds, key=lambda kind: (kind.area != "times", not kind.area, kind.name)):
            try:
                planted[kind.name] = (kind, kind.plant(log, rng, min(int(rng.choice(TIMES[:2])), kind.most)))
            except ImpossibleError:
                continue
        if len(planted) > 1:
            return log, planted
