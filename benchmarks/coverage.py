"""Do the intervals hold the truth as often as they say? Simulated pilots of known truth, cell by cell.

Prints a table of every cell, beside it a percentile cluster bootstrap and a naive t interval (coverage and width), and
what failed. A cell fails where it lies outside its bar by more than two Monte-Carlo errors. Exit code 1 if one fails.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from made_moments import drawn_pilot  # noqa: E402

from roi.assumptions import Assumptions  # noqa: E402
from roi.cashflow import Schedule, present_value, stream_of  # noqa: E402
from roi.draws import stream, uniforms  # noqa: E402
from roi.economics import CostLine, Economics  # noqa: E402
from roi.measured import Measured, Scope, measure  # noqa: E402
from roi.moments import ALL, Moments  # noqa: E402
from roi.rates import severe_errors  # noqa: E402
from roi.severities import severity_draws  # noqa: E402
from roi.uncertain import Uncertain, interval, pert  # noqa: E402

Floats = npt.NDArray[np.float64]

SEED = 20260101
DRAWS = 1000
CHUNK = 250
COMPARED = 1000  # pilots of a cell that the two other intervals are computed for
RESAMPLES = 400
Z95 = 1.6448536269514722

MEANS = (15.0, 10.0)
COST = 0.8
SEVERITIES = np.array((0.90, 0.09, 0.0095, 0.0005))
MIX = (0.7, 0.2, 0.1)  # of production, where there are three kinds of case; the sample has as many of each
PRICES = (3.0, 36.0, 480.0, 9_000.0)  # of an error by severity: rare ones carry much of the money
RATES = ((0.20, 0.10), (0.05, 0.05), (0.02, 0.02), (0.005, 0.005))
SHAPES = (((0.5, 0.1), (0.8, 0.3), (1.2, 0.0)), ((0.8, 0.0), (1.2, 0.1), (1.2, 0.3)))
ALONE = ((20, 0.5), (50, 0.8), (50, 1.2), (100, 1.2), (300, 0.8), (300, 1.2))

# What is stated, and what its truth is drawn from.
STATED: dict[str, Uncertain] = {
    "cases_per_month": interval(1500, 2700, "positive"),
    "labour": interval(36, 50, "positive"),
    "cash": pert(0.0, 0.2, 0.35, "share"),
    "redeployed": pert(0.1, 0.3, 0.5, "share"),
    "ceiling": interval(0.6, 0.9, "share"),
    "error_cost": interval(0.55, 1.5, "positive"),  # times PRICES
    "one_off": interval(30000, 70000, "positive"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell: a size, a shape of the data and a design.

    Attributes:
        cases: Cases of both arms, half in each.
        workers: Workers of both arms; None for cases without one.
        within: Whether every worker works both arms.
        log_sd: Standard deviation of the logarithm of minutes.
        correlation: Share of that variance that is the worker's, and correlation of outcomes within a worker.
        rates: True error rate by arm.
        pilot_share: Share of the cases (and of workers who work one arm) that the pilot arm has.
        segments: Kinds of case; with several, production has each with the weights of `MIX`.
        severities: True shares of severities; None draws them from what `severity_mix` is taken to say.
        held: Whether it is held to the bars; the others show what the bars' cells do not have.
    """

    cases: int
    workers: int | None
    within: bool
    log_sd: float
    correlation: float
    rates: tuple[float, float]
    pilot_share: float = 0.5
    segments: int = 1
    severities: tuple[float, ...] | None = None
    held: bool = True

    @property
    def label(self) -> str:
        """Its name in the table."""
        how = (
            "cases alone"
            if self.workers is None
            else f"{self.workers} {'within' if self.within else 'between'}"
        )
        shape = f"sd {self.log_sd:.1f} corr {self.correlation:.1f}"
        more = "" if self.pilot_share == 0.5 else f", pilot {self.pilot_share:.0%}"
        more += "" if self.segments == 1 else f", {self.segments} kinds"
        more += "" if self.severities is None else f", critical {self.severities[3]:.2%}"
        return f"{self.cases:>4} {how:<12} {shape} err {100 * self.rates[1]:>4.1f} %{more}"


