"""Agent event streams: what an agent asked to do, whether somebody allowed it, and what came of it.

Read are JSON Lines of events, bare or as `[method, payload]`, the way a client records its calls: the creation of a
session, events that it sent and events that the stream echoed. A confirmation stands in the file twice, as sent and as
echoed; it is counted once, with the echo's time.

| column (see `tables`) | from |
|---|---|
| trace_id, session_id, case_id | the session: `id` of its creation, `session_id` of an event, else the file's name |
| name, version | the agent's name, and its `version` where it has one |
| model, provider | `agent.model.id` |
| a model call | `span.model_request_end`, from its `span.model_request_start` |
| tokens | `model_usage`: `input_tokens` with those read from and written to the cache added, which stand beside them |
| a tool call | `agent.tool_use`, `agent.mcp_tool_use`, `agent.custom_tool_use` |

| column of `actions` | from |
|---|---|
| tool, system | `name`, `mcp_server_name` |
| decision | `evaluated_permission` allow: auto; ask: as the confirmation says; blank where none came |
| decided_at | of the confirmation |
| status | denied where rejected or `deny`; error where the result `is_error`; blank where there is none |
| requested_at, executed_at, duration_ms | of the tool use, of its result, between them; blank where it was denied |

Who confirmed is not in the stream, so `approver` is blank. `usage` of a session is set against the sum of its requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from roi.importers.documents import json_lines
from roi.importers.export import Contradiction, Export, left_out
from roi.importers.gathered import MOST_CELLS, Gathered, Rows, Said
from roi.importers.spans import Facts, Rank, Span, Tokens, Traces, count, hour_of, text_of
from roi.importers.tables import export_of
from roi.importers.times import from_iso
from roi.prices import OwnPrices
from roi.readers.files import Found, Seen

__all__ = ["knows", "read"]

_USES = ("agent.tool_use", "agent.mcp_tool_use", "agent.custom_tool_use")
_RESULTS = ("agent.tool_result", "agent.mcp_tool_result", "user.custom_tool_result")
_KINDS = ("agent.", "user.", "session.", "span.", "system.")
_METHOD = "client.beta.sessions"
_OWN: Rank = (0, 0)
_MOST_HELD = MOST_CELLS // 8
_OF_SESSION = ("agent", "usage", "created_at")
_OF_EVENT = (
    "type", "id", "processed_at", "tool_use_id", "mcp_tool_use_id", "custom_tool_use_id", "name", "result", "is_error",
    "evaluated_permission", "mcp_server_name", "model", "model_usage", "model_request_start_id",
)  # fmt: skip
_DECISIONS = {"allow": "approved", "deny": "rejected"}


@dataclass(slots=True)
class _Session:
    """A session as its events come in."""

    name: str
    agent: Mapping[str, Any] = field(default_factory=dict)
    usage: Mapping[str, Any] = field(default_factory=dict)
    uses: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    results: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    confirmed: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    started: dict[str, int | None] = field(default_factory=dict)
    ended: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    times: list[int] = field(default_factory=list)


def knows(value: Any) -> bool:
    """Whether a value of a file is an event, or a client's record of one."""
    if isinstance(value, str):
        return value.startswith(_METHOD)  # the first line's list, whose first value this is
    if isinstance(value, list):
        return bool(value) and knows(value[0]) and isinstance(value[0], str)
    kind = value.get("type") if isinstance(value, Mapping) else None
    return isinstance(kind, str) and kind.startswith(_KINDS)


