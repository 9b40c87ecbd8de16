"""Logs made to order, laid straight into an engine: every control of access and trail holds until a test breaks it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
from made_engine import empty_engine

from roi.controls.logs import Logs
from roi.parameters import Policy
from roi.relation import Relation
from roi.samples import Exclusion, Samples
from roi.schema.tables import TABLE_COLUMNS

Row = dict[str, Any]
Tables = dict[str, list[Row]]

TYPES = {"time": pa.timestamp("us"), "flag": pa.bool_(), "number": pa.float64(), "count": pa.int64()}
SQL = {"number": "decimal(18,6)"}
STEPS = (
    ("read_mail", "mailbox", "claims:read", "read"),
    ("look_up", "policies", "policies:read", "read"),
    ("reply", "mailbox", "claims:send", "send"),
)


def clean(days: int = 20, a_day: int = 5) -> Tables:
    """Cases and their logs: `a_day` pilot cases and as many others on each of `days` days, three calls each."""
    cases: list[Row] = []
    actions: list[Row] = []
    for i in range(days * a_day * 2):
        day, place = divmod(i, a_day * 2)
        begun = dt.datetime(2026, 9, 1, 8) + dt.timedelta(days=day, minutes=20 * place)
        arm = "pilot" if i % 2 else "baseline"
        case = {"case_id": f"c{i:04d}", "arm": arm, "setting": "production", "segment": "a"}
        cases.append(case | {"started_at": begun, "ended_at": begun + dt.timedelta(minutes=15)})
        for seq, (tool, system, scope, effect) in enumerate(STEPS, 1) if arm == "pilot" else ():
            asked = begun + dt.timedelta(minutes=4 * seq)
            sends = effect == "send"
            actions.append(
                {
                    "action_id": f"a{len(actions):05d}",
                    "case_id": case["case_id"],
                    "tool": tool,
                    "system": system,
                    "scope": scope,
                    "effect": effect,
                    "seq": seq,
                    "requested_at": asked,
                    "requester": "agent",
                    "decision": "approved" if sends else "auto",
                    "approver": "p1" if sends else None,
                    "decided_at": asked + dt.timedelta(minutes=1) if sends else None,
                    "executed_at": asked + dt.timedelta(minutes=2),
                    "status": "ok",
                    "attempt": 1,
                }
            )
    access: list[Row] = [
        {
            "system": system,
            "scope": scope,
            "identity": "svc",
            "granted_by": "board",
            "granted_at": dt.datetime(2026, 8, 1, 9),
            "expires": dt.datetime(2027, 3, 1, 9),
            "needed": True,
        }
        for system, scope in dict.fromkeys((s[1], s[2]) for s in STEPS)
    ]
    return {"cases": cases, "actions": actions, "access": access}


def lay(
    tables: Mapping[str, list[Row]],
    *,
    without: Mapping[str, tuple[str, ...]] | None = None,
    as_of: dt.date | None = dt.date(2026, 10, 31),
    timezone: str | None = None,
    exclusions: tuple[Exclusion, ...] = (),
) -> Logs:
    """The tables in an engine of their own; `row` counts from 1.

    Args:
        tables: Table → rows; a table without rows is not given.
        without: Columns to leave out of a table.
        as_of: The day of the decision.
        timezone: In which days begin.
        exclusions: Rows that were left out at reading.
    """
    con = empty_engine()
    laid = {}
    for name, rows in tables.items():
        if not rows:
            continue
        gone = (without or {}).get(name, ())
        columns = [c for c in dict.fromkeys(k for row in rows for k in row) if c not in gone]
        kinds = {c: TABLE_COLUMNS[name][c].kind for c in columns}
        made = {c: _array(kinds[c], [row.get(c) for row in rows]) for c in columns}
        con.register("made", pa.table(made | {"row": pa.array(range(1, len(rows) + 1), pa.int64())}))
        cast = ", ".join(
            f'cast("{c}" as {SQL[kinds[c]]}) as "{c}"' if kinds[c] in SQL else f'"{c}"' for c in columns
        )
        con.execute(f'create table {name} as select {cast}, "row" from made')
        con.unregister("made")
        laid[name] = Relation.named(name, (*columns, "row"))
    samples = Samples(tables=laid, con=con, exclusions=exclusions)
    return Logs(samples=samples, policy=Policy(), as_of=as_of, timezone=timezone)


def _array(kind: str, values: list[object]) -> pa.Array:
    if kind in TYPES:
        return pa.array(values, TYPES[kind])
    return pa.array([None if v is None else str(v) for v in values], pa.string())


def numbers(rows: list[Row], condition: Callable[[Row], bool]) -> tuple[int, ...]:
    """Numbers of the rows of which something is true."""
    return tuple(i for i, row in enumerate(rows, 1) if condition(row))
