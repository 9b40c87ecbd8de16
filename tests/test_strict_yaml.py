"""YAML as its author meant it, or refused with the mend."""

from __future__ import annotations

import math
import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roi.scalars import Plain, plain, read_flag, read_number, shorten
from roi.schema.base import read_any, read_day, read_integer, read_month, read_text
from roi.strict_yaml import read_yaml


def read(tmp_path, text):
    path = tmp_path / "x.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_yaml(path, name="params/x.yaml")


def only_message(document):
    assert len(document.problems) == 1, document.problems
    return document.problems[0].message


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1e6", 1e6),
        ("1E6", 1e6),
        ("1e+6", 1e6),
        ("0", 0),
        ("-3", -3),
        (".5", 0.5),
        ("5.", 5),
        ("0.05", 0.05),
        ("1.085", 1.085),
        ("0.200", 0.2),
    ],
)
def test_numbers_mean_what_they_say(tmp_path, written, number):
    assert read_number(read(tmp_path, f"a: {written}").value["a"]) == number


@pytest.mark.parametrize(
    ("written", "mend"),
    [
        ("010", "write 10"),
        ("12:30", "time of day"),
        ("1_000", "write 1000"),
        ("1,000", "write 1000"),
        ("3,5", "write 3.5"),
        # 1.200 cases a month are 1,200 to whoever writes thousands so, and nobody writes the decimal 1.2 so.
        ("1.200", "can be read in two ways; write 1200, or 1.2"),
        ("120.000", "can be read in two ways; write 120000, or 120"),
        ('"1.200"', "can be read in two ways; write 1200, or 1.2"),
        ("1.200.000", "write 1200000, without thousands marks"),
        ("1.234,50", "write 1234.50, without thousands marks"),
        ("60 %", "0.60"),
        ("12.5%", "0.125"),
        ("38-46", "{low: 38, high: 46}"),
        ("38 to 46", "{low: 38, high: 46}"),
        (".nan", "leave the key out"),
        ("-.inf", "leave the key out"),
        ("NaN", "leave the key out"),
        ("0x1F", "decimal"),
        ("1e999", "too large"),
        ('"42"', "without quotes"),
        ("many", "is a text, not a number"),
        ("yes", "is a text, not a number"),
        ("2026-12-31", "not a number"),
    ],
)
def test_what_is_no_number_is_refused_with_the_mend(tmp_path, written, mend):
    with pytest.raises(ValueError, match=re.escape(mend)):
        read_number(read(tmp_path, f"a: {written}").value["a"])


@pytest.mark.parametrize("value", [True, None, [1], {"a": 1}, math.nan, math.inf, 10**400])
def test_python_values_that_are_no_numbers(value):
    with pytest.raises(ValueError, match="number"):
        read_number(value)


def test_switches_and_texts_keep_apart(tmp_path):
    value = read(tmp_path, "a: no\nb: 'no'\nc: ON\nd: 1.10\ne: 010\nf: null\n").value
    assert read_flag(value["a"]) is False
    assert read_text(value["a"]) == "no"
    with pytest.raises(ValueError, match="neither true nor false"):
        read_flag(value["b"])
    assert read_flag(value["c"]) is True
    assert read_text(value["d"]) == "1.10"
    assert read_text(value["e"]) == "010"
    assert value["f"] is None


def test_dates_and_months(tmp_path):
    value = read(tmp_path, "a: 2026-12-31\nb: 2026-02-30\nc: 31.12.2026\nd: 2027-01\ne: 2027-13\n").value
    assert read_day(value["a"]) == date(2026, 12, 31)
    assert read_month(value["d"]) == "2027-01"
    for key, mend in (("b", "no day of the calendar"), ("c", "write 2026-12-31")):
        with pytest.raises(ValueError, match=mend):
            read_day(value[key])
    with pytest.raises(ValueError, match="not a month"):
        read_month(value["e"])


def test_whole_numbers():
    assert read_integer(Plain("1e4")) == 10_000
    assert read_integer(Plain("9007199254740993")) == 9007199254740993
    with pytest.raises(ValueError, match="whole"):
        read_integer(Plain("2.5"))


def test_both_lines_of_a_duplicate_are_named(tmp_path):
    document = read(tmp_path, "a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n")
    assert document.problems[0].place == "b.c"
    assert "line 3" in document.problems[0].message
    assert "line 5" in document.problems[0].message


def test_every_problem_comes_at_once(tmp_path):
    document = read(
        tmp_path, "a: &x 1\nb: *x\nc: !!python/object/apply:os.system ['ls']\na: 2\n? [1, 2]\n: 3\n"
    )
    words = " ".join(problem.message for problem in document.problems)
    for sign in ("'&x'", "'*x'", "the tag", "stands twice", "not a list"):
        assert sign in words


def test_a_bomb_expands_to_nothing(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 9) + "]" for i in range(1, 12)]
    document = read(tmp_path, "\n".join(lines))
    assert len(document.problems) > 50
    assert len(str(document.value)) < 5000


@pytest.mark.parametrize("text", ["[" * 900, "{a: " * 900, "- " * 900 + "x"])
def test_depth_is_limited(tmp_path, text):
    document = read(tmp_path, "a: \n  " + text if text[0] == "-" else "a: " + text)
    assert document.problems
    assert all(problem.file == "params/x.yaml" for problem in document.problems)


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        (b"a: \xff\xfe", "UTF-8"),
        ("a: 1\n\tb: 2\n", "tab"),
        ("a: b: c\n", "quotes"),
        ("a: [1, 2\n", "bracket"),
        ("a: 'open\n", "line"),
        ("a: %x\nb: @y\n", "quotes"),
        ("a: \x01", "control characters"),
        ("", "empty"),
        ("# only a comment\n", "empty"),
        ("a: 1\n---\nb: 2\n", "second document"),
        ("~: 1\n", "a key is empty"),
        (": 1\n", "expected key"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path, text, mend):
    assert mend in only_message(read(tmp_path, text))


def test_large_and_absent_files(tmp_path):
    assert "1,000,000" in only_message(read(tmp_path, "a: " + "x" * 1_000_001))
    assert "does not exist" in only_message(read_yaml(tmp_path / "no.yaml", name="no.yaml"))
    assert "not a file" in only_message(read_yaml(tmp_path, name="."))


def test_a_byte_order_mark_is_met(tmp_path):
    assert read(tmp_path, b"\xef\xbb\xbfpilot: x\n").value == {"pilot": "x"}


def test_lines_are_known(tmp_path):
    document = read(tmp_path, "a:\n  b:\n    - c: 1\n    - c: 2\n")
    assert document.line(("a", "b", 1, "c")) == 4
    assert document.line(("a", "b", 1, "absent")) == 4
    assert document.line(()) is None


def test_values_of_no_declared_kind():
    given = plain({"a": "1e6", "b": "3", "c": "true", "d": ["x", "2.5"]})
    assert read_any(given) == {"a": 1e6, "b": 3, "c": True, "d": ("x", 2.5)}


def test_messages_stay_short_and_printable():
    assert len(shorten("x" * 500)) == 60
    assert shorten("a\nb\x1b[31m") == "a b?[31m"


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200))
def test_nothing_a_file_holds_raises(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "x.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    document = read_yaml(path, name="x.yaml")
    assert all(problem.file == "x.yaml" for problem in document.problems)


@settings(max_examples=200, deadline=None)
@given(st.floats(-1e15, 1e15))
def test_numbers_survive_the_round_trip(number):
    assert read_number(Plain(repr(number))) == number
