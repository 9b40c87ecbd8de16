"""What several tests share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import settings

os.environ.setdefault("OPENPYXL_LXML", "False")  # before anything imports openpyxl: lxml writes other bytes
# numba asks whether the package coverage is there, and must not find benchmarks/coverage.py on the path instead.
sys.modules.setdefault("coverage", None)  # type: ignore[arg-type]
sys.path.insert(0, str(Path(__file__).parent))

# The same examples in every run: what passes here passes there.
settings.register_profile("steady", derandomize=True, database=None)
settings.load_profile("steady")
