"""Logs opened for the checks: through files, as a user's are, and straight into an engine, which is ten times as fast.

What both give is compared by the benchmark and by a test: the same tables of the same types under the same row numbers,
but for pseudonyms in place of names.
"""

from __future__ import annotations

import csv
import datetime as dt
import traceback
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import yaml
from control_logs import Log, Row

from roi.controls.catalogue import CATALOGUE, checks_of_layer
from roi.controls.check import Check
from roi.controls.logs import Logs
from roi.parameters import load_parameters
from roi.relation import Relation
from roi.samples import Samples, open_samples
from roi.schema.policy import Policy
from roi.schema.tables import TABLE_COLUMNS

__all__ = ["ABSENT", "CRASHES", "LAYER_CHECKS", "found_in", "logs_from_files", "logs_of"]

LAYER_CHECKS = {
    "bounded_access": ("roi.controls.access_checks", "access_checks"),
    "human_approval": ("roi.controls.approval_checks", "approval_checks"),
    "audit_trail": ("roi.controls.trail_checks", "trail_checks"),
    "evaluation": ("roi.controls.suite_checks", "suite_checks"),
    "rollback": ("roi.controls.stopping_checks", "stopping_checks"),
}

_TYPE_OF = {("actions", "seq"): pa.int64(), ("incidents", "cost"): pa.decimal128(18, 6)}
_TYPES = {
    "time": pa.timestamp("us"),
    "flag": pa.bool_(),
    "count": pa.int64(),
    "tokens": pa.int64(),
    "number": pa.decimal128(18, 6),
    "share": pa.float64(),
    "minutes": pa.decimal128(18, 6),
    "money": pa.decimal128(18, 9),
}


def _asked() -> tuple[dict[str, Any], list[str]]:
    found, absent = {}, []
    for layer, (module, name) in LAYER_CHECKS.items():
        try:
            found[layer] = getattr(import_module(module), name)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            absent.append(layer)
    return found, absent


_CHECKS, ABSENT = _asked()
CRASHES: Counter[str] = Counter()
"""Layer, error and place → how often it happened."""


def found_in(logs: Logs) -> dict[str, Check]:
    """What every check finds, by its name; a layer that crashes is counted and has found nothing.

    Raises:
        ValueError: Where a layer does not answer each of its checks once.
    """
    found: dict[str, Check] = {}
    for layer, ask in _CHECKS.items():
        try:
            checks = ask(logs, ()) if layer == "audit_trail" else ask(logs)
        except Exception as error:  # whatever it is, the other layers are still looked at
            at = traceback.extract_tb(error.__traceback__)
            place = next(
                f"{Path(f.filename).name}:{f.lineno}" for f in reversed(at) if "controls" in f.filename
            )
            CRASHES[f"{layer}: {type(error).__name__} ({place})"] += 1
            continue
        if sorted(check.name for check in checks) != sorted(checks_of_layer(layer)):
            raise ValueError(f"{layer} does not answer each of its checks once")
        found |= {check.name: check for check in checks}
    return {name: found[name] for name in CATALOGUE if name in found}


def logs_of(log: Log) -> Logs:
    """The logs in an engine of their own, read from no file."""
    con = duckdb.connect(config={"threads": 1})
    con.execute("set TimeZone = 'UTC'")
    tables = {}
    for name, rows in log.tables.items():
        if not rows:
            continue
        columns = _columns(rows)
        arrays = {column: _array(name, column, rows) for column in columns}
        arrays["row"] = pa.array(range(1, len(rows) + 1), pa.int64())
        con.register(f"given_{name}", pa.table(arrays))
        con.execute(f'create table "{name}" as from given_{name}')
        con.unregister(f"given_{name}")
        tables[name] = Relation.named(name, (*columns, "row"))
    return Logs(
        samples=Samples(tables=tables, con=con),
        policy=Policy(high_risk_tools=log.high_risk_tools),
        as_of=log.as_of,
        timezone=log.timezone,
        mix=log.mix,
    )


def logs_from_files(log: Log, folder: Path) -> Logs:
    """The logs written into an empty folder and read from it as a user's are."""
    path = _written(log, folder)
    loaded = load_parameters(path)
    return Logs(
        samples=open_samples(loaded),
        policy=loaded.policy,
        as_of=log.as_of,
        timezone=log.timezone,
        mix=log.mix,
    )


def _columns(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(column for row in rows for column in row))


def _array(table: str, column: str, rows: Sequence[Row]) -> pa.Array:
    kind = TABLE_COLUMNS[table][column].kind
    values = [row.get(column) for row in rows]
    if kind == "flag":
        values = [None if value is None else bool(value) for value in values]
    elif kind in ("minutes", "money", "number"):
        values = [None if value is None else Decimal(str(value)) for value in values]
    return pa.array(values, _TYPE_OF.get((table, column)) or _TYPES.get(kind, pa.string()))


def _written(log: Log, folder: Path) -> Path:
    """The parameter file."""
    (folder / "params").mkdir()
    (folder / "data").mkdir()
    zone = ZoneInfo(log.timezone)

    def text(value: Any) -> Any:
        if not isinstance(value, dt.datetime):
            return value
        aware = value.replace(tzinfo=dt.UTC)
        if log.naive:
            return aware.astimezone(zone).replace(tzinfo=None).isoformat(sep=" ")
        return aware.isoformat()

    samples: dict[str, Any] = {
        "assignment": "randomised",
        "timezone": log.timezone,
        "version": "all",
        "partial_months": "keep",
    }
    for name, rows in log.tables.items():
        if not rows:
            continue
        samples[name] = f"data/{name}.csv"
        with (folder / samples[name]).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=_columns(rows), restval="")
            writer.writeheader()
            writer.writerows({column: text(value) for column, value in row.items()} for row in rows)
    path = folder / "params" / "made.yaml"
    given = {
        "pilot": "made",
        "about": {"title": "A made pilot", "currency": "EUR"},
        "samples": samples,
        "demand": {"cases_per_month": 1000, "mix": log.mix},
    }
    path.write_text(yaml.safe_dump(given, sort_keys=False), encoding="utf-8")
    policy = {"approved_by": "Board", "high_risk_tools": list(log.high_risk_tools)}
    (folder / "params" / "_policy.yaml").write_text(yaml.safe_dump(policy), encoding="utf-8")
    return path
