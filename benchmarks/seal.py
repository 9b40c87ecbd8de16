"""What sealing a log takes: seconds and memory for a million rows, beside hashing the file as a whole.

    uv run python benchmarks/seal.py [--rows 1000000]

Prints seconds of wall clock and peak memory of a process each, and their ratio to a plain SHA-256 of the same file in
Python; exits with 1 from 10 s or 500 MB on for sealing.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent

MOST_SECONDS = 10.0
MOST_MEGABYTES = 500.0

MEASURED = """
import resource, sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
log = Path({log!r})
{imports}
start = time.perf_counter()
{action}
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""

PLAIN = """
digest = hashlib.sha256()
with log.open("rb") as file:
    while chunk := file.read(1 << 20):
        digest.update(chunk)
"""
SEAL = "from roi.log_seal import seal_log"
STATE = "from roi.seal_state import seal_state"


def write_log(path: Path, rows: int) -> None:
    """An action log such as agents leave: ids, times, tools, a quoted remark now and then."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(
            "action_id,case_id,tool,effect,requested_at,requester,decision,status,duration_ms,remark\n"
        )
        for i in range(rows):
            remark = f'"looked up, {i % 89} found"' if i % 10 == 0 else ""
            file.write(
                f"A-{i:08},C-{i // 6:07},tool_{i % 13},{('read', 'write')[i % 2]},2026-{1 + i % 12:02}-{1 + i % 28:02}"
                f"T{i % 24:02}:{i % 60:02}:00Z,agent-{i % 7},approved,ok,{i * 37 % 9000},{remark}\n"
            )


def measured(log: Path, imports: str, action: str) -> tuple[float, float]:
    """Seconds and peak megabytes of an action in a process of its own."""
    code = MEASURED.format(root=str(ROOT), log=str(log), imports=imports, action=action)
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    seconds, megabytes = done.stdout.split()
    return float(seconds), float(megabytes)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "actions.csv"
        write_log(log, rows)
        print(f"{rows:,} rows, {log.stat().st_size / 1e6:.0f} MB")
        plain = measured(log, "import hashlib", PLAIN)
        sealing = measured(log, SEAL, "seal_log(log)")
        seal = log.with_name(f"{log.name}.seal").stat().st_size
        holds = measured(log, STATE, "assert seal_state(log).state == 'holds'")
        with log.open("r+b") as file:  # one byte in the middle
            file.seek(log.stat().st_size // 2)
            byte = file.read(1)
            file.seek(-1, 1)
            file.write(b"Z" if byte != b"Z" else b"Y")
        located = measured(log, STATE, "s = seal_state(log); assert len(s.faults) == 1, s.faults")
        lines = log.read_bytes().splitlines(keepends=True)
        third = len(lines) // 3
        log.write_bytes(b"".join([lines[0], *lines[1 + third :], *lines[1 : 1 + third]]))
        shuffled = measured(log, STATE, "assert seal_state(log).state == 'broken'")
        named = (
            ("plain SHA-256", plain),
            ("seal", sealing),
            ("check, it holds", holds),
            ("check, one byte changed", located),
            ("check, a third moved to the end", shuffled),
        )
        for what, (seconds, megabytes) in named:
            print(f"{what:32} {seconds:6.2f} s  {megabytes:5.0f} MB  {seconds / plain[0]:5.1f} x plain")
        print(f"the seal: {seal / 1e6:.1f} MB, {seal / rows:.1f} bytes a row")
        missed = not (sealing[0] < MOST_SECONDS and sealing[1] < MOST_MEGABYTES)
        print(f"bar: under {MOST_SECONDS:g} s and {MOST_MEGABYTES:g} MB: {'FAIL' if missed else 'PASS'}")
        return int(missed)


if __name__ == "__main__":
    sys.exit(main())
