"""How human minutes are spread, and exact sums of their squares, of a few cases and of many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi.moments import Spread, fetch
from roi.relation import Relation

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["square_sum", "take_spread"]

POINTS = (0.05, 0.5, 0.95)
LOOKED_AT = 100_000  # cases that show whether the same minutes come again and again
MOST_VALUES = 20_000  # of these

# Each logarithm is cut to a decimal first, so that the sum is exact.
_LOG = "case when human_ > 0 then ln(human_::double)::decimal(18,9) end"


def square_sum(value: str, *, small: bool = False) -> str:
    """SQL of the exact sum of the squares of a decimal with six places; 0 where there is none.

    The square of a number below a thousand fits beside twelve places into 64 bits, which the engine multiplies and
    adds much sooner than more of them.

    Args:
        value: SQL of the decimal.
        small: Whether it is known that all lie between -999 and 999.
    """
    if small:
        return f"coalesce(sum(({value}) * ({value})), 0)"
    fits = f"{value} between -999 and 999"
    return (
        f"coalesce(sum(case when {fits} then ({value}) * ({value}) end), 0) "
        f"+ coalesce(sum(case when not ({fits}) then ({value}) * ({value})::decimal(19,6) end), 0)"
    )


def take_spread(samples: Samples, production: Relation) -> dict[str, Spread]:
    """The spread of human minutes by arm.

    Args:
        samples: The opened samples.
        production: Production cases with `human_` and `imputed_`.
    """
    complete = production.where("human_ is not null and not imputed_")
    if samples.coded and _again(samples, complete):
        found = fetch(samples, _of_values(complete))
    else:
        aggregates = {
            "points": f"quantile_cont(human_::double, {list(POINTS)})",
            "mean": "sum(human_)::double / count(*)",
            "log": f"sum({_LOG})::double / nullif(count({_LOG}), 0)",
        }
        found = fetch(samples, complete.grouped(["arm"], aggregates))
    return {
        str(arm): Spread(
            p05=float(points[0]),
            p50=float(points[1]),
            p95=float(points[2]),
            mean=float(mean),
            log_mean=None if log_mean is None else float(log_mean),
        )
        for arm, points, mean, log_mean in found
    }


def _again(samples: Samples, complete: Relation) -> bool:
    """Whether many cases take minutes that others take, so that values are fewer than cases."""
    some = f"select human_ from {complete.sql} limit {LOOKED_AT}"
    return bool(fetch(samples, f"select count(distinct human_) <= {MOST_VALUES} from ({some})")[0][0])


def _of_values(complete: Relation) -> str:
    """The same of many cases, taken from the number of cases with each value: nothing is sorted but values."""
    values = f"select arm, human_, count(*) as n from {complete.sql} group by arm, human_"
    placed = (
        "select *, sum(n) over (partition by arm order by human_) as upto, sum(n) over (partition by arm) as whole "
        f"from ({values})"
    )
    points = []
    for share in POINTS:
        at = f"(whole - 1)::double * {share}"
        low, high = (f"min(human_) filter (upto > {cut}({at}))::double" for cut in ("floor", "ceil"))
        part = f"any_value({at} - floor({at}))"
        points.append(f"{low} * (1 - {part}) + {high} * {part}")
    logs = f"sum({_LOG} * n)::double / nullif(sum(n) filter (human_ > 0), 0)"
    return (
        f"select arm, [{', '.join(points)}], sum(human_ * n)::double / sum(n), {logs} from ({placed}) "
        "group by arm order by arm"
    )
