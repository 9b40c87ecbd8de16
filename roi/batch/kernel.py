"""Kernels that are forked instead of started; to Papermill and Jupyter they are kernels like any other."""

from __future__ import annotations

import asyncio
import inspect
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from queue import Empty
from subprocess import DEVNULL
from typing import Any

import zmq
from ipykernel import kernelapp
from ipykernel.compiler import XCachingCompiler, get_file_name
from ipykernel.iostream import IOPubThread
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from zmq.eventloop.zmqstream import ZMQStream

from roi.batch.warm import READY, STATUS, CannotForkError, Server, Task, warm_server

__all__ = ["WarmKernelManager", "is_own_python", "run_kernel", "warm_manager", "warm_up"]

LAUNCHER = ["-m", "ipykernel_launcher"]


class FilePiped(IOPubThread):
    """Takes the output of processes that a notebook forks through a file; ipykernel's own opens a port for it."""

    def _setup_pipe_in(self) -> None:
        context = self.socket.context
        self._endpoint = self.socket.getsockopt(zmq.LAST_ENDPOINT).decode().rstrip("\0") + "-forked"
        self._pipe_uuid = os.urandom(16)
        taken = context.socket(zmq.PULL)
        taken.linger = 0
        taken.bind(self._endpoint)
        self._pipe_in = ZMQStream(taken, self.io_loop)
        self._pipe_in.on_recv(self._handle_pipe_msg)

    def _setup_pipe_out(self) -> tuple[Any, Any]:
        context = zmq.Context()
        given = context.socket(zmq.PUSH)
        given.linger = 3000
        given.connect(self._endpoint)
        return context, given


def name_cell(_: object, raw_code: str, __: object, ___: object) -> str:
    """The file that a cell is said to lie in, of which it is noted that it is of no module.

    Otherwise all modules, of which a forked kernel has thousands, are looked through several times for each frame of a
    traceback, and an endless recursion has a thousand frames.
    """
    name: str = get_file_name(raw_code)  # type: ignore[no-untyped-call]
    inspect.modulesbyfile[name] = ""
    return name


def run_kernel(*argv: str, status: Any) -> None:
    """The body of a forked kernel: what `python -m ipykernel_launcher` does, libraries apart.

    Args:
        argv: Arguments of the kernel.
        status: Where to say that it listens.
    """
    kernelapp.IOPubThread = FilePiped  # type: ignore[attr-defined]
    XCachingCompiler.get_code_name = name_cell  # type: ignore[method-assign]
    # Whoever forked it kills it in the end; should that one be killed itself, the kernel sees that it is gone.
    app = kernelapp.IPKernelApp.instance(parent_handle=os.getppid())
    app.initialize(list(argv))  # type: ignore[no-untyped-call]
    status.sendall(STATUS.pack(READY, 0))
    app.start()  # type: ignore[no-untyped-call]


def warm_up() -> None:
    """Find out, for processes that are forked from this one, what may start kernels: all that is installed is asked."""
    KernelProvisionerFactory.instance()


def is_own_python(kernel_spec: Any) -> bool:
    """Whether a kernel specification starts this very interpreter, which alone can be forked."""
    argv = list(kernel_spec.argv)
    names = {"python", f"python{sys.version_info[0]}", f"python{sys.version_info[0]}.{sys.version_info[1]}"}
    # jupyter_client starts this interpreter for a bare name; by another path it may be of another environment.
    return argv[1:3] == LAUNCHER and (argv[0] in names or argv[0] == sys.executable) and not kernel_spec.env


