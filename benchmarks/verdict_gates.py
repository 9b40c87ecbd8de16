"""The severe block (rare severe errors have to be shown) and the confounded block (chosen arms flatter the pilot)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from simulator import Truth, World, decided, draw_cases
from verdict_bars import Bar, Share, each, held, show

__all__ = ["confounded_bars", "severe_bars"]

CHUNK = 125
LIMIT = 0.005
SIZES = (600, 1500, 3000)
TIMES = (0.2, 1.0, 1.2, 2.0)  # of the limit
ERRORS = 0.05  # rate of errors of any severity
FEW_ERRORS = 0.1  # share of errors that are severe, in the cells that are printed without a bar
POWER = 0.8  # asked for at 0.2 × the limit
FLATTERY = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Severe:
    """A cell of the severe block.

    Attributes:
        labelled: Labelled pilot cases.
        workers: Workers who share them; None for cases alone.
        correlation: Of outcomes within a worker.
        times: True rate of severe errors, in limits.
        grave: Whether errors are rare and one in ten is severe; else one case in twenty has an error, and the rate of
            severe ones sets their share. Workers who differ in their errors differ the more in severe ones the larger
            this share, so that the same cases tell less; these cells are held to the bar of false passes only.
    """

    labelled: int
    workers: int | None
    correlation: float
    times: float
    grave: bool = False

    @property
    def label(self) -> str:
        """Its name in tables."""
        who = (
            "cases alone"
            if self.workers is None
            else f"{self.workers} workers, correlation {self.correlation:g}"
        )
        return f"{self.labelled} cases, {who}{', one error in ten severe' if self.grave else ''}"


def severe_cells() -> list[Severe]:
    """Every size and rate, without workers and with ten, twenty and forty, of correlation 0 and 0.1."""
    crews = ((None, 0.0), (10, 0.1), (20, 0.0), (20, 0.1), (40, 0.1))
    found = [
        Severe(labelled=n, workers=w, correlation=c, times=times)
        for n in SIZES
        for w, c in crews
        for times in TIMES
    ]
    return found + [
        Severe(labelled=n, workers=20, correlation=0.1, times=times, grave=True)
        for n in SIZES
        for times in TIMES
    ]


def _passes(task: tuple[Severe, int, int, int]) -> int:
    """How often the gate passes."""
    cell, chunk, pilots, seed = task
    rng = np.random.default_rng(
        [seed, chunk, cell.labelled, cell.workers or 0, int(1e4 * cell.times * LIMIT), 7]
    )
    severe = cell.times * LIMIT
    rate = severe / FEW_ERRORS if cell.grave else ERRORS
    share = severe / rate
    truth = Truth(
        means=(15.0, 9.0),
        error_rates=(ERRORS, rate),
        severities=(1 - share - 0.1, 0.1, 0.9 * share, 0.1 * share),
        correlation=cell.correlation,
    )
    world = World(severe_limit=LIMIT)
    gate = 0
    for _ in range(pilots):
        design = "cases" if cell.workers is None else "within"
        moments = draw_cases(
            rng, truth, cases=2 * cell.labelled, workers=cell.workers, design=design
        ).moments()
        found = decided(world, moments)
        gate += any(g.gate == "severe_errors" and g.holds for g in found.gates[None])
    return gate


def severe_bars(*, pilots: int, seed: int, processes: int, quick: bool) -> list[Bar]:
    """Run the block, print its table and hold it to its bars."""
    cells = [c for c in severe_cells() if not quick or (c.labelled == 1500 and (c.workers != 20 or c.grave))]
    tasks = [
        (cell, i, min(CHUNK, pilots - i * CHUNK), seed)
        for cell in cells
        for i in range((pilots + CHUNK - 1) // CHUNK)
    ]
    passed: Counter[Severe] = Counter()
    for (cell, *_), gate in zip(tasks, each(_passes, tasks, processes=processes), strict=True):
        passed[cell] += gate
    shares = {c: Share(cell=f"{c.label}, {c.times:g} × limit", hits=passed[c], n=pilots) for c in cells}
    labels = list(dict.fromkeys(c.label for c in cells))
    rows = [
        [label, *[f"{100 * shares[c].rate:.1f} %" for c in cells if c.label == label]] for label in labels
    ]
    show(
        f"Severe block: the gate passes, by true rate; {pilots} pilots a cell",
        rows,
        ["", *[f"{t:g} ×" for t in TIMES]],
    )
    at_limit = [shares[c] for c in cells if c.times >= 1]
    # Where workers share the cases, a correlation is charged whether or not there is one: printed, with no bar.
    clean = [shares[c] for c in cells if c.times == 0.2 and c.labelled >= 1500 and c.workers is None]
    return [
        held("false pass of the severe gate at 1, 1.2 and 2 × the limit", "<=", 0.05, at_limit),
        held("pass at 0.2 × the limit, 1,500 cases alone or more", ">=", POWER, clean),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confounded:
    """A cell of the confounded block.

    Attributes:
        cases: Cases of both arms.
        workers: Workers, or None.
        design: As in `draw_cases`.
        needed: Minutes a case that pay for the roll-out.
    """

    cases: int
    workers: int | None
    design: str
    needed: float

    @property
    def label(self) -> str:
        """Its name in tables."""
        who = "cases alone" if self.workers is None else f"{self.workers} workers {self.design}"
        return f"{self.cases} cases, {who}, break-even {self.needed:g} minutes"


def confounded_cells() -> list[Confounded]:
    """A free roll-out, and one that costs what three quarters of a minute a case bring."""
    sizes = [(n, w, d) for n in (50, 100, 300) for w, d in ((None, "cases"), (10, "within"), (10, "between"))]
    sizes += [(1000, 20, "between"), (3000, None, "cases")]
    return [Confounded(cases=n, workers=w, design=d, needed=m) for m in (0.0, 0.75) for n, w, d in sizes]


def _scaled(task: tuple[Confounded, int, int, int]) -> Counter[str]:
    cell, chunk, pilots, seed = task
    rng = np.random.default_rng(
        [seed, chunk, cell.cases, cell.workers or 0, len(cell.design), int(cell.needed * 100)]
    )
    truth = Truth(means=(15.0, 15.0), flattery=FLATTERY)
    gain = Truth(means=(15.0, 15.0 - cell.needed)).worth(World()) if cell.needed else 0.0
    counts: Counter[str] = Counter()
    believed = World(assignment="randomised").at(-gain)
    world = World(assignment="observational").at(-gain)
    for _ in range(pilots):
        drawn = draw_cases(rng, truth, cases=cell.cases, workers=cell.workers, design=cell.design)
        moments = drawn.moments()
        counts[decided(world, moments).verdict.verdict] += 1
        counts["naive"] += decided(believed, moments).verdict.verdict == "scale"
    return counts


def confounded_bars(*, pilots: int, seed: int, processes: int, quick: bool) -> list[Bar]:
    """Run the block, print its table and hold it to its bar."""
    cells = [c for c in confounded_cells() if not quick or c.cases in (100, 300)]
    tasks = [
        (cell, i, min(CHUNK, pilots - i * CHUNK), seed)
        for cell in cells
        for i in range((pilots + CHUNK - 1) // CHUNK)
    ]
    total: dict[Confounded, Counter[str]] = {cell: Counter() for cell in cells}
    for (cell, *_), counts in zip(tasks, each(_scaled, tasks, processes=processes), strict=True):
        total[cell].update(counts)
    rows = [
        [c.label, *[f"{100 * total[c][v] / pilots:.1f} %" for v in ("kill", "fix", "scale", "naive")]]
        for c in cells
    ]
    show(
        "Confounded block: no minute is truly saved, chosen cases look 15 % shorter; "
        f"last: scale, were they taken as randomised; {pilots} pilots a cell",
        rows,
        ["", "kill", "fix", "scale", "naive"],
    )
    shares = [Share(cell=c.label, hits=total[c]["scale"], n=pilots) for c in cells]
    return [held("false scale of an observational pilot that saves nothing", "<=", 0.1, shares)]
