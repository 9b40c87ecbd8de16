"""Pictures drawn by a painter are those drawn here, whatever was drawn before; a painter that is gone costs nothing."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

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
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The painters, as they are started."""
    found: list[subprocess.Popen[bytes]] = []
    start = painting._started

    def noted(*descriptors: int) -> subprocess.Popen[bytes]:
        found.append(start(*descriptors))
        return found[-1]

    monkeypatch.setattr(painting, "_started", noted)
    return found


@pytest.fixture
def painters(started: list[subprocess.Popen[bytes]]) -> Iterator[list[subprocess.Popen[bytes]]]:
    with painting.painting(2):
        yield started


def test_a_painter_draws_the_same_whatever_it_drew_before(painters: list[subprocess.Popen[bytes]]) -> None:
    place = os.environ.pop(VARIABLE)
    here = [svg(CLIPPED, "p"), svg(CLIPPED, "p")]
    os.environ[VARIABLE] = place
    there = [svg(CLIPPED, "p") for _ in range(3)]
    assert {*here, *there} == {here[0]}
    assert re.findall(r'\bid="([^"]+)"', here[0]) == ["p-1"]
    assert "url(#p-1)" in here[0]


def test_what_it_cannot_draw_fails_where_it_was_asked(
    painters: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="conversion failed"):
        paint({"mark": 3})
    # All of them, by one that is still there, also if what is to be drawn comes in pieces.
    assert all("<svg" in painting._asked(os.environ[VARIABLE], specification()) for _ in painters)
    with socket.socket(socket.AF_UNIX) as painter:
        painter.connect(os.environ[VARIABLE])
        text = painting.LENGTH.pack(painting.DONE, len(specification())) + specification()
        for piece in (text[:3], text[3:20], text[20:]):
            painter.sendall(piece)
            time.sleep(0.05)
        assert painting._received(painter)[0] == painting.DONE
    assert [painter.poll() for painter in painters] == [None, None]
    drawn: list[bytes] = []
    monkeypatch.setattr(painting, "_asked", lambda _, text: drawn.append(text) or "by the painter")
    assert paint(painting.FIRST) == "by the painter"
    drawn.clear()
    assert paint({**painting.FIRST, "width": float("nan")}) != "by the painter"  # no JSON: drawn here
    assert drawn == []


def test_painters_leave_when_nobody_needs_them_and_one_that_is_gone_is_not_waited_for(
    started: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with painting.painting(2):
        folder = Path(os.environ[VARIABLE]).parent
        assert oct(folder.stat().st_mode & 0o777) == "0o700"
        started[0].kill()
        started[0].wait()
        assert "<svg" in paint(painting.FIRST)  # the other one is there
        assert started[1].poll() is None
    assert [painter.returncode for painter in started] == [-signal.SIGKILL, 0]
    assert not folder.exists()
    assert VARIABLE not in os.environ
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nobody"))
    assert "<svg" in paint(painting.FIRST)


def test_a_picture_comes_though_all_painters_are_gone(painters: list[subprocess.Popen[bytes]]) -> None:
    for painter in painters:
        painter.kill()
        painter.wait()
    began = time.monotonic()
    assert "<svg" in paint(painting.FIRST)
    assert time.monotonic() - began < painting.PATIENCE / 2


def specification() -> bytes:
    return json.dumps(painting.FIRST).encode()


def test_who_is_told_of_work_that_another_one_took_looks_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It waits for nobody, and so it sees that no painter is wanted any more."""
    lifeline, ours = os.pipe()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "painter"))
        listening.listen()
        descriptor = os.dup(listening.fileno())
        told = iter([[(descriptor, select.POLLIN)], [(lifeline, select.POLLHUP)]])
        looking = SimpleNamespace(register=lambda *_: None, poll=lambda: next(told))
        found = SimpleNamespace(poll=lambda: looking, POLLIN=select.POLLIN)
        monkeypatch.setattr(painting, "select", found)
        painter = threading.Thread(target=painting.serve, args=(descriptor, lifeline), daemon=True)
        painter.start()
        painter.join(20)
        assert not painter.is_alive()
    for end in (lifeline, ours):
        os.close(end)


def test_what_interrupts_a_terminals_programs_interrupts_no_painter(
    painters: list[subprocess.Popen[bytes]],
) -> None:
    assert [os.getpgid(painter.pid) for painter in painters] == [painter.pid for painter in painters]


def test_a_painter_that_does_not_leave_is_ended(
    started: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(painting, "LAST", 0.1)
    with painting.painting(1):
        started[0].send_signal(signal.SIGSTOP)
    assert started[0].returncode == -signal.SIGKILL


def test_painters_end_with_whoever_started_them_however_that_ended() -> None:
    begin = (
        "import sys, time\nfrom roi.report import painting\nstart = painting._started\n"
        "def noted(*fds):\n    painter = start(*fds)\n    print(painter.pid, flush=True)\n    return painter\n"
        "painting._started = noted\nwith painting.painting(2):\n"
        "    print(painting.os.environ[painting.VARIABLE], flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", begin], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pids = [int(starter.stdout.readline()) for _ in range(2)]
        place = Path(starter.stdout.readline().strip())
        assert place.is_socket()
        starter.kill()
    until = time.monotonic() + 20
    while any(is_there(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(is_there(pid) for pid in pids)
    assert not place.parent.exists()


def is_there(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_no_painter_is_named_where_none_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("socket.AF_UNIX")
    with painting.painting(2):
        assert VARIABLE not in os.environ


def test_shares_on_an_axis_are_written_as_in_texts() -> None:
    drawn = svg(CLIPPED.encode(alt.X("a:Q", axis=alt.Axis(format=".0%")), alt.Y("b:Q")), "p")
    assert re.findall(r">([^<]*%)<", drawn)
    assert all(re.fullmatch(r"\d+\u00a0%", label) for label in re.findall(r">([^<]*%)<", drawn))
