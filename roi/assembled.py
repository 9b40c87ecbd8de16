"""A portfolio from the disk: the reports of its pilots, or their parameter files, decided together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from roi.archive import MOMENTS, read_archive
from roi.candidates import Candidate, candidate_of, candidate_of_record
from roi.forecast_scores import forecasts_of
from roi.ledger import LEDGER, read_ledger, record_sha256
from roi.operating import months_of, operating_of
from roi.parameters import find_parameter_files
from roi.pilot import open_pilot
from roi.portfolio import portfolio_of
from roi.problems import InputError, Problem
from roi.records import read_record
from roi.schema.portfolio import PORTFOLIO_FILE, Portfolio, read_portfolio

__all__ = ["PORTFOLIO", "OpenedPortfolio", "in_reports", "open_portfolio", "plan_of", "portfolio_text"]

PORTFOLIO = "portfolio.json"


@dataclass(frozen=True)
class OpenedPortfolio:
    """All pilots together.

    Attributes:
        candidates: The pilots, for whoever wants to take it apart.
        plan: What there is to give.
        ledger: Entries of the ledger; empty where parameter files were named.
        reports: The folder of all reports, whose archives hold what was forecast.
        files: Parameter files of the pilots, which name what became of them.
    """

    candidates: tuple[Candidate, ...]
    plan: Portfolio
    ledger: Sequence[Mapping[str, Any]]
    reports: Path = Path("reports")
    files: tuple[Path, ...] = ()

    @cached_property
    def found(self) -> dict[str, Any]:
        """Everything that is said of them together; what portfolio.json holds."""
        together = portfolio_of(self.candidates, self.plan, ledger=self.ledger)
        return {**together, "forecasts": forecasts_of(self.reports, self.files)}

    def json(self) -> str:
        """The same as one line of JSON; the same inputs give the same bytes."""
        return json.dumps(self.found, ensure_ascii=False, allow_nan=False, sort_keys=True)


def in_reports(out: Path) -> tuple[Candidate, ...]:
    """The pilots whose reports lie in a folder: from their archives, else from their records alone.

    Args:
        out: The folder of all reports.
    """
    found = []
    for folder in sorted(p for p in out.iterdir() if p.is_dir() and not p.name.startswith(".")):
        if not (folder / "decision.json").is_file():
            continue
        try:
            record = read_record(folder)
        except InputError:
            continue  # the page of all pilots says what is wrong with it
        now, months = operating_of(folder, record), months_of(folder, record)
        found.append(replace(_candidate(folder, record), operating=now, months=months))
    return tuple(found)


def _candidate(folder: Path, record: Mapping[str, Any]) -> Candidate:
    try:
        archive = read_archive(folder / MOMENTS)
        if archive.content["record"] == record_sha256(record):
            return candidate_of(archive.analysis(), record)
    except InputError:
        pass  # withheld, gone or of another version: the record itself still says something, and the note says so
    return candidate_of_record(record)


def open_portfolio(
    given: str | Path | Sequence[str | Path] = "reports", *, plan: str | Path | None = None
) -> OpenedPortfolio:
    """Open a portfolio: a folder of reports, or parameter files and folders of them, which are decided now.

    Args:
        given: The folder of all reports, a folder of parameter files, or several of these or names of pilots.
        plan: What there is to give; by default `_portfolio.yaml` beside the parameter files, or in `params/` of the
            project.

    Raises:
        InputError: With everything that is wrong with the inputs.
    """
    names = [given] if isinstance(given, str | Path) else list(given)
    if len(names) == 1 and Path(names[0]).is_dir() and not list(Path(names[0]).glob("*.yaml")):
        out = Path(names[0])
        candidates = in_reports(out)
        if not candidates:
            message = "holds neither parameter files nor reports; run `roi batch params/` first"
            raise InputError([Problem(str(out), "", message)])
        place = _plan_near(Path.cwd(), out) if plan is None else Path(plan)
        own = _files_of(candidates, [place.parent])
        return OpenedPortfolio(candidates, read_portfolio(place), read_ledger(out / LEDGER), out, own)
    files = find_parameter_files(names)
    problems: list[Problem] = []
    decided, project = [], Path()
    for file in files:
        try:
            pilot = open_pilot(file)
            decision, project = pilot.decision, pilot.loaded.project
            decided.append(candidate_of(decision.analysis, decision.record))
        except InputError as error:
            problems += error.problems
    place = files[0].parent / PORTFOLIO_FILE if plan is None else Path(plan)
    try:
        stated = read_portfolio(place)
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(problems)
    return OpenedPortfolio(tuple(decided), stated, (), project / "reports", tuple(files))


def _files_of(candidates: Sequence[Candidate], folders: Iterable[Path]) -> tuple[Path, ...]:
    """The parameter files of pilots that have a report, where they lie in one of some folders."""
    places = list(dict.fromkeys(folders))
    tried = (next((p for f in places if (p := f / f"{c.pilot}.yaml").is_file()), None) for c in candidates)
    return tuple(path for path in tried if path is not None)


def _plan_near(*places: Path) -> Path:
    """`params/_portfolio.yaml` at or above some folders."""
    tried = [f / "params" / PORTFOLIO_FILE for p in places for f in (p.resolve(), *p.resolve().parents)]
    return next((path for path in tried if path.is_file()), tried[0])


def plan_of(out: Path) -> tuple[Portfolio, tuple[Path, ...]]:
    """What there is to give to the pilots of a folder of reports, and their parameter files.

    Args:
        out: The folder of all reports.

    Raises:
        InputError: If what there is to give must be mended.
    """
    place = _plan_near(Path.cwd(), out)
    names = sorted(p.name for p in out.iterdir() if p.is_dir() and not p.name.startswith("."))
    own = (place.parent / f"{name}.yaml" for name in names)
    return read_portfolio(place), tuple(path for path in own if path.is_file())


def portfolio_text(out: Path, plan: Portfolio, files: Sequence[Path] = ()) -> str | None:
    """What `portfolio.json` of a folder of reports holds.

    Args:
        out: The folder of all reports.
        plan: What there is to give.
        files: Parameter files of the run; those of other pilots are looked for beside them.

    Returns:
        The text; None where no pilot's archive is there.
    """
    candidates = in_reports(out)
    if all(c.sharing is None for c in candidates):
        return None
    own = _files_of(candidates, [file.parent for file in files])
    return OpenedPortfolio(candidates, plan, read_ledger(out / LEDGER), out, own).json() + "\n"
