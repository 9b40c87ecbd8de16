"""Twelve monthly looks at one pilot, until one of them says scale: the rule that counts looks, and the naive one.

A truth one standard error below the hurdle is meant in standard errors of the whole year's data: those of the first
month, which are larger, put the truth so far down that even the naive rule rarely errs (printed too). Who plans twelve
looks says so at the first (`run.looks: 12`); who counts them as they come (1, 2, …) has the first at no price, and what
it errs by nobody can take back. So the bars are: planned looks at both truths, counted ones at the first month's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from simulator import Cases, Truth, World, decided, draw_cases
from verdict_bars import Bar, Share, each, held, show

from roi.looks import chance_needed
from roi.verdict import Verdict

__all__ = ["looks_bars"]

LOOKS = 12
A_MONTH = 30  # cases of both arms
CHUNK = 50
RULES = ("naive", "counted", "planned", "once")
YEAR, MONTH = "the year's", "the first month's"
TRUTH = Truth()


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Who works the cases.

    Attributes:
        workers: Workers, or None.
        design: As in `draw_cases`.
    """

    workers: int | None
    design: str

    @property
    def label(self) -> str:
        """Its name in tables."""
        return "cases alone" if self.workers is None else f"{self.workers} workers {self.design}"


CREWS = (
    Crew(workers=None, design="cases"),
    Crew(workers=5, design="within"),
    Crew(workers=10, design="within"),
    Crew(workers=10, design="between"),
)


def _drawn(crew: Crew, seed: int) -> Cases:
    rng = np.random.default_rng([seed, crew.workers or 0, len(crew.design), 12])
    return draw_cases(rng, TRUTH, cases=LOOKS * A_MONTH, workers=crew.workers, design=crew.design)


def _worths(task: tuple[Crew, list[int]]) -> list[tuple[float, float]]:
    """Estimated worth after the first month and after the year."""
    crew, seeds = task
    found = []
    for seed in seeds:
        cases = _drawn(crew, seed)
        both = [
            decided(World(per_case=None), cases.first(n).moments()).scale for n in (A_MONTH, LOOKS * A_MONTH)
        ]
        assert both[0] is not None
        assert both[1] is not None
        found.append((both[0].mean(), both[1].mean()))
    return found


def _scales(world: World, cases: Cases, looks: int) -> bool:
    found: Verdict = decided(replace(world, looks=looks), cases.moments()).verdict
    return found.verdict == "scale"


def _looked(task: tuple[Crew, list[int], tuple[World, ...]]) -> list[Counter[str]]:
    """By place of the truth, how often each rule says scale at any look, and the months it takes."""
    crew, seeds, worlds = task
    found: list[Counter[str]] = [Counter() for _ in worlds]
    for seed in seeds:
        cases = _drawn(crew, seed)
        for counts, world in zip(found, worlds, strict=True):
            open_rules = {"naive", "counted", "planned"}
            for look in range(1, LOOKS + 1):
                seen = cases.first(look * A_MONTH)
                if not _scales(world, seen, 1):
                    continue  # a rule that asks for more says no as well
                if look == LOOKS:
                    counts["once"] += 1
                for rule in sorted(open_rules):
                    asked = {"naive": 1, "counted": look, "planned": LOOKS}[rule]
                    if asked == 1 or _scales(world, seen, asked):
                        counts[rule] += 1
                        counts[f"{rule} months"] += look
                        open_rules.discard(rule)
    return found


def looks_bars(*, pilots: int, seed: int, processes: int, quick: bool) -> list[Bar]:
    """Run the block, print its tables and hold it to its bars."""
    crews = CREWS[2:3] if quick else CREWS
    chunks = [
        [seed * 1_000_003 + i for i in range(start, min(start + CHUNK, pilots))]
        for start in range(0, pilots, CHUNK)
    ]
    tasks = [(crew, chunk) for crew in crews for chunk in chunks]
    worths: dict[Crew, list[tuple[float, float]]] = {crew: [] for crew in crews}
    for (crew, _), pairs in zip(tasks, each(_worths, tasks, processes=processes), strict=True):
        worths[crew] += pairs
    places = (
        ("below", YEAR, -1),
        ("below", MONTH, -1),
        ("at", YEAR, 0),
        ("above", YEAR, 1),
        ("above", YEAR, 2),
    )
    places += (("above", YEAR, 3),)
    full = []
    base = TRUTH.worth(World())
    for crew, chunk in tasks:
        month, year = np.std(np.array(worths[crew]), axis=0, ddof=1)
        worlds = tuple(World().at(k * (year if of == YEAR else month) - base) for _, of, k in places)
        full.append((crew, chunk, worlds))
    total = {crew: [Counter[str]() for _ in places] for crew in crews}
    for (crew, _, _), counted in zip(full, each(_looked, full, processes=processes), strict=True):
        for i, counts in enumerate(counted):
            total[crew][i].update(counts)
    for i, (where, of, k) in enumerate(places):
        error = f"{abs(k)} of {of} standard errors {where}" if k else "at"
        rows = []
        for crew in crews:
            counts = total[crew][i]
            months = [
                f"{counts[f'{rule} months'] / counts[rule]:.1f}" if counts[rule] else "-"
                for rule in RULES[:3]
            ]
            rows.append([crew.label, *[f"{100 * counts[r] / pilots:.1f} %" for r in RULES], *months])
        show(
            f"Twelve looks, truth {error} the hurdle: scale at any look; months until then; {pilots} pilots",
            rows,
            ["", *RULES, *[f"months {r}" for r in RULES[:3]]],
        )
    needed = ", ".join(f"{look}: {100 * chance_needed(0.8, look):.1f} %" for look in (1, 2, 3, 6, 12))
    print(f"Chance that scale needs, by looks: {needed}")

    def shares(place: int, rule: str) -> list[Share]:
        return [Share(cell=crew.label, hits=total[crew][place][rule], n=pilots) for crew in crews]

    return [
        held(
            "false scale in twelve planned looks, one (year's) standard error below",
            "<=",
            0.05,
            shares(0, "planned"),
        ),
        held("false scale in twelve planned looks, one (month's) below", "<=", 0.05, shares(1, "planned")),
        held("false scale in twelve counted looks, one (month's) below", "<=", 0.05, shares(1, "counted")),
    ]
