"""Does watching every day raise false alarms, and how soon does it see what is wrong? Streams drawn case by case.

A stream has three kinds of cases, twelve workers who are unlike each other, fewer cases at weekends, skewed minutes and
costs, rare severe errors *at* the policy's limit, and a record whose estimates came from a sample of the same workers.
A stable stream never changes; every question that `roi monitor` asks is asked on each of its 250 days.

Beside it stands what people do without thinking of looks: the same questions, each day at 5 %, of all cases so far.

Run: `python benchmarks/monitoring.py`; `--streams 50` for a quick look; exits 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import beta as beta_distribution
from scipy.stats import t as t_distribution

from roi.monitor_basis import Basis, Expected, Limit
from roi.monitor_days import Counted, Stream
from roi.monitor_mix import mix_questions
from roi.monitor_tests import Tested, ask, questions

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DAYS, STREAMS = 250, 500
SEGMENTS, MIX = ("email", "portal", "post"), np.array([0.5, 0.35, 0.15])
ON_MONDAYS, OTHERWISE = (
    np.array([0.35, 0.25, 0.4]),
    np.array([0.535, 0.374, 0.091]),
)  # together nearly that mix
WORKERS = 12
MINUTES, BASELINE, LOG_SD, UNLIKE = np.array([9.0, 7.0, 14.0]), np.array([15.0, 11.0, 20.0]), 0.7, 0.15
COST, COST_LOG_SD = 0.08, 1.0
ERRORS, ESCALATED, SEVERE, MISSES = np.array([0.06, 0.04, 0.10]), 0.07, 0.005, 0.01
EACH, EACH_SEVERE, BRINGS = (
    8.0,
    300.0,
    1.5,
)  # what an error costs, and what a case brings beyond what errors cost
RISKY = 0.4  # high-risk actions a case
SAMPLE = 900  # pilot cases that the record rests on
CHANGE = 100  # the day on which something goes wrong, where something does
MEASURES = (
    "severe_error_rate_pilot",
    "error_rate_pilot",
    "escalation_rate_pilot",
    "human_minutes_pilot",
    "agent_cost_per_case",
    "error_cost_per_case",
    "approval_miss_rate",
)


@dataclass(frozen=True)
class World:
    """What a stream is drawn from; `after` holds from the day of the change on."""

    severe: float = SEVERE
    severe_after: float | None = None
    limit: float = SEVERE
    minutes_after: float = 0.0  # minutes more a case
    cost_after: float = 1.0  # times as dear
    errors_after: float = 0.0  # share of cases that go wrong besides, none of them severely
    mix_after: Floats | None = None
    volume: float = 40.0
    weekends: bool = True
    sample: int = SAMPLE  # cases that the record rests on
    days: int = DAYS
    mondays: bool = False  # whether post comes on Mondays, most of it
    day_sd: float = 0.0  # log-sd of a day's own rate of severe errors and minutes


def draw(
    world: World, rng: np.random.Generator, worker: Floats, day: Ints, *, change: int
) -> tuple[Ints, dict[str, tuple[Floats, Floats]], Ints]:
    """Cases on given days: their segment, by measure weight and value, and their worker."""
    n = day.size
    late = day >= change
    mix = np.where(
        late[:, None] & (world.mix_after is not None),
        world.mix_after if world.mix_after is not None else MIX,
        MIX,
    )
    if world.mondays:
        mix = np.where((day % 7 == 0)[:, None], ON_MONDAYS, OTHERWISE)
    segment = np.minimum((rng.random(n)[:, None] > np.cumsum(mix, axis=1)).sum(axis=1), 2)
    who = rng.integers(0, WORKERS, n)
    shift = np.exp(rng.normal(-(world.day_sd**2) / 2, world.day_sd, int(day.max(initial=0)) + 1))[day]
    severe = (
        np.where(late & (world.severe_after is not None), world.severe_after or 0.0, world.severe) * shift
    )
    apart = worker[who]
    minutes = MINUTES[segment] * apart * rng.lognormal(-(LOG_SD**2) / 2, LOG_SD, n) * shift
    minutes = minutes + late * world.minutes_after
    cost = COST * rng.lognormal(-(COST_LOG_SD**2) / 2, COST_LOG_SD, n) * np.where(late, world.cost_after, 1.0)
    ones = np.ones(n)
    is_severe = rng.random(n) < severe * apart
    risky = rng.poisson(RISKY, n).astype(float)
    wrong = rng.random(n) < ERRORS[segment] * apart
    if world.errors_after:
        wrong |= late & (rng.random(n) < world.errors_after)
    wrong |= is_severe
    return (
        segment,
        {
            "severe_error_rate_pilot": (ones, is_severe.astype(float)),
            "error_rate_pilot": (ones, wrong.astype(float)),
            "escalation_rate_pilot": (ones, (rng.random(n) < ESCALATED * apart).astype(float)),
            "human_minutes_pilot": (ones, minutes),
            "agent_cost_per_case": (ones, cost),
            "error_cost_per_case": (ones, np.where(is_severe, EACH_SEVERE, EACH * wrong)),
            "approval_miss_rate": (risky, rng.binomial(risky.astype(int), MISSES).astype(float)),
        },
        who,
    )


def workers(rng: np.random.Generator) -> Floats:
    """How workers differ, by a factor of mean 1."""
    found = rng.lognormal(0, UNLIKE, WORKERS)
    return np.asarray(found / found.mean())


def stream_of(world: World, rng: np.random.Generator, worker: Floats, *, change: int = 10**9) -> Stream:
    """A stream of 250 days, or of as many as the world has."""
    weekly = np.array([1.3, 1.3, 1.3, 1.25, 1.25, 0.4, 0.2]) if world.weekends else np.ones(7)
    per_day = rng.poisson(world.volume * weekly[np.arange(world.days) % 7] / weekly.mean())
    day = np.repeat(np.arange(world.days), per_day)
    segment, values, who = draw(world, rng, worker, day, change=change)
    cell = (day * 3 + segment) * WORKERS + who
    places, inverse = np.unique(cell, return_inverse=True)
    at = {"day": places // WORKERS // 3, "segment": places // WORKERS % 3, "person": places % WORKERS}
    at["version"] = np.full(places.size, -1)

    def counted(n: Floats, total: Floats) -> Counted:
        found = Counted(**at, n=np.bincount(inverse, n), total=np.bincount(inverse, total))
        return found.where(found.n > 0)

    return Stream(
        first=dt.date(2027, 1, 4),
        days=world.days,
        segments=SEGMENTS,
        versions=(),
        people=True,
        volume=counted(np.ones(day.size), np.ones(day.size)),
        measures={name: counted(*values[name]) for name in MEASURES},
        unknown={},
        changes=(),
        currency="EUR",
        left_out={},
        warnings=(),
    )


def basis_of_sample(world: World, rng: np.random.Generator, worker: Floats) -> Basis:
    """What a record would hold of a sample of the same workers: means with t intervals by worker, rates' exact ones."""
    segment, values, who = draw(world, rng, worker, np.zeros(world.sample, dtype=np.int64), change=10**9)
    expected: dict[str, Expected] = {}
    by_segment: dict[str, dict[str, Expected]] = {}
    for name in MEASURES[:-1]:
        n, total = values[name]
        found: dict[str, Expected] = {}
        for s, label in enumerate(SEGMENTS):
            inside = segment == s
            found[label] = _expected(name, n[inside], total[inside], who[inside])
        expected[name] = _expected(name, n, total, who)
        if name != "severe_error_rate_pilot":
            by_segment[name] = found
    base = float(MIX @ BASELINE)
    return Basis(
        limits={
            "severe_error_rate_pilot": Limit(world.limit, "policy"),
            "approval_miss_rate": Limit(0.02, "policy"),
            "human_minutes_pilot": Limit(
                base - 1.5, "saves", {name: b - 1.5 for name, b in zip(SEGMENTS, BASELINE, strict=True)}
            ),
            "agent_cost_per_case": Limit(1.0, "brings"),
            "error_cost_per_case": Limit(
                float(MIX @ ERRORS) * EACH + world.severe * EACH_SEVERE + BRINGS, "brings"
            ),
        },
        expected=expected,
        by_segment=by_segment,
        no_limit={},
        baseline_minutes={},
        mix=dict(zip(SEGMENTS, MIX.tolist(), strict=True)),
        mix_cases=None,
    )


