"""What several tests share."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

# What is compiled once serves every process that the tests start.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import duckdb  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

import roi.light_imports  # noqa: E402, F401

os.environ.setdefault("OPENPYXL_LXML", "False")  # before anything imports openpyxl: lxml writes other bytes
# numba asks whether the package coverage is there, and must not find benchmarks/coverage.py on the path instead.
sys.modules.setdefault("coverage", None)  # type: ignore[arg-type]
sys.path.insert(0, str(Path(__file__).parent))

# The same examples in every run: what passes here passes there.
settings.register_profile("steady", derandomize=True, database=None)
settings.load_profile("steady")

# An engine that wakes its threads for each query of a small table takes half as long again, and more where processes
# stand side by side. Tests that are about threads set their number themselves.
_connect = duckdb.connect


def _one_thread(*where: Any, config: dict[str, Any] | None = None, **how: Any) -> Any:
    return _connect(*where, config={"threads": 1} | (config or {}), **how)


duckdb.connect = _one_thread


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First what reads the project's own examples: what lies side by side is given to one process, which opens and
    decides each of them once."""
    example = getattr(sys.modules.get("opened_examples"), "example", None)
    items.sort(key=lambda item: getattr(getattr(item, "module", None), "example", None) is not example)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What thousands of collected tests hold lives as long as the process, and need not be looked through for rubbish
    time and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
