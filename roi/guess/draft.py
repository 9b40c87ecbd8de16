"""From files to a draft of a parameter file: looked at, guessed, and tried out on the samples themselves."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from roi.guess.columns import guess_columns
from roi.guess.guess import Guess, Guesses
from roi.guess.joins import JoinGuess, guess_time, guess_traces
from roi.guess.look import Column, Table, look_at
from roi.guess.write import FILLS, Draft, write_file
from roi.parameters import LoadedParameters, Parameters, Policy, project_of
from roi.problems import InputError, ParameterError, Problem, SampleError
from roi.readers.base import Connection
from roi.schema.base import nearest
from roi.schema.tables import MINUTE_COLUMNS, TABLE_COLUMNS
from roi.strict_yaml import Document, read_yaml

__all__ = ["Request", "prepare", "refuse_early", "save", "tried"]

_NAME = re.compile(r"[a-z0-9_]+")
_ROUNDS = 6
_MOST_KEYS = 500_000
_REQUIRED = ("case_id", "arm")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user asked for.

    Attributes:
        pilot: The new pilot's name.
        cases: Files of the cases, as typed.
        time: A time tracker's export.
        traces: The agent's traces.
        arms: Their value of the arm column → baseline or pilot.
        columns: Canonical column → theirs.
        fills: Key of `FILLS` (or fx) → value as YAML writes it.
        currency: Of all amounts.
        title: For readers.
        timezone: Of times that carry none.
        out: The folder for the parameter file.
        force: Whether an existing file may be replaced.
    """

    pilot: str
    cases: Sequence[str]
    time: Sequence[str] = ()
    traces: Sequence[str] = ()
    arms: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    fills: Mapping[str, str] = field(default_factory=dict)
    currency: str | None = None
    title: str | None = None
    timezone: str | None = None
    out: Path = Path("params")
    force: bool = False

    @property
    def target(self) -> Path:
        """The parameter file."""
        return self.out / f"{self.pilot}.yaml"


def refuse_early(request: Request) -> None:
    """Refuse what can be refused before any file is read.

    Raises:
        ParameterError: With every problem of the request.
    """
    problems: list[Problem] = []
    if not _NAME.fullmatch(request.pilot):
        problems.append(
            Problem("PILOT", "", "a pilot's name is made of a-z, 0-9 and _, such as claims_intake")
        )
    elif request.target.exists() and not request.force:
        message = "exists already and is not overwritten; choose another name, or add --force"
        problems.append(Problem(request.target.as_posix(), "", message))
    if request.out.exists() and not request.out.is_dir():
        problems.append(Problem(request.out.as_posix(), "", "is not a folder; name one with -o"))
    known = list(TABLE_COLUMNS["cases"])
    for ours in request.columns:
        if ours not in known:
            meant = nearest(ours, known)
            hint = f"did you mean '{meant}'?" if meant else f"these are: {', '.join(known)}"
            problems.append(Problem("--set", ours, f"is no column of ours; {hint}"))
    for theirs, ours in request.arms.items():
        if ours not in ("baseline", "pilot"):
            problems.append(Problem("--arm", theirs, "is either baseline or pilot: --arm control=baseline"))
    for key in request.fills:
        if key not in (*FILLS, "fx"):
            problems.append(Problem("--fill", key, f"is none of {', '.join((*FILLS, 'fx'))}"))
    if problems:
        raise ParameterError(problems)


