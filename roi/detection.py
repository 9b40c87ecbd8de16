"""How soon an increase would be seen: the daily questions of a stream, put to streams that are drawn.

Nothing is approximated: the wealth is that of `roi.sequences`, with the level, the limit and the bets of the question
itself. Cases are drawn as independent of each other, each a unit; people whose cases depend on each other take longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.sequences import log_evidence, rate_bets, start_weights

__all__ = ["DAYS", "Seen", "days_to_see"]

Floats = npt.NDArray[np.float64]

QUIET = 30  # days that keep to the decision, before the increase comes
DAYS = 365  # after it, beyond which nothing is waited for
STREAMS = 200
SEED = 8


@dataclass(frozen=True, slots=True)
class Seen:
    """When an increase is seen, in days after it came.

    Attributes:
        rate: What the rate rose to.
        per_day: Cases a day of which it is known.
        half: Days within which it is seen in 1 of 2 streams; None where that takes more than `DAYS`.
        most: In 8 of 10 streams; None likewise.
        seen: Share of streams in which it is seen within `DAYS`.
    """

    rate: float
    per_day: float
    half: int | None
    most: int | None
    seen: float


def days_to_see(
    asked: Sequence[tuple[float, float]],
    before: float,
    rate: float,
    per_day: float,
    *,
    streams: int = STREAMS,
    seed: int = SEED,
) -> Seen:
    """How soon a rate that rises is seen by the first of some daily questions.

    Args:
        asked: The limit of each question, in (0, 1), and its level; at least one.
        before: The rate before it rises, in [0, 1].
        rate: What it rises to, in (0, 1).
        per_day: Cases a day of which it is known, above 0.
        streams: How many are drawn.
        seed: Of the draws; the same inputs give the same days.

    Returns:
        The days. A stream in which a question was answered with yes before the increase counts as seen at once.

    Raises:
        ValueError: If a rate, a limit or a level is outside its range, or there is no question or no case.
    """
    if not (0 <= before <= 1 and 0 < rate < 1 and per_day > 0 and asked):
        raise ValueError(f"{before} to {rate} in {per_day} cases a day, {len(asked)} questions")
    if not all(0 < alpha < 1 for _, alpha in asked):
        raise ValueError(f"levels of {[alpha for _, alpha in asked]}")
    rng = np.random.default_rng(seed)
    days = QUIET + DAYS
    p = np.where(np.arange(days) < QUIET, before, rate)
    n = rng.poisson(per_day, (streams, days))
    hits = rng.binomial(n, p)
    starts = start_weights(days)
    found = np.zeros((streams, days), dtype=bool)
    for limit, alpha in asked:
        bets = rate_bets(limit)
        stake = np.array(list(bets))[:, None]
        growth = hits[:, None] * np.log1p(stake * (1 - limit) / limit) + (n - hits)[:, None] * np.log1p(
            -stake
        )
        found |= log_evidence(growth, list(bets.values()), starts) >= np.log(1 / alpha)
    first = np.where(found.any(axis=1), np.argmax(found, axis=1) - QUIET + 1, DAYS + 1)
    half, most = (int(np.quantile(first, q, method="higher")) for q in (0.5, 0.8))
    return Seen(
        rate=rate,
        per_day=per_day,
        half=_days(half),
        most=_days(most),
        seen=float(np.mean(first <= DAYS)),
    )


def _days(n: int) -> int | None:
    return None if n > DAYS else max(n, 1)
