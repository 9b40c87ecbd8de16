"""Prices of tokens: a model's own ones, and how list prices may change."""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator, model_validator

from roi.schema.base import Group, Month, Number, RefusedError, Text
from roi.strict_yaml import YamlPath

__all__ = ["PriceScenario", "TokenPrices"]

MOST = 10.0  # beyond it a change is a percentage that was written as a number


class TokenPrices(Group):
    """What a model costs by a contract or a server of one's own, in USD a million tokens."""

    input: Number = Field(description="Of tokens sent.")
    output: Number = Field(description="Of tokens received, reasoning included.")
    cache_read: Number | None = Field(
        None, description="Of tokens read from a cache; as `input` unless stated."
    )
    cache_write: Number | None = Field(
        None, description="Of tokens written to a cache; as `input` unless stated."
    )

    @field_validator("input", "output", "cache_read", "cache_write")
    @classmethod
    def _no_less_than_nothing(cls, value: float | None) -> float | None:
        if value is not None and not 0 <= value <= 1_000_000:
            raise ValueError(f"{value:g} is no price of a million tokens; write dollars, such as 2.50")
        return value


class PriceScenario(Group):
    """List prices as they may become: all of the agent's, or those of one model."""

    model: Text | None = Field(
        None, description="The model whose prices change, as the cases name it; all of them unless stated."
    )
    month: Month | None = Field(
        None, alias="from", description="First month with the new prices; from the start unless stated."
    )
    change: Number | None = Field(
        None, description="What the prices change by, as a share: -0.3 makes them 30 % cheaper."
    )
    prices: TokenPrices | None = Field(
        None, description="The model's new prices in USD a million tokens, instead of `change`."
    )
    source: Text | None = Field(None, description="Where this comes from.")

    @model_validator(mode="after")
    def _one_change(self) -> Self:
        parts: list[tuple[YamlPath, str]] = []
        if (self.change is None) == (self.prices is None):
            message = "states a change and prices; keep one of them" if self.prices else "states no change"
            parts.append(((), f"{message}; write `change: -0.3` for 30 % less, or `prices:` of the model"))
        if self.change is not None and not -1 <= self.change <= MOST:
            hint = f"; {self.change:g} % is {self.change / 100:g}" if 1 < abs(self.change) <= 1000 else ""
            parts.append((("change",), f"{self.change:g} is no change of prices from -1 to {MOST:g}{hint}"))
        if self.prices is not None and self.model is None:
            parts.append((("model",), "is required with `prices`: whose they are"))
        if parts:
            raise RefusedError(parts)
        return self
