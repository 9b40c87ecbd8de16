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
    ("kind", "megabytes"),
    [
        ("tau2", 50),
        ("inspect", 50),
        ("inspect archive", 50),
        ("agent_events", 50),
        ("event_log", 50),
        ("event_log table", 50),
        ("promptfoo", 50),
        ("atif", 100),  # of which more is held before the rest is put aside
    ],
)
def test_memory_is_bounded(kind: str, megabytes: int) -> None:
    """Of a file four times as long it takes less than half of what the file grew by, and less than 500 MB."""
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "import_memory.py"),
        "--mb",
        str(megabytes),
        "--format",
        kind,
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
