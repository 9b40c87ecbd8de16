"""What a move of a slider costs in the kernel: processor time of the sketch that is drawn at once, and of the decision.

    uv run python benchmarks/slider.py [PILOT...]

Prints, by example, medians over random moves in milliseconds of processor time, the size of the picture that is sent, and
how many times the decision of a move is cheaper than one in which every plan is valued, as for a record.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from roi.again import decide_again
from roi.explore import Explorer, Setting
from roi.explore.picture import picture_of
from roi.explore.setting import applied
from roi.pilot import open_pilot

SIX = (
    "claims_intake",
    "contract_summaries",
    "invoice_coding",
    "payment_repair",
    "permit_intake",
    "support_replies",
)
MOVES = 26


def milliseconds(action: Callable[[], object]) -> float:
    """Processor time of a call."""
    start = time.process_time()
    action()
    return 1e3 * (time.process_time() - start)


def main() -> None:
    """Move the dials of each pilot, one at a time, to random places."""
    print(f"{'pilot':20}{'sketch + picture':>18}{'decision':>10}{'× every plan':>14}{'picture kB':>12}")
    for name in sys.argv[1:] or SIX:
        explorer = Explorer(open_pilot(name).decision.analysis)
        hurdle, rng = explorer.a.loaded.policy.hurdle, np.random.default_rng(1)
        explorer.decide(
            Setting().with_dial(explorer.dials[0], explorer.dials[0].high)
        )  # what is worked out once
        sketched, decided, whole, sizes = [], [], [], []
        for k in range(MOVES):
            dial = explorer.dials[k % len(explorer.dials)]
            setting = Setting().with_dial(dial, rng.uniform(dial.low, dial.high))
            made: list[str] = []
            sketched.append(
                milliseconds(
                    lambda s=setting, m=made: m.append(picture_of({"now": explorer.sketch(s)}, hurdle=hurdle))
                )
            )
            sizes.append(len(made[0].encode()))
            decided.append(milliseconds(lambda s=setting: explorer.seen(explorer.decide(s))))
            loaded, assumptions = applied(explorer.a, setting)
            whole.append(
                milliseconds(
                    lambda x=loaded, y=assumptions: decide_again(explorer.a, loaded=x, assumptions=y)
                )
            )
        a, b, c = (float(np.median(x)) for x in (sketched, decided, whole))
        print(f"{name:20}{a:18.1f}{b:10.1f}{c / b:14.1f}{max(sizes) / 1e3:12.1f}", flush=True)


if __name__ == "__main__":
    main()
