"""An engine for tables made to order, each time an empty one, without what it costs to start one."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

from roi.engine import start

KEPT = 50  # more than a test holds side by side

_counter = itertools.count()


def empty_engine() -> Any:
    """A connection to tables of its own, in the engine of this process; those of tests long past are given up."""
    number = next(_counter)
    con = _engine().cursor()
    con.execute(f"attach ':memory:' as made_{number}; use made_{number}")
    con.execute("set TimeZone = 'UTC'")
    if number >= KEPT:
        con.execute(f"detach made_{number - KEPT}")
    return con


@cache
def _engine() -> Any:
    return start()
