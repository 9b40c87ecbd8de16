"""What months can show of a forecast: its benefit with everything that they cannot show held at the same draws.

A month tells cases, adoption, minutes, errors, cost and cash. What an hour or an error costs, what becomes of a saved
hour, and whatever was not reported it does not tell. What months brought is a mean over the draws of all that; the
forecast that they are scored against must be the same mean, and not hold the spread of what no month shows: S(o) is the
mean over all draws u of the benefit at o and u, for the o that were reported and for those of each draw. Months that a
draw of the forecast brought are then as likely to be in any tenth of S as in any other, whatever o and u share.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.actuals import Month
from roi.apart import ROWS, Over, nothing_to_show
from roi.forecast import FACTORS, Forecast, band, crps
from roi.learnt import factor_of
from roi.words import and_list

__all__ = ["ratios_of", "scored", "shown_in", "shown_of", "shown_words"]

Floats = npt.NDArray[np.float64]

SHOWN = {
    "volume": "cases",
    "adoption": "cases worked with the agent",
    "minutes": "their minutes",
    "errors": "their errors",
    "price": "the agent's cost",
    "cash": "cash released",
}


def shown_in(month: Month) -> tuple[str, ...]:
    """The factors that a month shows, and cash."""
    found = [
        name
        for name in FACTORS
        if factor_of(month, name) is not None
        or nothing_to_show(month, name)
        or (name == "adoption" and month.adopted_cases is not None)
    ]
    return (*found, *(("cash",) if month.cash_released is not None else ()))


def shown_of(forecast: Forecast, months: Sequence[Month], *, covered_only: bool = False) -> Floats:
    """The benefit of months as far as they show it, in each draw of a forecast.

    Args:
        forecast: As it was decided.
        months: What was reported; only which of it, not what.
        covered_only: Whether cases are of the covered segments only.

    Returns:
        Shape (months, n_draws); to be held against the mean over the draws of what `roi.apart.Over.benefit` gives.
    """
    n = forecast.n
    levels = forecast.levels(np.array([float(m.number) for m in months]), covered_only=covered_only)
    time_of, cash_of = (
        _Mean(forecast, forecast.both, losses=True),
        _Mean(forecast, forecast.cash, losses=False),
    )
    found = np.empty((len(months), n))
    for i, month in enumerate(months):
        names = shown_in(month)
        volume, adoption, minutes, price = (
            level[i] for level in (levels.volume, levels.adoption, levels.minutes, levels.price)
        )
        errors = None if levels.errors is None else levels.errors[i]
        told, held = np.ones(n), np.ones(n)
        for name, level in (("volume", volume), ("adoption", adoption)):
            if name in names or month.adopted_cases is not None:
                told = told * level
            else:
                held = held * level
        each, released = np.zeros(n), np.zeros(n)
        money, cash, _ = forecast.time_of(minutes)
        if "minutes" in names:
            each += time_of(minutes, held)
            released += cash_of(minutes, held)
        else:
            each += float(np.mean(held * money))
            released += float(np.mean(held * cash))
        each += _errors(forecast, errors, held, told="errors" in names)
        each -= price * held.mean() if "price" in names else float(np.mean(held * price))
        found[i] = told * each
        if "cash" in names:
            found[i] += told * held * cash - told * released
    return found


def _errors(forecast: Forecast, errors: Floats | None, held: Floats, *, told: bool) -> Floats | float:
    """Money of the errors that a case avoids: of each draw's rate where it is told, else the mean over all."""
    if not told or errors is None:
        return float(np.mean(held * forecast.errors_of(errors)))
    before, cost = (np.broadcast_to(x, held.shape) for x in (forecast.errors_before, forecast.error_cost))
    if forecast.error_credit:
        return np.asarray(np.mean(held * before) - errors * np.mean(held * cost))
    # A draw counts from the rate on at which errors cost more than they did before: all draws in order of that rate.
    from_ = np.divide(before, cost, out=np.full(held.shape, np.inf), where=cost > 0)
    order = np.argsort(from_)
    at = np.searchsorted(from_[order], errors, side="right")
    sums = [np.r_[0.0, np.cumsum((held * x)[order])] for x in (before, cost)]
    return np.asarray((sums[0][at] - errors * sums[1][at]) / held.size)


