"""The server's side: import, then fork for whoever asks, and say how each process ended."""

from __future__ import annotations

import atexit
import builtins
import ctypes
import gc
import importlib
import os
import pickle
import select
import selectors
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from roi.batch.warm import BORN, EXITED, LENGTH, MISTAKE, ONE_THREAD, STATUS, Task, started_by

__all__ = ["PRELOADED", "idle", "main", "preload"]

# What notebooks and their reports import. Nothing here may open a database, start a thread or draw a random number.
PRELOADED = (
    "roi.light_imports",
    "pandas",
    "duckdb",
    "scipy.stats",
    "altair",
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    # What a kernel imports as it starts, rather than when it is imported.
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "tornado.platform.asyncio",
    "roi.batch.declared",
    "roi.pilot",
    "roi.assembled",
    "roi.diff",
    "roi.controls.access_list",
    "roi.report.page",
    "roi.report.sections",
    "roi.report.decided",
    "roi.report.audit",
    "roi.report.fix",
    "roi.report.controls",
    "roi.report.proof",
    "roi.report.operate",
    "roi.report.portfolio",
    "roi.report.charts",
    "roi.report.painting",
    "roi.report.audit_charts",
    "roi.report.proof_charts",
    "roi.report.operate_charts",
    "roi.illustrate",
    "roi.operate",
    "roi.readers.delimited",
    "roi.readers.json_lines",
    "vl_convert",
)
# What a pilot's own process needs beside: Papermill and what draws pages.
PRELOADED_BESIDE = ("papermill", "nbclient", "nbconvert", "roi.batch.kernel", "roi.batch.worker")
# Called once all is imported: what reads templates, schemas and code at first use, and would in every process.
WARMED = ("roi.report.page", "roi.report.charts", "roi.made_with", "roi.batch.kernel")
MOST = 16  # file descriptors that come with a task
ADOPT = 36  # PR_SET_CHILD_SUBREAPER: whose parent has ended becomes a child of this process
LAST = 5.0  # seconds in which the server ends all, before it ends itself


def preload(control: socket.socket) -> None:
    """Import what tasks import; what is not installed is left out, and the task that wants it says so.

    Args:
        control: Of whoever started this; should that one be gone already, nothing is worth importing.
    """
    for name in PRELOADED:
        _import(name, control)
    with warnings.catch_warnings():  # a notebook that imports none of these has none of their filters
        for name in PRELOADED_BESIDE:
            _import(name, control)
        for name in WARMED:
            _leave_if_alone(control)
            if (module := sys.modules.get(name)) is not None:
                module.warm_up()


def _leave_if_alone(control: socket.socket) -> None:
    """End if whoever started this is gone, whatever it had asked for."""
    looking = select.poll()
    looking.register(control, select.POLLRDHUP)
    if looking.poll(0):
        sys.exit()


def _import(name: str, control: socket.socket) -> None:
    _leave_if_alone(control)
    # pandas asks as it is imported whether it is in a notebook, for how many columns it shows.
    if name == "pandas":
        builtins.get_ipython = lambda: SimpleNamespace(kernel=None)  # type: ignore[attr-defined]
    try:
        importlib.import_module(name)
    except ImportError:
        return
    finally:
        builtins.__dict__.pop("get_ipython", None)
    if name == "duckdb":
        # It opens a database as it is imported, with a thread; whoever asks for that one gets it anew.
        sys.modules["duckdb"].default_connection().close()


def threads() -> int:
    """Threads of this process, those of libraries included."""
    return len(os.listdir("/proc/self/task"))


@dataclass(slots=True)
class _Client:
    control: socket.socket
    children: set[int] = field(default_factory=set)


