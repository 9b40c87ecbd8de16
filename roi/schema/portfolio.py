"""What the portfolio's owner has to give: money, people who build, and the hours that teams have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, field_validator

from roi.problems import ParameterError, Problem
from roi.scalars import describe, shorten
from roi.schema.base import Currency, Day, Group, Number, RefusedError, Text, Unit, WholeShare
from roi.schema.errors import problems_of
from roi.schema.values import Positive
from roi.strict_yaml import YamlPath, read_yaml
from roi.uncertain import Uncertain

__all__ = ["PORTFOLIO_FILE", "Builder", "Portfolio", "read_portfolio"]

PORTFOLIO_FILE = "_portfolio.yaml"


class Builder(Group):
    """People who must build what a fix or a roll-out needs, named as the `owner` of remedies and cost lines."""

    weeks: Number = Field(description="Weeks of building that they have to give.")
    cost_per_week: Number | None = Field(
        None,
        description="Turns the one-off cost lines that they own into weeks; without it only remedies take weeks.",
    )

    @field_validator("weeks")
    @classmethod
    def _weeks(cls, value: float) -> float:
        return _at_least_0(value)

    @field_validator("cost_per_week")
    @classmethod
    def _cost(cls, value: float | None) -> float | None:
        if value is not None and not value > 0:
            raise ValueError(f"{value:g} is no price of a week; write what a week of theirs costs, above 0")
        return value


class Portfolio(Group):
    """What there is to give to all pilots together. What is left out limits nothing."""

    currency: Currency | None = Field(
        None, description="Of the budget and of every sum over pilots; by default that of most pilots."
    )
    fx: dict[str, Annotated[Positive, Unit("{currency} each")]] = Field(
        default_factory=dict,
        description="What one unit of another currency is in this one; a pilot without a rate is left out of the set.",
    )
    budget: Number | None = Field(None, description="One-off money for fixes and roll-outs together.")
    builders: dict[str, Builder] = Field(
        default_factory=dict, description="People who must build, by name, and what they have to give."
    )
    teams: dict[str, Number] = Field(
        default_factory=dict,
        description="Hours a month that a team has, by the pilots' `about.owner`; no more of them can be saved.",
    )
    max_share_not_paying: WholeShare | None = Field(
        None, description="Of the funded pilots, the largest expected share that does not pay."
    )
    as_of: Day | None = Field(
        None, description="The day on which ages and due dates are told; by default the newest decision's."
    )
    approved_by: Text | None = Field(None, description="Who approved it.")
    approved_at: Day | None = Field(None, description="When it was approved.")

    @field_validator("budget")
    @classmethod
    def _budget(cls, value: float | None) -> float | None:
        return None if value is None else _at_least_0(value)

    @field_validator("teams")
    @classmethod
    def _teams(cls, value: dict[str, float]) -> dict[str, float]:
        parts: list[tuple[YamlPath, str]] = [
            ((name,), f"{hours:g} is below 0, which is impossible here")
            for name, hours in value.items()
            if not hours >= 0
        ]
        if parts:
            raise RefusedError(parts)
        return value

    @field_validator("fx")
    @classmethod
    def _rates(cls, value: Mapping[str, Uncertain]) -> Mapping[str, Uncertain]:
        parts: list[tuple[YamlPath, str]] = []
        for code, rate in value.items():
            if not re.fullmatch(r"[A-Z]{3}", code):
                message = f"'{shorten(code)}' is not a currency; write its three capitals, such as USD"
                parts.append(((code,), message))
            if not rate.numbers[0] > 0:
                parts.append(((code,), "an exchange rate is above 0"))
        if parts:
            raise RefusedError(parts)
        return value


def _at_least_0(value: float) -> float:
    if not value >= 0:
        raise ValueError(f"{value:g} is below 0, which is impossible here")
    return value


def read_portfolio(path: Path, *, name: str | None = None) -> Portfolio:
    """What the portfolio's owner stated; limits nothing where there is no file.

    Args:
        path: `params/_portfolio.yaml`.
        name: How messages call it.

    Raises:
        ParameterError: With every problem of the file.
    """
    if not path.exists():
        return Portfolio()
    name = name or f"{path.parent.name}/{path.name}"
    document = read_yaml(path, name=name)
    problems = list(document.problems)
    stated = {} if document.value is None else document.value
    if not isinstance(stated, dict):
        raise ParameterError(
            problems or [Problem(name, "", f"holds {describe(stated)} where keys are wanted")]
        )
    try:
        found = Portfolio.model_validate(stated)
    except ValidationError as error:
        raise ParameterError([*problems, *problems_of(error, Portfolio, document, file=name)]) from None
    if problems:
        raise ParameterError(problems)
    return found
