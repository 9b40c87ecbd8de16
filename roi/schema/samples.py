"""Where the samples of a pilot lie, and how their columns map to the canonical ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from roi.scalars import describe, shorten
from roi.schema.allocation import Allocation
from roi.schema.base import (
    Anything,
    Flag,
    Group,
    Integer,
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
    shorthand,
)
from roi.schema.tables import TABLE_COLUMNS, Column, ColumnKind
from roi.schema.values import Positive, Share
from roi.strict_yaml import YamlPath

__all__ = [
    "TABLE_COLUMNS",
    "BaselineAssumption",
    "Column",
    "ColumnKind",
    "ColumnSpec",
    "JoinSpec",
    "Labels",
    "Samples",
    "SourceSpec",
    "TableSpec",
]

Unit_: TypeAlias = Literal["milliseconds", "seconds", "minutes", "hours", "days", "duration"]
_DATABASE_FILE = re.compile(r"[^\s:?@]+\.(?:duckdb|ddb|db|sqlite|sqlite3)")
_ENVIRONMENT = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


class SourceSpec(Group):
    """Files, or a table or query in a database.

    A path, a glob or a list of them alone is the same as ``{file: …}``.
    """

    file: Names = Field(
        (),
        description="CSV, TSV, Parquet, JSON Lines or XLSX files (also .gz): paths or globs relative to the "
        "project folder; several are united by column name.",
    )
    sheet: Text | None = Field(None, description="The sheet of a workbook; by default its first.")
    header_row: Integer | None = Field(
        None, description="The row of a spreadsheet, from 1, that holds the column names."
    )
    connect: Text | None = Field(
        None,
        description="A database: the environment variable that holds its address, as ${NAME}, or the path "
        "of a DuckDB or SQLite file.",
    )
    table: Text | None = Field(None, description="The table to read, with `connect`.")
    sql: Text | None = Field(None, description="One SELECT to read, with `connect`.")

    @field_validator("connect")
    @classmethod
    def _no_secret(cls, value: str | None) -> str | None:
        if value is None or _ENVIRONMENT.fullmatch(value) or _DATABASE_FILE.fullmatch(value):
            return value
        # The text may hold a password, so it is not repeated.
        raise ValueError(
            "an address does not belong into a file; put it into an environment variable and write "
            '"${NAME}" (a DuckDB or SQLite file may stand here by its path)'
        )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        parts: list[tuple[YamlPath, str]] = []
        if bool(self.file) == (self.connect is not None):
            parts.append(((), "write either `file` or `connect`"))
        if self.connect is not None and (self.table is None) == (self.sql is None):
            parts.append((("connect",), "needs either `table` or `sql` beside it"))
        if self.connect is None:
            parts += [
                ((key,), "needs `connect` beside it")
                for key in ("table", "sql")
                if getattr(self, key) is not None
            ]
        if self.header_row is not None and not self.header_row >= 1:
            parts.append((("header_row",), f"{self.header_row} is not a row; rows count from 1"))
        if parts:
            raise RefusedError(parts)
        return self


class ColumnSpec(Group):
    """How one canonical column comes from theirs.

    A name alone is ``{from: name}``; a list of names is one key joined from them.
    """

    from_: Names = Field(
        (), alias="from", description="Their column, or several: joined into one key, or with `as`."
    )
    unit: Unit_ | None = Field(
        None,
        description="The unit of their numbers; `duration` for texts such as 1m31s, 00:01:31 or PT1M31S.",
    )
    values: dict[str, str | None] | None = Field(
        None, description="Their values to ours; an empty one of ours means missing."
    )
    blank: Literal["zero", "missing"] | None = Field(
        None, description="What an empty cell means; until it is declared, both results are shown."
    )
    as_: Literal["minutes"] | None = Field(
        None, alias="as", description="With two times in `from`: minutes from one to the other."
    )
    cap: Number | None = Field(None, description="The most minutes that one case may count, with `as`.")
    value: Anything = Field(None, description="A constant for every row.")

    @field_validator("values", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise ValueError(f"{describe(value)} where a group is wanted; write values: {{theirs: ours}}")
        return {str(key): None if item is None else read_text(item) for key, item in value.items()}

    @model_validator(mode="after")
    def _together(self) -> Self:
        parts: list[tuple[YamlPath, str]] = []
        if bool(self.from_) == (self.value is not None):
            parts.append(((), "write either `from` (their column) or `value` (a constant)"))
        if self.as_ is not None and len(self.from_) != 2:
            parts.append((("as",), "needs two times: from: [start, end]"))
        if self.as_ is not None and self.unit is not None:
            parts.append((("unit",), "does not go with `as: minutes`; leave it out"))
        if self.as_ is None and self.cap is not None:
            parts.append((("cap",), "needs `as: minutes` beside it"))
        if self.cap is not None and not self.cap > 0:
            parts.append((("cap",), f"{self.cap:g} is not above 0"))
        if self.as_ is None and len(self.from_) > 1 and (self.unit is not None or self.values is not None):
            parts.append(
                ((), "several columns are joined into one key, which has neither `unit` nor `values`")
            )
        if self.value is not None and (self.unit or self.values or self.blank):
            parts.append((("value",), "a constant goes without `unit`, `values` and `blank`"))
        if parts:
            raise RefusedError(parts)
        return self


def _read_column(value: Any) -> Any:
    return value if isinstance(value, Mapping | ColumnSpec) else {"from": value}


Mapped: TypeAlias = Annotated[
    ColumnSpec, BeforeValidator(_read_column, json_schema_input_type=Names | ColumnSpec)
]
Source: TypeAlias = Annotated[
    SourceSpec, BeforeValidator(shorthand("file"), json_schema_input_type=Names | SourceSpec)
]


class _Columns(Group):
    """What a table and a join have in common."""

    source: Source = Field(
        description="Where the rows lie: a path, a glob, a list of them, or a group of keys."
    )
    columns: dict[str, Mapped] = Field(
        default_factory=dict, description="Our column: theirs. Columns of the same name need no line."
    )
    missing: Names = Field((), description='Marks that mean a missing value, such as ["/", "n/a"].')
    query: Text | None = Field(
        None, description='One SELECT over the rows, for what mapping cannot say: "select … from source".'
    )
    format: Text | None = Field(
        None, description="The name of a trace export's format, where its content does not tell."
    )


class JoinSpec(_Columns):
    """Another export of the same cases."""

    on: dict[str, Text] = Field(description="Our key column: theirs.")
    take: dict[str, Literal["sum", "first", "max"]] = Field(
        default_factory=dict,
        description="Columns to take over, and how several rows of one case become one value.",
    )

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


class TableSpec(_Columns):
    """One sample table. A path alone is enough where its names already match."""

    join: tuple[JoinSpec, ...] = Field((), description="Other exports of the same cases, joined to them.")


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
        for name, column in columns.items():
            allowed = TABLE_COLUMNS[table].get(name)
            if allowed is not None and allowed.values:
                parts += _check_values((*prefix, "columns", name), column, allowed.values)
    if spec.join and table != "cases":
        parts.append(((table, "join"), "only `cases` can be joined with other exports; use `query`"))
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


Table: TypeAlias = Annotated[
    TableSpec,
    BeforeValidator(
        lambda value: (
            value
            if isinstance(value, BaseModel)
            or (
                isinstance(value, Mapping)
                and not ({"file", "connect"} & value.keys() and "source" not in value)
            )
            else {"source": value}
        ),
        json_schema_input_type=Names | SourceSpec | TableSpec,
    ),
]


class Labels(Group):
    """How cases were chosen for checking by people."""

    selection: Literal["all", "random", "risk_based", "unknown"] = Field(
        "unknown", description="Which cases people labelled; unknown selection gives assumed rates."
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
    cases: Table = Field(description="The cases; the only table that is required.")
    actions: Table | None = Field(
        None, description="The agent's tool calls with their permissions and approvals."
    )
    access: Table | None = Field(None, description="What the agent is allowed to do where.")
    evals: Table | None = Field(None, description="Results of evaluation suites by version.")
    changes: Table | None = Field(None, description="Changes of the agent and who approved them.")
    incidents: Table | None = Field(None, description="Incidents and drills.")
    inputs: Table | None = Field(None, description="The raw fields as the agent received them.")
    actuals: Table | None = Field(None, description="What happened after the decision, by month.")
    aggregates: Annotated[Any, WithJsonSchema({})] = Field(
        None, description="Counts and sums by arm, segment and worker, in place of rows."
    )
    baseline: BaselineAssumption | None = Field(
        None, description="What is assumed of the work as before, only where no baseline arm was sampled."
    )

    @field_validator("timezone")
    @classmethod
    def _real_zone(cls, value: str | None) -> str | None:
        if value is None:
            return None
        from zoneinfo import ZoneInfo, available_timezones

        try:
            ZoneInfo(value)
        except (ValueError, OSError, KeyError):
            meant = nearest(value, sorted(available_timezones()))
            hint = f"did you mean '{meant}'?" if meant else "write Europe/Berlin, say"
            raise ValueError(f"'{shorten(value)}' is not a time zone; {hint}") from None
        return value

    @model_validator(mode="after")
    def _columns_known(self) -> Self:
        parts = [part for table in TABLE_COLUMNS for part in _check_table(table, getattr(self, table))]
        if parts:
            raise RefusedError(parts)
        return self

    def tables(self) -> dict[str, TableSpec]:
        """The tables that are given, by name."""
        return {table: spec for table in TABLE_COLUMNS if (spec := getattr(self, table)) is not None}
