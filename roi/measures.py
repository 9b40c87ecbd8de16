"""Measurements that a gate, or the worth itself, waits for: how many cases, what they cost, what they would tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from roi.draws import one_sided_bounds, stream
from roi.gate import Gate
from roi.moments import Moments
from roi.options import Valuer
from roi.parameters import Policy
from roi.rates import NOTHING_LABELLED, SevereErrors, severe_errors
from roi.tariff import Prices

__all__ = [
    "Learned",
    "Measure",
    "cost_of",
    "length_of",
    "measure_for",
    "more_baseline",
    "more_cases",
    "more_labels",
    "priced_again",
    "show_severe",
]

Floats = npt.NDArray[np.float64]
Pool = Literal["labels", "cases", "baseline", "words"]
Learned = tuple[float, float]

SIZES = (0.5, 1.0, 2.0, 4.0)  # of a further sample, in multiples of the one there is


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A measurement.

    Attributes:
        gate: The gate that waits for it; "value" where it is the worth itself that is not sure enough.
        what: What to do, in words.
        n: Cases.
        price: Price of its cases without the set-up; None where the parameter file has no price for it.
        months: How long it takes.
        learned: Share of the variance of minutes saved, and of errors avoided, that it removes; 0 where it serves
            another end.
        pool: Cases that measurements of one pool share.
    """

    gate: str
    what: str
    n: int
    price: float | None
    months: float
    learned: Learned = (0.0, 0.0)
    pool: Pool = "cases"


def cost_of(measures: Sequence[Measure], prices: Prices) -> float:
    """What measurements cost together: of one pool the dearest, and the set-up once; without a price 0."""
    pools = {m.pool for m in measures}
    total = sum(max(m.price or 0.0 for m in measures if m.pool == pool) for pool in sorted(pools))
    return total + (prices.setup if any(m.price for m in measures) else 0.0)


def priced_again(measure: Measure, prices: Prices) -> Measure:
    """The same measurement at other prices and another pace."""
    price: float | None = measure.price
    if measure.pool == "labels":
        price = prices.labels(measure.n)
    elif measure.pool == "baseline":
        price = prices.baseline(measure.n)
    elif measure.pool == "cases":
        price = prices.cases(measure.n)
        if measure.gate == "value" and price is not None and prices.per_label is not None:
            price += measure.n * prices.per_label
    months = measure.months if measure.pool == "words" else prices.months(measure.n)
    return replace(measure, price=price, months=months)


def length_of(measures: Sequence[Measure]) -> float:
    """Months until all of them are done; they run side by side."""
    return max((m.months for m in measures), default=0.0)


def measure_for(
    gate: Gate, segments: tuple[str, ...] | None, valuer: Valuer, prices: Prices, policy: Policy
) -> Measure | None:
    """The measurement that a gate waits for; None where it waits for something else."""
    if gate.free:
        return Measure(gate=gate.gate, what=gate.mend, n=0, price=0.0, months=0.0, pool="words")
    if gate.more_cases is None or gate.state == "exceeded":
        return None
    measured, n = valuer.measured, gate.more_cases
    if gate.gate == "severe_errors":
        spare = _looked_at(measured.moments, segments)
        # Room for one severe error among the new cases: what only a clean sample can pass mostly fails.
        roomy = spare.needed(policy.max_severe_error_rate, 1) or n
        fewer = f" ({n:,} will do if none has a severe error)" if roomy > n else ""
        what = f"Label {roomy:,} more cases{fewer}"
        return _of(gate.gate, what, roomy, prices.labels(roomy), prices, pool="labels")
    if gate.gate == "usable_inputs":
        return _of(
            gate.gate, f"Record input defects of {n:,} cases", n, prices.labels(n), prices, pool="labels"
        )
    if gate.gate == "human_approval":
        return _of(gate.gate, f"Log {n:,} more high-risk actions", n, prices.cases(n), prices)
    if gate.gate == "complete_minutes":
        return _of(
            gate.gate, f"Time {n:,} cases in place of those without minutes", n, prices.cases(n), prices
        )
    if gate.gate not in ("measured_baseline", "design"):
        return None
    saved = valuer.scope(segments).minutes_saved
    if saved is None:
        return None
    total = float(saved.var())
    if gate.gate == "measured_baseline" and measured.moments.sourced:
        learned = _of_sampling(n, segments, valuer)
        return _of(gate.gate, gate.mend, n, prices.cases(n), prices, learned=(learned, learned))
    if gate.gate == "design":
        sampled = measured.without_bias().scope(segments).minutes_saved
        assert sampled is not None
        after = _combined(total, float(sampled.var()))
        learned = 1 - after / total if total > 0 else 0.0
        return _of(gate.gate, gate.mend, n, prices.cases(n), prices, learned=(learned, learned))
    return _timed(gate.gate, gate.mend, n, saved, valuer, prices)


