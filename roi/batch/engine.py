"""Executing one notebook through Papermill, on a kernel that listens on no network address."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
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
# Of these the reason is told, without what they name.
SYSTEM_ERRORS = {
    "OSError",
    "PermissionError",
    "FileExistsError",
    "IsADirectoryError",
    "TimeoutError",
    "BrokenPipeError",
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


def _engine(timeout: float, memory: int | None, held: list[Any], tell: Callable[[str], None]) -> type[Any]:
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    from roi.batch.client import WatchingClient
    from roi.batch.kernel import warm_manager
    from roi.batch.papermill_engine import roi_engine, run_cells

    class BatchEngine(roi_engine()):  # type: ignore[misc]
        """Forked kernels of this very interpreter, over files instead of ports; nothing is saved before the end."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **_: Any) -> None:
            held.append(nb_man.nb)
            # No folder of kernel specifications: one of the user's called python3 may be another Python.
            specs = KernelSpecManager(kernel_dirs=[])

            def started() -> Any:
                # A socket path of its own: the default one is shared by kernels that start in one folder.
                folder = os.environ.get("JUPYTER_RUNTIME_DIR") or tempfile.gettempdir()
                place = Path(folder) / f"k{os.getpid()}-{uuid4().hex[:6]}"
                transport = {} if sys.platform == "win32" else {"transport": "ipc", "ip": str(place)}
                return AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs, **transport)

            run_cells(
                nb_man,
                lambda: warm_manager("python3", specs=specs, memory=memory),
                started,
                tell=tell,
                client=WatchingClient,
                # What a kernel writes beside its messages may quote a sample, and nobody would read it.
                start={"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL},
                timeout=int(timeout),
                startup_timeout=60,
                record_timing=False,
                shutdown_kernel="immediate",
                extra_arguments=["--HistoryManager.enabled=False"],
            )

    return BatchEngine


def execute(
    notebook: Path,
    target: Path,
    parameters: Mapping[str, Any],
    *,
    project: Path,
    timeout: float = 600.0,
    memory: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Any:
    """Execute a notebook through Papermill and keep it, also where it fails.

    Args:
        notebook: The notebook; its cell tagged `parameters` says what may be passed.
        target: Where the executed notebook goes, without clock times, paths or names of this machine.
        parameters: Values by name, plain YAML values.
        project: The working directory of the notebook.
        timeout: Seconds that a cell may take.
        memory: Bytes of memory of its own that the notebook may take; None for no limit. A kernel that is started
            instead of forked knows none.
        tell: Is told where the kernel could not be forked.

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

    from roi.batch.warm import let_processes_find_package

    read = _read(notebook)
    problems = undeclared(parameters, declared_names(read), file=f"notebooks/{notebook.name}")
    if problems:
        raise ParameterError(problems)
    held: list[Any] = []
    papermill_engines.register("roi batch", _engine(timeout, memory, held, tell))
    let_processes_find_package()
    failure: NotebookError | None = None
    done: Any = None
    try:
        done = papermill.execute_notebook(
            str(notebook),
            None,
            parameters=dict(parameters),
            engine_name="roi batch",
            kernel_name="python3",
            language="python",
            progress_bar=False,
            cwd=str(project),
        )
    except PapermillExecutionError as error:
        # What fails besides the decision fails in a notebook alone.
        pilot = f"papermill notebooks/{notebook.name} out.ipynb -p pilot {parameters.get('pilot')}"
        by = "roi decide" if notebook.stem == "2_decide" else pilot
        failure = _failure(error.ename, error.evalue, error.traceback, _cell(held), shown_by=by)
    except Exception as error:  # the kernel died, took too long or would not start
        failure = _failure(type(error).__name__, str(error), [], _cell(held))
    finally:
        done = done or next(iter(held), None)
        if done is not None:  # also where the whole process is asked to end
            _clean(done, f"notebooks/{notebook.name}", failure)
            nbformat.write(done, target)  # type: ignore[no-untyped-call]
    if failure is not None:
        raise failure
    return done


def _read(notebook: Path) -> Any:
    """A notebook; one that a half-written copy or a merge has spoilt is the user's, and no fault of the program."""
    import nbformat

    try:
        return nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    except OSError:
        raise
    except Exception as error:  # no JSON, no UTF-8, or JSON of another form
        why = f"notebooks/{notebook.name} cannot be read as a notebook ({type(error).__name__})"
        raise NotebookError(
            type(error).__name__, f"{why}; put it back, or remove it where the package has one of this name."
        ) from None


def _cell(held: list[Any]) -> str:
    """Which cell of a notebook was at work when it stopped, for a reader; empty for none."""
    for notebook in held:
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        begun = [cell for cell in code if cell.metadata.get("papermill", {}).get("start_time")]
        if begun:
            return f"code cell {len(begun)} of {len(code)}"
    return ""


def _failure(
    kind: str, message: str, traceback: list[str], cell: str = "", *, shown_by: str = "roi decide"
) -> NotebookError:
    if kind in INPUT_ERRORS:
        return NotebookError(kind, message.strip(), is_input=True)
    at = f" in {cell}" if cell else ""
    if kind == "CellTimeoutError":
        return NotebookError(kind, f"A cell took longer than the time allowed{at and ':' + at[3:]}.")
    if kind in ("KernelEndedError", "ServerLostError"):
        how = f", {message}" if message else ""
        # Who takes more than there is is killed; who takes more than it may is told, or gives up.
        hint = "; it may have run out of memory" if not how or re.search(r"signal [69]\b", how) else ""
        return NotebookError(kind, f"The notebook's process ended unexpectedly{at}{how}{hint}.")
    if kind == "OutputLimitError":
        return NotebookError(kind, f"The notebook put out more than {message}{at}, which no report can hold.")
    if kind == "StartError":
        return NotebookError(kind, f"No process could be started for the notebook: {message.rstrip('.')}.")
    where = _frames(traceback)
    place = (f" at {where[-1]}" if where else "") + at
    if kind in SAFE_ERRORS:
        return NotebookError(kind, f"{kind}{place}: {_without_paths(message.strip())[:300]}")
    if kind in SYSTEM_ERRORS and (reason := re.match(r"\[Errno \d+\] [A-Za-z ,()/-]+", message.strip())):
        return NotebookError(kind, f"{kind}{place}: {reason[0]}.")
    return NotebookError(
        kind, f"{kind}{place}. Its message is withheld, because it may quote a sample; `{shown_by}` shows it."
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
