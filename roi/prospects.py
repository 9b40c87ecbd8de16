"""A roll-out, and what it is worth after one measurement or another: the one way of valuing a sample.

A sample is worth what the rule makes of it. After it, the roll-out goes ahead in the draws in which the gates pass and
its chance suffices; in the others, what was spent is lost. Its price and its delay are part of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from roi.assumptions import Number
from roi.cashflow import Schedule, annuity
from roi.economics import Economics
from roi.measures import Measure, cost_of, length_of, show_severe
from roi.options import Kind, Option, Valuer, basis_for, signals_of
from roi.parameters import Policy
from roi.remedies import Remedy
from roi.sampling import (
    Basis,
    Told,
    after_sampling,
    basis_of,
    expected_after,
    left_open,
    sure_after,
    taken_after,
)
from roi.tariff import Prices

__all__ = ["After", "Document", "LaidOut", "Prospect", "lost_by_then", "untaught"]

Floats = npt.NDArray[np.float64]

ROUNDING = 1e-9  # relative difference that the order of a sum may make


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document for a stated input.

    Attributes:
        key: The input's key in the parameter file.
        drawn: Its draws, shape (n_draws,).
        removes: Share of its variance that the document removes.
        price: What it costs; None where that is not stated.
    """

    key: str
    drawn: Floats
    removes: float
    price: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """What a roll-out is worth after some measurements.

    Attributes:
        option: The roll-out, with their price and delay.
        worth: Worth against stopping now, what is lost included, shape (n_draws,).
        cash: The same in cash alone.
        passes: Chance that the gates pass, draw by draw.
        go: Chance that they pass and the rule then takes it, draw by draw.
        price: What the measurements cost; what has no price counts 0.
    """

    option: Option
    worth: Floats
    cash: Floats
    passes: Floats
    go: Floats
    price: float

    def mean(self) -> float:
        """Expected worth."""
        return float(self.worth.mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A worth as a sample leaves it.

    Attributes:
        told: It, split by what is sampled.
        learned: Share of each quantity's variance that the sample removes.
        expected: What is expected after each possible sample, shape (n_draws,).
        left: What then stays open, shape (n_draws,).
        worth: Both together.
    """

    told: Told
    learned: tuple[float, ...]
    expected: Floats
    left: Floats
    worth: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidOut:
    """What may come of a roll-out after some measurements, before the rule says in which draws it is taken.

    Attributes:
        option: The roll-out, with their price and delay.
        price: What the measurements cost; what has no price counts 0.
        passes: Chance that the gates pass, draw by draw.
        lost: What is lost where it stops after all.
        split: Its worth as they leave it; None where they tell nothing of it.
    """

    option: Option
    price: float
    passes: Floats
    lost: float
    split: Split | None

    @property
    def most(self) -> float:
        """Its expected worth at the most: were it taken in just the draws in which it brings anything."""
        worth = self.option.worth if self.split is None else self.split.worth
        kept = float((self.passes * np.maximum(worth + self.lost, 0.0)).mean())
        return kept - self.lost + ROUNDING * (abs(self.lost) + float(np.abs(worth).mean()))


@dataclass(frozen=True, kw_only=True)
class Prospect:
    """A roll-out in some segments after some remedies.

    Attributes:
        valuer: Values roll-outs.
        segments: Names; None for everything.
        remedies: What is bought first.
        mended: Chance that the gates which remedies mend pass, draw by draw, shape (n_draws,).
        prices: What measuring costs.
        policy: The thresholds.
        seed: Seed of the run.
        approved: Whether every high-risk action is then approved in time, by something that has no price yet.
    """

    valuer: Valuer
    segments: tuple[str, ...] | None
    remedies: tuple[Remedy, ...]
    mended: Floats
    prices: Prices
    policy: Policy
    seed: int
    approved: bool = False
    _bases: dict[str, Basis] = field(default_factory=dict, repr=False, compare=False)
    _told: dict[str, Told] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def option(self) -> Option | None:
        """The roll-out as soon as the remedies work; None where its worth cannot be computed."""
        kind: Kind = "scale" if self.segments is None else "scale_segments"
        return self.valuer.roll_out(
            self.segments,
            remedies=self.remedies,
            approved=self.approved,
            kind=kind,
            label="Fix, then scale",
        )

    def after(
        self,
        measures: Sequence[Measure],
        *,
        paid: Sequence[Measure] | None = None,
    ) -> After:
        """What it is worth after the remedies and some measurements, and after what the rule then decides.

        Args:
            measures: What is measured.
            paid: The measurements whose price and delay count; None for all of them.

        Returns:
            Its worth and how it comes about.
        """
        return self.settled(self.laid_out(measures, paid=paid))

    def laid_out(
        self, measures: Sequence[Measure], *, paid: Sequence[Measure] | None = None, in_cash: bool = True
    ) -> LaidOut:
        """What may come of it after some measurements, before the rule says in which draws it is taken.

        Arguments are those of `after`, and whether the cash is asked for.
        """
        option, price = self._then(measures if paid is None else paid, in_cash=in_cash)
        learned = _learned(measures)
        split = None
        if any(learned):
            told, shares = self._told_of(option, learned, None)
            expected, left = expected_after(told, shares), left_open(told, shares)
            split = Split(
                told=told, learned=tuple(shares), expected=expected, left=left, worth=expected + left
            )
        return LaidOut(
            option=option, price=price, passes=self.passing(measures), lost=self.lost(option), split=split
        )

    def settled(self, found: LaidOut) -> After:
        """What it is worth after some measurements, and after what the rule then decides."""
        option, go, lost = found.option, found.passes, found.lost
        worth, cash = option.worth, option.cash
        if found.split is not None:
            of = found.split
            worth = of.worth
            rule = {"probability": self.policy.scale_probability, "hurdle": self.policy.hurdle}
            go = go * taken_after(of.told, of.learned, of.expected, of.left, **rule)
            cash = worth - (option.worth - option.cash)
        return After(
            option=option,
            worth=go * worth - (1 - go) * lost,
            cash=go * cash - (1 - go) * lost,
            passes=found.passes,
            go=go,
            price=found.price,
        )

    def before(
        self,
        measures: Sequence[Measure],
        *,
        document: Document | None = None,
        paid: Sequence[Measure] | None = None,
    ) -> float:
        """Its expected worth where it is measured first, and remedies are bought only if the rule then goes ahead.

        Args:
            measures: What is measured.
            document: A document that is had as well.
            paid: The measurements whose price and delay count; None for all of them.

        Returns:
            Expected worth against stopping now.
        """
        assert self.option is not None
        counted = measures if paid is None else paid
        option, price = self._then(counted, document)
        passes, learned = self.passing(measures), _learned(measures)
        worth = option.worth
        # Nothing learned: the rule takes it as it is, or does not.
        chance = float((passes * (worth > self.policy.hurdle)).mean())
        sure = chance >= self.policy.scale_probability * float(passes.mean())
        taken = np.full(worth.size, float(sure))
        lost = self.lost(option)
        told = None
        if any(learned) or document is not None:
            worth, taken, told = self.decided(option, learned, document)
        if not self.remedies:
            go = passes * taken
            return float((go * worth - (1 - go) * lost).mean())
        if told is not None:
            # Who knows more by then buys remedies only where the whole of it still pays.
            share = float(passes.mean())
            taken = taken * (share * told > (1 - share) * lost)
        stopped = price + self._pilot_until(length_of(counted))
        ahead = passes * worth - (1 - passes) * lost
        return float((taken * ahead - (1 - taken) * stopped).mean())

    def sure_of(self, measures: Sequence[Measure], refund: Number) -> tuple[Floats, Floats | None, float]:
        """What the rule looks at after some measurements, were a sum of the remedies' and measurements' price not paid.

        Args:
            measures: What is measured; their price and delay count.
            refund: The sum, drawn or a number.

        Returns:
            The worth of the roll-out, shape (n_draws,); the worth that is exceeded with the chance that `scale` needs
            after each possible sample, None where nothing is learned; and what is lost where it stops after all.
        """
        option, _ = self._then(measures)
        worth, learned = np.asarray(option.worth + refund), _learned(measures)
        lost = self.lost(option) - float(np.mean(refund))
        if not any(learned):
            return worth, None, lost
        signals = signals_of(option)
        told = basis_for(option).split(worth)
        worth, sure = sure_after(told, learned[: len(signals)], self.policy.scale_probability)
        return worth, sure, lost

    def _then(
        self, paid: Sequence[Measure], document: Document | None = None, *, in_cash: bool = False
    ) -> tuple[Option, float]:
        """The roll-out with the price and the delay of some measurements, and that price."""
        assert self.option is not None
        price, delay = cost_of(paid, self.prices), length_of(paid)
        if document is not None and document.price is not None:
            price += document.price
        if not price and not delay:
            return self.option, 0.0
        return self.valuer.postponed(self.option, one_off=price, delay=delay, in_cash=in_cash), price

    def passing(self, measures: Sequence[Measure]) -> Floats:
        """Chance that the gates pass, draw by draw."""
        passes = self.mended
        for measure in measures:
            if measure.gate == "severe_errors":
                passes = passes * show_severe(measure.n, self.segments, self.valuer, self.policy, self.seed)
        return passes

    def decided(
        self, option: Option, learned: Sequence[float], document: Document | None
    ) -> tuple[Floats, Floats, Floats]:
        """The worth as it stands after what is learned, whether the rule then takes it, and what is expected then."""
        told, shares = self._told_of(option, learned, document)
        expected, left, taken = after_sampling(
            told, shares, probability=self.policy.scale_probability, hurdle=self.policy.hurdle
        )
        return expected + left, taken, expected

    def _told_of(
        self, option: Option, learned: Sequence[float], document: Document | None
    ) -> tuple[Told, list[float]]:
        """The worth of a roll-out, split by what is learned, and the share of the variance of each that is removed."""
        signals = signals_of(option)
        shares = list(learned[: len(signals)])
        if document is not None:
            if not any(shares):
                signals, shares = [], []
            signals, shares = [*signals, document.drawn], [*shares, document.removes]
        key = "" if document is None else f"{document.key} of {len(signals)}"
        if key not in self._bases:
            self._bases[key] = basis_for(option) if document is None else basis_of(signals)
        if option is self.option:  # it is looked at with one sample after another
            if key not in self._told:
                self._told[key] = self._bases[key].split(option.worth)
            return self._told[key], shares
        return self._bases[key].split(option.worth), shares

    def lost(self, option: Option) -> float:
        """What is lost where it stops after all: one-off sums, and the pilot's cost until then."""
        return lost_by_then(self.valuer.economics, option.schedule)

    def _pilot_until(self, months: Number) -> float:
        """What the pilot costs until then."""
        return lost_by_then(self.valuer.economics, Schedule(delay=months))

    def known(self, measures: Sequence[Measure]) -> Floats:
        """Its worth to somebody who takes it whatever its chance, gates passing, shape (n_draws,).

        Args:
            measures: What the gates wait for; samples that only make the worth surer are left out.
        """
        found = self.after([untaught(m) for m in measures if m.gate != "value"])
        return found.worth


def lost_by_then(economics: Economics, schedule: Schedule) -> float:
    """What is lost where a roll-out stops after all: one-off sums, and the pilot's cost until then."""
    e = economics
    early = annuity(e.discount, e.horizon) - annuity(e.discount, e.horizon, schedule.delay)
    return _mean(schedule.one_off) + _mean(e.pilot_cost * early)


def _mean(x: Number) -> float:
    return float(x.mean()) if isinstance(x, np.ndarray) else float(x)


def _learned(measures: Sequence[Measure]) -> list[float]:
    """Shares of the variances of minutes saved and of errors avoided that measurements remove: the largest of each."""
    return [max((m.learned[i] for m in measures), default=0.0) for i in (0, 1)]


def untaught(measure: Measure) -> Measure:
    """The same measurement for its gate alone."""
    return replace(measure, learned=(0.0, 0.0))
