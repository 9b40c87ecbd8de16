"""Control charts, each held against a published worked example, and their two rules."""

from __future__ import annotations

import numpy as np
import pytest

from roi.control_charts import Mark, p_prime, u, xmr

NAN = float("nan")


def test_xmr_is_the_handbook_s():
    """NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2: flow rates; centre 50.81, limits 45.8159 to 55.8041."""
    flow = np.array([49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1])
    chart = xmr(flow, baseline=10)
    assert chart.centre[0] == pytest.approx(50.81)
    assert chart.low[0] == pytest.approx(45.8159, abs=2e-3)
    assert chart.high[0] == pytest.approx(55.8041, abs=2e-3)
    assert chart.moving_range is not None
    assert np.nanmean(chart.moving_range) == pytest.approx(1.8778, abs=1e-4)
    assert chart.marks == ()


def test_p_prime_is_that_of_published_limits():
    """Attendances at emergency departments seen within four hours (Mohammed et al. 2013, BMJ Qual Saf 22:362).

    Limits as the tests of PowerBI-SPC print them, which agree with qicharts2's chart "pp".
    """
    # fmt: off
    seen = np.array(
        [266501, 264225, 276532, 281461, 269071, 261215, 270409, 279778, 270483, 270320, 267923, 271478,
         255353, 256820, 261835, 259144, 255910, 260863, 264465, 260989],
        dtype=float,
    )
    came = np.array(
        [280443, 276823, 291681, 296155, 282343, 275888, 283867, 295251, 284468, 282529, 279618, 283932,
         266629, 268091, 276803, 271578, 266005, 273520, 278574, 273772],
        dtype=float,
    )
    # fmt: on
    chart = p_prime(seen, came, baseline=20)
    assert 100 * chart.high[[0, 1, 2, 19]] == pytest.approx([96.567, 96.5753, 96.5421, 96.5824], abs=1e-4)
    assert 100 * chart.low[[0, 1, 2, 19]] == pytest.approx([94.013, 94.0046, 94.0378, 93.9975], abs=1e-4)
    assert not [m for m in chart.marks if m.rule == "outside"]


def test_u_is_montgomery_s():
    """Montgomery (2009), example 7.3: nonconformities of 5 computers each; ū = 1.93, limits 0.07 to 3.79."""
    found = np.array([10, 12, 8, 14, 10, 16, 11, 7, 10, 15, 9, 5, 7, 11, 12, 6, 8, 10, 7, 5], dtype=float)
    chart = u(found, np.full(20, 5.0), baseline=20)
    assert chart.centre[0] == pytest.approx(1.93)
    assert chart.low[0] == pytest.approx(0.07, abs=0.005)
    assert chart.high[0] == pytest.approx(3.79, abs=0.005)


def test_limits_by_hand_stay_until_they_are_taken_anew():
    """Eight points of 1 and 3: centre 2, moving ranges 2, limits 2 ± 3 · 2 / 1.128, cut at 0."""
    value = np.array([1.0, 3] * 4 + [9.0] + [9.0, 11] * 4)
    kept = xmr(value, baseline=8)
    assert (kept.centre[-1], kept.low[-1]) == (2, 0)
    assert kept.high[-1] == pytest.approx(2 + 6 / 1.128)
    assert Mark(8, "outside", "above") in kept.marks
    anew = xmr(value, baseline=8, again_at=[9])
    assert [m.point for m in anew.marks] == [8]
    assert anew.centre[9:] == pytest.approx(np.full(8, 10))
    assert [(r.first, r.last, r.baseline) for r in anew.regimes] == [(0, 8, 8), (9, 16, 8)]


def test_the_eighth_on_one_side_is_marked_and_a_day_without_cases_is_unknown():
    value = np.r_[np.tile([4.0, 6.0], 5), 5.5, 5.4, 5.3, NAN, 5.6, 5.2, 5.5, 5.4]
    chart = xmr(value, baseline=10)  # the tenth point, 6, lies above, too: the run begins there
    assert chart.marks == (Mark(17, "eight on one side", "above"),)
    assert np.isnan(chart.value[13])
    shares = p_prime(np.array([1.0, 2] * 6 + [0.0]), np.array([20.0] * 12 + [0.0]), baseline=12)
    assert np.isnan(shares.value[-1])
    assert not any(m.point == 12 for m in shares.marks)


def test_too_few_points_have_no_limits():
    chart = xmr(np.array([1.0, 2, 3]), baseline=8)
    assert chart.regimes[0].centre is None
    assert np.isnan(chart.high).all()
    never = p_prime(np.zeros(12), np.full(12, 30.0), baseline=12)
    assert never.regimes[0].centre is None
    with pytest.raises(ValueError, match="at least 8"):
        xmr(np.arange(20.0), baseline=5)


def test_nothing_at_all_is_a_chart_of_nothing():
    assert u(np.zeros(0), np.zeros(0), baseline=8).regimes == ()