def cells() -> list[Cell]:
    """Every cell; error rates go round so that each meets each design."""
    found = []
    turn = 0
    for within in (True, False):
        for i, workers in enumerate((4, 6, 10, 20)):
            # Every size meets both sets of shapes, one in each design.
            for log_sd, correlation in SHAPES[(i + within) % 2]:
                cases = 15 * workers
                rates = RATES[turn % len(RATES)]
                turn += 1
                found.append(
                    Cell(
                        cases=cases,
                        workers=workers,
                        within=within,
                        log_sd=log_sd,
                        correlation=correlation,
                        rates=rates,
                    )
                )
    for i, (cases, log_sd) in enumerate(ALONE):
        found.append(
            Cell(
                cases=cases,
                workers=None,
                within=True,
                log_sd=log_sd,
                correlation=0.0,
                rates=RATES[i % len(RATES)],
            )
        )
    return found


def beyond() -> list[Cell]:
    """What the bars' cells do not have: two or three workers, small arms, kinds of case, unlike severities."""
    base = Cell(
        cases=300, workers=20, within=True, log_sd=0.8, correlation=0.1, rates=(0.05, 0.10), held=False
    )
    few = [
        replace(base, cases=60, workers=w, within=within, correlation=c)
        for within in (True, False)
        for w, c in ((2, 0.1), (3, 0.3))
    ]
    small = [
        replace(base, workers=w, within=within, log_sd=sd, correlation=0.1 if w else 0.0, pilot_share=0.15)
        for w, within in ((None, True), (20, True), (20, False))
        for sd in (0.8, 1.2)
    ]
    kinds = [
        replace(base, workers=w, log_sd=sd, correlation=0.1 if w else 0.0, segments=3)
        for w in (None, 10)
        for sd in (0.8, 1.2)
    ]
    unlike = [
        replace(base, workers=None, correlation=0.0, rates=rates, severities=severities)
        for rates in ((0.05, 0.10), (0.10, 0.05))
        for severities in (tuple(SEVERITIES), (0.9525, 0.0475, 0.0, 0.0), (0.865, 0.11, 0.0235, 0.0015))
    ]
    return few + small + kinds + unlike


NAMES = ("minutes", "cost", "error_b", "error_p", "error_diff", "npv")


@dataclass(slots=True, kw_only=True)
class Tally:
    """Misses and widths over the pilots of a cell.

    Attributes:
        pilots: Pilots.
        below: By quantity: truths below the interval.
        above: By quantity: truths above it.
        severe: Pilots whose one-sided bound of severe errors lies below the true rate.
        bootstrap: Of minutes: compared pilots, covered by the bootstrap, by the naive t, and widths relative to ours.
    """

    pilots: int
    below: Floats
    above: Floats
    severe: int
    compared: Floats

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            pilots=self.pilots + other.pilots,
            below=self.below + other.below,
            above=self.above + other.above,
            severe=self.severe + other.severe,
            compared=self.compared + other.compared,
        )


def economics_of(values: dict[str, Any]) -> Economics:
    """The stated inputs as money needs them: draws, or one truth each."""
    return Economics(
        horizon=36,
        discount=0.08,
        labour=values["labour"],
        cases_per_month=values["cases_per_month"],
        cash=values["cash"],
        redeployed=values["redeployed"],
        realisation_known=True,
        ceiling=values["ceiling"],
        ramp=6.0,
        error_cost=tuple(price * values["error_cost"] for price in PRICES),
        error_credit=True,
        lines=(
            CostLine(
                name="Connector",
                kind="integration",
                amount=values["one_off"],
                per="once",
                seats=1.0,
                month=0,
                contingent=False,
            ),
        ),
        contingency=0.0,
        pilot_cost=0.0,
        wind_down=0.0,
        smallest_saving=0.0,
    )


def worth(scope: Scope, economics: Economics, severity: Floats) -> Floats:
    """Worth of rolling out, shape of the scope's draws."""
    money = stream_of(scope, economics, severity)
    assert money is not None
    return present_value(money, economics, Schedule())


def true_worth(cell: Cell, values: dict[str, float], severities: Floats) -> float:
    """Worth at the truth."""
    one = np.ones(1)
    scope = Scope(
        segments=(ALL,),
        share=1.0,
        minutes_saved=(MEANS[0] - MEANS[1]) * one,
        error_rate=(cell.rates[0] * one, cell.rates[1] * one),
        agent_cost=COST * one,
    )
    return float(worth(scope, economics_of(values), np.broadcast_to(severities, (2, 1, 4)))[0])


def measured_of(pilot: Moments, seed: int) -> Measured:
    """The package's own measuring."""
    return measure(
        pilot,
        assumptions=Assumptions(values={}, entries={}),
        assignment="randomised",
        mix=None if len(pilot.segments) == 1 else dict(zip(pilot.segments, MIX, strict=True)),
        stand_in=(),
        currency="EUR",
        severity_mix=SEVERITIES,
        bias_sd=0.0,
        draws=DRAWS,
        seed=seed,
    )


