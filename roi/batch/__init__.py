"""Running the notebooks of many pilots: in parallel, whole or not at all, one failure stopping no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from roi.batch.runner import BatchResult, run_batch

__all__ = ["BatchResult", "run_batch"]


def __getattr__(name: str) -> Any:
    # Looked up when asked for: a kernel that imports `roi.batch.declared` must not pay for the runner.
    if name in __all__:
        from roi.batch import runner

        return getattr(runner, name)
    raise AttributeError(f"module 'roi.batch' has no attribute {name!r}")
