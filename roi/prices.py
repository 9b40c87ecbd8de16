"""What tokens cost: list prices of `genai-prices` at the case's date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace

__all__ = [
    "CURRENCY",
    "Known",
    "OwnPrices",
    "Priced",
    "Pricer",
    "Rates",
    "TokenPrice",
    "TokenUse",
    "base_model",
    "bounds_of",
    "price_tokens",
    "rates_of",
]

CURRENCY = "USD"
_NEWEST = dt.date(2100, 1, 1)
_BILLIONTH = Decimal("0.000000001")
_MANY = 3  # uses of one model and day from which its rates are worth finding out
_PROBE = 1000  # tokens; below every known tier
# What gateways call providers, where lists call them otherwise.
_GATEWAYS = {
    "vertex_ai": "google", "gemini": "google", "bedrock": "aws", "azure_ai": "azure", "xai": "x-ai",
    "together_ai": "together", "fireworks_ai": "fireworks",
}  # fmt: skip
_NO_MODEL = "no model is named"
_NO_TOKENS = "input or output tokens are missing"
_NO_PRICE = "the model has no known price"
_ODD_TOKENS = "the tokens contradict each other"
_NO_HOUR = "what is cached for an hour has no known price"

_Counts: TypeAlias = tuple[int, int, int, int, int]  # fresh, read, written for minutes, for an hour, received
Rates: TypeAlias = tuple[Decimal, Decimal, Decimal, Decimal | None, Decimal]


class TokenUse(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one case.

    Attributes:
        provider: As the log names it, or None; then it is found from the model.
        model: As the log names it, or None.
        day: The case's date, or None; then the newest prices hold.
        input: Tokens sent, cached ones included.
        cache_read: Of these, read from a cache.
        cache_write: Of these, written to a cache.
        output: Tokens received, reasoning included.
        cache_write_1h: Of `cache_write`, kept for an hour, for which some providers charge more than for minutes.
        kinds: Of these the tokens of single kinds, by the name that `genai-prices` has for them, such as
            `input_audio_tokens` or `output_reasoning_tokens`; they are parts of `input` and `output`.
        batch: Whether the call was part of a batch, which costs less where the list says so of that day; of days
            before batches came into the list the price of a plain call holds, which is no less.
    """

    provider: str | None
    model: str | None
    day: dt.date | None
    input: int | None
    cache_read: int | None
    cache_write: int | None
    output: int | None
    cache_write_1h: int | None = None
    kinds: tuple[tuple[str, int], ...] = ()
    batch: bool = False


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """What a model costs by a contract or a server of one's own, in USD a million tokens.

    Attributes:
        input: Sent.
        output: Received.
        cache_read: Read from a cache; as `input` unless given.
        cache_write: Written to a cache, for however long; as `input` unless given.
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None


OwnPrices: TypeAlias = Mapping[str, TokenPrice]
"""Model, as logs name it → its price; it stands instead of every list's."""


def token_prices(given: Mapping[str, Any]) -> OwnPrices:
    """Prices of one's own from the parameter file's numbers, exactly as they are written.

    Args:
        given: Model → what has `input`, `output`, `cache_read` and `cache_write`, in USD a million tokens or None.
    """

    def exact(value: float | None) -> Decimal | None:
        return None if value is None else Decimal(repr(float(value)))

    return {
        model: TokenPrice(
            exact(p.input) or Decimal(0),
            exact(p.output) or Decimal(0),
            exact(p.cache_read),
            exact(p.cache_write),
        )
        for model, p in given.items()
    }


@dataclass(frozen=True, slots=True)
class Priced:
    """Prices of distinct uses.

    Attributes:
        cost: Use → its cost in USD, rounded to the ninth decimal; a use without a known price is absent.
        why: Use without a known price → the reason.
    """

    cost: Mapping[TokenUse, Decimal]
    why: Mapping[TokenUse, str]


@dataclass(frozen=True, slots=True)
class Known:
    """Rates that hold as long as a list's object of prices does.

    Attributes:
        prices: It; held, so that its identity stays its own.
        rates: Rates per token, or None.
        below: Input tokens below which they hold.
    """

    prices: object
    rates: Rates | None
    below: int


@dataclass(slots=True)
class _Group:
    """Uses of one model on one day: priced by its rates where they are plain, otherwise one by one."""

    n: int = 0
    rates: Rates | None = None
    below: int = 0


