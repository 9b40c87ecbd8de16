"""Where the samples of a pilot lie, and how their columns map to the canonical ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from roi.scalars import shorten
from roi.schema.allocation import Allocation
from roi.schema.base import (
    Flag,
    Group,
    Label,
    Names,
    Number,
    RefusedError,
    Text,
    Unit,
    nearest,
    ordinal_list,
    read_names,
    read_text,
)
from roi.schema.input_fields import FieldRule
from roi.schema.prices import TokenPrices
from roi.schema.sources import Columns, ColumnSpec, SourceSpec, zone_of
from roi.schema.tables import TABLE_COLUMNS, Column, ColumnKind
from roi.schema.values import Positive, Share
from roi.strict_yaml import YamlPath

__all__ = [
    "TABLE_COLUMNS",
    "BaselineAssumption",
    "Column",
    "ColumnKind",
    "ColumnSpec",
    "Entries",
    "FieldRule",
    "InputsSpec",
    "JoinSpec",
    "Labels",
    "Samples",
    "SourceSpec",
    "TableSpec",
]


class Entries(Group):
    """What counts of several time entries a case, whose minutes are summed.

    Parts of entries that overlap count once, for each person.
    """

    longest: Number = Field(
        480.0,
        description="Minutes beyond which an entry is taken for one that was left running; over midnight it is 480 "
        "at most, unless the column states a cap.",
    )
    unusable: Literal["missing", "leave_out", "cap"] = Field(
        "missing",
        description="What becomes of entries that are too long, end before they start or have no length: "
        "`missing` (the minutes of their case are not known), `leave_out` (the other entries are summed), or `cap` "
        "(too long ones count as `longest`, the others as missing).",
    )

    @field_validator("longest")
    @classmethod
    def _some_time(cls, value: float) -> float:
        if not 0 < value <= 100_000:
            raise ValueError(f"{value:g} is no number of minutes above 0; write 480, say")
        return value


class JoinSpec(Columns):
    """Another export of the same cases."""

    on: dict[str, Text] = Field(description="Our key column: theirs.")
    keys: Literal["auto", "exact", "folded", "number"] = Field(
        "auto",
        description="How keys are compared: `exact`; `folded` (neither case nor spaces count); `number` (#1042, "
        "CLM-1042 and 01042 are 1042); `auto` takes the first of these that matches most and keeps different keys "
        "apart.",
    )
    take: dict[str, Literal["sum", "first", "max"]] = Field(
        default_factory=dict,
        description="Columns to take over, and how several rows of one case become one value; a sum with a part "
        "that is blank is not known. Cases without rows are blank, or 0 where the column says `blank: zero`.",
    )
    entries: Entries = Field(Entries(), description="What counts of several time entries a case.")

    @model_validator(mode="after")
    def _known(self) -> Self:
        parts = [*_unknown("on", self.on, "cases"), *_unknown("take", self.take, "cases")]
        if not self.on:
            parts.append((("on",), "is empty; write on: {case_id: their column}"))
        if not self.take and not self.columns:
            parts.append((("take",), "is empty; write take: {agent_cost: sum}, say"))
        if parts:
            raise RefusedError(parts)
        return self


class TableSpec(Columns):
    """One sample table. A path alone is enough where its names already match."""

    join: tuple[JoinSpec, ...] = Field((), description="Other exports of the same cases, joined to them.")


class InputsSpec(TableSpec):
    """The raw fields as the agent received them: every column besides case_id, setting and segment is a field.

    Where `columns` names further fields, they alone are looked at.
    """

    fields: dict[str, FieldRule] = Field(
        default_factory=dict,
        description="What single fields must be, by their names; what is not stated is inferred and said to be "
        "(docs/inputs.md).",
    )


def _unknown(key: str, columns: Mapping[str, Any], table: str) -> list[tuple[YamlPath, str]]:
    known = list(TABLE_COLUMNS[table])
    parts: list[tuple[YamlPath, str]] = []
    for name in columns:
        if name not in known:
            meant = nearest(name, known)
            hint = f"did you mean '{meant}'?" if meant else f"it has {', '.join(known)}"
            parts.append(((key, name), f"'{table}' has no column of this name; {hint}"))
    return parts


def _check_table(table: str, spec: TableSpec | None) -> list[tuple[YamlPath, str]]:
    if spec is None:
        return []
    parts: list[tuple[YamlPath, str]] = []
    mappings: list[tuple[YamlPath, Mapping[str, ColumnSpec]]] = [((table,), spec.columns)]
    for place, join in enumerate(spec.join):
        mappings.append(((table, "join", place), join.columns))
    for prefix, columns in mappings:
        if table != "inputs":
            parts += [((*prefix, *path), message) for path, message in _unknown("columns", columns, table)]
        else:
            parts += [((*prefix, *path), message) for path, message in _raw_only(columns)]
        for name, column in columns.items():
            allowed = TABLE_COLUMNS[table].get(name)
            if allowed is not None and allowed.values:
                parts += _check_values((*prefix, "columns", name), column, allowed.values)
    if spec.join and table != "cases":
        parts.append(((table, "join"), "only `cases` can be joined with other exports; use `query`"))
    return parts


def _raw_only(columns: Mapping[str, ColumnSpec]) -> list[tuple[YamlPath, str]]:
    """Raw fields are read as they are, or they would not be what the agent received."""
    parts: list[tuple[YamlPath, str]] = []
    for name, column in columns.items():
        if name in TABLE_COLUMNS["inputs"]:
            continue
        given = [key for key in ("unit", "values", "blank", "as_", "cap", "value") if getattr(column, key)]
        if given or len(column.from_) != 1:
            message = "a raw field is read as it is: write the name of their column and nothing else"
            parts.append((("columns", name), message))
    return parts


def _check_values(path: YamlPath, column: ColumnSpec, allowed: tuple[str, ...]) -> list[tuple[YamlPath, str]]:
    parts: list[tuple[YamlPath, str]] = []
    for theirs, ours in (column.values or {}).items():
        if ours is not None and ours not in allowed:
            parts.append(
                ((*path, "values", theirs), f"'{shorten(ours)}' is not one of ours: {ordinal_list(allowed)}")
            )
    if column.value is not None and column.value not in allowed:
        parts.append(((*path, "value"), f"'{shorten(column.value)}' is not one of {ordinal_list(allowed)}"))
    return parts


def _read_table(value: Any) -> Any:
    """A path or a source alone is the table's source."""
    source_alone = isinstance(value, Mapping) and {"file", "connect"} & value.keys() and "source" not in value
    group = isinstance(value, BaseModel | Mapping) and not source_alone
    return value if group else {"source": value}


