"""The greatest memory of an import does not follow the length of its file, in formats of one document or one stream."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the greatest memory is in other units there")
@pytest.mark.parametrize(
    "kind", ["tau2", "inspect", "inspect archive", "agent_events", "event_log", "event_log table"]
)
def test_memory_is_bounded(kind: str) -> None:
    """Of a file four times as long it takes less than half of what the file grew by, and less than 500 MB."""
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "import_memory.py"),
        "--mb",
        "50",
        "--format",
        kind,
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
