"""LangSmith: runs, as the client posts them, as the API lists them, or as exports hold them.

Read are batches of `post` and `patch` (of one run, which are put together), lists or lines of runs, pages
(`{"runs": […]}`), and bulk exports as Parquet, whose objects may be JSON in texts.

| column (see `tables`) | from |
|---|---|
| trace_id | `trace_id`, else the run's own `id` where it has no parent |
| session_id | metadata `session_id`, `thread_id`, `conversation_id`; else `thread_id`; a run's own is its project |
| version | metadata `revision_id` |
| metadata.… , tags, environment | `extra.metadata`, `tags`, `session_name` |
| a model call, a tool call | `run_type` llm or embedding; tool |
| model, provider | `outputs.model`, `outputs.llm_output.model_name`, metadata `ls_model_name`; metadata `ls_provider` |
| tokens | `usage_metadata` of `outputs`, `extra.metadata`; else `outputs.usage`, `outputs.llm_output.token_usage` |
| tokens and model, where these are blank | of the messages in `outputs.generations` (see `langchain_messages`) |
| cost | `total_cost`, else that of `usage_metadata`; 0 beside tokens is unknown |
| errors | `error`, or `status` error |
| scores.… | `feedback_stats.….avg` |

A provider's own usage is read as OpenAI and Anthropic write it; else tokens are `prompt_tokens`, `completion_tokens`.
`input_tokens` hold the cached ones (`input_token_details.cache_read`, `cache_creation`; else those of
`prompt_token_details`). A run without `parent_run_id` lies in the one before it in its `dotted_order`. A root's
`total_tokens` and `total_cost` are set against the sums of its calls, and are its own where the files hold none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from roi.importers.documents import json_values
from roi.importers.export import Export, left_out
from roi.importers.facts import heading
from roi.importers.gathered import Gathered, Rows
from roi.importers.langchain_messages import USAGES, as_ours, generated
from roi.importers.spans import (
    Facts,
    Rank,
    Span,
    SpanKind,
    Tokens,
    Traces,
    amount,
    count,
    flat,
    hour_of,
    provider_of,
    text_of,
)
from roi.importers.stored import is_table, stored_columns, stored_rows
from roi.importers.tables import export_of
from roi.importers.times import from_iso, from_number
from roi.prices import OwnPrices
from roi.readers.files import Found, Seen

__all__ = ["knows", "knows_file", "read"]

_KINDS: Mapping[str, SpanKind] = {"llm": "call", "embedding": "call", "tool": "tool"}
_READ = (
    "id", "trace_id", "dotted_order", "parent_run_id", "run_type", "start_time", "end_time", "status", "total_cost",
    "prompt_tokens", "completion_tokens", "total_tokens", "name", "tags", "session_name", "feedback_stats",
    "thread_id", "prompt_token_details",
)  # fmt: skip
_BULK = {"id", "run_type", "trace_id", "dotted_order"}
_LONG = frozenset({"inputs", "events", "serialized", "manifest", "inputs_preview", "outputs_preview"})
_OBJECTS = ("extra", "outputs", "feedback_stats", "tags", "prompt_token_details")
_KEPT = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
_SUMS = ("llm_output", "llmOutput")  # what LangChain sums up of a model's answer, in Python and in JavaScript
_SESSIONS = ("session_id", "thread_id", "conversation_id")


def knows(value: Any) -> bool:
    """Whether a value of a file is a run, or holds some."""
    if not isinstance(value, Mapping):
        return False
    for name in ("post", "runs"):
        listed = value.get(name)
        if isinstance(listed, list) and listed:
            return _is_run(listed[0])
    return _is_run(value)


def knows_file(found: Found) -> bool:
    """Whether a Parquet file has the columns of a bulk export."""
    return set(stored_columns(found)) >= _BULK


def read(files: Sequence[tuple[Found, Seen]], own: OwnPrices | None = None) -> Export:
    """Read runs.

    Args:
        files: Each with what a look through its bytes showed.
        own: Prices of one's own, by model.

    Returns:
        A row for each trace and each tool call.

    Raises:
        UnreadableError: If a file is no JSON to its end.
    """
    runs: Gathered[_Run] = Gathered(_Run)
    lost: dict[str, int] = {}
    for file, seen in files:
        table = is_table(file)
        for value in stored_rows(file, seen, without=_LONG) if table else json_values(file, seen):
            for run, is_patch in [(_opened(value), False)] if table else _runs(value):
                runs.relieve()
                identifier = text_of(run.get("id"))
                if identifier is None:
                    left_out(lost, "a run without an id")
                else:
                    runs.of(identifier).said.append((_reduced(run), is_patch))
    whole: Rows[dict[str, Any]] = Rows()
    for part in runs.parts():
        for identifier, held in part:
            whole.add(held.first, {**held.whole(lost), "id": identifier})
    found = Traces()
    for run in whole:
        found.relieve()
        _take(run["id"], run, found)
    return export_of(found, own=own, left_out=lost)


class _Run:
    """What is said of a run, in the order of the export: as posted, then as patched."""

    __slots__ = ("first", "said")

    def __init__(self, first: int) -> None:
        self.first = first
        self.said: list[tuple[dict[str, Any], bool]] = []

    def whole(self, lost: dict[str, int]) -> dict[str, Any]:
        """All of it together: what comes later says how it ended; what it leaves blank stands."""
        run = self.said[0][0]
        for more, is_patch in self.said[1:]:
            if is_patch or more.get("end_time") is not None:
                run.update({k: v for k, v in more.items() if v not in (None, {}, [])})
            else:
                left_out(lost, "a run that occurs more than once counts once")
        return run

    def weight(self) -> int:
        """About how many cells it holds."""
        return 40 * len(self.said)

    def pack(self) -> list[tuple[dict[str, Any], bool]]:
        """It as plain values."""
        return self.said

    @classmethod
    def unpack(cls, first: int, packed: list[tuple[dict[str, Any], bool]]) -> _Run:
        """It from what `pack` gave."""
        run = cls(first)
        run.said = packed
        return run

    def join(self, later: _Run) -> None:
        """Add what was said later."""
        self.said += later.said


def _opened(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a table, with objects that are JSON in a text as objects."""
    run = dict(row)
    for name in _OBJECTS:
        if isinstance(text := run.get(name), str) and text[:1] in ("{", "["):
            try:
                run[name] = json.loads(text)
            except (ValueError, RecursionError):
                run[name] = None
    return run


