"""Where JupyterLab and Voilà start: a project's notebooks, the shipped ones put beside them where they are missing."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from roi.parameters import find_parameter_files
from roi.problems import InputError, ParameterError, Problem

__all__ = ["EXPLORER", "lab_command", "lab_folder", "pilots_of", "put_notebooks", "shipped_notebooks"]

EXPLORER = "explore.ipynb"
_NAMED = re.compile(r'^pilot = "[a-z0-9_]+"', re.MULTILINE)


def lab_folder(here: Path) -> Path:
    """The project folder: the nearest one at or above `here` that holds parameter files or notebooks, else `here`."""
    return next((p for p in (here, *here.parents) if (p / "params").is_dir() or _notebooks(p)), here)


def _notebooks(folder: Path) -> list[Path]:
    return sorted((folder / "notebooks").glob("*.ipynb"))


def shipped_notebooks() -> list[Path]:
    """The notebooks that come with the package: beside it in a checkout, inside it where it was installed."""
    package = Path(__file__).resolve().parent.parent
    found = _notebooks(package) or _notebooks(package.parent)
    if not found:
        raise ParameterError([Problem("roi", "notebooks", "came without its notebooks; install it again")])
    return found


def pilots_of(folder: Path) -> list[str]:
    """Names of the pilots of a project; empty where there are none."""
    try:
        return [path.stem for path in find_parameter_files([folder / "params"])]
    except InputError:
        return []


def put_notebooks(folder: Path, *, only: Sequence[str] | None = None) -> list[Path]:
    """Copy the shipped notebooks that a project lacks; what is there stays as it is.

    Args:
        folder: The project folder; `notebooks/` is made in it if need be.
        only: Names of the files wanted; None for all of them.

    Returns:
        What was written. A copy opens the example that it names where the project has it, else its first pilot.

    Raises:
        ParameterError: If nothing can be written there.
    """
    target, written = folder / "notebooks", []
    pilots = pilots_of(folder)
    for source in shipped_notebooks():
        place = target / source.name
        if os.path.lexists(place) or (only is not None and source.name not in only):
            continue
        try:
            _make(place, _opening(source, pilots))
        except OSError as error:
            if os.path.lexists(place):
                continue  # it has come to be there meanwhile
            said = f"cannot be written ({error.strerror or error}); start in a folder of your own"
            raise ParameterError([Problem("roi lab", str(place), said)]) from None
        written.append(place)
    return written


def _make(place: Path, text: str) -> None:
    """Write a file that is not there: made under another name and linked to its own, which never replaces one."""
    place.parent.mkdir(exist_ok=True)
    partial = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        partial.write_text(text, encoding="utf-8", newline="\n")
        try:
            os.link(partial, place)
        except OSError:  # a file system without links, or it is there after all
            with place.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    finally:
        partial.unlink(missing_ok=True)


def _opening(source: Path, pilots: Sequence[str]) -> str:
    """A notebook's text, opening a pilot that is there."""
    text = source.read_text(encoding="utf-8")
    if not pilots:
        return text
    notebook: dict[str, Any] = json.loads(text)
    for cell in notebook["cells"]:
        if "parameters" not in cell["metadata"].get("tags", ()):
            continue
        lines = "".join(cell["source"])
        named = _NAMED.search(lines)
        if named is not None and named[0].split('"')[1] not in pilots:
            lines = _NAMED.sub(f'pilot = "{pilots[0]}"', lines, count=1)
            cell["source"] = lines.splitlines(keepends=True)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def lab_command(folder: Path, *, page: bool) -> tuple[list[str], dict[str, str]]:
    """What starts JupyterLab or Voilà on the notebooks of a project, and its environment; both ask no foreign host.

    Args:
        folder: The project folder.
        page: Whether the explorer alone is wanted, as a page without code.
    """
    environment = dict(os.environ)
    here = Path(__file__).parent
    if page:
        # Where Voilà looks for our template, which asks no foreign host for a style sheet.
        environment["JUPYTER_PATH"] = _first(here, environment.get("JUPYTER_PATH"))
        return [sys.executable, "-m", "voila", f"notebooks/{EXPLORER}", "--template=roi"], environment
    # Where JupyterLab looks for settings: ours do not ask for news and newer versions, unless people say otherwise.
    environment["JUPYTER_CONFIG_PATH"] = _first(here, environment.get("JUPYTER_CONFIG_PATH"))
    start = "--LabApp.default_url=/lab/tree/notebooks"
    return [sys.executable, "-m", "jupyterlab", f"--notebook-dir={folder}", start], environment


def _first(place: Path, known: str | None) -> str:
    return os.pathsep.join([str(place), *([known] if known else [])])
