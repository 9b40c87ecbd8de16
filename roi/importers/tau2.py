"""tau2 simulations: runs of a customer-service agent on tasks with a known right end.

One simulation becomes one row of `traces`. Files of several agents are read together: the version tells them apart.

| column (see `tables`) | from |
|---|---|
| trace_id, case_id | `id` of the simulation |
| pair_id | domain, kind of agent and `task_id`: the same task worked by another version is its pair |
| segment | `environment_info.domain_name`, with "without user" for an agent that works alone |
| version | `agent_info.llm` |
| outcome | reward 1: correct; stopped at the limit of steps or errors: abandoned; else error |
| setting | demo: a simulated user is no customer |
| started_at, ended_at | `start_time`, `end_time` |
| tokens, cost | of the assistant's messages; a cost of 0 beside tokens is unknown |
| user_cost | `user_cost`, of the simulated user; it is no cost of the agent's |
| reward, trial, seed, task, termination | `reward_info.reward`, `trial`, `seed`, `task_id`, `termination_reason` |
| transferred | whether the agent called a tool named transfer…; that it should have is not said |
| actions | the assistant's `tool_calls`; those of the simulated user are left out and counted |

`agent_cost` of a simulation is set against the sum of its messages' costs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from roi.importers.export import Contradiction, Export, Filled, left_out
from roi.importers.members import documents
from roi.importers.spans import Facts, Rank, Span, Tokens, Traces, amount, count, provider_of, text_of
from roi.importers.tables import export_of
from roi.importers.times import from_iso
from roi.prices import OwnPrices
from roi.readers.files import Found, Seen

__all__ = ["knows", "read"]

_GAVE_UP = ("max_steps", "too_many_errors", "max_errors", "timeout")
_SAME = Decimal("0.000001")
_OWN: Rank = (0, 0)
_LONGEST = 120  # characters of a task's name


def knows(value: Any) -> bool:
    """Whether a value of a file is a set of simulations."""
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("simulations"), list)
        and isinstance(value.get("info"), Mapping)
    )


def read(files: Sequence[tuple[Found, Seen]], own: OwnPrices | None = None) -> Export:
    """Read sets of simulations.

    Args:
        files: Each with what a look through its bytes showed.
        own: Prices of one's own, by model.

    Returns:
        A row for each simulation and each of the agent's tool calls; and one graded run for each.

    Raises:
        UnreadableError: If a file is no JSON to its end.
    """
    found = Traces()
    lost: dict[str, int] = {}
    evals, met = Filled(), set[str]()
    sums = _Sums()
    for file, seen in files:
        for value, simulations in documents(file, seen, "simulations", knows):
            if not knows(value):
                left_out(lost, "is no set of simulations")
                continue
            info = value["info"]
            for given in simulations:
                if not isinstance(given, Mapping) or text_of(given.get("id")) is None:
                    left_out(lost, "a simulation without an id")
                elif (name := str(given["id"]).strip()) in met:
                    left_out(lost, "a simulation that occurs more than once counts once")
                else:
                    met.add(name)
                    found.relieve(len(_messages(given)) + 1)
                    _take(given, info, found, lost, evals, sums)
    return export_of(
        found,
        own=own,
        evals=evals.table(
            first=("version", "eval_case", "passed", "suite", "run_id", "ran_at", "segment"),
        ),
        left_out=lost,
        contradictions=sums.contradictions(),
    )


class _Sums:
    """What simulations say they cost, and what their messages say."""

    def __init__(self) -> None:
        self.differ = 0
        self.theirs = self.ours = Decimal(0)

    def add(self, theirs: Decimal | None, ours: Decimal) -> None:
        if theirs is not None and abs(theirs - ours) > _SAME:
            self.differ += 1
            self.theirs += theirs
            self.ours += ours

    def contradictions(self) -> list[Contradiction]:
        if not self.differ:
            return []
        what = f"agent_cost of {self.differ:,} simulation{'s' if self.differ > 1 else ''}"
        return [
            Contradiction(
                what, f"USD {self.theirs:.6f}", f"USD {self.ours:.6f} as sum of the messages' costs"
            )
        ]


def _inner(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = value.get(name)
    return inner if isinstance(inner, Mapping) else {}


def _take(
    given: Mapping[str, Any],
    info: Mapping[str, Any],
    found: Traces,
    lost: dict[str, int],
    evals: Filled,
    sums: _Sums,
) -> None:
    identifier = str(text_of(given["id"]))
    agent = _inner(info, "agent_info")
    model = text_of(agent.get("llm"))
    alone = str(agent.get("implementation") or "").endswith("_solo")
    domain = text_of(_inner(info, "environment_info").get("domain_name"))
    segment = f"{domain} without user" if domain and alone else domain
    reward = amount(_inner(given, "reward_info").get("reward"))
    ended = text_of(given.get("termination_reason"))
    outcome = (
        None
        if reward is None
        else "correct"
        if reward == 1
        else "abandoned"
        if ended in _GAVE_UP
        else "error"
    )
    task = _short(text_of(given.get("task_id")))
    pair = None if task is None else " / ".join(p for p in (segment, task) if p)
    trace = found.trace(identifier)
    trace.began = from_iso(given.get("start_time"))
    tools = [name for m in _messages(given) for c in _calls(m) if (name := text_of(c.get("name")))]
    facts = {
        "case_id": identifier, "outcome": outcome, "segment": segment, "version": model, "setting": "demo",
        "pair_id": pair,
        "task": task, "reward": given.get("reward_info") and _inner(given, "reward_info").get("reward"),
        "trial": given.get("trial"), "seed": given.get("seed"), "termination": ended,
        "user_cost": given.get("user_cost"), "transferred": any(n.startswith("transfer") for n in tools),
    }  # fmt: skip
    for name, value in facts.items():
        trace.facts.add(name, value, _OWN)
    run = Span(kind="other", start=trace.began, end=from_iso(given.get("end_time")))
    found.add(identifier, "run", run)
    sums.add(amount(given.get("agent_cost")), _spans(given, identifier, model, found, lost))
    if outcome is None:
        left_out(lost, "a simulation without a reward is not graded")
        return
    row: dict[str, str | None] = {
        "version": model, "eval_case": pair or identifier, "passed": "true" if reward == 1 else "false",
        "suite": "tau2", "run_id": identifier, "ran_at": text_of(given.get("start_time")), "segment": segment,
    }  # fmt: skip
    evals.add(len(evals), row)


def _short(task: str | None) -> str | None:
    """A task's name; some are lists of all that was broken, hundreds of characters long."""
    if task is None or len(task) <= _LONGEST:
        return task
    return f"{task[: _LONGEST - 9]}~{hashlib.sha256(task.encode()).hexdigest()[:8]}"


