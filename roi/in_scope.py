"""What was measured in the kinds of cases that are to be rolled out, for what was promised without saying of which.

A goal or a claim names a quantity and no kind of case. Where only some kinds are advised, neither their figure nor that
of all kinds is known to be what was meant: both are told, and nothing is concluded from either.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from roi.analysis import Analysis

__all__ = ["advised_scope", "drawn_in_scope", "in_scope"]

Floats = npt.NDArray[np.float64]


def advised_scope(a: Analysis) -> tuple[str, ...] | None:
    """The scope whose gates the reader should see: the advised one's, else everything's."""
    option = a.verdict.option
    narrow = a.verdict.verdict != "kill" and option is not None and option.kind == "scale_segments"
    return option.scope.segments if narrow and option is not None and option.scope is not None else None


def drawn_in_scope(a: Analysis, quantity: str | None) -> Floats | None:
    """Draws of a quantity in the kinds that are advised; None where all are, or where it is told of all only."""
    segments = advised_scope(a)
    if segments is None or quantity is None:
        return None
    scope = a.measured.scope(segments)
    before, after = scope.error_rate
    found = {
        "minutes_saved_per_case": scope.minutes_saved,
        "error_rate_baseline": before,
        "error_rate_pilot": after,
        "errors_avoided_per_case": None if before is None or after is None else before - after,
        "agent_cost_per_case": scope.agent_cost,
    }
    return found.get(quantity)


def in_scope(a: Analysis, quantity: str | None) -> dict[str, Any] | None:
    """The same for a record: `segments`, `mean`, `p05` and `p95`; None where all kinds are advised."""
    segments, drawn = advised_scope(a), drawn_in_scope(a, quantity)
    if segments is None or drawn is None:
        return None
    p05, p95 = np.percentile(drawn, [5, 95])
    return {"segments": list(segments), "mean": float(drawn.mean()), "p05": float(p05), "p95": float(p95)}
