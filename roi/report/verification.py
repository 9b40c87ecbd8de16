"""What was found of a record, on the terminal: a line for each thing that it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi import words
from roi.replay import Verification

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["print_verification"]

STYLES = {"held": "green", "gone": "yellow", "unknown": "yellow", "changed": "yellow"}


def print_verification(found: Verification, console: Console | None = None) -> None:
    """Print a verification for people.

    Args:
        found: What was found.
        console: Where to; standard output unless given.
    """
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    to = console or Console()
    record = found.record
    head = f"{words.verdict_word(record)}, as of {words.day(record.get('as_of'), unknown='an unknown day')}"
    to.print(Text(f"{words.shorten(record.get('pilot'), 80)}: {head}", style="bold"))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for _ in range(3):
        table.add_column(overflow="fold")
    for check in found.checks:
        style = "red" if check.is_bad else STYLES.get(check.state, "yellow")
        table.add_row(Text(check.state, style=style), check.what, Text(words.shorten(check.says, 2000)))
    to.print(table)
    for mend in dict.fromkeys(check.mend for check in found.checks if check.is_bad and check.mend):
        to.print(Padding(Text(f"To mend it: {mend}."), (0, 0, 0, 0)))
    said = "The record holds." if found.holds else "The record does not hold."
    to.print(Text(said, style="bold green" if found.holds else "bold red"))
