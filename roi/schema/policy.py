"""The portfolio's policy, and how a pilot may tighten it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, field_validator, model_validator

from roi.schema.base import Anything, Day, Group, Integer, Names, Number, RefusedError, Slug, Text, WholeShare
from roi.strict_yaml import YamlPath

__all__ = ["DIRECTIONS", "Policy", "PolicyException", "Privacy", "Tightening", "is_tighter"]

Direction: TypeAlias = Literal["up", "down", "more"]

DIRECTIONS: Mapping[str, Direction] = {
    "scale_probability": "up",
    "kill_probability": "up",
    "hurdle": "up",
    "max_severe_error_rate": "down",
    "min_covered_demand": "up",
    "min_usable_inputs": "up",
    "max_approval_miss_rate": "down",
    "high_risk_tools": "more",
    "min_reading_seconds": "up",
    "max_minutes_to_pause": "down",
    "drill_max_age_days": "down",
    "evidence_max_age_days": "down",
    "smallest_saving_minutes": "up",
    "fix_budget": "down",
    "fix_weeks": "down",
    "max_fix_rounds": "down",
}
"""Which way each key is tightened; keys that are not here are the policy file's alone."""


class PolicyException(Group):
    """One key that is held looser than the policy until a day; printed on the first screen."""

    key: Literal[
        "scale_probability",
        "kill_probability",
        "hurdle",
        "max_severe_error_rate",
        "min_covered_demand",
        "min_usable_inputs",
        "max_approval_miss_rate",
        "high_risk_tools",
        "min_reading_seconds",
        "max_minutes_to_pause",
        "drill_max_age_days",
        "evidence_max_age_days",
        "smallest_saving_minutes",
        "fix_budget",
        "fix_weeks",
        "max_fix_rounds",
    ] = Field(description="The key of the policy.")
    value: Anything = Field(description="The value that applies instead.")
    reason: Text = Field(description="Why.")
    approved_by: Text = Field(description="Who approved it.")
    expires: Day = Field(description="The last day on which it applies.")
    pilot: Slug | None = Field(None, description="In the policy file: the pilot it is for; by default all.")


class Privacy(Group):
    """How people are protected."""

    key_env: Text | None = Field(
        None,
        description="The environment variable that holds the key of the pseudonyms.",
    )
    min_group: Integer = Field(5, description="Groups of fewer people than this are merged or suppressed.")

    @field_validator("key_env")
    @classmethod
    def _a_name(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,100}", value):
            # It may be the key itself, so it is not repeated.
            raise ValueError(
                "is not the name of an environment variable; write ROI_PRIVACY_KEY, say, never the key itself"
            )
        return value

    @field_validator("min_group")
    @classmethod
    def _at_least_two(cls, value: int) -> int:
        if not value >= 2:
            raise ValueError(f"{value} protects nobody; write 2 or more")
        return value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, Mapping) else value


Exceptions: TypeAlias = Annotated[
    tuple[PolicyException, ...],
    BeforeValidator(_as_list, json_schema_input_type=PolicyException | tuple[PolicyException, ...]),
]


def _check_numbers(values: Mapping[str, Any]) -> list[tuple[YamlPath, str]]:
    parts: list[tuple[YamlPath, str]] = []
    for key, value in values.items():
        if key in DIRECTIONS and isinstance(value, int | float) and key != "hurdle" and not value >= 0:
            parts.append(((key,), f"{value:g} is below 0, which is impossible here"))
    return parts


