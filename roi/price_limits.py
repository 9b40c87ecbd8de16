"""The highest price at which a plan still buys something: beyond it another plan is worth more, or the rule refuses.

A price that is paid once comes off the roll-out's worth in every draw, and is lost where nothing is rolled out. So the
plan's mean falls by as much as the price rises, and so does the worth that the rule asks a chance of: both ends are
read off the draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from roi.assumptions import Number
from roi.measures import Measure
from roi.mended import MORE_LIKELY
from roi.parameters import Policy
from roi.prospects import Prospect

__all__ = ["Ends", "Limit", "bound_of", "limit_of"]

Floats = npt.NDArray[np.float64]
Ends = Literal["worth", "rule", "budget"]

SAME = 1e-9  # relative difference below which two prices are the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The highest price of something.

    Attributes:
        most: The price, at least 0, in the pilot's currency.
        ends: Why it ends there: "worth", beyond it the plan is on average worth no more than the best other one;
            "rule", it would be, but the policy's chances forbid it; "budget", it would be, but `fix_budget` is spent.
    """

    most: float
    ends: Ends

    def capped(self, budget: float | None) -> Limit:
        """No higher than what is left of a budget."""
        if budget is None or self.most <= budget:
            return self
        return Limit(most=max(budget, 0.0), ends="budget")


def limit_of(
    prospect: Prospect,
    measures: Sequence[Measure],
    further: Sequence[Measure],
    refund: Number,
    *,
    over: float,
    thin: float | None = None,
    waits: bool = False,
) -> Limit:
    """The highest price of something that a plan buys, what is measured beside it chosen as `roi.plans.plan_of` does.

    Args:
        prospect: The roll-out after the plan's remedies.
        measures: What its closed gates wait for.
        further: Further samples that would make the worth surer.
        refund: What the same thing costs the plan now, drawn or a number; 0 where it has no price.
        over: Worth of the best plan without it.
        thin: The policy's `kill_probability` where no other option or plan has a higher chance; else None.
        waits: Whether it then still waits for another price: the rule has to let it scale more likely than not.

    Returns:
        The limit.

    Raises:
        ValueError: If the worth of the roll-out cannot be computed.
    """
    if prospect.option is None:
        raise ValueError("the worth of the roll-out is not known")
    first = _Look.of(prospect, measures, refund)
    until = first.mean - over
    if first.sure is not None:
        most = first.sampled(over, thin, waits)
    else:
        refused = first.refused
        most = min(until, refused, np.inf if thin is None else first.not_thin(thin))
        # A further sample is taken only where the rule is not content without one. It tells no more than everything.
        if first.knowing - over > max(most, refused):
            looks = [_Look.of(prospect, (*measures, m), refund) for m in further]
            most = max([most, *(x for look in looks if (x := look.sampled(over, thin, waits)) > refused)])
    most = max(most, 0.0)
    return Limit(most=most, ends="rule" if most < until - SAME * abs(until) else "worth")


def bound_of(prospect: Prospect, refund: Number) -> float:
    """What a plan can be worth at the most with the thing in question for nothing, whatever is measured beside it."""
    if prospect.option is None:
        return -np.inf
    worth = prospect.option.worth + refund
    lost = prospect.lost(prospect.option) - float(np.mean(refund))
    return float((prospect.mended * np.maximum(worth + lost, 0.0)).mean()) - lost


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """A roll-out after some measurements, the thing in question had for nothing.

    Attributes:
        worth: Its worth, shape (n_draws,).
        sure: The worth exceeded with the chance that the rule asks for, after each sample; None: nothing is learned.
        passes: Chance that the gates pass.
        lost: What is lost where it stops.
        policy: The thresholds.
    """

    worth: Floats
    sure: Floats | None
    passes: Floats
    lost: float
    policy: Policy

    @classmethod
    def of(cls, prospect: Prospect, measures: Sequence[Measure], refund: Number) -> _Look:
        worth, sure, lost = prospect.sure_of(measures, refund)
        return cls(
            worth=worth, sure=sure, passes=prospect.passing(measures), lost=lost, policy=prospect.policy
        )

    @property
    def whole(self) -> Floats:
        """Worth of the plan that goes ahead wherever the gates pass."""
        return self.passes * self.worth - (1 - self.passes) * self.lost

    @property
    def mean(self) -> float:
        return float(self.whole.mean())

    @property
    def knowing(self) -> float:
        """Expected worth to whoever knew everything by then, and stopped where going on loses."""
        return float((self.passes * np.maximum(self.worth + self.lost, 0.0)).mean()) - self.lost

    @property
    def refused(self) -> float:
        """The price from which on the chance does not suffice."""
        order = np.argsort(-self.worth, kind="stable")
        share = np.cumsum(self.passes[order])
        if not share[-1] > 0:
            return -np.inf
        enough = np.searchsorted(share, self.policy.scale_probability * share[-1] * (1 - 1e-12))
        return float(self.worth[order[min(enough, order.size - 1)]]) - self.policy.hurdle

    def not_thin(self, chance: float) -> float:
        """The price from which on the plan exceeds the hurdle with no higher chance than that."""
        found = np.sort(self.whole)[::-1]
        return float(found[min(int(chance * found.size), found.size - 1)]) - self.policy.hurdle

    def sampled(self, over: float, thin: float | None, waits: bool) -> float:
        """The highest price where it goes ahead after those samples that make it sure enough: the dearer, the fewer."""
        assert self.sure is not None
        order = np.argsort(-self.sure, kind="stable")
        until = self.sure[order] - self.policy.hurdle  # with the k-th sample, it goes ahead up to this price
        gone = np.cumsum(self.passes[order])
        gains = np.cumsum((self.passes * (self.worth + self.lost))[order]) / order.size - self.lost
        # Going ahead after k samples is worth gains - price, and is done at prices above that of the next sample.
        holds = gains - over > np.append(until[1:], -np.inf)
        if waits:
            holds &= gone >= MORE_LIKELY * gone[-1]
        most = float(np.where(holds, np.minimum(until, gains - over), -np.inf).max())
        if thin is None or not most > 0 or self._chance(most) > thin:
            return most
        low, high = 0.0, most
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if self._chance(middle) > thin else (low, middle)
        return low

    def _chance(self, price: float) -> float:
        """Chance that the plan exceeds the hurdle at a price."""
        assert self.sure is not None
        go = self.passes * (self.sure - price >= self.policy.hurdle)
        return float(np.mean(go * (self.worth + self.lost) - self.lost - price > self.policy.hurdle))
