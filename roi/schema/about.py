"""What the pilot is, who answers for it, what was promised, and how the computation is run."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from roi.scalars import shorten
from roi.schema.base import Currency, Day, Group, Integer, Label, Number, Slug, Text
from roi.schema.values import Real, inherit

__all__ = ["About", "Claim", "Goal", "Run"]


class Goal(Group):
    """What the pilot set out to reach."""

    text: Text = Field(description="The goal in words.")
    metric: Slug | None = Field(
        None, description="The estimate it is measured by, such as minutes_saved_per_case."
    )
    target: Number | None = Field(None, description="The value to reach, in the metric's unit.")
    by: Day | None = Field(None, description="When it is to be reached.")


class About(Group):
    """What the pilot is and who answers for it."""

    title: Text | None = Field(None, description="The pilot's name for readers; by default the file's name.")
    workflow: Text | None = Field(None, description="The workflow in words.")
    workflow_id: Slug | None = Field(
        None,
        description="The workflow's name; two pilots of one workflow never both count.",
    )
    goal: Goal | None = Field(None, description="What the pilot set out to reach.")
    owner: Text | None = Field(None, description="Who answers for the workflow.")
    prepared_by: Text | None = Field(None, description="Who prepared this business case.")
    budget_owner: Text | None = Field(None, description="Who decides on the money.")
    finance_reviewer: Text | None = Field(None, description="Who checked the money.")
    currency: Currency = Field("EUR", description="Of every amount in the file and the report.")
    started: Day | None = Field(None, description="When the pilot began.")
    decide_by: Day | None = Field(None, description="When the decision is due.")
    spent_to_date: Number | None = Field(None, description="Shown, never counted: it is sunk.")

    @field_validator("spent_to_date")
    @classmethod
    def _not_negative(cls, value: float | None) -> float | None:
        if value is not None and not value >= 0:
            raise ValueError(f"{value:g} is below 0, which is impossible here")
        return value


class Claim(Group):
    """What somebody said the pilot achieves, to be held against what is measured."""

    quantity: Slug = Field(description="The estimate that is claimed, such as minutes_saved_per_case.")
    value: Annotated[Real, Label("Claimed")] = Field(description="The claimed value, in the estimate's unit.")
    by: Text | None = Field(None, description="Who claims it.")
    source: Text | None = Field(None, description="Where it is claimed.")

    @model_validator(mode="after")
    def _origin(self) -> Self:
        object.__setattr__(self, "value", inherit(self.value, source=self.source, owner=self.by))
        return self


class Run(Group):
    """How the computation is run."""

    seed: Integer = Field(20260101, description="Seed of the draws; the same seed gives the same bytes.")
    draws: Integer = Field(10_000, description="Joint draws of every uncertain quantity, 1,000 to 1,000,000.")
    looks: Integer = Field(
        1,
        description="Looks at this pilot's data up to and including this one, or as many as are planned, 1 to 60; "
        "with more than one, scale needs a higher chance.",
    )
    as_of: Day | None = Field(
        None, description="The day of the decision; by default the newest sample time, never the clock."
    )
    engine: Literal["duckdb", "source"] | None = Field(
        None,
        description="Where moments are taken: in the embedded DuckDB, or in the rows' own database.",
    )

    @field_validator("seed")
    @classmethod
    def _seed(cls, value: int) -> int:
        if not 0 <= value < 2**63:
            raise ValueError(f"{shorten(value)} is not a seed; write a whole number from 0")
        return value

    @field_validator("looks")
    @classmethod
    def _looks(cls, value: int) -> int:
        if not 1 <= value <= 60:
            raise ValueError(
                f"{shorten(value)} looks; write 1 for the first look at these data, 2 for the second, at most 60"
            )
        return value

    @field_validator("draws")
    @classmethod
    def _draws(cls, value: int) -> int:
        if not 1_000 <= value <= 1_000_000:
            raise ValueError(f"{shorten(value)} draws are too few or too many; write 1000 to 1000000")
        return value
