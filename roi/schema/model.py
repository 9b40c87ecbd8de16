"""The whole parameter file as one model, and the keys whose effect is still to come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import Field, WithJsonSchema, model_validator

from roi.scalars import shorten
from roi.schema.about import About, Claim, Run, check_claims
from roi.schema.base import Group, RefusedError, Slug
from roi.schema.economics import Demand, Economics
from roi.schema.policy import Tightening
from roi.schema.remedies import Alternative, Measurement, Remedy, check_remedies
from roi.schema.samples import Samples

__all__ = ["BASED_ON", "NOT_USED_YET", "SCENARIO_GROUPS", "TOP_LEVEL_KEYS", "Parameters", "not_used_yet"]

SCENARIO_GROUPS = ("demand", "economics", "measurement", "remedies", "samples")
BASED_ON = "based_on"

_SCENARIOS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "propertyNames": {"enum": [*SCENARIO_GROUPS, BASED_ON]},
    },
}


class Parameters(Group):
    """A pilot's parameter file. Every top-level key is a parameter of every notebook."""

    pilot: Slug = Field(description="The pilot's name, which is the file's own name without .yaml.")
    about: About = Field(About(), description="What the pilot is and who answers for it.")
    samples: Samples = Field(description="The samples of real cases that the pilot has worked on.")
    demand: Demand = Field(Demand(), description="How many cases there are, and of which kinds.")
    economics: Economics = Field(Economics(), description="Prices, what saved time becomes, and costs.")
    measurement: Measurement | None = Field(None, description="What measuring more costs.")
    remedies: tuple[Remedy, ...] = Field((), description="Priced fixes.")
    alternatives: tuple[Alternative, ...] = Field((), description="Ways to the same end without AI.")
    claims: tuple[Claim, ...] = Field((), description="What somebody said the pilot achieves.")
    scenarios: Annotated[dict[str, Any], WithJsonSchema(_SCENARIOS_SCHEMA)] = Field(
        default_factory=dict,
        description="Named sets of keys that replace those of this file; "
        "`based_on` starts from another. Each is decided beside the file's own values.",
    )
    policy: Tightening = Field(
        Tightening(), description="Rules tighter than the portfolio's params/_policy.yaml."
    )
    run: Run = Field(Run(), description="How the computation is run.")

    @model_validator(mode="after")
    def _lists_hold_together(self) -> Self:
        parts = [(("remedies", *path), message) for path, message in check_remedies(self.remedies)]
        parts += [(("claims", *path), message) for path, message in check_claims(self.claims)]
        if parts:
            raise RefusedError(parts)
        names: set[str] = set()
        for place, alternative in enumerate(self.alternatives):
            if alternative.name in names:
                shown = shorten(alternative.name)
                raise RefusedError(
                    [(("alternatives", place, "name"), f"'{shown}' names two alternatives; rename one")]
                )
            names.add(alternative.name)
        return self

    @property
    def title(self) -> str:
        """What readers call the pilot."""
        return self.about.title or self.pilot.replace("_", " ").capitalize()

    @property
    def workflow_id(self) -> str:
        """The workflow's name; the pilot's own unless stated."""
        return self.about.workflow_id or self.pilot


TOP_LEVEL_KEYS: tuple[str, ...] = tuple(Parameters.model_fields)

NOT_USED_YET: dict[str, str] = {
    "samples.cases.columns.confidence": "will help to choose which actions need approval",
    "policy.max_fix_rounds": "will end a fix that failed as often",
    "policy.severe_reference=baseline": "will hold severe errors against the baseline arm",
}
"""Key (or key=value) -> what it will do. A list's items are reached without their number."""


def not_used_yet(raw: Mapping[str, Any], *, prefix: str = "") -> list[str]:
    """Warnings for keys that are given but have no effect yet.

    Args:
        raw: A file's value.
        prefix: Put before its keys, ``policy.`` for the policy file.
    """
    used = dict.fromkeys(_dotted(raw, prefix))
    return [
        f"{key.partition('=')[0]}: not used yet; it {effect}"
        for key, effect in NOT_USED_YET.items()
        if key in used
    ]


def _dotted(value: Any, prefix: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if item is not None:
                yield f"{prefix}{key}"
                yield from _dotted(item, f"{prefix}{key}.")
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _dotted(item, prefix)
    elif value is not None:
        yield f"{prefix[:-1]}={value}"