Table: TypeAlias = Annotated[
    TableSpec, BeforeValidator(_read_table, json_schema_input_type=Names | SourceSpec | TableSpec)
]
InputsTable: TypeAlias = Annotated[
    InputsSpec, BeforeValidator(_read_table, json_schema_input_type=Names | SourceSpec | InputsSpec)
]


class Labels(Group):
    """How cases were chosen for checking by people."""

    selection: Literal["all", "random", "risk_based", "unknown"] = Field(
        "unknown",
        description="Which cases people labelled. Chosen by risk, each labelled case states its chance "
        "(label_probability); chosen at random it may. Unknown selection gives assumed rates.",
    )
    blind: Flag | None = Field(None, description="Whether the labellers did not know the arm.")


class BaselineAssumption(Group):
    """What is assumed of the work as before, only where no baseline arm was sampled."""

    handling_minutes: Annotated[Positive, Unit("min/case"), Label("Handling time today")] | None = Field(
        None, description="Hands-on minutes to do a case."
    )
    review_minutes: Annotated[Positive, Unit("min/case"), Label("Review time today")] | None = Field(
        None, description="Minutes to check or approve a case."
    )
    rework_minutes: Annotated[Positive, Unit("min/case"), Label("Rework time today")] | None = Field(
        None, description="Minutes to repair a case afterwards."
    )
    human_minutes: Annotated[Positive, Unit("min/case"), Label("Human time today")] | None = Field(
        None, description="All human minutes of a case, where the parts are not known."
    )
    error_rate: Annotated[Share, Unit("share"), Label("Error rate today")] | None = Field(
        None, description="Share of cases that end in an error."
    )
    escalation_rate: Annotated[Share, Unit("share"), Label("Escalation rate today")] | None = Field(
        None, description="Share of cases that another person takes over."
    )

    @model_validator(mode="after")
    def _not_twice(self) -> Self:
        single = [
            key for key in ("handling_minutes", "review_minutes", "rework_minutes") if getattr(self, key)
        ]
        if self.human_minutes is not None and single:
            raise ValueError(
                f"human_minutes holds {ordinal_list(single).replace(' or ', ' and ')} already; keep one"
            )
        return self


