"""The money block: truths from three standard errors below the hurdle to three above it, the severe limit being 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from simulator import PricedRemedy, Truth, World, decided, draw_cases
from verdict_bars import Bar, Share, each, held, show

from roi.analysis import Decided
from roi.moments import Moments

__all__ = ["PLACES", "Cell", "money_bars", "money_cells", "outcomes_of", "trivial_bars"]

PLACES = (-3, -2, -1, 0, 1, 2, 3)  # true worth, in standard errors from the hurdle
CHUNK = 125
SCALE_PROBABILITY = 0.8
Remedies = Literal["none", "paying", "dear"]
TRUTH = Truth()
BY_DATA = replace(TRUTH, error_rates=(0.05, 0.12), by_data=0.8)
RIGHT = ("scale", "right fix")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A size, a design and whether a remedy is on offer.

    Attributes:
        cases: Cases of both arms.
        workers: Workers of both arms, or None.
        design: As in `draw_cases`.
        remedies: "none"; "paying", one that truly raises the worth; "dear", one that truly lowers it.
    """

    cases: int
    workers: int | None
    design: str
    remedies: Remedies = "none"

    @property
    def label(self) -> str:
        """Its name in tables."""
        who = f"{self.workers} workers {self.design}" if self.workers else self.design
        remedy = "" if self.remedies == "none" else f", {self.remedies} remedy"
        return f"{self.cases} cases, {who}{remedy}"

    @property
    def truth(self) -> Truth:
        """What is true in it."""
        return TRUTH if self.remedies == "none" else BY_DATA

    @property
    def world(self) -> World:
        """What is stated in it, before the hurdle is placed."""
        if self.remedies == "none":
            return World()
        gain = self.truth.worth(World(remedy=PricedRemedy(removes=0.9, cost=0.0)), remedied=True)
        gain -= self.truth.worth(World())
        share = 0.1 if self.remedies == "paying" else 3.0  # of what it gains, before its price
        return World(remedy=PricedRemedy(removes=0.9, cost=round(share * gain, 2)))


def money_cells() -> list[Cell]:
    """20, 50, 100 and 300 cases; 5, 10 and 20 workers in both arms or in one, none, and pairs."""
    found = []
    for n in (20, 50, 100, 300):
        found += [Cell(cases=n, workers=None, design=design) for design in ("cases", "pairs")]
        for design in ("within", "between"):
            found += [Cell(cases=n, workers=w, design=design) for w in (5, 10, 20) if n >= 2 * w]
    for remedies in ("paying", "dear"):
        found += [Cell(cases=n, workers=10, design="within", remedies=remedies) for n in (50, 300)]
    return found


def pilots_of(cell: Cell, chunk: int, pilots: int, seed: int) -> list[int]:
    """Seeds of the pilots of a chunk: the same pilots are met at every place of the truth."""
    return [seed * 1_000_003 + chunk * CHUNK + i for i in range(pilots)]


def _moments(cell: Cell, seed: int) -> Moments:
    rng = np.random.default_rng([seed, cell.cases, cell.workers or 0, len(cell.design)])
    return draw_cases(rng, cell.truth, cases=cell.cases, workers=cell.workers, design=cell.design).moments()


def _worths(task: tuple[Cell, list[int]]) -> list[float]:
    """Estimated worth of each pilot of a chunk."""
    cell, seeds = task
    world = replace(cell.world, remedy=None, per_case=None)
    found = []
    for seed in seeds:
        option = decided(world, _moments(cell, seed)).scale
        assert option is not None
        found.append(option.mean())
    return found


def _verdicts(task: tuple[Cell, list[int], tuple[World, ...]]) -> list[Counter[str]]:
    """Verdicts of each pilot of a chunk, by place of the truth."""
    cell, seeds, worlds = task
    found: list[Counter[str]] = [Counter() for _ in worlds]
    for seed in seeds:
        moments = _moments(cell, seed)
        for counts, world in zip(found, worlds, strict=True):
            counts.update(outcomes_of(decided(world, moments), cell.truth, world))
    return found


def outcomes_of(found: Decided, truth: Truth, world: World) -> list[str]:
    """What a verdict counts as.

    Returns:
        "scale", "kill" (and "thin" with that ground), or "fix" (and "right fix" where a priced remedy that it buys
        truly raises the worth above what doing without it is worth; "no action" where it lists none).
    """
    verdict = found.verdict
    if verdict.verdict == "kill":
        return ["kill", *(["thin"] if verdict.ground == "thin_value" else [])]
    if verdict.verdict == "scale":
        return ["scale"]
    plan, unknown = verdict.plan, verdict.unknown
    outcomes = ["fix"]
    if not ((plan and (plan.remedies or plan.measures or plan.unpriced)) or (unknown and unknown.measure)):
        outcomes.append("no action")
    if plan is not None and plan.remedies:
        better = truth.worth(world, remedied=True) > max(truth.worth(world), 0.0)
        outcomes.append("right fix" if better else "wrong fix")
    return outcomes


