"""A batch: check every parameter file, run the pilots a few at a time, publish what is whole."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from roi.batch.listing import MOMENTS, list_all
from roi.batch.outcome import BatchResult, Outcome
from roi.batch.outputs import (
    alone,
    keep_partial,
    make_ready,
    publish,
    read_record,
    remove_unused,
    settle,
    staging,
)  # fmt: skip
from roi.batch.progress import Progress
from roi.batch.remote import carried
from roi.batch.resume import INPUTS, inputs_of, note_of, why_again
from roi.batch.warm import CannotForkError, warm_server
from roi.batch.worker import Job, Report
from roi.batch.workers import STARTING, Workers, run_watched, stoppable
from roi.ledger import LEDGER, issue, read_ledger, refuse_newer
from roi.made_with import TAKEN
from roi.problems import InputError, Problem
from roi.records import refuse_newer_record
from roi.report.facts import headline_alone
from roi.report.page import write_whole
from roi.report.painting import painting

if TYPE_CHECKING:
    from rich.console import Console

    from roi.schema.portfolio import Portfolio

__all__ = ["BatchResult", "Outcome", "run_batch"]

# 2_decide first: it makes the record, which the pages of the others speak of.
NOTEBOOKS = ("2_decide", "1_audit", "3_fix", "4_controls", "5_prove_roi", "6_operate")


@dataclass(frozen=True, slots=True)
class _Checked:
    """A parameter file that can be run: pilot, file relative to the project, project."""

    pilot: str
    name: str
    project: Path


def _check(path: Path) -> _Checked:
    from roi.parameters import load_parameters

    loaded = load_parameters(path)
    return _Checked(path.stem, loaded.name, loaded.project)


def run_batch(
    files: Sequence[str | Path],
    out: str | Path,
    *,
    jobs: int | None = None,
    notebooks: Sequence[str] = NOTEBOOKS,
    parameters: Mapping[str, Any] | None = None,
    timeout: float = 600.0,
    memory: int | None = None,
    force: bool = False,
    pdf: bool = False,
    console: Console | None = None,
    check: Callable[[Path], Any] = _check,
    executor: Executor | None = None,
    published: Callable[[str], None] = lambda _: None,
) -> BatchResult:
    """Run the notebooks of many pilots, each in a process of its own, and list them on one page.

    Args:
        files: Parameter files.
        out: Folder of the reports; `out/<pilot>/` appears whole or not at all.
        jobs: Pilots at a time; as many as there are cores unless given.
        notebooks: Names of the notebooks, in order.
        parameters: Further parameters for every notebook, beside `pilot`.
        timeout: Seconds that a notebook may take, and any one cell of it.
        memory: Bytes of memory of its own that a notebook may take; None for no limit.
        force: Run also what has been run with the same inputs.
        pdf: Write all pages as PDF, too; a report that is kept gets those that it has not.
        console: Where progress is shown; standard error unless given.
        check: Reads a parameter file; returns its pilot, name and project, raises InputError.
        executor: Runs the pilots elsewhere, where they find the project at the same place; here unless given.
        published: Is told of each pilot as soon as what came of it lies in `out`.

    Returns:
        How each pilot ended, in the order of `files`.

    Raises:
        InputError: If the chain of the ledger is broken, the portfolio's file needs mending or `out` cannot be
            written; nothing has been run or written then. A pilot whose record a newer version wrote is one whose
            inputs need mending.
    """
    folder = Path(out).resolve()
    ledger = folder / LEDGER
    entries = read_ledger(ledger)
    is_new = not folder.exists()
    if executor is None and (is_new or force):  # else it may be that nothing is to be run
        _import_meanwhile()
    plan = _plan([Path(file) for file in files])
    paths = [Path(file) for file in files]

    def check_all(path: Path) -> Any:
        found = check(path)
        refuse_newer(entries, ledger, found.pilot)
        refuse_newer_record(folder / found.pilot)
        return found

    ready, outcomes = _checked(paths, check_all)
    order = [path.stem for path in paths]
    faults: list[str] = []
    with Progress(list(dict.fromkeys(order)), console, parts=len(notebooks)) as progress:
        for outcome in outcomes.values():
            progress.end(outcome.pilot, "inputs", outcome.why)
        if ready:
            make_ready(folder)
            files_of = {path.stem: path for path in paths}
            batch = Batch(
                out=folder,
                notebooks=tuple(notebooks),
                parameters=parameters or {},
                timeout=timeout,
                memory=memory,
                force=force,
                pdf=pdf,
                progress=progress,
                run_one=run_watched if executor is None else carried(executor, folder),
                published=published,
            )
            with stoppable():
                batch.run([(files_of[found.pilot], found) for found in ready], jobs or cores(), outcomes)
        if any(outcome.state not in ("inputs", "stopped") for outcome in outcomes.values()):
            faults = list_all(folder, plan, paths, {name: outcome.why for name, outcome in outcomes.items()})
        elif is_new:
            remove_unused(folder)
    for fault in faults:  # below the table of all pilots, which may be longer than a screen
        progress.note(fault)
    if stopped := [outcome for outcome in outcomes.values() if outcome.state == "stopped"]:
        whole = len(outcomes) - len(stopped)
        progress.note(
            f"Stopped: {whole} of {len(outcomes)} pilots are through and whole. The same command goes on with the "
            f"other {len(stopped)}, and runs nothing again."
        )
    return BatchResult(tuple(outcomes[name] for name in dict.fromkeys(order)), tuple(faults))


def _import_meanwhile() -> None:
    """Let the server that all is forked from begin; where nothing can be forked, who needs it says so."""
    with suppress(CannotForkError):
        warm_server()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _checked(paths: Iterable[Path], check: Callable[[Path], Any]) -> tuple[list[Any], dict[str, Outcome]]:
    ready: dict[str, Any] = {}
    failed: dict[str, Outcome] = {}
    for path in paths:
        try:
            found = check(path)
            if found.pilot in ready:
                raise InputError(
                    [Problem(str(path), "pilot", f"{ready[found.pilot].name} has the same name")]
                )
            ready[found.pilot] = found
        except InputError as error:
            failed[path.stem] = Outcome(pilot=path.stem, state="inputs", why=str(error))
    return [found for name, found in ready.items() if name not in failed], failed


def _find_notebook(name: str, project: Path) -> Path:
    """The project's own notebook, or else the one that comes with the package."""
    import roi

    package = Path(roi.__file__).resolve().parent
    places = (project / "notebooks", package / "notebooks", package.parent / "notebooks")
    for place in places:
        if (place / f"{name}.ipynb").is_file():
            return place / f"{name}.ipynb"
    raise InputError(
        [Problem("notebooks", name, f"{name}.ipynb is neither in the project nor in the package")]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What the pilots of a batch have in common.

    Attributes:
        out: Folder of the reports.
        notebooks: Their names, in order.
        parameters: Further parameters of each.
        timeout: Seconds that a notebook may take.
        memory: Bytes of memory of its own that one may take.
        force: Run also what has been run with the same inputs.
        pdf: Write all pages as PDF, too.
        progress: Where it is shown.
        run_one: Runs a job and waits for it, as `run_watched` does.
        published: Is told of each pilot whose files have changed.
    """

    out: Path
    notebooks: tuple[str, ...]
    parameters: Mapping[str, Any]
    timeout: float
    memory: int | None
    force: bool
    pdf: bool
    progress: Progress
    run_one: Callable[[Job, Callable[[str, str], None], Event], Report]
    published: Callable[[str], None]

    def run(self, pilots: Sequence[tuple[Path, Any]], jobs: int, outcomes: dict[str, Outcome]) -> None:
        """Run pilots, some at a time.

        Args:
            pilots: Parameter files, and what the check of each has found.
            jobs: Pilots at a time.
            outcomes: Where the outcome of each is put as it ends.
        """
        plans: list[tuple[Path, Job, Mapping[str, Any] | None]] = []
        entries = read_ledger(self.out / LEDGER)
        for path, found in pilots:
            job = self.job(found)
            inputs = inputs_of(path, found.project, job.notebooks, job.parameters, entries)
            try:
                kept = self.kept(job, inputs, entries)
            except Exception as error:  # a PDF that could not be written, say
                kept = _failed(job.pilot, error)
            if kept is not None:
                self.progress.end(
                    job.pilot, kept.state, kept.why or "nothing that it is made from has changed"
                )
                outcomes[job.pilot] = kept
            else:
                plans.append((path, job, inputs))
        if not plans:
            return
        here = min(jobs, len(plans)) if self.run_one is run_watched else 0
        if here:
            _import_meanwhile()
        with painting(min(here, cores())):
            self.run_all(plans, jobs, outcomes)

    def run_all(
        self,
        plans: Sequence[tuple[Path, Job, Mapping[str, Any] | None]],
        jobs: int,
        outcomes: dict[str, Outcome],
    ) -> None:
        """Run what is to be run, some at a time."""
        workers = Workers(jobs)
        futures: dict[Future[Outcome], str] = {}
        try:
            for path, job, inputs in plans:
                futures[workers.submit(self.one, path, job, inputs, workers.stopped)] = job.pilot
            for future in as_completed(futures):
                outcomes[futures[future]] = future.result()
        except KeyboardInterrupt:
            self.progress.note("Stopping: what runs is ended, what is done stays.")
            workers.stop()
            for future, pilot in futures.items():
                outcomes[pilot] = (
                    Outcome(pilot=pilot, state="stopped") if future.cancelled() else future.result()
                )
        finally:
            workers.stop()

    def job(self, found: Any) -> Job:
        """What a worker is asked to do for a pilot, but for the folder in which it works."""
        return Job(
            pilot=found.pilot,
            parameters={**self.parameters, "pilot": found.name},
            project=found.project,
            notebooks=tuple(_find_notebook(name, found.project) for name in self.notebooks),
            folder=self.out,
            timeout=self.timeout,
            memory=self.memory,
            before=self.out / found.pilot,
            ledger=self.out / LEDGER,
            pdf=self.pdf,
            anew=self.force,
        )

    def kept(
        self, job: Job, inputs: Mapping[str, Any] | None, entries: Sequence[Mapping[str, Any]]
    ) -> Outcome | None:
        """The outcome of a pilot whose report is there already, made from the same; None if it is to be run."""
        place = self.out / job.pilot
        if self.force or why_again(place, inputs, entries):
            return None
        if self.pdf:
            from roi.report.pdf import write_pdfs

            write_pdfs(place, missing=True)
        return Outcome(pilot=job.pilot, state="kept", record=read_record(place) or {})

    def one(self, path: Path, job: Job, inputs: Mapping[str, Any] | None, stopped: Event) -> Outcome:
        """Run one pilot and publish what came of it; never raises, since others run beside it."""
        began = time.monotonic()
        try:
            if stopped.is_set():
                return Outcome(pilot=job.pilot, state="stopped")
            # Another batch into this folder may have made it since.
            if (kept := self.kept(job, inputs, read_ledger(self.out / LEDGER))) is not None:
                self.progress.end(job.pilot, kept.state, "another batch has made it meanwhile")
                return kept
            with staging(self.out, job.pilot) as folder:
                job = replace(job, folder=folder)
                report = self.run_one(job, self.tell, stopped)
                outcome = self.finish(job, report, inputs, time.monotonic() - began)
            self.published(job.pilot)
        except Exception as error:
            outcome = _failed(job.pilot, error, time.monotonic() - began)
        says = outcome.why
        if outcome.record is not None:
            says = f"{str(outcome.record.get('verdict')).upper()}: {headline_alone(outcome.record)}"
        self.progress.end(outcome.pilot, outcome.state, says)
        return outcome

    def tell(self, pilot: str, what: str) -> None:
        """Show what a pilot is at."""
        if what == STARTING:
            self.progress.start(pilot)
        else:
            self.progress.doing(pilot, what)

    def finish(self, job: Job, report: Report, inputs: Mapping[str, Any] | None, seconds: float) -> Outcome:
        """Enter a record in the ledger, then publish its report: none lies there that the ledger does not know."""
        for note in report.notes:
            self.progress.note(f"{job.pilot}: {note}")
        if report.stopped:
            return Outcome(pilot=job.pilot, state="stopped", seconds=seconds)
        if not report.ok:
            state = "inputs" if report.is_input else "failed"
            outcome = Outcome(pilot=job.pilot, state=state, why=report.why, seconds=seconds)
        else:
            outcome = Outcome(pilot=job.pilot, state="done", record=read_record(job.folder), seconds=seconds)
            if inputs is not None:
                write_whole(job.folder / INPUTS, note_of(inputs, job.folder))
            (job.folder / TAKEN).unlink(missing_ok=True)  # stands in the note
            settle(job.folder)
        with alone(self.out):
            if outcome.record is not None:
                try:
                    digest = _sha256(job.folder / MOMENTS)
                    for told in issue(self.out / LEDGER, outcome.record, moments_sha256=digest):
                        self.progress.note(told)
                except InputError as error:
                    outcome = replace(outcome, state="failed", why=str(error), record=None)
            if outcome.state == "done":
                publish(job.folder, self.out / job.pilot)
            elif outcome.state == "failed":
                ran = [notebook.stem for notebook in job.notebooks if (job.folder / notebook.name).exists()]
                try:
                    keep_partial(job.folder, self.out / job.pilot, (ran or [""])[-1], outcome.why)
                except OSError as error:  # a full disk, or a folder that may not be written
                    kept = f"Nothing of that could be kept: {error.strerror or type(error).__name__}."
                    outcome = replace(outcome, why=f"{outcome.why} {kept}")
        return outcome


def _failed(pilot: str, error: Exception, seconds: float = 0.0) -> Outcome:
    why = f"{type(error).__name__} in the batch itself. This is a fault of the program."
    if isinstance(error, OSError):  # a full disk, or a folder that may not be written
        why = f"Its report could not be written: {error.strerror or type(error).__name__}."
    return Outcome(pilot=pilot, state="failed", why=why, seconds=seconds)


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _plan(files: Sequence[Path]) -> Portfolio:
    """What the portfolio's owner stated beside the parameter files."""
    from roi.schema.portfolio import PORTFOLIO_FILE, Portfolio, read_portfolio

    place = next((p for f in files if (p := f.with_name(PORTFOLIO_FILE)).is_file()), None)
    return Portfolio() if place is None else read_portfolio(place)
