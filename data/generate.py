"""Write the samples of the example pilots.

`python data/generate.py [PILOT ...]` writes them again; `--truth` prints what they were drawn from, and `--exports DIR`
writes the three exports that docs/first_hour.md begins with.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from random import Random

FOLDER = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path.insert(0, str(FOLDER.parent))  # run as a script, the folder above is not on the path

from data.generator.cases import Row, draw_cases, draw_traces  # noqa: E402
from data.generator.exports import EXPORTS  # noqa: E402
from data.generator.files import write_export  # noqa: E402
from data.generator.first_hour import write_exports  # noqa: E402
from data.generator.inputs import draw_inputs  # noqa: E402
from data.generator.later import AFTER, draw_actuals  # noqa: E402
from data.generator.logs import draw_access, draw_actions, draw_changes, draw_evals, draw_incidents  # noqa: E402
from data.generator.pilots import TRUTHS  # noqa: E402
from data.generator.truth import Arm, Controls, Segment, Tool, Truth  # noqa: E402
from roi.log_seal import seal_log  # noqa: E402

__all__ = ["SEED", "TRUTHS", "Arm", "Controls", "Segment", "Tool", "Truth", "draw_tables", "generate", "main"]

SEED = 20260101


def draw_tables(truth: Truth, seed: int = SEED) -> dict[str, list[Row]]:
    """Draw every table of a pilot.

    Args:
        truth: What to draw from.
        seed: Each table has its own stream of it, so that a changed truth changes only what depends on it.

    Returns:
        Rows with canonical columns, by table; `traces` are model calls that share out the agent's cost.
    """

    def stream(table: str) -> Random:
        return Random(f"{truth.pilot}:{table}:{seed}")

    cases = draw_cases(truth, stream("cases"))
    tables: dict[str, list[Row]] = {"cases": cases, "traces": draw_traces(cases, stream("traces"))}
    if truth.controls is not None:
        tables |= {
            "actions": draw_actions(truth, truth.controls, cases, stream("actions"), stream("rejections")),
            "access": draw_access(truth, truth.controls),
            "evals": draw_evals(truth, truth.controls, stream("evals")),
            "changes": draw_changes(truth),
            "incidents": draw_incidents(truth, truth.controls),
        }
    if truth.demo_inputs:
        tables["inputs"] = draw_inputs(truth, cases, stream("inputs"))
    if truth.pilot in AFTER:
        tables["actuals"] = draw_actuals(AFTER[truth.pilot], stream("actuals"))
    return tables


def generate(truth: Truth, seed: int = SEED, out_dir: Path | None = None) -> list[Path]:
    """Write the samples of a pilot, in the form its systems export them.

    Args:
        truth: What to draw from; `TRUTHS` holds the shipped ones, `Truth.change` varies them.
        seed: The same seed and truth give the same bytes.
        out_dir: Folder to write into; the pilot's own folder beside this file unless given.

    Returns:
        The files written.
    """
    folder = FOLDER / truth.pilot if out_dir is None else Path(out_dir)
    folder.mkdir(parents=True, exist_ok=True)
    tables = draw_tables(truth, seed)
    written = [
        path
        for table, export in EXPORTS[truth.pilot].items()
        for path in write_export(export, tables[table], folder)
    ]
    if truth.controls is not None and truth.controls.sealed_at is not None:
        (log,) = (path for path in written if path.name.startswith("actions."))
        log.with_name(log.name + ".seal").unlink(missing_ok=True)
        seal_log(log, at=truth.controls.sealed_at)
        written.append(log.with_name(log.name + ".seal"))
    return written


def main(arguments: list[str] | None = None) -> int:
    """Command line: write the samples of the pilots named, of all of them if none is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "pilots", nargs="*", metavar="PILOT", help=f"one of {', '.join(TRUTHS)}; default: all"
    )
    parser.add_argument(
        "--truth", action="store_true", help="print what the samples are drawn from, write nothing"
    )
    parser.add_argument(
        "--exports", type=Path, metavar="DIR", help="write the exports of docs/first_hour.md, nothing else"
    )
    chosen = parser.parse_args(arguments)
    if chosen.exports is not None:
        for path in write_exports(chosen.exports, SEED):
            print(path)
        return 0
    unknown = [name for name in chosen.pilots if name not in TRUTHS]
    if unknown:
        parser.error(f"no such pilot: {', '.join(unknown)}; there are {', '.join(TRUTHS)}")
    for name in chosen.pilots or TRUTHS:
        if chosen.truth:
            print(name)
            for figure, value in TRUTHS[name].figures().items():
                print(f"  {figure:40} {value:9.4f}")
        else:
            for path in generate(TRUTHS[name]):
                print(path.relative_to(FOLDER.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