def prepare(request: Request, con: Connection) -> Draft:
    """Look at the files and guess.

    Args:
        request: What is asked for.
        con: An engine, which holds the rows.

    Raises:
        InputError: If a file cannot be read, or a column that the user named is not there.
    """
    project = project_of(request.target)
    cases = look_at(con, request.cases, project=project, name="new_cases", option="--cases")
    given = _named(request, cases)
    guesses = guess_columns(cases, given, request.arms)
    _refuse_strange_arms(request, guesses)
    joins: list[JoinGuess] = []
    if request.time or request.traces:
        keys = _keys(con, cases, guesses)
        if request.time:
            table = look_at(con, request.time, project=project, name="new_time", option="--time")
            joins.append(guess_time(table, keys, wants_worker="worker" not in guesses.columns))
            guesses = _without_time(guesses, joins, given)
        if request.traces:
            table = look_at(con, request.traces, project=project, name="new_traces", option="--traces")
            joins.append(guess_traces(table, keys))
    return Draft(
        pilot=request.pilot,
        title=request.title or request.pilot.replace("_", " ").capitalize(),
        currency=request.currency,
        cases=cases,
        guesses=guesses,
        joins=joins,
        given=dict(request.fills),
        timezone=request.timezone,
    )


def _named(request: Request, cases: Table) -> dict[str, Column]:
    problems: list[Problem] = []
    found: dict[str, Column] = {}
    for ours, theirs in request.columns.items():
        if theirs in cases.by_name:
            found[ours] = cases.by_name[theirs]
            continue
        meant = nearest(theirs, list(cases.by_name))
        listed = ", ".join(list(cases.by_name)[:10])
        hint = f"did you mean '{meant}'?" if meant else f"it has {listed}"
        problems.append(Problem("--set", ours, f"{cases.label} has no column of that name; {hint}"))
    if problems:
        raise ParameterError(problems)
    return found


def _refuse_strange_arms(request: Request, guesses: Guesses) -> None:
    arm = guesses.columns.get("arm")
    there = set(arm.sources[0].values) if arm is not None and arm.sources else set()
    strange = [v for v in request.arms if v not in there]
    if strange and arm is not None:
        name = arm.sources[0].name.text
        message = f"is no value of '{name}', which is taken for the arm; name another column with --set arm=…"
        raise ParameterError([Problem("--arm", v, message) for v in strange])
    if strange:
        raise ParameterError(
            [Problem("--arm", v, "is a value of no column that can be the arm") for v in strange]
        )


def _keys(con: Connection, cases: Table, guesses: Guesses) -> frozenset[str]:
    key = guesses.columns.get("case_id")
    if key is None or len(key.sources) != 1:
        return frozenset()
    at = key.sources[0].at
    rows = con.execute(
        f"select distinct {at} from {cases.name} where {at} is not null order by 1 limit {_MOST_KEYS}"
    ).fetchall()
    return frozenset(str(row[0]) for row in rows)


def _without_time(guesses: Guesses, joins: Sequence[JoinGuess], given: Mapping[str, Column]) -> Guesses:
    """The cases' own minutes give way to the time tracker's where they are doubtful; else both are told of."""
    columns = dict(guesses.columns)
    for name in {n for join in joins for n in join.columns if n in MINUTE_COLUMNS}:
        own = columns.get(name)
        if own is None:
            continue
        if name in given or own.sure:
            doubt = (
                "these stand, and the time tracker's fill only blanks; delete this line to take those instead"
            )
            columns[name] = own.but(doubt)
        else:
            del columns[name]
    return replace(guesses, columns=columns)


def tried(draft: Draft, request: Request) -> Draft:
    """The draft after its own file was read and its samples opened: what cannot be read is left out and said.

    Args:
        draft: As guessed.
        request: What is asked for.

    Raises:
        ParameterError: If a value that the user gave is refused.
    """
    for _ in range(_ROUNDS):
        raw = _filled(draft)
        if raw is None:
            return draft
        loaded = _loaded(raw, request)
        problems = _opened(loaded)
        changed = _mended(draft, problems)
        if changed is draft:
            break
        draft = changed
    return draft


