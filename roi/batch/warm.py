"""A process that has imported the libraries and forks: every task gets a fresh process and imports nothing.

The server runs no code but imports, holds one thread and no open database when it forks, and is reached through a pair
of connected sockets that it inherits: nothing listens anywhere. What it forked ends with whoever asked for it.
"""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import site
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

__all__ = [
    "CannotForkError",
    "Forked",
    "Server",
    "Task",
    "cannot_fork",
    "let_processes_find_package",
    "started_by",
    "warm_server",
]

# A status: what it is (born, ready, exited, or a mistake), a number, and for a mistake its text.
STATUS = struct.Struct("!ci")
BORN, READY, EXITED, MISTAKE = b"b", b"r", b"x", b"m"
LENGTH = struct.Struct("!I")
LOST = "because the server that it was forked from was ended, with all that ran there"
# Read when a library is loaded, and what would start threads then: the server must have one when it forks.
ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_MAX_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}


class CannotForkError(Exception):
    """There is no server to fork from; the text says why, for a reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a forked process is to do.

    Attributes:
        target: The function, as ``module:name``.
        args: Its arguments; numbers of file descriptors that are sent along follow them.
        env: Its environment, whole.
        cwd: Its working directory.
        argv: What `sys.argv` shall be.
        memory: Bytes of memory of its own that it may take; None for no limit.
        nested: Whether it may ask the server for processes itself.
    """

    target: str
    args: tuple[Any, ...]
    env: Mapping[str, str]
    cwd: str
    argv: tuple[str, ...] = ()
    memory: int | None = None
    nested: bool = False


def cannot_fork() -> str:
    """Why this system has no server to fork from; empty where it has."""
    if sys.platform != "linux":
        # macOS forks, and its system libraries do not survive it.
        return f"processes are not forked on {sys.platform}"
    if os.environ.get("ROI_NO_FORK"):
        return "ROI_NO_FORK is set"
    return ""


def send(control: socket.socket, task: Task, descriptors: Sequence[int]) -> None:
    """Ask for a process."""
    text = pickle.dumps(task)
    socket.send_fds(control, [LENGTH.pack(len(text))], list(descriptors))
    control.sendall(text)


