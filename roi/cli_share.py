"""The commands for readers and analysts: `roi export`, `roi lab`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from roi.commands import Examples, told

__all__ = ["COMMANDS"]


@click.command(
    cls=Examples,
    examples="""
    roi export claims_intake
    roi export claims_intake -o reports/ --to claims.zip --with-samples
    """,
)
@click.argument("pilot", metavar="PILOT")
@click.option(
    "-o",
    "--out",
    default="reports",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of the reports.",
)
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The file; PILOT.zip here unless given.",
)
@click.option(
    "--with-samples",
    is_flag=True,
    help="Put the sample files in as well, as they are: with names, unlike all else in it.",
)
@told
def export(pilot: str, out: Path, to: Path | None, with_samples: bool) -> int:
    """Report, record, workbook and notebooks in one zip file with checksums.

    SHA256SUMS inside lists every file; `sha256sum -c SHA256SUMS` checks them. The restricted page, earlier runs and
    other pilots are never in it.
    """
    from roi.export import write_export
    from roi.parameters import project_of

    name = Path(pilot).name.removesuffix(".yaml")
    folder = out / name
    target = Path(f"{name}.zip") if to is None else to
    project = project_of(Path.cwd() / "params" / f"{name}.yaml") if with_samples else None
    names = write_export(folder, target, samples_of=project)
    click.echo(f"Wrote {target}: {len(names)} files", err=True)
    if with_samples:
        click.echo(
            "The samples in it are as they were exported: pass them to nobody who may not see them.", err=True
        )
    return 0


@click.command(
    cls=Examples,
    examples="""
    roi lab
    roi lab --no-browser
    roi lab --page
    """,
    context_settings={"ignore_unknown_options": True},
)
@click.option("--page", is_flag=True, help="The explorer alone, as a page without code, by Voilà.")
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[JUPYTER OPTIONS]...")
@told
def lab(page: bool, options: Sequence[str]) -> int:
    """JupyterLab, opened on the notebooks."""
    import subprocess
    from importlib.util import find_spec

    program = "voila" if page else "jupyterlab"
    if find_spec(program) is None or find_spec("ipywidgets") is None:
        name = "Voilà" if page else "JupyterLab"
        click.echo(f"{name} is not installed; install the extra: pip install 'roi[lab]'", err=True)
        return 2
    here = Path.cwd()
    folder = next((p for p in (here, *here.parents) if (p / "notebooks").is_dir()), None)
    if folder is None:
        click.echo("No notebooks/ folder here or above; go to the project folder first.", err=True)
        return 2
    command, environment = lab_command(folder, page=page)
    return subprocess.call([*command, *options], cwd=folder, env=environment)


def lab_command(folder: Path, *, page: bool) -> tuple[list[str], dict[str, str]]:
    """What starts JupyterLab or Voilà on the notebooks of a project, and its environment."""
    environment = dict(os.environ)
    if page:
        # Where Voilà looks for our template, which asks no foreign host for a style sheet.
        places = [str(Path(__file__).parent / "explore"), environment.get("JUPYTER_PATH", "")]
        environment["JUPYTER_PATH"] = os.pathsep.join(place for place in places if place)
        return [sys.executable, "-m", "voila", "notebooks/explore.ipynb", "--template=roi"], environment
    start = "--LabApp.default_url=/lab/tree/notebooks"
    return [sys.executable, "-m", "jupyterlab", f"--notebook-dir={folder}", start], environment


COMMANDS = (export, lab)
