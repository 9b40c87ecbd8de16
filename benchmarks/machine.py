"""What figures were printed on: a line of the machine and of the versions that they depend on.

uv run python benchmarks/machine.py
"""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

from roi.batch.runner import cores

MEASURED = (
    "roi", "duckdb", "numpy", "pandas", "papermill", "nbconvert", "ipykernel", "altair", "vl-convert-python",
    "psycopg", "distributed",
)  # fmt: skip


def machine() -> str:
    """One line of the machine, one of the versions."""
    memory = ""
    if hasattr(os, "sysconf"):
        memory = f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB of memory"
    system = f"{platform.system()} on {platform.machine()}"
    versions = ", ".join(f"{name} {version(name)}" for name in MEASURED)
    return f"{cores()} cores{memory}, {system}, Python {platform.python_version()}\n{versions}"


if __name__ == "__main__":
    print(machine())
