"""A plain table of agent runs: CSV with a row a run, or a row a call.

Columns are told by their names, whatever their case and however their words are joined (`Cost USD`, `cost_usd`).

| column (see `tables`) | theirs |
|---|---|
| trace_id | run_id, trace_id, request_id, id, else the conversation's |
| session_id | conversation_id, session_id, thread_id, chat_id |
| case_id | case_id, ticket_id, ticket, claim_id, order_id, task_id |
| model, provider, version | model, model_name; provider, vendor; version, agent_version, release |
| input_tokens, output_tokens | input_tokens, prompt_tokens, tokens_in; output_tokens, completion_tokens, tokens_out |
| cache_read_tokens, cache_write_tokens | cached_tokens, cache_read_tokens; cache_write_tokens, cache_creation_tokens |
| agent_cost | cost_usd, total_cost_usd, price_usd; cost, total_cost and price are taken for USD, and it is said |
| started_at, ended_at | start_time, started_at, created_at, timestamp, time; end_time, ended_at, finished_at |
| errors | status failed or error; succeeding is no outcome: that a run ended does not make its result right |
| column.… | every other column as it is |

Rows of one run are its calls, and are summed; exact copies of a row are one event that was sent again, counted once.
"""

from __future__ import annotations

import csv
import io
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from roi.importers.export import Export, left_out
from roi.importers.spans import Rank, Span, Tokens, Traces, amount, count, provider_of, text_of
from roi.importers.tables import export_of
from roi.importers.times import from_iso, from_number
from roi.prices import OwnPrices
from roi.problems import Problem
from roi.readers.base import UnreadableError
from roi.readers.files import Found, Seen, open_bytes

__all__ = ["knows_file", "read"]

_NAMES: Mapping[str, tuple[str, ...]] = {
    "trace_id": ("runid", "traceid", "requestid", "id"),
    "session_id": ("conversationid", "sessionid", "threadid", "chatid"),
    "case_id": ("caseid", "ticketid", "ticket", "claimid", "orderid", "taskid"),
    "model": ("model", "modelname", "llm"),
    "provider": ("provider", "vendor"),
    "version": ("version", "agentversion", "release"),
    "input": ("inputtokens", "prompttokens", "tokensin"),
    "output": ("outputtokens", "completiontokens", "tokensout"),
    "read": ("cachereadtokens", "cachedtokens", "cachereadinputtokens"),
    "write": ("cachewritetokens", "cachecreationtokens", "cachecreationinputtokens"),
    "hour": ("cachewrite1htokens", "cachecreation1htokens", "ephemeral1hinputtokens"),
    "dollars": ("costusd", "totalcostusd", "priceusd"),
    "cost": ("cost", "totalcost", "price"),
    "start": ("startedat", "starttime", "createdat", "timestamp", "time", "start"),
    "end": ("endedat", "endtime", "finishedat", "completedat", "end"),
    "status": ("status", "state"),
    "name": ("name", "agent", "agentname", "workflow"),
}
_SAID = ("input", "output", "dollars", "cost", "model")
_LOOKED_AT = 1 << 16
_LONGEST_CELL = 1 << 24
_MOST_COLUMNS = 500


def knows_file(found: Found) -> bool:
    """Whether a table has the columns of agent runs: a key, and two of model, tokens and cost."""
    try:
        with open_bytes(found.path) as raw:
            head = raw.read(_LOOKED_AT).decode("utf-8-sig", errors="replace")
    except (OSError, EOFError, zlib.error):
        return False
    try:
        header = next(csv.reader(io.StringIO(head, newline=""), delimiter=_mark(head)), [])
    except csv.Error:
        return False
    theirs = _columns(header)
    keyed = any(k in theirs for k in ("trace_id", "session_id", "case_id"))
    return keyed and sum(k in theirs for k in _SAID) >= 2


