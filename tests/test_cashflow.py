"""Money: hand calculations, month-by-month loops, and properties."""

from __future__ import annotations

import numpy as np
import numpy_financial as npf
import pytest
import pyxirr
from hypothesis import given, settings
from hypothesis import strategies as st

from roi.cashflow import (
    Monthly,
    Schedule,
    Stream,
    annuity,
    monthly_flows,
    present_value,
    ramp_factor,
)
from roi.economics import CostLine, Economics
from roi.returns import irr, middle_payback, payback

rates = st.one_of(st.just(0.0), st.floats(1e-6, 1.0), st.floats(-0.5, -1e-6))
months = st.integers(1, 120)
spans = st.floats(0, 60)


def economics(**changes: object) -> Economics:
    given = {
        "horizon": 36,
        "discount": 0.08,
        "labour": 42.0,
        "cases_per_month": 1000.0,
        "cash": 0.2,
        "redeployed": 0.3,
        "realisation_known": False,
        "ceiling": 0.8,
        "ramp": 6.0,
        "error_cost": (5.0, 60.0, 1200.0, 25000.0),
        "error_credit": True,
        "lines": (),
        "contingency": 0.2,
        "pilot_cost": 0.0,
        "wind_down": 0.0,
        "smallest_saving": 0.25,
    } | changes
    return Economics(**given)  # type: ignore[arg-type]


def stream(time: float = 0.0, errors: float = 0.0, agent: float = 0.0, n: int = 4) -> Stream:
    full = np.full(n, 1.0)
    return Stream(
        time=time * full,
        time_cash=0.4 * time * full,
        errors=errors * full,
        agent=agent * full,
        hours=0 * full,
    )


@given(rates, months, spans)
@settings(max_examples=300, deadline=None)
def test_annuity_equals_the_months_added_up(rate, horizon, delay):
    by_hand = sum(min(max(m - delay, 0), 1) * (1 + rate) ** (-m / 12) for m in range(1, horizon + 1))
    assert annuity(rate, horizon, delay) == pytest.approx(by_hand, rel=1e-9, abs=1e-9)


@pytest.mark.slow
@given(rates, months, spans, spans)
@settings(max_examples=300, deadline=None)
def test_ramp_equals_the_months_added_up(rate, horizon, ramp, delay):
    ramp = 0.0 if ramp < 0.01 else ramp
    if ramp == 0:
        by_hand = float(annuity(rate, horizon, delay))
    else:
        share = [min(1, max(0, (m - delay - 0.5) / ramp)) for m in range(1, horizon + 1)]
        by_hand = sum(a * (1 + rate) ** (-m / 12) for m, a in enumerate(share, 1))
    assert ramp_factor(rate, horizon, ramp, delay) == pytest.approx(by_hand, rel=1e-8, abs=1e-8)


def test_thirty_six_monthly_values_by_hand():
    """EUR 10,000 a month at the ceiling from a six-month ramp, EUR 2,000 a month, EUR 50,000 + 20 % once, 8 % a year."""
    lines = (
        CostLine(name="a", kind="support", amount=2000.0, per="month", seats=0.0, month=0, contingent=True),
        CostLine(name="b", kind="data", amount=50000.0, per="once", seats=0.0, month=0, contingent=True),
    )
    by_hand = -60000.0
    for m in range(1, 37):
        by_hand += (10000 * min(1, (m - 0.5) / 6) - 2000) * 1.08 ** (-m / 12)
    worth = present_value(stream(time=10000), economics(lines=lines), Schedule())
    assert worth == pytest.approx(np.full(4, by_hand), rel=1e-12)
    assert by_hand == pytest.approx(166_827.89, abs=0.01)


@pytest.mark.parametrize("delay", [0.0, 1.4, 7.0, 40.0])
def test_present_value_is_that_of_its_monthly_flows(delay):
    lines = (
        CostLine(name="a", kind="support", amount=700.0, per="month", seats=0.0, month=0, contingent=True),
        CostLine(
            name="b", kind="licence", amount=30.0, per="seat_month", seats=40.0, month=0, contingent=True
        ),
        CostLine(name="c", kind="other", amount=2400.0, per="year", seats=0.0, month=0, contingent=True),
        CostLine(name="d", kind="data", amount=50000.0, per="once", seats=0.0, month=5, contingent=False),
    )
    e = economics(lines=lines, pilot_cost=2100.0, wind_down=5000.0)
    schedule = Schedule(delay=delay, one_off=40000.0, per_month=150.0)
    s = stream(time=9000, errors=800, agent=500)
    flows = monthly_flows(s, e, schedule).net
    discounted = (flows * (1.08 ** (-np.arange(37) / 12))[:, None]).sum(axis=0) + 5000
    assert present_value(s, e, schedule) == pytest.approx(discounted, rel=1e-12)


@pytest.mark.parametrize("horizon", range(1, 37))
def test_each_of_thirty_six_months_agrees_with_the_sum_by_hand_and_with_two_libraries(horizon):
    """A ramp of six months, costs a month and at once, 8 % a year; to 1e-9 of what is paid."""
    lines = (
        CostLine(name="a", kind="support", amount=2000.0, per="month", seats=0.0, month=0, contingent=True),
        CostLine(name="b", kind="data", amount=50000.0, per="once", seats=0.0, month=0, contingent=False),
    )
    flow = [-50000.0] + [10000 * min(1, (m - 0.5) / 6) - 2000 for m in range(1, horizon + 1)]
    by_hand = sum(x * 1.08 ** (-m / 12) for m, x in enumerate(flow))
    worth = present_value(stream(time=10000), economics(lines=lines, horizon=horizon), Schedule())[0]
    monthly = 1.08 ** (1 / 12) - 1
    assert worth == pytest.approx(by_hand, rel=1e-9)
    assert worth == pytest.approx(npf.npv(monthly, flow), rel=1e-9)
    assert worth == pytest.approx(pyxirr.npv(monthly, flow), rel=1e-9)
    flows = monthly_flows(stream(time=10000), economics(lines=lines, horizon=horizon), Schedule())
    assert flows.net[:, 0] == pytest.approx(flow, rel=1e-12)


