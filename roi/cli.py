"""The command line: `roi check`, `decide`, `sample`, `schema`, and those of other modules.

Exit codes: 0 done, 1 a bug or a failed pilot in a batch (the others are finished), 2 the inputs need mending, 130 a
batch was stopped.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import click

from roi.cli_batch import COMMANDS as _BATCHES
from roi.cli_import import COMMANDS as _IMPORTING
from roi.cli_operate import COMMANDS as _OPERATING
from roi.cli_record import COMMANDS as _ON_RECORDS
from roi.cli_share import COMMANDS as _SHARING
from roi.commands import Examples as _Examples
from roi.commands import told as _told
from roi.problems import InputError, ParameterError, Problem

__all__ = ["main"]


_PARAMS = click.argument("params", nargs=-1, required=True, metavar="PARAMS...")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("roi"), prog_name="roi")
def main() -> None:
    """Kill, fix or scale? A measured answer for every AI pilot.

    PARAMS are parameter files, folders of them (params/), or names of pilots.
    """


@main.command(
    cls=_Examples,
    examples="""
    roi new claims_intake --cases exports/tickets.xlsx
    roi new claims_intake --cases 'exports/tickets-*.csv' --time exports/toggl.csv --traces exports/langfuse.jsonl
    roi new claims_intake --cases tickets.csv --arm A=baseline --arm B=pilot --set worker=Assignee --currency EUR
    roi new claims_intake --cases tickets.csv --fill cases_per_month=4200 --fill labour_cost_per_hour=42 --no-input
    """,
)
@click.argument("pilot", metavar="PILOT")
@click.option(
    "--cases", multiple=True, required=True, metavar="FILE", help="The cases: a file or a glob; repeatable."
)
@click.option("--time", multiple=True, metavar="FILE", help="A time tracker's export of the same cases.")
@click.option(
    "--traces", multiple=True, metavar="FILE", help="The agent's traces (Langfuse, OTLP …) or calls."
)
@click.option("--arm", multiple=True, metavar="VALUE=ARM", help="What a value means: baseline or pilot.")
@click.option(
    "--set", "columns", multiple=True, metavar="OURS=THEIRS", help="Name the column behind one of ours."
)
@click.option(
    "--fill", multiple=True, metavar="KEY=VALUE", help="A number only you know, such as cases_per_month."
)
@click.option("--currency", metavar="EUR", help="Of every amount in the file.")
@click.option("--title", help="The pilot's name for readers.")
@click.option("--timezone", metavar="ZONE", help="Of times that carry none, such as Europe/Berlin.")
@click.option(
    "-o",
    "--out",
    default="params",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder for the parameter file.",
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.option("--yes", "--no-input", "silent", is_flag=True, help="Ask nothing, even on a terminal.")
@_told
def new(
    pilot: str,
    cases: Sequence[str],
    time: Sequence[str],
    traces: Sequence[str],
    arm: Sequence[str],
    columns: Sequence[str],
    fill: Sequence[str],
    currency: str | None,
    title: str | None,
    timezone: str | None,
    out: Path,
    force: bool,
    silent: bool,
) -> int:
    """A commented params/PILOT.yaml, its columns guessed from your exports.

    Every guess is shown with examples and how sure it is. Doubtful ones are marked CHECK in the file, what only a
    person knows is marked FILL_IN; `roi check` names each such line until it is filled.
    """
    from roi.guess import Request, new_pilot

    request = Request(
        pilot=pilot,
        cases=cases,
        time=time,
        traces=traces,
        arms=_pairs("--arm", arm),
        columns=_pairs("--set", columns),
        fills=_pairs("--fill", fill),
        currency=currency,
        title=title,
        timezone=timezone,
        out=out,
        force=force,
    )
    asks = sys.stdin.isatty() and not silent
    new_pilot(
        request, ask=(lambda text: str(click.prompt(text, default="", show_default=False))) if asks else None
    )
    return 0


def _pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    """`A=B` as A → B; the last sign of equality parts an arm from its value, the first one any other pair."""
    found: dict[str, str] = {}
    for text in given:
        key, sign, value = text.rpartition("=") if option == "--arm" else text.partition("=")
        if not (key and sign and value):
            raise InputError([Problem(option, text, "is not written as NAME=VALUE")])
        found[key] = value
    return found


@main.command(
    cls=_Examples,
    examples="""
    roi check params/
    roi check claims_intake
    roi check claims_intake --preview 20
    """,
)
@_PARAMS
@click.option(
    "--preview",
    metavar="ROWS",
    type=click.IntRange(1, 10_000),
    help="Only look at the first rows of samples in databases, and what the mapping makes of their columns.",
)
@_told
def check(params: Sequence[str], preview: int | None) -> int:
    """Everything that is wrong with parameters, samples, seals and the portfolio's file, at once; exit 2."""
    if preview is not None:
        return _look(params, preview)
    from roi.actual_rows import rows_of
    from roi.actuals import faults_of, rates_of
    from roi.log_seal import checked_seals
    from roi.parameters import find_parameter_files, load_parameters, load_samples_only
    from roi.reduce import take_moments
    from roi.samples import open_samples
    from roi.schema.portfolio import PORTFOLIO_FILE, read_portfolio
    from roi.taken import hold_together

    problems: list[Problem] = []
    files = find_parameter_files(params)
    for place in sorted({path.with_name(PORTFOLIO_FILE) for path in files}):
        try:
            read_portfolio(place)
        except InputError as error:
            problems += error.problems
    for path in files:
        try:
            loaded = load_parameters(path)
        except InputError as error:
            problems += error.problems
            try:
                if (part := load_samples_only(path, error.problems)) is not None:
                    problems += checked_seals(part)[1]
                    open_samples(part)
            except InputError as further:
                problems += further.problems
            continue
        sealed, broken = checked_seals(loaded)
        problems += broken
        try:
            samples = open_samples(loaded)
            loaded, _ = hold_together(loaded, samples, take_moments(samples))
            own = loaded.parameters.about.currency
            rates = rates_of(loaded.parameters, own)
            faults = faults_of(rows_of(samples, own), currency=own, rates=rates, file=loaded.name)
        except InputError as error:
            problems += error.problems
            continue
        if faults:
            problems += faults
            continue
        if broken:
            continue
        warnings = [*loaded.warnings, *samples.warnings]
        click.echo(f"{loaded.name}: ok" + (f", {len(warnings)} to know" if warnings else ""))
        for warning in warnings:
            click.echo(f"  {warning}")
        for line in sealed:
            click.echo(f"  {line}")
    if problems:
        raise InputError(problems)
    return 0


