"""What a move of a slider costs in the kernel: processor time of the sketch that is drawn at once, and of the decision.

    uv run python benchmarks/slider.py [PILOT...]

Prints, by example, medians over random moves in milliseconds of processor time, the size of the picture that is sent,
and how many times the decision of a move is cheaper than one in which every plan is valued, as for a record.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from roi.again import decide_again
from roi.explore import Explorer, Setting
from roi.explore.picture import picture_of
from roi.explore.setting import applied
from roi.parameters import find_parameter_files
from roi.pilot import open_pilot

MOVES = 26


def of_a_move(explorer: Explorer, setting: Setting) -> tuple[float, float, float, int]:
    """Milliseconds of sketch and picture, of the decision, and of one that values every plan; bytes of the picture."""
    start = time.process_time()
    picture = picture_of({"now": explorer.sketch(setting)}, hurdle=explorer.a.loaded.policy.hurdle)
    sketched = time.process_time()
    explorer.seen(explorer.decide(setting))
    decided = time.process_time()
    loaded, assumptions = applied(explorer.a, setting)
    decide_again(explorer.a, loaded=loaded, assumptions=assumptions)
    whole = time.process_time()
    return (
        1e3 * (sketched - start),
        1e3 * (decided - sketched),
        1e3 * (whole - decided),
        len(picture.encode()),
    )


def main() -> None:
    """Move the dials of each pilot, one at a time, to random places."""
    print(f"{'pilot':20}{'sketch + picture':>18}{'decision':>10}{'× every plan':>14}{'picture kB':>12}")
    for name in sys.argv[1:] or [Path(p).stem for p in find_parameter_files(["params"])]:
        explorer = Explorer(open_pilot(name).decision.analysis)
        rng = np.random.default_rng(1)
        of_a_move(explorer, Setting().with_dial(explorer.dials[0], explorer.dials[0].high))  # worked out once
        found = []
        for k in range(MOVES):
            dial = explorer.dials[k % len(explorer.dials)]
            found.append(of_a_move(explorer, Setting().with_dial(dial, rng.uniform(dial.low, dial.high))))
        a, b, c, _ = (float(x) for x in np.median(found, axis=0))
        largest = max(size for *_, size in found) / 1e3
        print(f"{name:20}{a:18.1f}{b:10.1f}{c / b:14.1f}{largest:12.1f}", flush=True)


if __name__ == "__main__":
    main()