def read(files: Sequence[tuple[Found, Seen]], own: OwnPrices | None = None) -> Export:
    """Read tables of runs.

    Args:
        files: Each with what a look through its bytes showed.
        own: Prices of one's own, by model.

    Returns:
        A row for each run.

    Raises:
        UnreadableError: If a file is no text, or has no column that names a run, or is cut.
    """
    found = Traces()
    lost: dict[str, int] = {}
    undenominated = 0
    for file, seen in files:
        header, rows = _table(file, seen)
        theirs = _columns(header)
        if not any(k in theirs for k in ("trace_id", "session_id", "case_id")):
            named = "run_id, conversation_id, case_id"
            raise UnreadableError([Problem(file.name, "", f"has no column that names a run ({named})")])
        undenominated += "dollars" not in theirs and "cost" in theirs
        for row in rows:
            if len(row) != len(header):
                left_out(lost, "rows with more or fewer cells than the header")
                continue
            found.relieve()
            _take(row, header, theirs, found, lost)
    warnings = ("costs carry no currency and are taken for USD",) if undenominated else ()
    return export_of(found, own=own, left_out=lost, warnings=warnings)


def _mark(head: str) -> str:
    line = head.split("\n", 1)[0]
    return max(",;\t", key=line.count)


def _table(file: Found, seen: Seen) -> tuple[list[str], Iterator[list[str]]]:
    if seen.encoding is None:
        raise UnreadableError([Problem(file.name, "", "is no text; export the table as CSV anew")])
    csv.field_size_limit(_LONGEST_CELL)

    def lines() -> Iterator[list[str]]:
        with open_bytes(file.path) as raw:
            text = io.TextIOWrapper(raw, encoding=seen.encoding, errors="replace", newline="")
            start = text.read(_LOOKED_AT)
            text.seek(0)
            rows = csv.reader(text, delimiter=_mark(start), strict=True)
            try:
                yield from (row for row in rows if any(row))
            except csv.Error:
                message = "is no CSV that can be read; export it anew"
                raise UnreadableError([Problem(file.name, f"line {rows.line_num:,}", message)]) from None

    rows = lines()
    return next(rows, []), rows


def _columns(header: Sequence[str]) -> dict[str, int]:
    """Our name → the place of their column; the first of several names that fit."""
    at = {re.sub(r"[^a-z0-9]", "", name.lower()): i for i, name in reversed(list(enumerate(header)))}
    return {
        ours: next(at[n] for n in names if n in at)
        for ours, names in _NAMES.items()
        if any(n in at for n in names)
    }


def _take(
    row: Sequence[str],
    header: Sequence[str],
    theirs: Mapping[str, int],
    found: Traces,
    lost: dict[str, int],
) -> None:
    def cell(name: str) -> str | None:
        return text_of(row[theirs[name]]) if name in theirs else None

    identifier = cell("trace_id") or cell("session_id") or cell("case_id")
    if identifier is None:
        left_out(lost, "rows that name no run")
        return
    tokens = Tokens(*(count(cell(k)) for k in ("input", "read", "write", "output", "hour")))
    status = (cell("status") or "").lower()
    start = _when(cell("start"))
    cost = amount(cell("dollars") or cell("cost"))
    for what, names, read in (
        ("numbers of tokens", ("input", "read", "write", "output", "hour"), count),
        ("costs", ("dollars", "cost"), amount),
        ("times", ("start", "end"), _when),
    ):
        odd = [name for name in names if cell(name) is not None and read(cell(name)) is None]
        left_out(lost, f"cells that are no {what} in a form that is read, taken as blank", len(odd))
    logged = tokens.input is not None or tokens.output is not None
    span = Span(
        kind="call", start=start, end=_when(cell("end")), tokens=tokens if logged else None, cost=cost,
        model=cell("model"), provider=provider_of(cell("provider")), failed=status.startswith(("fail", "error")),
    )  # fmt: skip
    # A copy of a row has the same name, wherever in the files it stands: it is the same span once more.
    found.add(identifier, blake2b("\0".join(row).encode(errors="replace"), digest_size=12).hexdigest(), span)
    facts = found.trace(identifier).facts
    rank: Rank = (1, start or 0)
    for name in ("session_id", "case_id", "version", "name"):
        facts.add(name, cell(name), rank)
    used = set(theirs.values()) - {theirs["status"]} if "status" in theirs else set(theirs.values())
    for i, name in enumerate(header[:_MOST_COLUMNS]):
        if i not in used:
            facts.add(f"column.{name}", row[i], rank)


def _when(value: Any) -> int | None:
    if value is None:
        return None
    if re.fullmatch(r"\d{9,}(\.\d+)?", str(value)):
        return from_number(value, per_second=1000 if len(str(value).split(".")[0]) > 11 else 1)
    return from_iso(value)
