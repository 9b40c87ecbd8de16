"""Where rows lie, and how their columns map to the canonical ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, field_validator, model_validator

from roi.scalars import describe, shorten
from roi.schema.base import (
    Anything,
    Group,
    Integer,
    Names,
    Number,
    RefusedError,
    Text,
    nearest,
    read_text,
    shorthand,
)
from roi.strict_yaml import YamlPath

__all__ = ["ColumnSpec", "Columns", "Mapped", "Source", "SourceSpec", "zone_of"]

Unit_: TypeAlias = Literal["milliseconds", "seconds", "minutes", "hours", "days", "duration"]
_OPEN = re.compile(r"spark://local(\[(\d+|\*)\])?")  # an address without a secret
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
    sheet: Text | None = Field(
        None, description="The sheet of a workbook; by default the one that holds the columns."
    )
    header_row: Integer | None = Field(
        None, description="The row of a spreadsheet, from 1, that holds the column names."
    )
    connect: Text | None = Field(
        None,
        description="A database: the environment variable that holds its address, as ${NAME}, or the path "
        "of a DuckDB or SQLite file, or spark://local.",
    )
    table: Text | None = Field(None, description="The table to read, with `connect`.")
    sql: Text | None = Field(None, description="One SELECT to read, with `connect`.")

    timeout: Integer | None = Field(
        None, description="Seconds that a statement may take in the database, with `connect`; 600 by default."
    )

    @field_validator("connect")
    @classmethod
    def _no_secret(cls, value: str | None) -> str | None:
        if value is None or any(known.fullmatch(value) for known in (_ENVIRONMENT, _DATABASE_FILE, _OPEN)):
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
                for key in ("table", "sql", "timeout")
                if getattr(self, key) is not None
            ]
        if self.timeout is not None and not 1 <= self.timeout <= 86_400:
            parts.append((("timeout",), f"{self.timeout} is no number of seconds from 1 to 86400"))
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


def zone_of(value: str | None) -> str | None:
    """A time zone as it is written, if there is one of that name."""
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


class Columns(Group):
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
        None,
        description="The format of an export (langfuse, otlp, openinference, tau2, promptfoo, agent_events, event_log, "
        "langsmith, mlflow, inspect, atif, mini_swe_agent, runs), where its content does not tell; it becomes one row "
        "a trace, for `actions` one row a tool call, for `evals` one row a graded run. `rows` reads an export as the "
        "table it is.",
    )
    timezone: Text | None = Field(
        None,
        description="The time zone of times that carry none here, if it is not that of the other samples.",
    )

    @field_validator("timezone")
    @classmethod
    def _itszone_of(cls, value: str | None) -> str | None:
        return zone_of(value)
