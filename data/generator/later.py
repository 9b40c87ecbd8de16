"""What is true of an example after its decision, and the months that finance would report of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from data.generator.cases import Row

__all__ = ["AFTER", "After", "draw_actuals"]


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """Months of a roll-out, which differ a little from what was forecast.

    Attributes:
        months: Names of the months, in order; the last is not closed yet.
        cases: Mean cases of the workflow a month.
        ceiling: Share of them that the agent gets in the end.
        ramp: Months until then.
        minutes: Human minutes of a case that the agent works.
        error_rate: Share of these that go wrong.
        cost: What the agent costs a case.
        cash: Cash released a case that the agent works.
        spread: How far a month lies off all that, as a share.
    """

    months: tuple[str, ...]
    cases: float
    ceiling: float
    ramp: float
    minutes: float
    error_rate: float
    cost: float
    cash: float
    spread: float = 0.03


AFTER: Mapping[str, After] = {
    "support_replies": After(
        months=("2026-07", "2026-08", "2026-09", "2026-10", "2026-11"),
        cases=67000.0,
        ceiling=0.72,
        ramp=6.5,
        minutes=6.4,
        error_rate=0.036,
        cost=0.0225,
        cash=0.25,
    )
}


def draw_actuals(after: After, rng: Random) -> list[Row]:
    """One row a month, the second one given again when late tickets had been booked."""
    rows: list[Row] = []
    for number, month in enumerate(after.months, 1):
        near = [rng.lognormvariate(0.0, after.spread) for _ in range(6)]
        cases = round(after.cases * near[0])
        adopted = round(cases * after.ceiling * min(1.0, (number - 0.5) / after.ramp) * near[1])
        rows.append(
            {
                "month": month,
                "cases": cases,
                "adopted_cases": adopted,
                "human_minutes": adopted * after.minutes * near[2] / 60,
                "errors": round(adopted * after.error_rate * near[3]),
                "cost": adopted * after.cost * near[4],
                "cash_released": adopted * after.cash * near[5],
                "complete": number < len(after.months),
            }
        )
    early = dict(rows[1])
    for name in ("cases", "adopted_cases", "errors"):
        early[name] = round(float(str(early[name])) * 0.96)
    return [rows[0], early, rows[2], rows[1], *rows[3:]]
