"""How long one decision takes, beside importing the libraries an analyst would start from.

    uv run python benchmarks/startup.py

Prints ratios of medians within one run: a decision on the command line against
`python -c "import pandas, scipy.stats"`, and the computing itself (300 cases, 10,000 draws) in milliseconds.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

RUNS = 5


def wall(*arguments: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def start_up() -> None:
    names = sorted(p.stem for p in (ROOT / "params").glob("[!_]*.yaml"))
    peer = ("-c", "import pandas, scipy.stats")
    wall(*peer)
    for name in names:
        decide = ("-c", "from roi.cli import main; main()", "decide", f"params/{name}.yaml", "--json")
        wall(*decide)
        pairs = [(wall(*decide), wall(*peer)) for _ in range(RUNS)]
        ratio = statistics.median(a for a, _ in pairs) / statistics.median(b for _, b in pairs)
        print(f"roi decide params/{name}.yaml --json: {ratio:.2f} x importing pandas and scipy.stats")


def computing() -> None:
    from pilots import cases, write_pilot

    from roi.analysis import analyse
    from roi.parameters import load_parameters
    from roi.record import build_record
    from roi.reduce import take_moments
    from roi.samples import open_samples

    with tempfile.TemporaryDirectory() as folder:
        loaded = load_parameters(write_pilot(Path(folder), cases(300), {"run": {"draws": 10000}}))
        samples = open_samples(loaded)
        times: dict[str, list[float]] = {"moments": [], "whole": [], "record": []}
        for _ in range(RUNS + 2):
            start = time.perf_counter()
            take_moments(samples)
            times["moments"].append(time.perf_counter() - start)
            start = time.perf_counter()
            analysis = analyse(loaded, samples)
            times["whole"].append(time.perf_counter() - start)
            start = time.perf_counter()
            build_record(analysis)
            times["record"].append(time.perf_counter() - start)
    middle = {k: 1000 * statistics.median(v[2:]) for k, v in times.items()}
    print(
        f"300 cases, 10,000 draws: moments, controls, draws, money and verdict {middle['whole']:.0f} ms, "
        f"of which moments {middle['moments']:.0f} ms; the record {middle['record']:.0f} ms"
    )


if __name__ == "__main__":
    computing()
    start_up()
