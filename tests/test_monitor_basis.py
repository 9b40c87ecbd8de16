"""What fresh cases are held against: limits that follow from the money, and inputs that are no longer what they were."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from pilots import cases, write_pilot
from sample_projects import Project

from roi.cashflow import stream_of
from roi.moments import ALL
from roi.monitor_action import said
from roi.monitor_basis import basis_of
from roi.monitor_days import read_stream
from roi.monitor_mix import input_questions, share_question
from roi.monitor_tests import ask, questions
from roi.parameters import Policy
from roi.pilot import open_pilot


@pytest.fixture(scope="module")
def decision(tmp_path_factory):
    costs = [{"name": "Support", "kind": "support", "amount": 1500, "per": "month", "source": "quote"}]
    folder = tmp_path_factory.mktemp("basis")
    return open_pilot(
        write_pilot(folder, cases(1200), {"run": {"draws": 1000}, "economics": {"costs": costs}})
    ).decision


@pytest.mark.slow
def test_at_the_limit_of_minutes_running_the_agent_brings_nothing(decision):
    """The same stream of money, with so many minutes more a case, pays its monthly costs and no more."""
    a = decision.analysis
    basis = basis_of(decision.record, a.loaded.policy, a)
    limit = basis.limits["human_minutes_pilot"]
    lost = limit.value - basis.expected["human_minutes_pilot"].mean
    assert 0 < lost < decision.record["estimates"]["minutes_saved_per_case"]["mean"] - 0.25
    at = stream_of(a.scale.scope, a.economics, a.measured.rates.severity, extra_minutes=-lost)
    monthly = float(np.mean(a.economics.monthly()))
    assert at.net.mean() - monthly == pytest.approx(0, abs=0.02 * a.scale.stream.net.mean())
    assert "does not pay for running the agent" in limit.why
    # Each segment has to save as much.
    for name in ("a", "b"):
        needed = basis.baseline_minutes[ALL] - limit.value
        assert limit.by_segment[name] == pytest.approx(basis.baseline_minutes[name] - needed)


def test_at_the_limit_of_cost_a_case_brings_nothing(decision):
    a = decision.analysis
    basis = basis_of(decision.record, a.loaded.policy, a)
    more = basis.limits["agent_cost_per_case"].value - basis.expected["agent_cost_per_case"].mean
    volume = float(
        np.mean(
            np.multiply(np.multiply(a.economics.cases_per_month, a.economics.ceiling), a.scale.scope.share)
        )
    )
    left = a.scale.stream.net.mean() - np.mean(a.economics.monthly()) - more * volume
    assert left == pytest.approx(0, abs=1e-6)


def test_without_the_decision_only_the_saving_that_the_policy_asks_for_is_a_limit(decision):
    basis = basis_of(decision.record, Policy(smallest_saving_minutes=0.5, max_severe_error_rate=0.0), None)
    before = decision.record["estimates"]["human_minutes_baseline"]["mean"]
    assert basis.limits["human_minutes_pilot"].value == pytest.approx(before - 0.5)
    assert basis.limits["human_minutes_pilot"].by_segment == {}
    assert basis.no_limit["agent_cost_per_case"] == "the record does not say what a case brings"
    assert basis.limits["severe_error_rate_pilot"].value == 1e-4  # a limit of 0 has to be one to bet against
    nothing = basis_of({"pilot": "p"}, Policy(), None)
    assert set(nothing.limits) == {"severe_error_rate_pilot", "approval_miss_rate"}
    assert nothing.no_limit["human_minutes_pilot"] == "nobody measured what a case takes without the agent"


def test_a_share_is_held_against_where_it_was_counted():
    """30 of 100: the share that a Jeffreys posterior exceeds once in a thousand is 45 %."""
    assert share_question("segment", "a", 0.3, 100, 1.0).limit == pytest.approx(0.450, abs=0.005)
    assert share_question("segment", "a", 0.3, None, 1.0).limit == 0.3
    assert share_question("segment", "a", 0.0, None, 1.0).limit == 0.002


def test_larger_amounts_than_the_decision_s_are_drift(tmp_path):
    """Its quarters end at 25, 50 and 75; from day 20 on, every amount is above 60."""
    start = dt.date(2026, 12, 1)

    def rows(first: int, days: int, low: float) -> list[str]:
        return [
            f"{first + d * 32 + i},pilot,{start + dt.timedelta(days=d + first // 10)} 09:{i:02d},{low + (100 - low) * (i + 0.5) / 32:.2f}"
            for d in range(days)
            for i in range(32)
        ]

    head = "case_id,arm,started_at,amount"
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    decided = Project(tmp_path / "one").cases("\n".join([head, *rows(0, 20, 0)]) + "\n")
    fresh = Project(tmp_path / "two").cases("\n".join([head, *rows(1000, 20, 0), *rows(2000, 30, 60)]) + "\n")
    stream = read_stream(fresh, since=None, timezone="UTC", selection="all")
    asked, counts = input_questions(None, decided, None, fresh, stream, "UTC")
    assert [q.expected for q in asked] == pytest.approx([0.25] * 4, abs=0.02)
    basis = basis_of({"pilot": "p"}, Policy(), None)
    tested = ask(questions(basis, stream.measures, asked), stream, counts)
    crossed = [t for t in tested if t.crossed is not None]
    # Of amounts from 60 to 100 five eighths lie in the last quarter; the third one has too few more for 30 days.
    assert [t.mean for t in crossed] == [pytest.approx(0.625, abs=0.05)]
    assert crossed[0].asked.segment.startswith("amount over 7")
    assert crossed[0].crossed >= 100


@pytest.mark.parametrize(
    ("measure", "value", "currency", "text"),
    [
        ("agent_cost_per_case", 0.413, "EUR", "EUR 0.41"),
        ("agent_cost_per_case", 0.413, None, "0.41"),
        ("error_rate_pilot", 0.126, None, "13 %"),
        ("human_minutes_pilot", 14.683, None, "14.68 minutes"),
        ("agent_cost_per_case", None, "EUR", "not known"),
    ],
)
def test_a_measure_is_said_as_on_every_page(measure, value, currency, text):
    assert said(measure, value, currency).replace("\u00a0", " ") == text
