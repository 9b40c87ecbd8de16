"""Regret against an oracle, beside two fixed practices; calibration of the reported chance; the speed of it all.

The prior of the truths: minutes saved ~ Normal(10 %, 25 %) of 15 baseline minutes (at most 60 %), errors of 5 % in the
baseline and of 5 % × a log-normal factor (log-sd 0.4) in the pilot, half of these caused by data; a roll-out costs what
0 to 20 % of the baseline minutes would bring, uniformly; every second pilot has a remedy at hand that removes 70 % of
the errors by data at 20 to 300 % of what that gains. Sizes, crews and designs go round.

A fix is carried out: remedies are bought; measurements are taken, by further people at the same load, paid for, and
decided again with all cases, each time as a further look, until the rule says kill or scale or buys a remedy. What it
still wants to measure after six looks or 20,000 cases counts as stopped. The oracle knows the truth.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from simulator import Cases, PricedRemedy, Truth, World, decided, draw_cases
from verdict_bars import Bar, Share, each, held, show

__all__ = ["regret_bars"]

CHUNK = 50
LOOKS = 6
MOST_CASES = 20_000
SIZES: tuple[tuple[int, int | None], ...] = (
    *((20, w) for w in (5, None)),
    *((50, w) for w in (5, 10, None)),
    *((n, w) for n in (100, 300) for w in (5, 10, 20, None)),
)
SELF_REPORTED, DEMO = 1.2, 1.3
CHANCES = (0.75, 0.85)
TIMES = 4  # as many pilots for the calibration, of which one in eleven has such a chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A pilot drawn from the prior, and what became of it.

    Attributes:
        cases: Its cases.
        worth: True worth of scaling as it is.
        best: What the oracle gets.
        ours: What the rule gets.
        practised: What a point estimate gets from a self-reported baseline and demo cases.
        unbiased: What an unbiased point estimate gets.
        verdicts: The verdict of the rule at first, and in the end.
        scaled: Whether each of the three scales (a fix carried out included) what truly loses.
    """

    cases: int
    worth: float
    best: float
    ours: float
    practised: float
    unbiased: float
    verdicts: tuple[str, str]
    scaled: tuple[bool, bool, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was said of a pilot and what is true.

    Attributes:
        cases: Its cases.
        chance: The chance that scaling pays, as reported.
        pays: Whether it truly does.
    """

    cases: int
    chance: float
    pays: bool


def drawn_world(rng: np.random.Generator) -> tuple[Truth, World]:
    """A truth and what is stated of it."""
    saved = 15.0 * min(rng.normal(0.10, 0.25), 0.6)
    factor = float(np.exp(rng.normal(-0.08, 0.4)))
    truth = Truth(means=(15.0, 15.0 - saved), error_rates=(0.05, min(0.05 * factor, 0.5)), by_data=0.5)
    needed = rng.uniform(0.0, 0.2) * 15.0
    world = World().at(-Truth(means=(15.0, 15.0 - needed)).worth(World()))
    share = rng.uniform(0.2, 3.0)
    if rng.random() < 0.5:
        free = replace(world, remedy=PricedRemedy(removes=0.7, cost=0.0))
        gain = max(truth.worth(free, remedied=True) - truth.worth(free), 1000.0)
        world = replace(world, remedy=PricedRemedy(removes=0.7, cost=round(share * gain, 2)))
    return truth, world


def _point(cases: Cases, world: World, *, flattered: bool) -> float:
    """Worth at point estimates; as it is practised from a self-reported baseline and the savings of a demo."""
    minutes = [float(cases.minutes[cases.arm == a].mean()) for a in (0, 1)]
    rates = [float(cases.wrong[cases.arm == a].mean()) for a in (0, 1)]
    saved = minutes[0] - minutes[1]
    if flattered:
        saved = DEMO * (SELF_REPORTED * minutes[0] - minutes[1])
    return Truth(means=(minutes[0], minutes[0] - saved), error_rates=(rates[0], rates[1])).worth(world)


def carried_out(
    rng: np.random.Generator, truth: Truth, world: World, cases: Cases, workers: int | None, design: str
) -> tuple[float, tuple[str, str]]:
    """Follow the rule to its end.

    Args:
        rng: Random stream of the further cases.
        truth: The truth.
        world: What is stated.
        cases: Cases of the pilot.
        workers: Workers of the pilot, or None; further cases come with further workers in proportion.
        design: As in `draw_cases`.

    Returns:
        What is got, and the first and the last verdict.
    """
    paid = 0.0
    first, size = "", cases.minutes.size
    for look in range(1, LOOKS + 1):
        found = decided(replace(world, looks=look), cases.moments())
        verdict, plan = found.verdict, found.verdict.plan
        if look == 1:
            first = verdict.verdict
        if verdict.verdict == "scale":
            return truth.worth(world) - paid, (first, "scale")
        more = 0 if plan is None else max((m.n for m in plan.measures), default=0)
        if plan is not None and plan.remedies and not more:
            return truth.worth(world, remedied=True) - paid, (first, "remedied")
        if verdict.verdict == "kill":
            return -paid, (first, "kill")
        if look == LOOKS or cases.minutes.size + more > MOST_CASES:
            break
        assert plan is not None
        paid += sum(m.price or 0.0 for m in plan.measures) + world.setup
        crew = None if workers is None else max(round(workers * more / size), 2)
        cases = cases.followed_by(draw_cases(rng, truth, cases=more, workers=crew, design=design))
    return -paid, (first, "fix")


def _pilots(task: tuple[int, int, int]) -> list[Drawn]:
    """A chunk of pilots."""
    seed, start, stop = task
    found = []
    for i in range(start, stop):
        rng = np.random.default_rng([seed, i, 5])
        truth, world = drawn_world(rng)
        size, workers, design = _how(i)
        cases = draw_cases(rng, truth, cases=size, workers=workers, design=design)
        worth = truth.worth(world)
        best = max(0.0, worth, truth.worth(world, remedied=True) if world.remedy else 0.0)
        ours, verdicts = carried_out(rng, truth, world, cases, workers, design)
        points = [_point(cases, world, flattered=x) for x in (True, False)]
        practised, unbiased = (worth if point > 0 else 0.0 for point in points)
        found.append(
            Drawn(
                cases=size,
                worth=worth,
                best=best,
                ours=ours,
                practised=practised,
                unbiased=unbiased,
                verdicts=verdicts,
                scaled=(verdicts[1] == "scale" and worth < 0, practised < 0, unbiased < 0),
            )
        )
    return found


def _how(i: int) -> tuple[int, int | None, str]:
    """Size, crew and design of the i-th pilot."""
    size, workers = SIZES[i % len(SIZES)]
    return size, workers, "cases" if workers is None else ("within", "between")[(i // len(SIZES)) % 2]


def _said(task: tuple[int, int, int]) -> list[Said]:
    """The chance first reported and the truth, of a chunk of further pilots."""
    seed, start, stop = task
    found = []
    for i in range(start, stop):
        rng = np.random.default_rng([seed, i, 6])
        truth, world = drawn_world(rng)
        size, workers, design = _how(i)
        cases = draw_cases(rng, truth, cases=size, workers=workers, design=design)
        option = decided(replace(world, per_case=None, remedy=None), cases.moments()).scale
        assert option is not None
        found.append(Said(cases=size, chance=option.chance(0.0), pays=truth.worth(world) > 0))
    return found


def _decide_only(task: tuple[int, int, int]) -> float:
    """One verdict a pilot, for the clock; processor seconds."""
    seed, start, stop = task
    began = time.process_time()
    for i in range(start, stop):
        rng = np.random.default_rng([seed, i, 5])
        truth, world = drawn_world(rng)
        size, workers, design = _how(i)
        decided(world, draw_cases(rng, truth, cases=size, workers=workers, design=design).moments())
    return time.process_time() - began


def regret_bars(*, pilots: int, seed: int, processes: int, quick: bool) -> list[Bar]:
    """Run the block, print its tables and hold it to its bars."""
    del quick
    chunks = [(seed, start, min(start + CHUNK, pilots)) for start in range(0, pilots, CHUNK)]
    found = [pilot for chunk in each(_pilots, chunks, processes=processes) for pilot in chunk]
    regret = {
        name: np.array([p.best - value(p) for p in found])
        for name, value in (
            ("this rule", lambda p: p.ours),
            ("self-reported and demo", lambda p: p.practised),
            ("unbiased point", lambda p: p.unbiased),
            ("always kill", lambda p: 0.0),
            ("always scale", lambda p: p.worth),
        )
    }
    losing = sum(p.worth < 0 for p in found)
    wrong = {
        "this rule": sum(p.scaled[0] for p in found),
        "self-reported and demo": sum(p.scaled[1] for p in found),
        "unbiased point": sum(p.scaled[2] for p in found),
        "always kill": 0,
        "always scale": losing,
    }
    best = float(sum(p.best for p in found))
    rows = [
        [
            name,
            f"{x.mean():,.0f}",
            f"{100 * x.sum() / best:.1f} %",
            f"{100 * wrong[name] / losing:.1f} %",
            f"{x[[p.cases == 20 for p in found]].mean():,.0f}",
            f"{x[[p.cases == 300 for p in found]].mean():,.0f}",
        ]
        for name, x in regret.items()
    ]
    show(
        f"Regret a pilot against an oracle; {len(found)} pilots, {losing} of which lose if scaled as they are",
        rows,
        ["", "regret", "of oracle", "losers scaled", "20 cases", "300 cases"],
    )
    ours, practised = regret["this rule"], regret["self-reported and demo"]
    ratio = float(ours.sum() / practised.sum())
    price = float(np.mean(ours - regret["unbiased point"]))
    print(
        f"Price of caution beside the unbiased point: {price:,.0f} a pilot; false scales avoided: "
        f"{wrong['unbiased point'] - wrong['this rule']} of {losing} losers."
    )
    bars = [
        Bar(
            name="regret over that of self-reported baselines and demo cases",
            sense="<=",
            limit=0.5,
            figure=ratio,
            error=_error_of_ratio(ours, practised),
            worst="",
            passes=ratio <= 0.5,
        )
    ]
    chunks = [(seed, start, min(start + CHUNK, TIMES * pilots)) for start in range(0, TIMES * pilots, CHUNK)]
    said = [pilot for chunk in each(_said, chunks, processes=processes) for pilot in chunk]
    return bars + _calibration(said) + _speed(seed, processes)


def _error_of_ratio(a: np.ndarray, b: np.ndarray) -> float:
    ratio = a.sum() / b.sum()
    return float(np.std(a - ratio * b) / np.sqrt(a.size) / b.mean())


def _calibration(found: Sequence[Said]) -> list[Bar]:
    rows = []
    for low in (0.0, 0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95):
        high = {0.0: 0.05, 0.95: 1.01}.get(low, low + 0.1)
        inside = [p for p in found if low <= p.chance < high]
        if inside:
            small = [p for p in inside if p.cases <= 50]
            rows.append(
                [
                    f"{100 * low:.0f} to {min(100 * high, 100):.0f} %",
                    len(inside),
                    f"{100 * np.mean([p.chance for p in inside]):.0f} %",
                    f"{100 * np.mean([p.pays for p in inside]):.0f} %",
                    "-" if not small else f"{100 * np.mean([p.pays for p in small]):.0f} %",
                ]
            )
    show(
        "Calibration: pilots by reported chance that scaling pays",
        rows,
        ["", "pilots", "said", "pay", "of ≤ 50 cases"],
    )
    inside = [p for p in found if CHANCES[0] <= p.chance <= CHANCES[1]]
    share = Share(cell="", hits=sum(p.pays for p in inside), n=max(len(inside), 1))
    return [
        held("pilots of a reported chance of 75 to 85 % that truly pay", ">=", 0.72, [share]),
        held("the same", "<=", 0.88, [share]),
    ]


def _speed(seed: int, processes: int, pilots: int = 1000) -> list[Bar]:
    began = time.perf_counter()
    each(
        _decide_only, [(seed, start, start + CHUNK) for start in range(0, pilots, CHUNK)], processes=processes
    )
    took = time.perf_counter() - began
    return [
        Bar(
            name=f"{pilots} simulated pilots to a verdict, {processes} processes",
            sense="<=",
            limit=60.0,
            figure=took,
            error=None,
            worst=f"60 s is {60 / took:.1f} times as long",
            passes=took < 60.0,
            unit=" s",
        )
    ]