def _timed(gate: str, what: str, n: int, saved: Floats, valuer: Valuer, prices: Prices) -> Measure | None:
    """Timing `n` cases without the agent: what it tells of the baseline's minutes, which may be stated or sampled."""
    measured = valuer.measured
    moments = measured.moments
    baseline = measured.arm_mean("human_minutes", 0)
    if baseline is None or not float(saved.var()) > 0:
        return None
    known, total = float(baseline.var()), float(saved.var())
    timed = 0 if measured.stand_in else _timed_baseline(moments)
    if timed:
        # What the cases there are tell is shared out over more of them; of people, over more people.
        removed = min(known, total) * n / (n + timed)
    else:
        spread = moments.spread.get("pilot")
        if spread is None or not spread.mean > 0:
            return None
        # Baseline cases are taken to vary as much, relative to their mean, as the pilot's: P5 to P95 is 3.29
        # deviations.
        case = (spread.p95 - spread.p05) / 3.29 / spread.mean * float(baseline.mean())
        removed = known - _combined(known, case**2 / n)
    learned = (min(removed / total, 1.0), 0.0)
    return _of(gate, what, n, prices.baseline(n), prices, learned=learned, pool="baseline")


def _timed_baseline(moments: Moments) -> int:
    column = moments.column("human_minutes")
    return 0 if column is None else int(moments.count[moments.arm == 0, column].sum())


def _looked_at(moments: Moments, segments: tuple[str, ...] | None) -> SevereErrors:
    """The labelled cases that further ones are added to; what a report counts shows nothing."""
    return NOTHING_LABELLED if moments.sourced else severe_errors(moments, moments.chosen(segments))


def _of_sampling(n: int, segments: tuple[str, ...] | None, valuer: Valuer) -> float:
    """Share of the variance of minutes saved that `n` cases, half in each arm, take away; the design's bias stays."""
    measured = valuer.measured
    with_bias = measured.scope(segments).minutes_saved
    sampled = measured.without_bias().scope(segments).minutes_saved
    moments, column = measured.moments, measured.moments.column("human_minutes")
    if with_bias is None or sampled is None or column is None or moments.square is None:
        return 0.0
    new = 0.0
    for arm in (0, 1):
        rows = moments.arm == arm
        k = max(float(moments.count[rows, column].sum()), 1.0)
        mean = float(moments.total[rows, column].sum()) / k
        new += max(float(moments.square[rows, column].sum()) / k - mean**2, 0.0) / (n / 2)
    total, before = float(with_bias.var()), float(sampled.var())
    return max(before - _combined(before, new), 0.0) / total if total > 0 else 0.0


def _combined(first: float, second: float) -> float:
    """Variance of the combination of two independent estimates."""
    return 1 / (1 / first + 1 / second) if first > 0 and second > 0 else 0.0


def _of(
    gate: str,
    what: str,
    n: int,
    price: float | None,
    prices: Prices,
    *,
    learned: Learned = (0.0, 0.0),
    pool: Pool = "cases",
) -> Measure:
    return Measure(
        gate=gate, what=what, n=n, price=price, months=prices.months(n), learned=learned, pool=pool
    )


def more_cases(segments: tuple[str, ...] | None, valuer: Valuer, prices: Prices) -> list[Measure]:
    """Further samples of several sizes that would make the worth surer; a design's bias is not learned away.

    Where people are the independent unit, further cases of the same people would tell little: they come from further
    ones, as many cases each.
    """
    measured = valuer.measured
    moments = measured.moments
    seen = int(moments.n[moments.chosen(segments)[moments.segment]].sum())
    by_sampling = valuer.held(("by_sampling", segments), lambda: _by_sampling(segments, valuer))
    if not seen or not by_sampling[0] > 0:
        return []
    people = np.unique(moments.unit).size if moments.unit_kind == "worker" else 0
    found = []
    for times in SIZES:
        n = max(int(round(seen * times, -1)), 10)
        price = prices.cases(n)
        if price is not None and prices.per_label is not None:
            price += n * prices.per_label
        found.append(
            Measure(
                gate="value",
                what=f"Sample {n:,} more cases, as before and with the agent"
                + (f", worked by {math.ceil(people * n / seen)} further people" if people else ""),
                n=n,
                price=price,
                months=prices.months(n),
                learned=(n / (n + seen) * by_sampling[0], n / (n + seen) * by_sampling[1]),
            )
        )
    return found