def _messages(given: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = given.get("messages")
    return [m for m in listed if isinstance(m, Mapping)] if isinstance(listed, list) else []


def _calls(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = message.get("tool_calls")
    calls = [c for c in listed if isinstance(c, Mapping)] if isinstance(listed, list) else []
    return [c for c in calls if c.get("requestor", message.get("role")) == "assistant"]


def _spans(
    given: Mapping[str, Any], identifier: str, model: str | None, found: Traces, lost: dict[str, int]
) -> Decimal:
    """Add the calls of the model and of tools; the sum of the messages' costs."""
    messages = _messages(given)
    answers = {str(m.get("id")): m for m in messages if m.get("role") == "tool"}
    total = Decimal(0)
    for place, message in enumerate(messages):
        if message.get("role") == "user" and isinstance(message.get("tool_calls"), list):
            left_out(lost, "tool calls of the simulated user", len(message["tool_calls"]))
        if message.get("role") != "assistant":
            continue
        usage, cost = _inner(message, "usage"), amount(message.get("cost"))
        total += cost or 0
        at = from_iso(message.get("timestamp"))
        sent, received = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
        if usage or cost:
            tokens = Tokens(sent, None, None, received) if usage else None
            span = Span(parent="run", kind="call", start=at, end=at, tokens=tokens, cost=cost, model=model)
            span.provider = provider_of("openai") if model and model.startswith(("gpt-", "ft:gpt-")) else None
            found.add(identifier, f"m{place}", span)
        for number, call in enumerate(_calls(message)):
            answer = answers.get(str(call.get("id")), {})
            facts = Facts()
            facts.add("seq", place, _OWN)
            done = from_iso(answer.get("timestamp"))
            found.add(
                identifier,
                text_of(call.get("id")) or f"m{place}.{number}",
                Span(
                    parent="run", kind="tool", name=text_of(call.get("name")), start=at, end=done,
                    failed=answer.get("error") is True if answer else None, facts=facts,
                ),
            )  # fmt: skip
    return total
