"""Rows of actuals: which months count, and what is refused with its mend."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from made_forecasts import row

from roi.actuals import Actuals, in_words, rates_of, settle
from roi.problems import SampleError


def settled(*rows: Any, **given: Any) -> Actuals:
    usual: dict[str, Any] = {"start": (2027, 1), "horizon": 12, "currency": "EUR", "rates": {"EUR": 1.0}}
    return settle(rows, file="params/x.yaml", **(usual | given))


def refused(*rows: Any, **given: Any) -> str:
    with pytest.raises(SampleError) as error:
        settled(*rows, **given)
    return str(error.value)


def test_a_month_of_no_cases_counts_as_one_of_none():
    found = settled(row(1, "2027-01", cases=0), row(2, "2027-02", cases=10, adopted_cases=4))
    assert [(m.month, m.cases, m.adopted_cases) for m in found.months] == [
        ("2027-01", 0.0, 0.0),
        ("2027-02", 10.0, 4.0),
    ]
    assert found.missing == ()


def test_a_month_that_is_not_there_is_missing_and_not_none():
    found = settled(row(1, "2027-02", cases=10), row(2, "2027-04", cases=12))
    assert found.missing == ("2027-01", "2027-03")
    assert [m.number for m in found.months] == [2, 4]
    assert in_words(found) == ["January 2027 and March 2027 are not reported: missing, and not counted as 0."]


def test_a_late_month_is_missing_once_it_is_over():
    rows = [row(1, "2027-01", cases=10)]
    assert settled(*rows, today=dt.date(2027, 2, 28)).missing == ()
    assert settled(*rows, today=dt.date(2027, 4, 1)).missing == ("2027-02", "2027-03")


def test_a_month_that_is_not_over_or_not_complete_is_left_out():
    rows = [row(1, "2027-01", cases=10, complete=False), row(2, "2027-02", cases=9, complete=True)]
    found = settled(*rows)
    assert found.left_out == (("2027-01", "not complete yet"),)
    assert [m.month for m in found.months] == ["2027-02"]
    assert found.missing == ()
    assert settled(*rows, today=dt.date(2027, 2, 28)).left_out[1] == ("2027-02", "not over yet")
    assert in_words(found)[0] == "January 2027 is left out: not complete yet."


def test_of_a_restated_month_the_later_row_counts_and_both_are_told():
    found = settled(row(1, "2027-01", cases=10), row(2, "2027-02", cases=7), row(3, "2027-01", cases=12))
    assert found.months[0].cases == 12
    assert found.restated == (("2027-01", None, (1, 3)),)
    assert in_words(found) == ["January 2027 is given 2 times (rows 1 and 3): row 3 counts."]


def test_a_complete_row_counts_before_a_later_one_that_is_not():
    rows = [row(1, "2027-01", cases=10, complete=True), row(2, "2027-01", cases=12, complete=False)]
    found = settled(*rows)
    assert found.months[0].cases == 10
    assert found.restated[0][2] == (2, 1)


def test_months_outside_the_plan_are_told():
    found = settled(row(1, "2026-12", cases=1), row(2, "2027-01", cases=2), row(3, "2028-01", cases=3))
    assert dict(found.left_out) == {
        "2026-12": "before the roll-out that was decided",
        "2028-01": "after the 12 months of the plan",
    }
    assert [m.month for m in found.months] == ["2027-01"]


def test_segments_are_added_up_and_others_told():
    rows = [
        row(1, "2027-01", segment="a", cases=10, adopted_cases=5, errors=1),
        row(2, "2027-01", segment="b", cases=20, adopted_cases=6),
        row(3, "2027-01", segment="c", cases=40, adopted_cases=7),
    ]
    found = settled(*rows, segments=("a", "b"))
    assert (found.months[0].cases, found.months[0].adopted_cases) == (30.0, 11.0)
    assert found.months[0].errors is None  # known of one of two
    assert found.by_segment
    assert found.notes == (
        "Left out: c, which the decision does not cover, in which the agent worked 7 cases all the same.",
    )
    assert settled(*rows).months[0].cases == 70


def test_a_month_waits_for_its_last_segment():
    rows = [
        row(i, of, segment=s, cases=1)
        for i, (of, s) in enumerate((("2027-01", "a"), ("2027-01", "b"), ("2027-02", "a")))
    ]
    assert settled(*rows).left_out == (
        ("2027-02", "no row of b yet; give a row of 0 cases and 0 adopted_cases where it had not begun"),
    )


def test_a_segment_restated_alone():
    rows = [
        row(1, "2027-01", segment="a", cases=1),
        row(2, "2027-01", segment="b", cases=2),
        row(3, "2027-01", segment="a", cases=5),
    ]
    found = settled(*rows)
    assert found.months[0].cases == 7
    assert in_words(found)[0].startswith("January 2027 of a is given 2 times")


def test_rows_with_and_without_a_segment_are_refused():
    said = refused(row(1, "2027-01", cases=3), row(2, "2027-01", segment="a", cases=3))
    assert "name the segment in every row, or in none" in said


def test_everything_that_contradicts_itself_is_refused_at_once():
    said = refused(
        row(1, "2027-01", cases=10, adopted_cases=11),
        row(2, "2027-02", cases=10, adopted_cases=0, human_minutes=4),
        row(3, "2027-03", cases=10, adopted_cases=5, errors=6),
    )
    assert said.startswith("params/x.yaml: 3 problems")
    assert "11 of 10 cases in row 1 (2027-01)" in said
    assert "above 0 without a case that the agent worked in row 2" in said
    assert "6 of 5 adopted cases in row 3" in said


def test_money_in_another_currency_is_converted_or_refused_with_the_mend():
    rows = [
        row(1, "2027-01", cases=5, cost=10, currency="EUR"),
        row(2, "2027-02", cases=5, cost=10, currency="USD", cash_released=4),
    ]
    found = settled(*rows, rates={"USD": 0.9})
    assert [m.cost for m in found.months] == [10.0, pytest.approx(9.0)]
    assert found.months[1].cash_released == 4  # cash is in the pilot's own currency
    said = refused(*rows)
    assert "USD from row 2 (2027-02) on, where the decision is in EUR" in said
    assert "economics.fx" in said


def test_a_currency_without_money_is_none_of_ours():
    assert settled(row(1, "2027-01", cases=1, currency="USD")).months[0].cases == 1


@pytest.mark.slow
def test_a_currency_that_changed_since_the_decision_needs_a_rate_of_the_old_one():
    """Decided in EUR, reported in CHF: one EUR is 0.95 CHF, so that 95 CHF are 100 EUR; dollars go by way of francs."""
    from opened_examples import example

    parameters = example("invoice_coding").loaded.parameters  # in CHF, a USD is 0.77 to 0.87
    assert set(rates_of(parameters, "EUR")) == {"EUR"}
    said = refused(row(1, "2027-01", cash_released=95, own="CHF"), rates=rates_of(parameters, "EUR"))
    assert "CHF from row 1" in said
    assert "EUR if about.currency changed" in said
    fx = dict(parameters.economics.fx) | {
        "EUR": type(parameters.economics.fx["USD"])(form="exact", family="positive", numbers=(0.95,))
    }
    stated = parameters.model_copy(update={"economics": parameters.economics.model_copy(update={"fx": fx})})
    rates = rates_of(stated, "EUR")
    assert rates["CHF"] == pytest.approx(1 / 0.95)
    assert rates["USD"] == pytest.approx(parameters.economics.fx["USD"].mean / 0.95)
    found = settled(row(1, "2027-01", cash_released=95, own="CHF"), rates=rates)
    assert found.months[0].cash_released == pytest.approx(100)


def test_a_month_that_shows_nothing_is_left_out_and_said():
    """Blank, or with a cost of nobody knows how many cases; a month of cases alone is one, and one of no case, too."""
    found = settled(
        row(1, "2027-01"), row(2, "2027-02", cost=9), row(3, "2027-03", cases=7), row(4, "2027-04", cases=0)
    )
    assert [m.month for m in found.months] == ["2027-03", "2027-04"]
    assert [month for month, _ in found.left_out] == ["2027-01", "2027-02"]
    assert "all its numbers are blank" in found.left_out[0][1]
    assert "neither cases nor cash" in found.left_out[1][1]
    assert settled(row(1, "2027-01"), row(2, "2027-02")).months == ()
