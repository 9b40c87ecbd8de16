"""What the worths beside the next steps mean, which is told once and not beside each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roi import words

__all__ = ["same_worth", "several"]


def same_worth(record: Mapping[str, Any]) -> float | None:
    """What every one of several steps is worth, where that is the same for all; None otherwise."""
    worths = [step["worth"] for step in record.get("next") or [] if words.finite(step.get("worth"))]
    return float(worths[0]) if len(worths) > 1 and len(set(worths)) == 1 else None


def several(record: Mapping[str, Any]) -> bool:
    """Whether more than one step before the roll-out has a worth of its own."""
    steps = record.get("next") or []
    return sum(1 for step in steps if step.get("kind") != "go" and step.get("worth")) > 1
