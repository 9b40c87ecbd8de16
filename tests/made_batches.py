"""A project of small notebooks that do as the name of their pilot says, and a command that runs a batch of them."""

from __future__ import annotations

import io
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

HERE = Path(__file__).parent
NOTEBOOKS = ("2_decide", "1_audit")
# What goes wrong is in the pilot's name: `dies_07` dies.
CELL = dedent("""
    import os, sys, time
    sys.path.insert(0, {here!r})
    from fixtures_record import make_decision, make_record
    from roi.report import sections
    name = pilot.removesuffix(".yaml").rsplit("/")[-1]
    what = name.rpartition("_")[0] or name
    if what == "bug": raise ValueError("could not convert 'Ms Secret'")
    if what == "dies": os._exit(3)
    if what == "killed": os.kill(os.getpid(), 9)
    if what == "hangs": time.sleep(60)
    if what == "greedy": kept = bytearray(8 << 30)
    if what == "full": open("/dev/full", "w").write("x" * 100_000)
    if what == "unreadable": open({here!r}, "rb").read()
    if what == "missing": open("/nowhere/at_all.csv")
    if what == "worker": os.kill(int(os.environ["JPY_PARENT_PID"]), 9); time.sleep(60)
    if what == "slowly": time.sleep(0.3)
    text = open(os.path.join({project!r}, "data.csv")).read()
    sections.first_screen(make_decision(make_record(pilot=name, title=name, reason=text), empty=True))
""").strip()
# Part of what is said of each.
SAID = {
    "bug": "ValueError in code cell 3 of 3",
    "dies": "ended unexpectedly in code cell 3 of 3, with exit code 3.",
    "killed": "ended unexpectedly in code cell 3 of 3, by signal 9",
    "hangs": "longer than the time allowed: code cell 3 of 3",
    "greedy": "MemoryError",
    "full": "No space left on device",
    "unreadable": "Is a directory",
    "missing": "No such file or directory",
    "worker": "ended by signal 9",
}


@dataclass
class Found:
    """What the check of a parameter file finds."""

    pilot: str
    name: str
    project: Path


def check(path: Path) -> Found:
    return Found(path.stem, f"params/{path.name}", path.parent.parent)


def make_project(folder: Path, *pilots: str) -> Path:
    """Parameter files, data and notebooks."""
    (folder / "notebooks").mkdir(parents=True)
    (folder / "params").mkdir()
    (folder / "data.csv").write_text("a reason\n")
    source = CELL.format(here=str(HERE), project=str(folder))
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    declared = new_code_cell('pilot = "a"', metadata={"tags": ["parameters"]})
    shown = "from IPython.display import HTML\nHTML('<h1>Audit</h1>')"
    for name, cell in zip(NOTEBOOKS, (source, shown), strict=True):
        made = new_notebook(cells=[declared, new_code_cell(cell)], metadata=kernel)
        nbformat.write(made, folder / "notebooks" / f"{name}.ipynb")
    for pilot in pilots:
        (folder / "params" / f"{pilot}.yaml").write_text(f"pilot: {pilot}\nsamples: {{cases: data.csv}}\n")
    return folder


def run(project: Path, out: Path, *pilots: str, **how: object):  # type: ignore[no-untyped-def]
    """Run a batch here; its result, and what it printed."""
    from rich.console import Console

    from roi.batch import run_batch

    shown = io.StringIO()
    files = [project / "params" / f"{name}.yaml" for name in pilots]
    console = Console(file=shown, width=100, color_system=None)
    result = run_batch(files, out, check=check, console=console, notebooks=NOTEBOOKS, **how)
    return result, shown.getvalue()


def files(out: Path) -> dict[str, bytes]:
    """Records and tables: what a rerun must give again byte for byte."""
    kinds = ("decision.json", "decisions.csv", "portfolio.json", "moments.json", "access_proposed.csv")
    found = {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.name in kinds}
    return {name: data for name, data in found.items() if "archive" not in name}


def states(result) -> str:  # type: ignore[no-untyped-def]
    """The first letter of how each pilot ended."""
    return "".join(outcome.state[0] for outcome in result.outcomes)


if __name__ == "__main__":  # python made_batches.py PROJECT OUT PILOT...
    # What a shell starts in the background ignores an interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from roi.batch import run_batch

    place, target, *names = sys.argv[1:]
    given = [Path(place) / "params" / f"{name}.yaml" for name in names]
    sys.exit(run_batch(given, target, jobs=2, check=check, notebooks=NOTEBOOKS).exit_code)
