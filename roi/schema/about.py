"""What the pilot is, who answers for it, what was promised, and how the computation is run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from roi.scalars import as_share, shorten
from roi.schema.base import (
    Currency,
    Day,
    Group,
    Integer,
    Label,
    Number,
    RefusedError,
    Slug,
    Text,
    nearest,
    ordinal_list,
)
from roi.schema.values import Real, inherit
from roi.strict_yaml import YamlPath

__all__ = ["CLAIMABLE", "About", "Claim", "Goal", "Run", "check_claims"]

_MINUTES = tuple(
    f"{part}_minutes_{arm}"
    for part in ("handling", "review", "rework", "human")
    for arm in ("baseline", "pilot")
)
CLAIMABLE: dict[str, tuple[float, float]] = {
    "minutes_saved_per_case": (-math.inf, math.inf),
    "relative_time_saved": (-math.inf, 1.0),
    **dict.fromkeys(_MINUTES, (0.0, math.inf)),
    "error_rate_baseline": (0.0, 1.0),
    "error_rate_pilot": (0.0, 1.0),
    "errors_avoided_per_case": (-1.0, 1.0),
    "severe_error_rate_pilot": (0.0, 1.0),
    "escalation_rate_baseline": (0.0, 1.0),
    "escalation_rate_pilot": (0.0, 1.0),
    "agent_cost_per_case": (0.0, math.inf),
    "cost_per_correct_case": (0.0, math.inf),
    "cost_per_correct_case_baseline": (0.0, math.inf),
    "cost_per_correct_case_pilot": (0.0, math.inf),
    "hours_saved_per_year": (-math.inf, math.inf),
    "cash_per_year": (-math.inf, math.inf),
    "worth": (-math.inf, math.inf),
}
"""What can be claimed and measured, and the range in which it can lie; the last three are of scaling everything."""

SELF_REPORTERS = ("worker", "workers", "staff", "users", "employees", "agents", "team")


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
    kind: Literal["promise", "self_report"] | None = Field(
        None,
        description="Whether somebody promised it or the people who do the work report it of themselves; by default "
        "what `workers` (staff, users, team) claim is a self-report, anything else a promise.",
    )

    @field_validator("quantity")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in CLAIMABLE:
            meant = nearest(value, list(CLAIMABLE))
            hint = f"did you mean '{meant}'?" if meant else f"write {ordinal_list(tuple(CLAIMABLE))}"
            raise ValueError(f"'{shorten(value)}' is nothing that is measured; {hint}")
        return value

    @model_validator(mode="after")
    def _origin(self) -> Self:
        low, high = CLAIMABLE[self.quantity]
        for number in self.value.numbers:
            if not low <= number <= high:
                percent = (
                    f"; {number:g} % is {as_share(number)}" if high == 1.0 and 1.0 < number <= 100.0 else ""
                )
                wanted = f"{low:g} to {high:g}" if math.isfinite(low + high) else f"at least {low:g}"
                wanted = f"at most {high:g}" if low == -math.inf else wanted
                message = f"{number:g} is impossible for {self.quantity} ({wanted}){percent}"
                raise RefusedError([(("value",), message)])
        object.__setattr__(self, "value", inherit(self.value, source=self.source, owner=self.by))
        return self

    @property
    def is_self_report(self) -> bool:
        """Whether the people who do the work say it of themselves."""
        if self.kind is not None:
            return self.kind == "self_report"
        return (self.by or "").strip().casefold() in SELF_REPORTERS


def check_claims(claims: Sequence[Claim]) -> list[tuple[YamlPath, str]]:
    """Claims that contradict each other: one source, one quantity, two values."""
    parts: list[tuple[YamlPath, str]] = []
    first: dict[tuple[str, str, str], tuple[int, Claim]] = {}
    for place, claim in enumerate(claims):
        who = (claim.by or "").strip().casefold()
        where = (claim.source or "").strip().casefold()
        earlier, other = first.setdefault((claim.quantity, who, where), (place, claim))
        if (other.value.form, other.value.numbers) != (claim.value.form, claim.value.numbers):
            by = f"'{shorten(claim.by)}'" if claim.by else "the same, unnamed source"
            parts.append(
                (
                    (place, "value"),
                    f"contradicts claims[{earlier}]: {by} claims {claim.value.text} and {other.value.text} for "
                    f"{claim.quantity}; keep one, or name the source of each",
                )
            )
    return parts


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
