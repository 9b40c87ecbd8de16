"""Spreads and sums of squares of many cases are those of the same cases when they are few."""

from __future__ import annotations

from decimal import Decimal, localcontext
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

import roi.spreads
from roi.moments import Spread
from roi.relation import Relation
from roi.spreads import square_sum, take_spread

ROWS = Relation.named("t", ("arm", "human_", "imputed_"))


def spread(values: str, *, coded: bool) -> dict[str, Spread]:
    """Of a query of arm and minutes."""
    con = duckdb.connect()
    con.execute(
        f"create table t as select arm, x::decimal(18,6) as human_, false as imputed_ from ({values})"
    )
    con.execute("insert into t values ('pilot', 999999, true), ('pilot', null, false)")
    samples: Any = SimpleNamespace(con=con, coded=coded)
    return take_spread(samples, ROWS)


@pytest.mark.parametrize("coded", [False, True])
def test_the_spread_of_three_cases_by_hand(coded: bool) -> None:
    """Positions 0.1, 1 and 1.9 of 1, 2 and 4; logarithms 0, ln 2 and 2 ln 2."""
    (found,) = spread("select 'pilot' as arm, unnest([4, 1, 2]) as x", coded=coded).values()
    assert (found.p05, found.p50, found.p95) == pytest.approx((1.1, 2, 3.8))
    assert found.mean == pytest.approx(7 / 3)
    assert found.log_mean == pytest.approx(0.693147181, abs=1e-9)


@pytest.mark.parametrize("most", [0, 20_000])
@pytest.mark.parametrize(("n", "top", "places"), [(1, 1, 0), (2, 9, 1), (999, 30, 2), (5000, 5000, 6)])
def test_many_cases_are_spread_as_few_are(
    monkeypatch: pytest.MonkeyPatch, most: int, n: int, top: int, places: int
) -> None:
    """To the last digit, whether their minutes come again or not; some take none."""
    monkeypatch.setattr(roi.spreads, "MOST_VALUES", most)
    values = (
        "select case when hash(i) % 3 = 0 then 'baseline' else 'pilot' end as arm, case when i % 20 = 7 then 0 "
        f"else round(hash(i, 1) / 1.8446744073709552e19 * {top}, {places}) end as x from range({n}) t(i)"
    )
    assert spread(values, coded=True) == spread(values, coded=False)


def test_only_zeros_have_no_mean_of_logarithms() -> None:
    found = spread("select 'pilot' as arm, 0 as x from range(5)", coded=True)["pilot"]
    assert (found.p50, found.mean, found.log_mean) == (0, 0, None)


def test_squares_are_summed_exactly_above_a_thousand_too() -> None:
    numbers = ["999", "-999", "999.000001", "-1000", "123456789.123456", "0.000001", "0", "86400.5"]
    listed = ", ".join(f"('{x}'::decimal(18,6))" for x in [*numbers, *numbers])
    (found,) = duckdb.sql(
        f"select ({square_sum('v')})::varchar from (values {listed}, (null)) t(v)"
    ).fetchall()[0]
    with localcontext(prec=60):
        assert Decimal(found) == 2 * sum(Decimal(x) ** 2 for x in numbers)
