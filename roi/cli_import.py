"""The command that makes sample tables of other tools' exports: `roi import`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from roi.commands import Examples, told
from roi.problems import InputError, ParameterError, Problem

__all__ = ["COMMANDS"]


@click.command(
    "import",
    cls=Examples,
    examples="""
    roi import exports/langfuse.jsonl -o data/claims_intake
    roi import 'runs/*.json' -o data/support --arm gpt-4.1=baseline --arm gpt-5=pilot
    roi import traces/ -o data/support --case metadata.ticket --arm pilot
    roi import bpic2012.xes.gz -o data/loans
    """,
)
@click.argument("src", nargs=-1, required=True, metavar="SRC...")
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the tables.",
)
@click.option(
    "--format", "format_", metavar="FORMAT", help="What the files are, where their content does not tell."
)
@click.option("--case", metavar="COLUMN", help="The column that names a case, such as metadata.ticket.")
@click.option(
    "--arm",
    multiple=True,
    metavar="[VERSION=]ARM",
    help="The arm of a version or model, or of all others: baseline or pilot; repeatable.",
)
@click.option("--force", is_flag=True, help="Replace tables that are there.")
@told
def import_(
    src: Sequence[str], out: Path, format_: str | None, case: str | None, arm: Sequence[str], force: bool
) -> int:
    """Trace exports and event logs as sample tables, with a page that says what became of them.

    SRC are files, globs or folders: Langfuse, OTLP, OpenInference (Phoenix), tau2, promptfoo, agent event streams, XES,
    LangSmith, MLflow, Inspect, ATIF, or a CSV of agent runs. Writes cases.csv, actions.csv, evals.csv and versions.csv,
    import.json and import.html.
    """
    import json

    from roi.importers.csv_files import write_tables
    from roi.importing import import_files, record_of
    from roi.report.imported import imported_page

    arms: dict[str, str] = {}
    for text in arm:
        version, sign, meant = text.rpartition("=")
        if sign and not version:
            raise InputError([Problem("--arm", text, "is not written as VERSION=baseline")])
        arms[version] = meant
    imported = import_files(src, format=format_, case=case, arms=arms)
    written = write_tables(imported.tables, out, force=force)
    try:
        out.mkdir(parents=True, exist_ok=True)
        record = json.dumps(record_of(imported), indent=2, ensure_ascii=False)
        (out / "import.json").write_text(record + "\n", encoding="utf-8")
        (out / "import.html").write_text(imported_page(imported, out), encoding="utf-8")
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ParameterError([Problem(str(out), "", f"cannot be written ({why})")]) from None
    for path, table in zip(written, imported.tables.values(), strict=True):
        click.echo(f"{path}: {len(table.rows):,} rows")
    told_apart = [*imported.rules, imported.arm, *imported.said]
    told_apart += [f"{n:,} left out: {why}" for why, n in imported.left_out.items()]
    told_apart += [f"contradiction in {c}" for c in imported.contradictions]
    for line in told_apart[:30]:
        click.echo(f"  {line}")
    if len(told_apart) > 30:
        click.echo(f"  and {len(told_apart) - 30:,} more")
    click.echo(f"Open {out / 'import.html'}", err=True)
    return 0


COMMANDS = (import_,)
