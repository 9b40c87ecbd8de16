"""The commands for readers and analysts: `roi export`, `roi lab`."""

from __future__ import annotations

import os
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
    roi lab --no-browser --port 8890
    roi lab --page
    """,
    context_settings={"ignore_unknown_options": True},
)
@click.option("--page", is_flag=True, help="The explorer alone, as a page without code, by Voilà.")
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[JUPYTER OPTIONS]...")
@told
def lab(page: bool, options: Sequence[str]) -> int:
    """JupyterLab, opened on the notebooks.

    It starts in the nearest folder at or above this one that holds params/ or notebooks/, else here. Shipped notebooks
    that are missing in its notebooks/ are put there; files that are there stay as they are.
    """
    import subprocess
    from importlib.util import find_spec

    from roi.explore.lab import EXPLORER, lab_command, lab_folder, pilots_of, put_notebooks

    program = "voila" if page else "jupyterlab"
    if find_spec(program) is None or find_spec("ipywidgets") is None:
        name = "Voilà" if page else "JupyterLab"
        click.echo(f"{name} is not installed; install the extra: pip install 'roi[lab]'", err=True)
        return 2
    folder = lab_folder(Path.cwd())
    if not pilots_of(folder):
        said = f"No parameter file in {folder / 'params'}; `roi new PILOT --cases FILE` writes a first one."
        click.echo(said, err=True)
        if page:
            return 2
    written = put_notebooks(folder, only=[EXPLORER] if page else None)
    if written:
        click.echo(f"Put {len(written)} notebooks that were missing into {folder / 'notebooks'}", err=True)
    command, environment = lab_command(folder, page=page)
    if os.name == "posix":  # what stops this process stops JupyterLab
        os.chdir(folder)
        os.execve(command[0], [*command, *options], environment)
    return subprocess.call([*command, *options], cwd=folder, env=environment)


COMMANDS = (export, lab)
