"""What LangChain's messages say that they used, where a run's output is nothing but generations of such messages.

A message is read bare, as LangChain dumps it (`kwargs` below `lc`), or as it is stored (`data` below `type`). Of its
`usage_metadata`, and else its `response_metadata` (`token_usage`, `usage`, `tokenUsage`), the tokens are taken.
Alternatives to one prompt that all tell the same usage tell that of the one request: it counts once. Different ones,
and those to several prompts, are added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from roi.importers.spans import count, hour_of, text_of

__all__ = ["USAGES", "as_ours", "generated"]

USAGES = ("token_usage", "usage", "tokenUsage")
"""Under these names providers' own usages stand."""

_SENT = ("prompt_tokens", "promptTokens", "input_tokens")
_RECEIVED = ("completion_tokens", "completionTokens", "output_tokens")
_MODELS = ("model_name", "model", "model_id")


def generated(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """What the generations of a run's outputs say together: `usage` in LangSmith's words, `model` and `provider`.

    Args:
        outputs: Of the run.
    """
    usage: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for messages in _prompts(outputs.get("generations")):
        told: list[dict[str, Any]] = []
        for message in messages:
            about = _inner(message, "response_metadata")
            theirs = (as_ours(_inner(about, name)) for name in USAGES)
            own = dict(_inner(message, "usage_metadata")) or next((given for given in theirs if given), {})
            if own and own not in told:
                told.append(own)
            for name, value in (
                ("model", next((t for k in _MODELS if (t := text_of(about.get(k)))), None)),
                ("provider", text_of(about.get("model_provider"))),
            ):
                if value:
                    found.setdefault(name, value)
        for own in told:
            usage = _added(usage, own)
    return {**found, "usage": usage} if usage else found


def as_ours(given: Mapping[str, Any]) -> dict[str, Any]:
    """A provider's own usage in LangSmith's words; nothing where it tells no tokens."""
    sent, received = (
        next((n for name in names if (n := count(given.get(name))) is not None), None)
        for names in (_SENT, _RECEIVED)
    )
    if not sent and not received:
        return {}
    inside = _inner(given, "prompt_tokens_details") or _inner(given, "input_tokens_details")
    read, write = (count(given.get(f"cache_{name}_input_tokens")) for name in ("read", "creation"))
    if not any(name in given for name in _SENT[:2]) and sent is not None:
        sent += (read or 0) + (write or 0)  # Anthropic tells the cached ones beside the others
    details = {
        "cache_read": read if read is not None else inside.get("cached_tokens"),
        "cache_creation": write,
        "ephemeral_1h_input_tokens": hour_of(given),
    }
    return {"input_tokens": sent, "output_tokens": received, "input_token_details": details}


def _prompts(generations: Any) -> Iterator[list[Mapping[str, Any]]]:
    """The messages that answer each prompt."""
    listed = generations if isinstance(generations, list) else []
    inside = [one for one in listed if isinstance(one, list)]
    for alternatives in inside or [listed]:
        messages = (_inner(one, "message") for one in alternatives)
        yield [_inner(m, "kwargs") or _inner(m, "data") or m for m in messages if m]


def _inner(value: Any, name: str) -> Mapping[str, Any]:
    inner = value.get(name) if isinstance(value, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _added(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Usages together; what only one of them tells stands."""
    both = dict(one)
    for name, value in other.items():
        if isinstance(value, Mapping):
            both[name] = _added(_inner(one, name), value)
        elif (n := count(value)) is not None:
            both[name] = (count(one.get(name)) or 0) + n
    return both