class _Serving:
    def __init__(self, control: socket.socket) -> None:
        self.first = control
        self.clients = {control.fileno(): _Client(control)}
        self.statuses: dict[int, tuple[socket.socket, _Client]] = {}
        self.woken, self.waker = socket.socketpair()
        for end in (self.woken, self.waker):
            end.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(control, selectors.EVENT_READ)
        self.selector.register(self.woken, selectors.EVENT_READ)
        self.adopt = ctypes.CDLL(None).prctl
        self.adopt(ADOPT, 1, 0, 0, 0)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.waker.fileno(), warn_on_full_buffer=False)

    def run(self) -> Callable[[], Any] | None:
        """Serve until the first client is gone; in a forked process, what it is to do."""
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.woken:
                    self.woken.recv(4096)
                    self.reap()
                elif (client := self.clients.get(key.fd)) is not None:
                    received = _receive(client.control)
                    if received is None:
                        self.leave(client)
                        if client.control is self.first:
                            self.end()
                            return None
                    elif (work := self.fork(client, *received)) is not None:
                        return work

    def reap(self) -> None:
        while (ended := _ended()) is not None:
            pid, how = ended
            if pid not in self.statuses:
                continue
            status, client = self.statuses.pop(pid)
            client.children.discard(pid)
            _kill(pid)  # what it started and left behind
            _say(status, EXITED, os.waitstatus_to_exitcode(how))
            status.close()
        for pid in _children() - self.statuses.keys():
            _kill(pid, os.kill)  # what it left behind in a session of its own

    def end(self) -> None:
        """End what was forked, and whatever that started."""
        until = time.monotonic() + LAST
        while (left := _children()) and time.monotonic() < until:
            for pid in left:
                _kill(pid, os.kill)
            time.sleep(0.002)
            while _ended() is not None:
                continue

    def leave(self, client: _Client) -> None:
        """A client is gone, and with it whatever was done for it."""
        for pid in client.children:
            _kill(pid)
        self.selector.unregister(client.control)
        del self.clients[client.control.fileno()]
        if client.control is self.first:
            for other in self.clients.values():
                for pid in other.children:
                    _kill(pid)
        client.control.close()

    def fork(self, client: _Client, task: Task, descriptors: list[int]) -> Callable[[], Any] | None:
        status = socket.socket(fileno=descriptors[0])
        if (n := threads()) != 1:
            _say(status, MISTAKE, f"the process that has the libraries runs {n} threads")
            status.close()
            _close(descriptors[1:])
            return None
        ours, theirs = socket.socketpair() if task.nested else (None, None)
        pid = os.fork()
        if pid == 0:
            os.setsid()
            self.adopt(ADOPT, 1, 0, 0, 0)  # until it ends, and then the server gets them with it
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.selector.close()
            others = [c.control for c in self.clients.values()] + [s for s, _ in self.statuses.values()]
            for end in [*others, self.woken, self.waker, ours]:
                if end is not None:
                    end.close()
            _say(status, BORN, os.getpid())  # by now it has a group of its own that can be signalled
            return lambda: _become(task, status, descriptors, theirs)
        _close(descriptors[1:])
        self.statuses[pid] = status, client
        client.children.add(pid)
        if ours is not None and theirs is not None:
            theirs.close()
            self.clients[ours.fileno()] = _Client(ours)
            self.selector.register(ours, selectors.EVENT_READ)
        return None


def _receive(control: socket.socket) -> tuple[Task, list[int]] | None:
    try:
        head, descriptors, _, _ = socket.recv_fds(control, LENGTH.size, MOST)
        while head and len(head) < LENGTH.size:
            head += control.recv(LENGTH.size - len(head))
        if not head:
            return None
        (size,) = LENGTH.unpack(head)
        text = b""
        while len(text) < size:
            part = control.recv(min(size - len(text), 1 << 20))
            if not part:
                return None
            text += part
    except OSError:
        return None
    return pickle.loads(text), list(descriptors)


def _say(status: socket.socket, kind: bytes, what: int | str) -> None:
    text = b"" if isinstance(what, int) else what.encode()
    try:
        status.sendall(STATUS.pack(kind, what if isinstance(what, int) else len(text)) + text)
    except OSError:
        return  # nobody listens any more


def _ended() -> tuple[int, int] | None:
    """A child that has ended, and how; None where there is none."""
    try:
        pid, how = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, how) if pid else None


def _children() -> set[int]:
    """Children of this process, those included whose parents have ended; none where the system does not say."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as listed:
            return {int(pid) for pid in listed.read().split()}
    except OSError:
        return set()


def _kill(group: int, kill: Callable[[int, int], None] = os.killpg) -> None:
    try:
        kill(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _become(task: Task, status: socket.socket, descriptors: list[int], control: socket.socket | None) -> Any:
    """Take on what belongs to a task alone: its environment, folder, output, limits and chance."""
    os.environ.clear()
    os.environ.update(task.env)
    for target, descriptor in enumerate(descriptors[1:3], start=1):
        os.dup2(descriptor, target)
        os.close(descriptor)
    os.chdir(task.cwd)
    sys.argv = list(task.argv)
    if task.memory is not None:
        import resource

        most = _taken() + task.memory
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()  # Python's own generator is seeded anew by the fork
    if control is not None:
        started_by(control)
    module, _, name = task.target.partition(":")
    return getattr(importlib.import_module(module), name)(*task.args, *descriptors[3:], status=status)


def idle(seconds: float, *, status: Any) -> None:
    """Do nothing for a while, for tests of what ends a process."""
    time.sleep(seconds)


def _taken() -> int:
    """Bytes that this process can write to, libraries and what it shares with the server included."""
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmData:")) << 10


def main(descriptor: int) -> None:
    """The body of the server, and of every process that it forks.

    Args:
        descriptor: Of its end of the pair of sockets.
    """
    control = socket.socket(fileno=descriptor)
    control.set_inheritable(False)
    gc.disable()  # of what is being imported nothing is to be collected but at the end
    preload(control)
    for name in ONE_THREAD:
        os.environ.pop(name, None)
    gc.collect()
    gc.freeze()  # what was imported is written to by no collection, and stays shared
    gc.enable()
    work = _Serving(control).run()
    if work is not None:
        work()
        _leave()


def _leave() -> None:
    """End this process at once: to take down first what was imported would copy all that is shared of it."""
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        return  # which the ordinary way waits for
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)
