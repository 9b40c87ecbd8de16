"""The set of remedies: agreement with every set valued in turn, and the time that 20 remedies with a budget take.

    uv run python benchmarks/remedies.py --problems 500

Problems are made to order (`tests/made_remedies.py`): causes with uncertain shares, closed gates, remedies that wait
for one another, of uncertain price, effect and length, and one in twenty without a price. Agreement is at 1,000 draws,
time at 10,000.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from made_remedies import Problem, brute_force, decided, problem  # noqa: E402

import roi.remedy_sets  # noqa: E402
from roi.plans import Plan  # noqa: E402
from roi.remedies import Remedy  # noqa: E402
from roi.remedy_sets import RemedySets  # noqa: E402
from roi.set_order import Best  # noqa: E402

MOST = 12


def agrees(best: Best, brute: float | None) -> bool:
    """Whether the search found what valuing every set does."""
    if best.plan is None or brute is None:
        return best.plan is None and brute is None
    return abs(best.worth - brute) <= 1e-9 * max(abs(brute), 1.0)


def sharing(found: Problem, seen: dict[frozenset[str], Plan | None]) -> RemedySets:
    """The sets to search, which take the plans that brute force has valued: both would value them in the same way.

    What is held against brute force are the bounds, the looks and the order of the search.
    """
    sets = found.sets()
    own = sets.valued

    def valued(chosen: tuple[Remedy, ...]) -> Plan | None:
        # Where weeks are uncertain the search bounds sets that take too long on average, and leaves them out later.
        names = frozenset(r.name for r in chosen)
        return seen[names] if names in seen else own(chosen)

    object.__setattr__(sets, "valued", valued)
    return sets


def agreement(problems: int, first: int) -> None:
    """Print how often the search finds the best set of all, and what it says of it."""
    start, busy = time.perf_counter(), time.process_time()
    roi.remedy_sets.FEW = 0  # bound and search even where there are so few sets that all would be valued
    same = plans = certain = sets = valued = 0
    for seed in range(first, first + problems):
        rng = np.random.default_rng(seed)
        found = problem(rng, int(rng.integers(1, MOST + 1)))
        seen: dict[frozenset[str], Plan | None] = {}
        brute = brute_force(found, seen)
        searched = sharing(found, seen)
        for kind, best in (("priced", brute[0]), ("waiting", brute[1])):
            mine = searched.best(kind)  # type: ignore[arg-type]
            alike = agrees(mine, None if best is None else best.mean())
            if not alike:
                print(
                    f"  seed {seed}, {kind}: found {mine.worth!r}, every set valued {best and best.mean()!r}",
                    flush=True,
                )
            same += alike
            certain += mine.gap == 0
            plans += best is not None
        sets += searched.sets.size
        valued += len(searched._plans)
    print(
        f"{problems} problems of 1 to {MOST} remedies, each for plans at a price and plans that wait for one:"
    )
    print(
        f"  as every set valued in turn: {same} of {2 * problems} ({plans} with a plan), said to be certain: {certain}"
    )
    print(f"  {valued:,} of {sets:,} sets valued in full by the search")
    print(
        f"  {time.perf_counter() - start:.0f} s ({time.process_time() - busy:.0f} s of processor)", flush=True
    )


def paying(seed: int, remedies: int) -> Problem:
    """A pilot that pays after some of its remedies, with a budget for about half of them."""
    rng = np.random.default_rng(seed)
    return problem(rng, remedies, pilot=decided(seed % 4, 10_000, 8.0, 30_000.0), gates=1, budget=150_000.0)


def timed(problems: int) -> None:
    """Print the time that the search takes with 20 remedies, and that of brute force with 12."""
    roi.remedy_sets.FEW = 64
    seconds, processor, gaps, worths, sets = [], [], [], [], []
    for seed in range(problems):
        searched = paying(seed, 20).sets()
        start, busy = time.perf_counter(), time.process_time()
        best = searched.best("priced")
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - busy)
        gaps.append(best.gap)
        worths.append(best.worth)
        sets.append(searched.sets.size)
        sampled = best.plan is not None and any(m.gate == "value" for m in best.plan.measures)
        print(
            f"  problem {seed}: {searched.sets.size:7,} sets, {len(searched._looks):4} looked at, "
            f"{len(searched._plans):3} valued, {seconds[-1]:.2f} s ({processor[-1]:.2f} s of processor), "
            f"worth {best.worth:,.0f}, gap {best.gap:,.0f}{', needs a further sample' if sampled else ''}"
        )
    found = paying(1, MOST)
    remedies = tuple(replace(r, after=()) for r in found.valuer.remedies)
    policy = found.policy.model_copy(update={"fix_budget": None, "fix_weeks": None})
    found = replace(found, valuer=replace(found.valuer, remedies=remedies), policy=policy)
    start, busy = time.perf_counter(), time.process_time()
    brute_force(found)
    whole, whole_busy = time.perf_counter() - start, time.process_time() - busy
    print(
        f"20 remedies with a budget, 10,000 draws: median {np.median(seconds):.2f} s, most {max(seconds):.2f} s "
        f"(processor {np.median(processor):.2f} and {max(processor):.2f} s), certain in "
        f"{sum(g == 0 for g in gaps)} of {problems}"
    )
    print(
        f"every set of 12 remedies valued in turn ({1 << MOST:,} sets): {whole:.1f} s "
        f"(processor {whole_busy:.1f} s), {whole_busy / float(np.median(processor)):.0f} times as long"
    )


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=500, help="problems that are valued set by set")
    parser.add_argument("--first", type=int, default=0, help="seed of the first of them")
    parser.add_argument("--timed", type=int, default=12, help="problems of 20 remedies")
    given = parser.parse_args()
    if given.timed:
        timed(given.timed)
    if given.problems:
        agreement(given.problems, given.first)


if __name__ == "__main__":
    main()
