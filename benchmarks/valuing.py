"""How long a million draws of a plan's worth take, beside the same model as a matrix of draws and months.

    uv run python benchmarks/valuing.py

Twelve inputs are uncertain: minutes saved, both error rates, agent cost, demand, labour cost, cash, redeployed time,
adoption, its ramp, the discount rate and the monthly cost; a one-off cost is exact. Over 36 months the package values
them in closed form (`stream_of`, `present_value`), a chunk of draws at a time; beside it stands what a spreadsheet
does, each month of each draw by itself, on the same draws and one core, likewise in chunks, which is the faster way for
it too. Times are processor time, medians of runs that alternate. Exits with 1 where valuing takes 0.15 s or more beyond
drawing, where it is less than 15 times faster than the matrix, or where the two disagree.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402

from roi.cashflow import Schedule, present_value, stream_of  # noqa: E402
from roi.draws import stream, uniforms  # noqa: E402
from roi.economics import CostLine, Economics  # noqa: E402
from roi.measured import Scope  # noqa: E402
from roi.uncertain import interval, pert  # noqa: E402

Floats = npt.NDArray[np.float64]

DRAWS, MONTHS, CHUNK, RUNS = 1_000_000, 36, 16_384, 7
MOST_SECONDS, LEAST_RATIO = 0.15, 15.0
ONE_OFF, ERROR_COST = 60_000.0, 34.0
INPUTS = {
    "minutes": interval(1.0, 6.0, "real"),
    "errors_before": interval(0.03, 0.07, "share"),
    "errors_after": interval(0.02, 0.06, "share"),
    "agent": interval(0.05, 0.12, "positive"),
    "demand": interval(15_000, 19_500, "positive"),
    "labour": interval(39, 45, "positive"),
    "cash": pert(0.05, 0.2, 0.35, "share"),
    "redeployed": pert(0.15, 0.3, 0.5, "share"),
    "ceiling": interval(0.65, 0.85, "share"),
    "ramp": pert(3.0, 6.0, 12.0, "positive"),
    "discount": pert(0.05, 0.08, 0.12, "share"),
    "monthly": interval(4_000, 7_000, "positive"),
}


def drawn(n: int) -> dict[str, Floats]:
    """Draws of the inputs, each shape (n,)."""
    return {name: value.quantile(uniforms(n, stream(1, name))) for name, value in INPUTS.items()}


def chunks(inputs: dict[str, Floats], size: int = CHUNK) -> Iterator[tuple[slice, dict[str, Floats]]]:
    """The draws, some at a time."""
    n = inputs["minutes"].size
    for start in range(0, n, size):
        some = slice(start, min(start + size, n))
        yield some, {name: values[some] for name, values in inputs.items()}


def closed_form(inputs: dict[str, Floats]) -> Floats:
    """Worth of each draw, by the package."""
    worth = np.empty(inputs["minutes"].size)
    for some, x in chunks(inputs):
        economics = Economics(
            horizon=MONTHS,
            discount=x["discount"],
            labour=x["labour"],
            cases_per_month=x["demand"],
            cash=x["cash"],
            redeployed=x["redeployed"],
            realisation_known=True,
            ceiling=x["ceiling"],
            ramp=x["ramp"],
            error_cost=(ERROR_COST,),
            error_credit=True,
            lines=(
                CostLine(
                    name="m",
                    kind="support",
                    amount=x["monthly"],
                    per="month",
                    seats=0.0,
                    month=0,
                    contingent=False,
                ),
                CostLine(
                    name="o", kind="data", amount=ONE_OFF, per="once", seats=0.0, month=0, contingent=False
                ),
            ),
            contingency=0.0,
            pilot_cost=0.0,
            wind_down=0.0,
            smallest_saving=0.0,
        )
        scope = Scope(
            segments=("all",),
            share=1.0,
            minutes_saved=x["minutes"],
            error_rate=(x["errors_before"], x["errors_after"]),
            agent_cost=x["agent"],
        )
        a_month = stream_of(scope, economics, np.ones((2, x["minutes"].size, 1)))
        assert a_month is not None
        worth[some] = present_value(a_month, economics, Schedule())
    return worth


def matrix(inputs: dict[str, Floats], size: int = DRAWS) -> Floats:
    """Worth of each draw, month by month, so many draws at a time."""
    worth = np.empty(inputs["minutes"].size)
    month = np.arange(1, MONTHS + 1)
    for some, x in chunks(inputs, size):
        both = np.clip(x["cash"] + x["redeployed"], 0, 1)
        saved = np.where(x["minutes"] > 0, x["minutes"] * both, x["minutes"])
        case = saved * x["labour"] / 60 + (x["errors_before"] - x["errors_after"]) * ERROR_COST - x["agent"]
        adopted = np.clip((month - 0.5) / x["ramp"][:, None], 0, 1)
        net = adopted * (case * x["demand"] * x["ceiling"])[:, None] - x["monthly"][:, None]
        worth[some] = (net * (1 + x["discount"])[:, None] ** (-month / 12)).sum(axis=1) - ONE_OFF
    return worth


def seconds(function: Callable[[], object]) -> float:
    """Processor time of one call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def main() -> int:
    """Print the table; 1 where a bar is missed."""
    inputs = drawn(DRAWS)
    drawing = seconds(lambda: drawn(DRAWS))
    gap = float(np.abs(closed_form(inputs) - matrix(inputs)).max())
    ours, theirs, chunked = [], [], []
    for _ in range(RUNS):
        ours.append(seconds(lambda: closed_form(inputs)))
        theirs.append(seconds(lambda: matrix(inputs)))
        chunked.append(seconds(lambda: matrix(inputs, CHUNK)))
    took, ratio = statistics.median(ours), statistics.median(t / o for o, t in zip(ours, theirs, strict=True))
    print(f"{DRAWS:,} draws of {len(INPUTS)} inputs over {MONTHS} months")
    print(f"  drawing                  {drawing:8.3f} s")
    print(f"  closed form              {took:8.3f} s   (bar: under {MOST_SECONDS} s)")
    print(f"  draws x months           {statistics.median(theirs):8.3f} s")
    print(f"  the same in chunks       {statistics.median(chunked):8.3f} s")
    print(f"  ratio                    {ratio:8.1f}     (bar: at least {LEAST_RATIO:g})")
    print(f"  largest difference       {gap:8.1e}     (bar: at most 1e-6)")
    passed = took < MOST_SECONDS and ratio >= LEAST_RATIO and gap <= 1e-6
    print("PASS" if passed else "FAIL")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
