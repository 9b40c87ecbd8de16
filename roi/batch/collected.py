"""A folder of reports that lies elsewhere: at any address that fsspec knows.

It is mirrored in a folder here, where the batch works as ever; each pilot is sent as soon as it is published, its
record's entry in the ledger first. Stores of objects know no lock: one batch at a time may write to such an address.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from roi.ledger import LEDGER
from roi.problems import InputError, Problem
from roi.words import shorten

__all__ = ["SendError", "collected", "is_address"]


class SendError(OSError):
    """Something could not be written at an address; `strerror` says why, for a reader."""


def is_address(out: str | Path) -> bool:
    """Whether reports go to an address of fsspec, such as ``s3://…``, instead of a folder."""
    return "://" in str(out)


@contextmanager
def collected(address: str) -> Iterator[tuple[Path, Callable[[str], None]]]:
    """A folder that holds what lies at an address, and what sends a pilot there.

    Args:
        address: Such as ``s3://bucket/reports``; its file system comes with a package of its own.

    Yields:
        The folder, and a function that sends the ledger and then a pilot's folder. What else has changed is sent in the
        end.

    Raises:
        InputError: If the extra, or the package of this kind of address, is not installed, or nobody may read there, or
            write as far as the store tells before.
        SendError: If something could not be sent, from the function as well.
    """
    try:
        import fsspec
    except ImportError:
        raise _problem("needs the extra `cluster`: pip install 'roi[cluster]'") from None
    kind = address.partition("://")[0]
    if "::" not in kind and kind not in fsspec.available_protocols():
        raise _problem(
            f"is of a kind that fsspec does not know ({shorten(kind, 40)}); it knows file, s3 and gs, say"
        )
    try:
        store, root = fsspec.core.url_to_fs(address)
        there = store.find(root) if store.exists(root) else []
    except ImportError as error:
        raise _problem(f"needs a package of its own: {error}") from None
    except Exception as error:  # each store has its own
        raise _problem(f"cannot be read ({_reason(error)})") from None
    try:
        store.makedirs(root, exist_ok=True)
    except Exception as error:
        raise _problem(f"cannot be written ({_reason(error)})") from None
    with tempfile.TemporaryDirectory(prefix="roi-") as place:
        mirror = _Mirror(store, root.rstrip("/"), Path(place) / "reports")
        try:
            mirror.fetch(there)
        except Exception as error:
            raise _problem(f"cannot be read ({_reason(error)})") from None
        yield mirror.folder, mirror.send_pilot
        mirror.send("")


def _reason(error: Exception) -> str:
    """Why, in words that hold no key and no path: those of a store may."""
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


def _problem(message: str) -> InputError:
    return InputError([Problem("roi batch", "--out", message)])


class _Mirror:
    def __init__(self, store: Any, root: str, folder: Path) -> None:
        self.store, self.root, self.folder = store, root, folder
        self.known: dict[str, tuple[int, int]] = {}
        self.lock = Lock()
        folder.mkdir()

    def fetch(self, there: list[str]) -> None:
        for path in there:
            name = path[len(self.root) :].lstrip("/") if path.startswith(self.root) else ""
            place = self.folder / name
            if not name or ".." in place.parts:
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(self.store.cat_file(path))
            self.known[name] = self._state(place)

    def send_pilot(self, pilot: str) -> None:
        """Send the ledger, then a pilot's folder."""
        self.send(LEDGER)
        self.send(f"{pilot}/")

    def send(self, start: str) -> None:
        """Send every file that has changed and whose name begins so, and take away what is no longer here."""
        try:
            self._send(start)
        except Exception as error:
            raise SendError(0, _reason(error)) from None

    def _send(self, start: str) -> None:
        with self.lock:
            here = {
                name: place
                for place in sorted(self.folder.rglob("*"))
                if place.is_file() and not (name := place.relative_to(self.folder).as_posix()).startswith(".")
                and name.startswith(start)
            }  # fmt: skip
            for name, place in here.items():
                try:
                    state, data = self._state(place), place.read_bytes()
                except FileNotFoundError:  # replaced meanwhile, and sent when that is told
                    continue
                if self.known.get(name) != state:
                    target = f"{self.root}/{name}"
                    self.store.makedirs(target.rpartition("/")[0], exist_ok=True)
                    self.store.pipe_file(target, data)
                    self.known[name] = state
            for name in [name for name in self.known if name.startswith(start) and name not in here]:
                self.store.rm_file(f"{self.root}/{name}")
                del self.known[name]

    def _state(self, place: Path) -> tuple[int, int]:
        found = place.stat()
        return found.st_size, found.st_mtime_ns
