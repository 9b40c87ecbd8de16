"""A batch: check every parameter file, run the pilots a few at a time, publish what is whole."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roi.batch.outputs import keep_partial, publish, read_record, recover, staging
from roi.batch.progress import Progress
from roi.batch.worker import Job, Report, work
from roi.ledger import LEDGER, issue, read_ledger, refuse_newer
from roi.problems import InputError, Problem
from roi.records import check_form, refuse_newer_record

if TYPE_CHECKING:
    from rich.console import Console

    from roi.schema.portfolio import Portfolio

__all__ = ["BatchResult", "Outcome", "list_pilots", "run_batch"]

# 2_decide first: it makes the record, which the pages of the others speak of.
NOTEBOOKS = ("2_decide", "1_audit", "3_fix", "4_controls", "5_prove_roi", "6_operate")
GRACE = 5.0
MOMENTS = "moments.json"  # as roi.archive calls it, without importing what that imports


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a pilot's run ended.

    Attributes:
        pilot: Its name.
        state: "done", "failed" or "inputs" (they need mending).
        why: What went wrong; empty when it is done.
        record: Its record; None unless it is done.
        seconds: How long it took.
    """

    pilot: str
    state: str
    why: str = ""
    record: Mapping[str, Any] | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class BatchResult:
    """How a batch ended, pilot by pilot."""

    outcomes: tuple[Outcome, ...]

    @property
    def exit_code(self) -> int:
        """0 all done, 1 a pilot failed, 2 inputs need mending and nothing else went wrong."""
        states = {outcome.state for outcome in self.outcomes}
        return 1 if "failed" in states else 2 if "inputs" in states else 0


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


@dataclass(slots=True)
class _Run:
    job: Job
    process: Any
    answers: Connection
    began: float
    report: Report | None = None
    late: bool = False


def run_batch(
    files: Sequence[str | Path],
    out: str | Path,
    *,
    jobs: int = 2,
    notebooks: Sequence[str] = NOTEBOOKS,
    parameters: Mapping[str, Any] | None = None,
    timeout: float = 600.0,
    console: Console | None = None,
    check: Callable[[Path], Any] = _check,
) -> BatchResult:
    """Run the notebooks of many pilots, each in a process of its own, and list them on one page.

    Args:
        files: Parameter files.
        out: Folder of the reports; `out/<pilot>/` appears whole or not at all.
        jobs: Pilots at a time.
        notebooks: Names of the notebooks, in order.
        parameters: Further parameters for every notebook, beside `pilot`.
        timeout: Seconds that a pilot may take, and any one cell of it.
        console: Where progress is shown; standard error unless given.
        check: Reads a parameter file; returns its pilot, name and project, raises InputError.

    Returns:
        How each pilot ended, in the order of `files`.

    Raises:
        InputError: If the chain of the ledger is broken, or the portfolio's file needs mending; nothing has been run or
            written then. A pilot whose record a newer version wrote is one whose inputs need mending.
    """
    folder = Path(out).resolve()
    ledger = folder / LEDGER
    entries = read_ledger(ledger)
    plan = _plan([Path(file) for file in files])
    is_new = not folder.exists()
    paths = [Path(file) for file in files]

    def check_all(path: Path) -> Any:
        found = check(path)
        refuse_newer(entries, ledger, found.pilot)
        refuse_newer_record(folder / found.pilot)
        return found

    ready, outcomes = _checked(paths, check_all)
    order = [path.stem for path in paths]
    with ExitStack() as stack:
        progress = stack.enter_context(Progress(list(dict.fromkeys(order)), console))
        for outcome in outcomes.values():
            progress.end(outcome.pilot, "inputs", outcome.why)
        if ready:
            recover(folder)
            waiting = [
                Job(
                    pilot=found.pilot,
                    parameters={**(parameters or {}), "pilot": found.name},
                    project=found.project,
                    notebooks=tuple(_find_notebook(name, found.project) for name in notebooks),
                    folder=stack.enter_context(staging(folder, found.pilot)),
                    timeout=timeout,
                    before=folder / found.pilot,
                    ledger=ledger,
                )
                for found in ready
            ]
            for outcome in _supervise(waiting, jobs, timeout, progress):
                job = next(job for job in waiting if job.pilot == outcome.pilot)
                outcomes[outcome.pilot] = _finish(outcome, job, folder, progress)
    if any(outcome.state != "inputs" for outcome in outcomes.values()):
        together(folder, plan, paths)
        list_pilots(folder, outcomes)
    elif is_new and folder.is_dir():
        folder.rmdir()
    return BatchResult(tuple(outcomes[name] for name in dict.fromkeys(order)))