def _filled(draft: Draft) -> dict[str, Any] | None:
    """The file's value with something in every place that is to be filled; None where that cannot be."""
    raw = _read(write_file(draft)).value
    cases = raw["samples"]["cases"]
    columns = cases["columns"]
    if columns.get("case_id") is None:
        return None
    if columns.get("arm") is None:
        columns["arm"] = {"value": "pilot"}
    elif isinstance(columns["arm"], dict) and "values" in columns["arm"]:
        values = columns["arm"]["values"]
        unknown = [v for v, ours in values.items() if ours is None]
        for i, value in enumerate(unknown):
            values[value] = ("baseline", "pilot")[i % 2]
    cases["join"] = [j for j in cases.get("join", []) if j["on"].get("case_id") and j.get("take")]
    raw["demand"] = {k: v for k, v in (raw.get("demand") or {}).items() if v is not None}
    economics = {k: v for k, v in (raw.get("economics") or {}).items() if v is not None}
    if economics.get("fx"):
        economics["fx"] = {k: v for k, v in economics["fx"].items() if v is not None}
    raw["economics"] = economics
    return raw  # type: ignore[no-any-return]


def _read(text: str) -> Document:
    handle, name = tempfile.mkstemp(suffix=".yaml")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        return read_yaml(Path(name), name="the new file")
    finally:
        os.unlink(name)


def _loaded(raw: Mapping[str, Any], request: Request) -> LoadedParameters:
    from pydantic import ValidationError

    from roi.schema.errors import problems_of

    name = request.target.as_posix()
    try:
        parameters = Parameters.model_validate(raw)
    except ValidationError as error:
        raise ParameterError(problems_of(error, Parameters, Document(raw), file=name)) from None
    return LoadedParameters(
        parameters=parameters,
        policy=Policy(),
        path=request.target.absolute(),
        project=project_of(request.target),
        name=name,
        params_sha256="",
        policy_sha256="",
    )


def _opened(loaded: LoadedParameters) -> Sequence[Problem]:
    from roi.samples import open_samples

    try:
        samples = open_samples(loaded)
    except SampleError as error:
        return error.problems
    with contextlib.suppress(Exception):
        samples.con.close()
    return ()


def _mended(draft: Draft, problems: Sequence[Problem]) -> Draft:
    """The draft without the columns that cannot be read, and with a doubt at those that it needs."""
    columns = dict(draft.guesses.columns)
    left_out = dict(draft.left_out)
    notes = list(draft.notes)
    for problem in problems:
        guess: Guess | None = columns.get(problem.place)
        if guess is not None and problem.place not in _REQUIRED:
            left_out[problem.place] = (guess, f"because {problem.message}")
            del columns[problem.place]
        elif guess is not None:
            columns[problem.place] = guess.but(problem.message)
        else:
            where = f"{problem.place}: " if problem.place else ""
            note = f"CHECK: {problem.file}: {where}{problem.message}"
            if note not in notes:
                notes.append(note)
    guesses = replace(draft.guesses, columns=columns)
    if guesses == draft.guesses and notes == list(draft.notes):
        return draft
    return replace(draft, guesses=guesses, left_out=left_out, notes=notes)


def save(draft: Draft, request: Request) -> Path:
    """Write the parameter file, whole or not at all.

    Raises:
        ParameterError: If it appeared meanwhile and may not be replaced.
        InputError: If the folder cannot be written to.
    """
    target = request.target
    text = write_file(draft)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{request.pilot}.", suffix=".tmp")
    except OSError as error:
        raise InputError(
            [Problem(target.as_posix(), "", f"cannot be written ({type(error).__name__})")]
        ) from None
    made = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        made.chmod(0o644)
        if request.force:
            made.replace(target)
        else:
            os.link(made, target)  # fails where the file exists, unlike a renaming
    except FileExistsError:
        message = "exists already and is not overwritten; choose another name, or add --force"
        raise ParameterError([Problem(target.as_posix(), "", message)]) from None
    except OSError as error:
        raise InputError(
            [Problem(target.as_posix(), "", f"cannot be written ({type(error).__name__})")]
        ) from None
    finally:
        made.unlink(missing_ok=True)
    return target
