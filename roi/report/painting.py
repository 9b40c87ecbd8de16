"""Drawing a chart as SVG: here, or by a painter, a process that has started what draws and serves a whole batch.

What draws Vega-Lite takes most of a second to start, and is started anew by every process that draws. A painter gets a
specification and gives a picture: it knows nothing of who asks, and keeps nothing. It is reached through a file in a
folder of this user alone, named by an environment variable; whoever finds none draws by itself, and draws the same.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

__all__ = ["VARIABLE", "paint", "painting", "serve", "svg"]

VARIABLE = "ROI_PAINTER"
PATIENCE = 60.0  # seconds that a painter may take; then it is not worth waiting for
LENGTH = struct.Struct("!cI")  # whether it is a picture, and how long what follows is
LAST = 5.0  # seconds in which a painter finishes what it draws, once none is wanted any more
DONE, FAILED = b"y", b"n"
# Drawn once at the start, so that the first picture that somebody waits for finds all at hand.
FIRST = {
    "data": {"values": [{"a": 1, "b": "x"}]},
    "layer": [{"mark": "bar"}, {"mark": "text"}],
    "encoding": {"x": {"field": "a", "type": "quantitative"}, "y": {"field": "b", "type": "nominal"}},
}


def svg(chart: alt.TopLevelMixin, name: str) -> str:
    """Draw a chart as a static SVG element that a page may hold many of.

    Args:
        chart: The chart.
        name: Prefix of the ids inside, so that those of two charts of a page never meet.

    Returns:
        An ``<svg>`` element without scripts, links or fonts; its colours are those of the chart.
    """
    specification = chart.to_dict(validate=False)
    _speaking(specification)
    drawn = paint(specification)
    ids: dict[str, str] = {}

    def own(found: str) -> str:
        # What draws numbers ids through all that it has drawn; here they are numbered through one picture.
        return ids.setdefault(found, f"{name}-{len(ids) + 1}")

    drawn = re.sub(r'\bid="([^"]+)"', lambda found: f'id="{own(found[1])}"', drawn)
    drawn = re.sub(r"url\(#([^)]+)\)", lambda found: f"url(#{own(found[1])})", drawn)
    # Vega writes shares on an axis as "15%"; pages part the sign from its number.
    drawn = re.sub(r"(?<=\d)%(?=</text>)", "\u00a0%", drawn)
    # The whole is one picture with one alternative text; what its marks say is for the page's script.
    # Titles and axes can be read, and are no values.
    drawn = re.sub(r' aria-roledescription="(?:title|axis|legend)" aria-label="[^"]*"', "", drawn)
    drawn = drawn.replace(' aria-label="', ' data-tip="')
    drawn = re.sub(r"\s(?:xmlns:xlink|class|version|role|aria-[a-z]+)=\"[^\"]*\"", "", drawn)
    drawn = re.sub(r'\btransform="[^"]*"', lambda found: re.sub(r"(\.\d{2})\d+", r"\1", found[0]), drawn)
    return re.sub(r'"(-?\d+\.\d{2})\d+"', r'"\1"', drawn)


def _speaking(specification: dict[str, Any]) -> None:
    """Let the marks that have a description carry it into the drawing."""
    if "description" in specification.get("encoding", {}):
        specification["mark"] = {**specification["mark"], "aria": True}
    for key in ("layer", "vconcat", "hconcat", "concat"):
        for part in specification.get(key, ()):
            _speaking(part)


def paint(specification: dict[str, Any]) -> str:
    """A Vega-Lite specification as SVG, drawn by a painter where there is one.

    Args:
        specification: The specification; it may reach for nothing outside itself.
    """
    if place := os.environ.get(VARIABLE):
        # Whatever a painter cannot do is done here, and its mistake, if it is one, made again where it is seen.
        with suppress(OSError, TypeError, ValueError):
            return _asked(place, json.dumps(specification, allow_nan=False).encode())
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(specification, allowed_base_urls=[])
    return drawn


def _asked(place: str, specification: bytes) -> str:
    with socket.socket(socket.AF_UNIX) as painter:
        painter.settimeout(PATIENCE)
        painter.connect(place)
        _send(painter, DONE, specification)
        kind, drawn = _received(painter)
    if kind != DONE:
        raise ValueError("it cannot be drawn")
    return drawn.decode()


def serve(descriptor: int, lifeline: int) -> None:
    """The body of a painter: draw whatever comes, for as long as whoever started it is there and wants it.

    Args:
        descriptor: Of the socket that it shares with other painters, which listens already.
        lifeline: Of a pipe whose other end is closed when no painter is wanted any more, or when who started it ends.
    """
    import vl_convert

    vl_convert.vegalite_to_svg(FIRST, allowed_base_urls=[])
    looking = select.poll()
    looking.register(lifeline)
    looking.register(descriptor, select.POLLIN)
    with socket.socket(fileno=descriptor) as listening:
        listening.setblocking(False)  # another painter may be quicker
        while lifeline not in dict(looking.poll()):
            with suppress(OSError):  # who asked may be gone
                asking, _ = listening.accept()
                with asking:
                    asking.settimeout(PATIENCE)
                    _, specification = _received(asking)
                    try:
                        drawn = vl_convert.vegalite_to_svg(json.loads(specification), allowed_base_urls=[])
                    except Exception:  # whatever it is, whoever asked meets it as well
                        _send(asking, FAILED, b"")
                    else:
                        _send(asking, DONE, drawn.encode())
        with suppress(OSError):  # whoever was killed has left them, and no other painter came first
            place = Path(listening.getsockname())
            place.unlink()
            place.parent.rmdir()


@contextmanager
def painting(many: int) -> Iterator[None]:
    """Have painters for as long as this lasts, for this process and for those that it starts.

    They are started at once, and start what draws while others are still busy with their own beginning.

    Args:
        many: How many, each of which draws one picture at a time; none where sockets have no place in a folder.
    """
    folder = tempfile.mkdtemp(prefix="roi-")
    place = str(Path(folder) / "painter")
    before = os.environ.get(VARIABLE)
    lifeline, ours = os.pipe()
    painters: list[subprocess.Popen[bytes]] = []
    try:
        # Closed here once they have it: should all of them end, nobody waits for an answer.
        with suppress(OSError, AttributeError), socket.socket(socket.AF_UNIX) as listening:
            listening.bind(place)
            listening.listen(128)
            for _ in range(many):
                painters.append(_started(listening.fileno(), lifeline))
                os.environ[VARIABLE] = place
        yield
    finally:
        os.environ.pop(VARIABLE, None)
        if before is not None:
            os.environ[VARIABLE] = before
        for end in (ours, lifeline):
            os.close(end)
        for painter in painters:
            try:
                painter.wait(LAST)
            except subprocess.TimeoutExpired:
                painter.kill()
                painter.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _started(*descriptors: int) -> subprocess.Popen[bytes]:
    """A painter, out of reach of what interrupts a terminal's programs."""
    begin = f"import sys; del sys.path[0]; from roi.report.painting import serve; serve{descriptors}"
    return subprocess.Popen(
        [sys.executable, "-c", begin],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        pass_fds=descriptors, start_new_session=True,
    )  # fmt: skip


def _send(to: socket.socket, kind: bytes, text: bytes) -> None:
    to.sendall(LENGTH.pack(kind, len(text)) + text)


def _received(of: socket.socket) -> tuple[bytes, bytes]:
    kind, size = LENGTH.unpack(_exactly(of, LENGTH.size))
    return kind, _exactly(of, size)


def _exactly(of: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        part = of.recv(min(size - len(found), 1 << 20))
        if not part:
            raise ConnectionError("it ended before all was said")
        found += part
    return bytes(found)