def _reduced(run: Mapping[str, Any]) -> dict[str, Any]:
    """What is read of a run: prompts and answers are left where they are."""
    kept = {name: run[name] for name in _READ if name in run}
    for name, inner in (("extra", ("metadata",)), ("outputs", ("model", "usage_metadata", "usage"))):
        if isinstance(given := run.get(name), Mapping):
            # What is filled with something else is filled all the same.
            kept[name] = {k: given[k] for k in inner if k in given} or ({"": None} if given else {})
    for name in _SUMS:
        if said := _inner(run, "outputs", name):
            kept["outputs"][name] = {k: said[k] for k in (*USAGES, "model_name") if k in said}
    if told := generated(_inner(run, "outputs")):
        kept["outputs"]["generated"] = told
    if "error" in run:
        kept["error"] = bool(run["error"]) or None
    return kept


def _runs(value: Any) -> Iterator[tuple[Mapping[str, Any], bool]]:
    if not isinstance(value, Mapping):
        return
    inside = False
    for name in ("post", "patch", "runs"):
        listed = value.get(name)
        inside = inside or isinstance(listed, list)
        for run in listed if isinstance(listed, list) else ():
            if isinstance(run, Mapping):
                yield run, name == "patch"
    if not inside and _is_run(value):
        yield value, False


def _is_run(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and "run_type" in value
        and ("trace_id" in value or "dotted_order" in value or "session_id" in value)
    )


