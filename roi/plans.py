"""Ways to fix a pilot: remedies, measurements and mends that have no price yet, each with its worth.

A plan rolls out after its remedies and measurements, if these then let every gate pass and the chance of its worth
suffices; else it stops, and what it cost is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from roi.draws import stream
from roi.gate import Gate
from roi.measures import Measure, measure_for, more_cases
from roi.options import Option, Remedy, Valuer, subsets
from roi.parameters import Policy
from roi.prospects import Prospect
from roi.rates import severe_errors
from roi.tariff import Prices

__all__ = ["Plan", "best_plans", "mended_again"]

Floats = npt.NDArray[np.float64]
Segments = tuple[str, ...] | None

MORE_LIKELY = 0.5  # chance that scale passes with an unpriced mend for nothing, for it to count


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A way to a roll-out.

    Attributes:
        option: The roll-out it leads to, with the plan's costs and delay.
        remedies: What is bought.
        measures: What is measured.
        unpriced: Gates whose mend nobody has priced.
        worth: Worth of the plan against stopping now, shape (n_draws,).
        cash: The same in cash alone.
        passes: Chance that every gate passes in the end.
        chance: Chance that the roll-out exceeds the hurdle, given that the gates pass.
        sure: Chance that the rule then lets it scale, given that the gates pass.
        price: What remedies and measurements cost, expected; what has no price counts 0.
        prospect: The same roll-out, to be valued with other measurements.
    """

    option: Option
    remedies: tuple[Remedy, ...]
    measures: tuple[Measure, ...]
    unpriced: tuple[Gate, ...]
    worth: Floats
    cash: Floats
    passes: float
    chance: float
    sure: float
    price: float
    prospect: Prospect

    def mean(self) -> float:
        """Expected worth; where something has no price yet, the most that it may cost."""
        return float(np.mean(self.worth))

    @property
    def waits(self) -> bool:
        """Whether it waits for a price."""
        prices = [*(m.price for m in self.measures), *(r.cost for r in self.remedies)]
        return bool(self.unpriced) or any(price is None for price in prices)


GatesOf = Callable[[Segments], Sequence[Gate]]


def best_plans(
    valuer: Valuer,
    scopes: Sequence[Segments],
    gates_of: GatesOf,
    prices: Prices,
    policy: Policy,
    *,
    seed: int,
) -> tuple[Plan | None, Plan | None, tuple[Plan, ...]]:
    """The best plan at its price, the best one that waits for a price, and all that have a price.

    Args:
        valuer: Values roll-outs.
        scopes: Sets of segments to consider; None is all of them.
        gates_of: The gates of a scope as they stand.
        prices: What measuring costs.
        policy: The thresholds.
        seed: Seed of the run.

    Returns:
        The plan of highest expected worth with every mend priced, and that with an unpriced mend which, had for
        nothing, would let `scale` pass; None where there is none. Last, every plan with every mend priced. Doing
        nothing is not a plan, and a remedy is bought only where the plan is worth more with it than without.
    """
    priced: Plan | None = None
    waiting: Plan | None = None
    every: list[Plan] = []
    for segments in scopes:
        failing = [g for g in gates_of(segments) if not g.holds]
        for chosen in subsets(
            valuer.remedies, budget=policy.fix_budget, weeks=policy.fix_weeks, valuer=valuer
        ):
            plan = _plan(valuer, segments, chosen, failing, prices, policy, seed)
            if plan is None or not (plan.remedies or plan.measures or plan.unpriced):
                continue
            if not plan.waits:
                every.append(plan)
                priced = plan if priced is None or plan.mean() > priced.mean() else priced
            else:
                if plan.sure >= MORE_LIKELY:
                    waiting = plan if waiting is None or plan.mean() > waiting.mean() else waiting
    return priced, waiting, tuple(every)


def _plan(
    valuer: Valuer,
    segments: Segments,
    chosen: tuple[Remedy, ...],
    failing: Sequence[Gate],
    prices: Prices,
    policy: Policy,
    seed: int,
) -> Plan | None:
    passes = np.ones(valuer.measured.draws)
    measures: list[Measure] = []
    unpriced: list[Gate] = []
    for gate in failing:
        mended = mended_share(gate, segments, chosen, valuer, policy, seed)
        if mended is not None:
            passes = passes * mended
            continue
        if gate.gate == "covered_demand" or (gate.gate == "usable_inputs" and gate.state == "exceeded"):
            return None  # a narrower scope, or a remedy, is the only way
        measure = measure_for(gate, segments, valuer, prices, policy)
        if measure is None:
            unpriced.append(gate)
            continue
        measures.append(measure)
    prospect = Prospect(
        valuer=valuer,
        segments=segments,
        remedies=chosen,
        mended=passes,
        prices=prices,
        policy=policy,
        seed=seed,
    )
    if prospect.option is None:
        return None
    direct = _valued(prospect, tuple(measures), tuple(unpriced))
    if direct.chance >= policy.scale_probability or any(any(m.learned) for m in measures):
        return direct
    # The gates may pass, but the rule would still not let it scale: only a larger sample can make it sure enough.
    sampled = [
        _valued(prospect, (*measures, more), tuple(unpriced)) for more in more_cases(segments, valuer, prices)
    ]
    return max(sampled, key=lambda p: p.mean(), default=None)


