"""docs/first_hour.md, followed to the letter; `python tests/first_hour_guide.py` prints its outputs into it again."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from data.generate import SEED  # noqa: E402
from data.generate import main as generate  # noqa: E402
from data.generator.first_hour import draw_tickets  # noqa: E402
from roi.cli import main  # noqa: E402
from roi.pilot import open_pilot  # noqa: E402

GUIDE = ROOT / "docs/first_hour.md"
FIGURES = {
    "human_minutes_baseline": "minutes a ticket, as before",
    "human_minutes_pilot": "minutes a ticket, with the assistant",
    "minutes_saved_per_case": "minutes saved a ticket",
    "error_rate_baseline": "share of errors, as before",
    "error_rate_pilot": "share of errors, with the assistant",
    "agent_cost_per_case": "cost of the agent a ticket, EUR",
}


def commands(guide: str) -> list[list[str]]:
    """Every command of the guide, in its order, in words."""
    blocks = re.findall(r"^```sh\n(.*?)^```", guide, flags=re.S | re.M)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    return [w[2:] if w[:2] == ["uv", "run"] else w for w in words if w]


def edits(guide: str) -> list[tuple[str, str]]:
    """Every edit of the guide: a line, and what stands in its place afterwards."""
    block = re.search(r"^```diff\n(.*?)^```", guide, flags=re.S | re.M)
    assert block is not None
    found: list[tuple[str, str]] = []
    for sign, line in re.findall(r"^([-+ ])(.*)$", block[1], flags=re.M):
        if sign == "+":
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
        else:
            found.append((line, "" if sign == "-" else f"{line}\n"))
    return found


def follow(guide: str, folder: Path) -> tuple[dict[str, str], dict[str, Any]]:
    """Do what the guide says, up to the report.

    Args:
        guide: The page.
        folder: Stands for the top folder of a clone.

    Returns:
        What each command printed, by its name, and the record.
    """
    (folder / "params").mkdir()
    shutil.copy(ROOT / "params/_policy.yaml", folder / "params")
    path = folder / "params/service_desk.yaml"
    printed: dict[str, str] = {}
    with contextlib.chdir(folder):
        for words in commands(guide):
            if words[0] == "python":
                with contextlib.redirect_stdout(io.StringIO()):
                    assert generate(words[2:]) == 0
                continue
            if words[1] == "run":
                continue
            if words[1] == "check":
                text = path.read_text(encoding="utf-8")
                for old, new in edits(guide):
                    assert text.count(old + "\n") == 1, f"roi new no longer writes: {old}"
                    text = text.replace(old + "\n", new)
                path.write_text(text, encoding="utf-8")
            done = CliRunner(env={"COLUMNS": "80"}).invoke(main, words[1:])
            assert done.exit_code == 0, done.output
            printed[words[1]] = "\n".join(line.rstrip() for line in done.output.splitlines())
        return printed, open_pilot("service_desk").decision.record


def clean_record(parameters: Path, folder: Path) -> dict[str, Any]:
    """The record of the table that the exports were made from, with the guide's own parameters."""
    given = yaml.safe_load(parameters.read_text(encoding="utf-8"))
    kept = {key: given["samples"][key] for key in ("assignment", "timezone", "labels")}
    given["samples"] = {**kept, "cases": "cases.csv"}
    (folder / "params").mkdir()
    (folder / "params/service_desk.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
    shutil.copy(ROOT / "params/_policy.yaml", folder / "params")
    names = ("case_id", "arm", "segment", "worker", "started_at", "handling_minutes", "outcome", "severity")
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "agent_cost", "cost_currency"])
        for t in draw_tickets(SEED):
            cost = ["", ""] if t.cost is None else [f"{t.cost:.6f}", "USD"]
            row = [t.number, t.arm, t.channel, t.person, t.opened.isoformat(), f"{t.minutes:.6f}"]
            writer.writerow([*row, t.outcome, t.severity, *cost])
    return open_pilot(folder / "params/service_desk.yaml").decision.record


def shown(printed: dict[str, str], record: dict[str, Any], clean: dict[str, Any]) -> dict[str, str]:
    """What the page shows, by the name before each block."""
    lines = printed["decide"].split("\n")

    def place(start: str) -> int:
        return next(i for i, line in enumerate(lines) if line.startswith(start))

    top = [*lines[: place("→") + 2], "…", *lines[place("What was measured") : place("How it was compared")]]
    last = [*lines[place("What to fill in") :][:11], "…"]
    rows = [
        f"| {label} | {record['estimates'][name]['mean']:.4g} | {clean['estimates'][name]['mean']:.4g} |"
        for name, label in FIGURES.items()
    ]
    head = ["| | from the exports | from the clean table |", "|---|---|---|"]
    blocks = {
        "new": printed["new"],
        "check": printed["check"],
        "decide": "\n".join(top),
        "list": "\n".join(last),
    }
    fenced = {name: f"```text\n{text.strip()}\n```" for name, text in blocks.items()}
    return {**fenced, "table": "\n".join([*head, *rows])}


def renewed(guide: str, blocks: dict[str, str]) -> str:
    """The page with every block as it was just printed."""
    for name, text in blocks.items():
        begin, end = f"<!-- printed: {name} -->\n", "\n<!-- end -->"
        before, mark, rest = guide.partition(begin)
        assert mark, name
        guide = before + begin + text + end + rest.partition(end)[2]
    return guide


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        clone, other = Path(place, "clone"), Path(place, "clean")
        clone.mkdir()
        other.mkdir()
        page = GUIDE.read_text(encoding="utf-8")
        said, found = follow(page, clone)
        true = clean_record(clone / "params/service_desk.yaml", other)
        GUIDE.write_text(renewed(page, shown(said, found, true)), encoding="utf-8")
        print(os.path.relpath(GUIDE))
