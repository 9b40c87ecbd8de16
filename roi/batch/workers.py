"""A process for each pilot, watched: one that dies, hangs or is stopped is one failure, and costs nobody else."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from threading import Event, current_thread, main_thread
from typing import Any

from roi.batch.warm import LOST, CannotForkError, Task, cannot_fork, warm_server
from roi.batch.worker import Job, Report, work

__all__ = ["STARTING", "Workers", "run_watched", "stoppable"]

STARTING = "starting"
GRACE = 5.0
LOOK = 0.05


class Workers(ThreadPoolExecutor):
    """An executor whose threads each watch one process at a time.

    Args:
        jobs: Processes at a time.
    """

    def __init__(self, jobs: int) -> None:
        super().__init__(max_workers=jobs, thread_name_prefix="roi")
        self.stopped = Event()

    def stop(self) -> None:
        """End what runs and forget what waits."""
        self.stopped.set()
        self.shutdown(wait=True, cancel_futures=True)


@contextmanager
def stoppable() -> Iterator[None]:
    """A request to end, as a scheduler sends it, is what Ctrl-C is."""
    if current_thread() is not main_thread():
        yield
        return

    def stop(_: int, __: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run_watched(
    job: Job, tell: Callable[[str, str], None] = lambda *_: None, stopped: Event | None = None
) -> Report:
    """Run a job in a process of its own and wait for it.

    Whoever ends the server that all are forked from ends them all. So what is lost with it is run once more, from a
    server of its own: there it costs nobody else, and nobody else costs it anything.

    Args:
        job: What to run; `job.timeout` is what each of its notebooks may take.
        tell: Is told what it is at.
        stopped: Ends it when set.

    Returns:
        What the process said in the end, or why it said nothing.
    """
    stopped = stopped or Event()
    report = _watched(job, tell, stopped, shared=True)
    if not report.is_lost:
        return report
    for left in job.folder.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    again = _watched(job, tell, stopped, shared=False)
    if again.is_lost:
        return replace(again, why=f"{again.why} It was the second one, and nothing else ran there.")
    return again


def _watched(job: Job, tell: Callable[[str, str], None], stopped: Event, *, shared: bool) -> Report:
    if stopped.is_set():
        return Report(ok=False, why="It was stopped.", stopped=True)
    tell(job.pilot, STARTING)
    answers, theirs = multiprocessing.Pipe(duplex=False)
    process = _started(job, theirs, shared=shared)
    theirs.close()
    report: Report | None = None
    began, late, at = time.monotonic(), False, ""
    try:
        while True:
            alive = process.is_alive()  # before listening, so that the last words of one that ended are heard
            while answers.poll(LOOK if alive else 0):
                said = _heard(answers)
                if said is None:
                    time.sleep(LOOK if alive else 0)
                    break
                if isinstance(said, Report):
                    report = said
                else:
                    at, began = str(said), time.monotonic()  # each notebook has its own time
                    tell(job.pilot, at)
            if not alive:
                break
            if stopped.is_set():
                return Report(ok=False, why="It was stopped.", stopped=True, notebook=at)
            if time.monotonic() - began > job.timeout + GRACE and report is None:
                late = True
                break
    finally:
        _stop(process)
        answers.close()
    if report is not None:
        return report
    is_lost = False
    if late:
        why = f"{at or 'It'} took longer than the {job.timeout:.0f} seconds allowed."
    elif is_lost := getattr(process, "is_lost", False):
        why = f"{at or 'It'} was ended {LOST}."
    else:
        code = process.exitcode
        said = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
        why = f"Its process was ended {said}; it may have run out of memory."
    return Report(ok=False, why=why, is_lost=is_lost, notebook=at)


def _heard(answers: Connection) -> Any:
    try:
        return answers.recv()
    except (EOFError, OSError):
        return None


class _Forked:
    """A forked process with the manners of `multiprocessing.Process`."""

    def __init__(self, process: Any) -> None:
        self._process = process

    @property
    def exitcode(self) -> int | None:
        code: int | None = self._process.poll()
        return code

    @property
    def is_lost(self) -> bool:
        lost: bool = self._process.is_lost
        return lost

    def is_alive(self) -> bool:
        return self.exitcode is None

    def terminate(self) -> None:
        # It alone: it ends its notebook itself, and keeps what that had done.
        if self.is_alive():
            os.kill(self._process.pid, 15)

    def kill(self) -> None:
        self._process.kill()

    def join(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self.is_alive() and time.monotonic() < until:
            time.sleep(0.005)


def _started(job: Job, theirs: Connection, *, shared: bool) -> Any:
    if shared and not cannot_fork():
        task = Task(
            target="roi.batch.worker:work_forked",
            args=(job,),
            env=dict(os.environ),
            cwd=os.getcwd(),
            argv=("roi",),
            nested=True,
        )
        try:
            return _Forked(warm_server().fork(task, descriptors=[theirs.fileno()]))
        except CannotForkError:
            pass  # the kernels of the worker say so
    # A worker of Dask is a daemon to `multiprocessing`, which lets none start a process; this one is waited for.
    us: Any = multiprocessing.current_process()
    us._config["daemon"] = False
    process = multiprocessing.get_context("spawn").Process(target=work, args=(job, theirs), daemon=False)
    process.start()
    return process


def _stop(process: Any) -> None:
    """End a worker; its kernel ends with it."""
    if process.is_alive():
        process.terminate()
        process.join(GRACE)
    if process.is_alive():
        process.kill()
        process.join(GRACE)
