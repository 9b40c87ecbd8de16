"""The commands that hand a report on: `roi export`."""

from __future__ import annotations

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


COMMANDS = (export,)