def _expected(name: str, n: Floats, total: Floats, who: Ints) -> Expected:
    cases, hits = float(n.sum()), float(total.sum())
    mean = hits / cases
    score = np.bincount(who, total - mean * n, minlength=WORKERS)
    se = float(np.sqrt((score**2).sum() * WORKERS / (WORKERS - 1))) / cases
    half = float(t_distribution.ppf(0.95, WORKERS - 1)) * se
    if name in ("human_minutes_pilot", "agent_cost_per_case", "error_cost_per_case"):
        # The cost's P95 as the package has it: further off, for it is skewed.
        up = half * (1 + 2.5 * se / mean) if name == "agent_cost_per_case" else half
        return Expected(mean, mean - half, mean + up)
    low = float(beta_distribution.ppf(0.05, hits, cases - hits + 1)) if hits else 0.0
    high = float(beta_distribution.ppf(0.95, hits + 1, cases - hits))
    if name != "severe_error_rate_pilot":
        mean = (hits + 0.5) / (cases + 1)
    return Expected(mean, min(low, mean - half), max(high, mean + half))


def naive(stream: Stream, basis: Basis, alpha: float, *, only: str | None = None) -> bool:
    """Whether a one-sided z test of all cases so far, made every day at a level, ever finds a limit broken.

    `only` names a measure whose limit alone is asked about, of all cases alone: a single test a day.
    """
    from roi.monitor_tests import _rows_of, _units  # the same questions, rows and units

    asked = questions(basis, stream.measures)
    z = -float(t_distribution.ppf(alpha, 1e9))
    for question in asked:
        if only is not None and (question.measure, question.kind, question.segment) != (only, "pause", None):
            continue
        if question.kind == "investigate" and question.expected is not None and question.expected > 0:
            # Against the record's mean, which is what an eager reader holds it against.
            scale = question.expected / question.limit
        else:
            scale = 1.0
        day, total, due = _units(question, _rows_of(question, stream, {}), stream.segments)
        off = np.bincount(day, total - due * scale, minlength=DAYS)
        var = np.cumsum(off**2)
        known = np.arange(DAYS) >= 14
        if (np.cumsum(off)[known] > z * np.sqrt(np.maximum(var[known], 1e-12))).any():
            return True
    return False


