"""Rates of outcomes and their severities, by arm and segment.

Money uses the rate of any error in each arm times the shares of severities (`roi.severities`). Severe errors are judged
apart, by exact bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from roi.cells import CellDraws
from roi.clusters import correlation_within, effect_on_counts, likely_correlation, rate_effect
from roi.draws import normal_draws, one_sided_bounds, stream
from roi.labels import by_cell, labelled_rates, weighted_severe
from roi.marginals import rate_draws
from roi.moments import Moments
from roi.same import Same
from roi.scores import Column
from roi.severities import severity_draws

__all__ = ["NOTHING_LABELLED", "Rates", "SevereErrors", "draw_rates", "severe_errors"]

Floats = npt.NDArray[np.float64]

OUTCOMES = ("correct", "error", "escalated", "abandoned")
HALF_AN_EVENT = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Draws of outcome rates.

    Attributes:
        error: Rate of any error, shape (2 arms, segments, n_draws); NaN where the arm has no labelled case.
        escalated: Rate of escalated and abandoned pilot cases, shape (segments, n_draws), NaN likewise.
        severity: Shares of errors by severity (minor, moderate, major, critical), shape (2 arms, n_draws, 4).
        labelled: Labelled cases by arm, (baseline, pilot).
        effective: Effective number of labelled cases by arm.
        correlation: Correlation of outcomes within a worker that was used.
    """

    error: Floats
    escalated: Floats
    severity: Floats
    labelled: tuple[int, int]
    effective: tuple[float, float]
    correlation: float


def draw_rates(
    moments: Moments, severity_mix: Floats, *, draws: int, seed: int, cells: CellDraws | None = None
) -> Rates:
    """Draw error and escalation rates of every cell and the severities of errors.

    A rate is drawn around its beta distribution of the effective number of cases, with the exact interval at its ends.
    The prior weighs half an event, split over the segments, and is as large in both arms: the smaller arm is lent cases
    at the rate of both, so that a rate that was never seen is small, and as small in both arms, but not 0.

    Args:
        moments: Moments of the production cases.
        severity_mix: Expected shares of the four severities, shape (4,).
        draws: Number of draws.
        seed: Seed of the run.
        cells: Where the joint draws put each rate; None draws each rate on its own.

    Returns:
        The draws.

    Source:
        Kerman (2011), Electronic Journal of Statistics 5:1450, on priors of a fraction of an event; Korn & Graubard
        (1998), Survey Methodology 24:193, on the effective number of cases where units are few.
    """
    s_count = len(moments.segments)
    error = np.full((2, s_count, draws), np.nan)
    escalated = np.full((s_count, draws), np.nan)
    labelled = [int(moments.labelled[moments.arm == a].sum()) for a in (0, 1)]
    effects = [rate_effect(moments, arm) for arm in (0, 1)]
    found = labelled_rates(moments)
    known = found if found is not None and found.score is not None else None
    counted = [by_cell(moments, x) for x in (moments.labelled, *moments.outcome[:, 1:].T)]
    for name, result in (("error", error), ("gone", escalated[None])):
        arms = (0, 1) if name == "error" else (1,)
        raw, every = counted[1] if name == "error" else counted[2] + counted[3], counted[0]
        hits, n = (x / np.array(effects)[:, None] for x in (raw, every))
        if known is not None:
            # People's labels weighted, or a judge's word rectified by them: effective numbers as they are.
            hits, n = (known.hits, known.n) if name == "error" else (known.gone_hits, known.gone_n)
            raw, every = hits, n
        pooled = (float(raw[list(arms)].sum()) + 0.5) / (float(every[list(arms)].sum()) + 1)
        for s in range(s_count):
            for arm in arms:
                if not n[arm, s] > 0:
                    continue
                where, df = _place(cells, Column(arm, s, name), moments, draws, seed)
                lacking = max(float(n[a, s]) for a in arms) - float(n[arm, s])
                exactness = (1 if known is None else 0.5) / effects[arm] ** 2
                result[arm if len(arms) == 2 else 0, s] = _rate(
                    where, df, float(hits[arm, s]), float(n[arm, s]), lacking, pooled, 1 / s_count, exactness
                )
    seen = np.stack([moments.severity[moments.arm == a].sum(axis=0) for a in (0, 1)]).astype(np.float64)
    if known is not None and known.severity is not None:
        seen = known.severity
    effective = [x / d for x, d in zip(labelled, effects, strict=True)]
    if known is not None:
        effective = [float(x) for x in known.n.sum(axis=1)]
    return Rates(
        error=error,
        escalated=escalated,
        severity=severity_draws(seen, severity_mix, draws=draws, seed=seed),
        labelled=(labelled[0], labelled[1]),
        effective=(effective[0], effective[1]),
        correlation=max(likely_correlation(moments, arm) for arm in (0, 1)),
    )