def _inner(value: Any, *names: str) -> Mapping[str, Any]:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _take(identifier: str, run: Mapping[str, Any], found: Traces) -> None:
    metadata = _inner(run, "extra", "metadata")
    parent = text_of(run.get("parent_run_id")) or _above(run.get("dotted_order"))
    trace_id = text_of(run.get("trace_id")) or text_of(run.get("dotted_order")) or identifier
    kind = _KINDS.get(str(run.get("run_type") or "").lower(), "other")
    start, tokens = _when(run.get("start_time")), _tokens(run, metadata)
    outputs = _inner(run, "outputs")
    # A root's own sums are of the calls below it: they are held against these, not added.
    sums = kind == "other"
    span = Span(
        parent=parent,
        kind=kind,
        name=text_of(run.get("name")) if kind == "tool" else None,
        start=start,
        end=_when(run.get("end_time")),
        tokens=None if sums else tokens,
        cost=None if sums else _cost(run, metadata),
        model=text_of(outputs.get("model"))
        or text_of(_inner(outputs, "llm_output").get("model_name"))
        or text_of(_inner(outputs, "generated").get("model"))
        or text_of(metadata.get("ls_model_name")),
        provider=provider_of(metadata.get("ls_provider") or _inner(outputs, "generated").get("provider")),
        failed=bool(run.get("error")) or str(run.get("status") or "").lower() == "error",
        facts=Facts() if kind == "tool" else None,
    )
    found.add(trace_id, identifier, span)
    trace = found.trace(trace_id)
    if sums and parent is None:
        trace.total_tokens = count(run.get("total_tokens")) or trace.total_tokens
        trace.total_cost = amount(run.get("total_cost")) or trace.total_cost
    rank: Rank = (1 if parent is None else 2, start or 0)
    session = next((t for k in _SESSIONS if (t := text_of(metadata.get(k)))), text_of(run.get("thread_id")))
    said = [
        ("name", run.get("name")),
        ("session_id", session),
        ("environment", run.get("session_name")),
        ("tags", run.get("tags")),
        ("version", metadata.get("revision_id")),
        *(leaf for leaf in flat("metadata", metadata) if not leaf[0].startswith("metadata.usage_metadata")),
    ]
    for name, stats in _inner(run, "feedback_stats").items():
        if isinstance(stats, Mapping) and parent is None:
            said.append((f"scores.{name}", stats.get("avg")))
    names = tuple([name for name, _ in said])
    trace.facts.add_all(heading(names), [value for _, value in said], rank)


def _above(order: Any) -> str | None:
    """The run that one lies in, by its order: the starts and ids of all above it, outermost first."""
    above = order.split(".")[-2:-1] if isinstance(order, str) else []
    return above[0].partition("Z")[2] or None if above else None


def _usage(run: Mapping[str, Any], metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a run says it used, as LangSmith writes it."""
    outputs = _inner(run, "outputs")
    theirs = [_inner(outputs, "usage"), *(_inner(outputs, "llm_output", name) for name in USAGES)]
    return (
        _inner(outputs, "usage_metadata")
        or _inner(metadata, "usage_metadata")
        or next((usage for given in theirs if (usage := as_ours(given))), {})
        or _inner(outputs, "generated", "usage")
        or next((usage for name in USAGES if (usage := as_ours(_inner(outputs, "llmOutput", name)))), {})
    )


def _tokens(run: Mapping[str, Any], metadata: Mapping[str, Any]) -> Tokens | None:
    usage = _usage(run, metadata)
    details = _inner(usage, "input_token_details") or _inner(run, "prompt_token_details")
    sent = count(usage.get("input_tokens", run.get("prompt_tokens")))
    received = count(usage.get("output_tokens", run.get("completion_tokens")))
    if sent is None and received is None:
        return None
    if not sent and not received and not usage:
        return None  # the API writes 0 where nothing was logged
    write = count(details.get("cache_creation"))
    # Where writes are told by how long they are kept, some versions of LangChain put 0 for their sum.
    kept = [n for name in _KEPT if (n := count(details.get(name))) is not None]
    return Tokens(
        sent,
        count(details.get("cache_read")),
        write or (sum(kept) if kept else write),
        received,
        hour_of(details),
    )


def _cost(run: Mapping[str, Any], metadata: Mapping[str, Any]) -> Decimal | None:
    usage = _inner(run, "outputs", "usage_metadata") or _inner(metadata, "usage_metadata")
    cost = amount(run.get("total_cost"))
    return cost if cost else amount(usage.get("total_cost")) or cost


def _when(value: Any) -> int | None:
    return from_iso(value) if isinstance(value, str) else from_number(value, per_second=1000)
