"""Executing one notebook through Papermill, on a kernel that listens on no network address."""

from __future__ import annotations

import os
import re
import site
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from roi.batch.declared import declared_names, undeclared
from roi.problems import ParameterError

__all__ = ["NotebookError", "execute"]

KEPT_PAPERMILL = ("parameters", "version")
# Errors of this package are written for users and hold no cell of a sample; these hold none either.
SAFE_ERRORS = {
    "ParameterError",
    "SampleError",
    "InputError",
    "ModuleNotFoundError",
    "ImportError",
    "NameError",
    "AttributeError",
    "SyntaxError",
    "MemoryError",
    "DeadKernelError",
    "CellTimeoutError",
    "FileNotFoundError",
}
INPUT_ERRORS = {"ParameterError", "SampleError", "InputError"}
FRAME = re.compile(r"(?:File|Cell)\s+([^\n]+?):(\d+), in ([\w.<>]+)")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class NotebookError(Exception):
    """A notebook stopped before its end.

    Attributes:
        kind: Name of the error.
        why: What to tell, without a cell of a sample and without a path of this machine.
        is_input: Whether the inputs need mending, as opposed to a fault of the program.
    """

    def __init__(self, kind: str, why: str, *, is_input: bool = False) -> None:
        super().__init__(why)
        self.kind, self.why, self.is_input = kind, why, is_input

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.kind, self.why, self.is_input)


def _rebuilt(kind: str, why: str, is_input: bool) -> NotebookError:
    return NotebookError(kind, why, is_input=is_input)


def _engine(timeout: float) -> type[Any]:
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_core.utils import run_sync
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine

    class OfflineEngine(NBClientEngine):  # type: ignore[misc]
        """Papermill's own engine with a kernel of this very interpreter, over files instead of ports."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **_: Any) -> None:
            # No folder of kernel specifications: one of the user's called python3 may be another Python.
            specs = KernelSpecManager(kernel_dirs=[])
            # A socket path of its own: the default one is shared by kernels that start in one folder.
            folder = os.environ.get("JUPYTER_RUNTIME_DIR") or tempfile.gettempdir()
            place = Path(folder) / f"k{os.getpid()}-{uuid4().hex[:6]}"
            transport = {} if sys.platform == "win32" else {"transport": "ipc", "ip": str(place)}
            manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs, **transport)
            client = PapermillNotebookClient(
                nb_man,
                km=manager,
                timeout=int(timeout),
                startup_timeout=60,
                record_timing=False,
                extra_arguments=["--HistoryManager.enabled=False"],
            )
            try:
                # What a kernel writes beside its messages may quote a sample, and nobody would read it.
                client.execute(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            finally:
                run_sync(manager.shutdown_kernel)(now=True)

    return OfflineEngine


def execute(
    notebook: Path, target: Path, parameters: Mapping[str, Any], *, project: Path, timeout: float = 600.0
) -> Any:
    """Execute a notebook through Papermill and keep it, also where it fails.

    Args:
        notebook: The notebook; its cell tagged `parameters` says what may be passed.
        target: Where the executed notebook goes, without clock times, paths or names of this machine.
        parameters: Values by name, plain YAML values.
        project: The working directory of the notebook.
        timeout: Seconds that a cell may take.

    Returns:
        The executed notebook.

    Raises:
        ParameterError: If a parameter is not declared; nothing has run then.
        NotebookError: If a cell failed or the kernel died; `target` holds what had run.
    """
    import roi.light_imports  # noqa: F401

    # isort: split

    import nbformat
    import papermill
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillExecutionError

    read: Any = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    problems = undeclared(parameters, declared_names(read), file=f"notebooks/{notebook.name}")
    if problems:
        raise ParameterError(problems)
    papermill_engines.register("roi", _engine(timeout))
    _let_kernel_find_package()
    failure: NotebookError | None = None
    try:
        papermill.execute_notebook(
            str(notebook),
            str(target),
            parameters=dict(parameters),
            engine_name="roi",
            kernel_name="python3",
            language="python",
            progress_bar=False,
            cwd=str(project),
        )
    except PapermillExecutionError as error:
        failure = _failure(error.ename, error.evalue, error.traceback)
    except Exception as error:  # the kernel died, took too long or would not start
        failure = _failure(type(error).__name__, str(error), [])
    if target.exists():
        done: Any = nbformat.read(target, as_version=4)  # type: ignore[no-untyped-call]
        _clean(done, f"notebooks/{notebook.name}", failure)
        nbformat.write(done, target)  # type: ignore[no-untyped-call]
    if failure is not None:
        raise failure
    return done


def _let_kernel_find_package() -> None:
    """Where the package runs from a checkout without being installed, kernels are told where it lies."""
    import roi

    home = str(Path(roi.__file__).resolve().parent.parent)
    installed = {str(Path(path).resolve()) for path in [*site.getsitepackages(), site.getusersitepackages()]}
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if home not in installed and home not in known:
        os.environ["PYTHONPATH"] = os.pathsep.join([home, *filter(None, known)])


def _failure(kind: str, message: str, traceback: list[str]) -> NotebookError:
    if kind in INPUT_ERRORS:
        return NotebookError(kind, message.strip(), is_input=True)
    if kind == "CellTimeoutError":
        return NotebookError(kind, "A cell took longer than the time allowed.")
    if kind == "DeadKernelError":
        return NotebookError(
            kind, "The notebook's process ended unexpectedly; it may have run out of memory."
        )
    where = _frames(traceback)
    place = f" at {where[-1]}" if where else ""
    if kind in SAFE_ERRORS:
        return NotebookError(kind, f"{kind}{place}: {_without_paths(message.strip())[:300]}")
    return NotebookError(
        kind, f"{kind}{place}. Its message is withheld, because it may quote a sample; `roi decide` shows it."
    )


def _without_paths(text: str) -> str:
    return re.sub(r"(?:[A-Za-z]:)?(?:[\\/][^\s\\/:'\"]+)+[\\/]([^\s\\/:'\"]+)", r"\1", text)


def _frames(traceback: list[str]) -> list[str]:
    """The places of a traceback, without the folders of this machine."""
    text = ANSI.sub("", "\n".join(traceback))
    places = []
    for file, line, name in FRAME.findall(text):
        parts = Path(file.strip()).parts
        inside = parts[parts.index("site-packages") + 1 :] if "site-packages" in parts else parts[-2:]
        places.append(f"{'/'.join(inside)}:{line} in {name}")
    return places


def _clean(notebook: Any, name: str, failure: NotebookError | None) -> None:
    """Take out of an executed notebook what is of this machine and hour, or may quote a sample."""
    kept = notebook.metadata.get("papermill", {})
    notebook.metadata["papermill"] = {key: kept[key] for key in KEPT_PAPERMILL if key in kept}
    notebook.metadata["papermill"]["input_path"] = name
    for place, cell in enumerate(notebook.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = "injected-parameters"
        elif "papermill-error-cell-tag" in cell.metadata.get("tags", []):
            cell["id"] = f"papermill-error-{place}"
        if cell.cell_type != "code":
            continue
        cell.outputs = [out for out in cell.outputs if out.get("name") != "stderr"]
        for out in cell.outputs:
            if out.output_type == "error":
                why = failure.why if failure is not None else "withheld"
                out.traceback = [*_frames(out.traceback), why]
                out.evalue = why