def _place(
    cells: CellDraws | None, column: Column, moments: Moments, draws: int, seed: int
) -> tuple[Floats, float]:
    """Where the draws of a rate lie, as a t and its degrees of freedom: with the other quantities, or on their own."""
    if cells is not None and column in cells.rates:
        return cells.rates[column], cells.df
    name = f"{column.name}_rate:{column.arm}:{moments.segments[column.segment]}"
    return normal_draws(draws, stream(seed, name)), np.inf


def _rate(
    where: Floats,
    df: float,
    hits: float,
    n: float,
    lacking: float,
    pooled: float,
    part: float,
    exactness: float,
) -> Floats:
    """Draws of a rate under a prior of `part` of half an event, on as many cases as the larger arm has.

    The ends are exact where cases are independent (`exactness` 1); a design effect, which takes a correlation for
    granted, widens them already, and the share of exactness left is one over it.
    """
    if pooled > 0.5:
        return 1 - _rate(-where, df, n - hits, n, lacking, 1 - pooled, part, exactness)
    half = part * HALF_AN_EVENT
    cases = part + min(part * (HALF_AN_EVENT / pooled - 1), lacking)
    return rate_draws(where, df, hits + half, n - hits + cases - half, half * exactness)


@dataclass(frozen=True, slots=True, kw_only=True)
class SevereErrors:
    """Severe (major or critical) errors of the pilot arm and what their number shows.

    Attributes:
        events: Severe errors among labelled cases; errors of unknown severity count as severe.
        unknown: Errors of unknown severity among them.
        n: Labelled cases.
        effect: Design effect: labelled cases worth one independent case.
        rate: Events per labelled case, weighted by the chance of being chosen where chances were unlike; None without
            labelled cases.
        lower: Exact one-sided 95 % lower bound.
        upper: Exact one-sided 95 % upper bound.
        weighted: Whether the chances of being chosen were unlike; `effect` then holds what that costs.
    """

    events: int
    unknown: int
    n: int
    effect: float
    rate: float | None
    lower: float
    upper: float
    weighted: bool = False

    @property
    def effective_events(self) -> float:
        """Events per design effect."""
        return (self.rate or 0.0) * self.n / self.effect

    @property
    def effective_n(self) -> float:
        """Labelled cases per design effect."""
        return self.n / self.effect

    def needed(self, limit: float, further_events: int = 0, most: int = 1_000_000) -> int | None:
        """Further labelled cases that would show a rate below `limit`, were `further_events` of them severe.

        Args:
            limit: The limit, in (0, 1).
            further_events: Severe errors among the further cases.
            most: Look no further.

        Returns:
            The smallest number; None beyond `most`.
        """
        low, high = 0, most
        if self._upper(high, further_events) >= limit:
            return None
        while low < high:
            middle = (low + high) // 2
            if middle >= further_events and self._upper(middle, further_events) < limit:
                high = middle
            else:
                low = middle + 1
        return low

    def _upper(self, further: int, events: int) -> float:
        n = (self.n + max(further, events)) / self.effect
        return one_sided_bounds(min(self.effective_events + events / self.effect, n), n)[1]


NOTHING_LABELLED = SevereErrors(events=0, unknown=0, n=0, effect=1.0, rate=None, lower=0.0, upper=1.0)  # yet


@lru_cache(maxsize=64)
def _severe_errors(of: Same[Moments], segments: bytes) -> SevereErrors:
    return _judged(of.it, np.frombuffer(segments, dtype=np.bool_))


def severe_errors(moments: Moments, segments: npt.NDArray[np.bool_]) -> SevereErrors:
    """Judge severe errors of the pilot arm in some segments.

    How much workers differ in a rare rate is taken to be the same relative to the rate as for any error, so its
    correlation within a worker is smaller in the ratio of the odds.

    Args:
        moments: Moments of the production cases.
        segments: Which segments, shape (segments,).

    Returns:
        Counts and exact bounds on the effective number of cases.
    """
    return _severe_errors(Same(moments), np.asarray(segments, dtype=np.bool_).tobytes())


def _judged(moments: Moments, segments: npt.NDArray[np.bool_]) -> SevereErrors:
    rows = (moments.arm == 1) & segments[moments.segment]
    n = int(moments.labelled[rows].sum())
    errors = int(moments.outcome[rows, 1].sum())
    unknown = errors - int(moments.severity[rows].sum())
    events = int(moments.severity[rows, 2:].sum()) + unknown
    if n == 0:
        return NOTHING_LABELLED
    any_rate = (errors + 0.5) / (n + 1)
    rate = (events + 0.5) / (n + 1)
    odds = (rate / (1 - rate)) / (any_rate / (1 - any_rate))
    effect = effect_on_counts(moments, 1, rows, correlation_within(moments, 1) * min(odds, 1.0))
    seen = events / n
    weighted = weighted_severe(moments, segments)
    if weighted is not None:
        effect, seen = effect * n / weighted.n, weighted.rate
    lower, upper = one_sided_bounds(seen * n / effect if weighted else events / effect, n / effect)
    return SevereErrors(
        events=events,
        unknown=unknown,
        n=n,
        effect=effect,
        rate=seen,
        lower=lower,
        upper=upper,
        weighted=weighted is not None,
    )
