"""What the cases show, as one joint set of draws: minutes, errors, cost, by segment and weighted to production."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from roi.assumptions import Assumptions, Number
from roi.cells import CellDraws, assumed_spread, cell_draws
from roi.draws import normal_draws, stream
from roi.mix import Weights, production_weights
from roi.moments import COMPONENTS, Moments
from roi.pooling import own_share, partially_pooled, weighted
from roi.rates import Rates, draw_rates

__all__ = ["Measured", "Scope", "measure"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LEAST_EFFECT = 0.4  # of the baseline mean, of which people's differences are taken where few are seen
UNLIKE_PEOPLE = 0.4  # of a mean: how people differ in it, where they are too few to show it
WORDS_OF_DESIGN = {
    "randomised": "measured",
    "before_after": "measured, before and after",
    "observational": "measured, observational",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Everything per case that money needs, for a set of segments, weighted to production.

    Attributes:
        segments: Their names.
        share: Their share of demand: a number, or draws of shape (n_draws,).
        minutes_saved: Human minutes saved a case, shape (n_draws,); None where one arm has no minutes.
        error_rate: Rate of any error by arm, each shape (n_draws,) or None.
        agent_cost: Agent cost a pilot case in the pilot's currency; None where it is not known.
        errors_stated: Whether the baseline's error rate is stated, so that fewer errors than that earn nothing.
    """

    segments: tuple[str, ...]
    share: Number
    minutes_saved: Floats | None
    error_rate: tuple[Floats | None, Floats | None]
    agent_cost: Floats | None
    errors_stated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Joint draws of what was measured.

    Attributes:
        moments: What they were drawn from.
        weights: Production shares.
        cells: Draws of the cell means as sampled, before any bias.
        rates: Draws of outcome rates.
        human: Human minutes by arm and segment, shape (2, segments, n_draws), NaN where unknown; None without minutes.
        agent_cost: Agent cost a pilot case, pilot currency, shape (segments, n_draws); None where not known.
        unpriced: Currencies of agent cost for which no exchange rate is stated.
        design: randomised, before_after or observational.
        bias_sd: Standard deviation of the design's bias, as a share of the baseline mean; 0 when randomised.
        bias: Standard normal draws of the bias of minutes and of errors, each shape (n_draws,); zeros when randomised.
        stand_in: Whether the baseline minutes are stated rather than sampled.
        errors_stated: Whether the baseline's error rate is.
        evidence: Words for the evidence of what was measured.
        draws: Number of draws.
    """

    moments: Moments
    weights: Weights
    cells: CellDraws
    rates: Rates
    human: Floats | None
    agent_cost: Floats | None
    unpriced: tuple[str, ...]
    design: str
    bias_sd: float
    bias: tuple[Floats, Floats]
    stand_in: bool
    evidence: str
    draws: int
    errors_stated: bool = False

    def covered(self) -> Bools:
        """Segments that may earn, shape (segments,)."""
        return self.weights.covered & (self.weights.share > 0)

    def without_bias(self) -> Measured:
        """The same draws, as if the design had no bias."""
        zero = np.zeros(self.draws)
        return replace(self, bias=(zero, zero))

    def shifted(self, sds: float) -> Measured:
        """The same draws with a constant bias of `sds` standard deviations of the design's, flattering the pilot."""
        constant = np.full(self.draws, sds)
        return replace(self, bias=(constant, constant))

    def scope(self, segments: Sequence[str] | None = None) -> Scope:
        """Weigh a set of segments to production; without a set, all covered ones.

        Args:
            segments: Names; segments that are not covered are left out. A proper subset is partially pooled: each
                segment's minutes and errors are drawn towards the mean of all by the share of their differences that is
                noise.
        """
        chosen = self.covered()
        whole = segments is None
        if segments is not None:
            chosen = chosen & self.moments.chosen(segments)
            whole = bool((chosen == self.covered()).all())
        shares = self.weights.share if self.weights.drawn is None else self.weights.drawn
        share: Number = shares[chosen].sum(axis=0)
        names = tuple(name for name, ok in zip(self.moments.segments, chosen, strict=True) if ok)
        if not self.weights.share[chosen].sum() > 0:
            return Scope(segments=(), share=0.0, minutes_saved=None, error_rate=(None, None), agent_cost=None)
        weight = self.weights.share[chosen] / self.weights.share[chosen].sum()
        drawn = None if self.weights.drawn is None else shares[chosen] / share
        saved = self._saved(whole)
        errors = [self._errors(arm, chosen, weight, drawn, whole) for arm in (0, 1)]
        base, pilot = errors
        if base is not None and pilot is not None and self.bias_sd > 0:
            pilot = np.clip(pilot + self.bias[1] * self.bias_sd * float(base.mean()), 0, 1)
        return Scope(
            segments=names,
            share=share,
            minutes_saved=None if saved is None else weighted(weight, saved[chosen], drawn),
            error_rate=(base, pilot),
            agent_cost=None if self.agent_cost is None else weighted(weight, self.agent_cost[chosen], drawn),
            errors_stated=self.errors_stated,
        )

    def arm_mean(self, statistic: str, arm: int) -> Floats | None:
        """Production-weighted mean of a statistic in an arm, as sampled, shape (n_draws,); None where unknown."""
        values = self.human[arm] if statistic == "human_minutes" and self.human is not None else None
        if values is None:
            values = self.cells.values[statistic][arm] if statistic in self.cells.values else None
        if values is None:
            return None
        known = ~np.isnan(values[:, 0]) & (self.weights.share > 0)
        share = self.weights.share[known]
        return weighted(share / share.sum(), values[known]) if known.any() else None

    def saved_by_segment(self, *, pooled: bool = False) -> Floats | None:
        """Human minutes saved a case by segment, bias included, shape (segments, n_draws), NaN where unknown.

        Args:
            pooled: Whether segments are drawn towards each other, as they are in a narrower scope.
        """
        return self._saved(whole=not pooled)

    def own_share_of_segments(self) -> Floats | None:
        """How much of its own difference each segment keeps where they are drawn together; see `own_share`."""
        if self.human is None:
            return None
        saved = self.human[0] - self.human[1]
        return own_share(saved, ~np.isnan(saved[:, 0]))

    def _saved(self, whole: bool) -> Floats | None:
        if self.human is None:
            return None
        saved = np.asarray(self.human[0] - self.human[1], dtype=np.float64)
        known = ~np.isnan(saved[:, 0])
        if not known.any():
            return None
        if not whole:
            saved = partially_pooled(saved, known)
        if self.bias_sd > 0:
            # After pooling: what all segments have in common says nothing of how much they differ.
            saved = saved - self.bias[0] * (self.bias_sd * self._baseline_mean())
        return np.asarray(saved, dtype=np.float64)

    def _baseline_mean(self) -> float:
        assert self.human is not None
        base = self.human[0].mean(axis=1)
        known = ~np.isnan(base)
        share = np.where(known, self.weights.share, 0.0)
        share = share if share.sum() > 0 else known.astype(float)
        return float((share[known] * base[known]).sum() / share.sum())

    def _errors(
        self, arm: int, chosen: Bools, weight: Floats, drawn: Floats | None, whole: bool
    ) -> Floats | None:
        values = self.rates.error[arm]
        if np.isnan(values[chosen]).any():
            return None
        if not whole:
            values = np.clip(partially_pooled(values, ~np.isnan(values[:, 0])), 0, 1)
        return np.clip(weighted(weight, values[chosen], drawn), 0, 1)


