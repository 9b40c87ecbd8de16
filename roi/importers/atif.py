"""ATIF: trajectories of agents, as Harbor and others write them (versions 1.4 to 1.7).

One document is one case: trajectories of sub-agents in it are work on the same case, and their costs are added.

| column (see `tables`) | from |
|---|---|
| trace_id, case_id, session_id | `session_id` of the first trajectory, else its `trajectory_id` |
| name, version | `agent.name`, `agent.version` |
| a model call | a step of the agent that has `metrics` |
| model, provider | `model_name` of the step, else of the agent, with the provider before the stroke |
| tokens | `prompt_tokens` (cached ones included), `cached_tokens`, `completion_tokens` |
| cost | `cost_usd` |
| actions | `tool_calls`: `function_name`; `observation` says nothing of whether a call failed |
| started_at, ended_at | first and last `timestamp` |

Steps with `is_copied_context` were taken over from another trajectory: their tool calls are counted there.
`final_metrics` of each trajectory are set against its steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from roi.importers.export import Contradiction, Export, left_out
from roi.importers.members import documents
from roi.importers.spans import Facts, Rank, Span, Tokens, Traces, amount, count, provider_of, text_of
from roi.importers.tables import export_of
from roi.importers.times import from_iso
from roi.prices import OwnPrices
from roi.readers.files import Found, Seen

__all__ = ["knows", "read"]

_OWN: Rank = (0, 0)
_SAME = Decimal("0.000001")
_DEEPEST = 8


def knows(value: Any) -> bool:
    """Whether a value of a file is a trajectory, or holds one under a name."""
    return isinstance(value, Mapping) and next(_trajectories(value), None) is not None


def read(files: Sequence[tuple[Found, Seen]], own: OwnPrices | None = None) -> Export:
    """Read trajectories.

    Args:
        files: Each with what a look through its bytes showed.
        own: Prices of one's own, by model.

    Returns:
        A row for each document and each tool call.

    Raises:
        UnreadableError: If a file is no JSON to its end.
    """
    found = Traces()
    met = set[str]()
    lost: dict[str, int] = {}
    contradictions: list[Contradiction] = []
    for file, seen in files:
        # Of a long document its own steps come one by one, whoever else is in it.
        for place, (value, steps) in enumerate(documents(file, seen, "steps", knows), start=1):
            found.relieve()
            case: str | None = None
            for number, given in enumerate(_trajectories(value) if isinstance(value, Mapping) else ()):
                if case is None:
                    case = (
                        text_of(given.get("session_id") or given.get("trajectory_id"))
                        or f"{file.name}#{place}"
                    )
                    if case in met:
                        left_out(lost, "a trajectory that occurs more than once counts once")
                        break
                    met.add(case)
                own_steps = steps if given is value else given["steps"]
                contradictions += _take(given, own_steps, case, number, found, lost, file.name)
            if case is None:
                left_out(lost, "is no trajectory")
    return export_of(found, own=own, left_out=lost, contradictions=contradictions)


def _is_trajectory(value: Any) -> bool:
    if not isinstance(value, Mapping) or not isinstance(value.get("steps"), list):
        return False
    return str(value.get("schema_version") or "").startswith("ATIF") or isinstance(
        value.get("agent"), Mapping
    )


def _trajectories(value: Mapping[str, Any], depth: int = 0) -> Iterator[Mapping[str, Any]]:
    if depth > _DEEPEST:
        return
    if _is_trajectory(value):
        yield value
        inner = value.get("subagent_trajectories")
        for item in inner if isinstance(inner, list) else ():
            if isinstance(item, Mapping):
                yield from _trajectories(item, depth + 1)
    elif depth == 0:
        for item in value.values():
            if isinstance(item, Mapping) and _is_trajectory(item):
                yield from _trajectories(item, depth + 1)


def _inner(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = value.get(name)
    return inner if isinstance(inner, Mapping) else {}


def _listed(value: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    inner = value.get(name)
    return [i for i in inner if isinstance(i, Mapping)] if isinstance(inner, list) else []


def _take(
    given: Mapping[str, Any],
    steps: Iterable[Any],
    case: str,
    number: int,
    found: Traces,
    lost: dict[str, int],
    name: str,
) -> Iterator[Contradiction]:
    agent, trace, run = _inner(given, "agent"), found.trace(case), f"run {number}"
    if number == 0:
        for fact, value in (
            ("case_id", case), ("session_id", given.get("session_id")), ("name", agent.get("name")),
            ("version", agent.get("version")),
        ):  # fmt: skip
            trace.facts.add(fact, value, _OWN)
    whole = Span()
    found.add(case, run, whole)
    sums = {"prompt_tokens": 0, "completion_tokens": 0}
    spent = Decimal(0)
    for place, step in enumerate(s for s in steps if isinstance(s, Mapping)):
        at, metrics = from_iso(step.get("timestamp")), _inner(step, "metrics")
        if at is not None:
            whole.start = at if whole.start is None else min(whole.start, at)
            whole.end = at if whole.end is None else max(whole.end, at)
        if metrics:
            full = text_of(step.get("model_name")) or text_of(agent.get("model_name")) or ""
            provider, stroke, model = full.partition("/")
            sent, received = count(metrics.get("prompt_tokens")), count(metrics.get("completion_tokens"))
            cost = amount(metrics.get("cost_usd"))
            tokens = Tokens(sent, count(metrics.get("cached_tokens")), None, received)
            for key in sums:
                sums[key] += count(metrics.get(key)) or 0
            spent += cost or 0
            span = Span(parent=run, kind="call", start=at, end=at, tokens=tokens, cost=cost)
            span.model, span.provider = (
                (model if stroke else full) or None,
                provider_of(provider) if stroke else None,
            )
            found.add(case, f"{number}.{place}", span)
        calls = _listed(step, "tool_calls")
        if step.get("is_copied_context") is True:
            left_out(lost, "tool calls of steps copied from another trajectory", len(calls))
            continue
        for k, call in enumerate(calls):
            facts = Facts()
            facts.add("seq", place, _OWN)
            span = Span(
                parent=run, kind="tool", name=text_of(call.get("function_name")), start=at, facts=facts
            )
            span.failed = None
            found.add(case, f"{number}.{place}.{k}", span)
    final = _inner(given, "final_metrics")
    for key, ours in sums.items():
        theirs = count(final.get(f"total_{key}"))
        if theirs is not None and theirs != ours:
            yield Contradiction(
                f"{key} of a trajectory in {name}",
                f"{theirs:,}",
                f"{ours:,} as sum of its steps",
                "the steps stand",
            )
    total = amount(final.get("total_cost_usd"))
    if total is not None and abs(total - spent) > _SAME:
        yield Contradiction(
            f"cost of a trajectory in {name}",
            f"USD {total:.6f}",
            f"USD {spent:.6f} as sum of its steps",
            "the steps stand",
        )
