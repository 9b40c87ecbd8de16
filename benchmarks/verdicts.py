"""How often the rule says kill, fix and scale where the truth is known: every bar with its figure, PASS or FAIL.

Blocks: money (truths around the hurdle), severe, confounded, looks, regret (with calibration and speed). Every pilot is
drawn case by case and takes the package's own path from moments to a verdict. Seeds are fixed, and the number of
processes changes no figure. Exit code 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
from simulator import World, decided, draw_cases
from verdict_bars import Bar, each, show
from verdict_gates import confounded_bars, severe_bars
from verdict_looks import looks_bars
from verdict_money import Cell, money_bars, pilots_of, trivial_bars
from verdict_regret import regret_bars

BLOCKS = ("money", "severe", "confounded", "looks", "regret")
SEED = 20260101
TRIVIAL = "Rules that always say the same; each has to fail"


def few_draws_do(*, pilots: int, seed: int, processes: int) -> Bar:
    """Whether 1,000 draws say what 10,000 do: pilots whose scale or not differs, were their truth at the hurdle."""
    cell = Cell(cases=100, workers=10, design="within")
    tasks = [(cell, i, seed) for i in pilots_of(cell, 0, pilots, seed)]
    chances = np.array(each(_chances, tasks, processes=processes))
    differ = float(np.mean((chances[:, 0] >= 0.8) != (chances[:, 1] >= 0.8)))
    gap = float(np.abs(chances[:, 0] - chances[:, 1]).mean())
    show(
        "Draws: the chance that scaling pays at 1,000 and at 10,000 draws",
        [[pilots, f"{100 * gap:.2f} points", f"{100 * differ:.1f} %"]],
        ["pilots", "mean difference", "scale differs"],
    )
    return Bar(
        name="mean difference of a chance at 1,000 and 10,000 draws",
        sense="<=",
        limit=0.02,
        figure=gap,
        error=None,
        worst="",
        passes=gap <= 0.02,
    )


def _chances(task: tuple[Cell, int, int]) -> tuple[float, float]:
    cell, pilot, seed = task
    rng = np.random.default_rng([seed, pilot, 3])
    moments = draw_cases(
        rng, cell.truth, cases=cell.cases, workers=cell.workers, design=cell.design
    ).moments()
    base = cell.truth.worth(World())
    found = [decided(World(draws=n, per_case=None).at(-base), moments).scale for n in (1000, 10_000)]
    assert found[0] is not None
    assert found[1] is not None
    return found[0].chance(0.0), found[1].chance(0.0)


def main() -> int:
    """Run the blocks, print the bars; 1 where one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--pilots", type=int, default=400, help="simulated pilots a cell (regret: five times as many)"
    )
    parser.add_argument("--quick", action="store_true", help="fewer cells")
    parser.add_argument("--block", choices=BLOCKS, action="append", help="only this block; may be repeated")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processes", type=int, default=2)
    how = parser.parse_args()
    blocks = how.block or list(BLOCKS)
    run = {"seed": how.seed, "processes": how.processes}
    began = time.perf_counter()
    bars: list[Bar] = []
    trivial: list[tuple[str, list[str]]] = []
    if "money" in blocks:
        bars += money_bars(pilots=how.pilots, quick=how.quick, **run)
        bars.append(few_draws_do(pilots=min(how.pilots, 100), **run))
        trivial = trivial_bars()
    if "severe" in blocks:
        bars += severe_bars(pilots=how.pilots, quick=how.quick, **run)
    if "confounded" in blocks:
        bars += confounded_bars(pilots=how.pilots, quick=how.quick, **run)
    if "looks" in blocks:
        bars += looks_bars(pilots=how.pilots, quick=how.quick, **run)
    if "regret" in blocks:
        bars += regret_bars(pilots=5 * how.pilots, quick=how.quick, **run)
    if trivial:
        print(f"\n{TRIVIAL}:")
        for name, failed in trivial:
            print(f"  {name}: {'FAIL (' + '; '.join(failed) + ')' if failed else 'PASS'}")
    print(f"\nBars ({time.perf_counter() - began:.0f} s):")
    for bar in bars:
        print(bar.line())
    missed = sum(not bar.passes for bar in bars) + sum(not failed for _, failed in trivial)
    print(f"{len(bars)} bars, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
