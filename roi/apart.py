"""Months that are over, beside their forecast, and the difference taken apart by what explains it.

Every draw keeps what a month cannot show (how long cases take without the agent, what an error costs, what becomes of a
saved hour) and takes the rest from the month. The difference is shared among the five factors over every order in which
they could have changed (`roi.shapley`). Cash is apart: what was released, less what so many saved hours were forecast
to release, is the same in every order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from roi.actuals import Month
from roi.forecast import FACTORS, Forecast, Levels, Parts
from roi.learnt import factor_of
from roi.shapley import Point, closed, shares

__all__ = ["ROWS", "Apart", "Over", "nothing_to_show", "over", "take_apart"]

Floats = npt.NDArray[np.float64]
ROWS = (*FACTORS, "cash")


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """Months that are over.

    Attributes:
        months: What was reported.
        forecast: Their factors as forecast.
        actual: The same as they were; as forecast where they were not reported.
        planned: What the forecast factors bring.
        brought: What the actual ones do.
        released: Cash that was released beyond what the actual factors were forecast to release, each of shape
            (n_draws,), or None where it was not reported.
        idle: What the agent cost in months in which it worked no case, which no price of a case tells; else 0.
        reported: By factor (and cash), in how many months it was reported.
    """

    months: tuple[Month, ...]
    forecast: Levels
    actual: Levels
    planned: Parts
    brought: Parts
    released: tuple[Floats | None, ...]
    idle: tuple[float | Floats, ...]
    reported: dict[str, int]

    def benefit(self) -> Floats:
        """What the months brought, shape (months, n_draws)."""
        more = [np.zeros(self.brought.cash.shape[1]) if x is None else x for x in self.released]
        return np.asarray(
            self.brought.benefit + np.stack([x - idle for x, idle in zip(more, self.idle, strict=True)])
        )


def over(forecast: Forecast, months: Sequence[Month], *, covered_only: bool = False) -> Over:
    """Hold months against their forecast.

    Args:
        forecast: As it was decided, or as it stands now.
        months: What was reported, at least one.
        covered_only: Whether cases are of the covered segments only.
    """
    planned = forecast.levels(np.array([float(m.number) for m in months]), covered_only=covered_only)
    found: dict[str, Floats | None] = {}
    reported: dict[str, int] = {}
    for name in FACTORS:
        level: Floats | None = getattr(planned, name)
        if level is None:
            found[name], reported[name] = None, 0
            continue
        level = level.copy()
        reported[name] = 0
        for i, month in enumerate(months):
            value: float | Floats | None = factor_of(month, name)
            if name == "adoption" and month.cases is None and month.adopted_cases is not None:
                # So many cases were worked, whatever share of all cases that is.
                value = month.adopted_cases / planned.volume[i]
            if value is not None:
                level[i] = value
            reported[name] += value is not None or nothing_to_show(month, name)
        found[name] = level
    volume, adoption, minutes, price = (found[n] for n in ("volume", "adoption", "minutes", "price"))
    assert volume is not None
    assert adoption is not None
    assert minutes is not None
    assert price is not None
    actual = Levels(volume=volume, adoption=adoption, minutes=minutes, errors=found["errors"], price=price)
    brought = forecast.parts(actual)
    reported["cash"] = sum(m.cash_released is not None for m in months)
    return Over(
        months=tuple(months),
        forecast=planned,
        actual=actual,
        planned=forecast.parts(planned),
        brought=brought,
        released=tuple(
            None if m.cash_released is None else m.cash_released - brought.cash[i]
            for i, m in enumerate(months)
        ),
        idle=tuple(m.cost if m.adopted_cases == 0 and m.cost is not None else 0.0 for m in months),
        reported=reported,
    )


def nothing_to_show(month: Month, name: str) -> bool:
    """Whether a month without a case, or without one that the agent worked, could not have shown a factor."""
    if name == "volume":
        return False
    if name == "adoption":
        return month.cases == 0
    return month.adopted_cases == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """The difference between what months brought and their forecast, in means over the draws.

    Attributes:
        months: Of each month, what each of `ROWS` explains; the rows of a month add up to its difference.
        total: The same of all months together.
        whole: The difference of all months together.
    """

    months: tuple[dict[str, float], ...]
    total: dict[str, float]
    whole: float


def take_apart(forecast: Forecast, found: Over) -> Apart:
    """What explains the difference, month by month and together.

    Args:
        forecast: The one that the months were held against.
        found: As `over` gives them.
    """
    means = _means(forecast, found)
    benefit, planned = found.benefit().mean(axis=1), found.planned.benefit.mean(axis=1)
    rows = []
    for i in range(len(found.months)):

        def value(changed: frozenset[str], i: int = i) -> Point:
            return float(means[frozenset(changed)][i]), 0.0

        by_order, _ = shares(FACTORS, value)
        cash = found.released[i]
        by_order["price"] = (by_order["price"][0] - float(np.mean(found.idle[i])), by_order["price"][1])
        parts = [*(by_order[name] for name in FACTORS), (0.0 if cash is None else float(cash.mean()), 0.0)]
        parts = closed(parts, (float(benefit[i] - planned[i]), 0.0))
        rows.append({name: part[0] for name, part in zip(ROWS, parts, strict=True)})
    whole = math.fsum(benefit) - math.fsum(planned)
    summed = closed([(math.fsum(row[name] for row in rows), 0.0) for name in ROWS], (whole, 0.0))
    total = {name: part[0] for name, part in zip(ROWS, summed, strict=True)}
    return Apart(months=tuple(rows), total=total, whole=whole)


def _means(forecast: Forecast, found: Over) -> dict[frozenset[str], Floats]:
    """Mean benefit of each month with some factors as they were and the others as forecast, shape (months,) each."""
    sides = (found.forecast, found.actual)
    time = [forecast.time_of(side.minutes)[0] for side in sides]
    errors = [forecast.errors_of(side.errors) for side in sides]
    price = [side.price for side in sides]
    taken: dict[tuple[str, int, int, int], Floats] = {}
    for volume, adoption in product((0, 1), repeat=2):
        cases = sides[volume].volume * sides[adoption].adoption
        for name, each in (("minutes", time), ("errors", errors), ("price", price)):
            for side in (0, 1):
                taken[name, volume, adoption, side] = (cases * each[side]).mean(axis=1)
    means = {}
    for chosen in product((0, 1), repeat=len(FACTORS)):
        on = dict(zip(FACTORS, chosen, strict=True))
        at = (on["volume"], on["adoption"])
        means[frozenset(name for name in FACTORS if on[name])] = (
            taken["minutes", *at, on["minutes"]]
            + taken["errors", *at, on["errors"]]
            - taken["price", *at, on["price"]]
        )
    return means
