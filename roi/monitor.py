"""`roi monitor`: fresh cases held against the decision, every day anew, and what is to be done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from roi.analysis import Analysis, analyse
from roi.archive import MOMENTS, read_archive
from roi.ledger import record_sha256
from roi.monitor_action import act
from roi.monitor_basis import Basis, basis_of
from roi.monitor_charts import Period, period_of
from roi.monitor_days import MEASURES, Stream, read_stream
from roi.monitor_mix import NUMBERS, Drift, input_questions, mix_questions
from roi.monitor_record import action_of, change_of, measure_of, mix_of, question_of, volume_of
from roi.monitor_tests import ALPHA, ask, questions
from roi.parameters import LoadedParameters
from roi.privacy import identifier_like
from roi.problems import InputError, Problem, SampleError
from roi.records import file_of, read_record
from roi.samples import Samples, open_samples
from roi.schema.sources import ColumnSpec, SourceSpec
from roi.words import plural, shorten

__all__ = ["SCHEMA", "Given", "held_against", "monitor"]

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a command says besides the parameter file.

    Attributes:
        record: The record or its folder; None for that of `reports/`.
        cases: Files of fresh cases; none means the parameter file's own after the record's day.
        actions: Files of fresh actions.
        inputs: Files of fresh inputs.
        join: Files in place of the other exports of the cases, in their order.
        since: The first fresh day; None for the day after the record's.
        by: Whether charts are by day or by week; None as the stream is long.
        relimit: Days from which charts take their limits anew, beside those of changes.
        pilot_only: Whether every fresh case was worked with the agent, so that the files have no column of arms.
    """

    record: Path | None = None
    cases: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    join: tuple[str, ...] = ()
    since: dt.date | None = None
    by: Period | None = None
    relimit: tuple[dt.date, ...] = ()
    pilot_only: bool = False


def monitor(loaded: LoadedParameters, given: Given) -> dict[str, Any]:
    """Hold fresh cases against the decision.

    Args:
        loaded: The pilot's checked parameters.
        given: What the command says.

    Returns:
        A record of plain JSON values; the same inputs give the same.

    Raises:
        InputError: Where there is no record, no fresh case, or a file cannot be read; with the mend.
    """
    file = _record_file(loaded, given)
    record = read_record(file)
    pilot = loaded.parameters.pilot
    if record["pilot"] != pilot:
        message = (
            f"is a record of {record['pilot']}, and {loaded.name} is of {pilot}; name that one with --record"
        )
        raise InputError([Problem(shorten(file, 200), "pilot", message)])
    until = None if record.get("as_of") is None else dt.date.fromisoformat(str(record["as_of"])[:10])
    since = given.since or (None if until is None else until + dt.timedelta(days=1))
    fresh = open_samples(_fresh(loaded, given))
    # Only numbers known before the work are held against rows of the decision; they are read for nothing else.
    numbers = any(name in fresh.tables["cases"].columns for name in NUMBERS)
    decided = _decision(file, record, loaded, numbers=numbers)
    try:
        found = held_against(record, decided, fresh, loaded, given, since=since, until=until)
    except SampleError as error:  # of the fresh files, whose name only this knows
        name = shorten(given.cases[0], 200) if given.cases else loaded.name
        raise SampleError(
            [replace(p, file=name) if p.file == "cases" else p for p in error.problems]
        ) from None
    if found is None:
        raise InputError([_nothing_fresh(loaded, given, since)])
    return found


def held_against(
    record: Mapping[str, Any],
    decided: tuple[Analysis | None, Samples | None, str | None],
    fresh: Samples,
    loaded: LoadedParameters,
    given: Given,
    *,
    since: dt.date | None,
    until: dt.date | None,
    worth: bool = True,
) -> dict[str, Any] | None:
    """Hold opened samples against a record.

    Args:
        record: Of the decision.
        decided: The decision and its samples, None each where they are gone, and why the first is.
        fresh: The samples that are held against it.
        loaded: The pilot's checked parameters.
        given: What a command says.
        since: The first fresh day; None for all.
        until: The last day that the decision rests on.
        worth: Whether to decide again under the mix of these samples.

    Returns:
        As `monitor`; None where no case is fresh.
    """
    a, own, why = decided
    basis = basis_of(record, loaded.policy, a)
    p = loaded.parameters
    timezone = p.samples.timezone or "UTC"
    stream = read_stream(
        fresh,
        since=since,
        timezone=timezone,
        selection=p.samples.labels.selection,
        high_risk_tools=tuple(loaded.policy.high_risk_tools),
        currency=p.about.currency,
        rates={name: float(value.mean) for name, value in p.economics.fx.items()},
        baseline_minutes=basis.baseline_minutes,
        error_costs=basis.error_costs,
    )
    if stream is None:
        return None
    loaded = loaded.on(stream.date(stream.days - 1))
    basis = basis_of(record, loaded.policy, a)
    mix = mix_questions(basis, stream, cases=basis.mix_cases or _sampled(record))
    inputs = input_questions(a, own, until, fresh, stream, timezone)
    again = a if worth else None
    return _record(record, loaded, given, stream, basis, (mix, inputs), again, why, since, until, fresh)


