"""Logged costs against list prices of the same tokens, and what tokens of a derived model cost at least and at most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from roi.importers.charges import Charge, model_of, use_of
from roi.importers.export import Contradiction, machine_name
from roi.prices import CURRENCY, TokenUse, base_model, bounds_of

__all__ = ["Compared", "compare_costs"]

_FAR = Decimal("0.05")
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


def compare_costs(charges: Iterable[Charge], known: Mapping[TokenUse, Decimal]) -> Compared:
    """Compare the logged costs of calls with the list prices of their tokens, model by model.

    Args:
        charges: The calls that count.
        known: Use of tokens → its cost at list prices.
    """
    logged: dict[str, Decimal] = {}
    listed: dict[str, Decimal] = {}
    unpriced: dict[str, list[TokenUse]] = {}
    for charge in charges:
        tokens, model = charge.span.tokens, model_of(charge.span.model)
        if tokens is None or model is None or charge.settled:
            continue
        use = use_of(charge.span)
        if charge.span.cost and charge.cost == charge.span.cost and charge.cost > 0:
            if use in known:
                logged[model] = logged.get(model, Decimal(0)) + charge.cost
                listed[model] = listed.get(model, Decimal(0)) + known[use]
        elif not charge.cost and use not in known and tokens.weight:
            unpriced.setdefault(model, []).append(use)
    contradictions = tuple(
        Contradiction(
            f"costs of {machine_name(model, 'a model')}",
            f"{CURRENCY} {_money(total)}",
            f"{CURRENCY} {_money(listed[model])} at list prices",
            _LESS if total < listed[model] else _MORE,
        )
        for model, total in logged.items()
        if abs(total - listed[model]) > _FAR * max(total, listed[model])
    )
    return Compared(contradictions, tuple(s for m, uses in unpriced.items() if (s := _bound(m, uses))))


def _bound(model: str, uses: list[TokenUse]) -> str | None:
    base = base_model(model)
    found = None if base is None else bounds_of(uses)
    if base is None or found is None:
        return None
    called = machine_name(base, "another one")
    sent, received = (
        sum(n or 0 for n in ns) for ns in zip(*((u.input, u.output) for u in uses), strict=True)
    )
    return (
        f"the price of a model derived from {called} is in no list: its {sent:,} input and {received:,} output tokens "
        f"cost {CURRENCY} {_money(found[0])} (all input read from a cache) to {_money(found[1])} (none) at the list "
        f"price of {called}; that bounds the unknown cost from below where the derived model is not cheaper"
    )


def _money(value: Decimal) -> str:
    return f"{value:,.2f}" if value >= 1 else f"{value:.6f}"
