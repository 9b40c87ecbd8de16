"""The arrays behind the pictures, binned from the same draws and in the same engine as every number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.analysis import Analysis
from roi.cashflow import monthly_flows
from roi.moments import fetch
from roi.money import plan_flows
from roi.pictures import Band, Driver, FiscalYear, Histogram, Pictures

__all__ = ["illustrate", "minute_counts"]

Floats = npt.NDArray[np.float64]

BINS = 30
MOST_DRIVERS = 10


def illustrate(
    a: Analysis, record: Mapping[str, Any], minutes: Mapping[str, Sequence[int]] | None = None
) -> Pictures:
    """Bin what the report draws.

    Args:
        a: The analysis.
        record: Its record, whose tornado is drawn.
        minutes: As `minute_counts` gives them, where they are known already.

    Returns:
        Histograms of minutes by arm and of worth, the cumulative cash band, fiscal years and drivers.
    """
    found = plan_flows(a)
    worth = {}
    if a.scale is not None:
        worth["scale"] = _histogram(a.scale.worth)
    if a.verdict.option is not None and a.verdict.option.kind == "scale_segments":
        worth["scale_segments"] = _histogram(a.verdict.option.worth)
    if a.verdict.plan is not None:
        worth["fix"] = _histogram(a.verdict.plan.worth)
    band, years = (None, ()) if found is None else _cash(a)
    return Pictures(
        minutes=_minutes(a, minute_counts(a) if minutes is None else minutes),
        worth=worth,
        cumulative=band,
        fiscal_years=years,
        drivers=() if record["sensitivity"] is None else _drivers(record["sensitivity"]),
    )


def _histogram(values: Floats) -> Histogram:
    low, high = np.percentile(values, [0.5, 99.5])
    if not high > low:
        low, high = low - 0.5, low + 0.5
    share, edges = np.histogram(np.clip(values, low, high), bins=BINS, range=(low, high))
    return Histogram(edges=edges, share=share / values.size)


def minute_counts(a: Analysis) -> dict[str, list[int]] | None:
    """Cases of each arm by human minutes, in common bins; counted in the engine, no row leaves it.

    None without samples.
    """
    if not a.moments.spread or "cases" not in a.samples.tables:
        return None
    cases = a.samples.tables["cases"]
    if "setting" in cases.columns:
        cases = cases.where("setting <> 'demo'")
    parts = []
    for name in ("handling_minutes", "review_minutes", "rework_minutes"):
        if name not in cases.columns:
            continue
        zero = f"case when arm = 'baseline' then coalesce({name}, 0) else {name} end"
        parts.append(zero if name == "review_minutes" else name)
    # Least and greatest pass over a NULL.
    place = f"floor(({' + '.join(parts)})::double * {BINS / _most_minutes(a)!r}::double)::bigint"
    counted = cases.having(place=place).where("place is not null")
    counted = counted.having(place=f"greatest(0, least({BINS - 1}, place))")
    found = {arm: [0] * BINS for arm in ("baseline", "pilot")}
    for arm, where, n in fetch(a.samples, counted.grouped(["arm", "place"], {"n": "count(*)"})):
        if arm in found:
            found[arm][int(where)] = int(n)
    return found


def _minutes(a: Analysis, counts: Mapping[str, Sequence[int]] | None) -> dict[str, Histogram] | None:
    """Shares of human minutes by arm."""
    if counts is None:
        return None
    edges = np.linspace(0.0, _most_minutes(a), BINS + 1)
    shares = {arm: np.array(n, dtype=np.float64) for arm, n in counts.items() if any(n)}
    return {arm: Histogram(edges=edges, share=n / n.sum()) for arm, n in shares.items()} or None


def _most_minutes(a: Analysis) -> float:
    """Where the last bin ends."""
    return _round_up(max(s.p95 for s in a.moments.spread.values()) * 1.25)


def _round_up(x: float) -> float:
    if not x > 0:
        return 1.0
    step = 10.0 ** math.floor(math.log10(x))
    return math.ceil(x / step * 2) / 2 * step


def _cash(a: Analysis) -> tuple[Band, tuple[FiscalYear, ...]]:
    found = plan_flows(a)
    assert found is not None
    assert found[1].stream is not None
    flows = monthly_flows(found[1].stream, a.economics, found[2])
    cumulative = np.cumsum(flows.net, axis=0)
    p10, p50, p90 = np.percentile(cumulative, [10, 50, 90], axis=1)
    band = Band(month=np.arange(cumulative.shape[0]), p10=p10, p50=p50, p90=p90, mean=cumulative.mean(axis=1))
    year, month = a.start
    # Month 0 is the start itself; month m is the m-th month from it.
    calendar = [year + (month - 1 + max(m - 1, 0)) // 12 for m in range(cumulative.shape[0])]
    years = []
    for label in dict.fromkeys(calendar):
        rows = np.array([c == label for c in calendar])
        net = flows.net[rows].sum(axis=0)
        low, high = np.percentile(net, [10, 90])
        years.append(
            FiscalYear(
                label=str(label) if year else f"year {label + 1}",
                benefit=float(flows.benefit[rows].sum(axis=0).mean()),
                cost=float(flows.cost[rows].sum(axis=0).mean()),
                net_p10=float(low),
                net_mean=float(net.mean()),
                net_p90=float(high),
            )
        )
    return band, tuple(years)


def _drivers(sensitivity: Mapping[str, Any]) -> tuple[Driver, ...]:
    """The strongest bars of the record's tornado; those that are nothing beside the strongest are left out."""
    bars = sensitivity["tornado"][:MOST_DRIVERS]
    least = max((abs(x["worth_high"] - x["worth_low"]) for x in bars), default=0.0) / 100
    return tuple(
        Driver(
            key=x["key"],
            label=x["label"],
            low_text=x["low_text"],
            high_text=x["high_text"],
            low=x["worth_low"],
            high=x["worth_high"],
            evidence=x["evidence"],
        )
        for x in bars
        if abs(x["worth_high"] - x["worth_low"]) > least
    )