def _record_file(loaded: LoadedParameters, given: Given) -> Path:
    """The record to hold against, with what to do where there is none."""
    file = file_of(given.record or loaded.project / "reports" / loaded.parameters.pilot)
    if given.record is None and not file.is_file():
        here = file_of(Path("reports") / loaded.parameters.pilot)
        if here.is_file():
            return here
        mend = f"run `roi run {loaded.parameters.pilot}` first, or name a record with --record"
        name = f"reports/{loaded.parameters.pilot}/decision.json"
        raise InputError(
            [Problem(name, "", f"does not exist, and fresh cases are held against a record; {mend}")]
        )
    return file


def _decision(
    file: Path, record: Mapping[str, Any], loaded: LoadedParameters, *, numbers: bool
) -> tuple[Analysis | None, Samples | None, str | None]:
    """The decision computed again, from its archive or from samples that are still the same; or why it cannot be."""
    a: Analysis | None = None
    own: Samples | None = None
    try:
        archive = read_archive(file.parent / MOMENTS)
        if archive.content["record"] == record_sha256(record):
            a = archive.analysis()
    except InputError:
        a = None
    made = record["provenance"]
    if (a is None or numbers) and made.get("params_sha256") == loaded.params_sha256:
        try:
            own = open_samples(loaded)
        except InputError:
            own = None
        if own is not None and dict(own.fingerprints) != made.get("samples_sha256"):
            own = None
        if a is None and own is not None:
            a = analyse(loaded, own)
    if a is not None:
        return a, own, None
    return (
        None,
        own,
        (
            "The decision cannot be computed again: its archive (moments.json beside the record) is not there or is "
            "withheld, and its samples are not what they were. Segments are held to the limits of all cases, nothing "
            "says what a case brings, and the worth under today's mix is not known."
        ),
    )


def _fresh(loaded: LoadedParameters, given: Given) -> LoadedParameters:
    """The parameters with the fresh files in place of the samples'; every version is read, and a month not yet over."""
    s = loaded.parameters.samples
    if s.cases is None:
        raise InputError(
            [Problem(loaded.name, "samples.cases", "is not there: fresh cases are read with its mapping")]
        )
    changes: dict[str, Any] = {"version": "all", "partial_months": "keep", "access": None, "evals": None}
    changes |= {"incidents": None, "actuals": None}
    problems: list[Problem] = []

    def in_place(table: Any, files: Sequence[str], option: str) -> Any:
        for name in files:
            if not any(sign in name for sign in "*?[") and not Path(name).is_file():
                problems.append(Problem(shorten(name, 200), option, "does not exist"))
        kept = {"sheet": table.source.sheet, "header_row": table.source.header_row}
        source = SourceSpec(file=tuple(str(Path(f).resolve()) for f in files), **kept)
        return table.model_copy(update={"source": source})

    if given.cases:
        cases = in_place(s.cases, given.cases, "--cases")
        joins = []
        if len(given.join) > len(s.cases.join):
            message = f"{len(given.join)} files for {plural(len(s.cases.join), 'other export')} of samples.cases.join"
            problems.append(Problem(loaded.name, "--join", message))
        for join, name in zip(s.cases.join, given.join, strict=False):
            joins.append(in_place(join, (name,), "--join"))
        columns = dict(cases.columns) | ({"arm": ColumnSpec(value="pilot")} if given.pilot_only else {})
        changes["cases"] = cases.model_copy(update={"join": tuple(joins), "columns": columns})
        for option, files in (("actions", given.actions), ("inputs", given.inputs)):
            table = getattr(s, option)
            if files and table is None:
                message = f"needs samples.{option} in the parameter file, whose mapping it is read with"
                problems.append(Problem(loaded.name, f"--{option}", message))
            changes[option] = in_place(table, files, f"--{option}") if files and table is not None else None
    elif given.actions or given.inputs or given.join or given.pilot_only:
        problems.append(Problem(loaded.name, "--cases", "is needed beside files of the same cases"))
    if problems:
        raise InputError(problems)
    samples = s.model_copy(update=changes)
    demand = loaded.parameters.demand
    if demand.mix and all(identifier_like(name) for name in demand.mix):
        # A kind of case that the mix lacks is drift here, and no mistake; names that need it to be shown keep it.
        demand = demand.model_copy(update={"mix": None, "mix_cases": None})
    changed = loaded.parameters.model_copy(update={"samples": samples, "demand": demand})
    return replace(loaded, parameters=changed)