def _look(params: Sequence[str], rows: int) -> int:
    """The first rows of samples in databases."""
    from roi.parameters import find_parameter_files, load_parameters, load_samples_only
    from roi.preview import preview

    for path in find_parameter_files(params):
        try:
            loaded = load_parameters(path)
        except InputError as error:  # what only the samples need may be whole
            part = load_samples_only(path, error.problems)
            if part is None:
                raise
            loaded = part
        for line in preview(loaded, rows):
            click.echo(line)
    return 0


@main.command(
    cls=_Examples,
    examples="""
    roi decide claims_intake
    roi decide params/ --json > decisions.jsonl
    """,
)
@_PARAMS
@click.option("--json", "as_json", is_flag=True, help="One record a line, nothing else.")
@_told
def decide(params: Sequence[str], as_json: bool) -> int:
    """The verdict on the terminal; no notebook is run."""
    from roi.parameters import find_parameter_files
    from roi.pilot import open_pilot

    problems: list[Problem] = []
    for path in find_parameter_files(params):
        try:
            decision = open_pilot(path).decision
            if as_json:
                sys.stdout.buffer.write(decision.json().encode() + b"\n")
                sys.stdout.buffer.flush()
            else:
                from roi.report.terminal import print_record

                print_record(decision.record)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return 0


@main.command(
    cls=_Examples,
    examples="""
    roi sample claims_intake -n 25 -o audit.csv
    roi sample claims_intake -n 40 --table actions --seed 7
    roi sample claims_intake -n 200 --for labels -o to_label.csv
    """,
)
@click.argument("params", metavar="PARAMS")
@click.option(
    "-n", "n", default=25, show_default=True, type=click.IntRange(1, 100_000), help="Rows of each table."
)
@click.option(
    "--seed", type=click.IntRange(0), help="Seed of the draw; that of the file's `run` unless given."
)
@click.option(
    "--table",
    type=click.Choice(["cases", "actions"]),
    help="Of one table alone; an audit takes both where there are actions.",
)
@click.option(
    "--for",
    "purpose",
    default="audit",
    show_default=True,
    type=click.Choice(["audit", "labels"]),
    help="audit: from all rows. labels: cases that nobody labelled yet, half of them from each arm, without the arm "
    "on the list, and with empty columns for what is found.",
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="A CSV file that is not there yet."
)
@_told
def sample(params: str, n: int, seed: int | None, table: str | None, purpose: str, out: Path | None) -> int:
    """A seeded, stratified sample of cases and actions, to audit or to label.

    The same seed and rows give the same list, in whatever order the rows lie. Names stay hidden: `id` is the pseudonym
    and `row` the number of the data row in the source, from 1. Each row has the chance it had to be on the list. Fed
    back as `label_probability`, with 1 for cases that were labelled before, it lets the labels stand for all cases.
    """
    from roi.drawn_list import sample_lists
    from roi.parameters import find_parameter_files, load_parameters

    if out is not None and out.exists():
        raise ParameterError(
            [Problem(str(out), "", "is there already, perhaps filled in; name another file, or remove it")]
        )
    files = find_parameter_files([params])
    if len(files) != 1:
        raise ParameterError([Problem(params, "", f"holds {len(files)} pilots; a list is of one")])
    text, said = sample_lists(load_parameters(files[0]), table=table, purpose=purpose, n=n, seed=seed)
    for line in said:
        click.echo(line, err=True)
    if out is None:
        click.echo(text, nl=False)
    else:
        with out.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
        click.echo(f"Wrote {out}", err=True)
    return 0


@main.command(
    cls=_Examples,
    examples="""
    roi schema > parameters.schema.json
    """,
)
@_told
def schema() -> int:
    """The JSON Schema of the parameter file, for editors that complete and check it."""
    import json

    from roi.parameters import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False, sort_keys=True))
    return 0


for _command in (*_BATCHES, *_IMPORTING, *_ON_RECORDS, *_OPERATING, *_SHARING):
    main.add_command(_command)
