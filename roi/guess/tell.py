"""What was guessed, on the terminal: each guess with examples and how sure it is, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from roi.guess.guess import FILL_IN, Guess
from roi.guess.labels import labels_needed
from roi.guess.show import examples, masked, plain
from roi.guess.write import Draft, blank_text
from roi.schema.tables import TABLE_COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console, RenderableType
    from rich.text import Text

__all__ = ["tell_guesses", "tell_labels", "tell_next"]

_MOST_VALUES = 8
_MARKS = {"sure": ("✓", "green"), "check": ("?", "yellow"), "fill": ("✎", "red")}


def tell_guesses(draft: Draft, console: Console) -> None:
    """Print what every column was taken for."""
    for part in _guesses(draft):
        console.print(part)


def _guesses(draft: Draft) -> Iterable[RenderableType]:
    from rich.text import Text

    cases = draft.cases
    yield Text(f"{cases.label}: {cases.rows:,} rows, {len(cases.columns)} columns", style="bold")
    for warning in cases.warnings:
        yield Text(f"  {warning}", style="dim")
    order = [c for c in TABLE_COLUMNS["cases"] if c in draft.guesses.columns or c in ("case_id", "arm")]
    rows = [(name, draft.guesses.columns.get(name)) for name in order]
    yield _table(rows)
    for _, guess in rows:
        if guess is not None and (told := blank_text(guess, cases, draft.guesses.columns.get("arm"))):
            yield Text(f"? {told}: zero, or not timed? Only you know.", style="yellow")
    for join in draft.joins:
        yield Text(f"\n{join.table.label}: {join.table.rows:,} rows, joined", style="bold")
        for warning in join.table.warnings:
            yield Text(f"  {warning}", style="dim")
        key = Guess(column="case_id", sources=(join.key,), doubts=join.key_doubts) if join.key else None
        yield _table([("case_id", key), *join.columns.items()])
        if join.key_about:
            yield Text(f"  {join.key_about}", style="dim")
    for name, (_, why) in sorted(draft.left_out.items()):
        yield Text(f"{name} is left out, {why}", style="yellow")
    for note in draft.notes:
        yield Text(note, style="yellow")
    if draft.guesses.unused:
        yield Text("Not used: " + ", ".join(plain(c.name.text) for c in draft.guesses.unused), style="dim")


def _table(rows: Sequence[tuple[str, Guess | None]]) -> RenderableType:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    table.add_column("")
    table.add_column("ours", style="bold", no_wrap=True)
    table.add_column("theirs", overflow="fold")
    table.add_column("what stands there", overflow="fold")
    for name, guess in rows:
        mark, style = _MARKS[_state(guess)]
        if guess is None:
            table.add_row(Text(mark, style=style), name, "", Text("not found; only you know", style=style))
            continue
        between = " to " if guess.between else " + "
        theirs = Text(between.join(plain(c.name.text) for c in guess.sources))
        if guess.constant is not None:
            theirs = Text(f"always {guess.constant}", style="dim")
        if guess.unit is not None:
            theirs.append(f", {guess.unit}", style="cyan")
        table.add_row(Text(mark, style=style), name, theirs, _content(guess, style))
    return table


def _content(guess: Guess, style: str) -> Text:
    """Values with what they become, or examples; then the doubts."""
    from rich.text import Text

    told = Text()
    counts = guess.sources[0].values if len(guess.sources) == 1 else {}
    if guess.values:
        for their, n in list(counts.items())[:_MOST_VALUES]:
            told.append("\n" if told else "").append(f"{masked(their, guess.column)} ({n:,}) → ")
            ours = guess.values.get(their, their.lower())
            told.append(
                "?" if ours == FILL_IN else ours or "missing", style="red" if ours == FILL_IN else "cyan"
            )
        if len(counts) > _MOST_VALUES:
            told.append(f"\n… and {len(counts) - _MOST_VALUES} more", style="dim")
    else:
        told.append(examples(guess.sources, guess.column, between=guess.between), style="dim")
    for doubt in guess.doubts:
        told.append("\n" if told else "").append(doubt, style=style)
    return told


def _state(guess: Guess | None) -> str:
    if guess is None or FILL_IN in guess.values.values():
        return "fill"
    return "sure" if guess.sure else "check"


def tell_labels(draft: Draft, limit: float, console: Console) -> None:
    """Print how many labelled cases the limit of severe errors will need."""
    from rich.text import Text

    worker = draft.guesses.columns.get("worker")
    workers = draft.cases.keys(worker.sources) if worker is not None and worker.sources else None
    clean, one, two = labels_needed(limit, workers=workers)
    text = Text("\nBefore more is collected: ", style="bold")
    text.append(
        f"to show that severe errors stay below {limit:.2%} needs {clean.independent:,} labelled cases of the pilot "
        f"without one; with one {one.independent:,}, with two {two.independent:,} (one-sided 95 %).",
        style="not bold",
    )
    if workers and clean.with_workers is not None:
        text.append(
            f" From {workers:,} people, whose cases resemble each other, {clean.with_workers:,}.",
            style="not bold",
        )
    elif workers:
        text.append(
            f" From {workers:,} people, whose cases may resemble each other, no number is enough at the assumed "
            "correlation of 0.1: label cases of more people.",
            style="not bold",
        )
    console.print(text)


def tell_next(draft: Draft, target: Path, text: str, console: Console) -> None:
    """Print what is left to do, and the next two commands."""
    from rich.text import Text

    lines = text.splitlines()
    waiting = [i for i, line in enumerate(lines, 1) if FILL_IN in line.split("#", 1)[0]]
    checks = [i for i, line in enumerate(lines, 1) if "CHECK: " in line and not line.startswith("#   CHECK")]
    said = Text(f"\n{target.as_posix()} is written.", style="bold green")
    if waiting:
        said.append(
            f" To fill in: {'line' if len(waiting) == 1 else 'lines'} {_listed(waiting)}.",
            style="not bold red",
        )
    if checks:
        said.append(
            f" To look at: {'line' if len(checks) == 1 else 'lines'} {_listed(checks)}.",
            style="not bold yellow",
        )
    console.print(said)
    console.print(Text("Then type:", style="bold"))
    console.print(Text(f"  roi check {draft.pilot}\n  roi decide {draft.pilot}"))


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
