"""Measures of a stream by day or week: their control charts, and the ranges in which they lie at every look.

Points that fewer people worked than may be told apart are withheld.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from roi.control_charts import Chart, p_prime, u, xmr
from roi.monitor_days import Counted, Stream
from roi.monitor_tests import RATES
from roi.sequences import FIRST_DAYS, mean_range, share_range

__all__ = ["Period", "chart_of", "period_of", "range_of", "volume_chart"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Period: TypeAlias = Literal["day", "week"]

LEVEL = 0.95  # at which a range holds at every look together
BASELINE = {"day": 28, "week": 8}  # points from the start of a regime that limits are taken from
WEEKS_FROM = 56  # days from which a stream is shown by week, unless asked otherwise


def period_of(stream: Stream, asked: Period | None) -> Period:
    """By day or by week."""
    return asked or ("week" if stream.days >= WEEKS_FROM else "day")


def _points(stream: Stream, period: Period) -> tuple[Ints, list[dt.date]]:
    """The point of each day, shape (days,), and the first day of each point; weeks begin on Mondays."""
    if period == "day":
        return np.arange(stream.days), [stream.date(d) for d in range(stream.days)]
    monday = stream.first.weekday()
    of = (np.arange(stream.days) + monday) // 7
    return of, [stream.date(7 * k - monday) for k in range(int(of[-1]) + 1)]


def chart_of(
    stream: Stream, measure: str, segment: str | None, *, period: Period, again: Sequence[dt.date], few: int
) -> dict[str, Any]:
    """A measure by point with its control chart.

    Args:
        stream: The stream.
        measure: Of `MEASURES`.
        segment: A segment, or None for all cases.
        period: By day or by week.
        again: Days from which limits are taken anew.
        few: People below whom a point is withheld, where people are named.

    Returns:
        `kind`, `period`, `points` (first day, cases `n`, `value`, `centre`, `low`, `high`, `marks`; None where not
        known) and `regimes`.
    """
    rows = stream.measures[measure]
    if segment is not None:
        rows = rows.where(rows.segment == stream.segments.index(segment))
    of, days = _points(stream, period)
    n, total, withheld = _by_point(stream, rows, of, few if measure != "approval_miss_rate" else 0)
    at = _again_at(stream, of, again)
    size = BASELINE[period]
    if measure == "severe_error_rate_pilot":
        chart = u(total, n, baseline=size, again_at=at)
    elif measure in RATES:
        chart = p_prime(total, n, baseline=size, again_at=at)
    else:
        with np.errstate(invalid="ignore", divide="ignore"):
            chart = xmr(np.where(n > 0, total / n, np.nan), baseline=size, again_at=at)
    return _plain(chart, period, days, n, withheld)


def volume_chart(
    stream: Stream, segment: str | None, *, period: Period, again: Sequence[dt.date]
) -> dict[str, Any]:
    """Cases by point, of a segment or of all; a first or last week that the stream does not fill has no value."""
    of, days = _points(stream, period)
    rows = stream.volume
    if segment is not None:
        rows = rows.where(rows.segment == stream.segments.index(segment))
    n = np.bincount(of[rows.day], rows.n, minlength=len(days))
    whole = np.bincount(of, minlength=len(days)) >= (7 if period == "week" else 1)
    chart = xmr(np.where(whole, n, np.nan), baseline=BASELINE[period], again_at=_again_at(stream, of, again))
    return _plain(chart, period, days, np.asarray(n, dtype=np.float64), 0)


def _again_at(stream: Stream, of: Ints, again: Sequence[dt.date]) -> list[int]:
    days = [(day - stream.first).days for day in again]
    return [int(of[d]) for d in days if 0 < d < stream.days]


def _by_point(stream: Stream, rows: Counted, of: Ints, few: int) -> tuple[Floats, Floats, int]:
    """Cases and sums by point; of points with few people nothing, and how many these are."""
    points = int(of[-1]) + 1
    point = of[rows.day]
    n = np.asarray(np.bincount(point, rows.n, minlength=points), dtype=np.float64)
    total = np.asarray(np.bincount(point, rows.total, minlength=points), dtype=np.float64)
    if not stream.people or few <= 1 or not point.size:
        return n, total, 0
    width = int(rows.person.max()) + 2
    seen = np.unique(point * width + rows.person + 1)
    people = np.bincount(seen // width, minlength=points)
    hidden = (people < few) & (n > 0)
    return np.where(hidden, 0.0, n), np.where(hidden, 0.0, total), int(hidden.sum())


def _plain(chart: Chart, period: Period, days: Sequence[dt.date], n: Floats, withheld: int) -> dict[str, Any]:
    def known(x: float) -> float | None:
        return float(x) if np.isfinite(x) else None

    marks: dict[int, list[str]] = {}
    for mark in chart.marks:
        marks.setdefault(mark.point, []).append(f"{mark.rule}, {mark.side}")
    return {
        "kind": chart.kind,
        "period": period,
        "withheld": withheld,
        "points": [
            {
                "from": day.isoformat(),
                "n": float(n[k]),
                "value": known(chart.value[k]),
                "centre": known(chart.centre[k]),
                "low": known(chart.low[k]),
                "high": known(chart.high[k]),
                "marks": marks.get(k, []),
            }
            for k, day in enumerate(days)
        ],
        "regimes": [
            {
                "from": days[r.first].isoformat(),
                "points": r.last - r.first + 1,
                "baseline": r.baseline,
                "centre": r.centre,
                "sigma": r.sigma,
            }
            for r in chart.regimes
        ],
    }


def range_of(stream: Stream, measure: str, segment: str | None) -> dict[str, Any]:
    """The mean of a measure over the whole stream, with the range in which it lies at every look.

    Returns:
        `n`, `mean`, `low`, `high`, `level`, `no_range` (why there is none), and `unknown_days`, on which there were
        cases and none of which it is known; `low` and `high` are None where days are too few to say.
    """
    rows, volume = stream.measures[measure], stream.volume
    if segment is not None:
        at = stream.segments.index(segment)
        rows, volume = rows.where(rows.segment == at), volume.where(volume.segment == at)
    n = np.asarray(np.bincount(rows.day, rows.n, minlength=stream.days), dtype=np.float64)
    total = np.asarray(np.bincount(rows.day, rows.total, minlength=stream.days), dtype=np.float64)
    cases = np.bincount(volume.day, volume.n, minlength=stream.days)
    found: dict[str, Any] = {
        "n": float(n.sum()),
        "mean": float(total.sum() / n.sum()) if n.sum() > 0 else None,
        "low": None,
        "high": None,
        "no_range": None,
        "level": LEVEL,
        "unknown_days": int(((cases > 0) & (n == 0)).sum()),
    }
    if not n.sum() > 0:
        return found
    if measure in RATES and bool((n == np.round(n)).all()):
        low, high = share_range(n, total, alpha=1 - LEVEL)
    else:  # minutes, money, and rates of cases that weigh unlike
        low, high = mean_range(n, total, alpha=1 - LEVEL)
    if np.isfinite(low[-1]):
        found["low"], found["high"] = max(float(low[-1]), 0.0), float(high[-1])
        if measure in RATES:
            found["high"] = min(found["high"], 1.0)
    elif (days := int((n > 0).sum())) < FIRST_DAYS:
        found["no_range"] = f"{days} days with cases, where a range at every look takes {FIRST_DAYS}"
    else:
        found["no_range"] = "days so unlike each other that a range at every look takes more of them"
    return found
