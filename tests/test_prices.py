"""Token prices: published list prices, and the package's own record of known answers."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from roi.prices import TokenUse, _calculate, base_model, bounds_of, price_tokens, token_prices

DAY = dt.date(2026, 1, 15)
ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("ROI_REAL_DATA", ROOT / "../shared/data")).resolve() / "llm-prices"


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


def test_a_batch_costs_half() -> None:
    """claude-sonnet-4-5 in a batch: $1.50 a million in and $7.50 out, since the list knows of batches."""

    def two(n: int, day: dt.date | None = None) -> list[TokenUse]:
        return [
            TokenUse("anthropic", "claude-sonnet-4-5", day, n, None, None, 100, batch=b)
            for b in (False, True)
        ]

    plain, batch = two(1000)
    assert price_tokens([plain, batch]).cost == {plain: Decimal("0.0045"), batch: Decimal("0.00225")}
    many = [case for n in range(9) for case in two(n)]
    cost = price_tokens(many).cost
    assert all(2 * cost[many[i + 1]] == cost[many[i]] for i in range(0, len(many), 2))
    assert set(price_tokens(two(1000, DAY)).cost.values()) == {Decimal("0.0045")}


def test_a_use_without_a_day_does_not_depend_on_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some models cost less at night; what has no time is priced at noon."""
    import genai_prices

    asked = []
    plain = genai_prices.calc_price

    def noted(*args: object, **more: object) -> object:
        asked.append(more["genai_request_timestamp"])
        return plain(*args, **more)  # type: ignore[arg-type,call-overload]

    monkeypatch.setattr(genai_prices, "calc_price", noted)
    price_tokens([TokenUse("deepseek", "deepseek-reasoner", None, 10, None, None, 10)])
    assert {t.hour for t in asked} == {12}


def test_tokens_of_a_kind_have_their_own_price() -> None:
    """gemini-2.5-flash: $0.30 a million of text and $1.00 of audio in, $2.50 out; reasoning is output."""
    kinds = (("input_audio_tokens", 400), ("output_reasoning_tokens", 60))
    case = TokenUse("google", "gemini-2.5-flash", DAY, 1000, None, None, 100, kinds=kinds)
    assert price_tokens([case]).cost == {case: Decimal("0.00083")}


def test_a_derived_model_is_bounded_by_its_base() -> None:
    """gpt-4.1: 1,000 tokens in at $0.50 (cached) to $2 a million, 100 out at $8."""
    case = use("ft:gpt-4.1:house::x", cache_read=7)
    assert base_model(str(case.model)) == "gpt-4.1"
    assert [base_model(m) for m in ("gpt-4.1", "ft:gpt-4.1", "ft:", "llama3:8b:x")] == [
        None,
        None,
        None,
        None,
    ]
    assert bounds_of([case, case]) == (Decimal("0.0026"), Decimal("0.0056"))
    assert bounds_of([]) is bounds_of([use()]) is bounds_of([use("ft:house:x:y")]) is None


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason=f"no price records at {DATA} (set ROI_REAL_DATA)")
def test_all_usage_records_price_as_expected() -> None:
    """1,577 bodies; those of a provider that the library knows carry the prices that were worked out from them.

    Prices have changed since: each is looked up on a day on which it held, in the library's list, or in the list that
    lies beside the records.
    """
    from genai_prices import data_snapshot, types

    records = json.loads((DATA / "genai-prices_usages.json").read_text(encoding="utf-8"))
    assert len(records) == 1577
    ours = {"input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens"}
    expected: list[tuple[TokenUse, Decimal]] = []
    priced = set()
    for number, record in enumerate(records):
        model = record["body"].get("model") or record["body"].get("modelVersion")
        for group in record["extracted"]:
            usage = group["usage"]
            for e in group["extractors"]:
                if "input_price" not in e:
                    continue
                kinds = tuple((k, n) for k, n in sorted(usage.items()) if k not in ours)
                counts = (
                    usage.get("input_tokens", 0),
                    usage.get("cache_read_tokens"),
                    usage.get("cache_write_tokens"),
                )
                case = TokenUse(
                    e["provider_id"], model, None, *counts, usage.get("output_tokens", 0), kinds=kinds
                )
                total = Decimal(
                    e.get("total_price") or Decimal(e["input_price"]) + Decimal(e["output_price"])
                )
                expected.append((case, total.quantize(Decimal("0.000000001"))))
                priced.add(number)
    assert (len(priced), len(expected)) == (1298, 3474)
    left = expected
    raw = json.loads((DATA / "genai-prices_data.json").read_text(encoding="utf-8"))
    beside = data_snapshot.DataSnapshot(types._providers_from_raw(raw), False)
    counted = []
    try:
        for snapshot in (None, beside):
            data_snapshot.set_custom_snapshot(snapshot)
            for day in (None, dt.date(2026, 4, 1), dt.date(2025, 12, 1)):
                of_day = {case: replace(case, day=day) for case, _ in left}
                cost = price_tokens(of_day.values()).cost
                left = [(case, total) for case, total in left if cost.get(of_day[case]) != total]
                counted.append(len(left))
    finally:
        data_snapshot.set_custom_snapshot(None)
    assert left == [], counted
    assert counted[0] < 140
    assert counted[2] <= 6


def test_a_price_of_ones_own_stands_instead_of_the_list() -> None:
    """$2 a million in, $0.50 from a cache, $10 out; written to a cache as sent; a server of one's own may be free."""
    own = token_prices({"house": Given(2.0, 10.0, 0.5), "gpt-4.1": Given(0.0, 0.0)})
    cases = [
        use("house", None, cache_read=400, cache_write=100),
        use(),
        use("house", None, cache_read=5000),
        use("other", "x"),
    ]
    priced = price_tokens(cases, own)
    # 500 × 2 + 400 × 0.5 + 100 × 2 + 100 × 10 millionths
    assert priced.cost == {cases[0]: Decimal("0.0024"), cases[1]: Decimal(0)}
    assert list(priced.why.values()) == ["the tokens contradict each other", "the model has no known price"]


@dataclass(frozen=True)
class Given:
    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None


@pytest.mark.parametrize(
    ("provider", "model", "plain"),
    [
        (None, "openai/gpt-4.1", ("openai", "gpt-4.1")),
        ("openai", "openai/gpt-4.1", ("openai", "gpt-4.1")),
        (None, "vertex_ai/gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        ("google", "gemini/gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        (None, "openrouter/anthropic/claude-sonnet-4.5", ("openrouter", "anthropic/claude-sonnet-4.5")),
        (None, "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
         ("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0")),
        # What another provider charges for it is not known.
        ("groq", "openai/gpt-4.1", None),
        (None, "openai/", None),
        (None, "house/openai/gpt-4.1", None),
        (None, "models/gpt-4.1-of-the-house", None),
    ],
)  # fmt: skip
def test_a_name_that_has_its_provider_before_it(
    provider: str | None, model: str, plain: tuple[str, str] | None
) -> None:
    def use(provider: str | None, model: str, sent: int) -> TokenUse:
        return TokenUse(provider, model, dt.date(2026, 1, 5), sent, 200, None, 100)

    uses = [use(provider, model, 1000 + i) for i in range(100)]
    found = price_tokens(uses)
    if plain is None:
        assert set(found.why.values()) == {"the model has no known price"}
    else:
        others = price_tokens([use(*plain, 1000 + i) for i in range(100)]).cost
        assert list(found.cost.values()) == list(others.values())
        assert len(found.cost) == 100
