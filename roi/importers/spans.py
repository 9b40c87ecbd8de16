"""Spans of traces as the importers read them, and how their cells are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Literal, TypeAlias

__all__ = [
    "Facts",
    "Rank",
    "Span",
    "SpanKind",
    "Tokens",
    "Trace",
    "Traces",
    "amount",
    "count",
    "field_of",
    "flat",
    "provider_of",
    "text_of",
]

SpanKind: TypeAlias = Literal["call", "tool", "other"]
Rank: TypeAlias = tuple[int, int]  # 0 the trace itself, 1 its root, 2 other spans; then their start

_LONGEST_FACT = 200
# Names of frameworks stand where the provider's is wanted; they say nothing of the price.
_FRAMEWORKS = (
    "langchain", "langgraph", "llamaindex", "llama_index", "crewai", "autogen", "microsoft.agent", "_other", "litellm",
)  # fmt: skip
_ALIASES = {"x_ai": "x-ai", "xai": "x-ai", "gcp.vertex.agent": "google"}


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one model call; None where they are not logged.

    Attributes:
        input: Sent, cached ones included.
        cache_read: Of these, read from a cache.
        cache_write: Of these, written to a cache.
        output: Received, reasoning included.
    """

    input: int | None
    cache_read: int | None
    cache_write: int | None
    output: int | None

    @property
    def weight(self) -> int:
        """Tokens in both directions."""
        return (self.input or 0) + (self.output or 0)


class Facts:
    """What is said of a trace or a call, by name; what is nearer to the trace itself stands."""

    __slots__ = ("_said",)

    def __init__(self) -> None:
        self._said: dict[str, tuple[Rank, str]] = {}

    def add(self, name: str, value: Any, rank: Rank) -> None:
        """Note a value; long texts are no keys and are not kept."""
        text = text_of(value)
        if text is None or len(text) > _LONGEST_FACT:
            return
        at = self._said.get(name)
        if at is None or rank < at[0]:
            self._said[name] = (rank, text)

    def get(self, name: str) -> str | None:
        """A value as text."""
        at = self._said.get(name)
        return None if at is None else at[1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._said)


@dataclass(slots=True, kw_only=True)
class Span:
    """One step of a trace.

    Attributes:
        parent: The span that it lies in.
        kind: A model call, a tool call or anything else.
        name: Of the tool, for a tool call.
        start: Microseconds since 1970, or None.
        end: Likewise.
        tokens: That it says it used, the spans below it included.
        cost: In USD, as logged.
        model: As logged.
        provider: As logged.
        failed: Whether it ended in an error; None where nothing says so.
        facts: What a tool call says of itself.
        batch: Whether it was part of a batch, which costs less.
    """

    parent: str | None = None
    kind: SpanKind = "other"
    name: str | None = None
    start: int | None = None
    end: int | None = None
    tokens: Tokens | None = None
    cost: Decimal | None = None
    model: str | None = None
    provider: str | None = None
    failed: bool | None = False
    facts: Facts | None = None
    batch: bool = False

    @property
    def logs(self) -> bool:
        """Whether it says what it used."""
        return self.tokens is not None or bool(self.cost)


@dataclass(slots=True)
class Trace:
    """A trace as its spans come in, in any order."""

    facts: Facts = field(default_factory=Facts)
    spans: dict[str, Span] = field(default_factory=dict)
    began: int | None = None


class Traces:
    """All traces of an export, in the order in which they are first seen."""

    def __init__(self) -> None:
        self.by_id: dict[str, Trace] = {}
        self.repeated = 0

    def trace(self, identifier: str) -> Trace:
        """The trace of this name."""
        return self.by_id.setdefault(identifier, Trace())

    def add(self, identifier: str, span_id: str | None, span: Span) -> None:
        """Add a span; one that comes twice counts once, with what it logs."""
        spans = self.trace(identifier).spans
        name = span_id or f"#{len(spans)}"
        if name in spans:
            self.repeated += 1
            if spans[name].logs or not span.logs:
                return
        spans[name] = span


def field_of(given: Mapping[str, Any], name: str) -> Any:
    """A field by its name in camel case, or as some exporters write it in snake case."""
    value = given.get(name)
    return value if value is not None else given.get(_snake(name))


@cache
def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def provider_of(name: Any) -> str | None:
    """A provider as price lists know it; None where a framework's name stands in its place."""
    if not isinstance(name, str) or not name.strip():
        return None
    plain = name.strip().lower()
    return None if plain.startswith(_FRAMEWORKS) else _ALIASES.get(plain, plain)


def count(value: Any) -> int | None:
    """A number of tokens, which some exports write as a text; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = int(value) if not isinstance(value, float) else int(value) if value == int(value) else -1
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < 1 << 50 else None


def amount(value: Any) -> Decimal | None:
    """An amount of money, exactly as it is written; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 1_000_000_000 else None


def text_of(value: Any) -> str | None:
    """A value as a cell; lists are joined by `;`, nested ones and blanks are none."""
    if value is None or isinstance(value, Mapping):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        parts = [text_of(v) for v in value if not isinstance(v, list | tuple)]
        return ";".join(p for p in parts if p) or None
    text = str(value).strip()
    if not text.isprintable():
        # Half of a pair of UTF-16, which JSON may hold, is no text; neither is what ends a text in C.
        text = text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "").strip()
    return text or None


def flat(prefix: str, value: Any, *, depth: int = 6) -> Iterator[tuple[str, Any]]:
    """The leaves of nested objects, with dotted names."""
    if isinstance(value, Mapping) and depth:
        for key, item in value.items():
            yield from flat(f"{prefix}.{key}", item, depth=depth - 1)
    else:
        yield prefix, value
