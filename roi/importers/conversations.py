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

from roi.importers.export import Table, table_of
from roi.importers.spans import amount

__all__ = ["Grouped", "group"]

_SUMS = (
    "handling_minutes", "calls", "tool_calls", "errors", "latency", "input_tokens", "cache_read_tokens",
    "cache_write_tokens", "output_tokens", "agent_cost", "user_cost", "total_time", "working_time",
)  # fmt: skip
_ONE = ("provider", "model", "version")
_SAME = ("name", "started_at", "ended_at", "models", "input_tokens", "output_tokens", "agent_cost")
_NONE = (
    "cache_read_tokens",
    "cache_write_tokens",
    "user_cost",
    "handling_minutes",
    "total_time",
    "working_time",
)
_FIRST = (
    "case_id", "arm", "outcome", "handling_minutes", "segment", "worker", "pair_id", "setting", "version", "started_at",
    "ended_at", "amount", "agent_cost", "cost_currency", "provider", "model", "input_tokens", "cache_read_tokens",
    "cache_write_tokens", "output_tokens", "traces", "retries",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """Cases.

    Attributes:
        cases: One row a case.
        case_of: Trace → its case.
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
    found: dict[str, list[Mapping[str, str | None]]] = {}
    by: dict[str, int] = {}
    for row in traces.rows:
        told = next((k for k in keys if row.get(k)), "trace_id")
        by[told] = by.get(told, 0) + 1
        found.setdefault(str(row.get(told)), []).append(row)
    resent: set[str] = set()
    rows = []
    case_of: dict[str, str] = {}
    shared = 0
    for case, listed in found.items():
        kept: dict[tuple[str | None, ...], Mapping[str, str | None]] = {}
        for place, row in enumerate(listed):
            mark = tuple(row.get(k) for k in _SAME)
            timed = row.get("started_at") and row.get("ended_at")
            if not timed:
                mark = (*mark, str(place))
            if mark in kept:
                resent.add(str(row.get("trace_id")))
            else:
                kept[mark] = row
                case_of[str(row.get("trace_id"))] = case
        shared += len(kept) > 1
        rows.append(_merged(case, sorted(kept.values(), key=lambda r: str(r.get("started_at") or ""))))
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
    retries = sum(int(row.get("retries") or 0) for row in rows)
    if retries:
        said.append(
            f"{retries:,} {'trace is' if retries == 1 else 'traces are'} followed by another try; all count"
        )
    if resent:
        was = "trace was" if len(resent) == 1 else "traces were"
        said.append(f"{len(resent):,} {was} sent twice under two names and counts once")
    return Grouped(
        cases=table_of(rows, first=_FIRST),
        case_of=case_of,
        resent=frozenset(resent),
        rule=f"{len(traces.rows):,} {'trace' if len(traces.rows) == 1 else 'traces'} told apart: {', '.join(parts)}",
        said=tuple(said),
    )


def _merged(case: str, rows: Sequence[Mapping[str, str | None]]) -> dict[str, str | None]:
    """The row of a case; its traces come in the order of their start."""
    merged: dict[str, str | None] = {}
    for row in rows:
        merged.update({k: v for k, v in row.items() if v is not None and k != "trace_id"})
    merged["case_id"] = case
    if len(rows) == 1:
        return merged
    merged["traces"] = str(len(rows))
    for name in _SUMS:
        given = [row.get(name) for row in rows]
        if all(v is None for v in given):
            continue
        parts = [amount(v) for v in given]
        blank = Decimal(0) if name in _NONE else None
        filled = [blank if p is None else p for p in parts]
        total = (
            None if any(p is None for p in filled) else sum((p for p in filled if p is not None), Decimal(0))
        )
        merged[name] = None if total is None else f"{total:f}"
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
