"""The engine `roi` of Papermill: `papermill --engine roi …` runs a notebook in a forked kernel.

Papermill loads this module whenever it is imported itself, so that the module must not import Papermill in turn: the
engine is made when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

__all__ = ["RoiEngine", "roi_engine", "run_cells"]  # noqa: F822  RoiEngine is made by __getattr__


def __getattr__(name: str) -> Any:
    if name == "RoiEngine":
        return roi_engine()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@cache
def roi_engine() -> type[Any]:
    """The engine's class."""
    from papermill.engines import NBClientEngine
    from papermill.log import logger
    from papermill.utils import merge_kwargs, remove_args

    class RoiEngine(NBClientEngine):  # type: ignore[misc]
        """Papermill's own engine, with a kernel that is forked from a process that has the libraries already."""

        @classmethod
        def execute_managed_notebook(
            cls,
            nb_man: Any,
            kernel_name: str,
            log_output: bool = False,
            stdout_file: Any = None,
            stderr_file: Any = None,
            start_timeout: float = 60,
            execution_timeout: float | None = None,
            memory_limit: int | None = None,
            **kwargs: Any,
        ) -> None:
            """Run a notebook's cells.

            Args:
                nb_man: The notebook as Papermill holds it.
                kernel_name: Of its kernel.
                log_output: Whether outputs go to Papermill's log.
                stdout_file: Where standard output goes as well.
                stderr_file: Where standard error goes as well.
                start_timeout: Seconds that the kernel may take to start.
                execution_timeout: Seconds that a cell may take.
                memory_limit: Bytes of memory of its own that the kernel may take.
                kwargs: Further options of nbclient.
            """
            from jupyter_client.manager import AsyncKernelManager

            from roi.batch.kernel import warm_manager

            options = remove_args(["input_path", "timeout", "startup_timeout"], **kwargs)
            run_cells(
                nb_man,
                lambda: warm_manager(kernel_name, memory=memory_limit),
                lambda: AsyncKernelManager(kernel_name=kernel_name),
                tell=logger.warning,
                **merge_kwargs(
                    options,
                    timeout=execution_timeout or kwargs.get("timeout"),
                    startup_timeout=start_timeout,
                    kernel_name=kernel_name,
                    log=logger,
                    log_output=log_output,
                    stdout_file=stdout_file,
                    stderr_file=stderr_file,
                ),
            )

    return RoiEngine


def run_cells(
    nb_man: Any,
    forked: Callable[[], Any],
    started: Callable[[], Any],
    *,
    tell: Callable[[str], None],
    start: Mapping[str, Any] | None = None,
    client: type[Any] | None = None,
    **options: Any,
) -> None:
    """Run a notebook's cells in a forked kernel, or in one that is started where there is none to be forked.

    Args:
        nb_man: The notebook as Papermill holds it.
        forked: Makes the manager of a kernel that is forked.
        started: Makes the manager of a kernel that is started.
        tell: Is told why a kernel was started.
        start: Options of the kernel's process.
        client: What runs the cells; Papermill's own unless given.
        options: Of nbclient.
    """
    from papermill.clientwrap import PapermillNotebookClient

    from roi.batch.warm import CannotForkError

    for make in (forked, started):
        running = None
        try:
            running = (client or PapermillNotebookClient)(nb_man, km=make(), **options)
            running.execute(cleanup_kc=True, **(start or {}))
            return
        except CannotForkError as reason:  # no cell has run then
            tell(f"Papermill's own engine runs the notebook, without a forked kernel: {reason}.")
        finally:
            if running is not None and running.km is not None:
                running._cleanup_kernel()
