"""The commands that run notebooks: `roi run` and `roi batch`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from roi.commands import Examples, told

if TYPE_CHECKING:
    from roi.batch.outcome import BatchResult

__all__ = ["COMMANDS"]

_OUT = click.option(
    "-o",
    "--out",
    default="reports",
    show_default=True,
    help="Folder for the reports, or a URL that fsspec knows.",
)
_SCHEDULER = click.option(
    "--scheduler", metavar="ADDRESS", help="Run the pilots on the Dask cluster of this scheduler."
)
_PDF = click.option(
    "--pdf",
    is_flag=True,
    help="The pages as PDF, too (the business case is report.pdf); needs the extra roi[pdf].",
)
_FORCE = click.option(
    "--force", is_flag=True, help="Also what has been run with the same inputs; samples are read anew."
)
_TIMEOUT = click.option(
    "--timeout",
    default=600.0,
    show_default=True,
    type=click.FloatRange(1),
    help="Seconds that a notebook may take.",
)
_MEMORY = click.option(
    "--memory-limit",
    "memory",
    metavar="MB",
    type=click.IntRange(200),
    callback=lambda _, __, given: None if given is None else given << 20,
    help="Memory that a notebook may take.",
)


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
@_TIMEOUT
@_MEMORY
@_PDF
@_FORCE
@told
def run(params: str, out: str, restricted: Path | None, **how: Any) -> int:
    """One pilot's notebooks and reports."""
    if restricted is not None:
        from roi.parameters import find_parameter_files, load_parameters
        from roi.report.restricted import write_restricted

        (file,) = find_parameter_files([params])
        click.echo(f"Written for few: {write_restricted(load_parameters(file), restricted)}", err=True)
    return _batch([params], out, jobs=1, **how)


@click.command(
    cls=Examples,
    examples="""
    roi batch params/
    roi batch params/claims_intake.yaml params/support_replies.yaml -o reports/
    roi batch params/ --scheduler tcp://10.0.0.5:8786 -o s3://bucket/reports
    """,
)
@click.argument("params", nargs=-1, required=True, metavar="PARAMS...")
@_OUT
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 64), help="Pilots at a time; as many as there are cores."
)
@_TIMEOUT
@_MEMORY
@_PDF
@_SCHEDULER
@_FORCE
@told
def batch(
    params: Sequence[str],
    out: str,
    jobs: int | None,
    timeout: float,
    memory: int | None,
    pdf: bool,
    scheduler: str | None,
    force: bool,
) -> int:
    """All pilots' notebooks and reports, then the page that lists them.

    What was made from the same inputs already is not made again. A batch that was stopped, or cut off, goes on when the
    same command is given again.
    """
    with ExitStack() as until:
        how: dict[str, object] = {"jobs": jobs}
        if scheduler is not None:
            from roi.batch.remote import cluster

            executor, many = until.enter_context(cluster(scheduler))
            how = {"jobs": jobs or many, "executor": executor}
        return _batch(params, out, timeout=timeout, memory=memory, pdf=pdf, force=force, **how)


def _batch(params: Sequence[str], out: str, **how: Any) -> int:
    try:
        return _run(params, out, **how)
    except KeyboardInterrupt:  # before anything ran, after all had, or for the second time
        click.echo("Stopped. The same command goes on, and runs nothing again that is done.", err=True)
        return 130


def _run(params: Sequence[str], out: str, *, pdf: bool, **how: Any) -> int:
    if pdf:
        from roi.report.pdf import require_pdf

        require_pdf()  # before anything runs
    from roi.batch import run_batch
    from roi.batch.collected import SendError, collected, is_address
    from roi.parameters import find_parameter_files

    files = find_parameter_files(params)
    if is_address(out):
        try:
            with collected(out) as (folder, published):
                result = run_batch(files, folder, published=published, pdf=pdf, **how)
        except SendError as error:
            again = "the same command runs again what is not there"
            click.echo(f"Not all reports could be written to {out} ({error.strerror}); {again}.", err=True)
            return 1
        _say(result)
        click.echo(f"The reports lie at {out}", err=True)
        return result.exit_code
    result = run_batch(files, out, pdf=pdf, **how)
    _say(result)
    if (Path(out) / "index.html").is_file():
        click.echo(f"Open {Path(out) / 'index.html'}", err=True)
    return result.exit_code


def _say(result: BatchResult) -> None:
    if len(result.outcomes) > 1:  # of one, its own line says it
        click.echo(f"{result.counted}.", err=True)


COMMANDS = (run, batch)
