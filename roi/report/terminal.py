"""A record on the terminal: the same words as the report's first screen, in 80 columns, colour or not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from textwrap import fill
from typing import TYPE_CHECKING, Any

from roi import words
from roi.report import facts
from roi.report.turned_down import turned_down
from roi.signing import standing

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment
    from rich.table import Table

__all__ = ["print_record"]

STYLES = {"kill": "red", "fix": "yellow", "scale": "green"}
MARKS = {"kill": "■", "fix": "◆", "scale": "●"}
TIE = "\ue000"  # of private use: as wide as a blank, and none
# What is read as one: an amount with its currency and unit, both ends of a range, "3 of 10", a day.
_NUMBER = r"[\u2212-]?\d[\d.,]*(?:[ \u00a0](?:%|million|billion)(?!\w))?"
_MONTH = "|".join(f"{month[:3]}(?:{month[3:]})?" for month in words.MONTHS)
FIGURES = re.compile(
    rf"\b\d{{1,2}} (?:{_MONTH}) \d{{4}}\b|(?:\b[A-Z]{{3}}[ \u00a0])?{_NUMBER}(?: (?:to|of) {_NUMBER})?|\u00a0"
)
MOST = 10  # lines to fill in; the report lists them all
GATES = {"shown": ("✓", "green"), "exceeded": ("✗", "red"), "not_shown": ("~", "yellow")}


def print_record(record: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a record for people.

    Args:
        record: The record.
        console: Where to; standard output unless given.
    """
    from rich.console import Console

    to = console or Console()
    for part in _parts(record):
        to.print(_Whole(_tied(part)))


class _Whole:
    """Something to print whose figures stay on one line; their blanks are put in once lines are broken."""

    def __init__(self, part: RenderableType) -> None:
        self.part = part

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[Segment]:
        from rich.segment import Segment

        for found in console.render(self.part, options):
            yield Segment(found.text.replace(TIE, " "), found.style, found.control)


def _tied_text(text: str) -> str:
    return FIGURES.sub(lambda found: re.sub(r"[ \u00a0]", TIE, found[0]), text)


def _tied(part: RenderableType) -> RenderableType:
    """The same with blanks in figures, ranges and "1 of 20" that no line is broken at; rich has none."""
    from rich.padding import Padding
    from rich.panel import Panel
    from rich.text import Text

    if isinstance(part, str):
        return _tied_text(part)
    if isinstance(part, Text):
        part.plain = _tied_text(part.plain)  # as long as before, so that its styles stay where they are
    elif isinstance(part, Panel | Padding):
        part.renderable = _tied(part.renderable)
    return part


def _parts(record: Mapping[str, Any]) -> Iterable[RenderableType]:
    from rich.panel import Panel
    from rich.text import Text

    verdict, currency = str(record.get("verdict")), str(record.get("currency") or "")
    style = STYLES.get(verdict, "bold")
    text = Text()
    signed = standing(record)
    text.append(f"{signed.text}\n", style="bold yellow" if signed.is_draft else "bold")
    mark = facts.first_view_mark(record)
    if mark:
        text.append(f"{mark}\n", style=style)
    text.append(words.shorten(record.get("headline") or "", 140) + "\n", style="bold")
    text.append(words.shorten(record.get("reason") or "", 400) + "\n\n")
    label = "Cost of stopping" if verdict == "kill" else "Asked for"
    text.append(f"{label}: {words.amount(record.get('sum_asked_for'), currency)}", style="bold")
    text.append(f"   Decide by: {words.day(record.get('decide_by'))}")
    if record.get("owner"):
        text.append(f"   {words.shorten(record['owner'], 60)}")
    title = words.shorten(record.get("title") or record.get("pilot"), 50)
    head = f"[bold {style}]{MARKS.get(verdict, '')} {words.verdict_word(record).upper()}[/]"
    yield Panel(
        text, title=Text.from_markup(head) + Text(f"  {title}"), title_align="left", border_style=style
    )
    yield _options(record, currency)
    yield from _next(record, currency)
    if verdict == "kill":
        for group in facts.stops(record):
            line = Text(f"{words.shorten(group['what'], 80)}: ", style="bold")
            yield line + Text("; ".join(words.shorten(item, 160) for item in group["items"]), style="default")
        yield Text("")
    yield _gates(record)
    for fact in facts.facts(record):
        yield Text(f"{fact.label}: ", style="bold") + Text(words.shorten(fact.text, 900), style="not bold")
    for label, said in _precision(record):
        yield Text(f"{label}: ", style="bold") + Text(said, style="not bold")
    yield Text("")
    yield from _fill_in(record, currency)


