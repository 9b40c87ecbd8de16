"""The panel of `notebooks/explore.ipynb`: sliders on the left, what follows from them on the right.

A move is answered twice: at once with the worth of what was put forward, and when the hand rests with the whole
decision; where it is not allowed, at once with the reason, beside what was moved, and with no verdict. Everything that
is shown is text, tables and pictures without scripts, so that it looks alike in JupyterLab, in Voilà and in a plain
notebook.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from roi import words
from roi.explore.allowed import Refusal
from roi.explore.explorer import Explorer, Seen
from roi.explore.html import STYLE, gates_html, note_html, refused_html, said_html, table_html, verdict_html
from roi.explore.picture import picture_of
from roi.explore.save import write_saved
from roi.explore.setting import Dial, Setting, moved
from roi.parameters import find_parameter_files
from roi.pilot import Pilot, open_pilot
from roi.problems import InputError, ParameterError, Problem

__all__ = ["Panel", "panel"]

REST = 0.25  # seconds without a move after which everything is decided again


def panel(pilot: Pilot) -> Any:
    """The panel of a pilot, to be shown as the last value of a cell.

    Args:
        pilot: The opened pilot; others of its folder can be chosen.

    Raises:
        ParameterError: If ipywidgets is not installed.
    """
    return Panel(pilot).box


class Panel:
    """The widgets and what they do; `moved`, `decided`, `keep`, `reset`, `save` and `choose` are what the buttons call.

    Args:
        pilot: The opened pilot.
        later: Calls a function after some seconds; by default on the running loop, at once where there is none.
    """

    def __init__(
        self, pilot: Pilot, *, later: Callable[[float, Callable[[], None]], Any] | None = None
    ) -> None:
        try:
            import ipywidgets
        except ImportError:
            said = "is not installed; install the extra: pip install 'roi[lab]'"
            raise ParameterError([Problem("ipywidgets", "", said)]) from None
        self.w: Any = ipywidgets
        self.later = _later if later is None else later
        self.waiting: Any = None
        self.quiet = False  # while sliders are set by the panel itself
        self.box = classed(self.w.VBox([]), "roi-explore")
        self.open(pilot)

    def open(self, pilot: Pilot) -> None:
        """Show a pilot as its file states it."""
        self.pilot = pilot
        self.explorer = Explorer(pilot.decision.analysis)
        self.setting = Setting()
        self.kept: Seen | None = None
        self.shown = self.explorer.seen(self.explorer.a)
        self.refused: tuple[Refusal, ...] = ()
        self._lay()
        self._draw()

    def _lay(self) -> None:
        w, loaded = self.w, self.pilot.loaded
        self.pilots = w.Dropdown(options=self._names(), value=loaded.path.stem, description="Pilot")
        self.pilots.observe(lambda change: self.choose(change["new"]), "value")
        self.rows = {dial.key: Row(w, dial, self._to) for dial in self.explorer.dials}
        self.sliders = {key: row.slider for key, row in self.rows.items()}
        self.numbers = {key: row.number for key, row in self.rows.items()}
        self.ticks: dict[str, Any] = {}
        for name in self.explorer.remedies:
            tick = w.Checkbox(value=True, description=plain(name, 90), indent=False)
            tick.observe(lambda _: self.moved(), "value")
            self.ticks[name] = tick
        self.verdict, self.table, self.gates, self.said, self.left_out = (w.HTML() for _ in range(5))
        self.chart = w.HTML()
        self.name = classed(w.Text(value=f"{loaded.path.stem}_explored", description="Name"), "roi-file")
        self.buttons: dict[str, Any] = {}
        for label, action in (
            ("Keep to compare", self.keep), ("Reset", self.reset), ("Save as parameters", self.save),
        ):  # fmt: skip
            self.buttons[label] = w.Button(description=label)
            self.buttons[label].on_click(lambda _, action=action: action())
        keep, reset, save = self.buttons.values()
        wrap = w.Layout(flex_flow="row wrap")
        stated = [row.box for row in self.rows.values() if not row.dial.threshold]
        asked = [row.box for row in self.rows.values() if row.dial.threshold]
        left = [
            w.HTML("<h2>What is stated</h2>"),
            *stated,
            w.HTML("<h2>What the policy asks for</h2>"),
            *asked,
        ]
        if self.ticks:
            left += [w.HTML("<h2>Remedies that can be bought</h2>"), *self.ticks.values(), self.left_out]
        buttons = [w.HBox([keep, reset], layout=wrap), w.HBox([self.name, save], layout=wrap)]
        shown = [self.verdict, self.table, *buttons, self.said, self.gates, self.chart]
        columns = w.Box([classed(w.VBox(left), "roi-moved"), classed(w.VBox(shown), "roi-shown")])
        self.box.children = (w.HTML(STYLE), self.pilots, classed(columns, "roi-columns"))

    def _names(self) -> list[str]:
        return [path.stem for path in find_parameter_files([self.pilot.loaded.path.parent])]

    def _to(self, dial: Dial, value: float) -> None:
        setting = self.setting.with_dial(dial, value)
        if setting != self.setting:  # a browser sends back what it is shown
            self.setting = setting
            self.moved()

    def moved(self) -> None:
        """Answer a move: a sketch at once and the decision when the hand rests; or why it is not allowed."""
        if self.quiet:
            return
        without = frozenset(name for name, tick in self.ticks.items() if not tick.value)
        self.setting = replace(self.setting, without=without)
        if self.waiting is not None:
            self.waiting.cancel()
            self.waiting = None
        self.refused = self.explorer.refusals(self.setting)
        if not self.refused:
            self.shown = self.explorer.sketch(self.setting)
            self.waiting = self.later(REST, self.decided)
        self._draw()

    def decided(self) -> None:
        """Decide at the setting and show it, where it is allowed."""
        self.waiting = None
        self.refused = self.explorer.refusals(self.setting)
        if not self.refused:
            self.shown = self.explorer.seen(self.explorer.decide(self.setting))
        self._draw()

    def keep(self) -> None:
        """Keep what is shown, to compare later settings with."""
        self.decided()
        if not self.refused:
            self.kept = self.shown
            self._draw()

    def reset(self) -> None:
        """Back to what the parameter file states."""
        self.kept, self.quiet = None, True
        for row in self.rows.values():
            row.put(row.dial.written)
        for tick in self.ticks.values():
            tick.value = True
        self.quiet = False
        self.setting = Setting()
        self.said.value = ""
        self.decided()

    def save(self) -> Path | None:
        """Write the setting as a parameter file; say where, or why not."""
        try:
            target = write_saved(self.explorer.a, self.setting, self.name.value.strip())
        except InputError as error:
            self.said.value = said_html(error)
            return None
        self.quiet = True  # the new file can be chosen from now on; the one shown stays chosen
        self.pilots.options, self.pilots.value = self._names(), self.pilot.loaded.path.stem
        self.quiet = False
        self.said.value = Markup("<p>Wrote <code>{}</code>. Each change in it is marked.</p>").format(
            f"{target.parent.name}/{target.name}"
        )
        return target

    def choose(self, name: str) -> None:
        """Open another pilot of the folder."""
        if self.quiet:
            return
        try:
            self.open(open_pilot(self.pilot.loaded.path.with_name(f"{name}.yaml")))
        except InputError as error:
            self.said.value = said_html(error)

    def _stated(self, dial: Dial, allowed: bool) -> str | None:
        """What the file states of something that was moved, and what of its range that has become."""
        values = self.setting.values
        if dial.key not in values and dial.key not in self.setting.thresholds:
            return None
        if not dial.ranged:
            return f"Stated: {dial.written:,.12g}"
        value = self.explorer.a.assumptions.entries[dial.key].value
        return f"Stated: {value.text}" + (f". Now: {moved(value, values[dial.key]).text}" if allowed else "")

    def _draw(self) -> None:
        a, seen = self.explorer.a, self.shown
        title = str(a.loaded.parameters.about.title or a.loaded.name)
        for key, row in self.rows.items():
            refused = [x.said for x in self.refused if key in x.keys]
            row.say(self._stated(row.dial, not refused), refused)
        self.left_out.value = note_html(None, [x.said for x in self.refused if "remedies" in x.keys])
        for label in ("Keep to compare", "Save as parameters"):
            self.buttons[label].disabled = bool(self.refused)
        if self.refused:
            labels = {key: row.dial.label for key, row in self.rows.items()} | {"remedies": "Remedies"}
            self.chart.value = self.table.value = self.gates.value = ""
            self.verdict.value = refused_html(title, self.refused, labels)
            return
        self.chart.value = picture_of(seen, self.kept, hurdle=a.loaded.policy.hurdle)
        self.table.value = table_html(seen, self.kept)
        if seen.verdict is not None:
            self.gates.value = gates_html(seen)
        # A browser is told of one widget after the other: no verdict stands over the figures of another.
        self.verdict.value = verdict_html(seen, self.kept, title)


class Row:
    """A dial as people see it: a labelled number, which takes any, above a slider, and what is said of both.

    Args:
        w: The library of widgets.
        dial: The dial.
        to: Is told where it was moved to.
    """

    def __init__(self, w: Any, dial: Dial, to: Callable[[Dial, float], None]) -> None:
        self.dial, self.to, self.quiet = dial, to, False
        unit = f" ({plain(dial.unit, 20)})" if dial.unit not in ("", "share") else ""
        self.number = w.FloatText(
            value=dial.written, step=dial.step, description=plain(dial.label, 60) + unit
        )
        self.slider = w.FloatSlider(
            value=dial.written, min=dial.low, max=dial.high, step=dial.step, readout=False
        )
        self.said = w.HTML()
        self.slider.observe(lambda change: self._moved(dial.at(float(change["new"]))), "value")
        self.number.observe(lambda change: self._moved(float(change["new"])), "value")
        self.box = classed(w.VBox([self.number, self.slider, self.said]), "roi-dial")

    def _moved(self, value: float) -> None:
        if not self.quiet:
            self.put(value)
            self.to(self.dial, value)

    def put(self, value: float) -> None:
        """Show a value, on the slider as near as it reaches."""
        dial, self.quiet = self.dial, True
        self.number.value = value
        if dial.at(self.slider.value) != value:
            self.slider.value = min(max(value, dial.low), dial.high)
        self.quiet = False

    def say(self, stated: str | None, refused: Sequence[str]) -> None:
        """Say beside it what is stated, where it was moved, and why it may not be where it is."""
        said = note_html(stated, refused)
        if self.said.value != said:
            self.said.value = said


def classed(widget: Any, name: str) -> Any:
    """A widget that the style sheet knows by a name."""
    widget.add_class(name)
    return widget


def plain(text: object, longest: int) -> str:
    """Words for a label: shortened, and with nothing in them that a browser would set as a formula."""
    return words.shorten(text, longest).replace("$", "＄").replace("\\", "＼")


def _later(seconds: float, action: Callable[[], None]) -> Any:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        action()
        return None
    return loop.call_later(seconds, action)
