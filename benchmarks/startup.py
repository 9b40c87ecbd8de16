"""How long one decision takes, beside importing the libraries an analyst would start from.

    uv run python benchmarks/startup.py

Prints ratios of medians within one run: a decision on the command line against
`python -c "import pandas, scipy.stats"`, by the clock and by processor time (which says more where others use the
machine), and the computing itself (300 cases, 10,000 draws) in milliseconds. What was compiled once serves every run,
as it does wherever a package is installed, so PYTHONDONTWRITEBYTECODE is not passed on.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

RUNS = 5


ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def taken(*arguments: str) -> tuple[float, float]:
    """Seconds by the clock, and of processors, that a program takes."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, *arguments]
    subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def start_up() -> None:
    names = sorted(p.stem for p in (ROOT / "params").glob("[!_]*.yaml"))
    peer = ("-c", "import pandas, scipy.stats")
    taken(*peer)
    for name in names:
        decide = ("-c", "from roi.cli import main; main()", "decide", f"params/{name}.yaml", "--json")
        taken(*decide)
        pairs = [(taken(*decide), taken(*peer)) for _ in range(RUNS)]
        clock, processor = (
            statistics.median(a[i] for a, _ in pairs) / statistics.median(b[i] for _, b in pairs)
            for i in (0, 1)
        )
        print(
            f"roi decide params/{name}.yaml --json: {clock:.2f} x importing pandas and scipy.stats "
            f"({processor:.2f} x by processor time)",
            flush=True,
        )


def computing() -> None:
    from pilots import cases, write_pilot

    from roi import analysis
    from roi.parameters import load_parameters
    from roi.record import build_record
    from roi.samples import open_samples

    queries = 0.0

    def timed(function):
        def run(*arguments, **named):
            nonlocal queries
            start = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                queries += time.perf_counter() - start

        return run

    analysis.take = timed(analysis.take)  # what asks the engine
    with tempfile.TemporaryDirectory() as folder:
        loaded = load_parameters(write_pilot(Path(folder), cases(300), {"run": {"draws": 10000}}))
        samples = open_samples(loaded)
        times: dict[str, list[float]] = {"queries": [], "draws": [], "record": []}
        for _ in range(RUNS + 2):
            queries, start = 0.0, time.perf_counter()
            found = analysis.analyse(loaded, samples)
            times["draws"].append(time.perf_counter() - start - queries)
            times["queries"].append(queries)
            start = time.perf_counter()
            build_record(found)
            times["record"].append(time.perf_counter() - start)
    middle = {k: 1000 * statistics.median(v[2:]) for k, v in times.items()}
    print(
        f"300 cases, 10,000 draws: draws, money, gates and verdict {middle['draws']:.0f} ms; moments and control "
        f"logs in the engine {middle['queries']:.0f} ms; the record {middle['record']:.0f} ms"
    )


if __name__ == "__main__":
    computing()
    start_up()