def read(files: Sequence[tuple[Found, Seen]], own: OwnPrices | None = None) -> Export:
    """Read event streams.

    Args:
        files: Each with what a look through its bytes showed.
        own: Prices of one's own, by model.

    Returns:
        A row for each session and each tool call.

    Raises:
        UnreadableError: If a line is no JSON.
    """
    told = Gathered(Said)
    lost: dict[str, int] = {}
    for file, seen in files:
        within = Path(file.name).name.split(".")[0]
        for value in json_lines(file, seen):
            told.relieve()
            within = _take(value, within, told, lost)
    held: Rows[dict[str, Any]] = Rows(most=_MOST_HELD)
    for part in told.parts():
        for name, one in part:
            held.add_cells(one.first, *one.row(name))
    found = Traces()
    contradictions: list[Contradiction] = []
    unanswered = repeated = 0
    for _, (name, *padded) in held.cells():
        session = _Session(name)
        said = [event for event in padded if event is not None]
        for event in said:
            _note(event, session, lost)
        found.relieve(1 + len(said))
        if not (session.times or session.uses or session.ended or session.agent):
            continue
        unanswered += _add(session, found, lost)
        repeated += sum(len(said) > 1 for said in session.confirmed.values())
        contradictions += _contradictions(session)
    warnings = []
    if repeated:
        stand = "confirmation stands" if repeated == 1 else "confirmations stand"
        warnings.append(
            f"{repeated:,} {stand} in the stream more than once (as sent and as echoed); each counts once"
        )
    if unanswered:
        have = "tool call asks" if unanswered == 1 else "tool calls ask"
        warnings.append(
            f"{unanswered:,} {have} for a confirmation that is not in the stream; the decision is blank"
        )
    return export_of(found, own=own, warnings=warnings, left_out=lost, contradictions=contradictions)


def _take(value: Any, within: str, told: Gathered[Said], lost: dict[str, int]) -> str:
    """Note what a line holds; the session that following lines are of."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
        payload = value[1]
        if value[0].endswith("sessions.create") and isinstance(payload, Mapping):
            name = text_of(payload.get("id")) or within
            told.of(name).said.append({k: payload[k] for k in _OF_SESSION if k in payload})
            return name
        if isinstance(payload, list):
            # As sent: the session's name, then its events.
            within = (text_of(payload[0]) if payload else None) or within
            events = (
                payload[1].get("events") if len(payload) > 1 and isinstance(payload[1], Mapping) else None
            )
            for event in events if isinstance(events, list) else ():
                _hold(event, within, told, lost)
            return within
        value = payload
    _hold(value, within, told, lost)
    return within


def _hold(event: Any, within: str, told: Gathered[Said], lost: dict[str, int]) -> None:
    """Hold what is read of an event; what was said and answered is left where it is."""
    if not isinstance(event, Mapping) or not isinstance(event.get("type"), str):
        left_out(lost, "a line that is no event")
        return
    name = text_of(event.get("session_id")) or within
    told.of(name).said.append({k: event[k] for k in _OF_EVENT if k in event})


def _inner(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = value.get(name)
    return inner if isinstance(inner, Mapping) else {}


def _note(event: Mapping[str, Any], session: _Session, lost: dict[str, int]) -> None:
    kind = event.get("type")
    if kind is None:
        # What the session says of itself; all events have a type.
        session.agent, session.usage = _inner(event, "agent"), _inner(event, "usage")
        if (at := from_iso(event.get("created_at"))) is not None:
            session.times.append(at)
        return
    identifier = text_of(event.get("id"))
    at = from_iso(event.get("processed_at"))
    if at is not None:
        session.times.append(at)
    of = text_of(event.get("tool_use_id") or event.get("mcp_tool_use_id") or event.get("custom_tool_use_id"))
    if kind in _USES:
        if identifier is None:
            left_out(lost, "a tool call without an id")
        elif session.uses.setdefault(identifier, event) is not event:
            left_out(lost, "an event that occurs more than once counts once")
    elif kind in _RESULTS and of is not None:
        # The echo of a result carries its time; as sent, it has none.
        if of not in session.results or from_iso(session.results[of].get("processed_at")) is None:
            session.results[of] = event
    elif kind == "user.tool_confirmation" and of is not None:
        session.confirmed.setdefault(of, []).append(event)
    elif kind == "span.model_request_start" and identifier is not None:
        session.started[identifier] = at
    elif kind == "span.model_request_end":
        key = text_of(event.get("model_request_start_id")) or identifier or f"#{len(session.ended)}"
        if session.ended.setdefault(key, event) is not event:
            left_out(lost, "an event that occurs more than once counts once")


def _add(session: _Session, found: Traces, lost: dict[str, int]) -> int:
    """Add a session's spans; how many confirmations were asked for and are not there."""
    trace = found.trace(session.name)
    model = text_of(_inner(session.agent, "model").get("id") or session.agent.get("model"))
    for name, value in (
        ("case_id", session.name), ("session_id", session.name), ("name", session.agent.get("name")),
        ("version", session.agent.get("version")),
    ):  # fmt: skip
        trace.facts.add(name, value, _OWN)
    trace.began = min(session.times, default=None)
    found.add(session.name, "session", Span(start=trace.began, end=max(session.times, default=None)))
    for key, event in session.ended.items():
        found.add(
            session.name,
            key,
            Span(
                parent="session", kind="call", start=session.started.get(key), end=from_iso(event.get("processed_at")),
                tokens=_tokens(_inner(event, "model_usage")), model=text_of(event.get("model")) or model,
                failed=event.get("is_error") is True,
            ),
        )  # fmt: skip
    unanswered = 0
    for place, (key, event) in enumerate(session.uses.items(), start=1):
        unanswered += _act(session, key, event, place, found, lost)
    return unanswered


