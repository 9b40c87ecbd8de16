"""Parameter files and the policy: read strictly, checked whole, every problem at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from roi.problems import ParameterError, Problem
from roi.scalars import describe, shorten
from roi.schema.base import nearest
from roi.schema.checked import check_policy, check_values
from roi.schema.errors import problem_at, problems_of
from roi.schema.injected import lay_overrides, sha256_of
from roi.schema.model import NOT_USED_YET, TOP_LEVEL_KEYS, Parameters, not_used_yet
from roi.schema.policy import Policy
from roi.schema.register import RegisterEntry, register
from roi.schema.remarks import remarks
from roi.schema.tighten import merge_policy
from roi.strict_yaml import Document, dotted, read_yaml

__all__ = [
    "NOT_USED_YET",
    "TOP_LEVEL_KEYS",
    "LoadedParameters",
    "Parameters",
    "Policy",
    "RegisterEntry",
    "find_parameter_files",
    "json_schema",
    "load_parameters",
    "load_samples_only",
    "problems_at",
    "project_of",
    "read_policy",
    "register",
    "resolve_paths",
]

_POLICY_FILE = "_policy.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedParameters:
    """A pilot's checked parameters and the policy that holds for it.

    Attributes:
        parameters: Defaults filled in.
        policy: The portfolio's policy with the pilot's tightening and the exceptions that apply.
        path: The parameter file.
        project: The folder that paths in it are relative to.
        name: The file relative to the project folder, as messages call it.
        params_sha256: Of the file's bytes, and of the overrides where there are any.
        policy_sha256: Of the policy file's bytes; of the defaults where there is none.
        overrides: Top-level keys that a notebook replaced.
        warnings: What a reader should know, a sentence each.
        base_policy: The portfolio's policy by itself.
        scenarios: By name, the parameters as each scenario of the file changes them.
        given: What replaced these keys, as it was given.
        looks_counted: Looks at the pilot's data that a ledger counts; None where none was asked.
        raw: What was checked: the file's value with what replaced parts of it.
    """

    parameters: Parameters
    policy: Policy
    path: Path
    project: Path
    name: str
    params_sha256: str
    policy_sha256: str
    overrides: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    base_policy: Policy = field(default_factory=Policy)
    scenarios: Mapping[str, Parameters] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    looks_counted: int | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def looks(self) -> int:
        """Looks that the decision is held to: as stated, or more where the ledger counts more; 60 at most."""
        return min(max(self.parameters.run.looks, self.looks_counted or 0), 60)

    def policy_at(self, day: date) -> Policy:
        """The policy on a day: exceptions that have expired by then no longer apply.

        Raises:
            ParameterError: If the pilot is looser than the policy without an exception on that day.
        """
        policy, _, parts = merge_policy(self.base_policy, self.parameters, day)
        if parts:
            raise ParameterError(Problem(self.name, dotted(path), message) for path, message in parts)
        return policy

    def on(self, day: date) -> LoadedParameters:
        """The same with the policy of a day, and a warning for each exception that has expired by then.

        Raises:
            ParameterError: As `policy_at` does.
        """
        policy = self.policy_at(day)
        _, expired, _ = merge_policy(self.base_policy, self.parameters, day)
        return replace(self, policy=policy, warnings=tuple(dict.fromkeys([*self.warnings, *expired])))


def load_parameters(pilot: str | Path, *, overrides: Mapping[str, object] | None = None) -> LoadedParameters:
    """Read and check a pilot's parameter file together with the policy file beside it.

    Args:
        pilot: A name (the nearest ``params/<name>.yaml`` at or above the working directory) or a file's path.
        overrides: Top-level keys from a notebook; None means "as in the file". A group that equals
            Papermill's own reading of the file means the file too; any other replaces the file's whole group.

    Raises:
        ParameterError: With every problem of the file, the overrides and the policy.
    """
    path = _find(pilot)
    project = project_of(path)
    name = _relative(path, project)
    document = read_yaml(path, name=name)
    raw, document, used = lay_overrides(document, overrides or {}, path, name)
    problems = list(document.problems)
    parameters: Parameters | None = None
    scenarios: dict[str, Parameters] = {}
    if document.value is not None and not isinstance(document.value, dict):
        problems.append(
            Problem(name, "", f"holds {describe(document.value)} where keys such as 'pilot:' are wanted")
        )
    elif document.value is not None or used:
        parameters, scenarios, problems = check_values(
            raw, document, name, also=_name_problems(raw, document, path, name)
        )
    policy_path = path.parent / _POLICY_FILE
    policy_name = _relative(policy_path, project)
    base, policy_sha256, warnings = _read_policy(policy_path, policy_name, problems)
    policy = base
    if parameters is not None and base is not None:
        policy, expired, wrong = check_policy(base, parameters, parameters.run.as_of, document, name)
        warnings += expired
        problems += wrong
    if problems:
        raise ParameterError(_with_origin(problem, used) for problem in problems)
    if parameters is None or policy is None or base is None:
        raise ParameterError([Problem(name, "", "is empty; `roi new` writes a commented file to begin from")])
    return LoadedParameters(
        parameters=parameters,
        policy=policy,
        path=path,
        project=project,
        name=name,
        params_sha256=sha256_of(path, used, raw),
        policy_sha256=policy_sha256,
        overrides=used,
        warnings=(*remarks(parameters), *not_used_yet(raw), *warnings),
        base_policy=base,
        scenarios=scenarios,
        given={key: raw[key] for key in used},
        raw=raw,
    )


def problems_at(loaded: LoadedParameters, raw: Mapping[str, Any], day: date | None) -> list[Problem]:
    """What `load_parameters` would find wrong with a file beside this one, and `roi decide` with it on a day.

    Args:
        loaded: The pilot as it was read.
        raw: Its `raw` with other values.
        day: The day of the decision, if known.

    Returns:
        The problems; none where the values are allowed.
    """
    nowhere = Document(None)
    parameters, _, problems = check_values(raw, nowhere, loaded.name)
    if parameters is not None:
        for at in dict.fromkeys((parameters.run.as_of, parameters.run.as_of or day)):
            wrong = check_policy(loaded.base_policy, parameters, at, nowhere, loaded.name)[2]
            problems += [problem for problem in wrong if problem not in problems]
    return problems


def load_samples_only(path: Path, problems: Sequence[Problem]) -> LoadedParameters | None:
    """What is left of a parameter file without its broken groups, so that its samples can be checked all the same.

    Nothing may be computed from it: defaults stand where groups are broken.

    Args:
        path: The parameter file.
        problems: What `load_parameters` found wrong.

    Returns:
        None where the samples themselves, or what their reading rests on, are broken.
    """
    project = project_of(path)
    name = _relative(path, project)
    document = read_yaml(path, name=name)
    broken = {
        re.split(r"[.\[]", problem.place, maxsplit=1)[0] for problem in problems if problem.file == name
    }
    if not isinstance(document.value, dict) or broken & {"", "samples"}:
        return None
    raw = {key: value for key, value in document.value.items() if key not in broken}
    try:
        # The name matters to pseudonyms only, which nobody will see.
        parameters = Parameters.model_validate({**raw, "pilot": raw.get("pilot", "unnamed")})
    except ValidationError:
        return None
    base, policy_sha256, _ = _read_policy(path.parent / _POLICY_FILE, "", [])
    base = base or Policy()
    return LoadedParameters(
        parameters=parameters,
        policy=base,
        path=path,
        project=project,
        name=name,
        params_sha256="",
        policy_sha256=policy_sha256,
        base_policy=base,
    )


def find_parameter_files(paths: Sequence[str | Path]) -> list[Path]:
    """The parameter files in folders and among files; those whose name begins with ``_`` are not pilots.

    Args:
        paths: Files, folders, or names of pilots.

    Returns:
        The files, each once, those of one folder in the order of their names.

    Raises:
        ParameterError: If a path does not exist or nothing is found.
    """
    found: list[Path] = []
    problems: list[Problem] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            inside = sorted(p for p in path.glob("*.yaml") if p.is_file() and not p.name.startswith("_"))
            if not inside:
                problems.append(Problem(str(given), "", "holds no parameter file (*.yaml)"))
            found += inside
        else:
            try:
                found.append(_find(given))
            except ParameterError as error:
                problems += error.problems
    if problems or not found:
        raise ParameterError(problems or [Problem("params", "", "no parameter file was named")])
    return list({path.resolve(): path for path in found}.values())


def resolve_paths(loaded: LoadedParameters, written: str) -> tuple[Path, ...]:
    """The files that a path or glob of the parameter file means.

    Args:
        loaded: Whose paths are relative to.
        written: As the file writes it.

    Returns:
        From the first folder that holds any, of: the project folder, the parameter file's folder and those
        above it, the working directory and those above it; sorted, empty where none does.
    """
    if "\0" in written:
        return ()
    path = Path(written)
    is_glob = any(sign in written for sign in "*?[")
    if path.is_absolute():
        if path.exists() or not is_glob:
            return (path,) if path.exists() else ()
        return tuple(sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor)))))
    here = Path.cwd()
    above = loaded.path.resolve().parent
    for folder in dict.fromkeys([loaded.project, above, *above.parents, here, *here.parents]):
        try:
            if (folder / path).exists():
                return (folder / path,)
            if is_glob and (hits := sorted(hit for hit in folder.glob(written) if hit.is_file())):
                return tuple(hits)
        except (OSError, ValueError, NotImplementedError):
            continue
    return ()


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the parameter file, for editors."""
    from roi.schema.reference import parameter_schema

    return parameter_schema()


