"""Pictures drawn by a painter are those drawn here, whatever was drawn before; a painter that is gone costs nothing."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import altair as alt
import pytest

from roi.report import painting
from roi.report.painting import VARIABLE, paint, svg

CLIPPED = (
    alt.Chart(alt.InlineData(values=[{"a": 1, "b": 2}, {"a": 3, "b": 1}]))
    .mark_line(clip=True)
    .encode(alt.X("a:Q"), alt.Y("b:Q"))
)


@pytest.fixture
def painters() -> Iterator[list[threading.Thread]]:
    started: list[threading.Thread] = []

    def start(descriptor: int) -> None:
        thread = threading.Thread(target=painting.serve, args=(os.dup(descriptor),), daemon=True)
        thread.start()
        started.append(thread)

    with painting.painting(2, start):
        yield started


def test_a_painter_draws_the_same_whatever_it_drew_before(painters: list[threading.Thread]) -> None:
    place = os.environ.pop(VARIABLE)
    here = [svg(CLIPPED, "p"), svg(CLIPPED, "p")]
    os.environ[VARIABLE] = place
    there = [svg(CLIPPED, "p") for _ in range(3)]
    assert {*here, *there} == {here[0]}
    assert re.findall(r'\bid="([^"]+)"', here[0]) == ["p-1"]
    assert "url(#p-1)" in here[0]


def test_what_it_cannot_draw_fails_where_it_was_asked(
    painters: list[threading.Thread], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="conversion failed"):
        paint({"mark": 3})
    assert "<svg" in paint(painting.FIRST)  # the painter is still there
    drawn: list[bytes] = []
    monkeypatch.setattr(painting, "_asked", lambda _, text: drawn.append(text) or "by the painter")
    assert paint(painting.FIRST) == "by the painter"
    drawn.clear()
    assert paint({**painting.FIRST, "width": float("nan")}) != "by the painter"  # no JSON: drawn here
    assert drawn == []


def test_painters_leave_when_nobody_needs_them_and_one_that_is_gone_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started: list[threading.Thread] = []

    def start(descriptor: int) -> None:
        started.append(threading.Thread(target=painting.serve, args=(os.dup(descriptor),), daemon=True))
        started[-1].start()

    with painting.painting(2, start):
        folder = Path(os.environ[VARIABLE]).parent
        assert oct(folder.stat().st_mode & 0o777) == "0o700"
    for thread in started:
        thread.join(20)
    assert not any(thread.is_alive() for thread in started)
    assert not folder.exists()
    assert VARIABLE not in os.environ
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nobody"))
    assert "<svg" in paint(painting.FIRST)


def test_no_painter_is_named_where_none_can_be_started() -> None:
    def start(_: int) -> None:
        raise OSError("processes are not forked here")

    with painting.painting(2, start):
        assert VARIABLE not in os.environ


def test_shares_on_an_axis_are_written_as_in_texts() -> None:
    drawn = svg(CLIPPED.encode(alt.X("a:Q", axis=alt.Axis(format=".0%")), alt.Y("b:Q")), "p")
    assert re.findall(r">([^<]*%)<", drawn)
    assert all(re.fullmatch(r"\d+\u00a0%", label) for label in re.findall(r">([^<]*%)<", drawn))
