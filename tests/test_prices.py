"""Token prices: published list prices, and the package's own record of known answers."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

import pytest

from roi.prices import TokenUse, _calculate, price_tokens

DAY = dt.date(2026, 1, 15)


def use(model: str | None = "gpt-4.1", provider: str | None = "openai", **tokens: int | None) -> TokenUse:
    given = {"input": 1000, "cache_read": None, "cache_write": None, "output": 100, **tokens}
    return TokenUse(provider, model, DAY, **given)


@pytest.mark.parametrize(
    ("case", "dollars"),
    [
        # gpt-4.1: $2.00 a million tokens in, $0.50 cached, $8.00 out
        (use(), "0.0028"),
        (use(cache_read=400), "0.0022"),
        (use(provider="OpenAI"), "0.0028"),
        (use(provider=None), "0.0028"),
        # claude-sonnet-4-5: $3 in, $0.30 read from cache, $3.75 written to it, $15 out
        (use("claude-sonnet-4-5", "anthropic", cache_read=400, cache_write=100, output=50), "0.002745"),
        # and $6 in, $22.50 out beyond 200,000 tokens in
        (use("claude-sonnet-4-5", "anthropic", input=300_000, output=50), "1.801125"),
    ],
)
def test_list_prices(case: TokenUse, dollars: str) -> None:
    assert price_tokens([case]).cost == {case: Decimal(dollars)}


@pytest.mark.parametrize(
    ("case", "why"),
    [
        (use("ft:gpt-4.1:house"), "the model has no known price"),
        (use("gpt-4.1", "nobody"), "the model has no known price"),
        (use(None), "no model is named"),
        (use(output=None), "input or output tokens are missing"),
        (use(cache_read=5000), "the tokens contradict each other"),
    ],
)
def test_what_has_no_price_is_unknown_not_zero(case: TokenUse, why: str) -> None:
    priced = price_tokens([case])
    assert priced.cost == {}
    assert priced.why == {case: why}


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", "claude-sonnet-4-5"),
        ("openai", "gpt-4.1"),
        ("google", "gemini-2.5-pro"),
        ("openai", "o3"),
    ],
)
def test_rates_give_what_pricing_one_by_one_gives(provider: str, model: str) -> None:
    """Also beyond the tier at which all tokens cost more, and across dates on which prices changed."""
    rng = random.Random(7)
    uses = {
        TokenUse(
            provider,
            model,
            dt.date(2025, 1, 1) + dt.timedelta(rng.randrange(0, 500, 50)),
            rng.choice([100, 5000, 199_999, 200_000, 200_001, 250_000]),
            rng.choice([None, 0, 50]),
            rng.choice([None, 0, 20]),
            rng.randrange(5000),
        )
        for _ in range(150)
    }
    priced = price_tokens(uses)
    assert len(priced.cost) == len(uses)
    for case, cost in priced.cost.items():
        assert cost == Decimal(_calculate(case).total_price).quantize(cost)


def test_many_uses_of_one_price_list_are_priced_without_calling_for_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import roi.prices

    calls = 0

    def counted(case: TokenUse) -> object:
        nonlocal calls
        calls += 1
        return _calculate(case)

    monkeypatch.setattr(roi.prices, "_calculate", counted)
    assert len(price_tokens(use(input=n) for n in range(1, 5001)).cost) == 5000
    assert calls < 10
