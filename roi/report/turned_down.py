"""What that lacks which was turned down, and why no fix stands in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roi import words

__all__ = ["as_it_stands", "no_fix", "turned_down"]

# Gates that ask for protection: whoever rolls out without them takes the risk that the verdict speaks of.
PROTECTING = (*words.CONTROLS, "severe_errors")


def turned_down(record: Mapping[str, Any], option: Mapping[str, Any] | None) -> str:
    """What the numbers of an option leave out that a kill turned down; empty for what may be done.

    Args:
        record: The record.
        option: One of its options; of a roll-out it names the gates that do not hold.
    """
    if record.get("verdict") != "kill":
        return ""
    return as_it_stands(record, option)


def as_it_stands(record: Mapping[str, Any], option: Mapping[str, Any] | None) -> str:
    """What a roll-out lacks, in a few words: "without its controls"; empty where every gate holds."""
    closed = set((option or {}).get("closed_gates") or ())
    if not closed:
        return ""
    labels = {str(g.get("label")) for g in record.get("gates") or [] if g.get("gate") in PROTECTING}
    return "without its controls" if closed & labels else "as it stands"


def no_fix(record: Mapping[str, Any]) -> str:
    """Why there is no fix to show."""
    found: Mapping[str, Any] = record.get("options") or {}
    if found.get("fix"):
        return ""
    if not found.get("scale") and not found.get("scale_segments"):
        return "its worth cannot be worked out"
    closed = any(gate.get("state") != "shown" for gate in record.get("gates") or [])
    if closed:
        return "no priced fix opens every gate"
    stated = (record.get("remedies") or {}).get("list")
    return "no fix that is stated would make it pay" if stated else "no fix is stated"
