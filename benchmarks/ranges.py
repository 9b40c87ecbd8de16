"""Ranges of monitoring at every look: how often one ever loses the mean, and how often there is one at the end.

    uv run python benchmarks/ranges.py

Streams of 250 days whose mean is known: log-normal minutes with few and many cases a day, rates with days alike and
unlike. Exits with 1 where a range loses the mean in more than 5 % of the streams, three standard errors aside, but for
rare events in bursts, for which none is known that holds.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import numpy.typing as npt

from roi.sequences import mean_range, share_range

Floats = npt.NDArray[np.float64]

DAYS = 250
LEVEL = 0.05
BURSTS = "0.5 % of 40 a day, days Beta(p · 9)"


def minutes(rng: np.random.Generator, each: float, spread: float, unlike: float = 0.0) -> tuple[bool, bool]:
    """Whether the range of log-normal minutes ever loses their mean, and whether there is one at the end."""
    n = rng.poisson(each, DAYS)
    shift = rng.normal(-(unlike**2) / 2, unlike, DAYS) if unlike else np.zeros(DAYS)
    totals = np.array([np.exp(rng.normal(0, spread, k) + s).sum() for k, s in zip(n, shift, strict=True)])
    low, high = mean_range(n.astype(float), totals, alpha=LEVEL)
    return _lost(low, high, float(np.exp(spread**2 / 2)))


def rate(
    rng: np.random.Generator, each: float, p: float, unlike: float = 0.0, beta: float = 0.0
) -> tuple[bool, bool]:
    """The same of a rate, whose days are unlike by a log-sd, or Beta(p · beta, (1 − p) · beta)."""
    n = rng.poisson(each, DAYS)
    days = (
        rng.beta(p * beta, (1 - p) * beta, DAYS)
        if beta
        else np.minimum(1, p * np.exp(rng.normal(-(unlike**2) / 2, unlike, DAYS)))
    )
    low, high = share_range(n.astype(float), rng.binomial(n, days).astype(float), alpha=LEVEL)
    return _lost(low, high, p)


def _lost(low: Floats, high: Floats, truth: float) -> tuple[bool, bool]:
    return bool(((low > truth) | (high < truth)).any()), bool(np.isfinite(low[-1]))


STREAMS = {
    "minutes: 1 a day, log-sd 1.0": lambda rng: minutes(rng, 1, 1.0),
    "minutes: 1 a day, log-sd 1.5": lambda rng: minutes(rng, 1, 1.5),
    "minutes: 0.3 a day, log-sd 1.0": lambda rng: minutes(rng, 0.3, 1.0),
    "minutes: 2 a day, log-sd 1.2": lambda rng: minutes(rng, 2, 1.2),
    "minutes: 5 a day, log-sd 1.5": lambda rng: minutes(rng, 5, 1.5),
    "minutes: 10 a day, log-sd 1.0": lambda rng: minutes(rng, 10, 1.0),
    "minutes: 40 a day, log-sd 0.7": lambda rng: minutes(rng, 40, 0.7),
    "minutes: 40 a day, log-sd 1.5": lambda rng: minutes(rng, 40, 1.5),
    "minutes: 40 a day, log-sd 1.2, days unlike by 0.3": lambda rng: minutes(rng, 40, 1.2, 0.3),
    "5 % of 1 a day": lambda rng: rate(rng, 1, 0.05),
    "5 % of 40 a day": lambda rng: rate(rng, 40, 0.05),
    "0.5 % of 40 a day": lambda rng: rate(rng, 40, 0.005),
    "10 % of 40 a day, days unlike by 0.5": lambda rng: rate(rng, 40, 0.10, 0.5),
    "6 % of 200 a day, days unlike by 0.5": lambda rng: rate(rng, 200, 0.06, 0.5),
    "5 % of 40 a day, days Beta(p · 9)": lambda rng: rate(rng, 40, 0.05, beta=9),
    "5 % of 200 a day, days Beta(p · 9)": lambda rng: rate(rng, 200, 0.05, beta=9),
    BURSTS: lambda rng: rate(rng, 40, 0.005, beta=9),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=400, help="streams of each kind")
    parser.add_argument("--seed", type=int, default=23, help="seed")
    given = parser.parse_args()
    missed = []
    print(
        f"{given.streams} streams of {DAYS} days of each kind: the range ever loses the mean; has a range at the end"
    )
    for i, (name, draw) in enumerate(STREAMS.items()):
        rng = np.random.default_rng([given.seed, i])
        found = np.array([draw(rng) for _ in range(given.streams)])
        lost, has = found.mean(axis=0)
        print(f"  {name:52} {lost:6.1%} {has:6.0%}", flush=True)
        if name != BURSTS and lost > LEVEL + 3 * (LEVEL * (1 - LEVEL) / given.streams) ** 0.5:
            missed.append(name)
    print(
        f"{len(STREAMS) - 1} bars, {len(missed)} missed" + "".join(f"\n  missed: {name}" for name in missed)
    )
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