def _valued(prospect: Prospect, measures: tuple[Measure, ...], unpriced: tuple[Gate, ...]) -> Plan:
    """Worth of a plan: the roll-out where the gates pass and the chance suffices, else what was spent, lost."""
    found = prospect.after(measures)
    passes, policy = found.passes, prospect.policy
    total = float(passes.sum())
    chance = float((passes * (found.option.worth > policy.hurdle)).sum()) / total if total > 0 else 0.0
    remedies = [r.cost for r in prospect.remedies if r.cost is not None]
    return Plan(
        option=replace(found.option, note="after what the plan buys"),
        remedies=prospect.remedies,
        measures=measures,
        unpriced=unpriced,
        worth=found.worth,
        cash=found.cash,
        passes=float(passes.mean()),
        chance=chance,
        sure=float(found.go.sum()) / total if total > 0 else 0.0,
        price=found.price + sum(float(np.mean(cost)) for cost in remedies),
        prospect=prospect,
    )


def mended_again(plan: Plan, valuer: Valuer, failing: Sequence[Gate]) -> Floats:
    """Whether the gates that a plan's remedies mend pass where these have other draws than it was made with.

    Args:
        plan: The plan.
        valuer: With the remedies as they are drawn now.
        failing: The gates that do not hold as it stands.

    Returns:
        Chances, draw by draw, shape (n_draws,).
    """
    then = plan.prospect
    names = {r.name for r in plan.remedies}
    chosen = tuple(r for r in valuer.remedies if r.name in names)
    passes = np.ones(valuer.measured.draws)
    for gate in failing:
        mended = mended_share(gate, then.segments, chosen, valuer, then.policy, then.seed)
        if mended is not None:
            passes = passes * mended
    return passes


def mended_share(
    gate: Gate,
    segments: Segments,
    chosen: tuple[Remedy, ...],
    valuer: Valuer,
    policy: Policy,
    seed: int,
) -> Floats | None:
    """Chance, draw by draw, that the chosen remedies make a gate pass, shape (n_draws,); None where none addresses it.

    A gate that is a rate passes where the rate that is left keeps the limit; any other with the share that the remedy
    is said to remove.
    """
    draws = valuer.measured.draws
    moments = valuer.measured.moments
    inside = moments.chosen(segments)
    addressed = any(r.addresses == gate.gate for r in chosen)
    left = valuer.left_of(gate.gate, chosen)
    if gate.gate == "usable_inputs":
        left = np.multiply(valuer.left_of("data", chosen), left)
        if not np.any(np.less(left, 1)) or gate.value is None:
            return None
        rows = inside[moments.segment]
        known, clean = float(moments.inputs_known[rows].sum()), float(moments.inputs_clean[rows].sum())
        share = _beta_draws(seed, "usable_inputs", clean + 0.5, known - clean + 0.5, draws)
        return (1 - (1 - share) * left >= policy.min_usable_inputs).astype(np.float64)
    if gate.gate == "severe_errors":
        kept, _ = valuer.effect_of(chosen)
        if not np.any(np.less(kept, 1)) or gate.value is None or gate.state != "exceeded":
            return None
        found = severe_errors(moments, inside)
        rate = _beta_draws(
            seed,
            "severe_rate",
            found.effective_events + 0.5,
            found.effective_n - found.effective_events + 0.5,
            draws,
        )
        return (rate * kept <= policy.max_severe_error_rate).astype(np.float64)
    if not addressed:
        return None
    if gate.gate == "human_approval" and gate.counts is not None:
        misses, n = gate.counts
        rate = _beta_draws(seed, "approval_misses", misses + 0.5, n - misses + 0.5, draws)
        return (rate * left <= policy.max_approval_miss_rate).astype(np.float64)
    return np.broadcast_to(np.subtract(1, left), (draws,)).astype(np.float64)


@lru_cache(maxsize=32)
def _beta_draws(seed: int, name: str, a: float, b: float, draws: int) -> Floats:
    """Draws of a rate, which every set of remedies asks for again; read-only."""
    drawn = stream(seed, name).beta(a, b, draws)
    drawn.flags.writeable = False
    return drawn