def by_bootstrap(pilot: Moments, rng: np.random.Generator) -> tuple[float, float]:
    """Percentile cluster bootstrap of minutes saved; units are resampled within arms where they worked one only."""
    column = pilot.column("human_minutes")
    size = int(pilot.unit.max()) + 1
    sums, counts = np.zeros((2, size)), np.zeros((2, size))
    np.add.at(sums, (pilot.arm, pilot.unit), pilot.total[:, column])
    np.add.at(counts, (pilot.arm, pilot.unit), pilot.count[:, column])
    both = (counts[0] > 0) & (counts[1] > 0)
    groups = [np.arange(size)] if both.all() else [np.flatnonzero(counts[a] > 0) for a in (0, 1)]
    weight = np.zeros((RESAMPLES, size))
    for members in groups:
        drawn = rng.integers(members.size, size=(RESAMPLES, members.size))
        for row in range(RESAMPLES):
            weight[row, members] = np.bincount(drawn[row], minlength=members.size)
    mean = (weight @ sums.T) / np.maximum(weight @ counts.T, 1)
    low, high = np.percentile(mean[:, 0] - mean[:, 1], [5, 95])
    return float(low), float(high)


def naive(minutes: tuple[Floats, Floats]) -> tuple[float, float]:
    """Welch's t without clusters, with the normal's quantile for its many degrees of freedom."""
    difference = float(minutes[0].mean() - minutes[1].mean())
    error = float(np.sqrt(sum(m.var(ddof=1) / m.size for m in minutes)))
    return difference - Z95 * error, difference + Z95 * error


def simulate(job: tuple[Cell, int, int, int]) -> Tally:
    """Some pilots of a cell."""
    cell, first, pilots, seed = job
    rng = np.random.default_rng(
        [seed, first, cell.cases, cell.workers or 0, cell.within, int(10 * cell.log_sd), cell.segments]
    )
    below, above = np.zeros(len(NAMES)), np.zeros(len(NAMES))
    severe, compared = 0, np.zeros(5)
    stated = {
        name: value.quantile(uniforms(DRAWS, stream(SEED, name))) if not value.is_exact else value.mean
        for name, value in STATED.items()
    }
    # What is stated of severities is what they are taken to be before any is seen.
    possible = severity_draws(np.zeros((2, 4)), SEVERITIES, draws=10_000, seed=SEED)[0]
    for i in range(pilots):
        drawn = possible[rng.integers(len(possible))]
        severities = drawn if cell.severities is None else np.array(cell.severities)
        pilot = drawn_pilot(
            rng,
            cases=cell.cases,
            workers=cell.workers,
            within=cell.within,
            means=MEANS,
            log_sd=cell.log_sd,
            correlation=cell.correlation,
            error_rates=cell.rates,
            severities=tuple(severities),
            mean_cost=COST,
            pilot_share=cell.pilot_share,
            segments=cell.segments,
        )
        measured = measured_of(pilot, seed=first + i)
        scope = measured.scope()
        assert scope.minutes_saved is not None
        assert scope.agent_cost is not None
        base, with_agent = scope.error_rate
        assert base is not None
        assert with_agent is not None
        truths = {name: float(value.quantile(rng.random(1))[0]) for name, value in STATED.items()}
        money = worth(scope, economics_of(stated), measured.rates.severity)
        for j, (draws, truth) in enumerate(
            (
                (scope.minutes_saved, MEANS[0] - MEANS[1]),
                (scope.agent_cost, COST),
                (base, cell.rates[0]),
                (with_agent, cell.rates[1]),
                (base - with_agent, cell.rates[0] - cell.rates[1]),
                (money, true_worth(cell, truths, severities)),
            )
        ):
            low, high = np.percentile(draws, [5, 95])
            below[j] += truth < low
            above[j] += truth > high
            if j == 0 and first + i < COMPARED:
                ours = high - low
                b_low, b_high = by_bootstrap(pilot, rng)
                n_low, n_high = naive_of(pilot, cell)
                truth_ = MEANS[0] - MEANS[1]
                compared += (
                    1,
                    b_low <= truth_ <= b_high,
                    n_low <= truth_ <= n_high,
                    (b_high - b_low) / ours,
                    (n_high - n_low) / ours,
                )
        bound = severe_errors(pilot, np.ones(len(pilot.segments), dtype=bool)).upper
        severe += bound < cell.rates[1] * float(severities[2:].sum())
    return Tally(pilots=pilots, below=below, above=above, severe=severe, compared=compared)


