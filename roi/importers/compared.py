"""Logged costs against list prices of the same tokens, and what tokens of a derived model cost at least and at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from roi.importers.charges import Charge, model_of, use_of
from roi.importers.export import Contradiction, machine_name
from roi.prices import CURRENCY, TokenUse, base_model, bounds_of

__all__ = ["Compared", "Comparison", "money"]

_FAR = Decimal("0.05")
_AT_ONCE = 10_000
_LESS = "logged costs stand: logs often leave out that tokens were read from a cache, which is cheaper"
_MORE = "logged costs stand: they may hold more than tokens, or a dearer tariff than the list's"


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of it.

    Attributes:
        contradictions: One a model whose logged costs and list prices are more than 5 % apart.
        bounds: What unknown costs are at least and at most, a sentence a model.
    """

    contradictions: tuple[Contradiction, ...]
    bounds: tuple[str, ...]


@dataclass(slots=True)
class _Sums:
    """Sums of a model's calls, from the first on: its trace's number and its place there."""

    first: tuple[int, int]
    logged: Decimal = Decimal(0)
    listed: Decimal = Decimal(0)


@dataclass(slots=True)
class _Unpriced:
    """Calls of a model that is in no list, which was made of one that is."""

    first: tuple[int, int]
    uses: list[TokenUse] = field(default_factory=list)
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    sent: int = 0
    received: int = 0
    known: bool = True

    def fold(self) -> None:
        """Sum up what was collected."""
        found = bounds_of(self.uses)
        self.known = self.known and found is not None
        if found is not None:
            self.low, self.high = self.low + found[0], self.high + found[1]
        self.sent += sum(u.input or 0 for u in self.uses)
        self.received += sum(u.output or 0 for u in self.uses)
        self.uses = []


class Comparison:
    """Logged costs of calls against the list prices of their tokens, model by model."""

    def __init__(self) -> None:
        self._sums: dict[str, _Sums] = {}
        self._unpriced: dict[str, _Unpriced] = {}

    def add(self, at: int, charges: Sequence[Charge], listed: Sequence[Decimal | str | None]) -> None:
        """Add the calls of a trace.

        Args:
            at: The trace's number.
            charges: The calls that count.
            listed: Of each the cost at list prices, or why there is none.
        """
        for place, (charge, price) in enumerate(zip(charges, listed, strict=True)):
            span = charge.span
            if span.tokens is None or span.model is None or charge.settled:
                continue
            if span.cost and charge.cost == span.cost and span.cost > 0:
                if isinstance(price, Decimal):
                    model = str(model_of(span.model))
                    sums = self._sums.get(model)
                    if sums is None:
                        sums = self._sums[model] = _Sums((at, place))
                    sums.first = min(sums.first, (at, place))
                    sums.logged += span.cost
                    sums.listed += price
            elif isinstance(price, str) and not charge.cost and span.tokens.weight:
                model = str(model_of(span.model))
                if base_model(model) is None:
                    continue
                unpriced = self._unpriced.setdefault(model, _Unpriced((at, place)))
                unpriced.first = min(unpriced.first, (at, place))
                unpriced.uses.append(use_of(span))
                if len(unpriced.uses) >= _AT_ONCE:
                    unpriced.fold()

    def result(self) -> Compared:
        """What came of it."""
        contradictions = tuple(
            Contradiction(
                f"costs of {machine_name(model, 'a model')}",
                f"{CURRENCY} {money(s.logged)}",
                f"{CURRENCY} {money(s.listed)} at list prices",
                _LESS if s.logged < s.listed else _MORE,
            )
            for model, s in sorted(self._sums.items(), key=lambda item: item[1].first)
            if abs(s.logged - s.listed) > _FAR * max(s.logged, s.listed)
        )
        bounds = (_bound(m, u) for m, u in sorted(self._unpriced.items(), key=lambda item: item[1].first))
        return Compared(contradictions, tuple(b for b in bounds if b))


def _bound(model: str, unpriced: _Unpriced) -> str | None:
    if unpriced.uses:
        unpriced.fold()
    if not unpriced.known:
        return None
    called = machine_name(base_model(model), "another one")
    return (
        f"the price of a model derived from {called} is in no list: its {unpriced.sent:,} input and "
        f"{unpriced.received:,} output tokens cost {CURRENCY} {money(unpriced.low)} (all input read from a cache) to "
        f"{money(unpriced.high)} (none) at the list price of {called}; that bounds the unknown cost from below where "
        "the derived model is not cheaper"
    )


def money(value: Decimal) -> str:
    """An amount, with as many digits as tell it from 0."""
    return f"{value:,.2f}" if value >= 1 else f"{value:.6f}"
