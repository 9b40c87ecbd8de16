"""Spans of traces as the importers read them, and how their cells are read."""

from __future__ import annotations

from collections.abc import Iterator, KeysView, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias

from roi.importers.gathered import MOST_CELLS, Gathered

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


class Tokens(NamedTuple):
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

    __slots__ = ("_done", "_said")

    def __init__(self) -> None:
        # Names, by their identity → them, the rank at which they were gone through, and those that were not said then.
        self._done: dict[int, tuple[tuple[str, ...], Rank, Sequence[int]]] = {}
        self._said: dict[str, tuple[Rank, str]] = {}

    def add(self, name: str, value: Any, rank: Rank) -> None:
        """Note a value; long texts are no keys and are not kept."""
        text = text_of(value)
        at = self._said.get(name)
        if text is not None and len(text) <= _LONGEST_FACT and (at is None or rank < at[0]):
            self._said[name] = (rank, text)

    def add_all(self, names: tuple[str, ...], values: Sequence[Any], rank: Rank) -> None:
        """Note values of one rank; long texts are no keys and are not kept.

        Spans of a trace mostly say the same things: what was said under these very names, no farther from the trace, is
        not gone through again.
        """
        said = self._said
        left: Sequence[int] = range(len(names))
        done = self._done.get(id(names))
        if done is not None and done[0] is names and done[1] <= rank:
            left = done[2]
            if not left:
                return
        unsaid = []
        for i in left:
            name, value = names[i], values[i]
            at = said.get(name)
            if at is None or rank < at[0]:
                # Most are long or blank: no text is made of these.
                text = None
                if value is not None and (
                    type(value) is not str or len(value) <= _LONGEST_FACT or _is_odd(value)
                ):
                    text = text_of(value)
                if text is not None and len(text) <= _LONGEST_FACT:
                    said[name] = (rank, text)
                else:
                    unsaid.append(i)
        if len(unsaid) < len(left) or left is not (done and done[2]):
            self._done[id(names)] = (names, rank, unsaid)

    def get(self, name: str) -> str | None:
        """A value as text."""
        at = self._said.get(name)
        return None if at is None else at[1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._said)

    def __len__(self) -> int:
        return len(self._said)

    def names(self) -> KeysView[str]:
        """What something is said of."""
        return self._said.keys()

    def texts(self) -> dict[str, str | None]:
        """All values as texts, by name."""
        return {name: said[1] for name, said in self._said.items()}

    def pack(self) -> dict[str, tuple[Rank, str]]:
        """It as plain values."""
        return self._said

    @classmethod
    def unpack(cls, packed: dict[str, tuple[Rank, str]]) -> Facts:
        """It from what `pack` gave."""
        facts = cls()
        facts._said = packed
        return facts

    def join(self, later: Facts) -> None:
        """Add what was said later."""
        for name, (rank, text) in later._said.items():
            at = self._said.get(name)
            if at is None or rank < at[0]:
                self._said[name] = (rank, text)


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

    def pack(self) -> Any:
        """It as plain values."""
        return (
            self.parent, self.kind, self.name, self.start, self.end,
            None if self.tokens is None else tuple(self.tokens), None if self.cost is None else str(self.cost),
            self.model, self.provider, self.failed, None if self.facts is None else self.facts.pack(), self.batch,
        )  # fmt: skip

    @classmethod
    def unpack(cls, packed: Any) -> Span:
        """It from what `pack` gave."""
        span = cls()
        (
            span.parent, span.kind, span.name, span.start, span.end, tokens, cost,
            span.model, span.provider, span.failed, facts, span.batch,
        ) = packed  # fmt: skip
        span.tokens = None if tokens is None else Tokens(*tokens)
        span.cost = None if cost is None else Decimal(cost)
        span.facts = None if facts is None else Facts.unpack(facts)
        return span


class Trace:
    """A trace as its spans come in, in any order.

    Attributes:
        first: Its number in the order in which traces are first mentioned.
        facts: What is said of it.
        spans: By name.
        began: When, in microseconds since 1970, as it says of itself.
        total_tokens: That it states of itself.
        total_cost: Likewise, in USD.
        repeated: Spans that came more than once.
    """

    __slots__ = (
        "acts",
        "began",
        "facts",
        "first",
        "repeated",
        "spans",
        "total_cost",
        "total_tokens",
        "unnamed",
    )

    def __init__(self, first: int = 0) -> None:
        self.first = first
        self.facts = Facts()
        self.spans: dict[str, Span] = {}
        self.unnamed: set[str] = set()
        self.acts = 0
        self.began: int | None = None
        self.total_tokens: int | None = None
        self.total_cost: Decimal | None = None
        self.repeated = 0

    def add(self, span_id: str | None, span: Span) -> bool:
        """Add a span; one that comes twice counts once, with what it logs. Whether it is the one that stands."""
        name = span_id or f"#{len(self.spans)}"
        if not span_id:
            self.unnamed.add(name)
        at = self.spans.get(name)
        if at is not None:
            self.repeated += 1
            if at.logs or not span.logs:
                return False
        self.spans[name] = span
        self.acts += span.facts is not None
        return True

    def weight(self) -> int:
        """About how many cells it holds."""
        return 8 + 3 * len(self.facts) + 10 * len(self.spans) + 40 * self.acts

    def pack(self) -> Any:
        """It as plain values."""
        spans = [(None if k in self.unnamed else k, s.pack()) for k, s in self.spans.items()]
        cost = None if self.total_cost is None else str(self.total_cost)
        return self.facts.pack(), spans, self.began, self.total_tokens, cost, self.repeated

    @classmethod
    def unpack(cls, first: int, packed: Any) -> Trace:
        """It from what `pack` gave."""
        trace = cls(first)
        facts, spans, trace.began, trace.total_tokens, cost, trace.repeated = packed
        trace.facts = Facts.unpack(facts)
        trace.total_cost = None if cost is None else Decimal(cost)
        for name, span in spans:
            trace.add(name, Span.unpack(span))
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
        trace = self.held.get(identifier)
        if trace is None:
            trace = self.of(identifier)
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
        return value if 0 <= value < 1 << 50 else None
    if value is None or isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = int(value) if not isinstance(value, float) else int(value) if value == int(value) else -1
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < 1 << 50 else None


def amount(value: Any) -> Decimal | None:
    """An amount of money, exactly as it is written; None where it is none."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 1_000_000_000 else None


def _is_odd(text: str) -> bool:
    """Whether a long text may become a short one."""
    return text[:1].isspace() or text[-1:].isspace() or "\x00" in text


def text_of(value: Any) -> str | None:
    """A value as a cell; lists are joined by `;`, nested ones and blanks are none."""
    if type(value) is str:
        text = value.strip()
        if text.isprintable():
            return text or None
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
