"""What can be done about a pilot: remedies, alternatives without AI, and measuring more."""

from __future__ import annotations

from typing import Annotated, Self, TypeAlias

from pydantic import Field, field_validator, model_validator

from roi.scalars import shorten
from roi.schema.base import Group, Label, Names, RefusedError, Text, Unit, nearest
from roi.schema.values import Positive, Real, Share, inherit
from roi.strict_yaml import YamlPath

__all__ = ["CAUSES", "GATES", "Alternative", "Measurement", "Remedy", "check_remedies"]

CAUSES = ("model", "workflow", "data", "integration", "oversight")
GATES = (
    "complete_minutes",
    "measured_baseline",
    "covered_demand",
    "usable_inputs",
    "known_cost",
    "severe_errors",
    "design",
    "bounded_access",
    "human_approval",
    "audit_trail",
    "evaluation",
    "rollback",
)

Money: TypeAlias = Annotated[Positive, Unit("{currency}"), Label("Cost")]
MoneyPerMonth: TypeAlias = Annotated[Positive, Unit("{currency}/month"), Label("Cost per month")]


class Remedy(Group):
    """A priced fix. Without a cost it counts only if, had for nothing, it would make scaling possible."""

    name: Text = Field(description="What is done.")
    addresses: Text = Field(description="A cause of losses, or a gate or control by name.")
    removes_share: Annotated[Share, Unit("share"), Label("Losses removed")] | None = Field(
        None, description="Share of the cause's losses that it removes."
    )
    cost: Money | None = Field(None, description="Its one-off cost.")
    cost_per_month: MoneyPerMonth | None = Field(None, description="What it costs in every month afterwards.")
    weeks: Annotated[Positive, Unit("weeks"), Label("Time to build")] | None = Field(
        None, description="How long it takes; its benefit begins afterwards."
    )
    owner: Text | None = Field(None, description="Who would do it.")
    pays_approvers: bool = Field(
        False,
        description="Of a remedy for `human_approval`: whether `cost_per_month` pays the people who approve; "
        "else their minutes are added.",
    )
    after: Names = Field(
        (), description="Remedies, by name, that have to be finished first; others run in parallel."
    )

    @field_validator("addresses")
    @classmethod
    def _known(cls, value: str) -> str:
        known = [*CAUSES, *GATES]
        if value not in known:
            meant = nearest(value, known)
            hint = f"did you mean '{meant}'?" if meant else f"write one of {', '.join(known)}"
            raise ValueError(f"'{shorten(value)}' is neither a cause nor a gate; {hint}")
        return value

    @model_validator(mode="after")
    def _of_approval(self) -> Self:
        if self.pays_approvers and self.addresses != "human_approval":
            message = (
                f"goes with `addresses: human_approval` only, not with {self.addresses}, which nobody approves for; "
                "leave it out"
            )
            raise RefusedError([(("pays_approvers",), message)])
        return self

    @model_validator(mode="after")
    def _origin(self) -> Self:
        for key in ("removes_share", "cost", "cost_per_month", "weeks"):
            object.__setattr__(self, key, inherit(getattr(self, key), owner=self.owner))
        return self


class Alternative(Group):
    """A way to the same end without AI, shown beside the options."""

    name: Text = Field(description="What would be done.")
    minutes_saved: Annotated[Real, Unit("min/case"), Label("Minutes saved")] | None = Field(
        None, description="Human minutes saved a case."
    )
    cost: Money | None = Field(None, description="Its one-off cost.")
    cost_per_month: MoneyPerMonth | None = Field(None, description="What it costs in every month.")
    source: Text | None = Field(None, description="Where the numbers come from.")
    owner: Text | None = Field(None, description="Who answers for them.")

    @model_validator(mode="after")
    def _origin(self) -> Self:
        for key in ("minutes_saved", "cost", "cost_per_month"):
            object.__setattr__(self, key, inherit(getattr(self, key), source=self.source, owner=self.owner))
        return self


class Measurement(Group):
    """What measuring more costs, and how fast cases come."""

    per_case: Annotated[Positive, Unit("{currency}/case"), Label("Price of timing a pilot case")] | None = (
        Field(None, description="Timing one pilot case.")
    )
    per_label: Annotated[Positive, Unit("{currency}/label"), Label("Price of labelling a case")] | None = (
        Field(None, description="Having a person label one outcome.")
    )
    per_baseline_case: (
        Annotated[Positive, Unit("{currency}/case"), Label("Price of timing a baseline case")] | None
    ) = Field(None, description="Timing one case worked as before.")
    setup: Annotated[Positive, Unit("{currency}"), Label("Price of setting measurement up")] | None = Field(
        None, description="Setting the measurement up, once."
    )
    cases_per_week: Annotated[Positive, Unit("cases/week"), Label("Cases measured in a week")] | None = Field(
        None, description="How many cases can be measured in a week."
    )
    per_document: Annotated[Positive, Unit("{currency}"), Label("Price of a document")] | None = Field(
        None, description="Having a document (a quote, a ledger, a survey) for one input that is assumed."
    )
    document_removes: Annotated[Share, Unit("share"), Label("Variance that a document removes")] | None = (
        Field(
            None,
            description="How much of such an input's variance a document takes away; 0.75 unless stated.",
        )
    )

    @field_validator("cases_per_week")
    @classmethod
    def _some(cls, value: Positive | None) -> Positive | None:
        if value is not None and not value.largest > 0:
            raise ValueError("0 cases a week never finish; leave the key out if it is unknown")
        return value


def check_remedies(remedies: tuple[Remedy, ...]) -> list[tuple[YamlPath, str]]:
    """Names that stand twice, and orders (`after`) that name no remedy or run in a circle."""
    parts: list[tuple[YamlPath, str]] = []
    names: list[str] = []
    for place, remedy in enumerate(remedies):
        if remedy.name in names:
            parts.append(((place, "name"), f"'{shorten(remedy.name)}' names two remedies; rename one"))
        names.append(remedy.name)
    for place, remedy in enumerate(remedies):
        for earlier in remedy.after:
            if earlier not in names:
                meant = nearest(earlier, names)
                hint = f"; did you mean '{shorten(meant)}'?" if meant and meant != remedy.name else ""
                parts.append(((place, "after"), f"'{shorten(earlier)}' is not the name of a remedy{hint}"))
    waits = {remedy.name: set(remedy.after) & set(names) for remedy in remedies}
    while free := [name for name, earlier in waits.items() if not earlier]:
        for name in free:
            del waits[name]
        for earlier_names in waits.values():
            earlier_names.difference_update(free)
    if waits:
        circle = ", ".join(f"'{shorten(name)}'" for name in waits)
        first = next(place for place, remedy in enumerate(remedies) if remedy.name in waits)
        parts.append(((first, "after"), f"{circle} wait for one another; remove one `after`"))
    return parts