class Pricer:
    """Prices uses of tokens one after another.

    A cost is known only where the model's price is and both input and output tokens were logged: half a bill is no
    bill.
    """

    def __init__(self, own: OwnPrices | None = None) -> None:
        """Begin.

        Args:
            own: Prices of one's own.
        """
        self._own = own or {}
        self._lost: set[tuple[str | None, str]] = set()
        self._known: dict[int, Known] = {}
        self._named: dict[tuple[str | None, str], tuple[str, str]] = {}
        self._groups: dict[tuple[str | None, str, dt.date | None, bool], _Group] = {}

    def price(self, use: TokenUse) -> Decimal | str:
        """The cost of a use in USD, rounded to the ninth decimal; or why it is not known."""
        provider, model = use.provider, use.model
        if model is None:
            return _NO_MODEL
        if use.input is None or use.output is None:
            return _NO_TOKENS
        if self._own and (price := self._own.get(model)) is not None:
            return _price_own(use, price)
        if self._lost and (provider, model) in self._lost:
            return _NO_PRICE
        if self._named and (named := self._named.get((provider, model))) is not None:
            return self.price(replace(use, provider=named[0], model=named[1]))
        key = (provider, model, use.day, use.batch)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group()
        group.n += 1
        try:
            if group.n == _MANY:
                group.rates, group.below = _rates(use, self._known)
            if group.rates is not None and use.input < group.below and not use.kinds:
                fresh, read, write, hour, output = counts = _parts(use)
                if hour and group.rates[3] is None:
                    return _NO_HOUR
                if fresh >= 0 and read >= 0 and write >= 0 and hour >= 0 and output >= 0:
                    return _total(counts, group.rates)
            found = _calculate(use)
            if use.cache_write_1h and not _knows_hours(found.model_price):
                return _NO_HOUR
            return Decimal(found.total_price).quantize(_BILLIONTH, rounding=ROUND_HALF_EVEN)
        except ValueError:
            return _ODD_TOKENS
        except LookupError:
            if (named := _provider_before(model, provider)) is not None:
                self._named[provider, model] = named
                return self.price(replace(use, provider=named[0], model=named[1]))
            self._lost.add((provider, model))
            return _NO_PRICE


def rates_of(
    provider: str | None, model: str, day: dt.date | None, *, batch: bool, known: dict[int, Known]
) -> tuple[Rates | None, int]:
    """What a token of a model costs on a day in USD, where nothing else is charged.

    Args:
        provider: As a log names it, or None.
        model: Likewise.
        day: The date, or None; then the newest prices hold.
        batch: Whether the calls are part of a batch.
        known: What earlier calls found, and where this one notes what it finds.

    Returns:
        The rates of tokens that are fresh, read from a cache, written to one for minutes, for an hour (None where that
        has no known price), and received; and the number of input tokens below which they hold. None for the rates
        where there are none.
    """
    try:
        return _rates(TokenUse(provider, model, day, 0, None, None, 0, batch=batch), known)
    except (LookupError, ValueError):
        return None, 0


def price_tokens(uses: Iterable[TokenUse], own: OwnPrices | None = None) -> Priced:
    """Price distinct uses of tokens.

    Args:
        uses: Each distinct use once.
        own: Prices of one's own.

    Returns:
        The costs, and why others stay unknown.
    """
    pricer = Pricer(own)
    cost: dict[TokenUse, Decimal] = {}
    why: dict[TokenUse, str] = {}
    for use in uses:
        found = pricer.price(use)
        if isinstance(found, str):
            why[use] = found
        else:
            cost[use] = found
    return Priced(cost, why)


def _provider_before(model: str, provider: str | None) -> tuple[str, str] | None:
    """Provider and model of a name that has both, as gateways write it (`openai/gpt-4.1`, `vertex_ai/gemini-2.5-pro`).

    None where the log names another provider: what that one charges for the model is not known.
    """
    begun, stroke, rest = model.partition("/")
    named = _GATEWAYS.get(begun.lower(), begun.lower())
    told = provider.strip().lower() if provider else None
    if not (begun and stroke and rest) or told not in (None, named, begun.lower()):
        return None
    return named, rest


def _price_own(use: TokenUse, price: TokenPrice) -> Decimal | str:
    counts = _parts(use)
    if min(counts) < 0:
        return _ODD_TOKENS
    read = price.input if price.cache_read is None else price.cache_read
    write = price.input if price.cache_write is None else price.cache_write
    rates = (price.input, read, write, write, price.output)
    total = sum((n * rate for n, rate in zip(counts, rates, strict=True)), Decimal(0)) / 1_000_000
    return total.quantize(_BILLIONTH, rounding=ROUND_HALF_EVEN)


def base_model(name: str) -> str | None:
    """The model that a fine-tuned one was made of, where its name says so (`ft:gpt-4.1:house::x` is of `gpt-4.1`)."""
    parts = name.split(":")
    return parts[1] if len(parts) > 2 and parts[0] == "ft" and parts[1] else None