class Forked:
    """A process that the server forked, with the manners of `subprocess.Popen`.

    Attributes:
        pid: Its number, and that of its group.
        returncode: How it ended, negative for a signal; None while it runs.
        is_lost: Whether it ended because its server did, which is no fault of what it ran.
    """

    stdin = stdout = stderr = None

    def __init__(self, status: socket.socket) -> None:
        self._status, self._rest = status, b""
        self.returncode: int | None = None
        self.ready = self.is_lost = False
        self.pid = 0
        while not self.pid:
            kind, number = self._next() or (EXITED, -signal.SIGKILL)
            if kind == MISTAKE:
                raise CannotForkError(self._take(number).decode(errors="replace"))
            if kind != BORN:
                raise CannotForkError("the process that has the libraries ended unexpectedly")
            self.pid = number

    def fileno(self) -> int:
        """Something to wait on: it is readable when the process is ready or has ended."""
        return self._status.fileno()

    def _take(self, size: int) -> bytes:
        text = b""
        while len(text) < size and (part := self._status.recv(size - len(text))):
            text += part
        return text

    def _next(self) -> tuple[bytes, int] | None:
        text = self._take(STATUS.size)
        return STATUS.unpack(text) if len(text) == STATUS.size else None

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        while self.returncode is None:
            self._status.settimeout(0)
            try:
                self._rest += self._status.recv(STATUS.size - len(self._rest)) or b"\0" * STATUS.size
            except (BlockingIOError, InterruptedError):
                return None
            finally:
                self._status.settimeout(None)
            if len(self._rest) >= STATUS.size:
                kind, number = STATUS.unpack(self._rest[: STATUS.size])
                self._rest = b""
                self.ready = self.ready or kind == READY
                if (
                    kind != READY
                ):  # the end of the stream: the server is gone, and takes with it what it forked
                    self.is_lost = kind != EXITED
                    self.returncode = -signal.SIGKILL if self.is_lost else number
                    self._status.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""
        until = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired("a forked process", timeout or 0)
            time.sleep(0.005)
        return self.returncode or 0

    def send_signal(self, signum: int) -> None:
        """Signal it and whatever it started."""
        if self.poll() is None:
            try:
                os.killpg(self.pid, signum)
            except ProcessLookupError:
                return

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Server:
    """The near end of a server.

    Args:
        control: The near end of its socket.
        process: The server, where this process started it.
    """

    def __init__(self, control: socket.socket, process: subprocess.Popen[bytes] | None = None) -> None:
        self._control, self._process, self._lock = control, process, Lock()
        self.pid, self.key = os.getpid(), _key()
        self._asked = False

    def fork(
        self,
        task: Task,
        *,
        stdout: int | None = None,
        stderr: int | None = None,
        descriptors: Sequence[int] = (),
    ) -> Forked:
        """A fresh process that has every library at hand.

        Args:
            task: What it is to do.
            stdout: Where it writes, a file descriptor; where this process does unless given.
            stderr: Likewise.
            descriptors: Further ones that it gets.

        Raises:
            CannotForkError: If the server is gone, or would fork more than one thread.
        """
        standard = (1 if stdout is None else stdout, 2 if stderr is None else stderr)
        return Forked(self._ask(task, (*standard, *descriptors)))

    def _ask(self, task: Task, descriptors: Sequence[int]) -> socket.socket:
        """Ask for a process; where the server will say what becomes of it."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                with self._lock:
                    self._asked = True
                    send(self._control, task, (theirs.fileno(), *descriptors))
            except OSError as error:
                ours.close()
                raise CannotForkError("the process that has the libraries is gone") from error
        return ours

    def close(self) -> None:
        """End the server and what it forked for this process."""
        self._control.close()
        if self._process is not None and self.pid == os.getpid():
            if not self._asked:  # it may import for a while before it looks
                self._process.kill()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


_server: Server | None = None
_starting = Lock()


def _key() -> tuple[str, ...]:
    """What a server cannot change any more for those it forks."""
    read = (
        name for name in sorted(os.environ) if name.startswith(("PYTHON", "LC_")) or name in ("LANG", "TZ")
    )
    return tuple(f"{name}={os.environ[name]}" for name in read)


def started_by(control: socket.socket) -> None:
    """Tell a forked process how to reach its server."""
    global _server
    _server = Server(control)


def let_processes_find_package() -> None:
    """Where the package runs from a checkout without being installed, new processes are told where it lies."""
    home = str(Path(__file__).resolve().parents[2])
    installed = {str(Path(path).resolve()) for path in [*site.getsitepackages(), site.getusersitepackages()]}
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if home not in installed and home not in known:
        os.environ["PYTHONPATH"] = os.pathsep.join([home, *filter(None, known)])


def warm_server() -> Server:
    """The server of this process; it is started when first asked for, and ends with the process.

    Raises:
        CannotForkError: Where processes cannot be forked.
    """
    let_processes_find_package()  # those that are not forked, too
    if reason := cannot_fork():
        raise CannotForkError(reason)
    with _starting:
        return _running()


def _running() -> Server:
    global _server
    if _server is not None and _server.pid == os.getpid():
        inherited = _server._process is None
        if inherited or (_server.key == _key() and _server._process.poll() is None):  # type: ignore[union-attr]
            return _server
        _server.close()
    ours, theirs = socket.socketpair()
    # As `python -m ipykernel_launcher` has it: not the working directory before the folders of the interpreter.
    start = f"import sys; del sys.path[0]; from roi.batch.forking import main; main({theirs.fileno()})"
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-c", start],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()], env={**os.environ, **ONE_THREAD}, start_new_session=True,
        )  # fmt: skip
    _server = Server(ours, process)
    atexit.register(_server.close)
    return _server
