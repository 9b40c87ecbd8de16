"""The commands on records, logs and two pilots: `roi verify`, `sign`, `diff`, `seal`, `compare`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import click

from roi.commands import Examples, told
from roi.problems import InputError, Problem

__all__ = ["COMMANDS"]

_RECORD = click.argument("record", metavar="RECORD", type=click.Path(path_type=Path))


@click.command(
    cls=Examples,
    examples="""
    roi verify reports/claims_intake
    roi verify reports/claims_intake/archive/2026-10-31-0f3a41c2b7de
    """,
)
@_RECORD
@told
def verify(record: Path) -> int:
    """Compute a record again from its inputs, or its moments, and compare; exit 2 where it does not hold.

    RECORD is a decision.json, or the report folder it lies in. Each input is named with what became of it.
    """
    from roi.replay import verify as verified
    from roi.report.verification import print_verification

    found = verified(record)
    print_verification(found)
    return 0 if found.holds else 2


@click.command(
    cls=Examples,
    examples="""
    roi sign reports/claims_intake --as "M. Weber" --role "Head of Claims" --decision accept
    roi sign reports/claims_intake --as "J. Ortiz" --role CFO --decision defer --reason "after the audit"
    roi sign reports/claims_intake --as "J. Ortiz" --role CFO --decision override --verdict kill \
--reason "budget cut" --expires 2027-03-31
    """,
)
@_RECORD
@click.option("--as", "name", required=True, metavar="NAME", help="Who signs.")
@click.option("--role", required=True, help="As what: budget owner, head of the workflow …")
@click.option(
    "--decision",
    required=True,
    type=click.Choice(["accept", "override", "defer"]),
    help="accept the verdict, override it until a day, or defer the decision.",
)
@click.option("--reason", help="Why; an override needs one.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="The last day on which an override holds.")
@click.option(
    "--verdict",
    "instead",
    type=click.Choice(["kill", "fix", "scale"]),
    help="What is done instead, in an override: stop, fix first, or scale everything; the verdict itself stays.",
)
@told
def sign(
    record: Path,
    name: str,
    role: str,
    decision: str,
    reason: str | None,
    expires: dt.datetime | None,
    instead: str | None,
) -> int:
    """Sign a record: the sign-off goes to the ledger, the record and its report.

    To scale takes two people, neither of whom prepared the case. A record is signed once by each person.
    """
    from roi.batch.signed import sign_record
    from roi.ledger import now
    from roi.signing import Signature, standing

    signature = Signature(
        name=name,
        role=role,
        decision=decision,
        reason=reason,
        expires=None if expires is None else expires.date(),
        instead=instead,
    )
    signed, notes = sign_record(record, signature)
    for note in notes:
        click.echo(note, err=True)
    click.echo(standing(signed, dt.date.fromisoformat(now()[:10])).text)
    return 0


@click.command(
    cls=Examples,
    examples="""
    roi diff reports/ claims_intake
    roi diff reports/claims_intake/archive/2026-10-31-0f3a reports/claims_intake
    roi diff old/decision.json new/decision.json --json
    """,
)
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--json", "as_json", is_flag=True, help="The difference as one line of JSON, nothing else.")
@click.option(
    "--no-recompute", is_flag=True, help="Compare the records alone; do not value the inputs again."
)
@told
def diff(old: str, new: str, as_json: bool, no_recompute: bool) -> int:
    """What moved a verdict: data, assumptions, policy or method.

    OLD and NEW are records, report folders, or the folder of all reports and a pilot.
    """
    import json

    from roi.attribution import difference
    from roi.records import find_files, read_record

    files = find_files(old, new)
    found = difference(read_record(files[0]), read_record(files[1]), recompute=not no_recompute, files=files)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, allow_nan=False, sort_keys=True))
    else:
        from roi.report.difference import print_difference

        print_difference(found)
    return 0


@click.command(
    cls=Examples,
    examples="""
    roi seal data/claims_intake/actions.csv
    roi seal data/claims_intake/actions.csv --check
    roi seal data/claims_intake/actions.csv --head 0f3a41c2b7de…
    """,
)
@click.argument("logs", nargs=-1, required=True, metavar="LOG...", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Hold the log against its seal; nothing is written.")
@click.option(
    "--head",
    metavar="HEX",
    help="A head that was kept elsewhere: hold the seal against it, too; nothing is written.",
)
@told
def seal(logs: Sequence[Path], check: bool, head: str | None) -> int:
    """A hash chain over a log, in LOG.seal beside it; `roi check` and --check verify it.

    It shows any later change of a row, an insertion, a deletion or a swap, and where; exit 2. The log itself is only
    read, and may grow: sealing it again adds what has come, provided that what was sealed before is still there. Keep
    the head that is printed elsewhere: who can write to both files could write both anew, and only the head would tell.
    """
    from roi.log_seal import checked_log, seal_log
    from roi.seal_words import in_words

    if head is not None and len(logs) != 1:
        raise InputError([Problem("--head", "", f"is of one log, and {len(logs)} are named")])
    problems: list[Problem] = []
    named = set(logs)
    for log in logs:
        if log.suffix == ".seal" and log.with_suffix("") in named:
            continue  # a pattern that named the log named its seal, too
        try:
            if check or head is not None:
                state, said = checked_log(log, head), ""
            else:
                state, put = seal_log(log)
                said = "" if put else "; nothing has come since then"
        except InputError as error:
            problems += error.problems
            continue
        click.echo(f"{log}: {in_words(state)}{said}")
        click.echo(f"  head {state.head}")
    if problems:
        raise InputError(problems)
    return 0


@click.command(
    cls=Examples,
    examples="""
    roi compare claims_intake support_replies
    roi compare support_replies --by version
    roi compare support_replies r4 r5 --by version --json
    """,
)
@click.argument("names", metavar="A B", nargs=-1, required=True)
@click.option(
    "--by",
    type=click.Choice(["version"]),
    help="Two versions of one agent: PILOT, or PILOT and two versions.",
)
@click.option("--json", "as_json", is_flag=True, help="The comparison as one line of JSON, nothing else.")
@told
def compare(names: tuple[str, ...], by: str | None, as_json: bool) -> int:
    """Two pilots, or two versions of one agent, on the same footing.

    What both state alike has common draws, and cases that both worked are compared with each other. Differences are B
    minus A with the range of 9 in 10 outcomes; "B better in" counts outcomes, a tie half.
    """
    import json

    from roi.compare import compared

    found = compared(names, by=by)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, allow_nan=False, sort_keys=True))
    else:
        from roi.report.comparison import print_comparison

        print_comparison(found)
    return 0


COMMANDS = (verify, sign, diff, seal, compare)
