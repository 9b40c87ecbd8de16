"""The commands of a rolled-out pilot: `roi monitor`."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path

import click

from roi.commands import Examples, told
from roi.problems import ParameterError, Problem

__all__ = ["COMMANDS"]


@click.command(
    cls=Examples,
    examples="""
    roi monitor claims_intake --cases 'exports/claims-2027-*.csv' --actions exports/actions-2027.csv
    roi monitor claims_intake --cases fresh.csv --join traces-2027.jsonl --json -o monitor.json
    roi monitor claims_intake --since 2026-09-01
    roi monitor claims_intake --cases 'exports/claims-2027-*.csv' --to-report
    """,
)
@click.argument("params", metavar="PARAMS")
@click.option(
    "--record",
    type=click.Path(path_type=Path),
    metavar="RECORD",
    help="The decision, or its report folder; reports/<pilot> unless given.",
)
@click.option(
    "--cases",
    multiple=True,
    metavar="FILE",
    help="Fresh cases, with the columns of the samples; a glob or repeatable.",
)
@click.option(
    "--pilot-only", is_flag=True, help="All of them were worked with the agent; they have no column of arms."
)
@click.option("--actions", multiple=True, metavar="FILE", help="The agent's actions of these cases.")
@click.option("--inputs", multiple=True, metavar="FILE", help="Their inputs as they arrived.")
@click.option(
    "--join", multiple=True, metavar="FILE", help="What samples.cases.join brings, in its order; repeatable."
)
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="The first fresh day; the day after the record's unless given.",
)
@click.option(
    "--by", type=click.Choice(["day", "week"]), help="Charts by day or by week; by week from 8 weeks on."
)
@click.option(
    "--relimit",
    type=click.DateTime(["%Y-%m-%d"]),
    multiple=True,
    metavar="DAY",
    help="A day from which charts take their limits anew, beside those of changes; repeatable.",
)
@click.option(
    "--to-report",
    is_flag=True,
    help="Let the pilot's pages, the page of all pilots and the set to fund go by it, too.",
)
@click.option("--json", "as_json", is_flag=True, help="All of it as one line of JSON, nothing else.")
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="A file for the JSON.")
@told
def monitor(
    params: str,
    record: Path | None,
    cases: Sequence[str],
    actions: Sequence[str],
    inputs: Sequence[str],
    join: Sequence[str],
    pilot_only: bool,
    since: dt.datetime | None,
    by: str | None,
    relimit: Sequence[dt.datetime],
    to_report: bool,
    as_json: bool,
    out: Path | None,
) -> int:
    """Fresh cases against the decision: continue, investigate, restrict, pause or roll back.

    It may be run every day: all its questions together raise an action on a stream that keeps to the decision with a
    chance of at most 5 %, for as long as it is held against one record; a new record starts anew. Fresh cases are read
    as the parameter file reads its samples.
    """
    from roi.monitor import Given
    from roi.monitor import monitor as watched
    from roi.parameters import find_parameter_files, load_parameters

    files = find_parameter_files([params])
    if len(files) != 1:
        raise ParameterError([Problem(params, "", f"holds {len(files)} pilots; a stream is of one")])
    given = Given(
        record=record,
        cases=tuple(cases),
        actions=tuple(actions),
        inputs=tuple(inputs),
        join=tuple(join),
        since=None if since is None else since.date(),
        pilot_only=pilot_only,
        by="day" if by == "day" else "week" if by == "week" else None,
        relimit=tuple(day.date() for day in relimit),
    )
    found = watched(load_parameters(files[0]), given)
    text = json.dumps(found, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(", ", ": "))
    if out is not None:
        try:
            out.write_text(text + "\n", encoding="utf-8", newline="\n")
        except OSError as error:
            message = f"cannot be written ({error.strerror}); name a file in a folder that is there"
            raise ParameterError([Problem(str(out), "--out", message)]) from None
        click.echo(f"Wrote {out}", err=True)
    if as_json and out is None:
        click.echo(text)
    elif not as_json:
        from roi.report.monitoring import print_monitoring

        print_monitoring(found)
    folder = Path("reports") / str(found["pilot"]) if record is None else record
    folder = folder if folder.is_dir() else folder.parent
    if to_report:
        from roi.batch.operated import show_operation

        for note in show_operation(folder, found):
            click.echo(note, err=True)
    elif found["action"]["action"] != "continue":
        click.echo(
            "The reports do not know of it: --to-report lets their pages and the set to fund go by it.",
            err=True,
        )
    return 0


COMMANDS = (monitor,)
