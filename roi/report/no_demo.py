"""What is there of a demo where none of its cases can be held against production, and what that lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roi import words

__all__ = ["no_demo"]


def no_demo(record: Mapping[str, Any]) -> str:
    """Why nothing of a demo stands beside production; its inputs may be there all the same.

    Args:
        record: A record without `demo_gap`.
    """
    inputs: Mapping[str, Any] = (record.get("audit") or {}).get("inputs") or {}
    n = words.finite((inputs.get("cases") or {}).get("demo")) or 0
    if not n:
        return "No demo case is among the samples, so there is nothing to hold against production."
    return (
        f"Of {words.plural(n, 'demo case')} there are inputs, which the page Audit shows, but no times, outcomes or "
        "costs: nothing that the demo achieved can be held against production."
    )