def shown_words(names: Iterable[str]) -> str:
    """What months show, in words."""
    return and_list(SHOWN[name] for name in names)


def ratios_of(forecast: Forecast, held: Over) -> dict[str, float | None]:
    """What months showed of single factors, as shares of what was forecast of the same months.

    Returns:
        `volume`: cases; `adoption`: share of them that the agent worked; `hours`: hours saved of the cases it worked;
        `cash`: cash released of that many hours. None where no month shows it, or nothing was forecast.
    """
    planned, brought, months = held.forecast, held.brought, held.months
    sums: dict[str, list[tuple[float, float]]] = {
        name: [] for name in ("volume", "adoption", "hours", "cash")
    }
    hours = forecast.time_of(planned.minutes)[2]
    for i, m in enumerate(months):
        if m.cases is not None:
            sums["volume"].append((m.cases, float(planned.volume[i].mean())))
        if m.cases is not None and m.adopted_cases is not None:
            sums["adoption"].append((m.adopted_cases, m.cases * float(planned.adoption[i].mean())))
        if m.adopted_cases is not None and m.human_minutes is not None:
            sums["hours"].append((float(brought.hours[i].mean()), m.adopted_cases * float(hours[i].mean())))
        if m.cash_released is not None:
            sums["cash"].append((m.cash_released, float(brought.cash[i].mean())))
    found: dict[str, float | None] = {}
    for name, pairs in sums.items():
        came, said = (sum(pair[k] for pair in pairs) for k in (0, 1))
        found[name] = came / said if said > 0 else None
    return found


def scored(shown: Floats, brought: Floats, months: Sequence[Month]) -> dict[str, Any]:
    """What months brought against the forecast of what they show, `of` the factors that any of them reported."""
    said, came = band(shown), float(brought.mean())
    told = {name for m in months for name in shown_in(m)}
    return {
        "of": [name for name in ROWS if name in told],
        "forecast": said,
        "inside": said["p10"] <= came <= said["p90"],
        "below": float(np.mean(shown < came)),
        "crps": crps(shown, came),
    }


class _Mean:
    """The mean over all draws of a case's time in money, as a function of its minutes with the agent.

    A draw's money is (before − minutes) × labour × share where that much is saved, and in full where time is lost; with
    the draws in order of `before` both are sums from one end, so that n minutes take n log n and not n².
    """

    def __init__(self, forecast: Forecast, share: object, *, losses: bool) -> None:
        shape = (forecast.n,)
        self.before, labour, gained = (
            np.broadcast_to(np.asarray(x, dtype=np.float64), shape)
            for x in (forecast.before, np.divide(forecast.labour, 60), share)
        )
        self.order = np.argsort(self.before)
        self.gain, self.loss = labour * gained, labour * float(losses)
        self.smallest = forecast.smallest

    def __call__(self, minutes: Floats, held: Floats) -> Floats:
        """At each of some minutes, shape (n,); every draw weighs as `held` says."""
        before = self.before[self.order]
        saved, lost = ((held * x)[self.order] for x in (self.gain, self.loss))
        # The first draw in which so much is saved, and the first in which no time is lost.
        enough = np.searchsorted(before, minutes + self.smallest, side="left")
        none = np.searchsorted(before, minutes, side="left")
        up = [np.r_[0.0, np.cumsum(x)] for x in (saved * before, saved)]
        down = [np.r_[0.0, np.cumsum(x)] for x in (lost * before, lost)]
        gains = (up[0][-1] - up[0][enough]) - minutes * (up[1][-1] - up[1][enough])
        losses = down[0][none] - minutes * down[1][none]
        return np.asarray((gains + losses) / held.size)
