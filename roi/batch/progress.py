"""What a batch shows while it runs: a table that lives on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING, Any

from roi.batch.outcome import WORDS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["Progress"]

MARKS = {
    "waiting": "·",
    "running": "›",
    "done": "✓",
    "kept": "=",
    "failed": "✗",
    "inputs": "!",
    "stopped": "–",
}
STYLES = {
    "waiting": "dim", "running": "cyan", "done": "green", "kept": "green", "failed": "red", "inputs": "yellow",
    "stopped": "dim",
}  # fmt: skip
RUN = ("done", "failed")  # how those ended that took their time


def time_left(seconds: float, done: float, left: float) -> str:
    """How long it will take yet, for a reader; empty where nothing tells.

    Args:
        seconds: That it took so far.
        done: Parts that are done.
        left: Parts that are left.
    """
    if done <= 0 or left <= 0:
        return ""
    more = seconds / done * left
    return f"about {more:.0f} s left" if more < 90 else f"about {more / 60:.0f} min left"


class Progress:
    """The state of each pilot with its seconds.

    Args:
        pilots: Their names, in order.
        console: Where to show it; standard error unless given.
        parts: Notebooks of each, by which what is left is told.
    """

    def __init__(self, pilots: list[str], console: Console | None = None, parts: int = 1) -> None:
        from rich.console import Console

        self._console = console or Console(stderr=True)
        self._state: dict[str, tuple[str, str]] = dict.fromkeys(pilots, ("waiting", ""))
        self._began: dict[str, float] = {}
        self._took: dict[str, float] = {}
        self._live: Any = None
        self._parts, self._at = max(parts, 1), dict[str, int]()
        self._since: float | None = None
        self._ended: list[str] = []
        self._is_over = False

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            from rich.live import Live

            self._live = Live(get_renderable=self._table, console=self._console, refresh_per_second=4)
            self._live.__enter__()
        return self

    def __exit__(self, *error: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._is_over = True
        if self._live is not None:
            self._live.__exit__(*error)

    def start(self, pilot: str) -> None:
        """A pilot begins."""
        self._began[pilot] = time.monotonic()
        self._since = self._since or time.monotonic()
        self._set(pilot, "running", "starting")

    def doing(self, pilot: str, what: str) -> None:
        """What a pilot is at: the next of its notebooks."""
        self._at[pilot] = self._at.get(pilot, -1) + 1
        self._set(pilot, "running", what, quiet=True)

    def end(self, pilot: str, state: str, says: str) -> None:
        """A pilot is through: done, failed, or its inputs need mending."""
        self._ended.append(pilot)
        if pilot in self._began:
            self._took[pilot] = time.monotonic() - self._began[pilot]
        self._set(pilot, state, says)

    def note(self, text: str) -> None:
        """Something to know that is of no pilot."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _set(self, pilot: str, state: str, says: str, *, quiet: bool = False) -> None:
        self._state[pilot] = (state, says)
        if self._live is None and not quiet:
            seconds = f" {self._took[pilot]:.1f} s" if pilot in self._took else ""
            left = self.left() if state in RUN else ""
            text = f"{MARKS[state]} {pilot}: {says}{seconds}{left and f' ({left})'}"
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def left(self) -> str:
        """Pilots that are through, of how many, and how long the others will take; empty when all are."""
        run = [pilot for pilot, (state, _) in self._state.items() if state in RUN]
        others = [pilot for pilot, (state, _) in self._state.items() if state in ("waiting", "running")]
        if not others:
            return ""
        begun = sum(min(self._at.get(pilot, 0), self._parts) for pilot in others)
        took = time.monotonic() - self._since if self._since is not None else 0.0
        done = len(run) * self._parts + begun
        said = time_left(took, done, len(others) * self._parts - begun)
        return f"{len(self._state) - len(others)} of {len(self._state)}{said and ', ' + said}"

    def _shown(self) -> list[str]:
        """The pilots for which there is room: what runs and what went wrong first, and what ended last."""
        room = self._console.height - 2
        if self._is_over or len(self._state) <= room:
            return list(self._state)
        ranks = ("running", "failed", "inputs", "done", "stopped", "kept", "waiting")
        last = {pilot: n for n, pilot in enumerate(self._ended)}
        first = sorted(self._state, key=lambda p: (ranks.index(self._state[p][0]), -last.get(p, 0)))
        kept = set(first[: max(room - 1, 1)])
        return [pilot for pilot in self._state if pilot in kept]

    def _table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        pilots = self._shown()
        is_part = len(pilots) < len(self._state)
        table = Table(box=None, show_header=False, padding=(0, 1))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        # A line each, where there is no room for all of them.
        table.add_column(overflow="ellipsis" if is_part else "fold", no_wrap=is_part, ratio=1)
        now = time.monotonic()
        for pilot in pilots:
            state, says = self._state[pilot]
            says = says.partition("\n")[0] if is_part else says
            took = self._took.get(pilot, now - self._began[pilot] if pilot in self._began else None)
            seconds = "" if took is None else f"{took:.1f} s"
            table.add_row(Text(MARKS[state], STYLES[state]), Text(pilot), seconds, Text(says, STYLES[state]))
        if is_part:
            others = Counter(self._state[pilot][0] for pilot in self._state.keys() - set(pilots))
            words = ", ".join(f"{n} {WORDS.get(state, state)}" for state, n in sorted(others.items()))
            table.add_row("", "", "", Text(f"and {words}", "dim"))
        if (left := self.left()) and not self._is_over:
            table.add_row("", "", "", Text(left, "dim"))
        return table