def run_money(
    cells: Sequence[Cell], *, pilots: int, seed: int, processes: int
) -> dict[Cell, list[Counter[str]]]:
    """Verdicts of every cell at every place."""
    seeds = {
        cell: [
            pilots_of(cell, i, min(CHUNK, pilots - i * CHUNK), seed)
            for i in range((pilots + CHUNK - 1) // CHUNK)
        ]
        for cell in cells
    }
    tasks = [(cell, chunk) for cell in cells for chunk in seeds[cell]]
    worths: dict[Cell, list[float]] = {cell: [] for cell in cells}
    for (cell, _), found in zip(tasks, each(_worths, tasks, processes=processes), strict=True):
        worths[cell] += found
    full = []
    for cell, chunk in tasks:
        error = float(np.std(worths[cell], ddof=1))
        base = cell.truth.worth(replace(cell.world, remedy=None))
        full.append((cell, chunk, tuple(cell.world.at(k * error - base) for k in PLACES)))
    total: dict[Cell, list[Counter[str]]] = {cell: [Counter() for _ in PLACES] for cell in cells}
    for (cell, _, _), counted in zip(full, each(_verdicts, full, processes=processes), strict=True):
        for place, counts in enumerate(counted):
            total[cell][place].update(counts)
    return total


def money_bars(*, pilots: int, seed: int, processes: int, quick: bool) -> list[Bar]:
    """Run the block, print its table and hold it to its bars."""
    cells = [c for c in money_cells() if not quick or (c.cases in (50, 300) and c.workers in (None, 10))]
    total = run_money(cells, pilots=pilots, seed=seed, processes=processes)
    rows = []
    for cell in cells:
        row: list[str] = [cell.label]
        for counts in total[cell]:
            row.append("/".join(f"{100 * counts[v] / pilots:.0f}" for v in ("kill", "fix", "scale")))
        rows.append(row)
    show(
        f"Money block: kill/fix/scale in 100 pilots by true worth in standard errors; {pilots} pilots a cell",
        rows,
        ["", *[f"{k:+d}" if k else "0" for k in PLACES]],
    )
    return _bars(total, pilots)


def _bars(total: dict[Cell, list[Counter[str]]], pilots: int) -> list[Bar]:
    def shares(
        places: Sequence[int], *outcomes: str, only: Sequence[Remedies] = ("none", "paying", "dear")
    ) -> list[Share]:
        return [
            Share(
                cell=f"{cell.label}, {k:+d}",
                hits=sum(total[cell][PLACES.index(k)][o] for o in outcomes),
                n=pilots,
            )
            for cell in total
            for k in places
            if cell.remedies in only
        ]

    no_remedy: tuple[Remedies, ...] = ("none", "dear")
    return [
        held("false scale at one standard error below", "<=", 0.05, shares((-1,), "scale")),
        held("false scale at two or more below", "<=", 0.05, shares((-3, -2), "scale")),
        held("false kill at one above", "<=", 0.05, shares((1,), "kill")),
        held("false kill at two or more above", "<=", 0.05, shares((2, 3), "kill")),
        held("scale at the hurdle", "<=", 1 - SCALE_PROBABILITY + 0.02, shares((0,), "scale")),
        held(
            "scale, or a fix that pays, at two or more above", ">=", 0.8, shares((2, 3), "scale", "right fix")
        ),
        held(
            "kill for thin value at two or more below, no paying remedy",
            ">=",
            0.8,
            shares((-3, -2), "thin", only=no_remedy),
        ),
        held("fix without an action", "<=", 0.0, shares(PLACES, "no action")),
    ]


def trivial_bars() -> list[tuple[str, list[str]]]:
    """Rules that always say the same, and the bars of this block that each misses in cells without a paying remedy.

    They need no simulation: whatever the pilot, one outcome has a share of 100 % and the others 0 %.
    """
    asked: dict[str, tuple[tuple[str, ...], Literal["<=", ">="], float]] = {
        "false scale at one standard error below": (("scale",), "<=", 0.05),
        "false kill at one above": (("kill",), "<=", 0.05),
        "scale at the hurdle": (("scale",), "<=", 1 - SCALE_PROBABILITY + 0.02),
        "scale, or a fix that pays, at two or more above": (("scale",), ">=", 0.8),
        "kill at two or more below": (("kill",), ">=", 0.8),
    }
    found = []
    for always in ("kill", "fix", "scale"):
        missed = []
        for name, (outcomes, sense, limit) in asked.items():
            bar = held(name, sense, limit, [Share(cell="", hits=100 * (always in outcomes), n=100)])
            missed += [] if bar.passes else [f"{name} {100 * bar.figure:.0f} %"]
        found.append((f"always {always}", missed))
    return found
