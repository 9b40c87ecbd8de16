"""How often the rule errs: pilots of known truth, one standard error below and above what they must be worth.

Prints a table and writes `roi/verdict_error_rates.csv`, from which a report reads its own pilot's row. Each cell draws
pilots of one truth and runs the package's own path from moments to the draws of the worth on them. One set of pilots
serves both errors: the hurdle is put one standard error above the true worth (to scale is wrong) and one below it (to
kill is wrong). The standard error is the standard deviation of the estimated worth over the cell's pilots; the stated
inputs are exact, for what is uncertain in them only makes the rule more careful.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "benchmarks")]

from simulator import Truth, World, draw_cases, loaded_of  # noqa: E402
from verdict_bars import each  # noqa: E402

from roi.assumptions import draw_assumptions  # noqa: E402
from roi.causes import find_causes  # noqa: E402
from roi.economics import economics_of  # noqa: E402
from roi.measured import measure  # noqa: E402
from roi.moments import Moments  # noqa: E402
from roi.options import Valuer  # noqa: E402
from roi.parameters import register  # noqa: E402
from roi.schema.policy import Policy  # noqa: E402

Floats = npt.NDArray[np.float64]

CASES = (20, 50, 100, 300, 1000, 3000)
WORKERS = (4, 5, 10, 20, 60)
FEWER_WORKERS = (4, 10, 60)  # at the other correlations
CORRELATIONS = (0.0, 0.1, 0.3)
USUAL = 0.1
ALIKE = (0.1, 0.5)  # of the two members of a pair
SEED = 20260101
CHUNK = 250
TRUTH = Truth()
WORLD = World(per_case=None)
POLICY = Policy()
PARAMETERS = loaded_of(WORLD).parameters
SEEDED = {"draws": WORLD.draws, "seed": PARAMETERS.run.seed}
ASSUMPTIONS = draw_assumptions(register(PARAMETERS), **SEEDED)
ECONOMICS = economics_of(
    PARAMETERS,
    ASSUMPTIONS,
    smallest_saving=POLICY.smallest_saving_minutes,
    error_credit=True,
    start=(2027, 1),
)
NO_CAUSES = find_causes(None, **SEEDED)
MIX = PARAMETERS.economics.severity_mix


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of the table.

    Attributes:
        cases: Cases of both arms, half in each.
        workers: Workers of both arms; None for cases without one and for pairs.
        design: "within" (workers work both arms), "between" (workers are assigned to arms), "pairs" or "cases".
        correlation: As in `Truth`.
    """

    cases: int
    workers: int | None
    design: str
    correlation: float


def cells() -> list[Cell]:
    """The cells in which every worker has a case in each of their arms."""
    found = []
    for n in CASES:
        found.append(Cell(cases=n, workers=None, design="cases", correlation=0.0))
        found += [Cell(cases=n, workers=None, design="pairs", correlation=c) for c in ALIKE]
        for design in ("within", "between"):
            for c in CORRELATIONS:
                crews = WORKERS if c == USUAL else FEWER_WORKERS
                found += [Cell(cases=n, workers=w, design=design, correlation=c) for w in crews if n >= 2 * w]
    return found


def true_worth() -> float:
    """Worth of the roll-out at the truth that pilots are drawn from."""
    return TRUTH.worth(WORLD)


def _worths(task: tuple[Cell, int, int, int]) -> Floats:
    """The package's draws of what rolling out is worth for a chunk of pilots, shape (pilots, draws)."""
    cell, chunk, pilots, seed = task
    rng = np.random.default_rng(
        [seed, chunk, cell.cases, cell.workers or 0, len(cell.design), round(100 * cell.correlation)]
    )
    truth = replace(TRUTH, correlation=cell.correlation)
    found = []
    for _ in range(pilots):
        cases = draw_cases(rng, truth, cases=cell.cases, workers=cell.workers, design=cell.design)
        found.append(worth_of(cases.moments()))
    return np.stack(found)


def worth_of(moments: Moments) -> Floats:
    """The package's draws of what rolling out is worth, shape (draws,), without gates and plans, which take longest."""
    measured = measure(
        moments,
        assumptions=ASSUMPTIONS,
        assignment="randomised",
        mix=None,
        stand_in=(),
        currency="EUR",
        severity_mix=np.array([MIX.minor, MIX.moderate, MIX.major, MIX.critical]),
        bias_sd=0.0,
        **SEEDED,
    )
    option = Valuer(measured=measured, economics=ECONOMICS, causes=NO_CAUSES, remedies=()).roll_out()
    assert option is not None
    return option.worth


def error_rates(cell: Cell, *, pilots: int, seed: int, processes: int = 1) -> tuple[float, float]:
    """Share of pilots wrongly scaled at a truth one standard error below the hurdle, and killed at one above."""
    chunks = [(cell, i, min(CHUNK, pilots - i * CHUNK), seed) for i in range((pilots + CHUNK - 1) // CHUNK)]
    found = np.concatenate(each(_worths, chunks, processes=processes))
    truth, error = true_worth(), float(found.mean(axis=1).std())
    scaled = (found > truth + error).mean(axis=1) >= POLICY.scale_probability
    killed = (found > truth - error).mean(axis=1) <= POLICY.kill_probability
    return float(scaled.mean()), float(killed.mean())


def _row(task: tuple[Cell, int, int]) -> tuple[float, float]:
    cell, pilots, seed = task
    return error_rates(cell, pilots=pilots, seed=seed)


def main() -> None:
    """Print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pilots", type=int, default=1000, help="simulated pilots a cell")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=ROOT / "roi" / "verdict_error_rates.csv")
    how = parser.parse_args()
    began = time.perf_counter()
    rows = []
    print(
        f"{'cases':>6} {'workers':>8} {'design':<8} {'correlation':>12} {'false scale':>12} {'false kill':>11}"
    )
    found = each(_row, [(cell, how.pilots, how.seed) for cell in cells()], processes=how.processes)
    for cell, (scaled, killed) in zip(cells(), found, strict=True):
        print(
            f"{cell.cases:>6} {cell.workers or '-':>8} {cell.design:<8} {cell.correlation:>12g} "
            f"{scaled:>12.1%} {killed:>11.1%}"
        )
        rows.append(
            {
                "cases": cell.cases,
                "workers": "" if cell.workers is None else cell.workers,
                "design": cell.design,
                "correlation": f"{cell.correlation:g}",
                "false_scale": f"{scaled:.4f}",
                "false_kill": f"{killed:.4f}",
                "pilots": how.pilots,
                "seed": how.seed,
            }
        )
    with how.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{len(rows)} cells of {how.pilots} pilots in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
