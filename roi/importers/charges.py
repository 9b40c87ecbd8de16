"""Which spans of a trace count, and what they cost together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from roi.importers.spans import Span, Tokens, Trace
from roi.prices import OwnPrices, Pricer, TokenUse

__all__ = ["Bills", "Charge", "charges_of", "has_silent_calls", "model_of", "use_of"]

_ZERO_LOGGED = "a cost of 0 is logged beside tokens"
_BELOW_ZERO = "a cost below 0 is logged"
_NOT_LOGGED = "its model calls log neither tokens nor cost"
_HALF_LOGGED = "one of its model calls logs neither tokens nor cost"
_NO_TOKENS = Tokens(None, None, None, None)
_DAY = 86_400_000_000  # microseconds
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(slots=True)
class Charge:
    """A span that counts.

    Attributes:
        span: It.
        cost: In USD, as logged by it or by the span around it.
        settled: Whether a cost of 0 is right because another charge holds it.
    """

    span: Span
    cost: Decimal | None
    settled: bool = False


def has_silent_calls(trace: Trace) -> bool:
    """Whether a model call that did not fail logs nothing, and neither does anything in it, or around it for it."""
    spans = trace.spans
    silent = [
        name
        for name, s in spans.items()
        if s.kind == "call" and s.tokens is None and not s.cost and not s.failed
    ]
    if not silent:
        return False
    heard = set[str]()  # of what lies in them; what runs below a tool is other work
    for span in spans.values():
        if span.logs:
            while span.kind != "tool" and (above := span.parent) in spans and above not in heard:
                heard.add(above)
                span = spans[above]
    return any(name not in heard and not _is_told_above(name, spans) for name in silent)


def _is_told_above(name: str, spans: Mapping[str, Span]) -> bool:
    """Whether a span that a span lies in logs what all in it used."""
    passed, below_a_tool = {name}, False
    above = spans[name].parent
    while above not in passed and (outer := spans.get(above or "")) is not None:
        says = outer.cost or (outer.tokens is not None and outer.tokens.weight)
        if says and not (below_a_tool and outer.kind == "call"):
            return True
        below_a_tool = below_a_tool or outer.kind == "tool"
        passed.add(str(above))
        above = outer.parent
    return False


def charges_of(trace: Trace) -> list[Charge]:
    """The spans whose tokens and costs count, each use of tokens once."""
    if (plain := _plain(trace.spans)) is not None:
        return plain
    direct: dict[str, list[Charge]] = {}
    below: dict[str, list[Charge]] = {}
    done: set[str | None] = set()
    for name in _inner_first(trace.spans):
        span = trace.spans[name]
        done.add(name)
        inner, apart = direct.pop(name, []), below.pop(name, [])
        if span.kind == "tool":
            inner, apart = [], _larger(span, [*inner, *apart])
        elif span.kind == "call":
            inner = _larger(span, inner)
        elif span.logs:
            kept = _larger(span, [*inner, *apart])
            if kept and kept[0].span is span:
                inner, apart = kept, []
        home = (
            ""
            if span.parent is None or span.parent not in trace.spans or span.parent in done
            else span.parent
        )
        direct.setdefault(home, []).extend(inner)
        below.setdefault(home, []).extend(apart)
    return [*direct.get("", []), *below.get("", [])]


def _plain(spans: Mapping[str, Span]) -> list[Charge] | None:
    """The same where all that logs are calls inside one span, and nothing is inside these; None elsewhere."""
    logging = [(name, span) for name, span in spans.items() if span.tokens is not None or span.cost]
    if not logging:
        return []
    home = logging[0][1].parent
    outer = {span.parent for span in spans.values()}
    for name, span in logging:
        if span.parent != home or span.kind == "tool" or name in outer:
            return None
    above = 0
    while home is not None and home in spans:
        home, above = spans[home].parent, above + 1
        if above > len(spans):
            return None  # a ring, which is cut at its first span
    return [Charge(span, span.cost) for _, span in reversed(logging)]


def _inner_first(spans: Mapping[str, Span]) -> list[str]:
    """Names of spans, each before the one that it lies in; a ring of parents is cut at its first span."""
    children: dict[str, list[str]] = {}
    for name, span in spans.items():
        if span.parent in spans and span.parent != name:
            children.setdefault(str(span.parent), []).append(name)
    inner = {child for listed in children.values() for child in listed}
    seen: dict[str, None] = {}
    for start in [*(n for n in spans if n not in inner), *spans]:
        todo = [start] if start not in seen else []
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen[name] = None
            todo += reversed(children.get(name, []))
    return list(reversed(seen))


def _larger(span: Span, inner: list[Charge]) -> list[Charge]:
    if not span.logs:
        return inner
    own = Charge(span, span.cost)
    if not inner:
        return [own]
    weight = sum(c.span.tokens.weight for c in inner if c.span.tokens)
    mine = span.tokens.weight if span.tokens else 0
    spent = sum((c.cost for c in inner if c.cost is not None), Decimal(0))
    if weight and mine:
        inside = weight >= mine
    elif spent and span.cost:
        inside = spent >= span.cost
    else:
        inside = bool(weight or spent) or not mine
    if not inside:
        return [own]
    if span.cost and not any(c.cost is not None for c in inner):
        # Only the span around them knows what they cost together.
        inner[0].cost = span.cost
        for other in inner[1:]:
            other.cost, other.settled = Decimal(0), True
    return inner


def use_of(span: Span) -> TokenUse:
    t = span.tokens or _NO_TOKENS
    day = None if span.start is None else _day(span.start // _DAY)
    return TokenUse(
        span.provider,
        model_of(span.model),
        day,
        t.input,
        t.cache_read,
        t.cache_write,
        t.output,
        t.cache_write_1h,
        (),
        span.batch,
    )


@lru_cache(maxsize=1024)
def _day(days: int) -> dt.date:
    return (_EPOCH + dt.timedelta(days=days)).date()


def model_of(name: str | None) -> str | None:
    """A model's own name: some clouds put their project before it."""
    return name.rsplit("models/", 1)[-1] if name else None