def _read_versions(value: Any) -> Any:
    return read_names(value) if isinstance(value, list | tuple) else read_text(value)


Versions: TypeAlias = Annotated[
    str | tuple[str, ...],
    BeforeValidator(_read_versions),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class Samples(Group):
    """The samples of real cases that the pilot has worked on."""

    assignment: Literal["randomised", "before_after", "observational"] = Field(
        "observational",
        description="How cases came to an arm. Unless stated it is taken as observational, the weakest.",
    )
    allocation: Allocation | None = Field(
        None, description="The arms' planned shares, where assigned at random; stated, they have to be kept."
    )
    timezone: Text | None = Field(
        None, description="The time zone of times that carry none, such as Europe/Berlin."
    )
    version: Versions = Field(
        "latest",
        description="Of the agent, where cases carry versions: `latest`, `all` (pooled), one or a list.",
    )
    partial_months: Literal["leave_out", "keep"] = Field(
        "leave_out",
        description="Cases of a last month that is not over: it ends more than three working days after its newest "
        "case and holds fewer cases than the whole months before it. A pilot of fewer than two months before it "
        "keeps them.",
    )
    labels: Labels = Field(Labels(), description="How cases were chosen for checking.")
    cases: Table | None = Field(
        None, description="The cases; the only table that is required, unless `aggregates` stand in for them."
    )
    actions: Table | None = Field(
        None, description="The agent's tool calls with their permissions and approvals."
    )
    access: Table | None = Field(None, description="What the agent is allowed to do where.")
    evals: Table | None = Field(None, description="Results of evaluation suites by version.")
    changes: Table | None = Field(None, description="Changes of the agent and who approved them.")
    incidents: Table | None = Field(None, description="Incidents and drills.")
    inputs: InputsTable | None = Field(None, description="The raw fields as the agent received them.")
    actuals: Table | None = Field(
        None,
        description="What happened after the decision, by month: `cases` of the workflow, and minutes, errors and cost "
        "summed over `adopted_cases`. No part of the decision.",
    )
    aggregates: Table | None = Field(
        None,
        description="Where there are no cases, only a report: counts, means and sums by arm, segment, month or worker. "
        "They are sourced, and nothing is scaled on them.",
    )
    baseline: BaselineAssumption | None = Field(
        None, description="What is assumed of the work as before, only where no baseline arm was sampled."
    )

    prices: dict[str, TokenPrices] = Field(
        default_factory=dict,
        description="Prices of tokens by model, as logs name it; they stand instead of list prices, and price models "
        "that are in no list.",
    )

    @field_validator("timezone")
    @classmethod
    def _real_zone(cls, value: str | None) -> str | None:
        return zone_of(value)

    @model_validator(mode="after")
    def _columns_known(self) -> Self:
        parts = [part for table in TABLE_COLUMNS for part in _check_table(table, getattr(self, table))]
        if self.cases is None and self.aggregates is None:
            message = "is required (cases: data/cases.csv), unless samples.aggregates stand in for them"
            parts.append((("cases",), message))
        if self.cases is not None and self.aggregates is not None:
            parts.append(
                (
                    ("aggregates",),
                    "stands in for cases that are not there, and samples.cases is given; leave one of them out",
                )
            )
        if parts:
            raise RefusedError(parts)
        return self

    def tables(self) -> dict[str, TableSpec]:
        """The tables that are given, by name."""
        return {table: spec for table in TABLE_COLUMNS if (spec := getattr(self, table)) is not None}
