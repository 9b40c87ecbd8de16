"""Kill, fix or scale: measured business cases for AI pilots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from roi.assembled import OpenedPortfolio, open_portfolio
    from roi.pilot import Decision, Pilot, open_pilot
    from roi.problems import InputError, ParameterError, SampleError

__all__ = [
    "Decision",
    "InputError",
    "OpenedPortfolio",
    "ParameterError",
    "Pilot",
    "SampleError",
    "open_pilot",
    "open_portfolio",
]


def __getattr__(name: str) -> Any:
    # Looked up when asked for: `import roi` alone must not pay for the engine and the parameter models.
    if name in ("Decision", "Pilot", "open_pilot"):
        from roi import pilot

        return getattr(pilot, name)
    if name in ("OpenedPortfolio", "open_portfolio"):
        from roi import assembled

        return getattr(assembled, name)
    if name in ("InputError", "ParameterError", "SampleError"):
        from roi import problems

        return getattr(problems, name)
    raise AttributeError(f"module 'roi' has no attribute {name!r}")