def _find(pilot: str | Path) -> Path:
    text = str(pilot)
    if isinstance(pilot, Path) or "/" in text or "\\" in text or text.endswith((".yaml", ".yml")):
        path = Path(pilot)
        if "\0" in text or not path.is_file():
            kind = (
                "is a folder, not a parameter file"
                if "\0" not in text and path.is_dir()
                else "does not exist"
            )
            raise ParameterError([Problem(shorten(text, 200), "", kind)])
        return path
    if not re.fullmatch(r"[a-z0-9_]{1,80}", text):
        raise ParameterError(
            [
                Problem(
                    shorten(text),
                    "pilot",
                    "is not the name of a pilot; write a name of a-z, 0-9 and _, or a path",
                )
            ]
        )
    here = Path.cwd()
    for folder in (here, *here.parents):
        path = folder / "params" / f"{text}.yaml"
        if path.is_file():
            return path
    known = sorted(p.stem for p in (here / "params").glob("*.yaml") if not p.name.startswith("_"))
    meant = nearest(text, known) if known else None
    hint = f"; did you mean '{meant}'?" if meant else " (looked in params/ here and in the folders above)"
    raise ParameterError([Problem(f"params/{text}.yaml", "", f"does not exist{hint}")])


def project_of(path: Path) -> Path:
    """The folder to which the paths in a parameter file are relative."""
    folder = path.resolve().parent
    for above in (folder, *folder.parents):
        if (above / "params").is_dir() or (above / "pyproject.toml").is_file():
            return above
    return folder.parent