class Bills:
    """What traces cost, one after another."""

    def __init__(self, own: OwnPrices | None = None) -> None:
        """Begin.

        Args:
            own: Prices of one's own, by model.
        """
        self._own = own or {}
        self._pricer = Pricer(own)

    def listed(self, charges: Sequence[Charge]) -> list[Decimal | str | None]:
        """Of each charge the cost of its tokens at list prices, or why that is not known; None without tokens."""
        return [None if c.span.tokens is None else self._pricer.price(use_of(c.span)) for c in charges]

    def cost(
        self, charges: Sequence[Charge], listed: Sequence[Decimal | str | None], *, silent: bool
    ) -> tuple[Decimal | None, str | None]:
        """The cost of a trace, or None and why it is not known: half a bill is no bill.

        A logged cost of 0 beside tokens is unknown, unless the model has a price of one's own.

        Args:
            charges: What counts of it.
            listed: Their costs at list prices (see `listed`).
            silent: Whether it has silent calls.
        """
        if silent:
            return None, _HALF_LOGGED if charges else _NOT_LOGGED
        if not charges:
            return Decimal(0), None
        total = Decimal(0)
        for charge, price in zip(charges, listed, strict=True):
            cost, tokens = charge.cost, charge.span.tokens
            if self._own and not cost and not charge.settled and model_of(charge.span.model) in self._own:
                cost = None
            if cost is None and price is not None:
                if isinstance(price, str):
                    return None, price
                total += price
            elif cost is not None and cost < 0:
                return None, _BELOW_ZERO
            elif not cost and tokens is not None and tokens.weight and not charge.settled:
                return None, _ZERO_LOGGED
            else:
                total += cost or 0
        return total.quantize(Decimal("0.000000001"), rounding=ROUND_HALF_EVEN), None
