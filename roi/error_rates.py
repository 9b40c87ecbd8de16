"""How often the rule errs in pilots of a size: read from a table of simulated pilots.

The table is made by `benchmarks/verdict_error_rates.py`. It knows the money part of the rule, arms assigned at random
and the default thresholds; elsewhere nothing is said, and why.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from roi.moments import Moments

__all__ = ["ErrorRates", "error_rates_of", "rule_error_rates"]

SCALE_PROBABILITY, KILL_PROBABILITY = 0.8, 0.2  # at which the table was made
FEWEST_WORKERS = 4


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


def rule_error_rates(cases: int, workers: int | None, design: str) -> ErrorRates:
    """Look a pilot's size up.

    Args:
        cases: Cases of both arms, were these of equal size.
        workers: Workers (or other independent units) of both arms; None where every case stands alone.
        design: "within" (workers work both arms), "between" (workers are assigned to arms) or "cases".

    Returns:
        The larger rates among the table's next smaller and next larger sizes: more workers make the rule bolder, so
        that neither alone is on the safe side. Beyond the largest number of workers, cases that stand alone are the
        other neighbour.

    Raises:
        ValueError: If the design is none of the three, or does not go with `workers`.
    """
    if design not in ("within", "between", "cases") or (workers is None) != (design == "cases"):
        raise ValueError(f"no such design: {design!r} with {workers} workers")
    table = _table()
    sizes = sorted({row.cases for row in table})
    if not cases >= sizes[0]:
        return _none(f"pilots of fewer than {sizes[0]} cases were not simulated")
    if workers is not None and not workers >= FEWEST_WORKERS:
        return _none(f"pilots of fewer than {FEWEST_WORKERS} workers were not simulated")
    near = _neighbours(cases, sizes)
    crews = sorted({row.workers for row in table if row.design == design and row.workers is not None})
    beside: tuple[int | None, ...] = (None,)
    if workers is not None:
        beside = tuple(_neighbours(workers, crews))
        beside += (None,) if workers > crews[-1] else ()
    found = [
        row
        for row in table
        if row.cases in near and row.workers in beside and row.design in (design, "cases")
    ]
    if not found:
        return _none("pilots of so few cases for so many workers were not simulated")
    false_scale, false_kill = (
        max(getattr(row, name) for row in found) for name in ("false_scale", "false_kill")
    )
    at = f"{_range([row.cases for row in found])} cases"
    known = [row.workers for row in found if row.workers is not None]
    if known:
        at += f", {_range(known)} workers" + (" or more" if None in beside else "")
    text = (
        "Were its true worth one standard error below what it must be, the money part of this rule would wrongly say "
        f"scale in {_in_a_hundred(false_scale)} simulated pilots of this size; one above, it would wrongly call the "
        f"value too thin in {_in_a_hundred(false_kill)}."
    )
    return ErrorRates(false_scale=false_scale, false_kill=false_kill, at=at, text=text)


def error_rates_of(
    moments: Moments, assignment: str, *, scale_probability: float, kill_probability: float
) -> ErrorRates:
    """How often the rule errs in pilots like this one.

    Args:
        moments: Moments of its production cases.
        assignment: randomised, before_after or observational.
        scale_probability: The policy's.
        kill_probability: The policy's.

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
    equal = int(4 * n[0] * n[1] / sum(n))  # as telling as so many cases, half of them in each arm
    if moments.unit_kind == "case":
        return rule_error_rates(equal, None, "cases")
    units = len(arms[0] | arms[1])
    within = 2 * len(arms[0] & arms[1]) >= units
    return rule_error_rates(equal, units, "within" if within else "between")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    cases: int
    workers: int | None
    design: str
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
                false_scale=float(row["false_scale"]),
                false_kill=float(row["false_kill"]),
            )
            for row in csv.DictReader(file)
        )


def _neighbours(value: int, sizes: Sequence[int]) -> list[int]:
    at = int(np.searchsorted(sizes, value, side="right"))
    return sorted({sizes[max(at - 1, 0)], value if value in sizes else sizes[min(at, len(sizes) - 1)]})


def _range(sizes: Sequence[int]) -> str:
    low, high = min(sizes), max(sizes)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _in_a_hundred(rate: float) -> str:
    return f"about {100 * rate:.0f} of 100" if rate >= 0.005 else "fewer than 1 of 100"


def _none(why: str) -> ErrorRates:
    return ErrorRates(false_scale=None, false_kill=None, at=None, text=f"That is not known here: {why}.")
