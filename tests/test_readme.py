"""What the documents promise exists: commands, options, links, pictures, figures, the version."""

from __future__ import annotations

import json
import re
import shlex
import struct
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from opened_examples import example

import roi
from data.generate import TRUTHS
from roi.cli import main
from roi.parameters import TOP_LEVEL_KEYS, find_parameter_files
from roi.words import amount

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "data/README.md",
]
MARK = "<!-- end of examples -->"


def block(language: str) -> str:
    """The first fenced block of a language."""
    found = re.search(rf"^```{language}\n(.*?)^```", README, flags=re.S | re.M)
    assert found is not None, f"the README has no {language} block"
    return found[1]


def commands(text: str) -> list[list[str]]:
    """Every command of the shell blocks, and of inline code that begins with one and goes on, in words."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.S | re.M)
    lines = [line for found in blocks for line in found.replace("\\\n", " ").splitlines()]
    lines += re.findall(r"`((?:roi (?:lab|schema)|roi \w+ [^`]+|papermill [^`]+))`", text)
    parts = [part for line in lines for part in re.split(r"&&|\||;", line.split(" #")[0])]
    words = [shlex.split(part.split(">")[0]) for part in parts]
    return [w[2:] if w[:2] == ["uv", "run"] else w for w in words if w]


SHELL = [(page.name, words) for page in PAGES for words in commands(page.read_text(encoding="utf-8"))]


def test_the_documents_hold_commands():
    named = {words[1] for _, words in SHELL if words[0] == "roi"}
    assert named == set(main.commands), "the README shows every command, and no other"
    assert sum(words[0] == "papermill" for _, words in SHELL) == 3


@pytest.mark.parametrize(("page", "words"), [x for x in SHELL if x[1][0] == "roi"], ids=lambda x: str(x)[:60])
def test_roi_commands_exist(page, words):
    command = main.commands[words[1]]
    known = {option for p in command.params for option in p.opts if isinstance(p, click.Option)}
    given = {word.split("=")[0] for word in words[2:] if word.startswith("-")}
    assert given <= known | {"--help"}, f"{page}: {sorted(given - known)}"
    command.make_context(words[1], list(words[2:]))  # raises a UsageError where arguments are missing
    for word in words[2:]:
        if word.startswith("params/") and "my_pilot" not in word:
            assert (ROOT / word).exists(), word


@pytest.mark.parametrize("words", [w for _, w in SHELL if w[0] == "papermill"], ids=" ".join)
def test_papermill_commands_name_what_exists(words):
    if words[1] == "--engine":
        assert (
            words[2]
            in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][
                "papermill.engine"
            ]
        )
        words = [words[0], *words[3:]]
    assert (ROOT / words[1]).is_file()
    options = dict(zip(words[3::2], words[4::2], strict=False))
    if "-f" in options:
        assert (ROOT / options["-f"]).is_file()
    if "-p" in options:
        assert options["-p"] in TOP_LEVEL_KEYS
        assert (ROOT / "params" / f"{words[-1]}.yaml").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        found = page if not path else page.parent / path
        assert found.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), flags=re.M)
            assert anchor in {re.sub(r"[^\w\- ]", "", t).strip().lower().replace(" ", "-") for t in titles}, (
                target
            )


@pytest.mark.parametrize(
    ("name", "size"), [("report", (1280, 720)), ("report_phone", (780, 1688)), ("report_print", (833, 1179))]
)
def test_the_pictures_are_small_and_shown(name: str, size: tuple[int, int]):
    data = (ROOT / f"docs/{name}.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == size
    assert len(data) < 150_000
    assert f"docs/{name}.png" in README


def test_the_first_screen_has_purpose_picture_and_both_commands():
    top = README.split("\n## ")[0]
    assert "](docs/report.png)" in top
    assert "pip install uv && uv run roi batch params/" in top
    assert "pip install uv && uv run pytest" in top


def test_the_changelog_names_the_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.M)
    assert newest is not None
    assert newest[1] == version


def test_the_architecture_names_every_module():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)/?`", text))
    folder = Path(roi.__file__).parent
    modules = {p.stem for p in folder.glob("*.py") if p.stem != "__init__"}
    folders = {p.parent.name for p in folder.glob("*/__init__.py")}
    assert not (modules | folders) - named


def test_ones_own_pilot_is_ten_lines_that_work(tmp_path, monkeypatch):
    assert len(block("yaml").splitlines()) == 10
    for name, text in (("params/my_pilot.yaml", block("yaml")), ("data/my_pilot/cases.csv", block("csv"))):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    checked = CliRunner().invoke(main, ["check", "params/my_pilot.yaml"])
    assert (checked.exit_code, checked.output.split("\n")[0][:24]) == (0, "params/my_pilot.yaml: ok")
    decided = CliRunner().invoke(main, ["decide", "my_pilot", "--json"])
    assert decided.exit_code == 0, decided.output
    record = json.loads(decided.stdout)
    assert record["verdict"] != "scale"
    assert record["first_view"]["is"]


def money(value: float, currency: str) -> str:
    """As every page writes it, so that nobody meets two figures for one."""
    return amount(value, currency).replace("\N{NO-BREAK SPACE}", " ")


def share(value: float) -> str:
    return "under 1 %" if value < 0.01 else "over 99 %" if value > 0.99 else f"{value:.0%}".replace("%", " %")


def row(record: dict[str, Any]) -> str:
    """A line of the README's table."""
    cases, currency, options = record["sample"]["cases"], record["currency"], record["options"]
    where = record["money"]["scope"] if record["money"]["plan"] == "scale_segments" else None
    words = {
        "fix": f"**fix** ({record['fix_kind']})",
        "kill": f"**kill** ({(record['ground'] or '').replace('_', ' ')})",
    }
    words["scale"] = f"**scale** in {', '.join(where)} only" if where else "**scale**"
    advised = {"fix": options["fix"], "scale": options["scale"], "kill": options["kill"]}[record["verdict"]]
    if where and record["verdict"] == "scale":
        advised = next(o for o in options["scale_segments"] if o["scope"] == where)
    worth = "0 (stopping)" if record["verdict"] == "kill" else money(advised["mean"], currency)
    total = f"{cases['baseline'] + cases['pilot']:,}"
    pays = share(record["chances"]["scale_pays"])
    scaling = money(options["scale"]["mean"], currency)
    return f"| `{record['pilot']}` | {total} | {scaling} | {pays} | {words[record['verdict']]} | {worth} |"


@pytest.mark.slow
def test_the_table_of_the_examples_is_what_the_records_say():
    # Only the examples: whoever adds a pilot of their own to params/ need not touch the README.
    paths = [
        p
        for p in find_parameter_files([ROOT / "params"])
        if (ROOT / "data" / p.stem).is_dir() and p.stem in TRUTHS
    ]
    records = [example(path.stem).decision.record for path in paths]
    order = {"scale": 0, "fix": 1, "kill": 2}
    rows = [row(r) for r in sorted(records, key=lambda r: (order[r["verdict"]], r["pilot"]))]
    shown = README.split(MARK)[0].split("|---|---|---|---|---|---|\n")[1].splitlines()
    assert shown == rows, "the README's table should read:\n" + "\n".join(rows)