@given(st.floats(100, 1e6), st.lists(st.floats(1, 1e5), min_size=6, max_size=36))
@settings(max_examples=40, deadline=None)
def test_rates_of_return_agree_with_two_libraries(paid, returns):
    flow = np.array([-paid, *returns])
    rate, why = irr(flow)
    monthly = pyxirr.irr(flow)
    if rate is None:
        assert why is not None
        return
    assert rate == pytest.approx((1 + monthly) ** 12 - 1, rel=1e-6, abs=1e-9)
    assert pyxirr.npv((1 + rate) ** (1 / 12) - 1, flow) == pytest.approx(0, abs=1e-6 * paid)
    other = npf.irr(flow)
    if np.isfinite(other):
        assert rate == pytest.approx((1 + other) ** 12 - 1, rel=1e-6, abs=1e-9)


def test_rates_and_delays_that_are_drawn_are_valued_draw_by_draw():
    """Shared powers of the discount give what each draw by itself gives, next to no discount included."""
    rate = np.array([0.0, 1e-12, 0.03, 0.08, 0.5, -0.2])
    ramp = np.array([0.0, 6.0, 3.5, 0.2, 40.0, 12.0])
    delay = np.array([0.0, 0.4, 1.0, 7.3, 36.0, 50.0])
    lines = (CostLine(name="a", kind="data", amount=700.0, per="month", seats=0.0, month=0, contingent=True),)
    for wait in (0.0, delay):
        e = economics(discount=rate, ramp=ramp, lines=lines, pilot_cost=90.0)
        found = present_value(stream(time=9000, n=6), e, Schedule(delay=wait))
        for i, x in enumerate(found):
            one = economics(discount=float(rate[i]), ramp=float(ramp[i]), lines=lines, pilot_cost=90.0)
            by_itself = present_value(
                stream(time=9000, n=1), one, Schedule(delay=float(np.broadcast_to(wait, 6)[i]))
            )
            assert x == pytest.approx(by_itself[0], rel=1e-9, abs=1e-6)


def test_irr_agrees_with_numpy_financial():
    flow = np.array([-1000.0, *[60.0] * 24])
    monthly = npf.irr(flow)
    assert irr(flow)[0] == pytest.approx((1 + monthly) ** 12 - 1, rel=1e-9)


@pytest.mark.parametrize(
    ("flow", "why"), [([-1.0, 3.0, -2.5], "more than once"), ([1.0, 2.0], "never"), ([-1.0, -2.0], "never")]
)
def test_irr_is_none_without_exactly_one_root(flow, why):
    rate, reason = irr(np.array(flow))
    assert rate is None
    assert why in reason


def test_payback_counts_what_never_pays_back():
    net = np.array([[-10.0, -10.0, 1.0, -10.0], [6, 1, 0, 20], [6, 1, 0, -30], [6, 1, 0, 25]])
    flows = Monthly(benefit=net, cost=np.zeros_like(net))
    paid, never = payback(flows)
    assert sorted(paid.tolist()) == [0.0, 2.0, 3.0]
    assert never == 0.25
    # Of the four outcomes 0, 2, 3 and never half are back by month 2; of those that pay back it would be month 2, too.
    assert middle_payback(paid, never) == 2.0


@pytest.mark.parametrize(
    ("months", "never", "middle"),
    [
        (
            [4.0, 6.0, 11.0, 18.0, 30.0, 34.0],
            0.4,
            30.0,
        ),  # of ten outcomes the fifth; of the six that pay it is 11 to 18
        ([7.0, 3.0, 5.0], 0.0, 5.0),
        ([3.0, 9.0], 0.5, 9.0),
        ([3.0, 9.0], 0.6, None),
        ([], 1.0, None),
    ],
)
def test_the_middle_outcome_counts_those_that_never_pay_back(months, never, middle):
    """A pilot that never pays in 4 of 10 outcomes was said to be paid back in the middle one of the other six."""
    assert middle_payback(np.array(months), never) == middle


@given(
    st.floats(-5000, 20000),
    st.floats(-3000, 3000),
    st.floats(0, 5000),
    st.floats(0, 20),
    st.floats(0, 1),
    st.floats(0, 5e4),
)
@settings(max_examples=200, deadline=None)
def test_dearer_or_less_realised_is_never_worth_more(time, errors, agent, delay, less, more):
    e, s = economics(pilot_cost=100.0), stream(time=time, errors=errors, agent=agent)
    worth = present_value(s, e, Schedule(delay=delay))
    cut = stream(time=time * less if time > 0 else time, errors=errors, agent=agent)
    assert (present_value(cut, e, Schedule(delay=delay)) <= worth + 1e-6).all()
    assert (present_value(s, e, Schedule(delay=delay, one_off=more)) <= worth + 1e-6).all()
    assert (present_value(s, e, Schedule(delay=delay, per_month=more)) <= worth + 1e-6).all()


@given(st.floats(0, 20000), st.floats(0, 20), st.floats(0, 20))
@settings(max_examples=200, deadline=None)
def test_a_longer_delay_is_never_worth_more_where_the_months_pay(time, delay, longer):
    e, s = economics(pilot_cost=100.0), stream(time=time)
    assert (
        present_value(s, e, Schedule(delay=delay + longer))
        <= present_value(s, e, Schedule(delay=delay)) + 1e-6
    ).all()
