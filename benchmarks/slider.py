"""What a move of a slider costs in the kernel, from the message of the browser to the last message that answers it.

    uv run python benchmarks/slider.py [PILOT...]

A slider is moved as a browser moves it, by a message to its widget; messages that go back are written as they would be
sent. Prints, by example, over random moves: processor time in milliseconds (median and 95th percentile) until the
sketch is sent, and of the decision that follows when the hand rests until its verdict, options, gates and picture are
sent; how large the largest picture and all messages of a move are; and how many times the decision is cheaper than one
in which every plan is valued, as for a record. The decision itself,
without words and pictures, stands apart.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import comm
import numpy as np
from comm.base_comm import BaseComm

from roi.again import decide_again
from roi.explore import Dial, Explorer, Setting
from roi.explore.panel import Panel
from roi.explore.setting import applied
from roi.parameters import find_parameter_files
from roi.pilot import open_pilot

MOVES = 39
SENT: list[int] = []


class Written(BaseComm):
    """A line to the browser that writes its messages, as a kernel does, and sends them nowhere."""

    def publish_msg(self, msg_type: str, data: Any = None, **others: Any) -> None:
        SENT.append(len(json.dumps({"type": msg_type, "data": data}, default=str).encode()))


def of_a_move(panel: Panel, waiting: list[Callable[[], None]], key: str, value: float) -> tuple[float, ...]:
    """Milliseconds of sketch, of the decision, of deciding alone and with every plan; kB of picture and of messages."""
    SENT.clear()
    waiting.clear()
    message = {"content": {"data": {"method": "update", "state": {"value": value}}}, "buffers": []}
    start = time.process_time()
    panel.sliders[key]._handle_msg(message)
    sketched = time.process_time()
    waiting[-1]()
    decided = time.process_time()
    size = sum(SENT)
    explorer, setting = panel.explorer, panel.setting
    before = time.process_time()
    explorer.decide(setting)
    alone = time.process_time()
    loaded, assumptions = applied(explorer.a, setting)
    decide_again(explorer.a, loaded=loaded, assumptions=assumptions).fixes.mended  # noqa: B018 – a record asks for it
    whole = time.process_time()
    times = sketched - start, decided - sketched, alone - before, whole - alone
    return (*(1e3 * x for x in times), len(panel.chart.value.encode()) / 1e3, size / 1e3)


def elsewhere(explorer: Explorer, dial: Dial, rng: np.random.Generator) -> float:
    """A random place of a slider that moves it and is allowed: to be refused takes less."""
    while True:
        place = dial.low + dial.step * float(rng.integers(1, round((dial.high - dial.low) / dial.step)))
        setting = Setting().with_dial(dial, dial.at(place))
        if setting != Setting() and not explorer.refusals(setting):
            return place


def main() -> None:
    """Move the dials of each pilot, one at a time, to random places."""
    comm.create_comm = Written
    heads = ("sketch", "(95 %)", "decision", "(95 %)", "deciding", "× every plan", "picture kB", "sent kB")
    print(f"{'pilot':20}" + "".join(f"{head:>13}" for head in heads))
    for name in sys.argv[1:] or [Path(p).stem for p in find_parameter_files(["params"])]:
        waiting: list[Callable[[], None]] = []

        def later(_: float, act: Callable[[], None], to: list[Callable[[], None]] = waiting) -> Any:
            to.append(act)
            return SimpleNamespace(cancel=lambda: None)

        panel = Panel(open_pilot(name), later=later)
        dials = panel.explorer.dials
        rng = np.random.default_rng(1)
        found = []
        for k in range(MOVES + 1):
            dial = dials[k % len(dials)]
            panel.setting = Setting()
            place = elsewhere(panel.explorer, dial, rng)
            found.append(of_a_move(panel, waiting, dial.key, place))
        rows = np.array(found[1:])  # the first works out what all share
        sketch, decision, alone, every = np.median(rows[:, :4], axis=0)
        worst = np.percentile(rows[:, :2], 95, axis=0)
        largest = rows[:, 4:].max(axis=0)
        values = (sketch, worst[0], decision, worst[1], alone, every / alone, *largest)
        print(f"{name:20}" + "".join(f"{value:13.1f}" for value in values), flush=True)


if __name__ == "__main__":
    main()
