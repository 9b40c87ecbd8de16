"""The commands that run notebooks: `roi run` and `roi batch`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from roi.commands import Examples, told

__all__ = ["COMMANDS"]

_OUT = click.option(
    "-o",
    "--out",
    default="reports",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder for the reports.",
)
_PDF = click.option(
    "--pdf", is_flag=True, help="The business case as report.pdf too; needs the extra roi[pdf]."
)
_FORCE = click.option("--force", is_flag=True, help="Also what has been run with the same inputs.")


@click.command(
    cls=Examples,
    examples="""
    roi run claims_intake
    roi run params/claims_intake.yaml -o reports/ --pdf
    """,
)
@click.argument("params", metavar="PARAMS")
@_OUT
@click.option(
    "--restricted",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what the logs say of single people, under pseudonyms, to this file and nowhere else.",
)
@_PDF
@_FORCE
@told
def run(params: str, out: Path, restricted: Path | None, pdf: bool, force: bool) -> int:
    """One pilot's notebooks and reports."""
    if restricted is not None:
        from roi.parameters import find_parameter_files, load_parameters
        from roi.report.restricted import write_restricted

        (file,) = find_parameter_files([params])
        click.echo(f"Written for few: {write_restricted(load_parameters(file), restricted)}", err=True)
    return _batch([params], out, jobs=1, pdf=pdf, force=force)


@click.command(
    cls=Examples,
    examples="""
    roi batch params/
    roi batch params/claims_intake.yaml params/support_replies.yaml -o reports/
    """,
)
@click.argument("params", nargs=-1, required=True, metavar="PARAMS...")
@_OUT
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 64), help="Pilots at a time; as many as there are cores."
)
@click.option(
    "--timeout",
    default=600.0,
    show_default=True,
    type=click.FloatRange(1),
    help="Seconds that a notebook may take.",
)
@click.option(
    "--memory-limit", metavar="MB", type=click.IntRange(200), help="Memory that a notebook may take."
)
@_PDF
@_FORCE
@told
def batch(
    params: Sequence[str],
    out: Path,
    jobs: int | None,
    timeout: float,
    memory_limit: int | None,
    pdf: bool,
    force: bool,
) -> int:
    """All pilots' notebooks and reports, then the page that lists them.

    What was made from the same inputs already is not made again. A batch that was stopped, or cut off, goes on when the
    same command is given again.
    """
    memory = None if memory_limit is None else memory_limit << 20
    return _batch(params, out, jobs=jobs, timeout=timeout, memory=memory, pdf=pdf, force=force)


def _batch(params: Sequence[str], out: Path, *, pdf: bool, **how: object) -> int:
    if pdf:
        from roi.report.pdf import require_pdf

        require_pdf()  # before anything runs
    from roi.batch import run_batch
    from roi.parameters import find_parameter_files

    code = run_batch(find_parameter_files(params), out, pdf=pdf, **how).exit_code  # type: ignore[arg-type]
    if (out / "index.html").is_file():
        click.echo(f"Open {out / 'index.html'}", err=True)
    return code


COMMANDS = (run, batch)
