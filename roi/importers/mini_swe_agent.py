"""mini-swe-agent: trajectories of an agent that works in a shell (formats 1 and 1.1, and bare lists of messages).

One file is one case. Two of one task, by two models say, are two cases and a pair.

| column (see `tables`) | from |
|---|---|
| trace_id, case_id | `instance_id`; where that is missing or was met before, the file's name without `.traj.json` |
| pair_id | `instance_id` |
| name, version | mini-swe-agent, `info.mini_version` |
| exit_status | `info.exit_status`; that something was submitted does not say that it is right |
| a model call | a message of the role assistant; what stands in its `extra.response` |
| model, provider | `extra.response.model`, else `info.config.model.model_name`, whose beginning names the provider |
| tokens | `extra.response.usage`, as OpenAI and Anthropic write it |
| cost | `extra.cost`; of format 1 `info.model_stats.instance_cost` of all calls together |
| actions | `extra.actions`, else the only block of shell in the answer; failed where `returncode` is not 0 |
| started_at, ended_at | `timestamp` of messages, or of their `extra`, and `extra.response.created` |

An answer without a command that can be run is told by what the agent says to it (`interrupt_type` FormatError): it is
a call like others, but format 1.1 keeps neither its tokens nor its cost, so that the trace's are not known.
`instance_cost` is set against the sum of the calls. A bare list of messages tells calls and commands and no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from roi.importers.export import Export, left_out
from roi.importers.langchain_messages import as_ours
from roi.importers.members import documents
from roi.importers.spans import Facts, Rank, Span, Tokens, Trace, Traces, amount, count, provider_of, text_of
from roi.importers.tables import export_of
from roi.importers.times import from_number
from roi.prices import OwnPrices
from roi.readers.files import Found, Seen

__all__ = ["knows", "read"]

_OWN: Rank = (0, 0)
_RUN = "run"
_SHELL = re.compile(r"```(?:bash|mswea_bash_command)[ \t\r]*\n(.*?)\n[ \t]*```", re.DOTALL)
_RETURNED = re.compile(r"\s*<returncode>\s*(-?\d{1,9})\s*</returncode>")
_TOLD_BY = ("mswea_bash_command", "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT", "MINI_SWE_AGENT_FINAL_OUTPUT")
_UNREAD = "answers without a command that can be run, of which neither tokens nor cost are kept"


def knows(value: Any) -> bool:
    """Whether a value of a file is a trajectory, or the first message of one."""
    if not isinstance(value, Mapping):
        return False
    if isinstance(value.get("messages"), list):
        told = str(value.get("trajectory_format") or "").startswith("mini-swe-agent")
        return told or "mini_version" in _inner(value, "info")
    text = value.get("content")
    return _is_message(value) and isinstance(text, str) and any(word in text for word in _TOLD_BY)


def read(files: Sequence[tuple[Found, Seen]], own: OwnPrices | None = None) -> Export:
    """Read trajectories.

    Args:
        files: Each with what a look through its bytes showed.
        own: Prices of one's own, by model.

    Returns:
        A row for each trajectory and each command.

    Raises:
        UnreadableError: If a file is no JSON to its end.
    """
    found = Traces()
    lost: dict[str, int] = {}
    met, hashes = set[str](), set[str]()
    for file, seen in files:
        if seen.sha256 in hashes:
            left_out(lost, "a trajectory that occurs more than once counts once")
            continue
        hashes.add(seen.sha256)
        plain = re.sub(r"(\.traj)?\.jsonl?(\.gz)?$", "", Path(file.name).as_posix())
        for number, (head, messages) in enumerate(_trajectories(file, seen, lost)):
            found.relieve()
            task = text_of(head.get("instance_id"))
            name = task or Path(plain).name
            if name in met:
                name = plain if plain not in met else f"{plain}#{number}"
            met.add(name)
            _take(name, task, head, messages, found.trace(name), lost)
            found.calls = True
    return export_of(found, own=own, left_out=lost)


def _is_message(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("role"), str) and "content" in value


def _trajectories(
    file: Found, seen: Seen, lost: dict[str, int]
) -> Iterator[tuple[Mapping[str, Any], Iterator[Any]]]:
    """What a file says of each trajectory beside its messages, and these; messages that stand bare are of one."""
    values = documents(file, seen, "messages", knows)
    for value, messages in values:
        if isinstance(value, Mapping) and isinstance(value.get("messages"), list):
            yield {k: v for k, v in value.items() if k != "messages"}, messages
        elif _is_message(value):
            yield {}, chain([value], (bare for bare, _ in values))
        else:
            left_out(lost, "is no trajectory")


def _inner(value: Any, *names: str) -> Mapping[str, Any]:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _take(
    name: str,
    task: str | None,
    head: Mapping[str, Any],
    messages: Iterator[Any],
    trace: Trace,
    lost: dict[str, int],
) -> None:
    info = _inner(head, "info")
    for fact, value in (
        ("case_id", name), ("pair_id", task), ("name", "mini-swe-agent"), ("version", info.get("mini_version")),
        ("exit_status", info.get("exit_status") or None),
    ):  # fmt: skip
        trace.facts.add(fact, value, _OWN)
    named = text_of(_inner(info, "config", "model").get("model_name")) or ""
    begun, stroke, rest = named.partition("/")
    model, provider = (rest if stroke else named) or None, provider_of(begun) if stroke else None
    spent = amount(_inner(info, "model_stats").get("instance_cost"))
    trace.total_cost = spent if spent and spent > 0 else None
    times: list[int] = []
    open_calls: dict[str, Span] = {}  # commands without a result so far, in their order
    logs_costs, last = False, None
    for place, message in enumerate(messages):
        if not _is_message(message):
            left_out(lost, "a message that is none")
            continue
        extra = _inner(message, "extra")
        at = _when(message.get("timestamp")) or _when(extra.get("timestamp"))
        if at is not None:
            times.append(at)
        if message["role"] == "assistant":
            call = _call(extra, at, last, model, provider)
            logs_costs = logs_costs or call.cost is not None
            trace.add(str(place), call)
            if call.start is not None:
                times.append(call.start)
            open_calls = {}
            for k, (key, tool) in enumerate(_commands(message, extra)):
                facts = Facts()
                facts.add("seq", place, _OWN)
                span = Span(_RUN, "tool", tool, at, failed=None, facts=facts)
                trace.add(f"{place}.{k}", span)
                open_calls[key or f"#{k}"] = span
        elif extra.get("interrupt_type") == "FormatError":
            left_out(lost, _UNREAD)
            trace.add(str(place), Span(_RUN, "call", start=last, end=at, model=model, provider=provider))
        else:
            _answer(message, extra, at, open_calls)
        last = at
    run = Span(start=min(times, default=None), end=max(times, default=None))
    if not logs_costs:
        run.cost = trace.total_cost  # format 1: it is the sum of all its calls
    trace.add(_RUN, run)


def _call(
    extra: Mapping[str, Any], at: int | None, last: int | None, model: str | None, provider: str | None
) -> Span:
    """A model call, from what came of it."""
    response = _inner(extra, "response")
    used = as_ours(_inner(response, "usage"))
    details = _inner(used, "input_token_details")
    start = _when(response.get("created") or response.get("created_at")) or last
    if start is not None and at is not None:
        start = min(start, at)
    tokens = None
    if used:
        tokens = Tokens(
            used["input_tokens"],
            count(details.get("cache_read")),
            count(details.get("cache_creation")),
            used["output_tokens"],
            count(details.get("ephemeral_1h_input_tokens")),
        )
    return Span(
        _RUN, "call", None, at if start is None else start, at, tokens, amount(extra.get("cost")),
        text_of(response.get("model")) or model, provider,
    )  # fmt: skip


def _commands(message: Mapping[str, Any], extra: Mapping[str, Any]) -> list[tuple[str | None, str]]:
    """The commands of an answer: the id that their result has, where there is one, and the tool."""
    named: dict[str, str] = {}
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        identifier, tool = text_of(_inner(call).get("id")), text_of(_inner(call, "function").get("name"))
        if identifier and tool:
            named[identifier] = tool
    actions = extra.get("actions")
    if isinstance(actions, list):
        ids = [text_of(_inner(a).get("tool_call_id")) for a in actions if isinstance(a, Mapping)]
        return [(i, named.get(i or "", "bash")) for i in ids]
    if named:
        return list(named.items())
    text = message.get("content")
    # More than one, or none, is no command: the agent is asked to say it anew.
    return [(None, "bash")] if isinstance(text, str) and len(_SHELL.findall(text)) == 1 else []


def _answer(
    message: Mapping[str, Any], extra: Mapping[str, Any], at: int | None, open_calls: dict[str, Span]
) -> None:
    """Note what came of a command: of the one that is named, else of the next one in their order."""
    text = message.get("content")
    code = extra.get("returncode")
    if code is None and isinstance(text, str) and (said := _RETURNED.match(text)):
        code = int(said[1])
    named = text_of(message.get("tool_call_id")) or ""
    if isinstance(code, bool) or not isinstance(code, int) or not open_calls:
        return
    span = open_calls.pop(named if named in open_calls else next(iter(open_calls)))
    span.failed, span.end = code != 0, at


def _when(value: Any) -> int | None:
    return from_number(value, per_second=1)
