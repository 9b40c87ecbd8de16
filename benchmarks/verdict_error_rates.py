"""How often the rule errs: pilots of known truth, one standard error below and above what they must be worth.

Prints a table and writes `roi/verdict_error_rates.csv`, from which a report reads its own pilot's row. Each cell draws
pilots of one truth and runs the package's own measuring and valuing on them. One set of pilots serves both errors: the
hurdle is put one standard error above the true worth (to scale is wrong) and one below it (to kill is wrong). The
standard error is the standard deviation of the estimated worth over the cell's pilots; the stated inputs are exact, for
what is uncertain in them only makes the rule more careful.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from made_moments import drawn_pilot  # noqa: E402

from roi.assumptions import Assumptions  # noqa: E402
from roi.cashflow import Schedule, present_value, stream_of  # noqa: E402
from roi.causes import find_causes  # noqa: E402
from roi.economics import Economics  # noqa: E402
from roi.measured import Scope, measure  # noqa: E402
from roi.moments import ALL, Moments  # noqa: E402
from roi.options import Valuer  # noqa: E402
from roi.schema.policy import Policy  # noqa: E402

Floats = npt.NDArray[np.float64]

CASES = (20, 50, 100, 300, 1000, 3000)
WORKERS = (4, 5, 10, 20, 60)
SEED = 20260101
DRAWS = 1000

MEANS = (15.0, 10.5)  # minutes a case
LOG_SD = 0.8
CORRELATION = 0.1
ERROR_RATES = (0.05, 0.05)
SEVERITIES = np.array((0.90, 0.09, 0.0095, 0.0005))
POLICY = Policy()
ECONOMICS = Economics(
    horizon=36,
    discount=0.08,
    labour=42.0,
    cases_per_month=2000.0,
    cash=0.2,
    redeployed=0.3,
    realisation_known=True,
    ceiling=0.75,
    ramp=6.0,
    error_cost=(34.0,)
    * 4,  # one for all: else a critical error in one pilot of a thousand sets the standard error
    error_credit=True,
    lines=(),
    contingency=0.0,
    pilot_cost=0.0,
    wind_down=0.0,
    smallest_saving=POLICY.smallest_saving_minutes,
)
NO_CAUSES = find_causes(None, draws=DRAWS, seed=SEED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of the table.

    Attributes:
        cases: Cases of both arms, half in each.
        workers: Workers of both arms; None for cases without one.
        design: "within" (workers work both arms), "between" (workers are assigned to arms) or "cases".
    """

    cases: int
    workers: int | None
    design: str


def cells() -> list[Cell]:
    """The cells in which every worker has a case in each of their arms."""
    found = []
    for n in CASES:
        found.append(Cell(cases=n, workers=None, design="cases"))
        for design in ("within", "between"):
            found += [Cell(cases=n, workers=w, design=design) for w in WORKERS if n >= 2 * w]
    return found


def true_worth() -> float:
    """Worth of the roll-out at the truth that pilots are drawn from."""
    one = np.ones(1)
    scope = Scope(
        segments=(ALL,),
        share=1.0,
        minutes_saved=(MEANS[0] - MEANS[1]) * one,
        error_rate=(ERROR_RATES[0] * one, ERROR_RATES[1] * one),
        agent_cost=None,
    )
    stream = stream_of(scope, ECONOMICS, np.broadcast_to(SEVERITIES, (2, 1, 4)))
    assert stream is not None
    return float(present_value(stream, ECONOMICS, Schedule())[0])


def worth_of(moments: Moments, *, seed: int) -> Floats:
    """The package's draws of what rolling out is worth, shape (DRAWS,)."""
    measured = measure(
        moments,
        assumptions=Assumptions(values={}, entries={}),
        assignment="randomised",
        mix=None,
        stand_in=(),
        currency="EUR",
        severity_mix=SEVERITIES,
        bias_sd=0.0,
        draws=DRAWS,
        seed=seed,
    )
    option = Valuer(measured=measured, economics=ECONOMICS, causes=NO_CAUSES, remedies=()).roll_out()
    assert option is not None
    return option.worth


def error_rates(cell: Cell, *, pilots: int, seed: int) -> tuple[float, float]:
    """Share of pilots wrongly scaled at a truth one standard error below the hurdle, and killed at one above."""
    rng = np.random.default_rng([seed, cell.cases, cell.workers or 0, len(cell.design)])
    found = np.empty((pilots, DRAWS))
    for i in range(pilots):
        pilot = drawn_pilot(
            rng,
            cases=cell.cases,
            workers=cell.workers,
            within=cell.design == "within",
            means=MEANS,
            log_sd=LOG_SD,
            correlation=CORRELATION,
            error_rates=ERROR_RATES,
            severities=tuple(SEVERITIES),
        )
        found[i] = worth_of(pilot, seed=i)
    truth, error = true_worth(), float(found.mean(axis=1).std())
    scaled = (found > truth + error).mean(axis=1) >= POLICY.scale_probability
    killed = (found > truth - error).mean(axis=1) <= POLICY.kill_probability
    return float(scaled.mean()), float(killed.mean())


def main() -> None:
    """Print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pilots", type=int, default=1500, help="simulated pilots a cell")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=ROOT / "roi" / "verdict_error_rates.csv")
    how = parser.parse_args()
    began = time.perf_counter()
    rows = []
    print(f"{'cases':>6} {'workers':>8} {'design':<8} {'false scale':>12} {'false kill':>11}")
    for cell in cells():
        scaled, killed = error_rates(cell, pilots=how.pilots, seed=how.seed)
        print(
            f"{cell.cases:>6} {cell.workers or '-':>8} {cell.design:<8} {scaled:>12.1%} {killed:>11.1%}",
            flush=True,
        )
        rows.append(
            {
                "cases": cell.cases,
                "workers": "" if cell.workers is None else cell.workers,
                "design": cell.design,
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
