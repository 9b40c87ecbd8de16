"""Numbers in words: rounding happens here and nowhere else."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi import units, words

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (184_213.0, "EUR 184,000"),
        (999_600.0, "EUR 1.00 million"),
        (-1_240_000, "EUR −1.24 million"),
        (2_341.0, "EUR 2,340"),
        (0.0423, "EUR 0.042"),
        (0, "EUR 0"),
        (None, "not known"),
        (math.nan, "not known"),
        (math.inf, "not known"),
        (True, "not known"),
    ],
)
def test_amount(value: object, text: str) -> None:
    assert words.amount(value, "EUR").replace(NBSP, " ") == text


def test_a_range_has_one_unit() -> None:
    assert (
        words.amount_range(-120_400.0, 1_610_000.0, "EUR").replace(NBSP, " ") == "EUR −0.12 to 1.61 million"
    )
    assert words.amount_range(-300.0, 61_200.0, "EUR").replace(NBSP, " ") == "EUR 0 to 61,000"


def test_a_range_stands_in_the_unit_of_the_figure_beside_it() -> None:
    """Below EUR 998,000 nobody is to compare 0.66 million; ten millions are written as such all the same."""

    def seen(low: float, high: float, about: float) -> str:
        return words.amount_range(low, high, "EUR", about).replace(words.NBSP, " ")

    assert seen(657_400, 1_361_000, 998_000) == "EUR 657,000 to 1,361,000"
    assert seen(657_400, 1_361_000, 1_010_000) == "EUR 0.66 to 1.36 million"
    assert seen(-2_000_000, 12_000_000, 900_000) == f"EUR {words.MINUS}2.0 to 12.0 million"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.052, "share", "5.2 %"),
        (0.08, "share/year", "8.0 %"),
        (3.4, "min/case", "3.40 min"),
        (0.12, "EUR/case", "EUR 0.12"),
        (41.93, "EUR/hour", "EUR 41.93"),
        (0.8939, "EUR per USD", "EUR 0.894 per USD"),
        (17_157, "cases/month", "17,200 cases"),
        (0.5, "", "0.500"),
        (None, "min/case", "not known"),
    ],
)
def test_units_are_said_as_people_say_them(value: float | None, unit: str, text: str) -> None:
    assert units.quantity(value, unit).replace(words.NBSP, " ") == text


def test_a_range_of_one_value_is_one_figure() -> None:
    assert words.amount_range(-574_000, -574_000, "EUR") == "EUR\u00a0\u2212574,000"
    assert words.amount_range(1_200_001, 1_200_002, "EUR") == "EUR\u00a01.20 million"
    assert words.edges(3.0, 3.0, 2) == "3.0"
    assert words.amount_range(-5_000, 5_000, "EUR") == "EUR\u00a0\u22125,000 to 5,000"


def test_a_rounded_zero_carries_no_sign() -> None:
    assert words.amount(-0.0, "EUR").replace(NBSP, " ") == "EUR 0"
    assert words.signed_amount(0.0, "EUR").replace(NBSP, " ") == "EUR 0"
    assert words.signed_amount(-12_000, "EUR").replace(NBSP, " ") == "−EUR 12,000"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.304, "30 %"),
        (0.0064, "0.64 %"),
        (0.083, "8.3 %"),
        (1.0, "100 %"),
        (0.996, "99.6 %"),
        (0, "0 %"),
        (None, "?"),
    ],
)
def test_percent(value: object, text: str) -> None:
    assert words.percent(value, unknown="?").replace(NBSP, " ") == text


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.71, "about 7 of 10"),
        (0.65, "about 7 of 10"),
        (0.02, "fewer than 1 of 20"),
        (0.97, "more than 19 of 20"),
        (0.001, "fewer than 1 of 100"),
        (0.999, "more than 99 of 100"),
        (None, "cannot be said"),
    ],
)
def test_chance(p: object, text: str) -> None:
    assert words.chance(p) == text


def test_chance_never_promises_what_the_dots_do_not_show() -> None:
    for p in [i / 1000 for i in range(1001)]:
        dots = words.chance_dots(p)
        assert dots is not None
        if words.chance(p).startswith("about"):
            assert words.chance(p) == f"about {dots} of 10"
            assert abs(dots / 10 - p) <= 0.05 + 1e-9


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(5.128, 3, "5.13"), (9.996, 3, "10.0"), (12345, 3, "12,300"), (-0.5, 2, "−0.50"), (0, 3, "0")],
)
def test_number(value: float, digits: int, text: str) -> None:
    assert words.number(value, digits) == text


def test_counts_are_never_rounded() -> None:
    assert words.count(12_345) == "12,345"
    assert words.plural(1, "case") == "1 case"
    assert words.plural(0, "case") == "0 cases"


def test_day() -> None:
    assert words.day("2026-12-05").replace(NBSP, " ") == "5 December 2026"
    assert words.day(None) == "no date set"
    assert words.day("soon") == "soon"


def test_shorten_keeps_one_printable_line() -> None:
    assert words.shorten("a\u202e b\n\tc\x00") == "a b c"
    assert len(words.shorten("x" * 10_000, 300)) == 300


def test_and_list() -> None:
    assert words.and_list(["a", "b", "c"]) == "a, b and c"
    assert words.and_list(["a"]) == "a"
    assert words.and_list([]) == ""


def test_the_advised_option() -> None:
    from fixtures_record import make_kill, make_record, make_scale

    assert words.advised(make_record())["label"] == "Fix, then scale"  # type: ignore[index]
    assert words.advised(make_scale())["label"] == "Scale in e-mail only"  # type: ignore[index]
    assert words.advised(make_kill())["label"] == "Stop now"  # type: ignore[index]
    assert words.advised(make_record(options=None)) is None


@pytest.mark.parametrize(
    ("x", "limit", "most", "least"),
    [
        (0.0200378, 0.02, "2.1 %", "2.003 %"),  # 1 - 0.05^(1/148): not at most 2.0 %
        (0.019912, 0.02, "1.992 %", "1.9 %"),  # 1 - 0.05^(1/149)
        (0.02, 0.02, "2.0 %", "2.0 %"),
        (0.09812, None, "9.9 %", "9.8 %"),
        (0.30401, 0.2, "31 %", "30 %"),
        (0.9494, 0.95, "94.94 %", "94 %"),
        (1 - 0.05, 0.95, "95 %", "95 %"),
        (0.00724, 0.02, "0.73 %", "0.72 %"),
        (0.9996, None, "100 %", "99.9 %"),
        (0.0, 0.02, "0 %", "0 %"),
        (1.0, 0.02, "100 %", "100 %"),
    ],
)
def test_bounds_are_rounded_away_from_what_they_deny(
    x: float, limit: float | None, most: str, least: str
) -> None:
    told = (words.at_most(x, limit), words.at_least(x, limit))
    assert tuple(text.replace(NBSP, " ") for text in told) == (most, least)


@given(st.floats(0, 1), st.floats(0.001, 0.999))
def test_a_told_bound_is_true_and_on_its_side_of_the_limit(x: float, limit: float) -> None:
    x, limit = round(x, 9), round(limit, 9)
    for tell, sign in ((words.at_most, 1), (words.at_least, -1)):
        told = float(tell(x, limit).replace(NBSP, "").replace("%", "")) / 100
        assert sign * (told - x) >= -1e-11
        assert (told > limit + 1e-11) == (x > limit)
        assert (told < limit - 1e-11) == (x < limit)


@pytest.mark.parametrize(
    ("low", "high", "about", "text"),
    [
        (-50_520, 53_910, 608, "EUR −50,500 to 53,900"),
        (-43_424, 57_364, 7_680, "EUR −43,400 to 57,400"),
        (6_124, 14_827, 9_900, "EUR 6,100 to 14,800"),
        (-5_052, 5_391, 608, "EUR −5,050 to 5,390"),
        (-505.2, 539.1, 50, "EUR −505 to 539"),
        (43.42, 57.36, 7.68, "EUR 43.42 to 57.36"),
        (120_000, 610_000, 357_000, "EUR 120,000 to 610,000"),
    ],
)
def test_no_end_of_a_range_has_more_than_three_digits(low, high, about, text):
    assert words.amount_range(low, high, "EUR", about).replace(NBSP, " ") == text