def _nothing_fresh(loaded: LoadedParameters, given: Given, since: dt.date | None) -> Problem:
    name = shorten(given.cases[0], 200) if given.cases else loaded.name
    if since is None:
        message = "holds no production case of the pilot's arm with a time of its start (started_at)"
    else:
        message = f"holds no production case of the pilot's arm that began on {since.isoformat()} or later"
    mend = (
        "name an earlier day with --since"
        if given.cases
        else "name a file with --cases, or an earlier day with --since"
    )
    return Problem(name, "samples.cases", f"{message}; {mend}")


def _sampled(record: Mapping[str, Any]) -> float | None:
    """Production cases that a record rests on."""
    cases: Mapping[str, Any] = (record.get("sample") or {}).get("cases") or {}
    n = sum(float(cases.get(arm) or 0) for arm in ("baseline", "pilot"))
    return n or None


def _record(
    record: Mapping[str, Any],
    loaded: LoadedParameters,
    given: Given,
    stream: Stream,
    basis: Basis,
    drift: tuple[Drift, Drift],
    a: Analysis | None,
    why: str | None,
    since: dt.date | None,
    until: dt.date | None,
    fresh: Samples,
) -> dict[str, Any]:
    counts = drift[0][1] | drift[1][1]
    tested = ask(questions(basis, stream.measures, [*drift[0][0], *drift[1][0]]), stream, counts)
    action = act(tested, stream, basis)
    period = period_of(stream, given.by)
    again = [*given.relimit, *(v.date for v in stream.changes if v.day > 0)]
    few = loaded.policy.privacy.min_group
    warnings = [*stream.warnings, *([why] if why else []), *fresh.warnings]
    if until is not None and since is not None and since <= until:
        warnings.append(
            "Some of these cases are those that the decision rests on: holding them against it says little."
        )
    joins = 0 if loaded.parameters.samples.cases is None else len(loaded.parameters.samples.cases.join)
    if given.cases and len(given.join) < joins:
        warnings.append(
            f"{plural(joins - len(given.join), 'other export')} of the cases (samples.cases.join) is not given for the "
            "fresh ones (--join), so that what it brings is not known."
        )
    return {
        "schema": SCHEMA,
        "kind": "monitor",
        "pilot": loaded.parameters.pilot,
        "title": loaded.parameters.about.title or loaded.parameters.pilot,
        "currency": loaded.parameters.about.currency,
        "record": {
            "as_of": record.get("as_of"),
            "verdict": record["verdict"],
            "sha256": record_sha256(record),
        },
        "since": None if since is None else since.isoformat(),
        "first": stream.first.isoformat(),
        "last": stream.date(stream.days - 1).isoformat(),
        "days": stream.days,
        "cases": float(stream.volume.n.sum()),
        "segments": list(stream.segments),
        "alpha": ALPHA,
        "action": action_of(action, stream),
        "questions": [question_of(t, stream) for t in tested],
        "measures": [
            measure_of(name, stream, basis, period=period, again=again, few=few) for name in MEASURES
        ],
        "volume": volume_of(stream, period=period, again=again),
        "changes": [change_of(v, stream) for v in stream.changes],
        "mix": mix_of(a, stream, basis, tested),
        "left_out": dict(stream.left_out),
        "warnings": warnings,
        "provenance": {
            "roi": version("roi"),
            "params_sha256": loaded.params_sha256,
            "policy_sha256": loaded.policy_sha256,
            "samples_sha256": {
                Path(name).name: digest for name, digest in sorted(fresh.fingerprints.items())
            },
        },
    }
