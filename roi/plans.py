"""Ways to fix a pilot: remedies, measurements and mends that have no price yet, each with its worth.

A plan rolls out after its remedies and measurements, if these then let every gate pass and the chance of its worth
suffices; else it stops, and what it cost is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from roi.gate import Gate
from roi.measures import Measure
from roi.mended import mended_share, only_mended
from roi.options import Option, Valuer
from roi.prospects import After, Prospect
from roi.remedies import Remedy

__all__ = ["Opening", "Plan", "at_once", "mended_again", "opening", "plan_of"]

Floats = npt.NDArray[np.float64]
Segments = tuple[str, ...] | None


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
        return float(self.worth.mean())

    @property
    def waits(self) -> bool:
        """Whether it waits for a price."""
        priced = all(m.price is not None for m in self.measures) and all(r.priced for r in self.remedies)
        return bool(self.unpriced) or not priced


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How the closed gates of a scope fare after some remedies.

    Attributes:
        mended: Chance that those which remedies mend pass, draw by draw, shape (n_draws,).
        measures: What is measured for the others.
        unpriced: Gates whose mend nobody has priced.
    """

    mended: Floats
    measures: tuple[Measure, ...]
    unpriced: tuple[Gate, ...]

    @property
    def approved(self) -> bool:
        """Whether it waits for the price of something that has every high-risk action approved in time."""
        return any(gate.gate == "human_approval" for gate in self.unpriced)


def opening(
    draws: int,
    chosen: tuple[Remedy, ...],
    failing: Sequence[Gate],
    measured: Callable[[Gate], Measure | None],
    priced: Collection[str],
    mended_by: Callable[[Gate, tuple[Remedy, ...]], Floats | None],
) -> Opening | None:
    """How closed gates fare after some remedies; None where one stays closed.

    What no measurement opens stays closed without a remedy that has a price. Where nobody has priced one, it waits for
    a price.

    Args:
        draws: Number of draws.
        chosen: What is bought; it may be nothing.
        failing: The scope's gates that do not hold.
        measured: The measurement that a gate waits for.
        priced: Names of gates that a remedy with a price mends, whether it is among the chosen or not.
        mended_by: Chance, draw by draw, that remedies make a gate pass; None where none of them addresses it.
    """
    passes = np.ones(draws)
    measures: list[Measure] = []
    unpriced: list[Gate] = []
    for gate in failing:
        mended = mended_by(gate, chosen)
        if mended is not None:
            passes = passes * mended
            continue
        if only_mended(gate):
            return None
        measure = measured(gate)
        if measure is None:
            if gate.gate in priced:
                return None
            unpriced.append(gate)
            continue
        measures.append(measure)
    return Opening(mended=passes, measures=tuple(measures), unpriced=tuple(unpriced))


def plan_of(prospect: Prospect, opened: Opening, further: Sequence[Measure]) -> Plan | None:
    """The plan that buys some remedies: what it measures beside them, and what it is worth.

    Args:
        prospect: The roll-out after the remedies.
        opened: How the closed gates fare after them.
        further: Further samples that would make the worth surer.

    Returns:
        The plan; None where its worth cannot be computed, or where it is not sure enough and no further sample can
        make it so.
    """
    if prospect.option is None:
        return None
    found = prospect.laid_out(opened.measures)
    sure = _chance(found.option, found.passes, prospect.policy.hurdle) >= prospect.policy.scale_probability
    if sure or any(any(m.learned) for m in opened.measures):
        return _as_plan(prospect, prospect.settled(found), opened.measures, opened.unpriced)
    # The gates may pass, but the rule would still not let it scale: only a larger sample can make it sure enough.
    ways = [(*opened.measures, more) for more in further]
    laid_out = [prospect.laid_out(measures) for measures in ways]
    most = [each.most for each in laid_out]
    sampled: dict[int, tuple[float, Plan]] = {}
    best = -np.inf
    for i in sorted(range(len(ways)), key=lambda i: (-most[i], i)):
        if most[i] < best:
            break  # nor is any that is left worth as much
        plan = _as_plan(prospect, prospect.settled(laid_out[i]), ways[i], opened.unpriced)
        sampled[i] = plan.mean(), plan
        best = max(best, sampled[i][0])
    # Of such as are worth the same, the smallest sample.
    return max((sampled[i] for i in sorted(sampled)), key=lambda found: found[0], default=(0.0, None))[1]


def at_once(prospect: Prospect, opened: Opening) -> Plan:
    """The plan that takes no further sample, whether or not the rule would let it scale."""
    return _valued(prospect, opened.measures, opened.unpriced)


def _valued(prospect: Prospect, measures: tuple[Measure, ...], unpriced: tuple[Gate, ...]) -> Plan:
    """Worth of a plan: the roll-out where the gates pass and the chance suffices, else what was spent, lost."""
    return _as_plan(prospect, prospect.after(measures), measures, unpriced)


def _as_plan(
    prospect: Prospect, found: After, measures: tuple[Measure, ...], unpriced: tuple[Gate, ...]
) -> Plan:
    passes, policy = found.passes, prospect.policy
    total = float(passes.sum())
    remedies = [r.cost for r in prospect.remedies if r.cost is not None]
    return Plan(
        option=replace(found.option, note="after what the plan buys"),
        remedies=prospect.remedies,
        measures=measures,
        unpriced=unpriced,
        worth=found.worth,
        cash=found.cash,
        passes=float(passes.mean()),
        chance=_chance(found.option, passes, policy.hurdle),
        sure=float(found.go.sum()) / total if total > 0 else 0.0,
        price=found.price + sum(float(np.mean(cost)) for cost in remedies),
        prospect=prospect,
    )


def _chance(option: Option, passes: Floats, hurdle: float) -> float:
    """Chance that a roll-out exceeds the hurdle, given that its gates pass."""
    total = float(passes.sum())
    return float((passes * (option.worth > hurdle)).sum()) / total if total > 0 else 0.0


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