def _relative(path: Path, project: Path) -> str:
    resolved = path.resolve()
    return resolved.relative_to(project).as_posix() if resolved.is_relative_to(project) else resolved.name


def _with_origin(problem: Problem, used: tuple[str, ...]) -> Problem:
    """A problem that says so where the value came from a notebook rather than from the file."""
    if re.split(r"[.\[]", problem.place, maxsplit=1)[0] not in used:
        return problem
    return replace(problem, message=f"{problem.message} (as given in place of the file's)")


def _name_problems(raw: Mapping[str, Any], document: Document, path: Path, name: str) -> list[Problem]:
    pilot = raw.get("pilot")
    if isinstance(pilot, str) and re.fullmatch(r"[a-z0-9_]{1,80}", pilot) and pilot != path.stem:
        message = f"'{pilot}' is not the file's own name; write '{shorten(path.stem)}' or rename the file"
        return [problem_at(name, ("pilot",), message, document)]
    return []


def read_policy(path: Path) -> Policy:
    """The portfolio's policy; the package's own where there is no file.

    Raises:
        ParameterError: With every problem of the file.
    """
    problems: list[Problem] = []
    policy, _, _ = _read_policy(path, _relative(path, project_of(path)), problems)
    if policy is None or problems:
        raise ParameterError(problems)
    return policy


def _read_policy(path: Path, name: str, problems: list[Problem]) -> tuple[Policy | None, str, list[str]]:
    if not path.exists():
        policy = Policy()
        digest = hashlib.sha256(policy.as_json().encode()).hexdigest()
        return policy, digest, [f"{name} does not exist; the package's default policy applies"]
    document = read_yaml(path, name=name)
    problems += document.problems
    if not isinstance(document.value, dict):
        if not document.problems:
            problems.append(Problem(name, "", f"holds {describe(document.value)} where keys are wanted"))
        return None, "", []
    try:
        policy = Policy.model_validate(document.value)
    except ValidationError as error:
        problems += problems_of(error, Policy, document, file=name)
        return None, "", []
    warnings = not_used_yet(document.value, prefix="policy.")
    return policy, hashlib.sha256(path.read_bytes()).hexdigest(), warnings
