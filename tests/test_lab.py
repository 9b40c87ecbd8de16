"""`roi lab`: from anywhere it starts in a project with all notebooks, and leaves a user's files as they are."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from roi.cli import main
from roi.explore.lab import lab_command, lab_folder, pilots_of, put_notebooks, shipped_notebooks
from roi.problems import ParameterError

NAMES = {p.name for p in (Path(__file__).parent.parent / "notebooks").glob("*.ipynb")}


def project(folder: Path, *pilots: str) -> Path:
    (folder / "params").mkdir(parents=True)
    for name in pilots:
        (folder / "params" / f"{name}.yaml").write_text(f"pilot: {name}\n")
    return folder


def stub(monkeypatch, started: list) -> None:
    """Note what would be started, and where; nothing is."""
    monkeypatch.setattr(os, "name", "posix")
    monkeypatch.setattr(
        os, "execve", lambda _, command, env: started.append((command, Path.cwd())) or sys.exit(0)
    )


def parameters_of(notebook: Path) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return next("".join(c["source"]) for c in cells if "parameters" in c["metadata"].get("tags", ()))


def test_the_project_is_found_from_below_and_is_here_where_there_is_none(tmp_path):
    home = project(tmp_path / "home", "mine")
    deep = home / "data" / "mine"
    deep.mkdir(parents=True)
    assert lab_folder(deep) == home
    (tmp_path / "empty" / "notebooks").mkdir(parents=True)  # a folder of that name without notebooks is none
    assert lab_folder(tmp_path / "empty" / "notebooks") == tmp_path / "empty" / "notebooks"


def test_every_shipped_notebook_is_put_and_opens_a_pilot_that_is_there(tmp_path):
    home = project(tmp_path, "mine", "zeta")
    assert {p.name for p in put_notebooks(home)} == NAMES
    shipped = next(p for p in shipped_notebooks() if p.name == "explore.ipynb")
    assert parameters_of(shipped).startswith('pilot = "claims_intake"  #')
    assert parameters_of(home / "notebooks" / "explore.ipynb") == parameters_of(shipped).replace(
        '"claims_intake"', '"mine"', 1
    )
    assert put_notebooks(home) == []
    assert sorted(p.name for p in (home / "notebooks").iterdir()) == sorted(NAMES)  # nothing half made


def test_a_project_that_has_the_example_keeps_the_notebook_as_it_is(tmp_path):
    home = project(tmp_path, "claims_intake", "a_first_one")
    put_notebooks(home, only=["explore.ipynb"])
    shipped = next(p for p in shipped_notebooks() if p.name == "explore.ipynb")
    assert json.loads((home / "notebooks" / "explore.ipynb").read_text()) == json.loads(shipped.read_text())
    assert [p.name for p in (home / "notebooks").iterdir()] == ["explore.ipynb"]


def test_what_is_there_is_left_as_it_is_even_a_link_that_leads_nowhere(tmp_path):
    home = project(tmp_path, "mine")
    (home / "notebooks").mkdir()
    mine = home / "notebooks" / "explore.ipynb"
    mine.write_text("my own work")
    (home / "notebooks" / "1_audit.ipynb").symlink_to(tmp_path / "elsewhere.ipynb")
    put_notebooks(home)
    assert mine.read_text() == "my own work"
    assert not (tmp_path / "elsewhere.ipynb").exists()


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    home = project(tmp_path, "mine")
    (home / "notebooks").symlink_to(tmp_path / "nowhere" / "at_all")
    with pytest.raises(ParameterError, match="cannot be written"):
        put_notebooks(home)
    assert pilots_of(tmp_path / "nowhere") == []


def test_lab_starts_in_the_project_with_the_options_given(tmp_path, monkeypatch):
    pytest.importorskip("jupyterlab")
    started = []
    stub(monkeypatch, started)
    home = project(tmp_path, "mine")
    (home / "data").mkdir()
    monkeypatch.chdir(home / "data")
    made = CliRunner().invoke(main, ["lab", "--no-browser", "--port", "8890"])
    assert made.exit_code == 0, made.output
    ((command, where),) = started
    assert where == home
    assert f"--notebook-dir={home}" in command
    assert command[-3:] == ["--no-browser", "--port", "8890"]
    assert f"Put {len(NAMES)} notebooks that were missing" in made.output
    assert CliRunner().invoke(main, ["lab"]).output == ""  # they are there now


def test_the_page_needs_a_pilot_and_lab_says_how_to_get_one(tmp_path, monkeypatch):
    pytest.importorskip("voila")
    started = []
    stub(monkeypatch, started)
    monkeypatch.chdir(tmp_path)
    made = CliRunner().invoke(main, ["lab", "--page"])
    assert (made.exit_code, started) == (2, [])
    assert "roi new PILOT" in made.output
    assert CliRunner().invoke(main, ["lab"]).exit_code == 0
    assert started
    command, environment = lab_command(tmp_path, page=True)
    assert "notebooks/explore.ipynb" in command
    templates = Path(environment["JUPYTER_PATH"].split(":")[0]) / "voila" / "templates" / "roi"
    assert templates.is_dir()
