"""Pilots of a portfolio made to order: worths, costs and owners as stated, without samples."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from roi.candidates import Candidate, Fundable, Returned
from roi.parameters import RegisterEntry
from roi.shared import Sharing
from roi.uncertain import interval

DRAWS = 4000


def entry(
    key: str, low: float, high: float, source: str | None = None, owner: str | None = None
) -> RegisterEntry:
    value = interval(low, high, "positive")
    object.__setattr__(value, "source", source)
    object.__setattr__(value, "owner", owner)
    return RegisterEntry(key=key, label=key, unit="EUR", value=value)


def fundable(worth: Any, cost: float, **more: Any) -> Fundable:
    worth = np.asarray(worth, dtype=np.float64)
    worth = np.full(DRAWS, float(worth)) if worth.ndim == 0 else worth
    given: dict[str, Any] = {
        "label": "Scale everything",
        "kind": "scale",
        "now": cost,
        "weeks": {},
        "lines": {},
        "hours": 0.0,
        "chance": float(np.mean(worth > 0)),
        "delay_cost": None,
    }
    return Fundable(worth=worth, cost=cost, **(given | more))


def candidate(
    pilot: str,
    *options: Fundable,
    verdict: str = "scale",
    entries: tuple[RegisterEntry, ...] = (),
    inputs: dict[str, Any] | None = None,
    returned: Returned | None = None,
    shown: Fundable | None = None,
    **record: Any,
) -> Candidate:
    known = {
        "pilot": pilot,
        "verdict": verdict,
        "currency": "EUR",
        "as_of": "2026-11-20",
        "gates": [],
        **record,
    }
    return Candidate(
        pilot=pilot,
        record=known,
        options=() if verdict == "kill" else options,
        shown=shown or max(options, key=lambda o: o.mean(), default=None),
        sharing=Sharing(pilot, entries, record.get("workflow_id")),
        inputs=inputs or {},
        returned=returned or Returned(per_month=None, once=0.0),
    )


def shown(found: dict[str, Any], section: Any) -> str:
    """A section of the page of all pilots, its blanks made single."""
    opened = SimpleNamespace(found=found)
    return " ".join(section(opened).html.split())
