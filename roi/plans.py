"""Ways to fix a pilot: remedies, measurements and mends that have no price yet, each with its worth.

A plan rolls out after its remedies and measurements, if these then let every gate pass; else it stops, and what it
cost is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.cashflow import annuity
from roi.draws import one_sided_bounds, stream
from roi.gate import Gate
from roi.information import Prices, after_sampling, explained, left_open
from roi.options import Kind, Option, Remedy, Valuer, subsets
from roi.parameters import Policy
from roi.rates import severe_errors

__all__ = ["Measure", "Plan", "best_plans", "measuring_plans"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A measurement that a gate waits for.

    Attributes:
        gate: The gate; "value" where it is the worth itself that is not sure enough.
        what: What to do, in words.
        n: Cases.
        price: Its price; None where the parameter file has no price for it.
        months: How long it takes.
        learned: Share of the variance of the minutes saved that it removes; 0 where it serves another end.
        fresh: Whether it takes new cases, which other measurements can share.
    """

    gate: str
    what: str
    n: int
    price: float | None
    months: float
    learned: float = 0.0
    fresh: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A way to a roll-out.

    Attributes:
        option: The roll-out it leads to, with the plan's costs and delay.
        remedies: What is bought.
        measures: What is measured.
        unpriced: Gates whose mend nobody has priced; the plan's worth is what they may cost at most.
        worth: Worth of the plan against stopping now, shape (n_draws,).
        cash: The same in cash alone.
        passes: Chance that every gate passes in the end.
        price: What remedies and measurements cost, expected.
        without: Worth of the same plan without each remedy, by name; None where it does not stand without it.
    """

    option: Option
    remedies: tuple[Remedy, ...]
    measures: tuple[Measure, ...]
    unpriced: tuple[Gate, ...]
    worth: Floats
    cash: Floats
    passes: float
    price: float

    def mean(self) -> float:
        """Expected worth."""
        return float(np.mean(self.worth))


GatesOf = Callable[[tuple[str, ...] | None], Sequence[Gate]]


def best_plans(
    valuer: Valuer,
    scopes: Sequence[tuple[str, ...] | None],
    gates_of: GatesOf,
    prices: Prices,
    policy: Policy,
    *,
    seed: int,
) -> tuple[Plan | None, Plan | None]:
    """The best plan at its price, and the best one that waits for a quote.

    Args:
        valuer: Values roll-outs.
        scopes: Sets of segments to consider; None is all of them.
        gates_of: The gates of a scope as they stand.
        prices: What measuring costs.
        policy: The policy's thresholds.
        seed: Seed of the run.

    Returns:
        The plan of highest expected worth with every mend priced, and that with an unpriced mend which, had for
        nothing, would let `scale` pass. None where there is none. Doing nothing is not a plan.
    """
    priced: Plan | None = None
    waiting: Plan | None = None
    for segments in scopes:
        failing = [g for g in gates_of(segments) if not g.holds]
        bare: Plan | None = None
        for chosen in subsets(
            valuer.remedies, budget=policy.fix_budget, weeks=policy.fix_weeks, valuer=valuer
        ):
            if any(r.cost is None for r in chosen):
                continue
            plan = _plan(valuer, segments, chosen, failing, prices, policy, seed)
            if plan is None:
                continue
            if not plan.unpriced:
                if not chosen and not plan.measures:
                    bare = plan
                    continue
                if bare is not None and plan.mean() <= bare.mean():
                    continue  # a remedy that costs more than it gives is never bought
                priced = plan if priced is None or plan.mean() > priced.mean() else priced
            elif float((plan.worth > policy.hurdle).mean()) >= policy.scale_probability:
                waiting = plan if waiting is None or plan.mean() > waiting.mean() else waiting
    return priced, waiting


def _plan(
    valuer: Valuer,
    segments: tuple[str, ...] | None,
    chosen: tuple[Remedy, ...],
    failing: Sequence[Gate],
    prices: Prices,
    policy: Policy,
    seed: int,
) -> Plan | None:
    draws = valuer.measured.draws
    passes = np.ones(draws)
    measures: list[Measure] = []
    unpriced: list[Gate] = []
    for gate in failing:
        mended = mended_share(gate, segments, chosen, valuer, policy, seed)
        if mended is not None:
            passes = passes * mended
            continue
        if gate.gate == "covered_demand" or (gate.gate == "usable_inputs" and gate.state == "exceeded"):
            return None  # a narrower scope, or a remedy, is the only way
        if gate.gate == "severe_errors" and gate.state == "exceeded":
            unpriced.append(gate)
            continue
        measure = measure_for(gate, segments, valuer, prices, policy)
        if measure is None or measure.price is None:
            unpriced.append(gate)
            continue
        measures.append(measure)
        if gate.gate == "severe_errors":
            passes = passes * _will_show(measure.n, segments, valuer, policy, seed)
    fresh = max((m.n for m in measures if m.fresh), default=0)
    price = sum(m.price or 0.0 for m in measures if not m.fresh)
    price += (prices.labels(fresh) or 0.0) + (prices.setup if measures else 0.0)
    months = max((m.months for m in measures), default=0.0)
    kind: Kind = "scale" if segments is None else "scale_segments"
    option = valuer.roll_out(
        segments,
        remedies=chosen,
        one_off=price,
        delay=months,
        kind=kind,
        label="Fix, then scale",
    )
    if option is None:
        return None
    e = valuer.economics
    spent = float(np.mean(option.schedule.one_off)) + float(
        np.mean(
            e.pilot_cost
            * (annuity(e.discount, e.horizon) - annuity(e.discount, e.horizon, option.schedule.delay))
        )
    )
    learned = max((m.learned for m in measures), default=0.0)
    worth, cash = _decided_later(option, passes, spent, learned, policy, valuer)
    return Plan(
        option=option,
        remedies=chosen,
        measures=tuple(measures),
        unpriced=tuple(unpriced),
        worth=worth,
        cash=cash,
        passes=float(passes.mean()),
        price=price + sum(float(np.mean(r.cost)) for r in chosen if r.cost is not None),
    )


def _decided_later(
    option: Option, passes: Floats, spent: float, learned: float, policy: Policy, valuer: Valuer
) -> tuple[Floats, Floats]:
    """Worth of rolling out only where the gates pass and, after a measurement, the chance suffices."""
    if not learned > 0:
        return passes * option.worth - (1 - passes) * spent, passes * option.cash - (1 - passes) * spent
    worth = option.worth
    fitted = explained(worth, _signals(option))
    expected, taken = after_sampling(
        worth, fitted, learned, probability=policy.scale_probability, hurdle=policy.hurdle
    )
    go = taken * passes
    realised = expected + left_open(worth, fitted, learned)
    in_cash = realised - (worth - option.cash)
    return go * realised - (1 - go) * spent, go * in_cash - (1 - go) * spent


def _signals(option: Option) -> list[Floats]:
    scope = option.scope
    assert scope is not None
    assert scope.minutes_saved is not None
    signals = [scope.minutes_saved]
    if scope.error_rate[0] is not None and scope.error_rate[1] is not None:
        signals.append(scope.error_rate[0] - scope.error_rate[1])
    return signals


def mended_share(
    gate: Gate,
    segments: tuple[str, ...] | None,
    chosen: tuple[Remedy, ...],
    valuer: Valuer,
    policy: Policy,
    seed: int,
) -> Floats | None:
    """Draw by draw, whether the chosen remedies make a gate pass, shape (n_draws,); None where none addresses it."""
    draws = valuer.measured.draws
    moments = valuer.measured.moments
    inside = moments.chosen(segments)
    if gate.gate == "usable_inputs":
        left = np.multiply(valuer.left_of("data", chosen), valuer.left_of("usable_inputs", chosen))
        if not np.any(np.less(left, 1)) or gate.value is None:
            return None
        rows = inside[moments.segment]
        known, clean = float(moments.inputs_known[rows].sum()), float(moments.inputs_clean[rows].sum())
        share = stream(seed, "usable_inputs").beta(clean + 0.5, known - clean + 0.5, draws)
        return (1 - (1 - share) * left >= policy.min_usable_inputs).astype(np.float64)
    if gate.gate == "severe_errors":
        kept, _ = valuer.effect_of(chosen)
        if not np.any(np.less(kept, 1)) or gate.value is None or gate.state != "exceeded":
            return None
        found = severe_errors(moments, inside)
        rate = stream(seed, "severe_rate").beta(
            found.effective_events + 0.5, found.effective_n - found.effective_events + 0.5, draws
        )
        return (rate * kept <= policy.max_severe_error_rate).astype(np.float64)
    return np.ones(draws) if any(r.addresses == gate.gate for r in chosen) else None


def _will_show(n: int, segments: tuple[str, ...] | None, valuer: Valuer, policy: Policy, seed: int) -> Floats:
    """Draw by draw, whether `n` further labelled cases will show severe errors below the limit."""
    moments = valuer.measured.moments
    inside = moments.chosen(segments)
    found = severe_errors(moments, inside)
    draws = valuer.measured.draws
    rng = stream(seed, "will_show")
    rate = rng.beta(found.effective_events + 0.5, found.effective_n - found.effective_events + 0.5, draws)
    further = rng.binomial(n, rate)
    total = (found.n + n) / found.effect
    most = -1
    for events in range(60):
        hits = (found.events + events) / found.effect
        if hits > total or one_sided_bounds(hits, total)[1] > policy.max_severe_error_rate:
            break
        most = events
    return (further <= most).astype(np.float64)


def measure_for(
    gate: Gate, segments: tuple[str, ...] | None, valuer: Valuer, prices: Prices, policy: Policy
) -> Measure | None:
    """The measurement that a gate waits for; None where it waits for something else."""
    moments = valuer.measured.moments
    if gate.gate == "severe_errors" and gate.more_cases is not None:
        inside = moments.chosen(segments)
        spare = severe_errors(moments, inside).needed(policy.max_severe_error_rate, 1)
        n = spare if spare is not None else gate.more_cases  # room for one severe error among the new cases
        return Measure(
            gate=gate.gate,
            what=f"Label {n:,} more cases",
            n=n,
            price=prices.labels(n),
            months=prices.months(n),
        )
    if gate.gate == "usable_inputs" and gate.more_cases is not None:
        n = gate.more_cases
        what = f"Record input defects of {n:,} cases"
        return Measure(gate=gate.gate, what=what, n=n, price=prices.labels(n), months=prices.months(n))
    if gate.gate == "human_approval" and gate.more_cases is not None:
        n = gate.more_cases
        what = f"Log {n:,} more high-risk actions"
        return Measure(gate=gate.gate, what=what, n=n, price=prices.cases(n), months=prices.months(n))
    if gate.gate == "complete_minutes" and gate.more_cases is not None:
        n = gate.more_cases
        what = f"Time {n:,} cases in place of those without minutes"
        return Measure(
            gate=gate.gate, what=what, n=n, price=prices.cases(n), months=prices.months(n), learned=0.5
        )
    if gate.gate == "measured_baseline" and gate.more_cases is not None:
        n = gate.more_cases
        return Measure(
            gate=gate.gate,
            what=gate.mend,
            n=n,
            price=prices.baseline(n),
            months=prices.months(n),
            learned=0.9,
            fresh=False,
        )
    if gate.gate == "design" and gate.more_cases is not None:
        n = gate.more_cases
        saved = valuer.measured.scope(segments).minutes_saved
        plain = valuer.measured.without_bias().scope(segments).minutes_saved
        if saved is None or plain is None:
            return None
        before, sampled = float(saved.var()), float(plain.var())
        learned = 1 - (1 / (1 / before + 1 / sampled)) / before if before > 0 and sampled > 0 else 0.0
        return Measure(
            gate=gate.gate,
            what=gate.mend,
            n=n,
            price=prices.cases(n),
            months=prices.months(n),
            learned=float(learned),
        )
    return None


def measuring_plans(
    valuer: Valuer,
    scopes: Sequence[tuple[str, ...] | None],
    gates_of: GatesOf,
    prices: Prices,
    policy: Policy,
) -> Plan | None:
    """Where every gate holds and only the worth is not sure enough: the sample worth most after its price."""
    if prices.per_case is None:
        return None
    best: Plan | None = None
    moments = valuer.measured.moments
    for segments in scopes:
        if any(not g.holds for g in gates_of(segments)):
            continue
        inside = moments.chosen(segments)[moments.segment]
        seen = int(moments.n[inside].sum())
        for times in (0.25, 0.5, 1, 2, 4):
            n = max(int(round(seen * times, -1)), 10)
            price = prices.setup + n * prices.per_case
            months = prices.months(n)
            kind: Kind = "scale" if segments is None else "scale_segments"
            option = valuer.roll_out(
                segments, one_off=price, delay=months, kind=kind, label="Measure, then decide"
            )
            if option is None:
                continue
            e = valuer.economics
            early = annuity(e.discount, e.horizon) - annuity(e.discount, e.horizon, months)
            spent = price + float(np.mean(e.pilot_cost * early))
            learned = n / (n + seen)
            everything = np.ones(valuer.measured.draws)
            worth, cash = _decided_later(option, everything, spent, learned, policy, valuer)
            measure = Measure(
                gate="value",
                what=f"Sample {n:,} more cases in both arms",
                n=n,
                price=price,
                months=months,
                learned=learned,
            )
            plan = Plan(
                option=option,
                remedies=(),
                measures=(measure,),
                unpriced=(),
                worth=worth,
                cash=cash,
                passes=1.0,
                price=price,
            )
            best = plan if best is None or plan.mean() > best.mean() else best
    return best