def _precision(record: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What weighting to production costs, and what a number known before the work gains; a line each, where known."""
    cases: Mapping[str, Any] = (record.get("sample") or {}).get("cases") or {}
    total = sum(words.finite(cases.get(arm)) or 0 for arm in ("baseline", "pilot"))
    effective = words.finite((record.get("mix") or {}).get("effective_n"))
    if effective is not None and total > 0:
        alike = round(effective) >= total
        said = "count alike" if alike else f"say as much as {words.count(round(effective))} would"
        yield "Weighted to the mix", f"{words.plural(total, 'case')} {said}."
    gain = words.finite((record.get("covariate") or {}).get("gain"))
    if gain is not None:
        said = f"take away {words.percent(gain)} of the variance" if gain >= 0.01 else "made it no surer"
        yield "Predicted minutes", f"{said} of the minutes saved." if gain >= 0.01 else f"{said} here."


def _fill_in(record: Mapping[str, Any], currency: str) -> Iterable[RenderableType]:
    """What to fill in next, where this is a first view: it ends with that."""
    from rich.padding import Padding
    from rich.text import Text

    rows = (record.get("first_view") or {}).get("fill_in") or []
    if rows:
        yield Text("What to fill in next, what is worth most first", style="bold")
    for place, row in enumerate(rows[:MOST], start=1):
        first = "everything waits for it" if row.get("rank") == 0 else "not computable"
        worth = words.amount(row.get("worth"), currency, unknown=first)
        shared = " with the other gates" if row.get("shared") else ""
        name = Text(f"{place:>2}. {words.shorten(row.get('what'), 90)}: ")
        yield name + Text(worth, style="bold") + Text(shared, style="not bold dim")
        under = f"{row['under']}: " if row.get("under") else ""
        yield Padding(Text(under, style="dim") + Text(words.shorten(row.get("example"), 120)), (0, 0, 0, 4))
    if len(rows) > MOST:
        yield Text(f"    and {len(rows) - MOST} more, in the record and the report")
    if rows:
        yield Text("")


def _table(*columns: tuple[str, str]) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", expand=False)
    for name, justify in columns:
        right = justify == "right"  # a figure, which stays whole
        table.add_column(name, justify="right" if right else "left", overflow="fold", no_wrap=right)
    return table


def _row(table: Table, *cells: RenderableType) -> None:
    table.add_row(*(_tied(cell) for cell in cells))


def _options(record: Mapping[str, Any], currency: str) -> Table:
    from rich.text import Text

    table = _table(
        ("Option", "left"),
        ("Worth", "right"),
        ("8 in 10 outcomes", "right"),
        ("Pays", "left"),
        ("In cash", "left"),
    )
    for choice in facts.choices(record):
        option = choice.option or {}
        name = Text(words.shorten(choice.label, 40), style="bold" if choice.advised else "")
        if choice.advised:
            name = Text("→ ", style="bold") + name
        if lacks := turned_down(record, choice.option):
            name += Text(f"\n{fill(lacks, 24)}", style="dim")
        if choice.name == "kill":
            _row(table, name, "0", "", "", "")
        elif not option:
            _row(table, name, Text(fill(choice.remark, 20), style="dim"), "", "", "")
        else:
            _row(
                table,
                name,
                words.amount(option.get("mean"), currency),
                words.amount_range(
                    option.get("p10"), option.get("p90"), currency, option.get("mean")
                ).replace(f"{currency}\u00a0", ""),
                words.chance(option.get("chance_above_hurdle")).removeprefix("about "),
                words.chance(option.get("cash_chance")).removeprefix("about "),
            )
    table.add_row("")
    return table


def _next(record: Mapping[str, Any], currency: str) -> Iterable[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    for place, action in enumerate(record.get("next") or [], start=1):
        yield Text(f"{place}. {words.shorten(action.get('action') or '', 240)}", style="bold")
        cost = words.amount(action.get("cost"), currency, unknown="no quote yet")
        if action.get("cost") is None and words.finite(action.get("max_price")) is not None:
            cost += f", worth at most {words.amount(action['max_price'], currency)}"
        owner = words.shorten(action.get("owner") or "owner to be named", 60)
        line = f"{owner}, {words.day(action.get('by'), unknown='date to be set', short=True)}, {cost}"
        if action.get("pass_mark"):
            line += f"\nDone when: {words.shorten(action['pass_mark'], 260)}"
        yield Padding(Text(line), (0, 0, 0, 3))
    yield Text("")


def _gates(record: Mapping[str, Any]) -> Table:
    from rich.text import Text

    table = _table(("", "left"), ("Gate", "left"), ("", "left"), ("Evidence", "left"))
    for gate in record.get("gates") or []:
        mark, style = GATES.get(str(gate.get("state")), ("?", "dim"))
        says = (
            gate.get("evidence") if gate.get("state") == "shown" else gate.get("mend") or gate.get("evidence")
        )
        _row(
            table,
            Text(mark, style=style),
            Text(words.shorten(gate.get("label") or gate.get("gate"), 40)),
            Text(facts.gate_word(gate.get("state")), style=style),
            Text(words.shorten(says or "", 200)),
        )
    table.add_row("")
    return table
