"""One conversation, one case: traces of one session, and retries, become one row.

The rule. A case is told by the column that the user names; else by `case_id`, where the format knows one; else by the
session; else by the trace itself. Traces of one case are summed: minutes, tokens, calls and costs count in full, for a
retry costs what it costs; the case counts once. A cost, or a number of tokens, of which one part is not known is not
known. What cannot be summed is that of the last trace that has it; a model or version that differs is named in `models`
and `versions` and blank in its own column. Two traces of a case that agree in name, start, end, model, tokens and cost
are one that was sent twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from roi.importers.export import Filled, Table
from roi.importers.gathered import Gathered
from roi.importers.spans import amount

__all__ = ["FIRST", "NONE", "SAME", "SUMS", "Grouped", "group", "grouped"]

SUMS = (
    "handling_minutes", "calls", "tool_calls", "errors", "latency", "input_tokens", "cache_read_tokens",
    "cache_write_tokens", "cache_write_1h_tokens", "output_tokens", "agent_cost", "user_cost", "total_time",
    "working_time",
)  # fmt: skip
_ONE = ("provider", "model", "version")
SAME = ("name", "started_at", "ended_at", "models", "input_tokens", "output_tokens", "agent_cost")
_LONG = 10  # digits; what is shorter is an amount
NONE = (
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "user_cost",
    "handling_minutes",
    "total_time",
    "working_time",
)
FIRST = (
    "case_id", "arm", "outcome", "handling_minutes", "segment", "worker", "pair_id", "setting", "version", "started_at",
    "ended_at", "amount", "agent_cost", "cost_currency", "provider", "model", "input_tokens", "cache_read_tokens",
    "cache_write_tokens", "cache_write_1h_tokens", "output_tokens", "traces", "retries", "latency", "models", "calls",
    "tool_calls", "errors", "versions",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """Cases.

    Attributes:
        cases: One row a case.
        case_of: Trace → its case, of all traces that may have acted.
        resent: Traces that were sent twice, which are no part of `case_of`.
        rule: How cases were told, in words.
        said: What a reader should know.
    """

    cases: Table
    case_of: Mapping[str, str]
    resent: frozenset[str]
    rule: str
    said: tuple[str, ...]


def group(traces: Table, *, key: str | None = None) -> Grouped:
    """Group traces into cases.

    Args:
        traces: As importers give them.
        key: The column that names a case; told by the rule unless given.

    Raises:
        KeyError: If no trace has the column.
    """
    if key is not None and key not in traces.names:
        raise KeyError(key)
    keys = [key] if key is not None else ["case_id", "session_id"]
    found: Gathered[_Case] = Gathered(_Case)
    by: dict[str, int] = {}
    for row in traces.rows:
        told = "trace_id"
        for name in keys:
            if row.get(name):
                told = name
                break
        by[told] = by.get(told, 0) + 1
        found.of(str(row.get(told))).add(row)
        found.relieve()
    resent: set[str] = set()
    rows = Filled()
    case_of: dict[str, str] = {}
    shared = retries = 0
    for part in found.parts():
        for case, held in part:
            kept, again = held.told_apart()
            resent.update(again)
            # Who never acted has no action that asks for its case.
            case_of.update((str(r.get("trace_id")), case) for r in kept if r.get("tool_calls") != "0")
            shared += len(kept) > 1
            merged = _merged(case, sorted(kept, key=lambda r: str(r.get("started_at") or "")))
            retries += int(merged.get("retries") or 0)
            rows.add(held.first, merged)
        rows.end_run()
    return grouped(
        rows.table(first=FIRST),
        case_of,
        frozenset(resent),
        by,
        traces=len(traces.rows),
        shared=shared,
        retries=retries,
    )


def grouped(
    cases: Table,
    case_of: Mapping[str, str],
    resent: frozenset[str],
    by: Mapping[str, int],
    *,
    traces: int,
    shared: int,
    retries: int,
) -> Grouped:
    """Cases, with what a reader should know of them.

    Args:
        cases: Their rows.
        case_of: Trace → its case.
        resent: Traces that were sent twice.
        by: What told cases → of how many traces.
        traces: How many there are.
        shared: How many cases have several.
        retries: How many traces are followed by another try.
    """
    names = {
        "case_id": "the case that the source names",
        "session_id": "the session",
        "trace_id": "the trace",
    }
    parts = [f"{n:,} by {names.get(k, f'the column {k}')}" for k, n in by.items()]
    said = []
    if shared:
        have = "case has" if shared == 1 else "cases have"
        said.append(f"{shared:,} {have} several traces, which are summed")
    if retries:
        said.append(
            f"{retries:,} {'trace is' if retries == 1 else 'traces are'} followed by another try; all count"
        )
    if resent:
        was = "trace was" if len(resent) == 1 else "traces were"
        each = "counts" if len(resent) == 1 else "each counts"
        said.append(f"{len(resent):,} {was} sent twice under two names and {each} once")
    return Grouped(
        cases=cases,
        case_of=case_of,
        resent=resent,
        rule=f"{traces:,} {'trace' if traces == 1 else 'traces'} told apart: {', '.join(parts)}",
        said=tuple(said),
    )


class _Case:
    """The traces of a case, in the order of the export."""

    __slots__ = ("first", "rows")

    def __init__(self, first: int) -> None:
        self.first = first
        self.rows: list[Mapping[str, str | None]] = []

    def add(self, row: Mapping[str, str | None]) -> None:
        """Add a trace."""
        self.rows.append(row)

    def told_apart(self) -> tuple[list[Mapping[str, str | None]], list[str]]:
        """The traces, and the names of those that were sent again under another name."""
        if len(self.rows) == 1:
            return self.rows, []
        kept: dict[tuple[str | None, ...], Mapping[str, str | None]] = {}
        again: list[str] = []
        for place, row in enumerate(self.rows):
            mark = tuple(row.get(k) for k in SAME)
            if not (row.get("started_at") and row.get("ended_at")):
                mark = (*mark, str(place))
            if mark in kept:
                again.append(str(row.get("trace_id")))
            else:
                kept[mark] = row
        return list(kept.values()), again

    def weight(self) -> int:
        """About how many cells it holds."""
        return 8 + sum(map(len, self.rows))

    def pack(self) -> list[Mapping[str, str | None]]:
        """It as plain values."""
        return self.rows

    @classmethod
    def unpack(cls, first: int, packed: list[Mapping[str, str | None]]) -> _Case:
        """It from what `pack` gave."""
        case = cls(first)
        case.rows = packed
        return case

    def join(self, later: _Case) -> None:
        """Add traces that came later."""
        self.rows += later.rows


def _merged(case: str, rows: Sequence[Mapping[str, str | None]]) -> dict[str, str | None]:
    """The row of a case; its traces come in the order of their start."""
    merged: dict[str, str | None] = {}
    for row in rows:
        merged.update(row if None not in row.values() else {k: v for k, v in row.items() if v is not None})
    merged.pop("trace_id", None)
    merged["case_id"] = case
    if len(rows) == 1:
        return merged
    merged["traces"] = str(len(rows))
    for name in SUMS:
        if name not in merged:
            continue  # no trace has it
        given = [row.get(name) for row in rows]
        if all(v is not None and v.isdecimal() and len(v) < _LONG for v in given):
            merged[name] = str(sum(int(v) for v in given if v is not None))
            continue
        parts = [amount(v) for v in given]
        known = [p for p in parts if p is not None]
        whole = name in NONE or len(known) == len(parts)
        merged[name] = f"{sum(known, Decimal(0)):f}" if whole else None
    if merged.get("agent_cost") is None:
        merged["cost_currency"] = None
    merged["started_at"] = min((str(r["started_at"]) for r in rows if r.get("started_at")), default=None)
    merged["ended_at"] = max((str(r["ended_at"]) for r in rows if r.get("ended_at")), default=None)
    for name in _ONE:
        values = list(dict.fromkeys(str(r[name]) for r in rows if r.get(name)))
        if len(values) > 1:
            merged[name] = None
            if name == "version":
                merged["versions"] = " + ".join(values)
    models = sorted({m for r in rows for m in str(r.get("models") or "").split(" + ") if m})
    merged["models"] = " + ".join(models) or None
    again = 0
    for before, after in pairwise(rows):
        failed = (before.get("errors") or "0") != "0"
        again += failed and before.get("name") is not None and before.get("name") == after.get("name")
    merged["retries"] = str(again) if again else None
    return merged