def _by_sampling(segments: tuple[str, ...] | None, valuer: Valuer) -> Learned:
    """Shares of the variance of minutes saved and of errors avoided that are sampling error; the rest is bias."""
    measured = valuer.measured
    whole = valuer.scope(segments)
    alone = whole if not measured.bias_sd > 0 else measured.without_bias().scope(segments)

    def share(with_bias: Floats | None, sampled: Floats | None) -> float:
        if with_bias is None or sampled is None or not float(np.ptp(with_bias)) > 0:
            return 0.0
        return 1.0 if with_bias is sampled else min(float(sampled.var() / with_bias.var()), 1.0)

    avoided = [None if x is None or y is None else x - y for x, y in (whole.error_rate, alone.error_rate)]
    return share(whole.minutes_saved, alone.minutes_saved), share(avoided[0], avoided[1])


def more_labels(
    segments: tuple[str, ...] | None,
    valuer: Valuer,
    prices: Prices,
    *,
    around: int | None = None,
    teach: bool = True,
) -> list[Measure]:
    """People's labels on several numbers of further cases: they tell of errors, not of minutes.

    Args:
        segments: Names; None for all.
        valuer: What was measured.
        prices: What measuring costs.
        around: The number of labels that a gate waits for; None takes multiples of those there are.
        teach: Whether what they tell of errors counts, beside the gate.
    """
    seen = sum(valuer.measured.rates.effective)
    by_sampling = valuer.held(("by_sampling", segments), lambda: _by_sampling(segments, valuer))[1]
    base = around or sum(valuer.measured.rates.labelled)
    if not base:
        return []
    gate = "value" if around is None else "severe_errors"
    found = []
    for times in SIZES:
        n = around if times == 1 and around is not None else max(int(round(base * times, -1)), 10)
        learned = (0.0, n / (n + seen) * by_sampling if seen > 0 and teach else 0.0)
        what = f"Label {n:,} more cases"
        found.append(_of(gate, what, n, prices.labels(n), prices, learned=learned, pool="labels"))
    return found


def more_baseline(
    segments: tuple[str, ...] | None, valuer: Valuer, prices: Prices, *, around: int | None = None
) -> list[Measure]:
    """Timing several numbers of further cases without the agent; arguments as those of `more_labels`."""
    base = around or _timed_baseline(valuer.measured.moments)
    saved = valuer.scope(segments).minutes_saved
    if not base or saved is None:
        return []
    gate = "value" if around is None else "measured_baseline"
    found = []
    for times in SIZES:
        n = around if times == 1 and around is not None else max(int(round(base * times, -1)), 10)
        found.append(_timed(gate, f"Time {n:,} more cases without the agent", n, saved, valuer, prices))
    return [m for m in found if m is not None]


def show_severe(
    n: int, segments: tuple[str, ...] | None, valuer: Valuer, policy: Policy, seed: int
) -> Floats:
    """Draw by draw, whether `n` further labelled cases will show severe errors below the limit, shape (n_draws,)."""
    moments = valuer.measured.moments
    found = severe_errors(moments, moments.chosen(segments))
    shown = _looked_at(moments, segments)
    return _shown_by(n, found, shown, policy.max_severe_error_rate, valuer.measured.draws, seed)


@lru_cache(maxsize=64)
def _shown_by(
    n: int, found: SevereErrors, shown: SevereErrors, limit: float, draws: int, seed: int
) -> Floats:
    """The same of counts, which every set of remedies asks for again; read-only."""
    rng = stream(seed, "show_severe")
    # Where nobody has labelled anything yet, the rate is taken to be as likely above the limit as below: half an event
    # in as many cases as have half an event at the limit.
    others = found.effective_n - found.effective_events + 0.5 if found.n else 0.5 / limit
    rate = rng.beta(found.effective_events + 0.5, others, draws)
    further = rng.binomial(n, rate)
    total = (shown.n + n) / shown.effect
    most = -1
    for events in range(60):
        hits = (shown.events + events) / shown.effect
        if hits > total or one_sided_bounds(hits, total)[1] > limit:
            break
        most = events
    passes = (further <= most).astype(np.float64)
    passes.flags.writeable = False
    return passes
