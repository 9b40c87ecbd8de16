"""The canonical columns of every sample table, and the values that the listed ones may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

__all__ = ["MINUTE_COLUMNS", "OUTCOMES", "SEVERE", "SEVERITIES", "TABLE_COLUMNS", "Column", "ColumnKind"]

ColumnKind: TypeAlias = Literal[
    "key",
    "text",
    "category",
    "minutes",
    "number",
    "money",
    "share",
    "tokens",
    "count",
    "time",
    "flag",
    "month",
]

OUTCOMES = ("correct", "error", "escalated", "abandoned")
SEVERITIES = ("minor", "moderate", "major", "critical")
SEVERE = ("major", "critical")
MINUTE_COLUMNS = ("handling_minutes", "review_minutes", "rework_minutes")
_CAUSES = ("model", "workflow", "data", "integration", "oversight")
_SETTINGS = ("demo", "production")


@dataclass(frozen=True, slots=True)
class Column:
    """A canonical column.

    Attributes:
        kind: What its values are.
        required: Whether the table cannot be read without it.
        values: The values it may hold, for a column with a list of them.
    """

    kind: ColumnKind
    required: bool = False
    values: tuple[str, ...] = ()


def _table(**columns: Column) -> Mapping[str, Column]:
    return MappingProxyType(columns)


def _of(*values: str, required: bool = False) -> Column:
    return Column("category", required, values)


_KEY = Column("key")
_REQUIRED_KEY = Column("key", required=True)
_TEXT = Column("text")
_REQUIRED_TEXT = Column("text", required=True)
_TIME = Column("time")
_MINUTES = Column("minutes")
_TOKENS = Column("tokens")
_FLAG = Column("flag")

TABLE_COLUMNS: Mapping[str, Mapping[str, Column]] = MappingProxyType(
    {
        "cases": _table(
            case_id=_REQUIRED_KEY,
            arm=_of("baseline", "pilot", required=True),
            handling_minutes=_MINUTES,
            review_minutes=_MINUTES,
            rework_minutes=_MINUTES,
            outcome=_of(*OUTCOMES),
            severity=_of(*SEVERITIES),
            label_source=_of("human", "judge"),
            label_probability=Column("share"),
            judge_outcome=_of(*OUTCOMES),
            judge_severity=_of(*SEVERITIES),
            cause=_of(*_CAUSES),
            cause_2=_of(*_CAUSES),
            used=_of("yes", "edited", "no"),
            input_defects=Column("count"),
            segment=_TEXT,
            worker=_KEY,
            pair_id=_KEY,
            setting=_of(*_SETTINGS),
            version=_TEXT,
            started_at=_TIME,
            ended_at=_TIME,
            predicted_minutes=_MINUTES,
            amount=Column("money"),
            confidence=Column("number"),
            agent_cost=Column("money"),
            cost_currency=_TEXT,
            provider=_TEXT,
            model=_TEXT,
            input_tokens=_TOKENS,
            cache_read_tokens=_TOKENS,
            cache_write_tokens=_TOKENS,
            cache_write_1h_tokens=_TOKENS,
            output_tokens=_TOKENS,
        ),
        "actions": _table(
            action_id=_REQUIRED_KEY,
            case_id=_REQUIRED_KEY,
            tool=_REQUIRED_TEXT,
            system=_TEXT,
            scope=_TEXT,
            effect=_of("read", "draft", "write", "send", "pay"),
            risk=_of("routine", "high"),
            seq=Column("number"),
            requested_at=_TIME,
            requester=_KEY,
            decision=_of("auto", "approved", "rejected", "escalated"),
            approver=_KEY,
            decided_at=_TIME,
            executed_at=_TIME,
            status=_of("ok", "error", "denied", "timeout"),
            attempt=Column("count"),
            duration_ms=Column("number"),
            version=_TEXT,
        ),
        "access": _table(
            system=_REQUIRED_TEXT,
            scope=_REQUIRED_TEXT,
            identity=_KEY,
            granted_by=_KEY,
            granted_at=_TIME,
            expires=_TIME,
            needed=_FLAG,
            needed_by=_TEXT,
        ),
        "evals": _table(
            version=_REQUIRED_TEXT,
            eval_case=_REQUIRED_KEY,
            passed=Column("flag", required=True),
            suite=_TEXT,
            run_id=_KEY,
            ran_at=_TIME,
            segment=_TEXT,
            critical=_FLAG,
        ),
        "changes": _table(
            version=_REQUIRED_TEXT,
            changed_at=Column("time", required=True),
            kind=_of("prompt", "model", "tool", "data"),
            replaces=_TEXT,
            approved_by=_KEY,
            rolled_back_at=_TIME,
        ),
        "incidents": _table(
            detected_at=Column("time", required=True),
            kind=_of("drill", "incident"),
            started_at=_TIME,
            paused_at=_TIME,
            restricted_at=_TIME,
            restored_at=_TIME,
            rolled_back_to=_TEXT,
            severity=_of(*SEVERITIES),
            cost=Column("money"),
        ),
        "inputs": _table(case_id=_REQUIRED_KEY, setting=_of(*_SETTINGS), segment=_TEXT),
        "actuals": _table(
            month=Column("month", required=True),
            cases=Column("number"),
            adopted_cases=Column("number"),
            human_minutes=_MINUTES,
            errors=Column("number"),
            cost=Column("money"),
            cash_released=Column("money"),
            cost_currency=_TEXT,
            complete=_FLAG,
            segment=_TEXT,
        ),
        "aggregates": _table(
            arm=_of("baseline", "pilot", required=True),
            n=Column("count", required=True),
            segment=_TEXT,
            month=Column("month"),
            worker=_KEY,
            minutes_mean=_MINUTES,
            minutes_sd=_MINUTES,
            handling_minutes_mean=_MINUTES,
            review_minutes_mean=_MINUTES,
            rework_minutes_mean=_MINUTES,
            labelled=Column("count"),
            errors=Column("count"),
            minor_errors=Column("count"),
            moderate_errors=Column("count"),
            major_errors=Column("count"),
            critical_errors=Column("count"),
            severe_errors=Column("count"),
            escalations=Column("count"),
            abandoned=Column("count"),
            cost=Column("money"),
            cost_mean=Column("money"),
            cost_currency=_TEXT,
        ),
    }
)
"""Table -> canonical column -> what it holds. ``inputs`` takes any further columns under their own names."""