class Tightening(Group):
    """The policy as one pilot holds itself to it: only tighter, unless an exception says otherwise."""

    scale_probability: WholeShare | None = Field(None, description="See the policy file; only upwards.")
    kill_probability: WholeShare | None = Field(None, description="See the policy file; only upwards.")
    hurdle: Number | None = Field(None, description="See the policy file; only upwards.")
    max_severe_error_rate: WholeShare | None = Field(None, description="See the policy file; only downwards.")
    min_covered_demand: WholeShare | None = Field(None, description="See the policy file; only upwards.")
    min_usable_inputs: WholeShare | None = Field(None, description="See the policy file; only upwards.")
    max_approval_miss_rate: WholeShare | None = Field(
        None, description="See the policy file; only downwards."
    )
    high_risk_tools: Names | None = Field(None, description="See the policy file; further tools only.")
    min_reading_seconds: Number | None = Field(None, description="See the policy file; only upwards.")
    max_minutes_to_pause: Number | None = Field(None, description="See the policy file; only downwards.")
    drill_max_age_days: Integer | None = Field(None, description="See the policy file; only downwards.")
    evidence_max_age_days: Integer | None = Field(None, description="See the policy file; only downwards.")
    smallest_saving_minutes: Number | None = Field(None, description="See the policy file; only upwards.")
    fix_budget: Number | None = Field(None, description="See the policy file; only downwards.")
    fix_weeks: Number | None = Field(None, description="See the policy file; only downwards.")
    max_fix_rounds: Integer | None = Field(None, description="See the policy file; only downwards.")
    exception: Exceptions = Field(
        (), description="Keys that are held looser until a day, and who approved it."
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if parts := _check_numbers(self.given()):
            raise RefusedError(parts)
        return self

    def given(self) -> dict[str, Any]:
        """The keys that are set, with their values."""
        return {key: value for key in DIRECTIONS if (value := getattr(self, key)) is not None}


class Policy(Group):
    """The portfolio's rules for every pilot; the file belongs to the portfolio's owner."""

    scale_probability: WholeShare = Field(0.80, description="Scale needs at least this chance that it pays.")
    kill_probability: WholeShare = Field(
        0.20, description="Kill, where no option's chance exceeds this at its own price."
    )
    hurdle: Number = Field(0.0, description="What an option must be worth beyond stopping now.")
    max_severe_error_rate: WholeShare = Field(
        0.005, description="The most severe errors a case that may be shown."
    )
    severe_reference: Literal["limit", "baseline"] = Field(
        "limit", description="Whether severe errors are held against the limit or against the baseline arm."
    )
    min_covered_demand: WholeShare = Field(
        0.8,
        description="The least share of demand in segments sampled in both arms, for scaling everywhere.",
    )
    min_usable_inputs: WholeShare = Field(0.6, description="The least share of demand with usable inputs.")
    max_approval_miss_rate: WholeShare = Field(
        0.02, description="The largest share of high-risk actions without a proper approval."
    )
    high_risk_tools: Names = Field((), description="Tools whose every action counts as high-risk.")
    min_reading_seconds: Number = Field(
        5.0, description="The shortest time in which an approval can have been read: twenty words."
    )
    max_minutes_to_pause: Number = Field(15.0, description="The longest time from detection to pause.")
    drill_max_age_days: Integer = Field(180, description="How old the last drill may be.")
    evidence_max_age_days: Integer = Field(
        365,
        description="How old samples and inputs with an as_of may be at the decision; older ones are flagged.",
    )
    smallest_saving_minutes: Number = Field(
        0.25, description="Savings below this count only where realisation is measured or sourced."
    )
    fix_budget: Number | None = Field(None, description="The most that a fix may cost.")
    fix_weeks: Number | None = Field(None, description="The longest that a fix may take.")
    max_fix_rounds: Integer = Field(
        2, description="After so many fixes with the same gate failing the verdict is kill."
    )
    exception: Exceptions = Field((), description="Keys that are held looser until a day.")
    approved_by: Text | None = Field(None, description="Who approved the policy.")
    approved_at: Day | None = Field(None, description="When it was approved.")
    privacy: Privacy = Field(Privacy(), description="How people are protected.")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        parts = _check_numbers({key: getattr(self, key) for key in DIRECTIONS})
        if not self.kill_probability < self.scale_probability:
            parts.append(
                (
                    ("kill_probability",),
                    f"{self.kill_probability:g} is not below scale_probability ({self.scale_probability:g})",
                )
            )
        if parts:
            raise RefusedError(parts)
        return self

    @property
    def exceptions(self) -> tuple[PolicyException, ...]:
        """The exceptions that apply."""
        return self.exception

    def as_json(self) -> str:
        """Every value in one canonical line, for hashes."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)


def is_tighter(key: str, value: Any, policy: Any) -> bool:
    """Whether `value` is as strict as the policy's value of `key`, or stricter."""
    if policy is None:
        return True
    if value is None:
        return False
    match DIRECTIONS[key]:
        case "up":
            return bool(value >= policy)
        case "down":
            return bool(value <= policy)
        case "more":
            return set(policy) <= set(value)