def watch(
    world: World, rng: np.random.Generator, *, change: int = 10**9
) -> tuple[list[Tested], Stream, Basis]:
    """A stream with all its questions asked."""
    worker = workers(rng)
    basis = basis_of_sample(World(severe=world.severe, limit=world.limit, sample=world.sample), rng, worker)
    stream = stream_of(world, rng, worker, change=change)
    drift, counted = mix_questions(basis, stream, cases=world.sample)
    return ask(questions(basis, stream.measures, drift), stream, counted), stream, basis


def false_alarms(streams: int, world: World, seed: int) -> tuple[float, list[float], dict[str, int]]:
    """Share of stable streams that ever raise anything; the same of the naive test, in three ways."""
    ours = 0
    eager = np.zeros(3)
    which: dict[str, int] = {}
    for i in range(streams):
        tested, stream, basis = watch(world, np.random.default_rng([seed, i]))
        crossed = [t.asked for t in tested if t.crossed is not None]
        ours += bool(crossed)
        for asked in crossed:
            key = f"{asked.kind} {asked.measure}"
            which[key] = which.get(key, 0) + 1
        eager += [
            naive(stream, basis, 0.05),
            naive(stream, basis, 0.05 / len(tested)),
            naive(stream, basis, 0.05, only="severe_error_rate_pilot"),
        ]
    return ours / streams, (eager / streams).tolist(), which


def days_to(streams: int, world: World, seed: int, *, kinds: tuple[str, ...], change: int = CHANGE) -> Floats:
    """Days from the change until a question of some kinds is answered with yes; infinite where it never is.

    A stream that raises something before the change is left out: it would have been acted on.
    """
    found = []
    for i in range(streams):
        tested, _, _ = watch(world, np.random.default_rng([seed, i]), change=change)
        crossed = [t.crossed for t in tested if t.crossed is not None and t.asked.kind in kinds]
        first = min(crossed, default=10**6)
        if first >= change:
            found.append(np.inf if first == 10**6 else first - change + 1)
    return np.array(found)


def oracle(streams: int, before: float, after: float, seed: int, *, volume: float = 40.0) -> Floats:
    """Days that Page's CUSUM takes which knows both rates, set to alarm on 5 % of stable streams of 250 days."""
    rng = np.random.default_rng(seed)

    def paths(p: Floats, n: int) -> Floats:
        cases = rng.poisson(volume, (n, p.size))
        hits = rng.binomial(cases, p)
        step = hits * np.log(after / before) + (cases - hits) * np.log((1 - after) / (1 - before))
        level, found = np.zeros(n), np.empty((n, p.size))
        for day in range(p.size):
            level = np.maximum(level + step[:, day], 0)
            found[:, day] = level
        return found

    bar = float(np.quantile(paths(np.full(DAYS, before), 4000).max(axis=1), 0.95))
    over = paths(np.where(np.arange(DAYS) >= CHANGE, after, before), streams)
    crossed = np.where((over >= bar).any(axis=1), np.argmax(over >= bar, axis=1), 10**6)
    late = crossed[crossed >= CHANGE]
    return np.where(late < 10**6, late - CHANGE + 1.0, np.inf)


def within(days: Floats, most: int = 30) -> float:
    """Share that is found within so many days."""
    return float((days <= most).mean())


