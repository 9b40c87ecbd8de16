"""What traces say that they add up to, against what their spans give."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from roi.importers.charges import Charge
from roi.importers.compared import money
from roi.importers.export import Contradiction
from roi.importers.spans import Trace
from roi.prices import CURRENCY

__all__ = ["Totals"]

_ROUNDED = Decimal("0.000001")
_LISTED = Decimal("0.05")  # list prices may differ from the ones that a source takes by that much


class Totals:
    """Sums of tokens and of costs that traces state of themselves, over the traces that differ from their calls."""

    def __init__(self) -> None:
        self._tokens, self._token_traces = [0, 0], 0
        self._costs, self._cost_traces = [Decimal(0), Decimal(0)], 0

    def add(self, trace: Trace, charges: Sequence[Charge], cost: Decimal | None) -> None:
        """Hold a trace's own sums against its calls; 0 and nothing state nothing.

        Args:
            trace: The trace.
            charges: Its calls that count.
            cost: In USD, of these; where it is not known nothing is held against it.
        """
        if not charges:
            return  # there is nothing to hold it against
        if trace.total_tokens:
            summed = sum(c.span.tokens.weight for c in charges if c.span.tokens is not None)
            if summed != trace.total_tokens:
                self._tokens = [self._tokens[0] + trace.total_tokens, self._tokens[1] + summed]
                self._token_traces += 1
        stated = trace.total_cost
        if stated and cost is not None:
            logged = all(c.cost is not None for c in charges)
            if abs(stated - cost) > max(stated, cost) * (_ROUNDED if logged else _LISTED):
                self._costs = [self._costs[0] + stated, self._costs[1] + cost]
                self._cost_traces += 1

    def result(self) -> tuple[Contradiction, ...]:
        """One contradiction a quantity, with both sums over the traces that differ."""
        found = []
        if n := self._token_traces:
            theirs, ours = self._tokens
            found.append(Contradiction(_what("tokens", n), f"{theirs:,}", f"{ours:,}", "the calls stand"))
        if n := self._cost_traces:
            said, summed = (f"{CURRENCY} {money(c)}" for c in self._costs)
            found.append(Contradiction(_what("costs", n), said, summed, "the calls stand"))
        return tuple(found)


def _what(what: str, n: int) -> str:
    return f"{what} that a trace sums up ({n:,} trace{'s' if n > 1 else ''})"
