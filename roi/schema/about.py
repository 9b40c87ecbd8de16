"""What the pilot is, who answers for it, what was promised, and how the computation is run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

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

__all__ = ["CLAIMABLE", "About", "Claim", "Goal", "Run", "check_claims", "read_claims"]

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
    locale: str | None = Field(
        None,
        description="How pages and the workbook write numbers, money and dates, such as de-DE or en-US; "
        "by default as in EUR 1,500 and 15 December 2026.",
    )
    started: Day | None = Field(None, description="When the pilot began.")
    decide_by: Day | None = Field(None, description="When the decision is due.")
    spent_to_date: Number | None = Field(None, description="Shown, never counted: it is sunk.")

    @field_validator("locale")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is None:
            return None
        from roi.locales import LOCALES

        if value not in LOCALES:
            meant = {name.casefold(): name for name in LOCALES}.get(value.replace("_", "-").casefold())
            meant = meant or nearest(value, list(LOCALES))
            hint = f"did you mean '{meant}'?" if meant else f"write {ordinal_list(tuple(LOCALES))}"
            raise ValueError(f"'{shorten(value)}' is no locale that is known here; {hint}")
        return value

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


# What holds between quantities whatever the pilot: what is left equals the sum of what is right, with its signs.
SUMS: dict[str, dict[str, int]] = {
    "minutes_saved_per_case": {"human_minutes_baseline": 1, "human_minutes_pilot": -1},
    "errors_avoided_per_case": {"error_rate_baseline": 1, "error_rate_pilot": -1},
    "human_minutes_baseline": {f"{part}_minutes_baseline": 1 for part in ("handling", "review", "rework")},
    "human_minutes_pilot": {f"{part}_minutes_pilot": 1 for part in ("handling", "review", "rework")},
}
Source = tuple[str, str]
Ends = tuple[float, float]


def check_claims(claims: Sequence[Claim | None]) -> list[tuple[YamlPath, str]]:
    """Claims of one source that contradict each other: a quantity with two values, or quantities that do not add up.

    Args:
        claims: In the order of the file; None for one that is refused already.
    """
    parts: list[tuple[YamlPath, str]] = []
    first: dict[Source, dict[str, tuple[int, Claim]]] = {}
    for place, claim in enumerate(claims):
        if claim is None:
            continue
        source = ((claim.by or "").strip().casefold(), (claim.source or "").strip().casefold())
        earlier, other = first.setdefault(source, {}).setdefault(claim.quantity, (place, claim))
        if (other.value.form, other.value.numbers) != (claim.value.form, claim.value.numbers):
            parts.append(
                (
                    (place, "value"),
                    f"contradicts claims[{earlier}]: {_who(claim)} claims {claim.value.text} and {other.value.text} "
                    f"for {claim.quantity}; keep one, or name the source of each",
                )
            )
    for found in first.values():
        parts += _not_adding_up(found)
    return parts


def read_claims(raw: object) -> list[Claim | None]:
    """The claims of a file that can be read, None in place of each that cannot."""
    found: list[Claim | None] = []
    for item in raw if isinstance(raw, list | tuple) else ():
        try:
            found.append(Claim.model_validate(item))
        except ValidationError:
            found.append(None)
    return found


def _not_adding_up(found: Mapping[str, tuple[int, Claim]]) -> list[tuple[YamlPath, str]]:
    """What one source claims of several quantities and cannot all be true, beyond rounding."""
    ends = {quantity: _ends(claim) for quantity, (_, claim) in found.items()}
    wrong: list[tuple[tuple[str, ...], str]] = []
    for total, signs in SUMS.items():
        if not {total, *signs} <= set(ends):
            continue
        low = sum(min(sign * x for x in ends[q]) for q, sign in signs.items())
        high = sum(max(sign * x for x in ends[q]) for q, sign in signs.items())
        if not (low <= ends[total][1] and ends[total][0] <= high):
            between = " minus " if -1 in signs.values() else " plus "
            wrong.append(((total, *signs), between.join(found[q][1].value.text for q in signs)))
    saved, share, before = "minutes_saved_per_case", "relative_time_saved", "human_minutes_baseline"
    if {saved, share, before} <= set(ends):
        products = [x * y for x in ends[share] for y in ends[before]]
        if not (min(products) <= ends[saved][1] and ends[saved][0] <= max(products)):
            text = f"{found[share][1].value.text} of {found[before][1].value.text}"
            wrong.append(((saved, share, before), text))
    parts: list[tuple[YamlPath, str]] = []
    for quantities, text in wrong:
        last = max(quantities, key=lambda q: found[q][0])
        others = [f"claims[{place}]" for place in sorted(found[q][0] for q in quantities if q != last)]
        total, claim = quantities[0], found[quantities[0]][1]
        parts.append(
            (
                (found[last][0], "value"),
                f"contradicts {' and '.join((', '.join(others[:-1]), others[-1]))}: {_who(claim)} claims {text} "
                f"({' and '.join(quantities[1:])}), which is not the {claim.value.text} of {total}; correct one, or "
                "name the source of each",
            )
        )
    return parts


def _who(claim: Claim) -> str:
    return f"'{shorten(claim.by)}'" if claim.by else "the same, unnamed source"


def _ends(claim: Claim) -> Ends:
    """The least and the most that a claim can mean: its ends, each rounded as it is written."""
    low, high = min(claim.value.numbers), max(claim.value.numbers)
    return low - _half_unit(low), high + _half_unit(high)


def _half_unit(x: float) -> float:
    """Half of the last decimal place that a number is written with; of a whole number half of 1."""
    exponent = Decimal(repr(x)).normalize().as_tuple().exponent
    return 0.5 * 10.0 ** min(int(exponent), 0)


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
        description="Where cases, and actions beside them, are reduced: `source` in their own database, with "
        "`connect`, else here (docs/databases.md).",
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