def bounds_of(uses: Iterable[TokenUse]) -> tuple[Decimal, Decimal] | None:
    """What uses of derived models would cost together at the price of the models that these were made of.

    The lower bound takes all input tokens for read from a cache, the upper one none; it bounds a cost only as far as
    the derived model costs what its base does.

    Args:
        uses: Any number, repeated ones included.

    Returns:
        Lower and upper bound in USD, or None where one of them has no base, no tokens or no price.
    """
    found: list[tuple[TokenUse, TokenUse]] = []
    for use in uses:
        base = base_model(use.model or "")
        if base is None:
            return None
        whole = replace(use, model=base, cache_read=use.input, cache_write=None, cache_write_1h=None)
        found.append((whole, replace(whole, cache_read=None)))
    cost = price_tokens(dict.fromkeys(use for pair in found for use in pair)).cost
    if not found or any(use not in cost for pair in found for use in pair):
        return None
    low, high = (sum((cost[pair[i]] for pair in found), Decimal(0)) for i in (0, 1))
    return min(low, high), max(low, high)


def _total(counts: _Counts, rates: Rates) -> Decimal:
    fresh, read, write, hour, output = counts
    total = fresh * rates[0] + output * rates[4]
    if read or write:
        total += read * rates[1] + write * rates[2]
    if hour and rates[3] is not None:
        total += hour * rates[3]
    return total.quantize(_BILLIONTH, rounding=ROUND_HALF_EVEN)


def _parts(use: TokenUse) -> _Counts:
    read, write, hour = use.cache_read or 0, use.cache_write or 0, use.cache_write_1h or 0
    return (use.input or 0) - read - write, read, write - hour, hour, use.output or 0


def _knows_hours(prices: object) -> bool:
    """Whether a list says what is charged for an hour in a cache, or charges for no time in one."""
    hours = getattr(prices, "cache_write_1h_mtok", None)
    return hours is not None or getattr(prices, "cache_write_mtok", None) is None


def _rates(use: TokenUse, known: dict[int, Known]) -> tuple[Rates | None, int]:
    """Prices per token of a use's model and day, and the input tokens below which they hold.

    None where something besides tokens is charged, or the rates do not give back the price of a mixed use.
    """

    def probe(fresh: int, read: int, write: int, hour: int, output: int) -> tuple[Decimal, Any]:
        tokens = replace(
            use, input=fresh + read + write + hour, cache_read=read, cache_write=write + hour, output=output,
            cache_write_1h=hour or None, kinds=(),
        )  # fmt: skip
        found = _calculate(tokens)
        return Decimal(found.total_price), found.model_price

    nothing, prices = probe(0, 0, 0, 0, 0)
    # A price list holds for many days; its own object says that it is the same one.
    if (at := known.get(id(prices))) is not None:
        return at.rates, at.below
    below = min(_tiers(prices), default=2**62)
    rates: Rates | None = None
    if nothing == 0 and below > 10 * _PROBE:
        single = [tuple(_PROBE if i == j else 0 for j in range(5)) for i in range(5)]
        fresh, read, write, hour, output = (probe(*counts)[0] / _PROBE for counts in single)
        if probe(3, 5, 7, 9, 11)[0] == 3 * fresh + 5 * read + 7 * write + 9 * hour + 11 * output:
            rates = (fresh, read, write, hour if _knows_hours(prices) else None, output)
    known[id(prices)] = Known(prices, rates, below)
    return rates, below


def _tiers(model_price: object) -> list[int]:
    fields = [getattr(model_price, name, None) for name in dir(model_price) if not name.startswith("_")]
    return [int(tier.start) for field in fields for tier in getattr(field, "tiers", ())]


def _calculate(use: TokenUse) -> Any:
    from genai_prices import Usage, calc_price

    usage = Usage(
        input_tokens=use.input,
        cache_read_tokens=use.cache_read,
        cache_write_tokens=use.cache_write,
        output_tokens=use.output,
        **({"cache_write_1h_tokens": use.cache_write_1h} if use.cache_write_1h else {}),
        **dict(use.kinds),
    )
    # Noon, so that a zone's offset does not move the date on which a price changed. Without a day the newest prices
    # hold, which the list would otherwise look up by the clock: the same inputs have to give the same cost.
    at = dt.datetime.combine(use.day or _NEWEST, dt.time(12), dt.UTC)
    provider = use.provider.strip().lower() if use.provider else None
    context = {"price_context": {"processing": "batch"}} if use.batch else {}
    return calc_price(usage, str(use.model), provider_id=provider, genai_request_timestamp=at, **context)
