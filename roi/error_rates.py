"""How often the rule errs in pilots of a size: read from a table of simulated pilots.

The table is made by `benchmarks/verdict_error_rates.py`. It knows the money part of the rule, arms assigned at random
and the default thresholds; elsewhere nothing is said, and why. Policies that are stricter err less often than it says.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TypeVar

import numpy as np

from roi.clusters import ASSUMED_CORRELATION
from roi.moments import Moments
from roi.words import count

__all__ = ["ErrorRates", "error_rates_of", "minutes_correlation", "rule_error_rates"]

N = TypeVar("N", int, float)

SCALE_PROBABILITY, KILL_PROBABILITY = 0.8, 0.2  # at which the table was made
FEWEST_WORKERS = 4
LIKE_PRODUCTION = (
    0.8  # Kish's effective size over cases, below which the sentence says that the mix costs cases
)
MOST_ALIKE = 0.4  # correlation within a worker up to which the table's largest, 0.3, is near enough
DESIGNS = ("within", "between", "pairs", "cases")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRates:
    """How often the rule errs in pilots of this size.

    Attributes:
        false_scale: Share of pilots wrongly scaled whose true worth is one standard error below the hurdle; None where
            no simulated pilot is like this one.
        false_kill: Share of pilots wrongly killed whose true worth is one standard error above it; None likewise.
        at: The size of the simulated pilots; None likewise.
        text: The same in a sentence, or why it is not known.
    """

    false_scale: float | None
    false_kill: float | None
    at: str | None
    text: str


def rule_error_rates(
    cases: int, workers: int | None, design: str, correlation: float = ASSUMED_CORRELATION
) -> ErrorRates:
    """Look a pilot's size up.

    Args:
        cases: Cases of both arms, were these of equal size.
        workers: Workers of both arms; None for pairs and where every case stands alone.
        design: "within" (workers work both arms), "between" (workers are assigned to arms), "pairs" or "cases".
        correlation: Of a worker's cases; it matters with workers only.

    Returns:
        The largest rates among the table's next smaller and next larger sizes and correlations: more workers make the
        rule bolder, so that neither alone is on the safe side. Beyond the largest number of workers, cases that stand
        alone are the other neighbour. Pairs take the worst over all correlations.

    Raises:
        ValueError: If the design is none of the four, or does not go with `workers`.
    """
    if design not in DESIGNS or (workers is None) != (design in ("pairs", "cases")):
        raise ValueError(f"no such design: {design!r} with {workers} workers")
    table = _table()
    sizes = sorted({row.cases for row in table})
    if not cases >= sizes[0]:
        return _none(f"pilots of fewer than {sizes[0]} cases were not simulated")
    if workers is not None and not workers >= FEWEST_WORKERS:
        return _none(f"pilots of fewer than {FEWEST_WORKERS} workers were not simulated")
    if workers is not None and not correlation <= MOST_ALIKE:
        return _none("pilots whose workers differ as much as these were not simulated")
    near = _neighbours(cases, sizes)
    mine = [row for row in table if row.design == design]
    own = [row for row in mine if row.cases in near]
    if workers is not None:
        alike = _neighbours(correlation, sorted({row.correlation for row in mine}))
        beside = {
            level: _crews([row for row in mine if row.correlation == level], workers) for level in alike
        }
        own = [row for row in own if row.workers in beside.get(row.correlation, ())]
        if own and workers > max(row.workers or 0 for row in mine):
            own += [row for row in table if row.design == "cases" and row.cases in near]
    if not own:
        return _none("pilots of so few cases for so many workers were not simulated")
    false_scale, false_kill = (
        max(getattr(row, name) for row in own) for name in ("false_scale", "false_kill")
    )
    at = f"{_range([row.cases for row in own])} cases"
    known = [row.workers for row in own if row.workers is not None]
    if known:
        at += f", {_range(known)} workers" + (" or more" if any(row.workers is None for row in own) else "")
        levels = sorted({row.correlation for row in own if row.workers is not None})
        at += f", correlation {' to '.join(dict.fromkeys(f'{c:g}' for c in (levels[0], levels[-1])))}"
    text = (
        f"In simulated pilots of this size the money part of this rule wrongly said scale in "
        f"{_in_a_hundred(false_scale)} that were worth slightly too little, and too thin in "
        f"{_in_a_hundred(false_kill)} that were worth slightly more than they must be (by one standard error, the "
        "usual miss)."
    )
    return ErrorRates(false_scale=false_scale, false_kill=false_kill, at=at, text=text)


def _crews(rows: Sequence[_Row], workers: int) -> list[int]:
    """The next smaller and the next larger number of workers."""
    return _neighbours(workers, sorted({row.workers for row in rows if row.workers is not None}))


def error_rates_of(
    moments: Moments,
    assignment: str,
    *,
    scale_probability: float,
    kill_probability: float,
    effective_n: float | None = None,
) -> ErrorRates:
    """How often the rule errs in pilots like this one.

    Args:
        moments: Moments of its production cases.
        assignment: randomised, before_after or observational.
        scale_probability: The policy's.
        kill_probability: The policy's.
        effective_n: Kish's effective number of its cases, weighted to the production mix; None where that is not
            known, and each case counts fully.

    Returns:
        The rates, or why they are not known.
    """
    if assignment != "randomised":
        return _none(
            "the arms were not assigned at random, and no number of cases shows how far that misleads"
        )
    if scale_probability < SCALE_PROBABILITY or kill_probability > KILL_PROBABILITY:
        return _none("it was simulated with stricter thresholds than this policy has")
    if moments.few_workers:
        return _none(f"pilots of fewer than {FEWEST_WORKERS} workers were not simulated")
    arms = [set(moments.unit[moments.arm == a].tolist()) for a in (0, 1)]
    n = [moments.cases(arm) for arm in ("baseline", "pilot")]
    if not min(n) > 0:
        return _none("one of the arms has no cases")
    kept = 1.0 if effective_n is None else min(effective_n / sum(n), 1.0)
    # As telling as so many cases, half of them in each arm and of the production mix.
    equal = int(4 * n[0] * n[1] / sum(n) * kept)
    found = _of_design(moments, arms, equal)
    if effective_n is None or kept >= LIKE_PRODUCTION:
        return found
    said = (
        f"Weighted to the production mix, the {count(sum(n))} cases are taken as {count(round(effective_n))}."
    )
    return replace(found, text=f"{found.text} {said}")


def _of_design(moments: Moments, arms: Sequence[set[int]], equal: int) -> ErrorRates:
    """Rates for so many cases, half of them in each arm, worked as these were."""
    if moments.unit_kind == "case":
        return rule_error_rates(equal, None, "cases")
    units = len(arms[0] | arms[1])
    within = 2 * len(arms[0] & arms[1]) >= units
    if moments.unit_kind == "pair" and within:
        return rule_error_rates(equal, None, "pairs")
    alike = max(minutes_correlation(moments), ASSUMED_CORRELATION)
    return rule_error_rates(equal, units, "within" if within else "between", alike)


def minutes_correlation(moments: Moments) -> float:
    """Correlation of human minutes within a unit's cases of one arm and segment, by analysis of variance.

    Args:
        moments: Moments of the production cases.

    Returns:
        In [0, 1], over arms and segments together; 0 where it cannot be seen.

    Source:
        Donner (1986), International Statistical Review 54:67, the ANOVA estimator.
    """
    column = moments.column("human_minutes")
    if column is None or moments.square is None:
        return 0.0
    count, total, square = (
        x[:, column].astype(np.float64) for x in (moments.count, moments.total, moments.square)
    )
    between = within = size = groups = cases = 0.0
    for arm in (0, 1):
        for segment in range(len(moments.segments)):
            rows = (moments.arm == arm) & (moments.segment == segment) & (count > 0)
            n, sums = count[rows], total[rows]
            if n.size < 2:
                continue
            # Relative to the cell's mean, so that cells of long and of short cases weigh alike.
            mean = float(sums.sum() / n.sum())
            if not mean > 0:
                continue
            between += float((n * (sums / n / mean - 1) ** 2).sum())
            within += float(np.maximum(square[rows] - sums**2 / n, 0.0).sum()) / mean**2
            size += float(n.sum() - (n * n).sum() / n.sum())
            groups += n.size - 1
            cases += float(n.sum()) - n.size
    if not (groups > 0 and cases > 0):
        return 0.0
    between, within, size = between / groups, within / cases, size / groups
    below = between + (size - 1) * within
    return float(np.clip((between - within) / below, 0, 1)) if below > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    cases: int
    workers: int | None
    design: str
    correlation: float
    false_scale: float
    false_kill: float


@cache
def _table() -> tuple[_Row, ...]:
    with (files("roi") / "verdict_error_rates.csv").open(encoding="utf-8") as file:
        return tuple(
            _Row(
                cases=int(row["cases"]),
                workers=int(row["workers"]) if row["workers"] else None,
                design=row["design"],
                correlation=float(row["correlation"]),
                false_scale=float(row["false_scale"]),
                false_kill=float(row["false_kill"]),
            )
            for row in csv.DictReader(file)
        )


def _neighbours(value: N, sizes: Sequence[N]) -> list[N]:
    at = int(np.searchsorted(sizes, value, side="right"))
    return sorted({sizes[max(at - 1, 0)], value if value in sizes else sizes[min(at, len(sizes) - 1)]})


def _range(sizes: Sequence[int]) -> str:
    low, high = min(sizes), max(sizes)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _in_a_hundred(rate: float) -> str:
    return f"about {100 * rate:.0f} of 100" if rate >= 0.005 else "fewer than 1 of 100"


def _none(why: str) -> ErrorRates:
    return ErrorRates(false_scale=None, false_kill=None, at=None, text=f"That is not known here: {why}.")
