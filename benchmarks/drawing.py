"""How long the joint draws take, beside a cluster bootstrap of the same statistics.

    uv run python benchmarks/drawing.py

Four statistics of 10,000 cases of 200 workers who work both arms, at 10,000 draws: mean human minutes in each arm, the
agent's cost per pilot case and the pilot's error rate. The package draws them from the moments (`cell_draws`, then the
exact ends of the rate); `arch` resamples the 200 workers' sums and divides. Both start from the same sums and run on
one core; ratios are medians over pairs of runs within one process, in processor time, so that a busy machine slows
both. Exits with 1 where the package is less than 20 times faster, or where the two disagree on an error.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
# Without this folder: numba, which arch imports, would take coverage.py in it for the package of that name.
sys.path[:] = [str(ROOT), str(ROOT / "tests"), *(p for p in sys.path if Path(p).resolve() != HERE)]

import numpy as np  # noqa: E402
from made_moments import drawn_pilot  # noqa: E402
from scipy.special import gammaincinv  # noqa: E402

from roi.cells import CellDraws, cell_draws, degrees_of_freedom  # noqa: E402
from roi.draws import joint_t_draws, stream, uniforms  # noqa: E402
from roi.marginals import rate_draws  # noqa: E402
from roi.moments import Moments  # noqa: E402
from roi.rates import draw_rates  # noqa: E402
from roi.scores import Column, scores_of  # noqa: E402

CASES, WORKERS, DRAWS = 10_000, 200, 10_000
PAIRS = 9
BAR = 20.0
ONE = np.ones(1)
SEVERITY_MIX = np.array((0.90, 0.09, 0.0095, 0.0005))
Floats = np.typing.NDArray[np.float64]


def spent(function: Callable[[], object]) -> float:
    """Milliseconds of processor time of one call."""
    start = time.process_time()
    function()
    return 1000 * (time.process_time() - start)


def middle(function: Callable[[], object], runs: int = 15) -> float:
    return statistics.median(spent(function) for _ in range(runs))


def drawn(moments: Moments) -> tuple[CellDraws, Floats]:
    """The four statistics as the package draws them."""
    cells = cell_draws(moments, ONE, draws=DRAWS, seed=1)
    return cells, shaped(moments, cells)


def shaped(moments: Moments, cells: CellDraws) -> Floats:
    pilot = moments.arm == 1
    hits, n = float(moments.outcome[pilot, 1].sum()), float(moments.labelled[pilot].sum())
    return rate_draws(cells.rates[Column(1, 0, "error")], cells.df, hits + 0.5, n - hits + 0.5, 0.5)


def sums(moments: Moments) -> Floats:
    """What each worker adds above and below the line of each of the four ratios, shape (workers, 8)."""
    human = moments.statistics.index("human_minutes")
    cost = next(i for i, name in enumerate(moments.statistics) if name.startswith("agent_cost:"))
    wanted = [
        (0, moments.total[:, human], moments.count[:, human]),
        (1, moments.total[:, human], moments.count[:, human]),
        (1, moments.total[:, cost], moments.count[:, cost]),
        (1, moments.outcome[:, 1], moments.labelled),
    ]
    columns = [
        np.bincount(moments.unit[moments.arm == arm], weights=x[moments.arm == arm], minlength=WORKERS)
        for part in (1, 2)
        for arm, x in ((w[0], w[part]) for w in wanted)
    ]
    return np.stack(columns, axis=1)


def resampled(of_workers: Floats) -> Floats:
    """The same by arch: the form of the call that is fastest, one array and all four ratios at once."""
    from arch.bootstrap import IIDBootstrap

    def ratios(x: Floats) -> Floats:
        total = x.sum(axis=0)
        return np.asarray(total[:4] / total[4:])

    return np.asarray(IIDBootstrap(of_workers, seed=np.random.default_rng(1)).apply(ratios, DRAWS))


def main() -> int:
    warnings.simplefilter("ignore")
    moments = drawn_pilot(np.random.default_rng(1), cases=CASES, workers=WORKERS, mean_cost=0.3)
    of_workers = sums(moments)
    cells, _ = drawn(moments)
    errors = resampled(of_workers).std(axis=0)  # both have run once before they are timed
    pairs = [(spent(lambda: drawn(moments)), spent(lambda: resampled(of_workers))) for _ in range(PAIRS)]
    ratio = statistics.median(theirs / ours for ours, theirs in pairs)
    ours, theirs = (statistics.median(x) for x in zip(*pairs, strict=True))
    print(f"four statistics, {CASES} cases, {WORKERS} workers, {DRAWS} draws; ms of processor time, medians")
    print(f"arch, cluster bootstrap of the workers' sums  {theirs:8.1f}")
    print(f"roi, joint draws from the moments             {ours:8.1f}")
    print(f"ratio                                         {ratio:8.1f}  (bar: at least {BAR:.0f})")

    scores = scores_of(moments, ONE)
    size = len(scores.columns)
    parts = {
        "scores and covariance": middle(lambda: scores_of(moments, ONE).covariance),
        "degrees of freedom": middle(lambda: degrees_of_freedom(scores, moments, ONE)),
        f"joint t of {size} columns": middle(
            lambda: joint_t_draws(np.eye(size), cells.df, DRAWS, stream(1, "cells"))
        ),
        "exact ends of the rate": middle(lambda: shaped(moments, cells)),
    }
    whole = middle(lambda: drawn(moments))
    parts["range, shapes, the rest"] = max(whole - sum(parts.values()), 0.0)
    for name, value in parts.items():
        print(f"  {name:<44}{value:8.2f}  {value / whole:4.0%}")
    quantiles = middle(
        lambda: (
            gammaincinv(cells.df / 2, uniforms(DRAWS // 2, stream(1, "t"))) if np.isfinite(cells.df) else None
        )
    )
    print(f"  of the joint t, quantiles of the chi-square {quantiles:10.2f}")
    every = middle(lambda: draw_rates(moments, SEVERITY_MIX, draws=DRAWS, seed=1, cells=cells))
    print(f"beside it: every rate of both arms and the severities {every:.1f} ms")

    deviation = cells.deviation["human_minutes"]
    cost = next(v for k, v in cells.deviation.items() if k.startswith("agent_cost:"))
    found = np.array([deviation[0, 0], deviation[1, 0], cost[1, 0]])
    alike = bool(np.allclose(found, errors[:3], rtol=0.05))
    print(f"standard errors, ours over the bootstrap's: {', '.join(f'{x:.3f}' for x in found / errors[:3])}")
    if not alike:
        print("the two do not estimate the same errors")
    if not ratio >= BAR:
        print("FAILED")
    return 0 if alike and ratio >= BAR else 1


if __name__ == "__main__":
    raise SystemExit(main())
