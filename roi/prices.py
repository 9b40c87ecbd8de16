"""What tokens cost: list prices of `genai-prices` at the case's date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

__all__ = ["CURRENCY", "Priced", "TokenUse", "price_tokens"]

CURRENCY = "USD"
_BILLIONTH = Decimal("0.000000001")


@dataclass(frozen=True, slots=True)
class TokenUse:
    """Tokens of one case.

    Attributes:
        provider: As the log names it, or None; then it is found from the model.
        model: As the log names it, or None.
        day: The case's date, or None; then the newest prices hold.
        input: Tokens sent, cached ones included.
        cache_read: Of these, read from a cache.
        cache_write: Of these, written to a cache.
        output: Tokens received.
    """

    provider: str | None
    model: str | None
    day: dt.date | None
    input: int | None
    cache_read: int | None
    cache_write: int | None
    output: int | None


@dataclass(frozen=True, slots=True)
class Priced:
    """Prices of distinct uses.

    Attributes:
        cost: Use → its cost in USD, exact to the ninth decimal; a use without a known price is absent.
        why: Use without a known price → the reason.
    """

    cost: Mapping[TokenUse, Decimal]
    why: Mapping[TokenUse, str]


def price_tokens(uses: Iterable[TokenUse]) -> Priced:
    """Price distinct uses of tokens.

    A cost is known only where the model's prices are and both input and output tokens were logged: half a bill is not a
    bill.

    Args:
        uses: Each distinct use once.

    Returns:
        The costs, and what stays unknown.
    """
    from genai_prices import Usage, calc_price

    cost: dict[TokenUse, Decimal] = {}
    why: dict[TokenUse, str] = {}
    lost: set[tuple[str | None, str]] = set()
    for use in uses:
        if use.model is None:
            why[use] = "no model is named"
            continue
        if use.input is None or use.output is None:
            why[use] = "input or output tokens are missing"
            continue
        if (use.provider, use.model) in lost:
            why[use] = "the model has no known price"
            continue
        usage = Usage(
            input_tokens=use.input,
            cache_read_tokens=use.cache_read,
            cache_write_tokens=use.cache_write,
            output_tokens=use.output,
        )
        # Noon, so that a zone's offset does not move the date on which a price changed.
        at = None if use.day is None else dt.datetime.combine(use.day, dt.time(12), dt.UTC)
        provider = use.provider.strip().lower() if use.provider else None
        try:
            total = calc_price(usage, use.model, provider_id=provider, genai_request_timestamp=at).total_price
        except LookupError:
            lost.add((use.provider, use.model))
            why[use] = "the model has no known price"
            continue
        except ValueError:
            why[use] = "the tokens contradict each other"
            continue
        cost[use] = Decimal(total).quantize(_BILLIONTH, rounding=ROUND_HALF_EVEN)
    return Priced(cost, why)
