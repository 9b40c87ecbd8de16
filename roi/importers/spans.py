"""Spans of traces as the importers read them, and how their cells are read."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import Any, Literal, TypeAlias

import msgspec

from roi.importers.facts import Facts, Rank, flat, text_of
from roi.importers.gathered import MOST_CELLS, Gathered

__all__ = [
    "MOST_AMOUNT",
    "MOST_TOKENS",
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
    "hour_of",
    "provider_of",
    "text_of",
]

MOST_TOKENS = 1 << 50
"""No count of tokens is as large."""

MOST_AMOUNT = 1_000_000_000
"""No amount is as large, on either side of 0."""

SpanKind: TypeAlias = Literal["call", "tool", "other"]
# Names of frameworks stand where the provider's is wanted; they say nothing of the price.
_FRAMEWORKS = (
    "langchain", "langgraph", "llamaindex", "llama_index", "crewai", "autogen", "microsoft.agent", "_other", "litellm",
)  # fmt: skip
_ALIASES = {
    "x_ai": "x-ai", "xai": "x-ai", "gcp.vertex.agent": "google", "gcp.gen_ai": "google", "azure.ai.inference": "azure",
    "az.ai.inference": "azure",
}  # fmt: skip


class Tokens(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Tokens of one model call; None where they are not logged.

    Attributes:
        input: Sent, cached ones included.
        cache_read: Of these, read from a cache.
        cache_write: Of these, written to a cache.
        output: Received, reasoning included.
        cache_write_1h: Of those written to a cache, kept for an hour.
    """

    input: int | None
    cache_read: int | None
    cache_write: int | None
    output: int | None
    cache_write_1h: int | None = None

    @property
    def weight(self) -> int:
        """Tokens in both directions."""
        return (self.input or 0) + (self.output or 0)


class Span(msgspec.Struct, array_like=True, gc=False):
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


class Trace(msgspec.Struct, array_like=True, gc=False):
    """A trace as its spans come in, in any order.

    Attributes:
        first: Its number in the order in which traces are first mentioned.
        facts: What is said of it.
        spans: By name.
        unnamed: Names that were made up for spans without one.
        acts: How many of its spans say something of a tool call.
        began: When, in microseconds since 1970, as it says of itself.
        total_tokens: That it states of itself.
        total_cost: Likewise, in USD.
        repeated: Spans that came more than once.
    """

    first: int = 0
    facts: Facts = msgspec.field(default_factory=Facts)
    spans: dict[str, Span] = {}
    unnamed: set[str] = set()
    acts: int = 0
    began: int | None = None
    total_tokens: int | None = None
    total_cost: Decimal | None = None
    repeated: int = 0

    def add(self, span_id: str | None, span: Span) -> bool:
        """Add a span; one that comes twice counts once, with what it logs. Whether it is the one that stands."""
        spans = self.spans
        name = span_id or f"#{len(spans)}"
        if not span_id:
            self.unnamed.add(name)
        at = spans.get(name)
        if at is not None:
            self.repeated += 1
            if at.logs or not span.logs:
                return False
        spans[name] = span
        if span.facts is not None:
            self.acts += 1
        return True

    def weight(self) -> int:
        """About how many cells it holds."""
        return 8 + 3 * len(self.facts) + 10 * len(self.spans) + 40 * self.acts

    def pack(self) -> Any:
        """It as bytes, or as plain values where a name is no text."""
        try:
            return _ENCODER.encode(self)
        except UnicodeEncodeError:
            return msgspec.to_builtins(self)  # half of a pair of UTF-16, which JSON may hold

    @classmethod
    def unpack(cls, first: int, packed: Any) -> Trace:
        """It from what `pack` gave."""
        trace = _DECODER.decode(packed) if type(packed) is bytes else msgspec.convert(packed, Trace)
        trace.first = first
        return trace

    def join(self, later: Trace) -> None:
        """Add what was said later."""
        self.facts.join(later.facts)
        for name, span in later.spans.items():
            self.add(None if name in later.unnamed else name, span)
        self.repeated += later.repeated
        for name in ("began", "total_tokens", "total_cost"):
            if (value := getattr(later, name)) is not None:
                setattr(self, name, value)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Trace)


class Traces(Gathered[Trace]):
    """All traces of an export, in the order in which they are first seen.

    Attributes:
        calls: Whether any span is a model call, or logs what it used.
    """

    def __init__(self, *, most: int | None = MOST_CELLS) -> None:
        super().__init__(Trace, most=most)
        self.calls = False

    @property
    def by_id(self) -> Mapping[str, Trace]:
        """Those that are in memory: all of them where nothing is relieved."""
        return self.held

    def trace(self, identifier: str) -> Trace:
        """The trace of this name."""
        return self.of(identifier)

    def add(self, identifier: str, span_id: str | None, span: Span) -> Trace:
        """Add a span, and give its trace; one that comes twice counts once, with what it logs."""
        trace = self.held.get(identifier) or self.of(identifier)
        if trace.add(span_id, span) and not self.calls:
            self.calls = span.kind == "call" or span.logs
        return trace


def field_of(given: Mapping[str, Any], name: str) -> Any:
    """A field by its name in camel case, or as some exporters write it in snake case."""
    value = given.get(name)
    return value if value is not None else given.get(_snake(name))


@cache
def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def provider_of(name: Any) -> str | None:
    """A provider as price lists know it; None where a framework's name stands in its place."""
    return _provider(name) if isinstance(name, str) else None


@lru_cache(maxsize=256)
def _provider(name: str) -> str | None:
    if not name.strip():
        return None
    plain = name.strip().lower()
    return None if plain.startswith(_FRAMEWORKS) else _ALIASES.get(plain, plain)


def count(value: Any) -> int | None:
    """A number of tokens, which some exports write as a text; None where it is none."""
    if type(value) is int:
        return value if 0 <= value < MOST_TOKENS else None
    if value is None or isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        if isinstance(value, str):
            # pandas writes whole numbers so where a column has gaps.
            whole, point, rest = value.strip().partition(".")
            number = int(whole) if point and not rest.strip("0") else int(value)
        else:
            number = int(value) if value == int(value) else -1
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < MOST_TOKENS else None


def hour_of(usage: Mapping[str, Any]) -> int | None:
    """Tokens that are written to a cache for an hour, as Anthropic's usage tells them: whole, or within its split."""
    split = usage.get("cache_creation")
    given = split if isinstance(split, Mapping) else usage
    return count(given.get("ephemeral_1h_input_tokens"))


def amount(value: Any) -> Decimal | None:
    """An amount of money, exactly as it is written; None where it is none."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < MOST_AMOUNT else None
