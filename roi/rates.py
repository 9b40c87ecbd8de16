"""Rates of outcomes and their severities, by arm and segment.

Money uses the rate of any error in each arm times one distribution of severities that both arms share, so that no
millions are invented from zero events; only a class that the pilot arm shows often is told apart, so that the baseline
does not inherit the pilot's harm. Severe errors are judged apart, by exact bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.cells import ASSUMED_CORRELATION, degrees_of_a_mean, design_effect, intra_unit_correlation
from roi.draws import beta_draws, dirichlet_draws, one_sided_bounds, stream, t_quantile
from roi.moments import Moments

__all__ = ["Rates", "SevereErrors", "draw_rates", "severe_errors"]

Floats = npt.NDArray[np.float64]

OUTCOMES = ("correct", "error", "escalated", "abandoned")
HALF_AN_EVENT = 0.5
ENOUGH_EVENTS = 5  # of a severity class in the pilot arm, before the arms may differ in it


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


def unit_counts(moments: Moments, rows: npt.NDArray[np.bool_], values: npt.NDArray[np.int64]) -> Floats:
    """Sums of `values` over the rows of each unit, shape (units,)."""
    size = int(moments.unit.max()) + 1 if moments.unit.size else 0
    return np.bincount(moments.unit[rows], weights=values[rows], minlength=size).astype(np.float64)


def correlation_within(moments: Moments, arm: int, outcome: int = 1) -> float:
    """Correlation of an outcome within a worker: as sampled, at the least 0.1; 0 where cases are the unit."""
    if moments.unit_kind == "case" and not moments.few_workers:
        return 0.0
    rows = moments.arm == arm
    seen = intra_unit_correlation(
        unit_counts(moments, rows, moments.outcome[:, outcome]), unit_counts(moments, rows, moments.labelled)
    )
    return max(seen, ASSUMED_CORRELATION)


def _effect(moments: Moments, arm: int, rows: npt.NDArray[np.bool_], correlation: float) -> float:
    n = unit_counts(moments, rows & (moments.arm == arm), moments.labelled)
    if moments.few_workers and moments.workers:
        workers = max(moments.workers.get(("baseline", "pilot")[arm], 0), 1)
        n = np.full(workers, n.sum() / workers)
    return design_effect(n, correlation)


def _for_few_units(moments: Moments, arm: int) -> float:
    """Squared ratio of t's to the normal's quantile: how much less cases are worth whose units are few."""
    if moments.unit_kind == "case" or moments.few_workers:
        return 1.0
    df = degrees_of_a_mean(unit_counts(moments, moments.arm == arm, moments.labelled))
    return float((t_quantile(0.95, df) / t_quantile(0.95, np.inf)) ** 2)


def draw_rates(moments: Moments, severity_mix: Floats, *, draws: int, seed: int) -> Rates:
    """Draw error and escalation rates of every cell and the severities of errors.

    The prior of an arm is centred at the rate pooled over both arms and has the weight of half an event, split over the
    segments: a rate that was never seen is small, and as small in both arms, but not 0. (With the weight of one case
    instead, 90 % intervals of rates of 1 % held the truth 20 to 60 times in 100.)

    Args:
        moments: Moments of the production cases.
        severity_mix: Prior shares of the four severities, shape (4,).
        draws: Number of draws.
        seed: Seed of the run.

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
    pooled = (float(moments.outcome[:, 1].sum()) + 0.5) / (sum(labelled) + 1)
    effective, correlations = [], []
    everything = np.ones(moments.arm.size, dtype=bool)
    for arm in (0, 1):
        correlation = correlation_within(moments, arm)
        deff = _effect(moments, arm, everything, correlation) * _for_few_units(moments, arm)
        effective.append(labelled[arm] / deff)
        correlations.append(correlation)
        if labelled[arm] == 0:
            continue
        gone = moments.outcome[:, 2] + moments.outcome[:, 3]
        pooled_gone = (float(gone[moments.arm == 1].sum()) + 0.5) / (labelled[1] + 1)
        for s, name in enumerate(moments.segments):
            rows = (moments.arm == arm) & (moments.segment == s)
            n = float(moments.labelled[rows].sum())
            hits = float(moments.outcome[rows, 1].sum())
            rng = stream(seed, f"error_rate:{arm}:{name}")
            error[arm, s] = _rate_draws(hits / deff, (n - hits) / deff, pooled, 1 / s_count, draws, rng)
            if arm == 1:
                hits = float(gone[rows].sum())
                rng = stream(seed, f"escalated:{name}")
                escalated[s] = _rate_draws(
                    hits / deff, (n - hits) / deff, pooled_gone, 1 / s_count, draws, rng
                )
    return Rates(
        error=error,
        escalated=escalated,
        severity=_severities(moments, severity_mix, draws=draws, seed=seed),
        labelled=(labelled[0], labelled[1]),
        effective=(effective[0], effective[1]),
        correlation=max(correlations),
    )


