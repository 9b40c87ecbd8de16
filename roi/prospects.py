"""A roll-out that is thought of, and what it is worth after one measurement or another: the one way of valuing a sample.

A sample is worth what the rule makes of it. After it, the roll-out goes ahead in the draws in which the gates pass and
its chance suffices; in the others, what was spent is lost. Its price and its delay are part of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from roi.cashflow import annuity
from roi.measures import Measure, cost_of, length_of, show_severe
from roi.options import Kind, Option, Remedy, Valuer, signals_of
from roi.parameters import Policy
from roi.sampling import Basis, after_sampling, left_open
from roi.tariff import Prices

__all__ = ["After", "Document", "Prospect"]

Floats = npt.NDArray[np.float64]


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
    """

    valuer: Valuer
    segments: tuple[str, ...] | None
    remedies: tuple[Remedy, ...]
    mended: Floats
    prices: Prices
    policy: Policy
    seed: int
    _bases: dict[str, Basis] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def option(self) -> Option | None:
        """The roll-out as soon as the remedies work; None where its worth cannot be computed."""
        kind: Kind = "scale" if self.segments is None else "scale_segments"
        return self.valuer.roll_out(self.segments, remedies=self.remedies, kind=kind, label="Fix, then scale")

    def after(
        self, measures: Sequence[Measure], *, document: Document | None = None, free: bool = False
    ) -> After:
        """What it is worth after some measurements, and after what the rule then decides.

        Args:
            measures: What is measured.
            document: A document that is had as well.
            free: Whether neither price nor delay count.

        Returns:
            Its worth and how it comes about.
        """
        assert self.option is not None
        price = 0.0 if free else cost_of(measures, self.prices)
        if document is not None and document.price is not None and not free:
            price += document.price
        delay = 0.0 if free else length_of(measures)
        option = self.option
        if price or delay:
            option = self.valuer.postponed(option, one_off=price, delay=delay)
        passes = self.mended
        for measure in measures:
            if measure.gate == "severe_errors":
                passes = passes * show_severe(
                    measure.n, self.segments, self.valuer, self.policy, self.seed
                )
        learned = [max((m.learned[i] for m in measures), default=0.0) for i in (0, 1)]
        worth, cash, go = option.worth, option.cash, passes
        if any(learned) or document is not None:
            worth, taken = self._decided(worth, learned, document)
            cash, go = worth - (option.worth - option.cash), passes * taken
        lost = self._spent(option)
        return After(
            option=option,
            worth=go * worth - (1 - go) * lost,
            cash=go * cash - (1 - go) * lost,
            passes=passes,
            go=go,
            price=price,
        )

    def _decided(
        self, worth: Floats, learned: Sequence[float], document: Document | None
    ) -> tuple[Floats, Floats]:
        """The worth as it stands after what is learned, and whether the rule then takes it."""
        assert self.option is not None
        signals = signals_of(self.option)
        shares = list(learned[: len(signals)])
        if document is not None:
            if not any(shares):
                signals, shares = [], []
            signals, shares = [*signals, document.drawn], [*shares, document.removes]
        key = "" if document is None else f"{document.key} of {len(signals)}"
        if key not in self._bases:
            self._bases[key] = Basis(signals)
        told = self._bases[key].split(worth)
        expected, taken = after_sampling(
            told, shares, probability=self.policy.scale_probability, hurdle=self.policy.hurdle
        )
        return expected + left_open(told, shares), taken

    def _spent(self, option: Option) -> float:
        """What is lost where it stops after all: one-off sums, and the pilot's cost until then."""
        e = self.valuer.economics
        early = annuity(e.discount, e.horizon) - annuity(e.discount, e.horizon, option.schedule.delay)
        return float(np.mean(option.schedule.one_off)) + float(np.mean(e.pilot_cost * early))

    def known(self, measures: Sequence[Measure]) -> Floats:
        """Its worth to somebody who takes it whatever its chance, gates passing, shape (n_draws,).

        Args:
            measures: What the gates wait for; samples that only make the worth surer are left out.
        """
        found = self.after([_untaught(m) for m in measures if m.gate != "value"])
        return found.worth


def _untaught(measure: Measure) -> Measure:
    """The same measurement for its gate alone."""
    return replace(measure, learned=(0.0, 0.0))