def _checked(paths: Iterable[Path], check: Callable[[Path], Any]) -> tuple[list[Any], dict[str, Outcome]]:
    ready: dict[str, Any] = {}
    failed: dict[str, Outcome] = {}
    for path in paths:
        try:
            found = check(path)
            if found.pilot in ready:
                raise InputError(
                    [Problem(str(path), "pilot", "another file of this batch has the same name")]
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


def _supervise(waiting: Sequence[Job], jobs: int, timeout: float, progress: Progress) -> Iterable[Outcome]:
    """Run jobs, some at a time; a worker that dies or takes too long is one failure, not the end."""
    context: Any = multiprocessing.get_context("spawn")
    if "forkserver" in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context("forkserver")
        # Imports only: a server that has started threads or opened a database must not be forked.
        context.set_forkserver_preload(
            ["roi.light_imports", "papermill", "nbconvert", "nbclient", "ipykernel"]
        )
    queue, running = list(waiting), list[_Run]()
    try:
        while queue or running:
            while queue and len(running) < jobs:
                running.append(_start(context, queue.pop(0), progress))
            wait([r.answers for r in running] + [r.process.sentinel for r in running], timeout=0.25)
            for run in list(running):
                _listen(run, progress)
                seconds = time.monotonic() - run.began
                if not run.process.is_alive():
                    _listen(run, progress)
                    running.remove(run)
                    yield _outcome(run, seconds)
                elif seconds > timeout and not run.late:
                    run.late = True
                    _stop(run)
    finally:
        for run in running:
            _stop(run)


def _start(context: Any, job: Job, progress: Progress) -> _Run:
    answers, theirs = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(job, theirs), name=f"roi {job.pilot}", daemon=False)
    process.start()
    theirs.close()
    progress.start(job.pilot)
    return _Run(job, process, answers, time.monotonic())


def _listen(run: _Run, progress: Progress) -> None:
    try:
        while run.answers.poll():
            said = run.answers.recv()
            if isinstance(said, Report):
                run.report = said
            else:
                progress.doing(run.job.pilot, str(said))
    except (EOFError, OSError):
        return


def _stop(run: _Run) -> None:
    """End a worker that this batch started; its kernel ends with it."""
    run.process.terminate()
    run.process.join(GRACE)
    if run.process.is_alive():
        run.process.kill()
        run.process.join(GRACE)


def _outcome(run: _Run, seconds: float) -> Outcome:
    report, pilot = run.report, run.job.pilot
    if report is not None and report.ok:
        return Outcome(pilot=pilot, state="done", record=read_record(run.job.folder), seconds=seconds)
    if report is not None:
        state = "inputs" if report.is_input else "failed"
        return Outcome(pilot=pilot, state=state, why=report.why, seconds=seconds)
    if run.late:
        why = f"It took longer than the {run.job.timeout:.0f} seconds allowed."
    else:
        code = run.process.exitcode
        said = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
        why = f"Its process was ended {said}; it may have run out of memory."
    return Outcome(pilot=pilot, state="failed", why=why, seconds=seconds)


def _end(progress: Progress, outcome: Outcome) -> None:
    says = outcome.why
    if outcome.record is not None:
        says = f"{str(outcome.record.get('verdict')).upper()}: {outcome.record.get('headline')}"
    progress.end(outcome.pilot, outcome.state, says)


def _finish(outcome: Outcome, job: Job, out: Path, progress: Progress) -> Outcome:
    """Enter a record in the ledger, then publish its report: no report lies there that the ledger does not know."""
    if outcome.state == "done" and outcome.record is not None:
        try:
            for told in issue(out / LEDGER, outcome.record, moments_sha256=_sha256(job.folder / MOMENTS)):
                progress.note(told)
        except InputError as error:
            outcome = replace(outcome, state="failed", why=str(error), record=None)
    if outcome.state == "done":
        publish(job.folder, out / job.pilot)
    elif outcome.state == "failed":
        notebook = next((n.stem for n in reversed(job.notebooks) if (job.folder / n.name).exists()), "")
        keep_partial(job.folder, out / job.pilot, notebook, outcome.why)
    _end(progress, outcome)
    return outcome


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _plan(files: Sequence[Path]) -> Portfolio:
    """What the portfolio's owner stated beside the parameter files."""
    from roi.schema.portfolio import PORTFOLIO_FILE, Portfolio, read_portfolio

    place = next((p for f in files if (p := f.with_name(PORTFOLIO_FILE)).is_file()), None)
    return Portfolio() if place is None else read_portfolio(place)


def together(out: Path, plan: Portfolio, files: Sequence[Path] = ()) -> None:
    """Write `portfolio.json`, what is said of all pilots in the folder together; not where no archive is there."""
    if not any(out.glob(f"*/{MOMENTS}")):
        return
    from roi.assembled import PORTFOLIO, portfolio_text
    from roi.report.page import write_whole

    text = portfolio_text(out, plan, files)
    if text is not None:
        write_whole(out / PORTFOLIO, text)


def list_pilots(out: Path, outcomes: Mapping[str, Outcome]) -> None:
    """Write the page and the table of every pilot in the folder, those of earlier runs included."""
    from roi.report.index import Entry, write_index
    from roi.report.page import pages_in

    names = {entry.name for entry in os.scandir(out) if entry.is_dir() and not entry.name.startswith(".")}
    entries = []
    for name in sorted(names | set(outcomes)):
        outcome = outcomes.get(name)
        why = outcome.why if outcome is not None else _why(out / name)
        record, odd = _record(out / name)
        why = why or odd
        if record is not None or why:
            pages = [page for page in pages_in(out / name) if page != "report.html"]
            entries.append(Entry(pilot=name, record=record, why=why, pages=pages))
    write_index(entries, out)


def _record(folder: Path) -> tuple[dict[str, Any] | None, str]:
    """The record of a report folder, or why it cannot be shown; neither where there is none."""
    record = read_record(folder)
    try:
        if record is not None:
            check_form(record, f"{folder.name}/decision.json")
    except InputError as error:
        return None, str(error)
    return record, ""


def _why(folder: Path) -> str:
    try:
        return (folder / "why.txt").read_text(encoding="utf-8")
    except OSError:
        return ""
