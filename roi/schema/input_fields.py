"""What a raw field of the inputs must be, where the analyst states it; a stated rule goes before an inferred one."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from roi.schema.base import Flag, Group, Names, Number, RefusedError, Text
from roi.strict_yaml import YamlPath

__all__ = ["FieldRule"]

_OF_NUMBERS = ("min", "max", "unit", "sum_of")
_OF_DATES = ("not_after", "not_before", "max_age_days")


class FieldRule(Group):
    """What one raw field must be; what is not stated is inferred from its values, and said to be."""

    required: Flag | None = Field(None, description="Whether a case cannot be worked without it.")
    missing: Names = Field((), description="Further marks that mean a missing value in this field.")
    format: (
        Literal[
            "text",
            "number",
            "integer",
            "date",
            "email",
            "iban",
            "bic",
            "vat",
            "card",
            "ean",
            "isbn",
        ]
        | None
    ) = Field(None, description="What its values are; check digits of numbers that have them are checked.")
    pattern: Text | None = Field(
        None, description="A regular expression (RE2) that the whole value matches, such as POL-[0-9]{6}."
    )
    one_of: Names = Field((), description="The values it may hold, whatever their case.")
    min: Number | None = Field(None, description="The least number it may hold.")
    max: Number | None = Field(None, description="The largest number it may hold.")
    unit: Text | None = Field(
        None, description="The unit or currency its numbers are in; another one beside them is a defect."
    )
    unique: Flag | None = Field(
        None, description="Whether two cases cannot have the same value; the later one has the defect."
    )
    not_after: Text | None = Field(
        None,
        description="A date is no later than this other field, or than started_at or ended_at of the case.",
    )
    not_before: Text | None = Field(None, description="A date is no earlier than it, likewise.")
    max_age_days: Number | None = Field(
        None,
        description="The most days that a date may lie before the case was started; an older one is stale.",
    )
    sum_of: Names = Field((), description="The fields that it is the sum of.")
    ignore: Flag = Field(False, description="Leave the field out: no rule holds for it.")

    @model_validator(mode="after")
    def _together(self) -> Self:
        parts: list[tuple[YamlPath, str]] = []
        stated = {
            name
            for name in type(self).model_fields
            if name != "ignore" and getattr(self, name) not in (None, (), False)
        }
        if self.ignore and stated:
            parts.append(
                (("ignore",), f"leaves the field out, and {min(stated)} is stated; keep one of them")
            )
        if self.min is not None and self.max is not None and not self.min <= self.max:
            parts.append((("max",), f"{self.max:g} is below min, {self.min:g}"))
        if self.max_age_days is not None and not self.max_age_days >= 0:
            parts.append((("max_age_days",), f"{self.max_age_days:g} is below 0"))
        number = [name for name in _OF_NUMBERS if name in stated]
        dated = [name for name in _OF_DATES if name in stated]
        if number and dated:
            parts.append(((dated[0],), f"is of dates, and {number[0]} of numbers; a field is one of them"))
        if number and self.format not in (None, "number", "integer"):
            parts.append((("format",), f"'{self.format}' does not go with {number[0]}; write number"))
        if dated and self.format not in (None, "date"):
            parts.append((("format",), f"'{self.format}' does not go with {dated[0]}; write date"))
        if len(self.sum_of) == 1:
            parts.append((("sum_of",), "one field is no sum; name at least two"))
        if parts:
            raise RefusedError(parts)
        return self
