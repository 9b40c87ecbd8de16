"""Pilots that run elsewhere: a job goes out with what it looks back at, and comes back as files.

Whatever is a `concurrent.futures.Executor` may run them, such as a Dask cluster. Who runs one needs the project at the
same place and the same version of this package, and nothing else: the folder of reports stays with the batch, which
publishes what comes back as it does what it has run itself.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

from roi.batch.resume import program
from roi.batch.worker import Job, Report
from roi.batch.workers import STARTING, run_watched
from roi.ledger import LEDGER
from roi.problems import InputError, Problem

__all__ = ["Parcel", "Returned", "carried", "cluster", "packed", "work_there"]

LOOK = 0.2  # seconds between two looks at whether the batch was stopped
# What a pilot's notebooks look back at: its own records, and those whose months are over by now.
BEFORE = ("decision.json", "moments.json", "operation.json")
LOST = 5  # workers that may be lost over one pilot, before it is thought to be what loses them

Files = tuple[tuple[str, int, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A job, and what it looks back at.

    Attributes:
        job: What to run.
        before: Files of the folder of reports: path in it, time of last change in nanoseconds, bytes.
        program: Version of all that computes; another one would give other figures.
    """

    job: Job
    before: Files
    program: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What came of a job.

    Attributes:
        report: As the worker gave it.
        files: What it has made, as in `Parcel.before`.
    """

    report: Report
    files: Files = ()


def packed(job: Job, out: Path) -> Parcel:
    """A job, ready to be sent.

    Args:
        job: What to run.
        out: The folder of all reports.
    """
    places = [out / LEDGER, *(out / f"{LEDGER}{end}" for end in (".head",))]
    for name in BEFORE:
        places += [*out.glob(f"[!.]*/{name}"), *out.glob(f"[!.]*/archive/*/{name}")]
    return Parcel(job=job, before=_read(out, places), program=program())


def _read(folder: Path, places: list[Path]) -> Files:
    found = []
    for place in sorted(places):
        try:
            changed = place.stat().st_mtime_ns
            found.append((place.relative_to(folder).as_posix(), changed, place.read_bytes()))
        except FileNotFoundError:  # another pilot was published meanwhile
            continue
    return tuple(found)


def _write(folder: Path, files: Files) -> None:
    for name, changed, data in files:
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        os.utime(place, ns=(changed, changed))


def work_there(parcel: Parcel) -> Returned:
    """Run a job where this is called, in a process of its own, and return its files.

    Args:
        parcel: The job, and what it looks back at.
    """
    job = parcel.job
    if not all(notebook.is_file() for notebook in job.notebooks) or not job.project.is_dir():
        why = "A worker of the cluster does not find the project at the place where the batch has it."
        return Returned(report=Report(ok=False, why=why))
    if other := [name for name, made in program().items() if parcel.program.get(name) != made]:
        why = f"A worker of the cluster has another version of {', '.join(other)} than the batch."
        return Returned(report=Report(ok=False, why=why))
    with tempfile.TemporaryDirectory(prefix="roi-") as place:
        out = Path(place) / "reports"
        folder = out / ".new"
        folder.mkdir(parents=True)
        _write(out, parcel.before)
        ledger = None if job.ledger is None else out / LEDGER
        report = run_watched(replace(job, folder=folder, before=out / job.pilot, ledger=ledger))
        return Returned(report=report, files=_read(folder, [p for p in folder.rglob("*") if p.is_file()]))


def carried(executor: Executor, out: Path) -> Callable[[Job, Callable[[str, str], None], Event], Report]:
    """What runs a job by an executor and waits for it, as `run_watched` does here.

    Args:
        executor: Runs functions elsewhere.
        out: The folder of all reports.
    """

    def run(job: Job, tell: Callable[[str, str], None], stopped: Event) -> Report:
        if stopped.is_set():
            return Report(ok=False, why="It was stopped.", stopped=True)
        parcel = packed(job, out)
        try:
            asked = executor.submit(work_there, parcel)
            tell(job.pilot, STARTING)
            while not wait([asked], timeout=LOOK).done:
                if stopped.is_set():
                    asked.cancel()
                    return Report(ok=False, why="It was stopped.", stopped=True)
            returned: Returned = asked.result()
        except Exception as error:  # workers that died with it, or a scheduler that is gone
            why = f"The cluster gave it up ({type(error).__name__}); the same command goes on, once it is there again."
            return Report(ok=False, why=why)
        _write(job.folder, returned.files)
        return returned.report

    return run


@contextmanager
def cluster(address: str) -> Iterator[tuple[Executor, int]]:
    """A Dask cluster as an executor, and how many pilots it can run at a time.

    Args:
        address: Of its scheduler, such as ``tcp://10.0.0.5:8786``.

    Raises:
        InputError: If the extra is not installed, or nobody answers there.
    """
    try:
        from distributed import Client
        from distributed.comm.addressing import parse_address, parse_host_port
    except ImportError:
        message = "needs the extra `cluster`: pip install 'roi[cluster]', here and on the workers"
        raise InputError([Problem("roi batch", "--scheduler", message)]) from None
    try:
        kind, place = parse_address(address)
        if kind in ("tcp", "tls"):
            parse_host_port(place)  # a client that is given no port says so, and then waits for half a minute
        client: Any = Client(address, timeout=15, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        message = f"no scheduler of Dask answers at {address[:200]} ({type(error).__name__})"
        raise InputError([Problem("roi batch", "--scheduler", message)]) from None
    try:
        many = sum(client.nthreads().values())
        if not many:
            message = f"the scheduler at {address[:200]} has no workers; start some with `dask worker`"
            raise InputError([Problem("roi batch", "--scheduler", message)])
        yield client.get_executor(retries=LOST), many
    finally:
        client.close()