def _act(
    session: _Session, key: str, event: Mapping[str, Any], place: int, found: Traces, lost: dict[str, int]
) -> bool:
    """Add a tool call with what was decided on it; whether a confirmation that it asks for is not there."""
    facts = Facts()
    answer = session.results.get(key, {})
    said = session.confirmed.get(key, [])
    permission = text_of(event.get("evaluated_permission"))
    decision, decided = None, None
    if said:
        results = {text_of(c.get("result")) for c in said}
        if len(results) > 1:
            left_out(lost, "decisions of confirmations that contradict each other")
        else:
            decision = _DECISIONS.get(str(results.pop()))
        decided = next((t for c in reversed(said) if (t := text_of(c.get("processed_at")))), None)
    elif permission == "allow":
        decision = "auto"
    denied = decision == "rejected" or permission == "deny"
    for name, value in (
        ("seq", place), ("decision", decision), ("decided_at", decided), ("system", event.get("mcp_server_name")),
        ("status", "denied" if denied else None),
    ):  # fmt: skip
        facts.add(name, value, _OWN)
    found.add(
        session.name,
        key,
        Span(
            parent="session", kind="tool", name=text_of(event.get("name")), start=from_iso(event.get("processed_at")),
            end=None if denied else from_iso(answer.get("processed_at")),
            failed=denied or (answer.get("is_error") is True if answer else None), facts=facts,
        ),
    )  # fmt: skip
    return permission == "ask" and not said


def _tokens(usage: Mapping[str, Any]) -> Tokens | None:
    sent, received = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
    read, write = count(usage.get("cache_read_input_tokens")), count(usage.get("cache_creation_input_tokens"))
    if write is None and isinstance(split := usage.get("cache_creation"), Mapping):
        write = sum(count(n) or 0 for n in split.values())
    if sent is None and received is None:
        return None
    sent = None if sent is None else sent + (read or 0) + (write or 0)
    return Tokens(sent, read, write, received, hour_of(usage))


def _contradictions(session: _Session) -> Iterator[Contradiction]:
    for key in ("input_tokens", "output_tokens"):
        theirs = count(session.usage.get(key))
        ours = sum(count(_inner(e, "model_usage").get(key)) or 0 for e in session.ended.values())
        if theirs and theirs != ours:
            yield Contradiction(f"{key} of a session", f"{theirs:,}", f"{ours:,} as sum of its requests")
