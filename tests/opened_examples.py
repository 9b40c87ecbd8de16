"""The project's own examples, opened and decided once for all the tests of a process, which read and never change them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from roi.pilot import Pilot, open_pilot

PARAMS = Path(__file__).parent.parent / "params"
EXAMPLES = sorted(path.stem for path in PARAMS.glob("[!_]*.yaml"))


@cache
def example(name: str) -> Pilot:
    """The example of this name."""
    return open_pilot(PARAMS / f"{name}.yaml")
