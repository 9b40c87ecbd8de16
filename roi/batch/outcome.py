"""How a pilot's run ended, and how a batch did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["WORDS", "BatchResult", "Outcome"]

STOPPED = 130  # as a shell says of what Ctrl-C ended
WORDS = {"kept": "unchanged", "inputs": "to mend"}
"""How states are called that have other names in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a pilot's run ended.

    Attributes:
        pilot: Its name.
        state: "done", "kept" (it is made from nothing that has changed), "failed", "inputs" (they need mending) or
            "stopped".
        why: What went wrong; empty when it is done or kept.
        record: Its record; None unless it is done or kept.
        seconds: How long it took.
    """

    pilot: str
    state: str
    why: str = ""
    record: Mapping[str, Any] | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class BatchResult:
    """How a batch ended, pilot by pilot.

    Attributes:
        outcomes: Of the pilots.
        faults: What went wrong with what is said of all of them together.
    """

    outcomes: tuple[Outcome, ...]
    faults: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 all done, 1 a pilot failed, 2 inputs need mending and nothing else went wrong, 130 it was stopped."""
        states = {outcome.state for outcome in self.outcomes}
        if "stopped" in states:
            return STOPPED
        return 1 if "failed" in states or self.faults else 2 if "inputs" in states else 0

    @property
    def counted(self) -> str:
        """How many pilots ended in which way, in a line that a log can be searched for."""
        states = Counter(WORDS.get(outcome.state, outcome.state) for outcome in self.outcomes)
        some = ", ".join(f"{n} {state}" for state, n in sorted(states.items()))
        return f"{len(self.outcomes)} {'pilot' if len(self.outcomes) == 1 else 'pilots'}: {some}"