class WarmProvisioner(LocalProvisioner):
    """Asks a server for a forked kernel where the local provisioner starts a program."""

    server: Server
    memory: int | None = None
    startup = 60.0
    process: Any = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork a kernel, and wait until it listens."""
        at = cmd.index(LAUNCHER[1]) + 1
        env = dict(kwargs.get("env") or os.environ)
        env["JPY_PARENT_PID"] = str(os.getpid())
        cwd = str(kwargs.get("cwd") or Path.cwd())
        launcher = sys.modules.get(LAUNCHER[1])
        task = Task(
            target="roi.batch.kernel:run_kernel",
            args=tuple(cmd[at:]),
            env=env,
            cwd=cwd,
            argv=(str(getattr(launcher, "__file__", LAUNCHER[1])), *cmd[at:]),
            memory=self.memory,
        )
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            out, err = (
                null if kwargs.get(name) == DEVNULL else kwargs.get(name) for name in ("stdout", "stderr")
            )
            self.process = process = self.server.fork(task, stdout=out, stderr=err)
        finally:
            os.close(null)
        self.pid, self.pgid, self.cwd = process.pid, process.pid, cwd
        until = time.monotonic() + self.startup
        while process.poll() is None and not process.ready and time.monotonic() < until:
            await asyncio.sleep(0.003)
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel, which takes a few milliseconds where a poll would take a hundred."""
        await super().kill(restart=restart)
        until = time.monotonic() + 5
        while self.process is not None and self.process.poll() is None and time.monotonic() < until:
            await asyncio.sleep(0.002)


class ReadyClient(AsyncKernelClient):
    """A client of a kernel that listens already: it waits for an answer on both channels, and no longer."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel has answered and its outputs arrive."""
        until = time.monotonic() + (60.0 if timeout is None else timeout)
        while time.monotonic() < until:
            self.kernel_info()
            try:
                answer = await self.shell_channel.get_msg(timeout=1)
                if answer["msg_type"] == "kernel_info_reply":
                    # Messages of before are told apart by whom they answer; none is waited for.
                    await self.iopub_channel.get_msg(timeout=0.2)
                    self._handle_kernel_info_reply(answer)
                    return
            except Empty:
                pass
            if not await self._async_is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
        raise RuntimeError(f"Kernel didn't respond in {timeout} seconds")


class WarmKernelManager(AsyncKernelManager):
    """Manages a forked kernel, which is reached through files in a folder of this user alone."""

    def __init__(self, server: Server, memory: int | None = None, **given: Any) -> None:
        super().__init__(**given)
        self._server, self._memory = server, memory
        # Short, since the path of a socket may have some 100 characters only.
        self._folder = tempfile.mkdtemp(prefix="roi-")
        self.transport, self.ip = "ipc", str(Path(self._folder) / "k")
        self.client_class = f"{__name__}.ReadyClient"
        self.client_factory = ReadyClient

    async def _async_pre_start_kernel(self, **kwargs: Any) -> Any:
        if self.provisioner is None:
            self.provisioner = WarmProvisioner(
                kernel_id=self.kernel_id or "", kernel_spec=self.kernel_spec, parent=self
            )
            self.provisioner.server, self.provisioner.memory = self._server, self._memory
        return await super()._async_pre_start_kernel(**kwargs)

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        await super()._async_cleanup_resources(restart=restart)
        if not restart:
            shutil.rmtree(self._folder, ignore_errors=True)

    cleanup_resources = _async_cleanup_resources


def warm_manager(
    kernel_name: str, *, specs: KernelSpecManager | None = None, memory: int | None = None
) -> WarmKernelManager:
    """A manager of a kernel that will be forked.

    Args:
        kernel_name: Name of a kernel specification.
        specs: Where such are looked up; where Jupyter does unless given.
        memory: Bytes of memory of its own that the kernel may take; None for no limit.

    Raises:
        CannotForkError: Where there is no server to fork from, or the kernel is of another interpreter.
    """
    specs = specs or KernelSpecManager()
    if not is_own_python(specs.get_kernel_spec(kernel_name)):
        raise CannotForkError(f"the kernel {kernel_name!r} is not this Python, {sys.executable}")
    return WarmKernelManager(warm_server(), memory, kernel_name=kernel_name, kernel_spec_manager=specs)
