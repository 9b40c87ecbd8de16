"""The same inputs give the same bytes, and Papermill gives the same decision as the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLE = "claims_intake"


def roi(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", "from roi.cli import main; main()", *arguments]
    env = os.environ | environment
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, check=False)


def papermill(out: Path, *arguments: str) -> dict:
    """The record in a notebook that plain Papermill executed."""
    command = [sys.executable, "-m", "papermill", "notebooks/2_decide.ipynb", str(out), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    cells = json.loads(out.read_text(encoding="utf-8"))["cells"]
    data = [o.get("data", {}) for cell in cells for o in cell.get("outputs", [])]
    records = [d["application/vnd.roi.record+json"] for d in data if "application/vnd.roi.record+json" in d]
    assert len(records) == 1
    return records[0]


@pytest.fixture(scope="module")
def plain():
    done = roi("decide", f"params/{EXAMPLE}.yaml", "--json")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "C"},
        {
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONHASHSEED": "7",
            "TZ": "America/St_Johns",
        },
    ],
    ids=["another place", "one thread"],
)
def test_decide_twice_gives_identical_bytes(plain, environment):
    assert roi("decide", f"params/{EXAMPLE}.yaml", "--json", **environment).stdout == plain


@pytest.mark.slow
def test_decide_from_another_folder_gives_identical_bytes(plain, tmp_path):
    assert roi("decide", str(ROOT / f"params/{EXAMPLE}.yaml"), "--json", cwd=tmp_path).stdout == plain


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [("-f", f"params/{EXAMPLE}.yaml"), ("-p", "pilot", EXAMPLE)],
    ids=["parameters from a file", "pilot by name"],
)
def test_papermill_gives_the_decision_of_the_command_line(plain, tmp_path, arguments):
    assert papermill(tmp_path / "out.ipynb", *arguments) == json.loads(plain)


@pytest.mark.slow
def test_a_changed_group_from_papermill_is_a_recorded_override(plain, tmp_path):
    changed = tmp_path / "changed.yaml"
    changed.write_text("pilot: claims_intake\nrun: {seed: 5, draws: 2000}\n", encoding="utf-8")
    record = papermill(tmp_path / "out.ipynb", "-f", str(changed))
    assert record["provenance"]["seed"] == 5
    assert record["provenance"]["overrides"] == ["run"]
    assert record["provenance"]["params_sha256"] != json.loads(plain)["provenance"]["params_sha256"]
