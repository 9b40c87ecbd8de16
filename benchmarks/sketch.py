"""How often the sketch in a page agrees with a whole decision, over random moves of the examples.

    uv run python benchmarks/sketch.py [moves] [pilot ...]

Each move puts every dial to a place that a reader could choose, all as likely, and decides the pilot again with its
inputs moved in the same way.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from moved_sketches import moves, sketched  # noqa: E402

from roi.pilot import open_pilot  # noqa: E402
from roi.sketch import sketch_of  # noqa: E402


def main(n: int, pilots: list[str]) -> None:
    """Print a line a pilot, and one of all."""
    every: Counter[str] = Counter()
    print(
        f"{'pilot':20} {'same':>5} {'untold':>7} {'wrong':>6} {'worth off':>10} {'chance off':>11} {'ms':>5} {'kB':>5}"
    )
    for file in sorted((ROOT / "params").glob("[!_]*.yaml")):
        if pilots and file.stem not in pilots:
            continue
        decision = open_pilot(file).decision
        a, sensitivity = decision.analysis, decision.record["sensitivity"]
        began = time.process_time()
        sketch_of(a, sensitivity)
        took = 1000 * (time.process_time() - began)
        sketch = sketched(a)
        size = len(str(sketch)) / 1000
        counts: Counter[str] = Counter()
        worths, chances = [], []
        for found, again in moves(a, sketch, n, seed=11):
            same = found.verdict == again.verdict.verdict
            counts["untold" if found.verdict is None else "same" if same else "wrong"] += 1
            assert again.scale is not None
            worth = again.scale.worth
            wide = float(np.ptp(np.percentile(worth, [10, 90])))
            worths.append(abs(found.worth[0] - float(worth.mean())) / wide)
            chances.append(abs(found.chance[0] - again.scale.chance(sketch["hurdle"])))
        every += counts
        print(
            f"{file.stem:20} {counts['same']:5} {counts['untold']:7} {counts['wrong']:6} {max(worths):9.1%} "
            f"{max(chances):10.1%} {took:6.0f} {size:5.0f}"
        )
    print(f"{'all':20} {every['same']:5} {every['untold']:7} {every['wrong']:6}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60, sys.argv[2:])
