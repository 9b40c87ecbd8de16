"""What listens to a kernel in a batch: it knows how the kernel ended, and bounds what a notebook puts out."""

from __future__ import annotations

import signal
from typing import Any

from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient

from roi.batch.warm import LOST

__all__ = [
    "MOST_OUTPUT", "KernelEndedError", "OutputLimitError", "ServerLostError", "StartError", "WatchingClient",
]  # fmt: skip

# Bytes. What is put out is held by whoever listens, whom no limit of the notebook's memory stops.
MOST_OUTPUT = 64 << 20


class KernelEndedError(Exception):
    """A kernel ended while a cell ran; the text says how, for a reader."""


class ServerLostError(KernelEndedError):
    """A kernel ended with the server that it was forked from."""


class OutputLimitError(Exception):
    """A notebook put out more than is kept; the text says how much that is."""


class StartError(Exception):
    """A kernel did not come so far that a cell could run; the text says why, for a reader."""


def how_ended(process: Any) -> str:
    """How a process ended, for a reader; empty where nobody knows.

    Args:
        process: With the manners of `subprocess.Popen`; None where there is none.
    """
    code = None if process is None else process.poll()
    if code is None:
        return ""
    if getattr(process, "is_lost", False):
        return LOST
    if code >= 0:
        return f"with exit code {code}"
    try:
        name = f" ({signal.Signals(-code).name})"
    except ValueError:
        name = ""
    return f"by signal {-code}{name}"


class WatchingClient(PapermillNotebookClient):  # type: ignore[misc]
    """Papermill's client, for whoever has to say why a notebook stopped."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self._put_out, self._has_begun = 0, False
        self._ended = ""

    def execute(self, **given: Any) -> Any:
        """Run all cells.

        Raises:
            KernelEndedError: If the kernel ended by itself.
            ServerLostError: If it ended with the server that it was forked from, cells or none.
            OutputLimitError: If there was more output than is kept.
            StartError: If the kernel did not answer before the first cell.
        """
        try:
            return super().execute(**given)
        except DeadKernelError:
            if self._put_out > MOST_OUTPUT:
                raise OutputLimitError(f"{MOST_OUTPUT >> 20} MB") from None
            raise (ServerLostError if self._ended == LOST else KernelEndedError)(self._ended) from None
        except RuntimeError as error:
            if self._has_begun:
                raise
            if self._how_ended() == LOST:
                raise ServerLostError(LOST) from None
            # jupyter_client's own words, of which none can quote a sample: no cell has run.
            raise StartError(str(error)) from None

    def papermill_execute_cells(self) -> None:
        """Run the cells, now that the kernel answers."""
        self._has_begun = True
        super().papermill_execute_cells()

    async def _async_check_alive(self) -> None:
        try:
            await super()._async_check_alive()
        except DeadKernelError:
            self._ended = self._how_ended()
            raise

    def _how_ended(self) -> str:
        return how_ended(getattr(getattr(self.km, "provisioner", None), "process", None))

    def output(self, outs: Any, msg: Any, display_id: Any, cell_index: int) -> Any:
        """Keep an output, or end the notebook where it is one too many."""
        self._put_out += _size(msg["content"])
        if self._put_out > MOST_OUTPUT:
            if self.task_poll_for_reply is not None:
                self.task_poll_for_reply.cancel()  # which nbclient takes for a dead kernel
            return None
        return super().output(outs, msg, display_id, cell_index)


def _size(value: Any) -> int:
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, dict):
        return sum(_size(part) for part in value.values())
    return sum(_size(part) for part in value) if isinstance(value, list) else 8