def line(what: str, days: Floats) -> str:
    """A row of the table of detection."""
    half = float(np.quantile(days, 0.5, method="higher"))
    late = float(np.quantile(days, 0.9, method="higher"))
    shown = ["never" if not np.isfinite(x) else f"{x:.0f}" for x in (half, late)]
    return f"  {what:<72} {within(days):6.0%} {shown[0]:>7} {shown[1]:>7}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", type=int, default=STREAMS)
    parser.add_argument("--seed", type=int, default=20261127)
    args = parser.parse_args()
    began = time.perf_counter()
    bars: list[tuple[str, bool]] = []
    print(
        f"{args.streams} stable streams of {DAYS} days, every question asked on every day: share that ever raises one"
    )
    for label, world in (
        ("severe errors at the limit", World()),
        ("and days unlike each other", World(day_sd=0.3)),
        ("and post comes on Mondays", World(mondays=True)),
    ):
        ours, eager, which = false_alarms(args.streams, world, args.seed)
        told = ", ".join(f"{n} {name}" for name, n in sorted(which.items())) or "none"
        print(f"  {label:<30} {ours:6.1%}   ({told})")
        print(
            f"    naive daily tests at 5 %: {eager[0]:.0%}; with Bonferroni over the questions: {eager[1]:.0%}; "
            f"of severe errors in all cases alone: {eager[2]:.0%}"
        )
        bars.append((f"{label}: at most 5 % ever raise an action ({ours:.1%})", ours <= 0.05))
    few = max(args.streams // 4, 20)
    head = f"what goes wrong on day {CHANGE}, 40 cases a day, {few} streams"
    print(f"\n{head:<74} {'in 30 d':>6} {'median':>7} {'90 %':>7}")
    flat = {"weekends": False}
    at_limit = days_to(
        few, World(severe=0.01, severe_after=0.03, limit=0.01, **flat), args.seed + 1, kinds=("pause",)
    )
    print(line("severe errors 1 % → 3 %, limit 1 %: act (restrict, pause or roll back)", at_limit))
    bars.append(
        (
            f"tripling at a limit of 1 %: acted on within 30 days ({within(at_limit):.0%})",
            within(at_limit) >= 0.8,
        )
    )
    print(
        line(
            "  an oracle that knows both rates (CUSUM, 5 % false alarms)", oracle(2000, 0.01, 0.03, args.seed)
        )
    )
    for limit, sample, days in ((0.005, SAMPLE, DAYS), (0.01, SAMPLE, 700), (0.01, 20_000, DAYS)):
        world = World(severe=0.005, severe_after=0.015, limit=limit, sample=sample, days=days, **flat)
        n = few if days == DAYS else few // 3
        kinds = ("pause",) if sample == SAMPLE else ("pause", "investigate")
        what = "act" if sample == SAMPLE else f"or investigate, record of {sample:,}"
        found = days_to(n, world, args.seed + 2, kinds=kinds)
        print(line(f"severe errors 0.5 % → 1.5 %, limit {100 * limit:g} %: {what}", found))
    print(line("  an oracle that knows both rates", oracle(2000, 0.005, 0.015, args.seed)))
    gone = World(minutes_after=float(MIX @ (BASELINE - MINUTES)), **flat)
    print(
        line(
            "no time is saved any more: investigate",
            days_to(few, gone, args.seed + 3, kinds=("investigate",)),
        )
    )
    found = days_to(few, gone, args.seed + 3, kinds=("pause",))
    print(line("no time is saved any more: pause", found))
    bars.append((f"no time saved: paused within 30 days ({within(found):.0%})", within(found) >= 0.8))
    dear = days_to(few, World(cost_after=2.0, **flat), args.seed + 4, kinds=("pause", "investigate"))
    print(line("the agent's cost doubles: investigate", dear))
    bars.append((f"cost doubles: found within 30 days ({within(dear):.0%})", within(dear) >= 0.8))
    for share, most in ((0.3, False), (0.6, True)):
        wrong = days_to(few, World(errors_after=share, **flat), args.seed + 6, kinds=("pause",))
        lost = share * EACH - BRINGS
        print(
            line(f"{share:.0%} errors that are not severe, {lost:.1f} more than a case brings: pause", wrong)
        )
        if most:
            what = f"errors lose {lost:.1f} a case more than it brings: paused within 30 days"
            bars.append((f"{what} ({within(wrong):.0%})", within(wrong) >= 0.8))
    mix = days_to(few, World(mix_after=np.array([0.35, 0.35, 0.3]), **flat), args.seed + 5, kinds=("drift",))
    print(line("post doubles its share of the cases: drift", mix))
    bars.append((f"the mix shifts: found within 30 days ({within(mix):.0%})", within(mix) >= 0.8))
    print()
    for what, held in bars:
        print(f"  {'PASS' if held else 'FAIL'}  {what}")
    missed = sum(not held for _, held in bars)
    print(f"{len(bars)} bars, {missed} missed; {time.perf_counter() - began:.0f} s")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
