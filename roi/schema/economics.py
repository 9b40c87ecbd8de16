"""Demand and money: what a saved hour, an avoided error and each cost line are worth."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias, get_args

from pydantic import BaseModel, BeforeValidator, Field, field_validator, model_validator

from roi.scalars import shorten
from roi.schema.base import (
    Group,
    Integer,
    Label,
    Month,
    RefusedError,
    Text,
    Unit,
    WholeShare,
)
from roi.schema.prices import PriceScenario
from roi.schema.tables import SEVERITIES
from roi.schema.values import Positive, Share, inherit, is_uncertain_form
from roi.strict_yaml import YamlPath
from roi.uncertain import Uncertain, exact, pert

__all__ = [
    "COST_KINDS",
    "Adoption",
    "CostLine",
    "Demand",
    "DesignBias",
    "Economics",
    "ErrorCost",
    "Realisation",
    "SeverityMix",
    "check_sum",
]

CostKind: TypeAlias = Literal[
    "integration",
    "data",
    "licence",
    "model_usage",
    "infrastructure",
    "security_legal",
    "training",
    "change",
    "support",
    "evaluation",
    "monitoring",
    "model_migration",
    "decommissioning",
    "other",
]
COST_KINDS: tuple[str, ...] = get_args(CostKind)
Per: TypeAlias = Literal["once", "month", "case", "seat_month", "year"]


def _default(value: float, family: Literal["share", "positive"] = "positive") -> Uncertain:
    return exact(value, family, evidence="default")


def check_sum(shares: Mapping[str, float], what: str) -> None:
    """Refuse shares that do not sum to 1 (to a millionth)."""
    total = sum(shares.values())
    if not abs(total - 1.0) <= 1e-6:
        raise ValueError(f"the shares sum to {total:.6g}, not 1; {what}")


class Demand(Group):
    """How many cases there are, and of which kinds."""

    cases_per_month: Annotated[Positive, Unit("cases/month"), Label("Cases per month")] | None = Field(
        None, description="Cases of the whole workflow in a month, whoever works them."
    )
    mix: dict[str, WholeShare] | None = Field(
        None,
        description="Share of each segment in production; sums to 1. By default the baseline arm's, assumed.",
    )
    mix_cases: Integer | None = Field(
        None,
        description="Cases that the mix was counted on, where it is itself a sample; without it the mix is exact.",
    )

    @field_validator("mix", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and not value:
            raise ValueError("is empty; leave the key out if the mix is unknown")
        return value

    @field_validator("mix_cases")
    @classmethod
    def _counted(cls, value: int | None) -> int | None:
        if value is not None and not value >= 1:
            raise ValueError(f"{value} cases; write how many the mix was counted on, or leave the key out")
        return value

    @field_validator("mix")
    @classmethod
    def _sums(cls, value: dict[str, float] | None) -> dict[str, float] | None:
        if value is not None:
            check_sum(value, "add what is missing, or divide each by the sum")
        return value


class _BySeverity(Group):
    """One value for each severity of an error, by attribute or by ``["minor"]``."""

    def __getitem__(self, severity: str) -> Any:
        if severity not in SEVERITIES:
            raise KeyError(severity)
        return getattr(self, severity)

    def items(self) -> Iterator[tuple[str, Any]]:
        """Severity and value, from minor to critical."""
        return ((severity, getattr(self, severity)) for severity in SEVERITIES)


class ErrorCost(_BySeverity):
    """What an error costs outside the workflow: a refund, a fine, a lost customer."""

    minor: Annotated[Positive, Unit("{currency}/error"), Label("Cost of a minor error")] = Field(
        description="Cost of a minor error."
    )
    moderate: Annotated[Positive, Unit("{currency}/error"), Label("Cost of a moderate error")] = Field(
        description="Cost of a moderate error."
    )
    major: Annotated[Positive, Unit("{currency}/error"), Label("Cost of a major error")] = Field(
        description="Cost of a major error."
    )
    critical: Annotated[Positive, Unit("{currency}/error"), Label("Cost of a critical error")] = Field(
        description="Cost of a critical error."
    )


class SeverityMix(_BySeverity):
    """How severe errors are where the samples hold too few to tell; sums to 1."""

    minor: WholeShare = Field(0.90, description="Share of errors that are minor.")
    moderate: WholeShare = Field(0.09, description="Share of errors that are moderate.")
    major: WholeShare = Field(0.0095, description="Share of errors that are major.")
    critical: WholeShare = Field(0.0005, description="Share of errors that are critical.")

    @model_validator(mode="after")
    def _sums(self) -> Self:
        check_sum(dict(self.items()), "give all four severities")
        return self


class DesignBias(Group):
    """How far a weaker design may be off: the sd of its bias, as a share of the baseline mean."""

    before_after: Annotated[Share, Unit("share"), Label("Possible bias of a before/after comparison")] = (
        Field(_default(0.15, "share"), description="For assignment: before_after.")
    )
    observational: Annotated[Share, Unit("share"), Label("Possible bias of an observational comparison")] = (
        Field(_default(0.20, "share"), description="For assignment: observational.")
    )


_REDEPLOYED = pert(0.1, 0.3, 0.5, "share", evidence="default")


class Realisation(Group):
    """What becomes of a saved hour. A single value is both together; in cash alone it counts 0."""

    cash: Annotated[Share, Unit("share"), Label("Saved time that becomes cash")] | None = Field(
        None,
        description="Share of saved time that becomes cash, such as a contract that ends. Default 0.",
    )
    redeployed: Annotated[Share, Unit("share"), Label("Saved time that is redeployed")] | None = Field(
        None,
        description="Share of saved time that becomes other useful work. Default 0 where `cash` is given, "
        "else 0.1 to 0.5, most likely 0.3.",
    )
    total: Annotated[Share, Unit("share"), Label("Saved time that becomes cash or other work")] | None = (
        Field(None, description="Both together, where they are not known apart.")
    )

    @model_validator(mode="after")
    def _fill(self) -> Self:
        if self.total is not None:
            if self.cash is not None or self.redeployed is not None:
                raise ValueError("`total` is cash and redeployed together; write either it or the two")
            return self
        redeployed = self.redeployed or (_REDEPLOYED if self.cash is None else _default(0.0, "share"))
        cash = self.cash or _default(0.0, "share")
        likely = _likely(cash) + _likely(redeployed)
        if not likely <= 1.0 + 1e-9:
            raise ValueError(
                f"cash and redeployed together are {likely:.4g} of each saved hour; they cannot exceed 1 "
                "(lower one of them)"
            )
        object.__setattr__(self, "cash", cash)
        object.__setattr__(self, "redeployed", redeployed)
        return self


def _likely(value: Uncertain) -> float:
    return value.numbers[1] if value.form == "pert" else value.p50


def _read_realisation(value: Any) -> Any:
    if isinstance(value, BaseModel) or (isinstance(value, Mapping) and not is_uncertain_form(value)):
        return value
    return {"total": value}


def _read_error_cost(value: Any) -> Any:
    if isinstance(value, BaseModel) or (isinstance(value, Mapping) and not is_uncertain_form(value)):
        return value
    return dict.fromkeys(SEVERITIES, value)


class Adoption(Group):
    """The share of eligible cases routed to the agent: it rises in a straight line to its ceiling."""

    ceiling: Annotated[Share, Unit("share"), Label("Adoption in the end")] = Field(
        Uncertain(form="interval", family="share", numbers=(0.5, 0.9), evidence="default"),
        description="Share of eligible cases routed to the agent in the end.",
    )
    ramp_months: Annotated[Positive, Unit("months"), Label("Months to full adoption")] = Field(
        _default(6.0), description="Months until the ceiling is reached."
    )


class CostLine(Group):
    """One cost of running or rolling out the pilot."""

    name: Text = Field(description="What it is.")
    kind: CostKind = Field(
        description="Its kind; kinds neither priced nor declared 0 are listed as not stated."
    )
    amount: Annotated[Positive, Unit("{currency}"), Label("Cost")] = Field(
        description="The amount, in the pilot's currency; 0 declares that the kind costs nothing."
    )
    per: Per = Field(description="What the amount is for.")
    seats: Annotated[Positive, Unit("seats"), Label("Seats")] | None = Field(
        None, description="Number of seats, with per: seat_month."
    )
    owner: Text | None = Field(None, description="Who answers for the amount.")
    source: Text | None = Field(None, description="Where the amount comes from.")
    date: Month | None = Field(None, description="When a one-off cost falls due; by default at the start.")

    @model_validator(mode="after")
    def _seats(self) -> Self:
        parts: list[tuple[YamlPath, str]] = []
        if self.per == "seat_month" and self.seats is None:
            parts.append((("seats",), "is required with per: seat_month; write seats: 40, say"))
        if self.per != "seat_month" and self.seats is not None:
            parts.append((("seats",), f"goes with per: seat_month only, not with per: {self.per}"))
        if self.per != "once" and self.date is not None:
            parts.append((("date",), f"goes with per: once only, not with per: {self.per}"))
        if parts:
            raise RefusedError(parts)
        object.__setattr__(self, "amount", inherit(self.amount, source=self.source, owner=self.owner))
        return self


class Economics(Group):
    """Money: horizon, prices, what saved time becomes, and costs."""

    start: Month | None = Field(
        None,
        description="First month of benefit, such as 2027-01; by default the month after the newest sample.",
    )
    horizon_months: Integer = Field(36, description="Months looked ahead.")
    discount_rate: Annotated[Share, Unit("share/year"), Label("Discount rate")] = Field(
        _default(0.08, "share"), description="Effective per year, nominal, before tax."
    )
    labour_cost_per_hour: (
        Annotated[Positive, Unit("{currency}/hour"), Label("Labour cost per hour")] | None
    ) = Field(None, description="Full cost of an hour of the people who work the cases.")
    realisation: Annotated[
        Realisation, BeforeValidator(_read_realisation, json_schema_input_type=Share | Realisation)
    ] = Field(
        Realisation(),
        description="What becomes of a saved hour; a single value is cash and redeployed together.",
    )
    adoption: Adoption = Field(Adoption(), description="The share of eligible cases routed to the agent.")
    error_cost: (
        Annotated[ErrorCost, BeforeValidator(_read_error_cost, json_schema_input_type=Positive | ErrorCost)]
        | None
    ) = Field(
        None, description="What an error that leaves the workflow costs; one value applies to every severity."
    )
    severity_mix: SeverityMix = Field(
        SeverityMix(), description="How severe errors are where the samples hold too few to tell."
    )
    design_bias: DesignBias = Field(DesignBias(), description="How far a weaker design may be off.")
    costs: tuple[CostLine, ...] = Field((), description="Cost lines.")
    run_cost_per_month: Annotated[Positive, Unit("{currency}/month"), Label("Running cost")] | None = Field(
        None, description="Shorthand for a cost line per month; it is moved into `costs`."
    )
    rollout_cost: Annotated[Positive, Unit("{currency}"), Label("Roll-out cost")] | None = Field(
        None, description="Shorthand for a one-off cost line; it is moved into `costs`."
    )
    contingency: Annotated[Share, Unit("share"), Label("Contingency")] = Field(
        _default(0.2, "share"), description="Added to assumed and sourced one-off costs."
    )
    pilot_cost_per_month: (
        Annotated[Positive, Unit("{currency}/month"), Label("Cost of the pilot as it runs")] | None
    ) = Field(None, description="Until the decision takes effect, and through any fix.")
    wind_down_cost: Annotated[Positive, Unit("{currency}"), Label("Cost of stopping")] = Field(
        _default(0.0), description="What stopping costs."
    )
    approval_minutes: (
        Annotated[Positive, Unit("min/approval"), Label("Minutes that an approval takes")] | None
    ) = Field(
        None,
        description="What a person spends on approving one action; by default the review minutes of the cases, "
        "shared over the actions that people decided on.",
    )
    waiting_cost_per_hour: (
        Annotated[Positive, Unit("{currency}/hour"), Label("Cost of an hour that an action waits")] | None
    ) = Field(
        None, description="What it costs that an action waits an hour for a person; not priced by default."
    )
    fx: dict[str, Annotated[Positive, Unit("{currency} each")]] = Field(
        default_factory=dict,
        description="What one unit of another currency is in the pilot's; without it agent costs in that "
        "currency are unknown.",
    )
    price_scenarios: dict[str, PriceScenario] = Field(
        default_factory=dict,
        description="Changes of the agent's list prices by a name of your own. They change nothing by themselves: the "
        "plan is valued beside them.",
    )

    @field_validator("horizon_months")
    @classmethod
    def _months(cls, value: int) -> int:
        if not 1 <= value <= 240:
            raise ValueError(f"{value} months is not a horizon; write 1 to 240")
        return value

    @field_validator("fx")
    @classmethod
    def _rates(cls, value: dict[str, Uncertain]) -> dict[str, Uncertain]:
        parts: list[tuple[YamlPath, str]] = []
        for code, rate in value.items():
            if not re.fullmatch(r"[A-Z]{3}", code):
                parts.append(
                    ((code,), f"'{shorten(code)}' is not a currency; write its three capitals, such as USD")
                )
            if not rate.numbers[0] > 0:
                parts.append(((code,), "an exchange rate is above 0"))
        if parts:
            raise RefusedError(parts)
        return value

    @model_validator(mode="after")
    def _lines(self) -> Self:
        added: list[CostLine] = []
        if self.run_cost_per_month is not None:
            added.append(_line("Running cost", self.run_cost_per_month, "month"))
        if self.rollout_cost is not None:
            added.append(_line("Roll-out cost", self.rollout_cost, "once"))
        parts: list[tuple[YamlPath, str]] = []
        names: dict[str, int] = {line.name: -1 for line in added}
        for place, line in enumerate(self.costs):
            if line.name in names:
                parts.append(
                    ((("costs", place, "name")), f"'{shorten(line.name)}' names two cost lines; rename one")
                )
            names[line.name] = place
        if parts:
            raise RefusedError(parts)
        object.__setattr__(self, "costs", (*self.costs, *added))
        object.__setattr__(self, "run_cost_per_month", None)
        object.__setattr__(self, "rollout_cost", None)
        return self


def _line(name: str, amount: Uncertain, per: Per) -> CostLine:
    return CostLine(name=name, kind="other", amount=amount, per=per)
