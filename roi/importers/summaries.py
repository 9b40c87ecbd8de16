"""What traces say that they add up to, against what their spans give."""

from __future__ import annotations

from roi.importers.charges import charges_of
from roi.importers.export import Contradiction
from roi.importers.spans import Traces

__all__ = ["Totals"]


class Totals:
    """Sums of tokens that traces state of themselves."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.stated: dict[str, int] = {}

    def add(self, trace_id: str, total: int | None) -> None:
        """Note what a trace states; 0 and nothing state nothing."""
        if total:
            self.stated[trace_id] = total

    def against(self, found: Traces) -> tuple[Contradiction, ...]:
        """One contradiction where traces differ from the sum of their calls, with both sums over these traces."""
        theirs = ours = n = 0
        for trace_id, stated in self.stated.items():
            charges = charges_of(found.trace(trace_id))
            summed = sum(c.span.tokens.weight for c in charges if c.span.tokens is not None)
            if summed != stated:
                theirs, ours, n = theirs + stated, ours + summed, n + 1
        if not n:
            return ()
        of = f"{self.what} ({n:,} trace{'s' if n > 1 else ''})"
        return (Contradiction(of, f"{theirs:,}", f"{ours:,}", "the calls stand"),)
