"""What moved between two records, on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from roi import units, words
from roi.report import facts

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

__all__ = ["print_difference"]

KINDS = {
    "data": "Data",
    "assumption": "Assumption",
    "setting": "Setting",
    "policy": "Policy",
    "method": "Method",
    "seed": "Draws",
}
MOST = 30


def print_difference(found: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a comparison for people.

    Args:
        found: As `roi.diff.compare` makes it, with `effects` where they were recomputed.
        console: Where to; standard output unless given.
    """
    from rich.console import Console

    to = console or Console()
    for part in _parts(found):
        to.print(part)


def _parts(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    from rich.text import Text

    yield Text(words.shorten(found["since"], 900), style="bold")
    yield Text("")
    if found["changes"] or found["months"]:
        yield _went_in(found)
    if found["quantities"] or found["gates"]:
        yield _came_out(found)
    if found.get("effects"):
        yield from _effects(found)
    for note in found.get("not_attributed") or []:
        yield Text(words.shorten(note, 400), style="dim")


def _table(title: str, *columns: tuple[str, str]) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", title=title, title_justify="left")
    table.title_style = "bold"
    for name, justify in columns:
        table.add_column(name, justify="right" if justify == "right" else "left", overflow="fold")
    return table


def _went_in(found: Mapping[str, Any]) -> Table:
    from rich.text import Text

    table = _table("What went in", ("", "left"), ("What", "left"), ("Before", "left"), ("Now", "left"))
    for month in list(dict.fromkeys(row["month"] for row in found["months"]))[:MOST]:
        rows = [row for row in found["months"] if row["month"] == month]
        said = (
            Text(", ".join(f"{words.count(row[key])} {words.shorten(row['arm'], 20)}" for row in rows))
            for key in ("old", "new")
        )
        table.add_row("Cases", Text(words.month_of(month)), *said)
    for change in found["changes"][:MOST]:
        old, new = (_value(change, key) for key in ("old", "new"))
        table.add_row(KINDS[change["kind"]], Text(words.shorten(change["what"], 70)), Text(old), Text(new))
    more = max(len(found["months"]) - MOST, 0) + max(len(found["changes"]) - MOST, 0)
    if more:
        table.add_row("", f"and {more} more (--json lists them all)", "", "")
    table.add_row("")
    return table


def _value(change: Mapping[str, Any], key: str) -> str:
    value = change[key]
    if value is None:
        return "–"
    # Of a file, the first signs of its fingerprint are enough to tell two apart.
    return str(value)[:12] if change["kind"] == "data" else words.shorten(value, 60)


def _came_out(found: Mapping[str, Any]) -> Table:
    from rich.text import Text

    table = _table("What came out", ("", "left"), ("Before", "right"), ("Now", "right"))
    for row in found["quantities"][:MOST]:
        label = Text(words.shorten(row["label"], 60))
        table.add_row(label, *(units.quantity(row[key], row["unit"]) for key in ("old", "new")))
    for gate in found["gates"]:
        states = (facts.gate_word(gate[key]) if gate[key] else "–" for key in ("old", "new"))
        table.add_row(Text(words.shorten(gate["label"], 60)), *states)
    table.add_row("")
    return table


def _effects(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    from rich.text import Text

    currency = str(found.get("currency") or "")
    table = _table(
        "What each change did to scaling everything",
        ("", "left"),
        ("Worth", "right"),
        ("Chance it pays", "right"),
        ("Verdict", "left"),
    )
    steps = list(found["steps"])
    first, last = steps[0], steps[-1]
    _step(table, first, currency)
    for row in found["effects"]:
        label = Text(f"  {words.shorten(row['what'], 70)}")
        table.add_row(label, words.signed_amount(row["worth"], currency), _points(row["chance"]), "")
        if row is found["effects"][0]:
            for step in steps[1:-1]:
                _step(table, step, currency)
    _step(table, last, currency)
    table.add_row("")
    yield table
    if len(found["effects"]) > 2:
        how = (
            "Shares are means over every order of the changes (Shapley values) and add up to the whole."
            if found["order_free"]
            else "Shares are means over orders of the changes drawn by a fixed seed, and add up to the whole."
        )
        yield Text(how, style="dim")


def _step(table: Table, step: Mapping[str, Any], currency: str) -> None:
    from rich.text import Text

    verdict = Text(words.verdict_word(step))
    worth = words.amount(step["worth"], currency)
    table.add_row(Text(words.capital(step["what"])), worth, words.percent(step["chance"]), verdict)


def _points(chance: float) -> str:
    points = round(100 * chance)
    sign = "+" if points > 0 else "−" if points < 0 else "±"
    return f"{sign}{abs(points)} points"
