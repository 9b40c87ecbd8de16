"""Two pilots, or two versions of one agent, side by side on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from roi import units, words

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["print_comparison"]


def print_comparison(found: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a comparison for people.

    Args:
        found: As `roi.compare.compared` makes it.
        console: Where to; standard output unless given.
    """
    from rich.console import Console

    to = console or Console()
    for part in _parts(found):
        to.print(part)


def _parts(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    a, b = found["a"], found["b"]
    for letter, side in (("A", a), ("B", b)):
        line = Text(f"{letter}  ", style="bold")
        line.append(f"{words.shorten(side['name'], 60)}: {side['verdict'].upper()} – ", style="bold")
        line.append(words.shorten(side["headline"], 120))
        counts = side["cases"]
        line.append(
            f" ({words.count(counts['baseline'])} cases as before, {words.count(counts['pilot'])} with the agent)"
        )
        yield line
    yield Text("")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("", "A", "B", "B minus A", "9 in 10", "B better in"):
        table.add_column(name, justify="left" if not name else "right", overflow="fold")
    for row in found["quantities"]:
        say = partial(units.figure, unit=row["unit"])
        gap = row["difference"]
        seen = row.get("seen") or [None, None]
        if all(s is not None and s["hits"] == 0 for s in seen):
            # Two shares of which nothing was seen differ by what was assumed alone.
            cells = [f"none in {words.count(s['n'])}" for s in seen if s is not None]
            table.add_row(Text(row["label"]), *cells, Text("not told", style="dim"), "", "")
            continue
        table.add_row(
            Text(row["label"]),
            Text(_side(say, row, 0)),
            Text(_side(say, row, 1)),
            Text(say(gap["mean"]), style="bold"),
            Text(units.span(gap["p05"], gap["p95"], row["unit"], gap["mean"], bare=True)),
            Text(f"{row['b_better_in_100']:.0f} of 100", style="bold"),
        )
    yield table
    yield Text("")
    if found["shared"]:
        shown = [words.shorten(x, 40) for x in found["shared"][:8]]
        more = len(found["shared"]) - len(shown)
        yield Text(
            f"Common to both: {words.and_list([*shown, f'{more} more'] if more else shown)}.", style="dim"
        )
    for note in found["notes"]:
        yield Text(words.shorten(note, 400), style="dim")


def _side(say: Callable[[float], str], row: Mapping[str, Any], place: int) -> str:
    """A side's mean; of what is rare how many were seen, too."""
    seen = (row.get("seen") or [None, None])[place]
    mean = say(row["ab"[place]]["mean"])
    if seen is None:
        return mean
    return f"{mean} ({'none' if seen['hits'] == 0 else seen['hits']} in {words.count(seen['n'])})"