def naive_of(pilot: Moments, cell: Cell) -> tuple[float, float]:
    """The naive interval; moments keep no squares, so that the case-level spread is the population's."""
    column = pilot.column("human_minutes")
    mean, error = np.zeros(2), 0.0
    for arm in (0, 1):
        rows = pilot.arm == arm
        k = float(pilot.count[rows, column].sum())
        mean[arm] = float(pilot.total[rows, column].sum()) / k
        error += mean[arm] ** 2 * float(np.expm1(cell.log_sd**2)) / k
    half = Z95 * float(np.sqrt(error))
    return float(mean[0] - mean[1]) - half, float(mean[0] - mean[1]) + half


def bars(cell: Cell) -> dict[str, tuple[float, float]]:
    """Least and most coverage of each quantity; nothing where it is only printed."""
    if not cell.held:
        return {}
    hard = cell.log_sd == 1.2 and cell.correlation == 0.3
    least = 0.83 if hard else 0.88
    found = {
        "minutes": (least, 1.0 if hard else 0.94),
        "cost": (least, 1.0 if hard else 0.94),
        "npv": (0.87, 0.94),
    }
    if cell.correlation <= 0.1:
        found |= dict.fromkeys(("error_b", "error_p"), (0.87, 1.0))
    return found


def verdicts(cell: Cell, tally: Tally) -> list[str]:
    """What fails in a cell."""
    n = tally.pilots
    failed = []
    for name, (least, most) in bars(cell).items():
        j = NAMES.index(name)
        covered = 1 - (tally.below[j] + tally.above[j]) / n
        if covered < least - 2 * _error(least, n) or covered > most + 2 * _error(most, n):
            failed.append(f"{name} {covered:.1%} outside {least:.0%} to {most:.0%}")
    if cell.held and tally.below[0] / n > 0.065 + 2 * _error(0.065, n):
        failed.append(f"minutes: flattering miss {tally.below[0] / n:.1%}")
    if cell.held and cell.correlation <= 0.1 and tally.severe / n > 0.06 + 2 * _error(0.06, n):
        failed.append(f"severe bound missed {tally.severe / n:.1%}")
    return failed


def _error(share: float, n: int) -> float:
    return float(np.sqrt(share * (1 - share) / n))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--pilots", type=int, default=10_000, help="simulated pilots a cell; a fifth where no bar is held"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument(
        "--only", default="", help="cells whose name holds one of these texts, separated by ;"
    )
    how = parser.parse_args(arguments)
    began = time.perf_counter()
    chosen = [cell for cell in cells() + beyond() if any(text in cell.label for text in how.only.split(";"))]
    pilots = {cell: how.pilots if cell.held else max(how.pilots // 5, 1) for cell in chosen}
    jobs = [
        (cell, first, min(CHUNK, pilots[cell] - first), how.seed)
        for cell in chosen
        for first in range(0, pilots[cell], CHUNK)
    ]
    print(
        f"{'cell':<54} {'minutes':>7} {'(flat.)':>7} {'cost':>6} {'err b':>6} {'err p':>6} {'diff':>6} {'NPV':>6} "
        f"{'(flat.)':>7} {'severe':>6} | {'boot':>6} {'naive':>6} {'width':>5} {'width':>5}"
    )
    failures = 0
    with ProcessPoolExecutor(how.processes) as pool:
        done = iter(pool.map(simulate, jobs))
        for cell in chosen:
            tally = next(done)
            for _ in range(CHUNK, pilots[cell], CHUNK):
                tally = tally + next(done)
            n = tally.pilots
            covered = 1 - (tally.below + tally.above) / n
            compared = tally.compared / max(tally.compared[0], 1)
            print(
                f"{cell.label:<54} {covered[0]:>7.1%} {tally.below[0] / n:>7.1%} "
                + " ".join(f"{c:>6.1%}" for c in covered[1:])
                + f" {tally.below[5] / n:>7.1%} {tally.severe / n:>6.1%} | {compared[1]:>6.1%} {compared[2]:>6.1%} "
                f"{compared[3]:>5.2f} {compared[4]:>5.2f}",
                flush=True,
            )
            for failure in verdicts(cell, tally):
                failures += 1
                print(f"     FAIL {failure}", flush=True)
    print(
        f"{sum(c.held for c in chosen)} cells of {how.pilots:,} pilots, "
        f"{sum(not c.held for c in chosen)} without a bar of a fifth as many: {failures} bars failed; "
        f"{time.perf_counter() - began:.0f} s with {how.processes} processes"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