def _rate_draws(
    hits: float, others: float, pooled: float, part: float, draws: int, rng: np.random.Generator
) -> Floats:
    """Draws of a rate under a prior at `pooled` that weighs `part` of half an event (or of half a non-event)."""
    weight = part * HALF_AN_EVENT / min(pooled, 1 - pooled)
    return beta_draws(hits + weight * pooled, others + weight * (1 - pooled), draws, rng)


def _severities(moments: Moments, mix: Floats, *, draws: int, seed: int) -> Floats:
    """Shares of errors by severity, shape (2 arms, draws, 4); minor ones take up what the others leave."""
    counts = np.stack([moments.severity[moments.arm == a].sum(axis=0) for a in (0, 1)]).astype(np.float64)
    shared = _above_minor(mix + counts.sum(axis=0), draws, stream(seed, "severity"))
    result = np.zeros((2, draws, mix.size))
    # Harm is charged to the arm that shows it; that the agent does less harm has to be shown in both.
    own = counts[1, 1:] >= ENOUGH_EVENTS
    for arm in (0, 1):
        apart = (
            _above_minor(mix + counts[arm], draws, stream(seed, f"severity:{arm}")) if own.any() else shared
        )
        worse = np.where(own, apart, shared)
        worse = worse / np.maximum(worse.sum(axis=1, keepdims=True), 1.0)
        result[arm, :, 1:] = worse
        result[arm, :, 0] = 1 - worse.sum(axis=1)
    return result


def _above_minor(weights: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Dirichlet draws of the classes above minor, each with its mean exactly: rare classes carry the money."""
    drawn = dirichlet_draws(weights, draws, rng)[:, 1:]
    mean = weights[1:] / weights.sum()
    found = drawn.mean(axis=0)
    return np.asarray(
        drawn * np.divide(mean, found, out=np.ones_like(mean), where=found > 0), dtype=np.float64
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SevereErrors:
    """Severe (major or critical) errors of the pilot arm and what their number shows.

    Attributes:
        events: Severe errors among labelled cases; errors of unknown severity count as severe.
        unknown: Errors of unknown severity among them.
        n: Labelled cases.
        effect: Design effect: labelled cases worth one independent case.
        rate: Events per labelled case; None without labelled cases.
        lower: Exact one-sided 95 % lower bound.
        upper: Exact one-sided 95 % upper bound.
    """

    events: int
    unknown: int
    n: int
    effect: float
    rate: float | None
    lower: float
    upper: float

    @property
    def effective_events(self) -> float:
        """Events per design effect."""
        return self.events / self.effect

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
        return one_sided_bounds((self.events + events) / self.effect, n)[1]


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
    rows = (moments.arm == 1) & segments[moments.segment]
    n = int(moments.labelled[rows].sum())
    errors = int(moments.outcome[rows, 1].sum())
    unknown = errors - int(moments.severity[rows].sum())
    events = int(moments.severity[rows, 2:].sum()) + unknown
    if n == 0:
        return SevereErrors(events=0, unknown=0, n=0, effect=1.0, rate=None, lower=0.0, upper=1.0)
    any_rate = (errors + 0.5) / (n + 1)
    rate = (events + 0.5) / (n + 1)
    odds = (rate / (1 - rate)) / (any_rate / (1 - any_rate))
    effect = _effect(moments, 1, rows, correlation_within(moments, 1) * min(odds, 1.0))
    lower, upper = one_sided_bounds(events / effect, n / effect)
    return SevereErrors(
        events=events, unknown=unknown, n=n, effect=effect, rate=events / n, lower=lower, upper=upper
    )
