"""What came of fresh cases, on the terminal: the action, why, and a line a measure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from roi import words
from roi.monitor_action import said

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

__all__ = ["ACTIONS", "print_monitoring"]

ACTIONS = {
    "continue": "continue",
    "investigate": "investigate",
    "restrict": "restrict",
    "pause": "pause",
    "roll_back": "roll back",
}
STYLES = {
    "continue": "green",
    "investigate": "yellow",
    "restrict": "yellow",
    "pause": "red",
    "roll_back": "red",
}
MARKS = {"continue": "●", "investigate": "◆", "restrict": "▲", "pause": "■", "roll_back": "■"}
MOST, REASONS = 6, 4
SHORT = {
    "severe_error_rate_pilot": "Severe errors",
    "error_rate_pilot": "Errors",
    "escalation_rate_pilot": "Handed over",
    "human_minutes_pilot": "Minutes a case",
    "agent_cost_per_case": "Agent",
    "error_cost_per_case": "Errors",
    "approval_miss_rate": "Not approved",
}


def print_monitoring(found: Mapping[str, Any], console: Console | None = None) -> None:
    """Print what `roi monitor` found.

    Args:
        found: Its record.
        console: Where to; standard output unless given.
    """
    from rich.console import Console

    to = console or Console()
    for part in _parts(found):
        to.print(part)


def headline(found: Mapping[str, Any]) -> str:
    """What is to be done, in a line."""
    action = found["action"]
    if action["action"] == "roll_back":
        return f"Roll back to version {words.shorten(action['version'], 40)}"
    if action["action"] == "restrict":
        return f"Restrict, leave out {words.and_list(words.shorten(s, 40) for s in action['segments'])}"
    return words.capital(ACTIONS[action["action"]])


def _parts(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    from rich.panel import Panel
    from rich.text import Text

    action = found["action"]
    name = str(action["action"])
    text = Text(f"{headline(found)}: {action['rule']}.", style="bold")
    for reason in action["because"][:REASONS]:
        text.append(f"\n– {words.shorten(reason, 300)}", style="not bold")
    if len(action["because"]) > REASONS:
        text.append(f"\n– and {len(action['because']) - REASONS} more, in the JSON", style="not bold")
    head = Text(f"{MARKS[name]} {ACTIONS[name].upper()}", style=f"bold {STYLES[name]}")
    head.append(f"  {words.shorten(found.get('title') or found['pilot'], 50)}", style="default")
    yield Panel(text, title=head, title_align="left", border_style=STYLES[name])
    cases = words.plural(round(found["cases"]), "case")
    yield Text(
        f"{cases} from {found['first']} to {found['last']}, held against the decision of "
        f"{found['record']['as_of'] or 'an unknown day'} ({found['record']['verdict']})."
    )
    yield _measures(found)
    yield from _mix(found)
    for version in found["changes"]:
        if version["date"] > found["first"]:
            yield Text(f"Version {words.shorten(version['version'], 40)} came on {version['date']}.")
    for why, n in found["left_out"].items():
        yield Text(f"Left out: {words.plural(n, 'case')} ({why}).")
    for warning in found["warnings"][:MOST]:
        yield Text(words.shorten(warning, 400), style="dim")
    if len(found["warnings"]) > MOST:
        yield Text(f"and {len(found['warnings']) - MOST} more to know, in the JSON", style="dim")


def _measures(found: Mapping[str, Any]) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", expand=False)
    period = str(found["volume"]["all"]["period"])
    for name in ("measure", "since then", "range", f"last {period}", "expected", "limit", ""):
        table.add_column(name, justify="left" if name in ("measure", "") else "right", overflow="fold")
    for row in found["measures"]:
        name, now = row["measure"], row["all"]
        label = SHORT[name] + (f", {found['currency']}/case" if "_cost_per_case" in name else "")
        limit = _short(name, row["limit"])
        if now is None:
            table.add_row(label, "?", "", "", "", limit, words.shorten(row["unknown"] or "", 60))
            continue
        span = "–" if now["low"] is None else f"{_short(name, now['low'])} to {_short(name, now['high'])}"
        expected = _short(name, row["expected"] and row["expected"]["mean"])
        marked = sum(bool(point["marks"]) for point in row["chart"]["points"])
        note = f"{marked} marked" if marked else ""
        last = next((p["value"] for p in reversed(row["chart"]["points"]) if p["value"] is not None), None)
        table.add_row(label, _short(name, now["mean"]), span, _short(name, last), expected, limit, note)
    return table


def _short(measure: str, value: Any) -> str:
    """A value without the unit that its row has."""
    return "–" if value is None else said(measure, float(value), None).removesuffix(" minutes")


def _mix(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    from rich.text import Text

    mix = found.get("mix")
    if not mix:
        return
    worth, currency = mix.get("worth"), found.get("currency") or ""
    moved = (
        f"Mix: {words.percent(mix['moved'])} of the cases are of another kind than the decision counted on"
    )
    if not mix["shown"]:
        # A new worth of a mix that has not been shown to be another one would be the noise of the sample.
        rest = "the worth stays as it was decided." if not mix["worse"] else mix["keeps"]
        within = "no drift is shown, so much is within what chance and the sample's own days make of it"
        yield Text(f"{moved}: {within}. {words.capital(rest)}")
        return
    said_ = f"{moved}, which is drift."
    if worth is not None:
        before, now = worth["before"], worth["now"]
        said_ += (
            f" Under today's mix the decision would be {now['verdict']}, worth {words.amount(now['worth'], currency)}; "
            f"it was {before['verdict']}, worth {words.amount(before['worth'], currency)}. {mix['keeps']}"
        )
    yield Text(said_)
