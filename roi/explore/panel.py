"""The panel of `notebooks/explore.ipynb`: sliders on the left, what follows from them on the right.

A move is answered twice: at once with the worth of what was put forward, and when the hand rests with the whole
decision. Everything that is shown is text, tables and pictures without scripts, so that it looks alike in JupyterLab,
in Voilà and in a plain notebook.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from markupsafe import Markup

from roi import words
from roi.explore.explorer import Explorer, Seen
from roi.explore.picture import picture_of
from roi.explore.save import write_saved
from roi.explore.setting import Dial, Setting
from roi.parameters import find_parameter_files
from roi.pilot import Pilot, open_pilot
from roi.problems import InputError, ParameterError, Problem

__all__ = ["Panel", "panel"]

REST = 0.25  # seconds without a move after which everything is decided again
STYLE = """<style>
.roi-explore { container-type: inline-size; width: 100%; overflow: hidden; }
.roi-explore .roi-columns { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 7fr); gap: 0 28px; }
.roi-explore .widget-slider { flex-wrap: wrap; height: auto; width: auto; margin: 0 2px 6px; }
.roi-explore .widget-slider > .widget-label { width: 100%; height: auto; line-height: 1.4; text-align: left; }
.roi-explore .widget-slider > .slider-container { flex: 1 1 60%; }
.roi-explore .widget-checkbox { width: auto; height: auto; }
.roi-explore .widget-checkbox label { white-space: normal; line-height: 1.3; overflow-wrap: anywhere; }
.roi-explore .widget-html { width: auto; }
.roi-explore .widget-html-content { overflow-wrap: anywhere; line-height: 1.4; }
.roi-explore h2 { margin: 0 0 4px; font-size: 1.35rem; line-height: 1.25; }
.roi-explore h3 { margin: 10px 0 4px; font-size: 1rem; }
.roi-explore p { margin: 4px 0; }
.roi-explore ul { margin: 2px 0; padding-left: 18px; }
.roi-explore table { width: 100%; margin: 0; border-collapse: collapse; font-size: inherit; table-layout: auto; }
.roi-explore th, .roi-explore td { padding: 3px 6px; text-align: right; vertical-align: top; background: none; }
.roi-explore td { overflow-wrap: normal; }
.roi-explore th:first-child { padding-left: 0; text-align: left; font-weight: normal; }
.roi-explore th[scope=row] { min-width: 8.5em; overflow-wrap: break-word; }
.roi-explore tr { border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); background: none; }
.roi-explore .roi-line { margin: 8px 0 2px; font-weight: bold; }
.roi-explore .roi-picture svg { display: block; }
.roi-explore .roi-axis { position: relative; height: 1.6em; border-top: 1px solid currentColor; }
.roi-explore .roi-axis span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
@container (max-width: 640px) {
  .roi-explore .roi-columns { grid-template-columns: minmax(0, 1fr); }
  .roi-explore .roi-shown { order: -1; }
}
</style>"""
STATES = {"open": "●", "missing evidence": "○"}


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
        self._lay()
        self._draw()

    def _lay(self) -> None:
        w, loaded = self.w, self.pilot.loaded
        self.pilots = w.Dropdown(options=self._names(), value=loaded.path.stem, description="Pilot")
        self.pilots.observe(lambda change: self.choose(change["new"]), "value")
        self.sliders: dict[str, Any] = {}
        for dial in self.explorer.dials:
            unit = f" ({plain(dial.unit, 20)})" if dial.unit not in ("", "share") else ""
            slider = w.FloatSlider(
                value=dial.value, min=dial.low, max=dial.high, step=dial.step,
                description=plain(dial.label, 60) + unit, readout_format=_readout(dial),
            )  # fmt: skip
            slider.observe(self._moving(dial), "value")
            self.sliders[dial.key] = slider
        self.ticks: dict[str, Any] = {}
        for name in self.explorer.remedies:
            tick = w.Checkbox(value=True, description=plain(name, 90), indent=False)
            tick.observe(lambda _: self.moved(), "value")
            self.ticks[name] = tick
        self.verdict, self.table, self.gates, self.said = (w.HTML() for _ in range(4))
        self.chart = w.HTML()
        self.name = w.Text(value=f"{loaded.path.stem}_explored", description="Name")
        buttons = []
        for label, action in (
            ("Keep to compare", self.keep), ("Reset", self.reset), ("Save as parameters", self.save),
        ):  # fmt: skip
            button = w.Button(description=label)
            button.on_click(lambda _, action=action: action())
            buttons.append(button)
        wrap = w.Layout(flex_flow="row wrap")
        stated = [slider for dial, slider in zip(self.explorer.dials, self.sliders.values(), strict=True)
                  if not dial.threshold]  # fmt: skip
        left = [w.HTML("<h3>What is stated</h3>"), *stated]
        left += [w.HTML("<h3>What the policy asks for</h3>"), *list(self.sliders.values())[len(stated) :]]
        if self.ticks:
            left += [w.HTML("<h3>Remedies that can be bought</h3>"), *self.ticks.values()]
        shown = [self.verdict, self.chart, self.table, self.gates]
        shown += [w.HBox(buttons[:2], layout=wrap), w.HBox([self.name, buttons[2]], layout=wrap), self.said]
        columns = w.Box([classed(w.VBox(left), "roi-moved"), classed(w.VBox(shown), "roi-shown")])
        self.box.children = (w.HTML(STYLE), self.pilots, classed(columns, "roi-columns"))

    def _names(self) -> list[str]:
        return [path.stem for path in find_parameter_files([self.pilot.loaded.path.parent])]

    def _moving(self, dial: Dial) -> Callable[[Any], None]:
        def act(change: Any) -> None:
            setting = self.setting.with_dial(dial, float(change["new"]))
            if setting != self.setting:  # a browser sends back, rounded, what it is shown
                self.setting = setting
                self.moved()

        return act

    def moved(self) -> None:
        """Answer a move: a sketch at once, the decision when the hand rests."""
        if self.quiet:
            return
        without = frozenset(name for name, tick in self.ticks.items() if not tick.value)
        self.setting = Setting(
            values=self.setting.values, thresholds=self.setting.thresholds, without=without
        )
        self.shown = self.explorer.sketch(self.setting)
        self._draw()
        if self.waiting is not None:
            self.waiting.cancel()
        self.waiting = self.later(REST, self.decided)

    def decided(self) -> None:
        """Decide at the setting and show it."""
        self.waiting = None
        self.shown = self.explorer.seen(self.explorer.decide(self.setting))
        self._draw()

    def keep(self) -> None:
        """Keep what is shown, to compare later settings with."""
        self.decided()
        self.kept = self.shown
        self._draw()

    def reset(self) -> None:
        """Back to what the parameter file states."""
        self.kept, self.quiet = None, True
        for dial in self.explorer.dials:
            self.sliders[dial.key].value = dial.value
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
            self.said.value = Markup("<pre style='white-space:pre-wrap'>{}</pre>").format(
                words.shorten(error, 600)
            )
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
            self.said.value = Markup("<pre style='white-space:pre-wrap'>{}</pre>").format(
                words.shorten(error, 600)
            )

    def _draw(self) -> None:
        a, seen = self.explorer.a, self.shown
        self.verdict.value = verdict_html(
            seen, self.kept, str(a.loaded.parameters.about.title or a.loaded.name)
        )
        shown = {"now": seen} if self.kept is None else {"kept": self.kept, "now": seen}
        self.chart.value = picture_of(shown, hurdle=a.loaded.policy.hurdle)
        self.table.value = table_html(seen, self.kept)
        if seen.verdict is not None:
            self.gates.value = gates_html(seen)


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


def _readout(dial: Dial) -> str:
    if dial.unit == "share":
        return ".2f" if dial.step >= 0.01 else ".4f"
    return ",.1f" if dial.high < 1000 else ",.0f"


def verdict_html(seen: Seen, kept: Seen | None, title: str) -> str:
    """The verdict in words; a sketch says that it does not decide."""
    name = "deciding …" if seen.verdict is None else words.VERDICTS.get(seen.verdict, seen.verdict)
    why = f", {words.shorten(seen.why, 120)}" if seen.why else ""
    line = Markup("<h2><bdi>{}</bdi>: {}{}</h2>").format(words.shorten(title, 90), name, why)
    if kept is not None:
        before = words.VERDICTS.get(str(kept.verdict), "")
        line += Markup("<p>Kept: {}{}</p>").format(
            before, f", {words.shorten(kept.why, 120)}" if kept.why else ""
        )
    return str(line)


def table_html(seen: Seen, kept: Seen | None) -> str:
    """The options: expected worth, 8 in 10 outcomes, and how often it pays; the kept setting beside."""
    currency = words.shorten(seen.currency, 10)
    before = {} if kept is None else {choice.label: choice for choice in kept.choices}
    rows = Markup("")
    for choice in seen.choices:
        cells = [
            words.amount(choice.mean, currency),
            words.amount_range(choice.p10, choice.p90, currency, choice.mean),
            words.chance(choice.chance),
        ]
        if kept is not None:
            old = before.get(choice.label)
            cells.append("not there" if old is None else words.amount(old.mean, currency))
        rows += Markup("<tr><th scope='row'><bdi>{}</bdi></th>").format(words.shorten(choice.label, 90))
        rows += Markup("").join(Markup("<td>{}</td>").format(cell) for cell in cells)
        rows += Markup("</tr>")
    heads = [
        "Worth against stopping now",
        "8 in 10 outcomes",
        "Pays in",
        *([] if kept is None else ["Kept: worth"]),
    ]
    head = Markup("").join(Markup("<th scope='col'>{}</th>").format(h) for h in heads)
    return str(Markup("<table><tr><td></td>{}</tr>{}</table>").format(head, rows))


def gates_html(seen: Seen) -> str:
    """The gates that are closed, and how many are open."""
    closed = [(label, state) for label, state in seen.gates if state != "open"]
    said = Markup("<p><b>{} of {} gates open.</b></p>").format(len(seen.gates) - len(closed), len(seen.gates))
    items = Markup("").join(
        Markup("<li>{} <bdi>{}</bdi>: {}</li>").format(
            STATES.get(state, "✕"), words.shorten(label, 90), words.shorten(state, 60)
        )
        for label, state in closed
    )
    return str(said + (Markup("<ul>{}</ul>").format(items) if closed else Markup("")))