def measure(
    moments: Moments,
    *,
    assumptions: Assumptions,
    assignment: str,
    mix: Mapping[str, float] | None,
    stand_in: Sequence[str],
    currency: str,
    severity_mix: Floats,
    bias_sd: float,
    draws: int,
    seed: int,
    mix_cases: int | None = None,
) -> Measured:
    """Draw everything that was measured.

    Args:
        moments: Moments of the production cases.
        assumptions: Draws of the stated inputs (exchange rates and a stated baseline are used).
        assignment: randomised, before_after or observational.
        mix: Production share by segment, or None.
        stand_in: Keys of `samples.baseline` that are stated, used only where no baseline arm was sampled.
        currency: The pilot's currency.
        severity_mix: Prior shares of the severities, shape (4,).
        bias_sd: Standard deviation of the design's bias as a share of the baseline mean.
        draws: Number of draws, even.
        seed: Seed of the run.
        mix_cases: Cases on which the mix was counted; None where it is exact.

    Returns:
        The joint draws.
    """
    use_stand_in = bool(stand_in) and moments.cases("baseline") == 0
    weights = production_weights(
        moments, mix, stand_in=use_stand_in, counted_on=mix_cases, draws=draws, seed=seed
    )
    cells = cell_draws(moments, weights.share, draws=draws, seed=seed)
    rates = draw_rates(moments, severity_mix, draws=draws, seed=seed, cells=cells)
    stated = assumptions.get("samples.baseline.error_rate") if moments.cases("baseline") == 0 else None
    if stated is not None:
        error = rates.error.copy()
        error[0] = stated
        rates = replace(rates, error=error)
    if moments.sourced and not {"escalations", "abandoned"} & moments.present:
        rates = replace(rates, escalated=np.full_like(rates.escalated, np.nan))
    human = cells.values.get("human_minutes")
    if human is not None and use_stand_in:
        human = _with_stand_in(human, moments, assumptions, stand_in, draws)
    if human is not None and moments.few_workers and moments.workers:
        human = _with_assumed_spread(human, moments, weights.share, draws=draws, seed=seed)
    agent_cost, unpriced = _agent_cost(cells, assumptions, currency)
    if agent_cost is not None and moments.few_workers and moments.workers:
        # Whose cases are long, or who asks the agent twice, is a matter of the person.
        spread = UNLIKE_PEOPLE / np.sqrt(max(moments.workers.get("pilot", 1), 1))
        factor = np.exp(spread * normal_draws(draws, stream(seed, "few_workers:cost")))
        agent_cost = agent_cost * (factor / factor.mean())
    randomised = assignment == "randomised"
    zero = np.zeros(draws)
    evidence = WORDS_OF_DESIGN[assignment]
    if moments.sourced:
        evidence = "sourced, spread assumed" if moments.spread_assumed else "sourced"
    if moments.few_workers:
        evidence += ", few workers"
    return Measured(
        moments=moments,
        weights=weights,
        cells=cells,
        rates=rates,
        human=human,
        agent_cost=agent_cost,
        unpriced=unpriced,
        design=assignment,
        bias_sd=0.0 if randomised else bias_sd,
        bias=(zero, zero)
        if randomised
        else (
            normal_draws(draws, stream(seed, "design_bias:minutes")),
            normal_draws(draws, stream(seed, "design_bias:errors")),
        ),
        stand_in=use_stand_in,
        errors_stated=stated is not None,
        evidence=evidence,
        draws=draws,
    )


def _with_assumed_spread(human: Floats, moments: Moments, share: Floats, *, draws: int, seed: int) -> Floats:
    """Widen minutes by how unlike people are, where fewer than four say too little about it.

    People who worked both ways differ in what the agent saves them; people who worked one way differ in everything.
    """
    assert moments.workers is not None
    mean = [float(np.nan_to_num(human[a].mean(axis=1) * share).sum()) for a in (0, 1)]
    result = human.copy()
    if moments.person_is_arm:
        for arm, name in enumerate(("baseline", "pilot")):
            people = moments.workers.get(name, 1)
            result[arm] += assumed_spread(
                mean[arm], people, draws=draws, seed=seed, name=name, share=UNLIKE_PEOPLE
            )
        return result
    # An effect that looks like none may be one for some people and none for others.
    effect = max(abs(mean[0] - mean[1]), LEAST_EFFECT * mean[0])
    result[1] += assumed_spread(effect, min(moments.workers.values(), default=1), draws=draws, seed=seed)
    return result


def _with_stand_in(
    human: Floats, moments: Moments, assumptions: Assumptions, stand_in: Sequence[str], draws: int
) -> Floats:
    """Put a stated baseline where no baseline arm was sampled, in every segment alike."""
    parts: list[Number] = []
    for key in ("human_minutes",) if "human_minutes" in stand_in else COMPONENTS:
        value = assumptions.get(f"samples.baseline.{key}")
        if value is not None:
            parts.append(value)
    if not parts:
        return human
    total = np.zeros(draws)
    for part in parts:
        total = total + part
    human = human.copy()
    human[0] = total
    statistic = moments.column("human_minutes")
    for s in range(len(moments.segments)):
        rows = (moments.arm == 1) & (moments.segment == s)
        n = int(moments.count[rows, statistic].sum()) if statistic is not None else 0
        if n:
            human[1, s] += int(moments.imputed[rows].sum()) / n * total
    return human


def _agent_cost(
    cells: CellDraws, assumptions: Assumptions, currency: str
) -> tuple[Floats | None, tuple[str, ...]]:
    """Agent cost in the pilot's currency, and the currencies that no exchange rate is stated for."""
    total: Floats | None = None
    unpriced = []
    for name, values in cells.values.items():
        if not name.startswith("agent_cost:"):
            continue
        own = name.partition(":")[2] or currency
        rate: Number | None = 1.0 if own == currency else assumptions.get(f"economics.fx.{own}")
        if rate is None:
            unpriced.append(own)
            continue
        amount = values[1] * rate
        total = amount if total is None else total + amount
    if unpriced or total is None or np.isnan(total[:, 0]).all():
        return None, tuple(unpriced)
    # A segment whose costs were not logged is charged what the others cost on average.
    mean = np.nanmean(total, axis=0)
    return np.where(np.isnan(total), mean, total), ()
